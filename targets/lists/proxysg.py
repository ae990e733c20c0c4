"""ProxySG (Edge SWG): a condition of the Content Policy Language, and the layer that uses it.

For the appliance a bypass is what it does not send to the proxy above it: ``forward(no) socks_gateway(no)`` in a
``<Forward>`` layer, what the Visual Policy Manager calls Send Direct. An exemption is ``ssl.forward_proxy(no)`` in an
``<SSL-Intercept>`` layer. The form ``condition`` is the definition alone, for a layer of one's own.

[D] ProxySG Content Policy Language Guide, chapter 3, ``url=`` (pages 137 to 142) and pages 22 to 29: the triggers of
one line must all hold, of the lines of a condition one; ``!`` negates a value; ``.no_lookup`` keeps names and addresses
apart; ``url.address=`` resolves a name; ``url=`` tests are not allowed in ``<Forward>``, ``server_url=`` tests are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.exports import ANY_PORT, Abilities, Addresses, Dialect, Inner, ListKind, Ports, Shape
from egressc.targets.list_protocol import BOTH, ListFormat
from egressc.targets.lists.host_regex import host_regex, literally
from egressc.targets.lists.list_comments import rule_comments
from egressc.targets.lists.proxysg_read import read_policy
from egressc.targets.protocol import Assumption, Capabilities, Capability, Limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.exports import Line
    from egressc.hosts import HostPattern
    from egressc.policy import HostEndpoint, Rule
    from egressc.ranges import Ranges
    from egressc.targets.list_protocol import ListModel, ListOptions

_ABILITIES = Abilities(
    inner=Inner.EXACT,
    ports=Ports.RANGES,
    path=True,
    exceptions=True,
    v4=Addresses.NETWORKS,
    v6=Addresses.NETWORKS,
    resolves=True,
)

_GUIDE = "[D] ProxySG Content Policy Language Guide"
_LAYER, _NOT, _V6, _PATH, _FORWARD = "cpl-layer", "cpl-negation", "cpl-ipv6", "cpl-path", "cpl-bypass"


def _trigger(options: ListOptions) -> str:
    """What the tests begin with: a ``<Forward>`` layer has names of its own."""
    return "server_url" if options.kind is ListKind.BYPASS and options.form == "layer" else "url"


def _name(options: ListOptions) -> str:
    return f"egressc_{options.kind.value}"


def _path_is(path: str, on: str) -> str:
    """The test for a path and what is below it."""
    return f'{on}.path.regex="^{literally(path)}(/|$)"'


def _ports(ports: Ranges) -> str:
    each = [str(first) if first == last else f"{first}..{last}" for first, last in ports]
    return each[0] if len(each) == 1 else f"({', '.join(each)})"


def _host_is(pattern: HostPattern, on: str) -> str:
    if pattern.is_exact:
        return f"{on}.host.exact.no_lookup={pattern.text}"
    if pattern.is_tree:
        domain = ".".join(pattern.labels)
        return f"{on}.domain.no_lookup={domain} {on}.host.exact.no_lookup=!{domain}"
    return f'{on}.host.regex.no_lookup="{host_regex(pattern)}"'


def _host_is_not(pattern: HostPattern, on: str) -> str:
    if pattern.is_exact:
        return f"{on}.host.exact.no_lookup=!{pattern.text}"
    return f'{on}.host.regex.no_lookup=!"{host_regex(pattern)}"'


def _spelled(line: Line, options: ListOptions, left_out: dict[str, str]) -> str:
    """A line as the triggers of one line; ``left_out`` are the conditions of exceptions that have a path."""
    on = _trigger(options)
    words: list[str] = []
    if line.addresses is not None:
        words.append(f"{on}.address={line.addresses.text}")
    elif line.shape is Shape.DOMAIN:
        words.append(f"{on}.domain.no_lookup={line.domain}")
    elif line.shape is not Shape.EVERYTHING:
        assert line.pattern is not None
        words.append(_host_is(line.pattern, on))
    words += [
        _host_is_not(each.pattern, on) if each.path is None else f"condition=!{left_out.get(each.text, each.text)}"
        for each in line.exceptions
    ]
    if line.path is not None:
        words.append(_path_is(line.path, on))
    if line.ports != ANY_PORT:
        words.append(f"{on}.port={_ports(line.ports)}")
    return " ".join(words) or f"{on}.port=1..65535"


def _with_paths(model: ListModel) -> dict[str, HostEndpoint]:
    """The exceptions that have a path, by the names of the conditions that they are."""
    found = {each.text: each for line in model.lines for each in line.exceptions if each.path is not None}
    return {f"{_name(model.options)}_out_{n}": found[text] for n, text in enumerate(sorted(found), 1)}


def _render(model: ListModel) -> str:
    lines = [f"; egressc: {model.title}", *_text(model)]
    return "\n".join(lines) + "\n"


def _text(model: ListModel) -> Iterator[str]:
    if not model.lines:
        yield "; nothing"
        return
    options = model.options
    apart = _with_paths(model)
    for name, each in apart.items():
        on = _trigger(options)
        yield f"define condition {name}"
        yield f"    {_host_is(each.pattern, on)} {_path_is(each.path or '', on)}"
        yield f"end condition {name}"
        yield ""
    left_out = {each.text: name for name, each in apart.items()}
    yield f"define condition {_name(options)}"
    above: tuple[Rule, ...] = ()
    for line in model.lines:
        if line.rules != above:
            yield from (f"    {each}" for each in rule_comments(line.rules, mark=";"))
            above = line.rules
        yield f"    {_spelled(line, options, left_out)}"
    yield f"end condition {_name(options)}"
    if options.form == "layer":
        bypass = options.kind is ListKind.BYPASS
        yield ""
        yield "<Forward>" if bypass else "<SSL-Intercept>"
        yield f"    condition={_name(options)} {'forward(no) socks_gateway(no)' if bypass else 'ssl.forward_proxy(no)'}"


def _remarks(model: ListModel) -> tuple[str, ...]:
    if model.options.kind is ListKind.BYPASS:
        return ("clients that are to pass this proxy by need a list of their own (pac, wininet, no-proxy)",)
    if model.options.form == "layer":
        return ("the layer only leaves closed what it names: another layer must say what is opened",)
    return ()


FORMAT = ListFormat(
    name="proxysg",
    capabilities=Capabilities(
        title="ProxySG policy (CPL)",
        rows=(
            Capability("exact host", "`url.host.exact.no_lookup=x`", "exact"),
            Capability("`*.x`", "`url.domain.no_lookup=x url.host.exact.no_lookup=!x`", "exact", (), (_NOT,)),
            Capability("`x` with `*.x`", "`url.domain.no_lookup=x`", "exact"),
            Capability("inner `*`, `*` inside a label", "`url.host.regex.no_lookup=`", "exact"),
            Capability("URL path of http", "`url.path.regex=`", "exact", (), (_PATH,)),
            Capability("URL path of https", "the whole host", "wider", ("path",)),
            Capability(
                "address, CIDR, range", "`url.address=`, also of a name that resolves to it", "exact", (), (_V6,)
            ),
            Capability("ports", "`url.port=(80, 8000..8080)`", "exact"),
            Capability(
                "`except`", "`url.host.exact.no_lookup=!x`, a regular expression, a condition", "exact", (), (_NOT,)
            ),
            Capability("any-address", "a line without a host", "exact"),
            Capability("what the list is for", "`<Forward>` or `<SSL-Intercept>`", "exact", (), (_FORWARD, _LAYER)),
        ),
        limits=(
            Limit("tests in `<Forward>`", "`server_url=` alone", f"{_GUIDE}, page 137"),
            Limit("regular expressions", "not anchored by themselves, quoted", f"{_GUIDE}, pages 139, 142"),
            Limit("a policy that does not compile", "is not installed; the one in effect stays", f"{_GUIDE}, page 29"),
        ),
        assumptions=(
            Assumption(
                _FORWARD,
                "`forward(no) socks_gateway(no)` in `<Forward>` sends a request to the server itself",
                "read in the output of a Visual Policy Manager (rule Send Direct) that is published; not in the guide",
            ),
            Assumption(
                _LAYER,
                "`<SSL-Intercept>` takes `url.` tests and `ssl.forward_proxy(no)`, which no later layer takes back",
                "read in the output of a Visual Policy Manager that is published; nothing of the order of layers",
            ),
            Assumption(
                _NOT,
                "`!` negates a host and a quoted regular expression, and one line may have several tests of the host",
                f"inferred: {_GUIDE}, page 23, says so of triggers; its examples are of groups and addresses",
            ),
            Assumption(
                _PATH,
                "`url.path.regex=` sees the path without the query and with escapes decoded",
                f"inferred: {_GUIDE}, page 137, has `url.path` and `url.query` apart; of escapes nothing is said",
            ),
            Assumption(
                _V6, "`url.address=` takes addresses and networks of IPv6", f"{_GUIDE}, shows those of IPv4 alone"
            ),
        ),
    ),
    lists=BOTH,
    forms=("layer", "condition"),
    file_name=lambda options: f"{options.kind.value}.cpl",
    dialects=lambda _options: (Dialect("", _ABILITIES),),
    render=_render,
    spell=lambda line, options: _spelled(line, options, {}),
    read=lambda text, options, _dialect: read_policy(text, options.kind),
    remarks=_remarks,
)
