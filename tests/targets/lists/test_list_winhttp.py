"""WinHTTP: commands worked out by hand, and lists of people read as the documentation says."""

import pytest
from client_lists import read, said
from lists_support import exported, policy_of, reasons_of, text_of

from egressc.meaning import UnreadableError
from egressc.targets.list_protocol import Proxy
from egressc.targets.list_registry import load_format

ALL = "0.0.0.0/0 ::/0"
HEAD = (
    "{0} bypass list for g. Written by egressc: change the policy, not this file.{1}"
    "{0} For the whole machine; it takes an administrator.{1}"
)
POLICY = policy_of("foo.test", "*.bar.test", "both.test", "*.both.test", "192.0.2.7")
ENTRIES = "*.bar.test;both.test;*.both.test;foo.test;192.0.2.7"
COMMENTS = "{0} *.bar.test  p/web{1}{0} both.test *.both.test  p/web{1}{0} foo.test  p/web{1}{0} 192.0.2.7  p/web{1}"


def test_the_netsh_form():
    assert text_of(POLICY, "winhttp") == (HEAD + COMMENTS).format("rem", "\r\n") + (
        f'netsh winhttp set proxy proxy-server="proxy.contoso.example:8080" bypass-list="{ENTRIES}"\r\n'
    )
    assert reasons_of(POLICY, "winhttp") == [("address", "narrower"), ("ports", "wider")]


def test_the_powershell_form():
    text = text_of(POLICY, "winhttp", form="powershell", proxy=Proxy("2001:db8::1", 80))
    assert text == (HEAD + COMMENTS).format("#", "\n") + (
        f"Set-WinhttpProxy -ProxyServer '[2001:db8::1]:80' -BypassList '{ENTRIES}'\n"
    )
    import tree_sitter
    import tree_sitter_powershell

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    assert not parser.parse(text.encode()).root_node.has_error


def test_the_advproxy_form_is_marked():
    build, _ = exported(POLICY, "winhttp", form="advproxy")
    assert build.text == (HEAD + COMMENTS).format("rem", "\r\n") + (
        "netsh winhttp set advproxy setting-scope=machine settings="
        f'{{"Proxy":"proxy.contoso.example:8080","ProxyBypass":"{ENTRIES}","AutoconfigUrl":"","AutoDetect":false}}\r\n'
    )
    (remark,) = build.remarks
    assert remark.startswith("nobody could try")
    assert exported(POLICY, "winhttp")[0].remarks == ()


def test_what_it_cannot_say():
    policy = policy_of("a*.x.test", "foo.test/p", "10.0.0.0/24", "192.0.2.0/31", "2001:db8::1")
    text = text_of(policy, "winhttp", request={"accept": ("label-wildcard",)})
    assert 'bypass-list="foo.test;*.x.test;192.0.2.0;192.0.2.1"' in text
    assert exported(policy, "winhttp")[0] is None
    assert reasons_of(policy, "winhttp", request={"accept": ("label-wildcard",)}) == [
        ("address", "narrower"), ("family", "narrower"), ("label-wildcard", "wider"), ("path", "wider"), ("ports", "wider"),
    ]  # fmt: skip


def test_a_command_that_cmd_would_cut_is_refused():
    policy = policy_of(*(f"host-{n}.a-long-domain-of-a-company.test" for n in range(230)))
    build, report = exported(policy, "winhttp")
    assert build is None
    (error,) = [d for d in report if d.level.value == "error"]
    assert "cmd.exe takes 8191 on a line" in error.message
    build, _ = exported(policy, "winhttp", form="powershell")
    assert build.remarks[0].startswith("the list has 9")


LISTS = {
    "separators": ("a.test;b.test c.test\nd.test", ["a.test", "b.test", "c.test", "d.test"]),
    "letter case": ("A.Test;*.D.TEST", ["a.test", "*.d.test"]),
    "a comma": ("a.test,b.test", ["? *", f"? {ALL}"]),
    "local": ("<local>", ["[one-label]"]),
    "loopback": ("<-loopback>", []),
    "everything": ("*", ["*", ALL]),
    "any text in front": ("*foo.test", ["*foo.test or *.*foo.test"]),
    "any text in front of digits": ("*.5;*5", ["? *", f"? {ALL}", "*5 or *.*5", f"? {ALL}"]),
    "a star elsewhere": ("a*.test;aaa.*", ["? *", f"? {ALL}", "? *", f"? {ALL}"]),
    "two stars": ("*.*.test", ["? *", f"? {ALL}"]),
    "networks": ("10.*", ["? *", f"? {ALL}"]),
    "addresses": ("192.0.2.7", ["192.0.2.7"]),
    "IPv6": ("[2001:db8::1]", ["? 2001:db8::1"]),
    "a port": ("a.test:443", ["? a.test"]),
    "a leading dot": (".d.test;a.test", ["a.test"]),
    "what netsh shows": (
        "Current WinHTTP proxy settings:\r\n\r\n    Proxy Server(s) :  p.test:8080\r\n    Bypass List     :  a.test;*.b.test\r\n",
        ["a.test", "*.b.test"],
    ),
    "what netsh shows of none": ("    Proxy Server(s) :  p.test:8080\n    Bypass List     :  (none)\n", []),
    "a command of people": (
        '@echo off\r\nrem x\r\n@NETSH winhttp set proxy proxy-server="p:1" bypass-list="a.test;<local>"\r\n',
        ["a.test", "[one-label]"],
    ),
    "a command in PowerShell": ("netsh winhttp set proxy proxy-server='p:1' bypass-list='a.test'", ["a.test"]),
}  # fmt: skip


@pytest.mark.parametrize("case", LISTS)
def test_lists_of_people(case):
    text, expected = LISTS[case]
    assert said("winhttp", text) == expected


UNREADABLE = [
    ("a.test;10.0.0.0/8", "refuses a list with it as a whole"),
    ("netsh winhttp set proxy p:1 a.test", "cannot be read"),
    ('netsh winhttp set proxy proxy-server="p" bypass-list="a"\nnetsh winhttp reset proxy', "stands 2 times"),
    ("netsh winhttp set advproxy setting-scope=machine settings={}", "cannot be read"),
    ("Set-WinhttpProxy -Proxy 'p' -ProxyBypass $x -SettingScope Machine", "cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), UNREADABLE)
def test_other_files_are_not_guessed(text, message):
    with pytest.raises(UnreadableError, match=message):
        read("winhttp", text)


SHOWN = {
    "exact host": (["foo.test"], []),
    "`*.x`": (["*.foo.test"], []),
    "`x` with `*.x`": (["foo.test", "*.foo.test"], []),
    "inner `*`, `*` inside a label": (["a*.foo.test"], [("label-wildcard", "wider")]),
    "URL path": (["foo.test/x"], [("path", "wider"), ("ports", "wider")]),
    "address": (["192.0.2.1"], [("address", "narrower")]),
    "IPv4 network": (["192.0.2.0/24"], [("address", "narrower")]),
    "IPv6": (["2001:db8::1"], [("family", "narrower")]),
    "ports": (["foo.test"], [("ports", "wider")]),
    "`except`": (["*.foo.test", "except a.foo.test"], [("except", "wider")]),
}


@pytest.mark.parametrize("feature", [row.feature for row in load_format("winhttp").capabilities.rows])
def test_every_capability_is_shown(feature):
    (row,) = [row for row in load_format("winhttp").capabilities.rows if row.feature == feature]
    endpoints, reasons = SHOWN[feature]
    ports = "443/https" if ("ports", "wider") in reasons else "1-65535/tcp"
    policy = policy_of(*endpoints, ports=ports)
    assert reasons_of(policy, "winhttp", request={"accept": ("except", "label-wildcard")}) == reasons
    assert row.reasons == tuple(reason for reason, _ in reasons if reason != "ports" or feature == "ports")
    assert row.verdict == (reasons[0][1] if reasons else "exact")
