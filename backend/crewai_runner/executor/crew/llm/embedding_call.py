"""Embeds texts outside a crew."""

import asyncio
from collections.abc import Sequence
from typing import Any

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.provider import ProviderType
from crewai_runner.executor.builtin_embedder.embedding_model import embed_texts
from crewai_runner.executor.crew.compat.llm_internals import close_clients
from crewai_runner.executor.crew.errors.classify import classify_error
from crewai_runner.executor.crew.llm.embedders import make_embedding_client
from crewai_runner.executor.port import ModelBinding, ModelCallFailed


async def embed(
    binding: ModelBinding, texts: Sequence[str], *, egress: EgressPolicy | None = None
) -> list[list[float]]:
    """Return one vector per text, in order; the provider's client retries. Raises ModelCallFailed."""
    if binding.provider_type is ProviderType.LOCAL:
        return await asyncio.to_thread(embed_texts, list(texts))
    client: Any = None
    try:
        client = make_embedding_client(binding, egress=egress)
        vectors: list[list[float]] = await client.embed(list(texts))
    except Exception as error:
        failure = classify_error(
            error,
            provider_name=binding.provider_name,
            provider_type=binding.provider_type,
            model=binding.model,
        )
        raise ModelCallFailed(failure) from error
    finally:
        if client is not None:
            await close_clients(client)
    return vectors
