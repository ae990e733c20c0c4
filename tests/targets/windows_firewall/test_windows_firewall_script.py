"""`firewall.ps1` as text: what it may hold, where, and that it says the same as `rules.json`."""

import json
import random
import re
from dataclasses import replace

import pytest
from cmdlet_parameters import PARAMETERS, unknown
from powershell_tree import assignments_of, errors_of, nodes_of, parse
from support import artefacts_of, site_of
from windows_models import DOMAIN_ACCOUNT, policy, rule, script

from egressc.targets.windows_firewall import TARGET
from egressc.targets.windows_firewall.capabilities import MINIMUM_BUILD, MINIMUM_PLATFORM
from egressc.targets.windows_firewall.keywords import NAMESPACE
from egressc.targets.windows_firewall.render import fixed_body, fixed_head

HEAD = fixed_head().encode("ascii")
BODY = fixed_body().encode("ascii")
CODE = HEAD + b"\n" + BODY
INVENTORY = """
groups:
  connectors: {networks: [10.20.0.10]}
firewalls:
  hosts: {target: windows-firewall}
"""
PIECES = [
    "'", "''", '""', "$(calc.exe)", "$env:TEMP", "`", "`n", "\\", "|", "|;&", "]]>", "#>", "<#", "@'", "'@", "--%", "${a}",
    "\u2018", "\u2019", "\u201a", "\u201b", "\u201c", "\u201d", "\u202e", "\u200f", "\u2028", "\ufeff", "\xa0", "\x85",
    "\x00", "\x07", "\x1b[31m", "\t", "Ñ", "Б", "\U0001f525", "é" * 40, "x" * 200, "; Remove-Item C:\\ -Recurse;", "{", "}",
    "@{", "@(", ")", "%SystemRoot%", "@shell32.dll,-100", "\n", "All", " ", "{0}", "%s",
]  # fmt: skip


def data_of(content):
    """The data of a script: everything between its fixed texts, which must be there byte for byte."""
    assert content.startswith(HEAD)
    assert content.endswith(BODY)
    return content[len(HEAD) : len(content) - len(BODY)]


def checked(files):
    """The data of an artefact, once everything that must hold for any artefact has been checked."""
    content = files["firewall.ps1"]
    assert content.isascii()
    assert b"\r" not in content
    assert errors_of(content) == []
    data = data_of(content)
    root = parse(data)
    # nothing but three assignments of literals; `assignments_of` stops at anything that is no literal
    (statements,) = root.named_children
    assert [s.named_children[0].type for s in statements.named_children] == ["assignment_expression"] * 3
    values = assignments_of(root)
    assert list(values) == ["Site", "Keywords", "Rules"]
    assert json.loads(files["rules.json"]) == values
    return values


def rendered(model):
    return {artefact.name: artefact.content for artefact in TARGET.render(model)}


def test_an_artefact_without_rules_is_an_artefact():
    assert checked(rendered(policy()))["Rules"] == []


def test_every_kind_of_value_is_the_same_in_both_files():
    values = checked(
        rendered(
            policy(
                rule("a", names=("a.example", "*.b.example"), users=DOMAIN_ACCOUNT, service="WAPCSvc"),
                rule(
                    "b", block=True, program="%ProgramFiles%\\O'Brien\\x.exe", description="caf\xe9 \u2019 \U0001f525"
                ),
                keywords=("a.example", "*.b.example"),
            )
        )
    )
    assert [r["Name"] for r in values["Rules"]] == ["egressc-a-1", "egressc-b-1"]
    assert values["Rules"][0]["LocalUser"] == "D:(A;;CC;;;S-1-5-20)"
    assert values["Rules"][0]["LocalAccounts"] == ["CONTOSO\\wapc$"]
    assert values["Rules"][1]["Program"] == "%ProgramFiles%\\O'Brien\\x.exe"
    assert values["Rules"][1]["Description"] == "caf\xe9 \u2019 \U0001f525"
    assert [k["Keyword"] for k in values["Keywords"]] == ["*.b.example", "a.example"]


def written(text):
    """A text as a string of the language, which holds no line ends."""
    return '"' + re.sub(r"[\r\n]", " ", text).replace('"', '""') + '"'


def hostile(count):
    """Texts that try to leave a literal, some very long; the same in every run."""
    source = random.Random(20260722)
    found = ["".join(source.choices(PIECES, k=source.randint(1, 12))) for _ in range(count - 2)]
    return [*found, "'\u2019" * 5_000, "\u202e" + "x" * 9_999]


def test_no_text_of_200_hostile_descriptions_stands_outside_a_literal():
    """Through the whole compiler, with every character that a policy may hold."""
    texts = [re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]", "", text) or "x" for text in hostile(200)]
    rules = "\n".join(
        f"allow r{number} {written(text)} {{ to h{number}.example.com ports 443/https ticket {written(text[:200])} }}"
        for number, text in enumerate(texts)
    )
    source = f"policy p {written(texts[0])} {{ owner {written(texts[1])} from connectors\n{rules}\n}}"
    described(texts, checked(artefacts_of(source, INVENTORY, "hosts")))


def test_no_control_character_stands_outside_a_literal():
    """Past the front end, which refuses control characters: whatever reaches the target is harmless."""
    texts = hostile(200)
    rules = "\n".join(f'allow r{number} "d" {{ to h{number}.example.com ports 443/https }}' for number in range(200))
    site = site_of(f'policy p "d" {{ from connectors\n{rules}\n}}', INVENTORY, "hosts")
    changed = []
    for bound in site.rules:
        text = texts[int(bound.identity.removeprefix("p/r"))]
        head = replace(bound.rule.policy, owner=text, ticket=text, reference=text)
        changed.append(replace(bound, rule=replace(bound.rule, description=text, policy=head)))
    described(texts, checked(rendered(TARGET.lower(replace(site, rules=tuple(changed))).model)))


def described(texts, values):
    by_rule = {r["DisplayName"].split()[1]: r for r in values["Rules"]}
    for number, text in enumerate(texts):
        description = by_rule[f"p/r{number}"]["Description"]
        assert description.startswith(f"p/r{number}: ")
        assert "|" not in description
        assert not re.search("[\x00-\x1f\x7f-\x9f]", description)
        assert len(description.encode("utf-16-le")) // 2 <= 9_999
        wanted = "".join(re.sub("[\x00-\x20\x7f-\x9f\xad\u2028\u2029]", "", text.replace("|", "/"))[:50].split())
        assert "".join(description.removeprefix(f"p/r{number}: ").split()).startswith(wanted)


def test_the_code_is_a_fixed_text():
    assert data_of(script(rule("a"))) != data_of(script(rule("b")))
    assert HEAD.count(b"\nparam(") == 1
    assert BODY.endswith(b"\n")


def test_code_and_capabilities_name_the_same_numbers():
    assert f"$MinimumBuild = {MINIMUM_BUILD}\n".encode() in BODY
    assert f"$MinimumPlatform = '{MINIMUM_PLATFORM}'\n".encode() in BODY
    assert f"$KeywordNamespace = '{NAMESPACE}'\n".encode() in BODY


# -- the code, command by command


def commands():
    root = parse(CODE)
    own = {node.text.decode() for node in nodes_of(root, "function_name")}
    for node in nodes_of(root, "command"):
        first = node.named_children[0]
        if first.type == "command_name":
            yield node, first.text.decode(), own


def parameters_of(node):
    found = []
    for elements in [c for c in node.named_children if c.type == "command_elements"]:
        found.extend(c.text.decode().lstrip("-") for c in elements.named_children if c.type == "command_parameter")
    return found


def test_the_code_parses_and_calls_only_known_cmdlets_with_known_parameters():
    assert errors_of(CODE) == []
    seen = set()
    for node, name, own in commands():
        if name in own:
            continue
        assert name in PARAMETERS, name
        assert unknown(name, parameters_of(node)) == [], node.text
        seen.add(name)
    assert {"New-NetFirewallRule", "Remove-NetFirewallRule", "Open-NetGPO", "Set-NetFirewallProfile"} <= seen


def test_parameters_that_are_splatted_are_known():
    (function,) = [f for f in nodes_of(parse(CODE), "function_statement") if b"Get-RuleParameter" in f.text[:40]]
    (table,) = nodes_of(function, "hash_literal_expression")
    names = [entry.named_children[0].text.decode() for entry in nodes_of(table, "hash_entry")]
    assert {"Direction", "Enabled", "Action", "ErrorAction"} <= set(names)
    names += [n.text.decode().strip("'") for n in nodes_of(function, "verbatim_string_characters")]
    names = [
        name for name in names if re.fullmatch("[A-Z][A-Za-z]+", name) and name not in {"Outbound", "Stop", "True"}
    ]
    data = {"LocalAccounts", "Store"}
    assert unknown("New-NetFirewallRule", set(names) - data) == []
    keys = {key for r in checked(rendered(policy(rule("a", users=DOMAIN_ACCOUNT))))["Rules"] for key in r}
    assert unknown("New-NetFirewallRule", keys - data) == []


def test_cmdlets_of_other_modules_never_lean_on_preferences():
    for node, name, _ in commands():
        if re.match("(?:New|Get|Set|Remove|Open|Save)-Net|Get-Mp|Get-Cim|(?:Register|Unregister|Get)-Scheduled", name):
            assert "ErrorAction" in parameters_of(node) or b"@parameters" in node.text, node.text


def test_every_change_stands_behind_should_process():
    changing = re.compile("(?:New-Net|Set-Net|Remove-Net|Save-Net|Register-|Unregister-)")
    calls = (b"CreateSubKey", b"DeleteSubKey", b"SetValue")
    root = parse(CODE)
    nodes = [node for node, name, _ in commands() if changing.match(name)]
    nodes += [
        node
        for node in nodes_of(root, "invokation_expression")
        if any(node.text.split(b"(")[0].endswith(c) for c in calls)
    ]
    assert len(nodes) > 12
    for node in nodes:
        guards = []
        parent = node.parent
        while parent is not None:
            if parent.type == "if_statement":
                guards.append(parent.named_children[0].text)
            if parent.type == "catch_clause":
                guards.append(b"catch")
            parent = parent.parent
        # the session exists only outside -WhatIf, and a catch takes back what was done behind ShouldProcess
        assert any(b"ShouldProcess" in g or g in {b"catch", b"$null -ne $session"} for g in guards), node.text


def test_the_code_stays_in_its_subset():
    root = parse(CODE)
    assert nodes_of(root, "expandable_string_literal", "here_string", "verbatim_here_string_characters") == []
    for word in (b"Invoke-Expression", b"iex ", b"Invoke-Command", b"& {", b"Start-Process", b"-PassThru"):
        assert word not in CODE
    automatic = {
        "args",
        "error",
        "event",
        "host",
        "input",
        "matches",
        "profile",
        "sender",
        "this",
        "foreach",
        "switch",
        "pwd",
    }
    for node in nodes_of(root, "left_assignment_expression", "foreach_statement"):
        name = (nodes_of(node, "variable")[0]).text.decode().lstrip("$").casefold()
        assert name not in automatic, name


def test_the_help_names_every_parameter():
    declared = re.findall(rb"\] \$(\w+)", HEAD[HEAD.index(b"\nparam(") :])
    assert re.findall(rb"\n\.PARAMETER (\w+)", HEAD) == declared
    assert declared == [b"EnforceDefaultDeny", b"RollbackMinutes", b"Remove", b"KeywordsOnly"]


def test_large_lists_stand_one_item_to_a_line():
    names = [f"h{i}.example" for i in range(6)]
    text = script(rule("a", names=names), keywords=names)
    assert text.count(b"            '{") == 6
    assert errors_of(text) == []


@pytest.mark.parametrize("broken", [b"$x = 'O'Brien'", b"$x = @(", b"if ($a) {", b"$x = 'a"])
def test_the_grammar_finds_broken_scripts(broken):
    assert errors_of(HEAD + broken + b"\n" + BODY) != []
