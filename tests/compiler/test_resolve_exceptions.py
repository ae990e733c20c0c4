"""Exceptions that leave nothing, and exceptions that take nothing away."""

from __future__ import annotations

import pytest
from resolve_support import codes_of, resolve_texts, rules_of

SETS = """
parameter region
endpoints names { *.a.example.com b.example.com fallback { 10.0.0.0/8 } }
endpoints mixed { names 10.0.0.0/8 service-tag Sql }
"""


def text(to, ports="443"):
    return f'{SETS} policy p "d" {{ from g allow r "d" {{ to {to} ports {ports} }} }}'


def test_exceptions_are_kept_beside_the_endpoints(tmp_path):
    found = rules_of(tmp_path, text("*.windows.net except *.blob.core.windows.net 10.0.0.0/8 service-tag Sql"))
    assert found["p/r"]["to"] == ["*.windows.net"]
    assert found["p/r"]["except"] == ["*.blob.core.windows.net", "10.0.0.0/8", "service-tag Sql"]


@pytest.mark.parametrize(
    "to",
    [
        "a.b.com except a.b.com",
        "a.b.com except *.b.com",
        "*.x.b.com except *.b.com",
        "a*.b.com except *.b.com",
        "a.b.com/p/q except a.b.com/p",
        "a.b.com/p except *.b.com",
        "names except names",
        "mixed except mixed",
        "names except any-address",
        "mixed except 0.0.0.0/0 ::/0",
        "any-address except any-address",
        "10.0.0.0/8 2001:db8::/32 except 10.0.0.0/9 10.128.0.0-10.255.255.255 2000::/3",
        "service-tag Sql except service-tag sql",
        "${region}.b.com except ${region}.b.com",
        "a.b.com ${region}.b.com except a.b.com ${region}.b.com",
    ],
)
def test_nothing_is_left(tmp_path, to):
    policy, (found,) = resolve_texts(tmp_path, text(to))
    assert found.code == "E0234"
    assert found.span.text == to.partition("except ")[2]
    assert policy is None


@pytest.mark.parametrize(
    "to",
    [
        "*.b.com except a.b.com",
        "*.b.com except *.x.b.com *.y.b.com",
        "a.b.com except a.b.com/p",
        "a.b.com/pq except a.b.com/pq/r",
        "a.b.com except 10.0.0.0/8",
        "a.b.com except 0.0.0.0/0",
        "a.b.com 10.0.0.1 except *.b.com",
        "10.0.0.0/8 except 10.0.0.0/9",
        "10.0.0.0/8 except *.b.com",
        "any-address except *.b.com 10.0.0.0/8",
        "service-tag Sql except 10.0.0.0/8",
        "10.0.0.0/8 except service-tag Sql",
        "service-tag Sql except service-tag Storage",
        "${region}.b.com except a.b.com",
        "a.b.com except ${region}.b.com",
        "names except b.example.com",
    ],
)
def test_something_is_left_and_something_may_be_taken(tmp_path, to):
    assert codes_of(tmp_path, text(to)) == []


@pytest.mark.parametrize(
    ("to", "idle"),
    [
        ("a.b.com except c.b.com", "c.b.com"),
        ("*.b.com except b.com", "b.com"),
        ("a.b.com *.c.com except x.c.com *.d.com", "*.d.com"),
        ("a.b.com/p except a.b.com/q", "a.b.com/q"),
        ("a.b.com/pq except a.b.com/p", "a.b.com/p"),
        ("10.0.0.0/8 except 11.0.0.0/8", "11.0.0.0/8"),
        ("10.0.0.0/8 except ::/0", "::/0"),
        ("*.c.com except names", "names"),
    ],
)
def test_exception_that_takes_nothing_away_is_a_warning(tmp_path, to, idle):
    policy, (found,) = resolve_texts(tmp_path, text(to))
    assert (found.code, found.span.text) == ("W0245", idle)
    assert policy is not None


def test_many_exceptions_from_many_endpoints_take_no_time_squared(tmp_path):
    many = " ".join(f"h{i}.b.com" for i in range(3000))
    sets = f"endpoints a {{ {many} }} endpoints b {{ {many.replace('.b.', '.c.')} h0.b.com }}"
    _, found = resolve_texts(tmp_path, f'{sets} policy p "d" {{ from g allow r "d" {{ to a except b ports 443 }} }}')
    assert found == ()
