"""What one rule of the security or decryption rulebase matches: the part that both have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from egressc.addresses import ALL
from egressc.anything import ANY, Anything
from egressc.meaning import Block
from egressc.services import NO_PORTS, PortSet
from egressc.targets.paloalto.live import WIDEST
from egressc.targets.paloalto.meaning_match import Matcher
from egressc.targets.paloalto.meaning_names import Categories, joined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.flows import Test
    from egressc.site import Site
    from egressc.targets.paloalto.live import Live, LiveRule, Texts
    from egressc.targets.paloalto.settings import Settings


class Matched(NamedTuple):
    """The flows of a rule by part: ``with_paths`` need a path to be seen, ``unseen`` a name where none may be (UDP).

    ``vague`` is what its categories may match besides, and ``of_names`` why that is not known. ``doubt`` is about all
    of them; ``nothing`` says why the rule matches nothing, if it does.
    """

    blocks: tuple[Block, ...]
    with_paths: tuple[Block, ...]
    unseen: tuple[Block, ...]
    doubt: str
    nothing: str = ""
    vague: tuple[Block, ...] = ()
    of_names: str = ""


class RuleMatcher:
    """What rules match, as far as addresses, names, ports and users say it. ``aside`` counts rules of other zones."""

    def __init__(self, live: Live, site: Site[Settings]) -> None:
        self.aside = 0
        self._settings = site.settings
        self._matcher = Matcher(live, site)
        self._categories = Categories(live)

    def matched(self, rule: LiveRule, doubts: Iterable[str] = ()) -> Matched | None:
        """What a rule matches; ``None`` for a rule between other zones."""
        zones = self._zones(rule)
        if zones is None:
            self.aside += 1
            return None
        matcher = self._matcher
        senders, of_senders = matcher.senders(rule.sources, negated=rule.negates_sources)
        wheres, of_wheres = matcher.wheres(rule.destinations, negated=rule.negates_destinations)
        ports, of_ports = matcher.ports(rule.services)
        processes, of_users = matcher.processes(rule.users)
        named = None
        of_names = ""
        if rule.categories != WIDEST:
            named = self._categories.of(rule.categories)
            if any(names for _, names in wheres):
                of_names = "what a category and a resolved name mean together is not documented"
                wheres = ((ALL, None),)
        doubt = ""
        if zones or of_senders or of_wheres or of_ports or of_users or of_names or rule.doubts or doubts:
            doubt = joined((*doubts, *rule.doubts, zones, of_senders, of_wheres, of_ports, of_users, of_names))
        if not senders or not wheres or ports.is_empty:
            what = "its sources" if not senders else "its destinations" if not wheres else "its ports over TCP and UDP"
            return Matched((), (), (), doubt, f"{what} are empty")

        def blocks(some: tuple[Test, ...] | None, over: PortSet) -> tuple[Block, ...]:
            return tuple(
                [
                    Block(
                        some if names is None else names, addresses, over, sources, processes, names is not None, (),
                        objects,
                    )
                    for sources, objects in senders
                    for addresses, names in wheres
                ]
            )  # fmt: skip

        if named is None:
            return Matched(blocks(None, ports), (), (), doubt)
        tests = named.sure
        vague = blocks(named.perhaps, ports) if named.doubt else ()
        if not tests:
            return Matched((), (), (), doubt, "", vague, named.doubt)
        # A name is seen in HTTP and TLS, which are TCP.
        over_tcp = PortSet(ports.tcp) if ports.udp else ports
        unseen = blocks(tests, PortSet((), ports.udp)) if ports.udp else ()
        if over_tcp == NO_PORTS:
            return Matched((), (), unseen, doubt, "", vague, named.doubt)
        if all(path is None for _, path in tests):
            return Matched(blocks(tests, over_tcp), (), unseen, doubt, "", vague, named.doubt)
        hosts = tuple([test for test in tests if test[1] is None])
        paths = tuple([test for test in tests if test[1] is not None])
        with_hosts = blocks(hosts, over_tcp) if hosts else ()
        return Matched(with_hosts, blocks(paths, over_tcp), unseen, doubt, "", vague, named.doubt)

    # -- zones

    def _zones(self, rule: LiveRule) -> str | None:
        """Why nobody knows whether the rule is about the site's zones; ``None`` if it is not."""
        settings = self._settings
        one, other = settings.from_zone, settings.to_zone
        kind = rule.kind
        doubts: list[str] = []
        # An intrazone rule has one list of zones ([S] rule-type).
        sides = ((rule.from_zones, one),) if kind == "intrazone" else ((rule.from_zones, one), (rule.to_zones, other))
        for members, zone in sides:
            if members == WIDEST:
                continue
            if zone is ANY:
                doubts.append(f"it is for the zone `{members[0][:80]}` alone, and the inventory names none")
            elif zone not in members:
                return None
        if kind in {"intrazone", "interzone"}:
            if isinstance(one, Anything) or isinstance(other, Anything):
                doubts.append(f"it is an {kind} rule, and the inventory does not name both zones")
            elif (one == other) is not (kind == "intrazone"):
                return None
        return joined(doubts)


def spelled(texts: Texts) -> str:
    """Some names for people."""
    return ", ".join([f"`{text[:60]}`" for text in texts[:3]]) + (" and more" if len(texts) > 3 else "")
