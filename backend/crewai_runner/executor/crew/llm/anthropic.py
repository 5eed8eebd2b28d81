"""Models of Anthropic. Importable only if the `anthropic` extra is installed."""

from typing import Any

from anthropic import Anthropic, AsyncAnthropic
from crewai.llms.providers.anthropic.completion import AnthropicCompletion
from pydantic import Field, model_validator

from crewai_runner.executor.crew.compat.bounded_parsing import limit_json
from crewai_runner.executor.crew.llm.base import LLMMixin, LLMProfile

limit_json("crewai.llms.providers.anthropic.completion")


class AnthropicModel(LLMMixin, AnthropicCompletion):
    """CrewAI's Anthropic class with explicit credentials and restricted connections."""

    profile: LLMProfile = Field(exclude=True, repr=False)

    @model_validator(mode="after")
    def _init_clients(self) -> "AnthropicModel":
        return self

    def _get_client_params(self, include_http_client: bool = True) -> dict[str, Any]:  # noqa: ARG002
        return {
            "api_key": self.api_key,
            "base_url": self.base_url,
            "timeout": self.timeout,
            "max_retries": self.max_retries,
            "default_query": dict(self.profile.query),
        }

    def _build_sync_client(self) -> Anthropic:
        client = Anthropic(
            **self._get_client_params(), http_client=self.profile.blocking_client(self.timeout)
        )
        client.auth_token = None  # otherwise the value of ANTHROPIC_AUTH_TOKEN is sent
        return client

    def _build_async_client(self) -> AsyncAnthropic:
        client = AsyncAnthropic(
            **self._get_client_params(), http_client=self.profile.async_client(self.timeout)
        )
        client.auth_token = None
        return client
