"""The files as bytes: whole, and as golden files."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from support import artefacts_of, lowering_of

from egressc.addresses import AddressSet
from egressc.targets.iptables.model import NetworkSet
from egressc.targets.iptables.render import render

GOLDEN = Path(__file__).resolve().parent / "golden"
POLICY = '''
service-account connector "Connector" { linux-user wapc }
service-account updater "Updater" { linux-user www-data linux-cgroup "egressc-updater.slice" }
policy dublin "Dublin ""connectors""" {
    owner "net@contoso.example"
    ticket "CHG-1"
    reference "https://contoso.example/?a=$(id)&b=`id`"
    review-by 2027-06-30
    from connectors
    allow cloud "Communication with the cloud service" {
        to *.msappproxy.net *.servicebus.windows.net ports 443/https as connector no-tls-inspection log
    }
    allow windows "All of windows.net" { to windows.net *.windows.net except blob.core.windows.net *.blob.core.windows.net ports 443 as connector }
    allow pki "Certificates" { to www.microsoft.com/pkiops crl3.digicert.com ports 80 443 as connector updater }
    allow ntp "Time" { to any-address ports 123/udp expires 2030-12-31 ticket "CHG-2 \\ ""x""" }
    allow nets "Networks" { to 198.51.100.0/24 2001:db8:5::/48 10.1.2.3-10.1.2.9 0.0.0.0/1 ports 22/tcp 8000-8010/tcp }
    deny hole "Not this one" { to 198.51.100.7 ports any/tcp any/udp }
    deny login "No longer" { to login.windows.net *.login.windows.net ports 443 }
}
'''
INVENTORY = """
groups:
  connectors: {networks: [10.20.0.10, 10.20.0.11, "2001:db8:20::/64"]}
firewalls:
  host: {target: iptables, settings: {nflog-group: 5, dnsmasq: {servers: [192.0.2.53, "2001:db8::53"]}}}
  gateway: {target: iptables, accept: [path, apex, depth, tls-scope], settings: {mode: gateway, interface: lan0, chain: EG-1, tls-proxy-port: 3129}}
"""
FILES = ("rules.v4", "rules.v6", "sets.ipset", "dnsmasq.conf")


@pytest.mark.parametrize("firewall", ["host", "gateway"])
def test_the_files_are_as_reviewed(firewall, golden):
    files = artefacts_of(POLICY, INVENTORY, firewall)
    assert tuple(files) == (*FILES, "apply.sh")
    for name in FILES:
        golden(GOLDEN / firewall / name, files[name])


def test_the_script_is_the_shipped_file():
    shipped = Path(__file__).resolve().parents[3] / "targets" / "iptables" / "apply.sh"
    for firewall in ("host", "gateway"):
        assert artefacts_of(POLICY, INVENTORY, firewall)["apply.sh"] == shipped.read_bytes()


def test_rendering_is_a_function_of_the_model():
    lowering = lowering_of(POLICY, INVENTORY, "host")
    assert render(lowering.model) == render(lowering.model)
    assert render(lowering.model) == render(lowering_of(POLICY, INVENTORY, "host").model)


def test_there_are_rules_for_both_families_even_if_one_has_none():
    policy = 'policy p "P" { from g allow r "R" { to 203.0.113.0/24 ports 443 } }'
    inventory = "groups:\n  g: {networks: [10.0.0.1]}\nfirewalls:\n  f: {target: iptables}\n"
    rules = artefacts_of(policy, inventory, "f")["rules.v6"].decode()
    assert "-j ACCEPT" in rules
    assert rules.rstrip().endswith("-j REJECT --reject-with icmp6-adm-prohibited\nCOMMIT")


def hostile(description):
    quoted = description.replace('"', '""')
    policy = f'policy p "{quoted}" {{ from g owner "{quoted}" allow r "{quoted}" {{ to x.com ports 443 ticket "{quoted}" }} }}'
    inventory = "groups:\n  g: {networks: [10.0.0.1]}\nfirewalls:\n  f: {target: iptables, accept: [depth]}\n"
    return artefacts_of(policy, inventory, "f")


@pytest.mark.parametrize("text", [
    'x" -j ACCEPT', "x\\", 'x\\" -j ACCEPT -m comment --comment "', "$(id)`id`", "tab\tx", "a\u2066b\u2069c", "#: hook filter INPUT",
    "-A EGRESSC -j ACCEPT " * 600, "ü" * 10_000, "\u202eTPECCA j-", "' '' \" '",
])  # fmt: skip
def test_a_description_is_nowhere_but_in_comments(text):
    calm, wild = hostile("calm"), hostile(text)
    assert {name: wild[name] for name in wild if name[:5] != "rules"} == {
        name: calm[name] for name in calm if name[:5] != "rules"
    }

    def bare(files, name):
        lines = [line for line in files[name].decode().split("\n") if not line.startswith("# ")]
        return [re.sub(r'--comment "(?:[^"\\]|\\.)*"', "", line) for line in lines]

    for name in ("rules.v4", "rules.v6"):
        assert bare(wild, name) == bare(calm, name)
        for line in wild[name].split(b"\n"):
            assert len(line) < 1024
            for comment in re.findall(rb'--comment "((?:[^"\\]|\\.)*)"', line):
                assert len(re.sub(rb"\\(.)", rb"\1", comment)) <= 255


def test_what_is_cut_from_a_comment_stands_in_remarks():
    text = " ".join(f"word{n}" for n in range(200))
    rules = hostile(text)["rules.v4"].decode()
    remarks = " ".join(line[2:] for line in rules.splitlines() if line.startswith("# "))
    assert f"p/r: {text} [{text}]" in remarks


def test_sets_are_in_the_form_that_ipset_gives_back():
    for line in artefacts_of(POLICY, INVENTORY, "gateway")["sets.ipset"].decode().splitlines():
        assert re.fullmatch(
            r"# .*|create eg[bcnsx]_[a-z0-9]+_4 (hash:ip family inet timeout 86400|hash:net family inet maxelem 65536)"
            r"|create eg[bcnsx]_[a-z0-9]+_6 (hash:ip family inet6 timeout 86400|hash:net family inet6 maxelem 65536)"
            r"|add eg[nsxc]_[a-z0-9]+_4 [0-9.]+(/[1-9][0-9]*)?|add eg[nsxc]_[a-z0-9]+_6 [0-9a-f:]+(/[1-9][0-9]*)?",
            line,
        ), line


def test_a_large_set_has_room():
    many = AddressSet(v4=tuple((n, n) for n in range(1 << 30, (1 << 30) + 131_074, 2)))
    model = lowering_of(POLICY, INVENTORY, "host").model
    model = replace(model, networks=(NetworkSet("egn_0123456789", many),))
    text = next(a.content for a in render(model) if a.name == "sets.ipset").decode()
    assert "create egn_0123456789_4 hash:net family inet maxelem 65537\n" in text
    assert "create egn_0123456789_6 hash:net family inet6 maxelem 65536\n" in text
