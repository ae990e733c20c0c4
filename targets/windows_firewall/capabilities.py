"""What Windows Firewall can express, its limits, and what nobody could verify: data, each with its source.

Sources: [MS-FASP] is v20260511; *cmdlets* are ``MicrosoftDocs/windows-powershell-docs`` winserver2025-ps/NetSecurity;
*keywords* is ``MicrosoftDocs/windows-itpro-docs`` dynamic-keywords.md and ``MicrosoftDocs/win32``
firewall-dynamic-keywords.md.
"""

from __future__ import annotations

from typing import Final

from egressc.targets.protocol import Assumption, Capabilities, Capability, Limit

MAX_ADDRESSES: Final = 1000
"""Networks or ranges in one rule ([MS-FASP] 2.2.5, 2.2.7, 2.2.9, 2.2.11)."""

MAX_PORTS: Final = 1000
"""Port ranges in one rule ([MS-FASP] 2.2.13)."""

MAX_KEYWORDS: Final = 1000
"""Dynamic keywords in one rule: no number is documented, so the same as for addresses."""

MAX_TEXT: Final = 9999
"""UTF-16 units in a display name, a description or an authorisation list ([MS-FASP] 2.2.37)."""

MAX_PATH: Final = 259
"""Characters in a program path or a service name ([MS-FASP] 2.2.37)."""

MAX_PRINCIPALS: Final = 50
"""Accounts in one rule: with identifiers of the greatest length (184 characters) a list of 50 fits ``MAX_TEXT``."""

MINIMUM_BUILD: Final = 20348
"""The first build of Windows with dynamic keywords (netfw.h, PFN_FWADDDYNAMICKEYWORDADDRESS0)."""

MINIMUM_PLATFORM: Final = "4.18.2209.7"
"""The first Defender platform that resolves keywords (keywords, prerequisites)."""

KEYWORD_WILDCARD: Final = "windows-keyword-wildcard"
"""The id of the assumption about ``*.`` keywords."""

SERVICE_SID: Final = "windows-service-sid"
"""The id of the assumption about ``-Service``."""

GPO_KEYWORD: Final = "windows-gpo-keyword"
"""The id of the assumption about keywords in group policy."""

_RESOLVED: Final = ("resolved-address",)

CAPABILITIES: Final = Capabilities(
    title="Windows Firewall",
    rows=(
        Capability("exact host name", "dynamic keyword that Defender resolves", "wider", _RESOLVED),
        Capability("`*.d`", "dynamic keyword `*.d`, without `d` itself", "wider", _RESOLVED, (KEYWORD_WILDCARD,)),
        Capability("one whole label is `*`", "keyword `*.PARENT`", "wider", ("depth", *_RESOLVED), (KEYWORD_WILDCARD,)),
        Capability(
            "`*` inside a label",
            "keyword `*.PARENT`",
            "wider",
            ("label-wildcard", *_RESOLVED),
            (KEYWORD_WILDCARD,),
        ),
        Capability("URL path", "its host", "wider", ("path",)),
        Capability(
            "names, with `dynamic-keywords: false`", "addresses of the fallback", "wider", ("fallback", "no-names")
        ),
        Capability("IPv4 and IPv6 addresses, networks, ranges", "`-RemoteAddress`, at most 1,000 in a rule", "exact"),
        Capability("service tags", "their published addresses", "exact"),
        Capability("ports, TCP and UDP", "`-RemotePort`, one rule for each protocol", "exact"),
        Capability("service account", "`-LocalUser`", "exact"),
        Capability("Windows service", "`-Service`", "exact", (), (SERVICE_SID,)),
        Capability("program", "`-Program`", "exact"),
        Capability("source group", "one script for each group", "exact"),
        Capability("deny by address", "block rule, which wins over every allow", "exact"),
        Capability(
            "deny by name",
            "block rule, where it meets no allow by address and stops no other allowed name; refused otherwise",
            "wider",
            _RESOLVED,
        ),
        Capability("`except`, addresses from addresses", "subtracted", "exact"),
        Capability(
            "`except`, addresses from names", "block rule, where no other allow overlaps it", "exact", ("except",)
        ),
        Capability("`except`, names", "none", "wider", ("except",)),
        Capability("`no-tls-inspection`", "nothing: it never inspects", "exact"),
        Capability("log", "for a whole profile only", "exact", ("log",)),
        Capability("default deny", "`-EnforceDefaultDeny` of the script", "exact", ("default",)),
        Capability("expiry", "left out when compiled after the date", "exact", ("expiry",)),
        Capability(
            "rules in group policy", "a GPO session; keywords through a start-up script", "exact", (), (GPO_KEYWORD,)
        ),
    ),
    limits=(
        Limit("addresses in a rule", str(MAX_ADDRESSES), "[MS-FASP] 2.2.5, 2.2.7, 2.2.9, 2.2.11: range(0, 1000)"),
        Limit("port ranges in a rule", str(MAX_PORTS), "[MS-FASP] 2.2.13: range(0, 1000)"),
        Limit("dynamic keywords in a rule", str(MAX_KEYWORDS), "our own: none is documented"),
        Limit("accounts in a rule", str(MAX_PRINCIPALS), "our own, so that the list stays under 10,000 characters"),
        Limit("rule name", "1 to 511 characters, no `|`", "[MS-FASP] 2.2.37, wszRuleId"),
        Limit("display name, description", f"1 to {MAX_TEXT} characters, no `|`", "[MS-FASP] 2.2.37"),
        Limit("authorisation list", f"{MAX_TEXT} characters", "[MS-FASP] 2.2.37, wszLocalUserAuthorizationList"),
        Limit("program", f'{MAX_PATH} characters, none of `/ * ? " < > |`', "[MS-FASP] 2.2.37, wszLocalApplication"),
        Limit("service", f"{MAX_PATH} characters, none of `/ \\ |`", "[MS-FASP] 2.2.37, wszLocalService"),
        Limit("IPv6 addresses", "no range begins or ends at `::` or `::1`", "[MS-FASP] 2.2.6, 2.2.10"),
        Limit("Windows build for dynamic keywords", str(MINIMUM_BUILD), "netfw.h, PFN_FWADDDYNAMICKEYWORDADDRESS0"),
        Limit("Defender platform for dynamic keywords", MINIMUM_PLATFORM, "windows-itpro-docs dynamic-keywords.md"),
    ),
    assumptions=(
        Assumption(
            KEYWORD_WILDCARD,
            "a dynamic keyword `*.d` matches names at any depth below `d`, and not `d` itself",
            "windows-itpro-docs dynamic-keywords.md and firewall-csp.md show `*.contoso.com` and state neither",
        ),
        Assumption(
            SERVICE_SID,
            "a rule with `-Service` matches a process by the service's identifier in its token",
            '[MS-FASP] 2.2.37 says "the service that uses the traffic"; how the service is recognised is not stated',
        ),
        Assumption(
            GPO_KEYWORD,
            "a rule in a group policy object keeps its references to dynamic keywords",
            "the cmdlet takes both parameters together; the registry form of such a rule is not published",
        ),
    ),
)
"""The lowering table of this target."""
