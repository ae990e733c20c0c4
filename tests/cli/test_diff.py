"""`egressc diff` as people and git run it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.resources import files

import jsonschema
import pytest
import revisions_support as support
from revisions_support import INVENTORY, POLICY, git

EGRESSC = f"{sys.executable} -m egressc"
WIDER = POLICY.replace("a.example.net", "a.example.net *.c.example.net")
NARROWER = POLICY.replace('    allow b "B" { to b.example.net ports 443 }\n', "")
UNSPOKEN = POLICY.replace('"A"', '"Another A"')
EXEMPT = POLICY.replace("to a.example.net", "no-tls-inspection to a.example.net")
WRONG = POLICY.replace("a.example.net", "no-such-set")


TEXT = """\
policies  main → working tree

newly allowed
  + g → *.c.example.net:443/https  rule p/a (line 3)
      e.g. 192.0.2.0 → a.c.example.net:443

firewalls: edge ~1
"""


@pytest.fixture
def repo(tmp_path, monkeypatch):
    folder = support.repository(tmp_path / "repo")
    monkeypatch.chdir(folder)
    return folder


def change(repo, text, name="policies/main.egress"):
    support.write(repo, {name: text})


def test_text(repo, run):
    change(repo, WIDER)
    status, out, err = run("diff", "main", "--", "policies")
    assert (status, err) == (0, "")
    assert out == TEXT


def test_nothing(repo, run):
    status, out, err = run("diff", "main", "--", "policies")
    assert (status, out, err) == (
        0, "policies  main → working tree\n\nno flow is decided otherwise\nfirewalls: edge unchanged\n", "",
    )  # fmt: skip


def test_the_form_for_machines(repo, run):
    change(repo, WIDER)
    status, out, _ = run("diff", "main", "--format", "json", "--", "policies")
    found = json.loads(out)
    schema = json.loads(files("egressc.grammar").joinpath("diff.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(found)
    assert status == 0
    assert found["diagnostics"] == []
    (wider,) = found["newly_allowed"]
    assert (wider["endpoint"], wider["groups"], wider["ports"]) == ("*.c.example.net", ["g"], ["443/https"])
    assert (wider["rules"][0]["file"], wider["rules"][0]["line"]) == ("policies/main.egress", 3)
    assert list(found["per_firewall"]) == ["edge"]
    change(repo, WRONG)
    status, out, err = run("diff", "main", "--format", "json", "--", "policies")
    found = json.loads(out)
    jsonschema.Draft202012Validator(schema).validate(found)
    assert (status, err, found["empty"]) == (1, "", None)
    assert [(d["code"], d["file"]) for d in found["diagnostics"]] == [("E0207", "policies/main.egress")]


@pytest.mark.parametrize(("form", "begin"), [("markdown", "### Egress policy: policies"), ("html", "<!doctype html>")])
def test_other_forms_to_a_file(repo, run, form, begin):
    change(repo, WIDER)
    assert run("diff", "main", "--format", form, "-o", "report", "--", "policies") == (0, "", "")
    text = (repo / "report").read_text(encoding="utf-8")
    assert text.startswith(begin)
    assert "*.c.example.net" in text
    assert str(repo) not in text
    status, _, err = run("diff", "main", "-o", "no/such/folder", "--", "policies")
    assert (status, err) == (2, "egressc diff: cannot write `no/such/folder`: no such file or directory\n")


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        (WIDER, {"widened", "firewalls"}),
        (NARROWER, {"narrowed", "firewalls"}),
        (EXEMPT, {"inspection"}),
        (UNSPOKEN, set()),
    ],
    ids=["wider", "narrower", "exempt", "unspoken"],
)
def test_what_to_fail_on(repo, run, text, fails):
    change(repo, text)
    for word in ("widened", "narrowed", "inspection"):
        assert run("diff", "main", "--fail-on", word, "--", "policies")[0] == int(word in fails), word
    if "firewalls" in fails:
        assert run("diff", "main", "--fail-on", "firewalls", "--", "policies")[0] == 1
        assert run("diff", "main", "--fail-on", "firewalls", "--no-firewalls", "--", "policies")[0] == 0
    every = "narrowed,inspection,widened,firewalls"
    assert run("diff", "main", "--fail-on", every, "--", "policies")[0] == int(bool(fails))
    assert run("diff", "main", "--fail-on", "narrowed", "--fail-on", "widened,inspection", "--", "policies")[0] == int(
        bool(fails)
    )


def test_errors_name_the_side(repo, run):
    support.commit(repo, {"policies/main.egress": WRONG}, tag="bad")
    change(repo, POLICY)
    status, out, err = run("diff", "bad", "--", "policies")
    assert (status, out) == (1, "")
    assert "--> bad:policies/main.egress:3:" in err
    assert err.endswith("egressc diff: the old side, bad, has 1 error; nothing was compared\n")
    status, _, err = run("diff", "main~1..bad", "--", "policies")
    assert "the new side, bad, has 1 error" in err
    change(repo, WRONG)
    status, _, err = run("diff", "main~1", "--", "policies")
    assert status == 1
    assert "--> policies/main.egress:3:" in err
    assert "the new side, working tree, has 1 error" in err


def test_errors_without_a_place_name_the_side(repo, run):
    support.commit(repo, {"more/x.egress": POLICY.replace("policy p", "policy q"), "more/inventory.yaml": INVENTORY})
    status, _, err = run("diff", "main", "--", "policies", "more")
    assert status == 2
    assert err.count("error[E0436]: the PATHs have 2 inventories") == 2
    assert "--> main:policies/inventory.yaml\n" in err
    assert "--> policies/inventory.yaml\n" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("mian",), "egressc diff: there is no revision `mian`\n  did you mean `main`?\n"),
        (("main", "--", "nowhere"), "egressc diff: there is no `nowhere`, neither in `main` nor in `working tree`\n"),
        (("main", "--fail-on", "widend"), "egressc diff: `--fail-on` does not know `widend`\n  did you mean `widened`?\n"),
        (("main", "--firewall", "egde", "--", "policies"), "egressc diff: no side has a firewall `egde`\n  did you mean `edge`?\n"),
        (("main", "--firewall", "edge", "--no-firewalls"), "egressc diff: `--firewall` and `--no-firewalls` contradict each other\n"),
        (("main", "main", "policies"), "egressc diff: `policies` is one argument too many\n  PATHs stand behind `--`: "),
        (("main", "--as-of", "tomorrow"), "egressc diff: `tomorrow` is no date"),
        (("main", "--inventory", "no.yaml", "--", "policies"), "error[E0435]: the inventory `no.yaml` cannot be read"),
        ((), "egressc: the following arguments are required"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)  # fmt: skip
def test_what_could_not_run(repo, run, words, said):
    status, out, err = run("diff", *words)
    assert (status, out) == (2, "")
    assert err.startswith(said)


def test_only_one_firewall(repo, run):
    two = INVENTORY + "  other: {target: azure-firewall, settings: {policy: p, location: westeurope}}\n"
    support.commit(repo, {"policies/inventory.yaml": two})
    change(repo, WIDER)
    assert run("diff", "main", "--", "policies")[1].splitlines()[-1].startswith("firewalls: edge ~1 · other ~1")
    assert run("diff", "main", "--firewall", "other", "--", "policies")[1].splitlines()[-1] == "firewalls: other ~1"
    assert "firewalls" not in run("diff", "main", "--no-firewalls", "--", "policies")[1]


def test_a_policy_that_came_is_newly_allowed_and_said_to_be_new(repo, run):
    change(repo, POLICY.replace("policy p", "policy q").replace("a.example", "q.example"), "policies/new.egress")
    status, out, _ = run("diff", "main", "--", "policies/new.egress")
    assert status == 0
    assert "  + g → q.example.net:443/https" in out
    assert out.endswith("note: `policies/new.egress` is not in main\n")


def test_files_that_only_define_say_that_they_are_not_all(repo, run):
    sets = {"policies/s.egress": "endpoints s { s.example.net }\n"}
    main = {"policies/main.egress": 'import "s.egress"\npolicy p "P" { from g allow a "A" { to s ports 443 } }\n'}
    support.commit(repo, {**sets, **main})
    change(repo, "endpoints s { s.example.net t.example.net }\n", "policies/s.egress")
    assert "note: no rule takes effect in these files alone" in run("diff", "main", "--", "policies/s.egress")[1]
    out = run("diff", "main", "--", "policies")[1]
    assert "  + g → t.example.net:443/https" in out
    assert "note:" not in out
    told = git(repo, "difftool", "-y", "--extcmd", f"{EGRESSC} diff", "main", "--", "policies/s.egress")
    assert "note: no rule takes effect in these files alone" in told


def test_an_inventory_as_a_path_is_its_folder(repo, run):
    change(repo, INVENTORY.replace("192.0.2.0/24", "192.0.2.0/25"), "policies/inventory.yaml")
    status, out, _ = run("diff", "main", "--", "policies/inventory.yaml")
    assert (status, out) == (0, run("diff", "main", "--", "policies")[1])
    assert "  - g (192.0.2.128/25) → a.example.net:443/https" in out
    assert run("diff", "main", "--", "")[2] == "egressc diff: a PATH is empty\n  `.` stands for this folder\n"


def test_an_inventory_elsewhere(repo, run, tmp_path):
    (tmp_path / "other.yaml").write_text(INVENTORY.replace("edge", "elsewhere"))
    change(repo, WIDER)
    status, out, _ = run("diff", "main", "--inventory", str(tmp_path / "other.yaml"), "--", "policies")
    assert (status, out.splitlines()[-1]) == (0, "firewalls: elsewhere ~1")


def test_narrow_terminals_and_colour(repo):
    change(repo, WIDER)
    import fcntl
    import pty
    import struct
    import termios

    def shown(**env):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 50, 0, 0))
        known = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "COLUMNS"}}
        process = subprocess.Popen(
            [*EGRESSC.split(), "diff", "main", "--", "policies"], stdout=theirs, env={**known, "TERM": "xterm", **env}
        )
        os.close(theirs)
        text = b""
        try:
            while data := os.read(ours, 4096):
                text += data
        except OSError:  # the other end is closed
            pass
        os.close(ours)
        assert process.wait() == 0
        return text.decode()

    coloured, plain = shown(), shown(NO_COLOR="1")
    assert "\x1b[32m  + g" in coloured
    assert "\x1b" not in plain
    assert max(map(len, plain.split("\r\n"))) <= 50
    assert re.sub("\x1b\\[[0-9]*m", "", coloured) == plain


# git's own ways


def test_git_difftool(repo):
    change(repo, WIDER)
    change(repo, INVENTORY.replace("192.0.2.0/24", "192.0.2.0/25"), "policies/inventory.yaml")
    out = git(repo, "difftool", "-y", "--extcmd", f"{EGRESSC} diff", "main")
    assert "policies/inventory.yaml  old → new\n\nno longer allowed\n" in out
    assert (
        "policies/main.egress  old → new\n\nnewly allowed\n  + g → *.c.example.net:443/https  rule p/a (line 3)\n"
        in out
    )
    assert "/tmp/" not in out


def test_git_difftool_of_files_that_came_and_went_and_import(repo):
    support.commit(
        repo,
        {
            "policies/main.egress": None,
            "policies/new.egress": 'import "sets/s.egress"\npolicy n "N" { from g allow a "A" { to s ports 443 } }\n',
            "policies/sets/s.egress": "endpoints s { s.example.net }\n",
        },
    )
    out = git(repo, "difftool", "-y", "--extcmd", f"{EGRESSC} diff", "main~1", "main")
    assert "policies/main.egress  old → new\n\nno longer allowed\n  - g → a.example.net:443/https" in out
    assert "policies/new.egress  old → new\n\nnewly allowed\n  + g → s.example.net:443/https" in out


def test_git_difftool_of_folders_is_refused(repo, tmp_path):
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\nexec {EGRESSC} diff "$@"\n')
    program.chmod(0o755)
    change(repo, WIDER)
    words = ["git", "difftool", "-d", "--extcmd", str(program), "main"]
    done = subprocess.run(words, cwd=repo, capture_output=True, text=True, check=False)
    assert "the folders of `git difftool --dir-diff` lack what did not change" in done.stderr


def test_the_file_is_said_where_there_are_several(repo, run):
    support.commit(repo, {"policies/q.egress": POLICY.replace("policy p", "policy q").replace("example", "q.example")})
    change(repo, WIDER)
    assert "rule p/a (policies/main.egress:3)" in run("diff", "main", "--", "policies")[1]
    assert "rule p/a (line 3)" in run("diff", "main", "--", "policies/main.egress")[1]


def test_git_difftool_as_it_is_documented(repo):
    text = (support.ROOT / "docs" / "review.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^git config difftool\.egressc\.cmd '(.*)'$", text, re.MULTILINE)
    git(repo, "config", "difftool.egressc.cmd", command.replace("egressc ", f"{EGRESSC} ", 1))
    change(repo, WIDER)
    out = git(repo, "difftool", "-y", "-t", "egressc", "main", "--", "policies/main.egress")
    assert "policies/main.egress  old → new\n\nnewly allowed\n" in out


def test_git_textconv_as_it_is_documented(repo):
    text = (support.ROOT / "docs" / "review.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^git config diff\.egress\.textconv '(.*)'$", text, re.MULTILINE)
    (heads,) = re.findall(r"^git config diff\.egress\.xfuncname '(.*)'$", text, re.MULTILINE)
    (attributes,) = re.findall(r"^(\*\.egress diff=egress)$", text, re.MULTILINE)
    git(repo, "config", "diff.egress.textconv", command.replace("egressc ", f"{EGRESSC} ", 1))
    git(repo, "config", "diff.egress.xfuncname", heads)
    (repo / ".gitattributes").write_text(attributes + "\n")
    assert git(repo, "diff", "--stat", "main", "--", "policies") == ""
    change(repo, POLICY.replace("    from g\n", "  from    g\n").replace("{ to", "{\n\n to"))
    assert git(repo, "diff", "main", "--", "policies") == "", "the layout alone is no difference"
    change(repo, WIDER)
    told = git(repo, "diff", "main", "--", "policies")
    assert re.findall(r"^[-+] .*", told, re.MULTILINE) == [
        "+        to    a.example.net *.c.example.net"
    ] or re.findall(r"^[-+] .*", told, re.MULTILINE) == [
        "-        to    a.example.net",
        "+        to    a.example.net *.c.example.net",
    ]
    change(repo, POLICY + "policy {")
    assert "+policy {" in git(repo, "diff", "main", "--", "policies"), "what cannot be read is shown as it is"


@pytest.mark.parametrize(
    "names", [("old.egress", "new.egress"), ("a/p.egress", "b/p.egress"), ("a", "b"), ("a", "b/p.egress")]
)
def test_two_files_that_were_named_are_one_file_whatever_they_are_called(repo, run, names):
    paths = [name if name.endswith(".egress") else f"{name}/p.egress" for name in names]
    support.write(repo, dict.fromkeys(paths, POLICY) | {"inventory.yaml": INVENTORY})
    status, out, _ = run("diff", *names, "--no-firewalls")
    assert (status, out) == (0, f"{names[0]} → {names[1]}\n\nno flow is decided otherwise\n")
    support.write(repo, {paths[1]: "# one more line\n" + POLICY})
    _, out, _ = run("diff", *names, "--format", "json")
    assert [(edit["kind"], edit["what"]) for edit in json.loads(out)["edits"]] == [("reformatted", "file")]
