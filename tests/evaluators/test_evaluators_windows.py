"""Random policies on Windows Firewall: the text of the artefact, the policy, and the report, flow by flow."""

from __future__ import annotations

import json
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest
from announced import announced, counts_inside, disagreement, is_exact
from loop import agree, is_seen, same_form
from policy_verdict import Flow
from random_cases import TAGS, boundary_flows
from windows_files import from_cmdlets, from_export, from_json, script_data
from windows_text import PROFILES, Machine, Rule, World, identifier_of

sys.path.insert(0, str(Path(__file__).parent.parent / "targets" / "windows_firewall"))
from windows_host import Host

from egressc.anything import ANY

BLOCKS = 10
CASES = 170
FLOWS = 27
KINDS = ("windows-account", "windows-program", "windows-service")


def firewall(rng):
    settings = [f"default-deny: {rng.choice(('true', 'true', 'true', 'false'))}"]
    settings.append(f"dynamic-keywords: {rng.choice(('true', 'true', 'true', 'false'))}")
    settings.append(rng.choice(("store: PersistentStore", "store: {gpo: 'contoso.example\\Egress'}")))
    settings.append(f"profile: {rng.choice(('Any', 'Domain', '[Domain, Private]'))}")
    return f"target: windows-firewall, settings: {{{', '.join(settings)}}}"


def texts_of(build):
    files = {artefact.name: artefact.content for artefact in build.render()}
    return files["rules.json"].decode(), files["firewall.ps1"]


def flows_of(build, rng):
    """Flows of a host of the group: no other host has the artefact. Loopback and multicast are outside of the flows."""
    for flow in boundary_flows(build.site, rng, FLOWS, KINDS):
        address = ip_address(flow.address)
        if address.is_loopback or address.is_multicast or address.is_unspecified:
            continue
        if flow.group is not None:
            yield flow


def problem_of(build, flow, machine):
    """What is wrong with what a machine does with a flow; inside, where no rule says anything, a rule leaves it open.

    In every network for which the inventory asks for the rules it is the same.
    """
    profiles = build.site.settings.profiles
    verdicts = {machine.decide(flow, World(name)) for name in (PROFILES if profiles is ANY else profiles)}
    if len(verdicts) > 1:
        return f"it depends on the network: {verdicts}"
    (found,) = verdicts
    if counts_inside(build, flow, TAGS):
        return disagreement(build, flow, TAGS, found, exact=is_exact(build))
    want = announced(build, flow, TAGS)
    return "" if found == want else f"inside the artefact decides {found}, announced was {want}"


def machine_after(build, script):
    """The machine on which the script has run, which enforces the default deny if it may."""
    host = Host()
    host.accounts = {"CORP\\one": identifier_of("CORP\\one")}
    host.services = {"OneSvc": 1, "TwoSvc": 1}
    data = script_data(script.decode("ascii"))
    host.run(script, EnforceDefaultDeny=data["Site"]["ClosingDeny"])
    if data["Site"]["GroupPolicy"]:
        host.run(script, KeywordsOnly=True)
    store = data["Site"]["Store"]
    keywords = {each["Id"]: each["Keyword"] for each in host.keywords.values()}
    default = {name: "deny" if action == "Block" else None for name, action in host.profiles[store].items()}
    kept = {"PrimaryStatus", "RemoteDynamicKeywordAddresses"}
    rules = [
        {
            **{key: value for key, value in rule.items() if key not in kept},
            "remotedynamickeywordaddresses": rule["RemoteDynamicKeywordAddresses"],
        }
        for rule in host.rules[store].values()
    ]
    return from_cmdlets(rules, keywords, default, host.accounts)


def judged(build, rng, counts):
    text, script = texts_of(build)
    assert script_data(script.decode("ascii")) == json.loads(text)
    machine = from_json(text)
    other = machine_after(build, script) if counts["artefacts"] % 8 == 0 else None
    counts["scripts run"] += other is not None
    for flow in flows_of(build, rng):
        found = machine.decide(flow)
        problem = problem_of(build, flow, machine)
        if other is not None and not problem:
            worlds = [World(profile) for profile in PROFILES]
            if any(other.decide(flow, world) != machine.decide(flow, world) for world in worlds):
                problem = "on a machine where the script has run it is another verdict"
        counts["of several accounts"] += len(flow.accounts) > 1
        counts["inside"] += not counts_inside(build, flow, TAGS)
        counts["by address and name"] += flow.shared is not None
        yield flow, problem, found


@pytest.mark.parametrize("block", range(BLOCKS))
def test_text_policy_and_report_agree(block, capsys):
    agree(block, capsys, firewall, judged, CASES)


def problems(build, rng, text):
    machine = from_json(text)
    for flow in flows_of(build, rng):
        yield flow, problem_of(build, flow, machine)


def each_rule(change):
    """A change of every rule, which works on its record."""

    def changed(text):
        data = json.loads(text)
        for record in data["Rules"]:
            change(record)
        return json.dumps(data)

    return changed


def the_data(change):
    """A change of the whole."""

    def changed(text):
        data = json.loads(text)
        change(data)
        return json.dumps(data)

    return changed


def field(key, change):
    """A change of what a rule says under a key."""
    return each_rule(lambda record: record.update({key: change(record[key])}) if key in record else None)


def without(key):
    return each_rule(lambda record: record.pop(key, None))


def rules(change):
    return the_data(lambda data: data.update(Rules=change(data["Rules"])))


def keywords(change):
    """A change of what each keyword says."""
    return the_data(lambda data: [each.update(Keyword=change(each["Keyword"])) for each in data["Keywords"]])


def internal_only(record):
    if "internal" in record["DisplayName"]:
        record["RemoteAddress"] = record["RemoteAddress"][1:]


BREAKAGES = {
    "allowed": field("Action", lambda _: "Allow"),
    "blocked": field("Action", lambda _: "Block"),
    "the other way round": field("Action", {"Allow": "Block", "Block": "Allow"}.get),
    "no block rules": rules(lambda found: [each for each in found if each["Action"] == "Allow"]),
    "the first rule lost": rules(lambda found: found[1:]),
    "the last rule lost": rules(lambda found: found[:-1]),
    "TCP for all": field("Protocol", lambda _: "TCP"),
    "another transport": field("Protocol", {"TCP": "UDP", "UDP": "TCP", "Any": "Any"}.get),
    "any port": field("RemotePort", lambda _: ["Any"]),
    "no ports": without("RemotePort"),
    "a port lost": field("RemotePort", lambda found: found[1:] or found),
    "the first port of a range": field("RemotePort", lambda found: [text.partition("-")[0] for text in found]),
    "any address": field("RemoteAddress", lambda _: ["Any"]),
    "an address lost": field("RemoteAddress", lambda found: found[1:] or found),
    "the first family": field("RemoteAddress", lambda found: [t for t in found if ":" not in t] or found),
    "a network too wide": field("RemoteAddress", lambda found: [t.replace("192.0.2.0/24", "192.0.0.0/16") for t in found]),
    "an internal network lost": each_rule(internal_only),
    "no names": without("RemoteDynamicKeywordAddresses"),
    "a name lost": field("RemoteDynamicKeywordAddresses", lambda found: found[1:]),
    "no keywords": the_data(lambda data: data.update(Keywords=[])),
    "a wildcard lost": keywords(lambda text: text.removeprefix("*.")),
    "a wildcard more": keywords(lambda text: text if text.startswith("*") else f"*.{text}"),
    "a label more": keywords(lambda text: text.replace("*.", "*.a.") if "*" in text else f"a.{text}"),
    "a label less": keywords(lambda text: f"*.{text.removeprefix('*.').partition('.')[2]}" if text.count(".") > 2 else text),
    "any service": without("Service"),
    "another service": field("Service", lambda text: {"OneSvc": "TwoSvc", "TwoSvc": "OneSvc"}[text]),
    "any program": without("Program"),
    "another program": field("Program", lambda text: text.replace("three", "four")),
    "any account": without("LocalAccounts"),
    "another account": field("LocalAccounts", lambda _: ["CORP\\two"]),
    "everyone": each_rule(lambda record: record.update(LocalUser="D:(A;;CC;;;WD)") if "LocalAccounts" in record else None),
    "nobody": each_rule(lambda record: record.update(LocalUser="D:(D;;CC;;;WD)") if "LocalAccounts" in record else None),
    "no default deny": the_data(lambda data: data["Site"].update(ClosingDeny=False)),
    "a default deny": the_data(lambda data: data["Site"].update(ClosingDeny=True)),
    "another profile": the_data(lambda data: data["Site"].update(Profile="Public")),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_broken_is_seen(name):
    assert is_seen(firewall, same_form(BREAKAGES[name]), lambda build: texts_of(build)[0], problems)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        # windows-firewall.md, section 4
        ("NT SERVICE\\TrustedInstaller", "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"),
        ("NT SERVICE\\MpsSvc", "S-1-5-80-3088073201-1464728630-1879813800-1107566885-823218052"),
        ("NT AUTHORITY\\NETWORK SERVICE", "S-1-5-20"),
    ],
)
def test_identifiers(name, identifier):
    assert identifier_of(name) == identifier


FLOW = Flow(
    "g", "10.0.0.1", frozenset(), "a.contoso.com", None, "192.0.2.7", None, "tcp", 443,
    process=(("windows-account", "S-1-5-20"), ("windows-program", "c:\\x.exe"), ("windows-service", "wapcsvc")),
)  # fmt: skip


def rule(action="Allow", **conditions):
    conditions = {key: value if isinstance(value, str) else tuple(value) for key, value in conditions.items()}
    return Rule("r", action, **conditions)


def machine(*of):
    return Machine(list(of), {"{1}": "*.contoso.com", "{2}": "contoso.com"}, dict.fromkeys(PROFILES, "deny"))


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        # firewall-csp.md: conditions hold together, the values of one are alternatives
        ({}, True),
        ({"protocol": "tcp", "ports": ["80", "443"]}, True),
        ({"protocol": "udp", "ports": ["443"]}, False),
        ({"protocol": "tcp", "ports": ["400-442", "444"]}, False),
        ({"addresses": ["192.0.2.0/255.255.255.0"]}, True),
        ({"addresses": ["192.0.2.1-192.0.2.6", "2001:db8::/32"]}, False),
        ({"addresses": []}, False),
        # a rule may mix keywords and addresses (dynamic-keywords.md)
        ({"addresses": ["10.0.0.0/8"], "keywords": ["{1}"]}, True),
        ({"addresses": ["192.0.2.7"], "keywords": ["{2}"]}, True),
        # a rule whose only remote addresses are unresolved keywords is not enforced
        ({"keywords": ["{2}"]}, False),
        ({"service": "WAPCSvc", "program": "C:\\X.exe"}, True),
        ({"service": "*"}, True),
        ({"service": "WAPCSvc", "program": "C:\\Y.exe"}, False),
        ({"users": "D:(A;;CC;;;S-1-5-20)"}, True),
        ({"users": "O:LSD:(A;;CC;;;S-1-5-19)(A;;CC;;;NS)"}, True),
        ({"users": "D:(D;;CC;;;S-1-5-20)(A;;CC;;;S-1-1-0)"}, False),
        ({"users": "D:"}, False),
    ],
)
def test_one_rule(conditions, expected):
    assert machine().matches(rule(**conditions), FLOW, World()) is expected


def test_precedence():
    # "block rules take precedence over allow rules", the default action comes last ([MS-FASP] 2.2.34, 2.2.38)
    allow, block = rule(addresses=["192.0.2.7"]), rule("Block", addresses=["192.0.2.0/24"])
    elsewhere = rule(addresses=["198.51.100.0/24"])
    assert machine(allow, block).decide(FLOW) == "deny"
    assert machine(block, allow).decide(FLOW) == "deny"
    assert machine(allow, elsewhere).decide(FLOW) == "allow"
    assert machine(elsewhere).decide(FLOW) == "deny"


@pytest.mark.parametrize(
    ("fields", "worlds"),
    [
        # [MS-GPFAS] 2.2.2.19: Active absent is FALSE; Protocol absent is any; Profile absent is all
        ("Action=Allow|Active=TRUE|Dir=Out|", "Domain Private Public"),
        ("Action=Allow|Dir=Out|", ""),
        ("Action=Allow|Active=FALSE|Dir=Out|", ""),
        ("Action=Allow|Active=TRUE|Dir=In|", ""),
        ("Action=Allow|Active=TRUE|Dir=Out|Profile=Domain|Profile=Public|", "Domain Public"),
        ("Action=Allow|Active=TRUE|Dir=Out|Protocol=17|", ""),
        ("Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=80|RPort2_10=440-450|", "Domain Private Public"),
        ("Action=Allow|Active=TRUE|Dir=Out|RA4=192.0.2.0/255.255.255.0|App=c:\\\\x.exe|", "Domain Private Public"),
    ],
)
def test_rule_strings(fields, worlds):
    key = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
    on = '"EnableFirewall"=dword:00000001\n"DefaultOutboundAction"=dword:00000001'
    lines = [f"[{key}\\{name}Profile]\n{on}" for name in ("Domain", "Standard", "Public")]
    lines.append(f'[{key}\\FirewallRules]\n"r"="v2.30|{fields}"')
    files = {"firewall.reg": "\n".join(lines).encode("utf-16"), "keywords.json": b"[]", "rules.json": b"[]"}
    found = from_export(files)
    assert [name for name in PROFILES if found.decide(FLOW, World(name)) == "allow"] == worlds.split()
