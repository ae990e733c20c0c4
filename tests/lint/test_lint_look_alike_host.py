"""Hosts that are easily taken for others, in policies; the names themselves: ``tests/compiler/test_hosts_look_alike``."""

from __future__ import annotations

from lint_support import findings, told

RULE = "look-alike-host"


def rule(name, to, action="allow"):
    return f'    {action} {name} "A" {{\n        to    {to}\n        ports 443/https\n    }}\n'


def policy(*rules, before=""):
    return f'{before}policy p "P" {{\n    from g\n{"".join(rules)}}}\n'


def test_a_slip_is_told_with_what_it_is_taken_for():
    (found,) = findings(policy(rule("a", "login.contoso.com api.contoso.com"), rule("b", "*.contosso.com")), RULE)
    assert (found.span.line, found.span.text) == (8, "*.contosso.com")
    assert found.message == "`contosso.com` is one letter from `contoso.com` (look-alike-host)"
    assert [(each.span.line, each.span.text) for each in found.related] == [(4, "login.contoso.com")]


def test_sets_count_once():
    sets = "endpoints some {\n    login.contosso.com\n}\n"
    rules = [rule(name, "some") for name in "abcd"]
    right = rule("e", "login.contoso.com api.contoso.com")
    assert [(line, word) for line, word, _ in told(policy(*rules, right, before=sets), RULE)] == [
        (2, "login.contosso.com")
    ]


def test_a_deny_may_name_a_look_alike():
    assert told(policy(rule("a", "login.microsoft.com"), rule("b", "*.rnicrosoft.com", "deny")), RULE) == []
    assert len(told(policy(rule("a", "login.microsoft.com"), rule("b", "*.rnicrosoft.com")), RULE)) == 1


def test_letters_of_another_script_as_they_are_written():
    ((line, word, message),) = told(policy(rule("a", "login.micr\u043esoft.com")), RULE)
    assert (line, word) == (4, "login.micr\u043esoft.com")
    assert message.endswith("is shown as `micr\u043esoft.com` and looks like `microsoft.com`")
    assert message.startswith("`xn--")


def test_parameters_and_wildcards_are_no_letters():
    text = policy(
        rule("a", "${region}.certificates.contoso.com *certificates.contoso.com certificates.contoso.com"),
        before="parameter region\n",
    )
    assert told(text, RULE, "groups: {g: {networks: [10.0.0.1], parameters: {region: west}}}\n") == []


def test_what_a_wildcard_stands_below_is_compared():
    assert [word for _, word, _ in told(policy(rule("a", "*.contoso.com contoso.net")), RULE)] == ["contoso.net"]


def test_families():
    assert told(policy(rule("a", "crl3.digicert.com crl4.digicert.com ocsp.digicert.com ocsp.msocsp.com")), RULE) == []


def test_it_can_be_allowed():
    right = rule("a", "login.contoso.com api.contoso.com")
    other = rule("b", 'x.contosso.com # egressc: allow look-alike-host "a customer is called so"')
    assert findings(policy(right, other), RULE) == []
