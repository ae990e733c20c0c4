"""The driver: what one firewall's entry means for another's report, what is said once, what stops a run."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from support import AS_OF, compilation_of, write_project

from egressc.api import Request, check_request, collector_paused, compile_request
from egressc.diagnostics import Level
from egressc.fidelity import Verdict

POLICY = """
service-account acc "A" { windows-service S linux-user u }
policy p "P" {
    from %s
    as acc
    allow web "W" { to a.test.io ports 443 }
}
"""

INVENTORY = """
groups:
  berlin: {networks: [10.0.0.1]}
  munich: {networks: [10.0.0.2]}
firewalls:
  edge: {target: azure-firewall, settings: {policy: p, location: l}}
  hosts: {target: windows-firewall, groups: [%s], settings: {%s}}
"""


def account_level(groups, hosts, settings="", **options):
    found = compilation_of(POLICY % groups, INVENTORY % (hosts, settings), firewalls=("edge",), **options)
    (build,) = found.builds
    (approximation,) = build.fidelity.rules[0].approximations
    assert approximation.reason.value == "account"
    return approximation.level


def test_the_account_is_a_note_where_a_host_firewall_enforces_it_for_every_group():
    assert account_level("berlin", "berlin") is Level.NOTE
    assert account_level("berlin munich", "berlin, munich") is Level.NOTE
    assert account_level("berlin munich", "berlin") is Level.WARNING
    assert account_level("munich", "berlin") is Level.WARNING
    assert account_level("berlin", "berlin", "default-deny: false") is Level.WARNING, (
        "then nothing stops another account"
    )


def test_a_host_firewall_that_cannot_be_compiled_enforces_nothing():
    policy = POLICY.replace("windows-service S ", "")
    found = compilation_of(policy % "berlin", INVENTORY % ("berlin", ""), firewalls=("edge",))
    assert [d.level for d in found.diagnostics if d.code == "W0601"] == [Level.WARNING]
    whole = compilation_of(policy % "berlin", INVENTORY % ("berlin", ""))
    assert [d.code for d in whole.diagnostics if d.level is Level.ERROR] == ["E0501"]
    assert not whole.builds


def test_strict_and_accept_reach_every_level():
    options = {"firewalls": ("edge",)}
    text, inventory = POLICY % "munich", INVENTORY % ("berlin", "")
    strict = compilation_of(text, inventory, strict=True, **options)
    assert [d.level for d in strict.diagnostics if d.code == "W0601"] == [Level.ERROR]
    assert strict.builds == ()
    both = compilation_of(text, inventory, strict=True, accept=("account",), **options)
    assert [d.level for d in both.diagnostics if d.code == "W0601"] == [Level.NOTE]
    assert both.builds
    expired = POLICY.replace("ports 443 }", "ports 443 expires 2026-01-01 }") % "munich"
    assert [d.level for d in compilation_of(expired, inventory, strict=True).diagnostics if d.code == "W0506"] == [
        Level.ERROR
    ]


def test_an_acceptance_that_has_ended_is_said_and_no_longer_holds():
    inventory = (INVENTORY % ("berlin", "")).replace(
        "edge: {", "edge: {accept: [{reason: account, why: w, until: 2026-11-21}], "
    )
    found = compilation_of(POLICY % "munich", inventory, firewalls=("edge",))
    assert {d.code: d.level for d in found.diagnostics} == {"W0509": Level.WARNING, "W0601": Level.WARNING}
    on_the_day = inventory.replace("2026-11-21", AS_OF.isoformat())
    found = compilation_of(POLICY % "munich", on_the_day, firewalls=("edge",))
    assert {d.code: d.level for d in found.diagnostics} == {"W0601": Level.NOTE}
    assert "(accepted: w)" in found.diagnostics[0].message


def test_a_mistake_that_several_artefacts_meet_is_said_once():
    policy = (POLICY % "berlin munich").replace("windows-service S ", "")
    found = compilation_of(policy, INVENTORY % ("berlin, munich", ""), firewalls=("hosts",))
    errors = [d for d in found.diagnostics if d.level is Level.ERROR]
    assert len(errors) == len({(d.code, d.message) for d in errors})


def test_the_same_mistake_in_two_files_is_two(tmp_path):
    text = 'policy %s "P" { from any-group allow web "W" { to nowhere ports 443 } }'
    (tmp_path / "a.egress").write_text(text % "a")
    (tmp_path / "b.egress").write_text(text % "b")
    found = check_request(Request(paths=(str(tmp_path),), as_of=AS_OF))
    assert [(d.code, d.span.source.name) for d in found.diagnostics] == [("E0207", "a.egress"), ("E0207", "b.egress")]


SETTINGS = "version: 10.1, from-zone: a, to-zone: b"
ZONED = f"groups: {{berlin: {{networks: [10.0.0.1%s]}}}}\nfirewalls: {{edge: {{target: paloalto, settings: {{{SETTINGS}}}}}}}\n"


@pytest.mark.parametrize(
    ("policy", "inventory", "codes"),
    [
        (POLICY % "berlin", ZONED % "", ["E0412"]),
        (POLICY % "berlin", ZONED % ", x", ["E0303", "E0412"]),
        (POLICY % "munich", ZONED % "", ["E0412", "E0503"]),
        ((POLICY % "berlin").replace("ports 443", "ports 70000"), ZONED % "", ["E0412", "E0338"]),
    ],
    ids=["alone", "beside the inventory", "beside a group", "beside the policy"],
)
def test_wrong_settings_are_said_once_whatever_else_is_wrong(policy, inventory, codes):
    found = [d for d in compilation_of(policy, inventory).diagnostics if d.level is Level.ERROR]
    assert [d.code for d in found] == codes


def test_wrong_settings_of_another_firewall_stop_nothing():
    inventory = INVENTORY % ("berlin", "stor: x")
    assert [d.code for d in compilation_of(POLICY % "berlin", inventory).diagnostics if d.level is Level.ERROR] == [
        "E0410"
    ]
    narrowed = compilation_of(POLICY % "berlin", inventory, firewalls=("edge",))
    assert not [d for d in narrowed.diagnostics if d.level is Level.ERROR]
    wrong = compilation_of((POLICY % "berlin").replace("443", "70000"), inventory, firewalls=("edge",))
    assert [d.code for d in wrong.diagnostics if d.level is Level.ERROR] == ["E0338"]


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no such device here")
def test_service_tags_are_read_from_regular_files_only(tmp_path):
    write_project(tmp_path, POLICY % "berlin", "service-tags: /dev/zero\ngroups: {berlin: {}}\n")
    result = check_request(Request(paths=(str(tmp_path),), as_of=AS_OF))
    assert [(d.code, "not a regular file" in d.message) for d in result.diagnostics] == [("E0433", True)]


def test_which_runs_are_complete():
    def complete(**options):
        return compilation_of(POLICY % "berlin", INVENTORY % ("berlin", ""), **options).complete

    assert complete()
    assert complete(firewalls=("edge", "hosts"))
    assert not complete(firewalls=("edge",))
    assert not complete(targets=("azure-firewall",))
    assert not complete(targets=("azure-firewall", "windows-firewall"))


def test_without_an_inventory_a_target_is_compiled_for_any_source():
    found = compilation_of(POLICY % "berlin", None, targets=("azure-firewall",))
    assert not any(d.level is Level.ERROR for d in found.diagnostics), found.diagnostics
    (build,) = found.builds
    assert (build.site.name, build.site.groups[0].is_unbound, build.site.closing_deny) == (
        "azure-firewall",
        True,
        False,
    )
    (default,) = build.fidelity.whole
    assert (default.reason.value, default.level) == ("default", Level.WARNING)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"firewalls": ("egde",)}, "E0520"),
        ({"targets": ("palo",)}, "E0520"),
        ({"accept": ("acount",)}, "E0520"),
        ({"targets": ("paloalto",)}, "E0521"),
    ],
)
def test_names_that_do_not_exist_are_errors_of_use(options, code):
    found = compilation_of(POLICY % "berlin", INVENTORY % ("berlin", ""), **options)
    assert [d.code for d in found.diagnostics] == [code]
    assert found.could_not_run
    assert found.builds == ()


def test_check_needs_no_firewall_but_checks_names(tmp_path):
    write_project(tmp_path, POLICY % "berlin")
    found = check_request(Request(paths=(str(tmp_path),), as_of=AS_OF))
    assert (found.diagnostics, found.could_not_run) == ((), False)
    found = check_request(Request(paths=(str(tmp_path),), as_of=AS_OF, accept=("acount",)))
    assert [d.code for d in found.diagnostics] == ["E0520"]
    write_project(tmp_path, POLICY % "berlin", "groups: {berlin: {networks: [10.0.0.1]}}\n")
    found = check_request(Request(paths=(str(tmp_path),), as_of=AS_OF))
    assert (found.diagnostics, found.could_not_run) == ((), False)
    inventory = str(tmp_path / "inventory.yaml")
    found = check_request(Request(paths=(str(tmp_path),), as_of=AS_OF, inventory=inventory))
    assert (found.diagnostics, found.could_not_run) == ((), False)
    found = compile_request(Request(paths=(str(tmp_path),), as_of=AS_OF))
    assert [d.code for d in found.diagnostics] == ["E0521"]


def test_a_policy_with_parameters_can_be_checked_without_values(tmp_path):
    write_project(tmp_path, 'parameter r "R" policy p "P" { from any-group allow w "W" { to ${r}.test.io ports 443 } }')
    assert check_request(Request(paths=(str(tmp_path),), as_of=AS_OF)).diagnostics == ()
    found = compile_request(Request(paths=(str(tmp_path),), as_of=AS_OF, targets=("iptables",)))
    assert "E0504" in {d.code for d in found.diagnostics}


CONFLICT = """
policy p "P" {
    from berlin
    allow must "M" { to *.test.io ports 443 tls-inspection }
    allow not "N" { to a.test.io ports %s no-tls-inspection }
    %s
}
"""


def test_inspection_that_is_demanded_and_forbidden_is_an_error_with_a_flow():
    found = compilation_of(CONFLICT % ("443", ""), INVENTORY % ("berlin", "")).diagnostics
    (error,) = [d for d in found if d.code == "E0508"]
    assert error.level is Level.ERROR
    assert "berlin → a.test.io:443" in error.label
    assert error.related[0].span.text == "not"
    for ports, more in (("8443/https", ""), ("443", 'deny d "D" { to a.test.io ports 443 }')):
        codes = {d.code for d in compilation_of(CONFLICT % (ports, more), INVENTORY % ("berlin", "")).diagnostics}
        assert "E0508" not in codes


def test_a_contradiction_about_inspection_is_said_once():
    """That no firewall can fulfil both wishes is the same mistake, also on one that inspects."""
    firewall = "{target: paloalto, settings: {from-zone: a, to-zone: b, decryption-profile: d}}"
    inventory = f"groups:\n  berlin: {{networks: [10.0.0.1]}}\nfirewalls:\n  edge: {firewall}\n"
    for second in ("a.test.io", "203.0.113.0/24"):
        policy = (CONFLICT % ("443", "")).replace("to a.test.io", f"to {second}")
        found = compilation_of(policy, inventory).diagnostics
        assert [d.code for d in found if d.level is Level.ERROR] == ["E0508"]


def test_artefacts_that_would_undo_each_other_are_a_warning():
    gpo = "store: {gpo: 'contoso.example\\Egress'}"
    azure = "{target: azure-firewall, settings: {policy: p, location: l%s}}"

    def told(*firewalls):
        groups = "groups:\n  berlin: {networks: [10.0.0.1]}\n  munich: {networks: [10.0.0.2]}\n"
        inventory = groups + "firewalls:\n" + "".join(f"  f{i}: {each}\n" for i, each in enumerate(firewalls))
        policy = 'policy p "P" { from berlin munich allow a "A" { to 203.0.113.1 ports 443 } }'
        found = compilation_of(policy, inventory).diagnostics
        return [(d.subject, d.span.line) for d in found if d.code == "W0518"]

    hosts = "{target: windows-firewall%s, settings: {%s}}"
    assert told(hosts % ("", gpo)) == [("f0/munich", 5)]
    assert told(hosts % (", groups: [berlin]", gpo), hosts % (", groups: [munich]", gpo.lower())) == [("f1", 6)]
    assert told(hosts % (", groups: [berlin]", gpo), hosts % (", groups: [munich]", f"{gpo}, group: other")) == []
    assert told(hosts % ("", "")) == []
    assert told(azure % "", azure % "", azure % ", rule-collection-group: {name: x}") == [("f1", 6)]


def test_the_collector_is_paused_only_within():
    assert gc.isenabled()
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), collector_paused():
        _ = 1 // 0
    assert gc.isenabled()


def test_verdicts_of_a_compilation():
    found = compilation_of((POLICY % "berlin").replace("as acc", ""), INVENTORY % ("berlin", ""), firewalls=("edge",))
    assert [r.verdict for r in found.builds[0].fidelity.rules] == [Verdict.EXACT]
