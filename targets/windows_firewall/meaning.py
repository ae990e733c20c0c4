"""What a live configuration does, as Microsoft documents it: rulings, of which the first that matches decides.

There is no order among rules. "Allow-bypass rules take precedence over block rules, and block rules take precedence
over allow rules" ([MS-FASP] v20260511 2.2.34); then comes the default outbound action of the profile (2.2.38).
Conditions of one rule hold together, the values of one condition are alternatives (firewall-csp.md). A keyword holds
the addresses that its name was seen to resolve to; ``*.d`` is every name below ``d`` (assumption
``windows-keyword-wildcard``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL, union_of
from egressc.anything import Anything
from egressc.flows import EVERY, Choice
from egressc.hosts import HostPattern
from egressc.meaning import Block, Meaning, Outcome, Ruling
from egressc.services import ALL_PORTS
from egressc.targets.windows_firewall.model import Action, Profile
from egressc.targets.windows_firewall.principals import WELL_KNOWN
from egressc.targets.windows_firewall.processes import ACCOUNT, PROGRAM, processes

if TYPE_CHECKING:
    from collections.abc import Callable

    from egressc.addresses import AddressSet
    from egressc.flows import Processes, Test
    from egressc.services import PortSet
    from egressc.site import Site
    from egressc.targets.windows_firewall.live import Live, LiveKeyword, LiveProfile, LiveRule
    from egressc.targets.windows_firewall.settings import Settings

_NAME: Final = re.compile(r"(\*\.)?([a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*)")
_ONE_PERSON: Final = frozenset({"S-1-5-18", "S-1-5-19", "S-1-5-20", "S-1-5-7", "S-1-5-17"})
"""Well-known identifiers that stand for one account ([MS-DTYP] 2.4.2.4); the others stand for many."""

_GROUPS: Final = frozenset(WELL_KNOWN.values()) - _ONE_PERSON

_DOMAINS: Final = (("S-1-5-80-", "NT SERVICE\\"), ("S-1-5-82-", "IIS APPPOOL\\"))
"""Identifiers that only accounts of one domain have, and no others of it."""

FIREWALL_OFF: Final = "(the firewall is off)"
"""What the ruling is called that lets everything through where nothing is filtered."""

CLOSING: Final = "(default outbound action)"
"""What the ruling is called that stands for the default outbound action."""


def meaning_of(live: Live, site: Site[Settings]) -> Meaning:
    """What the configuration does with the flows of one site, in the networks whose profiles its settings name."""
    return _Reading(live, site).meaning()


class _Reading:
    """One configuration on its way to a meaning; lists that many rules share are looked at once."""

    def __init__(self, live: Live, site: Site[Settings]) -> None:
        self._live = live
        self._site = site
        named = site.settings.profiles
        self._profiles = frozenset(Profile) if isinstance(named, Anything) else frozenset(named)
        self._states = {state.profile: state for state in live.profiles}
        self._keywords = {keyword.id: keyword for keyword in live.keywords}
        self._tests: dict[str, Test | None] = {}
        self._sets: dict[AddressSet, AddressSet] = {ALL: ALL}
        self._whom: dict[Processes, _Whom] = {}
        self._remarks = list(live.remarks)
        own = [each for rule in site.rules if not isinstance(rule.accounts, Anything) for each in rule.accounts]
        choices = [pair for account in dict.fromkeys(own) for some in processes(account) for pair in some]
        used = frozenset().union(*(choice.names for kind, choice in choices if kind == ACCOUNT))
        self._own = used
        self._unresolved = frozenset(name for name in used if not name.startswith("S-1-")) - {
            name for name, _ in live.accounts
        }
        self._by_identifier = {identifier: name for name, identifier in live.accounts if name in used}
        self._programs = frozenset().union(*(choice.names for kind, choice in choices if kind == PROGRAM))

    def meaning(self) -> Meaning:
        """The rulings in the order in which Windows lets them decide."""
        above: list[Ruling] = self._switched_off()
        blocks: list[Ruling] = []
        allows: list[Ruling] = []
        for rule in self._live.rules:
            doubts = self._validity(rule)
            if doubts is None:
                continue
            pieces = self._pieces(rule, doubts)
            if not pieces:
                self._remarks.append(f"{rule.place}: the rule `{rule.name}` matches nothing")
            for held, doubt in pieces:
                if rule.action is not Action.ALLOW:
                    blocks.append(Ruling(rule.name, Outcome.DENY, held, rule.place, doubt))
                if rule.action is not Action.BLOCK:
                    allowed = Ruling(rule.name, Outcome.ALLOW, held, rule.place, doubt)
                    (above if rule.overrides else allows).append(allowed)
        default, below = self._default(allows)
        return Meaning((*above, *blocks, *allows, *below), (), default, tuple(self._remarks))

    # -- profiles

    def _switched_off(self) -> list[Ruling]:
        """A ruling that allows everything where the firewall is off: "nothing is blocked" ([MS-FASP] 2.2.38)."""
        off = self._where(lambda state: state.is_on is False)
        if not off:
            return []
        doubt = "" if off == self._profiles else f"it is off only in networks of the profile {_named(off)}"
        return [Ruling(FIREWALL_OFF, Outcome.ALLOW, (Block(),), "", doubt)]

    def _default(self, allows: list[Ruling]) -> tuple[Outcome, list[Ruling]]:
        """The default outbound action, and a last ruling where ``Meaning.default`` does not say all about it."""
        asked = self._site.closing_deny
        everything = (Block(),)
        closing = self._live.closing_deny
        if closing is None:
            known = {p: state.blocks for p, state in self._states.items() if p in self._profiles}
            closing = known.keys() == self._profiles and all(known.values())
            open_ = frozenset(profile for profile, blocks in known.items() if blocks is False)
            if asked and open_:
                self._remarks.append(f"what no rule matches is let through in networks of the profile {_named(open_)}")
            elif asked and not closing:
                doubt = "the files do not say what DefaultOutboundAction of each profile is"
                return Outcome.LEFT, [Ruling(CLOSING, Outcome.DENY, everything, "", doubt)]
        elif closing and not asked:
            return Outcome.DENY, [Ruling(CLOSING, Outcome.DENY, everything)]
        if not closing:
            return Outcome.LEFT, []
        # Windows does not spare the internal networks: a rule has to. Where one does, nothing comes down to here.
        internal = self._site.internal
        if not asked or internal.is_empty or any(_lets_all_through(ruling, internal) for ruling in allows):
            return Outcome.DENY, []
        return Outcome.DENY, [Ruling(CLOSING, Outcome.DENY, (Block(addresses=internal),))]

    def _validity(self, rule: LiveRule) -> list[str] | None:
        """Why the rule may not be in force; ``None`` if it is not."""
        mine = self._profiles
        held = mine if isinstance(rule.profiles, Anything) else mine & rule.profiles
        doubts = []
        if not held:
            self._remarks.append(
                f"{rule.place}: the rule `{rule.name}` has no bearing: it is for networks of another profile"
            )
            return None
        if held != mine:
            doubts.append(f"it is in force only in networks of the profile {_named(held)}")
        if rule.is_local:
            void = self._where(lambda state: state.takes_local_rules is False)
            if void >= held:
                self._remarks.append(
                    f"{rule.place}: the rule `{rule.name}` has no bearing: group policy voids local rules"
                )
                return None
            if void & held:
                doubts.append(f"group policy voids local rules in networks of the profile {_named(void & held)}")
        return doubts

    def _where(self, holds: Callable[[LiveProfile], bool]) -> frozenset[Profile]:
        return frozenset(profile for profile, state in self._states.items() if holds(state)) & self._profiles

    # -- what a rule matches

    def _pieces(self, rule: LiveRule, doubts: list[str]) -> list[tuple[tuple[Block, ...], str]]:
        """What the rule matches at most, in pieces, each with a doubt about it.

        Its destinations are alternatives, and so are its accounts: if there is a doubt about some of one of both alone,
        the others are a piece of their own.
        """
        whom = self._settled(rule.processes)
        sure, perhaps = _Goals(), _Goals()
        if rule.addresses is not None and rule.beside and rule.sure is not None:
            sure.addresses.append(rule.sure)
            perhaps.addresses.append(rule.addresses)
            perhaps.doubts.append(rule.beside)
        elif rule.addresses is not None or not rule.keywords:
            sure.addresses.append(ALL if rule.addresses is None else rule.addresses)
        about_all = [*(each for each in rule.doubts if each != rule.beside), *doubts]
        for plain in rule.keywords:
            self._resolve(plain, sure, perhaps, about_all)
        if whom.doubt and (perhaps.doubts or whom.certain is None):
            about_all.append(whom.doubt)
        if about_all:
            names, held = sure.names + perhaps.names, sure.addresses + perhaps.addresses
            found = [(self._blocks(names, held, rule.ports, whom.most), [*about_all, *perhaps.doubts])]
        elif whom.doubt and whom.certain is not None:
            found = [
                (self._blocks(sure.names, sure.addresses, rule.ports, whom.certain), []),
                (self._blocks(sure.names, sure.addresses, rule.ports, whom.others), [whom.doubt]),
            ]
        else:
            found = [(self._blocks(sure.names, sure.addresses, rule.ports, whom.most), [])]
            if perhaps.doubts:
                others = [union_of(perhaps.addresses).difference(union_of(sure.addresses))]
                found.append((self._blocks(perhaps.names, others, rule.ports, whom.most), perhaps.doubts))
        return [(held, "; ".join(why)) for held, why in found if held]

    def _blocks(
        self, names: list[Test], addresses: list[AddressSet], ports: PortSet, whom: Processes
    ) -> tuple[Block, ...]:
        """The flows to these destinations."""
        if ports.is_empty or any(choice.is_empty for _, choice in whom):
            return ()
        found = []
        if names:
            found.append(Block(tuple(names), ALL, ports, ALL, whom, True))  # noqa: FBT003
        held = addresses[0] if len(addresses) == 1 else union_of(addresses)
        if not held.is_empty:
            found.append(Block(None, self._sets.setdefault(held, held), ports, ALL, whom))
        return tuple(found)

    def _resolve(self, plain: str, sure: _Goals, perhaps: _Goals, doubts: list[str]) -> None:
        """Add what one keyword of a rule stands for. One that nobody knows may be no keyword, but a condition."""
        keyword = self._keywords.get(plain)
        if keyword is None:
            doubts.append(f"nothing says what the dynamic keyword {{{plain}}} stands for")
            sure.addresses.append(ALL)
            return
        goals = sure
        if keyword.doubt:
            goals = perhaps
            goals.doubts.append(f"the dynamic keyword `{keyword.name}`: {keyword.doubt}")
        if keyword.addresses is not None:
            goals.addresses.append(keyword.addresses)
            return
        test = self._tests.get(plain)
        if test is None:
            test = self._tests[plain] = _test(keyword)
        if test is None:
            perhaps.doubts.append(f"which names the dynamic keyword `{keyword.name}` matches is not documented")
            perhaps.addresses.append(ALL)
            return
        goals.names.append(test)

    def _settled(self, whom: Processes) -> _Whom:
        """The processes in the words of the policy's accounts, and what is not clear about them."""
        found = self._whom.get(whom)
        if found is None:
            most: list[tuple[str, Choice]] = []
            certain: list[tuple[str, Choice]] = []
            others: list[tuple[str, Choice]] = []
            doubts: list[str] = []
            is_clear, has_sure = True, False
            for kind, choice in whom:
                settled = sure = rest = choice
                if kind == ACCOUNT:
                    settled, sure = self._users(choice, doubts)
                    has_sure = not sure.is_empty
                    rest = settled.minus(sure)
                elif kind == PROGRAM:
                    before = len(doubts)
                    settled = sure = rest = self._files(choice, doubts)
                    is_clear = len(doubts) == before
                for pairs, each in ((most, settled), (certain, sure), (others, rest)):
                    if each != EVERY:
                        pairs.append((kind, each))
            sure_ones = tuple(certain) if doubts and is_clear and has_sure else None
            found = self._whom[whom] = _Whom(tuple(most), "; ".join(doubts), sure_ones, tuple(others))
        return found

    def _users(self, choice: Choice, doubts: list[str]) -> tuple[Choice, Choice]:
        """The accounts by the policy's names, where somebody looked their identifiers up: at most, and for certain."""
        names = frozenset([self._by_identifier.get(name, name) for name in choice.names])
        foreign = names - self._own
        groups = sorted(foreign & _GROUPS)
        if groups:
            doubts.append(f"who is in `{groups[0]}`, only the host knows")
        most, unclear = set(names), set(groups)
        for identifier in sorted(name for name in foreign - _ONE_PERSON if name.startswith("S-1-")):
            perhaps = sorted(name for name in self._unresolved if _may_be(identifier, name))
            if perhaps and not groups:
                doubts.append(f"`{identifier}` may be the account {' or '.join(perhaps)}")
            if perhaps:
                unclear.add(identifier)
                most.update(perhaps)
        if choice.negated:
            return EVERY if groups else Choice(names, negated=True), Choice(frozenset())
        return EVERY if groups else Choice(frozenset(most)), Choice(names - unclear)

    def _files(self, choice: Choice, doubts: list[str]) -> Choice:
        """The programs; a path with a variable may be that of a program which is written without."""
        more = set()
        for path in choice.names - self._programs:
            for other in self._programs:
                if "%" in path + other and path.rpartition("\\")[2] == other.rpartition("\\")[2]:
                    doubts.append(f"`{path}` may be `{other}`")
                    more.add(other)
        return Choice(choice.names | more, choice.negated)


@dataclass(frozen=True, slots=True)
class _Whom:
    """Processes of one rule: at most, with a doubt about that, and where some are certain, those and the others."""

    most: Processes
    doubt: str
    certain: Processes | None
    others: Processes


@dataclass(slots=True)
class _Goals:
    """Destinations of one rule as they are collected: tests of names, addresses, and what is not clear about them."""

    names: list[Test] = field(default_factory=list)
    addresses: list[AddressSet] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def _lets_all_through(ruling: Ruling, addresses: AddressSet) -> bool:
    """True if the ruling surely allows all that goes to these addresses."""
    return not ruling.doubt and any(
        block.names is None and not block.processes and block.ports == ALL_PORTS and block.addresses.contains(addresses)
        for block in ruling.blocks
    )


def _may_be(identifier: str, name: str) -> bool:
    """True if only the host knows whether the account of that name has the identifier."""
    for prefix, domain in _DOMAINS:
        if identifier.startswith(prefix) or name.startswith(domain):
            return identifier.startswith(prefix) and name.startswith(domain)
    return True


def _test(keyword: LiveKeyword) -> Test | None:
    """The test of a keyword; ``None`` for a form of which nothing is documented (a part of a label, one label)."""
    shape = _NAME.fullmatch(keyword.name.lower())
    if shape is None or "." not in shape[2]:
        return None
    return HostPattern(tuple(shape[2].split(".")), shape[1] is not None), None


def _named(profiles: frozenset[Profile]) -> str:
    return " or ".join([profile.value for profile in Profile if profile in profiles])
