"""From texts to sites, lowerings and files through the real front end, for tests."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

from egressc.api import Request, compile_request, load
from egressc.bind import bind, bind_everything, prepare
from egressc.diagnostics import has_errors
from egressc.targets.registry import load_target

AS_OF = date(2026, 11, 22)


def write_project(folder, policy, inventory=None, **files):
    """Write a policy, an inventory and further files (``name__egress`` for ``name.egress``) into a folder."""
    folder = Path(folder)
    (folder / "policy.egress").write_text(policy, encoding="utf-8", newline="")
    if inventory is not None:
        (folder / "inventory.yaml").write_text(inventory, encoding="utf-8", newline="")
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8", newline="")
    return folder


def sites_of(policy, inventory, firewall, as_of=AS_OF):
    """The sites of one firewall; fails on any error of policy, inventory or settings."""
    with tempfile.TemporaryDirectory() as name:
        write_project(name, policy, inventory)
        loaded = load((name,))
    assert not has_errors(loaded.diagnostics), loaded.diagnostics
    prepared, problems = prepare(loaded.policy, loaded.inventory, as_of)
    assert not has_errors(problems), problems
    entry = loaded.inventory.firewall(firewall)
    assert entry is not None, f"no firewall {firewall}"
    target = load_target(entry.target)
    settings, problems = target.load_settings(entry.settings)
    assert settings is not None, problems
    return bind(prepared, entry, target, settings)


def site_of(policy, inventory, firewall, as_of=AS_OF):
    """The one site of a firewall."""
    (site,) = sites_of(policy, inventory, firewall, as_of)
    return site


def lowering_of(policy, inventory, firewall, as_of=AS_OF):
    """What the target makes of the one site of a firewall."""
    site = site_of(policy, inventory, firewall, as_of)
    return load_target(site.target).lower(site)


def compilation_of(policy, inventory, as_of=AS_OF, tags__json=None, **options):
    """A whole compilation, errors included; ``tags__json`` is the text of a file ``tags.json`` beside the inventory."""
    with tempfile.TemporaryDirectory() as name:
        write_project(name, policy, inventory, **({"tags__json": tags__json} if tags__json else {}))
        return compile_request(Request(paths=(name,), as_of=as_of, **options))


def artefacts_of(policy, inventory, firewall, as_of=AS_OF, **options):
    """The files of a firewall's one artefact by name; fails on any error of the compilation."""
    result = compilation_of(policy, inventory, as_of, firewalls=(firewall,), **options)
    assert not has_errors(result.diagnostics), [(d.code, d.message) for d in result.diagnostics]
    (build,) = result.builds
    return {artefact.name: artefact.content for artefact in build.render()}


def prepared_of(policy, inventory, as_of=AS_OF):
    """The policy and the inventory, met; fails on any error."""
    with tempfile.TemporaryDirectory() as name:
        write_project(name, policy, inventory)
        loaded = load((name,))
    assert not has_errors(loaded.diagnostics), loaded.diagnostics
    prepared, problems = prepare(loaded.policy, loaded.inventory, as_of)
    assert not has_errors(problems), problems
    return prepared


def everything_of(policy, inventory, as_of=AS_OF):
    """One site of all groups and all rules, for no target."""
    return bind_everything(prepared_of(policy, inventory, as_of))
