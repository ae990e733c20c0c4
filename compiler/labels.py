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
_FILLERS: tuple[str, ...] = ("", "a", "host", *_ALPHABET[1:-1])
"""What an example tries first for the run of characters that ``*`` stands for."""

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
    frame = _frame((a, b))
    if frame is None:
        return False
    # With a letter at each star, the frame is a label that both match: unless it is too long, or a hyphen ends it.
    return is_label(frame[0] + "a" + frame[1]) or bool(choices((a, b), ()))


def glob_contains(a: str, b: str) -> bool:
    """True if every label that ``b`` matches is matched by ``a``."""
    if a in {"*", b}:
        return True
    if "*" not in b:
        return not is_label(b) or glob_matches(a, b)
    if a.count("*") <= 1 and b.count("*") == 1 and len(b) < LONGEST_LABEL and b[0] != "-" and b[-1] != "-":
        # Any character can stand at the star of `b`, so what `a` fixes must be within what `b` fixes.
        a_begin, star, a_end = a.partition("*")
        b_begin, _, b_end = b.partition("*")
        return bool(star) and b_begin.startswith(a_begin) and b_end.endswith(a_end)
    return all(matched for _, matched in choices((b,), (a,)))


def choices(
    inside: tuple[str, ...], outside: tuple[str, ...], *, shortest_too: bool = False
) -> tuple[tuple[str, frozenset[str]], ...]:
    """Labels that match every glob of ``inside``, each with the globs of ``outside`` that it matches too.

    Not all labels, but one for each way that is worth choosing: for every label there is one in the answer whose
    matched globs are not more, and with ``shortest_too`` one for which that holds and that is not longer either. Empty
    when nothing matches ``inside``.
    """
    literal = next((g for g in inside if "*" not in g), None)
    if literal is not None:
        if not is_label(literal) or not all(glob_matches(g, literal) for g in inside):
            return ()
        return ((literal, frozenset([g for g in outside if glob_matches(g, literal)])),)
    wild_inside = tuple(dict.fromkeys(g for g in inside if g != "*"))
    forced: list[str] = []
    wild: list[str] = []
    literals: list[str] = []
    for glob in dict.fromkeys(outside):
        if "*" not in glob:
            literals.append(glob)
        elif glob == "*" or (len(wild_inside) + len(outside) > 2 and any(glob_contains(glob, g) for g in wild_inside)):
            forced.append(glob)
        else:
            wild.append(glob)
    if not shortest_too:
        label = _readable(wild_inside, wild, frozenset(literals))
        if label:
            return ((label, frozenset(forced)),)
    always = frozenset(forced)
    return tuple((label, matched | always) for label, matched in _search(wild_inside, tuple(wild), frozenset(literals)))


def _frame(globs: Sequence[str]) -> tuple[str, str] | None:
    """What every label begins and ends with that matches all of some globs with ``*``; ``None`` if no label does.

    What stands between two stars is put behind the beginning, with a letter before it.
    """
    begin = end = middle = ""
    for glob in globs:
        first, *pieces, last = glob.split("*")
        if not (begin.startswith(first) or first.startswith(begin)) or not (end.endswith(last) or last.endswith(end)):
            return None
        begin = max(begin, first, key=len)
        end = max(end, last, key=len)
        middle += "".join([f"a{piece}" for piece in pieces])
    return begin + middle, end


def _readable(inside: Sequence[str], outside: Sequence[str], literals: frozenset[str]) -> str:
    """A label that matches all of ``inside`` and nothing else, if one of a few candidates does; else nothing."""
    frame = _frame(inside)
    if frame is None:
        return ""
    for filler in _FILLERS:
        label = frame[0] + filler + frame[1]
        if (
            label not in literals
            and is_label(label)
            and all(glob_matches(glob, label) for glob in inside)
            and not any(glob_matches(glob, label) for glob in outside)
        ):
            return label
    return ""


@lru_cache(maxsize=16384)
def _search(
    inside: tuple[str, ...], outside: tuple[str, ...], literals: frozenset[str]
) -> tuple[tuple[str, frozenset[str]], ...]:
    """The answer of ``choices``, shortest label first, by breadth-first search over the product of the globs' automata.

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
                        return tuple(found)
        level = following
    return tuple(found)


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
