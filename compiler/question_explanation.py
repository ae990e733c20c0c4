"""The whole answer to a question: the policy's own, why, what nearly matched, and what each firewall does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from egressc.meaning import UnreadableError
from egressc.policy import Inspection
from egressc.question import Question
from egressc.question_answer import Decision, Verdict, decide, inspections, is_whole
from egressc.question_cause import Cause, causes, inspection_causes, rules_of
from egressc.question_firewall import Decided, Enforcement, Opened, Ruled
from egressc.question_near import NearMiss, near_misses
from egressc.question_open import Open, inspection_open, left_open
from egressc.question_proxy import expected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.bind import Prepared
    from egressc.fidelity import Fidelity
    from egressc.lowering import Lowering
    from egressc.question import Sender, To, Who
    from egressc.site import BoundRule, Site
    from egressc.targets.protocol import Target


@dataclass(frozen=True, slots=True)
class Answer:
    """What the policy says. ``inspection`` is ``None`` where the flows are not all allowed.

    ``partial`` are those of the deciding rules that match only some of the flows; ``by_default`` says that no rule
    matches some of them. ``unknown`` and ``inspection_unknown`` are what the verdict and the inspection depend on.
    """

    question: Question
    decision: Decision
    inspection: Inspection | Verdict | None
    partial: frozenset[BoundRule]
    by_default: bool
    unknown: tuple[Open, ...]
    inspection_unknown: tuple[Open, ...]
    near: tuple[NearMiss, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallAnswer:
    """What one artefact does with the flows of one group. ``name`` is ``FIREWALL`` or ``FIREWALL/GROUP``.

    ``names`` are the artefact rules that decide, in their order, with where they stand; ``rules`` those of the policy
    that they stand for. ``why`` says why the verdict is unknown. ``same`` is true if the policy says the same; where it
    does not because the group is behind a proxy, ``proxy`` says so.
    """

    name: str
    target: str
    group: str
    verdict: Ruled
    names: tuple[tuple[str, str], ...] = ()
    rules: tuple[BoundRule, ...] = ()
    causes: tuple[Cause, ...] = ()
    opened: Opened | None = None
    opener: str = ""
    why: str = ""
    notes: tuple[str, ...] = ()
    same: bool = False
    proxy: str = ""


def answer(prepared: Prepared, whole: Site[None], who: Who, to: To) -> Answer | None:
    """What the policy says about the flows; ``None`` if there is no such flow."""
    question = Question.of(who, to)
    some = question.boxes()
    if not some:
        return None
    index = whole.index
    decision = decide(index, some)
    inspection: Inspection | Verdict | None = None
    depends: tuple[Open, ...] = ()
    notes = who.notes
    if decision.verdict is Verdict.ALLOW:
        said = inspections(index, some, decision)
        inspection = said.only
        if said.contradiction is not None:
            notes += (
                "rules contradict each other: it must be inspected, and must not be (`egressc check` says which)",
            )
        if inspection is None:
            inspection = Verdict.UNKNOWN
            depends = inspection_open(index, question, decision.matching)
    unknown = left_open(index, question, decision.matching) if decision.verdict is Verdict.UNKNOWN else ()
    return Answer(
        question,
        decision,
        inspection,
        frozenset(rule for rule in decision.deciding if not is_whole(index, rule, some)),
        decision.by_default is not None,
        unknown,
        depends,
        near_misses(prepared, whole, question, decision.matching),
        (*notes, *_notes(whole, to, decision)),
    )


def _notes(whole: Site[None], to: To, decision: Decision) -> tuple[str, ...]:
    if to.is_open or decision.by_default is None or not whole.internal.contains(to.addresses):
        return ()
    what = "what no rule names there, the default deny of a firewall leaves alone"
    return (f"{to.addresses.text} is internal (`internal-networks`): {what}",)


def ask(
    prepared: Prepared,
    found: Answer,
    site: Site[Any],
    target: Target[Any, Any],
    lowering: Lowering[Any],
    fidelity: Fidelity,
    whole: Site[None],
) -> tuple[FirewallAnswer, ...]:
    """What an artefact does with the flows, for each sender that it governs."""
    governed = {group.name for group in site.groups}
    senders = [sender for sender in found.question.who.senders if sender.group in governed]
    if not senders:
        return ()
    if target.read is None:
        return _unknown(site, senders, f"this version reads no artefacts of {site.target}")
    try:
        enforcement = Enforcement(site, target, lowering, tuple(prepared.accounts.values()))
    except UnreadableError as error:
        return _unknown(site, senders, f"its artefact cannot be read: {error.message}")
    answers = []
    for sender in senders:
        some = found.question.of_sender(sender).boxes()
        if not some:
            continue
        here = enforcement.decide(found.question, sender)
        policy = decide(whole.index, some)
        names = tuple(dict.fromkeys((step.ruling.name, step.ruling.place) for step in here.steps))
        rules = rules_of(lowering, [name for name, _ in names])
        tls = _tls_note(inspections(whole.index, some, policy).only, here.opened)
        to_do = expected(prepared, site, whole, sender.group, some, policy)
        why = causes(site, lowering, fidelity, some, to_do.decision, here)
        why += inspection_causes(fidelity, {rule.identity for rule in rules}) if tls else ()
        answers.append(
            FirewallAnswer(
                name=site.name,
                target=site.target,
                group=sender.group,
                verdict=here.verdict,
                names=names,
                rules=rules,
                causes=why,
                opened=here.opened,
                opener=here.opener,
                why=here.why,
                notes=(*tls, *_firewall_notes(site, found, here, rules)),
                same=here.verdict.value == policy.verdict.value,
                proxy=to_do.why,
            )
        )
    return tuple(answers)


def _unknown(site: Site[Any], senders: Sequence[Sender], why: str) -> tuple[FirewallAnswer, ...]:
    return tuple(
        [
            FirewallAnswer(name=site.name, target=site.target, group=sender.group, verdict=Ruled.UNKNOWN, why=why)
            for sender in senders
        ]
    )


def _tls_note(wanted: Inspection | None, opened: Opened | None) -> tuple[str, ...]:
    if wanted is Inspection.MUST_NOT and opened in {Opened.INSPECTED, Opened.MAYBE}:
        return ("the policy says that it must not be inspected",)
    if wanted is Inspection.MUST and opened in {Opened.NOT_INSPECTED, Opened.MAYBE}:
        return ("the policy says that it must be inspected",)
    return ()


def _firewall_notes(site: Site[Any], found: Answer, here: Decided, rules: Sequence[BoundRule]) -> tuple[str, ...]:
    notes = []
    if here.by_address:
        every = list(dict.fromkeys(f"`{ruling.name}`" for ruling in here.by_address))
        names = ", ".join(every[:3]) + (" or another rule" if len(every) > 3 else "")
        notes.append(
            f"it knows names by their addresses: where an allowed name has the same one, this passes by {names}"
        )
    to = found.question.to
    if here.verdict is Ruled.ALLOW and not to.is_open and not rules and site.internal.contains(to.addresses):
        notes.append("the address is internal: it is let through, because nothing there could leave it to other rules")
    if here.left is not None or here.verdict is Ruled.UNDECIDED:
        if not to.is_open and site.internal.overlaps(to.addresses):
            notes.append(
                "the address is internal, and no rule names it: it is left to what else stands there"
                if site.internal.contains(to.addresses)
                else "some of the addresses are internal: where no rule names them, they are left to what else stands "
                "there"
            )
        elif not site.closing_deny:
            notes.append("it has no closing deny: what no rule matches is left to what else stands there")
    return tuple(notes)
