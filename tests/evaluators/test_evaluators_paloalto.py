"""Random policies on PAN-OS: the text of the artefact, the policy, and the report, flow by flow."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from announced import counts_inside, disagreement, handled, is_exact, reported
from loop import agree, is_seen
from paloalto_text import Device, entry_matches, from_set, from_xml
from policy_verdict import inspection, is_described, matching, verdict
from random_cases import OBJECTS, TAGS, boundary_flows
from support import AS_OF

from egressc.policy import Inspection
from egressc.reasons import Reason

BLOCKS = 10
CASES = 160
FLOWS = 30
NOON = datetime(AS_OF.year, AS_OF.month, AS_OF.day, 12, 0, tzinfo=UTC)


def firewall(rng):
    settings = ["from-zone: t", rng.choice(("to-zone: u", "to-zone: any"))]
    settings.append(rng.choice(('version: "9.1"', 'version: "10.1"', 'version: "11.0"')))
    settings.append(
        rng.choice(("location: vsys1", "location: vsys2", "location: {device-group: D G}",
                    "location: {device-group: DG, rulebase: post}"))
    )  # fmt: skip
    settings.append(rng.choice(("place: top", "place: {before: the clean-up}")))
    settings.append(f"user-id: {rng.choice(('true', 'false'))}")
    settings.append(f"application: {rng.choice(('any', 'any', 'by-protocol'))}")
    settings.append(f"default-deny: {rng.choice(('true', 'true', 'true', 'false'))}")
    settings.append(f"tls-inspection: {rng.choice(('true', 'true', 'true', 'false'))}")
    settings.append(f"timezone: {rng.choice(('UTC', 'Europe/Dublin', 'Pacific/Auckland', 'America/Los_Angeles'))}")
    if rng.random() < 0.7:
        settings.append("decryption-profile: strict")
    return f"target: paloalto, settings: {{{', '.join(settings)}}}"


def device_of(build, text, read):
    clock = NOON.astimezone(ZoneInfo(build.site.settings.timezone)).replace(tzinfo=None)
    return Device(read(text), objects=OBJECTS, clock=clock)


def kinds_of(build):
    """The kinds of binding that the device sees."""
    return ("directory-user",) if build.site.settings.user_id else ()


def texts_of(build):
    files = {artefact.name: artefact.content.decode() for artefact in build.render()}
    return files["config.xml"], files["commands.set"]


def tls_problem(build, flow, device):
    """What is wrong with the inspection of a flow that policy and artefact allow."""
    done = {"no-decrypt": "exempt", "decrypt": "inspect", None: None}[device.decryption(flow)]
    if done != handled(build, flow, TAGS):
        return f"the artefact handles TLS: {done}, announced was {handled(build, flow, TAGS)}"
    wanted = inspection(build.site, flow, TAGS)
    inspects = build.site.settings.tls_inspection
    rules = [rule for rule in matching(build.site, flow, TAGS) if not rule.is_deny]
    if wanted == "must-not" and inspects and done != "exempt":
        lost = [rule for rule in rules if rule.rule.inspection is Inspection.MUST_NOT]
        if not any(reported(build, rule.identity, Reason.TLS_UNENFORCED) for rule in lost):
            return "it must not be inspected, may be, and nothing says so"
    if wanted == "must" and inspects and done != "inspect":
        lost = [rule for rule in rules if rule.rule.inspection is Inspection.MUST]
        if not any(reported(build, rule.identity, Reason.TLS_UNENFORCED) for rule in lost):
            return "it must be inspected, need not be, and nothing says so"
    if wanted == "may" and done == "exempt":
        widened = [rule.rule.identity for rule in build.fidelity.rules]
        if not any(reported(build, identity, Reason.TLS_SCOPE) for identity in widened):
            return "it is exempted without need, and nothing says so"
    return ""


CLEAN_UP = """
set {rulebase} security rules "the clean-up" from any
set {rulebase} security rules "the clean-up" to any
set {rulebase} security rules "the clean-up" source any
set {rulebase} security rules "the clean-up" source-user any
set {rulebase} security rules "the clean-up" destination any
set {rulebase} security rules "the clean-up" category any
set {rulebase} security rules "the clean-up" application any
set {rulebase} security rules "the clean-up" service any
set {rulebase} security rules "the clean-up" action deny
"""


def with_clean_up(commands):
    """What the device holds after the commands, which had a rule before that denies everything.

    Where a group is unbound the commands move nothing (inventory.md, *A firewall governs its groups only*).
    """
    if "\nmove " not in commands:
        return from_set(commands)
    rulebase = re.search("(pre-|post-)?rulebase", commands)
    return from_set(commands, CLEAN_UP.format(rulebase=rulebase[0] if rulebase else "rulebase").strip())


def problem_of(build, flow, device):
    """What is wrong with what a device does with a flow."""
    found = device.decide(flow)
    problem = disagreement(build, flow, TAGS, found, exact=is_exact(build))
    if not problem and found == "allow" and verdict(build.site, flow, TAGS) == "allow" and flow.shows == "tls":
        return tls_problem(build, flow, device)
    return problem


def flows_of(build, rng, counts, *, by_protocol):
    """Flows that show what the rules say of them.

    An application filter may reject what shows something else (`application`, a note).
    """
    for flow in boundary_flows(build.site, rng, FLOWS, kinds_of(build)):
        if is_described(build.site, flow, addresses=by_protocol) and counts_inside(build, flow, TAGS):
            yield flow
        else:
            counts["not compared"] += 1


def judged(build, rng, counts):
    xml, commands = texts_of(build)
    device = device_of(build, xml, from_xml)
    other = device_of(build, commands, with_clean_up)
    for flow in flows_of(build, rng, counts, by_protocol=build.site.settings.by_protocol):
        found = device.decide(flow)
        problem = problem_of(build, flow, device)
        # The commands put every rule above the clean-up, in the same order.
        if other.decide(flow) != (found or ("deny" if "\nmove " in commands else None)):
            problem = problem or "commands.set decides otherwise"
        elif other.decryption(flow) != device.decryption(flow):
            problem = problem or "commands.set: decryption"
        yield flow, problem, found


@pytest.mark.parametrize("block", range(BLOCKS))
def test_text_policy_and_report_agree(block, capsys):
    agree(block, capsys, firewall, judged, CASES, policies=110, verdicts=2200)


def problems(build, rng, xml):
    device = device_of(build, xml, from_xml)
    for flow in flows_of(build, rng, Counter(), by_protocol=True):
        yield flow, problem_of(build, flow, device)


def substitute(pattern, other, count=0):
    return lambda text: re.sub(pattern, other, text, count=count, flags=re.DOTALL)


def in_rulebase(kind, change):
    """A change of the entries of one rulebase."""

    def changed(text):
        root = ET.fromstring(text)
        for rules in root.iter():
            for each in rules.findall(f"{kind}/rules") if "rulebase" in rules.tag else ():
                entries = list(each)
                each[:] = change(entries)
        return ET.tostring(root, encoding="unicode")

    return changed


def field(kind, name, *members):
    """Every rule of a rulebase gets these members in a field."""

    def change(entries):
        for entry in entries:
            for each in entry.findall(name):
                each[:] = []
                for member in members:
                    ET.SubElement(each, "member").text = member
        return entries

    return in_rulebase(kind, change)


def disabled(entries):
    for entry in entries[::2]:
        ET.SubElement(entry, "disabled").text = "yes"
    return entries


BREAKAGES = {
    "a wildcard of one label": substitute(r"<member>\*\.", "<member>^."),
    "a wildcard of any depth": substitute(r"<member>\^\.", "<member>*."),
    "a wildcard lost": substitute(r"<member>[*^]\.", "<member>"),
    "no ending token": substitute("([a-z])/</member>", r"\1</member>"),
    "a path that is exact": substitute("(<member>[^<]*/[^<]+)/</member>", r"\1</member>"),
    "an entry lost": substitute("<list><member>[^<]*</member>(?=<member>)", "<list>"),
    "no category": field("security", "category"),
    "any category": field("security", "category", "any"),
    "no source": field("security", "source"),
    "any user": field("security", "source-user", "any"),
    "any service": field("security", "service", "any"),
    "any destination": field("security", "destination", "any"),
    "a group too small": substitute("<static><member>[^<]*</member>(?=<member>)", "<static>"),
    "a range of one port": substitute("<port>([0-9]+)-[0-9]+</port>", r"<port>\1</port>"),
    "the next port": substitute("<port>443</port>", "<port>444</port>"),
    "another transport": substitute("<(/?)udp>", r"<\1tcp>"),
    "a prefix too short": substitute("<member>192.0.2.0/24</member>", "<member>192.0.0.0/16</member>"),
    "allowed": substitute("<action>deny</action>", "<action>allow</action>"),
    "denied": substitute("<action>allow</action>", "<action>deny</action>", 1),
    "not negated": substitute("<negate-destination>yes</negate-destination>", ""),
    "the other way round": in_rulebase("security", lambda entries: entries[::-1]),
    "the first rule last": in_rulebase("security", lambda entries: [*entries[1:], *entries[:1]]),
    "the first rule lost": in_rulebase("security", lambda entries: entries[1:]),
    "the last rule lost": in_rulebase("security", lambda entries: entries[:-1]),
    "disabled": in_rulebase("security", disabled),
    "over": substitute("-20[0-9]{2}/[0-9/@:]+</member></non-recurring>", "-2001/01/01@00:00</member></non-recurring>"),
    "another name": substitute("<fqdn>[a-z0-9-]+\\.", "<fqdn>q."),
    "decrypted": substitute("<action>no-decrypt</action>", "<action>decrypt</action>"),
    "not decrypted": substitute("<action>decrypt</action>", "<action>no-decrypt</action>"),
    "no decryption rules": in_rulebase("decryption", lambda _: []),
    "any decryption": field("decryption", "category", "any"),
    "another zone": substitute("<from><member>t</member>", "<from><member>dmz</member>"),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_broken_is_seen(name):
    assert is_seen(firewall, BREAKAGES[name], lambda build: texts_of(build)[0], problems)


@pytest.mark.parametrize(
    ("entry", "host", "path", "expected"),
    [
        # paloalto.md, section 2: URL entry grammar, ending token
        ("example.com/", "example.com", None, True),
        ("example.com/", "www.example.com", None, False),
        ("example.com/", "example.com.evil.xyz", None, False),
        ("example.com", "example.com.evil.xyz", None, True),
        ("*.microsoft.com", "www.microsoft.com.malware.com", None, True),
        ("*.example.com/", "example.com", None, False),
        ("*.xyz.domain.com/", "abc.xyz.domain.com", None, True),
        ("*.domain.com/", "abc.xyz.domain.com", None, True),
        ("^.domain.com/", "abc.domain.com", None, True),
        ("^.domain.com/", "abc.xyz.domain.com", None, False),
        ("*.domain.com/", "evildomain.com", None, False),
        ("example.com/p/", "example.com", None, False),
        ("example.com/p/", "example.com", "/p/q", True),
        ("example.com/p", "example.com", "/p", True),
        ("example.com/p", "example.com", "/p/q", False),
        ("Example.com/P/", "example.com", "/p/q", True),
    ],
)
def test_entries_of_url_categories(entry, host, path, expected):
    assert entry_matches(entry, host, path) is expected
