"""Names that a policy or an inventory defines."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from egressc.problems import Problem

NAME_SHAPE: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
"""What a name looks like."""

RESERVED: Final = frozenset(
    {
        "import", "endpoints", "service-account", "parameter", "policy", "template", "include", "allow", "deny",
        "from", "as", "to", "ports", "except", "fallback", "service-tag", "no-tls-inspection", "tls-inspection", "log",
        "expires", "feature", "owner", "reference", "ticket", "review-by",
        "windows-account", "windows-service", "windows-program", "linux-user", "linux-cgroup", "directory-user",
        "any", "any-group", "any-address", "off", "may", "labels",
    }
)  # fmt: skip
"""Words that no name may be: every keyword of the language and every word that stands for a value."""


@lru_cache(maxsize=1 << 17)
def name_word(text: str) -> str | Problem:
    """The name that a word is, or why it cannot be one."""
    end = len(text)
    if text in RESERVED:
        return Problem(
            "E0334", f"`{text}` is a word of the language and cannot be a name", "reserved",
            f"choose another name, such as `{text}-1`", 0, end,
        )  # fmt: skip
    if NAME_SHAPE.fullmatch(text):
        return text
    if len(text) > 63 and NAME_SHAPE.fullmatch(text[:63]) and re.fullmatch(r"[a-z0-9-]+", text):
        return Problem(
            "E0333", f"a name of {end} characters is too long", "more than 63 characters", "shorten it", 63, end
        )
    help_ = "a name begins with a letter `a` to `z`, followed by letters, digits and `-`, at most 63 characters"
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].rstrip("-")
    if NAME_SHAPE.fullmatch(plain) and plain not in RESERVED and text.isascii():
        help_ = f"write `{plain}`: {help_}"
    return Problem("E0333", f"`{text}` is not a name", "not a name", help_, 0, end)
