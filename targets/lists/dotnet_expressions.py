r"""Regular expressions for hosts, addresses and ports, and what egressc's own ones mean.

They are compared with ``https://host`` or ``https://host:8443``. No part can match in many ways, so none takes long:
``([^/:]+\.)+``, where the class holds the dot as well, would take time exponential in the labels of a name.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from egressc import ranges
from egressc.addresses import AddressSet, parse_addresses
from egressc.exports import ANY_NAME, ANY_PORT, Shape
from egressc.exports_read import host_of
from egressc.hosts import HostPattern

if TYPE_CHECKING:
    from egressc.exports import Line
    from egressc.ranges import Ranges

_LABELS = r"([^/:.]+\.)+"
_LABELS_OR_NONE = r"([^/:.]+\.)*"
_RUN = "[^/:.]*"
_EVERYTHING = r"([^/:]+|\[[^/\]]+\])"
_ANY_PORT = r"(:\d+)?$"
_OWN_PORTS = ((80, "http"), (443, "https"))


def expression(line: Line) -> str:
    """The expression of a line."""
    out = tuple([each.pattern for each in line.exceptions])
    if line.addresses is not None:
        return _whole(_network(line.addresses), line.ports, out)
    assert line.pattern is not None
    return _whole(_host(line.pattern, with_base=line.shape is Shape.DOMAIN), line.ports, out)


def _whole(host: str, ports: Ranges, out: tuple[HostPattern, ...]) -> str:
    without = f"(?!https?://({'|'.join([_host(each) for each in out])})(:|$))" if out else ""
    if ports == ANY_PORT:
        return f"^{without}https?://{host}{_ANY_PORT}"
    own = [scheme for port, scheme in _OWN_PORTS if ranges.contain(ports, ((port, port),))]
    kinds = ["https?"] if len(own) == len(_OWN_PORTS) else own
    spelled = "|".join([each for first, last in ports for each in numbers(first, last)])
    spelled = f"({spelled})" if "|" in spelled else spelled
    return f"^{without}({'|'.join([*(f'{kind}://{host}' for kind in kinds), f'https?://{host}:{spelled}'])})$"


def _host(pattern: HostPattern, *, with_base: bool = False) -> str:
    if pattern == ANY_NAME:
        return _EVERYTHING
    lead = "" if not pattern.deep else _LABELS_OR_NONE if with_base else _LABELS
    return lead + r"\.".join([label.replace("*", _RUN) for label in pattern.labels])


def _network(network: AddressSet) -> str:
    """A network of IPv4: octet by octet, as a prefix leaves each of them a range of its own."""
    ((first, last),) = network.v4
    parts = [[*numbers(first >> shift & 255, last >> shift & 255)] for shift in (24, 16, 8, 0)]
    return r"\.".join([each[0] if len(each) == 1 else f"({'|'.join(each)})" for each in parts])


def numbers(first: int, last: int) -> list[str]:
    """Expressions that match the decimal numbers from the first to the last, both included, and nothing else."""
    found = []
    for length in range(len(str(first)), len(str(last)) + 1):
        low = max(first, 10 ** (length - 1) if length > 1 else 0)
        high = min(last, 10**length - 1)
        found += _alike(str(low), str(high))
    return found


def _alike(low: str, high: str) -> list[str]:
    """The same for numbers of as many digits."""
    if not low:
        return [""]
    if low[0] == high[0]:
        return [low[0] + each for each in _alike(low[1:], high[1:])]
    zeros, nines = "0" * (len(low) - 1), "9" * (len(low) - 1)
    start, end = int(low[0]), int(high[0])
    before: list[str] = []
    behind: list[str] = []
    if low[1:] != zeros:
        before = [low[0] + each for each in _alike(low[1:], nines)]
        start += 1
    if high[1:] != nines:
        behind = [high[0] + each for each in _alike(zeros, high[1:])]
        end -= 1
    between = [_digits(start, end) + "[0-9]" * len(zeros)] if start <= end else []
    return before + between + behind


def _digits(first: int, last: int) -> str:
    return str(first) if first == last else f"[{first}-{last}]"


class Meaning(NamedTuple):
    """What an expression of egressc matches: patterns, or addresses, on ports; less the hosts of ``out``."""

    patterns: tuple[HostPattern, ...]
    addresses: AddressSet | None
    ports: Ranges
    out: tuple[HostPattern, ...]


_FORM = re.compile(r"\^(?:\(\?!https\?://\((?P<out>.*?)\)\(:\|\$\)\))?(?P<rest>.*)\$")
_PART = re.compile(r"(?:https\?|https|http)://(?P<host>.*?)(?::(?P<port>[0-9\[][0-9\[\]-]*|\([0-9\[\]|-]+\)))?")


def meaning(text: str) -> Meaning | None:
    """What an expression matches, if egressc would write just this one for that; else ``None``."""
    found = _FORM.fullmatch(text)
    if found is None:
        return None
    out = tuple([_pattern(each) for each in (found["out"] or "").split("|")]) if found["out"] else ()
    if any(each is None for each in out):
        return None
    left_out = tuple([each for each in out if each is not None])
    rest = found["rest"]
    if rest.endswith(_ANY_PORT[:-1]):
        host, ports = rest.removesuffix(_ANY_PORT[:-1]).removeprefix("https?://"), ANY_PORT
    elif rest.startswith("(") and rest.endswith(")"):
        last = _PART.fullmatch(re.split(r"\|(?=https?\??://)", rest[1:-1])[-1])
        if last is None or last["port"] is None:
            return None
        host, ports = last["host"], _ports(last["port"])
    else:
        return None
    base = host.startswith(_LABELS_OR_NONE)
    pattern = _pattern(host)
    held = _addresses(host) if pattern is None else None
    if (pattern is None and held is None) or not ports:
        return None
    again = _whole(_host(pattern, with_base=base) if pattern is not None else _network_of(held), ports, left_out)
    if again != text:
        return None
    if pattern is None:
        return Meaning((), held, ports, left_out)
    patterns = (HostPattern(pattern.labels), pattern) if base else (pattern,)
    return Meaning(patterns, None, ports, left_out)


def _pattern(text: str) -> HostPattern | None:
    """The pattern that an expression for a host was made of."""
    if text == _EVERYTHING:
        return ANY_NAME
    deep = text.startswith((_LABELS, _LABELS_OR_NONE))
    bare = text.removeprefix(_LABELS).removeprefix(_LABELS_OR_NONE).replace(_RUN, "*").replace(r"\.", ".")
    return host_of(f"*.{bare}" if deep else bare)


def _ports(text: str) -> Ranges:
    """The ports that an expression stands for; none where it is not one of numbers."""
    found = _values(text)
    return ranges.merged((each, each) for each in found if 0 < each < 65536)


def _values(text: str) -> list[int]:
    """The numbers that an expression of digits and classes of digits matches; none for any other expression."""
    found: list[int] = []
    for each in text.removeprefix("(").removesuffix(")").split("|"):
        parts = re.findall(r"[0-9]|\[[0-9]-[0-9]\]", each)
        if "".join(parts) != each or not 0 < len(parts) < 6:
            return []
        choices = [[p] if len(p) == 1 else [str(n) for n in range(int(p[1]), int(p[3]) + 1)] for p in parts]
        found += [int("".join(digits)) for digits in product(*choices)]
    return found


def _addresses(text: str) -> AddressSet | None:
    """The network that an expression of four octets stands for."""
    octets = [_values(each) for each in text.split(r"\.")]
    if len(octets) != 4 or not all(octets):
        return None
    first = ".".join(str(min(each)) for each in octets)
    last = ".".join(str(max(each)) for each in octets)
    found = parse_addresses(first if first == last else f"{first}-{last}")
    return found if isinstance(found, AddressSet) else None


def _network_of(held: AddressSet | None) -> str:
    return _network(held) if held is not None else ""
