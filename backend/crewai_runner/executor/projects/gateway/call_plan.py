"""Plans a model call: what is sent to the provider, and how its answer is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from crewai_runner.domain.provider import ModelKind
from crewai_runner.executor.crew.llm.answer.anthropic_payloads import translate_anthropic
from crewai_runner.executor.crew.llm.answer.gemini_payloads import GeminiTranslator
from crewai_runner.executor.crew.llm.answer.read_answer import Translate, unchanged
from crewai_runner.executor.port import ModelBinding
from crewai_runner.executor.projects.gateway.answer_payloads import translate_ollama, translate_response
from crewai_runner.executor.projects.gateway.call_meter import Prompt
from crewai_runner.executor.projects.gateway.model_map import resolve_model
from crewai_runner.executor.projects.gateway.request_body import (
    adapt_passed_body,
    asked_model,
    can_request_usage,
    check_supported,
    dump_body,
    has_requested_usage,
    has_unused_tools,
    summarize_prompt,
    wants_stream,
    with_usage_requested,
)
from crewai_runner.executor.projects.gateway.routes import Operation, Route, WireProtocol
from crewai_runner.executor.projects.gateway.session import GatewaySpec
from crewai_runner.executor.projects.gateway.translation.answer_writer import AnswerWriter
from crewai_runner.executor.projects.gateway.translation.embeddings import embeddings_to_openai
from crewai_runner.executor.projects.gateway.translation.translations import make_writer, translate_request
from crewai_runner.executor.projects.gateway.upstream import (
    Endpoint,
    UpstreamClients,
    build_endpoint,
    choose_protocol,
)

_EMBEDDINGS = frozenset({Operation.EMBED, Operation.EMBED_ONE})
_TRANSLATED_OPERATIONS: Mapping[Operation, Operation] = MappingProxyType(
    {
        Operation.CHAT: Operation.CHAT,
        Operation.GENERATE: Operation.CHAT,
        Operation.EMBED: Operation.EMBED,
        Operation.EMBED_ONE: Operation.EMBED,
    }
)
_TRANSLATORS: Mapping[WireProtocol, Callable[[], Translate]] = MappingProxyType(
    {
        WireProtocol.OPENAI: lambda: unchanged,
        WireProtocol.ANTHROPIC: lambda: translate_anthropic,
        WireProtocol.GEMINI: GeminiTranslator,
        WireProtocol.OLLAMA: lambda: translate_ollama,
    }
)


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One call, ready to be sent. `plain_content` is the body without the request for usage that it has."""

    route: Route
    binding: ModelBinding
    asked: str
    protocol: WireProtocol
    """In which the provider is called."""
    endpoint: Endpoint
    content: bytes = field(repr=False)
    prompt: Prompt
    streams: bool
    plain_content: bytes | None = field(default=None, repr=False)
    drops_usage: bool = False
    """Whether the usage in the stream was not asked for by the code."""
    omits_tools: bool = False
    """Whether the code offers tools to a model that calls none."""
    writer: AnswerWriter | None = None
    """Writes the answer of a chat in the protocol of the code, if the provider speaks another one."""

    @property
    def is_translated(self) -> bool:
        return self.protocol is not self.route.protocol

    @property
    def has_text(self) -> bool:
        """Whether the answer is text, not vectors."""
        return self.route.operation not in _EMBEDDINGS

    @property
    def is_whole_chat_completion(self) -> bool:
        """Whether the answer is a chat completion in OpenAI's protocol that is not streamed."""
        is_chat = self.route.operation is Operation.CHAT and self.route.protocol is WireProtocol.OPENAI
        return is_chat and not self.streams

    def make_translator(self) -> Translate:
        """Return a function from the provider's payloads to chat completion payloads."""
        if self.route.operation is Operation.RESPONSES:
            return translate_response
        return _TRANSLATORS[self.protocol]()


def plan_call(route: Route, body: dict[str, Any], spec: GatewaySpec, clients: UpstreamClients) -> CallPlan:
    """Return the call for a request, translated if the provider speaks another protocol.

    Raises GatewayRefusal.
    """
    assert route.operation is not None  # noqa: S101
    asked = asked_model(route, body)
    kind = ModelKind.EMBEDDER if route.operation in _EMBEDDINGS else ModelKind.LLM
    binding = resolve_model(asked, kind, spec.models, spec.model_map, page=spec.models_page)
    check_supported(route, body)
    protocol, streams = choose_protocol(binding, route.protocol), wants_stream(route, body)
    is_translated = protocol is not route.protocol
    operation = _TRANSLATED_OPERATIONS.get(route.operation) if is_translated else route.operation
    adapted = _adapt(route, body, binding, protocol, streams=streams)
    endpoint = build_endpoint(binding, protocol, operation or route.operation, streams=streams)
    is_chat = protocol is WireProtocol.OPENAI and operation is Operation.CHAT
    adds_usage = is_chat and can_request_usage(adapted, binding) and clients.accepts_usage_option(binding)
    adds_usage = adds_usage and not has_requested_usage(adapted)
    return CallPlan(
        route=route,
        binding=binding,
        asked=asked,
        protocol=protocol,
        endpoint=endpoint,
        content=dump_body(with_usage_requested(adapted) if adds_usage else adapted),
        prompt=summarize_prompt(route, body),
        streams=streams,
        plain_content=dump_body(adapted) if adds_usage else None,
        drops_usage=adds_usage and not is_translated,
        omits_tools=is_chat and has_unused_tools(body, binding),
        writer=make_writer(route, body, asked) if is_translated and operation is Operation.CHAT else None,
    )


def _adapt(
    route: Route, body: dict[str, Any], binding: ModelBinding, protocol: WireProtocol, *, streams: bool
) -> dict[str, Any]:
    """Return the body for the provider. Raises GatewayRefusal."""
    if protocol is route.protocol:
        return adapt_passed_body(route, body, binding)
    if route.operation in _EMBEDDINGS:
        return {**embeddings_to_openai(route, body), "model": binding.model}
    return translate_request(route, body, protocol, binding, streams=streams)
