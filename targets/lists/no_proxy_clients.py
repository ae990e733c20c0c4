"""How programs read ``no_proxy``: each in its own way, as measured with the programs themselves.

Measured on Debian 12 (``tests/lab/test_lab_lists_no_proxy.py`` does it again): curl 7.88.1, wget 1.21.3, Go 1.19.8,
requests 2.34.2, urllib of Python 3.11, httpx 0.28.1, undici 6.29 and proxy-from-env 2.1. .NET is from its source,
``HttpEnvironmentProxy.cs`` of dotnet/runtime at 02a63a53: nobody ran it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.exports import (
    ANY_NAME,
    ANY_PORT,
    Abilities,
    Addresses,
    Dialect,
    Exact,
    Ports,
    ReadEntry,
    ReadList,
)
from egressc.exports_read import addresses_of, by_address, by_name, everything, host_of, port_of
from egressc.hosts import HostPattern
from egressc.targets.lists.lines import network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.ranges import Ranges


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """One program.

    ``host`` and ``dotted`` say what ``foo.test`` and ``.foo.test`` match. ``star``: ``*`` is everything among other
    entries (``any``), only alone (``alone``), or nothing. ``starred``: ``*.foo.test`` is the names below it. ``ports``:
    ``foo.test:8443`` is that port, also where it is the scheme's own (``any``), or only where a URL spells it
    (``spelled``); ``address_ports`` whether it is that after an address, too. ``networks``: whether networks of IPv4
    are read, ``networks6`` of IPv6. ``brackets``: an IPv6 address stands in them. ``splits``: what separates entries.
    ``variables``: where it looks, first come.
    """

    name: str
    host: Exact = Exact.BELOW
    dotted: Exact = Exact.EXACT
    star: str = "any"
    starred: bool = False
    ports: str = ""
    address_ports: bool = True
    networks: bool = False
    networks6: bool = False
    brackets: bool | None = False
    splits: str = ","
    variables: tuple[str, ...] = ("no_proxy", "NO_PROXY")


CLIENTS = {
    each.name: each
    for each in (
        Client(name="curl", dotted=Exact.APEX, star="alone", networks=True, splits=r"[,\s]"),
        Client(name="wget", star="", variables=("no_proxy",)),
        Client(
            name="go",
            starred=True,
            ports="any",
            networks=True,
            networks6=True,
            variables=("NO_PROXY", "no_proxy"),
        ),
        Client(
            name="requests",
            dotted=Exact.APEX,
            star="alone",
            ports="spelled",
            address_ports=False,
            networks=True,
        ),
        Client(name="urllib", dotted=Exact.APEX, star="alone", ports="spelled", brackets=True),
        Client(name="httpx", ports="spelled"),
        Client(name="node", host=Exact.EXACT, starred=True, ports="any", brackets=True, splits=r"[,\s]"),
        Client(name="dotnet", host=Exact.EXACT, dotted=Exact.APEX, star="", brackets=None),
    )
}
"""The programs that a list can be for. ``node`` is undici's EnvHttpProxyAgent and proxy-from-env, which agree."""

_UNREADABLE_IN_HTTPX = "httpx makes no request at all while this stands in the list: it raises InvalidURL"


def chosen(names: tuple[str, ...]) -> tuple[Client, ...]:
    """The programs of ``--for``; all of them if it was not given."""
    return tuple(each for name, each in CLIENTS.items() if not names or name in names)


def dialects(names: tuple[str, ...]) -> tuple[Dialect, ...]:
    """How each program reads the list. What one says depends on the others: they all read the same value.

    A port is said only where every one of them understands it: curl and wget would lose the entry. In brackets, or as
    a network, an IPv6 address stops httpx altogether: where httpx reads the list, these are not said to anyone, nor
    ports of addresses, which would need the brackets.
    """
    clients = chosen(names)
    ports = _common_ports(clients)
    with_httpx = any(each.name == "httpx" for each in clients)
    # A network takes no port (Go, the only one that reads both, looks for a prefix first).
    told = all(each.address_ports and not each.networks for each in clients) and not with_httpx
    address_ports = ports if told else Ports.NO
    return tuple(Dialect(each.name, _abilities(each, ports, address_ports, with_httpx=with_httpx)) for each in clients)


def _common_ports(clients: tuple[Client, ...]) -> Ports:
    said = {each.ports for each in clients}
    if "" in said:
        return Ports.NO
    return Ports.SINGLE if said == {"any"} else Ports.SPELLED


def _abilities(client: Client, ports: Ports, address_ports: Ports, *, with_httpx: bool) -> Abilities:
    v6 = Addresses.SINGLE
    if client.brackets is None or (client.brackets and with_httpx):
        v6 = Addresses.NO
    elif client.networks6 and not with_httpx:
        v6 = Addresses.NETWORKS
    return Abilities(
        exact=client.host,
        below=client.dotted,
        ports=ports,
        address_ports=address_ports,
        v4=Addresses.NETWORKS if client.networks else Addresses.SINGLE,
        v6=v6,
        everything=bool(client.star),
    )


def read_value(value: str, client: Client, line: int) -> ReadList:
    """What the value of the variable says to a program."""
    words = [word for word in re.split(client.splits, value) if word.strip()]
    if client.name == "requests":  # it takes every space out before it splits
        words = [word.replace(" ", "") for word in words]
    alone = len(words) == 1
    entries: list[ReadEntry] = []
    remarks: list[str] = []
    for word in words:
        # wget skips spaces before an entry and not those behind it.
        text = word.lstrip() if client.name == "wget" else word.strip()
        found = tuple(_read_word(text, client, line, alone=alone))
        entries += found
        if not found and client.brackets is None and text.count(":") > 1:
            remarks.append(f"line {line}: nobody measured what {client.name} makes of `{text}`")
        elif not found:
            remarks.append(f"line {line}: `{text}` matches nothing in {client.name}")
    return ReadList(tuple(entries), tuple(remarks))


def _read_word(text: str, client: Client, line: int, *, alone: bool) -> Iterator[ReadEntry]:
    """The entries of one word; none where the program matches nothing by it, which was measured."""
    lowered = text.lower()
    if text == "*":
        if client.star == "any" or (client.star == "alone" and alone):
            yield from everything(text, line)
        return
    if lowered.count(":") > 1:
        yield from _v6(lowered, text, client, line)
        return
    if "://" in text or "/" in text:
        yield from _slashed(lowered, text, client, line)
        return
    name, colon, port_text = lowered.partition(":")
    ports, doubt = ANY_PORT, ""
    if colon:
        given = port_of(port_text)
        if given is None:
            why = _UNREADABLE_IN_HTTPX if client.name == "httpx" and port_text else "its port is not one"
            yield by_name((ANY_NAME,), text, line, doubt=why)
            return
        if not client.ports:
            return
        ports = given
        if client.ports == "spelled" and given[0][0] in {80, 443}:
            doubt = (
                f"{client.name} compares the port only where the URL spells it, and a default port is seldom spelled"
            )
    held = addresses_of(name)
    if held is not None:
        if held.size != 1 or not _is_literal(name):
            return  # a range: text that no host is equal to
        if not colon or client.address_ports:
            yield by_address(held, text, line, ports=ports, doubt=doubt)
        return
    yield from _named(name, text, client, line, ports=ports, doubt=doubt)


def _named(name: str, text: str, client: Client, line: int, *, ports: Ranges, doubt: str) -> Iterator[ReadEntry]:
    """A host, with a dot or a star before it."""
    if name.endswith("."):
        if client.name != "curl":
            return
        name = name[:-1]
    lead, rest = next((lead, name[len(lead) :]) for lead in ("*.", "*", ".", "") if name.startswith(lead))
    if lead == "*" and not rest and ports != ANY_PORT:
        if client.name == "node":
            yield from everything(text, line, ports=ports)
        return
    pattern = host_of(rest) if "*" not in rest else None
    if pattern is None:
        # A star elsewhere, quotes, `;` and the like: text that no host ends in. Digits alone may end an address.
        if re.fullmatch(r"[0-9.]+", rest) and lead:
            yield by_address(ALL, text, line, doubt="it may be the end of an address, compared as text")
        elif not text.isascii() or rest.startswith("."):
            yield by_name((ANY_NAME,), text, line, doubt=f"nobody measured what {client.name} makes of it")
        return
    below = HostPattern(pattern.labels, deep=True)
    if lead == "*.":
        if client.starred:
            yield by_name((below,), text, line, ports=ports, doubt=doubt)
        return
    if lead == "*":
        if client.name == "node":
            ending = HostPattern((f"*{pattern.labels[0]}", *pattern.labels[1:]))
            deep = HostPattern(ending.labels, deep=True)
            yield by_name((ending, deep), text, line, ports=ports, doubt=doubt)
        return
    how = client.dotted if lead else client.host
    # A host with all names below it, and these with their domain, are the same here.
    both = how is not Exact.EXACT
    patterns = (pattern, below) if both else ((below,) if lead else (pattern,))
    yield by_name(patterns, text, line, ports=ports, doubt=doubt)


def _slashed(lowered: str, text: str, client: Client, line: int) -> Iterator[ReadEntry]:
    """A network of IPv4, a path, or a URL."""
    before, _, _ = lowered.partition("/")
    if client.name == "httpx":
        # It reads every entry as a URL: a path, and the length of a prefix with it, is not looked at.
        if "://" in lowered:
            yield by_name((ANY_NAME,), text, line, doubt="httpx compares the scheme, too")
            return
        host = addresses_of(before)
        if host is not None and _is_literal(before):
            whole = addresses_of(lowered)
            # Of a network itself it is the first address, which no server has: nothing that anyone asks for.
            if whole is None or host.first() != whole.first() or whole.size == 1:
                yield by_address(host, text, line)
            return
        yield from _read_word(before, client, line, alone=False)
        return
    if not client.networks or not re.fullmatch(r"[0-9.]+/[0-9]+", lowered):
        return
    held = network(lowered)
    if held is not None:
        yield by_address(held, text, line)


def _v6(lowered: str, text: str, client: Client, line: int) -> Iterator[ReadEntry]:
    """An IPv6 address, with or without brackets and a port, or a network."""
    closed = re.fullmatch(r"\[([0-9a-f:.]+)\](?::([0-9]+))?", lowered)
    if client.name == "httpx" and (closed is not None or "/" in lowered or addresses_of(lowered) is None):
        yield by_name((ANY_NAME,), text, line, doubt=_UNREADABLE_IN_HTTPX)
        return
    if client.brackets is None:
        return  # nobody knows: it matches that address at most, which a remark says
    if "/" in lowered:
        held = network(lowered)
        if client.networks6 and held is not None:
            yield by_address(held, text, line)
        return
    ports = ANY_PORT
    if closed is not None and closed[2]:
        given = port_of(closed[2])
        if given is None or not client.ports or not client.address_ports:
            return
        ports = given
    elif (closed is not None) is not client.brackets:
        return
    held = addresses_of(closed[1] if closed is not None else lowered)
    if held is None or held.size != 1:
        return
    # Only Go reads the address; the others compare its text with the one that the URL library writes.
    if client.networks6 or held.text == (closed[1] if closed is not None else text):
        yield by_address(held, text, line, ports=ports)


def _is_literal(text: str) -> bool:
    return "-" not in text and "/" not in text
