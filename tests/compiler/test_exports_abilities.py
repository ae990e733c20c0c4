"""What becomes of entries where a format knows no names, or wildcards of whole labels alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from egressc.addresses import parse_addresses
from egressc.diagnostics import Level
from egressc.exports import ANY_NAME, ANY_PORT, Abilities, Addresses, Dialect, Entry, Inner
from egressc.exports_lower import lower
from egressc.hosts import HostPattern
from egressc.reasons import Effect, Reason

RULE = SimpleNamespace(identity="p/r")


def lowered(what, **able):
    (found,) = lower([Entry(what, ANY_PORT, (RULE,))], Dialect("", Abilities(**able)))
    return found


def host(text, *, deep=False):
    return HostPattern(tuple(text.split(".")), deep=deep)


def test_a_list_without_names_loses_them_unless_they_are_elsewhere():
    found = lowered(host("foo.test"), names=False)
    assert found.lines == ()
    assert [(s.reason, s.effect, s.level) for s in found.steps] == [(Reason.NO_NAMES, Effect.NARROWER, None)]
    found = lowered(host("foo.test"), names=False, elsewhere="they are there")
    assert [(s.level, s.sentence) for s in found.steps] == [(Level.NOTE, "`foo.test` is no address: they are there")]
    found = lowered(ANY_NAME, names=False)
    assert (found.lines, found.steps[0].sentence) == ((), "any name is no address")


def test_a_list_without_addresses_loses_them_unless_they_are_elsewhere():
    network = parse_addresses("203.0.113.0/24")
    (step,) = lowered(network).steps
    assert (step.reason, step.level, step.sentence) == (Reason.ADDRESS, None, "the list cannot say `203.0.113.0/24`")
    (step,) = lowered(network, elsewhere="they are there").steps
    assert (step.level, step.sentence) == (Level.NOTE, "the list cannot say `203.0.113.0/24`: they are there")
    # One family of two is lost for good, wherever names are.
    (step, *_) = lowered(parse_addresses("2001:db8::1"), v4=Addresses.NETWORKS).steps
    assert (step.reason, step.level) == (Reason.FAMILY, None)


@pytest.mark.parametrize(
    ("pattern", "together", "said", "reasons"),
    [
        (host("a.*.test"), None, host("a.*.test"), []),
        (host("a*.b.test"), None, host("*.b.test"), [Reason.LABEL_WILDCARD]),
        (host("a*.b*.test", deep=True), None, host("*.*.test", deep=True), [Reason.LABEL_WILDCARD]),
        (host("a.*.*.test"), 2, host("a.*.*.test"), []),
        (host("a.*.*.*.test"), 2, host("test", deep=True), [Reason.DEPTH]),
        (host("a.*.*.b.*.test"), 2, host("a.*.*.b.*.test"), []),
        (host("*.a*.b*.c.test", deep=True), 2, host("c.test", deep=True), [Reason.LABEL_WILDCARD, Reason.DEPTH]),
    ],
    ids=str,
)
def test_wildcards_of_whole_labels(pattern, together, said, reasons):
    found = lowered(pattern, inner=Inner.LABELS, together=together)
    assert [line.pattern for line in found.lines] == [said]
    assert [step.reason for step in found.steps] == reasons
    # Every step is from what the one before it left, to what then is said.
    for before, after in zip(found.steps, found.steps[1:], strict=False):
        assert before.after == after.before
