"""Finds misspelt settings that a list before them took for one of its values.

A list ends at the next reserved word, so ``ports 443/https`` followed by ``no-tls-inspecton`` is a list of two ports to
the grammar. It is reported here, once, where the list cannot be right in any case: a name among ports, a date or a port
among names or endpoints, a word that can be no name (``No_TLS_inspection``), or a rule without ``to`` or ``ports`` that
lists a word near to what is missing. Whether a name is a group only the inventory tells (``bind_names``).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from egressc.parse_errors import near, unknown_statement
from egressc.parse_shape import ITEM_BLOCKS, RULE, Block
from egressc.syntax import Import, Policy, Setting, Word

if TYPE_CHECKING:
    from collections.abc import Callable

    from egressc.diagnostics import Diagnostic
    from egressc.syntax import File, Rule, Value

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z_-]*").fullmatch
_NO_GROUP: Final = re.compile(r"[0-9].*|.*[./*].*|[a-z-]*[A-Z_][A-Za-z_-]*").fullmatch
_NO_ENDPOINT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}|(?:any|[0-9]+(?:-[0-9]+)?)/[a-z]+|[a-z-]*[A-Z_][A-Za-z_-]*",
).fullmatch
_WRONG: Final[dict[str, Callable[[str], object]]] = {
    "ports": _NAME,
    "from": _NO_GROUP,
    "as": _NO_GROUP,
    "to": _NO_ENDPOINT,
}
"""For each list: what can never be one of its values, though it can be a value of some setting, or its keyword."""

_SIGNS: Final = frozenset(("any", "any-group", "any-address"))
_REQUIRED: Final = ("to", "ports")


def find_absorbed(file: File) -> tuple[File, tuple[Diagnostic, ...]] | None:
    """The file without what its lists absorbed, and what to say of it; ``None`` if there is no such thing."""
    diagnostics: list[Diagnostic] = []
    policies = [item for item in file.items if isinstance(item, Policy)]
    if not policies:
        return None
    search = _Search(frozenset(item.name.text for item in file.items if not isinstance(item, Import)), diagnostics)
    items = tuple(search.policy(item) if isinstance(item, Policy) else item for item in file.items)
    return (replace(file, items=items), tuple(diagnostics)) if diagnostics else None


class _Search:
    """One walk through a file. ``defined`` are its own names: what is one of them is no misspelt keyword."""

    def __init__(self, defined: frozenset[str], diagnostics: list[Diagnostic]) -> None:
        self.defined = defined
        self.diagnostics = diagnostics

    def policy(self, policy: Policy) -> Policy:
        """The policy without what its lists absorbed."""
        settings = self.settings(policy.settings, ITEM_BLOCKS["policy"], ())
        rules = {i: new for i, rule in enumerate(policy.rules) if (new := self.rule(rule)) is not None}
        if rules:
            policy = replace(policy, rules=tuple(rules.get(i, rule) for i, rule in enumerate(policy.rules)))
        return policy if settings is None else replace(policy, settings=settings, damaged=True)

    def rule(self, rule: Rule) -> Rule | None:
        """The rule without what its lists absorbed; ``None`` if there is no such thing."""
        missing: tuple[str, ...] = ()
        if not rule.damaged:
            stated = [setting.keyword.text for setting in rule.settings]
            if "to" not in stated or "ports" not in stated:
                missing = tuple(keyword for keyword in _REQUIRED if keyword not in stated)
        settings = self.settings(rule.settings, RULE, missing)
        return None if settings is None else replace(rule, settings=settings, damaged=True)

    def settings(
        self,
        settings: tuple[Setting, ...],
        block: Block,
        missing: tuple[str, ...],
    ) -> tuple[Setting, ...] | None:
        """The settings of a block without what faulty lists absorbed; ``None`` if there is no such list."""
        kept: list[Setting] = []
        before = len(self.diagnostics)
        for setting in settings:
            wrong = _WRONG.get(setting.keyword.text)
            found = None if wrong is None else self.absorbed(setting, wrong, block.keywords, missing)
            if found is None:
                kept.append(setting)
                continue
            at, suggestion = found
            values = setting.values + (setting.exceptions or ())
            self.diagnostics.append(unknown_statement(values[at].span, block, suggestion))
            self.behind(values[at + 1 :], block)
            if at:
                kept.append(_cut(setting, at))
        return None if len(self.diagnostics) == before else tuple(kept)

    def absorbed(
        self,
        setting: Setting,
        wrong: Callable[[str], object],
        keywords: tuple[str, ...],
        missing: tuple[str, ...],
    ) -> tuple[int, str] | None:
        """The index of the value that is a misspelt keyword, and that keyword."""
        values = setting.values + (setting.exceptions or ())
        surely_wrong = -1
        for index, value in enumerate(values):
            if isinstance(value, Word) and wrong(value.text) and value.text not in _SIGNS:
                surely_wrong = index
                break
        # A misspelt keyword is the wrong value itself, or the next before it that looks like one.
        for index in range(surely_wrong, -1, -1):
            suggestion = self.slip(values[index], keywords)
            if suggestion is not None:
                return index, suggestion
        for index, value in enumerate(values if missing else ()):
            suggestion = self.slip(value, missing)
            if suggestion is not None:
                return index, suggestion
        return None

    def slip(self, value: Value, keywords: tuple[str, ...]) -> str | None:
        """The keyword that a value is a slip of."""
        if not isinstance(value, Word) or not _NAME(value.text) or value.text in _SIGNS or value.text in self.defined:
            return None
        return near(value.text, keywords)

    def behind(self, values: tuple[Value, ...], block: Block) -> None:
        """Reports the misspelt keywords that begin lines behind one that is reported."""
        for value in values:
            suggestion = self.slip(value, block.keywords) if value.span.begins_line else None
            if suggestion is not None:
                self.diagnostics.append(unknown_statement(value.span, block, suggestion))


def _cut(setting: Setting, at: int) -> Setting:
    """The setting with its first values only."""
    count = len(setting.values)
    exceptions = setting.exceptions[: max(at - count, 0)] if setting.exceptions else None
    return replace(setting, values=setting.values[:at], exceptions=exceptions or None)
