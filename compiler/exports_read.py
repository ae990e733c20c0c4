"""Reading lists: what every format's reader needs to turn words into requests.

Lists of people hold what a policy cannot say (a host of one label, a wildcard over a public suffix), so hosts are read
here more freely than in the language; what cannot be a host at all is not guessed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet, parse_addresses
from egressc.anything import ANY
from egressc.exports import ANY_NAME, ANY_PORT, ReadEntry
from egressc.hosts import HostPattern
from egressc.policy import AddressEndpoint, HostEndpoint
from egressc.ranges import merged
from egressc.reach import Reach
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.ranges import Ranges

_LABEL = re.compile(r"[a-z0-9_*](?:[a-z0-9_*-]*[a-z0-9_*])?\Z")

ONE_LABEL = HostPattern(("*",))
"""Every host name of one label (``<local>`` of a ProxyOverride)."""


def host_of(text: str) -> HostPattern | None:
    """A host, or a pattern in the language's spelling, in any letter case; ``None`` if it is neither.

    Letters beyond ASCII are taken in their IDNA form. A host of one label is one.
    """
    if not text.isascii():
        from egressc.host_syntax import host_pattern  # noqa: PLC0415 - imports the tables of IDNA

        found = host_pattern(text)
        return found if isinstance(found, HostPattern) else None
    lowered = text.lower()
    deep = lowered.startswith("*.")
    labels = lowered.removeprefix("*.").split(".") if deep else lowered.split(".")
    if len(lowered) > 253 or not all(len(label) <= 63 and _LABEL.match(label) for label in labels):
        return None
    if _is_address_like(labels):
        return None
    return HostPattern(tuple(labels), deep=deep)


def _is_address_like(labels: list[str]) -> bool:
    """True for what is no host but (a part of) an IPv4 address."""
    return labels[-1].isdecimal()


def addresses_of(text: str) -> AddressSet | None:
    """Addresses in the language's spelling (an address, a prefix, a range), ``None`` if they are none."""
    found = parse_addresses(text)
    return found if isinstance(found, AddressSet) else None


def port_of(text: str) -> Ranges | None:
    """One port, ``None`` if it is none."""
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or not 0 < int(text) < 65536:
        return None
    return ((int(text), int(text)),)


def ports_of(text: str) -> Ranges | None:
    """Ports as this project writes them: ``any``, or numbers and ranges with spaces between."""
    if text == "any":
        return ANY_PORT
    found: list[tuple[int, int]] = []
    for word in text.split():
        first, _, last = word.partition("-")
        one, other = port_of(first), port_of(last or first)
        if one is None or other is None or one[0][0] > other[0][0]:
            return None
        found.append((one[0][0], other[0][0]))

    return merged(found) or None


def ports_text(ports: Ranges) -> str:
    """Ports as this project writes them: ``any``, or numbers and ranges with spaces between."""
    return "any" if ports == ANY_PORT else " ".join(str(a) if a == b else f"{a}-{b}" for a, b in ports)


def by_name(
    patterns: Iterable[HostPattern],
    text: str,
    line: int = 0,
    *,
    ports: Ranges = ANY_PORT,
    path: str | None = None,
    out: Iterable[HostEndpoint] = (),
    doubt: str = "",
) -> ReadEntry:
    """An entry that matches requests by name: one of the patterns, none of ``out``."""
    inside = tuple([HostEndpoint(each, path) for each in patterns])
    return ReadEntry(Reach(ANY, ANY, inside, tuple(out), PortSet(ports)), text, line, doubt)


def by_address(
    addresses: AddressSet, text: str, line: int = 0, *, ports: Ranges = ANY_PORT, doubt: str = ""
) -> ReadEntry:
    """An entry that matches requests for an address."""
    return ReadEntry(Reach(ANY, ANY, (AddressEndpoint(addresses),), (), PortSet(ports)), text, line, doubt)


def everything(
    text: str, line: int = 0, *, ports: Ranges = ANY_PORT, out: Iterable[HostEndpoint] = ()
) -> tuple[ReadEntry, ReadEntry]:
    """The two entries of what matches whatever is asked for, but for the hosts of ``out``."""
    return by_name((ANY_NAME,), text, line, ports=ports, out=out), by_address(ALL, text, line, ports=ports)
