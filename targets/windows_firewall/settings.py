"""The settings of one Windows firewall: where its rules are kept, and what the script may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from egressc.anything import ANY, Anything
from egressc.schema_check import check, load_schema
from egressc.targets.windows_firewall.model import GroupPolicyStore, PersistentStore, Profile

if TYPE_CHECKING:
    from egressc.diagnostics import Diagnostic
    from egressc.located import Located
    from egressc.targets.windows_firewall.model import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``settings`` of an inventory entry, with the defaults filled in.

    ``group`` names the rule group that belongs to egressc on the hosts. ``dynamic_keywords`` says whether names can be
    matched there (Defender's Network Protection resolves them). ``default_deny`` is whether the script takes the
    switch that blocks what no rule allows; it is never set unasked.
    """

    store: Store = field(default_factory=PersistentStore)
    group: str = "egressc"
    profiles: tuple[Profile, ...] | Anything = ANY
    dynamic_keywords: bool = True
    default_deny: bool = True


DEFAULTS: Final = Settings()
"""The settings of a firewall that no inventory describes."""


def load_settings(located: Located | None) -> tuple[Settings | None, tuple[Diagnostic, ...]]:
    """The settings of an inventory entry, or what is wrong with them; the defaults for ``None``."""
    if located is None:
        return DEFAULTS, ()
    problems = check(located, load_schema("egressc.targets.windows_firewall", "settings.schema.json"))
    if problems:
        return None, problems
    given: Any = located.value
    store = given.get("store", "PersistentStore")
    settings = Settings(
        store=PersistentStore() if store == "PersistentStore" else GroupPolicyStore(store["gpo"]),
        group=given.get("group", DEFAULTS.group),
        profiles=_profiles(given.get("profile", "Any")),
        dynamic_keywords=given.get("dynamic-keywords", DEFAULTS.dynamic_keywords),
        default_deny=given.get("default-deny", DEFAULTS.default_deny),
    )
    return settings, ()


def _profiles(given: str | list[str]) -> tuple[Profile, ...] | Anything:
    if given == "Any":
        return ANY
    named = {given} if isinstance(given, str) else set(given)
    chosen = tuple(profile for profile in Profile if profile.value in named)
    return ANY if len(chosen) == len(Profile) else chosen
