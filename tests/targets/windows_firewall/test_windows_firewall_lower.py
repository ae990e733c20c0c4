"""Lowering: what becomes of every form of rule, and what is announced about it."""

import hashlib
import re

import pytest
from support import compilation_of, lowering_of, site_of
from windows_lowering import CONNECTOR, codes, inventory, lowered, names_of, only, reasons, written

from egressc.anything import ANY
from egressc.lowering import Recognition
from egressc.policy import Account, HostEndpoint
from egressc.reasons import Reason
from egressc.targets.windows_firewall import build
from egressc.targets.windows_firewall.capabilities import CAPABILITIES, MAX_ADDRESSES, MAX_PORTS
from egressc.targets.windows_firewall.conditions import conditions_of
from egressc.targets.windows_firewall.keywords import keyword
from egressc.targets.windows_firewall.model import (
    AccountName,
    Action,
    Protocol,
    RemoteAddresses,
    RemoteKeywords,
    Sid,
)

# -- names


@pytest.mark.parametrize(
    ("endpoint", "keywords", "steps"),
    [
        ("login.windows.net", ["login.windows.net"], []),
        ("LOGIN.Windows.net", ["login.windows.net"], []),
        ("*.msappproxy.net", ["*.msappproxy.net"], []),
        ("msappproxy.net *.msappproxy.net", ["msappproxy.net", "*.msappproxy.net"], []),
        ("bücher.example", ["xn--bcher-kva.example"], []),
        ("www.microsoft.com/pkiops", ["www.microsoft.com"], [Reason.PATH]),
        ("autodiscover.*.onmicrosoft.com", ["*.onmicrosoft.com"], [Reason.DEPTH]),
        ("azgn*.servicebus.windows.net", ["*.servicebus.windows.net"], [Reason.LABEL_WILDCARD]),
        ("san-af-*-prod.azurewebsites.net", ["*.azurewebsites.net"], [Reason.LABEL_WILDCARD]),
        ("a*.*.x.example", ["*.x.example"], [Reason.LABEL_WILDCARD, Reason.DEPTH]),
        ("a.*.b*.x.example", ["*.x.example"], [Reason.LABEL_WILDCARD]),
    ],
)
def test_names_become_keywords(endpoint, keywords, steps):
    lowering = lowered(f'allow r "R" {{ to {endpoint} ports 443/https }}')
    rule = only(lowering)
    assert rule.action is Action.ALLOW
    assert sorted(names_of(lowering, rule)) == sorted(keywords)
    assert [k.name for k in lowering.model.keywords] == sorted(keywords)
    assert reasons(lowering) == [[*steps, Reason.RESOLVED_ADDRESS]]
    (part,) = lowering.parts
    assert part.names == (rule.name,)
    assert part.recognition is Recognition.DNS
    assert part.reach.shared
    assert sorted(e.pattern.text for e in part.reach.endpoints if isinstance(e, HostEndpoint)) == sorted(keywords)
    wild = any(name.startswith("*.") for name in keywords)
    assert part.assumptions == (("windows-keyword-wildcard",) if wild else ())


def test_names_of_all_applications_are_one_rule():
    lowering = lowered('allow r "R" { to a.example.com ports 443/https 80/http 5671-5672/tls 8000/tcp }')
    rule = only(lowering)
    assert rule.ports == ("80", "443", "5671-5672", "8000")
    assert len(lowering.parts) == 1


def test_keywords_are_the_same_in_every_rule_and_only_those_in_use():
    lowering = lowered(
        'allow a "A" { to x.example.com ports 443/https }\nallow b "B" { to x.example.com ports 80/http }'
    )
    assert [r.remote for r in written(lowering)] == [RemoteKeywords((keyword("x.example.com").id,))] * 2
    assert len(lowering.model.keywords) == 1


def test_without_keywords_names_become_their_fallback():
    rules = 'allow r "R" { to s ports 443/https }'
    sets = 'endpoints s "S" { a.example.com fallback { 203.0.113.0/24 2001:db8::/32 } }'
    lowering = lowering_of(f'{sets}\npolicy p "P" {{ from g {rules} }}', inventory("dynamic-keywords: false"), "hosts")
    assert only(lowering).remote == RemoteAddresses(("203.0.113.0/24", "2001:db8::/32"))
    assert reasons(lowering) == [[Reason.FALLBACK]]
    assert lowering.model.keywords == ()
    lowering = lowered('allow r "R" { to a.example.com ports 443/https }', "dynamic-keywords: false")
    assert written(lowering) == []
    assert reasons(lowering) == [[Reason.NO_NAMES]]


# -- addresses, ports, protocols


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("10.0.0.0/8", ["10.0.0.0/8"]),
        ("192.0.2.1", ["192.0.2.1"]),
        ("192.0.2.1-192.0.2.9", ["192.0.2.1-192.0.2.9"]),
        ("192.0.2.0/25 192.0.2.128/25", ["192.0.2.0/24"]),
        ("2001:db8::1 192.0.2.1", ["192.0.2.1", "2001:db8::1"]),
        ("0.0.0.0/0", ["0.0.0.0-255.255.255.255"]),
        ("0.0.0.0/1", ["0.0.0.0/1"]),
        ("::/0", ["::2-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]),
        ("::/127 192.0.2.1", ["192.0.2.1"]),
        ("0.0.0.0/0 ::/0", ANY),
        ("any-address", ANY),
    ],
)
def test_addresses_are_written_as_windows_takes_them(to, expected):
    lowering = lowered(f'allow r "R" {{ to {to} ports 443/tcp }}')
    remote = only(lowering).remote
    assert remote is ANY if expected is ANY else remote == RemoteAddresses(tuple(expected))
    assert reasons(lowering) == [[]]


def test_loopback_alone_is_nothing_that_windows_filters():
    lowering = lowered('allow r "R" { to ::1 ports 443/tcp }')
    assert written(lowering) == []
    assert reasons(lowering) == [[Reason.FAMILY]]


def test_protocols_are_rules_of_their_own_and_ports_a_list():
    lowering = lowered('allow r "R" { to 192.0.2.1 ports 53/udp 53/tcp 100-200/tcp any/udp }')
    tcp, udp = written(lowering)
    assert (tcp.protocol, tcp.ports) == (Protocol.TCP, ("53", "100-200"))
    assert (udp.protocol, udp.ports) == (Protocol.UDP, ANY)
    assert tcp.name.rsplit("-", 1)[0] != udp.name.rsplit("-", 1)[0]


def test_more_addresses_than_a_rule_holds_are_several_rules():
    addresses = [f"198.{18 + i // 256}.{i % 256}.1" for i in range(2 * MAX_ADDRESSES + 1)]

    def rules_to(some):
        return written(lowered(f'allow r "R" {{ to {" ".join(some)} ports 443/tcp }}'))

    found = rules_to(addresses)
    assert [len(r.remote.values) for r in found] == [MAX_ADDRESSES, MAX_ADDRESSES, 1]
    assert [value for r in found for value in r.remote.values] == addresses
    # the last share is called after its first address: others may come behind it without renaming it
    longer = rules_to([*addresses, "203.0.113.1"])
    assert [r.name.rsplit("-", 1)[0] for r in longer] == [r.name.rsplit("-", 1)[0] for r in found]
    assert [r.name for r in longer[:2]] == [r.name for r in found[:2]]


def test_more_ports_than_a_rule_holds_are_several_rules():
    ports = [str(port) for port in range(1, 2 * MAX_PORTS + 4, 2)]
    found = written(lowered(f'allow r "R" {{ to 192.0.2.1 ports {" ".join(p + "/tcp" for p in ports)} }}'))
    assert [value for r in found for value in r.ports] == ports
    assert max(len(r.ports) for r in found) == MAX_PORTS


# -- accounts


def test_an_account_is_the_conjunction_of_its_kinds():
    lowering = lowered('allow r "R" { as connector to 192.0.2.1 ports 443/tcp }')
    rule = only(lowering)
    assert rule.users == (Sid("S-1-5-20"),)
    assert rule.service == "WAPCSvc"
    assert rule.program is ANY
    assert lowering.parts[0].assumptions == ("windows-service-sid",)
    assert lowering.parts[0].reach.accounts == frozenset({"connector"})


def test_values_of_a_kind_are_alternatives():
    account = """
service-account many "M" {
    windows-account "NetworkService" windows-account "CONTOSO\\a$" windows-account "S-1-5-20"
    windows-service "One" windows-service "two" windows-service "ONE"
    windows-program "C:\\a.exe" windows-program "%ProgramFiles%\\b.exe"
}
"""
    source = f'{account}\npolicy p "P" {{ from g as many allow r "R" {{ to 192.0.2.1 ports 443/tcp }} }}'
    found = written(lowering_of(source, inventory(), "hosts"))
    assert {(r.service.lower(), r.program) for r in found} == {
        (s, p) for s in ("one", "two") for p in ("C:\\a.exe", "%ProgramFiles%\\b.exe")
    }
    assert all(set(r.users) == {Sid("S-1-5-20"), AccountName("CONTOSO\\a$")} for r in found)
    assert len({r.name for r in found}) == 4


def test_several_accounts_are_several_rules_and_none_is_any():
    other = 'service-account other "O" { windows-service "Other" }'
    source = (
        f'{CONNECTOR}{other}\npolicy p "P" {{ from g as connector other allow r "R" {{ to 192.0.2.1 ports 443/tcp }} }}'
    )
    found = written(lowering_of(source, inventory(), "hosts"))
    assert [(r.users, r.service) for r in found] == [((Sid("S-1-5-20"),), "WAPCSvc"), (ANY, "Other")]
    free = only(lowered('allow r "R" { to 192.0.2.1 ports 443/tcp }'))
    assert (free.users, free.service, free.program) == (ANY, ANY, ANY)


def test_an_account_without_a_windows_binding_is_an_error_once():
    source = """
service-account l "L" { linux-user wapc directory-user "CONTOSO\\x" }
policy p "P" { from g as l
  allow a "A" { to 192.0.2.1 ports 443/tcp }
  allow b "B" { to 192.0.2.2 ports 443/tcp }
}
"""
    result = compilation_of(source, inventory())
    (found,) = [d for d in result.diagnostics if d.code == "E0501"]
    assert found.message == (
        "`l` has no windows-account, windows-service or windows-program binding for `hosts` (windows-firewall)"
    )
    assert found.span.text == "a"
    assert result.builds == ()
    bound = inventory(more="service-accounts: {l: {windows-service: LSvc}}")
    assert written(lowering_of(source, bound, "hosts"))[0].service == "LSvc"


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("windows-service", "*", "E0790"),
        ("windows-service", "a/b", "E0790"),
        ("windows-service", 'a"b', "E0790"),
        ("windows-service", "a[b]", "E0790"),
        ("windows-service", "", "E0790"),
        ("windows-service", "x" * 260, "E0790"),
        ("windows-program", "agent.exe", "E0791"),
        ("windows-program", "C:\\a\\*\\b.exe", "E0791"),
        ("windows-program", "C:/a/b.exe", "E0791"),
        ("windows-program", "C:\\a\\", "E0791"),
        ("windows-program", "C:\\\\a\\\\b.exe", "E0791"),
        ("windows-program", "C:\\a\\..\\b.exe", "E0791"),
        ("windows-program", "C:\\a\\.", "E0791"),
        ("windows-program", "\\\\server\\share", "E0791"),
        ("windows-program", "C:\\" + "x" * 260, "E0791"),
        ("windows-account", "S-1-5-nonsense", "E0792"),
        ("windows-account", "a|b", "E0792"),
        ("windows-account", "a\\b\\c", "E0792"),
        ("windows-account", "x" * 600, "E0792"),
    ],
)
def test_bindings_that_windows_cannot_have_are_errors(kind, value, code):
    """Whatever the front end lets through."""
    site = site_of('policy p "P" { from g allow a "A" { to 192.0.2.1 ports 443/tcp } }', inventory(), "hosts")
    rule = site.rules[0].rule
    conditions, (found,) = conditions_of(Account("bad", "B", ((kind, (value,)),), rule.span), site)
    assert conditions == ()
    assert found.code == code
    assert len(found.message) < 200


@pytest.mark.parametrize(
    "path",
    [
        "System",
        "C:\\a.exe",
        "%ProgramFiles%\\A B\\.c\\d..e.exe",
        "\\\\server\\share\\x.exe",
        "c:\\a\\...\\b",
        "%X%\\b.exe",
    ],
)
def test_full_paths_are_programs(path):
    site = site_of('policy p "P" { from g allow a "A" { to 192.0.2.1 ports 443/tcp } }', inventory(), "hosts")
    account = Account("good", "G", (("windows-program", (path,)),), site.rules[0].rule.span)
    ((condition,), problems) = conditions_of(account, site)
    assert (condition.program, problems) == (path, ())


def test_a_bad_binding_is_said_once_for_all_rules():
    source = """
service-account bad "B" { windows-service "a?b" }
policy p "P" { from g as bad
  allow a "A" { to 192.0.2.1 ports 443/tcp }
  allow b "B" { to 192.0.2.2 ports 443/tcp }
}
"""
    result = compilation_of(source, inventory())
    assert [d.code for d in result.diagnostics if d.code.startswith("E")] == ["E0790"]
    assert result.builds == ()


def test_accounts_of_a_group_policy_object_need_their_domain():
    source = 'service-account s "S" { windows-account "svc" }\npolicy p "P" { from g as s allow a "A" { to 192.0.2.1 ports 443/tcp } }'
    store = "store: {gpo: 'contoso.example\\Egress'}"
    assert codes(compilation_of(source, inventory(store))) == ["E0795"]
    assert only(lowering_of(source.replace('"svc"', '"CONTOSO\\svc"'), inventory(store), "hosts")).users == (
        AccountName("CONTOSO\\svc"),
    )
    assert only(lowering_of(source, inventory(), "hosts")).users == (AccountName("svc"),)


# -- the whole


def test_internal_networks_are_one_allow_rule():
    lowering = lowered('allow a "A" { to a.example.com ports 443/https }')
    rule = lowering.model.rules[0]
    assert (rule.protocol, rule.action, rule.ports, rule.users) == (Protocol.ANY, Action.ALLOW, ANY, ANY)
    assert "10.0.0.0/8" in rule.remote.values
    assert "fe80::/10" in rule.remote.values
    assert rule.name.startswith("egressc-")
    total = lowered('allow a "A" { to a.example.com ports 443/https }', more="internal-networks: []")
    assert all(r.protocol is not Protocol.ANY for r in total.model.rules)


@pytest.mark.parametrize(
    ("options", "step"), [({"settings": "default-deny: false"}, "note"), ({"group": "description: x"}, "warning")]
)
def test_without_a_closing_deny_nothing_is_opened_or_closed(options, step):
    lowering = lowered('allow a "A" { to a.example.com ports 443/https }', **options)
    assert not lowering.model.closing_deny
    assert all(r.protocol is not Protocol.ANY for r in lowering.model.rules)
    (found,) = lowering.site_steps
    assert found.reason is Reason.DEFAULT
    assert (found.level or "note") == step
    assert not any("EnforceDefaultDeny" in sentence for sentence in lowering.assumes)


def test_an_unbound_group_that_is_allowed_to_has_a_closing_deny():
    entry = "groups:\n  g: {description: x}\nfirewalls:\n  hosts: {target: windows-firewall, unbound: allowed}\n"
    lowering = lowering_of('policy p "P" { from g allow a "A" { to a.example.com ports 443/https } }', entry, "hosts")
    assert lowering.model.closing_deny
    assert all(part.reach.groups == frozenset({"g"}) for part in lowering.parts)
    assert reasons(lowering) == [[Reason.RESOLVED_ADDRESS]]


def test_logging_and_expiry_are_noted():
    lowering = lowered(
        'allow a "A" { to 192.0.2.1 ports 443/tcp log expires 2027-06-30 }\n'
        'allow b "B" { to 192.0.2.2 ports 443/tcp log off }\n'
        'deny c "C" { to 192.0.2.3 ports 443/tcp expires 2027-06-30 }'
    )
    assert reasons(lowering) == [[Reason.LOG, Reason.EXPIRY], [], []]
    assert "Expires: 2027-06-30" in written(lowering)[0].description


def test_inspection_is_nothing_that_windows_does():
    lowering = lowered(
        'allow a "A" { to a.example.com ports 443/https no-tls-inspection }\n'
        'allow b "B" { to b.example.com ports 443/https tls-inspection }'
    )
    assert not lowering.inspects
    assert reasons(lowering) == [[Reason.RESOLVED_ADDRESS]] * 2


def test_settings_reach_the_model():
    lowering = lowered(
        'allow a "A" { to *.example.com ports 443/https }',
        "store: {gpo: 'contoso.example\\Egress'}, group: corp, profile: [Public, Domain]",
    )
    model = lowering.model
    assert model.store.gpo == "contoso.example\\Egress"
    assert model.group == "corp"
    assert model.profiles == ("Domain", "Public")
    assert lowering.parts[0].assumptions == ("windows-gpo-keyword", "windows-keyword-wildcard")
    assert any("contoso.example\\Egress" in sentence for sentence in lowering.assumes)
    assert any("-KeywordsOnly" in sentence for sentence in lowering.assumes)


# -- names


def test_names_come_from_the_identity_and_the_content():
    one = 'allow a "A" { to a.example.com ports 443/https }'
    two = 'allow b "B" { to b.example.com ports 443/https }'
    (alone,) = written(lowered(one))
    first, second = written(lowered(f"{two}\n{one}"))
    assert first == alone
    assert re.fullmatch("egressc-[0-9a-f]{12}-[0-9a-f]{8}", alone.name)
    assert first.name.split("-")[1] != second.name.split("-")[1]
    (changed,) = written(lowered(one.replace("443/https", "443/https 80/http")))
    assert changed.name.split("-")[1] == alone.name.split("-")[1]
    assert changed.name.split("-")[2] != alone.name.split("-")[2]
    (described,) = written(lowered(one.replace('"A"', '"Another"')))
    assert described.name != alone.name
    (elsewhere,) = written(lowered(one, "group: other"))
    assert elsewhere.name.split("-")[1:2] == alone.name.split("-")[1:2]
    assert elsewhere.name != alone.name


def test_every_part_of_a_rule_has_its_own_name():
    lowering = lowered('allow a "A" { as connector to x.example.com 192.0.2.1 ports 443/https 53/udp }')
    halves = [r.name.rsplit("-", 1)[0] for r in written(lowering)]
    assert len(halves) == len(set(halves)) == 4
    assert sorted(n for p in lowering.parts for n in p.names) == sorted(r.name for r in written(lowering))


def test_every_announced_assumption_and_reason_is_in_the_table():
    ids = {a.id for a in CAPABILITIES.assumptions}
    assert {"windows-keyword-wildcard", "windows-service-sid", "windows-gpo-keyword"} == ids
    assert {a for row in CAPABILITIES.rows for a in row.assumptions} == ids
    assert all(reason in {r.value for r in Reason} for row in CAPABILITIES.rows for reason in row.reasons)
    assert {row.verdict for row in CAPABILITIES.rows} <= {"exact", "wider", "narrower", "refused"}


def test_two_rules_with_the_same_hash_are_an_error(monkeypatch):
    monkeypatch.setattr(build, "sha256", lambda _data: hashlib.sha256(b"always the same"))
    lowering = lowered(
        'allow a "A" { to x.example.com ports 443/https }\nallow b "B" { to y.example.com ports 443/https }',
        "default-deny: false",
    )
    (found,) = lowering.diagnostics
    assert found.code == "E0794"
    assert found.span.text == "b"
    assert "p/a" in found.message
    assert "p/b" in found.message
