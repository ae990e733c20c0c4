"""Ways to break the lowering or the renderer of PAN-OS: each function patches one of them in memory.

For the policy of `proof_policies`. The second line of each docstring says what the proof must find, and for which rule.
"""

from __future__ import annotations

from dataclasses import replace

from egressc.anything import ANY
from egressc.services import PortSet
from egressc.targets.paloalto import entries, lower_rules, render, render_fields, render_set, render_xml, rule_words
from egressc.targets.paloalto import objects as made
from egressc.targets.paloalto.entries import host_entry


def _model(monkeypatch, change):
    """The renderer is given a model that went through `change`."""
    whole = render.render

    def rendered(model):
        changed = change(model)
        assert changed != model, "nothing was broken"
        return whole(changed)

    monkeypatch.setattr(render, "render", rendered)


def _named(name, change):
    """A change of the entries whose name holds a text."""
    return lambda found: tuple(change(each) if name in each.name else each for each in found)


def _security(monkeypatch, name, **fields):
    """Security rules whose name holds a text are written with other fields."""
    change = _named(name, lambda rule: replace(rule, **fields))
    _model(monkeypatch, lambda model: replace(model, security_rules=change(model.security_rules)))


def _decryption(monkeypatch, name, **fields):
    """Decryption rules whose name holds a text are written with other fields."""
    change = _named(name, lambda rule: replace(rule, **fields))
    _model(monkeypatch, lambda model: replace(model, decryption_rules=change(model.decryption_rules)))


def _objects(monkeypatch, kind, name, change):
    """Objects whose name holds a text are written changed."""
    _model(monkeypatch, lambda model: replace(model, **{kind: _named(name, change)(getattr(model, kind))}))


def _order(monkeypatch, is_late):
    """Security rules for which something is true are written behind the others but the closing deny."""

    def changed(model):
        *rules, closing = model.security_rules
        return replace(model, security_rules=(*sorted(rules, key=is_late), closing))

    _model(monkeypatch, changed)


def break_category_lost(monkeypatch):
    """The renderer writes any category for a rule by name (provider #499).

    Allows more: any name on 443, at `main/cloud`.
    """
    _security(monkeypatch, "cloud-tls", categories=ANY)


def break_member_list_empty(monkeypatch):
    """The renderer writes an empty list of destinations, which PAN-OS reads as any.

    Allows more: any address, at `main/ntp`.
    """
    members = render_fields._members
    monkeypatch.setattr(render_fields, "_members", lambda found: () if found == ("192.0.2.123",) else members(found))


def break_deny_behind_its_allow(monkeypatch):
    """The renderer writes the denies behind the allows.

    Allows more: `main/partner-hole`, `main/old-queue`.
    """
    _order(monkeypatch, lambda rule: "partner-hole" in rule.name or "old-queue" in rule.name)


def break_exception_behind_its_allow(monkeypatch):
    """The renderer writes the deny of an exception behind its allow.

    Allows more: the exception of `more/files`.
    """
    _order(monkeypatch, lambda rule: "files-tls-except" in rule.name)


def break_deny_missing(monkeypatch):
    """The renderer leaves a deny out.

    Allows more: `main/old-queue`.
    """
    _model(
        monkeypatch,
        lambda model: replace(
            model, security_rules=tuple(r for r in model.security_rules if "old-queue" not in r.name)
        ),
    )


def break_allow_missing(monkeypatch):
    """The renderer leaves the last allow out.

    Allows less: `more/files`.
    """
    _model(
        monkeypatch,
        lambda model: replace(model, security_rules=(*model.security_rules[:-2], model.security_rules[-1])),
    )


def break_deny_turned_allow(monkeypatch):
    """The renderer writes `allow` for a deny.

    Allows more: `main/partner-hole`.
    """
    _security(monkeypatch, "partner-hole", action="allow")


def break_allow_turned_deny(monkeypatch):
    """The renderer writes `deny` for an allow.

    Allows less: `main/cloud`.
    """
    _security(monkeypatch, "cloud-tls", action="deny")


def break_wildcard_lost(monkeypatch):
    """The lowering writes the apex for what is below it.

    Allows more: `cloud.example.com`; allows less: `main/cloud`.
    """
    monkeypatch.setattr(entries, "host_entry", lambda pattern: host_entry(pattern).removeprefix("*."))


def break_wildcard_is_one_label(monkeypatch):
    """The lowering writes `^` for `*`.

    Allows less: names two labels below, at `main/cloud`.
    """
    monkeypatch.setattr(entries, "host_entry", lambda pattern: host_entry(pattern).replace("*.", "^."))


def break_wildcard_without_its_dot(monkeypatch):
    """The lowering writes `*cloud.example.com/`, of which no page says what it matches.

    Unknown: `main/cloud`.
    """
    monkeypatch.setattr(entries, "host_entry", lambda pattern: host_entry(pattern).replace("*.", "*"))


def break_ending_slash_lost(monkeypatch):
    """The renderer writes entries without a slash at the end, which older versions read as longer names too.

    Unknown: `main/cloud`.
    """
    _objects(
        monkeypatch,
        "categories",
        "",
        lambda each: replace(each, entries=tuple(entry.removesuffix("/") for entry in each.entries)),
    )


def break_entry_lost(monkeypatch):
    """The renderer leaves the last entry of a category out.

    Allows less: `api.example.net` at `main/cloud`.
    """
    _objects(monkeypatch, "categories", "cloud", lambda each: replace(each, entries=each.entries[:-1]))


def break_path_lost(monkeypatch):
    """The renderer writes the host for a path.

    Allows more: other paths, at `more/web`.
    """
    _objects(monkeypatch, "categories", "web", lambda each: replace(each, entries=("docs.example.org/",)))


def break_path_is_itself_only(monkeypatch):
    """The renderer writes the path without what is below it.

    Unknown: `more/web`.
    """
    _objects(monkeypatch, "categories", "web", lambda each: replace(each, entries=("docs.example.org/public",)))


def break_categories_swapped(monkeypatch):
    """The renderer gives one rule the category of another.

    Allows more: the queues on 443; allows less: `main/until`.
    """

    def changed(model):
        (queue,) = [each.name for each in model.categories if "-queue" in each.name and "old" not in each.name]
        rules = _named("until-tls", lambda rule: replace(rule, categories=(queue,)))(model.security_rules)
        return replace(model, security_rules=rules)

    _model(monkeypatch, changed)


def break_group_member_lost(monkeypatch):
    """The lowering leaves the last network of a group out: that of the other family.

    Allows less: `main/by-address` from IPv6.
    """
    _objects(monkeypatch, "address_groups", "connectors", lambda each: replace(each, members=each.members[:-1]))


def break_group_network_widened(monkeypatch):
    """The renderer writes a network that is one bit wider.

    Allows more: sources of nobody.
    """
    _objects(monkeypatch, "addresses", "10.20.0.0_24", lambda each: replace(each, value="10.20.0.0/23"))


def break_sources_lost(monkeypatch):
    """The renderer writes any source.

    Allows more: other sources, at `main/by-address`.
    """
    _security(monkeypatch, "by-address", sources=ANY)


def break_source_list_lost_its_last(monkeypatch):
    """The lowering gives a rule the first of its groups only.

    Allows less: `both/portal` from the servers.
    """
    sources = rule_words.Vocabulary.sources

    def first(self, rule, reach):
        found = sources(self, rule, reach)
        return found if found is ANY else found[:1]

    monkeypatch.setattr(rule_words.Vocabulary, "sources", first)


def break_user_lost(monkeypatch):
    """The renderer writes any user.

    Allows more: other users, at `main/as-agent`.
    """
    _security(monkeypatch, "as-agent", users=ANY)


def break_user_swapped(monkeypatch):
    """The renderer writes the user of another account, which may be a group.

    Unknown: `main/as-agent`.
    """
    _security(monkeypatch, "as-agent", users=("corp\\svc-connector",))


def break_negation_dropped(monkeypatch):
    """The renderer writes the closing deny for the internal networks, and not for all but those.

    Undecided or denied: what is inside the house.
    """
    _security(monkeypatch, "closing-deny", negate_destination=False)


def break_closing_deny_for_everything(monkeypatch):
    """The renderer writes the closing deny for every destination.

    Undecided: what is inside the house.
    """
    _security(monkeypatch, "closing-deny", negate_destination=False, destinations=ANY)


def break_ports_one_more(monkeypatch):
    """The lowering writes ranges that end one later.

    Allows more: 8511 at `main/by-address`.
    """
    services = made.Objects.services

    def later(self, ports):
        if (8500, 8510) in ports.tcp:
            ports = PortSet(tuple((a, b + (b == 8510)) for a, b in ports.tcp), ports.udp)
        return services(self, ports)

    monkeypatch.setattr(made.Objects, "services", later)


def break_ports_one_less(monkeypatch):
    """The renderer writes a range that begins one later.

    Allows less: 5671 at `main/queue`.
    """
    _objects(monkeypatch, "services", "tcp-5671-5672", lambda each: replace(each, ports="5672"))


def break_transport_swapped(monkeypatch):
    """The renderer writes TCP for UDP.

    Allows less: `main/ntp`.
    """
    _objects(monkeypatch, "services", "udp-123", lambda each: replace(each, transport="tcp"))


def break_service_swapped(monkeypatch):
    """The lowering gives rules any service.

    Allows more: other ports, at every allow.
    """
    _security(monkeypatch, "status-http", services=ANY)


def break_service_is_the_predefined_one(monkeypatch):
    """The renderer refers to `service-http`, which is 80 and 8080.

    Allows more: 8080 at `main/status`.
    """
    _security(monkeypatch, "status-http", services=("service-http",))


def break_application_asked_for(monkeypatch):
    """The renderer asks for an App-ID that nobody wanted.

    Unknown: `main/cloud`.
    """
    _security(monkeypatch, "cloud-tls", applications=("ssl",))


def break_destination_lost(monkeypatch):
    """The lowering leaves the last network of a list out.

    Allows less: 203.0.113.200 at `main/by-address`.
    """
    whole = lower_rules.literals
    monkeypatch.setattr(lower_rules, "literals", lambda found: whole(found)[: max(1, len(whole(found)) - 1)])


def break_schedule_over(monkeypatch):
    """The renderer writes a schedule that is over.

    Allows less: `main/until`.
    """
    _objects(monkeypatch, "schedules", "until", lambda each: replace(each, span="2000/01/01@00:00-2026/06/30@23:59"))


def break_rule_disabled(monkeypatch):
    """The renderer writes a rule that is disabled.

    Allows less: `main/inside`.
    """
    fields = render_fields._security

    def disabled(rule):
        return (*fields(rule), ("disabled", "yes")) if "inside" in rule.name else fields(rule)

    monkeypatch.setattr(render_fields, "_security", disabled)


def break_zones_swapped(monkeypatch):
    """The renderer writes the zones the wrong way round.

    Allows less: `main/inside`.
    """
    _security(monkeypatch, "inside", from_zone="untrust", to_zone="trust")


def break_exemption_lost(monkeypatch):
    """The renderer leaves a rule out that exempts from inspection.

    Unknown: whether another rule of the device inspects `main/cloud`.
    """
    _model(
        monkeypatch,
        lambda model: replace(
            model, decryption_rules=tuple(r for r in model.decryption_rules if r.action == "decrypt")
        ),
    )


def break_exemption_turned_around(monkeypatch):
    """The renderer writes `decrypt` for an exemption.

    Inspects more: `main/cloud`.
    """
    _decryption(monkeypatch, "cloud", action="decrypt")


def break_exemption_of_everything(monkeypatch):
    """The renderer writes an exemption for any category.

    Exempts more: other names; inspects less: nothing from the connectors.
    """
    _decryption(monkeypatch, "cloud", categories=ANY)


def break_inspection_lost(monkeypatch):
    """The renderer leaves a rule out that decrypts.

    Inspects less: `opened/uploads`.
    """
    _model(
        monkeypatch,
        lambda model: replace(
            model, decryption_rules=tuple(r for r in model.decryption_rules if r.action != "decrypt")
        ),
    )


def break_decryption_profile_lost(monkeypatch):
    """The renderer writes no profile, and so what cannot be decrypted may pass.

    Inspects less: `opened/uploads`.
    """
    _decryption(monkeypatch, "uploads", profile=None)


def break_files_differ(monkeypatch):
    """The renderer writes other texts in XML.

    Not readable: the two files say different things.
    """
    text = render_xml.xml_text
    monkeypatch.setattr(render_xml, "xml_text", lambda word: text(word).replace("ocsp.example.org", "ocsp.example.com"))


def break_moves_reversed(monkeypatch):
    """The commands move each rule before the one that it should follow.

    Not readable: the two files say different things.
    """
    moves = render_set._moves
    monkeypatch.setattr(
        render_set, "_moves", lambda *taken: [line.replace(" after ", " before ") for line in moves(*taken)]
    )


def break_rules_moved_to_post(monkeypatch):
    """The commands set rules in a rulebase that a firewall does not have.

    Not readable: the two files say different things.
    """
    monkeypatch.setattr(render_set, "rulebase_path", lambda _: "post-rulebase")


WITHOUT_FLOW = {"break_files_differ", "break_moves_reversed", "break_rules_moved_to_post"}
"""Those that are found before anything is compared."""
