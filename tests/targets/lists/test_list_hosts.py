"""The plain list of hosts and addresses."""

from __future__ import annotations

import pytest
from lists_support import exported, options_for, policy_of, reasons_of, text_of

from egressc.meaning import UnreadableError
from egressc.targets.list_registry import load_format


def read(text):
    return load_format("hosts").read(text, options_for("hosts"), "")


def test_every_kind_of_destination():
    policy = policy_of(
        "foo.test", "*.bar.test", "baz.test", "*.baz.test", "a*.b.test", "203.0.113.0/24", "192.0.2.3-192.0.2.5",
        "2001:db8::1",
    )  # fmt: skip
    assert text_of(policy, "hosts") == (
        "a*.b.test\n*.bar.test\nbaz.test\n*.baz.test\nfoo.test\n192.0.2.3-192.0.2.5\n203.0.113.0/24\n2001:db8::1\n"
    )
    assert reasons_of(policy, "hosts") == [("address", "narrower"), ("ports", "wider")]


def test_what_is_lost_is_said():
    assert text_of(policy_of("www.foo.test/p", ports="80/http"), "hosts") == "www.foo.test\n"
    assert ("path", "wider") in reasons_of(policy_of("www.foo.test/p", ports="80/http"), "hosts")
    _, report = exported(policy_of("*.foo.test except a.foo.test"), "hosts")
    assert {d.code for d in report if d.level.value == "error"} == {"E0608"}
    assert text_of(policy_of("any-address", ports="1-65535/tcp"), "hosts") == "*\n"


def test_reading_a_list_of_people():
    found = read("\ufeff# ours\r\nFOO.test  # main\r\n\r\n*.bar.test\r\n192.0.2.9/24\r\n*\r\n")
    assert [([e.text for e in each.reach.endpoints], each.line) for each in found.entries] == [
        (["foo.test"], 2), (["*.bar.test"], 4), (["192.0.2.0/24"], 5), (["*"], 6), (["0.0.0.0/0 ::/0"], 6),
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["https://foo.test", "foo.test:443", "127.0.0.1 localhost", "foo..test"])
def test_what_is_neither_is_an_error_with_its_line(line):
    with pytest.raises(UnreadableError) as caught:
        read(f"foo.test\n{line}\n")
    assert (caught.value.line, line in caught.value.message) == (2, True)
