"""CSV: one destination on a line, exactly as the policy means it, for spreadsheets and other people's scripts.

The form is that of RFC 4180, section 2, with LF. Columns: ``destination`` (a host, ``*.d``, ``*``, or addresses),
``ports``, ``path``, ``except`` (hosts left out, with spaces between), ``rules``. A value that a
spreadsheet would take for a formula cannot occur: a host begins with a letter, a digit, ``_`` or ``*``.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from egressc.exports import Abilities, Addresses, Dialect, Inner, Ports, ReadEntry, ReadList, Shape
from egressc.exports_read import addresses_of, by_address, by_name, everything, host_of, ports_of, ports_text
from egressc.meaning import UnreadableError
from egressc.policy import HostEndpoint
from egressc.targets.list_protocol import BOTH, ListFormat
from egressc.targets.protocol import Capabilities, Capability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.exports import Line
    from egressc.targets.list_protocol import ListModel, ListOptions

HEADER = ("destination", "ports", "path", "except", "rules")

_ABILITIES = Abilities(
    inner=Inner.EXACT,
    ports=Ports.RANGES,
    path=True,
    tls_path=True,
    exceptions=True,
    v4=Addresses.RANGES,
    v6=Addresses.RANGES,
)


def destination(line: Line) -> str:
    """What a line is for, in the language's spelling; ``*`` is whatever is asked for."""
    if line.addresses is not None:
        return line.addresses.text
    assert line.pattern is not None
    return line.pattern.text


def _rows(line: Line) -> list[tuple[str, ...]]:
    """A domain and the names below it are two destinations here."""
    named = [line.domain, destination(line)] if line.shape is Shape.DOMAIN else [destination(line)]
    out = " ".join(each.text for each in line.exceptions)
    rules = " ".join(rule.identity for rule in line.rules)
    return [(each, ports_text(line.ports), line.path or "", out, rules) for each in named]


def _render(model: ListModel) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for line in model.lines:
        writer.writerows(_rows(line))
    return text.getvalue()


def _read(text: str, _options: ListOptions, _dialect: str) -> ReadList:
    rows = csv.reader(io.StringIO(text))
    entries: list[ReadEntry] = []
    try:
        head = next(rows, None)
        if head is None or tuple(head[:4]) != HEADER[:4]:
            raise UnreadableError(f"the first line is not `{','.join(HEADER)}`", line=1)
        for row in rows:
            if row:
                entries += _entries(row, rows.line_num)
    except csv.Error as error:
        raise UnreadableError(f"this is no CSV: {error}", line=rows.line_num) from error
    return ReadList(tuple(entries))


def _entries(row: Sequence[str], number: int) -> tuple[ReadEntry, ...]:
    where, ports_written, path, out = (*row, "", "", "")[:4]
    ports = ports_of(ports_written)
    if ports is None:
        raise UnreadableError(f"`{ports_written}` are no ports", line=number)
    exceptions = []
    for each in out.split():
        host, slash, rest = each.partition("/")
        pattern = host_of(host)
        if pattern is None:
            raise UnreadableError(f"`{each}` is no host", line=number)
        exceptions.append(HostEndpoint(pattern, f"/{rest}" if slash else None))
    if where == "*":
        return everything(where, number, ports=ports, out=exceptions)
    held = addresses_of(where)
    if held is not None:
        return (by_address(held, where, number, ports=ports),)
    pattern = host_of(where)
    if pattern is None:
        raise UnreadableError(f"`{where}` is neither a host nor addresses", line=number)
    return (by_name((pattern,), where, number, ports=ports, path=path or None, out=exceptions),)


FORMAT = ListFormat(
    name="csv",
    capabilities=Capabilities(
        title="CSV table",
        rows=(
            Capability("exact host", "a line", "exact"),
            Capability("`*.x`", "a line", "exact"),
            Capability("`x` with `*.x`", "two lines", "exact"),
            Capability("inner `*`, `*` inside a label", "a line in the language's spelling", "exact"),
            Capability("URL path", "a column", "exact"),
            Capability("address, CIDR, range", "a line", "exact"),
            Capability("ports", "a column", "exact"),
            Capability("`except`", "a column", "exact"),
        ),
        limits=(),
        assumptions=(),
    ),
    lists=BOTH,
    forms=("csv",),
    file_name=lambda _options: "list.csv",
    dialects=lambda _options: (Dialect("", _ABILITIES),),
    render=_render,
    spell=lambda line, _options: " ".join(row[0] for row in _rows(line)),
    read=_read,
)
