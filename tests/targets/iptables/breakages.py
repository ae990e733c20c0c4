"""Ways to break the lowering or the renderer of iptables: each function patches one of them in memory.

For the policies `iptables` (a gateway) and `iptables-host` of `proof_policies`.
"""

from __future__ import annotations

from dataclasses import replace

from egressc.addresses import EMPTY, parse_addresses
from egressc.anything import ANY
from egressc.services import PortSet
from egressc.targets.iptables import (
    chain_writer,
    domains,
    feeding,
    lower,
    lower_frame,
    lower_inspection,
    render,
    render_rules,
)
from egressc.targets.iptables.model import (
    Accept,
    DomainLine,
    Established,
    FromSet,
    InInterface,
    OutInterface,
    Owner,
    Redirect,
    Reject,
    Return,
    ToPorts,
    ToSet,
    Transport,
    Until,
)

ONLY = {
    "source_dropped": "iptables",
    "interface_turned_round": "iptables",
    "redirection_lost": "iptables",
    "exemption_lost": "iptables",
    "exempt_turned_redirected": "iptables",
    "denies_lost_in_nat": "iptables",
    "missing_uid": "iptables-host",
    "uid_turned_round": "iptables-host",
    "answers_lost": "iptables-host",
    "loopback_lost": "iptables-host",
    "resolver_for_everybody": "iptables-host",
    "user_not_named": "iptables-host",
}
"""The kind of firewall that a breakage is for, where it is not for both."""

WITHOUT_FLOW = (
    "families_of_sets_swapped",
    "set_of_the_other_family",
    "too_little_room_in_sets",
    "commit_lost",
    "script_changed",
    "quote_not_closed",
    "user_not_named",
    "set_never_made",
    "line_without_a_set",
)
"""Where the files cannot be read at all, there is no flow to show."""


def _files(monkeypatch, change, *names):
    """The files of these names go through `change`, as text."""
    whole = render.render

    def rendered(firewall):
        found = []
        for each in whole(firewall):
            text = each.content.decode()
            found.append(replace(each, content=change(text).encode()) if each.name in names else each)
        assert tuple(found) != whole(firewall), "nothing was broken"
        return tuple(found)

    monkeypatch.setattr(render, "render", rendered)


def _model(monkeypatch, change):
    """The renderer is given a model that went through `change`."""
    whole = render.render

    def rendered(firewall):
        changed = change(firewall)
        assert changed != firewall, "nothing was broken"
        return whole(changed)

    monkeypatch.setattr(render, "render", rendered)


def _rules(monkeypatch, change, table="filter", families=(4, 6)):
    """Every rule of a table goes through `change`, which gives the rules that are written in its place."""

    def changed(firewall):
        chains = tuple(
            replace(each, **{table: tuple(new for rule in getattr(each, table) for new in change(rule))})
            if each.family in families and getattr(each, table) is not None
            else each
            for each in firewall.chains
        )
        return replace(firewall, chains=chains)

    _model(monkeypatch, changed)


def _without(monkeypatch, is_dropped, **where):
    """The conditions of a kind are left out of every rule."""
    _rules(
        monkeypatch,
        lambda rule: [replace(rule, matches=tuple(match for match in rule.matches if not is_dropped(match)))],
        **where,
    )


def _lines(monkeypatch, change):
    """The lines of the resolver go through `change`."""
    _model(
        monkeypatch,
        lambda firewall: replace(firewall, resolver=replace(firewall.resolver, lines=change(firewall.resolver.lines))),
    )


def return_for_accept(monkeypatch):
    """Allows less."""
    _rules(monkeypatch, lambda rule: [replace(rule, jump=Return()) if rule.jump == Accept() else rule])


def accept_for_reject(monkeypatch):
    """Allows more."""
    _rules(monkeypatch, lambda rule: [replace(rule, jump=Accept()) if isinstance(rule.jump, Reject) else rule])


def accept_for_return(monkeypatch):
    """Lets through what goes to the internal networks."""
    _rules(monkeypatch, lambda rule: [replace(rule, jump=Accept()) if rule.jump == Return() else rule])


def deny_behind_its_allow(monkeypatch):
    """The denies of the policy stand below its allows."""

    def changed(firewall):
        def sorted_(rules):
            denies = [r for r in rules if isinstance(r.jump, Reject) and "default" not in r.comment]
            rest = [r for r in rules if r not in denies]
            at = len(rest) - sum("default" in r.comment for r in rest)
            return (*rest[:at], *denies, *rest[at:])

        return replace(firewall, chains=tuple(replace(c, filter=sorted_(c.filter)) for c in firewall.chains))

    _model(monkeypatch, changed)


def deny_lost(monkeypatch):
    """A deny of the policy is not written."""
    _rules(monkeypatch, lambda rule: [] if isinstance(rule.jump, Reject) and "default" not in rule.comment else [rule])


def default_deny_lost_for_ipv6(monkeypatch):
    """IPv6 stays open."""
    _rules(monkeypatch, lambda rule: [] if "default deny" in rule.comment else [rule], families=(6,))


def default_deny_for_tcp_only(monkeypatch):
    """UDP stays open."""
    _rules(monkeypatch, lambda rule: [] if rule.jump == Reject(reset=False) else [rule])


def allow_lost_for_ipv6(monkeypatch):
    """An allow by name is written for IPv4 only."""
    _rules(monkeypatch, lambda rule: [] if rule.comment.startswith("main/cloud") else [rule], families=(6,))


def destination_dropped(monkeypatch):
    """Every allow is for any destination."""
    _without(monkeypatch, lambda match: isinstance(match, ToSet))


def source_dropped(monkeypatch):
    """Every allow is from any source."""
    _without(monkeypatch, lambda match: isinstance(match, FromSet))


def ports_dropped(monkeypatch):
    """Every allow is for all ports."""
    _without(monkeypatch, lambda match: isinstance(match, ToPorts))


def port_off_by_one(monkeypatch):
    """The last port of a range is lost."""

    def shorter(match):
        if not isinstance(match, ToPorts):
            return match
        return ToPorts(tuple((first, last - (last > first)) for first, last in match.ports))

    _rules(monkeypatch, lambda rule: [replace(rule, matches=tuple(map(shorter, rule.matches)))])


def slots_lost(monkeypatch):
    """Only the first ports of a list are written."""
    whole = render_rules._ports
    monkeypatch.setattr(render_rules, "_ports", lambda match: whole(ToPorts(match.ports[:1])))


def transport_swapped(monkeypatch):
    """TCP for UDP."""
    other = {Transport("tcp"): Transport("udp"), Transport("udp"): Transport("tcp")}
    _rules(
        monkeypatch,
        lambda rule: [
            replace(rule, matches=tuple(other.get(match, match) for match in rule.matches))
            if rule.jump == Accept()
            else rule
        ],
    )


def expired(monkeypatch):
    """An allow ends before it should."""

    def earlier(match):
        return Until(match.day.replace(year=2025)) if isinstance(match, Until) else match

    _rules(monkeypatch, lambda rule: [replace(rule, matches=tuple(map(earlier, rule.matches)))])


def negated_set(monkeypatch):
    """An allow by address is for every other address."""
    _rules(
        monkeypatch,
        lambda rule: [
            replace(
                rule,
                matches=tuple(
                    ToSet(m.stem, outside=True) if isinstance(m, ToSet) and m.stem.startswith("egn") else m
                    for m in rule.matches
                ),
            )
        ],
    )


def quote_not_closed(monkeypatch):
    """The comment swallows what comes behind it: such a rule does nothing."""
    monkeypatch.setattr(render_rules, "quoted", lambda text: f'"{text}')


def network_lost(monkeypatch):
    """The first block of every network set is not written."""
    whole = render._blocks
    monkeypatch.setattr(render, "_blocks", lambda known, family: whole(known, family)[1:])


def sets_empty(monkeypatch):
    """Every network set is empty."""
    _model(
        monkeypatch,
        lambda firewall: replace(firewall, networks=tuple(replace(n, addresses=EMPTY) for n in firewall.networks)),
    )


def network_widened(monkeypatch):
    """A network set holds its neighbour, too."""
    more = parse_addresses("203.0.113.128/25")
    _model(
        monkeypatch,
        lambda firewall: replace(
            firewall,
            networks=tuple(
                replace(n, addresses=n.addresses.union(more)) if n.addresses.overlaps(parse_addresses("203.0.113.0/25")) else n
                for n in firewall.networks
            ),
        ),
    )  # fmt: skip


def families_of_sets_swapped(monkeypatch):
    """The sets are of the other family."""
    monkeypatch.setattr(render, "_INET", {4: "inet6", 6: "inet"})


def set_of_the_other_family(monkeypatch):
    """A rule asks for the set of the other family."""
    whole = render_rules._match

    def swapped(match, family):
        return whole(match, 10 - family if isinstance(match, ToSet) else family)

    monkeypatch.setattr(render_rules, "_match", swapped)


def set_never_made(monkeypatch):
    """The sets that the resolver fills are not made."""
    _model(monkeypatch, lambda firewall: replace(firewall, fed=()))


def too_little_room_in_sets(monkeypatch):
    """A set has no room for its members."""
    _files(monkeypatch, lambda text: text.replace("maxelem 65536", "maxelem 1"), "sets.ipset")


def slashes_lost(monkeypatch):
    """A line of the resolver feeds every name."""
    _files(monkeypatch, lambda text: text.replace("ipset=/api.example.net/", "ipset="), "dnsmasq.conf")


def line_without_a_set(monkeypatch):
    """A line of the resolver feeds nothing."""
    _files(monkeypatch, lambda text: text.replace("ipset=/api.example.net/", "ipset=/api.example.net//x/").replace("//x/", "/\n#"),
           "dnsmasq.conf")  # fmt: skip


def fed_for_ipv4_only(monkeypatch):
    """A line of the resolver lacks the set for IPv6."""

    def changed(text):
        return "\n".join(
            line.rpartition(",")[0] if line.startswith("ipset=/api") else line for line in text.split("\n")
        )

    _files(monkeypatch, changed, "dnsmasq.conf")


def void_lost(monkeypatch):
    """What is taken out of a domain is fed all the same."""
    _lines(monkeypatch, lambda lines: tuple(line for line in lines if feeding.VOID not in line.stems))


def domain_widened(monkeypatch):
    """A domain without its first label."""
    _lines(
        monkeypatch,
        lambda lines: tuple(
            DomainLine(line.domain.partition(".")[2] if line.domain == "api.example.net" else line.domain, line.stems)
            for line in lines
        ),
    )


def domain_lost(monkeypatch):
    """The last line of the resolver is not written."""
    _lines(monkeypatch, lambda lines: lines[:-1])


def stems_swapped(monkeypatch):
    """Two lines feed one another's sets."""
    _lines(
        monkeypatch,
        lambda lines: (
            DomainLine(lines[0].domain, lines[-1].stems),
            *lines[1:-1],
            DomainLine(lines[-1].domain, lines[0].stems),
        ),
    )


def cache_without_an_end(monkeypatch):
    """Answers stay in the cache for longer than addresses in the sets."""
    _files(monkeypatch, lambda text: text.replace("max-cache-ttl=300\n", ""), "dnsmasq.conf")


def commit_lost(monkeypatch):
    """A table is never put in force."""
    _files(monkeypatch, lambda text: text.replace("COMMIT\n", ""), "rules.v6")


def script_changed(monkeypatch):
    """The fixed code is another."""
    _files(monkeypatch, lambda text: text.replace("set -eu", "set -e", 1), "apply.sh")


def parents_kept(monkeypatch):
    """A name below another of the same rule takes its place."""
    monkeypatch.setattr(domains, "topmost", lambda found: {max(found, key=len)})


def bars_ignored(monkeypatch):
    """Denies by name are announced, and cut nothing."""
    whole = feeding.feeding
    monkeypatch.setattr(lower, "feeding", lambda feeds, barriers: whole(feeds, []))


def internal_late(monkeypatch):
    """A rule for an address inside the house stands below the return."""
    whole = lower._placed_by_address

    def late(ground, shaped):
        return replace(whole(ground, shaped), early=False)

    monkeypatch.setattr(lower, "_placed_by_address", late)


def internal_lost(monkeypatch):
    """The internal networks are not left to others."""
    monkeypatch.setattr(lower_frame, "internal", lambda table, chain: None)


def interface_turned_round(monkeypatch):
    """What comes from the governed side is left to others."""
    _rules(
        monkeypatch,
        lambda rule: [
            replace(
                rule,
                matches=tuple(InInterface(m.name, other=not m.other) if isinstance(m, InInterface) else m for m in rule.matches),
            )
        ],
    )  # fmt: skip


def redirection_lost(monkeypatch):
    """Inspects less."""
    _rules(monkeypatch, lambda rule: [] if isinstance(rule.jump, Redirect) else [rule], table="nat")


def exemption_lost(monkeypatch):
    """What stands behind the chain may inspect it."""
    _rules(monkeypatch, lambda rule: [] if "main/cloud" in rule.comment else [rule], table="nat")


def exempt_turned_redirected(monkeypatch):
    """Inspects more."""
    _rules(
        monkeypatch,
        lambda rule: [replace(rule, jump=Redirect(3129)) if "main/cloud" in rule.comment else rule],
        table="nat",
    )


def denies_lost_in_nat(monkeypatch):
    """What is denied by address goes to the proxy: the redirections are for whole networks."""
    whole = lower_inspection._write

    def wider(ground, chain, placed, ports, cell, sides, jump):
        if isinstance(jump, Accept) and placed.shaped.part.rule.is_deny:
            jump = Redirect(3129)
        whole(ground, chain, placed, ports, cell, sides, jump)

    monkeypatch.setattr(lower_inspection, "_write", wider)


def missing_uid(monkeypatch):
    """An allow for one account is for everybody."""
    _without(monkeypatch, lambda match: isinstance(match, Owner) and match.user == "agent")


def uid_turned_round(monkeypatch):
    """An allow for one account is for everybody else."""
    _rules(
        monkeypatch,
        lambda rule: [
            replace(rule, matches=tuple(Owner(m.user, other=True) if isinstance(m, Owner) else m for m in rule.matches))
        ],
    )


def answers_lost(monkeypatch):
    """Packets of established connections are rejected."""
    _rules(monkeypatch, lambda rule: [] if Established() in rule.matches else [rule])


def loopback_lost(monkeypatch):
    """Loopback is rejected."""
    _rules(monkeypatch, lambda rule: [] if OutInterface("lo") in rule.matches else [rule])


def resolver_for_everybody(monkeypatch):
    """Anybody may ask any DNS server."""
    _without(monkeypatch, lambda match: match == Owner("dnsmasq"))


def user_not_named(monkeypatch):
    """apply.sh would not look whether the user is there."""
    _files(monkeypatch, lambda text: text.replace("#: user agent\n", ""), "rules.v4")


def all_ports_of_a_rule(monkeypatch):
    """What is written of ports is every port."""
    monkeypatch.setattr(
        chain_writer, "_doors", lambda ports: tuple((Transport(t),) for t in ("tcp", "udp") if getattr(ports, t))
    )


def any_address(monkeypatch):
    """Addresses are announced as they are and written as any."""
    whole = lower.Ground

    class Wide(whole):
        def __init__(self, site):
            super().__init__(site)
            towards = self.table.towards
            self.table.towards = lambda addresses, prefix, key, rule: towards(ANY, prefix, key, rule)

    monkeypatch.setattr(lower, "Ground", Wide)


def default_deny_of_one_port(monkeypatch):
    """What is left is denied on one port."""
    monkeypatch.setattr(
        lower_frame,
        "closing",
        lambda site, table: _one_port(chain_writer.ChainWriter(), lower_frame.governed(site, table)),
    )


def _one_port(chain, sources):
    chain.write(
        PortSet(tcp=((443, 443),)), sources, ((),), chain_writer.ANYWHERE, Reject(reset=True), "egressc: default deny"
    )
    return chain
