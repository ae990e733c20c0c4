"""Ways to break the lowering or the renderer of Azure Firewall: each function patches one of them in memory.

For the policy of `proof_policies`. The second line of each docstring says what the proof must find, and for which rule.
"""

from __future__ import annotations

from dataclasses import replace

from egressc.anything import ANY
from egressc.hosts import HostPattern
from egressc.services import PortSet
from egressc.targets.azure_firewall import draft, fqdn, layout, lower, lower_except, lower_names, render, write
from egressc.targets.azure_firewall.draft import Band, Form
from egressc.targets.azure_firewall.model import ApplicationRule, NetworkRule, Protocol, ProtocolType, Sources, Verdict


def _model(monkeypatch, change):
    """The renderer is given a model that went through `change`."""
    whole = render.render

    def rendered(model):
        changed = change(model)
        assert changed != model, "nothing was broken"
        return whole(changed)

    monkeypatch.setattr(render, "render", rendered)


def _collections(monkeypatch, change):
    """Every collection goes through `change`, which gives those that are written in its place."""

    def changed(model):
        groups = tuple(
            replace(group, collections=tuple(new for each in group.collections for new in change(each)))
            for group in model.groups
        )
        return replace(model, groups=groups)

    _model(monkeypatch, changed)


def _rules(monkeypatch, change):
    """Every rule goes through `change`, which gives those that are written in its place."""
    _collections(
        monkeypatch, lambda each: [replace(each, rules=tuple(new for rule in each.rules for new in change(rule)))]
    )


def _application(monkeypatch, **fields):
    """Every application rule is written with fields that these functions work out from it."""
    _rules(
        monkeypatch,
        lambda rule: [
            replace(rule, **{name: work(rule) for name, work in fields.items()})
            if isinstance(rule, ApplicationRule)
            else rule
        ],
    )


def _network(monkeypatch, **fields):
    """Every network rule is written with fields that these functions work out from it."""
    _rules(
        monkeypatch,
        lambda rule: [
            replace(rule, **{name: work(rule) for name, work in fields.items()})
            if isinstance(rule, NetworkRule)
            else rule
        ],
    )


def break_sources_lost(monkeypatch):
    """The renderer writes any source in network rules.

    Undecided: other sources, at the deny `main/partner-hole`; allows more: the same, at `main/by-address`.
    """
    _network(monkeypatch, sources=lambda _: Sources(("*",)))


def break_source_list_lost_its_last(monkeypatch):
    """The renderer leaves out the last of several sources.

    Unknown: the servers, for which the closing deny is gone; allows less: `both/portal` from the servers.
    """
    _application(monkeypatch, sources=lambda rule: Sources(rule.sources.addresses[:1]))


def break_sources_missing(monkeypatch):
    """The renderer writes no sources for network rules.

    Unknown: what such a rule matches.
    """
    text = render._sources
    monkeypatch.setattr(render, "_sources", lambda sources: text(sources).replace("sourceAddresses", "sourceAdresses"))


def break_deny_turned_allow(monkeypatch):
    """The renderer writes `Allow` for collections that deny addresses.

    Allows more: `main/partner-hole`.
    """
    _collections(monkeypatch, lambda each: [replace(each, action=Verdict.ALLOW) if each.name == "net-deny" else each])


def break_allow_turned_deny(monkeypatch):
    """The renderer writes `Deny` for the collections that allow names.

    Allows less: `main/cloud`.
    """
    _collections(monkeypatch, lambda each: [replace(each, action=Verdict.DENY) if each.name == "app-allow" else each])


def break_action_flipped(monkeypatch):
    """The renderer flips every action.

    Allows more: the denies; allows less: the allows.
    """
    flip = {Verdict.ALLOW: Verdict.DENY, Verdict.DENY: Verdict.ALLOW}
    _collections(monkeypatch, lambda each: [replace(each, action=flip[each.action])])


def break_deny_behind_its_allow(monkeypatch):
    """The layout puts the denies behind the allows.

    Allows more: `main/partner-hole`, `main/old-queue`.
    """
    monkeypatch.setitem(layout._SLOTS, Band.DENY, (950, 20))


def break_exception_behind_its_allow(monkeypatch):
    """The layout puts the deny of an exception behind its allow.

    Allows more: the exception of `more/files`.
    """
    whole = layout._pair_collections

    def reversed_(pair, start):
        collections = whole(pair, start)
        priorities = [each.priority for each in collections]
        return [replace(each, priority=p) for each, p in zip(collections, reversed(priorities), strict=True)]

    monkeypatch.setattr(layout, "_pair_collections", reversed_)


def break_pairs_before_the_exemptions(monkeypatch):
    """The layout counts priorities of groups backwards.

    Allows more: the denies, behind what they deny.
    """
    _model(
        monkeypatch,
        lambda model: replace(model, groups=tuple(replace(g, priority=3000 - g.priority) for g in model.groups)),
    )


def break_wildcard_without_its_dot(monkeypatch):
    """The renderer writes `*x` for `*.x`.

    Allows more: `cloud.example.com` and `evilcloud.example.com`, by `main/cloud`.
    """
    _application(monkeypatch, fqdns=lambda rule: tuple(f"*{t[2:]}" if t.startswith("*.") else t for t in rule.fqdns))


def break_wildcard_became_its_apex(monkeypatch):
    """The renderer writes `x` for `*.x`.

    Allows more: `cloud.example.com`, by `main/cloud`; allows less: `main/cloud`.
    """
    _application(monkeypatch, fqdns=lambda rule: tuple(t.removeprefix("*.") for t in rule.fqdns))


def break_star_for_a_list(monkeypatch):
    """The renderer writes `*` where a rule has several names.

    Allows more: any name, by `main/cloud`.
    """
    _application(monkeypatch, fqdns=lambda rule: ("*",) if len(rule.fqdns) > 1 else rule.fqdns)


def break_star_for_addresses(monkeypatch):
    """The renderer writes `*` for destination addresses.

    Allows less: `main/by-address`, which the deny `main/partner-hole` then takes away; allows more: any address.
    """
    _network(monkeypatch, addresses=lambda _: ("*",))


def break_last_name_lost(monkeypatch):
    """The renderer leaves out the last of several names.

    Allows less: `main/cloud`.
    """
    _application(monkeypatch, fqdns=lambda rule: rule.fqdns[: max(1, len(rule.fqdns) - 1)])


def break_last_address_lost(monkeypatch):
    """The renderer leaves out the last of several addresses.

    Allows less: `main/by-address`.
    """
    _network(monkeypatch, addresses=lambda rule: rule.addresses[: max(1, len(rule.addresses) - 1)])


def break_port_dropped(monkeypatch):
    """The renderer leaves out the last of several protocols.

    Unknown: any name on 443, where the closing deny is gone; allows less: `main/queue` on 5672.
    """
    _application(monkeypatch, protocols=lambda rule: rule.protocols[:1])


def break_ports_are_any(monkeypatch):
    """The renderer writes any port in network rules.

    Allows less: `main/by-address`, where the deny `main/partner-hole` has more ports; allows more: other ports.
    """
    _network(monkeypatch, ports=lambda _: ("*",))


def break_range_is_its_ends(monkeypatch):
    """The renderer writes the ends of a range of ports.

    Allows less: `main/by-address` on 8501-8509.
    """
    _network(monkeypatch, ports=lambda rule: tuple(end for text in rule.ports for end in text.split("-")))


def break_port_off_by_one(monkeypatch):
    """The renderer writes the next port in application rules.

    Undecided, allows more and less: every rule on names.
    """
    _application(monkeypatch, protocols=lambda rule: tuple(Protocol(p.type, p.port + 1) for p in rule.protocols))


def break_transport_swapped(monkeypatch):
    """The renderer writes UDP for TCP and the reverse.

    Allows more and less: `main/by-address`, `main/ntp`.
    """
    swap = {"TCP": "UDP", "UDP": "TCP"}
    _network(monkeypatch, ip_protocols=lambda rule: tuple(swap[each] for each in rule.ip_protocols))


def break_any_protocol(monkeypatch):
    """The renderer writes `Any` for the transports.

    Allows more: the other transport, by `main/ntp`.
    """
    _network(monkeypatch, ip_protocols=lambda _: ("Any",))


def break_exemption_lost(monkeypatch):
    """The renderer writes `terminateTLS: true` everywhere.

    Inspects more: `main/cloud`.
    """
    _application(monkeypatch, terminate_tls=lambda _: True)


def break_inspection_lost(monkeypatch):
    """The renderer writes `terminateTLS: false` everywhere.

    Inspects less: `opened/uploads`.
    """
    _application(monkeypatch, terminate_tls=lambda _: False)


def break_terminate_tls_misspelt(monkeypatch):
    """The renderer writes a key that Azure does not know.

    Unknown: what such a rule matches.
    """
    whole = render._rule
    monkeypatch.setattr(render, "_rule", lambda rule: whole(rule).replace('"terminateTLS"', '"terminateTLSInspection"'))


def break_path_lost(monkeypatch):
    """The renderer writes the host for URLs.

    Allows more: other paths, by `more/web`.
    """
    _rules(
        monkeypatch,
        lambda rule: [
            replace(rule, urls=(), fqdns=(rule.urls[0].partition("/")[0],))
            if isinstance(rule, ApplicationRule) and rule.urls
            else rule
        ],
    )


def break_below_a_path_lost(monkeypatch):
    """The lowering says a path without what is below it.

    Unknown: `more/web`, as one URL alone is no path of the language.
    """
    monkeypatch.setattr(write, "urls", lambda endpoints: fqdn.urls(endpoints)[::2])


def break_rule_lost(monkeypatch):
    """The renderer leaves out one rule.

    Allows less: `main/until`.
    """
    _rules(monkeypatch, lambda rule: [] if rule.name == "main.until_https" and rule else [rule])


def break_rule_in_the_wrong_collection(monkeypatch):
    """The renderer puts the rules that deny addresses into a collection that allows.

    Allows more: `main/partner-hole`.
    """

    def changed(model):
        lost = [r for g in model.groups for c in g.collections if c.name == "net-deny" for r in c.rules]
        return replace(
            model,
            groups=tuple(
                replace(
                    g,
                    collections=tuple(
                        replace(c, rules=(*c.rules, *lost)) if c.name == "net-allow" else c
                        for c in g.collections
                        if c.name != "net-deny"
                    ),
                )
                for g in model.groups
            ),
        )

    _model(monkeypatch, changed)


def break_exception_forgotten(monkeypatch):
    """The lowering writes no deny for an exception.

    Allows more: the exception of `more/files`.
    """
    monkeypatch.setattr(lower, "has_exceptions", lambda _draft: False)


def break_exception_of_the_wrong_form(monkeypatch):
    """The lowering believes that an exception by name needs no rule.

    Allows more: the exception of `more/files`.
    """
    monkeypatch.setattr(write, "cuts", lambda one: tuple(c for c in lower_except.cuts(one) if c[0] is Form.NETWORK))


def break_any_group_for_a_group(monkeypatch):
    """The lowering takes every group for any source, without a step that says so.

    A broken lowering, or allows more.
    """
    whole = draft.Desk.seen

    def seen(self, part):
        part = whole(self, part)
        return part if part.reach is None else replace(part, reach=replace(part.reach, groups=ANY))

    monkeypatch.setattr(draft.Desk, "seen", seen)


def break_names_below_for_a_name(monkeypatch):
    """The lowering writes `*.x` for a name `x` that a rule has.

    Allows less: names below `old.queue.example.com`, which a deny then takes; allows more: names below
    `ocsp.example.org`.
    """
    monkeypatch.setattr(
        write, "fqdns", lambda endpoints: tuple(HostPattern(e.pattern.labels, deep=True).text for e in endpoints)
    )


def break_https_for_http(monkeypatch):
    """The lowering writes port 443 for whatever is HTTP.

    Allows more: `ocsp.example.org` on 443; allows less: `main/status`.
    """
    whole = write._protocols

    def protocols(services):
        return tuple(Protocol(p.type, 443) if p.type is ProtocolType.HTTP else p for p in whole(services))

    monkeypatch.setattr(write, "_protocols", protocols)


def break_addresses_merged_too_far(monkeypatch):
    """The lowering writes the ends of all addresses of a rule as one range.

    Allows more: what lies between, by `main/by-address`.
    """
    whole = write.address_texts

    def texts(addresses):
        found = whole(addresses)
        if len(found) < 2:
            return found
        ranges = addresses.ranges(4)
        return (f"{ranges[0][0]}-{ranges[-1][1]}",)

    monkeypatch.setattr(write, "address_texts", texts)


def break_part_lost(monkeypatch):
    """The lowering forgets what exceptions do not touch, and takes every port for the rest.

    A broken lowering, or allows more.
    """
    whole = lower_names.draft_names
    every = PortSet(tcp=((1, 65535),))

    def drafted(part, desk):
        for each in whole(part, desk):
            reach = each.part.reach
            if reach is None or not each.is_deny:
                yield each
            else:
                yield each.with_part(replace(each.part, reach=replace(reach, ports=every)))

    monkeypatch.setattr(lower, "draft_names", drafted)


def break_closing_deny_lost(monkeypatch):
    """The lowering writes no closing deny, so the firewall's own infrastructure rules are asked.

    Unknown: any name from the governed groups on 80 and 443.
    """
    monkeypatch.setattr(lower, "_closing_deny", lambda _site, _desk: ())


def break_closing_deny_first(monkeypatch):
    """The layout puts the closing deny before everything.

    Allows less: every allow by name.
    """
    monkeypatch.setitem(layout._SLOTS, Band.CLOSING, (0, 1))
    monkeypatch.setitem(layout._SLOTS, Band.DENY, (1, 199))
