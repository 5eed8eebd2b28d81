"""Reads usage, texts and tool calls from the events of model calls."""

import json
from typing import Any

from crewai_runner.core.bounded_json import parse_json
from crewai_runner.domain.usage import Usage, calculate_cost
from crewai_runner.executor.crew.context.redaction import MAX_PROMPT_LENGTH, truncate
from crewai_runner.executor.port import ModelBinding

TOO_DEEP = "[nested too deeply]"
"""Stands for a value with more levels than the event log stores."""


def parse_usage(reported: dict[str, Any] | None, binding: ModelBinding | None) -> Usage:
    """Convert one call's usage as the provider reported it; unreported figures are None."""
    figures = reported or {}
    prompt = _first_int(figures, "prompt_tokens", "input_tokens", "prompt_token_count")
    completion = _first_int(figures, "completion_tokens", "output_tokens", "candidates_token_count")
    is_reported = prompt is not None or completion is not None
    cached = _first_int(figures, "cached_prompt_tokens", "cached_tokens", "cache_read_input_tokens")
    total = _first_int(figures, "total_tokens", "total_token_count") if is_reported else None
    if total is None and prompt is not None and completion is not None:
        total = prompt + completion
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=cached if cached is not None or not is_reported else 0,
        total_tokens=total,
        llm_calls=1,
        cost=calculate_cost(prompt, completion, binding.pricing if binding else None),
    )


def _first_int(figures: dict[str, Any], *names: str) -> int | None:
    for name in names:
        value = figures.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value)
    return None


def summarize_messages(messages: Any) -> tuple[int, str | None]:
    """Return the number of messages and the last one, truncated."""
    if isinstance(messages, str):
        return 1, truncate(messages, MAX_PROMPT_LENGTH)
    if not messages:
        return 0, None
    content = messages[-1].get("content") if isinstance(messages[-1], dict) else messages[-1]
    return len(messages), truncate(to_text(content), MAX_PROMPT_LENGTH)


def to_text(value: Any) -> str:
    """Convert a message or an answer, in any of its forms, to text."""
    if isinstance(value, list):
        return "".join(str(part.get("text", "")) for part in value if isinstance(part, dict))
    if isinstance(value, dict):
        return str(to_plain_json(value))
    return "" if value is None else str(value)


def to_plain_json(value: Any) -> Any:
    """Parse JSON text; convert other values to JSON, with `str` for what JSON cannot represent.

    Text that is not JSON or is nested too deeply stays text; other values that deep become a note.
    """
    try:
        return parse_json(value if isinstance(value, str) else json.dumps(value, default=str))
    except ValueError:
        return value if isinstance(value, str) else TOO_DEEP
    except RecursionError:
        return TOO_DEEP


def requested_tools(event: Any) -> list[str]:
    """Return the names of the tools that an answer calls; empty for a text answer."""
    if getattr(event.call_type, "value", None) != "tool_call" or not isinstance(event.response, list):
        return []
    return [_tool_name(call) for call in event.response]


def _tool_name(call: Any) -> str:
    if not isinstance(call, dict):
        return str(getattr(call, "name", "") or "tool")
    function = call.get("function")
    source = function if isinstance(function, dict) else call
    return str(source.get("name") or "tool")
