"""# W0827: a definition that nothing uses (`unused-definition`)

No rule comes to this endpoint set, service account or parameter, no policy includes this template, or no name of an
imported file is used. Whoever reads it believes that it matters; often a rule was to use it and names something else.

Definitions are told only in files that state a policy of their own and that no other file of this run imports: what a
library defines is there for others. A set that `bypass` of a group in the inventory names is used. An import counts
wherever it stands, for it brings names into its own file only; `egressc check --fix` removes it, unless a comment
stands at the end of its line.

## Wrong

```egress
endpoints updates "Update servers" {
    updates.contoso.example
}

endpoints mirrors "Mirrors of the update servers" {
    mirror.contoso.example
}

policy servers "Outbound access of the servers" {
    owner     "servers@contoso.example"
    reference "https://wiki.contoso.example/servers"
    from      servers

    allow updates "Updates" {
        to    updates
        ports 443/https
    }
}
```

## Instead

```egress
endpoints updates "Update servers" {
    updates.contoso.example
}

policy servers "Outbound access of the servers" {
    owner     "servers@contoso.example"
    reference "https://wiki.contoso.example/servers"
    from      servers

    allow updates "Updates" {
        to    updates
        ports 443/https
    }
}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.lint.edits import removal
from egressc.lint.rule import Finding
from egressc.scope import KIND_OF, Definition, Kind
from egressc.syntax import Endpoints, Import, Policy, Word
from egressc.templates import TemplateWord
from egressc.words import SetWord, endpoint_word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egressc.lint.subject import Subject
    from egressc.project import ProjectFile
    from egressc.scope import Scope
    from egressc.syntax import Item

NAME = "unused-definition"
CODE = "W0827"

_HOW = {
    Kind.SET: "no rule comes to it",
    Kind.ACCOUNT: "no `as` names it",
    Kind.POLICY: "no policy includes it",
    Kind.PARAMETER: "no rule comes to a host with it",
}


def check(subject: Subject) -> Iterator[Finding]:
    """The definitions and imports that nothing uses, of the files that the PATHs stand for."""
    imported = {each.name for file in subject.project.files for each in file.imports}
    bypass = {text for group in subject.inventory.groups if group.proxy is not None for text in group.proxy.texts}
    for file in subject.project.files:
        if not file.is_compiled or file.tree is None:
            continue
        scope = subject.scopes[file.source]
        bypassed = [d for name in bypass if (d := scope.find(Kind.SET, name)) is not None]
        named = {id(item): tuple(_named(item, scope)) for item in file.tree.items}
        used = [*bypassed, *(d for each in named.values() for d in each)]
        yield from _imports(file, {d.name.span.source.name for d in used})
        policies = [item for item in file.tree.items if isinstance(item, Policy)]
        if file.source.name not in imported and not all(policy.template for policy in policies):
            yield from _definitions(file.tree.items, policies, bypassed, named)


def _imports(file: ProjectFile, used: set[str]) -> Iterator[Finding]:
    for each in file.imports:
        if each.name is not None and each.name not in used:
            yield Finding(
                message=f"nothing of `{each.statement.path.value}` is used here",
                span=each.statement.path.span,
                label="no name that it defines stands in this file",
                help="remove the import: names are not passed on to files that import this one",
                # What stands at the end of its line is about the import, and would be about nothing.
                fix=(removal(each.statement.span),) if each.statement.comments.trailing is None else (),
            )


def _definitions(
    items: Iterable[Item],
    policies: Iterable[Policy],
    bypassed: Iterable[Definition],
    named: dict[int, tuple[Definition, ...]],
) -> Iterator[Finding]:
    # What only an unused template uses is not told beside it.
    reached = _reached([*policies, *bypassed], named)
    in_effect = _reached([policy for policy in policies if not policy.template], named)
    for item in items:
        if not isinstance(item, Import) and id(item) not in (in_effect if isinstance(item, Policy) else reached):
            kind = KIND_OF[type(item)]
            what = "template policy" if isinstance(item, Policy) else kind.value
            yield Finding(
                message=f"the {what} `{item.name.text}` is not used",
                span=item.name.span,
                label=_HOW[kind],
                help="remove it, or use it where it was meant",
            )


def _reached(roots: Iterable[Definition], named: dict[int, tuple[Definition, ...]]) -> set[int]:
    """The definitions that these come to, by the identity of their nodes."""
    reached: set[int] = set()
    waiting: list[Definition] = list(roots)
    while waiting:
        definition = waiting.pop()
        if id(definition) not in reached:
            reached.add(id(definition))
            waiting += named.get(id(definition), ())
    return reached


def _named(item: Item, scope: Scope) -> Iterator[Definition]:
    """The definitions that an item names, in this file or in an imported one."""
    for kind, name in _names(item):
        found = scope.find(kind, name)
        if found is not None:
            yield found


def _names(item: Item) -> Iterator[tuple[Kind, str]]:
    match item:
        case Endpoints():
            yield from _in_hosts(item.entries)
        case Policy():
            yield from ((Kind.POLICY, include.name.text) for include in item.includes)
            for setting in (*item.settings, *(setting for rule in item.rules for setting in rule.settings)):
                match setting.keyword.text:
                    case "as":
                        yield from ((Kind.ACCOUNT, value.text) for value in setting.values if isinstance(value, Word))
                    case "to":
                        yield from _in_hosts((*setting.values, *(setting.exceptions or ())))
        case _:
            pass


def _in_hosts(entries: Iterable[object]) -> Iterator[tuple[Kind, str]]:
    for entry in entries:
        meaning = endpoint_word(entry.text) if isinstance(entry, Word) else None
        if isinstance(meaning, SetWord):
            yield Kind.SET, meaning.name
        elif isinstance(meaning, TemplateWord):
            yield from ((Kind.PARAMETER, parameter) for parameter in meaning.parameters)
