"""The canonical layout of a syntax tree.

* Four spaces for each block. One item, setting, rule, binding or endpoint of a set on a line; a head on one line.
* Nothing is ever moved: the order of everything is the author's, as is every word and every comment.
* The values of a block stand in one column, behind its longest keyword that takes values (``off`` and ``may``, which
  only turn a keyword round, stand right behind it).
* A list stands on one line if it fits into 100 columns, else each value on a line of its own, in the column of the
  first; so does a list with comments inside. A fallback stands on one line if it fits.
* One empty line stands between items, except between two imports and between two parameters, and between the settings
  and the rules of a policy. Elsewhere an empty line stays where the author put one or more, but not at the beginning or
  the end of a block.
* A comment keeps its text. Behind code it stands two spaces away; one inside a head or behind a keyword moves above the
  statement.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from egressc.parse_comments import Block, Node, members
from egressc.syntax import (
    Binding,
    Endpoints,
    Fallback,
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

    from egressc.syntax import Comment, Entry, File, Value

WIDTH: Final = 100
"""How many columns a list may fill on one line."""

_INDENT: Final = "    "
_SIGNS: Final = frozenset(("off", "may"))


def file_lines(file: File) -> list[str]:
    """The lines of a file, without line ends."""
    lines: list[str] = []
    for index, item in enumerate(file.items):
        before = file.items[index - 1] if index else None
        if before is not None and (_is_apart(before, item) or _has_gap(_end(before), _start(item), file.source.text)):
            lines.append("")
        lines += _statement(item, "", 0)
    end = _end(file.items[-1]) if file.items else None
    return lines + _comments(file.comments.closing, end, "", file.source.text)


def _is_apart(before: Node, node: Node) -> bool:
    """True if an empty line always stands between two neighbours."""
    match node:
        case Import() | Parameter():
            return type(before) is not type(node)
        case Endpoints() | ServiceAccount() | Policy():
            return True
        case Rule():
            return not isinstance(before, Rule)
        case _:
            return isinstance(before, Rule)


def _statement(node: Node, indent: str, width: int) -> list[str]:
    """The lines of a node with the comments on it; ``width`` is that of the longest keyword in its block."""
    lines = _leading(node, indent)
    match node:
        case Import():
            lines.append(f"{indent}import {_text(node.path)}")
        case Parameter():
            labels = " labels" if node.labels else ""
            description = f" {_text(node.description)}" if node.description else ""
            lines.append(f"{indent}parameter {node.name.text}{labels}{description}")
        case Endpoints() | ServiceAccount() | Policy() | Rule():
            lines += _block(node, indent)
        case Fallback():
            lines += _fallback(node, indent)
        case Include():
            lines.append(f"{indent}{'include'.ljust(width)} {node.name.text}")
        case Setting():
            lines += _list(node.keyword, node.values, node.exceptions or (), indent, width)
        case Binding():
            lines += _list(node.kind, node.values, (), indent, width)
        case Word() | Text() | ServiceTag():
            lines.append(f"{indent}{_value(node)}")
        case _:
            assert_never(node)
    return _with_trailing(lines, node.comments.trailing)


def _block(node: Block, indent: str) -> list[str]:
    """The lines of a block."""
    inner = indent + _INDENT
    nodes = members(node)
    width = _keyword_width(nodes)
    text = node.span.source.text
    head = f"{indent}{_head(node)} {{"
    if not nodes and node.comments.opening is None and not node.comments.closing:
        return [head + "}"]
    lines = _with_trailing([head], node.comments.opening)
    for index, member in enumerate(nodes):
        before = nodes[index - 1] if index else None
        if before is not None and (_is_apart(before, member) or _has_gap(_end(before), _start(member), text)):
            lines.append("")
        lines += _statement(member, inner, width)
    lines += _comments(node.comments.closing, _end(nodes[-1]) if nodes else None, inner, text)
    lines.append(f"{indent}}}")
    return lines


def _head(node: Block) -> str:
    """Everything before the brace."""
    match node:
        case Endpoints():
            keyword = "endpoints"
        case ServiceAccount():
            keyword = "service-account"
        case Policy():
            keyword = "template policy" if node.template else "policy"
        case Rule():
            keyword = node.action
        case Fallback():
            return "fallback"
        case _:
            assert_never(node)
    description = f" {_text(node.description)}" if node.description else ""
    return f"{keyword} {node.name.text}{description}"


def _fallback(node: Fallback, indent: str) -> list[str]:
    """The lines of a fallback: one, if it fits."""
    line = f"{indent}fallback {{ {' '.join(_value(entry) for entry in node.entries)} }}"
    has_comments = (
        node.comments.opening is not None
        or bool(node.comments.closing)
        or any(_has_comments(entry) for entry in node.entries)
    )
    return _block(node, indent) if has_comments or not node.entries or len(line) > WIDTH else [line]


def _keyword_width(nodes: Sequence[Node]) -> int:
    """The width of the longest keyword that takes values."""
    width = 0
    for node in nodes:
        match node:
            case Setting() if node.values and not _is_sign(node.values):
                width = max(width, len(node.keyword.text))
            case Binding():
                width = max(width, len(node.kind.text))
            case Include():
                width = max(width, len("include"))
            case _:
                pass
    return width


def _is_sign(values: Sequence[Value]) -> bool:
    """True for the values of ``log off`` and ``tls-inspection may``."""
    return len(values) == 1 and isinstance(values[0], Word) and values[0].text in _SIGNS


def _list(
    keyword: Word,
    values: Sequence[Value],
    exceptions: Sequence[Entry],
    indent: str,
    width: int,
) -> list[str]:
    """The lines of a keyword and its values."""
    if not values:
        return [indent + keyword.text]
    start = f"{indent}{keyword.text if _is_sign(values) else keyword.text.ljust(width)} "
    line = start + " ".join(_value(value) for value in values)
    tail = f"except {' '.join(_value(value) for value in exceptions)}" if exceptions else ""
    has_comments = any(_has_comments(value) for value in (*values, *exceptions))
    if not has_comments and len(f"{line} {tail}".rstrip()) <= WIDTH:
        return [f"{line} {tail}".rstrip()]
    margin = " " * len(start)
    lines = _column(values, start, margin)
    if exceptions:
        if len(margin + tail) <= WIDTH and not any(_has_comments(value) for value in exceptions):
            lines.append(margin + tail)
        else:
            lines += _column(exceptions, f"{margin}except ", f"{margin}       ")
    return lines


def _column(values: Sequence[Value], start: str, margin: str) -> list[str]:
    """Values one below the other: the first behind ``start``, the others behind ``margin``."""
    lines: list[str] = []
    for index, value in enumerate(values):
        first = index == 0
        own = [(start if first else margin) + _value(value)]
        outside = " " * (len(start) - len(start.lstrip())) if first else margin
        lines += _leading(value, outside) + _with_trailing(own, value.comments.trailing)
    return lines


def _value(value: Value) -> str:
    match value:
        case Word():
            return value.text
        case Text():
            return _text(value)
        case ServiceTag():
            return f"service-tag {value.name.text}"
        case _:
            assert_never(value)


def _text(text: Text) -> str:
    return f'"{text.value.replace(chr(34), chr(34) * 2)}"'


def _leading(node: Node, indent: str) -> list[str]:
    """The comments before a node, with the author's empty lines between them and before the node."""
    lines: list[str] = []
    text = node.span.source.text
    comments = node.comments.leading
    for index, comment in enumerate(comments):
        lines.append(indent + comment.text)
        if comment.span.start < node.span.start:
            behind = comments[index + 1].span.start if index + 1 < len(comments) else node.span.start
            if _has_gap(comment.span.end, min(behind, node.span.start), text):
                lines.append("")
    return lines


def _comments(comments: Sequence[Comment], end: int | None, indent: str, text: str) -> list[str]:
    """Comments at the end of a block or a file, behind what ends at the offset ``end``."""
    lines: list[str] = []
    for comment in comments:
        if end is not None and _has_gap(end, comment.span.start, text):
            lines.append("")
        lines.append(indent + comment.text)
        end = comment.span.end
    return lines


def _with_trailing(lines: list[str], comment: Comment | None) -> list[str]:
    """The lines with a comment behind the last of them."""
    if comment is not None:
        lines[-1] += f"  {comment.text}"
    return lines


def _has_comments(node: Node) -> bool:
    return bool(node.comments.leading) or node.comments.trailing is not None


def _start(node: Node) -> int:
    """Where a node begins, with the comments before it."""
    leading = node.comments.leading
    return min(leading[0].span.start, node.span.start) if leading else node.span.start


def _end(node: Node) -> int:
    """Where a node ends, with the comment behind it."""
    return node.span.end if node.comments.trailing is None else node.comments.trailing.span.end


def _has_gap(end: int, start: int, text: str) -> bool:
    """True if the author left an empty line between two offsets with only white space between them."""
    return text.count("\n", end, start) > 1
