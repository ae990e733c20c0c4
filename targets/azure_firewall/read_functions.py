"""The functions of template expressions whose answer is in the template itself.

After "Bicep functions and ARM template functions" (template-functions-array.md, -comparison, -logical, -numeric,
-object, -string, -resource). Arguments are values of JSON; what is not known never reaches a function.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from egressc.targets.azure_firewall.live import HERE

if TYPE_CHECKING:
    from collections.abc import Callable

_HOLE = re.compile(r"\{\{|\}\}|\{([0-9]{1,3})\}|[{}]")
_MOST = 100_000
"""The most elements that ``range`` makes here; Resource Manager itself takes 10,000."""


class NotSayableError(Exception):
    """An expression that is wrong, or whose value only a deployment knows; the text says why."""


def property_of(value: Any, key: Any) -> Any:
    """The property of an object (its name knows no case), the element of an array, or the character of a text."""
    if isinstance(value, dict) and isinstance(key, str):
        if key in value:
            return value[key]
        low = key.lower()
        for name, held in value.items():
            if name.lower() == low:
                return held
    elif isinstance(value, list | str) and type(key) is int and 0 <= key < len(value):
        return value[key]
    raise NotSayableError(f"there is no `{key}` in that value")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if value is None:
        return ""
    return str(value)


def _a_text(value: Any) -> str:
    if not isinstance(value, str):
        raise NotSayableError("a text is missing")
    return value


def _a_number(value: Any) -> int:
    if type(value) is not int:
        raise NotSayableError("a whole number is missing")
    return value


def _in_64_bits(number: int) -> int:
    if not -(1 << 63) <= number < 1 << 63:
        raise NotSayableError("a number has more than 64 bits")
    return number


def _a_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NotSayableError("true or false is missing")
    return value


def _a_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise NotSayableError("an array is missing")
    return value


def _concat(*parts: Any) -> Any:
    if parts and all(isinstance(part, list) for part in parts):
        return [item for part in parts for item in part]
    if any(isinstance(part, dict | list) for part in parts):
        raise NotSayableError("`concat` takes texts or arrays")
    return "".join([_text(part) for part in parts])


def _format(pattern: Any, *parts: Any) -> str:
    def fill(hole: re.Match[str]) -> str:
        found = hole[0]
        if found in {"{{", "}}"}:
            return found[0]
        if hole[1] is None or int(hole[1]) >= len(parts):
            raise NotSayableError("this format is not understood")
        return _text(parts[int(hole[1])])

    return _HOLE.sub(fill, _a_text(pattern))


def _resource_id(*parts: Any) -> str:
    texts = [_a_text(part) for part in parts]
    at = next((number for number, text in enumerate(texts) if "/" in text), -1)
    if not 0 <= at <= 2:
        raise NotSayableError("`resourceId` names no type of resource")
    provider, *kinds = texts[at].split("/")
    names = texts[at + 1 :]
    if len(kinds) != len(names):
        raise NotSayableError("`resourceId` has not one name for each type")
    before = texts[:at]
    subscription = before[0] if at == 2 else HERE
    group = before[-1] if before else HERE
    path = "/".join([part for pair in zip(kinds, names, strict=True) for part in pair])
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}/{path}"


def _union(*parts: Any) -> Any:
    if parts and all(isinstance(part, list) for part in parts):
        return list({json.dumps(item, sort_keys=True): item for part in parts for item in part}.values())
    result: dict[str, Any] = {}
    for part in parts:
        if not isinstance(part, dict):
            raise NotSayableError("`union` takes arrays or objects")
        for key, value in part.items():
            held = result.get(key)
            result[key] = _union(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return result


def _create_object(*parts: Any) -> dict[str, Any]:
    if len(parts) % 2:
        raise NotSayableError("`createObject` takes pairs of key and value")
    return {_a_text(key): value for key, value in zip(parts[::2], parts[1::2], strict=True)}


def _equals(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _contains(held: Any, item: Any) -> bool:
    if isinstance(held, dict):
        return _a_text(item).lower() in {key.lower() for key in held}
    if isinstance(held, str):
        return _text(item) in held
    return any(_equals(each, item) for each in _a_list(held))


def _json(text: Any) -> Any:
    try:
        return json.loads(_a_text(text))
    except (ValueError, RecursionError):
        raise NotSayableError("`json` was given no JSON") from None


def _split(text: Any, marks: Any) -> list[str]:
    texts = [_a_text(mark) for mark in (marks if isinstance(marks, list) else [marks]) if mark]
    if not texts:
        return [_a_text(text)]
    return re.split("|".join(map(re.escape, texts)), _a_text(text))


def _first(value: Any) -> Any:
    if isinstance(value, str):
        return value[:1]
    return _a_list(value)[0] if value else None


def _last(value: Any) -> Any:
    if isinstance(value, str):
        return value[-1:]
    return _a_list(value)[-1] if value else None


def _length(value: Any) -> int:
    if not isinstance(value, str | list | dict):
        raise NotSayableError("`length` takes a text, an array or an object")
    return len(value)


def _empty(value: Any) -> bool:
    if value is not None and not isinstance(value, str | list | dict):
        raise NotSayableError("`empty` takes a text, an array or an object")
    return not value


def _range(start: Any, count: Any) -> list[int]:
    if not 0 <= _a_number(count) <= _MOST:
        raise NotSayableError("`range` is too long")
    return list(range(_a_number(start), start + count))


def _array(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _flatten(value: Any) -> list[Any]:
    return [item for part in _a_list(value) for item in _a_list(part)]


def _take(value: Any, count: Any) -> Any:
    _length(value)
    return value[: max(0, _a_number(count))]


def _skip(value: Any, count: Any) -> Any:
    _length(value)
    return value[max(0, _a_number(count)) :]


def _substring(text: Any, start: Any, count: Any = None) -> str:
    whole = _a_text(text)
    end = len(whole) if count is None else _a_number(start) + _a_number(count)
    if not 0 <= _a_number(start) <= end <= len(whole):
        raise NotSayableError("`substring` runs over the end")
    return whole[start:end]


def _int(value: Any) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    return _a_number(value)


def _bool(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if type(value) is int:
        return value != 0
    return _a_bool(value)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: _in_64_bits(_a_number(a) + _a_number(b)),
    "sub": lambda a, b: _in_64_bits(_a_number(a) - _a_number(b)),
    "mul": lambda a, b: _in_64_bits(_a_number(a) * _a_number(b)),
    "greater": lambda a, b: _a_number(a) > _a_number(b),
    "greaterorequals": lambda a, b: _a_number(a) >= _a_number(b),
    "less": lambda a, b: _a_number(a) < _a_number(b),
    "lessorequals": lambda a, b: _a_number(a) <= _a_number(b),
    "not": lambda a: not _a_bool(a),
    "true": lambda: True,
    "false": lambda: False,
    "null": lambda: None,
    "bool": _bool,
    "int": _int,
    "string": _text,
    "json": _json,
    "concat": _concat,
    "format": _format,
    "tolower": lambda text: _a_text(text).lower(),
    "toupper": lambda text: _a_text(text).upper(),
    "trim": lambda text: _a_text(text).strip(),
    "replace": lambda text, old, new: _a_text(text).replace(_a_text(old), _a_text(new)) if old else text,
    "split": _split,
    "join": lambda parts, mark: _a_text(mark).join([_text(part) for part in _a_list(parts)]),
    "substring": _substring,
    "startswith": lambda text, part: _a_text(text).lower().startswith(_a_text(part).lower()),
    "endswith": lambda text, part: _a_text(text).lower().endswith(_a_text(part).lower()),
    "equals": _equals,
    "empty": _empty,
    "length": _length,
    "first": _first,
    "last": _last,
    "contains": _contains,
    "union": _union,
    "createarray": lambda *parts: list(parts),
    "createobject": _create_object,
    "array": _array,
    "flatten": _flatten,
    "range": _range,
    "take": _take,
    "skip": _skip,
    "resourceid": _resource_id,
}
"""The functions by their name in lower case: Resource Manager's names know no case."""
