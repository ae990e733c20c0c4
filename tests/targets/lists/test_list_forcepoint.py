"""Custom categories and exceptions of Forcepoint."""

from __future__ import annotations

import pytest
from lists_support import exported, options_for, policy_of, reasons_of, text_of

from egressc.targets.list_registry import load_format

NAME = "forcepoint"
WIDE = ("ports", "wider")


def read(text, form="cloud"):
    return load_format(NAME).read(text, options_for(NAME, form=form), "")


def matched(entry):
    return [e.text for e in entry.reach.endpoints]


def test_a_custom_category():
    policy = policy_of("foo.test", "*.bar.test", "baz.test", "*.baz.test")
    assert text_of(policy, NAME) == "*.bar.test\nbaz.test\n*.baz.test\nfoo.test\n"
    assert reasons_of(policy, NAME) == [("depth", "wider"), WIDE]
    assert reasons_of(policy_of("*.bar.test", "baz.test", "*.baz.test"), NAME) == [WIDE]


def test_an_exception_on_premises():
    policy = policy_of("foo.test", "*.bar.test", "baz.test", "*.baz.test")
    assert text_of(policy, NAME, form="on-prem") == "bar.test\nbaz.test\nfoo.test\n"
    assert reasons_of(policy, NAME, form="on-prem") == [("apex", "wider"), ("depth", "wider"), WIDE]


def test_a_star_within_a_host():
    policy = policy_of("a*.foo.test")
    assert text_of(policy, NAME) == "a*.foo.test\n"
    build, _ = exported(policy, NAME)
    found = {a.reason.value: a.example.host for rule in build.rules for a in rule.approximations}
    assert set(found) == {"depth", "ports"}
    _, report = exported(policy, NAME, form="on-prem")
    assert {d.code for d in report if d.level.value == "error"} == {"E0607"}


def test_a_path_becomes_its_host():
    policy = policy_of("www.foo.test/pki", ports="80/http")
    for form in ("cloud", "on-prem"):
        assert text_of(policy, NAME, form=form) == "www.foo.test\n"
        assert ("path", "wider") in reasons_of(policy, NAME, form=form)


def test_addresses():
    policy = policy_of("203.0.113.0/24", "203.0.114.8/30", "192.0.2.3-192.0.2.5", "2001:db8::1")
    assert text_of(policy, NAME) == "192.0.2.3-192.0.2.5\n203.0.113.0/24\n203.0.114.8/30\n"
    assert reasons_of(policy, NAME) == [("family", "narrower"), WIDE]
    # On premises addresses stand one by one: 16 at most of a network.
    text = text_of(policy, NAME, form="on-prem")
    assert text.split() == [
        "192.0.2.3", "192.0.2.4", "192.0.2.5", "203.0.114.8", "203.0.114.9", "203.0.114.10", "203.0.114.11", "2001:db8::1",
    ]  # fmt: skip
    assert ("address", "narrower") in reasons_of(policy, NAME, form="on-prem")


def test_what_it_cannot_say():
    for to, code in (("any-address", "E0610"), ("*.foo.test except a.foo.test", "E0608")):
        for form in ("cloud", "on-prem"):
            _, report = exported(policy_of(to), NAME, form=form)
            assert code in {d.code for d in report if d.level.value == "error"}, to


@pytest.mark.parametrize(
    ("line", "patterns", "doubt"),
    [
        ("ABC.test", ["abc.test", "*.abc.test"], False),
        ("*.abc.test", ["*.abc.test"], False),
        ("www.abc.test/mysite", ["www.abc.test", "*.www.abc.test"], True),
        ("abc.test*", ["abc.test", "*.abc.test"], False),
        ("12.13.14.15 - 12.13.14.99", ["12.13.14.15-12.13.14.99"], False),
        ("12.13.14.15/24", ["12.13.14.0/24"], False),
        ("12.13.14.15/255.255.255.0", ["12.13.14.0/24"], False),
    ],
)
def test_reading_a_category_of_people(line, patterns, doubt):
    (entry,) = read(f"\r\n{line}\r\n").entries
    assert (matched(entry), entry.line, bool(entry.doubt)) == (patterns, 2, doubt)


def test_a_star_at_the_start_is_any_suffix():
    """The page's own example: `*abc.com` matches `123abc.com` and `www.xxx.123abc.com`."""
    from egressc.hosts import matches

    (entry,) = read("*abc.com").entries
    patterns = [e.pattern for e in entry.reach.endpoints]
    for host in ("123abc.com", "www.123.abc.com", "www.xxx.123abc.com", "abc.com"):
        assert any(matches(pattern, host) for pattern in patterns), host
    assert not any(matches(pattern, "abc.com.test") for pattern in patterns)


@pytest.mark.parametrize("line", ["https://abc.test", "abc .test", "2001:db8::1", "1.2.3.4/33"])
def test_what_is_no_entry_is_said(line):
    found = read(f"abc.test\n{line}\n")
    assert len(found.entries) == 1
    assert found.remarks == (f"line 2: `{line}` is no host, path or address to Forcepoint",)


def test_reading_an_exception_of_people():
    found = read("Domain.test\nhttps://www.domain.test:443/\n192.0.2.1\n2001:db8::1\n*.domain.test\n", "on-prem")
    assert [matched(entry) for entry in found.entries] == [
        ["domain.test", "*.domain.test"], ["www.domain.test", "*.www.domain.test"], ["192.0.2.1"], ["2001:db8::1"],
    ]  # fmt: skip
    assert [bool(entry.doubt) for entry in found.entries] == [False, True, False, False]
    assert found.remarks[0].startswith("line 5: `*.domain.test`")
