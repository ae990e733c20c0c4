"""What exports of a machine mean: block over allow over default, and what nobody can tell ([MS-FASP] 2.2.34, 2.2.38)."""

import pytest
from registry_export import GPO_RULES, RULES, as_json, profile_keys, reg_text
from support import site_of

from egressc.addresses import ALL, ALL_V4, parse_addresses
from egressc.flows import Choice
from egressc.hosts import HostPattern
from egressc.meaning import Outcome, UnreadableError
from egressc.policy import Account
from egressc.targets.protocol import Artefact
from egressc.targets.windows_firewall import TARGET

POLICY = """
service-account net "Net" { windows-account "NT AUTHORITY\\NETWORK SERVICE" windows-service "Net" }
service-account named "Named" { windows-account "CONTOSO\\svc$" }
service-account web "Web" { windows-account "IIS APPPOOL\\Web" }
service-account tool "Tool" { windows-program "%ProgramFiles%\\Tool\\tool.exe" windows-program "C:\\Bin\\agent.exe" }
policy p "P" { from g
    allow a "A" { to 192.0.2.0/24 ports 443/https as net }
    allow b "B" { to 192.0.2.0/24 ports 443/https as named }
    allow d "D" { to 192.0.2.0/24 ports 443/https as web }
    allow c "C" { to 192.0.2.0/24 ports 443/https as tool }
}
"""
INVENTORY = """
groups:
  g: {networks: [10.20.0.10]}
internal-networks: []
firewalls:
  hosts: {target: windows-firewall, settings: {SETTINGS}}
"""
GUID = "5bb90b46-f944-57dd-b457-db29eca09869"
ALLOW = "v2.33|Action=Allow|Active=TRUE|Dir=Out|"
BLOCK = ALLOW.replace("Allow", "Block")
PARENT = RULES.rpartition("\\")[0]
POLICIES = GPO_RULES.rpartition("\\")[0]


def site(settings=""):
    return site_of(POLICY, INVENTORY.replace("SETTINGS", settings), "hosts")


def read(rules, *more, keys=None, settings="", parent=RULES):
    """The meaning of an export with these rules by name; `keys` are further keys, the profiles of a host if left out."""
    files = [reg_text({**(profile_keys() if keys is None else keys), parent: rules}).encode("utf-16")]
    files += [each if isinstance(each, bytes) else as_json(each) for each in more]
    return TARGET.read(site(settings), [Artefact(f"f{i}", content) for i, content in enumerate(files)])


def only(fields, *more, **options):
    (ruling,) = read({"r": ALLOW + fields}, *more, **options).rulings
    return ruling


def keyword(name, **more):
    return {"Id": f"{{{GUID.upper()}}}", "Keyword": name, "AutoResolve": True, "Addresses": None, **more}


def test_block_over_allow_over_default():
    meaning = read({"z": ALLOW, "b": BLOCK, "a": ALLOW, "y": ALLOW.replace("Allow", "ByPass")})
    assert [(r.name, r.outcome, bool(r.doubt)) for r in meaning.rulings] == [
        ("y", Outcome.ALLOW, True), ("b", Outcome.DENY, False), ("z", Outcome.ALLOW, False), ("a", Outcome.ALLOW, False),
    ]  # fmt: skip
    assert meaning.default is Outcome.DENY


def test_a_rule_of_which_nobody_knows_what_it_does_may_do_either():
    outcomes = {(r.outcome, bool(r.doubt)) for r in read({"a": "v2.33|Active=TRUE|Dir=Out|"}).rulings}
    assert outcomes == {(Outcome.DENY, True), (Outcome.ALLOW, True)}


def test_a_rule_about_nothing_else_is_for_everything():
    (block,) = only("").blocks
    assert (block.names, block.addresses, block.processes, block.sources) == (None, ALL, (), ALL)
    assert block.addresses is ALL
    assert block.sources is ALL


def test_what_has_no_bearing_is_remarked_on():
    meaning = read(
        {"a": ALLOW.replace("TRUE", "FALSE"), "b": ALLOW + "Protocol=6|RPort=0|", "c": ALLOW + "Protocol=1|"}
    )
    assert meaning.rulings == ()
    assert [remark.rpartition("rule ")[2] for remark in meaning.remarks] == [
        "`a` has no bearing: it is switched off", "`b` matches nothing",
    ]  # fmt: skip


# -- the default outbound action


@pytest.mark.parametrize(
    ("changes", "default", "doubtful"),
    [
        ({}, Outcome.DENY, False),
        ({"Public": {"DefaultOutboundAction": 0}}, Outcome.LEFT, False),
        ({"Public": {}}, Outcome.LEFT, False),
        ({"Public": None}, Outcome.LEFT, True),
        ({"Domain": None, "Standard": None, "Public": None}, Outcome.LEFT, True),
        ({"Domain": None, "Public": {"DefaultOutboundAction": 0}}, Outcome.LEFT, False),
    ],
)
def test_the_default_of_every_profile(changes, default, doubtful):
    keys = profile_keys()
    for name, values in changes.items():
        keys[f"{PARENT}\\{name}Profile"] = values
    meaning = read({}, keys={key: values for key, values in keys.items() if values is not None})
    assert meaning.default is default
    assert [(r.outcome, bool(r.doubt)) for r in meaning.rulings] == [(Outcome.DENY, True)] * doubtful
    assert any("let through" in remark for remark in meaning.remarks) is (default is Outcome.LEFT and not doubtful)


def test_only_the_profiles_of_the_site_count():
    keys = {f"{PARENT}\\DomainProfile": {"DefaultOutboundAction": 1}, f"{PARENT}\\PublicProfile": {"EnableFirewall": 0}}
    assert read({}, keys=keys, settings="profile: Domain").default is Outcome.DENY
    assert read({}, keys=keys, settings="profile: Domain").rulings == ()
    assert read({}, keys=keys, settings="profile: [Domain, Private]").default is Outcome.LEFT


def test_without_a_closing_deny_nobody_asks_for_the_default():
    assert read({}, keys={}, settings="default-deny: false").rulings == ()


@pytest.mark.parametrize(("off", "doubtful"), [(("Domain", "Standard", "Public"), False), (("Public",), True)])
def test_where_the_firewall_is_off_nothing_is_blocked(off, doubtful):
    keys = profile_keys()
    for name in off:
        keys[f"{PARENT}\\{name}Profile"]["EnableFirewall"] = 0
    first, second = read({"b": BLOCK}, keys=keys).rulings
    assert (first.outcome, bool(first.doubt), second.name) == (Outcome.ALLOW, doubtful, "b")
    assert [(b.names, b.addresses, b.processes) for b in first.blocks] == [(None, ALL, ())]


@pytest.mark.parametrize(
    ("fields", "settings", "doubt"),
    [
        ("Profile=Domain|", "profile: Domain", ""),
        ("Profile=Domain|Profile=Public|", "profile: Domain", ""),
        ("Profile=Domain|Profile=Private|Profile=Public|", "", ""),
        ("Profile=Domain|", "", "it is in force only in networks of the profile Domain"),
        ("Profile=Public|Profile=Domain|", "", "it is in force only in networks of the profile Domain or Public"),
        ("Profile=Domain|", "profile: [Domain, Public]", "it is in force only in networks of the profile Domain"),
        ("Profile=Private|", "profile: Domain", None),
    ],
)
def test_profiles_of_rules(fields, settings, doubt):
    meaning = read({"r": ALLOW + fields}, settings=settings)
    assert [ruling.doubt for ruling in meaning.rulings] == ([] if doubt is None else [doubt])
    assert bool(meaning.remarks) is (doubt is None)


def test_group_policy_may_void_local_rules():
    void = {f"{POLICIES}\\{name}Profile": {"AllowLocalPolicyMerge": 0} for name in ("Domain", "Private", "Public")}
    meaning = read({"a": ALLOW}, keys={**profile_keys(), **void})
    assert meaning.rulings == ()
    assert "voids local rules" in meaning.remarks[0]
    assert read({"a": ALLOW}, keys={**profile_keys(), **void}, parent=GPO_RULES).rulings[0].doubt == ""
    del void[f"{POLICIES}\\PublicProfile"]
    (ruling,) = read({"a": ALLOW}, keys={**profile_keys(), **void}).rulings
    assert ruling.doubt == "group policy voids local rules in networks of the profile Domain or Private"


def test_two_stores_with_one_name():
    meaning = read({"a": ALLOW}, reg_text({GPO_RULES: {"a": BLOCK, "b": BLOCK}}).encode())
    assert [(r.name, bool(r.doubt)) for r in meaning.rulings] == [("a", True), ("b", False), ("a", True)]


# -- keywords


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("login.contoso.example", HostPattern(("login", "contoso", "example"))),
        ("LOGIN.Contoso.example", HostPattern(("login", "contoso", "example"))),
        ("*.contoso.example", HostPattern(("contoso", "example"), deep=True)),
        ("xn--caf-dma.example", HostPattern(("xn--caf-dma", "example"))),
    ],
)
def test_a_keyword_is_a_name_by_its_address(name, pattern):
    ruling = only(f"Protocol=6|RPort=443|X={{{GUID}}}|", keyword(name))
    (block,) = ruling.blocks
    assert (ruling.doubt, block.names, block.by_address, block.addresses) == ("", ((pattern, None),), True, ALL)


@pytest.mark.parametrize("name", ["*", "*.", "*.com", "a*.contoso.example", "www.*.example", "contoso", "*contoso.example", "a b.example", "", ".example", "a..example", "café.example"])  # fmt: skip
def test_a_keyword_of_another_form_may_be_any_name(name):
    ruling = only(f"X={{{GUID}}}|", keyword(name))
    assert "is not documented" in ruling.doubt
    assert [(b.names, b.addresses) for b in ruling.blocks] == [(None, ALL)]


def test_a_keyword_that_nobody_exported_may_be_any_name():
    ruling = only(f"X={{{GUID}}}|")
    assert ruling.doubt == f"nothing says what the dynamic keyword {{{GUID}}} stands for"
    assert [(b.names, b.addresses) for b in ruling.blocks] == [(None, ALL)]


def test_a_keyword_beside_addresses_is_one_more_alternative():
    ruling = only(f"RA4=192.0.2.1|X={{{GUID}}}|", keyword("a.example"))
    assert ruling.doubt == ""
    assert [(b.by_address, b.addresses) for b in ruling.blocks] == [(True, ALL), (False, parse_addresses("192.0.2.1"))]


@pytest.mark.parametrize("addresses", ["192.0.2.1,192.0.2.2", ["192.0.2.1", " 192.0.2.2"]])
def test_a_keyword_may_hold_addresses(addresses):
    ruling = only(f"X={{{GUID}}}|", [keyword("office", AutoResolve=False, Addresses=addresses)])
    (block,) = ruling.blocks
    assert (ruling.doubt, block.names, block.addresses) == ("", None, parse_addresses("192.0.2.1-192.0.2.2"))


def test_a_keyword_with_addresses_that_are_not_clear_is_doubtful():
    name_too = only(f"X={{{GUID}}}|", keyword("a.example", Addresses="192.0.2.1"))
    assert "it is a name and has addresses" in name_too.doubt
    host_knows = only(f"X={{{GUID}}}|", keyword("office", AutoResolve=False, Addresses="LocalSubnet"))
    assert "`LocalSubnet`" in host_knows.doubt
    assert [block.addresses for block in host_knows.blocks] == [ALL]


OTHER_GUID = "0a1b2c3d-f944-57dd-b457-db29eca09869"
HOST = parse_addresses("192.0.2.1")


@pytest.mark.parametrize(
    ("fields", "sure", "perhaps", "doubt"),
    [
        ("RA4=192.0.2.1|RA4=LocalSubnet|", HOST, ALL_V4, "`LocalSubnet`"),
        ("RA4=dns|RA4=192.0.2.1|RA6=DHCP|", HOST, ALL, "`dns` is, only the host knows; which addresses `DHCP`"),
        ("RA4=192.0.2.1|RA42=IntErnet|", HOST, ALL_V4, "`IntErnet`"),
        ("RA4=LocalSubnet|RA6=2001:db8::1|", parse_addresses("2001:db8::1"), ALL_V4, "`LocalSubnet`"),
        (f"RA4=192.0.2.1|X={{{GUID}}}|", HOST, ALL, "not documented"),
        (f"RA4=192.0.2.1|X={{{OTHER_GUID}}}|", HOST, ALL, "`office`: which addresses `LocalSubnet`"),
        (
            f"X={{{GUID}}}|RA4=192.0.2.1|RA4=LocalSubnet|",
            HOST,
            ALL,
            "`LocalSubnet` is, only the host knows; which names",
        ),
    ],
)
@pytest.mark.parametrize(("rule", "outcome"), [(ALLOW, Outcome.ALLOW), (BLOCK, Outcome.DENY)])
def test_what_stands_beside_addresses_that_only_the_host_knows_is_sure(fields, sure, perhaps, doubt, rule, outcome):
    """They are alternatives (firewall-csp.md), so what is not known can only add to the rule."""
    keywords = [keyword("*"), keyword("office", Id=f"{{{OTHER_GUID}}}", AutoResolve=False, Addresses=["LocalSubnet"])]
    first, second = read({"r": rule + fields}, keywords).rulings
    assert (first.name, first.outcome, first.doubt) == ("r", outcome, "")
    assert [(block.names, block.addresses) for block in first.blocks] == [(None, sure)]
    assert (second.name, second.outcome) == ("r", outcome)
    assert doubt in second.doubt
    assert [(block.names, block.addresses) for block in second.blocks] == [(None, perhaps.difference(sure))]


def test_a_name_beside_one_that_nobody_understands_is_sure():
    keywords = [keyword("a.example"), keyword("*", Id=f"{{{OTHER_GUID}}}")]
    first, second = read({"r": f"{ALLOW}X={{{GUID}}},{{{OTHER_GUID}}}|"}, keywords).rulings
    (block,) = first.blocks
    assert (first.doubt, block.names) == ("", ((HostPattern(("a", "example")), None),))
    assert "`*`" in second.doubt
    assert [(block.names, block.addresses) for block in second.blocks] == [(None, ALL)]


@pytest.mark.parametrize(
    "fields",
    [
        "RA4=192.0.2.1|RA4=Nonsense|",  # Windows may not take the rule at all
        "RA4=192.0.2.1|RA4=LocalSubnet|RA6=nonsense|",
        "RA4=192.0.2.1|RA4=10.1.2.3/8|",
        "RA4=192.0.2.1|RA6=192.0.2.2|",
        f"RA4=192.0.2.1|X={{{GUID}}}|",  # nobody exported it: it may be something else, which narrows the rule
        "RA4=192.0.2.1|RA4=LocalSubnet|IF={5bb90b46-f944-57dd-b457-db29eca09869}|",
        "RA4=192.0.2.1|RA4=LocalSubnet|Security=Authenticate|",
        "Protocol=6|RPort=RPC|RA4=192.0.2.1|RA4=LocalSubnet|",
        "RA4=192.0.2.1|RA4=LocalSubnet|LUAuth=D:(A;;CC;;;BA)|",
        "RA4=LocalSubnet|",
    ],
)
def test_a_rule_about_which_anything_else_is_not_clear_is_doubtful_as_a_whole(fields):
    assert only(fields).doubt


def test_a_keyword_without_addresses_or_name_holds_nothing():
    assert read({"r": f"{ALLOW}X={{{GUID}}}|"}, keyword("x", AutoResolve=False)).rulings == ()


def test_rules_say_their_keywords_through_the_cmdlet_too():
    uses = [
        {"Name": "r", "RemoteDynamicKeywordAddresses": [f"{{{GUID}}}"]},
        {"Name": "s", "RemoteDynamicKeywordAddresses": None},
        {"InstanceID": "t", "RemoteDynamicKeywordAddresses": f"{{{GUID}}}"},
    ]
    meaning = read({"r": ALLOW, "s": ALLOW, "t": ALLOW}, uses, keyword("a.example"))
    assert [ruling.blocks[0].by_address for ruling in meaning.rulings] == [True, False, True]


# -- processes


def account(*names, negated=False):
    return (("windows-account", Choice(frozenset(names), negated)),)


NAMED, POOL, UNKNOWN = "CONTOSO\\SVC$", "IIS APPPOOL\\WEB", "S-1-5-21-1-2-3-1105"


@pytest.mark.parametrize(
    ("acl", "processes", "doubt"),
    [
        ("D:(A;;CC;;;NS)", account("S-1-5-20"), ""),
        ("D:(A;;CC;;;SY)", account("S-1-5-18"), ""),
        (f"D:(A;;CC;;;{UNKNOWN})", account(UNKNOWN, NAMED), f"may be the account {NAMED}"),
        ("D:(A;;CC;;;S-1-12-1-2-3-4-5)", account("S-1-12-1-2-3-4-5", NAMED), f"may be the account {NAMED}"),
        ("D:(A;;CC;;;S-1-5-80-1-2-3-4-5)", account("S-1-5-80-1-2-3-4-5"), ""),
        ("D:(A;;CC;;;S-1-5-82-1-2-3-4-5)", account("S-1-5-82-1-2-3-4-5", POOL), f"may be the account {POOL}"),
        (f"D:(D;;CC;;;{UNKNOWN})(A;;CC;;;WD)", account(UNKNOWN, negated=True), "is not clear"),
        ("D:(A;;CC;;;BU)", (), "who is in `S-1-5-32-545`"),
        ("D:(A;;CC;;;WD)", (), ""),
    ],
)
def test_accounts(acl, processes, doubt):
    ruling = only(f"LUAuth={acl}|")
    assert ruling.blocks[0].processes == processes
    assert doubt in ruling.doubt
    assert bool(doubt) is bool(ruling.doubt)


@pytest.mark.parametrize(
    ("acl", "sure", "perhaps", "doubt"),
    [
        ("D:(A;;CC;;;AU)(A;;CC;;;NS)", account("S-1-5-20"), account("S-1-5-20", negated=True), "who is in `S-1-5-11`"),
        (f"D:(A;;CC;;;NS)(A;;CC;;;{UNKNOWN})", account("S-1-5-20"), account(UNKNOWN, NAMED), f"be the account {NAMED}"),
        (
            f"D:(A;;CC;;;{UNKNOWN})(A;;CC;;;SY)(A;;CC;;;BU)",
            account("S-1-5-18"),
            account("S-1-5-18", negated=True),
            "who is in `S-1-5-32-545`",
        ),
    ],
)
def test_an_account_beside_those_that_only_the_host_knows_is_sure(acl, sure, perhaps, doubt):
    """One entry that lets the process match is enough."""
    first, second = read({"r": f"{ALLOW}LUAuth={acl}|"}).rulings
    assert ([block.processes for block in first.blocks], first.doubt) == ([sure], "")
    assert [block.processes for block in second.blocks] == [perhaps]
    assert doubt in second.doubt


@pytest.mark.parametrize(
    "fields",
    [
        f"LUAuth=D:(A;;CC;;;NS)(A;;CC;;;{UNKNOWN})|App=%SystemDrive%\\Bin\\agent.exe|",
        f"App=%SystemDrive%\\Bin\\agent.exe|LUAuth=D:(A;;CC;;;NS)(A;;CC;;;{UNKNOWN})|",
        f"LUAuth=D:(A;;CC;;;NS)(A;;CC;;;{UNKNOWN})|RA4=192.0.2.1|RA4=LocalSubnet|",
        f"LUAuth=D:(A;;CC;;;NS)(A;;CC;;;{UNKNOWN})|Protocol=6|RPort=RPC|",
        "LUAuth=D:(D;;CC;;;BU)(A;;CC;;;NS)|",
        f"LUAuth=D:(D;;CC;;;{UNKNOWN})(A;;CC;;;WD)|",
    ],
)
def test_an_account_is_not_sure_where_something_else_is_not_clear(fields):
    assert only(fields).doubt


@pytest.mark.parametrize("identifier", [UNKNOWN, {"BinaryLength": 28, "Value": UNKNOWN}])
def test_an_account_that_was_looked_up_is_known(identifier):
    ruling = only(f"LUAuth=D:(A;;CC;;;{UNKNOWN})|", {"Name": "Contoso\\svc$", "SID": identifier})
    assert (ruling.blocks[0].processes, ruling.doubt) == (account(NAMED), "")


def test_an_account_that_was_looked_up_is_no_other():
    other = "S-1-5-21-1-2-3-9999"
    ruling = only(f"LUAuth=D:(A;;CC;;;{other})|", {"Name": "Contoso\\svc$", "SID": UNKNOWN})
    assert (ruling.blocks[0].processes, ruling.doubt) == (account(other), "")


@pytest.mark.parametrize(
    ("program", "names", "doubtful"),
    [
        ("%PROGRAMFILES%\\tool\\Tool.exe", {"%programfiles%\\tool\\tool.exe"}, False),
        (
            "C:\\Program Files\\Tool\\tool.exe",
            {"c:\\program files\\tool\\tool.exe", "%programfiles%\\tool\\tool.exe"},
            True,
        ),
        ("C:\\Other\\other.exe", {"c:\\other\\other.exe"}, False),
        ("D:\\Bin\\agent.exe", {"d:\\bin\\agent.exe"}, False),
        ("%SystemDrive%\\Bin\\agent.exe", {"%systemdrive%\\bin\\agent.exe", "c:\\bin\\agent.exe"}, True),
        ("System", {"system"}, False),
    ],
)
def test_programs(program, names, doubtful):
    ruling = only(f"App={program}|")
    assert ruling.blocks[0].processes == (("windows-program", Choice(frozenset(names))),)
    assert bool(ruling.doubt) is doubtful


def test_an_access_list_that_lets_nobody_match_is_no_rule():
    assert read({"r": f"{ALLOW}LUAuth=D:(D;;CC;;;NS)|"}).rulings == ()


@pytest.mark.parametrize(
    ("bindings", "processes"),
    [
        ((), ()),
        ((("linux-user", "x"),), ()),
        ((("windows-account", "NT AUTHORITY\\NetworkService"),), (account("S-1-5-20"),)),
        ((("windows-account", "s-1-5-20"), ("windows-account", "SYSTEM")), (account("S-1-5-20", "S-1-5-18"),)),
        ((("windows-account", "Everyone"),), ((),)),
        ((("windows-account", "Contoso\\svc$"),), (account(NAMED),)),
        (
            (("windows-account", "NT SERVICE\\TrustedInstaller"),),
            (account("S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"),),
        ),
        (
            (("windows-account", "nt service\\MPSSvc"),),
            (account("S-1-5-80-3088073201-1464728630-1879813800-1107566885-823218052"),),
        ),
        (
            (("windows-program", "C:\\X.exe"), ("windows-service", "B"), ("windows-service", "a"), ("windows-account", "SYSTEM")),
            ((
                ("windows-account", Choice(frozenset({"S-1-5-18"}))),
                ("windows-program", Choice(frozenset({"c:\\x.exe"}))),
                ("windows-service", Choice(frozenset({"a", "b"}))),
            ),),
        ),
    ],
)  # fmt: skip
def test_accounts_of_a_policy_are_called_as_in_the_export(bindings, processes):
    by_kind = {}
    for kind, value in bindings:
        by_kind[kind] = (*by_kind.get(kind, ()), value)
    assert TARGET.processes(Account("x", "X", tuple(by_kind.items()), None)) == processes


# -- files


@pytest.mark.parametrize(
    "content",
    [
        as_json({}), as_json([]), as_json([1]), as_json({"Id": 1, "Keyword": "x"}), as_json({"Id": "{}", "Keyword": None}),
        as_json({"Name": "x", "SID": "x"}), as_json({"Name": 1, "SID": UNKNOWN}), as_json({"SID": {"Value": 1}}),
        as_json({"Name": None, "RemoteDynamicKeywordAddresses": None}),
        as_json({"Name": "r", "RemoteDynamicKeywordAddresses": [1]}), as_json({"Id": "{}", "Keyword": "x", "Addresses": {}}),
        b"not json", b"\xff\xfe\x00", b"caf\xe9", b"",
    ],
)  # fmt: skip
def test_a_file_that_is_about_something_else_is_refused(content):
    if content == as_json([]):
        assert read({}, content).rulings == ()
        return
    with pytest.raises(UnreadableError) as caught:
        read({}, content)
    assert caught.value.file == "f1"


def test_without_rules_there_is_nothing_to_compare():
    for files in (
        [],
        [Artefact("k", as_json([keyword("a.example")]))],
        [Artefact("p", reg_text(profile_keys()).encode())],
    ):
        with pytest.raises(UnreadableError) as caught:
            TARGET.read(site(), files)
        assert caught.value.message == "there are no firewall rules"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig"])
def test_exports_in_any_encoding_of_windows(encoding):
    text = reg_text({**profile_keys(), RULES: {"é": ALLOW}})
    meaning = TARGET.read(site(), [Artefact("f", text.encode(encoding))])
    assert [ruling.name for ruling in meaning.rulings] == ["é"]


def test_old_exports_are_in_the_code_page():
    text = reg_text({**profile_keys(), RULES: {"é": ALLOW}}).replace("Windows Registry Editor Version 5.00", "REGEDIT4")
    assert [r.name for r in TARGET.read(site(), [Artefact("f", text.encode("cp1252"))]).rulings] == ["é"]


def test_several_files_are_one_configuration():
    more = reg_text({RULES: {"b": BLOCK}}).encode()
    assert [ruling.name for ruling in read({"a": ALLOW}, more).rulings] == ["b", "a"]
