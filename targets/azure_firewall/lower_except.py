"""Exceptions: a deny directly above the allow that it belongs to, these pairs behind all plain allows.

Which deny can say an exception depends on its type. A name cut out of names is an application rule. An address is a
network rule, which is processed before every application rule and so cuts into all of them. A name cannot be cut out of
addresses at all, because the allow has matched before any application rule is looked at.
"""

from __future__ import annotations

from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from egressc.anything import ANY
from egressc.approximate import drop_exceptions
from egressc.flows_index import FlowIndex
from egressc.lowering import Recognition
from egressc.policy import HostEndpoint, Inspection
from egressc.reach import Reach
from egressc.targets.azure_firewall.draft import Band, Form
from egressc.targets.azure_firewall.fqdn import is_sayable
from egressc.targets.azure_firewall.lower_names import sees_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.policy import Endpoint
    from egressc.targets.azure_firewall.draft import Desk, Draft


class AllowIndex:
    """The allows as drafted, found by what they overlap, all widenings included."""

    def __init__(self, drafts: Sequence[Draft], desk: Desk) -> None:
        written = [(d, d.part.reach) for d in drafts if not d.is_deny]
        self._drafts = [draft for draft, reach in written if reach is not None]
        self._index = FlowIndex([reach for _, reach in written if reach is not None], desk.site.tags)

    def meeting(self, reach: Reach) -> tuple[Draft, ...]:
        """The drafts that overlap a reach, in the order of the drafts."""
        return tuple([self._drafts[number] for number in self._index.meeting(reach)])


def say_exceptions(drafts: Sequence[Draft], desk: Desk) -> tuple[Draft, ...]:
    """The drafts with only those exceptions that can be said; those that have any are in their band.

    Pairs stand last in the result, in an order in which no exception cuts into a later pair.
    """
    current = [_sayable(draft, desk) if has_exceptions(draft) else draft for draft in drafts]
    while any(has_exceptions(draft) for draft in current):
        index = AllowIndex(current, desk)
        following = [_without_vain_cuts(draft, index) if has_exceptions(draft) else draft for draft in current]
        if following == current:
            ordered, stuck = _ordered([d for d in current if has_exceptions(d)], index)
            if not stuck:
                plain = [d for d in current if not has_exceptions(d)]
                return (*plain, *(_in_band(draft, index, desk) for draft in ordered))
            sentence = "the exceptions of two rules cut into each other, so neither can stand first"
            following = [_without_cuts_into(d, stuck, index, sentence) if d in stuck else d for d in current]
        current = following
    return tuple(current)


def cuts(draft: Draft) -> tuple[tuple[Form, tuple[Endpoint, ...]], ...]:
    """The exceptions of a draft by the type of rule that denies them."""
    reach = draft.part.reach
    if reach is None:
        return ()
    names = tuple(e for e in reach.exceptions if isinstance(e, HostEndpoint))
    others = tuple(e for e in reach.exceptions if not isinstance(e, HostEndpoint))
    found: list[tuple[Form, tuple[Endpoint, ...]]] = []
    if names:
        found.append((Form.APPLICATION, names))
    if others:
        found.append((Form.NETWORK, others))
    return tuple(found)


def with_closes(draft: Draft, desk: Desk) -> Draft:
    """The draft with what its exceptions deny below all allows, and the closing deny does not.

    That one is for the governed sources, and leaves the internal networks alone, where names and tags may lead to.
    """
    reach = draft.part.reach
    if reach is None or (reach.groups is not ANY and desk.site.internal.is_empty):
        return draft
    closes = tuple([_reach_of_cut(reach, endpoints) for _, endpoints in cuts(draft)])
    return draft.with_part(replace(draft.part, closes=closes))


def has_exceptions(draft: Draft) -> bool:
    """True if rules are written for the draft and for exceptions of it."""
    return draft.part.reach is not None and bool(draft.part.reach.exceptions)


def _dropped(draft: Draft, sentence: str) -> Draft:
    return draft.with_part(drop_exceptions(draft.part, sentence))


def _sayable(draft: Draft, desk: Desk) -> Draft:
    """The draft with those exceptions that its types of rules could say, whatever else is there."""
    part = draft.part
    if draft.is_deny:
        return _dropped(draft, "nothing can be cut out of a deny: what its exception allows is another rule's matter")
    if not desk.site.closing_deny:
        return _dropped(draft, "without a closing deny, the deny of an exception would decide what no rule does")
    paths = sees_paths(part, desk, draft.terminates)

    def keep(endpoint: Endpoint) -> bool:
        if not isinstance(endpoint, HostEndpoint):
            return not desk.site.names_internal((endpoint,))
        if draft.form is Form.NETWORK or not is_sayable(endpoint.pattern):
            return False
        return endpoint.path is None or (paths and endpoint.pattern.is_exact)

    return draft.with_part(drop_exceptions(part, _why(draft), keep))


def _why(draft: Draft) -> str:
    if draft.form is Form.NETWORK:
        return "network rules come before all others, so no name can be cut out of them, nor an internal network"
    return (
        "no application rule denies this exception alone (a path that it does not see, a wildcard that it does not "
        "take), and no network rule may deny an internal network"
    )


def _reach_of_cut(reach: Reach, endpoints: tuple[Endpoint, ...]) -> Reach:
    return Reach(reach.groups, ANY, endpoints, (), reach.ports, False, reach.source_families)  # noqa: FBT003


def _without_vain_cuts(draft: Draft, index: AllowIndex) -> Draft:
    """The draft without exceptions by address that would also cut into application rules."""
    reach = draft.part.reach
    assert reach is not None, "only written drafts have exceptions"
    for form, endpoints in cuts(draft):
        if form is Form.APPLICATION:
            continue
        for other in index.meeting(_reach_of_cut(reach, endpoints)):
            if other.form is Form.APPLICATION and other.part.rule is not draft.part.rule:
                sentence = (
                    "network rules are processed before application rules, so denying these addresses would also cut "
                    f"into `{other.part.rule.identity}`"
                )
                kept = drop_exceptions(draft.part, sentence, lambda e: isinstance(e, HostEndpoint))
                return draft.with_part(kept)
    return draft


def _without_cuts_into(draft: Draft, stuck: frozenset[Draft], index: AllowIndex, sentence: str) -> Draft:
    """The draft without those exceptions that cut into other pairs of its circle."""
    reach = draft.part.reach
    assert reach is not None, "only written drafts have exceptions"

    def keep(endpoint: Endpoint) -> bool:
        met = index.meeting(_reach_of_cut(reach, (endpoint,)))
        return not any(other in stuck and other.part.rule is not draft.part.rule for other in met)

    return draft.with_part(drop_exceptions(draft.part, sentence, keep))


def _ordered(pairs: Sequence[Draft], index: AllowIndex) -> tuple[list[Draft], frozenset[Draft]]:
    """The pairs in an order in which no deny cuts into a later allow, and those that stand in a circle."""
    mine = set(pairs)
    before: dict[Draft, list[Draft]] = {}
    for draft in pairs:
        reach = draft.part.reach
        assert reach is not None, "only written drafts have exceptions"
        before[draft] = [
            other
            for form, endpoints in cuts(draft)
            for other in index.meeting(_reach_of_cut(reach, endpoints))
            if other in mine and other.form is form and other.part.rule is not draft.part.rule
        ]
    try:
        return list(TopologicalSorter(before).static_order()), frozenset()
    except CycleError as error:
        return [], frozenset(error.args[1])


def _in_band(draft: Draft, index: AllowIndex, desk: Desk) -> Draft:
    """The pair where it stands: behind all plain allows, or among the exemptions where it must and can.

    There it stands before what may be inspected, so its denies must not meet any other allow but plain exemptions.
    """
    part, reach = draft.part, draft.part.reach
    assert reach is not None, "only written drafts have exceptions"
    exempts = (
        desk.settings.can_inspect
        and part.recognition is Recognition.SNI
        and part.rule.rule.inspection is Inspection.MUST_NOT
    )
    if exempts and not any(
        other.part.rule is not part.rule and (other.band is not Band.EXEMPT or has_exceptions(other))
        for _, endpoints in cuts(draft)
        for other in index.meeting(_reach_of_cut(reach, endpoints))
    ):
        return replace(draft, band=Band.EXEMPT)
    return replace(draft, band=Band.EXCEPT)
