"""The steps by which one part of a rule becomes what this firewall can say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.addresses import ALL, EMPTY, AddressSet, union_of
from egressc.anything import ANY, Anything
from egressc.approximate import (
    any_source,
    drop_account,
    drop_exceptions,
    drop_paths,
    expand_tags,
    gone,
    use_fallback,
    with_endpoints,
)
from egressc.diagnostics import Diagnostic
from egressc.lowering import Kind, Part, Recognition, Step
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, TagEndpoint
from egressc.reach import Reach
from egressc.reasons import Effect, Reason
from egressc.targets.iptables.domains import Widened, endpoints_of, whole_domains, widened
from egressc.targets.iptables.model import Mode

if TYPE_CHECKING:
    from egressc.policy import Endpoint
    from egressc.site import Site
    from egressc.targets.iptables.settings import Settings

_ACCOUNT = "a gateway does not see which process sends a packet"
_PATH = "a path cannot be seen in a packet, so the whole host is meant"
_LABEL = "dnsmasq knows whole domains only: a `*` elsewhere than in front becomes the domain behind it"
_APEX = "dnsmasq takes a domain together with what is below it"
_DEPTH = "dnsmasq takes a name together with what is below it"
_RESOLVED = "the name is known by the address that it resolved to, and other names may share that address"
_NO_NAMES = "`dns: none`: nothing resolves names here"


@dataclass(frozen=True, slots=True, eq=False)
class Shaped:
    """A part as this firewall can say it, and what its destination has become.

    For names: ``domains`` less ``excluded`` (with what is below each) and less the addresses ``holes``. For addresses:
    ``addresses``, or ``ANY``; ``origin`` tells those that stand in for tags or names from the rule's own. A part that
    is gone has neither.
    """

    part: Part
    domains: tuple[str, ...] = ()
    excluded: frozenset[str] = frozenset()
    holes: AddressSet = EMPTY
    addresses: AddressSet | Anything = EMPTY
    origin: str = ""

    @property
    def is_named(self) -> bool:
        """True if its destination is known by name."""
        return bool(self.domains)


class Shaper:
    """Shapes the parts of one site; keeps what rules with the same endpoints share."""

    def __init__(self, site: Site[Settings]) -> None:
        self._site = site
        self._settings = site.settings
        self._widened: dict[int, tuple[tuple[Endpoint, ...], Widened]] = {}

    def shaped(self, part: Part) -> list[Shaped | Diagnostic]:
        """What becomes of a part: one shape, or several where a fallback stands in; errors in their place."""
        if self._settings.mode is Mode.GATEWAY:
            part = drop_account(part, _ACCOUNT)
            unbound = [group.name for group in part.rule.groups if group.is_unbound]
            if unbound:
                part = any_source(part, f"the group `{unbound[0]}` has no networks, so any source is meant")
        if part.kind is not Kind.NAMES:
            return [self._addressed(part, "")]
        if self._settings.dns:
            return [self._named(part)]
        return [self._addressed(each, " fallback") for each in use_fallback(part, _NO_NAMES)]

    def _named(self, part: Part) -> Shaped | Diagnostic:
        start = part.start.endpoints
        part = drop_paths(part, _PATH)
        reach = part.reach
        assert reach is not None
        stages = self._stages(reach.endpoints)
        if not all(stages.domains):
            return Shaped(gone(part, Reason.NO_NAMES, "a host without a fixed end is in no domain"))
        excluded: frozenset[str] = frozenset()
        holes = EMPTY
        if reach.exceptions:
            known = self._known(part, reach.exceptions)
            if isinstance(known, Diagnostic):
                return known
            holes = known
            excluded, unsaid = whole_domains(reach.exceptions, start)
            if unsaid:
                part = drop_exceptions(part, _unsaid(unsaid), lambda e: e not in unsaid)
                assert part.reach is not None
                reach = part.reach
        return Shaped(_resolved(part, reach, stages, excluded), stages.domains, excluded, holes)

    def _stages(self, endpoints: tuple[Endpoint, ...]) -> Widened:
        found = self._widened.get(id(endpoints))
        if found is None:
            stages = widened([e.pattern for e in endpoints if isinstance(e, HostEndpoint)])
            # The endpoints are kept so that their id stays their own.
            found = self._widened[id(endpoints)] = (endpoints, stages)
        return found[1]

    def _addressed(self, part: Part, origin: str) -> Shaped | Diagnostic:
        if part.kind is Kind.TAGS:
            origin += " tags"
        expanded = expand_tags(part, self._site)
        if isinstance(expanded, Diagnostic):
            return expanded
        part = expanded
        reach = part.reach
        if reach is None:
            return Shaped(part)
        excluded = EMPTY
        if reach.exceptions:
            known = self._known(part, reach.exceptions)
            if isinstance(known, Diagnostic):
                return known
            excluded = known
            part = drop_exceptions(
                part,
                "an exception by name cannot be taken out of addresses",
                lambda e: not isinstance(e, HostEndpoint),
            )
        if any(isinstance(e, AnyAddressEndpoint) for e in reach.endpoints):
            return Shaped(part, addresses=ANY if excluded.is_empty else ALL.difference(excluded), origin=origin)
        whole = union_of(e.addresses for e in reach.endpoints if isinstance(e, AddressEndpoint))
        left = whole.difference(excluded) if not excluded.is_empty else whole
        return Shaped(part, addresses=ANY if left == ALL else left, origin=origin)

    def _known(self, part: Part, exceptions: tuple[Endpoint, ...]) -> AddressSet | Diagnostic:
        """The addresses among the exceptions, service tags expanded."""
        held = []
        for endpoint in exceptions:
            match endpoint:
                case AddressEndpoint():
                    held.append(endpoint.addresses)
                case AnyAddressEndpoint():
                    held.append(ALL)
                case TagEndpoint():
                    expanded = expand_tags(_tagged(part, endpoint), self._site)
                    if isinstance(expanded, Diagnostic):
                        return expanded
                    held.append(self._site.tags[endpoint.name.lower()])
                case HostEndpoint():
                    pass
        return union_of(held)


def _resolved(part: Part, reach: Reach, stages: Widened, excluded: frozenset[str]) -> Part:
    """The part with whole domains, known by the addresses that they resolve to.

    The toolbox has these steps too, one part for each; this is most of what lowering costs, so here they are one.
    """
    steps = list(part.steps)
    exceptions = _with_domains(reach.exceptions, excluded)
    groups, accounts, ports, families = reach.groups, reach.accounts, reach.ports, reach.source_families
    for endpoints, reason, sentence in (
        (stages.plain, Reason.LABEL_WILDCARD, _LABEL),
        (stages.apexes, Reason.APEX, _APEX),
        (stages.whole, Reason.DEPTH, _DEPTH),
    ):
        if endpoints is not None:
            # What a domain takes along from an exception was none of the rule's hosts, so nothing is lost here.
            after = Reach(groups, accounts, endpoints, exceptions, ports, reach.shared, families)
            steps.append(Step(reason, Effect.WIDER, sentence, reach, after))
            reach = after
    if not part.rule.is_deny:
        # A deny is said by taking its names out of sets, which leaves the names that share their addresses alone.
        after = Reach(groups, accounts, reach.endpoints, reach.exceptions, ports, True, families)  # noqa: FBT003
        steps.append(Step(Reason.RESOLVED_ADDRESS, Effect.WIDER, _RESOLVED, reach, after))
        reach = after
    return Part(part.rule, part.kind, Recognition.DNS, part.services, part.start, reach, tuple(steps))


def _tagged(part: Part, endpoint: TagEndpoint) -> Part:
    """A part for one service tag, to ask what its addresses are."""
    reach = with_endpoints(part.start, (endpoint,))
    return Part(part.rule, Kind.TAGS, part.recognition, part.services, reach, reach)


def _with_domains(exceptions: tuple[Endpoint, ...], excluded: frozenset[str]) -> tuple[Endpoint, ...]:
    if not excluded:
        return exceptions
    rest = [e for e in exceptions if not isinstance(e, HostEndpoint)]
    return (*endpoints_of(excluded), *rest)


def _unsaid(endpoints: tuple[Endpoint, ...]) -> str:
    first = endpoints[0]
    if isinstance(first, HostEndpoint) and first.path is not None:
        return f"the exception `{first.text}` has a path, which cannot be seen in a packet"
    if isinstance(first, HostEndpoint) and first.pattern.is_tree:
        deep = first.pattern.deep
        also = ".".join(first.pattern.labels) if deep else f"*.{first.text}"
        return f"leaving out `{first.text}` would leave out `{also}` too, which the rule allows: except both or neither"
    return f"the exception `{first.text}` is no whole domain"
