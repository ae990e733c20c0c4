"""Hosts that serve what is needed to check certificates: revocation lists, OCSP answers, intermediate certificates.

All of that is signed by itself and fetched over plain HTTP: a client that needs it to check a certificate cannot wait
for a TLS connection whose certificate it would have to check first (RFC 5280 section 8; RFC 6960 appendix A).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from egressc.hosts import HostPattern

_REVOCATION: Final = re.compile(r"(?:ms|one)?(?:crl|ocsp)s?[0-9]*")
"""How certification authorities call such hosts: ``crl3``, ``ocsp``, ``mscrl``, ``oneocsp``, also between hyphens."""

_OTHER: Final = re.compile(r"(?:aia|cacerts?|caissuers?|pki)[0-9]*")
"""The same for hosts that serve issuers' certificates (authority information access)."""

_REVOCATION_ENDS: Final = (
    ".msocsp.com",  # OCSP of Microsoft's authorities: reference/endpoints.csv, ENTRA-CONN-2026 ("verify certificates")
    ".msocsp.us",  # the same for the US Government cloud: reference/endpoints.csv, ENTRA-GOV-2025
    ".o.lencr.org",  # OCSP of Let's Encrypt: letsencrypt.org/docs/lencr.org
    ".c.lencr.org",  # revocation lists of Let's Encrypt: the same page
)
_OTHER_ENDS: Final = (
    ".i.lencr.org",  # issuer certificates of Let's Encrypt: letsencrypt.org/docs/lencr.org
    # Trust lists, which Windows updates by itself: reference/endpoints.csv, CTL-2022 and ENTRA-GOV-2025.
    ".ctldl.windowsupdate.com",
    ".ctldl.windowsupdate.us",
)
_OTHER_PATHS: Final = (
    # Intermediate certificates and lists of Microsoft's PKI operations: reference/endpoints.csv, ENTRA-CONN-2026.
    ("www.microsoft.com", "/pkiops"),
)


def is_revocation_host(pattern: HostPattern) -> bool:
    """True if all that the pattern matches serves revocation lists or OCSP answers."""
    return _is_named(pattern, _REVOCATION) or _is_below(pattern, _REVOCATION_ENDS)


def is_certificate_host(pattern: HostPattern, path: str | None = None) -> bool:
    """True if all that the pattern matches (on that path) serves something that certificates are checked with."""
    if is_revocation_host(pattern) or _is_named(pattern, _OTHER) or _is_below(pattern, _OTHER_ENDS):
        return True
    return path is not None and any(
        pattern.text == host and (path == below or path.startswith(f"{below}/")) for host, below in _OTHER_PATHS
    )


def _is_named(pattern: HostPattern, shape: re.Pattern[str]) -> bool:
    """True if a label before the last two is called so, or a part of it between hyphens."""
    return any(shape.fullmatch(part) for label in pattern.labels[:-2] for part in label.split("-"))


def _is_below(pattern: HostPattern, ends: tuple[str, ...]) -> bool:
    return f".{pattern.tail_text}".endswith(ends)
