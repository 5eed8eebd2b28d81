"""Chooses the translation between the protocol of the code and that of the provider."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from crewai_runner.executor.port import ModelBinding
from crewai_runner.executor.projects.gateway.request_body import adapt_chat, has_requested_usage
from crewai_runner.executor.projects.gateway.routes import Operation, Route, WireProtocol
from crewai_runner.executor.projects.gateway.translation.answer_writer import AnswerWriter
from crewai_runner.executor.projects.gateway.translation.anthropic_answers import AnthropicWriter
from crewai_runner.executor.projects.gateway.translation.anthropic_requests import messages_to_chat
from crewai_runner.executor.projects.gateway.translation.chat_to_anthropic import chat_to_messages
from crewai_runner.executor.projects.gateway.translation.gemini_answers import GeminiWriter
from crewai_runner.executor.projects.gateway.translation.gemini_requests import generate_content_to_chat
from crewai_runner.executor.projects.gateway.translation.members import unsupported
from crewai_runner.executor.projects.gateway.translation.ollama_answers import OllamaWriter
from crewai_runner.executor.projects.gateway.translation.ollama_requests import (
    ollama_chat_to_chat,
    ollama_generate_to_chat,
)
from crewai_runner.executor.projects.gateway.translation.openai_answers import OpenAIWriter

_ToChat = Callable[[Mapping[str, Any]], dict[str, Any]]
_TO_CHAT: Mapping[tuple[WireProtocol, Operation], _ToChat] = MappingProxyType(
    {
        (WireProtocol.OPENAI, Operation.CHAT): dict,
        (WireProtocol.ANTHROPIC, Operation.CHAT): messages_to_chat,
        (WireProtocol.GEMINI, Operation.CHAT): generate_content_to_chat,
        (WireProtocol.OLLAMA, Operation.CHAT): ollama_chat_to_chat,
        (WireProtocol.OLLAMA, Operation.GENERATE): ollama_generate_to_chat,
    }
)


def translate_request(
    route: Route, body: Mapping[str, Any], target: WireProtocol, binding: ModelBinding, *, streams: bool
) -> dict[str, Any]:
    """Return the request for a provider that speaks `target`. Raises GatewayRefusal."""
    to_chat = _TO_CHAT.get((route.protocol, route.operation)) if route.operation else None
    if to_chat is None:
        raise unsupported("A request of the Responses API")
    chat = to_chat(body)
    for name in ("model", "stream", "stream_options"):
        chat.pop(name, None)
    common = {"model": binding.model, "stream": streams}
    if target is WireProtocol.ANTHROPIC:
        return {**chat_to_messages(chat), **common}
    return adapt_chat({**chat, **common}, binding)


def make_writer(route: Route, body: dict[str, Any], asked: str) -> AnswerWriter:
    """Return a writer of answers in the protocol of the code."""
    match route.protocol:
        case WireProtocol.ANTHROPIC:
            return AnthropicWriter(asked)
        case WireProtocol.GEMINI:
            return GeminiWriter(asked)
        case WireProtocol.OLLAMA:
            return OllamaWriter(asked, is_completion=route.operation is Operation.GENERATE)
        case _:
            return OpenAIWriter(asked, reports_usage=has_requested_usage(body))
