"""What a lowering announces about one flow, and whether its report explains a difference from the policy.

Slow and by the book (architecture.md, *Every compilation proves itself* and *Approximation reasons*); no code is shared
with the compiler's flow sets, licences or reports.

* ``announced(build, flow, tags)``: what the artefact was announced to do: ``"allow"``, ``"deny"``, ``None`` (undecided).
* ``unexplained(build, flow, tags, found)``: why the report does not explain that an artefact decides ``found`` where the
  policy decides otherwise; ``""`` where it does, or where nothing differs.
* ``disagreement(build, flow, tags, found)``: both of these; ``""`` where artefact, announcement and report agree.
* ``is_exact(build)``: True if the report says of every rule that it is exact, and nothing of the whole.
* ``counts_inside(build, flow, tags)``: False for flows to internal networks about which no rule says anything.
* ``handled(build, flow, tags)``: what was announced about inspection: ``"exempt"``, ``"inspect"``, ``None``.
* ``reach_holds``, ``block_holds``: whether a reach or a block holds a flow.
"""

from __future__ import annotations

from dataclasses import replace

from policy_verdict import (
    Flow,
    among,
    endpoint_holds,
    host_matches,
    number,
    rule_holds,
    test_holds,
    verdict,
    within,
)
from random_texts import OBJECTS

from egressc.anything import ANY
from egressc.fidelity import Verdict
from egressc.lowering import Kind
from egressc.policy import HostEndpoint
from egressc.reasons import Effect, Reason

_WORDS = ("a", "b", "zz")


def reach_holds(reach, flow, tags):
    """True if a reach holds a flow; the shared name counts where the name is known by its address."""
    if reach.groups is not ANY and flow.group not in reach.groups:
        return False
    if reach.accounts is not ANY and not (reach.accounts & flow.accounts):
        return False
    if not any(first <= flow.port <= last for first, last in getattr(reach.ports, flow.transport)):
        return False
    if number(flow.source)[0] not in reach.source_families:
        return False
    hosts_out = [e for e in reach.exceptions if isinstance(e, HostEndpoint)]
    if any(endpoint_holds(e, flow, tags) for e in reach.exceptions if e not in hosts_out):
        return False
    if any(endpoint_holds(e, flow, tags) for e in reach.endpoints) and not any(
        endpoint_holds(e, flow, tags) for e in hosts_out
    ):
        return True
    return (
        reach.shared
        and any(isinstance(e, HostEndpoint) and host_matches(e.pattern, flow.shared) for e in reach.endpoints)
        and not any(host_matches(e.pattern, flow.shared) for e in hosts_out)
    )


def block_holds(block, flow, tags):
    """True if a block holds a flow, which has a ``process`` if the block speaks of one."""
    if not any(first <= flow.port <= last for first, last in getattr(block.ports, flow.transport)):
        return False
    if not within(block.sources, flow.source) or not within(block.addresses, flow.address):
        return False
    has = dict(flow.process)
    if any((has.get(kind) in choice.names) is choice.negated for kind, choice in block.processes):
        return False
    if any(among(OBJECTS[name], flow.source) for name in block.objects.names) is block.objects.negated:
        return False
    if block.tags or block.no_tags:
        raise AssertionError("tags are of no host firewall")
    if block.names is None:
        return not any(test_holds(*test, flow.host, flow.path) for test in block.names_out)
    if any(test_holds(*test, flow.host, flow.path) for test in block.names) and not any(
        test_holds(*test, flow.host, flow.path) for test in block.names_out
    ):
        return True
    return (
        block.by_address
        and any(host_matches(pattern, flow.shared) for pattern, _ in block.names)
        and not any(host_matches(pattern, flow.shared) for pattern, _ in block.names_out)
    )


def part_holds(part, flow, tags):
    """True if what the artefact says for a part matches a flow."""
    if part.reach is None or part.cut_out:
        return False
    if part.cells is not None:
        return any(block_holds(block, flow, tags) for block in part.cells)
    return reach_holds(part.reach, flow, tags)


def announced(build, flow, tags):
    """What the artefact was announced to do with a flow."""
    lowering, site = build.lowering, build.site
    if any(block_holds(block, flow, tags) for ruling in lowering.opening for block in ruling.blocks):
        return "allow"
    if any(part.rule.is_deny and part_holds(part, flow, tags) for part in lowering.parts):
        return "deny"
    if any(not part.rule.is_deny and part_holds(part, flow, tags) for part in lowering.parts):
        return "allow"
    if any(reach_holds(reach, flow, tags) for part in lowering.parts for reach in part.closes):
        return "deny"
    if not site.closing_deny or not is_governed(site, flow):
        return None
    if within(site.internal, flow.address):
        return {"left": None}.get(lowering.internal.value, lowering.internal.value)
    return "deny"


def is_governed(site, flow):
    """True if the source may be one of the site's groups; the networks of an unbound group may be any."""
    return flow.group is not None or any(group.addresses is ANY for group in site.groups)


def counts_inside(build, flow, tags):
    """True if a flow is not to the internal networks, or a rule names its address there (inventory.md).

    A rule names it in the policy, or in what was announced.
    """
    if not within(build.site.internal, flow.address):
        return True
    nameless = replace(flow, host=None, shared=None)
    return any(rule_holds(rule, nameless, tags) for rule in build.site.rules) or any(
        part.reach is not None and reach_holds(part.reach, nameless, tags) for part in build.lowering.parts
    )


def handled(build, flow, tags):
    """What the device was announced to do with the TLS of an allowed flow."""
    parts = [part for part in build.lowering.parts if part.reach is not None and not part.rule.is_deny]
    if any(part.exempt is not None and reach_holds(part.exempt, flow, tags) for part in parts):
        return "exempt"
    if any(part.inspect is not None and reach_holds(part.inspect, flow, tags) for part in parts):
        return "inspect"
    return None


def is_exact(build):
    """True if the report says that nothing differs."""
    fine = {Verdict.EXACT, Verdict.NOT_APPLICABLE}
    return not build.fidelity.whole and all(
        rule.verdict in fine and not rule.approximations and not rule.left_out for rule in build.fidelity.rules
    )


def reported(build, identity, reason, effect=None):
    """True if the report says that a rule was approximated for a reason (with an effect)."""
    return any(
        found.reason is reason and (effect is None or found.effect is effect)
        for rule in build.fidelity.rules
        if rule.rule.identity == identity
        for found in rule.approximations
    )


def whole(build, reason):
    """True if the report says something of the whole artefact for a reason."""
    return any(found.reason is reason for found in build.fidelity.whole)


def disagreement(build, flow, tags, found, *, exact):
    """What is wrong with what an artefact decides about a flow; ``exact`` is what ``is_exact`` says of the build."""
    want = announced(build, flow, tags)
    if found != want:
        return f"the artefact decides {found}, announced was {want}"
    said = verdict(build.site, flow, tags)
    if exact and (found == "allow") is not (said == "allow"):
        return f"all is exact, and the artefact decides {found}, the policy {said}"
    return unexplained(build, flow, tags, found)


def unexplained(build, flow, tags, found):
    """Why the report does not explain what an artefact does with a flow."""
    said = verdict(build.site, flow, tags)
    allowed = found == "allow"
    if allowed and said != "allow":
        return _wider(build, flow, tags, said)
    if said == "allow" and not allowed:
        return _narrower(build, flow, tags)
    if said == found or allowed:
        return ""
    if said == "deny":
        return _not_denied(build, flow, tags)
    if found is None:
        # No rule of the policy, none of the artefact.
        quiet = (
            not build.site.closing_deny
            or within(build.site.internal, flow.address)
            or not is_governed(build.site, flow)
        )
        if not quiet:
            return "the default deny does not stop it"
        return "" if build.site.closing_deny or whole(build, Reason.DEFAULT) else "no closing deny, and nothing says so"
    return _denied_in_vain(build, flow, tags)


def _wider(build, flow, tags, said):
    """Every part of an allow that lets it through must say why; and every deny that does not stop it."""
    if any(block_holds(block, flow, tags) for ruling in build.lowering.opening for block in ruling.blocks):
        return "" if whole(build, Reason.INFRASTRUCTURE) else "let through first of all, and nothing says so"
    for rule in build.site.rules:
        if rule.is_deny and rule_holds(rule, flow, tags) and not _is_left_out(build, rule, flow, tags):
            problem = _lost(build, rule, flow, tags, Effect.WIDER)
            if problem:
                return problem
    if said == "deny" and any(not r.is_deny and rule_holds(r, flow, tags) for r in build.site.rules):
        return "a deny is left out, and an allow needs it" if _some_left_out(build, flow, tags) else ""
    known = _as_known(build, flow, tags)
    letting = [p for p in build.lowering.parts if not p.rule.is_deny and part_holds(p, known, tags)]
    if not letting:
        return "no rule was announced to let it through"
    for part in letting:
        problem = _added(build, part, known, tags, Effect.WIDER)
        if problem:
            return problem
    return ""


def _as_known(build, flow, tags):
    """The flow as the allows by name can know it: by the shared name alone, if denies take its own name out of them."""
    own = replace(flow, shared=None)
    cut = [p.reach for p in build.lowering.parts if p.rule.is_deny and p.cut_out and p.reach is not None]
    if flow.host is None or flow.shared is None or not any(reach_holds(reach, own, tags) for reach in cut):
        return flow
    return replace(flow, host=None, path=None)


def _is_left_out(build, rule, flow, tags):
    """True if the artefact says nothing of a deny: it meets no allow of the policy (but maybe one that was widened)."""
    parts = [part for part in build.lowering.parts if part.rule is rule and reach_holds(part.start, flow, tags)]
    return bool(parts) and all(part.left_out for part in parts)


def _some_left_out(build, flow, tags):
    return any(r.is_deny and rule_holds(r, flow, tags) and _is_left_out(build, r, flow, tags) for r in build.site.rules)


def _narrower(build, flow, tags):
    denying = [p for p in build.lowering.parts if p.rule.is_deny and part_holds(p, flow, tags)]
    if denying:
        return f"the deny {denying[0].rule.key} stops what the policy allows"
    for rule in build.site.rules:
        if not rule.is_deny and rule_holds(rule, flow, tags):
            problem = _lost(build, rule, flow, tags, Effect.NARROWER)
            if problem:
                return problem
    return ""


def _not_denied(build, flow, tags):
    """The policy denies it by a rule, and the artefact leaves it to others."""
    if build.site.closing_deny and not within(build.site.internal, flow.address):
        return "the default deny does not stop it"
    for rule in build.site.rules:
        if rule.is_deny and rule_holds(rule, flow, tags):
            problem = _lost(build, rule, flow, tags, Effect.WIDER)
            if problem:
                return problem
    return ""


def _denied_in_vain(build, flow, tags):
    """No rule of the policy matches, and the artefact denies it; right where there is a closing deny."""
    inside = within(build.site.internal, flow.address)
    if build.site.closing_deny and is_governed(build.site, flow) and not inside:
        return ""
    denying = [p for p in build.lowering.parts if p.rule.is_deny and part_holds(p, flow, tags)]
    for part in denying:
        effect = None if build.site.closing_deny else Effect.NARROWER
        problem = _added(build, part, flow, tags, effect)
        if problem:
            return problem
    if denying:
        return ""
    for part in build.lowering.parts:
        if any(reach_holds(reach, flow, tags) for reach in part.closes):
            if not part.cut_out:
                return "" if reported(build, part.rule.identity, Reason.DEFAULT) else f"{part.rule.key} closes, unsaid"
            if part.reach is not None and reach_holds(part.reach, flow, tags):
                return _added(build, part, flow, tags, Effect.NARROWER)
            told = reported(build, part.rule.identity, Reason.RESOLVED_ADDRESS, Effect.NARROWER)
            return "" if told else f"{part.rule.key} refuses what shares its addresses, unsaid"
    return "no rule was announced to deny it"


def _added(build, part, flow, tags, effect):
    """Why the last step that made a part match a flow is not licensed or not reported."""
    for step in reversed(part.steps):
        after = step.after is not None and reach_holds(step.after, flow, tags)
        if not after or reach_holds(step.before, flow, tags):
            continue
        if not _may_add(step, part.rule, flow, tags):
            return f"{part.rule.key}: {step.reason.value} has no licence to add this flow"
        if effect is not None and not reported(build, part.rule.identity, step.reason, effect):
            return f"{part.rule.key}: {step.reason.value} is not reported as {effect.value}"
        return ""
    return f"{part.rule.key} does not match it, and no step says that its part does"


def _lost(build, rule, flow, tags, effect):
    """Why no report says that the artefact's rules for a rule do not match a flow that it matches."""
    parts = [p for p in build.lowering.parts if p.rule is rule and reach_holds(p.start, flow, tags)]
    if not parts:
        return f"{rule.key} matches it, and no part begins with it"
    if rule.is_deny and within(build.site.internal, flow.address):
        parts = [p for p in parts if p.kind is not Kind.NAMES]  # there only what rules say of addresses counts
    for part in parts:
        if part_holds(part, flow, tags):
            return f"{rule.key} was announced to match it"
        if part.left_out:
            return f"{rule.key} is left out, and something needs it"
        losing = [
            step
            for step in part.steps
            if reach_holds(step.before, flow, tags)
            and not (step.after is not None and reach_holds(step.after, flow, tags))
        ]
        if part.cells is not None or part.cut_out:
            told = any(reported(build, rule.identity, reason) for reason in (Reason.ORDER, Reason.RESOLVED_ADDRESS))
            return "" if told else f"{rule.key}: cells lose it, and no report"
        if not losing:
            return f"{rule.key}: its part loses the flow, and no step says so"
        if not any(_may_lose(step, flow) and _tells(build, rule, step, effect) for step in losing):
            return f"{rule.key}: {losing[0].reason.value} loses it: no licence, or not reported as {effect.value}"
    return ""


def _tells(build, rule, step, effect):
    """True if the report tells of a step. Where a fallback stands in for names, they are taken to be at its addresses.

    So what is lost by that is told only where nothing is added (`fallback` is `wider` in the table of reasons).
    """
    if step.reason is Reason.FAMILY and rule.is_deny:
        effect = Effect.NONE  # what is not carried at all needs no deny
    return step.reason is Reason.FALLBACK or reported(build, rule.identity, step.reason, effect)


def _may_add(step, rule, flow, tags):
    """True if a reason may add this flow: something of its own dimension away is one that was there before."""
    before = step.before

    def held(**changed):
        return reach_holds(before, replace(flow, **changed), tags)

    hosts = [e for e in before.endpoints if isinstance(e, HostEndpoint)]
    match step.reason:
        case Reason.ACCOUNT:
            return any(held(accounts=frozenset((name,))) for name in before.accounts)
        case Reason.SOURCE:
            return any(held(group=name) for name in before.groups)
        case Reason.PATH:
            # What is excepted below a path is looked at with the flow's own path: `after` holds the flow.
            whole_paths = replace(before, exceptions=())
            return any(reach_holds(whole_paths, replace(flow, path=e.path), tags) for e in hosts)
        case Reason.RESOLVED_ADDRESS:
            return held(host=flow.shared, path=None)
        case Reason.APEX:
            return any(held(host=f"{word}.{flow.host}") for word in _WORDS)
        case Reason.DEPTH | Reason.LABEL_WILDCARD:
            return reach_holds(replace(before, exceptions=(), endpoints=tuple(_below(hosts, flow))), flow, tags)
        case Reason.EXCEPT:
            return reach_holds(replace(before, exceptions=()), flow, tags)
        case Reason.FALLBACK:
            stood_in = replace(before, endpoints=rule.fallback or ())
            return not rule.is_deny and reach_holds(stood_in, flow, tags)
        case Reason.ORDER | Reason.NO_NAMES | Reason.PORTS | Reason.FAMILY:
            return False
    return False


def _below(hosts, flow):
    """Names that take in the flow's host if it is under the parent of what they named."""
    for each in hosts:
        labels = each.pattern.labels
        globs = [at for at, label in enumerate(labels) if "*" in label]
        parent = labels[globs[-1] + 1 :] if globs else labels
        if flow.host is not None and flow.host.endswith("." + ".".join(parent)):
            exact = replace(each.pattern, labels=tuple(flow.host.split(".")), deep=False)
            yield HostEndpoint(exact, each.path)


def _may_lose(step, flow: Flow):
    """True if a reason may take this flow away."""
    match step.reason:
        case Reason.NO_NAMES | Reason.PORTS | Reason.ORDER | Reason.FALLBACK:
            return True
        case Reason.FAMILY:
            return 6 in {number(flow.source)[0], number(flow.address)[0]}
    return False
