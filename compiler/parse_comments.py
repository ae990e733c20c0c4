"""Hangs comments on the nodes of a tree.

A comment behind the last word of a node on its line trails it; one behind a block's opening brace opens the block; any
other leads the node that comes next, or closes the block or the file. A comment inside a head, or between a keyword and
its first value, leads the whole statement.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar, assert_never, cast

from egressc.syntax import (
    NO_COMMENTS,
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

    from egressc.syntax import Comment

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
    nodes, closing = _hang(file.items, comments, 0)
    return replace(file, items=tuple(nodes), comments=Comments(closing=closing))


def _hang(nodes: Sequence[_N], comments: Sequence[Comment], begin: int) -> tuple[list[_N], tuple[Comment, ...]]:
    """The nodes with the comments that stand before, in and behind them, and the comments behind them all.

    ``begin`` is where the range begins in which nodes and comments stand.
    """
    result: list[_N] = []
    at = 0
    for index, node in enumerate(nodes):
        if at == len(comments):
            result.extend(nodes[index:])
            break
        first = at
        while at < len(comments) and comments[at].span.start < node.span.start:
            at += 1
        leading = tuple(comments[first:at])
        first = at
        while at < len(comments) and comments[at].span.start < node.span.end:
            at += 1
        inner = comments[first:at]
        trailing = None
        if at < len(comments) and _same_line(node, comments[at]) and _is_next(nodes, index, comments[at]):
            trailing = comments[at]
            at += 1
        result.append(_with_comments(node, leading, inner, trailing))
    return result, tuple(comments[at:])


def _is_next(nodes: Sequence[Node], index: int, comment: Comment) -> bool:
    """True if a comment stands before the node behind the one with this index."""
    return index + 1 == len(nodes) or comment.span.start < nodes[index + 1].span.start
