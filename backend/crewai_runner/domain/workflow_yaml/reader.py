"""YAML text to a tree of nodes; every limit is checked while reading.

Built on the parser's events: no tag is resolved, and no alias is expanded before it is counted.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from crewai_runner.domain.field_types import FORBIDDEN, excerpt
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
    kind_of,
)
from crewai_runner.domain.workflow_yaml.problems import Location, Problems, did_you_mean
from crewai_runner.domain.workflow_yaml.scalars import STR, InvalidScalar, resolve
from crewai_runner.domain.workflow_yaml.syntax_errors import (
    find_forbidden_characters,
    report_syntax_error,
)

MAX_BYTES = 1_048_576
MAX_ALIASES = 1_000
MAX_COMMENT_SEARCH = 200
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map")
)
# libyaml's parser is about 30 times faster and emits the same events.
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _LimitExceeded(Exception):
    """The document exceeds a limit: the rest of it is not read."""


def read(text: str, problems: Problems) -> Node | None:
    """Return the tree of a document, None when it cannot be read. Adds every finding to `problems`."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        message = "The document is larger than 1 MiB. Split it, or shorten its texts."
        problems.error(Location(0, ""), "too-large", message)
        return None
    if find_forbidden_characters(text, problems):
        return None
    return _Reader(text, problems).document()


class _Reader:
    def __init__(self, text: str, problems: Problems) -> None:
        self._text = text
        # A byte order mark would otherwise shift the columns of the first line.
        self._skip = 1 if text.startswith("\ufeff") else 0
        self._problems = problems
        self._anchors: dict[str, Node] = {}
        self._open_anchors: set[str] = set()
        self._path: list[str | int | None] = []
        self._aliases = 0
        self._nodes = 0

    def document(self) -> Node | None:
        try:
            return self._read_document(yaml.parse(self._text[self._skip :], Loader=_PARSER))
        except yaml.YAMLError as error:
            report_syntax_error(error, self._text, self._skip, self._problems)
        except _LimitExceeded:
            pass
        return None

    def _read_document(self, events: Iterator[Any]) -> Node | None:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    self._error(event, "several-documents", "Only one document per file: remove this `---`.")
                    return root
            elif isinstance(event, yaml.NodeEvent):
                root = self._read_node(event, events, 1)
        if root is None:
            message = "The document is empty. Begin with `name:`."
            self._problems.error(Location(0, ""), "empty-document", message)
        return root

    def _read_node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._resolve_alias(event, depth)
        self._count(event, depth, 1)
        if event.anchor:
            self._open_anchors.add(event.anchor)
        tag_allowed = self._check_tag(event)
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            plain = event.implicit[0]
            node = Scalar(
                self._index(event),
                self._read_value(event, plain),
                event.value,
                plain,
                is_block=event.style in ("|", ">"),
                comment=self._read_comment(event) if plain else "",
            )
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._read_list(event, events, depth)
        else:
            node = self._read_mapping(event, events, depth)
        if not tag_allowed:
            node = Scalar(node.index, Broken.BROKEN, "")
        if event.anchor:
            self._open_anchors.discard(event.anchor)
            self._anchors[event.anchor] = node
        return node

    def _read_value(self, event: Any, plain: bool) -> Plain:
        text = str(event.value)
        if FORBIDDEN.search(text):
            message = "An escape sequence here makes a control character. Remove it."
            self._error(event, "control-character", message)
            return Broken.BROKEN
        if event.tag == STR or not (plain or event.tag in _TAGS):
            return text
        try:
            return resolve(text)
        except InvalidScalar as error:
            self._error(event, "bad-number", str(error))
            return Broken.BROKEN

    def _read_comment(self, event: Any) -> str:
        """Return the comment after an unquoted value on the same line."""
        start = int(event.end_mark.index) + self._skip
        rest = self._text[start : start + MAX_COMMENT_SEARCH].partition("\n")[0]
        comment = rest.strip()
        return comment if rest[:1] in (" ", "\t") and comment.startswith("#") else ""

    def _read_list(self, event: Any, events: Iterator[Any], depth: int) -> Listing:
        listing = Listing(self._index(event))
        for inner in events:
            if isinstance(inner, yaml.SequenceEndEvent):
                break
            self._path.append(len(listing.items))
            listing.items.append(self._read_node(inner, events, depth + 1))
            self._path.pop()
        _measure(listing, listing.items)
        return listing

    def _read_mapping(self, event: Any, events: Iterator[Any], depth: int) -> Table:
        table = Table(self._index(event))
        merges: list[Node] = []
        for inner in events:
            if isinstance(inner, yaml.MappingEndEvent):
                break
            is_merge = isinstance(inner, yaml.ScalarEvent) and inner.value == "<<" and inner.implicit[0]
            key = self._read_key(inner, self._read_node(inner, events, depth + 1))
            self._path.append(key)
            value = self._read_node(next(events), events, depth + 1)
            self._path.pop()
            if is_merge:
                merges.append(value)
            elif key is not None and key in table.entries:
                location = self._location(self._index(inner)).to(excerpt(key))
                message = f"`{excerpt(key)}` is written twice here. Keep one of them."
                self._problems.error(location, "duplicate-key", message)
            elif key is not None:
                table.entries[key] = Entry(key, self._index(inner), value)
        _measure(table, [*(entry.node for entry in table.entries.values()), *merges])
        if merges:
            self._merge(table, merges)
        return table

    def _merge(self, table: Table, merges: list[Node]) -> None:
        """Add the entries of `<<: *defaults`; keys of the mapping itself win, then those merged first."""
        for merge in merges:
            for source in merge.items if isinstance(merge, Listing) else [merge]:
                if isinstance(source, Table):
                    table.entries.update(
                        {key: entry for key, entry in source.entries.items() if key not in table.entries}
                    )
                elif not (isinstance(source, Scalar) and isinstance(source.value, Broken)):
                    location = self._location(merge.index).to("<<")
                    message = "`<<` takes a mapping or a list of mappings, as in `<<: *name`."
                    self._problems.error(location, "bad-merge", message)

    def _read_key(self, event: Any, node: Node) -> str | None:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return node.value
        if isinstance(node, Scalar) and isinstance(node.value, Broken):
            return None
        written = f"`{excerpt(node.text)}`" if isinstance(node, Scalar) else "This key"
        message = f"{written} is {kind_of(node)}, but a key is text. Put it in quotes."
        self._error(event, "key-not-text", message)
        return None

    def _resolve_alias(self, event: Any, depth: int) -> Node:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            self._stop(event, "too-many-aliases", f"More than {MAX_ALIASES} aliases (`*name`).")
        name = str(event.anchor)
        node = self._anchors.get(name)
        if name in self._open_anchors or node is None:
            return self._report_invalid_alias(event, name)
        self._count(event, depth + node.height - 1, node.size)
        return node

    def _report_invalid_alias(self, event: Any, name: str) -> Scalar:
        index = self._index(event)
        if name in self._open_anchors:
            message = (
                f"`*{excerpt(name)}` is inside the value it refers to. A document cannot contain itself."
            )
            self._error(event, "recursive-alias", message)
        else:
            near = self._problems.nearest(name, self._anchors)
            message = f"`*{excerpt(name)}` has no `&{excerpt(name)}` before it.{did_you_mean(near)}"
            message = f"{message} Put a text that begins with `*` in quotes."
            self._problems.error(self._location(index), "unknown-alias", message, near)
        return Scalar(index, Broken.BROKEN, "")

    def _check_tag(self, event: Any) -> bool:
        if event.tag is None or event.tag == "!" or event.tag in _TAGS:
            return True
        message = f"The tag `{excerpt(event.tag)}` is not allowed: a document is data. Remove it."
        self._error(event, "unsafe-tag", message)
        return False

    def _count(self, event: Any, depth: int, size: int) -> None:
        self._nodes += size
        if self._nodes > MAX_NODES:
            self._stop(event, "too-many-values", f"More than {MAX_NODES} values, aliases counted in full.")
        if depth > MAX_DEPTH:
            self._stop(event, "too-deep", f"Nested more than {MAX_DEPTH} levels deep.")

    def _stop(self, event: Any, code: str, message: str) -> None:
        self._error(event, code, f"{message} Everything after this position was ignored.")
        raise _LimitExceeded

    def _error(self, event: Any, code: str, message: str) -> None:
        self._problems.error(self._location(self._index(event)), code, message)

    def _location(self, index: int) -> Location:
        steps = (f"[{step}]" if isinstance(step, int) else f".{excerpt(step or '?')}" for step in self._path)
        return Location(index, "".join(steps).removeprefix("."))

    def _index(self, event: Any) -> int:
        return int(event.start_mark.index) + self._skip


def _measure(node: Table | Listing, children: list[Node]) -> None:
    node.size += sum(child.size for child in children)
    node.height += max((child.height for child in children), default=0)
