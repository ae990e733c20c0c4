"""Plain HTTP beside HTTPS: which hosts count, in which policies, and what is excused."""

from __future__ import annotations

import pytest
from lint_support import findings, told

RULE = "plain-http"


def rule(name, to, ports, action="allow"):
    return f'    {action} {name} "A" {{\n        to    {to}\n        ports {ports}\n    }}\n'


def policy(*rules, name="p", before=""):
    return f'{before}policy {name} "P" {{\n    from g\n{"".join(rules)}}}\n'


BOTH = "`a.example.com` is reached by `https` too"


def test_one_rule_for_both():
    assert told(policy(rule("a", "a.example.com", "80/http 443/https")), RULE) == [(5, "80/http", BOTH)]


@pytest.mark.parametrize("over_tls", ["a.example.com", "*.example.com", "b.example.com a.example.com"])
def test_two_rules(over_tls):
    text = policy(rule("a", "a.example.com", "8080/http"), rule("b", over_tls, "443/https"))
    (found,) = findings(text, RULE)
    assert (found.span.line, found.span.text) == (5, "8080/http")
    assert [each.span.text for each in found.related] == ["b"]


@pytest.mark.parametrize(
    "other",
    [
        rule("b", "b.example.com", "443/https"),
        rule("b", "a.example.com", "443/https", "deny"),
        rule("b", "a.example.com", "443/tls"),
        rule("b", "a.example.com/path", "443/https"),
        rule("b", "*.a.example.com", "443/https"),
    ],
)
def test_not_the_same_host_not_https(other):
    assert told(policy(rule("a", "a.example.com", "80/http"), other), RULE) == []


def test_a_wildcard_is_told_only_if_all_of_it_is_reached():
    over_tls = rule("b", "a.example.com", "443/https")
    assert told(policy(rule("a", "*.example.com", "80/http"), over_tls), RULE) == []
    assert (
        len(told(policy(rule("a", "*.x.example.com", "80/http"), rule("b", "*.example.com", "443/https")), RULE)) == 1
    )


def test_paths():
    over_tls = rule("b", "a.example.com/x", "443/https")
    assert len(told(policy(rule("a", "a.example.com/x/y", "80/http"), over_tls), RULE)) == 1
    assert told(policy(rule("a", "a.example.com/xy", "80/http"), over_tls), RULE) == []
    assert told(policy(rule("a", "a.example.com", "80/http"), over_tls), RULE) == []


@pytest.mark.parametrize("host", ["crl3.digicert.com", "ctldl.windowsupdate.com", "www.microsoft.com/pkiops"])
def test_what_certificates_are_checked_with_is_not_told(host):
    assert told(policy(rule("a", host, "80/http 443/https")), RULE) == []


def test_another_policy_does_not_count_and_an_included_one_does():
    plain = 'template policy lib "L" {\n' + rule("a", "a.example.com", "80/http") + "}\n"
    both = plain + policy("    include lib\n", rule("b", "a.example.com", "443/https"))
    assert [(line, word) for line, word, _ in told(both, RULE)] == [(4, "80/http")]
    apart = plain + policy("    include lib\n") + policy(rule("b", "a.example.com", "443/https"), name="q")
    assert told(apart, RULE) == []


def test_an_include_of_an_include_counts():
    plain = 'template policy lib "L" {\n' + rule("a", "a.example.com", "80/http") + "}\n"
    middle = 'template policy middle "M" {\n    include lib\n}\n'
    user = policy("    include middle\n", rule("b", "a.example.com", "443/https"))
    assert [(line, word) for line, word, _ in told(plain + middle + user, RULE)] == [(4, "80/http")]


def test_a_rule_is_told_once_though_two_policies_include_it():
    both = 'template policy lib "L" {\n' + rule("a", "a.example.com", "80/http 443/https") + "}\n"
    assert len(told(both + policy("    include lib\n") + policy("    include lib\n", name="q"), RULE)) == 1


def test_many_hosts_are_counted():
    hosts = " ".join(f"{name}.example.com" for name in "edcba")
    ((_, _, message),) = told(policy(rule("a", hosts, "80/http 443/https")), RULE)
    assert message.endswith(" and 2 more are reached by `https` too")


def test_a_template_that_nobody_includes_is_a_policy_by_itself():
    lib = policy(rule("a", "a.example.com", "80/http"), rule("b", "a.example.com", "443/https"), name="lib")
    lib = lib.replace("policy lib", "template policy lib").replace("    from g\n", "")
    assert [line for line, _, _ in told(lib + policy(rule("c", "c.example.com", "443/https")), RULE)] == [4]
    assert [line for line, _, _ in told(lib + policy("    include lib\n"), RULE)] == [4]


def test_parameters():
    inventory = "groups: {g: {networks: [10.0.0.1], parameters: {region: west}}}\n"
    both = policy(
        rule("a", "${region}.example.com", "80/http"),
        rule("b", "${region}.example.com", "443/https"),
        before="parameter region\n",
    )
    assert [message for _, _, message in told(both, RULE, inventory)] == [
        "`${region}.example.com` is reached by `https` too"
    ]
    other = both.replace("${region}.example.com\n        ports 443", "x.${region}.example.com\n        ports 443")
    assert told(other, RULE, inventory) == []


def test_sets_that_rules_share():
    sets = "endpoints some {\n    a.example.com\n    b.example.com\n}\n"
    text = policy(rule("a", "some", "80/http"), rule("b", "some c.example.com", "443/https"), before=sets)
    assert [(line, message) for line, _, message in told(text, RULE)] == [
        (9, "`a.example.com` and `b.example.com` are reached by `https` too")
    ]


def test_what_has_expired_does_not_count():
    ended = rule("b", "a.example.com", "443/https\n        expires 2026-01-01")
    assert told(policy(rule("a", "a.example.com", "80/http"), ended), RULE) == []
    ended = rule("a", "a.example.com", "80/http\n        expires 2026-01-01")
    assert told(policy(ended, rule("b", "a.example.com", "443/https")), RULE) == []


def test_what_a_rule_excepts_it_does_not_reach():
    plain = rule("a", "a.example.com", "80/http")
    assert told(policy(plain, rule("b", "*.example.com except a.example.com", "443/https")), RULE) == []
    assert told(policy(plain, rule("b", "*.example.com except a*.example.com", "443/https")), RULE) == []
    assert len(told(policy(plain, rule("b", "*.example.com except b.example.com", "443/https")), RULE)) == 1
    over_tls = rule("b", "a.example.com", "443/https")
    assert told(policy(rule("a", "a.example.com b.example.com except a.example.com", "80/http"), over_tls), RULE) == []
    sets = "endpoints s { a.example.com b.example.com }\n"
    excepting = rule("a", "s except a.example.com", "80/http")
    assert told(policy(excepting, over_tls, before=sets), RULE) == []
    # The same set in another rule, which excepts nothing.
    assert len(told(policy(excepting, rule("c", "s", "80/http"), over_tls, before=sets), RULE)) == 1


def test_of_two_rules_over_tls_the_one_that_does_not_except_it_counts():
    rules = [
        rule("b", "*.example.com except a.example.com", "443/https"),
        rule("c", "*.com.example.com a.example.com", "443"),
    ]
    for order in (rules, rules[::-1]):
        (found,) = findings(policy(rule("a", "a.example.com", "80/http"), *order), RULE)
        assert [each.span.text for each in found.related] == ["c"]


@pytest.mark.parametrize(
    ("deny", "expected"),
    [
        (rule("d", "*.example.com", "80/http", "deny"), 0),
        (rule("d", "any-address", "80/tcp", "deny"), 0),
        (rule("d", "*.example.com", "443/https", "deny"), 0),
        (rule("d", "*.example.com", "80/udp", "deny"), 1),
        (rule("d", "*.example.com except a.example.com", "80/http", "deny"), 1),
        (rule("d", "a.example.com/x", "80/http", "deny"), 1),
        ('    deny d "D" {\n        to any-address\n        ports 80/http\n        from h\n    }\n', 1),
    ],
)
def test_what_denies_stop_is_not_reached(deny, expected):
    for rules in (
        [rule("a", "a.example.com", "80/http 443/https")],
        [rule("a", "a.example.com", "80/http"), rule("b", "a.example.com", "443/https")],
    ):
        assert len(told(policy(*rules, deny), RULE)) == expected
