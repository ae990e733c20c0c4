"""Which names, paths and connections custom URL categories match, and what decryption rules open, by the vendor page."""

from __future__ import annotations

import pytest
from paloalto_live import (
    INSIDE,
    category,
    decided,
    decrypting,
    does,
    doubts,
    entry,
    inspected,
    members,
    one,
    reading,
    rule,
    rules,
    section,
    service,
    site,
    vsys,
)  # fmt: skip

CASES = [
    # entry, names that match, names that do not (guidelines for URL category exceptions; paloalto.md, section 2)
    ("example.com/", ["example.com"], ["www.example.com", "example.com.evil.test", "anexample.com"]),
    ("Example.COM/", ["example.com"], ["www.example.com"]),
    ("*.example.com/", ["www.example.com", "a.b.c.example.com"], ["example.com", "wwwexample.com"]),
    ("^.example.com/", ["www.example.com"], ["a.www.example.com", "example.com"]),
    ("^.^.example.com/", ["a.b.example.com"], ["b.example.com", "c.a.b.example.com"]),
    ("*.^.example.com/", ["a.b.example.com", "c.a.b.example.com"], ["b.example.com"]),
    ("a.^.example.com/", ["a.b.example.com"], ["a.example.com", "a.b.c.example.com", "b.b.example.com"]),
    ("_dmarc.example.com/", ["_dmarc.example.com"], ["example.com"]),
]


@pytest.mark.parametrize(("text", "names", "others"), CASES)
def test_entries(text, names, others):
    meaning = one(category("c", text), category="c", service="service-https")
    assert not doubts(meaning)
    assert [does(meaning, name) for name in names] == ["allow"] * len(names)
    assert [does(meaning, name) for name in others] == ["deny"] * len(others)
    assert does(meaning) == "deny", "a connection without a name matches no category"


@pytest.mark.parametrize(
    ("text", "perhaps", "surely_not"),
    [
        # `*` stands for one or more tokens, wherever it stands
        ("a.*.example.com/", ["a.b.example.com", "a.b.c.example.com"], ["other.test"]),
        ("*.a.*.example.com/", ["x.a.b.c.example.com"], ["example.com", "other.test"]),
        # a wildcard is a whole token; none of these is valid
        ("ex*.com/", ["example.com"], []),
        ("li^.x.com/", ["lib.x.com"], []),
        ("*.*.example.com/", ["a.b.example.com"], []),
        ("http://example.com/", ["example.com"], []),
        ("exämple.com/", ["example.com"], []),
        ("example.com:8443/", ["example.com"], []),
        ("^.^.^.^.^.^.^.^.^.^.x.io/", ["a.b.c.d.e.f.g.h.i.j.x.io"], ["x.io"]),
    ],
)
def test_entries_that_match_something_else(text, perhaps, surely_not):
    meaning = one(category("c", text), category="c", service="service-https")
    assert [does(meaning, name) for name in perhaps] == ["unknown"] * len(perhaps)
    assert [does(meaning, name) for name in surely_not] == ["deny"] * len(surely_not)


@pytest.mark.parametrize(("text", "surely"), [("example.com", "example.com"), ("*.example.com", "www.example.com")])
def test_without_a_slash_at_its_end_an_entry_may_match_longer_names(text, surely):
    """10.1 and older, and later ones where the slash is not added, read `example.com.*` as well."""
    meaning = one(category("c", "other.test/", text), category="c", service="service-https")
    assert [does(meaning, name) for name in (surely, "other.test")] == ["allow", "allow"]
    assert does(meaning, f"{surely}.evil.test") == "unknown"


def test_a_doubt_about_one_category_is_none_about_another():
    meaning = one(category("c", "example.com/"), category=("c", "computer-and-internet-info"), service="service-https")
    assert [does(meaning, name) for name in ("example.com", "other.test")] == ["allow", "unknown"]


def test_nine_carets_in_a_row_are_the_most():
    meaning = one(category("c", f"{'^.' * 9}x.io/"), category="c")
    assert does(meaning, "a.b.c.d.e.f.g.h.i.x.io") == "allow"


def test_an_address_is_a_connection_without_a_name():
    meaning = one(category("c", "192.0.2.7/"), category="c")
    assert does(meaning, address="192.0.2.7") == "unknown"
    assert "`192.0.2.7` is an address" in doubts(meaning)


def test_many_doubts_are_a_short_text():
    meaning = one(category("c", *(f"h{n}.example.com" for n in range(50))), category="c")
    assert "and 47 more" in doubts(meaning)


def test_a_rule_with_several_categories_matches_any_of_them():
    both = category("a", "a.example.com/") + category("b", "b.example.com/")
    meaning = one(both, category=("a", "b"))
    assert [does(meaning, f"{name}.example.com") for name in "abc"] == ["allow", "allow", "deny"]
    assert does(one(both, category=("a", "any")), "c.example.com") == "allow"


@pytest.mark.parametrize("name", ["malware", "gone"])
def test_predefined_categories_are_doubts(name):
    meaning = one(category("c", "a.example.com/"), category=("c", name))
    assert does(meaning, "b.example.com") == "unknown"
    assert does(meaning) == "unknown"
    assert f"`{name}`" in doubts(meaning)


def test_external_lists_and_matches_of_categories_are_doubts():
    lists = section("external-list", entry("urls", "<type><url><url>https://x</url></url></type>"))
    assert "external list" in doubts(one(lists, category="urls"))
    match = section(
        "profiles/custom-url-category", entry("m", f"{members('list', 'w.example.com/')}<type>Category Match</type>")
    )
    assert does(one(match, category="m"), "w.example.com") == "unknown"
    empty = section("profiles/custom-url-category", entry("e", "<type>URL List</type>"))
    assert does(one(empty, category="e"), "w.example.com") == "unknown"


def test_a_category_of_two_places_is_a_doubt_where_they_differ():
    text = vsys(category("c", "a.example.com/"), rules(rule(category="c")), shared=category("c", "b.example.com/"))
    assert does(reading(text), "a.example.com") == "unknown"
    text = vsys(category("c", "a.example.com/"), rules(rule(category="c")), shared=category("c", "a.example.com/"))
    assert does(reading(text), "a.example.com") == "allow"


def test_a_category_without_a_type_is_a_list():
    old = section("profiles/custom-url-category", entry("c", members("list", "a.example.com/")))
    assert does(one(old, category="c"), "a.example.com") == "allow"


def test_names_are_seen_over_tcp_only():
    meaning = one(category("c", "w.example.com/"), category="c")
    assert does(meaning, "w.example.com", 443) == "allow"
    assert does(meaning, "w.example.com", 443, transport="udp") == "unknown"
    assert does(meaning, "v.example.com", 443, transport="udp") == "deny"


def test_a_category_and_addresses_must_both_fit():
    meaning = one(category("c", "w.example.com/"), category="c", destination="192.0.2.0/24")
    assert does(meaning, "w.example.com", address="192.0.2.1") == "allow"
    assert does(meaning, "w.example.com", address="203.0.113.1") == "deny"
    assert does(meaning, "v.example.com", address="192.0.2.1") == "deny"


def test_a_category_and_a_resolved_name_together_are_a_doubt():
    objects = section("address", entry("n", "<fqdn>w.example.com</fqdn>"))
    meaning = one(category("c", "w.example.com/"), objects, category="c", destination="n")
    assert does(meaning, "w.example.com") == "unknown"
    assert does(meaning, "v.example.com") == "deny"
    # the address may be one of another name, too
    objects = section("address", entry("n", "<fqdn>v.example.com</fqdn>"))
    meaning = one(category("c", "w.example.com/"), objects, category="c", destination="n")
    assert does(meaning, "w.example.com", shared="v.example.com") == "unknown"
    assert does(meaning, "w.example.com") == "unknown"


# -- paths

PATH = category("c", "w.example.com/p", "w.example.com/p/")
CLEAR = section("service", service("clear", "80,8080"))


def test_a_path_is_itself_and_what_is_below_it():
    meaning = one(CLEAR, PATH, category="c", service="clear")
    for port in (80, 8080):  # the policy says that HTTP is spoken on 8080
        for path, answer in (("/p", "allow"), ("/p/q", "allow"), ("/pq", "deny"), ("/", "deny")):
            assert does(meaning, "w.example.com", port, path=path) == answer
    assert not doubts(meaning)


@pytest.mark.parametrize("text", ["w.example.com/p", "w.example.com/p/"])
def test_half_a_path_is_a_doubt(text):
    meaning = one(category("c", text), category="c", service="service-http")
    assert does(meaning, "w.example.com", 80, path="/p/q") == "unknown"


@pytest.mark.parametrize("text", ["w.example.com/*", "w.example.com/a/^/b/", "w.example.com/p?q=1"])
def test_other_signs_in_a_path_are_doubts(text):
    meaning = one(category("c", text), category="c", service="service-http")
    assert does(meaning, "w.example.com", 80, path="/p") == "unknown"
    assert does(meaning, "v.example.com", 80, path="/p") == "deny"


def decrypts(**more):
    """A path rule for 443, behind a category of its host, and a decryption rule for that."""
    hosts = category("h", "w.example.com/")
    fields = {"action": "decrypt", "more": "<profile>strict</profile>", "category": "h", **more}
    base = section("rulebase/decryption/rules", decrypting(**fields))
    return vsys(PATH, hosts, rules(rule(category="c", service="service-https")), base)


def test_a_path_on_tls_is_seen_where_it_is_surely_decrypted():
    assert does(reading(decrypts()), "w.example.com", path="/p") == "allow"


@pytest.mark.parametrize(
    "more",
    [
        {"action": "no-decrypt"},
        {"more": "<profile>lax</profile>"},
        {"more": ""},
        {"more": "<profile>strict</profile><disabled>yes</disabled>"},
        {"source": "10.1.0.0/25"},
        {"source_user": "corp\\svc"},
        {"service": "service-http"},
        {"destination": "192.0.2.0/24"},
        {"to": "dmz"},
        {"category": "malware"},
    ],
)
def test_a_path_on_tls_is_not_seen_otherwise(more):
    meaning = reading(decrypts(**more))
    assert does(meaning, "w.example.com", path="/p") == "unknown"
    assert "a path is seen only where TLS is surely opened" in doubts(meaning)


def test_a_path_is_not_seen_where_another_rule_exempts_its_host():
    base = section("rulebase/decryption/rules", decrypting("first", source="10.1.0.7"))
    text = decrypts().replace("<decryption><rules>", "<decryption><rules>" + decrypting("first", source="10.1.0.7"))
    assert base
    assert does(reading(text), "w.example.com", path="/p") == "unknown"


def test_hosts_beside_paths_stay_sure():
    mixed = category("c", "w.example.com/p", "w.example.com/p/", "v.example.com/")
    meaning = one(mixed, category="c", service="service-https")
    assert does(meaning, "v.example.com") == "allow"
    assert does(meaning, "w.example.com", path="/p") == "unknown"


# -- decryption


def closed(*entries, settings="", more=""):
    """The meaning of decryption rules, in a configuration that is whole."""
    base = section("rulebase/decryption/rules", *entries)
    hosts = category("h", "w.example.com/", "*.x.example.com/")
    return reading(vsys(hosts, rules(rule()), base, more=f"<network><x/></network>{more}"), site(settings))


def test_the_first_decryption_rule_that_matches_decides():
    meaning = closed(decrypting("a", category="h"), decrypting("b", "decrypt", more="<profile>strict</profile>"))
    assert inspected(meaning, "w.example.com") == "exempt"
    assert inspected(meaning, "v.example.com") == "inspect"
    meaning = closed(decrypting("b", "decrypt", more="<profile>strict</profile>"), decrypting("a", category="h"))
    assert inspected(meaning, "w.example.com") == "inspect"


def test_what_no_decryption_rule_matches_is_not_inspected():
    assert inspected(closed(decrypting("a", category="h")), "v.example.com") == "none"


def test_no_decrypt_is_the_default_action():
    text = decrypting("a", category="h").replace("<action>no-decrypt</action>", "")
    assert inspected(closed(text), "w.example.com") == "exempt"


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        ("<profile>strict</profile>", "inspect"),
        ("<profile>lax</profile>", "perhaps"),
        ("", "perhaps"),
    ],
)
def test_inspection_is_sure_with_the_profile_of_the_inventory(more, answer):
    assert inspected(closed(decrypting(action="decrypt", more=more)), "w.example.com") == answer


def test_decrypt_and_forward_inspects_too():
    rule_ = decrypting(action="decrypt-and-forward", more="<profile>strict</profile>")
    assert inspected(closed(rule_), "w.example.com") == "inspect"


@pytest.mark.parametrize("kind", ["ssh-proxy", "ssl-inbound-inspection"])
def test_other_types_are_not_about_outbound_tls(kind):
    meaning = closed(decrypting(action="decrypt", kind=kind))
    assert meaning.inspections == ()
    assert any(kind in remark for remark in meaning.remarks)


def test_what_is_not_understood_of_a_decryption_rule_is_a_doubt():
    assert inspected(closed(decrypting(action="tunnel")), "w.example.com") == "perhaps"
    assert inspected(closed(decrypting(kind="quic-proxy")), "w.example.com") == "perhaps"
    assert inspected(closed(decrypting(category="malware")), "w.example.com") == "perhaps"


def test_only_tcp_is_opened():
    meaning = closed(decrypting(action="decrypt", more="<profile>strict</profile>"))
    assert inspected(meaning, "w.example.com", 443) == "inspect"
    assert inspected(meaning, "w.example.com", 443, transport="udp") == "none"


def test_a_path_decides_nothing_before_tls_is_open():
    paths = category("p", "w.example.com/p", "w.example.com/p/")
    base = section("rulebase/decryption/rules", decrypting(category="p"))
    meaning = reading(vsys(paths, rules(rule()), base))
    assert inspected(meaning, "w.example.com", path="/p") == "perhaps"


def test_disabled_decryption_rules_and_those_of_other_zones_decide_nothing():
    off = decrypting("a", "decrypt", more="<disabled>yes</disabled>")
    assert closed(off, decrypting("b", "decrypt", from_="dmz")).inspections == ()


def test_the_ssl_decryption_exclusion_has_one_label_for_a_star():
    """[D] decryption exclusions: `*.company.com` matches tools.company.com, not eng.tools.company.com."""

    def excluded(more=""):
        held = section("ssl-decrypt/ssl-exclude-cert", entry("*.company.com", more))
        return reading(vsys(rules(rule()), shared=held))

    meaning = excluded("<exclude>yes</exclude>")
    assert inspected(meaning, "tools.company.com") == "exempt"
    assert inspected(meaning, "eng.tools.company.com") == "perhaps"  # what others open
    assert inspected(excluded("<exclude>no</exclude>"), "tools.company.com") == "perhaps"


def test_files_with_a_part_of_a_configuration_do_not_say_what_else_is_opened():
    part = reading(
        vsys(rules(rule()), section("rulebase/decryption/rules", decrypting(category="any", source="10.1.0.7")))
    )
    assert inspected(part, "w.example.com", source="10.1.0.8") == "perhaps"
    assert inspected(part, "w.example.com", source="10.1.0.7") == "exempt"
    whole = closed(decrypting(source="10.1.0.7"))
    assert inspected(whole, "w.example.com", source="10.1.0.8") == "none"
    never = reading(vsys(rules(rule())), site("tls-inspection: false"))
    assert never.inspections == ()


def test_inside_a_zone_decryption_rules_count_too():
    meaning = reading(
        vsys(rules(rule(to="t")), section("rulebase/decryption/rules", decrypting("a", to="t"))), site(INSIDE)
    )
    assert inspected(meaning, "w.example.com") == "exempt"
    assert decided(meaning) == ("r", "allow")
