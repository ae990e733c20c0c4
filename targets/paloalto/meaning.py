"""What a PAN-OS configuration does, as the vendor documents it: rulings, of which the first that matches decides.

Rules are gone through from the top, and the first that matches decides; what none matches is denied between zones and
allowed inside one ([D] security policy rules; default rules). The name of a connection is in the Host header or the
SNI; a connection without one matches no custom URL category (assumption `pan-category-session`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from egressc.anything import Anything
from egressc.meaning import Block, Meaning, Outcome, Ruling
from egressc.services import Application, PortSet
from egressc.targets.paloalto.live import WIDEST
from egressc.targets.paloalto.meaning_inspection import Inspections
from egressc.targets.paloalto.meaning_names import joined
from egressc.targets.paloalto.meaning_rule import RuleMatcher, spelled
from egressc.targets.paloalto.meaning_time import Clock

if TYPE_CHECKING:
    from egressc.site import Site
    from egressc.targets.paloalto.live import Live, LiveRule, Texts
    from egressc.targets.paloalto.settings import Settings

_ACTIONS: Final = {
    "allow": Outcome.ALLOW,
    "deny": Outcome.DENY,
    "drop": Outcome.DENY,
    "reset-client": Outcome.DENY,
    "reset-server": Outcome.DENY,
    "reset-both": Outcome.DENY,
}
"""What a security rule does ([C] specs, security rules)."""

_SPOKEN: Final[dict[Application, frozenset[str]]] = {
    Application.HTTPS: frozenset({"ssl", "web-browsing"}),
    Application.TLS: frozenset({"ssl"}),
    Application.HTTP: frozenset({"web-browsing", "ocsp"}),
}
"""The App-IDs of what is spoken (paloalto.md, section 2, *App-ID*): decrypted HTTPS is `web-browsing`."""


def meaning_of(live: Live, site: Site[Settings]) -> Meaning:
    """What the configuration does with the flows of one site."""
    return _Reading(live, site).meaning()


class _Reading:
    def __init__(self, live: Live, site: Site[Settings]) -> None:
        self._live = live
        self._site = site
        self._settings = site.settings
        self._matcher = RuleMatcher(live, site)
        self._inspections = Inspections(live, site, self._matcher)
        self._clock = Clock(site.as_of, site.settings.timezone, live)
        self._spoken: dict[Texts, PortSet] = {}
        self._remarks = [*live.remarks, *self._inspections.remarks]
        self._rulings: list[Ruling] = []

    def meaning(self) -> Meaning:
        """All of it."""
        for rule in self._live.security:
            self._rule(rule)
        if self._matcher.aside:
            self._remarks.append(f"rules between other zones are left aside: {self._matcher.aside}")
        default = self._default()
        return Meaning(tuple(self._rulings), self._inspections.rulings, default, tuple(self._remarks))

    def _rule(self, rule: LiveRule) -> None:
        is_on, of_time = self._clock.is_on(rule.schedule)
        if not is_on:
            self._nothing(rule, "its schedule is over, or has not begun")
            return
        outcome = _ACTIONS.get(rule.action)
        doubts = [of_time] if of_time else []
        if outcome is None:
            doubts.append(f"the action `{rule.action[:80]}` is not understood")
        if rule.profile and outcome is not Outcome.DENY and rule.profile != (self._settings.profile_group,):
            doubts.append(f"the profiles {spelled(rule.profile)} may stop some of it")
        if rule.kind not in {"universal", "intrazone", "interzone"}:
            doubts.append(f"the rule type `{rule.kind[:80]}` is not understood")
        matched = self._matcher.matched(rule, doubts)
        if matched is None:
            return
        if matched.nothing:
            self._nothing(rule, matched.nothing)
            return
        doubt = matched.doubt
        self._add(rule, outcome, matched.blocks, doubt)
        if matched.with_paths:
            hidden = "" if self._inspections.shows_paths(matched.with_paths) else (
                "a path is seen only where TLS is surely opened, or none is spoken"
            )  # fmt: skip
            self._add(rule, outcome, matched.with_paths, joined((doubt, hidden)))
        if matched.unseen:
            hidden = "whether a name is seen over UDP is not documented"
            self._add(rule, outcome, matched.unseen, joined((doubt, hidden)))
        self._add(rule, outcome, matched.vague, joined((doubt, matched.of_names)))

    def _add(self, rule: LiveRule, outcome: Outcome | None, blocks: tuple[Block, ...], doubt: str) -> None:
        """Add a ruling; both, in doubt, where nobody knows which."""
        if not blocks:
            return
        if rule.applications != WIDEST:
            doubt = joined((doubt, self._of_applications(rule.applications, blocks[0].ports, outcome)))
        for each in (Outcome.ALLOW, Outcome.DENY) if outcome is None else (outcome,):
            self._rulings.append(Ruling(rule.name, each, blocks, rule.place, doubt))

    def _nothing(self, rule: LiveRule, why: str) -> None:
        self._remarks.append(f"{rule.place}: the rule `{rule.name}` decides nothing: {why}")

    def _of_applications(self, names: Texts, ports: PortSet, outcome: Outcome | None) -> str:
        """Why applications make a rule match less than its ports.

        Where the inventory asks for them, an allow that lists all that is spoken on its ports, as the policy says,
        matches what the report announces (reason `application`).
        """
        asks = f"it asks for the applications {spelled(names)}"
        if not self._settings.by_protocol or outcome is not Outcome.ALLOW:
            return asks
        spoken = self._spoken.get(names)
        if spoken is None:
            listed = frozenset(names)
            spoken = self._spoken[names] = PortSet.of(
                {s for rule in self._site.rules for s in rule.services if _SPOKEN.get(s.application, _NEVER) <= listed}
            )
        return "" if spoken.contains(ports) else asks

    def _default(self) -> Outcome:
        """What the default rules do, as far as the zones say which of them is asked."""
        one, other = self._settings.from_zone, self._settings.to_zone
        if isinstance(one, Anything) or isinstance(other, Anything):
            return Outcome.LEFT
        name, usual = ("intrazone-default", "allow") if one == other else ("interzone-default", "deny")
        actions = {_ACTIONS.get(action) for action in self._live.defaults.get(name, (usual,))}
        found = actions.pop()
        if actions or found is None:
            doubt = f"what `{name}` does is not clear"
            self._remarks.append(doubt)
            self._rulings += [Ruling(name, each, (Block(),), "", doubt) for each in (Outcome.ALLOW, Outcome.DENY)]
            return Outcome.LEFT
        return found


_NEVER: Final = frozenset({"\n"})
"""What no rule lists."""
