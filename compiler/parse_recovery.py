"""Reads a source that has syntax errors: one exact diagnostic for each mistake, and every node that is right.

The file is walked by its braces and reserved words, which is all that its structure consists of. Whatever stands
between two of them, one head or one statement, is handed to the grammar by itself; so the grammar alone says what is
right, and a mistake costs the statement that it is in, not the block.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from egressc import parse_build as build
from egressc import parse_errors as errors
from egressc.diagnostics import Related
from egressc.keywords import ACTIONS, STATEMENT_KEYWORDS
from egressc.parse_analysis import Unexpected, explain_head
from egressc.parse_cursor import LIMIT, VALUE_KINDS, Cursor, TooManyErrorsError
from egressc.parse_shape import CONTAINERS, FILE, Block
from egressc.parse_statements import Grammar, read_entry, read_part, read_statement, read_template, stand_in_head
from egressc.parse_tokens import BAD, CLOSE, END, OPEN, TEXT, WORD, Scan, Token
from egressc.syntax import Policy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.diagnostics import Diagnostic
    from egressc.parse_build import Head, Member
    from egressc.source import Source
    from egressc.syntax import File, Item

    Node = Item | Member


def read_on(source: Source, scan: Scan, grammar: Grammar) -> tuple[File, tuple[Diagnostic, ...]]:
    """The file as far as it can be read, and its syntax errors by place (without comments on the nodes)."""
    cursor = Cursor(source, scan.tokens, scan.diagnostics)
    items: list[Item] = []
    damaged = True
    if len(scan.diagnostics) < LIMIT:
        with suppress(TooManyErrorsError):
            damaged = not _Reader(cursor, grammar).file(items)
    found = sorted(cursor.diagnostics[:LIMIT], key=lambda d: d.span.start if d.span else 0)
    if len(found) == LIMIT:
        reached = cursor.token if len(scan.diagnostics) < LIMIT else scan.tokens[-1]
        found.append(errors.too_many_errors(cursor.span(reached), LIMIT))
    return build.make_file(source, items, damaged=damaged), tuple(found)


class _Reader:
    """One walk through a file; what a method reads, the cursor leaves behind.

    A method that returns ``None`` for a node has reported why, or it is reported already.
    """

    def __init__(self, cursor: Cursor, grammar: Grammar) -> None:
        self.cursor = cursor
        self.grammar = grammar
        self.columns: list[int] = []
        """The column of each open block's first word."""
        self.surplus = 0
        """How many closing braces are to come for blocks that are taken as closed."""
        self.closed_by = (-1, 0)
        """Where the last bad token with closing braces in it begins, and how many of these still close a block."""
        self.inner: list[int] = []
        """The column of what stands first in each open block, if it begins a line."""
        self.strays: list[Item] = []
        """Items that stand in a block. They are reported; their names are known all the same."""
        self.lost = False
        """True if such an item could not be read."""

    def file(self, items: list[Item]) -> bool:
        """Add the items of the file to ``items``; false if one may be lost whose name nobody knows."""
        cursor, whole = self.cursor, True
        while cursor.kind != END:
            kind = cursor.kind
            if kind == CLOSE:
                self.closing_braces()
                continue
            node = self.member(kind, FILE) if kind in FILE.keywords else self.other(FILE)
            if node is None:
                whole = False
            else:
                items.append(cast("Item", node))
        items.extend(self.strays)
        items.sort(key=lambda item: item.span.start)
        return whole and not self.lost

    def member(self, keyword: str, block: Block) -> Node | None:
        """The block or the statement that begins here with ``keyword``."""
        if keyword == "template" and self.cursor.tokens[self.cursor.at + 1].kind in {"endpoints", "service-account"}:
            self.cursor.report(errors.missing_value(self.cursor.span(self.cursor.take()), keyword))
            keyword = self.cursor.kind
        if keyword in block.blocks:
            return self.block(keyword, block.blocks[keyword])
        return read_statement(self.cursor, self.grammar, keyword, block)

    def block(self, keyword: str, block: Block, *, is_reported: bool = False) -> Node:
        """The block whose head begins here (and may be reported already)."""
        self.columns.append(self.cursor.column(self.cursor.token))
        head, brace, sound = self.head(keyword, block, is_reported=is_reported)
        members: list[Member] = []
        end = self.cursor.tokens[self.cursor.at - 1].end
        if brace is not None:
            at = self.cursor.at
            self.inner.append(self.cursor.column(self.cursor.token) if self.cursor.begins_line(at) else 0)
            end, whole = self.body(block, brace, members)
            self.inner.pop()
            sound = sound and whole
        self.columns.pop()
        self.lost = self.lost or (head.unnamed and keyword not in ACTIONS)
        return build.MAKE[block.start](head, members, end, damaged=not sound)

    def head(self, keyword: str, block: Block, *, is_reported: bool) -> tuple[Head, Token | None, bool]:
        """The head that begins here, the brace behind it (or what stands for it), and whether all that is right."""
        cursor = self.cursor
        tokens = [cursor.take()._replace(kind=keyword)]
        sound = (keyword != "template" or read_template(cursor, tokens)) and not is_reported
        if sound and block.named and cursor.kind in STATEMENT_KEYWORDS and not cursor.begins_line(cursor.at):
            cursor.report(errors.reserved(cursor.span(cursor.token), tokens[-1].kind))
            cursor.take()
            cursor.skip_values(block.keywords)
            return stand_in_head(cursor, tokens), self.brace(tokens, block, report=False), False
        while cursor.kind in VALUE_KINDS and not self.entries_begin(tokens, block):
            tokens.append(cursor.take())
        result = self.grammar(block.start, tokens)
        if isinstance(result, Unexpected):
            if sound and not any(t.kind == BAD for t in tokens):
                cursor.report(explain_head(cursor, tokens, result))
            sound = False
            result = self.grammar(block.start, tokens[: result.index])
        brace_is_right = cursor.kind == OPEN
        brace = self.brace(tokens, block, report=sound)
        head = stand_in_head(cursor, tokens) if isinstance(result, Unexpected) else cast("Head", result)
        return head, brace, sound and brace_is_right

    def entries_begin(self, head: Sequence[Token], block: Block) -> bool:
        """True if the endpoints of a set begin here, though no brace stands before them."""
        cursor = self.cursor
        if not block.entries or cursor.kind == TEXT or len(head) <= block.named or cursor.head_before_brace(cursor.at):
            return False
        if cursor.begins_line(cursor.at):
            return True
        return (not block.named or head[-1].kind == TEXT) and cursor.bad_on_line(cursor.at) is None

    def brace(self, head: Sequence[Token], block: Block, *, report: bool) -> Token | None:
        """The opening brace behind a head, or the head's last token if the block goes on without one."""
        cursor, last = self.cursor, head[-1]
        if cursor.kind == OPEN:
            return cursor.take()
        if report:
            cursor.report(errors.missing_block(cursor.span(last), block.called, head[0].kind))
        if cursor.kind in STATEMENT_KEYWORDS and not cursor.begins_line(cursor.at):
            foreign = cursor.kind not in block.keywords
            if foreign or (cursor.head_before_brace(cursor.at) and cursor.kind not in block.blocks):
                cursor.take()
                cursor.skip_line()
                if cursor.kind == OPEN:
                    return cursor.take()
        if cursor.kind == CLOSE and self.goes_on(cursor.at + 1, block) and not cursor.begins_line(cursor.at):
            cursor.excess += 2
            return cursor.take()
        if self.goes_on(cursor.at, block):
            if last.kind != BAD or cursor.swallowed(last) <= 0:
                cursor.excess += 1
            return last
        if cursor.kind == CLOSE and len(self.columns) == 1:
            self.surplus += 1
        return None

    def goes_on(self, index: int, block: Block) -> bool:
        """True if the token with this index can begin something in a block."""
        kind = self.cursor.tokens[index].kind
        return kind in block.keywords or (block.entries and kind in VALUE_KINDS)

    def body(self, block: Block, brace: Token, members: list[Member]) -> tuple[int, bool]:
        """Add the members of a block up to its closing brace; the offset where it ends, and whether all is right."""
        cursor, whole, phantom = self.cursor, True, 0
        while True:
            kind, before = cursor.kind, cursor.tokens[cursor.at - 1]
            if self.is_closed_by(before):
                return before.end, False
            if kind == CLOSE and phantom:
                cursor.take()
                phantom -= 1
            elif kind == CLOSE and self.is_too_deep(block):
                cursor.excess += 1
                cursor.report(errors.stray_brace(cursor.span(cursor.take())))
            elif kind == CLOSE and not self.closes_outer():
                return cursor.take().end, whole
            elif kind in {CLOSE, END} or (kind not in block.keywords and self.begins_outside(block)):
                self.unclosed(block, brace)
                return cursor.tokens[cursor.at - 1].end, False
            elif kind == OPEN:
                phantom += self.opening_braces(block)
                whole = False
            else:
                is_entry = block.entries and kind in VALUE_KINDS
                if kind in block.keywords:
                    node = self.member(kind, block)
                elif is_entry and not (kind == WORD and cursor.tokens[cursor.at + 1].kind == OPEN):
                    node = read_entry(cursor, self.grammar)
                else:
                    node = self.other(block)
                whole = whole and node is not None
                if node is not None:
                    members.append(cast("Member", node))

    def other(self, block: Block) -> Node | None:
        """What begins here though nothing of the kind stands in the block; a node if it is clear what was meant."""
        cursor = self.cursor
        if cursor.kind == OPEN:
            self.surplus += self.opening_braces(block)
        elif self.bad_line(block):
            pass
        elif cursor.kind == WORD:
            return self.unknown(block)
        elif cursor.kind in STATEMENT_KEYWORDS:
            self.misplaced(block)
        else:
            span = cursor.span(cursor.token)
            is_string = cursor.kind == TEXT
            cursor.report(errors.stray_string(span, block) if is_string else errors.misplaced(span, block))
            cursor.take()
            cursor.skip_values(block.keywords)
        return None

    def bad_line(self, block: Block) -> bool:
        """True if this line holds a bad token, which is reported already; the line is left behind, and its block."""
        cursor = self.cursor
        index = cursor.bad_on_line(cursor.at)
        if index is None:
            return False
        cursor.at = index + 1
        cursor.skip_line()
        if cursor.swallowed(cursor.tokens[index]) > 0:
            cursor.skip_block(depth=1)
        elif cursor.kind == OPEN:
            cursor.skip_stray_block(block.keywords)
        return True

    def unknown(self, block: Block) -> Node | None:
        """What begins here with a word that begins nothing; read as what it is a slip of, if that is clear."""
        cursor = self.cursor
        suggestion = cursor.guess(cursor.at, block.keywords)
        is_block = cursor.head_before_brace(cursor.at)
        cursor.report(errors.unknown_statement(cursor.span(cursor.token), block, suggestion))
        if suggestion and is_block == (suggestion in block.blocks) and (is_block or block is FILE):
            return self.member(suggestion, block)
        if is_block:
            self.lost = self.lost or cursor.guess(cursor.at, FILE.blocks) is not None
            while cursor.kind != OPEN:
                cursor.take()
            cursor.skip_block()
            return None
        if block is not FILE:
            cursor.skip_unknown(block.keywords)
            return None
        cursor.skip_prose(FILE.keywords)
        if cursor.kind in STATEMENT_KEYWORDS and cursor.kind not in FILE.keywords:
            self.read_run(cursor.kind, block)
        return None

    def misplaced(self, block: Block) -> None:
        """Statements of another block: one mistake, however many stand here."""
        cursor = self.cursor
        keyword, before = cursor.token, cursor.tokens[cursor.at - 1]
        related: tuple[Related, ...] = ()
        if block is FILE and cursor.at and before.kind == CLOSE:
            related = (Related(span=cursor.span(before), text="the block before it is closed here"),)
        cursor.report(errors.misplaced(cursor.span(keyword), block, related=related))
        self.read_run(keyword.kind, block)

    def read_run(self, keyword: str, block: Block) -> None:
        """Leave behind a run of statements that begins with ``keyword``, for the mistakes in them.

        The brace that closes them is left behind as well, if the file has one too many.
        """
        cursor = self.cursor
        container = next((c for c in (*CONTAINERS, FILE) if keyword in c.keywords), None)
        if container is None:
            return
        first, column = cursor.at, cursor.column(cursor.token)
        while cursor.kind in container.keywords and (cursor.kind not in block.keywords or cursor.excess < 0):
            at, node = cursor.at, None
            if cursor.kind in container.blocks and cursor.head_before_brace(at):
                node = self.block(cursor.kind, container.blocks[cursor.kind], is_reported=at == first)
            elif cursor.kind in container.blocks:
                cursor.skip_unknown(block.keywords)
            elif at > first:
                node = self.member(cursor.kind, container)
            else:
                cursor.take()
                if block.entries:
                    cursor.skip_line()
                else:
                    cursor.skip_values(block.keywords)
                node = read_part(cursor, self.grammar, container, at)
            if container is FILE:
                self.stray(node)
        outer = self.columns[-1] if self.columns else 0
        if cursor.kind == CLOSE and cursor.excess < 0 and outer < cursor.column(cursor.token) <= max(column, 1):
            cursor.excess += 1
            cursor.take()

    def stray(self, node: Node | None) -> None:
        """Keep an item that stands in a block; a policy takes no effect there."""
        if node is None:
            self.lost = True
        else:
            self.strays.append(replace(node, template=True) if isinstance(node, Policy) else cast("Item", node))

    def opening_braces(self, block: Block) -> int:
        """Leave a run of opening braces behind, or the whole block; how many closing ones are to come for them."""
        cursor = self.cursor
        cursor.report(errors.stray_block(cursor.span(cursor.token)))
        after = cursor.at
        while cursor.tokens[after].kind == OPEN:
            after += 1
        if not self.goes_on(after, block):
            cursor.skip_block()
            return 0
        count = 0
        while cursor.at < after:
            cursor.take()
            if cursor.excess > 0:
                cursor.excess -= 1
            else:
                count += 1
        return count

    def closing_braces(self) -> None:
        """Leave a run of closing braces behind; one report for those that close nothing."""
        cursor, stray = self.cursor, None
        while cursor.kind == CLOSE:
            brace = cursor.take()
            if self.surplus:
                self.surplus -= 1
            else:
                cursor.excess += 1
                stray = stray or brace
        if stray:
            cursor.report(errors.stray_brace(cursor.span(stray)))

    def is_closed_by(self, token: Token) -> bool:
        """True if the block ends with a brace that this token, which is bad, has swallowed."""
        if token.kind != BAD:
            return False
        start, count = self.closed_by
        if token.start > start:
            count = max(-self.cursor.swallowed(token), 0)
        self.closed_by = (token.start, max(count - 1, 0))
        return count > 0

    def is_too_deep(self, block: Block) -> bool:
        """True if the closing brace here stands deeper than its block, which goes on, and the file has one too many."""
        cursor = self.cursor
        return (
            cursor.excess < 0
            and cursor.begins_line(cursor.at)
            and cursor.column(cursor.token) > self.columns[-1]
            and self.goes_on(cursor.at + 1, block)
        )

    def closes_outer(self) -> bool:
        """True if the closing brace here stands where an outer block's would, and one brace of the file is missing."""
        cursor = self.cursor
        return (
            cursor.excess > 0
            and len(self.columns) > 1
            and cursor.begins_line(cursor.at)
            and cursor.column(cursor.token) <= self.columns[-2] < self.columns[-1]
        )

    def begins_outside(self, block: Block) -> bool:
        """True if what begins here belongs behind the block, and one brace of the file is missing."""
        cursor = self.cursor
        kind = cursor.kind
        if kind not in STATEMENT_KEYWORDS:
            return False
        if cursor.excess <= 0:  # another mistake may hide the missing brace, but the indentation shows it
            is_outside = kind in FILE.keywords and cursor.begins_line(cursor.at)
            return is_outside and cursor.column(cursor.token) <= self.columns[0] < self.inner[-1]
        policy = CONTAINERS[0]
        outer = FILE.keywords if len(self.columns) == 1 or block is policy else (*FILE.keywords, *policy.keywords)
        if kind not in outer:
            return False
        return not cursor.begins_line(cursor.at) or cursor.column(cursor.token) <= self.columns[-1]

    def unclosed(self, block: Block, brace: Token) -> None:
        """Report that a block is not closed before this place, unless the reason is reported already."""
        cursor = self.cursor
        at_end = cursor.kind == END
        if at_end and (cursor.excess <= 0 or cursor.is_reported_at_end()):
            return
        cursor.excess = 0 if at_end else cursor.excess - 1
        if brace.kind == OPEN:  # else neither of its braces is there, which is one mistake
            span, noticed = cursor.span(brace), cursor.span(cursor.token)
            cursor.report(errors.unclosed_block(span, block.called, noticed, at_end=at_end))
