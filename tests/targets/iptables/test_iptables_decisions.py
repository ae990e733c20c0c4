"""Random policies, flow for flow: what the files decide is what the announced parts say, and nothing else.

The announced parts decide like this. A deny by address goes first. An allow by name lets a connection through if the
host name *or* the shared name is one that the allow matches and that no deny by name matches: denies by name are taken
out of the sets, name by name. Without a closing deny, a deny by name also refuses what no allow lets through, by either
name. What is left is the closing deny's, or undecided.
"""

from __future__ import annotations

import itertools
import random
from ipaddress import ip_address

import pytest
from iptables_machine import Machine, Packet
from support import compilation_of

from egressc.anything import ANY
from egressc.diagnostics import has_errors
from egressc.flows import addresses_of
from egressc.hosts import matches
from egressc.policy import HostEndpoint

HOSTS = ("x.com", "a.x.com", "b.a.x.com", "c.x.com", "y.com", "d.y.com", "z.net")
PATTERNS = ("x.com", "*.x.com", "a.x.com", "*.a.x.com", "b.a.x.com", "c.x.com", "y.com", "*.y.com", "a*.x.com", "x.com/p", "names",
            "x.com *.x.com", "a.x.com *.a.x.com")  # fmt: skip
ADDRESSES = (
    "203.0.113.0/24",
    "203.0.113.7",
    "2001:db8:5::/48",
    "10.1.0.0/16",
    "any-address",
    "service-tag Sql",
    "0.0.0.0/0",
)
PLACES = (
    "203.0.113.7",
    "203.0.113.70",
    "198.51.100.1",
    "10.1.0.5",
    "10.2.0.5",
    "2001:db8:5::1",
    "2001:db8:9::1",
    "2001:db8:77::1",
)
PORTS = ("443/https", "80/http", "443/https 80/http", "22/tcp", "53/udp", "1-1000/tls", "443/https 22/tcp", "any/tcp")
DOORS = (("tcp", 443), ("tcp", 80), ("tcp", 22), ("udp", 53), ("tcp", 2000))
PROCESSES = {
    ("alice", ""): {"one"},
    ("bob", ""): set(),
    ("bob", "s.slice"): {"two"},
    ("carol", "s.slice/t"): {"two", "three"},
    ("alice", "s.slice/t/u"): {"one", "three"},
    ("root", ""): set(),
}
SOURCES = {
    "a": ("10.20.0.9", "2001:db8:1::9"), "b": ("10.21.0.7", None), "c": ("198.18.0.1", "2001:db8:ee::1"),
    None: ("10.77.0.1", "2001:db8:dd::1"),
}  # fmt: skip
HEAD = """
service-account one "One" { linux-user alice }
service-account two "Two" { linux-user bob carol linux-cgroup "s.slice" }
service-account three "Three" { linux-cgroup "s.slice/t" }
endpoints names "N" { x.com *.y.com fallback { 203.0.113.0/26 service-tag Sql } }
"""
INVENTORY = """
groups:
  a: {{networks: [10.20.0.0/24, "2001:db8:1::/64"]}}
  b: {{networks: [10.21.0.7]}}
  c: {{}}
service-tags: tags.json
internal-networks: {internal}
firewalls:
  f: {{target: iptables, groups: {groups}, settings: {{mode: {mode}{settings}}}{unbound}}}
"""
TAGS = (
    '{"changeNumber": 7, "cloud": "Public", "values": [{"name": "Sql", "id": "Sql", "properties": {"changeNumber": 1, "region": "",'
    ' "platform": "Azure", "systemService": "", "addressPrefixes": ["203.0.113.64/28", "2001:db8:9::/48"]}}]}'
)
ACCEPTED = (
    "path", "apex", "depth", "source", "account", "tls-scope", "fallback", "default", "except", "label-wildcard", "no-names", "order",
    "tls-unenforced",
)  # fmt: skip


def random_policy(r):
    lines = [HEAD, 'policy p "P" { from ' + r.choice(("a", "a b", "any-group"))]
    for number in range(r.randint(1, 6)):
        action = r.choice(("allow", "allow", "deny"))
        words = r.choice((PATTERNS, PATTERNS, ADDRESSES, PATTERNS + ADDRESSES))
        to = " ".join(dict.fromkeys(r.choice(words) for _ in range(r.randint(1, 3))))
        if r.random() < 0.25:
            to += " except " + " ".join(
                dict.fromkeys(r.choice(PATTERNS + ADDRESSES[:4]) for _ in range(r.randint(1, 2)))
            )
        ports = r.choice(PORTS[:3] if "/p" in to else PORTS)
        more = r.choice(("", "", "as one", "as two", "as three", "as one two", "log"))
        more += r.choice(("", "", "", " from a", " from b", " from c"))
        if action == "allow" and "https" in ports:
            more += r.choice(("", " no-tls-inspection", " tls-inspection"))
        lines.append(f'{action} r{number} "R" {{ to {to} ports {ports} {more} }}')
    return "\n".join([*lines, "}"])


def random_inventory(r):
    mode = r.choice(("host", "gateway"))
    settings = r.choice(("", ", interface: lan0")) if mode == "gateway" else ""
    for each in (", dns: none", ", default-deny: false", ", tls-proxy-port: 3129", ", nflog-group: 3"):
        settings += each if r.random() < 0.25 else ""
    return INVENTORY.format(
        internal=r.choice(("[]", "[10.0.0.0/8]", '[10.0.0.0/8, "2001:db8:77::/48"]')),
        groups=r.choice(("[a]", "[a, b]", "[b]", "[a, b, c]", "[c]")),
        unbound=r.choice(("", ", unbound: allowed")),
        mode=mode,
        settings=settings,
    )


def holds(addresses, place):
    at = ip_address(place)
    return any(first <= int(at) <= last for first, last in (addresses.v4 if at.version == 4 else addresses.v6))


def within(reach, flow, tags, host, path):
    """True if the reach matches the flow, the host name being this one."""
    if reach.groups is not ANY and flow["group"] not in reach.groups:
        return False
    if reach.accounts is not ANY and not flow["accounts"] & reach.accounts:
        return False
    if not any(first <= flow["port"] <= last for first, last in reach.ports.transport(flow["proto"])):
        return False

    def meets(endpoint):
        if not isinstance(endpoint, HostEndpoint):
            return holds(addresses_of(endpoint, tags), flow["place"])
        below = endpoint.path is None or (path is not None and f"{path}/".startswith(f"{endpoint.path}/"))
        return host is not None and matches(endpoint.pattern, host) and below

    return any(map(meets, reach.endpoints)) and not any(map(meets, reach.exceptions))


def expected(build, flow, governed):
    """What the announced parts say of a flow."""
    tags = build.site.tags
    parts = [part for part in build.lowering.parts if part.reach is not None]
    by_name = [part for part in parts if any(isinstance(e, HostEndpoint) for e in part.reach.endpoints)]
    by_address = [part for part in parts if part not in by_name]
    names = [(name, path) for name, path in ((flow["host"], flow["path"]), (flow["shared"], None)) if name]

    def some(those, name=None, path=None, *, deny):
        return any(part.rule.is_deny is deny and within(part.reach, flow, tags, name, path) for part in those)

    if some(by_address, flow["host"], flow["path"], deny=True):
        return "REJECT"
    if some(by_address, flow["host"], flow["path"], deny=False):
        return "ACCEPT"
    if holds(build.site.internal, flow["place"]):
        return "RETURN"
    if any(some(by_name, *name, deny=False) and not some(by_name, *name, deny=True) for name in names):
        return "ACCEPT"
    if build.site.closing_deny:
        return "REJECT" if governed else "RETURN"
    return "REJECT" if any(some(by_name, *name, deny=True) for name in names) else "RETURN"


def in_nat(build, flow):
    """What the announced parts say of a flow in the chain that redirects: exempt, inspected, or neither."""
    found = set()
    for part in build.lowering.parts:
        for word, reach in (("ACCEPT", part.exempt), ("REDIRECT", part.inspect)):
            names = ((flow["host"], flow["path"]), *([(flow["shared"], None)] if reach and reach.shared else ()))
            if reach is not None and any(within(reach, flow, build.site.tags, *name) for name in names):
                found.add(word)
    return "ACCEPT" if "ACCEPT" in found else "REDIRECT" if found else "RETURN"


def check(build, r, mode):
    """Compare the files with the parts on many flows; how many were allowed."""
    files = {artefact.name: artefact.content for artefact in build.render()}
    loaded = {family: Machine.of(files, family) for family in (4, 6)}
    allowed = 0
    for place, host, shared in itertools.product(PLACES, (None, *HOSTS), (None, "x.com", "a.x.com", "y.com", "z.net")):
        family = 6 if ":" in place else 4
        known = loaded[family]
        sets = {name: (kind, set(members)) for name, (kind, members) in known.sets.items()}
        for name in {host, shared} - {None}:
            for fed in known.fed_by(name):
                if (sets[fed][0] == "inet6") is (family == 6):
                    sets[fed][1].add(place)
        machine = Machine(family, known.chain, known.tables, sets, known.lines)
        for _ in range(2):
            (proto, port), (uid, cgroup) = r.choice(DOORS), r.choice(list(PROCESSES))
            group = build.site.groups[0].name if mode == "host" else r.choice(list(SOURCES))
            source = SOURCES[group][family == 6]
            if mode == "gateway" and source is None:
                continue
            path = r.choice((None, "/p", "/q")) if host else None
            flow = {"group": group, "accounts": PROCESSES[uid, cgroup], "proto": proto, "port": port, "place": place, "host": host,
                    "path": path, "shared": shared}  # fmt: skip
            governed = mode == "host" or build.site.has_unbound_group or group in {g.name for g in build.site.groups}
            wanted = expected(build, flow, governed)
            packet = Packet(place, port, proto, src=source or "192.0.2.1", uid=uid, cgroup=cgroup)
            assert machine.decide(packet).split()[0] == wanted, (flow, uid, cgroup)
            if proto == "tcp" and wanted == "ACCEPT":
                allowed += 1
                assert machine.decide(packet, "nat").split()[0] == in_nat(build, flow), (flow, uid, cgroup)
            else:
                assert machine.decide(packet, "nat").split()[0] != "REDIRECT", (flow, uid, cgroup)
    return allowed


@pytest.mark.parametrize("seed", range(6))
def test_the_files_decide_what_the_parts_say(seed):
    r = random.Random(seed)
    compiled = allowed = 0
    for _ in range(60):
        if compiled >= 8:
            break
        policy, inventory = random_policy(r), random_inventory(r)
        result = compilation_of(policy, inventory, accept=ACCEPTED, tags__json=TAGS)
        if has_errors(result.diagnostics):
            continue
        for build in result.builds:
            compiled += 1
            allowed += check(build, r, "host" if "mode: host" in inventory else "gateway")
    assert compiled >= 8
    assert allowed >= 100
