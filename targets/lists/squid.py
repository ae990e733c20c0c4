"""Squid: access lists, and the rules that use them, for a file that ``squid.conf`` includes.

What a bypass is depends on what squid is for. In the form ``allow`` it is what clients may ask squid for
(``http_access allow``); in the form ``direct`` what squid fetches itself in place of a parent proxy (``always_direct
allow``), which permits nothing. An exemption, in either form, is what squid leaves closed: ``ssl_bump splice`` by the
name of the ClientHello, between ``peek`` and ``bump all``.

All of it was tried on Squid 5.7 (``tests/lab/test_lab_lists_squid.py``). ``*.x`` parses and never matches; ``.x`` holds
``x``; so the names below ``x`` are ``.x`` without ``x``, two access lists. ``-n``: without it squid asks DNS for the
name of an address, and compares that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet
from egressc.exports import ANY_PORT, Abilities, Addresses, Dialect, Inner, ListKind, Ports, Refusal, Shape
from egressc.targets.list_protocol import BOTH, ListFormat
from egressc.targets.lists.host_regex import host_regex, literally
from egressc.targets.lists.list_comments import rule_comments
from egressc.targets.lists.squid_read import DIRECTIVES, PATH_END, read_rules
from egressc.targets.protocol import Capabilities, Capability, Limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.exports import Line
    from egressc.policy import HostEndpoint
    from egressc.targets.list_protocol import ListModel, ListOptions

_BYPASS = Abilities(
    inner=Inner.EXACT,
    ports=Ports.RANGES,
    path=True,
    exceptions=True,
    v4=Addresses.NETWORKS,
    v6=Addresses.NETWORKS,
    resolves=True,
)
_EXEMPTION = Abilities(
    inner=Inner.EXACT,
    ports=Ports.RANGES,
    exceptions=True,
    v4=Addresses.NETWORKS,
    v6=Addresses.NETWORKS,
    resolves=True,
)

_ANY_V4 = AddressSet(ALL.v4, ())
_ANY_V6 = AddressSet((), ALL.v6)


def _types(options: ListOptions) -> dict[str, str]:
    """The types of access lists for each kind of line."""
    if options.kind is ListKind.BYPASS:
        names, inner = "dstdomain -n", "dstdom_regex -n -i"
    else:
        names, inner = "ssl::server_name", "ssl::server_name_regex -i"
    return {"names": names, "below": names, "apex": names, "inner": inner, "dst": "dst"}


def _value(line: Line) -> tuple[str, str]:
    """The access list that a line belongs into, and its value there; none for everything."""
    if line.addresses is not None:
        # 0.0.0.0/0 is an error in squid, which has words for it.
        words = {_ANY_V4: "ipv4", _ANY_V6: "ipv6"}
        return "dst", words.get(line.addresses, line.addresses.text)
    assert line.pattern is not None
    match line.shape:
        case Shape.EXACT:
            return "names", line.domain
        case Shape.DOMAIN:
            return "names", f".{line.domain}"
        case Shape.BELOW:
            return "below", f".{line.domain}"
        case Shape.INNER:
            return "inner", host_regex(line.pattern)
    return "", "all"


def _spell(line: Line, _options: ListOptions) -> str:
    kind, value = _value(line)
    return f"{value} without {line.domain}" if kind == "below" else value


def _path_regex(path: str) -> str:
    return f"^{literally(path)}{PATH_END}"


def _url_regex(endpoint: HostEndpoint) -> str:
    """An http URL: for a host whose path is left out."""
    host = host_regex(endpoint.pattern).removeprefix("^").removesuffix("$")
    return f"^http://{host}(:[0-9]+)?{literally(endpoint.path or '')}{PATH_END}"


def _render(model: ListModel) -> str:
    options = model.options
    groups: dict[tuple[object, ...], list[Line]] = {}
    for line in model.lines:
        key = (line.ports, line.path, line.exceptions, line.shape is Shape.EVERYTHING)
        groups.setdefault(key, []).append(line)
    prefix = "bypass" if options.kind is ListKind.BYPASS else "exempt"
    directive = DIRECTIVES[options.kind.value, options.form]
    text = [f"# egressc: {model.title}"]
    if options.kind is ListKind.EXEMPTION:
        text += [f"acl egressc_{prefix}_hello at_step SslBump1", f"ssl_bump peek egressc_{prefix}_hello"]
    for number, lines in enumerate(groups.values(), start=1):
        text += _group(f"egressc_{prefix}_{number}", lines, directive, _types(options))
    if options.kind is ListKind.EXEMPTION:
        text.append("ssl_bump bump all")
    return "\n".join(text) + "\n"


def _group(name: str, lines: Sequence[Line], directive: str, types: dict[str, str]) -> Iterator[str]:
    """The access lists of lines for the same ports and path that leave out the same hosts, and the rules with them."""
    first = lines[0]
    by_kind: dict[str, list[tuple[Line, str]]] = {}
    for line in lines:
        kind, value = _value(line)
        by_kind.setdefault(kind, []).append((line, value))
    for kind, some in by_kind.items():
        above: tuple[str, ...] = ()
        for line, value in some:
            rules = tuple(rule.identity for rule in line.rules)
            if rules != above:
                yield from rule_comments(line.rules)
                above = rules
            if kind:
                yield f"acl {name}_{kind} {types[kind]} {value}"
            if kind == "below":
                yield f"acl {name}_apex {types['apex']} {line.domain}"
    also: list[str] = []
    if first.ports != ANY_PORT:
        yield from (
            f"acl {name}_ports port {a}" if a == b else f"acl {name}_ports port {a}-{b}" for a, b in first.ports
        )
        also.append(f"{name}_ports")
    if first.path is not None:
        yield f"acl {name}_path urlpath_regex -i {_path_regex(first.path)}"
        also.append(f"{name}_path")
    out: dict[str, None] = {}
    for endpoint in first.exceptions:
        if endpoint.path is not None:
            own, test = f"{name}_noturl", f"url_regex -i {_url_regex(endpoint)}"
        elif endpoint.pattern.is_exact:
            own, test = f"{name}_not", f"{types['names']} {endpoint.pattern.text}"
        else:
            own, test = f"{name}_notsuch", f"{types['inner']} {host_regex(endpoint.pattern)}"
        yield f"acl {own} {test}"
        out[f"!{own}"] = None
    for kind in by_kind:
        where = [f"{name}_{kind}"] if kind else ["all"]
        if kind == "below":
            where.append(f"!{name}_apex")
        left_out = [] if kind == "dst" else list(out)
        yield " ".join([directive, *also, *where, *left_out])


def _problems(model: ListModel) -> tuple[Refusal, ...]:
    """Squid decodes the path before it compares, so an encoded character cannot be told from what it stands for."""
    found = []
    for line in model.lines:
        paths = [line.path or "", *(each.path or "" for each in line.exceptions)]
        bad = next((path for path in paths if "%" in path or re.search(r"[^!-~]", path)), None)
        if bad is not None:
            message = f"`{bad}` has an encoded character: squid decodes paths before it compares them"
            found.append(Refusal(message, "leave the path out: then it is the whole host", line.rules))
    return tuple(found)


FORMAT = ListFormat(
    name="squid",
    capabilities=Capabilities(
        title="Squid",
        rows=(
            Capability("exact host", "`dstdomain -n x`; `ssl::server_name x`", "exact"),
            Capability("`*.x`", "`.x` in one access list, without `x` in another", "exact"),
            Capability("`x` with `*.x`", "`.x`", "exact"),
            Capability(
                "inner `*`, `*` inside a label", "`dstdom_regex -n -i`; `ssl::server_name_regex -i`, anchored", "exact"
            ),
            Capability("URL path of http", "`urlpath_regex -i`", "exact"),
            Capability("URL path of https", "the whole host", "wider", ("path",)),
            Capability("address, CIDR, range", "`dst`, networks; also what a name resolves to", "exact"),
            Capability("ports", "`port`", "exact"),
            Capability("`except`", "`!` before an access list of what is left out", "exact"),
        ),
        limits=(
            Limit("name of an access list", "31 characters here; one of 70 is fatal", "measured, Squid 5.7"),
            Limit(
                "a name and what covers it in one access list",
                "fatal (`a.x .x`, `.a.x .x`, `x .x`) or a warning (`.x a.x`): never written",
                "measured, Squid 5.7",
            ),
            Limit("a path with an encoded character", "refused", "Squid, acl/UrlPath.cc: rfc1738_unescape"),
            Limit(
                "ssl_bump", "in a squid built with OpenSSL: `squid-openssl` on Debian", "Debian 12, package description"
            ),
        ),
        assumptions=(),
    ),
    lists=BOTH,
    forms=("allow", "direct"),
    file_name=lambda options: f"{options.kind.value}.conf",
    dialects=lambda options: (Dialect("", _BYPASS if options.kind is ListKind.BYPASS else _EXEMPTION),),
    render=_render,
    spell=_spell,
    read=lambda text, options, _dialect: read_rules(text, options),
    problems=_problems,
)
