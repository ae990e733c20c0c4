"""YAML with positions: reads a file into located values. The only module that imports yaml.

What YAML 1.1 would turn into something else stays what was written: only ``true``, ``false``, ``null``, decimal numbers
without leading zeros, and simple fractions are no text. ``yes``, ``off``, ``010``, ``1:20``, ``2027-01-01`` are text.
Duplicate keys, merge keys, tags, a second document and aliases that grow without bound are errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

import yaml

from egressc.diagnostics import Diagnostic, Related
from egressc.located_problems import Reading, span_at, syntax_problem
from egressc.located_value import Located, Plain
from egressc.read_source import read_source
from egressc.source import Span
from egressc.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from egressc.source import Source

__all__ = ["MAX_ALIASED", "MAX_DEPTH", "Located", "Plain", "parse", "source_of"]

MAX_DEPTH: Final = 32
"""How deep lists and mappings may nest; no file that egressc reads needs more than eight levels."""

MAX_ALIASED: Final = 100_000
"""How many values aliases may add to those that are written."""

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]{1,2})?|[-+]?\.[0-9]+|[-+]?[0-9]+[eE][-+]?[0-9]{1,2}")
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_BAD_ESCAPE = re.compile(r"\\U(?!0010|000[0-9A-Fa-f])[0-9A-Fa-f]{8}")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]|\r(?!\n)")
"""What is no printable character, and what ends a line to YAML and not to an editor (``_BREAKS``)."""

_BREAKS: Final = frozenset("\r\x85\u2028\u2029")


def source_of(name: str, data: bytes, shown: str | None = None) -> tuple[Source | None, tuple[Diagnostic, ...]]:
    """The source of a YAML file, without its byte order mark, or an error where it is not UTF-8."""
    source = read_source(data, name=name, shown=shown)
    return (None, (source,)) if isinstance(source, Diagnostic) else (source, ())


def parse(source: Source) -> tuple[Located | None, tuple[Diagnostic, ...]]:
    """The mapping that a YAML file holds, with positions, and what is wrong with it.

    With errors that leave the rest readable (a duplicate key) there is a value without the wrong entry; else ``None``.
    """
    forbidden = _FORBIDDEN.search(source.text)
    if forbidden is not None:
        wrong = Diagnostic(
            code="E0402",
            message=f"character U+{ord(forbidden[0]):04X} cannot stand in this file",
            span=Span(source, forbidden.start(), forbidden.end()),
            label="ends a line to YAML only" if forbidden[0] in _BREAKS else "not a printable character",
            help="remove it",
        )
        return None, (wrong,)
    # libyaml is twenty times faster and gives the same positions, but says less about errors and refuses a little more:
    # where it stops, the Python parser has the last word.
    fast = getattr(yaml, "CSafeLoader", None)
    if fast is not None:
        try:
            return _Builder(source).run(yaml.parse(source.text, Loader=fast))
        except yaml.YAMLError:
            pass
    builder = _Builder(source)
    problem, context, at, context_at = "", "", 0, None
    try:
        return builder.run(yaml.parse(source.text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        problem, context = error.problem or problem, error.context or ""
        at = len(source.text) if error.problem_mark is None else error.problem_mark.index
        context_at = None if error.context_mark is None else error.context_mark.index
    except (yaml.YAMLError, ValueError, OverflowError):  # an escape such as "\UFFFFFFFF" makes the parser itself fail
        problem = "an escape makes no character"
        escape = _BAD_ESCAPE.search(source.text)
        at = 0 if escape is None else escape.start()
    wrong = syntax_problem(source, problem, context, at, context_at, builder.reading())
    return None, (*builder.diagnostics, wrong)


class _StopError(Exception):
    """Nothing after this point can be read."""


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is being read.

    ``pending`` is a key that waits for its value; its name is ``None`` when the entry is to be left out. ``size``
    counts the values in it, those that aliases stand for included.
    """

    is_mapping: bool
    is_flow: bool
    start: int
    end: int
    anchor: str | None
    value: Plain
    children: dict[str | int, Located] = field(default_factory=dict)
    pending: tuple[str | None, Span] | None = None
    merging: bool = False
    merged: list[Located] = field(default_factory=list)
    size: int = 1


class _Builder:
    """Turns YAML events into located values, without recursion."""

    def __init__(self, source: Source) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._source = source
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Located, int]] = {}
        self._open: set[str] = set()
        self._written = 0
        self._quoted: tuple[int, int] | None = None
        self._root: Located | None = None

    def run(self, events: Iterable[object]) -> tuple[Located | None, tuple[Diagnostic, ...]]:
        """The value that the events make, and what is wrong with it."""
        documents = 0
        try:
            for event in events:
                if isinstance(event, yaml.DocumentStartEvent):
                    documents += 1
                    if documents > 1:
                        self._stop("E0404", "a second document begins here", event, "one file holds one document")
                elif isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
                    self._event(event)
        except _StopError:
            return None, tuple(self.diagnostics)
        return self._checked(), tuple(self.diagnostics)

    def reading(self) -> Reading:
        """How far the reading has come: the open brackets, and the last text in quotes."""
        brackets = tuple((frame.start, max(frame.end, frame.start + 1)) for frame in self._stack if frame.is_flow)
        return Reading(brackets, self._quoted)

    def _checked(self) -> Located | None:
        root = self._root
        if root is not None and isinstance(root.value, dict):
            return root
        if root is None or root.value is None:
            message, span = "the file holds nothing", Span(self._source, 0, min(1, len(self._source.text)))
        else:
            message, span = "the file does not hold keys and values", root.span
        self._report("E0403", message, span, help_text="write `KEY: VALUE` lines")
        return None

    def _event(self, event: object) -> None:
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.SequenceStartEvent():
                self._start(event, is_mapping=False)
            case yaml.MappingStartEvent():
                self._start(event, is_mapping=True)
            case yaml.CollectionEndEvent():
                self._finish(event)
            case yaml.AliasEvent():
                self._alias(event)
            case _:
                pass

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        span = self._span(event)
        tag = event.tag
        if tag not in {None, "!", "tag:yaml.org,2002:str"}:
            self._tag(event)
        is_plain = tag is None and event.implicit[0]
        if event.style in {"'", '"'}:
            self._quoted = _marks(event)
        self._written += 1
        if self._wants_key():
            self._key(event.value, span, is_plain=is_plain)
            return
        value = _plain(event.value) if is_plain else self._unescaped(event.value, span)
        if event.anchor:
            self._anchor(event.anchor, Located(value, span), 1, span)
        self._attach(value, span, {}, 1)

    def _unescaped(self, text: str, span: Span) -> str:
        """A text in quotes: as the escapes in it make it, unless they make what could not be written without them."""
        wrong = _FORBIDDEN.search(text)
        if wrong is None:
            return text
        self._report(
            "E0402",
            f"an escape makes character U+{ord(wrong[0]):04X} of this",
            span,
            help_text="in double quotes a backslash begins an escape: use single quotes",
        )
        return span.text[1:-1]

    def _tag(self, event: yaml.NodeEvent) -> None:
        span = self._span(event)
        written = re.search(r"!\S*", span.text)
        if written is not None:
            span = span.part(*written.span())
        self._report("E0406", f"tag `{span.text}` means nothing here", span, help_text="leave the tag out")

    def _start(self, event: yaml.CollectionStartEvent, *, is_mapping: bool) -> None:
        kind = "tag:yaml.org,2002:map" if is_mapping else "tag:yaml.org,2002:seq"
        if event.tag not in {None, "!", kind}:
            self._tag(event)
        if len(self._stack) >= MAX_DEPTH:
            self._stop("E0407", f"more than {MAX_DEPTH} levels of lists and mappings", event, "flatten it")
        if event.anchor:
            if event.anchor in self._anchors or event.anchor in self._open:
                self._stop("E0405", f"anchor `{event.anchor}` is defined twice", event, "give each its own name")
            self._open.add(event.anchor)
        self._written += 1
        start, end = _marks(event)
        value: Plain = {} if is_mapping else []
        self._stack.append(_Frame(is_mapping, bool(event.flow_style), start, end, event.anchor, value))

    def _finish(self, event: yaml.CollectionEndEvent) -> None:
        frame = self._stack.pop()
        _merge(frame)
        end = _marks(event)[1] if frame.is_flow else frame.end
        span = Span(self._source, frame.start, end)
        if frame.size > self._written + MAX_ALIASED:
            self._stop("E0405", "aliases make this too large", event, "write the values out", span)
        if frame.anchor:
            self._open.discard(frame.anchor)
            self._anchor(frame.anchor, Located(frame.value, span, None, frame.children), frame.size, span)
        if self._wants_key():
            self._report("E0408", "a key must be a word", span, help_text="a list or mapping cannot be a key")
            self._stack[-1].pending = (None, span)
            return
        self._attach(frame.value, span, frame.children, frame.size)

    def _alias(self, event: yaml.AliasEvent) -> None:
        name = event.anchor or ""
        if name in self._open:
            self._stop("E0405", f"`*{name}` stands inside what it stands for", event, "write the value out")
        known = self._anchors.get(name)
        if known is None:
            near = nearest(name, sorted(self._anchors))
            hint = f"did you mean `*{near}`?" if near else "a value that begins with `*` must be in quotes"
            self._stop("E0405", f"nothing is anchored as `&{name}`", event, hint)
        node, size = known
        span = self._span(event)
        if self._wants_key():
            self._key(node.value if isinstance(node.value, str) else "", span, is_plain=True)
            return
        self._attach(node.value, span, node.children, size)

    def _wants_key(self) -> bool:
        return bool(self._stack) and self._stack[-1].is_mapping and self._stack[-1].pending is None

    def _key(self, text: str, span: Span, *, is_plain: bool) -> None:
        frame = self._stack[-1]
        frame.end = span.end
        frame.pending = (None, span)
        if is_plain and text in {"", "~"}:
            self._report("E0408", "a key must be a word", span, help_text="write `KEY: VALUE`")
        elif is_plain and text == "<<":
            self._report("E0409", "merge keys are not supported", span, help_text="write the keys out")
            frame.merging = True  # what it brings in still counts as being there: one mistake, one message
        elif text in frame.children:
            first = frame.children[text].key_span
            assert first is not None
            self._report(
                "E0401",
                f"key `{text if text.isprintable() else ascii(text)[1:-1]}` stands twice",
                span,
                label="the second time",
                help_text="remove one of the two, or merge them",
                related=(Related(span=first, text="the first time"),),
            )
        else:
            frame.pending = (text, span)

    def _attach(self, value: Plain, span: Span, children: Mapping[str | int, Located], size: int) -> None:
        if not self._stack:
            self._root = Located(value, span, None, children)
            return
        frame = self._stack[-1]
        frame.size += size
        frame.end = max(frame.end, span.end)
        if isinstance(frame.value, list):
            frame.children[len(frame.value)] = Located(value, span, None, children)
            frame.value.append(value)
            return
        assert isinstance(frame.value, dict)
        assert frame.pending is not None
        key, key_span = frame.pending
        frame.pending = None
        if frame.merging:
            frame.merging = False
            frame.merged.append(Located(value, span, key_span, children))
        if key is not None:
            shown = span if span.start < span.end else key_span  # a value that is left out has no text of its own
            frame.children[key] = Located(value, shown, key_span, children)
            frame.value[key] = value

    def _anchor(self, name: str, node: Located, size: int, span: Span) -> None:
        if name in self._anchors:
            self._report("E0405", f"anchor `{name}` is defined twice", span, help_text="give each its own name")
        self._anchors[name] = (node, size)

    def _span(self, event: yaml.Event) -> Span:
        start, end = _marks(event)
        if start < end:
            return Span(self._source, start, end)
        if self._stack and self._stack[-1].is_mapping and self._stack[-1].pending is not None:
            return Span(self._source, start, end)  # a value that is left out: `_attach` shows the key instead
        if self._wants_key():
            return span_at(self._source, max(self._source.text.find(":", start), 0))
        return span_at(self._source, start - 1 if self._stack else start)

    def _report(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        label: str = "",
        help_text: str = "",
        related: tuple[Related, ...] = (),
    ) -> None:
        self.diagnostics.append(
            Diagnostic(code=code, message=message, span=span, label=label, help=help_text, related=related)
        )

    def _stop(self, code: str, message: str, event: yaml.Event, help_text: str, span: Span | None = None) -> NoReturn:
        self._report(code, message, span or self._span(event), help_text=help_text)
        raise _StopError


def _merge(frame: _Frame) -> None:
    """Adds to a mapping what its merge keys bring in and it does not have."""
    for node in frame.merged:
        for mapping in node.elements() or (node,):
            for key, child in mapping.entries():
                if key not in frame.children and isinstance(frame.value, dict):
                    frame.children[key] = child
                    frame.value[key] = child.value


def _marks(event: yaml.Event) -> tuple[int, int]:
    """The offsets at which an event begins and ends; the parsers always give them."""
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index


def _plain(text: str) -> Plain:
    """What an unquoted word means."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and len(text) < 300:
        return float(text)
    return text
