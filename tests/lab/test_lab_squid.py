"""A real TLS-intercepting proxy on the gateway: who is shown whose certificate."""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from lab_gateway import gateway_and_clients
from lab_net import HERE, run, stop, write_artefact
from support import artefacts_of
from test_lab_gateway import PROXY, TLS

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


@pytest.mark.usefixtures("squid")
def test_the_origins_certificate_is_seen_where_nothing_must_be_opened(tmp_path):
    artefact = write_artefact(tmp_path / "artefact", artefacts_of(TLS, PROXY, "lab", accept=("tls-scope",)))
    # Squid leaves root behind and must still get at its files, so they stand elsewhere than pytest's.
    with (
        gateway_and_clients(tmp_path, "nft") as (gateway, member, stranger, outside, apply),
        tempfile.TemporaryDirectory() as name,
    ):
        place = Path(name)
        place.chmod(0o755)
        origin = certificate(place, "ORIGIN")
        certificate(place, "INSPECTOR")
        outside.start(sys.executable, str(HERE / "lab_tls.py"), "serve", str(origin), "9443", "9080", ready="ready")
        for port, real in (("443", "9443"), ("8080", "9080")):
            outside.run(
                "iptables-nft",
                "-t",
                "nat",
                "-A",
                "PREROUTING",
                "-p",
                "tcp",
                "--dport",
                port,
                "-j",
                "REDIRECT",
                "--to-ports",
                real,
            )
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

            assert shown(member, "sub.servicebus.windows.net:443", "servicebus.windows.net:443") == ["ORIGIN", "ORIGIN"]
            assert shown(member, "net.example:8080") == ["INSPECTOR"]
            assert shown(member, "login.windows.net:443") == ["ORIGIN"], "what may be inspected is left alone"
            assert shown(member, "hole.example:8080")[0].startswith("refused")
            assert shown(stranger, "net.example:8080") == ["ORIGIN"]
        finally:
            stop(int((place / "squid.pid").read_text()))
