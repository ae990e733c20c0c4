"""`egressc verify` on what the real programs print after apply.sh: nothing differs, and a change by hand is found."""

import json
import subprocess
import sys

import pytest
from lab_gateway import gateway_and_clients
from lab_host import host_and_world
from lab_net import cgroup_root, probe, write_artefact
from support import artefacts_of
from test_lab_gateway import PROXY, TLS
from test_lab_host import OWN, OWN_INVENTORY

POLICIES = {"host": (OWN, OWN_INVENTORY), "gateway": (TLS, PROXY)}
EDITS = {
    "host": [
        (("iptables", "-I", "EGRESSC", "3", "-p", "tcp", "--dport", "22", "-d", "203.0.113.9", "-j", "ACCEPT"), "allows_more"),
        (("iptables", "-I", "OUTPUT", "1", "-p", "tcp", "--dport", "25", "-j", "ACCEPT"), "allows_more"),
        (("ip6tables", "-D", "OUTPUT", "-j", "EGRESSC"), "allows_more"),
        (("iptables", "-I", "EGRESSC", "1", "-p", "tcp", "--dport", "443", "-j", "RETURN"), "allows_less"),
        (("ip6tables", "-F", "EGRESSC"), "allows_more"),
        (("ipset", "add", "SET:p/networks", "198.51.100.22"), "allows_more"),
        (("ipset", "del", "SET:p/networks", "203.0.113.0/24"), "allows_less"),
        (("ipset", "add", "SET:p/names", "198.51.100.22", "timeout", "0"), "allows_more"),
        (("ip6tables", "-I", "EGRESSC", "1", "-m", "owner", "--uid-owner", "65534", "-p", "tcp", "--dport", "80", "-j", "ACCEPT"),
         "allows_more"),
        (("iptables", "-I", "EGRESSC", "2", "-m", "connlimit", "--connlimit-above", "3", "-p", "tcp", "-j", "DROP"), "unknown"),
    ],
    "gateway": [
        (("iptables", "-t", "nat", "-I", "EGRESSC", "1", "-p", "tcp", "--dport", "443", "-j", "REDIRECT", "--to-ports", "3129"),
         "inspection_differs"),
        (("iptables", "-t", "nat", "-F", "EGRESSC"), "inspection_differs"),
        (("iptables", "-I", "FORWARD", "1", "-i", "lan0", "-p", "udp", "-j", "ACCEPT"), "allows_more"),
        (("iptables", "-I", "FORWARD", "1", "-i", "wan0", "-p", "udp", "-j", "ACCEPT"), None),
        (("iptables", "-t", "mangle", "-A", "FORWARD", "-p", "tcp", "--dport", "443", "-j", "DROP"), "unknown"),
        (("ipset", "flush", "SET:group"), "allows_more"),
    ],
}  # fmt: skip
"""Commands of an administrator, and the list of the comparison in which each must be found (``None``: nowhere)."""
LISTS = {"allows_more", "allows_less", "inspection_differs", "unknown"}


@pytest.fixture(params=["host", "gateway"])
def machine(request, backend, tmp_path):
    """A machine with an artefact in place and some names resolved: its kind, namespace, artefact, how to apply it."""
    kind = request.param
    policy, inventory = POLICIES[kind]
    project = tmp_path / "project"
    project.mkdir()
    (project / "lab.egress").write_text(policy)
    (project / "inventory.yaml").write_text(inventory)
    accept = ("tls-scope",) if kind == "gateway" else ()
    artefact = write_artefact(tmp_path / "artefact", artefacts_of(policy, inventory, "lab", accept=accept))
    slice_ = cgroup_root() / "egressc-lab.slice"
    slice_.mkdir(exist_ok=True)
    try:
        if kind == "host":
            with host_and_world(tmp_path, backend) as (host, apply):
                apply(artefact)
                names = ("sub.servicebus.windows.net", "a.blob.core.windows.net", "other.example")
                probe(host, 65534, *((name, 443, family) for name in names for family in (4, 6)))
                yield kind, host, artefact, apply
        else:
            with gateway_and_clients(tmp_path, backend) as (gateway, member, _, _, apply):
                apply(artefact)
                probe(member, 65534, *((name, 443, 4) for name in ("sub.servicebus.windows.net", "login.windows.net")))
                yield kind, gateway, artefact, apply
    finally:
        slice_.rmdir()


def exported(namespace, backend, apply, place):
    """What an administrator would take along, in files."""
    place.mkdir(exist_ok=True)
    for name, command in (
        ("v4", (f"iptables-{backend}-save",)),
        ("v6", (f"ip6tables-{backend}-save", "-c")),
        ("sets", ("ipset", "save")),
        ("users", ("getent", "passwd")),
    ):
        (place / name).write_text(namespace.run(*command).stdout)
    for file in apply.lines.iterdir():
        (place / file.name).write_bytes(file.read_bytes())
    return place


def verified(place, folder):
    """The exit status and the comparison of `egressc verify`."""
    done = subprocess.run(
        [sys.executable, "-m", "egressc", "verify", "lab", str(folder), "--policy", str(place / "project"), "--format", "json",
         "--as-of", "2026-01-15"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_what_the_kernel_has_is_what_was_written(machine, backend, tmp_path):
    _, namespace, artefact, apply = machine
    files = exported(namespace, backend, apply, tmp_path / "live")
    assert "timeout 8" in (files / "sets").read_text(), "the resolver has fed no set"
    status, found = verified(tmp_path, files)
    assert (status, {name: found[name] for name in LISTS}) == (0, {name: [] for name in LISTS})
    # Applied twice it is the same, and so is the artefact itself.
    apply(artefact)
    assert verified(tmp_path, exported(namespace, backend, apply, tmp_path / "again"))[0] == 0
    assert verified(tmp_path, artefact)[0] == 0


def test_what_an_administrator_changes_is_found(machine, backend, tmp_path):
    kind, namespace, artefact, apply = machine
    rules = (artefact / "rules.v4").read_text()
    for number, (edit, where) in enumerate(EDITS[kind]):
        command = [_set(word, rules) for word in edit]
        if command[0] != "ipset":
            command[0] = f"{command[0]}-{backend}"
        namespace.run(*command)
        status, found = verified(tmp_path, exported(namespace, backend, apply, tmp_path / f"edit{number}"))
        lists = {name for name in LISTS if found[name]}
        if where is None:
            assert (status, lists) == (0, set()), edit
        else:
            assert status == 1, edit
            assert where in lists, (edit, lists)
        for tool in ("iptables", "ip6tables"):
            for table in ("filter", "nat", "mangle"):
                for action in ("-F", "-X"):
                    namespace.run(f"{tool}-{backend}", "-t", table, action)
        for name in namespace.run("ipset", "list", "-n").stdout.split():
            namespace.run("ipset", "destroy", name)
        apply(artefact)


def _set(word, rules):
    """The set of a rule's destinations, or of a group's hosts, for `SET:`."""
    if not word.startswith("SET:"):
        return word
    line = next(line for line in rules.splitlines() if word == "SET:group" or f'"{word[4:]}: ' in line)
    side = "src" if word == "SET:group" else "dst"
    if word == "SET:group":
        line = next(line for line in rules.splitlines() if " src " in line)
    words = line.split()
    return words[max(at for at, each in enumerate(words) if each == side) - 1]
