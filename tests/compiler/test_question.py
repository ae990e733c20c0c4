"""What the policy says about a question, what it depends on, and which rules miss by one thing."""

from __future__ import annotations

from datetime import date

import pytest
from support import prepared_of

from egressc.bind import bind_everything
from egressc.policy import Inspection
from egressc.question_answer import Verdict
from egressc.question_explanation import answer
from egressc.question_hosts import why_not
from egressc.question_who import Parties
from egressc.question_words import parse_to, with_address
from egressc.words import endpoint_word

POLICY = """service-account app "App" { linux-user app }
service-account batch "Batch" { linux-user batch }
parameter region "Region"
policy web "Web" {
    from branch
    allow tree "Tree" { to *.example.com ports 443/https no-tls-inspection }
    allow sniffed "Sniffed" { to seen.example.net ports 443/https tls-inspection }
    allow path "Path" { to pki.example.net/pki ports 80/http }
    allow whom "Whom" { to only.example.net ports 443/https as app }
    allow net "Net" { to 198.51.100.0/24 ports 5000-5010/tcp }
    deny hole "Hole" { to 198.51.100.9 ports any/tcp }
    deny cut "Cut" { to *.bad.example.com ports 443/https }
    allow exact "Exact" { to host.example.org ports 443/https }
    allow inner "Inner" { to a.*.example.org ports 443/https }
    allow extra "Extra" { to extra.example.net ports 443/https feature beta }
    allow old "Old" { to old.example.net ports 443/https expires 2026-01-01 }
    allow but "But" { to *.but.example.net except not.but.example.net ports 443/https }
    allow less "Less" { to 203.0.113.0/24 except 203.0.113.7 ports 443/tcp }
    allow where "Where" { to ${region}.where.example.net ports 443/https from both }
    deny dns "DNS" { to any-address ports 53/udp }
    deny tagged "Tagged" { to service-tag Sql ports 1433/tcp }
    allow sql "SQL" { to sql.example.net ports 1433/tcp }
}
"""

INVENTORY = """groups:
  branch: {networks: [10.0.0.0/24], parameters: {region: [north, south]}}
  depot: {networks: [10.0.1.0/24], parameters: {region: west}}
  both: {members: [branch, depot]}
"""


@pytest.fixture(scope="module")
def ask():
    """A function that answers a question: WHO, TO, and the address."""
    prepared = prepared_of(POLICY, INVENTORY, date(2026, 11, 22))
    whole = bind_everything(prepared)
    parties = Parties(prepared, whole)

    def asked(who, to, at="192.0.2.1"):
        place = parse_to(to)
        if at is not None and place.pattern is not None:
            place = with_address(place, at)
        return answer(prepared, whole, parties.parse(who), place)

    return asked


@pytest.mark.parametrize(
    ("who", "to", "verdict", "inspection", "rules"),
    [
        ("branch", "a.example.com:443", "allow", Inspection.MUST_NOT, ["tree"]),
        ("branch", "example.com:443", "deny", None, []),
        ("branch", "a.example.com:80", "deny", None, []),
        ("branch", "a.example.com:443/udp", "deny", None, []),
        ("branch", "a.bad.example.com:443", "deny", None, ["cut"]),
        ("branch", "seen.example.net:443", "allow", Inspection.MUST, ["sniffed"]),
        ("branch", "http://pki.example.net/pki", "allow", Inspection.MAY, ["path"]),
        ("branch", "http://pki.example.net/pki/x", "allow", Inspection.MAY, ["path"]),
        ("branch", "http://pki.example.net/pkix", "deny", None, []),
        ("branch", "http://pki.example.net/", "deny", None, []),
        ("branch:app", "only.example.net:443", "allow", Inspection.MAY, ["whom"]),
        ("branch:batch", "only.example.net:443", "deny", None, []),
        ("branch:other", "only.example.net:443", "deny", None, []),
        ("branch:other", "a.example.com:443", "allow", Inspection.MUST_NOT, ["tree"]),
        ("branch", "198.51.100.8:5000", "allow", Inspection.MAY, ["net"]),
        ("branch", "198.51.100.9:5000", "deny", None, ["hole"]),
        ("depot", "198.51.100.8:5000", "deny", None, []),
        ("both", "north.where.example.net:443", "unknown", None, ["where"]),
        ("depot", "west.where.example.net:443", "allow", Inspection.MAY, ["where"]),
        ("branch", "203.0.113.8:443", "allow", Inspection.MAY, ["less"]),
        ("branch", "203.0.113.7:443", "deny", None, []),
        ("branch", "a.but.example.net:443", "allow", Inspection.MAY, ["but"]),
        ("branch", "198.51.100.0/24:5000", "unknown", None, ["hole", "net"]),
        ("branch", "198.51.100.0/25:5000-5001", "unknown", None, ["hole", "net"]),
        ("branch", "198.51.100.128/25:5000-5001", "allow", Inspection.MAY, ["net"]),
        ("branch", "*.example.com:443", "unknown", None, ["cut", "tree"]),
        ("branch", "*.good.example.com:443", "allow", Inspection.MUST_NOT, ["tree"]),
    ],
)
def test_the_verdict_and_the_rules_that_decide(ask, who, to, verdict, inspection, rules):
    found = ask(who, to)
    assert found.decision.verdict.value == verdict
    assert found.inspection is inspection
    assert sorted({rule.identity.removeprefix("web/") for rule in found.decision.deciding}) == rules
    assert found.by_default is (not rules or (verdict == "unknown" and found.decision.by_default is not None))


def cases(some):
    return {each.what: {case.text: case.answer for case in each.cases} for each in some}


@pytest.mark.parametrize(
    ("who", "to", "at", "expected"),
    [
        ("branch", "only.example.net:443", "192.0.2.1", {"account": {"as app": "allow", "as any other account": "deny"}}),
        ("branch", "a.example.com:5000", None, {"address": {
            "at 198.51.100.9": "deny", "at 198.51.100.0/24": "unknown", "at any other address": "deny"}}),
        ("branch", "pki.example.net:80", "192.0.2.1", {"path": {"/pki and below": "allow", "any other path": "deny"}}),
        ("both", "a.example.com:443", "192.0.2.1", {"group": {"branch": "allow", "depot": "deny"}}),
        ("branch", "sql.example.net:1433", "192.0.2.1", {"service-tag": {
            "under service-tag sql": "deny", "not under service-tag sql": "allow"}}),
        ("branch", "*.example.com:443", "192.0.2.1", {"host": {"*.bad.example.com": "deny", "*.example.com": "unknown"}}),
        ("branch", "a.example.com:443-444", "192.0.2.1", {"port": {"on 443/https": "allow", "on any other port": "deny"}}),
    ],
    ids=["account", "address", "path", "group", "service-tag", "host", "port"],
)  # fmt: skip
def test_what_an_answer_depends_on(ask, who, to, at, expected):
    found = ask(who, to, at)
    assert found.decision.verdict is Verdict.UNKNOWN
    assert cases(found.unknown) == expected
    assert all(each.sentence and each.help for each in found.unknown)


@pytest.mark.parametrize(
    ("to", "at", "sentence", "help_"),
    [
        ("a.example.com:5000", None, "the name may resolve to any address", "`--at ADDRESS`"),
        ("a.example.com:5000", "198.51.100.0/24", "the addresses differ", "one address"),
        ("any-address:5000", None, "the addresses differ", "one address"),
        ("198.51.100.0/24:5000", None, "the addresses differ", "one address"),
    ],
)
def test_how_an_address_that_is_left_open_is_closed(ask, to, at, sentence, help_):
    """`--at` closes it only for a name that has none."""
    (each,) = ask("branch", to, at).unknown
    assert each.what == "address"
    assert sentence in each.sentence
    assert help_ in each.help


def test_two_things_that_matter_only_together(ask):
    found = ask("both", "only.example.net:443")
    assert found.decision.verdict is Verdict.UNKNOWN
    assert cases(found.unknown) == {
        "group": {"branch": "unknown", "depot": "deny"},
        "account": {"as app": "unknown", "as any other account": "deny"},
    }


def test_two_things_of_which_neither_alone_makes_a_difference():
    prepared = prepared_of(
        """policy web "Web" {
    from both
    allow one "One" { to a.example.com ports 443/https from branch }
    allow two "Two" { to a.example.com ports 444/https from depot }
}
""",
        INVENTORY,
    )
    whole = bind_everything(prepared)
    found = answer(prepared, whole, Parties(prepared, whole).parse("both"), parse_to("a.example.com:443-444"))
    assert found.decision.verdict is Verdict.UNKNOWN
    assert cases(found.unknown) == {
        "group": {"branch": "unknown", "depot": "unknown"},
        "port": {"on 443/https": "unknown", "on 444/https": "unknown"},
    }


def test_an_inspection_that_depends():
    prepared = prepared_of(
        """service-account app "App" { linux-user app }
policy web "Web" {
    from branch
    allow all "All" { to a.example.com ports 443/https }
    allow one "One" { to a.example.com ports 443/https as app no-tls-inspection }
}
""",
        INVENTORY,
    )
    whole = bind_everything(prepared)
    found = answer(prepared, whole, Parties(prepared, whole).parse("branch"), parse_to("a.example.com:443"))
    assert found.decision.verdict is Verdict.ALLOW
    assert found.inspection is Verdict.UNKNOWN
    assert cases(found.inspection_unknown) == {"account": {"as app": "must-not", "as any other account": "may"}}
    assert [rule.identity for rule in found.partial] == ["web/one"]


def test_rules_that_contradict_each_other():
    """`explain` answers policies that `check` refuses, and says so."""
    prepared = prepared_of(
        """policy web "Web" {
    from branch
    allow one "One" { to a.example.com ports 443/https tls-inspection }
    allow two "Two" { to *.example.com ports 443/https no-tls-inspection }
}
""",
        INVENTORY,
    )
    whole = bind_everything(prepared)
    parties = Parties(prepared, whole)
    found = answer(prepared, whole, parties.parse("branch"), parse_to("a.example.com:443"))
    assert (found.decision.verdict, found.inspection) == (Verdict.ALLOW, Verdict.UNKNOWN)
    assert any("contradict" in note for note in found.notes)
    found = answer(prepared, whole, parties.parse("branch"), parse_to("b.example.com:443"))
    assert (found.inspection, found.notes) == (Inspection.MUST_NOT, ())


@pytest.mark.parametrize(
    ("who", "to", "rule", "what", "sentence"),
    [
        ("branch", "a.example.com:8443", "tree", "port", "port 8443 is not in `ports 443/https`"),
        ("branch", "a.example.com:443/udp", "tree", "port", "port 443/udp is not in `ports 443/https`"),
        ("branch:batch", "only.example.net:443", "whom", "account", "account `batch` is not in `as app`"),
        ("depot", "a.example.com:443", "tree", "group", "group `depot` is not in `from branch`"),
        ("branch", "http://pki.example.net/other", "path", "path", "path `/other` is not at or below `pki.example.net/pki`"),
        ("branch", "198.51.101.9:5000", "net", "address", "198.51.101.9 is not in `198.51.100.0/24`"),
        ("branch", "203.0.114.7:443", "less", "address", "203.0.114.7 is not in `203.0.113.0/24`"),
        ("branch", "example.com:443", "tree", "host", "`example.com` itself is not below it, as `*.example.com` asks for"),
        ("branch", "a.host.example.org:443", "exact", "host", "`a.host.example.org` is below `host.example.org`, which is that one host"),
        ("branch", "hosts.example.org:443", "exact", "host", "label `hosts` is not `host` as in `host.example.org`"),
        ("branch", "a.b.c.example.org:443", "inner", "host", "an inner `*` of `a.*.example.org` is one label, and `a.b.c.example.org` has more"),
        ("branch", "extra.example.net:443", "extra", "feature", "`branch` does not list the feature `beta`"),
        ("branch", "old.example.net:443", "old", "expired", "it expired on 2026-01-01"),
        ("branch", "not.but.example.net:443", "but", "except", "its `except` takes it out (`not.but.example.net`)"),
        ("branch", "203.0.113.7:443", "less", "except", "its `except` takes it out (`203.0.113.7`)"),
    ],
)  # fmt: skip
def test_near_misses(ask, who, to, rule, what, sentence):
    found = {miss.rule.identity.removeprefix("web/"): miss for miss in ask(who, to).near}
    assert rule in found, sorted(found)
    assert (found[rule].what, found[rule].sentence) == (what, sentence)


@pytest.mark.parametrize(
    ("who", "to", "rule"),
    [
        ("depot", "a.example.com:8443", "tree"),  # the group and the port
        ("depot", "extra.example.net:443", "extra"),  # the group and the feature
        ("branch", "old.example.net:8443", "old"),  # expired, and the port
        ("branch", "www.example.edu:443", "exact"),  # another domain
        ("branch", "other.sample.org:443", "exact"),
        ("branch", "a.example.com:443", "tree"),  # it matches
    ],
)
def test_what_is_no_near_miss(ask, who, to, rule):
    assert rule not in {miss.rule.identity.removeprefix("web/") for miss in ask(who, to).near}


@pytest.mark.parametrize(
    ("pattern", "host", "near"),
    [
        ("a.example.com", "a.example.com", None),
        ("*.example.com", "a.example.com", None),
        ("*.example.com", "example.com", "itself"),
        ("a.example.com", "b.a.example.com", "one host"),
        ("crl3.digicert.com", "crl9.digicert.com", "label `crl9`"),
        ("login.windows.net", "login.window.net", "label `window`"),
        ("login.windows.net", "login.linux.net", None),
        ("login.windows.net", "loginwindows.net", "is not `login.windows.net`"),
        ("azgn*.servicebus.windows.net", "gov.servicebus.windows.net", "label `gov` is not `azgn*`"),
        ("a.example.com", "b.other.org", None),
        ("a.b.example.com", "example.com", None),
    ],
)
def test_how_a_host_is_missed(pattern, host, near):
    found = why_not(endpoint_word(pattern).pattern, endpoint_word(host).pattern)
    if near is None:
        assert found is None
    else:
        assert near in found.sentence
        assert not found.is_far


def test_another_label_that_looks_like_nothing_of_the_kind():
    found = why_not(
        endpoint_word("enterpriseregistration.windows.net").pattern, endpoint_word("login.windows.net").pattern
    )
    assert found.is_far


def test_an_internal_address_that_no_rule_names(ask):
    found = ask("branch", "10.9.9.9:443")
    assert found.decision.verdict is Verdict.DENY
    assert any("internal" in note for note in found.notes)
    assert not ask("branch", "192.0.2.9:443").notes


def test_allows_that_a_deny_overrules(ask):
    found = ask("branch", "a.bad.example.com:443")
    assert [rule.identity for rule in found.decision.overruled] == ["web/tree"]
    assert not ask("branch", "a.example.com:443").decision.overruled


def test_the_date():
    prepared = prepared_of(POLICY, INVENTORY, date(2025, 12, 31))
    whole = bind_everything(prepared)
    found = answer(prepared, whole, Parties(prepared, whole).parse("branch"), parse_to("old.example.net:443"))
    assert found.decision.allowed is not None
