"""# W0823: a host that is easily taken for another (`look-alike-host`)

The policy allows two names that a reader takes for one: a registered name that is one letter from another one
(`microsoftonlne.com`), letters that look alike (`rnicrosoft.com`, `micros0ft.com`, or letters of another script behind
`xn--`), a dot that is not there (`loginwindows.net`), another top-level domain. One of the two is a slip, and then
something does not work; or somebody put it there, and then it goes to a stranger. A name that mixes scripts so that it
looks like a Latin one is told even if it stands alone.

Numbered and lettered families (`crl3` and `crl4`), regions, the clouds of countries (`.us`, `.cn`) and short words are
not meant. What only denies name is not looked at: denying a look-alike is a good idea.

## Wrong

```egress
policy sign-in "Sign-in to the directory" {
    owner     "identity@contoso.example"
    reference "https://wiki.contoso.example/sign-in"
    from      servers

    allow sign-in "Sign-in" {
        to    login.microsoftonline.com
        ports 443/https
    }
    allow tokens "Tokens" {
        to    sts.microsoftonlne.com
        ports 443/https
    }
}
```

## Instead

```egress
policy sign-in "Sign-in to the directory" {
    owner     "identity@contoso.example"
    reference "https://wiki.contoso.example/sign-in"
    from      servers

    allow sign-in "Sign-in" {
        to    login.microsoftonline.com
        ports 443/https
    }
    allow tokens "Tokens" {
        to    sts.microsoftonline.com
        ports 443/https
    }
}
```
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from egressc.diagnostics import Related
from egressc.hosts_look_alike import odd_names
from egressc.lint.hosts import Hosts
from egressc.lint.rule import Finding
from egressc.templates import HostWord

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.lint.hosts import Named
    from egressc.lint.subject import Subject
    from egressc.source import Span
    from egressc.templates import TemplateWord

NAME = "look-alike-host"
CODE = "W0823"


def check(subject: Subject) -> Iterator[Finding]:
    """The hosts that are easily taken for others, each where it is written first."""
    hosts = Hosts(subject)
    uses: dict[str, int] = {}
    first: dict[str, Span] = {}
    read: set[int] = set()
    for written in hosts.rules:
        if written.rule.action == "deny":
            continue
        own, shared, _ = hosts.of(written)
        named: tuple[Named, ...] = own if id(shared) in read else (*own, *shared)
        read.add(id(shared))
        for word, host in named:
            text = _text(host)
            uses[text] = uses.get(text, 0) + 1
            first.setdefault(text, word.span)
    for odd in odd_names(uses):
        other = first.get(odd.other)
        yield Finding(
            message=f"`{odd.part}` {odd.how} `{odd.like}`",
            span=first[odd.host],
            label="a slip, or a stranger",
            help=f"write `{odd.like}` if that is meant; if both are right, say why at this one",
            related=() if other is None else (Related(span=other, text=f"`{odd.like}` is allowed here"),),
        )


def _text(host: HostWord | TemplateWord) -> str:
    """The host as one name, without what leaves its beginning open."""
    text = host.pattern.text if isinstance(host, HostWord) else re.sub(r"\$\{[^}]*\}", "*", host.host.lower())
    return text.removeprefix("*.").removeprefix("[one-label].")
