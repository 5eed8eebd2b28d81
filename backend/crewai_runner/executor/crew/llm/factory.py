"""Creates the LLM object for a model binding."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from crewai import BaseLLM

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.model_settings import ModelSettings, RegisteredModelSettings
from crewai_runner.domain.provider import (
    AZURE_API_VERSION,
    OPENAI_PROTOCOL_TYPES,
    PROVIDER_EXTRAS,
    PROVIDER_TITLES,
    ProviderType,
    resolve_base_url,
)
from crewai_runner.executor.crew.context.exceptions import MissingExtra, UnusableModel
from crewai_runner.executor.crew.llm.base import LLMProfile
from crewai_runner.executor.crew.llm.openai import OpenAIModel
from crewai_runner.executor.model_requirements import BEDROCK_HOST, find_model_problem
from crewai_runner.executor.port import ModelBinding

DEFAULT_TIMEOUT_SECONDS = 120.0
DEFAULT_MAX_RETRIES = 1
PLACEHOLDER_KEY = "none"
_OPENAI_HOST = "api.openai.com"
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
    problem = find_model_problem(binding)
    if problem is not None:
        raise UnusableModel(problem.message, code=problem.code, hint=problem.hint)
    effective = settings.over(binding.settings)
    if egress is None:
        egress = EgressPolicy(allow_private=True)
    elif binding.provider_type is ProviderType.LOCAL:
        egress = EgressPolicy(allow_private=True, observer=egress.observer)
    switch = _request_settings(effective).stream
    return _MAKERS[binding.provider_type](binding, effective, stream if switch is None else switch, egress)


def _make_openai(
    binding: ModelBinding, settings: ModelSettings, stream: bool, egress: EgressPolicy
) -> BaseLLM:
    url, query = _split_url(binding)
    is_openai = urlsplit(url).hostname == _OPENAI_HOST
    is_mistral = binding.provider_type is ProviderType.MISTRAL  # rejects fields that it does not know
    return OpenAIModel(
        profile=_make_profile(
            binding,
            egress,
            query=query,
            strict_body=is_mistral,
            **_request_options(settings, omitted=("stream_options",) if is_mistral else ()),
        ),
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
        profile=_make_profile(
            binding, egress, query=query, key_header="api-key", **_request_options(settings)
        ),
        base_url=url,
        custom_openai=True,
        provider=str(ProviderType.AZURE),
        **_openai_settings(settings, is_openai=False),
        **_common_settings(binding, settings, stream),
    )


def _openai_settings(settings: ModelSettings, *, is_openai: bool) -> dict[str, Any]:
    # OpenAI's newer models reject max_tokens; most compatible servers accept only max_tokens.
    usual_limit = "max_completion_tokens" if is_openai else "max_tokens"
    limit = _request_settings(settings).max_tokens_parameter or usual_limit
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


def _request_settings(settings: ModelSettings) -> RegisteredModelSettings:
    return settings if isinstance(settings, RegisteredModelSettings) else RegisteredModelSettings()


def _request_options(settings: ModelSettings, omitted: tuple[str, ...] = ()) -> dict[str, Any]:
    request = _request_settings(settings)
    return {
        "omitted_parameters": (*omitted, *(request.omit_parameters or ())),
        "system_role": request.system_role or "system",
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
        profile=_make_profile(
            binding, egress, query=query, key_header="x-api-key", **_request_options(settings)
        ),
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
        profile=_make_profile(binding, egress, key_header="x-goog-api-key", **_request_options(settings)),
        base_url=url,
        provider="gemini",
        use_vertexai=False,
        max_retries=_max_retries(settings),
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
    host = urlsplit(url).hostname or ""
    region = BEDROCK_HOST.sub(r"\1", host)
    access_key, secret, *session_token = _get_key(binding).split(":", 2)
    common = _common_settings(binding, settings, stream) | {"api_key": None}
    return BedrockModel(
        profile=_make_profile(binding, egress, **_request_options(settings)),
        base_url=f"https://{host}",
        region_name=region,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret,
        explicit_session_token=session_token[0] if session_token else None,
        max_tokens=settings.max_tokens,
        max_retries=_max_retries(settings),
        **common,
    )


def _common_settings(binding: ModelBinding, settings: ModelSettings, stream: bool) -> dict[str, Any]:
    return {
        "model": binding.model,
        "api_key": _get_key(binding),
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


def _get_key(binding: ModelBinding) -> str:
    """Return the binding's key, never empty: CrewAI would read a key from the environment."""
    key = binding.api_key.get_secret_value().strip() if binding.api_key else ""
    return key or PLACEHOLDER_KEY


def _split_url(binding: ModelBinding) -> tuple[str, dict[str, str]]:
    parts = urlsplit(resolve_base_url(binding.provider_type, binding.base_url) or "")
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
