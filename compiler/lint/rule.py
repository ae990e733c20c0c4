"""What a lint rule is, and what it finds.

A rule is a module of this package. It has

* ``NAME``: named after the bad thing, so that it can be read after "allow" (``redundant-rule``); the module's name with
  hyphens;
* ``CODE``: permanent, its first letter the level (``W0802`` a warning, ``N0804`` a note);
* a docstring that *is* its page (``egressc explain NAME``): ``# CODE: title``, what the rule does, why that is bad,
  then ``## Wrong`` and ``## Instead`` with an example each; a block of YAML there is the inventory;
* ``check(subject)``: the findings, in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.diagnostics import Related
    from egressc.lint.subject import Subject
    from egressc.source import Span


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the text of a file: ``text`` takes the place of what the span covers."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a rule finds: a diagnostic without its code.

    ``span`` is where it is shown, and where an allowance in the file must stand at, before or around; one at a place of
    ``also`` counts as well. ``fix`` are edits that belong together and keep the meaning of the policy; empty where no
    fix is safe.
    """

    message: str
    span: Span
    label: str = ""
    help: str = ""
    context: Span | None = None
    related: tuple[Related, ...] = ()
    fix: tuple[Edit, ...] = ()
    also: tuple[Span, ...] = ()


class LintRule(Protocol):
    """A module that is a rule."""

    NAME: str
    CODE: str

    def check(self, subject: Subject, /) -> Iterator[Finding]:
        """What the rule finds in a policy without errors."""
        ...
