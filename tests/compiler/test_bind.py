"""Where policy and inventory meet: what each firewall is given, and what is said about what it is not given."""

from __future__ import annotations

from datetime import date

import pytest
from support import compilation_of, everything_of, sites_of

from egressc.anything import ANY
from egressc.diagnostics import Level

INVENTORY = """
groups:
  berlin: {networks: [10.0.0.1], features: [setup], parameters: {region: [north, west], zone: a.b}}
  munich: {networks: [10.0.0.2], parameters: {region: south, zone: c}}
  both: {members: [berlin, munich]}
  nested: {members: [both]}
  open: {}
  object: {objects: {paloalto: AG-X}}
firewalls:
  edge: {target: paloalto, groups: [berlin, munich], settings: {from-zone: a, to-zone: b}}
  hosts: {target: windows-firewall, groups: [both]}
  one: {target: windows-firewall, groups: [berlin]}
"""


def site(rules, firewall="edge", head="from both", inventory=INVENTORY, **options):
    (found,) = sites_of(f'policy p "P" {{ {head} {rules} }}', inventory, firewall, **options)
    return found


def names(rule):
    return [group.name for group in rule.groups]


def texts(rule):
    return [e.text for e in rule.endpoints], [e.text for e in rule.exceptions]


def test_a_union_stands_for_its_members_however_deep():
    for group in ("both", "nested", "munich berlin", "nested berlin"):
        (rule,) = site('allow r "R" { to a.io ports 443 }', head=f"from {group}").rules
        assert names(rule) == ["berlin", "munich"]
        assert rule.reach.groups == {"berlin", "munich"}


def test_a_firewall_governs_its_groups_only():
    rules = 'allow a "A" { to a.io ports 443 from berlin } allow o "O" { to a.io ports 443 from open }'
    found = site(rules)
    assert [rule.identity for rule in found.rules] == ["p/a"]
    assert [group.name for group in found.groups] == ["berlin", "munich"]
    assert names(site('allow a "A" { to a.io ports 443 from any-group }').rules[0]) == ["berlin", "munich"]


def test_a_host_firewall_gives_a_site_for_each_group():
    some = sites_of('policy p "P" { from both allow r "R" { to a.io ports 443 } }', INVENTORY, "hosts")
    assert [s.name for s in some] == ["hosts/berlin", "hosts/munich"]
    assert [names(s.rules[0]) for s in some] == [["berlin"], ["munich"]]
    assert site('allow r "R" { to a.io ports 443 }', "one").name == "one"


def test_a_feature_chooses_groups():
    (rule,) = site('allow r "R" { to a.io ports 443 feature setup }').rules
    assert names(rule) == ["berlin"]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("feature setup from munich", [("N0514", "setup")]),
        ("feature setup", []),
        ("feature stup", [("W0511", "stup")]),
        ("feature elsewhere", [("W0512", "setup"), ("N0514", "elsewhere")]),
    ],
)
def test_a_rule_that_its_feature_leaves_for_nobody_is_said_once(rule, expected):
    policy = f'policy p "P" {{ from both allow r "R" {{ to a.io ports 443 {rule} }} }}'
    found = [(d.code, d.span.text) for d in compilation_of(policy, INVENTORY).diagnostics if d.code[1:4] == "051"]
    assert sorted(f for f in found if f[0] not in {"W0513", "W0515", "W0516"}) == sorted(expected)


def test_parameters_multiply_and_differ_by_group():
    policy = """
    parameter region "R"
    parameter zone labels "Z"
    policy p "P" { from both allow r "R" { to ${region}.${zone}.test.io x.io ports 443 } }
    """
    found = everything_of(policy, INVENTORY)
    assert {(rule.part, *texts(rule)[0]) for rule in found.rules} == {
        ("berlin", "north.a.b.test.io", "west.a.b.test.io", "x.io"),
        ("munich", "south.c.test.io", "x.io"),
    }
    same = INVENTORY.replace("region: south, zone: c", "region: [west, north], zone: a.b")
    (rule,) = everything_of(policy, same).rules
    assert (rule.part, names(rule)) == ("berlin", ["berlin", "munich"])


def test_a_parameter_without_a_value_is_one_error_for_each_group():
    policy = """
    parameter other "O"
    policy p "P" { from both allow r "R" { to ${other}.test.io a-${other}.test.io ports 443 }
                             allow s "S" { to ${other}.example.io ports 443 } }
    """
    found = compilation_of(policy, INVENTORY).diagnostics
    assert [(d.code, d.message) for d in found if d.level is Level.ERROR] == [
        ("E0504", "parameter `other` has no value for group `berlin`"),
        ("E0504", "parameter `other` has no value for group `munich`"),
    ]
    near = INVENTORY.replace("region: south", "ohter: south")
    found = compilation_of(policy, near).diagnostics
    assert any("did you mean `other`?" in d.help for d in found if d.code == "E0504")
    assert not any(d.code == "W0513" and "ohter" in d.message for d in found), "one mistake, one diagnostic"


@pytest.mark.parametrize(
    ("to", "endpoints", "exceptions"),
    [
        ("a.io *.a.io b.a.io", ["a.io", "*.a.io"], []),
        ("10.0.0.0/9 10.128.0.0/9 10.1.1.1", ["10.0.0.0/8"], []),
        ("any-address 10.0.0.1 service-tag X", ["any-address"], []),
        ("0.0.0.0/0 ::/0", ["any-address"], []),
        ("10.0.0.0/30 except 10.0.0.1", ["10.0.0.0 10.0.0.2/31"], []),
        ("a.io b.io except b.io", ["a.io"], []),
        ("*.io.net except a.io.net z.org", ["*.io.net"], ["a.io.net"]),
        ("a.io except 10.0.0.1", ["a.io"], ["10.0.0.1"]),
        ("10.0.0.1 except a.io", ["10.0.0.1"], ["a.io"]),
        ("service-tag X service-tag Y except service-tag x", ["service-tag Y"], ["service-tag x"]),
        ("a.io/p a.io/p/q a.io/p-q b.io b.io/p", ["b.io", "a.io/p", "a.io/p-q"], []),
        ("*.a.io/p except b.a.io", ["*.a.io/p"], ["b.a.io"]),
        ("b.a.io/p/q c.io except b.a.io/p", ["c.io"], []),
    ],
)
def test_endpoints_are_tidied_and_exceptions_subtracted(to, endpoints, exceptions):
    policy = f'policy p "P" {{ from both allow r "R" {{ to {to} ports 443 }} }}'
    (rule,) = everything_of(policy, INVENTORY).rules
    assert texts(rule) == (endpoints, exceptions)


def test_each_rule_that_matches_nothing_once_it_is_filled_is_said():
    rules = " ".join(f'allow {name} "R" {{ to ${{region}}.io except north.io west.io ports 443 }}' for name in "abc")
    found = compilation_of(f'parameter region "R" policy p "P" {{ from both {rules} }}', INVENTORY).diagnostics
    empty = [d for d in found if d.code == "E0505"]
    assert [d.span.text for d in empty] == ["a", "b", "c"]
    assert all("for group `berlin`" in d.message for d in empty), "munich has another value"


def test_expiry_holds_through_the_day():
    rules = 'allow r "R" { to a.io ports 443 expires 2026-06-30 } deny d "D" { to a.io ports 443 expires 2026-06-30 }'
    assert [r.identity for r in site(rules, as_of=date(2026, 6, 30)).rules] == ["p/d", "p/r"]
    assert [r.identity for r in site(rules, as_of=date(2026, 7, 1)).rules] == ["p/d"]
    policy = f'policy p "P" {{ from both {rules} }}'
    found = {d.code for d in compilation_of(policy, INVENTORY, date(2026, 7, 1)).diagnostics}
    assert {"W0506", "W0507"} <= found
    assert not {"W0506", "W0507"} & {d.code for d in compilation_of(policy, INVENTORY, date(2026, 6, 30)).diagnostics}


def test_an_unbound_group_gets_no_closing_deny_unless_that_is_allowed_aloud():
    inventory = "groups: {open: {}}\nfirewalls:\n  fw: {target: iptables, %s settings: {mode: gateway, %s}}\n"
    rule = 'allow r "R" { to a.io ports 443 }'
    for entry, setting, closing in (
        ("", "", False),
        ("unbound: allowed,", "", True),
        ("unbound: allowed,", "default-deny: false", False),
    ):
        found = site(rule, "fw", "from open", inventory % (entry, setting))
        assert found.closing_deny is closing
        assert found.groups[0].addresses is ANY


def test_an_object_holds_a_group_only_where_it_exists():
    rule = 'allow r "R" { to a.io ports 443 }'
    inventory = INVENTORY.replace("groups: [berlin, munich],", "groups: [object],")
    group = site(rule, head="from object", inventory=inventory).groups[0]
    assert (group.object_name, group.is_unbound, group.addresses.is_empty) == ("AG-X", False, True)
    elsewhere = inventory.replace("[berlin]", "[object]")
    group = site(rule, "one", "from object", elsewhere).groups[0]
    assert (group.object_name, group.is_unbound) == (None, True)


def test_the_inventory_replaces_a_kind_of_binding_and_leaves_the_others():
    policy = """service-account acc "A" { linux-user u windows-service S windows-account N }
    policy p "P" { from both as acc allow r "R" { to a.io ports 443 } }"""
    inventory = INVENTORY + "service-accounts: {acc: {windows-service: [T, V]}}\n"
    (account,) = everything_of(policy, inventory).rules[0].accounts
    assert dict(account.bindings) == {
        "windows-account": ("N",),
        "windows-service": ("T", "V"),
        "linux-user": ("u",),
    }


def test_a_group_that_rules_name_and_no_firewall_governs():
    policy = 'policy p "P" { from both open allow r "R" { to a.io ports 443 } allow s "S" { to b.io ports 443 } }'
    found = [d for d in compilation_of(policy, INVENTORY).diagnostics if d.code == "W0515"]
    assert [(d.span.text, d.level) for d in found] == [("open", Level.WARNING)]
    assert "2 rules" in found[0].message
    narrowed = compilation_of(policy, INVENTORY, firewalls=("edge",)).diagnostics
    assert not [d for d in narrowed if d.code == "W0515"], "a part of the firewalls says nothing about the rest"


def test_a_firewall_that_no_rule_is_for():
    policy = 'policy p "P" { from munich allow r "R" { to a.io ports 443 } }'
    found = [d for d in compilation_of(policy, INVENTORY).diagnostics if d.code == "W0516"]
    assert [("`hosts/berlin`" in d.message, "`one`" in d.message) for d in found] == [(True, False), (False, True)]
    assert all("denies everything" in d.label for d in found)


@pytest.mark.parametrize(
    ("rules", "help_text"),
    [
        ("p/r", None),
        ("p/*", None),
        ("*", None),
        ("p/rr", "did you mean `p/r`?"),
        ("q-*/*", "a rule is `POLICY/RULE` or `POLICY/INCLUDED/RULE`"),
    ],
)
def test_an_acceptance_that_no_rule_matches_is_said(rules, help_text):
    policy = 'policy p "P" { from munich allow r "R" { to a.io ports 443 } }'
    accept = f"accept: [{{reason: account, rules: '{rules}'}}]"
    found = compilation_of(policy, INVENTORY.replace("target: paloalto", f"target: paloalto, {accept}")).diagnostics
    told = [(d.span.text, d.level, d.help) for d in found if d.code == "W0517"]
    assert told == ([] if help_text is None else [(f"'{rules}'", Level.WARNING, help_text)])


def test_an_unknown_group_is_said_also_beside_errors_of_the_policy():
    policy = 'policy p "P" { from bth allow r "R" { to nowhere ports 443 } }'
    found = compilation_of(policy, INVENTORY).diagnostics
    assert [(d.code, d.help) for d in found if d.level is Level.ERROR] == [
        ("E0503", "did you mean `both`?"),
        ("E0207", found[-1].help),
    ]


def test_parts_are_sorted_by_key_and_keys_do_not_depend_on_positions():
    policy = 'policy b "B" { from both allow y "Y" { to a.io ports 443 } allow x "X" { to b.io ports 443 } }'
    other = 'policy b "B" { from both allow x "X" { to b.io ports 443 } allow y "Y" { to a.io ports 443 } }'
    one, two = everything_of(policy, INVENTORY), everything_of(other, INVENTORY)
    assert [r.key for r in one.rules] == [r.key for r in two.rules] == ["b/x", "b/y"]


PUBLISHED = (
    '{"changeNumber": 1, "cloud": "Public", "values": [{"name": "Sql", "id": "Sql", "properties": '
    '{"addressPrefixes": ["203.0.113.0/25", "2001:db8::/48"], "region": "", "systemService": "Sql"}}]}'
)


@pytest.mark.parametrize(
    ("to", "left"),
    [
        ("service-tag Sql except 203.0.113.0/24 2001:db8::/32", False),
        ("service-tag SQL except 203.0.113.0/25", True),
        ("203.0.113.0/26 except service-tag sql", False),
        ("203.0.113.0/24 except service-tag sql", True),
    ],
)
def test_a_rule_whose_exceptions_leave_nothing_of_a_published_tag_is_an_error(to, left):
    inventory = (
        "groups: {g: {networks: [10.0.0.1]}}\nservice-tags: tags.json\nfirewalls: {h: {target: windows-firewall}}\n"
    )
    policy = f'policy p "P" {{ from g allow r "R" {{ to {to} ports 443/tcp }} allow s "S" {{ to 192.0.2.1 ports 443/tcp }} }}'
    result = compilation_of(policy, inventory, tags__json=PUBLISHED)
    codes = [d.code for d in result.diagnostics if d.level is Level.ERROR]
    assert ("E0505" in codes) is not left


SLIPPED = """policy p "P" {
    from berlin
    no-tls-inspecton
    allow r "R" {
        from berlin munich
             fature setup
        to a.test.io ports 443
    }
}
"""


def test_a_misspelt_setting_among_groups_is_told_by_the_inventory_once():
    found = [d for d in compilation_of(SLIPPED, INVENTORY).diagnostics if d.level is Level.ERROR]
    assert [(d.code, d.span.text, d.help) for d in found] == [
        ("E0503", "no-tls-inspecton", "did you mean the setting `no-tls-inspection`?"),
        ("E0503", "fature", "did you mean the setting `feature`?"),
    ]


def test_without_an_inventory_a_group_called_nearly_like_a_setting_is_a_warning():
    found = [d for d in compilation_of(SLIPPED, None, targets=("paloalto",)).diagnostics if d.code == "W0519"]
    assert [(d.span.text, d.level) for d in found] == [("no-tls-inspecton", Level.WARNING), ("fature", Level.WARNING)]


def test_a_group_may_be_called_nearly_like_a_setting_wherever_it_stands():
    """Line ends mean nothing, and the inventory says what is a group."""
    inventory = (
        "groups: {a: {networks: [10.0.0.1]}, features: {networks: [10.0.0.2]}, tickets: {networks: [10.0.0.3]}}\n"
    )
    inventory += "firewalls: {h: {target: windows-firewall}}\n"
    policy = 'policy p "P" {\nfrom a\nfeatures\ntickets\nallow r "R" { to 203.0.113.1 ports 443 } }'
    result = compilation_of(policy, inventory)
    assert not [d for d in result.diagnostics if d.level is not Level.NOTE]
    assert [build.site.name for build in result.builds] == ["h/a", "h/features", "h/tickets"]
