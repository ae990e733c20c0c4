"""Which accounts share processes: User-ID sees the directory user alone, and accounts may have one in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.anything import Anything

if TYPE_CHECKING:
    from egressc.site import Site
    from egressc.targets.paloalto.settings import Settings

Sharing = tuple[tuple[str, frozenset[str]], ...]
"""With an account the others that have a directory user in common with it; accounts that share none are not there."""


def sharing_of(site: Site[Settings]) -> Sharing:
    """Which accounts of the site's rules share processes; nothing where the firewall sees no accounts."""
    if not site.settings.user_id:
        return ()
    users: dict[str, frozenset[str]] = {}
    holders: dict[str, set[str]] = {}
    for rule in site.rules:
        if isinstance(rule.accounts, Anything):
            continue
        for account in rule.accounts:
            if account.name in users:
                continue
            mine = users[account.name] = frozenset(v.casefold() for v in account.values("directory-user"))
            for user in mine:
                holders.setdefault(user, set()).add(account.name)
    found = ((name, frozenset().union(*(holders[u] for u in mine)) - {name}) for name, mine in users.items())
    return tuple((name, others) for name, others in found if others)
