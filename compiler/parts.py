"""The exact split of a rule into parts: endpoints of one kind, names recognised in one way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.approximate import by_kind
from egressc.lowering import Kind, Part, Recognition
from egressc.reach import Reach
from egressc.services import PortSet

if TYPE_CHECKING:
    from egressc.services import Service
    from egressc.site import BoundRule

_SEEN = {"sni": Recognition.SNI, "host": Recognition.HOST, "none": Recognition.DNS}
"""On opaque ports a name is known by the address that it resolved to, or not at all."""


def parts_of(rule: BoundRule) -> tuple[Part, ...]:
    """The parts of a rule, which together are exactly its reach.

    Names are split by how an enforcement point can know them (SNI, Host, the resolved address); addresses, any-address
    and tags take all ports of the rule at once. A part whose recognition is ``DNS`` is one on opaque ports: a target
    still has to announce ``resolved-address`` for it.
    """
    reach = rule.reach
    kinds = by_kind(rule.endpoints)
    by_recognition: dict[Recognition, list[Service]] = {}
    for service in rule.services:
        seen_in = service.application.recognition
        by_recognition.setdefault(_SEEN[seen_in], []).append(service)
    if len(kinds) == 1 and (kinds[0][0] is not Kind.NAMES or len(by_recognition) == 1):
        kind = kinds[0][0]
        recognition = next(iter(by_recognition)) if kind is Kind.NAMES else Recognition.NONE
        return (Part(rule, kind, recognition, rule.services, reach, reach),)
    result = []
    for kind, endpoints in kinds:
        if kind is Kind.NAMES:
            for recognition, services in by_recognition.items():
                own = tuple(services)
                narrowed = Reach(reach.groups, reach.accounts, endpoints, reach.exceptions, PortSet.of(own))
                result.append(Part(rule, kind, recognition, own, narrowed, narrowed))
        else:
            narrowed = Reach(reach.groups, reach.accounts, endpoints, reach.exceptions, reach.ports)
            result.append(Part(rule, kind, Recognition.NONE, rule.services, narrowed, narrowed))
    return tuple(result)
