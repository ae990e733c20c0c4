"""Resources of Azure to what stands in them: policies, rule collection groups, IP groups.

The properties are those of the REST API (firewallPolicy.json, ipGroups.json of 2024-05-01). `az` gives them without the
`properties` around them, and some of its versions spell `terminateTLS` otherwise, so no letter case counts in keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egressc.meaning import UnreadableError
from egressc.targets.azure_firewall.live import LiveCollection, LiveGroup, LiveIpGroup, LivePolicy, last_name
from egressc.targets.azure_firewall.read_expressions import Unknown
from egressc.targets.azure_firewall.read_rules import rule_of, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

POLICIES = "microsoft.network/firewallpolicies"
GROUPS = "microsoft.network/firewallpolicies/rulecollectiongroups"
IP_GROUPS = "microsoft.network/ipgroups"

_COLLECTION_KEYS = frozenset({"name", "priority", "rulecollectiontype", "action", "rules"})
_FILTER = "firewallpolicyfilterrulecollection"
_NAT = "firewallpolicynatrulecollection"


class Shelf:
    """What was read so far, from all files."""

    def __init__(self) -> None:
        self.groups: list[LiveGroup] = []
        self.ip_groups: list[LiveIpGroup] = []
        self.policies: list[LivePolicy] = []
        self.remarks: list[str] = []

    def take(self, kind: str, identifier: str, body: dict[str, Any], file: str, doubt: str = "") -> bool:
        """Read a resource; false if it is none that matters here.

        ``identifier`` is that of the resource, or its name: for a group that of a template, ``POLICY/GROUP``.
        """
        held = lowered(body)
        properties = held.get("properties")
        if isinstance(properties, Unknown):
            raise UnreadableError(f"the properties of `{identifier}` are not known: {properties.reason}", file)
        if isinstance(properties, dict):
            held = {**held, **lowered(properties)}
        if kind == GROUPS:
            self._group(identifier, held, file, doubt)
        elif kind == IP_GROUPS:
            doubts = [doubt] if doubt else []
            addresses = texts(held, "ipaddresses", doubts)
            self.ip_groups.append(LiveIpGroup(identifier, addresses, "; ".join(doubts)))
        elif kind == POLICIES:
            self._policy(identifier, held, file, doubt)
        else:
            return False
        return True

    # -- policies

    def _policy(self, identifier: str, held: dict[str, Any], file: str, doubt: str) -> None:
        if doubt:
            self.remarks.append(f"{file}: the policy `{identifier}` is left aside: {doubt}")
            return
        base = held.get("basepolicy")
        if isinstance(base, Unknown) or (isinstance(base, dict) and not isinstance(lowered(base).get("id"), str)):
            raise UnreadableError(f"the parent of the policy `{identifier}` is not known", file)
        parent = lowered(base)["id"] if isinstance(base, dict) else None
        groups = held.get("rulecollectiongroups")
        names = None
        if isinstance(groups, list) and all(isinstance(g, dict) and isinstance(g.get("id"), str) for g in groups):
            names = tuple([last_name(group["id"]) for group in groups])
        policy = LivePolicy(identifier, parent, _flag(held, "dnssettings", "enableproxy"), _inspecting(held), names)
        if policy not in self.policies:
            self.policies.append(policy)
        for key, word in (("threatintelmode", "threat intelligence"), ("intrusiondetection", "intrusion detection")):
            mode = held.get(key)
            mode = lowered(mode).get("mode") if isinstance(mode, dict) else mode
            if isinstance(mode, str) and mode.lower() == "deny":
                self.remarks.append(
                    f"{file}: {word} of the policy `{identifier}` drops what it finds, whatever the rules say"
                )

    # -- rule collection groups

    def _group(self, identifier: str, held: dict[str, Any], file: str, doubt: str) -> None:
        name, policy = identifier.rpartition("/")[2], _policy_of(identifier)
        where = f"the rule collection group `{name}`" if name else "a rule collection group"
        priority = _priority(held, where, file)
        listed = held.get("rulecollections")
        if listed is None:
            listed = []
        collections = []
        for each in _objects(listed, f"the rule collections of {where}", file):
            found = self._collection(lowered(each), name, where, file, doubt)
            if found is not None:
                collections.append(found)
        group = LiveGroup(name, policy, priority, tuple(collections), file)
        for other in self.groups:
            if (other.name.lower(), other.policy.lower()) == (name.lower(), policy.lower()) and name:
                if (other.priority, other.collections) != (group.priority, group.collections):
                    raise UnreadableError(f"{where} stands in `{other.file}`, too, and differently", file)
                return
        self.groups.append(group)

    def _collection(self, held: dict[str, Any], group: str, where: str, file: str, doubt: str) -> LiveCollection | None:
        name = str(held.get("name") or "")
        place = f"{group}/{name}" if group else name
        where = f"the rule collection `{name}` of {where}"
        kind = held.get("rulecollectiontype")
        if isinstance(kind, str) and kind.lower() == _NAT:
            self.remarks.append(f"{place}: DNAT is for what comes in, and decides nothing here")
            return None
        doubts = [doubt] if doubt else []
        if not isinstance(kind, str) or kind.lower() != _FILTER:
            doubts.append(f"a rule collection of the type `{_said(kind)}` is not understood")
        doubts.extend([f"`{key}` of its rule collection is not understood" for key in held.keys() - _COLLECTION_KEYS])
        action = held.get("action")
        if isinstance(action, dict):
            action = lowered(action).get("type")
        allows = {"allow": True, "deny": False}.get(action.lower()) if isinstance(action, str) else None
        if allows is None:
            doubts.append(f"the action of its rule collection is not understood: {_said(action)}")
        listed = held.get("rules")
        rules = _objects([] if listed is None else listed, f"the rules of {where}", file)
        every = tuple([rule_of(rule) for rule in rules])
        return LiveCollection(name, _priority(held, where, file), allows, every, place, tuple(sorted(doubts)))


def lowered(node: dict[str, Any]) -> dict[str, Any]:
    """The object with its keys in lower case."""
    return {key.lower(): value for key, value in node.items()}


def _policy_of(identifier: str) -> str:
    """The identifier or name of the policy of a group: everything before the type of the group, or its name."""
    before = identifier.rpartition("/")[0]
    return before[: -len("/rulecollectiongroups")] if before.lower().endswith("/rulecollectiongroups") else before


def _objects(value: Any, what: str, file: str) -> Sequence[dict[str, Any]]:
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return value
    why = next(
        (each.reason for each in (value if isinstance(value, list) else [value]) if isinstance(each, Unknown)), ""
    )
    raise UnreadableError(f"{what} are not known: {why}" if why else f"{what} are no list of objects", file)


def _priority(held: dict[str, Any], where: str, file: str) -> int:
    value = held.get("priority")
    if type(value) is int:
        return value
    why = f": {value.reason}" if isinstance(value, Unknown) else ""
    raise UnreadableError(f"the priority of {where} is not known{why}", file)


def _said(value: Any) -> str:
    return value.reason if isinstance(value, Unknown) else str(value)[:80]


def _flag(held: dict[str, Any], whole: str, key: str) -> bool | None:
    """A setting of a policy that is said in full; ``None`` where nobody knows."""
    part = held.get(whole)
    if isinstance(part, Unknown):
        return None
    value = lowered(part).get(key, False) if isinstance(part, dict) else False
    return value if isinstance(value, bool) else None if isinstance(value, Unknown) else False


def _inspecting(held: dict[str, Any]) -> bool | None:
    """True if the policy has what TLS inspection needs: the Premium tier and a CA (premium-features.md)."""
    sku, security = held.get("sku"), held.get("transportsecurity")
    if isinstance(sku, Unknown) or isinstance(security, Unknown):
        return None
    tier = lowered(sku).get("tier") if isinstance(sku, dict) else None
    if isinstance(tier, Unknown):
        return None
    has_authority = isinstance(security, dict) and bool(lowered(security).get("certificateauthority"))
    return has_authority and str(tier).lower() == "premium"
