"""Reading external dynamic lists, also those that people keep: what each entry matches, as far as that is documented.

After [D] Guidelines for URL category exceptions and [D] Formatting guidelines for an external dynamic list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL
from egressc.exports import ANY_NAME, ReadEntry, ReadList
from egressc.exports_read import addresses_of, by_address, by_name
from egressc.host_paths import path_form
from egressc.hosts import HostPattern
from egressc.targets.lists.lines import network, unread, written

if TYPE_CHECKING:
    from collections.abc import Iterator

_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?|\^", re.ASCII)
_CARETS: Final = 9
_NO_SLASH: Final = (
    "it does not end with a slash: PAN-OS 10.1 and older, or without `Append Ending Token`, read `x` as `x.*`, which "
    "also is a longer name"
)


def read_urls(text: str) -> ReadList:
    """What a URL list matches. An entry that is a comment is none: a URL list has no comments."""
    entries: list[ReadEntry] = []
    ignored: list[tuple[int, str]] = []
    # `host/path` and `host/path/` are one path only together, wherever they stand.
    paths: dict[tuple[str, str], dict[bool, int]] = {}
    patterns: dict[str, HostPattern] = {}
    for number, line in written(text):
        if line.startswith(("#", ";")) or any(char.isspace() for char in line):
            ignored.append((number, line))
            continue
        host, slash, rest = line.lower().partition("/")
        pattern, doubt = _pattern(host)
        path = path_form(f"/{rest}") if rest else None
        if slash and rest and pattern is not None and not doubt and isinstance(path, str) and "^" not in rest:
            patterns[host] = pattern
            paths.setdefault((host, path), {}).setdefault(rest.endswith("/"), number)
            continue
        if not doubt and rest:
            doubt = "which paths it matches is not documented"
        if not doubt and not slash:
            pattern, doubt = None, _NO_SLASH
        entries += _entry(pattern, line, number, doubt)
    entries += _with_paths(paths, patterns)
    return ReadList(tuple(entries), unread(ignored, "is no URL: a URL list has neither comments nor spaces"))


def _entry(pattern: HostPattern | None, line: str, number: int, doubt: str) -> Iterator[ReadEntry]:
    """What an entry matches at most; ``None``: nobody knows, an address maybe."""
    held = addresses_of(line.partition("/")[0])
    if held is not None:
        why = "an address in a URL list is matched where the URL is seen, and not by where a connection goes"
        yield by_address(held, line, number, doubt=why)
        return
    yield by_name((pattern or ANY_NAME,), line, number, doubt=doubt)
    if pattern is None and not doubt.startswith(_NO_SLASH):
        yield by_address(ALL, line, number, doubt=doubt)


def _with_paths(paths: dict[tuple[str, str], dict[bool, int]], patterns: dict[str, HostPattern]) -> Iterator[ReadEntry]:
    for (host, path), ends in paths.items():
        doubt = ""
        if True not in ends:
            doubt = f"`{path}` alone does not match what is below that path: write `{path}/`, too"
        elif False not in ends:
            doubt = f"`{path}/` alone does not match the path itself: write `{path}`, too"
        text = f"{host}{path}{'' if False in ends else '/'}"
        yield by_name((patterns[host],), text, min(ends.values()), path=path, doubt=doubt)


def _pattern(host: str) -> tuple[HostPattern | None, str]:
    """The names that the host of an entry matches at most, and why it may match less; ``None``: any, or an address."""
    if host in {"http:", "https:"}:
        return None, "an entry has no scheme: what it matches is not documented"
    if host == "*":
        return None, "whether it also matches addresses is not documented"
    if ":" in host or host.rpartition(".")[2].isdecimal():
        return None, "it may be an address, or have a port, which an entry does not"
    deep = host.startswith("*.")
    labels = host.split(".")[1 if deep else 0 :]
    if not all(label == "*" or _LABEL.fullmatch(label) for label in labels):
        return (
            None,
            "a wildcard is a whole label, and this is none: the firewall refuses the entry, or reads it otherwise",
        )
    if labels[-1] in {"*", "^"}:
        return None, "whether it also matches addresses is not documented"
    if "*" in labels:
        after = len(labels) - labels[::-1].index("*")
        why = "`*` in the middle is any number of labels: it does not match all names below what follows it"
        return HostPattern(tuple(labels[after:]), deep=True), why
    doubt = ""
    if f".{'^.' * _CARETS}^." in f".{'.'.join(labels)}.":
        doubt = f"it has more than {_CARETS} `^` side by side"
    return HostPattern(tuple(["*" if label == "^" else label for label in labels]), deep=deep), doubt


def read_addresses(text: str) -> ReadList:
    """What an address list matches: an address, a network or a range, then a space and a comment."""
    entries: list[ReadEntry] = []
    ignored: list[tuple[int, str]] = []
    for number, line in written(text):
        first = line.split(maxsplit=1)[0]
        held = network(first)
        if held is None:
            ignored.append((number, line))
        else:
            entries.append(by_address(held, first, number))
    return ReadList(tuple(entries), unread(ignored, "is no address: the firewall skips it"))
