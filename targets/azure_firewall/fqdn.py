"""Host patterns in the words of application rules: what can be said, and what comes nearest.

A ``targetFqdns`` entry is a name, or ``*`` and a suffix of the text: ``*.contoso.com`` is every name below, without the
name itself; ``*contoso.com`` also takes in ``th3re4lcontoso.com``. A ``*`` anywhere else is not supported
(firewall-faq.yml, "How do wildcards work in target URLs and target FQDNs in application rules?").
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from egressc.hosts import HostPattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from egressc.policy import HostEndpoint


@lru_cache(maxsize=65536)
def without_inner_wildcards(pattern: HostPattern) -> tuple[HostPattern, ...]:
    """The mapping of ``label-wildcard``: the smallest pattern whose only wildcard is the first character of the name.

    ``autodiscover.*.onmicrosoft.com`` becomes ``*.onmicrosoft.com``, ``azgn*.servicebus.windows.net`` becomes
    ``*.servicebus.windows.net``, and ``san-af-*-prod.azurewebsites.net`` only ``*-prod.azurewebsites.net``.
    """
    text = ".".join(pattern.labels)
    last = text.rfind("*")
    if last <= 0:
        return (pattern,)
    suffix = text[last + 1 :]
    if suffix.startswith("."):
        return (HostPattern(tuple(suffix[1:].split(".")), deep=True),)
    if not suffix:
        return (HostPattern((), deep=True),)
    labels = tuple(f"*{suffix}".split("."))
    return (HostPattern(labels, deep=pattern.deep or len(labels) < len(pattern.labels)),)


@lru_cache(maxsize=65536)
def with_deeper_names(pattern: HostPattern) -> tuple[HostPattern, ...]:
    """The mapping of ``depth``: a suffix is a suffix at any depth, so one label before it brings more labels along."""
    if pattern.deep or not _begins_wild(pattern):
        return (pattern,)
    if pattern.labels[0] == "*":
        return (HostPattern(pattern.labels[1:], deep=True),)
    return (pattern, HostPattern(pattern.labels, deep=True))


@lru_cache(maxsize=65536)
def with_shallow_names(pattern: HostPattern) -> tuple[HostPattern, ...]:
    """The mapping of ``apex``: a suffix that names below a pattern have is one that its own names have too."""
    if not pattern.deep or not _begins_wild(pattern):
        return (pattern,)
    if pattern.labels[0] == "*":
        return (HostPattern(pattern.labels[1:], deep=True),)
    return (HostPattern(pattern.labels), pattern)


def _begins_wild(pattern: HostPattern) -> bool:
    return bool(pattern.labels) and pattern.labels[0].startswith("*")


def is_partial(pattern: HostPattern) -> bool:
    """True for a suffix that begins inside a label, such as ``*-scus.contoso.com``."""
    return _begins_wild(pattern) and pattern.labels[0] != "*"


def is_sayable(pattern: HostPattern) -> bool:
    """True if a ``targetFqdns`` entry matches exactly what the pattern matches."""
    return pattern.is_tree


def fqdns(endpoints: Iterable[HostEndpoint]) -> tuple[str, ...]:
    """The entries of ``targetFqdns`` for hosts that went through the mappings above, in their order, each once."""
    patterns = [endpoint.pattern for endpoint in endpoints]
    return tuple(dict.fromkeys([p.text if p.is_tree else _entry(p) for p in patterns]))


def _entry(pattern: HostPattern) -> str:
    if is_partial(pattern):
        return ".".join(pattern.labels)
    return pattern.text


def urls(endpoints: Iterable[HostEndpoint]) -> tuple[str, ...]:
    """The entries of ``targetUrls`` for exact hosts with paths: the path itself, and everything below it.

    ``host/path`` also matches ``host/path/`` and a query, ``host/path/*`` anything below but not ``host/path`` (the
    same document).
    """
    found: list[str] = []
    for endpoint in endpoints:
        url = f"{endpoint.pattern.text}{endpoint.path}"
        found.append(url)
        found.append(f"{url}/*")
    return tuple(dict.fromkeys(found))
