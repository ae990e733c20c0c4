"""What a live configuration means, by the vendor page: order, addresses, services, users, zones, time, profiles."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from paloalto_live import (
    ANYWHERE,
    INSIDE,
    address,
    category,
    decided,
    does,
    doubts,
    entry,
    members,
    one,
    panorama,
    reading,
    rule,
    rules,
    section,
    service,
    site,
    vsys,
)  # fmt: skip

from egressc.meaning import Outcome

GROUP = "location: {device-group: DG}"


# -- the first rule that matches


def test_the_first_rule_that_matches_decides():
    text = vsys(rules(rule("a", "deny", destination="203.0.113.10"), rule("b", "allow"), rule("c", "deny")))
    meaning = reading(text)
    assert decided(meaning) == ("a", "deny")
    assert decided(meaning, address="203.0.113.11") == ("b", "allow")


@pytest.mark.parametrize("action", ["deny", "drop", "reset-client", "reset-server", "reset-both"])
def test_every_action_but_allow_denies(action):
    assert decided(reading(vsys(rules(rule("x", action), rule("y"))))) == ("x", "deny")


def test_an_action_that_nobody_knows_is_a_doubt():
    meaning = reading(vsys(rules(rule("x", "alert"))))
    assert does(meaning) == "unknown"
    assert {ruling.outcome for ruling in meaning.rulings} == {Outcome.ALLOW, Outcome.DENY}


def test_a_disabled_rule_matches_nothing_and_is_told():
    meaning = reading(vsys(rules(rule("off", "deny", more="<disabled>yes</disabled>"), rule("on"))))
    assert decided(meaning) == ("on", "allow")
    assert any("`off` is disabled" in remark for remark in meaning.remarks)
    meaning = reading(vsys(rules(rule("off", "deny", more="<disabled>no</disabled>"), rule("on"))))
    assert decided(meaning) == ("off", "deny")


def test_the_order_of_the_rulebases():
    """[D] device group policies: shared pre, device groups from above, local, post-rules from the group up, shared post."""
    text = panorama(
        {
            "TOP": [rules(rule("top-pre"), base="pre-rulebase"), rules(rule("top-post"), base="post-rulebase")],
            "MID": [rules(rule("mid-pre"), base="pre-rulebase"), rules(rule("mid-post"), base="post-rulebase")],
            "DG": [rules(rule("dg-pre"), base="pre-rulebase"), rules(rule("dg-post"), base="post-rulebase")],
        },
        shared=rules(rule("sh-pre"), base="pre-rulebase") + rules(rule("sh-post"), base="post-rulebase"),
        parents={"TOP": "", "MID": "TOP", "DG": "MID"},
        local=rules(rule("local")),
    )
    meaning = reading(text, site(GROUP))
    assert [ruling.name for ruling in meaning.rulings] == [
        "sh-pre", "top-pre", "mid-pre", "dg-pre", "local", "dg-post", "mid-post", "top-post", "sh-post",
    ]  # fmt: skip


def test_a_firewall_with_pre_rules_from_panorama():
    text = vsys(
        rules(rule("local")), rules(rule("pre"), base="pre-rulebase"), rules(rule("post"), base="post-rulebase")
    )
    assert [ruling.name for ruling in reading(text).rulings] == ["pre", "local", "post"]


def test_device_groups_of_which_nobody_says_where_they_are():
    groups = {"OTHER": [rules(rule("x", "deny"), base="pre-rulebase")], "DG": [rules(rule("y"), base="pre-rulebase")]}
    assert decided(reading(panorama(groups), site(GROUP))) == ("x", "unknown")
    # Beside it: no rule of it is asked.
    assert decided(reading(panorama(groups, parents={"OTHER": "", "DG": ""}), site(GROUP))) == ("y", "allow")
    assert decided(reading(panorama(groups, parents={"OTHER": "", "DG": "OTHER"}), site(GROUP))) == ("x", "deny")


def default_rule(name, action):
    return section("rulebase/default-security-rules/rules", entry(name, f"<action>{action}</action>"))


def test_what_no_rule_matches_is_denied_between_zones():
    assert reading(vsys(rules(rule("x", destination="192.0.2.1")))).default is Outcome.DENY
    assert reading(vsys(rules(rule()), default_rule("interzone-default", "allow"))).default is Outcome.ALLOW
    assert reading(vsys(rules(rule()), default_rule("intrazone-default", "deny"))).default is Outcome.DENY


def test_what_no_rule_matches_inside_a_zone_is_allowed():
    inside = site(INSIDE)
    assert inside.settings.from_zone == inside.settings.to_zone
    text = vsys(rules(rule("x", destination="192.0.2.1")))
    assert reading(text, inside).default is Outcome.ALLOW
    assert reading(vsys(rules(rule()), default_rule("intrazone-default", "drop")), inside).default is Outcome.DENY


def test_without_zones_nobody_knows_which_default_rule_is_asked():
    assert reading(vsys(rules(rule(from_="any", to="any"))), site(ANYWHERE)).default is Outcome.LEFT


def test_default_rules_that_differ_by_place_are_no_answer():
    text = vsys(
        rules(rule()), default_rule("interzone-default", "allow"), shared=default_rule("interzone-default", "deny")
    )
    assert reading(text).default is Outcome.LEFT


# -- addresses


OBJECTS = section(
    "address",
    address("net", "ip-netmask", "198.51.100.0/24"),
    address("host", "ip-netmask", "192.0.2.7"),
    address("inside", "ip-netmask", "192.0.2.77/28"),
    address("range", "ip-range", "192.0.2.10-192.0.2.19"),
    address("six", "ip-netmask", "2001:db8:9::/48"),
    address("name", "fqdn", "W.Example.com"),
    address("wild", "ip-wildcard", "10.0.0.1/0.0.255.0"),
    entry("both", "<ip-netmask>192.0.2.1</ip-netmask><fqdn>w.example.com</fqdn>"),
)
GROUPS = section(
    "address-group",
    entry("flat", members("static", "net", "host")),
    entry("nested", members("static", "flat", "range")),
    entry("loop", members("static", "loop", "host")),
    entry("dynamic", "<dynamic><filter>'x'</filter></dynamic>"),
    entry("holds-dynamic", members("static", "dynamic", "host")),
)


@pytest.mark.parametrize(
    ("members_", "matched", "other"),
    [
        (("net",), "198.51.100.200", "198.51.101.0"),
        (("host",), "192.0.2.7", "192.0.2.8"),
        (("inside",), "192.0.2.64", "192.0.2.80"),
        (("range",), "192.0.2.19", "192.0.2.20"),
        (("six",), "2001:db8:9::1", "2001:db8:a::1"),
        (("flat",), "192.0.2.7", "192.0.2.10"),
        (("nested",), "198.51.100.1", "192.0.2.8"),
        (("nested",), "192.0.2.10", "192.0.2.20"),
        (("loop",), "192.0.2.7", "192.0.2.8"),
        (("net", "host"), "192.0.2.7", "192.0.2.9"),
        (("203.0.113.0/25",), "203.0.113.127", "203.0.113.128"),
        (("203.0.113.4-203.0.113.6",), "203.0.113.6", "203.0.113.7"),
        (("203.0.113.9",), "203.0.113.9", "203.0.113.8"),
        (("any",), "203.0.113.9", None),
        (("any", "host"), "203.0.113.9", None),
    ],
)
def test_destinations(members_, matched, other):
    meaning = one(OBJECTS, GROUPS, destination=members_)
    assert decided(meaning, address=matched) == ("r", "allow")
    if other is not None:
        assert decided(meaning, address=other) == ("(default)", "deny")


@pytest.mark.parametrize("member", ["wild", "both", "dynamic", "holds-dynamic", "nowhere", "US"])
def test_destinations_that_nobody_knows(member):
    meaning = one(OBJECTS, GROUPS, destination=member)
    assert does(meaning, address="203.0.113.99") == "unknown"
    assert f"`{member.removeprefix('holds-')}`" in doubts(meaning)


def test_external_lists_are_named_as_such():
    lists = section("external-list", entry("edl", "<type><ip><url>https://x</url></ip></type>"))
    assert "external list `edl`" in doubts(one(lists, destination="edl"))
    assert does(one(lists, source="edl")) == "unknown"


def test_a_name_as_destination_is_known_by_its_addresses():
    meaning = one(OBJECTS, destination=("name", "host"))
    assert does(meaning, "w.example.com", 25) == "allow"
    assert does(meaning, "v.example.com", 25, shared="w.example.com") == "allow"
    assert does(meaning, "v.example.com", 25) == "deny"
    assert does(meaning, port=25, address="192.0.2.7") == "allow"
    assert not doubts(meaning)


def test_a_name_as_source_or_negated_is_a_doubt():
    assert does(one(OBJECTS, source="name")) == "unknown"
    assert does(one(OBJECTS, destination="name", more="<negate-destination>yes</negate-destination>")) == "unknown"


def test_negated_destinations():
    meaning = one(OBJECTS, destination=("net", "six"), more="<negate-destination>yes</negate-destination>")
    assert does(meaning, address="198.51.100.1") == "deny"
    assert does(meaning, address="2001:db8:9::1") == "deny"
    assert does(meaning, address="203.0.113.1") == "allow"
    assert does(meaning, address="2001:db8:a::1") == "allow"
    meaning = one(OBJECTS, destination="any", more="<negate-destination>yes</negate-destination>")
    assert does(meaning) == "unknown"  # no vendor page says what that is


def test_sources():
    text = section("address", address("n", "ip-netmask", "10.1.0.0/25"))
    meaning = one(text, source="n")
    assert (does(meaning, source="10.1.0.127"), does(meaning, source="10.1.0.128")) == ("allow", "deny")
    meaning = one(text, source="n", more="<negate-source>yes</negate-source>")
    assert (does(meaning, source="10.1.0.127"), does(meaning, source="10.1.0.128")) == ("deny", "allow")


def test_the_object_of_a_group_is_what_the_inventory_says_it_is():
    meaning = one(source="AG TWO")
    assert does(meaning, source="", of="AG TWO") == "allow"
    assert does(meaning, source="10.1.0.5") == "deny"
    # also where the files say what is in it, and where it is in another group
    objects = section("address", address("n", "ip-netmask", "10.7.0.0/16"))
    held = section(
        "address-group", entry("AG TWO", members("static", "n")), entry("outer", members("static", "AG TWO"))
    )
    for source in ("AG TWO", "outer"):
        meaning = one(objects, held, source=source)
        assert does(meaning, source="", of="AG TWO") == "allow"
        assert does(meaning, source="10.1.0.5") == "deny"
    meaning = one(source="AG TWO", more="<negate-source>yes</negate-source>")
    assert does(meaning, source="", of="AG TWO") == "deny"
    assert does(meaning, source="10.1.0.5") == "allow"


def test_the_object_of_a_group_as_a_destination():
    assert does(one(destination="AG TWO")) == "unknown"
    objects = section("address", address("AG TWO", "ip-netmask", "192.0.2.0/24"))
    assert does(one(objects, destination="AG TWO"), address="192.0.2.9") == "allow"


def test_the_object_of_the_inner_place_counts_and_two_different_ones_are_a_doubt():
    inner, outer = (section("address", address("n", "ip-netmask", text)) for text in ("192.0.2.1", "192.0.2.2"))
    meaning = reading(vsys(inner, rules(rule(destination="n")), shared=inner))
    assert does(meaning, address="192.0.2.1") == "allow"
    meaning = reading(vsys(inner, rules(rule(destination="n")), shared=outer))
    assert does(meaning, address="192.0.2.1") == "unknown"
    meaning = reading(vsys(rules(rule(destination="n")), shared=outer))
    assert does(meaning, address="192.0.2.2") == "allow"


def test_an_object_that_is_both_an_address_and_a_group_is_a_doubt():
    """They share one namespace ([S])."""
    both = section("address", address("n", "ip-netmask", "192.0.2.1")) + section(
        "address-group", entry("n", members("static", "192.0.2.2"))
    )
    assert does(one(both, destination="n"), address="192.0.2.1") == "unknown"


# -- services


SERVICES = section(
    "service",
    service("web", "80,443,8000-8080"),
    service("dns", "53", "udp"),
    service("odd", "443", more="<source-port>1024-65535</source-port>"),
    service("sctp", "36412", "sctp"),
    service("bad", "http"),
    service("low", "0-1023"),
    service("turned", "90-80"),
    service("beyond", "70000"),
    entry("two", "<protocol><tcp><port>443</port></tcp><udp><port>443</port></udp></protocol>"),
) + section(
    "service-group",
    entry("both", members("members", "web", "dns")),
    entry("outer", members("members", "both", "service-https")),
    entry("round", members("members", "round", "dns")),
)


@pytest.mark.parametrize(
    ("services", "inside", "outside"),
    [
        ("web", ((80, "tcp"), (443, "tcp"), (8000, "tcp"), (8080, "tcp")), ((81, "tcp"), (8081, "tcp"), (443, "udp"))),
        ("dns", ((53, "udp"),), ((53, "tcp"), (54, "udp"))),
        ("both", ((443, "tcp"), (53, "udp")), ((53, "tcp"),)),
        ("outer", ((443, "tcp"), (53, "udp")), ((53, "tcp"),)),
        ("round", ((53, "udp"),), ((53, "tcp"),)),
        # [paloalto.md, section 1]: tcp 80 and 8080; tcp 443
        ("service-http", ((80, "tcp"), (8080, "tcp")), ((443, "tcp"), (81, "tcp"), (80, "udp"))),
        ("service-https", ((443, "tcp"),), ((80, "tcp"), (443, "udp"))),
        ("any", ((1, "tcp"), (65535, "udp")), ()),
    ],
)
def test_services(services, inside, outside):
    meaning = one(SERVICES, service=services)
    assert [does(meaning, port=port, transport=transport) for port, transport in inside] == ["allow"] * len(inside)
    assert [does(meaning, port=port, transport=transport) for port, transport in outside] == ["deny"] * len(outside)


def test_there_is_no_port_zero():
    meaning = one(SERVICES, service="low")
    assert [ruling.blocks[0].ports.tcp for ruling in meaning.rulings] == [((1, 1023),)]


def test_an_own_service_holds_before_the_predefined_one():
    meaning = one(section("service", service("service-http", "81")), service="service-http")
    assert (does(meaning, port=81), does(meaning, port=80)) == ("allow", "deny")


@pytest.mark.parametrize("name", ["application-default", "odd", "bad", "turned", "beyond", "two", "nowhere"])
def test_services_that_match_less(name):
    meaning = one(SERVICES, service=name)
    assert does(meaning) == "unknown"
    assert f"`{name}`" in doubts(meaning)


def test_other_protocols_are_no_flows():
    meaning = one(SERVICES, service="sctp")
    assert meaning.rulings == ()
    assert any("decides nothing" in remark for remark in meaning.remarks)


# -- applications


def test_applications_are_a_doubt_unless_the_inventory_asks_for_them():
    web = {"service": "service-https", "application": ("ssl", "web-browsing")}
    assert does(one(**web)) == "unknown"
    by_protocol = site("application: by-protocol")
    assert does(one(where=by_protocol, **web)) == "allow"
    # decrypted HTTPS is web-browsing: `ssl` alone is all that is spoken only where the policy says `tls`
    assert does(one(where=by_protocol, service="service-https", application="ssl")) == "unknown"
    tls = section("service", service("tls", "5671"))
    assert does(one(tls, where=by_protocol, service="tls", application="ssl"), port=5671) == "allow"
    clear = section("service", service("clear", "8080"))
    assert does(one(clear, where=by_protocol, service="clear", application="web-browsing"), port=8080) == "unknown"
    assert (
        does(one(clear, where=by_protocol, service="clear", application=("ocsp", "web-browsing")), port=8080) == "allow"
    )
    assert does(one(where=by_protocol, service="any", application=("ssl", "web-browsing"))) == "unknown"


def test_an_application_on_a_deny_is_always_a_doubt():
    text = vsys(rules(rule(action="deny", service="service-https", application=("ssl", "web-browsing"))))
    assert does(reading(text, site("application: by-protocol"))) == "unknown"


# -- users


def test_users_are_those_of_the_policy_in_any_letter_case():
    meaning = one(source_user="CORP\\Svc")
    assert does(meaning) == "allow"
    assert does(meaning, user="corp\\other") == "deny"
    assert does(one(source_user=("corp\\other", "corp\\svc"))) == "allow"
    assert does(one(source_user="any"), user="corp\\x") == "allow"


@pytest.mark.parametrize(
    "user", ["known-user", "unknown", "pre-logon", "corp\\admins", "cn=admins,dc=corp", "svc@corp.example"]
)
def test_other_users_may_be_groups(user):
    meaning = one(source_user=user)
    assert does(meaning) == "unknown"
    assert f"`{user}`" in doubts(meaning)


# -- zones


@pytest.mark.parametrize(
    ("zones", "answer"),
    [
        ({}, "allow"),
        ({"from_": "any"}, "allow"),
        ({"to": ("dmz", "u")}, "allow"),
        ({"from_": "dmz"}, "deny"),
        ({"to": "t"}, "deny"),
        ({"from_": "u", "to": "t"}, "deny"),
    ],
)
def test_zones(zones, answer):
    assert does(one(**zones)) == answer


def test_rules_between_other_zones_are_counted():
    meaning = reading(vsys(rules(rule("a", from_="x"), rule("b", to="y"), rule("c"))))
    assert any("other zones are left aside: 2" in remark for remark in meaning.remarks)


def test_a_zone_where_the_inventory_names_none_is_a_doubt():
    assert does(one(where=site(ANYWHERE), from_="t", to="any")) == "unknown"
    assert does(one(where=site(ANYWHERE), from_="any", to="any")) == "allow"


@pytest.mark.parametrize(
    ("kind", "between", "inside"),
    [("universal", "allow", "allow"), ("interzone", "allow", "(aside)"), ("intrazone", "(aside)", "allow")],
)
def test_rule_types(kind, between, inside):
    more = f"<rule-type>{kind}</rule-type>"
    answers = {"allow": ("r", "allow"), "(aside)": ("(default)", None)}

    def shown(meaning):
        name, outcome = decided(meaning)
        return (name, None if name == "(default)" else outcome)

    assert shown(one(from_=("t", "u"), to=("t", "u"), more=more)) == answers[between]
    assert shown(one(from_=("t", "u"), to=("t", "u"), more=more, where=site(INSIDE))) == answers[inside]
    if kind == "intrazone":
        # its only zones are those that it comes from
        assert shown(one(from_="t", to="dmz", more=more, where=site(INSIDE))) == answers[inside]
        assert shown(one(from_="t", to="any", more=more, where=site(INSIDE))) == answers[inside]


def test_rule_types_without_zones_are_doubts():
    for kind in ("interzone", "intrazone"):
        more = f"<rule-type>{kind}</rule-type>"
        assert does(one(from_="any", to="any", more=more, where=site(ANYWHERE))) == "unknown"


def test_a_rule_type_that_nobody_knows_is_a_doubt():
    assert does(one(more="<rule-type>crosszone</rule-type>")) == "unknown"


# -- time


def scheduled(text, where=None):
    return one(
        section("schedule", entry("s", f"<schedule-type>{text}</schedule-type>")),
        more="<schedule>s</schedule>",
        where=where,
    )


# the date of the proof is 2026-11-22 (tests/support.py)
@pytest.mark.parametrize(
    ("spans", "answer"),
    [
        (("2000/01/01@00:00-2027/06/30@23:59",), "allow"),
        (("2026/11/22@00:00-2026/11/22@23:59",), "allow"),
        (("2000/01/01@00:00-2026/11/21@23:59",), "deny"),
        (("2026/11/23@00:00-2027/01/01@00:00",), "deny"),
        (("2000/01/01@00:00-2026/11/22@12:00",), "unknown"),
        (("2026/11/22@12:00-2027/01/01@00:00",), "unknown"),
        (("2000/01/01@00:00-2001/01/01@00:00", "2026/11/01@00:00-2026/12/01@00:00"), "allow"),
        (("tomorrow",), "unknown"),
    ],
)
def test_schedules_that_do_not_recur(spans, answer):
    assert does(scheduled(members("non-recurring", *spans))) == answer


def test_a_schedule_is_by_the_clock_of_the_firewall():
    # 2026-11-22 23:59 UTC is 2026-11-23 12:59 in Auckland (UTC+13 in summer), and it begins at 13:00 of the 22nd
    ends = members("non-recurring", "2000/01/01@00:00-2026/11/22@23:59")
    auckland = site("timezone: Pacific/Auckland")
    assert does(scheduled(ends)) == "allow"
    assert does(scheduled(ends, auckland)) == "unknown"
    ends = members("non-recurring", "2000/01/01@00:00-2026/11/23@12:59")
    assert does(scheduled(ends, auckland)) == "allow"
    begins = members("non-recurring", "2026/11/22@13:00-2027/01/01@00:00")
    assert does(scheduled(begins, auckland)) == "allow"


def test_before_there_were_firewalls_every_schedule_has_begun():
    policy = 'policy p "P" { from one two allow a "A" { to w.example.com ports 443 expires 2027-06-30 } }'
    for day in (date(1999, 5, 1), date(2000, 1, 1)):
        where = replace(site("timezone: America/Los_Angeles", policy), as_of=day)
        assert does(scheduled(members("non-recurring", "2000/01/01@00:00-2027/06/30@16:59"), where)) == "allow"
        assert does(scheduled(members("non-recurring", "1999/01/01@00:00-1999/04/01@00:00"), where)) == "deny"


def test_schedules_that_recur_or_are_not_there_are_doubts():
    recurring = f"<recurring><daily>{members('', '00:00-23:59')[2:-3]}</daily></recurring>"
    assert does(scheduled(recurring)) == "unknown"
    assert "`s` recurs" in doubts(scheduled(recurring))
    assert does(one(more="<schedule>gone</schedule>")) == "unknown"


def test_a_deny_whose_time_is_over_denies_nothing():
    over = section(
        "schedule",
        entry("s", f"<schedule-type>{members('non-recurring', '2000/01/01@00:00-2001/01/01@00:00')}</schedule-type>"),
    )
    meaning = reading(vsys(over, rules(rule("old", "deny", more="<schedule>s</schedule>"), rule("new"))))
    assert decided(meaning) == ("new", "allow")
    assert any("`old` decides nothing" in remark for remark in meaning.remarks)


# -- what else a rule may hold


@pytest.mark.parametrize(
    "more",
    [
        members("source-hip", "patched"),
        members("destination-hip", "patched"),
        members("hip-profiles", "patched"),
        "<profile-setting><group><member>strict</member></group></profile-setting>",
        "<profile-setting><profiles><url-filtering><member>default</member></url-filtering></profiles></profile-setting>",
        '<target><devices><entry name="0123"/></devices></target>',
        "<negate-source>perhaps</negate-source>",
        "<future-match>x</future-match>",
    ],
)
def test_what_may_make_a_rule_match_less(more):
    assert does(one(more=more)) == "unknown"


@pytest.mark.parametrize(
    "more",
    [
        "<description>x</description><tag><member>t</member></tag><group-tag>t</group-tag>",
        "<log-start>no</log-start><log-end>yes</log-end><log-setting>f</log-setting>",
        members("source-hip", "any") + members("hip-profiles", "any"),
        "<target><negate>no</negate></target>",
        "<option><disable-server-response-inspection>no</disable-server-response-inspection></option>",
        "<rule-type>universal</rule-type><disabled>no</disabled><negate-source>no</negate-source>",
        "<icmp-unreachable>yes</icmp-unreachable>",
        "<qos><marking><ip-dscp>af11</ip-dscp></marking></qos>",
    ],
)
def test_what_changes_nothing(more):
    meaning = one(more=more)
    assert does(meaning) == "allow"
    assert not doubts(meaning)


def test_the_profile_group_of_the_inventory_is_no_doubt():
    more = "<profile-setting><group><member>outbound</member></group></profile-setting>"
    assert does(one(more=more, where=site("profile-group: outbound"))) == "allow"
    assert does(one(more=more.replace("outbound", "other"), where=site("profile-group: outbound"))) == "unknown"
    assert does(reading(vsys(rules(rule(action="deny", more=more))))) == "deny"


def test_other_rulebases_are_left_aside_and_told():
    text = vsys(rules(rule()), section("rulebase/application-override/rules", entry("x", "<port>1</port>")))
    assert any("application-override" in remark for remark in reading(text).remarks)


def test_a_list_without_members_is_any():
    """An empty member list means any (paloalto.md, section 4)."""
    assert does(reading(vsys(category("c", "w.example.com/"), rules(rule(category=()))))) == "allow"
    text = vsys(rules(rule())).replace("<service><member>any</member></service>", "")
    assert does(reading(text)) == "allow"
