"""Reads usage, texts and tool calls from the events of model calls."""

import json
from typing import Any

from crewai_runner.core.bounded_json import parse_json
from crewai_runner.domain.usage import Usage, calculate_cost, read_token_count
from crewai_runner.executor.crew.context.redaction import MAX_PROMPT_LENGTH, truncate
from crewai_runner.executor.port import ModelBinding

TOO_DEEP = "[nested too deeply]"
"""Stands for a value with more levels than the event log stores."""


_PROMPT = ("prompt_tokens", "input_tokens", "prompt_token_count", "inputTokens")
_COMPLETION = ("completion_tokens", "output_tokens", "candidates_token_count", "outputTokens")
_CACHED = ("cached_prompt_tokens", "cached_tokens", "cache_read_input_tokens", "cacheReadInputTokens")
_TOTAL = ("total_tokens", "total_token_count", "totalTokens")
"""The names that providers use for each figure."""


def parse_usage(reported: dict[str, Any] | None, binding: ModelBinding | None) -> Usage:
    """Convert one call's usage as the provider reported it.

    Figures that are not reported or cannot be true are None. The total is never less than its parts.
    """
    figures = reported or {}
    prompt = _first_count(figures, _PROMPT)
    completion = _first_count(figures, _COMPLETION)
    is_reported = prompt is not None or completion is not None
    cached = _first_count(figures, _CACHED)
    total = _first_count(figures, _TOTAL) if is_reported else None
    if prompt is not None and completion is not None:
        total = max(total or 0, prompt + completion)
    return Usage.of_call(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=cached if cached is not None or not is_reported else 0,
        total_tokens=total,
        cost=calculate_cost(prompt, completion, binding.pricing if binding else None),
    )


def find_impossible_figures(reported: dict[str, Any] | None) -> list[str]:
    """Return the names of reported figures that are no possible number of tokens."""
    figures = reported or {}
    names = [name for name in (*_PROMPT, *_COMPLETION, *_CACHED, *_TOTAL) if figures.get(name) is not None]
    return [name for name in names if read_token_count(figures[name]) is None]


def _first_count(figures: dict[str, Any], names: tuple[str, ...]) -> int | None:
    """Return the first figure that is reported; None if that one is impossible."""
    value = next((figures[name] for name in names if figures.get(name) is not None), None)
    return read_token_count(value)


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
