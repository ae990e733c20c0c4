"""What lint rules look at: the files as written, the policy that they state, and what it means here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from egressc.bind import bind_everything, prepare
from egressc.diagnostics import has_errors
from egressc.lint.allowed import allowances
from egressc.scope import build_scopes
from egressc.syntax import Policy as PolicyNode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from egressc.bind import Prepared
    from egressc.inventory import Inventory
    from egressc.lint.allowed import Allowance
    from egressc.policy import Policy
    from egressc.project import Project
    from egressc.rule_index import RuleIndex
    from egressc.scope import Scope
    from egressc.site import BoundRule, Site
    from egressc.source import Source, Span
    from egressc.syntax import File
    from egressc.syntax import Rule as RuleNode


class Written(NamedTuple):
    """A rule as it stands in a file, with the policy that it stands in."""

    policy: PolicyNode
    rule: RuleNode


@dataclass(frozen=True)
class Subject:
    """A policy without errors, in every form that a rule may ask for; what costs something is made when first used.

    A rule of a file may be several rules of the policy (one for each policy that includes it), and each of those
    several bound rules (one for each way to fill its parameters): ``bound`` has them by the span of the rule's name.
    ``idle_allowances`` are set for the last rule only.
    """

    project: Project
    prepared: Prepared
    idle_allowances: tuple[Allowance, ...] = ()

    @property
    def policy(self) -> Policy:
        """The policy with every name resolved, before it meets the inventory; expired allows included."""
        return self.prepared.policy

    @property
    def inventory(self) -> Inventory:
        """The inventory; without a ``source`` there is none."""
        return self.prepared.inventory

    @property
    def as_of(self) -> date:
        """The date that the policy is checked for."""
        return self.prepared.as_of

    @cached_property
    def files(self) -> tuple[File, ...]:
        """The trees of the files that the PATHs stand for; files that are only imported are not among them."""
        return tuple([f.tree for f in self.project.files if f.tree is not None and f.is_compiled])

    @cached_property
    def every_file(self) -> tuple[File, ...]:
        """The trees of all files."""
        return tuple([f.tree for f in self.project.files if f.tree is not None])

    @cached_property
    def allowances(self) -> tuple[Allowance, ...]:
        """The comments of all files that are addressed to egressc."""
        return tuple([each for file in self.every_file for each in allowances(file)])

    @cached_property
    def scopes(self) -> dict[Source, Scope]:
        """The names that each file sees."""
        return {scope.file.source: scope for scope in build_scopes(self.project)}

    def policies(self) -> Iterator[PolicyNode]:
        """The policies of ``files`` as written, templates too, in the order of their places."""
        for file in self.files:
            yield from (item for item in file.items if isinstance(item, PolicyNode))

    @cached_property
    def written(self) -> dict[Span, Written]:
        """The rules of all files as written, by the span of their name; in the order of their places."""
        return {
            rule.name.span: Written(item, rule)
            for file in self.every_file
            for item in file.items
            if isinstance(item, PolicyNode)
            for rule in item.rules
        }

    @cached_property
    def site(self) -> Site[None]:
        """One site of all groups and all rules."""
        return bind_everything(self.prepared)

    @property
    def index(self) -> RuleIndex:
        """The index over the rules of ``site``."""
        return self.site.index

    @cached_property
    def bound(self) -> dict[Span, list[BoundRule]]:
        """The bound rules by the span of the rule's name, in the order of their places."""
        found: dict[Span, list[BoundRule]] = {}
        for rule in self.site.rules:
            found.setdefault(rule.rule.span, []).append(rule)
        return dict(sorted(found.items(), key=lambda item: (item[0].source.name, item[0].start)))

    def sure_units(self) -> Iterator[tuple[Span, list[BoundRule]]]:
        """``bound`` without the rules of which not everything is known, because parameters have no value here."""
        open_ = self.open_rules
        return ((span, rules) for span, rules in self.bound.items() if span not in open_)

    @cached_property
    def open_rules(self) -> frozenset[Span]:
        """The rules that wait for parameters; none if there is an inventory, since all must be bound then."""
        if self.inventory.source is not None:
            return frozenset()
        return frozenset([rule.span for rule in self.prepared.rules if rule.to.has_parameters])


def subject_of(project: Project, policy: Policy, inventory: Inventory, as_of: date) -> Subject | None:
    """What is to be linted; ``None`` if policy and inventory do not fit each other."""
    prepared, problems = prepare(policy, inventory, as_of)
    if inventory.source is None:
        # Without an inventory no parameter has a value, which is no error of the policy.
        problems = tuple([d for d in problems if d.code != "E0504"])
    return None if has_errors(problems) else Subject(project, prepared)
