"""The tools that an MCP server lists: read with limits, cleaned, and identified by a digest.

A server is not trusted: what it lists is data. One tool that cannot be used does not affect the others.
"""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from crewai_runner.core.text import replace_unstorable
from crewai_runner.domain.tool_arguments import check_parameters

MAX_TOOLS = 256
MAX_DESCRIPTION_LENGTH = 8_000
MAX_TITLE_LENGTH = 200
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_DIGESTED = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")
_HINTS = ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
_EMPTY_SCHEMA: Mapping[str, Any] = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class McpTool:
    """A tool as its server describes it. `problem` says why it cannot be used; then the rest may be empty."""

    name: str
    title: str
    description: str
    input_schema: Mapping[str, Any]
    hints: Mapping[str, bool]
    digest: str
    """Of everything that the server says about the tool, before it is cleaned."""
    problem: str | None = None


def read_tools(entries: Sequence[object]) -> list[McpTool]:
    """Read the entries of a server's tool list. Entries without a usable name are left out.

    Two tools with the same name are both unusable: it is not known which one a call would reach.
    """
    tools = [tool for entry in entries[:MAX_TOOLS] if (tool := _read_tool(entry)) is not None]
    counts = Counter(tool.name.casefold() for tool in tools)
    unique: dict[str, McpTool] = {}
    for tool in tools:
        is_ambiguous = counts[tool.name.casefold()] > 1
        problem = "The server lists several tools with this name."
        unique.setdefault(tool.name, _unusable(tool.name, tool.digest, problem) if is_ambiguous else tool)
    return list(unique.values())


def clean_text(text: str, max_length: int) -> str:
    """Return the text without control and formatting characters, which hide or reorder what people see."""
    visible = "".join(
        character
        for character in text[: max_length * 2]
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Co")
    )
    return replace_unstorable(visible)[:max_length]


def find_unsafe_text(text: str) -> bool:
    """Return whether `clean_text` removes something other than line ends."""
    return clean_text(text, len(text)) != text.replace("\r", "")


def _read_tool(entry: object) -> McpTool | None:
    if not isinstance(entry, dict) or not isinstance(name := entry.get("name"), str) or not name:
        return None
    digest = _digest(entry)
    if _NAME.fullmatch(name) is None:
        shown = clean_text(name, 60) or "?"
        reason = "The name may have letters, digits and `_ . -` only, at most 128 of them."
        return _unusable(shown, digest, reason)
    description = entry.get("description")
    schema = entry.get("inputSchema")
    problem = _find_problem(description, schema)
    if problem is not None or not isinstance(schema, dict):
        return _unusable(name, digest, problem or "The schema of the arguments is missing.")
    title = entry.get("title")
    return McpTool(
        name=name,
        title=clean_text(title, MAX_TITLE_LENGTH) if isinstance(title, str) else "",
        description=clean_text(description or "", MAX_DESCRIPTION_LENGTH),
        input_schema=schema,
        hints=_read_hints(entry.get("annotations")),
        digest=digest,
    )


def _unusable(name: str, digest: str, problem: str) -> McpTool:
    return McpTool(name, "", "", _EMPTY_SCHEMA, {}, digest, problem)


def _find_problem(description: object, schema: object) -> str | None:
    if description is not None and not isinstance(description, str):
        return "The description is not a text."
    if isinstance(description, str) and len(description) > MAX_DESCRIPTION_LENGTH:
        return f"The description has more than {MAX_DESCRIPTION_LENGTH:,} characters."
    return _find_schema_problem(schema) if isinstance(schema, dict) else None


def _find_schema_problem(schema: dict[str, Any]) -> str | None:
    if (problem := check_parameters(schema)) is not None:
        return problem
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"The schema of the arguments is not valid: {clean_text(error.message, 200)}"
    return None


def _read_hints(annotations: object) -> Mapping[str, bool]:
    if not isinstance(annotations, dict):
        return {}
    return {name: annotations[name] for name in _HINTS if isinstance(annotations.get(name), bool)}


def _digest(entry: Mapping[str, Any]) -> str:
    described = {key: entry[key] for key in _DIGESTED if entry.get(key) is not None}
    text = json.dumps(described, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
