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

from typing import TYPE_CHECKING, TypeAlias

from egressc.diagnostics import Related
from egressc.host_index import HostIndex
from egressc.hosts_certificates import is_certificate_host
from egressc.lint.hosts import listed, ports_of
from egressc.lint.rule import Finding
from egressc.policy import HostEndpoint
from egressc.services import Application

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egressc.lint.subject import Subject
    from egressc.policy import Endpoint
    from egressc.site import BoundRule
    from egressc.source import Span

    _OverTls: TypeAlias = HostIndex[tuple[HostEndpoint, Span]]

NAME = "plain-http"
CODE = "W0821"


def check(subject: Subject) -> Iterator[Finding]:
    """The allows of plain HTTP to hosts that the same policy reaches by ``https``, each at the ports."""
    policies: dict[str, list[BoundRule]] = {}
    for rules in subject.bound.values():
        for rule in rules:
            if not rule.is_deny:
                policies.setdefault(rule.rule.policy.name, []).append(rule)
    told: set[Span] = set()
    for rules in policies.values():
        plain = [rule for rule in rules if _speaks(rule, Application.HTTP)]
        index = _index(rule for rule in rules if _speaks(rule, Application.HTTPS)) if plain else None
        if index is None:
            continue
        found: dict[int, dict[str, Span]] = {}
        for rule in plain:
            place = rule.rule.span
            if id(rule.endpoints) not in found:
                found[id(rule.endpoints)] = dict(_both(rule.endpoints, index))
            hosts = found[id(rule.endpoints)]
            if hosts and place not in told:
                told.add(place)
                yield _finding(subject, place, hosts)


def _speaks(rule: BoundRule, application: Application) -> bool:
    return any(service.application is application for service in rule.services)


def _index(rules: Iterable[BoundRule]) -> _OverTls:
    """The hosts that the rules reach, those of endpoints that several rules share once."""
    shared = {id(rule.endpoints): rule for rule in rules}
    return HostIndex(
        [
            (endpoint.pattern, (endpoint, rule.rule.span))
            for rule in shared.values()
            for endpoint in rule.endpoints
            if isinstance(endpoint, HostEndpoint)
        ]
    )


def _both(endpoints: Iterable[Endpoint], index: _OverTls) -> Iterator[tuple[str, Span]]:
    """The hosts that the index holds, too, and the place of a rule that reaches them there."""
    for endpoint in endpoints:
        if not isinstance(endpoint, HostEndpoint) or is_certificate_host(endpoint.pattern, endpoint.path):
            continue
        for other, place in index.containing(endpoint.pattern):
            if other.path is None or endpoint.path == other.path or (endpoint.path or "").startswith(f"{other.path}/"):
                yield endpoint.text, place
                break


def _finding(subject: Subject, place: Span, hosts: dict[str, Span]) -> Finding:
    written = subject.written[place]
    port = next(port for port in ports_of(written) if port.service.application is Application.HTTP)
    over_tls = next(iter(hosts.values()))
    are = "is" if len(hosts) == 1 else "are"
    return Finding(
        message=f"{listed(list(hosts))} {are} reached by `https` too",
        span=port.span,
        label="in the clear",
        help="remove it, if the hosts do not need it",
        context=written.rule.span,
        related=() if over_tls == place else (Related(span=over_tls, text="by `https` here"),),
    )
