"""`firewall.ps1` and `rules.json` read back: what is no artefact of this site is refused, whatever it does."""

import json

import pytest
from support import artefacts_of, site_of
from test_windows_firewall_golden import INVENTORY, POLICY

from egressc.flows import EVERY, Choice
from egressc.meaning import Outcome, UnreadableError
from egressc.targets.protocol import Artefact
from egressc.targets.windows_firewall import TARGET
from egressc.targets.windows_firewall.meaning import CLOSING

SITE = site_of(POLICY, INVENTORY, "hosts")
FILES = artefacts_of(POLICY, INVENTORY, "hosts")
SCRIPT, JSON = FILES["firewall.ps1"], FILES["rules.json"]


def read(*contents, site=SITE):
    return TARGET.read(site, [Artefact(f"file{i}", content) for i, content in enumerate(contents)])


def refused(*contents):
    with pytest.raises(UnreadableError) as caught:
        read(*contents)
    return caught.value


def edited(change):
    """The JSON with a change made to its value."""
    value = json.loads(JSON)
    change(value)
    return json.dumps(value).encode()


def test_both_forms_mean_the_same_whatever_they_are_called():
    both = read(SCRIPT, JSON)
    assert both.default is Outcome.DENY
    assert both.remarks == ()
    assert [r.doubt for r in both.rulings] == [""] * len(json.loads(JSON)["Rules"])
    for one in (read(SCRIPT), read(JSON)):
        assert [(r.name, r.outcome, r.blocks) for r in one.rulings] == [
            (r.name, r.outcome, r.blocks) for r in both.rulings
        ]


def test_blocks_come_before_allows():
    outcomes = [ruling.outcome for ruling in read(SCRIPT).rulings]
    assert outcomes == sorted(outcomes, key=[Outcome.DENY, Outcome.ALLOW].index)
    assert len(set(outcomes)) == 2


@pytest.mark.parametrize("text", [b"param(", b"function Get-GroupRule {", b"# ---- default deny, last"])
def test_a_byte_of_the_code_makes_it_another_script(text):
    lines = SCRIPT.split(b"\n")
    line = lines.index(text)
    lines[line] += b" "
    error = refused(b"\n".join(lines))
    assert "not the code that egressc ships" in error.message
    assert error.line == line + 1


@pytest.mark.parametrize(
    "content",
    [
        SCRIPT + b"\n",
        SCRIPT + b"calc.exe\n",
        SCRIPT[:-200],
        SCRIPT[:3000],
        b"calc.exe\n" + SCRIPT,
        SCRIPT.replace(b"\n", b"\r\n"),
        SCRIPT.replace(b"$Rules = @(", b"calc.exe\n$Rules = @(", 1),
        SCRIPT.replace(b"'egressc'", b"'\xc3\xa9'", 1),
        b"\xef\xbb\xbf" + SCRIPT,
        b"",
        b"\0" * 100,
        b"\xff\xfe",
        b"#Requires -Version 5.1\n",
        b"{",
        b"[]",
        b"{}",
        b"null",
        b'{"Site": {}, "Keywords": [], "Rules": []}',
        b'{"Site": [], "Keywords": [], "Rules": []}',
        b'{"Site": {}, "Keywords": {}, "Rules": [1]}',
        b"[" * 100_000,
        b'{"a": ' * 100_000,
        b'[{"a": 1, "a": 2}]',
        b'{"a": ' + b"9" * 5000 + b"}",
        JSON.replace(b'"Keywords"', b'"Keywords": [], "Keywords"', 1),
        JSON.replace(b'"Action": "Allow"', b'"Action": "Block", "Action": "Allow"', 1),
    ],
)  # fmt: skip
def test_what_is_no_artefact_is_refused(content):
    assert refused(content).file == "file0"


def test_no_files_are_no_configuration():
    with pytest.raises(UnreadableError):
        TARGET.read(SITE, [])


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v["Site"].update(Group="other"),
        lambda v: v["Site"].update(Name="other"),
        lambda v: v["Site"].update(Store="contoso.example\\Egress"),
        lambda v: v["Site"].update(GroupPolicy=True),
        lambda v: v["Site"].update(ClosingDeny="yes"),
        lambda v: v["Site"].update(Profile="Domain,Home"),
        lambda v: v["Site"].pop("RollbackTask"),
        lambda v: v["Site"].update(More="x"),
        lambda v: v["Keywords"][0].update(AutoResolve=True),
        lambda v: v["Keywords"].append({**v["Keywords"][0], "Keyword": "other.example"}),
        lambda v: v["Rules"].append(v["Rules"][0]),
        lambda v: v["Rules"][0].update(Direction="Inbound"),
        lambda v: v["Rules"][0].update(Enabled="False"),
        lambda v: v["Rules"][0].update(Action="ByPass"),
        lambda v: v["Rules"][0].update(Action=None),
        lambda v: v["Rules"][0].update(Protocol="ICMPv4"),
        lambda v: v["Rules"][0].update(RemotePort=["443"]),
        lambda v: v["Rules"][0].pop("RemoteAddress"),
        lambda v: v["Rules"][0].update(RemoteAddress=[]),
        lambda v: v["Rules"][0].update(RemoteAddress="Any"),
        lambda v: v["Rules"][0].update(RemoteAddress=[1]),
        lambda v: v["Rules"][1].pop("RemotePort"),
        lambda v: v["Rules"][1].pop("Description"),
        lambda v: v["Rules"][1].update(LocalAccounts=[]),
    ],
)
def test_records_that_no_artefact_has_are_refused(change):
    assert refused(edited(change))


def test_the_two_forms_must_say_the_same():
    other = edited(lambda v: v["Rules"][0].update(Description="x"))
    error = refused(SCRIPT, other)
    assert (error.file, error.message) == ("file1", "it says something else than `file0`")


def test_an_artefact_and_an_export_are_two_configurations():
    assert "two configurations" in refused(SCRIPT, b"Windows Registry Editor Version 5.00\r\n").message
    assert "two configurations" in refused(JSON, b"[]").message


def test_any_order_of_keys_is_the_same_json():
    shuffled = edited(lambda v: v.update(Rules=[dict(reversed(record.items())) for record in v["Rules"]]))
    assert [r.blocks for r in read(shuffled).rulings] == [r.blocks for r in read(JSON).rulings]


def test_a_closing_deny_that_the_site_does_not_have_is_seen():
    site = site_of(
        POLICY, INVENTORY.replace("windows-firewall}", "windows-firewall, settings: {default-deny: false}}"), "hosts"
    )
    last = read(JSON, site=site).rulings[-1]
    assert (last.outcome, last.doubt) == (Outcome.DENY, "")
    assert [(b.names, b.processes) for b in last.blocks] == [(None, ())]


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v["Rules"].pop(0),
        lambda v: v["Rules"][0].update(RemoteAddress=["10.0.0.0/8"]),
        lambda v: v["Rules"][0].update(Protocol="TCP", RemotePort=["Any"]),
        lambda v: v["Rules"][0].update(LocalUser="D:(A;;CC;;;SY)"),
        lambda v: v["Rules"][0].update(Action="Block"),
        lambda v: v["Rules"][0].update(RemoteAddress=["10.0.0.0/8", "fc00::/7", "Nonsense"]),
        lambda v: v["Rules"][0].update(RemoteAddress=["10.0.0.0/8", "LocalSubnet"]),
    ],
)
def test_the_default_does_not_spare_the_internal_networks(change):
    last = read(edited(change)).rulings[-1]
    assert (last.name, last.outcome, last.doubt) == (CLOSING, Outcome.DENY, "")
    assert [(block.names, block.addresses) for block in last.blocks] == [(None, SITE.internal)]


@pytest.mark.parametrize(
    ("listed", "choice"),
    [
        ("D:(A;;CC;;;SY)", Choice(frozenset({"S-1-5-18", "S-1-5-20", "CONTOSO\\X"}))),
        ("D:(D;;CC;;;NS)(A;;CC;;;WD)", Choice(frozenset({"S-1-5-20"}), negated=True)),
        ("D:(D;;CC;;;SY)(A;;CC;;;WD)", Choice(frozenset({"S-1-5-18"}), negated=True)),
        ("D:(A;;CC;;;WD)", EVERY),
    ],
)
def test_accounts_that_the_host_resolves_are_added_to_the_list(listed, choice):
    """`firewall.ps1` appends an entry that allows for each of them."""
    names = ["NT AUTHORITY\\Network Service", "contoso\\x"]
    meaning = read(edited(lambda v: v["Rules"][0].update(LocalUser=listed, LocalAccounts=names)))
    (block,) = next(ruling.blocks for ruling in meaning.rulings if ruling.name == json.loads(JSON)["Rules"][0]["Name"])
    assert block.processes == (() if choice is EVERY else (("windows-account", choice),))


def test_an_entry_that_denies_may_be_about_an_account_that_the_host_resolves():
    change = lambda v: v["Rules"][0].update(LocalUser="D:(D;;CC;;;SY)(A;;CC;;;NS)", LocalAccounts=["contoso\\x"])  # noqa: E731
    assert any(
        "an entry before those of its accounts denies" in ruling.doubt for ruling in read(edited(change)).rulings
    )


def test_without_a_closing_deny_the_default_is_left_to_others():
    assert read(edited(lambda v: v["Site"].update(ClosingDeny=False))).default is Outcome.LEFT


@pytest.mark.parametrize("profile", ["Domain", "Domain,Public"])
def test_rules_that_are_in_force_in_some_networks_only_are_doubtful(profile):
    meaning = read(edited(lambda v: v["Site"].update(Profile=profile)))
    words = profile.replace(",", " or ")
    assert {ruling.doubt for ruling in meaning.rulings if ruling.name != CLOSING} == {
        f"it is in force only in networks of the profile {words}"
    }


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (lambda v: v["Rules"][0].update(RemoteAddress=["LocalSubnet"]), "only the host knows"),
        (lambda v: v["Rules"][0].update(RemoteAddress=["10.0.0.1/8"]), "not a network"),
        (lambda v: v["Rules"][1].update(RemotePort=["RPC"]), "only the host knows"),
        (lambda v: v["Rules"][1].update(Service="*"), "every service"),
        (lambda v: v["Rules"][1].update(LocalUser="D:(XA;;CC;;;WD;(a))"), "is not clear"),
        (lambda v: v.update(Keywords=[]), "dynamic keyword"),
        (lambda v: v["Keywords"][0].update(Keyword="a*.agent.example"), "not documented"),
        (lambda v: v["Keywords"][0].update(Keyword="*"), "not documented"),
        (lambda v: v["Keywords"][0].update(Keyword="agent"), "not documented"),
        (lambda v: v["Keywords"][0].update(Keyword=""), "not documented"),
    ],
)
def test_what_is_not_clear_is_doubtful(change, doubt):
    assert any(doubt in ruling.doubt for ruling in read(edited(change)).rulings)
