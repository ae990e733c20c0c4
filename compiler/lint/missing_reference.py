"""# N0829: a policy without a reference (`missing-reference`)

Nothing says why these rules are there: no `reference` (the vendor's page, the design) and no `ticket`, neither in the
policy nor in the rule. Whoever reviews it can only guess whether a rule may go. A template policy needs one most of
all, since others include it. A policy that only includes others has those of what it includes.

## Wrong

```egress
policy servers "Outbound access of the servers" {
    owner "servers@contoso.example"
    from  servers

    allow updates "Updates" {
        to    updates.contoso.example
        ports 443/https
    }
}
```

## Instead

```egress
policy servers "Outbound access of the servers" {
    owner     "servers@contoso.example"
    reference "https://wiki.contoso.example/servers"
    from      servers

    allow updates "Updates" {
        to    updates.contoso.example
        ports 443/https
    }
}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.lint.hosts import text_of
from egressc.lint.rule import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.lint.subject import Subject
    from egressc.syntax import Policy, Rule

NAME = "missing-reference"
CODE = "N0829"


def check(subject: Subject) -> Iterator[Finding]:
    """The policies with rules that nothing is said about, neither there nor in the policy."""
    for policy in subject.policies():
        if _says_why(policy):
            continue
        bare = [rule for rule in policy.rules if not _says_why(rule)]
        if bare:
            name = policy.name.text
            yield Finding(
                message=f"the policy `{name}` has neither a reference nor a ticket"
                if len(bare) == len(policy.rules)
                else f"`{name}/{bare[0].name.text}` has neither a reference nor a ticket, nor has its policy",
                span=policy.name.span if len(bare) == len(policy.rules) else bare[0].name.span,
                label="nothing says why"
                if len(bare) == 1 or len(bare) == len(policy.rules)
                else f"nothing says why, nor of {len(bare) - 1} more",
                help='write `reference "…"` or `ticket "…"`',
            )


def _says_why(node: Policy | Rule) -> bool:
    return bool(text_of(node, "reference") or text_of(node, "ticket"))
