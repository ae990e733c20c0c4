"""Resolution: the trees of a project become the policy model, with every name looked up and every word read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic, has_errors, sort_key
from egressc.names import name_word
from egressc.policy import Destinations, EndpointSet, GroupName, Policy
from egressc.resolve_accounts import resolve_accounts, resolve_parameters
from egressc.resolve_destinations import ToReader
from egressc.resolve_entries import Entries
from egressc.resolve_includes import rules_in_effect
from egressc.resolve_policies import PolicyReader
from egressc.resolve_report import Report
from egressc.resolve_rules import RuleReader
from egressc.resolve_sets import Sets
from egressc.resolve_settings import SettingsReader
from egressc.scope import Definition, build_scopes, own_names
from egressc.scope_conflicts import check_names
from egressc.syntax import Endpoints, Word
from egressc.syntax import Policy as PolicyNode

if TYPE_CHECKING:
    from egressc.project import Project


def resolve(project: Project) -> tuple[Policy | None, tuple[Diagnostic, ...]]:
    """The policy that a project states, and what is wrong with it by place; ``None`` if anything is an error.

    The diagnostics are those of this pass alone; errors among the project's own keep the policy from being made, too.
    """
    report = Report()
    scopes = {scope.file.source: scope for scope in build_scopes(project)}
    told = check_names(project, {file.source.name: own_names(file) for file in project.files}, report)
    items = [
        (item, scopes[file.source])
        for file in project.files
        if file.tree is not None
        for item in file.tree.items
        if isinstance(item, Definition)
    ]
    definitions = [item for item, _ in items]
    accounts = resolve_accounts(definitions, told, report)
    entries = Entries(report)
    sets = Sets(scopes, entries, report)
    flat = [(item, sets.flat(item)) for item in definitions if isinstance(item, Endpoints)]
    settings = SettingsReader(accounts, report)
    rules = RuleReader(settings, ToReader(entries, sets, report), Destinations(endpoints=()), report)
    reader = PolicyReader(settings, rules, report)
    policies = {id(item): reader.read(item, scope) for item, scope in items if isinstance(item, PolicyNode)}
    in_effect = rules_in_effect(policies, report)
    diagnostics = sorted(report.diagnostics, key=sort_key)
    if has_errors(diagnostics) or has_errors(project.diagnostics):
        return None, tuple(diagnostics)
    if not in_effect:
        diagnostics.append(_nothing(project, templates=bool(policies)))
    policy = Policy(
        rules=in_effect,
        accounts=tuple(accounts[name] for name in sorted(accounts)),
        parameters=resolve_parameters(definitions),
        default_groups=named_groups(project, defaults_only=True),
        sources=project.sources,
        sets=tuple(
            sorted(
                (EndpointSet(i.name.text, Destinations(endpoints=f.endpoints), i.name.span) for i, f in flat),
                key=lambda each: (each.name, each.span.source.name, each.span.start),
            )
        ),
    )
    return policy, tuple(diagnostics)


def named_groups(project: Project, *, defaults_only: bool = False) -> tuple[GroupName, ...]:
    """The groups that policies which take effect name themselves, by place: known also when nothing else resolves.

    So an unknown group can be reported in the same run as the errors that keep a policy from being made. With
    ``defaults_only``, those that their rules name are left out.
    """
    found = []
    for file in project.files:
        for item in file.tree.items if file.tree is not None and file.is_compiled else ():
            if not isinstance(item, PolicyNode) or item.template:
                continue
            rules = () if defaults_only else item.rules
            for setting in (*item.settings, *(setting for rule in rules for setting in rule.settings)):
                if setting.keyword.text == "from":
                    words = [value for value in setting.values if isinstance(value, Word)]
                    found += [GroupName(w.text, w.span) for w in words if isinstance(name_word(w.text), str)]
    return tuple(found)


def _nothing(project: Project, *, templates: bool) -> Diagnostic:
    compiled = [file.source.shown for file in project.files if file.is_compiled]
    return Diagnostic(
        code="W0247",
        message="no rule takes effect",
        help="a template policy, and a policy of a file that is only imported, takes effect where another includes it"
        if templates
        else "write a policy with rules",
        file=compiled[0] if compiled else "",
    )
