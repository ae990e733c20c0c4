"""How an example flow is worded: whom its process runs as, also where that is anybody but those who are named."""

import pytest
from support import AS_OF, compilation_of

from egressc.addresses import ALL
from egressc.diagnostics import has_errors
from egressc.flows import EVERY, Box, Choice
from egressc.flows_search import witness
from egressc.reach import BOTH_FAMILIES
from egressc.services import PortSet

HTTPS = PortSet(tcp=((443, 443),))


def box(accounts=EVERY, **processes):
    pairs = tuple((kind.replace("_", "-"), choice) for kind, choice in sorted(processes.items()))
    return Box(EVERY, BOTH_FAMILIES, accounts, HTTPS, ALL, processes=pairs)


def names(*some, but=False):
    return Choice(frozenset(some), but)


@pytest.mark.parametrize(
    ("of", "whom"),
    [
        (box(), ""),
        (box(linux_user=EVERY), ""),
        (box(linux_user=names("web", "agent")), " as linux-user agent"),
        (box(linux_user=names("agent", but=True)), " as another linux-user"),
        (
            box(linux_user=names("agent", but=True), linux_cgroup=names("a.slice")),
            " as linux-cgroup a.slice, another linux-user",
        ),
        (box(names("agent")), " as agent"),
        (box(names("agent", but=True)), " as another account"),
    ],
)
def test_whom_a_process_runs_as(of, whom):
    assert witness([of], ()).text == f"another source{whom} → any address:443"


def test_what_is_left_when_one_account_is_taken_away():
    assert (
        witness([box()], [box(linux_user=names("agent"))]).text
        == "another source as another linux-user → any address:443"
    )
    assert witness([box()], [box(names("agent"))]).text == "another source as another account → any address:443"


def test_a_firewall_that_sees_no_accounts_lets_others_through():
    policy = """
service-account agent "Agent" { linux-user "agent" }
policy p "P" { from g
    allow a "A" { to 192.0.2.1 ports 443/tcp as agent }
}
"""
    inventory = """
groups:
  g: {networks: [10.20.0.0/24]}
internal-networks: []
firewalls:
  edge: {target: azure-firewall, settings: {location: westeurope, policy: pol}}
"""
    result = compilation_of(policy, inventory, AS_OF)
    assert not has_errors(result.diagnostics)
    (label,) = [each.label for each in result.diagnostics if each.code == "W0601"]
    assert label.endswith("e.g. g as another account → 192.0.2.1:443")
