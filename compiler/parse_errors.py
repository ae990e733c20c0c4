"""The diagnostics for statements that stand in the wrong shape: what was found, what is valid there, what is near."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egressc.diagnostics import Diagnostic, Related
from egressc.keywords import SIGN_WORDS
from egressc.parse_shape import PLACES, TAKES
from egressc.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.parse_shape import Block
    from egressc.source import Span

_LONGEST_NAME: Final = 63
_LONGEST_SHOWN: Final = 60
"""A word longer than this is cut in a message; the span shows all of it."""

_INSTEAD: Final = {
    ("any", "from"): "write `any-group` for every group",
    ("any-address", "from"): "write `any-group` for every group",
    ("any", "to"): "write `any-address` for every destination address",
    ("any-group", "to"): "write `any-address` for every destination address",
    ("any", "endpoint"): "write `any-address` for every destination address",
    ("any-group", "endpoint"): "write `any-address` for every destination address",
    ("any", "as"): "leave `as` out: without it a rule holds for any account",
    ("any-group", "as"): "leave `as` out: without it a rule holds for any account",
    ("any-address", "as"): "leave `as` out: without it a rule holds for any account",
    ("any-group", "ports"): "write `any/tcp`, `any/udp`, `any/https` …",
    ("any-address", "ports"): "write `any/tcp`, `any/udp`, `any/https` …",
    ("off", "no-tls-inspection"): "write `tls-inspection may` to undo a default",
    ("off", "tls-inspection"): "write `tls-inspection may` to undo a default",
    ("may", "no-tls-inspection"): "write `tls-inspection may` to undo a default",
}


def near(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that a word is a slip of, or ``None``; a word too long to be a name is never one."""
    return nearest(word, candidates) if len(word) <= _LONGEST_NAME else None


def shown(word: str) -> str:
    """A word as it stands in a message."""
    return f"`{word if len(word) <= _LONGEST_SHOWN else word[:_LONGEST_SHOWN] + '…'}`"


def unknown_statement(span: Span, block: Block, suggestion: str | None) -> Diagnostic:
    """A word that begins nothing in the block where it stands."""
    return Diagnostic(
        code="E0106",
        message=f"{shown(span.text)} is no {_statement(block)}",
        span=span,
        label="begins nothing that may stand here",
        help=f"did you mean `{suggestion}`?" if suggestion else _valid(block),
    )


def misplaced(span: Span, block: Block, *, related: tuple[Related, ...] = ()) -> Diagnostic:
    """A reserved word that stands in another kind of block, or in none."""
    text = span.text
    place = "at the top of a file" if block.called == "a file" else f"in {block.called}"
    return Diagnostic(
        code="E0107",
        message=f"`{text}` does not stand {place}",
        span=span,
        label=f"no {_statement(block)}",
        help=f"it stands {PLACES[text]}; {_valid(block)}" if text in PLACES else _valid(block),
        related=related,
    )


def _statement(block: Block) -> str:
    return "item of a file" if block.called == "a file" else f"statement of {block.called}"


def _valid(block: Block) -> str:
    return f"what may stand here: {block.valid}" if block.valid else "nothing may stand here"


def missing_value(span: Span, keyword: str) -> Diagnostic:
    """A statement without what it takes."""
    takes = TAKES[keyword]
    message = f"`{keyword}` lists no {takes.one}" if takes.many else f"`{keyword}` lacks its {takes.one}"
    help_text = f"write `{takes.example}`"
    if takes.many and keyword == "from":
        help_text += "; an empty list never means every group"
    return Diagnostic(
        code="E0108",
        message=message,
        span=span,
        label=f"expected {_article(takes.one)} behind this",
        help=help_text,
    )


def missing_tag(span: Span) -> Diagnostic:
    """A ``service-tag`` without a name."""
    return Diagnostic(
        code="E0108",
        message="`service-tag` lacks its name",
        span=span,
        label="expected the name of a tag behind this",
        help="write `service-tag NAME`, such as `service-tag AzureMonitor`",
    )


def missing_exceptions(span: Span) -> Diagnostic:
    """An ``except`` without endpoints."""
    return Diagnostic(
        code="E0108",
        message="`except` lists no endpoint",
        span=span,
        label="expected an endpoint behind this",
        help="write what is excepted, or take `except` out",
    )


def reserved(span: Span, keyword: str) -> Diagnostic:
    """A reserved word in the place of a name or a value of the statement ``keyword``."""
    text = span.text
    instead = _INSTEAD.get((text, keyword), "")
    if not instead:
        takes = TAKES.get(keyword)
        if text == "except":
            instead = "`except` stands once, at the end of a `to` list"
        elif text == "service-tag":
            instead = "a service tag stands in `to` lists, endpoint sets and fallbacks"
        elif takes is not None and takes.one == "value":
            instead = f'write it as a string: `{keyword} "{text}"`'
        elif takes is not None and takes.one == "nothing":
            instead = f"write `{takes.example}`"
        else:
            instead = "choose another name"
    return Diagnostic(
        code="E0109",
        message=f"`{text}` is a reserved word",
        span=span,
        label=_reserved_label(text, keyword),
        help=instead,
    )


def _reserved_label(text: str, keyword: str) -> str:
    takes = TAKES.get(keyword)
    if text in SIGN_WORDS and text in {"except", "service-tag"}:
        return "does not stand here"
    if takes is None or takes.one == "nothing":
        return "does not stand here"
    return f"cannot be {_article(takes.one)}"


def string_for_word(span: Span, keyword: str) -> Diagnostic:
    """A string where a word belongs."""
    takes = TAKES.get(keyword)
    inner = span.text[1:-1]
    plain = bool(inner) and not any(c.isspace() or c in '{}"' for c in inner) and not inner.startswith("#")
    noun = takes.one if takes else "endpoint"
    return Diagnostic(
        code="E0110",
        message=f"a string stands where {_article(noun)} belongs",
        span=span,
        label=f"{_article(noun)} is a word, without quotes",
        help=f"write `{inner}`" if plain and len(inner) <= _LONGEST_SHOWN else f"write {_example(keyword)}",
    )


def word_for_string(span: Span, keyword: str, noun: str = "string") -> Diagnostic:
    """A word, or several, where a string belongs."""
    text = " ".join(span.text.split())
    short = len(text) <= _LONGEST_SHOWN and '"' not in text
    return Diagnostic(
        code="E0111",
        message=f"{shown(span.text.split()[0])} stands where a {noun} belongs",
        span=span,
        label="expected a string in quotes",
        help=f'write `"{text}"`' if short else f"write {_example(keyword)}",
    )


def too_many(span: Span, keyword: str) -> Diagnostic:
    """More behind a statement than it takes."""
    takes = TAKES[keyword]
    message = f"`{keyword}` takes nothing behind it"
    if keyword == "log":
        message = "`log` takes nothing behind it but `off`"
    elif keyword == "tls-inspection":
        message = "`tls-inspection` takes nothing behind it but `may`"
    elif takes.one != "nothing":
        message = f"`{keyword}` takes one {takes.one}"
    return Diagnostic(
        code="E0112",
        message=message,
        span=span,
        label="one too many" if takes.one != "nothing" else "does not belong here",
        help=f"write {_example(keyword)}",
    )


def too_many_in_head(span: Span, keyword: str) -> Diagnostic:
    """More in the head of a block than a name and a description."""
    return Diagnostic(
        code="E0112",
        message=f"the head of {_article(_noun(keyword))} holds more than a name and a description",
        span=span,
        label="one too many",
        help=f"write {_example(keyword)}",
    )


def missing_block(span: Span, called: str, keyword: str) -> Diagnostic:
    """A head without its block; ``called`` is "a policy" or the like."""
    return Diagnostic(
        code="E0113",
        message=f"{called} lacks its block",
        span=span,
        label="expected `{` behind this",
        help=f"write {_example(keyword)}",
    )


def block_of_statement(span: Span, keyword: str) -> Diagnostic:
    """A block behind a statement that has none."""
    takes = TAKES[keyword]
    return Diagnostic(
        code="E0114",
        message=f"`{keyword}` has no block",
        span=span,
        label="begins no block here",
        help=f"write {_example(keyword)}" + ("; values stand side by side, without braces" if takes.many else ""),
    )


def stray_block(span: Span) -> Diagnostic:
    """A block that belongs to nothing."""
    return Diagnostic(
        code="E0114",
        message="a block belongs to no statement",
        span=span,
        label="no head stands before it",
        help="take the brace out, or write what the block is, and its name, before it",
    )


def unclosed_block(span: Span, called: str, noticed: Span, *, at_end: bool) -> Diagnostic:
    """A block without its closing brace; ``span`` is its opening brace."""
    return Diagnostic(
        code="E0104",
        message=f"the block of {called} is not closed",
        span=span,
        label="opened here",
        help="write `}` where it ends",
        related=(Related(span=noticed, text="the file ends here" if at_end else "it should be closed before this"),),
    )


def stray_brace(span: Span) -> Diagnostic:
    """A closing brace that closes nothing."""
    return Diagnostic(
        code="E0105",
        message="a `}` closes no block",
        span=span,
        label="nothing is open here",
        help="take it out, or look for a `}` too many before it",
    )


def stray_string(span: Span, block: Block) -> Diagnostic:
    """A string where a statement should begin."""
    return Diagnostic(
        code="E0116",
        message="a string stands where a statement begins",
        span=span,
        label="belongs to no statement",
        help=_valid(block),
    )


def unexpected(span: Span, expected: str, help_text: str) -> Diagnostic:
    """Anything else that stands where it should not."""
    return Diagnostic(
        code="E0116",
        message=f"{shown(span.text)} stands where it does not belong",
        span=span,
        label=f"expected {expected}",
        help=help_text,
    )


def too_many_errors(span: Span, limit: int) -> Diagnostic:
    """The last diagnostic of a file that has too many."""
    return Diagnostic(
        code="E0117",
        message=f"the file has {limit} syntax errors or more",
        span=span,
        label="not read from here on",
        help="mend the first ones, or look whether this is a policy at all",
    )


def _example(keyword: str) -> str:
    return f"`{TAKES[keyword].example}`"


def _noun(keyword: str) -> str:
    match keyword:
        case "allow" | "deny":
            return "rule"
        case "endpoints":
            return "endpoint set"
        case "template":
            return "policy"
        case _:
            return keyword.replace("-", " ")


def _article(noun: str) -> str:
    if noun.startswith("`") or noun == "nothing":
        return noun
    return f"an {noun}" if noun[0] in "aeio" else f"a {noun}"
