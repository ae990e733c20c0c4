"""What `egressc explain WHO TO` says: as text, as Markdown, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egressc.markdown import code, table_cell, visible
from egressc.policy import Inspection
from egressc.proof_rulings import DEFAULT
from egressc.question import readable
from egressc.question_answer import Verdict
from egressc.question_firewall import Opened, Ruled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from egressc.flows import Flow
    from egressc.policy import Rule
    from egressc.question_explanation import Answer, FirewallAnswer
    from egressc.question_near import NearMiss
    from egressc.question_open import Open

_NEAR_SHOWN = 12
"""How many near misses the forms for people show."""

_CASES_SHOWN = 8

_INSPECTION = {
    Inspection.MAY: "may be inspected",
    Inspection.MUST_NOT: "must not be inspected",
    Inspection.MUST: "must be inspected",
    Verdict.UNKNOWN: "inspection depends",
}
_COLOURS = {"allow": "\x1b[1;32m", "deny": "\x1b[1;31m", "unknown": "\x1b[1;33m", "undecided": "\x1b[1;33m"}
_RESET = "\x1b[0m"
_OPENED = {
    Opened.INSPECTED: "inspected",
    Opened.MAYBE: "may be inspected",
    Opened.NOT_INSPECTED: "not inspected",
    Opened.UNKNOWN: "whether it is inspected is not known",
}


def place_of(rule: Rule) -> str:
    """Where a rule stands, as people read it."""
    return f"{rule.span.source.shown}:{rule.span.line}"


def explain_text(answer: Answer, firewalls: Sequence[FirewallAnswer], notes: Sequence[str], *, colour: bool) -> str:
    """The answer in words."""
    lines = [f"{_asked(answer)}: {_verdict(answer, colour=colour)}"]
    for rule in answer.decision.deciding:
        some = " (some of these flows)" if rule in answer.partial else ""
        lines.append(f"  {rule.rule.action.value:<5} {visible(rule.key)}  {visible(place_of(rule.rule))}{some}")
    if answer.by_default:
        none = "no rule matches" if not answer.decision.deciding else "no rule matches some of these flows"
        lines.append(f"  deny  by default: {none}")
    lines += [f"  allow {visible(r.key)}  {visible(place_of(r.rule))} matches, but a deny decides"
              for r in answer.decision.overruled]  # fmt: skip
    lines += [f"  note: {visible(note)}" for note in answer.notes]
    for title, some_open in (("depends on", answer.unknown), ("inspection depends on", answer.inspection_unknown)):
        if some_open:
            lines += ["", title, *_open_lines(some_open)]
    if answer.near:
        lines += ["", "would match but for one thing", *_near_lines(answer)]
    if firewalls or notes:
        lines += ["", "firewalls", *_firewall_lines(firewalls, colour=colour)]
        lines += [f"  note: {visible(note)}" for note in notes]
    return "\n".join(lines) + "\n"


def _asked(answer: Answer) -> str:
    who, to = answer.question.who, answer.question.to
    at = "" if to.is_open or to.pattern is None else f" at {to.addresses.text}"
    return visible(f"{who.text} → {to.text}{at}")


def _verdict(answer: Answer, *, colour: bool) -> str:
    text = _painted(answer.decision.verdict.value, colour=colour)
    return text if answer.inspection is None else f"{text}, {_INSPECTION[answer.inspection]}"


def _painted(verdict: str, *, colour: bool) -> str:
    return f"{_COLOURS[verdict]}{verdict}{_RESET}" if colour else verdict


def _open_lines(some: Sequence[Open]) -> Iterator[str]:
    for each in some:
        yield f"  {each.what}: {visible(each.sentence)}"
        for case in each.cases[:_CASES_SHOWN]:
            yield f"      {visible(case.text)}: {case.answer}"
        if len(each.cases) > _CASES_SHOWN:
            yield f"      … and {len(each.cases) - _CASES_SHOWN} more"
        yield f"      help: {each.help}"


def _near_lines(answer: Answer) -> Iterator[str]:
    shown, more = _nearest(answer)
    for miss in shown:
        action = miss.rule.action.value
        yield f"  {action:<5} {visible(miss.rule.identity)}  {visible(place_of(miss.rule))}"
        yield f"      {visible(miss.sentence)}"
    if more:
        yield f"  … and {more} more (`--format json` has them all)"


def _nearest(answer: Answer) -> tuple[Sequence[NearMiss], int]:
    """The near misses to show, and how many others there are: first those that would change the verdict.

    Of these last the ones that only have another label in the same place: in a large domain they are many.
    """
    wanted = "deny" if answer.decision.verdict is Verdict.ALLOW else "allow"
    ordered = sorted(answer.near, key=lambda miss: (miss.rule.action.value != wanted, miss.is_far))
    return ordered[:_NEAR_SHOWN], max(len(ordered) - _NEAR_SHOWN, 0)


def _firewall_lines(firewalls: Sequence[FirewallAnswer], *, colour: bool) -> Iterator[str]:
    several = len({each.group for each in firewalls}) > 1
    for each in firewalls:
        whose = f" for {each.group}" if several and not each.name.endswith(f"/{each.group}") else ""
        opened = f", {_OPENED[each.opened]}" if each.opened is not None else ""
        differs = "" if each.same or each.proxy else "  (the policy does not say so)" if each.verdict in _SURE else ""
        verdict = _painted(each.verdict.value, colour=colour)
        yield f"  {visible(each.name)} ({each.target}){whose}: {verdict}{opened}{differs}"
        for name, place in each.names:
            at = f" ({place})" if place else ""
            yield f"      by {'its default' if name == DEFAULT else f'rule {visible(name)}'}{visible(at)}"
        if each.proxy:
            yield f"      {visible(each.proxy)}"
        if each.why:
            yield f"      {visible(each.why)}"
        for cause in each.causes:
            accepted = ", accepted" if cause.accepted else ""
            yield f"      {cause.reason.value} ({cause.effect.value}{accepted}): {visible(cause.sentence)}"
        yield from (f"      note: {visible(note)}" for note in each.notes)


_SURE = frozenset({Ruled.ALLOW, Ruled.DENY})


def explain_markdown(answer: Answer, firewalls: Sequence[FirewallAnswer], notes: Sequence[str]) -> str:
    """The answer as Markdown."""
    lines = [f"# {table_cell(_asked(answer))}: {_verdict(answer, colour=False)}", ""]
    decided = answer.decision.deciding
    if decided:
        lines += ["| action | rule | where | matches |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {r.rule.action.value} | {code(r.key)} | {table_cell(place_of(r.rule))} "
            f"| {'some of these flows' if r in answer.partial else 'all of them'} |"
            for r in decided
        ]
    if answer.by_default:
        lines += ["", f"Denied by default: no rule matches{' some of these flows' if decided else ''}."]
    lines += [f"- {table_cell(note)}" for note in answer.notes]
    for title, some_open in (("Depends on", answer.unknown), ("Inspection depends on", answer.inspection_unknown)):
        if some_open:
            lines += ["", f"## {title}", ""]
            for each in some_open:
                cases = "; ".join(f"{table_cell(case.text)}: {case.answer}" for case in each.cases[:_CASES_SHOWN])
                lines.append(f"- **{each.what}**: {table_cell(each.sentence)} ({cases})")
    if answer.near:
        shown, more = _nearest(answer)
        lines += [
            "",
            "## Would match but for one thing",
            "",
            "| action | rule | where | but |",
            "| --- | --- | --- | --- |",
        ]
        lines += [
            f"| {m.rule.action.value} | {code(m.rule.identity)} | {table_cell(place_of(m.rule))} "
            f"| {table_cell(m.sentence)} |"
            for m in shown
        ]
        lines += ["", f"And {more} more."] if more else []
    if firewalls or notes:
        lines += ["", "## Firewalls", "", "| firewall | verdict | artefact rule | why |", "| --- | --- | --- | --- |"]
        lines += [_firewall_row(each) for each in firewalls]
        lines += ["", *(f"- {table_cell(note)}" for note in notes)] if notes else []
    return "\n".join(lines) + "\n"


def _firewall_row(each: FirewallAnswer) -> str:
    names = ", ".join("its default" if name == DEFAULT else code(name) for name, _ in each.names) or "–"
    why = [f"{cause.reason.value}: {cause.sentence}" for cause in each.causes]
    why += [text for text in (each.proxy, each.why, *each.notes) if text]
    opened = f", {_OPENED[each.opened]}" if each.opened is not None else ""
    verdict = f"{each.verdict.value}{opened}"
    return f"| {table_cell(each.name)} ({each.target}) | {verdict} | {names} | {table_cell('; '.join(why)) or '–'} |"


def explain_json(
    answer: Answer, firewalls: Sequence[FirewallAnswer], notes: Sequence[str], as_of: date
) -> dict[str, Any]:
    """The answer as ``grammar/explain.schema.json`` describes it, without the diagnostics."""
    question, decision = answer.question, answer.decision
    return {
        "version": 1,
        "who": question.who.text,
        "groups": [sender.group for sender in question.who.senders],
        "account": question.who.account,
        "to": question.to.text,
        "at": None if question.to.is_open or question.to.pattern is None else question.to.addresses.text,
        "as_of": as_of.isoformat(),
        "verdict": decision.verdict.value,
        "inspection": None if answer.inspection is None else answer.inspection.value,
        "by_default": answer.by_default,
        "rules": [
            {**rule_json(r.rule, r.part), "matches": "some" if r in answer.partial else "all"}
            for r in decision.deciding
        ],
        "overruled": [rule_json(r.rule, r.part) for r in decision.overruled],
        "allowed": None if decision.allowed is None else flow_json(decision.allowed),
        "denied": None if decision.denied is None else flow_json(decision.denied),
        "unknown": [_open_json(each) for each in answer.unknown],
        "inspection_unknown": [_open_json(each) for each in answer.inspection_unknown],
        "near_misses": [
            {**rule_json(m.rule, m.part), "dimension": m.what, "sentence": m.sentence} for m in answer.near
        ],
        "firewalls": [_firewall_json(each) for each in firewalls],
        "notes": [*answer.notes, *notes],
    }


def nothing_explained(who: str, to: str) -> dict[str, Any]:
    """The same where nothing could be answered."""
    lists: dict[str, Any] = {
        key: []
        for key in (
            "groups",
            "rules",
            "overruled",
            "unknown",
            "inspection_unknown",
            "near_misses",
            "firewalls",
            "notes",
        )
    }
    nothing = dict.fromkeys(("account", "at", "as_of", "verdict", "inspection", "by_default", "allowed", "denied"))
    return {"version": 1, "who": who, "to": to, **lists, **nothing}


def rule_json(rule: Rule, part: str) -> dict[str, Any]:
    """A rule and where it stands."""
    span = rule.span
    found = {
        "rule": rule.identity,
        "action": rule.action.value,
        "file": span.source.shown,
        "line": span.line,
        "column": span.column,
    }
    return {**found, "part": part} if part else found


def flow_json(flow: Flow) -> dict[str, Any]:
    """An example flow; what does not matter, or is not there, is left out."""
    shown = readable(flow)
    values = {
        "group": shown.group,
        "account": shown.account,
        "other_account": True if "account" in shown.unnamed else None,
        "host": shown.host,
        "path": shown.path,
        "address": shown.address,
        "transport": shown.transport,
        "port": shown.port,
    }
    return {key: value for key, value in values.items() if value is not None}


def _open_json(each: Open) -> dict[str, Any]:
    return {
        "dimension": each.what,
        "reason": each.sentence,
        "help": each.help,
        "cases": [{"case": case.text, "answer": case.answer} for case in each.cases],
    }


def _firewall_json(each: FirewallAnswer) -> dict[str, Any]:
    approximations = [
        {
            "reason": cause.reason.value,
            "effect": cause.effect.value,
            "rule": cause.rule or None,
            "sentence": cause.sentence,
            "accepted": cause.accepted,
        }
        for cause in each.causes
    ]
    return {
        "firewall": each.name,
        "target": each.target,
        "group": each.group,
        "verdict": each.verdict.value,
        "same_as_policy": each.same,
        "proxy": each.proxy or None,
        "rule": each.names[0][0] if len({name for name, _ in each.names}) == 1 else None,
        "rules": [{"name": name, "place": place} for name, place in each.names],
        "policy_rules": [rule.key for rule in each.rules],
        "approximation": approximations[0] if approximations else None,
        "approximations": approximations,
        "inspection": None if each.opened is None else each.opened.value,
        "reason": each.why or None,
        "notes": list(each.notes),
    }
