"""Edits of a policy of the benchmark, as a pull request makes them: some with an effect, some without."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_RULE = re.compile(r"    (?:allow|deny) rule-\d+ .*?\n    }\n", re.DOTALL)


def edited(text: str, edits: int, seed: int = 1) -> str:
    """The text of a policy after that many edits of rules that lie apart; the same for the same numbers."""
    random_ = random.Random(seed)
    places = sorted(random_.sample([match.span() for match in _RULE.finditer(text)], edits), reverse=True)
    for number, (first, last) in enumerate(places):
        rule = text[first:last]
        text = text[:first] + _EDITS[number % len(_EDITS)](rule, number) + text[last:]
    return text


def _another_host(rule: str, number: int) -> str:
    return re.sub(r"to    \S+", f"to    moved{number}.edit.example.net", rule, count=1)


def _host_more(rule: str, number: int) -> str:
    if re.search(r"to    \d", rule):
        return re.sub(r"to    ", "to    203.0.113.9 ", rule, count=1)
    return re.sub(r"to    ", f"to    more{number}.edit.example.net ", rule, count=1)


def _wildcard(rule: str, number: int) -> str:
    return re.sub(r"to    \w+-0\.", f"to    *.w{number}.", rule, count=1)


def _port_more(rule: str, _: int) -> str:
    return re.sub(r"ports (\S+)", r"ports \1 9443/tls", rule, count=1)


def _removed(*_: object) -> str:
    return ""


def _added(rule: str, number: int) -> str:
    return f'{rule}    allow new-{number} "New" {{\n        to    new{number}.edit.example.net\n        ports 443/https\n    }}\n'


def _turned(rule: str, _: int) -> str:
    return rule.replace("allow", "deny", 1).replace("        no-tls-inspection\n", "") if "allow" in rule else rule.replace("deny", "allow", 1)  # fmt: skip


def _renamed(rule: str, _: int) -> str:
    return re.sub(r"rule-(\d+)", r"renamed-\1", rule, count=1)


def _any_account(rule: str, _: int) -> str:
    return re.sub(r"\n        as    .*", "", rule)


def _reworded(rule: str, _: int) -> str:
    return rule.replace('"What', '"All that', 1)


def _denied_address(rule: str, number: int) -> str:
    return f'{rule}    deny closed-{number} "Closed" {{\n        to    198.51.100.{number}\n        ports any/tcp\n    }}\n'


_EDITS: tuple[Callable[[str, int], str], ...] = (
    _another_host, _host_more, _wildcard, _port_more, _removed, _added, _turned, _renamed, _any_account, _reworded,
    _denied_address,
)  # fmt: skip
