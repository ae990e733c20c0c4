"""From texts to the resolved policy, and the policy as plain values to compare."""

from __future__ import annotations

from egressc.anything import ANY
from egressc.project import load_project
from egressc.resolve import resolve


def resolve_texts(folder, main, **others):
    """The policy (or ``None``) and all diagnostics of ``main.egress``; further files by name, only imported."""
    (folder / "inventory.yaml").touch()
    for name, text in {"main": main, **others}.items():
        (folder / f"{name}.egress").write_text(text, "utf-8")
    project = load_project([str(folder / "main.egress")])
    policy, problems = resolve(project)
    return policy, (*project.diagnostics, *problems)


def policy_of(folder, main, **others):
    """The policy; fails on any diagnostic."""
    policy, problems = resolve_texts(folder, main, **others)
    assert [(d.code, d.message) for d in problems] == []
    return policy


def codes_of(folder, main, **others):
    """The codes of all diagnostics, in their order."""
    return [d.code for d in resolve_texts(folder, main, **others)[1]]


def plain(rule):
    """A rule as plain values, without positions."""
    return {
        "identity": rule.identity,
        "action": rule.action.value,
        "description": rule.description,
        "from": "any" if rule.groups is ANY else [g.name for g in rule.groups],
        "as": "any" if rule.accounts is ANY else [a.name for a in rule.accounts],
        "to": [e.text for e in rule.to.endpoints],
        "except": [e.text for e in rule.to.exceptions],
        "fallback": None if rule.to.fallback is None else [e.text for e in rule.to.fallback],
        "ports": [s.text for s in rule.services],
        "inspection": rule.inspection.value,
        "log": rule.log,
        "feature": rule.feature,
        "expires": rule.expires and rule.expires.isoformat(),
        "ticket": rule.ticket,
        "reference": rule.reference,
        "policy": rule.policy.name,
    }


def rules_of(folder, main, **others):
    """The rules by identity, as plain values; fails on any diagnostic."""
    rules = [plain(rule) for rule in policy_of(folder, main, **others).rules]
    assert [r["identity"] for r in rules] == sorted(r["identity"] for r in rules)
    return {rule["identity"]: rule for rule in rules}
