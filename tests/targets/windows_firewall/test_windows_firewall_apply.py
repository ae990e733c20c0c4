"""What `firewall.ps1` does to a host: run by an interpreter of its subset, on a host made of plain data."""

import pytest
from powershell_tree import errors_of
from powershell_values import PowerShellError
from windows_host import Host
from windows_models import CONNECTOR, DOMAIN_ACCOUNT, rule, script

from egressc.targets.windows_firewall.keywords import keyword
from egressc.targets.windows_firewall.model import GroupPolicyStore, Profile

GPO = "contoso.example\\Egress"


def names(host, store="PersistentStore"):
    return sorted(host.rules[store])


def state(host):
    return (
        {store: dict(rules) for store, rules in host.rules.items()},
        dict(host.keywords),
        {store: dict(held) for store, held in host.profiles.items()},
        {key: dict(values) for key, values in host.registry.items()},
        dict(host.tasks),
    )


def test_a_second_run_changes_nothing():
    text = script(rule("a", names=("a.example",)), rule("b", block=True), keywords=("a.example",))
    host = Host()
    assert host.run(text) == ["egressc: 2 rules created, 0 unchanged, 0 no longer wanted."]
    assert names(host) == ["egressc-a-1", "egressc-b-1"]
    assert [k["Keyword"] for k in host.keywords.values()] == ["a.example"]
    before = state(host)
    host.journal.clear()
    assert host.run(text) == ["egressc: 0 rules created, 2 unchanged, 0 no longer wanted."]
    assert host.journal == []
    assert state(host) == before


def test_rules_have_the_parameters_of_the_data():
    host = Host()
    host.accounts["CONTOSO\\wapc$"] = "S-1-5-21-1-2-3-1105"
    host.run(script(rule("a", users=DOMAIN_ACCOUNT, service="WAPCSvc", program="%ProgramFiles%\\x.exe")))
    held = host.rules["PersistentStore"]["egressc-a-1"]
    assert held == {
        "name": "egressc-a-1",
        "displayname": "rule a",
        "description": "what it is for",
        "group": "egressc",
        "profile": "Any",
        "direction": "Outbound",
        "enabled": "True",
        "action": "Allow",
        "protocol": "TCP",
        "remoteport": ["443"],
        "remoteaddress": ["192.0.2.0/24"],
        "localuser": "D:(A;;CC;;;S-1-5-20)(A;;CC;;;S-1-5-21-1-2-3-1105)",
        "service": "WAPCSvc",
        "program": "%ProgramFiles%\\x.exe",
        "RemoteDynamicKeywordAddresses": [],
        "PrimaryStatus": "OK",
    }


def test_no_rule_is_ever_missing_while_others_replace_it():
    host = Host()
    host.run(script(rule("a"), rule("b", block=True), rule("gone")))
    seen = []
    host.observe = lambda: seen.append({name.rsplit("-", 1)[0] for name in host.rules["PersistentStore"]})
    host.run(script(rule("a", "2"), rule("b", "2", block=True), rule("new")))
    assert names(host) == ["egressc-a-2", "egressc-b-2", "egressc-new-1"]
    assert all({"egressc-a", "egressc-b"} <= held for held in seen)


def test_block_rules_come_first_and_go_last():
    host = Host()
    host.run(script(rule("a"), rule("b", block=True)))
    host.journal.clear()
    host.run(script(rule("a", "2"), rule("b", "2", block=True)))
    assert [(action.split()[0], target.split()[0]) for action, target in host.journal] == [
        ("Create", "egressc-b-2"),
        ("Create", "egressc-a-2"),
        ("Remove", "egressc-a-1"),
        ("Remove", "egressc-b-1"),
    ]


@pytest.mark.parametrize("after", range(3))
def test_a_rule_that_cannot_be_created_changes_nothing(after):
    host = Host()
    host.run(script(rule("a"), rule("b")))
    before = state(host)
    host.fail["New-NetFirewallRule"] = after
    with pytest.raises(PowerShellError, match="New-NetFirewallRule failed"):
        host.run(script(rule("a", "2"), rule("b", "2"), rule("c")))
    assert state(host) == before


def test_a_rule_that_windows_does_not_understand_changes_nothing():
    host = Host()
    host.run(script(rule("a")))
    before = state(host)
    host.status_of_new_rules = "Error"
    with pytest.raises(PowerShellError, match="does not understand the rule egressc-a-2"):
        host.run(script(rule("a", "2")))
    assert state(host) == before


def test_a_removal_that_fails_leaves_more_rules_not_fewer():
    host = Host()
    host.run(script(rule("a"), rule("b")))
    host.fail["Remove-NetFirewallRule"] = 1
    with pytest.raises(PowerShellError):
        host.run(script(rule("a", "2"), rule("b", "2")))
    assert {"egressc-a-2", "egressc-b-2"} <= set(names(host))
    del host.fail["Remove-NetFirewallRule"]
    host.run(script(rule("a", "2"), rule("b", "2")))
    assert names(host) == ["egressc-a-2", "egressc-b-2"]


def test_other_rules_are_left_alone():
    host = Host()
    foreign = {"name": "mine", "displayname": "", "group": "egressc", "action": "Allow", "PrimaryStatus": "OK"}
    other = {**foreign, "name": "egressc-x-1", "group": "another"}
    for each in (foreign, other):
        host.rules["PersistentStore"][each["name"]] = {
            **each,
            "RemoteDynamicKeywordAddresses": [],
            "direction": "Outbound",
            "enabled": "True",
        }
    host.run(script(rule("a")))
    host.run(script(rule("b")))
    host.run(script(), Remove=True)
    assert names(host) == ["egressc-x-1", "mine"]


def test_a_rule_that_somebody_switched_off_is_named():
    host = Host()
    text = script(rule("a"), rule("b"))
    host.run(text)
    host.rules["PersistentStore"]["egressc-b-1"]["enabled"] = "False"
    before = state(host)
    host.run(text)
    (warning,) = host.warnings
    assert "egressc-b-1" in warning
    assert state(host) == before


def test_what_if_changes_nothing_and_says_everything():
    text = script(rule("a", names=("a.example",)), rule("b"), keywords=("a.example",))
    host = Host()
    before = state(host)
    host.run(text, what_if=True, EnforceDefaultDeny=True)
    assert state(host) == before
    assert [action for action, _ in host.journal] == [
        "Create dynamic keyword",
        "Create firewall rule",
        "Create firewall rule",
        "Block outbound connections by default",
    ]
    host.run(text, EnforceDefaultDeny=True)
    before = state(host)
    host.run(script(rule("c")), what_if=True)
    host.run(text, what_if=True, Remove=True)
    host.run(text, what_if=True, EnforceDefaultDeny=True, RollbackMinutes=0)
    assert state(host) == before


# -- checks before any change


def spoilt(**changes):
    host = Host()
    for name, value in changes.items():
        if isinstance(value, dict):
            getattr(host, name).update(value)
        else:
            setattr(host, name, value)
    return host


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"build": 20347}, "build"),
        ({"status": {"AntivirusEnabled": False}}, "Antivirus"),
        ({"status": {"AMRunningMode": "Passive Mode"}}, "Antivirus"),
        ({"status": {"AMProductVersion": "4.18.2209.6"}}, "4.18.2209.7"),
        ({"status": {"AMProductVersion": "unknown"}}, "not known"),
        ({"preference": {"EnableNetworkProtection": 0}}, "Network Protection"),
        ({"preference": {"AllowNetworkProtectionOnWinServer": False}}, "server"),
        ({"preference": {"AllowDatagramProcessingOnWinServer": None}}, "DNS"),
        ({"status": {"RealTimeProtectionEnabled": False}}, "Real-time"),
        ({"services": {"WAPCSvc": 0}}, "sidtype"),
        ({"services": {"WAPCSvc": None}}, "sidtype"),
        ({"services": {"WAPCSvc": "absent"}}, "no service WAPCSvc"),
        ({"local_rules_allowed": "False"}, "Group policy"),
        ({"fail": {"Get-MpPreference": 0}}, "does not answer"),
    ],
)
def test_a_host_that_is_not_ready_stops_the_script_before_any_change(changes, said):
    host = spoilt(**changes)
    before = state(host)
    text = script(rule("a", names=("a.example",), users=CONNECTOR, service="WAPCSvc"), keywords=("a.example",))
    with pytest.raises(PowerShellError, match="Nothing was changed"):
        host.run(text)
    assert said in "\n".join(host.warnings)
    assert state(host) == before


@pytest.mark.parametrize("mode", [1, 2])
def test_network_protection_may_block_or_audit(mode):
    host = spoilt(preference={"EnableNetworkProtection": mode})
    host.run(script(rule("a", names=("a.example",)), keywords=("a.example",)))
    assert names(host) == ["egressc-a-1"]


def test_defender_does_not_matter_without_names():
    host = spoilt(build=17763, status={"AntivirusEnabled": False})
    host.run(script(rule("a")))
    assert names(host) == ["egressc-a-1"]


def test_all_problems_are_said_at_once():
    host = spoilt(preference={"EnableNetworkProtection": 0}, services={"WAPCSvc": "absent"})
    text = script(rule("a", names=("a.example",), users=DOMAIN_ACCOUNT, service="WAPCSvc"), keywords=("a.example",))
    with pytest.raises(PowerShellError):
        host.run(text)
    assert len(host.warnings) == 3


def test_a_keyword_id_that_stands_for_another_name_stops_the_script():
    host = Host()
    known = keyword("a.example").id
    host.keywords[known] = {"Id": known, "Keyword": "other.example"}
    with pytest.raises(PowerShellError, match=r"other\.example"):
        host.run(script(rule("a", names=("a.example",)), keywords=("a.example",)))
    assert names(host) == []


# -- dynamic keywords


def test_keywords_go_when_no_rule_refers_to_them():
    host = Host()
    mine = {"Id": "{11111111-2222-5333-8444-555555555555}", "Keyword": "mine.example"}
    host.keywords[mine["Id"]] = mine
    host.run(script(rule("a", names=("a.example", "b.example")), keywords=("a.example", "b.example")))
    other = {**host.rules["PersistentStore"]["egressc-a-1"], "name": "other", "group": "another"}
    other["RemoteDynamicKeywordAddresses"] = [keyword("b.example").id.upper().strip("{}")]
    host.rules["PersistentStore"]["other"] = other
    host.run(script(rule("a", "2", names=("c.example",)), keywords=("c.example",)))
    assert sorted(k["Keyword"] for k in host.keywords.values()) == ["b.example", "c.example", "mine.example"]
    host.run(script(), Remove=True)
    assert sorted(k["Keyword"] for k in host.keywords.values()) == ["b.example", "mine.example"]


# -- default deny


def test_default_deny_comes_last_with_a_way_back():
    host = Host()
    text = script(rule("a"))
    seen = []
    host.observe = lambda: seen.append((len(host.rules["PersistentStore"]), dict(host.profiles["PersistentStore"])))
    host.run(text)
    assert set(host.profiles["PersistentStore"].values()) == {"NotConfigured"}
    host.run(text, EnforceDefaultDeny=True)
    assert set(host.profiles["PersistentStore"].values()) == {"Block"}
    assert all(count == 1 for count, held in seen if "Block" in held.values())
    (undo,) = host.tasks.values()
    assert errors_of(undo.encode()) == []
    assert undo.count("-DefaultOutboundAction Allow") == 3
    assert "Unregister-ScheduledTask" in undo
    assert host.registry == {"SOFTWARE\\egressc\\egressc": dict.fromkeys(("Domain", "Private", "Public"), "Allow")}


def test_the_way_back_is_armed_before_the_door_closes():
    host = Host()
    order = []
    host.observe = lambda: order.append((len(host.tasks), "Block" in host.profiles["PersistentStore"].values()))
    host.run(script(rule("a")), EnforceDefaultDeny=True)
    assert (1, False) in order
    assert all(tasks == 1 for tasks, closed in order if closed)


def test_default_deny_is_kept_by_a_second_run_without_rollback():
    host = Host()
    text = script(rule("a"))
    host.run(text, EnforceDefaultDeny=True)
    host.run(text, EnforceDefaultDeny=True)
    assert len(host.tasks) == 1
    host.run(text, EnforceDefaultDeny=True, RollbackMinutes=0)
    assert host.tasks == {}
    assert set(host.profiles["PersistentStore"].values()) == {"Block"}


def test_default_deny_is_refused_where_it_was_not_compiled():
    host = Host()
    with pytest.raises(PowerShellError, match="Nothing was changed"):
        host.run(script(rule("a"), closing_deny=False), EnforceDefaultDeny=True)
    assert names(host) == []
    assert set(host.profiles["PersistentStore"].values()) == {"NotConfigured"}


def test_default_deny_is_refused_where_the_firewall_is_off():
    host = spoilt(firewall_on="False")
    host.run(script(rule("a")))
    with pytest.raises(PowerShellError, match="Nothing was changed"):
        host.run(script(rule("b")), EnforceDefaultDeny=True)
    assert names(host) == ["egressc-a-1"]


def test_only_the_profiles_of_the_rules_are_closed():
    host = Host()
    host.run(script(rule("a"), profiles=(Profile.DOMAIN, Profile.PRIVATE)), EnforceDefaultDeny=True)
    assert host.rules["PersistentStore"]["egressc-a-1"]["profile"] == "Domain,Private"
    assert host.profiles["PersistentStore"] == {"Domain": "Block", "Private": "Block", "Public": "NotConfigured"}


def test_removal_opens_the_door_before_the_rules_go():
    host = Host()
    host.profiles["PersistentStore"]["Public"] = "Block"
    text = script(rule("a", names=("a.example",)), rule("b"), keywords=("a.example",))
    host.run(text, EnforceDefaultDeny=True)
    host.journal.clear()
    host.run(text, Remove=True)
    assert state(host)[0] == {"PersistentStore": {}, GPO: {}}
    assert host.keywords == {}
    # Public was closed by somebody else
    assert host.profiles["PersistentStore"] == {"Domain": "Allow", "Private": "Allow", "Public": "Block"}
    assert host.registry == {}
    assert host.tasks == {}
    actions = [action for action, _ in host.journal]
    assert actions.index("Remove firewall rule") > max(
        i for i, a in enumerate(actions) if a.startswith("Put the default")
    )


# -- group policy


def test_rules_go_into_the_group_policy_object_in_one_session():
    options = {"store": GroupPolicyStore(GPO), "keywords": ("a.example",)}
    host = spoilt(status={"AntivirusEnabled": False}, services={"WAPCSvc": "absent"})
    host.run(script(rule("a", names=("a.example",), service="WAPCSvc"), **options))
    assert names(host) == []
    assert names(host, GPO) == ["egressc-a-1"]
    assert host.keywords == {}
    host.run(script(rule("a", "2", names=("a.example",)), **options), EnforceDefaultDeny=True)
    assert names(host, GPO) == ["egressc-a-2"]
    assert set(host.profiles[GPO].values()) == {"Block"}
    assert set(host.profiles["PersistentStore"].values()) == {"NotConfigured"}
    assert host.tasks == {}
    (warning,) = host.warnings
    assert "nothing undoes that by itself" in warning
    host.run(script(**options), Remove=True)
    assert names(host, GPO) == []
    assert set(host.profiles[GPO].values()) == {"NotConfigured"}


def test_a_failing_session_leaves_the_group_policy_object_alone():
    host = Host()
    options = {"store": GroupPolicyStore(GPO)}
    host.run(script(rule("a"), **options))
    before = state(host)
    host.fail["New-NetFirewallRule"] = 1
    with pytest.raises(PowerShellError):
        host.run(script(rule("a", "2"), rule("b"), **options))
    assert state(host) == before


def test_the_start_up_script_creates_keywords_and_nothing_else():
    host = Host()
    text = script(rule("a", names=("a.example",)), keywords=("a.example",), store=GroupPolicyStore(GPO))
    host.run(text, KeywordsOnly=True)
    assert [k["Keyword"] for k in host.keywords.values()] == ["a.example"]
    assert names(host) == names(host, GPO) == []
    host = spoilt(status={"AntivirusEnabled": False})
    with pytest.raises(PowerShellError, match="Nothing was changed"):
        host.run(text, KeywordsOnly=True)
