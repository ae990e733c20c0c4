"""The reserved words of the language: which words stand where, and which no name may be."""

from __future__ import annotations

from typing import Final

from egressc.policy import BINDING_KINDS

ITEM_KEYWORDS: Final = ("import", "endpoints", "service-account", "parameter", "policy", "template")
"""The words that begin an item of a file."""

ACTIONS: Final = ("allow", "deny")
"""The words that begin a rule."""

POLICY_SETTINGS: Final = (
    "owner",
    "reference",
    "ticket",
    "review-by",
    "from",
    "as",
    "no-tls-inspection",
    "log",
    "feature",
)
"""The settings of a policy: what it says of itself, then the defaults of its rules."""

RULE_SETTINGS: Final = (
    "to",
    "ports",
    "from",
    "as",
    "no-tls-inspection",
    "tls-inspection",
    "log",
    "ticket",
    "reference",
    "expires",
    "feature",
)
"""The settings of a rule."""

SIGN_WORDS: Final = ("service-tag", "except", "any", "any-group", "any-address", "off", "may", "labels")
"""The reserved words that stand inside a statement; every other reserved word begins one."""

STATEMENT_KEYWORDS: Final = tuple(
    dict.fromkeys(
        (*ITEM_KEYWORDS, *ACTIONS, "include", "fallback", *POLICY_SETTINGS, *RULE_SETTINGS, *BINDING_KINDS),
    ),
)
"""The reserved words that begin a statement: a list ends before them."""

RESERVED: Final = frozenset((*STATEMENT_KEYWORDS, *SIGN_WORDS))
"""Every word that no name may be: in a policy file, and in the inventory."""
