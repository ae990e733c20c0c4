"""How a rule is called and where it stands, for people and for pairing it with a rule of the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from egressc.targets.iptables.live import LiveRule

OURS: Final = "egressc: "
"""How the comment begins on a rule that stands for no rule of the policy."""


def name_of(rule: LiveRule, chain: str) -> str:
    """What comes before the colon in its comment, where we write the rule of the policy; or the chain and the line."""
    said, colon, _ = rule.comment.partition(": ")
    if colon and not rule.comment.startswith(OURS):
        return said
    return rule.comment or f"{chain}, line {rule.line}"


def place_of(file: str, line: int) -> str:
    """The file and the line of a rule."""
    return f"{file}:{line}" if line else file
