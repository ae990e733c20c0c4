"""The lint rules by name; each is imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from importlib.resources import files
from typing import TYPE_CHECKING, Final, cast

from egressc.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from egressc.lint.rule import LintRule

CODES: Final[Mapping[str, str]] = {
    "broken-allowance": "W0801",
    "co-located-agents": "W0831",
    "due-review": "N0826",
    "expiring-rule": "N0824",
    "idle-allowance": "N0802",
    "idle-deny": "N0803",
    "look-alike-host": "W0823",
    "missing-owner": "W0828",
    "missing-reference": "N0829",
    "overdue-review": "W0825",
    "overlapping-deny": "N0804",
    "plain-http": "W0821",
    "public-suffix-wildcard": "W0820",
    "redundant-endpoint": "W0805",
    "redundant-rule": "W0806",
    "revocation-over-tls": "W0822",
    "shadowed-rule": "W0807",
    "single-connector": "N0830",
    "unused-definition": "W0827",
    "wide-exemption": "W0808",
}
"""The code of each rule. The rule ``bad-thing`` is the module ``bad_thing``."""

NAMES: Final[Mapping[str, str]] = {code: name for name, code in CODES.items()}
"""The rule of each code."""


_WORD: Final = 3
"""Shorter words stand in too many names."""


def load_rule(name: str) -> LintRule:
    """The rule of that name, which must be one."""
    if name not in CODES:
        raise KeyError(name)
    return cast("LintRule", import_module(f"egressc.lint.{_module(name)}"))


def page_of_rule(name: str) -> str:
    """The page of the rule of that name, as Markdown: its docstring, read without running the rule."""
    import ast  # noqa: PLC0415 - only pages need it

    path = files("egressc.lint").joinpath(f"{_module(name)}.py")
    return f"{(ast.get_docstring(ast.parse(path.read_text(encoding='utf-8'))) or '').strip()}\n"


def _module(name: str) -> str:
    return name.replace("-", "_")


def rule_called(text: str) -> str | None:
    """The name of the rule that a name or a code stands for, whatever the case of its letters."""
    return text.lower() if text.lower() in CODES else NAMES.get(text.upper())


def meant_by(text: str) -> tuple[str, ...]:
    """The name or the code that was most likely meant by one that stands for no rule; names that share its words."""
    digits = text[1:] if text[:1].isalpha() else text
    same = [code for code in NAMES if code[1:] == digits.zfill(4)]
    near = same[0] if same else nearest(text.lower(), CODES)
    return (near,) if near else with_words_of(text)


def with_words_of(text: str) -> tuple[str, ...]:
    """The rules whose names have all words of a text, or words that begin so: `redundant`, `suffix-wild`."""
    words = text.lower().replace("_", "-").split("-")
    if min(map(len, words)) < _WORD:
        return ()
    return tuple(
        [name for name in CODES if all(any(part.startswith(word) for part in name.split("-")) for word in words)]
    )


def did_you_mean(names: Sequence[str]) -> str:
    """A question for one or several names; empty for none."""
    listed = [f"`{name}`" for name in names]
    return (
        f"did you mean {' or '.join([', '.join(listed[:-1]), listed[-1]] if listed[1:] else listed)}?" if listed else ""
    )


def chosen_rules(select: Iterable[str] | None, ignore: Iterable[str]) -> tuple[str, ...]:
    """The names of the rules to run, sorted: those selected (``None``: all) but for those ignored."""
    wanted = set(CODES) if select is None else {*select}
    return tuple(sorted(wanted.difference(ignore)))
