"""What was asked of a format of lists, checked: from the words of the command line or the inventory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.api_export import ListRequest
from egressc.diagnostics import Diagnostic
from egressc.exports import ListKind
from egressc.project_paths import printable
from egressc.suggest import nearest
from egressc.targets.list_protocol import ListOptions, Proxy
from egressc.targets.list_registry import format_names, load_format

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.inventory import Inventory
    from egressc.inventory_exports import Export
    from egressc.targets.list_protocol import ListFormat


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with an option: its key as the inventory writes it, what is wrong, and what to do."""

    key: str
    message: str
    help: str


def options_of(
    chosen: ListFormat,
    *,
    kind: str | None,
    form: str | None,
    proxy: str | None,
    clients: Sequence[str],
    probe_free: bool,
    default_proxy: Proxy | None = None,
) -> ListOptions | Wrong:
    """The options for a format. ``default_proxy`` is that of the groups, where nothing else is said."""
    which = _kind(kind, chosen)
    if isinstance(which, Wrong):
        return which
    if form is not None and form not in chosen.forms:
        return Wrong("form", f"`{chosen.name}` has no form `{form}`", _meant(form, chosen.forms, "its forms are"))
    if clients and not chosen.clients:
        return Wrong("for", f"`{chosen.name}` is read alike by every program", "leave out which programs read it")
    for client in clients:
        if client not in chosen.clients:
            advice = _meant(client, chosen.clients, "the programs are")
            return Wrong("for", f"`{chosen.name}` does not know the program `{client}`", advice)
    if probe_free and not chosen.probe_free:
        return Wrong("probe-free", f"`{chosen.name}` calls no function that could be left out", "leave it out")
    found = default_proxy if proxy is None else proxy_of(proxy)
    if isinstance(found, Wrong):
        return found
    used = form or chosen.forms[0]
    wrong = proxy_missing(chosen, used) if found is None else None
    if wrong is not None:
        return wrong
    called = tuple(client for client in chosen.clients if client in clients)
    return ListOptions(kind=which, form=used, proxy=found, clients=called, probe_free=probe_free)


def proxy_missing(chosen: ListFormat, form: str) -> Wrong | None:
    """What is wrong with a list of that form for which nobody has named the proxy; ``None`` if it does without."""
    if form not in chosen.needs_proxy:
        return None
    message = f"`{chosen.name}` must name the proxy, and nobody says which it is"
    return Wrong("proxy", message, "name it as HOST:PORT, or give the group a `proxy` in the inventory")


def _kind(text: str | None, chosen: ListFormat) -> ListKind | Wrong:
    if text is None:
        if len(chosen.lists) == 1:
            return next(iter(chosen.lists))
        return Wrong(
            "list",
            f"`{chosen.name}` holds lists of two kinds",
            "say which: `bypass` (what clients reach directly) or `exemption` (what the proxy does not open)",
        )
    kind = ListKind(text)
    if kind in chosen.lists:
        return kind
    able = ", ".join(f"`{name}`" for name in format_names() if kind in load_format(name).lists)
    (other,) = chosen.lists
    return Wrong(
        "list", f"`{chosen.name}` holds {other.value} lists alone", f"formats for an {kind.value} list: {able}"
    )


_PROXY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9_.-]+)):(?P<port>[0-9]{1,5})", re.ASCII)


def proxy_of(text: str) -> Proxy | Wrong:
    """The proxy that a text names as ``HOST:PORT``."""
    found = _PROXY.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        advice = "write HOST:PORT, such as proxy.contoso.example:8080"
        return Wrong("proxy", f"`{printable(text)}` is no proxy", advice)
    return Proxy((found["v6"] or found["host"]).lower(), int(found["port"]))


def proxy_of_groups(inventory: Inventory | None, names: Sequence[str]) -> Proxy | None:
    """The one proxy that the groups are behind (every group, if none is named), if there is just one."""
    if inventory is None or inventory.source is None:
        return None
    from egressc.anything import ANY  # noqa: PLC0415 - where there is an inventory

    found = {
        Proxy(address, group.proxy.port): None
        for group in inventory.leaves(names or ANY)
        if group.proxy is not None
        for address in group.proxy.addresses
    }
    return next(iter(found)) if len(found) == 1 else None


def exports_of(
    inventory: Inventory, *, accept: Iterable[str], strict: bool
) -> tuple[tuple[ListRequest, ...], tuple[Diagnostic, ...]]:
    """The lists that the inventory asks for, and what is wrong with their options."""
    requests = []
    report = []
    for export in inventory.exports:
        if export.format not in format_names():
            continue  # the loader has said so
        made = _request(export, inventory, tuple(accept), strict=strict)
        if isinstance(made, Diagnostic):
            report.append(made)
        else:
            requests.append(made)
    return tuple(requests), tuple(report)


def _request(
    export: Export, inventory: Inventory, accept: tuple[str, ...], *, strict: bool
) -> ListRequest | Diagnostic:
    chosen = load_format(export.format)
    options = options_of(
        chosen,
        kind=export.kind or None,
        form=export.form or None,
        proxy=export.proxy or None,
        clients=export.clients,
        probe_free=export.probe_free,
        default_proxy=proxy_of_groups(inventory, export.groups),
    )
    if isinstance(options, Wrong):
        return Diagnostic(
            code="E0446",
            message=f"`{export.name}`: {options.message}",
            span=export.place(options.key),
            help=options.help,
        )
    return ListRequest(
        format=chosen,
        options=options,
        groups=export.groups,
        account=export.account or None,
        rules=export.rules,
        name=export.name,
        span=export.span,
        acceptances=export.accept,
        accept=accept,
        strict=strict,
    )


def _meant(word: str, known: Sequence[str], lead: str) -> str:
    near = nearest(word, known)
    return f"did you mean `{near}`?" if near else f"{lead} " + ", ".join(f"`{each}`" for each in known)
