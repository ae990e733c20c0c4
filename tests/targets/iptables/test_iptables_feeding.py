"""The label tree against a resolver that goes through everything."""

import random

import pytest

from egressc.targets.iptables.feeding import VOID, Barrier, Feed, feeding

LABELS = ["a", "b", "c"]
NAMES = [f"{x}{y}{z}d" for x in ("", "a.", "b.") for y in ("", "a.", "b.", "c.") for z in ("", "a.", "b.")] + [
    "e",
    "a.e",
]


def below(name, domains):
    return any(name == d or name.endswith(f".{d}") for d in domains)


def wanted(name, feeds, barriers):
    """The sets that a name must fill: said of each feed alone."""
    denied = {b.key for b in barriers if below(name, b.domains) and not below(name, b.excluded)}
    return {f.stem for f in feeds if below(name, f.domains) and not below(name, f.excluded) and not denied & f.barred}


def filled(name, found):
    """The sets that dnsmasq fills: one line, the longest domain."""
    fitting = [line for line in found.lines if below(name, (line.domain,))]
    stems = set(max(fitting, key=lambda line: len(line.domain)).stems) if fitting else set()
    return {feed for feed, asked in found.stems.items() if stems & set(asked)}


def random_domain(random_):
    return ".".join([*(random_.choice(LABELS) for _ in range(random_.randint(0, 3))), "d"])


@pytest.mark.parametrize("seed", range(60))
def test_every_name_fills_what_its_rules_ask_for_and_nothing_else(seed):
    random_ = random.Random(seed)
    keys = ["k1", "k2"]
    feeds = [
        Feed(
            f"egc_{n:010x}",
            tuple({random_domain(random_) for _ in range(random_.randint(1, 3))}),
            frozenset(random_domain(random_) for _ in range(random_.randint(0, 1))),
            frozenset(k for k in keys if random_.random() < 0.3),
        )
        for n in range(random_.choice([3, 8, 40]))
    ]
    barriers = [
        Barrier(k, (random_domain(random_),), frozenset(random_domain(random_) for _ in range(random_.randint(0, 1))))
        for k in keys
    ]
    found = feeding(feeds, barriers)
    for name in NAMES:
        assert filled(name, found) == wanted(name, feeds, barriers), name
    domains = [line.domain for line in found.lines]
    assert len(domains) == len(set(domains))
    for line in found.lines:
        sets = ",".join(f"{stem}_4,{stem}_6" for stem in line.stems)
        assert len(f"ipset=/{line.domain}/{sets}") <= 1024
        assert line.stems


def test_a_domain_that_feeds_nothing_feeds_the_void():
    found = feeding([Feed("egc_1", ("x.com",), frozenset({"a.x.com"}))], [])
    assert [(line.domain, line.stems) for line in found.lines] == [("x.com", ("egc_1",)), ("a.x.com", (VOID,))]


def test_a_domain_carries_the_sets_of_those_above_it():
    found = feeding([Feed("egc_1", ("windows.net",)), Feed("egc_2", ("sb.windows.net",))], [])
    assert [(line.domain, line.stems) for line in found.lines] == [
        ("windows.net", ("egc_1",)),
        ("sb.windows.net", ("egc_1", "egc_2")),
    ]


def test_many_sets_at_one_domain_share_a_pair():
    feeds = [Feed(f"egc_{n:010x}", ("x.com",)) for n in range(31)]
    found = feeding(feeds, [])
    (line,) = found.lines
    assert len(line.stems) == 1
    assert all(found.stems[feed.stem] == line.stems for feed in feeds)
    feeds.append(Feed("egc_more", ("a.x.com",)))
    later = feeding(feeds, [])
    assert later.lines[0] == line, "a rule below leaves the pair above alone"
    assert later.lines[1].stems == (*line.stems, "egc_more")


def test_an_edit_elsewhere_changes_no_other_line():
    feeds = [Feed("egc_1", ("x.com",)), Feed("egc_2", ("y.com",))]
    before = feeding(feeds, []).lines
    after = feeding([*feeds, Feed("egc_0", ("z.com",))], []).lines
    assert set(before) <= set(after)
