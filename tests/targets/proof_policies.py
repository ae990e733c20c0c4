"""A policy for each target in which every part of its artefacts has something to do, for tests of the proof and of drift.

What a test breaks or tampers with must matter: each feature here stands in a rule that no other rule makes up for.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "windows_firewall"))
import windows_scenario

_HEAD = """
service-account connector "The connector" {
    windows-account "CORP\\svc-connector"
    windows-service "ConnectorSvc"
    linux-user connector
    directory-user "corp\\svc-connector"
}
service-account agent "The agent" {
    windows-service "AgentSvc"
    linux-user agent
    directory-user "corp\\svc-agent"
}
endpoints cloud "The cloud service" {
    *.cloud.example.com
    api.example.net
    fallback { 198.51.100.0/24 }
}
"""

_RULES = """
policy main "What the connectors need" {
    from connectors
    allow cloud "Cloud service" { to cloud ports 443/https no-tls-inspection }
    allow status "Certificate status" { to ocsp.example.org crl.example.org ports 80/http }
    allow queue "Message queue" { to *.queue.example.com ports 5671-5672/tls }
    allow as-agent "The agent's updates" { as agent to update.example.net ports 443/https }
    allow by-address "Partner network" { to 203.0.113.0/25 203.0.113.200 ports 8443/tcp 8500-8510/tcp }
    allow ntp "Time" { to 192.0.2.123 ports 123/udp }
    allow until "A pilot" { to pilot.example.io ports 443/https expires 2027-06-30 }
    allow inside "One server inside the house" { to 10.50.0.7 ports 1433/tcp }
    deny partner-hole "One address of the partner is out of bounds" { to 203.0.113.77 ports 8443/tcp }
    deny old-queue "The old queue is gone" { to old.queue.example.com ports 5671-5672/tls }
}
policy both "What every host needs" {
    from connectors servers
    allow portal "Portal" { to portal.example.com *.portal.example.com ports 443/https }
}
"""

_EXCEPT = """
policy more "More of the connectors" {
    from connectors
    allow files "Files, but not the archive" { to *.files.example.com except archive.files.example.com ports 443/https }
    allow web "Documents" { to docs.example.org/public ports 80/http }
}
"""

_INSPECTED = """
policy opened "What must be opened" {
    from servers
    allow uploads "Uploads" { to upload.example.com ports 443/https tls-inspection }
}
"""

# dnsmasq takes a name together with what is below it.
_WHOLE = (_RULES + _EXCEPT).replace("old.queue.example.com", "old.queue.example.com *.old.queue.example.com")
_WHOLE = _WHOLE.replace("archive.files.example.com", "archive.files.example.com *.archive.files.example.com")

_GROUPS = """
groups:
  connectors: {networks: [10.20.0.0/24]}
  servers: {networks: [10.21.0.0/24]}
internal-networks: [10.0.0.0/8, 192.168.0.0/16]
"""

_V6_GROUPS = _GROUPS.replace("10.20.0.0/24]", '10.20.0.0/24, "2001:db8:20::/64"]')

AS_OF = "2026-11-26"

POLICIES = {
    "paloalto": _HEAD + _RULES + _EXCEPT + _INSPECTED,
    "azure-firewall": _HEAD + _RULES + _EXCEPT + _INSPECTED,
    "iptables": _HEAD + _WHOLE + _INSPECTED,
    "iptables-host": _HEAD + _WHOLE,
    "windows-firewall": windows_scenario.POLICY,
}
POLICIES["paloalto-set"] = POLICIES["paloalto"]
"""The policy by target (`iptables-host`: the same target on a host; `paloalto-set`: the other of its two forms)."""

INVENTORIES = {
    "paloalto": _V6_GROUPS
    + """
firewalls:
  fw:
    target: paloalto
    settings:
      version: "10.1"
      from-zone: trust
      to-zone: untrust
      user-id: true
      tls-inspection: true
      decryption-profile: strict
""",
    "azure-firewall": _GROUPS
    + """
firewalls:
  fw:
    target: azure-firewall
    settings:
      policy: egress
      location: westeurope
      tier: Premium
      dns-proxy: true
      tls-inspection: true
      certificate-authority: {name: ca, key-vault-secret-id: "https://vault.vault.azure.net/secrets/ca"}
""",
    "iptables": _V6_GROUPS
    + """
firewalls:
  fw:
    target: iptables
    settings: {mode: gateway, interface: lan0, tls-proxy-port: 3129}
""",
    "iptables-host": _V6_GROUPS
    + """
firewalls:
  fw:
    target: iptables
    groups: [connectors]
    settings: {mode: host}
""",
    "windows-firewall": windows_scenario.INVENTORY,
}
INVENTORIES["paloalto-set"] = INVENTORIES["paloalto"]
"""The inventory by target; it has one firewall."""
