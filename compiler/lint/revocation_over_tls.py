"""# W0822: revocation lists over TLS (`revocation-over-tls`)

Revocation lists and OCSP answers are signed, and fetched over plain HTTP: the client needs them to check the
certificate of a TLS connection, so they cannot come over one (RFC 5280, section 8, warns of the circle). Certification
authorities do not serve them on 443, and an allow for it opens a port that nothing uses. Often it was meant to be 80.

A host counts if it is called as authorities call theirs (`crl3.…`, `ocsp.…`, `oneocsp.…`), or is in a small table of
known ones. Trust lists and intermediate certificates are not meant: some vendors serve these on both.

## Wrong

```egress
policy certificates "Verification of certificates" {
    owner     "pki@contoso.example"
    reference "https://wiki.contoso.example/certificates"
    from      servers

    allow revocation "Revocation lists and OCSP" {
        to    crl3.digicert.com ocsp.digicert.com
        ports 443/https
    }
}
```

## Instead

```egress
policy certificates "Verification of certificates" {
    owner     "pki@contoso.example"
    reference "https://wiki.contoso.example/certificates"
    from      servers

    allow revocation "Revocation lists and OCSP" {
        to    crl3.digicert.com ocsp.digicert.com
        ports 80/http
    }
}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diagnostics import Related
from egressc.hosts import contains
from egressc.hosts_certificates import is_revocation_host
from egressc.lint.hosts import Hosts, listed, ports_of
from egressc.lint.rule import Finding
from egressc.services import Application
from egressc.templates import HostWord

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.hosts import HostPattern
    from egressc.lint.hosts import Named
    from egressc.lint.subject import Subject
    from egressc.services import Service

NAME = "revocation-over-tls"
CODE = "W0822"


def check(subject: Subject) -> Iterator[Finding]:
    """The allows that open TLS to revocation hosts, each at the ports."""
    hosts = Hosts(subject)
    among: dict[int, list[Named]] = {}
    for written in hosts.rules:
        if written.rule.action == "deny":
            continue
        port = next((port for port in ports_of(written) if _is_tls(port.service)), None)
        if port is None:
            continue
        own, shared, exceptions = hosts.of(written)
        if id(shared) not in among:
            among[id(shared)] = _revocation(shared)
        named = [*_revocation(own), *among[id(shared)]]
        if exceptions:
            named = [each for each in named if not _is_excepted(each, exceptions)]
        if named:
            serve = "serves" if len(named) == 1 else "serve"
            yield Finding(
                message=f"{listed([each.word.text for each in named])} {serve} revocation lists or OCSP, over HTTP",
                span=port.span,
                label="not over TLS",
                help="write `80/http`, in a rule of its own if other hosts are in this one",
                context=written.rule.span,
                related=(Related(span=named[0].word.span, text="named here"),),
            )


def _revocation(named: Sequence[Named]) -> list[Named]:
    return [each for each in named if isinstance(each.host, HostWord) and is_revocation_host(each.host.pattern)]


def _is_excepted(named: Named, exceptions: Sequence[HostPattern]) -> bool:
    return isinstance(named.host, HostWord) and any(contains(each, named.host.pattern) for each in exceptions)


def _is_tls(service: Service) -> bool:
    if service.application in (Application.HTTPS, Application.TLS):
        return True
    return service.application is Application.TCP and service.first == service.last == 443
