"""Windows Firewall: outbound rules for one group of hosts, as a PowerShell script and the same data as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.targets.protocol import Target
from egressc.targets.windows_firewall.capabilities import CAPABILITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.diagnostics import Diagnostic
    from egressc.flows import Processes
    from egressc.located import Located
    from egressc.lowering import Lowering
    from egressc.meaning import Meaning
    from egressc.policy import Account
    from egressc.site import Site
    from egressc.targets.protocol import Artefact
    from egressc.targets.windows_firewall.model import FirewallPolicy
    from egressc.targets.windows_firewall.settings import Settings


# The parts are imported when they are called: whoever only asks what there is does not wait for them.
def _load_settings(located: Located | None) -> tuple[Settings | None, tuple[Diagnostic, ...]]:
    from egressc.targets.windows_firewall.settings import load_settings  # noqa: PLC0415

    return load_settings(located)


def _lower(site: Site[Settings]) -> Lowering[FirewallPolicy]:
    from egressc.targets.windows_firewall.lower import lower  # noqa: PLC0415

    return lower(site)


def _render(model: FirewallPolicy) -> tuple[Artefact, ...]:
    from egressc.targets.windows_firewall.render import render  # noqa: PLC0415

    return render(model)


def _shared_place(settings: Settings) -> str | None:
    from egressc.targets.windows_firewall.model import GroupPolicyStore  # noqa: PLC0415

    if not isinstance(settings.store, GroupPolicyStore):
        return None
    return f"the rule group `{settings.group}` of the GPO `{settings.store.gpo}`"


def _read(site: Site[Settings], files: Sequence[Artefact]) -> Meaning:
    from egressc.targets.windows_firewall.read import read  # noqa: PLC0415

    return read(site, files)


def _processes(account: Account) -> tuple[Processes, ...]:
    from egressc.targets.windows_firewall.processes import processes  # noqa: PLC0415

    return processes(account)


TARGET: Target[Settings, FirewallPolicy] = Target(
    name="windows-firewall",
    capabilities=CAPABILITIES,
    load_settings=_load_settings,
    per_group=lambda _: True,
    sees_accounts=lambda _: True,
    default_deny=lambda settings: settings.default_deny,
    lower=_lower,
    render=_render,
    main_artefact="firewall.ps1",
    shared_place=_shared_place,
    read=_read,
    processes=_processes,
)
"""The target that the inventory calls ``windows-firewall``."""
