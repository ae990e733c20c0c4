"""What `reg export` writes, as the reader takes it in."""

import pytest
from growth import assert_near_linear
from registry_export import GPO_RULES, RULES, reg_text, rule_string

from egressc.meaning import UnreadableError
from egressc.targets.windows_firewall.live import LiveProfile
from egressc.targets.windows_firewall.model import Profile
from egressc.targets.windows_firewall.read_registry import Registry

HEAD = "Windows Registry Editor Version 5.00\r\n\r\n"
PARENT = RULES.rpartition("\\")[0]
POLICIES = GPO_RULES.rpartition("\\")[0]
RULE = "v2.33|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|RPort=443|Name=n|"


def registry(*texts):
    found = Registry()
    for number, text in enumerate(texts):
        found.read(text, f"f{number}")
    return found


def names(*texts):
    return [rule.name for rule in registry(*texts).rules]


def profiles(keys):
    return registry(reg_text(keys)).profiles()


def of(on, blocks, merges=True, which=tuple(Profile)):
    return tuple(LiveProfile(profile, on, blocks, merges) for profile in which)


def test_rules_of_the_host_and_of_group_policy():
    found = registry(reg_text({RULES: {"a": RULE}, GPO_RULES: {"b": RULE}}))
    assert [(rule.name, rule.is_local) for rule in found.rules] == [("a", True), ("b", False)]


@pytest.mark.parametrize("under", ["AppIso", "Mdm"])
def test_rules_of_app_containers_and_of_management_count(under):
    assert names(reg_text({f"{PARENT}\\{under}\\FirewallRules": {"a": RULE}})) == ["a"]


@pytest.mark.parametrize(
    "key",
    [
        "HKEY_LOCAL_MACHINE\\SOFTWARE\\Contoso\\FirewallRules",
        f"{PARENT}\\RestrictedServices\\Static\\System",
        f"{PARENT}\\FirewallRulesOld",
        f"{RULES}\\Sub",
        PARENT,
    ],
)
def test_other_keys_do_not(key):
    found = registry(reg_text({key: {"a": RULE}}))
    assert (found.rules, found.has_rules) == ([], False)


def test_keys_have_no_letter_case_and_any_control_set():
    assert names(reg_text({RULES.upper().replace("CURRENTCONTROLSET", "CONTROLSET001"): {"a": RULE}})) == ["a"]


def test_a_key_without_rules_is_one():
    found = registry(reg_text({RULES: {}}))
    assert (found.rules, found.has_rules) == ([], True)


def test_texts_are_unescaped():
    text = HEAD + f'[{RULES}]\r\n"a\\"b\\\\c"="v2.33|Action=Allow|Active=TRUE|Dir=Out|App=C:\\\\x\\\\y.exe|"\r\n'
    (rule,) = registry(text).rules
    assert rule.name == 'a"b\\c'
    assert rule.processes[0][1].names == {"c:\\x\\y.exe"}


def test_every_kind_of_value_is_passed_over():
    values = [
        '@="x"', '"d"=dword:0000000A', '"e"=hex:', '"b"=hex:01,02,\\\r\n  03', '"m"=hex(7):61,00,00,00', '"q"=hex(b):01,\\\r\n  02',
        '"t"="line one\r\nline [two]"', "; a comment", "", "   ",
    ]  # fmt: skip
    text = HEAD + f"[{RULES}]\r\n" + "".join(f"{value}\r\n" for value in values) + f'"a"="{RULE}"'
    assert names(text) == ["a"]


def test_a_text_may_be_written_as_bytes():
    data = ",".join(f"{byte:02x}" for byte in (RULE + "\0").encode("utf-16-le"))
    assert names(HEAD + f'[{RULES}]\r\n"a"=hex(1):{data[:60]}\\\r\n  {data[60:]}\r\n') == ["a"]


def test_rules_that_are_switched_off_are_remarked_on():
    found = registry(reg_text({RULES: {"a": RULE.replace("TRUE", "FALSE")}}))
    assert (found.rules, found.remarks) == ([], ["f0: the rule `a` has no bearing: it is switched off"])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("regedit", 1),
        (HEAD + "[key\r\n", 3),
        (HEAD + "[-HKEY_LOCAL_MACHINE\\X]\r\n", 3),
        (HEAD + f'[{RULES}]\r\n"a"="b\r\n', 4),
        (HEAD + f'[{RULES}]\r\n"a"="b" c\r\n', 4),
        (HEAD + f'[{RULES}]\r\n"a"=-\r\n', 4),
        (HEAD + f'[{RULES}]\r\n"a"=dword:xyz\r\n', 4),
        (HEAD + f'[{RULES}]\r\n"a"=dword:123456789\r\n', 4),
        (HEAD + f"[{RULES}]\r\n\r\na=b\r\n", 5),
        (HEAD + f'[{RULES}]\r\n"a"=hex:0g\r\n', 4),
    ],
)
def test_what_is_no_export_is_refused_where_it_stands(text, line):
    with pytest.raises(UnreadableError) as caught:
        registry(text)
    assert (caught.value.file, caught.value.line) == ("f0", line)


def test_profiles_of_a_host():
    keys = {
        f"{PARENT}\\{name}Profile": {"EnableFirewall": 1, "DefaultOutboundAction": 1}
        for name in ("Domain", "Standard", "Public")
    }
    assert profiles(keys) == of(True, True)


def test_a_host_that_says_nothing_is_on_and_lets_out():
    assert profiles({f"{PARENT}\\DomainProfile": {}}) == of(True, False, which=[Profile.DOMAIN])


def test_group_policy_comes_first():
    keys = {
        f"{PARENT}\\DomainProfile": {"EnableFirewall": 0, "DefaultOutboundAction": 0},
        f"{POLICIES}\\DomainProfile": {"EnableFirewall": 1, "DefaultOutboundAction": 1, "AllowLocalPolicyMerge": 0},
    }
    assert profiles(keys) == of(True, True, False, which=[Profile.DOMAIN])


def test_what_group_policy_leaves_open_is_the_hosts():
    keys = {
        f"{PARENT}\\PublicProfile": {"EnableFirewall": 0, "DefaultOutboundAction": 1},
        f"{POLICIES}\\PublicProfile": {"AllowLocalPolicyMerge": 1},
    }
    assert profiles(keys) == of(False, True, which=[Profile.PUBLIC])


def test_group_policy_alone_does_not_say_what_it_leaves_to_the_host():
    assert profiles({f"{POLICIES}\\PublicProfile": {"LogFileSize": 1}}) == of(None, None, which=[Profile.PUBLIC])


def test_standard_is_private_and_public_in_group_policy_where_neither_has_a_key():
    """[MS-GPFAS] 2.2.3"""
    standard = {f"{POLICIES}\\StandardProfile": {"DefaultOutboundAction": 1}}
    assert profiles(standard) == of(None, True, which=[Profile.PRIVATE, Profile.PUBLIC])
    both = {**standard, f"{POLICIES}\\PublicProfile": {"DefaultOutboundAction": 0}}
    assert profiles(both) == of(None, False, which=[Profile.PUBLIC])


def test_settings_below_a_profile_are_others():
    assert profiles({f"{PARENT}\\PublicProfile\\Logging": {"EnableFirewall": 0}}) == ()


@pytest.mark.parametrize("what", ["rules", "hex", "escapes", "open"])
def test_reading_grows_with_the_text(what):
    given = {"action": "Allow", "enabled": "True", "protocol": "TCP", "profile": "Any", "remoteport": ["443"], "displayname": "n", "description": "d", "group": "g"}  # fmt: skip

    def prepare(size):
        text = {
            "rules": lambda: reg_text({RULES: {f"n{i}": rule_string(given) for i in range(size // 10)}}),
            "hex": lambda: HEAD + "[k]\r\n" + '"a"=hex:' + "01,\\\r\n  " * size + "01\r\n",
            "escapes": lambda: HEAD + "[k]\r\n" + '"a"="' + "\\\\" * size + '"\r\n',
            "open": lambda: HEAD + "[k]\r\n" + '"a"="x"\r\n' * (size // 4) + '"a"="',
        }[what]()

        def run():
            try:
                registry(text)
            except UnreadableError:
                assert what == "open"

        return run

    assert_near_linear(prepare, 20_000, 100_000)
