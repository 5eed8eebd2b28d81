"""Models with OpenAI's protocol: OpenAI, Azure and every compatible server."""

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from crewai.llms.providers.openai.completion import OpenAICompletion
from openai import AsyncOpenAI, Omit, OpenAI
from pydantic import Field, model_validator

from crewai_runner.executor.crew.compat.llm_internals import without_streaming
from crewai_runner.executor.crew.context.exceptions import UnusableModel
from crewai_runner.executor.crew.llm.base import LLMMixin, LLMProfile, is_o1

_ENVIRONMENT_HEADERS = ("OpenAI-Organization", "OpenAI-Project")
_TEXTS_PER_REQUEST = 64
_NOT_IN_STRICT_BODY = ("stream_options",)


class OpenAIModel(LLMMixin, OpenAICompletion):
    """CrewAI's OpenAI class with explicit credentials and restricted connections.

    Nothing is read from environment variables. Clients are created at first use, in the event loop that
    uses them.
    """

    profile: LLMProfile = Field(exclude=True, repr=False)

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
            "default_query": dict(self.profile.query),
        }

    def _headers(self) -> dict[str, Any]:
        # The SDK adds headers from environment variables; they are removed here.
        custom = os.environ.get("OPENAI_CUSTOM_HEADERS", "").splitlines()
        removed = {line.partition(":")[0].strip(): Omit() for line in custom if ":" in line}
        own = {"Authorization": f"Bearer {self.api_key}"}
        return {**removed, **dict.fromkeys(_ENVIRONMENT_HEADERS, Omit()), **own}

    def _build_sync_client(self) -> OpenAI:
        return OpenAI(**self._get_client_params(), http_client=self.profile.blocking_client(self.timeout))

    def _build_async_client(self) -> AsyncOpenAI:
        return AsyncOpenAI(**self._get_client_params(), http_client=self.profile.async_client(self.timeout))

    def embed(self, texts: list[str]) -> list[list[float]]:
        """Return one vector per text, in order. Blocks. Raises what the client raises, and UnusableModel."""
        with self._build_sync_client() as client:
            batches = (texts[at : at + _TEXTS_PER_REQUEST] for at in range(0, len(texts), _TEXTS_PER_REQUEST))
            return [vector for batch in batches for vector in self._embed_batch(client, batch)]

    def _embed_batch(self, client: OpenAI, texts: list[str]) -> list[list[float]]:
        answer = client.embeddings.create(model=self.model, input=texts, encoding_format="float")
        embeddings = sorted(getattr(answer, "data", None) or [], key=lambda item: item.index)
        if len(embeddings) != len(texts):
            raise UnusableModel(f"{self.model} did not embed every text.", code="provider-garbage")
        return [item.embedding for item in embeddings]

    def _prepare_completion_params(self, messages: Any, tools: Any = None) -> dict[str, Any]:
        params: dict[str, Any] = super()._prepare_completion_params(messages=messages, tools=tools)
        if not self.profile.strict_body:
            return params
        if "seed" in params:
            params["extra_body"] = {**params.get("extra_body", {}), "random_seed": params.pop("seed")}
        return {name: value for name, value in params.items() if name not in _NOT_IN_STRICT_BODY}

    # Mistral streams tool calls in the same chunk as the usage, and CrewAI drops that chunk.

    def _call_completions(self, messages: Any, tools: Any = None, **options: Any) -> Any:
        with self._no_streaming_with(tools):
            return super()._call_completions(messages=messages, tools=tools, **options)

    async def _acall_completions(self, messages: Any, tools: Any = None, **options: Any) -> Any:
        with self._no_streaming_with(tools):
            return await super()._acall_completions(messages=messages, tools=tools, **options)

    def _no_streaming_with(self, tools: Any) -> AbstractContextManager[None]:
        return without_streaming(self) if tools and self.profile.strict_body else nullcontext()
