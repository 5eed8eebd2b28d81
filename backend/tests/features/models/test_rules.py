"""Finding models by what workflows call them."""

import pytest

from crewai_runner.domain.provider import ModelKind, ProviderType
from crewai_runner.features.models.rules import Directory, Entry, without_owner

T, LLM, EMBEDDER = ProviderType, ModelKind.LLM, ModelKind.EMBEDDER


def entry(
    number: int,
    name: str,
    endpoint: str | None = None,
    provider: tuple[str, ProviderType] = ("OpenAI", T.OPENAI),
    kind: ModelKind = LLM,
    default: bool = False,
) -> Entry:
    return Entry(f"mdl_{number}", name, kind, endpoint or name, default, *provider)


class TestFind:
    @pytest.mark.parametrize(
        "name", ["smart", "openai/gpt-4o", "OpenAI/gpt-4o", "openai/smart", "OpenAI/smart"]
    )
    def test_goes_by_name_or_by_provider_and_endpoint(self, name: str) -> None:
        smart = entry(1, "smart", "gpt-4o")

        assert Directory([smart]).find(name) == smart

    @pytest.mark.parametrize("name", ["gpt-4o", "Smart", "groq/gpt-4o", "openai/", "/smart", ""])
    def test_goes_by_nothing_else(self, name: str) -> None:
        assert Directory([entry(1, "smart", "gpt-4o")]).find(name) is None

    def test_a_name_goes_before_an_alias(self) -> None:
        named, aliased = entry(1, "openai/gpt-4o", "other"), entry(2, "smart", "gpt-4o")

        assert Directory([aliased, named]).find("openai/gpt-4o") == named

    def test_a_providers_own_name_goes_before_its_type(self) -> None:
        by_type = entry(1, "a", "gpt-4o", ("Work", T.OPENAI), default=True)
        by_name = entry(2, "b", "gpt-4o", ("openai", T.OPENAI_COMPATIBLE))

        assert Directory([by_type, by_name]).find("openai/gpt-4o") == by_name

    def test_then_the_default_then_the_oldest(self) -> None:
        old, young = entry(1, "a", "gpt-4o", ("Work", T.OPENAI)), entry(2, "b", "gpt-4o", ("Home", T.OPENAI))
        chosen = entry(3, "c", "gpt-4o", ("Play", T.OPENAI), default=True)

        assert Directory([young, old]).find("openai/gpt-4o") == old
        assert Directory([young, old, chosen]).find("openai/gpt-4o") == chosen

    def test_an_endpoint_with_a_slash_is_found_whole(self) -> None:
        routed = entry(1, "routed", "meta/llama-3", ("OpenRouter", T.OPENROUTER))

        assert Directory([routed]).find("openrouter/meta/llama-3") == routed

    def test_may_be_held_to_a_kind(self) -> None:
        directory = Directory([entry(1, "embed", kind=EMBEDDER)])

        assert directory.find("embed", LLM) is None
        assert directory.find("embed", EMBEDDER) is not None


class TestWords:
    def test_are_everything_models_of_a_kind_may_be_called(self) -> None:
        directory = Directory([entry(1, "smart", "gpt-4o"), entry(2, "embed", kind=EMBEDDER)])

        words = directory.words(LLM)

        assert {"smart", "openai/gpt-4o", "OpenAI/smart"} <= words
        assert not any("embed" in word for word in words)


class TestNearest:
    @pytest.mark.parametrize(
        ("asked", "meant"),
        [
            ("gpt4o", "gpt-4o"),
            ("GPT-4O", "gpt-4o"),
            ("azure/gpt-4o", "gpt-4o"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("sonnet", "claude-sonnet-4"),
        ],
    )
    def test_the_likeliest_comes_first(self, asked: str, meant: str) -> None:
        directory = Directory([entry(1, "gpt-4o"), entry(2, "claude-sonnet-4"), entry(3, "llama3")])

        assert directory.nearest(asked)[0] == meant

    def test_nothing_is_suggested_where_nothing_is_near(self) -> None:
        assert Directory([entry(1, "gpt-4o")]).nearest("zzzzzz") == []


@pytest.mark.parametrize(
    ("name", "bare"),
    [("openai/gpt-4o", "gpt-4o"), ("gpt-4o", "gpt-4o"), ("meta/llama", "meta/llama"), ("openai/", "openai/")],
)
def test_an_owner_in_front_is_left_away(name: str, bare: str) -> None:
    assert without_owner(name, ["openai", "My OpenAI"]) == bare
