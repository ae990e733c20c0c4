"""The fidelity report of an artefact as files: ``fidelity.json`` for machines, ``fidelity.md`` for people."""

from __future__ import annotations

import json
from collections import Counter
from json.encoder import encode_basestring_ascii as _text
from typing import TYPE_CHECKING, Any

from egressc.anything import Anything
from egressc.fidelity import Verdict
from egressc.markdown import code, table_cell, visible
from egressc.reasons import FACTS, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.fidelity import Approximation, Fidelity, RuleFidelity
    from egressc.flows import Flow
    from egressc.site import Site
    from egressc.targets.protocol import Assumption, Target


def fidelity_json(fidelity: Fidelity, target: Target[Any, Any]) -> bytes:
    """``fidelity.json``, as ``grammar/fidelity.schema.json`` describes it; one rule on each line."""
    write = _Writer(_sources(fidelity.site))
    head = {
        "version": 1,
        "firewall": fidelity.site.name,
        "target": fidelity.site.target,
        "as_of": fidelity.site.as_of.isoformat(),
        "proved": list(fidelity.proved),
        "derived": list(target.derived),
        "assumes": list(fidelity.assumes),
    }
    lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
    lines.append(f' "approximations": [{", ".join([write.approximation(a) for a in fidelity.whole])}],')
    rules = ",\n".join([f"  {write.rule(rule)}" for rule in fidelity.rules])
    lines.append(f' "rules": [\n{rules}\n ]' if rules else ' "rules": []')
    return ("{\n" + "\n".join(lines) + "\n}\n").encode()


class _Writer:
    """Spells rules as JSON. By hand: with a dictionary for each rule, large policies take four times as long."""

    def __init__(self, sources: dict[str, dict[int | None, str]]) -> None:
        self._sources = sources
        self._graded: dict[tuple[object, ...], str] = {}

    def rule(self, found: RuleFidelity) -> str:
        """A rule of the report."""
        rule = found.rule
        line, column = rule.span.source.line_column(rule.span.start)
        approximations = [self.approximation(a) for a in found.approximations]
        more = ""
        if found.left_out:
            more += ', "left_out": true'
        if found.inspection_idle:
            more += ', "inspection": "not-applicable"'
        return (
            f'{{"rule": {_text(rule.identity)}, "file": {_text(rule.span.source.name)}, "line": {line}, '
            f'"column": {column}, "action": "{rule.action}", "verdict": "{found.verdict}", '
            f'"names": {_texts(found.names)}, "recognised_by": {_texts(found.recognised_by)}, '
            f'"assumptions": {_texts(found.assumptions)}, "approximations": [{", ".join(approximations)}]{more}}}'
        )

    def approximation(self, found: Approximation) -> str:
        """One approximation, with its example if it has one."""
        key = (found.reason.value, found.effect.value, found.level.value, found.accepted, found.sentence, found.why)
        start = self._graded.get(key)
        if start is None:
            why = f', "why": {_text(found.why)}' if found.why else ""
            start = self._graded[key] = (
                f'{{"reason": "{found.reason}", "effect": "{found.effect}", "level": "{found.level}", '
                f'"accepted": {"true" if found.accepted else "false"}, "sentence": {_text(found.sentence)}{why}'
            )
        return f"{start}}}" if found.example is None else f'{start}, "example": {self.flow(found.example)}}}'

    def flow(self, flow: Flow) -> str:
        """A flow; what does not matter or is not there is left out."""
        pieces = []
        if flow.group is not None:
            pieces.append(f'"group": {_text(flow.group)}, ')
            source = self._sources.get(flow.group, {}).get(flow.family)
            if source is not None:
                pieces.append(f'"source": {_text(source)}, ')
        if flow.account is not None:
            pieces.append(f'"account": {_text(flow.account)}, ')
        if flow.host is not None:
            pieces.append(f'"host": {_text(flow.host)}, ')
        if flow.path is not None:
            pieces.append(f'"path": {_text(flow.path)}, ')
        if flow.address is not None:
            pieces.append(f'"address": {_text(flow.address)}, ')
        if flow.shared is not None:
            pieces.append(f'"shared_name": {_text(flow.shared)}, ')
        return f'{{{"".join(pieces)}"transport": "{flow.transport}", "port": {flow.port}}}'


def _texts(values: tuple[str, ...]) -> str:
    return f"[{', '.join([_text(value) for value in values])}]" if values else "[]"


def _sources(site: Site[Any]) -> dict[str, dict[int | None, str]]:
    """An example address of each group: of each IP version, and (``None``) of any."""
    found: dict[str, dict[int | None, str]] = {}
    for group in site.groups:
        if isinstance(group.addresses, Anything) or group.addresses.is_empty:
            continue
        own: dict[int | None, str] = {None: group.addresses.first()}
        for family in (4, 6):
            some = group.addresses.family(4 if family == 4 else 6)
            if not some.is_empty:
                own[family] = some.first()
        found[group.name] = own
    return found


def fidelity_markdown(fidelity: Fidelity, target: Target[Any, Any]) -> bytes:
    """``fidelity.md``: the same for a reader; what matters first."""
    site = fidelity.site
    counts = Counter([rule.verdict for rule in fidelity.rules])
    verdicts = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
    lines = [
        f"# {site.name}: {target.capabilities.title}",
        "",
        f"{len(fidelity.rules)} rules of the policy as of {site.as_of.isoformat()}: {verdicts or 'none'}. "
        + (
            f"Proved: {', '.join(code(name) for name in fidelity.proved)} read back and compared, flow for flow."
            if fidelity.proved
            else "Not proved: nothing was read back."
        ),
    ]
    if fidelity.assumes:
        lines += ["", "It rests on:", ""]
        lines += [f"- {visible(sentence)}" for sentence in fidelity.assumes]
    used = {a for rule in fidelity.rules for a in rule.assumptions}
    known: dict[str, Assumption] = {a.id: a for a in target.capabilities.assumptions}
    if used:
        lines += ["", "Statements about the vendor's system that nobody could verify:", ""]
        lines += [f"- `{name}`: {known[name].sentence} ({known[name].source})" for name in sorted(used)]
    if fidelity.whole:
        lines += ["", "The artefact as a whole:", ""]
        lines += [f"- `{a.reason.value}` ({_grade(a)}): {visible(a.sentence)}" for a in fidelity.whole]
    lines += ["", "## Approximations", ""]
    lines += reason_table(r for rule in fidelity.rules for r in {a.reason for a in rule.approximations}) or [
        "None: every rule is said exactly."
    ]
    lines += ["", "## Rules", "", "| rule | verdict | differs by | in the artefact |", "| --- | --- | --- | --- |"]
    cells: dict[tuple[object, ...], str] = {}
    lines += [_row(rule, cells) for rule in fidelity.rules]
    return ("\n".join(lines) + "\n").encode()


def reason_table(reasons: Iterable[Reason], words: Mapping[Reason, tuple[str, str]] | None = None) -> list[str]:
    """The lines of a table of reasons, given once for each rule that they touch; none where there are no reasons.

    ``words`` say what changes and why, where that is not what the reason says of firewalls.
    """
    touched = Counter(reasons)
    said = {reason: (FACTS[reason].licence, FACTS[reason].why) for reason in touched} | dict(words or {})
    if not touched:
        return []
    return [
        "| reason | rules | what changes | why |",
        "| --- | --- | --- | --- |",
        *(
            f"| `{reason.value}` | {touched[reason]} | {said[reason][0]} | {said[reason][1]} |"
            for reason in Reason
            if touched[reason]
        ),
    ]


def _row(found: RuleFidelity, cells: dict[tuple[object, ...], str]) -> str:
    differs = []
    for each in found.approximations:
        key = (each.reason.value, each.effect.value, each.level.value, each.accepted, each.why, each.sentence)
        cell = cells.get(key)
        if cell is None:
            cell = cells[key] = f"`{each.reason.value}` ({_grade(each)}): {table_cell(each.sentence)}"
        differs.append(cell if each.example is None else f"{cell}, e.g. {table_cell(each.example.text)}")
    if found.left_out:
        differs.append("left out: the default deny stops what it is for")
    if found.inspection_idle:
        differs.append("inspection is not applicable: this device never inspects")
    names = ", ".join([code(name) for name in found.names[:_NAMES_SHOWN]]) + (
        f", … ({len(found.names)} in all)" if len(found.names) > _NAMES_SHOWN else ""
    )
    verdict = found.verdict.value + (r"\*" if found.assumptions else "")
    return f"| `{found.rule.identity}` | {verdict} | {'; '.join(differs) or '–'} | {names or '–'} |"


_NAMES_SHOWN = 6


def _grade(found: Approximation) -> str:
    accepted = f"accepted: {found.why}" if found.why else "accepted"
    return f"{found.effect.value}, {table_cell(accepted) if found.accepted else found.level.value}"
