"""The target `paloalto`: PAN-OS firewalls, and device groups of Panorama.

Security rules with custom URL categories, decryption rules for exemptions from TLS inspection, and the objects that
they need, as ``config.xml`` (a partial configuration) and ``commands.set`` (the same as commands).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.targets.paloalto.capabilities import CAPABILITIES
from egressc.targets.protocol import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.diagnostics import Diagnostic
    from egressc.flows import Processes
    from egressc.located import Located
    from egressc.lowering import Lowering
    from egressc.meaning import Meaning
    from egressc.policy import Account
    from egressc.site import Site
    from egressc.targets.paloalto.model import Configuration
    from egressc.targets.paloalto.settings import Settings
    from egressc.targets.protocol import Artefact

# The tables above are all that `egressc targets` needs; the rest is imported when it is used.


def _load_settings(located: Located | None) -> tuple[Settings | None, tuple[Diagnostic, ...]]:
    from egressc.targets.paloalto.settings import load_settings  # noqa: PLC0415

    return load_settings(located)


def _lower(site: Site[Settings]) -> Lowering[Configuration]:
    from egressc.targets.paloalto.lower import lower  # noqa: PLC0415

    return lower(site)


def _render(model: Configuration) -> tuple[Artefact, ...]:
    from egressc.targets.paloalto.render import render  # noqa: PLC0415

    return render(model)


def _read(site: Site[Settings], files: Sequence[Artefact]) -> Meaning:
    from egressc.targets.paloalto.read import read  # noqa: PLC0415

    return read(site, files)


def _processes(account: Account) -> tuple[Processes, ...]:
    from egressc.targets.paloalto.processes import processes  # noqa: PLC0415

    return processes(account)


TARGET: Target[Settings, Configuration] = Target(
    name="paloalto",
    capabilities=CAPABILITIES,
    load_settings=_load_settings,
    per_group=lambda _: False,
    sees_accounts=lambda settings: settings.user_id,
    default_deny=lambda settings: settings.default_deny,
    lower=_lower,
    render=_render,
    main_artefact="config.xml",
    read=_read,
    processes=_processes,
)
