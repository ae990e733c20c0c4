"""The first hour with egressc: an empty folder, a typing error, a pipe, a narrow terminal, a bare environment."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from importlib.resources import files

import pytest

from egressc.cli import main

EGRESSC = [sys.executable, "-c", "import sys; from egressc.cli import main; sys.exit(main(sys.argv[1:]))"]
FIREWALLS = {
    "dublin-edge": "paloalto",
    "westeurope": "azure-firewall",
    "lab-gateway": "iptables",
    "connector-hosts": "windows-firewall",
}
ESCAPE = "\x1b["
MAIN_ARTEFACTS = (
    "dublin-edge/config.xml",
    "westeurope/template.json",
    "lab-gateway/rules.v4",
    "connector-hosts/connectors-dublin/firewall.ps1",
    "connector-hosts/connectors-azure/firewall.ps1",
)


def run(folder, *words, **environment):
    """One run of the command in a process of its own: status, standard output, standard error."""
    done = subprocess.run(
        [*EGRESSC, *words], cwd=folder, env={**os.environ, **environment}, capture_output=True, check=False, timeout=120
    )
    return done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8")


def run_on_a_terminal(folder, *words, columns=80, **environment):
    """The same on a pseudo-terminal that is so wide: status, and all that appears there."""
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "COLUMNS"}}
    process = subprocess.Popen(
        [*EGRESSC, *words],
        cwd=folder,
        env={**env, "TERM": "xterm", **environment},
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    seen = bytearray()
    try:
        while piece := os.read(leader, 65536):
            seen += piece
    except OSError:
        # Linux says EIO when the last process has closed its end.
        pass
    os.close(leader)
    return process.wait(timeout=120), seen.decode("utf-8")


@pytest.fixture
def demo(tmp_path, monkeypatch, capsys):
    """A folder in which `egressc init demo` was run, and in which the test stands."""
    monkeypatch.chdir(tmp_path)
    assert main(["init", "demo"]) == 0
    capsys.readouterr()
    return tmp_path


def change(path, before, after):
    text = path.read_text(encoding="utf-8")
    assert before in text, "the shipped file no longer holds what this test changes"
    path.write_text(text.replace(before, after), encoding="utf-8")


def test_from_an_empty_folder_to_four_firewalls(tmp_path):
    status, out, err = run(tmp_path, "init", "demo")
    assert status == 0
    assert {"demo/inventory.yaml", "demo/main.egress"} <= set(out.split())
    assert "egressc compile demo" in err

    status, out, err = run(tmp_path, "compile", "demo")
    assert status == 0, err
    assert "error" not in err
    last = [line.split() for line in out.splitlines()[-len(FIREWALLS) :]]
    assert {line[0]: line[1] for line in last} == FIREWALLS
    for name in ("manifest.json", *MAIN_ARTEFACTS):
        assert (tmp_path / "build" / name).stat().st_size > 0, name


def test_the_shipped_folder_needs_no_other_verb_to_be_clean(demo, capsys):
    assert main(["fmt", "--check", "demo"]) == 0
    assert main(["check", "demo"]) == 0
    assert "error" not in capsys.readouterr().err
    assert not (demo / "build").exists(), "check writes nothing"


def test_init_overwrites_nothing(demo, capsys):
    (demo / "demo" / "main.egress").write_text("# mine\n", encoding="utf-8")
    assert main(["init", "demo"]) == 2
    assert "demo" in capsys.readouterr().err
    assert (demo / "demo" / "main.egress").read_text(encoding="utf-8") == "# mine\n"


@pytest.mark.parametrize(("typed", "meant"), [("compil", "compile"), ("chek", "check"), ("target", "targets")])
def test_a_typing_error_in_a_verb(typed, meant, capsys):
    assert main([typed, "demo"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"`{typed}`" in err
    assert f"did you mean `{meant}`?" in err
    assert "Traceback" not in err


def test_a_typing_error_in_an_option(demo, capsys):
    assert main(["compile", "demo", "--firwall", "dublin-edge"]) == 2
    assert "--firwall" in capsys.readouterr().err
    assert not (demo / "build").exists()


def test_a_typing_error_in_a_group(demo, capsys):
    change(demo / "demo" / "main.egress", "all-connectors", "all-conectors")
    assert main(["compile", "demo"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    lines = (demo / "demo" / "main.egress").read_text(encoding="utf-8").splitlines()
    number = next(i for i, line in enumerate(lines, 1) if "all-conectors" in line)
    column = lines[number - 1].index("all-conectors") + 1
    assert re.search(r"^error\[E0503\]: .*`all-conectors`", err, re.MULTILINE)
    assert f"main.egress:{number}:{column}" in err
    assert "did you mean `all-connectors`?" in err
    assert err.count("error[") == 1
    assert not (demo / "build").exists(), "nothing is written on an error"


def test_a_typing_error_in_a_firewall(demo, capsys):
    assert main(["compile", "demo", "--firewall", "dublin-egde"]) == 2
    assert "did you mean `dublin-edge`?" in capsys.readouterr().err


def test_without_an_inventory_compile_says_what_to_do(demo, capsys):
    (demo / "demo" / "inventory.yaml").unlink()
    assert main(["compile", "demo"]) == 2
    err = capsys.readouterr().err
    assert "inventory" in err
    assert "--target" in err
    assert not (demo / "build").exists()


def test_without_an_inventory_a_named_target_is_enough(demo, capsys):
    (demo / "demo" / "inventory.yaml").unlink()
    assert main(["compile", "demo", "--target", "paloalto"]) == 0
    assert capsys.readouterr().out.split()[:2] == ["paloalto", "paloalto"]
    assert (demo / "build" / "paloalto" / "config.xml").exists()


def test_an_inventory_that_is_not_there(demo, capsys):
    assert main(["compile", "demo", "--inventory", "inventry.yaml"]) == 2
    assert "inventry.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["targets"], ["explain", "E0207"], ["compile", "demo", "--firewall", "lab-gateway", "-o", "-"]]
)
def test_a_reader_that_leaves_early(demo, words):
    """The reading end is closed before anything is written, so every write fails: no matter how small the output."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run([*EGRESSC, *words], stdout=writing, stderr=subprocess.PIPE, check=False, timeout=120)
    finally:
        os.close(writing)
    assert done.returncode == 0
    said = done.stderr.decode("utf-8")
    assert "Traceback" not in said
    assert "BrokenPipe" not in said
    assert "Broken pipe" not in said


def test_a_narrow_terminal(demo):
    change(demo / "demo" / "main.egress", "all-connectors", "all-conectors")
    status, seen = run_on_a_terminal(demo, "check", "demo", columns=40, NO_COLOR="1")
    assert status == 1
    assert "error[E0503]" in seen
    assert "all-conectors" in seen
    assert "Traceback" not in seen


def test_help_on_a_narrow_terminal_names_every_verb(tmp_path):
    status, out, _ = run(tmp_path, "--help", COLUMNS="40")
    assert status == 0
    for verb in ("compile", "check", "explain", "fmt", "targets", "init"):
        assert re.search(rf"^ +{verb}\b", out, re.MULTILINE), verb


def test_colour_on_a_terminal_and_only_there(demo):
    change(demo / "demo" / "main.egress", "all-connectors", "all-conectors")
    status, seen = run_on_a_terminal(demo, "check", "demo")
    assert status == 1
    assert ESCAPE in seen
    status, seen = run_on_a_terminal(demo, "check", "demo", NO_COLOR="1")
    assert status == 1
    assert ESCAPE not in seen
    status, _, err = run(demo, "check", "demo")
    assert status == 1
    assert ESCAPE not in err


def test_no_color_does_not_change_what_is_said(demo):
    plain = run(demo, "compile", "demo", "--as-of", "2026-11-22")
    assert run(demo, "compile", "demo", "--as-of", "2026-11-22", NO_COLOR="1") == plain
    coloured = run(demo, "compile", "demo", "--as-of", "2026-11-22", "--color", "always")
    assert ESCAPE in coloured[2]
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured[2]) == plain[2]


@pytest.mark.parametrize("strict", [{}, {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}], ids=["coerced", "ascii"])
def test_the_c_locale(demo, strict):
    """Files are UTF-8 whatever the locale; what a stream cannot encode is escaped, never a crash."""
    change(demo / "demo" / "main.egress", "Outbound access of the private", "Zugänge der privaten → private")
    status, out, err = run(demo, "compile", "demo", "--as-of", "2026-11-22", "-o", "c", LC_ALL="C", **strict)
    assert status == 0, err
    assert "Traceback" not in err
    assert [line.split()[0] for line in out.splitlines()[-len(FIREWALLS) :]] == list(FIREWALLS)
    assert run(demo, "compile", "demo", "--as-of", "2026-11-22", "-o", "utf8", PYTHONUTF8="1")[0] == 0
    for name in ("manifest.json", *MAIN_ARTEFACTS):
        assert (demo / "c" / name).read_bytes() == (demo / "utf8" / name).read_bytes(), name


@pytest.mark.parametrize("strict", [{}, {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}], ids=["coerced", "ascii"])
def test_the_c_locale_and_a_result_that_is_not_ascii(tmp_path, strict):
    """A page with characters that an ASCII stream has not got is printed all the same."""
    pages = (page for page in sorted(files("egressc.pages").iterdir(), key=lambda page: page.name))
    page = next(page for page in pages if page.name.endswith(".md") and not page.read_text("utf-8").isascii())
    status, out, err = run(tmp_path, "explain", page.name.removesuffix(".md"), LC_ALL="C", **strict)
    assert (status, err) == (0, "")
    title = page.read_text("utf-8").splitlines()[0]
    assert out.startswith(title.encode("ascii", "backslashreplace").decode() if strict else title)
