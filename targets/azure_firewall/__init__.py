"""Azure Firewall: rule collection groups of a Firewall Policy, as a deployment template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.targets.azure_firewall.capabilities import CAPABILITIES
from egressc.targets.protocol import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.diagnostics import Diagnostic
    from egressc.located_value import Located
    from egressc.lowering import Lowering
    from egressc.meaning import Meaning
    from egressc.site import Site
    from egressc.targets.azure_firewall.model import Model
    from egressc.targets.azure_firewall.settings import Settings
    from egressc.targets.protocol import Artefact


# The modules behind these functions are imported when one is first called: `egressc targets` needs the tables only.


def _load_settings(located: Located | None) -> tuple[Settings | None, tuple[Diagnostic, ...]]:
    from egressc.targets.azure_firewall.settings import load_settings  # noqa: PLC0415

    return load_settings(located)


def _lower(site: Site[Settings]) -> Lowering[Model]:
    from egressc.targets.azure_firewall.lower import lower  # noqa: PLC0415

    return lower(site)


def _render(model: Model) -> tuple[Artefact, ...]:
    from egressc.targets.azure_firewall.render import render  # noqa: PLC0415

    return render(model)


def _read(site: Site[Settings], files: Sequence[Artefact]) -> Meaning:
    from egressc.targets.azure_firewall.read import read  # noqa: PLC0415

    return read(site, files)


def _default_deny(settings: Settings) -> bool:
    return settings.default_deny


def _shared_place(settings: Settings) -> str:
    return f"the rule collection groups `{settings.prefix}-…` of the policy `{settings.policy}`"


def _never(_settings: Settings) -> bool:
    return False


TARGET: Target[Settings, Model] = Target(
    name="azure-firewall",
    capabilities=CAPABILITIES,
    load_settings=_load_settings,
    per_group=_never,
    sees_accounts=_never,
    default_deny=_default_deny,
    lower=_lower,
    render=_render,
    main_artefact="template.json",
    shared_place=_shared_place,
    read=_read,
)
"""The target as the compiler knows it."""
