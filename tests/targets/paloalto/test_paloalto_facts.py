"""Every name, member and reference against the facts of PAN-OS's own configuration schema."""

import json
import re

import pytest
from paloalto_reading import DEVICE_GROUP, SETTINGS, inventory, scope_of, written
from support import site_of

from egressc.targets.paloalto import capabilities as table
from egressc.targets.registry import load_target

OBJECTS = ("address", "address-group", "service", "schedule", "tag", "profiles/custom-url-category")
RULEBASE = "config/devices/entry/vsys/entry/rulebase/{}/rules/entry"
NOT_A_NAME = {"any", "none"}


@pytest.fixture(scope="module")
def facts(reference):
    return json.loads((reference / "paloalto-facts.json").read_text())["objects"]


def problems_of(config, facts):
    """What of the configuration breaks a limit, a pattern or an enumeration, or is not in the schema at all."""
    scope, base = scope_of(config)
    found = []
    for kind in OBJECTS:
        parent = scope.find(kind)
        for entry in () if parent is None else parent:
            found += _entry_problems(entry, facts[f"config/shared/{kind}/entry"])
    for kind in ("security", "decryption"):
        parent = None if base is None else base.find(f"{kind}/rules")
        for entry in () if parent is None else parent:
            found += _entry_problems(entry, facts[RULEBASE.format(kind)])
    return found


def _entry_problems(entry, known):
    name = entry.get("name")
    found = [f"{name}: {problem}" for problem in _text_problems(name, known["@name"])]
    if known["@name"].get("subtype") == "object-name" and not re.fullmatch(r"[ 0-9a-zA-Z._-]+", name):
        found.append(f"{name}: is no object name")
    if name.lower() in NOT_A_NAME:
        found.append(f"{name}: is reserved")

    def walk(element, path):
        children = list(element)
        if not path:
            here = {}
        elif path in known:
            here = known[path]
        elif any(other.startswith(f"{path}/") for other in known):
            here = {}
        else:
            found.append(f"{name}: {path} is not in the schema")
            here = {}
        if "max-count" in here and len(children) > int(here["max-count"]):
            found.append(f"{name}: {path} has too many members")
        if not children:
            # a tag, and ssl-forward-proxy, say all by being there; everything else must hold something
            if element.text is None and path and here.get("kind") != "sequence":
                found.append(f"{name}: {path} is empty")
            elif element.text is not None:
                found.extend(f"{name}: {path}: {problem}" for problem in _text_problems(element.text, here))
        for child in children:
            walk(child, f"{path}/{child.tag}" if path else child.tag)

    walk(entry, "")
    return found


def _text_problems(text, fact):
    if text in fact.get("enum", ()):
        return []
    found = []
    if fact.get("type") == "enum":
        found.append(f"{text} is none of {fact['enum']}")
    if fact.get("type") == "bool" and text not in {"yes", "no"}:
        found.append(f"{text} is neither yes nor no")
    longest = int(fact.get("maxlen") or fact.get("string-maxlen") or 10**9)
    if len(text) > longest:
        found.append(f"{text[:40]} has {len(text)} of {longest} characters")
    if len(text) < int(fact.get("minlen", 0)):
        found.append(f"{text[:40]} is too short")
    if "regex" in fact and not re.search(fact["regex"], text):
        found.append(f"{text[:40]} does not match {fact['regex']}")
    return found


def dangling(config, existing=()):
    """References to what does not exist, names that stand twice, and members of lists that are empty."""
    scope, base = scope_of(config)

    def names(kind):
        parent = scope.find(kind)
        return [] if parent is None else [e.get("name") for e in parent]

    found = []
    addresses = names("address") + names("address-group")
    for kind, listed in (("address", addresses), *((k, names(k)) for k in OBJECTS[2:])):
        found += [f"{kind} {n} stands twice" for n in set(listed) if listed.count(n) > 1]
    known = {
        "source": {*addresses, *existing, "any"},
        "service": {*names("service"), "any"},
        "category": {*names("profiles/custom-url-category"), "any"},
        "tag": set(names("tag")),
        "schedule": set(names("schedule")),
        "group-tag": set(names("tag")),
    }
    for group in scope.findall("address-group/entry"):
        members = [m.text for m in group.findall("static/member")]
        found += [f"{group.get('name')} is empty"] * (not members)
        found += [f"{m} does not exist" for m in members if m not in names("address")]
    for kind in ("security", "decryption"):
        rules = [] if base is None else base.findall(f"{kind}/rules/entry")
        listed = [r.get("name") for r in rules]
        found += [f"{kind} rule {n} stands twice" for n in set(listed) if listed.count(n) > 1]
        for rule in rules:
            for field, allowed in known.items():
                element = rule.find(field)
                if element is None:
                    continue
                values = [m.text for m in element] if len(element) else [element.text]
                found += [f"{rule.get('name')}: {field} {v} does not exist" for v in values if v not in allowed]
            for field in ("from", "to", "source", "source-user", "destination", "category", "service"):
                if not rule.findall(f"{field}/member"):
                    found.append(f"{rule.get('name')}: {field} is empty, which is any")
            for text in [m.text for m in rule.findall("destination/member")]:
                if text != "any" and text not in addresses and not re.fullmatch(r"[0-9a-f.:]+(/[0-9]+)?", text):
                    found.append(f"{rule.get('name')}: destination {text} does not exist")
    return found


def entry_problems(config):
    """URL entries that the guidelines for URL category exceptions forbid."""
    scope, _ = scope_of(config)
    found = []
    for entry in [m.text for m in scope.findall("profiles/custom-url-category/entry/list/member")]:
        host, _, path = entry.partition("/")
        tokens = host.split(".")
        if "/" not in entry:
            found.append(f"{entry} has no slash after the host")
        if any(("*" in t or "^" in t) and len(t) > 1 for t in tokens) or "*" in path or "^" in path:
            found.append(f"{entry} has a wildcard that is no token")
        if "*.*" in host:
            found.append(f"{entry} has consecutive asterisks")
        if ".".join(["^"] * 10) in host:
            found.append(f"{entry} has ten consecutive carets")
        if entry != entry.lower() or "://" in entry:
            found.append(f"{entry} is not in normal form")
    return found


LONG = "a-policy-with-a-name-of-sixty-three-characters-which-is-allowed"
LONG_RULE = "a-rule-with-a-name-of-sixty-three-characters-which-is-allowed-0"
assert len(LONG) == len(LONG_RULE) == 63

LONG_POLICY = f"""
policy {LONG} "Long names everywhere" {{
    from  a-group-with-a-name-of-sixty-three-characters-which-is-allowed1
    ticket "{"T" * 120}"
    allow {LONG_RULE} "{"d" * 1024}" {{
        to {".".join(["h" * 60] * 4)} {".".join(["x"] * 100)}.example
        ports 443/https 80/http 5000/tcp 6000-7000/udp
        no-tls-inspection
        expires 2027-06-30
    }}
    allow {LONG_RULE[:-1]}1 "two long names that begin alike" {{
        to {".".join(["h" * 60] * 4)}
        ports 5000/tcp
    }}
    allow wide "nine labels" {{
        to *.{"*." * 9}example.com
        ports 443/https
    }}
}}
"""
LONG_GROUP = (
    'a-group-with-a-name-of-sixty-three-characters-which-is-allowed1: {networks: ["2001:db8::1-2001:db8::ffff:3"]}'
)


@pytest.mark.reference
@pytest.mark.parametrize("settings", [SETTINGS, SETTINGS + ", user-id: true, application: by-protocol", DEVICE_GROUP])
def test_nothing_breaks_a_fact(facts, settings):
    _, config, _ = written(text=inventory(settings))
    assert problems_of(config, facts) == []


@pytest.mark.reference
def test_long_names_break_no_fact(facts):
    _, config, _ = written(LONG_POLICY, inventory(groups=LONG_GROUP))
    assert problems_of(config, facts) == []
    assert dangling(config) == []
    assert entry_problems(config) == []


@pytest.mark.reference
def test_the_walker_finds_what_is_wrong(facts):
    _, config, _ = written()
    text = config.decode()
    for right, wrong in (
        ('<entry name="egc-tcp-443">', f'<entry name="{"x" * 64}">'),
        ("<action>deny</action>", "<action>refuse</action>"),
        ("<log-end>yes</log-end>", "<log-end>on</log-end>"),
        ("<fqdn>smtp.example.com</fqdn>", "<fqdn>*.example.com</fqdn>"),
        ("<description>No pasting</description>", f"<description>{'x' * 1025}</description>"),
        ("<type>URL List</type>", "<kind>URL List</kind>"),
        ('<entry name="ticket:CHG-1"/>', '<entry name="ticket:[1]"/>'),
        ("2000/01/01@00:00-", "2000/01/01@00:00 "),
    ):
        assert right in text
        assert problems_of(text.replace(right, wrong, 1).encode(), facts), wrong


def test_every_reference_is_to_something():
    for settings in (SETTINGS, DEVICE_GROUP):
        lowering, config, _ = written(text=inventory(settings))
        assert dangling(config, lowering.model.existing) == []
        assert entry_problems(config) == []


def test_the_reference_walker_finds_what_is_wrong():
    _, config, _ = written()
    text = config.decode()
    for right, wrong in (
        ('<entry name="egc-tcp-443">', '<entry name="egc-tcp-444">'),
        ('<entry name="policy:everyone"/>', ""),
        ("<destination><member>any</member></destination>", "<destination/>"),
        ('<entry name="egc-until-2027-06-30">', '<entry name="egc-until-2028-06-30">'),
        ("<member>AG EXISTING</member>", "<member>AG OTHER</member>"),
    ):
        assert right in text
        assert dangling(text.replace(right, wrong, 1).encode(), {"AG EXISTING"}), wrong


def test_limits_of_the_table_are_the_facts(facts):
    rule = facts[RULEBASE.format("security")]
    assert int(rule["@name"]["maxlen"]) == table.RULE_NAME
    assert int(rule["description"]["maxlen"]) == table.DESCRIPTION
    assert int(rule["tag"]["max-count"]) == table.RULE_TAGS
    assert int(rule["source-user/member"]["string-maxlen"]) == table.USER
    assert set(rule["source-user/member"]["enum"]) == table.RESERVED_USERS
    assert int(rule["from/member"]["string-maxlen"]) == table.PROFILE_NAME
    category = facts["config/shared/profiles/custom-url-category/entry"]
    assert int(category["@name"]["maxlen"]) == table.CATEGORY_NAME
    assert int(category["list/member"]["maxlen"]) == table.URL_ENTRY
    assert int(facts["config/shared/address/entry"]["@name"]["maxlen"]) == table.OBJECT_NAME
    assert int(facts["config/shared/address/entry"]["fqdn"]["maxlen"]) == table.FQDN
    assert int(facts["config/shared/schedule/entry"]["@name"]["maxlen"]) == table.SCHEDULE_NAME
    assert int(facts["config/shared/tag/entry"]["@name"]["maxlen"]) == table.TAG_NAME
    for pattern, fact in (
        (table.FQDN_PATTERN, facts["config/shared/address/entry"]["fqdn"]["regex"]),
        (table.CATEGORY_PATTERN, category["@name"]["regex"]),
    ):
        for text in ("a", "ab", "a.b", "a-b_c.d", "-a", "a.", "1a", "a1", "_a.b", "a b", "a*b", ".a", ""):
            assert bool(pattern.fullmatch(text)) is bool(re.search(fact, text)), (pattern, text)


def test_names_do_not_depend_on_the_rest_of_the_policy():
    policy = 'policy p "P" {{ from connectors {} allow kept "K" {{ to a.example.com b.example.com ports 443/https 25/tcp }} }}'
    other = 'allow other "O" { to c.example.com ports 443/https } deny another "A" { to d.example.com ports 443/https }'
    one = load_target("paloalto").lower(site_of(policy.format(""), inventory(), "edge")).model
    two = load_target("paloalto").lower(site_of(policy.format(other), inventory(), "edge")).model
    assert {r.name for r in one.security_rules} < {r.name for r in two.security_rules}
    assert {c.name for c in one.categories} < {c.name for c in two.categories}
    assert {a.name for a in one.addresses} == {a.name for a in two.addresses}
