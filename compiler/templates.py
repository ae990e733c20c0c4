"""Hosts with parameters: ``${NAME}`` inside a host, filled per group by the inventory."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc.host_paths import path_form
from egressc.host_syntax import host_pattern
from egressc.names import NAME_SHAPE, name_word
from egressc.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from egressc.hosts import HostPattern

_PARAMETER: Final = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class HostWord:
    """A host pattern with an optional path prefix in normal form (``/pkiops``: that path, or below ``/pkiops/``)."""

    pattern: HostPattern
    path: str | None = None


@dataclass(frozen=True, slots=True)
class TemplateWord:
    """A host with parameters. ``text`` is the word as written, ``host`` its part before the path.

    ``parameters`` are the names in the order in which they first appear, each once.
    """

    text: str
    parameters: tuple[str, ...]
    host: str
    path: str | None = None


def template_word(text: str) -> TemplateWord | Problem:
    """The template that a word with ``${`` stands for, or what is wrong with it."""
    names: dict[str, None] = {}
    slash = _first_slash(text)
    host, rest = text[:slash], text[slash:]
    for found in re.finditer(r"\$\{", host):
        closed = _PARAMETER.match(host, found.start())
        if closed is None:
            return Problem(
                "E0328", "a parameter is not closed", "`}` is missing", "write the parameter as `${NAME}`",
                found.start(), len(host),
            )  # fmt: skip
        name = closed[1]
        if not NAME_SHAPE.fullmatch(name):
            message = f"`{name}` is not the name of a parameter" if name else "a parameter has no name"
            lower = name.strip().lower().replace("_", "-")
            help_ = (
                f"write `${{{lower}}}`" if NAME_SHAPE.fullmatch(lower) else "write `${NAME}`, a name such as `region`"
            )
            return Problem("E0329", message, "not a name", help_, closed.start(), closed.end())
        reserved = name_word(name)
        if isinstance(reserved, Problem):
            return reserved.moved(closed.start(1))
        names[name] = None
    path = path_form(rest) if rest else None
    if isinstance(path, Problem):
        return path.moved(slash)
    return _bad_template(host) or TemplateWord(text, tuple(names), host, path)


def fill(template: TemplateWord, values: Mapping[str, str], with_labels: Collection[str] = ()) -> HostWord | Problem:
    """The host that a template becomes with one value for each of its parameters, checked as if it had been written.

    ``with_labels`` are the parameters whose values may hold dots. Offsets of a problem are into ``template.text``.
    """
    for name in template.parameters:
        if name not in values:
            return _at(template, name, Problem(
                "E0332", f"the parameter `{name}` has no value", "not bound",
                f"give `{name}` a value under `parameters` of the group in the inventory", 0, 0,
            ))  # fmt: skip
        problem = bad_value(name, values[name], labels=name in with_labels)
        if problem is not None:
            return _at(template, name, problem)
    filled = _PARAMETER.sub(lambda m: values[m[1]], template.host)
    pattern = host_pattern(filled)
    if isinstance(pattern, Problem):
        label = f"{pattern.label}, once filled: `{filled}`"
        return Problem(pattern.code, pattern.message, label, pattern.help, 0, len(template.host))
    return HostWord(pattern, template.path)


def bad_value(name: str, value: str, *, labels: bool) -> Problem | None:
    """What is wrong with a value of a parameter, if anything is; offsets are into the value.

    A value is one DNS label; with ``labels`` it may be several with dots between them. It is never a wildcard.
    """
    help_ = "a value is one DNS label, such as `westeurope`"
    if labels:
        help_ = "a value is one DNS label or several with dots between them, such as `eu.contoso`"
    message = f"`{value}` cannot fill the parameter `{name}`"
    end = len(value)
    if not value:
        return Problem("E0331", f"the parameter `{name}` has an empty value", "empty", help_, 0, 0)
    if "." in value and not labels:
        at = value.index(".")
        more = f"{help_}; declare it as `parameter {name} labels` to allow dots"
        return Problem("E0331", message, "a dot", more, at, at + 1)
    if "*" in value:
        at = value.index("*")
        return Problem("E0331", message, "a wildcard", help_, at, at + 1)
    # As a name below a domain, so that neither one label nor a last label in digits is taken for a mistake.
    whole = host_pattern(f"{value}.example")
    if isinstance(whole, Problem):
        return Problem("E0331", message, whole.message, help_, min(whole.start, end), min(whole.end, end))
    return None


def _first_slash(text: str) -> int:
    """Where the path begins: the first ``/`` that is not inside ``${…}``."""
    masked = _PARAMETER.sub(lambda m: "_" * len(m[0]), text)
    slash = masked.find("/")
    return len(text) if slash < 0 else slash


_ONLY_FILLED: Final = frozenset({"E0317", "E0319", "E0320", "E0322", "E0323", "E0327"})
"""Mistakes that a stand-in for the value may cause by itself: these are looked for when the value is known."""


def _bad_template(host: str) -> Problem | None:
    """What is wrong with a template whatever its values are: found with the shortest value in place of each."""
    places: list[int] = []
    filled = []
    at = 0
    for found in _PARAMETER.finditer(host):
        filled.append(host[at : found.start()] + "a")
        places += [*range(at, found.start()), found.start()]
        at = found.end()
    filled.append(host[at:])
    places += [*range(at, len(host) + 1)]
    problem = host_pattern("".join(filled))
    if not isinstance(problem, Problem) or problem.code in _ONLY_FILLED:
        return None
    start, end = places[problem.start], places[min(problem.end, len(places) - 1)]
    return Problem(problem.code, problem.message, problem.label, problem.help, start, end)


def _at(template: TemplateWord, name: str, problem: Problem) -> Problem:
    """The problem, placed on the parameter in the template."""
    start = template.text.index(f"${{{name}}}")
    return Problem(problem.code, problem.message, problem.label, problem.help, start, start + len(name) + 3)
