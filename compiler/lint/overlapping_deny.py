"""# N0804: a deny that takes away a whole part of an allow (`overlapping-deny`)

An allow and a deny overlap in such a way that something the allow names, an endpoint, a port, a group or an account, is
denied for every flow of that allow. Denies win, so that word of the allow does nothing. A deny that cuts a piece out of
what the allow names (`allow *.windows.net`, `deny *.blob.core.windows.net`) is how exceptions are made, and not told.

If all of the allow is denied, `shadowed-rule` says so.

## Wrong

```egress
policy dublin "Outbound access of the Dublin servers" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress"
    from      connectors

    allow backup "Backup, and the sign-in that it needs" {
        to    contoso.blob.core.windows.net login.windows.net
        ports 443/https
    }
    deny shadow-storage "No connector talks to storage accounts" {
        to    *.blob.core.windows.net
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
    # egressc: allow idle-deny "a guard rail for whatever is allowed later"
    deny shadow-storage "No connector talks to storage accounts" {
        to    *.blob.core.windows.net
        ports 443/https
    }
}
```
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from egressc.flows import boxes
from egressc.lint.covers import Covers, lasts, meets
from egressc.lint.lists import Lists
from egressc.lint.rule import Finding
from egressc.lint.words import rules_in_words, the_places
from egressc.policy import TemplateEndpoint
from egressc.services import Application, PortSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from egressc.lint.subject import Subject
    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.site import BoundRule
    from egressc.source import Span
    from egressc.syntax import Setting

    Slice = Callable[[BoundRule], Iterable[Reach]]

NAME = "overlapping-deny"
CODE = "N0804"

_BARE: Final = frozenset((Application.HTTPS, Application.HTTP))
"""What a port without an application stands for."""


class _Part(NamedTuple):
    """A word of an allow: where it stands, how it is read (``to``, ``on``, ``from``, ``as``), and its flows."""

    span: Span
    preposition: str
    flows: Slice


def check(subject: Subject) -> Iterator[Finding]:
    """The words of allows whose flows are all denied, where something of the allow is left."""
    denies = subject.index.deny_rules
    if not denies:
        return
    hidden = Covers(denies, subject.site.tags, lasts)
    parts = _Parts(subject)
    for span, rules in subject.sure_units():
        if rules[0].is_deny or not any(_meets(subject, rule) for rule in rules) or hidden.covering(rules) is not None:
            continue
        for part in parts.of(span, rules):
            by = hidden.covering(rules, part.flows)
            if not by:
                continue
            example = subject.index.denies.first_inside(
                tuple([b for reach in part.flows(rules[0]) for b in boxes(reach, subject.site.tags)]), (), ()
            )
            yield Finding(
                message=f"every flow of `{rules[0].identity}` {part.preposition} `{part.span.text}` is denied by "
                f"{rules_in_words(by)}",
                span=part.span,
                label="does nothing here" if example is None else f"denied, e.g. {example[0].text}",
                help="take it out of the allow, or out of the deny with `except`",
                related=the_places(by, "denies it"),
                also=tuple([each.rule.span for each in by]),
            )


def _meets(subject: Subject, rule: BoundRule) -> bool:
    return meets(subject.index.denies, rule.reach, subject.site.tags)


class _Parts:
    """The words that a rule consists of."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._lists = Lists(subject)

    def of(self, span: Span, rules: Sequence[BoundRule]) -> Iterator[_Part]:
        """The words of the settings that the rule states itself and that have more than one."""
        for setting in self._subject.written[span].rule.settings:
            if len(setting.values) < 2:
                continue
            match setting.keyword.text:
                case "to":
                    yield from self._endpoints(setting, rules[0])
                case "ports":
                    yield from _parts_of_ports(setting, rules[0])
                case "from":
                    yield from self._groups(setting)
                case "as":
                    yield from _parts_of_accounts(setting)
                case _:
                    pass

    def _endpoints(self, setting: Setting, rule: BoundRule) -> Iterator[_Part]:
        exceptions = [e for e in rule.rule.to.exceptions if not isinstance(e, TemplateEndpoint)]
        if len(exceptions) < len(rule.rule.to.exceptions):
            return
        for entry, endpoints in self._lists.meant(setting):
            plain = [e for e in endpoints if not isinstance(e, TemplateEndpoint)]
            if plain and len(plain) == len(endpoints):
                yield _Part(entry.span, "to", partial(_to, tuple(plain), tuple(exceptions)))

    def _groups(self, setting: Setting) -> Iterator[_Part]:
        inventory = self._subject.inventory
        for value in setting.values:
            name = value.span.text
            known = inventory.source is not None
            names = frozenset([g.name for g in inventory.leaves((name,))]) if known else frozenset((name,))
            yield _Part(value.span, "from", partial(_from, names))


def _parts_of_ports(setting: Setting, rule: BoundRule) -> Iterator[_Part]:
    for value in setting.values:
        text = value.span.text
        some = [s for s in rule.services if text in {s.text, s.ports if s.application in _BARE else s.text}]
        if some:
            yield _Part(value.span, "on", partial(_on, PortSet.of(some)))


def _parts_of_accounts(setting: Setting) -> Iterator[_Part]:
    for value in setting.values:
        yield _Part(value.span, "as", partial(_as, frozenset((value.span.text,))))


def _to(endpoints: tuple[Endpoint, ...], exceptions: tuple[Endpoint, ...], rule: BoundRule) -> Iterator[Reach]:
    yield replace(rule.reach, endpoints=endpoints, exceptions=exceptions)


def _on(ports: PortSet, rule: BoundRule) -> Iterator[Reach]:
    yield replace(rule.reach, ports=ports)


def _from(names: frozenset[str], rule: BoundRule) -> Iterator[Reach]:
    groups = rule.reach.groups
    if isinstance(groups, frozenset) and not names.isdisjoint(groups):
        yield replace(rule.reach, groups=groups & names)


def _as(names: frozenset[str], rule: BoundRule) -> Iterator[Reach]:
    yield replace(rule.reach, accounts=names)
