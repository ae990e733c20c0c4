"""What of some destinations lies within others: exactly, or not at all.

Destinations are compared as a client asks for them: names with names, addresses with addresses (service tags among
them), and ``any-address`` with everything. Whether a name resolves to an address of the other side is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.addresses import EMPTY, AddressSet, union_of
from egressc.host_index import HostIndex
from egressc.hosts_common import common
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from egressc.policy import Endpoint


@dataclass(frozen=True, slots=True)
class Unsaid:
    """Two endpoints whose common part cannot be said; ``why`` in words."""

    endpoint: Endpoint
    other: Endpoint
    why: str


@dataclass(frozen=True, slots=True)
class Cut:
    """What lies within, each once; and the pairs of which that cannot be said, which are in no endpoint here."""

    endpoints: tuple[Endpoint, ...]
    unsaid: tuple[Unsaid, ...] = ()


class Within:
    """Destinations that others are cut to. ``tags`` holds the addresses of service tags by their name in lower case."""

    def __init__(self, endpoints: Iterable[Endpoint], tags: Mapping[str, AddressSet]) -> None:
        self._endpoints = tuple(dict.fromkeys(endpoints))
        hosts = [e for e in self._endpoints if isinstance(e, HostEndpoint)]
        self._hosts: HostIndex[HostEndpoint] = HostIndex((e.pattern, e) for e in hosts)
        self._addresses = union_of(e.addresses for e in self._endpoints if isinstance(e, AddressEndpoint))
        self._tags = [e for e in self._endpoints if isinstance(e, TagEndpoint)]
        self._published = tags
        known = [tags[e.name.lower()] for e in self._tags if e.name.lower() in tags]
        self._known = union_of([self._addresses, *known])
        self._opaque = [e for e in self._tags if e.name.lower() not in tags]
        self._is_all = any(isinstance(e, AnyAddressEndpoint) for e in self._endpoints)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """The destinations themselves."""
        return self._endpoints

    def cut(self, endpoints: Iterable[Endpoint], *, paths: bool) -> Cut:
        """What of the endpoints lies within. Without ``paths``, one that has none cannot be cut to a path."""
        kept: dict[Endpoint, None] = {}
        unsaid: list[Unsaid] = []
        for endpoint in endpoints:
            if self._is_all:
                kept[endpoint] = None
                continue
            match endpoint:
                case HostEndpoint():
                    kept.update(dict.fromkeys(self._host(endpoint, unsaid, paths=paths)))
                case AddressEndpoint(addresses):
                    kept.update(dict.fromkeys(self._address(endpoint, addresses, unsaid)))
                case TagEndpoint():
                    kept.update(dict.fromkeys(self._tag(endpoint, unsaid)))
                case AnyAddressEndpoint():
                    kept.update(dict.fromkeys(self._everything(endpoint, unsaid, paths=paths)))
        return Cut(tuple(kept), tuple(unsaid))

    def _host(self, endpoint: HostEndpoint, unsaid: list[Unsaid], *, paths: bool) -> Iterator[Endpoint]:
        near = self._hosts.intersecting(endpoint.pattern)
        for other in near:
            if not (_below(endpoint.path, other.path) or _below(other.path, endpoint.path)):
                continue
            path = endpoint.path if _below(endpoint.path, other.path) else other.path
            patterns = common(endpoint.pattern, other.pattern)
            if patterns is None:
                unsaid.append(Unsaid(endpoint, other, "no pattern says which names both match"))
            elif path is not None and endpoint.path is None and not paths:
                unsaid.append(Unsaid(endpoint, other, "a path is seen on `http` and `https` ports only"))
            else:
                for pattern in patterns:
                    yield (
                        endpoint
                        if (pattern, path) == (endpoint.pattern, endpoint.path)
                        else HostEndpoint(pattern, path)
                    )

    def _everything(self, endpoint: Endpoint, unsaid: list[Unsaid], *, paths: bool) -> Iterator[Endpoint]:
        for other in self._endpoints:
            if isinstance(other, HostEndpoint) and other.path is not None and not paths:
                unsaid.append(Unsaid(endpoint, other, "a path is seen on `http` and `https` ports only"))
            else:
                yield other

    def _address(self, endpoint: Endpoint, addresses: AddressSet, unsaid: list[Unsaid]) -> Iterator[Endpoint]:
        left = addresses.intersection(self._known)
        if left == addresses:
            yield endpoint
            return
        if not left.is_empty:
            yield AddressEndpoint(left)
        unsaid.extend(Unsaid(endpoint, tag, _OPAQUE) for tag in self._opaque)

    def _tag(self, endpoint: TagEndpoint, unsaid: list[Unsaid]) -> Iterator[Endpoint]:
        if any(tag.name.lower() == endpoint.name.lower() for tag in self._tags):
            yield endpoint
            return
        held = self._published.get(endpoint.name.lower())
        if held is not None and not held.is_empty and self._known.contains(held):
            yield endpoint
            return
        if held is None:
            unsaid.extend(Unsaid(endpoint, tag, _OPAQUE) for tag in self._tags)
            if not self._addresses.is_empty:
                unsaid.append(Unsaid(endpoint, AddressEndpoint(self._addresses), _OPAQUE))
            return
        said = EMPTY
        for tag in self._tags:
            inner = self._published.get(tag.name.lower())
            if inner is None:
                unsaid.append(Unsaid(endpoint, tag, _OPAQUE))
            elif not inner.is_empty and held.contains(inner):
                said = said.union(inner)
                yield tag
        left = held.intersection(self._known).difference(said)
        if not left.is_empty:
            yield AddressEndpoint(left)


_OPAQUE = "without Azure's file (`service-tags`) nobody knows which addresses they share"


def _below(path: str | None, prefix: str | None) -> bool:
    """True if every path that ``path`` stands for is one that ``prefix`` stands for; ``None`` is any."""
    return prefix is None or (path is not None and (path == prefix or path.startswith(prefix + "/")))
