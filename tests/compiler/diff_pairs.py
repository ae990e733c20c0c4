"""Pairs of policies with what the change between them means, worked out by hand from the language.

A change is written ``GROUPS [SOURCES] as ACCOUNTS -> ENDPOINT within … beyond … : PORTS``, without what is empty; a
change of inspection ends with ``: BEFORE > AFTER``. An edit is ``KIND OLD = NEW``.

The names of sets are no part of what a rule means: a rule that says the same through another set is as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from support import AS_OF

ACCOUNTS = 'service-account acc "A" { linux-user u }\nservice-account bcc "B" { linux-user v }\n'
GROUPS = """groups:
  g: {networks: [10.20.0.0/24]}
  h: {networks: [10.30.0.0/24]}
"""
WEB = 'allow web "W" { to a.x.io ports 443 }'
OPEN = 'allow web "W" { to *.x.io ports 443 }'


def policy(rules, head="from g as acc", name="p"):
    return f'policy {name} "P" {{ {head}\n{rules}\n}}\n'


@dataclass(frozen=True)
class Pair:
    """Two policies (rules, or whole texts with ``policy``), inventories, and the answer.

    ``brute`` is false where the universe of the brute force does not know the accounts.
    """

    name: str
    old: str
    new: str
    newly: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    inspection: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()
    inventories: tuple[str | None, str | None] = (GROUPS, GROUPS)
    as_of: tuple[date, date] = (AS_OF, AS_OF)
    accounts: tuple[str, str] = (ACCOUNTS, ACCOUNTS)
    tags: dict = field(default_factory=dict)
    brute: bool = True

    def texts(self):
        """The two policy files."""
        return tuple(
            head + (text if text.startswith(("policy", "endpoints", "template", "parameter")) else policy(text))
            for head, text in zip(self.accounts, (self.old, self.new), strict=True)
        )


def allow(name, to, ports="443", more=""):
    return f'allow {name} "W" {{ to {to} ports {ports} {more} }}\n'


def deny(name, to, ports="443", more=""):
    return f'deny {name} "D" {{ to {to} ports {ports} {more} }}\n'


A, B, C = allow("a", "a.x.io"), allow("b", "b.x.io"), allow("c", "y.io")
REFORMATTED = ("reformatted policy.egress",)
WEB_REWRITTEN = ("rewritten p/web = p/web",)

ORDER_AND_NAMES = [
    Pair("a rule moved to the front", A + B + C, C + A + B, edits=("moved p/c = p/c",)),
    Pair("a rule moved to the end", A + B + C, B + C + A, edits=("moved p/a = p/a",)),
    Pair("a rule renamed", WEB, allow("site", "a.x.io"), edits=("renamed p/web = p/site",)),
    Pair("a policy renamed", policy(A), policy(A, name="q"), edits=("renamed policy p = q",)),
    Pair(
        "a set renamed",
        'endpoints one "" { a.x.io b.x.io }\n' + policy(allow("web", "one")),
        'endpoints two "" { a.x.io b.x.io }\n' + policy(allow("web", "two")),
        edits=("renamed set one = two",),
    ),
    Pair(
        "a set in place of what it holds",
        policy(allow("web", "a.x.io b.x.io")),
        'endpoints two "" { b.x.io a.x.io }\n' + policy(allow("web", "two")),
        edits=("added set two", *WEB_REWRITTEN),
    ),
    Pair(
        "sets within a set",
        'endpoints one "" { a.x.io }\nendpoints two "" { b.x.io }\n' + policy(allow("web", "one two")),
        'endpoints one "" { a.x.io }\nendpoints two "" { b.x.io one }\n' + policy(allow("web", "two")),
        edits=("rewritten set two", *WEB_REWRITTEN),
    ),
    Pair(
        "an account renamed",
        WEB,
        policy(WEB, "from g as agent"),
        accounts=(ACCOUNTS, ACCOUNTS.replace("acc ", "agent ", 1)),
        edits=("renamed account acc = agent",),
        brute=False,
    ),
    Pair(
        "a group renamed",
        WEB,
        policy(WEB, "from servers as acc"),
        inventories=(
            GROUPS,
            GROUPS.replace("g:", "servers:", 2).replace("servers:", "g:", 0).replace("groupservers:", "groups:"),
        ),
        edits=("renamed group g = servers",),
    ),
    Pair("a rule renamed and moved", A + B + C, allow("z", "y.io") + A + B, edits=("renamed p/c = p/z",)),
    Pair("a rule said twice", WEB, WEB + allow("again", "a.x.io"), edits=("added p/again",)),
    Pair("a rule that another holds is removed", OPEN + A, OPEN, edits=("removed p/a",)),
]

SPLIT_AND_MERGED = [
    Pair("split", allow("web", "a.x.io b.x.io"), A + B, edits=("split p/web = p/a p/b",)),
    Pair("merged", A + B, allow("web", "a.x.io b.x.io"), edits=("merged p/a p/b = p/web",)),
    Pair(
        "split by port",
        allow("web", "a.x.io", "443 444/tls"),
        allow("one", "a.x.io") + allow("two", "a.x.io", "444/tls"),
        edits=("split p/web = p/one p/two",),
    ),
    Pair(
        "split by group",
        allow("web", "a.x.io", more="from g h"),
        allow("one", "a.x.io", more="from g") + allow("two", "a.x.io", more="from h"),
        edits=("split p/web = p/one p/two",),
    ),
    Pair(
        "merged from two policies",
        policy(A) + policy(B, name="q"),
        policy(allow("web", "a.x.io b.x.io")),
        edits=("merged p/a q/b = p/web",),
    ),
    Pair(
        "split into two policies",
        policy(allow("web", "a.x.io b.x.io")),
        policy(A) + policy(B, name="q"),
        edits=("split p/web = p/a q/b",),
    ),
    Pair(
        "split, and something lost",
        allow("web", "a.x.io b.x.io y.io"),
        A + B,
        gone=("g as acc -> y.io : 443/https",),
        edits=("split p/web = p/a p/b",),
    ),
    Pair(
        "an include in place of a copy",
        policy(WEB),
        'template policy t "T" {\n' + WEB + "\n}\n" + policy("include t"),
        edits=("renamed p/web = p/t/web",),
    ),
    Pair(
        "an include for other groups than the copy",
        policy(WEB),
        'template policy t "T" { from h\n' + WEB + "\n}\n" + policy("include t", "as acc"),
        newly=("h as acc -> a.x.io : 443/https",),
        gone=("g as acc -> a.x.io : 443/https",),
    ),
]

NAMES = [
    Pair("a wildcard that subsumes", WEB, OPEN, newly=("g as acc -> *.x.io beyond a.x.io : 443/https",)),
    Pair("a wildcard narrowed", OPEN, WEB, gone=("g as acc -> *.x.io beyond a.x.io : 443/https",)),
    Pair(
        "a wildcard in place of what it holds",
        allow("web", "*.x.io") + A + B,
        OPEN,
        edits=("removed p/a", "removed p/b"),
    ),
    Pair(
        "a wildcard above many rules",
        A + B + allow("tree", "*.b.x.io"),
        A + B + allow("tree", "*.x.io"),
        newly=("g as acc -> *.x.io beyond *.b.x.io a.x.io b.x.io : 443/https",),
    ),
    Pair("the apex, too", OPEN, allow("web", "*.x.io x.io"), newly=("g as acc -> x.io : 443/https",)),
    Pair(
        "a wildcard in place of the apex",
        allow("web", "x.io"),
        OPEN,
        newly=("g as acc -> *.x.io : 443/https",),
        gone=("g as acc -> x.io : 443/https",),
    ),
    Pair(
        "an inner wildcard narrowed",
        allow("web", "a.*.x.io"),
        allow("web", "a.b.x.io"),
        gone=("g as acc -> a.*.x.io beyond a.b.x.io : 443/https",),
    ),
    Pair(
        "part of a label widened",
        allow("web", "ab.x.io"),
        allow("web", "a*.x.io"),
        newly=("g as acc -> a*.x.io beyond ab.x.io : 443/https",),
    ),
    Pair(
        "two patterns that overlap",
        allow("web", "a*.x.io"),
        allow("web", "*b.x.io"),
        newly=("g as acc -> *b.x.io beyond a*.x.io : 443/https",),
        gone=("g as acc -> a*.x.io beyond *b.x.io : 443/https",),
    ),
    Pair(
        "an inner wildcard is not a tree",
        OPEN,
        allow("web", "*.b.x.io"),
        gone=("g as acc -> *.x.io beyond *.b.x.io : 443/https",),
    ),
    Pair(
        "two new rules, one within the other",
        allow("z", "y.io"),
        allow("z", "y.io") + A + allow("tree", "*.x.io"),
        newly=("g as acc -> *.x.io : 443/https",),
    ),
    Pair(
        "what one new rule leaves out, the other has",
        allow("z", "y.io"),
        allow("z", "y.io") + A + allow("tree", "*.x.io except a.x.io"),
        newly=("g as acc -> *.x.io : 443/https",),
    ),
    Pair(
        "a longer path",
        allow("web", "a.x.io/p"),
        allow("web", "a.x.io/p/q"),
        gone=("g as acc -> a.x.io/p beyond a.x.io/p/q : 443/https",),
    ),
    Pair(
        "a path ends at a slash",
        allow("web", "a.x.io/p"),
        allow("web", "a.x.io/pq"),
        newly=("g as acc -> a.x.io/pq : 443/https",),
        gone=("g as acc -> a.x.io/p : 443/https",),
    ),
    Pair(
        "any path",
        allow("web", "a.x.io/p"),
        WEB,
        newly=("g as acc -> a.x.io beyond a.x.io/p : 443/https",),
    ),
    Pair("a slash alone is no path", WEB, allow("web", "a.x.io/"), edits=WEB_REWRITTEN),
    Pair("letter case of a host", WEB, allow("web", "A.X.io"), edits=WEB_REWRITTEN),
]

PORTS = [
    Pair("a port added", WEB, allow("web", "a.x.io", "443 8443/https"), newly=("g as acc -> a.x.io : 8443/https",)),
    Pair("a port removed", allow("web", "a.x.io", "443 80"), WEB, gone=("g as acc -> a.x.io : 80/http",)),
    Pair(
        "two ports as a range",
        allow("web", "a.x.io", "443/tcp 444/tcp"),
        allow("web", "a.x.io", "443-444/tcp"),
        edits=WEB_REWRITTEN,
    ),
    Pair(
        "a range that grows",
        allow("web", "a.x.io", "443-444/tcp"),
        allow("web", "a.x.io", "443-8443/tcp"),
        newly=("g as acc -> a.x.io : 445-8443/tcp",),
    ),
    Pair(
        "a hole in a range",
        allow("web", "a.x.io", "443-445/tcp"),
        allow("web", "a.x.io", "443/tcp 445/tcp"),
        gone=("g as acc -> a.x.io : 444/tcp",),
    ),
    Pair("another application", WEB, allow("web", "a.x.io", "443/tcp"), edits=WEB_REWRITTEN),
    Pair(
        "overlapping services",
        allow("web", "a.x.io", "443/https 443-444/tcp"),
        allow("web", "a.x.io", "443-444/tcp"),
        edits=WEB_REWRITTEN,
    ),
    Pair(
        "another transport",
        allow("web", "a.x.io", "443/udp"),
        allow("web", "a.x.io", "443/tcp"),
        newly=("g as acc -> a.x.io : 443/tcp",),
        gone=("g as acc -> a.x.io : 443/udp",),
    ),
    Pair(
        "a wildcard on one port more",
        WEB,
        allow("web", "*.x.io", "443 8443/https"),
        newly=("g as acc -> *.x.io beyond a.x.io on 443/https : 443/https 8443/https",),
    ),
]

ADDRESSES = [
    Pair(
        "a network split",
        allow("web", "192.0.2.0/24"),
        allow("web", "192.0.2.0/25 192.0.2.128/25"),
        edits=WEB_REWRITTEN,
    ),
    Pair(
        "networks merged",
        allow("web", "192.0.2.0/25 192.0.2.128/25"),
        allow("web", "192.0.2.0/24"),
        edits=WEB_REWRITTEN,
    ),
    Pair(
        "networks merged into too much",
        allow("web", "192.0.2.0/25 192.0.3.0/24"),
        allow("web", "192.0.2.0/23"),
        newly=("g as acc -> 192.0.2.128/25 : 443/https",),
    ),
    Pair(
        "a network and the next",
        allow("web", "192.0.2.0/24"),
        allow("web", "192.0.2.0/23"),
        newly=("g as acc -> 192.0.3.0/24 : 443/https",),
    ),
    Pair(
        "one address off",
        allow("web", "192.0.2.0/24"),
        allow("web", "192.0.2.1-192.0.2.255"),
        gone=("g as acc -> 192.0.2.0 : 443/https",),
    ),
    Pair(
        "a longer IPv6 prefix",
        allow("web", "2001:db8::/32"),
        allow("web", "2001:db8::/48"),
        gone=("g as acc -> 2001:db8::/32 beyond 2001:db8::/48 : 443/https",),
    ),
    Pair(
        "IPv6 besides IPv4",
        allow("web", "192.0.2.0/24"),
        allow("web", "192.0.2.0/24 2001:db8::/48"),
        newly=("g as acc -> 2001:db8::/48 : 443/https",),
    ),
    Pair(
        "any address narrowed",
        allow("web", "any-address"),
        allow("web", "192.0.2.0/24"),
        gone=("g as acc -> any-address beyond 192.0.2.0/24 : 443/https",),
    ),
    Pair(
        "a name that any address holds",
        allow("web", "any-address"),
        allow("web", "any-address") + A,
        edits=("added p/a",),
    ),
    Pair(
        "service tags of which nobody knows the addresses",
        allow("web", "a.x.io service-tag AzureMonitor"),
        allow("web", "a.x.io service-tag Storage"),
        newly=("g as acc -> service-tag Storage : 443/https",),
        gone=("g as acc -> service-tag AzureMonitor : 443/https",),
        tags={"azuremonitor": ("192.0.2.0/24",), "storage": ("192.0.3.0/24",)},
    ),
    Pair(
        "a service tag in another letter case",
        allow("web", "service-tag AzureMonitor"),
        allow("web", "service-tag azuremonitor"),
        edits=WEB_REWRITTEN,
        tags={"azuremonitor": ("192.0.2.0/24",)},
    ),
]

MANY = "".join(allow(f"n{number}", f"n{number}.y.io") for number in range(19)) + C

EXCEPTIONS_AND_DENIES = [
    Pair(
        "an exception added", OPEN, allow("web", "*.x.io except *.b.x.io"), gone=("g as acc -> *.b.x.io : 443/https",)
    ),
    Pair("an exception removed", allow("web", "*.x.io except a.x.io"), OPEN, newly=("g as acc -> a.x.io : 443/https",)),
    Pair(
        "an exception widened",
        allow("web", "*.x.io except a.b.x.io"),
        allow("web", "*.x.io except *.b.x.io"),
        gone=("g as acc -> *.b.x.io beyond a.b.x.io : 443/https",),
    ),
    Pair(
        "a deny in place of an exception",
        allow("web", "*.x.io except a.x.io"),
        OPEN + deny("d", "a.x.io"),
        edits=("added p/d", "rewritten p/web = p/web"),
    ),
    Pair(
        "an exception in place of a deny",
        OPEN + deny("d", "*.b.x.io", more="from g h"),
        allow("web", "*.x.io except *.b.x.io"),
        edits=("removed p/d", "rewritten p/web = p/web"),
    ),
    Pair(
        "addresses excepted from addresses",
        allow("web", "192.0.2.0/24"),
        allow("web", "192.0.2.0/24 except 192.0.2.128/25"),
        gone=("g as acc -> 192.0.2.128/25 : 443/https",),
    ),
    Pair(
        "addresses excepted from names",
        OPEN,
        allow("web", "*.x.io except 192.0.2.0/24"),
        gone=("g as acc -> *.x.io within 192.0.2.0/24 : 443/https",),
    ),
    Pair(
        "names excepted from addresses",
        allow("web", "192.0.2.0/24"),
        allow("web", "192.0.2.0/24 except *.x.io"),
        gone=("g as acc -> *.x.io within 192.0.2.0/24 : 443/https",),
    ),
    Pair(
        "new, with an exception",
        allow("z", "y.io"),
        allow("z", "y.io") + allow("web", "*.x.io except *.b.x.io 192.0.2.0/24"),
        newly=("g as acc -> *.x.io beyond *.b.x.io 192.0.2.0/24 : 443/https",),
    ),
    Pair("a deny that meets nothing", WEB, WEB + deny("d", "*.y.io"), edits=("added p/d",)),
    Pair("a deny on another port", WEB, WEB + deny("d", "a.x.io", "80"), edits=("added p/d",)),
    Pair("a deny for another account", WEB, WEB + deny("d", "a.x.io", more="as bcc"), edits=("added p/d",)),
    Pair("a deny that met nothing is removed", WEB + deny("d", "y.io"), WEB, edits=("removed p/d",)),
    Pair("a deny added", OPEN, OPEN + deny("d", "a.x.io", more="from g h"), gone=("g as acc -> a.x.io : 443/https",)),
    Pair("a deny wider than the allow", WEB, WEB + deny("d", "*.x.io"), gone=("g as acc -> a.x.io : 443/https",)),
    Pair("a deny removed", OPEN + deny("d", "a.x.io"), OPEN, newly=("g as acc -> a.x.io : 443/https",)),
    Pair(
        "a deny removed that others kept",
        OPEN + deny("d", "*.b.x.io") + deny("e", "a.b.x.io"),
        OPEN + deny("e", "a.b.x.io"),
        newly=("g as acc -> *.b.x.io beyond a.b.x.io : 443/https",),
    ),
    Pair(
        "a deny widened",
        OPEN + deny("d", "a.b.x.io"),
        OPEN + deny("d", "*.b.x.io"),
        gone=("g as acc -> *.b.x.io beyond a.b.x.io : 443/https",),
    ),
    Pair(
        "a deny narrowed",
        OPEN + deny("d", "*.b.x.io"),
        OPEN + deny("d", "a.b.x.io"),
        newly=("g as acc -> *.b.x.io beyond a.b.x.io : 443/https",),
    ),
    Pair(
        "a deny by address against names",
        WEB,
        WEB + deny("d", "192.0.2.0/24"),
        gone=("g as acc -> a.x.io within 192.0.2.0/24 : 443/https",),
    ),
    Pair(
        "a deny of a name against addresses",
        allow("web", "192.0.2.0/24"),
        allow("web", "192.0.2.0/24") + deny("d", "a.x.io"),
        gone=("g as acc -> a.x.io within 192.0.2.0/24 : 443/https",),
    ),
    Pair(
        "a deny of addresses removed from many, of which another deny holds one",
        MANY + OPEN + deny("e", "a.x.io") + deny("d", "192.0.2.0/24"),
        MANY + OPEN + deny("e", "a.x.io"),
        newly=(
            "g as acc -> *.x.io within 192.0.2.0/24 beyond a.x.io : 443/https",
            "g as acc -> all 20 within 192.0.2.0/24 : 443/https",
        ),
    ),
    Pair("an allow becomes a deny", OPEN, OPEN.replace("allow", "deny"), gone=("g as acc -> *.x.io : 443/https",)),
    Pair(
        "a new allow under an old deny",
        allow("z", "y.io") + deny("d", "a.x.io"),
        allow("z", "y.io") + deny("d", "a.x.io") + OPEN,
        newly=("g as acc -> *.x.io beyond a.x.io : 443/https",),
    ),
]

TWO = 'allow web "W" { to a.x.io ports 443 }\n'
UNION = """groups:
  one: {networks: [10.20.0.0/25]}
  two: {networks: [10.20.0.128/25]}
  g: {members: [one, two]}
  h: {networks: [10.30.0.0/24]}
"""
UNBOUND = "groups: {g: {description: G}, h: {description: H}}\n"
SITES = 'parameter site "S"\n' + policy(allow("web", "${site}.x.io"), "from g h as acc")


def sites(g, h):
    return f"""groups:
  g: {{networks: [10.20.0.0/24], parameters: {{site: [{g}]}}}}
  h: {{networks: [10.30.0.0/24], parameters: {{site: [{h}]}}}}
"""


SENDERS = [
    Pair("a group more", WEB, policy(WEB, "from g h as acc"), newly=("h as acc -> a.x.io : 443/https",)),
    Pair("another group", WEB, policy(WEB, "from h as acc"), newly=("h as acc -> a.x.io : 443/https",), gone=("g as acc -> a.x.io : 443/https",)),
    Pair(
        "a group more under what it had",
        allow("web", "a.x.io", more="from g"),
        allow("web", "*.x.io", more="from g h"),
        newly=("g as acc -> *.x.io beyond a.x.io : 443/https", "h as acc -> *.x.io : 443/https"),
    ),
    Pair(
        "a group gains an address",
        WEB,
        WEB,
        newly=("g [10.21.0.5] as acc -> a.x.io : 443/https",),
        inventories=(GROUPS, GROUPS.replace("10.20.0.0/24", "10.20.0.0/24, 10.21.0.5")),
    ),
    Pair(
        "a group gains an address, with many endpoints",
        allow("web", "a.x.io b.x.io c.x.io ab.x.io *.y.io"),
        allow("web", "a.x.io b.x.io c.x.io ab.x.io *.y.io"),
        newly=("g [10.21.0.5] as acc -> all 5 : 443/https",),
        inventories=(GROUPS, GROUPS.replace("10.20.0.0/24", "10.20.0.0/24, 10.21.0.5")),
    ),
    Pair(
        "a group loses addresses",
        WEB,
        WEB,
        gone=("g [10.20.0.128/25] as acc -> a.x.io : 443/https",),
        inventories=(GROUPS, GROUPS.replace("10.20.0.0/24", "10.20.0.0/25")),
    ),
    Pair("a group split, its union keeps the name", WEB, WEB, inventories=(GROUPS, UNION)),
    Pair("a rule for the members of a union", policy(WEB), policy(WEB, "from one two as acc"), inventories=(UNION, UNION), edits=("rewritten policy p",)),
    Pair(
        "a rule for one member of a union",
        policy(WEB),
        policy(WEB, "from one as acc"),
        inventories=(UNION, UNION),
        gone=("two as acc -> a.x.io : 443/https",),
    ),
    Pair(
        "an address moved from a group to another",
        A + allow("b", "b.x.io", more="from h"),
        A + allow("b", "b.x.io", more="from h"),
        newly=("h [10.20.0.128/25] as acc -> b.x.io : 443/https",),
        gone=("g [10.20.0.128/25] as acc -> a.x.io : 443/https",),
        inventories=(GROUPS, GROUPS.replace("10.20.0.0/24", "10.20.0.0/25").replace("10.30.0.0/24", "10.30.0.0/24, 10.20.0.128/25")),
    ),
    Pair(
        "a new group, and a rule for any",
        policy(WEB, "from any-group as acc"),
        policy(WEB, "from any-group as acc"),
        newly=("k as acc -> a.x.io : 443/https",),
        inventories=(GROUPS, GROUPS + "  k: {networks: [10.40.0.0/24]}\n"),
    ),
    Pair("every group by name", policy(WEB, "from any-group as acc"), policy(WEB, "from g h as acc"), edits=("rewritten policy p",)),
    Pair("unbound groups", WEB, policy(WEB, "from g h as acc"), newly=("h as acc -> a.x.io : 443/https",), inventories=(UNBOUND, UNBOUND)),
    Pair("no inventory", WEB, policy(WEB, "from g h as acc"), newly=("h as acc -> a.x.io : 443/https",), inventories=(None, None)),
    Pair(
        "no inventory, and any group",
        WEB,
        policy(WEB, "from any-group as acc"),
        newly=("any-group as acc -> a.x.io : 443/https",),
        inventories=(None, None),
    ),
    Pair(
        "no inventory, and no longer any group",
        policy(WEB, "from any-group as acc"),
        policy(WEB, "from g h as acc"),
        gone=("any-group as acc -> a.x.io : 443/https",),
        inventories=(None, None),
    ),
    Pair("a parameter gains a value", SITES, SITES, newly=("g as acc -> b.x.io : 443/https",), inventories=(sites("a", "c"), sites("a, b", "c"))),
    Pair("a parameter loses a value", SITES, SITES, gone=("h as acc -> b.x.io : 443/https",), inventories=(sites("a, b", "a, b"), sites("a, b", "a"))),
    Pair("values in another order", SITES, SITES, inventories=(sites("a, b", "c"), sites("b, a", "c"))),
    Pair("a parameter in place of its value", policy(WEB), 'parameter site "S"\n' + policy(allow("web", "${site}.x.io")), inventories=(sites("a", "b"),) * 2, edits=WEB_REWRITTEN),
]  # fmt: skip

BINDING = "service-accounts: {acc: {linux-user: z}}\n"
WHOSE = [
    Pair("an account more", WEB, policy(WEB, "from g as acc bcc"), newly=("g as bcc -> a.x.io : 443/https",)),
    Pair(
        "any account",
        WEB,
        policy(WEB, "from g"),
        newly=("g as any account but acc -> a.x.io : 443/https",),
    ),
    Pair(
        "no longer any account",
        policy(WEB, "from g"),
        WEB,
        gone=("g as any account but acc -> a.x.io : 443/https",),
    ),
    Pair(
        "a deny for one account",
        policy(OPEN, "from g"),
        policy(OPEN + deny("d", "a.x.io", more="as acc"), "from g"),
        gone=("g as acc -> a.x.io : 443/https",),
    ),
    Pair(
        "an account bound otherwise",
        WEB,
        WEB,
        newly=("g as acc -> a.x.io : 443/https ! `linux-user z` counts as `acc`",),
        gone=("g as acc -> a.x.io : 443/https ! `linux-user u` is no longer `acc`",),
        inventories=(GROUPS, GROUPS + BINDING),
        brute=False,
    ),
    Pair(
        "an account bound otherwise that may do no more than any",
        policy(A + allow("web", "*.x.io", more="as acc bcc"), "from g"),
        policy(A + allow("web", "*.x.io", more="as acc bcc"), "from g"),
        newly=("g as acc -> *.x.io beyond a.x.io : 443/https ! `linux-user z` counts as `acc`",),
        gone=("g as acc -> *.x.io beyond a.x.io : 443/https ! `linux-user u` is no longer `acc`",),
        inventories=(GROUPS, GROUPS + BINDING),
        brute=False,
    ),
    Pair(
        "a denied account bound otherwise",
        policy(A + deny("d", "a.x.io", more="as acc"), "from g"),
        policy(A + deny("d", "a.x.io", more="as acc"), "from g"),
        newly=("g as acc -> a.x.io : 443/https ! `linux-user u` is no longer `acc`",),
        gone=("g as acc -> a.x.io : 443/https ! `linux-user z` counts as `acc`",),
        inventories=(GROUPS, GROUPS + BINDING),
        brute=False,
    ),
    Pair("an account that nothing names, bound otherwise", WEB, WEB, inventories=(GROUPS, GROUPS + BINDING.replace("acc:", "bcc:"))),
]  # fmt: skip

EXEMPT, MUST = "no-tls-inspection", "tls-inspection"
INSPECTED = [
    Pair("an exemption lost", allow("web", "a.x.io", more=EXEMPT), WEB, inspection=("g as acc -> a.x.io : 443/https : must-not > may",)),
    Pair("an exemption gained", WEB, allow("web", "a.x.io", more=EXEMPT), inspection=("g as acc -> a.x.io : 443/https : may > must-not",)),
    Pair("an exemption that another rule keeps", allow("web", "a.x.io", more=EXEMPT), WEB + allow("b", "a.x.io", more=EXEMPT), edits=("added p/b", "rewritten p/web = p/web")),
    Pair(
        "an exemption moved to a rule for less",
        allow("web", "*.x.io", more=EXEMPT),
        OPEN + allow("b", "*.b.x.io", more=EXEMPT),
        inspection=("g as acc -> *.x.io beyond *.b.x.io : 443/https : must-not > may",),
        edits=("added p/b",),
    ),
    Pair(
        "an exemption of a part of what is allowed",
        OPEN,
        OPEN + allow("b", "*.b.x.io", more=EXEMPT),
        inspection=("g as acc -> *.b.x.io : 443/https : may > must-not",),
    ),
    Pair("inspection demanded", WEB, allow("web", "a.x.io", more=MUST), inspection=("g as acc -> a.x.io : 443/https : may > must",)),
    Pair("inspection no longer demanded", allow("web", "a.x.io", more=MUST), WEB, inspection=("g as acc -> a.x.io : 443/https : must > may",)),
    Pair("demanded in place of exempted", allow("web", "a.x.io", more=EXEMPT), allow("web", "a.x.io", more=MUST), inspection=("g as acc -> a.x.io : 443/https : must-not > must",)),
    Pair("exempted, and no longer allowed", A + allow("web", "y.io", more=EXEMPT), A, gone=("g as acc -> y.io : 443/https",)),
    Pair("exempted, and newly allowed", A, A + allow("web", "y.io", more=EXEMPT), newly=("g as acc -> y.io : 443/https",)),
    Pair("exempted, and denied anyway", deny("d", "a.x.io") + B + allow("web", "a.x.io", more=EXEMPT), deny("d", "a.x.io") + B + WEB, edits=WEB_REWRITTEN),
    Pair(
        "exempted for one group more",
        allow("web", "a.x.io", more="from g h") + allow("b", "a.x.io", more=f"from g {EXEMPT}"),
        allow("web", "a.x.io", more="from g h") + allow("b", "a.x.io", more=f"from g h {EXEMPT}"),
        inspection=("h as acc -> a.x.io : 443/https : may > must-not",),
    ),
    Pair(
        "exempted on the ports of TLS only",
        policy(allow("web", "a.x.io", "443 80")),
        policy(allow("web", "a.x.io", "443 80"), f"from g as acc {EXEMPT}"),
        inspection=("g as acc -> a.x.io : 443/https : may > must-not",),
    ),
    Pair("an undone default", policy(WEB, f"from g as acc {EXEMPT}"), policy(allow("web", "a.x.io", more="tls-inspection may"), f"from g as acc {EXEMPT}"), inspection=("g as acc -> a.x.io : 443/https : must-not > may",)),
]  # fmt: skip

EXTRA = GROUPS.replace("10.20.0.0/24]", "10.20.0.0/24], features: [extra]")
EARLY, LATE = date(2026, 10, 1), date(2026, 11, 22)
WITH_END = A + allow("web", "y.io", more="expires 2026-11-01")
FALLBACK = 'endpoints s "" { a.x.io fallback { 192.0.2.0/24 } }\n' + policy(allow("web", "s"))
TOGGLES = [
    Pair("a feature asked for", A + C, A + allow("c", "y.io", more="feature extra"), gone=("g as acc -> y.io : 443/https",)),
    Pair("a feature that the group has", A + C, A + allow("c", "y.io", more="feature extra"), inventories=(EXTRA, EXTRA), edits=("reworded p/c = p/c",)),
    Pair("a feature turned on", *[A + allow("c", "y.io", more="feature extra")] * 2, inventories=(GROUPS, EXTRA), newly=("g as acc -> y.io : 443/https",)),
    Pair("a feature turned off", *[A + allow("c", "y.io", more="feature extra")] * 2, inventories=(EXTRA, GROUPS), gone=("g as acc -> y.io : 443/https",)),
    Pair("an end that is past", A + allow("web", "y.io"), WITH_END, gone=("g as acc -> y.io : 443/https",)),
    Pair("an end that is to come", A + allow("web", "y.io"), WITH_END, as_of=(EARLY, EARLY), edits=("reworded p/web = p/web",)),
    Pair("an end that passes", WITH_END, WITH_END, as_of=(EARLY, LATE), gone=("g as acc -> y.io : 443/https",)),
    Pair("an end on its last day", WITH_END, WITH_END, as_of=(EARLY, date(2026, 11, 1))),
    Pair("a deny does not end", *[OPEN + deny("d", "a.x.io", more="expires 2026-11-01")] * 2, as_of=(EARLY, LATE)),
    Pair("another fallback", FALLBACK, FALLBACK.replace("/24", "/25"), edits=WEB_REWRITTEN),
    Pair("another description", WEB, WEB.replace('"W"', '"Web"'), edits=("reworded p/web = p/web",)),
    Pair("another owner", policy(WEB), policy(WEB, 'owner "o@x.io" from g as acc'), edits=("reworded policy p",)),
    Pair("logged", WEB, allow("web", "a.x.io", more="log"), edits=("reworded p/web = p/web",)),
    Pair("a ticket", WEB, allow("web", "a.x.io", more='ticket "T-1"'), edits=("reworded p/web = p/web",)),
    Pair("white space", WEB, WEB.replace(" ports", "\n    ports"), edits=REFORMATTED),
    Pair("a comment", WEB, "# why\n" + WEB, edits=REFORMATTED),
    Pair("a default said aloud", WEB, allow("web", "a.x.io", more="from g as acc"), edits=WEB_REWRITTEN),
    Pair("nothing", A + B + C, A + B + C),
]  # fmt: skip

PAIRS = [
    *ORDER_AND_NAMES, *SPLIT_AND_MERGED, *NAMES, *PORTS, *ADDRESSES, *EXCEPTIONS_AND_DENIES, *SENDERS, *WHOSE, *INSPECTED,
    *TOGGLES,
]  # fmt: skip
