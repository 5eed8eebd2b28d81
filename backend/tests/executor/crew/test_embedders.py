"""CrewAI embedder configurations for registered models."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.provider import ProviderType
from crewai_runner.executor.crew.context import exceptions
from crewai_runner.executor.crew.errors.classify import classify_error
from crewai_runner.executor.port import ModelBinding
from tests.executor.engine_modules import import_engine_module
from tests.support.scripted_provider import ScriptedProvider

make_embedder = import_engine_module("llm.embedders").make_embedder
pytestmark = pytest.mark.crew


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(api_key="own-key") as running:
        yield running


def create_embedder(
    provider_type: ProviderType, base_url: str | None, *, key: str = "own-key", **options: Any
) -> Any:
    from crewai.rag.embeddings.factory import build_embedder

    binding = ModelBinding(
        name="e",
        provider_name="Acme AI",
        provider_type=provider_type,
        model="embed-1",
        base_url=base_url,
        api_key=SecretStr(key),
    )
    return build_embedder(make_embedder(binding, **options))


class TestMakeEmbedder:
    @pytest.mark.parametrize(
        "provider_type", [ProviderType.OPENAI, ProviderType.OLLAMA, ProviderType.OPENAI_COMPATIBLE]
    )
    def test_uses_the_own_key_and_no_environment_variable(
        self, provider: ScriptedProvider, provider_type: ProviderType, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("OPENAI_API_KEY", "CHROMA_OPENAI_API_KEY", "OPENAI_ORG_ID"):
            monkeypatch.setenv(name, "canary")
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

        vectors = create_embedder(provider_type, provider.base_url)(["one", "two", "one"])

        sent = provider.other_requests[0]
        assert len(vectors) == 3
        assert list(vectors[0]) == list(vectors[2])
        assert list(vectors[0]) != list(vectors[1])
        assert (sent.path, sent.headers["authorization"]) == ("/v1/embeddings", "Bearer own-key")
        assert sent.payload["model"] == "embed-1"
        assert "canary" not in str(sent.headers)

    def test_many_texts_are_sent_in_batches(self, provider: ScriptedProvider) -> None:
        embed = create_embedder(ProviderType.OPENAI_COMPATIBLE, provider.base_url)
        texts = [f"text {n}" for n in range(150)]

        vectors = embed(texts)

        assert [len(sent.payload["input"]) for sent in provider.other_requests] == [64, 64, 22]
        assert list(vectors[149]) == list(embed([texts[149]])[0])

    def test_gemini_uses_the_openai_path(self, provider: ScriptedProvider) -> None:
        create_embedder(ProviderType.GEMINI, provider.url)(["one"])

        assert provider.other_requests[0].path == "/v1beta/openai/embeddings"

    def test_refused_key_has_the_code_of_a_model_call(self, provider: ScriptedProvider) -> None:
        with pytest.raises(Exception, match="401") as failure:
            create_embedder(ProviderType.OPENAI_COMPATIBLE, provider.base_url, key="wrong")(["one"])

        assert classify_error(failure.value, provider_name="Acme AI").code == "provider-auth"

    def test_egress_policy_applies(self, provider: ScriptedProvider) -> None:
        strict = EgressPolicy(allow_private=False)
        embed = create_embedder(ProviderType.OPENAI_COMPATIBLE, provider.base_url, egress=strict)

        with pytest.raises(Exception, match="Connection error") as failure:
            embed(["one"])

        assert "private network" in classify_error(failure.value, provider_name="Acme AI").message
        assert provider.other_requests == []

    @pytest.mark.parametrize(
        "provider_type", [ProviderType.LOCAL, ProviderType.ANTHROPIC, ProviderType.BEDROCK]
    )
    def test_unsupported_provider_suggests_others(self, provider_type: ProviderType) -> None:
        with pytest.raises(exceptions.UnusableModel) as failure:
            create_embedder(provider_type, "http://127.0.0.1:9/v1")

        assert "Ollama" in failure.value.hint
