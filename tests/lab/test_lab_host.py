"""A host under the shipped policy: real resolver, real sets, real rules, real clients."""

import shutil
from pathlib import Path

import pytest
from lab_host import host_and_world
from lab_net import cgroup_root, probe, run, saved, write_artefact
from support import AS_OF, artefacts_of

from egressc.api import Request, compile_request
from egressc.diagnostics import has_errors

POLICIES = Path(__file__).resolve().parent.parent.parent / "policies"
CONNECTOR, UPDATER, CERTIFICATES, INSTALLER, NOBODY = 61001, 61002, 61003, 61004, 61009
SHIPPED = f"""
groups:
  connectors: {{networks: [192.0.2.10, "2001:db8::10"], features: [installation]}}
  all-connectors: {{members: [connectors]}}
service-accounts:
  entra-connector: {{linux-user: {CONNECTOR}}}
  entra-connector-updater: {{linux-user: {UPDATER}}}
  windows-certificates: {{linux-user: {CERTIFICATES}}}
firewalls:
  lab:
    target: iptables
    groups: [connectors]
    settings: {{mode: host, dnsmasq: {{user: dnsmasq, servers: [192.0.2.53]}}}}
"""
OWN = """
service-account connector "Connector" { linux-user nobody }
service-account sliced "Sliced" { linux-user daemon www-data linux-cgroup "egressc-lab.slice" }
policy p "Lab" {
    from connectors
    allow names "Names" { to *.servicebus.windows.net servicebus.windows.net login.windows.net ports 443 as connector }
    allow storage "Storage, but not all of it" {
        to    *.blob.core.windows.net blob.core.windows.net except b.blob.core.windows.net *.b.blob.core.windows.net
        ports 443
        as    connector
    }
    allow networks "Networks" { to 203.0.113.0/24 2001:db8:200::/64 10.99.0.1 ports 80 8080/tcp }
    deny hole "A hole" { to 203.0.113.77 2001:db8:200::77 ports 80 }
    deny login "No login any more" { to login.windows.net *.login.windows.net ports 443 as connector }
    allow sliced "From a control group" { to other.example ports 443 as sliced }
}
"""
OWN_INVENTORY = SHIPPED.split("service-accounts:", maxsplit=1)[0] + "firewalls:" + SHIPPED.split("firewalls:")[1]


def shipped(tmp_path_factory):
    """The shipped policies, compiled for a Linux host."""
    folder = tmp_path_factory.mktemp("policies")
    shutil.copytree(POLICIES, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (folder / "inventory.yaml").write_text(SHIPPED)
    result = compile_request(Request(paths=(str(folder / "main.egress"),), as_of=AS_OF))
    assert not has_errors(result.diagnostics), [d.message for d in result.diagnostics]
    (build,) = result.builds
    return {artefact.name: artefact.content for artefact in build.render()}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Where the artefacts are: of the shipped policy, and of a policy of the lab."""
    place = tmp_path_factory.mktemp("artefacts")
    slice_ = cgroup_folder()
    slice_.mkdir(exist_ok=True)
    yield {
        "shipped": write_artefact(place / "shipped", shipped(tmp_path_factory)),
        "own": write_artefact(place / "own", artefacts_of(OWN, OWN_INVENTORY, "lab")),
        "fewer": write_artefact(
            place / "fewer",
            artefacts_of(OWN.replace("servicebus.windows.net", "a.msappproxy.net"), OWN_INVENTORY, "lab"),
        ),
    }
    slice_.rmdir()


def sets_of(folder):
    return [line.split()[1] for line in (folder / "sets.ipset").read_text().splitlines() if line.startswith("create ")]


def cgroup_folder():
    return cgroup_root() / "egressc-lab.slice"


@pytest.fixture
def host(backend, tmp_path):
    """A host with its way to apply artefacts, and the world; both tables exist, as on a machine that has run a while."""
    with host_and_world(tmp_path, backend) as (host, apply):
        for tool in ("iptables", "ip6tables"):
            host.run(f"{tool}-{backend}", "-A", "INPUT", "-i", "none0", "-j", "DROP")
            host.run(f"{tool}-{backend}", "-t", "nat", "-A", "POSTROUTING", "-o", "none0", "-j", "RETURN")
        host.run(f"iptables-{backend}", "-A", "OUTPUT", "-d", "10.88.0.1", "-j", "DROP")
        yield host, apply


def test_the_shipped_policy_lets_through_what_it_allows_and_nothing_else(host, folders):
    host, apply = host
    done = apply(folders["shipped"])
    assert "done:" in done.stdout

    def seen(uid, *targets):
        return [answer.split(":")[0] for answer in probe(host, uid, *targets)]

    both = [("sub.servicebus.windows.net", 443, f) for f in (4, 6)]  # through two CNAMEs into another domain
    both += [("deep.a.servicebus.windows.net", 443, f) for f in (4, 6)]
    both += [("a.msappproxy.net", 443, f) for f in (4, 6)]
    assert probe(host, CONNECTOR, *both[:2]) == ["ok:198.51.100.11", "ok:2001:db8:100::11"]
    for uid in (CONNECTOR, UPDATER):
        assert seen(uid, *both) == ["ok"] * 6
    for uid in (CERTIFICATES, INSTALLER, NOBODY, 0):
        assert seen(uid, *both) == ["refused"] * 6
    signs = [("login.windows.net", 443, 4), ("login.windows.net", 443, 6), ("only6.msauth.net", 443, 6)]
    assert seen(CONNECTOR, *signs) == ["ok"] * 3
    assert seen(INSTALLER, *signs) == ["ok"] * 3, "anybody may register while the feature is on"
    lists = [("crl3.digicert.com", 80, 4), ("crl3.digicert.com", 80, 6), ("ctldl.windowsupdate.com", 80, 4),
             ("ctldl.windowsupdate.com", 443, 4), ("www.microsoft.com", 80, 6)]  # fmt: skip
    for uid in (CONNECTOR, UPDATER, CERTIFICATES):
        assert seen(uid, *lists) == ["ok"] * 5
    assert seen(NOBODY, *lists) == ["refused"] * 5
    others = [
        ("evilservicebus.windows.net", 443, 4), ("evilservicebus.windows.net", 443, 6),
        ("login.windows.net.evil.example", 443, 4), ("other.example", 443, 6), ("a.blob.core.windows.net", 443, 4),
        ("sub.servicebus.windows.net", 8080, 4), ("sub.servicebus.windows.net", 80, 6), ("crl3.digicert.com", 443, 4),
        ("198.51.100.22", 443, 4), ("2001:db8:100::22", 443, 6), ("192.0.2.53", 53, 4), ("192.0.2.1", 853, 4),
    ]  # fmt: skip
    assert seen(CONNECTOR, *others) == ["refused"] * len(others)


def test_names_nets_holes_denies_and_control_groups(host, folders):
    host, apply = host
    apply(folders["own"])
    nobody = 65534
    assert [a.split(":")[0] for a in probe(
        host, nobody,
        ("servicebus.windows.net", 443, 4), ("deep.a.servicebus.windows.net", 443, 6), ("a.blob.core.windows.net", 443, 4),
        ("b.blob.core.windows.net", 443, 4), ("b.blob.core.windows.net", 443, 6), ("login.windows.net", 443, 4),
        ("net.example", 80, 4), ("net.example", 8080, 6), ("net.example", 443, 4), ("hole.example", 80, 4),
        ("hole.example", 80, 6), ("hole.example", 8080, 4), ("other.example", 443, 4),
    )] == ["ok", "ok", "ok", "refused", "refused", "refused", "ok", "ok", "refused", "refused", "refused", "ok", "refused"]  # fmt: skip
    # www-data, but only from the control group. `ip netns exec` hides the hierarchy, so this goes in another way.
    command = f"echo $$ >{cgroup_folder()}/cgroup.procs && exec setpriv --reuid=33 --clear-groups nc -w 2 198.51.100.22 443 </dev/null"
    inside = run("nsenter", f"--net=/run/netns/{host.name}", "sh", "-c", command)
    assert inside.stdout == "198.51.100.22"
    assert probe(host, 33, ("other.example", 443, 4)) == ["refused"]


def test_applying_twice_is_applying_once(host, folders, backend):
    host, apply = host
    apply(folders["own"])
    probe(host, 65534, ("servicebus.windows.net", 443, 4))
    once = saved(host, backend)
    assert any("198.51.100.13" in line for line in once), "an address has been learned"
    again = apply(folders["own"])
    assert saved(host, backend) == once
    assert "restarting" not in again.stdout
    assert apply(folders["own"], "--dry-run").stdout.strip().endswith("nothing to do: everything is in place")


def test_a_broken_file_changes_nothing(host, folders, backend, tmp_path):
    host, apply = host
    breakers = {
        "rules.v4": [
            lambda t: t.replace("-j ACCEPT", "-j ACCPT", 1),
            lambda t: t.replace("COMMIT\n", "", 1),
            lambda t: t.replace("--match-set egc_", "--match-set egc_0", 1),
            lambda t: t.replace('-m owner --uid-owner "nobody"', '-m owner --uid-owner "nosuchuser"', 1),
            lambda t: t.replace(":EGRESSC - [0:0]", ":EGRESSC - [0:0]\n-F OUTPUT", 1),
            lambda t: t.replace(":EGRESSC - [0:0]", ":OUTPUT ACCEPT [0:0]\n:EGRESSC - [0:0]", 1),
            lambda t: t + "*filter\n-A OUTPUT -j ACCEPT\nCOMMIT\n",
            lambda t: t.replace("-p tcp -m comment", "-m comment", 1),
            lambda t: t.replace("\n", "\r\n"),
            lambda t: t[:-1],
            lambda t: "",
        ],
        "rules.v6": [lambda t: t.replace("-j ACCEPT", "-j ACCPT", 1), lambda t: t.replace("egc_", "egx_", 1)],
        "sets.ipset": [
            lambda t: t.replace("hash:ip", "hash:ipp", 1),
            lambda t: t + "add egn_0000000000_4 1.2.3.4\n",
            lambda t: t + "flush\n",
            lambda t: t.replace("203.0.113.0/24", "203.0.113.0/33"),
        ],
        "dnsmasq.conf": [lambda t: t + "ipset=egc_void_4\n", lambda t: t + "conf-script=/bin/true\n", lambda t: t + "ipset=/#/egc_void_4\n"],
    }  # fmt: skip
    apply(folders["shipped"])
    before = saved(host, backend)
    conf = (apply.lines / "egressc-EGRESSC.conf").read_bytes()
    number = 0
    for name, changes in breakers.items():
        for change in changes:
            number += 1
            broken = tmp_path / f"broken-{number}"
            shutil.copytree(folders["own"], broken)
            text = (broken / name).read_text()
            assert change(text) != text, (name, number)
            (broken / name).write_bytes(change(text).encode())
            done = apply(broken, check=False)
            assert done.returncode == 1, (name, number, done.stdout, done.stderr)
            assert "putting back" not in done.stderr, (name, number, done.stderr)
            assert saved(host, backend) == before, (name, number)
            assert (apply.lines / "egressc-EGRESSC.conf").read_bytes() == conf
    assert number == 20


@pytest.mark.parametrize("first", [True, False])
def test_a_late_failure_puts_everything_back(host, folders, backend, tmp_path, first):
    host, apply = host
    if not first:
        apply(folders["own"])
        probe(host, 65534, ("servicebus.windows.net", 443, 4), ("login.windows.net", 443, 4))
    before = saved(host, backend)
    conf = apply.lines / "egressc-EGRESSC.conf"
    lines = conf.read_bytes() if conf.exists() else None
    failing = tmp_path / "restart"
    failing.write_text("#!/bin/sh\nexit 3\n")
    failing.chmod(0o755)
    done = apply(folders["shipped"], check=False, restart=failing)
    assert done.returncode == 1
    assert "putting back what was there before" in done.stderr
    assert saved(host, backend) == before
    assert (conf.read_bytes() if conf.exists() else None) == lines
    apply(folders["shipped"])
    assert probe(host, CONNECTOR, ("a.msappproxy.net", 443, 4)) == ["ok:198.51.100.15"]


def test_sets_that_were_changed_or_emptied_are_put_back(host, folders, backend, tmp_path):
    host, apply = host
    apply(folders["own"])
    probe(
        host,
        65534,
        ("servicebus.windows.net", 443, 4),
        ("servicebus.windows.net", 443, 6),
        ("a.blob.core.windows.net", 443, 4),
    )
    before = saved(host, backend)
    assert sum("198.51.100" in line or "2001:db8:100" in line for line in before) == 3
    changed = tmp_path / "changed"
    shutil.copytree(folders["fewer"], changed)
    sets = (changed / "sets.ipset").read_text()
    assert "203.0.113.0/24" in sets
    (changed / "sets.ipset").write_text(sets.replace("203.0.113.0/24", "203.0.113.0/25"))
    restart = tmp_path / "restart"
    restart.write_text(f"#!/bin/sh\necho x >>{tmp_path}/calls\n[ $(wc -l <{tmp_path}/calls) -ne 2 ]\n")
    restart.chmod(0o755)
    done = apply(changed, check=False, restart=restart)
    assert done.returncode == 1
    assert "forget" in done.stdout, "it failed after it had emptied the sets"
    assert saved(host, backend) == before


def test_a_rule_that_loses_a_name_forgets_what_it_learned(host, folders, backend):
    host, apply = host
    apply(folders["own"])
    targets = ("servicebus.windows.net", 443, 4), ("a.blob.core.windows.net", 443, 4)
    assert probe(host, 65534, *targets) == ["ok:198.51.100.13", "ok:198.51.100.20"]
    held = [line for line in host.run("ipset", "save").stdout.splitlines() if "198.51.100" in line]
    assert len(held) == 2
    probe(host, 65534, ("servicebus.windows.net", 443, 6))

    def tracked(address, family):
        return len(host.run("conntrack", "-L", "-f", family, "-d", address).stdout.splitlines())

    lost = ("198.51.100.13", "ipv4"), ("2001:db8:100::13", "ipv6")
    assert [tracked(*each) for each in lost] == [1, 1]
    assert tracked("198.51.100.20", "ipv4") == 1
    done = apply(folders["fewer"], "--cut-sessions")
    assert [tracked(*each) for each in lost] == [0, 0]
    assert tracked("198.51.100.20", "ipv4") == 1
    assert "forget" in done.stdout
    assert "ended tracked connections" in done.stdout
    held = [line for line in host.run("ipset", "save").stdout.splitlines() if "198.51.100" in line]
    assert len(held) == 1, "the other rule keeps what it learned"
    assert probe(host, 65534, *targets, ("198.51.100.13", 443, 4)) == ["refused", "ok:198.51.100.20", "refused"]
    assert probe(host, 65534, ("a.msappproxy.net", 443, 4)) == ["ok:198.51.100.15"]


def test_without_a_resolver_of_ours_names_are_forgotten_too(host, folders):
    host, apply = host
    assert "install dnsmasq.conf yourself" in apply(folders["own"], "--no-dnsmasq").stdout
    assert list(apply.lines.iterdir()) == []
    fed = [name for name in sets_of(folders["own"]) if name.startswith("egc_") and name.endswith("_4")][:-1]
    for name in fed:
        host.run("ipset", "add", name, "198.51.100.13")
    assert "forget" not in apply(folders["own"], "--no-dnsmasq").stdout
    done = apply(folders["fewer"], "--no-dnsmasq")
    (said,) = [line for line in done.stdout.splitlines() if "forget" in line]
    emptied = said.partition("learned: ")[2].split()
    assert len(emptied) == 2, "one pair"
    for name in fed:
        held = "198.51.100.13" in host.run("ipset", "save", name).stdout
        assert held is (name not in emptied)
    assert "restart dnsmasq" in done.stderr


def test_a_firewall_without_names_needs_no_resolver(host, folders, tmp_path):
    host, apply = host
    inventory = OWN_INVENTORY.replace("mode: host,", "mode: host, dns: none,")
    policy = 'policy p "P" { from connectors allow r "R" { to 203.0.113.0/24 ports 80 } }'
    bare = write_artefact(tmp_path / "bare", artefacts_of(policy, inventory, "lab"))
    none = tmp_path / "no-such-folder"
    host.run(
        "sh",
        str(bare / "apply.sh"),
        "--backend",
        apply.backend,
        "--dnsmasq-dir",
        str(none),
        "--state-dir",
        str(apply.state),
    )
    assert probe(host, 0, ("203.0.113.10", 80, 4), ("198.51.100.22", 443, 4)) == ["ok:203.0.113.10", "refused"]
    apply(folders["own"])
    assert len(list(apply.lines.iterdir())) == 1
    done = apply(bare)
    assert "restarting dnsmasq" in done.stdout
    assert list(apply.lines.iterdir()) == []
    assert "restarting" not in apply(bare).stdout


def test_what_is_removed_is_gone_and_foreign_rules_stay(host, folders, backend):
    host, apply = host
    before = saved(host, backend)
    apply(folders["own"])
    assert saved(host, backend) != before
    apply(folders["own"], "--remove")
    assert saved(host, backend) == before
    assert not (apply.lines / "egressc-EGRESSC.conf").exists()
    apply(folders["own"], "--remove")
    assert probe(host, 0, ("198.51.100.22", 443, 4)) == ["ok:198.51.100.22"]


def test_a_dry_run_changes_nothing(host, folders, backend):
    host, apply = host
    before = saved(host, backend)
    done = apply(folders["own"], "--dry-run")
    assert "would change" in done.stdout
    assert saved(host, backend) == before
    assert list(apply.lines.iterdir()) == []
    assert not apply.state.exists()


def test_the_other_backend_must_not_hold_the_chain_too(host, folders, backend):
    host, apply = host
    apply(folders["own"])
    apply.backend = "legacy" if backend == "nft" else "nft"
    done = apply(folders["own"], check=False)
    assert done.returncode == 1
    assert "--remove" in done.stderr


def test_a_fresh_machine_is_left_fresh(tmp_path, folders, backend):
    with host_and_world(tmp_path, backend) as (host, apply):
        done = apply(folders["own"], check=False, restart="/bin/false")
        assert done.returncode == 1
        assert "putting back" in done.stderr
        left = [line for line in saved(host, backend) if line not in {"COMMIT", "*filter", "*nat"} and line[:1] != ":"]
        assert left == []
        assert backend == "legacy" or saved(host, backend) == []
