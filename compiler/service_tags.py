"""Azure's published service tags: reads the file that Microsoft publishes each week.

The form is that of "Azure IP Ranges and Service Tags" (Microsoft Download Center, id 56519 for the public cloud):
``{"changeNumber": 1, "cloud": "Public", "values": [{"name": "AzureMonitor", "id": "AzureMonitor", "properties":
{"changeNumber": 1, "region": "", …, "addressPrefixes": ["13.66.60.119/32", …]}}]}``.
"""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from egressc.addresses import AddressSet, union_of
from egressc.diagnostics import Diagnostic
from egressc.inventory import ServiceTags

if TYPE_CHECKING:
    from collections.abc import Callable

    from egressc.located_value import Located


class ServiceTagError(Exception):
    """The file is not what Azure publishes; the text says where and why."""


@dataclass(frozen=True, slots=True)
class _Tag:
    """A tag as it is published: its name, and its prefixes as ranges."""

    name: str
    v4: tuple[tuple[int, int], ...]
    v6: tuple[tuple[int, int], ...]


class TagAddresses(Mapping[str, AddressSet]):
    """The addresses of tags by name, without regard to letter case. A set is merged when it is first asked for."""

    __slots__ = ("_merged", "_tags")

    def __init__(self, tags: Mapping[str, _Tag]) -> None:
        """``tags`` is keyed by folded name."""
        self._tags = tags
        self._merged: dict[str, AddressSet] = {}

    def __getitem__(self, name: str) -> AddressSet:
        key = name.casefold()
        known = self._merged.get(key)
        if known is None:
            tag = self._tags[key]
            singles = [AddressSet(v4=(r,)) for r in tag.v4] + [AddressSet(v6=(r,)) for r in tag.v6]
            known = self._merged[key] = union_of(singles)
        return known

    def __iter__(self) -> Iterator[str]:
        return (tag.name for tag in self._tags.values())

    def __len__(self) -> int:
        return len(self._tags)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.casefold() in self._tags

    def spelling(self, name: str) -> str | None:
        """The name as Azure spells it, or ``None`` if it publishes no such tag."""
        tag = self._tags.get(name.casefold())
        return None if tag is None else tag.name


def load_service_tags(node: Located, read_file: Callable[[str], bytes], report: list[Diagnostic]) -> ServiceTags | None:
    """The tags of the file that ``node`` names; ``None``, and what is wrong in ``report``, if it cannot be used.

    ``read_file`` takes the path as written in the inventory; it may raise ``OSError`` or ``ValueError``.
    """
    path = node.value
    if not isinstance(path, str) or not path:
        return None
    try:
        data = read_file(path)
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or "not a usable path").lower()
        message = f"`{path}` cannot be read: {why}"
        help_text = "the path is relative to the inventory"
        report.append(Diagnostic(code="E0433", message=message, span=node.span, help=help_text))
        return None
    try:
        return read_service_tags(data)
    except ServiceTagError as error:
        report.append(
            Diagnostic(
                code="E0434",
                message=f"`{path}` is not a service tag file: {error}",
                span=node.span,
                help="download the JSON file `Azure IP Ranges and Service Tags` of your cloud from Microsoft",
            )
        )
        return None


def read_service_tags(data: bytes) -> ServiceTags:
    """The tags in the bytes of a published file. Raises ``ServiceTagError`` if it has another form."""
    content = _json(data)
    number, cloud = content.get("changeNumber"), content.get("cloud")
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ServiceTagError(
            "`changeNumber` is not a number" if "changeNumber" in content else "it has no `changeNumber`"
        )
    if not isinstance(cloud, str):
        raise ServiceTagError("`cloud` is not text" if "cloud" in content else "it has no `cloud`")
    tags: dict[str, _Tag] = {}
    for i, value in enumerate(_list(content, "values", "")):
        tag = _tag(value, f"values[{i}]")
        if tag.name.casefold() in tags:
            raise ServiceTagError(f"tag `{tag.name}` stands twice in it")
        tags[tag.name.casefold()] = tag
    if not tags:
        raise ServiceTagError("it holds no tag")
    return ServiceTags(
        change_number=number, digest=hashlib.sha256(data).hexdigest(), cloud=cloud, tags=TagAddresses(tags)
    )


def _json(data: bytes) -> dict[str, Any]:
    try:
        content = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object)
    except UnicodeDecodeError:
        raise ServiceTagError("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ServiceTagError(f"it is not JSON (line {error.lineno}, column {error.colno})") from None
    except (RecursionError, ValueError):
        raise ServiceTagError("it is not JSON that can be read") from None
    if not isinstance(content, dict):
        raise ServiceTagError("it does not hold a JSON object")
    return content


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        again = next(key for at, key in enumerate(keys) if key in keys[:at])
        raise ServiceTagError(f"`{again}` stands twice in one object")
    return found


def _list(holder: Mapping[str, Any], key: str, where: str) -> list[Any]:
    value = holder.get(key)
    if not isinstance(value, list):
        raise ServiceTagError(f"`{where}{key}` is not a list" if key in holder else f"it has no `{where}{key}`")
    return value


def _tag(value: object, where: str) -> _Tag:
    name = value.get("name") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(name, str) or not name:
        raise ServiceTagError(f"`{where}` has no `name`")
    properties = value.get("properties")
    if not isinstance(properties, dict):
        raise ServiceTagError(f"`{where}` has no `properties`")
    ranges: dict[int, list[tuple[int, int]]] = {32: [], 128: []}
    for i, prefix in enumerate(_list(properties, "addressPrefixes", f"{where}.properties.")):
        bounds = _bounds(prefix) if isinstance(prefix, str) else None
        if bounds is None:
            shown = json.dumps(prefix)[:60]
            raise ServiceTagError(f"`{where}.properties.addressPrefixes[{i}]` is {shown}, not an address prefix")
        bits, first, last = bounds
        ranges[bits].append((first, last))
    return _Tag(name, tuple(ranges[32]), tuple(ranges[128]))


def _bounds(prefix: str) -> tuple[int, int, int] | None:
    """The width in bits, first and last address of a prefix; ``None`` if it is none, or has host bits.

    A file holds about a hundred thousand of them: this is the short way, for the one form that Azure writes.
    """
    address, slash, digits = prefix.partition("/")
    family, bits = (socket.AF_INET6, 128) if ":" in address else (socket.AF_INET, 32)
    if slash and not (digits.isascii() and digits.isdigit() and len(digits) <= 3):
        return None
    length = int(digits) if slash else bits
    try:
        first = int.from_bytes(socket.inet_pton(family, address), "big")
    except (OSError, ValueError):
        return None
    if length > bits or first & ((1 << (bits - length)) - 1):
        return None
    return bits, first, first | ((1 << (bits - length)) - 1)
