"""ProxyOverride: entries worked out by hand, and lists of people read as WinINET was seen to read them."""

import pytest
from client_lists import read, said
from lists_support import exported, policy_of, reasons_of, text_of

from egressc.meaning import UnreadableError
from egressc.targets.list_registry import load_format

KEY = r"Software\Microsoft\Windows\CurrentVersion\Internet Settings"
ALL = "0.0.0.0/0 ::/0"


def plain(policy, **options):
    return text_of(policy, "wininet", form="plain", **options)


def test_every_kind_of_entry():
    policy = policy_of(
        "foo.test", "*.bar.test", "both.test", "*.both.test", "a*.baz.test", "203.0.113.0/24", "10.0.0.0/8", "192.0.2.7",
        "172.16.0.0/15",
    )  # fmt: skip
    assert plain(policy) == (
        "*.bar.test:443;a*.baz.test:443;both.test:443;*.both.test:443;foo.test:443;"
        "10.*:443;172.16.*:443;172.17.*:443;192.0.2.7:443;203.0.113.*:443\n"
    )
    assert reasons_of(policy, "wininet") == [("address", "narrower"), ("address", "wider"), ("depth", "wider")]


def test_ports_are_an_entry_each():
    assert plain(policy_of("foo.test", ports="443/https 8080-8081/tcp")) == "foo.test:443;foo.test:8080;foo.test:8081\n"
    assert plain(policy_of("foo.test", ports="1-65535/tcp")) == "foo.test\n"
    many = policy_of("foo.test", ports="1000-1064/tcp")
    assert plain(many) == "foo.test\n"
    assert reasons_of(many, "wininet") == [("ports", "wider")]


def test_the_example_of_a_network_is_a_name_that_begins_like_it():
    build, _ = exported(policy_of("203.0.113.0/24"), "wininet")
    wider = [a for rule in build.rules for a in rule.approximations if a.effect.value == "wider"]
    assert [a.example.host for a in wider] == ["203.0.113.a.example"]


def test_whatever_is_asked_for():
    policy = policy_of("any-address")
    assert plain(policy) == "*:443\n"
    assert said("wininet", "*:443", form="plain") == ["* 443", f"{ALL} 443"]


def test_the_powershell_form():
    assert text_of(policy_of("foo.test", "*.bar.test"), "wininet") == (
        "# bypass list for g. Written by egressc: change the policy, not this file.\n"
        "# For the user who runs it; programs that run already read it when they start again.\n"
        "# *.bar.test:443  p/web\n"
        "# foo.test:443  p/web\n"
        f"Set-ItemProperty -Path 'HKCU:\\{KEY}' -Name 'ProxyOverride' -Type String -Value '*.bar.test:443;foo.test:443'\n"
    )


def test_the_registry_form():
    assert text_of(policy_of("foo.test", "*.bar.test"), "wininet", form="registry") == (
        "Windows Registry Editor Version 5.00\r\n"
        "\r\n"
        "; bypass list for g. Written by egressc: change the policy, not this file.\r\n"
        "; *.bar.test:443  p/web\r\n"
        "; foo.test:443  p/web\r\n"
        "\r\n"
        f"[HKEY_CURRENT_USER\\{KEY}]\r\n"
        '"ProxyOverride"="*.bar.test:443;foo.test:443"\r\n'
        "\r\n"
    )


def test_a_powershell_parser_takes_the_script():
    import tree_sitter
    import tree_sitter_powershell

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    text = text_of(policy_of("foo.test", "*.bar.test", "a*.x.test", "10.0.0.0/8"), "wininet")
    assert not parser.parse(text.encode()).root_node.has_error


LISTS = {
    "separators": ("a.test;b.test,c.test d.test\te.test\n f.test ;; ", ["a.test", "b.test", "c.test", "d.test", "e.test", "f.test"]),
    "letter case, ports": ("A.Test:8080;*.D.test:443", ["a.test 8080", "*.d.test 443"]),
    "local": ("<local>;<LOCAL>", ["[one-label]", "[one-label]"]),
    "one label": ("intranet", ["intranet"]),
    "everything": ("a.test;*", ["a.test", "*", ALL]),
    "stars are one": ("**", ["*", ALL]),
    "addresses": ("10.1.2.3;10.1.2.3:80", ["10.1.2.3", "10.1.2.3 80"]),
    "octets": ("10.*;10.1.*;10.1.2.*", ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24"]),
    "an empty list": (" \n", []),
    "a loopback is none of the list's": ("<-loopback>;a.test", ["a.test"]),
    "a dot at the end matches nothing": ("a.test.;b.test", ["b.test"]),
    "a slash lets everything go direct": ("a.test;10.0.0.0/8", ["a.test", "*", ALL]),
    "a URL does, too": ("https://a.test", ["*", ALL]),
    "a dot in front spoils the list": ("a.test;.d.test", ["? a.test"]),
    "no port": ("a.test:http", ["? *", f"? {ALL}"]),
    "an unknown token": ("<remote>", ["? *", f"? {ALL}"]),
    "not a decimal address": ("010.1.2.3", ["? *", f"? {ALL}"]),
    "IPv6": ("[2001:db8::1];2001:db8::1", ["? 2001:db8::1", "? 2001:db8::1"]),
    "a wildcard over parts of addresses": ("192.168.*.1:80", None),
}  # fmt: skip


@pytest.mark.parametrize("case", LISTS)
def test_lists_of_people(case):
    text, expected = LISTS[case]
    found = said("wininet", text, form="plain")
    if expected is None:
        assert found[-1] == f"? {ALL} 80"
    else:
        assert found == expected


def test_remarks_say_which_entry_and_why():
    found = read("wininet", "a.test\n10.0.0.0/8\n.d.test\nx.test.;<-loopback>", form="plain")
    assert [each.partition(" ")[2].partition("`: ")[0][:22] for each in found.remarks] == [
        "2: `10.0.0.0/8` holds ", "3: `.d.test` matches n", "4: `x.test.` matches n", "4: `<-loopback>` takes",
    ]  # fmt: skip
    assert [e.line for e in found.entries] == [1, 2, 2]


def test_a_star_in_a_label_also_stands_for_dots():
    (entry,) = read("wininet", "a*.d.test", form="plain").entries
    assert [e.pattern.text for e in entry.reach.endpoints][:2] == ["a*.d.test", "a*.*.d.test"]


def test_files_of_people():
    script = f"Set-ItemProperty -path 'hkcu:\\{KEY}' -name 'ProxyOverride' -type string -value 'a.test;b.test'\n"
    assert said("wininet", f"# x\n\n{script}") == ["a.test", "b.test"]
    assert [e.line for e in read("wininet", f"# x\n\n{script}").entries] == [3, 3]
    exported_by_hand = (
        f'\ufeffWindows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\{KEY}]\r\n"ProxyEnable"=dword:00000001\r\n'
        '"ProxyOverride"="a.test;<local>"\r\n"ProxyServer"="p.test:8080"\r\n'
    )
    assert said("wininet", exported_by_hand, form="registry") == ["a.test", "[one-label]"]


UNREADABLE = [
    ("Set-ItemProperty -Path 'HKLM:\\x' -Name 'ProxyOverride' -Type String -Value 'a.test'", "cannot be read"),
    (f"Set-ItemProperty -Path 'HKCU:\\{KEY}' -Name 'ProxyOverride' -Type String -Value $list", "cannot be read"),
    ("Set-ItemProperty a\nRemove-Item x", "stands 2 times"),
    ("REGEDIT4\r\n", "stands 0 times"),
    ('REGEDIT4\r\n"ProxyOverride"=hex(1):61,00\r\n', "cannot be read"),
]


@pytest.mark.parametrize(("text", "message"), UNREADABLE)
def test_other_files_are_not_guessed(text, message):
    with pytest.raises(UnreadableError, match=message):
        read("wininet", text)


def test_a_character_that_nobody_tried_is_refused():
    build, report = exported(policy_of("a_b.test"), "wininet")
    assert build is None
    (error,) = [d for d in report if d.level.value == "error"]
    assert "`a_b.test:443` holds a character" in error.message


def test_a_long_list_is_remarked():
    build, _ = exported(policy_of(*(f"host-{n}.a-long-domain.test" for n in range(70))), "wininet")
    assert len(build.remarks) == 1
    assert build.remarks[0].startswith("the list has 2")


SHOWN = {
    "exact host": (policy_of("foo.test"), []),
    "`*.x`": (policy_of("*.foo.test"), []),
    "`x` with `*.x`": (policy_of("foo.test", "*.foo.test"), []),
    "inner `*`, `*` inside a label": (policy_of("a*.foo.test"), [("depth", "wider")]),
    "URL path": (policy_of("foo.test/x"), [("path", "wider")]),
    "address": (policy_of("192.0.2.1"), [("address", "narrower")]),
    "IPv4 network": (policy_of("192.0.2.0/24"), [("address", "narrower"), ("address", "wider")]),
    "IPv6": (policy_of("2001:db8::1"), [("family", "narrower")]),
    "ports": (policy_of("foo.test", ports="443/https 8080/http"), []),
    "more than 64 ports": (policy_of("foo.test", ports="100-200/tcp"), [("ports", "wider")]),
    "`except`": (policy_of("*.foo.test", "except a.foo.test"), [("except", "wider")]),
}


@pytest.mark.parametrize("feature", [row.feature for row in load_format("wininet").capabilities.rows])
def test_every_capability_is_shown(feature):
    (row,) = [row for row in load_format("wininet").capabilities.rows if row.feature == feature]
    policy, reasons = SHOWN[feature]
    assert reasons_of(policy, "wininet", request={"accept": ("except",)}) == reasons
    assert set(row.reasons) == {reason for reason, _ in reasons}
    assert row.verdict in {effect for _, effect in reasons} or (row.verdict == "exact" and not reasons)
