"""WHO and TO as people write them: what they mean, and what is wrong with them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import prepared_of

from egressc.addresses import ALL, parse_addresses
from egressc.bind import bind_everything
from egressc.problems import Problem
from egressc.question import Question
from egressc.question_who import Parties
from egressc.question_words import no_such_flow, parse_to, with_address

POLICY = """service-account app "App" { linux-user app }
service-account batch "Batch" { linux-user batch }
policy web "Web" {
    from branch
    allow a "A" { to a.example.com ports 443 as app batch }
}
"""

INVENTORY = """groups:
  branch: {networks: [10.0.0.0/24, "2001:db8:1::/64"]}
  depot: {networks: [10.0.1.0/24]}
  guests: {}
  both: {members: [branch, depot]}
"""


@pytest.fixture(scope="module")
def parties():
    prepared = prepared_of(POLICY, INVENTORY)
    return Parties(prepared, bind_everything(prepared))


@pytest.mark.parametrize(
    ("text", "host", "path", "address", "ports"),
    [
        ("login.windows.net:443", "login.windows.net", None, None, "443/tcp"),
        ("a.example.com:80", "a.example.com", None, None, "80/tcp"),
        ("a.example.com:8443", "a.example.com", None, None, "8443/tcp"),
        ("a.example.com:8443/https", "a.example.com", None, None, "8443/tcp"),
        ("ns.example.com:53/udp", "ns.example.com", None, None, "53/udp"),
        ("ns.example.com:53/tcp", "ns.example.com", None, None, "53/tcp"),
        ("*.example.com:443-444", "*.example.com", None, None, "443-444/tcp"),
        ("a.example.com:any", "a.example.com", None, None, "any/tcp"),
        ("MÜNCHEN.example.com:443", "xn--mnchen-3ya.example.com", None, None, "443/tcp"),
        ("192.0.2.7:443", None, None, "192.0.2.7", "443/tcp"),
        ("192.0.2.0/24:443/https", None, None, "192.0.2.0/24", "443/tcp"),
        ("[2001:db8::7]:53/udp", None, None, "2001:db8::7", "53/udp"),
        ("[2001:db8::/64]:443", None, None, "2001:db8::/64", "443/tcp"),
        ("https://a.example.com", "a.example.com", None, None, "443/tcp"),
        ("https://a.example.com/", "a.example.com", "/", None, "443/tcp"),
        ("https://a.example.com/Pki%4fps/?x=1#f", "a.example.com", "/pkiops", None, "443/tcp"),
        ("HTTP://a.example.com/x", "a.example.com", "/x", None, "80/tcp"),
        ("https://a.example.com:8443/x/y", "a.example.com", "/x/y", None, "8443/tcp"),
        ("https://a.example.com/.well-known/..x/", "a.example.com", "/.well-known/..x", None, "443/tcp"),
        ("https://[2001:db8::7]/", None, None, "2001:db8::7", "443/tcp"),
        ("https://[2001:db8::7]:8443/x", None, None, "2001:db8::7", "8443/tcp"),
        ("https://192.0.2.7/x", None, None, "192.0.2.7", "443/tcp"),
    ],
)
def test_to(text, host, path, address, ports):
    found = parse_to(text)
    assert not isinstance(found, Problem), found
    assert (found.pattern.text if found.pattern else None) == host
    assert found.path == path
    assert found.addresses == (ALL if address is None else parse_addresses(address))
    assert found.is_open is (address is None)
    assert found.ports.text == ports
    assert found.text == text


@pytest.mark.parametrize(
    ("text", "code", "at", "found", "help_"),
    [
        ("", "E0904", "", "empty", "HOST:PORT"),
        ("a.example.com", "E0904", "a.example.com", "port is missing", "`a.example.com:443`"),
        ("a.example.com/pki", "E0904", "a.example.com/pki", "port is missing", "`https://a.example.com/pki`"),
        ("192.0.2.7", "E0904", "192.0.2.7", "port is missing", "`192.0.2.7:443`"),
        ("[2001:db8::7]", "E0904", "[2001:db8::7]", "port is missing", "`[2001:db8::7]:443`"),
        ("2001:db8::7", "E0904", "2001:db8::7", "port is missing", "`[2001:db8::7]:443`"),
        ("2001:db8::7:443", "E0904", "2001:db8::7:443", "no destination", "`[2001:db8::7]:443`"),
        ("[2001:db8::7", "E0904", "[", "not closed", "`[V6]:PORT`"),
        ("a.example.com:", "E0904", "", "no port", "HOST:PORT"),
        ("a.example.com:http", "E0904", "http", "no port", "HOST:PORT"),
        ("a.example.com:443/Pki/x", "E0904", "443/Pki/x", "no port", "`https://a.example.com/Pki/x`"),
        ("a.example.com:8443/P", "E0904", "8443/P", "no port", "`https://a.example.com:8443/P`"),
        ("a.example.com:443/HTTPS", "E0904", "443/HTTPS", "no port", "write `443/https`"),
        (
            "a.example.com:443/pkiops",
            "E0337",
            "pkiops",
            "no application",
            "with a path, write `https://a.example.com/pkiops`",
        ),
        ("a.example.com:8443/pkiops", "E0337", "pkiops", "no application", "write `https://a.example.com:8443/pkiops`"),
        ("a.example.com/pki:80", "E0904", "/pki", "path stands before", "`http://a.example.com/pki`"),
        ("a.example.com/pki:8443", "E0904", "/pki", "path stands before", "`https://a.example.com:8443/pki`"),
        ("a.example.com:99999", "E0338", "99999", "no port `99999`", "1 to 65535"),
        ("a.example.com:0443", "E0339", "0443", "leading zero", "443"),
        ("a.example.com:443/htps", "E0337", "htps", "no application `htps`", "`443/https`"),
        ("a$.example.com:443", "E0311", "$", "`$` cannot stand", None),
        ("a..com:443", "E0312", "..", "empty label", "a.com"),
        ("localhost:443", "E0904", "localhost", "neither a host", "domain"),
        ("300.0.2.7:443", "E0303", "300", "not an IPv4 address", "0 to 255"),
        ("10.0.0.1/8:443", "E0306", "10.0.0.1/8", "not a network", "10.0.0.0/8"),
        ("127.0.0.1:443", "E0904", "127.0.0.1:443", "loopback", None),
        ("[ff02::1]:443", "E0904", "[ff02::1]:443", "multicast", None),
        ("ftp://a.example.com/x", "E0904", "ftp", "scheme `ftp`", "`https://…`"),
        ("https://me@a.example.com/x", "E0904", "me@", "no user", "`https://a.example.com/x`"),
        ("https://[2001:db8::7/x", "E0904", "[", "not closed", "`https://[V6]/PATH`"),
        ("https://[2001:db8::7]443/x", "E0904", "443", "no host", "`[2001:db8::7]:PORT`"),
        ("https://a.example.com/pki/../x", "E0904", "/pki/../x", "not the path", "without `.` and `..`"),
        ("https://a.example.com/pki/%2E%2e", "E0904", "/pki/%2E%2e", "not the path", "without `.` and `..`"),
        ("https://a.example.com/./x", "E0904", "/./x", "not the path", "without `.` and `..`"),
        ("https:///x", "E0904", None, "host is missing", None),
        ("https://a.example.com:x/y", "E0335", "a.example.com:x", "not a port", None),
        ("https://a.example.com/x//y", "E0326", "//", "empty segment", "`/x/y`"),
        ("https://a.example.com/x*", "E0324", "*", "wildcard", None),
        ("${region}.example.com:443", "E0904", "${region}.example.com", "parameter", "host"),
    ],
)
def test_what_is_wrong_with_to(text, code, at, found, help_):
    problem = parse_to(text)
    assert isinstance(problem, Problem), problem
    assert problem.code == code, problem
    assert found in problem.message
    if at is not None:
        assert text[problem.start : problem.end] == at
    if help_ is not None:
        assert help_ in problem.help
    assert 0 <= problem.start <= problem.end


def test_at():
    to = parse_to("a.example.com:443")
    assert with_address(to, "192.0.2.7").addresses == parse_addresses("192.0.2.7")
    assert with_address(to, "[2001:db8::7]").addresses == parse_addresses("2001:db8::7")
    assert with_address(to, "192.0.2").code == "E0303"
    bad = "[2001:db8::z]"
    problem = with_address(to, bad)
    assert bad[problem.start : problem.end] == "2001:db8::z"
    for nowhere, what in (("127.0.0.1", "loopback"), ("[::1]", "loopback"), ("ff02::1", "multicast")):
        problem = with_address(to, nowhere)
        assert (problem.code, what in problem.message) == ("E0904", True)
    assert with_address(to, "126.0.0.0/7").addresses == parse_addresses("126.0.0.0/7"), "not all of it is loopback"
    twice = with_address(parse_to("192.0.2.7:443"), "192.0.2.8")
    assert twice.code == "E0904"
    assert "already" in twice.message


@pytest.mark.parametrize(
    ("text", "groups", "account"),
    [
        ("branch", ["branch"], None),
        ("both", ["branch", "depot"], None),
        ("any-group", ["branch", "depot", "guests"], None),
        ("branch:app", ["branch"], "app"),
        ("branch:app@10.0.0.7", ["branch"], "app"),
        ("branch:other", ["branch"], "other"),
        ("branch@2001:db8:1::7", ["branch"], None),
        ("branch@[2001:db8:1::7]", ["branch"], None),
        ("both@10.0.1.7", ["depot"], None),
        ("@10.0.1.7", ["depot"], None),
        ("both@10.0.0.0/23", ["branch", "depot"], None),
        ("@10.0.0.128/25", ["branch"], None),
        ("@203.0.113.7", ["guests"], None),
        ("guests@203.0.113.7", ["guests"], None),
    ],
)
def test_who(parties, text, groups, account):
    who = parties.parse(text)
    assert not isinstance(who, Problem), who
    assert [sender.group for sender in who.senders] == groups
    assert who.account == account
    assert who.any_source is ("@" not in text)
    assert bool(who.notes) is ("203" in text), "that nobody knows its networks is said"


@pytest.mark.parametrize(
    ("text", "code", "at", "found", "help_"),
    [
        ("brunch", "E0901", "brunch", "no group `brunch`", "did you mean `branch`?"),
        ("everyone-else", "E0901", "everyone-else", "no group", "`both`, `branch`, `depot`, `guests`"),
        ("branch:ap", "E0902", "ap", "no service account `ap`", "did you mean `app`?"),
        ("branch:wsus", "E0902", "wsus", "no service account", "`app`, `batch`"),
        ("branch:", "E0903", "", "account behind `:` is missing", None),
        ("branch@", "E0903", "@", "source behind `@` is missing", None),
        ("", "E0903", "", "no group is given", "GROUP"),
        (":app", "E0903", None, "no group is given", "GROUP"),
        ("branch@10.0.1.7", "E0903", "10.0.1.7", "not of group `branch`", "it is of `depot`"),
        ("branch@192.0.2.7", "E0903", "192.0.2.7", "not of group `branch`", "10.0.0.0/24"),
        ("both@192.0.2.7", "E0903", "192.0.2.7", "not of group `both`", "networks"),
        ("branch@10.0.0.0/23", "E0903", "10.0.0.0/23", "not of group `branch`", "10.0.0.0/24"),
        ("both@10.0.0.0/22", "E0903", "10.0.0.0/22", "not of group `both`", None),
        ("branch@10.0.0.300", "E0303", "300", "not an IPv4 address", None),
        ("branch@host", "E0303", "host", "not an IP address", None),
    ],
)
def test_what_is_wrong_with_who(parties, text, code, at, found, help_):
    problem = parties.parse(text)
    assert isinstance(problem, Problem), problem
    assert problem.code == code
    assert found in problem.message
    if at is not None:
        assert text[problem.start : problem.end] == at
    if help_ is not None:
        assert help_ in problem.help


def test_a_network_is_of_several_groups(parties):
    senders = {sender.group: sender.sources.text for sender in parties.parse("@10.0.0.128-10.0.1.7").senders}
    assert senders == {"branch": "10.0.0.128/25", "depot": "10.0.1.0/29"}


def test_a_packet_has_one_ip_version(parties):
    who, to = parties.parse("depot"), parse_to("[2001:db8::7]:443")
    assert Question.of(who, to).boxes() == ()
    assert no_such_flow(who, to).code == "E0905"
    assert len(Question.of(parties.parse("both"), to).boxes()) == 1, "the other member has IPv6"
    assert Question.of(parties.parse("branch@10.0.0.7"), to).boxes() == ()


def test_without_an_inventory_the_groups_are_those_that_the_policies_name():
    prepared = prepared_of(POLICY, None)
    parties = Parties(prepared, bind_everything(prepared))
    assert [sender.group for sender in parties.parse("branch").senders] == ["branch"]
    problem = parties.parse("brunch")
    assert problem.code == "E0901"
    assert problem.help == "did you mean `branch`?"
    prepared = prepared_of(POLICY.replace("from branch", "from any-group"), None)
    parties = Parties(prepared, bind_everything(prepared))
    assert [sender.group for sender in parties.parse("whoever").senders] == ["any-group"]


PIECES = st.lists(
    st.sampled_from(
        ["a", "example", "com", ".", ":", "/", "@", "[", "]", "443", "0", "99999", "https", "://", "http", "udp", "*", "-",
         "2001:db8::1", "192.0.2.1", "${x}", "%", "?", "#", " ", "é", "any", "any-address", "branch", "app", "\x00"]
    ),
    max_size=9,
).map("".join)  # fmt: skip


@pytest.mark.property
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=PIECES, at=PIECES)
def test_whatever_is_written_is_understood_or_a_problem_within_it(parties, text, at):
    to, who = parse_to(text), parties.parse(text)
    for found in (to, who):
        if isinstance(found, Problem):
            assert 0 <= found.start <= found.end <= max(len(text), found.start + 1)
            assert found.message
            assert found.help or found.label
    if not isinstance(to, Problem):
        assert not to.ports.is_empty
        assert not to.addresses.is_empty
        placed = with_address(to, at)
        assert isinstance(placed, Problem) or not placed.is_open
        if not isinstance(who, Problem):
            Question.of(who, to).boxes()
