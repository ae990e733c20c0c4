"""The golden files of the target, which hold every kind of rule, loaded by the real programs."""

import shutil
from pathlib import Path

import pytest
from lab_net import cgroup_root, run

GOLDEN = Path(__file__).resolve().parent.parent / "targets" / "iptables" / "golden"
SCRIPT = Path(__file__).resolve().parent.parent.parent / "targets" / "iptables" / "apply.sh"


@pytest.fixture
def slice_(lab):
    """The control group that the files name."""
    folder = cgroup_root() / "egressc-updater.slice"
    made = not folder.exists()
    folder.mkdir(exist_ok=True)
    yield folder
    if made:
        folder.rmdir()


@pytest.mark.usefixtures("slice_")
@pytest.mark.parametrize("firewall", ["host", "gateway"])
def test_every_kind_of_rule_is_loaded(firewall, backend, tmp_path):
    place = tmp_path / firewall
    shutil.copytree(GOLDEN / firewall, place)
    shutil.copy(SCRIPT, place)
    for version in ("v4", "v6"):
        rules = place / f"rules.{version}"
        # The account of the example is no user of this machine.
        rules.write_text(rules.read_text().replace('"wapc"', '"daemon"').replace("#: user wapc", "#: user daemon"))
    state = str(tmp_path / "state")
    done = run(
        "unshare", "-n", "sh", str(place / "apply.sh"), "--backend", backend, "--no-dnsmasq", "--state-dir", state
    )
    assert "done:" in done.stdout
    assert "warning" not in done.stderr
    run("dnsmasq", "--test", f"--conf-file={place / 'dnsmasq.conf'}")


def test_a_user_or_control_group_that_is_not_here_stops_it(backend, tmp_path, lab):
    place = tmp_path / "host"
    shutil.copytree(GOLDEN / "host", place)
    shutil.copy(SCRIPT, place)
    command = (
        "unshare",
        "-n",
        "sh",
        str(place / "apply.sh"),
        "--backend",
        backend,
        "--no-dnsmasq",
        "--state-dir",
        str(tmp_path / "s"),
    )
    done = run(*command, check=False)
    assert (done.returncode, "there is no user `wapc` here" in done.stderr) == (1, True)
    for version in ("v4", "v6"):
        rules = place / f"rules.{version}"
        rules.write_text(rules.read_text().replace('"wapc"', '"daemon"').replace("#: user wapc", "#: user daemon"))
    done = run(*command, check=False)
    assert (done.returncode, "there is no control group" in done.stderr) == (1, True)
