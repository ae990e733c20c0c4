"""The driver of a review: both sides in one world, and what becomes of a change on each firewall."""

from __future__ import annotations

import tempfile

import pytest
from support import AS_OF, write_project

from egressc.api import load
from egressc.api_review import _few, review_loaded

HEAD = """
service-account one "One" { linux-user one windows-service One }
service-account two "Two" { linux-user two windows-service Two }
policy p "P" { from g as one
"""
GROUPS = "groups: {g: {networks: [10.20.0.0/24]}}\n"
GATEWAY = "gw: {target: iptables, groups: [g], settings: {mode: gateway, interface: lan0}}"
EDGE = "edge: {target: paloalto, groups: [g], settings: {from-zone: trust, to-zone: untrust}}"
CLOUD = "cloud: {target: azure-firewall, groups: [g], settings: {policy: p1, location: westeurope}}"
HOST = "host: {target: windows-firewall, groups: [g]}"
ALL = (GATEWAY, EDGE, CLOUD, HOST)
WEB = 'allow web "W" { to a.test.io ports 443 }'


def loaded(rules, firewalls=ALL, *, inventory=True):
    text = GROUPS + "firewalls: {" + ", ".join(firewalls) + "}\n" if inventory else None
    with tempfile.TemporaryDirectory() as folder:
        write_project(folder, HEAD + rules + "\n}\n", text)
        return load((folder,))


def answer(old, new, **options):
    return review_loaded(old, new, as_of=AS_OF, **options)


def reviewed(old, new, firewalls=ALL, **options):
    found = answer(loaded(old, firewalls), loaded(new, firewalls), **options).review
    assert found is not None
    return found, {each.name: each for each in found.per_firewall}


def test_nothing_changed_is_nothing_anywhere():
    found, per = reviewed(WEB, WEB)
    assert found.is_empty
    assert set(per) == {"gw", "edge", "cloud", "host"}
    assert not any(each.notes or each.state for each in per.values())


def test_a_new_rule_appears_on_every_firewall_and_another_vanishes():
    _, per = reviewed(WEB, 'allow other "O" { to b.test.io ports 443 }')
    for each in per.values():
        assert len(each.added) == len(each.removed) == 1 or each.name == "edge"
        assert not set(each.added) & set(each.removed)
        assert not each.changed


def test_a_rule_with_another_port_is_changed():
    _, per = reviewed(WEB, WEB.replace("443", "443 8443/https"))
    assert per["gw"].changed == ("p/web",)
    assert per["gw"].added == per["gw"].removed == ()
    assert all(each.added or each.changed for each in per.values())


def test_what_a_firewall_cannot_tell_apart_changes_nothing_there_and_that_is_said():
    found, per = reviewed(WEB, WEB.replace("ports 443", "ports 443 as one two"))
    assert [change.accounts for change in found.newly_allowed] == [("two",)]
    for name in ("gw", "edge", "cloud"):
        assert not (per[name].added or per[name].removed or per[name].changed)
        (note,) = per[name].notes
        assert "changes nothing here" in note
        assert "as two → a.test.io:443" in note
    # The host tells them apart.
    assert per["host"].added
    assert per["host"].notes == ()


def test_an_effect_that_the_policy_does_not_have_is_said():
    _, per = reviewed(WEB, WEB + ' allow sub "S" { to *.test.net ports 443 }')
    assert any("`p/sub` is wider here (apex)" in note and "test.net:443" in note for note in per["gw"].notes)
    assert not any("apex" in note for note in per["edge"].notes)
    # What was so before is no news.
    _, per = reviewed(
        'allow sub "S" { to *.test.net ports 443 }', 'allow sub "S" { to *.test.net ports 443 8443/https }'
    )
    assert not any("apex" in note for note in per["gw"].notes)


def test_a_firewall_that_comes_or_goes_says_so():
    both = loaded(WEB, (GATEWAY, EDGE)), loaded(WEB, (EDGE, CLOUD))
    found = answer(*both).review
    states = {each.name: (each.state, bool(each.added), bool(each.removed)) for each in found.per_firewall}
    assert states == {"edge": ("", False, False), "cloud": ("new", True, False), "gw": ("gone", False, True)}
    assert not found.is_empty


def test_a_firewall_that_cannot_be_compiled_is_not_compared():
    # Half a label cannot be matched on iptables.
    _, per = reviewed(WEB, WEB + ' allow half "H" { to a*.test.net ports 443 }', (GATEWAY, EDGE))
    assert per["gw"].state == "errors"


def test_only_the_chosen_firewalls_are_compared():
    _, per = reviewed(WEB, WEB, firewalls=ALL)
    assert len(per) == 4
    found = answer(loaded(WEB), loaded(WEB), firewalls=lambda firewall: firewall.name == "gw").review
    assert [each.name for each in found.per_firewall] == ["gw"]
    assert answer(loaded(WEB), loaded(WEB), firewalls=lambda _: False).review.per_firewall == ()


@pytest.mark.parametrize("missing", [0, 1])
def test_one_inventory_will_do_for_both(missing):
    sides = [loaded(WEB, inventory=number != missing) for number in (0, 1)]
    found = answer(*sides, names=("main", "HEAD")).review
    (remark,) = found.remarks
    assert (
        remark == f"{('main', 'HEAD')[missing]} has no inventory: that of {('HEAD', 'main')[missing]} is taken for both"
    )
    assert found.is_empty
    assert len(found.per_firewall) == 4


def test_errors_of_a_side_are_told_and_nothing_is_compared():
    found = answer(loaded(WEB), loaded(WEB.replace("443", "nonsense")))
    assert found.review is None
    assert found.old == ()
    assert found.new
    found = answer(loaded(WEB), loaded(WEB.replace("ports 443", "ports 443 from h")))
    assert found.review is None


def test_a_group_that_gains_an_address_has_an_effect_wherever_sources_are_seen():
    old = loaded(WEB)
    with tempfile.TemporaryDirectory() as folder:
        text = GROUPS.replace("10.20.0.0/24", "10.20.0.0/24, 10.21.0.5") + "firewalls: {" + ", ".join(ALL) + "}\n"
        write_project(folder, HEAD + WEB + "\n}\n", text)
        new = load((folder,))
    found = answer(old, new).review
    assert [change.sources for change in found.newly_allowed] == ["10.21.0.5"]
    per = {each.name: each for each in found.per_firewall}
    for name in ("gw", "edge", "cloud"):
        assert per[name].changed or per[name].added
    # The rules of a host say nothing of who else is in its group.
    assert not any(each.notes for each in per.values())


def test_what_is_alike_is_told_once_and_counted():
    wide = 'allow web "W" { to a.test.io b.test.io c.test.io ports 443 }'
    _, per = reviewed(wide, wide.replace("ports 443", "ports 443 as one two"))
    (note,) = per["edge"].notes
    assert note.endswith("(and 2 more)")


def test_a_rule_that_is_named_after_what_it_holds_is_changed_and_not_another():
    _, per = reviewed(WEB, WEB.replace("a.test.io", "a.test.io b.test.io"))
    for each in per.values():
        assert len(each.changed) == 1 or each.name == "edge"
        assert each.added == each.removed == ()
    # A rule in the place of another one is another one.
    _, per = reviewed(WEB, 'allow other "O" { to b.test.io ports 443 }')
    assert (len(per["host"].added), len(per["host"].removed), per["host"].changed) == (1, 1, ())


def test_an_inventory_that_says_the_same_otherwise_is_an_edit_without_effect():
    def side(groups, firewalls=ALL):
        with tempfile.TemporaryDirectory() as folder:
            write_project(folder, HEAD + WEB + "\n}\n", groups + "firewalls: {" + ", ".join(firewalls) + "}\n")
            return load((folder,))

    def edits(new, **options):
        return [(e.kind.value, e.file) for e in answer(side(GROUPS), new, **options).review.edits]

    said = [("reformatted", "inventory.yaml")]
    assert edits(side(GROUPS.replace("10.20.0.0/24", "10.20.0.0/25, 10.20.0.128/25"))) == said
    assert edits(side(f"# The connectors\n{GROUPS}")) == said
    assert edits(side(GROUPS)) == []
    # What changes something, or may on firewalls that nobody looked at, is none.
    assert edits(side(GROUPS.replace("/24", "/23"))) == []
    assert edits(side(GROUPS, (GATEWAY, EDGE, CLOUD))) == []
    assert edits(side(f"# The connectors\n{GROUPS}"), firewalls=lambda _: False) == []


def side_of(policy, inventory):
    with tempfile.TemporaryDirectory() as folder:
        write_project(folder, policy, inventory)
        return load((folder,))


TWO_GROUPS = "groups: {g: {networks: [10.20.0.0/24]}, h: {networks: [10.30.0.0/24]}}\n"


def between(old, new, firewalls, groups=TWO_GROUPS):
    """The reviews of firewalls whose policies are these rules, by name."""
    inventory = groups + "firewalls: {" + ", ".join(firewalls) + "}\n"
    sides = [side_of(HEAD + rules + "\n}\n", inventory) for rules in (old, new)]
    return {each.name: each for each in answer(*sides).review.per_firewall}


FOR_BOTH = WEB.replace("ports 443", "ports 443 as one two")
OTHER = ' allow b "B" { to b.test.io ports 443 }'


def test_a_change_without_effect_beside_one_that_has_an_effect():
    gw = between(WEB, FOR_BOTH + OTHER, (GATEWAY,))["gw"]
    assert gw.added == ("p/b",)
    (note,) = [each for each in gw.notes if "changes nothing here" in each]
    assert note.startswith("what the policy newly allows changes nothing here (it is let through before and after): ")
    assert note.endswith("as two → a.test.io:443")
    gw = between(FOR_BOTH + OTHER, WEB, (GATEWAY,))["gw"]
    (note,) = [each for each in gw.notes if "changes nothing here" in each]
    assert note.startswith("what the policy newly takes away changes nothing here (it is let through before and after)")


def test_where_nothing_changes_it_is_said_so_with_one_of_two_alike():
    wide = 'allow web "W" { to a.test.io b.test.io ports 443 }'
    gw = between(wide, wide.replace("443 }", "443 as one two }"), (GATEWAY,))["gw"]
    (note,) = gw.notes
    assert "(the artefact stays as it is): " in note
    assert note.endswith("(and 1 more)")


def test_a_group_that_a_firewall_does_not_govern_is_no_word_of_it():
    more = FOR_BOTH.replace("allow web", "allow far").replace("443", "443 from h")
    assert between(more.replace("one two", "one"), more, (GATEWAY,))["gw"].notes == ()
    assert len(between(more.replace("one two", "one"), more, (GATEWAY.replace("[g]", "[g, h]"),))["gw"].notes) == 1


def test_a_host_that_cannot_tell_paths_apart_says_so():
    path = 'allow web "W" { to a.test.io/p ports 443 }'
    host = between(path, WEB, (HOST,))["host"]
    assert any("newly allows changes nothing here" in note for note in host.notes)


def test_the_order_of_firewalls_is_that_of_the_new_inventory_before_those_that_went():
    found = answer(loaded(WEB, (GATEWAY, EDGE)), loaded(WEB, (EDGE, CLOUD))).review
    assert [each.name for each in found.per_firewall] == ["edge", "cloud", "gw"]


def test_a_firewall_of_another_kind_is_new():
    found = answer(loaded(WEB, (GATEWAY,)), loaded(WEB, (EDGE.replace("edge", "gw"),))).review
    (gw,) = found.per_firewall
    assert (gw.state, gw.target, bool(gw.added), gw.removed) == ("new", "paloalto", True, ())


def test_one_that_cannot_be_compiled_does_not_keep_others_from_being_compared():
    # iptables has no way to deny a name below a wildcard that it allows; the others compare what became another outcome.
    allowed = 'allow w "W" { to *.test.io ports 443 }' + OTHER
    per = between(allowed, allowed.replace("allow b", "deny b"), (GATEWAY, EDGE, CLOUD))
    assert per["gw"].state == "errors"
    for name in ("edge", "cloud"):
        assert (per[name].state, len(per[name].changed)) == ("", 1)
        assert per[name].added == per[name].removed == ()


def test_inspection_alone_is_a_change():
    edge = between(WEB, WEB.replace("443 }", "443 no-tls-inspection }"), (EDGE,))["edge"]
    assert edge.added or edge.changed


def test_an_approximation_is_known_by_its_rule_and_its_reason():
    sub = 'allow sub "S" { to *.test.net ports 443 }'
    notes = between(sub, sub + sub.replace("allow sub", "allow other").replace("test.net", "test.org"), (GATEWAY,))[
        "gw"
    ].notes
    assert any("`p/other` is wider here (apex)" in note for note in notes)
    assert not any("`p/sub`" in note for note in notes)
    notes = between(sub, sub.replace("to *.test.net", "to *.test.net a.test.io/p"), (GATEWAY,))["gw"].notes
    assert any("`p/sub` is wider here (path)" in note for note in notes)
    assert not any("(apex)" in note for note in notes)


def test_many_notes_are_cut_and_counted():
    assert _few([str(number) for number in range(12)]) == tuple(str(number) for number in range(12))
    assert _few([str(number) for number in range(13)])[-2:] == ("11", "and 1 more")
    assert _few([str(number) for number in range(15)])[-1] == "and 3 more"


def test_a_renamed_group_is_no_further_edit_of_the_inventory():
    old, new = GROUPS, GROUPS.replace("g:", "agents:")
    sides = [
        side_of(HEAD.replace("from g", f"from {name}") + WEB + "\n}\n", text)
        for name, text in (("g", old), ("agents", new))
    ]
    found = answer(*sides).review
    assert [(edit.kind.value, edit.what.value, edit.names) for edit in found.edits] == [
        ("renamed", "group", ("g", "agents"))
    ]


def test_an_inventory_without_firewalls_is_looked_at_whole_whatever_is_chosen():
    sides = [side_of(HEAD + WEB + "\n}\n", text) for text in (GROUPS, f"# The connectors\n{GROUPS}")]
    found = answer(*sides, firewalls=lambda _: False).review
    assert [(edit.kind.value, edit.file) for edit in found.edits] == [("reformatted", "inventory.yaml")]


def test_parameters_need_no_inventory_to_be_compared():
    text = 'parameter site "S"\n' + HEAD + 'allow web "W" { to ${site}.test.io ports 443 }\n}\n'
    sides = [side_of(text, None), side_of(text.replace("ports 443", "ports 443 8443/https"), None)]
    found = answer(*sides).review
    assert found is not None
