"""Comments of lists: which rules an entry stands for, on lines of a length that every program reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.policy import Rule

LONGEST = 1000
"""Squid takes lines apart that are longer than 2,048 bytes: what is behind that would be a directive."""


def rule_comments(rules: Sequence[Rule], *, before: str = "", mark: str = "#") -> Iterator[str]:
    """The identities of rules, which hold letters, digits, ``-`` and ``/`` alone, on one comment line or more.

    ``before`` stands in front of them, on the first line.
    """
    line = f"{mark} {before}".rstrip()
    for rule in rules:
        if len(line) + 1 + len(rule.identity) > LONGEST:
            yield line
            line = mark
        line += f" {rule.identity}"
    yield line
