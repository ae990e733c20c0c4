"""What an account can be called on a platform: the values that are certainly wrong there.

The inventory replaces bindings, so both a policy's and the inventory's values are checked here. What cannot be known
without the host (whether an account, a service or a file exists) is not looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from egressc.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

_LAST_UID: Final = 2**32 - 2
"""The kernel takes 2^32 - 1 for "no uid" (include/linux/uidgid.h, INVALID_UID)."""

_SID: Final = re.compile(r"S-1-(0|[1-9][0-9]{0,14}|0x[0-9A-Fa-f]{12})((?:-(?:0|[1-9][0-9]{0,9})){1,15})", re.IGNORECASE)
"""MS-DTYP 2.4.2.1: revision 1, an authority of 48 bits, 1 to 15 subauthorities of 32 bits."""

_NOT_IN_ACCOUNT: Final = frozenset('"/[]:;|=,+*?<>')
"""NetUserAdd, remarks (learn.microsoft.com, lmaccess.h): account names "cannot include commas or any of" these."""

_CGROUP_PATH_LIMIT: Final = 511
"""XT_CGROUP_PATH_MAX is 512 with the closing zero (include/uapi/linux/netfilter/xt_cgroup.h, revision 2)."""

_USER_ID_WORDS: Final = frozenset({"any", "known-user", "unknown", "pre-logon"})
"""What PAN-OS takes for more than one user in ``source-user``."""


def binding_problem(kind: str, value: str) -> Problem | None:
    """What is wrong with a value of a binding kind, if anything is; offsets are into the value."""
    if not value.strip():
        return _problem(value, "the value is empty", "nothing here", "write what the account is called there", 0, 0)
    bad = next((i for i, c in enumerate(value) if ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029"), None)
    if bad is not None:
        return _problem(value, "a control character stands in it", "a control character", "remove it", bad, bad + 1)
    if value != value.strip():
        start = 0 if value[0].isspace() else len(value.rstrip())
        end = len(value) - len(value.lstrip()) if value[0].isspace() else len(value)
        return _problem(value, "it begins or ends with white space", "white space", "remove it", start, end)
    return _CHECKS[kind](value)


def normal_binding(kind: str, value: str) -> str:
    """The one spelling of a value that is right: SIDs in upper case; everything else stands as it is."""
    return value.upper() if kind == "windows-account" and _SID.fullmatch(value) else value


def is_sid(value: str) -> bool:
    """True if a ``windows-account`` is given by its SID."""
    return _SID.fullmatch(value) is not None


def _windows_account(value: str) -> Problem | None:
    if re.match(r"S-[0-9]", value, re.IGNORECASE):
        shape = _SID.fullmatch(value)
        if shape is None:
            return _problem(
                value, "it is not a SID", "not a SID",
                "a SID is `S-1-`, an authority, and 1 to 15 numbers, such as `S-1-5-20`",
            )  # fmt: skip
        if int(shape[1], 0) >= 2**48 or any(int(n) >= 2**32 for n in shape[2][1:].split("-")):
            return _problem(value, "a number in the SID is too large", "not a SID", "copy the SID again")
        return None
    if value.lower().startswith("sid:"):
        return _problem(value, "a SID stands alone", "not a name", f"write `{value[4:].strip()}`", 0, 4)
    domain, backslash, name = value.rpartition("\\")
    if backslash and (not domain or not name or "\\" in domain):
        return _problem(
            value, "it is not DOMAIN\\NAME", "not an account", 'write `"DOMAIN\\NAME"`, with one backslash',
        )  # fmt: skip
    service = domain.upper() in {"NT SERVICE", "IIS APPPOOL"}
    # A user principal name (svc+x@contoso.example) has other rules, and a service or pool other names.
    refused = "/" if service else "" if "@" in name else _NOT_IN_ACCOUNT
    bad = next((c for c in name if c in refused), None)
    if bad is not None:
        at = len(domain) + len(backslash) + name.index(bad)
        return _problem(
            value, f"`{bad}` stands in no account's name", "not in a name", "write DOMAIN\\NAME or a SID", at, at + 1
        )
    return None


def _windows_service(value: str) -> Problem | None:
    if value == "*":
        return _problem(value, "`*` is every service", "not one service", "write the service's short name")
    # CreateService takes 256 characters and neither slash; MS-FASP (semantic checks of FW_RULE) takes no `|`.
    bad = next((c for c in value if c in "/\\|*"), None)
    if bad is not None:
        at = value.index(bad)
        return _problem(
            value, f"`{bad}` stands in no service's name", "not in a short name",
            "write the short name, as `sc.exe query` shows it under SERVICE_NAME", at, at + 1,
        )  # fmt: skip
    if len(value) > 256:
        return _problem(value, "it is longer than 256 characters", "too long", "write the short name", 256)
    return None


def _windows_program(value: str) -> Problem | None:
    if value.lower() == "system":
        return None
    bad = next((c for c in value if c in '/*?"<>|'), None)
    if bad is not None:
        at = value.index(bad)
        help_ = f"write `{value.replace('/', chr(92))}`" if bad == "/" else "write the full path of one program"
        return _problem(value, f"`{bad}` stands in no program's path", "not in a path", help_, at, at + 1)
    if not re.match(r"[A-Za-z]:\\|%[^%\\]+%\\|\\\\[^\\]+\\", value):
        return _problem(
            value, "it is not a full path", "not a full path",
            'write the whole path, such as `"%ProgramFiles%\\Contoso\\agent.exe"`',
        )  # fmt: skip
    if value.endswith("\\"):
        return _problem(value, "it is a folder", "a folder", "write the path of the program", len(value) - 1)
    # MS-FASP, semantic checks of FW_RULE: fewer than 260 characters, and none of the characters above.
    if len(value) > 259:
        return _problem(value, "it is longer than 259 characters", "too long", "use a shorter path", 259)
    return None


def _linux_user(value: str) -> Problem | None:
    if re.fullmatch(r"[0-9]+", value):
        if len(value) > 1 and value[0] == "0":
            return _problem(value, "the uid has a leading zero", "leading zero", f"write `{value.lstrip('0') or 0}`")
        if len(value) > 10 or int(value) > _LAST_UID:
            return _problem(value, "there is no such uid", "not a uid", f"uids run from 0 to {_LAST_UID}")
        return None
    if re.fullmatch(r"[0-9]+[-:][0-9]+", value):
        return _problem(value, "it is a range of uids", "a range", "write each user by itself")
    if value.startswith("-"):
        return _problem(value, "it begins with a hyphen", "not a user", "write the name of a user, or its uid", 0, 1)
    # `:` separates the fields of passwd(5), `/` would leave /home; systemd's "relaxed" syntax refuses both.
    bad = next((c for c in value if c in ":/"), None)
    if bad is not None or value in {".", ".."}:
        at = value.index(bad) if bad else 0
        return _problem(value, "it is no user's name", "not a user", "write the name of a user, or its uid", at)
    if len(value.encode("utf-8", "surrogatepass")) > 255:
        return _problem(value, "it is too long", "too long", "a user's name has at most 255 bytes")
    return None


def _linux_cgroup(value: str) -> Problem | None:
    parts = [part for part in value.split("/") if part]
    if not parts:
        return _problem(
            value, "the root holds every process", "every process", "write the path of one slice or service"
        )
    if any(part in {".", ".."} for part in parts):
        return _problem(
            value, "`.` and `..` lead nowhere in a cgroup path", "not a path", "write the path below the root"
        )
    if value.startswith("/sys/fs/cgroup"):
        return _problem(
            value, "the path begins below the mount point", "not below the root",
            f"write `{value.removeprefix('/sys/fs/cgroup').lstrip('/') or 'system.slice/NAME.service'}`",
        )  # fmt: skip
    if len(value.encode("utf-8", "surrogatepass")) > _CGROUP_PATH_LIMIT:
        return _problem(
            value, f"it is longer than {_CGROUP_PATH_LIMIT} bytes", "too long", "use a slice nearer to the root"
        )
    return None


def _directory_user(value: str) -> Problem | None:
    if value.lower() in _USER_ID_WORDS:
        return _problem(value, "it is no single user to User-ID", "not a user", "write `DOMAIN\\USER`, or a group")
    # PAN-OS: a member of source-user has at most 1023 characters (paloalto-facts.json).
    if len(value) > 1023:
        return _problem(value, "it is longer than 1023 characters", "too long", "write `DOMAIN\\USER`", 1023)
    return None


_CHECKS: Final[dict[str, Callable[[str], Problem | None]]] = {
    "windows-account": _windows_account,
    "windows-service": _windows_service,
    "windows-program": _windows_program,
    "linux-user": _linux_user,
    "linux-cgroup": _linux_cgroup,
    "directory-user": _directory_user,
}


def _problem(value: str, what: str, label: str, help_: str, start: int = 0, end: int | None = None) -> Problem:
    shown = value if len(value) <= 60 else f"{value[:60]}…"
    message = f"`{shown}` cannot be what an account is called: {what}" if value.strip() else f"a binding: {what}"
    return Problem("E0236", message, label, help_, start, len(value) if end is None else end)
