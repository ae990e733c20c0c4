"""Network namespaces with a real resolver, real servers and real clients; every packet stays inside them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOOLS = ("ip", "unshare", "setpriv", "ipset", "dnsmasq", "conntrack", "iptables-nft", "iptables-legacy", "ip6tables-nft",
         "ip6tables-legacy")  # fmt: skip
_number = count()


def missing():
    """Why the lab cannot run here; nothing if it can."""
    if os.geteuid() != 0:
        return "the lab needs root"
    tools = [tool for tool in TOOLS if shutil.which(tool) is None]
    if tools:
        return f"the lab needs {', '.join(tools)}"
    probe = subprocess.run(["unshare", "-n", "iptables-nft-save"], capture_output=True, check=False)
    return None if probe.returncode == 0 else f"no network namespaces here: {probe.stderr.decode().strip()}"


def run(*command, check=True, text=None, timeout=60):
    """Run a command to its end and give what it printed."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def cgroup_root():
    """Where the hierarchy of control groups (version 2) is mounted."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return next(Path(fields[1]) for fields in mounts if fields[2] == "cgroup2")


class Namespace:
    """One network namespace, its own /etc/resolv.conf, and the processes started in it."""

    def __init__(self, folder, role):
        self.name = f"egl{os.getpid()}-{next(_number)}"
        self.folder = folder / role
        self.folder.mkdir()
        self.processes = []
        self.pid_files = []
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")
        # No waiting for duplicate address detection, and the addresses are usable at once.
        self.run(
            "sh",
            "-c",
            "echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad; echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad",
        )
        self.etc = Path("/etc/netns") / self.name

    def resolve_through(self, server):
        """Let the clients here ask this DNS server."""
        self.etc.mkdir(parents=True)
        (self.etc / "resolv.conf").write_text(f"nameserver {server}\noptions timeout:2 attempts:1\n")

    def ip(self, *arguments):
        return run("ip", "-n", self.name, *arguments)

    def command(self, *command, uid=None):
        """The command as it runs in here, maybe as another user."""
        as_user = ("setpriv", f"--reuid={uid}", "--regid=65534", "--clear-groups") if uid is not None else ()
        return ("ip", "netns", "exec", self.name, *as_user, *command)

    def run(self, *command, uid=None, **options):
        return run(*self.command(*command, uid=uid), **options)

    def start(self, *command, ready):
        """Start a process that prints ``ready`` once it is."""
        process = subprocess.Popen(self.command(*command), stdout=subprocess.PIPE, text=True)
        self.processes.append(process)
        assert process.stdout.readline().strip() == ready
        return process

    def add_address(self, link, *addresses):
        for address in addresses:
            self.ip("addr", "add", address, "dev", link, *(("nodad",) if ":" in address else ()))

    def dnsmasq(self, config, *options):
        """Start a dnsmasq with this configuration; answers the path of its pid file."""
        path = self.folder / "dnsmasq.conf"
        path.write_text(config)
        pid_file = self.folder / "dnsmasq.pid"
        self.run("dnsmasq", f"--conf-file={path}", f"--pid-file={pid_file}", *options)
        self.pid_files.append(pid_file)
        return pid_file

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()
            process.stdout.close()
        for pid_file in self.pid_files:
            if pid_file.exists():
                stop(int(pid_file.read_text()))
        shutil.rmtree(self.etc, ignore_errors=True)
        if self.etc.parent.is_dir() and not any(self.etc.parent.iterdir()):
            self.etc.parent.rmdir()
        run("ip", "netns", "del", self.name, check=False)


def stop(pid):
    """End a process that the lab started, and wait until it is gone."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.01)


def link(one, two, one_name, two_name):
    """A cable between two namespaces."""
    run("ip", "-n", one.name, "link", "add", one_name, "type", "veth", "peer", "name", two_name, "netns", two.name)
    one.ip("link", "set", one_name, "up")
    two.ip("link", "set", two_name, "up")


@contextmanager
def namespaces(folder, *roles):
    """Namespaces that are gone afterwards, whatever happens."""
    made = []
    try:
        # One by one, so that those made before one that fails are taken away too.
        made.extend(Namespace(folder, role) for role in roles)
        yield made
    finally:
        for each in reversed(made):
            each.close()


def world(server, names, cnames=(), crowd=()):
    """The rest of the world in a namespace: its DNS at 192.0.2.53, its servers on all of the addresses.

    ``crowd`` are addresses in 198.51.101.0/24 and their names, each its own record.
    """
    lines = [
        "no-resolv",
        "no-hosts",
        "user=root",
        "listen-address=192.0.2.53",
        "bind-interfaces",
        "local-ttl=60",
        "local=/./",
    ]
    addresses = set()
    for name, (v4, v6) in names.items():
        lines.append("host-record=" + ",".join(filter(None, (name, v4, v6))))
        addresses.update(f"{v4}/32" for _ in (1,) if v4)
        addresses.update(f"{v6}/128" for _ in (1,) if v6)
    lines += [f"cname={alias},{target}" for alias, target in cnames]
    hosts = server.folder / "hosts"
    hosts.write_text("".join(f"{address} {name}\n" for address, name in crowd))
    lines.append(f"addn-hosts={hosts}")
    server.add_address("lo", "192.0.2.53/32", *sorted(addresses))
    server.ip("route", "add", "local", "198.51.101.0/24", "dev", "lo")
    server.dnsmasq("\n".join(lines) + "\n")
    server.start(sys.executable, str(HERE / "lab_servers.py"), "80", "443", "8080", ready="ready")


def probe(client, uid, *targets, wait=2.0):
    """What a client finds that runs as ``uid``: for each (host or address, port, family) one word.

    ``ok:ADDRESS`` with the address that answered, ``refused``, ``timeout``, or ``unresolved``.
    """
    question = json.dumps([[host, port, family, wait] for host, port, family in targets])
    done = client.run(sys.executable, str(HERE / "lab_client.py"), question, uid=uid)
    return json.loads(done.stdout)


def saved(namespace, backend, *, with_sets=True):
    """What is loaded, as the programs print it, without counters and times."""
    out = []
    for tool in ("iptables", "ip6tables"):
        text = namespace.run(f"{tool}-{backend}-save").stdout
        out += [
            line.rsplit(" [", 1)[0] if line.startswith(":") else line for line in text.splitlines() if line[:1] != "#"
        ]
    if with_sets:
        out += sorted(line.split(" timeout ")[0] if line.startswith("add") else line
                      for line in namespace.run("ipset", "save").stdout.splitlines())  # fmt: skip
    return out


def write_artefact(folder, files):
    """The files of an artefact in a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


class Applier:
    """Runs the shipped apply.sh in a namespace, with places of its own for everything that it writes."""

    def __init__(self, namespace, backend, pid_file=None):
        self.namespace = namespace
        self.backend = backend
        self.lines = namespace.folder / "dnsmasq.d"
        self.state = namespace.folder / "state"
        self.lines.mkdir(exist_ok=True)
        self.pid_file = pid_file

    def __call__(self, folder, *options, check=True, restart=None):
        how = ("--dnsmasq-restart", str(restart)) if restart else ("--dnsmasq-pid", str(self.pid_file))
        return self.namespace.run("sh", str(folder / "apply.sh"), "--backend", self.backend, "--dnsmasq-dir", str(self.lines),
                                  "--state-dir", str(self.state), *how, *options, check=check)  # fmt: skip
