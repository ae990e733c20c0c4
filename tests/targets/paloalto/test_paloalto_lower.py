"""What each feature of the language becomes on PAN-OS, and what is announced about it."""

from datetime import date

import pytest
from paloalto_reading import ACCOUNTS, POLICY, SETTINGS, inventory
from support import compilation_of, lowering_of, site_of

from egressc.anything import ANY
from egressc.diagnostics import Level
from egressc.hosts import HostPattern
from egressc.inventory import DEFAULT_INTERNAL_TEXTS
from egressc.located import Located
from egressc.lowering import Recognition
from egressc.targets.paloalto.capabilities import ASSUMPTIONS, CAPABILITIES
from egressc.targets.paloalto.entries import entries_of, host_entry, sayable, with_short_runs, with_whole_labels
from egressc.targets.paloalto.model import Before, Top, Unplaced
from egressc.targets.registry import load_target

ZONES = "from-zone: trust, to-zone: untrust"


def rule(text, head="from connectors", more=""):
    return f'{more}\npolicy p "P" {{ {head} allow r "R" {{ {text} }} }}'


def lowered(text, settings=ZONES, head="from connectors", more="", groups=None, extra=""):
    return lowering_of(rule(text, head, more), inventory(settings, groups, extra), "edge")


def allows(lowering):
    return [r for r in lowering.model.security_rules if r.action == "allow"]


def entries(lowering, rule_):
    (name,) = rule_.categories
    return next(c.entries for c in lowering.model.categories if c.name == name)


def reasons(lowering):
    return [step.reason.value for part in lowering.parts for step in part.steps]


# --- hosts


@pytest.mark.parametrize(
    ("pattern", "entry"),
    [
        (HostPattern(("login", "windows", "net")), "login.windows.net"),
        (HostPattern(("msappproxy", "net"), deep=True), "*.msappproxy.net"),
        (HostPattern(("autodiscover", "*", "onmicrosoft", "com")), "autodiscover.^.onmicrosoft.com"),
        (HostPattern(("*", "example", "com")), "^.example.com"),
        (HostPattern(("*", "*", "example", "com")), "^.^.example.com"),
        (HostPattern(("a", "*", "example", "com"), deep=True), "*.a.^.example.com"),
        (HostPattern(("*",) * 9 + ("example", "com")), "^.^.^.^.^.^.^.^.^.example.com"),
    ],
)
def test_a_pattern_is_one_entry(pattern, entry):
    assert sayable(pattern)
    assert host_entry(pattern) == entry


def test_what_an_entry_cannot_say():
    for pattern in (HostPattern(("azgn*", "net")), HostPattern(("*",) * 10 + ("example", "com"))):
        assert not sayable(pattern)
        with pytest.raises(ValueError, match="cannot stand"):
            host_entry(pattern)
    assert with_whole_labels(HostPattern(("azgn*", "servicebus", "windows", "net"))) == (
        HostPattern(("*", "servicebus", "windows", "net")),
    )
    assert with_whole_labels(HostPattern(("a", "x*y", "net"), deep=True)) == (
        HostPattern(("a", "*", "net"), deep=True),
    )
    assert with_short_runs(HostPattern(("a",) + ("*",) * 10 + ("b", "*", "net"))) == (
        HostPattern(("b", "*", "net"), deep=True),
    )
    kept = HostPattern(("*",) * 9 + ("net",))
    assert with_short_runs(kept) == (kept,)


def test_entries_of_nothing_are_nothing():
    assert entries_of(()) == ()


def test_every_entry_ends_its_host_with_a_slash():
    found = lowered("to a.example.com *.example.org autodiscover.*.example.net ports 443/https")
    (allow,) = allows(found)
    assert set(entries(found, allow)) == {"a.example.com/", "*.example.org/", "autodiscover.^.example.net/"}
    assert allow.recognition is Recognition.SNI
    assert allow.destinations is ANY
    assert allow.applications is ANY
    assert allow.services == ("egc-tcp-443",)
    assert reasons(found) == []


def test_a_wildcard_inside_a_label_becomes_the_label():
    found = lowered("to azgn*.servicebus.windows.net ports 443/https")
    assert entries(found, allows(found)[0]) == ("^.servicebus.windows.net/",)
    assert reasons(found) == ["label-wildcard"]
    (part,) = found.parts
    assert part.reach.endpoints[0].pattern == HostPattern(("*", "servicebus", "windows", "net"))


def test_ten_labels_in_a_row_become_any_number():
    found = lowered(f"to a.{'*.' * 10}example.com ports 443/https")
    assert entries(found, allows(found)[0]) == ("*.example.com/",)
    assert reasons(found) == ["depth"]


def test_tls_and_http_never_meet_in_one_rule():
    found = lowered("to a.example.com ports 443/https 636/tls 80/http")
    by = {r.recognition: r for r in allows(found)}
    assert set(by) == {Recognition.SNI, Recognition.HOST}
    assert by[Recognition.SNI].services == ("egc-tcp-443", "egc-tcp-636")
    assert by[Recognition.HOST].services == ("egc-tcp-80",)
    assert by[Recognition.SNI].categories == by[Recognition.HOST].categories


# --- paths


def test_a_path_on_http_is_a_path():
    found = lowered("to www.microsoft.com/pkiops ports 80/http")
    assert entries(found, allows(found)[0]) == ("www.microsoft.com/pkiops", "www.microsoft.com/pkiops/")
    assert reasons(found) == []
    assert "pan-path-prefix" in found.parts[0].assumptions


def test_a_path_on_https_is_its_host():
    found = lowered("to www.microsoft.com/pkiops ports 443/https 80/http", SETTINGS)
    by = {r.recognition: entries(found, r) for r in allows(found)}
    assert by[Recognition.SNI] == ("www.microsoft.com/",)
    assert by[Recognition.HOST] == ("www.microsoft.com/pkiops", "www.microsoft.com/pkiops/")
    assert reasons(found) == ["path"]


def test_a_path_on_https_that_must_be_inspected_is_a_path():
    found = lowered("to a.example.com/in ports 443/https tls-inspection", SETTINGS)
    (allow,) = allows(found)
    assert entries(found, allow) == ("a.example.com/in", "a.example.com/in/")
    (decrypt,) = found.model.decryption_rules
    assert entries(found, decrypt) == ("a.example.com/",)
    assert (decrypt.action, decrypt.profile) == ("decrypt", "strict")
    assert reasons(found) == []
    assert {"pan-path-decrypted", "pan-decrypt-sure", "pan-path-prefix"} <= set(found.parts[0].assumptions)
    assert found.parts[0].inspect.endpoints[0].path is None


@pytest.mark.parametrize("settings", [ZONES, SETTINGS + ", tls-inspection: false"])
def test_without_a_decryption_rule_no_path_is_seen(settings):
    found = lowered("to a.example.com/in ports 443/https tls-inspection", settings)
    assert entries(found, allows(found)[0]) == ("a.example.com/",)
    assert found.model.decryption_rules == ()
    assert "path" in reasons(found)
    assert ("tls-unenforced" in reasons(found)) is found.inspects


def test_an_exemption_of_the_same_host_hides_the_path():
    policy = """policy p "P" { from connectors
        allow seen   "S" { to a.example.com/in  ports 443/https tls-inspection }
        allow hidden "H" { to a.example.com/out ports 443/https no-tls-inspection }
    }"""
    found = lowering_of(policy, inventory(), "edge")
    assert reasons(found) == ["path", "path"]


def test_a_deny_sees_the_paths_of_what_is_decrypted():
    policy = """policy p "P" {{ from connectors
        allow all  "A" {{ to *.example.com ports 443/https {} }}
        deny  some "S" {{ to a.example.com/secret ports 443/https }}
    }}"""
    found = lowering_of(policy.format("tls-inspection"), inventory(), "edge")
    deny = found.model.security_rules[0]
    assert (deny.action, entries(found, deny)) == ("deny", ("a.example.com/secret", "a.example.com/secret/"))
    assert reasons(found) == []
    result = compilation_of(policy.format(""), inventory())
    assert "E0621" in [d.code for d in result.diagnostics]


# --- opaque ports


def test_exact_names_on_opaque_ports_are_fqdn_objects():
    found = lowered("to smtp.example.com ports 25/tcp 123/udp")
    (allow,) = allows(found)
    assert allow.categories is ANY
    assert allow.recognition is Recognition.DNS
    assert allow.services == ("egc-tcp-25", "egc-udp-123")
    by_name = {a.name: a for a in found.model.addresses}
    assert [(by_name[d].kind, by_name[d].value) for d in allow.destinations] == [("fqdn", "smtp.example.com")]
    assert reasons(found) == ["resolved-address"]
    assert found.parts[0].reach.shared
    assert found.parts[0].assumptions == ("pan-fqdn-resolved",)


SETS = """
endpoints with-fallback "W" { *.example.com a.example.org fallback { 192.0.2.0/24 2001:db8::/32 } }
endpoints without "O" { *.example.com a.example.org }
"""


def test_wildcards_on_opaque_ports_are_their_fallback():
    found = lowered("to with-fallback ports 25/tcp", more=SETS)
    by = {r.recognition: r for r in allows(found)}
    assert by[Recognition.NONE].destinations == ("192.0.2.0/24", "2001:db8::/32")
    assert [a.value for a in found.model.addresses if a.kind == "fqdn"] == ["a.example.org"]
    assert sorted(reasons(found)) == ["fallback", "resolved-address"]


def test_wildcards_on_opaque_ports_without_fallback_are_gone():
    found = lowered("to without ports 25/tcp", more=SETS)
    assert [r.recognition for r in allows(found)] == [Recognition.DNS]
    assert sorted(reasons(found)) == ["no-names", "resolved-address"]
    result = compilation_of(rule("to without ports 25/tcp", more=SETS), inventory())
    assert "E0610" in [d.code for d in result.diagnostics if d.level is Level.ERROR]


def test_the_fallback_is_only_for_what_needs_it():
    found = lowered("to with-fallback ports 443/https", more=SETS)
    assert all(r.destinations is ANY for r in allows(found))
    assert reasons(found) == []


# --- addresses, services, groups


def test_addresses_of_both_families_are_literal():
    found = lowered("to 198.51.100.0/24 203.0.113.7-203.0.113.9 2001:db8::1 ports any/tcp 53/udp")
    (allow,) = allows(found)
    assert allow.destinations == ("198.51.100.0/24", "203.0.113.7", "203.0.113.8/31", "2001:db8::1")
    assert allow.services == ("egc-tcp-1-65535", "egc-udp-53")
    assert reasons(found) == []


def test_any_address_is_any():
    found = lowered("to any-address ports 443/https")
    (allow,) = allows(found)
    assert allow.destinations is ANY
    assert allow.categories is ANY


def test_groups_are_address_groups():
    found = lowered("to a.example.com ports 443/https")
    (allow,) = allows(found)
    (group,) = found.model.address_groups
    assert allow.sources == (group.name,)
    values = {a.name: a.value for a in found.model.addresses}
    assert [values[m] for m in group.members] == ["10.20.0.10", "10.20.0.12", "2001:db8:20::/64"]
    assert all(a.kind == "ip-netmask" for a in found.model.addresses)


def test_an_existing_object_is_used_and_not_written():
    found = lowered("to a.example.com ports 443/https", head="from existing")
    assert allows(found)[0].sources == ("AG EXISTING",)
    assert "AG EXISTING" not in {o.name for o in (*found.model.addresses, *found.model.address_groups)}
    assert "`AG EXISTING` on the device holds the networks of group `existing`" in found.assumes


@pytest.mark.parametrize("name", ["any", "Any", "x" * 64, "a/b", "'any'", "a\\\\b", "0.0.0.0", "10.0.0.1-10.0.0.5"])
def test_an_object_that_cannot_be_is_refused(name):
    text = inventory(ZONES, f'connectors: {{objects: {{paloalto: "{name}"}}}}')
    codes = [d.code for d in compilation_of(rule("to a.example.com ports 443/https"), text).diagnostics]
    assert any(code.startswith("E04") or code == "E0707" for code in codes), codes


def test_an_object_that_would_be_overwritten_is_refused():
    own = lowered("to a.example.com ports 443/https").model.address_groups[0].name
    groups = f"connectors: {{networks: [10.20.0.10]}}\n  other: {{objects: {{paloalto: {own}}}}}"
    assert [d.code for d in lowered("to a.example.com ports 443/https", groups=groups).diagnostics] == ["E0707"]


# --- unbound groups


UNBOUND = "connectors: {description: somewhere}"


def test_an_unbound_group_is_any_source_and_not_on_top():
    found = lowered("to a.example.com ports 443/https no-tls-inspection", groups=UNBOUND)
    assert found.model.place == found.model.decryption_place == Unplaced()
    (allow,) = found.model.security_rules
    assert allow.sources is ANY
    assert reasons(found) == ["source"]
    assert any("`connectors` is unbound" in sentence for sentence in found.assumes)
    assert [s.reason.value for s in found.site_steps] == ["default"]


def test_an_unbound_group_may_name_its_place():
    found = lowered("to a.example.com ports 443/https", ZONES + ", place: {before: Clean up}", groups=UNBOUND)
    assert found.model.place == Before("Clean up")


def test_an_unbound_group_that_is_allowed_closes_with_any():
    found = lowered("to a.example.com ports 443/https", groups=UNBOUND, extra="unbound: allowed")
    assert found.model.place == Top()
    closing = found.model.security_rules[-1]
    assert (closing.action, closing.sources) == ("deny", ANY)


def test_without_an_inventory():
    result = compilation_of(rule("to a.example.com ports 443/https"), None, targets=("paloalto",))
    (build,) = result.builds
    (allow,) = build.lowering.model.security_rules
    assert (allow.from_zone, allow.to_zone, allow.sources) == (ANY, ANY, ANY)
    assert b"move" not in build.render()[1].content


# --- accounts


def test_an_account_is_dropped_without_user_id():
    found = lowered("to a.example.com ports 443/https as connector", more=ACCOUNTS)
    assert allows(found)[0].users is ANY
    assert reasons(found) == ["account"]


def test_an_account_is_a_user_with_user_id():
    more = ACCOUNTS + 'service-account two "T" { directory-user "CN=svc two,DC=x" directory-user "x\\y" }'
    found = lowered("to a.example.com ports 443/https as connector two", ZONES + ", user-id: true", more=more)
    assert set(allows(found)[0].users) == {"CONTOSO\\wapc$", "CN=svc two,DC=x", "x\\y"}
    assert reasons(found) == []
    assert "pan-user-mapped" in found.parts[0].assumptions


def test_an_account_that_user_id_cannot_know_is_an_error():
    more = 'service-account blind "B" { linux-user 997 }'
    policy = rule("to a.example.com ports 443/https 80/http as blind", more=more)
    found = lowering_of(policy, inventory(ZONES + ", user-id: true"), "edge")
    (problem,) = found.diagnostics
    assert problem.code == "E0501"
    assert problem.message == "`blind` has no directory-user binding for `edge` (paloalto)"
    assert problem.span.text == "r"
    assert all(r.users is ANY and r.action == "deny" for r in found.model.security_rules)


@pytest.mark.parametrize("user", ['it\'s "it"', "ends\\\\", "\u202etxt"])
def test_a_user_that_cannot_be_written_is_an_error(user):
    written = user.replace("\\\\", "\\").replace('"', '""')
    more = f'service-account odd "O" {{ directory-user "{written}" }}'
    text = inventory(ZONES + ", user-id: true")
    codes = [
        d.code for d in compilation_of(rule("to a.example.com ports 443/https as odd", more=more), text).diagnostics
    ]
    assert "E0704" in codes or any(c.startswith(("E01", "E02")) for c in codes), codes


# --- applications


@pytest.mark.parametrize(
    ("ports", "applications"),
    [
        ("443/https", ("ssl", "web-browsing")),
        ("636/tls", ("ssl",)),
        ("80/http", ("ocsp", "web-browsing")),
        ("25/tcp", ANY),
    ],
)
def test_applications_by_protocol(ports, applications):
    found = lowered(f"to a.example.com ports {ports}", ZONES + ", application: by-protocol")
    assert allows(found)[0].applications == applications
    assert ("application" in reasons(found)) is (applications is not ANY)


def test_a_deny_never_asks_for_an_application():
    policy = 'policy p "P" { from connectors deny d "D" { to a.example.com ports 443/https } }'
    found = lowering_of(policy, inventory(ZONES + ", application: by-protocol"), "edge")
    assert all(r.applications is ANY for r in found.model.security_rules)


# --- inspection


def test_exemptions_stand_above_what_decrypts():
    policy = """policy p "P" { from connectors
        allow a-must "A" { to a.example.com ports 443/https tls-inspection }
        allow b-not  "B" { to b.example.com/x 198.51.100.0/24 ports 443/https 80/http no-tls-inspection }
        allow c-may  "C" { to c.example.com ports 443/https }
        allow d-http "D" { to d.example.com ports 80/http 25/tcp }
    }"""
    found = lowering_of(policy, inventory(), "edge")
    rules = found.model.decryption_rules
    assert [r.action for r in rules] == ["no-decrypt", "no-decrypt", "decrypt"]
    by_name = next(r for r in rules if r.action == "no-decrypt" and r.categories is not ANY)
    assert entries(found, by_name) == ("b.example.com/",)
    by_address = next(r for r in rules if r.categories is ANY)
    assert by_address.destinations == ("198.51.100.0/24",)
    assert by_address.services == ("egc-tcp-443",)
    assert found.inspects
    exempt = [p.exempt for p in found.parts if p.exempt is not None]
    assert len(exempt) == 2
    assert all(e.ports.text == "443/tcp" and not e.exceptions for e in exempt)


def test_a_device_that_does_not_decrypt_has_no_decryption_rules():
    found = lowering_of(POLICY, inventory(SETTINGS + ", tls-inspection: false"), "edge")
    assert found.model.decryption_rules == ()
    assert not found.inspects
    assert all(p.exempt is None and p.inspect is None for p in found.parts)
    assert "tls-unenforced" not in reasons(found)


def test_decryption_logs_as_the_rule_says():
    for said, log in (("", None), ("log", True), ("log off", False)):
        found = lowered(f"to a.example.com ports 443/https no-tls-inspection {said}", SETTINGS)
        (rule_,) = found.model.decryption_rules
        assert (rule_.log_success, rule_.log_fail) == (log, log)
        assert rule_.log_setting == (None if log is False else "forward")
    old = lowered("to a.example.com ports 443/https no-tls-inspection log", SETTINGS.replace("10.1", "9.1"))
    assert old.model.decryption_rules[0].log_success is None  # 9.1 has no such field
    assert old.model.version == "9.1.0"


# --- logging, expiry, tags


def test_logging():
    for said, log in (("", True), ("log", True), ("log off", False)):
        found = lowered(f"to a.example.com ports 443/https {said}", SETTINGS)
        assert allows(found)[0].log_end is log
        assert allows(found)[0].log_setting == ("forward" if log else None)
        closing = found.model.security_rules[-1]
        assert (closing.log_end, closing.log_setting) == (True, "forward")


def test_an_allow_that_expires_has_a_schedule():
    found = lowered("to a.example.com ports 443/https no-tls-inspection expires 2027-06-30", SETTINGS)
    (schedule,) = found.model.schedules
    assert schedule.span == "2000/01/01@00:00-2027/06/30@23:59"
    assert allows(found)[0].schedule == schedule.name
    assert "expires:2027-06-30" in found.model.decryption_rules[0].tags
    assert "expires:2027-06-30" in {t.name for t in found.model.tags}
    assert reasons(found) == ["expiry"]
    assert "the firewall's clock shows UTC" in found.assumes


def test_a_schedule_ends_after_it_starts_in_the_past_too():
    text = rule("to a.example.com ports 443/https expires 1999-01-01")
    found = lowering_of(text, inventory(ZONES + ", timezone: Etc/GMT+12"), "edge", date(1998, 12, 31))
    assert found.model.schedules[0].span == "1999/01/01@00:00-1999/01/01@11:59"


def test_what_an_update_and_ipv6_need_is_said():
    found = lowered("to a.example.com ports 443/https")
    assert any(s.startswith("nothing of an earlier compilation") for s in found.assumes)
    assert any(s.startswith("IPv6 firewalling is on") for s in found.assumes)


def test_a_deny_has_no_schedule():
    policy = 'policy p "P" { from connectors deny d "D" { to a.example.com ports 443/https expires 2027-06-30 } }'
    found = lowering_of(policy, inventory(), "edge")
    assert found.model.schedules == ()
    assert all(r.schedule is None for r in found.model.security_rules)


def test_tags_say_policy_and_ticket():
    found = lowered('to a.example.com ports 443/https ticket "CHG-2"', head='ticket "CHG-1" from connectors')
    (allow,) = allows(found)
    assert allow.tags == ("policy:p", "ticket:CHG-1", "ticket:CHG-2")
    assert allow.group_tag == "policy:p"
    assert [t.name for t in found.model.tags] == ["policy:p", "ticket:CHG-1", "ticket:CHG-2"]
    assert allow.description == "R"


def test_profiles_are_for_allows():
    policy = """policy p "P" { from connectors
        allow a "A" { to *.example.com ports 443/https }
        deny  d "D" { to d.example.com ports 443/https }
    }"""
    found = lowering_of(policy, inventory(), "edge")
    assert {r.action: r.profile_group for r in found.model.security_rules} == {"allow": "outbound", "deny": None}


# --- denies, order, closing deny


def test_denies_stand_first_and_the_closing_deny_last():
    found = lowering_of(POLICY, inventory(), "edge")
    actions = [r.action for r in found.model.security_rules]
    assert actions[-1] == "deny"
    first_allow = actions.index("allow")
    assert first_allow >= 3
    assert all(a == "deny" for a in actions[:first_allow])
    # the only denies behind an allow are those of exceptions, directly above their own allow
    for at in range(first_allow, len(actions) - 1):
        if actions[at] == "deny":
            assert found.model.security_rules[at].tags == found.model.security_rules[at + 1].tags


def test_the_closing_deny_leaves_the_house_alone():
    found = lowered("to a.example.com ports 443/https")
    closing = found.model.security_rules[-1]
    assert set(closing.destinations) == set(DEFAULT_INTERNAL_TEXTS)
    assert closing.negate_destination
    assert closing.services is ANY
    assert closing.applications is ANY
    assert closing.sources == (found.model.address_groups[0].name, "AG EXISTING")
    assert (closing.from_zone, closing.to_zone) == ("trust", "untrust")
    assert found.site_steps == ()


def test_a_total_closing_deny():
    text = "internal-networks: []\n" + inventory(ZONES)
    closing = lowering_of(rule("to a.example.com ports 443/https"), text, "edge").model.security_rules[-1]
    assert closing.destinations is ANY
    assert not closing.negate_destination


def test_no_closing_deny_if_not_wanted():
    found = lowered("to a.example.com ports 443/https", ZONES + ", default-deny: false")
    assert [r.action for r in found.model.security_rules] == ["allow"]
    assert [s.reason.value for s in found.site_steps] == ["default"]


def test_a_deny_that_meets_no_allow_and_cannot_be_said_is_left_out():
    policy = """policy p "P" { from connectors
        allow a "A" { to a.example.com ports 443/https }
        deny  d "D" { to b*.example.org ports 443/https }
        deny  e "E" { to *.example.org ports 25/tcp }
    }"""
    found = lowering_of(policy, inventory(), "edge")
    assert [p.left_out for p in found.parts] == [False, True, True]
    assert [r.action for r in found.model.security_rules] == ["allow", "deny"]
    # without a closing deny the wildcard is widened, and the one that cannot be said is announced
    found = lowering_of(policy, inventory(ZONES + ", default-deny: false"), "edge")
    assert [p.left_out for p in found.parts] == [False, False, False]
    assert reasons(found) == ["label-wildcard", "no-names"]


def test_a_deny_of_internal_addresses_is_not_left_to_the_closing_deny():
    policy = ACCOUNTS + 'policy p "P" { from connectors deny d "D" { to 10.9.0.0/16 ports 443/https as connector } }'
    found = lowering_of(policy, inventory(), "edge")
    assert [p.left_out for p in found.parts] == [False]
    assert found.model.security_rules[0].destinations == ("10.9.0.0/16",)


def test_a_widened_deny_that_meets_an_allow_is_an_error():
    policy = (
        ACCOUNTS
        + """policy p "P" { from connectors
        allow a "A" { to a.example.com ports 443/https }
        deny  d "D" { to a.example.com ports 443/https as connector }
    }"""
    )
    assert "E0621" in [d.code for d in compilation_of(policy, inventory()).diagnostics]
    result = compilation_of(policy, inventory(SETTINGS + ", user-id: true"))
    assert "E0621" not in [d.code for d in result.diagnostics]


# --- errors


def test_a_url_entry_that_is_too_long_is_refused():
    for length, codes in ((254 - len("a.example.com"), []), (255 - len("a.example.com"), ["E0702"])):
        path = "/" + "p" * (length - 1)
        found = lowered(f"to a.example.com{path} ports 80/http")
        assert [d.code for d in found.diagnostics] == codes


TAGS = 'endpoints t "T" { service-tag AzureMonitor }'


def test_service_tags_need_their_file():
    found = lowered("to t ports 443/https", more=TAGS)
    assert [d.code for d in found.diagnostics] == ["E0502"]


def test_settings_without_a_place_to_show_are_errors_too():
    found, problems = load_target("paloalto").load_settings(Located.empty())
    assert found is None
    assert [p.code for p in problems] == ["E0411", "E0411"]


# --- tables


def test_every_assumption_is_in_the_table():
    known = {a.id for a in ASSUMPTIONS}
    assert len(known) == len(ASSUMPTIONS)
    used = set()
    for settings in (SETTINGS, SETTINGS + ", user-id: true"):
        for part in lowering_of(POLICY, inventory(settings), "edge").parts:
            used |= set(part.assumptions)
            assert list(part.assumptions) == sorted(set(part.assumptions))
    assert used <= known
    in_rows = {i for row in CAPABILITIES.rows for i in row.assumptions}
    assert in_rows <= known
    assert {"pan-path-prefix", "pan-category-session", "pan-fqdn-resolved", "pan-user-mapped"} <= used
    assert all(row.verdict in {"exact", "wider", "narrower", "refused"} for row in CAPABILITIES.rows)


def test_the_same_site_gives_the_same_answer():
    site = site_of(POLICY, inventory(), "edge")
    target = load_target("paloalto")
    assert target.render(target.lower(site).model) == target.render(target.lower(site).model)
