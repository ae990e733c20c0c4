"""The limits of Azure Firewall, checked on the finished rules: what is beyond them is refused, never cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic
from egressc.targets.azure_firewall.layout import band_size, overflows
from egressc.targets.azure_firewall.limits import (
    LONGEST_DESCRIPTION,
    MOST_BYTES,
    MOST_COLLECTIONS,
    MOST_NETWORK_FQDNS,
    MOST_NETWORK_RULES,
    TEMPLATE_BYTES,
    WARN_BYTES,
)
from egressc.targets.azure_firewall.model import NetworkRule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.site import BoundRule, Site
    from egressc.targets.azure_firewall.layout import Laid
    from egressc.targets.azure_firewall.settings import Settings


def limit_problems(laid: Sequence[Laid], site: Site[Settings]) -> Iterator[Diagnostic]:
    """What of the groups Azure would refuse, or refuses in some places."""
    yield from _numbers(laid, site)
    yield from _sizes(laid, site)
    yield from _network(laid, site)
    yield from _names(laid, site)


def _numbers(laid: Sequence[Laid], site: Site[Settings]) -> Iterator[Diagnostic]:
    most = site.settings.max_rule_collection_groups
    if len(laid) > most:
        yield Diagnostic(
            code="E0735",
            message=f"`{site.name}` would need {len(laid)} rule collection groups, and its policy takes {most}",
            span=site.span,
            label="too many policies, or too many rules",
            help="put rules together into fewer policies, write `ip-groups: true`, or set "
            "`max-rule-collection-groups` to what your subscription has",
        )
        return
    collections = sum(len(item.group.collections) for item in laid)
    if collections > MOST_COLLECTIONS:
        yield Diagnostic(
            code="E0747",
            message=f"`{site.name}` would need {collections} rule collections, and Azure Firewall takes "
            f"{MOST_COLLECTIONS}",
            span=site.span,
            label="too many rules with exceptions",
            help="write the `except` of several rules as one rule, or as a deny: each such rule takes two collections",
        )
    said = set()
    for item in laid:
        room = band_size(item.band)
        if overflows(item) and room not in said:
            said.add(room)
            yield Diagnostic(
                code="E0736",
                message=f"`{site.name}` has more than {room} rule collection groups of one kind, and only {room} "
                "of the reserved priorities are for them",
                span=site.span,
                label=f"`{item.group.name}` has no priority",
                help="put rules together into fewer policies",
            )


def _sizes(laid: Sequence[Laid], site: Site[Settings]) -> Iterator[Diagnostic]:
    for item in laid:
        if item.size > MOST_BYTES:
            assert item.origin is not None, "the closing deny is small"
            yield Diagnostic(
                code="E0737",
                message=f"`{item.origin.identity}` takes {_mb(item.size)} on `{site.name}`, and a rule collection "
                f"group takes {_mb(MOST_BYTES)}",
                span=item.origin.rule.span,
                label="one rule alone is too large",
                help="divide its endpoints among several rules, or write `ip-groups: true` if it is the sources",
            )
        elif item.size > WARN_BYTES and len(laid) <= site.settings.max_rule_collection_groups:
            yield Diagnostic(
                code="W0738",
                message=f"the rule collection group `{item.group.name}` of `{site.name}` takes {_mb(item.size)}",
                span=site.span,
                label=f"a policy made before July 2022 takes {_mb(WARN_BYTES)}",
                help="put rules into smaller policies, or write `ip-groups: true`",
                group=f"{site.name} size",
                subject=item.group.name,
            )
    total = sum(item.size for item in laid)
    if total > TEMPLATE_BYTES:
        yield Diagnostic(
            code="N0746",
            message=f"`template.json` of `{site.name}` holds {_mb(total)} of rules",
            span=site.span,
            label=f"Resource Manager takes templates of {_mb(TEMPLATE_BYTES)}, by its newer pages after compression",
            help="if it is refused, send the rule collection groups one by one as REST bodies, in this order",
        )


def _mb(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def _network(laid: Sequence[Laid], site: Site[Settings]) -> Iterator[Diagnostic]:
    count = 0
    names: set[str] = set()
    for item in laid:
        for collection in item.group.collections:
            for rule in collection.rules:
                if isinstance(rule, NetworkRule):
                    count += rule.sources.count * (len(rule.addresses) + len(rule.fqdns))
                    names.update(rule.fqdns)
    if count > MOST_NETWORK_RULES:
        yield Diagnostic(
            code="E0739",
            message=f"`{site.name}` has {count} pairs of source and destination in network rules, and Azure Firewall "
            f"takes {MOST_NETWORK_RULES}",
            span=site.span,
            label="too many addresses",
            help="write `ip-groups: true` (an IP group counts as one), name service tags, or larger networks",
        )
    if len(names) > MOST_NETWORK_FQDNS:
        yield Diagnostic(
            code="W0740",
            message=f"`{site.name}` has {len(names)} names in network rules, and Azure Firewall is recommended for up "
            f"to {MOST_NETWORK_FQDNS}",
            span=site.span,
            label="too many names to resolve",
            help="say on which ports the names are seen in TLS or HTTP (`https`, `tls`, `http` instead of `tcp`)",
        )


def _names(laid: Sequence[Laid], site: Site[Settings]) -> Iterator[Diagnostic]:
    """Names that two things have: only a collision of hashes can do that, and it must not go unseen."""
    groups: set[str] = set()
    rules: set[str] = set()
    for item in laid:
        name = item.group.name
        if name.lower() in groups:
            yield _twice(f"the rule collection group `{name}`", site)
        groups.add(name.lower())
        for collection in item.group.collections:
            for rule in collection.rules:
                if rule.name in rules:
                    yield _twice(f"the rule `{rule.name}`", site)
                rules.add(rule.name)


def _twice(what: str, site: Site[Settings]) -> Diagnostic:
    return Diagnostic(
        code="E0744",
        message=f"{what} would stand twice in `{site.name}`",
        span=site.span,
        label="two names became the same",
        help="give one of the two rules or policies a shorter name",
    )


def shortened_descriptions(rules: Iterable[BoundRule], site: Site[Settings]) -> Iterator[Diagnostic]:
    """A note for every rule whose text does not fit into its description."""
    for bound in rules:
        yield Diagnostic(
            code="N0743",
            message=f"the description of `{bound.identity}` is shortened to {LONGEST_DESCRIPTION} characters on "
            f"`{site.name}`",
            span=bound.rule.span,
            label="its text, with ticket and identity, is longer",
            help="the text stands whole in the policy only",
            group=f"{site.name} description",
            subject=bound.identity,
        )
