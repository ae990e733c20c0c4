"""One artefact whole, as files to read and review: every kind of rule once."""

from pathlib import Path

from support import AS_OF, artefacts_of
from test_windows_firewall_script import checked
from windows_host import Host

from egressc.api import Request, compile_request
from egressc.diagnostics import has_errors

GOLDEN = Path(__file__).parent / "golden"
POLICIES = Path(__file__).resolve().parents[3] / "policies"

POLICY = """
service-account connector "Connector" {
    windows-account "NT AUTHORITY\\NETWORK SERVICE"
    windows-service "WAPCSvc"
}
service-account agent "Agent's account" {
    windows-account "CONTOSO\\agent$"
    windows-program "%ProgramFiles%\\Contoso's Agent\\agent.exe"
}
endpoints cloud-service "Cloud service" {
    *.msappproxy.net
    *.servicebus.windows.net
}
policy dublin "Outbound access, 'Dublin'" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress?a=b|c"
    from      connectors

    allow cloud "Caf\xe9 \u2019quoted\u2019 $(not run) `nor this` \U0001f525" {
        as    connector
        to    cloud-service www.microsoft.com/pkiops
        ports 443/https 80/http
        no-tls-inspection
        expires 2027-06-30
    }
    allow time "Time servers" {
        to    192.0.2.1 192.0.2.8-192.0.2.11 2001:db8::/64
        ports 123/udp 4460/tls
    }
    allow agent "The agent, but not at the old site" {
        as    agent
        to    *.agent.example except 198.51.100.0/24
        ports 8443/tls
        ticket "CHG-1"
    }
    deny quarantine "Nobody talks to quarantined hosts" {
        to    10.66.0.0/16
        ports any/tcp any/udp
    }
    deny storage "No storage accounts" {
        to    *.blob.core.windows.net
        ports 443/https
    }
}
"""
INVENTORY = """
groups:
  connectors: {networks: [10.20.0.10]}
internal-networks: [10.0.0.0/8, "fc00::/7"]
firewalls:
  hosts: {target: windows-firewall}
"""


def test_the_golden_artefact(golden):
    files = artefacts_of(POLICY, INVENTORY, "hosts")
    checked(files)
    for name, content in files.items():
        golden(GOLDEN / name, content)


def test_the_golden_script_runs():
    host = Host()
    host.accounts["CONTOSO\\agent$"] = "S-1-5-21-1-2-3-1105"
    host.run((GOLDEN / "firewall.ps1").read_bytes(), EnforceDefaultDeny=True)
    held = host.rules["PersistentStore"].values()
    assert len(held) == 8
    assert sorted(r["action"] for r in held).count("Block") == 3
    agent = [r for r in held if r.get("program")]
    assert {r["localuser"] for r in agent} == {"D:(A;;CC;;;S-1-5-21-1-2-3-1105)"}


def test_the_shipped_policies_compile_and_apply():
    result = compile_request(Request(paths=(str(POLICIES),), as_of=AS_OF, targets=("windows-firewall",)))
    assert not has_errors(result.diagnostics)
    assert [build.site.name for build in result.builds] == [
        "connector-hosts/connectors-dublin",
        "connector-hosts/connectors-azure",
    ]
    for build in result.builds:
        files = {artefact.name: artefact.content for artefact in build.render()}
        values = checked(files)
        host = Host()
        host.services.update(dict.fromkeys({r["Service"] for r in values["Rules"] if "Service" in r}, "UNRESTRICTED"))
        host.run(files["firewall.ps1"], EnforceDefaultDeny=True)
        assert sorted(host.rules["PersistentStore"]) == sorted(r["Name"] for r in values["Rules"])
        assert all(r["Action"] == "Allow" for r in values["Rules"])
        assert build.lowering.diagnostics == ()
