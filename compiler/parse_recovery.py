"""Reads a source that has syntax errors: one exact diagnostic for each mistake, and every node that is right.

The file is walked by its braces and reserved words, which is all that its structure consists of. Whatever stands
between two of them, one head or one statement, is handed to the grammar by itself; so the grammar alone says what is
right, and a mistake costs the statement that it is in, not the block.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, cast

from egressc import parse_build as build
from egressc import parse_errors as errors
from egressc.diagnostics import Related
from egressc.keywords import SIGN_WORDS, STATEMENT_KEYWORDS
from egressc.parse_analysis import Unexpected, explain_head, explain_statement
from egressc.parse_cursor import LIMIT, VALUE_KINDS, Cursor, TooManyErrorsError
from egressc.parse_shape import CONTAINERS, FILE, Block
from egressc.parse_tokens import BAD, CLOSE, END, OPEN, TEXT, WORD, Scan, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from egressc.diagnostics import Diagnostic
    from egressc.parse_build import Head, Member
    from egressc.source import Source
    from egressc.syntax import Entry, File, Item

    Node = Item | Member


class Grammar(Protocol):
    """Reads tokens as one part of the grammar."""

    def __call__(self, start: str, tokens: Sequence[Token]) -> object:
        """The node of the start symbol ``start`` that the tokens are, or ``Unexpected``."""


_MAKE: Final[dict[str, Callable[..., Node]]] = {
    "endpoints_head": build.make_endpoints,
    "fallback_head": build.make_fallback,
    "service_account_head": build.make_service_account,
    "policy_head": build.make_policy,
    "rule_head": build.make_rule,
}


def read_on(source: Source, scan: Scan, grammar: Grammar) -> tuple[File, tuple[Diagnostic, ...]]:
    """The file as far as it can be read, and its syntax errors by place (without comments on the nodes)."""
    cursor = Cursor(source, scan.tokens, scan.diagnostics)
    reader = _Reader(cursor, grammar)
    items: list[Item] = []
    damaged = False
    try:
        damaged = not reader.file(items)
    except TooManyErrorsError:
        damaged = True
    found = sorted(cursor.diagnostics[:LIMIT], key=lambda d: d.span.start if d.span else 0)
    return build.make_file(source, items, damaged=damaged), (*found, *cursor.diagnostics[LIMIT:])


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

    def file(self, items: list[Item]) -> bool:
        """Add the items of the file to ``items``; false if one may be lost whose name nobody knows."""
        cursor, whole = self.cursor, True
        while cursor.kind != END:
            kind = cursor.kind
            node: Node | None = None
            if kind in FILE.keywords:
                node = self.member(kind, FILE)
            elif kind == WORD:
                node = self.unknown(FILE)
            elif kind == CLOSE:
                self.closing_braces()
                continue
            elif kind in STATEMENT_KEYWORDS:
                self.orphans()
            else:
                self.stray(FILE)
            if node is None:
                whole = False
            else:
                items.append(cast("Item", node))
        return whole

    def member(self, keyword: str, block: Block) -> Node | None:
        """The block or the statement that begins here with ``keyword``."""
        if keyword in block.blocks:
            return self.block(keyword, block.blocks[keyword])
        return self.statement(keyword, block)

    def block(self, keyword: str, block: Block) -> Node | None:
        """The block whose head begins here; ``None`` if it has no name."""
        self.columns.append(self.cursor.column(self.cursor.token))
        head, brace, sound = self.head(keyword, block)
        members: list[Member] = []
        end = self.cursor.tokens[self.cursor.at - 1].end
        if brace is not None:
            end, whole = self.body(block, brace, members)
            sound = sound and whole
        self.columns.pop()
        return None if head is None else _MAKE[block.start](head, members, end, damaged=not sound)

    def head(self, keyword: str, block: Block) -> tuple[Head | None, Token | None, bool]:
        """The head that begins here, the brace behind it (or what stands for it), and whether the head is right."""
        cursor = self.cursor
        tokens = [cursor.take()._replace(kind=keyword)]
        sound = keyword != "template" or self.template(tokens)
        if sound and block.named and cursor.kind in STATEMENT_KEYWORDS and not cursor.begins_line(cursor.at):
            cursor.report(errors.reserved(cursor.span(cursor.token), tokens[-1].kind))
            cursor.take()
            cursor.skip_values(block.keywords)
            return None, self.brace(tokens, block, report=False), False
        while cursor.kind in VALUE_KINDS and not self.entries_begin(tokens, block):
            tokens.append(cursor.take())
        result = self.grammar(block.start, tokens)
        if not isinstance(result, Unexpected):
            return cast("Head", result), self.brace(tokens, block, report=sound), sound
        if sound and not any(t.kind == BAD for t in tokens):
            cursor.report(explain_head(cursor, tokens, result))
        right = self.grammar(block.start, tokens[: result.index])
        head = None if isinstance(right, Unexpected) else cast("Head", right)
        return head, self.brace(tokens, block, report=False), False

    def template(self, tokens: list[Token]) -> bool:
        """Add the ``policy`` behind a ``template``; false if it is reported as missing."""
        cursor = self.cursor
        if cursor.kind == "policy":
            tokens.append(cursor.take())
            return True
        cursor.report(errors.missing_value(cursor.span(tokens[0]), "template"))
        if cursor.guess(cursor.at, ("policy",)):
            cursor.take()
        tokens.append(tokens[0]._replace(kind="policy"))
        return False

    def entries_begin(self, head: list[Token], block: Block) -> bool:
        """True if the endpoints of a set begin here, though no brace stands before them."""
        cursor = self.cursor
        return block.entries and len(head) > block.named and cursor.kind != TEXT and cursor.begins_line(cursor.at)

    def brace(self, head: Sequence[Token], block: Block, *, report: bool) -> Token | None:
        """The opening brace behind a head, or the head's last token if the block goes on without one."""
        cursor, last = self.cursor, head[-1]
        if cursor.kind == OPEN:
            return cursor.take()
        if report:
            cursor.report(errors.missing_block(cursor.span(last), block.called, head[0].kind))
        if cursor.kind in block.keywords or (block.entries and cursor.kind in VALUE_KINDS):
            if last.kind != BAD or OPEN not in cursor.text(last):
                cursor.excess += 1
            return last
        if cursor.kind == CLOSE and len(self.columns) == 1:
            self.surplus += 1
        return None

    def body(self, block: Block, brace: Token, members: list[Member]) -> tuple[int, bool]:
        """Add the members of a block up to its closing brace; the offset where it ends, and whether all is right."""
        cursor, whole, phantom = self.cursor, True, 0
        while True:
            kind, node = cursor.kind, None
            if kind == CLOSE and phantom:
                cursor.take()
                phantom -= 1
                continue
            if kind == CLOSE and not self.closes_outer():
                return cursor.take().end, whole
            if kind in {CLOSE, END} or (kind not in block.keywords and self.begins_outside(block)):
                self.unclosed(block, brace)
                return cursor.tokens[cursor.at - 1].end, False
            if kind in block.keywords:
                node = self.member(kind, block)
            elif kind == OPEN:
                phantom += self.stray_braces(block)
            elif block.entries and kind in VALUE_KINDS and not (kind == WORD and cursor.head_before_brace(cursor.at)):
                node = self.entry()
            elif kind == WORD:
                node = self.unknown(block)
            elif kind in STATEMENT_KEYWORDS:
                self.misplaced(block)
            else:
                self.stray(block)
            if node is None:
                whole = False
            else:
                members.append(cast("Member", node))

    def statement(self, keyword: str, block: Block) -> Node | None:
        """The statement that begins here."""
        cursor, first = self.cursor, self.cursor.at
        tokens = [cursor.take()._replace(kind=keyword)]
        while cursor.kind in VALUE_KINDS:
            tokens.append(cursor.take())
        if cursor.kind == OPEN:
            tail = self.block_in_tail(first, len(tokens), block)
            del tokens[tail:]
            cursor.at = first + tail
        result = self.grammar(block.statements[keyword], tokens)
        if not isinstance(result, Unexpected):
            if cursor.kind == OPEN:
                cursor.report(errors.block_of_statement(cursor.span(cursor.token), keyword))
                cursor.skip_block()
            return cast("Node", result)
        if not any(t.kind == BAD for t in tokens):
            cursor.report(explain_statement(cursor, tokens, result, block))
            if result.index == len(tokens) and cursor.kind in STATEMENT_KEYWORDS and not cursor.begins_line(cursor.at):
                cursor.take()
                cursor.skip_values(block.keywords)
        for index in range(first + result.index + 1, first + len(tokens)):
            if cursor.begins_statement(index, block.keywords):
                cursor.at = index
                return None
        if cursor.kind == OPEN:
            cursor.skip_block()
        return None

    def block_in_tail(self, first: int, length: int, block: Block) -> int:
        """How many tokens of a statement come before a head at its end whose keyword nobody knows (or all)."""
        cursor = self.cursor
        for size in range(max(1, length - 3), length):
            index = first + size
            if cursor.tokens[index].kind == WORD and (
                cursor.begins_line(index) or cursor.guess(index, block.blocks) is not None
            ):
                return size
        return length

    def entry(self) -> Entry | None:
        """The endpoint that stands here in a set or a fallback."""
        cursor = self.cursor
        tokens = [cursor.take()]
        kind = tokens[0].kind
        if kind == "service-tag" and cursor.kind in {WORD, BAD}:
            tokens.append(cursor.take())
        if any(t.kind == BAD for t in tokens):
            return None
        result = self.grammar("entries", tokens)
        if not isinstance(result, Unexpected):
            return cast("tuple[Entry, ...]", result)[0]
        span = cursor.span(tokens[0])
        if kind == TEXT:
            cursor.report(errors.string_for_word(span, "endpoints"))
        elif kind != "service-tag":
            cursor.report(errors.reserved(span, "endpoints"))
        elif cursor.begins_line(cursor.at) or cursor.kind not in {TEXT, *STATEMENT_KEYWORDS, *SIGN_WORDS}:
            cursor.report(errors.missing_tag(span))
        elif cursor.kind == TEXT:
            cursor.report(errors.string_for_word(cursor.span(cursor.take()), "service-tag"))
        else:
            cursor.report(errors.reserved(cursor.span(cursor.take()), "service-tag"))
        return None

    def unknown(self, block: Block) -> Node | None:
        """What begins here with a word that begins nothing; read as what it is a slip of, if that is a block."""
        cursor = self.cursor
        suggestion = cursor.guess(cursor.at, block.keywords)
        is_block = cursor.head_before_brace(cursor.at)
        span = cursor.span(cursor.token)
        cursor.report(errors.unknown_statement(span, block.called, block.keywords, suggestion))
        if suggestion and is_block == (suggestion in block.blocks) and (is_block or block is FILE):
            return self.member(suggestion, block)
        if is_block:
            while cursor.kind != OPEN:
                cursor.take()
            cursor.skip_block()
        else:
            cursor.skip_unknown(block.keywords)
        return None

    def misplaced(self, block: Block) -> None:
        """What begins here with a keyword of another place; a whole block is read for the mistakes in it."""
        cursor = self.cursor
        keyword = cursor.kind
        cursor.report(errors.misplaced(cursor.span(cursor.token), block.called, block.keywords))
        for container in (FILE, *CONTAINERS):
            if keyword in container.blocks and cursor.head_before_brace(cursor.at):
                self.block(keyword, container.blocks[keyword])
                return
        cursor.take()
        if block.entries:
            cursor.skip_line()
        else:
            cursor.skip_values(block.keywords)
        if cursor.kind == OPEN:
            cursor.skip_block()

    def orphans(self) -> None:
        """Statements of a block that stand at the top of the file: one mistake, however many they are."""
        cursor = self.cursor
        keyword, before = cursor.token, cursor.tokens[cursor.at - 1]
        related: tuple[Related, ...] = ()
        if cursor.at and before.kind == CLOSE:
            related = (Related(span=cursor.span(before), text="the block before it is closed here"),)
        cursor.report(errors.misplaced(cursor.span(keyword), FILE.called, FILE.keywords, related=related))
        container = next(c for c in CONTAINERS if keyword.kind in c.keywords)
        while cursor.kind in container.keywords:
            self.member(cursor.kind, container)
        if cursor.kind == CLOSE and cursor.excess < 0:
            cursor.excess += 1
            cursor.take()

    def stray(self, block: Block) -> None:
        """What can begin nothing: a string, a brace, a reserved word from inside a statement, a bad token."""
        cursor = self.cursor
        span = cursor.span(cursor.token)
        match cursor.kind:
            case "{":
                self.surplus += self.stray_braces(block)
                return
            case "string":
                cursor.report(errors.stray_string(span, block.called, block.keywords))
            case "bad":
                pass
            case _:
                cursor.report(errors.misplaced(span, block.called, block.keywords))
        cursor.take()
        cursor.skip_values(block.keywords)

    def stray_braces(self, block: Block) -> int:
        """Leave a run of opening braces behind; how many closing ones are to come for them."""
        cursor = self.cursor
        cursor.report(errors.stray_block(cursor.span(cursor.token), block.called))
        count = 0
        while cursor.kind == OPEN:
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
        if kind not in STATEMENT_KEYWORDS or cursor.excess <= 0:
            return False
        outer = FILE.keywords if len(self.columns) == 1 else (*FILE.keywords, *CONTAINERS[0].keywords)
        if kind not in outer or (block is CONTAINERS[0] and kind not in FILE.keywords):
            return False
        return not cursor.begins_line(cursor.at) or cursor.column(cursor.token) <= self.columns[-1]

    def unclosed(self, block: Block, brace: Token) -> None:
        """Report that a block is not closed before this place, unless the reason is reported already."""
        cursor = self.cursor
        at_end = cursor.kind == END
        if at_end and cursor.excess <= 0:
            return
        cursor.excess = 0 if at_end else cursor.excess - 1
        span, noticed = cursor.span(brace), cursor.span(cursor.token)
        cursor.report(errors.unclosed_block(span, block.called, noticed, at_end=at_end))
