"""Descriptions of rules: what the policy says about a rule, with where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.targets.azure_firewall.limits import LONGEST_DESCRIPTION

if TYPE_CHECKING:
    from egressc.site import BoundRule

_CUT = "..."


def describe(bound: BoundRule) -> tuple[str, bool]:
    """The description of a rule, and whether something of it had to be left out.

    ``TEXT [ticket T] (POLICY/RULE; expires=DATE)``: the identity always stands whole at the end, because it leads back
    to the policy, where the text stands whole too. In at most ``LONGEST_DESCRIPTION`` UTF-16 units.
    """
    rule = bound.rule
    tail = f"({bound.key}; expires={rule.expires.isoformat()})" if rule.expires is not None else f"({bound.key})"
    text = f"{rule.description} [{rule.ticket}]" if rule.ticket else rule.description
    whole = f"{text} {tail}" if text else tail
    if whole.isascii():
        if len(whole) <= LONGEST_DESCRIPTION:
            return whole, False
    elif _units(whole) <= LONGEST_DESCRIPTION:
        return whole, False
    room = LONGEST_DESCRIPTION - len(tail) - len(_CUT) - 1
    if room < 0:
        # The longest names of the language: policy, included policy, rule and part are 255 characters together.
        return bound.key, True
    return f"{_begin(text, room)}{_CUT} {tail}", True


def _units(text: str) -> int:
    """The length that .NET counts: characters beyond the basic plane are two."""
    return len(text) + sum(character > "\uffff" for character in text)


def _begin(text: str, units: int) -> str:
    """The longest beginning of a text that takes at most so many UTF-16 units."""
    left = units
    for at, character in enumerate(text):
        left -= 2 if character > "\uffff" else 1
        if left < 0:
            return text[:at].rstrip()
    return text
