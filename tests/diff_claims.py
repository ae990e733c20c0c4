"""What a review of a change claims, against every flow of a small universe; it shares no code with the review.

* ``World(old, new, accounts, tags)``: both sides at all flows of the universe, decided by ``policy_verdict``.
* ``World.check(review)``: fails where a change is not told, or where more is told than changed.

A flow is told if it is in the described set of a change: the groups (or ``sources``), accounts and ports, an endpoint,
within everything that ``within`` says, and in nothing of ``beyond``. Told is more than changed only at flows that a
rule of either side decides by the *other kind* of endpoint: a change about a name says nothing of addresses that a rule
decides, whatever name was asked for, and a change about addresses nothing of names. But for every source, account and
port that a change names, some flow to its endpoint must have changed.
"""

from __future__ import annotations

import ipaddress
import sys
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "evaluators"))
from policy_verdict import SHOWN, Flow, among, endpoint_holds, inspection, service_holds, verdict, within

from egressc.anything import ANY
from egressc.bind import bind_everything
from egressc.policy import HostEndpoint, Inspection
from egressc.review import Verdict

HOSTS = (
    None,
    "x.io",
    "a.x.io",
    "b.x.io",
    "c.x.io",
    "ab.x.io",
    "acb.x.io",
    "ac.x.io",
    "a.b.x.io",
    "q.b.x.io",
    "a.k.x.io",
    "cb.x.io",
    "b.y.io",
    "y.io",
    "a.y.io",
)
PATHS = (None, "/", "/p", "/p/q", "/pq")
ADDRESSES = ("192.0.2.0", "192.0.2.1", "192.0.2.130", "192.0.3.1", "203.0.113.9", "2001:db8::1", "2001:db8:1::1")
PORTS = (("tcp", 80), ("tcp", 443), ("tcp", 444), ("tcp", 8443), ("udp", 443))
SOURCES = ("10.20.0.1", "10.20.0.130", "10.21.0.5", "10.30.0.1", "10.30.0.130", "10.40.0.1")
DESTINATIONS = [
    (host, path, address)
    for host, path, address in product(HOSTS, PATHS, ADDRESSES)
    if host is not None or path is None
]
EVERYWHERE = (1 << len(DESTINATIONS)) - 1


def to(host, path, address, transport="tcp", port=443, group=None, source="", accounts=frozenset()):
    return Flow(group, source, accounts, host, path, address, None, transport, port)


def mask(holds):
    """The destinations for which something holds, as the bits of a number."""
    return sum(1 << number for number, (h, p, a) in enumerate(DESTINATIONS) if holds(to(h, p, a)))


def bits(some):
    return [DESTINATIONS[number] for number in range(len(DESTINATIONS)) if some >> number & 1]


@dataclass(frozen=True)
class Combo:
    """Who sends on which port: everything of a flow but its destination."""

    source: str
    account: str | None
    transport: str
    port: int


class Side:
    """One side: what its rules say of every flow of the universe."""

    def __init__(self, prepared, tags, also=frozenset()):
        self.site = bind_everything(prepared, also)
        self.inventory = prepared.inventory
        self.tags = tags
        self._masks = {}

    def group_of(self, source):
        """The groups of a source: by its address, or, where a group is known by name only, by its name."""
        found = []
        for group in self.site.groups:
            if group.addresses is ANY or group.addresses.is_empty:
                if group.name == source:
                    found.append(group.name)
            elif source[0].isdigit() and within(group.addresses, source):
                found.append(group.name)
        assert len(found) <= 1, "a source is of one group only"
        return found[0] if found else None

    def destinations(self, endpoint):
        if endpoint not in self._masks:
            self._masks[endpoint] = mask(lambda flow: endpoint_holds(endpoint, flow, self.tags))
        return self._masks[endpoint]

    def of_rule(self, rule, kind=None):
        """Where a rule matches; with ``kind`` only through endpoints by name, or else by address."""
        found = 0
        for endpoint in rule.endpoints:
            if kind is None or kind is isinstance(endpoint, HostEndpoint):
                found |= self.destinations(endpoint)
        for endpoint in rule.exceptions:
            found &= ~self.destinations(endpoint)
        return found

    def rules(self, combo, *, tls=False):
        """The rules that match a sender on a port."""
        group = self.group_of(combo.source)
        for rule in self.site.rules:
            if group is None or not any(each.name == group for each in rule.groups):
                continue
            if rule.accounts is not ANY and not any(a.name == combo.account for a in rule.accounts):
                continue
            flow = to(None, None, "", combo.transport, combo.port)
            services = [s for s in rule.services if not tls or SHOWN[s.application.value] == "tls"]
            if any(service_holds(service, flow) for service in services):
                yield rule

    def allowed(self, combo):
        allows = denies = 0
        for rule in self.rules(combo):
            if rule.is_deny:
                denies |= self.of_rule(rule)
            else:
                allows |= self.of_rule(rule)
        return allows & ~denies

    def says(self, combo, inspection_):
        found = 0
        for rule in self.rules(combo, tls=True):
            if not rule.is_deny and rule.rule.inspection is inspection_:
                found |= self.of_rule(rule)
        return found

    def by(self, combo, kind, denies):
        """Where an allow, or a deny, matches by a name, or else by an address."""
        found = 0
        for rule in self.rules(combo):
            if rule.is_deny is denies:
                found |= self.of_rule(rule, kind)
        return found


class World:
    """Both sides of a change. ``accounts`` are the named ones; ``None`` is any other."""

    def __init__(self, old, new, accounts=("acc", "bcc"), tags=None):
        rules = [rule for each in (old, new) for rule in each.policy.rules]
        names = {group.name for rule in rules if rule.groups is not ANY for group in rule.groups}
        if names and any(rule.groups is ANY for rule in rules):
            names.add("any-group")
        named = [frozenset(names if each.inventory.source is None else ()) for each in (old, new)]
        self.sides = [Side(each, tags or {}, also) for each, also in zip((old, new), named, strict=True)]
        by_name = {g.name for s in self.sides for g in s.site.groups if g.addresses is ANY or g.addresses.is_empty}
        self.combos = [
            Combo(source, account, transport, port)
            for source in (*SOURCES, *sorted(by_name))
            for account in (*accounts, None)
            for transport, port in PORTS
        ]
        self.allowed = [{combo: side.allowed(combo) for combo in self.combos} for side in self.sides]
        says = [
            {combo: (side.says(combo, Inspection.MUST_NOT), side.says(combo, Inspection.MUST)) for combo in self.combos}
            for side in self.sides
        ]
        self.conflict = any(must & must_not for side in says for must, must_not in side.values())
        self.inspection = says

    def changed(self, before, after, combo):
        """The destinations for which the policy said the one and says the other."""
        found = EVERYWHERE
        for number, state in enumerate((before, after)):
            allowed = self.allowed[number][combo]
            must_not, must = self.inspection[number][combo]
            found &= {
                Verdict.DENY: ~allowed,
                Verdict.ALLOW: allowed,
                Verdict.MUST_NOT: allowed & must_not,
                Verdict.MUST: allowed & must & ~must_not,
                Verdict.MAY: allowed & ~must & ~must_not,
            }[state]
        return found

    def check(self, review):
        """Fail where the review and the brute force do not agree."""
        states = (Verdict.MAY, Verdict.MUST_NOT, Verdict.MUST)
        wanted = {
            "newly_allowed": [(Verdict.DENY, Verdict.ALLOW)],
            "no_longer_allowed": [(Verdict.ALLOW, Verdict.DENY)],
            "inspection_changed": [(a, b) for a in states for b in states if a is not b],
        }
        for name, pairs in wanted.items():
            changes = getattr(review, name)
            for change in changes:
                assert (change.before, change.after) in pairs, change
            for pair in pairs:
                self._check_list(name, [c for c in changes if (c.before, c.after) == pair], pair)

    def _check_list(self, name, changes, pair):
        told = [Told(change, self, name) for change in changes]
        for combo in self.combos:
            changed = self.changed(*pair, combo)
            claimed = 0
            for each in told:
                claimed |= each.destinations(combo)
            missing = changed & ~claimed
            assert not missing, f"{name} does not tell {combo} {bits(missing)[0]}"
            for each in told:
                mine = each.destinations(combo)
                if not each.names(combo):
                    continue
                assert mine & changed, f"{name} tells {combo}, for which nothing of {each.text} changed"
                excused = sum_of(self._excused(pair, combo, not kind) for kind in each.kinds)
                more = mine & ~changed & ~excused
                assert not more, f"{name} tells {combo} {bits(more)[0]} with {each.text}, which did not change"
        for each in told:
            each.check_example(pair)

    def _excused(self, pair, combo, kind):
        """Where rules that decide by the other kind of endpoint may leave everything as it is."""
        old, new = self.sides
        if pair == (Verdict.DENY, Verdict.ALLOW):
            return old.by(combo, kind, denies=False) | new.by(combo, kind, denies=True)
        if pair == (Verdict.ALLOW, Verdict.DENY):
            return new.by(combo, kind, denies=False) | old.by(combo, kind, denies=True)
        return sum_of(side.by(combo, kind, denies=each) for side in self.sides for each in (False, True))


def sum_of(masks):
    found = 0
    for each in masks:
        found |= each
    return found


class Told:
    """The flows that one change describes."""

    def __init__(self, change, world, name):
        self.change = change
        self.text = f"{change.groups} {change.accounts} {change.sources} → {change.endpoint} within {change.within} beyond {change.beyond} {change.ports}"
        self._world = world
        if name == "inspection_changed":
            said = Verdict.MUST_NOT if Verdict.MUST_NOT in (change.before, change.after) else Verdict.MUST
            self.side_number = 0 if change.before is said else 1
            if not change.endpoint:
                # Everything that many rules have, under the one of the other side.
                self.side_number = 1 - self.side_number
        else:
            self.side_number = 1 if name == "newly_allowed" else 0
        self.side = world.sides[self.side_number]
        self.rules = (change.old_rules, change.new_rules)[self.side_number]
        assert self.rules, f"no rule is responsible for {self.text}"
        self.kinds = {self._is_name(change.endpoint)} if change.endpoint else self._kinds()
        self._services = [service(text) for text in change.ports.split()]

    def _kinds(self):
        """Whether the rules are about names, about addresses, or both."""
        known = {(rule.identity, rule.part) for rule in self.rules}
        mine = [rule for rule in self.side.site.rules if (rule.identity, rule.part) in known]
        return {isinstance(endpoint, HostEndpoint) for rule in mine for endpoint in rule.endpoints}

    @staticmethod
    def _is_name(text):
        head = text.split("/")[0]
        return ":" not in text and not text.startswith(("service-tag ", "any-address")) and not head[-1].isdigit()

    @cached_property
    def _senders(self):
        change, side = self.change, self.side
        found = set()
        leaves = None
        if change.groups is not ANY:
            inventory = side.inventory
            leaves = set(change.groups)
            if inventory.source is not None:
                leaves = {group.name for group in inventory.leaves(change.groups)}
            assert leaves <= {group.name for group in side.site.groups}, f"{change.groups} are no groups of that side"
        for source in {combo.source for combo in self._world.combos}:
            group = side.group_of(source)
            if group is None or (leaves is not None and group not in leaves):
                continue
            if not change.sources or (source[0].isdigit() and among(tuple(change.sources.split()), source)):
                found.add(source)
        return found

    def _account(self, account):
        accounts = self.change.accounts
        if accounts is ANY:
            return True
        if accounts and accounts[0].startswith("any account but "):
            return account not in accounts[0].removeprefix("any account but ").split(", ")
        return account in accounts

    def names(self, combo):
        """True if the change is about that sender on that port."""
        on_port = any(t == combo.transport and a <= combo.port <= b for t, a, b in self._services)
        return on_port and combo.source in self._senders and self._account(combo.account)

    def destinations(self, combo):
        if not self.names(combo):
            return 0
        found = self.endpoint if self.change.endpoint else self._everything(combo)
        for text, on in self.beyond:
            if on is None or any(t == combo.transport and a <= combo.port <= b for t, a, b in on):
                found &= ~text
        return found

    @cached_property
    def endpoint(self):
        return self._within(self.written(self.change.endpoint))

    def _within(self, found):
        for text in self.change.within:
            found &= self.written(text)
        return found

    @cached_property
    def beyond(self):
        found = []
        for text in self.change.beyond:
            what, _, on = text.partition(" on ")
            found.append((self.written(what), [service(each) for each in on.split()] if on else None))
        return found

    def _anywhere(self):
        """An address that no rule names; of a service tag one of its own."""
        if not self.change.endpoint.startswith("service-tag "):
            return "198.18.77.77"
        networks = self.side.tags[self.change.endpoint.split()[1].lower()]
        return str(ipaddress.ip_network(networks[0]).network_address)

    def _everything(self, combo):
        """What the rules have for a sender on a port."""
        known = {(rule.identity, rule.part) for rule in self.rules}
        found = 0
        for rule in self.side.rules(combo):
            if (rule.identity, rule.part) in known:
                found |= self.side.of_rule(rule)
        return self._within(found)

    def written(self, text):
        """The destinations of an endpoint as the language writes it, read anew."""
        if text == "any-address":
            return EVERYWHERE
        if text.startswith("service-tag "):
            networks = self._world.sides[self.side_number].tags[text.split()[1].lower()]
            return mask(lambda flow: among(networks, flow.address))
        if not self._is_name(text):
            return mask(lambda flow: among(tuple(text.split()), flow.address))
        host, _, path = text.partition("/")
        return mask(lambda flow: host_holds(host, flow.host) and path_holds(path, flow.path))

    def check_example(self, pair):
        """The example must be a flow that changed, in the described set, as the evaluator decides."""
        flow = self.change.example
        other = self._world.sides[1 - self.side_number]
        # Without a source: the group is known by its name only, or has no address of that IP version.
        sources = [flow.source] if flow.source else [s for s in self._senders if self.side.group_of(s) == flow.group]
        assert sources, flow
        for source in sources:
            for number, side in enumerate(self._world.sides):
                group = side.group_of(source)
                asked = Flow(
                    group, source, frozenset([flow.account] if flow.account else ()), flow.host, flow.path,
                    flow.address or self._anywhere(), None, flow.transport, flow.port,
                )  # fmt: skip
                allowed = group is not None and verdict(side.site, asked, side.tags) == "allow"
                state = pair[number]
                if state in (Verdict.DENY, Verdict.ALLOW):
                    assert allowed is (state is Verdict.ALLOW), (
                        f"side {number} of {flow.text} from {source}: {self.text}"
                    )
                else:
                    assert allowed, f"side {number} of {flow.text}: {self.text}"
                    said = inspection(side.site, asked, side.tags)
                    assert said == state.value, f"side {number} of {flow.text} is {said}: {self.text}"
        assert flow.group in {g.name for g in self.side.site.groups}, flow
        on_port = any(t == flow.transport and a <= flow.port <= b for t, a, b in self._services)
        assert on_port and self._account(flow.account), f"{flow.text} is not in {self.text}"
        assert other is not self.side


def service(text):
    """Transport, first and last port of a service as the language writes it."""
    ports, _, application = text.partition("/")
    transport = "udp" if application == "udp" else "tcp"
    if ports == "any":
        return transport, 1, 65535
    first, _, last = ports.partition("-")
    return transport, int(first), int(last or first)


def host_holds(pattern, host):
    """True if a host pattern, read from its text, matches a name."""
    if host is None:
        return False
    wanted, labels = pattern.split("."), host.split(".")
    if wanted[0] == "*":
        wanted = wanted[1:]
        if len(labels) <= len(wanted):
            return False
        labels = labels[len(labels) - len(wanted) :]
    return len(wanted) == len(labels) and all(map(_label, wanted, labels))


def _label(glob, label):
    first, star, rest = glob.partition("*")
    if not star:
        return glob == label
    if not label.startswith(first):
        return False
    return any(_label(rest, label[at:]) for at in range(len(first), len(label) + 1))


def path_holds(prefix, path):
    """True if a path is the prefix, or below it."""
    return not prefix or (path is not None and (path == f"/{prefix}" or path.startswith(f"/{prefix}/")))
