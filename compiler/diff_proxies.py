"""What a change does to the proxies that groups are behind: it changes no policy, but what firewalls let through."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.bind import Prepared
    from egressc.inventory_proxy import Proxy


def proxy_remarks(old: Prepared, new: Prepared) -> Iterator[str]:
    """A sentence for each group of both sides whose ``proxy`` in the inventory is another."""
    for group in new.inventory.groups:
        before = old.inventory.group(group.name)
        if before is None:
            continue
        if before.proxy is None or group.proxy is None:
            yield from _come_or_gone(group.name, before.proxy, group.proxy)
        else:
            yield from _changed(group.name, before.proxy, group.proxy)


def _come_or_gone(group: str, old: Proxy | None, new: Proxy | None) -> Iterator[str]:
    if new is not None:
        what = f"directly only what its `bypass` names ({_listed(new.texts)})" if new.bypass else "nothing directly"
        yield f"group `{group}` is behind the proxy {new.text} now: firewalls let it reach that, and {what}"
    elif old is not None:
        yield f"group `{group}` is no longer behind the proxy {old.text}: what the policy allows, it reaches directly"


def _changed(group: str, old: Proxy, new: Proxy) -> Iterator[str]:
    if (old.port, frozenset(old.addresses)) != (new.port, frozenset(new.addresses)):
        yield f"the proxy of group `{group}` is {new.text} now (it was {old.text})"
    more = [text for text in new.texts if text not in old.texts]
    less = [text for text in old.texts if text not in new.texts]
    if more or less:
        parts = [f"has {_listed(more)} now"] if more else []
        parts += [f"has {_listed(less)} no more"] if less else []
        yield f"`bypass` of group `{group}` {', and '.join(parts)}"


def _listed(texts: list[str] | tuple[str, ...]) -> str:
    return ", ".join(f"`{text}`" for text in texts)
