"""Dynamic keywords: the names that Defender resolves for a rule, and the GUIDs by which rules refer to them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid5

from egressc.targets.windows_firewall.model import Keyword

if TYPE_CHECKING:
    from egressc.hosts import HostPattern

NAMESPACE: Final = UUID("f955b8ef-1d78-5351-a3df-78304e939dc0")
"""The name space of all keywords that egressc creates, fixed for ever: a GUID in it says whose keyword it is.

It is the version 5 UUID of ``dynamic-keyword.egressc.invalid`` in the name space of DNS names.
"""


@lru_cache(maxsize=1 << 17)
def keyword_of(pattern: HostPattern) -> Keyword:
    """The keyword of a host name, or of all names below one (``*.d``); always lower case."""
    return keyword(pattern.text)


def keyword(name: str) -> Keyword:
    """The keyword of that name. Its id is the version 5 UUID (RFC 9562, 5.5) of the lower-case name, in braces."""
    lower = name.lower()
    return Keyword("{" + str(uuid5(NAMESPACE, lower)) + "}", lower)
