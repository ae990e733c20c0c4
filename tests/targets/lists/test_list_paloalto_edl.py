"""External dynamic lists of PAN-OS: two lists, tokens, the slash at the end."""

from __future__ import annotations

import pytest
from lists_support import exported, options_for, policy_of, reasons_of, text_of

from egressc.addresses import parse_addresses
from egressc.exports_read import host_of
from egressc.hosts import HostPattern
from egressc.policy import AddressEndpoint, HostEndpoint
from egressc.targets.list_registry import load_format
from egressc.targets.lists import paloalto_edl

NAME = "paloalto-edl"


def read(text, form="url"):
    return load_format(NAME).read(text, options_for(NAME, form=form), "")


def matched(entry):
    return [each.text for each in entry.reach.endpoints]


def levels(policy, kind="bypass", **options):
    build, _ = exported(policy, NAME, kind, **options)
    return {(a.reason.value, a.level.value) for rule in build.rules for a in rule.approximations}


def test_names_and_the_slash():
    policy = policy_of("foo.test", "*.bar.test", "*.baz.test", "baz.test", ports="1-65535/tls")
    assert text_of(policy, NAME) == "*.bar.test/\nbaz.test/\n*.baz.test/\nfoo.test/\n"
    assert reasons_of(policy, NAME) == []


def test_one_label_is_a_caret():
    policy = policy_of("a.*.foo.test", "*.*.bar.test", ports="1-65535/tls")
    assert text_of(policy, NAME) == "*.^.bar.test/\na.^.foo.test/\n"
    assert reasons_of(policy, NAME) == []


def test_a_star_inside_a_label_becomes_the_label():
    policy = policy_of("*-scus.foo.test", "a*.b.foo.test", ports="1-65535/tls")
    build, report = exported(policy, NAME)
    assert build is None
    assert {d.code for d in report if d.level.value == "error"} == {"E0607"}
    build, _ = exported(policy, NAME, request={"accept": ("label-wildcard",)})
    assert build.text == "^.foo.test/\n^.b.foo.test/\n"


def test_nine_carets_side_by_side_and_no_more():
    nine, ten = ".".join("*" * 9), ".".join("*" * 10)
    policy = policy_of(f"a.{nine}.foo.test", f"a.{ten}.bar.test", ports="1-65535/tls")
    assert text_of(policy, NAME) == f"*.bar.test/\na.{nine.replace('*', '^')}.foo.test/\n"
    assert reasons_of(policy, NAME) == [("depth", "wider")]


def test_a_path_of_http_is_two_entries_and_that_of_https_is_none():
    policy = policy_of("www.foo.test/pki", ports="80/http")
    assert text_of(policy, NAME) == "www.foo.test/pki\nwww.foo.test/pki/\n"
    policy = policy_of("www.foo.test/pki", ports="443/https")
    assert text_of(policy, NAME) == "www.foo.test/\n"
    assert reasons_of(policy, NAME) == [("path", "wider"), ("ports", "wider")]


def test_what_is_in_the_other_form_is_a_note_and_not_silence():
    policy = policy_of("foo.test", "203.0.113.0/24", "203.0.113.9-203.0.113.11", "2001:db8::/32", ports="1-65535/tls")
    assert text_of(policy, NAME) == "foo.test/\n"
    assert levels(policy) == {("address", "note")}
    assert text_of(policy, NAME, form="ip") == "203.0.113.0/24 # p/web\n2001:db8::/32 # p/web\n"
    assert levels(policy, form="ip") == {("no-names", "note")}
    build, _ = exported(policy, NAME, form="ip")
    (found,) = [a for rule in build.rules for a in rule.approximations]
    assert found.sentence == "`foo.test` is no address: names stand in the form `url`"


def test_an_ipv4_range_is_one_entry_and_an_ipv6_range_networks():
    policy = policy_of("203.0.113.9-203.0.113.11", "2001:db8::-2001:db8::2", ports="1-65535/tls")
    assert text_of(policy, NAME, form="ip") == (
        "203.0.113.9-203.0.113.11 # p/web\n2001:db8::/127 # p/web\n2001:db8::2 # p/web\n"
    )


def test_except_and_everything_cannot_be_said():
    policy = policy_of("*.foo.test", "except", "a.foo.test", ports="1-65535/tls")
    _, report = exported(policy, NAME)
    assert {d.code for d in report if d.level.value == "error"} == {"E0608"}
    _, report = exported(policy_of("any-address", ports="1-65535/tcp"), NAME)
    assert "E0610" in {d.code for d in report if d.level.value == "error"}


def test_an_entry_is_not_longer_than_255_characters():
    host = "foo.test"
    path = "/" + "x" * (255 - len(host) - 1)  # without the slash at its end it would fit
    build, report = exported(policy_of(f"{host}{path}", ports="80/http"), NAME)
    assert build is None
    assert [d.code for d in report if d.level.value == "error"] == ["E0626"]
    assert text_of(policy_of(f"{host}{path[:-1]}", ports="80/http"), NAME).splitlines()[1] == f"{host}{path[:-1]}/"


@pytest.mark.parametrize(
    ("line", "patterns", "doubt"),
    [
        ("FOO.test/", ["foo.test"], ""),
        ("*.foo.test/", ["*.foo.test"], ""),
        ("foo.test", ["*"], "does not end with a slash"),
        ("a.*.foo.test/", ["*.foo.test"], "any number of labels"),
        ("ex*.foo.test/", ["*"], "wildcard is a whole label"),
        ("https://foo.test/", ["*"], "no scheme"),
        ("foo.test/*", ["foo.test"], "not documented"),
        ("foo.test:443/", ["*"], "have a port"),
        ("foo.^/", ["*"], "matches addresses"),
    ],
)
def test_reading_urls_of_people(line, patterns, doubt):
    found = read(f"\ufeff\r\n{line}\r\n")
    first = found.entries[0]
    assert (matched(first), first.line) == (patterns, 2)
    assert (doubt in first.doubt) if doubt else not first.doubt


def test_reading_a_caret():
    (found,) = read("a.^.foo.test/").entries
    assert found.reach.endpoints == (HostEndpoint(HostPattern(("a", "*", "foo", "test"))),)
    (found,) = read("^.foo.test/").entries
    assert found.reach.endpoints == (HostEndpoint(HostPattern(("*", "foo", "test"))),)
    (found,) = read(f"a.{'^.' * 10}foo.test/").entries
    assert "more than 9" in found.doubt


def test_reading_paths_needs_both_entries():
    (both,) = read("foo.test/p\nfoo.test/p/\n").entries
    assert both.reach.endpoints == (HostEndpoint(host_of("foo.test"), "/p"),)
    assert not both.doubt
    (one,) = read("foo.test/p\n").entries
    assert "what is below" in one.doubt
    (one,) = read("foo.test/p/\n").entries
    assert "the path itself" in one.doubt


def test_a_comment_in_a_url_list_is_said():
    found = read("# ours\nfoo.test/ # main\nbar.test/\n")
    assert [matched(entry) for entry in found.entries] == [["bar.test"]]
    assert [remark.split(":")[0] for remark in found.remarks] == ["line 1", "line 2"]


def test_reading_addresses_of_people():
    found = read("192.0.2.10/32 a host\n192.0.2.77/24\n2001:db8::1 #x\n192.0.2.1-192.0.2.3\nfoo.test\n\n", "ip")
    texts = ("192.0.2.10", "192.0.2.0/24", "2001:db8::1", "192.0.2.1-192.0.2.3")
    assert [e.reach.endpoints for e in found.entries] == [(AddressEndpoint(parse_addresses(t)),) for t in texts]
    assert found.remarks == ("line 5: `foo.test` is no address: the firewall skips it",)


def test_more_entries_than_an_old_firewall_takes_are_remarked(monkeypatch):
    policy = policy_of("foo.test", "bar.test", "203.0.113.1", ports="1-65535/tls")
    monkeypatch.setattr(paloalto_edl, "MOST_URLS", 2)
    assert exported(policy, NAME)[0].remarks == ()
    monkeypatch.setattr(paloalto_edl, "MOST_URLS", 1)
    assert exported(policy, NAME)[0].remarks[0].startswith("2 entries: PAN-OS 7.1 took 1 ")
    assert exported(policy, NAME, form="ip")[0].remarks == ()
