"""The cost of a review grows with the number of rules, whatever was done to them."""

from __future__ import annotations

import pytest
from growth import assert_near_linear
from support import prepared_of

from egressc.diff import review

pytestmark = pytest.mark.property

HEAD = 'service-account a "A" { linux-user u }\nservice-account b "B" { linux-user v }\npolicy p "P" { from g as a\n'
INVENTORY = "groups: {g: {networks: [10.20.0.0/24]}, h: {networks: [10.30.0.0/24]}}\n"
GAINED = INVENTORY.replace("10.20.0.0/24", "10.20.0.0/24, 10.21.0.5")


def rule(number, to=None, more=""):
    name = to or f"h{number}.d{number % 97}.example"
    if to is None and number % 5 == 4:
        name = f"198.18.{number // 128 % 256}.{number % 128 * 2}/31"
    return f'allow r{number} "R" {{ to {name} ports 443 {more} }}'


def policy(rules):
    return "\n".join([HEAD, *rules, "}"])


def reviewed(old, new, counts, inventories=(INVENTORY, INVENTORY)):
    """The review of two policies, which must tell of so many changes and edits, as an action."""
    sides = [prepared_of(policy(text), inventory) for text, inventory in zip((old, new), inventories, strict=True)]

    def action():
        found = review(*sides)
        told = (len(found.newly_allowed), len(found.no_longer_allowed), len(found.inspection_changed), len(found.edits))
        assert told == counts

    return action


def plain(size, more=""):
    return [rule(number, more=more) for number in range(size)]


def a_few_edits(size):
    old = plain(size)
    new = [rule(0, "*.d0.example"), *old[1:-1], rule(size)]
    # h0 is below the wildcard; the last rule is another one.
    return reviewed(old, new, (2, 1, 0, 0))


def another_policy(size):
    new = [rule(number, f"h{number}.d{number % 97}.test") for number in range(size)]
    return reviewed([rule(n, f"h{n}.d{n % 97}.example") for n in range(size)], new, (size, size, 0, 0))


def a_group_gains_an_address(size):
    return reviewed(plain(size), plain(size), (1, 0, 0, 0), (INVENTORY, GAINED))


def every_exemption_lost(size):
    return reviewed(plain(size, "no-tls-inspection"), plain(size), (0, 0, size, 0))


def a_deny_by_address(size):
    old = [rule(number, f"h{number}.d{number % 97}.example") for number in range(size)]
    return reviewed(old, [*old, 'deny d "D" { to 192.0.2.0/24 ports any/tcp }'], (0, 1, 0, 0))


def a_deny_of_a_tree(size):
    old = [rule(number, f"h{number}.example.test") for number in range(size)]
    return reviewed([*old, 'deny d "D" { to *.example.test ports 443 }'], old, (1, 0, 0, 0))


def a_wildcard_over_everything(size):
    old = [rule(number, f"h{number}.example.test") for number in range(size)]
    return reviewed(old, [*old, rule(size, "*.example.test")], (1, 0, 0, 0))


def everything_renamed(size):
    return reviewed(plain(size), [each.replace("allow r", "allow x") for each in plain(size)], (0, 0, 0, size))


def everything_turned_round(size):
    old = plain(size)
    return reviewed(old, old[::-1], (0, 0, 0, size - 1))


def everything_merged_in_pairs(size):
    names = [f"h{number}.d{number % 97}.example" for number in range(size)]
    new = [rule(number, f"{names[number]} {names[number + 1]}") for number in range(0, size, 2)]
    new = [each.replace("allow r", "allow x") for each in new]
    return reviewed([rule(n, name) for n, name in enumerate(names)], new, (0, 0, 0, size // 2))


def a_set_grows(size, more="", ruled="allow", also=""):
    names = [f"h{number}.d{number % 97}.example" for number in range(size)]
    old, new = ([rule(0, " ".join(some), more).replace("allow", ruled), also] for some in (names, [*names, "y.test"]))
    counts = (1, 0, 0, 0) if ruled == "allow" else (0, 1, 0, 0)
    return reviewed(old, new, counts)


def an_exempted_set_grows(size):
    return a_set_grows(size, "no-tls-inspection")


def a_denied_set_grows(size):
    return a_set_grows(size, ruled="deny", also=rule(1, "*.y.test y.test"))


def a_set_loses_its_exemption(size):
    to = " ".join(f"h{number}.d{number % 97}.example" for number in range(size))
    return reviewed([rule(0, to, "no-tls-inspection")], [rule(0, to)], (0, 0, size, 0))


def a_set_for_one_group_more(size):
    to = " ".join(f"h{number}.d{number % 97}.example" for number in range(size))
    return reviewed([rule(0, to)], [rule(0, to, "from g h")], (size, 0, 0, 0))


def a_wide_exemption_given_up(size):
    old = [rule(number, f"h{number}.example.test") for number in range(size)]
    return reviewed([*old, rule(size, "*.example.test", "no-tls-inspection")], old, (0, 1, 1, 0))


SHAPES = [
    a_few_edits, another_policy, a_group_gains_an_address, every_exemption_lost, a_deny_by_address, a_deny_of_a_tree,
    a_wildcard_over_everything, everything_renamed, everything_turned_round, everything_merged_in_pairs,
    a_set_grows, a_set_loses_its_exemption, a_set_for_one_group_more, an_exempted_set_grows, a_denied_set_grows, a_wide_exemption_given_up,
]  # fmt: skip


@pytest.mark.parametrize("prepare", SHAPES, ids=lambda each: each.__name__)
def test_a_review_is_linear(prepare):
    assert_near_linear(prepare, 200, 1600)
