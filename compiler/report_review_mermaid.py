"""A small change as a picture: who reaches what, for Mermaid, which GitHub and GitLab draw."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from egressc.anything import Anything
from egressc.markdown import visible
from egressc.report_review_words import SECTIONS

if TYPE_CHECKING:
    from egressc.review import Change, Review

MOST_ARROWS: Final = 12
"""A picture of more arrows helps nobody."""

_LONGEST: Final = 60
_PLAIN: Final = re.compile(r"[A-Za-z0-9 .,:/_→]")
_STYLES: Final = {
    "+": "stroke:#1a7f37,stroke-width:2px",
    "-": "stroke:#cf222e,stroke-width:2px,stroke-dasharray:4",
    "~": "stroke:#9a6700,stroke-width:2px",
}


def picture(review: Review) -> str:
    """The text of the picture; empty if there is nothing to draw, or too much."""
    nodes: dict[tuple[str, str], str] = {}
    arrows: list[str] = []
    styles: list[str] = []
    for section in SECTIONS:
        for change in section.of(review):
            end = _node(nodes, "e", change.endpoint or f"{change.count} endpoints")
            label = f"{section.sign} {' '.join(change.ports.split())}"
            for group in _groups(change):
                arrows.append(f"  {_node(nodes, 'g', group)} -->|{_quoted(label)}| {end}")
                styles.append(f"  linkStyle {len(styles)} {_STYLES[section.sign]}")
            if len(arrows) > MOST_ARROWS:
                return ""
    if not arrows:
        return ""
    boxes = [f"  {name}[{_quoted(text)}]" for (_, text), name in nodes.items()]
    return "\n".join(["flowchart LR", *boxes, *arrows, *styles])


def _groups(change: Change) -> tuple[str, ...]:
    groups = ("any group",) if isinstance(change.groups, Anything) else change.groups
    if isinstance(change.accounts, Anything):
        return groups
    return tuple(f"{group} as {', '.join(change.accounts)}" for group in groups)


def _node(nodes: dict[tuple[str, str], str], kind: str, text: str) -> str:
    return nodes.setdefault((kind, text), f"{kind}{len(nodes)}")


def _quoted(text: str) -> str:
    """The text in quotes; what could mean something to Mermaid, HTML or Markdown is a character code (``#35;``)."""
    shown = visible(text)
    shown = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
    return '"' + "".join(c if _PLAIN.match(c) else f"#{ord(c)};" for c in shown) + '"'
