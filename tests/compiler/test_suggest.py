"""Near names."""

from __future__ import annotations

import pytest
from growth import assert_near_linear

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


def test_the_cost_grows_with_the_candidates_and_not_faster():
    def among(count):
        names = [f"endpoint-set-number-{i}" for i in range(count)]

        def ask():
            assert nearest("endpoint-set-nubmer-471", names) == "endpoint-set-number-471"

        return ask

    assert_near_linear(among, 1_000, 10_000)
