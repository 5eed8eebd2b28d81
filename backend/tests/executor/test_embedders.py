"""Embedders: own credentials, own place, behind the guard, in a shape that CrewAI takes."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.provider import ProviderType
from crewai_runner.executor.port import ModelBinding
from tests.executor.loading import engine_module
from tests.support.scripted_provider import ScriptedProvider

make_embedder = engine_module("llm.embedders").make_embedder
explain = engine_module("errors.classify").classify_error
facts = engine_module("context.exceptions")
pytestmark = pytest.mark.crew


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(api_key="own-key") as running:
        yield running


def embedder_of(kind: ProviderType, base_url: str | None, *, key: str = "own-key", **options: Any) -> Any:
    from crewai.rag.embeddings.factory import build_embedder

    binding = ModelBinding(
        name="e",
        provider_name="Acme AI",
        provider_type=kind,
        model="embed-1",
        base_url=base_url,
        api_key=SecretStr(key),
    )
    return build_embedder(make_embedder(binding, **options))


@pytest.mark.parametrize("kind", [ProviderType.OPENAI, ProviderType.OLLAMA, ProviderType.OPENAI_COMPATIBLE])
def test_texts_are_embedded_with_the_own_key_and_nothing_of_the_environment(
    provider: ScriptedProvider, kind: ProviderType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "CHROMA_OPENAI_API_KEY", "OPENAI_ORG_ID"):
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    vectors = embedder_of(kind, provider.base_url)(["one", "two", "one"])

    sent = provider.other_requests[0]
    assert len(vectors) == 3
    assert list(vectors[0]) == list(vectors[2])
    assert list(vectors[0]) != list(vectors[1])
    assert (sent.path, sent.headers["authorization"]) == ("/v1/embeddings", "Bearer own-key")
    assert sent.payload["model"] == "embed-1"
    assert "canary" not in str(sent.headers)


def test_many_texts_go_in_several_requests_and_keep_their_order(provider: ScriptedProvider) -> None:
    embed = embedder_of(ProviderType.OPENAI_COMPATIBLE, provider.base_url)
    texts = [f"text {n}" for n in range(150)]

    together = embed(texts)

    assert [len(sent.payload["input"]) for sent in provider.other_requests] == [64, 64, 22]
    assert list(together[149]) == list(embed([texts[149]])[0])


def test_gemini_is_reached_by_its_openai_path(provider: ScriptedProvider) -> None:
    embedder_of(ProviderType.GEMINI, provider.url)(["one"])

    assert provider.other_requests[0].path == "/v1beta/openai/embeddings"


def test_a_refused_key_is_told_like_that_of_a_model(provider: ScriptedProvider) -> None:
    with pytest.raises(Exception, match="401") as failure:
        embedder_of(ProviderType.OPENAI_COMPATIBLE, provider.base_url, key="wrong")(["one"])

    assert explain(failure.value, provider_name="Acme AI").code == "provider-auth"


def test_the_guard_stands_before_embedders_too(provider: ScriptedProvider) -> None:
    strict = EgressPolicy(allow_private=False)
    embed = embedder_of(ProviderType.OPENAI_COMPATIBLE, provider.base_url, egress=strict)

    with pytest.raises(Exception, match="Connection error") as failure:
        embed(["one"])

    assert "private network" in explain(failure.value, provider_name="Acme AI").message
    assert provider.other_requests == []


@pytest.mark.parametrize("kind", [ProviderType.LOCAL, ProviderType.ANTHROPIC, ProviderType.BEDROCK])
def test_what_cannot_embed_says_what_can(kind: ProviderType) -> None:
    with pytest.raises(facts.UnusableModel) as failure:
        embedder_of(kind, "http://127.0.0.1:9/v1")

    assert "Ollama" in failure.value.hint
