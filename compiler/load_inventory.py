"""From the text of an inventory to the model: YAML, schema, meaning; all errors of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc import located, schema_check
from egressc.addresses import EMPTY, union_of
from egressc.diagnostics import has_errors, sort_key
from egressc.inventory import DEFAULT_INTERNAL, Inventory
from egressc.inventory_firewalls import load_accounts, load_firewalls
from egressc.inventory_groups import load_groups, load_networks
from egressc.inventory_overlap import check_shared_addresses
from egressc.service_tags import load_service_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from egressc.addresses import AddressSet
    from egressc.diagnostics import Diagnostic
    from egressc.located_value import Located
    from egressc.source import Source


def load(
    source: Source,
    read_file: Callable[[str], bytes],
    *,
    known_targets: Sequence[str],
    known_reasons: Sequence[str],
) -> tuple[Inventory | None, tuple[Diagnostic, ...]]:
    """The inventory in a file, and what is wrong with it; no inventory if there are errors.

    ``read_file`` gives the bytes of a file that the inventory names, by its path relative to the inventory, and may
    raise ``OSError``. Settings are left to the targets; what only a policy can know is left to the binder.
    """
    root, problems = located.parse(source)
    if root is None:
        return None, problems
    report = [
        *problems,
        *schema_check.check(root, schema_check.load_schema("egressc.grammar", "inventory.schema.json")),
    ]
    groups = load_groups(root.get("groups"), known_targets, report)
    names = {name: None for name, _ in entries.entries()} if (entries := root.get("groups")) is not None else {}
    tags = root.get("service-tags")
    inventory = Inventory(
        source=source,
        groups=groups.groups,
        internal=_internal(root.get("internal-networks"), report),
        accounts=load_accounts(root.get("service-accounts"), report),
        firewalls=load_firewalls(root.get("firewalls"), names, known_targets, known_reasons, report),
        service_tags=load_service_tags(tags, read_file, report) if tags is not None else None,
    )
    check_shared_addresses(inventory, groups.networks, report)
    report.sort(key=sort_key)
    return (None if has_errors(report) else inventory), tuple(_on_one_line(each) for each in report)


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
