"""# N0803: a deny that meets no allow (`idle-deny`)

No allow has a flow in common with this deny: what it denies is denied anyway, because nothing allows it. That may be
what you want, a guard rail against allows that come later; then say so. It may also be a slip: a deny that was to cut a
piece out of an allow and misses it by a port, a group or an account, or because `*.example.com` does not hold
`example.com`.

Not told of a deny `from any-group`, nor in a policy that has denies only: those are guard rails plainly.

## Wrong

```egress
policy dublin "Outbound access of the Dublin servers" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress"
    from      connectors

    allow company "Services of the company" {
        to    *.contoso.example
        ports 443/https
    }
    deny test "No connector talks to test systems" {
        to    *.test.contoso.example
        ports 444/https
    }
}
```

## Instead

```egress
policy dublin "Outbound access of the Dublin servers" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress"
    from      connectors

    allow company "Services of the company" {
        to    *.contoso.example
        ports 443/https
    }
    deny test "No connector talks to test systems" {
        to    *.test.contoso.example
        ports 443/https
    }
    # egressc: allow idle-deny "a guard rail: nobody may open this later"
    deny mail "No mail leaves from here" {
        to    any-address
        ports 25/tcp
    }
}
```
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.anything import ANY, Anything
from egressc.diagnostics import Related
from egressc.flows import boxes
from egressc.flows_index import FlowIndex
from egressc.flows_search import in_both
from egressc.lint.covers import meets
from egressc.lint.rule import Finding
from egressc.policy import Action, AddressEndpoint, TemplateEndpoint
from egressc.reach import Reach
from egressc.services import FIRST_PORT, LAST_PORT, PortSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.lint.subject import Subject
    from egressc.policy import Rule
    from egressc.site import BoundRule

_ALL = ((FIRST_PORT, LAST_PORT),)
_EVERY_PORT = PortSet(_ALL, _ALL)

_TRIED = 16
"""So many allows are looked at to say what a deny misses."""

NAME = "idle-deny"
CODE = "N0803"


def check(subject: Subject) -> Iterator[Finding]:
    """The denies that meet no allow, but for plain guard rails."""
    index = subject.index
    waiting = any(rule.action is Action.ALLOW and rule.span in subject.open_rules for rule in subject.prepared.rules)
    if waiting or not index.allow_rules:
        # An allow whose parameters have no value yet may be what the deny is for.
        return
    off = _switched_off(subject)
    ways = _ways_to_proxies(subject)
    for span, rules in subject.sure_units():
        first = rules[0]
        if not first.is_deny or isinstance(first.rule.groups, Anything):
            continue
        policy = subject.written[span].policy
        if not policy.includes and all(rule.action == "deny" for rule in policy.rules):
            continue
        if any(
            meets(index.allows, rule.reach, subject.site.tags)
            or (off is not None and off.meets(rule.reach))
            or (ways is not None and ways.meets(rule.reach))
            for rule in rules
        ):
            continue
        missed, by = _nearly_met(subject, first)
        yield Finding(
            message=f"no allow meets `{first.identity}`: what it denies is denied anyway",
            span=span,
            label=f"misses `{missed.identity}` by {by}" if missed is not None else "changes nothing today",
            help='correct it, remove it, or say that it is a guard rail: `# egressc: allow idle-deny "…"`',
            related=() if missed is None else (Related(span=missed.rule.span, text="the allow that it misses"),),
        )


def _switched_off(subject: Subject) -> FlowIndex | None:
    """What allows with a feature let through where it is on: for all of their groups. ``None`` if there are none."""
    reaches = []
    for rule in subject.prepared.rules:
        if rule.action is Action.ALLOW and rule.feature is not None:
            accounts = ANY if isinstance(rule.accounts, Anything) else frozenset(a.name for a in rule.accounts)
            plain = tuple([e for e in rule.to.endpoints if not isinstance(e, TemplateEndpoint)])
            reaches.append(Reach(_groups(subject, rule), accounts, plain, (), PortSet.of(rule.services)))
    return FlowIndex(reaches, subject.site.tags) if reaches else None


def _ways_to_proxies(subject: Subject) -> FlowIndex | None:
    """What groups behind a proxy send there, which firewalls let through; ``None`` if there are none."""
    reaches = []
    for each in subject.prepared.proxies.every():
        there = AddressEndpoint(each.proxy.address_set)
        reaches.append(Reach(frozenset((each.group.name,)), ANY, (there,), (), PortSet.of(each.rule.services)))
    return FlowIndex(reaches, subject.site.tags) if reaches else None


def _groups(subject: Subject, rule: Rule) -> frozenset[str] | Anything:
    if isinstance(rule.groups, Anything):
        return ANY
    names = [group.name for group in rule.groups]
    inventory = subject.inventory
    return frozenset(names if inventory.source is None else [group.name for group in inventory.leaves(names)])


def _nearly_met(subject: Subject, rule: BoundRule) -> tuple[BoundRule | None, str]:
    """An allow that the rule misses in one dimension, and in which; among the first that name the same endpoints."""
    allows, tags = subject.index.allows, subject.site.tags
    numbers: set[int] = set()
    for box in boxes(rule.reach, tags):
        numbers.update(allows.names.intersecting(box.inside[0][0]) if box.inside else allows.by_address(box.addresses))
    for number in sorted(numbers)[:_TRIED]:
        for by, wider in (
            ("its ports", replace(rule.reach, ports=_EVERY_PORT)),
            ("its accounts", replace(rule.reach, accounts=ANY)),
            ("its groups", replace(rule.reach, groups=ANY)),
        ):
            if in_both(boxes(wider, tags), allows.boxes_of(number)):
                return subject.index.allow_rules[number], by
    return None, ""
