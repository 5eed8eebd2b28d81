"""Creates CrewAI's `embedder` configuration for a registered embedding model."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chromadb.api.types import EmbeddingFunction
from crewai.rag.embeddings.providers.custom.embedding_callable import CustomEmbeddingFunction

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import ModelKind, ProviderType, resolve_base_url
from crewai_runner.executor.builtin_embedder.embedding_model import embed_texts
from crewai_runner.executor.crew.context.exceptions import UnusableModel
from crewai_runner.executor.crew.llm.factory import make_llm
from crewai_runner.executor.crew.llm.supervised import run_in_background, supervise_llm
from crewai_runner.executor.model_requirements import find_model_problem
from crewai_runner.executor.port import ModelBinding

_GEMINI_PATH = "/v1beta/openai"


def make_embedder(binding: ModelBinding, *, egress: EgressPolicy | None = None) -> dict[str, Any]:
    """Create an `embedder` configuration with the binding's credentials, restricted by `egress`.

    Supports the built-in embedder, providers with OpenAI's protocol (`POST {base_url}/embeddings`) and
    Gemini. Raises UnusableModel for other providers and for a missing key or base URL.
    """
    if binding.provider_type is ProviderType.LOCAL:
        _require_usable(binding)
        return _make_configuration(embed_texts)
    client = make_embedding_client(binding, egress=egress)
    return _make_configuration(lambda texts: run_in_background(client.embed(texts)))


def make_embedding_client(binding: ModelBinding, *, egress: EgressPolicy | None = None) -> Any:
    """Create the client of a provider's embedding model. Raises UnusableModel."""
    _require_usable(binding)
    client: Any = make_llm(_as_openai(binding), settings=ModelSettings(), stream=False, egress=egress)
    supervise_llm(client, binding)
    return client


def _require_usable(binding: ModelBinding) -> None:
    problem = find_model_problem(replace(binding, kind=ModelKind.EMBEDDER))
    if problem is not None:
        raise UnusableModel(problem.message, code=problem.code, hint=problem.hint)


def _make_configuration(embed: Callable[[list[str]], Any]) -> dict[str, Any]:
    # CrewAI takes a class and instantiates it; its validation requires chromadb's base class.
    class RegisteredEmbedder(CustomEmbeddingFunction, EmbeddingFunction):  # type: ignore[type-arg,unused-ignore]
        def __init__(self) -> None:
            """Take no configuration: what embeds is bound to this class."""

        def __call__(self, input: Any) -> Any:  # noqa: A002 - chromadb's parameter name
            return embed([str(text) for text in input])

        @staticmethod
        def name() -> str:
            return "crewai-runner"

    return {"provider": "custom", "config": {"embedding_callable": RegisteredEmbedder}}


def _as_openai(binding: ModelBinding) -> ModelBinding:
    provider_type = binding.provider_type
    if provider_type is ProviderType.GEMINI:
        base_url = f"{resolve_base_url(provider_type, binding.base_url)}{_GEMINI_PATH}"
        return replace(binding, provider_type=ProviderType.OPENAI_COMPATIBLE, base_url=base_url)
    return binding
