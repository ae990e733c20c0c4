"""Errors in the use of the command line, with what was meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from egressc.suggest import nearest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def explain_usage_error(parser: argparse.ArgumentParser, message: str, verbs: Sequence[str]) -> str:
    """The text for a usage error: what argparse says, and the nearest thing that is valid."""
    lines = [f"egressc: {message}"]
    choice = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
    unknown = re.search(r"unrecognized arguments: (\S+)", message)
    near = None
    if choice:
        valid = [word.strip(" '") for word in choice[2].split(",")]
        lines[0] = f"egressc: {message.split(':', maxsplit=1)[0].replace('argument ', '')}: there is no `{choice[1]}`"
        if "VERB" in message:
            lines[0] = f"egressc: there is no verb `{choice[1]}`"
        near = nearest(choice[1], valid)
        lines.append(f"  did you mean `{near}`?" if near else f"  valid: {', '.join(valid)}")
    elif unknown and not unknown[1].startswith("-"):
        lines[0] = f"egressc: `{unknown[1]}` is one argument too many"
    elif unknown:
        lines[0] = f"egressc: there is no option `{unknown[1]}` here"
        options = [o for a in parser._actions for o in a.option_strings]  # noqa: SLF001 - argparse has no public list
        near = nearest(unknown[1].split("=")[0], [o for o in options if o.startswith("--")])
        if near:
            lines.append(f"  did you mean `{near}`?")
    elif "required: VERB" in message:
        lines[0] = "egressc: which verb?"
        lines.append(f"  valid: {', '.join(verbs)}")
    lines.append(f"  see `{parser.prog} --help`")
    return "\n".join(lines) + "\n"
