"""The pages of the diagnostic codes: what `egressc explain CODE` shows.

The page of a lint rule is its docstring, and the rule's name is as good as its code.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from egressc.lint.registry import CODES, NAMES, page_of_rule, rule_called, with_words_of
from egressc.suggest import nearest

_CODE = re.compile(r"[EWN][0-9]{4}")


@cache
def codes() -> tuple[str, ...]:
    """All codes that have a page, sorted."""
    names = (entry.name.removesuffix(".md") for entry in files("egressc.pages").iterdir() if entry.name.endswith(".md"))
    return tuple(sorted({*(name for name in names if _CODE.fullmatch(name)), *NAMES}))


def code_of(text: str) -> str:
    """The code that a code or the name of a lint rule stands for; capitals, if it is neither."""
    return CODES.get(rule_called(text) or "", text.upper())


def page_of(code: str) -> str | None:
    """The page of a code or lint rule as Markdown, or ``None`` if there is none; the letters' case does not matter."""
    wanted = code_of(code)
    if wanted in NAMES:
        return page_of_rule(NAMES[wanted])
    if wanted not in codes():
        return None
    return files("egressc.pages").joinpath(f"{wanted}.md").read_text(encoding="utf-8")


def meant_by(code: str) -> tuple[str, ...]:
    """The code or lint rule that was most likely meant by one that has no page; lint rules that share its words.

    No two codes share their digits, and what is an error or only a warning is what people confuse: digits come first.
    """
    digits = re.sub(r"^[A-Z]", "", code.upper()).zfill(4)
    same = [each for each in codes() if each[1:] == digits]
    near = same[0] if same else nearest(code.upper(), codes()) or nearest(code.lower(), CODES)
    return (near,) if near else with_words_of(code)


@cache
def title_of(code: str) -> str | None:
    """The title of a code's page without the code, or ``None`` if there is no page."""
    page = page_of(code)
    if page is None:
        return None
    first = page.split("\n", 1)[0].lstrip("# ").strip()
    return first.removeprefix(f"{code_of(code)}:").strip()
