"""Look-alikes and slips among host names, and the families that are none."""

from __future__ import annotations

import csv
import random
import re

import pytest
from growth import assert_near_linear

from egressc.hosts_look_alike import odd_names
from egressc.hosts_reading import poses_as, shape_of


def pairs(*hosts):
    return [(odd.part, odd.like) for odd in odd_names(dict.fromkeys(hosts, 1))]


CYRILLIC_O = "micr\u043esoft".encode("idna").decode("ascii")

# The second of each looks like the first, or is a slip of it.
ODD = [
    # a registered name, whatever stands before it
    ("login.microsoftonline.com", "graph.microsoftonlne.com", "microsoftonlne.com", "microsoftonline.com"),
    ("login.contoso.com", "login.contsoo.com", "contsoo.com", "contoso.com"),
    ("login.contoso.com", "login.contosoo.com", "contosoo.com", "contoso.com"),
    ("login.contoso.com", "login.contaso.com", "contaso.com", "contoso.com"),
    ("portal.azure.com", "portal.azrue.com", "azrue.com", "azure.com"),
    ("aadcdn.msftauthimages.us", "mfstauthimages.us", "mfstauthimages.us", "msftauthimages.us"),
    ("www.contoso.co.uk", "www.contosa.co.uk", "contosa.co.uk", "contoso.co.uk"),
    # what looks alike
    ("login.microsoft.com", "login.rnicrosoft.com", "rnicrosoft.com", "microsoft.com"),
    ("login.microsoft.com", "login.micros0ft.com", "micros0ft.com", "microsoft.com"),
    ("login.live.com", "login.1ive.com", "1ive.com", "live.com"),
    ("ab.com", "a6.com", None, None),
    ("www.example.com", "vvww.example.com", "vvww.example.com", "www.example.com"),
    # of another script
    ("www.microsoft.com", f"www.{CYRILLIC_O}.com", f"{CYRILLIC_O}.com", "microsoft.com"),
    # the top-level domain
    ("login.windows.net", "login.windows.com", "login.windows.com", "login.windows.net"),
    ("login.contoso.com", "login.contoso.co", "login.contoso.co", "login.contoso.com"),
    # a dot that is not there
    ("login.windows.net", "loginwindows.net", "loginwindows.net", "login.windows.net"),
    ("login.windows.net", "a.login-windows.net", "login-windows.net", "login.windows.net"),
    # inside a long word of one owner's names, and of names that a provider's customers choose
    (
        "enterpriseregistration.windows.net",
        "enterpriseregistraton.windows.net",
        "enterpriseregistraton.windows.net",
        "enterpriseregistration.windows.net",
    ),
    (
        "contosobackup.blob.core.windows.net",
        "contosbackup.blob.core.windows.net",
        "contosbackup.blob.core.windows.net",
        "contosobackup.blob.core.windows.net",
    ),
]


@pytest.mark.parametrize(("right", "wrong", "part", "like"), ODD)
def test_odd_names(right, wrong, part, like):
    expected = [] if part is None else [(part, like)]
    assert [(odd.part, odd.like) for odd in odd_names({right: 2, wrong: 1})] == expected
    # The one that is used less is odd, wherever it stands.
    assert [(odd.part, odd.like) for odd in odd_names({wrong: 1, right: 2})] == expected


FAMILIES = [
    ("crl3.digicert.com", "crl4.digicert.com", "ocsp.digicert.com"),
    ("a1.contoso.com", "a2.contoso.com", "a10.contoso.com", "a.contoso.com", "b.contoso.com"),
    ("crl.microsoft.com", "mscrl.microsoft.com", "ocsp.msocsp.com", "oneocsp.microsoft.com"),
    ("login.microsoftonline.com", "login.microsoftonline.us"),
    ("login.live.com", "logon.live.com"),
    ("update.contoso.com", "updates.contoso.com"),
    ("contosodata1.blob.core.windows.net", "contosodata2.blob.core.windows.net"),
    ("contosoprda.blob.core.windows.net", "contosoprdb.blob.core.windows.net"),
    ("intunemaape1.eus.attest.azure.net", "intunemaape1.cus.attest.azure.net", "intunemaape2.eus2.attest.azure.net"),
    ("azure-dns.com", "azure-dns.net"),
    ("msauth.net", "msftauth.net", "msauthimages.net"),
    ("microsoftonline.com", "microsoftonline-p.com"),
    ("service.contoso.com", "service.contoso.de", "service.contoso.fr"),
    ("registration1.contoso.com", "registration2.contoso.com", "registration12.contoso.com"),
    ("sr.symcb.com", "sr.symcd.com"),
    ("live.com", "love.com", "abc.com", "abd.com"),
    ("manager.contoso.com", "manage.contoso.com"),
    ("node-a.contoso.com", "node.a.contoso.com"),
    tuple(f"contosoprod{letter}x.blob.core.windows.net" for letter in "abcdef"),
    ("www.xn--mnchen-3ya.de", "www.berlin.de"),
    ("xn--80ak6aa92e.xn--p1ai", "xn--e1afmkfd.xn--p1ai"),
]


@pytest.mark.parametrize("hosts", FAMILIES)
def test_families_are_no_slips(hosts):
    assert pairs(*hosts) == []


def test_one_mistake_is_told_once():
    hosts = {"a.contoso.com": 1, "b.contoso.com": 1, "a.contosso.com": 1, "b.contosso.com": 1, "c.contoso.com": 1}
    assert [(odd.host, odd.part, odd.other) for odd in odd_names(hosts)] == [
        ("a.contosso.com", "contosso.com", "a.contoso.com")
    ]


def test_a_name_of_another_script_is_odd_by_itself():
    mixed = "p\u0430ypal".encode("idna").decode("ascii") + ".com"  # a Cyrillic letter among Latin ones
    (odd,) = odd_names({mixed: 5})
    assert (odd.like, odd.other) == ("paypal.com", "")
    assert "`p\u0430ypal.com`" in odd.how
    whole = "\u0430\u0440\u0440\u04cf\u0435".encode("idna").decode("ascii")  # nothing but Cyrillic ones
    assert poses_as(f"{whole}.com") == "apple.com"
    assert poses_as(f"{whole}.xn--p1acf") == ""  # all labels of one script
    assert poses_as("bücher".encode("idna").decode() + ".example") == ""


def test_shapes():
    assert shape_of("rnicr0soft") == shape_of("microsoft")
    assert shape_of("contoso") != shape_of("contose")


def test_all_published_endpoints_have_one_slip(reference):
    """Of all hosts that Microsoft publishes, one is odd: ``mfstauthimages.us``, a slip on the page itself."""
    hosts = {}
    with (reference / "endpoints.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            host = re.sub(r"<[^>]*>", "*", re.sub(r"^https?://", "", row["host"]).replace("**.", "*."))
            host = host.partition("/")[0].lower().removeprefix("*.")
            if re.search(r"[a-z]", host) and not host.startswith(("@", "tag:")):
                hosts[host] = hosts.get(host, 0) + 1
    assert len(hosts) > 150
    assert [(odd.part, odd.like) for odd in odd_names(hosts)] == [("mfstauthimages.us", "msftauthimages.us")]


def test_near_linear():
    words = ["registration", "enterprise", "management", "certificates", "telemetry", "download"]
    chance = random.Random(4)

    def prepare(count):
        hosts = {
            f"{chance.choice(words)}{chance.choice(words)}{n}.{chance.choice(words)}{n % 97}.example{n // 3}.com": 1
            for n in range(count)
        }
        return lambda: odd_names(hosts)

    assert_near_linear(prepare, 1_000, 10_000)


def test_a_slip_among_many_of_a_family_is_found():
    family = {f"registration{n}.contoso.com": 1 for n in range(50)}
    assert [(odd.part, odd.like) for odd in odd_names({**family, "registraton7.contoso.com": 1})] == [
        ("registraton7.contoso.com", "registration7.contoso.com")
    ]


def distance(a, b):
    """Edits from one text to the other, a swap of neighbours being one: the plain table, for comparison."""
    rows = [[*range(len(b) + 1)]]
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            best = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (x != y))
            if i > 1 and j > 1 and (x, y) == (b[j - 2], a[i - 2]):
                best = min(best, rows[i - 2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1]


def test_every_slip_of_a_letter_is_found_and_nothing_else():
    """Random names with random edits: what a comparison of all pairs finds."""
    chance = random.Random(11)
    letters = "abcdefghij"
    outcomes = {0: 0, 1: 0}
    for _ in range(300):
        words = ["".join(chance.choices(letters, k=chance.randint(6, 9))) for _ in range(4)]
        edited = list(chance.choice(words))
        for _ in range(chance.choice((1, 1, 2))):
            at = chance.randrange(len(edited))
            match chance.randrange(4):
                case 0:
                    edited[at] = chance.choice(letters)
                case 1:
                    edited.insert(at, chance.choice(letters))
                case 2:
                    del edited[at]
                case _:
                    edited[at : at + 2] = reversed(edited[at : at + 2])
        odd = "".join(edited)
        if odd in words or len(set(words)) < 4 or len(odd) < 6:
            continue
        slips = [word for word in words if distance(word, odd) == 1]
        among = [w for i, w in enumerate(words) if any(distance(w, other) == 1 for other in words[:i])]
        if among:
            continue
        hosts = {**{f"www.{word}.com": 2 for word in words}, f"www.{odd}.com": 1}
        found = odd_names(hosts)
        assert [each.part for each in found] == ([f"{odd}.com"] if slips else []), (words, odd)
        assert all(each.like.removesuffix(".com") in slips for each in found)
        outcomes[bool(slips)] += 1
    assert min(outcomes.values()) > 30, outcomes
