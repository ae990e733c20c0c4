"""What the written rules decide, flow by flow, against what lowering says it left of the policy.

The evaluator here reads config.xml as the vendor documents it and knows nothing of the target's code: top-down, first
match, names by URL category or FQDN object, paths only where the connection is decrypted or plain HTTP.
"""

import ipaddress
import itertools
import random
from dataclasses import dataclass, replace
from functools import cache

import pytest
from paloalto_reading import ACCOUNTS, POLICY, SETTINGS, inventory, rendered, scope_of
from support import site_of

from egressc.anything import ANY
from egressc.hosts import matches
from egressc.inventory import DEFAULT_INTERNAL_TEXTS
from egressc.lowering import Kind
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint
from egressc.targets.registry import load_target


@dataclass(frozen=True)
class Flow:
    group: str
    source: str
    account: str | None
    host: str | None
    path: str | None
    address: str
    shared: str | None
    transport: str
    port: int


class Device:
    """A firewall with one configuration, as far as these rules need it."""

    def __init__(self, config):
        scope, base = scope_of(config)
        self.users = {"connector": "CONTOSO\\wapc$", "other": "CONTOSO\\other$"}
        self.networks = {e.get("name"): e.findtext("ip-netmask") for e in scope.findall("address/entry")}
        self.fqdns = {e.get("name"): e.findtext("fqdn") for e in scope.findall("address/entry")}
        self.groups = {
            e.get("name"): [m.text for m in e.findall("static/member")] for e in scope.findall("address-group/entry")
        }
        self.services = {
            e.get("name"): (e.find("protocol")[0].tag, e.find("protocol")[0].findtext("port"))
            for e in scope.findall("service/entry")
        }
        self.categories = {
            e.get("name"): [m.text for m in e.findall("list/member")]
            for e in scope.findall("profiles/custom-url-category/entry")
        }
        self.security = self._rules(base, "security")
        self.decryption = self._rules(base, "decryption")

    def _rules(self, base, kind):
        fields = ("source", "source-user", "destination", "service", "category")
        return [
            {field: [m.text for m in rule.findall(f"{field}/member")] for field in fields}
            | {field: rule.findtext(field) for field in ("action", "negate-destination")}
            for rule in ([] if base is None else base.findall(f"{kind}/rules/entry"))
        ]

    def decide(self, flow):
        """``allow``, ``deny`` or ``None`` where no rule matches."""
        seen = self.path_is_seen(flow)
        for rule in self.security:
            if self._matches(rule, flow, seen):
                return rule["action"]
        return None

    def decryption_of(self, flow):
        for rule in self.decryption:
            if self._matches(rule, flow, path_is_seen=False):
                return rule["action"]
        return None

    def path_is_seen(self, flow):
        return flow.port in {80, 8080} or self.decryption_of(flow) == "decrypt"

    def _matches(self, rule, flow, path_is_seen):
        if rule["service"] != ["any"] and not any(self._service(m, flow) for m in rule["service"]):
            return False
        if rule["source"] != ["any"] and not any(self._source(m, flow) for m in rule["source"]):
            return False
        if rule["source-user"] != ["any"] and self.users.get(flow.account) not in rule["source-user"]:
            return False
        if rule["category"] != ["any"] and not any(self._category(m, flow, path_is_seen) for m in rule["category"]):
            return False
        if rule["destination"] == ["any"]:
            return True
        return any(self._destination(m, flow) for m in rule["destination"]) is not (rule["negate-destination"] == "yes")

    def _source(self, name, flow):
        if name == "AG EXISTING":
            return flow.group == "existing"
        return any(_within(self.networks[m], flow.source) for m in self.groups[name])

    def _destination(self, name, flow):
        if name not in self.fqdns:
            return _within(name, flow.address)
        return self.fqdns[name] in {flow.host, flow.shared}

    def _service(self, name, flow):
        transport, ports = self.services[name]
        first, _, last = ports.partition("-")
        return transport == flow.transport and int(first) <= flow.port <= int(last or first)

    def _category(self, name, flow, path_is_seen):
        return flow.host is not None and any(entry_matches(e, flow, path_is_seen) for e in self.categories[name])


network_of, address_of = cache(ipaddress.ip_network), cache(ipaddress.ip_address)


def _within(network, address):
    network, address = network_of(network), address_of(address)
    return network.version == address.version and address in network


def entry_matches(entry, flow, path_is_seen):
    host, _, path = entry.partition("/")
    if not tokens_match(host.split("."), flow.host.split(".")):
        return False
    if not path:
        return True
    if not path_is_seen or flow.path is None:
        return False
    wanted = f"/{path}"
    return flow.path.startswith(wanted) if path.endswith("/") else flow.path == wanted


def tokens_match(pattern, tokens):
    if not pattern or not tokens:
        return not pattern and not tokens
    if pattern[0] == "*":
        return tokens_match(pattern[1:], tokens[1:]) or tokens_match(pattern, tokens[1:])
    return pattern[0] in {"^", tokens[0]} and tokens_match(pattern[1:], tokens[1:])


def holds(reach, flow, families):
    """True if a reach holds a flow."""
    if reach.groups is not ANY and flow.group not in reach.groups:
        return False
    if reach.accounts is not ANY and flow.account not in reach.accounts:
        return False
    if not any(first <= flow.port <= last for first, last in reach.ports.transport(flow.transport)):
        return False
    if families and ipaddress.ip_address(flow.source).version not in reach.source_families:
        return False

    def names(endpoint):
        match endpoint:
            case HostEndpoint(pattern, path):
                if flow.host is not None and matches(pattern, flow.host):
                    return path is None or (flow.path is not None and (flow.path + "/").startswith(path + "/"))
                return reach.shared and flow.shared is not None and matches(pattern, flow.shared)
            case AddressEndpoint(addresses):
                return any(_within(c, flow.address) for c in _cidrs(addresses))
            case AnyAddressEndpoint():
                return True
        raise AssertionError(endpoint)

    return any(map(names, reach.endpoints)) and not any(map(names, reach.exceptions))


def expected(parts, flow, *, default_deny):
    """What the parts of the lowered policy decide; ``inside`` where they leave a flow inside the house alone."""
    reaches = [(p.rule.is_deny, p.reach) for p in parts if p.reach is not None]
    if any(deny and holds(reach, flow, True) for deny, reach in reaches):
        return "deny"
    if any(not deny and holds(reach, flow, True) for deny, reach in reaches):
        return "allow"
    if not default_deny:
        return None
    return "inside" if any(_within(n, flow.address) for n in DEFAULT_INTERNAL_TEXTS) else "deny"


def stopped_inside(parts, flow):
    """True if a part says that it stops the hosts that it excepts inside the house too, and the flow is to one."""
    for part in parts:
        if any(step.reason.value == "default" for step in part.steps):
            hosts = tuple(e for e in part.reach.exceptions if isinstance(e, HostEndpoint))
            others = tuple(e for e in part.reach.exceptions if not isinstance(e, HostEndpoint))
            denied = replace(part.reach, endpoints=hosts, exceptions=others)
            there = part.kind is not Kind.ADDRESSES or holds(replace(part.reach, exceptions=()), flow, True)
            if there and holds(denied, flow, True):
                return True
    return False


@cache
def _cidrs(addresses):
    return (*addresses.cidrs(4), *addresses.cidrs(6))


GROUPS = [("connectors", "10.20.0.10"), ("connectors", "2001:db8:20::5"), ("existing", "10.99.0.1")]
ADDRESSES = [
    "198.51.100.9",
    "2001:db8:1::9",
    "203.0.113.7",
    "192.0.2.77",
    "198.18.4.4",
    "192.0.9.9",
    "10.1.2.3",
    "169.254.169.254",
]


PATHS = [
    "/",
    "/incoming",
    "/incoming/a",
    "/incomingx",
    "/pkiops",
    "/pkiops/crl",
    "/other",
    "/p",
    "/p/q",
    "/p/q/r",
    "/pq",
]


def flows_around(hosts, ports, count, seed):
    random_ = random.Random(seed)
    for _ in range(count):
        group, source = random_.choice(GROUPS)
        host = random_.choice([*hosts, None])
        yield Flow(
            group,
            source,
            random_.choice(["connector", "other", None]),
            host,
            random_.choice(PATHS) if host else None,
            random_.choice(ADDRESSES),
            random_.choice([*hosts, None, None]),
            random_.choice(["tcp", "tcp", "tcp", "udp"]),
            random_.choice(ports),
        )


def compare(policy, text, flows):
    """Compares every flow; returns how many were allowed, and how many denied."""
    site = site_of(policy, text, "edge")
    lowering = load_target("paloalto").lower(site)
    config, _ = rendered(lowering)
    device = Device(config)
    counts = {"allow": 0, "deny": 0, None: 0}
    for flow in flows:
        said = expected(lowering.parts, flow, default_deny=site.closing_deny)
        found = device.decide(flow)
        if said == "inside":
            assert found == ("deny" if stopped_inside(lowering.parts, flow) else None), flow
        else:
            assert found == said, (flow, found, said)
        counts[found] += 1
    return counts, lowering, device


HOSTS = [
    "msappproxy.net",
    "a.msappproxy.net",
    "b.a.msappproxy.net",
    "x.servicebus.windows.net",
    "s.blob.core.windows.net",
    "t.s.blob.core.windows.net",
    "windows.net",
    "autodiscover.contoso.onmicrosoft.com",
    "autodiscover.a.b.onmicrosoft.com",
    "contoso.onmicrosoft.com",
    "crl3.digicert.com",
    "www.microsoft.com",
    "smtp.example.com",
    "upload.example.org",
    "paste.example.com",
    "notpaste.example.com",
]
PORTS = [25, 53, 80, 443, 5671, 5673, 8443]


@pytest.mark.parametrize("settings", [SETTINGS, SETTINGS + ", user-id: true", SETTINGS + ", default-deny: false"])
def test_the_rules_decide_what_lowering_says(settings):
    counts, _, _ = compare(POLICY, inventory(settings), flows_around(HOSTS, PORTS, 6000, 1))
    assert counts["allow"] > 100
    assert counts["deny"] > 300


EXCEPTIONS = """
policy p "P" {{ from any-group
    allow plain "P" {{ to mail.s.example.com ports 443/https }}
    allow one   "1" {{ to *.example.com except *.s.example.com ports 443/https 80/http }}
    allow two   "2" {{ to *.s.example.com except secret.s.example.com 198.51.100.0/24 ports 443/https }}
    allow three "3" {{ to 198.51.100.0/24 203.0.113.0/24 except *.evil.example ports 443/https 80/http 25/tcp }}
    allow four  "4" {{ to any-address except *.evil.example 203.0.113.0/24 ports 8080/http 8443/https }}
    allow five  "5" {{ to www.example.org/pub *.deep.example.org except www.example.org/pub/secret ports 80/http }}
    {more}
}}
"""
EXCEPTION_HOSTS = [
    "mail.s.example.com",
    "secret.s.example.com",
    "s.example.com",
    "x.example.com",
    "a.evil.example",
    "evil.example",
    "www.example.org",
    "a.deep.example.org",
]


@pytest.mark.parametrize("seed", range(2))
def test_exceptions_decide_what_lowering_says(seed):
    random_ = random.Random(seed)
    flows = [
        Flow(
            *random_.choice(GROUPS),
            None,
            host,
            path if host else None,
            address,
            None,
            "tcp",
            port,
        )
        for host, path, address, port in itertools.product(
            [*EXCEPTION_HOSTS, None],
            ["/", "/pub", "/pub/secret", "/pub/secret/x"],
            ADDRESSES[:4],
            [25, 80, 443, 8080, 8443],
        )
    ]
    counts, lowering, _ = compare(EXCEPTIONS.format(more=""), inventory(), flows)
    assert counts["allow"] > 100
    assert counts["deny"] > 100
    dropped = {p.rule.identity for p in lowering.parts if any(s.reason == "except" for s in p.steps)}
    # nothing on port 25 shows the name, so there the excepted hosts are allowed too
    assert dropped == {"p/three"}


def test_exceptions_that_cut_into_each_other_are_announced():
    more = """
    allow left  "L" { to *.net except *.a.net.example mail.x.net ports 9443/https }
    allow right "R" { to *.x.net except www.x.net ports 9443/https }
    allow back  "B" { to www.x.net *.y.net except mail.y.net ports 9443/https }
    """.replace("*.net except *.a.net.example", "*.x.net *.y.net except *.a.x.net")
    counts, lowering, _ = compare(
        EXCEPTIONS.format(more=more),
        inventory(),
        flows_around(["mail.x.net", "www.x.net", "mail.y.net", "a.y.net", "b.a.x.net"], [9443], 500, 3),
    )
    assert counts["allow"] > 50
    stuck = {p.rule.identity for p in lowering.parts if any("cut into each other" in s.sentence for s in p.steps)}
    assert stuck <= {"p/left", "p/right", "p/back"}
    assert stuck


PATTERNS = [
    "a.example.com",
    "b.a.example.com",
    "*.example.com",
    "*.a.example.com",
    "x.*.example.com",
    "x*.example.com",
    "*.*.example.com",
    "a.example.net/p",
    "*.example.net",
    "a.example.net/p/q",
    "198.51.100.0/24",
    "198.51.100.9",
    "203.0.113.0-203.0.113.99",
    "2001:db8:1::/48",
    "10.1.0.0/16",
    "any-address",
]
RANDOM_HOSTS = [
    "a.example.com",
    "b.a.example.com",
    "x.a.example.com",
    "xy.example.com",
    "x.b.c.example.com",
    "a.example.net",
    "c.example.net",
    "example.com",
]


def _random_policy(random_):
    names_only = ["443/https", "80/http", "8443/https"]
    lines = []
    for number in range(random_.randint(2, 7)):
        action = random_.choice(["allow", "allow", "allow", "deny"])
        to = random_.sample(PATTERNS, random_.randint(1, 3))
        excepted = random_.sample(PATTERNS[:-1], random_.randint(1, 2)) if random_.random() < 0.5 else []
        paths = any("/p" in word for word in [*to, *excepted])
        ports = random_.sample(
            names_only if paths else [*names_only, "25/tcp", "53/udp", "5671/tls"], random_.randint(1, 2)
        )
        tls = any(p.endswith(("https", "tls")) for p in ports)
        inspection = (
            random_.choice(["", "", "tls-inspection", "no-tls-inspection"]) if tls and action == "allow" else ""
        )
        account = random_.choice(["", "as connector", "as other"])
        lines.append(
            f'{action} rule-{number} "R" {{ to {" ".join(to)} {"except" if excepted else ""} {" ".join(excepted)} '
            f"ports {' '.join(ports)} {inspection} {account} }}"
        )
    return (
        ACCOUNTS
        + 'service-account other "O" { directory-user "CONTOSO\\other$" }\n'
        + 'policy p "P" { from any-group\n'
        + "\n".join(lines)
        + "\n}"
    )


@pytest.mark.parametrize("settings", [SETTINGS, SETTINGS + ", user-id: true", SETTINGS + ", default-deny: false"])
def test_random_policies_decide_what_lowering_says(settings):
    random_ = random.Random(20261122)
    compared = denied = allowed = 0
    for _ in range(60):
        policy = _random_policy(random_)
        try:
            site_of(policy, inventory(settings), "edge")
        except AssertionError:
            continue  # exceptions that remove everything or nothing are errors of the policy
        flows = flows_around(RANDOM_HOSTS, [25, 53, 80, 443, 5671, 8443], 150, random_.random())
        counts, lowering, _ = compare(policy, inventory(settings), flows)
        assert not lowering.diagnostics
        compared += 1
        allowed += counts["allow"]
        denied += counts["deny"]
    assert compared > 20
    assert allowed > 200
    assert denied > 200


def test_an_account_that_is_not_seen_makes_exceptions_cut_wider():
    policy = (
        ACCOUNTS
        + 'service-account other "O" { directory-user "CONTOSO\\other$" }'
        + """
    policy p "P" { from any-group
        allow one "1" { to *.x.net except a.x.net ports 443/https as connector }
        allow two "2" { to *.x.net except b.x.net ports 443/https as other }
    }
    """
    )
    flows = list(flows_around(["a.x.net", "b.x.net", "c.x.net"], [443], 400, 5))
    seen, lowering, _ = compare(policy, inventory(SETTINGS + ", user-id: true"), flows)
    assert seen["allow"] > 20
    assert not any(s.reason == "except" for p in lowering.parts for s in p.steps)
    unseen, lowering, _ = compare(policy, inventory(), flows)
    assert unseen["allow"] > seen["allow"]
    assert any(s.reason == "except" for p in lowering.parts for s in p.steps)


def test_decryption_rules_match_what_the_parts_say():
    site = site_of(POLICY, inventory(SETTINGS + ", user-id: true"), "edge")
    lowering = load_target("paloalto").lower(site)
    device = Device(rendered(lowering)[0])
    exempt = [p.exempt for p in lowering.parts if p.exempt is not None]
    inspect = [p.inspect for p in lowering.parts if p.inspect is not None]
    assert exempt
    assert inspect
    seen = {"no-decrypt": 0, "decrypt": 0, None: 0}
    for flow in flows_around(HOSTS, [443, 5671], 4000, 7):
        action = device.decryption_of(flow)
        seen[action] += 1
        if any(holds(reach, flow, True) for reach in exempt):
            assert action == "no-decrypt", flow
        elif any(holds(reach, flow, True) for reach in inspect):
            assert action == "decrypt", flow
        else:
            assert action is None, flow
    assert min(seen.values()) > 5


def test_the_comparison_finds_a_wrong_rule():
    site = site_of(POLICY, inventory(), "edge")
    lowering = load_target("paloalto").lower(site)
    text = rendered(lowering)[0].decode()
    flows = list(flows_around(HOSTS, PORTS, 3000, 1))
    for right, wrong in (
        ("<member>*.msappproxy.net/</member>", "<member>^.msappproxy.net/</member>"),
        ("<action>deny</action>", "<action>allow</action>"),
        ("<negate-destination>yes</negate-destination>", ""),
        ("<port>443</port>", "<port>444</port>"),
    ):
        assert right in text
        device = Device(text.replace(right, wrong, 1).encode())
        differing = [f for f in flows if device.decide(f) != expected(lowering.parts, f, default_deny=True)]
        differing = [f for f in differing if expected(lowering.parts, f, default_deny=True) != "inside"]
        assert differing, wrong
