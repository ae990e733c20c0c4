"""What two versions of a file define, compared word by word: names that changed, and what stands otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from egressc.parse import read_tokens
from egressc.review import What

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from egressc.source import Source

_KINDS: Final = {
    "endpoints": What.SET,
    "service-account": What.ACCOUNT,
    "parameter": What.PARAMETER,
    "policy": What.POLICY,
    "template": What.POLICY,
}
_STATEMENTS: Final = frozenset((*_KINDS, "import"))
_RULES: Final = frozenset(("allow", "deny"))

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """One definition of a file: its words without its name, and, of a policy, the rules in it apart from the rest."""

    what: What
    name: str
    file: str
    head: Words
    rules: Mapping[str, Words] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """A file in words: its definitions by kind and name, its other statements, and all of them as they stand."""

    definitions: Mapping[tuple[What, str], Definition]
    rest: tuple[Words, ...]
    words: tuple[Words, ...]


def written(source: Source) -> Written:
    """What a file without mistakes defines."""
    definitions: dict[tuple[What, str], Definition] = {}
    rest: list[Words] = []
    every = tuple(_statements(read_tokens(source)[0]))
    for words in every:
        what = _KINDS.get(words[0])
        if what is None:
            rest.append(words)
            continue
        at = 2 if words[0] == "template" else 1
        head = (*words[:at], *words[at + 1 :])
        rules: dict[str, Words] = {}
        if what is What.POLICY:
            head, rules = _apart(head)
        definitions[what, words[at]] = Definition(what, words[at], source.name, head, rules)
    return Written(definitions, tuple(rest), every)


def _statements(words: Sequence[str]) -> Iterable[Words]:
    """The words of each statement: it begins with its keyword where no block is open."""
    depth = start = 0
    for at, word in enumerate(words):
        if depth == 0 and at > start and word in _STATEMENTS and words[at - 1] != "template":
            yield tuple(words[start:at])
            start = at
        depth += (word == "{") - (word == "}")
    if start < len(words):
        yield tuple(words[start:])


def _apart(words: Words) -> tuple[Words, dict[str, Words]]:
    """The words of a policy but for its rules, and the words of each rule without its name."""
    head: list[str] = []
    rules: dict[str, Words] = {}
    at = words.index("{") + 1
    head.extend(words[:at])
    while at < len(words):
        if words[at] not in _RULES:
            head.append(words[at])
            at += 1
            continue
        end = words.index("}", at) + 1
        rules[words[at + 1]] = (words[at], *words[at + 2 : end])
        at = end
    return tuple(head), rules


@dataclass(frozen=True, slots=True)
class Renamed:
    """A definition that is called otherwise. ``file`` is where it stands now."""

    what: What
    old: str
    new: str
    file: str


def renamed(old: Iterable[Written], new: Iterable[Written]) -> tuple[Renamed, ...]:
    """The definitions that have only another name, and policies with the same rules under another name.

    What a set holds may be called otherwise, too; whatever fits two names is taken for none. Accounts are none of them:
    the inventory may bind them to something else.
    """
    before = {key: each for some in old for key, each in some.definitions.items() if key[0] is not What.ACCOUNT}
    after = {key: each for some in new for key, each in some.definitions.items() if key[0] is not What.ACCOUNT}
    gone = {key: each for key, each in before.items() if key not in after}
    come = {key: each for key, each in after.items() if key not in before}
    found: dict[str, Renamed] = {}
    while True:
        pairs = list(_alike(gone, come, {one.old: one.new for one in found.values()}))
        if not pairs:
            break
        for one, other in pairs:
            found[f"{one.what} {one.name}"] = Renamed(one.what, one.name, other.name, other.file)
            del gone[one.what, one.name], come[one.what, other.name]
    return tuple(found.values())


def _alike(
    gone: Mapping[tuple[What, str], Definition],
    come: Mapping[tuple[What, str], Definition],
    names: Mapping[str, str],
) -> list[tuple[Definition, Definition]]:
    mine, theirs = _by_content(gone.values(), names), _by_content(come.values(), {})
    return [(some[0], theirs[key][0]) for key, some in mine.items() if len(some) == 1 == len(theirs.get(key, ()))]


def _by_content(some: Iterable[Definition], names: Mapping[str, str]) -> dict[object, list[Definition]]:
    found: dict[object, list[Definition]] = {}
    for each in some:
        found.setdefault((each.what, _content(each, names)), []).append(each)
    return found


def _content(each: Definition, names: Mapping[str, str]) -> object:
    """What must be the same where only the name is another."""
    words = in_new_words(each.head, names)
    if each.what is What.POLICY:
        return frozenset(each.rules) or words
    if "{" not in words:
        return tuple(word for word in words if not word.startswith('"'))
    body = words[words.index("{") :]
    # The order of endpoints means nothing, but which of them are a fallback does.
    at = body.index("fallback") if "fallback" in body else len(body)
    end = body.index("}", at) if at < len(body) else at
    return tuple(sorted((*body[:at], *body[end:]))), tuple(sorted(body[at:end])) if each.what is What.SET else body


def in_new_words(words: Words, names: Mapping[str, str]) -> Words:
    """The words with what is called otherwise in its new name, parameters in hosts included."""
    if not names:
        return words
    return tuple([_in_new_words(word, names) for word in words])


def _in_new_words(word: str, names: Mapping[str, str]) -> str:
    if "${" not in word:
        return names.get(word, word)
    first, *parts = word.split("${")
    named = [(name, end, rest) for name, end, rest in (part.partition("}") for part in parts)]
    return first + "".join(f"${{{names.get(name, name)}{end}{rest}" for name, end, rest in named)
