"""What an object or rule says in PAN-OS's configuration tree: its fields, in one order for XML and `set`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from egressc.anything import ANY, Anything
from egressc.targets.paloalto.model import DeviceGroup, Location

if TYPE_CHECKING:
    from egressc.targets.paloalto.model import Configuration, DecryptionRule, SecurityRule

Value = str | tuple[str, ...] | None
"""A text, members of a list, or nothing (an element that says all by being there)."""

Field = tuple[str, Value]
"""The path of an element below its entry, and what it holds."""

Entry = tuple[str, tuple[Field, ...]]
"""A named entry and its fields."""

Tree = Sequence[tuple[str, Sequence[Entry]]]
"""The parts of the tree that hold something, each with its path and its entries."""

OWN_FIELDS = frozenset({"description", "category", "list", "ip-netmask", "fqdn"})
"""Fields that hardly ever hold the same in two entries: not worth keeping when they have been written once."""

_ANY: tuple[str, ...] = ("any",)


def sections(model: Configuration) -> Tree:
    """The configuration as a tree, what others refer to first.

    PAN-OS checks references as commands come in, so this is the order of ``commands.set`` too.
    """
    rulebase = rulebase_path(model.location)
    every: tuple[tuple[str, list[Entry]], ...] = (
        ("tag", [(tag.name, ()) for tag in model.tags]),
        ("address", [(a.name, ((a.kind, a.value),)) for a in model.addresses]),
        ("address-group", [(g.name, (("static", g.members),)) for g in model.address_groups]),
        ("service", [(s.name, ((f"protocol/{s.transport}/port", s.ports),)) for s in model.services]),
        ("schedule", [(s.name, (("schedule-type/non-recurring", (s.span,)),)) for s in model.schedules]),
        (
            "profiles/custom-url-category",
            [(c.name, (("list", c.entries), ("type", "URL List"))) for c in model.categories],
        ),
        (f"{rulebase}/security/rules", [(rule.name, _security(rule)) for rule in model.security_rules]),
        (f"{rulebase}/decryption/rules", [(rule.name, _decryption(rule)) for rule in model.decryption_rules]),
    )
    return tuple(section for section in every if section[1])


def rulebase_path(location: Location) -> str:
    """The path of the rulebases: ``rulebase``, or ``pre-rulebase`` or ``post-rulebase`` in a device group."""
    return f"{location.rulebase}-rulebase" if isinstance(location, DeviceGroup) else "rulebase"


def _security(rule: SecurityRule) -> tuple[Field, ...]:
    fields: list[Field] = [
        ("from", _zone(rule.from_zone)),
        ("to", _zone(rule.to_zone)),
        ("source", _members(rule.sources)),
        ("source-user", _members(rule.users)),
        ("destination", _members(rule.destinations)),
    ]
    if rule.negate_destination:
        fields.append(("negate-destination", "yes"))
    fields += (
        ("category", _members(rule.categories)),
        ("application", _members(rule.applications)),
        ("service", _members(rule.services)),
        ("action", rule.action),
    )
    if rule.schedule is not None:
        fields.append(("schedule", rule.schedule))
    if rule.tags:
        fields.append(("tag", rule.tags))
    if rule.group_tag is not None:
        fields.append(("group-tag", rule.group_tag))
    # log-start would show the rule that the first packets fit, before the name is known
    fields += (("log-start", "no"), ("log-end", "yes" if rule.log_end else "no"))
    if rule.log_setting is not None:
        fields.append(("log-setting", rule.log_setting))
    if rule.profile_group is not None:
        fields.append(("profile-setting/group", (rule.profile_group,)))
    if rule.description:
        fields.append(("description", rule.description))
    return tuple(fields)


def _decryption(rule: DecryptionRule) -> tuple[Field, ...]:
    fields: list[Field] = [
        ("from", _zone(rule.from_zone)),
        ("to", _zone(rule.to_zone)),
        ("source", _members(rule.sources)),
        ("source-user", _members(rule.users)),
        ("destination", _members(rule.destinations)),
    ]
    if rule.negate_destination:
        fields.append(("negate-destination", "yes"))
    fields += (
        ("category", _members(rule.categories)),
        ("service", _members(rule.services)),
        ("type/ssl-forward-proxy", None),
        ("action", rule.action),
    )
    if rule.profile is not None:
        fields.append(("profile", rule.profile))
    if rule.tags:
        fields.append(("tag", rule.tags))
    if rule.group_tag is not None:
        fields.append(("group-tag", rule.group_tag))
    if rule.log_success is not None:
        fields.append(("log-success", "yes" if rule.log_success else "no"))
    if rule.log_fail is not None:
        fields.append(("log-fail", "yes" if rule.log_fail else "no"))
    if rule.log_setting is not None:
        fields.append(("log-setting", rule.log_setting))
    if rule.description:
        fields.append(("description", rule.description))
    return tuple(fields)


def _zone(name: str | Anything) -> tuple[str, ...]:
    return _ANY if isinstance(name, Anything) else (name,)


def _members(found: tuple[str, ...] | Anything) -> tuple[str, ...]:
    if found is ANY:
        return _ANY
    if not found:
        raise AssertionError("an empty list would be read as any")
    return found
