"""The files of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.targets.paloalto.render_fields import sections
from egressc.targets.paloalto.render_set import render_set
from egressc.targets.paloalto.render_xml import render_xml
from egressc.targets.protocol import Artefact

if TYPE_CHECKING:
    from egressc.targets.paloalto.model import Configuration


def render(model: Configuration) -> tuple[Artefact, ...]:
    """``config.xml`` and ``commands.set``, which say the same."""
    tree = sections(model)
    return Artefact("config.xml", render_xml(model, tree)), Artefact("commands.set", render_set(model, tree))
