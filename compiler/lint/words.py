"""How findings speak of rules."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

from egressc.diagnostics import Related

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.site import BoundRule

_PLACE: Final = attrgetter("rule.span.source.name", "rule.span.start", "key")
_NAMED: Final = 3
"""So many rules are named; of more, how many there are."""


def rules_in_words(rules: Sequence[BoundRule]) -> str:
    """The rules by their identity: ``a``, ``a and b together``, ``a, b, c and 2 more together``."""
    names = list(dict.fromkeys(f"`{rule.identity}`" for rule in _by_place(rules)))
    if len(names) == 1:
        return names[0]
    shown, more = names[:_NAMED], len(names) - _NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more together"
    return f"{', '.join(shown[:-1])} and {shown[-1]} together"


def _by_place(rules: Sequence[BoundRule]) -> list[BoundRule]:
    return sorted(rules, key=_PLACE)


def the_places(rules: Sequence[BoundRule], text: str) -> tuple[Related, ...]:
    """Where the first of the rules stand."""
    spans = list(dict.fromkeys(rule.rule.span for rule in _by_place(rules)))[:_NAMED]
    return tuple([Related(span=span, text=text) for span in spans])
