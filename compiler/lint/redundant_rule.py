"""# W0806: a rule that allows nothing of its own (`redundant-rule`)

Every flow that this allow lets through is let through by another allow, or by several together, with the same wish
about TLS inspection. Taking the rule away changes nothing. While it stands, whoever takes the other one away believes
that the access has ended.

Others count only if they are as good as this rule: their names are recognised in the same way (an `https` rule does
not stand in for a `tcp` rule by name) and have the same `fallback` if it has one, they log if it logs, and they hold as
long (no `feature` that this one lacks, no earlier `expires`). A rule of a template is compared with the rules of that
template only, since a template must do without what others happen to allow; any other rule with those of policies of
the same `owner`. Of two rules that allow the same, the one that stands first stays.

## Wrong

```egress
policy dublin "Outbound access of the Dublin servers" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress"
    from      connectors

    allow sign-in "Sign-in" {
        to    login.windows.net
        ports 443/https
    }
    allow windows "Windows services" {
        to    *.windows.net
        ports 443/https
    }
}
```

## Instead

```egress
policy dublin "Outbound access of the Dublin servers" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress"
    from      connectors

    allow sign-in "Sign-in" {
        to    login.windows.net
        ports 443/https
    }
}
```
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from egressc.flows_index import FlowIndex
from egressc.lint.covers import Covers, lasts, removable
from egressc.lint.rule import Finding
from egressc.lint.words import rules_in_words, the_places
from egressc.policy import HostEndpoint
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.lint.subject import Subject
    from egressc.policy import Rule
    from egressc.reach import Reach
    from egressc.services import Recognition
    from egressc.site import BoundRule
    from egressc.source import Span

NAME = "redundant-rule"
CODE = "W0806"


def check(subject: Subject) -> Iterator[Finding]:
    """The allows that could all be removed, given those that stay."""
    allows = subject.index.allow_rules
    # What a deny with a feature stops today, it may let through tomorrow.
    lasting = [rule.reach for rule in subject.index.deny_rules if rule.rule.feature is None]
    denies = [FlowIndex(lasting, subject.site.tags)] if lasting else []
    gone: set[Span] = set()

    @cache
    def covers_by(recognition: Recognition) -> Covers:
        fits = partial(_fits, subject, recognition)
        return Covers(allows, subject.site.tags, fits, partial(_held, recognition), gone)

    def covering(rules: Sequence[BoundRule], *, alone: bool) -> tuple[BoundRule, ...]:
        found: dict[BoundRule, None] = {}
        for recognition in dict.fromkeys(s.application.recognition for s in rules[0].services):
            by = covers_by(recognition).covering(rules, partial(_asked, recognition), denies, alone=alone)
            if by is None:
                return ()
            found.update(dict.fromkeys(by))
        return tuple(found)

    units = [(span, rules) for span, rules in subject.sure_units() if not rules[0].is_deny]
    for (span, rules), by in removable(units, gone, covering):
        yield Finding(
            message=f"every flow of `{rules[0].identity}` is allowed by {rules_in_words(by)} too",
            span=span,
            label="allows nothing of its own",
            help="remove it, or make the other narrower",
            related=the_places(by, "allows its flows too"),
            also=tuple([each.rule.span for each in by]),
        )


def _asked(recognition: Recognition, rule: BoundRule) -> Iterator[Reach]:
    """What a rule allows on the ports whose names are recognised in this way."""
    ports = PortSet.of([s for s in rule.services if s.application.recognition == recognition])
    if not ports.is_empty:
        yield replace(rule.reach, ports=ports)


def _held(recognition: Recognition, rule: BoundRule) -> Iterator[Reach]:
    """What a rule allows whose names are recognised in this way; addresses are recognised in every way."""
    yield from _asked(recognition, rule)
    addresses = tuple([e for e in rule.reach.endpoints if not isinstance(e, HostEndpoint)])
    if addresses:
        yield replace(rule.reach, endpoints=addresses)


def _fits(subject: Subject, recognition: Recognition, of: Rule, by: Rule) -> bool:
    """True if ``by`` may count as allowing what ``of`` allows."""
    if not lasts(of, by) or (of.log is True and by.log is not True):
        return False
    if of.to.fallback is not None and by.to.fallback != of.to.fallback:
        return False
    if any(each.names(of.identity) and not each.names(by.identity) for each in subject.prepared.proxies.every()):
        return False  # for a group behind a proxy it goes directly, and the other does not
    if recognition == "sni" and of.inspection is not by.inspection:
        return False
    policy = subject.written[of.span].policy
    if policy.template:
        return subject.written[by.span].policy is policy
    return of.policy.owner == by.policy.owner
