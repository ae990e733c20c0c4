"""What an account of the policy is called on Windows, in the words that the reader uses.

Written for the proof: it shares no code with the lowering, so that a wrong identifier there shows here.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from egressc.flows import Choice
from egressc.targets.windows_firewall.principals import WELL_KNOWN
from egressc.targets.windows_firewall.read_values import EVERYONE, sid

if TYPE_CHECKING:
    from egressc.flows import Processes
    from egressc.policy import Account

ACCOUNT: Final = "windows-account"
"""Whom a process runs as: an identifier, or where only the host knows it the name in upper case."""

PROGRAM: Final = "windows-program"
"""The path of the program, without letter case."""

SERVICE: Final = "windows-service"
"""The short name of the service, without letter case."""

PACKAGE: Final = "windows-package"
"""The app container that a process is in, by identifier. No account of a policy is bound to one."""

_SERVICE_ACCOUNT: Final = re.compile(r"NT SERVICE\\([\x20-\x7e]+)", re.IGNORECASE)


def processes(account: Account) -> tuple[Processes, ...]:
    """The processes of an account; none if nothing that Windows knows is bound to it."""
    users = account.values(ACCOUNT)
    programs = account.values(PROGRAM)
    services = account.values(SERVICE)
    if not (users or programs or services):
        return ()
    found: list[tuple[str, Choice]] = []
    who = frozenset(account_name(value) for value in users)
    if who and EVERYONE not in who:
        found.append((ACCOUNT, Choice(who)))
    if programs:
        found.append((PROGRAM, Choice(frozenset(value.casefold() for value in programs))))
    if services:
        found.append((SERVICE, Choice(frozenset(value.casefold() for value in services))))
    return (tuple(found),)


def account_name(text: str) -> str:
    r"""An account in one spelling: its identifier if that is the same on every host, else its name in upper case.

    The account ``NT SERVICE\NAME`` of a service has the identifier ``S-1-5-80-`` and the SHA-1 of the upper-case name
    in UTF-16LE as five little-endian numbers (known for ASCII names).
    """
    upper = text.upper()
    known = sid(upper) if upper.startswith("S-1-") else WELL_KNOWN.get(upper.replace(" ", ""))
    if known is not None:
        return known
    service = _SERVICE_ACCOUNT.fullmatch(text)
    if service is None:
        return upper
    digest = hashlib.sha1(service[1].upper().encode("utf-16-le"), usedforsecurity=False).digest()
    parts = [str(int.from_bytes(digest[at : at + 4], "little")) for at in range(0, 20, 4)]
    return "-".join(["S-1-5-80", *parts])
