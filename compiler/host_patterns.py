"""Host patterns in normal form: match, contain, intersect.

A pattern is never empty: what the language cannot match anything with is an error where it is parsed. Exact names and
``*.`` patterns form a tree by reversed labels, in which two patterns are nested or disjoint; those take the short ways
here. The rest is decided label by label, and where the limits on lengths could matter by ``host_search``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from egressc.host_search import search
from egressc.labels import glob_contains, glob_matches, globs_intersect
from egressc.quick_init import quick_init

_SHORT = 120
"""Two patterns shorter than this together cannot meet the limit on the length of a name: labels decide one by one."""


@quick_init
@dataclass(frozen=True, slots=True)
class HostPattern:
    """A set of host names.

    ``labels`` are label globs from left to right, in lower-case IDNA form: a literal label, ``*`` (exactly one label),
    or a label with ``*`` in it (any run of characters, also none). With ``deep`` one or more further labels stand
    before them: ``*.x.com`` is ``HostPattern(("x", "com"), deep=True)``.

    ``text`` is the language's spelling. A pattern whose leftmost label is one whole ``*`` without ``deep`` (exactly one
    label before the rest: some targets can say it, the language cannot) is spelled ``[one-label].x.com``.
    """

    labels: tuple[str, ...]
    deep: bool = False
    text: str = field(init=False, repr=False, compare=False)
    is_exact: bool = field(init=False, repr=False, compare=False)
    """True if it is one host name."""
    is_tree: bool = field(init=False, repr=False, compare=False)
    """True if it is one host name, or all names below one."""

    def __post_init__(self) -> None:
        text = ".".join(self.labels)
        literal = "*" not in text
        if self.deep:
            text = f"*.{text}" if text else "*"
        elif self.labels and self.labels[0] == "*":
            text = f"[one-label]{text[1:]}"
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "is_exact", literal and not self.deep)
        object.__setattr__(self, "is_tree", literal)

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def tail(self) -> tuple[str, ...]:
        """The literal labels after the last wildcard; all labels of an exact name."""
        labels = self.labels
        for i in range(len(labels) - 1, -1, -1):
            if "*" in labels[i]:
                return labels[i + 1 :]
        return labels

    @property
    def tail_text(self) -> str:
        """The literal labels after the last wildcard, with dots between them."""
        return ".".join(self.tail)

    @property
    def sort_key(self) -> tuple[tuple[str, ...], bool]:
        """A key for a deterministic order: by labels from the right, a name before what is below it."""
        return (self.labels[::-1], self.deep)


def apex(pattern: HostPattern) -> HostPattern:
    """The name that a ``*.`` pattern stands below: ``x.com`` for ``*.x.com``. A pattern without ``*.`` is its own."""
    return HostPattern(pattern.labels) if pattern.deep else pattern


def matches(pattern: HostPattern, host: str) -> bool:
    """True if the pattern matches a host name, which is in normal form."""
    if pattern.is_exact:
        return pattern.text == host
    if pattern.is_tree:
        return host.endswith(pattern.text[1:])
    globs = pattern.labels
    labels = host.split(".")
    more = len(labels) - len(globs)
    if more < 0 or (more > 0) is not pattern.deep:
        return False
    return all(glob_matches(glob, labels[i]) for i, glob in enumerate(globs, more))


def contains(a: HostPattern, b: HostPattern) -> bool:
    """True if every host that ``b`` matches is matched by ``a``."""
    if b.is_exact:
        return matches(a, b.text)
    if a.is_tree and b.is_tree:
        return a.deep and b.text.endswith(a.text[1:])
    if a == b:
        return True
    if not tails_agree(a, b):
        return False
    if a.is_tree and a.deep and len(a.labels) <= len(b.tail):
        return True
    if len(a.text) + len(b.text) >= _SHORT:
        return _contains(a, b)
    more = len(b.labels) - len(a.labels)
    if (b.deep and not a.deep) or (more < (not b.deep) if a.deep else more != 0):
        return False
    return all(glob_contains(x, y) for x, y in zip(reversed(a.labels), reversed(b.labels), strict=False))


def intersects(a: HostPattern, b: HostPattern) -> bool:
    """True if some host is matched by both."""
    if a.is_exact:
        return matches(b, a.text)
    if b.is_exact:
        return matches(a, b.text)
    if a.is_tree and b.is_tree:
        return contains(a, b) or contains(b, a)
    if not tails_agree(a, b):
        return False
    if a.is_tree:
        return _meets_tree(a, b)
    if b.is_tree:
        return _meets_tree(b, a)
    if len(a.text) + len(b.text) >= _SHORT:
        return _intersects(a, b)
    more = len(b.labels) - len(a.labels)
    if (more <= 0 and a.deep > b.deep) or (more >= 0 and b.deep > a.deep) or (more and not (a.deep or b.deep)):
        return False
    return all(globs_intersect(x, y) for x, y in zip(reversed(a.labels), reversed(b.labels), strict=False))


def _meets_tree(tree: HostPattern, other: HostPattern) -> bool:
    """True if a ``*.`` pattern and one with inner wildcards, whose tails agree, share a host."""
    names, globs = tree.labels, other.labels
    if len(names) <= len(other.tail):
        return True
    if len(globs) <= len(names) and not other.deep:
        return False
    if not all(glob_matches(g, n) for g, n in zip(reversed(globs), reversed(names), strict=False)):
        return False
    return len(tree.text) + len(other.text) < _SHORT or _intersects(tree, other)


def tails_agree(a: HostPattern, b: HostPattern) -> bool:
    """False if the literal labels at the right already keep the two apart."""
    return all(x == y for x, y in zip(reversed(a.tail), reversed(b.tail), strict=False))


@lru_cache(maxsize=65536)
def _contains(a: HostPattern, b: HostPattern) -> bool:
    return search([(b.labels, b.deep)], [(a.labels, a.deep)]) is None


@lru_cache(maxsize=65536)
def _intersects(a: HostPattern, b: HostPattern) -> bool:
    return search([(a.labels, a.deep), (b.labels, b.deep)], []) is not None
