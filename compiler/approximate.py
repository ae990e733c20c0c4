"""The steps by which a target approximates a part: one function for each reason that changes what a part matches.

Each returns the part unchanged when there is nothing to change, so a target may call them in its own order without
asking first. No function here ever narrows a part except ``gone``, which says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.anything import ANY
from egressc.diagnostics import Diagnostic, Level
from egressc.hosts import HostPattern, minimise
from egressc.lowering import Kind, Part, Recognition, SiteStep, Step
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reach import Reach
from egressc.reasons import FACTS, Effect, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from egressc.policy import Endpoint
    from egressc.site import Site


def change(part: Part, reason: Reason, reach: Reach, sentence: str, level: Level | None = None) -> Part:
    """The part with its reach replaced for ``reason``; unchanged if the reach is the same or the part is gone."""
    if part.reach is None or part.reach == reach:
        return part
    step = Step(reason, FACTS[reason].effect, sentence, part.reach, reach, level)
    return _with(part, reach, step)


def gone(part: Part, reason: Reason, sentence: str) -> Part:
    """The part without any flow, because the target cannot say it (``no-names``, ``ports``, ``family``)."""
    if part.reach is None:
        return part
    return _with(part, None, Step(reason, Effect.NARROWER, sentence, part.reach, None))


def note(part: Part, reason: Reason, sentence: str, level: Level | None = None) -> Part:
    """The part with a remark that changes no flow (``log``, ``expiry``, ``application``)."""
    if part.reach is None:
        return part
    return _with(part, part.reach, Step(reason, FACTS[reason].effect, sentence, part.reach, part.reach, level))


def drop_account(part: Part, sentence: str) -> Part:
    """The part for any process: the enforcement point cannot see accounts (reason ``account``)."""
    reach = part.reach
    if reach is None or reach.accounts is ANY:
        return part
    after = Reach(
        reach.groups, ANY, reach.endpoints, reach.exceptions, reach.ports, reach.shared, reach.source_families
    )
    return change(part, Reason.ACCOUNT, after, sentence)


def any_source(part: Part, sentence: str) -> Part:
    """The part for any source: a group of the rule is unbound (reason ``source``)."""
    reach = part.reach
    if reach is None or reach.groups is ANY:
        return part
    after = Reach(
        ANY, reach.accounts, reach.endpoints, reach.exceptions, reach.ports, reach.shared, reach.source_families
    )
    return change(part, Reason.SOURCE, after, sentence)


def drop_paths(part: Part, sentence: str) -> Part:
    """The part with its hosts whole: a path is invisible there (reason ``path``)."""
    reach = part.reach
    if reach is None or not any(isinstance(e, HostEndpoint) and e.path for e in reach.endpoints):
        return part
    hosts = dict.fromkeys(
        HostEndpoint(e.pattern) if isinstance(e, HostEndpoint) and e.path else e for e in reach.endpoints
    )
    return change(part, Reason.PATH, with_endpoints(reach, tuple(hosts)), sentence)


def by_address(part: Part, sentence: str) -> Part:
    """The part with its names matched through the address that they resolved to (reason ``resolved-address``)."""
    reach = part.reach
    if reach is None or part.kind is not Kind.NAMES or reach.shared:
        return part
    after = Reach(
        reach.groups,
        reach.accounts,
        reach.endpoints,
        reach.exceptions,
        reach.ports,
        True,  # noqa: FBT003
        reach.source_families,
    )
    changed = change(part, Reason.RESOLVED_ADDRESS, after, sentence)
    return replace(changed, recognition=Recognition.DNS)


def map_hosts(
    part: Part, reason: Reason, mapping: Callable[[HostPattern], tuple[HostPattern, ...]], sentence: str
) -> Part:
    """The part with each host pattern replaced by the patterns that the target says instead (never fewer hosts).

    Used for ``apex``, ``depth`` and ``label-wildcard``. Patterns that the replacement makes redundant are dropped.
    """
    reach = part.reach
    if reach is None or part.kind is not Kind.NAMES:
        return part
    found: dict[HostEndpoint, None] = {}
    changed = False
    for endpoint in reach.endpoints:
        if not isinstance(endpoint, HostEndpoint):
            continue
        patterns = mapping(endpoint.pattern)
        if patterns == (endpoint.pattern,):
            found[endpoint] = None
            continue
        changed = True
        for pattern in patterns:
            found[HostEndpoint(pattern, endpoint.path)] = None
    if not changed:
        return part
    plain = minimise([e.pattern for e in found if e.path is None])
    kept = {HostEndpoint(p) for p in plain}
    endpoints = tuple(e for e in found if e.path is not None or e in kept)
    return change(part, reason, with_endpoints(reach, endpoints), sentence)


def with_apex(pattern: HostPattern) -> tuple[HostPattern, ...]:
    """The mapping of ``apex``: a ``*.d`` brings its base ``d`` along."""
    return (HostPattern(pattern.labels), pattern) if pattern.deep else (pattern,)


def with_depth(pattern: HostPattern) -> tuple[HostPattern, ...]:
    """The mapping of ``depth``: a name brings all names below it along."""
    return (pattern,) if pattern.deep else (pattern, HostPattern(pattern.labels, deep=True))


def drop_exceptions(part: Part, sentence: str, keep: Callable[[Endpoint], bool] | None = None) -> Part:
    """The part without the exceptions that ``keep`` (all, if left out) does not keep (reason ``except``)."""
    reach = part.reach
    if reach is None or not reach.exceptions:
        return part
    kept = tuple(e for e in reach.exceptions if keep is not None and keep(e))
    after = Reach(reach.groups, reach.accounts, reach.endpoints, kept, reach.ports, reach.shared, reach.source_families)
    return change(part, Reason.EXCEPT, after, sentence)


def use_fallback(part: Part, sentence: str) -> tuple[Part, ...]:
    """The parts that stand in for names on a target that cannot match them: addresses and tags of the fallback.

    Without a fallback the part is gone (``no-names``), and so is a deny: at all addresses outside the fallback the
    names would stay open. The first part carries the step; its reach is the addresses' share of the fallback, and a
    part for tags follows if there are any.
    """
    reach = part.reach
    if reach is None or part.kind is not Kind.NAMES:
        return (part,)
    fallback = part.rule.fallback
    if not fallback:
        return (gone(part, Reason.NO_NAMES, sentence),)
    if part.rule.is_deny:
        open_ = "a deny of the addresses of its fallback would leave the names open at all others"
        return (gone(part, Reason.NO_NAMES, f"{sentence}, and {open_}"),)
    result = []
    for kind, endpoints in by_kind(fallback):
        after = replace(part, kind=kind, recognition=Recognition.NONE)
        result.append(change(after, Reason.FALLBACK, with_endpoints(reach, endpoints), sentence))
    return tuple(result)


def expand_tags(part: Part, site: Site[Any]) -> Part | Diagnostic:
    """The part with service tags replaced by their published addresses, which is exact; an error without the file.

    For targets that have no service tags of their own.
    """
    reach = part.reach
    if reach is None or part.kind is not Kind.TAGS:
        return part
    merged = None
    for endpoint in reach.endpoints:
        if not isinstance(endpoint, TagEndpoint):
            continue
        addresses = site.tags.get(endpoint.name.lower())
        if addresses is None:
            known = bool(site.tags)
            return Diagnostic(
                code="E0502",
                message=f"`{site.firewall}` ({site.target}) has no service tags, and the addresses of "
                f"`{endpoint.name}` are not known",
                span=part.rule.rule.span,
                label="this rule needs them",
                help="the tag is not in the file that `service-tags` names: check its spelling"
                if known
                else "name Azure's published file in the inventory: `service-tags: ServiceTags_Public.json`",
            )
        merged = addresses if merged is None else merged.union(addresses)
    if merged is None:
        return part
    after = with_endpoints(reach, (AddressEndpoint(merged),))
    return replace(part, kind=Kind.ADDRESSES, reach=after)


def by_kind(endpoints: Iterable[Endpoint]) -> tuple[tuple[Kind, tuple[Endpoint, ...]], ...]:
    """The endpoints sorted by kind, in the order names, addresses, any-address, tags; empty kinds are left out."""
    found: dict[Kind, list[Endpoint]] = {kind: [] for kind in Kind}
    for endpoint in endpoints:
        match endpoint:
            case HostEndpoint():
                found[Kind.NAMES].append(endpoint)
            case AddressEndpoint():
                found[Kind.ADDRESSES].append(endpoint)
            case AnyAddressEndpoint():
                found[Kind.ANY_ADDRESS].append(endpoint)
            case TagEndpoint():
                found[Kind.TAGS].append(endpoint)
    return tuple((kind, tuple(items)) for kind, items in found.items() if items)


def with_endpoints(reach: Reach, endpoints: tuple[Endpoint, ...]) -> Reach:
    """The reach with other endpoints (never none)."""
    assert endpoints, "an empty set is never any"
    return Reach(
        reach.groups,
        reach.accounts,
        endpoints,
        reach.exceptions,
        reach.ports,
        reach.shared,
        reach.source_families,
    )


def left_out(part: Part) -> Part:
    """A deny that meets no allow and cannot be said exactly: nothing is written, the closing deny covers it."""
    return replace(part, reach=None, steps=(), left_out=True)


def named(part: Part, *names: str, assumptions: tuple[str, ...] = ()) -> Part:
    """The part with the artefact rules that it became, and the unverified statements that they rest on."""
    return Part(
        part.rule,
        part.kind,
        part.recognition,
        part.services,
        part.start,
        part.reach,
        part.steps,
        (*part.names, *names),
        part.exempt,
        part.inspect,
        tuple(sorted({*part.assumptions, *assumptions})) if assumptions else part.assumptions,
        part.left_out,
        part.cells,
        part.cut_out,
        part.closes,
    )


def default_steps(site: Site[Any]) -> tuple[SiteStep, ...]:
    """The ``default`` step of an artefact without a closing deny; empty when there is one."""
    if site.closing_deny:
        return ()
    if site.default_deny:
        return (
            SiteStep(
                Reason.DEFAULT,
                "a group that it governs is unbound, so there is no closing deny",
                Level.WARNING,
            ),
        )
    return (SiteStep(Reason.DEFAULT, "`default-deny` is off: what no rule matches is left to other rules"),)


def _with(part: Part, reach: Reach | None, step: Step) -> Part:
    return Part(
        part.rule,
        part.kind,
        part.recognition,
        part.services,
        part.start,
        reach,
        (*part.steps, step),
        part.names,
        part.exempt,
        part.inspect,
        part.assumptions,
        part.left_out,
        part.cells,
        part.cut_out,
        part.closes,
    )
