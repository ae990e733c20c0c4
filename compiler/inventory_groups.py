"""The groups of an inventory: from located values to the model, and what is wrong with them.

The schema has been checked before; a part that does not fit it is passed over in silence here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.addresses import AddressSet, parse_addresses, union_of
from egressc.diagnostics import Diagnostic
from egressc.inventory import Group
from egressc.inventory_names import check_name, diagnostic_of, resolved, unknown
from egressc.inventory_proxy import check_way, load_proxy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egressc.located_value import Located
    from egressc.source import Span

_OWN = ("networks", "parameters", "features", "objects", "proxy")
"""What a union cannot have."""


@dataclass(frozen=True, slots=True)
class Network:
    """One entry of a list of networks, and its place."""

    addresses: AddressSet
    span: Span


@dataclass(frozen=True, slots=True)
class LoadedGroups:
    """The groups, and for each the single networks, which messages about shared addresses point at."""

    groups: tuple[Group, ...]
    networks: Mapping[str, tuple[Network, ...]]


def load_groups(node: Located | None, known_targets: Sequence[str], report: list[Diagnostic]) -> LoadedGroups:
    """The groups under ``groups``, in the order of the file."""
    entries = node.entries() if node is not None else ()
    defined = {name: None for name, _ in entries}
    groups = []
    networks: dict[str, tuple[Network, ...]] = {}
    members: dict[str, list[tuple[str, Span]]] = {}
    for name, entry in entries:
        span = entry.key_span or entry.span
        check_name(name, span, report)
        if entry.get("members") is not None:
            _check_union(name, entry, report)
            members[name] = resolved(entry.at(["members"]).elements(), defined, name, report)
        found = networks[name] = load_networks(entry.get("networks"), report)
        group = _group(name, span, entry, found, members.get(name, []), known_targets, report)
        check_way(name, group.networks, group.proxy, report)
        groups.append(group)
    _check_cycles(members, report)
    return LoadedGroups(tuple(groups), networks)


def load_networks(node: Located | None, report: list[Diagnostic]) -> tuple[Network, ...]:
    """The networks of a list that can be read."""
    found = []
    for element in node.elements() if node is not None else ():
        if not isinstance(element.value, str):
            continue
        parsed = parse_addresses(element.value)
        if isinstance(parsed, AddressSet):
            found.append(Network(parsed, element.span))
        else:
            report.append(diagnostic_of(parsed, element.span, element.part(parsed.start, parsed.end)))
    return tuple(found)


def texts_of(node: Located | None) -> tuple[tuple[str, Span], ...]:
    """The texts of one value or a list, with their places; numbers as they are written."""
    if node is None:
        return ()
    items = node.elements() if isinstance(node.value, list) else (node,)
    return tuple(
        (str(item.value), item.span) for item in items if isinstance(item.value, (str, int)) and item.value is not True
    )


def _group(
    name: str,
    span: Span,
    entry: Located,
    networks: tuple[Network, ...],
    members: list[tuple[str, Span]],
    known_targets: Sequence[str],
    report: list[Diagnostic],
) -> Group:
    description = entry.get("description")
    parameters = _entries(entry, "parameters")
    features = entry.get("features")
    objects = _entries(entry, "objects")
    for parameter, node in parameters:
        check_name(parameter, node.key_span or node.span, report)
    listed = tuple(
        (str(f.value), f.span) for f in (features.elements() if features else ()) if isinstance(f.value, str)
    )
    for feature, place in listed:
        check_name(feature, place, report)
    for target, node in objects:
        if target not in known_targets:
            message = f"no target is called `{target}`"
            place = node.key_span or node.span
            report.append(unknown("E0429", message, place, target, known_targets, "the targets are"))
    values = [texts_of(node) for _, node in parameters]
    return Group(
        name=name,
        span=span,
        description=description.value if description and isinstance(description.value, str) else "",
        networks=union_of(n.addresses for n in networks) if networks else None,
        parameters=tuple(
            (parameter, tuple(text for text, _ in texts))
            for (parameter, _), texts in zip(parameters, values, strict=True)
        ),
        parameter_spans=tuple(
            (node.key_span or node.span, tuple(place for _, place in texts))
            for (_, node), texts in zip(parameters, values, strict=True)
        ),
        features=frozenset(feature for feature, _ in listed),
        feature_spans=listed,
        objects=tuple((target, str(node.value)) for target, node in objects),
        object_spans=tuple(node.span for _, node in objects),
        members=tuple(member for member, _ in members),
        proxy=load_proxy(entry.get("proxy"), report),
    )


def _entries(entry: Located, key: str) -> tuple[tuple[str, Located], ...]:
    node = entry.get(key)
    return node.entries() if node is not None else ()


def _check_union(name: str, entry: Located, report: list[Diagnostic]) -> None:
    own = [key for key in _OWN if entry.get(key) is not None]
    if own:
        first = min((entry.at([key]).key_span or entry.span for key in own), key=lambda span: span.start)
        listed = " and ".join(f"`{key}`" for key in own)
        report.append(
            Diagnostic(
                code="E0425",
                message=f"`{name}` has `members`, so it cannot have {listed} of its own",
                span=first,
                label="a union is its members, nothing else",
                help="give this to a group of its own, and name that group in `members`",
            )
        )


def _check_cycles(members: Mapping[str, list[tuple[str, Span]]], report: list[Diagnostic]) -> None:
    """Reports each member that leads back to the union that it stands in."""
    done: set[str] = set()
    for start in members:
        path: dict[str, int] = {start: 0}  # the unions from ``start`` to here; the next member of each
        while path and start not in done:
            union = next(reversed(path))
            at = path[union]
            if at == len(members[union]):
                del path[union]
                done.add(union)
                continue
            path[union] += 1
            member, span = members[union][at]
            if member in path:
                names = list(path)
                cycle = " → ".join(f"`{name}`" for name in [*names[names.index(member) :], member])
                report.append(
                    Diagnostic(
                        code="E0426",
                        message=f"union `{member}` contains itself: {cycle}",
                        span=span,
                        label="leads back" if union != member else "the union itself",
                        help="remove this member",
                    )
                )
            elif member in members and member not in done:
                path[member] = 0
