"""App-IDs: the few that a rule may ask for beside its ports, where the inventory wants that.

Content updates give traffic more specific App-IDs, and those win over ``ssl``; so this can only narrow a rule, is asked
for aloud (``application: by-protocol``), and is never done on a deny, which would stop less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egressc.anything import ANY, Anything
from egressc.services import Application

if TYPE_CHECKING:
    from egressc.lowering import Part
    from egressc.targets.paloalto.settings import Settings

_APP_IDS: Final[dict[Application, tuple[str, ...]]] = {
    Application.HTTPS: ("ssl", "web-browsing"),
    Application.TLS: ("ssl",),
    Application.HTTP: ("web-browsing", "ocsp"),
}
"""App-IDs that every content version has. Decrypted HTTPS is ``web-browsing``; revocation by HTTP is ``ocsp``.

What is spoken on ``tcp`` and ``udp`` ports is not known, so no App-ID is asked for there.
"""


def applications_of(part: Part, settings: Settings) -> tuple[str, ...] | Anything:
    """The App-IDs of the rule for a part; ``ANY`` where the ports alone decide."""
    if not settings.by_protocol or part.rule.is_deny:
        return ANY
    found: dict[str, None] = {}
    for service in part.services:
        known = _APP_IDS.get(service.application)
        if known is None:
            return ANY
        found.update(dict.fromkeys(known))
    return tuple(sorted(found))
