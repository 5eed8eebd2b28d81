"""From a registered model to the object that CrewAI calls."""

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from crewai.llms.base_llm import BaseLLM

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.provider import (
    KEY_REQUIRED_TYPES,
    OPENAI_PROTOCOL_TYPES,
    PROVIDER_EXTRAS,
    PROVIDER_TITLES,
    ProviderType,
    resolve_base_url,
)
from crewai_runner.domain.workflow import ModelSettings
from crewai_runner.executor.crew.model_facts import MissingExtra, ModelFacts, UnusableModel
from crewai_runner.executor.crew.model_openai import OpenAIModel
from crewai_runner.executor.port import ModelBinding

DEFAULT_TIMEOUT_SECONDS = 120.0
DEFAULT_MAX_RETRIES = 1
NO_KEY = "none"
AZURE_API_VERSION = "2024-10-21"
_OPENAI_HOST = "api.openai.com"
_BEDROCK_HOST = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?")
_OWN_PROVIDER_NAMES = frozenset(
    {ProviderType.OPENROUTER, ProviderType.DEEPSEEK, ProviderType.OLLAMA, ProviderType.AZURE}
)


def make_llm(
    binding: ModelBinding, *, settings: ModelSettings, stream: bool, egress: EgressPolicy | None = None
) -> BaseLLM:
    """A new model object with the binding's own credentials, for one crew or one call.

    `settings` are laid over the binding's. Connections go through `egress` (by default one that
    admits private networks); the built-in local model is always within reach.
    Raises UnusableModel (no key, no base URL) and MissingExtra.
    """
    chosen = settings.over(binding.settings)
    if binding.provider_type is ProviderType.LOCAL or egress is None:
        egress = EgressPolicy(allow_private=True)
    return _makers()[binding.provider_type](binding, chosen, stream, egress)


_Maker = Callable[[ModelBinding, ModelSettings, bool, EgressPolicy], BaseLLM]


def _makers() -> Mapping[ProviderType, _Maker]:
    others: dict[ProviderType, _Maker] = {
        ProviderType.AZURE: _azure,
        ProviderType.ANTHROPIC: _anthropic,
        ProviderType.GEMINI: _gemini,
        ProviderType.BEDROCK: _bedrock,
    }
    return MappingProxyType({**dict.fromkeys(OPENAI_PROTOCOL_TYPES, _openai), **others})


def _openai(binding: ModelBinding, settings: ModelSettings, stream: bool, egress: EgressPolicy) -> BaseLLM:
    url, query = _url_and_query(binding)
    genuine = urlsplit(url).hostname == _OPENAI_HOST
    facts = _facts(binding, egress, query=query, strict_body=binding.provider_type is ProviderType.MISTRAL)
    return OpenAIModel(
        facts=facts,
        base_url=url,
        custom_openai=not genuine,
        provider=str(binding.provider_type) if binding.provider_type in _OWN_PROVIDER_NAMES else "openai",
        **_openai_settings(settings, genuine=genuine),
        **_common(binding, settings, stream),
    )


def _azure(binding: ModelBinding, settings: ModelSettings, stream: bool, egress: EgressPolicy) -> BaseLLM:
    url, query = _url_and_query(binding)
    if not urlsplit(url).path:
        url = f"{url}/openai/deployments/{binding.model}"
    if "/openai/v1" not in url:
        query = {"api-version": AZURE_API_VERSION, **query}
    return OpenAIModel(
        facts=_facts(binding, egress, query=query, key_header="api-key"),
        base_url=url,
        custom_openai=True,
        provider=str(ProviderType.AZURE),
        **_openai_settings(settings, genuine=False),
        **_common(binding, settings, stream),
    )


def _openai_settings(settings: ModelSettings, *, genuine: bool) -> dict[str, Any]:
    # OpenAI's newer models refuse max_tokens; most servers that speak likewise know nothing else.
    limit = "max_completion_tokens" if genuine else "max_tokens"
    body: dict[str, Any] = {}
    if settings.extra_body:
        body["extra_body"] = settings.extra_body
    if settings.stop:
        body["stop"] = settings.stop
    return {
        limit: settings.max_tokens,
        "max_retries": _retries(settings),
        "seed": settings.seed,
        "frequency_penalty": settings.frequency_penalty,
        "presence_penalty": settings.presence_penalty,
        "reasoning_effort": settings.reasoning_effort,
        "additional_params": body,
    }


def _anthropic(binding: ModelBinding, settings: ModelSettings, stream: bool, egress: EgressPolicy) -> BaseLLM:
    model_class = _class_of("anthropic", "AnthropicModel", binding.provider_type)
    url, query = _url_and_query(binding)
    common = _common(binding, settings, stream)
    if settings.max_tokens is not None:
        common["max_tokens"] = settings.max_tokens
    return model_class(
        facts=_facts(binding, egress, query=query, key_header="x-api-key"),
        base_url=url,
        provider="anthropic",
        max_retries=_retries(settings),
        **common,
    )


def _gemini(binding: ModelBinding, settings: ModelSettings, stream: bool, egress: EgressPolicy) -> BaseLLM:
    model_class = _class_of("gemini", "GeminiModel", binding.provider_type)
    url, _ = _url_and_query(binding)
    return model_class(
        facts=_facts(binding, egress, key_header="x-goog-api-key"),
        base_url=url,
        provider="gemini",
        use_vertexai=False,
        max_output_tokens=settings.max_tokens,
        **_common(binding, settings, stream),
    )


def _bedrock(binding: ModelBinding, settings: ModelSettings, stream: bool, egress: EgressPolicy) -> BaseLLM:
    model_class = _class_of("bedrock", "BedrockModel", binding.provider_type)
    url, _ = _url_and_query(binding)
    host = _BEDROCK_HOST.fullmatch(urlsplit(url).hostname or "")
    parts = _key(binding).split(":", 2)
    if host is None:
        raise UnusableModel(
            f"The base URL of {binding.provider_name} is not one of Amazon Bedrock.",
            hint="Write https://bedrock-runtime.REGION.amazonaws.com.",
        )
    if len(parts) < 2 or not all(parts):
        raise UnusableModel(
            f"The key of {binding.provider_name} is not a pair.",
            code="provider-auth",
            hint="Write ACCESS_KEY_ID:SECRET_ACCESS_KEY; add :SESSION_TOKEN for temporary credentials.",
        )
    common = _common(binding, settings, stream) | {"api_key": None}
    return model_class(
        facts=_facts(binding, egress),
        base_url=f"https://{host.group(0)}",
        region_name=host.group(1),
        aws_access_key_id=parts[0],
        aws_secret_access_key=parts[1],
        own_session_token=parts[2] if len(parts) == 3 else None,
        max_tokens=settings.max_tokens,
        max_retries=_retries(settings),
        **common,
    )


def _common(binding: ModelBinding, settings: ModelSettings, stream: bool) -> dict[str, Any]:
    return {
        "model": binding.model,
        "api_key": _key(binding),
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "timeout": settings.timeout_seconds or DEFAULT_TIMEOUT_SECONDS,
        "stop": list(settings.stop or ()),
        "stream": stream,
    }


def _facts(binding: ModelBinding, egress: EgressPolicy, **more: Any) -> ModelFacts:
    return ModelFacts(
        egress=egress,
        supports_tools=binding.supports_tools,
        context_window=binding.context_window,
        **more,
    )


def _retries(settings: ModelSettings) -> int:
    return DEFAULT_MAX_RETRIES if settings.max_retries is None else settings.max_retries


def _key(binding: ModelBinding) -> str:
    """The binding's key, never empty: an empty one would be filled from the environment."""
    key = binding.api_key.get_secret_value().strip() if binding.api_key else ""
    own_service = resolve_base_url(binding.provider_type, binding.base_url) == resolve_base_url(
        binding.provider_type, None
    )
    keyless = binding.provider_type not in KEY_REQUIRED_TYPES or not (
        own_service or binding.provider_type in PROVIDER_EXTRAS
    )
    if key or keyless:
        return key or NO_KEY
    raise UnusableModel(
        f"{binding.provider_name} has no API key.",
        code="provider-auth",
        hint=f"Enter an API key of {PROVIDER_TITLES[binding.provider_type]} at this provider.",
    )


def _url_and_query(binding: ModelBinding) -> tuple[str, dict[str, str]]:
    url = resolve_base_url(binding.provider_type, binding.base_url)
    if url is None:
        raise UnusableModel(
            f"{binding.provider_name} has no base URL.", hint="Enter the base URL at this provider."
        )
    split = urlsplit(url)
    bare = urlunsplit((split.scheme, split.netloc, split.path.rstrip("/"), "", ""))
    return bare, dict(parse_qsl(split.query))


def _class_of(module: str, name: str, kind: ProviderType) -> type[BaseLLM]:
    try:
        found = import_module(f"crewai_runner.executor.crew.model_{module}")
    except ImportError as error:
        raise MissingExtra(PROVIDER_TITLES[kind], PROVIDER_EXTRAS[kind]) from error
    model_class: type[BaseLLM] = getattr(found, name)
    return model_class
