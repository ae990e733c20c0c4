r"""What ``reg export`` writes: keys and values of the registry, as far as they are about Windows Firewall.

Rules stand under ``…\FirewallPolicy\FirewallRules`` on the host (also of app containers and of mobile device
management) and under ``…\Policies\Microsoft\WindowsFirewall\FirewallRules`` in group policy; the settings of each
profile beside them ([MS-GPFAS] v20240423 2.2.2.19, 2.2.3; on the host the profile Private is called Standard).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from egressc.meaning import UnreadableError
from egressc.targets.windows_firewall.live import LiveProfile
from egressc.targets.windows_firewall.model import Profile
from egressc.targets.windows_firewall.read_rule_string import read_rule

if TYPE_CHECKING:
    from egressc.targets.windows_firewall.live import LiveRule

_HEADS: Final = ("Windows Registry Editor Version 5.00", "REGEDIT4")
_KEY: Final = re.compile(r"[ \t]*\[([^\r\n]*)\][ \t]*(?:\r?\n|\Z)")
_TEXT: Final = re.compile(r'"((?:[^"\\]|\\.)*)"="((?:[^"\\]|\\.)*)"[ \t]*(?:\r?\n|\Z)', re.DOTALL)
_OTHER: Final = re.compile(
    r'(?:@|"((?:[^"\\]|\\.)*)")='
    r"(?:(\"(?:[^\"\\]|\\.)*\")|dword:([0-9a-f]{1,8})|hex(?:\(([0-9a-f]+)\))?:((?:[0-9a-f, \t]|\\[ \t]*\r?\n)*))"
    r"[ \t]*(?:\r?\n|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_BLANK: Final = re.compile(r"[ \t]*(?:;[^\r\n]*)?(?:\r?\n|\Z)")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_TEXT_TYPES: Final = frozenset({"1", "2"})  # REG_SZ, REG_EXPAND_SZ

_HOST: Final = "\\sharedaccess\\parameters\\firewallpolicy\\"
_POLICY: Final = "\\policies\\microsoft\\windowsfirewall\\"
_RULES: Final = "firewallrules"
_PROFILES: Final = {
    "domainprofile": Profile.DOMAIN,
    "privateprofile": Profile.PRIVATE,
    "standardprofile": Profile.PRIVATE,
    "publicprofile": Profile.PUBLIC,
}


@dataclass(slots=True)
class Registry:
    """What exports of a registry hold, one file after the other."""

    rules: list[LiveRule] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    has_rules: bool = False
    _host: dict[str, dict[str, int]] = field(default_factory=dict)
    _policy: dict[str, dict[str, int]] = field(default_factory=dict)

    def read(self, text: str, file: str) -> None:
        """Take in one export. Raises ``UnreadableError`` if it is none."""
        head, _, rest = text.partition("\n")
        if head.strip() not in _HEADS:
            raise UnreadableError("this is neither `firewall.ps1`, nor JSON, nor what `reg export` writes", file, 1)
        at, key = len(text) - len(rest), ""
        while at < len(text):
            found = _TEXT.match(text, at)
            if found is not None:
                at = found.end()
                if _RULES in key:
                    self._value(key, _unescaped(found[1]), _unescaped(found[2]), file)
                continue
            found = _BLANK.match(text, at)
            if found is not None:
                at = found.end()
                continue
            found = _KEY.match(text, at)
            if found is not None and not found[1].startswith("-"):
                at, key = found.end(), found[1].lower()
                self._key(key)
                continue
            found = _OTHER.match(text, at)
            if found is None:
                raise UnreadableError("this is no line of an export", file, text.count("\n", 0, at) + 1)
            at = found.end()
            name = _unescaped(found[1] or "")
            if found[3] is not None:
                self._number(key, name, int(found[3], 16))
            elif found[4] in _TEXT_TYPES and _RULES in key:
                self._value(key, name, _from_hex(found[5]), file)

    def profiles(self) -> tuple[LiveProfile, ...]:
        """The settings of each profile that the exports hold; what group policy says comes first."""
        policy = self._policy
        # [MS-GPFAS] 2.2.3: Standard holds for Private and Public only where neither has a key.
        if not policy.keys() & {"privateprofile", "publicprofile"} and "standardprofile" in policy:
            standard = policy["standardprofile"]
            policy = {**policy, "privateprofile": standard, "publicprofile": standard}
        policy = {key: values for key, values in policy.items() if key != "standardprofile"}
        found = []
        for profile in Profile:
            keys = [key for key, named in _PROFILES.items() if named is profile]
            above = next((policy[key] for key in keys if key in policy), {})
            below = next((self._host[key] for key in keys if key in self._host), None)
            if not above and below is None:
                continue
            on = above.get("enablefirewall", None if below is None else below.get("enablefirewall", 1))
            block = above.get("defaultoutboundaction", None if below is None else below.get("defaultoutboundaction", 0))
            merge = above.get("allowlocalpolicymerge", 1)
            found.append(
                LiveProfile(profile, None if on is None else on != 0, None if block is None else block == 1, merge != 0)
            )
        return tuple(found)

    def _key(self, key: str) -> None:
        for root, held in ((_HOST, self._host), (_POLICY, self._policy)):
            _, found, rest = key.partition(root)
            if not found:
                continue
            if rest in _PROFILES:
                held.setdefault(rest, {})
            elif rest == _RULES or rest.endswith("\\" + _RULES):
                self.has_rules = True

    def _number(self, key: str, name: str, value: int) -> None:
        for root, held in ((_HOST, self._host), (_POLICY, self._policy)):
            _, found, rest = key.partition(root)
            if found and rest in _PROFILES:
                held[rest][name.lower()] = value

    def _value(self, key: str, name: str, value: str, file: str) -> None:
        """A value of a key of rules; anything else is of no concern here."""
        is_local = _HOST in key
        _, found, rest = key.partition(_HOST if is_local else _POLICY)
        if not found or not (rest == _RULES or rest.endswith("\\" + _RULES)):
            return
        rule = read_rule(name, value, file, is_local=is_local)
        if isinstance(rule, str):
            self.remarks.append(f"{file}: the rule `{name}` has no bearing: {rule}")
        elif rule is not None:
            self.rules.append(rule)


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def _from_hex(text: str) -> str:
    """The text of the bytes of a value; what is no UTF-16 becomes replacement characters, which no field has."""
    digits = re.sub(r"[^0-9a-fA-F]", "", text)
    return bytes.fromhex(digits[: len(digits) // 2 * 2]).decode("utf-16-le", "replace").rstrip("\0")
