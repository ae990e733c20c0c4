"""Hosts as regular expressions that POSIX and PCRE read alike, without backslashes, which file formats take away."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from egressc.exports_read import host_of
from egressc.hosts import HostPattern

if TYPE_CHECKING:
    from collections.abc import Iterable

_BELOW = "^([^.]+[.])+"
_PIECE = re.compile(r"(?P<dot>\\\.|\[\.\])|(?P<star>\[\^\.\][+*])|(?P<plain>[a-z0-9_-]+)", re.IGNORECASE)
_LEADS = ((_BELOW, "below"), (r"^([^.]+\.)+", "below"), ("(^|[.])", "domain"), (r"(^|\.)", "domain"), ("^", "exact"),
          ("[.]", "below"), (r"\.", "below"))  # fmt: skip


def host_regex(pattern: HostPattern) -> str:
    """The regular expression, anchored, for host names in lower case."""
    labels = ["[^.]+" if label == "*" else label.replace("*", "[^.]*") for label in pattern.labels]
    return f"{_BELOW if pattern.deep else '^'}{'[.]'.join(labels)}$"


def hosts_of_regex(text: str) -> tuple[HostPattern, ...] | None:
    """The hosts that a regular expression finds, where it has one of the usual forms; else ``None``."""
    if not text.endswith("$"):
        return None
    lead, kind = next(((lead, kind) for lead, kind in _LEADS if text.startswith(lead)), ("", ""))
    if not kind:
        return None
    made, at, body = "", 0, text[len(lead) : -1]
    while at < len(body):
        found = _PIECE.match(body, at)
        if found is None:
            return None
        # `[^.]*` may be nothing: beside another character alone is it the star of a label.
        made += "." if found["dot"] else "*" if found["star"] else found["plain"]
        if found["star"] and found["star"].endswith("+") is not _is_whole(body, found):
            return None
        at = found.end()
    base = _host(made)
    if base is None:
        return None
    below = HostPattern(base.labels, deep=True)
    return {"exact": (base,), "below": (below,), "domain": (base, below)}[kind]


def _host(text: str) -> HostPattern | None:
    """A host or pattern of as many labels as are written: a leading `*.` is one label here."""
    rest = host_of(f"a{text[1:]}") if text.startswith("*.") else None
    return HostPattern(("*", *rest.labels[1:])) if rest is not None else host_of(text)


def _is_whole(body: str, found: re.Match[str]) -> bool:
    """True if the star is a label of its own."""
    before, behind = body[: found.start()], body[found.end() :]
    return (not before or before.endswith(("[.]", r"\."))) and (not behind or behind.startswith(("[.]", r"\.")))


def literally(text: str, special: Iterable[str] = ".$()+[]^{}|?*\\") -> str:
    """A text as a regular expression that finds it: what is special stands in brackets."""
    marked = frozenset(special)
    return "".join(f"[{char}]" if char in marked else char for char in text)
