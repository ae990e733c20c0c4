"""Wildcards under which anyone can register a name: which are told, where, and once."""

from __future__ import annotations

import pytest
from lint_support import findings, told
from support import AS_OF

from egressc.api import load
from egressc.lint.driver import lint
from egressc.lint.subject import subject_of

RULE = "public-suffix-wildcard"
BLOB = "`*.blob.core.windows.net` is allowed, and anyone can register a name under `blob.core.windows.net`"


def rule(to, action="allow", name="a"):
    return f'    {action} {name} "A" {{\n        to    {to}\n        ports 443/https\n    }}\n'


def policy(*rules, before=""):
    return f'{before}policy p "P" {{\n    from g\n{"".join(rules)}}}\n'


def test_an_allow_is_told_and_a_deny_is_not():
    assert told(policy(rule("*.blob.core.windows.net")), RULE) == [(4, "*.blob.core.windows.net", BLOB)]
    assert told(policy(rule("*.blob.core.windows.net", "deny"), rule("a.example.com", name="b")), RULE) == []


@pytest.mark.parametrize(
    "to",
    [
        "contoso.blob.core.windows.net",
        "*.contoso.blob.core.windows.net",
        "*.contoso.example",
        "*.msauth.net",
        "10.0.0.0/8",
        "any-address",
        "service-tag Storage",
    ],
)
def test_what_is_fixed_is_not_told(to):
    assert told(policy(rule(to)), RULE) == []


def test_a_parameter_fixes_the_name():
    inventory = "groups: {g: {networks: [10.0.0.1], parameters: {account: contoso}}}\n"
    text = policy(rule("*.${account}.blob.core.windows.net"), before="parameter account\n")
    assert told(text, RULE, inventory) == []
    text = policy(
        rule("*.${account}.blob.core.windows.net *.${account}.azurecontainer.io"), before="parameter account\n"
    )
    assert [(line, word) for line, word, _ in told(text, RULE, inventory)] == [(5, "*.${account}.azurecontainer.io")]


def test_what_is_excepted_does_not_count():
    assert told(policy(rule("*.github.io a.example.com except *.github.io")), RULE) == []
    ((_, _, message),) = told(policy(rule("*.windows.net except *.core.windows.net *.servicebus.windows.net")), RULE)
    assert "`database.windows.net`" in message
    assert "blob.core" not in message


def test_a_set_is_told_where_the_wildcard_stands_once_and_only_if_an_allow_uses_it():
    sets = "endpoints inner {\n    *.github.io\n}\nendpoints outer {\n    inner\n    a.example.com\n}\n"
    allowed = policy(rule("outer"), rule("inner", name="b"), rule("outer", name="c"), before=sets)
    (found,) = findings(allowed, RULE)
    assert (found.span.line, found.span.text) == (2, "*.github.io")
    assert [(each.span.text, each.text) for each in found.related] == [("a", "`p/a` allows it")]
    denied = policy(rule("outer", "deny"), rule("b.example.com", name="b"), before=sets)
    assert told(denied, RULE) == []


def test_the_exceptions_of_one_rule_say_nothing_of_another():
    sets = "endpoints some {\n    *.github.io\n    a.example.com\n}\n"
    one = rule("some except *.github.io")
    assert told(policy(one, before=sets), RULE) == []
    assert [line for line, _, _ in told(policy(one, rule("some", name="b"), before=sets), RULE)] == [2]
    assert [line for line, _, _ in told(policy(rule("some"), one.replace(" a ", " b "), before=sets), RULE)] == [2]


def test_a_template_that_nobody_includes_is_read_too():
    text = policy(rule("*.github.io")).replace("policy p", "template policy p").replace("    from g\n", "")
    assert [line for line, _, _ in told(text + policy(rule("a.example.com")).replace(" p ", " q "), RULE)] == [3]


def test_an_imported_file_is_told_of_what_takes_effect(tmp_path):
    library = (
        'template policy used "U" {\n'
        + rule("*.github.io")
        + '}\ntemplate policy idle "I" {\n'
        + rule("*.gitlab.io")
        + "}\n"
    )
    main = 'import "lib/library.egress"\npolicy p "P" {\n    from g\n    include used\n}\n'
    (tmp_path / "inventory.yaml").write_text("groups: {g: {networks: [10.0.0.1]}}\n", encoding="utf-8")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "library.egress").write_text(library, encoding="utf-8")
    (tmp_path / "main.egress").write_text(main, encoding="utf-8")
    loaded = load((str(tmp_path / "main.egress"),))
    found = lint(subject_of(loaded.project, loaded.policy, loaded.inventory, AS_OF), [RULE])
    assert [each.finding.span.text for each in found] == ["*.github.io"]


def test_a_suffix_that_no_list_has():
    ((_, word, message),) = told(policy(rule("*.corp")), RULE)
    assert word == "*.corp"
    assert message == (
        "`*.corp` is allowed, and `corp` is in no list of public suffixes, so nobody can say who registers names under it"
    )


def test_it_can_be_allowed_where_the_wildcard_stands():
    sets = 'endpoints some {\n    # egressc: allow public-suffix-wildcard "the vendor demands it"\n    *.github.io\n}\n'
    assert findings(policy(rule("some"), before=sets), RULE) == []


@pytest.mark.parametrize("wildcard", ["*.internal", "*.local", "*.TEST", "*.hosts.internal", "a*.local"])
def test_a_suffix_that_is_set_aside_for_private_use(wildcard):
    assert told(policy(rule(wildcard)), RULE) == []
    assert told(policy(rule(f"{wildcard} *.corp")), RULE) != []
