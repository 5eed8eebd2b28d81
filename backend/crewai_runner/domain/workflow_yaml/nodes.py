"""The tree of a document, with the place of every value in the text."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

MAX_DEPTH = 40
MAX_NODES = 50_000
LARGEST = 2**63

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


class Broken(Enum):
    """The value of what was reported while reading: no kind takes it, and nothing is said twice."""

    BROKEN = "broken"


Plain = str | int | float | bool | None | Broken


@dataclass(slots=True, eq=False)
class Scalar:
    """A single value; `text` is how it was written, `plain` that it was not in quotes."""

    index: int
    value: Plain
    text: str
    plain: bool = True
    height: int = 1
    size: int = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One `key: value` of a mapping, with where the key stands."""

    key: str
    index: int
    node: "Node"


@dataclass(slots=True, eq=False)
class Table:
    """A mapping in the order of the text, merge keys already merged, each key once."""

    index: int
    entries: list[Entry] = field(default_factory=list)
    height: int = 1
    size: int = 1
    keys: set[str] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.keys.add(entry.key)

    def get(self, key: str) -> "Node | None":
        return next((entry.node for entry in self.entries if entry.key == key), None)


@dataclass(slots=True, eq=False)
class Listing:
    """A list."""

    index: int
    items: "list[Node]" = field(default_factory=list)
    height: int = 1
    size: int = 1


Node = Scalar | Table | Listing


class NotADocument(ValueError):
    """A Python value that cannot stand in a workflow document."""


def kind_of(node: Node) -> str:
    """What people call such a value."""
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
    type(None): "nothing",
    Broken: "not readable",
}


def is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None


def to_plain(node: Node) -> object:
    """The value as JSON knows it."""
    if isinstance(node, Table):
        return {entry.key: to_plain(entry.node) for entry in node.entries}
    if isinstance(node, Listing):
        return [to_plain(item) for item in node.items]
    return node.value


def from_plain(value: object) -> Node:
    """A tree from a decoded JSON value, without places. Raises NotADocument."""
    return _Builder().node(value, MAX_DEPTH)


def is_storable(text: str) -> bool:
    """Whether a database and a prompt can hold every character of it."""
    return FORBIDDEN.search(text) is None


def _scalar(value: Plain) -> Scalar:
    if isinstance(value, float) and not math.isfinite(value):
        raise NotADocument("A document holds finite numbers only.")
    if isinstance(value, int) and abs(value) >= LARGEST:
        raise NotADocument("The document has a number that is too large.")
    if isinstance(value, str) and not is_storable(value):
        raise NotADocument("The document has a text with a control character.")
    return Scalar(-1, value, str(value), plain=not isinstance(value, str))


class _Builder:
    def __init__(self) -> None:
        self._left = MAX_NODES

    def node(self, value: object, depth: int) -> Node:
        self._left -= 1
        if self._left < 0:
            raise NotADocument("The document has too many values.")
        if depth < 0:
            raise NotADocument("The document is nested too deeply.")
        if value is None or isinstance(value, str | int | float | bool):
            return _scalar(value)
        if isinstance(value, Mapping):
            table = Table(-1)
            for key, inner in value.items():
                table.add(self._entry(key, inner, depth))
            return table
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
            return Listing(-1, [self.node(item, depth - 1) for item in value])
        raise NotADocument(f"A document cannot hold a value of type {type(value).__name__}.")

    def _entry(self, key: object, value: object, depth: int) -> Entry:
        if not isinstance(key, str) or not is_storable(key):
            raise NotADocument("The keys of a document are texts without control characters.")
        return Entry(key, -1, self.node(value, depth - 1))
