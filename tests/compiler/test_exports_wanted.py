"""What a policy wants in a list: destinations of allows, without what denies take away; worked out by hand."""

import pytest
from support import prepared_of

from egressc.addresses import AddressSet
from egressc.bind import bind_everything
from egressc.exports import ANY_NAME, ListKind
from egressc.exports_read import ports_text
from egressc.exports_wanted import Selection, wanted

INVENTORY = "groups:\n  g: {networks: [10.20.0.0/24]}\n  h: {networks: [10.21.0.0/24]}\n"
HEAD = 'service-account a "A" { linux-user u }\nservice-account b "B" { linux-user v }\n'


def want(rules, kind="bypass", groups=("g", "h"), account=None, pattern="*", inventory=INVENTORY):
    prepared = prepared_of(f'{HEAD}policy p "P" {{\n{rules}\n}}\n', inventory)
    return wanted(
        bind_everything(prepared), Selection(kind=ListKind(kind), groups=groups, account=account, rules=pattern)
    )


def told(found):
    """The entries in words: destination, path, ports, exceptions."""
    lines = []
    for entry in found.entries:
        what = entry.what.text
        out = "".join(f" -{each.text}" for each in entry.exceptions)
        lines.append(f"{what}{entry.path or ''} {ports_text(entry.ports)}{out}")
    return lines


def steps(found):
    """What a list does not see, in words: reason, effect, level, example."""
    return sorted(
        f"{step.reason.value} {step.effect.value} {step.level.value if step.level else '-'} "
        f"{step.example.host or step.example.address if step.example else '-'}"
        for _, step in (*found.steps, *found.cut)
    )


ALLOWS = {
    "a host": ('allow r "R" { from g h to x.io ports 443 }', ["x.io 443"]),
    "ports of TCP alone": ('allow r "R" { from g h to x.io ports 443 53/udp 5671/tls }', ["x.io 443 5671"]),
    "two rules for one destination": (
        'allow r "R" { from g h to x.io ports 443 }\nallow s "S" { from g h to x.io ports 443 }',
        ["x.io 443"],
    ),
    "a path over TLS and over plain HTTP are two entries": (
        'allow r "R" { from g h to x.io/p ports 443 80 }',
        ["x.io/p 80", "x.io/p 443"],
    ),
    "an exception beside it is none of it": (
        'allow r "R" { from g h to *.x.io *.y.io except a.x.io ports 443 }',
        ["*.x.io 443 -a.x.io", "*.y.io 443"],
    ),
    "any address is every name and every address": (
        'allow r "R" { from g h to any-address ports 443 }',
        ["* 443", "0.0.0.0/0 ::/0 443"],
    ),
    "any address but some": (
        'allow r "R" { from g h to any-address except 10.0.0.0/8 ::/0 ports 443 }',
        ["* 443", "0.0.0.0-9.255.255.255 11.0.0.0-255.255.255.255 443"],
    ),
    "addresses without those that are left out": (
        'allow r "R" { from g h to 192.0.2.0/24 except 192.0.2.0/25 ports 443 }',
        ["192.0.2.128/25 443"],
    ),
}


@pytest.mark.parametrize("case", ALLOWS)
def test_what_allows_want(case):
    rules, expected = ALLOWS[case]
    assert told(want(rules)) == expected


DENIES = {
    "of the host": ("x.io", "x.io", "443", []),
    "of everything below": ("a.x.io", "*.x.io", "443", []),
    "of another host": ("x.io", "y.io", "443", ["x.io 443"]),
    "of a part": ("*.x.io", "*.b.x.io", "443", ["*.x.io 443 -*.b.x.io"]),
    "on another port": ("x.io", "x.io", "444/tcp", ["x.io 443"]),
    "of a part on one of two ports": (
        "*.x.io",
        "a.x.io",
        "80",
        ["*.x.io 80 -a.x.io", "*.x.io 443"],
        "443 80",
    ),
    "of the whole on one of two ports": ("x.io", "x.io", "80", ["x.io 443"], "443 80"),
    "with an exception that is less": ("*.x.io", "*.x.io except a.x.io", "443", ["a.x.io 443"]),
    "with an exception that is all of it": ("a.x.io", "*.x.io except a.x.io", "443", ["a.x.io 443"]),
    "of a part, with an exception": (
        "*.x.io",
        "*.b.x.io except a.b.x.io",
        "443",
        ["*.x.io 443 -*.b.x.io", "a.b.x.io 443"],
    ),
    "with an exception that is more than it": ("a.b.x.io", "*.x.io except *.b.x.io", "443", ["a.b.x.io 443"]),
    "of a path that begins alike": ("x.io/pq", "x.io/p", "443", ["x.io/pq 443"]),
    "of a path": ("x.io", "x.io/p", "443", ["x.io 443 -x.io/p"]),
    "of a path above": ("x.io/p/q", "x.io/p", "443", []),
    "of a path beside": ("x.io/p", "x.io/q", "443", ["x.io/p 443"]),
    "of addresses": ("192.0.2.0/24", "192.0.2.0/25", "443", ["192.0.2.128/25 443"]),
    "of addresses on one of two ports": (
        "192.0.2.0/24",
        "192.0.2.0/25",
        "80",
        ["192.0.2.0/24 443", "192.0.2.128/25 80"],
        "443 80",
    ),
    "of any address": ("x.io 192.0.2.1", "any-address", "443", []),
    "of any address but a host": ("x.io y.io", "any-address except y.io", "443", ["y.io 443"]),
}


@pytest.mark.parametrize("case", DENIES)
def test_what_denies_leave(case):
    to, denied, on, expected, *ports = DENIES[case]
    rules = f'allow r "R" {{ from g h to {to} ports {(ports or ["443"])[0]} }}\n'
    assert told(want(rules + f'deny d "D" {{ from g h to {denied} ports {on} }}')) == expected


def test_a_deny_of_any_address_says_nothing_of_the_names_that_it_spares():
    rules = 'allow r "R" { from g h to y.io ports 443 }\ndeny d "D" { from g h to any-address except y.io ports 443 }'
    assert told(want(rules)) == ["y.io 443"]
    assert steps(want(rules)) == []


def test_a_deny_for_others_takes_nothing_away():
    rules = 'allow r "R" { from g h to x.io ports 443 }\ndeny d "D" { from g h as a to x.io ports 443 }'
    assert told(want(rules)) == ["x.io 443"]
    assert told(want(rules, account="a")) == []
    assert steps(want(rules)) == ["account wider warning x.io"]
    assert steps(want(rules, account="b")) == []


def test_who_may_not_reach_it_is_told():
    rules = 'allow r "R" { from g to x.io ports 443 }\nallow s "S" { from g h as a to y.io ports 443 }'
    assert steps(want(rules)) == ["account wider warning y.io", "source wider warning x.io"]
    assert told(want(rules, groups=("h",))) == ["y.io 443"]
    assert steps(want(rules, groups=("g",), account="a")) == []


def test_who_reaches_it_by_another_rule_is_not_told():
    rules = 'allow r "R" { from g to a.x.io ports 443 }\nallow s "S" { from h to *.x.io ports 443 }'
    found = want(rules)
    assert [(entry.what.text, step.reason.value) for entry, step in found.steps] == [("*.x.io", "source")]


def test_addresses_behind_names_are_not_seen():
    deny = 'deny d "D" { from g h to 192.0.2.0/24 ports 443 }'
    assert steps(want(f'allow r "R" {{ from g h to x.io ports 443 }}\n{deny}')) == ["address wider note x.io"]
    assert steps(want('allow r "R" { from g h to x.io except 192.0.2.0/24 ports 443 }')) == ["address wider note x.io"]
    assert steps(want(f'allow r "R" {{ from g h to 192.0.3.0/24 ports 443 }}\n{deny}')) == []


def test_names_that_are_denied_but_for_some_addresses_are_told():
    rules = 'allow r "R" { from g h to x.io ports 443 }\ndeny d "D" { from g h to any-address except 192.0.2.0/24 ports 443 }'
    found = want(rules)
    assert told(found) == []
    assert steps(found) == ["address narrower - x.io"]


def test_addresses_that_any_address_leaves_out_are_not_seen_behind_names():
    found = want('allow r "R" { from g h to any-address except 10.0.0.0/8 ports 443 }')
    assert steps(found) == ["address wider note a.example"]


def test_a_tag_that_nobody_knows_may_be_among_the_addresses():
    rules = (
        'allow r "R" { from g h to 192.0.2.0/24 ports 443 }\ndeny d "D" { from g h to service-tag Storage ports 443 }'
    )
    assert steps(want(rules)) == ["address wider - -"]
    assert told(want('allow r "R" { from g h to service-tag Storage ports 443 }')) == ["service-tag Storage 443"]


def test_a_tag_that_nobody_knows_may_be_left_out_of_addresses():
    rules = 'allow r "R" { from g h to 192.0.2.0/24 except service-tag Storage ports 443 }'
    assert steps(want(rules)) == ["address wider - -"]


def test_names_that_a_deny_spares_and_no_single_pattern_says_are_an_error():
    rules = 'allow r "R" { from g h to a*.x.io ports 443 }\ndeny d "D" { from g h to *.x.io except *b.x.io ports 443 }'
    found = want(rules)
    assert told(found) == []
    assert steps(found) == ["except narrower error ab.x.io"]


def test_an_exemption_is_what_must_not_be_inspected():
    rules = (
        'allow r "R" { from g h to x.io ports 443 80 5671/tls 5672/tcp no-tls-inspection }\n'
        'allow s "S" { from g h to y.io ports 443 }\n'
        'allow t "T" { from g h to z.io ports 443 tls-inspection }'
    )
    assert told(want(rules, "exemption")) == ["x.io 443 5671"]
    assert told(want(rules)) == ["x.io 80 443 5671-5672", "y.io 443", "z.io 443"]


def test_only_the_rules_that_were_asked_for_and_every_deny():
    rules = (
        'allow web "R" { from g h to *.x.io ports 443 }\nallow other "S" { from g h to y.io ports 443 }\n'
        'deny d "D" { from g h to a.x.io ports 443 }'
    )
    assert told(want(rules, pattern="p/web")) == ["*.x.io 443 -a.x.io"]
    assert told(want(rules, pattern="p/*")) == ["*.x.io 443 -a.x.io", "y.io 443"]


def test_rules_for_udp_alone_are_told():
    found = want('allow r "R" { from g h to x.io ports 53/udp }\nallow s "S" { from g h to x.io ports 443 53/udp }')
    assert [rule.identity for rule in found.skipped] == ["p/r", "p/s"], "also what is for TCP as well"
    assert told(found) == ["x.io 443"]
    assert want('allow r "R" { from g to x.io ports 53/udp }', groups=("h",)).skipped == ()


def test_an_entry_knows_all_rules_that_it_came_from():
    rules = 'allow s "S" { from g to x.io ports 443 }\nallow r "R" { from h to x.io ports 443 }'
    ((entry),) = want(rules).entries
    assert [rule.identity for rule in entry.rules] == ["p/r", "p/s"]


def test_many_denies_inside_one_name_stay_linear():
    denies = "\n".join(f'deny d{n} "D" {{ from g h to h{n}.x.io ports 443 }}' for n in range(300))
    (entry,) = want(f'allow r "R" {{ from g h to *.x.io ports 443 }}\n{denies}').entries
    assert len(entry.exceptions) == 300


def test_any_name_is_a_value_of_its_own():
    (name, addresses) = want('allow r "R" { from g h to any-address ports 443 }').entries
    assert name.what == ANY_NAME
    assert isinstance(addresses.what, AddressSet)
