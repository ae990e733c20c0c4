"""The proof of every target: what it writes is proved, what is broken is stopped, what is tampered with is found."""

from __future__ import annotations

import re

import pytest
from proof_policies import POLICIES
from proof_support import compiled, functions, live_files, module_of, untouched

from egressc.drift import drift
from egressc.lowering import BrokenLoweringError
from egressc.proof import UnprovedError, deviations
from egressc.targets.protocol import Artefact
from egressc.targets.registry import load_target

KINDS = ("azure-firewall", "iptables", "iptables-host", "paloalto", "paloalto-set", "windows-firewall")
"""The kinds that have a reader."""


def test_every_kind_with_a_reader_is_here():
    assert {kind for kind in POLICIES if load_target(re.sub("-(host|set)$", "", kind)).read is not None} == set(KINDS)


def names_of(file, first):
    """Every function of a kind's module, as parameters of a test."""
    return [(kind, name) for kind in KINDS for name in functions(kind, file, first)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_file_but_the_derived_ones_is_read_back(kind):
    build = untouched(kind)
    files = {artefact.name for artefact in build.render()}
    assert set(build.fidelity.proved) == files - set(build.target.derived)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_written_is_no_drift(kind):
    build = untouched(kind)
    found = drift(build.site, build.target, build.lowering, build.render())
    assert found.is_equal
    live = [Artefact(name, content) for name, content in live_files(kind, build).items()]
    found = drift(build.site, build.target, build.lowering, live)
    assert found.is_equal, [f.sentence for f in (*found.allows_more, *found.allows_less, *found.unknown)]


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_fast_path_the_answer_is_the_same(kind):
    build = untouched(kind)
    meaning = build.target.read(build.site, build.render())
    slow = deviations(build.site, build.target, build.lowering, meaning, governed_only=False, quick=False)
    assert list(slow) == []


@pytest.mark.parametrize(("kind", "name"), names_of("breakages", "monkeypatch"))
def test_what_is_broken_in_lowering_or_rendering_is_stopped(kind, name, monkeypatch):
    functions(kind, "breakages", "monkeypatch")[name](monkeypatch)
    with pytest.raises((UnprovedError, BrokenLoweringError)) as caught:
        compiled(kind)
    assert f"`{untouched(kind).site.name}`" in str(caught.value)
    if name not in getattr(module_of(kind, "breakages"), "WITHOUT_FLOW", ()):
        assert " → " in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_enough_breakages_and_tamperings(kind):
    assert len(functions(kind, "breakages", "monkeypatch")) >= 15
    assert len(functions(kind, "tamperings", "files")) >= 15


@pytest.mark.parametrize(("kind", "name"), names_of("tamperings", "files"))
def test_what_is_tampered_with_is_found(kind, name):
    build = untouched(kind)
    files = live_files(kind, build)
    changed = functions(kind, "tamperings", "files")[name](dict(files))
    assert changed != files
    live = [Artefact(name, content) for name, content in changed.items()]
    found = drift(build.site, load_target(build.site.target), build.lowering, live)
    assert not found.is_equal
    every = getattr(module_of(kind, "tamperings"), "EXPECTED", {})
    expected = every.get((kind, name), every.get(name))
    lists = ("allows_more", "allows_less", "inspection_differs", "unknown")
    if expected is not None:
        assert {each for each in lists if getattr(found, each)} == expected
