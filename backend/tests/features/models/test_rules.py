"""Resolution of the model names that workflows use."""

import pytest

from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.features.models.rules import ModelEntry, ModelIndex, strip_provider_prefix

T, LLM, EMBEDDER = ProviderType, ModelKind.LLM, ModelKind.EMBEDDER


def entry(
    number: int,
    name: str,
    endpoint: str | None = None,
    provider: tuple[str, ProviderType] = ("OpenAI", T.OPENAI),
    kind: ModelKind = LLM,
    default: bool = False,
) -> ModelEntry:
    return ModelEntry(f"mdl_{number}", name, kind, endpoint or name, default, *provider)


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

    def test_endpoint_with_a_slash(self) -> None:
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
