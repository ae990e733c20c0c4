"""# W0825: a review that is overdue (`overdue-review`)

The policy says by when somebody must look at it again, and that day is past (compared with `--as-of`, today if left
out). A policy that nobody looks at keeps what nobody needs any more.

## Wrong

```egress
policy servers "Outbound access of the servers" {
    owner     "servers@contoso.example"
    reference "https://wiki.contoso.example/servers"
    review-by 2026-06-30
    from      servers

    allow updates "Updates" {
        to    updates.contoso.example
        ports 443/https
    }
}
```

## Instead

Review it, then move the day:

```egress
policy servers "Outbound access of the servers" {
    owner     "servers@contoso.example"
    reference "https://wiki.contoso.example/servers"
    review-by 2027-06-30
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

from egressc.lint.days import in_words, reviews
from egressc.lint.rule import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.lint.subject import Subject

NAME = "overdue-review"
CODE = "W0825"


def check(subject: Subject) -> Iterator[Finding]:
    """The policies whose review is overdue, each at its day."""
    for policy, span, left in reviews(subject):
        if left < 0:
            yield Finding(
                message=f"the review of `{policy.name.text}` was due {in_words(left)}",
                span=span,
                label="this day is past",
                help="review the policy, then move the day",
            )
