"""Denies and exceptions: what a block rule can say, and what is refused."""

import pytest
from support import compilation_of, lowering_of
from windows_lowering import CONNECTOR, codes, compiled, inventory, lowered, names_of, only, reasons, written

from egressc.diagnostics import Level
from egressc.reasons import Reason
from egressc.targets.windows_firewall.model import (
    Action,
    RemoteAddresses,
    Sid,
)

# -- denies


def test_a_deny_by_address_is_a_block_rule():
    lowering = lowered(
        'allow a "A" { to *.example.com ports 443/https }\n'
        'deny d "D" { as connector to 10.1.2.3 198.51.100.0/24 ports 443/tcp 53/udp }'
    )
    blocks = [r for r in written(lowering) if r.action is Action.BLOCK]
    assert [(r.protocol.value, r.remote.values) for r in blocks] == [
        ("TCP", ("10.1.2.3", "198.51.100.0/24")),
        ("UDP", ("10.1.2.3", "198.51.100.0/24")),
    ]
    assert all(r.users == (Sid("S-1-5-20"),) for r in blocks)


def test_a_deny_by_name_that_meets_no_allow_is_left_out():
    lowering = lowered(
        'allow a "A" { to *.servicebus.windows.net ports 443/https }\n'
        'deny d "D" { to *.blob.core.windows.net ports 443/https }'
    )
    assert [r.action for r in written(lowering)] == [Action.ALLOW]
    (part,) = [p for p in lowering.parts if p.rule.is_deny]
    assert part.left_out
    assert part.reach is None
    assert [k.name for k in lowering.model.keywords] == ["*.servicebus.windows.net"]


def test_a_deny_by_name_blocks_what_is_allowed_by_name():
    lowering = lowered(
        'allow a "A" { to *.windows.net ports 443/https }\ndeny d "D" { to *.blob.core.windows.net ports 443/https }'
    )
    (block,) = [r for r in written(lowering) if r.action is Action.BLOCK]
    assert names_of(lowering, block) == ["*.blob.core.windows.net"]
    (part,) = [p for p in lowering.parts if p.rule.is_deny]
    assert [s.reason for s in part.steps] == [Reason.RESOLVED_ADDRESS]
    assert lowering.diagnostics == ()


@pytest.mark.parametrize(
    ("allow", "wrong"),
    [
        ("to 203.0.113.0/24 ports 443/tcp", True),
        ("to any-address ports 443/tcp", True),
        ("to a.example.com 203.0.113.0/24 ports 443/tcp", True),
        ("to 203.0.113.0/24 ports 8443/tcp", False),
        ("to 203.0.113.0/24 ports 443/udp", False),
        ("as other to 203.0.113.0/24 ports 443/tcp", False),
    ],
)
def test_a_deny_by_name_against_an_allow_by_address_is_an_error(allow, wrong):
    source = f"""
{CONNECTOR}
service-account other "O" {{ windows-service "Other" }}
policy p "P" {{ from g
  allow by-name "A" {{ as connector to *.windows.net ports 443/https }}
  allow by-address "B" {{ {allow} }}
  deny d "D" {{ as connector to *.blob.core.windows.net ports 443/https }}
}}
"""
    found = [d for d in lowering_of(source, inventory(), "hosts").diagnostics if d.code == "E0793"]
    assert len(found) == wrong
    if wrong:
        assert found[0].span.text == "d"
        assert found[0].related[0].span.text == "by-address"


def test_a_deny_by_name_without_a_closing_deny():
    deny = 'deny d "D" { to *.blob.core.windows.net ports 443/https }'
    for options in ({"settings": "default-deny: false"}, {"group": "description: nobody knows"}):
        assert [d.code for d in lowered(deny, **options).diagnostics] == ["E0793"]
    # a block by name does not hold before the name has been resolved, and then nothing else holds either
    allow = 'allow a "A" { to x.blob.core.windows.net ports 443/https }'
    assert [d.code for d in lowered(f"{allow}\n{deny}", "default-deny: false").diagnostics] == ["E0793"]
    assert lowered(f"{allow}\n{deny}").diagnostics == ()


def test_a_deny_is_never_narrowed_to_a_fallback():
    sets = 'endpoints s "S" { bad.example.com fallback { 203.0.113.0/24 } }'
    rules = 'allow a "A" { to any-address ports 443/tcp }\ndeny d "D" { to s ports 443/https }'
    source = f'{sets}\npolicy p "P" {{ from g\n{rules}\n}}'
    lowering = lowering_of(source, inventory("dynamic-keywords: false"), "hosts")
    (part,) = [p for p in lowering.parts if p.rule.is_deny]
    assert part.reach is None
    assert [s.reason for s in part.steps] == [Reason.NO_NAMES]


def test_what_is_wrong_with_a_deny_is_said_once():
    result = compiled('allow a "A" { to any-address ports 443/tcp }\ndeny d "D" { to x.example.com ports 443/https }')
    assert codes(result).count("E0793") == 1
    assert [d.code for d in result.diagnostics if d.code.startswith("E")] == ["E0793"]


# -- accounts that have processes in common

NETWORK_SERVICE = """
service-account everything "E" { windows-account "NETWORK SERVICE" }
"""


def of_accounts(rules, accounts=NETWORK_SERVICE):
    return f'{CONNECTOR}{accounts}\npolicy p "P" {{ from g\n{rules}\n}}'


def test_a_deny_meets_the_allow_of_another_account_with_its_processes():
    """The connector runs as Network Service: what is allowed to that account is allowed to it."""
    source = of_accounts(
        'allow a "A" { as everything to x.example.com ports 443/https }\n'
        'deny d "D" { as connector to x.example.com ports 443/https }'
    )
    lowering = lowering_of(source, inventory(), "hosts")
    (block,) = [r for r in written(lowering) if r.action is Action.BLOCK]
    assert names_of(lowering, block) == ["x.example.com"]
    assert (block.users, block.service) == ((Sid("S-1-5-20"),), "WAPCSvc")
    assert lowering.diagnostics == ()


@pytest.mark.parametrize("more", ["", " y.example.com"])
def test_a_deny_by_name_that_cuts_into_the_allow_of_another_account_is_an_error(more):
    source = of_accounts(
        f'allow a "A" {{ as everything to x.example.com{more} ports 443/https }}\n'
        'deny d "D" { as connector to x.example.com ports 443/https }'
    )
    found = [d for d in compilation_of(source, inventory()).diagnostics if d.code.startswith("E")]
    assert [d.code for d in found] == ["E0621"] * bool(more)
    if more:
        assert found[0].span.text == "d"
        assert found[0].related[0].span.text == "a"
        assert "everything" in found[0].label


def test_a_widened_deny_by_address_cuts_into_the_allow_of_another_account():
    source = of_accounts(
        'allow a "A" { as everything to 203.0.113.7 ports 443/tcp }\n'
        'deny d "D" { as connector to 203.0.113.0/24 except x.example.com ports 443/tcp }'
    )
    found = [d for d in compilation_of(source, inventory(), accept=("except",)).diagnostics if d.code == "E0621"]
    (error,) = found
    assert error.level is Level.ERROR
    assert "as everything" in error.label


def test_a_deny_by_name_meets_the_allow_by_address_of_another_account():
    source = of_accounts(
        'allow a "A" { as everything to 203.0.113.0/24 ports 443/tcp }\n'
        'allow b "B" { as connector to x.example.com ports 443/https }\n'
        'deny d "D" { as connector to x.example.com ports 443/https }'
    )
    (found,) = lowering_of(source, inventory(), "hosts").diagnostics
    assert found.code == "E0793"
    assert found.related[0].span.text == "a"


def test_an_exception_goes_where_an_allow_lost_its_own():
    """The second allow cannot keep its exception (the first reaches beyond its own), so it is let through there too."""
    lowering, blocks = exception_of(
        'allow a "A" { to a.example except 192.0.2.64/26 ports 443/https }\n'
        'allow b "B" { to b.example except 192.0.2.0/24 ports 443/https }'
    )
    assert blocks == []
    assert [part.reach.exceptions for part in lowering.parts] == [(), ()]
    _, blocks = exception_of(
        'allow a "A" { to a.example except 192.0.2.0/24 ports 443/https }\n'
        'allow b "B" { to b.example except 192.0.2.0/24 ports 443/https }'
    )
    assert len(blocks) == 2


def test_an_exception_meets_the_allow_of_another_account():
    source = of_accounts(
        'allow r "R" { as connector to *.d.example except 198.51.100.0/24 ports 443/https }\n'
        'allow a "A" { as everything to 198.51.100.7 ports 443/tcp }'
    )
    lowering = lowering_of(source, inventory(), "hosts")
    assert [r.action for r in written(lowering)] == [Action.ALLOW, Action.ALLOW]
    (part,) = [p for p in lowering.parts if p.rule.identity == "p/r"]
    assert Reason.EXCEPT in [s.reason for s in part.steps]


@pytest.mark.parametrize(
    ("bindings", "meets"),
    [
        ('windows-account "LOCAL SERVICE"', False),
        ('windows-account "CONTOSO\\svc"', False),
        ('windows-account "BUILTIN\\Users"', True),
        ('windows-account "NT SERVICE\\WAPCSvc"', True),
        ('windows-service "wapcsvc"', True),
        ('windows-service "Other"', False),
        ('windows-account "NETWORK SERVICE" windows-service "Other"', False),
        ('windows-program "C:\\a.exe"', True),
    ],
)
def test_which_accounts_have_processes_in_common(bindings, meets):
    source = of_accounts(
        'allow a "A" { as second to x.example.com ports 443/https }\n'
        'deny d "D" { as connector to x.example.com ports 443/https }',
        f'service-account second "S" {{ {bindings} }}',
    )
    (part,) = [p for p in lowering_of(source, inventory(), "hosts").parts if p.rule.is_deny]
    assert part.left_out is not meets


def test_that_other_accounts_have_no_process_in_common_is_assumed_aloud():
    rules = (
        'allow a "A" { as second to x.example.com ports 443/https }\n'
        'deny d "D" { as connector to x.example.com ports 443/https }'
    )
    second = 'service-account second "S" { windows-service "Other" }'
    said = "no process belongs to accounts"
    assert said in "\n".join(lowering_of(of_accounts(rules, second), inventory(), "hosts").assumes)
    assert said not in "\n".join(lowered('deny d "D" { as connector to 192.0.2.1 ports 443/tcp }').assumes)


# -- exceptions


def exception_of(rules, **options):
    lowering = lowered(rules, **options)
    blocks = [r for r in written(lowering) if r.action is Action.BLOCK]
    return lowering, blocks


def test_an_excepted_name_is_an_error():
    """A block rule would stop the allowed names at its address as well, as the block rule of a deny would."""
    rules = 'allow r "R" { as connector to *.d.example except bad.d.example ports 443/https }'
    lowering, blocks = exception_of(rules)
    assert blocks == []
    assert reasons(lowering) == [[Reason.EXCEPT, Reason.RESOLVED_ADDRESS]]
    assert [d.code for d in compiled(rules).diagnostics if d.code.startswith("E")] == ["E0608"]
    deny = 'allow r "R" { to *.d.example ports 443/https }\ndeny d "D" { to bad.d.example ports 443/https }'
    assert [d.code for d in compiled(deny).diagnostics if d.code.startswith("E")] == ["E0621"]


def test_excepted_addresses_of_a_name_are_a_block_rule():
    lowering, (block,) = exception_of('allow r "R" { to *.d.example except 198.51.100.0/24 ports 443/https }')
    assert block.remote == RemoteAddresses(("198.51.100.0/24",))
    assert lowering.parts[0].reach.exceptions != ()


@pytest.mark.parametrize(
    ("rules", "options"),
    [
        # another allow overlaps the exception: any name may be at any address
        ('allow o "O" { to other.example ports 443/https }', {}),
        ('allow o "O" { to any-address ports any/tcp }', {}),
        # a block rule would decide what nothing decides
        ("", {"settings": "default-deny: false"}),
        ("", {"group": "description: unbound"}),
    ],
)
def test_an_exception_that_a_block_rule_cannot_say_is_given_up_aloud(rules, options):
    lowering, blocks = exception_of(
        f'allow r "R" {{ to *.d.example except 198.51.100.0/24 ports 443/https }}\n{rules}', **options
    )
    assert blocks == []
    (part,) = [p for p in lowering.parts if p.rule.identity == "p/r"]
    assert Reason.EXCEPT in [s.reason for s in part.steps]
    assert part.reach.exceptions == ()


@pytest.mark.parametrize(
    ("to", "excepted"),
    [
        ("*.d.example", "a*.d.example"),
        ("*.d.example", "*.c.d.example"),
        ("*.d.example", "x.d.example/path"),
        ("*.d.example", "10.0.0.0/8"),
        ("203.0.113.0/24", "x.d.example"),
        ("any-address", "x.d.example"),
    ],
)
def test_exceptions_beyond_a_block_rule_are_errors(to, excepted):
    result = compiled(f'allow r "R" {{ to {to} except {excepted} ports 443/https }}')
    assert [d.code for d in result.diagnostics if d.code.startswith("E")] == ["E0608"]


def test_another_port_or_account_does_not_meet_the_exception():
    _, blocks = exception_of(
        'allow r "R" { as connector to *.d.example except 198.51.100.0/24 ports 443/https }\n'
        'allow o "O" { to bad.d.example ports 80/http }'
    )
    assert len(blocks) == 1
    assert blocks[0].users == (Sid("S-1-5-20"),)
    assert blocks[0].ports == ("443",)


def test_addresses_without_addresses_are_subtracted():
    lowering, blocks = exception_of('allow r "R" { to any-address except 10.0.0.0/8 ::/0 ports 443/tcp }')
    assert blocks == []
    assert only(lowering).remote.values == ("0.0.0.0-9.255.255.255", "11.0.0.0-255.255.255.255")
    assert reasons(lowering) == [[]]


# -- service tags


def test_a_service_tag_without_addresses_is_an_error_once():
    rules = 'allow a "A" { to service-tag AzureMonitor ports 443/tcp }\nallow b "B" { to service-tag AzureMonitor ports 80/tcp }'
    result = compiled(rules)
    assert [d.code for d in result.diagnostics if d.code.startswith("E")] == ["E0502"]


@pytest.mark.parametrize(("to", "out"), [("10.0.0.0/8", False), ("any-address", False), ("203.0.113.0/24", True)])
def test_a_deny_of_internal_addresses_is_never_left_out(to, out):
    lowering = lowered(f'deny d "D" {{ to {to} except x.d.example ports 443/tcp }}')
    assert lowering.parts[0].left_out is out
    assert len([r for r in written(lowering) if r.action is Action.BLOCK]) == (not out)
