"""Do two versions of a policy mean the same? As written, rule by rule, and as bound to the inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from egressc.anything import ANY, Anything
from egressc.flows import boxes
from egressc.flows_search import witness
from egressc.format_meaning import meaning
from egressc.policy import Destinations, TemplateEndpoint
from egressc.reach import Reach
from egressc.resolve_destinations import ToReader
from egressc.resolve_entries import Entries, identity
from egressc.resolve_report import Report
from egressc.resolve_sets import Sets
from egressc.services import PortSet
from egressc.syntax import Endpoints, Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egressc.addresses import AddressSet
    from egressc.lint.subject import Subject
    from egressc.policy import Account, Endpoint
    from egressc.site import BoundRule, Site
    from egressc.syntax import File, Rule

_A_PORT: Final = PortSet(tcp=((443, 443),))


def same_here(old: Site[None], new: Site[None]) -> bool:
    """True if both have the same rules, each for the same flows with the same wishes."""
    if len(old.rules) != len(new.rules):
        return False
    return all(
        _aside(one) == _aside(other)
        and _same_flows(one.reach, other.reach, old.tags)
        and _same_fallback(one.fallback, other.fallback, old.tags)
        for one, other in zip(old.rules, new.rules, strict=True)
    )


def _aside(rule: BoundRule) -> tuple[object, ...]:
    """All that a rule is besides its flows and its places."""
    stated = rule.rule
    return (
        rule.key,
        stated.action,
        stated.description,
        tuple([group.name for group in rule.groups]),
        rule.accounts if isinstance(rule.accounts, Anything) else tuple([_account(each) for each in rule.accounts]),
        rule.services,
        stated.inspection,
        stated.log,
        stated.feature,
        stated.expires,
        stated.ticket,
        stated.reference,
        stated.policy.owner,
        stated.policy.reference,
        stated.policy.review_by,
    )


def _account(account: Account) -> tuple[object, ...]:
    return (account.name, account.description, account.bindings)


def _same_flows(one: Reach, other: Reach, tags: Mapping[str, AddressSet]) -> bool:
    if one == other:
        return True
    mine, theirs = tuple(boxes(one, tags)), tuple(boxes(other, tags))
    return witness(mine, theirs) is None and witness(theirs, mine) is None


def _same_fallback(
    one: tuple[Endpoint, ...] | None, other: tuple[Endpoint, ...] | None, tags: Mapping[str, AddressSet]
) -> bool:
    if one is None or other is None:
        return one is other
    return _same_flows(Reach(ANY, ANY, one, (), _A_PORT), Reach(ANY, ANY, other, (), _A_PORT), tags)


class _Stated(NamedTuple):
    """What a file says, with the endpoints of its lists looked up."""

    aside: dict[object, object]
    lists: dict[object, Destinations]


def same_text(old: Subject, new: Subject) -> bool:
    """True if each rule and set that both have says the same, also in templates that take effect nowhere.

    The rules must be the same; a set may be gone.
    """
    before, after = _Reader(old), _Reader(new)
    for was, now in zip(old.project.files, new.project.files, strict=True):
        if was is now or was.tree is None or now.tree is None:
            continue
        one, other = before.of(was.tree), after.of(now.tree)
        if one.aside != other.aside:
            return False
        for key, destinations in other.lists.items():
            known = one.lists.get(key)
            if known is None or not _same_destinations(known, destinations, old.site.tags):
                return False
    return True


def _same_destinations(one: Destinations, other: Destinations, tags: Mapping[str, AddressSet]) -> bool:
    if not _same_fallback(one.fallback, other.fallback, tags):
        return False
    for mine, theirs in ((one.endpoints, other.endpoints), (one.exceptions, other.exceptions)):
        if _templates(mine) != _templates(theirs):
            return False
    return _same_flows(_reach(one), _reach(other), tags)


def _templates(endpoints: tuple[Endpoint | TemplateEndpoint, ...]) -> frozenset[object]:
    return frozenset(identity(each) for each in endpoints if isinstance(each, TemplateEndpoint))


def _reach(destinations: Destinations) -> Reach:
    plain = [
        tuple([each for each in some if not isinstance(each, TemplateEndpoint)])
        for some in (destinations.endpoints, destinations.exceptions)
    ]
    return Reach(ANY, ANY, plain[0], plain[1], _A_PORT)


class _Reader:
    """Reads what files say."""

    def __init__(self, subject: Subject) -> None:
        report = Report()
        entries = Entries(report)
        self._scopes = subject.scopes
        self._sets = Sets(subject.scopes, entries, report)
        self._to = ToReader(entries, self._sets, report)

    def of(self, file: File) -> _Stated:
        """What a file says."""
        found = _Stated({}, {})
        for item in file.items:
            match item:
                case Endpoints():
                    flat = self._sets.flat(item)
                    found.lists[item.name.text] = Destinations(endpoints=flat.endpoints, fallback=flat.fallback)
                case Policy():
                    found.aside[item.name.text] = (item.template, _said(item.settings), _said(item.includes))
                    for rule in item.rules:
                        self._rule((item.name.text, rule.name.text), rule, found)
                case _:
                    pass
        return found

    def _rule(self, key: tuple[str, str], rule: Rule, found: _Stated) -> None:
        others = tuple([setting for setting in rule.settings if setting.keyword.text != "to"])
        found.aside[key] = (rule.action, _said(rule.description), _said(others))
        for setting in rule.settings:
            if setting.keyword.text == "to":
                found.lists[key] = self._to.read(setting, self._scopes[setting.span.source]).destinations


def _said(part: object) -> object:
    """What a part of a tree says, apart from its layout."""
    return meaning(cast("File", part))
