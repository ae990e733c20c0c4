"""Domains below which anyone can register a name: the private section of the public suffix list, and what it lacks.

An allow for a wildcard over one of them is an allow for whoever rents a name there.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from egressc.labels import glob_matches
from egressc.public_suffixes import is_public_suffix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_BEGIN: Final = "// ===BEGIN PRIVATE DOMAINS==="
_END: Final = "// ===END PRIVATE DOMAINS==="

# What the public suffix list does not have. Azure: the kinds of resource whose names are unique in the whole cloud
# ("scope: global" in learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules), with the zone
# that each gets its name in (learn.microsoft.com/azure/private-link/private-endpoint-dns, "public DNS zone forwarders";
# for China docs.azure.cn, the same page). Not verified (the pages could not be read in full): the zones of China and of
# the US government, `search.windows.net` and `database.windows.net`. An entry too many is a warning too many.
_AZURE: Final = (
    *(f"{kind}.core.windows.net" for kind in ("queue", "table", "dfs")),  # Microsoft.Storage/storageAccounts
    *(f"{kind}.core.usgovcloudapi.net" for kind in ("queue", "table", "dfs")),
    *(f"{kind}.core.chinacloudapi.cn" for kind in ("blob", "file", "queue", "table", "dfs", "web")),
    "servicebus.chinacloudapi.cn",  # Microsoft.ServiceBus/namespaces, Microsoft.EventHub/namespaces
    "azure-devices.net",  # Microsoft.Devices/IotHubs
    "azurecr.io",  # Microsoft.ContainerRegistry/registries
    "database.windows.net",  # Microsoft.Sql/servers
    "documents.azure.com",  # Microsoft.DocumentDB/databaseAccounts
    "mariadb.database.azure.com",  # Microsoft.DBforMariaDB/servers
    "mysql.database.azure.com",  # Microsoft.DBforMySQL/servers
    "postgres.database.azure.com",  # Microsoft.DBforPostgreSQL/servers
    "redis.cache.windows.net",  # Microsoft.Cache/Redis
    "search.windows.net",  # Microsoft.Search/searchServices
    "vault.azure.net",  # Microsoft.KeyVault/vaults
)

_MICROSOFT_365: Final = (
    # "contoso.onmicrosoft.com", "contoso.sharepoint.com": the name that a tenant chooses when it signs up
    # (office.microsoft.com, "About your initial onmicrosoft.com domain in Office 365").
    "onmicrosoft.com",
    "sharepoint.com",
    # "expenses-contoso.msappproxy.net": where each tenant publishes its applications
    # (learn.microsoft.com/entra/identity/app-proxy/how-to-configure-custom-domain).
    "msappproxy.net",
)

_NAMED: Final = 2
"""So many suffixes are named in a note; of more, how many there are."""


@dataclass(frozen=True, slots=True)
class _Suffixes:
    """Suffixes as labels from left to right. ``reverse`` holds their text from the last label on, sorted."""

    exact: frozenset[tuple[str, ...]]
    reverse: tuple[str, ...]
    longest: int


def note_for(pattern: str, leaves: Callable[[str], bool] = lambda _: True) -> str:
    """What to say of an endpoint under whose wildcard anyone can register a name; empty if nobody can.

    ``pattern`` is an endpoint as the language writes it. ``leaves`` says of a suffix whether the names below it are
    left in the rule, which may except some.
    """
    host = pattern.partition("/")[0]
    if not {"*", "["}.intersection(host):
        return ""
    labels = host.lower().split(".")
    if len(labels) == 2 and labels[0] == "*" and not is_public_suffix(labels[1:]):
        return f"`{labels[1]}` is in no list of public suffixes, so nobody can say who registers names under it"
    found = [suffix for suffix in open_suffixes(host) if leaves(suffix)]
    if not found:
        return ""
    shown = [f"`{suffix}`" for suffix in found[:_NAMED]]
    more = len(found) - len(shown)
    if more:
        return f"anyone can register a name under {', '.join(shown)} and {more} more"
    return f"anyone can register a name under {' and '.join(shown)}"


@lru_cache(maxsize=1 << 16)
def open_suffixes(host: str) -> tuple[str, ...]:
    """The suffixes below which anyone can register a name that a host pattern matches, the shortest first.

    Not one below which the pattern fixes the label that is registered (``*.contoso.blob.core.windows.net``).
    """
    labels = host.lower().replace("[one-label]", "**").split(".")
    deep = labels[0] == "*"
    globs = tuple(labels[1:] if deep else labels)
    tail = 0
    while tail < len(globs) and "*" not in globs[-1 - tail]:
        tail += 1
    known = _known()
    for length in range(min(tail, known.longest), 0, -1):
        suffix = globs[-length:]
        if suffix in known.exact or ("*", *suffix[1:]) in known.exact:
            return (".".join(suffix),) if _is_free(globs, deep=deep, at=length) else ()
    if not tail:
        return ()
    found = {
        ".".join(suffix).removeprefix("*.")
        for suffix in _below(known, globs[len(globs) - tail :])
        if _matches(globs, suffix) and _is_free(globs, deep=deep, at=len(suffix))
    }
    return tuple(sorted(found, key=lambda suffix: (suffix.count("."), suffix)))


def owner(labels: Sequence[str]) -> tuple[str, ...]:
    """The labels of the name that somebody registered: the public suffix above a host and one label more.

    The whole host where it is a public suffix itself, or ends in none.
    """
    known = _known()
    held = tuple(labels)
    for length in range(min(len(held) - 1, known.longest), 0, -1):
        suffix = held[-length:]
        if suffix in known.exact or ("*", *suffix[1:]) in known.exact or is_public_suffix(suffix):
            return held[-length - 1 :]
    return held[-2:] if len(held) > 1 and not is_public_suffix(held) else held


def _is_free(globs: tuple[str, ...], *, deep: bool, at: int) -> bool:
    """True if the label before the last ``at`` ones is left open."""
    return deep if at >= len(globs) else "*" in globs[-1 - at]


def _matches(globs: tuple[str, ...], suffix: tuple[str, ...]) -> bool:
    """True if the labels that a suffix and the globs both have agree, from the right."""
    return all(
        label == "*" or glob_matches(glob, label)
        for glob, label in zip(reversed(globs), reversed(suffix), strict=False)
    )


def _below(known: _Suffixes, tail: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The suffixes that end in these labels and have more of them."""
    first = ".".join(reversed(tail)) + "."
    found = []
    for at in range(bisect_left(known.reverse, first), len(known.reverse)):
        text = known.reverse[at]
        if not text.startswith(first):
            break
        found.append(tuple(reversed(text.split("."))))
    return found


@lru_cache(maxsize=1)
def _known() -> _Suffixes:
    from pathlib import Path  # noqa: PLC0415 - not every run meets a wildcard

    from publicsuffixlist import PSLFILE  # noqa: PLC0415 - see above

    text = Path(PSLFILE).read_text(encoding="utf-8")
    section = text[text.index(_BEGIN) : text.index(_END)]
    lines = (line.strip() for line in section.split("\n"))
    listed = {line.encode("idna").decode("ascii") for line in lines if line and not line.startswith(("//", "!"))}
    exact = frozenset(tuple(entry.split(".")) for entry in (*listed, *_AZURE, *_MICROSOFT_365))
    return _Suffixes(exact, tuple(sorted(".".join(reversed(s)) for s in exact)), max(map(len, exact)))
