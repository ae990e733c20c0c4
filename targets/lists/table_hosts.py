"""Host names and addresses, one on a line, to be pasted where something else asks for them. It is no ``/etc/hosts``.

Hosts and addresses are spelled as in the language; ``*`` is whatever is asked for. There are no comments, ports or
paths: where these matter take ``csv`` or ``json``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.exports import Abilities, Addresses, Dialect, Inner, ReadEntry, ReadList, Shape
from egressc.exports_read import by_address, by_name, everything, host_of
from egressc.meaning import UnreadableError
from egressc.targets.list_protocol import BOTH, ListFormat
from egressc.targets.lists.lines import joined_lines, network, written
from egressc.targets.protocol import Capabilities, Capability

if TYPE_CHECKING:
    from egressc.exports import Line
    from egressc.targets.list_protocol import ListOptions

_ABILITIES = Abilities(inner=Inner.EXACT, v4=Addresses.RANGES, v6=Addresses.RANGES)


def _spelled(line: Line) -> list[str]:
    if line.addresses is not None:
        return [line.addresses.text]
    assert line.pattern is not None
    return [line.domain, f"*.{line.domain}"] if line.shape is Shape.DOMAIN else [line.pattern.text]


def _read(text: str, _options: ListOptions, _dialect: str) -> ReadList:
    entries: list[ReadEntry] = []
    for number, line in written(text):
        word = line.partition("#")[0].strip()
        if not word:
            continue
        if word == "*":
            entries += everything(word, number)
        elif (held := network(word)) is not None:
            entries.append(by_address(held, word, number))
        elif (pattern := host_of(word)) is not None:
            entries.append(by_name((pattern,), word, number))
        else:
            raise UnreadableError(f"`{word[:80]}` is neither a host nor addresses", line=number)
    return ReadList(tuple(entries))


FORMAT = ListFormat(
    name="hosts",
    capabilities=Capabilities(
        title="Plain list of hosts and addresses",
        rows=(
            Capability("exact host", "a line", "exact"),
            Capability("`*.x`", "a line", "exact"),
            Capability("`x` with `*.x`", "two lines", "exact"),
            Capability("inner `*`, `*` inside a label", "a line in the language's spelling", "exact"),
            Capability("URL path", "the whole host", "wider", ("path",)),
            Capability("address, CIDR, range", "a line", "exact"),
            Capability("ports", "none", "wider", ("ports",)),
            Capability("`except`", "none", "wider", ("except",)),
            Capability("any-address", "`*`", "exact"),
        ),
        limits=(),
        assumptions=(),
    ),
    lists=BOTH,
    forms=("hosts",),
    file_name=lambda _options: "hosts.txt",
    dialects=lambda _options: (Dialect("", _ABILITIES),),
    render=lambda model: joined_lines(model, _spelled),
    spell=lambda line, _options: " ".join(_spelled(line)),
    read=_read,
)
