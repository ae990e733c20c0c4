"""Every flow that the proof or drift shows is decided as they say, by the text; and they find what was touched alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from proof_flows import EVALUATORS, TITLES, UNSAID, concerns, flows_of, random_flows, wanted
from proof_policies import INVENTORIES, POLICIES
from proof_support import DAY, FOLDERS, compiled, functions, live_files, module_of, untouched
from support import write_project

from egressc.api import Request, lowered_request
from egressc.drift import drift
from egressc.lowering import BrokenLoweringError
from egressc.meaning import UnreadableError
from egressc.proof import UnprovedError, deviations
from egressc.proof_question import Kind
from egressc.targets.protocol import Artefact

KINDS = tuple(EVALUATORS)
LISTS = ("allows_more", "allows_less", "inspection_differs", "unknown")


def names_of(file, first):
    """Every function of a kind's module, as parameters of a test."""
    return [(kind, name) for kind in KINDS for name in functions(kind, file, first)]


def facts(kind, name):
    """A set of names that the kind's ``touched`` or ``breakages`` has, empty if it has none."""
    return next(
        (getattr(module_of(kind, file), name) for file in ("touched", "breakages") if hasattr(module_of(kind, file), name)),
        frozenset(),
    )  # fmt: skip


def untrue(kind, build, files, answer, name):
    """The deviations whose example flow the text does not decide as they say, or decides as was announced.

    A doubt about a part of a live rule is one about all of it, and looks past rules that allow for certain. Where a
    kind says that it ``REACHES_TOO_FAR``, an unknown flow may be known, if another finding is true.
    """
    decide = EVALUATORS[kind](build, files)
    found = [each for each in answer if not is_true(kind, build, decide, each, name)]
    if name in facts(kind, "REACHES_TOO_FAR") and len(found) < len(answer):
        return [each for each in found if each.kind is not Kind.UNKNOWN]
    return found


def is_true(kind, build, decide, found, name):
    """True if the text decides the flow as a deviation says, and not as was announced."""
    # Nothing can be missing for a flow that shows its name otherwise than the policy says.
    flows = flows_of(build, found.flow, described=found.kind is not Kind.ALLOWS_MORE)
    return any(differs(kind, build, decide, found.kind, flow, name) for flow in flows)


def differs(kind, build, decide, difference, flow, name):
    """True if the text decides one flow otherwise than was announced, in the way of a difference."""
    if name in facts(kind, "BELOW_THE_PATH"):
        flow = replace(flow, path=f"{flow.path}/x")
    action, opened = wanted(build, flow)
    decided = decide(flow)
    actions = {each.action for each in decided}
    allowed = {each.opened for each in decided if each.action == "allow"}
    # What is opened is looked at wherever the policy allows something, also of what is denied here.
    handling = {each.opened for each in decided}
    match difference:
        case Kind.ALLOWS_MORE:
            # A closing deny that is missing lets nothing through: it leaves that to others.
            more = {"allow", None} if action == "deny" else {"allow"}
            some = name in facts(kind, "IN_SOME_NETWORKS")
            return action != "allow" and (not actions.isdisjoint(more) if some else actions <= more)
        case Kind.ALLOWS_LESS:
            return action == "allow" and not allowed
        case Kind.UNDECIDED:
            return action not in actions and not allowed
        case Kind.UNKNOWN:
            handled = len(handling) > 1 or (opened is not None and UNSAID in handling)
            return len(actions) > 1 or handled or (name in facts(kind, "BELOW_THE_PATH") and actions != {action})
        case Kind.INSPECTS_LESS:
            return action == "allow" and opened is True and True not in allowed
        case Kind.EXEMPTS_MORE:
            return action == "allow" and opened is not False and handling == {False}
        case Kind.INSPECTS_MORE:
            return action == "allow" and opened is False and bool(allowed) and allowed <= {True, None}
    raise AssertionError(difference)


def without_proof(kind, folder):
    """The one artefact of a kind, compiled without the proof."""
    write_project(folder, POLICIES[kind], INVENTORIES[kind])
    (build,) = lowered_request(Request(paths=(str(folder),), as_of=DAY)).builds
    return build


@pytest.mark.parametrize(("kind", "name"), names_of("breakages", "monkeypatch"))
def test_the_flow_that_stops_a_broken_artefact_is_true(kind, name, monkeypatch, tmp_path):
    sound = untouched(kind)
    functions(kind, "breakages", "monkeypatch")[name](monkeypatch)
    with pytest.raises((UnprovedError, BrokenLoweringError)) as caught:
        compiled(kind)
    if caught.type is BrokenLoweringError:
        assert name in facts(kind, "BROKEN_LOWERINGS")
        return
    assert name not in facts(kind, "BROKEN_LOWERINGS")
    if name in facts(kind, "NOT_LOADED"):
        return
    build = without_proof(kind, tmp_path)
    files = [each for each in build.render() if each.name not in build.target.derived]
    if name in facts(kind, "WITHOUT_FLOW"):
        with pytest.raises(UnreadableError):
            build.target.read(build.site, files)
        return
    meaning = build.target.read(build.site, files)
    texts = {each.name: each.content for each in files}
    answers = {
        quick: list(deviations(build.site, build.target, build.lowering, meaning, governed_only=False, quick=quick))
        for quick in (True, False)
    }
    assert answers[True][0].flow.text in str(caught.value)
    assert keys(answers[True]) == keys(answers[False])
    for answer in answers.values():
        assert untrue(kind, sound, texts, answer, name) == []


def keys(answer):
    return {(each.kind, each.rule and each.rule.key, each.ruling and each.ruling.name) for each in answer}


@pytest.mark.parametrize(("kind", "name"), names_of("tamperings", "files"))
def test_the_flows_after_a_tampering_are_true(kind, name):
    build = untouched(kind)
    files = functions(kind, "tamperings", "files")[name](dict(live_files(kind, build)))
    meaning = build.target.read(build.site, [Artefact(*each) for each in files.items()])
    answers = {
        quick: list(deviations(build.site, build.target, build.lowering, meaning, governed_only=True, quick=quick))
        for quick in (True, False)
    }
    assert keys(answers[True]) == keys(answers[False])
    for answer in answers.values():
        assert untrue(kind, build, files, answer, name) == []


@pytest.mark.parametrize(("kind", "name"), names_of("tamperings", "files"))
def test_what_is_found_is_what_was_touched(kind, name):
    build = untouched(kind)
    files = functions(kind, "tamperings", "files")[name](dict(live_files(kind, build)))
    found = drift(build.site, build.target, build.lowering, [Artefact(*each) for each in files.items()])
    titled = TITLES.get(kind, lambda _, name: name)
    named = {
        each: {
            (finding.rule and finding.rule.key, live and titled(build, live))
            for finding in getattr(found, each)
            for live in ([ruling.name for ruling in finding.live] or [None])
        }
        for each in LISTS
    }
    named = {each: pairs for each, pairs in named.items() if pairs}
    touched = touched_by(kind, name)
    if name in facts(kind, "ONE_FOR_ALL"):
        assert named.keys() == touched.keys()
        for each, pairs in named.items():
            assert pairs <= touched[each]
            if name not in facts(kind, "BEFORE_THE_DEFAULT"):
                assert {live for _, live in pairs} == {live for _, live in touched[each]}
    else:
        assert named == touched


def touched_by(kind, name):
    """What a tampering touches, by its name, or by its name and the kind."""
    every = module_of(kind, "touched").TOUCHED
    return every.get((kind, name)) or every[name]


@pytest.mark.parametrize("kind", KINDS)
def test_every_tampering_says_what_it_touches(kind):
    assert all(touched_by(kind, name) for name in functions(kind, "tamperings", "files"))
    kinds = [each for each in KINDS if FOLDERS[each] == FOLDERS[kind]]
    known = {name for each in kinds for name in functions(each, "tamperings", "files")}
    said = {name[1] if isinstance(name, tuple) else name for name in module_of(kind, "touched").TOUCHED}
    assert said <= known


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_missed(kind):
    """No random flow is decided otherwise after a tampering in a way that no finding tells of."""
    build = untouched(kind)
    flows = [(flow, wanted(build, flow)[0]) for flow in random_flows(build, 150)]
    seen = set()
    for name, tamper in functions(kind, "tamperings", "files").items():
        files = tamper(dict(live_files(kind, build)))
        found = drift(build.site, build.target, build.lowering, [Artefact(*each) for each in files.items()])
        decide = EVALUATORS[kind](build, files)
        in_one = name in facts(kind, "ONE_FOR_ALL")
        for flow, action in flows:
            actions = {each.action for each in decide(flow)}
            if action != "allow" and actions == {"allow"}:
                told = found.allows_more or found.unknown
            elif action == "allow" and "allow" not in actions:
                told = [each for each in (*found.allows_less, *found.unknown) if in_one or concerns(build, each, flow)]
            elif len(actions) > 1:
                told = found.unknown or name in facts(kind, "IN_SOME_NETWORKS")
            else:
                continue
            assert told, (name, flow, actions)
            seen.add(name)
    assert len(seen) >= len(functions(kind, "tamperings", "files")) / 2, seen
