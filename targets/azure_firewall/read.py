"""What a firewall policy does, from the template that we write, or any other, or from what Azure gives of a live one.

A live one is what `az network firewall policy rule-collection-group list` (or `show`) gives, or the REST API; beside it
IP groups (`az network ip-group list`), and the policy and its parents (`az network firewall policy show`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egressc.meaning import UnreadableError
from egressc.targets.azure_firewall.live import Live
from egressc.targets.azure_firewall.meaning import meaning_of
from egressc.targets.azure_firewall.read_json import documents_of
from egressc.targets.azure_firewall.read_resources import GROUPS, IP_GROUPS, POLICIES, Shelf, lowered
from egressc.targets.azure_firewall.read_template import resources_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from egressc.meaning import Meaning
    from egressc.site import Site
    from egressc.targets.azure_firewall.settings import Settings
    from egressc.targets.protocol import Artefact


def read(site: Site[Settings], files: Sequence[Artefact]) -> Meaning:
    """What these files do. Raises ``UnreadableError`` if they are no configuration of an Azure Firewall."""
    try:
        return meaning_of(live_of(files), site)
    except RecursionError:
        raise UnreadableError("the files are nested too deeply", files[0].name if files else "") from None


def live_of(files: Sequence[Artefact]) -> Live:
    """What stands in the files."""
    shelf = Shelf()
    documents = documents_of(files)
    given = {key: value for document in documents for key, value in (document.parameters or {}).items()}
    is_whole = False
    for document in documents:
        if document.template is not None:
            is_whole = True
            for each in resources_of(document.template, given, document.file):
                if not shelf.take(each.type, each.name, each.body, document.file, each.doubt):
                    shelf.remarks.append(f"{document.file}: `{each.name}` ({each.type}) is left aside")
        elif document.parameters is None:
            is_whole = is_whole or not document.resources
            for resource in document.resources:
                _take(shelf, resource, document.file)
    if not shelf.groups and not is_whole and not any(policy.groups == () for policy in shelf.policies):
        raise UnreadableError("there are no rule collection groups", files[0].name if files else "")
    return Live(tuple(shelf.groups), tuple(shelf.ip_groups), tuple(shelf.policies), tuple(shelf.remarks))


def _take(shelf: Shelf, resource: dict[str, Any], file: str) -> None:
    kind = _kind(resource)
    held = lowered(resource)
    identifier = held.get("id") or held.get("name") or ""
    if not isinstance(identifier, str):
        raise UnreadableError("the identifier of a resource is no text", file)
    if not shelf.take(kind, identifier, resource, file):
        if "rulecollectiontype" in held:
            raise UnreadableError("a rule collection without its group: list the groups, not the collections", file)
        if not kind:
            raise UnreadableError("this is no resource of a firewall policy", file)
        shelf.remarks.append(f"{file}: `{identifier}` ({kind}) is left aside")


def _kind(resource: dict[str, Any]) -> str:
    """The type of a resource in lower case: as it says, or by its identifier or its properties."""
    held = lowered(resource)
    said = held.get("type")
    if isinstance(said, str) and "/" in said:
        return said.lower()
    identifier = held.get("id")
    if isinstance(identifier, str) and "/providers/" in identifier.lower():
        provider, *parts = identifier.lower().rpartition("/providers/")[2].split("/")
        return "/".join([provider, *parts[::2]])
    properties = held.get("properties")
    keys = held.keys() | (lowered(properties).keys() if isinstance(properties, dict) else set())
    if "rulecollections" in keys:
        return GROUPS
    if "ipaddresses" in keys:
        return IP_GROUPS
    if keys & {"basepolicy", "threatintelmode", "dnssettings"}:
        return POLICIES
    return ""
