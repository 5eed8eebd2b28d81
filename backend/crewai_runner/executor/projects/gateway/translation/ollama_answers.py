"""Writes answers of Ollama's own API."""

import json
from typing import Any

from crewai_runner.core.clock import now
from crewai_runner.executor.projects.gateway.refusals import GatewayRefusal, error_content
from crewai_runner.executor.projects.gateway.routes import WireProtocol
from crewai_runner.executor.projects.gateway.translation.answer_writer import CompleteAnswer


class OllamaWriter:
    """Writes an answer of `/api/chat`, or of `/api/generate` if it is a completion."""

    content_type = "application/x-ndjson"

    def __init__(self, model: str, *, is_completion: bool) -> None:
        self._model, self._is_completion = model, is_completion

    def text(self, text: str) -> bytes:
        return _line({**self._answer(text), "done": False})

    def finish(self, answer: CompleteAnswer) -> bytes:
        return _line(self._end(answer, ""))

    def error(self, refusal: GatewayRefusal) -> bytes:
        return _line(error_content(refusal, WireProtocol.OLLAMA))

    def whole(self, answer: CompleteAnswer) -> dict[str, Any]:
        return self._end(answer, answer.text)

    def _end(self, answer: CompleteAnswer, text: str) -> dict[str, Any]:
        found = self._answer(text)
        if answer.tools and not self._is_completion:
            calls = [{"function": {"name": one.name, "arguments": one.arguments}} for one in answer.tools]
            found["message"]["tool_calls"] = calls
        return found | {
            "done": True,
            "done_reason": "length" if answer.finish == "length" else "stop",
            "total_duration": 0,
            "load_duration": 0,
            "prompt_eval_count": answer.prompt_tokens,
            "prompt_eval_duration": 0,
            "eval_count": answer.completion_tokens,
            "eval_duration": 0,
        }

    def _answer(self, text: str) -> dict[str, Any]:
        content: dict[str, Any] = (
            {"response": text} if self._is_completion else {"message": {"role": "assistant", "content": text}}
        )
        return {"model": self._model, "created_at": now().isoformat(), **content}


def _line(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode() + b"\n"
