"""Lint of texts through the real command line's parts, for tests."""

from __future__ import annotations

import re
import tempfile

from support import AS_OF, write_project

from egressc.api import load
from egressc.diagnostics import has_errors
from egressc.lint.driver import lint
from egressc.lint.registry import CODES, page_of_rule
from egressc.lint.subject import subject_of

_BLOCK = re.compile(r"^```(egress|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def subject(policy, inventory=None, as_of=AS_OF, **files):
    """What is linted of a policy; fails on any error of policy and inventory."""
    with tempfile.TemporaryDirectory() as name:
        write_project(name, policy, inventory, **files)
        loaded = load((name,))
    assert not has_errors(loaded.diagnostics), loaded.diagnostics
    found = subject_of(loaded.project, loaded.policy, loaded.inventory, as_of)
    assert found is not None, "policy and inventory do not fit each other"
    return found


def findings(policy, rule, inventory=None, as_of=AS_OF, **files):
    """The diagnostics of one rule (and of allowances that it does not need)."""
    found = lint(subject(policy, inventory, as_of, **files), [rule, "broken-allowance", "idle-allowance"])
    return [each.diagnostic for each in found]


def told(policy, rule, inventory=None, as_of=AS_OF, **files):
    """What the rule says: the place (line and the text there) and the message without the rule's name."""
    suffix = f" ({rule})"
    result = []
    for d in findings(policy, rule, inventory, as_of, **files):
        assert d.code == CODES[rule], d
        assert d.message.endswith(suffix)
        result.append((d.span.line, d.span.text, d.message.removesuffix(suffix)))
    return result


def examples(rule):
    """The two examples of a rule's page: policy and inventory of each."""
    page = page_of_rule(rule)
    assert page.startswith(f"# {CODES[rule]}: ")
    assert f"`{rule}`" in page.split("\n", 1)[0]
    _, wrong, right = re.split(r"^## (?:Wrong|Instead)$", page, flags=re.MULTILINE)
    pairs = []
    for section in (wrong, right):
        blocks = dict(_BLOCK.findall(section))
        pairs.append((blocks["egress"], blocks.get("yaml")))
    return pairs
