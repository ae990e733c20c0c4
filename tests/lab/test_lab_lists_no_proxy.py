"""Real programs with the exported value in their environment, and by-hand values as the reader says they read them."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from lab_net import HERE, namespaces, run

sys.path.insert(0, str(HERE.parent / "targets" / "lists"))
from lists_support import options_for, text_of

from egressc.addresses import AddressSet, parse_addresses
from egressc.hosts import matches
from egressc.policy import HostEndpoint
from egressc.targets.list_registry import load_format

PROXY = "http://127.0.0.1:3128"
NAMES = (
    "foo.test",
    "a.foo.test",
    "b.a.foo.test",
    "xfoo.test",
    "foo.test.evil.test",
    "bar.test",
    "a.bar.test",
    "both.test",
    "a.both.test",
)
ADDRESSES = (
    "203.0.113.8",
    "203.0.113.15",
    "203.0.114.77",
    "203.0.115.1",
    "2001:db8::1",
    "2001:db8:1::7",
    "2001:db8:2::1",
)
PLACES = [(host, port) for host in (*NAMES, *ADDRESSES) for port in (80, 8443)]
CLIENTS = ("curl", "wget", "go", "requests", "urllib", "httpx", "node")
POLICY = """
policy p "P" {
    from g
    allow x "X" { to foo.test *.bar.test both.test *.both.test ports 80/http 8443/tls }
    allow a "A" { to 203.0.113.8/29 203.0.114.0/24 2001:db8::1 2001:db8:1::/64 ports 80/http 8443/tls }
}
"""
# Of the matrix in the targets' notes, and of lists that people keep.
BY_HAND = [
    "foo.test", ".foo.test", "*.foo.test", "*foo.test", "FOO.Test", "foo.test.", ".foo.test.", "foo.test:8443", ".foo.test:8443",
    "*.foo.test:8443", "*:8443", "203.0.113.8:8443", "203.0.114.0/24", "203.0.114.77/24", "203.0.113.8/32", "203.0.113.8-203.0.113.15",
    "203.0.114.", "203.0.114.*", "203.0.114.0/255.255.255.0", "2001:db8::1", "[2001:db8::1]", "2001:db8:1::/64", "[2001:db8::1]:8443",
    "2001:db8:0::1", "*", "*,both.test", "both.test foo.test", "both.test , foo.test", "both.test,  foo.test", "both.test;foo.test",
    "both.test|foo.test", "foo.test/p", "foo.test/", '"foo.test"', "foo.*", "a.*.test", "test", ".test", "oo.test", ",,foo.test,,", "..foo.test",
    "foo.test:", "http://foo.test", ".15", "2001:db8:1::7/64",
]  # fmt: skip


def url(host, port):
    return f"http://{f'[{host}]' if ':' in host else host}{'' if port == 80 else f':{port}'}/"


@pytest.fixture(scope="module")
def net(lab, tmp_path_factory):
    lacking = [name for name in ("curl", "wget", "go", "node") if shutil.which(name) is None]
    if lacking or "EGRESSC_NODE" not in os.environ:
        pytest.skip(f"the lab needs {', '.join(lacking) or 'EGRESSC_NODE, a folder with undici and proxy-from-env'}")
    for library in ("requests", "httpx"):
        pytest.importorskip(library)
    folder = tmp_path_factory.mktemp("no-proxy")
    run("env", "CGO_ENABLED=0", "go", "build", "-o", str(folder / "get-with-go"), str(HERE / "lab_lists_get.go"))
    with namespaces(folder, "net") as (made,):
        made.add_address("lo", *(f"{each}/{128 if ':' in each else 32}" for each in ADDRESSES))
        made.etc.mkdir(parents=True)
        (made.etc / "hosts").write_text(f"127.0.0.1 localhost\n203.0.115.1 {' '.join(NAMES)}\n")
        server = str(HERE / "lab_lists_server.py")
        made.start(sys.executable, server, "3128=proxied", "80=direct", "8443=direct", ready="ready")
        yield made


def words_of(net, client, values):
    """What a program prints that asks for every place, for each value in its environment."""
    urls = [url(*place) for place in PLACES]
    environment = {name: os.environ[name] for name in ("PATH", "EGRESSC_NODE")} | {"http_proxy": PROXY}
    if client in {"go", "node"}:
        environment["HTTP_PROXY"] = PROXY
    task = json.dumps({"values": values, "urls": urls})
    every = {
        "node": ("node", str(HERE / "lab_lists_get.mjs")),
        **{each: (sys.executable, str(HERE / "lab_lists_get.py"), each) for each in ("requests", "urllib", "httpx")},
    }
    one = {
        "curl": ("curl", "-s", "-g", "-w", "\n", "--max-time", "5"),
        "wget": ("sh", "-c", 'for u; do wget -q -T 5 -t 1 -O - "$u"; echo; done', "sh"),
        "go": (str(net.folder.parent / "get-with-go"),),
    }
    if client in every:
        return begin(net, every[client], environment, task)
    found = [
        begin(net, (*one[client], *urls), environment | {"no_proxy": value, "NO_PROXY": value}, "") for value in values
    ]
    return [word for words in found for word in words]


def begin(net, command, environment, task):
    done = subprocess.run(net.command(*command), input=task, capture_output=True, text=True, env=environment,
                          timeout=120, check=False)  # fmt: skip
    return done.stdout.splitlines()


def asked(net, client, values):
    """What a program does with each value: the places that it reaches directly, or the words that are no answer."""
    words = words_of(net, client, values)
    assert len(words) == len(values) * len(PLACES), (client, words)
    found = {}
    for number, value in enumerate(values):
        own = words[number * len(PLACES) :][: len(PLACES)]
        odd = set(own) - {"direct", "proxied"}
        found[value] = odd or {place for place, word in zip(PLACES, own, strict=True) if word == "direct"}
    return found


def does(reach, host, port):
    """True if an entry that was read matches this."""
    if not any(first <= port <= last for first, last in reach.ports.tcp):
        return False
    address = parse_addresses(host) if host in ADDRESSES else None
    for endpoint in reach.endpoints:
        if isinstance(endpoint, HostEndpoint):
            if address is None and matches(endpoint.pattern, host):
                return True
        elif isinstance(address, AddressSet) and endpoint.addresses.contains(address):
            return True
    return False


def read(client, value):
    """The places that the reader says the program reaches directly, and those that it is not sure of."""
    options = options_for("no-proxy", form="plain", clients=(client,))
    entries = load_format("no-proxy").read(value + "\n", options, client).entries
    sure = {place for place in PLACES if any(does(e.reach, *place) for e in entries if not e.doubt)}
    maybe = {place for place in PLACES if any(does(e.reach, *place) for e in entries if e.doubt)}
    return sure, maybe


@pytest.mark.parametrize("client", CLIENTS)
def test_programs_do_as_the_reader_says(net, client):
    chosen = [("all", None), ("own", (client,)), ("ports", ("go", "node")), ("spelled", ("requests", "urllib", "go"))]
    exported = [
        text_of(POLICY, "no-proxy", form="plain", **({"clients": clients} if clients else {})).strip()
        for name, clients in chosen
        if clients is None or client in clients
    ]
    values = [*dict.fromkeys((*exported, *BY_HAND))]
    for value, found in asked(net, client, values).items():
        sure, maybe = read(client, value)
        if not found <= set(PLACES):
            assert value not in exported
            assert maybe, (value, found)
            continue
        assert sure <= found, (value, "read, not done", sorted(sure - found))
        assert found <= sure | maybe, (value, "done, not read", sorted(found - sure - maybe))
        assert value not in exported or not maybe


WANTED = {
    # What each does with the list for all of them, worked out from the policy and its announced approximations.
    "curl": "foo.test a.foo.test b.a.foo.test bar.test a.bar.test both.test a.both.test v4 net4 v6",
    "wget": "foo.test a.foo.test b.a.foo.test a.bar.test both.test a.both.test v4 v6",
    "go": "foo.test a.foo.test b.a.foo.test a.bar.test both.test a.both.test v4 net4 v6",
    "requests": "foo.test a.foo.test b.a.foo.test bar.test a.bar.test both.test a.both.test v4 net4 v6",
    "urllib": "foo.test a.foo.test b.a.foo.test bar.test a.bar.test both.test a.both.test v4",
    "httpx": "foo.test a.foo.test b.a.foo.test a.bar.test both.test a.both.test v4 v6",
    "node": "foo.test a.bar.test both.test a.both.test v4",
}
PLACE = {"v4": ("203.0.113.8", "203.0.113.15"), "net4": ("203.0.114.77",), "v6": ("2001:db8::1",)}


@pytest.mark.parametrize("client", CLIENTS)
def test_the_list_for_all_programs(net, client):
    value = text_of(POLICY, "no-proxy", form="plain").strip()
    hosts = {host for word in WANTED[client].split() for host in PLACE.get(word, (word,))}
    assert asked(net, client, [value])[value] == {(host, port) for host in hosts for port in (80, 8443)}


def test_a_shell_hands_the_value_on(net, tmp_path):
    script = tmp_path / "no-proxy.sh"
    script.write_text(text_of(POLICY, "no-proxy", form="shell"))
    value = text_of(POLICY, "no-proxy", form="plain").strip()
    done = run("sh", "-c", f'. {script}; printf "%s\\n" "$no_proxy" "$NO_PROXY"; env | grep -ic "^no_proxy="')
    assert done.stdout.split() == [value, value, "2"]
