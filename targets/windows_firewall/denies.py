"""Denies: which of them Windows Firewall can hold to.

A block rule wins over every allow rule, so a deny by address is exact. A block rule by name is not enforced before the
name has been resolved (dynamic-keywords.md), so it holds only against an allow that waits for the same resolution.

Allows are those for any process that the deny is for, also under the name of another account with the same processes.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from egressc.addresses import EMPTY
from egressc.anything import Anything
from egressc.diagnostics import Diagnostic, Related
from egressc.policy import HostEndpoint

if TYPE_CHECKING:
    from egressc.addresses import AddressSet
    from egressc.lowering import Part
    from egressc.reach import Reach
    from egressc.services import PortSet
    from egressc.site import BoundRule, Site
    from egressc.targets.windows_firewall.conditions import Accounts
    from egressc.targets.windows_firewall.settings import Settings


class Denies:
    """Answers about the denies of one site. Allows are compared by signature, never one by one."""

    def __init__(self, site: Site[Settings], accounts: Accounts) -> None:
        self._site = site
        self._accounts = accounts

    def is_covered(self, part: Part, addresses: AddressSet = EMPTY) -> bool:
        """True if the closing deny stops all that this part of a deny would stop.

        No allow overlaps it, and neither do the internal networks, which the closing deny leaves open: ``addresses``
        are those that the part names.
        """
        site = self._site
        return site.closing_deny and not addresses.overlaps(site.internal) and not self._meets_allow(part)

    def problem_of(self, part: Part) -> Diagnostic | None:
        """Why a deny by name cannot be held to here, or ``None``. The part is one that is not covered."""
        allow = self._allow_by_address(part)
        if allow is not None:
            return self._problem(
                part,
                f"`{allow.identity}` allows the same connections by address, before the name has been resolved",
                "write the deny by address, or narrow the allow so that the two do not meet",
                allow,
            )
        if not self._site.closing_deny:
            return self._problem(
                part,
                "nothing stops the connections before the name has been resolved, since there is no closing deny",
                "write the deny by address, or have a closing deny: `default-deny: true`, and networks for the group",
                None,
            )
        return None

    def _meets_allow(self, part: Part) -> bool:
        index = self._site.index
        reach = self._for_all_processes(part)
        return index.meets_allow(part.rule) if reach is part.rule.reach else bool(index.allows_meeting(reach))

    def _for_all_processes(self, part: Part) -> Reach:
        """What the part begins with, for all accounts that have processes of its own."""
        wide = self._accounts.meeting(part.start.accounts)
        return part.start if wide == part.start.accounts else replace(part.start, accounts=wide)

    def _allow_by_address(self, part: Part) -> BoundRule | None:
        """An allow by address that overlaps the part, which is by name: any name may be at any address."""
        reach = self._for_all_processes(part)
        in_doubt = False
        for (accounts, ports, subtracts), rule in self._allows.items():
            if not ports.overlaps(reach.ports):
                continue
            if isinstance(accounts, Anything) or isinstance(reach.accounts, Anything) or accounts & reach.accounts:
                if not subtracts and not reach.exceptions:
                    return rule
                in_doubt = True
        if in_doubt:
            for rule in self._site.index.allows_meeting(reach):
                if _has_addresses(rule):
                    return rule
        return None

    @cached_property
    def _allows(self) -> dict[tuple[frozenset[str] | Anything, PortSet, bool], BoundRule]:
        """One allow by address for each combination of what it shares with others beside its addresses."""
        found: dict[tuple[frozenset[str] | Anything, PortSet, bool], BoundRule] = {}
        for rule in self._site.rules:
            if not rule.is_deny and _has_addresses(rule):
                found.setdefault((rule.reach.accounts, rule.reach.ports, bool(rule.reach.exceptions)), rule)
        return found

    def _problem(self, part: Part, label: str, help_text: str, allow: BoundRule | None) -> Diagnostic:
        site = self._site
        return Diagnostic(
            code="E0793",
            message=f"the deny `{part.rule.identity}` goes by name, and on `{site.name}` ({site.target}) a block by "
            "name holds only once the name has been resolved",
            span=part.rule.rule.span,
            label=label,
            help=help_text,
            related=() if allow is None else (Related(span=allow.rule.span, text="this allow is by address"),),
        )


def _has_addresses(rule: BoundRule) -> bool:
    return any(not isinstance(endpoint, HostEndpoint) for endpoint in rule.endpoints)
