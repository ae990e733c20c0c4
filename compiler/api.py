"""The driver: from paths to artefacts. Pure but for reading the files that it is told to read; nothing is written."""

from __future__ import annotations

import gc
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from egressc.api_build import Build, Step, build_all
from egressc.api_choice import chosen_firewalls, usage_problems
from egressc.bind import bind_everything, prepare
from egressc.bind_names import ungoverned_groups, unknown_groups
from egressc.diagnostics import Diagnostic, Level, Related, has_errors, sort_key
from egressc.inventory import empty_inventory
from egressc.load_inventory import load as load_inventory
from egressc.located import source_of
from egressc.parse import parse as parse_source
from egressc.policy import Inspection
from egressc.project import load_project
from egressc.project_files import DISK, read_regular
from egressc.project_paths import find_inventories, find_root, near_path, printable, reason
from egressc.reasons import FACTS, Reason
from egressc.resolve import named_groups, resolve
from egressc.targets.list_registry import format_names
from egressc.targets.registry import load_target, target_names
from egressc.tls import conflict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from egressc.api_export import ListBuild
    from egressc.bind import Prepared
    from egressc.inventory import Firewall, Inventory
    from egressc.policy import Policy
    from egressc.project import Parse, Project
    from egressc.project_files import Files
    from egressc.source import Source, Span

__all__ = [
    "Build",
    "Compilation",
    "Loaded",
    "Request",
    "check_request",
    "collector_paused",
    "compile_request",
    "load",
    "lowered_request",
]


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

    project: Project
    policy: Policy | None
    inventory: Inventory | None
    sources: tuple[Source, ...]
    diagnostics: tuple[Diagnostic, ...]
    could_not_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """The answer to a request. ``builds`` and ``lists`` are empty when there are errors: then nothing may be written.

    ``complete`` says that the builds are all of the inventory's firewalls, and the lists all of its exports.
    """

    loaded: Loaded
    builds: tuple[Build, ...]
    lists: tuple[ListBuild, ...]
    diagnostics: tuple[Diagnostic, ...]
    complete: bool
    could_not_run: bool = False


_ONCE = frozenset({"E0502"})
"""Codes whose message names the mistake whole: it is said once, at the first rule that suffers from it."""

_ABOUT_INSPECTION = frozenset({FACTS[Reason.TLS_SCOPE].code, FACTS[Reason.TLS_UNENFORCED].code})


def load(
    paths: Sequence[str], inventory_path: str | None = None, files: Files = DISK, parse: Parse = parse_source
) -> Loaded:
    """The policies and the inventory behind some PATHs, with everything that is wrong with them."""
    with collector_paused():
        project = load_project(paths, files, parse)
        policy, problems = resolve(project)
        report = [*project.diagnostics, *problems]
        could_not_run = project.could_not_run
        found = find_inventories(paths, files) if inventory_path is None else (inventory_path,)
        inventory: Inventory | None = empty_inventory()
        sources = project.sources
        if len(found) > 1:
            report.append(_several(found))
            inventory, could_not_run = None, True
        elif found:
            source, inventory, unreadable = _read_inventory(found[0], files, report)
            could_not_run = could_not_run or unreadable
            sources = sources if source is None else (*sources, source)
            if policy is None and inventory is not None:
                report.extend(unknown_groups(named_groups(project), inventory))
        report.sort(key=sort_key)
        return Loaded(
            project=project,
            policy=policy,
            inventory=inventory,
            sources=sources,
            diagnostics=tuple(report),
            could_not_run=could_not_run,
        )


def _several(found: Sequence[str]) -> Diagnostic:
    shown = ", ".join(f"`{printable(path)}`" for path in found)
    return Diagnostic(
        code="E0436",
        message=f"the PATHs have {len(found)} inventories: {shown}",
        help="run once for each, or name the one that is meant with `--inventory FILE`",
        file=printable(found[0]),
    )


def _read_inventory(where: str, files: Files, report: list[Diagnostic]) -> tuple[Source | None, Inventory | None, bool]:
    """The source and the inventory of a file; True if the file cannot be read."""
    try:
        data = files.read(where)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError) and where
        near = near_path(os.path.normpath(where), files=files) if missing else None
        near = near if near is not None and near.endswith((".yaml", ".yml")) else None
        shown = printable(where)
        report.append(
            Diagnostic(
                code="E0435",
                message=f"the inventory `{shown}` cannot be read: {reason(error)}",
                file=shown,
                help=f"did you mean `{printable(near)}`?" if near else "name a file with `--inventory FILE`",
            )
        )
        return None, None, True
    real = Path(files.real(where))
    root = Path(find_root(str(real), files))
    name = real.relative_to(root).as_posix() if real.is_relative_to(root) else real.name
    source, problems = source_of(name, data, files.shown(where))
    report.extend(problems)
    if source is None:
        return None, None, False
    folder = real.parent
    inventory, problems = load_inventory(
        source,
        lambda file: read_regular(str(folder / file), files),
        known_targets=target_names(),
        known_reasons=[each.value for each in Reason],
        known_formats=format_names(),
        check_settings=_settings_problems,
    )
    report.extend(problems)
    return source, inventory, False


def _settings_problems(firewall: Firewall) -> tuple[Diagnostic, ...]:
    """What is wrong with the settings of a firewall; nothing for a target that does not exist."""
    if firewall.target not in target_names() or firewall.span is None:
        return ()
    return tuple(load_target(firewall.target).load_settings(firewall.settings)[1])


def compile_request(request: Request, progress: Step = lambda *_: None) -> Compilation:
    """Everything between reading and writing. ``progress`` is told a stage, how far it is, and how far it goes."""
    with collector_paused():
        return _run(request, progress, policy_alone=False)


def lowered_request(request: Request, progress: Step = lambda *_: None) -> Compilation:
    """The same without files and proof: what the firewalls must do, for a caller that compares something with it."""
    with collector_paused():
        return _run(request, progress, policy_alone=False, files=False)


def check_request(request: Request, progress: Step = lambda *_: None) -> Compilation:
    """The same, for a caller that writes nothing: where there is no firewall, the policy alone is checked."""
    with collector_paused():
        return _run(request, progress, policy_alone=True)


def _run(request: Request, progress: Step, *, policy_alone: bool, files: bool = True) -> Compilation:
    progress("reading", 0, 1)
    loaded = load(request.paths, request.inventory)
    report = list(loaded.diagnostics)
    usage = usage_problems(request.targets, request.accept)
    if loaded.inventory is not None:
        none_will_do = policy_alone or bool(loaded.inventory.exports)
        firewalls, problems = chosen_firewalls(request.firewalls, request.targets, loaded.inventory, none_will_do)
        if not loaded.could_not_run:
            usage += problems
    if usage or loaded.could_not_run or loaded.policy is None or loaded.inventory is None:
        report.extend(usage)
        if loaded.inventory is not None:
            report.extend(problem for firewall in firewalls for problem in _settings_problems(firewall))
        return _answer(request, loaded, report, could_not_run=bool(usage) or loaded.could_not_run)
    prepared, found = prepare(loaded.policy, loaded.inventory, request.as_of)
    if loaded.inventory.source is None and not firewalls:
        # Without an inventory no parameter has a value: what that means is known when a firewall is compiled.
        found = tuple(d for d in found if d.code != "E0504")
    report.extend(found)
    if has_errors(report):
        report.extend(problem for firewall in firewalls for problem in _settings_problems(firewall))
        return _answer(request, loaded, report)
    conflicts = inspection_conflicts(prepared)
    report.extend(conflicts)
    found_there: list[Diagnostic] = []
    builds = build_all(
        prepared, firewalls, strict=request.strict, accept=request.accept, report=found_there, progress=progress
    )
    # What a firewall cannot fulfil because two rules of the policy contradict each other has been said.
    told = {span for each in conflicts for span in (each.span, *(other.span for other in each.related))}
    report.extend(d for d in found_there if d.code not in _ABOUT_INSPECTION or d.span not in told)
    everything = {f.name for f in loaded.inventory.firewalls} <= {f.name for f in firewalls} and not request.targets
    if everything and firewalls:
        report.extend(ungoverned_groups(prepared.rules, loaded.inventory))
    lists = _lists(prepared, request, report, progress) if everything and files else ()
    answer = _answer(request, loaded, report, builds, lists, complete=everything)
    if not files:
        return answer
    proved = []
    for number, build in enumerate(answer.builds):
        progress(f"proving {build.site.name}", number, len(answer.builds))
        proved.append(build.proved())
    return replace(answer, builds=tuple(proved))


def _lists(prepared: Prepared, request: Request, report: list[Diagnostic], progress: Step) -> tuple[ListBuild, ...]:
    """The inventory's exports, each proved; what is to be said about them goes to ``report``."""
    if not prepared.inventory.exports:
        return ()
    from egressc.api_export import build_list  # noqa: PLC0415 - few inventories have exports
    from egressc.api_export_options import exports_of  # noqa: PLC0415

    requests, problems = exports_of(prepared.inventory, accept=request.accept, strict=request.strict)
    report.extend(problems)
    found = []
    for number, each in enumerate(requests):
        progress(f"exporting {each.name}", number, len(requests))
        build, told = build_list(prepared, each)
        report.extend(told)
        if build is not None:
            found.append(build)
    return tuple(found)


def _answer(
    request: Request,
    loaded: Loaded,
    report: Iterable[Diagnostic],
    builds: tuple[Build, ...] = (),
    lists: tuple[ListBuild, ...] = (),
    *,
    complete: bool = False,
    could_not_run: bool = False,
) -> Compilation:
    """The answer, its diagnostics each once, in order and graded; no builds if one of them is an error."""
    told: set[tuple[object, ...]] = set()
    diagnostics: list[Diagnostic] = []
    for diagnostic in sorted(report, key=sort_key):
        key: tuple[object, ...] = (diagnostic.code, diagnostic.message)
        if diagnostic.code not in _ONCE:
            span = diagnostic.span
            place = (diagnostic.file,) if span is None else (span.source.name, span.start, span.end)
            key = (*key, diagnostic.label, *place)
        if key not in told:
            told.add(key)
            diagnostics.append(diagnostic)
    if request.strict:
        diagnostics = [d.at_level(Level.ERROR) if d.level is Level.WARNING else d for d in diagnostics]
    return Compilation(
        loaded=loaded,
        builds=() if has_errors(diagnostics) else builds,
        lists=() if has_errors(diagnostics) else lists,
        diagnostics=tuple(diagnostics),
        complete=complete,
        could_not_run=could_not_run,
    )


def inspection_conflicts(prepared: Prepared) -> list[Diagnostic]:
    """Errors for flows that one allow wants inspected and another wants left alone."""
    if not {Inspection.MUST, Inspection.MUST_NOT} <= {rule.inspection for rule in prepared.rules}:
        return []
    whole = bind_everything(prepared)
    told: set[tuple[Span, Span]] = set()
    result = []
    for rule in whole.rules:
        if rule.is_deny or rule.rule.inspection is not Inspection.MUST:
            continue
        for other, flow in conflict(whole.index, rule):
            # Through several includes the same two rules meet more than once: that is one mistake.
            places = (rule.rule.span, other.rule.span)
            if places in told:
                continue
            told.add(places)
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


@contextmanager
def collector_paused() -> Iterator[None]:
    """A stretch without Python's search for garbage in circles: there is none, and it takes a quarter of the time.

    For everything from reading to writing, also where a caller goes on with the builds. May be nested.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
