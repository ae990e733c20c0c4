"""What a firewall is to do with flows of a group behind a proxy: what of the policy is in the bypass, and the proxy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from egressc.addresses import ALL
from egressc.flows import boxes
from egressc.flows_search import common, difference, in_both
from egressc.question_answer import Decision, Verdict, decide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egressc.addresses import AddressSet
    from egressc.bind import Prepared
    from egressc.flows import Box
    from egressc.site import Site


_MANY: Final = 64
"""Of more rules that match some of the flows, whether they are cut at all is asked, not whether any flow is lost."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a firewall is to do with some flows. Where that is not what the policy says, ``why`` says why in words."""

    decision: Decision
    why: str = ""


def expected(
    prepared: Prepared, site: Site[Any], whole: Site[None], group: str, some: Sequence[Box], policy: Decision
) -> Expected:
    """What the firewall of ``site`` is to do with flows of one group, of which the policy says ``policy``."""
    behind = prepared.proxies.of(group)
    if behind is None:
        return Expected(policy)
    here = decide(site.index, some)
    # A name of which nobody says where it resolves to is taken to be outside of the house, where most proxies are not.
    outside = ALL.difference(site.internal)
    asked = [replace(box, addresses=outside) if box.addresses is ALL else box for box in some]
    asked = [box for box in asked if common(box, box) is not None]
    words = ""
    if asked:
        policy, to_do = decide(whole.index, asked), decide(site.index, asked)
        if to_do.verdict is not policy.verdict or _loses(asked, policy, to_do, site.tags):
            words = _words(policy, to_do, behind.rule.identity)
    return Expected(here, f"the group is behind the proxy {behind.proxy.text}: {words}" if words else "")


def _loses(asked: Sequence[Box], policy: Decision, to_do: Decision, tags: Mapping[str, AddressSet]) -> bool:
    """True if the policy allows some of the flows that the firewall is to let through no more, by any of its rules."""
    if policy.verdict is not Verdict.UNKNOWN:
        return False
    if len(policy.allows) > _MANY:
        return {rule.reach for rule in policy.allows} != {rule.reach for rule in to_do.allows}
    held = [[box for rule in some for box in boxes(rule.reach, tags)] for some in (policy.allows, to_do.matching)]
    return bool(difference(in_both(asked, held[0]), held[1]))


def _words(policy: Decision, here: Decision, to_proxy: str) -> str:
    """Why a firewall is to decide otherwise than the policy."""
    if any(rule.identity == to_proxy for rule in here.allows):
        return "this is the way there" if here.verdict is Verdict.ALLOW else "a part of these flows goes there"
    if here.verdict is Verdict.DENY:
        if policy.verdict is Verdict.ALLOW:
            return "this destination is not in its `bypass`, so it is reached through the proxy only"
        return "what the policy allows of this is not in its `bypass`, so it is reached through the proxy only"
    return "not all that the policy allows of this is in its `bypass`; the rest is reached through the proxy only"
