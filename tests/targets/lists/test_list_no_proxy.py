"""no_proxy: what is written for which programs, and how each reads the values of people.

The programs themselves are asked in tests/lab/test_lab_lists_no_proxy.py.
"""

import pytest
from lists_support import exported, options_for, policy_of, reasons_of, text_of

from egressc.addresses import ALL
from egressc.exports_read import ports_text
from egressc.meaning import UnreadableError
from egressc.targets.list_registry import load_format

NAMES = policy_of("x.test", "*.y.test", "z.test", "*.z.test")


def value_of(policy, *clients, **options):
    return text_of(policy, "no-proxy", form="plain", clients=clients, **options).rstrip("\n")


def test_names_and_what_each_makes_of_them():
    assert value_of(NAMES) == "x.test,.y.test,z.test,.z.test"
    assert reasons_of(NAMES, "no-proxy") == [("apex", "wider"), ("depth", "wider"), ("ports", "wider")]
    assert reasons_of(NAMES, "no-proxy", clients=("wget",)) == [("depth", "wider"), ("ports", "wider")]
    assert reasons_of(NAMES, "no-proxy", clients=("dotnet",)) == [("apex", "wider"), ("ports", "wider")]


@pytest.mark.parametrize(
    ("clients", "ports", "value", "reasons"),
    [
        (("node",), "443/https", "x.test:443,.y.test:443", []),
        (("go",), "443/https", "x.test:443,.y.test:443", [("depth", "wider")]),
        (("go", "node"), "443/https", "x.test:443,.y.test:443", [("depth", "wider")]),
        # The ports of http and https are not in a URL, and so nothing to compare with.
        (("go", "httpx"), "443/https", "x.test,.y.test", [("depth", "wider"), ("ports", "wider")]),
        (("go", "httpx"), "8443/tls", "x.test:8443,.y.test:8443", [("depth", "wider")]),
        (("go", "curl"), "8443/tls", "x.test,.y.test", [("apex", "wider"), ("depth", "wider"), ("ports", "wider")]),
    ],
)
def test_ports_only_where_all_read_them(clients, ports, value, reasons):
    policy = policy_of("x.test", "*.y.test", ports=ports)
    assert value_of(policy, *clients) == value
    assert reasons_of(policy, "no-proxy", clients=clients) == reasons


@pytest.mark.parametrize(
    ("clients", "value"),
    [
        (("curl",), "203.0.113.0/30,203.0.114.0/24,2001:db8::1"),
        (("wget",), "203.0.113.0,203.0.113.1,203.0.113.2,203.0.113.3,2001:db8::1"),
        (("curl", "wget"), "203.0.113.0,203.0.113.0/30,203.0.113.1,203.0.113.2,203.0.113.3,203.0.114.0/24,2001:db8::1"),
        (("go",), "203.0.113.0/30,203.0.114.0/24,2001:db8::1,2001:db8:1::/64"),
        (("urllib",), "203.0.113.0,203.0.113.1,203.0.113.2,203.0.113.3,[2001:db8::1]"),
        (("go", "urllib"), "203.0.113.0,203.0.113.0/30,203.0.113.1,203.0.113.2,203.0.113.3,203.0.114.0/24,2001:db8::1,[2001:db8::1],2001:db8:1::/64"),
        # In brackets, or as a network, an IPv6 address stops httpx.
        (("go", "urllib", "httpx"), "203.0.113.0,203.0.113.0/30,203.0.113.1,203.0.113.2,203.0.113.3,203.0.114.0/24,2001:db8::1"),
        (("dotnet",), "203.0.113.0,203.0.113.1,203.0.113.2,203.0.113.3"),
    ],
)  # fmt: skip
def test_addresses(clients, value):
    policy = policy_of("203.0.113.0/30", "203.0.114.0/24", "2001:db8::1", "2001:db8:1::/64")
    assert value_of(policy, *clients) == value
    assert ("address", "narrower") in reasons_of(policy, "no-proxy", clients=clients)


def test_the_forms():
    policy = policy_of("x.test")
    head = "# egressc: bypass list for g\n# for go, node\n# x.test:443: p/web\n"
    forms = {
        "shell": "export no_proxy='x.test:443'\nexport NO_PROXY='x.test:443'\n",
        "environment": "no_proxy=x.test:443\nNO_PROXY=x.test:443\n",
        "systemd": '[Service]\nEnvironment="no_proxy=x.test:443"\nEnvironment="NO_PROXY=x.test:443"\n',
    }
    for form, text in forms.items():
        assert text_of(policy, "no-proxy", form=form, clients=("node", "go")) == head + text
    assert text_of(policy, "no-proxy", form="plain", clients=("node",)) == "x.test:443\n"


def test_everything_stands_alone():
    assert value_of(policy_of("any-address", "x.test"), "curl") == "*"
    mixed = policy_of("any-address", "203.0.113.1")
    assert value_of(mixed, "curl", "go") == "*"
    build, report = exported(policy_of("any-address"), "no-proxy", clients=("wget",))
    assert build is None
    assert "E0610" in {d.code for d in report}
    build, report = exported(policy_of("any-address", "x.test"), "no-proxy", request={"accept": ("no-names",)})
    assert build is None
    assert any("must stand alone" in d.message for d in report)


def test_limits():
    def long(count):
        return policy_of(*(f"a-name-of-some-length-{n}.example.test" for n in range(count)))

    build, report = exported(long(4000), "no-proxy")
    assert build is None
    assert any("128 KiB" in d.message for d in report)
    assert exported(long(300), "no-proxy", form="systemd")[0] is not None
    build, report = exported(long(300), "no-proxy", form="environment")
    assert build is None
    assert any("pam_env" in d.message for d in report)


def read(text, client, form="shell"):
    return load_format("no-proxy").read(text, options_for("no-proxy", form=form, clients=(client,)), client)


def said(text, client):
    found = []
    for entry in read(text, client).entries:
        ports = ports_text(entry.reach.ports.tcp)
        many = " or ".join(each.text for each in entry.reach.endpoints)
        found.append(f"{'? ' if entry.doubt else ''}{many}{'' if ports == 'any' else f' {ports}'}")
    return found


@pytest.mark.parametrize(
    "text",
    [
        "export no_proxy='a.test'\n",
        'no_proxy="a.test" # why\r\n',
        "\ufeff# one\n\nno_proxy=a.test\nNO_PROXY=a.test\n",
        '[Service]\nEnvironment="no_proxy=a.test" "http_proxy=http://p"\n',
        "no_proxy=b.test\nno_proxy=a.test\n",
        "a.test\n",
        "http_proxy=http://p.test:3128\nexport no_proxy=a.test\n",
    ],
)
def test_the_files_of_people(text):
    assert said(text, "node") == ["a.test"]


def test_where_a_program_looks():
    text = "no_proxy=lower.test\nNO_PROXY=upper.test\n"
    assert said(text, "go") == ["upper.test or *.upper.test"]
    assert said(text, "curl") == ["lower.test or *.lower.test"]
    assert any("differ" in each for each in read(text, "curl").remarks)
    assert said("NO_PROXY=upper.test\n", "wget") == []
    assert any("lower case" in each for each in read("NO_PROXY=upper.test\n", "wget").remarks)


@pytest.mark.parametrize("text", ["no_proxy=$OTHER,a.test\n", "Environment=no_proxy=%H\n", "no_proxy='a\n", "a\nb\n"])
def test_what_nobody_can_read_from_the_file(text):
    with pytest.raises(UnreadableError):
        read(text, "curl")


EVERY = ["*", ALL.text]
BY_HAND = [
    ("x.test", {"curl": ["x.test or *.x.test"], "node": ["x.test"], "dotnet": ["x.test"]}),
    (".x.test", {"curl": ["x.test or *.x.test"], "wget": ["*.x.test"], "dotnet": ["x.test or *.x.test"], "node": ["*.x.test"]}),
    ("*.x.test", {"go": ["*.x.test"], "node": ["*.x.test"], "curl": [], "wget": [], "requests": [], "httpx": [], "dotnet": []}),
    ("*x.test", {"node": ["*x.test or *.*x.test"], "go": []}),
    ("x.test.", {"curl": ["x.test or *.x.test"], "wget": [], "go": []}),
    ("x.test:8443", {"go": ["x.test or *.x.test 8443"], "node": ["x.test 8443"], "curl": [], "wget": [], "dotnet": []}),
    ("x.test:443", {"go": ["x.test or *.x.test 443"], "requests": ["? x.test or *.x.test 443"]}),
    ("x.test/p", {"httpx": ["x.test or *.x.test"], "curl": [], "go": []}),
    ("a.test b.test", {"node": ["a.test", "b.test"], "go": [], "wget": []}),
    ("a.test , b.test", {"wget": ["b.test or *.b.test"], "node": ["a.test", "b.test"]}),
    ("a.test;b.test", {"curl": [], "node": [], "go": []}),
    ("*", {"curl": EVERY, "go": EVERY, "wget": [], "dotnet": []}),
    ("*,a.test", {"curl": ["a.test or *.a.test"], "go": [*EVERY, "a.test or *.a.test"], "wget": ["a.test or *.a.test"]}),
    ("10.0.0.0/8", {"curl": ["10.0.0.0/8"], "wget": [], "node": []}),
    ("10.1.2.3/8", {"curl": ["10.0.0.0/8"], "httpx": ["10.1.2.3"]}),
    ("[2001:db8::1]", {"urllib": ["2001:db8::1"], "curl": [], "httpx": ["? *"], "dotnet": []}),
    ("2001:DB8:0::1", {"go": ["2001:db8::1"], "curl": []}),
]  # fmt: skip


@pytest.mark.parametrize(("value", "wanted"), BY_HAND, ids=[value for value, _ in BY_HAND])
def test_values_of_people(value, wanted):
    assert {client: said(f"no_proxy='{value}'\n", client) for client in wanted} == wanted


def test_nothing_that_is_lost_goes_unsaid():
    for value in ("*.x.test", "a.test;b.test", "x.test:8443"):
        assert any("matches nothing in wget" in each for each in read(f"no_proxy='{value}'\n", "wget").remarks)
    assert any("nobody measured" in each for each in read("no_proxy='[2001:db8::1]'\n", "dotnet").remarks)


def test_older_releases_of_requests_are_named():
    build, _ = exported(NAMES, "no-proxy", clients=("requests",))
    assert any("xfoo.test" in each for each in build.remarks)
    build, _ = exported(NAMES, "no-proxy", clients=("go",))
    assert not any("xfoo.test" in each for each in build.remarks)
