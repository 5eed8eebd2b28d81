"""What the engine's events hold, read field by field."""

from typing import Any

from crewai_runner.domain.usage import Usage, calculate_cost
from crewai_runner.executor.crew.texts import LONGEST_PROMPT, shorten
from crewai_runner.executor.crew.tooling import plain
from crewai_runner.executor.port import ModelBinding


def usage_of(reported: dict[str, Any] | None, binding: ModelBinding | None) -> Usage:
    """One call's usage from what the provider reported; None for each figure it did not."""
    given = reported or {}
    prompt = _first(given, "prompt_tokens", "input_tokens", "prompt_token_count")
    completion = _first(given, "completion_tokens", "output_tokens", "candidates_token_count")
    known = prompt is not None or completion is not None
    cached = _first(given, "cached_prompt_tokens", "cached_tokens", "cache_read_input_tokens")
    total = _first(given, "total_tokens", "total_token_count") if known else None
    if total is None and prompt is not None and completion is not None:
        total = prompt + completion
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        cached_tokens=cached if cached is not None or not known else 0,
        total_tokens=total,
        llm_calls=1,
        cost=calculate_cost(prompt, completion, binding.pricing if binding else None),
    )


def _first(given: dict[str, Any], *names: str) -> int | None:
    for name in names:
        value = given.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return int(value)
    return None


def last_of(messages: Any) -> tuple[int, str | None]:
    """How many messages there are, and the last one, shortened."""
    if isinstance(messages, str):
        return 1, shorten(messages, LONGEST_PROMPT)
    if not messages:
        return 0, None
    content = messages[-1].get("content") if isinstance(messages[-1], dict) else messages[-1]
    return len(messages), shorten(text_of(content), LONGEST_PROMPT)


def text_of(value: Any) -> str:
    """The text of a message or an answer, in whichever form it comes."""
    if isinstance(value, list):
        return "".join(str(part.get("text", "")) for part in value if isinstance(part, dict))
    if isinstance(value, dict):
        return str(plain(value))
    return "" if value is None else str(value)


def tools_asked_for(event: Any) -> list[str]:
    """The names of the tools that an answer asks for; empty when it is words."""
    if getattr(event.call_type, "value", None) != "tool_call" or not isinstance(event.response, list):
        return []
    return [_tool_name(one) for one in event.response]


def _tool_name(call: Any) -> str:
    if not isinstance(call, dict):
        return str(getattr(call, "name", "") or "tool")
    function = call.get("function")
    source = function if isinstance(function, dict) else call
    return str(source.get("name") or "tool")
