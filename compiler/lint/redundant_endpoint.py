"""# W0805: an endpoint that its list holds already (`redundant-endpoint`)

Everything that this entry stands for is held by other entries of the same list: `a.example.com` below `*.example.com`,
an address in a network, a host of a set that stands beside it. The entry does nothing; it only makes readers ask what
it adds, and whoever narrows the other entry later does not see that this one stays.

Not told of a host beside a set that holds it, where without that host the set's `fallback` would stand in for names.

`egressc check --fix` removes such an entry, unless it is a set or carries a comment.

## Wrong

```egress
policy dublin "Outbound access of the Dublin servers" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress"
    from      connectors

    allow sign-in "Sign-in" {
        to    *.msauth.net login.windows.net logincdn.msauth.net
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
        to    *.msauth.net login.windows.net
        ports 443/https
    }
}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diagnostics import Related
from egressc.lint.edits import removal
from egressc.lint.lists import Lists, lists_of
from egressc.lint.rule import Finding
from egressc.syntax import NO_COMMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.lint.lists import EntryList, Held
    from egressc.lint.subject import Subject

NAME = "redundant-endpoint"
CODE = "W0805"

_NAMED = 3


def check(subject: Subject) -> Iterator[Finding]:
    """The entries of lists that could all be removed, given those that stay."""
    lists = Lists(subject)
    for file in subject.files:
        for some in lists_of(file):
            for held in lists.held(some):
                yield _finding(some, held)


def _finding(some: EntryList, held: Held) -> Finding:
    entry = some.entries[held.number]
    by = [some.entries[number] for number in held.by]
    names = ", ".join(f"`{each.span.text}`" for each in by[:_NAMED])
    more = f" and {len(by) - _NAMED} more" if len(by) > _NAMED else ""
    return Finding(
        message=f"`{entry.span.text}` is held by {names}{more} in the same list",
        span=entry.span,
        label="adds nothing",
        help="remove it",
        context=some.span,
        related=tuple([Related(span=each.span, text="holds it") for each in by[:_NAMED]]),
        fix=(removal(entry.span),) if held.is_literal and entry.comments == NO_COMMENTS else (),
    )
