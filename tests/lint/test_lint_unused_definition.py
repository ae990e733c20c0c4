"""Definitions and imports that nothing uses: what counts as a use, in which files, and the fix."""

from __future__ import annotations

import pytest
from lint_support import findings, subject, told

from egressc.lint.driver import lint
from egressc.lint.fixes import fix

RULE = "unused-definition"


def policy(to="a.example.com", head="", name="p", template=False):
    start, source = ("template policy", "") if template else ("policy", "    from g\n")
    return f'{start} {name} "P" {{\n{source}{head}    allow a "A" {{\n        to    {to}\n        ports 443/https\n    }}\n}}\n'


SET = "endpoints s {\n    s.example.com\n}\n"
ACCOUNT = "service-account acc {\n    linux-user x\n}\n"
PARAMETER = "parameter par\n"
LIBRARY = 'endpoints lib {\n    l.example.com\n}\ntemplate policy lib "L" {\n    allow a "A" {\n        to    lib\n        ports 443/https\n    }\n}\n'


@pytest.mark.parametrize(
    ("text", "word", "message"),
    [
        (SET, "s", "the endpoint set `s` is not used"),
        (ACCOUNT, "acc", "the service account `acc` is not used"),
        (PARAMETER, "par", "the parameter `par` is not used"),
    ],
)
def test_nothing_uses_it(text, word, message):
    assert told(text + policy(), RULE) == [(1, word, message)]


@pytest.mark.parametrize(
    "text",
    [
        SET + policy("s"),
        SET + policy("*.example.com except s"),
        SET + "endpoints t {\n    s\n}\n" + policy("t"),
        ACCOUNT + policy(head="    as acc\n"),
        ACCOUNT + policy().replace("        ports", "        as    acc\n        ports"),
        PARAMETER + policy("x.${par}.example.com"),
        PARAMETER + "endpoints t {\n    ${par}.example.com\n}\n" + policy("t"),
        SET + policy("s", template=True, name="t") + policy(head="    include t\n"),
    ],
)
def test_uses(text):
    inventory = "groups: {g: {networks: [10.0.0.1], parameters: {par: x}}}\n" if "${par}" in text else None
    assert told(text, RULE, inventory) == []


def test_a_use_by_something_unused_is_none():
    text = SET + "endpoints t {\n    s\n}\n" + policy()
    assert [word for _, word, _ in told(text, RULE)] == ["s", "t"]


def test_a_template_that_nobody_includes_is_told_and_what_it_uses_is_not():
    text = SET + policy("s", template=True, name="t") + policy()
    assert told(text, RULE) == [(4, "t", "the template policy `t` is not used")]
    nested = policy("s", template=True, name="t") + policy(head="    include t\n", template=True, name="u")
    assert [word for _, word, _ in told(SET + nested + policy(), RULE)] == ["t", "u"]
    assert told(SET + nested + policy(head="    include u\n"), RULE) == []


def test_a_library_defines_for_others():
    assert told(SET + policy("a.example.com", template=True, name="t"), RULE) == []
    assert told(SET, RULE) == []


def test_a_file_that_another_imports_is_a_library():
    main = 'import "lib.egress"\n' + policy("lib")
    assert told(main, RULE, lib__egress=LIBRARY + SET + policy(name="q")) == []


def test_imports():
    used = 'import "lib.egress"\n'
    for text in (
        policy("lib"),
        policy(head="    include lib\n"),
        policy("lib", template=True, name="t") + policy(head="    include t\n"),
    ):
        assert told(used + text, RULE, lib__egress=LIBRARY) == []
    assert told(used + policy(), RULE, lib__egress=LIBRARY) == [
        (1, '"lib.egress"', "nothing of `lib.egress` is used here")
    ]


def test_an_import_of_a_library_counts_too():
    template = 'import "other.egress"\n' + policy(template=True, name="t")
    main = 'import "lib.egress"\n' + policy(head="    include t\n")
    (found,) = findings(main, RULE, lib__egress=template, other__egress=LIBRARY)
    assert (found.span.source.name, found.span.line) == ("lib.egress", 1)


def fixed(text, **files):
    what = subject(text, **files)
    result = fix(what, lint(what, [RULE]))
    return {source.name: changed for source, changed in result.texts.items()}


def test_the_fix_removes_the_import():
    text = '# Head\n\nimport "lib.egress"\nimport "other.egress"\n\n' + policy("s")
    other = SET
    assert fixed(text, lib__egress=LIBRARY, other__egress=other) == {
        "policy.egress": text.replace('import "lib.egress"\n', "")
    }


def test_an_import_with_a_comment_beside_it_stays():
    text = 'import "lib.egress" # kept for later\n' + policy()
    assert len(told(text, RULE, lib__egress=LIBRARY)) == 1
    assert fixed(text, lib__egress=LIBRARY) == {}


def test_the_fix_keeps_the_comments_before_it():
    text = '# Head\nimport "lib.egress"\n' + policy()
    assert fixed(text, lib__egress=LIBRARY) == {"policy.egress": "# Head\n" + policy()}


def test_a_definition_is_left_to_the_author():
    assert fixed(SET + policy()) == {}
