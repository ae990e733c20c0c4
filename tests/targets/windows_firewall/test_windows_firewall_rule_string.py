"""Rules as Windows keeps them in the registry ([MS-GPFAS] v20240423 2.2.2.1 to 2.2.2.19)."""

import pytest

from egressc.addresses import ALL_V4, ALL_V6, AddressSet, parse_addresses, union_of
from egressc.anything import ANY
from egressc.flows import Choice
from egressc.services import ALL_PORTS, PortSet
from egressc.targets.windows_firewall.model import Action, Profile
from egressc.targets.windows_firewall.read_rule_string import read_rule

PREFIX = "v2.33|Action=Allow|Active=TRUE|Dir=Out|"
ANY_PORT = ((1, 65535),)
GUID = "{5bb90b46-f944-57dd-b457-db29eca09869}"


def read(fields, prefix=PREFIX):
    return read_rule("r", prefix + fields, "f", is_local=True)


def sure(fields):
    found = read(fields)
    assert found.doubts == ()
    return found


def addresses(*texts):
    return union_of([parse_addresses(text) for text in texts])


def one(kind, *names):
    return (f"windows-{kind}", Choice(frozenset(names)))


@pytest.mark.parametrize(
    ("fields", "ports"),
    [
        ("", ALL_PORTS),
        ("Protocol=256|", ALL_PORTS),
        ("Protocol=6|", PortSet(tcp=ANY_PORT)),
        ("Protocol=17|", PortSet(udp=ANY_PORT)),
        ("Protocol=6|RPort=443|", PortSet(tcp=((443, 443),))),
        ("Protocol=6|RPort=443|RPort=80|", PortSet(tcp=((80, 80), (443, 443)))),
        ("Protocol=17|RPort2_10=80-90|", PortSet(udp=((80, 90),))),
        ("Protocol=6|RPort=91|RPort2_10=80-90|RPort2_10=100-65535|", PortSet(tcp=((80, 91), (100, 65535)))),
        ("Protocol=6|RPort2_10=0-65535|", PortSet(tcp=ANY_PORT)),
        ("Protocol=6|RPort=0|", PortSet()),
    ],
)
def test_ports(fields, ports):
    assert sure(fields).ports == ports


@pytest.mark.parametrize(
    ("fields", "ports"),
    [
        ("Protocol=6|RPort2_10=IPHTTPSOut|", PortSet(tcp=ANY_PORT)),
        ("Protocol=6|RPort=443|RPort=65536|", PortSet(tcp=ANY_PORT)),
        ("Protocol=6|RPort2_10=90-80|", PortSet(tcp=ANY_PORT)),
        ("Protocol=6|RPort=-1|", PortSet(tcp=ANY_PORT)),
        ("Protocol=6|RPort=|", PortSet(tcp=ANY_PORT)),
        ("RPort=443|", ALL_PORTS),
        ("Protocol=tcp|", ALL_PORTS),
        ("Protocol=6|Protocol=17|", ALL_PORTS),
        ("Protocol=6|LPort=1024|", PortSet(tcp=ANY_PORT)),
    ],
)
def test_ports_that_are_not_clear_are_the_most_that_they_can_be(fields, ports):
    found = read(fields)
    assert found.ports == ports
    assert len(found.doubts) == 1


@pytest.mark.parametrize("number", [0, 1, 2, 47, 58, 255])
def test_other_protocols_are_no_part_of_a_flow(number):
    assert read(f"Protocol={number}|") is None


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ("RA4=192.0.2.1|", ["192.0.2.1"]),
        ("RA4=192.0.2.0/24|", ["192.0.2.0/24"]),
        ("RA4=203.0.113.0/255.255.255.0|", ["203.0.113.0/24"]),
        ("RA4=10.0.0.0/255.0.0.0|", ["10.0.0.0/8"]),
        ("RA4=192.0.2.7/255.255.255.255|", ["192.0.2.7"]),
        ("RA4=192.0.2.7/32|", ["192.0.2.7"]),
        ("RA4=192.0.2.1-192.0.2.9|", ["192.0.2.1-192.0.2.9"]),
        ("RA4=192.0.2.9-192.0.2.9|RA4=192.0.2.10|", ["192.0.2.9-192.0.2.10"]),
        ("RA6=2001:db8::1|", ["2001:db8::1"]),
        ("RA6=2001:DB8:0:0::/64|", ["2001:db8::/64"]),
        ("RA6=2001:db8::1-2001:db8::ff|", ["2001:db8::1-2001:db8::ff"]),
        ("RA4=192.0.2.1|RA6=2001:db8::1|", ["192.0.2.1", "2001:db8::1"]),
    ],
)
def test_addresses(fields, held):
    assert sure(fields).addresses == addresses(*held)


def test_no_addresses_are_not_the_same_as_an_empty_list():
    assert sure("").addresses is None


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ("RA4=LocalSubnet|", ALL_V4),
        ("RA6=LocalSubnet|", ALL_V6),
        ("RA4=LocalSubnet|RA6=LocalSubnet|", AddressSet(ALL_V4.v4, ALL_V6.v6)),
        ("RA4=DNS|", ALL_V4),
        ("RA42=IntErnet|", ALL_V4),
        ("RA62=RmtIntrAnet|", ALL_V6),
        ("RA4=0.0.0.0/0|", ALL_V4),
        ("RA4=10.0.0.0/0.0.0.0|", ALL_V4),
        ("RA4=10.0.0.0/255.0.255.0|", ALL_V4),
        ("RA4=10.0.0.0/33|", ALL_V4),
        ("RA4=192.0.2.9-192.0.2.1|", ALL_V4),
        ("RA4=192.0.2.0/24-192.0.3.0/24|", ALL_V4),
        ("RA4=192.0.2.1-|", ALL_V4),
        ("RA4=192.0.2.1-2001:db8::1|", ALL_V4),
        ("RA4=192.0.2.1.5|", ALL_V4),
        ("RA4=192.0.2.01|", ALL_V4),
        ("RA4=|", ALL_V4),
        ("RA6=fe80::1%4|", ALL_V6),
        ("RA6=2001:db8::/129|", ALL_V6),
        ("RA6=2001:db8::/0|", ALL_V6),
        ("RA4=192.0.2.1|RA4=x\0y|", ALL_V4),
        ("RA4=10.1.2.3/8|", addresses("10.0.0.0/8")),
        ("RA4=2001:db8::1|", addresses("2001:db8::1")),
    ],
)
def test_addresses_that_are_not_clear_are_the_most_that_they_can_be(fields, held):
    found = read(fields)
    assert found.addresses == held
    assert found.doubts


def test_an_address_beside_a_keyword_does_not_make_the_other_family_any():
    found = read("RA4=LocalSubnet|RA6=2001:db8::1|")
    assert found.addresses == union_of([ALL_V4, addresses("2001:db8::1")])


@pytest.mark.parametrize(
    ("fields", "processes"),
    [
        ("", ()),
        ("App=C:\\Program Files\\X.exe|", (one("program", "c:\\program files\\x.exe"),)),
        ("Svc=WAPCSvc|", (one("service", "wapcsvc"),)),
        ("LUAuth=D:(A;;CC;;;S-1-5-20)|", (one("account", "S-1-5-20"),)),
        ("LUAuth=O:LSD:(A;;CC;;;S-1-5-21-1-2-3-4)|", (one("account", "S-1-5-21-1-2-3-4"),)),
        ("LUAuth=O:S-1-5-19G:BAD:P(A;;0x1;;;NS)|", (one("account", "S-1-5-20"),)),
        ("LUAuth=D:(A;;CC;;;s-1-5-20)(A;;CC;;;SY)|", (one("account", "S-1-5-20", "S-1-5-18"),)),
        ("LUAuth=D:(D;;CC;;;LS)(A;;CC;;;NS)|", (one("account", "S-1-5-20"),)),
        ("LUAuth=D:(D;;CC;;;NS)(A;;CC;;;NS)|", (one("account"),)),
        ("LUAuth=D:(A;;CC;;;NS)(D;;CC;;;NS)|", (one("account", "S-1-5-20"),)),
        ("LUAuth=D:(A;;CC;;;WD)|", ()),
        ("LUAuth=D:(D;;CC;;;NS)(A;;CC;;;WD)|", (("windows-account", Choice(frozenset({"S-1-5-20"}), negated=True)),)),
        ("LUAuth=D:(D;;CC;;;WD)(A;;CC;;;NS)|", (one("account"),)),
        ("AppPkgId=S-1-15-2-1-2-3|", (one("package", "S-1-15-2-1-2-3"),)),
        (
            "App=x.exe|Svc=S|LUAuth=D:(A;;CC;;;NS)|",
            (one("account", "S-1-5-20"), one("program", "x.exe"), one("service", "s")),
        ),
    ],
)
def test_processes(fields, processes):
    assert sure(fields).processes == processes


@pytest.mark.parametrize(
    ("fields", "processes"),
    [
        ("Svc=*|", ()),
        ("Svc=|", ()),
        ("Svc=a|Svc=b|", ()),
        ("App=|", ()),
        ("AppPkgId=|", ()),
        ("LUAuth=|", ()),
        ("LUAuth=D:|", ()),
        ("LUAuth=D:NO_ACCESS_CONTROL|", ()),
        ("LUAuth=D:(A;;CC;;;XX)|", ()),
        ("LUAuth=D:(A;;GA;;;S-1-5-20)|", ()),
        ("LUAuth=D:(A;OI;CC;;;S-1-5-20)|", ()),
        ("LUAuth=D:(OA;;CC;a;;S-1-5-20)|", ()),
        ('LUAuth=D:(XA;;CC;;;WD;(Title=="x"))|', ()),
        ("LUAuth=D:(A;;CC;;;S-1-5-20)S:(AU;SA;CC;;;WD)|", ()),
        ("LUAuth=D:(A;;CC;;;S-1-5-20)(A;;CC;;;)|", ()),
        ("LUAuth=D:(A;;CC;;;NS)|LUAuth=D:(A;;CC;;;SY)|", ()),
        ("LUAuth=D:(D;;CC;;;S-1-5-80-1-2-3-4-5)(A;;CC;;;NS)|", (one("account", "S-1-5-20"),)),
        (
            "LUAuth=D:(D;;CC;;;BU)(A;;CC;;;WD)|",
            (("windows-account", Choice(frozenset({"S-1-5-32-545"}), negated=True)),),
        ),
        ("LUAuth2_24=RDooWEE7OykK|", ()),
        ("LUOwn=S-1-5-21-1-2-3-4|", ()),
    ],
)
def test_processes_that_are_not_clear_are_the_most_that_they_can_be(fields, processes):
    found = read(fields)
    assert found.processes == processes
    assert len(found.doubts) == 1


@pytest.mark.parametrize(
    "field",
    [
        "LA4=192.0.2.1", "LA6=2001:db8::1", "IF={5bb90b46-f944-57dd-b457-db29eca09869}", "IFType=Lan", "Platform=2:6:1",
        "Platform2=GTEQ", "Security=Authenticate", "RMauth=D:(A;;CC;;;WD)", "RUAuth=D:(A;;CC;;;WD)", "SkipVer=2.30",
        "LSM=TRUE", "LOM=TRUE", "PCross=TRUE", "AuthByPassOut=TRUE", "TTK=Proximity", "TTK2_27=UPnP", "NNm=x",
        "SecurityRealmId=x", "Tomorrow=1", "RPort2_99=1", "action=Block", "ICMP4=8:*", "nonsense",
    ],
)  # fmt: skip
def test_a_field_that_may_narrow_the_rule_makes_it_doubtful(field):
    found = read(f"Protocol=6|{field}|")
    assert len(found.doubts) == 1
    assert (found.ports, found.addresses, found.processes) == (PortSet(tcp=ANY_PORT), None, ())


@pytest.mark.parametrize(
    "field",
    [
        "Name=@FirewallAPI.dll,-1",
        "Desc=",
        "EmbedCtxt=egressc",
        "Edge=TRUE",
        "Defer=App",
        "LSM=FALSE",
        "PCross=FALSE",
        "",
    ],
)
def test_fields_that_change_nothing(field):
    assert sure(f"Protocol=6|{field}|").ports == PortSet(tcp=ANY_PORT)


def test_a_field_may_hold_equals_signs():
    assert "a=b=c" in sure("Name=a=b=c|").place


@pytest.mark.parametrize(
    ("names", "profiles"),
    [
        ([], ANY),
        (["Domain"], {Profile.DOMAIN}),
        (["Private", "Public"], {Profile.PRIVATE, Profile.PUBLIC}),
        (["Public", "Public"], {Profile.PUBLIC}),
        (["Domain", "Private", "Public"], ANY),
    ],
)
def test_profiles(names, profiles):
    assert sure("".join(f"Profile={name}|" for name in names)).profiles == profiles


def test_an_unknown_profile_is_doubtful():
    found = read("Profile=Domain|Profile=Home|")
    assert (found.profiles, len(found.doubts)) == (ANY, 1)


@pytest.mark.parametrize(
    ("prefix", "action", "overrides", "doubts"),
    [
        ("v2.30|Action=Allow|Active=TRUE|Dir=Out|", Action.ALLOW, False, 0),
        ("v2.30|Action=Block|Active=TRUE|Dir=Out|", Action.BLOCK, False, 0),
        ("v2.30|Action=ByPass|Active=TRUE|Dir=Out|", Action.ALLOW, True, 1),
        ("v2.30|Active=TRUE|Dir=Out|", None, False, 1),
        ("v2.30|Action=allow|Active=TRUE|Dir=Out|", None, False, 1),
        ("v2.30|Action=Allow|Action=Block|Active=TRUE|Dir=Out|", None, False, 1),
        ("v2.30|Action=Allow|Active=TRUE|", Action.ALLOW, False, 1),
        ("v2.30|Action=Allow|Active=TRUE|Dir=Both|", Action.ALLOW, False, 1),
        ("2.30|Action=Allow|Active=TRUE|Dir=Out|", Action.ALLOW, False, 1),
        ("v2.300.1|Action=Allow|Active=TRUE|Dir=Out|", Action.ALLOW, False, 1),
        ("v1.0|Dir=Out|Active=TRUE|Action=Block|", Action.BLOCK, False, 0),
    ],
)
def test_what_a_rule_does(prefix, action, overrides, doubts):
    found = read("Protocol=6|", prefix)
    assert (found.action, found.overrides, len(found.doubts)) == (action, overrides, doubts)


@pytest.mark.parametrize("active", ["Active=FALSE|", "", "Active=true|", "Active=TRUE|Active=FALSE|"])
def test_a_rule_that_is_not_active_has_no_bearing(active):
    assert read("", f"v2.30|Action=Allow|{active}Dir=Out|") == "it is switched off"


def test_inbound_rules_are_about_other_traffic():
    assert read("", "v2.30|Action=Block|Active=TRUE|Dir=In|") is None


def test_keywords_are_guids_in_a_field_of_any_other_name():
    other = "{A88508E9-0C1B-5129-BEF3-5FA92F2EA495}"
    assert sure(f"X={GUID}|").keywords == ("5bb90b46-f944-57dd-b457-db29eca09869",)
    assert sure(f"X={GUID}|X={other}|").keywords == sure(f"X={GUID},{other}|").keywords
    assert sure(f"X={GUID},{other}|").keywords == (
        "5bb90b46-f944-57dd-b457-db29eca09869", "a88508e9-0c1b-5129-bef3-5fa92f2ea495",
    )  # fmt: skip
    assert read(f"X={GUID}|X=1|").doubts
    assert read(f"X={GUID},|").doubts


def test_where_it_stands_is_told_with_its_title():
    assert sure("Name=Contoso|").place == "f: Contoso"
    assert sure("").place == "f"


@pytest.mark.parametrize("text", ["", "|", "v2.30", "v2.30|", "|||||", "=|=|", "v2.30|=TRUE|", "Active=TRUE|"])
def test_rubbish_is_no_rule(text):
    assert isinstance(read("", text), str)
