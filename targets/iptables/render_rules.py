"""The spelling of chain rules for iptables-restore."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from egressc.targets.iptables.model import (
    Accept,
    Cgroup,
    Established,
    FromSet,
    IcmpType,
    InInterface,
    Limit,
    Log,
    OutInterface,
    Owner,
    Redirect,
    Reject,
    Return,
    ToAddress,
    ToPorts,
    ToSet,
    Transport,
    Until,
)
from egressc.targets.iptables.quote import quoted

if TYPE_CHECKING:
    from egressc.targets.iptables.model import ChainRule, Family, Jump, Match


class Speller:
    """Spells the rules of one chain for one family; what rules share is spelled once."""

    def __init__(self, chain: str, family: Family) -> None:
        self._start = f"-A {chain}"
        self._family = family
        self._matches: dict[Match, str] = {}
        self._jumps: dict[Jump, str] = {}

    def line(self, rule: ChainRule) -> str:
        """A rule as a line of a restore file."""
        words = [self._start]
        known = self._matches
        for match in rule.matches:
            text = known.get(match)
            if text is None:
                text = known[match] = _match(match, self._family)
            words.append(text)
        jump = self._jumps.get(rule.jump)
        if jump is None:
            jump = self._jumps[rule.jump] = _jump(rule.jump, self._family)
        words.append(f"-m comment --comment {quoted(rule.comment)} {jump}")
        return " ".join(words)


def _match(match: Match, family: Family) -> str:
    match match:
        case Transport():
            return f"-p {match.name}"
        case ToPorts():
            return _ports(match)
        case ToSet():
            return f"-m set {_not(match.outside)}--match-set {match.stem}_{family} dst"
        case FromSet():
            return f"-m set {_not(match.outside)}--match-set {match.stem}_{family} src"
        case ToAddress():
            return f"-d {match.block}"
        case Owner():
            return f"-m owner {_not(match.other)}--uid-owner {quoted(match.user)}"
        case Cgroup():
            return f"-m cgroup {_not(match.other)}--path {quoted(match.path)}"
        case Until():
            return f"-m time --datestop {match.day.isoformat()}T23:59:59"
        case Established():
            return "-m conntrack --ctstate ESTABLISHED,RELATED"
        case InInterface():
            return f"{_not(match.other)}-i {match.name}"
        case OutInterface():
            return f"-o {match.name}"
        case IcmpType():
            return f"--icmpv6-type {match.number}"
        case Limit():
            return f"-m limit --limit {match.per_second}/second --limit-burst {match.burst}"
        case _:
            assert_never(match)


def _jump(jump: Jump, family: Family) -> str:
    match jump:
        case Accept():
            return "-j ACCEPT"
        case Return():
            return "-j RETURN"
        case Reject():
            how = "tcp-reset" if jump.reset else "icmp-admin-prohibited" if family == 4 else "icmp6-adm-prohibited"
            return f"-j REJECT --reject-with {how}"
        case Log():
            return f"-j NFLOG --nflog-group {jump.group} --nflog-prefix {quoted(jump.prefix)}"
        case Redirect():
            return f"-j REDIRECT --to-ports {jump.port}"
        case _:
            assert_never(jump)


def _ports(match: ToPorts) -> str:
    words = [str(first) if first == last else f"{first}:{last}" for first, last in match.ports]
    return f"--dport {words[0]}" if len(words) == 1 else f"-m multiport --dports {','.join(words)}"


def _not(negated: bool) -> str:  # noqa: FBT001 - a spelling
    return "! " if negated else ""
