"""Agents that cannot share a host: how that is declared, and where it is told."""

from __future__ import annotations

from importlib.resources import files

import pytest
from lint_support import findings, told

RULE = "co-located-agents"
BESIDE = '# egressc: not-beside scanner "both bring the updater"'


def template(name, inside=""):
    return f'template policy {name} "T" {{\n{inside}    allow a "A" {{\n        to    {name}.example.com\n        ports 443/https\n    }}\n}}\n'


def user(name, groups, *included):
    lines = "".join(f"    include {each}\n" for each in included)
    return f'policy {name} "P" {{\n    from {groups}\n{lines}}}\n'


AGENTS = template("publisher", f"    {BESIDE}\n") + template("scanner")
GROUPS = "groups:\n  g: {networks: [10.0.0.0/24]}\n  h: {networks: [10.0.1.0/24]}\n"
TOLD = "`publisher` and `scanner` share a host: `g`"


def test_one_policy_includes_both():
    assert told(AGENTS + user("p", "g", "publisher", "scanner"), RULE, GROUPS) == [(14, "p", TOLD)]


def test_two_policies_are_for_one_group():
    text = AGENTS + user("p", "g", "publisher") + user("q", "g h", "scanner")
    (found,) = findings(text, RULE, GROUPS)
    assert (found.span.text, found.label) == ("p", "both bring the updater")
    assert [each.span.text for each in found.related] == ["scanner", "q"]


def test_hosts_of_their_own():
    assert told(AGENTS + user("p", "g", "publisher") + user("q", "h", "scanner"), RULE, GROUPS) == []
    assert (
        told(template("publisher") + template("scanner") + user("p", "g", "publisher", "scanner"), RULE, GROUPS) == []
    )


def test_groups_that_share_an_address():
    groups = GROUPS.replace("10.0.1.0/24", "10.0.0.7")
    text = AGENTS + user("p", "g", "publisher") + user("q", "h", "scanner")
    assert told(text, RULE, groups) == [(14, "p", TOLD)]


def test_a_union_and_any_group():
    groups = GROUPS + "  both: {members: [g, h]}\n"
    text = AGENTS + user("p", "g", "publisher") + user("q", "both", "scanner")
    assert told(text, RULE, groups) == [(14, "p", TOLD)]
    assert told(text.replace("from both", "from any-group"), RULE, groups) == [(14, "p", TOLD)]


def test_without_an_inventory_the_name_of_the_group_counts():
    assert told(AGENTS + user("p", "g", "publisher") + user("q", "g", "scanner"), RULE) == [(14, "p", TOLD)]
    assert told(AGENTS + user("p", "g", "publisher") + user("q", "h", "scanner"), RULE) == []


def test_through_several_includes():
    text = AGENTS + template("kit", "    include publisher\n") + user("p", "g", "kit") + user("q", "g", "scanner")
    assert [word for _, word, _ in told(text, RULE, GROUPS)] == ["p"]
    kit = AGENTS.replace("not-beside scanner", "not-beside kit") + 'template policy kit "K" {\n    include scanner\n}\n'
    assert [word for _, word, _ in told(kit + user("p", "g", "publisher") + user("q", "g", "kit"), RULE, GROUPS)] == [
        "p"
    ]
    # The scanner by itself is not the kit.
    assert told(kit + user("p", "g", "publisher") + user("q", "g", "scanner"), RULE, GROUPS) == []


def test_a_rule_of_its_own_and_a_feature():
    text = AGENTS.replace('template policy scanner "T" {', 'policy scanner "T" {\n    from g') + user(
        "p", "g", "publisher"
    )
    assert [word for _, word, _ in told(text, RULE, GROUPS)] == ["p"]
    text = text.replace("scanner.example.com\n", "scanner.example.com\n        feature scan\n")
    assert told(text, RULE, GROUPS) == []
    assert len(told(text, RULE, GROUPS.replace("10.0.0.0/24]", "10.0.0.0/24], features: [scan]"))) == 1


def test_a_deny_installs_nothing():
    text = AGENTS.replace('scanner "T" {\n    allow', 'scanner "T" {\n    deny') + user(
        "p", "g", "publisher", "scanner"
    )
    assert told(text, RULE, GROUPS) == []


def test_both_declare_it_and_it_is_told_once():
    both = AGENTS.replace(
        'policy scanner "T" {\n', 'policy scanner "T" {\n    # egressc: not-beside publisher "both bring the updater"\n'
    )
    assert len(told(both + user("p", "g", "publisher", "scanner"), RULE, GROUPS)) == 1
    assert len(told(both + user("p", "g", "publisher") + user("q", "g", "scanner"), RULE, GROUPS)) == 1


@pytest.mark.parametrize(
    "agents",
    [
        f"{BESIDE}\n" + template("publisher"),
        template("publisher").replace(" {\n", f" {{ {BESIDE}\n", 1),
        template("publisher", f'    reference "R" {BESIDE}\n'),
        template("publisher").removesuffix("}\n") + f"    {BESIDE}\n}}\n",
        template("publisher", f"    {BESIDE.upper().replace('SCANNER', 'scanner')}\n"),
    ],
)
def test_where_the_declaration_may_stand(agents):
    text = agents + template("scanner") + user("p", "g", "publisher", "scanner")
    assert [word for _, word, _ in told(text, RULE, GROUPS)] == ["p"]


@pytest.mark.parametrize(
    ("wrong", "message", "help_"),
    [
        ("# egressc: not-beside scanner", "this comment cannot be read", "in a policy"),
        ('# egressc: not-beside scanner ""', "this comment cannot be read", "in a policy"),
        ('# egressc: not-beside "why"', "this comment cannot be read", "in a policy"),
        ('# egressc: not-beside scaner "why"', "no policy is called `scaner`", "did you mean `scanner`?"),
    ],
)
def test_a_broken_declaration_is_told(wrong, message, help_):
    text = AGENTS.replace(BESIDE, wrong) + user("p", "g", "publisher", "scanner")
    (found,) = findings(text, RULE, GROUPS)
    assert (found.code, found.span.line) == ("W0801", 2)
    assert found.message == f"{message} (broken-allowance)"
    assert help_ in found.help


@pytest.mark.parametrize("place", ["in a rule", "in a set", "at the end"])
def test_a_declaration_elsewhere_is_told(place):
    inside = template("publisher").replace("        to ", f"        {BESIDE}\n        to ")
    text = {
        "in a rule": inside,
        "in a set": f"endpoints s {{\n    {BESIDE}\n    a.example.com\n}}\n" + template("publisher"),
        "at the end": template("publisher"),
    }[place]
    text += template("scanner") + user("p", "g", "publisher", "scanner") + (BESIDE if place == "at the end" else "")
    assert [found.code for found in findings(text, RULE, GROUPS)] == ["W0801"]


def test_a_policy_that_is_not_there_is_no_slip():
    text = AGENTS.replace("not-beside scanner", "not-beside password-proxy") + user("p", "g", "publisher", "scanner")
    assert findings(text, RULE, GROUPS) == []


def test_it_can_be_allowed_where_the_policy_stands():
    one = user("p", "g", "publisher", "scanner")
    assert findings(AGENTS + '# egressc: allow co-located-agents "the vendor said yes"\n' + one, RULE, GROUPS) == []


def test_the_shipped_policy_keeps_the_password_protection_proxy_apart():
    """learn.microsoft.com/entra/global-secure-access/how-to-configure-connectors, a warning under "Windows server"."""
    shipped = files("egressc.policies").joinpath("microsoft")
    libraries = {
        f"{name}__egress": shipped.joinpath(f"{name}.egress").read_text(encoding="utf-8")
        for name in ("certificates", "entra-private-network-connector")
    }
    text = (
        'import "entra-private-network-connector.egress"\n'
        + template("entra-password-protection-proxy")
        + user("p", "g", "entra-private-network-connector")
        + user("q", "g", "entra-password-protection-proxy")
    )
    (found,) = findings(text, RULE, GROUPS, **libraries)
    assert found.span.text == "p"
    assert found.message.startswith("`entra-private-network-connector` and `entra-password-protection-proxy` share")


def test_a_policy_is_not_kept_apart_from_itself():
    text = AGENTS.replace("not-beside scanner", "not-beside publisher") + user("p", "g", "publisher")
    (found,) = findings(text, RULE, GROUPS)
    assert (found.code, found.span.text) == ("W0801", "publisher")
    assert "from itself" in found.message
