"""The artefacts of the chosen firewalls: bound, lowered, graded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from egressc.announce import announcements
from egressc.bind import bind
from egressc.diagnostics import Diagnostic, Level, has_errors
from egressc.fidelity import Grading, assess
from egressc.lowering import BrokenLoweringError
from egressc.policy import Inspection
from egressc.proof import prove
from egressc.reasons import Reason
from egressc.targets.registry import load_target
from egressc.tls import tls_services

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from egressc.bind import Prepared
    from egressc.fidelity import Fidelity
    from egressc.inventory import Firewall
    from egressc.lowering import Lowering
    from egressc.site import Site
    from egressc.targets.protocol import Artefact, Target

Step = Callable[[str, int, int], None]
"""What is told about progress: a stage, how far it is, and how far it goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One artefact: its site, its rules, its fidelity report, and once it is proved, its files."""

    site: Site[Any]
    target: Target[Any, Any]
    lowering: Lowering[Any]
    fidelity: Fidelity
    files: tuple[Artefact, ...] = ()

    def render(self) -> tuple[Artefact, ...]:
        """The files of the artefact, without the fidelity report."""
        return self.files or self.target.render(self.lowering.model)

    def proved(self) -> Build:
        """The same with its files (without the fidelity report), read back and compared with what was announced.

        Raises ``UnprovedError`` if they do anything else. A target without a reader proves nothing, and says so.
        """
        files = self.target.render(self.lowering.model)
        read = tuple([each for each in files if each.name not in self.target.derived])
        if self.target.read is None:
            return replace(self, files=files)
        prove(self.site, self.target, self.lowering, read)
        fidelity = replace(self.fidelity, proved=tuple([each.name for each in read]))
        return replace(self, files=files, fidelity=fidelity)


@dataclass(frozen=True, slots=True)
class _Lowered:
    firewall: Firewall
    target: Target[Any, Any]
    site: Site[Any]
    lowering: Lowering[Any]


def build_all(
    prepared: Prepared,
    firewalls: Sequence[Firewall],
    *,
    strict: bool,
    accept: Iterable[str],
    report: list[Diagnostic],
    progress: Step,
) -> tuple[Build, ...]:
    """The artefacts of the firewalls; what is to be said about them goes to ``report``.

    Other firewalls of the inventory are lowered too where it matters what they enforce or inspect in place of these.
    """
    chosen = {firewall.name for firewall in firewalls}
    demanded = any(_demands(rule.inspection) for rule in prepared.rules)
    lowered: list[_Lowered] = []
    enforced: set[tuple[str, str]] = set()
    inspected: set[str] = set()
    every = [*firewalls, *(f for f in prepared.inventory.firewalls if f.name not in chosen)]
    for number, firewall in enumerate(every if firewalls else ()):
        progress(f"lowering {firewall.name}", number, len(every))
        target = load_target(firewall.target)
        settings, problems = target.load_settings(firewall.settings if firewall.span is not None else None)
        mine = firewall.name in chosen
        if mine:
            report.extend(problems)
        if settings is None:
            continue
        is_host = target.per_group(settings) and target.sees_accounts(settings)
        if not (mine or is_host or demanded):
            continue
        sites = bind(prepared, firewall, target, settings)
        if mine and not sites:
            report.append(_without_groups(firewall))
        for site in sites:
            lowering = target.lower(site)
            if is_host and site.closing_deny and not has_errors(lowering.diagnostics):
                enforced |= _enforced(lowering)
            if lowering.inspects:
                inspected.update(group.name for group in site.groups)
            if mine:
                lowered.append(_Lowered(firewall, target, site, lowering))
    builds = []
    for number, each in enumerate(lowered):
        progress(f"grading {each.site.name}", number, len(lowered))
        grading = Grading(
            each.firewall.accept,
            frozenset(accept),
            strict,
            prepared.as_of,
            lambda identity, group: (identity, group) in enforced,
        )
        report.extend(each.lowering.diagnostics)
        try:
            fidelity = assess(each.site, each.lowering, grading)
        except BrokenLoweringError:
            if has_errors(each.lowering.diagnostics):
                continue  # What cannot be lowered has no fidelity.
            raise
        report.extend(_not_told(announcements(fidelity), each.lowering.diagnostics))
        builds.append(Build(site=each.site, target=each.target, lowering=each.lowering, fidelity=fidelity))
    for firewall in firewalls:
        report.extend(_ended(firewall, prepared))
    report.extend(_nowhere_inspected(lowered, inspected))
    report.extend(_without_rules(lowered, prepared))
    report.extend(_same_place(lowered))
    return tuple(builds)


def enforced_by_hosts(prepared: Prepared) -> frozenset[tuple[str, str]]:
    """Rule and group for each rule whose accounts a host firewall of the inventory enforces exactly there."""
    enforced: set[tuple[str, str]] = set()
    for firewall in prepared.inventory.firewalls:
        target = load_target(firewall.target)
        settings, _ = target.load_settings(firewall.settings)
        if settings is None or not (target.per_group(settings) and target.sees_accounts(settings)):
            continue
        for site in bind(prepared, firewall, target, settings):
            lowering = target.lower(site)
            if site.closing_deny and not has_errors(lowering.diagnostics):
                enforced |= _enforced(lowering)
    return frozenset(enforced)


def _not_told(found: Iterable[Diagnostic], told: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """What is found, but for rules of which an error says already that they cannot be lowered."""
    places = {d.span for d in told if d.level is Level.ERROR}
    return (d for d in found if d.span is None or d.span not in places)


def _demands(inspection: Inspection) -> bool:
    return inspection is Inspection.MUST


def _enforced(lowering: Lowering[Any]) -> set[tuple[str, str]]:
    """Rule and group for each rule whose accounts this host artefact enforces exactly."""
    lost = {
        part.rule.identity
        for part in lowering.parts
        if part.reach is None or any(step.reason is Reason.ACCOUNT for step in part.steps)
    }
    return {
        (part.rule.identity, group.name)
        for part in lowering.parts
        if part.rule.identity not in lost
        for group in part.rule.groups
    }


def _ended(firewall: Firewall, prepared: Prepared) -> list[Diagnostic]:
    return [
        Diagnostic(
            code="W0509",
            message=f"the acceptance of `{acceptance.reason}` on `{firewall.name}` ended on "
            f"{acceptance.until.isoformat()}",
            span=acceptance.span,
            label="no longer in force",
            help="renew it with a later `until`, or remove it",
        )
        for acceptance in firewall.accept
        if acceptance.until is not None and acceptance.until < prepared.as_of
    ]


def _nowhere_inspected(lowered: Sequence[_Lowered], inspected: set[str]) -> list[Diagnostic]:
    """An error for each rule that demands inspection for a group that no inspecting firewall governs."""
    told: set[tuple[str, str]] = set()
    result = []
    for each in lowered:
        for rule in each.site.rules:
            if rule.is_deny or not _demands(rule.rule.inspection) or not tls_services(rule.services):
                continue
            for group in rule.groups:
                if group.name in inspected or (rule.identity, group.name) in told:
                    continue
                told.add((rule.identity, group.name))
                result.append(
                    Diagnostic(
                        code="E0622",
                        message=f"`{rule.identity}` demands inspection, and no firewall that governs `{group.name}` "
                        "inspects",
                        span=rule.rule.span,
                        label="nothing opens these connections",
                        help="set `tls-inspection` on a firewall of that group, or drop the demand",
                    )
                )
    return result


def _without_groups(firewall: Firewall) -> Diagnostic:
    """A warning for a host firewall that governs no group: it has no artefact."""
    return Diagnostic(
        code="W0516",
        message=f"there is no group for `{firewall.name}` ({firewall.target}), so nothing is written for it",
        span=firewall.span,
        label="it governs no group",
        help="a host firewall has an artefact for each group: define one in the inventory, and name it with `from`",
    )


def _without_rules(lowered: Sequence[_Lowered], prepared: Prepared) -> list[Diagnostic]:
    """A warning for each artefact that no rule is for, while the policy has rules: it only denies, or does nothing."""
    if not prepared.policy.rules:
        return []
    result = []
    for each in lowered:
        if each.site.rules:
            continue
        denies = each.site.closing_deny
        result.append(
            Diagnostic(
                code="W0516",
                message=f"no rule is for `{each.site.name}` ({each.site.target})",
                span=each.site.span,
                label="its artefact denies everything to its groups" if denies else "its artefact holds no rule",
                help="check `from` of the policies, and `groups` of this firewall",
            )
        )
    return result


def _same_place(lowered: Sequence[_Lowered]) -> Iterator[Diagnostic]:
    """A warning for each artefact that lands where another one does: each takes what is there for its own."""
    first: dict[tuple[str, str], str] = {}
    for each in lowered:
        place = each.target.shared_place(each.site.settings)
        if place is None:
            continue
        other = first.setdefault((each.target.name, place.casefold()), each.site.name)
        if other != each.site.name:
            yield Diagnostic(
                code="W0518",
                message=f"the artefacts of `{other}` and `{each.site.name}` are both for {place}",
                span=each.site.span,
                label="the one that is applied last takes away what the other wrote",
                help="give each a place of its own in `settings`",
                subject=each.site.name,
            )
