"""A gateway in the lab: clients on one side, the world on the other, its resolver in between."""

from __future__ import annotations

from contextlib import contextmanager

from lab_host import CNAMES, NAMES
from lab_net import Applier, link, namespaces, world

RESOLVER = """
user=dnsmasq
listen-address=10.20.0.1,127.0.0.1
bind-interfaces
no-hosts
log-facility=/dev/null
conf-dir={folder},*.conf
"""


@contextmanager
def gateway_and_clients(folder, backend):
    """A gateway (with its way to apply an artefact), a client of the group, a client of none, and the world."""
    with namespaces(folder, "gateway", "member", "stranger", "world") as (gateway, member, stranger, outside):
        gateway.ip("link", "add", "lan0", "type", "bridge")
        gateway.ip("link", "set", "lan0", "up")
        gateway.add_address("lan0", "10.20.0.1/16", "2001:db8:20::1/64")
        for number, client in ((10, member), (77, stranger)):
            link(client, gateway, "up0", f"port{number}")
            gateway.ip("link", "set", f"port{number}", "master", "lan0")
            client.add_address("up0", f"10.20.0.{number}/16", f"2001:db8:20::{number}/64")
            client.ip("route", "add", "default", "via", "10.20.0.1")
            client.ip("-6", "route", "add", "default", "via", "2001:db8:20::1")
            client.resolve_through("10.20.0.1")
        link(gateway, outside, "wan0", "down0")
        gateway.add_address("wan0", "192.0.2.10/24", "2001:db8::10/64")
        outside.add_address("down0", "192.0.2.1/24", "2001:db8::1/64")
        gateway.ip("route", "add", "default", "via", "192.0.2.1")
        gateway.ip("-6", "route", "add", "default", "via", "2001:db8::1")
        outside.ip("route", "add", "10.20.0.0/16", "via", "192.0.2.10")
        outside.ip("-6", "route", "add", "2001:db8:20::/64", "via", "2001:db8::10")
        forward = "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"
        gateway.run("sh", "-c", forward)
        world(outside, NAMES, CNAMES)
        gateway.resolve_through("127.0.0.1")
        lines = gateway.folder / "dnsmasq.d"
        lines.mkdir()
        pid_file = gateway.dnsmasq(RESOLVER.format(folder=lines))
        yield gateway, member, stranger, outside, Applier(gateway, backend, pid_file)
