"""Policies of one group, lowered for one Windows firewall."""

from support import compilation_of, lowering_of

from egressc.targets.windows_firewall.model import Protocol

CONNECTOR = """
service-account connector "Connector" {
    windows-account "NT AUTHORITY\\NETWORK SERVICE"
    windows-service "WAPCSvc"
    linux-user wapc
}
"""


def inventory(settings="", group="networks: [10.20.0.10]", more=""):
    return f"""
groups:
  g: {{{group}}}
{more}
firewalls:
  hosts: {{target: windows-firewall, settings: {{{settings}}}}}
"""


def lowered(rules, settings="", **options):
    return lowering_of(f'{CONNECTOR}\npolicy p "P" {{ from g\n{rules}\n}}', inventory(settings, **options), "hosts")


def compiled(rules, settings="", **options):
    return compilation_of(f'{CONNECTOR}\npolicy p "P" {{ from g\n{rules}\n}}', inventory(settings, **options))


def codes(result):
    return sorted(d.code for d in result.diagnostics)


def written(lowering):
    """The rules without the one for the internal networks."""
    return [r for r in lowering.model.rules if r.protocol is not Protocol.ANY]


def only(lowering):
    (rule,) = written(lowering)
    return rule


def names_of(lowering, rule):
    by_id = {k.id: k.name for k in lowering.model.keywords}
    return [by_id[i] for i in rule.remote.ids]


def reasons(lowering):
    return [[step.reason for step in part.steps] for part in lowering.parts]
