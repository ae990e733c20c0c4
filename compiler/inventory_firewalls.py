"""The firewalls and accounts of an inventory: from located values to the model, and what is wrong with them.

The schema has been checked before; a part that does not fit it is passed over in silence here.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from egressc.anything import ANY
from egressc.binding_values import binding_problem
from egressc.diagnostics import Diagnostic
from egressc.inventory import Acceptance, AccountOverride, Firewall
from egressc.inventory_groups import texts_of
from egressc.inventory_names import check_name, diagnostic_of, resolved, unknown
from egressc.inventory_proxy import PROXY_POLICY
from egressc.located_value import Located
from egressc.policy import BINDING_KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_GLOB = re.compile(rf"(?:[a-z0-9*?-]+|{PROXY_POLICY})(?:/[a-z0-9*?-]+){{0,2}}")


def load_firewalls(
    node: Located | None,
    group_names: Collection[str],
    known_targets: Sequence[str],
    known_reasons: Sequence[str],
    report: list[Diagnostic],
) -> tuple[Firewall, ...]:
    """The firewalls under ``firewalls``, in the order of the file."""
    found = []
    for name, entry in node.entries() if node is not None else ():
        span = entry.key_span or entry.span
        check_name(name, span, report)
        target = entry.get("target")
        if target is not None and isinstance(target.value, str) and target.value not in known_targets:
            message = f"no target is called `{target.value}`"
            report.append(unknown("E0428", message, target.span, target.value, known_targets, "the targets are"))
        groups = entry.get("groups")
        listed = resolved(groups.elements(), group_names, name, report) if groups is not None else None
        settings = entry.get("settings")
        if settings is None or not isinstance(settings.value, dict):
            place = settings.key_span if settings is not None else None
            settings = Located.empty(place or span, place or span)
        unbound = entry.get("unbound")
        found.append(
            Firewall(
                name=name,
                target=str(target.value) if target is not None else "",
                settings=settings,
                groups=ANY if listed is None else tuple(group for group, _ in listed),
                group_spans=() if listed is None else tuple(place for _, place in listed),
                accept=load_acceptances(entry.get("accept"), known_reasons, report),
                unbound_allowed=unbound is not None and unbound.value == "allowed",
                span=span,
            )
        )
    return tuple(found)


def load_accounts(node: Located | None, report: list[Diagnostic]) -> tuple[AccountOverride, ...]:
    """What accounts are called here, in the order of the file."""
    found = []
    for account, entry in node.entries() if node is not None else ():
        account_span = entry.key_span or entry.span
        check_name(account, account_span, report)
        for kind, values in entry.entries():
            texts = texts_of(values)
            found.append(
                AccountOverride(
                    account=account,
                    kind=kind,
                    values=tuple(text for text, _ in texts),
                    span=values.key_span or values.span,
                    account_span=account_span,
                    value_spans=tuple(span for _, span in texts),
                )
            )
    return tuple(found)


def binding_problems(accounts: Iterable[AccountOverride], told: Collection[int]) -> Iterator[Diagnostic]:
    """An error for each binding that is wrong as the same words in a policy would be.

    ``told`` are the offsets of values that are known to be wrong already.
    """
    for override in accounts:
        if override.kind not in BINDING_KINDS:
            continue
        for value, span in zip(override.values, override.value_spans, strict=True):
            problem = binding_problem(override.kind, value) if span.start not in told else None
            if problem is not None:
                yield diagnostic_of(problem, span, span)


def load_acceptances(
    node: Located | None, known_reasons: Sequence[str], report: list[Diagnostic]
) -> tuple[Acceptance, ...]:
    """The approximations that an entry accepts under ``accept``, in the order of the file."""
    found = []
    for element in node.elements() if node is not None else ():
        word = element.get("reason") if isinstance(element.value, dict) else element
        if word is None or not isinstance(word.value, str):
            continue
        if word.value not in known_reasons:
            message = f"no approximation reason is called `{word.value}`"
            report.append(unknown("E0430", message, word.span, word.value, known_reasons, "the reasons are"))
        rules, why, until = (element.get(key) for key in ("rules", "why", "until"))
        found.append(
            Acceptance(
                reason=word.value,
                span=word.span,
                rules=_glob(rules, report),
                why=why.value if why is not None and isinstance(why.value, str) else "",
                until=_date(until, report),
                rules_span=rules.span if rules is not None else None,
            )
        )
    return tuple(found)


def _glob(node: Located | None, report: list[Diagnostic]) -> str:
    """The rules that an acceptance covers: every rule, where nothing says which."""
    if node is None or not isinstance(node.value, str):
        return "*"
    text = node.value
    if "/" not in text and _GLOB.fullmatch(text) and "*" not in text:
        problem, hint = "names a policy, not rules", f"write `{text}/*` for every rule of that policy"
    elif text.count("/") > 2:
        problem, hint = "has more parts than any rule", "a rule is `POLICY/RULE` or `POLICY/INCLUDED/RULE`"
    elif not _GLOB.fullmatch(text):
        problem, hint = "fits no rule", "a rule is `POLICY/RULE` or `POLICY/INCLUDED/RULE`; `*` stands for any text"
    else:
        return text
    report.append(Diagnostic(code="E0432", message=f"`{text}` {problem}", span=node.span, help=hint))
    return "*"


def _date(node: Located | None, report: list[Diagnostic]) -> date | None:
    if node is None or not isinstance(node.value, str) or _DATE.fullmatch(node.value) is None:
        return None
    try:
        return date.fromisoformat(node.value)
    except ValueError:
        message = f"there is no day `{node.value}`"
        report.append(Diagnostic(code="E0431", message=message, span=node.span, help="write a day of the calendar"))
        return None
