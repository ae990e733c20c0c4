"""What a change of a policy means: the values that `egressc diff` reports, in every form."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from egressc.anything import Anything
    from egressc.flows import Flow
    from egressc.policy import Action
    from egressc.source import Span


class Verdict(StrEnum):
    """What the policy says about a flow, inspection included."""

    DENY = "deny"
    ALLOW = "allow"
    MAY = "may"
    MUST_NOT = "must-not"
    MUST = "must"


@dataclass(frozen=True, slots=True)
class RuleAt:
    """A rule of one side and where it stands. ``part`` is the group whose parameters it is filled with, or empty."""

    identity: str
    part: str
    action: Action
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A set of flows that is decided otherwise, in the words of the policy.

    ``groups`` and ``accounts`` are names as people wrote them (``ANY``: any). ``sources`` is empty for all addresses of
    the groups, else it says which of them (those that came or went). ``endpoint`` is a pattern, an address or a service
    tag as it was written, with its path; empty stands for everything that the rules have, then ``count`` says how many
    endpoints they are. ``within`` are further endpoints that a flow of the change matches, each of them. ``beyond`` are
    those parts of the endpoint that are decided as before (``… on PORTS``: on these ports only). ``ports`` are as the
    language writes them, separated by spaces.

    ``before`` and ``after`` are ``deny`` and ``allow``, or the two states of inspection. ``old_rules`` and
    ``new_rules`` are the rules that decide so on each side; none where the policy's default does. ``notes`` are
    sentences that a reviewer should know.
    """

    groups: tuple[str, ...] | Anything
    accounts: tuple[str, ...] | Anything
    endpoint: str
    ports: str
    before: Verdict
    after: Verdict
    old_rules: tuple[RuleAt, ...]
    new_rules: tuple[RuleAt, ...]
    example: Flow
    sources: str = ""
    within: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()
    count: int = 0
    notes: tuple[str, ...] = ()


class What(StrEnum):
    """What an edit without effect was done to."""

    RULE = "rule"
    POLICY = "policy"
    SET = "set"
    ACCOUNT = "account"
    PARAMETER = "parameter"
    GROUP = "group"
    IMPORT = "import"
    FILE = "file"


class EditKind(StrEnum):
    """What was done without changing what is decided."""

    MOVED = "moved"
    SPLIT = "split"
    MERGED = "merged"
    RENAMED = "renamed"
    REWRITTEN = "rewritten"
    REWORDED = "reworded"
    REFORMATTED = "reformatted"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit without effect: what was done, and to what.

    A rule that takes effect stands in ``old`` and ``new``. Anything else is called as ``names`` says, on the old and on
    the new side (empty: it is not there); ``file`` is where it stands, on the new side where that has it. Of a policy
    that is called otherwise, ``old`` and ``new`` are its rules.
    """

    kind: EditKind
    old: tuple[RuleAt, ...]
    new: tuple[RuleAt, ...]
    file: str = ""
    what: What = What.RULE
    names: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallReview:
    """What a change does to one firewall. ``name`` is ``FIREWALL`` or ``FIREWALL/GROUP``.

    ``added``, ``removed`` and ``changed`` are the names of artefact rules. ``notes`` say where a change of the policy
    has no effect there, or an effect that the policy does not have. ``state`` is empty, or why it was not compared
    (``new``, ``gone``, ``errors``).
    """

    name: str
    target: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What the change from ``old`` to ``new`` (names, for people) means."""

    old: str
    new: str
    newly_allowed: tuple[Change, ...]
    no_longer_allowed: tuple[Change, ...]
    inspection_changed: tuple[Change, ...]
    per_firewall: tuple[FirewallReview, ...]
    edits: tuple[Edit, ...]
    remarks: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True if every flow is decided as before, and no firewall gets another rule."""
        return not (
            self.newly_allowed
            or self.no_longer_allowed
            or self.inspection_changed
            or any(f.added or f.removed or f.changed or f.state for f in self.per_firewall)
        )
