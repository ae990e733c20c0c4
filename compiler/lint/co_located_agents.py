"""# W0831: agents on one host that their vendor keeps apart (`co-located-agents`)

Some agents do not work beside each other, because they bring one component in two versions or take the same port. What
their vendor forbids is declared in the policy of one of them, in a comment of its own:

`# egressc: not-beside OTHER-POLICY "why"`

The comment stands in a policy, between its settings and rules (not inside a rule), and is about whatever that policy
describes, also where another policy includes it. The other policy need not exist: a library can name one that only
some of its users have.

This finding says that a group has rules of both policies, or that two of their groups share an address: whoever
follows the policy installs both agents on one host.

## Wrong

```egress
template policy publisher "Publishes internal applications" {
    reference "https://vendor.example/publisher"

    # egressc: not-beside scanner "both install the updater, in versions that do not work together"
    allow service "The publishing service" {
        to    publish.vendor.example
        ports 443/https
    }
}

template policy scanner "Scans passwords" {
    reference "https://vendor.example/scanner"

    allow service "The scanning service" {
        to    scan.vendor.example
        ports 443/https
    }
}

policy agents "Outbound access of the agents" {
    owner   "servers@contoso.example"
    from    servers

    include publisher
    include scanner
}
```

## Instead

```egress
template policy publisher "Publishes internal applications" {
    reference "https://vendor.example/publisher"

    # egressc: not-beside scanner "both install the updater, in versions that do not work together"
    allow service "The publishing service" {
        to    publish.vendor.example
        ports 443/https
    }
}

template policy scanner "Scans passwords" {
    reference "https://vendor.example/scanner"

    allow service "The scanning service" {
        to    scan.vendor.example
        ports 443/https
    }
}

policy publishers "Outbound access of the publishers" {
    owner   "servers@contoso.example"
    from    publishers

    include publisher
}

policy scanners "Outbound access of the scanners" {
    owner   "servers@contoso.example"
    from    scanners

    include scanner
}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.addresses import AddressSet, union_of
from egressc.diagnostics import Related
from egressc.lint.beside import declarations
from egressc.lint.hosts import listed
from egressc.lint.rule import Finding
from egressc.scope import Kind
from egressc.syntax import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from egressc.lint.subject import Subject
    from egressc.site import BoundGroup

NAME = "co-located-agents"
CODE = "W0831"

_Groups = dict[str, "BoundGroup"]


def check(subject: Subject) -> Iterator[Finding]:
    """The declared pairs of policies that meet on a host, each at the outermost policy that brings the first there."""
    declared = [each for file in subject.every_file for each in declarations(file)]
    if not declared:
        return
    agents = _Agents(subject)
    told: set[tuple[frozenset[str], str]] = set()
    for declaration in declared:
        name, other = declaration.policy.name.text, declaration.other
        if name == other:  # told as a broken allowance
            continue
        theirs = agents.groups_of(other)
        everywhere = {group: each for groups in theirs.values() for group, each in groups.items()}
        for outer, mine in agents.groups_of(name).items():
            shared = _shared(mine, everywhere)
            pair = (frozenset((name, other)), outer)
            if not shared or pair in told:
                continue
            told.update((frozenset((name, other)), each) for each in (outer, *theirs))
            from_there = next(
                (each for each, groups in theirs.items() if each != outer and _shared(groups, mine)), None
            )
            related = [Related(span=declaration.place, text="declared here")]
            if from_there is not None:
                related.append(Related(span=agents.nodes[from_there].name.span, text=f"`{other}` comes from here"))
            hosts = "a host" if len(shared) == 1 else "hosts"
            yield Finding(
                message=f"`{name}` and `{other}` share {hosts}: {listed(shared)}",
                span=agents.nodes[outer].name.span,
                label=declaration.why,
                help="give one of them hosts, and a group, of its own",
                related=tuple(related),
            )


class _Agents:
    """Which groups each policy is for, and through which outermost policy it came there."""

    def __init__(self, subject: Subject) -> None:
        self.nodes: dict[str, Policy] = {}
        self._inside: dict[str, list[str]] = {}
        self._around: dict[str, list[str]] = {}
        for file in subject.every_file:
            for item in file.items:
                if isinstance(item, Policy):
                    self.nodes[item.name.text] = item
        for name, node in self.nodes.items():
            scope = subject.scopes[node.name.span.source]
            for include in node.includes:
                if isinstance(scope.find(Kind.POLICY, include.name.text), Policy):
                    self._inside.setdefault(name, []).append(include.name.text)
                    self._around.setdefault(include.name.text, []).append(name)
        self._stated: dict[str, dict[str, _Groups]] = {}
        for rule in subject.site.rules:
            if not rule.is_deny:
                outer, _, rest = rule.identity.partition("/")
                stating = rest.partition("/")[0] if "/" in rest else outer
                groups = self._stated.setdefault(outer, {}).setdefault(stating, {})
                groups.update((group.name, group) for group in rule.groups)

    def groups_of(self, policy: str) -> dict[str, _Groups]:
        """The groups that the allows of a policy are for, by the outermost policy; what it includes is a part of it."""
        inside = _closure(policy, self._inside)
        found: dict[str, _Groups] = {}
        for outer in sorted(_closure(policy, self._around)):
            stated = self._stated.get(outer, {})
            groups = {name: group for stating in inside if stating in stated for name, group in stated[stating].items()}
            if groups:
                found[outer] = groups
        return found


def _closure(start: str, edges: Mapping[str, Iterable[str]]) -> list[str]:
    seen = {start: None}
    waiting = [start]
    while waiting:
        for name in edges.get(waiting.pop(), ()):
            if name not in seen:
                seen[name] = None
                waiting.append(name)
    return list(seen)


def _shared(mine: Mapping[str, BoundGroup], theirs: Mapping[str, BoundGroup]) -> list[str]:
    """The groups that are in both, and those of the first that have an address in the second."""
    shared = [name for name in mine if name in theirs]
    known = [group.addresses for group in theirs.values() if isinstance(group.addresses, AddressSet)]
    if not known:
        return sorted(shared)
    whole = union_of(known)
    others = [group for name, group in mine.items() if name not in theirs]
    all_of_mine = union_of(g.addresses for g in others if isinstance(g.addresses, AddressSet))
    if all_of_mine.overlaps(whole):
        shared += [g.name for g in others if isinstance(g.addresses, AddressSet) and g.addresses.overlaps(whole)]
    return sorted(shared)
