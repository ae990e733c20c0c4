"""A host in the lab: its own resolver, and a world that it reaches through one cable."""

from __future__ import annotations

from contextlib import contextmanager

from lab_net import Applier, link, namespaces, world

NAMES = {
    "x.cloudapp.net": ("198.51.100.11", "2001:db8:100::11"),
    "deep.a.servicebus.windows.net": ("198.51.100.12", "2001:db8:100::12"),
    "servicebus.windows.net": ("198.51.100.13", "2001:db8:100::13"),
    "evilservicebus.windows.net": ("198.51.100.14", "2001:db8:100::14"),
    "a.msappproxy.net": ("198.51.100.15", "2001:db8:100::15"),
    "login.windows.net": ("198.51.100.16", "2001:db8:100::16"),
    "login.windows.net.evil.example": ("198.51.100.17", "2001:db8:100::17"),
    "e.akamaiedge.net": ("198.51.100.18", "2001:db8:100::18"),
    "www.microsoft.com": ("198.51.100.19", "2001:db8:100::19"),
    "a.blob.core.windows.net": ("198.51.100.20", "2001:db8:100::20"),
    "b.blob.core.windows.net": ("198.51.100.21", "2001:db8:100::21"),
    "other.example": ("198.51.100.22", "2001:db8:100::22"),
    "ctldl.windowsupdate.com": ("198.51.100.23", None),
    "only6.msauth.net": (None, "2001:db8:100::24"),
    "net.example": ("203.0.113.10", "2001:db8:200::10"),
    "hole.example": ("203.0.113.77", "2001:db8:200::77"),
    "intranet.windows.net": ("10.99.0.1", None),
}
CROWD = tuple((f"198.51.101.{n}", "many.example") for n in range(1, 121))
CNAMES = [
    ("sub.servicebus.windows.net", "ns-prod.trafficmanager.net"),
    ("ns-prod.trafficmanager.net", "x.cloudapp.net"),
    ("crl3.digicert.com", "e.akamaiedge.net"),
]
RESOLVER = """
user=dnsmasq
listen-address=127.0.0.1
bind-interfaces
no-hosts
cache-size=1000
log-facility=/dev/null
conf-dir={folder},*.conf
"""


@contextmanager
def host_and_world(folder, backend):
    """A host (with its way to apply an artefact) and the world."""
    with namespaces(folder, "host", "world") as (host, outside):
        link(host, outside, "up0", "down0")
        host.add_address("up0", "192.0.2.10/24", "2001:db8::10/64")
        outside.add_address("down0", "192.0.2.1/24", "2001:db8::1/64")
        host.ip("route", "add", "default", "via", "192.0.2.1")
        host.ip("-6", "route", "add", "default", "via", "2001:db8::1")
        world(outside, NAMES, CNAMES, CROWD)
        host.resolve_through("127.0.0.1")
        lines = host.folder / "dnsmasq.d"
        lines.mkdir()
        pid_file = host.dnsmasq(RESOLVER.format(folder=lines))
        yield host, Applier(host, backend, pid_file)
