"""What lowering a site yields besides the target's own rules: parts, steps, and how names are recognised.

A rule is lowered in *parts*; the parts' ``start`` together are exactly the rule's reach, and each part reaches what the
target can say in *steps*, one reason each. What is left in ``reach`` is what the artefact's rules for that part match.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from egressc.meaning import Outcome
from egressc.quick_init import quick_init

if TYPE_CHECKING:
    from egressc.diagnostics import Diagnostic, Level
    from egressc.meaning import Block, Ruling
    from egressc.reach import Reach
    from egressc.reasons import Effect, Reason
    from egressc.services import Service
    from egressc.site import BoundRule

ModelT = TypeVar("ModelT")


class Kind(StrEnum):
    """What the endpoints of a part are."""

    NAMES = "names"
    ADDRESSES = "addresses"
    ANY_ADDRESS = "any-address"
    TAGS = "tags"


class Recognition(StrEnum):
    """How an artefact rule knows the name: the TLS SNI, the Host header, the resolved address, or not at all."""

    SNI = "sni"
    HOST = "host"
    DNS = "dns"
    NONE = "none"


@quick_init
@dataclass(frozen=True, slots=True)
class Step:
    """One approximation: ``before`` becomes ``after`` for ``reason``; ``after`` is ``None`` when the part is gone.

    Reasons that do not change the flows (``log``, ``expiry``, ``application``) have ``after`` equal to ``before``.
    ``effect`` is the effect on what the *part* matches. ``sentence`` says it in words. ``level`` is set where the
    level of this step is not the reason's own.
    """

    reason: Reason
    effect: Effect
    sentence: str
    before: Reach
    after: Reach | None
    level: Level | None = None


@quick_init
@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of a rule on its way to the target: endpoints of one kind, names recognised by one mechanism.

    ``services`` are the rule's services that this part is for; ``reach`` is ``None`` when the part is gone. ``names``
    are the artefact rules that it became. ``exempt`` is what the artefact exempts from TLS inspection for this part,
    ``inspect`` what it surely inspects. ``assumptions`` are ids of statements nobody could verify. ``left_out`` marks
    a deny that meets no allow and is covered by the closing deny.

    ``cells`` is what the artefact's rules for an allow match where a deny by name was taken out of them, and that is
    less than ``reach``; ``cut_out`` marks such a deny, which no rule of the artefact says. ``closes`` is what the
    artefact's rules for the part deny below all allows, beyond the closing deny.
    """

    rule: BoundRule
    kind: Kind
    recognition: Recognition
    services: tuple[Service, ...]
    start: Reach
    reach: Reach | None
    steps: tuple[Step, ...] = ()
    names: tuple[str, ...] = ()
    exempt: Reach | None = None
    inspect: Reach | None = None
    assumptions: tuple[str, ...] = ()
    left_out: bool = False
    cells: tuple[Block, ...] | None = None
    cut_out: bool = False
    closes: tuple[Reach, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteStep:
    """An approximation of the whole artefact, such as ``default`` or ``infrastructure``."""

    reason: Reason
    sentence: str
    level: Level | None = None


class BrokenLoweringError(Exception):
    """A target lost or changed something without saying so: a defect of the target, never of the policy.

    The text names the rule, the artefact and, where there is one, a flow.
    """


@dataclass(frozen=True, slots=True)
class Lowering(Generic[ModelT]):
    """A target's answer for one site.

    ``parts`` hold every rule of the site at least once, also rules that are gone. ``diagnostics`` are errors that no
    reason covers (a limit of the target, an account without a binding). ``assumes`` are the sentences on which the
    artefact as a whole rests. ``inspects`` says whether the device opens TLS at all. ``overlapping`` holds with
    an account the others that one of its processes may belong to, as far as this target can tell processes apart.
    ``opening`` is what the artefact lets through first of all for the enforcement point itself (``infrastructure``).
    ``internal`` is what it does with flows to the internal networks that no rule matches, where it has a closing deny.
    """

    model: ModelT
    parts: tuple[Part, ...]
    site_steps: tuple[SiteStep, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    assumes: tuple[str, ...] = ()
    inspects: bool = False
    opening: tuple[Ruling, ...] = ()
    internal: Outcome = Outcome.LEFT
    overlapping: tuple[tuple[str, frozenset[str]], ...] = ()
