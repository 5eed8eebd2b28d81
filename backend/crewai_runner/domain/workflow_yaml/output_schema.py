"""`output_json`: a JSON Schema that CrewAI can turn into a model, checked to the last keyword."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema

from crewai_runner.domain.workflow_yaml.kinds import Schema
from crewai_runner.domain.workflow_yaml.mistakes import BAD, wrong_type
from crewai_runner.domain.workflow_yaml.nodes import Listing, Node, Scalar, Table, to_plain
from crewai_runner.domain.workflow_yaml.problems import Place, Problems, shown

MAX_SIZE = 600
MAX_HEIGHT = 24
_CODE = "bad-schema"
_CHILDREN = ("items", "additionalProperties", "not")
_MAPS = ("properties", "$defs", "definitions")
_LISTS = ("anyOf", "oneOf", "allOf")
_POINTING = ("$id", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$vocabulary", "id")
_TAKEN = frozenset(
    {"copy", "json", "dict", "schema", "construct", "validate", "fields", "from_orm", "parse_obj"}
)
# CrewAI would look for such a file or folder on the server, or cannot check the format at all.
_REFUSED_FORMATS = frozenset({"file-path", "directory-path", "path", "email", "binary", "base64"})
_LOOKS_AROUND = re.compile(r"\(\?(?:<?[=!]|P=|\()|\\[1-9]")


@dataclass(frozen=True)
class OutputSchema:
    """A JSON Schema of an object, without references to anything outside it."""

    def read(self, node: Node, place: Place, problems: Problems) -> object:
        if isinstance(node, Scalar) and isinstance(node.value, str):
            message = (
                f"`{shown(node.value)}` would name a Python class. Write a JSON Schema: "
                "`{type: object, properties: {title: {type: string}}}`."
            )
            problems.error(place, "unsafe-key", message)
            return BAD
        if not isinstance(node, Table) or "python" in node.keys:
            return wrong_type(node, place, problems, "a JSON Schema (a mapping)")
        checker = _Checker(node, problems)
        return to_plain(node) if checker.passes(place) else BAD

    def schema(self) -> Schema:
        return {
            "type": "object",
            "properties": {"type": {"const": "object"}, "properties": {"type": "object", "minProperties": 1}},
            "required": ["type", "properties"],
        }

    def write(self, value: object) -> object:
        return value


class _Checker:
    def __init__(self, root: Table, problems: Problems) -> None:
        self._root = root
        self._problems = problems
        self._sound = True

    def passes(self, place: Place) -> bool:
        if self._root.size > MAX_SIZE or self._root.height > MAX_HEIGHT:
            self._fail(place, "The schema is too large or nested too deeply.")
            return False
        self._meta(place)
        if self._sound:
            self._check_root(place)
            self._walk(self._root, place)
        return self._sound

    def _meta(self, place: Place) -> None:
        for error in _metaschema().iter_errors(to_plain(self._root)):
            node: Node = self._root
            spot = place
            for step in error.absolute_path:
                node, spot = _step(node, spot, step)
            self._fail(spot, f"Not valid JSON Schema: {shown(error.message, 160)}.")

    def _check_root(self, place: Place) -> None:
        kind, properties = self._root.get("type"), self._root.get("properties")
        if not (isinstance(kind, Scalar) and kind.value == "object"):
            self._fail(place, "The schema of an output begins with `type: object`.")
        if not (isinstance(properties, Table) and properties.entries):
            self._fail(place, "The schema needs `properties`, at least one.")

    def _walk(self, node: Node, place: Place) -> None:
        if not isinstance(node, Table):
            self._fail(place, "Write the schema out: `true` and `false` are not possible here.")
            return
        for entry in node.entries:
            spot = Place(entry.node.index, f"{place.path}.{shown(entry.key)}")
            check = self._keywords().get(entry.key)
            if check is not None:
                check(entry.node, spot)
            if entry.key in _POINTING:
                self._fail(spot, f"`{entry.key}` could point outside the document. Remove it.")
        for child, spot in _subschemas(node, place):
            self._walk(child, spot)

    def _keywords(self) -> dict[str, Callable[[Node, Place], None]]:
        return {
            "$ref": self._reference,
            "pattern": self._pattern,
            "properties": self._names,
            "format": self._format,
            "enum": self._constants,
            "const": self._constants,
        }

    def _reference(self, node: Node, place: Place) -> None:
        target = str(node.value) if isinstance(node, Scalar) else ""
        match = re.fullmatch(r"#/(\$defs|definitions)/([^/]+)", target)
        shelf = self._root.get(match[1]) if match else None
        if match is None:
            self._fail(
                place,
                "Only references such as `#/$defs/Name` are possible; nothing is loaded from elsewhere.",
            )
        elif not isinstance(shelf, Table) or match[2] not in shelf.keys:
            self._fail(place, f"There is no `{shown(match[2])}` under `{match[1]}`.")

    def _pattern(self, node: Node, place: Place) -> None:
        pattern = str(node.value) if isinstance(node, Scalar) else ""
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError):
            self._fail(place, "The pattern is not a regular expression.")
            return
        if len(pattern) > 200 or _LOOKS_AROUND.search(pattern):
            self._fail(place, "The pattern is too long, or looks around or back, which CrewAI cannot check.")

    def _format(self, node: Node, place: Place) -> None:
        if isinstance(node, Scalar) and node.value in _REFUSED_FORMATS:
            self._fail(place, f"The format `{node.value}` is not possible here. Remove it, or use `pattern`.")

    def _names(self, node: Node, place: Place) -> None:
        for entry in node.entries if isinstance(node, Table) else []:
            if entry.key.startswith(("_", "model_")) or not entry.key.isidentifier() or entry.key in _TAKEN:
                spot = Place(entry.index, f"{place.path}.{shown(entry.key)}")
                self._fail(
                    spot, f"CrewAI cannot use `{shown(entry.key)}` as the name of a property. Rename it."
                )

    def _constants(self, node: Node, place: Place) -> None:
        values = node.items if isinstance(node, Listing) else [node]
        for item in values:
            if not isinstance(item, Scalar) or isinstance(item.value, float):
                self._fail(
                    Place(item.index, place.path),
                    "Only texts, whole numbers, true/false and null are possible.",
                )

    def _fail(self, place: Place, message: str) -> None:
        self._sound = False
        self._problems.error(place, _CODE, message)


def _subschemas(node: Table, place: Place) -> Iterator[tuple[Node, Place]]:
    for entry in node.entries:
        spot = place.to(entry.key, entry.node.index)
        if entry.key in _CHILDREN and not (isinstance(entry.node, Scalar) and entry.key != "items"):
            yield entry.node, spot
        elif entry.key in _MAPS and isinstance(entry.node, Table):
            for inner in entry.node.entries:
                yield inner.node, spot.to(inner.key, inner.node.index)
        elif entry.key in _LISTS and isinstance(entry.node, Listing):
            for number, item in enumerate(entry.node.items):
                yield item, spot.item(number, item.index)


def _step(node: Node, place: Place, step: object) -> tuple[Node, Place]:
    if isinstance(node, Table):
        inner = node.get(str(step))
        return (node, place) if inner is None else (inner, place.to(shown(str(step)), inner.index))
    if isinstance(node, Listing) and isinstance(step, int):
        return node.items[step], place.item(step, node.items[step].index)
    return node, place


@lru_cache(maxsize=1)
def _metaschema() -> Any:
    return jsonschema.Draft202012Validator(jsonschema.Draft202012Validator.META_SCHEMA)
