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
    keywords = _Table("Keywords", map(keyword_record, policy.keywords))
    rules = _Table("Rules", map(rule_record, policy.rules))
    head = f"{fixed_head()}$Site = @{{\n{_entries(site, '    ')}}}\n\n"
    script = f"{head}{keywords.script()}{rules.script()}{fixed_body()}"
    data = f'{{\n  "Site": {_dump(site)},\n{keywords.json()},\n{rules.json()}\n}}\n'
    return (
        Artefact("firewall.ps1", script.encode("ascii")),
        Artefact("rules.json", data.encode("utf-8")),
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


class _Table:
    """Records as a list in both forms. Each record is written twice and forgotten: artefacts may be large."""

    def __init__(self, name: str, records: Iterable[Record]) -> None:
        self._name = name
        self._script: list[str] = []
        self._json: list[str] = []
        for record in records:
            self._script.append(f"    @{{\n{_entries(record, '        ')}    }}\n")
            self._json.append(_dump(record))

    def script(self) -> str:
        """The list as an assignment in PowerShell."""
        return f"${self._name} = @(\n{''.join(self._script)})\n\n" if self._script else f"${self._name} = @()\n\n"

    def json(self) -> str:
        """The list as a member of an object, one record on a line, so that a difference shows as one."""
        lines = ",\n    ".join(self._json)
        return f'  "{self._name}": [\n    {lines}\n  ]' if lines else f'  "{self._name}": []'


_dump = json.JSONEncoder(ensure_ascii=False).encode


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
