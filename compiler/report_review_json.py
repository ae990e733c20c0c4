"""What `egressc diff` says, for machines: as ``grammar/diff.schema.json`` describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egressc.anything import Anything
from egressc.report_review_words import SECTIONS, example

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.flows import Flow
    from egressc.review import Change, Edit, FirewallReview, Review, RuleAt

_ANY = ["any"]
"""How any group or any account stands in a list of names; the word is reserved, so no group has it for a name."""


def review_json(review: Review, title: str) -> dict[str, Any]:
    """The review, without the diagnostics."""
    return {
        "version": 1,
        "title": title,
        "old": review.old,
        "new": review.new,
        "empty": review.is_empty,
        **{section.key: [_change(change) for change in section.of(review)] for section in SECTIONS},
        "per_firewall": {each.name: _firewall(each) for each in review.per_firewall},
        "edits_without_effect": len(review.edits),
        "edits": [_edit(edit) for edit in review.edits],
        "remarks": list(review.remarks),
    }


def nothing_compared(title: str) -> dict[str, Any]:
    """The same where nothing could be compared."""
    lists: dict[str, Any] = {section.key: [] for section in SECTIONS}
    head: dict[str, Any] = {"version": 1, "title": title, "old": None, "new": None, "empty": None}
    return {**head, **lists, "per_firewall": {}, "edits_without_effect": 0, "edits": [], "remarks": []}


def _change(change: Change) -> dict[str, Any]:
    return {
        "groups": _ANY if isinstance(change.groups, Anything) else list(change.groups),
        "accounts": _ANY if isinstance(change.accounts, Anything) else list(change.accounts),
        "sources": change.sources or None,
        "endpoint": change.endpoint or None,
        "endpoints": change.count or 1,
        "beyond": list(change.beyond),
        "within": list(change.within),
        "ports": change.ports.split(),
        "before": change.before.value,
        "after": change.after.value,
        "rules": [*_rules(change.old_rules, "old"), *_rules(change.new_rules, "new")],
        "example": {**dict(_flow(change.example)), "text": example(change)},
        "notes": list(change.notes),
    }


def _rules(rules: Sequence[RuleAt], side: str) -> Iterator[dict[str, Any]]:
    for rule in rules:
        line, column = rule.span.source.line_column(rule.span.start)
        yield {
            "rule": rule.identity,
            "part": rule.part or None,
            "side": side,
            "action": rule.action.value,
            "file": rule.span.source.shown,
            "line": line,
            "column": column,
        }


def _edit(edit: Edit) -> dict[str, Any]:
    return {
        "kind": edit.kind.value,
        "what": edit.what.value,
        "old": edit.names[0] or None,
        "new": edit.names[1] or None,
        "file": edit.file or None,
        "rules": [*_rules(edit.old, "old"), *_rules(edit.new, "new")],
    }


def _firewall(each: FirewallReview) -> dict[str, Any]:
    return {
        "target": each.target,
        "state": each.state or "compared",
        "added": list(each.added),
        "removed": list(each.removed),
        "changed": list(each.changed),
        "notes": list(each.notes),
    }


def _flow(flow: Flow) -> Iterator[tuple[str, object]]:
    for key, value in (
        ("group", flow.group),
        ("source", flow.source or None),
        ("account", flow.account),
        ("process", flow.process or None),
        ("host", flow.host),
        ("path", flow.path),
        ("address", flow.address),
        ("shared_name", flow.shared),
        ("transport", flow.transport),
        ("port", flow.port),
    ):
        if value is not None:
            yield key, value
