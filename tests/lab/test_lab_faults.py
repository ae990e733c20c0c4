"""apply.sh when something goes wrong: each command in turn fails, or a signal comes while it runs."""

import pytest
from lab_host import host_and_world
from lab_net import saved, write_artefact
from support import artefacts_of

INVENTORY = """
groups:
  g: {networks: [192.0.2.10]}
firewalls:
  lab: {target: iptables, groups: [g], settings: {mode: host, SETTINGSdnsmasq: {servers: [192.0.2.53]}}}
"""
OLD = """
service-account one "One" { linux-user daemon }
policy p "P" {
    from g
    allow names "Names" { to *.servicebus.windows.net servicebus.windows.net ports 443 }
    allow networks "Networks" { to 203.0.113.0/24 2001:db8:200::/64 ports 80 }
    allow gone "Gone in the next version" { to 198.51.100.0/25 ports 80 }
}
"""
NEW = """
service-account one "One" { linux-user daemon }
policy p "P" {
    from g
    allow names "Names" { to login.windows.net *.login.windows.net ports 443 }
    allow networks "Networks" { to 203.0.113.0/25 2001:db8:200::/65 ports 80 }
    allow opened "Opened" { to 203.0.113.0/24 ports 443 tls-inspection as one }
}
"""
CHANGES = """#!/bin/sh
name=${0##*/}
case "$name $*" in
    *-save* | *" save"* | *" list "* | *--version* | *" -S "*) ;;
    *)
        number=$(($(cat "$EGRESSC_LAB/number") + 1))
        echo $number >"$EGRESSC_LAB/number"
        if [ "$EGRESSC_LAB_HOW" = fail ]; then
            [ $number != "$EGRESSC_LAB_AT" ] || exit 4
        elif [ "$EGRESSC_LAB_HOW" = half ]; then
            if [ $number = "$EGRESSC_LAB_AT" ]; then
                case "$name $*" in *restore*) sed -e '/^COMMIT/q' -e '/^swap/q' | PATH=${PATH#*:} "$name" "$@" ;; esac
                exit 4
            fi
        elif [ $number -ge "$EGRESSC_LAB_AT" ]; then
            kill -"$EGRESSC_LAB_HOW" "$(cat "$EGRESSC_LAB/pid")"
        fi
        ;;
esac
PATH=${PATH#*:}
exec "$name" "$@"
"""


@pytest.fixture
def host(backend, tmp_path):
    """A host under the first version, and the two versions."""
    old = write_artefact(tmp_path / "old one", artefacts_of(OLD, INVENTORY.replace("SETTINGS", ""), "lab"))
    inventory = INVENTORY.replace("SETTINGS", "tls-proxy-port: 3129, ")
    new = write_artefact(tmp_path / "new 'one'", artefacts_of(NEW, inventory, "lab"))
    with host_and_world(tmp_path, backend) as (host, apply):
        for tool in ("iptables", "ip6tables"):
            host.run(f"{tool}-{backend}", "-t", "nat", "-A", "POSTROUTING", "-o", "none0", "-j", "RETURN")
        apply(old)
        host.run("ipset", "add", names(old, "egc_")[0], "198.51.100.13")
        yield host, apply, old, new


def names(folder, prefix):
    lines = (folder / "sets.ipset").read_text().splitlines()
    return [line.split()[1] for line in lines if line.startswith(f"create {prefix}")]


def everything(host, apply):
    """All that an apply may change."""
    files = [*sorted(apply.lines.iterdir()), *sorted(apply.state.rglob("*"))]
    # The seed of a set's hash is drawn anew when it is created again.
    loaded = [line.partition(" initval ")[0] for line in saved(host, apply.backend)]
    return loaded, {str(path): path.read_bytes() for path in files if path.is_file()}


def disturbed(place, host, apply, folder, how, at):
    """Apply while the change number ``at`` fails, or a signal comes at each from that on; and how many there were."""
    (place / "number").write_text("0")
    script = 'echo $$ >"$EGRESSC_LAB/pid"; exec sh "$@"'
    command = ["env", f"PATH={place}:/usr/sbin:/usr/bin:/sbin:/bin", f"EGRESSC_LAB={place}", f"EGRESSC_LAB_HOW={how}",
               f"EGRESSC_LAB_AT={at}", "sh", "-c", script, "sh", str(folder / "apply.sh"), "--backend", apply.backend, "--dnsmasq-dir",
               str(apply.lines), "--state-dir", str(apply.state), "--dnsmasq-restart", "/bin/true"]  # fmt: skip
    done = host.run(*command, check=False)
    return done, int((place / "number").read_text())


@pytest.mark.parametrize(("how", "step"), [("fail", 1), ("half", 1), ("TERM", 3)])
def test_whatever_is_disturbed_all_is_as_before_or_all_is_done(host, backend, how, step, tmp_path):
    # `half`: a command does some of its work, and fails.
    host, apply, old, new = host
    place = tmp_path / "shadow"
    place.mkdir()
    for name in ("ipset", *(f"{v}tables-{backend}{part}" for v in ("ip", "ip6") for part in ("", "-restore", "-save"))):
        (place / name).write_text(CHANGES)
        (place / name).chmod(0o755)
    before = everything(host, apply)
    outcomes = []
    for at in range(1, 100, step):
        done, count = disturbed(place, host, apply, new, how, at)
        if done.returncode != 0:
            assert everything(host, apply) == before, (at, done.stdout, done.stderr)
            outcomes.append("before")
            continue
        assert sorted(names(new, "eg")) == sorted(host.run("ipset", "list", "-n").stdout.split()), at
        outcomes.append("done")
        if count < at:
            break
        apply(old, restart="/bin/true")
        host.run("ipset", "add", names(old, "egc_")[0], "198.51.100.13")
        assert everything(host, apply) == before
    assert outcomes.count("before") >= 12 // step, outcomes
