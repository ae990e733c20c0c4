"""The words of a line of a restore file, as iptables-restore splits it.

Words stand between blanks; double quotes hold blanks together, and in them a backslash makes the next character stand
for itself (iptables 1.8.9, iptables/xshared.c, `add_param_to_argv`). A quote that is not closed holds the rest of the
line, without a word from the program.
"""

from __future__ import annotations


def words_of(line: str) -> list[str]:
    """The words of a line."""
    if '"' not in line:
        return line.split()
    words: list[str] = []
    rest = line
    while True:
        plain, quote, rest = rest.partition('"')
        ahead = plain.split()
        if words and plain and not plain[0].isspace() and ahead:
            words[-1] += ahead.pop(0)
        words += ahead
        if not quote:
            return words
        text, rest = _quoted(rest)
        if ahead and not plain[-1:].isspace():
            words[-1] += text
        else:
            words.append(text)


def _quoted(rest: str) -> tuple[str, str]:
    """The text up to the closing quote, and what comes behind it."""
    at = rest.find('"')
    if at >= 0 and "\\" not in rest[:at]:
        return rest[:at], rest[at + 1 :]
    text: list[str] = []
    position = 0
    while position < len(rest):
        char = rest[position]
        if char == '"':
            return "".join(text), rest[position + 1 :]
        if char == "\\" and position + 1 < len(rest):
            position += 1
            char = rest[position]
        text.append(char)
        position += 1
    return "".join(text), ""
