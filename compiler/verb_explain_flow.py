"""`egressc explain WHO TO`: what happens to a flow, and why."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from egressc.api import collector_paused, load
from egressc.api_build import build_all
from egressc.api_choice import chosen_firewalls
from egressc.bind import bind_everything, prepare
from egressc.console import Progress, complain, say, tell, wants_colour
from egressc.diagnostics import Diagnostic, Level, has_errors, sort_key
from egressc.exits import COULD_NOT_RUN, DONE, NO
from egressc.problems import Problem
from egressc.question_explanation import FirewallAnswer, answer, ask
from egressc.question_firewall import Ruled
from egressc.question_who import Parties
from egressc.question_words import no_such_flow, parse_to, with_address
from egressc.report_explain import explain_json, explain_markdown, explain_text, nothing_explained
from egressc.report_json import to_json
from egressc.verb_compile import day_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Sequence

    from egressc.api_build import Build
    from egressc.bind import Prepared
    from egressc.inventory import Firewall
    from egressc.question_explanation import Answer
    from egressc.site import Site


def run(options: argparse.Namespace) -> int:
    """Answer and report. Returns the exit status: 0 also where the answer is that it depends."""
    as_of = day_of(options.as_of)
    if isinstance(as_of, str):
        complain(f"egressc explain: {as_of}")
        return COULD_NOT_RUN
    who_text, to_text, *paths = options.words
    with collector_paused(), Progress() as progress:
        progress("reading", 0, 1)
        loaded = load(paths or (".",), options.inventory)
        report = list(loaded.diagnostics)
        prepared = None
        firewalls: tuple[Firewall, ...] = ()
        usage: list[Diagnostic] = []
        if loaded.inventory is not None:
            firewalls, usage = chosen_firewalls(options.firewall, (), loaded.inventory, none_will_do=True)
        if loaded.policy is not None and loaded.inventory is not None:
            prepared, problems = prepare(loaded.policy, loaded.inventory, as_of)
            report.extend(problems)
        report.sort(key=sort_key)
        stopped = has_errors(report) or loaded.could_not_run or prepared is None
        found: _Answered | None = None
        if not (stopped or usage):
            assert prepared is not None, "it was prepared"
            asked = _asked(prepared, who_text, to_text, options.at)
            if isinstance(asked, Problem):
                usage = [Diagnostic(code=asked.code, message=asked.message, help=asked.help)]
            else:
                found = _Answered(prepared, asked, firewalls, progress, some_only=bool(options.firewall))
    if found is None:
        _say_why_not([*report, *usage], options, who_text, to_text)
        return COULD_NOT_RUN if usage or loaded.could_not_run else NO
    match options.format:
        case "json":
            told = explain_json(found.answer, found.firewalls, found.notes, as_of)
            say(to_json(report, **told))
        case "markdown":
            tell(report, options.color)
            say(explain_markdown(found.answer, found.firewalls, found.notes))
        case _:
            tell(report, options.color)
            colour = wants_colour(sys.stdout, options.color)
            say(explain_text(found.answer, found.firewalls, found.notes, colour=colour))
    return DONE


def _say_why_not(report: Sequence[Diagnostic], options: argparse.Namespace, who: str, to: str) -> None:
    if options.format == "json":
        say(to_json(report, **nothing_explained(who, to)))
    else:
        tell(report, options.color)


_Asked = tuple["Site[None]", "Answer"]


def _asked(prepared: Prepared, who_text: str, to_text: str, at: str | None) -> _Asked | Problem:
    """The question and the policy's answer, or what is wrong with the question."""
    whole = bind_everything(prepared)
    who = Parties(prepared, whole).parse(who_text)
    if isinstance(who, Problem):
        return who
    to = parse_to(to_text)
    if not isinstance(to, Problem) and at is not None:
        to = with_address(to, at)
    if isinstance(to, Problem):
        return to
    found = answer(prepared, whole, who, to)
    return no_such_flow(who, to) if found is None else (whole, found)


class _Answered:
    """The whole answer: the policy's, and that of each firewall that governs one of the groups."""

    def __init__(
        self,
        prepared: Prepared,
        asked: _Asked,
        firewalls: Sequence[Firewall],
        progress: Progress,
        *,
        some_only: bool,
    ) -> None:
        whole, self.answer = asked
        self.firewalls: list[FirewallAnswer] = []
        self.notes: list[str] = []
        senders = {sender.group for sender in self.answer.question.who.senders}
        governs = {firewall.name: senders & _governs(prepared, firewall) for firewall in firewalls}
        asked_of = [firewall for firewall in firewalls if governs[firewall.name]]
        governed: set[str] = set().union(*governs.values())
        report: list[Diagnostic] = []
        builds = build_all(prepared, asked_of, strict=False, accept=(), report=report, progress=progress)
        for number, firewall in enumerate(asked_of):
            progress(f"asking {firewall.name}", number, len(asked_of))
            # Of several, an error says not whose it is: then each is compiled alone.
            own = None if has_errors(report) else [b for b in builds if b.site.firewall == firewall.name]
            self.firewalls.extend(_ask(prepared, self.answer, firewall, whole, governs[firewall.name], own))
        if prepared.inventory.source is None:
            self.notes.append("there is no inventory, so no firewall is asked")
        else:
            lacking = sorted(senders - governed)
            if lacking:
                which = "none of the firewalls governs" if firewalls else "the inventory names no firewall for"
                which = "none of the named firewalls governs" if firewalls and some_only else which
                self.notes.append(f"{which} {', '.join(f'`{name}`' for name in lacking)}")


def _governs(prepared: Prepared, firewall: Firewall) -> set[str]:
    return {group.name for group in prepared.inventory.leaves(firewall.groups)}


def _ask(
    prepared: Prepared,
    found: Answer,
    firewall: Firewall,
    whole: Site[None],
    groups: Iterable[str],
    builds: Sequence[Build] | None,
) -> list[FirewallAnswer]:
    """What one firewall does, for each of the groups; unknown where it cannot be compiled.

    ``builds`` are its artefacts, if they are known to be without errors.
    """
    report: list[Diagnostic] = []
    if builds is None:
        builds = build_all(prepared, (firewall,), strict=False, accept=(), report=report, progress=lambda *_: None)
    errors = [d for d in report if d.level is Level.ERROR]
    if errors:
        why = f"it cannot be compiled: {errors[0].code}, {errors[0].message}"
        return [
            FirewallAnswer(name=firewall.name, target=firewall.target, group=group, verdict=Ruled.UNKNOWN, why=why)
            for group in sorted(groups)
        ]
    return [
        each
        for build in builds
        for each in ask(prepared, found, build.site, build.target, build.lowering, build.fidelity, whole)
    ]
