"""The lists for proxies of an inventory (``exports``): the model, and from located values to it.

The schema has been checked before; a part that does not fit it is passed over in silence here. What a format makes of
the options is for the caller to check: formats are known by their registry alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic, Related
from egressc.inventory_groups import texts_of
from egressc.inventory_names import check_name, resolved, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from egressc.inventory import Acceptance
    from egressc.located_value import Located
    from egressc.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One list that every build writes. ``span`` is its name, ``format_span`` that of its format.

    ``kind`` is ``bypass`` or ``exemption``, or empty where the entry leaves it to a format that has one kind alone.
    ``groups`` are names as written (empty: every group), ``account`` and ``form`` empty where nothing is said,
    ``proxy`` as ``HOST:PORT``. ``spans`` are the places of the values by their keys.
    """

    name: str
    span: Span
    format: str
    format_span: Span
    kind: str = ""
    groups: tuple[str, ...] = ()
    account: str = ""
    rules: str = "*"
    form: str = ""
    proxy: str = ""
    clients: tuple[str, ...] = ()
    probe_free: bool = False
    accept: tuple[Acceptance, ...] = ()
    spans: tuple[tuple[str, Span], ...] = ()

    def place(self, key: str) -> Span:
        """Where the value of a key stands; the name where the key is left out."""
        return dict(self.spans).get(key, self.span)


def load_exports(
    node: Located | None,
    group_names: Collection[str],
    firewalls: Mapping[str, Span],
    known_formats: Sequence[str],
    acceptances: Callable[[Located | None], tuple[Acceptance, ...]],
    report: list[Diagnostic],
) -> tuple[Export, ...]:
    """The lists under ``exports``, in the order of the file. ``firewalls`` are the other folders of a build."""
    found = []
    for name, entry in node.entries() if node is not None else ():
        span = entry.key_span or entry.span
        check_name(name, span, report)
        if name in firewalls:
            report.append(_taken(name, span, firewalls[name]))
        called = _text(entry, "format")
        format_span = entry.at(["format"]).span if entry.get("format") is not None else span
        if called and called not in known_formats:
            message = f"no format of lists is called `{called}`"
            report.append(unknown("E0445", message, format_span, called, known_formats, "the formats are"))
        groups = entry.get("groups")
        listed = resolved(groups.elements(), group_names, name, report) if groups is not None else []
        probe_free = entry.get("probe-free")
        found.append(
            Export(
                name=name,
                span=span,
                format=called,
                format_span=format_span,
                kind=_text(entry, "list"),
                groups=tuple(group for group, _ in listed),
                account=_text(entry, "account"),
                rules=_text(entry, "rules") or "*",
                form=_text(entry, "form"),
                proxy=_text(entry, "proxy"),
                clients=tuple(text for text, _ in texts_of(entry.get("for"))),
                probe_free=probe_free is not None and probe_free.value is True,
                accept=acceptances(entry.get("accept")),
                spans=tuple(_spans(entry.entries())) if isinstance(entry.value, dict) else (),
            )
        )
    return tuple(found)


def _text(entry: Located, key: str) -> str:
    node = entry.get(key)
    return node.value if node is not None and isinstance(node.value, str) else ""


def _spans(entries: Iterable[tuple[str, Located]]) -> Iterable[tuple[str, Span]]:
    return [(key, node.span) for key, node in entries]


def _taken(name: str, span: Span, other: Span) -> Diagnostic:
    return Diagnostic(
        code="E0447",
        message=f"`{name}` is the name of a firewall, too",
        span=span,
        label="both would be one folder of the build",
        help=f"call the list something else, such as `{name}-list`",
        related=(Related(span=other, text="the firewall"),),
    )
