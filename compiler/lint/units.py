"""Which written rules make up one policy: those of an outermost policy and of all that it includes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.lint.hosts import expired
from egressc.lint.subject import Written
from egressc.scope import Kind
from egressc.syntax import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.lint.subject import Subject


def units(subject: Subject) -> Iterator[list[Written]]:
    """The rules of each outermost policy: those that take effect, and the templates of the PATHs that none includes.

    Expired allows are left out.
    """
    policies = list(subject.policies())
    over = expired(subject)
    reached: set[int] = set()
    for templates in (False, True):
        for policy in policies:
            if policy.template is templates and not (templates and id(policy) in reached):
                whole = with_included(subject, policy)
                reached.update(id(each) for each in whole)
                yield [Written(each, rule) for each in whole for rule in each.rules if rule.name.span not in over]


def with_included(subject: Subject, policy: Policy) -> list[Policy]:
    """The policy and all that it includes, each once."""
    found = {id(policy): policy}
    waiting = [policy]
    while waiting:
        node = waiting.pop()
        scope = subject.scopes[node.name.span.source]
        for include in node.includes:
            inner = scope.find(Kind.POLICY, include.name.text)
            if isinstance(inner, Policy) and id(inner) not in found:
                found[id(inner)] = inner
                waiting.append(inner)
    return list(found.values())
