"""Hangs comments on the nodes of a tree.

A comment behind the last word of a node on its line trails it; one behind a block's opening brace opens the block; any
other leads the node that comes next, or closes the block or the file. A comment inside a head, or between a keyword and
its first value, leads the whole statement.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar, assert_never, cast

from egressc.syntax import (
    Binding,
    Comments,
    Endpoints,
    Fallback,
    File,
    Import,
    Include,
    Parameter,
    Policy,
    Rule,
    ServiceAccount,
    ServiceTag,
    Setting,
    Text,
    Word,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.syntax import Comment, Entry

Node = (
    Import
    | Endpoints
    | ServiceAccount
    | Parameter
    | Policy
    | Fallback
    | Binding
    | Setting
    | Include
    | Rule
    | ServiceTag
    | Word
    | Text
)
"""What a comment can hang on, besides the file."""

Block = Endpoints | ServiceAccount | Policy | Fallback | Rule

_N = TypeVar("_N", bound=Node)
_BRACE: Final = "{"


def members(block: Block) -> tuple[Node, ...]:
    """What stands in a block, in source order."""
    match block:
        case Endpoints():
            found: tuple[Node, ...] = (*block.entries, *block.fallbacks)
        case Fallback():
            return block.entries
        case ServiceAccount():
            return block.bindings
        case Rule():
            return block.settings
        case Policy():
            found = (*block.settings, *block.includes, *block.rules)
        case _:
            assert_never(block)
    return tuple(sorted(found, key=lambda node: node.span.start))


def hang_comments(file: File, comments: Sequence[Comment]) -> File:
    """The file with its comments (all of them, in source order) on its nodes."""
    if not comments:
        return file
    nodes, closing = _hang(file.items, comments)
    return replace(file, items=tuple(nodes), comments=Comments(closing=closing))


def _hang(nodes: Sequence[_N], comments: Sequence[Comment]) -> tuple[list[_N], tuple[Comment, ...]]:
    """The nodes with the comments before, in and behind each, and the comments that stand behind them all."""
    result: list[_N] = []
    at = 0
    for index, node in enumerate(nodes):
        if at == len(comments):
            result.extend(nodes[index:])
            break
        leading = _until(comments, at, node.span.start)
        at += len(leading)
        inner = _until(comments, at, node.span.end)
        at += len(inner)
        behind = nodes[index + 1].span.start if index + 1 < len(nodes) else len(node.span.source.text)
        trailing = None
        if at < len(comments) and comments[at].span.start < behind and _same_line(node.span.end, comments[at]):
            trailing = comments[at]
            at += 1
        if leading or inner or trailing:
            result.append(_with_comments(node, leading, inner, trailing))
        else:
            result.append(node)
    return result, tuple(comments[at:])


def _until(comments: Sequence[Comment], at: int, end: int) -> tuple[Comment, ...]:
    """The comments from an index on that begin before an offset."""
    stop = at
    while stop < len(comments) and comments[stop].span.start < end:
        stop += 1
    return tuple(comments[at:stop])


def _same_line(offset: int, comment: Comment) -> bool:
    """True if a comment stands on the line of an offset before it."""
    return "\n" not in comment.span.source.text[offset : comment.span.start]


def _with_comments(node: _N, leading: tuple[Comment, ...], inner: tuple[Comment, ...], trailing: Comment | None) -> _N:
    """The node with comments on it, and those inside it on its parts."""
    own = Comments(leading=leading, trailing=trailing)
    match node:
        case _ if not inner:
            return replace(node, comments=own)
        case Setting() | Binding():
            head = _until(inner, 0, node.values[0].span.start) if node.values else inner
            own = Comments(leading=leading + head, trailing=trailing)
            return cast("_N", _list_with_comments(node, inner[len(head) :], own))
        case Endpoints() | Fallback() | ServiceAccount() | Policy() | Rule():
            return cast("_N", _block_with_comments(node, leading, inner, trailing))
        case _:
            return cast("_N", replace(node, comments=Comments(leading=leading + inner, trailing=trailing)))


def _list_with_comments(node: Setting | Binding, inner: Sequence[Comment], own: Comments) -> Setting | Binding:
    """A list with ``own`` comments, and those between its values on the values."""
    if isinstance(node, Binding):
        values, _ = _hang(node.values, inner)
        return replace(node, values=tuple(values), comments=own)
    count = len(node.values)
    found, _ = _hang((*node.values, *(node.exceptions or ())), inner)
    exceptions = None if node.exceptions is None else cast("tuple[Entry, ...]", tuple(found[count:]))
    return replace(node, values=tuple(found[:count]), exceptions=exceptions, comments=own)


def _block_with_comments(
    node: Block,
    leading: tuple[Comment, ...],
    inner: tuple[Comment, ...],
    trailing: Comment | None,
) -> Block:
    """A block with comments on it, and those inside it on its members."""
    brace = _brace(node, inner)
    head = _until(inner, 0, brace)
    nodes = members(node)
    at = len(head)
    opening = None
    first = nodes[0].span.start if nodes else node.span.end
    if at < len(inner) and inner[at].span.start < first and _same_line(brace, inner[at]):
        opening = inner[at]
        at += 1
    found, closing = _hang(nodes, inner[at:])
    own = Comments(leading=leading + head, opening=opening, closing=closing, trailing=trailing)
    match node:
        case Endpoints():
            fallbacks = tuple(n for n in found if isinstance(n, Fallback))
            return replace(node, entries=_of(found, Word, ServiceTag), fallbacks=fallbacks, comments=own)
        case Fallback():
            return replace(node, entries=_of(found, Word, ServiceTag), comments=own)
        case ServiceAccount():
            return replace(node, bindings=_of(found, Binding), comments=own)
        case Rule():
            return replace(node, settings=_of(found, Setting), comments=own)
        case Policy():
            return replace(
                node,
                settings=_of(found, Setting),
                includes=_of(found, Include),
                rules=_of(found, Rule),
                comments=own,
            )
        case _:
            assert_never(node)


def _of(nodes: Sequence[Node], *kinds: type[_N]) -> tuple[_N, ...]:
    """The nodes of some kinds."""
    return tuple(node for node in nodes if isinstance(node, kinds))


def _brace(node: Block, inner: Sequence[Comment]) -> int:
    """The offset of a block's opening brace; ``inner`` are the comments in the block, some of them before the brace."""
    text = node.span.source.text
    if isinstance(node, Fallback):
        at = node.span.start
    else:
        at = node.name.span.end if node.description is None else node.description.span.end
    brace = text.index(_BRACE, at)
    for comment in inner:
        if at <= comment.span.start < brace:
            at = comment.span.end
            brace = text.index(_BRACE, at)
    return brace
