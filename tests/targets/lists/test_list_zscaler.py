"""Custom URL categories of Zscaler."""

from __future__ import annotations

import pytest
from lists_support import exported, options_for, policy_of, reasons_of, text_of

from egressc.targets.list_registry import load_format

NAME = "zscaler"


def read(text, form="urls"):
    return load_format(NAME).read(text, options_for(NAME, form=form), "")


def matched(entry):
    reach = entry.reach
    return [e.text for e in reach.endpoints], [e.text for e in reach.exceptions], reach.ports.tcp


ANY = ((1, 65535),)


def test_names():
    policy = policy_of("foo.test", "*.bar.test", "baz.test", "*.baz.test", ports="1-65535/tls")
    assert text_of(policy, NAME) == ".bar.test\n.baz.test\nfoo.test\n"
    assert reasons_of(policy, NAME) == [("apex", "wider"), ("depth", "narrower")]


def test_a_host_below_its_domain_is_held_unless_it_is_too_deep():
    hosts = ("a.foo.test", "a.b.c.d.e.foo.test", "a.b.c.d.e.f.foo.test", "*.foo.test")
    rules = "".join(f'allow r{n} "R" {{ to {host} ports 443/https }} ' for n, host in enumerate(hosts))
    assert text_of(f'policy p "P" {{ from g {rules} }}', NAME) == ".foo.test\na.b.c.d.e.f.foo.test\n"


def test_the_depth_that_is_lost_has_an_example_of_six_labels():
    build, _ = exported(policy_of("*.foo.test", ports="1-65535/tls"), NAME)
    lost = [a for rule in build.rules for a in rule.approximations if a.reason.value == "depth"]
    assert [(a.effect.value, a.level.value) for a in lost] == [("narrower", "note")]
    assert lost[0].example.host.count(".") == 7


def test_ports_stand_in_a_form_of_their_own():
    policy = policy_of("foo.test", "*.bar.test", ports="443/https 8443/tls")
    assert text_of(policy, NAME) == ".bar.test\nfoo.test\n"
    assert ("ports", "wider") in reasons_of(policy, NAME)
    assert text_of(policy, NAME, form="ports") == ".bar.test:443\n.bar.test:8443\nfoo.test:443\nfoo.test:8443\n"
    assert ("ports", "wider") not in reasons_of(policy, NAME, form="ports")


def test_a_path_of_http_is_two_urls():
    policy = policy_of("www.foo.test/pki", ports="80/http")
    assert text_of(policy, NAME) == "www.foo.test/pki\nwww.foo.test/pki/\n"
    assert text_of(policy, NAME, form="ports") == "www.foo.test:80/pki\nwww.foo.test:80/pki/\n"
    assert text_of(policy_of("www.foo.test/pki"), NAME) == "www.foo.test\n"
    assert ("path", "wider") in reasons_of(policy_of("www.foo.test/pki"), NAME)


def test_addresses_and_everything_are_not_said():
    assert text_of(policy_of("foo.test", "203.0.113.0/24"), NAME) == "foo.test\n"
    assert ("address", "narrower") in reasons_of(policy_of("foo.test", "203.0.113.0/24"), NAME)
    _, report = exported(policy_of("any-address"), NAME)
    assert "E0610" in {d.code for d in report if d.level.value == "error"}
    _, report = exported(policy_of("a*.foo.test"), NAME)
    assert {d.code for d in report if d.level.value == "error"} == {"E0607"}


@pytest.mark.parametrize(
    ("host", "refused"),
    [
        ("safe_march.test", False),
        ("www.safe_march.test", True),
        ("*.safe_march.test", True),
        ("ww_w.safemarch.test", False),
        ("_.safemarch.test", True),
        ("_dns.safemarch.test", False),
        ("www.safemarch.te_st", True),
    ],
)
def test_what_makes_the_api_refuse_all_is_refused(host, refused):
    build, report = exported(policy_of(host), NAME)
    assert (build is None) is refused
    assert ("E0626" in {d.code for d in report}) is refused


def test_a_url_is_not_longer_than_1024_characters():
    path = "/" + "x" * (1024 - len("foo.test") - 1)
    assert exported(policy_of(f"foo.test{path}", ports="80/http"), NAME)[0] is None
    assert exported(policy_of(f"foo.test{path[:-1]}", ports="80/http"), NAME)[0] is not None


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("FOO.test", (["foo.test"], [], ANY)),
        ("foo.test/", (["foo.test"], [], ANY)),
        ("foo.test:8443", (["foo.test"], [], ((8443, 8443),))),
        (".foo.test", (["*.foo.test", "foo.test"], ["*.*.*.*.*.*.foo.test"], ANY)),
        ("203.0.113.9", (["203.0.113.9"], [], ANY)),
    ],
)
def test_reading_urls_of_people(line, found):
    (entry,) = read(f"\ufeff\r\n  {line}\r\n").entries
    assert matched(entry) == found
    assert (entry.line, entry.doubt) == (2, "")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("*.foo.test", "asterisk"),
        ("https://foo.test", "scheme"),
        (".test", "top-level domain"),
        ("foo.test:0", "port is none"),
        ("foo..test", "host is none"),
        ("# ours", "space"),
        ("bücher.test", "beyond ASCII"),
        ("203.0.113.0/24", "a URL with that path"),
    ],
)
def test_what_is_no_url_to_zscaler_is_said(line, why):
    found = read(f"foo.test\n{line}\n")
    assert len(found.entries) == 1
    (remark,) = found.remarks
    assert remark.startswith(f"line 2: `{line}`")
    assert why in remark


def test_reading_paths_needs_both_urls():
    (both,) = read("foo.test/p\nfoo.test/p/").entries
    assert (both.reach.endpoints[0].path, both.doubt) == ("/p", "")
    (one,) = read("foo.test/p").entries
    assert "what is below it" in one.doubt
    (one,) = read(".foo.test/p/").entries
    assert "the path itself" in one.doubt
