"""Names that the policy and the inventory must agree on: groups, accounts, features, parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.anything import Anything
from egressc.diagnostics import Diagnostic
from egressc.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.inventory import Inventory
    from egressc.policy import Policy
    from egressc.source import Span


def group_problems(policy: Policy, inventory: Inventory) -> Iterator[Diagnostic]:
    """An error for each place where a rule names a group that the inventory does not have; none without an inventory."""
    if inventory.source is None:
        return
    told: set[tuple[str, int]] = set()
    known = [group.name for group in inventory.groups]
    for rule in policy.rules:
        if isinstance(rule.groups, Anything):
            continue
        for group in rule.groups:
            place = (group.span.source.name, group.span.start)
            if place in told or inventory.group(group.name) is not None:
                continue
            told.add(place)
            near = nearest(group.name, known)
            yield Diagnostic(
                code="E0503",
                message=f"no group is called `{group.name}`",
                span=group.span,
                label=f"not in {inventory.source.shown}",
                help=f"did you mean `{near}`?" if near else _valid("groups", known),
            )


def check_names(policy: Policy, inventory: Inventory) -> Iterator[Diagnostic]:
    """Warnings for what one side names and the other does not know; a part of the policies may be compiled alone."""
    accounts = {account.name for account in policy.accounts}
    told: set[str] = set()
    for override in inventory.accounts:
        if override.account not in accounts and override.account not in told:
            told.add(override.account)
            yield _unknown("W0510", "service account", override.account, override.account_span, accounts)
    wanted = {rule.feature for rule in policy.rules if rule.feature is not None}
    listed = {feature for group in inventory.groups for feature in group.features}
    for rule in policy.rules:
        if rule.feature is not None and rule.feature not in listed and inventory.source is not None:
            listed.add(rule.feature)
            near = nearest(rule.feature, sorted(listed - {rule.feature}))
            yield Diagnostic(
                code="W0511",
                message=f"no group lists feature `{rule.feature}`, so its rules are for nobody",
                span=rule.feature_span,
                label="no group has it",
                help=f"did you mean `{near}`?" if near else "list it under `features` of a group, if it is in use",
            )
    parameters = {parameter.name for parameter in policy.parameters}
    seen: set[tuple[str, str]] = set()
    for group in inventory.groups:
        for feature, span in group.feature_spans:
            if feature not in wanted and ("feature", feature) not in seen:
                seen.add(("feature", feature))
                yield _unknown("W0512", "feature", feature, span, wanted)
        for (name, _), (span, _) in zip(group.parameters, group.parameter_spans, strict=True):
            if name not in parameters and ("parameter", name) not in seen:
                seen.add(("parameter", name))
                yield _unknown("W0513", "parameter", name, span, parameters)


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
