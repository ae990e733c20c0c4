"""Windows Firewall's rules as files: a script that applies them, and the same data as JSON.

The script is fixed text around its data: ``head.ps1``, the data, ``functions.ps1``, ``apply.ps1``. Nothing that anybody
wrote in a policy stands outside a literal.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from egressc.targets.protocol import Artefact
from egressc.targets.windows_firewall.quote import quote
from egressc.targets.windows_firewall.records import keyword_record, rule_record, site_record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.targets.windows_firewall.model import FirewallPolicy
    from egressc.targets.windows_firewall.records import Record, Value

_ON_ONE_LINE = 4
"""How many items a list may have to stand on one line."""


def render(policy: FirewallPolicy) -> tuple[Artefact, ...]:
    """``firewall.ps1`` (ASCII, LF) and ``rules.json`` (UTF-8, LF)."""
    site = site_record(policy)
    keywords = [keyword_record(keyword) for keyword in policy.keywords]
    rules = [rule_record(rule) for rule in policy.rules]
    script = (fixed_head(), *_data(site, keywords, rules), fixed_body())
    return (
        Artefact("firewall.ps1", "".join(script).encode("ascii")),
        Artefact("rules.json", "".join(_json(site, keywords, rules)).encode("utf-8")),
    )


@cache
def fixed_head() -> str:
    """The text before the data: help, parameters, strictness. The same in every script."""
    return _shipped("head.ps1")


@cache
def fixed_body() -> str:
    """The text behind the data: everything that the script does. The same in every script."""
    return _shipped("functions.ps1") + _shipped("apply.ps1")


def _shipped(name: str) -> str:
    return resources.files("egressc.targets.windows_firewall").joinpath(name).read_text(encoding="ascii")


def _data(site: Record, keywords: list[Record], rules: list[Record]) -> Iterable[str]:
    """The data as three assignments of literals."""
    yield "$Site = @{\n"
    yield _entries(site, "    ")
    yield "}\n\n"
    yield from _table("$Keywords", keywords)
    yield from _table("$Rules", rules)


def _table(name: str, records: list[Record]) -> Iterable[str]:
    if not records:
        yield f"{name} = @()\n\n"
        return
    yield f"{name} = @(\n"
    for record in records:
        yield f"    @{{\n{_entries(record, '        ')}    }}\n"
    yield ")\n\n"


def _entries(record: Record, indent: str) -> str:
    return "".join([f"{indent}{key} = {_literal(value, indent)}\n" for key, value in record.items()])


def _literal(value: Value, indent: str) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bool):
        return "$true" if value else "$false"
    items = [quote(item) for item in value]
    if len(items) <= _ON_ONE_LINE:
        return f"@({', '.join(items)})"
    lines = f",\n{indent}    ".join(items)
    return f"@(\n{indent}    {lines}\n{indent})"


def _json(site: Record, keywords: list[Record], rules: list[Record]) -> Iterable[str]:
    """The data with one record on a line, so that a difference shows as one."""
    yield f'{{\n  "Site": {json.dumps(site, ensure_ascii=False)},\n'
    yield from _json_table("Keywords", keywords)
    yield ",\n"
    yield from _json_table("Rules", rules)
    yield "\n}\n"


def _json_table(name: str, records: list[Record]) -> Iterable[str]:
    if not records:
        yield f'  "{name}": []'
        return
    dump = json.JSONEncoder(ensure_ascii=False).encode
    lines = ",\n    ".join([dump(record) for record in records])
    yield f'  "{name}": [\n    {lines}\n  ]'
