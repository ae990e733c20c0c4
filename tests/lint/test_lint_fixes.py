"""Fixes are refused when they change anything but a place."""

from __future__ import annotations

import pytest
from lint_support import subject

from egressc.diagnostics import Diagnostic
from egressc.lint.driver import Found
from egressc.lint.edits import changed, removal
from egressc.lint.fixes import fix
from egressc.lint.rule import Edit, Finding
from egressc.lint.same import same_here
from egressc.source import Source, Span

POLICY = """\
parameter q "Q"
endpoints s "S" { a.example.com fallback { 10.0.0.0/8 10.0.0.1 } }
template policy t "T" {
    allow x "X" { to *.example.org a.example.org ports 443/https }
    allow y "Y" { to s a.example.com ports 444/https }
    allow z "Z" { to s ${q}.example.com ports 445/https }
    allow w "W" { to *.example.com except ${q}.example.com ports 446/https }
}
template policy u "U" { include t }
service-account known "K" { linux-user 5 linux-user 6 }
policy p "P" {
    owner "o@example.com"
    from g h
    # Kept.
    allow a "A" { to *.example.com a.example.com ${q}.example.net except b.example.com *.b.example.com ports 443/https 444/https }
    deny d "D" { to 10.0.0.0/8 10.0.0.1 ports any/tcp }
    allow e "E" { to s ports 443/https no-tls-inspection log expires 2027-01-01 }
    allow f "F" { to f.example.com ports 443/https as known }
}
"""


def attempt(old, new, policy=POLICY):
    """What a fix that writes ``new`` for ``old`` leads to: the new text, or ``None`` if it is refused."""
    what = subject(policy)
    (source,) = [file.source for file in what.files]
    at = source.text.index(old)
    edit = Edit(Span(source, at, at + len(old)), new)
    finding = Finding(message="m", span=edit.span, fix=(edit,))
    result = fix(what, [Found("r", finding, Diagnostic(code="W0805", message="m"))])
    assert len(result.done) + len(result.left) == 1
    return result.texts.get(source)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" a.example.com ${q}", " ${q}"),
        (" 10.0.0.1 ports", " ports"),
        (" 10.0.0.1 }", " }"),
        (" a.example.org", ""),
        ("*.example.com a.example.com ${q}.example.net", "${q}.example.net *.example.com"),
        ("10.0.0.0/8 10.0.0.1 ports", "10.0.0.0/9 10.128.0.0/9 ports"),
    ],
)
def test_what_means_the_same_is_done(old, new):
    assert attempt(old, new) == POLICY.replace(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("*.example.com a.example.com", "a.example.com"),
        (" ${q}.example.net", ""),
        ("${q}.example.net", "${q}.example.org"),
        ("s ${q}.example.com", "s ${q}.example.net"),
        # Without the host beside it, the set brings its fallback.
        ("s a.example.com ports", "s ports"),
        (" except b.example.com *.b.example.com", ""),
        (" *.b.example.com", ""),
        ("*.example.org", "b.example.org"),
        ("allow x", "deny x"),
        ("allow x", "allow y"),
        ("allow a", "allow z"),
        ("deny d", "allow d"),
        ("10.0.0.0/8 10.0.0.1 ports", "10.0.0.0/9 ports"),
        ("10.0.0.0/8 10.0.0.1 }", "10.0.0.0/9 }"),
        (" fallback { 10.0.0.0/8 10.0.0.1 }", ""),
        (" 444/https", ""),
        ("from g h", "from g"),
        ("443/https no-tls", "443/tls no-tls"),
        (" no-tls-inspection", ""),
        (" log", ""),
        (" expires 2027-01-01", ""),
        ('"X"', '"Y"'),
        ("o@example.com", "p@example.com"),
        ("# Kept.", ""),
        ("allow e", "allow"),
        ("to s", "to nothing"),
        ("except ${q}.example.com", "except ${q}.example.org"),
        ("{ include t }", "{ }"),
        (" linux-user 6", ""),
        ('endpoints s "S"', 'endpoints n "N" { n.example.com }\nendpoints s "S"'),
        # It means the same, and is told as a slip.
        ("*.example.org a.example.org", "*.example.org *.example.org"),
        ('parameter q "Q"', 'import "policy.egress"\nparameter q "Q"'),
    ],
)
def test_what_means_something_else_is_refused(old, new):
    assert attempt(old, new) is None


HERE = """\
endpoints s "S" { a.example.com fallback { 10.0.0.0/8 10.0.0.1 } }
service-account u "U" { linux-user 5 linux-user 6 }
policy p "P" {
    owner "o@example.com"
    from g h
    allow a "A" { to *.example.com a.example.com except b.example.com *.b.example.com ports 443/https 444/https }
    deny d "D" { to 10.0.0.0/8 10.0.0.1 ports any/tcp }
    allow e "E" { to s ports 443/https no-tls-inspection log expires 2027-01-01 as u }
    allow i "I" { to i.example.com ports 443/https ticket "T-1" reference "https://i.example.com" }
    review-by 2027-06-30
    reference "https://p.example.com"
}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (" a.example.com except", " except"),
        ("10.0.0.0/8 10.0.0.1 ports", "10.0.0.0/9 10.128.0.0/9 ports"),
        (" 10.0.0.1 }", " }"),
    ],
)
def test_two_policies_that_mean_the_same_here(old, new):
    assert same_here(subject(HERE).site, subject(HERE.replace(old, new, 1)).site)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("*.example.com a.example.com", "a.example.com"),
        (" *.b.example.com", ""),
        ("allow a", "deny a"),
        ("allow a", "allow z"),
        ("10.0.0.0/8 10.0.0.1 ports", "10.0.0.0/9 ports"),
        ("10.0.0.0/8 10.0.0.1 }", "10.0.0.0/9 }"),
        (" fallback { 10.0.0.0/8 10.0.0.1 }", ""),
        (" 444/https", ""),
        ("from g h", "from g"),
        ("443/https no-tls", "443/tls no-tls"),
        (" no-tls-inspection", ""),
        (" log", ""),
        (" expires 2027-01-01", ""),
        (" as u", ""),
        (' ticket "T-1"', ""),
        (' reference "https://i', ' reference "https://j'),
        ("review-by 2027-06-30", "review-by 2027-06-29"),
        ("https://p.example.com", "https://q.example.com"),
        (" linux-user 6", ""),
        ('"A"', '"B"'),
        ("o@example.com", "p@example.com"),
        ("\n}", '\n    allow f "F" { to f.example.net ports 443/https }\n}'),
    ],
)
def test_two_policies_that_mean_something_else_here(old, new):
    changed_text = HERE.replace(old, new, 1)
    assert changed_text != HERE
    assert not same_here(subject(HERE).site, subject(changed_text).site)
    assert not same_here(subject(changed_text).site, subject(HERE).site)


@pytest.mark.parametrize(
    ("text", "words", "left"),
    [
        ("to a b c\n", ["b"], "to a c\n"),
        ("to a b c\n", ["c"], "to a b\n"),
        ("to a b c\n", ["a"], "to b c\n"),
        ("to a b c\n", ["b", "c"], "to a\n"),
        ("to a b c # d\n", ["c"], "to a b # d\n"),
        ("to a\n   b\n   c\n", ["b"], "to a\n   c\n"),
        ("to a\r\n   b\r\n   c\r\n", ["b", "c"], "to a\r\n"),
        ("to a\n   b", ["b"], "to a\n"),
        ("to {a}", ["a"], "to {}"),
    ],
)
def test_removals(text, words, left):
    source = Source.of("f", text)
    edits = [removal(Span(source, text.index(w), text.index(w) + 1)) for w in words]
    assert changed(text, edits) == left


def test_overlapping_edits_are_applied_once():
    source = Source.of("f", "abcdef")

    def edit(start, end, text):
        return Edit(Span(source, start, end), text)

    assert changed("abcdef", [edit(1, 3, "")] * 2) == "adef"
    assert changed("abcdef", [edit(1, 3, ""), edit(2, 5, "")]) == "af"
    assert changed("abcdef", [edit(1, 4, ""), edit(2, 3, "")]) == "aef"
    assert changed("abcdef", [edit(1, 3, "X"), edit(2, 5, "Y")]) == "aXdef"
    assert changed("abcdef", [edit(4, 5, "Y"), edit(1, 1, "X")]) == "aXbcdYf"
