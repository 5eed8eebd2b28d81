"""Models behind OpenAI's protocol: OpenAI itself, Azure, and every server that speaks likewise."""

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from crewai.llms.base_llm import call_stream_override
from crewai.llms.providers.openai.completion import OpenAICompletion
from openai import AsyncOpenAI, Omit, OpenAI
from pydantic import Field, model_validator

from crewai_runner.executor.crew.model_facts import ModelFacts, ModelTraits, UnusableModel, is_o1

_AMBIENT_HEADERS = ("OpenAI-Organization", "OpenAI-Project")
_TEXTS_PER_REQUEST = 64
_NOT_IN_A_STRICT_BODY = ("stream_options",)


class OpenAIModel(ModelTraits, OpenAICompletion):
    """CrewAI's OpenAI class with its own key, base URL and guarded connections; nothing from the environment.

    Clients are made at first use, in the event loop that uses them.
    """

    facts: ModelFacts = Field(exclude=True, repr=False)

    @model_validator(mode="after")
    def _init_clients(self) -> "OpenAIModel":
        self.is_o1_model = is_o1(self.model)
        return self

    def _get_client_params(self) -> dict[str, Any]:
        return {
            "api_key": self.api_key,
            "base_url": self.base_url,
            "timeout": self.timeout,
            "max_retries": self.max_retries,
            "default_headers": self._headers(),
            "default_query": dict(self.facts.query),
        }

    def _headers(self) -> dict[str, Any]:
        # The SDK adds headers named in its own environment variables; each is struck out here.
        ambient = os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines()
        struck = {line.partition(":")[0].strip(): Omit() for line in ambient if ":" in line}
        own = {"Authorization": f"Bearer {self.api_key}"}
        return {**struck, **dict.fromkeys(_AMBIENT_HEADERS, Omit()), **own}

    def _build_sync_client(self) -> OpenAI:
        return OpenAI(**self._get_client_params(), http_client=self.facts.blocking_client(self.timeout))

    def _build_async_client(self) -> AsyncOpenAI:
        return AsyncOpenAI(**self._get_client_params(), http_client=self.facts.async_client(self.timeout))

    def embed(self, texts: list[str]) -> list[list[float]]:
        """One vector per text, in order. Blocks; raises what the client raises, and UnusableModel."""
        with self._build_sync_client() as client:
            batches = (texts[at : at + _TEXTS_PER_REQUEST] for at in range(0, len(texts), _TEXTS_PER_REQUEST))
            return [vector for batch in batches for vector in self._embed_batch(client, batch)]

    def _embed_batch(self, client: OpenAI, texts: list[str]) -> list[list[float]]:
        answer = client.embeddings.create(model=self.model, input=texts, encoding_format="float")
        found = sorted(getattr(answer, "data", None) or [], key=lambda one: one.index)
        if len(found) != len(texts):
            raise UnusableModel(f"{self.model} did not embed every text.", code="provider-garbage")
        return [one.embedding for one in found]

    def _prepare_completion_params(self, messages: Any, tools: Any = None) -> dict[str, Any]:
        params: dict[str, Any] = super()._prepare_completion_params(messages=messages, tools=tools)
        if not self.facts.strict_body:
            return params
        if "seed" in params:
            params["extra_body"] = {**params.get("extra_body", {}), "random_seed": params.pop("seed")}
        return {name: value for name, value in params.items() if name not in _NOT_IN_A_STRICT_BODY}

    # Mistral sends streamed tool calls in the chunk that carries the usage, which CrewAI drops.

    def _call_completions(self, messages: Any, tools: Any = None, **options: Any) -> Any:
        with self._whole_if(tools):
            return super()._call_completions(messages=messages, tools=tools, **options)

    async def _acall_completions(self, messages: Any, tools: Any = None, **options: Any) -> Any:
        with self._whole_if(tools):
            return await super()._acall_completions(messages=messages, tools=tools, **options)

    def _whole_if(self, tools: Any) -> AbstractContextManager[None]:
        return call_stream_override(self, False) if tools and self.facts.strict_body else nullcontext()
