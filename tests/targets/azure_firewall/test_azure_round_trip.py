"""What is written is read back without a doubt, and means the same after a trip through Azure's own library."""

from __future__ import annotations

import copy
import importlib.util
import json
import random
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
from azure_arm import GROUPS, IP_GROUPS, resources, template_of
from azure_policies import random_inventory, random_policy
from azure_reading import PLACE, artefact, decided
from azure_samples import SAMPLES
from growth import assert_near_linear
from support import site_of

from egressc.anything import ANY
from egressc.diagnostics import has_errors
from egressc.drift import drift
from egressc.meaning import Outcome
from egressc.policy import HostEndpoint
from egressc.targets.azure_firewall.read import read
from egressc.targets.registry import load_target

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    network = pytest.importorskip("azure.mgmt.network.models")

TARGET = load_target("azure-firewall")
HEREABOUTS = "[resourceId('Microsoft.Network/ipGroups', '"


def written(policy, inventory):
    site = site_of(policy, inventory, "f")
    lowering = TARGET.lower(site)
    assert not has_errors(lowering.diagnostics)
    return site, lowering, TARGET.render(lowering.model)


def as_given(template, through):
    """The groups and IP groups of a template as the REST API lists them, each body through a function."""

    def expanded(value):
        if isinstance(value, dict):
            return {key: expanded(each) for key, each in value.items()}
        if isinstance(value, list):
            return [expanded(each) for each in value]
        if isinstance(value, str) and value.startswith(HEREABOUTS):
            return f"{PLACE}/ipGroups/{value[len(HEREABOUTS) : -3]}"
        return value[1:] if isinstance(value, str) and value.startswith("[[") and value.endswith("]") else value

    found = []
    for kind in (GROUPS, IP_GROUPS):
        for resource in resources(template, kind):
            policy, _, name = resource["name"].rpartition("/")
            place = f"{PLACE}/firewallPolicies/{policy}/ruleCollectionGroups" if policy else f"{PLACE}/ipGroups"
            body = through(kind, {"properties": expanded(copy.deepcopy(resource["properties"]))})
            found.append({"id": f"{place}/{name}", "name": name, "type": kind, **body})
    return found


def through_the_sdk(kind, body):
    model = {GROUPS: network.FirewallPolicyRuleCollectionGroup, IP_GROUPS: network.IpGroup}[kind]
    return model.deserialize(body).serialize()


def unplaced(meaning):
    """A meaning without its places and remarks, which name files."""
    return replace(meaning, remarks=())


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_body_means_the_same_after_the_trip_through_the_sdk(sample):
    site, _, files = written(*SAMPLES[sample])
    template = template_of({file.name: file.content for file in files})
    expected = read(site, files)
    listed = as_given(template, through_the_sdk)
    assert unplaced(read(site, [artefact({"value": listed})])) == unplaced(expected)
    flat = [{**{k: v for k, v in each.items() if k != "properties"}, **each["properties"]} for each in listed]
    one_each = [artefact(each, f"{number}.json") for number, each in enumerate(flat)]
    assert unplaced(read(site, one_each)) == unplaced(expected)
    assert expected.remarks == ()


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_rule_written_is_a_ruling_with_the_name_of_its_part(sample):
    site, lowering, files = written(*SAMPLES[sample])
    meaning = read(site, files)
    assert meaning.default is Outcome.DENY
    names = {rule.name for group in lowering.model.groups for c in group.collections for rule in c.rules}
    announced = {name for part in lowering.parts for name in part.names}
    assert {ruling.name for ruling in meaning.rulings} == announced
    assert names - announced == {"closing-deny"}


@pytest.mark.property
@pytest.mark.parametrize("seed", range(6))
def test_nothing_that_is_written_is_doubtful(seed):
    random_ = random.Random(seed)
    read_back = 0
    for _ in range(25):
        policy, inventory = random_policy(random_), random_inventory(random_)
        try:
            site = site_of(policy, inventory, "f")
        except AssertionError:
            continue  # an error of the policy itself
        lowering = TARGET.lower(site)
        if has_errors(lowering.diagnostics):
            continue
        files = TARGET.render(lowering.model)
        meaning = read(site, files)
        assert [r.doubt for r in (*meaning.rulings, *meaning.inspections) if r.doubt] == [], (policy, inventory)
        template = template_of({file.name: file.content for file in files})
        if resources(template, GROUPS):
            given = [artefact(as_given(template, lambda _, body: body))]
            assert unplaced(read(site, given)) == unplaced(meaning), (policy, inventory)
        read_back += 1
    assert read_back >= 10


def module(path):
    """A module by its file: other targets have some of the same name."""
    spec = importlib.util.spec_from_file_location(f"azure_{path.stem}", path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


tamperings = module(Path(__file__).parent / "tamperings.py")
proof_policies = module(Path(__file__).parent.parent / "proof_policies.py")
TAMPERINGS = sorted(name for name in vars(tamperings) if name.startswith("tamper_"))


@pytest.fixture(scope="module")
def deployed():
    """The artefact that the tamperings are made for: its site, its lowering, and what `az` gives of it."""
    policy, inventory = proof_policies.POLICIES["azure-firewall"], proof_policies.INVENTORIES["azure-firewall"]
    site = site_of(policy, inventory, "fw")
    lowering = TARGET.lower(site)
    template = json.loads(TARGET.render(lowering.model)[0].content)
    return site, lowering, {"groups.json": json.dumps(as_given(template, lambda _, body: body)).encode()}


@pytest.mark.parametrize("name", ["", *TAMPERINGS])
def test_tamperings_are_found_in_what_az_gives(name, deployed):
    site, lowering, files = deployed
    if name:
        files = getattr(tamperings, name)(files)
    live = [artefact(content, file) for file, content in files.items()]
    assert drift(site, TARGET, lowering, live).is_equal is (name == "")


INTERNAL = """
groups: {one: {NETWORKS}}
internal-networks: INTERNAL
firewalls: {f: {target: azure-firewall, unbound: allowed, settings: {policy: p, location: x}}}
"""


_NETWORKS = "networks: [10.1.0.0/24]"


@pytest.mark.parametrize(
    ("networks", "internal", "expected"),
    [
        (_NETWORKS, "[10.0.0.0/8]", [["y.x.com"], ["192.0.2.0/24"]]),
        (_NETWORKS, "[]", []),  # the closing deny has it all
        ("description: unbound", "[]", [["y.x.com"], ["192.0.2.0/24"]]),  # from any source
    ],
)
def test_what_exceptions_deny_beyond_the_closing_deny_is_announced(networks, internal, expected):
    text = 'policy p "P" { from one allow a "A" { to *.x.com except y.x.com 192.0.2.0/24 ports 443 } }'
    _, lowering, _ = written(text, INTERNAL.replace("NETWORKS", networks).replace("INTERNAL", internal))
    (part,) = lowering.parts
    held = [
        [e.pattern.text if isinstance(e, HostEndpoint) else e.addresses.text for e in reach.endpoints]
        for reach in part.closes
    ]
    assert held == expected
    assert all(reach.accounts is ANY and reach.exceptions == () for reach in part.closes)


def test_a_closing_deny_behind_all_allows_is_the_default():
    site, _, files = written(*SAMPLES["minimal"])
    meaning = read(site, files)
    assert [ruling.name for ruling in meaning.rulings] == ["small.web_https"]
    assert decided(meaning, "w.example.com", source="10.30.0.1") == ("(default)", "deny")


def test_reading_grows_with_the_number_of_rules():
    inventory = INTERNAL.replace("NETWORKS", _NETWORKS).replace("INTERNAL", "[10.0.0.0/8]")
    inventory = inventory.replace("location: x", _PREMIUM)

    def prepare(size):
        rules = "".join(_RULES[n % len(_RULES)].format(n=n) for n in range(size))
        site, _, files = written(f'policy p "P" {{ from one {rules} }}', inventory)
        return lambda: read(site, files)

    assert_near_linear(prepare, 300, 2400)


_PREMIUM = (
    "location: x, tier: Premium, tls-inspection: true, "
    "certificate-authority: {name: ca, key-vault-secret-id: 'https://kv.vault.azure.net/secrets/x'}"
)
_RULES = (
    'allow r{n} "R" {{ to h{n}.example.com *.s{n}.example.com ports 443/https }}\n',
    'allow r{n} "R" {{ to h{n}.example.com ports 443/https no-tls-inspection }}\n',
    'allow r{n} "R" {{ to h{n}.example.org ports 80/http }}\n',
    'deny r{n} "R" {{ to d{n}.example.com ports 443/https 80/http }}\n',
    'allow r{n} "R" {{ to w{n}.example.net ports 80/https }}\n',
)
