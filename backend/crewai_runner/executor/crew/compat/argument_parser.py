"""Parses the arguments of tool calls. Malformed ones are repaired only while they are short.

The repairs of json_repair and json5 take quadratic time.
"""

import re
from typing import Any

from crewai.agents.constants import UNABLE_TO_REPAIR_JSON_RESULTS
from crewai.tools.tool_failure import ToolFailure, ToolFailureReason
from crewai.tools.tool_usage import ToolUsage
from json_repair import repair_json

from crewai_runner.core.bounded_json import MAX_DEPTH, is_deeper_than, parse_json

MAX_REPAIRED_LENGTH = 2_000
MAX_REPAIRED_BRACKETS = 100
_MAX_WRAPPERS = 3
_FENCED = re.compile(r"```[a-z]*\n(?P<body>[^`]*)```")
ParsedArguments = tuple[dict[str, Any], None] | tuple[None, dict[str, Any]]

_crewai_validate_tool_input = ToolUsage._validate_tool_input


def can_be_repaired(text: str) -> bool:
    """Return whether malformed arguments are short and flat enough to be repaired."""
    return len(text) <= MAX_REPAIRED_LENGTH and sum(map(text.count, "{[(")) <= MAX_REPAIRED_BRACKETS


def repair_arguments(text: str) -> str:
    """Return a tool's arguments in an answer as JSON where that is possible, as CrewAI does."""
    if (text.startswith("[") and text.endswith("]")) or not can_be_repaired(text):
        return text
    text = text.replace('"""', '"')
    repaired = str(repair_json(text))
    is_list_around_text = repaired.startswith("[") and not text.lstrip().startswith("[")
    if not repaired or repaired in UNABLE_TO_REPAIR_JSON_RESULTS or is_list_around_text:
        return text
    return repaired


def validate_tool_input(usage: ToolUsage, tool_input: str | None) -> dict[str, Any]:
    """Return the arguments of a tool call written as text. Raises ValueError with a message for the model."""
    if not isinstance(tool_input, str) or can_be_repaired(tool_input):
        repaired: dict[str, Any] = _crewai_validate_tool_input(usage, tool_input)
        return repaired
    arguments = parse_json(tool_input)
    if not isinstance(arguments, dict):
        raise ValueError("Tool input must be a JSON object.")
    return arguments


def _read_arguments(text: str) -> Any:
    """Parse arguments, also in a code block, or as JSON text inside JSON text; none are an empty object."""
    for _ in range(_MAX_WRAPPERS):
        if fenced := _FENCED.fullmatch(text.strip()):
            text = fenced["body"]
        arguments = parse_json(text) if text.strip() else {}
        if not isinstance(arguments, str):
            break
        text = arguments
    return {} if arguments is None else arguments


def parse_tool_call_args(
    func_args: dict[str, Any] | str, func_name: str, call_id: str, original_tool: Any = None
) -> ParsedArguments:
    """Return the arguments of a native tool call, or the result that tells the model what is wrong."""
    try:
        arguments = _read_arguments(func_args) if isinstance(func_args, str) else func_args
    except ValueError as error:
        reason = str(error)
    else:
        if isinstance(arguments, dict) and not is_deeper_than(arguments, MAX_DEPTH):
            return arguments, None
        reason = f"they must be a JSON object with at most {MAX_DEPTH} levels"
    message = (
        f"Error: Failed to parse tool arguments as JSON: {reason}. "
        f"Please provide valid JSON arguments for the '{func_name}' tool."
    )
    return None, {
        "call_id": call_id,
        "func_name": func_name,
        "result": message,
        "from_cache": False,
        "original_tool": original_tool,
        "tool_failure": ToolFailure(
            message=message, reason=ToolFailureReason.INVALID_INPUT, code="json_decode_error"
        ),
    }
