"""Writes answers of Anthropic's Messages API."""

import json
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from crewai_runner.executor.projects.gateway.refusals import GatewayRefusal, error_content
from crewai_runner.executor.projects.gateway.routes import WireProtocol
from crewai_runner.executor.projects.gateway.translation.answer_writer import CompleteAnswer, ToolCall, sse

_STOP_REASONS: Mapping[str, str] = MappingProxyType(
    {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
)


class AnthropicWriter:
    """Writes an answer as a message."""

    content_type = "text/event-stream"

    def __init__(self, model: str) -> None:
        self._id, self._model = f"msg_{uuid.uuid4().hex}", model
        self._has_begun = self._is_in_text = False

    def text(self, text: str) -> bytes:
        data = self._begin()
        if not self._is_in_text:
            self._is_in_text = True
            block = {"type": "text", "text": ""}
            data += _event("content_block_start", index=0, content_block=block)
        return data + _event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})

    def finish(self, answer: CompleteAnswer) -> bytes:
        data = self._begin()
        if self._is_in_text:
            data += _event("content_block_stop", index=0)
        for index, tool in enumerate(answer.tools, int(self._is_in_text)):
            arguments = {"type": "input_json_delta", "partial_json": json.dumps(tool.arguments)}
            data += _event("content_block_start", index=index, content_block={**_tool_use(tool), "input": {}})
            data += _event("content_block_delta", index=index, delta=arguments)
            data += _event("content_block_stop", index=index)
        end = {"stop_reason": _stop_reason(answer), "stop_sequence": None}
        data += _event("message_delta", delta=end, usage=_usage(answer))
        return data + _event("message_stop")

    def error(self, refusal: GatewayRefusal) -> bytes:
        return sse(error_content(refusal, WireProtocol.ANTHROPIC), "error")

    def whole(self, answer: CompleteAnswer) -> dict[str, Any]:
        blocks: list[dict[str, Any]] = [{"type": "text", "text": answer.text}] if answer.text else []
        blocks += [_tool_use(tool) for tool in answer.tools]
        return self._message(blocks, _stop_reason(answer), _usage(answer))

    def _begin(self) -> bytes:
        if self._has_begun:
            return b""
        self._has_begun = True
        message = self._message([], None, {"input_tokens": 0, "output_tokens": 0})
        return _event("message_start", message=message)

    def _message(
        self, content: list[dict[str, Any]], reason: str | None, usage: dict[str, int]
    ) -> dict[str, Any]:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": None,
            "usage": usage,
        }


def _event(kind: str, **members: Any) -> bytes:
    return sse({"type": kind, **members}, kind)


def _tool_use(tool: ToolCall) -> dict[str, Any]:
    return {"type": "tool_use", "id": tool.id, "name": tool.name, "input": tool.arguments}


def _stop_reason(answer: CompleteAnswer) -> str:
    return _STOP_REASONS.get(answer.finish, "end_turn")


def _usage(answer: CompleteAnswer) -> dict[str, int]:
    """Return the figures: Anthropic counts cached tokens apart from the other ones."""
    return {
        "input_tokens": max(0, answer.prompt_tokens - answer.cached_tokens),
        "cache_read_input_tokens": answer.cached_tokens,
        "cache_creation_input_tokens": 0,
        "output_tokens": answer.completion_tokens,
    }
