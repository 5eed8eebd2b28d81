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
from crewai_runner.executor.projects.gateway.refusals import GatewayRefusal, RefusalKind
from crewai_runner.executor.projects.gateway.request_body import (
    adapt_passed_body,
    asked_model,
    can_request_usage,
    check_supported,
    dump_body,
    has_requested_usage,
    summarize_prompt,
    wants_stream,
    with_usage_requested,
)
from crewai_runner.executor.projects.gateway.routes import Operation, Route, WireProtocol
from crewai_runner.executor.projects.gateway.session import GatewaySpec
from crewai_runner.executor.projects.gateway.upstream import (
    Endpoint,
    UpstreamClients,
    build_endpoint,
    choose_protocol,
)

_EMBEDDINGS = frozenset({Operation.EMBED, Operation.EMBED_ONE})
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

    @property
    def has_text(self) -> bool:
        """Whether the answer is text, not vectors."""
        return self.route.operation not in _EMBEDDINGS

    def make_translator(self) -> Translate:
        """Return a function from the provider's payloads to chat completion payloads."""
        if self.route.operation is Operation.RESPONSES:
            return translate_response
        return _TRANSLATORS[self.protocol]()


def plan_call(route: Route, body: dict[str, Any], spec: GatewaySpec, clients: UpstreamClients) -> CallPlan:
    """Return the call for a request. Raises GatewayRefusal."""
    operation = route.operation
    assert operation is not None  # noqa: S101
    asked = asked_model(route, body)
    kind = ModelKind.EMBEDDER if operation in _EMBEDDINGS else ModelKind.LLM
    binding = resolve_model(asked, kind, spec.models, spec.model_map, page=spec.models_page)
    check_supported(route, body)
    protocol, streams = choose_protocol(binding, route.protocol), wants_stream(route, body)
    if protocol is not route.protocol:
        raise GatewayRefusal(
            RefusalKind.UNSUPPORTED,
            f"The code calls '{asked[:256]}' in the protocol of {route.protocol}, and '{binding.name}' is "
            f"called in the protocol of {protocol}. Map the name to another model.",
        )
    endpoint = build_endpoint(binding, protocol, operation, streams=streams)
    adapted = adapt_passed_body(route, body, binding)
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
        drops_usage=adds_usage,
    )
