"""What a word is: decided by its position, after parsing, here.

Each function takes one word as it was written and returns its value, or the problem with it. Answers are kept, because
the same words stand in thousands of rules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from egressc.addresses import AddressSet, parse_addresses
from egressc.host_syntax import host_path
from egressc.names import NAME_SHAPE, RESERVED, name_word
from egressc.problems import Problem
from egressc.services import Service, parse_service
from egressc.templates import HostWord, TemplateWord, bad_value, fill, template_word

__all__ = [
    "NAME_SHAPE", "RESERVED", "AddressWord", "AnyAddressWord", "EndpointWord", "HostWord", "Problem", "SetWord",
    "TemplateWord", "bad_value", "date_word", "endpoint_word", "fill", "name_word", "port_word",
]  # fmt: skip

if TYPE_CHECKING:
    from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class AddressWord:
    """Addresses, whatever name was asked for."""

    addresses: AddressSet


@dataclass(frozen=True, slots=True)
class AnyAddressWord:
    """``any-address``: every destination address."""


@dataclass(frozen=True, slots=True)
class SetWord:
    """The name of an endpoint set."""

    name: str


EndpointWord: TypeAlias = HostWord | TemplateWord | AddressWord | AnyAddressWord | SetWord
"""What an endpoint word can be."""

_ANY_ADDRESS: Final = AnyAddressWord()
_IPV4_ONLY: Final = re.compile(r"[0-9./-]+")
_SERVICE_OF_SCHEME: Final = {
    "https": "443/https", "http": "80/http", "wss": "443/https", "ws": "80/http", "ldaps": "636/tls",
    "ldap": "389/tcp", "amqps": "5671/tls", "ftp": "21/tcp", "ssh": "22/tcp", "sftp": "22/tcp",
}  # fmt: skip
"""What to write under ``ports`` for the scheme of a URL: its registered port (IANA), and the application."""


@lru_cache(maxsize=1 << 18)
def endpoint_word(text: str) -> EndpointWord | Problem:
    """What a word in a list of endpoints is, decided in the order of the language's definition."""
    if text == "any-address":
        return _ANY_ADDRESS
    if "://" in text or "?" in text or "#" in text:
        return _bad_url(text)
    colons = text.count(":")
    if colons >= 2 or (not colons and _IPV4_ONLY.fullmatch(text)):
        addresses = parse_addresses(text)
        return addresses if isinstance(addresses, Problem) else AddressWord(addresses)
    if colons:
        return _port_in_host(text)
    if "${" in text:
        return template_word(text)
    if "." in text or "*" in text or "/" in text:
        host = host_path(text)
        return host if isinstance(host, Problem) else HostWord(*host)
    return _set_word(text)


def port_word(text: str) -> Service | Problem:
    """The service that a word under ``ports`` is, or what is wrong with it."""
    return parse_service(text)


_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


@lru_cache(maxsize=4096)
def date_word(text: str) -> date | Problem:
    """The day that a word is, or what is wrong with it."""
    end = len(text)
    shape = _DATE.fullmatch(text)
    if shape is None:
        help_ = "write YYYY-MM-DD, such as `2027-06-30`"
        loose = re.fullmatch(r"([0-9]{4})[-/.]?([0-9]{1,2})[-/.]?([0-9]{1,2})", text)
        if loose is not None:
            better = f"{loose[1]}-{int(loose[2]):02}-{int(loose[3]):02}"
            if isinstance(date_word(better), date):
                help_ = f"write `{better}`"
        return Problem("E0341", f"`{text}` is not a date", "expected YYYY-MM-DD", help_, 0, end)
    year, month, day = (int(part) for part in shape.groups())
    try:
        return date(year, month, day)
    except ValueError:
        help_ = "months run from 01 to 12, years from 0001"
        if year and 1 <= month <= 12:
            # December has 31 days; of the others the last day is the one before the next month begins.
            days = 31 if month == 12 else (date(year, month + 1, 1) - timedelta(days=1)).day
            help_ = f"the month has {days} days"
        return Problem("E0342", f"there is no day `{text}`", "not in the calendar", help_, 0, end)


def _set_word(text: str) -> SetWord | Problem:
    name = name_word(text)
    if not isinstance(name, Problem):
        return SetWord(name)
    if text.lower() in {"any", "all", "internet", "any-address"}:
        return Problem(name.code, name.message, name.label, "write `any-address` for every destination", 0, len(text))
    if name.code == "E0333" and len(text) < 64:
        help_ = f"{name.help}; a host name has a dot"
        return Problem(name.code, f"`{text}` is neither a host nor the name of a set", name.label, help_, 0, len(text))
    return name


def _bad_url(text: str) -> Problem:
    scheme, mark, rest = text.partition("://")
    if not mark:
        at = min(i for i in (text.find("?"), text.find("#")) if i >= 0)
        char = text[at]
        if "/" in text[:at]:
            what = "the query" if char == "?" else "the fragment"
            help_ = f"write `{text[:at]}`: {what} is not part of a path"
        elif char == "?":
            help_ = "`*` stands for any run of characters within a label"
        else:
            help_ = "write white space before `#` to begin a comment"
        return Problem(
            "E0301", f"`{char}` cannot stand in an endpoint", "not part of a host or path", help_, at, len(text)
        )
    end = len(scheme) + 3
    bare = re.split(r"[?#]", rest, maxsplit=1)[0]
    host, slash, path = bare.partition("/")
    host, _, port = host.rpartition("@")[2].partition(":")
    written = host + (slash + path if path else "")
    service = _SERVICE_OF_SCHEME.get(scheme.lower())
    if port:
        service = _service_of(port, service)
    known = endpoint_word(written) if written else None
    if known is None or isinstance(known, (Problem, SetWord)):
        return Problem(
            "E0300", f"`{text}` is a URL", "a scheme", "write the host alone, and the port under `ports`", 0, end
        )
    help_ = f"write `{written}`" + (f", and `{service}` under `ports`" if service else ", and the port under `ports`")
    return Problem("E0300", "an endpoint has no scheme", "a URL", help_, 0, end)


def _service_of(port: str, scheme_service: str | None) -> str | None:
    """How to write a port that stood in a host, or ``None`` when it is no port."""
    application = (
        scheme_service.partition("/")[2] if scheme_service else {"443": "https", "80": "http"}.get(port, "tcp")
    )
    service = parse_service(f"{port}/{application}")
    if isinstance(service, Problem):
        return None
    return service.text if scheme_service or port in {"443", "80"} else f"{port}/APPLICATION"


def _port_in_host(text: str) -> Problem:
    host, _, port = text.partition(":")
    start = len(host)
    number = port.partition("/")[0]
    end = start + 1 + len(number) if number.isdecimal() else len(text)
    service = _service_of(number, None)
    path = port[len(number) :].removesuffix("/")
    help_ = "write the host alone, and the port under `ports`"
    message, label = f"a port stands in the endpoint `{text}`", "a port"
    if not number.isdecimal():
        message, label = f"`:` cannot stand in the endpoint `{text}`", "not part of a host"
    if service is not None and host:
        help_ = f"write `{host}{path}`, and `{service}` under `ports`"
    elif host.lower() in {"tag", "servicetag", "service-tag"} and port:
        help_ = f"write `service-tag {port}`"
    return Problem("E0302", message, label, help_, start, end)
