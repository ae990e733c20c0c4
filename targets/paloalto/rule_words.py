"""What a policy rule says beside its match: who, description, tags, log, schedule. The same in all that it becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.anything import ANY, Anything
from egressc.diagnostics import Diagnostic
from egressc.targets.paloalto.capabilities import DESCRIPTION, RESERVED_USERS, TAG_NAME, USER
from egressc.targets.paloalto.quote import held_text

if TYPE_CHECKING:
    from egressc.reach import Reach
    from egressc.site import BoundRule
    from egressc.targets.paloalto.objects import Objects
    from egressc.targets.paloalto.settings import Settings


@dataclass(frozen=True, slots=True)
class RuleWords:
    """The words of one rule. ``decryption_tags`` also say when it ends, because a decryption rule has no schedule."""

    users: tuple[str, ...] | Anything
    description: str
    tags: tuple[str, ...]
    decryption_tags: tuple[str, ...]
    group_tag: str
    schedule: str | None
    log_end: bool
    log_setting: str | None


class Vocabulary:
    """The words of all rules of a site, each made once. ``diagnostics`` say what PAN-OS cannot hold."""

    def __init__(self, settings: Settings, objects: Objects) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._settings = settings
        self._objects = objects
        self._held: dict[BoundRule, RuleWords | None] = {}
        self._sources: dict[frozenset[str], tuple[str, ...]] = {}
        self._told: set[str] = set()

    def of(self, rule: BoundRule) -> RuleWords | None:
        """The words of a rule; ``None`` if something in it cannot be said, which is then in ``diagnostics``."""
        if rule in self._held:
            return self._held[rule]
        made = self._held[rule] = self._make(rule)
        return made

    def sources(self, rule: BoundRule, reach: Reach) -> tuple[str, ...] | Anything:
        """The sources of what is left of a rule."""
        if reach.groups is ANY:
            return ANY
        found = self._sources.get(reach.groups)
        if found is None:
            found = self._sources[reach.groups] = tuple(self._objects.group(group) for group in rule.groups)
        return found

    def _make(self, rule: BoundRule) -> RuleWords | None:
        stated = rule.rule
        settings = self._settings
        before = len(self.diagnostics)
        description = held_text(stated.description) if stated.description.strip() else ""
        # Whether PAN-OS counts characters or bytes is written nowhere: what is short enough in bytes is short enough.
        size = len(description) if description.isascii() else len(description.encode())
        if size > DESCRIPTION:
            self._tell(
                rule,
                "E0700",
                f"the description of `{stated.identity}` has {size} bytes, and PAN-OS takes {DESCRIPTION}",
                "shorten it, and keep the long form where `reference` points",
            )
        group_tag = self._objects.tag("policy", stated.policy.name)
        assert group_tag is not None, "a policy's name is at most 63 characters"
        tags = [group_tag]
        for ticket in dict.fromkeys((stated.policy.ticket, stated.ticket)):
            if not ticket:
                continue
            tag = self._objects.tag("ticket", ticket)
            if tag is None:
                self._tell(
                    rule,
                    "E0701",
                    f"the ticket of `{stated.identity}` is too long for a tag: PAN-OS takes {TAG_NAME} characters",
                    "shorten the ticket",
                )
            else:
                tags.append(tag)
        decryption_tags = list(tags)
        schedule = None
        if stated.expires is not None and not rule.is_deny:
            schedule = self._objects.schedule(stated.expires)
            ends = self._objects.tag("expires", stated.expires.isoformat()) if settings.tls_inspection else None
            decryption_tags.extend([ends] if ends else [])
        users = self._users(rule)
        if len(self.diagnostics) > before or users == ():
            return None
        log = stated.log is not False
        return RuleWords(
            users,
            description,
            tuple(tags),
            tuple(decryption_tags),
            group_tag,
            schedule,
            log,
            settings.log_setting if log else None,
        )

    def _users(self, rule: BoundRule) -> tuple[str, ...] | Anything:
        """The users of a rule; empty if an account has none, which the steps have told then."""
        if not self._settings.user_id or rule.accounts is ANY:
            return ANY
        users: dict[str, None] = {}
        for account in rule.accounts:
            values = account.values("directory-user")
            if not values:
                return ()
            for value in values:
                if value.lower() in RESERVED_USERS or len(value) > USER or held_text(value) != value:
                    self._tell(
                        rule,
                        "E0704",
                        f"`{account.name}` has a directory-user that PAN-OS cannot take: `{held_text(value)[:60]}`",
                        "write `DOMAIN\\NAME`, without quotes of both kinds and without a backslash at the end",
                    )
                users[value] = None
        return tuple(users)

    def _tell(self, rule: BoundRule, code: str, message: str, help_text: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self.diagnostics.append(Diagnostic(code=code, message=message, span=rule.rule.span, help=help_text))
