"""What a writer of answers gets and gives, whatever protocol it writes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from crewai_runner.executor.crew.llm.answer.chat_answer import ChatAnswer
from crewai_runner.executor.crew.llm.response import parse_usage
from crewai_runner.executor.projects.gateway.refusals import GatewayRefusal

_FINISH_REASONS: Mapping[str, str] = MappingProxyType(
    {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "pause_turn": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": "tool_calls",
        "function_call": "tool_calls",
        "refusal": "content_filter",
    }
)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A requested tool; `arguments` is an object."""

    id: str
    name: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class CompleteAnswer:
    """An answer to translate. `finish` is OpenAI's name of the reason; tokens that are unknown are 0."""

    text: str
    tools: tuple[ToolCall, ...]
    finish: str
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int


class AnswerWriter(Protocol):
    """Writes one answer in the protocol of the code."""

    content_type: str
    """Of a stream."""

    def text(self, text: str) -> bytes:
        """Return a piece of the streamed answer."""

    def finish(self, answer: CompleteAnswer) -> bytes:
        """Return the end of the streamed answer: tool calls, finish reason and usage."""

    def error(self, refusal: GatewayRefusal) -> bytes:
        """Return an error within a stream."""

    def whole(self, answer: CompleteAnswer) -> dict[str, Any]:
        """Return an answer that is not streamed."""


def text_of(payload: Any) -> str:
    """Return the text in a chat completion payload, as the provider sent it."""
    choices = payload.get("choices") if isinstance(payload, Mapping) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        return ""
    part = choices[0].get("delta") or choices[0].get("message") or {}
    content = part.get("content") if isinstance(part, Mapping) else None
    if isinstance(content, list):
        texts = [one.get("text") for one in content if isinstance(one, Mapping) and one.get("type") == "text"]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else ""


def complete_answer(text: str, answer: ChatAnswer, reported: dict[str, Any] | None) -> CompleteAnswer:
    """Return the answer whose raw text is `text`, with the figures that were reported."""
    usage = parse_usage(reported, None)
    tools = tuple(_tool_call(call, number) for number, call in enumerate(answer.tool_calls))
    reason = str(answer.finish_reason or "stop")
    return CompleteAnswer(
        text=text or answer.refusal,
        tools=tools,
        finish="tool_calls" if tools else _FINISH_REASONS.get(reason, reason),
        prompt_tokens=usage.prompt_tokens or 0,
        completion_tokens=usage.completion_tokens or 0,
        cached_tokens=usage.cached_tokens or 0,
    )


def _tool_call(call: Mapping[str, Any], number: int) -> ToolCall:
    function = call.get("function") or {}
    try:
        arguments = json.loads(function.get("arguments") or "{}")
    except (ValueError, RecursionError):
        arguments = {"arguments": function.get("arguments")}
    return ToolCall(str(call.get("id") or f"call_{number}"), str(function.get("name") or ""), arguments)


def sse(content: Mapping[str, Any], event: str | None = None) -> bytes:
    """Return a server-sent event."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(content)}\n\n".encode()
