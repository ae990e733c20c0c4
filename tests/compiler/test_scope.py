"""Which names a file sees, and which of them are in each other's way."""

from __future__ import annotations

import pytest
from resolve_support import codes_of, policy_of, resolve_texts

USES = 'policy p "d" { from g as a allow r "d" { to x ${region}.example.com ports 443 } include t }'
DEFINES = """
service-account a { linux-user a }
endpoints x { x.example.com }
parameter region labels "d"
template policy t "d" { allow r "d" { to x ports 443 } }
"""


def test_own_names_are_visible_before_they_are_defined(tmp_path):
    assert [rule.identity for rule in policy_of(tmp_path, USES + DEFINES).rules] == ["p/r", "p/t/r"]


def test_imported_names_are_visible(tmp_path):
    policy = policy_of(tmp_path, f'import "lib.egress" {USES}', lib=DEFINES)
    assert [rule.identity for rule in policy.rules] == ["p/r", "p/t/r"]
    assert [(p.name, p.labels) for p in policy.parameters] == [("region", True)]


def test_names_of_an_imported_file_s_imports_are_not_visible_and_the_help_says_where_they_are(tmp_path):
    _, found = resolve_texts(tmp_path, f'import "middle.egress" {USES}', middle='import "lib.egress"', lib=DEFINES)
    assert [d.code for d in found] == ["E0208", "E0207", "E0210", "E0209"]
    assert all("lib.egress" in d.help for d in found)


def test_diamond_brings_each_name_once(tmp_path):
    main = f'import "left.egress" import "right.egress" import "lib.egress" {USES}'
    side = 'import "lib.egress"'
    assert codes_of(tmp_path, main, left=side, right=side, lib=DEFINES) == []


def test_one_name_of_each_kind(tmp_path):
    main = """
    service-account n { linux-user a } endpoints n { x.example.com } parameter n
    template policy n "d" { allow n "d" { to n ${n}.example.com ports 443 as n } }
    policy p "d" { from n as n include n allow n "d" { to n ports 443 feature n } }
    """
    assert [rule.identity for rule in policy_of(tmp_path, main).rules] == ["p/n", "p/n/n"]


def test_account_of_two_files_that_is_bound_alike_is_one_account(tmp_path):
    account = "service-account a { {} }"
    main = 'import "left.egress" import "right.egress"\npolicy p "d" { from g include l include r }'
    left, right = (
        account.replace("{}", bindings)
        + f' template policy {name} "d" {{ as a allow x "d" {{ to a.b.com ports 443 }} }}'
        for name, bindings in (("l", 'linux-user u v windows-service "S"'), ("r", 'windows-service "S" linux-user v u'))
    )
    # Both are visible in main.egress, so they would be in each other's way there.
    assert codes_of(tmp_path, main, left=left, right=right) == ["E0212"]
    outer_left, outer_right = (
        f'import "{name}.egress" template policy {name}-o "d" {{ include {name[0]} }}' for name in ("left", "right")
    )
    main = 'import "lo.egress" import "ro.egress"\npolicy p "d" { from g include left-o include right-o }'
    policy = policy_of(tmp_path, main, left=left, right=right, lo=outer_left, ro=outer_right)
    assert [account.name for account in policy.accounts] == ["a"]
    assert policy.rules[0].accounts == policy.rules[1].accounts
    different = right.replace("linux-user v u", "linux-user v")
    assert codes_of(tmp_path, main, left=left, right=different, lo=outer_left, ro=outer_right) == ["E0214"]


def test_conflict_that_many_files_see_is_reported_once(tmp_path):
    sides = {f"u{i}": 'import "one.egress" import "two.egress"' for i in range(5)}
    main = " ".join(f'import "{name}.egress"' for name in sides) + f" {DEFINES} {USES}"
    others = {"one": "endpoints s { a.example.com }", "two": "endpoints s { b.example.com }"}
    assert codes_of(tmp_path, main, **sides, **others) == ["E0212"]


@pytest.mark.parametrize(
    ("imports", "label"),
    [
        ((), "not defined in this file, which imports no other"),
        (("b",), "not defined here, nor in the one imported file"),
        (("b", "c"), "not defined here, nor in the 2 imported files"),
    ],
)
def test_label_of_an_unknown_name_says_where_was_searched(tmp_path, imports, label):
    main = "".join(f'import "{name}.egress" ' for name in imports)
    main += 'policy p "d" { from g allow r "d" { to nowhere ports 443 } }'
    _, (found,) = resolve_texts(tmp_path, main, **dict.fromkeys(imports, ""))
    assert (found.code, found.label) == ("E0207", label)


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ("to clod-service", "did you mean `cloud-service`?"),
        ("to any-adress", "did you mean `any-address`?"),
        ("to service-cloud", "did you mean `cloud-service`?"),
        ("to someone", "`someone` is a service account here"),
        (
            "to entirely-different",
            "an endpoint set is defined with `endpoints entirely-different { … }`; a host name has a dot",
        ),
        ("to cloud-service as some-one", "did you mean `someone`?"),
        ("to ${regions}.example.com", "did you mean `region`?"),
    ],
)
def test_help_for_an_unknown_name(tmp_path, text, help_):
    main = f"""
    service-account someone {{ linux-user a }} endpoints cloud-service {{ x.example.com }} parameter region
    policy p "d" {{ from g allow r "d" {{ {text} ports 443 }} }}
    """
    _, (found,) = resolve_texts(tmp_path, main)
    assert found.help.startswith(help_)


def test_thousands_of_unknown_names_take_no_minutes(tmp_path):
    sets = "\n".join(f"endpoints known-set-{i} {{ x{i}.example.com unknown-set-{i} }}" for i in range(2000))
    found = codes_of(tmp_path, f'{sets} policy p "d" {{ from g allow r "d" {{ to a.b.com ports 443 }} }}')
    assert found == ["E0207"] * 2000
