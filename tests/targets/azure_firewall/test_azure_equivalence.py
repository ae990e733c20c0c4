"""What the template decides equals, flow for flow, the policy with its rules replaced by the announced ones.

Random small policies, every flow of a small world, the tests' own firewall on one side and the reaches of the announced
parts on the other.
"""

from __future__ import annotations

import ipaddress
import random

import pytest
from azure_arm import Firewall, Flow, template_of
from support import AS_OF, lowering_of, site_of

from egressc.addresses import parse_addresses
from egressc.diagnostics import has_errors
from egressc.fidelity import Grading, assess
from egressc.hosts import matches
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, Inspection, TagEndpoint
from egressc.targets.registry import load_target

TARGET = load_target("azure-firewall")
TAG = {"Storage": ["20.0.0.0/8"], "AzureCloud": ["20.0.0.0/8", "40.0.0.0/8"]}
TAG_SETS = {name: [parse_addresses(text) for text in texts] for name, texts in TAG.items()}
SOURCES = {"10.1.0.5": "one", "10.1.0.6": "one", "10.2.0.5": "two", "10.9.9.9": None}
HOSTS = (
    None,
    "x.net",
    "a.x.net",
    "b.x.net",
    "b.a.x.net",
    "a.y.org",
    "q-z.y.org",
    "c.q-z.y.org",
    "q1-p-z.y.org",
    "w.com",
)
ADDRESSES = ("198.51.100.1", "203.0.113.7", "20.0.0.1", "40.0.0.1", "10.77.0.1")
PORTS = (
    ("tcp", 443, "Https"), ("tcp", 80, "Http"), ("tcp", 5671, "Https"), ("tcp", 22, None), ("udp", 53, None),
    ("tcp", 64999, "Https"), ("tcp", 1000, "Https"), ("tcp", 5671, "Http"), ("tcp", 80, "Https"),
)  # fmt: skip
NAMES = ("x.net", "a.x.net", "b.x.net", "*.x.net", "*.a.x.net", "a.*.net.y.org", "*-z.y.org", "q*-z.y.org", "*.y.org", "w.com",
         "w.com/one", "a.x.net/one", "*.x.net/one", "*.q-z.y.org", "a.*.org.w.com", "*.*.x.net")  # fmt: skip
WHERE = ("198.51.100.0/24", "203.0.113.7", "20.0.0.1-20.0.0.9", "any-address", "service-tag Storage",
         "service-tag AzureCloud", "10.77.0.0/16", "2001:db8::/32")  # fmt: skip
SERVICES = ("443/https", "443/https", "443/https", "80/http", "5671/tls", "22/tcp", "53/udp", "443/tcp", "64999/https",
            "1000-1100/https", "any/tcp", "5671/http", "80/https")  # fmt: skip


def _policy(random_):
    lines = [
        'endpoints backed "b" { a.y.org *.q-z.y.org fallback { 203.0.113.0/24 service-tag Storage } }',
        'service-account robot "r" { linux-user robot }',
        'policy p "P" {',
    ]
    for number in range(random_.randint(2, 7)):
        deny = random_.random() < 0.3
        services = sorted(set(random_.sample(SERVICES, random_.randint(1, 2))))
        seen = all(s.endswith(("/https", "/http")) for s in services)
        names = tuple(n for n in NAMES if seen or "/" not in n)
        kinds = random_.choice((names, names, WHERE, names + WHERE))
        to = random_.sample(kinds, random_.randint(1, 3))
        if random_.random() < 0.15:
            to = ["backed"]
        extra = ""
        if random_.random() < 0.35:
            extra = " except " + " ".join(random_.sample(random_.choice((names, names, WHERE)), random_.randint(1, 2)))
        words = [f"to {' '.join(to)}{extra}", f"ports {' '.join(services)}"]
        words.append(random_.choice(("from one", "from two", "from one two", "from any-group")))
        if random_.random() < 0.15:
            words.append("as robot")
        if not deny and any(s.endswith(("/https", "/tls")) for s in services):
            words.append(random_.choice(("", "", "no-tls-inspection", "tls-inspection")))
        lines.append(f'{"deny" if deny else "allow"} r{number} "R" {{ {chr(10).join(words)} }}')
    return "\n".join((*lines, "}"))


def _inventory(random_):
    tier = random_.choice(("Basic", "Standard", "Premium", "Premium"))
    extra = []
    if tier == "Premium" and random_.random() < 0.8:
        extra.append("certificate-authority: {name: ca, key-vault-secret-id: 'https://v.vault.azure.net/secrets/ca'}")
        extra.append(f"tls-inspection: {random_.choice(('true', 'false'))}")
    if tier != "Basic":
        extra.append(f"dns-proxy: {random_.choice(('true', 'false'))}")
    extra.append(f"ip-groups: {random_.choice(('true', 'false'))}")
    extra.append(f"default-deny: {random_.choice(('true', 'true', 'true', 'false'))}")
    two = random_.choice(
        ("networks: [10.2.0.0/24]", "networks: [10.2.0.0/24, '2001:db8:2::/64']", "description: unbound")
    )
    unbound = "unbound: allowed, " if random_.random() < 0.5 else ""
    return f"""
groups:
  one: {{networks: [10.1.0.5, 10.1.0.6]}}
  two: {{{two}}}
internal-networks: {random_.choice(("[]", "[10.0.0.0/8]"))}
firewalls:
  f: {{target: azure-firewall, {unbound}settings: {{policy: p, location: x, tier: {tier}, {", ".join(extra)}}}}}
"""


def _flows(random_, count):
    for _ in range(count):
        transport, port, shows = random_.choice(PORTS)
        host = random_.choice(HOSTS)
        yield Flow(
            random_.choice(tuple(SOURCES)), transport, port, random_.choice(ADDRESSES), host,
            random_.choice(("/", "/one", "/one/two")) if host else None, random_.choice((None, None, *HOSTS)), shows,
        )  # fmt: skip


def _in_reach(reach, flow):
    if reach is None or 4 not in reach.source_families:
        return False
    group = SOURCES[flow.source]
    if isinstance(reach.groups, frozenset) and group not in reach.groups:
        return False
    if not any(first <= flow.port <= last for first, last in reach.ports.transport(flow.transport)):
        return False
    if any(_at(e, flow) for e in reach.exceptions):
        return False
    if any(_at(e, flow) for e in reach.endpoints):
        return True
    return reach.shared and any(
        isinstance(e, HostEndpoint) and flow.shared and matches(e.pattern, flow.shared) for e in reach.endpoints
    )


def _at(endpoint, flow):
    match endpoint:
        case HostEndpoint():
            if flow.host is None or not matches(endpoint.pattern, flow.host):
                return False
            path = endpoint.path
            return path is None or flow.path == path or flow.path.startswith(path + "/")
        case AddressEndpoint():
            return endpoint.addresses.overlaps(parse_addresses(flow.address))
        case AnyAddressEndpoint():
            return True
        case TagEndpoint():
            return any(s.overlaps(parse_addresses(flow.address)) for s in TAG_SETS[endpoint.name])


def _says_itself(flow, part):
    """False for a flow that the part's services do not describe: TLS on a port that the rule calls `http`, …

    The application is no part of a flow, so these are out of the comparison for allows that rest on what is shown.
    """
    shows = {"https": "Https", "tls": "Https", "http": "Http"}
    return any(
        s.first <= flow.port <= s.last and s.transport == flow.transport
        and shows.get(s.application.value, flow.shows) == flow.shows
        for s in part.services
    )  # fmt: skip


@pytest.mark.property
@pytest.mark.parametrize("seed", range(12))
def test_template_and_announced_policy_decide_alike(seed):
    random_ = random.Random(seed)
    compared = 0
    for _ in range(20):
        policy, inventory = _policy(random_), _inventory(random_)
        try:
            site = site_of(policy, inventory, "f")
        except AssertionError:
            continue  # an error of the policy itself
        lowering = TARGET.lower(site)
        if has_errors(lowering.diagnostics):
            assert {d.code for d in lowering.diagnostics if d.code[0] == "E"} == {"E0745"}
            continue
        template = template_of({a.name: a.content for a in TARGET.render(lowering.model)})
        firewall = Firewall(template, TAG)
        compared += 1
        assess(site, lowering, Grading((), frozenset(), False, AS_OF, lambda _identity, _group: False))
        for flow in _flows(random_, 250):
            _compare(flow, firewall, lowering, site, (policy, inventory))
    assert compared >= 6


def _compare(flow, firewall, lowering, site, texts):
    parts = [p for p in lowering.parts if p.reach is not None]
    met = [p for p in parts if _in_reach(p.reach, flow)]
    shown = [p for p in met if not p.rule.is_deny and p.kind == "names" and p.recognition in {"sni", "host"}]
    if any(not _says_itself(flow, p) for p in shown):
        return
    found = firewall.decide(flow)
    context = (flow, found, [(p.rule.identity, p.names) for p in met], *texts)
    if any(p.rule.is_deny for p in met):
        assert found is None or found.action == "Deny", context
        return
    allows = [p for p in met if not p.rule.is_deny]
    if not allows:
        assert found is None or found.action == "Deny", context
        if found is not None and not site.closing_deny:
            raise AssertionError(context)
        return
    assert found is not None, context
    assert found.action == "Allow", context
    if not lowering.inspects or flow.shows != "Https":
        assert not found.terminates, context
        return
    exempt = [p for p in allows if p.exempt is not None and _in_reach(p.exempt, flow)]
    surely = [p for p in allows if p.inspect is not None and _in_reach(p.inspect, flow)]
    if exempt:
        assert not found.terminates, context
    elif surely and all(p.rule.rule.inspection is not Inspection.MUST_NOT for p in allows):
        assert found.terminates, context


def test_world_is_what_it_seems():
    assert all(ipaddress.ip_address(a) for a in (*SOURCES, *ADDRESSES))
    lowering = lowering_of(
        'policy p "P" { allow a "A" { from one to w.com ports 443 } }',
        "groups: {one: {networks: [10.1.0.5]}}\nfirewalls: {f: {target: azure-firewall, settings: {policy: p, location: x}}}",
        "f",
    )
    (part,) = lowering.parts
    assert _in_reach(part.reach, Flow("10.1.0.5", "tcp", 443, ADDRESSES[0], "w.com", "/", None, "Https"))
    assert not _in_reach(part.reach, Flow("10.9.9.9", "tcp", 443, ADDRESSES[0], "w.com", "/", None, "Https"))
