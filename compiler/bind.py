"""Binding: the policy and the inventory meet, and what each artefact is compiled from comes out.

Unions become their members, features choose groups, parameters are filled, account bindings are replaced, expired
allows are left out, exceptions are subtracted as far as sets of names and addresses can say it, and allows for groups
behind a proxy are cut to what these reach directly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from egressc.anything import ANY, Anything
from egressc.bind_names import check_names, group_problems, groups_like_settings
from egressc.bind_proxy import Proxies
from egressc.bind_proxy_check import proxy_problems
from egressc.bind_proxy_inspection import inspection_lost
from egressc.binding_values import normal_binding
from egressc.diagnostics import Diagnostic, has_errors
from egressc.fill import Filled, Filler
from egressc.policy import Account, Action, Inspection
from egressc.reach import Reach
from egressc.services import PortSet
from egressc.site import BoundGroup, BoundRule, Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from egressc.inventory import Firewall, Group, Inventory
    from egressc.policy import Policy, Rule
    from egressc.source import Span
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
    proxies: Proxies


def prepare(policy: Policy, inventory: Inventory, as_of: date) -> tuple[Prepared, tuple[Diagnostic, ...]]:
    """The policy ready to be bound to firewalls, and what is wrong between it and the inventory.

    Every name that a rule gives a group must be one of the inventory, if there is one; every parameter in use must be
    bound for every group that needs it. Expired allows are left out, expired denies stay, both with a warning.
    """
    diagnostics = list(group_problems(policy, inventory))
    unknown_groups = bool(diagnostics)
    diagnostics.extend(groups_like_settings(policy, inventory))
    rules = []
    expired: set[Span] = set()
    for rule in policy.rules:
        if rule.expires is not None and rule.expires < as_of:
            if rule.span not in expired:  # through several includes it is one rule of one file
                expired.add(rule.span)
                diagnostics.append(_expired(rule))
            if rule.action is Action.ALLOW:
                continue
        rules.append(rule)
    accounts = {account.name: _account(account, inventory) for account in policy.accounts}
    filler = Filler(inventory)
    proxies = Proxies(policy, inventory, filler)
    prepared = Prepared(policy, inventory, as_of, tuple(rules), accounts, filler, proxies)
    if not unknown_groups:
        about_proxies: tuple[Diagnostic, ...] = ()
        if proxies:
            groups_of = GroupsOf(_everyone(prepared), inventory)
            about_proxies = tuple(proxy_problems(policy, inventory, prepared.rules, proxies, filler, groups_of))
        diagnostics.extend(_fill_all(prepared))
        diagnostics.extend(about_proxies)
        if proxies and not has_errors(diagnostics) and any(r.inspection is not Inspection.MAY for r in rules):
            direct = bind_everything(prepared, direct_only=True)
            diagnostics.extend(inspection_lost(bind_everything(prepared), direct, proxies))
    diagnostics.extend(check_names(policy, inventory, frozenset(prepared.filler.unfilled)))
    return prepared, tuple(diagnostics)


def _fill_all(prepared: Prepared) -> Iterator[Diagnostic]:
    """What is wrong when every rule is filled for every group that it is for, wherever that group is governed."""
    filler = prepared.filler
    groups_of = GroupsOf(_everyone(prepared), prepared.inventory)
    empty: list[Diagnostic] = []
    for rule in prepared.rules:
        groups = groups_of(rule)
        if not groups:
            continue
        for group in groups if rule.to.has_parameters else groups[:1]:
            filled = filler.filled(rule, group)
            if not filled.endpoints and not filled.failed:
                empty.append(_nothing_left(rule, group.name if rule.to.has_parameters else ""))
                break
    yield from filler.diagnostics
    yield from empty


def bind_everything(prepared: Prepared, also: frozenset[str] = frozenset(), *, direct_only: bool = False) -> Site[None]:
    """One site of all groups and all rules, for questions about the policy's own meaning.

    ``also`` are further groups where no inventory says which there are: a rule for any group is for these, too. What a
    group reaches through its proxy is a part of that meaning; with ``direct_only`` it is left out, and what is left is
    what the groups reach directly (the rules to the proxies are not among it).
    """
    everyone = _everyone(prepared, also)
    groups = tuple(_bound(group, "") for group in everyone)
    return Site(
        "",
        "",
        "",
        None,
        groups,
        _bound_rules(prepared, groups, everyone, direct_only=direct_only),
        prepared.inventory.internal,
        default_deny=True,
        closing_deny=True,
        tags=_tags(prepared.inventory),
        as_of=prepared.as_of,
        span=None,
    )


def bind(prepared: Prepared, firewall: Firewall, target: Target[Any, Any], settings: object) -> tuple[Site[Any], ...]:
    """The sites of one firewall: one, or one for each group that a host firewall governs."""
    everyone = _everyone(prepared)
    governed = everyone if firewall.groups is ANY else prepared.inventory.leaves(firewall.groups)
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
                _bound_rules(prepared, own, everyone, direct_only=True, proxy_rules=True),
                prepared.inventory.internal,
                default_deny=default_deny,
                closing_deny=default_deny and (firewall.unbound_allowed or not unbound),
                tags=_tags(prepared.inventory),
                as_of=prepared.as_of,
                span=firewall.span,
                unbound_allowed=firewall.unbound_allowed,
            )
        )
    return tuple(sites)


def _everyone(prepared: Prepared, also: frozenset[str] = frozenset()) -> tuple[Group, ...]:
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
    if prepared.policy.rules:
        named = dict.fromkeys(also, prepared.policy.rules[0].span) | named
    if not named and prepared.policy.rules:
        return (Group(name=ANY_GROUP, span=prepared.policy.rules[0].span),)
    return tuple(Group(name=name, span=named[name]) for name in sorted(named))


class GroupsOf:
    """The governed groups that a rule is for, with those that lack its feature left out."""

    def __init__(self, governed: Iterable[Group], inventory: Inventory) -> None:
        self._governed = tuple(governed)
        self._inventory = inventory
        self._held: dict[tuple[object, ...], tuple[Group, ...]] = {}

    def __call__(self, rule: Rule) -> tuple[Group, ...]:
        """The groups, in the order of the inventory."""
        names = rule.groups if isinstance(rule.groups, Anything) else tuple([group.name for group in rule.groups])
        key = (names, rule.feature)
        found = self._held.get(key)
        if found is None:
            found = self._held[key] = self._find(names, rule.feature)
        return found

    def _find(self, names: tuple[str, ...] | Anything, feature: str | None) -> tuple[Group, ...]:
        found = self._governed
        if not isinstance(names, Anything):
            inventory = self._inventory
            wanted = set(names) if inventory.source is None else {group.name for group in inventory.leaves(names)}
            found = tuple(group for group in found if group.name in wanted)
        return found if feature is None else tuple(group for group in found if feature in group.features)


def _bound(group: Group, target: str) -> BoundGroup:
    from egressc.addresses import EMPTY  # noqa: PLC0415 - only needed here at run time

    known = group.object_for(target)
    addresses = group.networks
    if addresses is None:
        return BoundGroup(group.name, group.description, EMPTY if known else ANY, known, group.span)
    return BoundGroup(group.name, group.description, addresses, known, group.span)


def _bound_rules(
    prepared: Prepared,
    groups: tuple[BoundGroup, ...],
    everyone: tuple[Group, ...],
    *,
    direct_only: bool,
    proxy_rules: bool = False,
) -> tuple[BoundRule, ...]:
    """The rules of a site in the order of their keys; a rule for none of its groups is not among them.

    With ``direct_only``, allows are cut to what the groups reach without their proxies, with ``proxy_rules`` the rules
    to the proxies are among them.
    """
    inventory = prepared.inventory
    bound = {group.name: group for group in groups}
    governed = tuple(group for group in everyone if group.name in bound)
    groups_of = GroupsOf(governed, inventory)
    held: dict[tuple[str, ...], tuple[tuple[BoundGroup, ...], frozenset[str]]] = {}
    accounts_held: dict[tuple[str, ...], tuple[tuple[Account, ...], frozenset[str]]] = {}
    result = []
    through = _proxy_rules(prepared, governed, groups_of) if proxy_rules else ()
    for rule in (*prepared.rules, *through):
        mine = groups_of(rule)
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
        for part, filled, some in _apart(prepared, rule, mine, direct_only=direct_only):
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


def _proxy_rules(prepared: Prepared, governed: tuple[Group, ...], groups_of: GroupsOf) -> tuple[Rule, ...]:
    """The rules to the proxies of those groups that the policy allows anything."""
    if not prepared.proxies:
        return ()
    allowed = {group.name for rule in prepared.rules if rule.action is Action.ALLOW for group in groups_of(rule)}
    behind = [prepared.proxies.of(group.name) for group in governed if group.name in allowed]
    return tuple([each.rule for each in behind if each is not None])


def _apart(
    prepared: Prepared, rule: Rule, groups: tuple[Group, ...], *, direct_only: bool
) -> Iterable[tuple[str, Filled, tuple[Group, ...]]]:
    """The rule's groups, those together that it has the same endpoints for: name of the part, endpoints, groups."""
    filler, proxies = prepared.filler, prepared.proxies
    cut = direct_only and any(proxies.of(group.name) is not None for group in groups)
    if not cut and not rule.to.has_parameters:
        yield "", filler.filled(rule, groups[0]), groups
        return
    alike: dict[Filled, list[Group]] = {}
    for group in groups:
        filled = filler.filled(rule, group)
        alike.setdefault(proxies.directly(rule, group, filled) if cut else filled, []).append(group)
    whole = None if rule.to.has_parameters else filler.filled(rule, groups[0])
    for filled, some in alike.items():
        # The part is called after its first group even when there is only one: another group that is added to the
        # rule with other values must not rename what is there. What needs no part has none, whoever is cut beside it.
        yield "" if filled is whole else some[0].name, filled, tuple(some)


def _account(account: Account, inventory: Inventory) -> Account:
    """The account with the bindings that the inventory replaces."""
    from egressc.policy import BINDING_KINDS  # noqa: PLC0415 - only needed here at run time

    bindings = []
    for kind in BINDING_KINDS:
        values = inventory.values_of(account.name, kind)
        if values is None:
            values = account.values(kind)
        if values:
            bindings.append((kind, tuple(normal_binding(kind, value) for value in values)))
    return Account(account.name, account.description, tuple(bindings), account.span)


def _tags(inventory: Inventory) -> dict[str, Any]:
    if inventory.service_tags is None:
        return {}
    return {name.lower(): addresses for name, addresses in inventory.service_tags.tags.items()}


def _nothing_left(rule: Rule, group: str) -> Diagnostic:
    where = f" for group `{group}`" if group else ""
    return Diagnostic(
        code="E0505",
        message=f"nothing is left of `{rule.identity}`{where}: its exceptions remove every endpoint",
        span=rule.span,
        label="this rule matches nothing",
        help="remove the rule, or make its `except` smaller",
    )


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
