"""The syntax tree: what one file says, word for word, before any name is looked up.

What the parser has checked already, and reports itself:

* which statement stands in which block: every ``Setting`` of a ``Policy`` is one of ``keywords.POLICY_SETTINGS``, every
  setting of a ``Rule`` one of ``keywords.RULE_SETTINGS``, every ``Binding`` one of ``policy.BINDING_KINDS``;
* where a string and where a word stands, and how many values a statement takes (the table at ``Setting``);
* that a list holds at least one value, and that no reserved word is a name or a value, save those that the table shows.

What it leaves to the resolver: missing descriptions, missing and repeated settings, what a word *is* (an endpoint, a
port, a date, a name that fits ``[a-z][a-z0-9-]{0,62}``), what a fallback may hold, and which settings contradict each
other.

A node that is ``damaged`` has lost a statement to a syntax error, which is reported already: what it holds is right,
but nobody may complain of what it lacks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from egressc.quick_init import quick_init

if TYPE_CHECKING:
    from egressc.source import Source, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment from its ``#`` to the end of its line, without white space at the end."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Comments:
    """The comments that hang on one node, so that a formatter loses none.

    In source order: ``leading`` stand before the node (each on its own line, or inside its head), ``opening`` stands
    behind its ``{``, ``closing`` stand before its ``}`` (of a file: before its end), and ``trailing`` stands behind its
    last word on the same line. Comments between the values of a list hang on the values.
    """

    leading: tuple[Comment, ...] = ()
    opening: Comment | None = None
    closing: tuple[Comment, ...] = ()
    trailing: Comment | None = None


NO_COMMENTS: Final = Comments()
"""No comments: what nearly every node shares."""


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word as it was written, case and all; what it means follows from its position."""

    text: str
    span: Span
    comments: Comments = NO_COMMENTS


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A string: ``value`` is what it says (without the quotes, ``""`` as one quote), ``span`` includes the quotes."""

    value: str
    span: Span
    comments: Comments = NO_COMMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceTag:
    """``service-tag NAME`` in a list of endpoints. ``span`` begins at ``service-tag``."""

    name: Word
    span: Span
    comments: Comments = NO_COMMENTS


Entry = Word | ServiceTag
"""An endpoint in a list; ``any-address`` is a ``Word``."""

Value = Word | Text | ServiceTag
"""What can stand behind the keyword of a setting."""


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of a policy or a rule, in source order; repeated ones are all there.

    ===================================== =======================================================================
    ``keyword.text``                      ``values``
    ===================================== =======================================================================
    ``owner`` ``reference`` ``ticket``    one ``Text``
    ``review-by`` ``expires`` ``feature`` one ``Word``
    ``from``                              one ``Word`` or more, ``any-group`` among them or not
    ``as``                                one ``Word`` or more
    ``to``                                one ``Word`` (``any-address`` too) or ``ServiceTag`` or more;
                                          ``exceptions``: the same, ``None`` without ``except``
    ``ports``                             one ``Word`` or more (a bare ``any`` too, which the resolver refuses)
    ``log``                               nothing, or the ``Word`` ``off``
    ``no-tls-inspection``                 nothing
    ``tls-inspection``                    nothing, or the ``Word`` ``may``
    ===================================== =======================================================================

    ``span`` reaches from the keyword to the last value.
    """

    keyword: Word
    values: tuple[Value, ...]
    exceptions: tuple[Entry, ...] | None = None
    span: Span
    comments: Comments = NO_COMMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """``import "FILE"``."""

    path: Text
    span: Span
    comments: Comments = NO_COMMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallback:
    """``fallback { … }`` in an endpoint set; it may be empty here, which the resolver refuses."""

    entries: tuple[Entry, ...]
    span: Span
    comments: Comments = NO_COMMENTS
    damaged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """``endpoints NAME "…" { … }``. ``entries`` and ``fallbacks`` are each in source order; both may be empty."""

    name: Word
    description: Text | None
    entries: tuple[Entry, ...]
    fallbacks: tuple[Fallback, ...]
    span: Span
    comments: Comments = NO_COMMENTS
    damaged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What an account is called on a platform: a binding kind and one value or more (words or strings)."""

    kind: Word
    values: tuple[Word | Text, ...]
    span: Span
    comments: Comments = NO_COMMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """``service-account NAME "…" { … }``; a kind may repeat, and there may be no binding at all."""

    name: Word
    description: Text | None
    bindings: tuple[Binding, ...]
    span: Span
    comments: Comments = NO_COMMENTS
    damaged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """``parameter NAME [labels] "…"``."""

    name: Word
    labels: bool
    description: Text | None
    span: Span
    comments: Comments = NO_COMMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """``include NAME`` in a policy."""

    name: Word
    span: Span
    comments: Comments = NO_COMMENTS


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``allow NAME "…" { … }`` or ``deny NAME "…" { … }``. ``span`` reaches from the action to the closing brace."""

    action: Literal["allow", "deny"]
    name: Word
    description: Text | None
    settings: tuple[Setting, ...]
    span: Span
    comments: Comments = NO_COMMENTS
    damaged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """``policy NAME "…" { … }`` or ``template policy NAME "…" { … }``.

    ``settings``, ``includes`` and ``rules`` are each in source order; their order among each other is that of the
    spans. ``damaged`` speaks of the policy's own settings and members; a damaged rule is marked itself.
    """

    template: bool
    name: Word
    description: Text | None
    settings: tuple[Setting, ...]
    includes: tuple[Include, ...]
    rules: tuple[Rule, ...]
    span: Span
    comments: Comments = NO_COMMENTS
    damaged: bool = False


Item = Import | Endpoints | ServiceAccount | Parameter | Policy
"""What a file consists of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file: its items in source order.

    ``damaged`` says that an item was lost to a syntax error without its name being known: a name that is not found here
    may have been declared, so nobody may call it unknown.
    """

    source: Source
    items: tuple[Item, ...]
    span: Span
    comments: Comments = NO_COMMENTS
    damaged: bool = False
