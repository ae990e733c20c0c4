"""Random policies on iptables, on hosts and gateways: the text of the files, the policy, and the report, flow by flow."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_address

import pytest
from announced import counts_inside, disagreement, is_exact, reported
from iptables_announced import handling, said
from iptables_text import Box, Firewall, Journey, fed, words
from loop import agree, is_seen
from policy_verdict import Flow, inspection, is_described, matching, verdict
from random_cases import OBJECTS, TAGS, boundary_flows

from egressc.policy import Inspection
from egressc.reasons import Reason

BLOCKS = 10
CASES = 160
FLOWS = 28
PROCESS = ("linux-user", "linux-cgroup")
SERVER = "192.0.2.53"


def firewall(rng):
    """An inventory entry: a host or a gateway."""
    settings = [rng.choice(("mode: host", "mode: gateway"))]
    if settings == ["mode: gateway"] and rng.random() < 0.5:
        settings.append("interface: lan0")
    settings.append(f"dns: {rng.choice(('dnsmasq', 'dnsmasq', 'dnsmasq', 'dnsmasq', 'none'))}")
    settings.append(f"default-deny: {rng.choice(('true', 'true', 'true', 'false'))}")
    if rng.random() < 0.5:
        settings.append(f"dnsmasq: {{servers: [{SERVER}]}}")
    if rng.random() < 0.6:
        settings.append("tls-proxy-port: 3129")
    if rng.random() < 0.3:
        settings.append("nflog-group: 7")
    return f"target: iptables, settings: {{{', '.join(settings)}}}"


def is_host(build):
    return build.site.settings.mode == "host"


def files_of(build):
    return {artefact.name: artefact.content.decode() for artefact in build.render() if artefact.name != "apply.sh"}


def loaded(files):
    return Firewall(files, objects=OBJECTS)


def is_flow(flow):
    """False for multicast and loopback: they are outside of the flows (language.md)."""
    address = ip_address(flow.address)
    return not (address.is_multicast or address.is_loopback or address.is_unspecified)


def flows_of(build, rng, count):
    """Flows about a site; on a host those of the host itself, and some of its resolver."""
    if not is_host(build):
        yield from filter(is_flow, boundary_flows(build.site, rng, count))
        return
    for flow in filter(is_flow, boundary_flows(build.site, rng, count, PROCESS)):
        if flow.group is None:
            continue  # a host is of its group, and nothing passes through it
        if rng.random() < 0.03:
            flow = replace(flow, accounts=frozenset(), process=(("linux-user", "dnsmasq"),), port=rng.choice((53, 54)))  # noqa: PLW2901
            if rng.random() < 0.5:
                flow = replace(flow, address=SERVER, source="10.0.0.1")  # noqa: PLW2901
        yield flow


def tls_problem(build, flow, done):
    """What is wrong with the inspection of a flow that policy and artefact allow."""
    want = handling(build, flow, TAGS)
    if done != want:
        return f"the artefact handles TLS: {done}, announced was {want}"
    if flow.shows != "tls" or not is_described(build.site, flow):
        return ""
    wanted = inspection(build.site, flow, TAGS)
    rules = [rule for rule in matching(build.site, flow, TAGS) if not rule.is_deny]
    inspects = build.lowering.inspects
    # What is not exempt may be opened by what stands behind our chain.
    for word, setting, wrong in (
        ("must-not", Inspection.MUST_NOT, done != "exempt"),
        ("must", Inspection.MUST, done != "inspect"),
    ):
        lost = [rule.identity for rule in rules if rule.rule.inspection is setting]
        is_told = any(reported(build, identity, Reason.TLS_UNENFORCED) for identity in lost)
        if wanted == word and inspects and wrong and not is_told:
            return f"inspection {word}, it is {done}, and nothing says so"
    if wanted == "may" and done == "exempt":
        every = [rule.rule.identity for rule in build.fidelity.rules]
        if not any(reported(build, identity, Reason.TLS_SCOPE) for identity in every):
            return "it is exempted without need, and nothing says so"
    return ""


def problem_of(build, flow, machine):
    """What is wrong with what a machine does with a flow."""
    found = machine.travel(flow)
    want = said(build, flow, TAGS)
    if found.verdict != want:
        return f"the artefact decides {found.verdict}, the parts say {want}"
    if not counts_inside(build, flow, TAGS):
        return ""  # to the internal networks, and no rule names its address: the policy leaves it to others
    problem = disagreement(build, flow, TAGS, found.verdict, exact=is_exact(build))
    if not problem and found.verdict == "allow" and verdict(build.site, flow, TAGS) == "allow":
        problem = tls_problem(build, flow, found.handling)
    return problem


def judged(build, rng, counts):
    counts["hosts" if is_host(build) else "gateways"] += 1
    machine = loaded(files_of(build))
    for flow in flows_of(build, rng, FLOWS):
        problem = problem_of(build, flow, machine)
        found = machine.travel(flow)
        if not problem and not counts_inside(build, flow, TAGS):
            counts["inside"] += 1
            continue
        if found.handling and found.verdict == "allow":
            counts[found.handling] += 1
        yield flow, problem, found.verdict


@pytest.mark.parametrize("block", range(BLOCKS))
def test_text_policy_and_report_agree(block, capsys):
    agree(block, capsys, firewall, judged, CASES, policies=105, verdicts=2200)


def problems(build, rng, files):
    """What is wrong with each flow; the programs may also refuse the files, or not do with what they are given."""
    try:
        machine = loaded(files)
    except AssertionError:
        machine = None
    for flow in flows_of(build, rng, FLOWS):
        try:
            yield flow, "refused" if machine is None else problem_of(build, flow, machine)
        except AssertionError:
            yield flow, "stopped"


def substitute(pattern, other, *files, count=0):
    """A change of the text of some files."""

    def changed(texts):
        return {
            name: re.sub(pattern, other, text, count=count, flags=re.MULTILINE) if name in files else text
            for name, text in texts.items()
        }

    return changed


RULES = ("rules.v4", "rules.v6")


def each_rule(change):
    """A change of the rules of each chain: of the list of their lines."""

    def changed(texts):
        out = dict(texts)
        for name in RULES:
            tables = texts[name].split("COMMIT\n")
            for number, table in enumerate(tables):
                lines = table.splitlines(keepends=True)
                rules = [line for line in lines if line.startswith("-A ")]
                tables[number] = "".join([*(line for line in lines if line not in rules), *change(rules)])
            out[name] = "COMMIT\n".join(tables)
        return out

    return changed


def each_line(change):
    """A change of the lines of the resolver that fill sets."""

    def changed(texts):
        lines = texts["dnsmasq.conf"].splitlines(keepends=True)
        fill = [line for line in lines if line.startswith("ipset=")]
        return {**texts, "dnsmasq.conf": "".join([*(line for line in lines if line not in fill), *change(fill)])}

    return changed


def of_policy(line):
    """True for a rule of the policy, not of the frame."""
    return '--comment "egressc: ' not in line


def without_first(rules):
    found = next((rule for rule in rules if of_policy(rule)), None)
    return [rule for rule in rules if rule is not found]


def others_first(rules):
    """The denies behind the allows."""
    denies = [rule for rule in rules if of_policy(rule) and "-j REJECT" in rule]
    at = next((n for n, rule in enumerate(rules) if "default deny" in rule), len(rules))
    return [*(r for r in rules[:at] if r not in denies), *denies, *(r for r in rules[at:] if r not in denies)]


def parents_alone(lines):
    """Each domain feeds what it names itself, and what is above it no more: no lines below others."""
    domains = [line.split("/")[1] for line in lines]
    return [line for line, d in zip(lines, domains, strict=True) if not any(d.endswith(f".{o}") for o in domains)]


BREAKAGES = {
    "a missing slash": substitute("^ipset=/[^/]*/", "ipset=", "dnsmasq.conf", count=1),
    "a star": substitute("^ipset=/", "ipset=/*.", "dnsmasq.conf"),
    "one label more": substitute("^ipset=/", "ipset=/a.", "dnsmasq.conf"),
    "one label less": substitute("^ipset=/[a-z0-9-]+[.]([a-z0-9-]+[.])", r"ipset=/\1", "dnsmasq.conf", count=1),
    "a line lost": each_line(lambda lines: lines[1:]),
    "no lines below others": each_line(parents_alone),
    "void lines lost": each_line(lambda lines: [line for line in lines if "egc_void" not in line]),
    "no IPv6 in sets": substitute(",[a-z0-9_]+_6$", "", "dnsmasq.conf"),
    "no IPv6 chain": lambda texts: {**texts, "rules.v6": re.sub("^-A .*\n", "", texts["rules.v6"], flags=re.MULTILINE)},
    "RETURN for ACCEPT": substitute("-j ACCEPT$", "-j RETURN", *RULES),
    "ACCEPT for REJECT": substitute("-j REJECT .*$", "-j ACCEPT", *RULES, count=1),
    "RETURN for REJECT": substitute("-j REJECT .*$", "-j RETURN", *RULES),
    "the first rule lost": each_rule(without_first),
    "denies behind allows": each_rule(others_first),
    "the other way round": each_rule(lambda rules: rules[::-1]),
    "no closing deny": each_rule(lambda rules: [rule for rule in rules if "default deny" not in rule]),
    "no internal networks": each_rule(lambda rules: [rule for rule in rules if "internal networks" not in rule]),
    "internal networks last": each_rule(lambda rules: sorted(rules, key=lambda rule: "internal networks" in rule)),
    "any uid": substitute('-m owner --uid-owner "[a-z0-9]+" ', "", *RULES),
    "every other uid": substitute("-m owner --uid-owner", "-m owner ! --uid-owner", *RULES),
    "any control group": substitute('-m cgroup --path "[^"]*" ', "", *RULES),
    "another control group": substitute('--path "three', '--path "tree', *RULES),
    "any source": substitute("-m set --match-set [a-z0-9_]+ src ", "", *RULES),
    "every other source": substitute("-m set --match-set ([a-z0-9_]+) src", r"-m set ! --match-set \1 src", *RULES),
    "source for destination": substitute("(--match-set egn_[a-z0-9_]+) dst", r"\1 src", *RULES),
    "any destination": substitute("-m set --match-set egn_[a-z0-9_]+ dst ", "", *RULES),
    "holes forgotten": substitute("-m set ! --match-set egx_[a-z0-9_]+ dst ", "", *RULES),
    "the next port": substitute("--dport 443 ", "--dport 444 ", *RULES),
    "a range of one port": substitute("--dport ([0-9]+):[0-9]+", r"--dport \1", *RULES),
    "any port": substitute("--dport [0-9:]+ ", "", *RULES),
    "a port of several lost": substitute("--dports [0-9:]+,", "--dports ", *RULES),
    "another transport": substitute("-p udp", "-p tcp", *RULES),
    "over": substitute("--datestop 20", "--datestop 19", *RULES),
    "an element lost": substitute("^add egn_.*\n", "", "sets.ipset", count=1),
    "elements wider": substitute("^(add eg[nx][a-z0-9_]+ [0-9]+[.][0-9]+)[.].*$", r"\1.0.0/16", "sets.ipset"),
    "a group too small": substitute("^add egs_.*\n", "", "sets.ipset", count=1),
    "not redirected": substitute("-j REDIRECT .*$", "-j RETURN", *RULES),
    "no exemption": each_rule(
        lambda rules: [r for r in rules if "REJECT" in "".join(rules) or not (of_policy(r) and "-j ACCEPT" in r)]
    ),
    "another proxy": substitute("--to-ports 3129", "--to-ports 3128", *RULES),
    "the resolver shut out": each_rule(lambda rules: [rule for rule in rules if "the resolver" not in rule]),
}


@pytest.mark.parametrize("name", BREAKAGES)
def test_what_is_broken_is_seen(name):
    assert is_seen(firewall, BREAKAGES[name], files_of, problems)


@pytest.mark.parametrize(
    ("lines", "name", "expected"),
    [
        # iptables.md, section 1
        (["ipset=/servicebus.windows.net/s4,s6"], "servicebus.windows.net", ["s4", "s6"]),
        (["ipset=/servicebus.windows.net/s4,s6"], "a.b.ServiceBus.windows.net.", ["s4", "s6"]),
        (["ipset=/servicebus.windows.net/s4,s6"], "evilservicebus.windows.net", []),
        (["ipset=/windows.net/a", "ipset=/servicebus.windows.net/b"], "x.servicebus.windows.net", ["b"]),
        (["ipset=/servicebus.windows.net/b", "ipset=/windows.net/a"], "x.windows.net", ["a"]),
        (["ipset=/*.example.com/s"], "a.example.com", []),
        (["ipset=/#/s"], "any.thing", ["s"]),
        (["ipset=s"], "any.thing", ["s"]),
        (["ipset=/one.example/two.example/s"], "two.example", ["s"]),
        (["ipset=/sub.login.example/void4", "ipset=/login.example/s"], "sub.login.example", ["void4"]),
        (["server=/login.example/1.2.3.4"], "login.example", []),
    ],
)
def test_what_dnsmasq_feeds(lines, name, expected):
    assert fed(lines, name) == expected


def test_words_of_a_restore_file():
    # iptables.md, section 4: double quotes only; `\\"` and `\\\\` within them; `#`, `$()` and single quotes are inert
    line = r"""-m comment --comment "a \"b\" \\ # $(id)" 'c d' -j X"""
    assert words(line) == ["-m", "comment", "--comment", 'a "b" \\ # $(id)', "'c", "d'", "-j", "X"]
    with pytest.raises(AssertionError, match="unclosed"):
        words('-m comment --comment "a -j ACCEPT')


FLOW = Flow(None, "10.0.0.1", frozenset(), "a.example", None, "198.51.100.1", None, "tcp", 443, "tls")
SAVED = """*nat
:PREROUTING ACCEPT [0:0]
:EXEMPT - [0:0]
-A PREROUTING -i lan0 -p tcp -m tcp --dport 443 -j EXEMPT
-A PREROUTING -i lan0 -p tcp -m tcp --dport 443 -j REDIRECT --to-ports 3129
-A EXEMPT -p tcp -m set --match-set s4 dst -j {exemption}
COMMIT
*filter
:FORWARD ACCEPT [0:0]
:OURS - [0:0]
:MORE - [0:0]
-A FORWARD -j OURS
-A OURS -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A OURS -p tcp -m tcp --dport 443 -j MORE
{after}
-A MORE -d 198.51.100.0/24 -j {inner}
-A MORE -j DROP
COMMIT
"""


@pytest.mark.parametrize(
    ("exemption", "inner", "after", "expected"),
    [
        # section 6: RETURN in a chain of one's own does not exempt, ACCEPT does; what is redirected never sees FORWARD
        ("RETURN", "ACCEPT", "", Journey("allow", "inspect")),
        ("RETURN", "DROP", "", Journey("allow", "inspect")),
        ("ACCEPT", "ACCEPT", "", Journey("allow", "exempt")),
        ("ACCEPT", "DROP", "", Journey("deny", "exempt")),
        # RETURN goes on behind the rule that jumped
        ("ACCEPT", "RETURN", "", Journey(None, "exempt")),
        ("ACCEPT", "RETURN", "-A OURS -j REJECT --reject-with icmp-port-unreachable", Journey("deny", "exempt")),
        ("ACCEPT", "ACCEPT", "-A OURS -j REJECT --reject-with icmp-port-unreachable", Journey("allow", "exempt")),
    ],
)
def test_chains(exemption, inner, after, expected):
    text = SAVED.format(exemption=exemption, inner=inner, after=after)
    files = {
        "rules.v4": text,
        "sets.ipset": "create s4 hash:ip family inet\n",
        "dnsmasq.conf": "ipset=/example/s4\n",
    }
    assert Box(files, 4).travel(FLOW) == expected


@pytest.mark.parametrize(
    "rule",
    [
        "-A OURS --dport 443 -j ACCEPT",
        "-A OURS -p tcp --dports 443 -j ACCEPT",
        "-A OURS -j REJECT --reject-with tcp-reset",
        "-A OURS -m set --match-set nosuch dst -j ACCEPT",
        "-A OURS -m set --match-set s6 dst -j ACCEPT",
        "-A OURS -d 2001:db8::1 -j ACCEPT",
        "-A OURS -j NOSUCH",
        '-A OURS -m owner --uid-owner "one" -j ACCEPT',
        "-A OURS -p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14:15,16:17 -j ACCEPT",
    ],
)
def test_what_the_programs_refuse(rule):
    # iptables.md, section 4
    files = {
        "rules.v4": f"*filter\n:FORWARD ACCEPT [0:0]\n:OURS - [0:0]\n-A FORWARD -j OURS\n{rule}\nCOMMIT\n",
        "sets.ipset": "create s6 hash:ip family inet6\n",
        "dnsmasq.conf": "",
    }
    with pytest.raises(AssertionError):
        Box(files, 4)
