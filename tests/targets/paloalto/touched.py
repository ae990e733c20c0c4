"""What each tampering touches: by list of a drift, the rule of the policy and the live rule that a finding names.

Worked out from what was changed (see ``tamperings``). ``None``: no rule of the policy has such flows, or no live rule
decides them. Where an allow is gone, the closing deny has its flows. Live rules are named without their hash.
"""

from __future__ import annotations

_CLOSING, _HAND, _OTHERS, _EXCLUSION, _DEFAULT = (
    "closing-deny", "by hand", "(other decryption rules)", "(SSL decryption exclusion)", "(default)"
)  # fmt: skip
_AGENT, _BY_ADDRESS, _CLOUD, _NTP, _QUEUE, _STATUS, _UNTIL, _WEB, _FILES, _UPLOADS, _PORTAL = (
    "as-agent-tls-main", "by-address-address-main", "cloud-tls-main", "ntp-address-main", "queue-tls-main",
    "status-http-main", "until-tls-main", "web-http-more", "files-tls-more", "uploads-tls-opened", "portal-tls-both",
)  # fmt: skip
_INSIDE, _EXEMPTION, _DECRYPTION = "inside-address-main", "cloud-tls-no-decrypt-main", "uploads-tls-decrypt-opened"

TOUCHED = {
    # It stands above both denies as well.
    "tamper_rule_allows_any": {
        "allows_more": {(None, _HAND), ("main/old-queue", _HAND), ("main/partner-hole", _HAND)}
    },
    "tamper_rule_allows_an_address": {"allows_more": {(None, _HAND)}},
    "tamper_rule_denies_a_port": {"allows_less": {("main/ntp", _HAND)}},
    "tamper_source_is_any": {"allows_more": {(None, _BY_ADDRESS)}},
    "tamper_category_lost": {"allows_more": {(None, _CLOUD)}},
    # The category may hold any name, and none.
    "tamper_category_is_predefined": {"unknown": {(None, _CLOUD), ("main/cloud", _CLOUD)}},
    # What the exemption has of it is nobody's question: no rule allows it.
    "tamper_entry_added": {"allows_more": {(None, _CLOUD)}},
    # The portal is exempt now, which nobody asked for.
    "tamper_entry_widened": {"allows_more": {(None, _CLOUD)}, "inspection_differs": {(None, _EXEMPTION)}},
    "tamper_entry_is_one_label": {
        "allows_less": {("main/cloud", _CLOSING)},
        "unknown": {("main/cloud", _OTHERS)},
    },
    # What the entry matched before it still matches; how much more is not known, and may be exempt.
    "tamper_ending_slash_lost": {"unknown": {(None, _CLOUD), (None, _EXEMPTION)}},
    "tamper_path_widened": {"allows_more": {(None, _WEB)}},
    "tamper_rule_disabled": {"allows_less": {("main/queue", _CLOSING)}},
    "tamper_deny_disabled": {"allows_more": {("main/old-queue", _QUEUE)}},
    "tamper_rule_removed": {"allows_less": {("main/status", _CLOSING)}},
    "tamper_deny_removed": {"allows_more": {("main/partner-hole", _BY_ADDRESS)}},
    "tamper_deny_moved_to_the_end": {"allows_more": {("main/partner-hole", _BY_ADDRESS)}},
    # The server inside the house is none of its destinations.
    "tamper_closing_deny_moved_to_the_top": {
        "allows_less": {
            (rule, _CLOSING)
            for rule in (
                "both/portal", "main/as-agent", "main/by-address", "main/cloud", "main/ntp", "main/queue",
                "main/status", "main/until", "more/files", "more/web", "opened/uploads",
            )
        }
    },
    "tamper_closing_deny_allows": {"allows_more": {(None, _CLOSING)}},
    # The default allows, and nothing denies before.
    "tamper_default_overridden": {"allows_more": {(None, _DEFAULT)}},
    "tamper_action_reset": {"allows_less": {("main/cloud", _CLOUD)}},
    "tamper_source_negated": {
        "allows_less": {("main/by-address", _CLOSING)},
        "allows_more": {(None, _BY_ADDRESS)},
    },
    "tamper_source_member_lost": {"allows_less": {("both/portal", _CLOSING)}},
    # What the servers do inside the house is left to others by the policy; one allow and the denies by name have it now.
    "tamper_group_member_added": {
        "allows_more": {
            (None, live)
            for live in (_AGENT, _BY_ADDRESS, _CLOUD, _INSIDE, _NTP, _QUEUE, _STATUS, _UNTIL, _WEB, _FILES)
        },
        "allows_less": {(None, "old-queue-tls-main"), (None, "files-tls-except-more")},
    },
    # It may hold the connectors, and nobody at all.
    "tamper_group_is_dynamic": {
        "unknown": {
            ("both/portal", _PORTAL), (None, _UPLOADS), ("opened/uploads", _UPLOADS), ("opened/uploads", _DECRYPTION),
        }
    },
    "tamper_destination_is_an_external_list": {"unknown": {(None, _NTP), ("main/ntp", _NTP)}},
    "tamper_destination_narrowed": {"allows_less": {("main/by-address", _CLOSING)}},
    "tamper_service_widened": {"allows_more": {(None, _BY_ADDRESS)}},
    "tamper_service_is_any": {"allows_more": {(None, _NTP)}},
    # An application may use any port, and another than 443.
    "tamper_service_is_the_default_of_the_application": {"unknown": {(None, _CLOUD), ("main/cloud", _CLOUD)}},
    "tamper_application_added": {"unknown": {("main/queue", _QUEUE)}},
    "tamper_user_removed": {"allows_more": {(None, _AGENT)}},
    "tamper_user_is_a_group": {"unknown": {(None, _AGENT), ("main/as-agent", _AGENT)}},
    # The closing deny leaves out what is inside the house.
    "tamper_zone_changed": {"allows_less": {("main/inside", None)}},
    "tamper_schedule_recurs": {"unknown": {("main/until", _UNTIL)}},
    "tamper_schedule_over": {"allows_less": {("main/until", _CLOSING)}},
    "tamper_hip_profile": {"unknown": {("main/cloud", _CLOUD)}},
    "tamper_profiles": {"unknown": {("main/cloud", _CLOUD)}},
    "tamper_exemption_removed": {"unknown": {("main/cloud", _OTHERS)}},
    # Nothing behind the rule by hand can open it any more.
    "tamper_exemption_disabled": {"inspection_differs": {("main/cloud", _HAND)}},
    # It has no profile, with which the uploads are surely opened.
    "tamper_decrypts_first": {"inspection_differs": {("main/cloud", _HAND), ("opened/uploads", _HAND)}},
    "tamper_exempts_more": {"inspection_differs": {(None, _HAND), ("opened/uploads", _HAND)}},
    "tamper_decryption_removed": {"inspection_differs": {("opened/uploads", None)}},
    "tamper_decryption_profile_changed": {"inspection_differs": {("opened/uploads", None)}},
    # The portal is of the same domain.
    "tamper_server_excluded": {"inspection_differs": {(None, _EXCLUSION), ("opened/uploads", _EXCLUSION)}},
}  # fmt: skip

BELOW_THE_PATH = {"break_path_is_itself_only", "break_ending_slash_lost"}
"""After which the example has the path itself, which the entry still matches: nothing below it is matched."""

ONE_FOR_ALL = {"tamper_rule_allows_any", "tamper_closing_deny_moved_to_the_top"}
"""After which one live rule is at fault for several rules of the policy, and a finding names one of them."""
