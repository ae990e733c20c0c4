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

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from egressc.diagnostics import Related
from egressc.flows import boxes
from egressc.flows_index import uncovered
from egressc.host_index import HostIndex
from egressc.hosts import contains
from egressc.hosts_certificates import is_certificate_host
from egressc.lint.hosts import Hosts, listed, ports_of
from egressc.lint.rule import Finding
from egressc.lint.units import units
from egressc.policy import HostEndpoint
from egressc.services import Application, PortSet
from egressc.templates import HostWord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.hosts import HostPattern
    from egressc.lint.hosts import Named
    from egressc.lint.subject import Subject, Written
    from egressc.source import Span

NAME = "plain-http"
CODE = "W0821"


class _Both(NamedTuple):
    """A host that is reached by both, and the rule that reaches it by ``https``; no ``host`` with parameters."""

    text: str
    over_tls: Written
    host: HostWord | None


def check(subject: Subject) -> Iterator[Finding]:
    """The allows of plain HTTP to hosts that the same policy reaches by ``https``, each at the ports."""
    hosts = Hosts(subject)
    told: set[Span] = set()
    is_denied = _Denied(subject) if any(each.rule.action == "deny" for each in hosts.rules) else None
    for rules in units(subject):
        allows = [written for written in rules if written.rule.action == "allow"]
        plain = [written for written in allows if _port(written, Application.HTTP)]
        if not plain:
            continue
        over_tls = _OverTls(hosts, [written for written in allows if _port(written, Application.HTTPS)])
        for written in plain:
            both = over_tls.both(written)
            if is_denied is not None:
                both = [each for each in both if not is_denied.one_of_them(each, written)]
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
        own, shared, exceptions = self._hosts.of(written)
        if id(shared) not in self._shared:
            self._shared[id(shared)] = list(self._among(shared))
        both = [*self._among(own), *self._shared[id(shared)]]
        return [each for each in both if not _is_excepted(each.host, exceptions)] if exceptions else both

    def _among(self, named: Sequence[Named]) -> Iterator[_Both]:
        for word, host in named:
            if not isinstance(host, HostWord):
                if host.text in self._templates:
                    yield _Both(word.text, self._templates[host.text], None)
                continue
            for path, written in self._index.containing(host.pattern):
                if _is_excepted(host, self._hosts.of(written).exceptions):
                    continue
                if path is None or host.path == path or (host.path or "").startswith(f"{path}/"):
                    if not is_certificate_host(host.pattern, host.path):
                        yield _Both(word.text, written, host)
                    break


def _is_excepted(host: HostWord | None, exceptions: Sequence[HostPattern]) -> bool:
    return host is not None and any(contains(each, host.pattern) for each in exceptions)


class _Denied:
    """Which hosts rules name for nothing, since denies stop all that goes there."""

    def __init__(self, subject: Subject) -> None:
        self._bound = subject.bound
        self._denies = subject.index.denies
        self._tags = subject.site.tags

    def one_of_them(self, both: _Both, written: Written) -> bool:
        """True if the host is not reached by ``http`` in the one rule, or not by ``https`` in the other."""
        if both.host is None:
            return False
        endpoint = HostEndpoint(both.host.pattern, both.host.path)
        return self._is_denied(endpoint, written, Application.HTTP) or self._is_denied(
            endpoint, both.over_tls, Application.HTTPS
        )

    def _is_denied(self, endpoint: HostEndpoint, written: Written, application: Application) -> bool:
        ports = PortSet.of([port.service for port in ports_of(written) if port.service.application is application])
        rules = self._bound.get(written.rule.name.span, ())
        reaches = [replace(rule.reach, endpoints=(endpoint,), exceptions=(), ports=ports) for rule in rules]
        some = [box for reach in reaches for box in boxes(reach, self._tags)]
        # A rule that is not in effect is judged by its words alone.
        return bool(some) and uncovered(some, (), (self._denies,)) is None


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
