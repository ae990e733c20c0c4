"""What the parts of a lowering announce about one flow, by the way an iptables firewall says them (section 11).

A deny by address stands above all. An allow by name lets a connection through if the host name *or* the shared name is
one that it matches and that no deny by name matches: denies by name are taken out of the sets, name by name. Without a
closing deny, a deny by name also refuses what no allow lets through, by either name.

* ``said(build, flow, tags)``: ``"allow"``, ``"deny"``, ``None``.
* ``handling(build, flow, tags)``: ``"exempt"``, ``"inspect"``, ``None``: what `nat` does with an allowed flow.
"""

from __future__ import annotations

from dataclasses import replace

from announced import is_governed, reach_holds
from policy_verdict import within

from egressc.policy import HostEndpoint


def is_named(reach):
    """True if the destination of a reach is known by name."""
    return any(isinstance(endpoint, HostEndpoint) for endpoint in reach.endpoints)


def names_of(flow):
    """Each name that the flow may be known by, as a flow that has no other."""
    if flow.host is not None:
        yield replace(flow, shared=None)
    if flow.shared is not None:
        yield replace(flow, host=flow.shared, path=None, shared=None)


def _holds(reach, flow, tags):
    return reach_holds(replace(reach, shared=False), flow, tags)


def is_infrastructure(site, flow):
    """True if the resolver of the machine asks its servers."""
    settings = site.settings
    if settings.mode != "host" or not settings.dns or not site.closing_deny or flow.port != 53:
        return False
    is_resolver = dict(flow.process).get("linux-user") == settings.dnsmasq_user
    return is_resolver and (not settings.servers or flow.address in settings.servers)


def _lets_through(build, flow, tags, reaches, *, inside=False):
    """True if one of these reaches of allows lets the flow through: by its address, or by a name that no deny has.

    Names count for nothing at the internal networks, unless this is asked ``inside``.
    """
    denies = [p.reach for p in build.lowering.parts if p.rule.is_deny and p.reach is not None and is_named(p.reach)]
    named = [reach for reach in reaches if is_named(reach)]
    if any(_holds(reach, flow, tags) for reach in reaches if reach not in named):
        return True
    if within(build.site.internal, flow.address) and not inside:
        return False
    return any(
        any(_holds(reach, each, tags) for reach in named) and not any(_holds(deny, each, tags) for deny in denies)
        for each in names_of(flow)
    )


def said(build, flow, tags):
    """What the artefact was announced to do with a flow."""
    site = build.site
    if is_infrastructure(site, flow):
        return "allow"
    parts = [part for part in build.lowering.parts if part.reach is not None]
    denies = [part.reach for part in parts if part.rule.is_deny]
    if any(_holds(reach, flow, tags) for reach in denies if not is_named(reach)):
        return "deny"
    if _lets_through(build, flow, tags, [part.reach for part in parts if not part.rule.is_deny]):
        return "allow"
    if within(site.internal, flow.address):
        return None
    if site.closing_deny:
        return "deny" if is_governed(site, flow) else None
    named = [reach for reach in denies if is_named(reach)]
    return "deny" if any(_holds(reach, each, tags) for reach in named for each in names_of(flow)) else None


def handling(build, flow, tags):
    """What `nat` was announced to do with a flow that `filter` allows: names count wherever it does."""
    if flow.transport != "tcp":
        return None
    parts = [part for part in build.lowering.parts if part.reach is not None and not part.rule.is_deny]
    for word in ("exempt", "inspect"):
        reaches = [reach for part in parts if (reach := getattr(part, word)) is not None]
        if _lets_through(build, flow, tags, reaches, inside=True):
            return word
    return None
