"""Values of keys: validated by pydantic, with every error reported where it is in the text."""

from typing import Annotated, Any, Protocol

from pydantic import TypeAdapter, ValidationError

from crewai_runner.domain.field_types import KEY_ERROR, DocumentKey, excerpt
from crewai_runner.domain.workflow_yaml.messages import INVALID, report_error
from crewai_runner.domain.workflow_yaml.nodes import Listing, Node, Scalar, Table, to_plain
from crewai_runner.domain.workflow_yaml.problems import Location, Problems

Schema = dict[str, Any]
_EXPECTED = {
    "tool": ("a list of tool names", "the name of a tool"),
    "mcp-server": ("a list of names of MCP servers", "the name of an MCP server"),
    "task": ("a list of tasks", "the name of a task"),
    "agent": ("", "the name of one agent"),
}
"""Names of a list and of its items in messages, by `x-reference`."""


_PLAIN_KEY = DocumentKey()
MAX_NAME_LENGTH = 200
"""Of names; other texts may be longer."""
MAX_LINE_LENGTH = 500
"""Of names and other texts on one line, such as roles."""


class ValueReader(Protocol):
    """Reads and describes the value of a key."""

    def read(self, node: Node, location: Location, problems: Problems) -> object:
        """Return the value, or INVALID when problems were reported."""

    def schema(self) -> Schema:
        """Return the JSON Schema of the value, for editors."""


class Value:
    """A value that is not a mapping of keys: validated as the type of a model's field."""

    def __init__(
        self,
        annotation: Any,
        metadata: tuple[object, ...] = (),
        key: DocumentKey = _PLAIN_KEY,
        reference: str = "",
    ) -> None:
        self._key = key
        self._adapter: TypeAdapter[Any] = TypeAdapter(
            Annotated[annotation, *metadata] if metadata else annotation
        )
        self._schema = self._adapter.json_schema()
        # Enumerations and decimals are not strict: pydantic's strict mode would reject text for them.
        self._strict = "enum" not in self._schema and "anyOf" not in self._schema
        self._schema.pop("title", None)
        self._schema.pop("description", None)
        max_length = self._schema.get("maxLength", MAX_LINE_LENGTH + 1)
        self._is_name = bool(reference) or max_length <= MAX_NAME_LENGTH
        self._is_line = self._is_name or max_length <= MAX_LINE_LENGTH
        self._expected = dict(zip(("list_type", "string_type"), _EXPECTED.get(reference, ()), strict=False))

    def read(self, node: Node, location: Location, problems: Problems) -> object:
        if isinstance(node, Scalar):
            self._check_comment(node, location, problems)
            node = self._without_final_break(node, location, problems)
        value = node.value if isinstance(node, Scalar) else to_plain(node)
        if self._key.allow_single and isinstance(node, Scalar):
            value = [value]
        try:
            found: object = self._adapter.validate_python(value, strict=self._strict)
        except ValidationError as error:
            for details in error.errors(include_url=False):
                inner, where = _resolve(details["loc"], node, location)
                expected = self._expected.get(details["type"])
                report_error(details, inner, where, problems, schema=self._schema, expected=expected)
            return INVALID
        return self._without_repetitions(found, node, location, problems) if self._key.unique else found

    def _check_comment(self, node: Scalar, location: Location, problems: Problems) -> None:
        """Warn when a text ends at ` #`; after a name only if the `#` is part of a word."""
        is_word = node.comment[1:2] not in ("", " ")
        if node.comment and self._schema.get("type") == "string" and (is_word or not self._is_name):
            message = (
                f"`{location.name}` ends before `{excerpt(node.comment, 30)}`: ` #` begins a comment. "
                "Put the text in quotes if this is part of it."
            )
            problems.warn(location, "cut-by-comment", message)

    def _without_final_break(self, node: Scalar, location: Location, problems: Problems) -> Scalar:
        """Remove the line break that `>` and `|` leave at the end of a line; warn if it is a name."""
        if not (self._is_line and node.is_block and isinstance(node.value, str)):
            return node
        name = node.value.strip()
        if name == node.value or "\n" in name:
            return node
        if not self._is_name:
            return Scalar(node.index, name, name, plain=False)
        message = (
            f"`{location.name}` ended with a line break, because of `>` or `|`. "
            f"Write `{excerpt(name)}` on one line."
        )
        problems.warn(location, "line-break", message)
        return Scalar(node.index, name, name, plain=False)

    def _without_repetitions(
        self, values: Any, node: Node, location: Location, problems: Problems
    ) -> list[object]:
        for number, value in enumerate(values):
            if value in values[:number] and isinstance(node, Listing):
                message = f"`{value}` is in the list already. Remove it here."
                problems.warn(location.item(number, node.items[number].index), "duplicate-item", message)
        return list(dict.fromkeys(values))

    def schema(self) -> Schema:
        if self._key.allow_single:
            return {"anyOf": [self._schema, self._schema["items"]]}
        return self._schema


def _resolve(loc: tuple[int | str, ...], node: Node, location: Location) -> tuple[Node, Location]:
    """Return the node and the location of an error, from its `loc` within the value at `node`."""
    for number, step in enumerate(loc):
        if isinstance(node, Listing) and isinstance(step, int):
            node = node.items[step]
            location = location.item(step, node.index)
        elif isinstance(node, Table) and isinstance(step, str):
            entry = node.entries.get(step)
            if entry is None:
                break
            wrong_key = loc[number + 1 :] == (KEY_ERROR,)
            node = entry.node
            location = location.to(excerpt(step), entry.index if wrong_key else node.index)
    return node, location
