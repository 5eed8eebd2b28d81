"""Codes and messages of wrong values: one table, by the type of pydantic's error."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from pydantic_core import ErrorDetails

from crewai_runner.domain.field_types import excerpt
from crewai_runner.domain.workflow_yaml.nodes import Broken, Node, Scalar, Table, is_null, kind_of
from crewai_runner.domain.workflow_yaml.problems import Location, Problems, did_you_mean


class Invalid(Enum):
    """The result of reading a value that was reported as a problem."""

    INVALID = "invalid"


INVALID: Final = Invalid.INVALID

EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "scalar_type": "text, a number, true or false, a list, or a mapping",
    "source_type": "text, or a mapping with `content`",
}
"""Errors with the code `wrong-type`, and what is expected."""
MESSAGES = {
    "empty_text": ("empty-text", "`{name}` is empty. Write a text, or omit the key."),
    "string_too_short": ("empty-text", "`{name}` is empty. Write a text, or omit the key."),
    "string_too_long": ("text-too-long", "`{name}` is longer than {max_length:,} characters."),
    "control_character": ("control-character", "`{name}` contains a control character."),
    "too_long": ("too-many-items", "`{name}` has more than {max_length} items."),
    "decimal_max_places": ("out-of-range", "`{name}` has more than {decimal_places} decimal places."),
    "greater_than": ("out-of-range", "`{name}` must be {bounds}."),
    "greater_than_equal": ("out-of-range", "`{name}` must be {bounds}."),
    "less_than": ("out-of-range", "`{name}` must be {bounds}."),
    "less_than_equal": ("out-of-range", "`{name}` must be {bounds}."),
}
"""Code and message by type. A type with a hyphen is a code itself, and its message is complete."""

_CODE = "names code to run, which a document must not do"
_ADDRESS = "belongs to the settings, where providers and models are registered by name"
_FILE = "makes the server read or write a file, which a document must not do"
_UNSAFE_MEMBERS = {
    **dict.fromkeys(
        ("python", "tool_type", "command", "args", "module", "class", "callable", "function", "ref"), _CODE
    ),
    **dict.fromkeys(
        ("provider", "config", "url", "headers", "env", "api_key", "base_url", "api_base"), _ADDRESS
    ),
    **dict.fromkeys(("path", "file", "file_path", "file_paths", "filename"), _FILE),
}


def report_error(
    error: ErrorDetails,
    node: Node,
    location: Location,
    problems: Problems,
    *,
    schema: Mapping[str, Any],
    expected: str | None,
) -> None:
    """Report an error of a value at `node`, whose `location` was resolved from the error's `loc`.

    `schema` is the JSON Schema of the whole value; `expected` replaces the general description of its type.
    """
    kind, context = error["type"], error.get("ctx", {})
    if kind in EXPECTED:
        report_wrong_type(node, location, problems, expected or EXPECTED[kind])
    elif kind == "enum":
        _report_unknown_value(node, location, problems, list(schema["enum"]))
    elif kind in MESSAGES:
        code, template = MESSAGES[kind]
        message = template.format(name=location.name, bounds=_describe_bounds(schema), **context)
        problems.error(location, code, message)
    else:
        problems.error(location, kind if "-" in kind else "wrong-type", error["msg"])


def report_wrong_type(node: Node, location: Location, problems: Problems, expected: str) -> Invalid:
    """Report a value of another type; a member that would run code or read files gets its own message."""
    if isinstance(node, Scalar) and isinstance(node.value, Broken):
        return INVALID
    for entry in node.entries.values() if isinstance(node, Table) else ():
        if entry.key in _UNSAFE_MEMBERS:
            message = f"`{entry.key}:` {_UNSAFE_MEMBERS[entry.key]}. `{location.name}` must be {expected}."
            problems.error(location.to(entry.key, entry.index), "unsafe-key", message)
            return INVALID
    message = f"`{location.name}` must be {expected}, but this is {kind_of(node)}."
    if isinstance(node, Table) and expected == "text" and len(node.entries) == 1:
        (name,) = node.entries
        if is_null(node.entries[name].node):
            message = f'{message} Put a text that begins with `{{` in quotes: "{{{excerpt(name)}}}".'
    if isinstance(node, Scalar) and node.value is not None:
        if expected == "text":
            message = f'{message} Put it in quotes: "{excerpt(node.text)}".'
        elif expected.startswith("a list"):
            message = f"{message} Write `[{excerpt(node.text)}]`."
        elif not node.plain and node.text.replace(".", "", 1).isdigit():
            message = f"{message} Remove the quotes."
    problems.error(location, "wrong-type", message)
    return INVALID


def _report_unknown_value(node: Node, location: Location, problems: Problems, options: list[str]) -> None:
    choices = ", ".join(options)
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        report_wrong_type(node, location, problems, f"one of {choices}")
        return
    near = problems.nearest(node.value, options)
    message = f"`{excerpt(node.value)}` is none of {choices}.{did_you_mean(near)}"
    problems.error(location, "unknown-value", message, near)


def _describe_bounds(schema: Mapping[str, Any]) -> str:
    number = next((option for option in schema.get("anyOf", ()) if "maximum" in option), schema)
    maximum = number.get("maximum")
    if "exclusiveMinimum" in number:
        return f"more than {number['exclusiveMinimum']:g} and at most {maximum:,}"
    return f"from {number.get('minimum'):g} to {maximum:,}" if maximum is not None else "in range"
