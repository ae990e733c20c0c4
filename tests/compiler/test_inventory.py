"""The inventory: the model, and every mistake with its place. « stands before the place where one is expected."""

from __future__ import annotations

import json
import random
import re
from datetime import date
from itertools import combinations
from pathlib import Path

import pytest
from growth import assert_near_linear

from egressc.addresses import AddressSet, parse_addresses, union_of
from egressc.anything import ANY
from egressc.diagnostics import Diagnostic
from egressc.inventory import DEFAULT_INTERNAL, Acceptance, empty_inventory, unnamed_firewall
from egressc.load_inventory import load
from egressc.policy import BINDING_KINDS
from egressc.schema_check import load_schema
from egressc.source import Source
from egressc.targets.registry import load_target

TARGETS = ("azure-firewall", "iptables", "paloalto", "windows-firewall")
REASONS = ("account", "source", "path", "resolved-address", "apex", "depth", "default")
TAGS = json.dumps(
    {
        "changeNumber": 123,
        "cloud": "Public",
        "values": [{"name": "AzureMonitor", "id": "x", "properties": {"addressPrefixes": ["192.0.2.0/24"]}}],
    }
).encode()

# the example of the contract, as it stands there
EXAMPLE = r"""groups:                                   # who: what `from` names
  connectors:
    description: Private network connectors, Dublin
    networks: [10.20.0.10, 10.20.0.11, "2001:db8:20::/64"]
    parameters: {region: [northeurope, westeurope]}
    features: [installation]
    objects: {paloalto: AG-CONNECTORS}    # an object that exists already, used instead of networks; taken to hold the same, and said so
  all-connectors: {members: [connectors, connectors-azure]}

internal-networks: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 169.254.0.0/16, "fc00::/7", "fe80::/10"]   # the default

service-accounts:                         # what a logical account is called here; replaces that kind of binding, one value or a list
  entra-connector: {directory-user: 'CONTOSO\wapc$', linux-user: 997}

service-tags: ServiceTags_Public.json     # Azure's published file

firewalls:                                # where: one artefact folder each
  dublin-edge:
    target: paloalto
    groups: [connectors]                  # the groups that this firewall governs; left out: all
    accept:                               # approximations accepted here: a reason, or one with its scope, its why and its end
      - {reason: account, rules: 'dublin-*/*', why: 'RISK-112', until: 2027-01-01}
    settings: {version: "10.1", from-zone: trust, to-zone: untrust}
"""


def run(text, read_file=lambda _path: TAGS):
    return load(Source.of("inventory.yaml", text), read_file, known_targets=TARGETS, known_reasons=REASONS)


def good(text):
    inventory, problems = run(text)
    assert problems == ()
    return inventory


def addresses(*texts):
    return union_of(parse_addresses(text) for text in texts)


def test_the_example_of_the_contract_names_one_group_that_it_does_not_show():
    inventory, (problem,) = run(EXAMPLE)
    assert inventory is None
    assert (problem.code, problem.span.text, problem.span.line, problem.span.column) == (
        "E0423",
        "connectors-azure",
        8,
        42,
    )


def test_the_example_of_the_contract():
    inventory = good(EXAMPLE.replace("  all-connectors", "  connectors-azure: {}\n  all-connectors"))
    connectors, azure, union = inventory.groups
    assert (connectors.name, connectors.description) == ("connectors", "Private network connectors, Dublin")
    assert connectors.networks == addresses("10.20.0.10-10.20.0.11", "2001:db8:20::/64")
    assert connectors.parameters == (("region", ("northeurope", "westeurope")),)
    assert connectors.values_of("region") == ("northeurope", "westeurope")
    assert connectors.values_of("tenant") == ()
    assert connectors.features == {"installation"}
    assert connectors.object_for("paloalto") == "AG-CONNECTORS"
    assert connectors.object_for("iptables") is None
    assert (connectors.is_union, connectors.is_unbound) == (False, False)
    assert (azure.networks, azure.is_union, azure.is_unbound) == (None, False, True)
    assert (union.members, union.is_union, union.is_unbound) == (("connectors", "connectors-azure"), True, False)
    assert inventory.internal == DEFAULT_INTERNAL
    assert [(a.account, a.kind, a.values) for a in inventory.accounts] == [
        ("entra-connector", "directory-user", ("CONTOSO\\wapc$",)),
        ("entra-connector", "linux-user", ("997",)),
    ]
    assert inventory.values_of("entra-connector", "linux-user") == ("997",)
    assert inventory.values_of("entra-connector", "linux-cgroup") is None
    assert inventory.service_tags.change_number == 123
    assert inventory.service_tags.tags["azuremonitor"] == addresses("192.0.2.0/24")
    (firewall,) = inventory.firewalls
    assert (firewall.name, firewall.target, firewall.groups) == ("dublin-edge", "paloalto", ("connectors",))
    assert firewall.settings.value == {"version": "10.1", "from-zone": "trust", "to-zone": "untrust"}
    assert firewall.settings.span_of(["version"]).text == '"10.1"'
    assert firewall.unbound_allowed is False
    (accept,) = firewall.accept
    assert (accept.reason, accept.rules, accept.why, accept.until) == (
        "account",
        "dublin-*/*",
        "RISK-112",
        date(2027, 1, 1),
    )
    assert inventory.group("connectors") is connectors
    assert inventory.group("other") is None
    assert inventory.firewall("dublin-edge") is firewall
    assert inventory.firewall("other") is None


def test_spans_that_the_binder_needs():
    inventory = good(
        "groups:\n"
        "  a: {features: [f, g], parameters: {p: v, q: [w, x]}, objects: {iptables: y}}\n"
        "  u: {members: [a]}\n"
        "service-accounts: {acc: {linux-user: [1, z]}}\n"
        "firewalls: {fw: {target: iptables, groups: [u], accept: [path, {reason: apex}]}}\n"
    )
    group = inventory.group("a")
    assert group.span.text == "a"
    assert [(name, span.text) for name, span in group.feature_spans] == [("f", "f"), ("g", "g")]
    assert [(key.text, [v.text for v in values]) for key, values in group.parameter_spans] == [
        ("p", ["v"]),
        ("q", ["w", "x"]),
    ]
    assert [span.text for span in group.object_spans] == ["y"]
    (override,) = inventory.accounts
    assert (override.account_span.text, override.span.text) == ("acc", "linux-user")
    assert (override.values, [s.text for s in override.value_spans]) == (("1", "z"), ["1", "z"])
    (firewall,) = inventory.firewalls
    assert (firewall.span.text, [s.text for s in firewall.group_spans]) == ("fw", ["u"])
    assert [a.span.text for a in firewall.accept] == ["path", "apex"]


def test_internal_networks_left_out_empty_and_given():
    assert good("{}").internal == DEFAULT_INTERNAL
    assert good("internal-networks: []").internal == AddressSet()
    assert good("internal-networks: [192.0.2.0/24]").internal == addresses("192.0.2.0/24")
    default = (
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "fc00::/7",
        "fe80::/10",
    )
    assert addresses(*default) == DEFAULT_INTERNAL


def test_sections_may_be_empty_or_without_a_value():
    for text in ("{}", "groups:\nservice-accounts:\nfirewalls:\n", "groups: {}\nservice-accounts: {}\nfirewalls: {}\n"):
        inventory = good(text)
        assert (inventory.groups, inventory.accounts, inventory.firewalls) == ((), (), ())
        assert inventory.service_tags is None


def test_a_firewall_without_groups_governs_all():
    inventory = good("groups: {a: {}, b: {}, u: {members: [a]}}\nfirewalls: {fw: {target: iptables}}\n")
    (firewall,) = inventory.firewalls
    assert firewall.groups is ANY
    assert [g.name for g in inventory.leaves(firewall.groups)] == ["a", "b"]


def test_settings_left_out_are_an_empty_mapping_at_the_name():
    inventory = good("firewalls:\n  a: {target: iptables}\n  b: {target: iptables, settings: }\n")
    first, second = inventory.firewalls
    assert (first.settings.value, first.settings.key_span.text) == ({}, "a")
    assert (second.settings.value, second.settings.key_span.text) == ({}, "settings")


def test_unbound_is_allowed_only_aloud():
    inventory = good("firewalls: {a: {target: iptables, unbound: allowed}, b: {target: iptables}}")
    assert [f.unbound_allowed for f in inventory.firewalls] == [True, False]


def test_an_object_alone_binds_a_group():
    group = good("groups: {a: {objects: {paloalto: X}}}").group("a")
    assert (group.networks, group.is_unbound) == (None, False)


def test_leaves_are_expanded_in_the_order_of_the_inventory():
    inventory = good(
        "groups: {top: {members: [c, mid]}, a: {}, mid: {members: [b, a]}, b: {}, c: {}, d: {}}\nfirewalls: {}\n"
    )
    assert [g.name for g in inventory.leaves(["top"])] == ["a", "b", "c"]
    assert [g.name for g in inventory.leaves(["d", "mid", "d"])] == ["a", "b", "d"]
    assert [g.name for g in inventory.leaves(ANY)] == ["a", "b", "c", "d"]
    assert inventory.leaves(["nothing"]) == ()
    assert inventory.leaves([]) == ()


def test_what_an_acceptance_covers():
    def covers(rules, identity):
        return Acceptance(reason="path", rules=rules, span=None).covers(identity)

    assert covers("*", "a/b/c")
    assert covers("dublin-*/*", "dublin-connectors/mfa")
    assert covers("dublin-*/*", "dublin-connectors/entra/mfa")
    assert covers("*/mf?", "a/mfa")
    assert covers("a/b", "a/b")
    assert not covers("a/b", "a/bc")
    assert not covers("dublin-*/*", "cork/mfa")


def test_without_an_inventory():
    inventory = empty_inventory()
    assert (inventory.source, inventory.groups, inventory.firewalls) == (None, (), ())
    assert inventory.internal == DEFAULT_INTERNAL
    firewall = unnamed_firewall("iptables")
    assert (firewall.name, firewall.target, firewall.groups) == ("iptables", "iptables", ANY)
    assert (firewall.settings.value, firewall.span) == ({}, None)


def test_aliases_may_share_values():
    inventory = good(
        "groups:\n  a: {networks: &n [192.0.2.1], features: &f [x]}\n  b: {networks: *n, features: *f}\n"
        "firewalls:\n  one: {target: iptables, groups: [a], settings: &s {mode: host}}\n"
        "  two: {target: iptables, groups: [b], settings: *s}\n"
    )
    assert inventory.group("a").networks == inventory.group("b").networks
    assert inventory.firewall("two").settings.value == {"mode": "host"}


def test_the_schema_knows_every_kind_of_binding():
    schema = load_schema("egressc.grammar", "inventory.schema.json")
    assert tuple(schema["$defs"]["account"]["properties"]) == BINDING_KINDS


FW = "firewalls: {fw: {target: iptables, "
PROXY = "groups: {g: "
MALFORMED = {
    # keys
    "unknown key at the top": ("«group: {}\n", "E0410"),
    "unknown key of a group": ("groups:\n  a:\n    «netwroks: [10.0.0.1]\n", "E0410"),
    "unknown key of a firewall": (FW + "«setings: {}}}\n", "E0410"),
    "unknown key of an acceptance": (FW + "accept: [{reason: path, «rule: a/b}]}}\n", "E0410"),
    "unknown kind of account": ("service-accounts: {a: {«windows-user: x}}\n", "E0410"),
    "key twice": ("groups:\n  a: {}\n  «a: {}\n", "E0401"),
    "key twice in settings": (FW + "settings: {mode: host, «mode: gateway}}}\n", "E0401"),
    "firewall without target": ("firewalls:\n  «fw: {groups: «[]}\n", "E0411 E0416"),
    "acceptance without reason": (FW + "accept: [{«why: x}]}}\n", "E0411"),
    "merge key": ("groups: {a: &a {features: [x]}, b: {«<<: *a}}\n", "E0409"),
    # kinds of values
    "groups as a list": ("groups: «[a, b]\n", "E0412"),
    "firewalls as a list": ("firewalls:\n  «- target: iptables\n", "E0412"),
    "group without a value": ("groups:\n  «a:\n", "E0412"),
    "group as a list": ("groups:\n  a: «[10.0.0.1]\n", "E0412"),
    "networks as text": ("groups: {a: {networks: «10.0.0.0/8}}\n", "E0412"),
    "networks without a value": ("groups:\n  a:\n    «networks:\n", "E0412"),
    "empty networks": ("groups: {a: {networks: «[]}}\n", "E0416"),
    "network as a number": ("groups: {a: {networks: [«10.1]}}\n", "E0412"),
    "network as a mapping, by a missing quote": ("groups: {a: {networks: [10.0.0.1, «fe80::]}}\n", "E0412"),
    "internal networks without a value": ("«internal-networks:\n", "E0412"),
    "description as a number": ("groups: {a: {description: «5}}\n", "E0412"),
    "features as text": ("groups: {a: {features: «installation}}\n", "E0412"),
    "no members": ("groups: {a: {members: «[]}}\n", "E0416"),
    "members as text": ("groups: {a: {members: «b}, b: {}}\n", "E0412"),
    "parameter as a mapping": ("groups: {a: {parameters: {p: «{a: b}}}}\n", "E0412"),
    "parameter as a number": ("groups: {a: {parameters: {p: [x, «10]}}}\n", "E0412"),
    "parameter without values": ("groups: {a: {parameters: {p: «[]}}}\n", "E0416"),
    "parameter with an empty value": ("groups: {a: {parameters: {p: «''}}}\n", "E0414"),
    "parameter with a wildcard": ("groups: {a: {parameters: {p: «'*'}}}\n", "E0414"),
    "parameter with a slash": ("groups: {a: {parameters: {p: [«a/b]}}}\n", "E0414"),
    "object as a list": ("groups: {a: {objects: {paloalto: «[X]}}}\n", "E0412"),
    "object with a line break": ('groups: {a: {objects: {paloalto: «"X\\nY"}}}\n', "E0414"),
    "object with a blank at its end": ("groups: {a: {objects: {paloalto: «'X '}}}\n", "E0414"),
    "account without a binding": ("service-accounts: {a: «{}}\n", "E0416"),
    "account as text": ("service-accounts: {a: «wapc}\n", "E0412"),
    "account with an empty list": ("service-accounts: {a: {linux-user: «[]}}\n", "E0416"),
    "negative user number": ("service-accounts: {a: {linux-user: «-1}}\n", "E0415"),
    "octal user number": ("service-accounts: {a: {linux-user: «010}}\n", "E0414"),
    "fraction as user": ("service-accounts: {a: {linux-user: «1.5}}\n", "E0412"),
    "truth value as user": ("service-accounts: {a: {linux-user: «true}}\n", "E0412"),
    "number as a service": ("service-accounts: {a: {windows-service: «5}}\n", "E0412"),
    "account with an escape": ('service-accounts: {a: {windows-account: «"NT AUTHORITY\\NETWORK SERVICE"}}\n', "E0402"),
    "service with a slash": ("service-accounts: {a: {windows-service: «a/b}}\n", "E0236"),
    "root of all cgroups, in a list": ("service-accounts: {a: {linux-cgroup: [x.slice, «/]}}\n", "E0236"),
    "account with a blank is one mistake": ("service-accounts: {a: {windows-service: «'a '}}\n", "E0414"),
    "unknown kind beside a wrong value": (
        "service-accounts: {a: {«windows-servcie: x, linux-cgroup: «/}}\n",
        "E0410 E0236",
    ),
    "tag on a value of another kind": ("groups: «!!set [a]\n", "E0406"),
    "path with an escape": ('service-tags: «"a\\0b"\n', "E0402"),
    "service tags as a mapping": ("service-tags: «{file: x}\n", "E0412"),
    "service tags without a name": ("service-tags: «''\n", "E0414"),
    "settings as text": (FW + "settings: «host}}\n", "E0412"),
    "no groups": (FW + "groups: «[]}}\n", "E0416"),
    "accept as text": (FW + "accept: «path}}\n", "E0412"),
    "acceptance as a number": (FW + "accept: [«5]}}\n", "E0412"),
    "unbound with another word": (FW + "unbound: «yes}}\n", "E0413"),
    "unbound as a truth value": (FW + "unbound: «true}}\n", "E0413"),
    "target as a number": ("firewalls: {fw: {target: «5}}\n", "E0412"),
    # names
    "group in capitals": ("groups: {«Connectors: {}}\n", "E0333"),
    "group that begins with a digit": ("groups: {«1a: {}}\n", "E0333"),
    "group with an underscore": ("groups:\n  «a_b: {}\n", "E0333"),
    "group that is too long": ("groups: {" + "a" * 63 + "«a: {}}\n", "E0333"),
    "group that is called any": ("groups: {«any: {}}\n", "E0334"),
    "group that is called any-group": ("groups: {«any-group: {}}\n", "E0334"),
    "firewall with a slash": ("firewalls: {«a/b: {target: iptables}}\n", "E0333"),
    "firewall with dots": ("firewalls: {«..: {target: iptables}}\n", "E0333"),
    "firewall with a reserved name": ("firewalls: {«policy: {target: iptables}}\n", "E0334"),
    "account in capitals": ("service-accounts: {«Entra: {linux-user: a}}\n", "E0333"),
    "account with a reserved name": ("service-accounts: {«linux-user: {linux-user: a}}\n", "E0334"),
    "parameter with a reserved name": ("groups: {a: {parameters: {«labels: x}}}\n", "E0334"),
    "parameter in capitals": ("groups: {a: {parameters: {«Region: x}}}\n", "E0333"),
    "feature with a blank": ("groups: {a: {features: [«x y]}}\n", "E0333"),
    "feature with a reserved name": ("groups: {a: {features: [x, «off]}}\n", "E0334"),
    # references
    "unknown member": ("groups: {dublin: {}, u: {members: [«dublim]}}\n", "E0423"),
    "unknown group of a firewall": ("groups: {a: {}}\n" + FW + "groups: [a, «b]}}\n", "E0423"),
    "unknown group, no groups at all": (FW + "groups: [«b]}}\n", "E0423"),
    "member twice": ("groups: {a: {}, u: {members: [a, «a]}}\n", "E0424"),
    "group of a firewall twice": ("groups: {a: {}}\n" + FW + "groups: [a, «a]}}\n", "E0424"),
    "union with networks": ("groups: {a: {}, u: {members: [a], «networks: [10.0.0.1]}}\n", "E0425"),
    "union with features and objects": ("groups: {a: {}, u: {«features: [x], objects: {}, members: [a]}}\n", "E0425"),
    "union with parameters": ("groups: {a: {}, u: {members: [a], «parameters: {p: x}}}\n", "E0425"),
    "union with a proxy": (
        "groups: {a: {}, u: {members: [a], «proxy: {address: 10.1.1.5, port: 8080}}}\n",
        "E0425",
    ),
    "union of itself": ("groups: {u: {members: [«u]}}\n", "E0426"),
    "unions in a circle": ("groups: {a: {members: [b]}, b: {members: [c]}, c: {members: [«a]}}\n", "E0426"),
    "two circles": ("groups: {a: {members: [«a, b]}, b: {members: [«a]}}\n", "E0426 E0426"),
    "unknown target": ("firewalls: {fw: {target: «palo-alto}}\n", "E0428"),
    "object for an unknown target": ("groups: {a: {objects: {«palo: X}}}\n", "E0429"),
    "unknown reason": (FW + "accept: [«accounts]}}\n", "E0430"),
    "unknown reason with its scope": (FW + "accept: [{rules: a/b, reason: «pth}]}}\n", "E0430"),
    # addresses
    "host bits": ("groups: {a: {networks: [«10.0.0.1/8]}}\n", "E0306"),
    "host bits in internal networks": ("internal-networks: [10.0.0.0/8, «172.16.0.1/12]\n", "E0306"),
    "no address": ("groups: {a: {networks: [«everywhere]}}\n", "E0303"),
    "host name": ("groups: {a: {networks: [«host.example.com]}}\n", "E0303"),
    "part above 255": ("groups: {a: {networks: ['10.0.0.«256']}}\n", "E0303"),
    "leading zero": ("groups: {a: {networks: [10.0.0.«01]}}\n", "E0304"),
    "prefix too long": ("groups: {a: {networks: [10.0.0.0/«33]}}\n", "E0305"),
    "reversed range": ("groups: {a: {networks: [«10.0.0.9-10.0.0.1]}}\n", "E0307"),
    "zone": ('groups: {a: {networks: ["fe80::1«%eth0"]}}\n', "E0309"),
    "empty address": ("groups: {a: {networks: [«'']}}\n", "E0303"),
    # dates and rules
    "day that is none": (FW + "accept: [{reason: path, until: «2027-02-30}]}}\n", "E0431"),
    "year alone": (FW + "accept: [{reason: path, until: «2027}]}}\n", "E0412"),
    "date in another form": (FW + "accept: [{reason: path, until: «30.06.2027}]}}\n", "E0414"),
    "date with a time": (FW + "accept: [{reason: path, until: «2027-01-01 10:00:00}]}}\n", "E0414"),
    "date with a line break": (
        "firewalls:\n  fw:\n    target: iptables\n    accept:\n    - reason: path\n      until: «|\n        2027-01-01\n",
        "E0414",
    ),
    "date in other digits": (FW + "accept: [{reason: path, until: «٢٠٢٧-01-01}]}}\n", "E0414"),
    "empty pattern": (FW + "accept: [{reason: path, rules: «''}]}}\n", "E0432"),
    "policy instead of rules": (FW + "accept: [{reason: path, rules: «dublin}]}}\n", "E0432"),
    "pattern with capitals": (FW + "accept: [{reason: path, rules: «Dublin/*}]}}\n", "E0432"),
    "pattern with brackets": (FW + "accept: [{reason: path, rules: «'a/[b]'}]}}\n", "E0432"),
    "pattern with too many parts": (FW + "accept: [{reason: path, rules: «a/b/c/d}]}}\n", "E0432"),
    "pattern with an empty part": (FW + "accept: [{reason: path, rules: «a//b}]}}\n", "E0432"),
    "pattern as a list": (FW + "accept: [{reason: path, rules: «[a/b]}]}}\n", "E0412"),
    # proxies
    "proxy without a port": (PROXY + "{«proxy: {address: 10.1.1.5}}}\n", "E0411"),
    "proxy without an address": (PROXY + "{«proxy: {port: 8080}}}\n", "E0411"),
    "proxy as text": (PROXY + "{proxy: «10.1.1.5:8080}}\n", "E0412"),
    "proxy without a value": (PROXY + "{«proxy: }}\n", "E0412"),
    "unknown key of a proxy": (PROXY + "{proxy: {address: 10.1.1.5, port: 8080, «bypas: [m]}}}\n", "E0410"),
    "port 0 of a proxy": (PROXY + "{proxy: {address: 10.1.1.5, port: «0}}}\n", "E0415"),
    "port 65536 of a proxy": (PROXY + "{proxy: {address: 10.1.1.5, port: «65536}}}\n", "E0415"),
    "port of a proxy as text": (PROXY + "{proxy: {address: 10.1.1.5, port: «'8080'}}}\n", "E0412"),
    "port of a proxy as a truth value": (PROXY + "{proxy: {address: 10.1.1.5, port: «true}}}\n", "E0412"),
    "address of a proxy as a number": (PROXY + "{proxy: {address: «10.1, port: 8080}}}\n", "E0412"),
    "no address of a proxy": (PROXY + "{proxy: {address: «[], port: 8080}}}\n", "E0416"),
    "address of a proxy without text": (PROXY + "{proxy: {address: «'', port: 8080}}}\n", "E0414"),
    "network of proxies": (PROXY + "{proxy: {address: «10.1.1.0/24, port: 8080}}}\n", "E0439"),
    "range of proxies": (PROXY + "{proxy: {address: [10.1.1.5, «10.1.1.6-10.1.1.9], port: 8080}}}\n", "E0439"),
    "name of a proxy": (PROXY + "{proxy: {address: «proxy.corp.example, port: 8080}}}\n", "E0439"),
    "loopback as a proxy": (PROXY + '{proxy: {address: [«127.0.0.1, «"::1"], port: 8080}}}\n', "E0439 E0439"),
    "no host as a proxy": (PROXY + '{proxy: {address: [«0.0.0.0, «"::"], port: 8080}}}\n', "E0439 E0439"),
    "multicast as a proxy": (PROXY + '{proxy: {address: [«224.0.0.1, «"ff02::1"], port: 8080}}}\n', "E0439 E0439"),
    "proxy of another IP version": (
        PROXY + '{networks: [10.20.0.0/24], proxy: {address: «"2001:db8::5", port: 8080}}}\n',
        "E0439",
    ),
    "proxy behind itself": (
        PROXY + "{networks: [10.1.0.0/16], proxy: {address: [10.2.1.5, «10.1.1.5], port: 8080}}}\n",
        "E0439",
    ),
    "address of a proxy above 255": (PROXY + "{proxy: {address: 10.1.1.«300, port: 8080}}}\n", "E0303"),
    "address of a proxy twice": (
        PROXY + '{proxy: {address: ["2001:DB8::5", «"2001:db8:0::5"], port: 8080}}}\n',
        "E0440",
    ),
    "bypass as text": (PROXY + "{proxy: {address: 10.1.1.5, port: 8080, bypass: «media}}}\n", "E0412"),
    "bypass with a number": (PROXY + "{proxy: {address: 10.1.1.5, port: 8080, bypass: [a, «5]}}}\n", "E0412"),
    "bypass with empty text": (PROXY + "{proxy: {address: 10.1.1.5, port: 8080, bypass: [«'']}}}\n", "E0414"),
    "bypass with the same twice": (PROXY + "{proxy: {address: 10.1.1.5, port: 8080, bypass: [a, «a]}}}\n", "E0440"),
    # shared addresses
    "shared address": (
        "groups:\n  a: {networks: [10.0.0.0/8]}\n  b: {networks: [192.0.2.1, «10.1.2.3]}\n" + FW + "groups: [a, b]}}\n",
        "E0427",
    ),
    "shared address, all groups": (
        'groups:\n  a: {networks: ["2001:db8::/32"]}\n  b: {networks: [«"2001:db8:1::/48"]}\n' + FW + "}}\n",
        "E0427",
    ),
    "shared address through a union": (
        "groups:\n  a: {networks: [10.0.0.1]}\n  b: {networks: [«10.0.0.1]}\n  u: {members: [b]}\n"
        + FW
        + "groups: [u, a]}}\n",
        "E0427",
    ),
    "three groups": (
        "groups:\n  a: {networks: [10.0.0.0/8]}\n  b: {networks: [«10.1.0.0/16]}\n  c: {networks: [«10.2.0.0/16]}\n"
        + FW
        + "groups: [a, b, c]}}\n",
        "E0427 E0427",
    ),
    "shared object": (
        "groups:\n  a: {objects: {iptables: X}}\n  b: {objects: {paloalto: X, iptables: «X}}\n" + FW + "}}\n",
        "E0427",
    ),
    # several
    "seven mistakes of seven kinds": (
        (
            "groups:\n  «Con: {}\n  b: {networks: [«10.0.0.1/8], «colour: red}\n  c: {members: [«d]}\n"
            "service-accounts: {x: {linux-user: «-1}}\nfirewalls:\n  «fw: {groups: [b]}\n  fw2: {target: «ipt}\n"
        ),
        "E0333 E0306 E0410 E0423 E0415 E0411 E0428",
    ),
}


def test_a_group_behind_a_proxy():
    text = (
        "groups:\n  a: {networks: [10.20.0.0/24], proxy: {port: 8080, address: 10.1.1.5, bypass: [media, 'p/*']}}\n"
        '  b: {proxy: {address: [10.1.1.6, "2001:DB8::5"], port: 65535}}\n  c: {}\n'
    )
    inventory = good(text)
    # Of several addresses one of the group's IP version is enough.
    good('groups: {a: {networks: [10.20.0.0/24], proxy: {address: [10.1.1.6, "2001:db8::5"], port: 8080}}}\n')
    one, two, none = (group.proxy for group in inventory.groups)
    assert none is None
    assert (one.addresses, one.port, one.text) == (("10.1.1.5",), 8080, "10.1.1.5:8080")
    assert [(item.text, item.is_pattern, item.span.text) for item in one.bypass] == [
        ("media", False, "media"),
        ("p/*", True, "'p/*'"),
    ]
    assert (one.span.text, one.port_span.text) == ("proxy", "8080")
    assert [span.text for span in one.address_spans] == ["10.1.1.5"]
    # In the order of the file, in their usual spelling; what is left out is nothing.
    assert (two.addresses, two.port, two.bypass) == (("10.1.1.6", "2001:db8::5"), 65535, ())
    assert two.address_set == addresses("10.1.1.6", "2001:db8::5")
    assert two.text == "10.1.1.6:65535 or [2001:db8::5]:65535"


@pytest.mark.parametrize(
    ("pattern", "identity", "covers"),
    [
        ("p/*", "p/q/r", True),
        ("p/w", "p/w", True),
        ("p/w?", "p/web", False),
        ("*", "p/w", True),
        ("p/[w]", "p/w", False),
        ("w", "w", False),
    ],
)
def test_an_item_of_a_bypass_that_names_rules(pattern, identity, covers):
    text = f"groups: {{a: {{proxy: {{address: 10.1.1.5, port: 8080, bypass: ['{pattern}']}}}}}}\n"
    (item,) = good(text).groups[0].proxy.bypass
    assert item.covers(identity) is covers


def test_an_acceptance_may_be_for_the_rule_to_a_proxy():
    inventory = good(FW + "accept: [{reason: source, rules: inventory_proxy/*}]}}\n")
    assert inventory.firewalls[0].accept[0].covers("inventory_proxy/connectors")


@pytest.mark.parametrize("case", MALFORMED)
def test_each_mistake_is_reported_once_at_its_place(case):
    marked, codes = MALFORMED[case]
    parts = marked.split("«")
    text = "".join(parts)
    places = []
    for i in range(1, len(parts)):
        before = "".join(parts[:i])
        places.append((before.count("\n") + 1, len(before) - before.rfind("\n")))
    inventory, problems = run(text)
    assert inventory is None
    found = [(d.code, d.span.line, d.span.column) for d in problems]
    assert found == [(code, *place) for code, place in zip(codes.split(), places, strict=True)]
    for problem in problems:
        assert problem.message
        assert not problem.message.endswith(".")
        assert (problem.message + problem.label + problem.help).isprintable()


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("groups: {connectors: {}, u: {members: [conectors]}}\n", "`connectors`"),
        ("groups: {connectors: {}}\n" + FW + "groups: [conectors]}}\n", "`connectors`"),
        ("firewalls: {fw: {target: palo-alto}}\n", "`paloalto`"),
        ("groups: {a: {objects: {ip-tables: x}}}\n", "`iptables`"),
        (FW + "accept: [resolved-adress]}}\n", "`resolved-address`"),
        ("groups: {a: {netwroks: [10.0.0.1]}}\n", "`networks`"),
        ("groups: {Connectors: {}}\n", "`connectors`"),
        ("service-accounts: {a: {linux_user: x}}\n", "`linux-user`"),
    ],
)
def test_near_names_are_suggested(text, suggestion):
    _, (problem,) = run(text)
    assert suggestion in problem.help


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("groups: {a: {networks: [10.1]}}\n", "such as `10.20.0.10`, "),
        ("service-accounts: {a: {linux-user: 997.0}}\n", "a name does not begin with a digit"),
        ("service-accounts: {a: {windows-service: 5}}\n", 'quote it: "5"'),
        ("service-accounts:\n  a:\n", ""),
        ("firewalls:\n  a:\n", ""),
        ("groups:\n  a:\n", "write `{}`"),
        ("groups:\n  a:\n    networks:[10.0.0.1]\n", "write a blank behind the `:`: `networks: …`"),
    ],
)
def test_the_help_says_what_would_be_accepted(text, words):
    _, (problem,) = run(text)
    assert problem.help.startswith(words)
    assert problem.help or not words
    assert words or not problem.help


def test_an_object_is_shared_on_the_target_of_the_firewall_only():
    groups = "groups:\n  a: {objects: {paloalto: X}}\n  b: {objects: {paloalto: X}}\n"
    inventory, problems = run(groups + FW + "}}\n")
    assert inventory is not None
    assert problems == ()
    inventory, problems = run(
        groups + "firewalls: {x: {target: paloalto, groups: [a]}, y: {target: paloalto, groups: [b]}}\n"
    )
    assert inventory is not None
    assert problems == ()


def checked(text):
    """The firewalls whose settings are checked while an inventory is read."""
    seen = []

    def check(firewall):
        seen.append(firewall.name)
        return [Diagnostic(code="E0410", message="x", span=firewall.settings.span)]

    load(Source.of("i", text), lambda _: b"", known_targets=TARGETS, known_reasons=REASONS, check_settings=check)
    return seen


def test_settings_are_checked_here_only_in_an_inventory_that_is_refused():
    fine = "firewalls: {a: {target: iptables}, b: {target: paloalto, settings: {x: 1}}}\n"
    assert checked(fine) == []
    assert checked(fine + "groups: 5\n") == ["a", "b"]
    assert checked(fine + "firewalls: {}\n") == ["a", "b"], "a key that stands twice"


def test_settings_that_are_wrong_already_are_not_checked():
    wrong = "{a: {target: iptbles}, b: {target: iptables, settings: [x]}, c: {target: iptables, setings: {}}, d: {}}"
    assert checked(f"firewalls: {wrong}\n") == []


def test_shared_addresses_name_both_groups_and_an_address():
    _, (problem,) = run("groups:\n  a: {networks: [10.0.0.0/8]}\n  b: {networks: [10.1.2.0/24]}\n" + FW + "}}\n")
    for word in ("`a`", "`b`", "`fw`", "`10.1.2.0`"):
        assert word in problem.message
    assert [(r.span.line, r.span.text) for r in problem.related] == [(2, "10.0.0.0/8")]


@pytest.mark.parametrize(
    "text",
    [
        "groups: {a: {networks: [10.0.0.1]}, u: {members: [a]}, v: {members: [u, a]}}\n" + FW + "groups: [a, u, v]}}\n",
        (
            "groups: {a: {networks: [10.0.0.1]}, b: {networks: [10.0.0.1]}}\n"
            "firewalls: {x: {target: iptables, groups: [a]}, y: {target: iptables, groups: [b]}}\n"
        ),
        "groups: {a: {networks: [10.0.0.0/25]}, b: {networks: [10.0.0.128/25]}}\n" + FW + "}}\n",
        "groups: {a: {networks: [10.0.0.0/8, 10.1.0.0/16, 10.1.0.1]}, b: {}, c: {objects: {iptables: x}}}\n"
        + FW
        + "}}\n",
        'groups: {a: {networks: [0.0.0.1]}, b: {networks: ["::1"]}}\n' + FW + "}}\n",
    ],
)
def test_addresses_that_are_not_shared(text):
    good(text)


def test_a_pair_that_two_firewalls_govern_is_one_mistake():
    _, problems = run(
        "groups: {a: {networks: [10.0.0.1]}, b: {networks: [10.0.0.1]}}\n"
        "firewalls: {x: {target: iptables}, y: {target: iptables, groups: [b, a]}}\n"
    )
    assert [d.code for d in problems] == ["E0427"]


def test_a_pair_in_a_larger_firewall_is_the_same_mistake():
    _, problems = run(
        "groups: {a: {networks: [10.0.0.1]}, b: {networks: [10.0.0.1]}, c: {networks: [10.0.0.2]}}\n"
        "firewalls: {x: {target: iptables, groups: [a, b]}, y: {target: iptables}}\n"
    )
    assert [d.code for d in problems] == ["E0427"]


def test_shared_addresses_against_every_pair():
    generator = random.Random(7)
    for _ in range(400):
        nets = {}
        for name in "abcdef"[: generator.randint(2, 6)]:
            lows = [generator.randrange(250) for _ in range(generator.randint(1, 3))]
            nets[name] = [f"10.0.0.{low}-10.0.0.{min(low + generator.choice([0, 3, 30]), 255)}" for low in lows]
        sets = {name: addresses(*texts) for name, texts in nets.items()}
        sharing = {n for pair in combinations(nets, 2) if sets[pair[0]].overlaps(sets[pair[1]]) for n in pair}
        text = "groups:\n" + "".join(f"  {name}: {{networks: {json.dumps(texts)}}}\n" for name, texts in nets.items())
        _, problems = run(text + FW + "}}\n")
        named = {word for d in problems for word in d.message.split("`")[1:4:2]}
        assert named == sharing
        for problem in problems:
            first, second, _, example = problem.message.split("`")[1::2]
            shared = sets[first].intersection(sets[second])
            assert shared.contains(addresses(example))


def test_settings_are_left_to_the_target():
    inventory = good(FW + "settings: {no-such: [setting, 10.1, {x: yes}]}}}\n")
    assert inventory.firewalls[0].settings.value == {"no-such": ["setting", 10.1, {"x": "yes"}]}


def test_a_file_of_service_tags_that_is_not_there():
    def missing(_path):
        raise FileNotFoundError(2, "No such file or directory")

    inventory, (problem,) = run("service-tags: ServiceTags_Public.json\n", missing)
    assert inventory is None
    assert (problem.code, problem.span.line, problem.span.column) == ("E0433", 1, 15)


PAGES = sorted(Path("docs/diagnostics").glob("E04*.md"))
EXAMPLE_OF_A_PAGE = re.compile(r"^## (Wrong|Instead)\n\n```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_are_what_it_says(page):
    for kind, text in EXAMPLE_OF_A_PAGE.findall(page.read_text(encoding="utf-8")):
        whole = text
        if text.startswith("accept:"):
            whole = "firewalls:\n  a:\n    target: iptables\n" + "".join(f"    {line}\n" for line in text.splitlines())

        inventory, problems = run(whole, read_beside)
        found = [
            *problems,
            *(p for each in (inventory.firewalls if inventory else ()) for p in settings_problems(each)),
        ]
        assert {d.code for d in found} == ({page.stem} if kind == "Wrong" else set()), kind


def read_beside(path):
    """A file of service tags, unless the path leads into another folder."""
    if "/" in path:
        raise FileNotFoundError(2, "no such file or directory")
    return TAGS


def settings_problems(firewall):
    return load_target(firewall.target).load_settings(firewall.settings)[1]


def test_the_cost_grows_with_the_size_and_not_faster():
    def of(count):
        text = "groups:\n" + "".join(f"  g{i}: {{networks: [10.{i >> 8}.{i & 255}.0/24]}}\n" for i in range(count))
        text += "firewalls:\n" + "".join(f"  f{i}: {{target: iptables, groups: [g{i}]}}\n" for i in range(count))
        text += "  all: {target: iptables}\n"
        return lambda: good(text)

    assert_near_linear(of, 300, 2_400)
