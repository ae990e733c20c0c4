"""A host with an inspecting proxy of its own: what goes to it, what does not, and what never leaves the machine."""

import sys

from lab_host import host_and_world
from lab_net import HERE, probe, write_artefact
from support import artefacts_of

INVENTORY = """
groups:
  g: {networks: [192.0.2.10]}
firewalls:
  lab:
    target: iptables
    groups: [g]
    settings: {mode: host, tls-proxy-port: 3129, dnsmasq: {servers: [192.0.2.53]}}
"""
POLICY = """
service-account one "One" { linux-user daemon }
policy p "P" {
    from g
    as   one
    allow opened "To be opened" { to any-address ports 8080/tls tls-inspection }
    allow plain "Not to be opened" { to login.windows.net *.login.windows.net ports 443 no-tls-inspection }
}
"""


def test_the_proxy_gets_what_must_be_opened_and_nothing_of_the_host_itself(tmp_path, backend):
    artefact = write_artefact(tmp_path / "artefact", artefacts_of(POLICY, INVENTORY, "lab"))
    with host_and_world(tmp_path, backend) as (host, apply):
        host.start(sys.executable, str(HERE / "lab_servers.py"), "3129=inspector", "8080=local", ready="ready")
        apply(artefact)
        assert probe(host, 1, ("net.example", 8080, 4), ("2001:db8:200::10", 8080, 6)) == ["ok:inspector"] * 2
        inside = ("127.0.0.1", 8080, 4), ("::1", 8080, 6), ("192.0.2.10", 8080, 4)
        assert probe(host, 1, *inside) == ["ok:local"] * 3
        assert probe(host, 1, ("login.windows.net", 443, 4), ("login.windows.net", 443, 6)) == [
            "ok:198.51.100.16", "ok:2001:db8:100::16",
        ]  # fmt: skip
        assert probe(host, 65534, ("net.example", 8080, 4), ("login.windows.net", 443, 6)) == ["refused"] * 2
