"""A gateway under the shipped policy and its shipped inventory entry; and what its `nat` chain does with TLS."""

import shutil
import sys
from pathlib import Path

from lab_gateway import gateway_and_clients
from lab_net import HERE, probe, saved, write_artefact
from support import AS_OF, artefacts_of

from egressc.api import Request, compile_request
from egressc.diagnostics import has_errors

POLICIES = Path(__file__).resolve().parent.parent.parent / "policies"
PROXY = """
groups:
  connectors: {networks: [10.20.0.10, "2001:db8:20::10"]}
  others: {networks: [10.20.0.99]}
internal-networks: [10.0.0.0/8]
firewalls:
  lab:
    target: iptables
    groups: [connectors, others]
    settings: {mode: gateway, interface: lan0, tls-proxy-port: 3129, dnsmasq: {servers: [192.0.2.53]}}
"""
TLS = """
policy p "TLS" {
    from connectors
    allow plain "Not to be opened" { to *.servicebus.windows.net servicebus.windows.net ports 443 no-tls-inspection }
    allow opened "To be opened" { to 203.0.113.0/24 2001:db8:200::/64 ports 8080/tls tls-inspection }
    allow either "As you like" { to login.windows.net *.login.windows.net ports 443 80 }
    deny hole "Not even then" { to 203.0.113.77 2001:db8:200::77 ports 8080/tls }
}
"""


def shipped(folder):
    """The shipped policies and inventory, with the DNS server of the lab in the place of the example's."""
    shutil.copytree(POLICIES, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    inventory = folder / "inventory.yaml"
    text = inventory.read_text()
    assert text.count("10.20.0.53") == 1
    inventory.write_text(text.replace("10.20.0.53", "192.0.2.53"))
    result = compile_request(Request(paths=(str(folder / "main.egress"),), as_of=AS_OF, firewalls=("lab-gateway",)))
    assert not has_errors(result.diagnostics), [d.message for d in result.diagnostics]
    (build,) = result.builds
    return {artefact.name: artefact.content for artefact in build.render()}


def seen(client, *targets):
    return [answer.split(":")[0] for answer in probe(client, 65534, *targets, wait=3)]


def test_the_shipped_gateway(tmp_path, backend):
    artefact = write_artefact(tmp_path / "artefact", shipped(tmp_path / "policies"))
    with gateway_and_clients(tmp_path, backend) as (gateway, member, stranger, _, apply):
        apply(artefact)
        allowed = [
            ("sub.servicebus.windows.net", 443, 4), ("sub.servicebus.windows.net", 443, 6), ("a.msappproxy.net", 443, 4),
            ("login.windows.net", 443, 6), ("crl3.digicert.com", 80, 4), ("crl3.digicert.com", 80, 6), ("only6.msauth.net", 443, 6),
        ]  # fmt: skip
        denied = [
            ("evilservicebus.windows.net", 443, 4), ("sub.servicebus.windows.net", 8080, 6), ("other.example", 443, 4),
            ("198.51.100.22", 443, 4), ("2001:db8:100::22", 443, 6), ("192.0.2.53", 53, 4), ("login.windows.net", 80, 6),
        ]  # fmt: skip
        assert seen(member, *allowed) == ["ok"] * len(allowed)
        assert seen(member, *denied) == ["refused"] * len(denied)
        # Whoever the firewall does not govern is none of its business.
        assert seen(stranger, *denied[:5]) == ["ok"] * 5
        once = saved(gateway, backend)
        apply(artefact)
        assert saved(gateway, backend) == once
        apply(artefact, "--remove")
        assert seen(member, ("198.51.100.22", 443, 4), ("2001:db8:100::22", 443, 6)) == ["ok"] * 2


def test_what_is_intercepted_and_what_is_not(tmp_path, backend):
    artefact = write_artefact(tmp_path / "artefact", artefacts_of(TLS, PROXY, "lab", accept=("tls-scope",)))
    with gateway_and_clients(tmp_path, backend) as (gateway, member, stranger, _, apply):
        gateway.start(sys.executable, str(HERE / "lab_servers.py"), "3129=inspector", ready="ready")
        apply(artefact)
        assert probe(member, 65534, ("sub.servicebus.windows.net", 443, 4), ("sub.servicebus.windows.net", 443, 6)) == [
            "ok:198.51.100.11", "ok:2001:db8:100::11",
        ]  # fmt: skip
        assert probe(member, 65534, ("net.example", 8080, 4), ("net.example", 8080, 6)) == ["ok:inspector"] * 2
        assert probe(member, 65534, ("login.windows.net", 443, 4)) == ["ok:198.51.100.16"]
        assert (
            seen(member, ("hole.example", 8080, 4), ("hole.example", 8080, 6), ("other.example", 443, 4))
            == ["refused"] * 3
        )
        assert probe(stranger, 65534, ("net.example", 8080, 4)) == ["ok:203.0.113.10"]
        # A foreign interception behind ours: an exemption by RETURN would not have stopped it.
        gateway.run(f"iptables-{backend}", "-t", "nat", "-A", "PREROUTING", "-i", "lan0", "-p", "tcp", "--dport", "443",
                    "-j", "REDIRECT", "--to-ports", "3129")  # fmt: skip
        assert probe(member, 65534, ("sub.servicebus.windows.net", 443, 4)) == ["ok:198.51.100.11"]
        assert probe(member, 65534, ("login.windows.net", 443, 4)) == ["ok:inspector"]
        # Without the proxy the chain in `nat` goes, and foreign rules stay.
        without = write_artefact(
            tmp_path / "without",
            artefacts_of(
                TLS.replace(" tls-inspection", "").replace(" no-tls-inspection", ""),
                PROXY.replace("tls-proxy-port: 3129, ", ""),
                "lab",
            ),
        )
        apply(without)
        left = saved(gateway, backend, with_sets=False)
        assert [line for line in left if "PREROUTING" in line and line[:2] == "-A"] == [
            "-A PREROUTING -i lan0 -p tcp -m tcp --dport 443 -j REDIRECT --to-ports 3129"
        ]
        assert left.count(":EGRESSC -") == 2
