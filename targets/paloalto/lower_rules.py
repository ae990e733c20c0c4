"""From what can be said of a part to the rules that say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import egressc.targets.paloalto.capabilities as facts
from egressc.addresses import ALL
from egressc.anything import ANY, Anything
from egressc.diagnostics import Diagnostic
from egressc.lowering import Kind, Part, Recognition
from egressc.policy import HostEndpoint, Inspection, TagEndpoint
from egressc.reasons import Reason
from egressc.services import PortSet
from egressc.targets.paloalto.applications import applications_of
from egressc.targets.paloalto.entries import entries_of
from egressc.targets.paloalto.lower_inspection import decryption_reach
from egressc.targets.paloalto.lower_split import (
    addresses_in,
    denied_exceptions,
    destinations_of,
    nothing_left,
    recognition_of,
)
from egressc.targets.paloalto.model import DecryptionRule, SecurityRule
from egressc.targets.paloalto.objects import literals, takes_in_v4

if TYPE_CHECKING:
    from egressc.addresses import AddressSet
    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.site import BoundRule, Site
    from egressc.targets.paloalto.objects import Objects
    from egressc.targets.paloalto.rule_words import RuleWords, Vocabulary
    from egressc.targets.paloalto.settings import Settings

Names = tuple[str, ...] | Anything


class _Where(NamedTuple):
    """To what the rule for a part is: categories, and destinations or all but those (``negated``)."""

    categories: Names
    destinations: Names
    negated: bool = False


_SEEN = {Recognition.SNI: "tls", Recognition.HOST: "http", Recognition.DNS: "fqdn", Recognition.NONE: "port"}
_USUAL = {Recognition.SNI: PortSet(((443, 443),)), Recognition.HOST: PortSet(((80, 80),))}


class RuleWriter:
    """Collects the rules of one site in the order in which parts come."""

    def __init__(self, site: Site[Settings], objects: Objects, vocabulary: Vocabulary) -> None:
        self.security: list[SecurityRule] = []
        self.no_decrypt: list[DecryptionRule] = []
        self.decrypt: list[DecryptionRule] = []
        self.diagnostics: list[Diagnostic] = []
        self.has_literals = False
        self._site = site
        self._settings = site.settings
        self._objects = objects
        self._vocabulary = vocabulary
        self._too_long: set[str] = set()
        self._sorted: dict[tuple[str, ...], tuple[str, ...]] = {}

    def write(self, part: Part) -> Part:
        """The part with the names of its rules, which are written now; unchanged if it is gone or cannot be said."""
        reach = part.reach
        if reach is None or part.kind is Kind.TAGS:
            return part
        words = self._vocabulary.of(part.rule)
        if words is None:
            return part
        nature = _nature(part)
        where = self._where(part, reach)
        if where is None:
            return part
        names = list(self._write_exceptions(part, reach, words, nature, where))
        name = self._objects.rule_name(part.rule, nature)
        names.append(name)
        settings = self._settings
        is_deny = part.rule.is_deny
        self.security.append(
            SecurityRule(
                name=name,
                recognition=part.recognition,
                description=words.description,
                from_zone=settings.from_zone,
                to_zone=settings.to_zone,
                sources=self._vocabulary.sources(part.rule, reach),
                users=words.users,
                destinations=where.destinations,
                negate_destination=where.negated,
                categories=where.categories,
                applications=applications_of(part, settings),
                services=self._objects.services(reach.ports),
                action="deny" if is_deny else "allow",
                schedule=words.schedule,
                tags=words.tags,
                group_tag=words.group_tag,
                log_end=words.log_end,
                log_setting=words.log_setting,
                profile_group=None if is_deny else settings.profile_group,
            )
        )
        exempt = inspect = None
        reached = decryption_reach(part, settings, self._site.tags)
        if reached is not None:
            must = part.rule.rule.inspection is Inspection.MUST
            names.append(self._write_decryption(part, reached, words, nature, where, must=must))
            exempt, inspect = (None, reached) if must else (reached, None)
        return Part(
            part.rule,
            part.kind,
            part.recognition,
            part.services,
            part.start,
            reach,
            part.steps,
            (*part.names, *names),
            exempt,
            inspect,
            self._assumptions(part, reach, words, inspect),
            part.left_out,
            closes=part.closes,
        )

    def _where(self, part: Part, reach: Reach) -> _Where | None:
        """To what the rule for a part is; ``None`` if an entry is too long, or nothing is left."""
        if part.kind is Kind.NAMES and part.recognition is Recognition.DNS:
            span = part.rule.rule.span
            return _Where(
                ANY,
                tuple(self._objects.fqdn(e.pattern.text, span) for e in reach.endpoints if isinstance(e, HostEndpoint)),
            )
        left = destinations_of(part, self._site.tags)
        if left.is_empty:
            what = f"the exceptions of `{part.rule.identity}` take all addresses away"
            self.diagnostics.append(nothing_left(part.rule, what, "remove the rule, or make its `except` smaller"))
            return None
        destinations, negated = self._destinations(left, as_list=part.kind is Kind.ADDRESSES)
        if part.kind is Kind.ADDRESSES:
            return _Where(ANY, destinations, negated)
        if part.kind is Kind.ANY_ADDRESS:
            return _Where(ANY, destinations, negated)
        category = self._category(part.rule, _category_nature(reach.endpoints), reach.endpoints)
        return None if category is None else _Where((category,), destinations, negated)

    def _write_exceptions(
        self, part: Part, reach: Reach, words: RuleWords, nature: str, where: _Where
    ) -> tuple[str, ...]:
        """The name of the deny directly above an allow, which takes its exceptions out of it; none if it needs none."""
        denied = denied_exceptions(part)
        if not denied:
            return ()
        if part.recognition is Recognition.DNS:
            addresses = self._literals(addresses_in(denied, self._site.tags))
            return (
                self._deny(part, reach, words, f"{nature}-except-address", Recognition.NONE, _Where(ANY, addresses)),
            )
        nature = f"{nature}-except"
        category = self._category(part.rule, nature, denied)
        if category is None:
            return ()
        there = _Where((category,), where.destinations, where.negated)
        return (self._deny(part, reach, words, nature, recognition_of(part), there),)

    def _deny(
        self,
        part: Part,
        reach: Reach,
        words: RuleWords,
        nature: str,
        recognition: Recognition,
        where: _Where,
    ) -> str:
        name = self._objects.rule_name(part.rule, nature)
        self.security.append(
            SecurityRule(
                name=name,
                recognition=recognition,
                description=words.description,
                from_zone=self._settings.from_zone,
                to_zone=self._settings.to_zone,
                sources=self._vocabulary.sources(part.rule, reach),
                users=words.users,
                destinations=where.destinations,
                negate_destination=where.negated,
                categories=where.categories,
                applications=ANY,
                services=self._objects.services(reach.ports),
                action="deny",
                tags=words.tags,
                group_tag=words.group_tag,
                log_end=words.log_end,
                log_setting=words.log_setting,
            )
        )
        return name

    def _write_decryption(
        self, part: Part, reach: Reach, words: RuleWords, nature: str, where: _Where, *, must: bool
    ) -> str:
        settings = self._settings
        action = "decrypt" if must else "no-decrypt"
        name = self._objects.rule_name(part.rule, f"{nature}-{action}")
        categories: Names = ANY
        if part.kind is Kind.NAMES:
            category = self._category(part.rule, "hosts", reach.endpoints)
            assert category is not None, "the entry with a path would have been too long before"
            categories = (category,)
        log = part.rule.rule.log if settings.release >= (10, 0) else None
        rule = DecryptionRule(
            name=name,
            description=words.description,
            from_zone=settings.from_zone,
            to_zone=settings.to_zone,
            sources=self._vocabulary.sources(part.rule, reach),
            users=words.users,
            destinations=where.destinations,
            negate_destination=where.negated,
            categories=categories,
            services=self._objects.services(reach.ports),
            action=action,
            profile=settings.decryption_profile if must else None,
            tags=words.decryption_tags,
            group_tag=words.group_tag,
            log_success=log,
            log_fail=log,
            log_setting=words.log_setting if settings.release >= (10, 0) else None,
        )
        (self.decrypt if must else self.no_decrypt).append(rule)
        return name

    def _category(self, rule: BoundRule, nature: str, endpoints: tuple[Endpoint, ...]) -> str | None:
        entries = entries_of(endpoints)
        longest = max(entries, key=len, default="")
        if len(longest) > facts.URL_ENTRY:
            if rule.identity not in self._too_long:
                self._too_long.add(rule.identity)
                self.diagnostics.append(
                    Diagnostic(
                        code="E0702",
                        message=f"`{rule.identity}` needs a URL entry of {len(longest)} characters, and PAN-OS takes "
                        f"{facts.URL_ENTRY}",
                        span=rule.rule.span,
                        label=f"`{longest[:40]}…`",
                        help="shorten the path: a prefix of it covers everything below it",
                    )
                )
            return None
        return self._objects.category(rule, nature, entries)

    def _destinations(self, left: AddressSet, *, as_list: bool) -> tuple[Names, bool]:
        """The addresses as a list of them, or of all others, negated: the other way where IPv6 would take in IPv4."""
        if left == ALL and not as_list:
            return ANY, False
        others = ALL.difference(left)
        negated = not as_list
        if takes_in_v4(others if negated else left):
            negated = not negated
        return self._literals(others if negated else left), negated

    def _literals(self, addresses: AddressSet) -> tuple[str, ...]:
        self.has_literals = True
        return literals(addresses)

    def _assumptions(self, part: Part, reach: Reach, words: RuleWords, inspect: Reach | None) -> tuple[str, ...]:
        """The ids of what nobody could verify and the rules of a part rest on, sorted."""
        found: list[str] = []
        if words.users is not ANY:
            found.append(facts.USER_MAPPED)
        if inspect is not None:
            found.append(facts.DECRYPT_SURE)
        if reach.shared:
            found.append(facts.FQDN_RESOLVED)
        recognition = recognition_of(part)
        if recognition in _USUAL:
            found += self._category_assumptions(part, reach, recognition)
        key = tuple(found)
        known = self._sorted.get(key)
        if known is None:
            known = self._sorted[key] = tuple(sorted(set(found)))
        return known

    def _category_assumptions(self, part: Part, reach: Reach, recognition: Recognition) -> list[str]:
        hosts = [e for e in (*reach.endpoints, *reach.exceptions) if isinstance(e, HostEndpoint)]
        if not hosts:
            return []
        found = [facts.CATEGORY_SESSION, facts.CATEGORY_OVERLAP]
        if not _USUAL[recognition].contains(reach.ports):
            found.append(facts.CATEGORY_PORT)
        if len(hosts) < len(reach.endpoints) + len(reach.exceptions):
            found.append(facts.CATEGORY_ADDRESS)
        paths = deep = mixed = False
        for endpoint in hosts:
            paths |= endpoint.path is not None
            if endpoint.pattern.deep:
                deep = True
                mixed |= endpoint.pattern.labels[0] == "*"
        if paths:
            found.append(facts.PATH_PREFIX)
            if recognition is Recognition.SNI:
                found += (facts.PATH_DECRYPTED, facts.DECRYPT_SURE)
        if deep and (recognition is Recognition.HOST or self._may_be_opened(part)):
            found.append(facts.STAR_SLASH)
        if mixed:
            found.append(facts.STAR_CARET)
        return found

    def _may_be_opened(self, part: Part) -> bool:
        return self._settings.tls_inspection and part.rule.rule.inspection is not Inspection.MUST_NOT


def _category_nature(endpoints: tuple[Endpoint, ...]) -> str:
    """What a category holds: hosts alone (which decryption rules share), or paths too."""
    return "paths" if any(isinstance(e, HostEndpoint) and e.path for e in endpoints) else "hosts"


def _nature(part: Part) -> str:
    """What tells the rules of one policy rule apart, whatever else the policy rule holds."""
    if part.kind is Kind.NAMES:
        return _SEEN[part.recognition]
    fallback = next((step for step in part.steps if step.reason is Reason.FALLBACK), None)
    source = part.start if fallback is None or fallback.after is None else fallback.after
    if part.kind is Kind.ANY_ADDRESS:
        nature = "any"
    elif isinstance(source.endpoints[0], TagEndpoint):
        nature = "tag"
    else:
        nature = "address"
    if fallback is not None:
        return f"fallback-{nature}"
    if any(isinstance(e, HostEndpoint) for e in part.start.exceptions):
        # such a part may have been split by what its services show of the name
        return f"{nature}-{_SEEN[recognition_of(part)]}"
    return nature
