"""Inspection: what an artefact exempts from TLS inspection, compared with what the policy asks for.

With N the flows that must not be inspected, M those that must, X what the device may inspect and Y what it surely
inspects: N∩X and M∖Y are `tls-unenforced`, what is exempted beyond N is `tls-scope`. Only flows that the policy allows
are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.policy import Inspection
from egressc.reach import Reach
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.flows import Flow
    from egressc.rule_index import RuleIndex
    from egressc.services import Service
    from egressc.site import BoundRule


def tls_services(services: Sequence[Service]) -> tuple[Service, ...]:
    """The services whose connections are TLS: `https` and `tls`."""
    return tuple(s for s in services if s.application.recognition == "sni")


def tls_reach(rule: BoundRule) -> Reach | None:
    """What a rule matches on its TLS ports; ``None`` if it has none."""
    return tls_part(rule.reach, rule.services)


def tls_part(reach: Reach, services: Sequence[Service]) -> Reach | None:
    """What a reach, which is for these services, matches on their TLS ports; ``None`` if there are none."""
    wanted = tls_services(services)
    if not wanted:
        return None
    if len(wanted) == len(services):
        return reach
    ports = PortSet.of(wanted).intersection(reach.ports)
    if not (ports.tcp or ports.udp):
        return None
    return Reach(
        reach.groups, reach.accounts, reach.endpoints, reach.exceptions, ports, reach.shared, reach.source_families
    )


def conflict(index: RuleIndex, one: BoundRule) -> Iterator[tuple[BoundRule, Flow]]:
    """The rules that forbid the inspection that ``one`` demands, each with a flow that both allow."""
    mine = tls_reach(one)
    if mine is None:
        return
    for other in index.allows_meeting(mine):
        if other.rule.inspection is not Inspection.MUST_NOT:
            continue
        theirs = tls_reach(other)
        flow = None if theirs is None else index.overlap(mine, theirs)
        if flow is not None:
            yield other, flow
