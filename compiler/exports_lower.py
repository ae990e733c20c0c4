"""From what a policy wants in a list to the lines that a format can say, with a step for every difference."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, parse_addresses, union_of
from egressc.anything import ANY
from egressc.diagnostics import Level
from egressc.exports import (
    ANY_NAME,
    ANY_PORT,
    Abilities,
    Addresses,
    Dialect,
    Entry,
    Exact,
    Inner,
    Line,
    ListStep,
    Lowered,
    Ports,
    Shape,
)  # fmt: skip
from egressc.exports_octets import compared_as_text, octets, octets_text
from egressc.exports_whole import whole
from egressc.flows import Flow
from egressc.hosts import HostPattern, apex
from egressc.policy import AddressEndpoint, HostEndpoint, TagEndpoint
from egressc.ranges import size
from egressc.reach import Reach
from egressc.reasons import Effect, Reason
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.addresses import Family
    from egressc.ranges import Ranges

MANY_PORTS = 64
"""So many ports at most are spelled out one by one (the architecture's table of reasons, ``ports``)."""

DEFAULT_PORTS = (80, 443)
"""The ports of http and https, which a URL does not spell."""

MORE_LABELS = 4
"""How many more labels a star is followed through that also stands for dots; said in the step's sentence."""

SMALL = 16
"""The size of a network, a /28, that is spelled address by address as well (targets/proxy-bypass.md, section 5)."""


@dataclass(frozen=True)
class _State:
    """An entry by name on its way: what it matches by now, and how it is to be spelled."""

    shape: Shape
    pattern: HostPattern
    matched: tuple[HostPattern, ...]
    ports: Ranges
    path: str | None
    exceptions: tuple[HostEndpoint, ...]
    unmatched: tuple[HostPattern, ...] = ()

    @cached_property
    def reach(self) -> Reach:
        inside = tuple([HostEndpoint(each, self.path) for each in self.matched])
        out = (*self.exceptions, *(HostEndpoint(each) for each in self.unmatched))
        return Reach(ANY, ANY, inside, out, PortSet(self.ports))


def lower(entries: Iterable[Entry], dialect: Dialect) -> tuple[Lowered, ...]:
    """The entries as the format says them where it is read so; nothing is minimised yet."""
    if dialect.abilities.whole:
        return whole(entries, f" ({dialect.name})" if dialect.name else "")
    return tuple([_lower(entry, dialect) for entry in entries])


def _lower(entry: Entry, dialect: Dialect) -> Lowered:
    match entry.what:
        case HostPattern():
            return _by_name(entry, entry.what, dialect)
        case AddressSet():
            return _by_address(entry, entry.what, dialect)
        case TagEndpoint():
            return _tag(entry, entry.what)


def _tag(entry: Entry, tag: TagEndpoint) -> Lowered:
    before = Reach(ANY, ANY, (tag,), (), PortSet(entry.ports))
    sentence = f"nobody knows the addresses of `{tag.text}` here: name Azure's file as `service-tags` in the inventory"
    return Lowered(entry, (), (ListStep(Reason.ADDRESS, Effect.NARROWER, sentence, before, None),))


def _by_name(entry: Entry, pattern: HostPattern, dialect: Dialect) -> Lowered:
    able, whose = dialect.abilities, f" ({dialect.name})" if dialect.name else ""
    steps: list[ListStep] = []
    state = _State(_shape(pattern), pattern, (pattern,), entry.ports, entry.path, entry.exceptions)

    def step(reason: Reason, effect: Effect, sentence: str, new: _State | None, level: Level | None = None) -> None:
        after = None if new is None else new.reach
        steps.append(ListStep(reason, effect, f"{sentence}{whose}", state.reach, after, level))

    if not able.names:
        named = "any name" if pattern == ANY_NAME else f"`{pattern.text}`"
        step(Reason.NO_NAMES, Effect.NARROWER, _not_here(f"{named} is no address", able), None, _lost_level(able))
        return Lowered(entry, (), tuple(steps))
    every = Reach(ANY, ANY, (AddressEndpoint(ALL),), (), PortSet(entry.ports))
    if pattern == ANY_NAME:
        if not able.everything:
            step(Reason.NO_NAMES, Effect.NARROWER, "the list cannot say that whatever is asked for is meant", None)
            return Lowered(entry, (), tuple(steps))
        sentence = f"what stands for every name stands for every address, too{whose}"
        steps.append(ListStep(Reason.EXCEPT, Effect.WIDER, sentence, replace(every, endpoints=()), every))
    if state.path is not None and not (able.tls_path or (able.path and entry.plain)):
        new = replace(state, path=None)
        why = "the list knows no paths" if entry.plain else "the path of https is invisible"
        step(Reason.PATH, Effect.WIDER, f"{why}: the whole of `{pattern.text}`", new)
        state = new
    if state.exceptions and not able.exceptions:
        new = replace(state, exceptions=())
        left_out = " ".join(f"`{each.text}`" for each in state.exceptions[:3])
        more = f" and {len(state.exceptions) - 3} more" if len(state.exceptions) > 3 else ""
        step(Reason.EXCEPT, Effect.WIDER, f"the list cannot leave out {left_out}{more}", new)
        state = new
    if not (able.tls_path or (able.path and entry.plain)):
        unseen = tuple([each for each in state.exceptions if each.path is not None])
        if unseen:
            new = replace(state, exceptions=tuple([each for each in state.exceptions if each.path is None]))
            sentence = f"the list does not see the path of what is left out, `{unseen[0].text}`"
            step(Reason.EXCEPT, Effect.WIDER, sentence, new)
            state = new
    if state.shape is Shape.INNER and able.inner is Inner.NO:
        wide = HostPattern(pattern.tail, deep=True)
        new = replace(state, shape=Shape.BELOW, pattern=wide, matched=(wide,))
        step(Reason.LABEL_WILDCARD, Effect.WIDER, f"`{pattern.text}` becomes `{wide.text}`", new)
        state = new
    elif state.shape is Shape.INNER and able.inner is Inner.LABELS:
        state = _whole_labels(state, able, steps, whose)
    elif state.shape is Shape.INNER and able.inner is Inner.GLOB:
        crossed = _crossed(pattern, able)
        if crossed != state.matched:
            new = replace(state, matched=crossed)
            step(Reason.DEPTH, Effect.WIDER, f"the star of `{pattern.text}` also stands for dots", new)
            state = new
    if state.shape is Shape.EXACT and able.exact is Exact.BELOW:
        new = replace(state, matched=(pattern, HostPattern(pattern.labels, deep=True)))
        step(Reason.DEPTH, Effect.WIDER, f"`{pattern.text}` stands for every name below it, too", new)
        state = new
    if state.shape is Shape.BELOW:
        state = _below(state, able, steps, whose)
    ports, told = _ports(state.ports, able.ports)
    if told:
        new = replace(state, ports=ANY_PORT)
        step(Reason.PORTS, Effect.WIDER, told, new, Level.WARNING)
        if pattern == ANY_NAME:
            any_port = replace(every, ports=PortSet(ANY_PORT))
            steps.append(ListStep(Reason.PORTS, Effect.WIDER, f"{told}{whose}", every, any_port, Level.WARNING))
        state = new
    lines = [
        Line(
            state.shape, state.pattern, None, some, entry.rules, state.path, entry.plain and _has_path(state),
            state.exceptions, state.matched, state.unmatched,
        )
        for some in ports
    ]  # fmt: skip
    return Lowered(entry, tuple(lines), tuple(steps))


def _has_path(state: _State) -> bool:
    """True if a path must be seen to tell what is meant."""
    return state.path is not None or any(each.path is not None for each in state.exceptions)


def _below(state: _State, able: Abilities, steps: list[ListStep], whose: str) -> _State:
    """``*.d`` as the format says it: with its domain, or only so many labels deep."""
    base = apex(state.pattern)
    if able.below is Exact.APEX:
        new = replace(state, matched=(*state.matched, base))
        sentence = f"`{state.pattern.text}` stands for `{base.text}`, too{whose}"
        steps.append(ListStep(Reason.APEX, Effect.WIDER, sentence, state.reach, new.reach))
        state = new
    if able.levels is not None:
        new = replace(state, unmatched=deeper(state.pattern, able.levels))
        sentence = f"`{state.pattern.text}` stands for names of {able.levels} more labels at most{whose}"
        steps.append(ListStep(Reason.DEPTH, Effect.NARROWER, sentence, state.reach, new.reach, Level.NOTE))
        state = new
    return state


def deeper(pattern: HostPattern, levels: int) -> tuple[HostPattern, ...]:
    """The names of a ``*.`` pattern with more labels before the domain than these."""
    return (HostPattern((*("*",) * levels, *pattern.labels), deep=True),)


def _whole_labels(state: _State, able: Abilities, steps: list[ListStep], whose: str) -> _State:
    """A pattern whose wildcards are whole labels, not too many of them side by side."""
    pattern = state.pattern
    whole = HostPattern(tuple(["*" if "*" in label else label for label in pattern.labels]), pattern.deep)
    if whole != pattern:
        new = replace(state, pattern=whole, matched=(whole,))
        sentence = f"`{pattern.text}` becomes `{whole.text}`: any label{whose}"
        steps.append(ListStep(Reason.LABEL_WILDCARD, Effect.WIDER, sentence, state.reach, new.reach))
        state = new
    after = _after_long_run(whole, able.together)
    if after:
        wide = HostPattern(whole.labels[after:], deep=True)
        new = replace(state, shape=Shape.BELOW, pattern=wide, matched=(wide,))
        sentence = f"`{whole.text}` has more than {able.together} labels in a row that are any: `{wide.text}`{whose}"
        steps.append(ListStep(Reason.DEPTH, Effect.WIDER, sentence, state.reach, new.reach))
        state = new
    return state


def _after_long_run(pattern: HostPattern, most: int | None) -> int:
    """Where the labels begin that follow too many wildcards side by side; 0 if there are none such."""
    run = after = 0
    for at, label in enumerate(pattern.labels):
        run = run + 1 if label == "*" else 0
        if most is not None and run > most:
            after = at + 1
    return after


def _crossed(pattern: HostPattern, able: Abilities) -> tuple[HostPattern, ...]:
    """What a glob of the same spelling matches whose star also stands for dots; so many more labels are followed.

    Where the spelling of a host stands for the names below it, that of a glob does, too.
    """
    found = crossing(pattern.text)
    if able.exact is Exact.BELOW and not pattern.deep:
        found = (*found, *crossing(f"*.{pattern.text}"))
    return found


def crossing(text: str) -> tuple[HostPattern, ...]:
    """The patterns that a glob stands for whose star also stands for dots, ``MORE_LABELS`` more labels at most.

    ``a*.d`` is ``a*.d``, ``a*.*.d``, ``a*.*.*.d`` … A leading ``*.`` stands for any number of labels anyway. Several
    stars share the further labels among them.
    """
    found: dict[HostPattern, None] = {}
    lead, rest = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    pieces = rest.split("*")

    def grow(at: int, made: str, left: int) -> None:
        if at == len(pieces):
            found[HostPattern(tuple(made.split(".")), deep=bool(lead))] = None
            return
        # Each star is a run within one label, or the end of one label, some whole labels, and the start of another.
        for more in range(left + 1):
            star = "*" if more == 0 else "*." + "*." * (more - 1) + "*"
            grow(at + 1, f"{made}{star}{pieces[at]}", left - more)

    grow(1, pieces[0], MORE_LABELS)
    return tuple(found)


def _ports(ports: Ranges, able: Ports) -> tuple[tuple[Ranges, ...], str]:
    """The ports as lines say them, and why they become any port (empty: they do not)."""
    if ports == ANY_PORT or able is Ports.RANGES:
        return (ports,), ""
    if able is Ports.NO:
        return (ANY_PORT,), f"the list knows no ports: any port in place of {PortSet(ports).text}"
    if able is Ports.SPELLED and any(first <= port <= last for first, last in ports for port in DEFAULT_PORTS):
        return (ANY_PORT,), f"the list knows no port that a URL leaves out: any port in place of {PortSet(ports).text}"
    if size(ports) > MANY_PORTS:
        return (
            ANY_PORT,
        ), f"the list says one port on a line, and these are many: any in place of {PortSet(ports).text}"
    return tuple([((port, port),) for first, last in ports for port in range(first, last + 1)]), ""


def _by_address(entry: Entry, addresses: AddressSet, dialect: Dialect) -> Lowered:
    able, whose = dialect.abilities, f" ({dialect.name})" if dialect.name else ""
    steps: list[ListStep] = []
    if addresses == ALL and able.everything:
        # Whatever stands for every name stands for these, too: the entry beside this one says it.
        return Lowered(entry, (), ())
    said: list[AddressSet] = []
    families: tuple[tuple[Family, Addresses], ...] = ((4, able.v4), (6, able.v6))
    for family, how in families:
        own = addresses.family(family)
        if own.is_empty:
            continue
        pieces, lost = spelled(own, family, how)
        said += pieces
        if lost:
            gone = Reach(ANY, ANY, (AddressEndpoint(union_of(lost)),), (), PortSet(entry.ports))
            other = able.v4 if family == 6 else able.v6
            by_family = how is Addresses.NO and other is not Addresses.NO
            reason = Reason.FAMILY if by_family else Reason.ADDRESS
            sentence = f"{_not_here(f'the list cannot say `{union_of(lost).text}`', able)}{whose}"
            steps.append(ListStep(reason, Effect.NARROWER, sentence, gone, None, _lost_level(able)))
    left = Reach(ANY, ANY, (AddressEndpoint(addresses),), (), PortSet(entry.ports))
    ports, told = _ports(entry.ports, able.ports if able.address_ports is None else able.address_ports)
    if told and said:
        wide = Reach(ANY, ANY, left.endpoints, (), PortSet(ANY_PORT))
        steps.append(ListStep(Reason.PORTS, Effect.WIDER, f"{told}{whose}", left, wide, Level.WARNING))
    globs = [piece for piece in said if piece.size > 1] if able.v4 is Addresses.OCTETS else []
    if globs:
        steps.append(compared_as_text(octets_text(globs[0]), left, ports[0][0][0], whose))
    if said and not able.resolves:
        steps.append(by_literal(addresses, entry.ports, left, whose))
    lines = [Line(Shape.ADDRESS, None, piece, some, entry.rules) for piece in said for some in ports]
    return Lowered(entry, tuple(lines), tuple(steps))


def _not_here(what: str, able: Abilities) -> str:
    return f"{what}: {able.elsewhere}" if able.elsewhere else what


def _lost_level(able: Abilities) -> Level | None:
    """A note where what this list does not say is elsewhere."""
    return Level.NOTE if able.elsewhere else None


def by_literal(addresses: AddressSet, ports: Ranges, reach: Reach, whose: str) -> ListStep:
    """The step of a list that compares an address only with what a client asks for."""
    sentence = f"`{addresses.text}` is matched where a client asks for the address itself, not for a name{whose}"
    flow = Flow(None, None, "a.example", None, addresses.first(), None, "tcp", ports[0][0])
    return ListStep(Reason.ADDRESS, Effect.NARROWER, sentence, reach, reach, Level.NOTE, flow)


def spelled(own: AddressSet, family: Family, how: Addresses) -> tuple[list[AddressSet], list[AddressSet]]:
    """Addresses of one IP version in the pieces that a format says, and those that it cannot say."""
    match how:
        case Addresses.NO:
            return [], [own]
        case Addresses.RANGES:
            return [read(f"{a}-{b}" if a != b else a) for a, b in own.ranges(family)], []
        case Addresses.NETWORKS:
            return [read(each) for each in own.cidrs(family)], []
    said: list[AddressSet] = []
    lost: list[AddressSet] = []
    for text in own.cidrs(family):
        network = read(text)
        if how is Addresses.NETWORKS_AND_LITERALS:
            said.append(network)
            if 1 < network.size <= SMALL:
                said += one_by_one(network, family)
        elif how is Addresses.SINGLE:
            some = one_by_one(network, family) if network.size <= SMALL else None
            said += some or []
            lost += [] if some else [network]
        else:
            pieces = octets(network)
            said += pieces or []
            lost += [] if pieces else [network]
    return said, lost


def one_by_one(network: AddressSet, family: Family) -> list[AddressSet]:
    """The addresses of a small network, each alone."""
    ranges = network.v4 if family == 4 else network.v6
    return [_one(family, value) for first, last in ranges for value in range(first, last + 1)]


def _one(family: Family, value: int) -> AddressSet:
    return AddressSet(((value, value),), ()) if family == 4 else AddressSet((), ((value, value),))


def read(text: str) -> AddressSet:
    """Addresses that were spelled by egressc itself."""
    found = parse_addresses(text)
    assert isinstance(found, AddressSet), text
    return found


def _shape(pattern: HostPattern) -> Shape:
    if pattern == ANY_NAME:
        return Shape.EVERYTHING
    if not pattern.is_tree:
        return Shape.INNER
    return Shape.BELOW if pattern.deep else Shape.EXACT
