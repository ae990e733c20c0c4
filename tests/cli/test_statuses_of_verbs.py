"""Exit statuses, streams, and what is on the disk afterwards: the smaller verbs, and defects of every verb."""

from __future__ import annotations

import io
import json
import sys

import pytest
from cli_support import POLICY, tree

# fmt

UNTIDY = POLICY.replace("    from servers", "  from   servers")


def test_fmt(place, run):
    file = place / "web.egress"
    file.write_text(UNTIDY, encoding="utf-8")
    status, out, err = run("fmt", ".")
    assert (status, out) == (0, "")
    assert "web.egress" in err
    assert "    from servers\n" in file.read_text(encoding="utf-8")
    before = tree(place)
    assert run("fmt", ".") == (0, "", ""), "what is tidy stays"
    assert tree(place) == before


@pytest.mark.parametrize(("option", "expected"), [("--check", 1), ("--diff", 0)])
def test_fmt_that_writes_nothing(place, run, option, expected):
    (place / "web.egress").write_text(UNTIDY, encoding="utf-8")
    before = tree(place)
    status, out, err = run("fmt", ".", option)
    assert status == expected
    assert tree(place) == before
    if option == "--diff":
        assert "\n-  from   servers\n" in out
        assert "\n+    from servers\n" in out
    else:
        assert out == ""
        assert "web.egress" in err


def test_fmt_check_of_what_is_tidy(place, run):
    assert run("fmt", ".")[0] == 0
    assert run("fmt", ".", "--check") == (0, "", "")
    assert run("fmt", ".", "--diff") == (0, "", "")


def standard_input(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))


def test_fmt_of_standard_input(place, run, monkeypatch):
    before = tree(place)
    standard_input(monkeypatch, UNTIDY)
    status, out, err = run("fmt", "-")
    assert (status, err) == (0, "")
    assert "    from servers\n" in out
    standard_input(monkeypatch, out)
    assert run("fmt", "-") == (0, out, "")
    standard_input(monkeypatch, UNTIDY)
    assert run("fmt", "-", "--check")[:2] == (1, "")
    assert run("fmt", "-", ".")[:2] == (2, "")
    assert tree(place) == before


def test_fmt_of_what_is_no_policy(place, run, monkeypatch):
    (place / "web.egress").write_text(UNTIDY.replace("allow api", "allow"), encoding="utf-8")
    (place / "good.egress").write_text(UNTIDY.replace("policy web", "policy good"), encoding="utf-8")
    broken = (place / "web.egress").read_bytes()
    status, out, err = run("fmt", ".")
    assert (status, out) == (1, "")
    assert "error[E01" in err
    assert "web.egress:3" in err
    assert (place / "web.egress").read_bytes() == broken
    standard_input(monkeypatch, broken.decode())
    status, out, err = run("fmt", "-")
    assert (status, out) == (1, "")
    assert "<stdin>:3" in err


def test_fmt_of_what_is_not_there(place, run):
    before = tree(place)
    status, out, err = run("fmt", "nowhere")
    assert (status, out) == (2, "")
    assert "nowhere" in err
    assert tree(place) == before


def test_fmt_for_machines(place, run):
    (place / "web.egress").write_text(UNTIDY, encoding="utf-8")
    (place / "bad.egress").write_text("policy {", encoding="utf-8")
    status, out, err = run("fmt", ".", "--format", "json", "--check")
    told = json.loads(out)
    assert (status, err) == (1, "")
    assert told["changed"] == ["web.egress"]
    assert {found["file"] for found in told["diagnostics"]} == {"bad.egress"}


def test_fmt_of_standard_input_for_machines(place, run, monkeypatch):
    standard_input(monkeypatch, UNTIDY)
    status, out, err = run("fmt", "-", "--format", "json")
    assert (status, out) == (2, "")
    assert "both want standard output" in err
    for option, expected in (("--check", 1), ("--diff", 0)):
        standard_input(monkeypatch, UNTIDY)
        status, out, err = run("fmt", "-", "--format", "json", option)
        assert (status, json.loads(out), err) == (expected, {"diagnostics": [], "changed": ["<stdin>"]}, "")
    standard_input(monkeypatch, "policy {")
    status, out, err = run("fmt", "-", "--format", "json", "--check")
    assert (status, err, json.loads(out)["changed"]) == (1, "", [])
    assert {found["file"] for found in json.loads(out)["diagnostics"]} == {"<stdin>"}


def test_fmt_check_of_standard_input_says_what_would_change(run, monkeypatch):
    standard_input(monkeypatch, UNTIDY)
    assert run("fmt", "-", "--check") == (1, "", "would change <stdin>\n")


# targets, init, explain


def test_targets(place, run):
    status, out, err = run("targets", "iptables")
    assert (status, err) == (0, "")
    assert out.startswith("iptables: ")
    status, out, err = run("targets", "iptable")
    assert (status, out) == (2, "")
    assert "did you mean `iptables`?" in err


def test_targets_shows_formats_of_lists_by_name(place, run):
    status, out, err = run("targets", "zscaler", "iptables")
    assert (status, err) == (0, "")
    assert out.index("iptables: ") < out.index("zscaler: Zscaler custom URL category\n  A format of `egressc export`: ")
    assert "nobody could verify\n  zscaler-port" in out
    status, out, err = run("targets", "zscalar")
    assert (status, out) == (2, "")
    assert "did you mean `zscaler`?" in err
    status, out, err = run("targets", "qqqqqqqqqqqq")
    assert (status, out) == (2, "")
    assert "  targets: azure-firewall, " in err
    assert "  list formats: csv, " in err


def test_init(place, run):
    status, out, err = run("init", "new/deep")
    assert status == 0
    assert "new/deep/inventory.yaml" in out.splitlines()
    assert all((place / name).is_file() for name in out.splitlines())
    assert "egressc compile" in err


@pytest.mark.parametrize("where", [".", "web.egress", "web.egress/below"])
def test_init_into_what_is_not_empty(place, run, where):
    before = tree(place)
    status, out, err = run("init", where)
    assert (status, out) == (2, "")
    assert "web.egress" in err or "`.`" in err
    assert tree(place) == before


def test_init_without_a_name(place, run):
    before = tree(place)
    status, out, err = run("init", "")
    assert (status, out, err) == (2, "", "egressc init: DIR is empty: name a new folder\n")
    assert tree(place) == before


@pytest.mark.parametrize(("option", "near"), [("-o", ""), ("--tarhet", "  did you mean `--target`?\n")])
def test_an_option_that_a_verb_does_not_have(run, option, near):
    status, out, err = run("check", option, "x")
    assert (status, out) == (2, "")
    assert err == f"egressc: there is no option `{option}` here\n{near}  see `egressc check --help`\n"


def test_explain(run):
    status, out, err = run("explain", "E0207")
    assert (status, err) == (0, "")
    assert out.startswith("# E0207: ")
    assert run("explain", "E9999")[:2] == (2, "")
    assert run("explain")[:2] == (2, "")


# defects


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (("compile", "."), "egressc.verb_compile.compile_request"),
        (("compile", "."), "egressc.verb_compile.fidelity_json"),
        (("compile", "."), "egressc.verb_compile.summary_lines"),
        (("compile", ".", "--format", "json"), "egressc.verb_compile.to_json"),
        (("compile", "."), "egressc.output.digest"),
        (("check", "."), "egressc.verb_check.check_request"),
        (("fmt", "."), "egressc.verb_fmt.check_format"),
        (("targets",), "egressc.verb_targets.load_target"),
        (("init", "new"), "egressc.verb_init._shipped"),
        (("explain", "E0207"), "egressc.verb_explain.page_of"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_defect_is_said_and_leaves_nothing(place, run, monkeypatch, words, where):
    (place / "web.egress").write_text(UNTIDY, encoding="utf-8")
    before = tree(place)

    def broken(*_, **__):
        raise RuntimeError("the sky fell")

    monkeypatch.setattr(where, broken)
    status, out, err = run(*words)
    assert status == 70
    assert out == ""
    assert "defect of egressc" in err
    assert "RuntimeError: the sky fell" in err
    assert "Traceback" not in err
    assert str(place) not in err
    assert tree(place) == before
