"""The reader of a Linux machine: what the manual pages say of rules, sets, the resolver and users."""

from __future__ import annotations

from itertools import pairwise

import pytest
from growth import assert_near_linear
from iptables_reading import meaning, rules_text, ruling, site, verdict

from egressc.meaning import UnreadableError
from egressc.targets.iptables.read import read
from egressc.targets.iptables.read_resolver import Resolver
from egressc.targets.iptables.read_sets import read_sets
from egressc.targets.iptables.read_words import words_of
from egressc.targets.protocol import Artefact


@pytest.mark.parametrize(("line", "words"), [
    ("-A X -j ACCEPT", ["-A", "X", "-j", "ACCEPT"]),
    ('--comment "a b" -j ACCEPT', ["--comment", "a b", "-j", "ACCEPT"]),
    (r'--comment "say \"no\" \\ to it" -j DROP', ["--comment", r'say "no" \ to it', "-j", "DROP"]),
    ("--comment 'a b'", ["--comment", "'a", "b'"]),
    ('--comment "" -j DROP', ["--comment", "", "-j", "DROP"]),
    ('--comment "never closed -j ACCEPT', ["--comment", "never closed -j ACCEPT"]),
    ("--comment `id`$(id)#x", ["--comment", "`id`$(id)#x"]),
])  # fmt: skip
def test_words_are_split_as_the_program_does(line, words):
    assert words_of(line) == words


NEEDED = ["-A EGRESSC -o lo -j ACCEPT", "-A EGRESSC -m conntrack --ctstate ESTABLISHED -j ACCEPT",
          *(f"-A EGRESSC -p ipv6-icmp -m icmp6 --icmpv6-type {number} -j ACCEPT" for number in (133, 135, 136))]  # fmt: skip


# -- what a rule matches (iptables(8), iptables-extensions(8))


@pytest.mark.parametrize(("conditions", "matched", "not_matched"), [
    ("-p tcp -m tcp --dport 443", [("1.2.3.4", 443)], [("1.2.3.4", 444)]),
    ("-p tcp -m tcp --dport 1000:2000", [("1.2.3.4", 1000), ("1.2.3.4", 2000)], [("1.2.3.4", 999), ("1.2.3.4", 2001)]),
    ("-p tcp -m tcp ! --dport 443", [("1.2.3.4", 444)], [("1.2.3.4", 443)]),
    ("-p tcp -m multiport --dports 80,443,8000:8010", [("1.2.3.4", 8010), ("1.2.3.4", 80)], [("1.2.3.4", 81)]),
    ("-p tcp -m multiport ! --dports 80,443", [("1.2.3.4", 81)], [("1.2.3.4", 443)]),
    ("-d 198.51.100.0/24", [("198.51.100.255", 1)], [("198.51.101.0", 1)]),
    ("-d 198.51.100.0/255.255.255.0", [("198.51.100.255", 1)], [("198.51.101.0", 1)]),
    ("! -d 198.51.100.0/24", [("198.51.101.0", 1)], [("198.51.100.255", 1)]),
    ("-m iprange --dst-range 198.51.100.5-198.51.100.9", [("198.51.100.9", 1)], [("198.51.100.10", 1)]),
    ("-m iprange ! --dst-range 198.51.100.5-198.51.100.9", [("198.51.100.10", 1)], [("198.51.100.9", 1)]),
    ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", [("1.2.3.4", 9)], []),
    ("-p tcp -m conntrack --ctstate NEW,ESTABLISHED", [("1.2.3.4", 9)], []),
    ("-p tcp -m state --state NEW", [("1.2.3.4", 9)], []),
    ("-m conntrack ! --ctstate INVALID", [("1.2.3.4", 9)], []),
    ("! -o lo", [("1.2.3.4", 9)], []),
    ("-p 6", [("1.2.3.4", 9)], []),
    ("-m time --datestop 2099-01-01T00:00:00", [("1.2.3.4", 9)], []),
    ("-m time --datestart 2020-01-01T00:00:00", [("1.2.3.4", 9)], []),
    # No packet that begins a connection, or none of a flow.
    ("-p udp", [], [("1.2.3.4", 9)]),
    ("! -p tcp", [], [("1.2.3.4", 9)]),
    ("-p icmp", [], [("1.2.3.4", 9)]),
    ("-o lo", [], [("1.2.3.4", 9)]),
    ("-i eth0", [], [("1.2.3.4", 9)]),
    ("-m conntrack --ctstate ESTABLISHED,RELATED", [], [("1.2.3.4", 9)]),
    ("-m conntrack ! --ctstate NEW", [], [("1.2.3.4", 9)]),
    ("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN", [], [("1.2.3.4", 9)]),
    ("-m time --datestop 2020-01-01T00:00:00", [], [("1.2.3.4", 9)]),
    ("-m time --datestart 2099-01-01T00:00:00", [], [("1.2.3.4", 9)]),
])  # fmt: skip
def test_what_a_condition_matches(conditions, matched, not_matched):
    found = meaning([f"-A EGRESSC {conditions} -j ACCEPT"])
    assert [verdict(found, *place) for place in matched] == ["allow"] * len(matched)
    assert [verdict(found, *place) for place in not_matched] == [None] * len(not_matched)


@pytest.mark.parametrize("conditions", [
    "-m geoip --destination-country IE", "-p tcp -m tcp --sport 1024:2048", "-m mark --mark 0x1", "-m owner --gid-owner 5",
    "-m set --match-set s src,dst", "-m statistic --mode random --probability 0.5", "-m limit --limit 3/sec",
    "-m addrtype --dst-type LOCAL", "-p tcp -m tcp --tcp-flags SYN,ACK SYN", "-o eth0", "-f",
    "-m time --timestart 08:00:00 --timestop 17:00:00", "-p tcp -m multiport --ports 443", "-m connlimit --connlimit-above 3",
    "-m cgroup --cgroup 7", "-m string --string x --algo bm",
])  # fmt: skip
def test_what_is_not_understood_is_neither_allowed_nor_denied(conditions):
    found = meaning([f"-A EGRESSC {conditions} -j ACCEPT"], sets="create s hash:ip,port family inet\n")
    decided = ruling(found, "1.2.3.4", 443)
    assert decided.doubt, conditions
    assert verdict(found, "1.2.3.4", 443) == "allow?"


def test_a_condition_that_is_not_understood_may_match_no_more_than_the_others_say():
    found = meaning(["-A EGRESSC -d 198.51.100.0/24 -p tcp -m geoip --destination-country IE -j DROP"])
    assert verdict(found, "198.51.100.9") == "deny?"
    assert verdict(found, "198.51.101.9") is None
    assert verdict(found, "198.51.100.9", transport="udp") is None


# -- chains (iptables(8), TARGETS)


def test_the_first_rule_that_matches_decides():
    found = meaning(["-A EGRESSC -d 1.2.3.0/24 -j DROP", "-A EGRESSC -d 1.2.0.0/16 -j ACCEPT"])
    assert [verdict(found, a) for a in ("1.2.3.4", "1.2.4.4", "1.3.0.0")] == ["deny", "allow", None]


def test_what_only_counts_or_logs_goes_on():
    lines = [
        "-A EGRESSC -p tcp",
        "-A EGRESSC -p tcp -j NFLOG --nflog-group 3",
        "-A EGRESSC -j LOG",
        "-A EGRESSC -j ACCEPT",
    ]
    assert verdict(meaning(lines)) == "allow"


def test_a_chain_that_is_left_goes_on_behind_the_jump():
    lines = [
        "-A MINE -p udp -j RETURN", "-A MINE -d 1.2.3.4/32 -j RETURN", "-A MINE -p tcp -j DROP",
        "-A OUTPUT -d 1.2.0.0/16 -j MINE", "-A OUTPUT -j ACCEPT",
    ]  # fmt: skip
    found = meaning(lines, chains=("EGRESSC", "MINE"))
    assert [verdict(found, a) for a in ("1.2.3.4", "1.2.3.5", "1.3.3.5")] == ["allow", "deny", "allow"]
    assert verdict(found, "1.2.3.5", transport="udp") == "allow"


def test_goto_does_not_come_back_to_the_chain():
    lines = [
        "-A MINE -p tcp -m tcp --dport 80 -j ACCEPT",
        "-A OUTPUT -p tcp -g MINE",
        "-A OUTPUT -d 1.2.3.4/32 -j DROP",
    ]
    found = meaning(lines, chains=("EGRESSC", "MINE"))
    assert [verdict(found, "1.2.3.4", 80), verdict(found, "1.2.3.4", 81)] == ["allow", None]
    assert verdict(found, "1.2.3.4", 80, transport="udp") == "deny"


def test_what_our_own_chain_returns_is_for_others():
    found = meaning(["-A EGRESSC -d 10.0.0.0/8 -j RETURN", "-A EGRESSC ! -o lo -p udp -j REJECT"])
    assert [verdict(found, a, transport="udp") for a in ("10.1.2.3", "1.2.3.4")] == ["left", "deny"]


def test_a_chain_that_leads_into_itself_is_no_verdict():
    lines = ["-A MINE -p tcp -j YOURS", "-A YOURS -p tcp -j MINE", "-A OUTPUT -j MINE"]
    assert verdict(meaning(lines, chains=("EGRESSC", "MINE", "YOURS"))) == "allow?"


def test_ways_through_many_chains_come_to_an_end():
    chains = [f"C{number}" for number in range(40)]
    lines = [f"-A {one} -p tcp -j {two}" for one, two in pairwise(chains) for _ in range(2)]
    found = meaning([*lines, "-A C39 -p tcp -j ACCEPT", "-A OUTPUT -j C0"], chains=("EGRESSC", *chains))
    assert verdict(found).startswith("allow")
    assert len(found.rulings) < 500_000


def test_a_target_that_is_not_known_may_do_anything():
    found = meaning(["-A EGRESSC -p tcp -m tcp --dport 25 -j NFQUEUE --queue-num 1"])
    assert {r.outcome.value for r in found.rulings if r.doubt} == {"allow", "deny"}


@pytest.mark.parametrize(("of_hook", "default"), [("ACCEPT", "allow"), ("DROP", "deny")])
def test_the_policy_of_the_built_in_chain_is_the_default(of_hook, default):
    found = meaning(NEEDED, policy_of_hook=of_hook)
    assert found.default.value == "allow", "IPv6 accepts"
    assert verdict(found) == (None if of_hook == "ACCEPT" else "deny")
    both = read(site(), [Artefact("a", rules_text(NEEDED, policy_of_hook=of_hook).encode()),
                         Artefact("b", rules_text(NEEDED, 6, policy_of_hook=of_hook).encode())])  # fmt: skip
    assert both.default.value == default


def test_a_table_that_drops_is_not_overlooked():
    mangle = "*mangle\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -d 1.2.3.4/32 -j DROP\nCOMMIT\n"
    text = rules_text(["-A EGRESSC -j ACCEPT"]) + mangle
    found = read(site(), [Artefact("a", text.encode()), Artefact("b", rules_text([], 6).encode())])
    assert [verdict(found, "1.2.3.4"), verdict(found, "1.2.3.5")] == ["deny?", "allow"]


@pytest.mark.parametrize(("lines", "what"), [
    (["-A EGRESSC -p tcp -j REJECT --reject-with tcp-reset"], "loopback"),
    (["-A EGRESSC -o lo -j ACCEPT", "-A EGRESSC -p tcp -j DROP"], "established"),
    (["-A EGRESSC -o lo -j ACCEPT", "-A EGRESSC -m conntrack --ctstate ESTABLISHED -j ACCEPT", "-A EGRESSC -j DROP"], ""),
    (["-A EGRESSC -m conntrack --ctstate NEW -j DROP", "-A EGRESSC -o lo -j ACCEPT"], "loopback"),
    (["-A EGRESSC -d 1.2.3.4/32 -j DROP"], ""),
])  # fmt: skip
def test_what_nothing_works_without_must_not_be_rejected(lines, what):
    doubts = [r.doubt for r in meaning(lines).rulings if r.doubt.startswith("it rejects")]
    assert len(doubts) == bool(what)
    assert all(what in doubt for doubt in doubts)


def test_neighbour_discovery_must_not_be_rejected():
    start = ["-A EGRESSC -o lo -j ACCEPT", "-A EGRESSC -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT"]
    some = [f"-A EGRESSC -p ipv6-icmp -m icmp6 --icmpv6-type {number} -j ACCEPT" for number in (133, 135)]
    found = meaning([], [*start, *some, "-A EGRESSC -j REJECT"])
    assert [r.doubt for r in found.rulings if "neighbour" in r.doubt] == [
        "it rejects neighbour discovery (ICMPv6 type 136)"
    ]
    more = [*some, "-A EGRESSC -p ipv6-icmp -m icmp6 --icmpv6-type neighbour-advertisement -j ACCEPT"]
    assert not [r for r in meaning([], [*start, *more, "-A EGRESSC -j REJECT"]).rulings if r.doubt]


# -- sets (ipset(8))


def addresses_in(text):
    (found,) = read_sets(text, "sets")
    return found.addresses.text


@pytest.mark.parametrize(("lines", "held"), [
    ("create s hash:net family inet\nadd s 10.0.0.0/8\nadd s 10.1.0.0/16 nomatch\nadd s 10.1.2.0/24\n",
     "10.0.0.0/16 10.1.2.0/24 10.2.0.0-10.255.255.255"),
    ("create s hash:net family inet\nadd s 10.1.0.0/16 nomatch\nadd s 10.0.0.0/15\n", "10.0.0.0/16"),
    ("create s hash:ip family inet timeout 300\nadd s 1.2.3.4 timeout 0\nadd s 1.2.3.5 timeout 299\n", "1.2.3.4"),
    ("create s hash:ip family inet\nadd s 1.2.3.4\nadd s 1.2.3.6-1.2.3.7\n", "1.2.3.4 1.2.3.6/31"),
    ("create s hash:ip family inet6\nadd s 2001:db8::1\n", "2001:db8::1"),
    ('create s hash:net family inet counters comment\nadd s 1.2.3.0/24 packets 0 bytes 0 comment "a b"\n', "1.2.3.0/24"),
    ("create s hash:net family inet\n", "no addresses"),
])  # fmt: skip
def test_what_is_in_a_set(lines, held):
    assert addresses_in(lines) == held


def test_a_list_of_sets_holds_what_its_sets_hold():
    text = (
        "create l list:set size 8\ncreate a hash:ip\nadd a 1.2.3.4\ncreate b hash:ip\nadd b 1.2.3.5\nadd l a\nadd l b\n"
    )
    found = meaning(["-A EGRESSC -m set --match-set l dst -j ACCEPT"], sets=text)
    assert [verdict(found, f"1.2.3.{n}") for n in (4, 5, 6)] == ["allow", "allow", None]


@pytest.mark.parametrize("text", [
    "create s hash:ip\ncreate s hash:ip\n", "add s 1.2.3.4\n", "create s hash:ip\nflush s\n",
    "create s hash:net family inet\nadd s 0.0.0.0/0\n", "create s hash:net family inet\nadd s 2001:db8::/32\n",
    "create s hash:ip family inet maxelem 1\nadd s 1.2.3.4\nadd s 1.2.3.5\n",
])  # fmt: skip
def test_what_ipset_would_refuse_is_no_set(text):
    with pytest.raises(UnreadableError) as caught:
        read_sets(text, "sets")
    assert caught.value.file == "sets"
    assert caught.value.line


def test_members_that_pass_and_that_nothing_here_fills_are_not_known():
    found = meaning(["-A EGRESSC -m set --match-set s dst -j ACCEPT"],
                    sets="create s hash:ip timeout 9\nadd s 1.2.3.4 timeout 7\n", resolver="server=192.0.2.53\n")  # fmt: skip
    assert verdict(found, "1.2.3.4") == "allow?"


# -- the resolver (dnsmasq(8), `--ipset`; measured)


def names_fed(lines, name="s"):
    resolver = Resolver()
    resolver.read(lines, "d.conf")
    zones = resolver.zones().get(name)
    return None if zones is None else zones.layers


@pytest.mark.parametrize(("lines", "layers"), [
    ("ipset=/x.com/s\n", [(("x.com",), ())]),
    ("ipset=/x.com/y.com/a,s\n", [(("x.com", "y.com"), ())]),
    ("ipset=/.X.com./s\n", [(("x.com",), ())]),
    # The longest domain that fits, and no other line.
    ("ipset=/x.com/s\nipset=/a.x.com/t\n", [(("x.com",), ("a.x.com",))]),
    ("ipset=/x.com/s\nipset=/a.x.com/t\nipset=/b.a.x.com/s\n", [(("x.com",), ("a.x.com",)), (("b.a.x.com",), ())]),
    ("ipset=/x.com/s\nipset=/a.x.com/s,t\nipset=/b.a.x.com/t\n", [(("x.com",), ("b.a.x.com",))]),
    ("ipset=/a.x.com/s\nipset=/x.com/t\n", [(("a.x.com",), ())]),
    ("ipset=/#/s\n", [(("",), ())]),
    ("ipset=s\n", [(("",), ())]),
    ("ipset=/#/s\nipset=/x.com/t\n", [(("",), ("x.com",))]),
    ("ipset=/*.x.com/s\n", None),
    ("# ipset=/x.com/s\n", None),
])  # fmt: skip
def test_which_names_feed_a_set(lines, layers):
    found = names_fed(lines)
    assert (found if found is None else list(found)) == layers


@pytest.mark.parametrize("line", ["ipset=/x.com/", "ipset=", "ipset=x.com/s"])
def test_a_line_without_a_set_is_refused(line):
    with pytest.raises(UnreadableError):
        names_fed(f"{line}\n")


SETS = "create s hash:ip family inet timeout 86400\n"
LINE = ["-A EGRESSC -m set --match-set s dst -j ACCEPT"]


def test_a_set_that_the_resolver_fills_is_names():
    found = meaning(LINE, sets=SETS, resolver="max-cache-ttl=300\nipset=/x.com/s\nipset=/a.x.com/t\n", more_files=())
    assert verdict(found, host="x.com") == "allow"
    assert verdict(found, host="b.x.com") == "allow"
    assert verdict(found, host="b.a.x.com") is None
    assert verdict(found, host="y.com") is None
    assert verdict(found, host="y.com", shared="x.com") == "allow"
    assert verdict(found, host="b.a.x.com", shared="x.com") == "allow"
    assert verdict(found, host=None) is None


@pytest.mark.parametrize(("resolver", "word"), [
    ("max-cache-ttl=300\nipset=/x.com/s\n", "allow"), ("max-cache-ttl=86400\nipset=/x.com/s\n", "allow"),
    ("max-cache-ttl=86401\nipset=/x.com/s\n", "allow?"), ("ipset=/x.com/s\n", "allow?"), ("cache-size=0\nipset=/x.com/s\n", "allow"),
    ("max-cache-ttl=300\nipset=/x.com/s\nipset=/x.com/t\n", "allow?"),
])  # fmt: skip
def test_when_it_is_not_certain_that_addresses_are_in_the_set(resolver, word):
    assert verdict(meaning(LINE, sets=SETS, resolver=resolver), host="x.com") == word


def test_an_address_added_for_good_is_in_the_set_whatever_its_name():
    found = meaning(LINE, sets=SETS + "add s 1.2.3.4 timeout 0\nadd s 1.2.3.5 timeout 86000\n",
                    resolver="max-cache-ttl=300\nipset=/x.com/s\n")  # fmt: skip
    assert [verdict(found, f"1.2.3.{n}") for n in (4, 5)] == ["allow", None]


def test_not_in_a_set_that_the_resolver_fills_is_not_known():
    lines = ["-A EGRESSC -m set ! --match-set s dst -j DROP"]
    assert verdict(meaning(lines, sets=SETS, resolver="max-cache-ttl=300\nipset=/x.com/s\n"), host="y.com") == "deny?"


# -- users


ACCOUNTS = 'allow r "R" { to y.com ports 443 as one }\nallow s "S" { to x.com ports 443 as two }'
PASSWD = "root:x:0:0:root:/root:/bin/bash\nalice:x:1001:1001::/:/bin/sh\nbob:x:1002:1002::/:/bin/sh\ncarol:x:1003:1003::/:/bin/sh\ndnsmasq:x:104:1::/:/bin/sh\n"


def user_verdicts(condition, users):
    found = meaning([f"-A EGRESSC {condition} -j ACCEPT"], users=users, where=site(rules=ACCOUNTS))
    return {user: verdict(found, user=user) for user in ("alice", "bob", "1004")}


@pytest.mark.parametrize(("condition", "users", "wanted"), [
    ("-m owner --uid-owner 1001", PASSWD, {"alice": "allow", "bob": None, "1004": None}),
    ("-m owner ! --uid-owner 1001", PASSWD, {"alice": None, "bob": "allow", "1004": "allow"}),
    ("-m owner --uid-owner 1001-1002", PASSWD, {"alice": "allow", "bob": "allow", "1004": None}),
    ("-m owner --uid-owner 1004", PASSWD, {"alice": None, "bob": None, "1004": "allow"}),
    ("-m owner --uid-owner alice", PASSWD, {"alice": "allow", "bob": None, "1004": None}),
    # Without them a number may be anybody whose number is not known.
    ("-m owner --uid-owner 1001", "", {"alice": "allow?", "bob": "allow?", "1004": None}),
    ("-m owner ! --uid-owner 1001", "", {"alice": "allow?", "bob": "allow?", "1004": "allow?"}),
    ("-m owner --uid-owner alice", "", {"alice": "allow", "bob": None, "1004": None}),
])  # fmt: skip
def test_who_a_uid_is(condition, users, wanted):
    assert user_verdicts(condition, users) == wanted


# -- whole configurations


def test_the_families_are_told_apart_by_what_stands_in_the_files():
    body = "*filter\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -d {} -j DROP\nCOMMIT\n"
    files = [Artefact("a", body.format("2001:db8::/32").encode()), Artefact("b", body.format("192.0.2.0/24").encode())]
    found = read(site(), files)
    assert [
        verdict(found, a, source=s) for a, s in (("2001:db8::1", "2001:db8:20::1"), ("192.0.2.1", "10.20.0.1"))
    ] == ["deny", "deny"]


def test_rules_of_the_other_variant_that_are_not_here_are_not_forgotten():
    text = "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n" + rules_text(
        ["-A EGRESSC -j ACCEPT"]
    )
    found = read(site(), [Artefact("a", text.encode()), Artefact("b", rules_text([], 6).encode())])
    assert verdict(found) == "deny?"


@pytest.mark.parametrize(("files", "what"), [
    ([], "there are no rules"),
    ([rules_text([])], "ip6tables-save"),
    ([rules_text([]), rules_text([])], "a second table `filter`"),
    ([rules_text(["-A EGRESSC -m set --match-set s dst -j DROP"]), rules_text([], 6)], "ipset save"),
    ([rules_text([]), rules_text([], 6), SETS], "dnsmasq.conf"),
    ([rules_text([]), rules_text([], 6), "hello world\n"], "neither rules"),
    ([rules_text([]), rules_text([], 6), "table inet filter {\n  chain output { }\n}\n"], "neither rules"),
    ([rules_text(["-A EGRESSC -m set --match-set s dst -j DROP"]), rules_text([], 6), "create s hash:ip family inet6\n"],
     "is not of the family inet"),
    ([rules_text([]), rules_text([], 6), "create s hash:ip\n", "create s hash:ip\n"], "in two files"),
    ([rules_text([]).replace("COMMIT", ""), rules_text([], 6)], "no COMMIT"),
    ([rules_text(["-A NOWHERE -j DROP"]), rules_text([], 6)], "is not declared"),
    ([rules_text(["-A EGRESSC --dport 443 -j DROP"]), rules_text([], 6)], "`-p tcp`"),
    ([rules_text(["-A EGRESSC -p tcp -m tcp --dport 70000 -j DROP"]), rules_text([], 6)], "no range of ports"),
    ([rules_text(["-A EGRESSC -d 1.2.3.4/33 -j DROP"]), rules_text([], 6)], "no IPv4 network"),
    ([rules_text(["-A EGRESSC hello -j DROP"]), rules_text([], 6)], "no option"),
    ([rules_text(["-A EGRESSC -p"]), rules_text([], 6)], "has no value"),
    ([rules_text(["-I EGRESSC -j DROP"]), rules_text([], 6)], "adds no rule"),
    ([rules_text(["-A EGRESSC -m comment --comment " + "x" * 10_300 + " -j DROP"]), rules_text([], 6)], "longer than"),
])  # fmt: skip
def test_what_cannot_be_read_says_so(files, what):
    with pytest.raises(UnreadableError) as caught:
        read(site(), [Artefact(f"file{n}", text.encode()) for n, text in enumerate(files)])
    assert what in caught.value.message


def test_a_machine_without_rules_prints_nothing():
    found = read(
        site(), [Artefact("a", rules_text(["-A EGRESSC -d 198.51.100.0/24 -j DROP"]).encode()), Artefact("b", b"")]
    )
    assert found.default.value == "allow", "IPv6 is open"
    assert verdict(found) == "deny"
    assert verdict(found, "2001:db8::1", source="2001:db8:20::1") is None


# -- growth


def machine_of(count, kind):
    """An action that reads a machine with so many rules, sets and lines."""
    rules, sets, lines = [], [], ["max-cache-ttl=300"]
    for n in range(count):
        if kind == "chains":
            rules += [f"-A C{n} -p tcp -m tcp --dport {n % 999 + 1} -j RETURN", f"-A C{n} -d 198.51.{n % 256}.0/24 -j ACCEPT",
                      f"-A OUTPUT -d 198.51.{n % 256}.0/28 -j C{n}"]  # fmt: skip
            continue
        rules.append(
            f'-A EGRESSC -p tcp -m tcp --dport {n % 50 + 1} -m set --match-set s{n} dst -m comment --comment "p/r{n}: R" -j ACCEPT'
        )
        sets.append(
            f"create s{n} hash:ip family inet timeout 86400\n"
            if n % 3
            else f"create s{n} hash:net family inet\nadd s{n} 10.{n % 256}.0.0/16\n"
        )
        if n % 3:
            lines.append(
                f"ipset=/h{n}.x{n % 7}.com/s{n}"
                if kind == "flat"
                else f"ipset=/h{n}.d{n % 50}.x.com/s{n},s{n - n % 3 + 1}"
            )
    chains = ("EGRESSC", *(f"C{n}" for n in range(count))) if kind == "chains" else ("EGRESSC",)
    text, text6 = rules_text(rules, chains=chains), rules_text([], 6)
    files = [
        Artefact(f"f{n}", each.encode())
        for n, each in enumerate((text, text6, "".join(sets), "\n".join(lines)))
        if each
    ]
    where = site()
    return lambda: read(where, files)


@pytest.mark.parametrize("kind", ["flat", "shared", "chains"])
def test_reading_grows_with_the_number_of_rules(kind):
    assert_near_linear(lambda count: machine_of(count, kind), 400, 3200)


# -- what nobody may miss


def test_chains_that_many_rules_jump_to_are_gone_through_once():
    chains = [f"C{number}" for number in range(60)]
    lines = [f"-A {one} -j {two}" for one, two in pairwise(chains) for _ in range(3)]
    text = rules_text([*lines, "-A C59 -d 1.2.3.4/32 -j DROP", "-A OUTPUT -j C0"], chains=("EGRESSC", *chains))
    nat = rules_text([*lines, "-A OUTPUT -j C0"], table="nat", chains=("EGRESSC", *chains))
    found = read(site("{tls-proxy-port: 3129}"), [Artefact("a", (text + nat).encode()), Artefact("b", b"")])
    assert verdict(found, "1.2.3.4").startswith(("deny", "allow?"))
    assert any("too many ways" in each.doubt for each in found.inspections)


@pytest.mark.parametrize("option", ["--add-set s dst", "--del-set s dst", "--map-set s dst"])
def test_a_set_that_rules_change_is_not_known(option):
    lines = [f"-A OUTPUT -p udp -j SET {option}", "-A EGRESSC -p tcp -m set --match-set s dst -j ACCEPT"]
    assert verdict(meaning(lines, sets="create s hash:net\nadd s 1.2.3.0/24\n"), "9.9.9.9") == "allow?"
    fed = meaning(lines, sets=SETS, resolver="max-cache-ttl=300\nipset=/x.com/s\n")
    assert verdict(fed, host="x.com") == "allow?"


def test_a_target_of_nat_that_is_not_known_may_send_elsewhere():
    nat = rules_text(["-A OUTPUT -p tcp -m tcp --dport 443 -j SOMEWHERE --x 1"], table="nat")
    found = read(site("{tls-proxy-port: 3129}"), [Artefact("a", (rules_text([]) + nat).encode()), Artefact("b", b"")])
    assert [each.doubt for each in found.inspections] == ["it is sent elsewhere (SOMEWHERE)"]
