"""What the rules of an artefact decide, flow by flow, against what the lowering announced.

The evaluator reads `rules.json` and shares no code with the target: a block rule wins over every allow rule, conditions
of a rule hold together, a dynamic keyword is an address that a matching name resolved to ([MS-FASP] 2.2.34, 2.2.38).
"""

import ipaddress
import json
import random
import re
from dataclasses import dataclass

import pytest
from support import compilation_of

from egressc.anything import Anything
from egressc.diagnostics import has_errors
from egressc.reasons import Effect, Reason

HOSTS = (
    "a.test.io",
    "*.test.io",
    "*.a.test.io",
    "b.test.io",
    "c.a.test.io",
    "a*.test.io",
    "*.other.net",
    "x.other.net",
)
NAMES = ("test.io", "a.test.io", "b.test.io", "c.a.test.io", "d.c.a.test.io", "x.other.net", "other.net", "far.example")
ADDRESSES = (
    "192.0.2.0/24",
    "192.0.2.64/26",
    "10.1.0.0/16",
    "198.51.100.7",
    "2001:db8::/40",
    "any-address",
    "service-tag Sql",
)
SPOTS = ("192.0.2.1", "192.0.2.63", "192.0.2.64", "10.1.2.3", "10.2.0.1", "198.51.100.7", "198.51.100.8", "2001:db8::5", "203.0.113.70")  # fmt: skip
PORTS = ("443/https", "80/http", "8000-8010/tcp", "53/udp", "1-2000/https", "any/tcp", "443/https 53/udp")
FLOW_PORTS = (("TCP", 443), ("TCP", 80), ("TCP", 8010), ("TCP", 8011), ("UDP", 53), ("UDP", 443), ("TCP", 65535))

ACCOUNTS = """
service-account connector "C" { windows-account "NETWORK SERVICE" windows-service "One" windows-service "Two" }
service-account network "N" { windows-account "S-1-5-20" }
service-account agent "A" { windows-account "CONTOSO\\agent$" windows-account "LOCAL SERVICE" windows-program "C:\\a.exe" }
service-account one "O" { windows-service "one" }
"""
BINDINGS = {
    "connector": ({"S-1-5-20"}, {"one", "two"}, None),
    "network": ({"S-1-5-20"}, None, None),
    "agent": ({"CONTOSO\\agent$", "S-1-5-19"}, None, {"C:\\a.exe"}),
    "one": (None, {"one"}, None),
}
TAGS = json.dumps(
    {
        "changeNumber": 7,
        "cloud": "Public",
        "values": [
            {
                "name": "Sql",
                "id": "Sql",
                "properties": {
                    "changeNumber": 1,
                    "region": "",
                    "platform": "Azure",
                    "systemService": "",
                    "addressPrefixes": ["203.0.113.64/28", "198.51.100.7/32"],
                },
            }
        ],
    }
)


@dataclass(frozen=True)
class Process:
    user: str
    service: str | None
    program: str

    @property
    def accounts(self):
        """The logical accounts that it belongs to."""
        mine = (self.user, self.service, self.program)
        return {
            name
            for name, kinds in BINDINGS.items()
            if all(values is None or one in values for values, one in zip(kinds, mine, strict=True))
        }


PROCESSES = [
    Process(user, service, program)
    for user in ("S-1-5-20", "S-1-5-19", "CONTOSO\\agent$", "S-1-5-18")
    for service in ("one", "three", None)
    for program in ("C:\\a.exe", "C:\\b.exe")
]


@dataclass(frozen=True)
class Flow:
    process: Process
    host: str | None
    shared: str | None
    address: str
    transport: str
    port: int


def names_match(pattern, name):
    """The language's own words: `*.d` is one label or more before `.d`, any other `*` stays within its label."""
    if name is None:
        return False
    deep = pattern.startswith("*.")
    shape = r"\.".join(re.escape(label).replace(r"\*", "[^.]*") for label in pattern.removeprefix("*.").split("."))
    return re.fullmatch(r"(?:[^.]+\.)+" + shape if deep else shape, name) is not None


def within(text, address):
    address = ipaddress.ip_address(address)
    first, _, last = text.partition("-")
    if last:
        first, last = ipaddress.ip_address(first), ipaddress.ip_address(last)
        return first.version == address.version and first <= address <= last
    network = ipaddress.ip_network(first)
    return network.version == address.version and address in network


def among(addresses, address):
    address = ipaddress.ip_address(address)
    return any(
        first <= int(address) <= last for first, last in (addresses.v4 if address.version == 4 else addresses.v6)
    )


class Firewall:
    """A host with these rules, as Windows decides."""

    def __init__(self, text):
        data = json.loads(text)
        self.keywords = {k["Id"]: k["Keyword"] for k in data["Keywords"]}
        self.rules = data["Rules"]

    def decision(self, flow):
        actions = {r["Action"] for r in self.rules if self.matches(r, flow)}
        return "denied" if "Block" in actions else "allowed" if actions else "default"

    def matches(self, rule, flow):
        if rule["Protocol"] not in {"Any", flow.transport}:
            return False
        ports = rule.get("RemotePort", ["Any"])
        if ports != ["Any"] and not any(self.port_in(text, flow.port) for text in ports):
            return False
        users = set(re.findall(r"\(A;;CC;;;([^)]+)\)", rule.get("LocalUser", ""))) | set(rule.get("LocalAccounts", ()))
        if ("LocalUser" in rule or "LocalAccounts" in rule) and flow.process.user not in users:
            return False
        if "Service" in rule and rule["Service"].lower() != flow.process.service:
            return False
        if "Program" in rule and rule["Program"] != flow.process.program:
            return False
        if "RemoteDynamicKeywordAddresses" in rule:
            named = [self.keywords[i] for i in rule["RemoteDynamicKeywordAddresses"]]
            return any(names_match(k, name) for k in named for name in (flow.host, flow.shared))
        return rule["RemoteAddress"] == ["Any"] or any(within(t, flow.address) for t in rule["RemoteAddress"])

    @staticmethod
    def port_in(text, port):
        first, _, last = text.partition("-")
        return int(first) <= port <= int(last or first)


def reaches(reach, flow, tags):
    """Whether a reach holds the flow: the meaning of rules in the language, with the shared name."""
    if not isinstance(reach.accounts, Anything) and not reach.accounts & flow.process.accounts:
        return False
    held = reach.ports.tcp if flow.transport == "TCP" else reach.ports.udp
    if not any(first <= flow.port <= last for first, last in held):
        return False
    hosts = [e.pattern.text for e in reach.exceptions if hasattr(e, "pattern")]
    if any(at_address(e, flow.address, tags) for e in reach.exceptions if not hasattr(e, "pattern")):
        return False

    def excepted(name):
        return any(names_match(pattern, name) for pattern in hosts)

    for endpoint in reach.endpoints:
        if not hasattr(endpoint, "pattern"):
            if at_address(endpoint, flow.address, tags) and not excepted(flow.host):
                return True
            continue
        for name in (flow.host, flow.shared) if reach.shared else (flow.host,):
            if names_match(endpoint.pattern.text, name) and not excepted(name):
                return True
    return False


def at_address(endpoint, address, tags):
    if hasattr(endpoint, "addresses"):
        return among(endpoint.addresses, address)
    return not hasattr(endpoint, "name") or among(tags[endpoint.name.lower()], address)


def decided(parts, flow, tags, what):
    """What rules decide of which `what` gives the reach of a part (`None`: gone)."""
    verdict = "default"
    for part in parts:
        reach = what(part)
        if reach is not None and reaches(reach, flow, tags):
            if part.rule.is_deny:
                return "denied"
            verdict = "allowed"
    return verdict


def random_policy(r):
    lines = [ACCOUNTS, 'endpoints stores "S" { *.other.net fallback { 198.51.100.0/29 service-tag Sql } }']
    lines.append('policy p "P" { from g')
    for number in range(r.randint(1, 6)):
        action = r.choice(("allow", "allow", "deny"))
        pool = r.choice((HOSTS, ADDRESSES, HOSTS + ADDRESSES, ("stores",)))
        to = " ".join(dict.fromkeys(r.choice(pool) for _ in range(r.randint(1, 2))))
        if r.random() < 0.3:
            to += " except " + r.choice((*HOSTS[:5], *ADDRESSES[:4], "service-tag Sql"))
        who = " ".join(["as", *r.sample(list(BINDINGS), r.randint(1, 2))]) if r.random() < 0.6 else ""
        lines.append(f'{action} r{number} "R" {{ to {to} ports {r.choice(PORTS)} {who} }}')
    return "\n".join([*lines, "}"])


def random_flow(r):
    return Flow(
        r.choice(PROCESSES), r.choice((*NAMES, None)), r.choice((None, *NAMES)), r.choice(SPOTS), *r.choice(FLOW_PORTS)
    )


@pytest.mark.parametrize("seed", range(4))
def test_rules_decide_what_was_announced(seed):
    r = random.Random(seed)
    compared = 0
    for _ in range(60):
        policy = random_policy(r)
        closing, keywords = r.choice(("true", "true", "false")), r.choice(("true", "true", "true", "false"))
        inventory = f"""
groups: {{g: {{networks: [10.20.0.10]}}}}
service-tags: tags.json
internal-networks: {r.choice(("[]", "[10.0.0.0/8]", '[10.2.0.0/16, "fc00::/7"]'))}
firewalls:
  hosts: {{target: windows-firewall, settings: {{default-deny: {closing}, dynamic-keywords: {keywords}}}}}
"""
        accept = ("except", "label-wildcard", "no-names") if r.random() < 0.6 else ()
        result = compilation_of(policy, inventory, tags__json=TAGS, accept=accept)
        if has_errors(result.diagnostics):
            continue
        (build,) = result.builds
        site, parts = build.site, build.lowering.parts
        firewall = Firewall({a.name: a.content for a in build.render()}["rules.json"])
        narrower = any(s.effect is Effect.NARROWER or s.reason is Reason.FALLBACK for p in parts for s in p.steps)
        for _ in range(150):
            flow = random_flow(r)
            compared += 1
            inside = among(site.internal, flow.address)

            def settled(verdict, inside=inside, site=site):
                # the closing deny decides what no rule does, and leaves the internal networks alone
                return "denied" if verdict == "default" and site.closing_deny and not inside else verdict

            does = firewall.decision(flow)
            said = settled(decided(parts, flow, site.tags, lambda part: part.reach))
            if not (inside and site.closing_deny and said == "default"):
                assert settled(does) == said, (policy, inventory, flow)
            meant = decided(parts, flow, site.tags, lambda part: part.start)
            if meant == "allowed" and not narrower:
                assert does == "allowed", (policy, inventory, flow)
            for part in parts:
                if part.left_out and reaches(part.start, flow, site.tags):
                    others = [p for p in parts if not p.rule.is_deny]
                    assert decided(others, flow, site.tags, lambda p: p.start) == "default", (policy, inventory, flow)
    assert compared > 1500
