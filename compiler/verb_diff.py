"""`egressc diff`: what a change of policies means."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from egressc.api import collector_paused, load
from egressc.api_review import review_loaded
from egressc.console import Progress, complain, say, tell, wants_colour
from egressc.diagnostics import Diagnostic, Level
from egressc.diff_files import BY_NAME
from egressc.exits import COULD_NOT_RUN, DONE, NO
from egressc.parse_memory import Memory
from egressc.project_paths import SUFFIX, printable, reason
from egressc.report_json import to_json
from egressc.report_review import WIDTH, review_text
from egressc.report_review_html import review_html
from egressc.report_review_json import nothing_compared, review_json
from egressc.report_review_markdown import review_markdown
from egressc.revisions import RevisionError, versions
from egressc.source import Span
from egressc.suggest import nearest
from egressc.verb_compile import day_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from egressc.api import Loaded
    from egressc.diff_files import Places
    from egressc.inventory import Firewall
    from egressc.review import Review
    from egressc.revisions import Pair, Version
    from egressc.source import Source

_FAILS: Final[dict[str, Callable[[Review], bool]]] = {
    "widened": lambda review: bool(review.newly_allowed),
    "narrowed": lambda review: bool(review.no_longer_allowed),
    "inspection": lambda review: bool(review.inspection_changed),
    "firewalls": lambda review: any(f.added or f.removed or f.changed or f.state for f in review.per_firewall),
}
"""What `--fail-on` may name, and when it is so."""

_DIR_DIFF: Final = re.compile(r"/git-difftool\.[^/]+/left/?$")
"""The folder in which `git difftool --dir-diff` puts the files that changed, as they were (git 2.39)."""

_NO_RULES: Final = (
    "no rule takes effect in these files alone, so nothing was compared: what they define counts where it is imported "
    "or included; compare the folder that holds those policies"
)

FAIL_ON: Final = tuple(_FAILS)
"""The words that `--fail-on` takes."""


def run(options: argparse.Namespace) -> int:
    """Compare and report. Returns the exit status."""
    wrong = _usage(options)
    if wrong is not None:
        complain(f"egressc diff: {wrong}")
        return COULD_NOT_RUN
    old, new = (*options.words, None)[:2]
    try:
        with (
            collector_paused(),
            versions(
                old, new, options.paths, _stands_for(options.stands_for), has_inventory=options.inventory is not None
            ) as pair,
        ):
            return _compared(pair, options)
    except RevisionError as error:
        complain(f"egressc diff: {printable(error.message)}" + (f"\n  {printable(error.help)}" if error.help else ""))
        return COULD_NOT_RUN


def _usage(options: argparse.Namespace) -> str | None:
    """What is wrong with the options."""
    as_of = day_of(options.as_of)
    if isinstance(as_of, str):
        return as_of
    for word in _words(options.fail_on):
        if word not in _FAILS:
            near = nearest(word, FAIL_ON)
            advice = f"did you mean `{near}`?" if near else f"valid: {', '.join(FAIL_ON)}"
            return f"`--fail-on` does not know `{word}`\n  {advice}"
    if _DIR_DIFF.search(options.words[0]):
        advice = "compare the revisions: `egressc diff main`"
        return f"the folders of `git difftool --dir-diff` lack what did not change\n  {advice}"
    if options.firewall and options.no_firewalls:
        return "`--firewall` and `--no-firewalls` contradict each other"
    if len(options.words) > 2:
        first = options.words[2]
        return f"`{first}` is one argument too many\n  PATHs stand behind `--`: `egressc diff OLD NEW -- {first}`"
    return None


def _words(listed: Iterable[str]) -> list[str]:
    return [word for each in listed for word in each.split(",")]


def _stands_for(given: str | None) -> str | None:
    """Where two files belong that were put elsewhere: as the caller says, or as `git difftool --extcmd` does."""
    if given is None and "GIT_DIFF_PATH_TOTAL" in os.environ:
        return os.environ.get("BASE") or None
    return given


def _compared(pair: Pair, options: argparse.Namespace) -> int:
    memory = Memory()
    as_of = day_of(options.as_of)
    assert not isinstance(as_of, str), "that was checked"
    with Progress() as progress:
        progress("reading", 0, 2)
        old = load(pair.old.paths, _inventory(options.inventory, pair, pair.old), pair.old.files, memory.first)
        progress("reading", 1, 2)
        new = load(pair.new.paths, _inventory(options.inventory, pair, pair.new), pair.new.files, memory.second)
        if old.could_not_run or new.could_not_run:
            return _refused(pair, (old.diagnostics, new.diagnostics), options, COULD_NOT_RUN)
        unknown = _unknown_firewall(options.firewall, (old, new))
        if unknown is not None:
            complain(f"egressc diff: {unknown}")
            return COULD_NOT_RUN
        answer = review_loaded(
            old,
            new,
            as_of=as_of,
            names=(pair.old.name, pair.new.name),
            firewalls=_chosen(options),
            places=_places(pair),
            progress=progress,
        )
        if answer.review is None:
            return _refused(pair, (answer.old, answer.new), options, NO)
        absent = [f"`{printable(path)}` is not in {side.name}" for side in (pair.old, pair.new) for path in side.absent]
        alone = () if _has_rules(old, new) else (_NO_RULES,)
        review = replace(answer.review, remarks=(*alone, *pair.remarks, *absent, *answer.review.remarks))
        text = _report(review, pair.title, options, one_file=_is_one_file(old, new))
    if options.output is None:
        say(text)
    else:
        try:
            Path(options.output).write_bytes(text.encode("utf-8", "backslashreplace"))
        except (OSError, ValueError) as error:
            why = reason(error) if isinstance(error, OSError) else "no name of a file"
            complain(f"egressc diff: cannot write `{printable(options.output)}`: {why}")
            return COULD_NOT_RUN
    return NO if any(_FAILS[word](review) for word in _words(options.fail_on)) else DONE


def _inventory(named: str | None, pair: Pair, side: Version) -> str | None:
    """The inventory that was named; none where only the other side has it, as where it came or went."""
    if named is None or side.files.lexists(named):
        return named
    other = pair.new if side is pair.old else pair.old
    return None if other.files.lexists(named) else named


def _places(pair: Pair) -> Places:
    """What a file of each side is compared by: where it stands below what was named; two named files are one."""
    sides = (pair.old, pair.new)
    if any(side.prefix or len(side.paths) != 1 for side in sides):
        return BY_NAME
    named = [os.path.normpath(side.paths[0]) for side in sides]
    are_files = all(name.endswith(SUFFIX) for name in named)

    def below(name: str) -> Callable[[Source], str]:
        folder = str(Path(name).parent) if name.endswith(SUFFIX) else name

        def place(source: Source) -> str:
            shown = os.path.normpath(source.shown)
            return "" if are_files and shown == name else os.path.relpath(shown, folder)

        return place

    return below(named[0]), below(named[1])


def _unknown_firewall(names: Iterable[str], sides: tuple[Loaded, Loaded]) -> str | None:
    known = list(dict.fromkeys(f.name for side in sides if side.inventory for f in side.inventory.firewalls))
    for name in names:
        if name not in known:
            near = nearest(name, known)
            advice = f"did you mean `{near}`?" if near else f"valid: {', '.join(known) or 'there is none'}"
            return f"no side has a firewall `{name}`\n  {advice}"
    return None


def _chosen(options: argparse.Namespace) -> Callable[[Firewall], bool] | None:
    if options.no_firewalls:
        return lambda _: False
    return (lambda firewall: firewall.name in options.firewall) if options.firewall else None


def _has_rules(*sides: Loaded) -> bool:
    return any(side.policy is not None and side.policy.rules for side in sides)


def _is_one_file(*sides: Loaded) -> bool:
    """True if a line alone says where a rule stands."""
    return len({rule.span.source.shown for side in sides if side.policy for rule in side.policy.rules}) <= 1


def _report(review: Review, title: str, options: argparse.Namespace, *, one_file: bool) -> str:
    match options.format:
        case "json":
            return to_json((), **review_json(review, title))
        case "markdown":
            return review_markdown(review, title)
        case "html":
            return review_html(review, title)
    if options.output is not None:
        return review_text(review, title, one_file=one_file)
    is_terminal = sys.stdout is not None and sys.stdout.isatty()
    width = shutil.get_terminal_size((WIDTH, 24)).columns if is_terminal else WIDTH
    colour = wants_colour(sys.stdout, options.color)
    return review_text(review, title, width=width, colour=colour, one_file=one_file)


def _refused(
    pair: Pair,
    told: tuple[tuple[Diagnostic, ...], tuple[Diagnostic, ...]],
    options: argparse.Namespace,
    status: int,
) -> int:
    """Say what is wrong with each side, the side named."""
    sides = [
        (side, [_on_side(d, side.prefix) for d in some if d.level is Level.ERROR])
        for side, some in zip((pair.old, pair.new), told, strict=True)
    ]
    if options.format == "json":
        say(to_json([d for _, some in sides for d in some], **nothing_compared(pair.title)))
        return status
    for number, (side, some) in enumerate(sides):
        if some:
            tell(some, options.color)
            which = ("old", "new")[number]
            named = "" if side.name == which else f", {side.name},"
            count = f"{len(some)} error{'s' if len(some) > 1 else ''}"
            complain(f"egressc diff: the {which} side{named} has {count}; nothing was compared")
    return status


def _on_side(diagnostic: Diagnostic, prefix: str) -> Diagnostic:
    """The diagnostic with the side in the names of its files, as git writes them: ``main:policies/main.egress``."""
    if not prefix:
        return diagnostic
    sources: dict[int, Source] = {}

    def moved(span: Span) -> Span:
        source = sources.setdefault(id(span.source), replace(span.source, shown=f"{prefix}{span.source.shown}"))
        return Span(source, span.start, span.end)

    return replace(
        diagnostic,
        span=None if diagnostic.span is None else moved(diagnostic.span),
        context=None if diagnostic.context is None else moved(diagnostic.context),
        related=tuple(replace(each, span=moved(each.span)) for each in diagnostic.related),
        file=f"{prefix}{diagnostic.file}" if diagnostic.file else "",
    )
