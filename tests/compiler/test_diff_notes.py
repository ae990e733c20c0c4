"""What a reviewer should know of a wildcard that is newly allowed: whether anyone can register a name under it."""

from __future__ import annotations

import tempfile

import pytest
from support import AS_OF, write_project

from egressc.api import load
from egressc.bind import prepare
from egressc.diff import review

NOTE = "anyone can register a name under `blob.core.windows.net`"


def prepared(to):
    with tempfile.TemporaryDirectory() as folder:
        write_project(folder, f'policy p "P" {{ from g\n allow a "A" {{ to a.test.io {to} ports 443 }}\n}}\n')
        loaded = load((folder,))
    return prepare(loaded.policy, loaded.inventory, AS_OF)[0]


@pytest.mark.parametrize(
    ("to", "notes"),
    [
        ("*.blob.core.windows.net", (NOTE,)),
        ("*.example.net", ()),
        ("contoso.blob.core.windows.net", ()),
        ("*.contoso.blob.core.windows.net", ()),
        ("*.core.windows.net except *.blob.core.windows.net", None),
    ],
)
def test_a_wildcard_under_which_anyone_registers_names_has_a_note(to, notes):
    (change,) = review(prepared(""), prepared(to)).newly_allowed
    if notes is None:
        assert NOTE not in " ".join(change.notes)
    else:
        assert change.notes == notes


def test_what_is_no_longer_allowed_needs_no_such_note():
    (change,) = review(prepared("*.blob.core.windows.net"), prepared("")).no_longer_allowed
    assert change.notes == ()
