"""Where the parser's tables are kept between two runs, since building them takes a tenth of a second.

They are a pickle, so they stand only where nobody else can write: in a folder of the user's own, under the user's own
cache folder. Where there is none, or another process has it, the tables are built anew.
"""

from __future__ import annotations

import os
import platform
import stat
from contextlib import contextmanager, suppress
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # not on Windows, where there is no cache
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def cached_tables(grammar: str) -> Iterator[str | None]:
    """The path at which the tables of a grammar are kept, locked against other processes; ``None`` if they are not.

    The name follows from the grammar and from the versions of everything that reads it. The file need not exist.
    """
    folder = _own_folder()
    if folder is None or fcntl is None:
        yield None
        return
    key = "\0".join((grammar, version("lark"), platform.python_implementation(), platform.python_version()))
    path = folder / f"grammar-{sha256(key.encode()).hexdigest()[:16]}.tables"
    try:
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        yield None
        return
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
        else:
            yield str(path)
    finally:
        os.close(lock)


def _own_folder() -> Path | None:
    """The folder for the tables, made if it is missing; ``None`` unless only this user can write in it."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    with suppress(OSError, RuntimeError):  # no home at all is a RuntimeError
        folder = (base if base.is_absolute() else Path("~/.cache").expanduser()) / "egressc"
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077:
            return folder
    return None
