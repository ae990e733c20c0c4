"""Public suffixes: the names below which anyone can register a name (ICANN section of the public suffix list)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from publicsuffixlist import PublicSuffixList

_MOST_LABELS: Final = 5
"""More labels than any public suffix of the ICANN section has."""

_BEGIN: Final = "// ===BEGIN ICANN DOMAINS==="
_END: Final = "// ===END ICANN DOMAINS==="


def is_public_suffix(labels: Sequence[str]) -> bool:
    """True if the name (lower-case IDNA labels, from left to right) is a public suffix of the ICANN section.

    A last label that the list does not have (``corp``) is none.
    """
    if len(labels) > _MOST_LABELS:
        return False
    last = labels[-1]
    suffixes = _suffixes("" if last.startswith("xn--") else last)
    return bool(suffixes.is_public(".".join(labels)))


@lru_cache(maxsize=256)
def _suffixes(last: str) -> PublicSuffixList:
    """The list with the entries below one last label only, or with all of them.

    Reading all entries takes most of a tenth of a second, and a policy needs those of two or three last labels.
    """
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415 - not every run meets a wildcard

    if not last:
        return PublicSuffixList(only_icann=True, accept_unknown=False)
    return PublicSuffixList([entry for entry in _entries() if entry.endswith(last)], accept_unknown=False)


@lru_cache(maxsize=1)
def _entries() -> tuple[str, ...]:
    """The lines of the ICANN section."""
    from pathlib import Path  # noqa: PLC0415 - see above

    from publicsuffixlist import PSLFILE  # noqa: PLC0415 - see above

    text = Path(PSLFILE).read_text(encoding="utf-8")
    section = text[text.index(_BEGIN) : text.index(_END)]
    return tuple(line.strip() for line in section.split("\n") if line and not line.startswith("//"))
