"""The tree of a document, with the position of every value in the text."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from crewai_runner.domain.field_types import is_storable

MAX_DEPTH = 40
MAX_NODES = 50_000
MAX_INTEGER = 2**63
"""Integers of this size and above are not accepted."""


class Broken(Enum):
    """The value of a scalar that was reported while reading, so that it is not reported again."""

    BROKEN = "broken"


Plain = str | int | float | bool | None | Broken


@dataclass(slots=True, eq=False)
class Scalar:
    """A single value; `text` is how it was written, `plain` means without quotes."""

    index: int
    value: Plain
    text: str
    plain: bool = True
    is_block: bool = False
    """Whether it is written below `|` or `>`."""
    comment: str = ""
    """The comment that follows on the same line."""
    height: int = 1
    size: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a mapping, with the position of the key."""

    key: str
    index: int
    node: "Node"


@dataclass(slots=True, eq=False)
class Table:
    """A mapping in the order of the text, with its merge keys merged."""

    index: int
    entries: dict[str, Entry] = field(default_factory=dict)
    height: int = 1
    size: int = 1

    def get(self, key: str) -> "Node | None":
        entry = self.entries.get(key)
        return None if entry is None else entry.node

    def without(self, key: str) -> "Table":
        return Table(self.index, {name: entry for name, entry in self.entries.items() if name != key})


@dataclass(slots=True, eq=False)
class Listing:
    """A list."""

    index: int
    items: "list[Node]" = field(default_factory=list)
    height: int = 1
    size: int = 1


Node = Scalar | Table | Listing


class NotADocument(ValueError):
    """A Python value that a workflow document cannot contain."""


def kind_of(node: Node) -> str:
    """Return the type of a value, for messages."""
    if isinstance(node, Table):
        return "a mapping"
    if isinstance(node, Listing):
        return "a list"
    return _SCALARS[type(node.value)]


_SCALARS: dict[type, str] = {
    str: "text",
    bool: "true/false",
    int: "a whole number",
    float: "a number",
    type(None): "null",
    Broken: "not readable",
}


def is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def to_plain(node: Node) -> object:
    """Convert a node to plain JSON values."""
    if isinstance(node, Table):
        return {key: to_plain(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, Listing):
        return [to_plain(item) for item in node.items]
    return node.value


def from_plain(value: object) -> Node:
    """Build a tree from a decoded JSON value, without positions. Raises NotADocument."""
    return _TreeBuilder().node(value, MAX_DEPTH)


class _TreeBuilder:
    def __init__(self) -> None:
        self._nodes_left = MAX_NODES

    def node(self, value: object, depth: int) -> Node:
        self._nodes_left -= 1
        if self._nodes_left < 0:
            raise NotADocument("The document has too many values.")
        if depth < 0:
            raise NotADocument("The document is nested too deeply.")
        if value is None or isinstance(value, str | int | float | bool):
            return _make_scalar(value)
        if isinstance(value, Mapping):
            entries = (self._make_entry(key, inner, depth) for key, inner in value.items())
            return Table(-1, {entry.key: entry for entry in entries})
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
            return Listing(-1, [self.node(item, depth - 1) for item in value])
        raise NotADocument(f"A document cannot contain a value of type {type(value).__name__}.")

    def _make_entry(self, key: object, value: object, depth: int) -> Entry:
        if not isinstance(key, str) or not is_storable(key):
            raise NotADocument("The keys of a document are texts without control characters.")
        return Entry(key, -1, self.node(value, depth - 1))


def _make_scalar(value: Plain) -> Scalar:
    if isinstance(value, float) and not math.isfinite(value):
        raise NotADocument("The document contains a number that is not finite.")
    if isinstance(value, int) and abs(value) >= MAX_INTEGER:
        raise NotADocument("The document contains a number that is too large.")
    if isinstance(value, str) and not is_storable(value):
        raise NotADocument("The document contains a text with a control character.")
    return Scalar(-1, value, str(value), plain=not isinstance(value, str))
