"""Completion for shells: verbs, options, and the names that egressc itself knows. Imported while one completes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import argcomplete
from argcomplete.completers import ChoicesCompleter

from egressc.explain_code import codes
from egressc.lint.registry import CODES
from egressc.reasons import Reason
from egressc.targets.list_registry import format_names
from egressc.targets.registry import target_names

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell and end the process, if a shell asked (``_ARGCOMPLETE``); else return."""
    known = {
        "target": target_names(),
        "names": (*target_names(), *format_names()),
        "accept": tuple(reason.value for reason in Reason),
        "list_format": format_names(),
        "words": (*codes(), *CODES),
    }
    for action in _actions(parser):
        if action.dest in {"select", "ignore"}:
            action.completer = lint_rules  # type: ignore[attr-defined]
        elif action.dest in known:
            action.completer = ChoicesCompleter(dict.fromkeys(known[action.dest], ""))  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser)


def lint_rules(prefix: str, **_: object) -> list[str]:
    """The lists of lint rules, by name, that begin with what is written: its last rule is completed."""
    before, comma, _last = prefix.rpartition(",")
    there = set(before.split(","))
    return [f"{before}{comma}{name}" for name in CODES if name not in there]


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments of a parser and of the verbs below it; argparse has no public list."""
    for action in parser._actions:  # noqa: SLF001
        yield action
        if isinstance(action.choices, dict):
            for verb in action.choices.values():
                yield from _actions(verb)
