"""What somebody may do to a rulebase: each function takes the untouched files and returns them with one change.

For the artefact of the policy of `proof_policies` as it stands on a firewall, in XML or as what `show` prints of it in
`set` commands. What must be found stands in the second line of each docstring (the lists of a drift that are not empty,
see `EXPECTED`), and in which rule of the policy or live rule.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "evaluators"))
from paloalto_reading import panconf_lines
from paloalto_text import from_set

RULES = "rulebase/security/rules"


def _scope(files):
    """The virtual system as an element, whatever form it has."""
    ((name, content),) = files.items()
    if name == "config.xml":
        root = ET.fromstring(content)
        (scope,) = root.findall("./devices/entry/vsys/entry")
        return root, scope
    scope = from_set(content.decode())
    scope.set("name", "vsys1")
    root = ET.fromstring(
        '<config version="10.1.0"><devices><entry name="localhost.localdomain"><vsys/></entry></devices></config>'
    )
    root.find("./devices/entry/vsys").append(scope)
    return root, scope


def _written(files, root):
    (name,) = files
    text = ET.tostring(root)
    if name == "config.xml":
        return {name: text}
    lines = [line.replace("set vsys vsys1 ", "set ") for line in panconf_lines(text)]
    return {name: "".join(f"{line}\n" for line in lines).encode()}


def _changed(files, change):
    root, scope = _scope(files)
    change(scope)
    return _written(files, root)


def _entry(scope, path, part):
    """The one entry at a path whose name holds a text."""
    (found,) = [each for each in scope.findall(f"{path}/entry") if part in each.get("name")]
    return found


def _rule(scope, part, path=RULES):
    return _entry(scope, path, part)


def _list(entry, field, *members):
    """A list of an entry with other members."""
    held = entry.find(field)
    if held is None:
        held = ET.SubElement(entry, field)
    held.clear()
    for member in members:
        ET.SubElement(held, "member").text = member


def _text(entry, field, text):
    held = entry.find(field)
    if held is None:
        held = ET.SubElement(entry, field)
    held.text = text


def _with_list(files, part, field, *members, path=RULES):
    return _changed(files, lambda scope: _list(_rule(scope, part, path), field, *members))


def _with_text(files, part, field, text, path=RULES):
    return _changed(files, lambda scope: _text(_rule(scope, part, path), field, text))


def _added(files, at=0, action="allow", path=RULES, **lists):
    """A rule by hand."""

    def change(scope):
        rule = ET.Element("entry", name="by hand")
        for field in ("from", "to", "source", "source-user", "destination", "category", "application", "service"):
            if field == "application" and "decryption" in path:
                continue
            _list(rule, field, *lists.get(field.replace("-", "_"), ("any",)))
        if "decryption" in path:
            ET.SubElement(ET.SubElement(rule, "type"), "ssl-forward-proxy")
        _text(rule, "action", action)
        scope.find(path).insert(at, rule)

    return _changed(files, change)


def _removed(files, part, path=RULES):
    return _changed(files, lambda scope: scope.find(path).remove(_rule(scope, part, path)))


DECRYPTION = "rulebase/decryption/rules"
CATEGORIES = "profiles/custom-url-category"


def tamper_rule_allows_any(files):
    """A rule by hand at the top allows everything.

    allows_more: no rule, by the live rule `by hand`.
    """
    return _added(files)


def tamper_rule_allows_an_address(files):
    """A rule by hand above the closing deny allows one address.

    allows_more: 198.51.100.9, by the live rule `by hand`.
    """
    return _added(files, at=-1, destination=("198.51.100.9",))


def tamper_rule_denies_a_port(files):
    """A rule by hand at the top drops UDP.

    allows_less: `main/ntp`.
    """

    def change(scope):
        entry = ET.SubElement(scope.find("service"), "entry", name="all udp")
        ET.SubElement(ET.SubElement(ET.SubElement(entry, "protocol"), "udp"), "port").text = "1-65535"

    return _added(_changed(files, change), action="drop", service=("all udp",))


def tamper_source_is_any(files):
    """`main/by-address` is for any source.

    allows_more: the servers.
    """
    return _with_list(files, "by-address", "source", "any")


def tamper_category_lost(files):
    """The category of `main/cloud` is gone.

    allows_more: any name, by the live rule of `main/cloud`.
    """
    return _with_list(files, "cloud-tls", "category", "any")


def tamper_category_is_predefined(files):
    """`main/cloud` is for a category of PAN-DB.

    unknown: `main/cloud`.
    """
    return _with_list(files, "cloud-tls", "category", "computer-and-internet-info")


def tamper_entry_added(files):
    """Another name stands in the category of `main/cloud`.

    allows_more: `files.evil.example`.
    """
    return _changed(
        files,
        lambda scope: _list(
            _entry(scope, CATEGORIES, "cloud"),
            "list",
            "*.cloud.example.com/",
            "api.example.net/",
            "files.evil.example/",
        ),
    )


def tamper_entry_widened(files):
    """`*.cloud.example.com/` has become `*.example.com/`.

    allows_more: other names below `example.com`; inspection_differs: they are exempt, too.
    """
    return _changed(
        files, lambda scope: _list(_entry(scope, CATEGORIES, "cloud"), "list", "*.example.com/", "api.example.net/")
    )


def tamper_entry_is_one_label(files):
    """`*.cloud.example.com/` has become `^.cloud.example.com/`.

    allows_less: two labels below; unknown: whether others inspect those.
    """
    return _changed(
        files,
        lambda scope: _list(_entry(scope, CATEGORIES, "cloud"), "list", "^.cloud.example.com/", "api.example.net/"),
    )


def tamper_ending_slash_lost(files):
    """An entry has lost its slash, and may match longer names.

    unknown: `main/cloud`.
    """
    return _changed(
        files,
        lambda scope: _list(_entry(scope, CATEGORIES, "cloud"), "list", "*.cloud.example.com", "api.example.net/"),
    )


def tamper_path_widened(files):
    """The path of `more/web` is gone.

    allows_more: other paths.
    """
    return _changed(files, lambda scope: _list(_entry(scope, CATEGORIES, "web"), "list", "docs.example.org/"))


def tamper_rule_disabled(files):
    """`main/queue` is disabled.

    allows_less: `main/queue`.
    """
    return _with_text(files, "egc-queue", "disabled", "yes")


def tamper_deny_disabled(files):
    """The deny of `main/old-queue` is disabled.

    allows_more: `main/old-queue`.
    """
    return _with_text(files, "old-queue", "disabled", "yes")


def tamper_rule_removed(files):
    """`main/status` is gone.

    allows_less: `main/status`.
    """
    return _removed(files, "status")


def tamper_deny_removed(files):
    """The deny of `main/partner-hole` is gone.

    allows_more: `main/partner-hole`.
    """
    return _removed(files, "partner-hole")


def tamper_deny_moved_to_the_end(files):
    """The deny of `main/partner-hole` stands behind all allows.

    allows_more: `main/partner-hole`.
    """

    def change(scope):
        rules, rule = scope.find(RULES), _rule(scope, "partner-hole")
        rules.remove(rule)
        rules.append(rule)

    return _changed(files, change)


def tamper_closing_deny_moved_to_the_top(files):
    """The closing deny stands above all allows.

    allows_less: every allow.
    """

    def change(scope):
        rules, rule = scope.find(RULES), _rule(scope, "closing-deny")
        rules.remove(rule)
        rules.insert(0, rule)

    return _changed(files, change)


def tamper_closing_deny_allows(files):
    """The closing deny allows.

    allows_more: everything.
    """
    return _with_text(files, "closing-deny", "action", "allow")


def tamper_default_overridden(files):
    """The closing deny is gone, and interzone-default allows.

    allows_more: everything.
    """

    def change(scope):
        scope.find(RULES).remove(_rule(scope, "closing-deny"))
        rules = ET.SubElement(ET.SubElement(scope.find("rulebase"), "default-security-rules"), "rules")
        _text(ET.SubElement(rules, "entry", name="interzone-default"), "action", "allow")

    return _changed(files, change)


def tamper_action_reset(files):
    """`main/cloud` resets connections.

    allows_less: `main/cloud`.
    """
    return _with_text(files, "cloud-tls", "action", "reset-both")


def tamper_source_negated(files):
    """`main/by-address` is for all sources but its own.

    allows_less: `main/by-address`; allows_more: the servers.
    """
    return _with_text(files, "by-address", "negate-source", "yes")


def tamper_source_member_lost(files):
    """The servers are no source of `both/portal` any more.

    allows_less: `both/portal`.
    """

    def change(scope):
        rule = _rule(scope, "portal")
        _list(rule, "source", rule.find("source/member").text)

    return _changed(files, change)


def tamper_group_member_added(files):
    """The servers are in the group of the connectors, too.

    allows_more: the servers.
    """

    def change(scope):
        group = _entry(scope, "address-group", "connectors")
        _list(group, "static", *(each.text for each in group.findall("static/member")), "10.21.0.0/24")

    return _changed(files, change)


def tamper_group_is_dynamic(files):
    """The group of the servers is filled by tags.

    unknown: who the servers are.
    """

    def change(scope):
        group = _entry(scope, "address-group", "servers")
        group.remove(group.find("static"))
        ET.SubElement(ET.SubElement(group, "dynamic"), "filter").text = "'servers'"

    return _changed(files, change)


def tamper_destination_is_an_external_list(files):
    """`main/ntp` is for an external list.

    unknown: `main/ntp`.
    """

    def change(scope):
        entry = ET.SubElement(ET.SubElement(scope, "external-list"), "entry", name="partner list")
        ET.SubElement(ET.SubElement(ET.SubElement(entry, "type"), "ip"), "url").text = "https://lists.example.org/ntp"
        _list(_rule(scope, "ntp"), "destination", "partner list")

    return _changed(files, change)


def tamper_destination_narrowed(files):
    """`main/by-address` has lost a network.

    allows_less: `main/by-address`.
    """
    return _with_list(files, "by-address", "destination", "203.0.113.0/25")


def tamper_service_widened(files):
    """The range of `main/by-address` ends one later.

    allows_more: 8511.
    """
    return _changed(
        files, lambda scope: _text(_entry(scope, "service", "8500-8510").find("protocol/tcp"), "port", "8500-8511")
    )


def tamper_service_is_any(files):
    """`main/ntp` is for any service.

    allows_more: other ports.
    """
    return _with_list(files, "ntp", "service", "any")


def tamper_service_is_the_default_of_the_application(files):
    """`main/cloud` is for the application's own ports.

    unknown: `main/cloud`.
    """
    return _with_list(files, "cloud-tls", "service", "application-default")


def tamper_application_added(files):
    """`main/queue` asks for an App-ID.

    unknown: `main/queue`.
    """
    return _with_list(files, "egc-queue", "application", "ssl")


def tamper_user_removed(files):
    """`main/as-agent` is for any user.

    allows_more: other users.
    """
    return _with_list(files, "as-agent", "source-user", "any")


def tamper_user_is_a_group(files):
    """`main/as-agent` is for a group of the directory.

    unknown: `main/as-agent`.
    """
    return _with_list(files, "as-agent", "source-user", "cn=agents,ou=groups,dc=corp,dc=example")


def tamper_zone_changed(files):
    """`main/inside` is for another zone.

    allows_less: `main/inside`.
    """
    return _with_list(files, "inside", "from", "dmz")


def tamper_schedule_recurs(files):
    """The schedule of `main/until` recurs.

    unknown: `main/until`.
    """

    def change(scope):
        entry = _entry(scope, "schedule", "until")
        entry.clear()
        entry.set("name", "egc-until-2027-06-30")
        daily = ET.SubElement(ET.SubElement(entry, "schedule-type"), "recurring")
        _list(daily, "daily", "08:00-17:00")

    return _changed(files, change)


def tamper_schedule_over(files):
    """The schedule of `main/until` is over.

    allows_less: `main/until`.
    """
    return _changed(
        files,
        lambda scope: _list(
            _entry(scope, "schedule", "until").find("schedule-type"),
            "non-recurring",
            "2000/01/01@00:00-2026/06/30@23:59",
        ),
    )


def tamper_hip_profile(files):
    """`main/cloud` asks for a HIP profile.

    unknown: `main/cloud`.
    """
    return _with_list(files, "cloud-tls", "source-hip", "patched hosts")


def tamper_profiles(files):
    """`main/cloud` is held against security profiles.

    unknown: `main/cloud`.
    """
    return _changed(
        files, lambda scope: _list(ET.SubElement(_rule(scope, "cloud-tls"), "profile-setting"), "group", "strict")
    )


def tamper_exemption_removed(files):
    """The exemption of `main/cloud` is gone, in files that hold a part of a configuration only.

    unknown: whether other rules inspect `main/cloud`.
    """
    return _removed(files, "cloud", DECRYPTION)


def tamper_exemption_disabled(files):
    """The exemption of `main/cloud` is disabled, and a rule behind it decrypts everything.

    inspection_differs: `main/cloud`.
    """
    return _added(_with_text(files, "cloud", "disabled", "yes", DECRYPTION), at=2, action="decrypt", path=DECRYPTION)


def tamper_decrypts_first(files):
    """A rule by hand at the top decrypts everything.

    inspection_differs: `main/cloud`.
    """
    return _added(files, action="decrypt", path=DECRYPTION)


def tamper_exempts_more(files):
    """A rule by hand at the top exempts everything.

    inspection_differs: `opened/uploads`, and names that nobody asked for.
    """
    return _added(files, action="no-decrypt", path=DECRYPTION)


def tamper_decryption_removed(files):
    """The rule that decrypts is gone.

    inspection_differs: `opened/uploads`.
    """
    return _removed(files, "uploads", DECRYPTION)


def tamper_decryption_profile_changed(files):
    """The rule that decrypts has another profile.

    inspection_differs: `opened/uploads`.
    """
    return _with_text(files, "uploads", "profile", "lax", DECRYPTION)


def tamper_server_excluded(files):
    """A server stands in the SSL decryption exclusion.

    inspection_differs: `opened/uploads`.
    """
    ((name, content),) = files.items()
    if name == "commands.set":  # the converter leaves this part of the tree out
        return {name: content + b"set ssl-decrypt ssl-exclude-cert *.example.com exclude yes\n"}

    def change(scope):
        held = ET.SubElement(ET.SubElement(scope, "ssl-decrypt"), "ssl-exclude-cert")
        _text(ET.SubElement(held, "entry", name="*.example.com"), "exclude", "yes")

    return _changed(files, change)


EXPECTED = {
    "tamper_rule_allows_any": {"allows_more"},
    "tamper_rule_allows_an_address": {"allows_more"},
    "tamper_rule_denies_a_port": {"allows_less"},
    "tamper_source_is_any": {"allows_more"},
    "tamper_category_lost": {"allows_more"},
    "tamper_category_is_predefined": {"unknown"},
    "tamper_entry_added": {"allows_more"},
    "tamper_entry_widened": {"allows_more", "inspection_differs"},
    "tamper_entry_is_one_label": {"allows_less", "unknown"},
    "tamper_ending_slash_lost": {"unknown"},
    "tamper_path_widened": {"allows_more"},
    "tamper_rule_disabled": {"allows_less"},
    "tamper_deny_disabled": {"allows_more"},
    "tamper_rule_removed": {"allows_less"},
    "tamper_deny_removed": {"allows_more"},
    "tamper_deny_moved_to_the_end": {"allows_more"},
    "tamper_closing_deny_moved_to_the_top": {"allows_less"},
    "tamper_closing_deny_allows": {"allows_more"},
    "tamper_default_overridden": {"allows_more"},
    "tamper_action_reset": {"allows_less"},
    "tamper_source_negated": {"allows_less", "allows_more"},
    "tamper_source_member_lost": {"allows_less"},
    "tamper_group_member_added": {"allows_more", "allows_less"},
    "tamper_group_is_dynamic": {"unknown"},
    "tamper_destination_is_an_external_list": {"unknown"},
    "tamper_destination_narrowed": {"allows_less"},
    "tamper_service_widened": {"allows_more"},
    "tamper_service_is_any": {"allows_more"},
    "tamper_service_is_the_default_of_the_application": {"unknown"},
    "tamper_application_added": {"unknown"},
    "tamper_user_removed": {"allows_more"},
    "tamper_user_is_a_group": {"unknown"},
    "tamper_zone_changed": {"allows_less"},
    "tamper_schedule_recurs": {"unknown"},
    "tamper_schedule_over": {"allows_less"},
    "tamper_hip_profile": {"unknown"},
    "tamper_profiles": {"unknown"},
    "tamper_exemption_removed": {"unknown"},
    "tamper_exemption_disabled": {"inspection_differs"},
    "tamper_decrypts_first": {"inspection_differs"},
    "tamper_exempts_more": {"inspection_differs"},
    "tamper_decryption_removed": {"inspection_differs"},
    "tamper_decryption_profile_changed": {"inspection_differs"},
    "tamper_server_excluded": {"inspection_differs"},
}
"""The lists of a drift that are not empty."""
