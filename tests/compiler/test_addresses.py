"""Addresses: parsing with every mistake, and the spellings that targets take."""

from __future__ import annotations

import pytest
from growth import assert_near_linear

from egressc.addresses import ALL, ALL_V4, ALL_V6, EMPTY, AddressSet, parse_addresses, union_of


def of(*words):
    return union_of(parse_addresses(word) for word in words)


@pytest.mark.parametrize(
    ("text", "v4", "v6"),
    [
        ("10.0.0.1", ((0x0A000001, 0x0A000001),), ()),
        ("10.0.0.0/8", ((0x0A000000, 0x0AFFFFFF),), ()),
        ("10.0.0.1/32", ((0x0A000001, 0x0A000001),), ()),
        ("0.0.0.0/0", ((0, 2**32 - 1),), ()),
        ("10.0.0.1-10.0.0.1", ((0x0A000001, 0x0A000001),), ()),
        ("10.0.0.250-10.0.1.5", ((0x0A0000FA, 0x0A000105),), ()),
        ("::", (), ((0, 0),)),
        ("::/0", (), ((0, 2**128 - 1),)),
        ("2001:DB8::/32", (), ((0x20010DB8 << 96, (0x20010DB9 << 96) - 1),)),
        ("2001:0db8::1", (), ((0x20010DB8 << 96 | 1,) * 2,)),
        ("::1-::ff", (), ((1, 255),)),
        ("64:ff9b::10.0.0.1", (), ((0x64FF9B << 96 | 0x0A000001,) * 2,)),
        ("::/8", (), ((0, 2**120 - 1),)),
    ],
)
def test_parse(text, v4, v6):
    assert parse_addresses(text) == AddressSet(v4, v6)


@pytest.mark.parametrize(
    ("text", "code", "marked", "fix"),
    [
        ("10.0.0.256", "E0303", "256", "0 to 255"),
        ("10.0.0", "E0303", "10.0.0", "such as `192.0.2.1`"),
        ("1.2.3.4.5", "E0303", "1.2.3.4.5", "such as `192.0.2.1`"),
        ("", "E0303", "", "such as `192.0.2.1`"),
        ("12345::", "E0303", "12345::", "such as `2001:db8::1`"),
        ("1::2::3", "E0303", "1::2::3", "such as `2001:db8::1`"),
        ("[2001:db8::1]:443", "E0303", "[2001:db8::1]:443", "write `2001:db8::1` without brackets, and port 443"),
        ("10.0.0.0/8-10.1.0.0/16", "E0303", "10.0.0.0/8-10.1.0.0/16", "FIRST-LAST"),
        ("10.0.0.1-9", "E0303", "9", "write both addresses in full: `10.0.0.1-10.0.0.9`"),
        ("10.0.0.1-", "E0303", "-", "FIRST-LAST"),
        ("10.0.0.1-10.0.0.2-10.0.0.3", "E0303", "10.0.0.2-10.0.0.3", "range"),
        ("010.0.0.1", "E0304", "010", "write `10.0.0.1`"),
        ("10.0.00.1", "E0304", "00", "write `10.0.0.1`"),
        ("10.0.0.0/08", "E0304", "08", "write `10.0.0.0/8`"),
        ("2001:db8::/032", "E0304", "032", "write `2001:db8::/32`"),
        ("10.0.0.0/33", "E0305", "33", "from 0 to 32"),
        ("2001:db8::/129", "E0305", "129", "from 0 to 128"),
        ("10.0.0.0/", "E0305", "/", "`10.0.0.0` for the one address"),
        ("10.1.2.0/255.255.255.0", "E0305", "255.255.255.0", "`10.1.2.0/24`"),
        ("10.1.2.3/0.0.255.255", "E0305", "0.0.255.255", "`10.1.0.0/16`"),
        ("10.0.0.0/8/8", "E0305", "8/8", "from 0 to 32"),
        ("10.0.0.1/8", "E0306", "10.0.0.1/8", "`10.0.0.0/8` for the network, or `10.0.0.1` for the one"),
        ("2001:db8::1/32", "E0306", "2001:db8::1/32", "`2001:db8::/32` for the network"),
        ("10.0.0.9-10.0.0.1", "E0307", "10.0.0.9-10.0.0.1", "write `10.0.0.1-10.0.0.9`"),
        ("::2-::1", "E0307", "::2-::1", "write `::1-::2`"),
        ("10.0.0.1-2001:db8::1", "E0308", "2001:db8::1", "two ranges"),
        ("10.0.0.1-9", "E0303", "9", "`10.0.0.1-10.0.0.9`"),
        ("2001:db8::1-f", "E0303", "f", "`2001:db8::1-2001:db8::f`"),
        ("2001:db8::1-10.0.0.1", "E0308", "10.0.0.1", "two ranges"),
        ("fe80::1%eth0", "E0309", "%eth0", "write `fe80::1`"),
        ("fe80::1%eth0/64", "E0309", "%eth0", "write `fe80::1`"),
        ("::ffff:10.0.0.1", "E0310", "::ffff:10.0.0.1", "write `10.0.0.1`"),
        ("::ffff:a00:0/104", "E0310", "::ffff:a00:0/104", "write `10.0.0.0/8`"),
    ],
)
def test_mistakes(text, code, marked, fix):
    problem = parse_addresses(text)
    assert problem.code == code
    assert text[problem.start : problem.end] == marked
    assert fix in problem.help


def test_spellings():
    addresses = of("10.0.0.1", "10.0.0.2-10.0.0.3", "10.1.0.0/16", "2001:db8::/64", "2001:db8:1::5")
    assert addresses.text == "10.0.0.1-10.0.0.3 10.1.0.0/16 2001:db8::/64 2001:db8:1::5"
    assert addresses.cidrs(4) == ("10.0.0.1/32", "10.0.0.2/31", "10.1.0.0/16")
    assert addresses.blocks(4) == ("10.0.0.1", "10.0.0.2/31", "10.1.0.0/16")
    assert addresses.cidrs(6) == ("2001:db8::/64", "2001:db8:1::5/128")
    assert addresses.blocks(6) == ("2001:db8::/64", "2001:db8:1::5")
    assert addresses.ranges(4) == (("10.0.0.1", "10.0.0.3"), ("10.1.0.0", "10.1.255.255"))
    assert addresses.first() == "10.0.0.1"
    assert addresses.family(6).first() == "2001:db8::"


def test_everything_and_nothing():
    assert ALL.cidrs(4) == ("0.0.0.0/0",)
    assert ALL.cidrs(6) == ("::/0",)
    assert ALL.difference(ALL_V4) == ALL_V6
    assert ALL.difference(ALL) == EMPTY
    assert EMPTY.is_empty
    assert EMPTY.text == "no addresses"
    assert union_of([]) == EMPTY
    with pytest.raises(ValueError, match="empty"):
        EMPTY.first()
    assert ALL_V4.difference(of("10.0.0.0/8")).text == "0.0.0.0-9.255.255.255 11.0.0.0-255.255.255.255"


def test_many_addresses_take_linear_time():
    def of_many(count):
        sets = [AddressSet(v4=((i * 4, i * 4 + 1),)) for i in range(count)]

        def work():
            union = union_of(sets)
            assert len(union.v4) == count
            assert union.difference(AddressSet(v4=union.v4[::2])).v4 == union.v4[1::2]

        return work

    assert_near_linear(of_many, 10_000, 100_000)
