"""What an account of the policy is called on PAN-OS, in the words that the reader uses.

Written for the proof: it shares no code with the lowering, so that a wrong user there shows here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egressc.flows import Choice

if TYPE_CHECKING:
    from egressc.flows import Processes
    from egressc.policy import Account

USER: Final = "directory-user"
"""Whom User-ID maps the source address to, without letter case. A process is of one user."""


def processes(account: Account) -> tuple[Processes, ...]:
    """The processes of an account: those of its directory users; none if it has no directory user."""
    users = frozenset([user_name(value) for value in account.values("directory-user")])
    return (((USER, Choice(users)),),) if users else ()


def user_name(text: str) -> str:
    """A user in one spelling: directory names are the same in any letter case."""
    return text.casefold()
