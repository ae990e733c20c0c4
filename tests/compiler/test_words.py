"""What a word is: the forms of the language, and every mistake with its code and what to write instead."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from egressc import keywords
from egressc.addresses import AddressSet
from egressc.hosts import HostPattern
from egressc.problems import Problem
from egressc.services import Application, Service
from egressc.words import (
    RESERVED,
    AddressWord,
    AnyAddressWord,
    HostWord,
    SetWord,
    TemplateWord,
    date_word,
    endpoint_word,
    fill,
    name_word,
    port_word,
)


def host(*labels, deep=False, path=None):
    return HostWord(HostPattern(labels, deep), path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("login.windows.net", host("login", "windows", "net")),
        ("*.msappproxy.net", host("msappproxy", "net", deep=True)),
        ("autodiscover.*.onmicrosoft.com", host("autodiscover", "*", "onmicrosoft", "com")),
        ("azgn*.servicebus.windows.net", host("azgn*", "servicebus", "windows", "net")),
        ("*cdn.onenote.net", host("*cdn", "onenote", "net")),
        ("san-af-*-prod.azurewebsites.net", host("san-af-*-prod", "azurewebsites", "net")),
        ("*.*.contoso.com", host("*", "contoso", "com", deep=True)),
        ("LOGIN.Windows.NET", host("login", "windows", "net")),
        ("_dmarc.a_b.contoso.com", host("_dmarc", "a_b", "contoso", "com")),
        ("r3---sn-x.googlevideo.com", host("r3---sn-x", "googlevideo", "com")),
        ("1.pool.ntp.org", host("1", "pool", "ntp", "org")),
        ("Bücher.example", host("xn--bcher-kva", "example")),
        ("XN--BCHER-KVA.example", host("xn--bcher-kva", "example")),
        ("*.bücher.example", host("xn--bcher-kva", "example", deep=True)),
        ("www.microsoft.com/pkiops", host("www", "microsoft", "com", path="/pkiops")),
        ("www.microsoft.com/PKIops/", host("www", "microsoft", "com", path="/pkiops")),
        ("www.microsoft.com/", host("www", "microsoft", "com")),
        ("h.example/a/B%20c/%7Ed", host("h", "example", path="/a/b%20c/~d")),
        ("h.example/É", host("h", "example", path="/%c3%a9")),
        ("h.example/a%2Ab", host("h", "example", path="/a%2ab")),
        ("*.corp", host("corp", deep=True)),
        ("*.blob.core.windows.net", host("blob", "core", "windows", "net", deep=True)),
        ("10.0.0.0/8", AddressWord(AddressSet(v4=((0x0A000000, 0x0AFFFFFF),)))),
        ("2001:db8::1", AddressWord(AddressSet(v6=((0x20010DB8 << 96 | 1,) * 2,)))),
        ("10.0.0.1-10.0.0.9", AddressWord(AddressSet(v4=((0x0A000001, 0x0A000009),)))),
        ("any-address", AnyAddressWord()),
        ("cloud-service", SetWord("cloud-service")),
        ("localhost", SetWord("localhost")),
        ("${region}.hybrid.contoso.com", TemplateWord("${region}.hybrid.contoso.com", ("region",), "${region}.hybrid.contoso.com")),
        ("a-${r}*.${s}${r}.contoso.com/P", TemplateWord("a-${r}*.${s}${r}.contoso.com/P", ("r", "s"), "a-${r}*.${s}${r}.contoso.com", "/p")),
        ("${tenant}", TemplateWord("${tenant}", ("tenant",), "${tenant}")),
    ],
)  # fmt: skip
def test_endpoints(text, expected):
    assert endpoint_word(text) == expected


@pytest.mark.parametrize(
    ("text", "code", "marked", "fix"),
    [
        ("https://login.windows.net/", "E0300", "https://", "write `login.windows.net`, and `443/https` under `ports`"),
        ("http://crl3.digicert.com/a?b", "E0300", "http://", "write `crl3.digicert.com/a`, and `80/http` under `ports`"),
        ("https://u@x.contoso.com:8443", "E0300", "https://", "`x.contoso.com`, and `8443/https`"),
        ("https://10.0.0.1/", "E0300", "https://", "`10.0.0.1`"),
        ("https://", "E0300", "https://", "write the host alone"),
        ("h.example/a?b=c", "E0301", "?b=c", "write `h.example/a`"),
        ("h.example/a#b", "E0301", "#b", "write `h.example/a`"),
        ("a?.contoso.com", "E0301", "?.contoso.com", "`*` stands for any run of characters"),
        ("h.example:443", "E0302", ":443", "write `h.example`, and `443/https` under `ports`"),
        ("h.example:8443/a", "E0302", ":8443", "write `h.example/a`, and `8443/APPLICATION` under `ports`"),
        ("10.0.0.1:80", "E0302", ":80", "write `10.0.0.1`, and `80/http` under `ports`"),
        ("h.example:https", "E0302", ":https", "write the host alone"),
        ("tag:AzureMonitor", "E0302", ":AzureMonitor", "write `service-tag AzureMonitor`"),
        ("<region>.contoso.com", "E0311", "<", "`${NAME}`"),
        ("443", "E0303", "443", "under `ports`"),
        ("1.2.3", "E0303", "1.2.3", "such as `192.0.2.1`"),
        ("-", "E0303", "-", "such as `192.0.2.1`"),
        ("2027-06-30", "E0303", "2027", "such as `192.0.2.1`"),
        ("h.example.", "E0313", ".", "write `h.example`"),
        (".contoso.com", "E0312", ".", "write `*.contoso.com` for every name below it"),
        ("a..contoso.com", "E0312", "..", "write `a.contoso.com`"),
        ("/path", "E0312", "/", "write the host before the path"),
        ("-a.contoso.com", "E0314", "-", "begins and ends with a letter"),
        ("a.b-.contoso.com", "E0314", "-", "begins and ends with a letter"),
        ("-*.contoso.com", "E0314", "-", "begins and ends with a letter"),
        ("a" * 64 + ".contoso.com", "E0315", "a" * 64, "at most 63"),
        ("a*" + "b" * 63 + ".contoso.com", "E0315", "a*" + "b" * 63, "at most 63"),
        ("ü" * 63 + ".contoso.com", "E0315", "ü" * 63, "at most 63"),
        ("abcdefg." * 31 + "contoso", "E0316", "abcdefg." * 31 + "contoso", "at most 253"),
        ("contoso/a", "E0317", "contoso", "`contoso.contoso.example`"),
        ("a*", "E0317", "a*", "write the full name"),
        ("**.contoso.com", "E0318", "**", "write `*.contoso.com`"),
        ("a**b.contoso.com", "E0318", "**", "write `a*b.contoso.com`"),
        ("a.**.contoso.com", "E0318", "**", "write `a.*.contoso.com`"),
        ("*.com", "E0319", "*.com", "such as `*.contoso.com`"),
        ("*.co.uk", "E0319", "*.co.uk", "such as `*.contoso.co.uk`"),
        ("*.CK", "E0319", "*.CK", "`*.contoso.ck`"),
        ("www.*.com", "E0319", "www.*.com", "such as `*.contoso.com`"),
        ("a*.co.uk", "E0319", "a*.co.uk", "such as `*.contoso.co.uk`"),
        ("*.个人.hk", "E0319", "*.个人.hk", "write the domain"),
        ("*.xn--p1ai", "E0319", "*.xn--p1ai", "write the domain"),
        ("*", "E0320", "*", "write `any-address`"),
        ("www.contoso.*", "E0320", "*", "such as `www.contoso.com`"),
        ("*.*", "E0320", "*", "write the domain"),
        ("10.0.0.*", "E0320", "*", "such as `10.0.0.0/24`"),
        ("b*ü.example", "E0321", "b*ü", "write the whole label"),
        ("xn--*.example", "E0321", "xn--*", "write the whole label"),
        ("a_é.example", "E0322", "a_é", "`xn--` form"),
        ("a.xn--a.example", "E0323", "xn--a", "copy its `xn--` form again"),
        ("xn--.example", "E0314", "-", "begins and ends with a letter"),
        ("h.example/*", "E0324", "*", "leave `/*` out"),
        ("h.example/a*/b", "E0324", "*", "leave the path out"),
        ("h.example/a%2", "E0325", "%2", "`%25`"),
        ("h.example/a//b", "E0326", "//", "write `/a/b`"),
        ("10.0.0.0/8,", "E0327", "/8,", "write `10.0.0.0`"),
        ("10.0.0.1x.5", "E0327", "10.0.0.1x.5", "a network such as"),
        ("a,b.contoso.com", "E0311", ",", "white space between"),
        ("user@contoso.com", "E0311", "@", "without a user"),
        ("$region.contoso.com", "E0311", "$", "`${NAME}`"),
        ("例え。example.com", "E0311", "。", "write `.`"),
        ("${region.contoso.com", "E0328", "${region.contoso.com", "`${NAME}`"),
        ("a.${}.contoso.com", "E0329", "${}", "write `${NAME}`"),
        ("${Region}.contoso.com", "E0329", "${Region}", "write `${region}`"),
        ("${from}.contoso.com", "E0334", "from", "another name"),
        ("${r}.contoso.com/${p}", "E0330", "${p}", "write the path out"),
        ("${r}..contoso.com", "E0312", "..", ""),
        ("${r}.a!b.contoso.com", "E0311", "!", "except"),
        ("Cloud_Service", "E0333", "Cloud_Service", "write `cloud-service`"),
        ("a" * 64, "E0333", "a", "shorten"),
        ("any", "E0334", "any", "write `any-address`"),
        ("ALL", "E0333", "ALL", "write `any-address`"),
        ("policy", "E0334", "policy", "another name"),
    ],
)  # fmt: skip
def test_endpoint_mistakes(text, code, marked, fix):
    problem = endpoint_word(text)
    assert isinstance(problem, Problem)
    assert problem.code == code
    assert text[problem.start : problem.end] == marked
    assert fix in problem.help


def test_a_set_name_of_63_characters_is_the_longest():
    assert endpoint_word("a" * 63) == SetWord("a" * 63)


def test_a_host_of_253_characters_is_the_longest():
    longest = "abcdefg." * 30 + "contoso.notld"
    assert len(longest) == 253
    assert isinstance(endpoint_word(longest), HostWord)
    assert endpoint_word("a" + longest).code == "E0316"
    assert isinstance(endpoint_word("*." + longest[2:]), HostWord)
    assert endpoint_word("*." + longest[1:]).code == "E0316"


def test_stars_count_for_nothing_in_the_length_of_a_label():
    assert endpoint_word("a" * 62 + "*.contoso.com") == host("a" * 62 + "*", "contoso", "com")
    assert endpoint_word("a" * 63 + "*.contoso.com") == host("a" * 63, "contoso", "com")


class TestFill:
    template = endpoint_word("a-${region}.${tenant}.contoso.com/p")

    def test_values_are_put_in_and_lowered(self):
        filled = fill(self.template, {"region": "EU1", "tenant": "x"})
        assert filled == host("a-eu1", "x", "contoso", "com", path="/p")

    def test_dots_need_labels(self):
        values = {"region": "eu", "tenant": "x.y"}
        assert fill(self.template, values, {"tenant"}) == host("a-eu", "x", "y", "contoso", "com", path="/p")
        problem = fill(self.template, values)
        assert (problem.code, self.template.text[problem.start : problem.end]) == ("E0331", "${tenant}")
        assert "`tenant`" in problem.message

    @pytest.mark.parametrize(
        "value", ["", "*", "a*", "a b", "a/b", "a:b", "-a", "a-", "a" * 64, "${region}", "a\n", "xn--a"]
    )
    def test_a_value_is_one_label(self, value):
        problem = fill(self.template, {"region": value, "tenant": "x"})
        assert (problem.code, self.template.text[problem.start : problem.end]) == ("E0331", "${region}")
        assert "`region`" in problem.message

    @pytest.mark.parametrize("value", [".", "a.", ".a", "a..b", "*.a", "a.-b"])
    def test_a_value_with_labels_is_labels(self, value):
        assert fill(self.template, {"region": "a", "tenant": value}, {"tenant"}).code == "E0331"

    def test_a_missing_value_is_never_a_wildcard(self):
        problem = fill(self.template, {"region": "a"})
        assert (problem.code, self.template.text[problem.start : problem.end]) == ("E0332", "${tenant}")

    @pytest.mark.parametrize(
        ("text", "value", "code"),
        [
            ("*.${r}", "com", "E0319"),
            ("*.${r}", "co.uk", "E0319"),
            ("${r}", "contoso", "E0317"),
            ("*.${r}", "corp", None),
            ("${r}", "h.contoso.com", None),
            ("${r}-x.contoso.com", "a" * 62, "E0315"),
            ("*${r}.contoso.com", "é", "E0321"),
            ("${r}.contoso.com", "é", None),
            ("a.${r}", "7", "E0327"),
            ("xn--${r}.contoso.com", "a", "E0323"),
            ("xn--${r}.contoso.com", "bcher-kva", None),
        ],
    )
    def test_what_is_filled_is_checked_again(self, text, value, code):
        filled = fill(endpoint_word(text), {"r": value}, {"r"})
        assert (filled.code if isinstance(filled, Problem) else None) == code


def test_ports():
    assert port_word("443") == Service(Application.HTTPS, 443, 443)
    assert port_word("8080").code == "E0336"


@pytest.mark.parametrize(("text", "day"), [("2027-06-30", date(2027, 6, 30)), ("2028-02-29", date(2028, 2, 29))])
def test_dates(text, day):
    assert date_word(text) == day


@pytest.mark.parametrize(
    ("text", "code", "fix"),
    [
        ("2027-02-29", "E0342", "28 days"),
        ("2027-13-01", "E0342", "months run from 01 to 12"),
        ("9999-12-32", "E0342", "31 days"),
        ("2028-02-30", "E0342", "29 days"),
        ("2027-04-31", "E0342", "30 days"),
        ("0000-01-01", "E0342", "years from 0001"),
        ("2027-00-10", "E0342", "months"),
        ("2027-6-3", "E0341", "write `2027-06-03`"),
        ("20270630", "E0341", "write `2027-06-30`"),
        ("2027/06/30", "E0341", "write `2027-06-30`"),
        ("30.06.2027", "E0341", "YYYY-MM-DD"),
        ("never", "E0341", "YYYY-MM-DD"),
        ("\uff12\uff10\uff12\uff17-06-30", "E0341", "YYYY-MM-DD"),
    ],
)  # fmt: skip
def test_date_mistakes(text, code, fix):
    problem = date_word(text)
    assert problem.code == code
    assert fix in problem.help


@pytest.mark.parametrize("text", ["a", "a-b", "a1", "a-", "a" * 63])
def test_names(text):
    assert name_word(text) == text


@pytest.mark.parametrize("text", ["", "A", "1a", "-a", "a_b", "a.b", "ä", "a" * 64, "a\n"])
def test_no_names(text):
    assert name_word(text).code == "E0333"


def test_reserved_words():
    assert RESERVED == keywords.RESERVED
    assert {"any", "any-group", "any-address", "off", "may", "labels", "linux-cgroup", "review-by"} <= RESERVED
    assert {name_word(word).code for word in RESERVED} == {"E0334"}


PAGES = sorted((Path(__file__).parents[2] / "docs" / "diagnostics").glob("E03[0-4]?.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_the_pages_show_what_they_say(page):
    # The inventory's pages (in YAML) are about values, which `TestFill` covers.
    wrong, instead = re.findall(
        r"^```egress\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    ) or ("", "")
    assert {problem.code for problem in _problems(wrong)} == ({page.stem} if wrong else set())
    assert _problems(instead) == []


def _problems(block):
    read = {"to": endpoint_word, "ports": port_word, "expires": date_word}
    found = []
    for line in block.splitlines():
        keyword, *words = line.split()
        found += [name_word(words[0])] if keyword == "endpoints" else [read[keyword](word) for word in words]
    return [value for value in found if isinstance(value, Problem)]


def test_there_are_pages():
    assert len(PAGES) == 43
