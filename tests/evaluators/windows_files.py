"""The texts of a Windows Firewall configuration, read into the machine of ``windows_text`` (windows-firewall.md).

``from_json(text)`` and ``from_script(text)`` take the two forms of the artefact, ``from_cmdlets(rules, keywords, …)``
what New-NetFirewallRule was given, ``from_export(files)`` what a machine exports. It imports nothing of egressc.
"""

from __future__ import annotations

import json
import re

from windows_text import PROFILES, Machine, Rule, identifier_of

# -- the artefact


def from_json(text):
    """``rules.json``, applied and with the default deny enforced where the site has one."""
    return _machine(json.loads(text))


def from_script(text):
    """The data of ``firewall.ps1``: what its three literals say."""
    return _machine(script_data(text))


def script_data(text):
    """The value of the three literals ``$Site``, ``$Keywords`` and ``$Rules``."""
    found = {}
    for name in ("Site", "Keywords", "Rules"):
        place = re.search(rf"^\${name} = ", text, re.MULTILINE)
        found[name], _ = _literal(text, place.end())
    return found


def _literal(text, at):
    """The value of a literal and where it ends: a string, a truth value, ``@( … )``, ``@{ … }``, a sum of strings."""
    if text.startswith("@(", at):
        return _items(text, at + 2, ")")
    if text.startswith("@{", at):
        pairs, end = _items(text, at + 2, "}")
        return dict(pairs), end
    for word, value in (("$true", True), ("$false", False)):
        if text.startswith(word, at):
            return value, at + len(word)
    if text[at] == "(":
        end, value = at, ""
        while text[end] in "(+ ":
            piece = re.compile(r"[(+ ]+(?:'((?:[^']|'')*)'|\[char\]0x([0-9A-F]+))").match(text, end)
            value += piece[1].replace("''", "'") if piece[2] is None else chr(int(piece[2], 16))
            end = piece.end()
        assert text[end] == ")", text[at:end]
        return value.encode("utf-16", "surrogatepass").decode("utf-16"), end + 1
    quoted = re.compile("'((?:[^']|'')*)'").match(text, at)
    assert quoted, text[at : at + 80]
    return quoted[1].replace("''", "'"), quoted.end()


def _items(text, at, close):
    """The values, or with ``}`` the pairs, up to a bracket; between them commas, white space or line ends."""
    found = []
    while True:
        at = re.compile(r"[\s,;]*").match(text, at).end()
        if text[at] == close:
            return found, at + 1
        key = re.compile(r"(\w+) = ").match(text, at) if close == "}" else None
        value, at = _literal(text, key.end() if key else at)
        found.append((key[1], value) if key else value)


def _machine(data):
    site = data["Site"]
    rules = [
        {
            **{key.lower(): value for key, value in record.items() if key != "LocalAccounts"},
            "profile": site["Profile"],
            **_list_of(record),
        }
        for record in data["Rules"]
    ]
    named = PROFILES if site["Profile"] == "Any" else _profiles(site["Profile"])
    default = {name: "deny" if site["ClosingDeny"] and name in named else None for name in PROFILES}
    return from_cmdlets(rules, {each["Id"]: each["Keyword"] for each in data["Keywords"]}, default)


def _list_of(record):
    """The authorisation list of a rule; accounts that the machine has to look up come on top."""
    sids = [identifier_of(name) for name in record.get("LocalAccounts", ())]
    if not sids:
        return {}
    return {"localuser": record.get("LocalUser", "D:") + "".join(f"(A;;CC;;;{sid})" for sid in sids)}


def from_cmdlets(rules, keywords, default, identifiers=None):
    """Rules as parameters of New-NetFirewallRule in lower case."""
    return Machine(
        [_of_cmdlet(each) for each in rules],
        {identifier.lower(): name for identifier, name in keywords.items()},
        default,
        identifiers=identifiers or {},
    )


def _of_cmdlet(given):
    known = {"name", "displayname", "description", "group", "direction", "enabled", "action", "protocol", "profile",
             "remoteport", "remoteaddress", "remotedynamickeywordaddresses", "localuser", "service", "program"}  # fmt: skip
    assert given.keys() <= known, given.keys() - known
    keywords = tuple(given.get("remotedynamickeywordaddresses", ()))
    return Rule(
        given["name"],
        given["action"],
        outbound=given.get("direction", "Outbound") == "Outbound",
        active=given.get("enabled", "True") == "True",
        protocol=None if given["protocol"] == "Any" else given["protocol"].lower(),
        profiles=None if given["profile"] == "Any" else _profiles(given["profile"]),
        ports=_some(given.get("remoteport")),
        addresses=_some(given.get("remoteaddress")),
        keywords=keywords or None,
        users=given.get("localuser"),
        service=given.get("service"),
        program=given.get("program"),
    )


def _profiles(text):
    return tuple(part.strip() for part in text.split(","))


def _some(values):
    """The values of a condition; an empty list is one that nothing fulfils."""
    return None if values is None else tuple(values)


# -- what a machine exports

_HOST = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\"
_POLICY = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall\\"
_REPEATED = {"Profile", "RPort", "RPort2_10", "RA4", "RA6", "IFType"}
_TRANSPORTS = {"6": "tcp", "17": "udp"}


def from_export(files):
    """The files by name: ``firewall.reg``, ``keywords.json``, ``rules.json`` and perhaps ``accounts.json``."""
    keys = _registry(files["firewall.reg"].decode("utf-16"))
    uses = {each["Name"]: tuple(each["RemoteDynamicKeywordAddresses"] or ()) for each in _objects(files["rules.json"])}
    rules = []
    for place, local in ((_HOST, True), (_POLICY, False)):
        rules += [
            _of_string(name, text, local=local, keywords=uses.get(name) or None)
            for name, text in keys.get(f"{place}FirewallRules", {}).items()
        ]
    machine = Machine(
        rules,
        {each["Id"].lower(): each["Keyword"] for each in _objects(files["keywords.json"]) if each["AutoResolve"]},
        {},
        identifiers={each["Name"]: each["SID"] for each in _objects(files.get("accounts.json", b"[]"))},
    )
    for profile in PROFILES:
        local = keys.get(f"{_HOST}{'Standard' if profile == 'Private' else profile}Profile", {})
        settings = {**local, **keys.get(f"{_POLICY}{profile}Profile", {})}
        machine.default[profile] = "deny" if settings["DefaultOutboundAction"] else "allow"
        if not settings["EnableFirewall"]:
            machine.off.add(profile)
        if settings.get("AllowLocalPolicyMerge") == 0:
            machine.no_local_rules.add(profile)
    return machine


def _objects(content):
    return json.loads(content.decode("utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8"))


def _registry(text):
    """The values of an export by key: texts and numbers."""
    keys = {}
    for line in text.splitlines():
        if line.startswith("["):
            values = keys.setdefault(line[1:-1], {})
        elif line.startswith('"'):
            name, value = re.fullmatch(r'"((?:[^"\\]|\\.)*)"=(.*)', line).groups()
            number = re.fullmatch("dword:([0-9a-f]{8})", value)
            values[_plain(name)] = int(number[1], 16) if number else _plain(value[1:-1])
    return keys


def _plain(text):
    return re.sub(r"\\(.)", r"\1", text)


def _of_string(name, text, *, local, keywords):
    """One rule string: ``v2.30|TOKEN=VALUE|…`` ([MS-GPFAS] 2.2.2.19)."""
    version, *tokens, end = text.split("|")
    assert version.startswith("v2.")
    assert not end
    once, many = {}, {key: [] for key in _REPEATED}
    for token in tokens:
        key, _, value = token.partition("=")
        assert key in _REPEATED | {"Action", "Active", "Dir", "Protocol", "App", "Svc", "Name", "Desc", "EmbedCtxt",
                                   "LUAuth"}, key  # fmt: skip
        if key in _REPEATED:
            many[key].append(value)
        else:
            assert key not in once, key
            once[key] = value
    return Rule(
        name,
        once["Action"],
        outbound=once["Dir"] == "Out",
        active=once.get("Active", "FALSE") == "TRUE",
        local=local,
        protocol=_TRANSPORTS[once["Protocol"]] if "Protocol" in once else None,
        profiles=tuple(many["Profile"]) or None,
        interfaces=tuple(many["IFType"]) or None,
        ports=tuple(many["RPort"] + many["RPort2_10"]) or None,
        addresses=tuple(many["RA4"] + many["RA6"]) or None,
        keywords=keywords,
        users=once.get("LUAuth"),
        service=once.get("Svc"),
        program=once.get("App"),
    )
