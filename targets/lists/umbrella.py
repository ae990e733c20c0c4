"""Destination lists of Cisco Umbrella: domains, and addresses of IPv4.

A domain always stands for the names below it, too ("a wildcard is implicit", [D] docs.umbrella.com, Add a DNS
Destination List), so neither a host nor ``*.d`` can be said alone. ``dns`` lists are asked for names; ``web`` lists
also take URLs ([D] Add a Web Destination List).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.exports import Abilities, Addresses, Dialect, Exact, ListKind, ReadEntry, ReadList, Refusal
from egressc.exports_read import by_address, by_name, host_of
from egressc.host_paths import path_form
from egressc.hosts import HostPattern
from egressc.targets.list_protocol import BOTH, ListFormat
from egressc.targets.lists.lines import joined_lines, network, unread, written
from egressc.targets.protocol import Assumption, Capabilities, Capability, Limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.exports import Line
    from egressc.targets.list_protocol import ListModel, ListOptions

_DNS = Abilities(exact=Exact.BELOW, below=Exact.APEX, everything=False, v4=Addresses.NETWORKS)
_WEB = replace(_DNS, path=True)

_ADD_DNS = "[D] docs.umbrella.com, Add a DNS Destination List"
_ADD_WEB = "[D] docs.umbrella.com, Add a Web Destination List"
_ENTRIES = "[D] Understand Destination List Supported Entries, cisco.com 224711"
_URL, _DECRYPTION, _IP = "umbrella-url", "umbrella-decryption", "umbrella-address"


def _spelled(line: Line) -> list[str]:
    return [line.addresses.text] if line.addresses is not None else [f"{line.domain}{line.path or ''}"]


def _problems(model: ListModel) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(
            f"`{_spelled(line)[0]}` is a top-level domain alone, which stands for every name below it",
            "leave the rule out with `--rule`",
            line.rules,
        )
        for line in model.lines
        if line.pattern is not None and len(line.pattern.labels) < 2
    )


def _remarks(model: ListModel) -> Iterator[str]:
    if any(line.addresses is not None for line in model.lines):
        if model.options.kind is ListKind.EXEMPTION:
            yield "a selective decryption list takes domains: of addresses nothing is said (`umbrella-decryption`)"
        elif model.options.form == "dns":
            yield "addresses stand in lists of a policy that allows, for the IP layer of roaming clients alone"


def _read(text: str, options: ListOptions, _dialect: str) -> ReadList:
    entries: list[ReadEntry] = []
    remarks: list[str] = []
    for number, line in written(text):
        held = network(line)
        if held is not None and not held.v6:
            entries.append(by_address(held, line, number))
            continue
        found = _domain(line, number, options.form)
        if isinstance(found, str):
            remarks += unread([(number, line)], f"is refused by Umbrella: {found}")
        else:
            entries.append(found)
    return ReadList(tuple(entries), tuple(remarks))


def _domain(line: str, number: int, form: str) -> ReadEntry | str:
    """What a domain or URL matches; a text that says why it is none."""
    lowered = line.lower()
    scheme, colon, rest = lowered.partition("://")
    if colon and scheme not in {"http", "https"}:
        return "it has another scheme than http and https"
    host, _, path_text = (rest if colon else lowered).partition("/")
    if "*" in host:
        return "it has a wildcard, which every domain implies"
    pattern = host_of(host)
    if pattern is None or any(char.isspace() for char in line):
        return "it is neither a domain nor an address of IPv4"
    patterns = (pattern, HostPattern(pattern.labels, deep=True))
    if not path_text:
        return by_name(patterns, line, number)
    if form == "dns":
        return "a list of the DNS policy that allows takes no URLs"
    path = path_form(f"/{path_text}")
    if not isinstance(path, str):
        return by_name(patterns, line, number, doubt="which requests it matches is not documented")
    return by_name(patterns, line, number, path=path)


FORMAT = ListFormat(
    name="umbrella",
    capabilities=Capabilities(
        title="Cisco Umbrella destination list",
        rows=(
            Capability("exact host", "`x`, with the names below it", "wider", ("depth",)),
            Capability("`*.x`", "`x`, with `x` itself", "wider", ("apex",)),
            Capability("`x` with `*.x`", "`x`", "exact"),
            Capability(
                "inner `*`, `*` inside a label", "the names below what follows it", "wider", ("label-wildcard",)
            ),
            Capability("URL path of http, in the form `web`", "`x/path`", "exact", (), (_URL,)),
            Capability("URL path of https, or in the form `dns`", "the whole host", "wider", ("path",)),
            Capability("address, CIDR, range of IPv4", "an entry for each network", "exact", (), (_IP,)),
            Capability("address of IPv6", "none", "narrower", ("family",)),
            Capability("ports", "none", "wider", ("ports",)),
            Capability("`except`", "none", "wider", ("except",)),
            Capability("any-address", "none for every name; `0.0.0.0/0`", "refused", ("no-names",)),
        ),
        limits=(
            Limit("`*`", "none: it is implied", _ENTRIES),
            Limit("the same destination", "once in a list", _ENTRIES),
            Limit(
                "dns", "domains; addresses and networks of IPv4 in lists that allow; URLs in lists that block", _ADD_DNS
            ),
            Limit("web", "domains, URLs, addresses and networks of IPv4", _ADD_WEB),
        ),
        assumptions=(
            Assumption(
                _URL,
                "a URL of a web list matches that path and what is below it, on the host and the names below it",
                f"inferred: {_ADD_WEB}, name URLs and do not say how they match",
            ),
            Assumption(
                _DECRYPTION,
                "a selective decryption list takes domains as a destination list does",
                "inferred: no page that was read says how its domains match",
            ),
            Assumption(
                _IP,
                "an address or network is compared with the one that a client asks for",
                "inferred; community.cisco.com 3374290: in DNS lists for the IP layer enforcement of roaming clients",
            ),
        ),
    ),
    lists=BOTH,
    forms=("dns", "web"),
    file_name=lambda options: f"{options.form}.txt",
    dialects=lambda options: (Dialect("", _WEB if options.form == "web" else _DNS),),
    render=lambda model: joined_lines(model, _spelled),
    spell=lambda line, _options: " ".join(_spelled(line)),
    read=_read,
    problems=_problems,
    remarks=lambda model: tuple(_remarks(model)),
)
