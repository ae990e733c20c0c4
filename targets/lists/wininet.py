"""WinINET: the value ``ProxyOverride`` of a user's Internet settings.

Programs that use WinINET read it, and Edge and Chrome where nothing else is set. Sources: targets/proxy-bypass.md,
section 3, with what the authors of gnoays/proxy-watch measured (src/parse.rs, tests/bypass.rs).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.addresses import ALL, AddressSet
from egressc.exports import (
    ANY_PORT,
    Abilities,
    Addresses,
    Dialect,
    Inner,
    Ports,
    ReadEntry,
    ReadList,
)  # fmt: skip
from egressc.exports_lower import crossing
from egressc.exports_read import by_address, by_name, everything, port_of
from egressc.meaning import UnreadableError
from egressc.targets.list_protocol import BYPASS_ONLY, ListFormat
from egressc.targets.lists.windows_list import (
    address,
    annotated,
    anything,
    bad_entries,
    entries_of,
    length_remark,
    listed,
    local,
    maybe_address,
    named,
    statement,
    words_of,
    written_by,
)
from egressc.targets.protocol import Assumption, Capabilities, Capability, Limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.exports import Line
    from egressc.ranges import Ranges
    from egressc.targets.list_protocol import ListModel, ListOptions
    from egressc.targets.lists.windows_list import Word

_KEY = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"
_REGISTRY = "Windows Registry Editor Version 5.00"
_COMMAND = f"Set-ItemProperty -Path 'HKCU:\\{_KEY}' -Name 'ProxyOverride' -Type String -Value "
_CHANGE = "Written by egressc: change the policy, not this file."
_ABILITIES = Abilities(inner=Inner.GLOB, ports=Ports.SINGLE, v4=Addresses.OCTETS)
_OCTETS = re.compile(r"(?:(?:0|[1-9][0-9]{0,2})\.){1,3}\*")


def _render(model: ListModel) -> str:
    value = listed(model.lines)
    match model.options.form:
        case "plain":
            return f"{value}\n"
        case "registry":
            lines = [
                _REGISTRY,
                "",
                f"; {model.title}. {_CHANGE}",
                *annotated(model.lines, ";"),
                "",
                f"[HKEY_CURRENT_USER\\{_KEY}]",
                f'"ProxyOverride"="{value}"',
                "",
            ]
            # Registry Editor writes CR LF; ASCII is one of the encodings that it reads.
            return "".join(f"{line}\r\n" for line in lines)
    lines = [
        f"# {model.title}. {_CHANGE}",
        "# For the user who runs it; programs that run already read it when they start again.",
        *annotated(model.lines, "#"),
        f"{_COMMAND}'{value}'",
    ]
    return "".join(f"{line}\n" for line in lines)


def _value(text: str) -> tuple[str, int]:
    """The list in a file of any of the forms, and the line that it begins on."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].strip() in {_REGISTRY, "REGEDIT4"}:
        said, number = statement(lines, r'\s*"ProxyOverride"\s*=', "`ProxyOverride`")
        inner = re.fullmatch(r'[^=]*=\s*"((?:[^"\\]|\\.)*)"\s*', said)
        value = None if inner is None else re.sub(r"\\(.)", r"\1", inner[1])
    elif any(re.match(r"\s*Set-ItemProperty\b", each, re.IGNORECASE) for each in lines):
        said, number = statement(lines, r"\s*[^#\s]", "a command")
        value = written_by(f"{re.escape(_COMMAND)}'", "'", said)
    else:
        return "\n".join(lines), 1
    if value is None:
        raise UnreadableError("the value of `ProxyOverride` cannot be read here", line=number)
    return value, number


def _read(text: str, _options: ListOptions, _dialect: str) -> ReadList:
    value, first = _value(text)
    entries: list[ReadEntry] = []
    remarks: list[str] = []
    dots: list[Word] = []
    for word in words_of(value, r";,\s", first):
        where = f"line {word.line}: `{word.text}`"
        if word.text.lower() == "<local>":
            entries.append(local(word))
        elif word.text.lower() == "<-loopback>":
            remarks.append(f"{where} takes away that localhost and link-local addresses go direct by themselves")
        elif "/" in word.text:
            entries += everything(word.text, word.line)
            remarks.append(
                f"{where} holds a `/`: with it in `ProxyOverride` every destination goes direct, and a program that "
                "hands the list to WinINET is refused"
            )
        elif word.text.startswith("."):
            dots.append(word)
            remarks.append(f"{where} matches nothing: a leading dot is no wildcard, write `*{word.text}`")
        elif word.destination.endswith("."):
            remarks.append(f"{where} matches nothing: WinINET compares the dot at the end, too")
        else:
            entries += _entry(word)
    if dots:
        why = f"WinINET refuses a whole list with a leading dot (`{dots[0].text}`) where a program hands it over"
        entries = [replace(each, doubt=each.doubt or why) for each in entries]
    return ReadList(tuple(entries), tuple(remarks))


def _entry(word: Word) -> Iterator[ReadEntry]:
    ports: Ranges | None = ANY_PORT if word.port is None else port_of(word.port)
    if ports is None:
        yield from anything(word, f"`{word.port}` is no port")
        return
    if re.fullmatch(r"\*+", word.destination):
        yield from everything(word.text, word.line, ports=ports)
        return
    found = address(word, ports) or named(word, ports)
    if found is not None:
        yield found
    elif word.text.count(":") > 1 or word.text.startswith("["):
        yield maybe_address(word, "nobody knows how WinINET compares IPv6 addresses")
    elif "*" in word.destination:
        yield from _glob(word, ports)
    else:
        yield from anything(word, "this is neither a host nor an address, and may spoil the whole list")


def _glob(word: Word, ports: Ranges) -> Iterator[ReadEntry]:
    """A glob is compared as text with names and addresses alike, and its star also stands for dots."""
    glob = re.sub(r"\*+", "*", word.destination.lower())
    piece = _network(glob)
    if piece is not None:
        yield by_address(piece, word.text, word.line, ports=ports)
        return
    patterns = [each for each in crossing(glob) if all(each.labels)]
    if not patterns or not re.fullmatch(r"[a-z0-9_.*-]+", glob):
        yield from anything(word, "this is neither a host nor an address, and may spoil the whole list")
        return
    yield by_name(patterns, word.text, word.line, ports=ports)
    if not re.search(r"[a-z_-]", glob):
        yield by_address(ALL, word.text, word.line, ports=ports, doubt="a glob over parts of addresses is not followed")


def _network(glob: str) -> AddressSet | None:
    """The network of `10.*`, `10.1.*` or `10.1.2.*`, as egressc writes them."""
    if not _OCTETS.fullmatch(glob):
        return None
    fixed = [int(each) for each in glob[:-2].split(".")]
    if any(each > 255 for each in fixed):
        return None
    size = 1 << 8 * (4 - len(fixed))
    first = sum(each << 8 * (3 - at) for at, each in enumerate(fixed))
    return AddressSet(((first, first + size - 1),), ())


def _spelled(line: Line) -> str:
    return ";".join(entries_of(line))


FORMAT = ListFormat(
    name="wininet",
    capabilities=Capabilities(
        title="WinINET ProxyOverride",
        rows=(
            Capability("exact host", "`h`", "exact"),
            Capability("`*.x`", "`*.x`", "exact"),
            Capability("`x` with `*.x`", "two entries", "exact"),
            Capability("inner `*`, `*` inside a label", "a glob whose star also stands for dots", "wider", ("depth",)),
            Capability("URL path", "left out", "wider", ("path",)),
            Capability("address", "where a client asks for it as such", "narrower", ("address",)),
            Capability(
                "IPv4 network", "by whole octets, `10.1.*`; names that begin so are meant, too", "wider", ("address",)
            ),
            Capability("IPv6", "left out", "narrower", ("family",), ("wininet-ipv6",)),
            Capability("ports", "an entry for each, `h:443`", "exact", (), ("wininet-ports",)),
            Capability("more than 64 ports", "any port", "wider", ("ports",)),
            Capability("`except`", "left out", "wider", ("except",)),
        ),
        limits=(
            Limit("length", "a remark above 2000 characters", "proxy-bypass.md, section 3 (no limit is documented)"),
            Limit("characters", "letters, digits, `*.:[]<>-`", "proxy-bypass.md, section 3"),
        ),
        assumptions=(
            Assumption(
                "wininet-ports",
                "`h:443` also matches where the URL does not spell the port, and `*.x:443` does the same below `x`.",
                "proxy-bypass.md, section 3: that `h:8080` holds the port was measured, the rest was not",
            ),
            Assumption("wininet-ipv6", "There is no sure way to say an IPv6 address.", "proxy-bypass.md, section 9"),
        ),
    ),
    lists=BYPASS_ONLY,
    forms=("powershell", "registry", "plain"),
    file_name=lambda options: {"powershell": "wininet.ps1", "registry": "wininet.reg"}.get(options.form, "wininet.txt"),
    dialects=lambda _options: (Dialect("", _ABILITIES),),
    render=_render,
    spell=lambda line, _options: _spelled(line),
    read=_read,
    problems=lambda model: bad_entries(model.lines),
    remarks=lambda model: length_remark(model.lines),
)
