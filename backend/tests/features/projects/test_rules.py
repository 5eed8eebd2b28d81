"""Which registered models answer for those that code names."""

from crewai_runner.features.projects.rules import suggest_model_map

MODELS = {
    "any": ("openai_compatible", "gpt-4o-mini"),
    "fast": ("openai", "gpt-4o-mini"),
    "opus": ("anthropic", "claude-opus-4"),
}


class TestSuggestModelMap:
    def test_same_model_of_the_same_provider(self) -> None:
        assert suggest_model_map(["openai/gpt-4o-mini"], MODELS) == {"openai/gpt-4o-mini": "fast"}

    def test_same_model_of_another_provider(self) -> None:
        assert suggest_model_map(["bedrock/claude-opus-4"], MODELS) == {"bedrock/claude-opus-4": "opus"}

    def test_other_models_have_no_entry(self) -> None:
        assert suggest_model_map(["groq/llama-3", "gpt-4o"], MODELS) == {}
