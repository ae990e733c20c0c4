"""What each tampering touches: by list of a drift, the rule of the policy and the live rule that a finding names.

Worked out from what was changed (see ``tamperings``). ``None``: no rule of the policy has such flows, or no live rule
decides them. Where an allow is gone, the default deny has its flows. Denies by name have no rule here: they are taken out
of the names of the allows. Live rules by hand are named by their chain. By name of the tampering, or by kind and name.
"""

from __future__ import annotations

_CLOSING, _INTERNAL, _ELSEWHERE, _ASKS = (
    "egressc: default deny", "egressc: internal networks", "egressc: not from the governed side",
    "egressc: the resolver asks its servers",
)  # fmt: skip
_OWN, _DEFAULT = "EGRESSC", "(default)"

_BY_NAME = {
    "both/portal",
    "main/as-agent",
    "main/cloud",
    "main/queue",
    "main/status",
    "main/until",
    "more/files",
    "more/web",
}
"""The allows by name of the connectors."""

_BY_ADDRESS = {"main/by-address", "main/ntp"}
"""Those by address, but for the one to a server inside the house."""

_ALLOWS = _BY_NAME | _BY_ADDRESS | {"main/inside"}
_QUEUED, _MANGLED = "what the target NFQUEUE does is not known", "the table mangle drops it"


def _all(rules, live):
    return {(rule, live) for rule in rules}


_CLOUD_EXEMPTS = {(None, "main/cloud")}
"""The exemption goes by the same set as the allow."""

TOUCHED = {
    "rule_added": {"allows_more": {(None, _OWN)}},
    ("iptables", "rule_added_before_the_jump"): {"allows_more": {(None, "FORWARD")}},
    ("iptables-host", "rule_added_before_the_jump"): {"allows_more": {(None, "OUTPUT")}},
    "deny_added": {"allows_less": {("main/by-address", _OWN)}},
    ("iptables", "everything_let_through_before_the_jump"): {
        "allows_more": _all({None, "main/partner-hole"}, "FORWARD")
    },
    ("iptables-host", "everything_let_through_before_the_jump"): {
        "allows_more": _all({None, "main/partner-hole"}, "OUTPUT")
    },
    # Who went there does not come back: what the chain lets go by has the policy of the built-in chain.
    "own_chain_with_a_way_back": {"allows_more": {(None, "MINE"), (None, _DEFAULT)}},
    "deny_moved_down": {"allows_more": {("main/partner-hole", "main/by-address")}},
    "rule_deleted": {"allows_less": {("main/ntp", _CLOSING)}},
    "rules_deleted": {
        "allows_less": {("main/ntp", _CLOSING), ("main/by-address", _CLOSING), ("main/status", _CLOSING)}
    },
    "port_added": {"allows_more": {(None, "main/queue")}},
    "port_lost": {"allows_less": {("main/by-address", _CLOSING)}},
    "ports_dropped": {"allows_more": {(None, "main/queue")}},
    "returned_instead": {"allows_less": {("main/ntp", "main/ntp")}},
    "network_widened": {"allows_more": {(None, "main/by-address")}},
    "member_removed": {"allows_less": {("main/ntp", _CLOSING)}},
    "member_added_for_good": {"allows_more": {(None, "main/cloud")}},
    ("iptables", "member_added_for_good"): {
        "allows_more": {(None, "main/cloud")},
        "inspection_differs": _CLOUD_EXEMPTS,
    },
    # 203.0.113.77 is open, and .78 and .79 are closed (and, on a gateway, exempt).
    "hole_filled": {
        "allows_more": {("main/partner-hole", "main/by-address")},
        "allows_less": {("main/by-address", "main/partner-hole")},
    },
    ("iptables", "hole_filled"): {
        "allows_more": {("main/partner-hole", "main/by-address")},
        "allows_less": {("main/by-address", "main/partner-hole")},
        "inspection_differs": {(None, "main/partner-hole")},
    },
    "domain_widened": {"allows_more": {(None, "main/cloud")}},
    ("iptables", "domain_widened"): {"allows_more": {(None, "main/cloud")}, "inspection_differs": _CLOUD_EXEMPTS},
    "domain_lost": {"allows_less": {("main/cloud", _CLOSING)}},
    "exception_lost": {"allows_more": {(None, "more/files")}},
    "deny_by_name_lost": {"allows_more": {(None, "main/queue")}},
    "domain_taken_out": {"allows_less": {("main/cloud", _CLOSING)}},
    "every_name": {"allows_more": {(None, "main/cloud")}},
    ("iptables", "every_name"): {"allows_more": {(None, "main/cloud")}, "inspection_differs": _CLOUD_EXEMPTS},
    "wrong_sets": {"allows_more": {(None, "main/status")}, "allows_less": {("main/cloud", _CLOSING)}},
    # The default deny is missing, and the policy of the built-in chain allows.
    "default_deny_lost": {"allows_more": {(None, _DEFAULT)}},
    "default_deny_for_tcp_only": {"allows_more": {(None, _DEFAULT)}},
    "pilot_ended": {"allows_less": {("main/until", _CLOSING)}},
    "internal_networks_widened": {
        "allows_more": {(None, _INTERNAL)},
        "allows_less": _all(_BY_NAME | {"main/ntp"}, _INTERNAL),
    },
    # In `nat` what goes there goes by as well.
    ("iptables", "internal_networks_widened"): {
        "allows_more": {(None, _INTERNAL)},
        "allows_less": _all(_BY_NAME | {"main/ntp", "opened/uploads"}, _INTERNAL),
        "inspection_differs": {("opened/uploads", None)},
    },
    "unknown_match": {"unknown": {(None, _OWN)}},
    # It may let through anything on 443, and stop it.
    "unknown_target": {
        "unknown": _all({None, "both/portal", "main/as-agent", "main/cloud", "main/until", "more/files"}, _QUEUED)
    },
    ("iptables", "unknown_target"): {
        "unknown": _all(
            {None, "both/portal", "main/as-agent", "main/cloud", "main/until", "more/files", "opened/uploads"}, _QUEUED
        )
    },
    # What the resolver asks goes there, too.
    "dropped_in_mangle": {"unknown": _all(_BY_NAME | {"main/by-address", None}, _MANGLED)},
    ("iptables", "dropped_in_mangle"): {"unknown": _all(_BY_NAME | {"main/by-address", "opened/uploads"}, _MANGLED)},
    # An address stays known for longer than it is in the set.
    "cache_outlives_the_sets": {"unknown": {(rule, rule) for rule in _BY_NAME}},
    ("iptables", "cache_outlives_the_sets"): {"unknown": {(rule, rule) for rule in _BY_NAME | {"opened/uploads"}}},
    "two_lines_for_a_domain": {"unknown": {("main/cloud", "main/cloud")}},
    # The server inside the house is left to others; all else has the policy of the built-in chain.
    "source_set_narrowed": {
        "allows_more": {(None, _DEFAULT), ("main/partner-hole", _DEFAULT)},
        "allows_less": {("main/inside", _INTERNAL)},
    },
    "inspection_ended": {"inspection_differs": {("opened/uploads", None)}},
    "inspected_by_hand": {
        "allows_more": {(None, "PREROUTING")},
        "inspection_differs": {("main/cloud", "PREROUTING")},
    },
    # The address is one that a rule allows.
    "redirected_elsewhere": {"unknown": {(None, "PREROUTING"), ("main/by-address", "PREROUTING")}},
    # Everything goes by: what must be denied, and what must be let through.
    "interface_changed": {
        "allows_more": {("main/partner-hole", _ELSEWHERE), (None, _ELSEWHERE)},
        "allows_less": _all(_ALLOWS | {"opened/uploads"}, _ELSEWHERE),
        "inspection_differs": {("opened/uploads", None)},
    },
    # The proxy has them, whoever they come from.
    "denied_by_address_no_more_in_nat": {"allows_more": {(None, _OWN), ("main/partner-hole", _OWN)}},
    "another_user": {
        "allows_more": {(None, "main/as-agent")},
        "allows_less": {("main/as-agent", _CLOSING)},
    },
    "any_user": {"allows_more": {(None, "main/as-agent")}},
    # Neither the agent nor the resolver is known by its number.
    "users_not_known": {"unknown": {(None, "main/as-agent"), ("main/as-agent", "main/as-agent"), (None, _ASKS)}},
    # Nothing works without the answers: neither what is asked of the resolver's servers.
    "answers_rejected": {"unknown": _all(_ALLOWS | {None}, "it rejects packets of established connections")},
    # It is rejected over IPv6, to which no rule by address speaks.
    "loopback_rejected": {"unknown": _all(_BY_NAME | {None}, "it rejects loopback")},
    "anybody_asks_dns": {"allows_more": {(None, _ASKS)}},
}

ONE_FOR_ALL = {
    "internal_networks_widened", "unknown_target", "dropped_in_mangle", "interface_changed", "answers_rejected",
    "loopback_rejected", "cache_outlives_the_sets",
}  # fmt: skip
"""After which one live rule is at fault for several rules of the policy, and a finding names one of them."""

BEFORE_THE_DEFAULT = {"cache_outlives_the_sets"}
"""After which that live rule is the default deny: it has what several allows may lack, and the default would allow."""

BROKEN_LOWERINGS = {"parents_kept"}
"""What is stopped before there is a text that an evaluator could take: a step changes more than its reason allows."""

REACHES_TOO_FAR = {"users_not_known"}
"""After which an example has the number that a rule asks for: what is not known is whose it is."""

NOT_LOADED = {"quote_not_closed"}
"""What the evaluator refuses, as the programs may; the reader takes what they take, or nothing at all."""
