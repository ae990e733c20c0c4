"""Values, errors and jumps of the interpreter in `powershell_run.py`, as PowerShell has them."""

from __future__ import annotations


class PowerShellError(Exception):
    """A terminating error, as `catch` sees it."""

    def __init__(self, message, category="NotSpecified"):
        super().__init__(message)
        self.record = {
            "Exception": {"Message": message},
            "CategoryInfo": {"Category": category},
        }


class Return(Exception):  # noqa: N818 - control flow
    """`return`, with what it gives back."""


class Continue(Exception):  # noqa: N818 - control flow
    """`continue`."""


class Hashtable(dict):
    """A hashtable: keys that are text are compared without letter case."""

    @staticmethod
    def fold(key):
        return key.casefold() if isinstance(key, str) else key

    def __init__(self, items=()):
        super().__init__()
        for key, value in items:
            self[key] = value

    def __setitem__(self, key, value):
        super().__setitem__(self.fold(key), (key, value))

    def __getitem__(self, key):
        held = super().get(self.fold(key))
        return None if held is None else held[1]

    def __contains__(self, key):
        return super().__contains__(self.fold(key))

    def pairs(self):
        return list(super().values())


class Block:
    """A script block and the scope that runs it (PowerShell's scopes are dynamic)."""

    def __init__(self, node):
        self.node = node


class Ref:
    """`[ref] $x`."""

    def __init__(self, scope, name):
        self.scope, self.name = scope, name


def unrolled(value):
    """What a value becomes in a pipeline: lists give their items, nothing gives nothing."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def collected(items):
    """What a variable gets from an output: nothing, one value, or a list."""
    return None if not items else items[0] if len(items) == 1 else list(items)


def truth(value):
    """The truth of a value."""
    if isinstance(value, list):
        return len(value) > 1 or (len(value) == 1 and truth(value[0]))
    return bool(value) if not isinstance(value, Hashtable) else True


def text_of(value):
    """A value as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, list):
        return " ".join(text_of(item) for item in value)
    return str(value)


def equal(left, right):
    """`-eq` for single values: the right side takes the type of the left, letter case does not count."""
    if left is None or right is None:
        return left is right
    if isinstance(left, str) or isinstance(right, str):
        return text_of(left).casefold() == text_of(right).casefold()
    return left == right


def string_method(text, name, arguments):
    """A method of System.String."""
    match name, arguments:
        case "Split", [separator]:
            return text.split(separator)
        case "Replace", [old, new]:
            return text.replace(old, new)
        case "Substring", [start, length]:
            assert start + length <= len(text)
            return text[start : start + length]
        case "StartsWith", [prefix, _comparison]:
            return text.startswith(prefix)
        case "Trim", [characters]:
            return text.strip("".join(characters))
        case "ToLowerInvariant", []:
            return text.lower()
    raise AssertionError((name, arguments))
