"""# W0807: a rule that denies hide (`shadowed-rule`)

Denies win, whatever the order. Every flow of this allow is denied by a deny, or by several together, so the allow does
nothing: whoever reads it believes in access that there is not. A deny of which other denies hold every flow does
nothing either.

A deny counts only if it holds as long as the rule that it hides: one with a `feature` that the rule lacks, or one that
`expires` before the rule, hides nothing for good.

## Wrong

```egress
policy dublin "Outbound access of the Dublin servers" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress"
    from      connectors

    allow backup "Backup to a storage account" {
        to    contoso.blob.core.windows.net
        ports 443/https
    }
    deny shadow-storage "No connector talks to storage accounts" {
        to    *.blob.core.windows.net
        ports 443/https
    }
}
```

## Instead

```egress
policy dublin "Outbound access of the Dublin servers" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress"
    from      connectors

    allow backup "Backup to a storage account" {
        to    contoso.blob.core.windows.net
        ports 443/https
    }
    # egressc: allow idle-deny "a guard rail for whatever is allowed later"
    deny shadow-storage "No connector talks to storage accounts, but for the backup" {
        to    *.blob.core.windows.net except contoso.blob.core.windows.net
        ports 443/https
    }
}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.lint.covers import Covers, lasts
from egressc.lint.rule import Finding
from egressc.lint.words import rules_in_words, the_places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.lint.subject import Subject

NAME = "shadowed-rule"
CODE = "W0807"


def check(subject: Subject) -> Iterator[Finding]:
    """The allows that denies hide, and the denies that other denies hold."""
    denies = subject.index.deny_rules
    if not denies:
        return
    hidden = Covers(denies, subject.site.tags, lasts)
    for span, rules in subject.sure_units():
        if rules[0].is_deny:
            continue
        by = hidden.covering(rules)
        if by:
            yield Finding(
                message=f"every flow of `{rules[0].identity}` is denied by {rules_in_words(by)}",
                span=span,
                label="this allow does nothing",
                help="remove it, or take its flows out of the deny with `except`",
                related=the_places(by, "denies its flows"),
                also=tuple([each.rule.span for each in by]),
            )
    for (span, rules), by in hidden.superfluous([unit for unit in subject.sure_units() if unit[1][0].is_deny]):
        yield Finding(
            message=f"every flow of `{rules[0].identity}` is denied by {rules_in_words(by)} too",
            span=span,
            label="this deny does nothing of its own",
            help="remove one of them",
            related=the_places(by, "denies its flows too"),
            also=tuple([each.rule.span for each in by]),
        )
