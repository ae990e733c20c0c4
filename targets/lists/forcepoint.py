"""Forcepoint: custom categories of Web Security Cloud (``cloud``), exceptions of Web Security on site (``on-prem``).

Cloud: ``*.d`` is the names below ``d`` without ``d`` ([D] Adding sites to custom categories, websense hosted
admin_guide wd_category_sites); what a bare ``d`` matches stands there in a list that the stored text has lost, so it
is taken for ``d`` and the names below it, and a domain that is meant with them is two entries, right either way. A path
is the *start* of one (``/p`` is ``/pq``, too), which no policy means: the whole host is said instead. On premises ``d``
is the domain with its subdomains ([D] Adding or editing an exception, 8.5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.exports import Abilities, Addresses, Dialect, Exact, Inner, ReadEntry, ReadList, Shape
from egressc.exports_lower import crossing
from egressc.exports_read import addresses_of, by_address, by_name, host_of
from egressc.hosts import HostPattern
from egressc.targets.list_protocol import BOTH, ListFormat
from egressc.targets.lists.lines import joined_lines, network, unread, written
from egressc.targets.protocol import Assumption, Capabilities, Capability, Limit

if TYPE_CHECKING:
    from egressc.exports import Line
    from egressc.targets.list_protocol import ListOptions

_CLOUD = Abilities(exact=Exact.BELOW, inner=Inner.GLOB, everything=False, v4=Addresses.RANGES, resolves=True)
_ON_PREM = Abilities(exact=Exact.BELOW, below=Exact.APEX, everything=False, v4=Addresses.SINGLE, v6=Addresses.SINGLE)

_SITES = "[D] Adding sites to custom categories, websense hosted admin_guide wd_category_sites"
_ADDRESSES = "[D] help.forcepoint.com websec cloud admin_guide, the same page, IP addresses"
_EXCEPTION = "[D] Adding or editing an exception, help.forcepoint.com websec on-prem 8.5"
_BARE, _STAR, _WWW = "forcepoint-bare-host", "forcepoint-star", "forcepoint-exception-host"


def _spelled(line: Line, form: str) -> list[str]:
    if line.addresses is not None:
        return [line.addresses.text]
    assert line.pattern is not None
    if form == "on-prem":
        return [line.domain]
    return [line.domain, f"*.{line.domain}"] if line.shape is Shape.DOMAIN else [line.pattern.text]


def _read(text: str, options: ListOptions, _dialect: str) -> ReadList:
    entries: list[ReadEntry] = []
    remarks: list[str] = []
    for number, line in written(text):
        held = network(line) if options.form == "cloud" else addresses_of(line)
        if held is not None and not (options.form == "cloud" and held.v6):
            entries.append(by_address(held, line, number))
            continue
        found = _cloud(line, number) if options.form == "cloud" else _on_prem(line, number)
        if found is None:
            remarks += unread([(number, line)], "is no host, path or address to Forcepoint")
        else:
            entries.append(found)
    return ReadList(tuple(entries), tuple(remarks))


def _cloud(line: str, number: int) -> ReadEntry | None:
    """What an entry of a custom category matches; ``None`` if it is none."""
    if any(char.isspace() for char in line) or "://" in line:
        return None
    host, slash, _ = line.lower().partition("/")
    if not slash:
        host = host.rstrip("*")  # "wildcards placed at the end of the string are removed"
    pattern = host_of(host)
    if pattern is None:
        return None
    patterns: tuple[HostPattern, ...]
    if pattern.is_tree:
        patterns = (pattern,) if pattern.deep else (pattern, HostPattern(pattern.labels, deep=True))
    else:
        patterns = crossing(host) if pattern.deep else (*crossing(host), *crossing(f"*.{host}"))
    doubt = "it is the start of a path: it matches some paths of this host alone, and none of https" if slash else ""
    return by_name(patterns, line, number, doubt=doubt)


def _on_prem(line: str, number: int) -> ReadEntry | None:
    """What a URL of an exception matches; ``None`` if it is none."""
    lowered = line.lower()
    scheme, colon, rest = lowered.partition("://")
    host, slash, path = (rest if colon else lowered).partition("/")
    name, port_colon, _ = host.partition(":")
    pattern = host_of(name)
    if pattern is None or not pattern.is_exact or any(char.isspace() for char in line):
        return None
    doubt = ""
    if scheme != lowered or (slash and path) or port_colon:
        doubt = "it is one scheme, port or path: what else of this host it matches is not documented"
    return by_name((pattern, HostPattern(pattern.labels, deep=True)), line, number, doubt=doubt)


FORMAT = ListFormat(
    name="forcepoint",
    capabilities=Capabilities(
        title="Forcepoint custom category and exception",
        rows=(
            Capability("exact host", "`x`, with the names below it", "wider", ("depth",), (_BARE, _WWW)),
            Capability("`*.x`, in the form `cloud`", "`*.x`", "exact"),
            Capability("`*.x`, in the form `on-prem`", "`x`", "wider", ("apex",)),
            Capability("`x` with `*.x`", "cloud: two entries; on-prem: `x`", "exact"),
            Capability(
                "inner `*`, `*` inside a label, in the form `cloud`",
                "as it is; the star also stands for dots",
                "wider",
                ("depth",),
                (_STAR,),
            ),
            Capability(
                "inner `*`, `*` inside a label, in the form `on-prem`",
                "the names below what follows it",
                "wider",
                ("label-wildcard",),
            ),
            Capability("URL path", "the whole host", "wider", ("path",)),
            Capability("address, CIDR, range of IPv4, in the form `cloud`", "an entry", "exact"),
            Capability("address of IPv6, in the form `cloud`", "none", "narrower", ("family",)),
            Capability(
                "address, in the form `on-prem`",
                "an entry; networks of 16 at most, one by one",
                "narrower",
                ("address",),
            ),
            Capability("ports", "none", "wider", ("ports",)),
            Capability("`except`", "none", "wider", ("except",)),
            Capability("any-address", "none for every name; cloud: `0.0.0.0/0`", "refused", ("no-names",)),
        ),
        limits=(
            Limit(
                "addresses, cloud",
                "IPv4: an address, a range, a prefix, a mask; of a name what it resolves to",
                _ADDRESSES,
            ),
            Limit("addresses, on-prem", "one by one", _EXCEPTION),
            Limit("paths, cloud", "the start of a path; of https only where it is decrypted", _SITES),
            Limit("`*` at the end", "removed", _SITES),
        ),
        assumptions=(
            Assumption(
                _BARE,
                "cloud: `x` matches `x` and the names below it",
                f"{_SITES}, names what a host matches in a list that the stored page has lost; if it is `x` alone, the "
                "list matches less than is announced here, and not less than the policy says",
            ),
            Assumption(
                _STAR,
                "cloud: a `*` within a host stands for any characters, dots among them, and several may stand in one",
                f"{_SITES}: `*abc.com` matches `www.xxx.123abc.com`; of a `*` within a host that it may stand there",
            ),
            Assumption(
                _WWW,
                "on-prem: `www.x` matches the names below it, too",
                f"{_EXCEPTION}: `x` is its subdomains, too, `www.x` neither `x` nor `sub.x`; nothing of `a.www.x`",
            ),
        ),
    ),
    lists=BOTH,
    forms=("cloud", "on-prem"),
    file_name=lambda options: f"{options.form}.txt",
    dialects=lambda options: (Dialect("", _CLOUD if options.form == "cloud" else _ON_PREM),),
    render=lambda model: joined_lines(model, lambda line: _spelled(line, model.options.form)),
    spell=lambda line, options: " ".join(_spelled(line, options.form)),
    read=_read,
)
