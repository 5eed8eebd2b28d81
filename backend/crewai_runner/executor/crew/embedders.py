"""From a registered embedder to what CrewAI takes as `embedder`."""

from dataclasses import replace
from typing import Any

from chromadb.api.types import EmbeddingFunction
from crewai.rag.embeddings.providers.custom.embedding_callable import CustomEmbeddingFunction

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.provider import (
    OPENAI_PROTOCOL_TYPES,
    PROVIDER_TITLES,
    ProviderType,
    resolve_base_url,
)
from crewai_runner.domain.workflow import ModelSettings
from crewai_runner.executor.crew.llm import make_llm
from crewai_runner.executor.crew.model_facts import UnusableModel
from crewai_runner.executor.port import ModelBinding

_GEMINI_PATH = "/v1beta/openai"


def make_embedder(binding: ModelBinding, *, egress: EgressPolicy | None = None) -> dict[str, Any]:
    """CrewAI's `embedder` configuration with the binding's own credentials, behind the guard.

    Every provider that speaks OpenAI's protocol (`POST {base_url}/embeddings`), and Gemini.
    Raises UnusableModel for the others, and for a missing key or base URL.
    """
    client: Any = make_llm(_reached_as(binding), settings=ModelSettings(), stream=False, egress=egress)

    # CrewAI wants a class and makes the object itself; its settings check against chromadb's class.
    class RegisteredEmbedder(CustomEmbeddingFunction, EmbeddingFunction):  # type: ignore[type-arg,unused-ignore]
        def __init__(self) -> None:
            """Takes nothing: the client is this class's own."""

        def __call__(self, input: Any) -> Any:  # noqa: A002 - the name that chromadb calls it by
            return client.embed([str(text) for text in input])

        @staticmethod
        def name() -> str:
            return "crewai-runner"

    return {"provider": "custom", "config": {"embedding_callable": RegisteredEmbedder}}


def _reached_as(binding: ModelBinding) -> ModelBinding:
    kind = binding.provider_type
    if kind is ProviderType.LOCAL:
        raise UnusableModel(
            "The built-in local model cannot embed texts: it comes without a tokenizer for embeddings.",
            hint="Register an embedder of another provider, for example nomic-embed-text of Ollama.",
        )
    if kind is ProviderType.GEMINI:
        base_url = f"{resolve_base_url(kind, binding.base_url)}{_GEMINI_PATH}"
        return replace(binding, provider_type=ProviderType.OPENAI_COMPATIBLE, base_url=base_url)
    if kind not in OPENAI_PROTOCOL_TYPES:
        raise UnusableModel(
            f"Embedding with {PROVIDER_TITLES[kind]} is not supported.",
            hint="Register an embedder of OpenAI, Gemini, Mistral, Ollama or an OpenAI-compatible server.",
        )
    return binding
