"""The deployment template: golden files, resources, their order, and texts that try to leave their literals."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from azure_arm import GROUPS, groups, literal, resources, rules, template_of
from azure_samples import EVERYTHING, PREMIUM, SAMPLES, STANDARD
from support import artefacts_of, compilation_of

from egressc.targets.azure_firewall.quote import argument
from egressc.targets.azure_firewall.quote import literal as quoted

HERE = Path(__file__).parent


@pytest.mark.parametrize("sample", SAMPLES)
def test_golden(golden, sample):
    artefacts = artefacts_of(*SAMPLES[sample], "f")
    assert set(artefacts) == {"template.json"}
    golden(HERE / "golden" / f"{sample}.template.json", artefacts["template.json"])


def test_everything_is_deployed_one_after_the_other():
    template = template_of(artefacts_of(EVERYTHING, PREMIUM, "f"))
    before = []
    for resource in template["resources"]:
        names = ", ".join(f"'{part}'" for part in (resource["type"], *resource["name"].split("/")))
        assert resource.get("dependsOn", []) == before
        # The policy may not be deployed, and a dependency on it is none then.
        before = [*(before if "condition" in resource else ()), f"[resourceId({names})]"]
    priorities = [r["properties"]["priority"] for r in resources(template, GROUPS)]
    assert priorities == sorted(set(priorities))
    assert [r["type"].rpartition("/")[2] for r in template["resources"][:3]] == [
        "ipGroups",
        "ipGroups",
        "firewallPolicies",
    ]


def test_groups_carry_the_prefix_and_stand_in_their_bands():
    template = template_of(artefacts_of(EVERYTHING, PREMIUM, "f"))
    found = {name: group["priority"] - 20000 for name, group in groups(template).items()}
    assert found == {
        "contoso.egress-deny-servers": 0,
        "contoso.egress-exempt-connectors": 200,
        "contoso.egress-allow-connectors": 400,
        "contoso.egress-allow-servers": 401,
        "contoso.egress-except-connectors": 900,
        "contoso.egress-closing-deny": 999,
    }
    for group in groups(template).values():
        kinds = [
            (c["name"], c["action"]["type"], {r["ruleType"] for r in c["rules"]}) for c in group["ruleCollections"]
        ]
        for name, action, types in kinds:
            kind, word = name.split("-")[:2]
            assert action == word.title()
            assert types == {{"net": "NetworkRule", "app": "ApplicationRule"}[kind]}


def test_the_policy_itself_is_left_alone_unless_somebody_says_otherwise():
    template = template_of(artefacts_of(EVERYTHING, PREMIUM, "f"))
    (policy,) = resources(template, "Microsoft.Network/firewallPolicies")
    assert policy["condition"] == "[parameters('writePolicy')]"
    assert template["parameters"]["writePolicy"]["defaultValue"] is False
    assert policy["properties"] == {
        "sku": {"tier": "Premium"},
        "dnsSettings": {"enableProxy": True},
        "transportSecurity": {
            "certificateAuthority": {
                "name": "egress-ca",
                "keyVaultSecretId": "https://contoso.vault.azure.net/secrets/egress-ca/0a1b2c",
            }
        },
    }
    assert policy["location"] == "West Europe"


def test_without_an_inventory_the_location_is_that_of_the_resource_group():
    text = 'policy p "P" { from any-group allow a "A" { to x.contoso.com ports 443 } }'
    (build,) = compilation_of(text, None, targets=("azure-firewall",)).builds
    template = json.loads(build.render()[0].content)
    assert template["resources"][0]["location"] == "[resourceGroup().location]"
    assert rules(template)["p.a_https"][2]["sourceAddresses"] == ["*"]


def test_an_edit_elsewhere_renames_and_moves_no_rule():
    text, inventory = SAMPLES["standard"]
    one = rules(template_of(artefacts_of(text, inventory, "f")))
    more = text.replace(
        '    allow time "Time"', '    allow aaa "A" { to aaa.contoso.com ports 443 }\n    allow time "Time"'
    )
    two = rules(template_of(artefacts_of(more, inventory, "f")))
    assert set(two) - set(one) == {"connectors.aaa_https"}
    assert {name: two[name][2] for name in one} == {name: rule for name, (_, _, rule) in one.items()}


NASTY = (
    "[resourceId('x')]", "[[already]", "[", "]", "[]", "[[", "[x] y", " [x]", "[x] ", "[concat('a', \"b\")]", '"', '""', "\\", "\\u0041",
    "$()", "`id`", "%PATH%", "${x}", "{{x}}", "<![CDATA[x]]>", "]]>", "<!--", "'; DROP", "\t", "a\tb", "\u202eabc", "\u200b", "“smart”",
    "\U0001f600", "e\u0301", "\u2028", "\u2029", "\x00", "\x1b[31m", "\n", "\x7f", "\x80", "//", "/*", "--", "#", "|", "&&", "\ufeff", "null", "true", "0", "-", "x" * 10_000,
    "[" + "x" * 9_998 + "]", "\U0001f600" * 300, "é" * 256,
)  # fmt: skip


def hostile_texts():
    random_ = random.Random(7)
    texts = list(NASTY)
    while len(texts) < 200:
        pieces = random_.sample(NASTY[:46], random_.randint(2, 5))
        texts.append(random_.choice(("", "[")) + "".join(pieces) + random_.choice(("", "]")))
    return texts


@pytest.mark.parametrize("text", hostile_texts())
def test_any_text_is_a_literal(text):
    written = quoted(text)
    assert written.isascii()
    assert written.isprintable()
    assert literal(json.loads(written)) == text


def test_two_hundred_hostile_descriptions():
    # What the language itself refuses in a policy (control characters) cannot arrive here.
    texts = [
        "".join(c for c in text if c == "\t" or c.isprintable() or c in "\u202e\u200b\u2028\u2029")
        for text in hostile_texts()
    ]
    statements = "\n".join(
        f'    allow r{n} "{text.replace(chr(34), chr(34) * 2)}" {{ to h{n}.contoso.com ports 443 ticket "{text[:40].replace(chr(34), chr(34) * 2)}" }}'
        for n, text in enumerate(texts)
    )
    result = compilation_of(f'policy p "P" {{\n    from servers\n{statements}\n}}\n', STANDARD)
    assert {d.code for d in result.diagnostics if d.level == "error"} == set(), result.diagnostics
    (build,) = result.builds
    template = template_of({a.name: a.content for a in build.render()})
    found = rules(template)
    short = {d.subject for d in result.diagnostics if d.code == "N0743"}
    assert len(short) == sum(len(t) > 200 for t in texts)
    for n, text in enumerate(texts):
        description = literal(found[f"p.r{n}_https"][2]["description"])
        assert len(description.encode("utf-16-le")) <= 512
        ticket = text[:40]
        begin = f"{text} [{ticket}]" if ticket else text
        if f"p/r{n}" in short:
            assert description.endswith(f"... (p/r{n})")
            kept = description.removesuffix(f"... (p/r{n})")
            assert begin.startswith(kept)
            assert len(kept.encode("utf-16-le")) // 2 + len(f"... (p/r{n})") in {253, 254, 255, 256}
        else:
            assert description == (f"{begin} (p/r{n})" if begin else f"(p/r{n})")


def test_arguments_of_expressions():
    assert argument("it's") == "'it''s'"


def test_expressions_are_those_of_the_target_alone():
    template = artefacts_of(EVERYTHING.replace('"Queues"', "\"[parameters('x')]\""), PREMIUM, "f")["template.json"]
    found = set()

    def walk(value):
        if isinstance(value, dict):
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)
        elif isinstance(value, str) and value.startswith("[") and value.endswith("]"):
            found.add(value.partition("(")[0])

    walk(json.loads(template))
    assert found == {"[resourceId", "[parameters", "[if"}
    assert b"parameters('x')" in template
