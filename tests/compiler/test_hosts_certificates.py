"""Hosts that certificates are checked with."""

from __future__ import annotations

import pytest

from egressc.host_syntax import host_pattern
from egressc.hosts_certificates import is_certificate_host, is_revocation_host

REVOCATION = (
    "crl3.digicert.com",
    "crl4.digicert.com",
    "ocsp.digicert.com",
    "crl.microsoft.com",
    "mscrl.microsoft.us",
    "oneocsp.microsoft.com",
    "ocsp.msocsp.com",
    "*.msocsp.com",
    "root-c3-ca2-2009.ocsp.d-trust.net",
    "*.c.lencr.org",
    "r3.o.lencr.org",
    "status-ocsp.contoso.example",
    "crl.rootca1.amazontrust.com",
)
OTHER = (
    "ctldl.windowsupdate.com",
    "cacerts.digicert.com",
    "aia.contoso.example",
    "x1.i.lencr.org",
    "pki.contoso.example",
)
NONE = (
    "*.digicert.com",
    "www.digicert.com",
    "login.windows.net",
    "www.microsoft.com",
    "scroll.contoso.example",
    "crlf.contoso.example",
    "ocsp.com",
    "www.ocsp.com",
    "xlencr.org",
)


@pytest.mark.parametrize("host", REVOCATION)
def test_revocation_hosts(host):
    assert is_revocation_host(host_pattern(host))
    assert is_certificate_host(host_pattern(host))


@pytest.mark.parametrize("host", OTHER)
def test_other_certificate_hosts(host):
    assert not is_revocation_host(host_pattern(host))
    assert is_certificate_host(host_pattern(host))


@pytest.mark.parametrize("host", NONE)
def test_hosts_that_have_nothing_to_do_with_it(host):
    assert not is_certificate_host(host_pattern(host))


def test_a_path():
    microsoft = host_pattern("www.microsoft.com")
    assert is_certificate_host(microsoft, "/pkiops")
    assert is_certificate_host(microsoft, "/pkiops/certs")
    assert not is_certificate_host(microsoft, "/pkiopsies")
    assert not is_certificate_host(host_pattern("www.contoso.example"), "/pkiops")
