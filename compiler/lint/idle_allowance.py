"""# N0802: an allowance allows nothing (`idle-allowance`)

A comment `# egressc: allow RULE "why"` stands where the rule finds nothing: what it was written for has been mended or
moved, or the comment stands in the wrong place. Left as it is, it would hide the next finding of that rule there.

Only rules that ran are counted: with `--select` or `--ignore` the allowances of other rules are not judged.

## Wrong

```egress
policy dublin "Outbound access of the Dublin servers" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress"
    from      connectors

    # egressc: allow shadowed-rule "for the audit"
    allow sign-in "Sign-in" {
        to    login.windows.net
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

    allow sign-in "Sign-in" {
        to    login.windows.net
        ports 443/https
    }
}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.lint.rule import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.lint.subject import Subject

NAME = "idle-allowance"
CODE = "N0802"


def check(subject: Subject) -> Iterator[Finding]:
    """The allowances that nothing needed, as the driver has noted them."""
    for allowance in subject.idle_allowances:
        yield Finding(
            message=f"`{allowance.rule}` is allowed here, and it finds nothing",
            span=allowance.comment,
            label="allows nothing" if allowance.about is not None else "stands before nothing",
            help="remove the comment"
            if allowance.about is not None
            else "write it on the line before what it is about, or at the end of that line",
        )
