"""Includes: which rules take effect in the end, and for whom.

``from`` and ``as`` of an including policy replace the *defaults* of what it includes, so along a chain of includes the
outermost policy that states one decides; what a rule says itself stays.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.anything import ANY, Anything
from egressc.diagnostics import Diagnostic, Related
from egressc.policy import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.policy import Account, GroupName
    from egressc.resolve_policies import Included, StatedPolicy
    from egressc.resolve_report import Report
    from egressc.resolve_rules import StatedRule

_Groups = tuple["GroupName", ...] | Anything | None
_Accounts = tuple["Account", ...] | None
_Key = tuple[object, object]

Policies = dict[int, "StatedPolicy"]
"""Policies by the identity of their nodes."""


@dataclass(frozen=True, slots=True)
class _Visit:
    """A policy on the way through the includes of an outermost one.

    ``through`` is the outermost policy's own include that led here, ``None`` for that policy itself.
    """

    policy: StatedPolicy
    groups: _Groups
    accounts: _Accounts
    through: Included | None

    @property
    def key(self) -> _Key:
        return (_names(self.groups), _names(self.accounts))


def rules_in_effect(policies: Policies, report: Report) -> tuple[Rule, ...]:
    """The rules of every policy that takes effect, and of what it includes, in the order of their identity."""
    cut = _check_circles(policies, report)
    rules: list[Rule] = []
    for policy in policies.values():
        if policy.takes_effect:
            rules += _Expansion(policy, policies, cut, report).rules()
    rules.sort(key=lambda rule: rule.identity)
    return tuple(rules)


class _Expansion:
    """The rules of one outermost policy."""

    def __init__(
        self,
        outermost: StatedPolicy,
        policies: Mapping[int, StatedPolicy],
        cut: frozenset[tuple[int, int]],
        report: Report,
    ) -> None:
        self._outermost = outermost
        self._policies = policies
        self._cut = cut
        self._report = report
        self._first: dict[int, _Visit] = {}
        self._told: set[int] = set()

    def rules(self) -> list[Rule]:
        outermost = self._outermost
        rules: list[Rule] = []
        seen: set[tuple[int, _Key]] = set()
        waiting = [_Visit(outermost, outermost.groups, outermost.accounts, None)]
        while waiting:
            visit = waiting.pop()
            node = id(visit.policy.node)
            if (node, visit.key) in seen:
                continue
            seen.add((node, visit.key))
            first = self._first.setdefault(node, visit)
            if first is visit:
                self._check_from(visit)
                rules += self._rules_of(visit)
            elif self._check_same(first, visit):
                continue
            for included in reversed(visit.policy.includes):
                if (node, id(included.policy)) in self._cut:
                    continue
                inner = self._policies[id(included.policy)]
                groups = inner.groups if visit.groups is None else visit.groups
                accounts = inner.accounts if visit.accounts is None else visit.accounts
                waiting.append(_Visit(inner, groups, accounts, visit.through or included))
        return rules

    def _rules_of(self, visit: _Visit) -> list[Rule]:
        outermost = self._outermost.head
        policy = visit.policy
        prefix = outermost.name if visit.through is None else f"{outermost.name}/{policy.head.name}"
        accounts = ANY if visit.accounts is None else visit.accounts
        groups = () if visit.groups is None else visit.groups
        return [
            Rule(
                identity=f"{prefix}/{rule.name}",
                action=rule.action,
                description=rule.description,
                groups=groups if rule.groups is None else rule.groups,
                accounts=accounts if rule.accounts is None else rule.accounts,
                to=rule.to,
                services=rule.services,
                inspection=rule.inspection,
                log=rule.log,
                feature=None if rule.feature is None else rule.feature[0],
                feature_span=None if rule.feature is None else rule.feature[1],
                expires=rule.expires,
                ticket=rule.ticket or outermost.ticket,
                reference=rule.reference or outermost.reference,
                policy=outermost,
                span=rule.span,
            )
            for rule in policy.rules
        ]

    def _check_from(self, visit: _Visit) -> None:
        if visit.groups is not None or visit.policy.node.damaged or self._outermost.node.damaged:
            return
        open_ = [rule for rule in visit.policy.rules if rule.groups is None]
        if not open_:
            return
        if visit.through is None:
            self._told.add(id(visit.policy))
            self._report.add(_no_from(visit.policy, open_))
        elif not (visit.policy.takes_effect or id(self._outermost) in self._told):
            # One `from` in the outermost policy mends all of them.
            self._told.add(id(self._outermost))
            self._report.add(_open_from(self._outermost, visit.policy, visit.through))

    def _check_same(self, first: _Visit, again: _Visit) -> bool:
        """True if a policy that is reached again would mean something else than before, which is reported."""
        rules = first.policy.rules
        settings = [
            keyword
            for keyword, differs, is_open in (
                ("from", _names(first.groups) != _names(again.groups), any(r.groups is None for r in rules)),
                ("as", _names(first.accounts) != _names(again.accounts), any(r.accounts is None for r in rules)),
            )
            if differs and is_open
        ]
        if not settings:
            return False
        node = id(first.policy.node)
        if node not in self._told:
            self._told.add(node)
            self._report.add(_two_ways(self._outermost, first, again, settings[0]))
        return True


def _check_circles(policies: Policies, report: Report) -> frozenset[tuple[int, int]]:
    """Reports policies that include each other; returns the includes without which there would be no circle."""
    cut: set[tuple[int, int]] = set()
    called = Counter(policy.head.name for policy in policies.values())
    done: set[int] = set()
    for start in policies:
        path: list[int] = []
        open_: dict[int, int] = {}
        waiting = [start]
        while waiting:
            node = waiting[-1]
            if node in done or node in open_:
                waiting.pop()
                if path and path[-1] == node:
                    path.pop()
                    del open_[node]
                    done.add(node)
                continue
            open_[node] = len(path)
            path.append(node)
            for included in reversed(policies[node].includes):
                inner = id(included.policy)
                if inner in open_:
                    cut.add((node, inner))
                    circle = [policies[n] for n in path[open_[inner] :]]
                    # Of two policies of one name, which is an error by itself, the other may be meant.
                    if all(called[policy.head.name] == 1 for policy in circle):
                        report.add(_circle(circle, included))
                else:
                    waiting.append(inner)
    return frozenset(cut)


def _names(of: Iterable[GroupName] | Iterable[Account] | Anything | None) -> object:
    return of if of is None or isinstance(of, Anything) else tuple([member.name for member in of])


def _circle(circle: list[StatedPolicy], included: Included) -> Diagnostic:
    names = [policy.head.name for policy in circle]
    chain = " → ".join(f"`{name}`" for name in [*names, names[0]])
    alone = len(circle) == 1
    return Diagnostic(
        code="E0227",
        message=f"the policy `{names[0]}` includes itself" if alone else f"policies include each other: {chain}",
        span=included.statement.name.span,
        label="itself" if alone else "closes the circle",
        help="remove one of these includes",
        related=()
        if alone
        else tuple(
            Related(span=policy.head.span, text=f"`{policy.head.name}`, a part of the circle") for policy in circle
        ),
    )


def _no_from(policy: StatedPolicy, open_: list[StatedRule]) -> Diagnostic:
    first, *others = open_
    more = (
        "" if not others else f", nor have {len(others)} more rules" if len(others) > 1 else ", nor has one more rule"
    )
    return Diagnostic(
        code="E0225",
        message=f"the rule `{first.name}` has no `from`{more}",
        span=first.span,
        label=f"neither the rule nor the policy `{policy.head.name}` says from where",
        help="write `from GROUP` in the policy or in the rule; `from any-group` means every group",
        related=tuple(Related(span=rule.span, text="nor has this one") for rule in others[:5]),
    )


def _open_from(outermost: StatedPolicy, policy: StatedPolicy, through: Included) -> Diagnostic:
    name = policy.head.name
    direct = through.policy is policy.node
    return Diagnostic(
        code="E0226",
        message=f"the policy `{name}` leaves `from` open, and `{outermost.head.name}` does not state it",
        span=through.statement.name.span,
        label="rules for nobody" if direct else f"includes `{name}`: rules for nobody",
        help=f"write `from GROUP` in `{outermost.head.name}`; `from any-group` means every group",
        related=(Related(span=policy.head.span, text="leaves `from` open"),),
    )


def _two_ways(outermost: StatedPolicy, first: _Visit, again: _Visit, keyword: str) -> Diagnostic:
    name = first.policy.head.name
    places = [v.through.statement.name.span for v in (first, again) if v.through is not None]
    return Diagnostic(
        code="E0228",
        message=f"`{outermost.head.name}` reaches the policy `{name}` twice, each time with another `{keyword}`",
        span=max(places, key=lambda s: (s.source.name, s.start)),
        label="one of the two ways",
        help=f"state `{keyword}` in `{outermost.head.name}`, or include `{name}` on one way only",
        related=tuple(
            Related(span=span, text="the other way")
            for span in sorted(set(places), key=lambda s: (s.source.name, s.start))[:-1]
        ),
    )
