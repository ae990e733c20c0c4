"""Files: the forms that configurations come in, what is refused, and what is broken or hostile."""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ET

import pytest
from growth import assert_near_linear
from paloalto_live import (
    address,
    artefact,
    category,
    decided,
    does,
    entry,
    members,
    panorama,
    reading,
    rule,
    rules,
    section,
    set_lines,
    site,
    vsys,
)  # fmt: skip
from paloalto_reading import DEVICE_GROUP, POLICY, SETTINGS, inventory, panconf_lines
from support import site_of

from egressc.drift import drift
from egressc.meaning import Meaning, UnreadableError
from egressc.targets.paloalto.read import live_from, read
from egressc.targets.registry import load_target

TARGET = load_target("paloalto")
SIMPLE = vsys(rules(rule("x")))
GROUP = "location: {device-group: DG}"


def commands(*lines):
    """A file of commands."""
    return artefact("\n".join(lines) + "\n", "live.set")


def of(*files, where=None):
    """The meaning of files."""
    return read(where or site(), files)


# -- forms of XML


@pytest.mark.parametrize(
    "text",
    [
        SIMPLE,
        f'<?xml version="1.0"?>\n<!-- exported -->\n{SIMPLE}',
        f'<response status="success" code="19"><result total-count="1" count="1">{SIMPLE}</result></response>',
        f"\n  {SIMPLE}",
        f'<vsys><entry name="vsys1">{rules(rule("x"))}</entry></vsys>',
        f'<entry name="vsys1">{rules(rule("x"))}</entry>',
        rules(rule("x")),
        f"<response><result><policy><panorama>{rules(rule('x'), base='pre-rulebase')}</panorama></policy></result></response>",
        SIMPLE.encode("utf-16"),
        b"\xef\xbb\xbf" + SIMPLE.encode(),
    ],
)
def test_forms_of_xml(text):
    assert decided(of(artefact(text))) == ("x", "allow")


def test_a_name_of_a_place_counts():
    with pytest.raises(UnreadableError, match="no virtual system `vsys1`, but `vsys2`"):
        of(artefact(vsys(rules(rule()), name="vsys2")))
    second = site("location: vsys2")
    assert does(of(artefact(vsys(rules(rule()), name="vsys2")), where=second)) == "allow"
    with pytest.raises(UnreadableError, match="no device group `DG`, but `OTHER`"):
        of(artefact(panorama({"OTHER": [rules(rule(), base="pre-rulebase")]})), where=site(GROUP))
    with pytest.raises(UnreadableError, match="no rules of virtual system `vsys1`"):
        of(artefact(f'<entry name="vsys9">{rules(rule())}</entry>'))
    with pytest.raises(UnreadableError, match="no rules"):
        of(artefact(panorama({"DG": []})))


def test_a_fragment_of_a_device_group():
    text = f'<entry name="DG">{rules(rule("x"), base="pre-rulebase")}</entry>'
    assert decided(of(artefact(text), where=site(GROUP))) == ("x", "allow")


def test_files_of_one_form_are_taken_together():
    objects = section("address", address("n", "ip-netmask", "192.0.2.1"))
    files = [artefact(vsys(rules(rule(destination="n")))), artefact(f"<shared>{objects}</shared>")]
    assert does(of(*files), address="192.0.2.1") == "allow"
    # Panorama and one of its firewalls
    group = panorama({"DG": [rules(rule("pre"), base="pre-rulebase")]}, parents={"DG": ""})
    meaning = of(artefact(group), artefact(vsys(rules(rule("local")))), where=site(GROUP))
    assert [ruling.name for ruling in meaning.rulings] == ["pre", "local"]


def test_several_virtual_systems_below_a_device_group_are_left_aside():
    group = panorama({"DG": [rules(rule("pre"), base="pre-rulebase")]}, parents={"DG": ""})
    files = [artefact(group), artefact(vsys(rules(rule("one")))), artefact(vsys(rules(rule("two")), name="vsys2"))]
    meaning = of(*files, where=site(GROUP))
    assert [ruling.name for ruling in meaning.rulings] == ["pre"]
    assert any("more than one" in remark for remark in meaning.remarks)


def test_a_group_above_itself_is_refused():
    groups = panorama({"DG": [rules(rule(), base="pre-rulebase")]}, parents={"DG": "UP", "UP": "DG"})
    with pytest.raises(UnreadableError, match="above itself"):
        of(artefact(groups), where=site(GROUP))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<config><devices>", "no XML"),
        ("<html><body/></html>", "`html` is no part"),
        ('<!DOCTYPE config [<!ENTITY a "b">]><config/>', "document type"),
        ("<!doctype config><config/>", "document type"),
        (SIMPLE.replace('name="x"', ""), "no name"),
        (vsys(rules(rule("x"), rule("x"))), "`x` stands in `rules` twice"),
        ("config {\n  devices {\n  }\n}", "neither XML nor"),
        (b"\xff\xfe\xff", "neither UTF-8"),
        ("", "no rules"),
        ("<address/>", "no rules of device group"),
    ],
)  # fmt: skip
def test_what_is_no_configuration(text, message):
    where = site(GROUP) if text == "<address/>" else site()
    if text == "<address/>":
        assert of(artefact(text), where=where).rulings == ()
        return
    with pytest.raises(UnreadableError, match=re.escape(message)):
        of(artefact(text))


def test_no_file_at_all_is_refused():
    with pytest.raises(UnreadableError, match="no file"):
        of()


def test_an_xml_error_has_its_line():
    with pytest.raises(UnreadableError) as caught:
        of(artefact("<config>\n<shared>\n</config>", "a.xml"))
    assert (caught.value.file, caught.value.line) == ("a.xml", 3)


def test_deep_nesting_and_large_texts_are_no_danger():
    deep = "<a>" * 50_000 + "</a>" * 50_000
    with pytest.raises(UnreadableError):
        of(artefact(f"<config>{deep}"))
    assert of(artefact(SIMPLE.replace("<shared>", f"<shared>{deep}"))).rulings
    with pytest.raises(UnreadableError, match="too deeply"):
        of(artefact(vsys(rules(rule("x", more=f"<option>{'<a>' * 60}<b>1</b>{'</a>' * 60}</option>")))))
    wrapped = "<result>" * 5_000 + SIMPLE + "</result>" * 5_000
    with pytest.raises(UnreadableError):
        of(artefact(wrapped))


# -- commands

RULE = "set rulebase security rules"


def ruled(name, action="allow", *more):
    """The commands for a rule."""
    return [
        f"{RULE} {name} from t", f"{RULE} {name} to u", f"{RULE} {name} source any", f"{RULE} {name} destination any",
        f"{RULE} {name} service any", f"{RULE} {name} application any", f"{RULE} {name} action {action}",
        *(f"{RULE} {name} {each}" for each in more),
    ]  # fmt: skip


def order(*lines):
    return [ruling.name for ruling in of(commands(*lines)).rulings]


THREE = [*ruled("a"), *ruled("b"), *ruled("c")]


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([], "abc"),
        (["c top"], "cab"),
        (["a bottom"], "bca"),
        (["c before b"], "acb"),
        (["a after b"], "bac"),
        (["c top", "b after c", "a after b"], "cba"),
        (["b before b"], "abc"),
        (["b after b"], "abc"),
        (["a before gone", "b before gone"], "cab"),
        (["a after gone"], "bca"),
    ],
)
def test_moves(moves, expected):
    lines = [f"move rulebase security rules {each}" for each in moves]
    assert order(*THREE, *lines) == list(expected)
    meaning = of(commands(*THREE, *lines))
    assert any("`gone`" in remark for remark in meaning.remarks) is any("gone" in each for each in moves)


def test_a_rule_that_is_set_after_moves_lands_at_the_end():
    move = "move rulebase security rules b top"
    assert order(*ruled("a"), *ruled("b"), move, *ruled("c")) == ["b", "a", "c"]
    assert order(*ruled("a"), *ruled("b"), move, *ruled("c"), f"{RULE} a description again") == ["b", "a", "c"]


@pytest.mark.parametrize(
    "line",
    [
        "move rulebase security rules gone top",
        "move rulebase security rules a",
        "move rulebase security rules a beside b",
        "move rulebase security rules a before",
        "move rulebase security rules a top b",
        "delete rulebase security rules a",
        "rulebase security rules",
        f"{RULE} a source [ 10.0.0.1 10.0.0.2",
        f"{RULE} a source 10.0.0.1 ]",
        f"{RULE} a [ x y ]",
        f'{RULE} a description "not closed',
        "set vsys",
    ],
)
def test_commands_that_are_refused_with_their_line(line):
    with pytest.raises(UnreadableError) as caught:
        of(commands(*ruled("a"), *ruled("b"), line))
    assert (caught.value.file, caught.value.line) == ("live.set", 15)


def test_what_show_prints_around_commands_is_passed_over():
    around = ["admin@PA-VM# show", "", "  ", "# a comment", *ruled("x"), "[edit]", "admin@PA-VM# exit", "admin@PA-VM> "]
    assert decided(of(commands(*around))) == ("x", "allow")
    assert decided(of(artefact("\r\n".join(around)))) == ("x", "allow")


@pytest.mark.parametrize("prefix", ["", "vsys vsys1 ", "devices localhost.localdomain vsys vsys1 "])
def test_places_of_commands(prefix):
    lines = [line.replace("set ", f"set {prefix}") for line in ruled("x")]
    assert decided(of(commands("set shared tag t", *lines))) == ("x", "allow")


def test_commands_without_a_place_are_about_the_first_virtual_system():
    lines = [line.replace("set ", "set vsys vsys1 ").replace("destination any", "destination n") for line in ruled("x")]
    assert does(of(commands("set address n ip-netmask 192.0.2.1", *lines)), address="192.0.2.1") == "allow"
    lines = [line.replace("vsys1", "vsys2") for line in lines]
    meaning = of(commands("set address n ip-netmask 192.0.2.1", *lines), where=site("location: vsys2"))
    assert does(meaning, address="192.0.2.1") == "unknown"


def test_places_of_a_device_group():
    lines = [line.replace("set rulebase", 'set device-group "My DG" pre-rulebase') for line in ruled("x")]
    where = site("location: {device-group: My DG}")
    assert decided(of(commands(*lines), where=where)) == ("x", "allow")
    with pytest.raises(UnreadableError, match="no device group `DG`"):
        of(commands(*lines), where=site(GROUP))


def test_quotes():
    lines = [
        'set address "a b" ip-netmask 192.0.2.1',
        "set address 'c d' ip-netmask 192.0.2.2",
        *ruled('"my rule"', "allow"),
        f"""{RULE} "my rule" destination [ "a b" 'c d' ]""",
        f"""{RULE} "my rule" description 'say "hi" [ ] '""",
        f'{RULE} "my rule" tag "["',
    ]
    lines = [line for line in lines if "destination any" not in line]
    meaning = of(commands(*lines))
    assert decided(meaning, address="192.0.2.2") == ("my rule", "allow")
    assert does(meaning, address="192.0.2.3") == "deny"
    # a bracket in quotes is a name
    assert "whether `[` is a group" in of(commands(*ruled("a"), f'{RULE} a source-user [ "[" ]')).rulings[0].doubt


def test_a_text_over_several_lines():
    lines = [
        *ruled("a"),
        f'{RULE} a description "first',
        "set rulebase security rules b action deny",
        'last"',
        *ruled("b"),
    ]
    assert order(*lines) == ["a", "b"]
    assert does(of(commands(*lines))) == "allow"


def test_a_list_grows_and_a_text_is_replaced():
    lines = [each for each in ruled("a") if "destination" not in each]
    lines += [f"{RULE} a destination 192.0.2.1", f"{RULE} a destination [ 192.0.2.2 192.0.2.1 ]"]
    lines.append(f"{RULE} a destination 192.0.2.3")
    meaning = of(commands(*lines, f"{RULE} a action deny", f"{RULE} a action allow"))
    assert [does(meaning, address=f"192.0.2.{n}") for n in (1, 2, 3, 4)] == ["allow", "allow", "allow", "deny"]
    assert does(of(commands(*ruled("a"), f"{RULE} a action deny"))) == "deny"
    # one member on each line, as some converters write it
    assert len(live_from([commands(*lines)], site().settings.location).security[0].destinations) == 3


def test_other_parts_of_a_configuration_have_no_bearing():
    other = ["set shared", "set network", "set deviceconfig system hostname x", "set network interface ethernet e1", "set zone t network layer3 e1",
             "set mgt-config users admin phash x", "set profiles spyware x rules y action alert", "set tag"]  # fmt: skip
    assert of(commands(*other, *ruled("x"))).rulings == of(commands(*ruled("x"))).rulings


# -- both forms


def test_both_forms_must_say_the_same():
    xml, lines = artefact(SIMPLE, "a.xml"), artefact(set_lines(SIMPLE), "a.set")
    assert of(xml, lines) == of(xml) == of(lines, xml)
    other = artefact(set_lines(vsys(rules(rule("x", "deny")))), "a.set")
    with pytest.raises(UnreadableError, match="say different things"):
        of(xml, other)
    with pytest.raises(UnreadableError, match="different"):
        of(xml, artefact("# nothing\n", "a.set"))


@pytest.mark.parametrize(
    "change",
    [
        ("<member>w.example.com/</member>", "<member>v.example.com/</member>"),
        ('name="r2"', 'name="r3"'),
        ("<port>443</port>", "<port>444</port>"),
        ("2027/06/30", "2027/06/29"),
        ("192.0.2.1", "192.0.2.2"),
        ("<negate-source>no</negate-source>", "<negate-source>yes</negate-source>"),
        ("<member>any</member></source-user>", "<member>x</member></source-user>"),
    ],
)
def test_a_difference_anywhere_is_found(change):
    text = vsys(
        category("c", "w.example.com/"),
        section("address", address("n", "ip-netmask", "192.0.2.1")),
        section("service", entry("s", "<protocol><tcp><port>443</port></tcp></protocol>")),
        section(
            "schedule",
            entry(
                "t", f"<schedule-type>{members('non-recurring', '2000/01/01@00:00-2027/06/30@23:59')}</schedule-type>"
            ),
        ),
        rules(
            rule("r1", category="c", more="<negate-source>no</negate-source>"), rule("r2", destination="n", service="s")
        ),
    )
    old, new = change
    assert old in text
    commands_ = artefact(set_lines(text), "a.set")
    assert of(artefact(text), commands_).rulings
    with pytest.raises(UnreadableError, match="different"):
        of(artefact(text.replace(old, new, 1)), commands_)


# -- what we write

CONFIGURATIONS = {
    "vsys": inventory(),
    "vsys3": inventory(SETTINGS + ", location: vsys3"),
    "user-id": inventory(SETTINGS + ", user-id: true, application: by-protocol"),
    "device-group": inventory(DEVICE_GROUP),
    "post": inventory(SETTINGS + ", location: {device-group: Edge, rulebase: post}"),
    "no-inspection": inventory(SETTINGS + ", tls-inspection: false, default-deny: false"),
    "zones": inventory("from-zone: any, to-zone: any"),
}


def made(name):
    """A site, its lowering and its files."""
    where = site_of(POLICY, CONFIGURATIONS[name], "edge")
    lowering = TARGET.lower(where)
    assert not lowering.diagnostics
    return where, lowering, TARGET.render(lowering.model)


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS))
def test_what_we_write_is_read_without_a_doubt(name):
    where, lowering, files = made(name)
    meaning = read(where, files)
    assert not [ruling for ruling in meaning.rulings if ruling.doubt]
    # a rule with hosts and paths is two rulings
    names = list(dict.fromkeys(ruling.name for ruling in meaning.rulings))
    assert names == [each.name for each in lowering.model.security_rules]
    known = {each.name for each in lowering.model.decryption_rules}
    assert {each.name for each in meaning.inspections if not each.doubt} == known
    for some in (files[:1], files[1:]):
        assert read(where, some).rulings == meaning.rulings
        assert read(where, some).inspections == meaning.inspections
    for some in (files, files[:1], files[1:]):
        assert drift(where, TARGET, lowering, some).is_equal


@pytest.mark.parametrize("name", sorted(CONFIGURATIONS))
def test_through_panconf_it_means_the_same(name):
    where, lowering, files = made(name)
    if name == "vsys3":
        return  # that converter knows the first virtual system alone
    lines = artefact("\n".join(panconf_lines(files[0].content)) + "\n")
    assert read(where, [lines]) == read(where, files)
    assert drift(where, TARGET, lowering, [lines]).is_equal


@pytest.mark.parametrize("name", ["vsys", "user-id", "device-group"])
def test_through_pan_os_python_it_means_the_same(name):
    from paloalto_reading import read_with_panos

    where, lowering, files = made(name)
    root = ET.fromstring(files[0].content)
    found = read_with_panos(files[0].content)
    (scope,) = [*root.findall("./devices/entry/vsys/entry"), *root.findall("./devices/entry/device-group/entry")]
    (base,) = [each for each in scope if each.tag.endswith("rulebase")]
    places = {
        "addresses": scope.find("address"), "groups": scope.find("address-group"), "services": scope.find("service"),
        "schedules": scope.find("schedule"), "categories": scope.find("profiles/custom-url-category"),
        "security": base.find("security/rules"), "decryption": base.find("decryption/rules"),
    }  # fmt: skip
    for kind, place in places.items():
        place.clear()
        place.extend(ET.fromstring(each.element_str()) for each in found[kind])
    again = artefact(ET.tostring(root))
    assert again.content != files[0].content
    assert read(where, [again]).rulings == read(where, files).rulings
    assert read(where, [again]).inspections == read(where, files).inspections
    assert drift(where, TARGET, lowering, [again]).is_equal


# -- broken files


@pytest.mark.parametrize("seed", range(4))
def test_broken_files_are_read_or_refused(seed):
    rng = random.Random(seed)
    where, _, files = made("user-id")
    outcomes = set()
    for file in files:
        pieces = re.split(r"(\n|<|>| )", file.content.decode())
        for _ in range(60):
            broken = list(pieces)
            for _ in range(rng.randint(1, 4)):
                at = rng.randrange(len(broken))
                match rng.randrange(4):
                    case 0:
                        del broken[at]
                    case 1:
                        broken[at] = rng.choice(
                            ("any", "", "[", "]", '"', "'", "<a/>", "&", "x" * 300, "é", "*.", "\0")
                        )
                    case 2:
                        broken[at], broken[at - 1] = broken[at - 1], broken[at]
                    case _:
                        broken.insert(at, broken[rng.randrange(len(broken))])
            try:
                outcomes.add(isinstance(read(where, [artefact("".join(broken))]), Meaning))
            except UnreadableError:
                outcomes.add(False)
    assert outcomes == {True, False}


# -- growth


def large(count, form):
    text = "\n".join(
        f'allow r{n} "R" {{ to h{n}.example{n % 7}.com *.w{n}.example.net ports 443/https no-tls-inspection }}'
        if n % 3
        else f'allow r{n} "R" {{ to 203.0.{n % 256}.{n // 256} ports {n % 50 + 1}/tcp }}'
        for n in range(count)
    )
    where = site_of(f'policy p "P" {{ from connectors\n{text}\n}}', inventory(), "edge")
    files = TARGET.render(TARGET.lower(where).model)
    some = [each for each in files if each.name == form]
    return lambda: read(where, some)


@pytest.mark.parametrize("form", ["config.xml", "commands.set"])
def test_reading_grows_with_the_number_of_rules(form):
    assert_near_linear(lambda count: large(count, form), 300, 2400)


def test_long_lists_and_groups_within_groups_are_no_danger():
    def nested(count):
        groups = "".join(
            entry(f"g{n}", members("static", f"g{n + 1}", f"10.9.{n // 256}.{n % 256}")) for n in range(count)
        )
        text = artefact(
            vsys(
                section("address-group", groups, entry(f"g{count}", members("static", "192.0.2.1"))),
                rules(rule(destination="g0")),
            )
        )
        return lambda: of(text)

    assert_near_linear(nested, 500, 4000)

    def listed(count):
        lines = [f"{RULE} a destination 10.9.{n // 256}.{n % 256}" for n in range(count)]
        text = commands(*[each for each in ruled("a") if "destination" not in each], *lines)
        return lambda: of(text)

    assert_near_linear(listed, 1000, 8000)

    def moved(count):
        lines = [
            line
            for n in range(count)
            for line in (f"{RULE} r{n} action allow", f"move rulebase security rules r{n} top")
        ]
        text = commands(*lines)
        return lambda: of(text)

    assert_near_linear(moved, 500, 4000)
    assert reading(SIMPLE)
