"""Near misses: rules that would match a flow but for exactly one thing, and which."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from egressc.addresses import ALL
from egressc.anything import Anything
from egressc.flows import EVERY, addresses_of, boxes
from egressc.flows_search import in_both
from egressc.hosts import intersects
from egressc.policy import AddressEndpoint, HostEndpoint, TagEndpoint, TemplateEndpoint
from egressc.question import exactly
from egressc.question_hosts import HostMiss, why_not
from egressc.reach import Reach
from egressc.services import ALL_PORTS, PortSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from egressc.bind import Prepared
    from egressc.flows import Box
    from egressc.policy import Endpoint, Rule
    from egressc.question import Question
    from egressc.rule_index import RuleIndex
    from egressc.site import BoundRule, Site


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that would match but for one thing: ``what`` in a word, ``sentence`` in words.

    ``is_far`` is true for a host whose label looks nothing like the one that is asked for.
    """

    rule: Rule
    part: str
    what: str
    sentence: str
    is_far: bool = False


def near_misses(
    prepared: Prepared, whole: Site[None], question: Question, matching: Sequence[BoundRule]
) -> tuple[NearMiss, ...]:
    """The rules that match none of the flows and would but for one thing, each once, in the order of the policy.

    Where the question leaves open to which address the name resolves, it is one that no rule names: a rule for
    addresses lacks that, too.
    """
    if question.to.is_open and question.to.pattern is not None:
        question = question.at(whole.index.allows.unnamed.intersection(whole.index.denies.unnamed))
    some = question.boxes()
    known = set(matching)
    found: dict[tuple[str, str], NearMiss] = {}
    for miss in _left_out(prepared, whole, question, some):
        found.setdefault((miss.rule.identity, miss.part), miss)
    for what, relaxed, tell in _relaxed(whole.index, question, some):
        for rule in _meeting(whole.index, relaxed):
            told = None if rule in known else tell(rule)
            if told is None:
                continue
            sentence, is_far = (told.sentence, told.is_far) if isinstance(told, HostMiss) else (told, False)
            found.setdefault((rule.identity, rule.part), NearMiss(rule.rule, rule.part, what, sentence, is_far))
    return tuple(found[key] for key in sorted(found))


def _meeting(index: RuleIndex, some: Sequence[Box]) -> Iterator[BoundRule]:
    yield from (index.deny_rules[number] for number in index.denies.meeting_boxes(some))
    yield from (index.allow_rules[number] for number in index.allows.meeting_boxes(some))


_Relaxed = tuple[str, "Sequence[Box]", "Callable[[BoundRule], str | HostMiss | None]"]


def _relaxed(index: RuleIndex, question: Question, some: Sequence[Box]) -> Iterator[_Relaxed]:
    """The question with one thing left open at a time, and what to say of a rule that matches then."""
    who, to = question.who, question.to
    ports = _one_off(to.ports)
    yield "port", [replace(box, ports=ports) for box in some], lambda rule: _port(question, rule)
    if who.account is not None:
        yield "account", [replace(box, accounts=EVERY) for box in some], lambda rule: _account(who.account, rule)
    yield "group", [replace(box, groups=EVERY) for box in some], lambda rule: _group(question, rule)
    if to.path is not None and to.pattern is not None:
        tests = ((to.pattern, None),)
        yield "path", [replace(box, inside=tests) for box in some], lambda rule: _path(question, rule)
    if to.addresses.size == 1:
        yield "address", [replace(box, addresses=ALL) for box in some], lambda rule: _address(index, question, rule)
    pattern = to.pattern
    if pattern is not None and pattern.is_exact:
        # Without the name: every rule for these senders and ports. Of those, the ones whose names are near.
        free = [replace(box, inside=()) for box in some]
        yield "host", free, lambda rule: _host(index, question, rule, free)


def _one_off(ports: PortSet) -> PortSet:
    """The ports that differ in one thing: other numbers of the same transport, or the same numbers of the other."""
    return PortSet(
        tcp=ALL_PORTS.tcp if ports.tcp else ports.udp,
        udp=ALL_PORTS.udp if ports.udp else ports.tcp,
    )


def _port(question: Question, rule: BoundRule) -> str:
    ports = question.to.ports
    transport = "udp" if ports.udp else "tcp"
    written = " ".join(service.text for service in rule.services)
    return f"port {ports.text if ports.size > 1 else _one(ports, transport, rule)} is not in `ports {written}`"


def _one(ports: PortSet, transport: str, rule: BoundRule) -> str:
    """The port alone where the rule is for the same transport, else with its transport."""
    number = ports.transport(transport)[0][0]
    same = any(service.transport == transport for service in rule.services)
    return str(number) if same else f"{number}/{transport}"


def _account(account: str | None, rule: BoundRule) -> str:
    assert not isinstance(rule.rule.accounts, Anything), "it would match"
    return f"account `{account}` is not in `as {' '.join(each.name for each in rule.rule.accounts)}`"


def _group(question: Question, rule: BoundRule) -> str:
    if rule.part:
        # The rule may be for the group too, with other values of its parameters.
        return f"it matches for group `{rule.part}`, by the parameters of that group"
    return f"{_senders(question)} not in `from {_from(rule.rule)}`"


def _senders(question: Question) -> str:
    names = [sender.group for sender in question.who.senders]
    return f"group `{names[0]}` is" if len(names) == 1 else f"groups {', '.join(f'`{n}`' for n in names)} are"


def _from(rule: Rule) -> str:
    return "any-group" if isinstance(rule.groups, Anything) else " ".join(group.name for group in rule.groups)


def _path(question: Question, rule: BoundRule) -> str:
    pattern = question.to.pattern
    assert pattern is not None, "a path has a host"
    paths = [
        endpoint.text
        for endpoint in rule.endpoints
        if isinstance(endpoint, HostEndpoint) and endpoint.path is not None and intersects(endpoint.pattern, pattern)
    ]
    if not paths:
        return f"path `{question.to.path}` is in its `except`"
    return f"path `{question.to.path}` is not at or below {_quoted(paths)}"


def _address(index: RuleIndex, question: Question, rule: BoundRule) -> str:
    asked = question.to.addresses
    # In the words of the policy: what is bound has no addresses that an exception takes out.
    to = rule.rule.to
    listed = [e.text for e in to.endpoints if isinstance(e, (AddressEndpoint, TagEndpoint))]
    for endpoint in _plain(to.exceptions):
        held = None if isinstance(endpoint, HostEndpoint) else addresses_of(endpoint, index.tags)
        if held is not None and held.overlaps(asked):
            return f"{asked.text} is in its `except {endpoint.text}`"
    return f"{asked.text} is not in {_quoted(listed)}"


def _host(index: RuleIndex, question: Question, rule: BoundRule, free: Sequence[Box]) -> HostMiss | None:
    """How the rule misses the host, if by nothing else: with the host that is meant there it matches.

    Of several endpoints that are near, one whose label is alike.
    """
    pattern, path = question.to.pattern, question.to.path
    assert pattern is not None, "asked of a host"
    far: HostMiss | None = None
    for endpoint in rule.endpoints:
        miss = why_not(endpoint.pattern, pattern) if isinstance(endpoint, HostEndpoint) else None
        if miss is None or (miss.is_far and far is not None):
            continue
        tests = ((miss.meant, None if path is None else exactly(path)),)
        alone = tuple(boxes(replace(rule.reach, endpoints=(endpoint,)), index.tags))
        if in_both([replace(box, inside=tests) for box in free], alone):
            if not miss.is_far:
                return miss
            far = miss
    return far


def _quoted(texts: Sequence[str]) -> str:
    shown = ", ".join(f"`{text}`" for text in texts[:4])
    return f"{shown}, …" if len(texts) > 4 else shown


def _left_out(prepared: Prepared, whole: Site[None], question: Question, some: Sequence[Box]) -> Iterator[NearMiss]:
    """Rules that are not in force for these groups, and rules whose exceptions take the flows out."""
    in_force = {id(rule) for rule in prepared.rules}
    names = {sender.group for sender in question.who.senders}
    groups = [sender.group for sender in question.who.senders]
    for rule in prepared.policy.rules:
        expired = id(rule) not in in_force
        # Whatever the groups lack, an expired rule has ended for all of them: then it lacks two things.
        lacking = [] if rule.feature is None else _lacking(prepared, groups, rule.feature)
        if expired and not lacking and rule.expires is not None:
            for part, reach in _reaches(prepared, rule, names):
                if in_both(boxes(reach, whole.tags), some):
                    yield NearMiss(rule, part, "expired", f"it expired on {rule.expires.isoformat()}")
        elif lacking and not expired:
            for part, reach in _reaches(prepared, rule, frozenset(lacking)):
                if in_both(boxes(reach, whole.tags), some):
                    whose = ", ".join(f"`{name}`" for name in lacking)
                    yield NearMiss(rule, part, "feature", f"{whose} does not list the feature `{rule.feature}`")
        elif rule.to.exceptions and not expired:
            yield from _excepted(prepared, whole, rule, names, some)


def _lacking(prepared: Prepared, names: Sequence[str], feature: str) -> list[str]:
    groups = {name: prepared.inventory.group(name) for name in names}
    return [name for name, group in groups.items() if group is None or feature not in group.features]


def _excepted(
    prepared: Prepared, whole: Site[None], rule: Rule, names: set[str], some: Sequence[Box]
) -> Iterator[NearMiss]:
    for part, reach in _reaches(prepared, rule, names, exceptions=False):
        if not in_both(boxes(reach, whole.tags), some):
            continue
        with_them = _reaches(prepared, rule, names)
        if any(in_both(boxes(each, whole.tags), some) for _, each in with_them):
            continue
        written = _quoted([each.text for each in rule.to.exceptions])
        yield NearMiss(rule, part, "except", f"its `except` takes it out ({written})")


def _reaches(
    prepared: Prepared, rule: Rule, names: set[str] | frozenset[str], *, exceptions: bool = True
) -> Iterator[tuple[str, Reach]]:
    """What a rule would match for some groups if it were in force for them, by the group that fills its parameters.

    Without ``exceptions`` as if it had none.
    """
    inventory = prepared.inventory
    wanted = names
    if not isinstance(rule.groups, Anything):
        written = {group.name for group in rule.groups}
        held = written if inventory.source is None else {group.name for group in inventory.leaves(written)}
        wanted = frozenset(names) & held
    accounts = rule.accounts if isinstance(rule.accounts, Anything) else frozenset(a.name for a in rule.accounts)
    ports = PortSet.of(rule.services)
    stated = rule if exceptions else replace(rule, to=replace(rule.to, exceptions=()))
    for name in sorted(wanted):
        group = inventory.group(name)
        whole: tuple[Endpoint, ...]
        out: tuple[Endpoint, ...]
        if group is not None:
            filled = prepared.filler.filled(stated, group)
            whole, out = filled.endpoints, filled.exceptions
        else:
            whole, out = _plain(stated.to.endpoints), _plain(stated.to.exceptions)
        if whole:
            yield name if rule.to.has_parameters else "", Reach(frozenset((name,)), accounts, whole, out, ports)


def _plain(endpoints: tuple[Endpoint | TemplateEndpoint, ...]) -> tuple[Endpoint, ...]:
    """Those that wait for no parameter."""
    return tuple([each for each in endpoints if not isinstance(each, TemplateEndpoint)])
