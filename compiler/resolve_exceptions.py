"""What the ``except`` of a list takes away: everything, or nothing at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.addresses import ALL, EMPTY, AddressSet, union_of
from egressc.host_index import HostIndex
from egressc.hosts import covered
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint, TemplateEndpoint
from egressc.resolve_entries import identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.resolve_entries import AnyEndpoint


def removes_everything(endpoints: Iterable[AnyEndpoint], exceptions: Iterable[AnyEndpoint]) -> bool:
    """True if no endpoint is left, whatever the parameters are filled with and whatever a service tag holds."""
    removed = _Removed(tuple(exceptions))
    return all(removed.covers(endpoint) for endpoint in endpoints)


def removing_nothing(endpoints: Iterable[AnyEndpoint], exceptions: Iterable[AnyEndpoint]) -> frozenset[AnyEndpoint]:
    """The exceptions that share no flow with any endpoint, whatever parameters and tags turn out to be."""
    held = tuple(endpoints)
    hosts = [e for e in held if isinstance(e, HostEndpoint)]
    index: HostIndex[HostEndpoint] | None = None
    known = union_of(e.addresses for e in held if isinstance(e, AddressEndpoint))
    # A name may resolve to any address, so only an exception of the same kind as all endpoints can miss them.
    only_hosts = len(hosts) == len(held)
    only_addresses = all(isinstance(e, AddressEndpoint) for e in held)
    idle: list[AnyEndpoint] = []
    for exception in exceptions:
        match exception:
            case HostEndpoint(pattern, path) if only_hosts:
                index = index or HostIndex((e.pattern, e) for e in hosts)
                if not any(_is_below(e.path, path) or _is_below(path, e.path) for e in index.intersecting(pattern)):
                    idle.append(exception)
            case AddressEndpoint(addresses) if only_addresses:
                if not known.overlaps(addresses):
                    idle.append(exception)
            case _:
                pass
    return frozenset(idle)


class _Removed:
    """The exceptions of one list, ready to be asked about many endpoints."""

    def __init__(self, exceptions: tuple[AnyEndpoint, ...]) -> None:
        hosts = [e for e in exceptions if isinstance(e, HostEndpoint)]
        self._hosts = HostIndex((e.pattern, e) for e in hosts)
        self._same = {identity(e) for e in exceptions}
        self._addresses: AddressSet = union_of(e.addresses for e in exceptions if isinstance(e, AddressEndpoint))
        if any(isinstance(e, AnyAddressEndpoint) for e in exceptions):
            self._addresses = ALL

    def covers(self, endpoint: AnyEndpoint) -> bool:
        if self._addresses == ALL or identity(endpoint) in self._same:
            return True
        match endpoint:
            case HostEndpoint(pattern, path):
                near = [e.pattern for e in self._hosts.intersecting(pattern) if _is_below(path, e.path)]
                return bool(near) and covered(pattern, near)
            case AddressEndpoint(addresses):
                return addresses.difference(self._addresses) == EMPTY
            case AnyAddressEndpoint() | TagEndpoint() | TemplateEndpoint():
                return False


def _is_below(path: str | None, prefix: str | None) -> bool:
    """True if a prefix (``None``: every path) takes in all that a path prefix takes in."""
    return prefix is None or (path is not None and (path == prefix or path.startswith(f"{prefix}/")))
