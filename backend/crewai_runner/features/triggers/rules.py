"""Maps the JSON body of a delivery to the inputs of a run by JSON pointers (RFC 6901). Pure functions."""

import re
from collections.abc import Mapping

from pydantic import JsonValue

_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_BAD_ESCAPE = re.compile(r"~(?![01])")


class PointsNowhere(LookupError):
    """A document has nothing where a pointer points."""


def find_pointer_problem(pointer: str) -> str | None:
    """Return what is wrong with a JSON pointer; None if it is one."""
    if pointer and not pointer.startswith("/"):
        return "must start with / (or be empty for all of the body)"
    if _BAD_ESCAPE.search(pointer):
        return "must write ~ as ~0 and / within a name as ~1"
    return None


def resolve_pointer(document: JsonValue, pointer: str) -> JsonValue:
    """Return the value that a valid pointer points to. Raises PointsNowhere."""
    value = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and _INDEX.fullmatch(name) and int(name) < len(value):
            value = value[int(name)]
        else:
            raise PointsNowhere(pointer)
    return value


def map_inputs(document: JsonValue, pointers: Mapping[str, str]) -> dict[str, JsonValue]:
    """Return the inputs of a run. One whose pointer points nowhere is left out: it has its default value."""
    inputs: dict[str, JsonValue] = {}
    for name, pointer in pointers.items():
        try:
            inputs[name] = resolve_pointer(document, pointer)
        except PointsNowhere:
            continue
    return inputs
