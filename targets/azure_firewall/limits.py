"""The numbers and patterns of Azure Firewall that lowering and its checks use, each with its source.

Marks as in Microsoft's documents of these dates: *limits* is firewall-limits.md of 2023-10-10, *schema* the ARM schema
Microsoft.Network 2024-05-01, *names* resource-name-rules.md, *faq* firewall-faq.yml, *skus* features-by-sku.md of
2025-09-18, *fqdn* fqdn-filtering-network-rules.md, *arm* template-best-practices.md and template-expressions.md.
"""

from __future__ import annotations

import re
from typing import Final

API_VERSION: Final = "2024-05-01"
"""The version of every resource written: the newest of the schemas that the tests check against."""

LONGEST_NAME: Final = 80
"""Characters of the name of a rule collection group, collection, rule or IP group (*names*)."""

NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?")
"""What such a name looks like (*names*: begins alphanumeric, ends alphanumeric or with an underscore)."""

LONGEST_DESCRIPTION: Final = 256
"""UTF-16 units of a rule's description. No length is published; what other Azure descriptions take is kept to."""

RESERVED_PRIORITIES: Final = 1000
"""How many priorities of rule collection groups belong to egressc, from the setting upwards."""

LARGEST_PRIORITY: Final = 65000
"""The last priority of a rule collection group or a collection; 100 is the first (*schema*)."""

WARN_BYTES: Final = 1_000_000
"""Above this size of a rule collection group old policies fail (*limits*: 1 MB before July 2022, 2 MB since)."""

MOST_BYTES: Final = 1_400_000
"""The size of a rule collection group that is refused in practice (azure-docs issues 93880 and 95557)."""

TEMPLATE_BYTES: Final = 4_000_000
"""The size of a deployment template (*arm*: 4 MB; error-job-size-exceeded.md: 4 MB after compression)."""

MOST_COLLECTIONS: Final = 2_000
"""Rule collections (firewall-known-issues.md of 2023-10-02, "a Resource Manager limit"), all types together."""

MOST_NETWORK_RULES: Final = 20_000
"""Sources times destinations, over all network rules; an IP group counts as one (*limits*)."""

MOST_NETWORK_FQDNS: Final = 1_000
"""Names in network rules of one firewall, "for good performance" (*limits*)."""

MOST_IP_GROUPS: Final = 200
"""IP groups of one firewall (*limits*)."""

MOST_IP_GROUP_ENTRIES: Final = 5_000
"""Addresses, prefixes and ranges of one IP group (*limits*)."""

LARGEST_APPLICATION_PORT: Final = 64_000
"""The last port of an application rule (*schema*; *limits* says 65535 for the service)."""

MOST_SPELLED_PORTS: Final = 64
"""The longest range of ports that is spelled out one by one where a rule takes single ports only (egressc's own)."""

IP_GROUP_ID: Final = re.compile(
    r"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Network/ipGroups/[A-Za-z0-9][A-Za-z0-9._-]{0,79}",
    re.IGNORECASE,
)
"""The resource identifier of an IP group that exists already."""

IP_GROUP_ID_BYTES: Final = 200
"""What the identifier of an IP group takes besides its name: subscription (36), resource group (90), words, quotes."""
