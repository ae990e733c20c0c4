"""What a PAN-OS configuration may mean where something in it is not known: each way as a configuration of its own.

A rule with something that is not known matches nothing, or the most that it can; those that allow or exempt and those
that deny or decrypt each for themselves.
"""

from __future__ import annotations

import copy
import ipaddress
import re
import xml.etree.ElementTree as ET

from egressc.anything import ANY

_PREDEFINED = {"service-http": "80,8080", "service-https": "443"}
"""The service objects that every firewall has ([D] predefined services)."""


def excludes(name, host):
    """True if a server is in the SSL decryption exclusion: there a star is one label ([D] decryption exclusions)."""
    labels, wanted = (host or "").split("."), name.split(".")
    return len(labels) == len(wanted) and all(one in {"*", other} for one, other in zip(wanted, labels, strict=True))


def readings(build, scope):
    """The configuration in every way that it can be read: elements as the evaluator takes them."""
    users = {
        value
        for rule in build.site.rules
        if rule.accounts is not ANY
        for account in rule.accounts
        for value in account.values("directory-user")
    }
    for name, ports in _PREDEFINED.items():
        entry = ET.SubElement(_below(scope, "service"), "entry", name=name)
        ET.SubElement(ET.SubElement(ET.SubElement(entry, "protocol"), "tcp"), "port").text = ports
    vague = set()
    for category in scope.findall("profiles/custom-url-category/entry"):
        # Which longer names an entry without a slash at its end matches, and what half a label does, is not said.
        entries = [each.text for each in category.findall("list/member")]
        odd = [each for each in entries if "/" not in each or re.search(r"\*[^./]", each)]
        if odd:
            for way in ("narrow", "wide"):
                other = ET.SubElement(scope.find("profiles/custom-url-category"), "entry")
                other.set("name", f"{category.get('name')} {way}")
                held = ET.SubElement(other, "list")
                for each in (*entries, *(["*/"] if way == "wide" else ())):
                    ET.SubElement(held, "member").text = each if each not in odd else f"{each.rstrip('/')}/"
                vague.add(other.get("name"))
    strange = False
    for wide in (set(), {"allow", "no-decrypt"}, {"deny", "decrypt"}, {"allow", "no-decrypt", "deny", "decrypt"}):
        read = copy.deepcopy(scope)
        for kind in ("security", "decryption"):
            rules = read.find(f"rulebase/{kind}/rules")
            for rule in list(rules if rules is not None else ()):
                action = rule.findtext("action")
                is_wide = (action if action in {"allow", "no-decrypt", "decrypt"} else "deny") in wide
                for category in rule.findall("category/member"):
                    if f"{category.text} narrow" in vague:
                        strange = True
                        category.text += " wide" if is_wide else " narrow"
                if _is_strange(read, rule, users):
                    strange = True
                    if not is_wide:
                        rules.remove(rule)
        yield read
        if not strange:
            return


def _is_strange(scope, rule, users):
    """True if something in a rule is not known; it is then the most that it can be."""

    def names(path):
        return {each.get("name") for each in scope.findall(path)}

    static = {each.get("name") for each in scope.findall("address-group/entry") if each.find("static") is not None}
    found = False
    for field, known in (
        ("source", static | names("address/entry")),
        ("destination", static | names("address/entry")),
        ("category", names("profiles/custom-url-category/entry")),
        ("service", names("service/entry")),
        ("source-user", users),
        ("application", set()),
        ("source-hip", set()),
        ("destination-hip", set()),
    ):
        held = rule.find(field)
        members = [] if held is None else [each.text for each in held]
        if members in ([], ["any"]) or all(
            each in known or (field in {"source", "destination"} and _is_network(each)) for each in members
        ):
            continue
        found = True
        held.clear()
        ET.SubElement(held, "member").text = "any"
        for flag in rule.findall(f"negate-{field}"):
            rule.remove(flag)
    schedule = rule.find("schedule")
    if (
        schedule is not None
        and scope.find(f"schedule/entry[@name='{schedule.text}']/schedule-type/recurring") is not None
    ):
        found = True
        rule.remove(schedule)
    return found or (rule.find("profile-setting") is not None and rule.findtext("action") == "allow")


def _is_network(text):
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _below(scope, tag):
    found = scope.find(tag)
    return ET.SubElement(scope, tag) if found is None else found
