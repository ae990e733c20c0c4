"""Which names and paths the entries of custom URL categories match.

After [D] guidelines for URL category exceptions: letter case does not count; ``.`` and ``/`` separate tokens; a
wildcard is a whole token, ``*`` one or more of them and ``^`` exactly one. An entry that ends neither in ``/`` nor in
``*`` gets a slash at its end from 10.2 on, unless that is switched off; before, ``example.com`` also is
``example.com.evil.example``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from egressc.host_paths import path_form
from egressc.hosts import HostPattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.flows import Test
    from egressc.targets.paloalto.live import Live, Texts


class Named(NamedTuple):
    """What categories match: for certain, and what they may match besides (``None``: also what has no name), and why.

    Where there is no doubt, there is nothing besides.
    """

    sure: tuple[Test, ...]
    perhaps: tuple[Test, ...] | None = ()
    doubt: str = ""


_LABELS: Final = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}")
_LABEL: Final = re.compile(r"[a-z0-9_-]{1,63}|\^")
_ADDRESS: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_NUMBER: Final = re.compile(r"[0-9]+")
_EVERY: Final = HostPattern((), deep=True)
_CARETS: Final = 9
"""How many ``^`` may stand side by side (guidelines for URL category exceptions)."""


class Categories:
    """What categories match; each is looked at once."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._known: dict[str, Named] = {}
        self._lists: dict[Texts, Named] = {}

    def of(self, names: Texts) -> Named:
        """What these categories match together."""
        if len(names) == 1:
            return self._category(names[0])
        found = self._lists.get(names)
        if found is None:
            found = self._lists[names] = _together([self._category(name) for name in names])
        return found

    def _category(self, name: str) -> Named:
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = self._worked_out(name)
        return found

    def _worked_out(self, name: str) -> Named:
        live = self._live
        category = live.categories.get(name)
        if category is None:
            what = "is an external list" if name in live.external_lists else "is no custom URL category of the files"
            return Named((), None, f"what is in the category `{name[:80]}` is not known: it {what}")
        if not category.is_list:
            return Named((), None, f"the category `{name[:80]}` is a match of predefined categories")
        if not category.entries:
            return Named((), None, f"the category `{name[:80]}` is empty")
        if name in live.twice:
            return Named((), None, f"the category `{name[:80]}` stands in several places and says different things")
        return of_entries(category.entries)


def of_entries(entries: Texts) -> Named:
    """What the entries of a category match together.

    `host/path` and `host/path/` are one path only together (assumption `pan-path-prefix`).
    """
    sure: dict[Test, None] = {}
    perhaps: dict[Test, None] = {}
    doubts: dict[str, None] = {}
    exact: dict[tuple[str, str], HostPattern] = {}
    below: dict[tuple[str, str], HostPattern] = {}
    is_unnamed = False
    for entry in entries:
        host, slash, rest = entry.lower().partition("/")
        pattern, doubt = pattern_of(host)
        if not host.strip("*^.") or host.endswith((".*", ".^")):
            is_unnamed = True
            if pattern is not None and slash and not rest and not doubt:
                sure[pattern, None] = None
            doubt = doubt or f"whether `{host[:80]}` also matches addresses is not documented"
        if pattern is None:
            is_unnamed = True
        elif not slash:
            if not doubt:
                sure[pattern, None] = None
                doubt = f"`{entry[:80]}` has no slash at its end: it may match longer names"
            perhaps[_EVERY, None] = None
        elif not rest:
            (perhaps if doubt else sure)[pattern, None] = None
        else:
            path = path_form(f"/{rest}")
            if not doubt and isinstance(path, str) and "^" not in rest:
                (below if rest.endswith("/") else exact)[host, path] = pattern
            else:
                perhaps[pattern, None] = None
                doubt = doubt or f"which paths `{entry[:80]}` matches is not documented"
        if doubt:
            doubts[doubt] = None
    for key, pattern in {**exact, **below}.items():
        host, path = key
        if key in below and key in exact:
            sure[pattern, path] = None
            continue
        perhaps[pattern, path] = None
        if key in exact:
            doubts[f"`{host}{path}` alone does not match what is below that path"] = None
        else:
            doubts[f"`{host}{path}/` alone does not match that path itself"] = None
    return Named(tuple(sure), None if is_unnamed else tuple(perhaps), joined(doubts))


def pattern_of(host: str) -> tuple[HostPattern | None, str]:
    """The names that the host of an entry matches at most, and why it may match less; ``None`` for an address.

    An address may also be meant where the last label is a number, or stands for any.
    """
    if _LABELS.fullmatch(host):
        if _ADDRESS.fullmatch(host):
            return None, f"`{host}` is an address, which stands for connections without a name"
        return HostPattern(tuple(host.split("."))), ""
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        return None, f"`{host[:80]}` may be an address, which stands for connections without a name"
    deep = host.startswith("*.")
    if deep and _LABELS.fullmatch(host, 2):
        return HostPattern(tuple(host[2:].split(".")), deep=True), ""
    if host == "*":
        return _EVERY, ""
    labels = host.split(".")
    rest = labels[1:] if deep else labels
    if not all(label == "*" or _LABEL.fullmatch(label) for label in rest):
        return _EVERY, f"which names `{host[:80]}` matches is not documented"
    if "*" in rest:
        after = len(rest) - rest[::-1].index("*")
        doubt = f"`*` within `{host[:80]}` is any number of labels: it does not match all of these names"
        return _globs(rest[after:], deep=True), doubt
    if f".{'^.' * _CARETS}^." in f".{'.'.join(rest)}.":
        return _globs(rest, deep=deep), f"`{host[:80]}` has more than {_CARETS} `^` side by side"
    return _globs(rest, deep=deep), ""


def _globs(labels: list[str], *, deep: bool) -> HostPattern:
    return HostPattern(tuple(["*" if label == "^" else label for label in labels]), deep)


def _together(answers: Sequence[Named]) -> Named:
    sure = dict.fromkeys([test for each in answers for test in each.sure])
    perhaps = dict.fromkeys([test for each in answers for test in each.perhaps or ()])
    is_unnamed = any(each.perhaps is None for each in answers)
    return Named(tuple(sure), None if is_unnamed else tuple(perhaps), joined([each.doubt for each in answers]))


def joined(doubts: Iterable[str]) -> str:
    """Some doubts in one sentence: the first three, and how many more there are."""
    different = list(dict.fromkeys([doubt for doubt in doubts if doubt]))
    if len(different) <= 3:
        return "; ".join(different)
    return f"{'; '.join(different[:3])}; and {len(different) - 3} more"
