"""Independent readers of what the target writes, and a policy that uses all of it."""

import xml.etree.ElementTree as ET

from pan.config import PanConfig
from panos.firewall import Firewall
from panos.objects import AddressGroup, AddressObject, CustomUrlCategory, ScheduleObject, ServiceObject, Tag
from panos.policies import DecryptionRule, Rulebase, SecurityRule
from support import lowering_of

from egressc.targets.registry import load_target

ACCOUNTS = """
service-account connector "Connector" {
    windows-account "NT AUTHORITY\\NETWORK SERVICE"
    directory-user  "CONTOSO\\wapc$"
}
"""

POLICY = (
    ACCOUNTS
    + """
endpoints cloud-service "Cloud service" {
    *.msappproxy.net
    *.servicebus.windows.net
    fallback { 192.0.2.0/24 2001:db8:99::/48 }
}
endpoints revocation "Revocation lists" {
    crl3.digicert.com
    www.microsoft.com/pkiops
}

policy dublin-connectors "Outbound access of the private network connectors" {
    ticket "CHG-1"
    from   connectors
    as     connector

    allow cloud-service "Communication between the connector and the cloud service" {
        to    cloud-service
        ports 443/https 5671-5672/tls
        no-tls-inspection
        expires 2027-06-30
    }
    allow certificate-status "Certificate verification" {
        to    revocation
        ports 80/http
        ticket "RITM 0042"
        log off
    }
    allow tenant "One label, anywhere in the name" {
        to    autodiscover.*.onmicrosoft.com
        ports 443/https
        log
    }
    allow mail "Opaque ports" {
        to    smtp.example.com cloud-service
        ports 25/tcp
    }
    allow upload "Must be seen" {
        to    upload.example.org/incoming
        ports 443/https
        tls-inspection
    }
    allow networks "Both families" {
        to    198.51.100.0/24 2001:db8:1::/48 203.0.113.7-203.0.113.9
        ports 443/https 53/udp
    }
    allow most-of-windows "All but storage" {
        to    *.windows.net except *.blob.core.windows.net 198.18.0.0/15
        ports 8443/https
    }
}
policy everyone "What nobody may do" {
    from any-group
    deny paste-sites "No pasting" {
        to    paste.example.com
        ports 443/https 80/http
    }
    deny metadata "Not the metadata service" {
        to    169.254.169.254
        ports any/tcp
    }
}
"""
)

SETTINGS = (
    'version: "10.1", from-zone: trust, to-zone: untrust, decryption-profile: strict, log-setting: forward, '
    "profile-group: outbound"
)


def inventory(settings=SETTINGS, groups=None, extra=""):
    groups = groups or (
        'connectors: {networks: [10.20.0.10, 10.20.0.12, "2001:db8:20::/64"]}\n'
        "  existing: {objects: {paloalto: AG EXISTING}}"
    )
    return f"""
groups:
  {groups}
firewalls:
  edge:
    target: paloalto
    {extra}
    settings: {{{settings}}}
"""


DEVICE_GROUP = SETTINGS + ", location: {device-group: Dublin Edge, rulebase: pre}, place: {before: 'Clean up'}"


def rendered(lowering):
    """The two files of a lowering."""
    files = {a.name: a.content for a in load_target("paloalto").render(lowering.model)}
    return files["config.xml"], files["commands.set"]


def written(policy=POLICY, text=None):
    """The lowering and its two files; fails on diagnostics."""
    lowering = lowering_of(policy, text or inventory(), "edge")
    assert not lowering.diagnostics, lowering.diagnostics
    return (lowering, *rendered(lowering))


def scope_of(config):
    """The element below which objects and rules stand, and the rulebase in it."""
    root = ET.fromstring(config)
    found = root.findall("./devices/entry/vsys/entry") + root.findall("./devices/entry/device-group/entry")
    assert len(found) == 1
    bases = [e for e in found[0] if e.tag.endswith("rulebase")]
    assert len(bases) <= 1
    return found[0], (bases[0] if bases else None)


def read_with_panos(config, version="10.1.0"):
    """What pan-os-python reads: objects by class name, each a list in the order of the file."""
    scope, base = scope_of(config)

    def read(kind, parent):
        if parent is None:
            return []
        firewall = Firewall("192.0.2.1", "user", "password", api_key="none")
        firewall._set_version_and_version_info(version)
        above = firewall
        if kind in {SecurityRule, DecryptionRule}:
            above = firewall.add(Rulebase())
        return above.add(kind("any-name")).refreshall_from_xml(parent)

    return {
        "tags": read(Tag, scope.find("tag")),
        "addresses": read(AddressObject, scope.find("address")),
        "groups": read(AddressGroup, scope.find("address-group")),
        "services": read(ServiceObject, scope.find("service")),
        "schedules": read(ScheduleObject, scope.find("schedule")),
        "categories": read(CustomUrlCategory, scope.find("profiles/custom-url-category")),
        "security": read(SecurityRule, None if base is None else base.find("security/rules")),
        "decryption": read(DecryptionRule, None if base is None else base.find("decryption/rules")),
    }


BASE_LINES = {"set shared", "set network", "set template", "set template-stack", "set log-collector-group"}
"""What panconf prints for the empty elements of the smallest base that loaders accept."""


def panconf_lines(config):
    """What pan-python's converter makes of the configuration: `set` lines, without those of the empty base.

    The same as `panconf.py --config config.xml --set`.
    """
    conf = PanConfig(config=config.decode())
    out = []
    for xpath in conf.config_xpaths():
        out += conf.set_cli("set ", xpath, member_list=True) or []
    return [line for line in out if line not in BASE_LINES]


def words_of(line):
    """A command split at spaces outside quotes; quotes are taken off. Fails where a quote is not closed."""
    words, word, quote = [], None, None
    for char in line:
        if quote:
            if char == quote:
                quote = None
            else:
                word += char
        elif char in "\"'":
            quote, word = char, word or ""
        elif char == " ":
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or "") + char
    assert quote is None, line
    return words if word is None else [*words, word]
