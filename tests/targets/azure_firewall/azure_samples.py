"""Policies that use everything, for the checks by independent programs."""

from __future__ import annotations

EVERYTHING = """
service-account robot "Robot" { linux-user robot }
endpoints bus "Service bus" { sql.contoso.com *.servicebus.windows.net fallback { service-tag ServiceBus 192.0.2.0/24 } }

policy connectors "Connectors" {
    from connectors
    as   robot
    allow cloud "Communication with the ""cloud"" service" {
        to *.msappproxy.net bus
        ports 443/https 5671-5672/tls
        no-tls-inspection
        ticket "CHG-4711"
    }
    allow certificates "[Certificate status]" {
        to crl3.digicert.com www.microsoft.com/pkiops
        ports 80
        expires 2027-06-30
    }
    allow queues "Queues" { to bus ports 9354/tcp }
    allow time "Time" { to 192.0.2.10-192.0.2.19 198.51.100.0/24 ports 123/udp }
    allow storage "Storage" { to *.windows.net except *.blob.core.windows.net 203.0.113.0/24 ports 8443/https }
}

policy servers "Servers" {
    from servers connectors
    deny shadow "Shadow" { to *.dropbox.com ports 443/https 80/http }
    deny bad "Bad networks" { to 198.51.100.66 ports any/tcp any/udp }
    allow updates "Updates" { to *.update.microsoft.com ports 443/https 80/http log }
    allow reviewed "Reviewed" { to upload.contoso.com/api partner.example.org ports 443/https tls-inspection }
    allow monitor "Monitoring" { to service-tag AzureMonitor any-address ports 443/udp }
}
"""

GROUPS = """
groups:
  connectors: {networks: [10.20.0.10, 10.20.0.12, "2001:db8:20::/64"]}
  servers: {networks: [10.30.0.0/24, 10.30.4.0-10.30.4.99]}
"""

PREMIUM = (
    GROUPS
    + """
firewalls:
  f:
    target: azure-firewall
    settings:
      policy: egress-policy
      location: West Europe
      tier: Premium
      dns-proxy: true
      ip-groups: true
      tls-inspection: true
      certificate-authority: {name: egress-ca, key-vault-secret-id: "https://contoso.vault.azure.net/secrets/egress-ca/0a1b2c"}
      rule-collection-group: {name: contoso.egress, priority: 20000}
"""
)

STANDARD = (
    GROUPS
    + """
firewalls:
  f: {target: azure-firewall, settings: {policy: egress-policy, location: westeurope}}
"""
)

MINIMAL = """
policy small "Small" {
    from servers
    allow web "Web" { to www.contoso.com ports 443 }
}
"""

SAMPLES = {"premium": (EVERYTHING, PREMIUM), "standard": (EVERYTHING.replace("tls-inspection\n", "no-tls-inspection\n")
           .replace(" tls-inspection }", " }").replace("no-no-", "no-"), STANDARD), "minimal": (MINIMAL, STANDARD)}  # fmt: skip
