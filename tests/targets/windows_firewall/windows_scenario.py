"""One policy in which every kind of rule of Windows Firewall stands, for what must be noticed when it is changed."""

ACCOUNTS = {"CONTOSO\\agent$": "S-1-5-21-1-2-3-1105"}
"""Identifiers of accounts that only the host knows."""

FIREWALL = "hosts"

POLICY = """
service-account net "Network service" {
    windows-account "NT AUTHORITY\\NETWORK SERVICE"
    windows-service "WAPCSvc"
    windows-service "WAPCUpd"
}
service-account agent "Agent" {
    windows-account "CONTOSO\\agent$"
    windows-program "%ProgramFiles%\\Contoso's Agent\\agent.exe"
}
service-account installer "Installer" { windows-account "NT SERVICE\\TrustedInstaller" }
policy p "Outbound" {
    from g
    allow names "By name" {
        as net
        to login.contoso.example *.cloud.example
        ports 443/https 80/http
    }
    allow time "By address, for anybody" {
        to 192.0.2.1 192.0.2.8-192.0.2.11 2001:db8:1::/64
        ports 123/udp 4460/tls
    }
    allow agent "By name, but not there" {
        as agent
        to *.agent.example except 198.51.100.0/24
        ports 8443/tls
    }
    allow installer "By address, for one account" {
        as installer
        to 203.0.113.0/24
        ports 443/tcp 8000-8010/tcp
    }
    deny quarantine "Nobody talks to these" {
        to 10.66.0.0/16
        ports any/tcp any/udp
    }
}
"""

INVENTORY = """
groups:
  g: {networks: [10.20.0.10]}
internal-networks: [10.0.0.0/8, "fc00::/7"]
firewalls:
  hosts: {target: windows-firewall}
"""
