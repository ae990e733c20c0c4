"""What a review says of one change, one edit, one firewall: the words that all its forms share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from egressc.anything import Anything
from egressc.review import EditKind, Verdict, What

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from egressc.review import Change, Edit, FirewallReview, Review, RuleAt


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of change: the key of its list, its heading, and the sign before its lines."""

    key: str
    heading: str
    sign: str

    def of(self, review: Review) -> tuple[Change, ...]:
        """The changes of this kind."""
        changes: tuple[Change, ...] = getattr(review, self.key)
        return changes


SECTIONS: Final = (
    Section("newly_allowed", "newly allowed", "+"),
    Section("no_longer_allowed", "no longer allowed", "-"),
    Section("inspection_changed", "inspection", "~"),
)
"""The kinds of change, what a reviewer must look at first before all others."""

VERDICTS: Final = {
    Verdict.DENY: "denied",
    Verdict.ALLOW: "allowed",
    Verdict.MAY: "may be inspected",
    Verdict.MUST_NOT: "must not be inspected",
    Verdict.MUST: "must be inspected",
}
"""How a verdict reads behind a flow."""

_STATES: Final = {
    "new": "new",
    "gone": "gone",
    "errors": "not compared: it does not compile",
}
_NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NOUNS: Final = {
    What.RULE: ("rule", "rules"),
    What.POLICY: ("policy", "policies"),
    What.SET: ("set", "sets"),
    What.ACCOUNT: ("service account", "service accounts"),
    What.PARAMETER: ("parameter", "parameters"),
    What.GROUP: ("group", "groups"),
    What.IMPORT: ("import", "imports"),
    What.FILE: ("file", "files"),
}
_MOST_RULES: Final = 3
_MOST_BEYOND: Final = 5


def who(change: Change) -> str:
    """The senders: groups, which of their addresses if not all, and accounts."""
    groups = "any group" if isinstance(change.groups, Anything) else ", ".join(change.groups)
    at = f" ({change.sources})" if change.sources else ""
    return f"{groups}{at}" + ("" if isinstance(change.accounts, Anything) else f" as {', '.join(change.accounts)}")


def where(change: Change) -> str:
    """The destinations with their ports, as the language writes them."""
    endpoint = change.endpoint or f"{change.count} endpoint{'s' if change.count != 1 else ''}"
    bare = endpoint.partition("/")[0]
    shown = f"[{endpoint}]" if ":" in bare and " " not in endpoint else endpoint
    beyond = ""
    if change.beyond:
        more = len(change.beyond) - _MOST_BEYOND
        shown_beyond = ", ".join(change.beyond[:_MOST_BEYOND])
        beyond = f" (but {shown_beyond} and {more} more)" if more > 0 else f" (but {shown_beyond})"
    return f"{shown}:{','.join(change.ports.split())}{beyond}"


def flows(change: Change) -> str:
    """The whole set of flows in one line."""
    return f"{who(change)} → {where(change)}"


def turn(change: Change) -> str:
    """What was decided before, and what is now."""
    return f"{VERDICTS[change.before]} → {VERDICTS[change.after]}"


def example(change: Change) -> str:
    """The example of a change in one line, its sender by the address where it has one."""
    flow = change.example
    text = (replace(flow, group=None) if flow.source else flow).text
    tag = next((each for each in (change.endpoint, *change.within) if each.startswith("service-tag ")), "")
    if tag and flow.host is None and flow.address is None:
        # Which addresses a service tag has may not be known.
        return text.replace("→ any address:", f"→ an address of {tag}:")
    return text


class Places:
    """Rules with their positions, the line alone where there is only one file (``one_file``: as far as anyone knows).

    The policy that was named last is ``…``. ``in_full``: neither of the two, where lines are read one by one.
    """

    def __init__(self, review: Review, *, in_full: bool = False, one_file: bool = True) -> None:
        self._in_full = in_full
        rules = [rule for change in every_change(review) for rule in (*change.old_rules, *change.new_rules)]
        files = {rule.span.source.shown for rule in rules}
        self._one_file = one_file and not in_full and len(files) <= 1
        self._said = ""

    def rules(self, rules: Iterable[RuleAt], *, most: int = _MOST_RULES) -> str:
        """Some rules, one behind the other: ``rule p/a (line 3)``, ``rules p/a (line 3), …/b (line 8)``."""
        each = {(rule.identity, rule.span.source.shown, rule.span.line): rule for rule in rules}
        said = [self._one(rule) for rule in list(each.values())[:most]]
        left = len(each) - len(said)
        return f"rule{'s' if len(each) > 1 else ''} {', '.join(said)}" + (f" and {left} more" if left else "")

    def sides(self, change: Change) -> str:
        """The rules that decide, on each side that has any."""
        was = new = ""
        if change.new_rules:
            new = self.rules(change.new_rules)
        if change.old_rules:
            was = f"was {self.rules(change.old_rules)}"
        if change.after is Verdict.DENY:
            return ", ".join(part for part in (was, f"now denied by {new}" if new else "") if part)
        if change.before is Verdict.DENY:
            return ", ".join(part for part in (new, was.replace("was ", "was denied by ", 1)) if part)
        return ", ".join(part for part in (new, was) if part)

    def _one(self, rule: RuleAt) -> str:
        policy, _, name = rule.identity.rpartition("/")
        shown = f"…/{name}" if policy and policy == self._said and not self._in_full else rule.identity
        self._said = policy
        return f"{shown} ({place(rule, short=self._one_file)})"


def place(rule: RuleAt, *, short: bool = False) -> str:
    """Where a rule stands: ``line 3``, or ``policies/main.egress:3``."""
    return f"line {rule.span.line}" if short else f"{rule.span.source.shown}:{rule.span.line}"


def every_change(review: Review) -> tuple[Change, ...]:
    """The changes of all kinds."""
    return tuple(change for section in SECTIONS for change in section.of(review))


def edits_sentence(edits: Sequence[Edit]) -> str:
    """How many edits change nothing, and of which kinds."""
    kinds: Counter[tuple[What, str]] = Counter()
    for edit in edits:
        match edit.kind:
            case EditKind.SPLIT:
                done = f"split in {number(len(edit.new))}"
            case EditKind.MERGED:
                done = f"merged from {number(len(edit.old))}"
            case _:
                done = edit.kind.value
        kinds[edit.what, done] += 1
    parts: list[str] = []
    said: What | None = None
    for (what, done), many in sorted(kinds.items(), key=lambda each: list(What).index(each[0][0])):
        parts.append(f"{many} {done}" if what is said else f"{plural(many, *_NOUNS[what])} {done}")
        said = what
    count = len(edits)
    return f"{count} edit{'s' if count != 1 else ''} change{'s' if count == 1 else ''} nothing: {', '.join(parts)}"


def edit_names(edit: Edit) -> str:
    """What an edit without effect was done to."""
    if edit.names == ("", ""):
        old, new = (", ".join(dict.fromkeys(rule.identity for rule in rules)) for rules in (edit.old, edit.new))
    else:
        old, new = edit.names
    return old if old == new or not new else new if not old else f"{old} → {new}"


def edit_kind(edit: Edit) -> str:
    """What was done, and to what if that is no rule: ``moved``, ``set renamed``."""
    return edit.kind.value if edit.what is What.RULE else f"{_NOUNS[edit.what][0]} {edit.kind.value}"


def number(count: int) -> str:
    """A small number as a word."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def firewall_sums(firewall: FirewallReview) -> str:
    """What happens to the rules of one firewall, in numbers: ``+1 -1 ~1``."""
    counted = (("+", firewall.added), ("-", firewall.removed), ("~", firewall.changed))
    sums = " ".join(f"{sign}{len(names)}" for sign, names in counted if names)
    state = _STATES.get(firewall.state, firewall.state)
    if state:
        return f"{sums} ({state})" if sums else f"({state})"
    return sums or "unchanged"


def plural(count: int, one: str, many: str) -> str:
    """A number with its noun."""
    return f"{count} {one if count == 1 else many}"
