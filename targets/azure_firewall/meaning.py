"""What a firewall policy does, as Microsoft documents it: rulings, of which the first that matches decides.

All network rules come before all application rules; inside each of the two passes the rules of the parent policy come
before those of the child, then count the priorities of the groups, those of the collections, and the order of the
rules (rule-processing.md, "Rule processing using Firewall Policy"). Application rules know HTTP by its Host header and
HTTPS by its SNI. What nothing matches is denied, but for the firewall's own infrastructure rules, which come last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc import ranges
from egressc.addresses import ALL, AddressSet, union_of
from egressc.anything import Anything
from egressc.flows import EVERY, NO_TAGS, Choice
from egressc.meaning import Block, Meaning, Outcome, Ruling
from egressc.services import LAST_PORT, PortSet
from egressc.targets.azure_firewall.live import LiveNetworkRule
from egressc.targets.azure_firewall.meaning_inspection import inspections
from egressc.targets.azure_firewall.meaning_match import ANY_SENDER, Matcher, resource_group
from egressc.targets.azure_firewall.meaning_names import ANY_NAME, Names, of_urls, together
from egressc.targets.azure_firewall.meaning_order import in_order
from egressc.targets.azure_firewall.meaning_shown import Entry, escaping

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.ranges import Ranges
    from egressc.site import Site
    from egressc.targets.azure_firewall.live import Live, LiveApplicationRule, LiveCollection
    from egressc.targets.azure_firewall.meaning_match import Senders
    from egressc.targets.azure_firewall.meaning_names import Answer
    from egressc.targets.azure_firewall.settings import Settings

INFRASTRUCTURE = "(infrastructure rule collection)"
"""What the ruling is called that stands for the names which the firewall lets through by itself."""

_WEB = PortSet(tcp=((80, 80), (443, 443)))
_EVERY_TCP: Ranges = ((1, LAST_PORT),)


def meaning_of(live: Live, site: Site[Settings]) -> Meaning:
    """What the configuration does with the flows of one site."""
    return _Reading(live, site).meaning()


class _Reading:
    """One configuration on its way to a meaning."""

    def __init__(self, live: Live, site: Site[Settings]) -> None:
        order = in_order(live, site.settings.policy)
        self._site = site
        self._order = order
        self._matcher = Matcher(site, live.ip_groups, resource_group(order.policy))
        self._names = Names()
        self._urls: dict[tuple[str, ...], tuple[Answer, ...]] = {}
        self._protocols: dict[tuple[tuple[str, int | None], ...], tuple[Ranges, Ranges, Ranges]] = {}
        self._remarks = [*live.remarks, *order.remarks]
        self._rulings: list[Ruling] = []
        self._entries: list[Entry] = []

    def meaning(self) -> Meaning:
        """The rulings of both passes, and what comes after them."""
        for before in self._order.unknown:
            self._add(before, None, (Block(),), "", before)
        passes = self._order.collections
        for collection in passes:
            for rule in collection.rules:
                if isinstance(rule, LiveNetworkRule):
                    self._network(rule, collection)
        network = tuple(self._rulings)
        for number, collection in enumerate(passes):
            for rule in collection.rules:
                if not isinstance(rule, LiveNetworkRule):
                    self._application(rule, collection, number)
        self._application_rulings()
        found = inspections(self._entries, network, self._order.can_inspect)
        return Meaning(tuple(self._rulings), found, Outcome.DENY, tuple(self._remarks))

    def _add(self, name: str, allows: bool | None, blocks: tuple[Block, ...], place: str, doubt: str) -> None:  # noqa: FBT001
        """Add a ruling; both, in doubt, where nobody knows which."""
        if allows is not False:
            self._rulings.append(Ruling(name, Outcome.ALLOW, blocks, place, doubt))
        if not allows:
            self._rulings.append(Ruling(name, Outcome.DENY, blocks, place, doubt))

    def _nothing(self, name: str, place: str, why: str) -> None:
        self._remarks.append(f"{place}: the rule `{name}` decides nothing: {why}")

    # -- network rules

    def _network(self, rule: LiveNetworkRule, collection: LiveCollection) -> None:
        doubts = [*collection.doubts, *rule.doubts]
        matcher = self._matcher
        senders, doubt = matcher.senders(rule.addresses, rule.ip_groups)
        doubts.append(doubt)
        ports, doubt = matcher.ports(rule.ip_protocols, rule.ports)
        doubts.append(doubt)
        if ports.is_empty or not senders:
            self._nothing(
                rule.name, collection.place, "nothing over TCP or UDP" if senders else "its sources are empty"
            )
            return
        blocks: list[Block] = []
        if rule.destinations or rule.destination_groups:
            addresses, tags, doubt = matcher.destinations(rule.destinations, rule.destination_groups)
            doubts.append(doubt)
            for sources, objects in senders:
                if not addresses.is_empty:
                    blocks.append(Block(None, addresses, ports, sources, (), False, (), objects))  # noqa: FBT003
                for tag in sorted(tags):
                    tagged = frozenset((tag,))
                    blocks.append(Block(None, ALL, ports, sources, (), False, (), objects, tagged))  # noqa: FBT003
        if rule.fqdns:
            names, doubt = self._names.of_fqdns(rule.fqdns)
            doubts.append(doubt)
            doubts += self._of_resolved(rule)
            for sources, objects in senders:
                blocks.append(Block(names, ALL, ports, sources, (), True, (), objects))  # noqa: FBT003
        kinds = [kind for kind in (rule.destinations, rule.destination_groups, rule.fqdns) if kind]
        if len(kinds) > 1:
            doubts.append("what destinations of several kinds mean together is not documented")
        elif not kinds:
            doubts.append("it names no destination")
            blocks = [Block(None, ALL, ports, sources, (), False, (), objects) for sources, objects in senders]  # noqa: FBT003
        if not blocks:
            self._nothing(rule.name, collection.place, "its destinations are empty")
            return
        self._add(rule.name, collection.allows, tuple(blocks), collection.place, _joined(doubts))

    def _of_resolved(self, rule: LiveNetworkRule) -> list[str]:
        """What is not clear about names in a network rule (fqdn-filtering-network-rules.md)."""
        doubts = []
        if any("*" in entry for entry in rule.fqdns):
            doubts.append("a network rule takes no wildcards in names")
        if self._order.has_dns_proxy is False:
            doubts.append("the policy has no DNS proxy, which names in network rules need")
        return doubts

    # -- application rules

    def _application(self, rule: LiveApplicationRule, collection: LiveCollection, number: int) -> None:
        doubts = [*collection.doubts, *rule.doubts]
        senders, doubt = self._matcher.senders(rule.addresses, rule.ip_groups)
        doubts.append(doubt)
        http, https, other = self._shown(rule.protocols)
        if rule.protocols == ():
            doubts.append("it names no protocol")
            http = https = _EVERY_TCP
        if not senders or not (http or https or other):
            self._nothing(rule.name, collection.place, "it has no source, or no port")
            return
        if other:
            doubts.append("which connections are taken for that protocol is not known")
        for tests, doubt in self._tests(rule, https):
            entry = Entry(
                rule.name, collection.place, number, collection.allows, tests, senders, http, https, other,
                rule.terminates, bool(rule.urls), _joined([*doubts, doubt]),
            )  # fmt: skip
            self._entries.append(entry)

    def _tests(self, rule: LiveApplicationRule, https: Ranges) -> tuple[Answer, ...]:
        """What the targets match; in two pieces, if only some of them may match less."""
        answers: list[Answer] = []
        if rule.fqdns:
            answers.append(self._names.of_fqdns(rule.fqdns))
        if rule.urls:
            found = self._urls.get(rule.urls)
            if found is None:
                found = self._urls[rule.urls] = of_urls(rule.urls)
            if not https or rule.terminates is True:
                if not rule.fqdns and not rule.has_categories:
                    return found
                answers.append(together(found))
            else:
                answers.append(together([*found, ((), "without TLS inspection nobody sees a path in HTTPS")]))
        if rule.has_categories:
            answers.append((ANY_NAME, ""))
        if not answers:
            return ((ANY_NAME, "it names no target"),)
        if len(answers) > 1:
            answers.insert(0, ((), "what targets of several kinds mean together is not documented"))
        return (together(answers),)

    def _shown(self, protocols: tuple[tuple[str, int | None], ...]) -> tuple[Ranges, Ranges, Ranges]:
        """The ports on which HTTP, HTTPS, and something else is looked at."""
        found = self._protocols.get(protocols)
        if found is None:
            held: dict[str, list[tuple[int, int]]] = {"http": [], "https": [], "": []}
            for kind, port in protocols:
                if port is None:
                    held[kind if kind in held else ""].append((1, LAST_PORT))
                elif 1 <= port <= LAST_PORT:
                    held[kind if kind in held else ""].append((port, port))
            http, https, other = (ranges.merged(each) for each in held.values())
            found = self._protocols[protocols] = http, https, other
        return found

    def _application_rulings(self) -> None:
        """The rulings of the application rules, and of the firewall's own infrastructure rules behind them."""
        entries = self._entries
        escapes = escaping(entries)
        last = max((at for at, entry in enumerate(entries) if entry.allows is not False), default=-1)
        internal = self._site.internal
        outside, is_closed = ALL, False
        if self._site.closing_deny:
            outside = ALL if internal.is_empty else ALL.difference(internal)
            is_closed = self._has_no_infrastructure()
        for at, entry in enumerate(entries):
            # What denies all names behind every allow does no more than the firewall's own default, and like that it is
            # not said of the internal networks: policies say nothing of them.
            if at <= last or entry.tests != ANY_NAME:
                self._entry(entry, ALL, escapes.get(at))
            elif not is_closed:
                self._entry(entry, outside, escapes.get(at))
        if self._site.closing_deny and not is_closed and not outside.is_empty:
            why = "which names the firewall's own infrastructure rules let through is not published"
            blocks = tuple([Block(ANY_NAME, outside, _WEB, s, (), False, (), o) for s, o in self._governed()])  # noqa: FBT003
            self._add(INFRASTRUCTURE, True, blocks, "", why)  # noqa: FBT003

    def _entry(self, entry: Entry, addresses: AddressSet, escapes: Ranges | None) -> None:
        ports = PortSet(ranges.union(ranges.union(entry.http, entry.https), entry.other))
        if escapes is not None:
            doubtful = PortSet(ranges.intersection(ports.tcp, escapes))
            ports = ports.difference(doubtful)
            doubt = _joined([entry.doubt, "HTTP and HTTPS are looked at on that port, and this is about one of them"])
            self._add(entry.name, entry.allows, _blocks(entry, addresses, doubtful), entry.place, doubt)
        if not ports.is_empty and not addresses.is_empty:
            self._add(entry.name, entry.allows, _blocks(entry, addresses, ports), entry.place, entry.doubt)

    def _has_no_infrastructure(self) -> bool:
        """True if nothing of the governed sources gets to the firewall's own infrastructure rules.

        "You can override the built-in infrastructure rule collection by creating a deny all application rule collection
        that is processed last" (rule-processing.md).
        """
        closed = [e for e in self._entries if e.allows is False and not e.doubt and e.tests == ANY_NAME]
        governed = self._governed()
        http = [s for e in closed if ranges.contain(e.http, ((80, 80),)) for s in e.senders]
        https = [s for e in closed if ranges.contain(e.https, ((443, 443),)) for s in e.senders]
        return _hold(http, governed) and _hold(https, governed)

    def _governed(self) -> Senders:
        """The sources that the firewall governs, as far as it can see them: IPv4."""
        groups = self._site.groups
        if any(isinstance(group.addresses, Anything) and group.object_name is None for group in groups):
            return ANY_SENDER
        objects = frozenset([group.object_name for group in groups if group.object_name is not None])
        known = union_of(
            [g.addresses.family(4) for g in groups if g.object_name is None and isinstance(g.addresses, AddressSet)]
        )
        found = [] if known.is_empty else [(known, EVERY)]
        return tuple([*found, (ALL, Choice(objects))] if objects else found)


def _blocks(entry: Entry, addresses: AddressSet, ports: PortSet) -> tuple[Block, ...]:
    return tuple(
        [
            Block(entry.tests, addresses, ports, sources, (), False, (), objects, NO_TAGS)  # noqa: FBT003
            for sources, objects in entry.senders
        ]
    )


def _hold(some: Iterable[tuple[AddressSet, Choice]], governed: Senders) -> bool:
    """True if sources hold all those that the firewall governs."""
    held = list(some)
    known = union_of([sources for sources, objects in held if objects is EVERY])
    names = frozenset().union(*[objects.names for _, objects in held if objects is not EVERY])
    return all(
        known.contains(sources) if objects is EVERY else known == ALL or objects.names <= names
        for sources, objects in governed
    )


def _joined(doubts: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys([doubt for doubt in doubts if doubt])) if any(doubts) else ""
