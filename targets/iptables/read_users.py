"""Who a uid is: from what `getent passwd` prints, and from the spellings that the policy uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ENTRY: Final = re.compile(r"([^:\n]+):[^:\n]*:([0-9]+):[0-9]*:[^:\n]*:[^:\n]*:[^:\n]*")
_FEW: Final = 4_096
"""So many uids of a range are looked at one by one."""


def is_users(text: str) -> bool:
    """True if every line is an entry of passwd(5)."""
    lines = [line for line in text.splitlines() if line.strip()]
    return bool(lines) and all(_ENTRY.fullmatch(line) for line in lines)


def read_users(text: str) -> dict[str, int]:
    """The uids by name."""
    found = [_ENTRY.fullmatch(line) for line in text.splitlines()]
    return {each[1]: int(each[2]) for each in found if each is not None}


class Users:
    """What the policy calls the users of a machine.

    A process has one uid. A uid has the spellings of the policy that are known to mean it, or else its own number.
    """

    def __init__(self, spellings: Iterable[str], uids: Mapping[str, int]) -> None:
        self._uids = uids
        self._spelled: dict[int, set[str]] = {}
        self._unknown: list[str] = []
        for text in sorted(set(spellings)):
            uid = int(text) if text.isdigit() else uids.get(text)
            if uid is None:
                self._unknown.append(text)
            else:
                self._spelled.setdefault(uid, set()).add(text)

    def choice(self, text: str) -> tuple[frozenset[str], frozenset[str], str]:
        """The users that a rule names, in the policy's words: at most, at least, and why these differ."""
        first, dash, last = text.partition("-")
        if first.isdigit() and (not dash or last.isdigit()):
            return self._between(int(first), int(last) if dash else int(first))
        uid = self._uids.get(text)
        if uid is not None and text not in self._unknown:
            return self._between(uid, uid)
        return frozenset({text}), frozenset({text}), ""

    def _between(self, first: int, last: int) -> tuple[frozenset[str], frozenset[str], str]:
        names = frozenset(name for uid, some in self._spelled.items() if first <= uid <= last for name in some)
        doubt = ""
        if last - first >= _FEW:
            doubt = f"the uids {first}-{last} are many, and who they are is not known"
        else:
            names |= {str(uid) for uid in range(first, last + 1) if uid not in self._spelled}
        if not self._unknown:
            return names, names, doubt
        some = ", ".join(f"`{each}`" for each in self._unknown[:3])
        doubt = f"which uid {some} has is not known: give what `getent passwd` prints, too"
        return names | frozenset(self._unknown), names, doubt
