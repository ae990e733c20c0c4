"""WHO and TO as people write them, and what is wrong with them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL, AddressSet, parse_addresses
from egressc.host_paths import path_form
from egressc.problems import Problem
from egressc.question import To
from egressc.services import Application, PortSet, Service, parse_service
from egressc.words import AddressWord, AnyAddressWord, HostWord, SetWord, TemplateWord, endpoint_word

if TYPE_CHECKING:
    from egressc.question import Who

_SCHEMES: Final = {"https": Service(Application.HTTPS, 443, 443), "http": Service(Application.HTTP, 80, 80)}
_APPLICATIONS: Final = frozenset(each.value for each in Application)
_EXAMPLES: Final = "write `HOST:PORT`, `HOST:PORT/APPLICATION`, `ADDRESS:PORT`, `[V6]:PORT` or `https://HOST/PATH`"
_PORT: Final = re.compile(r"[0-9]+(?:-[0-9]+)?|any")
_NO_FLOW: Final = (
    ("loopback", "127.0.0.0/8"),
    ("loopback", "::1"),
    ("multicast", "224.0.0.0/4"),
    ("multicast", "ff00::/8"),
)
"""What no flow of the language goes to (language.md, *What a policy means*)."""


def parse_to(text: str) -> To | Problem:
    """The destination that a text names, or what is wrong with it; offsets are into the text."""
    if not text.strip():
        return _bad(text, "the destination is empty", _EXAMPLES, label="a destination is missing")
    found = _url(text) if "://" in text else _place(text)
    if isinstance(found, Problem):
        return found
    return _outside(text, found.addresses) or found


def parse_at(text: str) -> AddressSet | Problem:
    """The address that ``--at`` gives, or what is wrong with it."""
    bracketed = text.startswith("[") and text.endswith("]")
    found = parse_addresses(text[1:-1] if bracketed else text)
    if isinstance(found, Problem):
        return found.moved(int(bracketed))
    return _outside(text, found) or found


def _outside(text: str, addresses: AddressSet) -> Problem | None:
    """What is wrong with addresses to which no flow of the language goes."""
    for what, network in _NO_FLOW:
        held = parse_addresses(network)
        assert isinstance(held, AddressSet)
        if addresses is not ALL and held.contains(addresses):
            help_ = "loopback, multicast and anything but TCP and UDP are outside of what a policy says"
            return _bad(text, f"no policy says anything about {what} addresses", help_, label=what)
    return None


def with_address(to: To, at: str) -> To | Problem:
    """The destination at an address that is given apart; offsets of a problem are into ``at``."""
    addresses = parse_at(at)
    if isinstance(addresses, Problem):
        return addresses
    if to.pattern is None:
        return _bad(at, f"`{to.text}` is an address already", "leave the other address out", label="a second address")
    return replace(to, addresses=addresses)


def no_such_flow(who: Who, to: To) -> Problem:
    """What is wrong with a question about no flow at all: the IP versions do not agree."""
    return Problem(
        "E0905",
        f"no packet goes from `{who.text}` to {to.addresses.text}: they have no IP version in common",
        "another IP version",
        "ask about an address of the other IP version",
        0,
        len(to.text),
    )


def _bad(text: str, message: str, help_: str, *, label: str, start: int = 0, end: int | None = None) -> Problem:
    return Problem("E0904", message, label, help_, start, len(text) if end is None else end)


def _url(text: str) -> To | Problem:
    scheme, _, rest = text.partition("://")
    service = _SCHEMES.get(scheme.lower())
    start = len(scheme) + 3
    if service is None:
        return _bad(
            text, f"a destination has no scheme `{scheme}`", "write `https://…` or `http://…`, or `HOST:PORT/tls`, "
            "`HOST:PORT/tcp` and the like", label="not a scheme that egressc knows", end=len(scheme),
        )  # fmt: skip
    bare = re.split(r"[?#]", rest, maxsplit=1)[0]  # the query is no part of a flow
    authority, slash, path = bare.partition("/")
    if "@" in authority:
        at = start + authority.index("@") + 1
        return _bad(text, "a destination names no user", f"write `{scheme}://{text[at:]}`", label="a user", start=start,
                    end=at)  # fmt: skip
    host, port = authority, ""
    if authority.startswith("["):
        inner, bracket, port = authority[1:].partition("]")
        if not bracket:
            return _bad(text, "the bracket is not closed", f"write `{scheme}://[V6]/PATH`", label="opens here",
                        start=start, end=start + 1)  # fmt: skip
        if port and not port.startswith(":"):
            at = start + len(inner) + 2
            return _bad(text, f"`{authority}` is no host", f"write `[{inner}]:PORT`", label="expected `:PORT`",
                        start=at, end=at + len(port))  # fmt: skip
        host, port = inner, port.removeprefix(":")
    elif authority.count(":") == 1:
        host, _, port = authority.partition(":")
    elif ":" in authority:
        return _bad(text, f"`{authority}` is no host", f"write an IPv6 address in brackets: `[{authority}]`",
                    label="two colons", start=start, end=start + len(authority))  # fmt: skip
    known = service
    if port:
        number = parse_service(f"{port}/{service.application.value}")
        if isinstance(number, Problem):
            return replace(number, start=start, end=start + len(authority))
        known = number
    found = _endpoint(text, host, start + authority.startswith("["), known)
    if isinstance(found, Problem) or not slash or found.pattern is None:
        return found
    form = path_form(f"/{path}")
    if isinstance(form, Problem):
        return form.moved(start + len(authority))
    if form is not None and not {".", ".."}.isdisjoint(form.split("/")):
        at = start + len(authority)
        help_ = "write the path without `.` and `..`, as clients send it (RFC 3986, section 5.2.4)"
        return _bad(text, f"`/{path}` is not the path that is asked for", help_, label="a path from another path",
                    start=at, end=at + len(path) + 1)  # fmt: skip
    return replace(found, path=form or "/")


def _place(text: str) -> To | Problem:
    """``HOST:PORT``, ``ADDRESS:PORT``, ``[V6]:PORT``, each with an application or without."""
    if text.startswith("["):
        inner, bracket, rest = text[1:].partition("]")
        if not bracket:
            return _bad(text, "the bracket is not closed", "write `[V6]:PORT`", label="opens here", end=1)
        if not rest.startswith(":"):
            return _no_port(text, f"[{inner}]")
        service = _service(text, rest[1:], len(inner) + 3)
        return service if isinstance(service, Problem) else _endpoint(text, inner, 1, service)
    host, colon, port = text.rpartition(":")
    if not colon:
        return _no_port(text, text)
    if ":" in host:
        if isinstance(parse_addresses(text), AddressSet) and not isinstance(parse_addresses(host), AddressSet):
            return _no_port(text, f"[{text}]")
        return _bad(text, f"`{text}` is no destination", f"write `[{host}]:{port}`", label="too many colons")
    service = _service(text, port, len(host) + 1)
    return service if isinstance(service, Problem) else _endpoint(text, host, 0, service)


def _no_port(text: str, host: str) -> Problem:
    slash = host.find("/")
    if slash > 0 and isinstance(endpoint_word(host), HostWord):
        return _bad(text, f"the port is missing in `{text}`", f"write `https://{host}`", label="without a port")
    return _bad(text, f"the port is missing in `{text}`", f"write `{host}:443`", label="without a port")


def _service(text: str, port: str, start: int) -> Service | Problem:
    """The port that is asked about; without an application it is TCP."""
    if _PORT.fullmatch(port):
        bare = parse_service(port) if port in {"443", "80"} else parse_service(f"{port}/tcp")
        return replace(bare, start=start, end=len(text)) if isinstance(bare, Problem) else bare
    found = parse_service(port)
    if isinstance(found, Service):
        return found
    number, slash, path = port.partition("/")
    url = f"https://{text[: start - 1]}{'' if number == '443' else f':{number}'}/{path}"
    if found.code == "E0335":
        help_ = _EXAMPLES
        if slash and path.lower() in _APPLICATIONS:
            help_ = f"write `{number}/{path.lower()}`"
        elif slash and number.isdecimal():
            help_ = f"with a path, write `{url}`"
        return _bad(text, f"`{port}` is no port", help_, label="expected PORT or PORT/APPLICATION", start=start)
    if found.code == "E0337" and not found.help.startswith("did you mean"):
        found = replace(found, help=f"{found.help}; with a path, write `{url}`")
    return found.moved(start)


def _endpoint(text: str, written: str, start: int, service: Service) -> To | Problem:
    ports = PortSet.of((service,))
    word = endpoint_word(written) if written else None
    end = start + len(written)
    match word:
        case HostWord(pattern, None):
            return To(text, pattern, None, ALL, ports)
        case HostWord():
            scheme = "http" if service.application is Application.HTTP else "https"
            usual = _SCHEMES[scheme].first == service.first
            host, _, path = written.partition("/")
            port = "" if usual else f":{service.ports}"
            help_ = f"write `{scheme}://{host}{port}/{path}`"
            return _bad(text, "a path stands before the port", help_, label="a path", start=start + len(host), end=end)
        case AddressWord(addresses):
            return To(text, None, None, addresses, ports)
        case AnyAddressWord():
            return To(text, None, None, ALL, ports)
        case TemplateWord():
            return _bad(text, f"`{written}` holds a parameter", "write the host that the group's parameters make",
                        label="one host is asked for", start=start, end=end)  # fmt: skip
        case SetWord(name):
            return _bad(text, f"`{name}` is neither a host nor an address", "write a host with its domain, such as "
                        f"`{name}.example.com`; to ask about an endpoint set, ask about each of its hosts",
                        label="one label", start=start, end=end)  # fmt: skip
        case Problem():
            return word.moved(start)
        case None:
            return _bad(text, "the host is missing", _EXAMPLES, label="no host", start=start, end=max(end, start + 1))
