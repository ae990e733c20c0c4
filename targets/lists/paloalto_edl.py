"""External dynamic lists of PAN-OS: ``url`` for a URL category, ``ip`` for the destinations of a rule.

In a URL list ``.`` and ``/`` separate tokens, and a wildcard is a whole token: ``*`` one or more, ``^`` exactly one
([D] Guidelines for URL category exceptions). Every entry ends with a slash here: PAN-OS 10.1 and older read
``example.com`` as ``example.com.*``, which also is ``example.com.evil.example``. A list holds entries of its own kind
alone ([D] Formatting guidelines for an external dynamic list), so a policy of names and addresses is two lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.exports import Abilities, Addresses, Dialect, Inner, ReadList, Shape
from egressc.targets.list_protocol import BOTH, ListFormat
from egressc.targets.lists.lines import joined_lines, too_long
from egressc.targets.lists.paloalto_edl_read import read_addresses, read_urls
from egressc.targets.protocol import Assumption, Capabilities, Capability, Limit

if TYPE_CHECKING:
    from egressc.exports import Line, Refusal
    from egressc.hosts import HostPattern
    from egressc.targets.list_protocol import ListModel, ListOptions

LONGEST = 255
"""Characters of an entry."""

CARETS = 9
"""So many ``^`` may stand side by side."""

_SHOWN = 3

MOST_URLS = 50_000
MOST_ADDRESSES = 50_000

_URL = Abilities(
    inner=Inner.LABELS,
    together=CARETS,
    path=True,
    everything=False,
    elsewhere="addresses stand in the form `ip`",
)
_IP = Abilities(
    names=False,
    everything=False,
    v4=Addresses.RANGES,
    v6=Addresses.NETWORKS,
    resolves=True,
    elsewhere="names stand in the form `url`",
)

_GUIDELINES = "[D] Guidelines for URL category exceptions"
_FORMAT = "[D] Formatting guidelines for an external dynamic list"
_HELP_7_1 = (
    "[D] PAN-OS 7.1 web interface help, Objects > External Dynamic Lists; raised in 9.0, by how much is not known"
)

_PATH, _SLASH, _CARET = "pan-path-prefix", "pan-star-slash", "pan-star-caret"


def _host(pattern: HostPattern) -> str:
    labels = ".".join(["^" if label == "*" else label for label in pattern.labels])
    return f"*.{labels}" if pattern.deep else labels


def _urls(line: Line) -> list[str]:
    """A line as entries: two for a domain and the names below it, two for a path and what is below it."""
    assert line.pattern is not None
    hosts = [line.domain, f"*.{line.domain}"] if line.shape is Shape.DOMAIN else [_host(line.pattern)]
    ends = ("/",) if line.path is None else (line.path, f"{line.path}/")
    return [f"{host}{end}" for host in hosts for end in ends]


def _addresses(line: Line) -> list[str]:
    assert line.addresses is not None
    return [line.addresses.text]


def _spelled(line: Line) -> list[str]:
    return _urls(line) if line.addresses is None else _addresses(line)


def _render(model: ListModel) -> str:
    """Addresses have a comment behind a space; URLs can have none."""
    if model.options.form == "url":
        return joined_lines(model, _urls)
    return "".join(f"{each} # {_named(line)}\n" for line in model.lines for each in _addresses(line))


def _named(line: Line) -> str:
    """The rules that a line stands for, the first few of many: how long a comment may be is not documented."""
    shown = " ".join(rule.identity for rule in line.rules[:_SHOWN])
    return f"{shown} and {len(line.rules) - _SHOWN} more" if len(line.rules) > _SHOWN else shown


def _read(text: str, options: ListOptions, _dialect: str) -> ReadList:
    return read_urls(text) if options.form == "url" else read_addresses(text)


def _problems(model: ListModel) -> tuple[Refusal, ...]:
    return tuple(too_long(model, _spelled, LONGEST, "an external dynamic list"))


def _remarks(model: ListModel) -> tuple[str, ...]:
    """How many entries a platform takes is published for an old release alone, so nothing is refused for it."""
    count = sum(len(_spelled(line)) for line in model.lines)
    most = MOST_URLS if model.options.form == "url" else MOST_ADDRESSES
    if count <= most:
        return ()
    known = f"PAN-OS 7.1 took {most:,} in all lists of this kind, later releases and larger platforms take more"
    return (f"{count:,} entries: {known}; a firewall skips what is beyond, and logs it",)


FORMAT = ListFormat(
    name="paloalto-edl",
    capabilities=Capabilities(
        title="Palo Alto external dynamic list",
        rows=(
            Capability("exact host", "`x/`, in the form `url`", "exact"),
            Capability("`*.x`", "`*.x/`", "exact", assumptions=(_SLASH,)),
            Capability("`x` with `*.x`", "two entries", "exact", assumptions=(_SLASH,)),
            Capability("inner `*`", "`^`, at most nine in a row", "exact", assumptions=(_CARET,)),
            Capability("`*` inside a label", "`^` for the whole label", "wider", ("label-wildcard",)),
            Capability("more than nine `*` labels in a row", "`*.x/`", "wider", ("depth",)),
            Capability("URL path of http", "`x/path` and `x/path/`", "exact", assumptions=(_PATH,)),
            Capability("URL path of https", "the whole host", "wider", ("path",)),
            Capability("address, CIDR, range", "in the form `ip`; an IPv6 range as networks", "exact"),
            Capability("ports", "none: say them in the rule", "wider", ("ports",)),
            Capability("`except`", "none", "wider", ("except",)),
            Capability("any-address", "no entry for every name; `0.0.0.0/0` and `::/0`", "refused", ("no-names",)),
        ),
        limits=(
            Limit(
                "entry", f"{LONGEST} characters", "[S] PAN-OS configuration schema 10.0.5, custom-url-category member"
            ),
            Limit("consecutive `^`", str(CARETS), _GUIDELINES),
            Limit("URLs in all lists of a firewall", f"{MOST_URLS:,}", _HELP_7_1),
            Limit(
                "addresses in all lists of a firewall",
                f"{MOST_ADDRESSES:,}; 150,000 on PA-5000 and PA-7000; a network or a range counts as one",
                f"{_HELP_7_1}; {_FORMAT}",
            ),
            Limit("lists of a firewall", "30", _HELP_7_1),
            Limit("kinds", "names and addresses never in one list", _FORMAT),
        ),
        assumptions=(
            Assumption(
                _PATH,
                "`host/path` and `host/path/` together match that path and everything below it, and no other path",
                f"inferred from the token separators in {_GUIDELINES}",
            ),
            Assumption(
                _SLASH,
                "`*.example.com/` does not match a URL that has `example.com` in its path, although `/` separates "
                "tokens too",
                f"inferred from {_GUIDELINES}; it matters only where the URL is visible (HTTP, decrypted TLS)",
            ),
            Assumption(
                _CARET,
                "`*` and `^` may stand side by side: `*.^.example.com/` is two or more labels",
                f"inferred from {_GUIDELINES}, which forbid only consecutive `*` and ten consecutive `^`",
            ),
        ),
    ),
    lists=BOTH,
    forms=("url", "ip"),
    file_name=lambda options: f"{options.form}.txt",
    dialects=lambda options: (Dialect("", _URL if options.form == "url" else _IP),),
    render=_render,
    spell=lambda line, _options: " ".join(_spelled(line)),
    read=_read,
    problems=_problems,
    remarks=_remarks,
)
