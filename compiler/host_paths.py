"""The path of a host endpoint in normal form, or what is wrong with it."""

from __future__ import annotations

import re
from typing import Final

from egressc.problems import Problem

_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_BROKEN_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PLAIN: Final = re.compile(r"(?:/[a-z0-9._~-]+)+")
_KEPT: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()+,;=:@/")
"""The characters that stand for themselves in a path (RFC 3986, section 3.3), less ``*``, which targets read as a
wildcard."""


def path_form(text: str) -> str | Problem | None:
    """The normal form of a path that begins with ``/``; ``None`` for ``/`` alone, which is no path.

    Letter case and percent-encoding are no part of a flow. So escapes are decoded, letters lowered, and then only what
    cannot stand in a path is encoded again (in lower case). There is no slash at the end: ``/pkiops`` and ``/pkiops/``
    both stand for that path and everything below it.
    """
    if _PLAIN.fullmatch(text):
        return text
    if text == "/":
        return None
    problem = _bad_path(text)
    if problem is not None:
        return problem
    decoded = _ESCAPE.sub(lambda m: bytes([int(m[1], 16)]), text.encode())
    if b"//" in decoded:
        return _empty_segment(text)
    lowered = decoded.decode(errors="surrogateescape").lower().encode(errors="surrogateescape")
    encoded = "".join([chr(b) if b in _KEPT else f"%{b:02x}" for b in lowered])
    return encoded.removesuffix("/")


def _bad_path(text: str) -> Problem | None:
    star = text.find("*")
    if star >= 0:
        help_ = "leave the path out to match every path of the host"
        if text.endswith("/*") and star == len(text) - 1:
            help_ = "leave `/*` out: a path stands for itself and everything below it, a host for all its paths"
        return Problem("E0324", "a path takes no wildcard", "`*` in a path", help_, star, star + 1)
    for char in "?#":
        at = text.find(char)
        if at >= 0:
            return Problem(
                "E0324", f"a path takes no `{char}`", "not part of the path", f"write `{text[:at]}`", at, at + 1
            )
    parameter = text.find("${")
    if parameter >= 0:
        return Problem(
            "E0330", "a parameter cannot stand in a path", "only hosts have parameters",
            "write the path out, one endpoint for each", parameter, len(text),
        )  # fmt: skip
    broken = _BROKEN_ESCAPE.search(text)
    if broken is not None:
        at = broken.start()
        return Problem(
            "E0325", f"`{text[at : at + 3]}` is not a percent-encoded character", "two hexadecimal digits are missing",
            "write `%25` for a percent sign", at, min(at + 3, len(text)),
        )  # fmt: skip
    return None


def _empty_segment(text: str) -> Problem:
    slashes = re.compile(r"(?:/|%2[Ff]){2,}")
    found = slashes.search(text)
    start, end = found.span() if found else (0, len(text))
    return Problem(
        "E0326", "the path has an empty segment", "nothing between two slashes", f"write `{slashes.sub('/', text)}`",
        start, end,
    )  # fmt: skip
