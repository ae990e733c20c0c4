"""Policy for ProxySG: conditions in CPL, and the layers that use them."""

from __future__ import annotations

import pytest
from lists_support import exported, options_for, policy_of, reasons_of, text_of

from egressc.exports_read import host_of
from egressc.meaning import UnreadableError
from egressc.policy import HostEndpoint
from egressc.targets.list_registry import load_format

NAME = "proxysg"


def read(text, kind="bypass", form="layer"):
    return load_format(NAME).read(text, options_for(NAME, kind, form=form), "")


def matched(entry):
    reach = entry.reach
    return [e.text for e in reach.endpoints], [e.text for e in reach.exceptions], reach.ports.tcp


ANY = ((1, 65535),)


def test_a_bypass_is_what_the_proxy_sends_directly():
    policy = policy_of("foo.test", "*.bar.test", "baz.test", "*.baz.test", ports="443/https 8000-8080/tls")
    assert text_of(policy, NAME) == (
        "; egressc: bypass list for g\n"
        "define condition egressc_bypass\n"
        "    ; p/web\n"
        "    server_url.domain.no_lookup=bar.test server_url.host.exact.no_lookup=!bar.test server_url.port=(443, 8000..8080)\n"
        "    server_url.domain.no_lookup=baz.test server_url.port=(443, 8000..8080)\n"
        "    server_url.host.exact.no_lookup=foo.test server_url.port=(443, 8000..8080)\n"
        "end condition egressc_bypass\n"
        "\n"
        "<Forward>\n"
        "    condition=egressc_bypass forward(no) socks_gateway(no)\n"
    )
    assert reasons_of(policy, NAME) == []


def test_an_exemption_is_a_layer_that_does_not_intercept():
    policy = policy_of("foo.test", "bar.test", more="no-tls-inspection")
    assert text_of(policy, NAME, "exemption") == (
        "; egressc: exemption list for g\n"
        "define condition egressc_exemption\n"
        "    ; p/web\n"
        "    url.host.exact.no_lookup=bar.test url.port=443\n"
        "    url.host.exact.no_lookup=foo.test url.port=443\n"
        "end condition egressc_exemption\n"
        "\n"
        "<SSL-Intercept>\n"
        "    condition=egressc_exemption ssl.forward_proxy(no)\n"
    )


def test_the_condition_alone_has_the_tests_of_other_layers():
    text = text_of(policy_of("foo.test"), NAME, form="condition")
    assert text.splitlines()[1:] == [
        "define condition egressc_bypass", "    ; p/web", "    url.host.exact.no_lookup=foo.test url.port=443",
        "end condition egressc_bypass",
    ]  # fmt: skip


def lines_of(policy, **options):
    text = text_of(policy, NAME, form="condition", **options)
    return [line.strip() for line in text.splitlines() if line.startswith("    ") and ";" not in line]


def test_regular_expressions_paths_addresses_and_everything():
    policy = policy_of("a*.foo.test", "*.b.*.bar.test", ports="1-65535/tls")
    assert lines_of(policy) == [
        'url.host.regex.no_lookup="^([^.]+[.])+b[.][^.]+[.]bar[.]test$"', 'url.host.regex.no_lookup="^a[^.]*[.]foo[.]test$"',
    ]  # fmt: skip
    policy = policy_of("www.foo.test/a.b", ports="80/http")
    assert lines_of(policy) == ['url.host.exact.no_lookup=www.foo.test url.path.regex="^/a[.]b(/|$)" url.port=80']
    policy = policy_of("192.0.2.3-192.0.2.5", "2001:db8::/32", ports="1-65535/tls")
    assert lines_of(policy) == ["url.address=192.0.2.3", "url.address=192.0.2.4/31", "url.address=2001:db8::/32"]
    assert reasons_of(policy, NAME) == []
    assert lines_of(policy_of("any-address", ports="1-65535/tcp")) == ["url.port=1..65535"]
    assert lines_of(policy_of("any-address", ports="443/tcp")) == ["url.port=443"]
    assert ("path", "wider") in reasons_of(policy_of("www.foo.test/p"), NAME)


def test_exceptions_stand_on_the_same_line():
    policy = policy_of("*.foo.test", "except", "a.foo.test", "*.b.foo.test")
    (line,) = lines_of(policy)
    assert line.split(" ") == [
        "url.domain.no_lookup=foo.test",
        "url.host.exact.no_lookup=!foo.test",
        'url.host.regex.no_lookup=!"^([^.]+[.])+b[.]foo[.]test$"',
        "url.host.exact.no_lookup=!a.foo.test",
        "url.port=443",
    ]
    assert reasons_of(policy, NAME) == []


def test_an_exception_with_a_path_is_a_condition_of_its_own():
    policy = policy_of("foo.test", "except", "foo.test/secret", ports="80/http")
    text = text_of(policy, NAME)
    assert text.splitlines()[1:9] == [
        "define condition egressc_bypass_out_1",
        '    server_url.host.exact.no_lookup=foo.test server_url.path.regex="^/secret(/|$)"',
        "end condition egressc_bypass_out_1",
        "",
        "define condition egressc_bypass",
        "    ; p/web",
        "    server_url.host.exact.no_lookup=foo.test condition=!egressc_bypass_out_1 server_url.port=80",
        "end condition egressc_bypass",
    ]
    assert reasons_of(policy, NAME) == []
    (entry,) = read(text).entries
    assert entry.reach.exceptions == (HostEndpoint(host_of("foo.test"), "/secret"),)


def test_an_empty_list_defines_nothing():
    build, _ = exported(policy_of("foo.test"), NAME, "exemption")
    assert build.text == "; egressc: exemption list for g\n; nothing\n"


def test_reading_policy_of_people():
    """What a Visual Policy Manager writes: names in quotes, other layers, comments behind a rule."""
    found = read(
        "\ufeffdefine condition __Host\r\n"
        '    url.domain="foo.test" ; ours\r\n'
        "    url.host.exact.no_lookup=bar.test url.port=(80,443 8000..)\r\n"
        "end condition __Host\r\n"
        ";; Tab: [SSL]\r\n"
        "<SSL-Intercept>\r\n"
        '    condition=__Host ssl.forward_proxy(no) ; Rule 1 "\r\n'
        "    url.address=192.0.2.9/24 \\\r\n"
        "        ssl.forward_proxy(no)\r\n"
        "    ssl.forward_proxy(https)\r\n"
        "    url.domain.no_lookup=late.test ssl.forward_proxy(no)\r\n",
        "exemption",
    )
    assert [(*matched(e), e.line, e.doubt) for e in found.entries] == [
        (["*.foo.test", "foo.test"], [], ANY, 2, ""),
        (["bar.test"], [], ((80, 80), (443, 443), (8000, 65535)), 3, ""),
        (["192.0.2.0/24"], [], ANY, 8, ""),
        (["*.late.test", "late.test"], [], ANY, 11, "a rule above it may match first"),
    ]
    assert found.remarks == (
        'line 2: `url.domain="foo.test"`: without `.no_lookup` it also matches an address whose reverse name is such',
        "line 10: `ssl.forward_proxy(https)` does not set `ssl.forward_proxy(no)`",
    )


@pytest.mark.parametrize(
    "line",
    [
        "client.address=10.0.0.0/8", "url.host.exact.no_lookup=foo.test client.address=10.0.0.0/8", "url.port=!443",
        'url.host.regex.no_lookup="foo"', r'url.host.regex.no_lookup="^(a|b)\.foo\.test$"', "url.host.suffix=.test",
        "url.domain.no_lookup=foo.test/p", "url.path=/p", 'url.path.regex="^/p"', "url.port=0..9", "url.address=!192.0.2.0/24",
        "url.host.exact.no_lookup=a.test url.host.exact.no_lookup=b.test", "condition=!nothing", "url=//foo.test",
        "url.address=192.0.2.0/24 url.host.exact.no_lookup=foo.test",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_a_doubt(line):
    found = read(f"define condition a\n{line}\nend\n", form="condition")
    assert found.entries
    assert all(entry.doubt for entry in found.entries)


def test_a_condition_that_another_names_is_no_list_by_itself():
    text = (
        "define condition a\nurl.host.exact.no_lookup=a.test\nend\ndefine condition b\nurl.port=443 condition=!a\nend\n"
    )
    entries = read(text, form="condition").entries
    assert matched(entries[0]) == (["*"], ["a.test"], ((443, 443),))
    assert [e.text for e in entries[1].reach.endpoints] == ["0.0.0.0/0 ::/0"]
    assert len(entries) == 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("define condition a\nurl.port=443\n", 1),
        ("<Forward>\n  condition=b forward(no)\n", 2),
        ('define condition a\nurl.host="foo.test\nend\n', 2),
    ],
)
def test_what_would_not_compile_is_an_error_with_its_line(text, line):
    with pytest.raises(UnreadableError) as caught:
        read(text)
    assert caught.value.line == line
