"""The last look at a configuration before it is written: what no policy can break must hold.

PAN-OS reads an empty list as ``any``, so a rule that lost its category would match everything. Nothing here is the
user's mistake: what it finds is a defect of egressc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import egressc.targets.paloalto.capabilities as facts
from egressc.anything import ANY, Anything
from egressc.lowering import Recognition

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.targets.paloalto.model import Configuration, DecryptionRule, SecurityRule


def check(model: Configuration) -> None:
    """Raises ``AssertionError`` with what is wrong, if anything is."""
    addresses = {a.name for a in model.addresses}
    groups = {g.name for g in model.address_groups}
    known = addresses | groups | model.existing
    categories = {c.name for c in model.categories}
    services = {s.name for s in model.services}
    tags = {t.name for t in model.tags}
    schedules = {s.name for s in model.schedules}
    for name in (*addresses, *groups, *services):
        _name(name, facts.OBJECT_NAME)
    _expect(not addresses & groups, "an address and an address group share a name")
    _expect(not (addresses | groups) & model.existing, "an existing object would be written")
    for group in model.address_groups:
        _expect(bool(group.members), f"address group {group.name} is empty")
        _expect(addresses.issuperset(group.members), f"address group {group.name} has a member that does not exist")
    for category in model.categories:
        _expect(len(category.name) <= facts.CATEGORY_NAME, f"{category.name} is too long for a category")
        _expect(facts.CATEGORY_PATTERN.fullmatch(category.name) is not None, f"{category.name} is no category name")
        _expect(bool(category.entries), f"category {category.name} is empty")
        _expect(max(map(len, category.entries)) <= facts.URL_ENTRY, f"category {category.name} has a long entry")
    for schedule in schedules:
        _name(schedule, facts.SCHEDULE_NAME)
    for tag in tags:
        _expect(len(tag) <= facts.TAG_NAME and facts.TAG_PATTERN.fullmatch(tag) is not None, f"{tag} is no tag")
    for rules in (model.security_rules, model.decryption_rules):
        _expect(len({r.name for r in rules}) == len(rules), "two rules of one rulebase share a name")
        for rule in rules:
            _rule(rule, known, categories, services, tags)
    for rule in model.security_rules:
        by_name = rule.recognition in {Recognition.SNI, Recognition.HOST}
        _expect(not by_name or rule.categories is not ANY, f"rule {rule.name} lost its category")
        by_address = rule.recognition is Recognition.DNS
        _expect(not by_address or rule.destinations is not ANY, f"rule {rule.name} lost its destination")
        _expect(rule.schedule is None or rule.schedule in schedules, f"rule {rule.name} has no schedule")


def _rule(
    rule: SecurityRule | DecryptionRule, known: set[str], categories: set[str], services: set[str], tags: set[str]
) -> None:
    name = rule.name
    _name(name, facts.RULE_NAME)
    for field in (rule.sources, rule.users, rule.destinations, rule.categories, rule.services):
        _expect(field != (), f"rule {name} has an empty list, which is any")
    _expect(not rule.negate_destination or rule.destinations is not ANY, f"rule {name} negates any")
    _known(name, rule.sources, known)
    _known(name, rule.categories, categories)
    _known(name, rule.services, services)
    if not isinstance(rule.destinations, Anything):
        # a destination is an object, or an address
        _known(name, [d for d in rule.destinations if d in known or not _is_literal(d)], known)
    _known(name, rule.tags, tags)
    _known(name, () if rule.group_tag is None else (rule.group_tag,), tags)
    _expect(len(rule.tags) <= facts.RULE_TAGS, f"rule {name} has too many tags")
    _expect(len(rule.description.encode()) <= facts.DESCRIPTION, f"the description of rule {name} is too long")


def _known(rule: str, members: Iterable[str] | Anything, known: set[str]) -> None:
    if not isinstance(members, Anything) and not known.issuperset(members):
        _expect(holds=False, problem=f"rule {rule} refers to what does not exist")


def _is_literal(text: str) -> bool:
    return ":" in text or not text.strip("0123456789./")


def _name(name: str, limit: int) -> None:
    good = len(name) <= limit and name not in facts.RESERVED_NAMES and facts.NAME_PATTERN.fullmatch(name) is not None
    _expect(good, f"`{name}` is no name of PAN-OS")


def _expect(holds: bool, problem: str) -> None:  # noqa: FBT001 - reads as a sentence where it is called
    if not holds:
        raise AssertionError(problem)
