"""The value that stands for "any": never an empty collection, never ``None``."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Anything(Enum):
    """The type of ``ANY``."""

    ANY = "any"


ANY: Final = Anything.ANY
"""Any: matches every member of its dimension, and members that nobody listed."""
