"""Policies as they are stated: their settings, their rules, and which others they include."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic, Related
from egressc.names import name_word
from egressc.parse_shape import ITEM_BLOCKS
from egressc.policy import Inspection, PolicyHead
from egressc.problems import Problem
from egressc.resolve_rules import RuleDefaults
from egressc.resolve_settings import logs, text_of
from egressc.scope import Kind
from egressc.syntax import Policy

if TYPE_CHECKING:
    from egressc.anything import Anything
    from egressc.policy import Account, GroupName
    from egressc.resolve_report import Report
    from egressc.resolve_rules import RuleReader, StatedRule
    from egressc.resolve_settings import SettingsReader
    from egressc.scope import Scope
    from egressc.syntax import Include, Rule


_OPENS = re.compile(r"\s*\{")
"""What follows a name without a description. In a damaged head something else may stand there, which is reported."""


@dataclass(frozen=True, slots=True, eq=False)
class Included:
    """An ``include`` and the policy that it names."""

    statement: Include
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StatedPolicy:
    """A policy by itself: ``groups`` and ``accounts`` are its defaults, ``None`` where it leaves them open.

    ``takes_effect`` is true for a policy of a file that is compiled, unless it is a template.
    """

    node: Policy
    head: PolicyHead
    groups: tuple[GroupName, ...] | Anything | None
    accounts: tuple[Account, ...] | None
    rules: tuple[StatedRule, ...]
    includes: tuple[Included, ...]
    takes_effect: bool


class PolicyReader:
    """Reads policies, each once."""

    def __init__(self, settings: SettingsReader, rules: RuleReader, report: Report) -> None:
        self._settings = settings
        self._rules = rules
        self._report = report

    def read(self, node: Policy, scope: Scope) -> StatedPolicy:
        """The policy, with everything reported that is wrong in it."""
        self._describe(node, "policy")
        stated = self._settings.once(node.settings)
        head = PolicyHead(
            name=node.name.text,
            description=node.description.value if node.description is not None else "",
            owner=text_of(stated.get("owner")),
            reference=text_of(stated.get("reference")),
            ticket=text_of(stated.get("ticket")),
            review_by=self._settings.date(stated.get("review-by")),
            source=node.name.span.source,
            span=node.name.span,
        )
        defaults = RuleDefaults(
            inspection=Inspection.MUST_NOT if "no-tls-inspection" in stated else Inspection.MAY,
            log=logs(stated.get("log")),
            feature=self._settings.feature(stated.get("feature")),
            ticket=head.ticket,
            reference=head.reference,
        )
        self._check_rule_names(node)
        return StatedPolicy(
            node=node,
            head=head,
            groups=self._settings.groups(stated.get("from")),
            accounts=self._settings.accounts(stated.get("as"), scope, ITEM_BLOCKS["policy"]),
            rules=tuple([self._rules.read(rule, scope, defaults) for rule in node.rules]),
            includes=self._includes(node, scope),
            takes_effect=scope.file.is_compiled and not node.template,
        )

    def _describe(self, node: Policy | Rule, what: str) -> None:
        if node.description is None:
            if node.damaged and not _OPENS.match(node.name.span.source.text, node.name.span.end):
                return
            self._report.add(
                Diagnostic(
                    code="E0222",
                    message=f"the {what} `{node.name.text}` has no description",
                    span=node.name.span,
                    label="a string is missing behind this",
                    help=f'write what it is for: `{node.name.text} "…"`',
                ),
            )
        elif not node.description.value.strip():
            self._report.add(
                Diagnostic(
                    code="W0246",
                    message=f"the description of the {what} `{node.name.text}` is empty",
                    span=node.description.span,
                    label="says nothing",
                    help="write what it is for",
                ),
            )

    def _check_rule_names(self, node: Policy) -> None:
        first: dict[str, Rule] = {}
        for rule in node.rules:
            self._describe(rule, "rule")
            name = name_word(rule.name.text)
            if isinstance(name, Problem):
                self._report.problem(name, rule.name.span)
            other = first.setdefault(rule.name.text, rule)
            if other is not rule:
                self._report.add(
                    Diagnostic(
                        code="E0220",
                        message=f"two rules of the policy `{node.name.text}` are called `{rule.name.text}`",
                        span=rule.name.span,
                        label="the second",
                        help="rename one of the two: a rule is identified by its name",
                        related=(Related(span=other.name.span, text="the first"),),
                    ),
                )

    def _includes(self, node: Policy, scope: Scope) -> tuple[Included, ...]:
        found: dict[int, Included] = {}
        for statement in node.includes:
            word = statement.name
            policy = scope.find(Kind.POLICY, word.text)
            if not isinstance(policy, Policy):
                name = name_word(word.text)
                if isinstance(name, Problem):
                    self._report.problem(name, word.span)
                    continue
                unknown = scope.unknown(Kind.POLICY, name, word.span)
                if unknown is not None:
                    self._report.add(unknown)
            elif id(policy) in found:
                self._report.repeated(f"`{word.text}`", word.span, found[id(policy)].statement.name.span)
            else:
                found[id(policy)] = Included(statement, policy)
        return tuple(found.values())
