"""A real squid takes the exported files: what clients may ask for, and whose TLS it opens."""

import re
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from lab_net import HERE, namespaces, run, stop
from test_lab_squid import CERTGEN, certificate

sys.path.insert(0, str(HERE.parent / "targets" / "lists"))
from lists_support import text_of

CONFIG = """
visible_hostname lab
http_port 127.0.0.1:3128 ssl-bump cert={folder}/inspector.pem generate-host-certificates=on dynamic_cert_mem_cache_size=4MB
sslcrtd_program {certgen} -s {folder}/certificates -M 4MB
sslcrtd_children 1 startup=1 idle=1
include {folder}/bypass.conf
http_access deny all
include {folder}/exemption.conf
sslproxy_cert_error allow all
sslproxy_cert_sign signTrusted all
tls_outgoing_options flags=DONT_VERIFY_PEER
cache_peer 127.0.0.1 parent 3129 0 no-query no-digest default
nonhierarchical_direct off
prefer_direct off
include {folder}/direct.conf
hosts_file {folder}/hosts
dns_nameservers 127.0.0.9
dns_timeout 1 second
connect_retries 0
cache deny all
cache_log {folder}/cache.log
access_log none
pid_filename {folder}/squid.pid
coredump_dir {folder}
shutdown_lifetime 0 seconds
"""
POLICY = """
policy p "P" {
    from g
    allow names "N" { to x.test *.y.test *.z.test z.test c*.v.test *.w.test except a.w.test ports 443/https no-tls-inspection }
    allow open  "O" { to *.open.test open.test a.w.test y.test ports 443/https }
    allow other "8" { to *.y.test ports 8443/tls }
    allow path  "P" { to p.test/pki+(1) ports 80/http }
    allow net   "A" { to 203.0.113.8/29 ports 443/https no-tls-inspection }
}
"""
# A name or address, the port, and what the policy has of it: nothing, `open`ed by the proxy, or `closed`.
ASKED = [
    ("x.test", 443, "closed"), ("a.x.test", 443, ""), ("x.test", 8443, ""), ("xx.test", 443, ""),
    ("y.test", 443, "open"), ("a.y.test", 443, "closed"), ("c.b.a.y.test", 443, "closed"), ("a.y.test.evil.test", 443, ""),
    ("a.y.test", 8443, "open"), ("y.test", 8443, ""),
    ("z.test", 443, "closed"), ("a.z.test", 443, "closed"), ("az.test", 443, ""),
    ("c1.v.test", 443, "closed"), ("c.a.v.test", 443, ""), ("bc.v.test", 443, ""),
    ("b.w.test", 443, "closed"), ("a.w.test", 443, "open"), ("w.test", 443, ""),
    ("open.test", 443, "open"), ("a.open.test", 443, "open"),
    ("203.0.113.9", 443, "closed"), ("203.0.113.99", 443, ""),
    ("inside.test", 443, "closed"),
]  # fmt: skip
# Paths of p.test over plain HTTP.
PATHS = [
    ("/pki+(1)", True),
    ("/PKI+(1)/a", True),
    ("/pki+(1)?q", True),
    ("/pki+(1)a", False),
    ("/pki(1)", False),
    ("/", False),
]
RESOLVED = {"inside.test": "203.0.113.10"}
ELSEWHERE = "203.0.113.99"


@pytest.fixture(scope="module")
def squid(lab):
    """A squid with the exported files, and everything that it may be asked for."""
    lacking = [name for name in ("squid", "openssl", "curl", CERTGEN) if shutil.which(name) is None]
    if lacking:
        pytest.skip(f"the lab needs {', '.join(lacking)}")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        with namespaces(place, "net") as (net,):
            net.add_address("lo", *(f"{a}/32" for a in ("203.0.113.9", "203.0.113.10", ELSEWHERE)))
            origin = certificate(place, "ORIGIN")
            certificate(place, "INSPECTOR")
            net.start(sys.executable, str(HERE / "lab_tls.py"), "serve", str(origin), "443", "8443", ready="ready")
            net.start(sys.executable, str(HERE / "lab_lists_server.py"), "80=origin", "3129=parent", ready="ready")
            names = {host for host, _, _ in ASKED if not host[0].isdigit()} | {"p.test", "q.test"}
            (place / "hosts").write_text("".join(f"{RESOLVED.get(each, ELSEWHERE)} {each}\n" for each in sorted(names)))
            write(place, text_of(POLICY, "squid"), text_of(POLICY, "squid", "exemption"), "always_direct allow all\n")
            run(CERTGEN, "-c", "-s", str(place / "certificates"), "-M", "4MB")
            run("chown", "-R", "proxy:proxy", str(place))
            net.run("squid", "-f", str(place / "squid.conf"))
            try:
                net.run("sh", "-c", "for i in $(seq 100); do nc -z 127.0.0.1 3128 && exit 0; sleep 0.1; done; exit 1")
                yield net, place
            finally:
                pid = place / "squid.pid"
                if pid.exists():
                    stop(int(pid.read_text()))


def write(place, bypass, exemption, direct):
    for name, text in (("bypass", bypass), ("exemption", exemption), ("direct", direct)):
        (place / f"{name}.conf").write_text(text)
    (place / "squid.conf").write_text(CONFIG.format(folder=place, certgen=CERTGEN))
    said = complaints(place / "squid.conf")
    assert [each for each in said if "Peer certificates are not verified" not in each] == []


def complaints(path):
    """What squid says of a file: a bad expression is an ERROR and exits 0."""
    done = run("squid", "-k", "parse", "-f", str(path), check=False)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "| Processing: " not in line]
    said = [line for line in lines if re.search("WARN|ERROR|FATAL|Bungled", line, re.IGNORECASE)]
    return said if said or done.returncode == 0 else [f"exit {done.returncode}"]


def handled(net, host, port):
    """What squid does with a client that asks for this: where it opens TLS, what it refuses it may refuse inside."""
    done = net.run("curl", "-sv", "-k", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10", "-x",
                   "http://127.0.0.1:3128", f"https://{host}:{port}/", check=False)  # fmt: skip
    issuer = re.search(r"issuer: CN=(\w+)", done.stderr)
    if issuer is None or done.stdout == "403":
        assert "403" in (done.stdout, *re.findall("CONNECT tunnel failed, response (...)", done.stderr)), done.stderr
        return ""
    assert done.stdout == "200", done.stderr
    return {"ORIGIN": "closed", "INSPECTOR": "open"}[issuer[1]]


def test_what_may_be_asked_for_and_what_stays_closed(squid):
    net, _ = squid
    found = {(host, port): handled(net, host, port) for host, port, _ in ASKED}
    assert found == {(host, port): wanted for host, port, wanted in ASKED}


def code(net, url):
    done = net.run("curl", "-s", "-g", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "10", "-x",
                   "http://127.0.0.1:3128", url, check=False)  # fmt: skip
    return int(done.stdout)


def test_paths_of_plain_http(squid):
    net, _ = squid
    found = {path: code(net, f"http://p.test{path}") for path, _ in PATHS}
    assert found == {path: 200 if allowed else 403 for path, allowed in PATHS}
    assert code(net, "http://q.test/pki+(1)") == 403


def test_squid_has_nothing_to_say_of_any_export(squid, tmp_path):
    """Names that cover each other, in any order and for several ports, are FATAL where they stand in one access list."""
    _, place = squid
    covering = ["*.d.test", "d.test", "a.d.test", "*.a.d.test", "b.a.d.test", "*.b.a.d.test", "x*.d.test"]
    policies = [
        f'policy p "P" {{ from g {" ".join(rules)} }}'
        for rules in (
            [f'allow r{n} "R" {{ to {to} ports 443/https no-tls-inspection }}' for n, to in enumerate(covering)],
            [
                f'allow r{n} "R" {{ to {to} ports {443 + n % 3}/https no-tls-inspection }}'
                for n, to in enumerate(covering)
            ],
            ['allow r "R" { to *.d.test except a.d.test *.a.d.test b.a.d.test ports 443/https no-tls-inspection }'],
            ['allow r "R" { to any-address ports 443/https no-tls-inspection }'],
            ['allow r "R" { to 0.0.0.0/1 128.0.0.0/1 10.0.0.0/8 2001:db8::/32 ports 443/https no-tls-inspection }'],
            ['allow r "R" { to a.test/x.y(1)$&\'=~ ports 80/http }'],
        )
    ] + [POLICY]
    for policy in policies:
        for form in ("allow", "direct"):
            for kind in ("bypass", "exemption"):
                text = text_of(policy, "squid", kind, form=form, request={"accept": ("except",)})
                path = tmp_path / "squid.conf"
                where = f"http_port 3128 ssl-bump cert={place}/inspector.pem generate-host-certificates=on"
                path.write_text(f"visible_hostname lab\n{where}\npid_filename none\n{text}")
                assert complaints(path) == [], text


def test_what_squid_fetches_itself(squid):
    """The rest goes to its parent. A squid of its own is not needed: the same one reads its files again."""
    net, place = squid
    bypass = "acl lab dstdomain p.test q.test a.y.test y.test\nhttp_access allow lab\n"
    policy = 'policy p "P" { from g allow x "X" { to p.test *.y.test ports 80/http } }'
    write(place, bypass, "", "never_direct allow all\n" + text_of(policy, "squid", form="direct"))
    net.run("squid", "-k", "reconfigure", "-f", str(place / "squid.conf"))
    ask = ("curl", "-s", "--max-time", "10", "-x", "http://127.0.0.1:3128")
    again = f'[ "$({" ".join(ask)} http://q.test/)" = parent ] && exit 0'
    net.run("sh", "-c", f"for i in $(seq 100); do {again}; sleep 0.1; done; exit 1")
    found = [net.run(*ask, f"http://{host}/").stdout for host in ("p.test", "q.test", "a.y.test", "y.test")]
    assert found == ["origin", "parent", "origin", "parent"]
