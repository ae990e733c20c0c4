"""`egressc explain`: the page of a diagnostic, or what happens to a flow and why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from egressc.console import complain, say
from egressc.exits import COULD_NOT_RUN, DONE
from egressc.explain_code import code_of, codes, meant_by, page_of
from egressc.lint.registry import CODES, did_you_mean
from egressc.report_json import json_text

if TYPE_CHECKING:
    import argparse

_DESTINATION = re.compile(r"[:./\[]")
"""What stands in every destination and in no name of a page."""


def run(options: argparse.Namespace) -> int:
    """Show pages, or answer a question. Returns the exit status: 2 if there is no such page."""
    words = options.words
    if len(words) > 1 and (":" in words[1] or (_DESTINATION.search(words[1]) and page_of(words[0]) is None)):
        from egressc.verb_explain_flow import run as answer  # noqa: PLC0415 - pages need none of it

        return answer(options)
    given = _only_for_flows(options)
    if given:
        complain(f"egressc explain: {given} is for a question: `egressc explain WHO TO`, and here is no TO")
        complain("  write TO as `HOST:PORT`, `ADDRESS:PORT` or `https://HOST/PATH`")
        return COULD_NOT_RUN
    return _pages(options)


def _only_for_flows(options: argparse.Namespace) -> str:
    if options.format == "markdown":
        return "`--format markdown`"
    for name in ("at", "inventory", "firewall", "as_of"):
        if getattr(options, name):
            return f"`--{name.replace('_', '-')}`"
    return ""


def _pages(options: argparse.Namespace) -> int:
    found = []
    for code in options.words:
        page = page_of(code)
        if page is None:
            near = did_you_mean(meant_by(code))
            if _DESTINATION.search(code) or "@" in code:
                complain(f"egressc explain: `{code}` is the page of nothing; about a flow, ask with WHO and TO")
                complain("  such as `egressc explain connectors login.windows.net:443`")
                return COULD_NOT_RUN
            complain(f"egressc explain: there is no diagnostic `{code}`")
            complain(f"  {near}" if near else f"  {_valid()}")
            if not near:
                complain(f"  the lint rules have names, too: {', '.join(sorted(CODES))}")
                complain("  about a flow, ask with WHO and TO: `egressc explain connectors login.windows.net:443`")
            return COULD_NOT_RUN
        found.append((code_of(code), page))
    if options.format == "json":
        say(json_text({"pages": [{"code": c, "markdown": p} for c, p in found]}))
    else:
        say("\n".join(page for _, page in found))
    return DONE


def _valid() -> str:
    """The codes that there are, by the letters that they begin with."""
    ranges = []
    for letter, what in (("E", "errors"), ("W", "warnings"), ("N", "notes")):
        own = [code for code in codes() if code.startswith(letter)]
        if own:
            ranges.append(f"{what} run from {own[0]} to {own[-1]}")
    return ", ".join(ranges)
