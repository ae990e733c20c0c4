"""Policy tests: what a policy must allow and deny, as values, and what came of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from egressc.diagnostics import Diagnostic
    from egressc.located_value import Located
    from egressc.policy import Inspection
    from egressc.source import Source, Span


class Kind(StrEnum):
    """What an expectation is about."""

    ALLOWS = "allows"
    DENIES = "denies"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One item of a test file. What it leaves out is for all; ``None`` stands for that.

    The texts are as written, each with its place; what is wrong with them is known when it is run.
    """

    kind: Kind
    span: Span
    senders: tuple[Located, ...] | None
    accounts: tuple[Located, ...] | None
    targets: tuple[Located, ...] | None
    at: Located | None = None
    inspection: Inspection | None = None

    @property
    def name(self) -> str:
        """The expectation in one line, for a report."""
        who = _listed(self.senders, "any-group")
        whom = f" as {_listed(self.accounts, '')}" if self.accounts else ""
        where = _listed(self.targets, "anything")
        at = f" at {self.at.value}" if self.at is not None else ""
        inspection = f", inspection {self.inspection.value}" if self.inspection is not None else ""
        return f"{self.kind.value} {who}{whom} → {where}{at}{inspection}"


def _listed(some: tuple[Located, ...] | None, without: str) -> str:
    return without if some is None else ", ".join(str(each.value) for each in some)


class Side(StrEnum):
    """What may change: the key of the expectation under ``changes``."""

    ALLOWS = "allows-only"
    REMOVES = "removes-only"
    INSPECTION = "inspection"


@dataclass(frozen=True, slots=True)
class Changes:
    """What may change against a revision: for each side that is spoken of, the flows that may, and where it stands."""

    since: Located
    sides: tuple[tuple[Side, Span, tuple[Expectation, ...]], ...]


@dataclass(frozen=True, slots=True)
class PolicyTest:
    """One file ``*.test.yaml``. ``policies`` and ``inventory`` are paths as the caller would write them.

    ``policy_spans`` runs parallel to ``policies``.
    """

    source: Source
    policies: tuple[str, ...]
    policy_spans: tuple[Span, ...]
    inventory: str | None
    inventory_span: Span | None
    as_of: date | None
    expectations: tuple[Expectation, ...]
    changes: Changes | None = None


class Result(StrEnum):
    """What came of one expectation."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one expectation, which is called ``name``; ``diagnostics`` say why it did not hold."""

    name: str
    kind: Kind
    span: Span
    result: Result
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class FileResult:
    """What came of one file. ``diagnostics`` say what is wrong with the file, its policy or its inventory.

    ``broken`` says that nothing of it could be run.
    """

    shown: str
    outcomes: tuple[Outcome, ...]
    diagnostics: tuple[Diagnostic, ...]
    broken: bool = False

    def count(self, result: Result) -> int:
        """How many expectations came out so."""
        return sum(outcome.result is result for outcome in self.outcomes)

    @property
    def holds(self) -> bool:
        """True if every expectation was run and holds."""
        return not self.broken and all(outcome.result is Result.PASSED for outcome in self.outcomes)
