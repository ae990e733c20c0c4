"""The reader of iptables against the evaluator, which reads the same text another way: changed machines, flow by flow."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "targets" / "iptables"))
from iptables_rulings import decided, decided_handling, seen
from iptables_text import Firewall
from loop import sound
from policy_verdict import within
from random_cases import OBJECTS
from saved import saved
from test_evaluators_iptables import files_of, firewall, flows_of, is_host

from egressc.targets.iptables.read import read
from egressc.targets.protocol import Artefact

CASES = 260
FLOWS = 24
NAMES = {
    "iptables.save": "rules.v4",
    "ip6tables.save": "rules.v6",
    "ipset.save": "sets.ipset",
    "egressc.conf": "dnsmasq.conf",
}


def lines_of(files, name, begin):
    return [number for number, line in enumerate(files[name]) if line.startswith(begin)]


def rules_file(rng):
    return rng.choice(("iptables.save", "ip6tables.save"))


def swapped(files, rng):
    """A rule of our chain stands elsewhere in it."""
    name = rules_file(rng)
    at = lines_of(files, name, "-A EGRESSC ")
    if len(at) > 1:
        one, other = sorted(rng.sample(at, 2))
        if not any(files[name][number].startswith("*") for number in range(one, other)):
            files[name].insert(rng.choice((one, other)), files[name].pop(rng.choice((one, other))))


def lost(files, rng):
    """A rule is gone."""
    name = rules_file(rng)
    at = lines_of(files, name, "-A EGRESSC ")
    if at:
        del files[name][rng.choice(at)]


def condition_lost(files, rng):
    """A rule lacks one of its conditions."""
    name = rules_file(rng)
    at = lines_of(files, name, "-A EGRESSC ")
    if not at:
        return
    number = rng.choice(at)
    held = re.findall(r"(?:! )?-m set (?:! )?--match-set \S+ \S+ |-m owner (?:! )?--uid-owner \S+ |-m cgroup (?:! )?--path \S+ ",
                      files[name][number])  # fmt: skip
    if held:
        files[name][number] = files[name][number].replace(rng.choice(held), "", 1)


def turned(files, rng):
    """A condition is negated, or no more."""
    name = rules_file(rng)
    at = [
        n
        for n in lines_of(files, name, "-A EGRESSC ")
        if re.search(r"--match-set eg[nsx]_|--uid-owner|--path", files[name][n])
    ]
    if at:
        number = rng.choice(at)
        option = rng.choice(
            re.findall(r"(?:! )?--match-set eg[nsx]_|(?:! )?--uid-owner|(?:! )?--path", files[name][number])
        )
        by = option[2:] if option.startswith("! ") else f"! {option}"
        files[name][number] = files[name][number].replace(option, by, 1)


def other_verdict(files, rng):
    """A rule does something else."""
    name = rules_file(rng)
    at = [n for n in lines_of(files, name, "-A EGRESSC ") if files[name][n].endswith(("-j ACCEPT", "-j RETURN"))]
    if at:
        number = rng.choice(at)
        head, _, verdict = files[name][number].rpartition(" ")
        files[name][number] = f"{head} {'RETURN' if verdict == 'ACCEPT' else 'ACCEPT'}"


def other_ports(files, rng):
    """A rule is for other ports."""
    name = rules_file(rng)
    at = [n for n in lines_of(files, name, "-A EGRESSC ") if "--dport " in files[name][n]]
    if at:
        number = rng.choice(at)
        by = rng.choice(("443", "1:1023", "80", "8000:65535"))
        files[name][number] = re.sub(r"--dport \S+", f"--dport {by}", files[name][number])


def foreign_chain(files, rng):
    """Somebody has a chain of his own, in front of ours, that some packets leave again."""
    name = rules_file(rng)
    if ":MINE - [0:0]" in files[name]:
        return
    begin = files[name].index("*filter")
    jump = next(n for n in range(begin, len(files[name])) if files[name][n].endswith("-j EGRESSC"))
    hook = files[name][jump].split()[1]
    networks = (
        ("198.51.100.0/25", "203.0.113.0/24", "0.0.0.0/0") if name == "iptables.save" else ("2001:db8::/33", "::/0")
    )
    ports = ("--dport 443", "--dport 1:1024", "-m multiport --dports 80,443,8080:8090")
    rules = []
    for _ in range(rng.randint(1, 4)):
        transport = rng.choice(("tcp", "tcp", "udp"))
        where = f"-d {rng.choice(networks)} " if rng.random() < 0.5 else ""
        verdict = rng.choice(("ACCEPT", "DROP", "RETURN", "RETURN", "INNER"))
        rules.append(f"-A MINE {where}-p {transport} -m {transport} {rng.choice(ports)} -j {verdict}")
    inner = [f"-A INNER -p tcp -m tcp {rng.choice(ports[:2])} -j RETURN", "-A INNER -p tcp -j DROP"]
    where = rng.choice(("", f"-d {rng.choice(networks)} ", "-p tcp "))
    files[name][jump:jump] = [f"-A {hook} {where}-j MINE", *rules, *inner]
    files[name][begin + 1 : begin + 1] = [":MINE - [0:0]", ":INNER - [0:0]"]


def member_lost(files, rng):
    """A set lacks a member, and has another that is no match."""
    at = lines_of(files, "ipset.save", "add eg")
    if at:
        number = rng.choice(at)
        line = files["ipset.save"][number]
        if line.startswith("add egn") and line.endswith("/24") and rng.random() < 0.5:
            files["ipset.save"].insert(number + 1, line.replace("/24", "/26 nomatch"))
        elif " timeout " not in line:
            del files["ipset.save"][number]


def other_line(files, rng):
    """A line of the resolver is gone, or for another domain, or feeds something else."""
    at = lines_of(files, "egressc.conf", "ipset=")
    if not at:
        return
    number = rng.choice(at)
    _, domain, sets = files["egressc.conf"][number].split("/")
    known = {files["egressc.conf"][n].split("/")[1] for n in at}
    match rng.choice(("lost", "parent", "below", "swapped")):
        case "lost":
            del files["egressc.conf"][number]
        case "parent":
            domain = domain.partition(".")[2] or domain
            if domain not in known:
                files["egressc.conf"][number] = f"ipset=/{domain}/{sets}"
        case "below":
            if f"a.{domain}" not in known:
                files["egressc.conf"].append(f"ipset=/a.{domain}/{files['egressc.conf'][rng.choice(at)].split('/')[2]}")
        case "swapped":
            files["egressc.conf"][number] = f"ipset=/{domain}/{files['egressc.conf'][rng.choice(at)].split('/')[2]}"


CHANGES = (
    swapped, lost, condition_lost, turned, other_verdict, other_ports, foreign_chain, member_lost, other_line, other_line,
)  # fmt: skip


def test_changed_machines_are_read_as_the_evaluator_lets_packets_through():
    counts = Counter()
    for number, rng, (build, *_) in sound(firewall, CASES):
        texts = {name: text.encode() for name, text in files_of(build).items()}
        files = {
            name: content.decode().split("\n")[:-1] for name, content in saved(texts, {}).items() if name != "passwd"
        }
        for name in {group.object_name for group in build.site.groups} - {None}:
            for family in (4, 6):
                files["ipset.save"].append(
                    f"create {name}_{family} hash:net family {'inet' if family == 4 else 'inet6'}"
                )
        for _ in range(rng.randint(1, 4)):
            rng.choice(CHANGES)(files, rng)
        live = [Artefact(name, ("\n".join(lines) + "\n").encode()) for name, lines in files.items()]
        meaning = read(build.site, live)
        # The evaluator knows a host from a gateway by its built-in chains, and is told of the rest.
        aside = r"add \S+ \S+ timeout |create (" + "|".join(OBJECTS) + ")_|:INPUT|:POSTROUTING|:"
        learned = re.compile(aside + ("(FORWARD|PREROUTING)" if is_host(build) else "OUTPUT"))
        machine = Firewall(
            {
                NAMES[name]: "".join(f"{line}\n" for line in lines if not learned.match(line))
                for name, lines in files.items()
            },
            objects=OBJECTS,
        )
        for flow in flows_of(build, rng, FLOWS):
            like = seen(flow, build.site)
            ruling = decided(meaning.rulings, like)
            if ruling is not None and ruling.doubt:
                counts["doubt"] += 1
                continue
            journey = machine.travel(flow)
            answer = None if ruling is None or ruling.outcome.value == "left" else ruling.outcome.value
            where = f"seed {number}: {flow}\n{ruling}\n" + "\n".join(files["iptables.save"] + files["egressc.conf"])
            assert answer == journey.verdict, where
            counts[answer] += 1
            if flow.transport == "tcp" and not within(build.site.internal, flow.address):
                # What is inspected of a name inside the house is nobody's question: the reader does not go into it.
                handling = decided_handling(meaning.inspections, like)
                if handling != "doubt":
                    assert handling == journey.handling, where
                    counts[handling or "plain"] += 1
    assert min(counts["allow"], counts["deny"], counts[None]) > 100, counts
    assert min(counts["inspect"], counts["exempt"]) > 3, counts
