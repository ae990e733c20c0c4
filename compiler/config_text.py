"""The text of a file that a device or an administrator's shell wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egressc.meaning import UnreadableError

if TYPE_CHECKING:
    from egressc.targets.protocol import Artefact


def text_of(file: Artefact) -> str:
    """The text: UTF-8, or UTF-16 with its mark, which PowerShell's `>` and `reg export` write.

    Raises ``UnreadableError`` if it is neither.
    """
    content = file.content
    try:
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return content.decode("utf-16")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError("this is neither UTF-8 nor UTF-16", file.name) from None
