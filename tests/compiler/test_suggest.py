"""Near names."""

from __future__ import annotations

import time

import pytest

from egressc.suggest import nearest

NAMES = [
    "microsoft-revocation",
    "digicert-revocation",
    "cloud-service",
    "connector",
    "connectors",
    "updater",
    "https",
    "http",
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("microsoft-revokation", "microsoft-revocation"),
        ("microsoft-revocatoin", "microsoft-revocation"),
        ("revocation-microsoft", "microsoft-revocation"),
        ("cloudservice", "cloud-service"),
        ("Cloud_Service", "cloud-service"),
        ("conector", "connector"),
        ("conectors", "connectors"),
        ("updter", "updater"),
        ("htps", "https"),
        ("something-else", None),
        ("x", None),
        ("", None),
    ],
)
def test_nearest(name, expected):
    assert nearest(name, NAMES) == expected
    assert nearest(name, reversed(NAMES)) == expected


def test_a_swap_is_one_slip():
    assert nearest("lgo", ["log"]) == "log"
    assert nearest("lgx", ["log"]) is None


def test_no_candidates():
    assert nearest("a", []) is None


def test_a_tie_goes_to_the_first_in_order():
    assert nearest("group-c", ["group-b", "group-a"]) == "group-a"


def test_many_candidates_take_little_time():
    names = [f"endpoint-set-number-{i}" for i in range(10_000)]
    start = time.process_time()
    assert nearest("endpoint-set-nubmer-4711", names) == "endpoint-set-number-4711"
    assert time.process_time() - start < 1
