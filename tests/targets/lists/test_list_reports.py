"""What is said of a list beside it: reasons and levels of a rule, who reads it so, and lists of people."""

from __future__ import annotations

import pytest
from lists_support import exported, options_for, policy_of, prepared_of, text_of

from egressc.api_export import ListRequest, compare_list
from egressc.exports import ReadList
from egressc.exports_judge import check_read
from egressc.exports_read import by_name, host_of
from egressc.lowering import BrokenLoweringError
from egressc.targets.list_registry import load_format


def approximations(policy, name, kind="bypass", **options):
    build, report = exported(policy, name, kind, **options)
    assert build is not None, [each.message for each in report]
    return [
        (a.reason.value, a.effect.value, a.level.value, a.sentence) for rule in build.rules for a in rule.approximations
    ]


def compare(policy, text, name, kind="bypass", **options):
    request = ListRequest(format=load_format(name), options=options_for(name, kind, **options))
    return compare_list(prepared_of(policy), request, text)[0]


def test_what_is_written_and_cannot_be_judged_is_a_defect():
    doubtful = by_name((host_of("x.test"),), "x.test", doubt="who knows")
    with pytest.raises(BrokenLoweringError, match="who knows"):
        check_read((), ReadList((doubtful,)), "list")


def test_an_exemption_that_loses_no_more_than_a_note_stays_one():
    policy = policy_of("203.0.113.0/24", more="no-tls-inspection")
    ((reason, effect, level, _),) = approximations(policy, "csv", "exemption")
    assert (reason, effect, level) == ("address", "exemption-lost", "note")


def test_an_exemption_that_loses_more_is_an_error():
    policy = policy_of("203.0.113.0/24", "x.test", more="no-tls-inspection")
    build, report = exported(policy, "zscaler", "exemption")
    assert build is None
    assert [each.code for each in report if each.level.value == "error"] == ["E0615"]


def test_the_end_of_a_rule_and_its_log_are_told():
    found = approximations(policy_of("x.test", more="expires 2027-06-30 log"), "csv")
    assert [(reason, effect, level) for reason, effect, level, _ in found] == [
        ("expiry", "none", "note"),
        ("log", "none", "note"),
    ]
    assert "2027-06-30" in found[0][3]


def test_the_most_serious_of_several_is_told():
    found = approximations(policy_of("192.0.2.1", "service-tag Storage"), "csv")
    ((reason, effect, level, sentence),) = found
    assert (reason, effect, level) == ("address", "narrower", "warning")
    assert "service-tag Storage" in sentence


def test_who_reads_it_so_is_named_unless_all_do():
    found = {reason: sentence for reason, _, _, sentence in approximations(policy_of("x.test"), "no-proxy")}
    assert found["depth"].endswith("(curl, requests, wget, go, urllib, httpx)")
    assert found["ports"].endswith("443/tcp")
    found = {reason: s for reason, _, _, s in approximations(policy_of("x.test"), "no-proxy", clients=("curl",))}
    assert found["depth"].endswith("below it, too")


def test_a_list_of_people_that_one_program_reads_otherwise():
    found = compare(policy_of("x.test", "*.x.test"), "x.test", "no-proxy", form="plain")
    assert not found.beyond
    ((lacking),) = found.lacks
    assert set(lacking.clients.split(", ")) == {"node", "dotnet"}
    assert lacking.example.host == "a.x.test"
    assert compare(policy_of("x.test", "*.x.test"), "x.test,.x.test", "no-proxy", form="plain").is_equal


def test_what_the_format_cannot_say_better_is_no_difference():
    found = compare(policy_of("*.x.test"), ".x.test\n", "zscaler")
    assert found.is_equal
    assert found.unavoidable == 2, "it says more (the domain, ports), and less (many labels)"


def test_an_entry_in_doubt_is_neither_there_nor_beyond():
    found = compare(policy_of("x.test/p", ports="80/http"), "x.test/p\nevil.test/q\n", "zscaler")
    assert [each.text for each in found.unknown] == ["x.test/p", "evil.test/q"]
    assert found.beyond == ()
    assert [lacking.example.host for lacking in found.lacks] == ["x.test"]
    assert not found.is_equal


def test_a_tag_that_nobody_knows_makes_the_answer_unknown():
    policy = policy_of("x.test", "service-tag Storage")
    found = compare(policy, text_of(policy_of("x.test"), "csv"), "csv")
    assert not (found.beyond or found.lacks)
    ((unread),) = found.unknown
    assert unread.text == "service-tag Storage"
    assert not found.is_equal


def test_udp_beside_tcp_is_told():
    build, report = exported(policy_of("x.test", ports="443/https 443/udp"), "csv")
    assert [entry for entry, _ in build.entries] == ["x.test"]
    assert [each.message for each in report] == [
        "what `p/web` allows over UDP is not in the csv (bypass list): no proxy carries UDP"
    ]
