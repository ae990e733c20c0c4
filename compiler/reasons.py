"""The approximation reasons: what each may change, why, with which effect, at which level.

The table of the architecture, as data: fidelity reports, diagnostics, `egressc targets` and the docs are made from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from egressc.diagnostics import Level


class Effect(StrEnum):
    """What an approximation does to what the artefact allows, compared with the policy."""

    WIDER = "wider"
    NARROWER = "narrower"
    EXEMPTION_WIDER = "exemption-wider"
    EXEMPTION_LOST = "exemption-lost"
    NONE = "none"

    @property
    def opposite(self) -> Effect:
        """The effect on what is allowed when the rule is a deny."""
        if self is Effect.WIDER:
            return Effect.NARROWER
        return Effect.WIDER if self is Effect.NARROWER else self


class Reason(StrEnum):
    """Why an artefact differs from the policy."""

    ACCOUNT = "account"
    SOURCE = "source"
    PATH = "path"
    RESOLVED_ADDRESS = "resolved-address"
    APEX = "apex"
    DEPTH = "depth"
    LABEL_WILDCARD = "label-wildcard"
    EXCEPT = "except"
    FALLBACK = "fallback"
    NO_NAMES = "no-names"
    PORTS = "ports"
    FAMILY = "family"
    ORDER = "order"
    TLS_SCOPE = "tls-scope"
    TLS_UNENFORCED = "tls-unenforced"
    APPLICATION = "application"
    DEFAULT = "default"
    INFRASTRUCTURE = "infrastructure"
    EXPIRY = "expiry"
    LOG = "log"
    ADDRESS = "address"


@dataclass(frozen=True, slots=True)
class ReasonFacts:
    """One row of the table: ``code`` is the diagnostic that announces the reason."""

    code: str
    licence: str
    why: str
    effect: Effect
    level: Level


FACTS: dict[Reason, ReasonFacts] = {
    Reason.ACCOUNT: ReasonFacts(
        "W0601", "the account becomes any", "the enforcement point cannot see it", Effect.WIDER, Level.WARNING
    ),
    Reason.SOURCE: ReasonFacts("W0602", "the source becomes any", "the group is unbound", Effect.WIDER, Level.WARNING),
    Reason.PATH: ReasonFacts(
        "W0603", "the path becomes any", "the path is invisible there", Effect.WIDER, Level.WARNING
    ),
    Reason.RESOLVED_ADDRESS: ReasonFacts(
        "N0604",
        "the shared name becomes any in the set",
        "the name is matched through the address it resolved to",
        Effect.WIDER,
        Level.NOTE,
    ),
    Reason.APEX: ReasonFacts(
        "W0605", "adds the base of a `*.`", "subdomains come only with their domain", Effect.WIDER, Level.WARNING
    ),
    Reason.DEPTH: ReasonFacts(
        "W0606",
        "adds names below a name, or more labels",
        "one label, or an exact name, cannot be said alone",
        Effect.WIDER,
        Level.WARNING,
    ),
    Reason.LABEL_WILDCARD: ReasonFacts(
        "E0607",
        "adds names under the parent of that label",
        "a wildcard inside a label cannot be said",
        Effect.WIDER,
        Level.ERROR,
    ),
    Reason.EXCEPT: ReasonFacts("E0608", "the exception goes", "the target cannot subtract", Effect.WIDER, Level.ERROR),
    Reason.FALLBACK: ReasonFacts(
        "W0609",
        "names become the addresses of that fallback",
        "names cannot be matched",
        Effect.WIDER,
        Level.WARNING,
    ),
    Reason.NO_NAMES: ReasonFacts(
        "E0610", "the rule is gone", "names cannot be matched, and there is no fallback", Effect.NARROWER, Level.ERROR
    ),
    Reason.PORTS: ReasonFacts(
        "E0611", "the rule is gone", "these ports cannot be said with these hosts", Effect.NARROWER, Level.ERROR
    ),
    Reason.FAMILY: ReasonFacts(
        "W0612",
        "sources or addresses of one family go",
        "the target does not carry it",
        Effect.NARROWER,
        Level.WARNING,
    ),
    Reason.ORDER: ReasonFacts(
        "E0613",
        "flows in this deny and that allow",
        "a deny cannot be placed before an allow that overlaps it",
        Effect.WIDER,
        Level.ERROR,
    ),
    Reason.TLS_SCOPE: ReasonFacts(
        "W0614",
        "inspection",
        "the exemption also covers flows that did not ask for it, on a device that inspects",
        Effect.EXEMPTION_WIDER,
        Level.WARNING,
    ),
    Reason.TLS_UNENFORCED: ReasonFacts(
        "E0615",
        "inspection",
        "a flow that must not be inspected may be, or one that must be may escape",
        Effect.EXEMPTION_LOST,
        Level.ERROR,
    ),
    Reason.APPLICATION: ReasonFacts(
        "N0616",
        "nothing in the flows",
        "an application filter that the inventory asked for may reject some of the traffic",
        Effect.NARROWER,
        Level.NOTE,
    ),
    Reason.DEFAULT: ReasonFacts(
        "N0617", "flows that no rule matches", "there is no closing deny", Effect.WIDER, Level.NOTE
    ),
    Reason.INFRASTRUCTURE: ReasonFacts(
        "N0618", "flows of the enforcement point itself", "it needs them", Effect.WIDER, Level.NOTE
    ),
    Reason.EXPIRY: ReasonFacts(
        "N0619", "nothing in the flows", "another clock, or done at compile time", Effect.NONE, Level.NOTE
    ),
    Reason.LOG: ReasonFacts("N0620", "nothing in the flows", "no such thing there", Effect.NONE, Level.NOTE),
    Reason.ADDRESS: ReasonFacts(
        "W0624",
        "addresses go, or are matched only where a client asks for the address itself",
        "a list for proxies compares what is asked for, not what a name resolves to",
        Effect.NARROWER,
        Level.WARNING,
    ),
}
