"""The data of an artefact as plain records: the same keys and values in ``firewall.ps1`` and ``rules.json``.

Keys of rules are parameters of ``New-NetFirewallRule``, except ``LocalAccounts``: accounts that the host resolves and
adds to ``LocalUser``. What every rule has in common (direction, group, profile, store) stands once, in the site.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.anything import Anything
from egressc.naming import short_name
from egressc.targets.windows_firewall.model import (
    AccountName,
    GroupPolicyStore,
    Protocol,
    RemoteKeywords,
    Sid,
)
from egressc.targets.windows_firewall.principals import sddl

if TYPE_CHECKING:
    from egressc.targets.windows_firewall.model import FirewallPolicy, FirewallRule, Keyword

Value = str | bool | list[str]
"""A value of a record."""

Record = dict[str, Value]
"""One record; its keys are in the order in which they are written."""


def site_record(policy: FirewallPolicy) -> Record:
    """What holds for the whole artefact."""
    store = policy.store
    return {
        "Name": policy.site,
        "Group": policy.group,
        "Store": store.gpo if isinstance(store, GroupPolicyStore) else "PersistentStore",
        "GroupPolicy": isinstance(store, GroupPolicyStore),
        "Profile": "Any" if isinstance(policy.profiles, Anything) else ",".join(policy.profiles),
        "ClosingDeny": policy.closing_deny,
        "RollbackTask": short_name("egressc-rollback", policy.group, policy.group, 100),
    }


def keyword_record(keyword: Keyword) -> Record:
    """A dynamic keyword, as ``New-NetFirewallDynamicKeywordAddress`` takes it."""
    return {"Id": keyword.id, "Keyword": keyword.name}


def rule_record(rule: FirewallRule) -> Record:
    """A rule, as ``New-NetFirewallRule`` takes it; any port and any address are said aloud (``Any``)."""
    record: Record = {
        "Name": rule.name,
        "DisplayName": rule.display_name,
        "Description": rule.description,
        "Action": rule.action.value,
        "Protocol": rule.protocol.value,
    }
    if rule.protocol is not Protocol.ANY:
        record["RemotePort"] = ["Any"] if isinstance(rule.ports, Anything) else list(rule.ports)
    remote = rule.remote
    if isinstance(remote, RemoteKeywords):
        record["RemoteDynamicKeywordAddresses"] = list(remote.ids)
    else:
        record["RemoteAddress"] = ["Any"] if isinstance(remote, Anything) else list(remote.values)
    if not isinstance(rule.users, Anything):
        known = [user.value for user in rule.users if isinstance(user, Sid)]
        named = [user.value for user in rule.users if isinstance(user, AccountName)]
        if known:
            record["LocalUser"] = sddl(known)
        if named:
            record["LocalAccounts"] = named
    if not isinstance(rule.service, Anything):
        record["Service"] = rule.service
    if not isinstance(rule.program, Anything):
        record["Program"] = rule.program
    return record
