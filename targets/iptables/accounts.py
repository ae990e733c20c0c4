"""What an account of the policy is called on Linux, in the words that the reader uses.

Written for the proof: it shares no code with the lowering, so that a wrong user there shows here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egressc.flows import Choice

if TYPE_CHECKING:
    from egressc.flows import Processes
    from egressc.policy import Account

USER: Final = "linux-user"
"""Whom a process runs as: a name or a uid, as the policy or the inventory writes it."""

CGROUP: Final = "linux-cgroup"
"""The control group of a process: its path without slashes at the ends; it holds what is below it."""


def processes(account: Account) -> tuple[Processes, ...]:
    """The processes of an account; none if nothing that Linux knows is bound to it."""
    paths = [path_of(value) for value in account.values(CGROUP)]
    users = account.values(USER)
    found: list[tuple[str, Choice]] = []
    if paths:
        found.append((CGROUP, Choice(frozenset(paths))))
    if users:
        found.append((USER, Choice(frozenset(users))))
    return (tuple(found),) if found else ()


def path_of(text: str) -> str:
    """A path of a control group in one spelling."""
    return "/".join([step for step in text.split("/") if step])
