"""`overlapping-deny`: words of an allow whose flows are all denied."""

from __future__ import annotations

import pytest
from lint_support import findings, told

RULE = "overlapping-deny"
INVENTORY = """\
groups:
  g: {networks: [10.0.0.1], features: [f], parameters: {q: x}}
  h: {networks: [10.0.0.2], features: [f], parameters: {q: y}}
  both: {members: [g, h]}
"""


def policy(allow, *denies):
    rules = "".join(f"    {rule}\n" for rule in (allow, *denies))
    return (
        'parameter q "Q"\nservice-account s "S" { linux-user 5 }\nservice-account t "T" { linux-user 6 }\n'
        f'endpoints set "S" {{ x.example.com y.example.com }}\nendpoints waiting {{ x.example.com ${{q}}.example.org }}\npolicy p "P" {{\n    from both\n{rules}}}\n'
    )


def deny(to, ports="443/https", more=""):
    return f'deny d "D" {{ to {to} ports {ports} {more} }}'


def test_an_endpoint():
    text = policy('allow a "A" { to x.example.com z.example.net ports 443/https }', deny("*.example.com"))
    assert told(text, RULE, INVENTORY) == [
        (8, "x.example.com", "every flow of `p/a` to `x.example.com` is denied by `p/d`")
    ]
    (found,) = findings(text, RULE, INVENTORY)
    assert (found.level, found.label) == ("note", "denied, e.g. g → x.example.com:443")
    assert [related.span.text for related in found.related] == ["d"]


@pytest.mark.parametrize(
    ("allow", "by", "word", "how"),
    [
        ("to set z.example.net ports 443/https", deny("*.example.com"), "set", "to"),
        ("to x.example.com ports 443/https 80/http", deny("*.example.com", "80/http"), "80/http", "on"),
        ("to x.example.com ports 443 80", deny("*.example.com", "1-100/tcp"), "80", "on"),
        ("to x.example.com ports 443/https from g h", deny("*.example.com", more="from h"), "h", "from"),
        ("to x.example.com ports 443/https as s t", deny("*.example.com", more="as t"), "t", "as"),
        ("to 10.0.0.0/24 192.0.2.1 ports any/tcp", deny("10.0.0.0/8", "any/tcp"), "10.0.0.0/24", "to"),
        (
            "to *.example.com *.example.net except x.example.com ports 443/https",
            deny("*.example.com except x.example.com"),
            "*.example.com",
            "to",
        ),
    ],
)
def test_other_words(allow, by, word, how):
    text = policy(f'allow a "A" {{ {allow} }}', by)
    assert told(text, RULE, INVENTORY) == [(8, word, f"every flow of `p/a` {how} `{word}` is denied by `p/d`")]


def test_several_denies_together():
    text = policy(
        'allow a "A" { to 10.0.0.0/24 192.0.2.1 ports 1-100/tcp }',
        deny("10.0.0.0/8", "1-50/tcp"),
        'deny e "E" { to 10.0.0.0/8 ports 51-200/tcp }',
    )
    assert [message for *_, message in told(text, RULE, INVENTORY)] == [
        "every flow of `p/a` to `10.0.0.0/24` is denied by `p/d` and `p/e` together"
    ]


@pytest.mark.parametrize(
    ("allow", "by"),
    [
        # Pieces that are cut out of what the allow names.
        ("to *.example.com z.example.net ports 443/https", deny("x.example.com")),
        ("to x.example.com z.example.net ports any/tcp", deny("x.example.com", "25/tcp")),
        ("to set z.example.net ports 443/https", deny("x.example.com")),
        ("to x.example.com z.example.net ports 443/https", deny("x.example.com", more="from g")),
        ("to x.example.com z.example.net ports 443/https", deny("x.example.com", more="as s")),
        # Guard rails by address meet names only where these resolve to them.
        ("to x.example.com z.example.net ports 443/https", deny("10.0.0.0/8", "any/tcp")),
        # All of the allow is denied: that is another finding.
        ("to x.example.com y.example.com ports 443/https", deny("*.example.com")),
        # A deny that may be switched off.
        ("to x.example.com z.example.net ports 443/https", deny("*.example.com", more="feature f")),
        # Nothing in common.
        ("to x.example.com z.example.net ports 443/https", deny("*.example.org")),
        ("to ${q}.example.com z.example.net ports 443/https", deny("*.example.org")),
        # Of a set, a host that waits for its parameter is left.
        ("to waiting z.example.net ports 443/https", deny("x.example.com")),
    ],
)
def test_near_cases(allow, by):
    assert told(policy(f'allow a "A" {{ {allow} }}', by), RULE, INVENTORY) == []


def test_a_word_that_an_exception_has_taken_out_is_not_the_denys():
    text = policy(
        'allow a "A" { to x.example.com *.example.net except x.example.com ports 443/https }', deny("y.example.net")
    )
    assert told(text, RULE, INVENTORY) == []


def test_denies_that_overlap_take_nothing_from_each_other():
    text = policy(
        'allow a "A" { to z.example.org ports 443/https }',
        deny("x.example.com z.example.net"),
        'deny e "E" { to *.example.com ports 443/https }',
    )
    assert told(text, RULE, INVENTORY) == []


def test_groups_without_an_inventory():
    text = policy('allow a "A" { to x.example.com ports 443/https from g h }', deny("*.example.com", more="from h"))
    assert [word for _, word, _ in told(text, RULE)] == ["h"]
