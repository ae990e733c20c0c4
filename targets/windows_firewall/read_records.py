"""The records of ``firewall.ps1`` and ``rules.json``, which are parameters of cmdlets, as live rules and keywords."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn

from egressc.anything import ANY
from egressc.flows import Choice
from egressc.meaning import UnreadableError
from egressc.services import ALL_PORTS, PortSet
from egressc.targets.windows_firewall.live import Live, LiveKeyword, LiveRule
from egressc.targets.windows_firewall.model import Action, Profile
from egressc.targets.windows_firewall.processes import ACCOUNT, PROGRAM, SERVICE, account_name
from egressc.targets.windows_firewall.read_values import EVERYONE, addresses_of, ports_of, users_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egressc.anything import Anything
    from egressc.flows import Processes
    from egressc.targets.windows_firewall.read_values import Addresses, Ports

Record = dict[str, Any]
"""One record, as somebody may have changed it."""

_SITE: Final[dict[str, type]] = {
    "Name": str, "Group": str, "Store": str, "GroupPolicy": bool, "Profile": str, "ClosingDeny": bool,
    "RollbackTask": str,
}  # fmt: skip
_KEYWORD: Final[dict[str, type]] = {"Id": str, "Keyword": str}
_RULE: Final[dict[str, type]] = {
    "Name": str, "DisplayName": str, "Description": str, "Action": str, "Protocol": str,
}  # fmt: skip
_RULE_MAY: Final[dict[str, type]] = {
    "RemotePort": list, "RemoteAddress": list, "RemoteDynamicKeywordAddresses": list, "LocalUser": str,
    "LocalAccounts": list, "Service": str, "Program": str,
}  # fmt: skip
_ACTIONS: Final = {action.value: action for action in Action}
_PROTOCOLS: Final = frozenset({"TCP", "UDP", "Any"})

Place = tuple[str, int]
"""A file and the line in it on which a record begins; 0 where that is not known."""


def live_of(
    site: Record, keywords: Sequence[tuple[Place, Record]], rules: Sequence[tuple[Place, Record]], where: Place
) -> Live:
    """What an artefact says. Raises ``UnreadableError`` for records that no artefact of ours has."""
    _check(site, _SITE, {}, where, "the site")
    profiles = _profiles(site["Profile"], where)
    reader = _Rules(profiles)
    found: dict[str, LiveKeyword] = {}
    for place, record in keywords:
        _check(record, _KEYWORD, {}, place, "a keyword")
        plain = plain_id(record["Id"])
        if found.setdefault(plain, LiveKeyword(plain, record["Keyword"])).name != record["Keyword"]:
            _refuse(f"the keyword `{record['Id']}` stands for two names", place)
    read: dict[str, LiveRule] = {}
    for place, record in rules:
        rule = reader.rule(record, place)
        if read.setdefault(rule.name, rule) is not rule:
            _refuse(f"two rules have the name `{rule.name}`", place)
    return Live(tuple(read.values()), tuple(found.values()), closing_deny=site["ClosingDeny"])


def plain_id(text: str) -> str:
    """A GUID in one spelling: no braces, lower case."""
    return text.strip("{}").lower()


def _refuse(what: str, place: Place) -> NoReturn:
    raise UnreadableError(what, *place)


def _check(record: Record, must: Mapping[str, type], may: Mapping[str, type], place: Place, what: str) -> None:
    """Refuse a record with a key too many or too few, or with a value of another kind."""
    for key, kind in must.items():
        if type(record.get(key)) is not kind:
            _refuse(f"{what} has no `{key}`, or one of another kind", place)
    if len(record) == len(must):
        return
    for key, value in record.items():
        if key in must:
            continue
        if type(value) is not may.get(key):
            _refuse(f"`{key}` of {what} is of another kind, or nothing here knows it", place)
        if type(value) is list and (not value or not all(type(item) is str for item in value)):
            _refuse(f"`{key}` of {what} is no list of texts", place)


def _profiles(text: str, where: Place) -> frozenset[Profile] | Anything:
    if text == "Any":
        return ANY
    try:
        return frozenset([Profile(name) for name in text.split(",")])
    except ValueError:
        _refuse(f"`{text}` is no list of profiles", where)


class _Rules:
    """Reads the rules of one artefact; lists that many rules share are read once."""

    def __init__(self, profiles: frozenset[Profile] | Anything) -> None:
        self._profiles = profiles
        self._ports: dict[tuple[str, ...], tuple[PortSet, str]] = {}
        self._addresses: dict[tuple[str, ...], Addresses] = {}
        self._processes: dict[tuple[object, ...], tuple[Processes, str]] = {}
        self._plain: dict[str, str] = {}

    def rule(self, record: Record, place: Place) -> LiveRule:
        """The rule of one record."""
        _check(record, _RULE, _RULE_MAY, place, "a rule")
        action, protocol = _ACTIONS.get(record["Action"]), record["Protocol"]
        if action is None or protocol not in _PROTOCOLS:
            _refuse(f"`{record['Action']}` of `{protocol}` is nothing that a rule of ours does", place)
        texts = record.get("RemotePort")
        if (texts is None) is not (protocol == "Any"):
            _refuse("a rule has ports without a protocol, or a protocol without ports", place)
        ports, doubt = self._port_set(protocol, texts) if texts is not None else (ALL_PORTS, "")
        doubts = [doubt] if doubt else []
        keywords, remote = record.get("RemoteDynamicKeywordAddresses"), record.get("RemoteAddress")
        if keywords is None and remote is None:
            _refuse("a rule has no destinations, not even `Any`", place)
        found = self._address_set(remote) if remote is not None else None
        if found is not None and found.doubt:
            doubts.append(found.doubt)
        processes, doubt = self._process_set(record)
        if doubt:
            doubts.append(doubt)
        file, line = place
        return LiveRule(
            record["Name"],
            f"{file}:{line}" if line else file,
            action,
            ports,
            None if found is None else found.held,
            tuple([self._id(each) for each in keywords]) if keywords is not None else (),
            processes,
            self._profiles,
            tuple(doubts),
            sure=None if found is None else found.sure,
            beside="" if found is None or found.sure is None else found.doubt,
        )

    def _id(self, text: str) -> str:
        found = self._plain.get(text)
        if found is None:
            found = self._plain[text] = plain_id(text)
        return found

    def _port_set(self, protocol: str, texts: list[str]) -> tuple[PortSet, str]:
        key = (protocol, *texts)
        found = self._ports.get(key)
        if found is None:
            ports: Ports = ports_of(texts)
            held = PortSet(tcp=ports.held) if protocol == "TCP" else PortSet(udp=ports.held)
            found = self._ports[key] = held, ports.doubt
        return found

    def _address_set(self, texts: list[str]) -> Addresses:
        key = tuple(texts)
        found = self._addresses.get(key)
        if found is None:
            found = self._addresses[key] = addresses_of(texts)
        return found

    def _process_set(self, record: Record) -> tuple[Processes, str]:
        """Whom the rule is for. ``LocalAccounts`` are let match beside those of ``LocalUser``."""
        listed, accounts = record.get("LocalUser"), record.get("LocalAccounts")
        service, program = record.get("Service"), record.get("Program")
        if listed is None and accounts is None and service is None and program is None:
            return (), ""
        key = (listed, tuple(accounts) if accounts is not None else None, service, program)
        found = self._processes.get(key)
        if found is None:
            found = self._processes[key] = _processes(listed, accounts, service, program)
        return found


def _processes(
    listed: str | None, accounts: Sequence[str] | None, service: str | None, program: str | None
) -> tuple[Processes, str]:
    found: list[tuple[str, Choice]] = []
    doubts: list[str] = []
    if listed is not None or accounts is not None:
        names = frozenset([account_name(each) for each in accounts or ()])
        who = Choice(names)
        if listed is not None:
            users = users_of(listed)
            held = users.held
            # The entries for the accounts come last, and the first that fits a process decides.
            who = held if held.negated else Choice(held.names | names)
            if users.doubt:
                doubts.append(users.doubt)
            elif names and not held.negated and "(D;" in listed.upper():
                doubts.append("an entry before those of its accounts denies, and may be about one of them")
        if not (who.negated and not who.names) and EVERYONE not in who.names:
            found.append((ACCOUNT, who))
    if program is not None:
        found.append((PROGRAM, Choice(frozenset((program.casefold(),)))))
    if service is not None:
        if service == "*":
            doubts.append("it is for every service, and which processes are services only the host knows")
        else:
            found.append((SERVICE, Choice(frozenset((service.casefold(),)))))
    return tuple(found), "; ".join(doubts)
