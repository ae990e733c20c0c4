"""A real TLS-intercepting proxy on the gateway: who is shown whose certificate."""

import shutil
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab_gateway import gateway_and_clients
from lab_net import HERE, run, stop, write_artefact
from support import artefacts_of
from test_lab_gateway import PROXY, TLS
from test_lab_verify import exported

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "evaluators"))
from iptables_announced import handling as announced_handling
from iptables_announced import said
from iptables_rulings import decided, decided_handling, seen
from iptables_text import Firewall
from policy_verdict import Flow
from random_cases import TAGS, Case, compiled
from test_evaluators_iptables import problem_of

from egressc.targets.iptables import TARGET
from egressc.targets.protocol import Artefact

CERTGEN = "/usr/lib/squid/security_file_certgen"
CONFIG = """
visible_hostname lab
http_port 3128
https_port 3129 intercept ssl-bump cert={folder}/inspector.pem generate-host-certificates=on dynamic_cert_mem_cache_size=4MB
sslcrtd_program {certgen} -s {folder}/certificates -M 4MB
sslcrtd_children 1 startup=1 idle=1
acl step1 at_step SslBump1
ssl_bump peek step1
ssl_bump bump all
sslproxy_cert_error allow all
sslproxy_cert_sign signTrusted all
tls_outgoing_options flags=DONT_VERIFY_PEER
http_access allow all
cache deny all
cache_log {folder}/cache.log
access_log none
pid_filename {folder}/squid.pid
coredump_dir {folder}
dns_nameservers 127.0.0.1
host_verify_strict off
shutdown_lifetime 0 seconds
"""


@pytest.fixture
def squid(lab):
    """Nothing, where squid and openssl are."""
    lacking = [name for name in ("squid", "openssl", CERTGEN) if shutil.which(name) is None]
    if lacking:
        pytest.skip(f"the lab needs {', '.join(lacking)}")


def certificate(folder, name):
    """A self-signed certificate and its key in one file."""
    path = folder / f"{name.lower()}.pem"
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", str(path), "-out",
        str(path) + ".crt")  # fmt: skip
    path.write_text(path.read_text() + (folder / f"{name.lower()}.pem.crt").read_text())
    return path


@contextmanager
def intercepted(folder, artefact, backend):
    """A gateway with squid where the artefact is in place, its clients, and who of them is shown whose certificate."""
    # Squid leaves root behind and must still get at its files, so they stand elsewhere than pytest's.
    with (
        gateway_and_clients(folder, backend) as (gateway, member, stranger, outside, apply),
        tempfile.TemporaryDirectory() as name,
    ):
        place = Path(name)
        place.chmod(0o755)
        origin = certificate(place, "ORIGIN")
        certificate(place, "INSPECTOR")
        outside.start(sys.executable, str(HERE / "lab_tls.py"), "serve", str(origin), "9443", "9080", ready="ready")
        for port, real in (("443", "9443"), ("8080", "9080")):
            outside.run("iptables-nft", "-t", "nat", "-A", "PREROUTING", "-p", "tcp", "--dport", port, "-j", "REDIRECT",
                        "--to-ports", real)  # fmt: skip
        run(CERTGEN, "-c", "-s", str(place / "certificates"), "-M", "4MB")
        (place / "squid.conf").write_text(CONFIG.format(folder=place, certgen=CERTGEN))
        run("chown", "-R", "proxy:proxy", str(place))
        apply(artefact)
        gateway.run("squid", "-f", str(place / "squid.conf"))
        try:
            gateway.run("sh", "-c", "for i in $(seq 100); do nc -z 127.0.0.1 3128 && exit 0; sleep 0.1; done; exit 1")

            def shown(client, *targets):
                command = client.command(sys.executable, str(HERE / "lab_tls.py"), "ask", *targets, uid=65534)
                return run(*command).stdout.split("\n")[:-1]

            yield gateway, member, stranger, apply, shown
        finally:
            stop(int((place / "squid.pid").read_text()))


@pytest.mark.parametrize("backend", ["nft", "legacy"])
@pytest.mark.usefixtures("squid")
def test_the_origins_certificate_is_seen_where_nothing_must_be_opened(tmp_path, backend):
    artefact = write_artefact(tmp_path / "artefact", artefacts_of(TLS, PROXY, "lab", accept=("tls-scope",)))
    with intercepted(tmp_path, artefact, backend) as (_, member, stranger, _, shown):
        assert shown(member, "sub.servicebus.windows.net:443", "servicebus.windows.net:443") == ["ORIGIN", "ORIGIN"]
        assert shown(member, "net.example:8080") == ["INSPECTOR"]
        assert shown(member, "login.windows.net:443") == ["ORIGIN"], "what may be inspected is left alone"
        assert shown(member, "hole.example:8080")[0].startswith("refused")
        assert shown(stranger, "net.example:8080") == ["ORIGIN"]


NAMED = """
policy p "TLS" {
    from connectors
    allow plain "Not to be opened" { to *.servicebus.windows.net servicebus.windows.net ports 443 no-tls-inspection }
    allow opened "To be opened, by name" { to a.blob.core.windows.net crl3.digicert.com ports 443 8080/tls tls-inspection }
    allow network "To be opened, by address" { to 203.0.113.0/24 ports 8080/tls tls-inspection }
    allow either "As you like" { to login.windows.net *.login.windows.net ports 443 }
    deny hole "Not even then" { to 203.0.113.77 ports 8080/tls }
}
"""
TARGETS = [
    ("sub.servicebus.windows.net", "198.51.100.11", None), ("deep.a.servicebus.windows.net", "198.51.100.12", None),
    ("servicebus.windows.net", "198.51.100.13", None), ("evilservicebus.windows.net", "198.51.100.14", None),
    ("login.windows.net", "198.51.100.16", None), ("login.windows.net.evil.example", "198.51.100.17", None),
    ("a.blob.core.windows.net", "198.51.100.20", None), ("b.blob.core.windows.net", "198.51.100.21", None),
    ("crl3.digicert.com", "198.51.100.18", None), ("net.example", "203.0.113.10", None),
    ("hole.example", "203.0.113.77", None), ("other.example", "198.51.100.22", None),
    # Other names of an address that became known by a name of the policy, and the address itself.
    ("x.cloudapp.net", "198.51.100.11", "sub.servicebus.windows.net"), ("e.akamaiedge.net", "198.51.100.18", "crl3.digicert.com"),
    (None, "198.51.100.13", "servicebus.windows.net"), (None, "198.51.100.20", "a.blob.core.windows.net"),
    (None, "198.51.100.22", None),
]  # fmt: skip
"""Host, address, and the shared name, after the names of the policy have been resolved."""


@pytest.mark.parametrize("backend", ["nft", "legacy"])
@pytest.mark.usefixtures("squid")
def test_whose_certificate_is_shown_is_what_policy_and_reader_say(tmp_path, backend):
    (build,) = compiled(Case(NAMED, PROXY, tags_known=False))
    files = {each.name: each.content for each in build.render()}
    machine = Firewall({name: content.decode() for name, content in files.items()})
    counts = Counter()
    artefact = write_artefact(tmp_path / "artefact", files)
    with intercepted(tmp_path, artefact, backend) as (gateway, member, stranger, apply, shown):
        # From the machine: the artefact alone does not know what other rules stand behind its chain.
        live = exported(gateway, backend, apply, tmp_path / "live")
        meaning = TARGET.read(build.site, [Artefact(file.name, file.read_bytes()) for file in sorted(live.iterdir())])
        for client, group, source in ((member, "connectors", "10.20.0.10"), (stranger, None, "10.20.0.77")):
            doors = [(*target, port) for target in TARGETS for port in (443, 8080)]
            found = shown(client, *(f"{host or address}:{port}" for host, address, _, port in doors))
            for (host, address, shared, port), word in zip(doors, found, strict=True):
                flow = Flow(group, source, frozenset(), host, None, address, shared, "tcp", port, "tls")
                problem = problem_of(build, flow, machine)
                assert not problem, f"{problem}: {flow}"
                verdict, handling = said(build, flow, TAGS), announced_handling(build, flow, TAGS)
                expected = "refused" if verdict == "deny" else "INSPECTOR" if handling == "inspect" else "ORIGIN"
                assert word.split()[0] == expected, flow
                ruling = decided(meaning.rulings, seen(flow, build.site))
                assert (None if ruling is None or ruling.outcome == "left" else ruling.outcome.value) == verdict, flow
                if verdict == "allow":
                    assert decided_handling(meaning.inspections, seen(flow, build.site)) == handling, flow
                    counts[handling] += 1
                counts[word.split()[0]] += 1
    # The names of the service bus, another name of an address of theirs, and an address of theirs; then the same of what
    # must be opened, on two ports, and a network; and the free name.
    assert (counts["exempt"], counts["inspect"], counts[None]) == (5, 9, 1), counts
    assert counts["INSPECTOR"] == 9, counts
    assert sum(counts[word] for word in ("ORIGIN", "INSPECTOR", "refused")) == 2 * 2 * len(TARGETS)
