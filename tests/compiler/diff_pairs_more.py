"""More pairs of policies whose answer was written down before the review was asked; see ``diff_pairs``."""

from __future__ import annotations

from diff_pairs import (
    BINDING,
    EXEMPT,
    EXTRA,
    FALLBACK,
    GROUPS,
    MUST,
    OPEN,
    REFORMATTED,
    UNION,
    WEB,
    WEB_REWRITTEN,
    A,
    B,
    C,
    Pair,
    allow,
    deny,
    policy,
    sites,
)

PAIRS = []


def pair(name, old, new, **answer):
    PAIRS.append(Pair(name, old, new, **answer))


pair(
    "inner wildcard against tree",
    allow("web", "a.*.x.io"),
    allow("web", "*.b.x.io"),
    newly=("g as acc -> *.b.x.io beyond a.*.x.io : 443/https",),
    gone=("g as acc -> a.*.x.io beyond *.b.x.io : 443/https",),
)
pair(
    "two globs narrowed to what both have",
    allow("web", "a*.x.io *b.x.io"),
    allow("web", "a*b.x.io"),
    gone=("g as acc -> *b.x.io beyond a*b.x.io : 443/https", "g as acc -> a*.x.io beyond a*b.x.io : 443/https"),
)
pair(
    "union and its members, and one more",
    policy(WEB),
    policy(WEB, "from one two h as acc"),
    inventories=(UNION, UNION),
    newly=("h as acc -> a.x.io : 443/https",),
)
pair(
    "a union loses a member",
    WEB,
    WEB,
    inventories=(UNION, UNION.replace("[one, two]", "[one]")),
    gone=("two as acc -> a.x.io : 443/https",),
)
pair(
    "a union gains a member",
    WEB,
    WEB,
    inventories=(UNION, UNION.replace("[one, two]", "[one, two, h]")),
    newly=("h as acc -> a.x.io : 443/https",),
)
pair(
    "a rule moved to another policy",
    policy(A) + policy(B, "from h as acc", "q"),
    policy(B + allow("a", "a.x.io", more="from g"), "from h as acc", "q"),
    edits=("renamed p/a = q/a",),
)
pair(
    "rule moved to a policy for others",
    policy(A + C) + policy(B, "from h as acc", "q"),
    policy(C) + policy(B + A, "from h as acc", "q"),
    newly=("h as acc -> a.x.io : 443/https",),
    gone=("g as acc -> a.x.io : 443/https",),
)
T = 'template policy t "T" { as acc\n' + WEB + "\n}\n"
pair(
    "include with another account",
    T + policy("include t", "from g"),
    T + policy("include t", "from g as bcc"),
    newly=("g as bcc -> a.x.io : 443/https",),
    gone=("g as acc -> a.x.io : 443/https",),
)
T2 = 'template policy t "T" { as acc from g\n' + allow("web", "a.x.io", more="from h") + "\n}\n"
pair(
    "include cannot replace what a rule says",
    T2 + policy("include t", "from g"),
    T2 + policy("include t", "from g h"),
    edits=("rewritten policy p",),
)
T3 = 'template policy t "T" {\n' + WEB + '\n}\n template policy u "U" { include t \n' + B + "}\n"
pair(
    "reached twice",
    T3.replace("include t", "") + policy("include t include u"),
    T3 + policy("include t include u"),
    edits=("rewritten policy u",),
)
EX = GROUPS.replace("10.30.0.0/24]", "10.30.0.0/24], features: [extra]")
BOTH = EX.replace("10.20.0.0/24]", "10.20.0.0/24], features: [extra]")
F = policy(allow("web", "a.x.io", more="feature extra"), "from g h as acc")
pair(
    "feature of one more group",
    F,
    F,
    inventories=(BOTH.replace("10.20.0.0/24], features: [extra]", "10.20.0.0/24]"), BOTH),
    newly=("g as acc -> a.x.io : 443/https",),
)
D = policy(OPEN + deny("d", "a.x.io", more="feature extra"))
pair("deny by feature turned on", D, D, inventories=(GROUPS, EXTRA), gone=("g as acc -> a.x.io : 443/https",))
SITE_AND_ENVIRONMENT = 'parameter site "S"\nparameter env "E"\n' + policy(allow("web", "${site}.${env}.x.io"))


def with_values(site, environment):
    return f"""groups:
  g: {{networks: [10.20.0.0/24], parameters: {{site: [{site}], env: [{environment}]}}}}
  h: {{networks: [10.30.0.0/24]}}
"""


pair(
    "two parameters",
    SITE_AND_ENVIRONMENT,
    SITE_AND_ENVIRONMENT,
    inventories=(with_values("a", "b"), with_values("a", "b, k")),
    newly=("g as acc -> a.k.x.io : 443/https",),
)
SD = 'parameter site "S"\n' + policy(OPEN + deny("d", "${site}.x.io"))
pair(
    "parameter in a deny",
    SD,
    SD,
    inventories=(sites("a", "c"), sites("b", "c")),
    newly=("g as acc -> a.x.io : 443/https",),
    gone=("g as acc -> b.x.io : 443/https",),
)
pair(
    "a range for one more group on part of it",
    policy(allow("web", "a.x.io", "443-444/tcp") + allow("b", "a.x.io", "444/tcp", more="from h")),
    policy(allow("web", "a.x.io", "443-444/tcp", more="from g h") + allow("b", "a.x.io", "444/tcp", more="from h")),
    newly=("h as acc -> a.x.io : 443/tcp",),
)
pair(
    "an exempted rule as tcp",
    policy(WEB, "from g as acc no-tls-inspection"),
    policy(allow("web", "a.x.io", "443/tcp"), "from g as acc no-tls-inspection"),
    inspection=("g as acc -> a.x.io : 443/https : must-not > may",),
)
pair(
    "https to tls exempt",
    policy(WEB, "from g as acc no-tls-inspection"),
    policy(allow("web", "a.x.io", "443/tls"), "from g as acc no-tls-inspection"),
    edits=WEB_REWRITTEN,
)
pair(
    "https to http on 443 exempt",
    policy(WEB, "from g as acc no-tls-inspection"),
    policy(allow("web", "a.x.io", "443/http"), "from g as acc no-tls-inspection"),
    inspection=("g as acc -> a.x.io : 443/https : must-not > may",),
)
pair(
    "longer path stays",
    allow("web", "a.x.io/p") + allow("b", "a.x.io/p/q"),
    allow("b", "a.x.io/p/q"),
    gone=("g as acc -> a.x.io/p beyond a.x.io/p/q : 443/https",),
)
pair(
    "wildcard path narrowed",
    allow("web", "*.x.io/p"),
    allow("web", "a.x.io/p"),
    gone=("g as acc -> *.x.io/p beyond a.x.io/p : 443/https",),
)
pair(
    "crossing paths",
    allow("web", "*.x.io/p"),
    allow("web", "a.x.io"),
    newly=("g as acc -> a.x.io beyond *.x.io/p : 443/https",),
    gone=("g as acc -> *.x.io/p beyond a.x.io : 443/https",),
)
pair(
    "two rules that fill each other's holes",
    allow("web", "*.x.io except a.x.io") + allow("b", "*.x.io except b.x.io"),
    OPEN,
    edits=("removed p/b", "rewritten p/web = p/web"),
)
pair(
    "any address, smaller exception",
    allow("web", "any-address except 192.0.2.0/24"),
    allow("web", "any-address except 192.0.2.0/25"),
    newly=("g as acc -> 192.0.2.128/25 : 443/https",),
)
pair(
    "ipv6 halves", allow("web", "2001:db8::/32"), allow("web", "2001:db8::/33 2001:db8:8000::/33"), edits=WEB_REWRITTEN
)
pair(
    "exempting rule removed",
    WEB + allow("b", "a.x.io", more=EXEMPT),
    WEB,
    inspection=("g as acc -> a.x.io : 443/https : must-not > may",),
)
pair(
    "partly overlapping deny",
    allow("web", "a*.x.io"),
    allow("web", "a*.x.io") + deny("d", "*b.x.io"),
    gone=("g as acc -> *b.x.io within a*.x.io : 443/https",),
)
pair(
    "deny with another on a port",
    allow("web", "a.x.io", "443-444/tcp") + deny("d", "a.x.io", "443-444/tcp") + deny("e", "a.x.io", "444/tcp"),
    allow("web", "a.x.io", "443-444/tcp") + deny("e", "a.x.io", "444/tcp"),
    newly=("g as acc -> a.x.io : 443/tcp",),
)
pair(
    "deny of an account removed",
    policy(OPEN + deny("d", "a.x.io", more="as acc"), "from g"),
    policy(OPEN, "from g"),
    newly=("g as acc -> a.x.io : 443/https",),
)
pair("allow and deny added", A, A + B + deny("d", "b.x.io"), edits=("added p/b", "added p/d"))
pair("allow and deny removed", A + B + deny("d", "b.x.io"), A, edits=("removed p/b", "removed p/d"))
pair(
    "widened and denied again",
    WEB,
    OPEN + deny("d", "*.x.io except a.x.io"),
    edits=("added p/d", "rewritten p/web = p/web"),
)
pair(
    "names swapped",
    allow("web", "a.x.io") + allow("site", "b.x.io"),
    allow("web", "b.x.io") + allow("site", "a.x.io"),
    edits=("rewritten p/site = p/site", "rewritten p/web = p/web"),
)
pair(
    "any/tcp spelled out", allow("web", "a.x.io", "any/tcp"), allow("web", "a.x.io", "1-65535/tcp"), edits=WEB_REWRITTEN
)
pair("port spelled out", WEB, allow("web", "a.x.io", "443/https"), edits=WEB_REWRITTEN)
pair("ports in another order", allow("web", "a.x.io", "80 443"), allow("web", "a.x.io", "443 80"), edits=WEB_REWRITTEN)
pair("endpoints in another order", allow("web", "a.x.io b.x.io"), allow("web", "b.x.io a.x.io"), edits=WEB_REWRITTEN)
pair("endpoint twice", allow("web", "a.x.io"), allow("web", "a.x.io a.x.io"), edits=WEB_REWRITTEN)
pair("lines that end with CR and LF", policy(WEB), policy(WEB).replace("\n", "\r\n"), edits=REFORMATTED)
pair(
    "any address without ipv4",
    allow("web", "any-address"),
    allow("web", "any-address") + deny("d", "0.0.0.0/0"),
    gone=("g as acc -> 0.0.0.0/0 : 443/https",),
)
pair("any address is both families", allow("web", "any-address"), allow("web", "0.0.0.0/0 ::/0"), edits=WEB_REWRITTEN)
pair(
    "renamed and widened",
    A + allow("web", "y.io"),
    A + allow("site", "y.io a.y.io"),
    newly=("g as acc -> a.y.io : 443/https",),
    edits=("renamed p/web = p/site",),
)
pair(
    "policy renamed and a rule of it widened",
    policy(A + C),
    policy(A + allow("c", "y.io a.y.io"), name="q"),
    newly=("g as acc -> a.y.io : 443/https",),
    edits=("renamed policy p = q",),
)
pair(
    "inspection by account lost",
    policy(WEB + allow("b", "a.x.io", more="as acc " + EXEMPT), "from g"),
    policy(WEB, "from g"),
    inspection=("g as acc -> a.x.io : 443/https : must-not > may",),
)
pair(
    "exempted account bound otherwise",
    policy(WEB + allow("b", "a.x.io", more="as acc " + EXEMPT), "from g"),
    policy(WEB + allow("b", "a.x.io", more="as acc " + EXEMPT), "from g"),
    inventories=(GROUPS, GROUPS + BINDING),
    brute=False,
    inspection=("g as acc -> a.x.io : 443/https : may > must-not", "g as acc -> a.x.io : 443/https : must-not > may"),
)
pair(
    "exempted by parts of addresses",
    allow("web", "192.0.2.0/24"),
    allow("web", "192.0.2.0/24") + allow("b", "192.0.2.0/25", more=EXEMPT),
    inspection=("g as acc -> 192.0.2.0/25 : 443/https : may > must-not",),
)
pair(
    "exemption by address of a name",
    OPEN + allow("b", "192.0.2.0/24", more=EXEMPT),
    OPEN + allow("b", "192.0.2.0/24"),
    inspection=("g as acc -> 192.0.2.0/24 : 443/https : must-not > may",),
)
pair(
    "must to must-not on a part",
    allow("web", "*.x.io", more=MUST),
    allow("web", "*.x.io except a.x.io", more=MUST) + allow("b", "a.x.io", more=EXEMPT),
    inspection=("g as acc -> a.x.io : 443/https : must > must-not",),
)
pair(
    "a deny becomes an allow",
    A + deny("d", "b.x.io"),
    A + allow("d", "b.x.io"),
    newly=("g as acc -> b.x.io : 443/https",),
)
pair(
    "deny expired date given",
    *[OPEN + deny("d", "a.x.io", more=m) for m in ("", "expires 2026-11-01")],
    edits=("reworded p/d = p/d",),
)
pair(
    "expired end moved on",
    A + allow("web", "y.io", more="expires 2026-11-01"),
    A + allow("web", "y.io", more="expires 2027-11-01"),
    newly=("g as acc -> y.io : 443/https",),
)
pair(
    "expiry moved, both ahead",
    A + allow("web", "y.io", more="expires 2026-12-01"),
    A + allow("web", "y.io", more="expires 2027-11-01"),
    edits=("reworded p/web = p/web",),
)
pair("expired rule removed", A + allow("web", "y.io", more="expires 2026-11-01"), A, edits=("removed rule p/web",))
pair(
    "expired rule renamed",
    A + allow("web", "y.io", more="expires 2026-11-01"),
    A + allow("site", "y.io", more="expires 2026-11-01"),
    edits=("renamed rule p/web = p/site",),
)
pair(
    "set emptied of one through another set",
    'endpoints one "" { a.x.io b.x.io }\nendpoints two "" { one y.io }\n' + policy(allow("web", "two")),
    'endpoints one "" { a.x.io }\nendpoints two "" { one y.io }\n' + policy(allow("web", "two")),
    gone=("g as acc -> b.x.io : 443/https",),
)
pair(
    "set used by two rules grows",
    'endpoints one "" { a.x.io }\n' + policy(allow("web", "one") + allow("b", "one", "444/tls", more="from h")),
    'endpoints one "" { a.x.io b.x.io }\n' + policy(allow("web", "one") + allow("b", "one", "444/tls", more="from h")),
    newly=("g as acc -> b.x.io : 443/https", "h as acc -> b.x.io : 444/tls"),
)
pair(
    "except a set",
    'endpoints one "" { a.x.io }\n' + policy(allow("web", "*.x.io except one")),
    'endpoints one "" { a.x.io b.x.io }\n' + policy(allow("web", "*.x.io except one")),
    gone=("g as acc -> b.x.io : 443/https",),
)
pair(
    "any-group named",
    policy(WEB, "from any-group as acc"),
    policy(WEB, "from g as acc"),
    gone=("h as acc -> a.x.io : 443/https",),
)
pair(
    "group gone from the inventory",
    policy(WEB, "from any-group as acc"),
    policy(WEB, "from any-group as acc"),
    inventories=(GROUPS, GROUPS.split("  h:")[0]),
    gone=("h as acc -> a.x.io : 443/https",),
)
pair(
    "two allows overlapping new",
    C,
    C + allow("web", "a*.x.io") + allow("b", "*b.x.io"),
    newly=("g as acc -> *b.x.io : 443/https", "g as acc -> a*.x.io : 443/https"),
)
pair(
    "same endpoint other ports two rules",
    C,
    C + allow("web", "a.x.io") + allow("b", "a.x.io", "80"),
    newly=("g as acc -> a.x.io : 80/http 443/https",),
)
pair(
    "a deny for everyone who is left",
    policy(WEB, "from g"),
    policy(WEB + deny("d", "a.x.io"), "from g as acc"),
    gone=("g -> a.x.io : 443/https",),
)

pair(
    "rebound, and a rule for any account added",
    policy('allow web "W" { to a.x.io ports 443 as acc }', "from g"),
    policy('allow web "W" { to a.x.io ports 443 as acc }' + allow("b", "b.x.io"), "from g"),
    inventories=(GROUPS, GROUPS + BINDING),
    brute=False,
    newly=("g -> b.x.io : 443/https", "g as acc -> a.x.io : 443/https ! `linux-user z` counts as `acc`"),
    gone=("g as acc -> a.x.io : 443/https ! `linux-user u` is no longer `acc`",),
)
pair(
    "rebound, and a rule for any account removed",
    policy('allow web "W" { to a.x.io ports 443 as acc }' + allow("b", "b.x.io"), "from g"),
    policy('allow web "W" { to a.x.io ports 443 as acc }', "from g"),
    inventories=(GROUPS, GROUPS + BINDING),
    brute=False,
    newly=("g as acc -> a.x.io : 443/https ! `linux-user z` counts as `acc`",),
    gone=("g -> b.x.io : 443/https", "g as acc -> a.x.io : 443/https ! `linux-user u` is no longer `acc`"),
)
pair(
    "binding widened by a value",
    WEB,
    WEB,
    inventories=(GROUPS, GROUPS + "service-accounts: {acc: {linux-user: [u, z]}}\n"),
    brute=False,
    newly=("g as acc -> a.x.io : 443/https ! `linux-user z` counts as `acc`",),
)
pair(
    "binding narrowed by a kind",
    WEB,
    WEB,
    inventories=(GROUPS, GROUPS + "service-accounts: {acc: {windows-service: S}}\n"),
    brute=False,
    gone=("g as acc -> a.x.io : 443/https ! `any windows-service` is no longer `acc`",),
)
pair(
    "tag against its networks",
    allow("web", "service-tag Storage"),
    allow("web", "192.0.3.0/24"),
    tags={"storage": ("192.0.3.0/24",)},
    brute=False,
    newly=("g as acc -> 192.0.3.0/24 : 443/https",),
    gone=("g as acc -> service-tag Storage beyond 192.0.3.0/24 : 443/https",),
)
pair(
    "deny of a tag on any address",
    allow("web", "any-address"),
    allow("web", "any-address") + deny("d", "service-tag Storage"),
    tags={"storage": ("192.0.3.0/24",)},
    gone=("g as acc -> service-tag Storage : 443/https",),
)
pair(
    "tag excepted",
    allow("web", "any-address"),
    allow("web", "any-address except service-tag Storage"),
    tags={"storage": ("192.0.3.0/24",)},
    gone=("g as acc -> service-tag Storage : 443/https",),
)
pair(
    "deny for any removed, deny for one account left",
    policy(OPEN + deny("d", "a.x.io") + deny("e", "a.x.io", more="as acc"), "from g"),
    policy(OPEN + deny("e", "a.x.io", more="as acc"), "from g"),
    newly=("g as any account but acc -> a.x.io : 443/https",),
)
pair(
    "deny for group g and h removed, one for h left",
    policy(OPEN + deny("d", "a.x.io") + deny("e", "a.x.io", more="from h"), "from g h"),
    policy(OPEN + deny("e", "a.x.io", more="from h"), "from g h"),
    newly=("g -> a.x.io : 443/https",),
)
pair(
    "three edits of one rule",
    allow("web", "a.x.io b.x.io", "443 444/tls"),
    allow("web", "a.x.io y.io", "443 8443/https"),
    newly=("g as acc -> a.x.io : 8443/https", "g as acc -> y.io : 443/https 8443/https"),
    gone=("g as acc -> a.x.io : 444/tls", "g as acc -> b.x.io : 443/https 444/tls"),
)
pair(
    "wildcard to apex and tree by two rules",
    allow("web", "*.x.io"),
    allow("web", "*.b.x.io") + allow("a", "a.x.io"),
    gone=("g as acc -> *.x.io beyond *.b.x.io a.x.io : 443/https",),
    edits=("added p/a",),
)
pair(
    "a range shifts",
    allow("web", "a.x.io", "80-443/tcp"),
    allow("web", "a.x.io", "443-444/tcp"),
    newly=("g as acc -> a.x.io : 444/tcp",),
    gone=("g as acc -> a.x.io : 80-442/tcp",),
)
pair(
    "udp added beside tcp range",
    allow("web", "a.x.io", "443/tcp"),
    allow("web", "a.x.io", "443/tcp 443/udp"),
    newly=("g as acc -> a.x.io : 443/udp",),
)
pair(
    "tls-inspection on rule, exempt by other for h",
    policy(allow("web", "a.x.io", more=MUST), "from g h"),
    policy(allow("web", "a.x.io", more=MUST + " from g") + allow("b", "a.x.io", more=EXEMPT + " from h"), "from g h"),
    inspection=("h -> a.x.io : 443/https : must > must-not",),
)
pair(
    "must lost for part, deny for part",
    policy(allow("web", "*.x.io", more=MUST), "from g"),
    policy(allow("web", "*.x.io") + deny("d", "a.x.io"), "from g"),
    gone=("g -> a.x.io : 443/https",),
    inspection=("g -> *.x.io beyond a.x.io : 443/https : must > may",),
)
pair(
    "exempt wide to narrow with allow narrowing",
    allow("web", "*.x.io", more=EXEMPT),
    allow("web", "*.b.x.io", more=EXEMPT) + allow("a", "a.x.io"),
    gone=("g as acc -> *.x.io beyond *.b.x.io a.x.io : 443/https",),
    inspection=("g as acc -> a.x.io : 443/https : must-not > may",),
    edits=(),
)
pair(
    "group gets address that other group had",
    A + allow("b", "b.x.io", more="from h"),
    A + allow("b", "b.x.io", more="from h"),
    inventories=(GROUPS, GROUPS.replace("10.20.0.0/24", "10.20.0.0/25")),
    gone=("g [10.20.0.128/25] as acc -> a.x.io : 443/https",),
)
pair(
    "groups merged into one",
    policy(WEB, "from one two as acc"),
    policy(WEB, "from g as acc"),
    inventories=(UNION.replace("  g: {members: [one, two]}\n", ""), GROUPS),
    edits=("rewritten policy p",),
)
pair(
    "union renamed",
    policy(WEB, "from g as acc"),
    policy(WEB, "from all as acc"),
    inventories=(UNION, UNION.replace("g:", "all:").replace("all: {networks", "g: {networks")),
    edits=("renamed group g = all",),
)
pair(
    "a path on a wildcard port",
    allow("web", "a.x.io/p", "80"),
    allow("web", "a.x.io/p", "80 443"),
    newly=("g as acc -> a.x.io/p : 443/https",),
)
pair(
    "path excepted",
    allow("web", "a.x.io"),
    allow("web", "a.x.io except a.x.io/p"),
    gone=("g as acc -> a.x.io/p : 443/https",),
)
pair(
    "path denied below",
    allow("web", "a.x.io/p"),
    allow("web", "a.x.io/p") + deny("d", "a.x.io/p/q"),
    gone=("g as acc -> a.x.io/p/q : 443/https",),
)
pair(
    "name denied above a path",
    allow("web", "a.x.io/p"),
    allow("web", "a.x.io/p") + deny("d", "*.x.io"),
    gone=("g as acc -> a.x.io/p : 443/https",),
)
pair(
    "v6 deny against names",
    WEB,
    WEB + deny("d", "2001:db8::/32"),
    gone=("g as acc -> a.x.io within 2001:db8::/32 : 443/https",),
)
pair("fallback given up", FALLBACK, FALLBACK.replace(" fallback { 192.0.2.0/24 }", ""), edits=WEB_REWRITTEN)
pair("set's own name in a description", WEB, WEB.replace('"W"', '"a.x.io"'), edits=("reworded p/web = p/web",))
pair("rule moved and reworded", A + B + C, C.replace('"W"', '"V"') + A + B, edits=("reworded p/c = p/c",))
pair(
    "allow any to any becomes default",
    allow("web", "any-address", "any/tcp any/udp"),
    allow("web", "any-address", "any/tcp"),
    gone=("g as acc -> any-address : any/udp",),
)
pair(
    "many ports cut out",
    allow("web", "a.x.io", "any/tcp"),
    allow("web", "a.x.io", "1-79/tcp 81-442/tcp 444-65535/tcp"),
    gone=("g as acc -> a.x.io : 80/tcp 443/tcp",),
)
pair(
    "an except on a set grows to nothing changes",
    allow("web", "*.x.io except y.io"),
    allow("web", "*.x.io"),
    edits=WEB_REWRITTEN,
)
pair(
    "deny within exception",
    allow("web", "*.x.io except a.x.io") + deny("d", "a.x.io"),
    allow("web", "*.x.io except a.x.io"),
    edits=("removed p/d",),
)
pair(
    "deny shadow removed but exception kept elsewhere",
    allow("web", "*.x.io except a.x.io") + allow("b", "a.x.io") + deny("d", "a.x.io"),
    allow("web", "*.x.io except a.x.io") + allow("b", "a.x.io"),
    newly=("g as acc -> a.x.io : 443/https",),
)
pair(
    "same rule in two policies, one removed",
    policy(A + C) + policy(A + B, name="q"),
    policy(C) + policy(A + B, name="q"),
    edits=("removed p/a",),
)

NARROW = "".join(allow(f"n{number}", f"n{number}.x.io") for number in range(19)) + allow("b", "b.x.io y.io")
WIDE = allow("wide", "*.x.io", more=EXEMPT)
pair(
    "a wide exemption becomes many rules",
    NARROW + WIDE,
    NARROW,
    gone=(
        "g as acc -> *.x.io beyond "
        + " ".join(sorted(["b.x.io", *(f"n{n}.x.io" for n in range(19))]))
        + " : 443/https",
    ),
    inspection=("g as acc -> all 20 within *.x.io : 443/https : must-not > may",),
)
pair(
    "a wide exemption becomes many rules, of which one keeps it",
    NARROW + WIDE + allow("k", "a.k.x.io"),
    NARROW + allow("k", "a.k.x.io", more=EXEMPT),
    gone=(
        "g as acc -> *.x.io beyond "
        + " ".join(sorted(["a.k.x.io", "b.x.io", *(f"n{n}.x.io" for n in range(19))]))
        + " : 443/https",
    ),
    inspection=("g as acc -> all 20 within *.x.io : 443/https : must-not > may",),
    edits=("rewritten p/k = p/k",),
)
pair(
    "inspection of many demanded in place of a wide exemption",
    "".join(allow(f"n{number}", f"n{number}.x.io", more=EXEMPT) for number in range(20)),
    "".join(allow(f"n{number}", f"n{number}.x.io") for number in range(20)) + allow("wide", "*.x.io", more=MUST),
    newly=("g as acc -> *.x.io beyond " + " ".join(sorted(f"n{n}.x.io" for n in range(20))) + " : 443/https",),
    inspection=tuple(f"g as acc -> n{n}.x.io : 443/https : must-not > must" for n in range(20)),
    brute=False,
)

pair(
    "a new deny that keeps a new allow narrow is a part of that",
    A,
    A + allow("web", "*.y.io") + deny("d", "a.y.io"),
    newly=("g as acc -> *.y.io beyond a.y.io : 443/https",),
)
pair(
    "a new deny that another one holds keeps nothing narrow",
    A + deny("e", "*.y.io except b.y.io"),
    A + deny("e", "*.y.io except b.y.io") + allow("web", "*.y.io") + deny("d", "a.y.io"),
    newly=("g as acc -> b.y.io : 443/https",),
    edits=("added p/d",),
)
pair(
    "an allow goes with the deny that kept it narrow",
    A + allow("web", "*.y.io") + deny("d", "a.y.io"),
    A,
    gone=("g as acc -> *.y.io beyond a.y.io : 443/https",),
)
