"""Values of bindings that are right; those that are wrong stand in ``tests/data/malformed/words.txt``."""

from __future__ import annotations

import pytest

from egressc.binding_values import binding_problem, is_sid, normal_binding
from egressc.policy import BINDING_KINDS

RIGHT = {
    "windows-account": [
        r"NT AUTHORITY\NETWORK SERVICE", r"CONTOSO\wapc$", r"NT SERVICE\MSSQL$INST", r"IIS APPPOOL\.NET v4.5",
        r"IIS APPPOOL\shop: front", "svc+proxy@contoso.example", "Administrator", "S-1-5-20", "s-1-5-18",
        "S-1-5-21-4294967295-0-1-1104", "S-1-1-0", "S-1-281474976710655-1", "S-1-0x0123456789AB-5", "Söder",
        "S-Bahn",
    ],
    "windows-service": ["WAPCSvc", "MSSQL$SQLEXPRESS", "clr_optimization_v4.0.30319_64", "a b", "x" * 256],
    "windows-program": [
        r"C:\Program Files\Contoso\agent.exe", r"%ProgramFiles%\Contoso\agent.exe", r"\\server\share\agent.exe", "System",
        "c:\\" + "a" * 256,
    ],
    "linux-user": ["wapc", "0", "997", "65534", "4294967294", "svc$", r"CONTOSO\svc", "svc@contoso.example", "_apt", "a.b"],
    "linux-cgroup": ["system.slice/x.service", "/system.slice", "a", "system.slice/system-getty.slice/getty@tty1.service"],
    "directory-user": [r"contoso\wapc$", "cn=svc,ou=x,dc=contoso,dc=example", "svc@contoso.example", "anyone"],
}  # fmt: skip


def test_every_kind_is_checked():
    assert set(RIGHT) == set(BINDING_KINDS)


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in RIGHT.items() for value in values])
def test_value_that_is_right(kind, value):
    assert binding_problem(kind, value) is None


@pytest.mark.parametrize("kind", BINDING_KINDS)
@pytest.mark.parametrize(
    ("value", "start", "end"),
    [("", 0, 0), ("  ", 0, 0), (" a", 0, 1), ("a\t", 1, 2), ("a\x00b", 1, 2), ("a\u2028b", 1, 2)],
)
def test_value_that_is_wrong_for_every_kind(kind, value, start, end):
    problem = binding_problem(kind, value)
    assert problem is not None
    assert (problem.code, problem.start, problem.end) == ("E0236", start, end)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("windows-service", "x" * 257), ("windows-program", "C:\\" + "x" * 257), ("linux-user", "ü" * 128),
        ("linux-cgroup", "x" * 512), ("directory-user", "x" * 1024),
    ],
)  # fmt: skip
def test_value_that_is_too_long(kind, value):
    assert binding_problem(kind, value) is not None
    assert binding_problem(kind, value[:-1]) is None


def test_sid_has_one_spelling():
    assert normal_binding("windows-account", "s-1-5-20") == "S-1-5-20"
    assert normal_binding("windows-account", r"contoso\a") == r"contoso\a"
    assert normal_binding("linux-user", "s-1-5-20") == "s-1-5-20"
    assert is_sid("S-1-5-20")
    assert not is_sid("S-1")
