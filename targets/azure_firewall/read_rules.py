"""Rules of filter collections to what stands in them.

Every property but `ruleType` is optional, and the service takes keys that it does not know (firewallPolicy.json of
2024-05-01): what is missing or not understood makes a doubt, never a guess.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egressc.targets.azure_firewall.live import WIDEST, LiveApplicationRule, LiveNetworkRule
from egressc.targets.azure_firewall.read_expressions import Unknown

if TYPE_CHECKING:
    from egressc.targets.azure_firewall.live import LiveRule

_COMMON = frozenset({"ruletype", "name", "description", "sourceaddresses", "sourceipgroups"})
_APPLICATION = _COMMON | {
    "protocols", "targetfqdns", "targeturls", "fqdntags", "webcategories", "terminatetls", "destinationaddresses",
    "httpheaderstoinsert",
}  # fmt: skip
_NETWORK = _COMMON | {
    "ipprotocols",
    "destinationaddresses",
    "destinationipgroups",
    "destinationfqdns",
    "destinationports",
}
_ANYTHING = (("any", None),)
"""Protocols of which nobody knows what they are."""


def rule_of(rule: dict[str, Any]) -> LiveRule:
    """A rule of a filter collection."""
    held = {key.lower(): value for key, value in rule.items()}
    kind = held.get("ruletype")
    word = kind.lower() if isinstance(kind, str) else ""
    if word == "applicationrule":
        return _application(held)
    if word == "networkrule":
        return _network(held)
    why = kind.reason if isinstance(kind, Unknown) else f"a rule of the type `{str(kind)[:80]}` is not understood"
    return LiveNetworkRule(_name(held, []), WIDEST, (), ("any",), WIDEST, (), (), WIDEST, (why,))


def texts(held: dict[str, Any], key: str, doubts: list[str]) -> tuple[str, ...]:
    """A list of texts; nothing where it is not there, ``WIDEST`` and a doubt where it is not understood."""
    value = held.get(key)
    if value is None:
        return ()
    if type(value) is list:
        for each in value:
            if type(each) is not str:
                break
        else:
            return tuple(value)
    unknown = value if isinstance(value, Unknown) else None
    if unknown is None and isinstance(value, list):
        unknown = next((each for each in value if isinstance(each, Unknown)), None)
    doubts.append(unknown.reason if unknown is not None else f"`{key}` is no list of texts")
    return WIDEST


def _application(held: dict[str, Any]) -> LiveApplicationRule:
    doubts: list[str] = []
    _unknown_keys(held, _APPLICATION, doubts)
    name = _name(held, doubts)
    addresses, ip_groups = texts(held, "sourceaddresses", doubts), texts(held, "sourceipgroups", doubts)
    fqdns, urls = texts(held, "targetfqdns", doubts), texts(held, "targeturls", doubts)
    has_categories = False
    for key, what in (("fqdntags", "FQDN tags"), ("webcategories", "web categories")):
        if texts(held, key, doubts):
            has_categories = True
            doubts.append(f"only Microsoft knows which names its {what} stand for")
    where = texts(held, "destinationaddresses", doubts)
    if where and where != WIDEST:
        doubts.append("what addresses of the destination mean in an application rule is not documented")
    terminates = held.get("terminatetls", False)
    if terminates is None:
        terminates = False
    if not isinstance(terminates, bool):
        terminates = None
    return LiveApplicationRule(
        name, addresses, ip_groups, _protocols(held.get("protocols"), doubts), fqdns, urls, has_categories, terminates,
        tuple(doubts),
    )  # fmt: skip


def _network(held: dict[str, Any]) -> LiveNetworkRule:
    doubts: list[str] = []
    _unknown_keys(held, _NETWORK, doubts)
    name = _name(held, doubts)
    protocols = texts(held, "ipprotocols", doubts)
    return LiveNetworkRule(
        name,
        texts(held, "sourceaddresses", doubts),
        texts(held, "sourceipgroups", doubts),
        ("any",) if protocols == WIDEST else tuple([each.lower() for each in protocols]),
        texts(held, "destinationaddresses", doubts),
        texts(held, "destinationipgroups", doubts),
        texts(held, "destinationfqdns", doubts),
        texts(held, "destinationports", doubts),
        tuple(doubts),
    )


def _name(held: dict[str, Any], doubts: list[str]) -> str:
    value = held.get("name")
    if isinstance(value, Unknown):
        doubts.append(f"its name is not known: {value.reason}")
    return value if isinstance(value, str) else "(a rule without a name)"


def _unknown_keys(held: dict[str, Any], known: frozenset[str], doubts: list[str]) -> None:
    if not held.keys() <= known:
        doubts.extend([f"`{key}` is not understood" for key in held if key not in known])


def _protocols(value: Any, doubts: list[str]) -> tuple[tuple[str, int | None], ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        doubts.append(value.reason if isinstance(value, Unknown) else "`protocols` is no list")
        return _ANYTHING
    found: list[tuple[str, int | None]] = []
    for each in value:
        one = {key.lower(): held for key, held in each.items()} if isinstance(each, dict) else {}
        kind, port = one.get("protocoltype"), one.get("port")
        if not isinstance(kind, str) or kind.lower() not in {"http", "https", "mssql"}:
            doubts.append(kind.reason if isinstance(kind, Unknown) else "a protocol is not understood")
            kind = "any"
        if type(port) is not int:
            doubts.append(port.reason if isinstance(port, Unknown) else "a protocol has no port")
            port = None
        found.append((kind.lower(), port))
    return tuple(found)
