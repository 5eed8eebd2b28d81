"""Creates CrewAI's `embedder` configuration for a registered embedding model."""

from dataclasses import replace
from typing import Any

from chromadb.api.types import EmbeddingFunction
from crewai.rag.embeddings.providers.custom.embedding_callable import CustomEmbeddingFunction

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import (
    OPENAI_PROTOCOL_TYPES,
    PROVIDER_TITLES,
    ProviderType,
    resolve_base_url,
)
from crewai_runner.executor.crew.context.exceptions import UnusableModel
from crewai_runner.executor.crew.llm.factory import make_llm
from crewai_runner.executor.port import ModelBinding

_GEMINI_PATH = "/v1beta/openai"


def make_embedder(binding: ModelBinding, *, egress: EgressPolicy | None = None) -> dict[str, Any]:
    """Create an `embedder` configuration with the binding's credentials, restricted by `egress`.

    Supports providers with OpenAI's protocol (`POST {base_url}/embeddings`) and Gemini. Raises
    UnusableModel for other providers and for a missing key or base URL.
    """
    client: Any = make_llm(_as_openai(binding), settings=ModelSettings(), stream=False, egress=egress)

    # CrewAI takes a class and instantiates it; its validation requires chromadb's base class.
    class RegisteredEmbedder(CustomEmbeddingFunction, EmbeddingFunction):  # type: ignore[type-arg,unused-ignore]
        def __init__(self) -> None:
            """Take no configuration: the client is bound to this class."""

        def __call__(self, input: Any) -> Any:  # noqa: A002 - chromadb's parameter name
            return client.embed([str(text) for text in input])

        @staticmethod
        def name() -> str:
            return "crewai-runner"

    return {"provider": "custom", "config": {"embedding_callable": RegisteredEmbedder}}


def _as_openai(binding: ModelBinding) -> ModelBinding:
    provider_type = binding.provider_type
    if provider_type is ProviderType.LOCAL:
        raise UnusableModel(
            "The built-in local model cannot create embeddings.",
            hint="Register an embedder of another provider, for example nomic-embed-text of Ollama.",
        )
    if provider_type is ProviderType.GEMINI:
        base_url = f"{resolve_base_url(provider_type, binding.base_url)}{_GEMINI_PATH}"
        return replace(binding, provider_type=ProviderType.OPENAI_COMPATIBLE, base_url=base_url)
    if provider_type not in OPENAI_PROTOCOL_TYPES:
        raise UnusableModel(
            f"Embeddings with {PROVIDER_TITLES[provider_type]} are not supported.",
            hint="Register an embedder of OpenAI, Gemini, Mistral, Ollama or an OpenAI-compatible server.",
        )
    return binding
