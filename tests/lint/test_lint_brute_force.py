"""Shadowed and redundant rules of random policies, against a count of every flow of a small universe."""

from __future__ import annotations

import itertools
import random
import re

import pytest
from lint_support import subject

from egressc.lint import covers
from egressc.lint.driver import lint

HOSTS = {
    "x.io": r"x\.io",
    "a.x.io": r"a\.x\.io",
    "*.x.io": r"(.+\.)+x\.io",
    "a*.x.io": r"a[^.]*\.x\.io",
    "*b.x.io": r"[^.]*b\.x\.io",
    "*.b.x.io": r"(.+\.)+b\.x\.io",
    "y.net": r"y\.net",
}
NETWORKS = {
    "192.0.2.0/30": range(4),
    "192.0.2.0/31": range(2),
    "192.0.2.2-192.0.2.5": range(2, 6),
    "192.0.2.4/30": range(4, 8),
    "any-address": range(10),
}
PORTS = {"443/https": {443}, "444/https": {444}, "443-445/https": {443, 444, 445}, "445/https": {445}}
NAMES = [
    None,
    "x.io",
    "y.net",
    "z.net",
    *(f"{'.'.join(some)}.x.io" for n in (1, 2) for some in itertools.product(("a", "b", "c", "ab", "ac"), repeat=n)),
]
GROUPS = ("g", "h")
ACCOUNTS = ("s", None)
FLOWS = tuple(itertools.product(GROUPS, ACCOUNTS, NAMES, range(10), (443, 444, 445)))


def holds(endpoint, flow):
    _, _, name, address, _ = flow
    if endpoint in HOSTS:
        return name is not None and re.fullmatch(HOSTS[endpoint], name) is not None
    return address in NETWORKS[endpoint]


HELD = {e: frozenset(i for i, flow in enumerate(FLOWS) if holds(e, flow)) for e in (*HOSTS, *NETWORKS)}
BY_PORT = {p: frozenset(i for i, flow in enumerate(FLOWS) if flow[4] in held) for p, held in PORTS.items()}
BY_GROUP = {
    "g": frozenset(i for i, flow in enumerate(FLOWS) if flow[0] == "g"),
    "h": frozenset(i for i, flow in enumerate(FLOWS) if flow[0] == "h"),
    "g h": frozenset(range(len(FLOWS))),
}
AS_S = frozenset(i for i, flow in enumerate(FLOWS) if flow[1] == "s")


def rule(rng, number):
    """A rule as text, and what it is: action, flows, exempt or not."""
    endpoints = rng.sample([*HOSTS, *HOSTS, *NETWORKS], rng.choice((1, 1, 2, 3)))
    endpoints = list(dict.fromkeys(endpoints))
    excepted = [rng.choice([*HOSTS, *NETWORKS][:-1])] if rng.random() < 0.2 else []
    ports, groups = rng.choice(list(PORTS)), rng.choice(list(BY_GROUP))
    action = rng.choice(("allow", "allow", "allow", "deny"))
    flows = frozenset().union(*(HELD[e] for e in endpoints)).difference(*(HELD[e] for e in excepted))
    flows &= BY_PORT[ports] & BY_GROUP[groups]
    more = ""
    if rng.random() < 0.3:
        flows &= AS_S
        more = " as s"
    exempt = action == "allow" and rng.random() < 0.2
    to = " ".join(endpoints) + (f" except {' '.join(excepted)}" if excepted else "")
    more += " no-tls-inspection" if exempt else ""
    return f'    {action} r{number} "R" {{ to {to} ports {ports} from {groups}{more} }}\n', (action, flows, exempt)


def removable(numbers, held, others):
    """What can go: first what one other holds alone, then what several hold together; the last first."""
    gone = []
    for alone in (True, False):
        for number in reversed(numbers):
            if number in gone or not held[number]:
                continue
            left = [held[other] for other in others[number] if other not in gone]
            if any(held[number] <= one for one in left) if alone else held[number] <= frozenset().union(*left):
                gone.append(number)
    return set(gone)


def expected(rules):
    """The names of the rules that do nothing."""
    flows = [flows for _, flows, _ in rules]
    denies = [n for n, (action, *_) in enumerate(rules) if action == "deny"]
    allows = [n for n, (action, *_) in enumerate(rules) if action == "allow"]
    denied = frozenset().union(*(flows[n] for n in denies))
    shadowed = removable(denies, flows, {n: [other for other in denies if other != n] for n in denies})
    shadowed |= {n for n in allows if flows[n] <= denied}
    left = [each - denied for each in flows]
    # One rule holds another alone if it does so without the denies.
    alike = {n: [o for o in allows if o != n and rules[o][2] is rules[n][2]] for n in allows}
    gone = []
    for alone in (True, False):
        for n in reversed(allows):
            others = [flows[o] for o in alike[n] if o not in gone]
            if n in gone or not left[n]:
                continue
            if any(flows[n] <= one for one in others) if alone else left[n] <= frozenset().union(*others):
                gone.append(n)
    return {f"r{n}" for n in shadowed}, {f"r{n}" for n in gone}


@pytest.mark.parametrize("crowded", [False, True])
def test_against_brute_force(monkeypatch, crowded):
    """With many rules on the ports of one, others are found by name and address."""
    if crowded:
        monkeypatch.setattr(covers, "_few_on_ports", lambda *_, **__: None)
    rng = random.Random(20261126)
    counts = [0, 0]
    for _ in range(200 if crowded else 400):
        made = [rule(rng, n) for n in range(rng.randint(3, 8))]
        made = [(text, what) for text, what in made if what[1]]
        head = 'service-account s "S" { linux-user 5 }\npolicy p "P" {\n'
        text = head + "".join(text for text, _ in made) + "}\n"
        found = lint(subject(text), ["shadowed-rule", "redundant-rule"])
        told = [
            {each.finding.span.text for each in found if each.rule == name}
            for name in ("shadowed-rule", "redundant-rule")
        ]
        names = re.findall(r"(?:allow|deny) (r\d+)", text)
        want = [{names[int(name[1:])] for name in some} for some in expected([what for _, what in made])]
        assert told == want, text
        counts = [count + len(some) for count, some in zip(counts, told, strict=True)]
    assert min(counts) > 50, "the policies are not such that the rules have anything to say"


def test_entries_of_lists_against_brute_force():
    rng = random.Random(20261127)
    told = 0
    for _ in range(60):
        lists = [rng.sample([*HOSTS, *NETWORKS], rng.randint(2, 5)) for _ in range(8)]
        text = (
            'policy p "P" {\n    from g\n'
            + "".join(f'    allow r{n} "R" {{ to {" ".join(some)} ports 443/https }}\n' for n, some in enumerate(lists))
            + "}\n"
        )
        found = {
            (each.finding.span.line - 3, each.finding.span.text) for each in lint(subject(text), ["redundant-endpoint"])
        }
        want = set()
        for n, some in enumerate(lists):
            held = [HELD[entry] for entry in some]
            every = range(len(some))
            want |= {(n, some[m]) for m in removable(every, held, {m: [o for o in every if o != m] for m in every})}
        assert found == want, text
        told += len(want)
    assert told > 100
