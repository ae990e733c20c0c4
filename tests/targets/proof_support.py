"""What tests of the proof and of drift share: policies compiled for a target, and flows as the evaluators take them."""

from __future__ import annotations

import importlib.util
import inspect
from datetime import date
from functools import cache
from pathlib import Path

import windows_scenario
from proof_policies import AS_OF, INVENTORIES, POLICIES
from registry_export import export_of
from support import compilation_of

from egressc.diagnostics import has_errors

DAY = date.fromisoformat(AS_OF)

FOLDERS = {
    "paloalto": "paloalto",
    "paloalto-set": "paloalto",
    "azure-firewall": "azure_firewall",
    "iptables": "iptables",
    "iptables-host": "iptables",
    "windows-firewall": "windows_firewall",
}
"""Where the breakages and tamperings of each kind of artefact stand."""


def compiled(kind):
    """The one artefact of a kind, compiled anew; fails on any error."""
    result = compilation_of(POLICIES[kind], INVENTORIES[kind], DAY)
    assert not has_errors(result.diagnostics), [(d.code, d.message) for d in result.diagnostics]
    (build,) = result.builds
    return build


@cache
def untouched(kind):
    """The one artefact of a kind, compiled once."""
    return compiled(kind)


@cache
def module_of(kind, file):
    """A module beside the tests of a target."""
    place = Path(__file__).parent / FOLDERS[kind] / f"{file}.py"
    spec = importlib.util.spec_from_file_location(f"{FOLDERS[kind]}_{file}", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def functions(kind, file, first):
    """The public functions of such a module whose first parameter has that name, but for those of another kind."""
    module = module_of(kind, file)
    only = getattr(module, "ONLY", {})
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_")
        and only.get(name, kind) == kind
        and function.__module__ == module.__name__
        and next(iter(inspect.signature(function).parameters), "") == first
    }


def live_files(kind, build):
    """What a device exports on which the artefact stands, as far as it differs from the artefact itself."""
    if kind == "windows-firewall":
        return export_of(build.lowering.model, accounts=windows_scenario.ACCOUNTS)
    files = {artefact.name: artefact.content for artefact in build.render()}
    if kind in {"iptables", "iptables-host"}:
        return module_of(kind, "saved").saved(files)
    # A firewall shows its configuration in one form at a time.
    form = {"paloalto": "config.xml", "paloalto-set": "commands.set"}.get(kind)
    return files if form is None else {form: files[form]}
