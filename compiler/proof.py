"""The proof: what is written is read back, and decides every flow as was announced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egressc.anything import Anything
from egressc.meaning import UnreadableError
from egressc.proof_cells import cell_problem
from egressc.proof_compare import Comparison
from egressc.proof_expected import Expected
from egressc.proof_inspection import inspection_deviations
from egressc.proof_rulings import Rulings
from egressc.proof_sight import Sight
from egressc.proof_trees import Trees, processes_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.flows import Processes
    from egressc.lowering import Lowering
    from egressc.meaning import Meaning
    from egressc.policy import Account
    from egressc.proof_question import Deviation
    from egressc.site import Site
    from egressc.targets.protocol import Artefact, Target


class UnprovedError(Exception):
    """An artefact does not do what was announced, or cannot be read back: a defect of egressc.

    The text names the artefact, the rule and a flow.
    """


def prove(site: Site[Any], target: Target[Any, Any], lowering: Lowering[Any], files: Sequence[Artefact]) -> None:
    """Read the files of an artefact back and compare them with what was announced.

    Raises ``UnprovedError`` with the first flow that is decided otherwise, or with what cannot be read.
    """
    where = f"`{site.name}` ({site.target})"
    assert target.read is not None, f"nothing reads the artefacts of {site.target}"
    try:
        meaning = target.read(site, files)
    except UnreadableError as error:
        place = f"{error.file}:{error.line}: " if error.line else f"{error.file}: " if error.file else ""
        raise UnprovedError(f"{where}: what was written cannot be read back: {place}{error.message}") from error
    expected, meaning = _both(site, target, lowering, meaning)
    problem = cell_problem(expected)
    if problem is not None:
        raise UnprovedError(f"{where}: `{problem[0].key}`: {problem[1]}: {problem[2].text}")
    for found in _compared(expected, meaning, governed_only=False, quick=True):
        rule = f"`{found.rule.key}`, " if found.rule is not None else ""
        ruling = f"`{found.ruling.name}`: " if found.ruling is not None else ""
        raise UnprovedError(f"{where}: {rule}{ruling}{found.kind}: {found.flow.text}: {found.sentence}")


def deviations(
    site: Site[Any],
    target: Target[Any, Any],
    lowering: Lowering[Any],
    meaning: Meaning,
    *,
    governed_only: bool,
    quick: bool = True,
) -> Iterator[Deviation]:
    """What a configuration decides otherwise than was announced for the site; nothing if they are equal.

    With ``governed_only`` it is a live one: flows of sources that the firewall does not govern are no concern, and
    rules of other origin may decide what the artefact leaves to them. Without ``quick`` the answers are the same, and
    take longer.
    """
    expected, meaning = _both(site, target, lowering, meaning)
    yield from _compared(expected, meaning, governed_only=governed_only, quick=quick)


def _compared(expected: Expected, meaning: Meaning, *, governed_only: bool, quick: bool) -> Iterator[Deviation]:
    comparison = Comparison(expected, Rulings(meaning, expected.closing), governed_only=governed_only, quick=quick)
    yield from comparison.deviations()
    yield from inspection_deviations(comparison, meaning)


def _both(
    site: Site[Any], target: Target[Any, Any], lowering: Lowering[Any], meaning: Meaning
) -> tuple[Expected, Meaning]:
    """What must be done, and what is done, in the same words."""
    whom = _accounts(site, target)
    cells = [block for part in lowering.parts for block in part.cells or ()]
    opening = [block for ruling in lowering.opening for block in ruling.blocks]
    trees = Trees(
        [
            *(processes for some in whom.values() for processes in some),
            *(block.processes for block in (*cells, *opening)),
            *processes_of(meaning),
        ]
    )
    sight = Sight(
        site,
        lambda account: tuple([trees.processes(each) for each in whom[account.name]]),
        per_group=target.per_group(site.settings),
    )
    return Expected(site, lowering, sight, trees), trees.meaning(meaning)


def _accounts(site: Site[Any], target: Target[Any, Any]) -> dict[str, tuple[Processes, ...]]:
    """How the target knows the accounts of the site's rules."""
    known: dict[str, Account] = {}
    for rule in site.rules:
        if not isinstance(rule.accounts, Anything):
            known.update((account.name, account) for account in rule.accounts)
    return {name: target.processes(account) for name, account in known.items()}
