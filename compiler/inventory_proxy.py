"""The proxy that a group is behind: the model, and from located values to it.

The schema has been checked before; a part that does not fit it is passed over in silence here. What the items of
``bypass`` name, only a policy can know: that is left to the binder.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from egressc.addresses import AddressSet, parse_addresses, union_of
from egressc.diagnostics import Diagnostic, Related
from egressc.inventory_names import diagnostic_of
from egressc.services import FIRST_PORT, LAST_PORT

if TYPE_CHECKING:
    from egressc.addresses import Family
    from egressc.located_value import Located
    from egressc.source import Span


PROXY_POLICY: Final = "inventory_proxy"
"""Where the rules to proxies stand: ``inventory_proxy/GROUP``. No policy is called so, as no name holds ``_``."""


@dataclass(frozen=True, slots=True)
class Bypass:
    """One item of ``bypass``: an endpoint set by its name, or rules by a pattern of their identities."""

    text: str
    span: Span

    @property
    def is_pattern(self) -> bool:
        """True if it names rules: their identities hold a ``/``, which no name of a set does."""
        return "/" in self.text or "*" in self.text

    def covers(self, identity: str) -> bool:
        """True if the pattern matches a rule identity, as that of an acceptance does: ``*`` is any text, also ``/``."""
        return self.is_pattern and fnmatchcase(identity, self.text.replace("[", "[[]"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The proxy of a group, and what the group reaches without it.

    ``addresses`` are one or several single addresses in the order of the inventory, in their usual spelling. An empty
    ``bypass`` means that everything goes through the proxy. ``span`` is the key ``proxy``; ``address_spans`` runs
    parallel to ``addresses``.
    """

    addresses: tuple[str, ...]
    port: int
    bypass: tuple[Bypass, ...]
    span: Span
    address_spans: tuple[Span, ...]
    port_span: Span

    @staticmethod
    def identity(group: str) -> str:
        """What the rule from a group to its proxy is called."""
        return f"{PROXY_POLICY}/{group}"

    @property
    def address_set(self) -> AddressSet:
        """Its addresses as a set."""
        parsed = [parse_addresses(text) for text in self.addresses]
        return union_of(each for each in parsed if isinstance(each, AddressSet))

    @property
    def texts(self) -> tuple[str, ...]:
        """The items of ``bypass`` as they are written."""
        return tuple(item.text for item in self.bypass)

    @property
    def text(self) -> str:
        """Where it listens, for people: ``10.1.1.5:8080``, ``[2001:db8::5]:8080``."""
        return " or ".join(f"[{a}]:{self.port}" if ":" in a else f"{a}:{self.port}" for a in self.addresses)


def load_proxy(node: Located | None, report: list[Diagnostic]) -> Proxy | None:
    """The proxy under a group's key ``proxy``; ``None`` if there is none, or not enough of it that can be read."""
    if node is None or not isinstance(node.value, dict):
        return None
    addresses = _addresses(node.get("address"), report)
    bypass = _bypass(node.get("bypass"), report)
    port = node.get("port")
    is_port = port is not None and isinstance(port.value, int) and not isinstance(port.value, bool)
    if not addresses or port is None or not is_port:
        return None
    assert isinstance(port.value, int)
    if not FIRST_PORT <= port.value <= LAST_PORT:
        return None
    return Proxy(
        addresses=tuple(addresses),
        port=port.value,
        bypass=bypass,
        span=node.key_span or node.span,
        address_spans=tuple(addresses.values()),
        port_span=port.span,
    )


def check_way(group: str, networks: AddressSet | None, proxy: Proxy | None, report: list[Diagnostic]) -> None:
    """Reports a proxy that its group cannot use: of another IP version, or one of the group itself."""
    if networks is None or proxy is None:
        return
    if not any(not networks.family(f).is_empty and not proxy.address_set.family(f).is_empty for f in _FAMILIES):
        version = 6 if networks.v4 else 4
        message = f"group `{group}` cannot reach its proxy {proxy.text}: it has no IPv{version} address"
        label, help_ = "of another IP version", "write an address of the proxy that the group can reach"
        report.append(Diagnostic(code="E0439", message=message, span=proxy.address_spans[0], label=label, help=help_))
    for text, span in zip(proxy.addresses, proxy.address_spans, strict=True):
        parsed = parse_addresses(text)
        if isinstance(parsed, AddressSet) and networks.contains(parsed):
            report.append(
                Diagnostic(
                    code="E0439",
                    message=f"the proxy {text} is in the networks of group `{group}`, so it would be behind itself",
                    span=span,
                    label="one of the group's own addresses",
                    help="take it out of `networks`: firewalls would let it reach no more than the group",
                )
            )


_FAMILIES: Final[tuple[Family, ...]] = (4, 6)


def _addresses(node: Located | None, report: list[Diagnostic]) -> dict[str, Span]:
    """The addresses in their usual spelling, with their places."""
    found: dict[str, Span] = {}
    if node is None:
        return found
    for item in node.elements() if isinstance(node.value, list) else (node,):
        if not isinstance(item.value, str) or not item.value:
            continue
        parsed = parse_addresses(item.value)
        if not isinstance(parsed, AddressSet):
            report.append(_unreadable(item, diagnostic_of(parsed, item.span, item.part(parsed.start, parsed.end))))
            continue
        why = "several addresses" if parsed.size > 1 else _not_a_server(parsed)
        if why:
            report.append(
                Diagnostic(
                    code="E0439",
                    message=f"`{item.value}` is not the address of a proxy: {why}",
                    span=item.span,
                    label="one address is asked for",
                    help="write the address that the proxy listens on, such as `10.1.1.5`; a list, if it has several"
                    if parsed.size > 1
                    else "write the address at which the group reaches it over the network",
                )
            )
            continue
        text = parsed.first()
        if text in found:
            report.append(_twice("address", text, item.span, found[text]))
        else:
            found[text] = item.span
    return found


def _unreadable(item: Located, diagnostic: Diagnostic) -> Diagnostic:
    """The error for a word that is no address; for the name of a host, one that says what is asked for."""
    text = str(item.value)
    if not any(c.isalpha() for c in text) or ":" in text:
        return diagnostic
    return Diagnostic(
        code="E0439",
        message=f"`{text}` is not the address of a proxy: not an IP address",
        span=item.span,
        label="one address is asked for",
        help="write the address that the name of the proxy resolves to; a list, if it has several",
    )


_NO_SERVERS: Final = (
    ("the address of no host", "0.0.0.0/8 ::"),  # RFC 6890 section 2.2.2; RFC 4291 section 2.5.2
    ("the host itself, which no firewall stands before", "127.0.0.0/8 ::1"),  # RFC 1122 3.2.1.3; RFC 4291 2.5.3
    ("a multicast address", "224.0.0.0/4 ff00::/8"),  # RFC 5771; RFC 4291 section 2.7
    ("the broadcast address", "255.255.255.255"),  # RFC 919
)
"""What no proxy listens on."""


def _not_a_server(address: AddressSet) -> str:
    for what, texts in _NO_SERVERS:
        for text in texts.split():
            parsed = parse_addresses(text)
            if isinstance(parsed, AddressSet) and parsed.contains(address):
                return what
    return ""


def _bypass(node: Located | None, report: list[Diagnostic]) -> tuple[Bypass, ...]:
    found: dict[str, Span] = {}
    for item in node.elements() if node is not None else ():
        if not isinstance(item.value, str):
            continue
        if item.value in found:
            report.append(_twice("item of `bypass`", item.value, item.span, found[item.value]))
        else:
            found[item.value] = item.span
    return tuple(Bypass(text, span) for text, span in found.items())


def _twice(what: str, text: str, span: Span, first: Span) -> Diagnostic:
    return Diagnostic(
        code="E0440",
        message=f"the {what} `{text}` stands twice",
        span=span,
        label="the second time",
        help="remove one of the two",
        related=(Related(span=first, text="the first time"),),
    )
