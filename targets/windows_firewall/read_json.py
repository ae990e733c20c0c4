"""JSON about a Windows Firewall: ``rules.json`` of ours, or what cmdlets give through ``ConvertTo-Json``.

- ``Get-NetFirewallDynamicKeywordAddress``: objects with ``Id``, ``Keyword`` and ``Addresses``, of which one is empty
- ``Get-NetFirewallRule``: of its objects only ``Name`` and ``RemoteDynamicKeywordAddresses`` are read; for what else a
  rule says there is the export of the registry, which says it all in one place
- objects with ``Name`` and ``SID``: what accounts are called on the host
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from egressc.addresses import EMPTY
from egressc.meaning import UnreadableError
from egressc.targets.windows_firewall.live import LiveKeyword
from egressc.targets.windows_firewall.processes import account_name
from egressc.targets.windows_firewall.read_records import plain_id
from egressc.targets.windows_firewall.read_values import addresses_of, sid

Record = dict[str, Any]
"""One object."""

_DATA: Final = frozenset({"Site", "Keywords", "Rules"})


@dataclass(slots=True)
class Objects:
    """What the answers of cmdlets hold, one file after the other."""

    keywords: dict[str, LiveKeyword] = field(default_factory=dict)
    references: dict[str, tuple[str, ...]] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)

    def read(self, value: Any, file: str) -> None:
        """Take in one file. Raises ``UnreadableError`` if it is none of those."""
        for record in value if type(value) is list else [value]:
            if type(record) is not dict:
                _refuse(file)
            if "SID" in record:
                self._account(record, file)
            elif "RemoteDynamicKeywordAddresses" in record:
                name = record.get("Name", record.get("InstanceID"))
                if type(name) is not str:
                    _refuse(file)
                self.references[name] = tuple([plain_id(text) for text in _texts(record, _REFERENCES, file)])
            elif "Keyword" in record and "Id" in record:
                self._keyword(record, file)
            else:
                _refuse(file)

    def _account(self, record: Record, file: str) -> None:
        name, identifier = record.get("Name"), record["SID"]
        if type(identifier) is dict:  # a SecurityIdentifier is an object of .NET
            identifier = identifier.get("Value")
        known = sid(identifier) if type(identifier) is str else None
        if type(name) is not str or known is None:
            _refuse(file)
        self.accounts[account_name(name)] = known

    def _keyword(self, record: Record, file: str) -> None:
        name, plain = record["Keyword"], record["Id"]
        if type(name) is not str or type(plain) is not str:
            _refuse(file)
        texts = [part.strip() for text in _texts(record, "Addresses", file) for part in text.split(",")]
        addresses = addresses_of([text for text in texts if text])
        is_name = record.get("AutoResolve", not texts) is True
        held = None if is_name else addresses.held
        doubt = addresses.doubt
        if is_name and addresses.held is not EMPTY:
            doubt = "it is a name and has addresses"
        self.keywords[plain_id(plain)] = LiveKeyword(plain_id(plain), name, held, doubt)


_REFERENCES: Final = "RemoteDynamicKeywordAddresses"


def load(text: str, file: str) -> Any:
    """The value of a JSON text. Raises ``UnreadableError`` if it is none, or an object says something twice."""
    try:
        return json.loads(text, object_pairs_hook=_once)
    except _TwiceError as error:
        raise UnreadableError(f"`{error}` stands twice in one object", file) from None
    except json.JSONDecodeError as error:
        raise UnreadableError(f"this is no JSON: {error.msg}", file, error.lineno) from None
    except (RecursionError, ValueError):
        raise UnreadableError("this JSON is nested too deeply, or has a number that is too long", file) from None


def is_data(value: Any) -> bool:
    """True for ``rules.json``."""
    return type(value) is dict and value.keys() == _DATA


def data_of(value: Any, file: str) -> tuple[Record, list[Record], list[Record]]:
    """The site, the keywords and the rules of ``rules.json``."""
    site, keywords, rules = value["Site"], value["Keywords"], value["Rules"]
    if type(site) is not dict or type(keywords) is not list or type(rules) is not list:
        _refuse(file)
    if not all(type(record) is dict for some in (keywords, rules) for record in some):
        _refuse(file)
    return site, keywords, rules


class _TwiceError(Exception):
    pass


def _once(pairs: list[tuple[str, Any]]) -> Record:
    found = dict(pairs)
    if len(found) != len(pairs):
        count = Counter([key for key, _ in pairs])
        raise _TwiceError(count.most_common(1)[0][0])
    return found


def _texts(record: Record, key: str, file: str) -> list[str]:
    """The texts of a property that is a list, one text, or empty."""
    value = record.get(key)
    if value is None:
        return []
    texts = value if type(value) is list else [value]
    if not all(type(text) is str for text in texts):
        _refuse(file)
    return texts


def _refuse(file: str) -> NoReturn:
    raise UnreadableError("this JSON is neither `rules.json` nor about keywords, rules or accounts of a host", file)
