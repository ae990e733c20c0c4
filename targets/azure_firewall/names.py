"""Names of rules, collections and groups: from identities alone, within Azure's characters and length.

A rule is called ``POLICY.RULE_NATURE`` (``POLICY.RULE_PART_NATURE`` where a rule has parts). Names of the language hold
neither ``.`` nor ``_``, so different rules have different names. Only what is too long becomes ``RULE_NATURE_HASH``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.naming import digest, short_name
from egressc.targets.azure_firewall.limits import LONGEST_NAME

if TYPE_CHECKING:
    from egressc.site import BoundRule

_DIGITS = 12


def rule_name(rule: BoundRule, nature: str) -> str:
    """The name of a rule that says what a part of a policy's rule says."""
    part = f"_{rule.part}" if rule.part else ""
    name = f"{rule.identity.replace('/', '.')}{part}_{nature}"
    if len(name) <= LONGEST_NAME:
        return name
    tail = f"_{nature}_{digest(name, _DIGITS)}"
    return f"{rule.identity.rpartition('/')[2][: LONGEST_NAME - len(tail)].rstrip('-')}{tail}"


def group_name(prefix: str, kind: str, policy: str, number: int) -> str:
    """The name of a rule collection group: for one kind of rules of one policy, numbered from 1 where it is split."""
    name = f"{prefix}-{kind}-{policy}" + (f".{number}" if number > 1 else "")
    if len(name) <= LONGEST_NAME:
        return name
    return short_name(f"{prefix}-{kind}", policy, name, LONGEST_NAME, _DIGITS)


def collection_name(kind: str, rule: str) -> str:
    """The name of a collection that holds one rule and is called after it."""
    name = f"{kind}-{rule}"
    return name if len(name) <= LONGEST_NAME else short_name(kind, rule, name, LONGEST_NAME, _DIGITS)


def ip_group_name(prefix: str, group: str) -> str:
    """The name of the IP group that stands for a group of the inventory."""
    name = f"{prefix}-{group}"
    return name if len(name) <= LONGEST_NAME else short_name(prefix, group, name, LONGEST_NAME, _DIGITS)
