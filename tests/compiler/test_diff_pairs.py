"""Pairs of policies whose answer is known: what the review says, and what every flow of a small universe says."""

from __future__ import annotations

import json
import tempfile

import pytest
from diff_claims import World
from diff_pairs import GROUPS
from diff_pairs import PAIRS as KNOWN
from diff_pairs_more import PAIRS as MORE
from support import AS_OF, write_project

from egressc.anything import ANY
from egressc.api import load
from egressc.bind import bind_everything, prepare
from egressc.diagnostics import has_errors
from egressc.diff import review
from egressc.problems import Problem
from egressc.question_explanation import answer
from egressc.question_who import Parties
from egressc.question_words import parse_to, with_address
from egressc.report_review_words import example
from egressc.review import Verdict

PAIRS = [*KNOWN, *MORE]


def prepared(policy, inventory, as_of):
    with tempfile.TemporaryDirectory() as folder:
        write_project(folder, policy, inventory)
        loaded = load((folder,))
    assert not has_errors(loaded.diagnostics), loaded.diagnostics
    found, problems = prepare(loaded.policy, loaded.inventory, as_of)
    assert not has_errors(problems), problems
    return found


def sides(pair):
    return [prepared(*each) for each in zip(pair.texts(), pair.inventories, pair.as_of, strict=True)]


def told(change, *, inspection=False, notes=False):
    groups = "any-group" if change.groups is ANY else " ".join(change.groups)
    sources = f" [{change.sources}]" if change.sources else ""
    accounts = "" if change.accounts is ANY else f" as {' '.join(change.accounts)}"
    where = change.endpoint or f"all {change.count}"
    within = f" within {' '.join(change.within)}" if change.within else ""
    beyond = f" beyond {' '.join(change.beyond)}" if change.beyond else ""
    ending = f" : {change.before.value} > {change.after.value}" if inspection else ""
    said = f" ! {' '.join(change.notes)}" if notes and change.notes else ""
    return f"{groups}{sources}{accounts} -> {where}{within}{beyond} : {change.ports}{ending}{said}"


def done(edit):
    if edit.what.value not in ("rule", "file") or (edit.what.value == "rule" and not edit.old and not edit.new):
        return f"{edit.kind.value} {edit.what.value} " + " = ".join(n for n in dict.fromkeys(edit.names) if n)
    old, new = (" ".join(rule.identity for rule in rules) for rules in (edit.old, edit.new))
    what = edit.file or (f"{old} = {new}" if old and new else old or new)
    return f"{edit.kind.value} {what}"


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_known_pair(pair):
    old, new = sides(pair)
    found = review(old, new)
    assert sorted(told(each, notes=not pair.brute) for each in found.newly_allowed) == sorted(pair.newly)
    assert sorted(told(each, notes=not pair.brute) for each in found.no_longer_allowed) == sorted(pair.gone)
    assert sorted(told(each, inspection=True) for each in found.inspection_changed) == sorted(pair.inspection)
    assert sorted(map(done, found.edits)) == sorted(pair.edits)
    if pair.brute:
        World(old, new, tags=pair.tags).check(found)


def explained(side, flow, account):
    """What `egressc explain` says of a flow: the verdict, and what of inspection where it is allowed.

    ``None`` where the flow cannot be asked about: nothing of that side is called as it must be.
    """
    whole = bind_everything(side)
    asking = Parties(side, whole)
    known = {group.name for group in whole.groups}
    at = f"@{flow.source}" if flow.source else ""
    # A group of the other side is asked for by the address.
    who = asking.parse(f"{flow.group if flow.group in known and not at else ''}{account}{at}")
    if isinstance(who, Problem):
        return None
    where = f"[{flow.address}]" if flow.host is None and ":" in (flow.address or "") else flow.host or flow.address
    to = parse_to(f"https://{where}:{flow.port}{flow.path}" if flow.path else f"{where}:{flow.port}/{flow.transport}")
    if flow.host is not None:
        to = with_address(to, flow.address or "198.18.77.77")
    assert not isinstance(to, Problem), to
    found = answer(side, whole, who, to)
    if found is None:
        assert not flow.source, "nothing is sent from an IPv4 to an IPv6 address"
        return None
    said = None if found.inspection is None else found.inspection.value
    return found.decision.verdict.value, said


ASKED = [pair for pair in PAIRS if pair.brute and not pair.tags and (pair.newly or pair.gone or pair.inspection)]


def test_explain_confirms_every_example_on_both_sides():
    counted = {"allow": 0, "deny": 0, "skipped": 0}
    for pair in ASKED:
        old, new = sides(pair)
        found = review(old, new)
        for change in (*found.newly_allowed, *found.no_longer_allowed, *found.inspection_changed):
            account = f":{change.example.account}" if change.example.account else ""
            if not account and change.accounts is not ANY:
                # The account is one that nobody named; that of a rebound account is only known to firewalls.
                if change.example.process:
                    counted["skipped"] += 1
                    continue
                account = ":other"
            for side, state in ((old, change.before), (new, change.after)):
                said = explained(side, change.example, account)
                if said is None:
                    # The source, or the group, is none of that side's; or there is no such packet, which is said.
                    assert state is Verdict.DENY or any("nothing is sent there" in n for n in change.notes), (
                        pair.name,
                        change,
                    )
                    counted["skipped"] += 1
                    continue
                wanted = state if state in (Verdict.DENY, Verdict.ALLOW) else Verdict.ALLOW
                assert said[0] == wanted.value, (pair.name, change.example.text, state, said)
                if state not in (Verdict.DENY, Verdict.ALLOW):
                    assert said[1] == state.value, (pair.name, change.example.text, state, said)
                counted[said[0]] += 1
    assert counted["allow"] > 60
    assert counted["deny"] > 60
    assert counted["skipped"] < 20


def tags(*prefixes):
    value = {"name": "Storage", "id": "Storage", "properties": {"addressPrefixes": list(prefixes)}}
    return json.dumps({"changeNumber": 1, "cloud": "Public", "values": [value]})


def test_what_a_service_tag_holds_is_a_change_of_its_own():
    inventory = "groups: {g: {networks: [10.20.0.0/24]}}\nservice-tags: tags.json\n"
    text = 'policy p "P" { from g allow web "W" { to service-tag Storage ports 443 } }'
    some = []
    for held in (("192.0.2.0/25",), ("192.0.2.0/25", "192.0.3.0/24")):
        with tempfile.TemporaryDirectory() as folder:
            write_project(folder, text, inventory, tags__json=tags(*held))
            loaded = load((folder,))
            assert not has_errors(loaded.diagnostics), loaded.diagnostics
            some.append(prepare(loaded.policy, loaded.inventory, AS_OF)[0])
    found = review(*some)
    assert [told(each) for each in found.newly_allowed] == ["g -> 192.0.3.0/24 within service-tag Storage : 443/https"]
    assert found.newly_allowed[0].example.address == "192.0.3.0"
    assert not found.no_longer_allowed
    back = review(*reversed(some))
    assert [told(each) for each in back.no_longer_allowed] == [told(each) for each in found.newly_allowed]
    assert review(some[0], some[0]).is_empty


ALL_TAGS = 'policy p "P" { from g allow web "W" { to any-address ports 443/tcp %s } %s }'


def test_an_allow_decides_no_flow_that_is_denied():
    old, new = ALL_TAGS % ("", ""), ALL_TAGS % ("", 'deny d "D" { to service-tag Storage ports 443/tcp }')
    (change,) = review(prepared(old, GROUPS, AS_OF), prepared(new, GROUPS, AS_OF)).no_longer_allowed
    assert [rule.identity for rule in change.new_rules] == ["p/d"]
    assert example(change) == "10.20.0.0 → an address of service-tag Storage:443"


def test_the_example_of_any_address_is_one_that_no_rule_names():
    # 203.0.113.10 is what an example would be; a deny names it, and the house is no destination.
    inventory = GROUPS + "internal-networks: [192.0.2.0/24, 10.0.0.0/8]\n"
    old, new = (
        ALL_TAGS % (more, 'deny d "D" { to 203.0.113.0/24 ports 443/tcp }') for more in ("", "expires 2020-01-01")
    )
    (change,) = review(prepared(old, inventory, AS_OF), prepared(new, inventory, AS_OF)).no_longer_allowed
    assert change.endpoint == "any-address"
    assert change.example.address is not None
    assert not change.example.address.startswith(("203.0.113.", "10.", "192.0.2."))
    six = inventory.replace("10.20.0.0/24", "2001:db8:7::/64")
    (change,) = review(prepared(old, six, AS_OF), prepared(new, six, AS_OF)).no_longer_allowed
    assert ":" in change.example.address
    assert ":" in change.example.source


def test_there_are_enough_pairs():
    assert len({pair.name for pair in PAIRS}) == len(PAIRS) >= 60
