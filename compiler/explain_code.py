"""The pages of the diagnostic codes: what `egressc explain CODE` shows."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from egressc.suggest import nearest

_CODE = re.compile(r"[EWN][0-9]{4}")


@cache
def codes() -> tuple[str, ...]:
    """All codes that have a page, sorted."""
    names = (entry.name.removesuffix(".md") for entry in files("egressc.pages").iterdir() if entry.name.endswith(".md"))
    return tuple(sorted(name for name in names if _CODE.fullmatch(name)))


def page_of(code: str) -> str | None:
    """The page of a code as Markdown, or ``None`` if there is none; the letter's case does not matter."""
    wanted = code.upper()
    if wanted not in codes():
        return None
    return files("egressc.pages").joinpath(f"{wanted}.md").read_text(encoding="utf-8")


def meant_by(code: str) -> str | None:
    """The code that was most likely meant by one that has no page, or ``None``.

    No two codes share their digits, and what is an error or only a warning is what people confuse: digits come first.
    """
    digits = re.sub(r"^[A-Z]", "", code.upper()).zfill(4)
    same = [each for each in codes() if each[1:] == digits]
    return same[0] if same else nearest(code.upper(), codes())


@cache
def title_of(code: str) -> str | None:
    """The title of a code's page without the code, or ``None`` if there is no page."""
    page = page_of(code)
    if page is None:
        return None
    first = page.split("\n", 1)[0].lstrip("# ").strip()
    return first.removeprefix(f"{code.upper()}:").strip()
