"""# N0826: a review that is due soon (`due-review`)

The policy must be reviewed within 30 days of the date that it is checked for (`--as-of`, today if left out). Later it
is a warning: `overdue-review`.

## Wrong

```egress
policy servers "Outbound access of the servers" {
    owner     "servers@contoso.example"
    reference "https://wiki.contoso.example/servers"
    review-by 2026-12-01
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

from egressc.lint.days import SOON, in_words, reviews
from egressc.lint.rule import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.lint.subject import Subject

NAME = "due-review"
CODE = "N0826"


def check(subject: Subject) -> Iterator[Finding]:
    """The policies whose review is due within ``SOON`` days, each at its day."""
    for policy, span, left in reviews(subject):
        if 0 <= left <= SOON:
            yield Finding(
                message=f"the review of `{policy.name.text}` is due {in_words(left)}",
                span=span,
                label="the last day",
                help="review the policy, then move the day",
            )
