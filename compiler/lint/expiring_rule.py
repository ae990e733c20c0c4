"""# N0824: a rule that expires soon (`expiring-rule`)

The rule ends within 30 days of the date that the policy is checked for (`--as-of`, today if left out). An allow is
then left out of every artefact, and what needs it stops working; a deny stays in force and becomes a warning. Either
is better decided before that day.

Rules that have expired are told by the warnings W0506 and W0507.

## Wrong

```egress
policy migration "Access during the migration" {
    owner     "servers@contoso.example"
    reference "https://wiki.contoso.example/migration"
    from      servers

    allow vendor "The vendor's file transfer" {
        to      transfer.vendor.example
        ports   443/https
        expires 2026-12-01
    }
}
```

## Instead

```egress
policy migration "Access during the migration" {
    owner     "servers@contoso.example"
    reference "https://wiki.contoso.example/migration"
    from      servers

    allow vendor "The vendor's file transfer" {
        to      transfer.vendor.example
        ports   443/https
        expires 2027-06-01
    }
}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.lint.days import SOON, day_in, in_words
from egressc.lint.hosts import rules_to_mend
from egressc.lint.rule import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.lint.subject import Subject

NAME = "expiring-rule"
CODE = "N0824"


def check(subject: Subject) -> Iterator[Finding]:
    """The rules that end within ``SOON`` days, each at its day."""
    for written in rules_to_mend(subject):
        found = day_in(written.rule, "expires")
        if found is None:
            continue
        day, span = found
        left = (day - subject.as_of).days
        if 0 <= left <= SOON:
            then = "the allow is left out" if written.rule.action == "allow" else "the deny stays in force"
            yield Finding(
                message=f"`{written.policy.name.text}/{written.rule.name.text}` expires {in_words(left)}",
                span=span,
                label=f"its last day; after it {then}",
                help="give it a later day, or remove it if nothing needs it",
                context=written.rule.span,
            )
