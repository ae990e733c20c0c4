"""Settings: the defaults, every form that the inventory documents, and what is wrong."""

import pytest
from support import compilation_of

from egressc.anything import ANY
from egressc.located import parse
from egressc.source import Source
from egressc.targets.windows_firewall import TARGET
from egressc.targets.windows_firewall.model import GroupPolicyStore, PersistentStore, Profile

POLICY = 'policy p "P" { from g allow a "A" { to 192.0.2.1 ports 443/tcp } }'


def load(text):
    located, problems = parse(Source.of("settings.yaml", text))
    assert problems == ()
    return TARGET.load_settings(located)


def test_defaults():
    for settings, problems in (TARGET.load_settings(None), load("{}")):
        assert problems == ()
        assert settings.store == PersistentStore()
        assert settings.group == "egressc"
        assert settings.profiles is ANY
        assert settings.dynamic_keywords is True
        assert settings.default_deny is True
        assert TARGET.default_deny(settings) is True
        assert TARGET.per_group(settings) is True
        assert TARGET.sees_accounts(settings) is True


def test_every_documented_form():
    settings, problems = load(
        "{store: {gpo: 'contoso.example\\Egress (new)'}, group: corp.egress, profile: Domain, dynamic-keywords: false,"
        " default-deny: false}"
    )
    assert problems == ()
    assert settings.store == GroupPolicyStore("contoso.example\\Egress (new)")
    assert settings.group == "corp.egress"
    assert settings.profiles == (Profile.DOMAIN,)
    assert settings.dynamic_keywords is False
    assert settings.default_deny is False
    assert load("store: PersistentStore")[0].store == PersistentStore()
    assert load("profile: [Public, Private]")[0].profiles == (Profile.PRIVATE, Profile.PUBLIC)
    assert load("profile: [Public, Private, Domain]")[0].profiles is ANY
    assert load("profile: Any")[0].profiles is ANY


@pytest.mark.parametrize(
    "text",
    [
        "store: ActiveStore",
        "store: {gpo: Egress}",
        "store: {gpo: 'a\\b\\c'}",
        "store: {gpo: 'contoso.example\\x*'}",
        "store: {}",
        "group: ''",
        "group: 'a b'",
        "group: 'a*'",
        "group: '@FirewallAPI.dll,-1'",
        "group: All",
        "profile: domain",
        "profile: []",
        "profile: [Domain, Domain]",
        "dynamic-keywords: sometimes",
        "default-deny: 1",
        "dynamic-keyword: true",
    ],
)
def test_what_is_wrong_is_said_once_where_it_stands(text):
    settings, problems = load(text)
    assert settings is None
    (problem,) = problems
    assert problem.span.line == 1


def test_a_wrong_setting_stops_the_compilation():
    inventory = (
        "groups: {g: {networks: [10.0.0.1]}}\nfirewalls: {hosts: {target: windows-firewall, settings: {grup: x}}}\n"
    )
    result = compilation_of(POLICY, inventory)
    assert result.builds == ()
    (problem,) = [d for d in result.diagnostics if d.code.startswith("E")]
    assert "group" in problem.help


def test_a_run_without_an_inventory():
    result = compilation_of(POLICY, targets=("windows-firewall",), inventory=None)
    (build,) = result.builds
    assert build.site.name == "windows-firewall"
    assert not build.lowering.model.closing_deny
