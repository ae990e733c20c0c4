"""URL lists and steering exceptions of Netskope: one entry on a line.

In a URL list one ``*`` may stand, first and before a dot, and ``*.d`` takes in ``d`` ([D] URL List Best Practices; an
older edition of that page says that it does not, so a domain that is meant with the names below it is two entries,
right either way). In the domains of a steering exception ``*.d`` is without ``d`` (the same page: two entries).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from egressc.exports import ANY_PORT, Abilities, Dialect, Exact, ListKind, Ports, ReadEntry, ReadList, Refusal, Shape
from egressc.exports_read import addresses_of, by_address, by_name, host_of, port_of
from egressc.host_paths import path_form
from egressc.hosts import HostPattern
from egressc.targets.list_protocol import BOTH, ListFormat
from egressc.targets.lists.lines import joined_lines, unread, with_comments, written
from egressc.targets.protocol import Assumption, Capabilities, Capability, Limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.exports import Line
    from egressc.targets.list_protocol import ListModel, ListOptions

LARGEST = 8 * 1000 * 1000
"""Bytes of a file, of which the page says 8 MB."""

_URL_LIST = Abilities(below=Exact.APEX, ports=Ports.SINGLE, path=True, everything=False)
_STEERING = Abilities(everything=False)

_BEST = "[D] URL List Best Practices, docs.netskope.com"
_LISTS = "[D] URL Lists, docs.netskope.com"
_APEX, _PORT, _ANY, _PATH, _DOMAIN = (
    "netskope-star-apex",
    "netskope-star-port",
    "netskope-any-port",
    "netskope-path",
    "netskope-steering-star",
)


def _spelled(line: Line) -> list[str]:
    assert line.pattern is not None
    hosts = [line.domain, f"*.{line.domain}"] if line.shape is Shape.DOMAIN else [line.pattern.text]
    port = "" if line.ports == ANY_PORT else f":{line.ports[0][0]}"
    return [f"{host}{port}{line.path or ''}" for host in hosts]


def _render(model: ListModel) -> str:
    """A URL list has comments; of the domains of an exception nobody says that they may."""
    return with_comments(model, _spelled, "#") if model.options.form == "url-list" else joined_lines(model, _spelled)


def _problems(model: ListModel) -> tuple[Refusal, ...]:
    found = [_refused(line) for line in model.lines if line.pattern is not None and "_" in line.pattern.text]
    options = model.options
    if options.form == "steering" and options.kind is ListKind.EXEMPTION:
        rules = model.lines[0].rules if model.lines else ()
        message = "a steering exception sends traffic past Netskope: it is a bypass, and no exemption"
        found.append(Refusal(message, "export `--form url-list` for an SSL decryption policy", rules))
    large = len(_render(model).encode())
    if large > LARGEST:
        found.append(
            Refusal(f"{large:,} bytes, and Netskope takes {LARGEST:,}", "split it by `--group`", model.lines[0].rules)
        )
    return tuple(found)


def _refused(line: Line) -> Refusal:
    message = f"`{_spelled(line)[0]}` is no host to Netskope, which takes letters, digits and dashes alone"
    return Refusal(message, "leave the rule out with `--rule`, or say it in another way", line.rules)


def _remarks(model: ListModel) -> Iterator[str]:
    if model.options.kind is ListKind.BYPASS and model.options.form == "url-list":
        yield (
            "a steering exception by category still sends the traffic to Netskope, which then applies no policy: for "
            "clients that go directly export `--form steering`"
        )


def _read(text: str, options: ListOptions, _dialect: str) -> ReadList:
    entries: list[ReadEntry] = []
    remarks: list[str] = []
    for number, line in written(text):
        if line.startswith(("#", ";")):
            continue
        found = _steering(line, number) if options.form == "steering" else _url(line, number)
        if isinstance(found, str):
            remarks += unread([(number, line)], f"is refused by Netskope: {found}")
        else:
            entries.append(found)
    return ReadList(tuple(entries), tuple(remarks))


def _url(line: str, number: int) -> ReadEntry | str:
    """What an entry of a URL list matches; a text that says why it is none."""
    if any(char.isspace() for char in line) or not line.isascii():
        return "a URL has no space, and nothing beyond ASCII"
    bare = re.sub(r"\Ahttps?://", "", line, flags=re.IGNORECASE)  # "they are ignored"
    if "@" in bare.partition("/")[0]:
        return "no user stands before a host"
    if bare.count("*") > 1 or ("*" in bare and not bare.startswith("*.")):
        return "`*` stands once, first and before a dot"
    host, _, rest = bare.partition("/")
    name, colon, port = (host, "", "") if host.count(":") > 1 else host.partition(":")
    ports = port_of(port) if colon else ANY_PORT
    if ports is None:
        return "the port is none"
    held = addresses_of(name)
    if held is not None:
        why = "addresses are taken only where Netskope has enabled them (controlled GA)"
        return by_address(held, line, number, ports=ports, doubt=why)
    pattern = host_of(name) if "_" not in name else None
    if pattern is None:
        return "a host is of letters, digits and dashes, a label at most 63 of them"
    path = path_form(f"/{rest}") if rest else None
    doubt = "which requests it matches is not documented" if not isinstance(path, str | None) else ""
    patterns = (pattern, HostPattern(pattern.labels)) if pattern.deep else (pattern,)
    return by_name(patterns, line, number, ports=ports, path=path if isinstance(path, str) else None, doubt=doubt)


def _steering(line: str, number: int) -> ReadEntry | str:
    """What a domain of a steering exception matches; a text that says why it is none."""
    if line.count("*") > 1 or ("*" in line and not line.startswith("*.")):
        return "`*` stands once, first and before a dot"
    pattern = host_of(line)
    return by_name((pattern,), line, number) if pattern is not None else "it is no domain"


FORMAT = ListFormat(
    name="netskope",
    capabilities=Capabilities(
        title="Netskope URL list and steering exception",
        rows=(
            Capability("exact host", "`x`", "exact", assumptions=(_ANY,)),
            Capability("`*.x`, in the form `url-list`", "`*.x`, with `x`", "wider", ("apex",), (_APEX,)),
            Capability("`*.x`, in the form `steering`", "`*.x`", "exact", assumptions=(_DOMAIN,)),
            Capability("`x` with `*.x`", "two entries", "exact"),
            Capability(
                "inner `*`, `*` inside a label", "the names below what follows it", "wider", ("label-wildcard",)
            ),
            Capability("URL path of http, in the form `url-list`", "`x/path`", "exact", assumptions=(_PATH,)),
            Capability("URL path of https, or in the form `steering`", "the whole host", "wider", ("path",)),
            Capability("address, CIDR, range", "none: a destination location holds them", "narrower", ("address",)),
            Capability("ports, in the form `url-list`", "`x:port`, one on a line", "exact", assumptions=(_PORT,)),
            Capability("ports, in the form `steering`", "none", "wider", ("ports",)),
            Capability("`except`", "none", "wider", ("except",)),
            Capability("any-address", "none", "refused", ("no-names",)),
        ),
        limits=(
            Limit("file", "8 MB", _LISTS),
            Limit("`*`", "one, first, with a dot behind it", _BEST),
            Limit("host", "letters, digits and dashes", _BEST),
            Limit("addresses", "in a URL list only where Netskope has enabled them (controlled GA)", _LISTS),
        ),
        assumptions=(
            Assumption(
                _APEX,
                "`*.x` of a URL list takes in `x`",
                f"{_BEST}, says so in its edition of today, and in an older one that it does not",
            ),
            Assumption(
                _PORT,
                "`*.x:port` matches requests to that port alone, as `x:port` does",
                f"inferred: {_LISTS}, show `www.example.com:8080` and none with `*`",
            ),
            Assumption(
                _ANY,
                "an entry without a port matches requests to every port",
                f"inferred: {_LISTS}, show requests to 80 and 443 for it, and no others",
            ),
            Assumption(
                _PATH,
                "`x/path` matches that path and what is below it, and no other path that begins so",
                f"inferred: {_LISTS}, show `…/resource/a` for `…/resource`, and not whether `…/resources` is one",
            ),
            Assumption(
                _DOMAIN,
                "`*.x` of a steering exception matches names at any depth below `x`, and not `x` itself",
                f"{_BEST}: where domain names are accepted directly two entries are needed; nothing of the depth",
            ),
        ),
    ),
    lists=BOTH,
    forms=("url-list", "steering"),
    file_name=lambda options: f"{options.form}.csv" if options.form == "url-list" else f"{options.form}.txt",
    dialects=lambda options: (Dialect("", _STEERING if options.form == "steering" else _URL_LIST),),
    render=_render,
    spell=lambda line, _options: " ".join(_spelled(line)),
    read=_read,
    problems=_problems,
    remarks=lambda model: tuple(_remarks(model)),
)
