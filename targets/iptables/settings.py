"""The settings of one iptables firewall: where its chain stands, and what resolves names there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from egressc.addresses import AddressSet, parse_addresses
from egressc.diagnostics import Diagnostic
from egressc.schema_check import check, load_schema
from egressc.targets.iptables.capabilities import TAKEN_NAMES
from egressc.targets.iptables.model import Mode
from egressc.targets.iptables.processes import user_problem

if TYPE_CHECKING:
    from egressc.located import Located


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``settings`` of an inventory entry, with the defaults filled in.

    With ``dns`` false nothing resolves names into sets: only addresses and fallbacks can be said. ``servers`` are whom
    dnsmasq asks; without any it asks as its machine is set up. ``interface`` is where the groups of a gateway come in;
    ``tls_proxy_port`` is where an inspecting proxy listens on this machine.
    """

    mode: Mode = Mode.HOST
    chain: str = "EGRESSC"
    dns: bool = True
    dnsmasq_user: str = "dnsmasq"
    servers: tuple[str, ...] = ()
    interface: str | None = None
    tls_proxy_port: int | None = None
    nflog_group: int | None = None
    default_deny: bool = True


DEFAULTS: Final = Settings()
"""The settings of a firewall that no inventory describes."""


def load_settings(located: Located | None) -> tuple[Settings | None, tuple[Diagnostic, ...]]:
    """The settings of an inventory entry, or what is wrong with them; the defaults for ``None``."""
    if located is None:
        return DEFAULTS, ()
    problems = check(located, load_schema("egressc.targets.iptables", "settings.schema.json"))
    if problems:
        return None, problems
    given: Any = located.value
    resolver = given.get("dnsmasq", {})
    user = str(resolver.get("user", DEFAULTS.dnsmasq_user))
    servers, report = _servers(located, resolver.get("servers", []))
    chain = given.get("chain", DEFAULTS.chain)
    if chain in TAKEN_NAMES:
        report.append(
            Diagnostic(
                code="E0760",
                message=f"`{chain}` is a name of iptables itself",
                span=located.span_of(("chain",)),
                label="a chain cannot be called so",
                help=f"write another name, such as `EGRESSC-{chain}`"[:80],
            )
        )
    mode = Mode(given.get("mode", DEFAULTS.mode))
    if mode is Mode.HOST and "interface" in given:
        report.append(
            Diagnostic(
                code="E0761",
                message="`interface` means nothing on a host, whose own packets come in by no interface",
                span=located.key_span_of(("interface",)),
                label="only a gateway has it",
                help="remove it, or write `mode: gateway`",
            )
        )
    problem = user_problem(user)
    if problem is not None:
        report.append(
            Diagnostic(
                code="E0762",
                message=f"`{user}` is no user of a Linux system: {problem}",
                span=located.span_of(("dnsmasq", "user")),
                label="not a user name or uid",
                help="write the user that dnsmasq runs as, such as `dnsmasq`",
            )
        )
    if report:
        return None, tuple(report)
    settings = Settings(
        mode=mode,
        chain=chain,
        dns=given.get("dns", "dnsmasq") == "dnsmasq",
        dnsmasq_user=user,
        servers=servers,
        interface=given.get("interface"),
        tls_proxy_port=given.get("tls-proxy-port"),
        nflog_group=given.get("nflog-group"),
        default_deny=given.get("default-deny", DEFAULTS.default_deny),
    )
    return settings, ()


def _servers(located: Located, given: list[str]) -> tuple[tuple[str, ...], list[Diagnostic]]:
    servers = []
    report = []
    for number, text in enumerate(given):
        known = parse_addresses(text)
        if isinstance(known, AddressSet) and known.size == 1:
            servers.append(known.first())
            continue
        report.append(
            Diagnostic(
                code="E0764",
                message=f"`{text}` is not one address",
                span=located.span_of(("dnsmasq", "servers", number)),
                label="not the address of a DNS server",
                help="write one IPv4 or IPv6 address, without a port",
            )
        )
    return tuple(dict.fromkeys(servers)), report
