"""Squid's access lists: what is written, and what lists of people say."""

import pytest
from lists_support import exported, options_for, policy_of, reasons_of, text_of

from egressc.addresses import ALL
from egressc.exports_read import ports_text
from egressc.meaning import UnreadableError
from egressc.targets.list_registry import load_format

POLICY = """
policy p "P" {
    from g
    allow a "A" { to x.test z.test *.z.test *.y.test a*.b.test ports 443/https 8000-8010/tls no-tls-inspection }
    allow b "B" { to 203.0.113.0/24 2001:db8::/32 ports 443/https 8000-8010/tls no-tls-inspection }
    allow c "C" { to w.test/pki.x ports 80/http }
    allow d "D" { to *.v.test except a.v.test *.b.v.test ports 443/https no-tls-inspection }
}
"""


def lines_of(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_a_bypass():
    assert lines_of(text_of(POLICY, "squid")) == [
        "acl egressc_bypass_1_inner dstdom_regex -n -i ^a[^.]*[.]b[.]test$",
        "acl egressc_bypass_1_names dstdomain -n x.test",
        "acl egressc_bypass_1_names dstdomain -n .z.test",
        "acl egressc_bypass_1_below dstdomain -n .y.test",
        "acl egressc_bypass_1_apex dstdomain -n y.test",
        "acl egressc_bypass_1_dst dst 203.0.113.0/24",
        "acl egressc_bypass_1_dst dst 2001:db8::/32",
        "acl egressc_bypass_1_ports port 443",
        "acl egressc_bypass_1_ports port 8000-8010",
        "http_access allow egressc_bypass_1_ports egressc_bypass_1_inner",
        "http_access allow egressc_bypass_1_ports egressc_bypass_1_names",
        "http_access allow egressc_bypass_1_ports egressc_bypass_1_below !egressc_bypass_1_apex",
        "http_access allow egressc_bypass_1_ports egressc_bypass_1_dst",
        "acl egressc_bypass_2_below dstdomain -n .v.test",
        "acl egressc_bypass_2_apex dstdomain -n v.test",
        "acl egressc_bypass_2_ports port 443",
        "acl egressc_bypass_2_notsuch dstdom_regex -n -i ^([^.]+[.])+b[.]v[.]test$",
        "acl egressc_bypass_2_not dstdomain -n a.v.test",
        (
            "http_access allow egressc_bypass_2_ports egressc_bypass_2_below !egressc_bypass_2_apex !egressc_bypass_2_notsuch"
            " !egressc_bypass_2_not"
        ),
        "acl egressc_bypass_3_names dstdomain -n w.test",
        "acl egressc_bypass_3_ports port 80",
        "acl egressc_bypass_3_path urlpath_regex -i ^/pki[.]x(/|[?]|$)",
        "http_access allow egressc_bypass_3_ports egressc_bypass_3_path egressc_bypass_3_names",
    ]
    assert reasons_of(POLICY, "squid") == []


def test_what_it_fetches_itself_and_what_it_leaves_closed():
    simple = policy_of("*.x.test", more="no-tls-inspection")
    assert text_of(simple, "squid", form="direct").splitlines()[-1] == (
        "always_direct allow egressc_bypass_1_ports egressc_bypass_1_below !egressc_bypass_1_apex"
    )
    for form in ("allow", "direct"):
        assert lines_of(text_of(simple, "squid", "exemption", form=form)) == [
            "acl egressc_exempt_hello at_step SslBump1",
            "ssl_bump peek egressc_exempt_hello",
            "acl egressc_exempt_1_below ssl::server_name .x.test",
            "acl egressc_exempt_1_apex ssl::server_name x.test",
            "acl egressc_exempt_1_ports port 443",
            "ssl_bump splice egressc_exempt_1_ports egressc_exempt_1_below !egressc_exempt_1_apex",
            "ssl_bump bump all",
        ]


def test_everything_and_every_address():
    everything = text_of(policy_of("any-address"), "squid")
    assert lines_of(everything)[-1] == "http_access allow egressc_bypass_1_ports all"
    assert "acl egressc_bypass_1_dst dst ipv4" in text_of(policy_of("0.0.0.0/1", "128.0.0.0/1"), "squid")


def test_paths():
    assert reasons_of(policy_of("x.test/p", ports="443/https"), "squid") == [("path", "wider")]
    left_out = policy_of("*.x.test/a", ports="80/http", more="").replace(
        "to *.x.test/a", "to *.x.test/a except b.x.test/a/b"
    )
    text = text_of(left_out, "squid")
    assert "acl egressc_bypass_1_noturl url_regex -i ^http://b[.]x[.]test(:[0-9]+)?/a/b(/|[?]|$)" in text
    assert reasons_of(left_out, "squid") == []
    build, report = exported(policy_of("x.test/a%20b", ports="80/http"), "squid")
    assert build is None
    assert [d.code for d in report if d.level.value == "error"] == ["E0626"]


def test_comments_are_never_longer_than_a_line_of_squid():
    rules = " ".join(f'allow a-rather-long-name-{n} "R" {{ to x.test ports 443/https }}' for n in range(200))
    text = text_of(f'policy p "P" {{ from g {rules} }}', "squid")
    assert max(map(len, text.splitlines())) <= 1000
    assert text.count("p/a-rather-long-name-") == 200


def said(text, kind="bypass", form="allow"):
    """What a list says: `?` before what may match less."""
    found = []
    for entry in load_format("squid").read(text, options_for("squid", kind, form=form), "").entries:
        ports = ports_text(entry.reach.ports.tcp)
        out = "".join(f" except {each.text}" for each in entry.reach.exceptions)
        many = " or ".join(each.text for each in entry.reach.endpoints)
        found.append(f"{'? ' if entry.doubt else ''}{many}{'' if ports == 'any' else f' {ports}'}{out}")
    return found


EVERY = ALL.text
BY_HAND = {
    "several on a line, capitals, a comment": (
        "acl w dstdomain -n Foo.Test .bar.test # more\r\nhttp_access allow w\n",
        ["foo.test", "bar.test or *.bar.test"],
    ),
    "nothing before all": ("http_access deny all\nacl w dstdomain a.test\nhttp_access allow w\n", []),
    "who asks is not looked at": (
        "acl l src 10.0.0.0/8\nacl w dstdomain a.test\nhttp_access deny !l\nhttp_access allow l w\nhttp_access deny all\n",
        ["a.test"],
    ),
    "ports for all that follows": (
        "acl s port 443\nacl w dstdomain a.test\nhttp_access deny !s\nhttp_access allow w\nhttp_access deny all\n",
        ["a.test 443"],
    ),
    "a deny takes away": (
        "acl b dstdomain b.a.test\nacl w dstdomain .a.test\nhttp_access deny b\nhttp_access allow w\n",
        ["a.test or *.a.test except b.a.test"],
    ),
    "a deny that cannot be said": (
        "acl c method CONNECT\nacl w dstdomain a.test\nhttp_access deny c\nhttp_access allow w\n",
        ["? a.test"],
    ),
    "a star": ("acl w dstdomain *.a.test b.test\nhttp_access allow w\n", ["b.test"]),
    "an ending": ("acl w dstdom_regex \\.a\\.test$\nhttp_access allow w\n", ["*.a.test"]),
    "an ending, with its domain": (
        "acl w dstdom_regex (^|\\.)a\\.test$\nhttp_access allow w\n",
        ["a.test or *.a.test"],
    ),
    "an ending without a dot": ("acl w dstdom_regex a\\.test$\nhttp_access allow w\n", ["? *", f"? {EVERY}"]),
    "a file": ('acl w dstdomain "/etc/squid/w"\nhttp_access allow w\n', ["? *", f"? {EVERY}"]),
    "a deny for some": (
        "acl l src 10.0.0.0/8\nacl b dstdomain b.test\nacl w dstdomain a.test\nhttp_access deny l b\nhttp_access allow w\n",
        ["? a.test"],
    ),
    "everything that is not denied": (
        "acl b dstdomain .b.test\nhttp_access deny b\n",
        ["* except *.b.test except b.test", EVERY],
    ),
    "only the ports": ("acl s port 443\nhttp_access allow s\n", ["* 443", f"{EVERY} 443"]),
    "an address among the names": (
        "acl w dstdomain 10.0.0.1 a.test\nhttp_access allow w\n",
        ["a.test", "? *", f"? {EVERY}"],
    ),
    "host bits": ("acl w dst 10.1.2.3/8\nhttp_access allow w\n", ["10.0.0.0/8"]),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_lists_of_people(name):
    text, wanted = BY_HAND[name]
    assert said(text) == wanted


def test_the_rules_of_the_kind_alone():
    text = "acl w ssl::server_name .a.test\nacl b ssl::server_name b.test\nssl_bump bump b\nssl_bump splice w\nssl_bump bump all\n"
    assert said(text, "exemption") == ["a.test or *.a.test"]
    assert said("acl w dstdomain a.test\nhttp_access allow w\nalways_direct allow w\n", form="direct") == ["a.test"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("acl w dstdomain a.foo.test .foo.test\n", 1),
        ("acl w dstdomain .a.foo.test\nacl w dstdomain .foo.test\n", 2),
        ("acl w dstdomain .foo.test foo.test\n", 1),
        ("acl w dstdomain a.test\nacl w dst 10.0.0.1\n", 2),
        ("http_access allow nowhere\n", 1),
        ("acl w port x\n", 1),
    ],
)
def test_where_squid_does_not_start(text, line):
    with pytest.raises(UnreadableError) as caught:
        said(text)
    assert caught.value.line == line


def test_a_warning_of_squid_is_a_remark():
    read = load_format("squid").read(
        "acl w dstdomain .foo.test a.foo.test\nhttp_access allow w\n", options_for("squid"), ""
    )
    assert any("covered already" in each for each in read.remarks)
