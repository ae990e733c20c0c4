"""`egressc check`: everything that `compile` checks; writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.api import Request, check_request
from egressc.console import Progress, complain, say, tell
from egressc.diagnostics import has_errors
from egressc.exits import COULD_NOT_RUN, DONE, NO
from egressc.report_json import to_json, to_sarif
from egressc.verb_compile import request_of

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> int:
    """Check and report. Returns the exit status."""
    request = request_of(options)
    if not isinstance(request, Request):
        complain(f"egressc check: {request}")
        return COULD_NOT_RUN
    with Progress() as progress:
        result = check_request(request, progress)
    match options.format:
        case "json":
            say(to_json(result.diagnostics))
        case "sarif":
            say(to_sarif(result.diagnostics))
        case _:
            tell(result.diagnostics, options.color)
    if result.could_not_run:
        return COULD_NOT_RUN
    return NO if has_errors(result.diagnostics) else DONE
