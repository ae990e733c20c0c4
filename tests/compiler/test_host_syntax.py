"""Hosts and paths from text; the words of a policy are tested in `test_words`."""

from __future__ import annotations

import csv

import pytest
from publicsuffixlist import PublicSuffixList

from egressc import public_suffixes
from egressc.host_paths import path_form
from egressc.host_syntax import host_name, host_path, host_pattern
from egressc.hosts import HostPattern
from egressc.problems import Problem
from egressc.public_suffixes import is_public_suffix
from egressc.words import AddressWord, HostWord, endpoint_word


def test_host_name():
    assert host_name("Login.Windows.NET") == "login.windows.net"
    assert host_name("*.windows.net").code == "E0311"
    assert host_name("windows").code == "E0317"


def test_host_path():
    assert host_path("h.example/A/") == (HostPattern(("h", "example")), "/a")
    assert host_path("h.example/") == (HostPattern(("h", "example")), None)
    problem = host_path("h.example/a*")
    assert (problem.start, problem.end) == (11, 12)


def test_offsets_are_into_the_whole_host():
    text = "login.wind!ows.net"
    problem = host_pattern(text)
    assert text[problem.start : problem.end] == "!"
    text = "a.xn--a.example"
    problem = host_pattern(text)
    assert text[problem.start : problem.end] == "xn--a"


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "*.", ".*", "a.", "xn--", "a.*", "-", "*-", "\0", "a b.example", "ﬀ.", "a.\u3000b"]
)
def test_no_host(text):
    problem = host_pattern(text)
    assert isinstance(problem, Problem)
    assert 0 <= problem.start <= problem.end <= max(len(text), 1)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("/", None),
        ("/a", "/a"),
        ("/A/b/", "/a/b"),
        ("/%41", "/a"),
        ("/a%2Fb", "/a/b"),
        ("/%7Euser", "/~user"),
        ("/a%20b", "/a%20b"),
        ("/É", "/%c3%a9"),
        ("/%C3%89", "/%c3%a9"),
        ("/%FF", "/%ff"),
        ("/a;b=c,d", "/a;b=c,d"),
        ("/a%3fb", "/a%3fb"),
        ("/a%25b", "/a%25b"),
        ("/a\\b", "/a%5cb"),
    ],
)
def test_paths(written, normal):
    assert path_form(written) == normal
    if normal is not None:
        assert path_form(normal) == normal


def test_public_suffixes_are_those_of_the_whole_list():
    whole = PublicSuffixList(only_icann=True, accept_unknown=False)
    entries = sorted({rule.lstrip("!*.") for rule in whole._publicsuffix if rule.isascii()})
    assert len(entries) > 5000
    assert max(entry.count(".") + 1 for entry in entries) < public_suffixes._MOST_LABELS
    for entry in [e for i, e in enumerate(entries) if i % 23 == 0 or e.endswith(("ck", "kawasaki.jp", "uk"))]:
        for name in (entry, f"contoso.{entry}"):
            assert is_public_suffix(name.split(".")) == whole.is_public(name)


@pytest.mark.parametrize(
    ("name", "public"),
    [("com", True), ("co.uk", True), ("ck", True), ("contoso.ck", True), ("www.ck", False), ("corp", False),
     ("contoso.com", False), ("windows.net", False), ("blob.core.windows.net", False), ("xn--p1ai", True)],
)  # fmt: skip
def test_public_suffix(name, public):
    assert is_public_suffix(name.split(".")) == public


def test_the_hosts_that_microsoft_publishes(reference):
    with (reference / "endpoints.csv").open(encoding="utf-8", newline="") as file:
        hosts = [row["host"] for row in csv.DictReader(file)]
    assert len(hosts) > 400
    refused = {host: word for host in hosts if isinstance(word := endpoint_word(host), Problem)}
    assert {w.code for host, w in refused.items() if "://" in host} == {"E0300"}
    # What is left are shapes that no policy can hold: placeholders, tags and references in the file's own notation.
    left = {host: w.code for host, w in refused.items() if "://" not in host}
    assert {host: code for host, code in left.items() if host[0] not in "@<" and not host.startswith("tag:")} == {
        "**.servicebus.windows.net": "E0318",
        "*.<region>.arcdataservices.com": "E0311",
    }
    assert all(isinstance(endpoint_word(host), HostWord | AddressWord) for host in hosts if host not in refused)
