"""``config.xml``: a configuration that loads as a partial one.

Around the elements stands the smallest base that programs which read PAN-OS configurations accept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.targets.paloalto.model import DeviceGroup, Vsys
from egressc.targets.paloalto.quote import xml_text
from egressc.targets.paloalto.render_fields import OWN_FIELDS

if TYPE_CHECKING:
    from egressc.targets.paloalto.model import Configuration
    from egressc.targets.paloalto.render_fields import Field, Tree, Value

# The command: PAN-OS 10.0 configure CLI command hierarchy, "load config … partial … from-xpath … to-xpath … mode".
_HEAD = """\
<?xml version="1.0"?>
<!--
  Written by egressc. Load it as a partial configuration: each element into the same place on the device, such as
    load config partial mode merge from-xpath PLACE to-xpath PLACE from config.xml
  Loading appends rules, where a clean-up rule may stand above them. So enter the `move` lines of commands.set after it.
-->
"""


def render_xml(model: Configuration, tree: Tree) -> bytes:
    """The bytes of ``config.xml``, UTF-8. ``tree`` is what ``sections`` gives for the model."""
    match model.location:
        case Vsys(name):
            before = f'   <network/>\n   <vsys>\n    <entry name="{xml_text(name)}">\n'
            after = "    </entry>\n   </vsys>\n"
        case DeviceGroup(name):
            before = f'   <device-group>\n    <entry name="{xml_text(name)}">\n'
            after = (
                "    </entry>\n   </device-group>\n   <template/>\n   <template-stack/>\n   <log-collector-group/>\n"
            )
    out = [
        _HEAD,
        f'<config version="{xml_text(model.version)}">\n',
        ' <shared/>\n <devices>\n  <entry name="localhost.localdomain">\n',
        before,
        *_body(tree),
        after,
        "  </entry>\n </devices>\n</config>\n",
    ]
    return "".join(out).encode()


def _body(tree: Tree) -> list[str]:
    out: list[str] = []
    kept: dict[Field, str] = {}
    open_path: list[str] = []
    for path, entries in tree:
        steps = path.split("/")
        same = 0
        while same < min(len(steps), len(open_path)) and steps[same] == open_path[same]:
            same += 1
        out += _closed(open_path, same)
        out += [f"{' ' * (5 + depth)}<{steps[depth]}>\n" for depth in range(same, len(steps))]
        open_path = steps
        indent = " " * (5 + len(steps))
        end = f"{indent}</entry>\n"
        indent += " "
        kept.clear()  # the indentation is another
        for name, fields in entries:
            if not fields:
                out.append(f'{indent[1:]}<entry name="{xml_text(name)}"/>\n')
                continue
            out.append(f'{indent[1:]}<entry name="{xml_text(name)}">\n')
            for field in fields:
                element = kept.get(field)
                if element is None:
                    element = f"{indent}{_element(*field)}\n"
                    if field[0] not in OWN_FIELDS:
                        kept[field] = element
                out.append(element)
            out.append(end)
    return out + _closed(open_path, 0)


def _closed(path: list[str], keep: int) -> list[str]:
    return [f"{' ' * (5 + depth)}</{path[depth]}>\n" for depth in range(len(path) - 1, keep - 1, -1)]


def _element(path: str, value: Value) -> str:
    """One field on one line: members of a list stand side by side."""
    *outer, inner = path.split("/")
    match value:
        case None:
            element = f"<{inner}/>"
        case str():
            element = f"<{inner}>{xml_text(value)}</{inner}>"
        case _:
            members = "".join([f"<member>{xml_text(member)}</member>" for member in value])
            element = f"<{inner}>{members}</{inner}>"
    for step in reversed(outer):
        element = f"<{step}>{element}</{step}>"
    return element
