"""Creates the LLM object for a model binding."""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from crewai import BaseLLM

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import (
    KEY_REQUIRED_TYPES,
    OPENAI_PROTOCOL_TYPES,
    PROVIDER_EXTRAS,
    PROVIDER_TITLES,
    ProviderType,
    resolve_base_url,
)
from crewai_runner.executor.crew.context.exceptions import MissingExtra, UnusableModel
from crewai_runner.executor.crew.llm.base import LLMProfile
from crewai_runner.executor.crew.llm.openai import OpenAIModel
from crewai_runner.executor.port import ModelBinding

DEFAULT_TIMEOUT_SECONDS = 120.0
DEFAULT_MAX_RETRIES = 1
PLACEHOLDER_KEY = "none"
AZURE_API_VERSION = "2024-10-21"
_OPENAI_HOST = "api.openai.com"
_BEDROCK_HOST = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?")
_CREWAI_PROVIDER_NAMES = frozenset(
    {ProviderType.OPENROUTER, ProviderType.DEEPSEEK, ProviderType.OLLAMA, ProviderType.AZURE}
)


def make_llm(
    binding: ModelBinding, *, settings: ModelSettings, stream: bool, egress: EgressPolicy | None = None
) -> BaseLLM:
    """Create an LLM with the binding's credentials, for one crew or one call.

    `settings` override the binding's. `egress` restricts the connections (default: private networks are
    allowed); the built-in local model is always allowed. Raises UnusableModel (no key, no base URL) and
    MissingExtra.
    """
    effective = settings.over(binding.settings)
    if binding.provider_type is ProviderType.LOCAL or egress is None:
        egress = EgressPolicy(allow_private=True)
    return _MAKERS[binding.provider_type](binding, effective, stream, egress)


def _make_openai(
    binding: ModelBinding, settings: ModelSettings, stream: bool, egress: EgressPolicy
) -> BaseLLM:
    url, query = _split_url(binding)
    is_openai = urlsplit(url).hostname == _OPENAI_HOST
    is_mistral = binding.provider_type is ProviderType.MISTRAL
    return OpenAIModel(
        profile=_make_profile(binding, egress, query=query, strict_body=is_mistral),
        base_url=url,
        custom_openai=not is_openai,
        provider=str(binding.provider_type) if binding.provider_type in _CREWAI_PROVIDER_NAMES else "openai",
        **_openai_settings(settings, is_openai=is_openai),
        **_common_settings(binding, settings, stream),
    )


def _make_azure(
    binding: ModelBinding, settings: ModelSettings, stream: bool, egress: EgressPolicy
) -> BaseLLM:
    url, query = _split_url(binding)
    if not urlsplit(url).path:
        url = f"{url}/openai/deployments/{binding.model}"
    if "/openai/v1" not in url:
        query = {"api-version": AZURE_API_VERSION, **query}
    return OpenAIModel(
        profile=_make_profile(binding, egress, query=query, key_header="api-key"),
        base_url=url,
        custom_openai=True,
        provider=str(ProviderType.AZURE),
        **_openai_settings(settings, is_openai=False),
        **_common_settings(binding, settings, stream),
    )


def _openai_settings(settings: ModelSettings, *, is_openai: bool) -> dict[str, Any]:
    # OpenAI's newer models reject max_tokens; most compatible servers accept only max_tokens.
    limit = "max_completion_tokens" if is_openai else "max_tokens"
    body: dict[str, Any] = {}
    if settings.extra_body:
        body["extra_body"] = settings.extra_body
    if settings.stop:
        body["stop"] = settings.stop
    return {
        limit: settings.max_tokens,
        "max_retries": _max_retries(settings),
        "seed": settings.seed,
        "frequency_penalty": settings.frequency_penalty,
        "presence_penalty": settings.presence_penalty,
        "reasoning_effort": settings.reasoning_effort,
        "additional_params": body,
    }


def _make_anthropic(
    binding: ModelBinding, settings: ModelSettings, stream: bool, egress: EgressPolicy
) -> BaseLLM:
    try:
        from crewai_runner.executor.crew.llm.anthropic import AnthropicModel  # noqa: PLC0415 - optional
    except ImportError as error:
        raise _missing_extra(binding.provider_type) from error
    url, query = _split_url(binding)
    common = _common_settings(binding, settings, stream)
    if settings.max_tokens is not None:
        common["max_tokens"] = settings.max_tokens
    return AnthropicModel(
        profile=_make_profile(binding, egress, query=query, key_header="x-api-key"),
        base_url=url,
        provider="anthropic",
        max_retries=_max_retries(settings),
        **common,
    )


def _make_gemini(
    binding: ModelBinding, settings: ModelSettings, stream: bool, egress: EgressPolicy
) -> BaseLLM:
    try:
        from crewai_runner.executor.crew.llm.gemini import GeminiModel  # noqa: PLC0415 - optional
    except ImportError as error:
        raise _missing_extra(binding.provider_type) from error
    url, _ = _split_url(binding)
    return GeminiModel(
        profile=_make_profile(binding, egress, key_header="x-goog-api-key"),
        base_url=url,
        provider="gemini",
        use_vertexai=False,
        max_output_tokens=settings.max_tokens,
        **_common_settings(binding, settings, stream),
    )


def _make_bedrock(
    binding: ModelBinding, settings: ModelSettings, stream: bool, egress: EgressPolicy
) -> BaseLLM:
    try:
        from crewai_runner.executor.crew.llm.bedrock import BedrockModel  # noqa: PLC0415 - optional
    except ImportError as error:
        raise _missing_extra(binding.provider_type) from error
    url, _ = _split_url(binding)
    host = _BEDROCK_HOST.fullmatch(urlsplit(url).hostname or "")
    parts = _require_key(binding).split(":", 2)
    if host is None:
        raise UnusableModel(
            f"The base URL of {binding.provider_name} is not an Amazon Bedrock URL.",
            hint="Use https://bedrock-runtime.REGION.amazonaws.com.",
        )
    if len(parts) < 2 or not all(parts):
        raise UnusableModel(
            f"The API key of {binding.provider_name} is not a pair of access key and secret.",
            code="provider-auth",
            hint="Use ACCESS_KEY_ID:SECRET_ACCESS_KEY; add :SESSION_TOKEN for temporary credentials.",
        )
    common = _common_settings(binding, settings, stream) | {"api_key": None}
    return BedrockModel(
        profile=_make_profile(binding, egress),
        base_url=f"https://{host.group(0)}",
        region_name=host.group(1),
        aws_access_key_id=parts[0],
        aws_secret_access_key=parts[1],
        explicit_session_token=parts[2] if len(parts) == 3 else None,
        max_tokens=settings.max_tokens,
        max_retries=_max_retries(settings),
        **common,
    )


def _common_settings(binding: ModelBinding, settings: ModelSettings, stream: bool) -> dict[str, Any]:
    return {
        "model": binding.model,
        "api_key": _require_key(binding),
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "timeout": settings.timeout_seconds or DEFAULT_TIMEOUT_SECONDS,
        "stop": list(settings.stop or ()),
        "stream": stream,
    }


def _make_profile(binding: ModelBinding, egress: EgressPolicy, **options: Any) -> LLMProfile:
    return LLMProfile(
        egress=egress,
        supports_tools=binding.supports_tools,
        context_window=binding.context_window,
        **options,
    )


def _max_retries(settings: ModelSettings) -> int:
    return DEFAULT_MAX_RETRIES if settings.max_retries is None else settings.max_retries


def _require_key(binding: ModelBinding) -> str:
    """Return the binding's key, never empty: CrewAI would read a key from the environment."""
    key = binding.api_key.get_secret_value().strip() if binding.api_key else ""
    provider_type = binding.provider_type
    is_default_url = resolve_base_url(provider_type, binding.base_url) == resolve_base_url(
        provider_type, None
    )
    needs_key = provider_type in KEY_REQUIRED_TYPES and (is_default_url or provider_type in PROVIDER_EXTRAS)
    if key or not needs_key:
        return key or PLACEHOLDER_KEY
    raise UnusableModel(
        f"{binding.provider_name} has no API key.",
        code="provider-auth",
        hint=f"Enter an API key of {PROVIDER_TITLES[provider_type]} in this provider's settings.",
    )


def _split_url(binding: ModelBinding) -> tuple[str, dict[str, str]]:
    url = resolve_base_url(binding.provider_type, binding.base_url)
    if url is None:
        raise UnusableModel(
            f"{binding.provider_name} has no base URL.",
            hint="Enter the base URL in this provider's settings.",
        )
    parts = urlsplit(url)
    base = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    return base, dict(parse_qsl(parts.query))


def _missing_extra(provider_type: ProviderType) -> MissingExtra:
    return MissingExtra(PROVIDER_TITLES[provider_type], PROVIDER_EXTRAS[provider_type])


_Maker = Callable[[ModelBinding, ModelSettings, bool, EgressPolicy], BaseLLM]
_MAKERS: Mapping[ProviderType, _Maker] = MappingProxyType(
    {
        **dict.fromkeys(OPENAI_PROTOCOL_TYPES, _make_openai),
        ProviderType.AZURE: _make_azure,
        ProviderType.ANTHROPIC: _make_anthropic,
        ProviderType.GEMINI: _make_gemini,
        ProviderType.BEDROCK: _make_bedrock,
    }
)
