"""# W0808: an exemption from TLS inspection that is wider than its neighbours (`wide-exemption`)

`no-tls-inspection` on a rule takes all its flows out of inspection, also where another rule allows them without asking
for that. Told is

* an exemption for every address: nothing that these hosts send is looked into any more;
* an exemption for a wildcard or a network that holds what another rule reaches without an exemption: whoever wrote that
  rule may count on the inspection.

An exemption belongs to the hosts that need it: a client certificate, a pinned certificate, a vendor's demand.

## Wrong

```egress
policy dublin "Outbound access of the Dublin servers" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress"
    from      connectors

    allow updates "Updates, whose certificates are pinned" {
        to    *.vendor.example.com
        ports 443/https
        no-tls-inspection
    }
    allow support "Uploads to the support of the vendor" {
        to    upload.vendor.example.com
        ports 443/https
    }
}
```

## Instead

```egress
policy dublin "Outbound access of the Dublin servers" {
    owner     "network-security@contoso.example"
    reference "https://wiki.contoso.example/egress"
    from      connectors

    allow updates "Updates, whose certificates are pinned" {
        to    *.updates.vendor.example.com
        ports 443/https
        no-tls-inspection
    }
    allow support "Uploads to the support of the vendor" {
        to    upload.vendor.example.com
        ports 443/https
    }
}
```
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from egressc.addresses import ALL
from egressc.diagnostics import Related
from egressc.flows import addresses_of
from egressc.flows_index import FlowIndex
from egressc.hosts import contains
from egressc.lint.rule import Finding
from egressc.policy import HostEndpoint, Inspection
from egressc.tls import tls_reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from egressc.addresses import AddressSet
    from egressc.flows import Flow
    from egressc.lint.subject import Subject
    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.site import BoundRule
    from egressc.source import Span

NAME = "wide-exemption"
CODE = "W0808"

_NAMED: Final = 3
_APART: Final = 8


def check(subject: Subject) -> Iterator[Finding]:
    """The exemptions for every address, and those that take in what others reach without one."""
    exempt: list[tuple[BoundRule, Reach]] = []
    for rule in subject.index.allow_rules:
        reach = tls_reach(rule) if rule.rule.inspection is Inspection.MUST_NOT else None
        if reach is not None:
            exempt.append((rule, reach))
    if not exempt:
        return
    told: set[Span] = set()
    for rule, reach in exempt:
        everywhere = [e for e in reach.endpoints if _is_everywhere(e)]
        if everywhere and rule.rule.span not in told:
            told.add(rule.rule.span)
            yield Finding(
                message=f"`{rule.identity}` exempts every address from TLS inspection",
                span=rule.rule.span,
                label=f"`no-tls-inspection` to `{everywhere[0].text}`",
                help="name the hosts that need the exemption in a rule of their own",
            )
    yield from _Neighbours(subject, [(r, e) for r, e in exempt if r.rule.span not in told]).findings()


def _is_everywhere(endpoint: Endpoint) -> bool:
    """True for all addresses, or all of one IP version."""
    held = None if isinstance(endpoint, HostEndpoint) else addresses_of(endpoint, {})
    return held is not None and (held.contains(ALL.family(4)) or held.contains(ALL.family(6)))


class _Neighbours:
    """Exemptions, found by the group and what they hold."""

    def __init__(self, subject: Subject, exempt: Sequence[tuple[BoundRule, Reach]]) -> None:
        self._subject = subject
        self._rules: dict[str, list[tuple[BoundRule, Reach]]] = {"": []}
        for rule, reach in exempt:
            names = [group.name for group in rule.groups]
            for name in names if len(names) <= _APART else ("",):
                self._rules.setdefault(name, []).append((rule, reach))
        self._every = exempt
        self._indexes: dict[str | None, FlowIndex] = {}
        self._found: dict[Span, dict[Span, tuple[BoundRule, BoundRule, Endpoint, Flow]]] = {}

    def findings(self) -> Iterator[Finding]:
        """One for each exemption that takes in something of another rule."""
        for rule in self._subject.index.allow_rules:
            reach = tls_reach(rule) if rule.rule.inspection is Inspection.MAY else None
            if reach is not None:
                for endpoint in reach.endpoints:
                    self._look(rule, replace(reach, endpoints=(endpoint,)), endpoint)
        for span, met in self._found.items():
            rule, _, held, flow = next(iter(met.values()))
            others = sorted({other.identity for _, other, _, _ in met.values()})
            names = ", ".join(f"`{name}`" for name in others[:_NAMED]) + (" and more" if len(others) > _NAMED else "")
            yield Finding(
                message=f"the exemption of `{rule.identity}` takes in flows of {names}",
                span=span,
                label=f"`{held.text}` is exempted, e.g. {flow.text}",
                help="exempt only the hosts that need it, or say `no-tls-inspection` there too",
                related=tuple([Related(span=place, text="asks for no exemption") for place in list(met)[:_NAMED]]),
                also=tuple(met),
            )

    def _look(self, rule: BoundRule, reach: Reach, endpoint: Endpoint) -> None:
        """Note the exemptions that hold an endpoint of a rule and more."""
        for name in self._groups_of(rule):
            exempt = self._every if name is None else self._rules.get(name, ())
            for number in self._near(name, exempt, endpoint):
                wide, wider = exempt[number]
                met = self._found.get(wide.rule.span, {})
                if len(met) > _NAMED or rule.rule.span in met:
                    continue
                held = next((e for e in wider.endpoints if _is_wider(e, endpoint, self._subject.site.tags)), None)
                if held is None:
                    continue
                flow = self._subject.index.overlap(replace(wider, endpoints=(held,)), reach)
                if flow is not None:
                    found = self._found.setdefault(wide.rule.span, {})
                    found[rule.rule.span] = (wide, rule, held, flow)

    def _groups_of(self, rule: BoundRule) -> Sequence[str | None]:
        names = [group.name for group in rule.groups]
        return [*names, ""] if len(names) <= _APART else [None]

    def _near(self, name: str | None, exempt: Sequence[tuple[BoundRule, Reach]], endpoint: Endpoint) -> list[int]:
        if not exempt:
            return []
        index = self._indexes.get(name)
        if index is None:
            index = self._indexes[name] = FlowIndex([reach for _, reach in exempt], self._subject.site.tags)
        if isinstance(endpoint, HostEndpoint):
            return sorted(set(index.names.containing(endpoint.pattern)))
        held = addresses_of(endpoint, self._subject.site.tags)
        return [] if held is None else sorted(set(index.by_address(held)))


def _is_wider(wide: Endpoint, narrow: Endpoint, tags: Mapping[str, AddressSet]) -> bool:
    """True if the first holds the second and more, both by name or both by address."""
    if isinstance(wide, HostEndpoint) or isinstance(narrow, HostEndpoint):
        if not (isinstance(wide, HostEndpoint) and isinstance(narrow, HostEndpoint)):
            return False
        return wide.path is None and wide.pattern != narrow.pattern and contains(wide.pattern, narrow.pattern)
    held, part = addresses_of(wide, tags), addresses_of(narrow, tags)
    return held is not None and part is not None and held != part and held.contains(part)
