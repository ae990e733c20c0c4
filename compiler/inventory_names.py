"""Names in the inventory: which are valid, what a reference means, and which near name was meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic, Related
from egressc.problems import Problem
from egressc.source import Span
from egressc.suggest import nearest
from egressc.words import NAME_SHAPE, name_word

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from egressc.located_value import Located


def check_name(name: str, span: Span, report: list[Diagnostic]) -> None:
    """Reports a name that the inventory gives, or hands to a policy, and that is none."""
    problem = name_word(name)
    if isinstance(problem, Problem):
        report.append(
            diagnostic_of(problem, span, Span(span.source, span.start + problem.start, span.start + problem.end))
        )


def diagnostic_of(problem: Problem, whole: Span, part: Span) -> Diagnostic:
    """The diagnostic for a problem of the word at ``whole``: at the ``part`` of it that is wrong, if that has text."""
    span = part if whole.start <= part.start < part.end <= whole.end else whole
    return Diagnostic(code=problem.code, message=problem.message, span=span, label=problem.label, help=problem.help)


def resolved(
    nodes: Iterable[Located], defined: Collection[str], owner: str, report: list[Diagnostic]
) -> list[tuple[str, Span]]:
    """The groups that a list names, each once, with their places; ``owner`` says whose list it is.

    A name that is defined in another letter case is an error at its definition only.
    """
    found: dict[str, Span] = {}
    for node in nodes:
        name = node.value
        if not isinstance(name, str):
            continue
        if name in found:
            report.append(
                Diagnostic(
                    code="E0424",
                    message=f"group `{name}` stands twice in the list of `{owner}`",
                    span=node.span,
                    label="the second time",
                    help="remove one of the two",
                    related=(Related(span=found[name], text="the first time"),),
                )
            )
        elif name in defined:
            found[name] = node.span
        elif not any(other.lower() == name and not NAME_SHAPE.fullmatch(other) for other in defined):
            report.append(unknown("E0423", f"no group is called `{name}`", node.span, name, defined, "the groups are"))
            found[name] = node.span
    return [(name, span) for name, span in found.items() if name in defined]


def unknown(
    code: str, message: str, span: Span, name: str, candidates: Iterable[str], lead: str, listed: int = 20
) -> Diagnostic:
    """The error for a name that nothing has: with the near name, else with all that there are, after ``lead``."""
    names = sorted(candidates)
    near = nearest(name, names)
    if near is not None:
        help_text = f"did you mean `{near}`?"
    elif names and len(names) <= listed:
        help_text = f"{lead} " + ", ".join(f"`{each}`" for each in names)
    else:
        help_text = "" if names else "the inventory defines none"
    return Diagnostic(code=code, message=message, span=span, help=help_text)
