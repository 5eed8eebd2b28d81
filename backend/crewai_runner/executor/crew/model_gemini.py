"""Models of Google Gemini. Importable only where the `gemini` extra is installed."""

from typing import Any

from crewai.llms.providers.gemini.completion import GeminiCompletion
from google import genai
from google.genai import types
from pydantic import Field, model_validator

from crewai_runner.executor.crew.model_facts import ModelFacts, ModelTraits


class GeminiModel(ModelTraits, GeminiCompletion):
    """CrewAI's Gemini class with its own key, base URL and guarded connections."""

    facts: ModelFacts = Field(exclude=True, repr=False)
    timeout: float = 120.0

    @model_validator(mode="after")
    def _init_client(self) -> "GeminiModel":
        self.project = None  # CrewAI takes it from the environment
        return self

    def _initialize_client(self, use_vertexai: bool = False) -> Any:  # noqa: ARG002
        options = types.HttpOptions(
            base_url=self.base_url,
            timeout=int(self.timeout * 1000),
            httpx_client=self.facts.blocking_client(self.timeout),
            httpx_async_client=self.facts.async_client(self.timeout),
        )
        return genai.Client(api_key=self.api_key, vertexai=False, http_options=options)
