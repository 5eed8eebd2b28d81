"""YAML text to a tree, with every limit checked while reading, never after.

Built on the parser's events: no tag is ever resolved, no alias is ever expanded before it is counted.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from crewai_runner.domain.workflow_yaml.merging import fold_merges
from crewai_runner.domain.workflow_yaml.nodes import (
    MAX_DEPTH,
    MAX_NODES,
    Broken,
    Entry,
    Listing,
    Node,
    Plain,
    Scalar,
    Table,
    is_storable,
    kind_of,
)
from crewai_runner.domain.workflow_yaml.problems import Place, Problems, did_you_mean, shown
from crewai_runner.domain.workflow_yaml.scalars import STR, BadScalar, resolve
from crewai_runner.domain.workflow_yaml.syntax import explain, find_forbidden_characters

MAX_BYTES = 1_048_576
MAX_ALIASES = 1_000
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")
)
# libyaml's parser is some thirty times faster; both give the same events.
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Refused(Exception):
    """The document goes beyond a limit: nothing more is read of it."""


def read(text: str, problems: Problems) -> Node | None:
    """The tree of a document, or None when it cannot be read as one. Every finding goes to `problems`."""
    start = Place(0, "")
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        problems.error(
            start, "too-large", "The document is larger than 1 MiB. Split it, or shorten its texts."
        )
        return None
    if find_forbidden_characters(text, problems):
        return None
    return _Reader(text, problems).document()


class _Reader:
    def __init__(self, text: str, problems: Problems) -> None:
        # A byte order mark would otherwise shift the columns of the first line.
        self._text = text
        self._skip = 1 if text.startswith("\ufeff") else 0
        self._problems = problems
        self._anchors: dict[str, Node] = {}
        self._open_anchors: set[str] = set()
        self._path: list[str] = []
        self._aliases = 0
        self._nodes = 0

    def document(self) -> Node | None:
        try:
            return self._document(yaml.parse(self._text[self._skip :], Loader=_PARSER))
        except yaml.YAMLError as error:
            explain(error, self._text, self._skip, self._problems)
        except _Refused:
            pass
        return None

    def _document(self, events: Iterator[Any]) -> Node | None:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._error(event, "several-documents", "Only one document per file: remove this `---`.")
                    return root
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event, events, 1)
        if root is None:
            self._problems.error(Place(0, ""), "empty-document", "The document is empty. Begin with `name:`.")
        return root

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        self._count(event, depth, 1)
        if event.anchor:
            self._open_anchors.add(event.anchor)
        sound = self._check_tag(event)
        node = self._fresh(event, events, depth)
        if not sound:
            node = _broken(node.index)
        if event.anchor:
            self._open_anchors.discard(event.anchor)
            self._anchors[event.anchor] = node
        return node

    def _fresh(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._listing(event, events, depth)
        return self._table(event, events, depth)

    def _scalar(self, event: Any) -> Scalar:
        index = self._index(event)
        plain = event.implicit[0]
        return Scalar(index, self._value(event, plain), event.value, plain)

    def _value(self, event: Any, plain: bool) -> Plain:
        text = str(event.value)
        if not is_storable(text):
            self._error(event, "control-character", "An escape here makes a control character. Remove it.")
            return Broken.BROKEN
        if event.tag == STR or not (plain or event.tag in _TAGS):
            return text
        try:
            return resolve(text)
        except BadScalar as error:
            self._error(event, "bad-number", str(error))
            return Broken.BROKEN

    def _listing(self, event: Any, events: Iterator[Any], depth: int) -> Listing:
        listing = Listing(self._index(event))
        for inner in events:
            if isinstance(inner, yaml.SequenceEndEvent):
                break
            self._path.append(f"[{len(listing.items)}]")
            listing.items.append(self._node(inner, events, depth + 1))
            self._path.pop()
        _measure(listing, listing.items)
        return listing

    def _table(self, event: Any, events: Iterator[Any], depth: int) -> Table:
        table = Table(self._index(event))
        merges: list[Node] = []
        for inner in events:
            if isinstance(inner, yaml.MappingEndEvent):
                break
            merging = _is_merge(inner)
            key = self._key(inner, self._node(inner, events, depth + 1))
            self._path.append(f".{shown(key or '?')}")
            value = self._node(next(events), events, depth + 1)
            self._path.pop()
            if merging:
                merges.append(value)
            elif key is not None:
                self._put(table, Entry(key, self._index(inner), value))
        _measure(table, [*(entry.node for entry in table.entries), *merges])
        fold_merges(table, merges, self._place(table.index), self._problems)
        return table

    def _put(self, table: Table, entry: Entry) -> None:
        if entry.key not in table.keys:
            table.add(entry)
            return
        message = f"`{shown(entry.key)}` is written twice here. Keep one of them."
        self._problems.error(self._place(entry.index).to(shown(entry.key)), "duplicate-key", message)

    def _key(self, event: Any, node: Node) -> str | None:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return node.value
        if isinstance(node, Scalar) and isinstance(node.value, Broken):
            return None
        written = f"`{shown(node.text)}`" if isinstance(node, Scalar) else "This key"
        message = f"{written} is {kind_of(node)}, but a key is text. Put it in quotes."
        self._error(event, "key-not-text", message)
        return None

    def _alias(self, event: Any, depth: int) -> Node:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            self._refuse(event, "too-many-aliases", f"More than {MAX_ALIASES} aliases (`*name`).")
        name = str(event.anchor)
        node = self._anchors.get(name)
        if name in self._open_anchors or node is None:
            return self._bad_alias(event, name)
        self._count(event, depth + node.height - 1, node.size)
        return node

    def _bad_alias(self, event: Any, name: str) -> Scalar:
        if name in self._open_anchors:
            message = f"`*{shown(name)}` stands inside what it names. A document cannot contain itself."
            self._error(event, "recursive-alias", message)
        else:
            near = self._problems.nearest(name, self._anchors)
            message = f"`*{shown(name)}` has no `&{shown(name)}` before it.{did_you_mean(near)}"
            self._problems.error(self._place(self._index(event)), "unknown-alias", message, near)
        return _broken(self._index(event))

    def _check_tag(self, event: Any) -> bool:
        if event.tag is None or event.tag == "!" or event.tag in _TAGS:
            return True
        message = f"The tag `{shown(event.tag)}` is not allowed: a document is data. Remove it."
        self._error(event, "unsafe-tag", message)
        return False

    def _count(self, event: Any, depth: int, size: int) -> None:
        self._nodes += size
        if self._nodes > MAX_NODES:
            self._refuse(event, "too-many-values", f"More than {MAX_NODES} values, aliases counted in full.")
        if depth > MAX_DEPTH:
            self._refuse(event, "too-deep", f"Nested more than {MAX_DEPTH} levels deep.")

    def _refuse(self, event: Any, code: str, message: str) -> None:
        self._error(event, code, f"{message} Nothing after this place was read.")
        raise _Refused

    def _error(self, event: Any, code: str, message: str) -> None:
        self._problems.error(self._place(self._index(event)), code, message)

    def _place(self, index: int) -> Place:
        return Place(index, "".join(self._path).removeprefix("."))

    def _index(self, event: Any) -> int:
        return int(event.start_mark.index) + self._skip


def _broken(index: int) -> Scalar:
    return Scalar(index, Broken.BROKEN, "")


def _is_merge(event: Any) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]


def _measure(node: Table | Listing, children: list[Node]) -> None:
    node.size += sum(child.size for child in children)
    node.height += max((child.height for child in children), default=0)
