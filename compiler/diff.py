"""What a change of policies and inventories means: what is decided otherwise, and which edits change nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.diff_accounts import account_changes
from egressc.diff_edits import edits_without_effect
from egressc.diff_files import BY_NAME
from egressc.diff_flows import inspected_otherwise, newly_allowed
from egressc.diff_lines import changes_of
from egressc.diff_sides import both_sides
from egressc.public_suffixes_tenants import note_for
from egressc.review import Review

if TYPE_CHECKING:
    from egressc.bind import Prepared
    from egressc.diff_files import Places
    from egressc.diff_sides import Sides
    from egressc.review import Change, FirewallReview


def review(old: Prepared, new: Prepared, *, names: tuple[str, str] = ("old", "new")) -> Review:
    """What the change from ``old`` to ``new`` means, firewalls apart; ``names`` are what people call the two sides."""
    return review_of(both_sides(old, new), names=names)


def review_of(
    sides: Sides,
    *,
    names: tuple[str, str] = ("old", "new"),
    per_firewall: tuple[FirewallReview, ...] = (),
    places: Places = BY_NAME,
) -> Review:
    """The review of two sides that were put in the same words; ``places``: what a file of each is compared by."""
    more = changes_of(newly_allowed(sides.old, sides.new), sides, sides.new, turned=False)
    less = changes_of(newly_allowed(sides.new, sides.old), sides, sides.old, turned=True)
    inspection = list(inspected_otherwise(sides.old, sides.new))
    ours: list[Change] = []
    for side in (sides.old, sides.new):
        mine = [each for each in inspection if each.rule in side.known]
        ours.extend(changes_of(mine, sides, side, turned=False))
    wider, narrower, inspected = account_changes(sides, ours)
    return Review(
        old=names[0],
        new=names[1],
        newly_allowed=tuple([_with_note(change) for change in (*more, *wider)]),
        no_longer_allowed=(*less, *narrower),
        inspection_changed=(*ours, *inspected),
        per_firewall=per_firewall,
        edits=edits_without_effect(sides, (*more, *less, *ours), places),
    )


def _with_note(change: Change) -> Change:
    """The change, with a word about wildcards under which anyone can register a name."""
    note = note_for(change.endpoint, lambda suffix: f"*.{suffix}" not in change.beyond)
    return replace(change, notes=(*change.notes, note)) if note else change
