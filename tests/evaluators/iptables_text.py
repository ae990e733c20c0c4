"""One flow through the text of an iptables artefact, as iptables.md and the manual pages say netfilter works.

* ``Box(files, family, …)``: what a machine holds after ``ipset restore`` and ``iptables-restore`` of one family. The
  artefact hooks its chain by ``#: hook`` lines; a full ``iptables-save`` (``-A OUTPUT -j …``) hooks it by itself.
* ``Box.travel(flow)``: ``Journey``: the verdict of `filter` (``"allow"``, ``"deny"``, ``None`` where our chain leaves it
  to others) and what `nat` does (``"inspect"``, ``"exempt"``, ``None``).
* ``Firewall(files, …)``: both families; ``travel(flow)``.
* ``fed(lines, name)``: the sets that dnsmasq puts the addresses of a name into.

A flow has ``source``, ``address``, ``transport``, ``port``, ``host``, ``shared``, and a ``process`` of `linux-user` and
`linux-cgroup`. It is the first packet of a connection, after the client has resolved ``host`` and somebody ``shared``, and
both have ``address``. What the real programs refuse to load is an assertion here. It imports nothing of egressc.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache

NOON = datetime(2026, 11, 22, 12, 0)  # noqa: DTZ001 - UTC, as --datestop is
BUILT_IN = {"filter": {"INPUT", "OUTPUT", "FORWARD"}, "nat": {"PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"}}


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection, where it meets a chain."""

    source: str
    address: str
    transport: str
    port: int
    process: tuple = ()
    in_interface: str = ""
    out_interface: str = "eth0"
    state: str = "NEW"


@dataclass(frozen=True)
class Journey:
    """What becomes of a flow: in `filter` and in `nat`."""

    verdict: str | None
    handling: str | None


@dataclass
class Rule:
    """One ``-A`` line: its conditions as (option, values, negated), its target (which it jumps or goes to) and
    the target's options.
    """

    conditions: list = field(default_factory=list)
    target: str | None = None
    goes: bool = False
    options: dict = field(default_factory=dict)
    text: str = ""

    @property
    def transport(self):
        """The ``-p`` of the rule, which is never negated here."""
        return next((values[0] for name, values, _ in self.conditions if name == "-p"), None)


def words(line):
    r"""The words of a line of a restore file: only double quotes quote, and within them ``\"`` and ``\\`` (section 4)."""
    found, word, quoted, escaped = [], "", False, False
    started = False
    for letter in line:
        if escaped:
            word, escaped = word + letter, False
        elif quoted and letter == "\\":
            escaped = True
        elif letter == '"':
            quoted, started = not quoted, True
        elif letter in " \t" and not quoted:
            if started:
                found.append(word)
            word, started = "", False
        else:
            word, started = word + letter, True
    assert not quoted, f"an unclosed quote swallows the rest: {line}"
    return [*found, word] if started else found


_OPTIONS = {
    "-p": 1, "-d": 1, "-s": 1, "-i": 1, "-o": 1, "--dport": 1, "--dports": 1, "--match-set": 2, "--uid-owner": 1,
    "--path": 1, "--ctstate": 1, "--datestop": 1, "--comment": 1, "--icmpv6-type": 1, "--limit": 1, "--limit-burst": 1,
}  # fmt: skip
"""Conditions and how many values each takes."""

_NEEDS = {
    "--dports": "multiport", "--match-set": "set", "--uid-owner": "owner", "--path": "cgroup", "--ctstate": "conntrack",
    "--datestop": "time", "--comment": "comment", "--limit": "limit", "--limit-burst": "limit",
}  # fmt: skip
"""The extension (``-m``) that a condition is of."""


def parsed_rule(tokens, text):
    """The rule of a line after ``-A CHAIN``."""
    rule, loaded, negated, tokens = Rule(text=text), set(), False, list(tokens)
    while tokens:
        word = tokens.pop(0)
        if word == "!":
            negated = True
        elif word == "-m":
            loaded.add(tokens.pop(0))
        elif word in {"-j", "-g"}:
            rule.target, rule.goes = tokens.pop(0), word == "-g"
            rule.options = dict(zip(tokens[::2], tokens[1::2], strict=True))
            break
        else:
            assert word in _OPTIONS, f"unknown option {word}: {text}"
            assert word not in _NEEDS or _NEEDS[word] in loaded, f"{word} without its -m: {text}"
            rule.conditions.append((word, [tokens.pop(0) for _ in range(_OPTIONS[word])], negated))
            negated = False
    return rule


@cache
def network(text):
    return ipaddress.ip_network(text, strict=False)


@cache
def is_in(address, text):
    """True if an address is in a network (of the same family)."""
    known, held = ipaddress.ip_address(address), network(text)
    return known.version == held.version and known in held


def fed(lines, name):
    """The sets of the longest domain that holds a name (section 1); ``lines`` are those of dnsmasq's configuration."""
    best, found = -1, []
    name = name.lower().rstrip(".")
    for line in lines:
        option, _, value = line.partition("=")
        if option != "ipset":
            continue
        assert len(line) <= 1024, "the rest of a longer line is read as another line"
        *domains, sets = value.split("/")
        # Without slashes, or as `/#/`, it means every name; a star matches nothing at all.
        for domain in domains[1:] or ["#"]:
            domain = "" if domain == "#" else domain.lower().strip(".")  # noqa: PLW2901
            if "*" in domain or (domain and name != domain and not name.endswith(f".{domain}")):
                continue
            assert len(domain) != best, f"of two lines for {domain} only one works"
            if len(domain) > best:
                best, found = len(domain), sets.split(",")
    return found


class Box:
    """What a machine holds of one family."""

    def __init__(self, files, family, *, objects=None, clock=NOON, interface="lan0"):
        self.family, self.clock, self.interface = family, clock, interface
        self.sets, self.domains = {}, [line.strip() for line in _lines(files["dnsmasq.conf"])]
        for name, networks in (objects or {}).items():
            for number in (4, 6):
                members = [(text, False) for text in networks if (":" in text) is (number == 6)]
                self.sets[f"{name}_{number}"] = ("hash:net", number, members)
        self._load_sets(_lines(files["sets.ipset"]))
        self.chains = {"filter": {}, "nat": {}}
        self.policies = {}
        self.hooks = {}
        self._load_rules(_lines(files[f"rules.v{family}"]))
        self._refuse()
        self.where = "gateway" if "FORWARD" in {chain for chain, _ in self.hooks.get("filter", ())} else "host"

    def _load_sets(self, lines):
        for line in lines:
            command, name, *rest = line.split()
            if command == "create":
                assert name not in self.sets, f"set {name} exists"
                assert len(name) <= 31
                kind, options = rest[0], dict(zip(rest[1::2], rest[2::2], strict=True))
                self.sets[name] = (kind, 4 if options.get("family", "inet") == "inet" else 6, [])
            else:
                assert command == "add", line
                kind, family, members = self.sets[name]
                assert network(rest[0]).version == family, f"of another family: {line}"
                assert network(rest[0]).prefixlen > 0 or kind != "hash:net", f"/0 is refused: {line}"
                members.append((rest[0], rest[1:] == ["nomatch"]))

    def _load_rules(self, lines):
        hooks, table = {}, None
        for line in lines:
            if line.startswith("#"):
                # What apply.sh reads: it puts a jump to the chain at the top of the built-in one.
                known = line.split()
                if known[:2] == ["#:", "chain"]:
                    self.chain = known[2]
                elif known[:2] == ["#:", "hook"]:
                    hooks[known[2]] = known[3]
            elif line.startswith("*"):
                table = self.chains[line[1:]]
                named = line[1:]
            elif line.startswith(":"):
                chain, policy, *_ = line[1:].split()
                table[chain] = []
                self.policies[named, chain] = policy
            elif line == "COMMIT":
                table = None
            else:
                command, chain, *rest = words(line)
                assert command == "-A", line
                table[chain].append(parsed_rule(rest, line))
        assert table is None, "COMMIT expected"
        for named, builtin in hooks.items():
            self.chains[named].setdefault(builtin, []).insert(0, Rule(target=self.chain))
        for named, table in self.chains.items():
            self.hooks[named] = [(chain, rules) for chain, rules in table.items() if chain in BUILT_IN[named]]

    def _refuse(self):
        """What the programs or the kernel do not load (section 4)."""
        for named, table in self.chains.items():
            for chain, rules in table.items():
                assert len(chain) <= 28
                for rule in rules:
                    self._refuse_rule(named, table, rule)

    def _refuse_rule(self, named, table, rule):
        said = {name for name, _, _ in rule.conditions}
        at = rule.text
        assert rule.target in table or rule.target in {"ACCEPT", "RETURN", "DROP", "REJECT", "NFLOG", "REDIRECT"}, at
        assert not {"--dport", "--dports"} & said or rule.transport in {"tcp", "udp"}, f"ports need a transport: {at}"
        assert rule.options.get("--reject-with") != "tcp-reset" or rule.transport == "tcp", f"a reset needs TCP: {at}"
        assert rule.target != "REJECT" or named == "filter", f"REJECT is of filter: {at}"
        assert rule.target != "REDIRECT" or named == "nat", f"REDIRECT is of nat: {at}"
        assert not {"--uid-owner", "--path"} & said or "OUTPUT" in dict(self.hooks[named]), f"no owner there: {at}"
        for name, values, _ in rule.conditions:
            if name == "--match-set":
                assert values[0] in self.sets, f"Set {values[0]} doesn't exist."
                assert self.sets[values[0]][1] == self.family, f"of another family: {at}"
            elif name in {"-d", "-s"}:
                assert network(values[0]).version == (4 if self.family == 4 else 6), at
            elif name == "--dports":
                assert sum(1 + (":" in each) for each in values[0].split(",")) <= 15, f"too many ports: {at}"
            elif name == "--comment":
                assert len(values[0].encode()) <= 255, at

    def travel(self, flow):
        """What becomes of a flow."""
        learned = {name for each in (flow.host, flow.shared) if each is not None for name in fed(self.domains, each)}
        sending = self.where == "host"
        packet = Packet(
            flow.source,
            flow.address,
            flow.transport,
            flow.port,
            flow.process if sending else (),
            "" if sending else self.interface,
        )
        memory = (flow.address, learned)
        handling = None
        # nat comes first: OUTPUT: nat, then filter; a packet passing through: nat PREROUTING, then filter FORWARD.
        found = self._through("nat", "OUTPUT" if sending else "PREROUTING", packet, memory)
        if found is not None and found.target == "REDIRECT":
            handling = "inspect"
            if not sending:
                # It is now for this machine itself: INPUT, never FORWARD (section 6).
                return Journey("allow", handling)
            local = "127.0.0.1" if self.family == 4 else "::1"
            packet = replace(packet, address=local, port=int(found.options["--to-ports"]))
        elif found is not None and found.target == "ACCEPT":
            handling = "exempt"
        found = self._through("filter", "OUTPUT" if sending else "FORWARD", packet, memory)
        if found is None:
            return Journey(None, handling)
        return Journey("allow" if found.target == "ACCEPT" else "deny", handling)

    def _through(self, named, builtin, packet, memory):
        """The rule that ends the way through a built-in chain; ``None`` where none does."""
        table = self.chains[named]
        found = self._walk(table, builtin, packet, memory) if builtin in table else None
        return None if found is None or found.target == "RETURN" else found

    def _walk(self, table, chain, packet, memory):
        for rule in table[chain]:
            if not all(self._holds(each, packet, memory) for each in rule.conditions):
                continue
            if rule.target == "NFLOG":
                continue
            if rule.target == "RETURN":
                return None  # to the chain that called; in a built-in chain: its policy
            if rule.target not in table:
                return rule
            found = self._walk(table, rule.target, packet, memory)
            if found is not None or rule.goes:
                return found  # who went there does not come back here (iptables(8), --goto)
        return None

    def _holds(self, condition, packet, memory):
        name, values, negated = condition
        return self._meets(name, values, packet, memory) is not negated

    def _meets(self, name, values, packet, memory):
        match name:
            case "-p":
                return packet.transport == values[0]
            case "-d":
                return is_in(packet.address, values[0])
            case "-s":
                return is_in(packet.source, values[0])
            case "-i":
                return packet.in_interface == values[0]
            case "-o":
                return packet.out_interface == values[0]
            case "--dport" | "--dports":
                pieces = [each.split(":") for each in values[0].split(",")]
                return any(int(each[0]) <= packet.port <= int(each[-1]) for each in pieces)
            case "--match-set":
                return self._in_set(values[0], packet.address if values[1] == "dst" else packet.source, memory)
            case "--uid-owner":
                return dict(packet.process).get("linux-user") == values[0]
            case "--path":
                # The control group and everything below it.
                return f"{dict(packet.process).get('linux-cgroup', '')}/".startswith(f"{values[0]}/")
            case "--ctstate":
                return packet.state in values[0].split(",")
            case "--datestop":
                return self.clock <= datetime.fromisoformat(values[0])
            case "--icmpv6-type":
                return False  # neither TCP nor UDP
        return name in {"--comment", "--limit", "--limit-burst"}

    def _in_set(self, name, address, memory):
        kind, family, members = self.sets[name]
        if network(address).version != family:
            return False
        if kind == "hash:ip":
            resolved, learned = memory
            return (address == resolved and name in learned) or any(is_in(address, text) for text, _ in members)
        assert kind == "hash:net"
        # The most specific network that holds the address decides (ipset(8), hash:net).
        holding = [(network(text).prefixlen, nomatch) for text, nomatch in members if is_in(address, text)]
        return bool(holding) and not max(holding)[1]


def _lines(content):
    text = content if isinstance(content, str) else content.decode()
    assert not text or text.endswith("\n")
    assert "\r" not in text
    known = [line for line in text.split("\n") if line]
    return [line for line in known if not line.startswith("#") or line.startswith("#:")]


class Firewall:
    """An artefact, loaded for both families."""

    def __init__(self, files, **options):
        self.boxes = {family: Box(files, family, **options) for family in (4, 6)}

    def travel(self, flow):
        """What becomes of a flow."""
        return self.boxes[6 if ":" in flow.address else 4].travel(flow)
