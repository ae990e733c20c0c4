"""A small project, and what its folders hold."""

from __future__ import annotations

POLICY = """policy web "Web" {
    from servers
    allow api "The API" {
        to    198.51.100.7/32
        ports 443/tcp
    }
}
"""

WRONG = POLICY.replace("198.51.100.7/32", "no-such-set")
"""One error, E0207, at line 4, column 15."""

INVENTORY = """groups:
  berlin:
    networks: [10.1.0.10]
  munich:
    networks: [10.2.0.10]
  servers:
    members: [berlin, munich]
firewalls:
  edge:
    target: iptables
    groups: [servers]
    settings: {mode: gateway, interface: lan0}
  other-edge:
    target: iptables
    groups: [servers]
    settings: {mode: gateway, interface: lan1}
  hosts:
    target: windows-firewall
    groups: [servers]
"""


def tree(folder):
    """Every file and folder below, files with content and modification time: a file that is rewritten counts."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns) if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }
