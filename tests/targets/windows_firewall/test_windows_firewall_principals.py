"""Accounts by identifier: built-in names in any spelling, service identifiers, authorisation lists."""

import re

import pytest

from egressc.targets.windows_firewall.capabilities import MAX_PRINCIPALS, MAX_TEXT
from egressc.targets.windows_firewall.model import AccountName, Sid
from egressc.targets.windows_firewall.principals import are_apart, is_of_domain, principal, sddl, service_sid

# shared/targets/windows-firewall.md, section 4: read on Windows hosts
VECTORS = {
    "TrustedInstaller": "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
    "MpsSvc": "S-1-5-80-3088073201-1464728630-1879813800-1107566885-823218052",
    "PBIEgwService": "S-1-5-80-1835761534-3291552707-3889884660-1303793167-3990676079",
    "WAPCSvc": "S-1-5-80-1009975360-3473198140-1055678543-208236948-17374771",
}
# [MS-DTYP] 2.5.1.1, as far as Windows Firewall takes it ([MS-FASP] 2.2.37)
LIST = re.compile(r"(?:O:[A-Z]{2})?D:(?:\((?:A|D);;CC;;;S-1-[0-9]+(?:-[0-9]+){1,15}\))+")


@pytest.mark.parametrize(("service", "sid"), VECTORS.items())
def test_service_identifiers(service, sid):
    assert service_sid(service) == sid
    assert service_sid(service.lower()) == sid
    assert principal(f"NT SERVICE\\{service}") == Sid(sid)
    assert principal(f"nt service\\{service.upper()}") == Sid(sid)


@pytest.mark.parametrize(
    ("name", "sid"),
    [
        ("NT AUTHORITY\\NETWORK SERVICE", "S-1-5-20"),
        ("nt authority\\NetworkService", "S-1-5-20"),
        ("NetworkService", "S-1-5-20"),
        ("Network Service", "S-1-5-20"),
        ("LocalSystem", "S-1-5-18"),
        (".\\LocalSystem", "S-1-5-18"),
        ("NT AUTHORITY\\SYSTEM", "S-1-5-18"),
        ("SYSTEM", "S-1-5-18"),
        ("LOCAL SERVICE", "S-1-5-19"),
        ("NT AUTHORITY\\LocalService", "S-1-5-19"),
        ("Everyone", "S-1-1-0"),
        ("BUILTIN\\Administrators", "S-1-5-32-544"),
        ("NT SERVICE\\ALL SERVICES", "S-1-5-80-0"),
        ("S-1-5-21-1-2-3-1105", "S-1-5-21-1-2-3-1105"),
        ("s-1-5-20", "S-1-5-20"),
    ],
)
def test_names_with_the_same_identifier_everywhere(name, sid):
    assert principal(name) == Sid(sid)


@pytest.mark.parametrize(
    "name", ["CONTOSO\\wapc$", "svc-egress", "user@contoso.example", "IIS AppPool\\Default", "O'Brien"]
)
def test_other_names_are_left_to_the_host(name):
    assert principal(name) == AccountName(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " x",
        "a\\b\\c",
        "\\x",
        "x\\",
        "S-1-",
        "S-1-5",
        "S-1-5-x",
        "S-1-5-4294967296",
        "a|b",
        "a*",
        "a\tb",
        "x" * 600,
    ],
)
def test_what_cannot_be_an_account_is_said_in_words(name):
    assert isinstance(principal(name), str)


def test_names_of_a_domain():
    assert is_of_domain(AccountName("CONTOSO\\wapc$"))
    assert is_of_domain(AccountName("user@contoso.example"))
    assert not is_of_domain(AccountName("svc"))
    assert not is_of_domain(AccountName(".\\svc"))


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("NETWORK SERVICE", "LOCAL SERVICE", True),
        ("NETWORK SERVICE", "NETWORK SERVICE", False),
        ("NETWORK SERVICE", "NT SERVICE\\X", False),
        ("NETWORK SERVICE", "CONTOSO\\svc", True),
        ("NETWORK SERVICE", "Everyone", False),
        ("NETWORK SERVICE", "NT AUTHORITY\\something", False),
        ("NT SERVICE\\X", "NT SERVICE\\Y", True),
        ("NT SERVICE\\X", "NT SERVICE\\x", False),
        ("NT SERVICE\\X", "NT SERVICE\\ALL SERVICES", False),
        ("NT SERVICE\\X", "CONTOSO\\svc", False),
        ("CONTOSO\\svc", "CONTOSO\\other", True),
        ("CONTOSO\\svc", "SVC@contoso.example", False),
        ("CONTOSO\\svc", "S-1-5-21-1-2-3-1105", False),
        ("S-1-5-21-1-2-3-1106", "S-1-5-21-1-2-3-1105", True),
        ("S-1-5-32-555", "S-1-5-21-1-2-3-1105", False),
    ],
)
def test_who_is_never_the_same_process(one, other, apart):
    assert are_apart(principal(one), principal(other)) is apart
    assert are_apart(principal(other), principal(one)) is apart


def test_lists_are_of_the_grammar_and_fit():
    assert sddl(["S-1-5-20"]) == "D:(A;;CC;;;S-1-5-20)"
    assert LIST.fullmatch(sddl(["S-1-5-20", *VECTORS.values()]))
    longest = "S-1-0xffffffffffff" + "-4294967295" * 15
    assert len(longest) <= 184
    assert len(sddl([longest] * MAX_PRINCIPALS)) <= MAX_TEXT
