"""Deployment templates: their resources with every expression replaced by its value (template-syntax.md).

Copies of resources and properties are made (copy-resources.md, copy-properties.md), nested resources and nested
deployments followed, and what a false ``condition`` keeps out is left out. A value that only a deployment knows stays
an ``Unknown`` in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from egressc.meaning import UnreadableError
from egressc.targets.azure_firewall.read_expressions import Budget, Unknown, evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST_COPIES = 10_000
"""The most copies that are made of anything; Resource Manager makes 800 (copy-resources.md)."""
_DEPLOYMENTS = "microsoft.resources/deployments"
_BEING_WORKED_OUT = Unknown("it refers to itself")


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a template: its type in lower case, its whole name, its body, and why it may not be there."""

    type: str
    name: str
    body: dict[str, Any]
    doubt: str = ""


def resources_of(template: dict[str, Any], given: Mapping[str, Any], file: str) -> tuple[Resource, ...]:
    """The resources of a template. ``given`` are parameters of a parameter file, by name in lower case."""
    return tuple(_Template(template, given, file, Budget()).resources())


class _Template:
    """A template as the scope of its expressions. Everything is worked out once, when it is first asked for."""

    def __init__(self, template: dict[str, Any], given: Mapping[str, Any], file: str, budget: Budget) -> None:
        self._file = file
        self._budget = budget
        self._parameters = _object(template, "parameters", file)
        self._variables = _object(template, "variables", file)
        self._resources = _get(template, "resources")
        self._known_parameters: dict[str, Any] = dict(given)
        self._known_variables: dict[str, Any] = {}
        self._loops: list[tuple[str, int]] = []
        self._memory: dict[str, Any] = {}
        self._defined = {name.lower(): each for name, each in self._parameters.items()}
        self._written = {name.lower(): each for name, each in self._variables.items() if name.lower() != "copy"}
        for each in _list(_get(self._variables, "copy"), "copy", file):
            if isinstance(each, dict) and isinstance(each.get("name"), str):
                self._written[each["name"].lower()] = {"copy": [each]}
        self._looped = {
            each["name"].lower()
            for each in _list(_get(self._variables, "copy"), "copy", file)
            if isinstance(each, dict) and isinstance(each.get("name"), str)
        }

    # -- what expressions refer to

    def parameter(self, name: str) -> Any:
        """The value of a parameter: what was given, or its default."""
        key = name.lower()
        if key not in self._known_parameters:
            definition = self._defined.get(key)
            if not isinstance(definition, dict):
                return Unknown(f"there is no parameter `{name}`")
            if "defaultValue" not in definition:
                return Unknown(f"the parameter `{name}` has no value: give the parameter file, too")
            self._known_parameters[key] = _BEING_WORKED_OUT
            self._known_parameters[key] = self._alone(definition["defaultValue"])
        return self._known_parameters[key]

    def variable(self, name: str) -> Any:
        """The value of a variable."""
        key = name.lower()
        if key not in self._known_variables:
            if key not in self._written:
                return Unknown(f"there is no variable `{name}`")
            self._known_variables[key] = _BEING_WORKED_OUT
            value = self._alone(self._written[key])
            if key in self._looped and isinstance(value, dict):
                value = next(iter(value.values()), Unknown(f"the loop of the variable `{name}` is not understood"))
            self._known_variables[key] = value
        return self._known_variables[key]

    def index(self, loop: str) -> Any:
        """The number of the current copy."""
        for name, number in reversed(self._loops):
            if not loop or name == loop.lower():
                return number
        return Unknown(f"there is no loop `{loop}` here")

    def _alone(self, node: Any) -> Any:
        """The value of what stands outside all loops."""
        loops, self._loops = self._loops, []
        try:
            return self.settled(node)
        finally:
            self._loops = loops

    # -- values

    def settled(self, node: Any) -> Any:
        """The node with its expressions replaced by their values; the same object where there are none."""
        kind = type(node)
        if kind is str:
            if node[:1] != "[" or node[-1:] != "]":
                return node
            return node[1:] if node[1:2] == "[" else self._expression(node)
        if kind is list:
            items = [self.settled(item) for item in node]
            return items if any(a is not b for a, b in zip(items, node, strict=True)) else node
        if kind is dict:
            if type(node.get("copy")) is list and all(_is_loop(each) for each in node["copy"]):
                return self._with_copies(node)
            changed = None
            for key, value in node.items():
                new = self.settled(value)
                if new is not value:
                    changed = dict(node) if changed is None else changed
                    changed[key] = new
            return node if changed is None else changed
        return node

    def _expression(self, text: str) -> Any:
        if self._loops:
            return evaluate(text, self, self._budget)
        if text not in self._memory:
            self._memory[text] = evaluate(text, self, self._budget)
        return self._memory[text]

    def _with_copies(self, node: dict[str, Any]) -> dict[str, Any]:
        """An object with the arrays that its ``copy`` stands for."""
        result = {key: self.settled(value) for key, value in node.items() if key != "copy"}
        for loop in node["copy"]:
            name = loop["name"]
            result[name] = self._copies(loop, name)
        return result

    def _copies(self, loop: dict[str, Any], name: str) -> Any:
        count = self._count(loop)
        if isinstance(count, Unknown):
            return count
        values = []
        for number in range(count):
            self._loops.append((name.lower(), number))
            values.append(self.settled(loop.get("input")))
            self._budget.spend(1)
            self._loops.pop()
        return values

    def _count(self, loop: dict[str, Any]) -> Any:
        count = self.settled(loop.get("count"))
        if isinstance(count, Unknown):
            return count
        if type(count) is not int or not 0 <= count <= _MOST_COPIES:
            return Unknown("the count of a loop is no such number")
        return count

    # -- resources

    def resources(self) -> Iterator[Resource]:
        """The resources that are deployed, or may be."""
        yield from self._listed(self._resources, "", "", "")

    def _listed(self, held: Any, type_: str, name: str, doubt: str) -> Iterator[Resource]:
        if isinstance(held, dict):
            held = list(held.values())  # languageVersion 2.0: symbolic names
        for node in _list(held, "resources", self._file):
            if not isinstance(node, dict):
                raise UnreadableError("a resource of the template is no object", self._file)
            loop = _get(node, "copy")
            if not isinstance(loop, dict):
                yield from self._one(node, type_, name, doubt)
                continue
            count = self._count(loop)
            if isinstance(count, Unknown):
                raise UnreadableError(
                    f"how many copies of a resource there are is not known: {count.reason}", self._file
                )
            for number in range(count):
                self._loops.append((str(loop.get("name", "")).lower(), number))
                yield from self._one(node, type_, name, doubt)
                self._loops.pop()

    def _one(self, node: dict[str, Any], above: str, parent: str, doubt: str) -> Iterator[Resource]:
        if _get(node, "existing") is True:
            return
        condition = self.settled(node.get("condition", True))
        if condition is False or (isinstance(condition, str) and condition.lower() == "false"):
            return
        if condition is not True and not (isinstance(condition, str) and condition.lower() == "true"):
            why = condition.reason if isinstance(condition, Unknown) else "it is neither true nor false"
            doubt = doubt or f"whether its resource is deployed is not known: {why}"
        type_ = self._word(node, "type").lower()
        if type_ == _DEPLOYMENTS:
            yield from self._deployment(node, doubt)
            return
        name = self._word(node, "name")
        if above:
            type_ = type_ if type_.startswith("microsoft.") else f"{above}/{type_}"
            name = f"{parent}/{name}"
        inner = _get(node, "resources")
        body = {key: value for key, value in node.items() if key.lower() in {"properties", "location"}}
        if type_.startswith("microsoft.network/"):
            yield Resource(type_, name, self.settled(body), doubt)
        if inner:
            yield from self._listed(inner, type_, name, doubt)

    def _word(self, node: dict[str, Any], key: str) -> str:
        value = self.settled(_get(node, key))
        if isinstance(value, Unknown):
            raise UnreadableError(f"the {key} of a resource is not known: {value.reason}", self._file)
        if not isinstance(value, str):
            raise UnreadableError(f"a resource of the template has no {key}", self._file)
        return value

    def _deployment(self, node: dict[str, Any], doubt: str) -> Iterator[Resource]:
        """The resources of a nested deployment, in its own scope or in this one (linked-templates.md)."""
        properties = _object(node, "properties", self._file)
        template = _get(properties, "template")
        if not isinstance(template, dict):
            raise UnreadableError("the template is deployed with another one that is not in the files", self._file)
        options = _object(properties, "expressionEvaluationOptions", self._file)
        if str(options.get("scope", "outer")).lower() == "inner":
            given = {}
            for name, value in _object(properties, "parameters", self._file).items():
                if isinstance(value, dict):
                    given[name.lower()] = self.settled(value.get("value", Unknown("it is a secret")))
            inner = _Template(template, given, self._file, self._budget)
            found: Iterator[Resource] = inner.resources()
        else:
            found = self._listed(_get(template, "resources"), "", "", "")
        for each in found:
            yield Resource(each.type, each.name, each.body, each.doubt or doubt)


def _get(node: dict[str, Any], key: str) -> Any:
    """The property with that name, whatever its case."""
    if key in node:
        return node[key]
    low = key.lower()
    return next((value for name, value in node.items() if name.lower() == low), None)


def _object(node: dict[str, Any], key: str, file: str) -> dict[str, Any]:
    value = _get(node, key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableError(f"`{key}` is no object", file)
    return value


def _list(value: Any, what: str, file: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise UnreadableError(f"`{what}` is no array", file)
    return value


def _is_loop(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str) and "count" in value and "input" in value
