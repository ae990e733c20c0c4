"""Reviews made by hand, for tests of the reports."""

from __future__ import annotations

from egressc.anything import ANY
from egressc.flows import Flow
from egressc.policy import Action
from egressc.review import Change, Edit, EditKind, FirewallReview, Review, RuleAt, Verdict, What
from egressc.source import Source, Span

MAIN = Source.of("main.egress", "\n" * 200, "policies/main.egress")
OTHER = Source.of("extra.egress", "\n" * 200, "policies/extra.egress")


def rule(identity, line, *, source=MAIN, action=Action.ALLOW, part=""):
    """A rule on a line."""
    return RuleAt(identity, part, action, Span(source, line - 1, line))


def flow(host, port, *, source="10.20.0.10", group="connectors", account="entra-connector", **more):
    values = {"path": None, "address": None, "shared": None, "transport": "tcp", "source": source, **more}
    return Flow(group=group, account=account, host=host, port=port, **values)


def change(endpoint, ports="443/https", before=Verdict.DENY, after=Verdict.ALLOW, *, old=(), new=(), **more):
    host = endpoint.replace("*", "a") or "a.example.net"
    values = {
        "groups": ("connectors",),
        "accounts": ("entra-connector",),
        "example": flow(host, int(ports.split("/")[0].split("-")[0])),
        **more,
    }
    return Change(
        endpoint=endpoint, ports=ports, before=before, after=after, old_rules=tuple(old), new_rules=tuple(new), **values
    )


def review(**more):
    """A review of the given lists; all others are empty."""
    values = {
        "old": "main",
        "new": "HEAD",
        "newly_allowed": (),
        "no_longer_allowed": (),
        "inspection_changed": (),
        "per_firewall": (),
        "edits": (),
    }
    return Review(**{**values, **more})


STORAGE = change(
    "*.blob.core.windows.net",
    new=[rule("dublin-connectors/storage", 41)],
    notes=("anyone can register a name under blob.core.windows.net",),
)
MFA = change("*.phonefactor.net", before=Verdict.ALLOW, after=Verdict.DENY, old=[rule("dublin-connectors/mfa", 30)])
BUS = change(
    "*.servicebus.windows.net",
    before=Verdict.MUST_NOT,
    after=Verdict.MAY,
    old=[rule("dublin-connectors/cloud-service", 12)],
    new=[rule("dublin-connectors/cloud-service", 13)],
)

CONTRACT = review(
    newly_allowed=(STORAGE,),
    no_longer_allowed=(MFA,),
    inspection_changed=(BUS,),
    per_firewall=(
        FirewallReview(name="dublin-edge", target="paloalto", added=("a",), removed=("b",), changed=("c",)),
        FirewallReview(name="westeurope", target="azure-firewall", added=("a",), removed=("b",), changed=("c",)),
        FirewallReview(name="lab-gateway", target="iptables", added=("a",), removed=("b",)),
        FirewallReview(name="connector-hosts", target="windows-firewall", added=("a",), removed=("b",)),
    ),
    edits=(
        Edit(EditKind.MOVED, (rule("p/one", 50),), (rule("p/one", 60),)),
        Edit(EditKind.MOVED, (rule("p/two", 51),), (rule("p/two", 61),)),
        Edit(EditKind.SPLIT, (rule("p/x", 70),), (rule("p/x1", 70), rule("p/x2", 75))),
    ),
)
"""The example of the design."""

RICH = review(
    old="v1",
    new="v2",
    newly_allowed=(
        STORAGE,
        change(
            "www.example.com/pkiops",
            "80/http",
            groups=ANY,
            accounts=ANY,
            new=[rule("other/status", 3, source=OTHER), rule("other/more", 9, source=OTHER)],
            example=flow("www.example.com", 80, source="", group=None, account=None, path="/pkiops"),
        ),
        change(
            "2001:db8::/64",
            "443/https 8443-8500/tls",
            groups=("agents", "connectors"),
            sources="10.20.0.11",
            beyond=("2001:db8::1",),
            old=[rule("deny/all", 5, action=Action.DENY)],
            new=[rule("allow/some", 8, part="agents")],
            example=flow(None, 443, address="2001:db8::2"),
        ),
        change(
            "",
            "53/udp",
            count=7,
            new=[rule(f"dns/r{n}", n) for n in range(1, 6)],
            example=flow("a.example.net", 53, transport="udp"),
        ),
    ),
    no_longer_allowed=(
        change(
            "*.cut.example.net",
            before=Verdict.ALLOW,
            after=Verdict.DENY,
            old=[rule("p/wide", 3)],
            new=[rule("p/stop", 4, action=Action.DENY)],
        ),
    ),
    inspection_changed=(BUS,),
    per_firewall=(
        FirewallReview(
            name="dublin-edge",
            target="paloalto",
            added=("dublin-connectors-storage-1f2e",),
            notes=("the path of other/status has no effect here: it is not seen in TLS",),
        ),
        FirewallReview(name="hosts/agents", target="windows-firewall", state="new", added=("a", "b")),
        FirewallReview(name="old-edge", target="iptables", state="gone"),
        FirewallReview(name="broken", target="iptables", state="errors"),
        FirewallReview(name="quiet", target="azure-firewall"),
    ),
    edits=(
        Edit(EditKind.RENAMED, (rule("p/one", 50),), (rule("p/uno", 60),)),
        Edit(EditKind.MERGED, (rule("p/a", 70), rule("p/b", 71)), (rule("p/ab", 70),)),
        Edit(EditKind.REFORMATTED, (), (), "policies/main.egress", What.FILE, ("policies/main.egress",) * 2),
        Edit(EditKind.RENAMED, (), (), "policies/main.egress", What.SET, ("uno", "one")),
    ),
    remarks=("policies/extra.egress is not in v1",),
)
"""Every kind of thing that a review may hold."""

FIREWALLS_ONLY = review(
    per_firewall=(
        FirewallReview(name="edge", target="iptables", added=tuple(f"rule-{n}" for n in range(8)), changed=("x",)),
    ),
)
NOTHING = review(edits=(Edit(EditKind.REWORDED, (rule("p/a", 1),), (rule("p/a", 1),)),))

HOSTILE_TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "`| a | b |` [x](javascript:alert(1)) ![y](http://evil.example/z.png)",
    "@everyone #1 GH-1 <!-- x --> </details>",
    "\u202eevil\u200b\x1b[31m\n\n# heading\r\n```",
    "{{title}} {{data}} ${x} %s \\u0041 ]]> </style></script>",
    'end; click g0 call alert(1)" --> x',
)


def hostile(text):
    """A review whose every text is this one."""
    here = Source.of(text, "\n" * 20, text)
    at = rule(text, 1, source=here)
    one = change(text, groups=(text,), accounts=(text,), sources=text, beyond=(text,), old=[at], new=[at], notes=(text,),
                 example=flow(text, 443, group=text, source="", account=text, path=text))  # fmt: skip
    return review(
        old=text,
        new=text,
        newly_allowed=(one,),
        inspection_changed=(one,),
        per_firewall=(
            FirewallReview(name=text, target=text, added=(text,), removed=(text,), changed=(text,), notes=(text,)),
        ),
        edits=(Edit(EditKind.RENAMED, (at,), (at,)), Edit(EditKind.REFORMATTED, (), (), text, What.FILE, (text, text))),
        remarks=(text,),
    )


def many(count):
    """A review of many changes of each kind."""
    return review(
        newly_allowed=tuple(change(f"*.h{n}.example.net", new=[rule(f"p/r{n}", n % 190 + 1)]) for n in range(count)),
        no_longer_allowed=tuple(
            change(f"*.g{n}.example.net", before=Verdict.ALLOW, after=Verdict.DENY, old=[rule(f"p/s{n}", n % 190 + 1)])
            for n in range(count)
        ),
        per_firewall=(FirewallReview(name="edge", target="iptables", added=tuple(f"r{n}" for n in range(count))),),
        edits=tuple(Edit(EditKind.MOVED, (rule(f"p/m{n}", 1),), (rule(f"p/m{n}", 2),)) for n in range(count)),
    )
