"""Processes: what an account is to a Linux host, and what is left of it when another is taken away."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc.anything import Anything
from egressc.targets.iptables.capabilities import CGROUP_PATH, LAST_UID, USER_NAME
from egressc.targets.iptables.model import Cgroup, Owner
from egressc.targets.iptables.quote import held_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.policy import Account

_USER = re.compile(r"[^\s!:/+-][^\x00-\x1f\x7f:/]*")
_UID = re.compile(r"0|[1-9][0-9]{0,9}")
_CGROUP = re.compile(r"[^\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Processes:
    """A set of processes: all of the conditions hold. Without a condition: every process."""

    matches: tuple[Owner | Cgroup, ...] = ()

    @property
    def is_all(self) -> bool:
        """True for every process."""
        return not self.matches


ALL_PROCESSES: Final = Processes()
"""Every process."""


def user_problem(text: str) -> str | None:
    """What is wrong with a user name or uid, or ``None``.

    `--uid-owner` also takes a range of uids, which is no account, in octal and hexadecimal too (iptables 1.8.9,
    extensions/libxt_owner.c and libxtables/xtables.c, `xtables_strtoui` with base 0): what begins with a digit must be
    a plain number. Any other name is quoted, and apply.sh stops if the host has no such user.
    """
    if len(text) > USER_NAME:
        return f"it has more than {USER_NAME} characters"
    if text[:1].isdigit():
        if _UID.fullmatch(text) and int(text) <= LAST_UID:
            return None
        return f"a uid is a number from 0 to {LAST_UID}, without leading zeros"
    if not _USER.fullmatch(text) or held_text(text) != text:
        return "a user name has no `:`, no `/`, no control character, and begins with no `!`, `+`, `-` or space"
    return None


def cgroup_problem(text: str) -> str | None:
    """What is wrong with the path of a control group, or ``None``."""
    if len(text) > CGROUP_PATH:
        return f"it has more than {CGROUP_PATH} characters"
    if not _CGROUP.fullmatch(text) or held_text(text) != text:
        return "it is no path"
    if any(part in {".", ".."} for part in text.split("/")):
        return "it must not go up or stay in place with `..` or `.`"
    return None


def processes_of(account: Account) -> tuple[Processes, ...]:
    """The processes of an account, as alternatives: each value of one kind with each of the other; empty if unbound."""
    users = tuple(Owner(user) for user in dict.fromkeys(account.values("linux-user")))
    cgroups = tuple(Cgroup(path) for path in dict.fromkeys(map(_path, account.values("linux-cgroup"))))
    if users and cgroups:
        return tuple(Processes((user, cgroup)) for user in users for cgroup in cgroups)
    return tuple(Processes((one,)) for one in users or cgroups)


def within(one: Processes, others: Sequence[Processes] | Anything) -> tuple[Processes, ...]:
    """The processes of ``one`` that are also among ``others``, as alternatives."""
    if isinstance(others, Anything):
        return (one,)
    return tuple(
        dict.fromkeys(
            Processes(tuple(dict.fromkeys((*one.matches, *other.matches))))
            for other in others
            if not any(_apart(a, b) for a in one.matches for b in other.matches)
        )
    )


def without(one: Processes, others: Sequence[Processes] | Anything) -> tuple[Processes, ...]:
    """The processes of ``one`` that are not among ``others``, as alternatives."""
    if isinstance(others, Anything):
        return ()
    left = [one]
    for other in others:
        pieces = []
        for piece in left:
            if any(_apart(a, b) for a in piece.matches for b in other.matches):
                pieces.append(piece)
                continue
            for match in other.matches:
                if any(_implies(mine, match) for mine in piece.matches):
                    continue
                pieces.append(Processes(tuple(dict.fromkeys((*piece.matches, _opposite(match))))))
        left = _widest(pieces)
    return tuple(left)


def size(one: Processes) -> int:
    """How many bytes the conditions take in a restore file, at most."""
    return sum(2 * len(_value(match).encode()) + 32 for match in one.matches)


def may_be_one(one: Processes, other: Processes) -> bool:
    """True if one process may belong to both; two users of different names are taken for two."""
    return not any(
        _apart(a, b) or (isinstance(a, Owner) and isinstance(b, Owner) and a.user != b.user)
        for a in one.matches
        for b in other.matches
    )


def _path(text: str) -> str:
    """The path of a control group in one spelling."""
    return "/".join(part for part in text.split("/") if part)


def _value(match: Owner | Cgroup) -> str:
    return match.user if isinstance(match, Owner) else match.path


def _widest(pieces: Iterable[Processes]) -> list[Processes]:
    """The pieces without those that another one contains: each with all of its conditions and more."""
    kept: list[Processes] = []
    for piece in sorted(dict.fromkeys(pieces), key=lambda each: len(each.matches)):
        if not any(set(other.matches) <= set(piece.matches) for other in kept):
            kept.append(piece)
    return kept


def _opposite(match: Owner | Cgroup) -> Owner | Cgroup:
    return Owner(match.user, not match.other) if isinstance(match, Owner) else Cgroup(match.path, not match.other)


def _implies(one: Owner | Cgroup, other: Owner | Cgroup) -> bool:
    """True if every process that meets ``one`` meets ``other``."""
    if isinstance(one, Cgroup) and isinstance(other, Cgroup) and not (one.other or other.other):
        return _below(one.path, other.path)
    return one == other


def _apart(one: Owner | Cgroup, other: Owner | Cgroup) -> bool:
    """True if no process can meet both.

    Two names may stand for one uid, and so may a name and a number: only two different numbers are known to be apart.
    """
    if isinstance(one, Owner) and isinstance(other, Owner):
        if one.other is not other.other:
            return one.user == other.user
        return not one.other and one.user != other.user and one.user.isdigit() and other.user.isdigit()
    if isinstance(one, Cgroup) and isinstance(other, Cgroup):
        if one.other is not other.other:
            inside, outside = (other, one) if one.other else (one, other)
            return _below(inside.path, outside.path)
        return not (one.other or _below(one.path, other.path) or _below(other.path, one.path))
    return False


def _below(path: str, top: str) -> bool:
    """True if the control group is ``top`` or below it: `--path` matches descendants as well."""
    return path == top or path.startswith(f"{top}/")
