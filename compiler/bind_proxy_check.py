"""What is wrong between a policy and the proxies of an inventory: their ``bypass`` lists, and denies in their way."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from egressc.anything import ANY, Anything
from egressc.bind_proxy import are_same
from egressc.diagnostics import Diagnostic, Related
from egressc.flows import boxes
from egressc.flows_search import difference, in_both, witness
from egressc.hosts import HostPattern
from egressc.policy import Action, AddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reach import Reach
from egressc.services import PortSet
from egressc.suggest import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from egressc.bind_cut import Unsaid
    from egressc.bind_proxy import Behind, Proxies
    from egressc.fill import Filler
    from egressc.flows import Box
    from egressc.inventory import Group, Inventory
    from egressc.inventory_proxy import Bypass
    from egressc.policy import Endpoint, EndpointSet, Policy, Rule

_COMPARED: Final = 2000
"""How many rules a pattern that matches none is compared with, to find the one that was meant."""

_LISTED: Final = 12
"""So many sets are listed where no near name was meant."""

_SHOWN: Final = 80
"""So much of an endpoint is shown: one of addresses may hold thousands."""

_NO_NAME: Final = ((HostPattern((), deep=True), None),)
"""What a connection to a proxy passes none of: it shows no name of its own."""


def proxy_problems(
    policy: Policy,
    inventory: Inventory,
    rules: Sequence[Rule],
    proxies: Proxies,
    filler: Filler,
    groups_of: Callable[[Rule], tuple[Group, ...]],
) -> Iterator[Diagnostic]:
    """Errors and warnings about the groups behind a proxy that rules are for; ``rules`` are those in force.

    A group that no rule of this run is for is passed over: a part of the policies may be compiled alone, and then lacks
    the sets and rules that the others hold.
    """
    stated: dict[str, list[Rule]] = {}
    for rule in policy.rules:
        for group in groups_of(rule):
            if proxies.of(group.name) is not None:
                stated.setdefault(group.name, []).append(rule)
    in_force = {id(rule) for rule in rules}
    for group in inventory.groups:
        behind = proxies.of(group.name)
        mine = stated.get(group.name)
        if behind is None or mine is None:
            continue
        allows = [rule for rule in mine if rule.action is Action.ALLOW]
        yield from _items(policy, behind, allows, filler)
        yield from _unsaid(behind, [rule for rule in allows if id(rule) in in_force], proxies, filler)
        denies = [rule for rule in mine if rule.action is Action.DENY]
        if any(id(rule) in in_force for rule in allows):
            yield from _denied(behind, denies, proxies, filler, inventory)


def _items(policy: Policy, behind: Behind, allows: Sequence[Rule], filler: Filler) -> Iterator[Diagnostic]:
    """What is wrong with the items of a ``bypass``: they name nothing, more than one thing, or nothing of the group."""
    named = {each.item.text: each for each in behind.sets}
    for item in behind.proxy.bypass:
        if item.is_pattern:
            if not any(r.action is Action.ALLOW and item.covers(r.identity) for r in policy.rules):
                yield _no_rule(item, policy)
            elif not any(item.covers(rule.identity) for rule in allows):
                yield _idle(item, behind, "none of the rules that it names is for this group")
        elif item.text in named:
            within = named[item.text].within
            if named[item.text].failed:
                continue
            filled = {id(f): f for f in (filler.filled(rule, behind.group) for rule in allows)}
            if not any((c := within.cut(f.endpoints, paths=True)).endpoints or c.unsaid for f in filled.values()):
                yield _idle(item, behind, "no rule for this group has a destination that is in it")
        else:
            sets = [each for each in policy.sets if each.name == item.text]
            yield _several(item, sets) if sets and not are_same(sets) else _no_set(item, policy)


def _no_rule(item: Bypass, policy: Policy) -> Diagnostic:
    denied = any(item.covers(rule.identity) for rule in policy.rules)
    identities = sorted({rule.identity for rule in policy.rules if rule.action is Action.ALLOW})
    near = nearest(item.text, identities[:_COMPARED])
    help_ = f"did you mean `{near}`?" if near else "a rule is `POLICY/RULE` or `POLICY/INCLUDED/RULE`, `*` is any text"
    if denied:
        help_ = "only denies are called so, and what is denied goes nowhere: name an allow"
    elif not near and "." in item.text:
        help_ = _HOSTS
    return Diagnostic(
        code="E0438",
        message=f"no allow of this run is called `{item.text}`",
        span=item.span,
        label="no rule matches",
        help=help_,
    )


_HOSTS = "hosts and addresses stand in an endpoint set of a policy file: name that set here, or a rule"


def _no_set(item: Bypass, policy: Policy) -> Diagnostic:
    names = sorted({each.name for each in policy.sets})
    near = nearest(item.text, names)
    help_ = "this run has no endpoint sets; name rules, such as `POLICY/RULE`"
    if names:
        help_ = "the endpoint sets are " + ", ".join(f"`{name}`" for name in names)
        if len(names) > _LISTED:
            help_ = "an endpoint set is defined with `endpoints NAME { … }` in a policy file; rules are `POLICY/RULE`"
    if near:
        help_ = f"did you mean `{near}`?"
    elif "." in item.text or ":" in item.text:
        help_ = _HOSTS
    return Diagnostic(
        code="E0438",
        message=f"no endpoint set of this run is called `{item.text}`",
        span=item.span,
        label="not defined in any file",
        help=help_,
    )


def _several(item: Bypass, sets: Sequence[EndpointSet]) -> Diagnostic:
    return Diagnostic(
        code="E0438",
        message=f"{len(sets)} different endpoint sets are called `{item.text}`",
        span=item.span,
        label="which of them is meant?",
        help="rename all but one of them",
        related=tuple(Related(span=each.span, text="defined here") for each in sets[:3]),
    )


def _idle(item: Bypass, behind: Behind, why: str) -> Diagnostic:
    return Diagnostic(
        code="W0444",
        message=f"`{item.text}` lets group `{behind.group.name}` reach nothing directly: {why}",
        span=item.span,
        label="does nothing",
        help="names are compared with names and addresses with addresses; remove it, or correct the rule",
    )


def _unsaid(behind: Behind, allows: Iterable[Rule], proxies: Proxies, filler: Filler) -> Iterator[Diagnostic]:
    """An error for each rule of which the part in a set cannot be said, and that no other item lets through whole."""
    told: set[tuple[str, str]] = set()
    for rule in allows:
        if behind.names(rule.identity):
            continue
        for pair in proxies.cut(rule, behind, filler.filled(rule, behind.group))[1]:
            item = _item_of(pair.other, behind)
            key = (rule.identity, "" if item is None else item.text)
            if key not in told:
                told.add(key)
                yield _cannot_be_said(rule, pair, behind, item)


def _item_of(endpoint: Endpoint, behind: Behind) -> Bypass | None:
    """The item of a ``bypass`` that an endpoint comes from."""
    for each in behind.sets:
        if endpoint in each.within.endpoints:
            return each.item
    for each in behind.sets:
        if isinstance(endpoint, AddressEndpoint) and any(isinstance(e, AddressEndpoint) for e in each.within.endpoints):
            return each.item
    return None


def _cannot_be_said(rule: Rule, pair: Unsaid, behind: Behind, item: Bypass | None) -> Diagnostic:
    mine, other = _shown(pair.endpoint), _shown(pair.other)
    return Diagnostic(
        code="E0441",
        message=f"what of `{rule.identity}` goes past the proxy of `{behind.group.name}` cannot be said: "
        f"`{mine}` and `{other}` overlap, and {pair.why}",
        span=behind.proxy.span if item is None else item.span,
        label="this set" if item is not None else "this `bypass`",
        help=f"name `{rule.identity}` in `bypass` if all of it goes directly; else split the rule or the set",
        related=(Related(span=rule.span, text="the rule"),),
    )


def _shown(endpoint: Endpoint) -> str:
    text = endpoint.text
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _denied(
    behind: Behind, denies: Iterable[Rule], proxies: Proxies, filler: Filler, inventory: Inventory
) -> Iterator[Diagnostic]:
    """An error if denies block the proxy, a warning for each that blocks a part of the way there.

    A deny of names is none of them: what it denies is to be denied through the proxy, too.
    """
    proxy = behind.proxy
    ports = PortSet.of(behind.rule.services)
    group = frozenset((behind.group.name,))
    way = [
        replace(box, outside=_NO_NAME)
        for box in boxes(Reach(group, ANY, (AddressEndpoint(proxy.address_set),), (), ports), proxies.tags)
    ]
    is_internal = inventory.internal.contains(proxy.address_set)
    blocking: list[tuple[Rule, list[Box]]] = []
    for rule in denies:
        if not PortSet.of(rule.services).overlaps(ports):
            continue
        filled = filler.filled(rule, behind.group)
        # The addresses of service tags are Azure's: one that nobody knows is not taken for an internal one.
        named = tuple(
            e
            for e in filled.endpoints
            if not isinstance(e, HostEndpoint)
            and not (is_internal and isinstance(e, TagEndpoint) and e.name.lower() not in proxies.tags)
        )
        whose = rule.accounts if isinstance(rule.accounts, Anything) else frozenset(a.name for a in rule.accounts)
        held = list(boxes(Reach(group, whose, named, filled.exceptions, PortSet.of(rule.services)), proxies.tags))
        if witness(in_both(way, held), ()) is not None:
            blocking.append((rule, held))
    if not blocking:
        return
    if witness(difference(way, [box for _, held in blocking for box in held]), ()) is None:
        yield Diagnostic(
            code="E0442",
            message=f"group `{behind.group.name}` cannot reach its proxy {proxy.text}: a deny is stronger",
            span=proxy.span,
            label="everything that is not in `bypass` is lost",
            help="take the proxy out of the deny with `except`, or the group out of its `from`",
            related=tuple(Related(span=rule.span, text=f"`{rule.identity}` denies it") for rule, _ in blocking[:3]),
        )
        return
    for rule, _ in blocking:
        yield Diagnostic(
            code="W0443",
            message=f"`{rule.identity}` denies a part of what group `{behind.group.name}` sends to its proxy "
            f"{proxy.text}",
            span=proxy.span,
            label="not all of it is reached by everyone",
            help="take the proxy out of the deny with `except`, if that is not meant",
            related=(Related(span=rule.span, text="this deny"),),
        )
