"""What somebody may do to a Linux firewall: each function takes the untouched files of an export and changes one thing.

For what `saved` makes of the artefacts of the policies `iptables` (a gateway) and `iptables-host` of `proof_policies`.
"""

from __future__ import annotations

import re

V4, V6, SETS, RESOLVER = "iptables.save", "ip6tables.save", "ipset.save", "egressc.conf"

ONLY = {
    "source_set_narrowed": "iptables",
    "inspection_ended": "iptables",
    "inspected_by_hand": "iptables",
    "redirected_elsewhere": "iptables",
    "interface_changed": "iptables",
    "denied_by_address_no_more_in_nat": "iptables",
    "another_user": "iptables-host",
    "any_user": "iptables-host",
    "users_not_known": "iptables-host",
    "answers_rejected": "iptables-host",
    "loopback_rejected": "iptables-host",
    "anybody_asks_dns": "iptables-host",
}
"""The kind of firewall that a tampering is for, where it is not for both."""

EXPECTED = {
    "rule_added": {"allows_more"},
    "rule_added_before_the_jump": {"allows_more"},
    "deny_added": {"allows_less"},
    "everything_let_through_before_the_jump": {"allows_more"},
    "own_chain_with_a_way_back": {"allows_more"},
    "deny_moved_down": {"allows_more"},
    "rule_deleted": {"allows_less"},
    "rules_deleted": {"allows_less"},
    "port_added": {"allows_more"},
    "port_lost": {"allows_less"},
    "ports_dropped": {"allows_more"},
    "returned_instead": {"allows_less"},
    "network_widened": {"allows_more"},
    "member_removed": {"allows_less"},
    "member_added_for_good": {"allows_more"},
    "hole_filled": {"allows_more", "allows_less"},
    "domain_widened": {"allows_more"},
    "domain_lost": {"allows_less"},
    "exception_lost": {"allows_more"},
    "deny_by_name_lost": {"allows_more"},
    "domain_taken_out": {"allows_less"},
    "every_name": {"allows_more"},
    "wrong_sets": {"allows_more", "allows_less"},
    "default_deny_lost": {"allows_more"},
    "default_deny_for_tcp_only": {"allows_more"},
    "pilot_ended": {"allows_less"},
    "internal_networks_widened": {"allows_more", "allows_less"},
    "unknown_match": {"unknown"},
    "unknown_target": {"unknown"},
    "dropped_in_mangle": {"unknown"},
    "cache_outlives_the_sets": {"unknown"},
    "two_lines_for_a_domain": {"unknown"},
    "source_set_narrowed": {"allows_more", "allows_less"},
    "inspection_ended": {"inspection_differs"},
    "inspected_by_hand": {"allows_more", "inspection_differs"},
    "redirected_elsewhere": {"unknown"},
    "interface_changed": {"allows_more", "allows_less", "inspection_differs"},
    "denied_by_address_no_more_in_nat": {"allows_more"},
    "another_user": {"allows_more", "allows_less"},
    "any_user": {"allows_more"},
    "users_not_known": {"unknown"},
    "answers_rejected": {"unknown"},
    "loopback_rejected": {"unknown"},
    "anybody_asks_dns": {"allows_more"},
    # What is exempt from inspection on a gateway goes by the same sets as what is allowed.
    ("iptables", "domain_widened"): {"allows_more", "inspection_differs"},
    ("iptables", "every_name"): {"allows_more", "inspection_differs"},
    ("iptables", "member_added_for_good"): {"allows_more", "inspection_differs"},
    ("iptables", "hole_filled"): {"allows_more", "allows_less", "inspection_differs"},
    ("iptables", "internal_networks_widened"): {"allows_more", "allows_less", "inspection_differs"},
}
"""Which lists of the drift must have something in them, and no others; by name, or by kind and name."""


def _edit(files, name, change):
    text = files[name].decode()
    changed = change(text)
    assert changed != text, "nothing was tampered with"
    return files | {name: changed.encode()}


def _sub(files, name, pattern, by, count=1):
    return _edit(files, name, lambda text: re.sub(pattern, by, text, count=count, flags=re.MULTILINE))


def _first(files, name, line, chain="EGRESSC"):
    """A line before the first rule of a chain in the table `filter`."""

    def change(text):
        head, table, rest = text.partition("*filter\n")
        return head + table + re.sub(rf"^-A {chain} ", lambda m: f"{line}\n{m[0]}", rest, count=1, flags=re.MULTILINE)

    return _edit(files, name, change)


def _hook(files):
    return "FORWARD" if b"*nat" in files[V4] else "OUTPUT"


def _rule(files, key):
    """The line of a rule of the policy in the table `filter`, for its first source."""
    text = files[V4].decode().partition("*filter\n")[2]
    return re.search(rf'^-A EGRESSC .*--comment "{key}: .*$', text, re.MULTILINE)[0]


def _stem(files, key):
    """The set of the destinations of a rule, without its family."""
    return re.search(r"--match-set (eg[cn]_\w+)_4 dst", _rule(files, key))[1]


def rule_added(files):
    return _first(files, V4, "-A EGRESSC -d 203.0.113.250/32 -p tcp -m tcp --dport 22 -j ACCEPT")


def rule_added_before_the_jump(files):
    hook = _hook(files)
    return _first(files, V6, f"-A {hook} -d 2001:db8:77::1/128 -p tcp -m tcp --dport 443 -j ACCEPT", hook)


def deny_added(files):
    return _first(files, V4, "-A EGRESSC -d 203.0.113.5/32 -p tcp -m tcp --dport 8443 -j DROP")


def everything_let_through_before_the_jump(files):
    hook = _hook(files)
    return _first(files, V4, f"-A {hook} -j ACCEPT", hook)


def own_chain_with_a_way_back(files):
    hook = _hook(files)
    chain = (
        f"-A MINE -p udp -j RETURN\n-A MINE -p tcp -m tcp --dport 25 -j ACCEPT\n-A {hook} -d 198.51.100.25/32 -g MINE"
    )
    return _edit(_first(files, V4, chain, hook), V4, lambda text: text.replace("*filter\n", "*filter\n:MINE - [0:0]\n"))


def deny_moved_down(files):
    line = _rule(files, "main/partner-hole")
    last = _rule(files, "main/by-address")
    return _edit(files, V4, lambda text: text.replace(line + "\n", "").replace(last, f"{last}\n{line}"))


def rules_deleted(files):
    for key in ("main/ntp", "main/by-address", "main/status"):
        files = _sub(files, V4, rf'^-A EGRESSC .*--comment "{key}: .*\n', "", 0)
    return files


def rule_deleted(files):
    return _edit(files, V4, lambda text: text.replace(_rule(files, "main/ntp") + "\n", ""))


def port_added(files):
    return _sub(files, V4, r"--dport 5671:5672", "--dport 5671:5673")


def port_lost(files):
    return _sub(files, V4, r"8443,8500:8510", "8443,8500:8509")


def ports_dropped(files):
    line = _rule(files, "main/queue")
    return _edit(files, V4, lambda text: text.replace(line, line.replace("-m tcp --dport 5671:5672 ", "")))


def returned_instead(files):
    line = _rule(files, "main/ntp")
    return _edit(files, V4, lambda text: text.replace(line, line.replace("-j ACCEPT", "-j RETURN")))


def network_widened(files):
    return _sub(files, SETS, r"203\.0\.113\.0/25", "203.0.113.0/24")


def member_removed(files):
    return _sub(files, SETS, r"^add \S+ 192\.0\.2\.123\n", "")


def member_added_for_good(files):
    name = f"{_stem(files, 'main/cloud')}_4"
    return _sub(files, SETS, rf"^(create {name} .*)$", rf"\1\nadd {name} 203.0.113.9 timeout 0")


def hole_filled(files):
    return _sub(files, SETS, r"^add (\S+) 203\.0\.113\.77$", r"add \1 203.0.113.78\nadd \1 203.0.113.79")


def domain_widened(files):
    return _sub(files, RESOLVER, r"/cloud\.example\.com/", "/example.com/")


def domain_lost(files):
    return _sub(files, RESOLVER, r"^ipset=/api\.example\.net/.*\n", "")


def exception_lost(files):
    return _sub(files, RESOLVER, r"^ipset=/archive\.files.*\n", "")


def deny_by_name_lost(files):
    return _sub(files, RESOLVER, r"^ipset=/old\.queue.*\n", "")


def domain_taken_out(files):
    return _sub(files, RESOLVER, r"\Z", "ipset=/eu.cloud.example.com/egc_void_4,egc_void_6\n")


def every_name(files):
    stem = _stem(files, "main/cloud")
    return _sub(files, RESOLVER, r"\Z", f"ipset={stem}_4,{stem}_6\n")


def wrong_sets(files):
    cloud, status = _stem(files, "main/cloud"), _stem(files, "main/status")
    return _sub(files, RESOLVER, rf"(/api\.example\.net/){cloud}_4,{cloud}_6", rf"\1{status}_4,{status}_6")


def default_deny_lost(files):
    return _sub(files, V6, r'^-A EGRESSC .*"egressc: default deny".*\n', "", count=0)


def default_deny_for_tcp_only(files):
    return _sub(files, V4, r"^-A EGRESSC .*icmp-admin-prohibited\n", "", count=0)


def pilot_ended(files):
    return _sub(files, V4, r"--datestop 2027-06-30T", "--datestop 2026-06-30T")


def internal_networks_widened(files):
    return _sub(files, SETS, r"^add egc_internal_4 10\.0\.0\.0/8", "add egc_internal_4 192.0.2.0/24\n\\g<0>")


def unknown_match(files):
    return _first(files, V4, "-A EGRESSC -p tcp -m tcp --dport 25 -m geoip --destination-country IE -j ACCEPT")


def unknown_target(files):
    return _first(files, V4, "-A EGRESSC -p tcp -m tcp --dport 443 -j NFQUEUE --queue-num 1")


def dropped_in_mangle(files):
    table = (
        "*mangle\n:FORWARD ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -d 203.0.113.1/32 -j DROP\nCOMMIT\n"
    )
    return _edit(files, V4, lambda text: text.replace("*filter\n", table + "*filter\n"))


def cache_outlives_the_sets(files):
    return _sub(files, RESOLVER, r"max-cache-ttl=300", "max-cache-ttl=604800")


def two_lines_for_a_domain(files):
    return _sub(files, RESOLVER, r"\Z", "ipset=/api.example.net/egc_void_4,egc_void_6\n")


def source_set_narrowed(files):
    return _sub(files, SETS, r"10\.20\.0\.0/24", "10.20.0.0/25")


def inspection_ended(files):
    return _sub(files, V4, r"^-A EGRESSC .*-j REDIRECT.*\n", "")


def inspected_by_hand(files):
    line = "-A PREROUTING -p tcp -m tcp --dport 443 -j REDIRECT --to-ports 3129"
    return _edit(files, V4, lambda text: text.replace("-A PREROUTING ", f"{line}\n-A PREROUTING ", 1))


def redirected_elsewhere(files):
    line = "-A PREROUTING -d 203.0.113.5/32 -p tcp -m tcp --dport 8443 -j DNAT --to-destination 203.0.113.6"
    return _edit(files, V4, lambda text: text.replace("-A PREROUTING ", f"{line}\n-A PREROUTING ", 1))


def interface_changed(files):
    return _sub(files, V4, r"! -i lan0", "-i lan0", count=0)


def denied_by_address_no_more_in_nat(files):
    def change(text):
        nat, table, rest = text.partition("*filter\n")
        nat = nat.replace(
            "-A EGRESSC ! -i", "-A EGRESSC -d 203.0.113.77/32 -p tcp -m tcp --dport 8443 -j REDIRECT --to-ports 3129\n"
            "-A EGRESSC ! -i", 1)  # fmt: skip
        return nat + table + rest

    return _edit(files, V4, change)


def another_user(files):
    return _sub(files, V4, r"--uid-owner 61001", "--uid-owner 61002")


def any_user(files):
    return _sub(files, V4, r" -m owner --uid-owner 61001", "")


def users_not_known(files):
    return {name: content for name, content in files.items() if name != "passwd"}


def answers_rejected(files):
    return _sub(files, V4, r"^-A EGRESSC -m conntrack .*\n", "")


def loopback_rejected(files):
    return _sub(files, V6, r"^-A EGRESSC -o lo .*\n", "")


def anybody_asks_dns(files):
    return _sub(files, V4, r"--dport 53 -m owner --uid-owner 104", "--dport 53")
