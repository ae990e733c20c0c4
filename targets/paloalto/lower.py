"""Lowering a site to a PAN-OS configuration: denies, plain allows, allows with exceptions, the closing deny."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.addresses import AddressSet, parse_addresses
from egressc.anything import ANY, Anything
from egressc.approximate import default_steps
from egressc.diagnostics import Diagnostic
from egressc.lowering import Lowering, Part, Recognition
from egressc.naming import short_name
from egressc.targets.paloalto.capabilities import (
    FQDN_OBJECTS_SMALL,
    NAME_PATTERN,
    OBJECT_NAME,
    RESERVED_NAMES,
    RULE_NAME,
)
from egressc.targets.paloalto.lower_except import placed, with_closes
from egressc.targets.paloalto.lower_parts import Steps, without_denied_exceptions
from egressc.targets.paloalto.lower_rules import RuleWriter
from egressc.targets.paloalto.lower_split import denied_exceptions
from egressc.targets.paloalto.model import (
    Before,
    Configuration,
    DeviceGroup,
    Place,
    SecurityRule,
    Top,
    Unplaced,
    Vsys,
)
from egressc.targets.paloalto.objects import DIGITS, PREFIX, Objects, literals, takes_in_v4
from egressc.targets.paloalto.rule_words import Vocabulary
from egressc.targets.paloalto.self_check import check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from egressc.site import Site
    from egressc.targets.paloalto.settings import Settings


def lower(site: Site[Settings]) -> Lowering[Configuration]:
    """The configuration for a site, and how it approximates the policy.

    With diagnostics the configuration lacks what they are about and must not be written. Raises ``AssertionError`` if
    the configuration breaks a rule that no policy can break.
    """
    settings = site.settings
    objects = Objects(settings.timezone)
    vocabulary = Vocabulary(settings, objects)
    steps = Steps(site)
    writer = RuleWriter(site, objects, vocabulary)
    parts = _written([part for rule in site.rules for part in steps.lowered(rule)], site, writer, dict(steps.sharing))
    closing = _closing_deny(site, objects)
    if closing is not None:
        writer.security.append(closing)
    addresses, groups = objects.finished_addresses()
    model = Configuration(
        version=settings.version,
        location=settings.location,
        place=_place(site),
        decryption_place=Top() if _may_stand_on_top(site) else Unplaced(),
        tags=objects.finished_tags(),
        addresses=addresses,
        address_groups=groups,
        services=objects.finished_services(),
        schedules=objects.finished_schedules(),
        categories=objects.finished_categories(),
        security_rules=tuple(writer.security),
        decryption_rules=(*writer.no_decrypt, *writer.decrypt),
        existing=frozenset(objects.existing),
    )
    problems = [*steps.diagnostics, *vocabulary.diagnostics, *writer.diagnostics, *objects.diagnostics]
    problems += _family_problems(site)
    problems += _object_problems(site, frozenset([a.name for a in addresses] + [g.name for g in groups]))
    if not problems:
        check(model)
    return Lowering(
        model,
        parts,
        default_steps(site),
        tuple(problems),
        _assumes(site, model, has_literals=writer.has_literals),
        settings.tls_inspection,
        overlapping=steps.sharing,
    )


def _written(
    parts: list[Part], site: Site[Settings], writer: RuleWriter, sharing: Mapping[str, frozenset[str]]
) -> tuple[Part, ...]:
    """The parts with the names of their rules; the rules are written in the order in which they must stand."""
    cutting = [p for p in parts if not p.rule.is_deny and denied_exceptions(p)]
    last: tuple[Part, ...] = ()
    if cutting:
        last, stuck = placed(cutting, site, sharing)
        sentence = "its exceptions and those of another rule cut into each other, and one of them must stand first"
        parts = [without_denied_exceptions(p, sentence) if p in stuck else p for p in parts]
    behind = frozenset(last)
    done: dict[Part, Part] = {}
    for part in parts:
        if part.rule.is_deny:
            done[part] = writer.write(part)
    for part in parts:
        if not part.rule.is_deny and part not in behind:
            done[part] = writer.write(part)
    for part in last:
        done[part] = writer.write(with_closes(part, site))
    return tuple(done[part] for part in parts)


def _closing_deny(site: Site[Settings], objects: Objects) -> SecurityRule | None:
    """The deny of everything else outside the house; ``None`` where there is none, or no group to deny it to."""
    if not site.closing_deny or not site.groups:
        return None
    sources: tuple[str, ...] | Anything = ANY
    if not site.has_unbound_group:
        sources = tuple(objects.group(group) for group in site.groups)
    settings = site.settings
    key = f"{site.name}#closing-deny"
    name = short_name(PREFIX, "closing-deny", key, RULE_NAME, DIGITS)
    objects.claim(name, key, site.span)
    internal = literals(site.internal)
    return SecurityRule(
        name=name,
        recognition=Recognition.NONE,
        description="egressc: what the policy does not allow",
        from_zone=settings.from_zone,
        to_zone=settings.to_zone,
        sources=sources,
        users=ANY,
        destinations=internal or ANY,
        negate_destination=bool(internal),
        categories=ANY,
        applications=ANY,
        services=ANY,
        action="deny",
        log_end=True,
        log_setting=settings.log_setting,
    )


def _may_stand_on_top(site: Site[Settings]) -> bool:
    """False for a firewall with an unbound group, unless that was allowed aloud: its rules are for any source."""
    return site.unbound_allowed or not site.has_unbound_group


def _place(site: Site[Settings]) -> Place:
    if site.settings.before is not None:
        return Before(site.settings.before)
    return Top() if _may_stand_on_top(site) else Unplaced()


def _object_problems(site: Site[Settings], written: frozenset[str]) -> list[Diagnostic]:
    """Names of existing objects that PAN-OS cannot hold, or reads as something else."""
    found = []
    for group in site.groups:
        name = group.object_name
        if name is None:
            continue
        is_address = isinstance(parse_addresses(name), AddressSet)
        if is_address or len(name) > OBJECT_NAME or not NAME_PATTERN.fullmatch(name) or name.lower() in RESERVED_NAMES:
            found.append(
                Diagnostic(
                    code="E0707",
                    message=f"no address group of PAN-OS can be called `{name}`",
                    span=group.span,
                    label="this group's object on `paloalto`",
                    help=f"a name has at most {OBJECT_NAME} letters, digits, spaces, `.`, `_`, `-`, and is neither "
                    "`any` nor an address",
                )
            )
        elif name in written:
            found.append(
                Diagnostic(
                    code="E0707",
                    message=f"`{name}` is also the name of an object that egressc writes, which would overwrite it",
                    span=group.span,
                    label="this group's object on `paloalto`",
                    help="rename it on the device, or give the group its `networks`",
                )
            )
    return found


def _family_problems(site: Site[Settings]) -> list[Diagnostic]:
    """Groups whose networks would let in sources of IPv4 that are not in them."""
    return [
        Diagnostic(
            code="E0709",
            message=f"PAN-OS takes IPv4 addresses for addresses of `::/96`, so the networks of `{group.name}` would "
            "take in sources that are not in it",
            span=group.span,
            label="a network of IPv6 that begins below `::1:0:0`",
            help="name the networks that the group really has",
        )
        for group in site.groups
        if isinstance(group.addresses, AddressSet) and takes_in_v4(group.addresses)
    ]


def _assumes(site: Site[Settings], model: Configuration, *, has_literals: bool) -> tuple[str, ...]:
    """The sentences that the artefact as a whole rests on."""
    settings = site.settings
    sentences = [_place_sentence(site, model.place)]
    match model.location:
        case DeviceGroup(name, rulebase):
            before = "shared pre-rules and those of the device groups above it"
            if rulebase == "post":
                before = "pre-rules and the firewalls' own rules"
            sentences.append(f"no rule that is looked at before those of device group `{name}` decides: {before}")
        case Vsys():
            sentences.append("no pre-rule of Panorama decides before these rules")
    sentences += [
        "nothing of an earlier compilation is left on the device: neither file deletes rules, or members of a list",
        # [D] PAN-OS 7.1 web interface help, Device > Setup > Session, "Enable IPv6 Firewalling"
        "IPv6 firewalling is on (Device > Setup > Session): without it, what rules say of IPv6 is ignored",
    ]
    sentences.extend(
        f"`{group.object_name}` on the device holds the networks of group `{group.name}`"
        for group in site.groups
        if group.object_name is not None
    )
    if model.schedules:
        sentences.append(f"the firewall's clock shows {settings.timezone}")
    negates = any(r.negate_destination for rules in (model.security_rules, model.decryption_rules) for r in rules)
    if negates:
        sentences.append("a negated destination matches every address of both families that is not in it")
    if has_literals or negates:
        sentences.append("no object on the device has an address as its name")
    if model.decryption_rules:
        sentences.append("no other rule of the decryption rulebase stands above these")
    names = sum(a.kind == "fqdn" for a in model.addresses)
    if names > FQDN_OBJECTS_SMALL:
        sentences.append(f"the platform holds {names} FQDN objects (small ones hold {FQDN_OBJECTS_SMALL})")
    existing = [
        f"{what} `{name}`"
        for what, name in (
            ("log forwarding profile", settings.log_setting),
            ("profile group", settings.profile_group),
            ("decryption profile", settings.decryption_profile),
        )
        if name is not None
    ]
    if existing:
        sentences.append(f"these exist on the device: {', '.join(existing)}")
    return tuple(sentences)


def _place_sentence(site: Site[Settings], place: Place) -> str:
    match place:
        case Top():
            return "these rules stand at the top of the rulebase, in this order (commands.set moves them there)"
        case Before(rule):
            return (
                f"no rule before `{rule}` decides, and these rules stand directly before it (commands.set moves them)"
            )
        case Unplaced():
            unbound = next(group.name for group in site.groups if group.is_unbound)
            return (
                f"no other rule decides before these: group `{unbound}` is unbound, so nothing moves them from the end "
                "of the rulebase"
            )
