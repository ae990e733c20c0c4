"""From the model to the files: rules for iptables-restore, sets for ipset restore, lines for dnsmasq, a script."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from egressc.targets.iptables.capabilities import CACHE_SECONDS, ELEMENTS, LEARNED_SECONDS
from egressc.targets.iptables.model import FAMILIES, Mode
from egressc.targets.iptables.quote import remark
from egressc.targets.iptables.render_rules import Speller
from egressc.targets.protocol import Artefact

if TYPE_CHECKING:
    from egressc.targets.iptables.model import Chains, Family, Firewall, NetworkSet, Resolver

_INET = {4: "inet", 6: "inet6"}
_NOTHING = {4: "0.0.0.0/0", 6: "::/0"}
_HALVES = {4: ("0.0.0.0/1", "128.0.0.0/1"), 6: ("::/1", "8000::/1")}
"""What stands for every address: a hash:net set takes no prefix of length 0 (ipset 7.17: "The value of the CIDR
parameter of the IP address is invalid")."""


def render(firewall: Firewall) -> tuple[Artefact, ...]:
    """The files of an artefact."""
    return (
        *(Artefact(f"rules.v{chains.family}", _lines(_rules(firewall, chains))) for chains in firewall.chains),
        Artefact("sets.ipset", _lines(_sets(firewall))),
        Artefact("dnsmasq.conf", _lines(_resolver(firewall))),
        Artefact("apply.sh", _script()),
    )


def _lines(lines: list[str]) -> bytes:
    lines.append("")
    return "\n".join(lines).encode()


def _rules(firewall: Firewall, chains: Chains) -> list[str]:
    """One file for iptables-restore: our chain in each table, flushed and filled again."""
    out = [f"# IPv{chains.family} rules of {firewall.name}, by egressc. Load them with apply.sh.", *_facts(firewall)]
    for text in firewall.remarks:
        out.extend(remark(text))
    speller = Speller(firewall.chain, chains.family)
    for table, rules in (("nat", chains.nat), ("filter", chains.filter)):
        if rules is None:
            continue
        out += [f"*{table}", f":{firewall.chain} - [0:0]"]
        out.extend(map(speller.line, rules))
        out.append("COMMIT")
    return out


def _facts(firewall: Firewall) -> list[str]:
    """What apply.sh reads: lines that begin with `#:`, as no text of a policy ever does."""
    hooks = {Mode.HOST: ("OUTPUT", "OUTPUT"), Mode.GATEWAY: ("FORWARD", "PREROUTING")}[firewall.mode]
    out = ["#: format 1", f"#: chain {firewall.chain}", f"#: hook filter {hooks[0]}"]
    if firewall.chains[0].nat is not None:
        out.append(f"#: hook nat {hooks[1]}")
    out += [f"#: user {user}" for user in firewall.users]
    out += [f"#: cgroup {path}" for path in firewall.cgroups]
    out += [f"#: foreign {stem}_{family} {_INET[family]}" for stem in firewall.foreign for family in FAMILIES]
    return out


def _sets(firewall: Firewall) -> list[str]:
    """One file for ipset restore: the sets that dnsmasq fills, then those whose content is fixed."""
    out = [f"# Sets of {firewall.name}, by egressc. Load them with apply.sh."]
    out.extend(
        f"create {stem}_{family} hash:ip family {_INET[family]} timeout {LEARNED_SECONDS}"
        for stem in firewall.fed
        for family in FAMILIES
    )
    for known in firewall.networks:
        for family in FAMILIES:
            blocks = _blocks(known, family)
            name = f"{known.stem}_{family}"
            out.append(f"create {name} hash:net family {_INET[family]} maxelem {max(ELEMENTS, len(blocks))}")
            out += [f"add {name} {block}" for block in blocks]
    return out


def _blocks(known: NetworkSet, family: Family) -> tuple[str, ...]:
    blocks = known.addresses.blocks(family)
    return _HALVES[family] if blocks == (_NOTHING[family],) else blocks


def _resolver(firewall: Firewall) -> list[str]:
    """The part of dnsmasq's configuration that feeds the sets."""
    out = [f"# What dnsmasq feeds to the sets of {firewall.name}, by egressc. apply.sh puts it in place."]
    resolver = firewall.resolver
    if resolver is None:
        out.append("# Nothing: `dns: none`.")
        return out
    out += [
        f"# An answer from the cache feeds no set, so answers stay there {CACHE_SECONDS} seconds at most, addresses in",
        f"# the sets {LEARNED_SECONDS}. One line for each domain: dnsmasq takes the longest that fits, and no other.",
        f"max-cache-ttl={CACHE_SECONDS}",
        *_servers(resolver),
    ]
    out += [
        f"ipset=/{line.domain}/{','.join([f'{stem}_4,{stem}_6' for stem in line.stems])}" for line in resolver.lines
    ]
    return out


def _servers(resolver: Resolver) -> list[str]:
    return ["no-resolv", *(f"server={server}" for server in resolver.servers)] if resolver.servers else []


@cache
def _script() -> bytes:
    """The script that puts it all in place: the same bytes for every artefact."""
    return resources.files("egressc.targets.iptables").joinpath("apply.sh").read_bytes()
