"""Names that the policy and the inventory must agree on: groups, accounts, features, parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.anything import ANY, Anything
from egressc.diagnostics import Diagnostic
from egressc.keywords import POLICY_SETTINGS, RULE_SETTINGS
from egressc.parse_errors import near as near_word
from egressc.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from egressc.inventory import Inventory
    from egressc.policy import GroupName, Policy, Rule
    from egressc.source import Span

_SETTINGS = tuple(dict.fromkeys((*POLICY_SETTINGS, *RULE_SETTINGS)))
_SHORTEST = 5
"""How long a name must be to be taken for a misspelt keyword."""

_COMPARED = 2000
"""How many rules a pattern that matches none is compared with, to find the one that was meant."""


def group_problems(policy: Policy, inventory: Inventory) -> Iterator[Diagnostic]:
    """An error for each place that names a group which the inventory does not have; none without an inventory."""
    return unknown_groups(_groups_of(policy), inventory)


def unknown_groups(names: Iterable[GroupName], inventory: Inventory) -> Iterator[Diagnostic]:
    """An error for each place that names a group which the inventory does not have; none without an inventory."""
    if inventory.source is None:
        return
    known = [group.name for group in inventory.groups]
    slip: tuple[str, int] | None = None
    for group in _by_place(group for group in names if inventory.group(group.name) is None):
        line = (group.span.source.name, group.span.line)
        if line == slip:
            continue  # the values of a setting whose keyword is misspelt
        near = nearest(group.name, known)
        setting = None if near else _setting_like(group.name)
        if setting:
            slip = line
        help_ = f"did you mean `{near}`?" if near else _valid("groups", known)
        yield Diagnostic(
            code="E0503",
            message=f"no group is called `{group.name}`",
            span=group.span,
            label=f"not in {inventory.source.shown}",
            help=f"did you mean the setting `{setting}`?" if setting else help_,
        )


def groups_like_settings(policy: Policy, inventory: Inventory) -> Iterator[Diagnostic]:
    """Without an inventory, a warning for each group that is called nearly like a setting: nothing else would tell."""
    if inventory.source is not None:
        return
    for group in _by_place(_groups_of(policy)):
        setting = _setting_like(group.name)
        if setting is not None:
            yield Diagnostic(
                code="W0519",
                message=f"`{group.name}` is taken for a group, and is nearly the setting `{setting}`",
                span=group.span,
                label="a list ends only at a keyword",
                help=f"did you mean `{setting}`? With an inventory, egressc knows which groups there are",
            )


def _groups_of(policy: Policy) -> Iterator[GroupName]:
    """Every group that the policy names, for its rules and as a default that no rule may have taken."""
    yield from policy.default_groups
    for rule in policy.rules:
        if not isinstance(rule.groups, Anything):
            yield from rule.groups


def _by_place(names: Iterable[GroupName]) -> list[GroupName]:
    """The names in the order of their places, each place once."""
    found = {(group.span.source.name, group.span.start): group for group in names}
    return [found[place] for place in sorted(found)]


def _setting_like(name: str) -> str | None:
    """The setting of a policy or a rule that a name is nearly the keyword of."""
    return near_word(name, _SETTINGS) if len(name) >= _SHORTEST else None


def ungoverned_groups(rules: Iterable[Rule], inventory: Inventory) -> Iterator[Diagnostic]:
    """A warning for each group that rules name and no firewall governs: no artefact holds what they say about it."""
    governed = {group.name for firewall in inventory.firewalls for group in inventory.leaves(firewall.groups)}
    wanted: dict[str, int] = {}
    for rule in rules:
        if not isinstance(rule.groups, Anything):
            for group in inventory.leaves(name.name for name in rule.groups):
                if group.name not in governed and (rule.feature is None or rule.feature in group.features):
                    wanted[group.name] = wanted.get(group.name, 0) + 1
    for group in inventory.groups:
        number = wanted.get(group.name)
        if number:
            yield Diagnostic(
                code="W0515",
                message=f"no firewall governs group `{group.name}`, so no artefact holds the "
                + ("rule for it" if number == 1 else f"{number} rules for it"),
                span=group.span,
                label="governed by nothing",
                help="list it under `groups` of a firewall",
            )


def check_names(policy: Policy, inventory: Inventory, unfilled: frozenset[str]) -> Iterator[Diagnostic]:
    """Warnings for what one side names and the other does not know; a part of the policies may be compiled alone.

    ``unfilled`` are the parameters that an error says some group has no value for: a name near one of them is the same
    mistake.
    """
    accounts = {account.name for account in policy.accounts}
    told: set[str] = set()
    for override in inventory.accounts:
        if override.account not in accounts and override.account not in told:
            told.add(override.account)
            yield _unknown("W0510", "service account", override.account, override.account_span, accounts)
    if inventory.source is None:
        return
    yield from _idle_acceptances(policy, inventory)
    wanted = {rule.feature for rule in policy.rules if rule.feature is not None}
    listed = sorted({feature for group in inventory.groups for feature in group.features})
    misspelt = {f: near for f in sorted(wanted - set(listed)) if (near := nearest(f, listed)) and near not in wanted}
    for feature, near in misspelt.items():
        yield _misspelt_feature(policy, feature, near)
    yield from _idle_rules(policy, inventory, misspelt)
    seen = {*wanted, *misspelt.values()}
    for group in inventory.groups:
        for feature, span in group.feature_spans:
            if feature not in seen:
                seen.add(feature)
                yield _unknown("W0512", "feature", feature, span, wanted)
    parameters = {parameter.name for parameter in policy.parameters}
    seen = set()
    for group in inventory.groups:
        for (name, _), (span, _) in zip(group.parameters, group.parameter_spans, strict=True):
            if name not in parameters and name not in seen and nearest(name, sorted(parameters)) not in unfilled:
                seen.add(name)
                yield _unknown("W0513", "parameter", name, span, parameters)


def _idle_acceptances(policy: Policy, inventory: Inventory) -> Iterator[Diagnostic]:
    """A warning for each acceptance whose pattern no rule matches; a policy without rules says nothing about them."""
    identities = {rule.identity for rule in policy.rules}
    if identities:
        identities.update(group.proxy.identity(group.name) for group in inventory.groups if group.proxy is not None)
    for firewall in inventory.firewalls if identities else ():
        for acceptance in firewall.accept:
            if not any(acceptance.covers(identity) for identity in identities):
                near = nearest(acceptance.rules, sorted(identities)[:_COMPARED])
                yield Diagnostic(
                    code="W0517",
                    message=f"no rule of this run is called `{acceptance.rules}`, so the acceptance of "
                    f"`{acceptance.reason}` on `{firewall.name}` does nothing",
                    span=acceptance.rules_span or acceptance.span,
                    label="no rule matches",
                    help=f"did you mean `{near}`?" if near else "a rule is `POLICY/RULE` or `POLICY/INCLUDED/RULE`",
                )


def _misspelt_feature(policy: Policy, feature: str, near: str) -> Diagnostic:
    rule = next(rule for rule in policy.rules if rule.feature == feature)
    return Diagnostic(
        code="W0511",
        message=f"no group lists feature `{feature}`, so its rules are for nobody",
        span=rule.feature_span,
        label="no group has it",
        help=f"did you mean `{near}`?",
    )


def _idle_rules(policy: Policy, inventory: Inventory, misspelt: Container[str]) -> Iterator[Diagnostic]:
    """A note for each rule that is for nobody, because none of its groups lists its feature: that may be meant."""
    idle: dict[tuple[object, ...], bool] = {}
    for rule in policy.rules:
        if rule.feature is None or rule.feature in misspelt:
            continue
        names = ANY if isinstance(rule.groups, Anything) else tuple(group.name for group in rule.groups)
        if not isinstance(names, Anything) and any(inventory.group(name) is None for name in names):
            continue  # there is an error about that name
        key = (rule.feature, names)
        if key not in idle:
            idle[key] = not any(rule.feature in group.features for group in inventory.leaves(names))
        if not idle[key]:
            continue
        whose = "no group" if isinstance(names, Anything) else "none of " + ", ".join(f"`{name}`" for name in names)
        yield Diagnostic(
            code="N0514",
            message=f"`{rule.identity}` is for nobody: {whose} lists feature `{rule.feature}`",
            span=rule.feature_span or rule.span,
            label="not in use",
            group=f"feature {rule.feature}",
            subject=rule.identity,
        )


def _unknown(code: str, what: str, name: str, span: Span, known: set[str]) -> Diagnostic:
    near = nearest(name, sorted(known))
    return Diagnostic(
        code=code,
        message=f"no policy of this run knows a {what} `{name}`",
        span=span,
        label="no rule uses it",
        help=f"did you mean `{near}`?" if near else "remove it, if no other policy needs it",
    )


def _valid(what: str, known: list[str]) -> str:
    if not known:
        return f"the inventory has no {what}"
    shown = ", ".join(f"`{name}`" for name in known[:8])
    return f"{what}: {shown}" + (", …" if len(known) > 8 else "")
