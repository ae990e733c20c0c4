"""JSON: one destination in an object, exactly as the policy means it, for programs. ``grammar/list.schema.json``.

Every key is always there, and every entry is one line, so that two lists can be compared with any tool. What stands in
``rules`` says where an entry comes from and is no part of what it matches.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from egressc.exports import ANY_PORT, Abilities, Addresses, Dialect, Inner, Ports, ReadEntry, ReadList, Shape
from egressc.exports_read import addresses_of, by_address, by_name, everything, host_of
from egressc.host_paths import path_form
from egressc.meaning import UnreadableError
from egressc.policy import HostEndpoint
from egressc.ranges import merged
from egressc.services import FIRST_PORT, LAST_PORT
from egressc.targets.list_protocol import BOTH, ListFormat
from egressc.targets.protocol import Capabilities, Capability

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.exports import Line
    from egressc.ranges import Ranges
    from egressc.targets.list_protocol import ListModel, ListOptions

VERSION = 1

_ABILITIES = Abilities(
    inner=Inner.EXACT,
    ports=Ports.RANGES,
    path=True,
    tls_path=True,
    exceptions=True,
    v4=Addresses.RANGES,
    v6=Addresses.RANGES,
)


def _destinations(line: Line) -> list[tuple[str, str]]:
    """What a line is for, each with its kind; a domain and the names below it are two."""
    if line.addresses is not None:
        return [("addresses", line.addresses.text)]
    assert line.pattern is not None
    if line.shape is Shape.EVERYTHING:
        return [("everything", "*")]
    if line.shape is Shape.DOMAIN:
        return [("host", line.domain), ("pattern", f"*.{line.domain}")]
    return [("host" if line.pattern.is_exact else "pattern", line.pattern.text)]


def _entries(line: Line) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind,
            "destination": destination,
            "ports": [{"from": first, "to": last} for first, last in line.ports],
            "path": line.path,
            "except": [each.text for each in line.exceptions],
            "rules": [rule.identity for rule in line.rules],
        }
        for kind, destination in _destinations(line)
    ]


def _render(model: ListModel) -> str:
    head = json.dumps({"version": VERSION, "list": model.options.kind.value, "title": model.title}, indent=1)
    entries = ",\n".join(f"  {json.dumps(each)}" for line in model.lines for each in _entries(line))
    listed = f"[\n{entries}\n ]" if entries else "[]"
    return f'{head.removesuffix("}").rstrip()},\n "entries": {listed}\n}}\n'


def _read(text: str, options: ListOptions, _dialect: str) -> ReadList:
    try:
        held = json.loads(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise UnreadableError(f"this is no JSON: {error.msg}", line=error.lineno) from error
    except RecursionError as error:
        raise UnreadableError("this is no list: it is too deep") from error
    if not isinstance(held, dict) or held.get("version") != VERSION or not isinstance(held.get("entries"), list):
        raise UnreadableError(f"this is no list of version {VERSION}: it has no `entries` of that version")
    remarks = []
    if held.get("list") != options.kind.value:
        remarks.append(f"this is a list of another kind: `{str(held.get('list'))[:40]}`")
    entries = tuple(entry for number, each in enumerate(held["entries"], 1) for entry in _entry(each, number))
    return ReadList(entries, tuple(remarks))


def _entry(each: Any, number: int) -> Iterator[ReadEntry]:
    """What an entry matches. Raises ``UnreadableError``, with its number among the entries, for what is none."""

    def wrong(what: str) -> UnreadableError:
        return UnreadableError(f"entry {number}: {what}")

    if not isinstance(each, dict) or not isinstance(each.get("destination"), str):
        raise wrong("it has no `destination`")
    where, kind = each["destination"], each.get("kind")
    ports = _ports(each.get("ports"))
    if ports is None:
        raise wrong("`ports` are objects with `from` and `to`, such as 443 and 443")
    written = each.get("path")
    path = path_form(written) if isinstance(written, str) and written.startswith("/") else None
    if written is not None and not isinstance(path, str):
        raise wrong("`path` is no path")
    listed = each.get("except", [])
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise wrong("`except` is no list of hosts")
    out = [_left_out(one) for one in listed]
    gone = [each for each in out if each is not None]
    if len(gone) < len(out):
        raise wrong(f"`{listed[out.index(None)][:80]}` is no host")
    if kind == "everything" and where == "*":
        yield from everything(where, ports=ports, out=gone)
        return
    held = addresses_of(where) if kind == "addresses" else None
    if held is not None:
        yield by_address(held, where, ports=ports)
        return
    pattern = host_of(where) if kind in {"host", "pattern"} else None
    if pattern is None or pattern.is_exact is not (kind == "host"):
        raise wrong(f"`{where[:80]}` is none of its `kind`: host, pattern, addresses or everything")
    yield by_name((pattern,), where, ports=ports, path=path if isinstance(path, str) else None, out=gone)


def _left_out(text: str) -> HostEndpoint | None:
    host, slash, rest = text.partition("/")
    pattern = host_of(host)
    path = path_form(f"/{rest}") if slash else None
    return HostEndpoint(pattern, path) if pattern is not None and isinstance(path, str | None) else None


def _ports(listed: Any) -> Ranges | None:
    if listed is None:
        return ANY_PORT
    if not isinstance(listed, list) or not listed:
        return None
    found = []
    for each in listed:
        first, last = (each.get("from"), each.get("to")) if isinstance(each, dict) else (None, None)
        if not (type(first) is int and type(last) is int and FIRST_PORT <= first <= last <= LAST_PORT):
            return None
        found.append((first, last))
    return merged(found)


FORMAT = ListFormat(
    name="json",
    capabilities=Capabilities(
        title="JSON",
        rows=(
            Capability("exact host", "an entry of kind `host`", "exact"),
            Capability("`*.x`", "an entry of kind `pattern`", "exact"),
            Capability("`x` with `*.x`", "two entries", "exact"),
            Capability("inner `*`, `*` inside a label", "an entry of kind `pattern`", "exact"),
            Capability("URL path", "`path`", "exact"),
            Capability("address, CIDR, range", "an entry of kind `addresses`", "exact"),
            Capability("ports", "`ports`, ranges", "exact"),
            Capability("`except`", "`except`", "exact"),
            Capability("any-address", "an entry of kind `everything`", "exact"),
        ),
        limits=(),
        assumptions=(),
    ),
    lists=BOTH,
    forms=("json",),
    file_name=lambda _options: "list.json",
    dialects=lambda _options: (Dialect("", _ABILITIES),),
    render=_render,
    spell=lambda line, _options: " ".join(where for _, where in _destinations(line)),
    read=_read,
)
