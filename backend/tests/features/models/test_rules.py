"""Resolution of the model names that workflows use."""

import pytest

from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.features.models.rules import ModelEntry, ModelIndex, is_path_or_url, strip_provider_prefix

T, LLM, EMBEDDER = ProviderType, ModelKind.LLM, ModelKind.EMBEDDER


def entry(
    number: int,
    name: str,
    provider_model: str | None = None,
    provider: tuple[str, ProviderType] = ("OpenAI", T.OPENAI),
    kind: ModelKind = LLM,
    default: bool = False,
) -> ModelEntry:
    return ModelEntry(f"mdl_{number}", name, kind, provider_model or name, default, *provider)


class TestFind:
    @pytest.mark.parametrize(
        "name", ["smart", "openai/gpt-4o", "OpenAI/gpt-4o", "openai/smart", "OpenAI/smart"]
    )
    def test_finds_names_and_aliases(self, name: str) -> None:
        smart = entry(1, "smart", "gpt-4o")

        assert ModelIndex([smart]).find(name) == smart

    @pytest.mark.parametrize("name", ["gpt-4o", "Smart", "groq/gpt-4o", "openai/", "/smart", ""])
    def test_finds_nothing_else(self, name: str) -> None:
        assert ModelIndex([entry(1, "smart", "gpt-4o")]).find(name) is None

    def test_name_takes_precedence_over_alias(self) -> None:
        named, aliased = entry(1, "openai/gpt-4o", "other"), entry(2, "smart", "gpt-4o")

        assert ModelIndex([aliased, named]).find("openai/gpt-4o") == named

    def test_provider_name_takes_precedence_over_type(self) -> None:
        by_type = entry(1, "a", "gpt-4o", ("Work", T.OPENAI), default=True)
        by_name = entry(2, "b", "gpt-4o", ("openai", T.OPENAI_COMPATIBLE))

        assert ModelIndex([by_type, by_name]).find("openai/gpt-4o") == by_name

    def test_default_then_oldest_takes_precedence(self) -> None:
        old, young = entry(1, "a", "gpt-4o", ("Work", T.OPENAI)), entry(2, "b", "gpt-4o", ("Home", T.OPENAI))
        chosen = entry(3, "c", "gpt-4o", ("Play", T.OPENAI), default=True)

        assert ModelIndex([young, old]).find("openai/gpt-4o") == old
        assert ModelIndex([young, old, chosen]).find("openai/gpt-4o") == chosen

    def test_provider_model_with_a_slash(self) -> None:
        routed = entry(1, "routed", "meta/llama-3", ("OpenRouter", T.OPENROUTER))

        assert ModelIndex([routed]).find("openrouter/meta/llama-3") == routed

    def test_kind_filter(self) -> None:
        index = ModelIndex([entry(1, "embed", kind=EMBEDDER)])

        assert index.find("embed", LLM) is None
        assert index.find("embed", EMBEDDER) is not None


class TestListNames:
    def test_returns_names_and_aliases_of_a_kind(self) -> None:
        index = ModelIndex([entry(1, "smart", "gpt-4o"), entry(2, "embed", kind=EMBEDDER)])

        names = index.list_names(LLM)

        assert {"smart", "openai/gpt-4o", "OpenAI/smart"} <= names
        assert not any("embed" in name for name in names)


class TestSuggest:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("gpt4o", "gpt-4o"),
            ("GPT-4O", "gpt-4o"),
            ("azure/gpt-4o", "gpt-4o"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("sonnet", "claude-sonnet-4"),
        ],
    )
    def test_most_similar_comes_first(self, name: str, expected: str) -> None:
        index = ModelIndex([entry(1, "gpt-4o"), entry(2, "claude-sonnet-4"), entry(3, "llama3")])

        assert index.suggest(name)[0] == expected

    def test_no_suggestion_for_dissimilar_names(self) -> None:
        assert ModelIndex([entry(1, "gpt-4o")]).suggest("zzzzzz") == []


class TestStripProviderPrefix:
    @pytest.mark.parametrize(
        ("name", "bare"),
        [
            ("openai/gpt-4o", "gpt-4o"),
            ("gpt-4o", "gpt-4o"),
            ("meta/llama", "meta/llama"),
            ("openai/", "openai/"),
        ],
    )
    def test_removes_a_known_provider(self, name: str, bare: str) -> None:
        assert strip_provider_prefix(name, ["openai", "My OpenAI"]) == bare


class TestIsPathOrUrl:
    @pytest.mark.parametrize(
        "text",
        [
            "/v1/chat/completions",
            "/",
            "v1/chat/completions",
            "chat/completions",
            "https://api.openai.com/v1",
            "HTTP://host",
            "wss://host/live",
            "//host/v1",
            "./v1",
            "api.openai.com/v1/chat/completions",
            "localhost:8000/v1",
            "localhost:11434",
            "10.0.0.7:8000",
            "api/generate",
            "api/chat?stream=1",
            "v1beta/models/gemini-pro:generateContent",
            "openai/deployments/gpt/chat/completions",
            "?api-version=1",
        ],
    )
    def test_addresses(self, text: str) -> None:
        assert is_path_or_url(text)

    @pytest.mark.parametrize(
        "text",
        [
            "gpt-4o",
            "chat",
            "v1",
            "meta-llama/Llama-3.1-8B",
            "hf.co/bartowski/Llama-3.2-1B-GGUF",
            "accounts/fireworks/models/llama-v3p1",
            "models/gemini-pro",
            "anthropic.claude-v2:1",
            "llama3.2:3b",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-v1:0",
            "@cf/meta/llama-3",
            "openai/chat",
            "org/model.v2",
        ],
    )
    def test_model_names(self, text: str) -> None:
        assert not is_path_or_url(text)
