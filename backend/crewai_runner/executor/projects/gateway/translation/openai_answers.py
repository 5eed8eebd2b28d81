"""Writes chat completions."""

import json
import time
import uuid
from typing import Any

from crewai_runner.executor.projects.gateway.refusals import GatewayRefusal, error_content
from crewai_runner.executor.projects.gateway.routes import WireProtocol
from crewai_runner.executor.projects.gateway.translation.answer_writer import CompleteAnswer, ToolCall, sse


class OpenAIWriter:
    """Writes an answer as OpenAI's chat completions have it."""

    content_type = "text/event-stream"

    def __init__(self, model: str, *, reports_usage: bool) -> None:
        self._reports_usage = reports_usage
        self._head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": model}
        self._has_begun = False

    def text(self, text: str) -> bytes:
        return self._chunk({**self._role(), "content": text})

    def finish(self, answer: CompleteAnswer) -> bytes:
        data = b""
        if answer.tools:
            calls = [{"index": n, **_tool_call(tool)} for n, tool in enumerate(answer.tools)]
            data += self._chunk({**self._role(), "tool_calls": calls})
        data += self._chunk(self._role(), answer.finish)
        if self._reports_usage:
            usage = {"choices": [], "usage": _usage(answer)}
            data += sse({**self._head, "object": "chat.completion.chunk", **usage})
        return data + b"data: [DONE]\n\n"

    def error(self, refusal: GatewayRefusal) -> bytes:
        return sse(error_content(refusal, WireProtocol.OPENAI))

    def whole(self, answer: CompleteAnswer) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None}
        if answer.tools:
            message["tool_calls"] = [_tool_call(tool) for tool in answer.tools]
        choice = {"index": 0, "message": message, "finish_reason": answer.finish, "logprobs": None}
        members = {"choices": [choice], "usage": _usage(answer), "service_tier": "default"}
        return {**self._head, "object": "chat.completion", **members}

    def _role(self) -> dict[str, Any]:
        role = {} if self._has_begun else {"role": "assistant"}
        self._has_begun = True
        return role

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return sse({**self._head, "object": "chat.completion.chunk", "choices": [choice]})


def _tool_call(tool: ToolCall) -> dict[str, Any]:
    function = {"name": tool.name, "arguments": json.dumps(tool.arguments)}
    return {"id": tool.id, "type": "function", "function": function}


def _usage(answer: CompleteAnswer) -> dict[str, Any]:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": answer.cached_tokens},
    }
