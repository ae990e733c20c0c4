"""Reading policy in CPL: the destinations that its conditions name, as far as the tests are ones of destinations.

What a list is for is said by a property: rules that set it count, with the conditions that they name. A file without
layers is definitions alone; then those count that no other one names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL
from egressc.exports import ANY_NAME, ANY_PORT, ListKind, ReadEntry, ReadList
from egressc.exports_read import by_address, by_name, host_of, port_of
from egressc.host_paths import path_form
from egressc.hosts import HostPattern
from egressc.meaning import UnreadableError
from egressc.policy import HostEndpoint
from egressc.ranges import merged
from egressc.targets.lists.host_regex import hosts_of_regex
from egressc.targets.lists.lines import network, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.addresses import AddressSet
    from egressc.ranges import Ranges

_PROPERTY: Final = {ListKind.BYPASS: "forward(no)", ListKind.EXEMPTION: "ssl.forward_proxy(no)"}
_WORD: Final = re.compile(r"""(?:"[^"]*"|'[^']*'|\([^()]*\)|[^\s;"'()])+|;.*""")
_TEST: Final = re.compile(
    r"(?:server_)?url\.(?P<part>host|domain|address|port|path)(?P<how>[a-z_.]*)=(?P<value>.+)", re.DOTALL
)
_LOOKUP: Final = "without `.no_lookup` it also matches an address whose reverse name is such"


@dataclass(slots=True)
class _Line:
    """The triggers and properties of one line of policy."""

    number: int
    words: list[str]

    @property
    def text(self) -> str:
        return " ".join(self.words)


@dataclass(slots=True)
class _Policy:
    conditions: dict[str, list[_Line]] = field(default_factory=dict)
    rules: list[_Line] = field(default_factory=list)
    has_layers: bool = False
    remarks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Found:
    """What the tests of one line say so far."""

    hosts: tuple[HostPattern, ...] | None = None
    addresses: AddressSet | None = None
    ports: Ranges = ANY_PORT
    path: str | None = None
    out: list[HostEndpoint] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def read_policy(text: str, kind: ListKind) -> ReadList:
    """The destinations of a policy. Raises ``UnreadableError`` for a definition without an end."""
    policy = _parsed(text)
    entries: list[ReadEntry] = []
    if policy.has_layers:
        doubt = ""
        for rule in policy.rules:
            tests = [word for word in rule.words if "=" in word.partition("(")[0]]
            if _PROPERTY[kind] not in (word.lower() for word in rule.words):
                policy.remarks.append(f"line {rule.number}: `{rule.text[:80]}` does not set `{_PROPERTY[kind]}`")
                doubt = "a rule above it may match first"
                continue
            entries += _of_rule(rule, tests, policy, doubt)
    else:
        used = {
            word.partition("=")[2].strip("!") for some in policy.conditions.values() for x in some for word in x.words
        }
        for name, lines in policy.conditions.items():
            if name not in used:
                for line in lines:
                    entries += _entries(line, line.words, policy, "")
    return ReadList(tuple(entries), tuple(dict.fromkeys(policy.remarks)))


def _of_rule(rule: _Line, tests: list[str], policy: _Policy, doubt: str) -> Iterator[ReadEntry]:
    """The entries of a rule: of the condition that it names, or its own."""
    if len(tests) == 1 and tests[0].startswith("condition=") and not tests[0].startswith("condition=!"):
        name = tests[0].partition("=")[2]
        if name not in policy.conditions:
            raise UnreadableError(f"there is no definition of the condition `{name[:80]}`", line=rule.number)
        for line in policy.conditions[name]:
            yield from _entries(line, line.words, policy, doubt)
        return
    yield from _entries(rule, tests, policy, doubt)


def _parsed(text: str) -> _Policy:
    policy = _Policy()
    inside: str | None = None
    begun = 0
    for line in _logical(text):
        first = line.words[0].lower()
        if inside is not None:
            if first == "end":
                inside = None
            elif inside in policy.conditions:
                policy.conditions[inside].append(line)
        elif first == "define":
            begun = line.number
            inside = line.words[-1]
            if len(line.words) == 3 and line.words[1].lower() == "condition":
                policy.conditions[inside] = []
            else:
                inside = ""
                policy.remarks.append(f"line {line.number}: `{line.text[:80]}` is not read")
        elif first.startswith("<"):
            policy.has_layers = True
        else:
            policy.rules.append(line)
    if inside is not None:
        raise UnreadableError("the definition has no `end`", line=begun)
    return policy


def _logical(text: str) -> Iterator[_Line]:
    """The lines of policy: without comments, with those that a backslash continues."""
    words: list[str] = []
    start = 0
    for number, line in written(text):
        start = start if words else number
        if _WORD.sub("", line).strip():
            raise UnreadableError(f"`{line[:80]}` has a quotation mark or a parenthesis without its other", line=number)
        found = [word for word in _WORD.findall(line) if not word.startswith(";")]
        if found and found[-1] == "\\":
            words += found[:-1]
            continue
        words += found
        if words:
            yield _Line(start, words)
            words = []
    if words:
        yield _Line(start, words)


def _entries(line: _Line, tests: list[str], policy: _Policy, doubt: str) -> Iterator[ReadEntry]:
    found = _Found(doubts=[doubt] if doubt else [])
    for test in tests:
        _take(test, found, policy, line)
    said, number, why = line.text, line.number, "; ".join(found.doubts)
    if found.addresses is not None:
        if found.hosts is not None or found.out or found.path is not None:
            why = why or "it is of an address and a name both"
        yield by_address(found.addresses, said, number, ports=found.ports, doubt=why)
        return
    if found.hosts is None:
        yield by_name((ANY_NAME,), said, number, ports=found.ports, path=found.path, out=found.out, doubt=why)
        why = why or ("it is of a path" if found.path is not None else "")
        yield by_address(ALL, said, number, ports=found.ports, doubt=why)
        return
    hosts, out = _without_apex(found.hosts, found.out)
    yield by_name(hosts, said, number, ports=found.ports, path=found.path, out=out, doubt=why)


def _without_apex(
    hosts: tuple[HostPattern, ...], out: list[HostEndpoint]
) -> tuple[tuple[HostPattern, ...], list[HostEndpoint]]:
    """Hosts of which one is left out whole do not have it."""
    gone = {each.pattern for each in out if each.path is None and each.pattern in hosts}
    left = tuple(each for each in hosts if each not in gone)
    return (left, [each for each in out if each.pattern not in gone or each.path is not None]) if left else (hosts, out)


def _take(test: str, found: _Found, policy: _Policy, line: _Line) -> None:
    """One test of a line, which narrows what was found."""
    if test.startswith("condition=!"):
        _leave_out(test.partition("!")[2], found, policy)
        return
    parts = _TEST.fullmatch(test)
    if parts is None:
        found.doubts.append(f"what `{test[:60]}` asks is not read")
        return
    part, how, value = parts["part"], parts["how"], parts["value"]
    negated = value.startswith("!")
    values = _values(value.removeprefix("!"))
    match part:
        case "host" | "domain":
            patterns = _hosts(part, how, values)
            if patterns is None:
                found.doubts.append(f"which hosts `{test[:60]}` matches is not read")
            elif negated:
                found.out += [HostEndpoint(each) for each in patterns]
            elif found.hosts is not None:
                found.doubts.append("it has several tests of the host")
            else:
                found.hosts = patterns
            if patterns is not None and ".no_lookup" not in how:
                policy.remarks.append(f"line {line.number}: `{test[:60]}`: {_LOOKUP}")
        case "port" if not negated and not how:
            ports = [_port(each) for each in values]
            if None in ports:
                found.doubts.append(f"`{test[:60]}` is no port")
            else:
                found.ports = merged(pair for some in ports if some is not None for pair in some)
        case "address" if not negated and not how and len(values) == 1 and network(values[0]) is not None:
            found.addresses = network(values[0])
        case "path" if not negated and how == ".regex" and len(values) == 1 and _path(values[0]) is not None:
            found.path = _path(values[0])
        case _:
            found.doubts.append(f"what `{test[:60]}` asks is not read")


def _leave_out(name: str, found: _Found, policy: _Policy) -> None:
    """What a condition names that must not hold: hosts, with a path or without."""
    for line in policy.conditions.get(name, []):
        other = _Found()
        for test in line.words:
            _take(test, other, policy, line)
        if other.doubts or other.hosts is None or other.ports != ANY_PORT or other.addresses is not None:
            found.doubts.append(f"what `{name[:60]}` leaves out is not read")
            return
        hosts, out = _without_apex(other.hosts, other.out)
        if out:
            found.doubts.append(f"what `{name[:60]}` leaves out is not read")
            return
        found.out += [HostEndpoint(each, other.path) for each in hosts]
    if name not in policy.conditions:
        found.doubts.append(f"there is no definition of the condition `{name[:60]}`")


def _values(text: str) -> list[str]:
    """The alternatives of a value: one, or several in parentheses."""
    listed = re.split(r"[\s,]+", text[1:-1].strip()) if text.startswith("(") and text.endswith(")") else [text]
    return [each[1:-1] if each[:1] in {'"', "'"} and each[-1:] == each[:1] else each for each in listed]


def _hosts(part: str, how: str, values: list[str]) -> tuple[HostPattern, ...] | None:
    """The names that a test of a host or domain is for; ``None`` if nobody can say."""
    kind = how.replace(".no_lookup", "").replace(".case_sensitive", "")
    result: list[HostPattern] = []
    for each in values:
        if part == "host" and kind == ".regex":
            found = hosts_of_regex(each)
            if found is None:
                return None
            result += found
            continue
        if part == "host" and kind in {"", ".exact"}:
            pattern = host_of(each)
        elif part == "domain" and not kind:
            pattern = host_of(each.removeprefix("//").removeprefix("."))
            if pattern is not None:
                result.append(HostPattern(pattern.labels, deep=True))
        else:
            return None
        if pattern is None or not pattern.is_exact:
            return None
        result.append(pattern)
    return tuple(result)


def _path(text: str) -> str | None:
    if not (text.startswith("^/") and text.endswith("(/|$)")):
        return None
    plain = re.sub(r"\[(.)\]|\\(.)", "", body := text[1:-5])
    if re.search(r"[.^$*+?()\[\]{}|\\]", plain):
        return None
    path = path_form(re.sub(r"\[(.)\]|\\(.)", lambda found: found[1] or found[2], body))
    return path if isinstance(path, str) else None


def _port(text: str) -> Ranges | None:
    first, dots, last = text.partition("..")
    if not dots:
        return port_of(text)
    low, high = port_of(first or "1"), port_of(last or "65535")
    if low is None or high is None or low[0][0] > high[0][0]:
        return None
    return ((low[0][0], high[0][0]),)
