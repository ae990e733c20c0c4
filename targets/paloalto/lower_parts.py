"""From the parts of a rule to what PAN-OS can say of them: the steps, one reason each."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from egressc.anything import ANY
from egressc.approximate import (
    any_source,
    by_address,
    drop_account,
    drop_exceptions,
    drop_paths,
    expand_tags,
    left_out,
    map_hosts,
    note,
    use_fallback,
)
from egressc.diagnostics import Diagnostic
from egressc.hosts import intersects
from egressc.lowering import Kind, Part, Recognition
from egressc.parts import parts_of
from egressc.policy import AddressEndpoint, AnyAddressEndpoint, HostEndpoint, Inspection, TagEndpoint
from egressc.reach import for_every_process
from egressc.reasons import Reason
from egressc.targets.paloalto.applications import applications_of
from egressc.targets.paloalto.entries import sayable, with_short_runs, with_whole_labels
from egressc.targets.paloalto.lower_accounts import Sharing, sharing_of
from egressc.targets.paloalto.lower_inspection import Decrypted
from egressc.targets.paloalto.lower_split import (
    VISIBLE,
    denied_exceptions,
    excepted_hosts_of,
    has_fqdn,
    hosts_of,
    nothing_left,
    recognition_of,
    split,
    tls_services_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from egressc.policy import Endpoint
    from egressc.reach import Reach
    from egressc.site import BoundRule, Site
    from egressc.targets.paloalto.settings import Settings


class Steps:
    """Takes the rules of one site to what PAN-OS can say.

    ``diagnostics`` are what no reason covers; ``sharing`` says which accounts of the site share processes.
    """

    def __init__(self, site: Site[Settings]) -> None:
        self.diagnostics: list[Diagnostic] = []
        self.sharing: Sharing = sharing_of(site)
        self._sharing = dict(self.sharing)
        self._site = site
        self._settings = site.settings
        self._told: set[str] = set()

    def lowered(self, rule: BoundRule) -> Iterator[Part]:
        """The parts of a rule, each reaching what can be said, exceptions included."""
        self._check_accounts(rule)
        for whole in parts_of(rule):
            for piece in split(whole):
                for part in self._sayable(self._who(piece)):
                    yield self._noted(self._settled(self._excepted(part)))

    def _check_accounts(self, rule: BoundRule) -> None:
        if not self._settings.user_id or rule.accounts is ANY:
            return
        for account in rule.accounts:
            if account.name in self._told or account.values("directory-user"):
                continue
            self._told.add(account.name)
            site = self._site
            self.diagnostics.append(
                Diagnostic(
                    code="E0501",
                    message=f"`{account.name}` has no directory-user binding for `{site.firewall}` ({site.target})",
                    span=rule.rule.span,
                    label="this rule is for that account",
                    help="say what User-ID calls it, in the inventory: "
                    f"`service-accounts: {{{account.name}: {{directory-user: 'DOMAIN\\NAME'}}}}`",
                )
            )

    def _who(self, part: Part) -> Part:
        if not self._settings.user_id:
            part = drop_account(part, "the firewall does not see accounts: `user-id` is off")
        for group in part.rule.groups:
            if group.is_unbound:
                return any_source(part, f"group `{group.name}` has neither networks nor an object on this firewall")
        return part

    def _sayable(self, part: Part) -> Iterator[Part]:
        match part.kind:
            case Kind.NAMES if part.recognition in VISIBLE:
                yield self._by_category(part)
            case Kind.NAMES:
                yield from self._by_address(part)
            case Kind.TAGS:
                yield self._expanded(part)
            case Kind.ADDRESSES | Kind.ANY_ADDRESS:
                yield part

    def _by_category(self, part: Part) -> Part:
        part = _in_tokens(part)
        if part.recognition is Recognition.HOST or self._sees_paths(part):
            return part
        return drop_paths(part, "the path of a TLS connection that is not surely decrypted is invisible")

    def _sees_paths(self, part: Part) -> bool:
        """True if every TLS connection of a part with paths is surely decrypted, so that its path is seen."""
        settings = self._settings
        if part.reach is None or not settings.tls_inspection or settings.decryption_profile is None:
            return False
        if not any(e.path for e in (*hosts_of(part), *excepted_hosts_of(part))):
            return False
        return self._decrypted.covers(part.reach)

    @cached_property
    def _decrypted(self) -> Decrypted:
        """What the decryption rules will decrypt. Their hosts are whole, so this does not depend on any path."""
        wholes = (
            self._who(piece)
            for rule in self._site.rules
            if not rule.is_deny and rule.rule.inspection is not Inspection.MAY
            for whole in parts_of(rule)
            for piece in split(whole)
        )
        matched = (self._matched(part) for part in wholes)
        return Decrypted(matched, self._settings, self._site.tags, self._sharing)

    def _matched(self, part: Part) -> Part:
        """The part as a decryption rule matches it: wildcards in tokens, tags as addresses."""
        if part.kind is Kind.TAGS:
            found = expand_tags(part, self._site)
            return part if isinstance(found, Diagnostic) else found
        return _in_tokens(part) if part.recognition in VISIBLE else part

    def _by_address(self, part: Part) -> Iterator[Part]:
        part = drop_paths(part, "nothing on these ports shows a path")
        if all(has_fqdn(e) for e in hosts_of(part)):
            yield by_address(part, "nothing on these ports shows the name: an FQDN object holds its addresses")
            return
        for other in use_fallback(
            part, "an address object takes no wildcard, and nothing on these ports shows the name"
        ):
            yield self._expanded(other) if other.kind is Kind.TAGS else other

    def _expanded(self, part: Part) -> Part:
        found = expand_tags(part, self._site)
        if isinstance(found, Diagnostic):
            self.diagnostics.append(found)
            return part
        if found.reach is not None and all(_is_nothing(e) for e in found.reach.endpoints):
            what = f"the service tags of `{part.rule.identity}` hold no address"
            self.diagnostics.append(
                nothing_left(part.rule, what, "check the file that `service-tags` names in the inventory")
            )
            return part
        return found

    def _excepted(self, part: Part) -> Part:
        """The part without the exceptions that no rule directly above its own can say."""
        reach = part.reach
        if reach is None or not reach.exceptions:
            return part
        known = drop_exceptions(
            _without_idle(part, reach),
            "these exceptions cannot be recognised on these ports",
            lambda exception: self._recognisable(part, exception),
        )
        denied = denied_exceptions(known)
        if not denied:
            return known
        if part.rule.is_deny:
            return without_denied_exceptions(known, "nothing can stand before a deny that would take this out of it")
        if not self._site.closing_deny:
            return without_denied_exceptions(
                known, "without a closing deny, the deny of an exception would decide more than it may"
            )
        if self._site.names_internal(denied):
            return without_denied_exceptions(
                known, "beside FQDN objects, the deny of an exception would stop every name at internal addresses"
            )
        return known

    def _recognisable(self, part: Part, exception: Endpoint) -> bool:
        match exception:
            case AddressEndpoint():
                return True
            case TagEndpoint():
                return exception.name.lower() in self._site.tags
            case AnyAddressEndpoint():
                return False
            case HostEndpoint():
                recognition = recognition_of(part)
                if recognition not in VISIBLE or not sayable(exception.pattern):
                    return False
                return exception.path is None or recognition is Recognition.HOST or self._sees_paths(part)

    def _settled(self, part: Part) -> Part:
        """A deny that changed although it meets no allow is left out, if the closing deny stops all that it is for."""
        if not part.rule.is_deny or not self._site.closing_deny:
            return part
        if all(step.after is step.before for step in part.steps):
            return part
        # A deny that meets an allow only since it was widened is an error, which the driver finds if it is written.
        whole = for_every_process(part.reach or part.start, self._sharing)
        if self._site.names_internal(part.start.endpoints) or self._site.index.allows.meets(whole):
            return part
        return left_out(part)

    def _noted(self, part: Part) -> Part:
        rule = part.rule.rule
        if part.reach is None or part.rule.is_deny:
            return part
        if rule.expires is not None:
            part = note(
                part,
                Reason.EXPIRY,
                f"a schedule ends it by the firewall's own clock ({self._settings.timezone}), for new sessions",
            )
        if applications_of(part, self._settings) is not ANY:
            part = note(part, Reason.APPLICATION, "the inventory asks for applications beside the ports")
        if (
            rule.inspection is Inspection.MUST
            and self._settings.tls_inspection
            and self._settings.decryption_profile is None
            and tls_services_of(part)
        ):
            part = note(part, Reason.TLS_UNENFORCED, "without a `decryption-profile` there is no rule that decrypts")
        return part


def without_denied_exceptions(part: Part, sentence: str) -> Part:
    """The part without the exceptions that only a deny above its rule can say."""
    denied = frozenset(denied_exceptions(part))
    return drop_exceptions(part, sentence, lambda exception: exception not in denied)


def _in_tokens(part: Part) -> Part:
    """The part with hosts that a URL category can say."""
    if all(e.pattern.is_tree for e in hosts_of(part)):
        return part
    part = map_hosts(
        part, Reason.LABEL_WILDCARD, with_whole_labels, "a wildcard in a URL category stands for whole labels"
    )
    return map_hosts(part, Reason.DEPTH, with_short_runs, "a URL category takes at most nine `^` in a row")


def _without_idle(part: Part, reach: Reach) -> Part:
    """The part without excepted hosts that none of its own hosts meets; its flows stay as they are."""
    if part.kind is not Kind.NAMES:
        return part
    hosts = hosts_of(part)
    kept = tuple(
        e
        for e in reach.exceptions
        if not isinstance(e, HostEndpoint) or any(intersects(e.pattern, h.pattern) for h in hosts)
    )
    if len(kept) == len(reach.exceptions):
        return part
    return replace(part, reach=replace(reach, exceptions=kept))


def _is_nothing(endpoint: Endpoint) -> bool:
    return isinstance(endpoint, AddressEndpoint) and endpoint.addresses.is_empty
