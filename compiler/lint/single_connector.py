"""# N0830: a group with a single address (`single-connector`)

An allow is for this group, and the group has one address: a connector or agent that stands alone. When its host is
down, or restarts for an update, what it connects is cut off. Vendors ask for two or more. An address of each IP version
is one host; a network counts with all its addresses, a union with those of all its members.

If one is enough, say so in the inventory, on the group's line or on the line before it: `# egressc: allow
single-connector "why"`.

## Wrong

```egress
policy connectors "Outbound access of the connectors" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/connectors"
    from      connectors

    allow cloud-service "The cloud service" {
        to    service.contoso.example
        ports 443/https
    }
}
```

```yaml
groups:
  connectors:
    networks: [10.20.0.10, "2001:db8:20::10"]
```

## Instead

```egress
policy connectors "Outbound access of the connectors" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/connectors"
    from      connectors

    allow cloud-service "The cloud service" {
        to    service.contoso.example
        ports 443/https
    }
}
```

```yaml
groups:
  connectors:
    networks: [10.20.0.10, 10.20.0.11, "2001:db8:20::10", "2001:db8:20::11"]
```
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from egressc.addresses import union_of
from egressc.anything import Anything
from egressc.diagnostics import Related
from egressc.lint.rule import Finding
from egressc.policy import Action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.inventory import Group
    from egressc.lint.subject import Subject
    from egressc.source import Span

NAME = "single-connector"
CODE = "N0830"

_ALLOWED: Final = re.compile(rf'#+\s*egressc\s*:\s*allow\s+{NAME}\s+"(?=[^"]*[^"\s])[^"]*"', re.IGNORECASE)


def check(subject: Subject) -> Iterator[Finding]:
    """The groups that allows name and that have one address, each where the inventory defines it."""
    named: dict[str, Span] = {}
    allows = [rule for rule in subject.prepared.rules if rule.action is Action.ALLOW]
    for rule in sorted(allows, key=lambda rule: (rule.span.source.name, rule.span.start)):
        if not isinstance(rule.groups, Anything):
            for group in rule.groups:
                named.setdefault(group.name, group.span)
    for name, place in named.items():
        defined = subject.inventory.group(name)
        if defined is None or _is_allowed(defined.span) or not _is_single(subject, defined):
            continue
        yield Finding(
            message=f"the group `{name}` has a single address",
            span=defined.span,
            label="nothing takes over when it is down",
            help="add the address of another host, or say why one is enough: "
            f'`# egressc: allow {NAME} "why"` on the line before',
            related=(Related(span=place, text="rules are for it"),),
        )


def _is_single(subject: Subject, group: Group) -> bool:
    """True if all addresses of the group are known, and no IP version has two."""
    networks = [leaf.networks for leaf in subject.inventory.leaves([group.name])]
    known = [each for each in networks if each is not None]
    if not known or len(known) < len(networks):
        return False
    whole = union_of(known)
    return max(whole.family(4).size, whole.family(6).size) < 2


def _is_allowed(span: Span) -> bool:
    """True if a comment at the group, or on the line before it, allows it."""
    line = span.line
    lines = [span.source.line_text(line)]
    if line > 1 and span.source.line_text(line - 1).lstrip().startswith("#"):
        lines.append(span.source.line_text(line - 1))
    return any(_ALLOWED.search(text) for text in lines)
