"""azure-mgmt-network 28.1.0 reads every body and gives it back unchanged; what it does not know would be missing."""

from __future__ import annotations

import copy
import warnings

import pytest
from azure_arm import GROUPS, IP_GROUPS, resources, template_of
from azure_samples import SAMPLES
from support import artefacts_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    network = pytest.importorskip("azure.mgmt.network.models")

POLICIES = "Microsoft.Network/firewallPolicies"
MODELS = {
    GROUPS: network.FirewallPolicyRuleCollectionGroup,
    IP_GROUPS: network.IpGroup,
    POLICIES: network.FirewallPolicy,
}
TEMPLATE_KEYS = {"type", "apiVersion", "name", "dependsOn", "condition"}


def body(resource):
    """The body of the REST call that Resource Manager makes of a resource, for the identity that may read the vault."""
    result = {key: copy.deepcopy(value) for key, value in resource.items() if key not in TEMPLATE_KEYS}
    if "identity" in result:
        assert result["identity"].startswith("[if(empty(parameters('policyIdentity')), null(), createObject('type', ")
        result["identity"] = {"type": "UserAssigned", "userAssignedIdentities": {"/subscriptions/0/id": {}}}
    return result


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_body_is_read_and_given_back_unchanged(sample):
    template = template_of(artefacts_of(*SAMPLES[sample], "f"))
    seen = set()
    for resource in template["resources"]:
        model = MODELS[resource["type"]]
        wanted = body(resource)
        assert model.deserialize(wanted).serialize() == wanted
        seen.add(resource["type"])
    assert {GROUPS, POLICIES} <= seen


def test_the_sdk_sees_unknown_keys_and_wrong_discriminators():
    template = template_of(artefacts_of(*SAMPLES["premium"], "f"))
    wanted = body(resources(template, GROUPS)[0])
    rule = wanted["properties"]["ruleCollections"][0]["rules"][0]
    rule["targetFqdn"] = ["x"]
    assert MODELS[GROUPS].deserialize(wanted).serialize() != wanted
    del rule["targetFqdn"]
    assert MODELS[GROUPS].deserialize(wanted).serialize() == wanted
    rule["ruleType"] = "NetworkRule" if rule["ruleType"] == "ApplicationRule" else "ApplicationRule"
    assert MODELS[GROUPS].deserialize(wanted).serialize() != wanted
