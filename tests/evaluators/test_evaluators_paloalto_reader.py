"""The reader of PAN-OS against the evaluator, which reads the same text another way: changed rulebases, flow by flow."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter

from loop import sound
from paloalto_text import from_xml
from random_cases import boundary_flows
from test_evaluators_paloalto import device_of, firewall, kinds_of, texts_of

from egressc.drift import Deciding, holds
from egressc.flows import Flow
from egressc.services import Application, PortSet
from egressc.targets.paloalto.read import read
from egressc.targets.protocol import Artefact

CASES = 250
FLOWS = 25


def _swapped(scope, rng):
    base = rng.choice([e for e in scope.iter("rules") if len(e) > 1] or [None])
    if base is not None:
        one = rng.choice(list(base))
        base.remove(one)
        base.insert(rng.randrange(len(base) + 1), one)


def _member_lost(scope, rng):
    held = [e for e in scope.iter() if len(e) > 1 and e[0].tag == "member"]
    if held:
        each = rng.choice(held)
        each.remove(rng.choice(list(each)))


def _member_swapped(scope, rng):
    field = rng.choice(("source", "destination", "category", "service"))
    held = [e for e in scope.iter(field) if len(e) and e[0].tag == "member" and e[0].text != "any"]
    if held:
        rng.choice(held)[0].text = rng.choice(held)[0].text


def _any(scope, rng):
    field = rng.choice(("source", "destination", "category", "service", "source-user"))
    held = [e for e in scope.iter(field) if len(e) and e[0].tag == "member"]
    if held:
        each = rng.choice(held)
        del each[1:]
        each[0].text = "any"


def _flag(name, values):
    def changed(scope, rng):
        rules = [e for base in scope.iter("rules") for e in base]
        if rules:
            rule = rng.choice(rules)
            held = rule.find(name)
            held = ET.SubElement(rule, name) if held is None else held
            held.text = rng.choice(values)

    return changed


def _ports(scope, rng):
    held = list(scope.iter("port"))
    if held:
        rng.choice(held).text = rng.choice(("443", "80,443", "1-65535", "8000-8100,5671"))


CHANGES = (
    _swapped, _member_lost, _member_swapped, _any, _ports, _flag("disabled", ("yes", "no")),
    _flag("negate-source", ("yes", "no")), _flag("negate-destination", ("yes", "no")),
)  # fmt: skip


def _seen(flow, site):
    """The flow as the reader's meaning has it."""
    objects = {group.name: group.object_name for group in site.groups if group.object_name is not None}
    user = dict(flow.process).get("directory-user")
    process = f"directory-user {user.casefold()}" if user else ""
    return Flow(
        objects.get(flow.group), None, flow.host, flow.path, flow.address, flow.shared, flow.transport, flow.port, None,
        flow.source, process,
    )  # fmt: skip


def _handling(meaning, flow):
    for ruling in meaning.inspections:
        if any(holds(box, flow) for block in ruling.blocks for box in block.boxes()):
            return None if ruling.doubt else {"inspect": "decrypt", "exempt": "no-decrypt"}[ruling.handling.value]
    return "nothing"


def test_changed_rulebases_are_read_as_the_evaluator_evaluates_them():
    counts = Counter()
    for number, rng, (build,) in sound(firewall, CASES):
        if build.site.settings.by_protocol:
            continue  # what is spoken is no part of the meaning's flows (reason `application`)
        clear = PortSet.of({s for r in build.site.rules for s in r.services if s.application is Application.HTTP})
        root = ET.fromstring(texts_of(build)[0])
        (scope,) = [*root.findall("devices/entry/vsys/entry"), *root.findall("devices/entry/device-group/entry")]
        for _ in range(rng.randint(1, 4)):
            rng.choice(CHANGES)(scope, rng)
        text = ET.tostring(root, encoding="unicode")
        meaning = read(build.site, [Artefact("live.xml", text.encode())])
        deciding = Deciding(meaning.rulings)
        device = device_of(build, text, from_xml)
        for flow in boundary_flows(build.site, rng, FLOWS, kinds_of(build)):
            if flow.host is not None and flow.shows is None and flow.transport == "tcp":
                continue  # a name that nothing shows is no flow of the meaning's
            if (flow.shows == "http") is not (flow.port == 80 or clear.overlaps(PortSet(((flow.port, flow.port),)))):
                continue  # something else is spoken there than the policy says
            seen = _seen(flow, build.site)
            found = deciding.of(seen)
            if found and found[0].doubt:
                counts["doubt"] += 1
                continue
            answer = found[0].outcome.value if found else None
            assert answer == device.decide(flow), f"seed {number}: {flow}\n{found}\n{text}"
            counts[answer] += 1
            if flow.shows == "tls":
                handling = _handling(meaning, seen)
                if handling is not None:
                    wanted = device.decryption(flow)
                    assert handling == (wanted or "nothing"), f"seed {number}: {flow}\n{text}"
                    counts[handling] += 1
    assert min(counts["allow"], counts["deny"], counts[None]) > 100, counts
    assert min(counts["decrypt"], counts["no-decrypt"]) > 2, counts
