"""Revocation hosts over TLS."""

from __future__ import annotations

import pytest
from lint_support import findings, told

RULE = "revocation-over-tls"


def policy(to, ports, action="allow", before=""):
    return f'{before}policy p "P" {{\n    from g\n    {action} a "A" {{\n        to    {to}\n        ports {ports}\n    }}\n}}\n'


@pytest.mark.parametrize("ports", ["443/https", "443/tcp", "8443/https", "443/tls", "80/http 443/https"])
def test_over_tls(ports):
    ((line, word, message),) = told(policy("crl3.digicert.com", ports), RULE)
    assert (line, word) == (5, ports.rpartition(" ")[2])
    assert message == "`crl3.digicert.com` serves revocation lists or OCSP, over HTTP"


@pytest.mark.parametrize("ports", ["80/http", "80/tcp", "1-1024/tcp", "443/udp"])
def test_not_over_tls(ports):
    assert told(policy("crl3.digicert.com", ports), RULE) == []


@pytest.mark.parametrize(
    "to",
    [
        "*.digicert.com",
        "login.windows.net",
        "ctldl.windowsupdate.com www.microsoft.com/pkiops",
        "10.0.0.1",
        "ocsp.com",
    ],
)
def test_other_hosts(to):
    assert told(policy(to, "443/https"), RULE) == []


def test_a_deny_may():
    assert (
        told(
            policy("crl3.digicert.com", "443/https", "deny").replace(
                "}\n}", '}\n    allow b "B" {\n        to    a.example.com\n        ports 443/https\n    }\n}'
            ),
            RULE,
        )
        == []
    )


def test_a_set_is_told_at_the_ports_and_shown():
    sets = "endpoints lists {\n    ocsp.digicert.com\n    crl.microsoft.com\n    www.example.com\n}\n"
    (found,) = findings(policy("lists", "443/https", before=sets), RULE)
    assert (found.span.line, found.span.text) == (10, "443/https")
    assert found.message == (
        "`ocsp.digicert.com` and `crl.microsoft.com` serve revocation lists or OCSP, over HTTP (revocation-over-tls)"
    )
    assert [each.span.line for each in found.related] == [2]


def test_what_the_rule_excepts():
    before = "endpoints s { crl3.digicert.com www.digicert.com }\n"
    assert told(policy("s except crl3.digicert.com", "443/https", before=before), RULE) == []
    assert told(policy("s except crl*.digicert.com", "443/https", before=before), RULE) == []
    assert len(told(policy("s except www.digicert.com", "443/https", before=before), RULE)) == 1
