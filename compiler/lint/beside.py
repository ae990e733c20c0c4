"""Declarations of agents that cannot share a host: the comments `# egressc: not-beside POLICY "why"` in a policy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from egressc.suggest import nearest
from egressc.syntax import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from egressc.source import Span
    from egressc.syntax import Comment, File, Include, Rule, Setting

_WHOLE: Final = re.compile(r'#+\s*egressc\s*:\s*not-beside\s+([^\s"]+)\s+"((?:[^"]|"")*)"\s*', re.IGNORECASE)


_SLIP: Final = 2
"""Names whose lengths differ by more are no slips of each other."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """The agent of ``policy`` cannot run on a host of the agent of the policy called ``other``; ``why`` says why.

    ``place`` is the other policy's name in the comment.
    """

    policy: Policy
    other: str
    why: str
    place: Span
    comment: Span


def slip_of(declaration: Declaration, names: Iterable[str]) -> str | None:
    """The name of a policy that was probably meant; ``None`` if the policy is one of them, or near to none.

    The other policy need not be there, so only what differs in one place counts as a slip.
    """
    other = declaration.other
    known = {name for name in names if name != declaration.policy.name.text}
    half = len(other) // 2
    near = (
        nearest(other, [n for n in known if n.startswith(other[:half]) or n.endswith(other[-half:])]) if half else None
    )
    return near if other not in known and near is not None and abs(len(near) - len(other)) <= _SLIP else None


def declarations(file: File) -> Iterator[Declaration]:
    """What the policies of a file declare: in comments before a policy, behind its braces, and between its parts."""
    if "not-beside" not in file.source.text.lower():
        return
    for item in file.items:
        if not isinstance(item, Policy):
            continue
        nodes: tuple[Policy | Setting | Include | Rule, ...] = (item, *item.settings, *item.includes, *item.rules)
        comments = [comment for node in nodes for comment in node.comments.leading]
        comments += [each for node in nodes for each in (node.comments.trailing,) if each is not None]
        comments += item.comments.closing
        if item.comments.opening is not None:
            comments.append(item.comments.opening)
        for comment in comments:
            found = _read(comment)
            if found is not None:
                other, why = found[1], found[2].replace('""', '"').strip()
                yield Declaration(item, other, why, comment.span.part(found.start(1), found.end(1)), comment.span)


def _read(comment: Comment) -> re.Match[str] | None:
    found = _WHOLE.fullmatch(comment.text)
    return found if found is not None and found[2].strip() else None
