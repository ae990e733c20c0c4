"""Where random flows are real connections: a host or a gateway, and a world that answers on every address and port.

``place(folder, backend, mode, objects)`` gives a ``Place``. What our chain leaves to others meets a rule behind it that
lets it go out from another address, and the world answers accordingly; a stand-in for the proxy answers what is
redirected. So the client can tell what was allowed, refused, left, or redirected.
"""

from __future__ import annotations

import json
import os
import pwd
import signal
import sys
from collections import defaultdict
from contextlib import contextmanager

from lab_net import HERE, Applier, cgroup_root, link, namespaces, run

SERVER = "100.80.0.53"
"""Within shared address space (RFC 6598), and 3fff::/20 (RFC 9637): no flow goes to the addresses of the lab itself."""

SLICE = f"egressc-lab-{os.getpid()}.slice"
PROXY_PORT = 3129
OTHER_UID = 61009

_WAIT = 3
"""Seconds: nothing of ours drops packets, so who waits has found a fault."""

_OURS = {("tcp", 4): "ECONNREFUSED", ("tcp", 6): "ECONNREFUSED", ("udp", 4): "EHOSTUNREACH", ("udp", 6): "EACCES"}
"""What a client finds where our chain refuses: a reset for TCP, else *administratively prohibited* (iptables.md, 0)."""

_LEFT = {4: "100.80.0.99", 6: "3fff::99"}
"""The source that the world sees of connections that our chain has left to others."""

_SPARE = {4: ("100.80.0.99/24",), 6: ("3fff::99/64", "preferred_lft", "0", "nodad")}
"""The same as an address that nothing uses by itself: a second one, or one that is not preferred."""

_RESOLVER = """
user=dnsmasq
listen-address={listen}
bind-interfaces
no-hosts
no-resolv
server={server}
cache-size=0
log-facility=/dev/null
conf-dir={folder},*.conf
"""


class Place:
    """A machine under test with its client (a host is its own) and its world."""

    def __init__(self, machine, client, outside, apply):
        self.machine, self.client, self.outside, self.apply = machine, client, outside, apply
        self.is_host = machine is client

    def forget(self):
        """Let the sets lose what was learned from the flows before: their names had other addresses."""
        names = self.machine.run("ipset", "list", "-n").stdout.split()
        learned = "".join(f"flush {name}\n" for name in names if name.startswith("egc_"))
        self.machine.run("ipset", "restore", text=learned)

    def teach(self, flows):
        """Let the world know the names of these flows, and the client ask for all of them."""
        known = defaultdict(set)
        for flow in flows:
            for name in {flow.host, flow.shared} - {None}:
                known[name].add(flow.address)
        lines = [f"{address} {name}\n" for name, held in known.items() for address in sorted(held)]
        (self.outside.folder / "hosts").write_text("".join(lines))
        (pid_file,) = self.outside.pid_files
        os.kill(int(pid_file.read_text()), signal.SIGHUP)
        wanted = {name: sorted(held) for name, held in known.items()}
        for _ in range(20):
            done = self.client.run(sys.executable, str(HERE / "lab_resolve.py"), *wanted)
            found = json.loads(done.stdout)
            if found == wanted:
                return
        raise AssertionError(f"unresolved: { {n: (wanted[n], found[n]) for n in wanted if wanted[n] != found[n]} }")

    def dial(self, flows):
        """What becomes of connections: for each flow ``"allow"``, ``"deny"``, ``"left"``, ``"inspect"``, or an error."""
        senders = defaultdict(list)
        for number, flow in enumerate(flows):
            has = dict(flow.process)
            uid = _uid(has.get("linux-user", OTHER_UID)) if self.is_host else 65534
            senders[uid, str(cgroup_root() / SLICE) if has.get("linux-cgroup") else ""].append(number)
        task = [
            [uid, folder, [["" if self.is_host else f.source, f.address, f.port, f.transport]
                           for f in (flows[n] for n in numbers)]]
            for (uid, folder), numbers in senders.items()
        ]  # fmt: skip
        # `ip netns exec` hides the hierarchy of control groups, so this goes in another way.
        command = ("nsenter", f"--net=/run/netns/{self.client.name}", sys.executable, str(HERE / "lab_dial.py"))
        self._ways("add", flows)
        try:
            done = run(*command, text=json.dumps({"senders": task, "wait": _WAIT}))
        finally:
            self._ways("del", flows)
        words = [""] * len(flows)
        for numbers, found in zip(senders.values(), json.loads(done.stdout), strict=True):
            for number, word in zip(numbers, found, strict=True):
                words[number] = _meant(word, flows[number])
        return words

    def saved(self):
        """What the machine holds, as the programs print it: names and texts."""
        tools = {"v4": f"iptables-{self.apply.backend}-save", "v6": f"ip6tables-{self.apply.backend}-save", "sets": "ipset save",
                 "users": "getent passwd"}  # fmt: skip
        texts = {name: self.machine.run(*command.split()).stdout for name, command in tools.items()}
        return {**texts, **{file.name: file.read_text() for file in self.apply.lines.iterdir()}}

    def _ways(self, action, flows):
        """Give a client the addresses of these flows' sources, and a gateway the way to them; or take them away."""
        if self.is_host:
            return
        here, there = [], []
        for source in sorted({flow.source for flow in flows}):
            length, by = (128, "3fff:1::2") if ":" in source else (32, "100.80.1.2")
            here.append(f"addr {action} {source}/{length} dev lo{' nodad' * (length == 128)}\n")
            there.append(f"route {action} {source}/{length} via {by} dev lan0\n")
        run("ip", "-n", self.client.name, "-batch", "-", text="".join(here))
        run("ip", "-n", self.machine.name, "-batch", "-", text="".join(there))


def _meant(word, flow):
    """What became of a connection, by what its client found."""
    where = (flow.transport, 6 if ":" in flow.address else 4)
    known = {"origin": "allow", "other": "left", "inspector": "inspect", _OURS[where]: "deny"}
    return known.get(word, word)


def _uid(user):
    return int(user) if str(user).isdigit() else pwd.getpwnam(user).pw_uid


def _quick(space):
    """No limit on ICMP errors, no filter on ways back."""
    settings = {
        "net/ipv4/icmp_ratelimit": 0, "net/ipv6/icmp/ratelimit": 0, "net/ipv4/conf/all/rp_filter": 0,
        "net/ipv4/conf/default/rp_filter": 0, "net/ipv4/icmp_msgs_per_sec": 100000, "net/ipv4/icmp_msgs_burst": 100000,
    }  # fmt: skip
    tries = "; ".join(f"[ -w /proc/sys/{name} ] && echo {value} >/proc/sys/{name}" for name, value in settings.items())
    space.run("sh", "-c", f"{tries}; true")


def _world(outside, backend):
    """Everything that is not the DNS server's is answered."""
    hosts = outside.folder / "hosts"
    hosts.write_text("")
    outside.add_address("lo", f"{SERVER}/32")
    for tool, but in (("iptables", ("!", "-d", SERVER)), ("ip6tables", ())):
        for transport in ("tcp", "udp"):
            outside.run(f"{tool}-{backend}", "-t", "nat", "-A", "PREROUTING", *but, "-p", transport, "-j", "REDIRECT",
                        "--to-ports", "9000")  # fmt: skip
    outside.dnsmasq(
        f"no-resolv\nno-hosts\nuser=root\nlisten-address={SERVER}\nbind-interfaces\nlocal=/./\naddn-hosts={hosts}\n"
    )
    outside.start(sys.executable, str(HERE / "lab_echo.py"), "9000=origin", *_LEFT.values(), ready="ready")


@contextmanager
def place(folder, backend, mode, objects):
    """A host, or a gateway with a client, and the world. ``objects``: sets of an administrator's, with their networks."""
    roles = ("host", "world") if mode == "host" else ("gateway", "world", "client")
    cgroup = cgroup_root() / SLICE
    cgroup.mkdir(exist_ok=True)
    try:
        with namespaces(folder, *roles) as (machine, outside, *clients):
            client = clients[0] if clients else machine
            for each in (machine, outside, *clients):
                _quick(each)
            link(machine, outside, "up0", "down0")
            machine.add_address("up0", "100.80.0.10/24", "3fff::10/64")
            outside.add_address("down0", "100.80.0.1/24", "3fff::1/64")
            _routes(machine, "100.80.0.1", "3fff::1")
            _routes(outside, "100.80.0.10", "3fff::10")
            listen = "127.0.0.1"
            if clients:
                listen = "100.80.1.1"
                _between(machine, client)
            _world(outside, backend)
            _make(machine, objects)
            _behind(machine, backend, mode)
            machine.start(sys.executable, str(HERE / "lab_echo.py"), f"{PROXY_PORT}=inspector", ready="ready")
            client.resolve_through(listen)
            lines = machine.folder / "dnsmasq.d"
            lines.mkdir()
            pid_file = machine.dnsmasq(_RESOLVER.format(folder=lines, listen=listen, server=SERVER))
            yield Place(machine, client, outside, Applier(machine, backend, pid_file))
    finally:
        cgroup.rmdir()


def _between(gateway, client):
    """Put the gateway between the client and the world."""
    link(client, gateway, "up0", "lan0")
    gateway.add_address("lan0", "100.80.1.1/24", "3fff:1::1/64")
    client.add_address("up0", "100.80.1.2/24", "3fff:1::2/64")
    _routes(client, "100.80.1.1", "3fff:1::1")
    gateway.run("sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")


def _behind(machine, backend, mode):
    """Behind the place of our chain, give other sources to what goes on."""
    chain, where = ("OUTPUT", ("!", "-o", "lo")) if mode == "host" else ("FORWARD", ("-i", "lan0"))
    for tool, family in (("iptables", 4), ("ip6tables", 6)):
        machine.ip("addr", "add", *_SPARE[family], "dev", "up0")
        machine.run(f"{tool}-{backend}", "-A", chain, *where, "-m", "conntrack", "--ctstate", "NEW", "-j", "MARK",
                    "--set-mark", "7")  # fmt: skip
        machine.run(f"{tool}-{backend}", "-t", "nat", "-A", "POSTROUTING", "-o", "up0", "-m", "mark", "--mark", "7", "-j", "SNAT",
                    "--to-source", _LEFT[family])  # fmt: skip


def _make(machine, objects):
    for name, networks in objects.items():
        for kind, family in ((4, "inet"), (6, "inet6")):
            machine.run("ipset", "create", f"{name}_{kind}", "hash:net", "family", family)
            for network in networks:
                if (":" in network) is (kind == 6):
                    machine.run("ipset", "add", f"{name}_{kind}", network)


def _routes(space, v4, v6):
    space.ip("route", "add", "default", "via", v4)
    space.ip("-6", "route", "add", "default", "via", v6)
