"""Lists for proxies: from a loaded policy to the text of one list, proved and graded."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from egressc.anything import Anything
from egressc.api_build import enforced_by_hosts
from egressc.bind import bind_everything
from egressc.diagnostics import Diagnostic, Level, has_errors
from egressc.exports import Dialect, ListKind
from egressc.exports_announce import announcements
from egressc.exports_check import Compared, compared, together
from egressc.exports_judge import (
    Requests,
    RuleInList,
    Spoken,
    by_rule,
    check_announced,
    check_read,
    judge,
    requests_of,
    unsaid,
    unseen,
)
from egressc.exports_lower import lower
from egressc.exports_minimal import minimal
from egressc.exports_wanted import Selection, wanted
from egressc.fidelity import Grading
from egressc.suggest import nearest
from egressc.targets.list_protocol import ListModel, ListOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from egressc.bind import Prepared
    from egressc.exports import Abilities, Line, Lowered
    from egressc.exports_judge import Judged
    from egressc.exports_wanted import Wanted
    from egressc.inventory import Acceptance
    from egressc.policy import Rule
    from egressc.site import Site
    from egressc.source import Span
    from egressc.targets.list_protocol import ListFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """Which list, for whom, in which format. ``groups`` are names as given (empty: every group)."""

    format: ListFormat
    options: ListOptions
    groups: tuple[str, ...] = ()
    account: str | None = None
    rules: str = "*"
    name: str = ""
    span: Span | None = None
    acceptances: tuple[Acceptance, ...] = ()
    accept: tuple[str, ...] = ()
    strict: bool = False

    @property
    def shown(self) -> str:
        """What the list is called in messages."""
        return f"{self.name or self.format.name} ({self.options.kind.value} list)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListBuild:
    """One list. ``text`` is what is written; ``rules`` says how it says each rule; ``entries`` its lines as spelled."""

    request: ListRequest
    groups: tuple[str, ...]
    as_of: date
    text: str
    rules: tuple[RuleInList, ...]
    entries: tuple[tuple[str, Line], ...]
    remarks: tuple[str, ...]


def site_of(prepared: Prepared, kind: ListKind) -> Site[None]:
    """The groups and rules that a list is made from: for a bypass what goes directly, for an exemption all."""
    return bind_everything(prepared, direct_only=kind is ListKind.BYPASS)


def selection_of(
    prepared: Prepared, site: Site[None], request: ListRequest
) -> tuple[Selection | None, list[Diagnostic]]:
    """Whom the list is for; errors for names that do not exist."""
    wrong: list[Diagnostic] = []
    known = [group.name for group in site.groups]
    every = sorted({*known, *(group.name for group in prepared.inventory.groups)})
    wrong += [_no_such("group", name, every) for name in request.groups if name not in every]
    accounts = [account.name for account in prepared.policy.accounts]
    if request.account is not None and request.account not in accounts:
        wrong.append(_no_such("service account", request.account, accounts, request.span))
    identities = [rule.identity for rule in prepared.policy.rules]
    if request.rules != "*" and not any(fnmatchcase(identity, request.rules) for identity in identities):
        near = nearest(request.rules, identities)
        wrong.append(
            Diagnostic(
                code="E0520",
                message=f"no rule matches `{request.rules}`",
                span=request.span,
                help=f"did you mean `{near}`?" if near else "a pattern such as `POLICY/*` or `POLICY/RULE`",
            )
        )
    if wrong:
        return None, wrong
    # Whoever no rule is for has no use for the list, unless it was asked for by name.
    concerned = {
        group.name
        for rule in site.rules
        if not rule.is_deny and fnmatchcase(rule.identity, request.rules)
        for group in rule.groups
    }
    names = tuple(name for name in known if name in concerned) or tuple(known)
    if request.groups:
        inventory = prepared.inventory
        chosen = (
            {g.name for g in inventory.leaves(request.groups)} if inventory.source is not None else {*request.groups}
        )
        names = tuple(name for name in known if name in chosen)
    return Selection(kind=request.options.kind, groups=names, account=request.account, rules=request.rules), []


def build_list(prepared: Prepared, request: ListRequest) -> tuple[ListBuild | None, list[Diagnostic]]:
    """The list, read back and compared with what was announced; ``None`` if anything is an error.

    Raises ``BrokenLoweringError`` if the format writes anything else than it announces.
    """
    site = site_of(prepared, request.options.kind)
    selection, wrong = selection_of(prepared, site, request)
    if selection is None:
        return None, wrong
    want = wanted(site, selection)
    made = _make(request, want, _title(selection, request))
    grading = Grading(
        request.acceptances, frozenset(request.accept), request.strict, prepared.as_of, lambda _identity, _group: False
    )
    concerned = {rule.identity: rule for entry in want.entries for rule in entry.rules}
    concerned |= {rule.identity: rule for each in made.judged for rule in each.rules}
    enforced = _Enforced(prepared, selection.groups)
    judged = (*made.judged, *unsaid(concerned.values()))
    rules = by_rule(concerned.values(), judged, request.options.kind, grading, enforced)
    refusals = request.format.problems(made.model)
    whom = made.model.title.partition(" for ")[2]
    report = list(announcements(rules, want, refusals, shown=request.shown, kind=request.options.kind, whom=whom))
    if request.strict:
        report = [d.at_level(Level.ERROR) if d.level is Level.WARNING else d for d in report]
    if has_errors(report):
        return None, report
    spelled = tuple((request.format.spell(line, request.options), line) for line in made.model.lines)
    return ListBuild(
        request=request,
        groups=selection.groups,
        as_of=prepared.as_of,
        text=made.text,
        rules=rules,
        entries=spelled,
        remarks=tuple(request.format.remarks(made.model)),
    ), report


class _Enforced:
    """Whether host firewalls of the inventory tell the accounts of a rule apart in all groups of a list.

    They are lowered when it is first asked, and that is where a list does not see accounts.
    """

    def __init__(self, prepared: Prepared, groups: Sequence[str]) -> None:
        self._prepared = prepared
        self._groups = frozenset(groups)
        self._known: frozenset[tuple[str, str]] | None = None

    def __call__(self, rule: Rule) -> bool:
        if self._known is None:
            self._known = enforced_by_hosts(self._prepared)
        names = {group.name for group in self._prepared.inventory.leaves(_names(rule))}
        mine = self._groups & names
        return bool(mine) and all((rule.identity, name) in self._known for name in mine)


def _names(rule: Rule) -> tuple[str, ...] | Anything:
    return rule.groups if isinstance(rule.groups, Anything) else tuple(group.name for group in rule.groups)


@dataclass(frozen=True, slots=True)
class _Made:
    model: ListModel
    text: str
    judged: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A list as those who are called ``names`` read it: its lowered entries and minimal lines."""

    names: tuple[str, ...]
    lowered: tuple[Lowered, ...]
    lines: tuple[Line, ...]


def _spoken(request: ListRequest, want: Wanted) -> list[_Spoken]:
    """The list as each of its readers has it; those with the same abilities as one."""
    alike: dict[Abilities, list[str]] = {}
    for dialect in request.format.dialects(request.options):
        alike.setdefault(dialect.abilities, []).append(dialect.name)
    found = []
    for abilities, names in alike.items():
        lowered = lower(want.entries, Dialect("", abilities))
        lines = minimal((line for each in lowered for line in each.lines), abilities)
        found.append(_Spoken(tuple(names), lowered, lines))
    return found


def compare_list(prepared: Prepared, request: ListRequest, text: str) -> tuple[Compared | None, list[Diagnostic]]:
    """A list that people keep by hand, compared with the policy; errors for names that do not exist.

    Raises ``UnreadableError`` where it cannot be read at all.
    """
    site = site_of(prepared, request.options.kind)
    selection, wrong = selection_of(prepared, site, request)
    if selection is None:
        return None, wrong
    want = wanted(site, selection)
    form, options = request.format, request.options
    parts = [
        compared(
            form.read(text, options, each.names[0]),
            want,
            each.lowered,
            requests_of(each.lines),
            lambda line: form.spell(line, options),
            ", ".join(each.names),
        )
        for each in _spoken(request, want)
    ]
    return together(parts), []


def _make(request: ListRequest, want: Wanted, title: str) -> _Made:
    form, options = request.format, request.options
    asked = Requests(want.reaches)
    by_dialect = _spoken(request, want)
    model = ListModel(options, _together([each.lines for each in by_dialect]), title)
    if form.problems(model):
        return _Made(model, "", ())
    text = form.render(model)
    parts = []
    for each in by_dialect:
        first, *others = [form.read(text, options, name) for name in each.names]
        own = check_read(each.lines, first, request.shown)
        check_announced(own, asked, each.lowered, request.shown)
        for other in others:
            if [e.reach for e in other.entries] != [e.reach for e in first.entries]:
                check_read(each.lines, other, request.shown)
        parts.append(Spoken(each.names, each.lowered, own))
    return _Made(model, text, (*unseen(want), *judge(parts, asked)))


def _together(lists: Sequence[tuple[Line, ...]]) -> tuple[Line, ...]:
    """The lines of all dialects, each spelling once."""
    if len(lists) == 1:
        return lists[0]
    found: dict[tuple[object, ...], Line] = {}
    for lines in lists:
        for line in lines:
            key = (line.shape, line.pattern, line.addresses, line.ports, line.path, line.plain, line.exceptions)
            known = found.get(key)
            found[key] = line if known is None else known.with_rules(line.rules)
    return tuple(sorted(found.values(), key=lambda line: line.sort_key))


def _title(selection: Selection, request: ListRequest) -> str:
    """Whose list it is, in one line of plain words: names alone, which hold no hostile text."""
    whom = f" as {selection.account}" if selection.account is not None else ""
    groups = ", ".join(selection.groups) if request.groups or len(selection.groups) < 4 else "all groups"
    return f"{selection.kind.value} list for {groups}{whom}"


def _no_such(what: str, name: str, known: Iterable[str], span: Span | None = None) -> Diagnostic:
    names = sorted(known)
    near = nearest(name, names)
    listed = ", ".join(f"`{each}`" for each in names[:20])
    advice = f"the {what}s are {listed}" if names else f"there are no {what}s here"
    return Diagnostic(
        code="E0520",
        message=f"there is no {what} `{name}`",
        span=span,
        help=f"did you mean `{near}`?" if near else advice,
    )
