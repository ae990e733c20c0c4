"""What the tests of clients' lists share: how a list is read, in words that a test can spell out."""

from __future__ import annotations

from lists_support import options_for

from egressc.exports_read import ports_text
from egressc.targets.list_registry import load_format


def read(name, text, **options):
    """What a format reads in a text."""
    return load_format(name).read(text, options_for(name, **options), "")


def said(name, text, **options):
    """What a text says: each endpoint with its ports, in order; `?` before what may match less."""
    found = []
    for entry in read(name, text, **options).entries:
        ports = ports_text(entry.reach.ports.tcp)
        out = "".join(f" except {each.text}" for each in entry.reach.exceptions)
        many = " or ".join(each.text for each in entry.reach.endpoints)
        found.append(f"{'? ' if entry.doubt else ''}{many}{'' if ports == 'any' else f' {ports}'}{out}")
    return found
