"""`egressc check`: choosing lint rules, the forms of findings, `--strict`, `--fix`."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from egressc.cli import main
from egressc.lint.edits import removal
from egressc.lint.fixes import fix
from egressc.lint.rule import Edit

SCHEMA = Path(__file__).parents[2] / "grammar" / "diagnostics.schema.json"

POLICY = """\
# Who may reach what.
policy p "P" {
    owner "o@example.com"
    from  g

    # All of them.
    allow a "A" {
        to    a.example.com *.example.com
              b.example.com # not this one
              10.0.0.0/8 10.0.0.1
        ports 443/https
    }
    allow b "B" { # as the vendor asks
        to    c.example.com
        ports 443/https
    }
}
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.egress").write_text(POLICY, encoding="utf-8")
    return tmp_path


def check(capsys, *words):
    status = main(["check", "--as-of", "2026-11-22", "--format", "json", "p.egress", *words])
    out, err = capsys.readouterr()
    return status, (json.loads(out) if out else None), err


def codes(capsys, *words):
    status, report, err = check(capsys, *words)
    assert (status, err) == (0, "")
    return [(d["code"], d["line"]) for d in report["diagnostics"]]


MINE = ("--select", "redundant-endpoint,redundant-rule")


def test_findings_are_diagnostics(place, capsys):
    assert codes(capsys, *MINE) == [("W0805", 8), ("W0805", 9), ("W0805", 10), ("W0806", 13)]
    _, report, _ = check(capsys, *MINE)
    assert (
        report["diagnostics"][0]["message"]
        == "`a.example.com` is held by `*.example.com` in the same list (redundant-endpoint)"
    )
    assert (report["diagnostics"][0]["column"], report["diagnostics"][0]["end_column"]) == (15, 28)


def test_rules_are_chosen_by_name_and_code(place, capsys):
    assert codes(capsys, "--select", "redundant-rule") == [("W0806", 13)]
    assert codes(capsys, "--select", "w0806") == [("W0806", 13)]
    assert codes(capsys, *MINE, "--ignore", "W0805") == [("W0806", 13)]
    assert (
        codes(
            capsys, "--select", "redundant-rule", "--select", "redundant-endpoint", "--ignore", "redundant-rule, W0805"
        )
        == []
    )


@pytest.mark.parametrize(
    ("option", "word", "near"),
    [
        ("--select", "redundant-rules", "did you mean `redundant-rule`?"),
        ("--ignore", "redundant-rule,W0899", "valid: broken-allowance, "),
        ("--select", "E0806", "did you mean `W0806`?"),
        ("--select", "", "valid: broken-allowance, "),
        ("--select", "redundant", "did you mean `redundant-endpoint` or `redundant-rule`?"),
        ("--ignore", "suffix-wild", "did you mean `public-suffix-wildcard`?"),
        ("--ignore", "review", "did you mean `due-review` or `overdue-review`?"),
        ("--select", "de", "valid: broken-allowance, "),
    ],
)
def test_an_unknown_rule_is_a_usage_error(place, capsys, option, word, near):
    status, report, err = check(capsys, option, word)
    assert (status, report) == (2, None)
    assert f"egressc check: `{option}`: no lint rule is called `{word.split(',')[-1]}`" in err
    assert near in err


def test_warnings_change_the_status_with_strict_only(place, capsys):
    assert check(capsys, *MINE)[0] == 0
    status, report, _ = check(capsys, *MINE, "--strict")
    assert status == 1
    assert {d["level"] for d in report["diagnostics"] if d["code"].startswith("W08")} == {"error"}


def test_notes_stay_notes_with_strict(place, capsys):
    note = 'policy q "Q" { from g allow b "B" { to c.example.net ports 443/https } deny d "D" { to d.example.net ports 443/https } }\n'
    (place / "p.egress").write_text(note, encoding="utf-8")
    status, report, _ = check(capsys, "--select", "idle-deny", "--strict")
    assert [(d["code"], d["level"]) for d in report["diagnostics"]] == [("N0803", "note")]
    assert status == 0


def test_findings_stand_by_place_among_what_else_there_is(place, capsys):
    text = POLICY.replace("to    c.example.com", "to    c.example.com\n              c.example.com")
    (place / "p.egress").write_text(text, encoding="utf-8")
    found = codes(capsys, *MINE)
    assert {code[:3] for code, _ in found} == {"W02", "W08"}
    assert [line for _, line in found] == sorted(line for _, line in found)


def test_compile_does_not_lint(place, capsys):
    assert main(["compile", "--target", "iptables", "p.egress"]) == 0
    assert "W08" not in capsys.readouterr().err


def test_a_policy_with_errors_is_not_linted(place, capsys):
    (place / "p.egress").write_text(POLICY + 'policy q "Q" { from g include nothing }\n', encoding="utf-8")
    before = (place / "p.egress").read_bytes()
    status, report, err = check(capsys, "--fix")
    assert status == 1
    assert [d["code"] for d in report["diagnostics"]] == ["E0209"]
    assert "nothing is fixed" in err
    assert (place / "p.egress").read_bytes() == before


def test_rules_that_contradict_each_other_are_an_error_of_the_policy(place, capsys):
    both = POLICY.replace("443/https\n    }\n    allow b", "443/https\n        tls-inspection\n    }\n    allow b")
    both = both.replace("to    c.example.com", "no-tls-inspection to    c.example.com")
    (place / "p.egress").write_text(both, encoding="utf-8")
    status, report, _ = check(capsys)
    assert status == 1
    assert {d["code"] for d in report["diagnostics"]} == {"E0508"}


def test_what_a_firewall_cannot_do_keeps_nobody_from_linting(place, capsys):
    (place / "p.egress").write_text(
        POLICY.replace("to    c.example.com", "tls-inspection to c.example.com"), encoding="utf-8"
    )
    status, report, _ = check(capsys, "--target", "windows-firewall", *MINE)
    assert status == 1
    assert {d["code"] for d in report["diagnostics"] if d["level"] == "error"} == {"E0622"}
    assert "W0805" in {d["code"] for d in report["diagnostics"]}


def test_sarif_names_the_rule(place, capsys):
    assert main(["check", "--format", "sarif", "p.egress", *MINE]) == 0
    rules = json.loads(capsys.readouterr().out)["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["W0805", "W0806"]
    assert rules[0]["shortDescription"]["text"].startswith("an endpoint that its list holds already")


FIXED = POLICY.replace("a.example.com *.example.com", "*.example.com").replace("10.0.0.0/8 10.0.0.1", "10.0.0.0/8")


def test_fix_removes_what_adds_nothing_and_keeps_comments(place, capsys):
    status = main(["check", "--fix", "p.egress", *MINE])
    err = capsys.readouterr().err
    assert status == 0
    assert (place / "p.egress").read_text(encoding="utf-8") == FIXED
    assert "fixed: p.egress:8:15: `a.example.com` is held by `*.example.com` in the same list" in err
    assert "fixed 2 findings in 1 file" in err
    assert "W0805" in err, "the entry with a comment stays"
    assert "p.egress:9:15" in err


def test_fix_says_in_json_what_it_did(place, capsys):
    _, report, _ = check(capsys, *MINE, "--fix")
    assert [(d["code"], d["line"]) for d in report["fixed"]] == [("W0805", 8), ("W0805", 10)]
    assert [(d["code"], d["line"]) for d in report["diagnostics"]] == [("W0805", 9), ("W0806", 13)]
    _, report, _ = check(capsys, *MINE, "--fix")
    assert report["fixed"] == []
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(report, json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_fix_keeps_the_canonical_layout_where_it_was_kept(place, capsys):
    assert main(["fmt", "p.egress"]) == 0
    assert main(["check", "--fix", "p.egress", *MINE]) == 0
    assert main(["fmt", "--check", "p.egress"]) == 0


def test_fix_keeps_mode_byte_order_mark_and_line_ends(place, capsys):
    path = place / "p.egress"
    path.write_bytes(b"\xef\xbb\xbf" + POLICY.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    assert main(["check", "--fix", "p.egress", *MINE]) == 0
    assert path.read_bytes() == b"\xef\xbb\xbf" + FIXED.replace("\n", "\r\n").encode()
    assert path.stat().st_mode & 0o777 == 0o640


def test_fix_writes_nothing_over_a_file_that_changed_meanwhile(place, capsys, monkeypatch):
    changed = f"# Somebody else was here.\n{POLICY}"

    def meanwhile(subject, found):
        (place / "p.egress").write_text(changed, encoding="utf-8")
        return fix(subject, found)

    monkeypatch.setattr("egressc.verb_check_fix.fix", meanwhile)
    assert main(["check", "--fix", "p.egress", *MINE]) == 2
    assert "`p.egress` has changed since it was read" in capsys.readouterr().err
    assert (place / "p.egress").read_text(encoding="utf-8") == changed
    assert sorted(each.name for each in place.iterdir()) == ["p.egress"]


def test_fix_leaves_nothing_behind_where_a_file_cannot_be_replaced(place, capsys, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    assert main(["check", "--fix", "p.egress", *MINE]) == 2
    assert "cannot write `p.egress`: permission denied" in capsys.readouterr().err
    assert (place / "p.egress").read_text(encoding="utf-8") == POLICY
    assert sorted(each.name for each in place.iterdir()) == ["p.egress"]


def test_fix_follows_a_link(place, capsys):
    (place / "there").mkdir()
    (place / "p.egress").rename(place / "there" / "q.egress")
    (place / "p.egress").symlink_to("there/q.egress")
    assert main(["check", "--fix", "p.egress", *MINE]) == 0
    assert (place / "p.egress").is_symlink()
    assert (place / "there" / "q.egress").read_text(encoding="utf-8") == FIXED


def test_fix_mends_nothing_in_a_file_that_is_only_imported(place, capsys):
    (place / "sub").mkdir()
    (place / "sub" / "lib.egress").write_text("endpoints s { *.example.com a.example.com }\n", encoding="utf-8")
    (place / "p.egress").write_text(
        'import "sub/lib.egress"\npolicy p "P" { from g allow a "A" { to s ports 443/https } }\n', encoding="utf-8"
    )
    _, report, _ = check(capsys, "--select", "redundant-endpoint", "--fix")
    assert (report["fixed"], report["diagnostics"]) == ([], [])


@pytest.fixture
def wrong_fix(monkeypatch):
    """A fix of `a.example.com` that would change what its rule means."""

    def wrong(span):
        return Edit(span, "x.example.org") if span.text == "a.example.com" else removal(span)

    monkeypatch.setattr("egressc.lint.redundant_endpoint.removal", wrong)


def test_a_fix_that_would_change_the_meaning_is_refused(place, capsys, wrong_fix):
    text = 'policy p "P" { from g allow a "A" { to *.example.com a.example.com ports 443/https } }\n'
    (place / "p.egress").write_text(text, encoding="utf-8")
    status = main(["check", "--fix", "p.egress", "--select", "redundant-endpoint"])
    err = capsys.readouterr().err
    assert status == 0
    assert (place / "p.egress").read_text(encoding="utf-8") == text
    assert "not fixed, since the policy would not mean the same: p.egress:1:" in err
    assert "fixed 0 findings in 0 files" in err


def test_one_fix_that_is_not_safe_does_not_stop_the_others(place, capsys, wrong_fix):
    text = (
        'policy p "P" { from g\n allow a "A" { to *.example.com a.example.com ports 443/https }\n'
        ' allow b "B" { to *.example.net b.example.net ports 443/https } }\n'
    )
    (place / "p.egress").write_text(text, encoding="utf-8")
    _, report, _ = check(capsys, "--select", "redundant-endpoint", "--fix")
    assert [d["line"] for d in report["fixed"]] == [3]
    assert (place / "p.egress").read_text(encoding="utf-8") == text.replace(" b.example.net", "")


def test_all_that_are_safe_are_mended_beside_one_that_is_not(place, capsys, wrong_fix):
    names = ("b.example.net", "b.example.org", "a.example.com", "b.example.edu")
    rules = [
        f' allow {name[0]}{name[-1]}{len(name)}{n} "R" {{ to *.{name[2:]} {name} ports 443/https }}\n'
        for n, name in enumerate(names)
    ]
    text = f'policy p "P" {{ from g\n{"".join(rules)}}}\n'
    (place / "p.egress").write_text(text, encoding="utf-8")
    _, report, _ = check(capsys, "--select", "redundant-endpoint", "--fix")
    assert [d["line"] for d in report["fixed"]] == [2, 3, 5]
    wanted = text
    for name in ("b.example.net", "b.example.org", "b.example.edu"):
        wanted = wanted.replace(f" {name}", "")
    assert (place / "p.egress").read_text(encoding="utf-8") == wanted


def test_fix_mends_several_files(place, capsys):
    other = POLICY.replace('policy p "P"', 'policy q "Q"')
    (place / "q.egress").write_text(other, encoding="utf-8")
    assert main(["check", "--fix", "p.egress", "q.egress", "--select", "redundant-endpoint"]) == 0
    assert "fixed 4 findings in 2 files" in capsys.readouterr().err
    assert (place / "p.egress").read_text(encoding="utf-8") == FIXED
    assert (place / "q.egress").read_text(encoding="utf-8") == FIXED.replace('policy p "P"', 'policy q "Q"')


def test_a_template_that_takes_effect_nowhere_is_compared_too(place, capsys):
    text = 'template policy t "T" { allow a "A" { to *.example.com a.example.com ports 443/https } }\n'
    (place / "p.egress").write_text(text, encoding="utf-8")
    main(["check", "--fix", "p.egress", "--select", "redundant-endpoint"])
    assert (place / "p.egress").read_text(encoding="utf-8") == text.replace(" a.example.com", "")
