"""HAProxy's lines: what is written, and what lines of people say."""

import pytest
from lists_support import options_for, policy_of, reasons_of, text_of

from egressc.addresses import ALL
from egressc.exports_read import ports_text
from egressc.meaning import UnreadableError
from egressc.targets.list_registry import load_format

EVERY = ALL.text
HEAD = ["tcp-request inspect-delay 5s", "tcp-request content accept if { req.ssl_hello_type 1 }"]
HOST = "req.fhdr(host),field(1,:)"


def lines_of(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_an_exemption():
    policy = policy_of("x.test", "*.y.test", "z.test", "*.z.test", "a*.b.test", "203.0.113.0/24", "2001:db8::/32",
                       ports="443/https 8000-8010/tls", more="no-tls-inspection")  # fmt: skip
    assert lines_of(text_of(policy, "haproxy", "exemption")) == [
        *HEAD,
        "acl egressc_exemption_1 req.ssl_sni -i -m reg '^a[^.]*[.]b[.]test$'",
        "acl egressc_exemption_1 req.ssl_sni -i -m str x.test",
        "acl egressc_exemption_1 req.ssl_sni -i -m end .y.test",
        "acl egressc_exemption_1 req.ssl_sni -i -m str z.test",
        "acl egressc_exemption_1 req.ssl_sni -i -m end .z.test",
        "acl egressc_exemption_1 dst 203.0.113.0/24",
        "acl egressc_exemption_1 dst 2001:db8::/32",
        "acl egressc_exemption_1_ports dst_port 443 8000:8010",
        "use_backend direct if egressc_exemption_1 egressc_exemption_1_ports",
    ]
    assert reasons_of(policy, "haproxy", "exemption") == []


def test_a_bypass_is_also_of_plain_http():
    policy = policy_of("*.x.test except a.x.test *.b.x.test")
    assert lines_of(text_of(policy, "haproxy")) == [
        *HEAD,
        "tcp-request content accept if HTTP",
        "acl egressc_bypass_1 req.ssl_sni -i -m end .x.test",
        f"acl egressc_bypass_1 {HOST} -i -m end .x.test",
        "acl egressc_bypass_1_not req.ssl_sni -i -m end .b.x.test",
        f"acl egressc_bypass_1_not {HOST} -i -m end .b.x.test",
        "acl egressc_bypass_1_not req.ssl_sni -i -m str a.x.test",
        f"acl egressc_bypass_1_not {HOST} -i -m str a.x.test",
        "acl egressc_bypass_1_ports dst_port 443",
        "use_backend direct if egressc_bypass_1 !egressc_bypass_1_not egressc_bypass_1_ports",
    ]


def test_everything_and_paths():
    assert lines_of(text_of(policy_of("any-address"), "haproxy"))[3:] == [
        "acl egressc_bypass_1_ports dst_port 443",
        "use_backend direct if egressc_bypass_1_ports",
    ]
    assert reasons_of(policy_of("x.test/p", ports="80/http"), "haproxy") == [("path", "wider")]


def test_no_line_has_more_words_than_haproxy_reads():
    ports = " ".join(f"{port}/tls" for port in range(1, 401, 2))
    lines = [line.split() for line in lines_of(text_of(policy_of("x.test", ports=ports), "haproxy"))]
    assert max(map(len, lines)) <= 64
    assert sum(len(words) - 3 for words in lines if "dst_port" in words) == 200


def test_the_rules_of_an_entry_stand_above_it():
    policy = 'policy p "P" { from g allow b "x\\"*/" { to x.test ports 443/https } allow a "A" { to x.test ports 443/https } }'
    text = text_of(policy.replace('x\\"*/', "x */ --"), "haproxy")
    assert "# p/a p/b\nacl egressc_bypass_1 req.ssl_sni -i -m str x.test\n" in text


def read(text, kind="exemption"):
    return load_format("haproxy").read(text, options_for("haproxy", kind), "")


def said(text, kind="exemption"):
    """What lines say: `?` before what may match less."""
    found = []
    for entry in read(text, kind).entries:
        ports = ports_text(entry.reach.ports.tcp)
        out = "".join(f" except {each.text}" for each in entry.reach.exceptions)
        many = " or ".join(each.text for each in entry.reach.endpoints)
        found.append(f"{'? ' if entry.doubt else ''}{many}{'' if ports == 'any' else f' {ports}'}{out}")
    return found


BY_HAND = {
    "several values": ("acl w req.ssl_sni -i a.test B.Test\nuse_backend direct if w\n", ["a.test", "b.test"]),
    "old names, and `or`": (
        "acl w req_ssl_sni -i a.test\nacl v ssl_sni -i b.test\nuse_backend direct if w or v\n",
        ["a.test", "b.test"],
    ),
    "without a name": ("use_backend direct if { req.ssl_sni -i -m end .a.test } !{ dst_port 8443 }\n", ["*.a.test 1-8442 8444-65535"]),
    "an ending without a dot": ("use_backend direct if { req.ssl_sni -i -m end a.test }\n", ["*a.test or *.*a.test"]),
    "-m dom": ("use_backend direct if { req.ssl_sni -i -m dom a.test }\n", ["? *", f"? {EVERY}"]),
    "a file": ("use_backend direct if { req.ssl_sni -i -f /etc/haproxy/w }\n", ["? *", f"? {EVERY}"]),
    "capitals without -i": ("acl w req.ssl_sni A.test\nuse_backend direct if w\n", []),
    "another backend first": (
        "acl w req.ssl_sni -i -m end .a.test\nuse_backend proxy if { req.ssl_sni -i b.a.test }\nuse_backend direct if w\n",
        ["*.a.test except b.a.test"],
    ),
    "another backend first, for who knows what": (
        "use_backend proxy if { so_id 3 }\nuse_backend direct if { req.ssl_sni -i a.test }\n",
        ["? a.test"],
    ),
    "the default": ("default_backend direct\n", ["*", EVERY]),
    "the only backend": ("frontend f\r\n  use_backend out if { req.ssl_sni -i a.test } # why\r\n", ["a.test"]),
    "host bits": ("use_backend direct if { dst 10.1.2.3/8 }\n", ["10.0.0.0/8"]),
    "a mask": ("use_backend direct if { dst 10.0.0.0/255.0.0.0 }\n", ["10.0.0.0/8"]),
    "no port": ("use_backend direct if { dst_port 70000 }\n", ["? *", f"? {EVERY}"]),
    "partly read": (
        "acl w req.ssl_sni -i a.test\nacl w req.ssl_sni -i -m sub b\nuse_backend direct if w\n",
        ["a.test", "? *", f"? {EVERY}"],
    ),
    "names or ports": (
        "acl w req.ssl_sni -i a.test\nacl w dst_port 8443\nuse_backend direct if w\n",
        ["a.test", "? *", f"? {EVERY}"],
    ),
    "names or ports, elsewhere": (
        "acl w req.ssl_sni -i a.test\nacl w dst_port 8443\nuse_backend o if w\nuse_backend direct if { req.ssl_sni -i b.test }\n",
        ["? b.test"],
    ),
    "unless": ("use_backend direct unless { req.ssl_sni -i a.test }\n", ["? *"]),
    "who asks": ("acl l src 10.0.0.0/8\nuse_backend direct if l { req.ssl_sni -i a.test }\n", ["a.test"]),
    "a section of its own": (
        "frontend a\nacl w req.ssl_sni -i a.test\nuse_backend direct if w\nfrontend b\nacl w req.ssl_sni -i b.test\nuse_backend direct if w\n",
        ["a.test", "b.test"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_HAND)
def test_lines_of_people(name):
    text, wanted = BY_HAND[name]
    assert said(text) == wanted


def test_remarks():
    assert any("capitals" in each for each in read("acl w req.ssl_sni A.test\nuse_backend direct if w\n").remarks)
    assert any(
        "TLS alone" in each for each in read("use_backend direct if { req.ssl_sni -i a.test }\n", "bypass").remarks
    )
    assert any("line 1" in each for each in read("tcp-request content reject if { dst_port 1 }\n").remarks)


@pytest.mark.parametrize(
    "text",
    [
        "use_backend direct if { }\n",
        "use_backend direct if nowhere\n",
        "use_backend a if TRUE\nuse_backend b if TRUE\n",
        "acl w req.ssl_sni -i 'a\n",
    ],
)
def test_what_is_no_configuration(text):
    with pytest.raises(UnreadableError):
        read(text)
