"""Sets of processes against a small machine with a few users and control groups."""

import itertools

import pytest

from egressc.anything import ANY
from egressc.policy import Account
from egressc.services import PortSet
from egressc.targets.iptables.cells import Bar, Cell, Sources, split
from egressc.targets.iptables.model import Cgroup, Owner
from egressc.targets.iptables.processes import (
    ALL_PROCESSES,
    Processes,
    cgroup_problem,
    processes_of,
    user_problem,
    within,
    without,
)

USERS = ["1", "2", "3"]
GROUPS = ["s", "s/x", "s/y", "t", "sx"]
MACHINE = list(itertools.product(USERS, GROUPS))


def members(processes):
    def holds(match, user, group):
        if isinstance(match, Owner):
            return (match.user == user) is not match.other
        return (group == match.path or group.startswith(match.path + "/")) is not match.other

    return {(u, g) for u, g in MACHINE if all(holds(m, u, g) for m in processes.matches)}


def together(many):
    return set().union(*map(members, many)) if many else set()


MATCHES = [
    Owner("1"),
    Owner("2"),
    Cgroup("s"),
    Cgroup("s/x"),
    Cgroup("t"),
    Owner("1", other=True),
    Cgroup("s", other=True),
]
SOME = [
    ALL_PROCESSES,
    *(Processes((m,)) for m in MATCHES),
    *(Processes(pair) for pair in itertools.combinations(MATCHES[:5], 2)),
]


@pytest.mark.parametrize("one", SOME, ids=repr)
def test_within_and_without_say_what_they_say(one):
    for other in SOME:
        assert together(within(one, [other])) == members(one) & members(other)
        assert together(without(one, [other])) == members(one) - members(other)
    pair = [Processes((Owner("1"), Cgroup("s/x"))), Processes((Owner("2"),))]
    assert together(within(one, pair)) == members(one) & together(pair)
    assert together(without(one, pair)) == members(one) - together(pair)
    assert within(one, ANY) == (one,)
    assert without(one, ANY) == ()


def test_what_an_account_of_two_kinds_leaves_is_said_in_two_pieces():
    others = [Processes((Owner(f"u{n}"), Cgroup(f"c{m}"))) for n in range(9) for m in range(9)]
    assert without(ALL_PROCESSES, others) == (
        Processes(tuple(Owner(f"u{n}", other=True) for n in range(9))),
        Processes(tuple(Cgroup(f"c{n}", other=True) for n in range(9))),
    )


def test_two_names_may_be_one_user():
    assert within(Processes((Owner("root"),)), [Processes((Owner("toor"),))]) == (
        Processes((Owner("root"), Owner("toor"))),
    )
    assert without(Processes((Owner("root"),)), [Processes((Owner("0"),))]) == (
        Processes((Owner("root"), Owner("0", other=True))),
    )


def test_an_account_is_each_value_of_one_kind_with_each_of_the_other():
    account = Account(
        "a", "", (("windows-account", ("X",)), ("linux-user", ("u", "v")), ("linux-cgroup", ("/s//x/", "t"))), None
    )
    assert processes_of(account) == tuple(Processes((Owner(u), Cgroup(g))) for u in ("u", "v") for g in ("s/x", "t"))
    assert processes_of(Account("a", "", (("linux-user", ("u",)),), None)) == (Processes((Owner("u"),)),)
    assert processes_of(Account("a", "", (("windows-account", ("X",)),), None)) == ()


@pytest.mark.parametrize(
    "user",
    [
        "wapc",
        "www-data",
        "_apt",
        "a.b",
        "CONTOSO\\svc",
        "host$",
        "u@d.example",
        "a b",
        'a"b',
        "é",
        "$(id)",
        "0",
        "61001",
        "4294967294",
    ],
)
def test_users(user):
    assert user_problem(user) is None


@pytest.mark.parametrize(
    "user",
    [
        "",
        "0-65535",
        "61000-61010",
        "0x0-0xffff",
        "0x10",
        "-1",
        "+1",
        "007",
        "4294967295",
        " a",
        "!root",
        "a\nb",
        "a\x85b",
        "a\u2028b",
        "a\u202eb",
        "a:b",
        "a/b",
        "1a",
        "x" * 300,
    ],
)
def test_no_users(user):
    assert user_problem(user) is not None


@pytest.mark.parametrize(("path", "fine"), [
    ("system.slice", True), ("/system.slice/x@1.service", True), ("a/b\\x2dc", True), ("", False), ("a/../b", False),
    ("a b", True), ('a"b', True), ("a\nb", False), ("a\u2028b", False), ("a\u202eb", False), ("x" * 512, False), (".", False),
])  # fmt: skip
def test_control_groups(path, fine):
    assert (cgroup_problem(path) is None) is fine


PORTS = [1, 2, 3]
NAMES = ["g", "h", "other"]


def flows(cell):
    inside = {p for p in PORTS if any(a <= p <= b for a, b in cell.ports.tcp)}
    sources = {
        n for n in NAMES if (n not in cell.sources.outside if cell.sources.groups is ANY else n in cell.sources.groups)
    }
    return set(itertools.product(inside, sources, together(cell.processes)))


BARS = [
    Bar("k1", PortSet(tcp=((1, 2),)), ANY, ANY),
    Bar("k2", PortSet(tcp=((2, 3),)), frozenset({"g"}), (Processes((Owner("1"),)),)),
    Bar(
        "k3",
        PortSet(tcp=((1, 3),)),
        frozenset({"h", "x"}),
        (Processes((Cgroup("s"),)), Processes((Owner("2"), Cgroup("t")))),
    ),
]
CELLS = [
    Cell(PortSet(tcp=((1, 3),)), Sources(ANY), (ALL_PROCESSES,)),
    Cell(
        PortSet(tcp=((2, 2),)), Sources(frozenset({"g", "h"})), (Processes((Owner("1"),)), Processes((Cgroup("s/x"),)))
    ),
]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_pieces_are_the_cell_and_each_knows_what_bars_it(cell, count):
    for bars in itertools.permutations(BARS, count):
        pieces = split(cell, bars)
        assert set().union(*map(flows, pieces)) == flows(cell)
        for bar in bars:
            covered = flows(
                Cell(bar.ports, Sources(bar.groups), (ALL_PROCESSES,) if bar.processes is ANY else bar.processes)
            )
            for piece in pieces:
                assert flows(piece) <= covered if bar.key in piece.barred else not flows(piece) & covered
