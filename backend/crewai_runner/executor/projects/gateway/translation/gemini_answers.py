"""Writes answers of Gemini's generateContent."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from crewai_runner.executor.projects.gateway.refusals import GatewayRefusal, error_content
from crewai_runner.executor.projects.gateway.routes import WireProtocol
from crewai_runner.executor.projects.gateway.translation.answer_writer import CompleteAnswer, ToolCall, sse

_FINISH_REASONS: Mapping[str, str] = MappingProxyType({"length": "MAX_TOKENS", "content_filter": "SAFETY"})


class GeminiWriter:
    """Writes an answer as candidates."""

    content_type = "text/event-stream"

    def __init__(self, model: str) -> None:
        self._model = model

    def text(self, text: str) -> bytes:
        return sse(self._answer([{"text": text}]))

    def finish(self, answer: CompleteAnswer) -> bytes:
        return sse(self._end(answer, [_function_call(tool) for tool in answer.tools] or [{"text": ""}]))

    def error(self, refusal: GatewayRefusal) -> bytes:
        return sse(error_content(refusal, WireProtocol.GEMINI))

    def whole(self, answer: CompleteAnswer) -> dict[str, Any]:
        parts: list[dict[str, Any]] = [{"text": answer.text}] if answer.text else []
        return self._end(answer, parts + [_function_call(tool) for tool in answer.tools])

    def _end(self, answer: CompleteAnswer, parts: list[dict[str, Any]]) -> dict[str, Any]:
        found = self._answer(parts)
        found["candidates"][0]["finishReason"] = _FINISH_REASONS.get(answer.finish, "STOP")
        found["usageMetadata"] = {
            "promptTokenCount": answer.prompt_tokens,
            "candidatesTokenCount": answer.completion_tokens,
            "totalTokenCount": answer.prompt_tokens + answer.completion_tokens,
            "cachedContentTokenCount": answer.cached_tokens,
        }
        return found

    def _answer(self, parts: list[dict[str, Any]]) -> dict[str, Any]:
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
        return {"candidates": [candidate], "modelVersion": self._model}


def _function_call(tool: ToolCall) -> dict[str, Any]:
    return {"functionCall": {"name": tool.name, "args": tool.arguments}}
