"""What lowering knows of a site besides its rules: processes, sources and sets, each worked out once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from egressc.anything import Anything
from egressc.diagnostics import Diagnostic
from egressc.targets.iptables.capabilities import LAST_DAY
from egressc.targets.iptables.cells import Cell, Sources
from egressc.targets.iptables.chain_writer import ANYWHERE, Side
from egressc.targets.iptables.model import Cgroup, Log, Mode, Owner, Until
from egressc.targets.iptables.processes import (
    ALL_PROCESSES,
    Processes,
    cgroup_problem,
    may_be_one,
    processes_of,
    user_problem,
)
from egressc.targets.iptables.quote import cut_text
from egressc.targets.iptables.remarks import comment_of, log_prefix
from egressc.targets.iptables.set_table import SetTable

if TYPE_CHECKING:
    from egressc.lowering import Part
    from egressc.policy import Account
    from egressc.site import BoundRule, Site
    from egressc.targets.iptables.lower_part import Shaped
    from egressc.targets.iptables.model import Match
    from egressc.targets.iptables.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """A part with its boxes: for each cell the ways to meet its destination (none: nothing is left of it).

    ``early`` says that it names addresses of the internal networks, which the chain leaves to others after that.
    """

    shaped: Shaped
    boxes: tuple[tuple[Cell, tuple[Side, ...]], ...]
    early: bool = False


class Ground:
    """The site, its sets, and what rules share.

    Collects errors in ``diagnostics``, and in ``long_comments`` by key what is too long for the comment of a rule.
    """

    def __init__(self, site: Site[Settings]) -> None:
        self.site = site
        self.settings = site.settings
        self.table = SetTable(site)
        self.diagnostics: list[Diagnostic] = []
        self._processes: dict[int, tuple[tuple[Account, ...], tuple[Processes, ...]]] = {}
        self._checked: set[str] = set()
        self._comments: dict[int, str] = {}
        self._sources: dict[Sources, tuple[Side, ...]] = {}
        self.long_comments: dict[str, str] = {}

    def processes(self, part: Part) -> tuple[Processes, ...]:
        """The processes of a part, as alternatives; none where an account is not bound (an error has been noted)."""
        reach = part.reach
        accounts = part.rule.accounts
        if reach is None or isinstance(reach.accounts, Anything) or isinstance(accounts, Anything):
            return (ALL_PROCESSES,)
        known = self._processes.get(id(accounts))
        if known is None:
            found: dict[Processes, None] = {}
            for account in accounts:
                found.update(dict.fromkeys(self._checked_processes(account, part.rule)))
            # The accounts are kept so that their id stays their own.
            known = self._processes[id(accounts)] = (accounts, tuple(found))
        return known[1]

    def meets_allow(self, rule: BoundRule) -> bool:
        """True if an allow overlaps the rule, for some process: one may be of two accounts (user, control group)."""
        index = self.site.index
        if index.meets_allow(rule):
            return True
        reach = rule.reach
        if isinstance(reach.accounts, Anything):
            return False
        others = frozenset[str]().union(*(self.overlapping.get(name, ()) for name in reach.accounts)) - reach.accounts
        return bool(others) and bool(index.allows_meeting(replace(reach, accounts=others)))

    @cached_property
    def overlapping(self) -> dict[str, frozenset[str]]:
        """For each account of the site's rules the others that may have a process in common with it, on a host."""
        if self.settings.mode is not Mode.HOST:
            return {}
        rules = [rule.accounts for rule in self.site.rules if not isinstance(rule.accounts, Anything)]
        found = {account.name: processes_of(account) for account in dict.fromkeys(a for some in rules for a in some)}
        return {
            name: frozenset(
                other
                for other, theirs in found.items()
                if other != name and any(may_be_one(one, another) for one in mine for another in theirs)
            )
            for name, mine in found.items()
        }

    def cell(self, part: Part) -> Cell:
        """The box of a part but for its destination."""
        reach = part.reach
        assert reach is not None
        return Cell(reach.ports, Sources(reach.groups), self.processes(part))

    def sources(self, sources: Sources) -> tuple[Side, ...]:
        """The ways to meet a condition on the source: a host sends everything itself, so there is none."""
        if self.settings.mode is Mode.HOST:
            return ANYWHERE
        known = self._sources.get(sources)
        if known is None:
            if isinstance(sources.groups, Anything):
                known = (Side(tuple(self.table.not_source(name) for name in sorted(sources.outside))),)
            else:
                known = tuple(self.table.source(name) for name in sorted(sources.groups))
            self._sources[sources] = known
        return known

    def comment(self, rule: BoundRule) -> str:
        """The comment on the chain rules of a rule."""
        known = self._comments.get(id(rule))
        if known is None:
            whole = comment_of(rule)
            known = self._comments[id(rule)] = cut_text(whole)
            if known != whole:
                self.long_comments[rule.key] = whole
        return known

    def log(self, rule: BoundRule) -> Log | None:
        """How the chain rules of a rule are logged, if they are."""
        group = self.settings.nflog_group
        return Log(group, log_prefix(rule)) if rule.rule.log and group is not None else None

    def until(self, rule: BoundRule) -> tuple[Match, ...]:
        """The condition on the time: an allow that ends, ends by itself as long as iptables can count."""
        day = rule.rule.expires
        return () if day is None or rule.is_deny or day > LAST_DAY else (Until(day),)

    def _checked_processes(self, account: Account, rule: BoundRule) -> tuple[Processes, ...]:
        found = processes_of(account)
        if account.name in self._checked:
            return found
        self._checked.add(account.name)
        if not found:
            self.diagnostics.append(
                Diagnostic(
                    code="E0501",
                    message=f"`{account.name}` has no `linux-user` or `linux-cgroup` binding for "
                    f"`{self.site.firewall}` (iptables)",
                    span=rule.rule.span,
                    label="this rule is for that account",
                    help=f"add one to the inventory: `service-accounts: {{{account.name}: {{linux-user: …}}}}`",
                )
            )
        for match in dict.fromkeys(m for processes in found for m in processes.matches):
            self._check(account, match)
        return found

    def _check(self, account: Account, match: Owner | Cgroup) -> None:
        if isinstance(match, Owner):
            code, kind, value, problem = "E0762", "linux-user", match.user, user_problem(match.user)
        else:
            code, kind, value, problem = "E0763", "linux-cgroup", match.path, cgroup_problem(match.path)
        if problem is not None:
            self.diagnostics.append(
                Diagnostic(
                    code=code,
                    message=f"`{value}` cannot be the {kind} of `{account.name}`: {problem}",
                    span=account.span,
                    label="this account is called so",
                    help="write its name on the host, in the policy or under `service-accounts` in the inventory",
                )
            )
