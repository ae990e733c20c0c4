"""Host patterns and paths from text: the language's spelling to the normal form, or what is wrong with it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from egressc.host_paths import path_form
from egressc.host_patterns import HostPattern
from egressc.host_search import LONGEST_NAME
from egressc.labels import LONGEST_LABEL, shortest
from egressc.problems import Problem
from egressc.public_suffixes import is_public_suffix

if TYPE_CHECKING:
    from collections.abc import Sequence

_PLAIN: Final = re.compile(
    r"(?:(?!xn--)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?!xn--)[a-z_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
)
"""A host name already in normal form about which nothing can be wrong but its length: nearly all hosts of a policy."""

_BAD_CHARACTER: Final = re.compile(r"[^a-z0-9_*-]")


@lru_cache(maxsize=1 << 18)
def host_pattern(text: str) -> HostPattern | Problem:
    """The pattern that a host stands for, or what is wrong with it; offsets are into ``text``."""
    if len(text) <= LONGEST_NAME and _PLAIN.fullmatch(text):
        return HostPattern(tuple(text.split(".")))
    problem = _bad_dots(text)
    if problem is not None:
        return problem
    labels = []
    at = 0
    for written in text.split("."):
        label = _label(written, text, at)
        if isinstance(label, Problem):
            return label.moved(at)
        labels.append(label)
        at += len(written) + 1
    return _bad_name(text, labels) or _pattern(labels)


def host_name(text: str) -> str | Problem:
    """The normal form of one host name without wildcards, or what is wrong with it."""
    pattern = host_pattern(text)
    if isinstance(pattern, Problem):
        return pattern
    if not pattern.is_exact:
        return Problem(
            "E0311", f"`{text}` is a pattern, not a host name", "one host is asked for", "write a name without `*`",
            0, len(text),
        )  # fmt: skip
    return pattern.text


def host_path(text: str) -> tuple[HostPattern, str | None] | Problem:
    """The host and the path of a word, which is split at the first ``/``; no path for ``host`` and ``host/``."""
    host, slash, _ = text.partition("/")
    pattern = host_pattern(host)
    if isinstance(pattern, Problem):
        if slash and pattern.code == "E0327" and re.fullmatch(r"[0-9.]+", host):
            return Problem(
                "E0327", f"the address `{host}` cannot have a path", "a path needs a host name",
                f"write `{host}`, or the network as ADDRESS/LENGTH", len(host), len(text),
            )  # fmt: skip
        return pattern
    if not slash:
        return pattern, None
    path = path_form(text[len(host) :])
    if isinstance(path, Problem):
        return path.moved(len(host))
    return pattern, path


def _bad_dots(text: str) -> Problem | None:
    end = len(text)
    if not text:
        return Problem("E0312", "the host is empty", "a host name is missing", "write the host before the path", 0, 1)
    if text == "*":
        return Problem(
            "E0320", "`*` matches every host", "no part of the name is fixed",
            "write `any-address` for every destination", 0, end,
        )  # fmt: skip
    if text.endswith(".") and len(text.strip(".")) > 0 and not text.endswith(".."):
        return Problem(
            "E0313", f"the host `{text}` ends with a dot", "the dot of the root", f"write `{text[:-1]}`", end - 1, end
        )
    if text.startswith(".") and len(text) > 1 and text[1] != ".":
        return Problem(
            "E0312", f"the host `{text}` begins with a dot", "an empty label",
            f"write `*{text}` for every name below it, `{text[1:]}` for the name itself", 0, 1,
        )  # fmt: skip
    at = 0 if text[0] == "." else text.find("..")
    if at >= 0:
        whole = ".".join(filter(None, text.split(".")))
        return Problem(
            "E0312", f"the host `{text}` has an empty label", "nothing between two dots",
            f"write `{whole}`" if whole else "write a host name", at, min(at + 2, end),
        )  # fmt: skip
    return None


_HELP_FOR: Final = {
    ",": "write endpoints with white space between them",
    ";": "write endpoints with white space between them",
    "@": "write the host alone, without a user",
    "\\": "write the host alone, with dots between its labels",
    "$": "a parameter is written `${NAME}`",
    "<": "a placeholder is a parameter, written `${NAME}`",
    ">": "a placeholder is a parameter, written `${NAME}`",
    "%": "write the characters themselves: percent-encoding belongs into paths",
    "[": "`*` stands for any run of characters; there are no character classes",
    "]": "`*` stands for any run of characters; there are no character classes",
    "^": "`*` stands for any run of characters; there are no regular expressions",
    "+": "`*` stands for any run of characters; there are no regular expressions",
    "(": "`*` stands for any run of characters; there are no regular expressions",
    "|": "write endpoints with white space between them",
    "!": "write exceptions behind `except` at the end of the list",
    ":": "write the port under `ports`",
    "?": "`*` stands for any run of characters within a label",
}


def _label(written: str, host: str, at: int) -> str | Problem:
    """The normal form of one label of a host, or what is wrong with it; offsets are into the label."""
    end = len(written)
    if "**" in written:
        start = written.index("**")
        stars = re.compile(r"\*\*+")
        if written.strip("*") or at > 0:
            help_ = f"write `{host[:at]}{stars.sub('*', written)}{host[at + end :]}`: one `*` is any run of characters"
        else:
            help_ = f"write `*{host[end:]}`: a leading `*.` already stands for one or more labels"
        return Problem("E0318", f"`**` in `{host}` has no meaning", "two wildcards in a row", help_, start, start + 2)
    if not written.isascii():
        return _international(written)
    label = written.lower()
    bad = _BAD_CHARACTER.search(label)
    if bad is not None:
        help_ = _HELP_FOR.get(bad[0], "a host name has letters, digits, `-` and `_`, with dots between its labels")
        return Problem(
            "E0311",
            f"`{bad[0]}` cannot stand in a host",
            "not a character of host names",
            help_,
            bad.start(),
            bad.end(),
        )
    if label[0] == "-" or label[-1] == "-":
        start = 0 if label[0] == "-" else end - 1
        return Problem(
            "E0314", f"the label `{written}` begins or ends with a hyphen", "no host name has this",
            "a label begins and ends with a letter, a digit or `_`", start, start + 1,
        )  # fmt: skip
    if label.startswith("xn--"):
        problem = _bad_a_label(written, label)
        if problem is not None:
            return problem
    return _too_long(written, shortest(label)) or _squeezed(label)


def _squeezed(label: str) -> str:
    """The label; without its stars if it is so long that they can stand for nothing."""
    literal = label.replace("*", "")
    return literal if len(literal) == LONGEST_LABEL else label


def _too_long(written: str, length: int) -> Problem | None:
    if length <= LONGEST_LABEL:
        return None
    return Problem(
        "E0315", f"a label of {length} characters is too long", f"more than {LONGEST_LABEL} characters",
        f"write the name as it is in the DNS, where a label has at most {LONGEST_LABEL} characters", 0, len(written),
    )  # fmt: skip


def _international(written: str) -> str | Problem:
    import idna  # noqa: PLC0415 - its tables take time to load, and most policies are ASCII

    end = len(written)
    if "*" in written:
        return Problem(
            "E0321", f"`*` in `{written}` stands beside characters outside ASCII",
            "cannot be matched in its encoded form",
            "write the whole label, or `*` for the whole label", 0, end,
        )  # fmt: skip
    dot = next((c for c in written if c in "\u3002\uff0e\uff61"), None)
    if dot is not None:
        start = written.index(dot)
        return Problem(
            "E0311", f"`{dot}` cannot stand in a host", "not the dot between labels", "write `.`", start, start + 1
        )
    try:
        label = idna.encode(written, uts46=True).decode("ascii")
    except (UnicodeError, IndexError, ValueError) as error:
        reason = "too long" if "too long" in str(error) else ""
        if reason:
            return _too_long(written, LONGEST_LABEL + 1) or ""
        return Problem(
            "E0322", f"`{written}` is not a valid international label", "not allowed by IDNA 2008",
            "write the name as its registry lists it, or its `xn--` form", 0, end,
        )  # fmt: skip
    return label


def _bad_a_label(written: str, label: str) -> Problem | None:
    """What is wrong with an ``xn--`` label, if anything is."""
    import idna  # noqa: PLC0415 - see above

    end = len(written)
    if "*" in label:
        return Problem(
            "E0321", f"`*` in `{written}` stands inside an encoded label", "cannot be matched in its encoded form",
            "write the whole label, or `*` for the whole label", 0, end,
        )  # fmt: skip
    try:
        idna.decode(label)
    except (UnicodeError, IndexError, ValueError):
        return Problem(
            "E0323", f"`{written}` does not decode", "not an IDNA label",
            "write the name in its own characters, or copy its `xn--` form again", 0, end,
        )  # fmt: skip
    return None


def _bad_name(text: str, labels: Sequence[str]) -> Problem | None:
    """What is wrong with a host whose labels are all right."""
    end = len(text)
    length = sum(shortest(label) for label in labels) + len(labels) - 1
    if length > LONGEST_NAME:
        return Problem(
            "E0316", f"a host name of {length} characters is too long", f"more than {LONGEST_NAME} characters",
            f"write the name as it is in the DNS, where it has at most {LONGEST_NAME} characters", 0, end,
        )  # fmt: skip
    if len(labels) == 1:
        return Problem(
            "E0317", f"`{text}` is a host name of one label", "not a full name",
            f"write the full name, such as `{text}.contoso.example`", 0, end,
        )  # fmt: skip
    wild = [i for i, label in enumerate(labels) if "*" in label]
    if wild and wild[-1] == len(labels) - 1:
        start = text.rindex(".") + 1
        help_ = "write the domain that the names belong to, such as `www.contoso.com` or `*.contoso.com`"
        if re.fullmatch(r"[0-9][0-9.*]*", text):
            help_ = "write addresses as a network, such as `10.0.0.0/24`"
        return Problem(
            "E0320", f"`{text}` leaves the end of the name open", "anyone can register such a name", help_, start, end
        )
    if labels[-1].isdigit():
        return Problem(
            "E0327", f"`{text}` is neither an address nor a host name", "no host name ends with a number",
            "write an address, a network such as `10.0.0.0/24`, or a range such as `10.0.0.1-10.0.0.9`", 0, end,
        )  # fmt: skip
    if wild:
        tail = labels[wild[-1] + 1 :]
        if is_public_suffix(tail):
            suffix = ".".join(tail)
            return Problem(
                "E0319", f"`{text}` leaves only the public suffix `{suffix}`", "anyone can register such a name",
                f"write the domain that the names belong to, such as `*.contoso.{suffix}`", 0, end,
            )  # fmt: skip
    return None


def _pattern(labels: Sequence[str]) -> HostPattern:
    if labels[0] == "*":
        return HostPattern(tuple(labels[1:]), deep=True)
    return HostPattern(tuple(labels))
