"""Where and how the provider of a model is called. Pure, except for the client."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import httpx

from crewai_runner.core.egress import EgressPolicy, guarded_client, refuse_foreign_redirect
from crewai_runner.core.egress_meter import RequestObserver
from crewai_runner.domain.provider import (
    AZURE_API_VERSION,
    PROVIDER_TITLES,
    ProviderType,
    resolve_base_url,
)
from crewai_runner.executor.model_requirements import find_model_problem
from crewai_runner.executor.port import ModelBinding
from crewai_runner.executor.projects.gateway.limits import GatewayLimits
from crewai_runner.executor.projects.gateway.refusals import GatewayRefusal, RefusalKind
from crewai_runner.executor.projects.gateway.routes import Operation, WireProtocol

_OPENAI_PATHS: Mapping[Operation, str] = MappingProxyType(
    {
        Operation.CHAT: "/chat/completions",
        Operation.RESPONSES: "/responses",
        Operation.EMBED: "/embeddings",
    }
)
_OLLAMA_PATHS: Mapping[Operation, str] = MappingProxyType(
    {
        Operation.CHAT: "/api/chat",
        Operation.GENERATE: "/api/generate",
        Operation.EMBED: "/api/embed",
        Operation.EMBED_ONE: "/api/embeddings",
    }
)
_GEMINI_METHODS: Mapping[Operation, str] = MappingProxyType(
    {Operation.EMBED: "batchEmbedContents", Operation.EMBED_ONE: "embedContent"}
)
_PASSED_HEADERS = ("anthropic-version", "anthropic-beta", "openai-beta")
"""The headers of the client that change what a provider answers; no other one is sent on."""
_ANTHROPIC_VERSION = "2023-06-01"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider's endpoint with the credentials for it."""

    url: str
    headers: Mapping[str, str] = field(repr=False)


def choose_protocol(binding: ModelBinding, asked: WireProtocol) -> WireProtocol:
    """Return the protocol in which the provider is called: the one of the code if the provider speaks it.

    Raises GatewayRefusal for a provider that projects cannot use.
    """
    match binding.provider_type:
        case ProviderType.BEDROCK:
            raise GatewayRefusal(
                RefusalKind.UNSUPPORTED,
                f"'{binding.name}' is a model of {PROVIDER_TITLES[ProviderType.BEDROCK]}, which projects "
                "cannot call yet. Map the name to a model of another provider.",
            )
        case ProviderType.ANTHROPIC:
            return WireProtocol.ANTHROPIC
        case ProviderType.GEMINI if asked is WireProtocol.GEMINI:
            return WireProtocol.GEMINI
        case ProviderType.OLLAMA if asked is WireProtocol.OLLAMA:
            return WireProtocol.OLLAMA
        case _:  # Gemini, too, answers OpenAI's protocol
            return WireProtocol.OPENAI


def build_endpoint(
    binding: ModelBinding, protocol: WireProtocol, operation: Operation, *, streams: bool = False
) -> Endpoint:
    """Return the URL and the credentials of a call. Raises GatewayRefusal."""
    if (problem := find_model_problem(binding)) is not None:
        raise GatewayRefusal(RefusalKind.NOT_FOUND, f"{problem.message} {problem.hint}")
    base, query = _split_base_url(binding)
    key = binding.api_key.get_secret_value().strip() if binding.api_key else ""
    match protocol:
        case WireProtocol.ANTHROPIC:
            _require(operation is Operation.CHAT, binding, operation)
            return Endpoint(_join(f"{base.removesuffix('/v1')}/v1/messages", query), _key("x-api-key", key))
        case WireProtocol.GEMINI:
            method = _GEMINI_METHODS.get(operation, "generateContent")
            if streams:
                method, query = "streamGenerateContent", {**query, "alt": "sse"}
            name = binding.model if "/" in binding.model else f"models/{binding.model}"
            url = f"{base.removesuffix('/v1beta')}/v1beta/{quote(name)}:{method}"
            return Endpoint(_join(url, query), _key("x-goog-api-key", key))
        case WireProtocol.OLLAMA:
            url = base.removesuffix("/v1") + _OLLAMA_PATHS[operation]
            return Endpoint(_join(url, query), _bearer(key))
        case _:
            _require(operation in _OPENAI_PATHS, binding, operation)
            return _build_openai(binding, base, query, key, operation)


def _build_openai(
    binding: ModelBinding, base: str, query: Mapping[str, str], key: str, operation: Operation
) -> Endpoint:
    path = _OPENAI_PATHS[operation]
    if binding.provider_type is ProviderType.GEMINI:
        _require(operation is not Operation.RESPONSES, binding, operation)
        return Endpoint(_join(f"{base.removesuffix('/v1beta')}/v1beta/openai{path}", query), _bearer(key))
    if binding.provider_type is not ProviderType.AZURE:
        return Endpoint(_join(base + path, query), _bearer(key))
    if not urlsplit(base).path:
        base = f"{base}/openai/deployments/{quote(binding.model)}"
    if "/openai/v1" not in base:
        _require(operation is not Operation.RESPONSES, binding, operation)
        query = {"api-version": AZURE_API_VERSION, **query}
    return Endpoint(_join(base + path, query), _key("api-key", key))


def _require(is_possible: bool, binding: ModelBinding, operation: Operation) -> None:
    if not is_possible:
        title = PROVIDER_TITLES[binding.provider_type]
        raise GatewayRefusal(
            RefusalKind.UNSUPPORTED,
            f"{title} cannot answer this request ({operation}) with '{binding.name}'. "
            "Map the name to a model of another provider.",
        )


def request_headers(protocol: WireProtocol, find: Callable[[str], str | None]) -> dict[str, str]:
    """Return the headers of a request to a provider, without credentials; `find` returns the client's."""
    headers = {"content-type": "application/json", "user-agent": "crewai-runner"}
    for name in _PASSED_HEADERS:
        if name.startswith(protocol) and (value := find(name)) is not None:
            headers[name] = value
    if protocol is WireProtocol.ANTHROPIC:
        headers.setdefault("anthropic-version", _ANTHROPIC_VERSION)
    return headers


class UpstreamClients:
    """HTTP clients for the models of one run. The built-in model may be at a private address.

    `observe` returns what sees the requests to a model.
    """

    def __init__(
        self,
        egress: EgressPolicy,
        limits: GatewayLimits,
        observe: Callable[[ModelBinding], RequestObserver] | None = None,
    ) -> None:
        self._egress, self._limits, self._observe = egress, limits, observe
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._without_usage: set[str] = set()

    def client_for(self, binding: ModelBinding) -> httpx.AsyncClient:
        if binding.name not in self._clients:
            is_local = binding.provider_type is ProviderType.LOCAL
            policy = EgressPolicy(allow_private=True) if is_local else self._egress
            observer = None if self._observe is None else self._observe(binding)
            self._clients[binding.name] = guarded_client(
                replace(policy, observer=observer),
                max_connections=self._limits.max_parallel_calls,
                follow_redirects=True,
                event_hooks={"response": [_check_redirect]},
            )
        return self._clients[binding.name]

    def timeout_for(self, binding: ModelBinding) -> httpx.Timeout:
        seconds = binding.settings.timeout_seconds or self._limits.read_seconds
        return httpx.Timeout(seconds, connect=self._limits.connect_seconds)

    def accepts_usage_option(self, binding: ModelBinding) -> bool:
        """Return whether the provider has not refused to report usage in a stream."""
        return binding.name not in self._without_usage

    def note_refused_usage(self, binding: ModelBinding, error: bytes) -> bool:
        """Remember that the provider refuses the option, if its error says so; return whether it does."""
        refuses = b"stream_options" in error or b"include_usage" in error
        if refuses:
            self._without_usage.add(binding.name)
        return refuses

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()


async def _check_redirect(response: httpx.Response) -> None:
    refuse_foreign_redirect(response)


def _split_base_url(binding: ModelBinding) -> tuple[str, dict[str, str]]:
    parts = urlsplit(resolve_base_url(binding.provider_type, binding.base_url) or "")
    base = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    return base, dict(parse_qsl(parts.query))


def _join(url: str, query: Mapping[str, str]) -> str:
    return f"{url}?{urlencode(query)}" if query else url


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}


def _key(name: str, key: str) -> dict[str, str]:
    return {name: key} if key else {}
