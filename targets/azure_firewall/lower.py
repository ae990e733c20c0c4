"""From a site to rule collection groups: drafts, exceptions, order, inspection, rules, layout, limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from egressc.approximate import default_steps, left_out
from egressc.diagnostics import Diagnostic
from egressc.lowering import Kind, Lowering
from egressc.parts import parts_of
from egressc.policy import TagEndpoint
from egressc.suggest import nearest
from egressc.targets.azure_firewall.checks import limit_problems, shortened_descriptions
from egressc.targets.azure_firewall.draft import Band, Desk, Draft, Form, policy_of
from egressc.targets.azure_firewall.layout import Entry, Pair, lay_out
from egressc.targets.azure_firewall.limits import RESERVED_PRIORITIES
from egressc.targets.azure_firewall.lower_except import has_exceptions, say_exceptions, with_closes
from egressc.targets.azure_firewall.lower_inspection import inspects, with_inspection
from egressc.targets.azure_firewall.lower_names import draft_names
from egressc.targets.azure_firewall.lower_order import NetworkAllows, announce_order
from egressc.targets.azure_firewall.model import (
    ApplicationRule,
    FirewallPolicy,
    Model,
    NetworkRule,
    Protocol,
    ProtocolType,
    Verdict,
)
from egressc.targets.azure_firewall.sources import ANY_SOURCE
from egressc.targets.azure_firewall.write import Writer, announced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.lowering import Part
    from egressc.site import BoundRule, Site
    from egressc.targets.azure_firewall.settings import Settings


def lower(site: Site[Settings]) -> Lowering[Model]:
    """The rule collection groups of a site, and what they approximate."""
    desk = Desk(site)
    settings = site.settings
    drafts: Sequence[Draft] = [draft for rule in site.rules for part in parts_of(rule) for draft in _drafts(part, desk)]
    drafts = _without_vain_denies(say_exceptions(drafts, desk), site)
    allows = NetworkAllows(drafts)
    drafts, diagnostics = announce_order(drafts, allows)
    opens = inspects(drafts, desk)
    if opens:
        drafts = with_inspection(drafts, desk, allows)
    writer = Writer(desk)
    entries: list[Entry] = []
    pairs: list[Pair] = []
    parts: list[Part] = []
    for draft in drafts:
        parts.extend(_place(draft, desk, writer, entries, pairs))
    entries.extend(_closing_deny(site, desk))
    laid = lay_out(entries, pairs, settings.prefix, settings.priority, settings.max_rule_collection_groups)
    model = Model(_policy(settings), desk.sources.ip_groups(), tuple([item.group for item in laid]))
    problems = (
        *diagnostics,
        *_unknown_tags(site),
        *desk.sources.diagnostics(),
        *limit_problems(laid, site),
        *shortened_descriptions(writer.shortened, site),
    )
    if pairs:
        parts.sort(key=lambda part: part.rule.key)
    return Lowering(
        model, tuple(parts), default_steps(site), problems, tuple(_assumes(site, desk, parts, model)), opens
    )


def _drafts(part: Part, desk: Desk) -> Iterator[Draft]:
    band = Band.DENY if part.rule.is_deny else Band.ALLOW
    match part.kind:
        case Kind.NAMES:
            yield from draft_names(part, desk)
        case Kind.ADDRESSES | Kind.ANY_ADDRESS | Kind.TAGS:
            nature = "any" if part.kind is Kind.ANY_ADDRESS else part.kind.value
            yield Draft(desk.v4(desk.seen(part)), nature, Form.NETWORK, band)
        case _:
            assert_never(part.kind)


def _without_vain_denies(drafts: Sequence[Draft], site: Site[Settings]) -> list[Draft]:
    """The drafts; denies that cannot be said exactly and stop nothing that is allowed are left to the closing deny.

    Not so denies of addresses in the internal networks, which the closing deny leaves alone.
    """
    if not site.closing_deny:
        return list(drafts)
    meets: dict[BoundRule, bool] = {}
    result = []
    for draft in drafts:
        part = draft.part
        rule = part.rule
        changed = rule.is_deny and any(step.after != step.before for step in part.steps)
        if changed and not site.names_internal(part.start.endpoints):
            if rule not in meets:
                meets[rule] = site.index.meets_allow(rule)
            if not meets[rule]:
                draft = draft.with_part(left_out(part))  # noqa: PLW2901 - the draft of the same part
        result.append(draft)
    return result


def _place(draft: Draft, desk: Desk, writer: Writer, entries: list[Entry], pairs: list[Pair]) -> tuple[Part, ...]:
    """The parts of a draft for the report; its rules go where they belong."""
    if not draft.is_written:
        return (draft.part,)
    rule = draft.part.rule
    policy = policy_of(rule)
    action = Verdict.DENY if rule.is_deny else Verdict.ALLOW
    rules = writer.allow_or_deny(draft)
    denied = writer.exceptions(draft) if has_exceptions(draft) else ()
    if denied:
        draft = with_closes(draft, desk)
        collections = [(form, Verdict.DENY, some) for form, some in denied]
        pairs.append(Pair(draft.band, policy, (*collections, (draft.form, action, rules)), rule))
        rules = (*(one for _, some in denied for one in some), *rules)
    else:
        entries.extend([Entry(draft.band, policy, draft.form, action, one, rule) for one in rules])
    return announced(draft, rules)


def _closing_deny(site: Site[Settings], desk: Desk) -> Iterator[Entry]:
    """The deny of all names for the governed sources, which also closes the firewall's own infrastructure rules.

    Everything else is denied by the firewall when nothing matches. This must be an application rule: a network rule
    would be processed before all allows by name. So what network rules allow, ours or others', is not touched by it,
    and destinations in the internal networks are left to those (rule-processing.md, "Infrastructure rules").
    """
    if not site.closing_deny:
        return
    unbound = any(group.is_unbound for group in site.groups)
    sources = ANY_SOURCE if unbound else desk.sources.of(site.groups)
    protocols = (Protocol(ProtocolType.HTTP, 80), Protocol(ProtocolType.HTTPS, 443))
    for found in sources:
        name = "closing-deny-ip-groups" if len(sources) > 1 and found.ip_groups else "closing-deny"
        text = f"What no rule allows to the groups that {site.name} governs"
        rule = ApplicationRule(name, text, found, protocols, ("*",))
        yield Entry(Band.CLOSING, "", Form.APPLICATION, Verdict.DENY, rule, None)


def _policy(settings: Settings) -> FirewallPolicy:
    return FirewallPolicy(
        name=settings.policy,
        location=settings.location,
        tier=settings.tier,
        dns_proxy=settings.dns_proxy,
        certificate_authority=settings.certificate_authority,
    )


def _unknown_tags(site: Site[Settings]) -> Iterator[Diagnostic]:
    """An error for each service tag that Azure's file does not hold, at the first rule that needs it."""
    if not site.tags:
        return
    said = set()
    for rule in site.rules:
        for endpoint in (*rule.endpoints, *rule.exceptions, *(rule.fallback or ())):
            if not isinstance(endpoint, TagEndpoint):
                continue
            name = endpoint.name.lower()
            if name in said or name in site.tags:
                continue
            said.add(name)
            near = nearest(name, site.tags)
            hint = f"did you mean `{near}`?" if near is not None else "check its spelling"
            yield Diagnostic(
                code="E0734",
                message=f"Azure publishes no service tag `{endpoint.name}`",
                span=rule.rule.span,
                label="this rule names it",
                help=f"{hint} The inventory's `service-tags` file lists them",
            )


def _assumes(site: Site[Settings], desk: Desk, parts: Sequence[Part], model: Model) -> Iterator[str]:
    """The sentences on which the artefact as a whole rests."""
    settings = site.settings
    last = settings.priority + RESERVED_PRIORITIES - 1
    yield (
        f"the template is deployed to the resource group of the policy `{settings.policy}`, a {settings.tier} policy, "
        "which it leaves alone unless the parameter `writePolicy` is true"
    )
    yield (
        "no other rule of this policy or its parent decides connections of the governed sources: all network rules are "
        f"processed before all application rules, and priorities {settings.priority} to {last} are for egressc alone"
    )
    yield (
        f"rule collection groups `{settings.prefix}-…` that an earlier compilation wrote and this one does not are "
        "deleted by hand: a deployment adds and replaces, and deletes none"
    )
    yield "threat intelligence and IDPS, which no rule overrides, drop none of the allowed connections"
    if site.closing_deny:
        yield (
            "destinations in the internal networks are reached through network rules of other rule collection groups: "
            "the closing deny is an application rule, and the firewall denies what matches nothing"
        )
    if settings.dns_proxy:
        yield "the policy's DNS proxy is on, and the governed sources resolve names through the firewall alone"
    if settings.can_inspect:
        yield "the policy has the certificate authority of the inventory, and the governed sources trust it"
    if _denies_addresses(model) and _resolves_hosts(model):
        yield (
            "clients connect to an address of the name that they show: in HTTP and in TLS that it terminates the "
            "firewall resolves the name itself, so denies of addresses hold for the address that the client chose"
        )
    if any(part.rule.rule.log for part in parts):
        yield "the firewall's diagnostic settings collect AZFWNetworkRule and AZFWApplicationRule"
    yield from desk.sources.assumes()


def _denies_addresses(model: Model) -> bool:
    return any(
        collection.action is Verdict.DENY and isinstance(collection.rules[0], NetworkRule)
        for group in model.groups
        for collection in group.collections
    )


def _resolves_hosts(model: Model) -> bool:
    """True if the firewall itself resolves the names of something that is allowed (rule-processing.md)."""
    return any(
        isinstance(rule, ApplicationRule)
        and (rule.terminate_tls or any(protocol.type is ProtocolType.HTTP for protocol in rule.protocols))
        for group in model.groups
        for collection in group.collections
        if collection.action is Verdict.ALLOW
        for rule in collection.rules
    )
