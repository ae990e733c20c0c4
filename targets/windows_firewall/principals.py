"""Windows accounts by name: security identifiers that are known everywhere, and the text of an authorisation list.

Names of built-in accounts depend on the language of the host, their identifiers do not; so those are written as
identifiers. What only a domain or a host knows is left as a name, which the host resolves, or stops.
"""

from __future__ import annotations

import re
import struct
from hashlib import sha1
from typing import TYPE_CHECKING, Final

from egressc.targets.windows_firewall.model import AccountName, Sid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.targets.windows_firewall.model import Principal

WELL_KNOWN: Final = {
    # [MS-DTYP] 2.4.2.4; keys in upper case without spaces, so that `NetworkService` is `NETWORK SERVICE`
    "EVERYONE": "S-1-1-0",
    "NTAUTHORITY\\NETWORK": "S-1-5-2",
    "NTAUTHORITY\\BATCH": "S-1-5-3",
    "NTAUTHORITY\\INTERACTIVE": "S-1-5-4",
    "NTAUTHORITY\\SERVICE": "S-1-5-6",
    "NTAUTHORITY\\ANONYMOUSLOGON": "S-1-5-7",
    "NTAUTHORITY\\AUTHENTICATEDUSERS": "S-1-5-11",
    "NTAUTHORITY\\IUSR": "S-1-5-17",
    "NTAUTHORITY\\SYSTEM": "S-1-5-18",
    "NTAUTHORITY\\LOCALSYSTEM": "S-1-5-18",
    ".\\LOCALSYSTEM": "S-1-5-18",
    "LOCALSYSTEM": "S-1-5-18",
    "SYSTEM": "S-1-5-18",
    "NTAUTHORITY\\LOCALSERVICE": "S-1-5-19",
    "LOCALSERVICE": "S-1-5-19",
    "NTAUTHORITY\\NETWORKSERVICE": "S-1-5-20",
    "NETWORKSERVICE": "S-1-5-20",
    "BUILTIN\\ADMINISTRATORS": "S-1-5-32-544",
    "BUILTIN\\USERS": "S-1-5-32-545",
    "BUILTIN\\GUESTS": "S-1-5-32-546",
    "NTSERVICE\\ALLSERVICES": "S-1-5-80-0",
}
"""Accounts with the same identifier on every Windows host."""

_SERVICE_PREFIX: Final = re.compile(r"NT SERVICE\\(.+)", re.IGNORECASE | re.DOTALL)
_SID: Final = re.compile(r"S-1-(?:0x[0-9A-F]{12}|[0-9]{1,15})((?:-[0-9]{1,10}){1,15})")
_BAD_IN_NAME: Final = re.compile(r'[\x00-\x1f\x7f-\x9f*?"<>|/]')
_LONGEST_NAME: Final = 512

_USER, _BUILT_IN, _SERVICE, _GROUP = "user", "built-in account", "service", "group"
"""What a principal can stand for, as far as its text shows."""


def service_sid(service: str) -> str:
    r"""The identifier of a service's virtual account ``NT SERVICE\NAME``.

    ``S-1-5-80-`` and the SHA-1 of the upper-case name in UTF-16LE as five little-endian numbers. ASCII names only: how
    Windows folds other letters is not Python's ``upper``.
    """
    digest = sha1(service.upper().encode("utf-16-le"), usedforsecurity=False).digest()
    return "S-1-5-80-" + "-".join(str(part) for part in struct.unpack("<5I", digest))


def principal(text: str) -> Principal | str:
    """Whom a ``windows-account`` names, or in words why it cannot be an account."""
    if text.upper().startswith("S-1-"):
        shape = _SID.fullmatch(text.upper())
        if shape is None or any(int(part) >= 1 << 32 for part in shape[1].split("-")[1:]):
            return "is no security identifier"
        return Sid(text.upper().replace("0X", "0x"))
    if not text.strip() or text != text.strip():
        return "is empty or has white space at its ends"
    if len(text) > _LONGEST_NAME:
        return f"has more than {_LONGEST_NAME} characters"
    if _BAD_IN_NAME.search(text):
        return "has a character that no account name has"
    known = WELL_KNOWN.get(text.upper().replace(" ", ""))
    if known is not None:
        return Sid(known)
    domain, slash, name = text.rpartition("\\")
    if slash and (not domain or not name or "\\" in domain):
        return "is not of the form `DOMAIN\\NAME`"
    service = _SERVICE_PREFIX.fullmatch(text)
    if service is not None and service[1].isascii():
        return Sid(service_sid(service[1]))
    return AccountName(text)


def are_apart(one: Principal, other: Principal) -> bool:
    """True if no process runs as both, as far as that can be known without the host.

    Built-in service accounts are apart, so are two service identifiers and two accounts of other names; a service
    identifier stands in the token of whatever account its service runs as, and a group holds anybody.
    """
    mine, theirs = _sort(one), _sort(other)
    if _GROUP in {mine, theirs}:
        return False
    if mine != theirs:
        return _SERVICE not in {mine, theirs}
    if isinstance(one, AccountName) and isinstance(other, AccountName):
        return _bare(one) != _bare(other)  # one account has several spellings: with its domain, `.`, or `@`
    return one != other and isinstance(one, Sid) is isinstance(other, Sid)


def _sort(who: Principal) -> str:
    """What a principal stands for; an identifier of a domain and a plain name are taken for a user's."""
    if isinstance(who, AccountName):
        domain = who.value.rpartition("\\")[0].upper()
        return {"NT SERVICE": _SERVICE, "NT AUTHORITY": _GROUP, "BUILTIN": _GROUP}.get(domain, _USER)
    if who.value in {"S-1-5-18", "S-1-5-19", "S-1-5-20"}:
        return _BUILT_IN
    if who.value.startswith("S-1-5-21-"):
        return _USER
    return _SERVICE if who.value.startswith("S-1-5-80-") and who.value != "S-1-5-80-0" else _GROUP


def _bare(name: AccountName) -> str:
    """The name without what says where it is known."""
    _, slash, last = name.value.rpartition("\\")
    return (last if slash else name.value.partition("@")[0]).casefold()


def is_of_domain(name: AccountName) -> bool:
    """True if a name says its domain, so that it means the same on every host of it."""
    domain, slash, _ = name.value.rpartition("\\")
    return domain not in {"", "."} if slash else "@" in name.value


def sddl(sids: Iterable[str]) -> str:
    """The authorisation list that lets these principals match ([MS-FASP] 2.2.37: allow ACEs with the right ``CC``)."""
    return "D:" + "".join(f"(A;;CC;;;{sid})" for sid in sids)
