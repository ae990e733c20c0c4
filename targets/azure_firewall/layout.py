"""Rules to rule collection groups: bands of priorities, split by policy, then by size.

Of the 1,000 reserved priorities +0..199 hold the denies of all policies, +200..399 the allows that are exempted from
inspection, +400..899 the other allows (behind them those that are merely not inspected), +900..998 the allows with
exceptions, and +999 the closing deny. Inside a band no order counts, except among pairs, which come in theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.targets.azure_firewall.draft import Band, Form
from egressc.targets.azure_firewall.limits import LARGEST_PRIORITY, MOST_BYTES, RESERVED_PRIORITIES, WARN_BYTES
from egressc.targets.azure_firewall.model import RuleCollection, RuleCollectionGroup, Verdict
from egressc.targets.azure_firewall.names import collection_name, group_name
from egressc.targets.azure_firewall.size import group_overhead, rule_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egressc.site import BoundRule
    from egressc.targets.azure_firewall.model import Rule

_SLOTS = {
    Band.DENY: (0, 200),
    Band.EXEMPT: (200, 200),
    Band.ALLOW: (400, 500),
    Band.UNINSPECTED: (400, 500),
    Band.EXCEPT: (900, 99),
    Band.CLOSING: (RESERVED_PRIORITIES - 1, 1),
}
"""The first priority of each band, counted from the setting, and how many there are; two bands share one range."""

_STEP = 100
"""Between the priorities of the collections of a group, so that one can be put between two by hand in an emergency."""

_KINDS = (
    (Form.NETWORK, Verdict.DENY, "net-deny"),
    (Form.NETWORK, Verdict.ALLOW, "net-allow"),
    (Form.APPLICATION, Verdict.DENY, "app-deny"),
    (Form.APPLICATION, Verdict.ALLOW, "app-allow"),
)
"""The four collections of a group, in the order of their priorities."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule and where it belongs. ``origin`` is the policy's rule that it says; ``None`` for the closing deny."""

    band: Band
    policy: str
    form: Form
    action: Verdict
    rule: Rule
    origin: BoundRule | None


@dataclass(frozen=True, slots=True)
class Pair:
    """The denies of exceptions and the allows below them: collections that stand together in this order."""

    band: Band
    policy: str
    collections: tuple[tuple[Form, Verdict, tuple[Rule, ...]], ...]
    origin: BoundRule


@dataclass(frozen=True, slots=True)
class Laid:
    """A group with its place and size: ``slot`` is its priority less the first; ``origin`` a policy's rule in it."""

    group: RuleCollectionGroup
    band: Band
    slot: int
    size: int
    origin: BoundRule | None


def lay_out(entries: Iterable[Entry], pairs: Iterable[Pair], prefix: str, priority: int, most: int) -> tuple[Laid, ...]:
    """The groups in the order of their priorities.

    They are split below the size that every policy takes; only if that makes more than ``most`` of them, below the
    size that is refused. A group larger than that holds one rule. Slots may run over the end of a band: that is for the
    caller to refuse.
    """
    plain = tuple(entries)
    paired = tuple(pairs)
    small = _laid(plain, paired, prefix, priority, WARN_BYTES)
    return small if len(small) <= most else _laid(plain, paired, prefix, priority, MOST_BYTES)


def _laid(
    plain: tuple[Entry, ...], pairs: tuple[Pair, ...], prefix: str, priority: int, limit: int
) -> tuple[Laid, ...]:
    shelves: dict[tuple[Band, str], list[Entry]] = {}
    for entry in plain:
        shelves.setdefault((entry.band, entry.policy), []).append(entry)
    used = dict.fromkeys(Band, 0)
    result = []
    for band in Band:
        policies = sorted(policy for b, policy in shelves if b is band)
        for policy in policies:
            for number, (chunk, size) in enumerate(_chunks(shelves[band, policy], limit), 1):
                name = group_name(prefix, band.value, policy, number) if policy else f"{prefix}-closing-deny"
                slot = _slot(band, used)
                group = RuleCollectionGroup(name, priority + slot, _of_entries(chunk))
                result.append(Laid(group, band, slot, size, chunk[0].origin))
        mine = [pair for pair in pairs if pair.band is band]
        word = "exempt.except" if band is Band.EXEMPT else band.value
        numbers: dict[str, int] = {}
        for policy, some in _runs(mine, limit):
            numbers[policy] = numbers.get(policy, 0) + 1
            slot = _slot(band, used)
            collections, size = _of_pairs(some)
            group = RuleCollectionGroup(group_name(prefix, word, policy, numbers[policy]), priority + slot, collections)
            result.append(Laid(group, band, slot, size, some[0].origin))
    return tuple(result)


def _slot(band: Band, used: dict[Band, int]) -> int:
    """The next free priority of a band; what is not inspected stands behind all other allows."""
    first, _ = _SLOTS[band]
    taken = used[Band.ALLOW] + used[Band.UNINSPECTED] if band is Band.UNINSPECTED else used[band]
    used[band] += 1
    return first + taken


def overflows(laid: Laid) -> bool:
    """True if a group stands outside its band."""
    first, count = _SLOTS[laid.band]
    return laid.slot >= first + count


def band_size(band: Band) -> int:
    """How many groups a band has room for."""
    return _SLOTS[band][1]


def _chunks(entries: list[Entry], limit: int) -> Iterator[tuple[list[Entry], int]]:
    """The entries in runs that make groups below the limit, each with the size of its group."""
    overhead = group_overhead(tuple(name for _, _, name in _KINDS))
    chunk: list[Entry] = []
    size = overhead
    for entry in entries:
        more = rule_size(entry.rule)
        if chunk and size + more > limit:
            yield chunk, size
            chunk, size = [], overhead
        chunk.append(entry)
        size += more
    if chunk:
        yield chunk, size


def _of_entries(entries: list[Entry]) -> tuple[RuleCollection, ...]:
    collections = []
    for at, (form, action, name) in enumerate(_KINDS, 1):
        rules = tuple([e.rule for e in entries if e.form is form and e.action is action])
        if rules:
            collections.append(RuleCollection(name, at * _STEP, action, rules))
    return tuple(collections)


def _size(collections: Iterable[RuleCollection]) -> int:
    held = tuple(collections)
    return group_overhead(tuple(c.name for c in held)) + sum([rule_size(rule) for c in held for rule in c.rules])


def _runs(pairs: list[Pair], limit: int) -> Iterator[tuple[str, list[Pair]]]:
    """Pairs that follow each other and belong to one policy, as far as the size and the priorities reach."""
    run: list[Pair] = []
    size = collections = 0
    for pair in pairs:
        more = _size(_pair_collections(pair, 0))
        full = size + more > limit or (collections + len(pair.collections)) * _STEP > LARGEST_PRIORITY
        if run and (full or run[0].policy != pair.policy):
            yield run[0].policy, run
            run, size, collections = [], 0, 0
        run.append(pair)
        size += more
        collections += len(pair.collections)
    if run:
        yield run[0].policy, run


def _pair_collections(pair: Pair, start: int) -> list[RuleCollection]:
    words = {(form, action): word for form, action, word in _KINDS}
    name = pair.collections[-1][2][0].name
    return [
        RuleCollection(collection_name(words[form, action], name), (start + at) * _STEP, action, rules)
        for at, (form, action, rules) in enumerate(pair.collections, 1)
    ]


def _of_pairs(pairs: list[Pair]) -> tuple[tuple[RuleCollection, ...], int]:
    collections: list[RuleCollection] = []
    for pair in pairs:
        collections.extend(_pair_collections(pair, len(collections)))
    return tuple(collections), _size(collections)
