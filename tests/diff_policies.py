"""Small random policies with inventories, and random edits of them, for tests of the review of a change."""

from __future__ import annotations

import copy
import tempfile
from dataclasses import dataclass, field

from support import AS_OF, write_project

from egressc.api import load
from egressc.bind import prepare
from egressc.diagnostics import has_errors

NAMES = (
    "x.io", "a.x.io", "b.x.io", "*.x.io", "a*.x.io", "*b.x.io", "*.b.x.io", "a.b.x.io", "a.*.x.io", "y.io", "*.y.io",
    "a.y.io", "a.x.io/p", "a.x.io/p/q", "*.x.io/p",
)  # fmt: skip
NETS = (
    "192.0.2.0/24", "192.0.2.0/25", "192.0.2.128/25", "192.0.2.0-192.0.3.255", "192.0.3.0/24", "2001:db8::/48",
    "2001:db8::/32", "any-address",
)  # fmt: skip
PORTS = ("443", "80", "443/tcp", "443-444/tcp", "8443/https", "443/udp", "444/tls")
NETWORKS = ("10.20.0.0/25", "10.20.0.128/25", "10.21.0.5", "10.30.0.0/25", "10.30.0.128/25", "10.40.0.0/24")
HEAD = (
    'service-account acc "A" { linux-user u }\n'
    'service-account bcc "B" { linux-user v }\n'
    'parameter site "Site"\n'
)  # fmt: skip


@dataclass
class Rule:
    name: str
    action: str
    to: list
    without: list
    ports: list
    groups: list
    accounts: list
    inspection: str = ""
    feature: str = ""

    @property
    def text(self):
        to = " ".join(self.to) + (f" except {' '.join(self.without)}" if self.without else "")
        groups = " ".join(self.groups) or "any-group"
        accounts = f" as {' '.join(self.accounts)}" if self.accounts else ""
        feature = f" feature {self.feature}" if self.feature else ""
        told = f" {self.inspection}" if self.inspection and self.action == "allow" else ""
        return (
            f'  {self.action} {self.name} "R" {{ to {to} ports {" ".join(self.ports)} from {groups}{accounts}'
            f"{told}{feature} }}"
        )


@dataclass
class World:
    rules: list
    networks: dict
    features: dict = field(default_factory=dict)
    values: dict = field(default_factory=dict)

    @property
    def policy(self):
        return "\n".join([HEAD + 'policy p "P" {', *(rule.text for rule in self.rules), "}\n"])

    @property
    def inventory(self):
        lines = ["groups:"]
        for name, networks in self.networks.items():
            features = ", ".join(self.features.get(name, ()))
            values = ", ".join(self.values.get(name, ("a",)))
            lines.append(
                f"  {name}: {{networks: [{', '.join(networks)}], features: [{features}], parameters: {{site: [{values}]}}}}"
            )
        return "\n".join(lines) + "\n"

    @property
    def text(self):
        return self.policy + self.inventory


def prepared_of(world):
    """The policy and the inventory, met; ``None`` if they have errors."""
    with tempfile.TemporaryDirectory() as folder:
        write_project(folder, world.policy, world.inventory)
        loaded = load((folder,))
    if has_errors(loaded.diagnostics):
        return None
    prepared, problems = prepare(loaded.policy, loaded.inventory, AS_OF)
    return None if has_errors(problems) else prepared


def random_rule(rng, number, groups):
    action = "allow" if rng.random() < 0.75 else "deny"
    with_paths = rng.random() < 0.15
    names = [n for n in NAMES if with_paths or "/" not in n]
    to = rng.sample(names, rng.randint(1, 3)) if rng.random() < 0.7 else rng.sample(NETS, rng.randint(1, 2))
    if rng.random() < 0.1:
        to.append(rng.choice(NETS))
    if rng.random() < 0.1:
        to.append("${site}.x.io")
    without = rng.sample(names if rng.random() < 0.7 else NETS[:-1], rng.randint(1, 2)) if rng.random() < 0.25 else []
    ports = ["443"] if with_paths else rng.sample(PORTS, 1 if rng.random() < 0.7 else 2)
    return Rule(
        f"r{number}",
        action,
        list(dict.fromkeys(to)),
        without,
        ports,
        rng.sample(groups, rng.randint(0, min(2, len(groups)))),
        rng.sample(("acc", "bcc"), rng.randint(0, 2)),
        rng.choice(("", "", "", "no-tls-inspection", "tls-inspection")) if set(ports) & {"443", "444/tls"} else "",
        rng.choice(("", "", "", "", "extra")),
    )


def random_world(rng):
    names = ["g", "h", "k"][: rng.randint(2, 3)]
    networks = list(NETWORKS[: rng.randint(3, len(NETWORKS))])
    rng.shuffle(networks)
    held = {name: [networks.pop()] for name in names}
    for each in networks:
        if rng.random() < 0.6:
            held[rng.choice(names)].append(each)
    rules = [random_rule(rng, number, names) for number in range(rng.randint(1, 6))]
    features = {name: ["extra"] for name in names if rng.random() < 0.5}
    return World(rules, held, features, {name: rng.sample(("a", "b", "c"), rng.randint(1, 2)) for name in names})


def changed(rng, world):
    """The world after none to four random edits."""
    new = copy.deepcopy(world)
    for _ in range(rng.randint(0, 4)):
        rng.choice(EDITS)(rng, new)
    return new


def _rule(rng, world):
    return rng.choice(world.rules)


def add_rule(rng, world):
    world.rules.append(random_rule(rng, rng.randint(10, 99), list(world.networks)))


def remove_rule(rng, world):
    if len(world.rules) > 1:
        world.rules.remove(_rule(rng, world))


def turn_rule(rng, world):
    rule = _rule(rng, world)
    rule.action = "deny" if rule.action == "allow" else "allow"


def add_endpoint(rng, world):
    rule = _rule(rng, world)
    rule.to.append(rng.choice([n for n in (*NAMES, *NETS) if "/p" not in n and n not in rule.to]))


def remove_endpoint(rng, world):
    rule = _rule(rng, world)
    if len(rule.to) > 1:
        rule.to.remove(rng.choice(rule.to))


def other_exceptions(rng, world):
    rule = _rule(rng, world)
    rule.without = [] if rule.without and rng.random() < 0.5 else [rng.choice((*NAMES[:12], *NETS[:-1]))]


def other_ports(rng, world):
    rule = _rule(rng, world)
    if not any("/p" in each for each in (*rule.to, *rule.without)):
        rule.ports = rng.sample(PORTS, rng.randint(1, 2))
        rule.inspection = ""


def other_groups(rng, world):
    _rule(rng, world).groups = rng.sample(list(world.networks), rng.randint(0, 2))


def other_accounts(rng, world):
    _rule(rng, world).accounts = rng.sample(("acc", "bcc"), rng.randint(0, 2))


def other_inspection(rng, world):
    rule = _rule(rng, world)
    if set(rule.ports) & {"443", "444/tls"}:
        rule.inspection = rng.choice(("", "no-tls-inspection", "tls-inspection"))


def rename_rule(rng, world):
    _rule(rng, world).name += "x"


def move_rule(rng, world):
    rng.shuffle(world.rules)


def split_rule(rng, world):
    rule = _rule(rng, world)
    if len(rule.to) > 1:
        part = copy.deepcopy(rule)
        part.name += "y"
        part.to = [rule.to.pop()]
        world.rules.append(part)


def move_address(rng, world):
    one, other = rng.sample(list(world.networks), 2)
    if len(world.networks[one]) > 1:
        world.networks[other].append(world.networks[one].pop())


def add_address(rng, world):
    free = [each for each in NETWORKS if not any(each in some for some in world.networks.values())]
    if free:
        world.networks[rng.choice(list(world.networks))].append(rng.choice(free))


def remove_address(rng, world):
    name = rng.choice(list(world.networks))
    if len(world.networks[name]) > 1:
        world.networks[name].pop()


def toggle_feature(rng, world):
    name = rng.choice(list(world.networks))
    world.features[name] = [] if world.features.get(name) else ["extra"]


def other_values(rng, world):
    world.values[rng.choice(list(world.networks))] = rng.sample(("a", "b", "c"), rng.randint(1, 2))


EDITS = (
    add_rule, remove_rule, turn_rule, add_endpoint, remove_endpoint, add_endpoint, remove_endpoint, other_exceptions,
    other_ports, other_groups, other_accounts, other_inspection, rename_rule, move_rule, split_rule, move_address,
    add_address, remove_address, toggle_feature, other_values,
)  # fmt: skip
