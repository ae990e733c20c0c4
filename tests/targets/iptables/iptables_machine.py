"""A small machine that reads the files as iptables, ipset and dnsmasq would, and decides packets. Test code only.

It knows nothing of egressc: it reads text. What the real programs make of the same files is seen in the lab.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network


def words(line):
    """The words of a line of a restore file."""
    out, word, inside, i = [], None, False, 0
    while i < len(line):
        c = line[i]
        if inside:
            if c == "\\":
                i += 1
                word += line[i]
            elif c == '"':
                inside = False
            else:
                word += c
        elif c == '"':
            inside, word = True, word or ""
        elif c == " ":
            if word is not None:
                out.append(word)
            word = None
        else:
            word = (word or "") + c
        i += 1
    assert not inside, line
    return out if word is None else [*out, word]


@dataclass
class Packet:
    dst: str
    port: int
    proto: str = "tcp"
    src: str = "10.20.0.10"
    uid: str = "root"
    cgroup: str = ""
    interface: str = "lan0"
    state: str = "NEW"
    today: str = "2026-11-22T12:00:00"
    out: str = "eth0"


@dataclass
class Machine:
    """What is loaded for one family. ``world`` says which name has which addresses; all of them have been asked for."""

    family: int
    chain: str
    tables: dict = field(default_factory=dict)
    sets: dict = field(default_factory=dict)
    lines: dict = field(default_factory=dict)

    @classmethod
    def of(cls, files, family=4, world=None):
        text = files[f"rules.v{family}"].decode()
        chain = next(line[9:] for line in text.splitlines() if line.startswith("#: chain "))
        self = cls(family, chain)
        table = None
        for line in text.splitlines():
            if line.startswith("*"):
                table = self.tables[line[1:]] = []
            elif line.startswith("-A "):
                got = words(line)
                assert got[:2] == ["-A", chain]
                table.append(got[2:])
            else:
                assert line.startswith(("#", f":{chain} - [0:0]")) or line == "COMMIT", line
        for line in files["sets.ipset"].decode().splitlines():
            got = line.split(" ")
            if got[0] == "create":
                self.sets[got[1]] = (got[4], set())
            elif got[0] == "add":
                self.sets[got[1]][1].add(got[2])
        for line in files["dnsmasq.conf"].decode().splitlines():
            if line.startswith("ipset="):
                assert len(line) <= 1024
                _, domain, names = line.split("/")
                assert domain not in self.lines
                self.lines[domain] = names.split(",")
        for name, addresses in (world or {}).items():
            for stem in self.fed_by(name):
                for address in addresses:
                    if (":" in address) is (self.sets[stem][0] == "inet6"):
                        self.sets[stem][1].add(address)
        return self

    def fed_by(self, name):
        """The sets of the longest domain that fits: dnsmasq's rule."""
        fitting = [d for d in self.lines if name == d or name.endswith(f".{d}")]
        return self.lines[max(fitting, key=len)] if fitting else []

    def decide(self, packet, table="filter"):
        """The target that ends the packet's way through our chain; RETURN at its end."""
        for rule in self.tables.get(table, []):
            at = self._matches(rule, packet)
            if at is not None and rule[at] != "NFLOG":
                return " ".join(rule[at : at + 3])
        return "RETURN"

    def comment(self, packet, table="filter"):
        """The comment of the rule that decides."""
        for rule in self.tables.get(table, []):
            at = self._matches(rule, packet)
            if at is not None and rule[at] != "NFLOG":
                return rule[rule.index("--comment") + 1]
        return None

    def _matches(self, rule, packet):
        """Where the target of the rule stands, if the packet meets all of its conditions."""
        i, negated = 0, False
        while True:
            word = rule[i]
            if word == "-j":
                return i + 1
            if word == "!":
                negated = True
                i += 1
                continue
            if word == "-m":
                i += 2
                continue
            width = 3 if word == "--match-set" else 2
            value = rule[i + 1 : i + width]
            holds = self._holds(word, value, packet)
            if holds is negated:
                return None
            negated = False
            i += width

    def _holds(self, word, value, packet):
        match word:
            case "-p":
                return packet.proto == value[0]
            case "--dport" | "--dports":
                ranges = [part.split(":") for part in value[0].split(",")]
                assert sum(len(r) for r in ranges) <= 15
                return any(int(r[0]) <= packet.port <= int(r[-1]) for r in ranges)
            case "--match-set":
                kind, members = self.sets[value[0]]
                assert kind == ("inet" if self.family == 4 else "inet6")
                address = ip_address(packet.dst if value[1] == "dst" else packet.src)
                return any(address in ip_network(member) for member in members)
            case "-d":
                return ip_address(packet.dst) in ip_network(value[0])
            case "--uid-owner":
                return packet.uid == value[0]
            case "--path":
                return f"{packet.cgroup}/".startswith(f"{value[0]}/")
            case "--datestop":
                return packet.today <= value[0]
            case "--ctstate":
                return packet.state in value[0].split(",")
            case "-i":
                return packet.interface == value[0]
            case "-o":
                return packet.out == value[0]
            case "--comment" | "--limit" | "--limit-burst":
                return True
            case "--icmpv6-type":
                return False
        raise AssertionError(word)
