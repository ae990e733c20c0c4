"""`check --fix`: the safe edits of findings, applied only if the policy is shown to mean the same afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from egressc.diagnostics import has_errors
from egressc.format import format_source
from egressc.lint.edits import changed
from egressc.lint.same import same_here, same_text
from egressc.lint.subject import subject_of
from egressc.parse import parse, read_tokens
from egressc.project import ImportedFile
from egressc.resolve import resolve
from egressc.source import Source
from egressc.syntax import Import

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.lint.driver import Found
    from egressc.lint.rule import Edit
    from egressc.lint.subject import Subject
    from egressc.project import Project, ProjectFile
    from egressc.syntax import File

_ALONE: Final = 50
"""When not all fixes can be applied together, so many are tried one by one."""


@dataclass(frozen=True, slots=True)
class Fixes:
    """``texts`` are the new texts of files, ``done`` the findings that they mend.

    ``left`` are findings with a fix that cannot be shown to keep the meaning here: nothing was done about them.
    """

    texts: dict[Source, str]
    done: tuple[Found, ...]
    left: tuple[Found, ...]


def fix(subject: Subject, found: Iterable[Found]) -> Fixes:
    """The texts after all fixes of the findings that keep the meaning; nothing is written."""
    compiled = {file.source for file in subject.files}
    wanted = [
        each for each in found if each.finding.fix and all(edit.span.source in compiled for edit in each.finding.fix)
    ]
    if not wanted:
        return Fixes({}, (), ())
    texts = _attempt(subject, wanted)
    if texts is not None:
        return Fixes(texts, tuple(wanted), ())
    done: list[Found] = []
    kept: dict[Source, str] = {}
    for each in wanted[:_ALONE]:
        texts = _attempt(subject, [*done, each])
        if texts is not None:
            done.append(each)
            kept = texts
    return Fixes(kept, tuple(done), tuple(each for each in wanted if each not in done))


def _attempt(subject: Subject, wanted: Sequence[Found]) -> dict[Source, str] | None:
    """The new texts; ``None`` if they cannot be read, lose a comment or mean something else."""
    by_source: dict[Source, list[Edit]] = {}
    for each in wanted:
        for edit in each.finding.fix:
            by_source.setdefault(edit.span.source, []).append(edit)
    texts: dict[Source, str] = {}
    files = []
    for file in subject.project.files:
        edits = by_source.get(file.source)
        if edits is None or file.tree is None:
            files.append(file)
            continue
        text = _in_layout(file.source, file.tree, changed(file.source.text, edits))
        again = _read(file, text)
        if again is None:
            return None
        texts[file.source] = text
        files.append(again)
    return texts if _is_same(subject, replace(subject.project, files=tuple(files))) else None


def _in_layout(source: Source, tree: File, text: str) -> str:
    """The text in the canonical layout if the source is."""
    if format_source(tree) != source.text:
        return text
    changed_tree, problems = parse(Source.of(source.name, text))
    return text if changed_tree is None or problems else format_source(changed_tree)


def _read(file: ProjectFile, text: str) -> ProjectFile | None:
    """The file with another text, if that can be read and has the same comments."""
    source = Source.of(file.source.name, text, file.source.shown)
    tree, problems = parse(source)
    if tree is None or problems or read_tokens(source)[1] != read_tokens(file.source)[1]:
        return None
    names = {each.statement.path.value: each.name for each in file.imports}
    imports = [item for item in tree.items if isinstance(item, Import)]
    if not {item.path.value for item in imports} <= names.keys():
        return None
    found = tuple([ImportedFile(item, names[item.path.value]) for item in imports])
    return replace(file, source=source, tree=tree, imports=found)


def _is_same(subject: Subject, project: Project) -> bool:
    """True if the changed files state the same policy, template by template, and mean the same here."""
    policy, problems = resolve(project)
    before = {(d.code, d.message) for d in resolve(subject.project)[1]}
    if policy is None or has_errors(problems) or not {(d.code, d.message) for d in problems} <= before:
        return False
    after = subject_of(project, policy, subject.inventory, subject.as_of)
    return after is not None and same_text(subject, after) and same_here(subject.site, after.site)
