"""What iptables, ipset and dnsmasq can express: their limits as numbers, the lowering table, what nobody could verify.

The numbers here are the ones that every check of this target uses. [R] was measured in network namespaces (kernel 6.18,
iptables 1.8.9 of both kinds, ipset 7.17, dnsmasq 2.90), [S] is read in the source named, [D] in the manual page named.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from egressc.targets.iptables.quote import COMMENT
from egressc.targets.protocol import Capabilities, Capability, Limit

CHAIN_NAME: Final = 28
SET_NAME: Final = 31
SETS: Final = 65_534
ELEMENTS: Final = 65_536
SLOTS: Final = 15
LOG_PREFIX: Final = 63
LAST_DAY: Final = date(2037, 12, 31)
RESOLVER_LINE: Final = 1024
USER_NAME: Final = 256
CGROUP_PATH: Final = 511
LAST_UID: Final = 4_294_967_294
CELLS: Final = 64
RULE_LINE: Final = 10_239

CACHE_SECONDS: Final = 300
"""How long dnsmasq may answer from its cache: an answer from there puts nothing into a set [R]."""

LEARNED_SECONDS: Final = 86_400
"""How long an address stays in a set after it was last learned; never below ``CACHE_SECONDS``."""

LOG_PER_SECOND: Final = 10
LOG_BURST: Final = 20

TAKEN_NAMES: Final = frozenset(
    {
        *("INPUT", "OUTPUT", "FORWARD", "PREROUTING", "POSTROUTING"),
        *("ACCEPT", "DROP", "QUEUE", "RETURN"),
        *("AUDIT", "CHECKSUM", "CLASSIFY", "CLUSTERIP", "CONNMARK", "CONNSECMARK", "CT", "DNAT", "DNPT", "DSCP", "ECN"),
        *("HL", "HMARK", "IDLETIMER", "LED", "LOG", "MARK", "MASQUERADE", "MIRROR", "NAT", "NETMAP", "NFLOG"),
        *("NFQUEUE", "NOTRACK", "RATEEST", "REDIRECT", "REJECT", "SAME", "SECMARK", "SET", "SNAT", "SNPT", "SYNPROXY"),
        *("TARPIT", "TCPMSS", "TCPOPTSTRIP", "TEE", "TOS", "TPROXY", "TRACE", "TTL", "ULOG"),
    }
)
"""Names that a chain cannot have: built-in chains, verdicts, and the targets that iptables 1.8.9 ships."""

LIMITS: Final = (
    Limit("chain: name", f"{CHAIN_NAME} characters [A-Z0-9-], no target's name", "[R] iptables.md section 4"),
    Limit("ipset: name", f"{SET_NAME} characters [a-z0-9_]", "[R] iptables.md section 4"),
    Limit(
        "ipsets of one network namespace",
        str(SETS),
        "[S] Linux, include/uapi/linux/netfilter/ipset/ip_set.h: IPSET_INVALID_ID, an index of 16 bits",
    ),
    Limit("ipset: elements unless more are asked for", str(ELEMENTS), "[D] ipset(8), maxelem"),
    Limit("rule: comment", f"{COMMENT} bytes, cut there by egressc; the full text in `#` lines", "[R] silently cut"),
    Limit("rule: ports", f"{SLOTS} slots, a range takes two", "[R] `too many ports specified`"),
    Limit("rule: NFLOG prefix", f"{LOG_PREFIX} characters", "[R] silently cut (iptables-legacy)"),
    Limit("rule: date", f"up to {LAST_DAY.isoformat()}", "[R] `Invalid date`"),
    Limit(
        "restore file: line",
        f"{RULE_LINE:,} bytes; the rest is read as a line of its own",
        "[R], [S] iptables-restore.c",
    ),
    Limit("dnsmasq: line", f"{RESOLVER_LINE} characters; the rest is read as a line of its own", "[R] `bad option`"),
    Limit("user name", f"{USER_NAME} characters", "[D] login.defs(5), LOGIN_NAME_MAX"),
    Limit("control group: path", f"{CGROUP_PATH} characters", "[S] Linux, xt_cgroup.h: XT_CGROUP_INFO_PATH_MAX 512"),
    Limit("pieces of one allow that denies by name cut", str(CELLS), "chosen, so that no rule becomes unreadable"),
)
"""What the programs refuse, or lose without a word."""

_DNS: Final = "`ipset=/DOMAIN/…` of dnsmasq and a hash:ip set"

ROWS: Final = (
    Capability("exact host", f"{_DNS}; subdomains come along", "wider", ("depth", "resolved-address")),
    Capability("`*.x`", f"{_DNS}; the apex comes along", "wider", ("apex", "resolved-address")),
    Capability("`x` with `*.x`", _DNS, "wider", ("resolved-address",)),
    Capability("inner `*`, `*` inside a label", "the parent domain", "wider", ("label-wildcard", "resolved-address")),
    Capability("names without a resolver (`dns: none`)", "the fallback", "wider", ("fallback", "no-names")),
    Capability("path", "the whole host", "wider", ("path",)),
    Capability("addresses, both families", "hash:net sets", "exact"),
    Capability("any-address", "no condition on the destination", "exact"),
    Capability("service-tag", "the addresses of Azure's file, if the inventory names it", "exact"),
    Capability("ports", "`--dport`, or `multiport` in pieces of fifteen slots", "exact"),
    Capability("account, on a host", "`-m owner --uid-owner`, `-m cgroup --path`", "exact"),
    Capability("account, on a gateway", "none", "wider", ("account",)),
    Capability("group, on a gateway", "`-m set --match-set … src`", "exact"),
    Capability("group, on a host", "the host itself: one artefact for each group", "exact"),
    Capability("unbound group, on a gateway", "no condition on the source", "wider", ("source",)),
    Capability("except, names from names", "the domain goes to a void set, with its subdomains", "exact", ("except",)),
    Capability("except, addresses from names", "`! --match-set … dst`", "exact"),
    Capability("except, names from addresses", "none", "wider", ("except",)),
    Capability("deny by address", "REJECT above the allows", "exact"),
    Capability(
        "deny by name that cuts into names",
        "the domain goes to a void set, with what is below it; without a closing deny also REJECT below the allows",
        "narrower",
        ("depth", "apex", "resolved-address"),
    ),
    Capability("deny by name that cuts into addresses", "none", "wider", ("order",)),
    Capability(
        "no-tls-inspection, with `tls-proxy-port`", "ACCEPT in the nat chain, above REDIRECT", "exact", ("tls-scope",)
    ),
    Capability("tls-inspection, with `tls-proxy-port`", "REDIRECT to the proxy", "exact", ("tls-unenforced",)),
    Capability("tls-inspection may", "left alone", "exact"),
    Capability("log", "NFLOG with a limit above the rule, if `nflog-group` is set", "exact", ("log",)),
    Capability("expires", "`-m time --datestop`, allows only; from 2038 on at compile time", "exact", ("expiry",)),
    Capability("description, ticket", "`-m comment`, and `#` lines for what is longer", "exact"),
    Capability("default deny", "REJECT at the end: TCP reset, or administratively prohibited", "exact", ("default",)),
)
"""The lowering table."""

CAPABILITIES: Final = Capabilities("Linux iptables, ipset, dnsmasq", ROWS, LIMITS, ())
"""All of it. Nothing here rests on a statement that could not be measured."""
