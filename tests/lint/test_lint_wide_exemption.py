"""`wide-exemption`: exemptions from TLS inspection for everything, or for what others reach without one."""

from __future__ import annotations

import pytest
from lint_support import findings, told

RULE = "wide-exemption"


def policy(*rules, head="from g"):
    return (
        f'service-account s "S" {{ linux-user 5 }}\nservice-account t "T" {{ linux-user 6 }}\npolicy p "P" {{\n    {head}\n'
        + "".join(f"    {rule}\n" for rule in rules)
        + "}\n"
    )


def allow(name, to, more="", ports="443/https"):
    return f'allow {name} "R" {{ to {to} ports {ports} {more} }}'


NONE = "no-tls-inspection"


@pytest.mark.parametrize("to", ["any-address", "0.0.0.0/0", "::/0"])
def test_every_address(to):
    text = policy(allow("a", to, NONE))
    assert told(text, RULE) == [(5, "a", "`p/a` exempts every address from TLS inspection")]
    assert findings(text, RULE)[0].label == f"`no-tls-inspection` to `{to}`"


@pytest.mark.parametrize(
    "rule",
    [
        allow("a", "any-address"),
        allow("a", "any-address", "tls-inspection"),
        allow("a", "10.0.0.0/8", NONE),
        allow("a", "*.example.com", NONE),
    ],
)
def test_not_every_address(rule):
    assert told(policy(rule), RULE) == []


def test_a_default_that_concerns_no_port_of_the_rule():
    assert told(policy(allow("a", "any-address", ports="53/udp"), head=f"from g {NONE}"), RULE) == []
    assert len(told(policy(allow("a", "any-address"), head=f"from g {NONE}"), RULE)) == 1


def test_a_wildcard_that_holds_the_host_of_another_rule():
    text = policy(allow("a", "*.example.com", NONE), allow("b", "x.example.com"))
    assert told(text, RULE) == [(5, "a", "the exemption of `p/a` takes in flows of `p/b`")]
    (found,) = findings(text, RULE)
    assert found.label == "`*.example.com` is exempted, e.g. g → x.example.com:443"
    assert [(related.span.text, related.text) for related in found.related] == [("b", "asks for no exemption")]


def test_a_network_that_holds_the_addresses_of_another_rule():
    text = policy(allow("a", "10.0.0.0/8", NONE), allow("b", "10.1.0.0/16", ports="443/tls"))
    assert [name for _, name, _ in told(text, RULE)] == ["a"]


def test_three_neighbours_are_named():
    text = policy(allow("a", "*.example.com", NONE), *(allow(name, f"{name}.example.com") for name in "bcdef"))
    assert [message for *_, message in told(text, RULE)] == [
        "the exemption of `p/a` takes in flows of `p/b`, `p/c`, `p/d` and more"
    ]


def test_exactly_three_neighbours_are_all():
    text = policy(allow("a", "*.example.com", NONE), *(allow(name, f"{name}.example.com") for name in "bcd"))
    assert [message for *_, message in told(text, RULE)] == [
        "the exemption of `p/a` takes in flows of `p/b`, `p/c`, `p/d`"
    ]


def test_a_rule_that_two_policies_include_is_told_once():
    template = f'template policy t "T" {{ {allow("a", "any-address", NONE)} {allow("b", "*.example.com", NONE)} }}\n'
    text = template + "".join(
        f'policy {name} "P" {{ from g{name} include t {allow("c", "x.example.com")} }}\n' for name in ("p", "q")
    )
    assert [name for _, name, _ in told(text, RULE)] == ["a", "b"]


@pytest.mark.parametrize(
    ("other", "held"), [("x.example.com", "*.example.com"), ("10.1.0.0/16", "10.0.0.0/8"), ("x.example.org", None)]
)
def test_names_are_held_by_names_and_addresses_by_addresses(other, held):
    found = findings(policy(allow("a", "*.example.com 10.0.0.0/8", NONE), allow("b", f"y.example.net {other}")), RULE)
    assert [each.label.split(" ")[0] for each in found] == ([f"`{held}`"] if held else [])


@pytest.mark.parametrize(
    ("exempt", "other"),
    [
        (allow("a", "x.example.com", NONE), allow("b", "*.example.com")),
        (allow("a", "*.example.com", NONE), allow("b", "example.com")),
        (allow("a", "*.example.com", NONE), allow("b", "*.example.com")),
        (allow("a", "*.example.com", NONE), allow("b", "x.example.com", NONE)),
        (allow("a", "*.example.com", NONE), allow("b", "x.example.com", ports="80/http")),
        (allow("a", "*.example.com", NONE), allow("b", "x.example.com", ports="8443/https")),
        (allow("a", "*.example.com", f"{NONE} as s"), allow("b", "x.example.com", "as t")),
        (allow("a", "*.example.com", NONE), allow("b", "x.example.com", "from h")),
        (allow("a", "*.example.com except x.example.com", NONE), allow("b", "x.example.com")),
        (allow("a", "10.0.0.0/8", NONE), allow("b", "x.example.com")),
        (allow("a", "10.0.0.0/8", NONE), allow("b", "10.0.0.0/8")),
    ],
)
def test_near_cases(exempt, other):
    assert told(policy(exempt, other), RULE) == []


def test_what_is_denied_needs_no_inspection():
    text = policy(
        allow("a", "*.example.com", NONE), allow("b", "x.example.com"), 'deny d "D" { to x.example.com ports any/tcp }'
    )
    assert told(text, RULE) == []


def test_many_groups_are_no_hiding_place():
    groups = " ".join(f"g{n}" for n in range(20))
    text = policy(allow("a", "*.example.com", NONE), allow("b", "x.example.com", "from g7"), head=f"from {groups}")
    assert len(told(text, RULE)) == 1
    text = policy(allow("a", "*.example.com", f"{NONE} from g7"), allow("b", "x.example.com"), head=f"from {groups}")
    assert len(told(text, RULE)) == 1
