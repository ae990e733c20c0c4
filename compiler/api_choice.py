"""Which firewalls a run is about, and what is wrong with the names that the caller gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic
from egressc.inventory import unnamed_firewall
from egressc.reasons import Reason
from egressc.suggest import nearest
from egressc.targets.registry import target_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.inventory import Firewall, Inventory


def usage_problems(targets: Sequence[str], accept: Sequence[str]) -> list[Diagnostic]:
    """An error for each target and each approximation reason that does not exist."""
    wrong = [_no_such("target", name, target_names()) for name in targets if name not in target_names()]
    reasons = [reason.value for reason in Reason]
    return wrong + [_no_such("approximation reason", name, reasons) for name in accept if name not in reasons]


def chosen_firewalls(
    names: Sequence[str],
    targets: Sequence[str],
    inventory: Inventory,
    none_will_do: bool,  # noqa: FBT001
) -> tuple[tuple[Firewall, ...], list[Diagnostic]]:
    """The firewalls of a run in the order of the inventory, and usage errors for names that do not exist.

    Without an inventory they are one unnamed firewall for each target. That there is none at all is an error, unless
    ``none_will_do`` and the caller named none.
    """
    known = [firewall.name for firewall in inventory.firewalls]
    wrong = [_no_such("firewall", name, known) for name in names if name not in known]
    none_will_do = none_will_do and not names and not targets
    if wrong:
        return (), wrong
    if inventory.source is None:
        if not targets and not none_will_do:
            wrong.append(_no_inventory())
        return tuple(unnamed_firewall(name) for name in targets if name in target_names()), wrong
    chosen = tuple(
        firewall
        for firewall in inventory.firewalls
        if (not names or firewall.name in names) and (not targets or firewall.target in targets)
    )
    if not chosen and not none_will_do and not any(name not in target_names() for name in targets):
        wrong.append(_none_chosen(known, inventory))
    return chosen, wrong


def _no_inventory() -> Diagnostic:
    known = target_names()
    either = "write an `inventory.yaml` (`egressc init` writes an example)"
    return Diagnostic(
        code="E0521",
        message="there is no inventory, so there is no firewall to compile for",
        help=f"{either}, or name a target: `--target {known[0]}`" if known else either,
    )


def _none_chosen(known: Sequence[str], inventory: Inventory) -> Diagnostic:
    return Diagnostic(
        code="E0521",
        message="no firewall of the inventory is chosen" if known else "the inventory names no firewall",
        file=inventory.source.shown if inventory.source is not None else "",
        help="the firewalls are " + ", ".join(f"`{name}`" for name in known)
        if known
        else "add one under `firewalls`, or leave the inventory out and name a target",
    )


def _no_such(what: str, name: str, known: Sequence[str]) -> Diagnostic:
    near = nearest(name, known)
    return Diagnostic(
        code="E0520",
        message=f"there is no {what} `{name}`",
        help=f"did you mean `{near}`?"
        if near
        else f"the {what}s are " + ", ".join(f"`{each}`" for each in known)
        if known
        else f"there are no {what}s here",
    )
