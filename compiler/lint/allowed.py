"""Allowances: the comments `# egressc: allow RULE "why"`, and what each of them is about.

What a comment to egressc can say besides is read in ``beside``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc.lint.beside import declarations
from egressc.source import Span
from egressc.syntax import (
    Binding,
    Endpoints,
    Fallback,
    Policy,
    Rule,
    ServiceAccount,
    Setting,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.syntax import Comment, Comments, Entry, File, Include, Item, Text

    Node = Item | Fallback | Binding | Setting | Include | Rule | Entry | Text

_MARK: Final = re.compile(r"#+\s*egressc\s*:", re.IGNORECASE)
_WHOLE: Final = re.compile(r'#+\s*egressc\s*:\s*allow\s+([^\s"]+)(?:\s+"((?:[^"]|"")*)")?\s*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Allowance:
    """A comment that begins with ``egressc:``.

    ``rule`` is the name that it allows as it was written, empty if the comment cannot be read; ``place`` is where that
    stands. ``why`` is empty where none is given. ``about`` is what it is about: ``None`` where nothing comes behind it.
    """

    rule: str
    why: str
    place: Span
    comment: Span
    about: Span | None

    def covers(self, span: Span) -> bool:
        """True if the span lies in what the allowance is about."""
        about = self.about
        return about is not None and about.source is span.source and about.start <= span.start and span.end <= about.end


def allowances(file: File) -> Iterator[Allowance]:
    """The allowances of a file, in no order.

    A comment before something, or behind it on its last line, is about that (of a list over several lines, about what
    stands on the last one); one behind an opening brace is about the block. One at the top of a policy or rule, before
    its first setting, is about all of it.
    """
    if "egressc" not in file.source.text.lower():
        return
    declared = {each.comment for each in declarations(file)}
    for found in (*(each for item in file.items for each in _of(item, item.span)), *_read(file.comments.closing, None)):
        if found.comment not in declared:
            yield found


def _of(node: Node, about: Span) -> Iterator[Allowance]:
    """The allowances on a node and in it; ``about`` is what those before the node are about."""
    comments: Comments = node.comments
    yield from _read(comments.leading, about)
    if comments.opening is not None:
        yield from _read((comments.opening,), node.span)
    if comments.trailing is not None:
        yield from _read((comments.trailing,), _last_line(node) if isinstance(node, Setting | Binding) else node.span)
    yield from _read(comments.closing, None)
    first = _first_member(node)
    for part in _parts(node):
        yield from _of(part, node.span if part is first and isinstance(part, Setting) else part.span)


def _last_line(node: Setting | Binding) -> Span:
    """The part of a list that stands on its last line: what a comment behind it is about."""
    source, end = node.span.source, node.span.end
    line, _ = source.line_column(end)
    return Span(source, max(node.span.start, source.line_starts[line - 1]), end)


def _first_member(node: Node) -> Node | None:
    """What stands first in a policy or rule."""
    if not isinstance(node, Policy | Rule):
        return None
    return min(_parts(node), key=lambda part: part.span.start, default=None)


def _parts(node: Node) -> tuple[Node, ...]:
    match node:
        case Policy():
            return (*node.settings, *node.includes, *node.rules)
        case Rule():
            return node.settings
        case Setting():
            return (*node.values, *(node.exceptions or ()))
        case Endpoints():
            return (*node.entries, *node.fallbacks)
        case Fallback():
            return node.entries
        case ServiceAccount():
            return node.bindings
        case Binding():
            return node.values
        case _:
            return ()


def _read(comments: tuple[Comment, ...], about: Span | None) -> Iterator[Allowance]:
    for comment in comments:
        mark = _MARK.match(comment.text)
        if mark is None:
            continue
        whole = _WHOLE.fullmatch(comment.text)
        if whole is None:
            yield Allowance("", "", comment.span, comment.span, about)
            continue
        place = comment.span.part(whole.start(1), whole.end(1))
        why = (whole[2] or "").replace('""', '"').strip()
        yield Allowance(whole[1], why, place, comment.span, about)
