"""What a Windows Firewall does, from an artefact of ours or from what a machine exports; see ``live``.

An artefact is ``firewall.ps1``, ``rules.json``, or both, which must then say the same. An export is one or more files
of ``reg export``, and JSON of cmdlets beside them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from egressc.config_text import text_of
from egressc.meaning import UnreadableError
from egressc.targets.windows_firewall.live import Live
from egressc.targets.windows_firewall.meaning import meaning_of
from egressc.targets.windows_firewall.model import GroupPolicyStore
from egressc.targets.windows_firewall.read_json import Objects, data_of, is_data, load
from egressc.targets.windows_firewall.read_records import live_of
from egressc.targets.windows_firewall.read_registry import Registry
from egressc.targets.windows_firewall.read_script import is_script, read_script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.meaning import Meaning
    from egressc.site import Site
    from egressc.targets.protocol import Artefact
    from egressc.targets.windows_firewall.read_records import Place
    from egressc.targets.windows_firewall.settings import Settings

_Records = list[tuple["Place", dict[str, Any]]]
_Data = tuple[dict[str, Any], _Records, _Records, "Place"]
"""Site, keywords and rules of an artefact, and where they begin."""


def read(site: Site[Settings], files: Sequence[Artefact]) -> Meaning:
    """What these files do. Raises ``UnreadableError`` if they are no configuration of a Windows Firewall."""
    data: list[_Data] = []
    registry, objects = Registry(), Objects()
    exports: list[str] = []
    for file in files:
        if is_script(file.content):
            script = read_script(file.content, file.name)
            place = (file.name, script.line)
            data.append((script.site, _placed(script.keywords, file), _placed(script.rules, file), place))
            continue
        text = _text(file)
        if text.lstrip()[:1] in {"{", "["}:
            value = load(text, file.name)
            if is_data(value):
                mine, keywords, rules = data_of(value, file.name)
                place = (file.name, 0)
                data.append((mine, [(place, each) for each in keywords], [(place, each) for each in rules], place))
                continue
            objects.read(value, file.name)
        else:
            registry.read(text, file.name)
        exports.append(file.name)
    if data and exports:
        raise UnreadableError("an artefact and what a machine exports are two configurations", exports[0])
    if data:
        return meaning_of(_artefact(data, site), site)
    if not registry.has_rules:
        raise UnreadableError("there are no firewall rules", exports[0] if exports else "")
    return meaning_of(_export(registry, objects), site)


def _placed(records: Sequence[tuple[int, dict[str, Any]]], file: Artefact) -> _Records:
    return [((file.name, line), record) for line, record in records]


def _text(file: Artefact) -> str:
    """The text of a file as Windows writes it; the oldest form of an export is in the code page of the West."""
    if file.content.startswith(b"REGEDIT4"):
        return file.content.decode("cp1252", "replace")
    return text_of(file)


def _artefact(data: list[_Data], site: Site[Settings]) -> Live:
    mine, keywords, rules, where = data[0]
    for other, other_keywords, other_rules, other_place in data[1:]:
        if (mine, _bare(keywords), _bare(rules)) != (other, _bare(other_keywords), _bare(other_rules)):
            raise UnreadableError(f"it says something else than `{where[0]}`", *other_place)
    live = live_of(mine, keywords, rules, where)
    settings = site.settings
    store = settings.store
    is_policy = isinstance(store, GroupPolicyStore)
    for what, there, here in (
        ("for", mine["Name"], site.name),
        ("for the rule group", mine["Group"], settings.group),
        ("for the store", mine["Store"], store.gpo if isinstance(store, GroupPolicyStore) else "PersistentStore"),
        ("for a group policy object", str(mine["GroupPolicy"]).lower(), str(is_policy).lower()),
    ):
        if there != here:
            raise UnreadableError(f"it is {what} `{there}`, and not `{here}`", *where)
    return live


def _bare(records: _Records) -> list[dict[str, Any]]:
    return [record for _, record in records]


def _export(registry: Registry, objects: Objects) -> Live:
    count = Counter([rule.name for rule in registry.rules])
    rules = []
    for rule in registry.rules:
        references = objects.references.get(rule.name)
        if references:
            rule = replace(rule, keywords=tuple(dict.fromkeys((*rule.keywords, *references))))  # noqa: PLW2901
        if count[rule.name] > 1:  # of two rules of one name in two stores one overwrites the other
            doubt = "another store has a rule of the same name"
            rule = replace(rule, doubts=(*rule.doubts, doubt))  # noqa: PLW2901
        rules.append(rule)
    return Live(
        tuple(rules),
        tuple(objects.keywords.values()),
        profiles=registry.profiles(),
        accounts=tuple(objects.accounts.items()),
        remarks=tuple(registry.remarks),
    )
