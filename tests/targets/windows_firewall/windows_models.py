"""Artefacts written by hand, for tests that need no policy."""

from egressc.anything import ANY
from egressc.targets.windows_firewall import TARGET
from egressc.targets.windows_firewall.keywords import keyword
from egressc.targets.windows_firewall.model import (
    AccountName,
    Action,
    FirewallPolicy,
    FirewallRule,
    PersistentStore,
    Protocol,
    RemoteAddresses,
    RemoteKeywords,
    Sid,
)


def rule(
    identity, content="1", *, block=False, names=(), users=ANY, service=ANY, program=ANY, description="what it is for"
):
    """A rule called `egressc-IDENTITY-CONTENT`, to some names or else to one network."""
    remote = RemoteKeywords(tuple(keyword(name).id for name in names)) if names else RemoteAddresses(("192.0.2.0/24",))
    return FirewallRule(
        name=f"egressc-{identity}-{content}",
        display_name=f"rule {identity}",
        description=description,
        action=Action.BLOCK if block else Action.ALLOW,
        protocol=Protocol.TCP,
        ports=("443",),
        remote=remote,
        users=users,
        service=service,
        program=program,
    )


def policy(*rules, keywords=(), **options):
    """An artefact with these rules; `keywords` are names."""
    options = {"group": "egressc", "store": PersistentStore(), "profiles": ANY, "closing_deny": True, **options}
    return FirewallPolicy(
        site="hosts", keywords=tuple(keyword(name) for name in sorted(keywords)), rules=tuple(rules), **options
    )


def script(*rules, **options):
    """The script of such an artefact."""
    return TARGET.render(policy(*rules, **options))[0].content


CONNECTOR = (Sid("S-1-5-20"),)
DOMAIN_ACCOUNT = (Sid("S-1-5-20"), AccountName("CONTOSO\\wapc$"))
