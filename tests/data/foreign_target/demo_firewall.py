"""A target of another distribution: a firewall that knows addresses and ports, and nothing else."""

from egressc.approximate import any_source, default_steps, drop_account, named, use_fallback
from egressc.lowering import Lowering
from egressc.parts import parts_of
from egressc.targets.protocol import Artefact, Assumption, Capabilities, Capability, Limit, Target


def lower(site):
    parts, lines = [], []
    for rule in site.rules:
        for start in parts_of(rule):
            for part in use_fallback(start, "it knows no names"):
                told = any_source(drop_account(part, "it sees no accounts"), "it sees no sources")
                if told.reach is not None:
                    name = f"{rule.key}:{part.kind}"
                    to = " ".join(endpoint.text for endpoint in told.reach.endpoints)
                    lines.append(f"{rule.rule.action} {name} {to} {told.reach.ports.text}")
                    told = named(told, name)
                parts.append(told)
    return Lowering(tuple(lines), tuple(parts), default_steps(site), assumes=("nobody else writes its rules",))


TARGET = Target(
    name="demo",
    capabilities=Capabilities(
        "Demo",
        (Capability("address", "an address", "exact"),),
        (Limit("rules", "none", "this file"),),
        (Assumption("demo", "it is there", "this file"),),
    ),
    load_settings=lambda located: ("settings", ()),
    per_group=lambda _: False,
    sees_accounts=lambda _: False,
    default_deny=lambda _: True,
    lower=lower,
    render=lambda lines: (Artefact("rules.txt", "".join(f"{line}\n" for line in lines).encode()),),
    main_artefact="rules.txt",
)
