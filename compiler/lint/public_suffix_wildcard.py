"""# W0820: a wildcard under which anyone can register a name (`public-suffix-wildcard`)

Some domains are not one organisation's: whoever pays for a storage account, a namespace or a site chooses a name under
`blob.core.windows.net`, `servicebus.windows.net` or `github.io`. An allow for a wildcard over such a domain, or over
one above it, lets the hosts talk to all of them: enough to carry data out. The rule knows the private section of the
public suffix list and the zones of Azure and Microsoft 365 that the list lacks.

A wildcard below a name that the pattern fixes (`*.contoso.blob.core.windows.net`) is not meant, nor one in a deny.
What an allow takes out with `except` does not count. A suffix of one label that is in no list (`*.corp`) is told, too:
nobody can say who registers names there. Those that are set aside so that nobody ever can (`*.internal`, `*.local`,
`*.test` and the like) are not.

## Wrong

```egress
policy backup "Backup to the cloud" {
    owner     "storage@contoso.example"
    reference "https://wiki.contoso.example/backup"
    from      servers

    allow storage "The backup storage account" {
        to    *.blob.core.windows.net
        ports 443/https
    }
}
```

## Instead

Name what is yours. Where the vendor demands the whole domain, say so where it stands: `# egressc: allow
public-suffix-wildcard "why"`.

```egress
policy backup "Backup to the cloud" {
    owner     "storage@contoso.example"
    reference "https://wiki.contoso.example/backup"
    from      servers

    allow storage "The backup storage account" {
        to    contosobackup.blob.core.windows.net
        ports 443/https
    }
}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egressc.diagnostics import Related
from egressc.hosts import HostPattern, contains
from egressc.lint.hosts import Hosts
from egressc.lint.rule import Finding
from egressc.public_suffixes_tenants import note_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.lint.hosts import Named
    from egressc.lint.subject import Subject, Written
    from egressc.source import Span

NAME = "public-suffix-wildcard"
CODE = "W0820"

_SET_ASIDE: Final = frozenset({"internal", "local", "test", "example", "invalid", "localhost", "alt", "onion"})
"""Top-level domains that the public DNS never has: `internal` by resolution of the ICANN Board (2024.07.29.06, not read
here), the others in IANA's "Special-Use Domain Names" (RFC 6761, RFC 6762, RFC 7686, RFC 9476)."""


def check(subject: Subject) -> Iterator[Finding]:
    """The wildcards of allows under which anyone can register a name, each where it is written, once."""
    hosts = Hosts(subject)
    told: set[Span] = set()
    open_: dict[int, tuple[Named, ...]] = {}
    done: set[int] = set()
    for written in hosts.rules:
        if written.rule.action == "deny":
            continue
        own, shared, exceptions = hosts.of(written)
        if id(shared) not in open_:
            open_[id(shared)] = _open(shared)
        named = _open(own) if id(shared) in done else (*_open(own), *open_[id(shared)])
        if not exceptions:
            done.add(id(shared))
        for each in named:
            note = "" if each.word.span in told else _note(each, exceptions)
            if note:
                told.add(each.word.span)
                yield _finding(each, note, written)


def _open(named: Sequence[Named]) -> tuple[Named, ...]:
    wild = [each for each in named if "*" in each.word.text and not _is_set_aside(each.word.text)]
    return tuple([each for each in wild if note_for(each.word.text)])


def _is_set_aside(text: str) -> bool:
    return text.partition("/")[0].rpartition(".")[2].lower() in _SET_ASIDE


def _note(named: Named, exceptions: Sequence[HostPattern]) -> str:
    if not exceptions:
        return note_for(named.word.text)

    def leaves(suffix: str) -> bool:
        below = HostPattern(tuple(suffix.split(".")), deep=True)
        return not any(contains(exception, below) for exception in exceptions)

    return note_for(named.word.text, leaves)


def _finding(named: Named, note: str, written: Written) -> Finding:
    span = named.word.span
    inside = written.rule.span
    away = span.source is not inside.source or not inside.start <= span.start < inside.end
    rule = f"{written.policy.name.text}/{written.rule.name.text}"
    return Finding(
        message=f"`{span.text}` is allowed, and {note}",
        span=span,
        label="a wildcard over names of strangers",
        help="name the hosts that are meant, or take the rest out with `except`",
        related=(Related(span=written.rule.name.span, text=f"`{rule}` allows it"),) if away else (),
    )
