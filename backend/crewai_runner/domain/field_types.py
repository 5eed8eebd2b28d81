"""Types of the values in a workflow, as pydantic types.

The type of an error is a key of the tables in `workflow_yaml.messages`, or itself the code of a problem (with
hyphens) and has a complete message.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError

from crewai_runner.core.host_patterns import parse_host_pattern
from crewai_runner.domain.output_files import (
    MAX_PATH_LENGTH,
    PATH_PATTERN,
    find_path_problem,
    normalize_path,
)
from crewai_runner.domain.tool_names import EXTERNAL_TOOL_PATTERN, is_external_tool
from crewai_runner.domain.tools import TOOLS

FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
"""Characters that the database or a prompt does not accept."""
INPUT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*")
"""CrewAI replaces `{name}` for these names only; everything else between braces stays text."""
KEY_ERROR = "[key]"
"""Last item of an error's `loc` when the key is wrong, not its value; pydantic's own convention."""

MAX_PROSE_LENGTH = 200_000
_MAX_INPUT_TEXT = 100_000
_MAX_INPUT_DEPTH = 10
_LAST_LATIN = 0x24F
_REGISTERED_NAME = r"[A-Za-z0-9_]([A-Za-z0-9_.\- ]{0,98}[A-Za-z0-9_])?"
_SOURCE_KEYS = frozenset({"type", "source_type", "sourceType", "content"})
_SOURCE_TYPES = ("string", "text", "StringKnowledgeSource")


@dataclass(frozen=True)
class DocumentKey:
    """Annotation of a field whose key in documents is not simply the field's name."""

    name: str = ""
    also: tuple[str, ...] = ()
    """Further names of the same key."""
    camel: str = ""
    """Name in the list format, where it is not the camelCase of `name`."""
    allow_single: bool = False
    """Whether one value may stand for a list of one."""
    unique: bool = False
    """Whether repeated items of a list are removed, with a warning."""


def excerpt(text: str, limit: int = 60) -> str:
    """Return a part of a document on one line, shortened to be quoted in a message."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def is_storable(text: str) -> bool:
    """Return whether the database and a prompt accept every character of a text."""
    return FORBIDDEN.search(text) is None


def describe_hidden_characters(text: str) -> str | None:
    """Return what a name contains that cannot be seen, such as a line break; None if there is nothing.

    Joiners within a word and emoji, which some scripts need, are not reported.
    """
    if "\n" in text or "\r" in text:
        return "it contains a line break"
    for position, char in enumerate(text, start=1):
        is_hidden = char != " " and unicodedata.category(char) in ("Cf", "Zs", "Zl", "Zp")
        is_joiner = char in "\u200c\u200d" and 1 < position < len(text) and not text.isascii()
        if is_hidden and not (is_joiner and ord(text[position - 2]) > _LAST_LATIN):
            name = unicodedata.name(char, "an invisible character").lower()
            return f"it contains U+{ord(char):04X} ({name}) at position {position}"
    return None


def value_error(code: Any, message: str) -> PydanticCustomError:
    """Create an error for a validator. pydantic types `code` as a literal string."""
    return PydanticCustomError(code, "{message}", {"message": message})


def _check_text(text: str) -> str:
    if not text.strip():
        raise value_error("empty_text", "text is empty")
    if not is_storable(text):
        raise value_error("control_character", "text contains a control character")
    return text


def _name_validator(pattern: str, rule: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(name: str) -> str:
        hidden = describe_hidden_characters(name)
        if hidden is not None:
            raise value_error("bad-name", f"`{excerpt(name)}` is not allowed here: {hidden}. Remove it.")
        if not compiled.fullmatch(name):
            raise value_error("bad-name", f"`{excerpt(name)}` is not allowed here: {rule}.")
        return name

    return AfterValidator(check)


def _check_tool_name(name: str) -> str:
    return name if is_external_tool(name) else _check_registered_name(name)


def _check_registered_name(name: str) -> str:
    if re.fullmatch(_REGISTERED_NAME, name):
        return name
    hidden = describe_hidden_characters(name)
    if hidden is not None:
        raise value_error("bad-name", f"`{excerpt(name)}` is not allowed here: {hidden}. Remove it.")
    code = "unsafe-key" if re.search(r"[:/(]", name) else "bad-name"
    message = (
        f"`{excerpt(name)}` is not allowed here. A name consists of letters, digits, `_`, `-` and `.`; "
        "code, addresses and commands are not names."
    )
    raise value_error(code, message)


def _check_output_path(path: str) -> str:
    reason = find_path_problem(path)
    if reason is not None:
        message = f"`{excerpt(path)}` {reason}. Write a relative path, such as `out/report.md`."
        raise value_error("unsafe-path", message)
    return normalize_path(path)


def _check_approver(text: str) -> str:
    approver = text.strip().lower()
    if not _APPROVER.fullmatch(approver):
        message = f"`{excerpt(text)}` is neither one of operator, editor and owner nor an e-mail address."
        raise value_error("bad-approver", message)
    return approver


def _check_host_pattern(text: str) -> str:
    try:
        parse_host_pattern(text)
    except ValueError as error:
        raise value_error("bad-host", f"`{excerpt(text)}` is not allowed here: {error}.") from error
    return text


def _knowledge_text(value: object) -> object:
    """Return the text of CrewAI's `{type: string, content: text}`; other sources would read files."""
    if not isinstance(value, dict):
        return value
    for key, inner in value.items():
        if key not in _SOURCE_KEYS:
            message = (
                f"`{excerpt(key)}` would make the server read something. "
                "Write the text itself: `- {type: string, content: ...}`."
            )
            raise _member_error((key, KEY_ERROR), "unsafe-key", message)
        if key != "content" and inner not in _SOURCE_TYPES:
            message = (
                "Only sources of type `string` are supported: files are not read. Write the text itself."
            )
            raise _member_error((key,), "unsafe-key", message)
    if "content" not in value:
        raise value_error("source_type", "text, or a mapping with `content`")
    if not isinstance(value["content"], str):
        raise _member_error(("content",), "string_type", "text")
    return value["content"]


def _member_error(loc: tuple[str, ...], code: str, message: str) -> ValidationError:
    """Create an error for a member of the value, not for the value itself."""
    details = InitErrorDetails(type=value_error(code, message), loc=loc, input=None)
    return ValidationError.from_exception_data("value", [details])


def _check_input_value(value: object) -> object:
    if not isinstance(value, str | int | float | list | dict):
        raise value_error("scalar_type", "text, a number, true or false, a list, or a mapping")
    texts = list(_list_texts(value, _MAX_INPUT_DEPTH))
    if sum(map(len, texts)) > _MAX_INPUT_TEXT or not all(map(is_storable, texts)):
        message = f"At most {_MAX_INPUT_TEXT:,} characters, none of them control characters."
        raise value_error("text-too-long", message)
    return value


def _list_texts(value: object, depth: int) -> Iterator[str]:
    if depth < 0:
        raise value_error("too-deep", f"A value has at most {_MAX_INPUT_DEPTH} levels.")
    if isinstance(value, list):
        for item in value:
            yield from _list_texts(item, depth - 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _list_texts(item, depth - 1)
    else:
        yield str(value)


_TEXT = AfterValidator(_check_text)

Line = Annotated[str, StringConstraints(min_length=1, max_length=500), _TEXT]
Prose = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROSE_LENGTH), _TEXT]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    _TEXT,
    _name_validator(
        r"[^\s{}\[\]](?:[^{}\n\r\t]*[^\s{}])?",
        "a name has no braces or line breaks, and no space at its ends",
    ),
]
ModelName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    _TEXT,
    _name_validator(
        r"[^\s{}](?:[^{}\n\r\t]*[^\s{}])?", "a model is named as it is registered, such as `gpt-4o-mini`"
    ),
]
InputName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    _TEXT,
    _name_validator(
        INPUT_NAME.pattern,
        "an input's name has letters, digits, `_` and `-`, and does not begin with a digit",
    ),
]
_REGISTERED_SCHEMA = {"type": "string", "pattern": f"^{_REGISTERED_NAME}$"}
_TOOL_PATTERN = f"^(?:{EXTERNAL_TOOL_PATTERN}|{_REGISTERED_NAME})$"
ToolName = Annotated[
    str,
    AfterValidator(_check_tool_name),
    WithJsonSchema({"type": "string", "pattern": _TOOL_PATTERN, "examples": list(TOOLS)}),
]
McpServerName = Annotated[str, AfterValidator(_check_registered_name), WithJsonSchema(_REGISTERED_SCHEMA)]
OutputPath = Annotated[
    str,
    AfterValidator(_check_output_path),
    WithJsonSchema(
        {"type": "string", "pattern": PATH_PATTERN, "maxLength": MAX_PATH_LENGTH, "examples": ["report.md"]}
    ),
]
"""A relative path without placeholder or characters that are special in a shell or on another system."""
_APPROVER = re.compile(r"operator|editor|owner|[^@\s]{1,64}@[^@\s]{1,255}")
Approver = Annotated[
    str,
    StringConstraints(max_length=320),
    AfterValidator(_check_approver),
    WithJsonSchema({"type": "string", "maxLength": 320, "examples": ["operator", "editor", "owner"]}),
]
"""A role, or an e-mail address, in lower case."""
HostPatternText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=260),
    AfterValidator(_check_host_pattern),
    WithJsonSchema(
        {"type": "string", "minLength": 1, "maxLength": 260, "examples": ["api.example.com", "*.example.com"]}
    ),
]
_KNOWLEDGE = {"type": "string", "minLength": 1, "maxLength": 200_000}
KnowledgeText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200_000),
    _TEXT,
    BeforeValidator(_knowledge_text),
    WithJsonSchema(
        {
            "anyOf": [
                _KNOWLEDGE,
                {
                    "type": "object",
                    "properties": {
                        "type": {"const": "string"},
                        "source_type": {"const": "string"},
                        "content": _KNOWLEDGE,
                    },
                    "required": ["content"],
                    "additionalProperties": False,
                },
            ]
        },
        mode="validation",
    ),
]
InputValue = Annotated[
    Any,
    AfterValidator(_check_input_value),
    WithJsonSchema({"type": ["string", "number", "boolean", "array", "object"]}),
]
