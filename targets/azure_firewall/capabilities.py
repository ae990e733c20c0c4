"""What Azure Firewall can express, its limits, and what nobody could verify: the target's tables, as data.

Sources as in ``limits``; *processing* is rule-processing.md of 2026-03-23, *premium* premium-features.md.
"""

from __future__ import annotations

from typing import Final

from egressc.targets.azure_firewall import limits
from egressc.targets.protocol import Assumption, Capabilities, Capability, Limit

IPV6: Final = Assumption(
    "azure-ipv6",
    "no IPv6 passes the firewall: it is not in dual-stack mode",
    "deploy-dual-stack-firewall.md of 2026-07-16: a preview, in network rules alone, without IP groups; without it, "
    "firewall-known-issues.md of 2023-10-02: an IPv6 address in a rule makes the firewall fail",
)
TLS_PORT: Final = Assumption(
    "azure-tls-port",
    "an application rule with `Https:PORT` knows TLS that does not carry HTTP by its SNI",
    "rule-processing.md names HTTP, HTTPS and MSSQL only; inferred from the SNI being all that is read of HTTPS",
)
SUFFIX: Final = Assumption(
    "azure-suffix-wildcard",
    "`*` and text that begins inside a label (`*-scus.contoso.com`) is taken, and matches every name with that ending",
    'firewall-faq.yml says "literally anything to the left of the wildcard character", and shows only `*contoso.com`',
)
URL_HTTP: Final = Assumption(
    "azure-url-http",
    "a rule with `targetUrls` and only `Http` protocols needs no `terminateTLS`",
    "premium-features.md says URL filtering applies to HTTP too; azurerm's page asks for terminate_tls with URLs",
)
CATEGORIES: Final = Assumption(
    "azure-tls-categories",
    "no inspected host is in the web categories education, finance, government, health and medicine",
    "premium-features.md: hosts of these categories are never terminated",
)
SERVICE_TAG: Final = Assumption(
    "azure-service-tag",
    "the service tag can be used in Azure Firewall's rules",
    'service-tags-overview.md, column "Can use with Azure Firewall?": not every published tag can',
)

_ROWS = (
    Capability("host on `https`", "application rule, `Https:PORT`, `targetFqdns`, by SNI", "exact"),
    Capability("host on `http`", "application rule, `Http:PORT`, `targetFqdns`, by Host header", "exact"),
    Capability("host on `tls`", "application rule, `Https:PORT`, `targetFqdns`, by SNI", "exact", (), (TLS_PORT.id,)),
    Capability(
        "host on `tcp`, `udp`",
        "network rule with `destinationFqdns`, with the policy's DNS proxy",
        "wider",
        ("resolved-address", "fallback", "no-names"),
    ),
    Capability("`*.` before a name", "`targetFqdns` entry `*.NAME`", "exact"),
    Capability("`*.` on `tcp`, `udp`", "addresses or service tags of the fallback", "wider", ("fallback", "no-names")),
    Capability("name and `*.name`", "two `targetFqdns` entries, never `*NAME`", "exact"),
    Capability(
        "`*` at the start of the first label",
        "`targetFqdns` entry `*-TEXT.NAME`, at any depth",
        "wider",
        ("depth", "apex"),
        (SUFFIX.id,),
    ),
    Capability("`*` elsewhere in a name", "the shortest suffix behind the last `*`", "wider", ("label-wildcard",)),
    Capability("path on `http`", "Premium: `targetUrls`; else the host", "exact", ("path",), (URL_HTTP.id,)),
    Capability(
        "path on `https`",
        "Premium, where the flow must be inspected: `targetUrls` with `terminateTLS`; else the host",
        "wider",
        ("path",),
    ),
    Capability("addresses, prefixes, ranges", "network rule with `destinationAddresses`", "exact"),
    Capability("any-address", "network rule with the destination `*`", "exact"),
    Capability("service tag", "network rule with the tag", "exact", (), (SERVICE_TAG.id,)),
    Capability("IPv6 sources and addresses", "left out", "narrower", ("family",), (IPV6.id,)),
    Capability(
        "ports of names",
        f"one protocol each up to {limits.LARGEST_APPLICATION_PORT}; ranges of up to "
        f"{limits.MOST_SPELLED_PORTS} ports one by one",
        "exact",
        ("ports",),
    ),
    Capability("ports of addresses", "single ports, ranges, `*`", "exact"),
    Capability("service account", "left out: the sources of the group", "wider", ("account",)),
    Capability("group", "`sourceAddresses`, or `sourceIpGroups` with `ip-groups: true`", "exact"),
    Capability("unbound group", "source `*`", "wider", ("source",)),
    Capability(
        "deny",
        "collections with action Deny before all allows of their type; no deny by name stops an allow by address, and "
        "none by a fallback is written",
        "exact",
        ("order",),
    ),
    Capability(
        "`except` names in names",
        "a deny directly above the allow, behind all plain allows",
        "exact",
        ("except",),
    ),
    Capability(
        "`except` addresses",
        "subtracted from addresses; from names by a network rule, where no other application rule is cut by it",
        "exact",
        ("except",),
    ),
    Capability("`except` names in addresses", "none: the network rule matches first", "wider", ("except",)),
    Capability(
        "`no-tls-inspection`", "`terminateTLS: false`, before everything that terminates TLS", "exact", ("tls-scope",)
    ),
    Capability(
        "`tls-inspection`",
        "`terminateTLS: true` on `https`, Premium with a CA certificate",
        "exact",
        ("tls-unenforced",),
        (CATEGORIES.id,),
    ),
    Capability(
        "default deny",
        "application rule that denies `*` on Http:80 and Https:443, and the firewall's own deny of all that is left",
        "exact",
        ("default",),
    ),
    Capability(
        "`expires`", "left out by the first compilation after the date; named in the description", "exact", ("expiry",)
    ),
    Capability("`log`", "the firewall's diagnostic settings", "exact", ("log",)),
    Capability("description, ticket", "the rule's description, with the rule's identity", "exact"),
)

_LIMITS = (
    Limit("name", f"{limits.LONGEST_NAME} characters, {limits.NAME.pattern}", "resource-name-rules.md"),
    Limit(
        "description",
        f"{limits.LONGEST_DESCRIPTION} characters",
        "none published; what other Azure descriptions take",
    ),
    Limit("priority", f"100 to {limits.LARGEST_PRIORITY}", "ARM schema 2024-05-01"),
    Limit(
        "rule collection group, warning", f"{limits.WARN_BYTES} bytes", "firewall-limits.md: policies before July 2022"
    ),
    Limit("rule collection group, refused", f"{limits.MOST_BYTES} bytes", "azure-docs issues 93880 and 95557"),
    Limit(
        "rule collection groups of a policy",
        "the setting `max-rule-collection-groups`, 60 if left out",
        "firewall-limits.md of 2023-10-10; later pages quote 90 and 100",
    ),
    Limit("rule collections", f"{limits.MOST_COLLECTIONS}", "firewall-known-issues.md of 2023-10-02"),
    Limit("network rules, sources times destinations", f"{limits.MOST_NETWORK_RULES}", "firewall-limits.md"),
    Limit("names in network rules", f"{limits.MOST_NETWORK_FQDNS}", "firewall-limits.md"),
    Limit("IP groups", f"{limits.MOST_IP_GROUPS}", "firewall-limits.md"),
    Limit("networks of an IP group", f"{limits.MOST_IP_GROUP_ENTRIES}", "firewall-limits.md"),
    Limit("port of an application rule", f"0 to {limits.LARGEST_APPLICATION_PORT}", "ARM schema 2024-05-01"),
    Limit(
        "template",
        f"{limits.TEMPLATE_BYTES} bytes",
        "template-best-practices.md; error-job-size-exceeded.md adds: after compression",
    ),
)

CAPABILITIES: Final = Capabilities(
    "Azure Firewall (Firewall Policy)",
    _ROWS,
    _LIMITS,
    (IPV6, TLS_PORT, SUFFIX, URL_HTTP, CATEGORIES, SERVICE_TAG),
)
"""The tables of the target."""
