"""Which names are visible in a file: its own, and those of the files that it imports itself.

Names are looked up by kind, which follows from the position: an endpoint set and a service account may be called alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from egressc.diagnostics import Diagnostic
from egressc.names import NAME_SHAPE, RESERVED
from egressc.parse_errors import near, unknown_statement
from egressc.suggest import nearest
from egressc.syntax import Endpoints, Parameter, Policy, ServiceAccount, Word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from egressc.parse_shape import Block
    from egressc.project import Project, ProjectFile
    from egressc.source import Span
    from egressc.syntax import Entry

Definition = Endpoints | ServiceAccount | Parameter | Policy
"""An item that gives something a name."""


class Kind(StrEnum):
    """What a name can stand for; the value is how a message calls it."""

    SET = "endpoint set"
    ACCOUNT = "service account"
    PARAMETER = "parameter"
    POLICY = "policy"


KIND_OF: Final[Mapping[type[Definition], Kind]] = {
    Endpoints: Kind.SET,
    ServiceAccount: Kind.ACCOUNT,
    Parameter: Kind.PARAMETER,
    Policy: Kind.POLICY,
}
"""The kind of the name that each item defines."""

Names = dict[tuple[Kind, str], Definition]
"""Definitions by the kind and the name, the first of several."""

_CODES = {Kind.SET: "E0207", Kind.ACCOUNT: "E0208", Kind.POLICY: "E0209", Kind.PARAMETER: "E0210"}

_HOW_DEFINED = {
    Kind.SET: "an endpoint set is defined with `endpoints {} {{ … }}`",
    Kind.ACCOUNT: "an account is defined with `service-account {} {{ … }}`",
    Kind.POLICY: 'a policy that others include is defined with `template policy {} "…" {{ … }}`',
    Kind.PARAMETER: "a parameter is defined with `parameter {}`",
}

_SEARCHED = 10_000
"""How many names are compared for suggestions in one run: a file of ten thousand mistakes must not take minutes."""


class Budget:
    """How many more names may be compared for suggestions."""

    def __init__(self) -> None:
        self.left = _SEARCHED

    def nearest(self, name: str, kind: Kind, names: Names) -> str | None:
        """The near name of the kind, as long as the budget lasts."""
        if self.left < len(names):
            return None
        self.left -= len(names)
        return nearest(name, [candidate for other, candidate in names if other is kind])


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The names that one file sees.

    ``anywhere`` holds the names of all files, for suggestions. ``is_damaged`` says that an item of this file or of an
    imported one was lost to a syntax error, ``lacks_import`` that an imported file could not be loaded: then a name
    that is not found may well be one of theirs.
    """

    file: ProjectFile
    visible: Names
    anywhere: Names
    is_damaged: bool
    lacks_import: bool
    budget: Budget

    def find(self, kind: Kind, name: str) -> Definition | None:
        """What the name stands for here."""
        return self.visible.get((kind, name))

    def unknown(self, kind: Kind, name: str, span: Span) -> Diagnostic | None:
        """The error for a name that is not found; ``None`` if it is but a consequence of an error already reported."""
        if self.is_damaged:
            return None
        visible = self.budget.nearest(name, kind, self.visible)
        if self.lacks_import and visible is None:
            return None
        return Diagnostic(
            code=_CODES[kind],
            message=f"no {kind.value} is called `{name}`",
            span=span,
            label=self._searched(),
            help=self._help(kind, name, visible),
        )

    def _searched(self) -> str:
        match len(self.file.imports):
            case 0:
                return "not defined in this file, which imports no other"
            case 1:
                return "not defined here, nor in the one imported file"
            case count:
                return f"not defined here, nor in the {count} imported files"

    def _help(self, kind: Kind, name: str, visible: str | None) -> str:
        elsewhere = self.anywhere.get((kind, name))
        if elsewhere is not None:
            return f"`{name}` is defined in {_place(elsewhere)}: import that file here, names are not passed on"
        if visible is not None:
            return f"did you mean `{visible}`? ({_place(self.visible[kind, visible])})"
        for other in Kind:
            found = self.visible.get((other, name))
            if found is not None:
                return f"`{name}` is {_article(other)} here ({_place(found)})"
        if kind is Kind.SET:
            if near(name, ("any-address",)):
                return "did you mean `any-address`?"
            return f"{_HOW_DEFINED[kind].format(name)}; a host name has a dot"
        return _HOW_DEFINED[kind].format(name)


def build_scopes(project: Project) -> tuple[Scope, ...]:
    """The scope of each file of the project, in the order of the files; a file without a tree has none.

    Where a name has two definitions, a file's own stands, else that of the import that comes first: whether that is
    allowed is for ``scope_conflicts`` to say.
    """
    own = {file.source.name: own_names(file) for file in project.files}
    lost = {file.source.name for file in project.files if file.tree is None or file.tree.damaged}
    anywhere: Names = {}
    for names in own.values():
        for key, definition in names.items():
            anywhere.setdefault(key, definition)
    budget = Budget()
    scopes = []
    for file in project.files:
        if file.tree is None:
            continue
        imported = [i.name for i in file.imports if i.name is not None]
        visible = own[file.source.name]
        if imported:
            visible = dict(visible)
            for name in imported:
                for key, definition in own[name].items():
                    visible.setdefault(key, definition)
        scopes.append(
            Scope(
                file=file,
                visible=visible,
                anywhere=anywhere,
                is_damaged=file.source.name in lost or any(name in lost for name in imported),
                lacks_import=any(i.name is None for i in file.imports),
                budget=budget,
            ),
        )
    return tuple(scopes)


def without_slips(
    values: Sequence[Entry], kind: Kind, scope: Scope, block: Block
) -> tuple[tuple[Entry, ...], tuple[Diagnostic, ...]]:
    """The values of a list without the settings in it whose keyword is misspelt, and an error for each of those.

    Only the names tell: an unknown one at the beginning of a line, near to a keyword of the block and to no name that
    is visible, is such a keyword, and the rest of its line are its values.
    """
    if len(values) < 2 or scope.is_damaged or scope.lacks_import:
        return tuple(values), ()
    kept: list[Entry] = []
    diagnostics: list[Diagnostic] = []
    slip_line = 0
    for value in values:
        if slip_line and value.span.line == slip_line:
            continue
        suggestion = _slip(value, kind, scope, block) if kept else None
        if suggestion is None:
            kept.append(value)
        else:
            slip_line = value.span.line
            diagnostics.append(unknown_statement(value.span, block, suggestion))
    return tuple(kept), tuple(diagnostics)


def _slip(value: Entry, kind: Kind, scope: Scope, block: Block) -> str | None:
    """The keyword that a value is a slip of."""
    if not isinstance(value, Word) or not NAME_SHAPE.fullmatch(value.text) or value.text in RESERVED:
        return None
    if scope.find(kind, value.text) is not None or not value.span.begins_line:
        return None
    if scope.budget.nearest(value.text, kind, scope.visible) is not None:
        return None
    return near(value.text, block.keywords)


def own_names(file: ProjectFile) -> Names:
    """The names that a file defines itself."""
    names: Names = {}
    if file.tree is not None:
        for item in file.tree.items:
            if isinstance(item, Definition):
                names.setdefault((KIND_OF[type(item)], item.name.text), item)
    return names


def _place(definition: Definition) -> str:
    span = definition.name.span
    return f"{span.source.shown}:{span.line}"


def _article(kind: Kind) -> str:
    return f"an {kind.value}" if kind is Kind.SET else f"a {kind.value}"
