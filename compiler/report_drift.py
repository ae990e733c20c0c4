"""What `egressc verify` says: as text, as Markdown, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egressc.markdown import code, table_cell, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.drift import Drift, Finding
    from egressc.flows import Flow
    from egressc.meaning import Ruling

_KINDS = (
    ("allows_more", "allows more than the policy", "+"),
    ("allows_less", "allows less than the policy", "-"),
    ("inspection_differs", "inspects otherwise", "~"),
    ("unknown", "not known", "?"),
)


def drift_text(found: Drift) -> str:
    """The comparison in words: one line if all is equal."""
    site = found.site
    head = f"{site.name} ({site.target})"
    if found.is_equal:
        return f"{head}: equal\n" + "".join(f"  note: {visible(remark)}\n" for remark in found.remarks)
    lines = [f"{head}: not equal"]
    for key, title, sign in _KINDS:
        some = _of(found, key)
        if not some:
            continue
        lines += ["", title]
        for each in some:
            lines.append(f"  {sign} {visible(_subject(each))}")
            lines.append(f"      e.g. {visible(_shown(each.flow))}")
            lines.append(f"      {visible(each.sentence)}")
    if found.remarks:
        lines += ["", "notes", *(f"  {visible(remark)}" for remark in found.remarks)]
    return "\n".join(lines) + "\n"


def drift_markdown(found: Drift) -> str:
    """The comparison as Markdown: a table for each kind of difference."""
    site = found.site
    result = "equal" if found.is_equal else "**not equal**"
    lines = [f"# {table_cell(site.name)}: {result}", "", f"{site.target}, as of {site.as_of.isoformat()}."]
    for key, title, _ in _KINDS:
        some = _of(found, key)
        if not some:
            continue
        lines += ["", f"## It {title}" if key != "unknown" else "## Not known", ""]
        lines += ["| live rule | rule of the policy | for example | why |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {', '.join(code(_live(r)) for r in each.live) or '–'} "
            f"| {code(each.rule.identity) if each.rule is not None else '–'} "
            f"| {table_cell(_shown(each.flow))} | {table_cell(each.sentence)} |"
            for each in some
        ]
    if found.remarks:
        lines += ["", "Notes:", "", *(f"- {table_cell(remark)}" for remark in found.remarks)]
    return "\n".join(lines) + "\n"


def drift_json(found: Drift) -> dict[str, Any]:
    """The comparison as ``grammar/verify.schema.json`` describes it, without the diagnostics."""
    site = found.site
    return {
        "version": 1,
        "firewall": site.name,
        "target": site.target,
        "as_of": site.as_of.isoformat(),
        "equal": found.is_equal,
        **{key: [_finding_json(each) for each in _of(found, key)] for key, _, _ in _KINDS},
        "remarks": list(found.remarks),
    }


def nothing_compared(name: str) -> dict[str, Any]:
    """The same where nothing could be compared."""
    lists: dict[str, Any] = {key: [] for key, _, _ in _KINDS}
    head = {"version": 1, "firewall": name, "target": None, "as_of": None, "equal": None}
    return {**head, **lists, "remarks": []}


def _of(found: Drift, key: str) -> Sequence[Finding]:
    some: Sequence[Finding] = getattr(found, key)
    return some


def _subject(each: Finding) -> str:
    live = " and ".join(_live(ruling) for ruling in each.live)
    if each.rule is None:
        return f"live rule {live}" if live else "no live rule"
    span = each.rule.rule.span
    line, _ = span.source.line_column(span.start)
    at = f"rule {each.rule.identity} ({span.source.name}:{line})"
    return f"{at}: live rule {live}" if live else f"{at}: no live rule"


def _live(ruling: Ruling) -> str:
    return f"{ruling.name} ({ruling.place})" if ruling.place else ruling.name


def _shown(flow: Flow) -> str:
    text = flow.text
    return f"{flow.source} of {text}" if flow.group is not None and flow.source else text


def _finding_json(each: Finding) -> dict[str, Any]:
    rule = None
    if each.rule is not None:
        span = each.rule.rule.span
        line, column = span.source.line_column(span.start)
        rule = {"rule": each.rule.identity, "file": span.source.name, "line": line, "column": column}
    return {
        "sentence": each.sentence,
        "example": dict(_flow_json(each.flow)),
        "rule": rule,
        "live_rules": [{"name": ruling.name, "place": ruling.place} for ruling in each.live],
    }


def _flow_json(flow: Flow) -> Iterator[tuple[str, object]]:
    for key, value in (
        ("group", flow.group),
        ("source", flow.source or None),
        ("process", flow.whom or None),
        ("host", flow.host),
        ("path", flow.path),
        ("address", flow.address),
        ("shared_name", flow.shared),
        ("transport", flow.transport),
        ("port", flow.port),
    ):
        if value is not None:
            yield key, value
