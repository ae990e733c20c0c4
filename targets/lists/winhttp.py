"""WinHTTP: the proxy of a machine's services, with the list of what goes directly.

Sources: learn.microsoft.com, "Netsh.exe and ProxyCfg.exe Proxy Configuration Tools" and WINHTTP_PROXY_INFO (wildcards
only leftmost; separators; ``<local>``); Set-WinhttpProxy (its parameters); targets/proxy-bypass.md, section 3.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.exports import ANY_PORT, Abilities, Addresses, Dialect, ReadEntry, ReadList, Refusal
from egressc.exports_read import by_address, by_name, everything, host_of
from egressc.hosts import HostPattern
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
    from collections.abc import Iterator, Sequence

    from egressc.targets.list_protocol import ListModel, ListOptions
    from egressc.targets.lists.windows_list import Word

COMMAND_LINE = 8191
"""The most characters of a line for cmd.exe (learn.microsoft.com, KB 830473)."""

_ABILITIES = Abilities(v4=Addresses.SINGLE)
_FILES = {"netsh": "winhttp.cmd", "powershell": "winhttp.ps1", "advproxy": "winhttp-advproxy.cmd"}
_NETSH = "netsh winhttp set proxy proxy-server="
_ADVANCED = "netsh winhttp set advproxy setting-scope=machine settings="
_CMDLET = "Set-WinhttpProxy -ProxyServer "


def _command(model: ListModel) -> str:
    value = listed(model.lines)
    proxy = model.options.proxy
    assert proxy is not None
    match model.options.form:
        case "powershell":
            return f"{_CMDLET}'{proxy.text}' -BypassList '{value}'"
        case "advproxy":
            settings = {"Proxy": proxy.text, "ProxyBypass": value, "AutoconfigUrl": "", "AutoDetect": False}
            return _ADVANCED + json.dumps(settings, separators=(",", ":"))
    return f'{_NETSH}"{proxy.text}" bypass-list="{value}"'


def _render(model: ListModel) -> str:
    mark, end = ("#", "\n") if model.options.form == "powershell" else ("rem", "\r\n")
    lines = [
        f"{mark} {model.title}. Written by egressc: change the policy, not this file.",
        f"{mark} For the whole machine; it takes an administrator.",
        *annotated(model.lines, mark),
        _command(model),
    ]
    return "".join(f"{line}{end}" for line in lines)


def _value(text: str) -> tuple[str, int]:
    """The list in a command of any of the forms, in what `netsh winhttp show proxy` says, or alone; and its line."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    whole = "\n".join(lines)
    if re.search(r"^\s*Bypass List\s*:", whole, re.MULTILINE):
        said, number = statement(lines, r"\s*Bypass List\s*:", "`Bypass List`")
        value: str | None = said.partition(":")[2].strip()
        return "" if value == "(none)" else value or "", number
    if not re.search(r"^\s*@?(netsh|Set-WinhttpProxy)\s", whole, re.MULTILINE | re.IGNORECASE):
        return whole, 1
    said, number = statement(lines, r"\s*(?!#|@?rem\b|@?echo\b|::)\S", "a command")
    quoted = r"[^'\"]+"
    for before, after in (
        (rf'@?{re.escape(_NETSH)}"{quoted}" bypass-list="', '"'),
        (rf"{re.escape(_NETSH)}'{quoted}' bypass-list='", "'"),
        (rf"{re.escape(_CMDLET)}'{quoted}' -BypassList '", "'"),
    ):
        value = written_by(before, after, said)
        if value is not None:
            return value, number
    if said.strip().lower().startswith(_ADVANCED.lower()):
        try:
            settings = json.loads(said.strip()[len(_ADVANCED) :])
            if isinstance(settings["ProxyBypass"], str):
                return settings["ProxyBypass"], number
        except (ValueError, KeyError, TypeError):
            pass
    raise UnreadableError("the bypass list of this command cannot be read", line=number)


def _read(text: str, _options: ListOptions, _dialect: str) -> ReadList:
    value, first = _value(text)
    entries: list[ReadEntry] = []
    remarks: list[str] = []
    for word in words_of(value, r";\s", first):
        where = f"line {word.line}: `{word.text}`"
        if "/" in word.text:
            raise UnreadableError(
                f"`{word.text}` holds a `/`: WinHTTP refuses a list with it as a whole", line=word.line
            )
        if word.text.lower() == "<local>":
            entries.append(local(word))
        elif word.text.lower() == "<-loopback>":
            remarks.append(f"{where} says nothing to WinHTTP: loopback goes direct all the same")
        elif word.text.startswith("."):
            remarks.append(f"{where} matches nothing: a leading dot is no wildcard, write `*{word.text}`")
        else:
            entries += _entry(word)
    return ReadList(tuple(entries), tuple(remarks))


def _entry(word: Word) -> Iterator[ReadEntry]:
    if word.text == "*":
        yield from everything(word.text, word.line)
        return
    found = address(word, ANY_PORT) or named(word, ANY_PORT)
    if "," in word.text:
        yield from anything(word, "WinHTTP separates entries by `;` or white space: what it makes of `,` nobody knows")
    elif word.text.count(":") > 1 or word.text.startswith("["):
        yield maybe_address(word, "nobody knows how WinHTTP compares IPv6 addresses")
    elif word.port is not None:
        if found is None:
            yield from anything(word, "this is neither a host nor an address")
        else:
            yield ReadEntry(found.reach, word.text, word.line, "nobody knows what WinHTTP makes of a port")
    elif found is not None:
        yield found
    else:
        yield from _wildcard(word)


def _wildcard(word: Word) -> Iterator[ReadEntry]:
    """A star at the very front stands for any text; a star elsewhere is documented not to be supported."""
    text = word.text.lower()
    pattern = host_of(text)
    if pattern is None or text.startswith("*.") or text.count("*") != 1 or not text.startswith("*"):
        yield from anything(word, "WinHTTP supports a wildcard only as the leftmost character")
        return
    ends = (HostPattern(pattern.labels), HostPattern(pattern.labels, deep=True))
    yield by_name(ends, word.text, word.line)
    if not re.search(r"[a-z_-]", text):
        yield by_address(ALL, word.text, word.line, doubt="a wildcard over parts of addresses is not followed")


def _problems(model: ListModel) -> Sequence[Refusal]:
    found = bad_entries(model.lines)
    length = max(map(len, _render(model).splitlines()))
    if model.options.form != "powershell" and length > COMMAND_LINE:
        found.append(
            Refusal(
                f"a line of the file has {length} characters, and cmd.exe takes {COMMAND_LINE} on a line",
                "export it with `--form powershell`, or use a PAC file",
            )
        )
    return found


def _remarks(model: ListModel) -> Sequence[str]:
    untried = (
        "nobody could try `netsh winhttp set advproxy` with these settings: look at `netsh winhttp show advproxy`",
    )
    return (*length_remark(model.lines), *(untried if model.options.form == "advproxy" else ()))


FORMAT = ListFormat(
    name="winhttp",
    capabilities=Capabilities(
        title="WinHTTP bypass list",
        rows=(
            Capability("exact host", "`h`", "exact"),
            Capability("`*.x`", "`*.x`", "exact"),
            Capability("`x` with `*.x`", "two entries", "exact"),
            Capability("inner `*`, `*` inside a label", "`*.` and what follows it", "wider", ("label-wildcard",)),
            Capability("URL path", "left out", "wider", ("path",)),
            Capability("address", "where a client asks for it as such", "narrower", ("address",)),
            Capability("IPv4 network", "address by address up to 16", "narrower", ("address",)),
            Capability("IPv6", "left out", "narrower", ("family",), ("winhttp-ipv6",)),
            Capability("ports", "any port", "wider", ("ports",), ("winhttp-ports",)),
            Capability("`except`", "left out", "wider", ("except",)),
        ),
        limits=(
            Limit("command line", "8191 characters in cmd.exe", "learn.microsoft.com, KB 830473"),
            Limit("length", "a remark above 2000 characters", "proxy-bypass.md, section 3 (no limit is documented)"),
            Limit("wildcards", "only the leftmost character", "learn.microsoft.com, Netsh.exe and ProxyCfg.exe"),
        ),
        assumptions=(
            Assumption(
                "winhttp-ports",
                "An entry without a port holds for every port; one with a port is never written.",
                "proxy-bypass.md, section 3: what WinHTTP makes of `h:443` nobody tried",
            ),
            Assumption("winhttp-ipv6", "There is no sure way to say an IPv6 address.", "proxy-bypass.md, section 9"),
            Assumption(
                "winhttp-advproxy",
                "`netsh winhttp set advproxy` takes its settings as JSON with these names.",
                "proxy-bypass.md, section 3: the names are documented, the form is not",
            ),
            Assumption(
                "winhttp-cmdlet",
                "`Set-WinhttpProxy -ProxyServer … -BypassList …` does what `netsh winhttp set proxy` does.",
                "learn.microsoft.com, Set-WinhttpProxy, which gives the parameters and no example",
            ),
        ),
    ),
    lists=BYPASS_ONLY,
    forms=("netsh", "powershell", "advproxy"),
    file_name=lambda options: _FILES[options.form],
    dialects=lambda _options: (Dialect("", _ABILITIES),),
    render=_render,
    spell=lambda line, _options: ";".join(entries_of(line)),
    read=_read,
    needs_proxy=frozenset(_FILES),
    problems=_problems,
    remarks=_remarks,
)
