"""Custom URL categories of Zscaler Internet Access: one URL on a line, as the portal and the API take them.

``.d`` is the domain and the names up to five labels below it, ``h`` that host alone, whatever follows it ([D] URL
Format Guidelines, help.zscaler.com/zia/url-format-guidelines). There are no comments, and one wrong URL makes the API
refuse the request, so what the guidelines forbid is refused here. ``urls`` says no ports, as people write these lists;
``ports`` says them, of which the guidelines have no example.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from egressc.exports import Abilities, Dialect, Exact, Ports, ReadEntry, ReadList, Refusal, Shape
from egressc.exports_lower import deeper
from egressc.exports_read import addresses_of, by_address, by_name, host_of, port_of
from egressc.host_paths import path_form
from egressc.hosts import HostPattern
from egressc.policy import HostEndpoint
from egressc.ranges import size
from egressc.services import FIRST_PORT, LAST_PORT
from egressc.targets.list_protocol import BOTH, ListFormat
from egressc.targets.lists.lines import joined_lines, too_long, unread, written
from egressc.targets.protocol import Assumption, Capabilities, Capability, Limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.exports import Line
    from egressc.targets.list_protocol import ListModel, ListOptions

LEVELS = 5
"""So many labels below a domain its entry reaches."""

LONGEST = 1024
"""Characters of a URL."""

_URLS = Abilities(below=Exact.APEX, levels=LEVELS, path=True, everything=False)
_PORTS = replace(_URLS, ports=Ports.SINGLE)

_GUIDELINES = "[D] URL Format Guidelines, help.zscaler.com/zia/url-format-guidelines"
_PORT, _PATH = "zscaler-port", "zscaler-path"


def _spelled(line: Line) -> list[str]:
    """A path is two URLs: ``h/p`` for itself, ``h/p/`` for what is below it."""
    assert line.pattern is not None
    host = line.pattern.text if line.shape is Shape.EXACT else f".{line.domain}"
    ((first, last),) = line.ports
    port = f":{first}" if first == last else ""
    ends = ("",) if line.path is None else (line.path, f"{line.path}/")
    return [f"{host}{port}{end}" for end in ends]


def _problems(model: ListModel) -> tuple[Refusal, ...]:
    wrong = [refusal for line in model.lines if (refusal := _forbidden(line)) is not None]
    return (*wrong, *too_long(model, _spelled, LONGEST, "Zscaler"))


def _forbidden(line: Line) -> Refusal | None:
    """What the guidelines forbid of a host."""
    assert line.pattern is not None
    labels = line.pattern.labels
    why = ""
    if len(labels) < 2:
        why = "it is a top-level domain alone"
    elif "_" in labels[-1] or ("_" in labels[-2] and (len(labels) > 2 or line.shape is not Shape.EXACT)):
        why = "`_` may not stand in the top-level or the second-level domain"
    elif "_" in labels[:-2]:
        why = "`_` alone is no subdomain"
    if not why:
        return None
    return Refusal(
        f"`{_spelled(line)[0]}` is no URL to Zscaler: {why}, and one wrong URL makes it refuse all of them",
        "leave the rule out with `--rule`, or say it in another way",
        line.rules,
    )


_NO_URL: Final = "is no URL to Zscaler, which refuses the whole request for one:"


def _read(text: str, _options: ListOptions, _dialect: str) -> ReadList:
    entries: list[ReadEntry] = []
    remarks: list[str] = []
    paths: dict[tuple[str, str], dict[bool, int]] = {}
    for number, line in written(text):
        lowered = line.lower()
        host, slash, rest = lowered.partition("/")
        why = _wrong(lowered, host)
        if why:
            remarks += unread([(number, line)], f"{_NO_URL} {why}")
            continue
        if slash and rest:
            path = path_form(f"/{rest}")
            if _is_address(host):
                remarks += unread([(number, line)], "is no network to Zscaler, but a URL with that path")
            elif isinstance(path, str):
                paths.setdefault((host, path), {}).setdefault(rest.endswith("/"), number)
            else:
                entries.append(_entry(host, line, number, doubt="which requests it matches is not documented"))
            continue
        entries.append(_entry(host, line, number))
    for (host, path), ends in paths.items():
        doubt = ""
        if True not in ends:
            doubt = f"`{path}` matches that path alone, not what is below it: write `{path}/`, too"
        elif False not in ends:
            doubt = f"`{path}/` does not match the path itself: write `{path}`, too"
        shown = f"{host}{path}{'' if False in ends else '/'}"
        entries.append(_entry(host, shown, min(ends.values()), path=path, doubt=doubt))
    return ReadList(tuple(entries), tuple(remarks))


def _is_address(host: str) -> bool:
    return re.fullmatch(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?::[0-9]+)?", host) is not None


def _wrong(line: str, host: str) -> str:
    """Why a line is no URL to Zscaler; empty if it is one."""
    if any(char.isspace() for char in line):
        return "it has a space"
    if not line.isascii():
        return "it has letters beyond ASCII: write the `xn--` form"
    if "://" in line:
        return "it has a scheme"
    if "*" in host:
        return "it has an asterisk: write `.x` for the names below x"
    name, colon, port = host.partition(":")
    if colon and port_of(port) is None:
        return "the port is none"
    if _is_address(host):
        return "" if addresses_of(name) is not None else "the address is none"
    pattern = host_of(name.removeprefix("."))
    if pattern is None:
        return "the host is none"
    return "it is a top-level domain alone" if len(pattern.labels) < 2 else ""


def _entry(host: str, text: str, number: int, *, path: str | None = None, doubt: str = "") -> ReadEntry:
    name, _, port = host.partition(":")
    ports = port_of(port) or ((FIRST_PORT, LAST_PORT),)
    held = addresses_of(name)
    if held is not None:
        return by_address(held, text, number, ports=ports, doubt=doubt)
    base = host_of(name.removeprefix("."))
    assert base is not None
    if not name.startswith("."):
        return by_name((base,), text, number, ports=ports, path=path, doubt=doubt)
    tree = HostPattern(base.labels, deep=True)
    out = [HostEndpoint(each) for each in deeper(tree, LEVELS)]
    return by_name((tree, base), text, number, ports=ports, path=path, out=out, doubt=doubt)


def _remarks(model: ListModel) -> Iterator[str]:
    urls = sum(len(_spelled(line)) for line in model.lines)
    yield f"{urls} URLs: how many an organisation may have in all stands in Zscaler's Ranges & Limitations"
    if model.options.form == "ports" and any(size(line.ports) == 1 for line in model.lines):
        yield "whether `h:443` matches a request without a port is not documented (assumption `zscaler-port`): try one"


FORMAT = ListFormat(
    name="zscaler",
    capabilities=Capabilities(
        title="Zscaler custom URL category",
        rows=(
            Capability("exact host", "`x`", "exact"),
            Capability("`*.x`", "`.x`: with `x`, and five labels deep at most", "wider", ("apex", "depth")),
            Capability("`x` with `*.x`", "`.x`, five labels deep at most", "narrower", ("depth",)),
            Capability(
                "inner `*`, `*` inside a label", "the names below what follows it", "wider", ("label-wildcard",)
            ),
            Capability("URL path of http", "`x/path` and `x/path/`", "exact", assumptions=(_PATH,)),
            Capability("URL path of https", "the whole host", "wider", ("path",)),
            Capability(
                "address, CIDR, range", "none: they belong into the category's IP ranges", "narrower", ("address",)
            ),
            Capability("ports, in the form `urls`", "none", "wider", ("ports",)),
            Capability("ports, in the form `ports`", "`x:port`, one on a line", "exact", assumptions=(_PORT,)),
            Capability("`except`", "none", "wider", ("except",)),
            Capability("any-address", "none", "refused", ("no-names",)),
        ),
        limits=(
            Limit("URL", f"{LONGEST} characters of ASCII, lower case, no scheme, no `*`", _GUIDELINES),
            Limit("host", "255 characters, 63 between two dots, no top-level domain alone", _GUIDELINES),
            Limit("`_`", "not in the top-level and second-level domain, no subdomain by itself", _GUIDELINES),
            Limit("`.x`", f"{LEVELS} labels deep", _GUIDELINES),
            Limit("wrong URLs", "one makes the API refuse the whole request", _GUIDELINES),
        ),
        assumptions=(
            Assumption(
                _PORT,
                "`x:port` and `.x:port` match requests to that port alone, also where a client leaves it out",
                f"inferred: {_GUIDELINES}, speak of a host before the colon and show no such entry",
            ),
            Assumption(
                _PATH,
                "`x/path` and `x/path/` together match that path and everything below it, also behind `.x`",
                "[D] support.zscaler.com 206734323: without a slash at its end the exact string, with "
                "one what is below; not said of `.x`, nor of a query behind the path",
            ),
        ),
    ),
    lists=BOTH,
    forms=("urls", "ports"),
    file_name=lambda _options: "urls.txt",
    dialects=lambda options: (Dialect("", _PORTS if options.form == "ports" else _URLS),),
    render=lambda model: joined_lines(model, _spelled),
    spell=lambda line, _options: " ".join(_spelled(line)),
    read=_read,
    problems=_problems,
    remarks=lambda model: tuple(_remarks(model)),
)
