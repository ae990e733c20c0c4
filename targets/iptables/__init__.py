"""Linux iptables: chains of our own, ipsets that dnsmasq fills, and a script that puts them in place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.targets.iptables.capabilities import CAPABILITIES
from egressc.targets.iptables.model import Firewall, Mode
from egressc.targets.iptables.settings import Settings, load_settings
from egressc.targets.protocol import Target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.flows import Processes
    from egressc.lowering import Lowering
    from egressc.meaning import Meaning
    from egressc.policy import Account
    from egressc.site import Site
    from egressc.targets.protocol import Artefact


def _lower(site: Site[Settings]) -> Lowering[Firewall]:
    from egressc.targets.iptables.lower import lower  # noqa: PLC0415 - only who lowers needs it

    return lower(site)


def _render(firewall: Firewall) -> tuple[Artefact, ...]:
    from egressc.targets.iptables.render import render  # noqa: PLC0415 - only who renders needs it

    return render(firewall)


def _read(site: Site[Settings], files: Sequence[Artefact]) -> Meaning:
    from egressc.targets.iptables.read import read  # noqa: PLC0415 - only who reads needs it

    return read(site, files)


def _processes(account: Account) -> tuple[Processes, ...]:
    from egressc.targets.iptables.accounts import processes  # noqa: PLC0415 - only the proof needs it

    return processes(account)


TARGET: Target[Settings, Firewall] = Target(
    name="iptables",
    capabilities=CAPABILITIES,
    load_settings=load_settings,
    per_group=lambda settings: settings.mode is Mode.HOST,
    sees_accounts=lambda settings: settings.mode is Mode.HOST,
    default_deny=lambda settings: settings.default_deny,
    lower=_lower,
    render=_render,
    main_artefact="rules.v4",
    read=_read,
    processes=_processes,
)
"""The target as the registry finds it."""
