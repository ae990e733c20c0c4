"""Allowances: where they may stand, what they cover, and what is wrong with them."""

from __future__ import annotations

import pytest
from lint_support import findings, told

from egressc.cli import main

RULE = "shadowed-rule"
WHY = '# egressc: allow shadowed-rule "kept for the audit"'


def policy(head="", before="", behind="", inside="", after=""):
    return f"""\
policy p "P" {{{head}
    from g
    {before}
    allow a "A" {{{inside}
        to    x.example.com
        ports 443/https
    }}{behind}
    deny d "D" {{
        to    *.example.com
        ports 443/https
    }}
    {after}
}}
"""


def test_without_an_allowance_it_is_told():
    assert told(policy(), RULE) == [(4, "a", "every flow of `p/a` is denied by `p/d`")]


@pytest.mark.parametrize(
    "place",
    [
        {"head": f" {WHY}"},
        {"head": f"\n    {WHY}"},
        {"before": WHY},
        {"behind": f" {WHY}"},
        {"inside": f" {WHY}"},
        {"inside": f"\n        {WHY}"},
    ],
)
def test_where_an_allowance_may_stand(place):
    assert findings(policy(**place), RULE) == []


def test_an_allowance_before_a_policy_is_about_all_of_it():
    assert findings(f"{WHY}\n{policy()}", RULE) == []


def test_two_allowances_on_lines_of_their_own():
    text = policy(before=f'# egressc: allow broken-allowance "no reason"\n    {WHY}')
    assert [d.code for d in findings(text, RULE)] == ["N0802"]


def test_a_setting_at_the_top_of_a_policy_is_the_head_and_a_later_one_is_not():
    top = policy(head=f'\n    {WHY}\n    owner "o@example.com"')
    assert findings(top, RULE) == []
    later = policy().replace("    from g\n", f'    owner "o@example.com"\n    {WHY}\n    from g\n')
    assert [d.code for d in findings(later, RULE)] == ["N0802", "W0807"]


@pytest.mark.parametrize("place", [{"after": WHY}, {"after": f"{WHY}\n"}])
def test_an_allowance_elsewhere_allows_nothing(place):
    found = findings(policy(**place), RULE)
    assert [(d.code, d.span.line, d.label) for d in found] == [
        ("W0807", 4, "this allow does nothing"),
        ("N0802", 12, "stands before nothing"),
    ]


def test_an_allowance_of_another_rule_does_not_count():
    text = policy(before=WHY.replace("shadowed-rule", "idle-allowance"))
    assert [d.code for d in findings(text, RULE)] == ["W0807"]


def test_an_idle_allowance_is_told_only_of_rules_that_ran():
    text = policy(before=WHY).replace("*.example.com", "*.example.net")
    assert [(d.code, d.span.text) for d in findings(text, RULE)] == [("N0802", WHY)]
    assert findings(text, "broken-allowance") == []


@pytest.mark.parametrize(
    ("comment", "place", "message", "help_"),
    [
        (
            '# egressc: allow shadow-rule "why"',
            "shadow-rule",
            "no lint rule is called `shadow-rule` (broken-allowance)",
            "did you mean `shadowed-rule`?",
        ),
        (
            '# egressc: allow W0807 "why"',
            "W0807",
            "no lint rule is called `W0807` (broken-allowance)",
            "did you mean `shadowed-rule`?",
        ),
        (
            '# egressc: allow nothing-like-it "why"',
            "nothing-like-it",
            "no lint rule is called `nothing-like-it` (broken-allowance)",
            "`docs/lint.md` lists the rules",
        ),
        (
            "# egressc: ignore",
            "# egressc: ignore",
            "this comment cannot be read (broken-allowance)",
            'write `# egressc: allow RULE "why"`, or begin the comment in another way',
        ),
    ],
)
def test_a_comment_that_allows_nothing(comment, place, message, help_):
    first, second = findings(policy(before=comment), RULE)
    assert (first.code, first.span.line, first.span.text) == ("W0801", 3, place)
    assert (first.message, first.help) == (message, help_)
    assert second.code == "W0807"


@pytest.mark.parametrize("why", ["", ' ""', ' "  "'])
def test_an_allowance_without_a_reason_is_told_and_holds(why):
    (found,) = findings(policy(before=f"# egressc: allow shadowed-rule{why}"), RULE)
    assert (found.code, found.message) == ("W0801", "`shadowed-rule` is allowed without a reason (broken-allowance)")


def test_other_comments_are_nothing_to_lint():
    assert [d.code for d in findings(policy(before="# egressc is fine, see egressc: the manual"), RULE)] == ["W0807"]


def test_the_rule_that_hides_may_carry_the_allowance():
    """An included policy is not the place to say why one of its rules is switched off."""
    template = 'template policy t "T" { allow a "A" { to x.example.com ports 443/https } }\n'
    deny = 'deny d "D" { to *.example.com ports 443/https }'
    text = f'{template}policy p "P" {{\n    from g\n    include t\n    {WHY}\n    {deny}\n}}\n'
    assert findings(text, RULE) == []
    assert [d.code for d in findings(text.replace(WHY, ""), RULE)] == ["W0807"]


@pytest.mark.parametrize(
    ("rule", "one", "other"),
    [
        ("redundant-rule", "to x.example.com", "to *.example.com"),
        ("wide-exemption", "to x.example.com", "no-tls-inspection to *.example.com"),
        ("overlapping-deny", "to x.example.com y.example.net", "to *.example.com"),
    ],
)
def test_of_two_rules_either_may_carry_the_allowance(rule, one, other):
    action = "deny" if rule == "overlapping-deny" else "allow"
    why = f'# egressc: allow {rule} "as it shall be"'
    for first, second, left in ((why, "", 0), ("", why, 0), ("", "", 1)):
        text = (
            f'policy p "P" {{\n    from g\n    {first}\n    allow a "A" {{ {one} ports 443/https }}\n'
            f'    {second}\n    {action} b "B" {{ {other} ports 443/https }}\n}}\n'
        )
        assert len(findings(text, rule)) == left


ENTRIES = """\
policy p "P" {
    from g
    allow a "A" {
        to
            *.example.com
            a.example.com
            b.example.com
            c.example.com
        except
            *.x.example.com
            a.x.example.com
        ports 443/https
    }
}
"""


@pytest.mark.parametrize("word", ["a.example.com", "b.example.com", "c.example.com", "a.x.example.com"])
def test_an_allowance_of_one_entry_is_about_no_other(word):
    every = {"a.example.com", "b.example.com", "c.example.com", "a.x.example.com"}
    why = '# egressc: allow redundant-endpoint "as the vendor lists it"'
    for text in (
        ENTRIES.replace(f"            {word}\n", f"            {why}\n            {word}\n"),
        ENTRIES.replace(f"            {word}\n", f"            {word} {why}\n"),
    ):
        assert {d.span.text for d in findings(text, "redundant-endpoint")} == every - {word}


def test_an_allowance_of_another_file_does_not_count():
    lines = "# a comment that takes up room\n" * 9
    found = findings(policy(), RULE, other__egress=f'{WHY}\nendpoints s "S" {{\n{lines}    y.example.net\n}}\n')
    assert [d.code for d in found] == ["N0802", "W0807"]


def test_an_idle_allowance_of_a_file_that_is_only_imported_is_not_told(tmp_path, capsys):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "lib.egress").write_text(f"{WHY}\nendpoints s {{ y.example.net }}\n", encoding="utf-8")
    path = tmp_path / "p.egress"
    path.write_text(
        'import "sub/lib.egress"\npolicy p "P" { from g allow a "A" { to s ports 443/https } }\n', encoding="utf-8"
    )
    assert main(["check", "--select", f"{RULE},idle-allowance", str(path)]) == 0
    assert "N0802" not in capsys.readouterr().err
    assert main(["check", "--select", f"{RULE},idle-allowance", str(tmp_path)]) == 0
    assert "N0802" in capsys.readouterr().err
