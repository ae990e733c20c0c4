"""The .NET Framework: ``system.net/defaultProxy`` of one program's ``.exe.config``.

An entry of ``bypasslist`` is a regular expression, searched without regard to case in ``scheme://host``, with ``:port``
where it is not the scheme's own (Reference Source, System.Net.WebProxy, IsMatchInBypassList; targets/proxy-bypass.md,
section 4). So each is anchored at both ends. One that does not compile would silently disable the whole list
(UpdateRegExList): they are made here of a few parts alone, and ``dotnet_read`` takes nothing else for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from egressc.exports import Abilities, Addresses, Dialect, Inner, Ports
from egressc.targets.list_protocol import BYPASS_ONLY, ListFormat
from egressc.targets.lists.dotnet_expressions import expression
from egressc.targets.lists.dotnet_read import read_config
from egressc.targets.protocol import Assumption, Capabilities, Capability, Limit

if TYPE_CHECKING:
    from egressc.targets.list_protocol import ListModel, ListOptions

_ABILITIES = Abilities(inner=Inner.EXACT, ports=Ports.RANGES, exceptions=True, v4=Addresses.NETWORKS)
_DISABLED = Abilities(whole=True)


def comment(text: str) -> str:
    """An XML comment of plain words: two hyphens side by side would end it."""
    return f"<!-- {text.replace('--', '- -').rstrip('-')} -->"


def _dialects(options: ListOptions) -> tuple[Dialect, ...]:
    return (Dialect("", _DISABLED if options.form == "disabled" else _ABILITIES),)


def _render(model: ListModel) -> str:
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        comment(f"{model.title}. Written by egressc: change the policy, not this file."),
        comment("Put `system.net` into the .exe.config of the program, and restart it."),
        "<configuration>",
        "  <system.net>",
        *(f"    {line}" for line in (_disabled if model.options.form == "disabled" else _default_proxy)(model)),
        "  </system.net>",
        "</configuration>",
    ]
    return "".join(f"{line}\n" for line in lines)


def _disabled(model: ListModel) -> list[str]:
    if not model.lines:
        return [comment("Nothing is to go directly: the system's proxy stays."), '<defaultProxy enabled="true" />']
    return [comment("No proxy at all: everything goes directly."), '<defaultProxy enabled="false" />']


def _default_proxy(model: ListModel) -> list[str]:
    proxy = model.options.proxy
    assert proxy is not None
    address = quoteattr(f"http://{proxy.text}")
    lines = [
        '<defaultProxy enabled="true">',
        f'  <proxy proxyaddress={address} bypassonlocal="False" usesystemdefault="False" />',
        "  <bypasslist>",
    ]
    for line in model.lines:
        lines.append(f"    {comment(' '.join(rule.identity for rule in line.rules))}")
        lines.append(f"    <add address={quoteattr(expression(line))} />")
    return [*lines, "  </bypasslist>", "</defaultProxy>"]


FORMAT = ListFormat(
    name="dotnet",
    capabilities=Capabilities(
        title=".NET Framework bypasslist",
        rows=(
            Capability("exact host", "an anchored expression", "exact"),
            Capability("`*.x`", "the same", "exact"),
            Capability("`x` with `*.x`", "one expression", "exact"),
            Capability("inner `*`, `*` inside a label", "the same", "exact"),
            Capability("URL path", "left out: only host and port are compared", "wider", ("path",)),
            Capability("address, IPv4 network", "where a client asks for it as such", "narrower", ("address",)),
            Capability("IPv6", "left out", "narrower", ("family",), ("dotnet-ipv6",)),
            Capability("ports", "in the expression, with the scheme's own port", "exact"),
            Capability("`except`", "a negative lookahead", "exact"),
            Capability("any of it with `--form disabled`", "everything goes directly", "wider", ("except",)),
        ),
        limits=(
            Limit(
                "an invalid expression",
                "disables the whole list silently",
                "Reference Source, System.Net.WebProxy, UpdateRegExList",
            ),
        ),
        assumptions=(
            Assumption(
                "dotnet-regex",
                "What Python's `re` matches of these expressions, .NET matches, too.",
                "not tried: there was no .NET Framework; the expressions hold only what both document alike",
            ),
            Assumption(
                "dotnet-ipv6",
                "Versions of .NET spell an IPv6 address in a URL differently, so it is not said.",
                "proxy-bypass.md, section 9",
            ),
        ),
    ),
    lists=BYPASS_ONLY,
    forms=("config", "disabled"),
    file_name=lambda options: "disabled.config" if options.form == "disabled" else "bypass.config",
    dialects=_dialects,
    render=_render,
    spell=lambda line, options: 'enabled="false"' if options.form == "disabled" else expression(line),
    read=lambda text, _options, _dialect: read_config(text),
    needs_proxy=frozenset({"config"}),
)
