"""The driver of a review: two loaded sides, what changes in meaning, and what becomes of it on each firewall."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from egressc.api import collector_paused
from egressc.api_build import build_all
from egressc.bind import prepare
from egressc.diagnostics import Level, has_errors
from egressc.diff import review_of
from egressc.diff_files import BY_NAME
from egressc.diff_proxies import proxy_remarks
from egressc.diff_sides import both_sides
from egressc.drift import Deciding
from egressc.flows_search import example_address
from egressc.meaning import Outcome
from egressc.review import Edit, EditKind, FirewallReview, Verdict, What

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from egressc.api import Loaded
    from egressc.api_build import Build
    from egressc.bind import Prepared
    from egressc.diagnostics import Diagnostic
    from egressc.diff_files import Places
    from egressc.flows import Flow
    from egressc.inventory import Firewall
    from egressc.meaning import InspectionRuling, Meaning, Ruling
    from egressc.review import Change, Review

_SHOWN = 12
"""So many notes for one firewall are enough; how many more there are is said."""


_OF_INVENTORIES = (What.GROUP, What.ACCOUNT, What.PARAMETER)
"""An inventory says names of these: where one of them changed, it is no further edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAnswer:
    """The review, or none if a side has errors; the diagnostics of each side are those of the policies alone."""

    review: Review | None
    old: tuple[Diagnostic, ...]
    new: tuple[Diagnostic, ...]


def review_loaded(
    old: Loaded,
    new: Loaded,
    *,
    as_of: date,
    names: tuple[str, str] = ("old", "new"),
    firewalls: Callable[[Firewall], bool] | None = None,
    places: Places = BY_NAME,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> ReviewAnswer:
    """What the change from one loaded side to the other means, with the firewalls that are chosen (``None``: all).

    Where only one side has an inventory, it is taken for both, which a remark says. ``places``: what a file of each
    side is compared by.
    """
    with collector_paused():
        remarks: list[str] = []
        old, new = _same_world(old, new, names, remarks)
        prepared: list[Prepared] = []
        told: list[tuple[Diagnostic, ...]] = []
        for side in (old, new):
            report = list(side.diagnostics)
            if side.policy is not None and side.inventory is not None:
                found, problems = prepare(side.policy, side.inventory, as_of)
                report.extend(p for p in problems if side.inventory.source is not None or p.code != "E0504")
                prepared.append(found)
            told.append(tuple(report))
        if len(prepared) < 2 or any(has_errors(report) for report in told):
            return ReviewAnswer(review=None, old=told[0], new=told[1])
        progress("comparing", 0, 1)
        sides = both_sides(prepared[0], prepared[1])
        found_review = review_of(sides, names=names, places=places)
        wanted = firewalls or (lambda _: True)
        builds = [_builds(each, wanted, progress) for each in prepared]
        per_firewall = tuple(_reviews(builds[0], builds[1], found_review))
        proxies = tuple(proxy_remarks(prepared[0], prepared[1]))
        remarks += proxies
        found_review = replace(found_review, per_firewall=per_firewall, remarks=(*remarks, *found_review.remarks))
        every = firewalls is None or not any(side.inventory.firewalls for side in prepared)
        if every and found_review.is_empty and not proxies:
            of_inventory = [each for each in found_review.edits if each.what in _OF_INVENTORIES]
            edits = () if of_inventory else _inventory_edit(*prepared)
            found_review = replace(found_review, edits=(*found_review.edits, *edits))
        return ReviewAnswer(
            review=found_review,
            old=told[0],
            new=told[1],
        )


def _inventory_edit(old: Prepared, new: Prepared) -> list[Edit]:
    """The edit of an inventory that changes nothing anywhere; nothing if it is the same."""
    before, after = old.inventory.source, new.inventory.source
    if before is None or after is None or before.text == after.text:
        return []
    return [Edit(EditKind.REFORMATTED, (), (), after.name, What.FILE, (before.name, after.name))]


def _same_world(old: Loaded, new: Loaded, names: tuple[str, str], remarks: list[str]) -> tuple[Loaded, Loaded]:
    """Both sides with an inventory, if one of them has one."""
    if old.inventory is None or new.inventory is None:
        return old, new
    known = [side.inventory.source is not None for side in (old, new) if side.inventory is not None]
    if known == [True, False]:
        remarks.append(f"{names[1]} has no inventory: that of {names[0]} is taken for both")
        return old, replace(new, inventory=old.inventory)
    if known == [False, True]:
        remarks.append(f"{names[0]} has no inventory: that of {names[1]} is taken for both")
        return replace(old, inventory=new.inventory), new
    return old, new


@dataclass(frozen=True, slots=True)
class _Built:
    """One artefact of one side; ``errors`` where it cannot be compiled."""

    name: str
    target: str
    build: Build | None
    errors: bool


def _builds(
    prepared: Prepared, wanted: Callable[[Firewall], bool], progress: Callable[[str, int, int], None]
) -> dict[str, _Built]:
    chosen = [firewall for firewall in prepared.inventory.firewalls if wanted(firewall)]
    report: list[Diagnostic] = []
    built = build_all(prepared, chosen, strict=False, accept=(), report=report, progress=progress)
    if not has_errors(report):
        return {b.site.name: _Built(b.site.name, b.site.target, b, errors=False) for b in built}
    found: dict[str, _Built] = {}
    for firewall in chosen:
        alone: list[Diagnostic] = []
        mine = build_all(prepared, [firewall], strict=False, accept=(), report=alone, progress=progress)
        broken = any(d.level is Level.ERROR for d in alone)
        if not mine:
            found[firewall.name] = _Built(firewall.name, firewall.target, None, errors=True)
        found.update({b.site.name: _Built(b.site.name, b.site.target, b, errors=broken) for b in mine})
    return found


def _reviews(old: dict[str, _Built], new: dict[str, _Built], review: Review) -> Iterator[FirewallReview]:
    for name in dict.fromkeys((*new, *old)):
        both = [side[name] for side in (new, old) if name in side]
        empty = FirewallReview(name=name, target=both[0].target)
        builds = [each.build for each in both if each.build is not None and not each.errors]
        if len(builds) < len(both):
            yield replace(empty, state="errors")
        elif len(builds) == 1 or both[0].target != both[1].target:
            rules = tuple(_rules(_meaning(builds[0])))
            is_new = name in new
            yield replace(empty, state="new", added=rules) if is_new else replace(empty, state="gone", removed=rules)
        else:
            yield _review_of(builds[1], builds[0], review, empty)


def _meaning(build: Build) -> Meaning | None:
    """What the artefact does, read back from its files."""
    if build.target.read is None:
        return None
    files = [each for each in build.render() if each.name not in build.target.derived]
    return build.target.read(build.site, files)


_Content = tuple[object, ...]


def _rules(meaning: Meaning | None) -> dict[str, list[_Content]]:
    """What the rules of an artefact do, by their name."""
    found: dict[str, list[_Content]] = {}
    if meaning is None:
        return found
    every: tuple[Ruling | InspectionRuling, ...] = (*meaning.rulings, *meaning.inspections)
    for each in every:
        does = getattr(each, "outcome", None) or getattr(each, "handling", None)
        found.setdefault(each.name, []).append((does, each.blocks, getattr(each, "but", ())))
    return found


def _review_of(old: Build, new: Build, review: Review, empty: FirewallReview) -> FirewallReview:
    notes = [*_approximated_anew(old, new)]
    if old.render() == new.render():
        return replace(empty, notes=_few([*_without_effect(old, new, None, None, review), *notes]))
    meanings = _meaning(old), _meaning(new)
    before, after = _rules(meanings[0]), _rules(meanings[1])
    added = {name: None for name in after if name not in before}
    removed = {name: None for name in before if name not in after}
    changed = [name for name in after if name in before and after[name] != before[name]]
    # Where names follow from what a rule holds, another one in the place of one is that rule, changed.
    waiting: dict[str, list[str]] = {}
    owners = _owners(old), _owners(new)
    for name in removed:
        waiting.setdefault(owners[0].get(name, ""), []).append(name)
    for name in list(added):
        owner = owners[1].get(name, "")
        if owner and waiting.get(owner):
            del removed[waiting[owner].pop()], added[name]
            changed.append(name)
    return replace(
        empty,
        added=tuple(added),
        removed=tuple(removed),
        changed=tuple(changed),
        notes=_few([*_without_effect(old, new, *meanings, review), *notes]),
    )


def _owners(build: Build) -> dict[str, str]:
    """The rules of the policy that artefact rules belong to, by the name of the artefact rule."""
    return {name: part.rule.key for part in build.lowering.parts for name in part.names}


def _few(notes: Sequence[str]) -> tuple[str, ...]:
    if len(notes) <= _SHOWN:
        return tuple(notes)
    return (*notes[:_SHOWN], f"and {len(notes) - _SHOWN} more")


def _without_effect(
    old: Build, new: Build, before: Meaning | None, after: Meaning | None, review: Review
) -> Iterator[str]:
    """Changes of the policy that change nothing here, since the artefact says both in the same approximated way.

    Of those that are alike one is shown and the others are counted.
    """
    if old.target.read is None:
        return
    governed = {group.name for build in (old, new) for group in build.site.groups}
    is_host = new.target.per_group(new.site.settings)
    deciding = None if before is None or after is None else (Deciding(before.rulings), Deciding(after.rulings))
    found: dict[tuple[str, str], list[Change]] = {}
    for change in (*review.newly_allowed, *review.no_longer_allowed):
        # A host has the addresses that it has: which of them are in the group, its own rules do not say.
        if change.example.group not in governed or (is_host and change.sources):
            continue
        how = "the artefact stays as it is"
        if deciding is not None:
            there = [_verdict(side, build, change) for side, build in zip(deciding, (old, new), strict=True)]
            if there[0] is None or there[0] is not there[1]:
                continue
            how = f"it is {_DOES[there[0]]} before and after"
        found.setdefault(("allows" if change.after is Verdict.ALLOW else "takes away", how), []).append(change)
    for (what, how), some in found.items():
        more = f" (and {len(some) - 1} more)" if len(some) > 1 else ""
        yield f"what the policy newly {what} changes nothing here ({how}): {some[0].example.text}{more}"


_DOES = {Outcome.ALLOW: "let through", Outcome.DENY: "denied", Outcome.LEFT: "left to others"}


def _verdict(deciding: Deciding, build: Build, change: Change) -> Outcome | None:
    """What the artefact does with the example; ``None`` where that is not certain."""
    flow = _seen(change.example, build)
    if flow.address is None:
        # The policy decides the same at every address that no rule names.
        index = build.site.index
        unnamed = index.allows.unnamed.intersection(index.denies.unnamed)
        free = unnamed.difference(build.site.internal).family(6 if ":" in flow.source else 4)
        flow = replace(flow, address=None if free.is_empty else example_address(free))
    found = deciding.of(flow)
    if any(ruling.doubt for ruling in found):
        return None
    return found[-1].outcome if found else Outcome.LEFT


def _seen(flow: Flow, build: Build) -> Flow:
    """The flow as the enforcement point sees it."""
    site, target = build.site, build.target
    group = next((g for g in site.groups if g.name == flow.group), None)
    accounts = {a.name: a for rule in site.rules if isinstance(rule.accounts, tuple) for a in rule.accounts}
    known = accounts.get(flow.account) if flow.account is not None else None
    forms = target.processes(known) if known is not None else ()
    process = (
        ", ".join(f"{kind} {min(choice.names)}" for kind, choice in forms[0] if not choice.negated) if forms else ""
    )
    source = "" if target.per_group(site.settings) else flow.source
    named = None if group is None else group.object_name
    return replace(flow, group=named, account=None, source=source, process=process)


def _approximated_anew(old: Build, new: Build) -> Iterator[str]:
    """Effects that the policy does not have: what the new artefact approximates and the old one did not."""
    before = {key for key, _ in _approximations(old)}
    for key, sentence in _approximations(new):
        if key not in before:
            yield sentence


def _approximations(build: Build) -> Iterable[tuple[tuple[str, str, str], str]]:
    for rule in build.fidelity.rules:
        for each in rule.approximations:
            if each.example is None:
                continue
            key = (rule.rule.identity, each.reason.value, each.effect.value)
            yield key, f"`{rule.rule.identity}` is {each.effect.value} here ({each.reason}): {each.example.text}"
