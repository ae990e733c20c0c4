"""Services: ports with the application that says how a firewall can know the name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from egressc import ranges
from egressc.problems import Problem
from egressc.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.ranges import Ranges

Recognition = Literal["sni", "host", "none"]
"""Where the name of a connection is seen on the wire."""

FIRST_PORT = 1
LAST_PORT = 65535


class Application(StrEnum):
    """What is spoken on a port, as far as it matters for knowing the name."""

    HTTPS = "https"
    HTTP = "http"
    TLS = "tls"
    TCP = "tcp"
    UDP = "udp"

    @property
    def transport(self) -> str:
        """The transport protocol: ``tcp`` or ``udp``."""
        return "udp" if self is Application.UDP else "tcp"

    @property
    def recognition(self) -> Recognition:
        """Where the name is seen on the wire: ``sni``, ``host`` (the Host header), or ``none``."""
        return _RECOGNITION[self]


_RECOGNITION: dict[Application, Recognition] = {
    Application.HTTPS: "sni",
    Application.TLS: "sni",
    Application.HTTP: "host",
    Application.TCP: "none",
    Application.UDP: "none",
}

_BARE = {443: Application.HTTPS, 80: Application.HTTP}
"""The ports that may stand without their application."""


@dataclass(frozen=True, slots=True)
class Service:
    """Ports ``first`` up to and with ``last``, and the application spoken on them."""

    application: Application
    first: int
    last: int

    @property
    def transport(self) -> str:
        """The transport protocol: ``tcp`` or ``udp``."""
        return "udp" if self.application is Application.UDP else "tcp"

    @property
    def ports(self) -> str:
        """The ports as the language writes them: ``443``, ``1-1024`` or ``any``."""
        if self.first == self.last:
            return str(self.first)
        if (self.first, self.last) == (FIRST_PORT, LAST_PORT):
            return "any"
        return f"{self.first}-{self.last}"

    @property
    def text(self) -> str:
        """The service as the language writes it, the application always with it."""
        return f"{self.ports}/{self.application.value}"

    @property
    def sort_key(self) -> tuple[str, int, int, str]:
        """A key for a deterministic order: by transport, ports, application."""
        return (self.transport, self.first, self.last, self.application.value)


@dataclass(frozen=True, slots=True)
class PortSet:
    """Ports of both transports: what is left of services when only the flow counts."""

    tcp: Ranges = ()
    udp: Ranges = ()

    @classmethod
    def of(cls, services: Iterable[Service]) -> PortSet:
        """The ports of some services."""
        return _ports_of(tuple(services))

    @property
    def is_empty(self) -> bool:
        """True if there is no port in it."""
        return not (self.tcp or self.udp)

    @property
    def size(self) -> int:
        """How many ports are in it, both transports counted."""
        return ranges.size(self.tcp) + ranges.size(self.udp)

    @property
    def text(self) -> str:
        """The set in words: ``80/tcp 443/tcp 1-1024/udp``; ``no ports`` when it is empty."""
        parts = [*_spelled("tcp", self.tcp), *_spelled("udp", self.udp)]
        return " ".join(parts) or "no ports"

    def transport(self, name: str) -> Ranges:
        """The ports of one transport, ``tcp`` or ``udp``."""
        return self.udp if name == "udp" else self.tcp

    def first(self) -> tuple[str, int]:
        """The transport and number of an example port, TCP first. Raises ``ValueError`` for the empty set."""
        if self.tcp:
            return ("tcp", self.tcp[0][0])
        if self.udp:
            return ("udp", self.udp[0][0])
        raise ValueError("the empty set has no first port")

    def union(self, other: PortSet) -> PortSet:
        """What is in either."""
        return PortSet(ranges.union(self.tcp, other.tcp), ranges.union(self.udp, other.udp))

    def intersection(self, other: PortSet) -> PortSet:
        """What is in both."""
        return PortSet(ranges.intersection(self.tcp, other.tcp), ranges.intersection(self.udp, other.udp))

    def difference(self, other: PortSet) -> PortSet:
        """What is in this one and not in the other."""
        return PortSet(ranges.difference(self.tcp, other.tcp), ranges.difference(self.udp, other.udp))

    def overlaps(self, other: PortSet) -> bool:
        """True if some port is in both."""
        return ranges.overlap(self.tcp, other.tcp) or ranges.overlap(self.udp, other.udp)

    def contains(self, other: PortSet) -> bool:
        """True if every port of the other is in this one."""
        return ranges.contain(self.tcp, other.tcp) and ranges.contain(self.udp, other.udp)


NO_PORTS = PortSet()
"""The empty set of ports."""

ALL_PORTS = PortSet(((FIRST_PORT, LAST_PORT),), ((FIRST_PORT, LAST_PORT),))
"""Every port of both transports."""


@lru_cache(maxsize=4096)
def _ports_of(services: tuple[Service, ...]) -> PortSet:
    return PortSet(
        ranges.merged((s.first, s.last) for s in services if s.transport == "tcp"),
        ranges.merged((s.first, s.last) for s in services if s.transport == "udp"),
    )


def _spelled(transport: str, ports: Ranges) -> list[str]:
    application = Application(transport)
    return [Service(application, first, last).text for first, last in ports]


_SHAPE = re.compile(r"(?:(any)|([0-9]+)(?:(-)([0-9]+))?)(?:(/)([a-z]+))?")


@lru_cache(maxsize=4096)
def parse_service(text: str) -> Service | Problem:
    """The service that a word under ``ports`` names, or what is wrong with the word."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return _malformed(text)
    every, low, dash, high, _, name = shape.groups()
    first, last = FIRST_PORT, LAST_PORT
    if not every:
        for part, start in ((low, shape.start(2)), (high, shape.start(4))):
            if part is not None and (bad := _bad_port(text, part, start)) is not None:
                return bad
        first = int(low)
        last = int(high) if dash else first
        if first > last:
            return Problem(
                "E0340", f"the port range `{low}-{high}` is reversed", "the first port is above the last",
                f"write `{last}-{first}{text[shape.end(4):]}`", 0, shape.end(4),
            )  # fmt: skip
    if name is None:
        if low is not None and not dash and first in _BARE:
            return Service(_BARE[first], first, last)
        return Problem(
            "E0336", f"port `{text}` does not say its application", "the application is missing",
            f"write `{text}/` and one of `https`, `http`, `tls`, `tcp`, `udp`; only `443` (`https`) and `80` (`http`) "
            "may stand alone", 0, len(text),
        )  # fmt: skip
    if name not in _APPLICATIONS:
        return _unknown_application(text, name, shape.start(6))
    return Service(_APPLICATIONS[name], first, last)


_APPLICATIONS = {a.value: a for a in Application}

_OTHER_NAMES = {
    **dict.fromkeys(("web", "http2", "wss"), "https"),
    **dict.fromkeys(("ws", "ocsp"), "http"),
    **dict.fromkeys(("ssl", "ldaps", "amqps", "mqtts", "imaps", "smtps"), "tls"),
    **dict.fromkeys(("ip", "ldap", "amqp", "ssh", "smtp", "rdp"), "tcp"),
    **dict.fromkeys(("quic", "dns", "ntp"), "udp"),
}
"""Names that people write where an application is asked for, and the application meant."""


def _unknown_application(text: str, name: str, start: int) -> Problem:
    meant = _OTHER_NAMES.get(name) or nearest(name, _APPLICATIONS)
    help_ = "the applications are `https`, `http`, `tls`, `tcp` and `udp`"
    if meant is not None:
        help_ = f"did you mean `{text[:start]}{meant}`? {help_}"
    return Problem("E0337", f"there is no application `{name}`", "not an application", help_, start, start + len(name))


def _bad_port(text: str, part: str, start: int) -> Problem | None:
    end = start + len(part)
    if len(part) > 1 and part[0] == "0":
        plain = part.lstrip("0") or "0"
        return Problem(
            "E0339", f"port `{part}` has a leading zero", "leading zero",
            f"write `{_without_zeros(text)}`" if plain != "0" else "ports run from 1 to 65535", start, end,
        )  # fmt: skip
    if len(part) > 5 or not FIRST_PORT <= int(part) <= LAST_PORT:
        return Problem(
            "E0338", f"there is no port `{part}`", "not a port number",
            "ports run from 1 to 65535; `any` stands for all of them", start, end,
        )  # fmt: skip
    return None


def _without_zeros(text: str) -> str:
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", text)


_EXAMPLE = "write a port and its application, such as `443/https`, `5671-5672/tls` or `any/tcp`"


def _malformed(text: str) -> Problem:
    help_ = _EXAMPLE
    lower = text.lower()
    if lower != text and _SHAPE.fullmatch(lower):
        help_ = f"write `{lower}`"
    elif text in _APPLICATIONS:
        usual = {"https": "443", "http": "80", "tls": "443"}.get(text, "any")
        help_ = f"write the port before it: `{usual}/{text}`"
    elif text == "*" or text.startswith("*/"):
        help_ = f"write `any{text[1:] or '/tcp'}`"
    elif ("," in text or ";" in text) and text.strip(",;"):
        help_ = f"write ports with white space between them: `{_apart(text)}`"
    elif re.fullmatch(r"[a-z]+/[0-9]+(?:-[0-9]+)?", text):
        name, _, port = text.partition("/")
        help_ = f"write the port first: `{port}/{name}`"
    elif re.fullmatch(r"[0-9]+:[0-9]+(?:/[a-z]+)?", text):
        help_ = f"write a range with `-`: `{text.replace(':', '-')}`"
    elif re.fullmatch(r"(?:any|[0-9]+(?:-[0-9]+)?)[:_.][a-z]+", text):
        help_ = f"write `{re.sub('[:_.]', '/', text)}`"
    return Problem("E0335", f"`{text}` is not a port", "expected PORT/APPLICATION", help_, 0, len(text))


def _apart(text: str) -> str:
    """Ports and applications that commas join, as a list: ``443/tcp 443/udp`` for ``443/tcp,udp``."""
    pieces = [piece for piece in re.split("[,;]+", text) if piece]
    port = pieces[0].partition("/")[0]
    last = pieces[-1].partition("/")[2]
    listed = []
    for piece in pieces:
        if piece in _APPLICATIONS:
            listed.append(f"{port}/{piece}")
        elif "/" in piece or not last or (piece in {"80", "443"} and last in {"http", "https"}):
            listed.append(piece)
        else:
            listed.append(f"{piece}/{last}")
    return " ".join(listed)
