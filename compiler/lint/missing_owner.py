"""# W0828: a policy without an owner (`missing-owner`)

Nobody is named who can say whether the policy is still right: who to ask before it changes, and who hears of it when a
firewall refuses something. A template policy needs none: whoever includes it names theirs.

## Wrong

```egress
policy servers "Outbound access of the servers" {
    reference "https://wiki.contoso.example/servers"
    from      servers

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

NAME = "missing-owner"
CODE = "W0828"


def check(subject: Subject) -> Iterator[Finding]:
    """The policies without an owner, but for templates."""
    for policy in subject.policies():
        if not policy.template and not text_of(policy, "owner"):
            yield Finding(
                message=f"the policy `{policy.name.text}` has no owner",
                span=policy.name.span,
                label="nobody to ask",
                help='write `owner "…"`: a team or an address that outlives a person',
            )
