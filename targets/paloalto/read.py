"""What a PAN-OS configuration does, from the files that we write, or from a live one.

A live one is XML (`show config running` of a firewall or of Panorama, an export, the API) or `set` commands (`set cli
config-output-format set`, then `show` in configuration mode). Files of one form are taken together, such as those of
Panorama and of a firewall; where both forms are given, they must say the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from egressc.config_text import text_of
from egressc.meaning import UnreadableError
from egressc.targets.paloalto.meaning import meaning_of
from egressc.targets.paloalto.read_rules import live_of
from egressc.targets.paloalto.read_set import take_set
from egressc.targets.paloalto.read_shelf import HERE, Shelf
from egressc.targets.paloalto.read_xml import take_xml

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.meaning import Meaning
    from egressc.site import Site
    from egressc.targets.paloalto.live import Live
    from egressc.targets.paloalto.model import Location
    from egressc.targets.paloalto.settings import Settings
    from egressc.targets.protocol import Artefact


def read(site: Site[Settings], files: Sequence[Artefact]) -> Meaning:
    """What these files do. Raises ``UnreadableError`` if they are no configuration of PAN-OS."""
    return meaning_of(live_from(files, site.settings.location), site)


def live_from(files: Sequence[Artefact], location: Location) -> Live:
    """What the firewalls at a location go through."""
    xml, commands = Shelf(), Shelf()
    is_xml: list[str] = []
    is_set: list[str] = []
    for file in files:
        text = text_of(file)
        if text.lstrip().startswith("<"):
            take_xml(xml, text.lstrip(), file.name)
            is_xml.append(file.name)
        else:
            if "{" in text and not any(line.startswith("set ") for line in text.split("\n")):
                raise UnreadableError(
                    "this is neither XML nor `set` commands: show it in one of those forms", file.name
                )
            take_set(commands, text, file.name)
            is_set.append(file.name)
    if not files:
        raise UnreadableError("there is no file")
    found = [
        _live(shelf, location, names, alone=not (is_xml and is_set))
        for shelf, names in ((xml, is_xml), (commands, is_set))
        if names
    ]
    if len(found) == 2 and _same(found[0]) != _same(found[1]):
        raise UnreadableError(f"`{is_xml[0]}` and `{is_set[0]}` say different things", is_set[0])
    return found[0]


def _live(shelf: Shelf, location: Location, names: Sequence[str], *, alone: bool) -> Live:
    """What the files of one form say; beside those of the other form they may say nothing at all."""
    if not shelf.places:
        if alone:
            raise UnreadableError("there are no rules", names[0])
        shelf.section(HERE, "rulebase/security")
    try:
        return live_of(shelf, location)
    except UnreadableError as error:
        raise UnreadableError(error.message, error.file or names[0], error.line) from None


def _same(live: Live) -> Live:
    """What must be the same in both forms: all but the remarks, and what else is in the files."""
    return replace(live, is_whole=True, remarks=())
