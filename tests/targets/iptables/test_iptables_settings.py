import pytest

from egressc.located import parse, source_of
from egressc.targets.iptables.model import Mode
from egressc.targets.iptables.settings import DEFAULTS, load_settings


def load(text):
    source, _ = source_of("inventory.yaml", text.encode())
    root, problems = parse(source)
    assert not problems
    return load_settings(root.get("settings"))


def test_the_defaults_are_those_of_the_inventory_page():
    assert load_settings(None) == (DEFAULTS, ())
    assert DEFAULTS.mode is Mode.HOST
    assert DEFAULTS.chain == "EGRESSC"
    assert DEFAULTS.dns
    assert DEFAULTS.dnsmasq_user == "dnsmasq"
    assert DEFAULTS.servers == ()
    assert DEFAULTS.interface is None
    assert DEFAULTS.tls_proxy_port is None
    assert DEFAULTS.nflog_group is None
    assert DEFAULTS.default_deny
    assert load("settings: {}") == (DEFAULTS, ())


def test_every_setting_is_read():
    settings, problems = load(
        "settings: {mode: gateway, chain: EG-1, dns: none, dnsmasq: {user: 999, servers: [192.0.2.53, '2001:DB8::53']}, "
        "interface: lan0, tls-proxy-port: 3129, nflog-group: 0, default-deny: false}"
    )
    assert problems == ()
    assert settings.mode is Mode.GATEWAY
    assert settings.chain == "EG-1"
    assert not settings.dns
    assert settings.dnsmasq_user == "999"
    assert settings.servers == ("192.0.2.53", "2001:db8::53")
    assert settings.interface == "lan0"
    assert settings.tls_proxy_port == 3129
    assert settings.nflog_group == 0
    assert not settings.default_deny


@pytest.mark.parametrize(("text", "code", "marked"), [
    ("chain: ACCEPT", "E0760", "ACCEPT"),
    ("chain: OUTPUT", "E0760", "OUTPUT"),
    ("chain: TPROXY", "E0760", "TPROXY"),
    ("interface: eth0", "E0761", "interface"),
    ("dnsmasq: {user: '+a'}", "E0762", "'+a'"),
    ("dnsmasq: {user: '0-65535'}", "E0762", "'0-65535'"),
    ("dnsmasq: {servers: [10.0.0.0/24]}", "E0764", "10.0.0.0/24"),
    ("dnsmasq: {servers: [10.0.0.1, dns.example]}", "E0764", "dns.example"),
    ("dnsmasq: {servers: ['10.0.0.1#5353']}", "E0764", "'10.0.0.1#5353'"),
])  # fmt: skip
def test_what_cannot_be_is_an_error_at_its_place(text, code, marked):
    settings, (problem,) = load(f"settings: {{{text}}}")
    assert settings is None
    assert problem.code == code
    assert problem.span.text == marked


@pytest.mark.parametrize("text", [
    "chain: egressc", "chain: " + "A" * 29, "chain: -A", "chain: 'A B'", "mode: both", "dns: yes", "dns: unbound",
    "dnsmasq: {servers: []}", "dnsmasq: {server: 10.0.0.1}", "dnsmasq: {user: ''}", "mode: gateway, interface: '! eth0'",
    "mode: gateway, interface: abcdefghijklmnop", "mode: gateway, interface: -i", "tls-proxy-port: 0", "tls-proxy-port: 65536",
    "tls-proxy-port: '80'", "nflog-group: 65536", "nflog-group: -1", "default-deny: 1", "chains: X",
    "dnsmasq: {servers: [192.0.2.1, 192.0.2.1]}",
])  # fmt: skip
def test_the_schema_refuses(text):
    settings, problems = load(f"settings: {{{text}}}")
    assert settings is None
    assert problems
    assert all(problem.span is not None for problem in problems)


def test_the_longest_chain_name_is_taken():
    settings, _ = load("settings: {chain: " + "A" * 28 + "}")
    assert settings.chain == "A" * 28
