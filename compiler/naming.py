"""Names for artefact objects: readable, within a length, unique by a hash of what they stand for.

A name derives from the identity of a rule and the part it is for, never from a position, so an edit elsewhere renames
nothing; it is never shortened by cutting alone, because two long names may begin alike.
"""

from __future__ import annotations

import re
from hashlib import sha256

_OTHER = re.compile(r"[^A-Za-z0-9]+")


def digest(text: str, length: int) -> str:
    """The first ``length`` hexadecimal digits of the SHA-256 of the text."""
    return sha256(text.encode()).hexdigest()[:length]


def short_name(prefix: str, readable: str, key: str, limit: int, digits: int = 6) -> str:
    """``PREFIX-READABLE-HASH`` in at most ``limit`` characters; the hash is of ``key``.

    The readable part keeps letters, digits and single hyphens and is cut where it must be; the hash stands whole.
    """
    tail = digest(key, digits)
    room = limit - len(prefix) - digits - 2
    slug = _OTHER.sub("-", readable).strip("-")[: max(room, 0)].rstrip("-")
    return f"{prefix}-{slug}-{tail}" if slug else f"{prefix}-{tail}"
