"""What PAN-OS can express: its limits as numbers, the lowering table, and what nobody could verify.

The numbers here are the ones that every check of this target uses. [S] is PAN-OS's own configuration schema (PA-220,
10.0.5; mirrored in PaloAltoNetworks/pan-os-php 1c5e3f80, `lib/resources`), [D] a page of docs.paloaltonetworks.com or
of the knowledge base.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from egressc.targets.protocol import Assumption, Capabilities, Capability, Limit

RULE_NAME: Final = 63
OBJECT_NAME: Final = 63
CATEGORY_NAME: Final = 31
SCHEDULE_NAME: Final = 31
PROFILE_NAME: Final = 31
TAG_NAME: Final = 127
DESCRIPTION: Final = 1024
RULE_TAGS: Final = 64
TAGS: Final = 10_000
URL_ENTRY: Final = 255
CARETS: Final = 9
FQDN: Final = 255
USER: Final = 1023
FQDN_OBJECTS_SMALL: Final = 2_000
FQDN_OBJECTS_LARGE: Final = 6_144

NAME_PATTERN: Final = re.compile(r"[0-9a-zA-Z._-](?:[ 0-9a-zA-Z._-]*[0-9a-zA-Z._-])?")
CATEGORY_PATTERN: Final = re.compile(r"[a-zA-Z._-][ 0-9a-zA-Z._-]*")
FQDN_PATTERN: Final = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]+[a-zA-Z0-9]")
TAG_PATTERN: Final = re.compile(r"[^]'[]+")
RESERVED_NAMES: Final = frozenset({"any", "intrazone-default", "interzone-default"})
RESERVED_USERS: Final = frozenset({"any", "pre-logon", "known-user", "unknown"})

SCHEDULE_DAY: Final = date(2000, 1, 1)
SCHEDULE_START: Final = "2000/01/01@00:00"

PATH_PREFIX: Final = "pan-path-prefix"
PATH_DECRYPTED: Final = "pan-path-decrypted"
STAR_SLASH: Final = "pan-star-slash"
STAR_CARET: Final = "pan-star-caret"
CATEGORY_SESSION: Final = "pan-category-session"
CATEGORY_OVERLAP: Final = "pan-category-overlap"
CATEGORY_PORT: Final = "pan-category-port"
CATEGORY_ADDRESS: Final = "pan-category-address"
FQDN_RESOLVED: Final = "pan-fqdn-resolved"
USER_MAPPED: Final = "pan-user-mapped"
DECRYPT_SURE: Final = "pan-decrypt-sure"

_SCHEMA = "[S] PAN-OS configuration schema 10.0.5"
_GUIDELINES = "[D] Guidelines for URL category exceptions"

LIMITS: Final = (
    Limit("security or decryption rule: name", f"{RULE_NAME} characters [ 0-9a-zA-Z._-]", f"{_SCHEMA}, rules/entry"),
    Limit("rule: description", f"{DESCRIPTION}, counted in bytes of UTF-8", f"{_SCHEMA}, rules/entry/description"),
    Limit("rule: tags", str(RULE_TAGS), f"{_SCHEMA}, rules/entry/tag"),
    Limit("rule: user", f"{USER} characters", f"{_SCHEMA}, rules/entry/source-user/member"),
    Limit(
        "custom URL category: name",
        f"{CATEGORY_NAME} characters, the first no digit",
        f"{_SCHEMA}, profiles/custom-url-category/entry",
    ),
    Limit("custom URL category: entry", f"{URL_ENTRY} characters", f"{_SCHEMA}, custom-url-category/entry/list/member"),
    Limit("custom URL category: consecutive ^", str(CARETS), _GUIDELINES),
    Limit("custom URL category: consecutive *", "1", f"{_SCHEMA}, custom-url-category-member-validator"),
    Limit("address, address group, service: name", f"{OBJECT_NAME} characters", f"{_SCHEMA}, address/entry"),
    Limit("address object: fqdn", f"{FQDN} characters {FQDN_PATTERN.pattern}", f"{_SCHEMA}, address/entry/fqdn"),
    Limit(
        "address objects with an fqdn",
        f"{FQDN_OBJECTS_SMALL} on small platforms and VM-Series, {FQDN_OBJECTS_LARGE} on large ones",
        "[D] knowledge base kA10g000000ClVqCAK, kA10g000000ClHJCA0",
    ),
    Limit("tag: name", f"{TAG_NAME} characters, none of [ ] '", f"{_SCHEMA}, tag/entry"),
    Limit("tags", str(TAGS), f"{_SCHEMA}, tag"),
    Limit("schedule: name", f"{SCHEDULE_NAME} characters", f"{_SCHEMA}, schedule/entry"),
    Limit("zone, profile group, decryption profile: name", f"{PROFILE_NAME} characters", _SCHEMA),
    Limit("entries of all custom URL categories", "depends on the platform; counted, not enforced", "not published"),
)
"""What PAN-OS refuses at commit, or a platform cannot hold."""

ASSUMPTIONS: Final = (
    Assumption(
        CATEGORY_SESSION,
        "a session whose name is not seen yet, or never is, matches no custom URL category: its handshake passes the "
        "first rule that fits by address and port, and the lookup after that, with the category, decides it",
        "inferred from [D] knowledge base kA10g000000POF8CAO (session flow)",
    ),
    Assumption(
        CATEGORY_OVERLAP,
        "a name that stands in several custom URL categories matches every rule that lists one of them",
        "inferred; [D] Create a custom URL category speaks of URL filtering profiles only",
    ),
    Assumption(
        CATEGORY_PORT,
        "the category is looked up for the SNI or Host on every port, without the port's number",
        "inferred; the pages speak of ports 80 and 443",
    ),
    Assumption(
        CATEGORY_ADDRESS,
        "a rule with both a destination address and a URL category matches a session only if both fit",
        "inferred from the order of the lookups, [D] knowledge base kA10g000000POF8CAO",
    ),
    Assumption(
        PATH_PREFIX,
        "`host/path` and `host/path/` together match that path and everything below it, and no other path",
        f"inferred from the token separators in {_GUIDELINES}",
    ),
    Assumption(
        PATH_DECRYPTED,
        "in a decrypted session the rule is chosen again once the path is known, and the handshake before it passes",
        "inferred from [D] knowledge base kA10g000000POF8CAO; no page describes a rule with a path on TLS",
    ),
    Assumption(
        STAR_SLASH,
        "`*.example.com/` does not match a URL that has `example.com` in its path, although `/` separates tokens too",
        f"inferred from {_GUIDELINES}; it matters only where the URL is visible (HTTP, decrypted TLS)",
    ),
    Assumption(
        STAR_CARET,
        "`*` and `^` may stand side by side: `*.^.example.com/` is two or more labels",
        f"inferred from {_GUIDELINES}, which forbid only consecutive `*` and ten consecutive `^`",
    ),
    Assumption(
        FQDN_RESOLVED,
        "the firewall resolves an FQDN object as the client does: by one resolver, at most 32 addresses of each family",
        "[D] knowledge base kA10g000000ClVqCAK; whether it holds is up to the site",
    ),
    Assumption(
        USER_MAPPED,
        "User-ID maps the source to the directory user of the account: it is on no ignore list, and no other user's "
        "logon replaces it (one user for each address, except with a Terminal Server agent)",
        "[D] knowledge base kA10g000000Clkl, enable-policy-for-users-with-multiple-accounts; up to the site",
    ),
    Assumption(
        DECRYPT_SURE,
        "the decryption profile blocks what it cannot decrypt, and no SSL decryption exclusion covers these hosts",
        "[D] decryption-exclusions; up to the site",
    ),
)
"""What the rules rest on and nobody could verify without a device."""

ROWS: Final = (
    Capability(
        "exact host, https, tls or http",
        "custom URL category `host/`, own service objects",
        "exact",
        (),
        (CATEGORY_SESSION, CATEGORY_OVERLAP, CATEGORY_PORT),
    ),
    Capability(
        "`*.x`", "`*.x/`, the apex stays outside", "exact", (), (CATEGORY_SESSION, CATEGORY_OVERLAP, STAR_SLASH)
    ),
    Capability("inner `*` (one label)", "`a.^.x/`, at most nine in a row", "exact", (), (STAR_CARET,)),
    Capability("more than nine `*` labels in a row", "`*.x/`", "wider", ("depth",)),
    Capability("`*` inside a label", "`^` for the whole label", "wider", ("label-wildcard",)),
    Capability("exact host, tcp or udp", "FQDN address object", "wider", ("resolved-address",), (FQDN_RESOLVED,)),
    Capability("wildcard host, tcp or udp", "its fallback; without one refused", "wider", ("fallback", "no-names")),
    Capability("path on http", "`host/path` and `host/path/`", "exact", (), (PATH_PREFIX,)),
    Capability(
        "path on https that must be inspected",
        "the same, and a decryption rule for the host",
        "exact",
        (),
        (PATH_PREFIX, PATH_DECRYPTED, DECRYPT_SURE),
    ),
    Capability("path on https otherwise", "the whole host", "wider", ("path",)),
    Capability("addresses, both families", "literal destinations", "exact"),
    Capability("any-address", "destination `any`", "exact"),
    Capability("service-tag", "the addresses of Azure's file, if the inventory names it", "exact"),
    Capability("ports", "one service object for each transport and range", "exact"),
    Capability("`application: by-protocol`", "ssl, web-browsing, ocsp beside the ports", "narrower", ("application",)),
    Capability("group", "address group, or an existing object", "exact"),
    Capability("unbound group", "source `any`", "wider", ("source",)),
    Capability("account, with User-ID", "source-user", "exact", ("account",), (USER_MAPPED,)),
    Capability("account, without User-ID", "source-user `any`", "wider", ("account",)),
    Capability(
        "except addresses",
        "not among the destinations; beside hosts a negated destination",
        "exact",
        (),
        (CATEGORY_ADDRESS,),
    ),
    Capability(
        "except hosts; beside FQDN objects anything",
        "a deny directly above the allow, behind all other allows; it stops internal addresses too",
        "exact",
        ("except", "default"),
        (CATEGORY_ADDRESS,),
    ),
    Capability("deny", "action deny, above all allows", "exact"),
    Capability(
        "no-tls-inspection",
        "decryption rule no-decrypt by host, at the top of the decryption rulebase",
        "exact",
        ("tls-scope",),
    ),
    Capability(
        "tls-inspection",
        "decryption rule decrypt with the inventory's `decryption-profile`",
        "exact",
        ("tls-unenforced",),
        (DECRYPT_SURE,),
    ),
    Capability("log", "log-end, log-setting; the closing deny always logs", "exact"),
    Capability("expires", "a schedule on the allow, by the firewall's clock; for new sessions", "exact", ("expiry",)),
    Capability("ticket, policy", "tags `ticket:…`, `policy:…`; group tag `policy:…`", "exact"),
    Capability("default deny", "closing deny, destination negated by the internal networks", "exact", ("default",)),
)
"""The lowering table."""

CAPABILITIES: Final = Capabilities("Palo Alto PAN-OS / Panorama", ROWS, LIMITS, ASSUMPTIONS)
"""All of it."""
