"""TLS inspection: what decryption rules open and exempt, and the connections whose paths are surely seen."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL, AddressSet, union_of
from egressc.flows import EVERY, NO_TAGS, Box, Choice
from egressc.flows_index import BlockIndex, uncovered
from egressc.flows_search import in_both, witness
from egressc.hosts import HostPattern
from egressc.meaning import Block, Handling, InspectionRuling
from egressc.reach import BOTH_FAMILIES
from egressc.services import ALL_PORTS, Application, PortSet
from egressc.targets.paloalto.meaning_names import joined, pattern_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.site import Site
    from egressc.targets.paloalto.live import Live, LiveRule
    from egressc.targets.paloalto.meaning_rule import RuleMatcher
    from egressc.targets.paloalto.settings import Settings

FORWARD: Final = "ssl-forward-proxy"
"""The type of decryption rules that are about outbound TLS."""

_OTHERS: Final = frozenset({"ssh-proxy", "ssl-inbound-inspection"})
_ACTIONS: Final = {
    "no-decrypt": Handling.EXEMPT,
    "decrypt": Handling.INSPECT,
    "decrypt-and-forward": Handling.INSPECT,
}
"""What a decryption rule does ([C] specs, decryption rules)."""

_NO_PATH: Final = "no path is seen before TLS is opened"
_TCP: Final = PortSet(ALL_PORTS.tcp)
OTHERS: Final = "(other decryption rules)"
"""What the ruling is called that stands for decryption rules which files with a part of a configuration do not hold.

They may stand behind those in the files: without them, an exemption that was lost would seem to change nothing.
"""

_SOMEWHERE: Final = "whether the template or the place that excludes them counts for this firewall is not known"
EXCLUSION: Final = "(SSL decryption exclusion)"
"""What the ruling is called that stands for the list of excluded servers."""


class Inspections:
    """What is inspected in one configuration. ``remarks`` are about rules that open nothing of TLS that goes out."""

    def __init__(self, live: Live, site: Site[Settings], matcher: RuleMatcher) -> None:
        self.remarks: list[str] = []
        self._site = site
        self._matcher = matcher
        found = list(self._exclusions(live))
        for rule in live.decryption:
            found.extend(self._rule(rule))
        if not live.is_whole and site.settings.tls_inspection:
            doubt = "other decryption rules of the device are not in the files"
            found.append(InspectionRuling(OTHERS, Handling.INSPECT, (Block(ports=_TCP),), sure=False, doubt=doubt))
        self.rulings: tuple[InspectionRuling, ...] = tuple(found)

    def shows_paths(self, blocks: Sequence[Block]) -> bool:
        """True if every connection to the hosts of some blocks is surely opened, or its path is seen without that."""
        whole: list[Block] = []
        for block in blocks:
            ports = block.ports.difference(self._clear)
            if not ports.is_empty and block.names is not None:
                hosts = tuple(dict.fromkeys([(pattern, None) for pattern, _ in block.names]))
                whole.append(replace(block, names=hosts, ports=ports))
        if not whole:
            return True
        wanted = [box for block in whole for box in block.boxes()]
        # What egressc writes is opened by a rule of its own, which is quickly found.
        rest = [box for block in whole if block not in self._opened_blocks for box in block.boxes()]
        if rest and uncovered(rest, self._impossible, (self._opened,)) is not None:
            return False
        if not self._exempt_rulings:
            return True
        kept = [box for number in self._exempt.meeting_boxes(wanted) for box in self._exempt.boxes_of(number)]
        return witness(in_both(wanted, kept), self._impossible) is None

    @cached_property
    def _clear(self) -> PortSet:
        """The ports on which HTTP is spoken without TLS: 80, and those of which the policy says so."""
        services = {s for rule in self._site.rules for s in rule.services if s.application is Application.HTTP}
        return PortSet.of(services).union(PortSet(((80, 80),)))

    @cached_property
    def _opening(self) -> list[InspectionRuling]:
        return [r for r in self.rulings if r.handling is Handling.INSPECT and r.sure and not r.doubt]

    @cached_property
    def _opened(self) -> BlockIndex:
        return BlockIndex([ruling.blocks for ruling in self._opening])

    @cached_property
    def _opened_blocks(self) -> frozenset[Block]:
        return frozenset([block for ruling in self._opening for block in ruling.blocks])

    @cached_property
    def _exempt_rulings(self) -> list[InspectionRuling]:
        return [ruling for ruling in self.rulings if ruling.handling is Handling.EXEMPT]

    @cached_property
    def _exempt(self) -> BlockIndex:
        return BlockIndex([ruling.blocks for ruling in self._exempt_rulings])

    @cached_property
    def _impossible(self) -> tuple[Box, ...]:
        """Flows whose source would be of two groups: no address is in two groups of one firewall (inventory.md)."""
        groups = self._site.groups
        objects = frozenset([g.object_name for g in groups if g.object_name is not None])
        known = union_of([g.addresses for g in groups if g.object_name is None and isinstance(g.addresses, AddressSet)])
        if not objects or known.is_empty:
            return ()
        return (Box(Choice(objects), BOTH_FAMILIES, EVERY, ALL_PORTS, ALL, (), (), (), (), NO_TAGS, NO_TAGS, known),)

    def _rule(self, rule: LiveRule) -> Iterator[InspectionRuling]:
        doubts: list[str] = []
        handling = _ACTIONS.get(rule.action)
        if rule.kind in _OTHERS:
            self.remarks.append(f"{rule.place}: the decryption rule `{rule.name}` ({rule.kind}) opens no outbound TLS")
            return
        if rule.kind != FORWARD:
            doubts.append(f"the type `{rule.kind[:80]}` is not understood")
        if handling is None:
            doubts.append(f"the action `{rule.action[:80]}` is not understood")
        matched = self._matcher.matched(rule, doubts)
        if matched is None:
            return
        blocks = tuple(_over_tcp(matched.blocks))
        profile = self._site.settings.decryption_profile
        sure = profile is not None and rule.profile == (profile,)
        for each, doubt in (
            (blocks, matched.doubt),
            # The handshake shows the host alone.
            (matched.with_paths, f"{matched.doubt}; {_NO_PATH}" if matched.doubt else _NO_PATH),
            (tuple(_over_tcp(matched.vague)), joined((matched.doubt, matched.of_names))),
        ):
            if each:
                for how in (Handling.EXEMPT, Handling.INSPECT) if handling is None else (handling,):
                    yield InspectionRuling(rule.name, how, each, sure, rule.place, doubt)

    def _exclusions(self, live: Live) -> Iterator[InspectionRuling]:
        """The servers that are never decrypted: there ``*`` is exactly one label ([D] decryption exclusions)."""
        for names, of_all in ((live.exclusions, ""), (live.perhaps_excluded, _SOMEWHERE)):
            tests = []
            doubts = [of_all]
            for name in names:
                pattern, doubt = pattern_of(name.lower().replace("*", "^"))
                tests.append((HostPattern((), deep=True) if pattern is None else pattern, None))
                doubts.append(doubt)
            if tests:
                blocks = (Block(tuple(dict.fromkeys(tests)), ports=_TCP),)
                yield InspectionRuling(EXCLUSION, Handling.EXEMPT, blocks, doubt=joined(doubts))


def _over_tcp(blocks: Iterable[Block]) -> Iterator[Block]:
    """What of some blocks is TCP: TLS is."""
    for block in blocks:
        if not block.ports.udp:
            yield block
        elif block.ports.tcp:
            yield replace(block, ports=_TCP if block.ports is ALL_PORTS else PortSet(block.ports.tcp))
