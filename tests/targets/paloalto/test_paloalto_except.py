"""Exceptions: addresses are left out of the destinations, hosts are denied above, and what neither says is refused."""

import json

import pytest
from paloalto_reading import ACCOUNTS, SETTINGS, inventory, read_with_panos, rendered
from support import compilation_of

from egressc.addresses import ALL, parse_addresses, union_of
from egressc.anything import ANY
from egressc.diagnostics import Level
from egressc.flows_blocks import blocks_of
from egressc.lowering import Recognition
from egressc.reasons import Effect
from egressc.targets.paloalto.model import Top, Unplaced

ZONES = "from-zone: trust, to-zone: untrust"
TAGS = json.dumps(
    {
        "changeNumber": 1,
        "cloud": "Public",
        "values": [
            {"name": name, "id": name, "properties": {"addressPrefixes": prefixes}}
            for name, prefixes in {
                "Big": ["192.0.2.0/24", "198.51.100.0/24"],
                "Small": ["192.0.2.0/25"],
                "Empty": [],
            }.items()
        ],
    }
)


def compiled(text, settings=ZONES, action="allow", before="", **options):
    """The result for one rule, service tags known, and the lowering if nothing stops it."""
    policy = f'{ACCOUNTS}\npolicy p "P" {{ from connectors {before}\n {action} r "R" {{ {text} }} }}'
    text = "service-tags: tags.json\n" + inventory(settings)
    result = compilation_of(policy, text, tags__json=TAGS, **options)
    return result, (result.builds[0].lowering if result.builds else None)


def written(text, settings=ZONES, action="allow"):
    result, lowering = compiled(text, settings, action)
    assert not [d for d in result.diagnostics if d.level is Level.ERROR], result.diagnostics
    return lowering, [r for r in lowering.model.security_rules if not r.name.startswith("egc-closing-deny")]


def errors(result):
    return sorted(d.code for d in result.diagnostics if d.level is Level.ERROR)


# --- addresses


def test_addresses_are_negated_beside_hosts():
    for action in ("allow", "deny"):
        lowering, (rule,) = written("to *.example.com except 198.18.0.0/15 ports 443/https", action=action)
        assert (rule.destinations, rule.negate_destination) == (("198.18.0.0/15",), True)
        assert rule.action == action
        assert rule.categories is not ANY
        assert [s for p in lowering.parts for s in p.steps] == []
        assert "pan-category-address" in lowering.parts[0].assumptions


def test_no_closing_deny_is_needed_to_except_addresses():
    result, _ = compiled("to *.example.com except 10.0.0.0/8 ports 443/https", ZONES + ", default-deny: false")
    assert errors(result) == []
    result, _ = compiled("to *.example.com except a.example.com ports 443/https", ZONES + ", default-deny: false")
    assert errors(result) == ["E0608"]


def test_an_exemption_leaves_excepted_addresses_out():
    lowering, _ = written("to *.example.com except 198.18.0.0/15 ports 443/https no-tls-inspection", SETTINGS)
    (rule,) = lowering.model.decryption_rules
    assert (rule.destinations, rule.negate_destination) == (("198.18.0.0/15",), True)
    assert lowering.parts[0].exempt.exceptions == lowering.parts[0].start.exceptions
    config, commands = rendered(lowering)
    (read,) = read_with_panos(config)["decryption"]
    assert (read.destination_addresses, read.negate_destination) == (["198.18.0.0/15"], True)
    assert f"decryption rules {rule.name} negate-destination yes\n" in commands.decode()


def test_a_path_is_seen_where_all_but_excepted_addresses_are_decrypted():
    text = "to a.example.com/in except 198.18.0.0/15 ports 443/https tls-inspection"
    lowering, (rule,) = written(text, SETTINGS)
    assert [c.entries for c in lowering.model.categories if c.name in rule.categories] == [
        ("a.example.com/in", "a.example.com/in/")
    ]
    (decrypt,) = lowering.model.decryption_rules
    assert (decrypt.destinations, decrypt.negate_destination) == (("198.18.0.0/15",), True)


def test_addresses_are_taken_out_of_addresses():
    # the deny of an exception would stop what the group says to any such address, inside the house too
    _, rules = written("to *.example.com 203.0.113.0/24 except 10.0.0.0/8 a.example.com ports 443/https")
    by_address = [r for r in rules if r.categories is ANY]
    assert [(r.action, r.destinations, r.negate_destination) for r in by_address] == [
        ("allow", ("203.0.113.0/24",), False)
    ]
    hosts = [r for r in rules if r.categories is not ANY and r.negate_destination]
    assert [(r.action, r.destinations) for r in hosts] == [("deny", ("10.0.0.0/8",)), ("allow", ("10.0.0.0/8",))]


@pytest.mark.parametrize(
    ("to", "destinations", "negated"),
    [
        ("any-address except service-tag Small", ("192.0.2.0/25",), True),
        ("any-address except service-tag Empty", ANY, False),
        ("*.example.com except service-tag Empty", ANY, False),
        ("service-tag Big except service-tag Small", ("192.0.2.128/25", "198.51.100.0/24"), False),
        ("service-tag Big except 198.51.100.0/24", ("192.0.2.0/24",), False),
    ],
)
def test_known_service_tags_are_addresses_in_exceptions(to, destinations, negated):
    lowering, (rule,) = written(f"to {to} ports 443/https")
    assert (rule.destinations, rule.negate_destination) == (destinations, negated)
    assert [s for p in lowering.parts for s in p.steps] == []


@pytest.mark.parametrize("action", ["allow", "deny"])
@pytest.mark.parametrize("to", ["service-tag Small except service-tag Big", "service-tag Small except 192.0.2.0/24"])
def test_exceptions_that_leave_nothing_are_an_error(to, action):
    assert errors(compiled(f"to {to} ports 443/https", action=action)[0]) == ["E0505"]


def test_a_fallback_of_which_nothing_is_left_is_an_error():
    text = f'endpoints bus "B" {{ *.example.com fallback {{ 192.0.2.0/25 }} }}\n{ACCOUNTS}\n'
    policy = 'policy p "P" { from connectors allow r "R" { to bus except service-tag Small ports 5671/tcp } }'
    result = compilation_of(text + policy, "service-tags: tags.json\n" + inventory(ZONES), tags__json=TAGS)
    assert errors(result) == ["E0708"]


def test_a_service_tag_that_is_not_in_the_file_cannot_be_excepted():
    assert errors(compiled("to *.example.com except service-tag Nope ports 443/https")[0]) == ["E0608"]


def test_addresses_beside_fqdn_objects_are_denied_above():
    lowering, rules = written("to smtp.example.com except 198.18.0.0/15 ports 25/tcp")
    assert [(r.action, r.destinations) for r in rules] == [
        ("deny", ("198.18.0.0/15",)),
        ("allow", ("egc-smtp.example.com",)),
    ]
    assert {r.recognition for r in rules} == {Recognition.NONE, Recognition.DNS}
    assert [s.reason.value for p in lowering.parts for s in p.steps] == ["resolved-address"]


def test_internal_addresses_beside_fqdn_objects_are_not_denied():
    # every name of the house would be stopped on these ports
    assert errors(compiled("to smtp.example.com except 10.0.0.0/8 ports 25/tcp")[0]) == ["E0608"]


# --- hosts


def test_excepted_hosts_are_said_to_be_stopped_inside_too():
    for to, told in (
        ("*.example.com except a.example.com", True),
        ("any-address except a.example.com", True),
        ("10.9.0.0/16 except a.example.com", True),
        ("203.0.113.0/24 except a.example.com", False),
    ):
        lowering, (deny, allow) = written(f"to {to} ports 443/https")
        assert (deny.action, allow.action) == ("deny", "allow")
        steps = [(s.reason.value, s.effect, s.level) for p in lowering.parts for s in p.steps]
        assert steps == ([("default", Effect.NARROWER, Level.NOTE)] if told else []), to


@pytest.mark.parametrize(
    ("rule", "hosts", "addresses"),
    [
        # first match: the deny stands directly above the allow, and is for the same addresses
        ("10.1.2.3 203.0.113.7 except *.x.io", ["*.x.io"], "10.1.2.3 203.0.113.7"),
        ("*.example.com except a.example.com b.example.com", ["a.example.com", "b.example.com"], "any-address"),
        ("10.0.0.0/8 except a.example.com 10.0.0.0/9", ["a.example.com"], "10.128.0.0/9"),
        # outside, the closing deny stops it anyway
        ("203.0.113.7 except *.x.io", None, None),
        ("203.0.113.7 10.0.0.0/8 except *.x.io 10.0.0.0/8", None, None),
        ("*.example.com except 203.0.113.7", None, None),
    ],
)
def test_what_exceptions_stop_beyond_the_closing_deny_is_announced(rule, hosts, addresses):
    lowering, _ = written(f"to {rule} ports 443/https")
    (closes,) = [part.closes for part in lowering.parts]
    if hosts is None:
        assert closes == ()
        return
    (block,) = [block for reach in closes for block in blocks_of(reach, {})]
    whole = ALL if addresses == "any-address" else union_of([parse_addresses(word) for word in addresses.split()])
    assert sorted(pattern.text for pattern, _ in block.names) == hosts
    assert (block.addresses, block.ports.text, block.by_address, block.names_out) == (whole, "443/tcp", False, ())


def test_excepted_hosts_are_not_said_to_be_stopped_where_nothing_is_inside():
    everything = "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 169.254.0.0/16 fc00::/7 fe80::/10"
    lowering, (deny, _) = written(f"to *.example.com except a.example.com {everything} ports 443/https")
    assert deny.negate_destination
    assert parse_all(deny.destinations) == parse_all(everything.split())
    assert [s for p in lowering.parts for s in p.steps] == []


def parse_all(words):
    return sorted(parse_addresses(word).text for word in words)


# --- accounts


def test_a_deny_for_an_account_that_is_not_seen_is_an_error_where_it_meets_an_allow():
    other = 'allow a "A" { to a.example.com ports 443/https as connector }'
    policy = 'service-account other "O" { directory-user "x\\y" }\n'
    result = compilation_of(
        f'{ACCOUNTS}{policy}policy p "P" {{ from connectors {other} '
        'deny d "D" { to a.example.com ports 443/https as other } }',
        inventory(ZONES),
    )
    assert errors(result) == ["E0621"]


SHARED = """
service-account one "One" { directory-user "C\\one" }
service-account three "Three" { directory-user "C\\three" directory-user "USER" }
policy p "P" { from connectors %s }
"""


def of_shared_user(rules, user="c\\ONE"):
    """What is made of rules for two accounts, of which one holds the directory user of the other and another one."""
    return compilation_of(SHARED.replace("USER", user) % rules, inventory(ZONES + ", user-id: true"))


@pytest.mark.parametrize("user", ["C\\one", "c\\ONE"])
def test_a_rule_holds_its_accounts_alone_where_others_share_their_directory_user(user):
    # architecture.md, "Accounts": what runs as a shared user belongs to both accounts, so nothing is decided otherwise
    result = of_shared_user(
        """allow a "A" { to a.example.com ports 443/https as one }
        allow b "B" { to b.example.com ports 443/https as three }
        deny  d "D" { to b.example.com ports 443/https as one }""",
        user,
    )
    assert [d for d in result.diagnostics if d.level is not Level.NOTE] == []
    (build,) = result.builds
    assert [(p.rule.key, p.reach.accounts) for p in build.lowering.parts] == [
        ("p/a", {"one"}),
        ("p/b", {"three"}),
        ("p/d", {"one"}),
    ]
    assert [(r.action, set(r.users)) for r in build.lowering.model.security_rules[:-1]] == [
        ("deny", {"C\\one"}),
        ("allow", {"C\\one"}),
        ("allow", {"C\\three", user}),
    ]
    assert dict(build.lowering.overlapping) == {"one": {"three"}, "three": {"one"}}


def test_a_deny_that_cannot_be_said_is_missed_where_it_shares_a_user_with_an_allow():
    deny = 'deny d "D" { to a*.example.com ports any/tcp as one }'
    allow = 'allow r "R" { to 198.51.100.0/25 ports 5671/tls as three }'
    assert errors(of_shared_user(deny + allow)) == ["E0610"]
    result = of_shared_user(deny + allow, "C\\other")
    assert errors(result) == []
    assert [d.code for d in result.diagnostics if d.subject == "p/d"] == ["N0623"]


def test_no_path_is_seen_where_a_shared_user_is_exempt_from_decryption():
    must = 'allow m "M" { to a.example.com/in ports 443/https tls-inspection as one }'
    exempt = 'allow n "N" { to a.example.com ports 443/https no-tls-inspection as three }'
    for user, entries in (("C\\one", ("a.example.com/",)), ("C\\two", ("a.example.com/in", "a.example.com/in/"))):
        text = SHARED.replace("USER", user) % (must + exempt)
        settings = SETTINGS + ", user-id: true"
        (build,) = compilation_of(text, inventory(settings), accept=("tls-unenforced",)).builds
        rule = next(r for r in build.lowering.model.security_rules if r.users == ("C\\one",))
        held = {c.name: c.entries for c in build.lowering.model.categories}
        assert tuple(held[rule.categories[0]]) == entries


def test_an_exception_stands_behind_the_allow_that_it_would_cut_into_for_a_shared_user():
    result = of_shared_user(
        """allow a "A" { to *.b.example.com except a.b.example.com ports 443/https as one }
        allow b "B" { to a.b.example.com *.c.example.com except a.c.example.com ports 443/https as three }"""
    )
    assert errors(result) == []
    rules = [(r.action, len(r.users)) for r in result.builds[0].lowering.model.security_rules if r.users is not ANY]
    assert rules == [("deny", 2), ("allow", 2), ("deny", 1), ("allow", 1)]


@pytest.mark.parametrize(
    ("inspection", "told"),
    [("", [("p/n", "tls-scope")]), ("tls-inspection", [("p/n", "tls-scope"), ("p/r", "tls-unenforced")])],
)
def test_an_exemption_also_covers_what_another_account_does_as_a_shared_user(inspection, told):
    # a decryption rule says nothing of excepted hosts (paloalto.md): as C\\one, a.b.x.io is exempt although `r` is not
    rules = f"""allow n "N" {{ to *.x.io except *.b.x.io ports 443/https as three no-tls-inspection }}
        allow r "R" {{ to a.b.x.io ports 443/https as one {inspection} }}"""
    for user, expected in (("C\\one", told), ("C\\other", [])):
        result = compilation_of(
            SHARED.replace("USER", user) % rules,
            inventory(SETTINGS + ", user-id: true"),
            accept=("tls-scope", "tls-unenforced"),
        )
        assert errors(result) == []
        (build,) = result.builds
        found = [(each.rule.identity, a.reason.value) for each in build.fidelity.rules for a in each.approximations]
        assert [each for each in found if each[1].startswith("tls")] == expected


def test_accounts_of_different_directory_users_are_told_apart():
    policy = f"""{ACCOUNTS}
    service-account other "O" {{ directory-user "x\\y" }}
    policy p "P" {{ from connectors
        allow a "A" {{ to a.example.com ports 443/https as connector }}
        deny  d "D" {{ to a.example.com ports 443/https as other }}
    }}"""
    result = compilation_of(policy, inventory(ZONES + ", user-id: true"))
    assert [d for d in result.diagnostics if d.level is not Level.NOTE] == []


# --- place


def test_an_unbound_group_that_is_allowed_stands_on_top_without_a_closing_deny():
    policy = 'policy p "P" { from connectors allow r "R" { to a.example.com ports 443/https no-tls-inspection } }'
    for said, place in (("unbound: allowed", Top()), ("", Unplaced())):
        text = inventory(SETTINGS + ", default-deny: false", "connectors: {description: somewhere}", said)
        (build,) = compilation_of(policy, text).builds
        assert (build.lowering.model.place, build.lowering.model.decryption_place) == (place, place)
