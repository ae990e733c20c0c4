"""What holds for every format: its own output read again, determinism, hostile text, the shipped policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from lists_support import AS_OF, exported, options_for, policy_of, prepared_of

from egressc.api import load
from egressc.api_export import ListRequest, build_list, compare_list
from egressc.bind import prepare
from egressc.exports import ListKind
from egressc.exports_judge import Requests
from egressc.reasons import Reason
from egressc.targets.list_registry import format_names, load_format

ROOT = Path(__file__).resolve().parents[3]
EVERY_REASON = {"accept": tuple(reason.value for reason in Reason)}
HOSTILE = "quote ' and `tick` and $(touch x) and ${y} | & ; < > \\ %PATH% -- --> ]]> */ # // “smart” \u202eright to left\u202c"


@pytest.fixture(params=format_names())
def form(request):
    return load_format(request.param)


def variants(form):
    """Every kind of list in every form."""
    return [
        (kind, each)
        for kind in sorted(form.lists)
        for each in form.forms
        if (form.name, each, kind.value) not in NOT_OF_BOTH
    ]


NOT_OF_BOTH = {("netskope", "steering", "exemption")}
"""Forms that are for one kind of list, of formats for both."""


@pytest.fixture(scope="module")
def shipped():
    loaded = load((str(ROOT / "policies"),))
    found, _ = prepare(loaded.policy, loaded.inventory, AS_OF)
    return found


POLICY = """service-account a "A" { linux-user u }
policy p "P" {
    from g
    allow one   "One" { to x.test *.y.test *.z.test z.test ports 443/https no-tls-inspection }
    allow two   "Two" { to x.test/p b.test ports 80/http 8443/https }
    allow three "Three" { to 203.0.113.0/24 198.51.100.7 ports 443/https no-tls-inspection }
    allow four  "Four" { to *.w.test except a.w.test ports 443/https no-tls-inspection }
    allow five  "Five" { to c*.v.test s.u.test ports 443/https 5671/tls as a }
    deny  six   "Six" { to s.u.test ports 5671/tls }
}
"""


def test_what_is_written_is_what_the_policy_wants(form):
    prepared = prepared_of(POLICY)
    for kind, name in variants(form):
        build, report = exported(prepared, form.name, kind, form=name, request=EVERY_REASON)
        assert build is not None, [each.message for each in report]
        request = ListRequest(format=form, options=options_for(form.name, kind, form=name))
        found, _ = compare_list(prepared, request, build.text)
        assert found.is_equal, (name, kind, found)


def test_the_same_bytes_whatever_the_order_of_the_rules(form):
    lines = POLICY.splitlines()
    turned = "\n".join([*lines[:3], *reversed(lines[3:-1]), lines[-1]]) + "\n"
    for kind, name in variants(form):
        texts = {
            exported(prepared_of(policy), form.name, kind, form=name, request=EVERY_REASON)[0].text
            for policy in (POLICY, turned)
        }
        assert len(texts) == 1


def test_a_list_says_nothing_of_the_day_on_which_it_was_made(form):
    today = prepared_of(POLICY)
    another = replace(today, as_of=date(2031, 1, 2))
    for kind, name in variants(form):
        texts = {exported(each, form.name, kind, form=name, request=EVERY_REASON)[0].text for each in (today, another)}
        assert len(texts) == 1


def test_hostile_descriptions_change_nothing_but_comments(form):
    plain = POLICY.replace('"Three"', '"T"')
    hostile = POLICY.replace('"Three"', f'"{HOSTILE}"')
    for kind, name in variants(form):
        builds = [
            exported(prepared_of(p), form.name, kind, form=name, request=EVERY_REASON)[0] for p in (plain, hostile)
        ]
        options = options_for(form.name, kind, form=name)
        for dialect in form.dialects(options):
            first, second = (
                [entry.reach for entry in form.read(build.text, options, dialect.name).entries] for build in builds
            )
            assert first == second


def test_an_empty_list(form):
    for kind, name in variants(form):
        build, report = exported(policy_of("x.test", ports="53/udp"), form.name, kind, form=name)
        assert build is not None
        assert [each.code for each in report if each.level.value == "warning"] == ["W0627"]
        options = options_for(form.name, kind, form=name)
        for dialect in form.dialects(options):
            assert form.read(build.text, options, dialect.name).entries == (), (name, kind)


SAYS_LESS = {
    "dotnet disabled": "everything goes directly",
    "paloalto-edl ip": "no names",
}
"""Forms that cannot say names one by one: what they do in place of it."""


def test_the_exemption_of_the_shipped_policy(form, shipped):
    if ListKind.EXEMPTION not in form.lists:
        return
    for name in form.forms:
        if f"{form.name} {name}" in SAYS_LESS or (form.name, name, "exemption") in NOT_OF_BOTH:
            continue
        options = options_for(form.name, "exemption", form=name)
        request = ListRequest(format=form, options=options, account="entra-connector")
        build, report = build_list(shipped, request)
        assert build is not None, [each.message for each in report]
        (rule,) = build.rules
        wider = {each.reason.value for each in rule.approximations if each.effect.value == "exemption-wider"}
        lost = {each.reason.value for each in rule.approximations if each.effect.value == "exemption-lost"}
        assert wider <= {"apex", "ports"}
        assert lost <= {"depth"}
        found = Requests(
            entry.reach for entry in form.read(build.text, options, form.dialects(options)[0].name).entries
        )
        patterns = {e.pattern.text for reach in found.reaches for e in reach.endpoints}
        bases = {"msappproxy.net", "servicebus.windows.net"} if "apex" in wider else set()
        assert patterns == {"*.msappproxy.net", "*.servicebus.windows.net"} | bases, (name, build.text)
        ports = {reach.ports.tcp for reach in found.reaches}
        assert ports == ({((1, 65535),)} if "ports" in wider else {((443, 443),)})
