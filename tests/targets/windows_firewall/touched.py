"""What each tampering touches: by list of a drift, the rule of the policy and the live rule that a finding names.

Worked out from what was changed (see ``tamperings``). ``None``: no rule of the policy has such flows, or no live rule
decides them. Live rules are named by what they are for. Where a block is gone, its flows come to every allow there is.
"""

from __future__ import annotations

_AGENT, _EXCEPT, _INSTALLER = "p/agent TCP", "p/agent TCP except", "p/installer TCP"
_SERVICE, _UPDATE = "p/names WAPCSvc TCP", "p/names WAPCUpd TCP"
_INTERNAL, _DEFAULT, _OFF = "internal networks", "(default outbound action)", "(the firewall is off)"
_QUARANTINED = {("p/quarantine", live) for live in (_INTERNAL, _AGENT, _SERVICE, _UPDATE)}
"""Names may resolve to addresses there; the addresses of `p/time` and `p/installer` are others. Names are over TCP."""

TOUCHED = {
    "tamper_block_turned_allow": {"allows_more": {*_QUARANTINED, ("p/quarantine", "p/quarantine TCP")}},
    "tamper_allow_turned_block": {"allows_less": {("p/time", "p/time UDP")}},
    # The name is allowed there now, and so is what has no name.
    "tamper_exception_turned_allow": {"allows_more": {(None, _AGENT), (None, _EXCEPT)}},
    "tamper_rule_switched_off": {"allows_less": {("p/installer", None)}},
    "tamper_active_lost": {"allows_less": {("p/installer", None)}},
    "tamper_rule_removed": {"allows_less": {("p/time", None)}},
    "tamper_block_removed": {"allows_more": {("p/quarantine", _INTERNAL)}},
    "tamper_internal_rule_removed": {"allows_less": {(None, _DEFAULT)}},
    "tamper_allow_added_by_hand": {"allows_more": {(None, "by-hand")}},
    "tamper_block_added_by_hand": {"allows_less": {("p/time", "by-hand")}},
    "tamper_group_policy_rule": {"allows_more": {(None, "gpo-dns")}},
    "tamper_keyword_widened": {"allows_more": {(None, _SERVICE), (None, _UPDATE)}},
    "tamper_keyword_narrowed": {
        "allows_more": {(None, _SERVICE), (None, _UPDATE)},
        "allows_less": {("p/names", None)},
    },
    "tamper_keyword_replaced": {"allows_more": {(None, _AGENT)}, "allows_less": {("p/agent", None)}},
    "tamper_keyword_dropped_from_rule": {"allows_less": {("p/names", None)}},
    # It may be any name, and none.
    "tamper_keyword_deleted": {"unknown": {(None, _AGENT), ("p/agent", _AGENT)}},
    "tamper_account_removed": {"allows_more": {(None, _INSTALLER)}},
    "tamper_account_replaced": {"allows_more": {(None, _INSTALLER)}, "allows_less": {("p/installer", None)}},
    "tamper_account_added": {"allows_more": {(None, _INSTALLER)}},
    "tamper_account_everyone": {"allows_more": {(None, _SERVICE)}},
    "tamper_service_replaced": {"allows_more": {(None, _UPDATE)}, "allows_less": {("p/names", None)}},
    "tamper_service_removed": {"allows_more": {(None, _SERVICE)}},
    "tamper_program_replaced": {"allows_more": {(None, _AGENT)}, "allows_less": {("p/agent", None)}},
    "tamper_port_widened": {"allows_more": {(None, "p/time UDP")}},
    "tamper_port_removed": {"allows_less": {("p/installer", None)}},
    "tamper_ports_lost": {"allows_more": {(None, _INSTALLER)}},
    "tamper_protocol_swapped": {"allows_more": {(None, "p/time UDP")}, "allows_less": {("p/time", None)}},
    "tamper_address_edited": {"allows_more": {(None, "p/time UDP")}, "allows_less": {("p/time", None)}},
    "tamper_network_widened": {"allows_more": {(None, _INSTALLER)}},
    "tamper_block_narrowed": {"allows_more": _QUARANTINED},
    "tamper_family_lost": {"allows_less": {("p/time", None)}},
    "tamper_addresses_lost": {"allows_more": {(None, _INSTALLER)}},
    "tamper_internal_rule_widened": {"allows_more": {(None, _INTERNAL)}},
    "tamper_profile_lost": {"unknown": {("p/installer", _INSTALLER)}},
    "tamper_interface": {"unknown": {("p/time", "p/time TCP")}},
    # The subnet may hold anything; the address beside it is sure.
    "tamper_local_subnet": {"unknown": {(None, "p/time UDP")}},
    "tamper_default_allows": {"allows_more": {(None, None)}},
    "tamper_firewall_off": {"allows_more": {(None, _OFF), ("p/quarantine", _OFF)}},
    "tamper_firewall_off_in_public_networks": {"unknown": {(None, _OFF), ("p/quarantine", _OFF)}},
    "tamper_local_rules_void": {
        "allows_less": {
            (None, _DEFAULT), ("p/agent", None), ("p/installer", None), ("p/names", None), ("p/time", None),
        }
    },
}  # fmt: skip

IN_SOME_NETWORKS = {"tamper_default_allows"}
"""After which a flow is let through in public networks alone, and that is called `allows_more`."""

REACHES_TOO_FAR = {"break_keyword_without_its_dot"}
"""After which an example also has an address or name that the rule matches for certain beside what is not known."""
