"""Configurations of PAN-OS by hand, in XML and as `set` commands, and how the reader decides a flow of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from functools import cache

from pan.config import PanConfig
from support import site_of

from egressc.drift import Deciding, holds
from egressc.flows import Flow
from egressc.meaning import Handling
from egressc.targets.paloalto.read import live_from, read
from egressc.targets.protocol import Artefact

INVENTORY = """
groups:
  one: {networks: [10.1.0.0/24, "2001:db8:1::/64"]}
  two: {objects: {paloalto: AG TWO}}
internal-networks: [10.0.0.0/8]
firewalls:
  f: {target: paloalto, settings: {from-zone: t, to-zone: u, user-id: true, decryption-profile: strict SETTINGS}}
"""
POLICY = """
service-account svc "S" { directory-user "corp\\svc" }
service-account other "O" { directory-user "corp\\other" }
policy p "P" {
    from one two
    allow a "A" { as svc to w.example.com ports 443/https 8080/http 5671/tls }
    allow b "B" { as other to v.example.com ports 443/https }
}
"""
ANYWHERE = "from-zone: any, to-zone: any"
INSIDE = "from-zone: t, to-zone: t"


@cache
def site(settings="", policy=POLICY):
    """A site with a known group, one that is an object of the device, and two accounts."""
    zones = settings if settings.startswith("from-zone") else "from-zone: t, to-zone: u"
    more = f", {settings}" if settings and settings != zones else ""
    text = INVENTORY.replace("SETTINGS", more).replace("from-zone: t, to-zone: u", zones)
    return site_of(policy, text, "f")


def members(field, *texts):
    """A field that holds members."""
    return f"<{field}>{''.join(f'<member>{text}</member>' for text in texts)}</{field}>"


_LISTS = ("source", "source-user", "destination", "category", "application", "service")


def rule(name="r", action="allow", more="", **lists):
    """A security rule from zone t to u; what is not said is any. ``more`` is XML."""
    zones = {"from": ("t",), "to": ("u",)}
    fields = {**zones, **dict.fromkeys(_LISTS, ("any",))}
    fields.update({key.rstrip("_").replace("_", "-"): value for key, value in lists.items()})
    text = "".join(members(key, *((value,) if isinstance(value, str) else value)) for key, value in fields.items())
    return f'<entry name="{name}">{text}<action>{action}</action>{more}</entry>'


def decrypting(name="d", action="no-decrypt", kind="ssl-forward-proxy", more="", **lists):
    """A decryption rule."""
    return rule(name, action, f"<type><{kind}/></type>{more}", **{"application": (), **lists}).replace(
        "<application></application>", ""
    )


def section(path, *entries):
    """Entries at a path, such as ``profiles/custom-url-category``."""
    steps = path.split("/")
    return (
        f"{''.join(f'<{step}>' for step in steps)}{''.join(entries)}{''.join(f'</{step}>' for step in reversed(steps))}"
    )


def entry(name, text=""):
    """An entry."""
    return f'<entry name="{name}">{text}</entry>'


def address(name, kind, value):
    """An address object."""
    return entry(name, f"<{kind}>{value}</{kind}>")


def service(name, ports, transport="tcp", more=""):
    """A service object."""
    return entry(name, f"<protocol><{transport}><port>{ports}</port>{more}</{transport}></protocol>")


def category(name, *entries):
    """A section with one custom URL category."""
    return section("profiles/custom-url-category", entry(name, f"{members('list', *entries)}<type>URL List</type>"))


def rules(*entries, base="rulebase"):
    """A security rulebase."""
    return section(f"{base}/security/rules", *entries)


def vsys(*sections, shared="", name="vsys1", more=""):
    """The configuration of a firewall."""
    return (
        f'<config version="10.1.0"><shared>{shared}</shared><devices><entry name="localhost.localdomain">{more}'
        f'<vsys><entry name="{name}">{"".join(_merged(sections))}</entry></vsys></entry></devices></config>'
    )


def panorama(groups, *, shared="", parents=None, local=""):
    """The configuration of Panorama: sections by device group, and which group is below which."""
    held = "".join(entry(name, "".join(_merged(sections))) for name, sections in groups.items())
    above = "".join(
        entry(name, f"<parent-dg>{parent}</parent-dg>" if parent else "<id>11</id>")
        for name, parent in (parents or {}).items()
    )
    readonly = f'<readonly><devices><entry name="localhost.localdomain"><device-group>{above}</device-group></entry></devices></readonly>'
    vsys_ = f'<vsys><entry name="vsys1">{local}</entry></vsys>' if local else ""
    return (
        f'<config version="10.1.0"><shared>{"".join(_merged([shared]))}</shared><devices><entry name="localhost.localdomain">'
        f"<device-group>{held}</device-group>{vsys_}</entry></devices>{readonly if parents is not None else ''}</config>"
    )


def _merged(sections):
    """Sections with those of one path joined, as a device has them."""
    root = ET.Element("root")
    for text in sections:
        for element in ET.fromstring(f"<root>{text}</root>"):
            _into(root, element)
    return [ET.tostring(each, encoding="unicode") for each in root]


def _into(parent, element):
    held = parent.find(element.tag) if element.tag != "entry" else None
    if held is None:
        parent.append(element)
        return
    for child in element:
        _into(held, child)


def set_lines(text):
    """The `set` commands for a configuration, as pan-python (not we) writes them."""
    root = ET.fromstring(text)
    conf = PanConfig(config=text)
    out = []
    for kind, prefix in (("vsys", "set "), ("device-group", "set device-group ")):
        for held in root.findall(f"./devices/entry/{kind}/entry"):
            name = held.get("name")
            start = prefix if kind == "vsys" else f'{prefix}"{name}" '
            for child in {each.tag for each in held}:
                out += (
                    conf.set_cli(start, f"./devices/entry/{kind}/entry[@name='{name}']/{child}", member_list=True) or []
                )
    for child in {each.tag for each in root.findall("./devices/entry/*")} - {"vsys", "device-group"}:
        out += conf.set_cli("set ", f"./devices/entry/{child}", member_list=True) or []
    for child in {each.tag for each in root.findall("./shared/*")}:
        out += conf.set_cli("set shared ", f"./shared/{child}", member_list=True) or []
    out += (
        conf.set_cli(
            "set readonly devices localhost.localdomain ", "./readonly/devices/entry/device-group", member_list=True
        )
        or []
    )
    return "\n".join(out) + "\n"


def artefact(text, name="live.txt"):
    """A file."""
    return Artefact(name, text if isinstance(text, bytes) else text.encode())


def reading(text, where=None):
    """The meaning of a configuration, which is the same when it comes as `set` commands."""
    where = where or site()
    files = [artefact(text)]
    commands = [artefact(set_lines(text))]
    meaning = read(where, files)
    if "<device-group>" not in text or "<vsys>" not in text:
        assert live_from(files, where.settings.location) == live_from(commands, where.settings.location)
        assert read(where, commands) == meaning
    return meaning


def flow(
    host=None, port=443, *, source="10.1.0.5", address="203.0.113.10", transport="tcp", path=None, shared=None, of=None,
    user="corp\\svc",
):  # fmt: skip
    """A flow as the firewall sees it."""
    process = f"directory-user {user}" if user else ""
    return Flow(of, None, host, path, address, shared, transport, port, None, source, process)


def decided(meaning, *arguments, **more):
    """What decides a flow: the name of the ruling and its outcome, or the default; `unknown` where nobody knows."""
    found = Deciding(meaning.rulings).of(flow(*arguments, **more))
    if not found:
        return "(default)", meaning.default.value
    if found[0].doubt:
        return found[0].name, "unknown"
    return found[0].name, found[0].outcome.value


def does(meaning, *arguments, **more):
    """`allow`, `deny` or `unknown`."""
    return decided(meaning, *arguments, **more)[1]


def one(*sections, where=None, **lists):
    """The meaning of one rule that allows, with its objects."""
    return reading(vsys(*sections, rules(rule(**lists))), where)


def inspected(meaning, *arguments, **more):
    """`inspect`, `perhaps` or `exempt`, by the first ruling on inspection that matches a flow; else `none`."""
    wanted = flow(*arguments, **more)
    for ruling in meaning.inspections:
        if any(holds(box, wanted) for block in ruling.blocks for box in block.boxes()):
            is_vague = ruling.doubt or (ruling.handling is Handling.INSPECT and not ruling.sure)
            return "perhaps" if is_vague else ruling.handling.value
    return "none"


def doubts(meaning):
    """Every doubt about a rule, in one text."""
    return re.sub(r"\s+", " ", "; ".join(ruling.doubt for ruling in meaning.rulings if ruling.doubt))
