"""What `egressc diff` says, as one page that stands alone: it loads no font, script or picture from anywhere."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from egressc import __version__
from egressc.markdown import visible
from egressc.report_review_words import (
    SECTIONS,
    Places,
    edit_kind,
    edit_names,
    edits_sentence,
    every_change,
    example,
    firewall_sums,
    plural,
    turn,
    where,
    who,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from egressc.report_review_words import Section
    from egressc.review import Change, Edit, FirewallReview, Review

_CLASSES: Final = {"+": "plus", "-": "minus", "~": "tilde"}
_SPOKEN: Final = {"+": "newly allowed", "-": "no longer allowed", "~": "changed"}
_MARK: Final = re.compile(r"\{\{([a-z-]+)\}\}")


def review_html(review: Review, title: str) -> str:
    """The page. Every text in it that people wrote is escaped."""
    template = files("egressc.grammar").joinpath("diff.html").read_text(encoding="utf-8")
    page = _Page(review)
    values = {
        "title": _text(f"Egress policy: {title}"),
        "sums": "".join(page.sums()),
        "sections": "\n".join(page.sections()),
        "version": _text(__version__),
        "style-digest": _digest(template, "style"),
        "script-digest": _digest(template, "script"),
    }
    # In one pass: a mark in a text that people wrote stays one.
    return _MARK.sub(lambda mark: values[mark[1]], template)


def _digest(template: str, tag: str) -> str:
    """What a content security policy calls an inline block (CSP Level 3, 6.7.3.3)."""
    content = template.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"


class _Page:
    def __init__(self, review: Review) -> None:
        self._review = review
        self._places = Places(review, in_full=True)

    def sums(self) -> Iterator[str]:
        """Links to the sections that are there."""
        review = self._review
        for section in SECTIONS:
            count = len(section.of(review))
            if count:
                yield f'<a href="#{section.key}">{_sign(section.sign)} {count} {section.heading}</a>'
        if review.per_firewall:
            yield f'<a href="#firewalls">{plural(len(review.per_firewall), "firewall", "firewalls")}</a>'
        if review.edits:
            yield f'<a href="#edits">{plural(len(review.edits), "edit", "edits")} without effect</a>'

    def sections(self) -> Iterator[str]:
        """The sections of the page."""
        review = self._review
        if not every_change(review):
            yield "<p><strong>No flow is decided otherwise.</strong></p>"
        for section in SECTIONS:
            changes = section.of(review)
            if changes:
                heading = section.heading.capitalize()
                yield _section(section.key, heading, [self._change(section, each) for each in changes])
        if review.per_firewall:
            yield _section("firewalls", "Firewalls", [_firewall(each) for each in review.per_firewall])
        if review.edits:
            items = [_edit(each) for each in review.edits]
            yield _section("edits", "Edits without effect", items, _text(edits_sentence(review.edits)))
        if review.remarks:
            items = [_item("", _text(remark), "") for remark in review.remarks]
            yield _section("remarks", "Remarks", items)

    def _change(self, section: Section, change: Change) -> str:
        lines = []
        if section.sign == "~":
            lines.append(("decided", _text(turn(change))))
        rules = self._places.sides(change)
        if rules:
            lines.append(("rules", _text(rules)))
        lines.append(("e.g.", _code(example(change))))
        body = "".join(f'<p><span class="what">{what}</span> <span>{text}</span></p>' for what, text in lines)
        body += _notes(change.notes)
        return _item(section.sign, f"<span>{_code(who(change))} → {_code(where(change))}</span>", body)


def _section(key: str, heading: str, items: Sequence[str], lead: str = "") -> str:
    head = f'<h2 id="{key}">{heading} <span class="count">({len(items)})</span></h2>'
    head += f"\n<p>{lead}</p>" if lead else ""
    return f'<section aria-labelledby="{key}">\n{head}\n<div role="list">\n' + "\n".join(items) + "\n</div>\n</section>"


def _item(sign: str, head: str, body: str) -> str:
    more = f'<div class="more">{body}</div>' if body else ""
    # No `li`: Chromium counts the items of a list anew for each one that is hidden, which takes minutes for many.
    body = f"<details open><summary>{_sign(sign)}{head}</summary>{more}</details>"
    return f'<div class="item" role="listitem">{body}</div>'


def _firewall(each: FirewallReview) -> str:
    target = f'<span class="quiet">{_text(each.target)}</span>'
    head = f"<span>{_code(each.name)} {target} {_text(firewall_sums(each))}</span>"
    body = _notes(each.notes)
    for sign, names in (("+", each.added), ("-", each.removed), ("~", each.changed)):
        if names:
            listed = "".join(f"<li>{_code(name)}</li>" for name in names)
            body += f'<div class="names">{_sign(sign)}<ul>{listed}</ul></div>'
    return _item("", head, body)


def _edit(edit: Edit) -> str:
    return _item("", f'<span><span class="quiet">{edit_kind(edit)}</span> {_code(edit_names(edit))}</span>', "")


def _notes(notes: Sequence[str]) -> str:
    return "".join(f'<p class="note"><span class="what">note</span> <span>{_text(note)}</span></p>' for note in notes)


def _sign(sign: str) -> str:
    if not sign:
        return ""
    return f'<span class="sign {_CLASSES[sign]}" aria-label="{_SPOKEN[sign]}" role="img">{sign}</span>'


def _code(text: str) -> str:
    return f"<code>{_text(text)}</code>"


def _text(text: str) -> str:
    return escape(visible(text))
