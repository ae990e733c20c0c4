"""What other people's programs read in the files."""

import shutil
import subprocess
from pathlib import Path

import pytest
from paloalto_reading import DEVICE_GROUP, SETTINGS, inventory, panconf_lines, read_with_panos, words_of, written

from egressc.anything import ANY

CONFIGURATIONS = {
    "vsys": inventory(),
    "user-id": inventory(SETTINGS + ", user-id: true, application: by-protocol"),
    "device-group": inventory(DEVICE_GROUP),
    "post": inventory(SETTINGS + ", location: {device-group: Edge, rulebase: post}"),
    "no-inspection": inventory(SETTINGS + ", tls-inspection: false, default-deny: false"),
}


@pytest.fixture(params=sorted(CONFIGURATIONS))
def made(request):
    return written(text=CONFIGURATIONS[request.param])


def _listed(found):
    return ["any"] if found is ANY else list(found)


def _many(found):
    return found if isinstance(found, list) else [found]


def test_pan_os_python_reads_every_object_back(made):
    lowering, config, _ = made
    model, read = lowering.model, read_with_panos(config)
    assert [t.name for t in read["tags"]] == [t.name for t in model.tags]
    assert [(a.name, a.type, a.value) for a in read["addresses"]] == [
        (a.name, a.kind, a.value) for a in model.addresses
    ]
    assert [(g.name, _many(g.static_value)) for g in read["groups"]] == [
        (g.name, list(g.members)) for g in model.address_groups
    ]
    assert [(s.name, s.protocol, s.destination_port) for s in read["services"]] == [
        (s.name, s.transport, s.ports) for s in model.services
    ]
    assert [(s.name, s.type, _many(s.non_recurring_date_time)) for s in read["schedules"]] == [
        (s.name, "non-recurring", [s.span]) for s in model.schedules
    ]
    assert [(c.name, c.type, _many(c.url_value)) for c in read["categories"]] == [
        (c.name, "URL List", list(c.entries)) for c in model.categories
    ]


def test_pan_os_python_reads_every_security_rule_back(made):
    lowering, config, _ = made
    rules = read_with_panos(config)["security"]
    assert len(rules) == len(lowering.model.security_rules) > 8
    for rule, ours in zip(rules, lowering.model.security_rules, strict=True):
        assert rule.name == ours.name
        assert _many(rule.fromzone) == [ours.from_zone]
        assert _many(rule.tozone) == [ours.to_zone]
        assert _many(rule.source) == _listed(ours.sources)
        assert _many(rule.source_user) == _listed(ours.users)
        assert _many(rule.destination) == _listed(ours.destinations)
        assert bool(rule.negate_destination) is ours.negate_destination
        assert _many(rule.category) == _listed(ours.categories)
        assert _many(rule.application) == _listed(ours.applications)
        assert _many(rule.service) == _listed(ours.services)
        assert rule.action == ours.action
        assert rule.schedule == ours.schedule
        assert (rule.tag or []) == list(ours.tags)
        assert rule.group_tag == ours.group_tag
        assert (rule.log_start, rule.log_end) == (False, ours.log_end)
        assert rule.log_setting == ours.log_setting
        assert (rule.group or [None])[0] == ours.profile_group
        assert rule.description == ours.description


def test_pan_os_python_reads_every_decryption_rule_back(made):
    lowering, config, _ = made
    rules = read_with_panos(config)["decryption"]
    assert len(rules) == len(lowering.model.decryption_rules)
    for rule, ours in zip(rules, lowering.model.decryption_rules, strict=True):
        assert rule.name == ours.name
        assert _many(rule.source_zones) == [ours.from_zone]
        assert _many(rule.destination_zones) == [ours.to_zone]
        assert _many(rule.source_addresses) == _listed(ours.sources)
        assert _many(rule.source_users) == _listed(ours.users)
        assert _many(rule.destination_addresses) == _listed(ours.destinations)
        assert _many(rule.services) == _listed(ours.services)
        assert _many(rule.url_categories) == _listed(ours.categories)
        assert rule.action == ours.action
        assert rule.decryption_type == "ssl-forward-proxy"
        assert rule.decryption_profile == ours.profile
        assert _many(rule.tags) == list(ours.tags)
        assert (rule.log_successful_tls_handshakes, rule.log_failed_tls_handshakes) == (ours.log_success, ours.log_fail)
        assert rule.description == ours.description


def test_panconf_makes_the_same_commands(made):
    _, config, commands = made
    ours = [line for line in commands.decode().splitlines() if not line.startswith("move ")]
    theirs = panconf_lines(config)
    assert len(set(ours)) == len(ours)
    assert len(ours) > 100
    assert set(ours) == set(theirs)


@pytest.mark.parametrize("settings", [SETTINGS, DEVICE_GROUP])
def test_references_come_first_and_moves_come_last(settings):
    _, _, commands = written(text=inventory(settings))
    kinds = []
    for line in commands.decode().splitlines():
        words = words_of(line)
        rest = words[3:] if words[1] == "device-group" else words[1:]
        kind = rest[1] if rest[0].endswith("rulebase") else rest[0]
        kinds.append(f"{words[0]} {kind}")
    assert list(dict.fromkeys(kinds)) == [
        "set tag",
        "set address",
        "set address-group",
        "set service",
        "set schedule",
        "set profiles",
        "set security",
        "move security",
        "set decryption",
        "move decryption",
    ]


def _replayed(commands, existing, rulebase="security"):
    """The order of a rulebase after the commands, when `existing` rules stood there before."""
    order = list(existing)
    for line in commands.decode().splitlines():
        words = words_of(line)
        at = words.index(rulebase) if rulebase in words else None
        if at is None or words[at + 1] != "rules":
            continue
        name = words[at + 2]
        if words[0] == "set":
            if name not in order:
                order.append(name)
            continue
        order.remove(name)
        match words[at + 3 :]:
            case ["top"]:
                order.insert(0, name)
            case ["before", anchor]:
                order.insert(order.index(anchor), name)
            case ["after", anchor]:
                order.insert(order.index(anchor) + 1, name)
    return order


def test_moves_put_the_rules_on_top_whatever_stood_there():
    lowering, _, commands = written()
    names = [r.name for r in lowering.model.security_rules]
    assert _replayed(commands, ["old", "clean-up"]) == [*names, "old", "clean-up"]
    # a second time, with the rules in another order on the device
    assert _replayed(commands, ["old", *reversed(names), "clean-up"]) == [*names, "old", "clean-up"]
    decrypting = [r.name for r in lowering.model.decryption_rules]
    assert _replayed(commands, ["decrypt-all"], "decryption") == [*decrypting, "decrypt-all"]


def test_moves_put_the_rules_before_an_anchor():
    lowering, _, commands = written(text=inventory(DEVICE_GROUP))
    names = [r.name for r in lowering.model.security_rules]
    assert _replayed(commands, ["old", "Clean up"]) == ["old", *names, "Clean up"]
    assert _replayed(commands, [*reversed(names), "old", "Clean up"]) == ["old", *names, "Clean up"]


def test_the_files_are_these(golden, made, request):
    folder = Path(__file__).parent / "golden" / request.node.callspec.params["made"]
    golden(folder / "config.xml", made[1])
    golden(folder / "commands.set", made[2])


ADDRESSES_ONLY = """policy p "P" { from connectors
    allow a "A" { to 198.51.100.0/24 2001:db8:1::/48 ports 443/https 53/udp }
    deny  d "D" { to 198.51.100.9 ports any/tcp }
}"""


def test_fwshift_finds_both_files_alike(tmp_path):
    if shutil.which("fwshift") is None:
        pytest.skip("fwshift (GPL, a program of its own) is not installed")
    _, config, commands = written(ADDRESSES_ONLY)
    (tmp_path / "a.xml").write_bytes(config)
    (tmp_path / "a.set").write_bytes(commands)
    done = subprocess.run(
        ["fwshift", "compare", "a.xml", "a.set"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "decide every connection alike" in done.stdout
