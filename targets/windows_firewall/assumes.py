"""What an artefact rests on: sentences about the whole, and ids of vendor statements that a part rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.anything import Anything
from egressc.targets.windows_firewall.capabilities import GPO_KEYWORD, KEYWORD_WILDCARD, SERVICE_SID
from egressc.targets.windows_firewall.model import AccountName, GroupPolicyStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.hosts import HostPattern
    from egressc.site import Site
    from egressc.targets.windows_firewall.conditions import Condition
    from egressc.targets.windows_firewall.model import FirewallPolicy
    from egressc.targets.windows_firewall.settings import Settings


def assumptions_of(
    site: Site[Settings], conditions: Iterable[Condition], patterns: tuple[HostPattern, ...]
) -> tuple[str, ...]:
    """The ids of what rules with these conditions and keywords rest on."""
    found: list[str] = []
    if patterns and isinstance(site.settings.store, GroupPolicyStore):
        found.append(GPO_KEYWORD)
    if any(pattern.deep for pattern in patterns):
        found.append(KEYWORD_WILDCARD)
    if any(not isinstance(condition.service, Anything) for condition in conditions):
        found.append(SERVICE_SID)
    return tuple(found)


def sentences(site: Site[Settings], model: FirewallPolicy) -> tuple[str, ...]:
    """The sentences on which the artefact as a whole rests."""
    group = site.groups[0]
    gpo = model.store.gpo if isinstance(model.store, GroupPolicyStore) else None
    where = "`firewall.ps1` was run on" if gpo is None else f"the group policy object `{gpo}` applies to"
    found = [f"{where} every host of the group `{group.name}`, and no other"]
    if group.object_name is not None:
        found.append(f"`{group.object_name}` holds the hosts of the group `{group.name}`")
    found.append("no other outbound rule of these hosts allows or blocks the traffic, and their firewall is on")
    if model.closing_deny:
        found.append("`firewall.ps1` was run with `-EnforceDefaultDeny`")
    if not isinstance(model.profiles, Anything):
        found.append(f"the hosts are in networks of the profile {' or '.join(model.profiles)}")
    if model.keywords:
        found.append(
            "the hosts resolve names by plain DNS, where Defender's Network Protection sees the answers, and reach "
            "them without a proxy"
        )
        if gpo is not None:
            found.append("`firewall.ps1 -KeywordsOnly` runs as a start-up script of these hosts")
    if any(not isinstance(r.users, Anything) and any(isinstance(u, AccountName) for u in r.users) for r in model.rules):
        found.append("the accounts that the script resolves by name are the ones that the policy means")
    accounts = {account.name for r in site.rules if not isinstance(r.accounts, Anything) for account in r.accounts}
    if len(accounts) > 1 and any(rule.is_deny or rule.exceptions for rule in site.rules):
        found.append("no process belongs to accounts that are bound to different users, services or programs")
    return tuple(found)
