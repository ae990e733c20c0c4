"""One firewall rule as Windows keeps it in the registry: ``v2.33|Action=Allow|Active=TRUE|Dir=Out|…|``.

The grammar is [MS-GPFAS] v20240423 2.2.2.19, the meaning of its fields [MS-FASP] v20260511 2.2.37. A field that nothing
here knows may narrow what the rule matches. Dynamic keywords have no published field: a field of another name whose
value is a GUID in braces refers to one, since FW_RULE has nothing else of that kind beside interfaces (``IF``).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL_V4, ALL_V6, union_of
from egressc.anything import ANY
from egressc.flows import EVERY, Choice
from egressc.services import ALL_PORTS, PortSet
from egressc.targets.windows_firewall.live import LiveRule
from egressc.targets.windows_firewall.model import Action, Profile
from egressc.targets.windows_firewall.processes import ACCOUNT, PACKAGE, PROGRAM, SERVICE
from egressc.targets.windows_firewall.read_values import Addresses, Users, addresses_of, ports_of, users_of

if TYPE_CHECKING:
    from egressc.anything import Anything
    from egressc.flows import Processes

_VERSION: Final = re.compile(r"v([0-9]{1,3})\.([0-9]{1,3})")
_GUIDS: Final = re.compile(r"\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}(?:,\{[-0-9a-f]{36}\})*", re.IGNORECASE)
_PROTOCOL: Final = re.compile(r"[0-9]{1,3}")

_TCP, _UDP, _EVERY_PROTOCOL = 6, 17, 256
"""IANA's numbers, and what stands for any protocol ([MS-FASP] 2.2.37, wIpProtocol)."""

_SILENT: Final = frozenset({"Name", "Desc", "EmbedCtxt", "Edge", "Defer"})
"""Fields that change nothing about outbound traffic: names, and what is let in through a NAT ([MS-FASP] 2.2.35)."""

_FALSE_BY_DEFAULT: Final = frozenset({"LSM", "LOM", "PCross", "AuthByPassOut"})
"""Flags of which the value FALSE is the same as their absence."""

_ACTIONS: Final = {"Allow": Action.ALLOW, "Block": Action.BLOCK, "ByPass": Action.ALLOW}


def read_rule(name: str, text: str, file: str, *, is_local: bool) -> LiveRule | str | None:
    """The rule; or in words why it has no bearing although it is there; ``None`` if it is about other traffic."""
    version, *tokens = text.split("|")
    fields: dict[str, list[str]] = {}
    doubts: list[str] = []
    for token in tokens:
        key, equals, value = token.partition("=")
        if equals:
            fields.setdefault(key, []).append(value)
        elif token:
            doubts.append(f"`{_clipped(token)}` is no field")
    direction = fields.pop("Dir", [])
    if direction == ["In"]:
        return None
    if fields.pop("Active", ["FALSE"]) != ["TRUE"]:  # [MS-GPFAS]: without the field "a Boolean value of false"
        return "it is switched off"
    if direction != ["Out"]:
        doubts.append("it does not say whether it is for outbound traffic")
    # Windows that knows a higher version knows every field of a lower one.
    if _VERSION.fullmatch(version) is None:
        doubts.append(f"`{_clipped(version)}` is no version")
    ports = _ports(fields, doubts)
    if ports is None:
        return None
    action = _once(fields, "Action", doubts)
    if action == "ByPass":
        doubts.append("it is for connections that IPsec has authenticated")
    elif action is not None and action not in _ACTIONS:
        doubts.append("what it does is not clear")
    remote = _addresses(fields)
    if remote is not None and remote.doubt:
        doubts.append(remote.doubt)
    profiles = _profiles(fields.pop("Profile", []), doubts)
    processes = _processes(fields, doubts)
    title = fields.get("Name", [""])[0]
    keywords: dict[str, None] = {}
    for key, values in fields.items():
        if key in _SILENT or (key in _FALSE_BY_DEFAULT and values == ["FALSE"]):
            continue
        if key != "IF" and all(_GUIDS.fullmatch(value) for value in values):
            keywords.update((each.strip("{}").lower(), None) for value in values for each in value.split(","))
        else:
            doubts.append(f"what `{key}={_clipped(values[0])}` narrows it to is not known")
    return LiveRule(
        name, f"{file}: {title}" if title else file, _ACTIONS.get(action or ""), ports,
        None if remote is None else remote.held, tuple(keywords), processes, profiles, tuple(doubts),
        overrides=action == "ByPass", is_local=is_local, sure=None if remote is None else remote.sure,
        beside="" if remote is None or remote.sure is None else remote.doubt,
    )  # fmt: skip


def _clipped(text: str) -> str:
    return text if len(text) < 60 else f"{text[:60]}…"


def _once(fields: dict[str, list[str]], key: str, doubts: list[str]) -> str | None:
    """The value of a field that "MUST appear at most once": empty without one, ``None`` (a doubt) for several."""
    values = fields.pop(key, [""])
    if len(values) > 1:
        doubts.append(f"`{key}` stands there {len(values)} times")
        return None
    return values[0]


def _ports(fields: dict[str, list[str]], doubts: list[str]) -> PortSet | None:
    """The remote ports; ``None`` for a rule about neither TCP nor UDP."""
    texts = [*fields.pop("RPort", ()), *fields.pop("RPort2_10", ())]
    protocol = _once(fields, "Protocol", doubts)
    number = int(protocol) if protocol and _PROTOCOL.fullmatch(protocol) else _EVERY_PROTOCOL
    if number not in {_TCP, _UDP}:
        if number != _EVERY_PROTOCOL:
            return None
        if protocol and protocol != str(_EVERY_PROTOCOL):
            doubts.append(f"`{_clipped(protocol)}` is no protocol")
        if texts:
            doubts.append("it names ports, and no protocol that has any")
        return ALL_PORTS
    if not texts:
        return PortSet(tcp=ALL_PORTS.tcp) if number == _TCP else PortSet(udp=ALL_PORTS.udp)
    ports = ports_of(texts)
    if ports.doubt:
        doubts.append(ports.doubt)
    return PortSet(tcp=ports.held) if number == _TCP else PortSet(udp=ports.held)


def _addresses(fields: dict[str, list[str]]) -> Addresses | None:
    """The remote addresses of both families; ``None`` if the rule names none."""
    found: list[Addresses] = []
    doubts: list[str] = []
    for keys, every in ((("RA4", "RA42"), ALL_V4), (("RA6", "RA62"), ALL_V6)):
        texts = [text for key in keys for text in fields.pop(key, ())]
        if not texts:
            continue
        addresses = addresses_of(texts, most=every)
        found.append(addresses)
        if addresses.doubt:
            doubts.append(addresses.doubt)
        elif not every.contains(addresses.held):
            doubts.append(f"`{keys[0]}` holds an address of another family")
            found[-1] = replace(addresses, sure=None)
    if not found:
        return None
    sure = [each.sure for each in found if each.sure is not None]
    certain = union_of(sure) if len(sure) == len(found) else None
    return Addresses(union_of([each.held for each in found]), "; ".join(doubts), certain)


def _profiles(names: list[str], doubts: list[str]) -> frozenset[Profile] | Anything:
    known = {profile.value: profile for profile in Profile}
    if not all(name in known for name in names):
        doubts.append(f"nothing here knows the profiles {', '.join(names)}")
        return ANY
    found = frozenset([known[name] for name in names])
    return found if found and len(found) < len(Profile) else ANY


def _processes(fields: dict[str, list[str]], doubts: list[str]) -> Processes:
    found: list[tuple[str, Choice]] = []
    if "LUAuth" in fields:
        text = _once(fields, "LUAuth", doubts)
        users = users_of(text) if text is not None else Users(EVERY)
        if users.doubt:
            doubts.append(users.doubt)
        if users.held != EVERY:
            found.append((ACCOUNT, users.held))
    if "AppPkgId" in fields:
        package = _once(fields, "AppPkgId", doubts)
        if package is not None and package.upper().startswith("S-1-15-2-"):
            found.append((PACKAGE, Choice(frozenset((package.upper(),)))))
        elif package is not None:  # Windows was seen to ignore a rule in which it is empty
            doubts.append(f"which app container `{_clipped(package)}` is, is not clear")
    if "App" in fields:
        program = _once(fields, "App", doubts)
        if program:
            found.append((PROGRAM, Choice(frozenset((program.casefold(),)))))
        elif program is not None:
            doubts.append("which program it is for is not clear")
    if "Svc" in fields:
        service = _once(fields, "Svc", doubts)
        if service and service != "*":
            found.append((SERVICE, Choice(frozenset((service.casefold(),)))))
        elif service is not None:  # [MS-FASP] 2.2.37: `*` is any service
            doubts.append("it is for every service, and which processes are services only the host knows")
    return tuple(found)
