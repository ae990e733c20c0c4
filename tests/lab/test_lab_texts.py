"""Two hundred hostile descriptions, loaded by the real programs and read back."""

import random
import shutil
import subprocess

import pytest
from lab_net import run
from support import artefacts_of

from egressc.targets.iptables.quote import cut_text, held_text

INVENTORY = """
groups:
  g: {networks: [10.0.0.1]}
firewalls:
  f: {target: iptables, accept: [depth]}
"""
PIECES = [
    '"', '""', "\\", "\\\\", '\\"', "'", "`id`", "$(id)", "${IFS}", "|", ";", "&&", "#", "-j ACCEPT", "--comment", "-A EGRESSC -j ACCEPT",
    "COMMIT", "*nat", ":EGRESSC - [0:0]", "!", "~", "*", "?", "[0:0]", "%s%n", "\t", " ", "  ", "]]>", "<!--", "\u2018", "\u2019", "“", "”", "\u201a",
    "\u201b", "🧨", "Ñ", "Ò", "Б", "é", "\u200f", "\u202e", "\u2066", "\u2028", "word", "x" * 60, "#: hook filter INPUT", "EOF",
]  # fmt: skip


def descriptions():
    """Texts without line ends, as the language allows them; the last are longer than any buffer."""
    random_ = random.Random(20261122)
    texts = ["".join(random_.choices(PIECES, k=random_.randint(1, 12))) for _ in range(180)]
    texts += [random_.choice(PIECES) * random_.randint(20, 400) for _ in range(14)]
    texts += [
        "-A EGRESSC -j ACCEPT " * 700,
        "a" * 10_237 + "-A EGRESSC -j ACCEPT",
        "ü" * 10_000,
        '"' * 5_000,
        "\\" * 9_999,
        "x" * 254 + '"',
    ]
    assert len(texts) == 200
    return texts


def policy_of(texts):
    rules = "\n".join(
        f'allow r{n} "{text.replace(chr(34), chr(34) * 2)}" {{ to h{n}.example.com ports {n + 1}/tcp }}'
        for n, text in enumerate(texts)
    )
    return f'policy p "P" {{ from g\n{rules}\n}}\n'


@pytest.fixture(scope="module")
def artefact(tmp_path_factory):
    texts = descriptions()
    folder = tmp_path_factory.mktemp("texts")
    for name, content in artefacts_of(policy_of(texts), INVENTORY, "f").items():
        (folder / name).write_bytes(content)
    return folder, texts


def unescaped(text):
    """A word as iptables-save writes it: bare, or in double quotes with backslashes."""
    if not text.startswith('"'):
        return text
    out, i = "", 1
    while text[i] != '"':
        i += text[i] == "\\"
        out += text[i]
        i += 1
    return out


def test_they_are_loaded_and_read_back_as_they_are(artefact, backend):
    folder, texts = artefact
    script = (
        'set -e; grep -v "^#" "$0/sets.ipset" | ipset restore; for v in 4 6; do t=iptables; [ $v = 4 ] || t=ip6tables; '
        f'$t-{backend}-restore --noflush <"$0/rules.v$v"; echo "== $v"; $t-{backend}-save; done'
    )
    out = run("unshare", "-n", "sh", "-c", script, str(folder)).stdout
    four, six = out.split("== 6\n")
    for saved, version in ((four, 4), (six, 6)):
        rules = [line for line in saved.split("\n") if line.startswith("-A ")]
        loaded = [
            line
            for line in (folder / f"rules.v{version}").read_text(encoding="utf-8").split("\n")
            if line.startswith("-A ")
        ]
        assert len(rules) == len(loaded), "no text has become a rule"
        assert not any(line.startswith("-A ") and not line.startswith("-A EGRESSC ") for line in rules)
        assert [line for line in saved.split("\n") if line.startswith(":") and "EGRESSC" not in line] == [
            ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]",
        ]  # fmt: skip
        found = {}
        for line in rules:
            comment = unescaped(line.partition("--comment ")[2])
            if comment.startswith("p/r"):
                assert line.endswith("-j ACCEPT")
                found[comment.partition(":")[0]] = comment
        for n, text in enumerate(texts):
            assert found[f"p/r{n}"] == cut_text(f"p/r{n}: {held_text(text)}"), n


def test_the_script_loads_them_and_shells_find_nothing(artefact, backend, tmp_path):
    folder, _ = artefact
    for command in (["bash", "-n"], ["sh", "-n"], ["shellcheck", "--norc"]):
        if shutil.which(command[0]):
            done = subprocess.run([*command, str(folder / "apply.sh")], capture_output=True, text=True, check=False)
            assert (done.returncode, done.stdout) == (0, "")
    run(
        "unshare",
        "-n",
        "sh",
        str(folder / "apply.sh"),
        "--backend",
        backend,
        "--no-dnsmasq",
        "--state-dir",
        str(tmp_path / "state"),
    )
