"""What a machine exports once the rules are on it: written from [MS-GPFAS] 2.2.2.19, sharing nothing with the target.

Rules are parameters of New-NetFirewallRule, as a host keeps them (see `windows_host`). Networks are written with their
mask, as Windows writes them; dynamic keywords are in no published field, so they stand in what Get-NetFirewallRule says.
"""

from __future__ import annotations

import ipaddress
import json

HEAD = "Windows Registry Editor Version 5.00"
RULES = (
    "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules"
)
GPO_RULES = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall\\FirewallRules"
NUMBERS = {"TCP": 6, "UDP": 17}


def rule_string(parameters, *, version="v2.33", keywords_as=None):
    """One rule: the fields in the order in which Windows writes them."""
    fields = [("Action", parameters["action"]), ("Active", parameters["enabled"].upper()), ("Dir", "Out")]
    if parameters["protocol"] != "Any":
        fields.append(("Protocol", NUMBERS[parameters["protocol"]]))
    if parameters["profile"] != "Any":
        fields += [("Profile", name) for name in parameters["profile"].split(",")]
    for port in parameters.get("remoteport", ()):
        if port != "Any":
            fields.append(("RPort2_10" if "-" in port else "RPort", port))
    addresses = [text for text in parameters.get("remoteaddress", ()) if text != "Any"]
    fields += [("RA4", with_mask(text)) for text in addresses if ":" not in text]
    fields += [("RA6", text) for text in addresses if ":" in text]
    for field, parameter in (("App", "program"), ("Svc", "service")):
        if parameter in parameters:
            fields.append((field, parameters[parameter]))
    fields.append(("Name", parameters["displayname"]))
    fields.append(("Desc", parameters["description"]))
    fields.append(("EmbedCtxt", parameters["group"]))
    if "localuser" in parameters:
        fields.append(("LUAuth", parameters["localuser"]))
    if keywords_as:
        fields += [(keywords_as, guid) for guid in parameters["RemoteDynamicKeywordAddresses"]]
    return f"{version}|" + "".join(f"{key}={value}|" for key, value in fields)


def with_mask(text):
    return ipaddress.IPv4Network(text).with_netmask if "/" in text else text


def parameters_of(model, accounts=None):
    """What New-NetFirewallRule is given for each rule of a model; `accounts` are identifiers of accounts by name."""
    found = []
    for rule in model.rules:
        given = {
            "name": rule.name,
            "displayname": rule.display_name,
            "description": rule.description,
            "group": model.group,
            "enabled": "True",
            "action": str(rule.action),
            "protocol": str(rule.protocol),
            "profile": "Any" if "ANY" in str(model.profiles) else ",".join(model.profiles),
            "RemoteDynamicKeywordAddresses": list(getattr(rule.remote, "ids", ())),
        }
        if isinstance(rule.ports, tuple):
            given["remoteport"] = list(rule.ports)
        if hasattr(rule.remote, "values"):
            given["remoteaddress"] = list(rule.remote.values)
        if isinstance(rule.users, tuple):
            sids = [user.value if user.value.startswith("S-1-") else accounts[user.value] for user in rule.users]
            given["localuser"] = "O:LSD:" + "".join(f"(A;;CC;;;{sid})" for sid in sids)
        if isinstance(rule.service, str):
            given["service"] = rule.service
        if isinstance(rule.program, str):
            given["program"] = rule.program
        found.append(given)
    return found


def reg_text(keys):
    """The text of `reg export`: by key the values, which are texts or numbers."""
    lines = [HEAD, ""]
    for key, values in keys.items():
        lines.append(f"[{key}]")
        for name, value in values.items():
            written = f"dword:{value:08x}" if isinstance(value, int) else f'"{escaped(value)}"'
            lines.append(f'"{escaped(name)}"={written}')
        lines.append("")
    return "\r\n".join(lines) + "\r\n"


def escaped(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')


def profile_keys(*, block=True, on=True):
    """The settings of the three profiles on a host."""
    parent = RULES.rpartition("\\")[0]
    values = {"EnableFirewall": int(on), "DefaultOutboundAction": int(block)}
    return {f"{parent}\\{name}Profile": dict(values) for name in ("Domain", "Standard", "Public")}


def export(rules, keywords, *, block=True, accounts=None, key=RULES, keywords_as=None):
    """The files of an export: `rules` as parameters of the cmdlet, `keywords` as pairs of id and name."""
    values = {rule["name"]: rule_string(rule, keywords_as=keywords_as) for rule in rules}
    files = {
        "firewall.reg": reg_text({**profile_keys(block=block), key: values}).encode("utf-16", "surrogatepass"),
        "keywords.json": as_json([{"Id": i, "Keyword": n, "Addresses": "", "AutoResolve": True} for i, n in keywords]),
    }
    if not keywords_as:
        uses = {rule["name"]: rule["RemoteDynamicKeywordAddresses"] for rule in rules}
        files["rules.json"] = as_json(
            [{"Name": name, "RemoteDynamicKeywordAddresses": ids or None} for name, ids in uses.items()]
        )
    if accounts:
        files["accounts.json"] = as_json([{"Name": name, "SID": sid} for name, sid in accounts.items()])
    return files


def export_of(model, *, block=None, accounts=None, **options):
    """The export of a machine that has the rules of a model, with its default as `-EnforceDefaultDeny` leaves it."""
    keywords = [(keyword.id, keyword.name) for keyword in model.keywords]
    block = model.closing_deny if block is None else block
    return export(parameters_of(model, accounts), keywords, block=block, accounts=accounts, **options)


def as_json(value):
    """As Windows PowerShell writes it through `>`."""
    return json.dumps(value, indent=4).encode("utf-16")
