"""URL lists and steering exceptions of Netskope."""

from __future__ import annotations

import pytest
from lists_support import exported, options_for, policy_of, reasons_of, text_of

from egressc.targets.list_registry import load_format
from egressc.targets.lists import netskope

NAME = "netskope"
HEAD = "# egressc: bypass list for g\n# p/web\n"
ANY = ((1, 65535),)


def read(text, form="url-list"):
    return load_format(NAME).read(text, options_for(NAME, form=form), "")


def matched(entry):
    reach = entry.reach
    return [e.text for e in reach.endpoints], reach.ports.tcp


def test_a_url_list():
    policy = policy_of("foo.test", "*.bar.test", "baz.test", "*.baz.test", ports="443/https 8443/tls")
    assert text_of(policy, NAME) == HEAD + (
        "*.bar.test:443\n*.bar.test:8443\n"
        "baz.test:443\n*.baz.test:443\nbaz.test:8443\n*.baz.test:8443\n"
        "foo.test:443\nfoo.test:8443\n"
    )
    assert reasons_of(policy, NAME) == [("apex", "wider")]


def test_domains_of_a_steering_exception():
    policy = policy_of("foo.test", "*.bar.test", "baz.test", "*.baz.test", ports="443/https 8443/tls")
    assert text_of(policy, NAME, form="steering") == "*.bar.test\nbaz.test\n*.baz.test\nfoo.test\n"
    assert reasons_of(policy, NAME, form="steering") == [("ports", "wider")]


def test_a_steering_exception_is_no_exemption():
    policy = policy_of("foo.test", more="no-tls-inspection")
    build, report = exported(policy, NAME, "exemption", form="steering")
    assert build is None
    assert [d.code for d in report if d.level.value == "error"] == ["E0626"]
    build, _ = exported(policy, NAME, "exemption")
    assert build.text.splitlines()[-1] == "foo.test:443"
    assert build.remarks == ()
    build, _ = exported(policy, NAME)
    assert "--form steering" in build.remarks[0]


def test_a_path_of_http():
    policy = policy_of("www.foo.test/pki", ports="80/http")
    assert text_of(policy, NAME) == f"{HEAD}www.foo.test:80/pki\n"
    assert reasons_of(policy, NAME) == []
    assert text_of(policy, NAME, form="steering") == "www.foo.test\n"
    assert reasons_of(policy, NAME, form="steering") == [("path", "wider"), ("ports", "wider")]


def test_what_it_cannot_say():
    assert ("address", "narrower") in reasons_of(policy_of("foo.test", "203.0.113.0/24"), NAME)
    for to, code in (("a*.foo.test", "E0607"), ("any-address", "E0610"), ("*.foo.test except a.foo.test", "E0608")):
        _, report = exported(policy_of(to), NAME)
        assert code in {d.code for d in report if d.level.value == "error"}, to


def test_a_host_has_no_underscore_and_a_file_no_more_than_8_mb(monkeypatch):
    build, report = exported(policy_of("_dns.foo.test"), NAME)
    assert build is None
    assert [d.code for d in report if d.level.value == "error"] == ["E0626"]
    size = len(text_of(policy_of("foo.test"), NAME))
    monkeypatch.setattr(netskope, "LARGEST", size)
    assert exported(policy_of("foo.test"), NAME)[0] is not None
    monkeypatch.setattr(netskope, "LARGEST", size - 1)
    assert exported(policy_of("foo.test"), NAME)[0] is None


@pytest.mark.parametrize(
    ("line", "found", "doubt"),
    [
        ("FOO.test", (["foo.test"], ANY), False),
        ("*.foo.test", (["*.foo.test", "foo.test"], ANY), False),
        ("*.foo.test:8443", (["*.foo.test", "foo.test"], ((8443, 8443),)), False),
        ("https://foo.test/p/", (["foo.test/p"], ANY), False),
        ("203.0.113.9:443", (["203.0.113.9"], ((443, 443),)), True),
        ("2001:db8::1", (["2001:db8::1"], ANY), True),
    ],
)
def test_reading_a_url_list_of_people(line, found, doubt):
    (entry,) = read(f"; ours\r\n\r\n{line}\r\n# end").entries
    assert (matched(entry), entry.line, bool(entry.doubt)) == (found, 3, doubt)


@pytest.mark.parametrize(
    "line", ["*foo.test", "a.*.foo.test", "*.*.foo.test", "_x.foo.test", "foo.test:0", "me@foo.test", "ä.test"]
)
def test_what_netskope_refuses_is_said(line):
    found = read(f"foo.test\n{line}\n")
    assert len(found.entries) == 1
    assert found.remarks[0].startswith(f"line 2: `{line}` is refused by Netskope: ")


def test_reading_domains_of_a_steering_exception():
    found = read("*.foo.test\nfoo.test\n*foo.test\nhttps://foo.test\n", "steering")
    assert [matched(entry)[0] for entry in found.entries] == [["*.foo.test"], ["foo.test"]]
    assert [remark.split(":")[0] for remark in found.remarks] == ["line 3", "line 4"]
