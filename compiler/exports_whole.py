"""A list that is switched off: whatever is asked for goes directly, whoever asked for what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.anything import ANY
from egressc.exports import ANY_NAME, ANY_PORT, Line, ListStep, Lowered, Shape, joined
from egressc.policy import AddressEndpoint, HostEndpoint
from egressc.reach import Reach
from egressc.reasons import Effect, Reason
from egressc.services import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.exports import Entry

_PORTS = PortSet(ANY_PORT)


def whole(entries: Iterable[Entry], whose: str) -> tuple[Lowered, ...]:
    """The one line that such a list has, for the rules of all entries; nothing where nothing is wanted."""
    some = tuple(entries)
    if not some:
        return ()
    rules = joined(entry.rules for entry in some)
    sentence = f"the list leaves nothing out: whatever is asked for goes directly{whose}"
    steps = []
    for every in (HostEndpoint(ANY_NAME), AddressEndpoint(ALL)):
        after = Reach(ANY, ANY, (every,), (), _PORTS)
        steps.append(ListStep(Reason.EXCEPT, Effect.WIDER, sentence, replace(after, endpoints=()), after))
    line = Line(Shape.EVERYTHING, ANY_NAME, None, ANY_PORT, rules, matched=(ANY_NAME,))
    first, *others = some
    return (
        Lowered(replace(first, rules=rules), (line,), tuple(steps)),
        *(Lowered(entry, (), ()) for entry in others),
    )
