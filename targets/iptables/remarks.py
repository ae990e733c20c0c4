"""What people read in the files: the comment of each rule, and the texts that are too long for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.naming import short_name
from egressc.targets.iptables.capabilities import LOG_PREFIX
from egressc.targets.iptables.quote import held_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.policy import PolicyHead
    from egressc.site import BoundRule


def comment_of(rule: BoundRule) -> str:
    """The comment on the rules that a rule becomes: its key, its description and ticket; it may be too long for one."""
    said = rule.rule
    ticket = f" [{held_text(said.ticket)}]" if said.ticket else ""
    return f"{rule.key}: {held_text(said.description)}{ticket}"


def log_prefix(rule: BoundRule) -> str:
    """The prefix of the log lines of a rule."""
    return short_name("deny" if rule.is_deny else "allow", rule.key, rule.key, LOG_PREFIX)


def remarks(rules: Iterable[BoundRule], long_comments: Mapping[str, str]) -> tuple[str, ...]:
    """A line for each policy, and the whole text of each comment that had to be cut."""
    heads: dict[str, PolicyHead] = {}
    for rule in rules:
        head = rule.rule.policy
        heads.setdefault(head.name, head)
    return (
        *(_of_policy(heads[name]) for name in sorted(heads)),
        *(long_comments[key] for key in sorted(long_comments)),
    )


def _of_policy(head: PolicyHead) -> str:
    facts = [
        f"{name} {held_text(value)}"
        for name, value in (
            ("owner", head.owner),
            ("reference", head.reference),
            ("ticket", head.ticket),
            ("review by", head.review_by.isoformat() if head.review_by is not None else ""),
        )
        if value
    ]
    more = f" ({'; '.join(facts)})" if facts else ""
    return f"policy {head.name}: {held_text(head.description)}{more}"
