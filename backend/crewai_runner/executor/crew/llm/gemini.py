"""Models of Google Gemini. Importable only if the `gemini` extra is installed."""

from typing import Any

from crewai.llms.providers.gemini.completion import GeminiCompletion
from google import genai
from google.genai import types
from pydantic import Field, model_validator

from crewai_runner.executor.crew.compat.bounded_parsing import limit_json
from crewai_runner.executor.crew.llm.base import LLMMixin, LLMProfile

limit_json("crewai.llms.providers.gemini.completion")


class GeminiModel(LLMMixin, GeminiCompletion):
    """CrewAI's Gemini class with explicit credentials and restricted connections."""

    profile: LLMProfile = Field(exclude=True, repr=False)
    timeout: float = 120.0

    @model_validator(mode="after")
    def _init_client(self) -> "GeminiModel":
        self.project = None  # CrewAI reads it from the environment
        return self

    def _initialize_client(self, use_vertexai: bool = False) -> Any:  # noqa: ARG002
        options = types.HttpOptions(
            base_url=self.base_url,
            timeout=int(self.timeout * 1000),
            httpx_client=self.profile.blocking_client(self.timeout),
            httpx_async_client=self.profile.async_client(self.timeout),
        )
        return genai.Client(api_key=self.api_key, vertexai=False, http_options=options)
