"""Which names and paths entries of `targetFqdns` and `targetUrls` match.

After firewall-faq.yml, "How do wildcards work in target URLs and target FQDNs in application rules?": an asterisk is
supported as the left-most character only and is then "literally anything to the left", so `*contoso.com` is
`contoso.com`, `example.anycontoso.com` and `th3re4lcontoso.com`, and `*.contoso.com` is not `contoso.com`. In a URL it
may also be the right-most one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from egressc.host_paths import path_form
from egressc.hosts import HostPattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.flows import Test

_NAME: Final = re.compile(r"(\*?)(\.?)((?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63})")
EVERY_NAME: Final = HostPattern((), deep=True)
"""The pattern of every name."""
ANY_NAME: Final[tuple[Test, ...]] = ((EVERY_NAME, None),)
"""The test of every name."""

Tests = tuple["Test", ...]
Answer = tuple[Tests, str]
"""What entries match at most, and why they may match less."""


class Names:
    """Entries to tests; each entry is looked at once."""

    def __init__(self) -> None:
        self._known: dict[str, Answer] = {}
        self._lists: dict[tuple[str, ...], Answer] = {}

    def of_fqdns(self, entries: tuple[str, ...]) -> Answer:
        """What the entries of a ``targetFqdns`` or ``destinationFqdns`` match together."""
        if len(entries) == 1:
            return self._fqdn(entries[0])
        found = self._lists.get(entries)
        if found is None:
            found = self._lists[entries] = together([self._fqdn(entry) for entry in entries])
        return found

    def _fqdn(self, entry: str) -> Answer:
        found = self._known.get(entry)
        if found is None:
            patterns = patterns_of(entry)
            if patterns is None:
                found = ANY_NAME, f"which names `{entry[:80]}` matches is not documented"
            else:
                found = tuple([(pattern, None) for pattern in patterns]), ""
            self._known[entry] = found
        return found


def patterns_of(entry: str) -> tuple[HostPattern, ...] | None:
    """The names that an entry matches; ``None`` for a form that is not supported."""
    if entry == "*":
        return (EVERY_NAME,)
    shape = _NAME.fullmatch(entry.lower())
    if shape is None:
        return None
    star, dot, rest = shape.groups()
    if not star:
        return None if dot else (HostPattern(tuple(rest.split("."))),)
    if dot:
        return (HostPattern(tuple(rest.split(".")), deep=True),)
    # Anything to the left: within the label, and further labels before it.
    labels = tuple(f"*{rest}".split("."))
    return HostPattern(labels), HostPattern(labels, deep=True)


def of_urls(entries: tuple[str, ...]) -> tuple[Answer, ...]:
    """What the entries of a ``targetUrls`` match: those that match exactly that, and those that may match less.

    They are alternatives. One of a form that is not documented may be refused with the whole rule, so then all may.

    `host/path` is that path, with a slash or a query or without; `host/path/*` is everything below it and not itself; a
    host alone is its `/` (the same document). Only both together are what the policy calls a path.
    """
    exact: dict[tuple[str, str], None] = {}
    below: dict[tuple[str, str], None] = {}
    answers: list[Answer] = []
    is_clear = True
    for entry in entries:
        host, slash, rest = entry.partition("/")
        path = f"/{rest}" if slash else "/"
        held = below if path.endswith("/*") else exact
        if held is below:
            path = path[:-2]
        form = path_form(path or "/")
        if patterns_of(host) is None or host == "*" or not (form is None or isinstance(form, str)):
            answers.append((ANY_NAME, f"what `{entry[:80]}` matches is not documented"))
            is_clear = False
            continue
        held[host, form or ""] = None
    for key in {**exact, **below}:
        host, path = key
        patterns = patterns_of(host)
        assert patterns is not None, "the others were left aside"
        tests = tuple([(pattern, path or None) for pattern in patterns])
        doubt = ""
        if key not in below:
            doubt = f"`{host}{path}` matches nothing below that path"
        elif key not in exact:
            doubt = f"`{host}{path}/*` does not match that path itself"
        answers.append((tests, doubt))
    sure = [each for each in answers if not each[1]]
    if not is_clear or len(sure) in {0, len(answers)}:
        return (together(answers),)
    return together(sure), together([each for each in answers if each[1]])


def together(answers: Iterable[Answer]) -> Answer:
    """What alternatives match at most, and all that is not clear about them."""
    tests: dict[Test, None] = {}
    doubts: dict[str, None] = {}
    for each, doubt in answers:
        tests.update(dict.fromkeys(each))
        if doubt:
            doubts[doubt] = None
    return tuple(tests), "; ".join(doubts)
