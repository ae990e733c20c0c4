"""A host for `firewall.ps1` to run on: rules, keywords, profiles, registry and tasks as plain data, with a journal."""

from __future__ import annotations

import base64
import hashlib

from cmdlet_parameters import PARAMETERS, unknown
from powershell_run import Interpreter
from powershell_values import Block, PowerShellError, collected, text_of, truth, unrolled

NOT_FOUND = "ObjectNotFound"
SERVICES = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services\\"


class NetList(list):
    """System.Collections.Generic.List."""

    def Add(self, item):  # noqa: N802
        self.append(item)

    def AddRange(self, items):  # noqa: N802
        self.extend(items)

    def Contains(self, item):  # noqa: N802
        return item in self

    def ToArray(self):  # noqa: N802
        return list(self)


class Version(tuple):
    """System.Version."""

    __slots__ = ()

    def __new__(cls, text):
        return super().__new__(cls, [int(part) for part in text.split(".")])

    def __str__(self):
        return ".".join(map(str, self))


class Static:
    """A type or object: members as given."""

    def __init__(self, **members):
        self.__dict__.update(members)


class Host:
    """A Windows Server with Defender ready, one registry, and one store for each name."""

    def __init__(self):
        self.rules = {"PersistentStore": {}, "contoso.example\\Egress": {}}
        self.keywords = {}
        self.profiles = {store: dict.fromkeys(("Domain", "Private", "Public"), "NotConfigured") for store in self.rules}
        self.registry = {}
        self.tasks = {}
        self.services = {"WAPCSvc": 1}
        self.accounts = {}
        self.status = {
            "AntivirusEnabled": True,
            "AMRunningMode": "Normal",
            "AMProductVersion": "4.18.24090.11",
            "RealTimeProtectionEnabled": True,
        }
        self.preference = {
            "EnableNetworkProtection": 1,
            "AllowNetworkProtectionOnWinServer": True,
            "AllowDatagramProcessingOnWinServer": True,
        }
        self.build = 20348
        self.local_rules_allowed = "True"
        self.firewall_on = "True"
        self.status_of_new_rules = "OK"
        self.sessions = {}
        self.journal = []
        self.warnings = []
        self.fail = {}
        self.observe = lambda: None

    def run(self, script, *, what_if=False, **parameters):
        """The script's output; `parameters` are its own (`Remove=True`)."""
        given = {"enforcedefaultdeny": False, "rollbackminutes": 10, "remove": False, "keywordsonly": False}
        given.update({name.casefold(): value for name, value in parameters.items()})
        self.what_if = what_if
        self.warnings = []
        cmdlets = {name.casefold(): self.cmdlet(name) for name in PARAMETERS}
        cmdlets["&"] = self.native
        variables = {
            **given,
            "whatifpreference": what_if,
            "pscmdlet": self,
            "env:systemroot": "C:\\Windows",
            "lastexitcode": 0,
        }
        return Interpreter(cmdlets, self.types(), variables).run(script)

    def ShouldProcess(self, target, action):  # noqa: N802
        self.journal.append((action, target))
        return not self.what_if

    def cmdlet(self, name):
        method = getattr(self, name.replace("-", "_").lower())

        def run(session, positional, named, piped):
            assert unknown(name, named) == [], (name, named)
            if "-Net" in name:
                assert named.get("ErrorAction") == "Stop", f"{name} without -ErrorAction Stop"
            left = self.fail.get(name)
            if left is not None:
                self.fail[name] = left - 1
                if left <= 0:
                    raise PowerShellError(f"{name} failed")
            named = {key.casefold(): value for key, value in named.items() if key != "ErrorAction"}
            result = method(session, positional, named, piped)
            self.observe()
            return result

        return run

    # -- firewall

    def new_netfirewallrule(self, _session, _positional, named, _piped):
        store = named.pop("policystore", None)
        session = named.pop("gposession", None)
        rules = self.rules[store] if session is None else self.sessions[session]
        assert named["name"] not in rules, "a rule of that name exists"
        rules[named["name"]] = {
            **{key: value for key, value in named.items() if key != "remotedynamickeywordaddresses"},
            "RemoteDynamicKeywordAddresses": named.get("remotedynamickeywordaddresses", []),
            "PrimaryStatus": self.status_of_new_rules,
        }

    def get_netfirewallrule(self, _session, _positional, named, _piped):
        store = named["policystore"]
        rules = list(self.rules["PersistentStore" if store == "ActiveStore" else store].values())
        wanted = {key: value for key, value in named.items() if key not in {"all", "policystore"}}
        found = [rule for rule in rules if all(rule[key] == value for key, value in wanted.items())]
        if wanted and not found:
            raise PowerShellError("no rule found", NOT_FOUND)
        return [dict(rule) for rule in found]

    def remove_netfirewallrule(self, _session, _positional, named, _piped):
        del self.rules[named["policystore"]][named["name"]]

    def new_netfirewalldynamickeywordaddress(self, _session, _positional, named, _piped):
        assert named["autoresolve"] is True
        assert named["id"] not in self.keywords, "ERROR_ALREADY_EXISTS"
        self.keywords[named["id"]] = {"Id": named["id"], "Keyword": named["keyword"]}

    def get_netfirewalldynamickeywordaddress(self, *_):
        if not self.keywords:
            raise PowerShellError("no keyword found", NOT_FOUND)
        return list(self.keywords.values())

    def remove_netfirewalldynamickeywordaddress(self, _session, _positional, named, _piped):
        del self.keywords[named["id"]]

    def get_netfirewallprofile(self, _session, _positional, named, _piped):
        store = named["policystore"]
        held = self.profiles["PersistentStore" if store == "ActiveStore" else store]
        return [
            {
                "Name": name,
                "DefaultOutboundAction": action,
                "Enabled": self.firewall_on,
                "AllowLocalFirewallRules": self.local_rules_allowed,
            }
            for name, action in held.items()
        ]

    def set_netfirewallprofile(self, _session, _positional, named, _piped):
        if named["policystore"] == "PersistentStore":
            assert named["defaultoutboundaction"] in {"Allow", "Block"}
        for name in unrolled(named["name"]):
            self.profiles[named["policystore"]][name] = named["defaultoutboundaction"]

    def open_netgpo(self, _session, _positional, named, _piped):
        self.sessions["session"] = dict(self.rules[named["policystore"]])
        self.sessions["store"] = named["policystore"]
        return ["session"]

    def save_netgpo(self, _session, _positional, named, _piped):
        self.rules[self.sessions["store"]] = self.sessions[named["gposession"]]

    # -- the rest of the host

    def get_mpcomputerstatus(self, *_):
        return [self.status]

    def get_mppreference(self, *_):
        return [self.preference]

    def get_ciminstance(self, _session, _positional, named, _piped):
        assert named == {"classname": "Win32_OperatingSystem"}
        return [{"BuildNumber": str(self.build), "ProductType": 3}]

    def native(self, session, positional, named, _piped):
        (block,) = positional
        assert not named
        assert isinstance(block, Block), "nothing but script blocks is called"
        return session.invoke(block.node, [], {})

    def get_scheduledtask(self, *_):
        return [{"TaskName": name} for name in self.tasks]

    def register_scheduledtask(self, _session, _positional, named, _piped):
        self.tasks[named["taskname"]] = base64.b64decode(named["action"][-1].split()[-1]).decode("utf-16-le")
        return [{"TaskName": named["taskname"]}]

    def unregister_scheduledtask(self, _session, _positional, named, _piped):
        assert named["confirm"] is False
        del self.tasks[named["taskname"]]

    def new_scheduledtaskaction(self, _session, _positional, named, _piped):
        return [(named["execute"], named["argument"])]

    def new_scheduledtasktrigger(self, _session, _positional, named, _piped):
        return [named["at"]]

    def new_scheduledtaskprincipal(self, _session, _positional, named, _piped):
        return [named["userid"]]

    def new_scheduledtasksettingsset(self, *_):
        return ["settings"]

    def new_object(self, _session, _positional, named, _piped):
        if named["typename"].startswith("System.Collections.Generic.List["):
            return [NetList()]
        assert named["typename"] == "System.Security.Principal.NTAccount"
        (name,) = named["argumentlist"]

        def translate(_kind):
            if name not in self.accounts:
                raise PowerShellError("Some or all identity references could not be translated.")
            return Static(Value=self.accounts[name])

        return [Static(Translate=translate)]

    def join_path(self, _session, _positional, named, _piped):
        return [named["path"] + "\\" + named["childpath"]]

    def write_warning(self, _session, _positional, named, _piped):
        self.warnings.append(named["message"])

    def write_verbose(self, *_):
        pass

    def write_output(self, _session, positional, _named, _piped):
        return positional

    def out_null(self, *_):
        pass

    def set_strictmode(self, *_):
        pass

    def get_date(self, *_):
        return [Static(AddMinutes=lambda minutes: f"in {minutes} minutes")]

    def sort_object(self, _session, _positional, named, piped):
        assert named == {"unique": True}
        return [value for _, value in sorted({text_of(item).casefold(): item for item in piped}.items())]

    def where_object(self, session, positional, _named, piped):
        return [item for item in piped if truth(collected(self.each(session, positional[0], item)))]

    def foreach_object(self, session, positional, _named, piped):
        return [value for item in piped for value in self.each(session, positional[0], item)]

    def each(self, session, block, item):
        scope = session.scopes[-1]
        hidden = scope.get("_")
        scope["_"] = item
        try:
            return session.statements(block.node)
        finally:
            scope["_"] = hidden

    # -- .NET

    def types(self):
        def try_parse(text, ref):
            try:
                ref.scope[ref.name] = Version(text)
            except ValueError:
                return False
            return True

        utf8 = Static(GetBytes=lambda text: list(text.encode()))
        unicode = Static(GetBytes=lambda text: text.encode("utf-16-le"))
        sha1 = Static(
            ComputeHash=lambda data: list(hashlib.sha1(bytes(data), usedforsecurity=False).digest()),
            Dispose=lambda: None,
        )
        return {
            "string": Static(Join=lambda separator, items: separator.join(map(text_of, items))),
            "version": Static(cast=Version, TryParse=try_parse),
            "system.convert": Static(ToByte=int, ToBase64String=lambda data: base64.b64encode(data).decode()),
            "system.text.encoding": Static(UTF8=utf8, Unicode=unicode),
            "system.security.cryptography.sha1": Static(Create=lambda: sha1),
            "system.bitconverter": Static(
                ToString=lambda data, start, count: "-".join(f"{b:02X}" for b in data[start : start + count])
            ),
            "system.stringcomparison": Static(Ordinal="Ordinal"),
            "system.management.automation.errorcategory": Static(ObjectNotFound=NOT_FOUND),
            "system.security.principal.securityidentifier": Static(),
            "microsoft.win32.registry": Static(
                LocalMachine=Static(
                    OpenSubKey=lambda name: self.key(name) if name in self.registry else None,
                    CreateSubKey=lambda name: self.key(self.registry.setdefault(name, {}) is None or name),
                    DeleteSubKey=self.registry.pop,
                ),
                GetValue=self.registry_value,
            ),
        }

    def registry_value(self, key, name, default):
        """A value of the machine: the default where the key lacks it, nothing where there is no key."""
        if not key.startswith(SERVICES) or name != "ServiceSidType":
            return default
        kind = self.services.get(key.removeprefix(SERVICES), "absent")
        return None if kind == "absent" else default if kind is None else kind

    def key(self, name):
        values = self.registry[name]
        return Static(
            GetValueNames=lambda: list(values),
            GetValue=values.get,
            SetValue=values.__setitem__,
            Close=lambda: None,
        )
