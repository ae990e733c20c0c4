"""Dynamic keywords: GUIDs that anybody can compute again."""

import hashlib
import uuid

from egressc.hosts import HostPattern
from egressc.targets.windows_firewall.keywords import NAMESPACE, keyword, keyword_of


def by_hand(name):
    """RFC 9562, 5.5, without the library that the code uses."""
    digest = bytearray(hashlib.sha1(NAMESPACE.bytes + name.encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{{{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}}}"


def test_the_name_space_is_the_documented_one():
    assert uuid.uuid5(uuid.NAMESPACE_DNS, "dynamic-keyword.egressc.invalid") == NAMESPACE


def test_ids_are_version_5_of_the_lower_case_name():
    for name in ("login.windows.net", "*.msappproxy.net", "xn--bcher-kva.example"):
        assert keyword(name).id == by_hand(name)
        assert keyword(name.upper()) == keyword(name)
    assert keyword("a.example").id != keyword("*.a.example").id


def test_patterns_give_their_own_spelling():
    assert keyword_of(HostPattern(("a", "example"))).name == "a.example"
    assert keyword_of(HostPattern(("a", "example"), deep=True)).name == "*.a.example"
