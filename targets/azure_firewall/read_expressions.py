"""Template expressions: text to tree to value (template-expressions.md, "Syntax" and "Escape or configure").

What cannot be evaluated is an ``Unknown`` with the reason in words, never an error: only whoever needs the value knows
what that means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from egressc.meaning import UnreadableError
from egressc.targets.azure_firewall.read_functions import FUNCTIONS, NotSayableError, property_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|(-?[0-9]{1,18})(?![0-9.])|([A-Za-z_][A-Za-z0-9_]*)|([().,\[\]]))")
_DEEPEST = 60
"""How deep an expression may be nested; no program writes more."""
_MOST = 20_000_000
"""What all functions of one template may make together, in characters and elements: expressions can double values."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is not known, and why."""

    reason: str


class Scope(Protocol):
    """What an expression may refer to."""

    def parameter(self, name: str) -> Any:
        """The value of a parameter."""

    def variable(self, name: str) -> Any:
        """The value of a variable."""

    def index(self, loop: str) -> Any:
        """The number of the current copy of a loop; of the innermost one for an empty name."""


class Budget:
    """What may still be made."""

    def __init__(self) -> None:
        self.left = _MOST

    def spend(self, amount: int) -> None:
        """Raises ``UnreadableError`` when the template has made too much."""
        self.left -= amount
        if self.left < 0:
            raise UnreadableError("the expressions of the template make more than a template can hold")

    def weigh(self, value: Any) -> None:
        """Spend what a value holds, all parts of it counted."""
        held = [value]
        while held:
            each = held.pop()
            self.spend(1 + (len(each) if isinstance(each, str) else 0))
            if isinstance(each, list):
                held.extend(each)
            elif isinstance(each, dict):
                held.extend(each.values())


# A tree is a value of JSON in a tuple, or a call, or the property of a tree.
_Tree = tuple[str, Any, tuple[Any, ...]]


def evaluate(text: str, scope: Scope, budget: Budget) -> Any:
    """The value of an expression, brackets included."""
    try:
        parser = _Parser(text[1:-1])
        tree = parser.expression(0)
        parser.end()
    except NotSayableError as error:
        return Unknown(f"the expression `{_short(text)}` cannot be read: {error}")
    try:
        return _value(tree, scope, budget)
    except NotSayableError as error:
        return Unknown(f"the expression `{_short(text)}` has no value here: {error}")


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) and self._tokens[self._at][0] == "mark" else ""

    def _next(self) -> tuple[str, Any]:
        if self._at == len(self._tokens):
            raise NotSayableError("it ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, mark: str) -> None:
        if self._next() != ("mark", mark):
            raise NotSayableError(f"`{mark}` is missing")

    def end(self) -> None:
        if self._at != len(self._tokens):
            raise NotSayableError("it does not end where it should")

    def expression(self, depth: int) -> _Tree:
        if depth > _DEEPEST:
            raise NotSayableError("it is nested too deeply")
        kind, held = self._next()
        tree: _Tree
        if kind == "value":
            tree = ("value", held, ())
        elif kind == "name":
            self._expect("(")
            arguments: list[_Tree] = []
            while self._peek() != ")":
                if arguments:
                    self._expect(",")
                arguments.append(self.expression(depth + 1))
            self._expect(")")
            tree = ("call", held.lower(), tuple(arguments))
        else:
            raise NotSayableError(f"`{held}` stands where a value should")
        steps = 0
        while self._peek() in {".", "["}:
            steps += 1
            if steps > _DEEPEST:
                raise NotSayableError("it is nested too deeply")
            if self._next()[1] == ".":
                kind, name = self._next()
                if kind != "name":
                    raise NotSayableError("the name of a property is missing")
                tree = ("property", tree, (("value", name, ()),))
            else:
                tree = ("property", tree, (self.expression(depth + 1),))
                self._expect("]")
        return tree


def _tokens(text: str) -> Iterator[tuple[str, Any]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise NotSayableError(f"`{text[at : at + 10]}` is not understood")
        at = found.end()
        literal, number, name, mark = found.groups()
        if literal is not None:
            yield "value", literal.replace("''", "'")
        elif number is not None:
            yield "value", int(number)
        elif name is not None:
            yield "name", name
        else:
            yield "mark", mark


def _value(tree: _Tree, scope: Scope, budget: Budget) -> Any:
    kind, held, arguments = tree
    if kind == "value":
        return held
    if kind == "property":
        whole = _value(held, scope, budget)
        key = _value(arguments[0], scope, budget)
        for part in (whole, key):
            if isinstance(part, Unknown):
                return part
        return property_of(whole, key)
    if held in _LAZY:
        return _LAZY[held](arguments, scope, budget)
    values = [_value(argument, scope, budget) for argument in arguments]
    for each in values:
        if isinstance(each, Unknown):
            return each
    if held in {"parameters", "variables"}:
        (name,) = values if len(values) == 1 else (None,)
        if not isinstance(name, str):
            raise NotSayableError(f"`{held}` takes one name")
        return scope.parameter(name) if held == "parameters" else scope.variable(name)
    if held == "copyindex":
        return _copy_index(values, scope)
    return _called(held, values, budget)


def _called(name: str, values: list[Any], budget: Budget) -> Any:
    function = FUNCTIONS.get(name)
    if function is None:
        raise NotSayableError(f"only a deployment, or nobody, knows what `{name}` gives")
    if name in {"string", "equals", "union", "contains", "concat", "join", "format"}:
        for each in values:
            if isinstance(each, dict | list):
                budget.weigh(each)
    budget.spend(_made_at_most(name, values))
    try:
        result = function(*values)
    except TypeError:
        raise NotSayableError(f"`{name}` was given the wrong arguments") from None
    budget.spend(1 + (len(result) if isinstance(result, str | list | dict) else 0))
    return result


def _made_at_most(name: str, values: list[Any]) -> int:
    """What the functions make that repeat one of their arguments; to be spent before it is made."""
    texts = [each for each in values if isinstance(each, str)]
    if name == "replace" and len(texts) == 3 and texts[1]:
        return texts[0].count(texts[1]) * len(texts[2])
    if name == "format" and texts:
        return texts[0].count("{") * max([len(each) for each in texts[1:]], default=0)
    if name == "join" and len(values) == 2 and isinstance(values[0], list) and texts:
        return len(values[0]) * len(texts[0])
    return 0


def _copy_index(values: list[Any], scope: Scope) -> Any:
    loop = values[0] if values and isinstance(values[0], str) else ""
    offset = values[-1] if values and type(values[-1]) is int else 0
    number = scope.index(loop)
    return number if isinstance(number, Unknown) else number + offset


def _if(arguments: tuple[_Tree, ...], scope: Scope, budget: Budget) -> Any:
    if len(arguments) != 3:
        raise NotSayableError("`if` takes three arguments")
    test = _value(arguments[0], scope, budget)
    if isinstance(test, Unknown):
        return test
    if not isinstance(test, bool):
        raise NotSayableError("`if` takes true or false")
    return _value(arguments[1 if test else 2], scope, budget)


def _all_or_any(arguments: tuple[_Tree, ...], scope: Scope, budget: Budget, *, decides: bool) -> Any:
    unknown = None
    for argument in arguments:
        each = _value(argument, scope, budget)
        if isinstance(each, Unknown):
            unknown = each
        elif not isinstance(each, bool):
            raise NotSayableError("`and` and `or` take true or false")
        elif each is decides:
            return decides
    return unknown if unknown is not None else not decides


def _coalesce(arguments: tuple[_Tree, ...], scope: Scope, budget: Budget) -> Any:
    for argument in arguments:
        each = _value(argument, scope, budget)
        if each is not None:
            return each
    return None


_LAZY = {
    "if": _if,
    "and": lambda a, s, b: _all_or_any(a, s, b, decides=False),
    "or": lambda a, s, b: _all_or_any(a, s, b, decides=True),
    "coalesce": _coalesce,
}
"""The functions that do not ask for all of their arguments."""
