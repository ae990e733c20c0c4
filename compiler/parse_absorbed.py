"""Finds misspelt settings that a list before them took for one of its values.

A list ends at the next reserved word, so ``ports 443/https`` followed by ``no-tls-inspecton`` is a list of two ports to
the grammar. It is reported here, once, where the list cannot be right in any case: a name among ports, a date or a port
among names or endpoints, or a rule without ``to`` or ``ports`` that lists a word near to what is missing.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from egressc.parse_errors import near, unknown_statement
from egressc.parse_shape import ITEM_BLOCKS, RULE, Block
from egressc.syntax import Policy, Setting, Word

if TYPE_CHECKING:
    from collections.abc import Callable

    from egressc.diagnostics import Diagnostic
    from egressc.syntax import File, Rule

_NAME: Final = re.compile(r"[a-z][a-z-]*").fullmatch
_NO_GROUP: Final = re.compile(r"[0-9].*|.*/.*").fullmatch
_NO_ENDPOINT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|(?:any|[0-9]+(?:-[0-9]+)?)/[a-z]+").fullmatch
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
    items = tuple(_policy(item, diagnostics) if isinstance(item, Policy) else item for item in file.items)
    return (replace(file, items=items), tuple(diagnostics)) if diagnostics else None


def _policy(policy: Policy, diagnostics: list[Diagnostic]) -> Policy:
    """The policy without what its lists absorbed."""
    settings = _settings(policy.settings, ITEM_BLOCKS["policy"], (), diagnostics)
    rules = {i: new for i, rule in enumerate(policy.rules) if (new := _rule(rule, diagnostics)) is not None}
    if rules:
        policy = replace(policy, rules=tuple(rules.get(i, rule) for i, rule in enumerate(policy.rules)))
    return policy if settings is None else replace(policy, settings=settings, damaged=True)


def _rule(rule: Rule, diagnostics: list[Diagnostic]) -> Rule | None:
    """The rule without what its lists absorbed; ``None`` if there is no such thing."""
    missing: tuple[str, ...] = ()
    if not rule.damaged:
        stated = [setting.keyword.text for setting in rule.settings]
        if "to" not in stated or "ports" not in stated:
            missing = tuple(keyword for keyword in _REQUIRED if keyword not in stated)
    settings = _settings(rule.settings, RULE, missing, diagnostics)
    return None if settings is None else replace(rule, settings=settings, damaged=True)


def _settings(
    settings: tuple[Setting, ...],
    block: Block,
    missing: tuple[str, ...],
    diagnostics: list[Diagnostic],
) -> tuple[Setting, ...] | None:
    """The settings of a block without what the first faulty list absorbed; ``None`` if there is no such list."""
    for index, setting in enumerate(settings):
        wrong = _WRONG.get(setting.keyword.text)
        if wrong is None:
            continue
        found = _absorbed(setting, wrong, block.keywords, missing)
        if found is not None:
            at, suggestion = found
            values = setting.values + (setting.exceptions or ())
            diagnostics.append(unknown_statement(values[at].span, block, suggestion))
            left = (_cut(setting, at),) if at else ()
            return (*settings[:index], *left, *settings[index + 1 :])
    return None


def _absorbed(
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
    if surely_wrong < 0 and not missing:
        return None
    for index, value in enumerate(values):
        if isinstance(value, Word) and _NAME(value.text) and value.text not in _SIGNS:
            suggestion = near(value.text, keywords if index <= surely_wrong else missing)
            if suggestion is not None:
                return index, suggestion
    return None


def _cut(setting: Setting, at: int) -> Setting:
    """The setting with its first values only."""
    count = len(setting.values)
    exceptions = setting.exceptions[: max(at - count, 0)] if setting.exceptions else None
    return replace(setting, values=setting.values[:at], exceptions=exceptions or None)
