"""PAC files: the exact text, what an engine makes of it, and what a file that was changed is read as."""

import re

import dukpy
import pytest
from client_lists import read, said
from lists_support import exported, policy_of, prepared_of, reasons_of, text_of
from pac_questions import DIRECT, ODD_DIRECT, ODD_PROXIED, POLICY, PROXIED, host_of, script_of

from egressc.meaning import UnreadableError
from egressc.targets.list_registry import load_format
from egressc.targets.lists.pac import LARGE, code

PROXY = "PROXY proxy.contoso.example:8080"


def tables(text):
    """The part of a file before its code, which is the same in all."""
    assert text.endswith(code())
    return text.removesuffix(code())


def test_the_whole_file():
    policy = policy_of(
        "foo.test", "bar.test", "*.bar.test", "a*.baz.test", "203.0.113.0/24", "2001:db8::1", "except b.bar.test"
    )
    assert tables(text_of(policy, "pac")) == (
        "// bypass list for g. Written by egressc: change the policy, not this file.\n"
        "\n"
        "var egressc = {\n"
        '"proxy": "PROXY proxy.contoso.example:8080",\n'
        '"when": [\n'
        '  {"ports": [[443, 443]], "path": "", "except": []},\n'
        '  {"ports": [[443, 443]], "path": "", "except": [["b.bar.test", ""]]}\n'
        "],\n"
        '"names": {\n'
        '  "bar.test": [0],  // p/web\n'
        '  "*.bar.test": [1],  // p/web\n'
        '  "foo.test": [0]  // p/web\n'
        "},\n"
        '"patterns": [\n'
        '  ["a*.baz.test", [0]]  // p/web\n'
        "],\n"
        '"addresses": [\n'
        '  ["203.0.113.0", "203.0.113.255", [0]],  // p/web\n'
        '  ["2001:db8::1", "2001:db8::1", [0]]  // p/web\n'
        "]\n"
        "};\n"
        "\n"
    )
    assert reasons_of(policy, "pac") == [("address", "narrower")]


def test_a_domain_is_two_keys_and_several_rules_share_one():
    policy = 'policy p "P" { from g allow one "1" { to d.test *.d.test ports 443/https } '
    policy += 'allow two "2" { to d.test *.d.test ports 443/https 80/http } }'
    text = tables(text_of(policy, "pac"))
    assert '"d.test": [0],  // p/one p/two\n  "*.d.test": [0]  // p/one p/two\n' in text
    assert '{"ports": [[80, 80], [443, 443]], "path": "", "except": []}\n' in text


def test_an_ipv6_proxy_stands_in_brackets():
    from egressc.targets.list_protocol import Proxy

    text = text_of(policy_of("foo.test"), "pac", proxy=Proxy("2001:db8::5", 3128))
    assert '"proxy": "PROXY [2001:db8::5]:3128",\n' in text
    assert [f"{e.text}" for e in read("pac", text).entries] == ["foo.test"]


def test_the_paths_of_https_are_wider_those_of_http_are_not():
    policy = policy_of("foo.test/a", ports="80/http 443/https")
    assert reasons_of(policy, "pac") == [("path", "wider")]
    assert '{"ports": [[80, 80]], "path": "/a", "except": []}' in text_of(policy, "pac")
    assert reasons_of(policy_of("foo.test/a", ports="80/http"), "pac") == []


def test_an_exception_with_a_path_is_exact_where_the_path_is_seen():
    plain = policy_of("foo.test", "except foo.test/x", ports="80/http")
    assert reasons_of(plain, "pac") == []
    assert '"except": [["foo.test", "/x"]]' in text_of(plain, "pac")
    policy = policy_of("foo.test", "except foo.test/x", ports="80/http 443/https")
    build, report = exported(policy, "pac")
    assert build is None
    (error,) = [d for d in report if d.level.value == "error"]
    assert "does not see the path of what is left out, `foo.test/x`" in error.message


def asked(text, pairs):
    answers = dukpy.evaljs(script_of(text, pairs))
    assert set(answers) <= {"DIRECT", PROXY}
    return dict(zip(pairs, answers, strict=True))


def test_a_real_engine_answers_as_the_policy_says():
    text = text_of(POLICY, "pac")
    expected = {(url, host_of(url)): "DIRECT" for url in DIRECT}
    expected |= {(url, host_of(url)): PROXY for url in PROXIED}
    expected |= dict.fromkeys(ODD_DIRECT, "DIRECT") | dict.fromkeys(ODD_PROXIED, PROXY)
    assert asked(text, tuple(expected)) == expected


def test_whatever_is_asked_for():
    policy = 'policy p "P" { from g allow web "W" { to any-address except *.foo.test ports 443/https } }'
    text = text_of(policy, "pac", request={"accept": ("except",)})
    urls = ("https://x.test/", "https://x/", "https://foo.test/", "https://192.0.2.1/", "https://[::1]/")
    expected = {(url, host_of(url)): "DIRECT" for url in urls}
    expected |= {(url, host_of(url)): PROXY for url in ("https://a.foo.test/", "http://x.test/")}
    assert asked(text, tuple(expected)) == expected


def test_no_helper_is_called_with_or_without_probe_free():
    """An engine that has none of the helpers has answered above; here is that the words do not even stand there."""
    text = text_of(POLICY, "pac")
    assert text == text_of(POLICY, "pac", probe_free=True)
    helpers = (
        "isPlainHostName dnsDomainIs localHostOrDomainIs isResolvable isInNet dnsResolve convert_addr myIpAddress "
        "dnsDomainLevels shExpMatch weekdayRange dateRange timeRange alert isResolvableEx isInNetEx dnsResolveEx "
        "sortIpAddressList getClientVersion"
    )
    assert not re.search("|".join(helpers.split()), text, re.IGNORECASE)


@pytest.mark.parametrize("words", ["*/ }; evil(); /*", "\\u2028 evil()", "x\u2028evil()", "// </script>", "'] evil"])
def test_descriptions_do_not_come_into_the_file(words):
    text = text_of(f'policy p "P" {{ from g allow w "{words}" {{ to foo.test ports 443/https }} }}', "pac")
    assert "evil" not in text
    assert text.isascii()


def test_what_is_read_is_what_was_written():
    policy = policy_of("foo.test", "*.bar.test", "10.0.0.0/8", "a*.b.test", ports="443/https 8000-8010/tcp")
    ports = "443 8000-8010"
    assert sorted(said("pac", text_of(policy, "pac"))) == sorted(
        [f"foo.test {ports}", f"*.bar.test {ports}", f"10.0.0.0/8 {ports}", f"a*.b.test {ports}"]
    )


def test_line_ends_a_mark_and_lines_behind_it_do_no_harm():
    text = text_of(policy_of("foo.test"), "pac")
    assert said("pac", "\ufeff" + text.replace("\n", "\r\n") + "\r\n\r\n") == ["foo.test 443"]


def test_tables_that_people_have_edited():
    text = text_of(policy_of("foo.test"), "pac")
    more = text.replace('"names": {\n', '"names": {\n  // by hand\n  "*.more.test": [0], "x": [],\n')
    assert said("pac", more) == ["*.more.test 443", "foo.test 443"]
    assert [e.line for e in read("pac", more).entries] == [10, 11]


FOREIGN = (
    'function FindProxyForURL(url, host) { return "DIRECT"; }\n',
    "",
    "\n",
)


@pytest.mark.parametrize("text", FOREIGN)
def test_another_pac_file_is_a_program(text):
    with pytest.raises(UnreadableError, match="is a program"):
        read("pac", text)


CHANGES = [
    ("return egressc.proxy;", 'return "DIRECT";', "is a program"),
    ("var egressc", "evil(); var egressc", "is a program"),
    ("// bypass", "// \u2028evil(); bypass", "is a program"),
    ("// bypass", "// \revil(); bypass", "is a program"),
    ("};\n\n", "}; evil();\n\n", "is a program"),
    ('"foo.test": [0]', '"foo.test": [evil()]', "no JSON"),
    ('"foo.test": [0]', '"foo.test": [0] /* x */', "no JSON"),
    ('"foo.test": [0]', '"foo.test": [0],', "no JSON"),
    ('"foo.test": [0]', '"foo.test": [1]', "names the condition `1`"),
    ('"foo.test": [0]', '"foo.test": [-1]', "names the condition `-1`"),
    ('"foo.test": [0]', '"foo.test": [true]', "names the condition `True`"),
    ('"foo.test": [0]', '"foo.test": [0.0]', "names the condition `0.0`"),
    ('"foo.test": [0]', '"foo.test": 0', "no array"),
    ('"foo.test": [0]', '"foo.test": [0], "foo.test": []', "stands twice"),
    ('"foo.test": [0]', '"FOO.test": [0]', "normal form"),
    ('"foo.test": [0]', '"foo.test.": [0]', "normal form"),
    ('"foo.test": [0]', '"a*.test": [0]', "is a pattern"),
    ('"foo.test": [0]', '"10.0.0.1": [0]', "normal form"),
    ('"patterns": [\n', '"patterns": [\n["a b", [0]]', "normal form"),
    ('"patterns": [\n', '"patterns": [\n["a*.b"]', "has 2 parts"),
    ('"addresses": [\n', '"addresses": [\n["10.0.0.9", "10.0.0.1", [0]]', "no addresses"),
    ('"addresses": [\n', '"addresses": [\n["10.0.0.0/8", "10.0.0.0/8", [0]]', "no addresses"),
    ('"addresses": [\n', '"addresses": [\n["10.0.0.0", "2001:db8::", [0]]', "no addresses"),
    ("[[443, 443]]", "[[443, 442]]", "no ports"),
    ("[[443, 443]]", "[[443, 70000]]", "no ports"),
    ("[[443, 443]]", "[[true, 443]]", "no ports"),
    ('"path": ""', '"path": "/A"', "no path"),
    ('"path": ""', '"path": "/a/"', "no path"),
    ('"path": ""', '"path": "a"', "no path"),
    ('"path": ""', '"path": 1', "no path"),
    ('"except": []', '"except": ["a.test"]', "a host and a path"),
    ('"except": []', '"except": [["A.test", ""]]', "normal form"),
    ('"except": []', '"except": [], "more": 1', "is `ports`, `path` and `except`"),
    ('"proxy": "PROXY', '"proxy": "DIRECT; PROXY', "is not `PROXY`"),
    ('"patterns": [\n],', "", "not those that its code asks"),
]


@pytest.mark.parametrize(("before", "after", "message"), CHANGES)
def test_what_was_changed_is_not_guessed(before, after, message):
    text = text_of(policy_of("foo.test"), "pac")
    assert text.count(before) >= 1
    with pytest.raises(UnreadableError, match=re.escape(message)):
        read("pac", text.replace(before, after, 1))


def test_a_path_that_is_no_utf8_is_refused():
    build, report = exported(policy_of("foo.test/%ff", ports="80/http"), "pac")
    assert build is None
    (error,) = [d for d in report if d.level.value == "error"]
    assert "the path `/%ff` is no UTF-8" in error.message


def test_a_large_file_is_remarked():
    hosts = " ".join(f"host-{n:05}.a-long-domain-name-of-a-company.test" for n in range(4000))
    build, _ = exported(prepared_of(policy_of(hosts)), "pac")
    assert len(build.text) > LARGE
    assert build.remarks == (
        f"the file has {len(build.text) // 1024} KB: some clients are said to take no more than 256 KB of a PAC file",
    )
    assert exported(policy_of("foo.test"), "pac")[0].remarks == ()


SHOWN = {
    "exact host": (policy_of("foo.test"), []),
    "`*.x`": (policy_of("*.foo.test"), []),
    "`x` with `*.x`": (policy_of("foo.test", "*.foo.test"), []),
    "inner `*`, `*` inside a label": (policy_of("a*.foo.test", "*.x.*.foo.test"), []),
    "URL path of plain HTTP": (policy_of("foo.test/x", ports="80/http"), []),
    "URL path of https": (policy_of("foo.test/x"), [("path", "wider")]),
    "address, CIDR, range": (policy_of("10.0.0.0/8", "192.0.2.1-192.0.2.9"), [("address", "narrower")]),
    "ports": (policy_of("foo.test", ports="443/https 1-9/tcp"), []),
    "`except`": (policy_of("*.foo.test", "except a.foo.test"), []),
    "`except` with the path of https": (policy_of("foo.test", "except foo.test/x"), [("except", "wider")]),
}


@pytest.mark.parametrize("feature", [row.feature for row in load_format("pac").capabilities.rows])
def test_every_capability_is_shown(feature):
    (row,) = [row for row in load_format("pac").capabilities.rows if row.feature == feature]
    policy, reasons = SHOWN[feature]
    assert reasons_of(policy, "pac", request={"accept": ("except",)}) == reasons
    assert row.reasons == tuple(reason for reason, _ in reasons)
    assert row.verdict == (reasons[0][1] if reasons else "exact")
