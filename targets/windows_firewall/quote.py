"""Text in a PowerShell script: the one function that turns any text into an expression, and what a rule may carry.

Scripts are pure ASCII: Windows PowerShell 5.1 reads a file without a byte order mark in the host's code page, where
bytes of other characters can become quotes, and PowerShell ends a single-quoted string at U+2018 to U+201B as well
(about_Quoting_Rules). Nothing is ever written in double quotes, so nothing is interpolated.
"""

from __future__ import annotations

import re
from typing import Final

_RUNS: Final = re.compile(r"[ -~]+|[^ -~]")
_CONTROL: Final = re.compile("[\x00-\x20\x7f-\x9f\xad\u2028\u2029]+")
_GROUP: Final = 100
"""How many pieces one sum holds: sums of sums keep the nesting of an expression, which PowerShell walks, shallow."""


def quote(text: str) -> str:
    """The PowerShell expression whose value is exactly the text (UTF-16, as .NET holds it); ASCII on one line.

    Printable ASCII is one single-quoted literal with each ``'`` doubled. Everything else stands between the literals as
    ``[char]0x…``, in parentheses: ``('caf' + [char]0xE9)``.
    """
    if "'" not in text and text.isascii() and text.isprintable():
        return f"'{text}'"
    pieces = []
    for run in _RUNS.findall(text):
        if " " <= run[0] <= "~":
            pieces.append("'" + run.replace("'", "''") + "'")
        else:
            units = run.encode("utf-16-be", "surrogatepass")
            pieces.extend(f"[char]0x{units[i] << 8 | units[i + 1]:X}" for i in range(0, len(units), 2))
    while len(pieces) > _GROUP:
        pieces = [_sum(pieces[i : i + _GROUP]) for i in range(0, len(pieces), _GROUP)]
    return pieces[0] if len(pieces) == 1 and pieces[0][0] == "'" else _sum(pieces)


def _sum(pieces: list[str]) -> str:
    # The first operand decides what `+` means, so it is always a string.
    first = [] if pieces[0][0] in "('" else ["''"]
    return "(" + " + ".join([*first, *pieces]) + ")"


def field_text(text: str, longest: int) -> str:
    """A text as a field of a rule can hold it: one line, no ``|``, at most ``longest`` UTF-16 units.

    Control characters become spaces and ``|`` becomes ``/`` ([MS-FASP] 2.2.37). What is too long ends in ``...``.
    """
    clean = text.replace("|", "/")
    if not clean.isprintable():
        clean = _CONTROL.sub(" ", clean)
    clean = clean.strip()
    if len(clean) * 2 <= longest or len(clean.encode("utf-16-le", "surrogatepass")) // 2 <= longest:
        return clean
    units = clean.encode("utf-16-le", "surrogatepass")[: (longest - 3) * 2]
    return units.decode("utf-16-le", "ignore").rstrip() + "..."
