"""The fidelity report of an artefact as files: ``fidelity.json`` for machines, ``fidelity.md`` for people."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from egressc.anything import ANY
from egressc.markdown import code, table_cell
from egressc.reasons import FACTS, Reason

if TYPE_CHECKING:
    from egressc.fidelity import Approximation, Fidelity, RuleFidelity
    from egressc.flows import Flow
    from egressc.site import Site
    from egressc.targets.protocol import Assumption, Target


def fidelity_json(fidelity: Fidelity, target: Target[Any, Any]) -> bytes:
    """``fidelity.json``, as ``grammar/fidelity.schema.json`` describes it; one rule on each line."""
    sources = _sources(fidelity.site)
    head = {
        "version": 1,
        "firewall": fidelity.site.name,
        "target": fidelity.site.target,
        "as_of": fidelity.site.as_of.isoformat(),
        "proved": fidelity.proved,
        "derived": list(target.derived),
        "assumes": list(fidelity.assumes),
        "approximations": [_approximation(a, sources) for a in fidelity.whole],
    }
    lines = [f" {json.dumps(key)}: {_dumps(value)}," for key, value in head.items()]
    rules = ",\n".join(f"  {_dumps(_rule(rule, sources))}" for rule in fidelity.rules)
    body = f' "rules": [\n{rules}\n ]' if rules else ' "rules": []'
    return ("{\n" + "\n".join(lines) + "\n" + body + "\n}\n").encode()


_dumps = json.JSONEncoder(ensure_ascii=True, separators=(", ", ": ")).encode


def _rule(found: RuleFidelity, sources: dict[str, str]) -> dict[str, Any]:
    rule = found.rule
    line, column = rule.span.source.line_column(rule.span.start)
    return {
        "rule": rule.identity,
        "file": rule.span.source.name,
        "line": line,
        "column": column,
        "action": rule.action.value,
        "verdict": found.verdict.value,
        "names": list(found.names),
        "recognised_by": [r.value for r in found.recognised_by],
        "assumptions": list(found.assumptions),
        "approximations": [_approximation(a, sources) for a in found.approximations],
    }


def _approximation(found: Approximation, sources: dict[str, str]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "reason": found.reason.value,
        "effect": found.effect.value,
        "level": found.level.value,
        "accepted": found.accepted,
        "sentence": found.sentence,
    }
    if found.why:
        result["why"] = found.why
    if found.example is not None:
        result["example"] = flow_json(found.example, sources)
    return result


def flow_json(flow: Flow, sources: dict[str, str]) -> dict[str, Any]:
    """A flow as the machine forms write it; what does not matter or is not there is left out.

    ``sources`` gives an example address for each group.
    """
    result: dict[str, Any] = {}
    if flow.group is not None:
        result["group"] = flow.group
        if flow.group in sources:
            result["source"] = sources[flow.group]
    for key, value in (
        ("account", flow.account),
        ("host", flow.host),
        ("path", flow.path),
        ("address", flow.address),
        ("shared_name", flow.shared),
    ):
        if value is not None:
            result[key] = value
    result["transport"] = flow.transport
    result["port"] = flow.port
    return result


def _sources(site: Site[Any]) -> dict[str, str]:
    return {
        group.name: group.addresses.first()
        for group in site.groups
        if group.addresses is not ANY and not group.addresses.is_empty
    }


def fidelity_markdown(fidelity: Fidelity, target: Target[Any, Any]) -> bytes:
    """``fidelity.md``: the same for a reader; what matters first."""
    site = fidelity.site
    counts = Counter(rule.verdict.value for rule in fidelity.rules)
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
    lines = [
        f"# {site.name}: {target.capabilities.title}",
        "",
        f"{len(fidelity.rules)} rules of the policy as of {site.as_of.isoformat()}: {verdicts or 'none'}. "
        + ("Proved by reading the artefact back." if fidelity.proved else "Not proved: nothing was read back."),
    ]
    if fidelity.assumes:
        lines += ["", "It rests on:", ""]
        lines += [f"- {sentence}" for sentence in fidelity.assumes]
    used = {a for rule in fidelity.rules for a in rule.assumptions}
    known: dict[str, Assumption] = {a.id: a for a in target.capabilities.assumptions}
    if used:
        lines += ["", "Statements about the vendor's system that nobody could verify:", ""]
        lines += [f"- `{name}`: {known[name].sentence} ({known[name].source})" for name in sorted(used)]
    if fidelity.whole:
        lines += ["", "The artefact as a whole:", ""]
        lines += [f"- `{a.reason.value}` ({_grade(a)}): {a.sentence}" for a in fidelity.whole]
    lines += ["", "## Approximations", ""]
    touched: Counter[Reason] = Counter(a.reason for rule in fidelity.rules for a in rule.approximations)
    if touched:
        lines += ["| reason | rules | what changes | why |", "| --- | --- | --- | --- |"]
        lines += [
            f"| `{reason.value}` | {touched[reason]} | {FACTS[reason].licence} | {FACTS[reason].why} |"
            for reason in Reason
            if touched[reason]
        ]
    else:
        lines.append("None: every rule is said exactly.")
    lines += ["", "## Rules", "", "| rule | verdict | differs by | in the artefact |", "| --- | --- | --- | --- |"]
    lines += [_row(rule) for rule in fidelity.rules]
    return ("\n".join(lines) + "\n").encode()


def _row(found: RuleFidelity) -> str:
    star = "*" if found.assumptions else ""
    differs = "; ".join(
        f"`{a.reason.value}` ({_grade(a)}): {table_cell(a.sentence)}"
        + (f", e.g. {table_cell(a.example.text)}" if a.example is not None else "")
        for a in found.approximations
    )
    names = ", ".join(code(name) for name in found.names[:6]) + (", …" if len(found.names) > 6 else "")
    verdict = found.verdict.value + star.replace("*", r"\*")
    return f"| `{found.rule.identity}` | {verdict} | {differs or '–'} | {names or '–'} |"


def _grade(found: Approximation) -> str:
    accepted = f"accepted: {found.why}" if found.why else "accepted"
    return f"{found.effect.value}, {table_cell(accepted) if found.accepted else found.level.value}"
