"""A rule as its policy states it, with the policy's defaults that no including policy can replace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from egressc.diagnostics import Diagnostic, Related
from egressc.parse_shape import RULE
from egressc.policy import Action, Inspection
from egressc.quick_init import quick_init
from egressc.resolve_settings import logs, text_of
from egressc.services import Application

if TYPE_CHECKING:
    from datetime import date

    from egressc.anything import Anything
    from egressc.policy import Account, Destinations, GroupName
    from egressc.resolve_destinations import To, ToReader
    from egressc.resolve_report import Report
    from egressc.resolve_settings import Settings, SettingsReader
    from egressc.scope import Scope
    from egressc.services import Service
    from egressc.source import Span
    from egressc.syntax import Rule, Setting

_TLS = frozenset({Application.HTTPS, Application.TLS})
_WITH_PATHS = frozenset({Application.HTTPS, Application.HTTP})


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDefaults:
    """What a policy says for those of its rules that do not say it themselves, whoever includes it."""

    inspection: Inspection = Inspection.MAY
    log: bool | None = None
    feature: tuple[str, Span] | None = None
    ticket: str = ""
    reference: str = ""


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StatedRule:
    """A rule whose ``groups`` and ``accounts`` are still ``None`` where it leaves them to a policy."""

    name: str
    action: Action
    description: str
    groups: tuple[GroupName, ...] | Anything | None
    accounts: tuple[Account, ...] | None
    to: Destinations
    services: tuple[Service, ...]
    inspection: Inspection
    log: bool | None
    feature: tuple[str, Span] | None
    expires: date | None
    ticket: str
    reference: str
    span: Span


class RuleReader:
    """Reads rules. ``nowhere`` is what a rule without endpoints is given, so that the rest of it is read, too."""

    def __init__(self, settings: SettingsReader, to: ToReader, nowhere: Destinations, report: Report) -> None:
        self._settings = settings
        self._to = to
        self._nowhere = nowhere
        self._report = report

    def read(self, rule: Rule, scope: Scope, defaults: RuleDefaults) -> StatedRule:
        """The rule, with everything reported that is wrong in it; then it must not reach the model."""
        stated = self._settings.once(rule.settings)
        to: To | None = None
        services: tuple[Service, ...] = ()
        right = False
        if "to" in stated:
            to = self._to.read(stated["to"], scope)
        elif not rule.damaged:
            self._lacks(rule, "to", "E0223", "a rule without endpoints never means any; `to any-address` says it aloud")
        if "ports" in stated:
            services, right = self._settings.services(stated["ports"])
        elif not rule.damaged:
            self._lacks(
                rule, "ports", "E0224", "write the ports, such as `ports 443/https`; `any/tcp` is every TCP port"
            )
        if to is not None and to.with_path is not None and right:
            self._check_path(to, stated, services)
        has_tls = any(service.application in _TLS for service in services)
        return StatedRule(
            name=rule.name.text,
            action=Action.ALLOW if rule.action == "allow" else Action.DENY,
            description=rule.description.value if rule.description is not None else "",
            groups=self._settings.groups(stated.get("from")),
            accounts=self._settings.accounts(stated.get("as"), scope, RULE),
            to=self._nowhere if to is None else to.destinations,
            services=services,
            inspection=self._inspection(rule, stated, defaults, has_tls=has_tls, known=right),
            log=logs(stated["log"]) if "log" in stated else defaults.log,
            feature=self._settings.feature(stated["feature"]) if "feature" in stated else defaults.feature,
            expires=self._settings.date(stated.get("expires")),
            ticket=text_of(stated.get("ticket")) or defaults.ticket,
            reference=text_of(stated.get("reference")) or defaults.reference,
            span=rule.name.span,
        )

    def _lacks(self, rule: Rule, keyword: str, code: str, help_: str) -> None:
        self._report.add(
            Diagnostic(
                code=code,
                message=f"the rule `{rule.name.text}` has no `{keyword}`",
                span=rule.name.span,
                label=f"`{keyword}` is missing",
                help=help_,
                context=rule.span,
            ),
        )

    def _check_path(self, to: To, stated: Settings, services: tuple[Service, ...]) -> None:
        """A path is seen in HTTP only; the error stands at the first port that speaks something else."""
        blind = [service for service in services if service.application not in _WITH_PATHS]
        if not blind or to.with_path is None:
            return
        ports = stated["ports"]
        texts = {service.text for service in blind} | {service.ports for service in blind}
        place = next((v.span for v in ports.values if v.span.text in texts), ports.span)
        entry = next((v for v in stated["to"].values if "/" in v.span.text), None)
        self._report.add(
            Diagnostic(
                code="E0233",
                message=f"the path of `{to.with_path.text}` cannot be seen on `{place.text}`",
                span=place,
                label="neither `http` nor `https`",
                help="move this port to a rule of its own that names the host without its path",
                related=() if entry is None else (Related(span=entry.span, text="the path"),),
            ),
        )

    def _inspection(
        self,
        rule: Rule,
        stated: Settings,
        defaults: RuleDefaults,
        *,
        has_tls: bool,
        known: bool,
    ) -> Inspection:
        without, with_ = stated.get("no-tls-inspection"), stated.get("tls-inspection")
        written = [setting for setting in (without, with_) if setting is not None]
        if rule.action == "deny":
            for setting in written:
                self._misfit("E0231", setting, "has no place on a deny", "what is denied is not inspected", "remove it")
            return Inspection.MAY
        if without is not None and with_ is not None:
            first, second = sorted(written, key=lambda s: s.span.start)
            self._report.add(
                Diagnostic(
                    code="E0230",
                    message="a rule cannot be inspected and not inspected at once",
                    span=second.span,
                    label="contradicts the other",
                    help="keep one of the two",
                    related=(Related(span=first.span, text="the other"),),
                ),
            )
            return Inspection.MAY
        if not written:
            return defaults.inspection if has_tls else Inspection.MAY
        if known and not has_tls:
            self._misfit(
                "E0232", written[0], "concerns no port of this rule", "none of them is `https` or `tls`",
                "remove it: only TLS is inspected, and a default of the policy is silent here",
            )  # fmt: skip
            return Inspection.MAY
        if with_ is None:
            return Inspection.MUST_NOT
        return Inspection.MAY if with_.values else Inspection.MUST

    def _misfit(self, code: str, setting: Setting, what: str, label: str, help_: str) -> None:
        self._report.add(
            Diagnostic(
                code=code,
                message=f"`{setting.keyword.text}` {what}",
                span=setting.span,
                label=label,
                help=help_,
            ),
        )
