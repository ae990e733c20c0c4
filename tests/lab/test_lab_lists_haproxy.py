"""A real HAProxy takes the exported lines, and sends real connections where they say."""

import shutil
import sys

import pytest
from lab_net import HERE, namespaces

sys.path.insert(0, str(HERE.parent / "targets" / "lists"))
from lists_support import text_of

CONFIG = """
global
    maxconn 100
defaults
    mode tcp
    timeout connect 5s
    timeout client 10s
    timeout server 10s
frontend clients
    bind :::443,:::8443,:::80 v4v6
{lines}
    default_backend other
backend direct
    server one 127.0.0.1:9001
backend other
    server one 127.0.0.1:9002
"""
POLICY = """
policy p "P" {
    from g
    allow names "N" { to x.test *.y.test *.z.test z.test c*.v.test ports 443/https no-tls-inspection }
    allow some  "S" { to *.w.test except a.w.test *.b.w.test ports 443/https no-tls-inspection }
    allow other "O" { to q.test ports 80/http 8443/tls }
    allow net   "A" { to 203.0.113.8/29 2001:db8::/64 ports 443/https no-tls-inspection }
}
"""
# How it is asked, for which name, at which address and port, and whether the policy lets it go directly.
ASKED = [
    ("tls", "x.test", 443, True), ("tls", "a.x.test", 443, False), ("tls", "X.Test", 443, True),
    ("tls", "x.test", 8443, False), ("http", "x.test", 443, True),
    ("tls", "y.test", 443, False), ("tls", "a.y.test", 443, True), ("tls", "c.b.a.y.test", 443, True),
    ("tls", "xy.test", 443, False), ("tls", "a.y.test.evil.test", 443, False),
    ("tls", "z.test", 443, True), ("tls", "a.z.test", 443, True), ("tls", "az.test", 443, False),
    ("tls", "c.v.test", 443, True), ("tls", "c1.v.test", 443, True), ("tls", "c.a.v.test", 443, False),
    ("tls", "bc.v.test", 443, False), ("tls", "cxv.test", 443, False),
    ("tls", "b.w.test", 443, True), ("tls", "a.w.test", 443, False), ("tls", "c.a.w.test", 443, True),
    ("tls", "a.b.w.test", 443, False), ("tls", "w.test", 443, False),
    ("http", "q.test", 80, True), ("http", "q.test:80", 80, True), ("http", "q.test.evil.test", 80, False),
    ("tls", "q.test", 8443, True), ("tls", "q.test", 443, False), ("http", "x.test", 80, False),
    ("tls", "", 443, False),
]  # fmt: skip
ELSEWHERE = "203.0.114.1"
AT = [
    ("203.0.113.8", True),
    ("203.0.113.15", True),
    ("203.0.113.16", False),
    ("2001:db8::7", True),
    ("2001:db8:1::7", False),
]
MANY = "\n".join(f'allow r{n} "R" {{ to *.d{n}.test ports {n + 1}/tls }}' for n in range(300))


@pytest.fixture(scope="module")
def proxy(lab, tmp_path_factory):
    if shutil.which("haproxy") is None:
        pytest.skip("the lab needs haproxy")
    with namespaces(tmp_path_factory.mktemp("haproxy"), "net") as (net,):
        net.add_address("lo", f"{ELSEWHERE}/32", *(f"{a}/{128 if ':' in a else 32}" for a, _ in AT))
        net.start(sys.executable, str(HERE / "lab_lists_server.py"), "9001=direct", "9002=other", ready="ready")
        yield net


def configured(proxy, lines):
    path = proxy.folder / "haproxy.cfg"
    path.write_text(CONFIG.format(lines=lines))
    checked = proxy.run("haproxy", "-c", "-f", str(path))
    assert "WARNING" not in checked.stdout + checked.stderr
    assert "ALERT" not in checked.stdout + checked.stderr
    return path


def answers(proxy, lines, *asked):
    path = configured(proxy, lines)
    pid = proxy.folder / "haproxy.pid"
    pid.unlink(missing_ok=True)
    proxy.run("haproxy", "-D", "-f", str(path), "-p", str(pid))
    proxy.pid_files = [pid]
    try:
        return proxy.run(sys.executable, str(HERE / "lab_lists_hello.py"), *asked).stdout.split()
    finally:
        proxy.run("sh", "-c", f"kill $(cat {pid}); while kill -0 $(cat {pid}) 2>/dev/null; do sleep 0.02; done")
        pid.unlink()


def test_connections_go_where_the_policy_says(proxy):
    names = [f"{how}/{name}/{ELSEWHERE}/{port}" for how, name, port, _ in ASKED]
    places = [f"{how}//{address}/443" if how == "tls" else f"{how}/n.test/{address}/443"
              for how in ("tls", "http") for address, _ in AT]  # fmt: skip
    wanted = [direct for *_, direct in ASKED] + [direct for _ in range(2) for _, direct in AT]
    found = answers(proxy, text_of(POLICY, "haproxy"), *names, *places)
    assert dict(zip([*names, *places], found, strict=True)) == {
        each: "direct" if direct else "other" for each, direct in zip([*names, *places], wanted, strict=True)
    }


def test_an_exemption_is_of_tls_alone(proxy):
    names = [f"{how}/{name}/{ELSEWHERE}/{port}" for how, name, port, _ in ASKED]
    # What may be opened, and what is not TLS, is none of it.
    wanted = [how == "tls" and name != "q.test" and direct for how, name, _, direct in ASKED]
    found = answers(proxy, text_of(POLICY, "haproxy", "exemption"), *names)
    assert dict(zip(names, found, strict=True)) == {
        each: "direct" if direct else "other" for each, direct in zip(names, wanted, strict=True)
    }


def test_haproxy_reads_long_lists(proxy):
    ports = " ".join(f"{n}/tls" for n in range(1, 400, 2))
    text = text_of(f'policy p "P" {{ from g {MANY} allow x "X" {{ to x.test ports {ports} }} }}', "haproxy")
    assert text.count("dst_port") > 300
    configured(proxy, text)


def test_everything_but_some(proxy):
    policy = 'policy p "P" { from g allow x "X" { to any-address except x.test *.y.test ports 443/https } }'
    asked = [f"tls/{name}/{ELSEWHERE}/443" for name in ("x.test", "a.y.test", "y.test", "z.test", "")]
    text = text_of(policy, "haproxy", request={"accept": ("except",)})
    assert answers(proxy, text, *asked) == ["other", "other", "direct", "direct", "direct"]
