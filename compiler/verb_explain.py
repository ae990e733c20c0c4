"""`egressc explain CODE`: the page of a diagnostic."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from egressc.console import complain, say
from egressc.exits import COULD_NOT_RUN, DONE
from egressc.explain_code import codes, page_of
from egressc.suggest import nearest

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Show the pages. Returns the exit status: 2 if there is no such code."""
    found = []
    for code in options.code:
        page = page_of(code)
        if page is None:
            near = nearest(code.upper(), codes())
            complain(f"egressc explain: there is no diagnostic `{code}`")
            complain(f"  did you mean `{near}`?" if near else f"  codes run from {codes()[0]} to {codes()[-1]}")
            return COULD_NOT_RUN
        found.append((code.upper(), page))
    if options.format == "json":
        say(json.dumps({"pages": [{"code": c, "markdown": p} for c, p in found]}, indent=2, ensure_ascii=False) + "\n")
    else:
        say("\n".join(page for _, page in found))
    return DONE
