"""What the evaluators of the texts make of the example flows that the proof and drift show.

``EVALUATORS`` has one function for each kind of artefact: ``(build, files)`` gives a function of a flow, which gives every
``Decided`` that the files may mean for it; several where they do not say. ``wanted(build, flow)`` is what was announced.
``flows_of(build, found, …)`` are the flows as the evaluators take them.
"""

from __future__ import annotations

import ipaddress
import json
import random
import re
import sys
from dataclasses import dataclass, replace
from datetime import datetime, time
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "evaluators"))
from announced import announced, counts_inside, handled, part_holds
from azure_text import Policy
from iptables_text import Firewall
from netfilter_variants import is_export, users_of
from netfilter_variants import readings as variants_of_files
from paloalto_text import Device, from_set, from_xml
from panos_variants import excludes, readings
from policy_verdict import Flow, is_described, within
from random_cases import TAGS, boundary_flows, seed
from windows_files import from_export, from_json, from_script
from windows_text import PROFILES, World, identifier_of

from egressc.anything import ANY

PROCESSES = {
    "windows-firewall": ("windows-account", "windows-program", "windows-service"),
    "paloalto": ("directory-user",),
    "iptables": ("linux-user", "linux-cgroup"),
}
"""The kinds of binding that are seen, by the targets that see any; `iptables` on a host."""

STRANGERS = {
    "windows-account": "S-1-5-21-9-9-9-9999",
    "windows-program": "c:\\stranger.exe",
    "windows-service": "stranger",
    "directory-user": "corp\\stranger",
    "linux-user": "64999",
    "linux-cgroup": "stranger.slice",
}
"""A value of each kind of binding that nothing names."""

_ANYWHERE = {None: "203.0.113.10", 4: "203.0.113.10", 6: "2001:db8::10"}


@dataclass(frozen=True)
class Decided:
    """What becomes of a flow: ``allow``, ``deny``, or ``None`` for nothing; and whether its TLS is opened.

    ``opened`` is ``None`` where a rule opens it and nothing makes sure of that, ``UNSAID`` where others have to say.
    """

    action: str | None
    opened: bool | str | None = False


UNSAID = "unsaid"


def wanted(build, flow):
    """What the artefact was announced to do; ``opened`` only where that was announced either way, else ``None``."""
    action = announced(build, flow, TAGS)
    return action, {"inspect": True, "exempt": False, None: None}[handled(build, flow, TAGS)]


def flows_of(build, found, *, described):
    """The example flow of the proof with what it leaves open filled in, where any will do; one for each way to show it.

    The application is no part of a flow, so it says nothing of that (language.md). With ``described`` only what shows
    its name as the policy's rules say, if it can.
    """
    family = ipaddress.ip_address(found.source).version if found.source else found.family
    address = found.address or _ANYWHERE[family]
    source = found.source or ("10.20.0.10" if ipaddress.ip_address(address).version == 4 else "2001:db8:20::10")
    groups = build.site.groups
    if build.target.per_group(build.site.settings):
        group = groups[0].name  # a host is of its group
    else:
        group = next((g.name for g in groups if g.addresses is not ANY and within(g.addresses, source)), None)
    process = [tuple(text.split(" ", 1)) for text in found.process.split(", ") if text]
    process = tuple(sorted((*process, *((kind, STRANGERS[kind]) for kind in found.unnamed))))
    flow = Flow(
        group, source, accounts_of(build.site, process), found.host, found.path, address, found.shared,
        found.transport, found.port, process=process,
    )  # fmt: skip
    shows = (None,) if found.transport == "udp" else ("tls", "http") if found.host else (None, "tls")
    shown = [replace(flow, shows=each) for each in shows]
    return [each for each in shown if described and is_described(build.site, each)] or shown


def random_flows(build, count):
    """Flows of the groups that are governed, at the borders of what the policy says."""
    for flow in boundary_flows(build.site, random.Random(seed()), count, kinds_of(build.site)):
        described = is_described(build.site, flow) and counts_inside(build, flow, TAGS)
        if described and flow.group is not None:
            yield flow


def concerns(build, finding, flow):
    """True if a finding is of no rule of the policy, or of one that was announced to match the flow."""
    return finding.rule is None or any(
        part.rule is finding.rule and part_holds(part, flow, TAGS) for part in build.lowering.parts
    )


def accounts_of(site, process):
    """The accounts that a process belongs to: any value of each kind that an account is bound to."""
    has = {kind: _same(kind, value) for kind, value in process}
    accounts = {account for rule in site.rules if rule.accounts is not ANY for account in rule.accounts}
    kinds = kinds_of(site)
    found = set()
    for account in accounts:
        bound = {kind: {_same(kind, value) for value in account.values(kind)} for kind in kinds if account.values(kind)}
        if bound and all(has.get(kind) in values for kind, values in bound.items()):
            found.add(account.name)
    return frozenset(found)


def kinds_of(site):
    """The kinds of binding that an enforcement point sees."""
    if site.target == "iptables" and site.settings.mode != "host":
        return ()
    return PROCESSES.get(site.target, ())


def _same(kind, value):
    return identifier_of(value) if kind == "windows-account" else value.casefold()


# -- Azure Firewall

_KNOWN = {
    "NetworkRule": {"ipProtocols", "destinationAddresses", "destinationPorts", "destinationFqdns"},
    "ApplicationRule": {"protocols", "targetFqdns", "targetUrls", "terminateTLS"},
}
_EVERY_RULE = {"ruleType", "name", "description", "sourceAddresses", "sourceIpGroups"}


def azure(build, files):
    """Rules of which something is not known match nothing, or the most that they can, those that deny and those that
    allow each for themselves; the firewall's own rules let something through, or nothing.
    """
    policies = [Policy(json.dumps(template), tags=TAGS) for template in _azure_readings(files)]

    def decided(flow):
        want = announced(build, flow, TAGS)
        found = set()
        for matched in [policy.decide(flow) for policy in policies]:
            if matched is not None:
                found.add(Decided(matched.action, matched.terminates))
                continue
            # Nothing matches: the firewall denies, which is as much as any deny needs.
            found.add(Decided(want if want != "allow" else "deny"))
            if flow.host is not None and (flow.shows, flow.port) in {("tls", 443), ("http", 80)}:
                found.add(Decided("allow"))  # which names its infrastructure rule collection holds is not published
        return found

    return decided


def _azure_readings(files):
    for wide in (set(), {"Allow"}, {"Deny"}, {"Allow", "Deny"}):
        template = json.loads(files["template.json"])
        known = {each["id"]: each["ipAddresses"] for each in json.loads(files.get("ip-groups.json", "[]"))}
        for group in template["resources"]:
            for collection in group.get("properties", {}).get("ruleCollections", ()):
                is_wide = collection["action"]["type"] in wide
                read = [_azure_rule(rule, known, wide=is_wide) for rule in collection["rules"]]
                collection["rules"] = [rule for rule in read if rule is not None]
        yield template


def _azure_rule(rule, known, *, wide):
    """A rule as it is; where something in it is not known, nothing or the most that it can be."""
    rule = dict(rule)
    strange = rule.keys() - _EVERY_RULE - _KNOWN[rule["ruleType"]]
    for key in strange:
        del rule[key]
    sources = rule.pop("sourceAddresses", [])
    for group in rule.pop("sourceIpGroups", ()):
        sources = [*sources, *known.get(group, ["*"])]
        strange |= {group} - known.keys()
    if not sources:
        strange, sources = {*strange, "source"}, ["*"]
    if "webCategories" in strange:
        rule["targetFqdns"] = ["*"]
    if strange and not wide:
        return None
    return {**rule, "sourceAddresses": sources}


# -- Windows Firewall


def windows(_build, files):
    """In every network, on every interface, with what nobody knows matching and not."""
    if "firewall.ps1" in files:
        machines = [from_json(files["rules.json"]), from_script(files["firewall.ps1"].decode("ascii"))]
    else:
        machines = [from_export(files)]
    worlds = [World(*each) for each in product(PROFILES, ("Lan", "Wireless"), (False, True))]
    return lambda flow: {Decided(machine.decide(flow, world)) for machine in machines for world in worlds}


def windows_title(build, name):
    """What a live rule is for, by its name on the host; the name itself if it is none of ours."""
    for rule in build.lowering.model.rules:
        if rule.name == name:
            first = rule.display_name.removeprefix("egressc: ")
            if first == "internal networks":
                return first
            service = f" {rule.service}" if rule.service is not ANY else ""
            out = " except" if first.endswith("(excepted addresses)") else ""
            return f"{first.split()[0]}{service} {rule.protocol}{out}"
    return name


# -- PAN-OS


def paloalto(build, files):
    """Rules of which something is not known match nothing, or the most that they can; see ``azure``."""
    scope = from_xml(files["config.xml"]) if "config.xml" in files else from_set(files["commands.set"].decode())
    clock = datetime.combine(build.site.as_of, time(12, 0))
    excluded = [each.get("name").lower() for each in scope.findall("ssl-decrypt/ssl-exclude-cert/entry")]
    default = scope.findtext("rulebase/default-security-rules/rules/entry[@name='interzone-default']/action")
    devices = [Device(each, zones=("trust", "untrust"), clock=clock) for each in readings(build, scope)]
    profile = build.site.settings.decryption_profile

    def decided(flow):
        want = announced(build, flow, TAGS)
        found = set()
        # Whether a name is seen over UDP is not documented.
        seen = (None, "tls") if flow.transport == "udp" and flow.host else (flow.shows,)
        for device, shows in product(devices, seen):
            action = device.decide(replace(flow, shows=shows)) or default or (want if want != "allow" else "deny")
            opened = UNSAID  # other decryption rules may stand behind those in the files
            match device.decryption(flow):
                case "no-decrypt":
                    opened = False
                case "decrypt":
                    opened = True if device.profile_of(flow) == profile else None
            if any(excludes(each, flow.host) for each in excluded):
                opened = False
            found.add(Decided(action, opened))
        return found

    return decided


def paloalto_title(_build, name):
    """The name of a rule without what is the same in all, and without its hash."""
    return re.sub("^egc-(.*)-[0-9a-f]{8}$", r"\1", name)


# -- iptables


def netfilter(build, files):
    """As the machine goes through its chains, in every way that the files can be read."""
    machines = [Firewall({n: t.encode() for n, t in each.items()}) for each in variants_of_files(build, files)]
    # What stands behind our own chain is in an export, and not in the artefact.
    others = False if is_export(files) else UNSAID
    users = users_of(files)

    def decided(flow):
        flow = replace(flow, process=tuple((kind, users.get(value, value)) for kind, value in flow.process))
        found = set()
        for machine in machines:
            journey = machine.travel(flow)
            found.add(Decided(journey.verdict, {"inspect": True, "exempt": False, None: others}[journey.handling]))
        return found

    return decided


def netfilter_title(_build, name):
    """What a live rule is called without its line."""
    return re.sub(r",? ?(line |\S+\.save:)\d+", "", name)


EVALUATORS = {
    "azure-firewall": azure,
    "windows-firewall": windows,
    "paloalto": paloalto,
    "paloalto-set": lambda build, files: paloalto(build, {"commands.set": files["commands.set"]}),
    "iptables": netfilter,
    "iptables-host": netfilter,
}
"""How the text of each kind of artefact decides a flow. A kind that is added needs a line here."""

TITLES = {
    "windows-firewall": windows_title,
    "paloalto": paloalto_title,
    "paloalto-set": paloalto_title,
    "iptables": netfilter_title,
    "iptables-host": netfilter_title,
}
"""What live rules are called in ``touched``, where that is not the name that they have."""
