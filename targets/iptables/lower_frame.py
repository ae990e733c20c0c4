"""What the chain needs besides the rules of the policy: its opening, the internal networks, its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.approximate import default_steps
from egressc.lowering import SiteStep
from egressc.reasons import Reason
from egressc.services import PortSet
from egressc.targets.iptables.chain_writer import ANYWHERE, ChainWriter, Side, logged
from egressc.targets.iptables.model import (
    Accept,
    Established,
    FromSet,
    IcmpType,
    InInterface,
    Log,
    Mode,
    OutInterface,
    Owner,
    Reject,
    Return,
    ToAddress,
    ToPorts,
    ToSet,
    Transport,
)

if TYPE_CHECKING:
    from egressc.site import Site
    from egressc.targets.iptables.model import Family, Match
    from egressc.targets.iptables.set_table import SetTable
    from egressc.targets.iptables.settings import Settings

_NEIGHBOURS = (133, 135, 136)
"""ICMPv6 router solicitation, neighbour solicitation and advertisement: without them there is no IPv6 (RFC 4861)."""

_MULTICAST: tuple[tuple[str, Family], ...] = (("224.0.0.0/4", 4), ("ff00::/8", 6))
"""RFC 5771, RFC 4291 section 2.7: no part of the flows."""

_LOOPBACK: tuple[tuple[str, Family], ...] = (("127.0.0.1", 4), ("::1", 6))
"""Where REDIRECT sends what the machine itself sends (iptables-extensions(8), REDIRECT)."""

_DNS_PORT = PortSet(((53, 53),), ((53, 53),))


def opening(site: Site[Settings], table: SetTable) -> ChainWriter:
    """The rules above everything else: what is no flow of the policy, and what the resolver needs."""
    settings = site.settings
    chain = ChainWriter()
    if settings.mode is Mode.HOST:
        chain.add((OutInterface("lo"),), Accept(), "egressc: loopback")
        if settings.tls_proxy_port is not None:
            # After REDIRECT the chain still sees the interface that the packet was going to leave by [R].
            port = ToPorts(((settings.tls_proxy_port, settings.tls_proxy_port),))
            for block, family in _LOOPBACK:
                matches = (Transport("tcp"), port, ToAddress(block))
                chain.add(matches, Accept(), "egressc: redirected to the proxy", (family,))
        chain.add((Established(),), Accept(), "egressc: packets of established connections")
        for number in _NEIGHBOURS:
            chain.add((Transport("icmpv6"), IcmpType(number)), Accept(), "egressc: neighbour discovery", (6,))
    else:
        for source in governed(site, table):
            for side in (source.matches, tuple(_reply(match) for match in source.matches)):
                comment = "egressc: packets of established connections"
                chain.add((*side, Established()), Accept(), comment, source.families)
                if not source.matches:
                    break
        entrance(site, chain)
    for block, family in _MULTICAST:
        chain.add((ToAddress(block),), Return(), "egressc: multicast", (family,))
    if has_infrastructure(site):
        _resolver(settings, chain)
    return chain


def entrance(site: Site[Settings], chain: ChainWriter) -> None:
    """Leave what comes in elsewhere than by the gateway's interface to others."""
    if site.settings.interface is not None:
        chain.add((InInterface(site.settings.interface, other=True),), Return(), "egressc: not from the governed side")


def internal(table: SetTable, chain: ChainWriter) -> None:
    """Leave what goes to the internal networks to others."""
    side = table.internal()
    if side is not None:
        chain.add(side.matches, Return(), "egressc: internal networks", side.families)


def closing(site: Site[Settings], table: SetTable) -> ChainWriter:
    """The default deny, for the governed groups; nothing where there is none."""
    chain = ChainWriter()
    if not site.closing_deny:
        return chain
    group = site.settings.nflog_group
    for source in governed(site, table):
        if group is not None:
            log = Log(group, "egressc default deny")
            chain.add(logged(source.matches), log, "egressc: default deny", source.families)
        tcp = (Transport("tcp"), *source.matches)
        chain.add(tcp, Reject(reset=True), "egressc: default deny", source.families)
        chain.add(source.matches, Reject(reset=False), "egressc: default deny", source.families)
    return chain


def governed(site: Site[Settings], table: SetTable) -> tuple[Side, ...]:
    """The sources that this firewall governs: each group's, or any if one of them is unbound or on the host itself."""
    if site.settings.mode is Mode.HOST or site.has_unbound_group:
        return ANYWHERE
    return tuple(table.source(group.name) for group in site.groups)


def has_infrastructure(site: Site[Settings]) -> bool:
    """True if the chain must let the resolver through: on a gateway its packets do not pass the chain."""
    return site.settings.mode is Mode.HOST and site.settings.dns and site.closing_deny


def site_steps(site: Site[Settings]) -> tuple[SiteStep, ...]:
    """The approximations of the artefact as a whole."""
    steps = list(default_steps(site))
    if has_infrastructure(site):
        servers = site.settings.servers
        to = f"to {', '.join(servers)}" if servers else "to any server (`dnsmasq: servers` names none)"
        steps.append(
            SiteStep(
                Reason.INFRASTRUCTURE,
                f"the resolver's user `{site.settings.dnsmasq_user}` may send DNS queries {to}, port 53",
            )
        )
    return tuple(steps)


def assumptions(site: Site[Settings]) -> tuple[str, ...]:
    """The sentences on which the artefact rests."""
    settings = site.settings
    sentences = [f"no rule of other origin decides packets before the jump to `{settings.chain}`"]
    if settings.dns:
        where = "on the host" if settings.mode is Mode.HOST else "on the gateway"
        sentences += [
            f"clients resolve names through the dnsmasq {where} and nothing else",
            "dnsmasq reads the folder in which `apply.sh` puts `dnsmasq.conf`",
        ]
    if settings.mode is Mode.GATEWAY:
        for group in site.groups:
            if group.object_name is not None:
                name = group.object_name
                sentences.append(f"the ipsets `{name}_4` and `{name}_6` hold the networks of `{group.name}`")
            elif not group.is_unbound:
                for family, ranges in ((4, group.addresses.v4), (6, group.addresses.v6)):  # type: ignore[union-attr]
                    if not ranges:
                        sentences.append(f"the hosts of `{group.name}` send no IPv{family}: it has no such network")
    else:
        sentences.append("the user names in the rules mean the accounts that they stand for")
    return tuple(sentences)


def _reply(match: Match) -> Match:
    """The condition on the destination of an answer that is this one on the source of a question."""
    assert isinstance(match, FromSet)
    return ToSet(match.stem, match.outside)


def _resolver(settings: Settings, chain: ChainWriter) -> None:
    """Let the resolver ask its servers; without any, whoever its machine names."""
    servers = tuple(Side((ToAddress(server),), (6,) if ":" in server else (4,)) for server in settings.servers)
    owner = (Owner(settings.dnsmasq_user),)
    chain.write(_DNS_PORT, ANYWHERE, (owner,), servers or ANYWHERE, Accept(), "egressc: the resolver asks its servers")
