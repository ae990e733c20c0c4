"""A list for proxies from PATHs: read, met with the inventory, and checked for what keeps it from being made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from egressc.api import inspection_conflicts, load
from egressc.api_choice import usage_problems
from egressc.api_export_options import Wrong, proxy_missing, proxy_of_groups
from egressc.bind import prepare
from egressc.diagnostics import Diagnostic, has_errors, sort_key
from egressc.exits import COULD_NOT_RUN, NO
from egressc.targets.list_protocol import Proxy

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from egressc.api_export import ListRequest
    from egressc.bind import Prepared
    from egressc.inventory import Inventory

LATER = Proxy("", 0)
"""Nobody has named the proxy: whether the groups have one is known once the inventory is read."""


def _with_proxy(request: ListRequest, inventory: Inventory, *, writes: bool) -> ListRequest | Wrong:
    """The request with the proxy of its groups, where none was named; whoever writes a list may need one."""
    if request.options.proxy is not LATER:
        return request
    found = proxy_of_groups(inventory, request.groups)
    wrong = proxy_missing(request.format, request.options.form) if found is None and writes else None
    return wrong or replace(request, options=replace(request.options, proxy=found))


@dataclass(frozen=True, slots=True)
class Ready:
    """What a list is made from: the policy and the inventory, met, and the request with the proxy of its groups."""

    prepared: Prepared
    request: ListRequest


def ready(
    request: ListRequest, paths: Sequence[str], inventory: str | None, as_of: date, *, writes: bool = True
) -> tuple[Ready | None, list[Diagnostic], int]:
    """What the list is made from, what is to be said, and the exit status if there is nothing."""
    loaded = load(paths, inventory)
    report = list(loaded.diagnostics)
    usage = usage_problems((), request.accept)
    if loaded.inventory is not None and not loaded.could_not_run:
        known = _with_proxy(request, loaded.inventory, writes=writes)
        if isinstance(known, Wrong):
            usage.append(Diagnostic(code="E0446", message=known.message, help=known.help))
        else:
            request = known
    if usage or loaded.could_not_run or loaded.policy is None or loaded.inventory is None:
        return None, sorted([*report, *usage], key=sort_key), COULD_NOT_RUN if usage or loaded.could_not_run else NO
    prepared, problems = prepare(loaded.policy, loaded.inventory, as_of)
    report += problems
    if not has_errors(report):
        report += inspection_conflicts(prepared)
    return None if has_errors(report) else Ready(prepared, request), sorted(report, key=sort_key), NO
