"""Parses JSON from outside the process with limits on nesting and size, in linear time."""

import json
import re
from collections.abc import Iterable
from typing import Any

MAX_DEPTH = 100
"""Levels of arrays and objects in JSON from outside."""

# An unterminated text extends to the end: it must not be scanned again from each of its quotes.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]|,', re.DOTALL)
_QUOTE, _BRACKET, _COMMA, _CLOSING = ord('"'), ord("["), ord(","), frozenset(b"]}")


class JsonTooComplex(json.JSONDecodeError):
    """The JSON has too many levels or values; handled wherever invalid JSON is."""


def parse_json(text: str | bytes | bytearray, *, max_depth: int = MAX_DEPTH, strict: bool = True) -> Any:
    """Parse JSON. Raises JSONDecodeError, also when it is nested deeper than `max_depth`."""
    try:
        value = json.loads(text, strict=strict)
    except RecursionError:
        value = None
        too_deep = True
    else:
        too_deep = is_deeper_than(value, max_depth)
    if too_deep:
        raise JsonTooComplex(f"Nested more than {max_depth} levels deep", "", 0)
    return value


def is_deeper_than(value: Any, max_depth: int) -> bool:
    """Return whether a JSON value has more than `max_depth` levels of arrays and objects."""
    level = _containers([value])
    for _ in range(max_depth):
        if not level:
            return False
        level = _containers(inner for container in level for inner in _items(container))
    return bool(level)


def find_excess(
    body: bytes, *, max_depth: int, max_values: int, max_members: int, max_items: int
) -> str | None:
    """Return what is too much in a JSON text, None when nothing is. Does not parse it.

    `max_values` limits all values together, `max_members` those of one object, `max_items` those of one
    array. The time depends on the limits and, for texts in it, on the length.
    """
    values = 0
    left: list[int] = []
    for token in _TOKEN.finditer(body):
        first = body[token.start()]
        if first == _QUOTE:
            continue
        if first in _CLOSING:
            del left[-1:]
            continue
        values += 1
        if first != _COMMA:
            left.append(max_items if first == _BRACKET else max_members)
        if left:
            left[-1] -= 1
            if left[-1] < 0:
                return f"An object has more than {max_members:,} members, or an array {max_items:,} items."
        if len(left) > max_depth:
            return f"The JSON is nested more than {max_depth} levels deep."
        if values > max_values:
            return f"The JSON has more than {max_values:,} values."
    return None


def _containers(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if isinstance(value, dict | list)]


def _items(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container
