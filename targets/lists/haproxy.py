"""HAProxy: lines for a frontend in ``mode tcp`` that send connections to a backend as they are, by SNI or Host.

The name is that of a TLS ClientHello, or of the Host header of a plain HTTP request (its first on the connection).
``dst`` is where the client wanted to go, so addresses are compared with what its names resolved to as well. Both were
tried on HAProxy 2.6.12 (``tests/lab/test_lab_lists_haproxy.py``). ``-m dom`` is never written: it also matches
``foo.test.evil.example``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.exports import ANY_PORT, Abilities, Addresses, Dialect, Inner, ListKind, Ports, Shape
from egressc.targets.list_protocol import BOTH, ListFormat
from egressc.targets.lists.haproxy_read import BACKEND, read_frontend
from egressc.targets.lists.host_regex import host_regex
from egressc.targets.lists.list_comments import rule_comments
from egressc.targets.protocol import Capabilities, Capability, Limit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egressc.exports import Line
    from egressc.hosts import HostPattern
    from egressc.ranges import Ranges
    from egressc.targets.list_protocol import ListModel, ListOptions

_ABILITIES = Abilities(
    inner=Inner.EXACT,
    ports=Ports.RANGES,
    exceptions=True,
    v4=Addresses.NETWORKS,
    v6=Addresses.NETWORKS,
    resolves=True,
)

WORDS = 60
"""So many values on one line: HAProxy reads 64 words (MAX_LINE_ARGS) and refuses a longer one."""

_SNI = "req.ssl_sni"
_HOST = "req.fhdr(host),field(1,:)"


def _tests(shape: Shape, pattern: HostPattern) -> list[str]:
    """How a name is compared, without what it is taken from."""
    if shape is Shape.EVERYTHING:
        return []
    domain = ".".join(pattern.labels)
    exact, below = f"-i -m str {domain}", f"-i -m end .{domain}"
    if shape is Shape.INNER:
        return [f"-i -m reg '{host_regex(pattern)}'"]
    return {Shape.EXACT: [exact], Shape.BELOW: [below]}.get(shape, [exact, below])


def _conditions(line: Line, options: ListOptions) -> list[str]:
    """A line as conditions of an access list, any of which is enough."""
    if line.addresses is not None:
        return [f"dst {line.addresses.text}"]
    assert line.pattern is not None
    return list(_of_name(_tests(line.shape, line.pattern), options))


def _of_name(tests: Iterable[str], options: ListOptions) -> Iterator[str]:
    """What a proxy leaves closed is TLS; what it does not get may be plain HTTP, too."""
    for test in tests:
        yield f"{_SNI} {test}"
        if options.kind is ListKind.BYPASS:
            yield f"{_HOST} {test}"


def _ports(ports: Ranges) -> list[str]:
    said = [str(a) if a == b else f"{a}:{b}" for a, b in ports]
    return [" ".join(said[at : at + WORDS]) for at in range(0, len(said), WORDS)]


def _render(model: ListModel) -> str:
    options = model.options
    text = [
        f"# egressc: {model.title}",
        f"# For a frontend in `mode tcp`; `{BACKEND}` passes connections on to where they were going, as they are.",
        "tcp-request inspect-delay 5s",
        "tcp-request content accept if { req.ssl_hello_type 1 }",
    ]
    if options.kind is ListKind.BYPASS:
        text.append("tcp-request content accept if HTTP")
    groups: dict[tuple[object, ...], list[Line]] = {}
    for line in model.lines:
        groups.setdefault((line.ports, line.exceptions, line.shape is Shape.EVERYTHING), []).append(line)
    for number, lines in enumerate(groups.values(), start=1):
        text += _group(f"egressc_{options.kind.value}_{number}", lines, options)
    return "\n".join(text) + "\n"


def _group(name: str, lines: list[Line], options: ListOptions) -> Iterator[str]:
    """The access lists of lines for the same ports that leave out the same hosts, and the rule that uses them."""
    first = lines[0]
    use: list[str] = []
    above: tuple[str, ...] = ()
    for line in lines:
        rules = tuple(rule.identity for rule in line.rules)
        if rules != above:
            yield from rule_comments(line.rules)
            above = rules
        yield from (f"acl {name} {each}" for each in _conditions(line, options))
    if first.shape is not Shape.EVERYTHING:
        use.append(name)
    if first.exceptions:
        for endpoint in first.exceptions:
            pattern = endpoint.pattern
            shape = Shape.INNER if not pattern.is_tree else Shape.BELOW if pattern.deep else Shape.EXACT
            yield from (f"acl {name}_not {each}" for each in _of_name(_tests(shape, pattern), options))
        use.append(f"!{name}_not")
    if first.ports != ANY_PORT:
        yield from (f"acl {name}_ports dst_port {each}" for each in _ports(first.ports))
        use.append(f"{name}_ports")
    yield f"use_backend {BACKEND}" + (f" if {' '.join(use)}" if use else "")


FORMAT = ListFormat(
    name="haproxy",
    capabilities=Capabilities(
        title="HAProxy, a frontend in TCP mode",
        rows=(
            Capability("exact host", "`-i -m str x`", "exact"),
            Capability("`*.x`", "`-i -m end .x`", "exact"),
            Capability("`x` with `*.x`", "both", "exact"),
            Capability("inner `*`, `*` inside a label", "`-i -m reg`, anchored", "exact"),
            Capability("URL path", "the whole host", "wider", ("path",)),
            Capability("address, CIDR, range", "`dst`, networks; also what a name resolved to", "exact"),
            Capability("ports", "`dst_port`", "exact"),
            Capability("`except`", "`!` before an access list of what is left out", "exact"),
        ),
        limits=(
            Limit("words on a line", "64 (MAX_LINE_ARGS): a longer one is an error", "measured, HAProxy 2.6.12"),
            Limit(
                "names",
                "of a TLS ClientHello or the first HTTP request of a connection; both are claims of the client. A "
                "protocol where the server speaks first, or TLS that begins later (SQL, STARTTLS), shows none",
                "HAProxy configuration manual, 7.3.5 `req.ssl_sni`; 4.2 `tcp-request inspect-delay`",
            ),
            Limit(
                "`-m end`", "compared one after the other: thousands cost time on every connection",
                "HAProxy configuration manual, 7.1.3",
            ),
        ),
        assumptions=(),
    ),
    lists=BOTH,
    forms=("haproxy",),
    file_name=lambda options: f"{options.kind.value}.cfg",
    dialects=lambda _options: (Dialect("", _ABILITIES),),
    render=_render,
    spell=lambda line, options: ", ".join(_conditions(line, options)) or "every connection",
    read=lambda text, options, _dialect: read_frontend(text, options),
)  # fmt: skip
