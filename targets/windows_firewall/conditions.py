"""A logical account as conditions of a rule: whom the process runs as, in which service, from which program.

An account is the conjunction of its kinds of binding and the disjunction within a kind. One rule holds one service and
one program, so several of them give several conditions; accounts are a list in one rule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from egressc.anything import ANY, Anything
from egressc.diagnostics import Diagnostic
from egressc.schema_phrases import clipped
from egressc.targets.windows_firewall.capabilities import MAX_PATH, MAX_PRINCIPALS
from egressc.targets.windows_firewall.model import AccountName, GroupPolicyStore
from egressc.targets.windows_firewall.principals import are_apart, is_of_domain, principal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from egressc.policy import Account
    from egressc.site import Site
    from egressc.source import Span
    from egressc.targets.windows_firewall.model import Principal
    from egressc.targets.windows_firewall.settings import Settings

KINDS: Final = ("windows-account", "windows-service", "windows-program")
"""The kinds of binding that this target enforces."""

# Beside what [MS-FASP] 2.2.37 excludes: a quote, which sc.exe could not be given, and the pattern characters, of which
# `*` alone would mean every service.
_BAD_SERVICE: Final = re.compile(r'[/\\|"*?\[\]\x00-\x1f\x7f-\x9f]')
_BAD_PROGRAM: Final = re.compile(r'[/*?"<>|\x00-\x1f\x7f-\x9f]')
_FULL_PATH: Final = re.compile(r"(?:[A-Za-z]:|%[^%\\]+%|\\\\[^\\]+\\[^\\]+)(?:\\(?!\.{1,2}(?:\\|$))[^\\]+)+(?<! )")
"""Drive, variable or share, then folders and a file: Windows compares with the path of the process, which has no empty
part, no ``.`` and no ``..``."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Which processes a rule is for. ``account`` is the logical account's name, empty for any process."""

    account: str
    users: tuple[Principal, ...] | Anything
    service: str | Anything
    program: str | Anything

    @property
    def key(self) -> str:
        """A text that tells the conditions of one rule apart, for names."""
        first = "" if isinstance(self.users, Anything) else self.users[0].value
        service = "" if isinstance(self.service, Anything) else self.service
        program = "" if isinstance(self.program, Anything) else self.program
        return f"{self.account}\x1f{first}\x1f{service}\x1f{program}"


EVERY_PROCESS: Final = (Condition("", ANY, ANY, ANY),)
"""The condition of a rule for any account."""


class Accounts:
    """The accounts of one site as conditions, and which of them have processes in common."""

    def __init__(self, site: Site[Settings]) -> None:
        self._site = site
        self._known: dict[str, tuple[tuple[Condition, ...], tuple[Diagnostic, ...]]] = {}
        self._meeting: dict[frozenset[str], frozenset[str]] = {}

    def conditions(self, account: Account) -> tuple[tuple[Condition, ...], tuple[Diagnostic, ...]]:
        """What ``conditions_of`` says about an account."""
        found = self._known.get(account.name)
        if found is None:
            found = self._known[account.name] = conditions_of(account, self._site)
        return found

    def meeting(self, names: frozenset[str] | Anything) -> frozenset[str] | Anything:
        """These accounts and those other ones of the site's rules that some of their processes may belong to."""
        if isinstance(names, Anything):
            return ANY
        found = self._meeting.get(names)
        if found is None:
            others = self._others(names)
            found = self._meeting[names] = names | others if others else names
        return found

    def _others(self, names: frozenset[str]) -> frozenset[str]:
        mine = [condition for name in names for condition in self._in_use[name]]
        return frozenset(
            name
            for name, conditions in self._in_use.items()
            if name not in names and any(_meet(one, other) for one in mine for other in conditions)
        )

    def overlapping(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """The accounts of the site's rules, each with the other ones that some of its processes may belong to."""
        return tuple((name, self._others(frozenset((name,)))) for name in self._in_use)

    @cached_property
    def _in_use(self) -> dict[str, tuple[Condition, ...]]:
        in_use = {
            account.name: account
            for rule in self._site.rules
            if not isinstance(rule.accounts, Anything)
            for account in rule.accounts
        }
        return {name: self.conditions(account)[0] for name, account in in_use.items()}


def _meet(one: Condition, other: Condition) -> bool:
    """True if a process may meet both conditions."""
    return _users_meet(one.users, other.users) and _alike(one.service, other.service) and _alike_files(one, other)


def _users_meet(some: tuple[Principal, ...] | Anything, others: tuple[Principal, ...] | Anything) -> bool:
    if isinstance(some, Anything) or isinstance(others, Anything):
        return True
    return not all(are_apart(one, other) for one in some for other in others)


def _alike(one: str | Anything, other: str | Anything) -> bool:
    return isinstance(one, Anything) or isinstance(other, Anything) or one.casefold() == other.casefold()


def _alike_files(one: Condition, other: Condition) -> bool:
    """True if both may be one program: a path with a variable may be any."""
    variable = any(not isinstance(path, Anything) and "%" in path for path in (one.program, other.program))
    return variable or _alike(one.program, other.program)


def conditions_of(account: Account, site: Site[Settings]) -> tuple[tuple[Condition, ...], tuple[Diagnostic, ...]]:
    """The conditions that together are the account, or why it cannot be enforced here (then there are none)."""
    if not any(account.values(kind) for kind in KINDS):
        return (), ()
    report: list[Diagnostic] = []
    users = _users(account, site, report)
    services = _plain(account, "windows-service", site, _service_problem, report)
    programs = _plain(account, "windows-program", site, _program_problem, report)
    if report:
        return (), tuple(report)
    lists: list[tuple[Principal, ...] | Anything] = [ANY]
    if users:
        lists = [users[i : i + MAX_PRINCIPALS] for i in range(0, len(users), MAX_PRINCIPALS)]
    found = tuple(
        Condition(account.name, some, service, program)
        for some in lists
        for service in services or (ANY,)
        for program in programs or (ANY,)
    )
    return found, ()


def unbound_account(account: Account, site: Site[Settings], span: Span) -> Diagnostic:
    """The error about an account without any binding that Windows knows, at the rule that names it."""
    return Diagnostic(
        code="E0501",
        message=f"`{account.name}` has no windows-account, windows-service or windows-program binding for "
        f"`{site.firewall}` ({site.target})",
        span=span,
        label="this rule is for that account",
        help=f"say what it is called there, in the policy or in the inventory: `service-accounts: {{{account.name}: "
        "{windows-service: NAME}}`",
    )


def _users(account: Account, site: Site[Settings], report: list[Diagnostic]) -> tuple[Principal, ...]:
    by_policy = isinstance(site.settings.store, GroupPolicyStore)
    found: dict[Principal, None] = {}
    for value in account.values("windows-account"):
        who = principal(value)
        if isinstance(who, str):
            report.append(_bad("E0792", account, "windows-account", value, site, who, _ACCOUNT_HELP))
        elif by_policy and isinstance(who, AccountName) and not is_of_domain(who):
            report.append(
                _bad(
                    "E0795",
                    account,
                    "windows-account",
                    value,
                    site,
                    "is not of a domain, so a group policy object cannot hold it",
                    f"write `DOMAIN\\{clipped(value)}`, or the account's security identifier (`S-1-5-21-…`)",
                )
            )
        else:
            found[who] = None
    return tuple(found)


_ACCOUNT_HELP: Final = "write an account as `DOMAIN\\NAME` or `NT SERVICE\\NAME`, or its identifier as `S-1-5-…`"


def _plain(
    account: Account,
    kind: str,
    site: Site[Settings],
    problem: Callable[[str], tuple[str, str, str] | None],
    report: list[Diagnostic],
) -> tuple[str, ...]:
    """The values of a kind; Windows compares them without letter case, so none comes twice."""
    found: dict[str, str] = {}
    for value in account.values(kind):
        wrong = problem(value)
        if wrong is None:
            found.setdefault(value.casefold(), value)
        else:
            code, why, help_text = wrong
            report.append(_bad(code, account, kind, value, site, why, help_text))
    return tuple(found.values())


def _service_problem(value: str) -> tuple[str, str, str] | None:
    why = ""
    if not value.strip() or value != value.strip():
        why = "is empty or has white space at its ends"
    elif len(value) > MAX_PATH:
        why = f"has more than {MAX_PATH} characters"
    elif _BAD_SERVICE.search(value):
        why = "has a character that no short service name has"
    return ("E0790", why, "write the short name, as `sc.exe query` shows it") if why else None


def _program_problem(value: str) -> tuple[str, str, str] | None:
    why = ""
    if len(value) > MAX_PATH:
        why = f"has more than {MAX_PATH} characters"
    elif _BAD_PROGRAM.search(value):
        why = "has a character that no path of a rule may have"
    elif value.casefold() != "system" and not _FULL_PATH.fullmatch(value):
        why = "is no full path of a file"
    return ("E0791", why, "write the full path, such as `%ProgramFiles%\\Vendor\\service.exe`") if why else None


def _bad(
    code: str, account: Account, kind: str, value: str, site: Site[Settings], why: str, help_text: str
) -> Diagnostic:
    return Diagnostic(
        code=code,
        message=f"the {kind} `{clipped(value)}` of `{account.name}` {why} (`{site.firewall}`, {site.target})",
        span=account.span,
        label="this account",
        help=help_text,
    )


def distinct(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The diagnostics without those that say the same thing once more, in their order."""
    found: dict[tuple[str, str], Diagnostic] = {}
    for diagnostic in diagnostics:
        found.setdefault((diagnostic.code, diagnostic.message), diagnostic)
    return tuple(found.values())
