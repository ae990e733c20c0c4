"""What the tests of all evaluators do alike: random policies, flows about each, one verdict for each flow.

What is compared, and with what, each test says itself:

* ``agree(block, capsys, firewall, judged, cases)``: ``judged(build, rng, counts)`` yields a flow, what is wrong with
  what the artefact does with it (``""``: nothing), and what the artefact does.
* ``is_seen(firewall, change, text_of, problems)``: True if a change of the artefact's text makes a problem.
  ``problems(build, rng, text)`` yields a flow and what is wrong with it.
* ``sound(firewall, tries)``: the number, the generator and the builds of each random case that is not refused.
* ``same_form(change)``: such a change of a JSON text, where the text itself is given back if no value has changed.
"""

from __future__ import annotations

import json
import random
from collections import Counter

from announced import is_exact
from policy_verdict import verdict
from random_cases import TAGS, compiled, random_case, scale, seed


def agree(block, capsys, firewall, judged, cases, *, policies=100, verdicts=2000):
    """One block of random policies; ``policies`` and ``verdicts`` are how many there must be at least."""
    start = seed() + block * 1_000_003
    counts = Counter()
    for number in range(start, start + cases * scale()):
        rng = random.Random(number)
        case = random_case(rng, firewall)
        builds = compiled(case)
        if builds is None:
            counts["refused"] += 1
            continue
        counts["policies"] += 1
        for build in builds:
            counts["artefacts"] += 1
            counts["exact"] += is_exact(build)
            for flow, problem, found in judged(build, rng, counts):
                assert not problem, f"seed {number}: {problem}\n{build.site.name}: {flow}\n{case.text}"
                allowed = found == "allow"
                counts["verdicts"] += 1
                counts[found or "undecided"] += 1
                if allowed is not (verdict(build.site, flow, TAGS) == "allow"):
                    counts["wider" if allowed else "narrower"] += 1
    with capsys.disabled():
        print(f"\nseed {start}: {dict(counts)}")
    assert counts["policies"] >= policies * scale()
    assert counts["verdicts"] >= verdicts * scale()


def sound(firewall, tries):
    """What is compiled of some random cases, each with its number and its generator."""
    for number in range(seed(), seed() + tries):
        rng = random.Random(number)
        builds = compiled(random_case(rng, firewall))
        if builds is not None:
            yield number, rng, builds


def is_seen(firewall, change, text_of, problems, tries=600):
    """True if there is a random policy and a flow with which the changed text has a problem, and the sound one none."""
    for _, rng, builds in sound(firewall, tries):
        for build in builds:
            text = text_of(build)
            broken = change(text)
            if broken == text:
                continue
            state = rng.getstate()
            right = {flow for flow, problem in problems(build, rng, text) if not problem}
            rng.setstate(state)
            if any(problem and flow in right for flow, problem in problems(build, rng, broken)):
                return True
    return False


def same_form(change):
    """The change, but the text itself where nothing is another value."""

    def changed(text):
        found = change(text)
        return text if json.loads(found) == json.loads(text) else found

    return changed
