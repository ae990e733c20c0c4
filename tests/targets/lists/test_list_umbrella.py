"""Destination lists of Cisco Umbrella."""

from __future__ import annotations

import pytest
from lists_support import exported, options_for, policy_of, reasons_of, text_of

from egressc.targets.list_registry import load_format

NAME = "umbrella"
WIDE = ("ports", "wider")


def read(text, form="dns"):
    return load_format(NAME).read(text, options_for(NAME, form=form), "")


def matched(entry):
    return [e.text for e in entry.reach.endpoints]


def test_a_domain_is_always_what_is_below_it():
    policy = policy_of("foo.test", "*.bar.test", "baz.test", "*.baz.test")
    assert text_of(policy, NAME) == "bar.test\nbaz.test\nfoo.test\n"
    assert reasons_of(policy, NAME) == [("apex", "wider"), ("depth", "wider"), WIDE]
    assert reasons_of(policy_of("baz.test", "*.baz.test"), NAME) == [WIDE]


def test_what_another_domain_holds_stands_once():
    rules = 'allow a "A" { to www.foo.test ports 443/https } allow b "B" { to *.foo.test ports 443/https }'
    assert text_of(f'policy p "P" {{ from g {rules} }}', NAME) == "foo.test\n"


def test_urls_stand_in_web_lists_alone():
    policy = policy_of("www.foo.test/pki", ports="80/http")
    assert text_of(policy, NAME) == "www.foo.test\n"
    assert ("path", "wider") in reasons_of(policy, NAME)
    assert text_of(policy, NAME, form="web") == "www.foo.test/pki\n"
    assert reasons_of(policy, NAME, form="web") == [("depth", "wider"), WIDE]


def test_addresses_of_ipv4():
    policy = policy_of("203.0.113.0/24", "192.0.2.3-192.0.2.5", "2001:db8::1")
    assert text_of(policy, NAME) == "192.0.2.3\n192.0.2.4/31\n203.0.113.0/24\n"
    assert ("family", "narrower") in reasons_of(policy, NAME)
    build, _ = exported(policy, NAME)
    assert "roaming clients" in build.remarks[0]
    assert exported(policy, NAME, form="web")[0].remarks == ()


def test_an_exemption_of_addresses_is_remarked():
    build, _ = exported(policy_of("foo.test", more="no-tls-inspection"), NAME, "exemption", form="web")
    assert build.text == "foo.test\n"
    assert build.remarks == ()
    policy = policy_of("203.0.113.0/24", more="no-tls-inspection")
    assert "umbrella-decryption" in exported(policy, NAME, "exemption")[0].remarks[0]


def test_what_it_cannot_say():
    for to, code in (("a*.foo.test", "E0607"), ("any-address", "E0610"), ("*.foo.test except a.foo.test", "E0608")):
        _, report = exported(policy_of(to), NAME)
        assert code in {d.code for d in report if d.level.value == "error"}, to


@pytest.mark.parametrize(
    ("line", "form", "patterns"),
    [
        ("Domain.test", "dns", ["domain.test", "*.domain.test"]),
        ("http://domain.test/", "dns", ["domain.test", "*.domain.test"]),
        ("domain.test/p/q", "web", ["domain.test/p/q", "*.domain.test/p/q"]),
        ("192.0.2.0/24", "web", ["192.0.2.0/24"]),
    ],
)
def test_reading_lists_of_people(line, form, patterns):
    (entry,) = read(f"\ufeff{line}\r\n", form).entries
    assert (matched(entry), entry.line, entry.doubt) == (patterns, 1, "")


@pytest.mark.parametrize(
    ("line", "form"),
    [
        ("*.domain.test", "web"),
        ("domain.test/p", "dns"),
        ("ftp://domain.test", "web"),
        ("2001:db8::1", "web"),
        ("a b", "dns"),
    ],
)
def test_what_umbrella_refuses_is_said(line, form):
    found = read(f"domain.test\n{line}\n", form)
    assert len(found.entries) == 1
    assert found.remarks[0].startswith(f"line 2: `{line}` is refused by Umbrella: ")
