"""The reader of PAN-OS, where a configuration is valid and odd: each of these was once passed over without a word."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from growth import assert_near_linear
from paloalto_live import (
    INVENTORY,
    address,
    artefact,
    category,
    decided,
    decrypting,
    does,
    entry,
    inspected,
    members,
    one,
    panorama,
    rule,
    rules,
    section,
    site,
    vsys,
)  # fmt: skip
from support import compilation_of

from egressc.drift import drift
from egressc.meaning import Outcome, UnreadableError
from egressc.targets.paloalto.read import read

GROUP = "location: {device-group: DG}"
WHOLE = "<mgt-config><users/></mgt-config>"


def of(*texts, where=None):
    """The meaning of some files."""
    return read(where or site(), [artefact(text, f"file{number}") for number, text in enumerate(texts)])


def named_x(value):
    """An address object that is called X."""
    return section("address", address("X", "ip-netmask", value))


# -- objects of other places


def test_an_object_of_a_group_that_may_stand_above_is_a_doubt():
    """[D] Manage Precedence of Inherited Objects: the value of the descendant counts, or that of the ancestor."""
    groups = {"UP": [named_x("0.0.0.0/0")], "DG": [rules(rule("y", destination="X"), base="pre-rulebase")]}
    text = panorama(groups, shared=named_x("192.0.2.1"))
    assert decided(of(text, where=site(GROUP)), address="203.0.113.10") == ("y", "unknown")
    known = panorama(groups, shared=named_x("192.0.2.1"), parents={"UP": "", "DG": ""})
    assert decided(of(known, where=site(GROUP)), address="203.0.113.10") == ("(default)", "deny")


def test_a_rule_of_a_group_that_may_stand_above_has_the_objects_of_that_group():
    groups = {
        "UP": [named_x("0.0.0.0/0"), rules(rule("z", destination="X"), base="pre-rulebase")],
        "DG": [rules(rule("y", destination="192.0.2.9"), base="pre-rulebase")],
    }
    text = panorama(groups, shared=named_x("192.0.2.1"))
    assert decided(of(text, where=site(GROUP)), address="203.0.113.10") == ("z", "unknown")


@pytest.mark.parametrize(
    "other",
    [
        section("address-group", entry("X", members("static", "Y"))),
        section("external-list", entry("X", "<type><ip><url>https://lists.example/x</url></ip></type>")),
    ],
)
def test_another_kind_of_object_of_the_same_name_is_a_doubt(other):
    text = vsys(other, rules(rule("y", destination="X")), shared=named_x("192.0.2.1"))
    assert decided(of(text), address="203.0.113.10") == ("y", "unknown")


def test_an_external_list_that_is_called_as_a_category_is_a_doubt():
    lists = section("external-list", entry("c", "<type><url><url>https://lists.example/x</url></url></type>"))
    text = vsys(lists, rules(rule("y", category="c")), shared=category("c", "w.example.com/"))
    assert does(of(text), "v.example.com") == "unknown"


# -- files beside one another


PUSHED = "<policy><panorama><{0}><security><rules>{1}</rules></security></{0}></panorama></policy>"
"""What `show config pushed-shared-policy` prints."""


@pytest.mark.parametrize("base", ["pre-rulebase", "post-rulebase"])
def test_rules_that_panorama_pushed_belong_to_the_first_virtual_system(base):
    local = vsys(rules(rule("local", destination="192.0.2.1")))
    meaning = of(local, PUSHED.format(base, rule("pushed", destination="203.0.113.10")))
    assert decided(meaning, address="203.0.113.10") == ("pushed", "allow")
    order = ["pushed", "local"] if base == "pre-rulebase" else ["local", "pushed"]
    assert [ruling.name for ruling in meaning.rulings] == order


def test_rules_that_may_be_those_of_another_virtual_system_are_doubts():
    local = vsys(rules(rule("local")), name="vsys2")
    meaning = of(local, PUSHED.format("pre-rulebase", rule("pushed", "deny")), where=site("location: vsys2"))
    assert decided(meaning) == ("pushed", "unknown")


@pytest.mark.parametrize(
    "fragment", [rules(rule("x", "deny")), f'<entry name="vsys1">{rules(rule("x", "deny"))}</entry>']
)
def test_a_fragment_beside_a_device_group_is_a_doubt(fragment):
    group = panorama({"DG": [rules(rule("y"), base="post-rulebase")]}, parents={"DG": ""})
    assert decided(of(group, fragment, where=site(GROUP))) == ("x", "unknown")


def test_a_device_group_above_that_is_not_in_the_files_is_told():
    meaning = of(panorama({"DG": [rules(rule("y"), base="pre-rulebase")]}, parents={"DG": "UP"}), where=site(GROUP))
    assert any("`UP`" in remark for remark in meaning.remarks)


def test_a_whole_panorama_is_not_all_that_a_firewall_has():
    group = panorama({"DG": [rules(rule("y"), base="pre-rulebase")]}, parents={"DG": ""})
    whole = group.replace("</config>", f"{WHOLE}</config>")
    assert inspected(of(whole, where=site(GROUP)), "w.example.com") == "perhaps"
    assert inspected(of(whole, vsys(rules(rule("local"))), where=site(GROUP)), "w.example.com") == "none"


MANAGED = "<panorama><local-panorama><panorama-server>192.0.2.1</panorama-server></local-panorama></panorama>"


@pytest.mark.parametrize("by", [MANAGED, "<panorama-server>192.0.2.1</panorama-server>"])
def test_a_firewall_that_panorama_manages_is_not_whole_without_its_rules(by):
    text = vsys(rules(rule()), more=f"<deviceconfig><system>{by}</system></deviceconfig>")
    assert inspected(of(text), "w.example.com") == "perhaps"
    assert any("Panorama" in remark for remark in of(text).remarks)
    pushed = of(text, PUSHED.format("post-rulebase", rule("pushed")))
    assert inspected(pushed, "w.example.com") == "none"
    alone = vsys(rules(rule()), more="<deviceconfig><system><hostname>f</hostname></system></deviceconfig>")
    assert inspected(of(alone), "w.example.com") == "none"
    assert not any("Panorama" in remark for remark in of(alone).remarks)


def test_commands_say_that_panorama_manages_a_firewall():
    lines = ["set deviceconfig system panorama local-panorama panorama-server 192.0.2.1",
             "set rulebase security rules r action allow"]  # fmt: skip
    assert any("Panorama" in remark for remark in of("\n".join(lines)).remarks)
    assert not any(
        "Panorama" in remark for remark in of("\n".join([lines[0].replace("panorama", "ntp"), lines[1]])).remarks
    )


# -- the exclusion from decryption


def template(kind, name, more=""):
    """A template of Panorama with one name that is excluded."""
    held = section("config/shared/ssl-decrypt/ssl-exclude-cert", entry(name, more))
    return f"<{kind}>{entry('T', held)}</{kind}>"


@pytest.mark.parametrize("kind", ["template", "template-stack"])
def test_what_a_template_excludes_is_a_doubt(kind):
    def found(more):
        opened = section("pre-rulebase/decryption/rules", decrypting("d", "decrypt", more="<profile>strict</profile>"))
        group = panorama({"DG": [rules(rule("y"), base="pre-rulebase"), opened]}, parents={"DG": ""})
        text = group.replace("<device-group>", f"{template(kind, 'w.example.com', more)}<device-group>", 1)
        return of(text, where=site(GROUP))

    assert inspected(found(""), "w.example.com") == "perhaps"
    assert inspected(found(""), "v.example.com") == "inspect"
    assert inspected(found("<exclude>no</exclude>"), "w.example.com") == "inspect"


def test_what_a_template_excludes_is_a_doubt_in_commands_too():
    lines = ["set device-group DG pre-rulebase security rules r action allow",
             "set template T config shared ssl-decrypt ssl-exclude-cert w.example.com exclude yes",
             "set template T config shared ssl-decrypt ssl-exclude-cert v.example.com exclude no"]  # fmt: skip
    exempt = [r for r in of("\n".join(lines), where=site(GROUP)).inspections if r.handling.value == "exempt"]
    assert [(len(r.blocks[0].names), bool(r.doubt)) for r in exempt] == [(1, True)]


def test_a_name_that_is_excluded_in_one_place_alone_is_a_doubt():
    def excluded(answer):
        return section("ssl-decrypt/ssl-exclude-cert", entry("w.example.com", f"<exclude>{answer}</exclude>"))

    text = vsys(excluded("no"), rules(rule()), shared=excluded("yes"))
    assert inspected(of(text), "w.example.com") == "perhaps"
    both = vsys(excluded("yes"), rules(rule()), shared=excluded("yes"))
    assert inspected(of(both), "w.example.com") == "exempt"


# -- commands


@pytest.mark.parametrize("space", ["  ", " \t", "\t"])
def test_more_than_one_space_does_not_join_two_entries(space):
    text = f"set{' '}{space}rulebase security rules A action deny\n" * 2
    text += f"set{' '}{space}rulebase security rules B action allow\nset rulebase security rules A disabled yes\n"
    assert decided(of(text)) == ("B", "allow")


@pytest.mark.parametrize("line", [
    "admin@PA-VM# set rulebase security rules B action allow", "admin@PA-VM# delete rulebase security rules A",
    "admin@PA-VM(active)# move rulebase security rules B top", "[edit rulebase security]",
    "set rules B action allow", "set security rules B action allow", 'set rulebase security rules "\n" action allow',
])  # fmt: skip
def test_a_change_that_is_not_followed_is_refused(line):
    with pytest.raises(UnreadableError):
        of(f"set rulebase security rules A action deny\n{line}\n")


def test_what_was_typed_to_show_something_is_passed_over():
    lines = ["admin@PA-VM> set cli config-output-format set", "admin@PA-VM> configure", "admin@PA-VM# run show clock",
             "admin@PA-VM(active)# show rulebase", "set rulebase security rules A action deny", "[edit]", "[edit] ",
             "admin@PA-VM# quit", "admin@PA-VM#", "admin@PA-VM> exit"]  # fmt: skip
    assert decided(of("\n".join(lines))) == ("A", "deny")


# -- rules


def test_a_field_that_stands_twice_is_refused():
    for more in (members("source", "192.0.2.1"), "<action>deny</action>"):
        with pytest.raises(UnreadableError, match="twice in `x`"):
            of(vsys(rules(rule("x", more=more))))


@pytest.mark.parametrize("field", ["source", "destination"])
def test_nobody_says_what_the_negation_of_any_is(field):
    assert does(one(more=f"<negate-{field}>yes</negate-{field}>")) == "unknown"


def test_a_default_rule_that_is_not_understood_decides_nobody_knows_what():
    action = section("rulebase/default-security-rules/rules", entry("interzone-default", "<action>tarpit</action>"))
    meaning = of(vsys(rules(rule("x", destination="192.0.2.1")), action))
    assert decided(meaning) == ("interzone-default", "unknown")
    assert {r.outcome for r in meaning.rulings if r.name == "interzone-default"} == {Outcome.ALLOW, Outcome.DENY}


@pytest.mark.parametrize("text", [
    "*/", "^.^.^.^/", "*.*/", "203.0.113.*/", "203.0.113.^/", "[2001:db8::1]/", "2001:db8::1/", "*.10/", "203.0.113.10:8080/",
])  # fmt: skip
def test_an_entry_may_be_an_address_which_has_no_name(text):
    meaning = one(category("c", "w.example.com/", text), category="c")
    assert does(meaning, None, address="203.0.113.10") == "unknown"
    assert does(meaning, "w.example.com") == "allow"


def test_a_star_is_every_name():
    assert does(one(category("c", "*/"), category="c"), "v.example.com") == "allow"


# -- groups within groups


def static(name, *held):
    """A static address group."""
    return entry(name, members("static", *held))


def test_groups_that_hold_one_another_stand_for_all_of_them():
    groups = section("address-group", static("a", "b", "192.0.2.1"), static("b", "c", "192.0.2.2"),
                     static("c", "a", "192.0.2.3", "d"), static("d", "192.0.2.4"))  # fmt: skip
    for first in "abcd":
        order = [first, *"abcd"]
        text = vsys(groups, rules(*[rule(f"{n}", destination=name, service=f"s{n}") for n, name in enumerate(order)]),
                    section("service", *[entry(f"s{n}", f"<protocol><tcp><port>{n + 1}</port></tcp></protocol>") for n in range(5)]))  # fmt: skip
        meaning = of(text)
        for n, name in enumerate(order):
            held = {i for i in range(1, 6) if does(meaning, None, n + 1, address=f"192.0.2.{i}") == "allow"}
            assert held == ({4} if name == "d" else {1, 2, 3, 4}), (first, name)


def test_service_groups_that_hold_one_another_stand_for_all_of_them():
    def group(name, *held):
        return entry(name, members("members", *held))

    services = section(
        "service", *[entry(f"s{n}", f"<protocol><tcp><port>{n}</port></tcp></protocol>") for n in (1, 2, 3)]
    )
    groups = section("service-group", group("a", "b", "s1"), group("b", "a", "s2", "c"), group("c", "s3"))
    for order in ("abc", "cba", "bac"):
        text = vsys(services, groups, rules(*[rule(n, destination=f"192.0.2.{ord(n)}", service=(n, "c")) for n in order],
                                            *[rule(f"{n}2", destination=f"192.0.2.{ord(n)}", service=n) for n in order]))  # fmt: skip
        for name in order:
            held = {n for n in range(1, 5) if does(of(text), None, n, address=f"192.0.2.{ord(name)}") == "allow"}
            assert held == ({3} if name == "c" else {1, 2, 3}), (order, name)


def test_a_large_group_in_many_others_is_gone_through_once():
    def shared(count):
        addresses = [f"10.9.{n // 250}.{2 * (n % 125)}" for n in range(count)]
        groups = section(
            "address-group",
            static("all", *addresses),
            *[static(f"g{n}", "all", f"192.0.2.{n % 250}") for n in range(count // 10)],
        )
        text = artefact(vsys(groups, rules(*[rule(f"r{n}", destination=f"g{n}") for n in range(count // 10)])))
        return lambda: read(site(), [text])

    # Ten times the groups of ten times the size: what they stand for grows so, and no look-up of names does.
    assert_near_linear(shared, 400, 4000, slack=8.0)


# -- groups of the inventory


def test_no_source_is_of_two_groups():
    """A deny for the networks of one group says nothing of another, which is an object of the device."""
    policy = """policy p "P" {
    deny d "D" { from one to w.example.com ports 443/https }
    allow a "A" { from two to w.example.com v.example.com ports 443/https }
}"""
    (build,) = compilation_of(policy, INVENTORY.replace("SETTINGS", ""), firewalls=("f",)).builds
    config = next(each for each in build.render() if each.name == "config.xml")
    root = ET.fromstring(config.content)
    (held,) = root.iterfind(".//rulebase/security/rules")
    (deny,) = [each for each in held if each.get("name").startswith("egc-d-")]
    held.remove(deny)
    # The closing deny stops it as well, and those of `two` it never was about.
    found = drift(build.site, build.target, build.lowering, [artefact(ET.tostring(root))])
    assert (found.allows_more, found.allows_less, found.unknown) == ((), (), ())
