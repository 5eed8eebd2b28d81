"""Models of Anthropic. Importable only where the `anthropic` extra is installed."""

from typing import Any

from anthropic import Anthropic, AsyncAnthropic
from crewai.llms.providers.anthropic.completion import AnthropicCompletion
from pydantic import Field, model_validator

from crewai_runner.executor.crew.model_facts import ModelFacts, ModelTraits


class AnthropicModel(ModelTraits, AnthropicCompletion):
    """CrewAI's Anthropic class with its own key, base URL and guarded connections."""

    facts: ModelFacts = Field(exclude=True, repr=False)

    @model_validator(mode="after")
    def _init_clients(self) -> "AnthropicModel":
        return self

    def _get_client_params(self, include_http_client: bool = True) -> dict[str, Any]:  # noqa: ARG002
        return {
            "api_key": self.api_key,
            "base_url": self.base_url,
            "timeout": self.timeout,
            "max_retries": self.max_retries,
            "default_query": dict(self.facts.query),
        }

    def _build_sync_client(self) -> Anthropic:
        client = Anthropic(**self._get_client_params(), http_client=self.facts.blocking_client(self.timeout))
        client.auth_token = None  # else ANTHROPIC_AUTH_TOKEN of the environment would go along
        return client

    def _build_async_client(self) -> AsyncAnthropic:
        client = AsyncAnthropic(
            **self._get_client_params(), http_client=self.facts.async_client(self.timeout)
        )
        client.auth_token = None
        return client
