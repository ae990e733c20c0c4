"""From entries to lines: how abilities turn into lines and steps, and which lines are the fewest."""

from __future__ import annotations

import pytest
from support import prepared_of

from egressc.bind import bind_everything
from egressc.exports import Abilities, Addresses, Dialect, Exact, Inner, ListKind, Ports, Shape
from egressc.exports_judge import Requests, Spoken, check_announced, judge, requests_of
from egressc.exports_lower import crossing, lower
from egressc.exports_minimal import minimal
from egressc.exports_read import ports_text
from egressc.exports_wanted import Selection, wanted
from egressc.lowering import BrokenLoweringError

INVENTORY = "groups:\n  g: {networks: [10.20.0.0/24]}\n"
ALL = Abilities(
    inner=Inner.EXACT, ports=Ports.RANGES, path=True, exceptions=True, v4=Addresses.RANGES, v6=Addresses.RANGES,
    resolves=True,
)  # fmt: skip


def able(**changes):
    from dataclasses import replace

    return replace(ALL, **changes)


def made(rules, abilities, kind="bypass"):
    """Minimal lines in words, and the steps that change something: reason, effect, level."""
    prepared = prepared_of(f'policy p "P" {{ from g\n{rules}\n}}\n', INVENTORY)
    want = wanted(bind_everything(prepared), Selection(kind=ListKind(kind), groups=("g",)))
    lowered = lower(want.entries, Dialect("", abilities))
    lines = minimal((line for each in lowered for line in each.lines), abilities)
    own, asked = requests_of(lines), Requests(want.reaches)
    check_announced(own, asked, lowered, "list")
    steps = sorted(
        f"{each.step.reason.value} {each.step.effect.value}" for each in judge([Spoken(("",), lowered, own)], asked)
    )
    return [words(line) for line in lines], list(dict.fromkeys(steps))


def words(line):
    what = line.addresses.text if line.addresses is not None else line.pattern.text
    what = f"{line.domain} and below" if line.shape is Shape.DOMAIN else what
    out = "".join(f" -{each.text}" for each in line.exceptions)
    return f"{what}{line.path or ''} {ports_text(line.ports)}{out}"


def allow(*to, ports="443"):
    return f'allow r "R" {{ to {" ".join(to)} ports {ports} }}'


CASES = {
    "all of it": (allow("x.io", "*.y.io", "a*.z.io", "192.0.2.0-192.0.2.9"), able(), [
        "x.io 443", "*.y.io 443", "a*.z.io 443", "192.0.2.0-192.0.2.9 443"], []),
    "a domain and what is below it": (allow("x.io", "*.x.io"), able(), ["x.io and below 443"], []),
    "not on other ports": (
        allow("x.io") + "\n" + allow("*.x.io", ports="444/tls").replace("r ", "s "), able(),
        ["x.io 443", "*.x.io 444"], []),
    "ports of one host together": (
        allow("x.io") + "\n" + allow("x.io", ports="444/tls").replace("r ", "s "), able(), ["x.io 443-444"], []),
    "one port on a line": (allow("x.io", ports="443 444/tls"), able(ports=Ports.SINGLE), ["x.io 443", "x.io 444"], []),
    "too many ports for that": (
        allow("x.io", ports="1000-1064/tls"), able(ports=Ports.SINGLE), ["x.io any"], ["ports wider"]),
    "no ports": (allow("x.io"), able(ports=Ports.NO), ["x.io any"], ["ports wider"]),
    "any port anyway": (allow("x.io", ports="any/tls"), able(ports=Ports.NO), ["x.io any"], []),
    "what another holds": (allow("a.x.io", "*.x.io", "b.x.io"), able(), ["*.x.io 443"], []),
    "a name with all below it": (allow("x.io"), able(exact=Exact.BELOW), ["x.io 443"], ["depth wider"]),
    "nothing is wider where it is wanted": (
        allow("x.io", "*.x.io"), able(exact=Exact.BELOW), ["x.io and below 443"], []),
    "names below with the domain": (allow("*.x.io"), able(below=Exact.APEX), ["*.x.io 443"], ["apex wider"]),
    "names below, and the domain is wanted": (
        allow("*.x.io", "x.io"), able(below=Exact.APEX), ["x.io and below 443"], []),
    "so many levels": (allow("*.x.io"), able(levels=5), ["*.x.io 443"], ["depth narrower"]),
    "so many levels, and a host below": (
        allow("*.x.io") + "\n" + allow("a.x.io", "a.b.x.io").replace("r ", "s "), able(levels=1), ["*.x.io 443", "a.b.x.io 443"], ["depth narrower"]),
    "a network on more ports holds one on fewer": (
        allow("10.0.0.0/8", ports="any/tls") + "\n" + allow("10.1.0.0/16").replace("r ", "s "), able(),
        ["10.0.0.0/8 any"], []),
    "a network on fewer ports holds none on more": (
        allow("10.0.0.0/8") + "\n" + allow("10.1.0.0/16", ports="any/tls").replace("r ", "s "), able(),
        ["10.0.0.0/8 443", "10.1.0.0/16 any"], []),
    "no wildcard in a label": (allow("a*.x.io"), able(inner=Inner.NO), ["*.x.io 443"], ["label-wildcard wider"]),
    "a star that stands for dots": (allow("a*.x.io"), able(inner=Inner.GLOB), ["a*.x.io 443"], ["depth wider"]),
    "no exceptions": ('allow r "R" { to *.x.io except a.x.io ports 443 }', able(exceptions=False), ["*.x.io 443"],
        ["except wider"]),
    "a path over plain HTTP": (allow("x.io/p", ports="80"), able(), ["x.io/p 80"], []),
    "no path over TLS": (allow("x.io/p"), able(), ["x.io 443"], ["path wider"]),
    "no path at all": (allow("x.io/p", ports="80"), able(path=False), ["x.io 80"], ["path wider"]),
    "a path that is nothing new": (
        allow("x.io/p", "x.io"), able(path=False), ["x.io 443"], []),
    "networks": (allow("192.0.2.0-192.0.2.9"), able(v4=Addresses.NETWORKS), [
        "192.0.2.0/29 443", "192.0.2.8/31 443"], []),
    "whole octets": (allow("192.0.2.0/23", "198.51.100.7", "10.0.0.0/8"), able(v4=Addresses.OCTETS), [
        "10.0.0.0/8 443", "192.0.2.0/24 443", "192.0.3.0/24 443", "198.51.100.7 443"], ["address wider"]),
    "too many octets": (allow("192.0.0.0/7"), able(v4=Addresses.OCTETS), [
        "192.0.0.0/8 443", "193.0.0.0/8 443"], ["address wider"]),
    "address by address": (allow("192.0.2.0/30"), able(v4=Addresses.SINGLE), [
        "192.0.2.0 443", "192.0.2.1 443", "192.0.2.2 443", "192.0.2.3 443"], []),
    "too many for that": (allow("192.0.2.0/24"), able(v4=Addresses.SINGLE), [], ["address narrower"]),
    "no IPv6": (allow("192.0.2.0/24", "2001:db8::/32"), able(v6=Addresses.NO), ["192.0.2.0/24 443"],
        ["family narrower"]),
    "no addresses": (allow("192.0.2.0/24"), able(v4=Addresses.NO, v6=Addresses.NO), [], ["address narrower"]),
    "only asked for as such": (allow("192.0.2.0/24"), able(resolves=False), ["192.0.2.0/24 443"],
        ["address narrower"]),
    "everything": (allow("any-address"), able(), ["* 443"], []),
    "everything but a network": (
        'allow r "R" { to any-address except 10.0.0.0/8 ports 443 }', able(v6=Addresses.NO),
        ["* 443"], ["except wider"]),
    "an exception whose path is seen": (
        'allow r "R" { to x.io except x.io/p ports 80 }', able(), ["x.io 80 -x.io/p"], []),
    "an exception whose path is not": (
        'allow r "R" { to x.io except x.io/p ports 80 443 }', able(), ["x.io 80 -x.io/p", "x.io 443"], ["except wider"]),
    "a list that is switched off": (
        allow("x.io", "192.0.2.0/24"), able(whole=True), ["* any"], ["except wider"]),
    "everything on every port": (allow("any-address"), able(ports=Ports.NO), ["* any"], ["ports wider"]),
    "everything cannot be said": (allow("any-address"), able(everything=False, v4=Addresses.NO, v6=Addresses.NO), [],
        ["address narrower", "no-names narrower"]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_lines_and_steps(case):
    rules, abilities, lines, steps = CASES[case]
    assert made(rules, abilities) == (lines, steps)


def test_a_line_stands_for_the_rules_of_those_that_it_holds():
    rules = allow("*.x.io") + '\nallow s "S" { to a.x.io ports 443 }\nallow t "T" { to b.x.io ports 443 }'
    prepared = prepared_of(f'policy p "P" {{ from g\n{rules}\n}}\n', INVENTORY)
    want = wanted(bind_everything(prepared), Selection(kind=ListKind.BYPASS, groups=("g",)))
    lowered = lower(want.entries, Dialect("", ALL))
    (line,) = minimal((line for each in lowered for line in each.lines), ALL)
    assert [rule.identity for rule in line.rules] == ["p/r", "p/s", "p/t"]


def test_a_glob_whose_star_stands_for_dots():
    found = [each.text for each in crossing("a*.x.io")]
    assert found == ["a*.x.io", "a*.*.x.io", "a*.*.*.x.io", "a*.*.*.*.x.io", "a*.*.*.*.*.x.io"]
    assert "*.x.io" in {each.text for each in crossing("*.x.io")}


def test_lines_that_differ_without_a_step_are_a_defect():
    prepared = prepared_of(f'policy p "P" {{ from g\n{allow("x.io", "y.io")}\n}}\n', INVENTORY)
    want = wanted(bind_everything(prepared), Selection(kind=ListKind.BYPASS, groups=("g",)))
    lowered = lower(want.entries, Dialect("", ALL))
    lines = minimal((line for each in lowered for line in each.lines), ALL)
    asked = Requests(want.reaches)
    with pytest.raises(BrokenLoweringError, match="does not match"):
        check_announced(requests_of(lines[:1]), asked, lowered, "list")
    with pytest.raises(BrokenLoweringError, match="matches"):
        check_announced(requests_of(lines), Requests(want.reaches[:1]), lowered, "list")
