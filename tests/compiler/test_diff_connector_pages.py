"""The pages of the private network connector, of 2023 and of today: the review names the pairs that came and went."""

from __future__ import annotations

import csv

import pytest
from support import prepared_of

from egressc.diff import review

pytestmark = pytest.mark.reference

INVENTORY = "groups: {connectors: {networks: [10.20.0.10, 10.20.0.11]}}\n"
NOW = "entra-private-network-connector"
PAGES = {
    "aad-app-proxy-connector@2023": 25,
    "entra-connector-proxy-outbound@2025": 24,
    "entra-connector-and-pta-agent": 20,
    NOW: 24,
}
"""The pages, with the number of pairs that each lists: that of today, and those that it differs from."""

APPLICATIONS = {443: "https", 80: "http"}


@pytest.fixture
def pages(reference):
    """What each page lists: pairs of host and port, with what it says of inspection."""
    found = {page: {} for page in PAGES}
    with (reference / "endpoints.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["policy"] in PAGES:
                assert row["proto"] == "tcp"
                found[row["policy"]][row["host"].lower(), int(row["port"])] = row["tls_inspection"]
    assert {page: len(pairs) for page, pairs in found.items()} == PAGES, "the pages are not those that this test knows"
    return found


def policy_of(page, *, by_host):
    """A policy that says what a page says: a rule for each host, or one for each port and kind of inspection."""
    rules = {}
    for (host, port), inspection in sorted(page.items()):
        exempt = "no-tls-inspection" if inspection == "forbidden" else ""
        rules.setdefault((port, exempt, host if by_host else ""), []).append(host)
    texts = [
        f'allow r{number} "R" {{ to {" ".join(hosts)} ports {port}/{APPLICATIONS[port]} {exempt} }}'
        for number, ((port, exempt, _), hosts) in enumerate(rules.items())
    ]
    return "\n".join(['policy p "P" { from connectors', *texts, "}"])


def pairs_of(changes):
    """The pairs that changes are about, each with the hosts that it says are as before."""
    assert not any(change.within or not change.endpoint for change in changes)
    every = [
        ((change.endpoint, int(service.split("/")[0])), frozenset(change.beyond))
        for change in changes
        for service in change.ports.split()
    ]
    assert len(every) == len(dict(every)), "each is told once"
    return dict(every)


def is_below(pair, other):
    """True if a pair is on the same port as another one, of which the host is a wildcard above it."""
    return pair[1] == other[1] and other[0].startswith("*.") and pair[0].endswith(other[0][1:]) and pair != other


def expected(pairs, before):
    """Pairs that are on one page, but for those that another page holds all the same, with what it had of them."""
    return {
        pair: frozenset(host for host, port in before if is_below((host, port), pair))
        for pair in pairs
        if pair not in before and not any(is_below(pair, other) for other in before)
    }


@pytest.mark.parametrize("page", [page for page in PAGES if page != NOW])
@pytest.mark.parametrize("by_host", [(False, False), (True, True), (False, True)], ids=["few", "many", "reordered"])
def test_the_pairs_that_came_and_went(pages, page, by_host):
    old, new = pages[page], pages[NOW]
    texts = [policy_of(page, by_host=each) for page, each in zip((old, new), by_host, strict=True)]
    found = review(*[prepared_of(text, INVENTORY) for text in texts])
    assert pairs_of(found.no_longer_allowed) == expected(old, new)
    assert pairs_of(found.newly_allowed) == expected(new, old)
    assert found.newly_allowed or found.no_longer_allowed or found.inspection_changed
    inspected = {
        pair for pair in old.keys() & new.keys() if (old[pair] == "forbidden") is not (new[pair] == "forbidden")
    }
    assert set(pairs_of(found.inspection_changed)) == inspected


def test_what_went_since_2023(pages):
    old, new = [prepared_of(policy_of(pages[page], by_host=False), INVENTORY) for page in (next(iter(PAGES)), NOW)]
    found = review(old, new)
    assert pairs_of(found.no_longer_allowed) == {("policykeyservice.dc.ad.msft.net", 443): frozenset()}
    assert not found.newly_allowed
    assert not found.inspection_changed


def test_a_page_against_itself_in_other_rules(pages):
    few, many = [prepared_of(policy_of(pages[NOW], by_host=by_host), INVENTORY) for by_host in (False, True)]
    found = review(few, many)
    assert found.is_empty
    assert found.edits, "rules were split, and that is counted"


def test_turned_round_it_says_the_reverse(pages):
    old, new = [prepared_of(policy_of(page, by_host=True), INVENTORY) for page in pages.values()][-2:]
    there, back = review(old, new), review(new, old)
    assert pairs_of(there.newly_allowed) == pairs_of(back.no_longer_allowed)
    assert pairs_of(there.no_longer_allowed) == pairs_of(back.newly_allowed)
