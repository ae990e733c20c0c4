"""Where the passes of the resolver put what is wrong, so that each of them goes on after a mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic, Related

if TYPE_CHECKING:
    from egressc.problems import Problem
    from egressc.source import Span


class Report:
    """The diagnostics of a run of the resolver, in the order in which they were found."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def add(self, diagnostic: Diagnostic) -> None:
        """Takes a diagnostic."""
        self.diagnostics.append(diagnostic)

    def problem(self, problem: Problem, word: Span, context: Span | None = None) -> None:
        """Takes the problem with a word, which stands at ``word``."""
        self.diagnostics.append(
            Diagnostic(
                code=problem.code,
                message=problem.message,
                span=word.part(problem.start, max(problem.end, problem.start + 1)),
                label=problem.label,
                help=problem.help,
                context=context,
            ),
        )

    def repeated(self, what: str, again: Span, first: Span) -> None:
        """Takes a warning: a list says the same twice."""
        self.diagnostics.append(
            Diagnostic(
                code="W0243",
                message=f"{what} stands twice in one list",
                span=again,
                label="the same again",
                help="remove one of the two",
                related=(Related(span=first, text="first here"),),
            ),
        )
