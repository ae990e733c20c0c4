"""What a Linux firewall does, from an artefact of ours or from what a machine exports; see ``live``.

An export is what `iptables-save`, `ip6tables-save` and `ipset save` print, the configuration of dnsmasq, and what
`getent passwd` prints where rules ask for users. Files are told apart by what stands in them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from egressc.config_text import text_of
from egressc.meaning import UnreadableError
from egressc.targets.iptables.live import InSet, Live
from egressc.targets.iptables.meaning import meaning_of
from egressc.targets.iptables.model import FAMILIES, Mode
from egressc.targets.iptables.read_artefact import check_facts, check_script, check_sets, is_artefact, is_script
from egressc.targets.iptables.read_resolver import Resolver, is_resolver
from egressc.targets.iptables.read_rules import family_of, has_other_backend, is_rules, read_rules
from egressc.targets.iptables.read_sets import is_sets, read_sets
from egressc.targets.iptables.read_users import is_users, read_users

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from egressc.meaning import Meaning
    from egressc.site import Site
    from egressc.targets.iptables.live import LiveSet, LiveTable, Zones
    from egressc.targets.iptables.model import Family
    from egressc.targets.iptables.settings import Settings
    from egressc.targets.protocol import Artefact

_START: Final = {
    Mode.HOST: {"filter": "OUTPUT", "nat": "OUTPUT"},
    Mode.GATEWAY: {"filter": "FORWARD", "nat": "PREROUTING"},
}
"""Where the packets of a site begin, by table (iptables(8), TABLES)."""

_NAMES: Final = {4: "iptables-save", 6: "ip6tables-save"}
_OTHER: Final = "iptables-save warns of rules of its other variant (nft or legacy), which are not in these files"


def read(site: Site[Settings], files: Sequence[Artefact]) -> Meaning:
    """What these files do. Raises ``UnreadableError`` if they are no configuration of a Linux firewall."""
    return meaning_of(_Files(site).live(files), site)


class _Files:
    """The files of one machine, or of one artefact, being put together."""

    def __init__(self, site: Site[Settings]) -> None:
        self._site = site
        self._tables: dict[Family, dict[str, LiveTable]] = {}
        self._ours: list[tuple[Family, str, str]] = []
        self._sets: dict[str, LiveSet] = {}
        self._has_sets = False
        self._resolver = Resolver()
        self._uids: dict[str, int] = {}
        self._doubts: list[str] = []
        self._theirs = ""
        self._empty = ""

    def live(self, files: Sequence[Artefact]) -> Live:
        """What stands in the files."""
        for file in files:
            self._take(file)
        self._complete(files)
        fed = {name: self._in_time(name, zones) for name, zones in self._resolver.zones().items()}
        ours = bool(self._ours)
        asked = {name for _, name in self._asked()}
        check_sets(self._tables, self._sets, (name for name in fed if name in asked or ours))
        for family, text, name in self._ours:
            check_facts(text, name, family, self._tables, self._sets, self._site)
        passing = next((each for each in self._sets.values() if each.passing and ours), None)
        if passing is not None:
            raise UnreadableError(f"the set `{passing.name}` holds members that only the resolver may add")
        for name in self._changed():
            doubt = f"a rule changes what is in the set `{name}` while packets pass (-j SET)"
            if name in self._sets:
                self._sets[name] = replace(self._sets[name], doubt=doubt)
            if name in fed:
                fed[name] = replace(fed[name], doubt=doubt)
        self._sets.update({known.name: replace(known, doubt=doubt) for known, doubt in self._lists(fed)})
        start = _START[self._site.settings.mode]
        if ours:
            start = dict.fromkeys(start, self._site.settings.chain)
        remarks = tuple(self._resolver.remarks)
        return Live(self._tables, start, self._sets, fed, self._uids, ours, remarks, tuple(self._doubts))

    def _take(self, file: Artefact) -> None:
        if is_script(file.content):
            check_script(file.content, file.name)
            return
        text = text_of(file)
        if is_rules(text):
            self._rules(text, file.name)
        elif is_sets(text):
            self._has_sets = True
            for each in read_sets(text, file.name):
                if each.name in self._sets:
                    raise UnreadableError(f"the set `{each.name}` is in two files", file.name)
                self._sets[each.name] = each
        elif is_users(text):
            self._uids.update(read_users(text))
        elif is_resolver(text):
            self._resolver.read(text, file.name)
        elif not any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
            self._nothing(text, file.name)
        else:
            raise UnreadableError(
                "this is neither rules (iptables-save), sets (ipset save), a configuration of dnsmasq, nor users "
                "(getent passwd)",
                file.name,
            )

    def _nothing(self, text: str, name: str) -> None:
        """A file without a line: our sets or lines where there are none, or what a machine without rules prints."""
        if text.startswith("# Sets of "):
            self._has_sets = True
        elif text.startswith("# What dnsmasq feeds "):
            self._resolver.is_there = True
        else:
            self._empty = name

    def _rules(self, text: str, name: str) -> None:
        family = family_of(text, name)
        if family is None:
            left = [each for each in FAMILIES if each not in self._tables]
            if len(left) != 1:
                raise UnreadableError("these may be rules for IPv4 or for IPv6: nothing in them says so", name)
            family = left[0]
        if is_artefact(text):
            self._ours.append((family, text, name))
        else:
            self._theirs = name
        if has_other_backend(text):
            self._doubts.append(_OTHER)
        held = self._tables.setdefault(family, {})
        for table in read_rules(text, name, family):
            if table.name in held:
                raise UnreadableError(f"a second table `{table.name}` for IPv{family}", name)
            held[table.name] = table

    def _complete(self, files: Sequence[Artefact]) -> None:
        """See that nothing is missing without which the rest would be misread."""
        first = files[0].name if files else ""
        if not self._tables:
            raise UnreadableError("there are no rules (what iptables-save prints)", first)
        if self._ours and self._theirs:
            raise UnreadableError("an artefact and what a machine exports are two configurations", self._theirs)
        for family in FAMILIES:
            if family in self._tables:
                continue
            if not self._empty:
                what = f"there are no rules for IPv{family}: give what {_NAMES[family]} prints, too"
                raise UnreadableError(what, first)
            self._tables[family] = {}
        if not self._has_sets and any(True for _ in self._asked()):
            raise UnreadableError("the rules ask for sets: give what `ipset save` prints, too", first)
        filled = next((s for s in self._sets.values() if s.timeout is not None and not self._resolver.is_there), None)
        if filled is not None:
            what = f"the resolver fills the set `{filled.name}`: give its configuration (dnsmasq.conf), too"
            raise UnreadableError(what, first)

    def _asked(self) -> list[tuple[str, str]]:
        """The sets that the rules ask for, and in which file."""
        return [
            (table.file, condition.name)
            for tables in self._tables.values()
            for table in tables.values()
            for chain in table.chains.values()
            for rule in chain.rules
            for condition in rule.conditions
            if isinstance(condition, InSet)
        ]

    def _changed(self) -> set[str]:
        """The sets that rules add to or take from (iptables-extensions(8), SET)."""
        return {
            name
            for tables in self._tables.values()
            for table in tables.values()
            for chain in table.chains.values()
            for rule in chain.rules
            if rule.target == "SET"
            for name in rule.value.split("\n")
        }

    def _lists(self, fed: Mapping[str, Zones]) -> Iterator[tuple[LiveSet, str]]:
        """The lists of sets that hold one whose members are not known, and why."""
        for known in self._sets.values():
            for part in known.parts:
                if part in fed:
                    yield known, f"the list `{known.name}` holds the set `{part}`, which the resolver fills"
                elif part in self._sets and self._sets[part].doubt:
                    yield known, self._sets[part].doubt

    def _in_time(self, name: str, zones: Zones) -> Zones:
        """The names that feed a set; in doubt if an address leaves it while dnsmasq answers from its cache.

        An answer from the cache adds nothing (measured, see ``capabilities.CACHE_SECONDS``).
        """
        known = self._sets.get(name)
        cached = self._resolver.cached
        if zones.doubt or known is None or not known.timeout:
            return zones
        if cached is None or cached > known.timeout:
            doubt = (
                f"addresses leave the set `{name}` after {known.timeout} seconds, and dnsmasq may answer from its "
                "cache for longer, which adds none (`max-cache-ttl`)"
            )
            return replace(zones, doubt=doubt)
        return zones
