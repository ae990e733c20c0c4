"""What a format of lists for proxies is: the protocol that the compiler knows it by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from egressc.exports import ListKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from egressc.exports import Dialect, Line, ReadList, Refusal
    from egressc.targets.protocol import Capabilities

BOTH = frozenset(ListKind)
"""A format for both kinds of list."""

BYPASS_ONLY = frozenset({ListKind.BYPASS})
"""A format of clients: what a proxy opens is not theirs to say."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy that requests go to which are not in a bypass list. An IPv6 address has no brackets here."""

    host: str
    port: int

    @property
    def text(self) -> str:
        """``HOST:PORT``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """What was asked for besides the list itself.

    ``form`` is one of the format's ``forms``. ``proxy`` is ``--proxy``, or that of the groups (``None``: nobody said).
    ``clients`` are the programs of ``--for``, of the format's ``clients`` (empty: all of them). ``probe_free`` is
    ``--probe-free``.
    """

    kind: ListKind
    form: str
    proxy: Proxy | None = None
    clients: tuple[str, ...] = ()
    probe_free: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ListModel:
    """What is to be written: minimal lines in their order (of all dialects together), and words for comments.

    ``title`` says in one line whose list it is. There is no date in it: a list changes when what it says does.
    """

    options: ListOptions
    lines: tuple[Line, ...]
    title: str


@dataclass(frozen=True, slots=True)
class ListFormat:
    """A format of lists. Every function is pure.

    ``lists`` are the kinds that it can say. ``forms`` are its variants, the default first (one called after the format
    where there is only one); ``file_name`` gives the name of the file of a form in a build folder. ``clients`` are the
    programs that ``--for`` may name, ``probe_free`` whether ``--probe-free`` says something. ``needs_proxy`` says for
    which forms a proxy must be known.

    ``dialects`` says how the list is read, and by whom: each gives abilities, by which the lines are made. ``render``
    gives the text of the file. ``spell`` gives the text of one line as it stands in the file, for reports. ``read``
    reads a file, of egressc or of people, as the dialect of that name does; it raises ``UnreadableError``. ``problems``
    says what limits the lines do not keep to (then nothing is written), ``remarks`` what to know about a list.
    """

    name: str
    capabilities: Capabilities
    lists: frozenset[ListKind]
    forms: tuple[str, ...]
    file_name: Callable[[ListOptions], str]
    dialects: Callable[[ListOptions], tuple[Dialect, ...]]
    render: Callable[[ListModel], str]
    spell: Callable[[Line, ListOptions], str]
    read: Callable[[str, ListOptions, str], ReadList]
    clients: tuple[str, ...] = ()
    needs_proxy: frozenset[str] = frozenset()
    probe_free: bool = False
    problems: Callable[[ListModel], Sequence[Refusal]] = field(default=lambda _model: ())
    remarks: Callable[[ListModel], Sequence[str]] = field(default=lambda _model: ())
