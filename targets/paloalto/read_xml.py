"""A configuration in XML: a whole one, what the API or `show config` wraps it in, or a fragment.

Entities are refused, so that no text grows; nothing here goes deeper than a configuration does.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Final

from egressc.meaning import UnreadableError
from egressc.targets.paloalto.read_shelf import (
    DEEPER,
    HERE,
    OBJECTS,
    REST,
    RULEBASES,
    RULES,
    SHARED,
    TEMPLATES,
    UNREAD,
)

if TYPE_CHECKING:
    from egressc.targets.paloalto.read_shelf import Fields, Place, Section, Shelf

_DEEPEST: Final = 20
"""How deep the fields of an entry nest at most; PAN-OS's own schema has no deeper one."""

_DECLARATIONS: Final = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)

_WRAPPERS: Final = frozenset({"response", "result", "config", "policy", "panorama", "devices"})
"""What a configuration stands in: the answer of the API, and `show config pushed-shared-policy` (policy/panorama)."""

_UPPER: Final = {section for section, _ in DEEPER}


def take_xml(shelf: Shelf, text: str, file: str) -> None:
    """Put what stands in the text on the shelf. Raises ``UnreadableError`` if it is no configuration."""
    if _DECLARATIONS.search(text):
        raise UnreadableError("a document type or an entity is declared, which no configuration needs", file)
    try:
        root = ET.fromstring(text)  # noqa: S314 - without declarations there is nothing that could grow
    except ET.ParseError as error:
        raise UnreadableError(f"this is no XML: {error}", file, error.position[0]) from None
    if not _Reading(shelf, file).taken(root):
        raise UnreadableError(f"`{root.tag[:80]}` is no part of a configuration of PAN-OS with rules", file)


class _Reading:
    def __init__(self, shelf: Shelf, file: str) -> None:
        self._shelf = shelf
        self._file = file
        self._same: dict[tuple[str, ...], tuple[str, ...]] = {}

    def taken(self, root: ET.Element) -> bool:
        """True if something in the element was of use."""
        found = False
        level = [root]
        for _ in range(_DEEPEST):
            inner: list[ET.Element] = []
            for element in level:
                if element.tag in _WRAPPERS or (element.tag == "entry" and _is_device(element)):
                    inner.extend(element)
                else:
                    found = self._part(element) or found
            if not inner:
                return found or root.tag == "config"
            level = inner
        return found

    def _part(self, element: ET.Element) -> bool:
        """One element that stands directly in a configuration, or a fragment by itself."""
        if element.tag in REST and len(element):
            self._shelf.is_whole = True
            if element.tag == "deviceconfig":
                above = [*element.iterfind("system/panorama//*"), *element.iterfind("system/panorama-server")]
                self._shelf.is_managed = self._shelf.is_managed or bool(above)
            return False
        if element.tag in TEMPLATES:
            for entry in element.iterfind(".//ssl-decrypt/ssl-exclude-cert/entry"):
                self._shelf.excluded[entry.get("name", "")] = entry.findtext("exclude", "")
            return False
        match element.tag:
            case "shared":
                self._place(element, SHARED)
            case "vsys" | "device-group":
                for entry in element.iterfind("entry"):
                    self._place(entry, (element.tag, entry.get("name", "")))
            case "entry":
                if not self._place(element, ("", element.get("name", ""))):
                    return False
            case "readonly":
                self._parents(element)
                return False
            case _:
                return self._section(element, HERE)
        return True

    def _place(self, element: ET.Element, place: Place) -> bool:
        """The sections of a virtual system, of a device group, or of what all share; False if there is none."""
        self._shelf.places.setdefault(place, {})
        taken = [self._section(child, place) for child in element]
        return any(taken)

    def _section(self, element: ET.Element, place: Place) -> bool:
        tag = element.tag
        shelf = self._shelf
        if tag in OBJECTS:
            self._entries(element, shelf.section(place, tag))
        elif tag in _UPPER:
            for child in element:
                if (tag, child.tag) in DEEPER:
                    self._entries(child, shelf.section(place, f"{tag}/{child.tag}"))
        elif tag in RULEBASES:
            shelf.places.setdefault(place, {})
            for child in element:
                rules = child.find("rules")
                if child.tag in RULES:
                    if rules is not None:
                        self._entries(rules, shelf.section(place, f"{tag}/{child.tag}"))
                elif rules is not None and len(rules):
                    shelf.rulebases[place, f"{tag}/{child.tag}"] = None
        else:
            return False
        return True

    def _entries(self, element: ET.Element, section: Section) -> None:
        for entry in element.iterfind("entry"):
            name = entry.get("name")
            if name is None:
                raise UnreadableError(f"an entry of `{element.tag}` has no name", self._file)
            if name in section:
                raise UnreadableError(f"`{name[:80]}` stands in `{element.tag}` twice", self._file)
            section[name] = self._fields(entry)

    def _fields(self, entry: ET.Element) -> Fields:
        fields: Fields = {}
        same = self._same
        for child in entry:
            if child.tag in UNREAD:
                continue
            if child.tag in fields:
                name = entry.get("name", "")
                raise UnreadableError(f"`{child.tag[:80]}` stands twice in `{name[:80]}`", self._file)
            if not len(child):
                text = child.text
                values: tuple[str, ...] = (text,) if text and not text.isspace() else ()
            elif child[0].tag == "member":
                values = tuple([each.text or "" for each in child])
            else:
                self._deeper(child, fields)
                continue
            fields[child.tag] = same.setdefault(values, values)
        return fields

    def _deeper(self, child: ET.Element, fields: Fields) -> None:
        """What stands further below an entry."""
        held: dict[str, list[str]] = {}
        waiting = [(child, child.tag, 1)]
        while waiting:
            element, path, depth = waiting.pop()
            if depth > _DEEPEST:
                raise UnreadableError(f"`{child.tag[:80]}` is nested too deeply", self._file)
            for each in element:
                text = each.text if each.text and not each.text.isspace() else None
                word = each.get("name", "") if each.tag == "entry" else each.tag
                if len(each):
                    waiting.append((each, f"{path}/{word}", depth + 1))
                elif each.tag == "member":
                    held.setdefault(path, []).append(text or "")
                elif text is None:
                    held.setdefault(path, []).append(word)
                else:
                    held.setdefault(f"{path}/{word}", []).append(text)
        for path, texts in held.items():
            fields[path] = tuple(texts)

    def _parents(self, readonly: ET.Element) -> None:
        """The hierarchy of device groups, which Panorama keeps apart: a group without `parent-dg` is below `shared`."""
        for entry in readonly.iterfind("devices/entry/device-group/entry"):
            self._shelf.parents[entry.get("name", "")] = entry.findtext("parent-dg", "")


def _is_device(entry: ET.Element) -> bool:
    """True for the entry of a device, in which virtual systems or device groups stand."""
    return entry.find("vsys") is not None or entry.find("device-group") is not None
