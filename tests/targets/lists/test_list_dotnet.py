"""defaultProxy: expressions worked out by hand and tried, and configurations of people."""

import re
import xml.etree.ElementTree as ET

import pytest
from client_lists import read, said
from lists_support import exported, policy_of, prepared_of, reasons_of, text_of

from egressc.meaning import UnreadableError
from egressc.targets.list_registry import load_format
from egressc.targets.lists.dotnet import comment
from egressc.targets.lists.dotnet_expressions import numbers

ALL = "0.0.0.0/0 ::/0"
RUN = "[^/:.]*"
LABELS = r"([^/:.]+\.)+"


def expressions(policy, **options):
    return [each.get("address") for each in ET.fromstring(text_of(policy, "dotnet", **options)).iter("add")]


def goes_directly(found, url):
    """As .NET does it: an unanchored search, letter case aside; `url` has a port only if it is not the scheme's."""
    return any(re.search(each, url, re.IGNORECASE) for each in found)


def test_the_whole_file():
    assert text_of(policy_of("foo.test"), "dotnet") == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        "<!-- bypass list for g. Written by egressc: change the policy, not this file. -->\n"
        "<!-- Put `system.net` into the .exe.config of the program, and restart it. -->\n"
        "<configuration>\n"
        "  <system.net>\n"
        '    <defaultProxy enabled="true">\n'
        '      <proxy proxyaddress="http://proxy.contoso.example:8080" bypassonlocal="False" usesystemdefault="False" />\n'
        "      <bypasslist>\n"
        "        <!-- p/web -->\n"
        '        <add address="^(https://foo\\.test|https?://foo\\.test:443)$" />\n'
        "      </bypasslist>\n"
        "    </defaultProxy>\n"
        "  </system.net>\n"
        "</configuration>\n"
    )


EXPRESSIONS = {
    "any port": (policy_of("foo.test", ports="1-65535/tcp"), r"^https?://foo\.test(:\d+)?$"),
    "a port of its own": (policy_of("foo.test", ports="8443/https"), r"^(https?://foo\.test:8443)$"),
    "http": (policy_of("foo.test", ports="80/http"), r"^(http://foo\.test|https?://foo\.test:80)$"),
    "both": (policy_of("foo.test", ports="80/http 443/https"), r"^(https?://foo\.test|https?://foo\.test:(80|443))$"),
    "below": (policy_of("*.foo.test", ports="1-65535/tcp"), rf"^https?://{LABELS}foo\.test(:\d+)?$"),
    "a domain": (policy_of("foo.test", "*.foo.test", ports="1-65535/tcp"), r"^https?://([^/:.]+\.)*foo\.test(:\d+)?$"),
    "inner": (policy_of("a*.foo.test", ports="1-65535/tcp"), rf"^https?://a{RUN}\.foo\.test(:\d+)?$"),
    "except": (
        policy_of("*.foo.test", "except a.foo.test *.b.foo.test", ports="1-65535/tcp"),
        rf"^(?!https?://({LABELS}b\.foo\.test|a\.foo\.test)(:|$))https?://{LABELS}foo\.test(:\d+)?$",
    ),
    "an address": (policy_of("192.0.2.7", ports="1-65535/tcp"), r"^https?://192\.0\.2\.7(:\d+)?$"),
    "a network": (
        policy_of("10.16.0.0/12", ports="1-65535/tcp"),
        (r"^https?://10\.(1[6-9]|2[0-9]|3[0-1])\.([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
        r"\.([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])(:\d+)?$"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EXPRESSIONS)
def test_expressions(case):
    policy, expected = EXPRESSIONS[case]
    assert expressions(policy) == [expected]
    re.compile(expected)


POLICY = """policy p "P" {
  from g
  allow a "A" { to foo.test ports 443/https 8443/https }
  allow b "B" { to *.bar.test ports 443/https }
  allow c "C" { to both.test *.both.test ports 80/http 443/https }
  allow d "D" { to a*.inner.test ports 443/https }
  allow e "E" { to *.most.test except not.most.test ports 443/https }
  allow f "F" { to 203.0.113.0/25 ports 443/https 9000-9010/tcp }
  allow h "H" { to plain.test ports any/tcp }
}
"""
DIRECT = (
    "https://foo.test", "https://FOO.test", "https://foo.test:8443", "http://foo.test:443", "https://a.bar.test",
    "https://a.b.bar.test", "http://both.test", "https://x.both.test", "https://a1.inner.test", "https://x.most.test",
    "https://203.0.113.0", "https://203.0.113.127", "http://203.0.113.9:9007", "http://plain.test:1", "https://plain.test",
    "https://x.not.most.test",
)  # fmt: skip
PROXIED = (
    "http://foo.test", "https://xfoo.test", "https://a.foo.test", "https://foo.test.evil.test", "https://fooxtest",
    "https://foo.test:4430", "https://bar.test", "https://xbar.test", "https://a.bar.test:80", "https://xboth.test",
    "https://both.test:8080", "https://b.a.inner.test", "https://a.b.inner.test", "https://not.most.test", "https://most.test",
    "https://203.0.113.128", "https://203.0.113.9:9011", "https://1203.0.113.9", "https://203.0.113.999",
    "ftp://plain.test", "https://evil.test/https://foo.test", "https://[2001:db8::1]",
)  # fmt: skip


def test_expressions_match_what_they_must_and_nothing_else():
    found = expressions(POLICY)
    assert [url for url in DIRECT if not goes_directly(found, url)] == []
    assert [url for url in PROXIED if goes_directly(found, url)] == []


def test_numbers_are_those_and_no_others():
    for first, last in (
        (0, 255),
        (0, 0),
        (7, 7),
        (0, 127),
        (128, 255),
        (1, 65535),
        (9000, 9010),
        (99, 1000),
        (443, 8443),
    ):
        one = re.compile(f"(?:{'|'.join(numbers(first, last))})\\Z")
        assert [n for n in range(70000) if one.match(str(n))] == list(range(first, last + 1))
        assert not one.match(f"0{first}")


def test_no_expression_takes_long_for_a_name_of_many_labels():
    (found,) = expressions(policy_of("*.foo.test", "except *.a.foo.test"))
    assert not re.search(found, f"https://{'a.' * 120}foo.tes")


def test_everything():
    (found,) = expressions(policy_of("any-address"))
    for url in ("https://x", "https://x.test", "https://192.0.2.1", "https://[::1]", "http://[::1]:443"):
        assert re.search(found, url)
    for url in ("http://x", "https://x:444", "https://[::1]:444"):
        assert not re.search(found, url)


def test_disabled_says_that_everything_goes_directly():
    policy = policy_of("foo.test")
    build, report = exported(policy, "dotnet", form="disabled")
    assert build is None
    (error,) = [d for d in report if d.level.value == "error"]
    assert error.code == "E0608"
    assert "whatever is asked for goes directly" in error.message
    text = text_of(policy, "dotnet", form="disabled", request={"accept": ("except",)})
    assert '    <defaultProxy enabled="false" />\n' in text
    assert said("dotnet", text) == ["*", ALL]
    assert reasons_of(policy, "dotnet", form="disabled", request={"accept": ("except",)}) == [("except", "wider")]


def test_disabled_without_anything_wanted_disables_nothing():
    text = text_of(policy_of("foo.test", ports="53/udp"), "dotnet", form="disabled")
    assert 'enabled="true"' in text
    assert said("dotnet", text) == []


def test_comments_hold_no_two_hyphens():
    assert comment("a--b---c-") == "<!-- a- -b- --c -->" or "--" not in comment("a--b---c-")[4:-3]
    for text in ("--", "a--->b", "-", "x --> <evil/>"):
        assert list(ET.fromstring(f"<x>{comment(text)}</x>")) == []


def config(*lines, proxy='enabled="true"'):
    return (
        f"<configuration><system.net>\n<defaultProxy {proxy}>\n"
        + "\n".join(lines)
        + "\n</defaultProxy></system.net></configuration>"
    )


def added(*addresses):
    return config("<bypasslist>", *(f'<add address="{each}"/>' for each in addresses), "</bypasslist>")


LISTS = {
    "own": (added(r"^https?://a\.test(:\d+)?$"), ["a.test"]),
    "Microsoft's example": (added(r"[a-z]+\.contoso\.com$"), ["? *.contoso.com 80 443"]),
    "no dot in front": (added(r"contoso\.com$"), ["? contoso.com or *.contoso.com or *contoso.com or *.*contoso.com 80 443"]),
    "dots that stand for any character": (added("contoso.com$"), ["? *", f"? {ALL}"]),
    "no end": (added(r"\.contoso\.com"), ["? *", f"? {ALL}"]),
    "alternatives": (added(r"x|\.contoso\.com$"), ["? *", f"? {ALL}"]),
    "an escape": (added(r"\x41contoso\.com$"), ["? *", f"? {ALL}"]),
    "almost own": (added(r"^(https://a\.test)$"), ["? *", f"? {ALL}"]),
    "ports that are none": (added(r"^(https?://a\.test:70000)$"), ["? *", f"? {ALL}"]),
    "an invalid one spoils the list": (added(r"^https?://a\.test(:\d+)?$", "*.b.test"), ["? a.test", "? *", f"? {ALL}"]),
    "clear and remove": (
        config("<bypasslist><add address='x'/><clear/>", r"<add address='^https?://a\.test(:\d+)?$'/><add address='y'/>",
               "<remove address='y'/></bypasslist>"), ["a.test"]),
    "off": (config(proxy='enabled="false"'), ["*", ALL]),
    "local names": (config('<proxy bypassonlocal="True"/>'), ["[one-label]"]),
    "a part alone": (r'<defaultProxy><bypasslist><add address="^https?://a\.test(:\d+)?$"/></bypasslist></defaultProxy>', ["a.test"]),
    "entities of XML": (added("^https?://a\\.test(:\\d+)?&#36;"), ["a.test"]),
}  # fmt: skip


@pytest.mark.parametrize("case", LISTS)
def test_configurations_of_people(case):
    text, expected = LISTS[case]
    assert said("dotnet", text) == expected


def test_remarks_and_lines():
    text = config('<proxy usesystemdefault="true" bypassonlocal="true" scriptLocation="x"/>', "<module type='x'/>")
    found = read("dotnet", text)
    assert [each.partition(":")[0] for each in found.remarks] == ["line 3", "line 3", "line 4", "line 3"]
    assert [e.line for e in read("dotnet", added(r"^https?://a\.test(:\d+)?$")).entries] == [4]


UNREADABLE = [
    ("", "no XML"),
    ("<configuration/>", "stands 0 times"),
    ("<system.net><defaultProxy/><defaultProxy/></system.net>", "stands 2 times"),
    ('<!DOCTYPE a [<!ENTITY b "c">]><defaultProxy/>', "no document type"),
    ("<defaultProxy><bypasslist><add/></bypasslist></defaultProxy>", "is not `add`"),
    ('<defaultProxy enabled="maybe"/>', "neither `true` nor `false`"),
]


@pytest.mark.parametrize(("text", "message"), UNREADABLE)
def test_other_files_are_not_guessed(text, message):
    with pytest.raises(UnreadableError, match=message):
        read("dotnet", text)


SHOWN = {
    "exact host": (["foo.test"], []),
    "`*.x`": (["*.foo.test"], []),
    "`x` with `*.x`": (["foo.test", "*.foo.test"], []),
    "inner `*`, `*` inside a label": (["a*.foo.test", "*.b.*.foo.test"], []),
    "URL path": (["foo.test/x"], [("path", "wider")]),
    "address, IPv4 network": (["192.0.2.0/23", "10.0.0.1"], [("address", "narrower")]),
    "IPv6": (["2001:db8::1"], [("family", "narrower")]),
    "ports": (["foo.test"], []),
    "`except`": (["*.foo.test", "except a.foo.test"], []),
    "any of it with `--form disabled`": (["foo.test"], [("except", "wider")]),
}


@pytest.mark.parametrize("feature", [row.feature for row in load_format("dotnet").capabilities.rows])
def test_every_capability_is_shown(feature):
    (row,) = [row for row in load_format("dotnet").capabilities.rows if row.feature == feature]
    endpoints, reasons = SHOWN[feature]
    options = {"form": "disabled"} if "disabled" in feature else {}
    policy = prepared_of(policy_of(*endpoints))
    assert reasons_of(policy, "dotnet", request={"accept": ("except",)}, **options) == reasons
    assert row.reasons == tuple(reason for reason, _ in reasons)
    assert row.verdict == (reasons[0][1] if reasons else "exact")
