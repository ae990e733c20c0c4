"""What each tampering touches: by list of a drift, the rule of the policy and the live rule that a finding names.

Worked out from what was changed (see ``tamperings``). ``None``: no rule of the policy has such flows, or no live rule
decides them. A deny that is gone or late lets its flows through to the allow that it cut into.
"""

from __future__ import annotations

_BY_ADDRESS, _NTP, _STATUS = "main.by-address_addresses", "main.ntp_addresses", "main.status_http"

TOUCHED = {
    "tamper_name_allowed_by_hand": {"allows_more": {(None, "by-hand")}},
    "tamper_network_allows_any": {"allows_more": {(None, "by-hand")}, "inspection_differs": {("opened/uploads", None)}},
    "tamper_name_widened_by_one_label": {"allows_more": {(None, "both.portal_https")}},
    "tamper_dot_of_the_wildcard_lost": {"allows_more": {(None, "main.cloud_https")}},
    "tamper_wildcard_became_its_apex": {
        "allows_more": {(None, "main.queue_tls")},
        "allows_less": {("main/queue", None)},
    },
    "tamper_source_widened": {"allows_more": {(None, _BY_ADDRESS)}},
    "tamper_source_narrowed": {"allows_less": {("main/ntp", None)}},
    "tamper_source_is_an_ip_group_that_lacks_one": {"allows_less": {("main/ntp", None)}},
    # The group may hold the servers, and it may lack the connectors.
    "tamper_source_is_an_ip_group_that_nobody_gave": {"unknown": {(None, _NTP), ("main/ntp", _NTP)}},
    "tamper_port_changed": {"allows_more": {(None, _STATUS)}, "allows_less": {("main/status", None)}},
    "tamper_port_added": {"allows_more": {(None, _BY_ADDRESS)}},
    "tamper_range_widened_by_one": {"allows_more": {(None, _BY_ADDRESS)}},
    "tamper_transport_added": {"allows_more": {(None, _NTP)}},
    "tamper_prefix_widened": {"allows_more": {(None, _BY_ADDRESS)}},
    "tamper_rule_removed": {"allows_less": {("main/until", None)}},
    "tamper_deny_removed": {"allows_more": {("main/partner-hole", _BY_ADDRESS)}},
    # The live deny is an allow now, and the allow that it cut into is behind it.
    "tamper_deny_turned_allow": {
        "allows_more": {("main/old-queue", "main.old-queue_tls"), ("main/old-queue", "main.queue_tls")}
    },
    "tamper_allow_turned_deny": {"allows_less": {("main/cloud", "main.cloud_https")}},
    "tamper_priorities_of_collections_swapped": {"allows_more": {(None, "more.files_https-except")}},
    "tamper_group_moved_behind": {
        "allows_more": {("main/partner-hole", _BY_ADDRESS), ("main/old-queue", "main.queue_tls")}
    },
    "tamper_rule_moved_to_another_collection": {"allows_less": {("main/as-agent", "main.as-agent_https")}},
    "tamper_deny_added_first": {"allows_less": {("main/ntp", "by-hand")}},
    "tamper_exemption_lost": {"inspection_differs": {("main/cloud", "main.cloud_https")}},
    "tamper_inspection_lost": {"inspection_differs": {("opened/uploads", None)}},
    "tamper_exemption_added_before": {"inspection_differs": {("opened/uploads", None)}},
    "tamper_path_widened": {"allows_more": {(None, "more.web_http-url")}},
    "tamper_half_of_a_path_lost": {"unknown": {("more/web", "more.web_http-url")}},
    # A web category may hold any name, and with one the names may count for nothing.
    "tamper_category_added": {"unknown": {(None, _STATUS), ("main/status", _STATUS)}},
    "tamper_closing_deny_removed": {"unknown": {(None, "(infrastructure rule collection)")}},
}

BELOW_THE_PATH = {"break_below_a_path_lost", "tamper_half_of_a_path_lost"}
"""After which the example has the path itself, which one URL still matches: nothing below it is matched."""

BROKEN_LOWERINGS = {"break_any_group_for_a_group", "break_part_lost"}
"""What is stopped before there is a text that an evaluator could take: what is announced contradicts itself."""

REACHES_TOO_FAR = {"break_action_flipped"}
"""After which a rule lets through for certain what the firewall's own rules behind it may let through as well."""
