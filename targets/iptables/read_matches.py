"""The conditions of one rule as iptables-save writes them, or as we do.

Source for every option: iptables(8) and iptables-extensions(8), 1.8.9, section of the match named.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from egressc import ranges
from egressc.addresses import ALL_V4, ALL_V6, AddressSet, parse_addresses
from egressc.services import ALL_PORTS, FIRST_PORT, LAST_PORT, NO_PORTS, PortSet
from egressc.targets.iptables.accounts import path_of
from egressc.targets.iptables.live import At, ControlGroup, InSet, Interface, LiveRule, Period, User
from egressc.targets.iptables.read_networks import has_holes, network_of

if TYPE_CHECKING:
    from egressc.ranges import Ranges
    from egressc.targets.iptables.live import Condition
    from egressc.targets.iptables.model import Family

_PROTOCOLS: Final = {
    "tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp", "all": "any", "0": "any", "ip": "any", "hopopt": "any",
    "icmpv6": "icmpv6", "ipv6-icmp": "icmpv6", "58": "icmpv6",
}  # fmt: skip
"""What protocols are called; `ip` and `hopopt` are number 0, which iptables takes for all (measured)."""

_OTHERS: Final = frozenset(
    {
        "icmp", "igmp", "ipencap", "ipip", "gre", "esp", "ah", "ipv6", "ipv6-auth", "ipv6-crypt", "ospf", "sctp",
        "udplite", "dccp", "vrrp", "pim", "l2tp", "mh", "mobility-header",
    }
)  # fmt: skip
"""Protocols that are neither TCP nor UDP (protocols(5)); their numbers are known by themselves."""
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,2}")

_EVERY: Final = ((FIRST_PORT, LAST_PORT),)
_BY_PROTOCOL: Final = {
    "any": ALL_PORTS,
    "tcp": PortSet(tcp=_EVERY),
    "udp": PortSet(udp=_EVERY),
}
_NOT: Final = {"tcp": PortSet(udp=_EVERY), "udp": PortSet(tcp=_EVERY), "any": NO_PORTS}

_OPENING: Final = ("FIN,SYN,RST,ACK", "SYN")
"""`--syn`: the first packet of a TCP connection, which is the one that a flow is judged by."""

_WORD_BEFORE: Final = frozenset({"-m", "--match"})
_TARGETS: Final = {
    "-j": False, "--j": False, "--ju": False, "--jum": False, "--jump": False,
    "-g": True, "--g": True, "--go": True, "--got": True, "--goto": True,
}  # fmt: skip
"""What comes before a target, and whether it goes there; getopt_long(3) takes a beginning for the whole (measured)."""


class NotARuleError(Exception):
    """A line that iptables-restore would refuse; the text says why."""


class RuleReader:
    """Reads the rules of one family; what rules share is read once."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._all = ALL_V4 if family == 4 else ALL_V6
        self._ports: dict[tuple[str, Ranges], PortSet] = {}
        self._known: dict[tuple[object, ...], Condition] = {}

    def rule(self, words: list[str], line: int) -> LiveRule:
        """A rule from the words behind ``-A CHAIN``. Raises ``NotARuleError``."""
        reading = _Reading(self, words, line)
        reading.read()
        return reading.rule()

    def ports(self, protocol: str, wanted: Ranges) -> PortSet:
        """The ports of a protocol, as one value for all rules."""
        found = self._ports.get((protocol, wanted))
        if found is None:
            found = PortSet(tcp=wanted) if protocol == "tcp" else PortSet(udp=wanted)
            self._ports[protocol, wanted] = found
        return found

    def at(self, text: str, *, is_source: bool, negated: bool) -> Condition | None:
        """A condition on an address; several networks behind commas are alternatives.

        ``None`` for a netmask that is no prefix.
        """
        key = (text, is_source, negated)
        found = self._known.get(key)
        if found is None:
            held = AddressSet()
            for each in text.split(","):
                known = network_of(each, self._family)
                if known is None and has_holes(each):
                    return None
                if known is None:
                    raise NotARuleError(f"`{each}` is no IPv{self._family} network")
                held = held.union(known)
            found = self._known[key] = At(self._all.difference(held) if negated else held, is_source)
        return found

    def range_at(self, text: str, *, is_source: bool, negated: bool) -> Condition | None:
        """A condition on a range of addresses; ``None`` if the text is none."""
        held = parse_addresses(text)
        if not isinstance(held, AddressSet):
            return None
        held = held.intersection(self._all)
        return At(self._all.difference(held) if negated else held, is_source)

    def shared(self, condition: Condition) -> Condition:
        """The condition, as one value for all rules."""
        return self._known.setdefault((condition,), condition)


class _Reading:
    """One rule being read, word by word."""

    def __init__(self, reader: RuleReader, words: list[str], line: int) -> None:
        self._reader = reader
        self._words = words
        self._at = 0
        self._line = line
        self._protocol, self._not_protocol = "any", False
        self._wanted: Ranges | None = None
        self._conditions: list[Condition] = []
        self._comment = self._target = self._value = self._icmp = ""
        self._goes = False
        self._states: frozenset[str] | None = None
        self._start: datetime | None = None
        self._stop: datetime | None = None
        self._never = False
        self._doubts: list[str] = []

    def read(self) -> None:
        """Go through all words."""
        words = self._words
        negated = False
        while self._at < len(words):
            word = words[self._at]
            self._at += 1
            if word == "!":
                negated = True
                continue
            if word in _WORD_BEFORE:
                self._next(word)
            elif word in _TARGETS:
                self._target = self._next(word)
                self._goes = _TARGETS[word]
                self._read_target()
                return
            else:
                handler = _OPTIONS.get(word)
                if handler is None:
                    self._unknown(word)
                else:
                    handler(self, negated)
            negated = False

    def rule(self) -> LiveRule:
        """What was read."""
        if (self._start is not None or self._stop is not None) and "--kerneltz" not in self._words:
            self._conditions.append(Period(self._start, self._stop))
        return LiveRule(
            self._line, self._protocol, self._all_ports(), tuple(self._conditions), self._target, self._comment,
            self._goes, self._value, self._states, self._icmp, tuple(self._doubts),
        )  # fmt: skip

    def _all_ports(self) -> PortSet:
        protocol, wanted = self._protocol, self._wanted
        if self._never:
            return NO_PORTS
        if self._not_protocol:
            return _NOT.get(protocol, ALL_PORTS)
        if wanted is None:
            return _BY_PROTOCOL.get(protocol, NO_PORTS)
        if protocol not in {"tcp", "udp"}:
            if protocol == "any":
                raise NotARuleError("it asks for ports without `-p tcp` or `-p udp`")
            return NO_PORTS
        return self._reader.ports(protocol, wanted)

    def _next(self, option: str) -> str:
        if self._at >= len(self._words):
            raise NotARuleError(f"`{option}` has no value")
        self._at += 1
        return self._words[self._at - 1]

    def _rest_of_option(self) -> list[str]:
        """The words up to the next option."""
        start = self._at
        words = self._words
        while self._at < len(words) and not words[self._at].startswith("-") and words[self._at] != "!":
            self._at += 1
        return words[start : self._at]

    def _unknown(self, word: str) -> None:
        if not word.startswith("-"):
            raise NotARuleError(f"`{word}` is no option")
        said = " ".join([word, *self._rest_of_option()])
        self._doubts.append(f"`{said}` is a condition that is not understood")

    def _read_target(self) -> None:
        """The options of the target, of which few matter.

        Conditions may stand behind the target, too (measured); iptables-save writes them before it.
        """
        words = self._words[self._at :]
        if any(word in _OPTIONS or word in _WORD_BEFORE or word == "!" for word in words):
            self._doubts.append("conditions behind the target are not understood")
        if self._target == "SET":
            pairs = pairwise(words)
            self._value = "\n".join(name for option, name in pairs if option in {"--add-set", "--del-set", "--map-set"})
            return
        if self._target == "CT" and "--notrack" in words:
            self._value = "notrack"
            return
        for option in ("--to-ports", "--to-destination", "--on-port"):
            if option in words and words.index(option) + 1 < len(words):
                self._value = words[words.index(option) + 1]

    # -- the options

    def protocol_is(self, negated: bool) -> None:  # noqa: FBT001 - the word before it
        text = self._next("-p").lower()
        self._protocol = _PROTOCOLS.get(text, "other")
        if self._protocol == "other" and text not in _OTHERS and not _NUMBER.fullmatch(text):
            self._protocol = "any"
            self._doubts.append(f"the protocol `{text}` is not understood")
            return
        self._not_protocol = negated

    def source(self, negated: bool) -> None:  # noqa: FBT001
        self._at_address(self._next("-s"), negated, is_source=True)

    def destination(self, negated: bool) -> None:  # noqa: FBT001
        self._at_address(self._next("-d"), negated, is_source=False)

    def _at_address(self, text: str, negated: bool, *, is_source: bool) -> None:  # noqa: FBT001
        found = self._reader.at(text, is_source=is_source, negated=negated)
        if found is None:
            self._doubts.append(f"the netmask of `{text}` is no prefix")
        else:
            self._conditions.append(found)

    def source_range(self, negated: bool) -> None:  # noqa: FBT001
        self._range(negated, is_source=True)

    def destination_range(self, negated: bool) -> None:  # noqa: FBT001
        self._range(negated, is_source=False)

    def _range(self, negated: bool, *, is_source: bool) -> None:  # noqa: FBT001
        text = self._next("--dst-range")
        found = self._reader.range_at(text, is_source=is_source, negated=negated)
        if found is None:
            self._doubts.append(f"`{text}` is no range of addresses that is understood")
        else:
            self._conditions.append(found)

    def comes_in(self, negated: bool) -> None:  # noqa: FBT001
        self._conditions.append(self._reader.shared(Interface(self._next("-i"), True, negated)))  # noqa: FBT003

    def out(self, negated: bool) -> None:  # noqa: FBT001
        self._conditions.append(self._reader.shared(Interface(self._next("-o"), False, negated)))  # noqa: FBT003

    def to_ports(self, negated: bool) -> None:  # noqa: FBT001
        found = _ports_of(self._next("--dport"))
        if negated:
            found = ranges.difference(_EVERY, found)
        self._wanted = found if self._wanted is None else ranges.intersection(self._wanted, found)

    def from_ports(self, negated: bool) -> None:  # noqa: FBT001
        text = self._next("--sport")
        if negated or _ports_of(text) != _EVERY:
            self._doubts.append(f"it is for some source ports only ({text})")

    def either_ports(self, negated: bool) -> None:  # noqa: FBT001, ARG002
        self._doubts.append(f"it is for some source or destination ports only ({self._next('--ports')})")

    def set(self, negated: bool) -> None:  # noqa: FBT001
        name, sides = self._next("--match-set"), self._next("--match-set")
        if "--return-nomatch" in self._words:
            # What the set excludes matches then, and nothing else.
            self._doubts.append(f"it is for what the set `{name}` excludes (--return-nomatch)")
        elif sides in {"dst", "src"}:
            self._conditions.append(self._reader.shared(InSet(name, sides == "src", negated)))
        else:
            self._doubts.append(f"the set `{name}` is asked for `{sides}`, which is not understood")

    def uid(self, negated: bool) -> None:  # noqa: FBT001
        self._conditions.append(self._reader.shared(User(self._next("--uid-owner"), negated)))

    def path(self, negated: bool) -> None:  # noqa: FBT001
        self._conditions.append(self._reader.shared(ControlGroup(path_of(self._next("--path")), negated)))

    def state(self, negated: bool) -> None:  # noqa: FBT001
        held = frozenset(self._next("--ctstate").upper().split(","))
        if held & {"SNAT", "DNAT"} and "NEW" not in held:
            self._doubts.append("it asks for translated connections")
            return
        if negated:
            held = frozenset({"NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"}) - held
        self._states = held if self._states is None else self._states & held

    def flags(self, negated: bool) -> None:  # noqa: FBT001
        found = (self._next("--tcp-flags"), self._next("--tcp-flags"))
        if found != _OPENING:
            self._doubts.append(f"it is for some TCP flags only ({' '.join(found)})")
        elif negated:
            self._never = True

    def syn(self, negated: bool) -> None:  # noqa: FBT001
        self._never = self._never or negated

    def icmp_type(self, negated: bool) -> None:  # noqa: FBT001
        self._icmp = self._next("--icmpv6-type") if not negated else "?"

    def said(self, negated: bool) -> None:  # noqa: FBT001, ARG002
        self._comment = self._next("--comment")

    def date_start(self, negated: bool) -> None:  # noqa: FBT001, ARG002
        self._start = self._time("--datestart")

    def date_stop(self, negated: bool) -> None:  # noqa: FBT001, ARG002
        self._stop = self._time("--datestop")

    def _time(self, option: str) -> datetime | None:
        text = self._next(option)
        try:
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            self._doubts.append(f"`{text}` is no time that is understood")
            return None

    def limit(self, negated: bool) -> None:  # noqa: FBT001, ARG002
        self._doubts.append(f"it matches so many packets only ({self._next('--limit')})")

    def burst(self, negated: bool) -> None:  # noqa: FBT001, ARG002
        self._next("--limit-burst")


_OPTIONS: Final = {
    "-p": _Reading.protocol_is, "--protocol": _Reading.protocol_is,
    "-s": _Reading.source, "--source": _Reading.source, "--src": _Reading.source,
    "-d": _Reading.destination, "--destination": _Reading.destination, "--dst": _Reading.destination,
    "-i": _Reading.comes_in, "--in-interface": _Reading.comes_in, "-o": _Reading.out, "--out-interface": _Reading.out,
    "--dport": _Reading.to_ports, "--destination-port": _Reading.to_ports,
    "--dports": _Reading.to_ports, "--destination-ports": _Reading.to_ports,
    "--sport": _Reading.from_ports, "--source-port": _Reading.from_ports,
    "--sports": _Reading.from_ports, "--source-ports": _Reading.from_ports, "--ports": _Reading.either_ports,
    "--src-range": _Reading.source_range, "--dst-range": _Reading.destination_range,
    "--match-set": _Reading.set, "--uid-owner": _Reading.uid, "--path": _Reading.path,
    "--ctstate": _Reading.state, "--state": _Reading.state,
    "--tcp-flags": _Reading.flags, "--syn": _Reading.syn,
    "--icmpv6-type": _Reading.icmp_type, "--icmp-type": _Reading.icmp_type,
    "--comment": _Reading.said, "--datestart": _Reading.date_start, "--datestop": _Reading.date_stop,
    "--limit": _Reading.limit, "--limit-burst": _Reading.burst,
}  # fmt: skip

_PORTS: Final = re.compile(r"([0-9]{1,5})(?::([0-9]{1,5}))?")


def _ports_of(text: str) -> Ranges:
    """Ports as `--dport` and `--dports` take them; port 0 is no port of a flow."""
    found = []
    for each in text.split(","):
        known = _PORTS.fullmatch(each)
        if known is None:
            raise NotARuleError(f"`{each}` is no port")
        first, last = int(known[1]), int(known[2] or known[1])
        if last > LAST_PORT or first > last:
            raise NotARuleError(f"`{each}` is no range of ports")
        if last:
            found.append((max(first, FIRST_PORT), last))
    return ranges.merged(found)
