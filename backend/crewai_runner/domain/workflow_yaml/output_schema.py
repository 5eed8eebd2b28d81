"""`output_json`: a JSON Schema, checked for everything that CrewAI cannot turn into a model."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Annotated, Any

import jsonschema
from pydantic import StringConstraints, TypeAdapter
from pydantic_core import SchemaError

from crewai_runner.domain.field_types import excerpt
from crewai_runner.domain.schema_expansion import find_schema_excess
from crewai_runner.domain.workflow_yaml.messages import INVALID, report_wrong_type
from crewai_runner.domain.workflow_yaml.nodes import Listing, Node, Scalar, Table, to_plain
from crewai_runner.domain.workflow_yaml.problems import Location, Problems
from crewai_runner.domain.workflow_yaml.values import Schema

MAX_SIZE = 600
MAX_DEPTH = 24
MAX_PATTERNS = 20
MAX_PATTERN_LENGTH = 200
MAX_ERRORS = 20
_CODE = "bad-schema"
_SUBSCHEMA_KEYWORDS = ("items", "additionalProperties", "not")
_MAPPING_KEYWORDS = ("properties", "$defs", "definitions")
_LIST_KEYWORDS = ("anyOf", "oneOf", "allOf")
_REFERENCE_KEYWORDS = (
    "$id",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$recursiveRef",
    "$vocabulary",
    "id",
)
_RESERVED_NAMES = frozenset(
    {"copy", "json", "dict", "schema", "construct", "validate", "fields", "from_orm", "parse_obj"}
)
# CrewAI would look for such a file or folder on the server, or does not support the format.
_UNSUPPORTED_FORMATS = frozenset({"file-path", "directory-path", "path", "email", "binary", "base64"})
_LOOKAROUND = re.compile(r"\(\?(?:<?[=!]|P=|\()|\\[1-9]")


@dataclass(frozen=True)
class OutputSchema:
    """A JSON Schema of an object, without references to anything outside it."""

    def read(self, node: Node, location: Location, problems: Problems) -> object:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            message = (
                f"`{excerpt(node.value)}` is a Python class, not data. Write a JSON Schema: "
                "`{type: object, properties: {title: {type: string}}}`."
            )
            problems.error(location, "unsafe-key", message)
            return INVALID
        if not isinstance(node, Table) or "python" in node.entries:
            return report_wrong_type(node, location, problems, "a JSON Schema (a mapping)")
        checker = _Checker(node, problems)
        return to_plain(node) if checker.is_valid(location) else INVALID

    def schema(self) -> Schema:
        return {
            "type": "object",
            "properties": {"type": {"const": "object"}, "properties": {"type": "object", "minProperties": 1}},
            "required": ["type", "properties"],
        }


class _Checker:
    def __init__(self, root: Table, problems: Problems) -> None:
        self._root = root
        self._problems = problems
        self._is_valid = True
        self._patterns = 0
        self._plain: Any = {}

    def is_valid(self, location: Location) -> bool:
        if self._root.size > MAX_SIZE or self._root.height > MAX_DEPTH:
            self._fail(location, "The schema is too large or nested too deeply.")
            return False
        self._plain = to_plain(self._root)
        self._check_metaschema(location)
        if self._is_valid:
            self._check_root(location)
            self._walk(self._root, location)
        if self._is_valid and (excess := find_schema_excess(self._plain)) is not None:
            self._fail(location, excess)
        return self._is_valid

    def _check_metaschema(self, location: Location) -> None:
        for error in islice(_metaschema().iter_errors(self._plain), MAX_ERRORS):
            node: Node = self._root
            inner_location = location
            for step in error.absolute_path:
                node, inner_location = _follow_step(node, inner_location, step)
            self._fail(inner_location, f"Not valid JSON Schema: {excerpt(error.message, 160)}.")

    def _check_root(self, location: Location) -> None:
        kind, properties = self._root.get("type"), self._root.get("properties")
        if not (isinstance(kind, Scalar) and kind.value == "object"):
            self._fail(location, "The schema of an output must have `type: object`.")
        if not (isinstance(properties, Table) and properties.entries):
            self._fail(location, "The schema must have at least one property under `properties`.")

    def _walk(self, node: Node, location: Location) -> None:
        if not isinstance(node, Table):
            self._fail(location, "A schema must be a mapping: `true` and `false` are not supported here.")
            return
        for entry in node.entries.values():
            inner_location = Location(entry.node.index, f"{location.path}.{excerpt(entry.key)}")
            check = self._keywords().get(entry.key)
            if check is not None:
                check(entry.node, inner_location)
            if entry.key in _REFERENCE_KEYWORDS:
                self._fail(inner_location, f"`{entry.key}` could point outside the document. Remove it.")
        for child, inner_location in _subschemas(node, location):
            self._walk(child, inner_location)

    def _keywords(self) -> dict[str, Callable[[Node, Location], None]]:
        return {
            "$ref": self._check_reference,
            "pattern": self._check_pattern,
            "properties": self._check_names,
            "format": self._check_format,
            "enum": self._check_constants,
            "const": self._check_constants,
        }

    def _check_reference(self, node: Node, location: Location) -> None:
        target = str(node.value) if isinstance(node, Scalar) else ""
        match = re.fullmatch(r"#/(\$defs|definitions)/([^/]+)", target)
        definitions = self._root.get(match[1]) if match else None
        if match is None:
            self._fail(
                location,
                "Only references such as `#/$defs/Name` are supported; no other document is loaded.",
            )
        elif not isinstance(definitions, Table) or match[2] not in definitions.entries:
            self._fail(location, f"There is no `{excerpt(match[2])}` under `{match[1]}`.")

    def _check_pattern(self, node: Node, location: Location) -> None:
        pattern = str(node.value) if isinstance(node, Scalar) else ""
        self._patterns += 1
        if self._patterns > MAX_PATTERNS:
            self._fail(location, f"A schema may have at most {MAX_PATTERNS} patterns.")
        elif len(pattern) > MAX_PATTERN_LENGTH or _LOOKAROUND.search(pattern):
            self._fail(
                location,
                "The pattern is too long, or has a lookaround or backreference, which CrewAI cannot check.",
            )
        elif self._is_valid and not _is_pattern(pattern):
            self._fail(location, "The pattern is not a regular expression, or repeats too much.")

    def _check_format(self, node: Node, location: Location) -> None:
        if isinstance(node, Scalar) and node.value in _UNSUPPORTED_FORMATS:
            self._fail(
                location, f"The format `{node.value}` is not supported here. Remove it, or use `pattern`."
            )

    def _check_names(self, node: Node, location: Location) -> None:
        for entry in node.entries.values() if isinstance(node, Table) else []:
            if (
                entry.key.startswith(("_", "model_"))
                or not entry.key.isidentifier()
                or entry.key in _RESERVED_NAMES
            ):
                inner_location = Location(entry.index, f"{location.path}.{excerpt(entry.key)}")
                self._fail(
                    inner_location,
                    f"CrewAI cannot use `{excerpt(entry.key)}` as a property name. Rename it.",
                )

    def _check_constants(self, node: Node, location: Location) -> None:
        values = node.items if isinstance(node, Listing) else [node]
        for item in values:
            if not isinstance(item, Scalar) or isinstance(item.value, float):
                self._fail(
                    Location(item.index, location.path),
                    "Only texts, whole numbers, true/false and null are supported.",
                )

    def _fail(self, location: Location, message: str) -> None:
        self._is_valid = False
        self._problems.error(location, _CODE, message)


def _subschemas(node: Table, location: Location) -> Iterator[tuple[Node, Location]]:
    for entry in node.entries.values():
        inner_location = location.to(entry.key, entry.node.index)
        if entry.key in _SUBSCHEMA_KEYWORDS and not (isinstance(entry.node, Scalar) and entry.key != "items"):
            yield entry.node, inner_location
        elif entry.key in _MAPPING_KEYWORDS and isinstance(entry.node, Table):
            for inner in entry.node.entries.values():
                yield inner.node, inner_location.to(inner.key, inner.node.index)
        elif entry.key in _LIST_KEYWORDS and isinstance(entry.node, Listing):
            for number, item in enumerate(entry.node.items):
                yield item, inner_location.item(number, item.index)


def _is_pattern(pattern: str) -> bool:
    """Return whether pydantic, which checks the answers, can search with a pattern in linear time."""
    try:
        TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    except SchemaError:
        return False
    return True


def _follow_step(node: Node, location: Location, step: object) -> tuple[Node, Location]:
    if isinstance(node, Table):
        inner = node.get(str(step))
        return (node, location) if inner is None else (inner, location.to(excerpt(str(step)), inner.index))
    if isinstance(node, Listing) and isinstance(step, int):
        return node.items[step], location.item(step, node.items[step].index)
    return node, location


@lru_cache(maxsize=1)
def _metaschema() -> Any:
    return jsonschema.Draft202012Validator(jsonschema.Draft202012Validator.META_SCHEMA)
