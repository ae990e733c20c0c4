"""`egressc explain CODE`: the page of a diagnostic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.console import complain, say
from egressc.exits import COULD_NOT_RUN, DONE
from egressc.explain_code import codes, meant_by, page_of
from egressc.report_json import json_text

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Show the pages. Returns the exit status: 2 if there is no such code."""
    found = []
    for code in options.code:
        page = page_of(code)
        if page is None:
            near = meant_by(code)
            complain(f"egressc explain: there is no diagnostic `{code}`")
            complain(f"  did you mean `{near}`?" if near else f"  {_valid()}")
            return COULD_NOT_RUN
        found.append((code.upper(), page))
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
