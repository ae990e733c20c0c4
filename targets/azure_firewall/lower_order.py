"""Denies by name against allows by address: network rules are processed first, whatever the priorities."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from egressc.addresses import union_of
from egressc.approximate import gone
from egressc.diagnostics import Diagnostic, Related
from egressc.lowering import Part, Step
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reach import Reach
from egressc.reasons import Effect, Reason
from egressc.services import NO_PORTS
from egressc.targets.azure_firewall.draft import Form, with_exceptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.anything import Anything
    from egressc.policy import Endpoint
    from egressc.services import PortSet
    from egressc.site import BoundRule
    from egressc.targets.azure_firewall.draft import Draft


@dataclass(frozen=True, slots=True)
class NetworkAllow:
    """Everything that network rules allow from some groups on some ports; ``rule`` is the first of the rules.

    ``endpoints`` is ``None`` when it cannot be subtracted from a reach: names matched by their addresses, or addresses
    with exceptions.
    """

    groups: frozenset[str] | Anything
    ports: PortSet
    endpoints: tuple[Endpoint, ...] | None
    rule: BoundRule


class NetworkAllows:
    """What network rules allow, by sources and ports: any name may stand for any of their addresses."""

    def __init__(self, drafts: Sequence[Draft]) -> None:
        by_signature: dict[tuple[frozenset[str] | Anything, PortSet], list[Draft]] = {}
        for draft in drafts:
            reach = draft.part.reach
            if draft.form is Form.NETWORK and reach is not None and not draft.is_deny:
                by_signature.setdefault((reach.groups, reach.ports), []).append(draft)
        self._all = tuple(
            NetworkAllow(groups, ports, _endpoints(found), found[0].part.rule)
            for (groups, ports), found in by_signature.items()
        )
        self._by_group: dict[str, PortSet] = {}
        self._from_any = NO_PORTS
        self._together = NO_PORTS
        for allow in self._all:
            self._together = self._together.union(allow.ports)
            if isinstance(allow.groups, frozenset):
                for name in allow.groups:
                    self._by_group[name] = self._by_group.get(name, NO_PORTS).union(allow.ports)
            else:
                self._from_any = self._from_any.union(allow.ports)

    def may_meet(self, reach: Reach) -> bool:
        """True if some network allow has sources and ports in common with the reach."""
        if not isinstance(reach.groups, frozenset):
            return self._together.overlaps(reach.ports)
        if self._from_any.overlaps(reach.ports):
            return True
        return any(self._by_group.get(name, NO_PORTS).overlaps(reach.ports) for name in reach.groups)

    def meeting(self, reach: Reach) -> tuple[NetworkAllow, ...]:
        """The network allows that have sources and ports in common with the reach."""
        if not self.may_meet(reach):
            return ()
        return tuple(
            allow
            for allow in self._all
            if allow.ports.overlaps(reach.ports) and not _disjoint(allow.groups, reach.groups)
        )


def _disjoint(one: frozenset[str] | Anything, other: frozenset[str] | Anything) -> bool:
    return isinstance(one, frozenset) and isinstance(other, frozenset) and one.isdisjoint(other)


def _endpoints(drafts: Sequence[Draft]) -> tuple[Endpoint, ...] | None:
    """The endpoints of network rules together; any-address contains the rest."""
    addresses = []
    found: dict[Endpoint, None] = {}
    for draft in drafts:
        reach = draft.part.reach
        assert reach is not None, "only written drafts count"
        if reach.exceptions:
            return None
        for endpoint in reach.endpoints:
            match endpoint:
                case HostEndpoint():
                    return None
                case AnyAddressEndpoint():
                    return (endpoint,)
                case TagEndpoint():
                    found[endpoint] = None
                case AddressEndpoint():
                    addresses.append(endpoint.addresses)
    if addresses:
        found[AddressEndpoint(union_of(addresses))] = None
    return tuple(found)


def announce_order(drafts: Sequence[Draft], allows: NetworkAllows) -> tuple[tuple[Draft, ...], tuple[Diagnostic, ...]]:
    """The drafts with what network allows take away from denies by name (reason ``order``), and errors.

    The rules of such a deny are written all the same: they hold for all other flows.
    """
    result = []
    diagnostics = []
    for draft in drafts:
        reach = draft.part.reach
        if not draft.is_deny or draft.form is Form.NETWORK or reach is None:
            result.append(draft)
            continue
        met = allows.meeting(reach)
        if not met:
            result.append(draft)
            continue
        pieces = _pieces(draft.part, met)
        if pieces is None:
            diagnostics.append(_cannot(draft.part.rule, met[0].rule))
            result.append(draft)
        else:
            result.append(replace(draft, pieces=pieces))
    return tuple(result), tuple(diagnostics)


def _sentence(allow: BoundRule) -> str:
    return (
        f"network rules are processed before application rules, so `{allow.identity}`, which allows addresses, wins "
        "over this deny, which names hosts: deny the addresses too, or let that rule allow names"
    )


def _cannot(deny: BoundRule, allow: BoundRule) -> Diagnostic:
    return Diagnostic(
        code="E0745",
        message=f"`{deny.identity}` denies names that `{allow.identity}` lets through by address",
        span=deny.rule.span,
        label="Azure Firewall processes the network rules of that allow before this deny",
        help="write the deny by address, or the allow by names on `https`, `http` or `tls` ports, or let the two have "
        "no group or port in common",
        related=(Related(span=allow.rule.span, text="this allow becomes a network rule"),),
    )


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a deny: sources, ports, and what network rules allow there before it is looked at."""

    groups: frozenset[str] | Anything
    ports: PortSet
    lost: tuple[Endpoint, ...]
    by: BoundRule | None


def _pieces(part: Part, met: Sequence[NetworkAllow]) -> tuple[Part, ...] | None:
    """The part in pieces, each without what is lost there; ``None`` if that cannot be said as reaches."""
    reach = part.reach
    assert reach is not None, "only written drafts are divided"
    pieces = [_Piece(reach.groups, reach.ports, (), None)]
    for allow in met:
        if allow.endpoints is None:
            return None
        following: list[_Piece] = []
        for piece in pieces:
            shared = piece.ports.intersection(allow.ports)
            if shared.is_empty or _disjoint(piece.groups, allow.groups):
                following.append(piece)
                continue
            inside = piece.groups
            if isinstance(allow.groups, frozenset):
                if not isinstance(piece.groups, frozenset):
                    return None  # no set of groups stands for every source but these
                inside = piece.groups & allow.groups
                if piece.groups - inside:
                    following.append(_Piece(piece.groups - inside, piece.ports, piece.lost, piece.by))
            rest = piece.ports.difference(shared)
            if not rest.is_empty:
                following.append(_Piece(inside, rest, piece.lost, piece.by))
            following.append(_Piece(inside, shared, (*piece.lost, *allow.endpoints), piece.by or allow.rule))
        pieces = following
    return tuple(_of_piece(part, piece) for piece in pieces)


def _of_piece(part: Part, piece: _Piece) -> Part:
    """The part of a piece, with the steps so far for that piece alone, and the step that takes away what is lost."""

    def within(reach: Reach) -> Reach:
        groups = reach.groups
        if isinstance(piece.groups, frozenset):
            groups = piece.groups
        return Reach(
            groups,
            reach.accounts,
            reach.endpoints,
            reach.exceptions,
            reach.ports.intersection(piece.ports),
            reach.shared,
            reach.source_families,
        )

    assert part.reach is not None, "only written drafts are divided"
    steps = tuple(
        Step(
            step.reason,
            step.effect,
            step.sentence,
            within(step.before),
            None if step.after is None else within(step.after),
            step.level,
        )
        for step in part.steps
    )
    result = replace(part, start=within(part.start), reach=within(part.reach), steps=steps)
    if piece.by is None:
        return result
    sentence = _sentence(piece.by)
    if any(isinstance(endpoint, AnyAddressEndpoint) for endpoint in piece.lost):
        return gone(result, Reason.ORDER, sentence)
    before = result.reach
    assert before is not None, "only written drafts are divided"
    after = with_exceptions(before, (*before.exceptions, *dict.fromkeys(piece.lost)))
    step = Step(Reason.ORDER, Effect.NARROWER, sentence, before, after)
    return replace(result, reach=after, steps=(*result.steps, step))
