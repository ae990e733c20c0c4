"""The shipped policies say what Microsoft's pages say."""

from __future__ import annotations

import csv
import shutil
from datetime import date
from pathlib import Path

import pytest

from egressc.api import load
from egressc.bind import bind_everything, prepare
from egressc.diagnostics import has_errors
from egressc.policy import HostEndpoint, Inspection
from egressc.policy_tests import Result
from egressc.policy_tests_find import find_tests
from egressc.policy_tests_load import load_test
from egressc.policy_tests_run import Subject, run
from egressc.source import Source

AS_OF = date(2026, 11, 22)


@pytest.fixture(scope="module")
def rules():
    loaded = load(("policies",))
    assert not has_errors(loaded.diagnostics), loaded.diagnostics
    prepared, problems = prepare(loaded.policy, loaded.inventory, AS_OF)
    assert not problems, problems
    return loaded.policy.rules, bind_everything(prepared).rules


def pairs_of(rules):
    return {
        (endpoint.text, service.first)
        for rule in rules
        for endpoint in rule.to.endpoints
        for service in rule.services
        if isinstance(endpoint, HostEndpoint)
    }


@pytest.mark.reference
def test_the_connector_policy_has_exactly_the_pairs_of_the_page(rules, reference):
    with (reference / "endpoints.csv").open(encoding="utf-8", newline="") as file:
        page = {
            (row["host"], int(row["port"])): row["tls_inspection"]
            for row in csv.DictReader(file)
            if row["policy"] == "entra-private-network-connector"
        }
    assert len(page) == 24
    assert pairs_of(rules[0]) == set(page)
    exempt = [rule for rule in rules[0] if rule.inspection is Inspection.MUST_NOT]
    assert pairs_of(exempt) == {pair for pair, tls in page.items() if tls == "forbidden"}


def test_the_cloud_service_alone_is_exempt(rules):
    exempt = [rule for rule in rules[0] if rule.inspection is Inspection.MUST_NOT]
    assert pairs_of(exempt) == {("*.msappproxy.net", 443), ("*.servicebus.windows.net", 443)}


def test_three_accounts_are_bound(rules):
    accounts = {account.name: dict(account.bindings) for rule in rules[1] if rule.accounts for account in _of(rule)}
    assert set(accounts) == {"entra-connector", "entra-connector-updater", "windows-certificates"}
    assert accounts["entra-connector"]["windows-service"] == ("WAPCSvc",)
    assert accounts["entra-connector-updater"]["windows-account"] == ("NT AUTHORITY\\SYSTEM",)


def _of(rule):
    return rule.accounts if isinstance(rule.accounts, tuple) else ()


def test_the_dropped_host_is_mentioned_where_an_upgrader_looks():
    text = Path("policies/microsoft/entra-private-network-connector.egress").read_text(encoding="utf-8")
    assert "policykeyservice.dc.ad.msft.net" in text
    assert all(line.startswith("#") for line in text.splitlines() if "policykeyservice" in line)


def test_what_is_accepted_is_accepted_for_the_shipped_policy_only_and_with_a_reason():
    inventory = load(("policies",)).inventory
    accepted = [each for firewall in inventory.firewalls for each in firewall.accept]
    assert accepted
    for each in accepted:
        assert each.why
        assert each.covers("private-network-connectors/entra-private-network-connector/cloud-service")
        assert not each.covers("a-policy-of-the-user/web")


def results_of(folder):
    """What comes of every policy test below a folder."""
    files, problems = find_tests((str(folder),))
    assert not problems
    for file in files:
        test, problems = load_test(Source.of(Path(file).name, Path(file).read_text(encoding="utf-8"), file))
        assert not problems, problems
        loaded = load(test.policies, test.inventory)
        assert not has_errors(loaded.diagnostics), loaded.diagnostics
        prepared, problems = prepare(loaded.policy, loaded.inventory, test.as_of)
        assert not has_errors(problems), problems
        subject = Subject(prepared, bind_everything(prepared))
        yield from (run(subject, expectation) for expectation in test.expectations)


def test_what_ships_passes_its_own_tests():
    found = list(results_of("policies"))
    assert len(found) >= 10
    assert [
        (each.name, [d.message for d in each.diagnostics]) for each in found if each.result is not Result.PASSED
    ] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        no-tls-inspection\n", ""),
        ("    *.servicebus.windows.net\n", "    *.servicebus.windows.net servicebus.windows.net\n"),
        ("    *.msappproxy.net\n", ""),
        ("        feature installation\n", ""),
        ("        to    digicert-revocation microsoft-revocation\n        ports 80/http", "        to    digicert-revocation microsoft-revocation\n        ports 80/http 443/https"),
        ("www.microsoft.com/pkiops", "www.microsoft.com"),
        ("    management.azure.com\n", "    management.azure.com policykeyservice.dc.ad.msft.net\n"),
        ("as    entra-connector\n", "as    entra-connector entra-connector-updater\n"),
    ],
)  # fmt: skip
def test_the_tests_that_ship_see_a_slip(old, new, tmp_path):
    folder = shutil.copytree("policies", tmp_path / "policies")
    changed = 0
    for file in (folder / "microsoft").glob("*.egress"):
        text = file.read_text(encoding="utf-8")
        changed += old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
    assert changed
    assert any(each.result is Result.FAILED for each in results_of(folder))


INTUNE_TEST = """policy: own.egress
as-of: 2026-11-22
allows:
  - {from: intune-hosts, to: "abc.manage.microsoft.com:443", inspection: must-not}
  - {from: intune-hosts, to: "manage.microsoft.com:443"}
  - {from: intune-hosts, to: "login.microsoftonline.com:443"}
denies:
  - {from: intune-hosts, to: "manage.microsoft.com:8443"}
  - {from: others, to: "abc.manage.microsoft.com:443"}
  - {to: "www.example.com:443"}
"""


def test_the_certificate_connector_has_its_tests(tmp_path):
    folder = shutil.copytree("policies", tmp_path / "policies", ignore=shutil.ignore_patterns("*.yaml", "main.egress"))
    (folder / "own.egress").write_text(
        'import "microsoft/intune-certificate-connector.egress"\n'
        'policy own "Mine" { from intune-hosts include intune-certificate-connector }\n',
        encoding="utf-8",
    )
    (folder / "inventory.yaml").write_text(
        "groups: {intune-hosts: {networks: [10.20.0.10]}, others: {networks: [10.20.1.0/24]}}\n", encoding="utf-8"
    )
    (folder / "own.test.yaml").write_text(INTUNE_TEST, encoding="utf-8")
    found = list(results_of(folder))
    assert [
        (each.name, [d.message for d in each.diagnostics]) for each in found if each.result is not Result.PASSED
    ] == []


INTUNE_ROWS = ("163 ", "56 ", "59 ", "189 ", "190 ", "Defender for Endpoint security settings")


@pytest.mark.reference
def test_the_certificate_connector_has_the_rows_that_it_names(reference, tmp_path):
    """Each host and port of the rows of the Intune page that the policy says it takes, and no other Intune host."""
    policies = shutil.copytree("policies", tmp_path / "policies", ignore=shutil.ignore_patterns("*.yaml"))
    (policies / "own.egress").write_text(
        'import "microsoft/intune-certificate-connector.egress"\n'
        'policy own "Mine" { from any-group include intune-certificate-connector }\n',
        encoding="utf-8",
    )
    loaded = load((str(policies / "own.egress"),))
    assert not has_errors(loaded.diagnostics), loaded.diagnostics
    with (reference / "endpoints.csv").open(encoding="utf-8", newline="") as file:
        page = {
            (row["host"].lower(), int(row["port"])): row["tls_inspection"]
            for row in csv.DictReader(file)
            if (row["policy"] == "intune-core" and row["purpose"].startswith(INTUNE_ROWS))
            or (row["policy"] == "intune-certificate-connector" and not row["host"].startswith("@"))
        }
    # One row names a host below `*.manage.microsoft.com`, which stands beside it.
    page = {pair: tls for pair, tls in page.items() if not pair[0].startswith("enterpriseenrollment.")}
    certificates = {"certificate-status", "trust-lists"}
    rules = [rule for rule in loaded.policy.rules if rule.identity.rpartition("/")[2] not in certificates]
    assert pairs_of(rules) == set(page)
    exempt = {pair for pair in pairs_of([r for r in rules if r.inspection is Inspection.MUST_NOT]) if pair[1] == 443}
    assert exempt == {pair for pair, tls in page.items() if tls.startswith("forbidden") and pair[1] == 443}
