"""Limits: split, warned of or refused, never cut."""

from __future__ import annotations

import json

import pytest
from azure_arm import groups, refusals, rules, template_of
from support import compilation_of, lowering_of
from test_azure_lower import inventory, policy

from egressc.targets.azure_firewall import checks, layout, limits
from egressc.targets.azure_firewall.draft import Band, Form
from egressc.targets.azure_firewall.layout import Entry, lay_out
from egressc.targets.azure_firewall.model import ApplicationRule, Protocol, ProtocolType, Sources, Verdict
from egressc.targets.azure_firewall.size import group_overhead, rule_size
from egressc.targets.registry import load_target


def codes(text, inv):
    return [d.code for d in compilation_of(text, inv).diagnostics if d.code[1:3] == "07"]


def many(count, ports="443", text=lambda n: f"h{n}.contoso.com"):
    return policy(*(f'allow r{n} "R" {{ to {text(n)} ports {ports} }}' for n in range(count)))


def body(group):
    return json.dumps({"properties": group}, separators=(",", ":"))


def rendered(text, inv):
    (build,) = compilation_of(text, inv).builds
    return template_of({a.name: a.content for a in build.render()})


def test_sizes_are_measured_as_azure_sees_them():
    text = policy(
        'allow a "Übung [1] \U0001f600" { to *.contoso.com b.example ports 443/https 80/http 5671/tls }',
        'allow b "B" { to 192.0.2.0/24 198.51.100.1-198.51.100.9 ports 53/udp 22/tcp }',
        'deny c "C" { to x.contoso.net ports 443 }',
    )
    lowering = lowering_of(text, inventory(), "f")
    template = rendered(text, inventory())
    by_name = groups(template)
    for group in lowering.model.groups:
        size = group_overhead(tuple(c.name for c in group.collections)) + sum(
            rule_size(r) for c in group.collections for r in c.rules
        )
        real = len(body(by_name[group.name]))
        assert real <= size <= real + 30 + 8 * sum(len(c.rules) for c in group.collections)


def test_groups_are_split_by_size(monkeypatch):
    for module in (layout, checks):
        monkeypatch.setattr(module, "WARN_BYTES", 5_000)
        monkeypatch.setattr(module, "MOST_BYTES", 8_000)
    template = rendered(many(40), inventory())
    found = groups(template)
    names = [name for name in found if name.startswith("egressc-allow-p")]
    assert names == ["egressc-allow-p", *(f"egressc-allow-p.{n}" for n in range(2, len(names) + 1))]
    assert len(names) > 2
    assert [found[name]["priority"] for name in names] == list(range(1400, 1400 + len(names)))
    assert all(len(body(found[name])) < 5_000 for name in names)
    assert len(rules(template)) == 41
    assert codes(many(40), inventory()) == []
    # With fewer groups than that takes, they are filled up, and it is said.
    few = inventory(f"max-rule-collection-groups: {len(names)}")
    again = groups(rendered(many(40), few))
    assert len(again) <= len(names)
    assert all(len(body(group)) < 8_000 for group in again.values())
    assert set(codes(many(40), few)) == {"W0738"}
    assert codes(many(40), inventory("max-rule-collection-groups: 2")) == ["E0735"]


def test_a_rule_larger_than_a_group_is_an_error(monkeypatch):
    for module in (layout, checks):
        monkeypatch.setattr(module, "WARN_BYTES", 10_000)
        monkeypatch.setattr(module, "MOST_BYTES", 14_000)
    names = " ".join(f"a-rather-long-host-name-number-{n}.contoso.com" for n in range(280))
    text = f'endpoints big "B" {{ {names} }}\n' + policy(
        'allow a "A" { to big ports 443 }', 'allow b "B" { to x.com ports 443 }'
    )
    result = compilation_of(text, inventory())
    (found,) = [d for d in result.diagnostics if d.code == "E0737"]
    assert found.span.text == "a"
    assert "E0737" not in codes(text.replace(names, names[:9_000].rpartition(" ")[0]), inventory())


def test_the_real_limits_are_those_of_the_documents():
    assert (limits.WARN_BYTES, limits.MOST_BYTES) == (1_000_000, 1_400_000)
    assert (limits.MOST_NETWORK_RULES, limits.MOST_NETWORK_FQDNS) == (20_000, 1_000)
    assert (limits.MOST_IP_GROUPS, limits.MOST_IP_GROUP_ENTRIES) == (200, 5_000)


def _entry(policy_name, band=Band.DENY):
    rule = ApplicationRule(f"{policy_name}.r", "", Sources(("*",)), (Protocol(ProtocolType.HTTPS, 443),), ("x",))
    return Entry(band, policy_name, Form.APPLICATION, Verdict.DENY, rule, None)


def test_every_policy_has_its_own_group():
    laid = lay_out([_entry(f"p{n}") for n in range(5)], (), "egressc", 1000, 60)
    assert [(item.group.name, item.group.priority) for item in laid] == [
        (f"egressc-deny-p{n}", 1000 + n) for n in range(5)
    ]


def test_two_hundred_denies_and_no_more():
    def text(count):
        return "\n".join(f'policy p{n} "P" {{ from one deny d "D" {{ to h{n}.com ports 443 }} }}' for n in range(count))

    many_groups = inventory("max-rule-collection-groups: 1000")
    assert codes(text(200), many_groups) == []
    assert codes(text(201), many_groups) == ["E0736"]
    assert codes(text(60), inventory()) == ["E0735"]


def test_rule_collections_are_counted(monkeypatch):
    # Two for each rule with exceptions, and that of the closing deny.
    text = policy(*(f'allow r{n} "R" {{ to *.x{n}.com except y.x{n}.com ports 443 }}' for n in range(5)))
    for most, expected in ((11, []), (10, ["E0747"])):
        monkeypatch.setattr(checks, "MOST_COLLECTIONS", most)
        assert codes(text, inventory()) == expected
    assert limits.MOST_COLLECTIONS == 2_000


def test_pairs_of_network_rules_are_counted():
    groups_text = "groups:\n  one: {networks: [" + ", ".join(f"10.1.{n}.1" for n in range(200)) + "]}\n"
    addresses = " ".join(f"198.18.{n}.1" for n in range(101))
    text = policy(f'allow a "A" {{ to {addresses} ports 443/tcp }}')
    assert codes(text, inventory(groups=groups_text)) == ["E0739"]
    assert codes(text, inventory("ip-groups: true", groups=groups_text)) == []
    fewer = policy(f'allow a "A" {{ to {addresses.rpartition(" ")[0]} ports 443/tcp }}')
    assert codes(fewer, inventory(groups=groups_text)) == []


def test_names_in_network_rules_are_counted_once():
    names = " ".join(f"h{n}.contoso.com" for n in range(1_001))
    sets = f'endpoints big "B" {{ {names} }}\n'
    text = policy('allow a "A" { to big ports 22/tcp }', 'allow b "B" { to big ports 23/tcp }', before=sets)
    assert codes(text, inventory("dns-proxy: true")) == ["W0740"]
    less = sets.replace("h1000.contoso.com ", "")
    text = policy('allow a "A" { to big ports 22/tcp }', 'allow b "B" { to big ports 23/tcp }', before=less)
    assert codes(text, inventory("dns-proxy: true")) == []


@pytest.mark.parametrize(("count", "expected"), [(200, []), (201, ["E0741"])])
def test_ip_groups_are_counted(count, expected):
    text = "groups:\n" + "".join(f"  g{n}: {{networks: [10.1.{n}.1]}}\n" for n in range(count))
    rule = 'policy p "P" { from any-group allow a "A" { to x.com ports 443 } }'
    assert codes(rule, inventory("ip-groups: true", groups=text)) == expected


@pytest.mark.parametrize(("count", "expected"), [(5_000, []), (5_001, ["E0742"])])
def test_networks_of_an_ip_group_are_counted(count, expected):
    text = "groups: {one: {networks: [" + ", ".join(f"10.{n >> 7}.{n & 127}.1" for n in range(count)) + "]}}\n"
    assert codes(policy('allow a "A" { to x.com ports 443 }'), inventory("ip-groups: true", groups=text)) == expected


def test_long_names_are_shortened_with_a_hash():
    long = "p" + "x" * 62
    text = f'policy {long} "P" {{ from one allow {long}a "A" {{ to a.com ports 443 }} allow {long}b "B" {{ to b.com ports 443 }} }}'
    text = text.replace(f"{long}a", f"{long[:-1]}a").replace(f"{long}b", f"{long[:-1]}b")
    template = rendered(text, inventory("rule-collection-group: {name: a-prefix-of-forty-characters-0123456789a}"))
    assert refusals(template) == []
    assert all(len(name) <= limits.LONGEST_NAME for name in (*groups(template), *rules(template)))
    assert len(rules(template)) == 3


def test_no_priority_leaves_the_reserved_range():
    template = rendered(
        policy('allow a "A" { to x.com ports 443 }'), inventory("rule-collection-group: {priority: 64001}")
    )
    assert max(group["priority"] for group in groups(template).values()) == 65_000


def test_the_table_that_users_see_is_made_of_the_numbers_that_the_checks_use():
    values = {limit.name: limit.value for limit in load_target("azure-firewall").capabilities.limits}
    assert values["IP groups"] == str(limits.MOST_IP_GROUPS)
    assert values["network rules, sources times destinations"] == str(limits.MOST_NETWORK_RULES)
