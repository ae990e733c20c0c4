"""Whether what goes past a proxy keeps what the policy says of its inspection.

Rules are cut one by one, and an allow that is not in a bypass may be the one that says `no-tls-inspection` of flows
that another allow lets past the proxy: then no firewall would hear of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.anything import Anything
from egressc.diagnostics import Diagnostic, Related
from egressc.flows import boxes
from egressc.flows_index import FlowIndex
from egressc.policy import AnyAddressEndpoint, HostEndpoint, Inspection
from egressc.tls import tls_reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egressc.bind_proxy import Proxies
    from egressc.flows import Flow
    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.site import BoundRule, Site

_SAYS = {Inspection.MUST_NOT: "must not be inspected", Inspection.MUST: "must be inspected"}


def inspection_lost(whole: Site[None], direct: Site[None], proxies: Proxies) -> Iterator[Diagnostic]:
    """An error for each rule that says of inspection what holds for flows past a proxy, but does not go past it itself.

    ``whole`` is the site of everything, ``direct`` that of what goes directly. Names are compared with names, addresses
    with addresses, as in a bypass.
    """
    speaking = [rule for rule in whole.rules if not rule.is_deny and rule.rule.inspection in _SAYS]
    if not any(proxies.of(group.name) is not None for rule in speaking for group in rule.groups):
        return
    allows = [rule for rule in direct.rules if not rule.is_deny]
    told: set[tuple[str, str]] = set()
    for names in (True, False):
        past = [
            (rule, part) for rule in allows if (part := _part(rule.reach, proxies, direct, names=names)) is not None
        ]
        index = FlowIndex([part for _, part in past], direct.tags)
        kept = {each: _asked(allows, each, proxies, direct, names=names) for each in _SAYS}
        for rule in speaking:
            asked = tls_reach(rule)
            mine = None if asked is None else _part(asked, proxies, whole, names=names)
            if mine is None:
                continue
            without = (direct.index.denies, kept[rule.rule.inspection])
            found = index.first_inside(tuple(boxes(mine, whole.tags)), (), without)
            if found is not None:
                other = past[found[1]][0]
                if (rule.identity, other.identity) not in told:
                    told.add((rule.identity, other.identity))
                    yield _lost(rule, other, found[0], proxies)


def _part(reach: Reach, proxies: Proxies, site: Site[None], *, names: bool) -> Reach | None:
    """What of a reach is from groups behind a proxy, and to names or to addresses."""
    who = {group.name for group in site.groups} if isinstance(reach.groups, Anything) else reach.groups
    groups = frozenset(name for name in who if proxies.of(name) is not None)
    endpoints = tuple(e for e in reach.endpoints if _is_of(e, names=names))
    return replace(reach, groups=groups, endpoints=endpoints) if groups and endpoints else None


def _is_of(endpoint: Endpoint, *, names: bool) -> bool:
    return isinstance(endpoint, AnyAddressEndpoint) or isinstance(endpoint, HostEndpoint) is names


def _asked(
    rules: Iterable[BoundRule], inspection: Inspection, proxies: Proxies, site: Site[None], *, names: bool
) -> FlowIndex:
    """What the rules that say this of inspection match on their TLS ports, by name or by address."""
    found = [tls_reach(rule) for rule in rules if rule.rule.inspection is inspection]
    parts = [_part(each, proxies, site, names=names) for each in found if each is not None]
    return FlowIndex([part for part in parts if part is not None], site.tags)


def _lost(rule: BoundRule, other: BoundRule, flow: Flow, proxies: Proxies) -> Diagnostic:
    behind = proxies.of(flow.group or "")
    inspection = rule.rule.inspection
    setting = "tls-inspection" if inspection is Inspection.MUST else "no-tls-inspection"
    return Diagnostic(
        code="E0441",
        message=f"`{rule.identity}` says that flows {_SAYS[inspection]} which `{other.identity}` lets past the proxy "
        f"of `{flow.group}`, and goes through the proxy itself",
        span=rule.rule.span if behind is None else behind.proxy.span,
        label=f"e.g. {flow.text}",
        help=f"name `{rule.identity}` in `bypass`, too, or write `{setting}` into `{other.identity}`",
        related=(
            Related(span=rule.rule.span, text="not in `bypass`"),
            Related(span=other.rule.span, text="in `bypass`"),
        ),
    )
