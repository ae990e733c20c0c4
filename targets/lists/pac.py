"""PAC: a proxy auto-configuration file, tables in JSON and one fixed piece of ECMAScript 3 (``pac.js``) that asks them.

What a browser is to do stands in the tables alone: ``names`` (a host, or ``*.`` and a domain; ``*`` is whatever is
asked for), ``patterns`` (other wildcards) and ``addresses``, each with the numbers of conditions in ``when``: ports, a
path, hosts that are left out. So a file is read back by reading JSON, and comparing the rest byte for byte.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from egressc.exports import Abilities, Addresses, Dialect, Inner, Ports, Refusal, Shape
from egressc.exports_read import ports_text
from egressc.targets.list_protocol import BYPASS_ONLY, ListFormat
from egressc.targets.lists.pac_read import read_pac
from egressc.targets.protocol import Assumption, Capabilities, Capability, Limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.exports import Line
    from egressc.policy import Rule
    from egressc.targets.list_protocol import ListModel, ListOptions

LARGE = 256 * 1024
"""So many bytes every client is said to take; some take no more than 1 MB (targets/proxy-bypass.md, section 2 [I])."""

_ABILITIES = Abilities(
    inner=Inner.EXACT,
    ports=Ports.RANGES,
    path=True,
    exceptions=True,
    v4=Addresses.RANGES,
    v6=Addresses.RANGES,
)


@cache
def code() -> str:
    """The text behind the tables, the same in every file."""
    return files(__package__).joinpath("pac.js").read_text(encoding="ascii")


def decoded(path: str) -> str | None:
    """A path as the code compares it, without escapes; ``None`` for bytes that are no UTF-8."""
    try:
        return unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return None


def _spell(line: Line, _options: ListOptions) -> str:
    out = "".join(f" except {each.text}" for each in line.exceptions)
    return f"{_named(line)} ports {ports_text(line.ports)}{f' path {line.path}' if line.path else ''}{out}"


def _named(line: Line) -> str:
    if line.addresses is not None:
        return line.addresses.text
    assert line.pattern is not None
    return f"{line.domain} {line.pattern.text}" if line.shape is Shape.DOMAIN else line.pattern.text


class _Tables:
    """The tables, as they are filled: keys with the numbers of conditions and the rules that want them."""

    def __init__(self) -> None:
        self.when: dict[str, int] = {}
        self.names: dict[str, _Held] = {}
        self.patterns: dict[str, _Held] = {}
        self.addresses: dict[tuple[str, str], _Held] = {}

    def add(self, line: Line) -> None:
        number = self.when.setdefault(_condition(line), len(self.when))
        if line.addresses is not None:
            for family in (4, 6):
                for pair in line.addresses.ranges(family):
                    self.addresses.setdefault(pair, _Held()).add(number, line.rules)
            return
        assert line.pattern is not None
        table = self.patterns if line.shape is Shape.INNER else self.names
        keys = (line.domain, line.pattern.text) if line.shape is Shape.DOMAIN else (line.pattern.text,)
        for key in keys:
            table.setdefault(key, _Held()).add(number, line.rules)


class _Held:
    """What stands behind a key."""

    def __init__(self) -> None:
        self.numbers: dict[int, None] = {}
        self.rules: dict[str, None] = {}

    def add(self, number: int, rules: tuple[Rule, ...]) -> None:
        self.numbers[number] = None
        self.rules |= dict.fromkeys(rule.identity for rule in rules)

    @property
    def condition(self) -> str:
        return json.dumps(list(self.numbers))

    @property
    def comment(self) -> str:
        """Identities of rules hold nothing that could end a comment."""
        return f"  // {' '.join(self.rules)}"


def _condition(line: Line) -> str:
    """A condition as JSON; all that is not ASCII is escaped."""
    out = [[each.pattern.text, decoded(each.path or "")] for each in line.exceptions]
    return json.dumps({"ports": line.ports, "path": decoded(line.path or ""), "except": out})


def _render(model: ListModel) -> str:
    tables = _Tables()
    for line in model.lines:
        tables.add(line)
    proxy = model.options.proxy
    assert proxy is not None
    return "\n".join(
        [
            f"// {model.title}. Written by egressc: change the policy, not this file.",
            "",
            "var egressc = {",
            f'"proxy": {json.dumps(f"PROXY {proxy.text}")},',
            *_array('"when": [', "],", ((each, "") for each in tables.when)),
            *_array(
                '"names": {',
                "},",
                ((f"{json.dumps(key)}: {held.condition}", held.comment) for key, held in tables.names.items()),
            ),
            *_array(
                '"patterns": [',
                "],",
                ((f"[{json.dumps(key)}, {held.condition}]", held.comment) for key, held in tables.patterns.items()),
            ),
            *_array(
                '"addresses": [',
                "]",
                ((f'["{a}", "{b}", {held.condition}]', held.comment) for (a, b), held in tables.addresses.items()),
            ),
            "};",
            "",
            code(),
        ]
    )


def _array(start: str, end: str, some: Iterable[tuple[str, str]]) -> list[str]:
    """A table, one entry on a line; no comma behind the last, which JScript would take for one more entry."""
    lines = list(some)
    last = len(lines) - 1
    return [start, *(f"  {text}{',' if n < last else ''}{more}" for n, (text, more) in enumerate(lines)), end]


def _problems(model: ListModel) -> Sequence[Refusal]:
    return [
        Refusal(
            f"the path `{path}` is no UTF-8, which the script could not compare",
            "leave the path out, or write it in UTF-8",
            line.rules,
        )
        for line in model.lines
        for path in (line.path, *(each.path for each in line.exceptions))
        if path is not None and decoded(path) is None
    ]


def _remarks(model: ListModel) -> Sequence[str]:
    size = len(_render(model))
    if size <= LARGE:
        return ()
    return (f"the file has {size // 1024} KB: some clients are said to take no more than 256 KB of a PAC file",)


FORMAT = ListFormat(
    name="pac",
    capabilities=Capabilities(
        title="PAC file",
        rows=(
            Capability("exact host", "a key in a table", "exact"),
            Capability("`*.x`", "a key in a table, found label by label", "exact"),
            Capability("`x` with `*.x`", "two keys", "exact"),
            Capability("inner `*`, `*` inside a label", "a pattern, made into a regular expression", "exact"),
            Capability("URL path of plain HTTP", "compared without escapes and letter case", "exact"),
            Capability(
                "URL path of https", "the whole host: browsers strip it", "wider", ("path",), ("pac-https-path",)
            ),
            Capability("address, CIDR, range", "where a client asks for the address itself", "narrower", ("address",)),
            Capability("ports", "that of the URL, or of its scheme", "exact"),
            Capability("`except`", "hosts that are left out", "exact"),
            Capability("`except` with the path of https", "not left out", "wider", ("except",)),
        ),
        limits=(
            Limit("size", "256 KB without a remark; some clients take 1 MB", "proxy-bypass.md, section 2 (unverified)"),
        ),
        assumptions=(
            Assumption(
                "pac-https-path",
                "Chrome, Edge and Firefox strip the path from an https URL before a PAC file sees it.",
                "MDN, Proxy Auto-Configuration (PAC) file, parameter `url`; not tried with Firefox",
            ),
            Assumption(
                "pac-jscript",
                "WinINET and WinHTTP run PAC files by JScript, which takes ECMAScript 3.",
                "proxy-bypass.md, section 2; not tried: there was no Windows",
            ),
        ),
    ),
    lists=BYPASS_ONLY,
    forms=("pac",),
    file_name=lambda _options: "proxy.pac",
    dialects=lambda _options: (Dialect("", _ABILITIES),),
    render=_render,
    spell=_spell,
    read=lambda text, _options, _dialect: read_pac(text, code()),
    needs_proxy=frozenset({"pac"}),
    probe_free=True,
    problems=_problems,
    remarks=_remarks,
)
