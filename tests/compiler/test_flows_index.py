"""The index over blocks where an entry holds blocks that have little in common, and where only the first entries count."""

from egressc.addresses import ALL, parse_addresses
from egressc.flows import EVERY, Box
from egressc.flows_index import BlockIndex, Prefix, uncovered
from egressc.hosts import HostPattern
from egressc.meaning import Block, Meaning, Outcome, Ruling
from egressc.proof_rulings import Rulings
from egressc.reach import BOTH_FAMILIES
from egressc.services import PortSet

WEB, SSH = PortSet(tcp=((443, 443),)), PortSet(tcp=((22, 22),))
ONE, OTHER = parse_addresses("192.0.2.0/24"), parse_addresses("198.51.100.0/24")


def box(ports, addresses):
    return Box(EVERY, BOTH_FAMILIES, EVERY, ports, addresses)


def test_blocks_of_one_entry_do_not_lend_each_other_their_addresses():
    index = BlockIndex([[Block(addresses=ONE, ports=WEB), Block(addresses=OTHER, ports=SSH)]])
    for ports, addresses in ((WEB, ONE), (SSH, OTHER)):
        assert uncovered((box(ports, addresses),), (), (index,)) is None
    # The first ALL asks for what a signature's entries have together.
    assert uncovered((box(WEB, ALL),), (box(WEB, ALL.difference(OTHER)),), (index,)) is not None
    assert uncovered((box(SSH, ALL),), (box(SSH, ALL.difference(ONE)),), (index,)) is not None


def test_only_the_first_entries_count():
    index = BlockIndex([[Block(addresses=ONE, ports=WEB)], [Block(addresses=OTHER, ports=WEB)]])
    assert uncovered((box(WEB, OTHER),), (), (index,)) is None
    assert uncovered((box(WEB, OTHER),), (), (Prefix(index, 1),)) is not None
    assert uncovered((box(WEB, ONE),), (), (Prefix(index, 1),)) is None


def test_what_a_ruling_by_shared_name_lets_go_by_may_be_in_another_ruling():
    x, y = Block(((HostPattern(("x", "a")), None),)), Block(((HostPattern(("y", "a")), None),), by_address=True)
    rulings = Rulings(Meaning((Ruling("y", Outcome.ALLOW, (y,), but=(x,)), Ruling("x", Outcome.ALLOW, (x,)))), ())
    assert uncovered(tuple(y.boxes()), (), (rulings.sure(Outcome.ALLOW),)) is None
    assert uncovered(tuple(y.boxes()), (), (rulings.sure(Outcome.ALLOW, before=1),)) is not None
