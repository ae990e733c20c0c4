"""From a site to Windows Firewall's rules, part by part."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL
from egressc.anything import ANY, Anything
from egressc.approximate import (
    by_address,
    by_kind,
    default_steps,
    drop_paths,
    expand_tags,
    gone,
    left_out,
    named,
    note,
    use_fallback,
    with_endpoints,
)
from egressc.diagnostics import Diagnostic
from egressc.lowering import Kind, Lowering, Part, Recognition
from egressc.meaning import Outcome
from egressc.policy import HostEndpoint
from egressc.reasons import Reason
from egressc.targets.windows_firewall.assumes import assumptions_of, sentences
from egressc.targets.windows_firewall.build import Builder, address_chunks
from egressc.targets.windows_firewall.conditions import EVERY_PROCESS, Accounts, distinct, unbound_account
from egressc.targets.windows_firewall.denies import Denies
from egressc.targets.windows_firewall.exceptions import Exceptions
from egressc.targets.windows_firewall.model import Action, FirewallPolicy
from egressc.targets.windows_firewall.widen import widened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.site import BoundRule, Site
    from egressc.targets.windows_firewall.build import Chunk
    from egressc.targets.windows_firewall.conditions import Condition
    from egressc.targets.windows_firewall.settings import Settings

_PATHS: Final = "Windows Firewall sees no path: the whole host is meant"
_RESOLVED: Final = "Windows Firewall matches the addresses that Defender saw the name resolve to, whoever else has them"
_NO_KEYWORDS: Final = "`dynamic-keywords` is off, so no name can be matched"
_NO_DENY: Final = f"{_NO_KEYWORDS}, and a fallback would stop less than this deny does"
_LOG: Final = "Windows Firewall logs a whole profile or nothing"
_EXPIRY: Final = "Windows Firewall rules do not end: it is left out when compiled after its last day"
_LOOPBACK: Final = "`::` and `::1` are no destinations that Windows Firewall filters"

_NATURES: Final = {
    Kind.NAMES: "names",
    Kind.ADDRESSES: "addresses",
    Kind.ANY_ADDRESS: "any address",
    Kind.TAGS: "service tags",
}


def lower(site: Site[Settings]) -> Lowering[FirewallPolicy]:
    """Windows Firewall's rules for one group of hosts, and what they approximate."""
    run = _Run(site)
    parts: list[Part] = []
    if site.closing_deny:
        run.builder.add_internal(site.internal)
    for rule in site.rules:
        conditions = run.conditions(rule)
        for part in _start(rule):
            parts.extend(run.part(part, conditions))
    builder = run.builder
    settings = site.settings
    model = FirewallPolicy(
        site=site.name,
        group=settings.group,
        store=settings.store,
        profiles=settings.profiles,
        closing_deny=site.closing_deny,
        keywords=tuple(builder.keywords[name] for name in sorted(builder.keywords)),
        rules=tuple(builder.rules),
    )
    return Lowering(
        model=model,
        parts=tuple(parts),
        site_steps=default_steps(site),
        diagnostics=distinct((*run.report, *builder.collisions)),
        assumes=sentences(site, model),
        internal=Outcome.ALLOW,
        overlapping=run.accounts.overlapping(),
    )


def _start(rule: BoundRule) -> tuple[Part, ...]:
    """The parts of a rule by kind of endpoint. Names are not split further: all are known by their addresses."""
    if all(type(endpoint) is HostEndpoint for endpoint in rule.endpoints):
        return (Part(rule, Kind.NAMES, Recognition.DNS, rule.services, rule.reach, rule.reach),)
    kinds = by_kind(rule.endpoints)
    if len(kinds) == 1:
        return (Part(rule, kinds[0][0], Recognition.NONE, rule.services, rule.reach, rule.reach),)
    result = []
    for kind, endpoints in kinds:
        reach = with_endpoints(rule.reach, endpoints)
        recognition = Recognition.DNS if kind is Kind.NAMES else Recognition.NONE
        result.append(Part(rule, kind, recognition, rule.services, reach, reach))
    return tuple(result)


class _Run:
    """One lowering under way."""

    def __init__(self, site: Site[Settings]) -> None:
        self.site = site
        settings = site.settings
        profiles = "Any" if isinstance(settings.profiles, Anything) else ",".join(settings.profiles)
        self.builder = Builder(f"{settings.group} {profiles}")
        self.report: list[Diagnostic] = []
        self.accounts = Accounts(site)
        self.denies = Denies(site, self.accounts)
        self.exceptions = Exceptions(site, self.accounts)
        self._reported: set[str] = set()

    def conditions(self, rule: BoundRule) -> tuple[Condition, ...]:
        """The conditions of a rule's accounts; none if one of them cannot be enforced (an error)."""
        if isinstance(rule.accounts, Anything):
            return EVERY_PROCESS
        result: list[Condition] = []
        complete = True
        for account in rule.accounts:
            known, problems = self.accounts.conditions(account)
            if not known and account.name not in self._reported:
                self._reported.add(account.name)
                self.report.extend(problems or (unbound_account(account, self.site, rule.rule.span),))
            complete = complete and bool(known)
            result.extend(known)
        return tuple(result) if complete else ()

    def part(self, part: Part, conditions: tuple[Condition, ...]) -> list[Part]:
        """The part with its rules written, in as many parts as it becomes."""
        if not conditions:
            return [_unsaid(part)]
        if part.kind is Kind.NAMES and not self.site.settings.dynamic_keywords:
            if part.rule.is_deny:
                if self.denies.is_covered(part):
                    return [left_out(part)]
                return [gone(part, Reason.NO_NAMES, _NO_DENY if part.rule.fallback else _NO_KEYWORDS)]
            return [self._addresses(p, conditions, "fallback ") for p in use_fallback(part, _NO_KEYWORDS)]
        if part.kind is Kind.NAMES:
            return [self._names(part, conditions)]
        return [self._addresses(part, conditions, "")]

    def _names(self, part: Part, conditions: tuple[Condition, ...]) -> Part:
        """A part by name: a rule with dynamic keywords, and block rules for its exceptions."""
        action = Action.ALLOW
        if part.rule.is_deny:
            if self.denies.is_covered(part):
                return left_out(part)
            problem = self.denies.problem_of(part)
            if problem is not None:
                self.report.append(problem)
                return _unsaid(part)
            action = Action.BLOCK
        part = drop_paths(part, _PATHS)
        part = widened(part)
        part, blocked = self.exceptions.settle(part)
        part = by_address(part, _RESOLVED)
        reach = part.reach
        assert reach is not None
        patterns = tuple([e.pattern for e in reach.endpoints if isinstance(e, HostEndpoint)])
        names = self._write(part, _NATURES[Kind.NAMES], action, conditions, self.builder.keyword_chunks(patterns))
        if not blocked.is_empty:
            names += self._write(part, "excepted addresses", Action.BLOCK, conditions, address_chunks(blocked))
        assumptions = assumptions_of(self.site, conditions, patterns)
        return named(_noted(part), *names, assumptions=assumptions)

    def _addresses(self, part: Part, conditions: tuple[Condition, ...], prefix: str) -> Part:
        """A part by address; ``prefix`` says for its name what it stands in for."""
        if part.reach is None:
            return part
        nature = prefix + _NATURES[part.kind]
        expanded = expand_tags(part, self.site)
        if isinstance(expanded, Diagnostic):
            self.report.append(expanded)
            return _unsaid(part)
        part = expanded
        left = self.exceptions.subtracted(part)
        if isinstance(left, Diagnostic):
            self.report.append(left)
            return _unsaid(part)
        part, addresses = left
        if not isinstance(addresses, Anything) and addresses.is_empty:
            return part
        reached = ALL if isinstance(addresses, Anything) else addresses
        if part.rule.is_deny and part.steps and self.denies.is_covered(part, reached):
            return left_out(part)
        chunks: Sequence[Chunk] = (("", ANY),) if isinstance(addresses, Anything) else address_chunks(addresses)
        if not chunks:
            return gone(part, Reason.FAMILY, _LOOPBACK)
        action = Action.BLOCK if part.rule.is_deny else Action.ALLOW
        names = self._write(part, nature, action, conditions, chunks)
        return named(_noted(part), *names, assumptions=assumptions_of(self.site, conditions, ()))

    def _write(
        self, part: Part, nature: str, action: Action, conditions: tuple[Condition, ...], chunks: Sequence[Chunk]
    ) -> tuple[str, ...]:
        assert part.reach is not None
        return self.builder.add(part.rule, nature, action, conditions, part.reach.ports, chunks)


def _unsaid(part: Part) -> Part:
    """The part as it began: there is an error about it, and nothing is written at all."""
    return replace(part, reach=part.start, steps=())


def _noted(part: Part) -> Part:
    """The part with what Windows Firewall has no equivalent of, and what changes no flow."""
    rule = part.rule.rule
    if rule.log:
        part = note(part, Reason.LOG, _LOG)
    if rule.expires is not None and not part.rule.is_deny:
        part = note(part, Reason.EXPIRY, _EXPIRY)
    return part
