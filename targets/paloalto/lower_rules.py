"""From what can be said of a part to the rules that say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import egressc.targets.paloalto.capabilities as facts
from egressc.addresses import union_of
from egressc.anything import ANY, Anything
from egressc.diagnostics import Diagnostic
from egressc.lowering import Kind, Part, Recognition
from egressc.policy import AddressEndpoint, HostEndpoint, Inspection, TagEndpoint
from egressc.reasons import Reason
from egressc.services import PortSet
from egressc.targets.paloalto.applications import applications_of
from egressc.targets.paloalto.entries import entries_of
from egressc.targets.paloalto.lower_inspection import decryption_reach
from egressc.targets.paloalto.lower_split import recognition_of
from egressc.targets.paloalto.model import DecryptionRule, SecurityRule
from egressc.targets.paloalto.objects import literals

if TYPE_CHECKING:
    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.site import BoundRule, Site
    from egressc.targets.paloalto.objects import Objects
    from egressc.targets.paloalto.rule_words import RuleWords, Vocabulary
    from egressc.targets.paloalto.settings import Settings

Names = tuple[str, ...] | Anything

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
        match = self._match(part, reach)
        if match is None:
            return part
        categories, destinations = match
        names = self._write_exceptions(part, reach, words, nature, match) if reach.exceptions else []
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
                destinations=destinations,
                categories=categories,
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
        reached = decryption_reach(part, settings)
        if reached is not None:
            must = part.rule.rule.inspection is Inspection.MUST
            names.append(self._write_decryption(part, reached, words, nature, destinations, must=must))
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
        )

    def _match(self, part: Part, reach: Reach) -> tuple[Names, Names] | None:
        """The categories and destinations of the rule for a part; ``None`` if an entry is too long."""
        if part.kind is Kind.ANY_ADDRESS:
            return ANY, ANY
        if part.kind is Kind.ADDRESSES:
            return ANY, self._literals(reach.endpoints)
        if part.recognition is Recognition.DNS:
            span = part.rule.rule.span
            return ANY, tuple(
                self._objects.fqdn(e.pattern.text, span) for e in reach.endpoints if isinstance(e, HostEndpoint)
            )
        category = self._category(part.rule, _category_nature(reach.endpoints), reach.endpoints)
        return None if category is None else ((category,), ANY)

    def _write_exceptions(
        self, part: Part, reach: Reach, words: RuleWords, nature: str, match: tuple[Names, Names]
    ) -> list[str]:
        """The names of the denies directly above an allow, which take its exceptions out of it and nothing else."""
        categories, destinations = match
        names = []
        hosts = tuple(e for e in reach.exceptions if isinstance(e, HostEndpoint))
        others = tuple(e for e in reach.exceptions if not isinstance(e, HostEndpoint))
        if hosts:
            category = self._category(part.rule, f"{nature}-except", hosts)
            if category is not None:
                where = destinations if part.kind is Kind.ADDRESSES else ANY
                names.append(
                    self._deny(part, reach, words, f"{nature}-except", recognition_of(part), (category,), where)
                )
        if others:
            where = self._literals(others)
            names.append(
                self._deny(
                    part,
                    reach,
                    words,
                    f"{nature}-except-address",
                    Recognition.NONE if categories is ANY else part.recognition,
                    categories,
                    where,
                )
            )
        return names

    def _deny(
        self,
        part: Part,
        reach: Reach,
        words: RuleWords,
        nature: str,
        recognition: Recognition,
        categories: Names,
        destinations: Names,
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
                destinations=destinations,
                categories=categories,
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
        self, part: Part, reach: Reach, words: RuleWords, nature: str, destinations: Names, *, must: bool
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
            destinations=destinations,
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

    def _literals(self, endpoints: tuple[Endpoint, ...]) -> tuple[str, ...]:
        found = union_of(
            e.addresses if isinstance(e, AddressEndpoint) else self._site.tags[e.name.lower()]
            for e in endpoints
            if isinstance(e, (AddressEndpoint, TagEndpoint))
        )
        self.has_literals = True
        return literals(found)

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
