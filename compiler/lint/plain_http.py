"""# W0821: plain HTTP to a host that is reached over TLS too (`plain-http`)

The policy reaches these hosts by `https`, so they speak TLS, and by `http` as well: what goes there in the clear can
be read and changed on its way, and a client that falls back to it does so silently.

Hosts that certificates are checked with (revocation lists, OCSP, issuers' certificates, trust lists) are not meant:
they are served over HTTP on purpose. A host counts if `https` is allowed to all of it, by any rule of the policy that
is compiled, what that includes among them. Some vendors list port 80 without saying what for; if the hosts need it,
say so there: `# egressc: allow plain-http "why"`.

## Wrong

```egress
policy management "Device management" {
    owner     "endpoints@contoso.example"
    reference "https://wiki.contoso.example/management"
    from      servers

    allow service "The management service" {
        to    manage.contoso.example
        ports 80/http 443/https
    }
}
```

## Instead

```egress
policy management "Device management" {
    owner     "endpoints@contoso.example"
    reference "https://wiki.contoso.example/management"
    from      servers

    allow service "The management service" {
        to    manage.contoso.example
        ports 443/https
    }
}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from egressc.diagnostics import Related
from egressc.host_index import HostIndex
from egressc.hosts_certificates import is_certificate_host
from egressc.lint.hosts import Hosts, listed, ports_of
from egressc.lint.rule import Finding
from egressc.lint.units import units
from egressc.services import Application
from egressc.templates import HostWord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.lint.hosts import Named
    from egressc.lint.subject import Subject, Written
    from egressc.source import Span

NAME = "plain-http"
CODE = "W0821"


class _Both(NamedTuple):
    """A host that is reached by both, and the rule that reaches it by ``https``."""

    text: str
    over_tls: Written


def check(subject: Subject) -> Iterator[Finding]:
    """The allows of plain HTTP to hosts that the same policy reaches by ``https``, each at the ports."""
    hosts = Hosts(subject)
    told: set[Span] = set()
    for rules in units(subject):
        allows = [written for written in rules if written.rule.action == "allow"]
        plain = [written for written in allows if _port(written, Application.HTTP)]
        if not plain:
            continue
        over_tls = _OverTls(hosts, [written for written in allows if _port(written, Application.HTTPS)])
        for written in plain:
            both = over_tls.both(written)
            port = _port(written, Application.HTTP)
            if both and port is not None and port not in told:
                told.add(port)
                yield _finding(written, port, both)


def _port(written: Written, application: Application) -> Span | None:
    """The first word under ``ports`` that names the application."""
    return next((port.span for port in ports_of(written) if port.service.application is application), None)


class _OverTls:
    """The hosts that some rules reach; words that several rules share are looked at once."""

    def __init__(self, hosts: Hosts, rules: Iterable[Written]) -> None:
        self._hosts = hosts
        self._shared: dict[int, list[_Both]] = {}
        self._templates: dict[str, Written] = {}
        patterns = []
        seen: set[int] = set()
        for written in rules:
            own, shared, _ = hosts.of(written)
            for _, host in own if id(shared) in seen else (*own, *shared):
                if isinstance(host, HostWord):
                    patterns.append((host.pattern, (host.path, written)))
                else:
                    self._templates.setdefault(host.text, written)
            seen.add(id(shared))
        self._index: Final = HostIndex(patterns)

    def both(self, written: Written) -> list[_Both]:
        """The hosts of a rule that are reached here too, but for those that certificates are checked with."""
        own, shared, _ = self._hosts.of(written)
        if id(shared) not in self._shared:
            self._shared[id(shared)] = list(self._among(shared))
        return [*self._among(own), *self._shared[id(shared)]]

    def _among(self, named: Sequence[Named]) -> Iterator[_Both]:
        for word, host in named:
            if not isinstance(host, HostWord):
                if host.text in self._templates:
                    yield _Both(word.text, self._templates[host.text])
                continue
            for path, written in self._index.containing(host.pattern):
                if path is None or host.path == path or (host.path or "").startswith(f"{path}/"):
                    if not is_certificate_host(host.pattern, host.path):
                        yield _Both(word.text, written)
                    break


def _finding(written: Written, port: Span, both: Sequence[_Both]) -> Finding:
    names = [each.text for each in both]
    over_tls = both[0].over_tls.rule.name.span
    are = "is" if len(set(names)) == 1 else "are"
    here = over_tls == written.rule.name.span
    return Finding(
        message=f"{listed(names)} {are} reached by `https` too",
        span=port,
        label="in the clear",
        help="remove it, if the hosts do not need it",
        context=written.rule.span,
        related=() if here else (Related(span=over_tls, text="by `https` here"),),
    )
