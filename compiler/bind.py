"""Binding: the policy and the inventory meet, and what each artefact is compiled from comes out.

Unions become their members, features choose groups, parameters are filled, account bindings are replaced, expired
allows are left out, and exceptions are subtracted as far as sets of names and addresses can say it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from egressc.anything import ANY, Anything
from egressc.bind_names import check_names, group_problems
from egressc.diagnostics import Diagnostic
from egressc.fill import Filled, Filler
from egressc.policy import Account, Action
from egressc.reach import Reach
from egressc.services import PortSet
from egressc.site import BoundGroup, BoundRule, Site

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from egressc.inventory import Firewall, Group, Inventory
    from egressc.policy import Policy, Rule
    from egressc.targets.protocol import Target

ANY_GROUP = "any-group"
"""What a firewall governs when no inventory and no rule names a group."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A policy that has met an inventory: the rules that hold at a date, with accounts as they are called here."""

    policy: Policy
    inventory: Inventory
    as_of: date
    rules: tuple[Rule, ...]
    accounts: dict[str, Account]
    filler: Filler


def prepare(policy: Policy, inventory: Inventory, as_of: date) -> tuple[Prepared, tuple[Diagnostic, ...]]:
    """The policy ready to be bound to firewalls, and what is wrong between it and the inventory.

    Every name that a rule gives a group must be one of the inventory, if there is one; every parameter in use must be
    bound for every group that needs it. Expired allows are left out, expired denies stay, both with a warning.
    """
    diagnostics = list(group_problems(policy, inventory))
    diagnostics.extend(check_names(policy, inventory))
    rules = []
    for rule in policy.rules:
        if rule.expires is not None and rule.expires < as_of:
            diagnostics.append(_expired(rule))
            if rule.action is Action.ALLOW:
                continue
        rules.append(rule)
    accounts = {account.name: _account(account, inventory) for account in policy.accounts}
    filler = Filler(inventory)
    prepared = Prepared(policy, inventory, as_of, tuple(rules), accounts, filler)
    if not any(d.code == "E0503" for d in diagnostics):
        everyone = _everyone(prepared)
        for rule in rules:
            for group in _groups_of(rule, everyone, inventory):
                filler.filled(rule, group)
        diagnostics.extend(filler.diagnostics)
    return prepared, tuple(diagnostics)


def bind_everything(prepared: Prepared) -> Site[None]:
    """One site of all groups and all rules, for questions about the policy's own meaning."""
    groups = tuple(_bound(group, "") for group in _everyone(prepared))
    return Site(
        "",
        "",
        "",
        None,
        groups,
        _bound_rules(prepared, groups),
        prepared.inventory.internal,
        default_deny=True,
        closing_deny=True,
        tags=_tags(prepared.inventory),
        as_of=prepared.as_of,
        span=None,
    )


def bind(
    prepared: Prepared, firewall: Firewall, target: Target[Any, Any], settings: object
) -> tuple[Site[Any], ...]:
    """The sites of one firewall: one, or one for each group that a host firewall governs."""
    everyone = _everyone(prepared)
    if firewall.groups is ANY:
        governed = everyone
    else:
        governed = prepared.inventory.leaves(firewall.groups)
    groups = tuple(_bound(group, firewall.target) for group in governed)
    default_deny = target.default_deny(settings)
    apart = [(group,) for group in groups] if target.per_group(settings) else [groups]
    sites = []
    for own in apart:
        unbound = any(group.is_unbound for group in own)
        sites.append(
            Site(
                f"{firewall.name}/{own[0].name}" if len(apart) > 1 else firewall.name,
                firewall.name,
                firewall.target,
                settings,
                own,
                _bound_rules(prepared, own),
                prepared.inventory.internal,
                default_deny=default_deny,
                closing_deny=default_deny and (firewall.unbound_allowed or not unbound),
                tags=_tags(prepared.inventory),
                as_of=prepared.as_of,
                span=firewall.span,
            )
        )
    return tuple(sites)


def _everyone(prepared: Prepared) -> tuple[Group, ...]:
    """All groups that are no unions; without an inventory, the groups that the rules name, each unbound."""
    from egressc.inventory import Group  # noqa: PLC0415 - only needed here at run time

    inventory = prepared.inventory
    if inventory.source is not None:
        return inventory.leaves(ANY)
    named = {
        group.name: group.span
        for rule in prepared.policy.rules
        if not isinstance(rule.groups, Anything)
        for group in rule.groups
    }
    if not named and prepared.policy.rules:
        return (Group(name=ANY_GROUP, span=prepared.policy.rules[0].span),)
    return tuple(Group(name=name, span=named[name]) for name in sorted(named))


def _groups_of(rule: Rule, governed: Iterable[Group], inventory: Inventory) -> tuple[Group, ...]:
    """The governed groups that the rule is for, with those that lack its feature left out."""
    if isinstance(rule.groups, Anything):
        found = tuple(governed)
    elif inventory.source is None:
        wanted = {group.name for group in rule.groups}
        found = tuple(group for group in governed if group.name in wanted)
    else:
        wanted = {group.name for group in inventory.leaves(group.name for group in rule.groups)}
        found = tuple(group for group in governed if group.name in wanted)
    if rule.feature is None:
        return found
    return tuple(group for group in found if rule.feature in group.features)


def _bound(group: Group, target: str) -> BoundGroup:
    from egressc.addresses import EMPTY  # noqa: PLC0415 - only needed here at run time

    known = group.object_for(target)
    addresses = group.networks
    if addresses is None:
        return BoundGroup(group.name, group.description, EMPTY if known else ANY, known, group.span)
    return BoundGroup(group.name, group.description, addresses, known, group.span)


def _bound_rules(prepared: Prepared, groups: tuple[BoundGroup, ...]) -> tuple[BoundRule, ...]:
    """The rules of a site in the order of their keys; a rule for none of its groups is not among them."""
    inventory = prepared.inventory
    bound = {group.name: group for group in groups}
    governed = tuple(group for group in _everyone(prepared) if group.name in bound)
    memo: dict[tuple[object, ...], tuple[Group, ...]] = {}
    held: dict[tuple[str, ...], tuple[tuple[BoundGroup, ...], frozenset[str]]] = {}
    accounts_held: dict[tuple[str, ...], tuple[tuple[Account, ...], frozenset[str]]] = {}
    result = []
    for rule in prepared.rules:
        names = rule.groups if isinstance(rule.groups, Anything) else tuple(g.name for g in rule.groups)
        key = (names, rule.feature)
        mine = memo.get(key)
        if mine is None:
            mine = memo[key] = _groups_of(rule, governed, inventory)
        if not mine:
            continue
        accounts: tuple[Account, ...] | Anything = ANY
        who: frozenset[str] | Anything = ANY
        if not isinstance(rule.accounts, Anything):
            called = tuple(account.name for account in rule.accounts)
            known = accounts_held.get(called)
            if known is None:
                known = tuple(prepared.accounts[name] for name in called), frozenset(called)
                accounts_held[called] = known
            accounts, who = known
        ports = PortSet.of(rule.services)
        for part, filled, some in _apart(rule, mine, prepared.filler):
            if not filled.endpoints:
                continue
            group_names = tuple(group.name for group in some)
            sources = held.get(group_names)
            if sources is None:
                sources = tuple(bound[name] for name in group_names), frozenset(group_names)
                held[group_names] = sources
            reach = Reach(sources[1], who, filled.endpoints, filled.exceptions, ports)
            result.append(
                BoundRule(
                    rule.identity,
                    part,
                    rule,
                    sources[0],
                    accounts,
                    filled.endpoints,
                    filled.exceptions,
                    rule.to.fallback,
                    rule.services,
                    reach,
                )
            )
    result.sort(key=lambda bound_rule: bound_rule.key)
    return tuple(result)


def _apart(rule: Rule, groups: tuple[Group, ...], filler: Filler) -> Iterable[tuple[str, Filled, tuple[Group, ...]]]:
    """The rule's groups, those together that fill its parameters alike: name of the part, endpoints, groups."""
    if not rule.to.has_parameters:
        yield "", filler.filled(rule, groups[0]), groups
        return
    alike: dict[Filled, list[Group]] = {}
    for group in groups:
        alike.setdefault(filler.filled(rule, group), []).append(group)
    for filled, some in alike.items():
        # The part is called after its first group even when there is only one: another group that is added to the
        # rule with other values must not rename what is there.
        yield some[0].name, filled, tuple(some)


def _account(account: Account, inventory: Inventory) -> Account:
    """The account with the bindings that the inventory replaces."""
    from egressc.policy import BINDING_KINDS  # noqa: PLC0415 - only needed here at run time

    bindings = []
    for kind in BINDING_KINDS:
        values = inventory.values_of(account.name, kind)
        if values is None:
            values = account.values(kind)
        if values:
            bindings.append((kind, values))
    return Account(account.name, account.description, tuple(bindings), account.span)


def _tags(inventory: Inventory) -> dict[str, Any]:
    if inventory.service_tags is None:
        return {}
    return {name.lower(): addresses for name, addresses in inventory.service_tags.tags.items()}


def _expired(rule: Rule) -> Diagnostic:
    on = rule.expires.isoformat() if rule.expires else ""
    if rule.action is Action.ALLOW:
        return Diagnostic(
            code="W0506",
            message=f"`{rule.identity}` expired on {on} and is left out",
            span=rule.span,
            label="this allow has ended",
            help="remove the rule, or give it a later `expires`",
        )
    return Diagnostic(
        code="W0507",
        message=f"`{rule.identity}` expired on {on} and stays in force",
        span=rule.span,
        label="a deny does not end by itself",
        help="remove the rule if its flows may be decided by the other rules again",
    )
