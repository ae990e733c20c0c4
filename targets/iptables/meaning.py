"""What a configuration does, as netfilter goes through its chains: rulings, of which the first that matches decides.

A packet goes through the rules of a built-in chain in order, and into a chain that a rule jumps to; `RETURN`, or the
end of such a chain, leads back behind the jump, and the end of a built-in chain to its policy (iptables(8), TARGETS).
The table `nat` is asked before `filter`, for the first packet of a connection (iptables-extensions(8), REDIRECT). What
our own chain returns is for others to decide.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from egressc.meaning import Meaning, Outcome, Ruling
from egressc.targets.iptables.meaning_match import Held, Matcher
from egressc.targets.iptables.meaning_nat import Redirections
from egressc.targets.iptables.meaning_packets import stopped
from egressc.targets.iptables.meaning_shown import OURS, name_of, place_of
from egressc.targets.iptables.model import FAMILIES, Mode

if TYPE_CHECKING:
    from egressc.meaning import Block
    from egressc.site import Site
    from egressc.targets.iptables.live import Live, LiveChain, LiveRule, LiveTable
    from egressc.targets.iptables.model import Family
    from egressc.targets.iptables.settings import Settings

_VERDICTS: Final = {"ACCEPT": Outcome.ALLOW, "DROP": Outcome.DENY, "REJECT": Outcome.DENY}
_GOES_ON: Final = frozenset(
    {
        "", "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "CONNSECMARK", "SECMARK", "CLASSIFY", "DSCP", "TOS", "TTL",
        "HL", "TCPMSS", "TCPOPTSTRIP", "CHECKSUM", "CT", "NOTRACK", "TRACE", "AUDIT", "SET", "HMARK", "IDLETIMER",
        "LED", "RATEEST", "TEE",
    }
)  # fmt: skip
"""Targets behind which the next rule is asked (iptables-extensions(8), *Target extensions*)."""

_EARLY: Final = {Mode.HOST: ("OUTPUT", "POSTROUTING"), Mode.GATEWAY: ("PREROUTING", "FORWARD", "POSTROUTING")}
"""Chains of the other tables that a packet goes through as well (nf_tables wiki, *Netfilter hooks*)."""

_DEEPEST: Final = 100
"""So many chains are gone into, one from the other; nf_tables takes 16 (NFT_JUMP_STACK_SIZE)."""

_WAYS: Final = 200_000
"""So many rules are looked at on the ways through all chains; a chain may be jumped to from many places."""


def meaning_of(live: Live, site: Site[Settings]) -> Meaning:
    """What the configuration does with the flows of one site."""
    sections: tuple[list[Ruling], list[Ruling], list[Ruling]] = ([], [], [])
    inspections = []
    ends: set[str] = set()
    remarks = list(live.remarks)
    for family in FAMILIES:
        reading = _Family(live, site, family)
        mine = reading.rulings()
        redirections = Redirections(live, site, family, reading.matcher)
        for section, some in zip(sections, _sections([*redirections.rulings(mine), *mine]), strict=True):
            section.extend(some)
        inspections += redirections.inspections()
        ends.add(reading.policy)
        remarks += reading.remarks
    default = Outcome.LEFT
    if ends == {"DROP"}:
        default = Outcome.DENY
    elif "ACCEPT" in ends:
        default = Outcome.ALLOW
    rulings = tuple([ruling for section in sections for ruling in section])
    return Meaning(rulings, tuple(inspections), default, tuple(remarks))


def _sections(rulings: list[Ruling]) -> tuple[list[Ruling], list[Ruling], list[Ruling]]:
    """What stands above the first allow of a policy, from there to the last allow, and below.

    Between the families there is no order; the comparison is quickest where denies of both stand above all allows.
    """
    allows = [at for at, ruling in enumerate(rulings) if ruling.outcome is Outcome.ALLOW]
    first = next((at for at in allows if not rulings[at].name.startswith(OURS)), len(rulings))
    last = max(allows, default=-1) + 1
    return rulings[:first], rulings[first:last], rulings[max(first, last) :]


class _Family:
    """The rules of one family on their way to rulings."""

    def __init__(self, live: Live, site: Site[Settings], family: Family) -> None:
        self._live = live
        self._own = site.settings.chain
        self._mode = site.settings.mode
        self._tables = live.tables[family]
        self.matcher = Matcher(live, site, family)
        self._family = family
        self._left = _WAYS
        self._found: list[Ruling] = []
        self.remarks: list[str] = []
        self.policy = ""

    def rulings(self) -> list[Ruling]:
        """The rulings of this family, in order."""
        self._doubted()
        for name in ("raw", "mangle", "security", "nat"):
            if name in self._tables:
                self._other(self._tables[name])
        table = self._tables.get("filter")
        start = self._live.start["filter"]
        chain = table.chains.get(start) if table is not None else None
        if table is None or chain is None:
            self.policy = "" if self._live.is_artefact else "ACCEPT"  # a table that is not there filters nothing
            return self._found
        self.policy = chain.policy
        self._left += sum(len(each.rules) for each in table.chains.values())
        what = stopped(table, chain, self._family) if self._mode is Mode.HOST else ""
        if what:
            self._perhaps(self.matcher.everything, what, place_of(table.file, 0), (Outcome.DENY,))
        self._walk(table, chain, self.matcher.everything, (), ())
        if chain.policy == "DROP" and not self._live.is_artefact:
            everything = self.matcher.blocks(self.matcher.everything)
            self._found.append(Ruling(f"the policy of {start}", Outcome.DENY, everything, table.file))
        return self._found

    def _walk(
        self, table: LiveTable, chain: LiveChain, base: Held, but: tuple[Block, ...], above: tuple[str, ...]
    ) -> None:
        """The rulings of a chain for the flows that come to it; ``but`` are those that have gone back already."""
        matcher = self.matcher
        is_own = chain.name == self._own
        for rule in chain.rules:
            self._left -= 1
            if rule.target in _GOES_ON:
                continue
            own = matcher.held(rule)
            held = None if own is None else matcher.both(base, own)
            if held is None:
                continue
            outcome = _VERDICTS.get(rule.target)
            if rule.target == "RETURN":
                if not above:
                    # The policy of a built-in chain decides, or who comes behind our own.
                    outcome = {"ACCEPT": Outcome.ALLOW, "DROP": Outcome.DENY}.get(chain.policy, Outcome.LEFT)
                elif is_own:
                    outcome = Outcome.LEFT
                else:
                    but = self._gone(rule, held, but, table)
                    continue
            if outcome is not None:
                self._rule(table, chain, rule, held, but, outcome)
            elif rule.target in table.chains:
                self._jump(table, table.chains[rule.target], rule, held, but, (*above, chain.name))
                if rule.goes:
                    but = self._gone(rule, held, but, table)
            else:
                doubt = f"what the target {rule.target} does is not known"
                self._perhaps(held, doubt, place_of(table.file, rule.line), tuple(_UNCERTAIN))

    def _jump(
        self,
        table: LiveTable,
        chain: LiveChain,
        rule: LiveRule,
        held: Held,
        but: tuple[Block, ...],
        above: tuple[str, ...],
    ) -> None:
        place = place_of(table.file, rule.line)
        if chain.name in above:
            self._perhaps(held, f"the chain {chain.name} leads into itself", place, tuple(_UNCERTAIN))
        elif self._left < len(chain.rules) or len(above) > _DEEPEST:
            self._perhaps(held, f"there are too many ways into the chain {chain.name}", place, tuple(_UNCERTAIN))
        else:
            self._walk(table, chain, held, but, above)

    def _rule(
        self,
        table: LiveTable,
        chain: LiveChain,
        rule: LiveRule,
        held: Held,
        but: tuple[Block, ...],
        outcome: Outcome,
    ) -> None:
        blocks = self.matcher.blocks(held)
        if blocks:
            name, place = name_of(rule, chain.name), place_of(table.file, rule.line)
            self._found.append(Ruling(name, outcome, blocks, place, "; ".join(dict.fromkeys(held.doubts)), but))

    def _gone(self, rule: LiveRule, held: Held, but: tuple[Block, ...], table: LiveTable) -> tuple[Block, ...]:
        """What has left a foreign chain; where that is not certain, the rules behind it may not be asked."""
        blocks = self.matcher.blocks(held)
        if not held.doubts:
            return _gathered(but, blocks)
        doubt = f"it may be left before, by {place_of(table.file, rule.line)}: {held.doubts[0]}"
        self._perhaps(held, doubt, place_of(table.file, rule.line), tuple(_UNCERTAIN))
        return but

    def _other(self, table: LiveTable) -> None:
        """The other tables, in which packets may be dropped, too."""
        for name in _EARLY[self._mode]:
            chain = table.chains.get(name)
            if chain is not None and chain.policy == "DROP":
                doubt = f"the policy of {name} in the table {table.name} is DROP"
                self._perhaps(self.matcher.everything, doubt, table.file, (Outcome.DENY,))
        if table.name == "nat":
            return  # what its rules do is another matter (`Redirections`)
        for chain in table.chains.values():
            passes = chain.name in _EARLY[self._mode] or not chain.policy
            for rule in chain.rules:
                if passes and (rule.target == "NOTRACK" or (rule.target == "CT" and rule.value == "notrack")):
                    held = self.matcher.held(rule)
                    if held is not None:
                        doubt = f"the table {table.name} leaves it untracked: it has another state, and no nat"
                        self._perhaps(held, doubt, place_of(table.file, rule.line), _UNCERTAIN)
                if rule.target in {"DROP", "REJECT", "NFQUEUE", "QUEUE"}:
                    held = self.matcher.held(rule)
                    if held is not None:
                        doubt = f"the table {table.name} drops it"
                        self._perhaps(held, doubt, place_of(table.file, rule.line), (Outcome.DENY,))

    def _doubted(self) -> None:
        for doubt in self._live.doubts:
            self._perhaps(self.matcher.everything, doubt, "", (Outcome.DENY,))

    def _perhaps(self, held: Held, doubt: str, place: str, outcomes: tuple[Outcome, ...]) -> None:
        blocks = self.matcher.blocks(held)
        doubts = "; ".join(dict.fromkeys([*held.doubts, doubt]))
        if blocks:
            self._found += [Ruling(doubt, each, blocks, place, doubts) for each in outcomes]


def _gathered(but: tuple[Block, ...], more: tuple[Block, ...]) -> tuple[Block, ...]:
    """Both together; a block that differs from the last one in its addresses alone, or its sources, is one with it.

    Chains often begin with a long list of addresses that leave them.
    """
    found = list(but)
    for block in more:
        last = found[-1] if found else None
        if last is None or block.names is not None or last.names is not None:
            found.append(block)
        elif replace(last, addresses=block.addresses) == block:
            found[-1] = replace(block, addresses=last.addresses.union(block.addresses))
        elif replace(last, sources=block.sources) == block:
            found[-1] = replace(block, sources=last.sources.union(block.sources))
        else:
            found.append(block)
    return tuple(found)


_UNCERTAIN: Final = (Outcome.ALLOW, Outcome.DENY)
