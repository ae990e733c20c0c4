"""Artefacts read back, and the export of a machine that has their rules: the same, and nothing doubtful."""

import json
import random
from contextlib import suppress
from dataclasses import replace

import pytest
from growth import assert_near_linear
from registry_export import export, export_of
from support import AS_OF, compilation_of, site_of
from test_random_policies import TAGS, random_policy
from test_windows_firewall_golden import GOLDEN, INVENTORY, POLICY
from test_windows_firewall_script import PIECES
from windows_host import Host
from windows_lowering import inventory

from egressc.anything import ANY
from egressc.diagnostics import has_errors
from egressc.drift import drift
from egressc.meaning import UnreadableError
from egressc.report_drift import drift_json, drift_text
from egressc.targets.protocol import Artefact
from egressc.targets.windows_firewall import TARGET
from egressc.targets.windows_firewall.model import AccountName, Action

RANDOM_INVENTORY = """
groups:
  a: {{networks: [10.0.0.0/24, "2001:db8:1::/64"]}}
  b: {{networks: [10.0.1.7]}}
  c: {{}}
  both: {{members: [a, b]}}
service-accounts:
  two: {{windows-account: {account}, windows-program: 'C:\\two.exe'}}
service-tags: tags.json
internal-networks: {internal}
firewalls:
  win: {{target: windows-firewall, groups: [{group}], settings: {{dynamic-keywords: {keywords}, default-deny: {closing}, profile: {profile}}}}}
"""
SIDS = {"CORP\\two": "S-1-5-21-1-2-3-1105"}


def artefacts(files):
    return [Artefact(name, content) for name, content in files.items()]


def said(meaning):
    """All that a meaning says; rules of one outcome have no order among them."""
    rulings = sorted((r.outcome, r.name, r.blocks, r.doubt) for r in meaning.rulings)
    return [r.outcome for r in meaning.rulings], rulings, meaning.default, meaning.remarks


def random_builds(r):
    settings = {
        "internal": r.choice(("[]", "[10.0.0.0/8]", '[10.0.0.0/8, "fc00::/7"]')),
        "group": r.choice(("a", "both", "c")),
        "keywords": r.choice(("true", "true", "false")),
        "closing": r.choice(("true", "true", "false")),
        "profile": r.choice(("Any", "Domain", "[Domain, Public]")),
        "account": r.choice(("'NT SERVICE\\Two'", "S-1-5-18", "'CORP\\two'")),
    }
    accepted = ("account", "except", "label-wildcard", "ports", "no-names", "order", "tls-unenforced", "family")
    policy = random_policy(r)
    result = compilation_of(policy, RANDOM_INVENTORY.format(**settings), accept=accepted, tags__json=TAGS)
    return () if has_errors(result.diagnostics) else result.builds


@pytest.mark.parametrize("seed", range(4))
def test_artefacts_and_exports_of_random_policies_mean_the_same(seed):
    r = random.Random(seed)
    seen = 0
    for _ in range(25):
        for build in random_builds(r):
            model = build.lowering.model
            meaning = TARGET.read(build.site, build.render())
            assert {ruling.doubt for ruling in meaning.rulings} <= {""}
            assert sorted(ruling.name for ruling in meaning.rulings) == sorted(rule.name for rule in model.rules)
            for keywords_as in (None, "X"):
                files = artefacts(export_of(model, accounts=SIDS, keywords_as=keywords_as))
                assert said(TARGET.read(build.site, files)) == said(meaning)
                assert drift(build.site, TARGET, build.lowering, files).is_equal
            seen += len(model.rules)
    assert seen > 30


def test_the_host_that_ran_the_script_exports_what_was_meant():
    site = site_of(POLICY, INVENTORY, "hosts")
    lowering = TARGET.lower(site)
    files = TARGET.render(lowering.model)
    host = Host()
    host.accounts["CONTOSO\\agent$"] = "S-1-5-21-1-2-3-1105"
    host.run(files[0].content, EnforceDefaultDeny=True)
    keywords = [(held["Id"], held["Keyword"]) for held in host.keywords.values()]
    block = set(host.profiles["PersistentStore"].values()) == {"Block"}
    given = export(host.rules["PersistentStore"].values(), keywords, block=block, accounts=host.accounts)
    assert said(TARGET.read(site, artefacts(given))) == said(TARGET.read(site, files))
    assert drift(site, TARGET, lowering, artefacts(given)).is_equal
    assert (GOLDEN / "firewall.ps1").read_bytes() == files[0].content


def test_a_host_whose_default_still_lets_out_is_another():
    site = site_of(POLICY, INVENTORY, "hosts")
    lowering = TARGET.lower(site)
    given = export_of(lowering.model, accounts={"CONTOSO\\agent$": "S-1-5-21-1-2-3-1105"}, block=False)
    found = drift(site, TARGET, lowering, artefacts(given))
    assert len(found.allows_more) == 1
    assert (found.allows_less, found.unknown) == ((), ())


def test_a_rule_for_the_internal_networks_that_is_missing_is_told_once():
    site = site_of(POLICY, INVENTORY, "hosts")
    lowering = TARGET.lower(site)
    model = lowering.model
    (internal,) = [rule for rule in model.rules if rule.display_name.startswith("egressc: internal networks")]
    model = replace(model, rules=tuple(rule for rule in model.rules if rule is not internal))
    given = export_of(model, accounts={"CONTOSO\\agent$": "S-1-5-21-1-2-3-1105"})
    found = drift(site, TARGET, lowering, artefacts(given))
    assert [(each.sentence, [live.name for live in each.live]) for each in found.allows_less] == [
        ("no rule lets it through", ["(default outbound action)"])
    ]
    assert (found.allows_more, found.unknown) == ((), ())


def test_who_gets_out_by_a_rule_that_lost_its_account_is_some_other_one():
    site = site_of(POLICY, INVENTORY, "hosts")
    lowering = TARGET.lower(site)
    model = lowering.model
    agent = (AccountName("CONTOSO\\agent$"),)
    first = next(rule for rule in model.rules if rule.users == agent and rule.action is Action.ALLOW)
    rules = [replace(rule, users=ANY) if rule is first else rule for rule in model.rules]
    given = export_of(replace(model, rules=tuple(rules)), accounts={"CONTOSO\\agent$": "S-1-5-21-1-2-3-1105"})
    found = drift(site, TARGET, lowering, artefacts(given))
    (told,) = found.allows_more
    assert " another windows-account → " in told.flow.text
    assert drift_json(found)["allows_more"][0]["example"]["process"].endswith("another windows-account")
    assert " another windows-account → " in drift_text(found)


def test_without_the_identifier_of_an_account_its_rules_are_not_known():
    site = site_of(POLICY, INVENTORY, "hosts")
    lowering = TARGET.lower(site)
    given = export_of(lowering.model, accounts={"CONTOSO\\agent$": "S-1-5-21-1-2-3-1105"})
    del given["accounts.json"]
    found = drift(site, TARGET, lowering, artefacts(given))
    assert found.unknown
    assert (found.allows_more, found.allows_less) == ((), ())
    agent = (AccountName("CONTOSO\\agent$"),)
    named = {rule.name for rule in lowering.model.rules if rule.users == agent and rule.action is Action.ALLOW}
    assert {ruling.name for finding in found.unknown for ruling in finding.live} == named


def hostile(r):
    return (
        "".join(r.choice(PIECES) for _ in range(r.randint(1, 15)))
        .replace('"', '""')
        .replace("\n", " ")
        .replace("\r", " ")
    )


def test_hostile_texts_change_nothing():
    """The same policy with other descriptions: other bytes, the same flows, by the same outcome."""
    r = random.Random(5)
    plain = None
    for _ in range(30):
        text = hostile(r).replace("\x00", "").replace("\x85", "").replace("\u2028", "") or "x"
        policy = f'policy p "{text}" {{ from g\nallow r "{text}" {{ to a.example 192.0.2.1 ports 443/tcp }} }}'
        result = compilation_of(policy, inventory(), as_of=AS_OF)
        if has_errors(result.diagnostics):
            continue
        (build,) = result.builds
        meaning = TARGET.read(build.site, build.render())
        blocks = [(ruling.outcome, ruling.blocks, ruling.doubt) for ruling in meaning.rulings]
        plain = plain or blocks
        assert blocks == plain
        files = artefacts(export_of(build.lowering.model))
        assert said(TARGET.read(build.site, files)) == said(meaning)
    assert plain is not None


@pytest.mark.parametrize("form", ["artefact", "export"])
def test_reading_grows_with_the_rules(form):
    def prepare(size):
        rules = "\n".join(
            f'allow r{i} "R" {{ to h{i}.x.example 192.0.{i % 250}.{i // 250} ports 443/tcp as connector }}'
            for i in range(size)
        )
        policy = f'service-account connector "C" {{ windows-service "W" }}\npolicy p "P" {{ from g\n{rules}\n}}'
        site = site_of(policy, inventory(), "hosts")
        model = TARGET.lower(site).model
        files = TARGET.render(model) if form == "artefact" else artefacts(export_of(model))
        return lambda: TARGET.read(site, files)

    assert_near_linear(prepare, 400, 2000)


def test_rules_json_is_what_the_reader_takes_and_nothing_is_passed_over():
    """Every key that `rules.json` has is one whose loss or change the reader sees, texts for people apart."""
    site = site_of(POLICY, INVENTORY, "hosts")
    content = (GOLDEN / "rules.json").read_bytes()
    whole = said(TARGET.read(site, [Artefact("rules.json", content)]))
    for number, rule in enumerate(json.loads(content)["Rules"]):
        for key in rule.keys() - {"Name", "DisplayName", "Description"}:
            value = json.loads(content)
            del value["Rules"][number][key]
            with suppress(UnreadableError):
                less = said(TARGET.read(site, [Artefact("rules.json", json.dumps(value).encode())]))
                assert less != whole, (number, key)
