"""From the text of an inventory to the model: YAML, schema, meaning; all errors of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc import located, schema_check
from egressc.addresses import EMPTY, union_of
from egressc.diagnostics import has_errors, sort_key
from egressc.inventory import DEFAULT_INTERNAL, Inventory
from egressc.inventory_exports import load_exports
from egressc.inventory_firewalls import binding_problems, load_acceptances, load_accounts, load_firewalls
from egressc.inventory_groups import load_groups, load_networks
from egressc.inventory_overlap import check_shared_addresses
from egressc.service_tags import load_service_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from egressc.addresses import AddressSet
    from egressc.diagnostics import Diagnostic
    from egressc.inventory import Firewall
    from egressc.located_value import Located
    from egressc.source import Source

_UNREADABLE = frozenset({"E0402", "E0406"})
"""Codes of values that are not what was meant: whatever else is wrong with them is no mistake of its own."""


def load(
    source: Source,
    read_file: Callable[[str], bytes],
    *,
    known_targets: Sequence[str],
    known_reasons: Sequence[str],
    known_formats: Sequence[str] = (),
    check_settings: Callable[[Firewall], Iterable[Diagnostic]] = lambda _: (),
) -> tuple[Inventory | None, tuple[Diagnostic, ...]]:
    """The inventory in a file, and what is wrong with it; no inventory if there are errors.

    ``read_file`` gives the bytes of a file that the inventory names, by its path relative to the inventory, and may
    raise ``OSError``. Settings are left to the targets; what only a policy can know is left to the binder. Nothing is
    compiled with an inventory that has errors, so then ``check_settings`` says here what is wrong with the settings of
    a firewall.
    """
    root, problems = located.parse(source)
    if root is None:
        return None, problems
    report = list(schema_check.check(root, schema_check.load_schema("egressc.grammar", "inventory.schema.json")))
    groups = load_groups(root.get("groups"), known_targets, report)
    names = {name: None for name, _ in _entries(root.get("groups"))}
    tags = root.get("service-tags")
    inventory = Inventory(
        source=source,
        groups=groups.groups,
        internal=_internal(root.get("internal-networks"), report),
        accounts=load_accounts(root.get("service-accounts"), report),
        firewalls=load_firewalls(root.get("firewalls"), names, known_targets, known_reasons, report),
        service_tags=load_service_tags(tags, read_file, report) if tags is not None else None,
        exports=load_exports(
            root.get("exports"),
            names,
            {name: each.key_span or each.span for name, each in _entries(root.get("firewalls"))},
            known_formats,
            lambda node: load_acceptances(node, known_reasons, report),
            report,
        ),
    )
    report.extend(binding_problems(inventory.accounts, told={d.span.start for d in report if d.span is not None}))
    check_shared_addresses(inventory, groups.networks, report)
    if problems or has_errors(report):
        report.extend(_of_settings(root, inventory, known_targets, check_settings))
    unreadable = {d.span.start for d in problems if d.span is not None and d.code in _UNREADABLE}
    report = [*problems, *(d for d in report if d.span is None or d.span.start not in unreadable)]
    report.sort(key=sort_key)
    return (None if has_errors(report) else inventory), tuple(_on_one_line(each) for each in report)


def _of_settings(
    root: Located,
    inventory: Inventory,
    known_targets: Sequence[str],
    check_settings: Callable[[Firewall], Iterable[Diagnostic]],
) -> Iterator[Diagnostic]:
    """What is wrong with the settings of firewalls whose target is known and whose settings are keys and values."""
    entries = root.at(["firewalls"]).entries() if inventory.firewalls else ()
    for firewall, (_, entry) in zip(inventory.firewalls, entries, strict=True):
        settings = entry.get("settings")
        misspelt = settings is None and set(entry.children) - {"target", "groups", "accept", "unbound"}
        is_other = settings is not None and not isinstance(settings.value, dict | None)
        if firewall.target in known_targets and not misspelt and not is_other:
            yield from check_settings(firewall)


def _entries(node: Located | None) -> tuple[tuple[str, Located], ...]:
    return tuple(node.entries()) if node is not None else ()


def _on_one_line(diagnostic: Diagnostic) -> Diagnostic:
    """The diagnostic with line breaks and the like, which quoted values may bring in, as escapes."""
    texts = (diagnostic.message, diagnostic.label, diagnostic.help)
    if all(text.isprintable() for text in texts):
        return diagnostic
    message, label, help_text = ("".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in t) for t in texts)
    return replace(diagnostic, message=message, label=label, help=help_text)


def _internal(node: Located | None, report: list[Diagnostic]) -> AddressSet:
    """The internal networks: the default where the key is left out, no address where the list is empty."""
    if node is None:
        return DEFAULT_INTERNAL
    networks = load_networks(node, report)
    return union_of(network.addresses for network in networks) if networks else EMPTY
