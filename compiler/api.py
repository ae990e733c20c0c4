"""The driver: from paths to artefacts. Pure but for reading the files that it is told to read; nothing is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from egressc.announce import announcements
from egressc.bind import Prepared, bind, bind_everything, prepare
from egressc.diagnostics import Diagnostic, Level, Related, has_errors, sort_key
from egressc.fidelity import Grading, assess
from egressc.inventory import empty_inventory, unnamed_firewall
from egressc.load_inventory import load as load_inventory
from egressc.located import source_of
from egressc.policy import Inspection
from egressc.project import load_project
from egressc.project_paths import find_inventory, find_root
from egressc.reasons import Reason
from egressc.resolve import resolve
from egressc.suggest import nearest
from egressc.targets.registry import load_target, target_names
from egressc.tls import conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from egressc.fidelity import Fidelity
    from egressc.inventory import Firewall, Inventory
    from egressc.lowering import Lowering
    from egressc.policy import Policy
    from egressc.site import Site
    from egressc.source import Source
    from egressc.targets.protocol import Artefact, Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to compile. ``firewalls`` and ``targets`` narrow it; ``accept`` are reasons accepted everywhere."""

    paths: tuple[str, ...]
    as_of: date
    inventory: str | None = None
    firewalls: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Policies and inventory as read. ``could_not_run`` is about files that cannot be read: exit status 2."""

    policy: Policy | None
    inventory: Inventory | None
    sources: tuple[Source, ...]
    diagnostics: tuple[Diagnostic, ...]
    could_not_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One artefact: its site, its rules, and its fidelity report."""

    site: Site[Any]
    target: Target[Any, Any]
    lowering: Lowering[Any]
    fidelity: Fidelity

    def render(self) -> tuple[Artefact, ...]:
        """The files of the artefact, without the fidelity report."""
        return self.target.render(self.lowering.model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """The answer to a request. ``builds`` is empty when there are errors: then nothing may be written.

    ``complete`` says that the builds are all of the inventory's firewalls.
    """

    loaded: Loaded
    builds: tuple[Build, ...]
    diagnostics: tuple[Diagnostic, ...]
    complete: bool
    could_not_run: bool = False


@dataclass(slots=True)
class _Run:
    """One compilation under way."""

    request: Request
    progress: Callable[[str, int, int], None]
    report: list[Diagnostic] = field(default_factory=list)


def load(paths: Sequence[str], inventory_path: str | None = None) -> Loaded:
    """The policies and the inventory behind some PATHs, with everything that is wrong with them."""
    project = load_project(paths)
    policy, problems = resolve(project)
    report = [*project.diagnostics, *problems]
    could_not_run = project.could_not_run
    where = inventory_path or find_inventory(paths)
    inventory: Inventory | None = empty_inventory()
    sources = project.sources
    if where is not None:
        try:
            data = Path(where).read_bytes()
        except OSError as error:
            report.append(
                Diagnostic(
                    code="E0435",
                    message=f"the inventory `{where}` cannot be read: {(error.strerror or str(error)).lower()}",
                    file=where,
                    help="name a file with `--inventory FILE`, or leave it out",
                )
            )
            could_not_run = True
            inventory = None
        else:
            real = Path(where).resolve()
            root = Path(find_root(str(real)))
            name = real.relative_to(root).as_posix() if real.is_relative_to(root) else real.name
            source, problems = source_of(name, data, where)
            report.extend(problems)
            inventory = None
            if source is not None:
                folder = real.parent
                inventory, problems = load_inventory(
                    source,
                    lambda file: (folder / file).read_bytes(),
                    known_targets=target_names(),
                    known_reasons=[reason.value for reason in Reason],
                )
                report.extend(problems)
                sources = (*sources, source)
    report.sort(key=sort_key)
    return Loaded(
        policy=policy,
        inventory=inventory,
        sources=sources,
        diagnostics=tuple(report),
        could_not_run=could_not_run,
    )


def compile_request(
    request: Request, progress: Callable[[str, int, int], None] = lambda *_: None
) -> Compilation:
    """Everything between reading and writing. ``progress`` is told a stage, how far it is, and how far it goes."""
    progress("reading", 0, 1)
    loaded = load(request.paths, request.inventory)
    run = _Run(request, progress, list(loaded.diagnostics))
    if loaded.could_not_run or loaded.policy is None or loaded.inventory is None:
        return _stopped(loaded, run, could_not_run=loaded.could_not_run)
    firewalls, usage = _chosen(request, loaded.inventory)
    if usage:
        run.report.extend(usage)
        return _stopped(loaded, run, could_not_run=True)
    prepared, problems = prepare(loaded.policy, loaded.inventory, request.as_of)
    run.report.extend(problems)
    if has_errors(run.report):
        return _stopped(loaded, run)
    run.report.extend(_inspection_conflicts(prepared))
    builds = _build(run, prepared, firewalls)
    chosen = {firewall.name for firewall in firewalls}
    if request.strict:
        run.report = [d.at_level(Level.ERROR) if _strict_raises(d) else d for d in run.report]
    run.report.sort(key=sort_key)
    everything = {f.name for f in loaded.inventory.firewalls} <= chosen and not request.targets
    return Compilation(
        loaded=loaded,
        builds=() if has_errors(run.report) else builds,
        diagnostics=tuple(run.report),
        complete=everything,
    )


def check_request(
    request: Request, progress: Callable[[str, int, int], None] = lambda *_: None
) -> Compilation:
    """The same, for a caller that writes nothing: without a firewall or target, the policy alone is checked."""
    if request.firewalls or request.targets or request.inventory:
        return compile_request(request, progress)
    loaded = load(request.paths)
    if loaded.inventory is None or loaded.inventory.firewalls or loaded.policy is None or loaded.could_not_run:
        return compile_request(request, progress)
    run = _Run(request, progress, list(loaded.diagnostics))
    prepared, problems = prepare(loaded.policy, loaded.inventory, request.as_of)
    # Without an inventory no parameter has a value: what that means is known when a firewall is compiled.
    run.report.extend(d for d in problems if loaded.inventory.source is not None or d.code != "E0504")
    if not has_errors(run.report):
        run.report.extend(_inspection_conflicts(prepared))
    return _stopped(loaded, run)


def _stopped(loaded: Loaded, run: _Run, *, could_not_run: bool = False) -> Compilation:
    report = [d.at_level(Level.ERROR) if run.request.strict and _strict_raises(d) else d for d in run.report]
    report.sort(key=sort_key)
    return Compilation(
        loaded=loaded, builds=(), diagnostics=tuple(report), complete=False, could_not_run=could_not_run
    )


def _strict_raises(diagnostic: Diagnostic) -> bool:
    return diagnostic.level is Level.WARNING


def _chosen(request: Request, inventory: Inventory) -> tuple[tuple[Firewall, ...], list[Diagnostic]]:
    """The firewalls of this run; usage errors for names that do not exist."""
    wrong: list[Diagnostic] = []
    known = target_names()
    for name in request.targets:
        if name not in known:
            wrong.append(_no_such("target", name, known))
    for reason in request.accept:
        if reason not in [r.value for r in Reason]:
            wrong.append(_no_such("approximation reason", reason, [r.value for r in Reason]))
    names = [firewall.name for firewall in inventory.firewalls]
    if inventory.source is None:
        if request.firewalls:
            wrong.append(_no_such("firewall", request.firewalls[0], names))
        elif not request.targets:
            wrong.append(
                Diagnostic(
                    code="E0521",
                    message="there is no inventory, so there is no firewall to compile for",
                    help=f"write an `inventory.yaml` (see `egressc init`), or name a target: --target {known[0]}"
                    if known
                    else "write an `inventory.yaml` (see `egressc init`)",
                )
            )
        return tuple(unnamed_firewall(name) for name in dict.fromkeys(request.targets) if name in known), wrong
    for name in request.firewalls:
        if name not in names:
            wrong.append(_no_such("firewall", name, names))
    chosen = tuple(
        firewall
        for firewall in inventory.firewalls
        if (not request.firewalls or firewall.name in request.firewalls)
        and (not request.targets or firewall.target in request.targets)
    )
    if not chosen and not wrong:
        wrong.append(
            Diagnostic(
                code="E0521",
                message="no firewall of the inventory is chosen" if names else "the inventory names no firewall",
                file=inventory.source.shown,
                help="firewalls: " + ", ".join(f"`{name}`" for name in names)
                if names
                else "add one under `firewalls`, or leave the inventory out and name a target",
            )
        )
    return chosen, wrong


def _no_such(what: str, name: str, known: Sequence[str]) -> Diagnostic:
    near = nearest(name, known)
    return Diagnostic(
        code="E0520",
        message=f"there is no {what} `{name}`",
        help=f"did you mean `{near}`?" if near else f"{what}s: {', '.join(known) or 'none'}",
    )


def _inspection_conflicts(prepared: Prepared) -> list[Diagnostic]:
    """Errors for flows that one allow wants inspected and another wants left alone."""
    whole = bind_everything(prepared)
    result = []
    for rule in whole.rules:
        if rule.is_deny or rule.rule.inspection is not Inspection.MUST:
            continue
        for other, flow in conflict(whole.index, rule):
            result.append(
                Diagnostic(
                    code="E0508",
                    message=f"`{rule.identity}` demands inspection of flows that `{other.identity}` exempts",
                    span=rule.rule.span,
                    label=f"e.g. {flow.text}",
                    help="subtract the exempted endpoints here with `except`, or drop one of the two settings",
                    related=(Related(span=other.rule.span, text="this rule says `no-tls-inspection`"),),
                )
            )
    return result


def _build(run: _Run, prepared: Prepared, firewalls: Sequence[Firewall]) -> tuple[Build, ...]:
    """The artefacts of the chosen firewalls; their diagnostics go to the run's report."""
    chosen = {firewall.name for firewall in firewalls}
    others = [f for f in prepared.inventory.firewalls if f.name not in chosen]
    lowered: list[tuple[Firewall, Target[Any, Any], Site[Any], Lowering[Any]]] = []
    enforced: set[tuple[str, str]] = set()
    inspected: set[str] = set()
    every = [*firewalls, *others]
    for number, firewall in enumerate(every):
        run.progress(f"lowering {firewall.name}", number, len(every))
        target = load_target(firewall.target)
        located = firewall.settings if firewall.span is not None else None
        settings, problems = target.load_settings(located)
        mine = firewall.name in chosen
        if mine:
            run.report.extend(problems)
        if settings is None:
            continue
        if not mine and not (target.per_group(settings) and target.sees_accounts(settings)) and not _needed(prepared):
            # Other firewalls matter only for what they enforce or inspect in place of the chosen ones.
            continue
        for site in bind(prepared, firewall, target, settings):
            lowering = target.lower(site)
            if target.per_group(settings) and target.sees_accounts(settings):
                enforced |= _enforced(lowering)
            if lowering.inspects:
                inspected.update(group.name for group in site.groups)
            if mine:
                lowered.append((firewall, target, site, lowering))
    builds = []
    for number, (firewall, target, site, lowering) in enumerate(lowered):
        run.progress(f"grading {site.name}", number, len(lowered))
        grading = Grading(
            firewall.accept,
            frozenset(run.request.accept),
            run.request.strict,
            run.request.as_of,
            lambda identity, group: (identity, group) in enforced,
        )
        fidelity = assess(site, lowering, grading)
        run.report.extend(lowering.diagnostics)
        run.report.extend(announcements(fidelity))
        builds.append(Build(site=site, target=target, lowering=lowering, fidelity=fidelity))
    for firewall in firewalls:
        run.report.extend(_ended(firewall, run.request.as_of))
    run.report.extend(_nowhere_inspected(lowered, inspected))
    return tuple(builds)


def _needed(prepared: Prepared) -> bool:
    return any(rule.inspection is Inspection.MUST for rule in prepared.rules)


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


def _ended(firewall: Firewall, as_of: date) -> list[Diagnostic]:
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
        if acceptance.until is not None and acceptance.until < as_of
    ]


def _nowhere_inspected(
    lowered: Sequence[tuple[Firewall, Target[Any, Any], Site[Any], Lowering[Any]]], inspected: set[str]
) -> list[Diagnostic]:
    """An error for each rule that demands inspection for a group that no inspecting firewall governs."""
    told: set[tuple[str, str]] = set()
    result = []
    for _, _, site, _ in lowered:
        for rule in site.rules:
            if rule.rule.inspection is not Inspection.MUST:
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
