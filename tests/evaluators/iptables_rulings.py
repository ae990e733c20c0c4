"""What the rulings of a reader make of one flow: the first that holds it decides.

* ``seen(flow, site)``: the flow as rulings speak of it.
* ``decided(rulings, flow)``: the ruling that decides it; ``None`` where none does.
* ``decided_handling(inspections, flow)``: ``"exempt"``, ``"inspect"``, ``None``; ``"doubt"`` where the reader does not know.
"""

from __future__ import annotations

from egressc.drift import holds
from egressc.flows import Flow


def seen(flow, site):
    """The flow as the reader's meaning has it."""
    objects = {group.name: group.object_name for group in site.groups if group.object_name is not None}
    has = dict(flow.process)
    return Flow(
        objects.get(flow.group), None, flow.host, flow.path, flow.address, flow.shared, flow.transport, flow.port, None,
        flow.source, has,
    )  # fmt: skip


def held_by(block, flow):
    """True if a block holds a flow; on Linux a control group is in those above it."""
    has = flow.process
    for kind, choice in block.processes:
        value = has.get(kind, "")
        inside = (
            any(f"{value}/".startswith(f"{name}/") for name in choice.names)
            if kind == "linux-cgroup"
            else value in choice.names
        )
        if inside is choice.negated:
            return False
    plain = flow.__class__(**{name: getattr(flow, name) for name in flow.__slots__} | {"process": ""})
    return any(holds(box, plain) for box in bare(block).boxes())


def bare(block):
    """The block for any process."""
    return block.__class__(
        block.names, block.addresses, block.ports, block.sources, (), block.by_address, block.names_out, block.objects
    )


def decided(rulings, flow):
    for ruling in rulings:
        if any(held_by(block, flow) for block in ruling.blocks) and not any(
            held_by(block, flow) for block in ruling.but
        ):
            return ruling
    return None


def decided_handling(inspections, flow):
    for ruling in inspections:
        if any(held_by(block, flow) for block in ruling.blocks):
            return "doubt" if ruling.doubt else ruling.handling.value
    return None
