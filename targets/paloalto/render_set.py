"""``commands.set``: the same configuration as commands for configuration mode, then the moves.

Objects come before what refers to them. A `set` appends a rule to its rulebase, so the rules are then moved, one by
one, to where they must stand: nothing of a policy lands behind a clean-up rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.targets.paloalto.model import Before, DeviceGroup, Top, Unplaced, Vsys
from egressc.targets.paloalto.quote import set_word
from egressc.targets.paloalto.render_fields import OWN_FIELDS, rulebase_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.targets.paloalto.model import Configuration, DecryptionRule, Place, SecurityRule
    from egressc.targets.paloalto.render_fields import Field, Tree, Value


def render_set(model: Configuration, tree: Tree) -> bytes:
    """The bytes of ``commands.set``, UTF-8, one command on each line.

    ``tree`` is what ``sections`` gives for the model.
    """
    scope = _scope(model)
    rulebase = rulebase_path(model.location)
    out: list[str] = []
    kept: dict[Field, str] = {}
    for path, entries in tree:
        start = f"set {scope}{path.replace('/', ' ')} "
        for name, fields in entries:
            head = start + set_word(name)
            if not fields:
                out.append(f"{head}\n")
                continue
            lines = [""]
            for field in fields:
                words = kept.get(field)
                if words is None:
                    words = f"{_words(*field)}\n"
                    if field[0] not in OWN_FIELDS:
                        kept[field] = words
                lines.append(words)
            out.append(head.join(lines))
        if path.endswith("security/rules"):
            out += _moves(f"move {scope}{rulebase} security rules", model.security_rules, model.place)
        elif path.endswith("decryption/rules"):
            out += _moves(f"move {scope}{rulebase} decryption rules", model.decryption_rules, model.decryption_place)
    return "".join(out).encode()


def _scope(model: Configuration) -> str:
    """The words between `set` and the path; none on the first virtual system, as on a firewall that has only one."""
    match model.location:
        case Vsys("vsys1"):
            return ""
        case Vsys(name):
            return f"vsys {set_word(name)} "
        case DeviceGroup(name):
            return f"device-group {set_word(name)} "


def _words(path: str, value: Value) -> str:
    words = "".join([f" {step}" for step in path.split("/")])
    match value:
        case None:
            return words
        case str():
            return f"{words} {set_word(value)}"
        case (single,):
            return f"{words} {set_word(single)}"
        case _:
            return f"{words} [ {' '.join([set_word(member) for member in value])} ]"


def _moves(command: str, rules: Sequence[SecurityRule] | Sequence[DecryptionRule], place: Place) -> Iterator[str]:
    """The moves that put the rules where they must stand, in their order, whatever the order was before."""
    match place:
        case Unplaced():
            return
        case Before(anchor):
            for rule in rules:
                yield f"{command} {set_word(rule.name)} before {set_word(anchor)}\n"
        case Top():
            above = ""
            for rule in rules:
                name = set_word(rule.name)
                yield f"{command} {name} after {above}\n" if above else f"{command} {name} top\n"
                above = name
