"""Broken files are read or refused: no other error ever leaves the reader."""

from __future__ import annotations

import copy
import json
import random

import pytest
from azure_arm import GROUPS, IP_GROUPS, template_of
from azure_reading import PLACE, allows, app, artefact, net, site, template
from azure_samples import SAMPLES
from support import site_of

from egressc.meaning import Meaning, UnreadableError
from egressc.targets.azure_firewall.read import read
from egressc.targets.registry import load_target

TARGET = load_target("azure-firewall")
VALUES = (None, True, 0, -1, 1.5, 10**20, "", "*", "[", "[]", "[concat(", "[parameters('x')]", "x" * 300, [], [None], [[]], {}, {"a": 1},
          "10.0.0.0/8", "Microsoft.Network/ipGroups", "/", "//providers//", ["*"], "é")  # fmt: skip


def places(value, path=()):
    """Every place in a value."""
    if path:
        yield path
    held = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in held:
        yield from places(each, (*path, key))


def broken(value, random_):
    """The value with another one somewhere in it, or without something."""
    result = copy.deepcopy(value)
    *before, last = random_.choice(list(places(result)))
    held = result
    for key in before:
        held = held[key]
    if random_.random() < 0.3:
        del held[last]
    elif isinstance(held, dict) and random_.random() < 0.2:
        held[random_.choice(("Name", "copy", "condition", "type", "resources"))] = random_.choice(VALUES)
    else:
        held[last] = random_.choice(VALUES)
    return result


def samples():
    site_ = site_of(*SAMPLES["premium"], "f")
    whole = template_of({file.name: file.content for file in TARGET.render(TARGET.lower(site_).model)})
    yield site_, whole
    live = [
        allows(app("r", "w.example.com", sources=(), sourceIpGroups=[f"{PLACE}/ipGroups/x"]), net("n", "*", "Sql")),
        {"id": f"{PLACE}/ipGroups/x", "name": "x", "type": IP_GROUPS, "ipAddresses": ["10.0.0.0/8"]},
        {"id": f"{PLACE}/firewallPolicies/egress", "type": "Microsoft.Network/firewallPolicies", "dnsSettings": {"enableProxy": True},
         "basePolicy": {"id": "x"}, "sku": {"tier": "Premium"}, "transportSecurity": {"certificateAuthority": {"name": "a"}}},
    ]  # fmt: skip
    yield site(), live
    rules = {
        "copy": [{"name": "rules", "count": 2, "input": app("[format('r{0}', copyIndex('rules'))]", "w.example.com")}]
    }
    collection = {
        "ruleCollectionType": "FirewallPolicyFilterRuleCollection", "name": "c", "priority": 100, "action": {"type": "Allow"}, **rules,
    }  # fmt: skip
    group = {
        "type": GROUPS,
        "name": "egress/g",
        "properties": {"priority": "[parameters('p')]", "ruleCollections": [collection]},
    }
    yield site(), template({"copy": {"name": "l", "count": 1}, "condition": True, **group}, parameters={"p": {"defaultValue": 100}}, variables={"v": "[if(true(), 1, 2)]"})  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_broken_values_are_read_or_refused(seed):
    random_ = random.Random(seed)
    outcomes = set()
    for site_, value in samples():
        for _ in range(120):
            changed = value
            for _ in range(random_.randint(1, 3)):
                changed = broken(changed, random_)
            outcomes.add(_outcome(site_, json.dumps(changed).encode()))
    assert outcomes == {"read", "refused"}


@pytest.mark.parametrize("seed", range(2))
def test_broken_texts_are_read_or_refused(seed):
    random_ = random.Random(seed)
    outcomes = set()
    for site_, value in samples():
        content = bytearray(json.dumps(value).encode())
        for _ in range(60):
            changed = bytearray(content)
            for _ in range(random_.randint(1, 4)):
                changed[random_.randrange(len(changed))] = random_.randrange(256)
            outcomes.add(_outcome(site_, bytes(changed)))
    assert outcomes == {"read", "refused"}


def _outcome(site_, content):
    try:
        assert isinstance(read(site_, [artefact(content)]), Meaning)
    except UnreadableError as error:
        return "refused" if error.message else "refused without a word"
    return "read"
