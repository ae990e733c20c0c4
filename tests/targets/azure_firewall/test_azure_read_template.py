"""Templates: what Microsoft's pages say of their syntax, functions, parameters, copies and conditions."""

from __future__ import annotations

import pytest
from azure_reading import (
    POLICY,
    allowed,
    app,
    artefact,
    collection,
    decided,
    deployed,
    doubts,
    group,
    net,
    reading,
    site,
    template,
)  # fmt: skip

from egressc.meaning import UnreadableError
from egressc.targets.azure_firewall.read import read
from egressc.targets.azure_firewall.read_expressions import Unknown
from egressc.targets.azure_firewall.read_template import resources_of


def value_of(expression, parameters=None, variables=None, given=None):
    """The value of an expression, as that of a property of a resource."""
    resource = {"type": "Microsoft.Network/x", "name": "n", "properties": {"value": expression}}
    whole = template(resource, parameters=parameters or {}, variables=variables or {})
    return resources_of(whole, given or {}, "t.json")[0].body["properties"]["value"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # template-expressions.md, "Escape characters"
        ("[[test value]", "[test value]"),
        ("[test] value", "[test] value"),
        ("[concat('it''s', ' me')]", "it's me"),
        ("plain", "plain"),
        # template-functions-string.md
        ("[concat('prefix', '-', 7)]", "prefix-7"),
        ("[concat(createArray('1-1', '1-2'), createArray('2-1'))]", ["1-1", "1-2", "2-1"]),
        ("[format('{0}, {1}. Formatted number: {2}', 'Hello', 'User', 8175)]", "Hello, User. Formatted number: 8175"),
        ("[format('{{0}}')]", "{0}"),
        ("[toLower('One Two THREE')]", "one two three"),
        ("[toUpper('a')]", "A"),
        ("[split('one,two,three', ',')]", ["one", "two", "three"]),
        ("[split('one;two,three', createArray(',', ';'))]", ["one", "two", "three"]),
        ("[replace('123-123-1234', '-', '')]", "1231231234"),
        ("[substring('one two three', 4, 3)]", "two"),
        ("[startsWith('abcdef', 'AB')]", True),
        ("[string(createObject('a', 1))]", '{"a":1}'),
        ("[first('One Two')]", "O"),
        ("[join(createArray('one', 'two'), ', ')]", "one, two"),
        # template-functions-array.md
        ("[first(createArray('one', 'two'))]", "one"),
        ("[last(createArray('one', 'two'))]", "two"),
        ("[length(createArray('one', 'two', 'three'))]", 3),
        ("[length('One Two Three')]", 13),
        ("[contains(createArray('a', 'b'), 'b')]", True),
        ("[empty(createArray())]", True),
        ("[empty('')]", True),
        ("[empty(null())]", True),
        ("[empty('x')]", False),
        ("[union(createArray('one', 'two', 'three'), createArray('three', 'four'))]", ["one", "two", "three", "four"]),
        ("[union(createObject('one', 'a', 'three', 'c1'), createObject('three', 'c2'))]", {"one": "a", "three": "c2"}),
        ("[take(createArray(1, 2, 3), 2)]", [1, 2]),
        ("[skip(createArray(1, 2, 3), 2)]", [3]),
        ("[range(5, 3)]", [5, 6, 7]),
        ("[createArray(1, 2)[1]]", 2),
        # template-functions-object.md
        ("[createObject('intProp', 1, 'stringProp', 'abc')]", {"intProp": 1, "stringProp": "abc"}),
        ("[json('{\"a\": [1, null]}')]", {"a": [1, None]}),
        ("[createObject('Tier', 'Premium').tier]", "Premium"),
        # template-functions-logical.md, template-functions-comparison.md
        ("[if(equals('a', 'a'), 'yes', 'no')]", "yes"),
        ("[if(true(), 'yes', variables('missing'))]", "yes"),
        ("[not(bool('true'))]", False),
        ("[and(true(), false())]", False),
        ("[or(true(), variables('missing'))]", True),
        ("[equals('a', 'A')]", False),
        ("[equals(1, '1')]", False),
        ("[coalesce(null(), 'x')]", "x"),
        ("[int('4')]", 4),
        ("[add(5, 3)]", 8),
        ("[CONCAT('a', tolower('B'))]", "ab"),
    ],
)
def test_functions(expression, expected):
    assert value_of(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "[resourceGroup().location]",
        "[subscription().subscriptionId]",
        "[reference('x')]",
        "[uniqueString('x')]",
        "[parameters('none')]",
        "[variables('none')]",
        "[concat('a']",
        "[concat('a') 'b']",
        "[]",
        "[first(1)]",
        "[add('a', 1)]",
        "[createObject('a')]",
        "[json('{')]",
        "[createArray(1)[4]]",
        "[format('{3}', 1)]",
        "[" + "concat(" * 100 + ")" * 100 + "]",
        "[resourceId('Microsoft.Network/ipGroups')]",
        "[range(0, 100000000)]",
        "[mul(4611686018427387904, 4)]",
    ],
)
def test_what_only_a_deployment_knows_or_nobody_is_unknown(expression):
    assert isinstance(value_of(expression), Unknown)


def test_parameters_have_a_default_or_a_value_and_know_no_case():
    parameters = {"Port": {"type": "int", "defaultValue": 443}, "name": {"type": "string"}}
    assert value_of("[parameters('port')]", parameters) == 443
    assert value_of("[parameters('name')]", parameters, given={"name": "[not an expression]"}) == "[not an expression]"
    unknown = value_of("[parameters('name')]", parameters)
    assert "the parameter `name` has no value" in unknown.reason


def test_variables_may_refer_to_others_and_not_to_themselves():
    variables = {"a": "[concat(variables('b'), '!')]", "b": "[toLower('B')]", "c": {"d": ["[variables('a')]"]}}
    assert value_of("[variables('c').d[0]]", variables=variables) == "b!"
    assert isinstance(value_of("[variables('a')]", variables={"a": "[variables('a')]"}), Unknown)


def test_identifiers():
    # template-functions-resource.md, "resourceId"
    assert value_of("[resourceId('other', 'Microsoft.Network/ipGroups', 'ipg')]").endswith(
        "/resourceGroups/other/providers/Microsoft.Network/ipGroups/ipg"
    )
    whole = value_of(
        "[resourceId('0-1', 'other', 'Microsoft.Network/firewallPolicies/ruleCollectionGroups', 'p', 'g')]"
    )
    place = "/subscriptions/0-1/resourceGroups/other/providers/Microsoft.Network"
    assert whole == f"{place}/firewallPolicies/p/ruleCollectionGroups/g"


def test_copies_of_properties_and_variables():
    # copy-properties.md, copy-variables.md
    loop = {"copy": [{"name": "rules", "count": 2, "input": {"n": "[copyIndex('rules', 1)]"}}]}
    assert value_of(loop) == {"rules": [{"n": 1}, {"n": 2}]}
    variables = {"copy": [{"name": "hosts", "count": 2, "input": "[concat('h', copyIndex('hosts'), '.example')]"}]}
    assert value_of("[variables('hosts')]", variables=variables) == ["h0.example", "h1.example"]


def test_copies_of_resources():
    # copy-resources.md
    rules = collection(
        "c", 200, "Allow", app("[format('r{0}', copyIndex())]", "[format('h{0}.example.com', copyIndex())]")
    )
    looped = deployed("[add(200, copyIndex())]", rules, name="[format('egress/g{0}', copyIndex())]")
    looped["copy"] = {"name": "groups", "count": "[parameters('n')]"}
    whole = template(looped, parameters={"n": {"type": "int", "defaultValue": 3}})
    meaning = reading(whole)
    assert decided(meaning, "h2.example.com") == ("r2", "allow")
    assert decided(meaning, "h3.example.com")[0] == "(infrastructure rule collection)"
    with pytest.raises(UnreadableError, match="copies"):
        reading(template(looped, parameters={"n": {"type": "int"}}))


RULES = collection("c", 200, "Allow", app("r", "w.example.com"))


def test_a_resource_under_a_false_condition_is_not_there():
    # conditional-resource-deployment.md
    there = deployed(200, RULES, condition="[parameters('deploy')]")
    for value, expected in ((True, "allow"), (False, "unknown")):  # then the infrastructure rules may let it through
        whole = template(there, parameters={"deploy": {"type": "bool", "defaultValue": value}})
        assert decided(reading(whole), "w.example.com")[1] == expected
        assert (decided(reading(whole), "w.example.com")[0] == "r") is value
    whole = template(there, parameters={"deploy": {"type": "bool"}})
    assert decided(reading(whole), "w.example.com") == ("r", "unknown")


def test_nested_resources_and_symbolic_names():
    # child-resource-name-type.md; languageVersion 2.0
    nested = {
        "type": "Microsoft.Network/firewallPolicies", "name": "egress", "properties": {"sku": {"tier": "Premium"}},
        "resources": [{"type": "ruleCollectionGroups", "name": "main", "properties": {"priority": 200, "ruleCollections": [RULES]}}],
    }  # fmt: skip
    assert decided(reading(template(nested)), "w.example.com") == ("r", "allow")
    symbolic = template(languageVersion="2.0")
    existing = {"type": "Microsoft.Network/firewallPolicies", "existing": True, "name": "egress"}
    symbolic["resources"] = {"policy": existing, "main": deployed(200, RULES)}
    assert decided(reading(symbolic), "w.example.com") == ("r", "allow")


def test_nested_deployments():
    # linked-templates.md: in their own scope, or in that of the template around them
    inner = template(deployed(200, collection("c", 200, "Allow", app("r", "[parameters('host')]"))))
    inner["parameters"] = {"host": {"type": "string"}}
    node = {
        "type": "Microsoft.Resources/deployments", "name": "d",
        "properties": {
            "template": inner, "parameters": {"host": {"value": "[concat('w', '.example.com')]"}},
            "expressionEvaluationOptions": {"scope": "inner"},
        },
    }  # fmt: skip
    assert decided(reading(template(node)), "w.example.com") == ("r", "allow")
    node["properties"]["expressionEvaluationOptions"]["scope"] = "outer"
    outer = template(node, parameters={"host": {"type": "string", "defaultValue": "o.example.com"}})
    assert decided(reading(outer), "o.example.com") == ("r", "allow")
    node["properties"] = {"templateLink": {"uri": "https://example.com/t.json"}}
    with pytest.raises(UnreadableError, match="another one"):
        reading(template(node))


def test_the_parameter_file_stands_beside_the_template():
    # parameter-files.md
    whole = template(
        deployed("[parameters('priority')]", collection("c", 200, "Allow", app("r", sources=(), sourceAddresses="[parameters('from')]"))),
        parameters={"priority": {"type": "int"}, "from": {"type": "array"}},
    )  # fmt: skip
    whole["resources"][0]["properties"]["ruleCollections"][0]["rules"][0]["targetFqdns"] = ["w.example.com"]
    schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"
    given = {
        "$schema": schema,
        "contentVersion": "1.0.0.0",
        "parameters": {"Priority": {"value": 300}, "from": {"value": ["10.1.0.5"]}},
    }
    meaning = reading(given, whole)
    assert decided(meaning, "w.example.com") == ("r", "allow")
    assert decided(meaning, "w.example.com", source="10.1.0.6")[0] != "r"
    with pytest.raises(UnreadableError, match="`priority` has no value"):
        reading(whole)


def test_what_is_not_known_of_a_rule_makes_the_rule_doubtful():
    hosts = app("r")
    hosts["targetFqdns"] = ["[reference('x').host]", "w.example.com"]
    sources = app("s", "s.example.com")
    sources["sourceAddresses"] = "[reference('x').prefixes]"
    meaning = reading(template(deployed(200, collection("c", 200, "Allow", sources, hosts, app("t", "w.example.com")))))
    assert decided(meaning, "any.example.com") == ("r", "unknown")
    assert decided(meaning, "s.example.com", source="192.0.2.1") == ("s", "unknown")
    assert any("reference" in doubt for doubt in doubts(meaning))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r["properties"].update(priority="[reference('x')]"), "priority"),
        (lambda r: r["properties"].update(ruleCollections="[reference('x')]"), "rule collections"),
        (lambda r: r["properties"]["ruleCollections"][0].update(rules="[reference('x')]"), "rules"),
        (lambda r: r.update(name="[concat(parameters('policy'), '/g')]"), "name"),
        (lambda r: r.update(properties="[reference('x')]"), "properties"),
        (lambda r: r["properties"]["ruleCollections"][0].pop("priority"), "priority"),
    ],
)
def test_what_is_not_known_of_the_structure_is_unreadable(change, message):
    resource = deployed(200, collection("c", 200, "Allow", app("r", "w.example.com")))
    change(resource)
    with pytest.raises(UnreadableError, match=message):
        reading(template(resource, parameters={"policy": {"type": "string"}}))


def test_ip_groups_of_the_template_are_known_by_their_identifier():
    resources = [
        {"type": "Microsoft.Network/ipGroups", "name": "ipg", "properties": {"ipAddresses": ["10.1.0.0/28"]}},
        deployed(200, collection("c", 200, "Allow", app("r", "w.example.com", sources=(), sourceIpGroups=["[resourceId('Microsoft.Network/ipGroups', 'ipg')]"]))),
    ]  # fmt: skip
    meaning = reading(template(*resources))
    assert decided(meaning, "w.example.com", source="10.1.0.15") == ("r", "allow")
    assert decided(meaning, "w.example.com", source="10.1.0.16")[0] != "r"


def test_expressions_that_grow_without_end_are_stopped():
    variables = {"v0": "x" * 1000}
    for n in range(1, 40):
        variables[f"v{n}"] = f"[concat(variables('v{n - 1}'), variables('v{n - 1}'))]"
    with pytest.raises(UnreadableError, match="make more"):
        value_of("[variables('v39')]", variables=variables)
    nested = {
        "v0": [1],
        **{f"v{n}": f"[createArray(variables('v{n - 1}'), variables('v{n - 1}'))]" for n in range(1, 60)},
    }
    with pytest.raises(UnreadableError, match="make more"):
        value_of("[string(variables('v59'))]", variables=nested)


@pytest.mark.parametrize(
    ("content", "message", "line"),
    [
        (b"{\n  nothing", "no JSON", 2),
        (b"[1, 2]", "neither", 0),
        (b'{"a": 1, "a": 2}', "twice", 0),
        (b"[" * 100_000, "nested", 0),
        (b"\xff\x00\xfe", "UTF", 0),
        (b'{"a": ' + b"9" * 5000 + b"}", "number", 0),
        (b'"text"', "neither", 0),
        (b"{}", "no resource", 0),
        (b'{"error": {"code": "NotFound"}}', "no resource", 0),
    ],
)
def test_what_is_no_configuration_is_unreadable(content, message, line):
    with pytest.raises(UnreadableError, match=message) as caught:
        read(site(), [artefact(content)])
    assert (caught.value.file, caught.value.line) == ("live.json", line)


def test_deep_values_are_unreadable_and_no_crash():
    deep = "[" * 900 + "]" * 900
    text = f'{{"contentVersion": "1", "resources": [{{"type": "Microsoft.Network/x", "name": "n", "properties": {{"a": {deep}}}}}]}}'
    with pytest.raises(UnreadableError, match="nested"):
        read(site(), [artefact(text.encode())])


def test_a_template_of_another_policy_is_unreadable():
    with pytest.raises(UnreadableError, match=r"`egress`.*`other`"):
        reading(template(deployed(200, RULES, name="other/main")))
    assert POLICY.endswith("/egress")


def test_other_resources_are_left_aside_with_a_remark():
    other = {"type": "Microsoft.Network/virtualNetworks", "name": "v", "properties": {}}
    meaning = reading(template(other, deployed(200, RULES)))
    assert any("virtualnetworks" in remark for remark in meaning.remarks)
    assert allowed(meaning, "w.example.com") == "allow"


def test_an_expression_is_none_in_what_azure_gives():
    live = group("main", 200, collection("c", 200, "Allow", net("r", "203.0.113.10", ports=["[443]"])))
    assert decided(reading(live)) == ("r", "unknown")
