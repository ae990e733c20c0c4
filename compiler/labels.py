"""Label globs: one label of a host name, in which ``*`` stands for any run of characters, also none.

A label is 1 to 63 characters of ``[a-z0-9_-]`` with no hyphen at either end. All answers are exact for that language:
``a*`` and ``*a`` share the label ``a``, and nothing matches ``-*``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_LABEL = 63
"""The most characters that a label may have (RFC 1035, section 2.3.4)."""

_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789_-"
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def is_label(text: str) -> bool:
    """True if the text is a label in normal form."""
    return _LABEL.fullmatch(text) is not None


def glob_matches(glob: str, label: str) -> bool:
    """True if the label is one that the glob stands for. ``label`` is a valid label."""
    if "*" not in glob:
        return glob == label
    if glob == "*":
        return True
    first, *middle, last = glob.split("*")
    if len(label) < len(first) + len(last) or not label.startswith(first) or not label.endswith(last):
        return False
    at, end = len(first), len(label) - len(last)
    for piece in middle:
        found = label.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def shortest(glob: str) -> int:
    """The length of the shortest label that the glob stands for, whatever the limit says; 0 when there is none."""
    if "*" not in glob:
        return len(glob) if glob and glob[0] != "-" and glob[-1] != "-" else 0
    if glob[0] == "-" or glob[-1] == "-":
        return 0
    literal = glob.replace("*", "")
    if not literal:
        return 1
    # A hyphen next to an outer star needs a character between itself and the end of the label.
    return len(literal) + (glob[0] == "*" and literal[0] == "-") + (glob[-1] == "*" and literal[-1] == "-")


def globs_intersect(a: str, b: str) -> bool:
    """True if some label is matched by both globs."""
    if "*" not in a:
        return is_label(a) and glob_matches(b, a)
    if "*" not in b:
        return is_label(b) and glob_matches(a, b)
    return bool(choices((a, b), ()))


@lru_cache(maxsize=65536)
def choices(inside: tuple[str, ...], outside: tuple[str, ...]) -> tuple[tuple[str, frozenset[str]], ...]:
    """Labels that match every glob of ``inside``, each with the globs of ``outside`` that it matches too.

    Not all labels, but one for each way that is worth choosing: for every label there is one in the answer that is not
    longer and whose matched globs are not more. Empty when nothing matches ``inside``. Shortest first.
    """
    literal = next((g for g in inside if "*" not in g), None)
    if literal is not None:
        if not is_label(literal) or not all(glob_matches(g, literal) for g in inside):
            return ()
        return ((literal, frozenset(g for g in outside if glob_matches(g, literal))),)
    wild_inside = tuple(dict.fromkeys(g for g in inside if g != "*"))
    wild_outside = tuple(dict.fromkeys(g for g in outside if "*" in g))
    literals = frozenset(g for g in outside if "*" not in g)
    if len(wild_outside) == 1 and not literals and len(inside) <= 1:
        forced = frozenset[str]()  # the search itself is the test
    else:
        forced = frozenset(g for g in wild_outside if _always(wild_inside, g))
    return _search(wild_inside, tuple(g for g in wild_outside if g not in forced), literals, forced)


def _always(inside: Sequence[str], outside: str) -> bool:
    """True if a label that matches one of ``inside`` surely matches ``outside``."""
    if outside == "*" or outside in inside:
        return True
    return any(all(matched for _, matched in choices((glob,), (outside,))) for glob in inside)


def _search(
    inside: tuple[str, ...], outside: tuple[str, ...], literals: frozenset[str], forced: frozenset[str]
) -> tuple[tuple[str, frozenset[str]], ...]:
    """The answer of ``choices`` by breadth-first search over the product of the globs' automata.

    Breadth first, so the first label found in a state is the shortest one, and a state need not be visited again. The
    literals share one automaton: the label so far, as long as it begins one of them.
    """
    prefixes = {text[:i] for text in literals for i in range(len(text) + 1)}
    alphabet = _relevant((*inside, *outside, *literals))
    start = tuple(_closure(g, 1) for g in (*inside, *outside))
    split = len(inside)
    finals = tuple(1 << len(g) for g in (*inside, *outside))
    globs = (*inside, *outside)
    level: list[tuple[str, tuple[int, ...]]] = [("", start)]
    seen: set[tuple[tuple[int, ...], str | None, bool]] = set()
    found: list[tuple[str, frozenset[str]]] = []
    for _ in range(LONGEST_LABEL):
        following = []
        for text, masks in level:
            for char in alphabet:
                if char == "-" and not text:
                    continue
                moved = tuple([_step(g, m, char) if m else 0 for g, m in zip(globs, masks, strict=True)])
                if not all(moved[:split]):
                    continue
                label = text + char
                state = (moved, label if label in prefixes else None, char == "-")
                if state in seen:
                    continue
                seen.add(state)
                following.append((label, moved))
                if char == "-" or any(not m & f for m, f in zip(moved[:split], finals, strict=False)):
                    continue
                matched = {g for g, m, f in zip(outside, moved[split:], finals[split:], strict=True) if m & f}
                if label in literals:
                    matched.add(label)
                if not any(other <= matched for _, other in found):
                    found.append((label, frozenset(matched)))
                    if not matched:
                        return tuple((text, names | forced) for text, names in found)
        level = following
    return tuple((text, names | forced) for text, names in found)


def _relevant(globs: tuple[str, ...]) -> str:
    """The characters worth trying: those that some glob names, the hyphen, and one that stands for all others."""
    named = set("".join(globs))
    other = next((c for c in _ALPHABET if c not in named and c != "-"), "")
    return "".join(c for c in _ALPHABET if c in named or c in {other, "-"})


def _closure(glob: str, mask: int) -> int:
    """The positions of a glob's automaton that can be reached from ``mask`` without a character."""
    for i, char in enumerate(glob):
        if char == "*" and mask >> i & 1:
            mask |= 1 << (i + 1)
    return mask


@lru_cache(maxsize=65536)
def _step(glob: str, mask: int, char: str) -> int:
    """The positions of a glob's automaton after one more character."""
    moved = 0
    for i, expected in enumerate(glob):
        if mask >> i & 1:
            if expected == "*":
                moved |= 1 << i
            elif expected == char:
                moved |= 1 << (i + 1)
    return _closure(glob, moved)
