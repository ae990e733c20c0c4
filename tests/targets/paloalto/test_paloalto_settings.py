"""The settings of the inventory."""

from datetime import date
from zoneinfo import ZoneInfoNotFoundError

import pytest
from paloalto_reading import inventory
from support import compilation_of, site_of

from egressc.anything import ANY
from egressc.targets.paloalto.model import DeviceGroup, Vsys
from egressc.targets.paloalto.settings import last_minute, load_settings
from egressc.targets.registry import load_target

POLICY = 'policy p "P" { from connectors allow r "R" { to a.example.com ports 443/https } }'
ZONES = "from-zone: trust, to-zone: untrust"


def settings_of(text):
    return site_of(POLICY, inventory(text), "edge").settings


def test_defaults():
    found = settings_of(ZONES)
    assert (found.from_zone, found.to_zone) == ("trust", "untrust")
    assert found.version == "10.1.0"
    assert found.location == Vsys("vsys1")
    assert found.before is None
    assert (found.by_protocol, found.user_id, found.default_deny, found.tls_inspection) == (False, False, True, True)
    assert (found.log_setting, found.profile_group, found.decryption_profile) == (None, None, None)
    assert found.timezone == "UTC"


def test_without_an_inventory_the_zones_are_any():
    found, problems = load_settings(None)
    assert problems == ()
    assert found.from_zone is ANY
    assert found.to_zone is ANY
    assert found.version == "10.1.0"


def test_everything_can_be_said():
    found = settings_of(
        'version: "11.1.4", from-zone: any, to-zone: "Zone 2", location: {device-group: DG 1}, place: {before: Clean up}, '
        "application: by-protocol, user-id: true, log-setting: L, profile-group: P, decryption-profile: D, "
        "timezone: Europe/Dublin, default-deny: false, tls-inspection: false"
    )
    assert found.version == "11.1.0"
    assert found.release == (11, 1)
    assert found.from_zone is ANY
    assert found.to_zone == "Zone 2"
    assert found.location == DeviceGroup("DG 1", "pre")
    assert found.before == "Clean up"
    assert found.by_protocol
    assert found.user_id
    assert (found.log_setting, found.profile_group, found.decryption_profile) == ("L", "P", "D")
    assert found.timezone == "Europe/Dublin"
    assert not found.default_deny
    assert not found.tls_inspection


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("from-zone: trust", "E0411"),
        (f"{ZONES}, zone: x", "E0410"),
        (f"{ZONES}, version: 10.1", "E0412"),
        (f'{ZONES}, version: "8.1"', None),
        (f"{ZONES}, from-zone: {'z' * 32}".replace("from-zone: trust, ", "", 1), None),
        (f"{ZONES}, location: vsys", None),
        (f"{ZONES}, location: {{device-group: X, rulebase: middle}}", None),
        (f"{ZONES}, place: bottom", None),
        (f"{ZONES}, place: {{before: any}}", None),
        (f"{ZONES}, application: ssl", None),
        (f"{ZONES}, user-id: yes", "E0412"),
        (f"{ZONES}, profile-group: {'p' * 32}", None),
        (f"{ZONES}, decryption-profile: any", None),
        (f"{ZONES}, log-setting: 'a\"b'", None),
        (f"{ZONES}, timezone: Dublin", "E0705"),
        (f"{ZONES}, timezone: ../etc/passwd", None),
        (f"{ZONES}, timezone: Europe", "E0705"),
    ],
)
def test_mistakes_are_told_once_and_where_they_stand(wrong, code):
    text = inventory(wrong)
    errors = [d for d in compilation_of(POLICY, text).diagnostics if d.level == "error"]
    assert len(errors) == 1, errors
    assert errors[0].span is not None
    assert errors[0].span.source.name == "inventory.yaml"
    assert code is None or errors[0].code == code
    assert errors[0].span.line == text[: text.index("settings:")].count("\n") + 1


def test_a_day_ends_in_utc_on_the_clock_of_the_firewall():
    day = date(2027, 6, 30)
    assert last_minute(day, "UTC") == "2027/06/30@23:59"
    assert last_minute(day, "Europe/Dublin") == "2027/07/01@00:59"  # summer time
    assert last_minute(date(2027, 12, 31), "Europe/Dublin") == "2027/12/31@23:59"
    assert last_minute(day, "America/New_York") == "2027/06/30@19:59"
    assert last_minute(day, "Asia/Kolkata") == "2027/07/01@05:29"
    assert last_minute(date(9999, 12, 31), "Asia/Tokyo") == "9999/12/31@23:59"


def test_what_the_compiler_asks_of_the_settings():
    target = load_target("paloalto")
    plain, full = settings_of(ZONES), settings_of(f"{ZONES}, user-id: true, default-deny: false")
    assert (target.per_group(plain), target.sees_accounts(plain), target.default_deny(plain)) == (False, False, True)
    assert (target.sees_accounts(full), target.default_deny(full)) == (True, False)
    assert target.main_artefact in {"config.xml", "commands.set"}


def test_utc_needs_no_time_zone_database(monkeypatch):
    def missing(name):
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr("egressc.targets.paloalto.settings.ZoneInfo", missing)
    assert settings_of(ZONES + ", timezone: UTC").timezone == "UTC"
    assert last_minute(date(2027, 6, 30), "UTC") == "2027/06/30@23:59"
    codes = [d.code for d in compilation_of(POLICY, inventory(ZONES + ", timezone: Europe/Dublin")).diagnostics]
    assert codes == ["E0705"]
