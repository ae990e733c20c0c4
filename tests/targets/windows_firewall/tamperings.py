"""What somebody may do to a host: each function takes the untouched files and returns them with one change.

The files are those of `registry_export.export_of` for the policy of `windows_scenario`, with its `ACCOUNTS`. The first
line of each docstring says what was done, the second what must be found: the lists of a drift that are not empty (as in
`EXPECTED`), and in which rule of the policy or live rule.
"""

from __future__ import annotations

import json
import re

REG, KEYWORDS, USES = "firewall.reg", "keywords.json", "rules.json"
RULE = "v2.33|Action=Allow|Active=TRUE|Dir=Out|"


def _text(files):
    return files[REG].decode("utf-16")


def _with(files, text):
    assert text != _text(files), "nothing was changed"
    return {**files, REG: text.encode("utf-16")}


def _rule(files, title, old, new):
    """One rule, found by what its title begins with, with a part of its text replaced."""
    lines = _text(files).split("\r\n")
    (at,) = [number for number, line in enumerate(lines) if f"|Name=egressc: {title}" in line]
    assert old in lines[at], (old, lines[at])
    lines[at] = lines[at].replace(old, new, 1)
    return _with(files, "\r\n".join(lines))


def _without(files, title):
    lines = _text(files).split("\r\n")
    left = [line for line in lines if f"|Name=egressc: {title}" not in line]
    assert len(left) == len(lines) - 1
    return _with(files, "\r\n".join(left))


def _added(files, name, rule):
    text = _text(files)
    return _with(files, text.rstrip("\r\n") + f'\r\n"{name}"="{rule}"\r\n')


def _keyword(files, old, new):
    text = files[KEYWORDS].decode("utf-16")
    assert f'"{old}"' in text
    return {**files, KEYWORDS: text.replace(f'"{old}"', f'"{new}"').encode("utf-16")}


def _profile(files, name, setting, value):
    text = _text(files)
    pattern = rf'(\\{name}Profile\](?:\r\n"[^\r\n]*)*?\r\n"{setting}"=dword:)[0-9a-f]+'
    return _with(files, re.sub(pattern, rf"\g<1>{value:08x}", text))


def tamper_block_turned_allow(files):
    """The block rule of `p/quarantine` allows.

    allows_more: `p/quarantine` is allowed.
    """
    return _rule(files, "p/quarantine TCP", "Action=Block", "Action=Allow")


def tamper_allow_turned_block(files):
    """The allow rule of `p/time` over UDP blocks.

    allows_less: `p/time`.
    """
    return _rule(files, "p/time UDP", "Action=Allow", "Action=Block")


def tamper_exception_turned_allow(files):
    """The block rule for the exception of `p/agent` allows.

    allows_more: the exception of `p/agent`, at any name.
    """
    return _rule(files, _AGENT_OUT, "Action=Block", "Action=Allow")


def tamper_rule_switched_off(files):
    """A rule of `p/installer` is not active.

    allows_less: `p/installer`.
    """
    return _rule(files, "p/installer", "Active=TRUE", "Active=FALSE")


def tamper_active_lost(files):
    """A rule of `p/installer` does not say that it is active, so it is not ([MS-GPFAS]: absent is FALSE).

    allows_less: `p/installer`.
    """
    return _rule(files, "p/installer", "Active=TRUE|", "")


def tamper_rule_removed(files):
    """The rule of `p/time` over TCP is gone.

    allows_less: `p/time`, over TCP.
    """
    return _without(files, "p/time TCP")


def tamper_block_removed(files):
    """The block rule of `p/quarantine` over UDP is gone.

    allows_more: `p/quarantine` over UDP, through the rule for the internal networks.
    """
    return _without(files, "p/quarantine UDP")


def tamper_internal_rule_removed(files):
    """The rule that leaves the internal networks open is gone.

    allows_less: the internal networks; no rule of the policy.
    """
    return _without(files, "internal networks")


def tamper_allow_added_by_hand(files):
    """A rule of another name lets one program out to one address.

    allows_more: the live rule `by-hand`.
    """
    rule = f"{RULE}Protocol=6|RPort=22|RA4=198.51.100.7|App=C:\\\\Tools\\\\ssh.exe|Name=ssh|"
    return _added(files, "by-hand", rule)


def tamper_block_added_by_hand(files):
    """A rule of another name blocks one of the addresses of `p/time`.

    allows_less: `p/time`, through the live rule `by-hand`.
    """
    return _added(files, "by-hand", RULE.replace("Allow", "Block") + "Protocol=17|RA4=192.0.2.9|Name=no time|")


def tamper_group_policy_rule(files):
    """Group policy brings a rule that allows DNS to everybody.

    allows_more: the live rule `gpo-dns`.
    """
    key = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall\\FirewallRules"
    more = f'\r\n[{key}]\r\n"gpo-dns"="{RULE}Protocol=17|RPort=53|Name=dns|"\r\n'
    return _with(files, _text(files) + more)


def tamper_keyword_widened(files):
    """The keyword `login.contoso.example` is now `*.contoso.example`, which is one label more.

    allows_more: other names below contoso.example (a rule of `p/names`).
    """
    return _keyword(files, "login.contoso.example", "*.contoso.example")


def tamper_keyword_narrowed(files):
    """The keyword `*.cloud.example` is now `cloud.example`.

    allows_more: `cloud.example` itself; allows_less: `p/names`, every name below it.
    """
    return _keyword(files, "*.cloud.example", "cloud.example")


def tamper_keyword_replaced(files):
    """The keyword `*.agent.example` stands for another name.

    allows_more: that name; allows_less: `p/agent`.
    """
    return _keyword(files, "*.agent.example", "*.attacker.example")


def tamper_keyword_dropped_from_rule(files):
    """One rule of `p/names` refers to one keyword less.

    allows_less: `p/names`.
    """
    uses = json.loads(files[USES].decode("utf-16"))
    some = next(use for use in uses if len(use["RemoteDynamicKeywordAddresses"] or ()) > 1)
    del some["RemoteDynamicKeywordAddresses"][0]
    return {**files, USES: json.dumps(uses).encode("utf-16")}


def tamper_keyword_deleted(files):
    """The keyword of `p/agent` is gone from the host, the rule refers to it still.

    unknown: nobody can tell what the rule matches now (`p/agent`).
    """
    keywords = json.loads(files[KEYWORDS].decode("utf-16"))
    left = [each for each in keywords if each["Keyword"] != "*.agent.example"]
    assert len(left) == len(keywords) - 1
    return {**files, KEYWORDS: json.dumps(left).encode("utf-16")}


def tamper_account_removed(files):
    """A rule of `p/installer` is for anybody.

    allows_more: other accounts, to the addresses of `p/installer`.
    """
    lines = _text(files)
    (acl,) = set(re.findall(r"LUAuth=[^|]*S-1-5-80-[^|]*\|", lines))
    return _rule(files, "p/installer", acl, "")


def tamper_account_replaced(files):
    """A rule of `p/installer` is for LocalSystem instead.

    allows_more: LocalSystem; allows_less: `p/installer`.
    """
    (sid,) = set(re.findall(r"S-1-5-80-[-0-9]+", _text(files)))
    return _rule(files, "p/installer", sid, "S-1-5-18")


def tamper_account_added(files):
    """A rule of `p/installer` is for LocalSystem, too.

    allows_more: LocalSystem, to the addresses of `p/installer`.
    """
    return _rule(files, "p/installer", "O:LSD:", "O:LSD:(A;;CC;;;SY)")


def tamper_account_everyone(files):
    """A rule of `p/names` lets everyone match who runs in the service.

    allows_more: other accounts in the service.
    """
    return _rule(files, "p/names as net, service WAPCSvc TCP", "(A;;CC;;;S-1-5-20)", "(A;;CC;;;WD)")


def tamper_service_replaced(files):
    """A rule of `p/names` is for another service.

    allows_more: that service; allows_less: `p/names`.
    """
    return _rule(files, "p/names as net, service WAPCUpd TCP", "Svc=WAPCUpd", "Svc=Spooler")


def tamper_service_removed(files):
    """A rule of `p/names` is for every process of the account.

    allows_more: processes of the account outside both services.
    """
    return _rule(files, "p/names as net, service WAPCSvc TCP", "Svc=WAPCSvc|", "")


def tamper_program_replaced(files):
    """A rule of `p/agent` is for another program.

    allows_more: that program; allows_less: `p/agent`.
    """
    return _rule(files, _AGENT_IN, "agent.exe|Name", "shell.exe|Name")


def tamper_port_widened(files):
    """A rule of `p/time` holds one port more.

    allows_more: port 124 over UDP.
    """
    return _rule(files, "p/time UDP", "RPort=123|", "RPort2_10=123-124|")


def tamper_port_removed(files):
    """A rule of `p/installer` has lost port 443.

    allows_less: `p/installer`.
    """
    return _rule(files, "p/installer", "RPort=443|", "")


def tamper_ports_lost(files):
    """A rule of `p/installer` is for every port of TCP.

    allows_more: other ports at the addresses of `p/installer`.
    """
    return _rule(files, "p/installer", "RPort=443|RPort2_10=8000-8010|", "")


def tamper_protocol_swapped(files):
    """A rule of `p/time` is for TCP instead of UDP.

    allows_more: port 123 over TCP; allows_less: `p/time`.
    """
    return _rule(files, "p/time UDP", "Protocol=17", "Protocol=6")


def tamper_address_edited(files):
    """One address of a rule of `p/time` is another.

    allows_more: 192.0.2.2; allows_less: `p/time`, 192.0.2.1.
    """
    return _rule(files, "p/time UDP", "RA4=192.0.2.1|", "RA4=192.0.2.2|")


def tamper_network_widened(files):
    """The network of `p/installer` is twice as large.

    allows_more: 203.0.112.0/24.
    """
    return _rule(files, "p/installer", "RA4=203.0.113.0/255.255.255.0|", "RA4=203.0.112.0/255.255.254.0|")


def tamper_block_narrowed(files):
    """The block rule of `p/quarantine` over TCP stops half of the network.

    allows_more: `p/quarantine`, the other half, through the rule for the internal networks.
    """
    return _rule(files, "p/quarantine TCP", "/255.255.0.0|", "/255.255.128.0|")


def tamper_family_lost(files):
    """A rule of `p/time` has lost its IPv6 network.

    allows_less: `p/time`.
    """
    return _rule(files, "p/time TCP", "RA6=2001:db8:1::/64|", "")


def tamper_addresses_lost(files):
    """A rule of `p/installer` is for any address.

    allows_more: other addresses on the ports of `p/installer`.
    """
    return _rule(files, "p/installer", "RA4=203.0.113.0/255.255.255.0|", "")


def tamper_internal_rule_widened(files):
    """The rule for the internal networks holds the double of one of them.

    allows_more: 11.0.0.0/8.
    """
    return _rule(files, "internal networks", "RA4=10.0.0.0/255.0.0.0|", "RA4=10.0.0.0/254.0.0.0|")


def tamper_profile_lost(files):
    """A rule of `p/installer` is in force in networks of a domain only.

    unknown: `p/installer`, since it depends on the network.
    """
    return _rule(files, "p/installer", "|Name=", "|Profile=Domain|Name=")


def tamper_interface(files):
    """A rule of `p/time` is in force on wireless interfaces only.

    unknown: `p/time`, since nothing says how the host is connected.
    """
    return _rule(files, "p/time TCP", "|Name=", "|IFType=Wireless|Name=")


def tamper_local_subnet(files):
    """A rule of `p/time` is for the local subnet, too.

    unknown: which addresses that is, only the host knows (a rule of `p/time`).
    """
    return _rule(files, "p/time UDP", "RA4=192.0.2.1|", "RA4=192.0.2.1|RA4=LocalSubnet|")


def tamper_default_allows(files):
    """What no rule matches is let out in public networks.

    allows_more: the default deny is missing.
    """
    return _profile(files, "Public", "DefaultOutboundAction", 0)


def tamper_firewall_off(files):
    """The firewall is off in every profile.

    allows_more: everything, also `p/quarantine`.
    """
    for name in ("Domain", "Standard", "Public"):
        files = _profile(files, name, "EnableFirewall", 0)
    return files


def tamper_firewall_off_in_public_networks(files):
    """The firewall is off in public networks.

    unknown: everything that must be denied, since it depends on the network.
    """
    return _profile(files, "Public", "EnableFirewall", 0)


def tamper_local_rules_void(files):
    """Group policy voids the rules of the host.

    allows_less: every allow of the policy, and the internal networks.
    """
    key = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall"
    more = "".join(
        f'\r\n[{key}\\{name}Profile]\r\n"AllowLocalPolicyMerge"=dword:00000000\r\n'
        for name in ("Domain", "Private", "Public")
    )
    return _with(files, _text(files) + more)


_AGENT = "p/agent as agent, program %ProgramFiles%\\\\Contoso's Agent\\\\agent.exe TCP"
_AGENT_IN, _AGENT_OUT = f"{_AGENT} (names)", f"{_AGENT} (excepted addresses)"

EXPECTED = {
    "tamper_block_turned_allow": {"allows_more"},
    "tamper_allow_turned_block": {"allows_less"},
    "tamper_exception_turned_allow": {"allows_more"},
    "tamper_rule_switched_off": {"allows_less"},
    "tamper_active_lost": {"allows_less"},
    "tamper_rule_removed": {"allows_less"},
    "tamper_block_removed": {"allows_more"},
    "tamper_internal_rule_removed": {"allows_less"},
    "tamper_allow_added_by_hand": {"allows_more"},
    "tamper_block_added_by_hand": {"allows_less"},
    "tamper_group_policy_rule": {"allows_more"},
    "tamper_keyword_widened": {"allows_more"},
    "tamper_keyword_narrowed": {"allows_more", "allows_less"},
    "tamper_keyword_replaced": {"allows_more", "allows_less"},
    "tamper_keyword_dropped_from_rule": {"allows_less"},
    "tamper_keyword_deleted": {"unknown"},
    "tamper_account_removed": {"allows_more"},
    "tamper_account_replaced": {"allows_more", "allows_less"},
    "tamper_account_added": {"allows_more"},
    "tamper_account_everyone": {"allows_more"},
    "tamper_service_replaced": {"allows_more", "allows_less"},
    "tamper_service_removed": {"allows_more"},
    "tamper_program_replaced": {"allows_more", "allows_less"},
    "tamper_port_widened": {"allows_more"},
    "tamper_port_removed": {"allows_less"},
    "tamper_ports_lost": {"allows_more"},
    "tamper_protocol_swapped": {"allows_more", "allows_less"},
    "tamper_address_edited": {"allows_more", "allows_less"},
    "tamper_network_widened": {"allows_more"},
    "tamper_block_narrowed": {"allows_more"},
    "tamper_family_lost": {"allows_less"},
    "tamper_addresses_lost": {"allows_more"},
    "tamper_internal_rule_widened": {"allows_more"},
    "tamper_profile_lost": {"unknown"},
    "tamper_interface": {"unknown"},
    "tamper_local_subnet": {"unknown"},
    "tamper_default_allows": {"allows_more"},
    "tamper_firewall_off": {"allows_more"},
    "tamper_firewall_off_in_public_networks": {"unknown"},
    "tamper_local_rules_void": {"allows_less"},
}
"""The lists of a drift that are not empty after each tampering; all others are empty."""
