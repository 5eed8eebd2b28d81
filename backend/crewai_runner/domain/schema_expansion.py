"""The size of a JSON Schema after its references are replaced, as CrewAI does, by what they refer to.

A few definitions that each refer to the next one twice describe a schema with more members than memory has.
"""

from collections.abc import Mapping
from typing import Any

MAX_EXPANDED_SIZE = 600
"""Values of a schema, each reference counted in full."""
MAX_EXPANDED_DEPTH = 75
_SECTIONS = ("$defs", "definitions")


class _Excess(Exception):
    """The schema is beyond a limit; the message is for its author."""


def find_schema_excess(schema: Mapping[str, Any]) -> str | None:
    """Return what is too large in a schema with its references in place, None when nothing is."""
    try:
        _Expansion(schema).add(schema, 1, frozenset())
    except _Excess as excess:
        return str(excess)
    return None


class _Expansion:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._definitions = {
            f"#/{section}/{name}": definition
            for section in _SECTIONS
            if isinstance(root.get(section), Mapping)
            for name, definition in root[section].items()
        }
        self._open: set[str] = set()
        self._size = 0

    def add(self, value: object, depth: int, without_object: frozenset[str]) -> None:
        """Count a value. `without_object` are the open references since the last object with properties."""
        self._size += 1
        if self._size > MAX_EXPANDED_SIZE:
            raise _Excess(
                f"With its references in place, the schema has more than {MAX_EXPANDED_SIZE} values. "
                "Use fewer or smaller definitions."
            )
        if depth > MAX_EXPANDED_DEPTH:
            raise _Excess("With its references in place, the schema is nested too deeply.")
        if isinstance(value, Mapping):
            reference = value.get("$ref")
            if isinstance(reference, str) and reference in self._definitions:
                self._follow(reference, depth, without_object)
            for key, inner in value.items():
                self.add(inner, depth + 1, frozenset() if key == "properties" else without_object)
        elif isinstance(value, list):
            for item in value:
                self.add(item, depth + 1, without_object)

    def _follow(self, reference: str, depth: int, without_object: frozenset[str]) -> None:
        if reference in without_object:
            raise _Excess(f"`{reference[:60]}` refers to itself without an object with properties between.")
        if reference in self._open:
            return  # CrewAI refers to the same object again
        self._open.add(reference)
        self.add(self._definitions[reference], depth + 1, without_object | {reference})
        self._open.discard(reference)
