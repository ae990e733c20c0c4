"""``firewall.ps1``: its fixed text is compared with what is shipped, byte for byte, and its data is parsed."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final, NoReturn

from egressc.meaning import UnreadableError
from egressc.targets.windows_firewall.read_data import Data

_HEAD: Final = ("head.ps1",)
_BODY: Final = ("functions.ps1", "apply.ps1")


def is_script(content: bytes) -> bool:
    """True if the file begins as our script does."""
    return content.startswith(_fixed(_HEAD)[: _fixed(_HEAD).index(b"\n")])


def read_script(content: bytes, file: str) -> Data:
    """The data of a script. Raises ``UnreadableError`` if anything else in it differs from what is shipped."""
    head, body = _fixed(_HEAD), _fixed(_BODY)
    if not content.startswith(head):
        _refuse(content, head, file, 0)
    # Both fixed parts must be there in full, one behind the other.
    end = len(content) - len(body)
    if end < len(head) or not content.endswith(body):
        begin = content.find(body[: body.index(b"\n") + 1], len(head))
        if begin < 0:
            raise UnreadableError("the code of this script is missing", file, content.count(b"\n") + 1)
        _refuse(content[begin:], body, file, content.count(b"\n", 0, begin))
    data = content[len(head) : end]
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, len(head) + error.start) + 1
        raise UnreadableError("the data of this script is not ASCII", file, line) from None
    return Data(text, file, head.count(b"\n") + 1)


def _refuse(content: bytes, fixed: bytes, file: str, before: int) -> NoReturn:
    """Name the first line that differs."""
    there, here = content.split(b"\n"), fixed.split(b"\n")
    line = next(
        (i for i, (a, b) in enumerate(zip(there, here, strict=False)) if a != b), min(len(there), len(here)) - 1
    )
    raise UnreadableError("the code of this script is not the code that egressc ships", file, before + line + 1)


@cache
def _fixed(names: tuple[str, ...]) -> bytes:
    folder = resources.files("egressc.targets.windows_firewall")
    return b"".join([folder.joinpath(name).read_bytes() for name in names])
