"""apply.sh on machines that are not as it would like them: what is missing, what is in the way, what came before."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from lab_host import host_and_world
from lab_net import probe, saved, write_artefact
from support import artefacts_of

INVENTORY = """
groups:
  g: {networks: [192.0.2.10]}
firewalls:
  lab: {target: iptables, groups: [g], settings: {chain: EGRESSC, dnsmasq: {servers: [192.0.2.53]}}}
"""
POLICY = """
service-account one "One" { linux-user daemon }
policy p "P" {
    from g
    allow names "Names" { to login.windows.net *.login.windows.net many.example *.many.example ports 443 }
    allow networks "Networks" { to 203.0.113.0/24 ports 80 as one }
}
"""
NETWORKS = 'policy p "P" { from g allow networks "Networks" { to 203.0.113.0/24 ports 80 } }'


@pytest.fixture
def host(backend, tmp_path):
    """A host, its way to apply an artefact, and the artefact."""
    artefact = write_artefact(tmp_path / "artefact", artefacts_of(POLICY, INVENTORY, "lab"))
    with host_and_world(tmp_path, backend) as (host, apply):
        yield host, apply, artefact


def without_names(tmp_path, name, policy=NETWORKS, **changes):
    """An artefact of a firewall without names."""
    inventory = INVENTORY.replace("dnsmasq: {servers: [192.0.2.53]}", "dns: none")
    for old, new in changes.items():
        inventory = inventory.replace(old, new)
    return write_artefact(tmp_path / name, artefacts_of(policy, inventory, "lab"))


def test_without_root_nothing_is_tried(host):
    host, apply, artefact = host
    script = (artefact / "apply.sh").read_text()
    done = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "sh", "-s"], input=script, capture_output=True,
                          text=True, check=False, cwd="/")  # fmt: skip
    assert (done.returncode, "this needs root" in done.stderr) == (1, True)
    assert not apply.state.exists()


@pytest.mark.parametrize("tool", ["ipset", "unshare", "flock", "ip6tables", "conntrack"])
def test_a_missing_program_is_named_before_anything_is_done(host, tmp_path, tool):
    host, apply, artefact = host
    programs = tmp_path / "programs"
    programs.mkdir()
    for folder in ("/usr/sbin", "/usr/bin", "/sbin", "/bin"):
        for program in Path(folder).iterdir():
            if not program.name.startswith(tool) and not (programs / program.name).exists():
                (programs / program.name).symlink_to(program)
    before = saved(host, apply.backend)
    # The script also looks in the usual places, so they must not be there.
    script = (artefact / "apply.sh").read_text().replace('PATH="$PATH:/usr/sbin:/sbin"', 'PATH="$PATH"')
    (artefact / "apply.sh").write_text(script)
    done = host.run("env", f"PATH={programs}", "sh", str(artefact / "apply.sh"), "--backend", apply.backend, "--dnsmasq-dir",
                    str(apply.lines), "--state-dir", str(apply.state), "--cut-sessions", check=False)  # fmt: skip
    assert done.returncode == 1
    assert f"{tool.replace('ip6', 'ip')}" in done.stderr
    assert saved(host, apply.backend) == before


def test_an_account_that_is_gone_does_not_keep_the_firewall(host, backend):
    host, apply, artefact = host
    apply(artefact)
    for version in ("v4", "v6"):
        rules = artefact / f"rules.{version}"
        rules.write_text(
            rules.read_text().replace('"daemon"', '"gone-user"').replace("#: user daemon", "#: user gone-user")
        )
    assert "there is no user `gone-user` here" in apply(artefact, check=False).stderr
    apply(artefact, "--remove")
    assert [line for line in saved(host, backend) if "EGRESSC" in line or line.startswith("create")] == []


def test_two_runs_at_once_are_one_and_a_refusal(host, tmp_path):
    host, apply, artefact = host
    slow = tmp_path / "slow"
    slow.write_text(f"#!/bin/sh\ntouch {tmp_path}/begun\nuntil [ -e {tmp_path}/go ]; do sleep 0.05; done\n")
    slow.chmod(slow.stat().st_mode | stat.S_IXUSR)
    command = host.command("sh", str(artefact / "apply.sh"), "--backend", apply.backend, "--dnsmasq-dir", str(apply.lines), "--state-dir",
                           str(apply.state), "--dnsmasq-restart", str(slow))  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as first:
        while first.poll() is None and not (tmp_path / "begun").exists():
            pass
        for options in ((), ("--remove",)):
            second = apply(artefact, *options, check=False)
            assert (second.returncode, "another apply.sh is at work" in second.stderr) == (1, True)
        (tmp_path / "go").touch()
        assert first.wait(timeout=30) == 0, first.stdout.read()
    assert "nothing to do" in apply(artefact, "--dry-run").stdout


def test_an_answer_that_comes_by_tcp_feeds_the_sets_too(host):
    host, apply, artefact = host
    apply(artefact)
    assert probe(host, 0, ("many.example", 443, 4))[0].startswith("ok:198.51.101.")
    held = [line for line in host.run("ipset", "save").stdout.splitlines() if " 198.51.101." in line]
    assert len(held) == 120


def test_another_chain_of_egressc_is_not_silently_changed(host, backend, tmp_path):
    host, apply, _ = host
    apply(without_names(tmp_path, "one"))
    same = without_names(tmp_path, "same", EGRESSC="OTHER")
    done = apply(same)
    assert "the chain EGRESSC is also one of egressc" in done.stderr
    apply(same, "--remove")
    other = without_names(tmp_path, "other", NETWORKS.replace("/24", "/25"), EGRESSC="OTHER")
    before = saved(host, backend)
    done = apply(other, check=False)
    assert (done.returncode, "holds something else there" in done.stderr) == (1, True)
    assert saved(host, backend) == before
    apply(without_names(tmp_path, "one"), "--remove")
    apply(other)


def test_nothing_is_loaded_where_there_is_no_namespace_of_its_own(host, backend, tmp_path):
    host, apply, artefact = host
    before = saved(host, backend)
    shadow = tmp_path / "shadow"
    shadow.mkdir()
    (shadow / "unshare").write_text('#!/bin/sh\nshift 2\nexec "$@"\n')
    (shadow / "unshare").chmod(0o755)
    done = host.run("env", f"PATH={shadow}:{os.environ['PATH']}", "sh", str(artefact / "apply.sh"), "--backend", backend, "--no-dnsmasq",
                    "--state-dir", str(apply.state), check=False)  # fmt: skip
    assert (done.returncode, "no network namespace of its own" in done.stderr) == (1, True)
    assert saved(host, backend) == before


def test_foreign_rules_above_the_jump_are_told(host, backend):
    host, apply, artefact = host
    assert "other rules" not in apply(artefact).stderr
    host.run(f"ip6tables-{backend}", "-I", "OUTPUT", "-d", "2001:db8:99::1", "-j", "ACCEPT")
    (said,) = [line for line in apply(artefact).stderr.splitlines() if "other rules" in line]
    assert "table filter, IPv6" in said


def test_foreign_lines_for_sets_are_told(host):
    host, apply, artefact = host
    (apply.lines / "other.conf").write_text("# mine\nipset=/windows.net/mine\n")
    done = apply(artefact)
    assert "other.conf" in done.stderr


@pytest.mark.parametrize("order", [("filter", "nat"), ("nat", "filter")])
def test_tables_may_have_come_into_use_in_either_order(host, backend, tmp_path, order):
    # iptables-legacy-save prints them in an order that follows from that.
    host, apply, _ = host
    inventory = INVENTORY.replace("chain: EGRESSC", "chain: EGRESSC, tls-proxy-port: 3129")
    policy = POLICY.replace("ports 443", "ports 443 no-tls-inspection")
    both = write_artefact(tmp_path / "both", artefacts_of(policy, inventory, "lab"))
    for tool in ("iptables", "ip6tables"):
        for table in order:
            host.run(f"{tool}-{backend}", "-t", table, "-N", "MINE")
    apply(both)
    assert "nothing to do" in apply(both, "--dry-run").stdout
