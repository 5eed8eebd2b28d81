"""Models with OpenAI's protocol: OpenAI, Azure and every compatible server."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from crewai.llms.providers.openai.completion import OpenAICompletion
from openai import AsyncOpenAI, Omit, OpenAI
from openai.lib._parsing._completions import type_to_response_format_param
from pydantic import BaseModel, Field, PrivateAttr, model_validator

from crewai_runner.executor.crew.compat.llm_internals import call_in_new_loop
from crewai_runner.executor.crew.context.exceptions import ToolsRefused, UnusableModel
from crewai_runner.executor.crew.llm.answer.chat_answer import ChatAnswer
from crewai_runner.executor.crew.llm.answer.read_answer import read_answer
from crewai_runner.executor.crew.llm.answer.reasoning_memory import ReasoningMemory
from crewai_runner.executor.crew.llm.base import LLMProfile, is_o1
from crewai_runner.executor.crew.llm.chat_model import ChatModel
from crewai_runner.executor.crew.llm.refused_parameters import change_system_role, refuses_tools
from crewai_runner.executor.crew.llm.supervised import binding_of, supervise_call

_ENVIRONMENT_HEADERS = ("OpenAI-Organization", "OpenAI-Project")
_TEXTS_PER_REQUEST = 64


class OpenAIModel(ChatModel, OpenAICompletion):
    """CrewAI's OpenAI class with explicit credentials, restricted connections and its own reader of answers.

    Nothing is read from environment variables. Clients are created at first use, in the event loop that
    uses them.
    """

    profile: LLMProfile = Field(exclude=True, repr=False)
    _reasoning: ReasoningMemory = PrivateAttr(default_factory=ReasoningMemory)

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

    async def embed(self, texts: list[str]) -> list[list[float]]:
        """Return one vector per text, in order. Raises what the client raises, and UnusableModel.

        Each request is a model call of the current run.
        """
        batches = (texts[at : at + _TEXTS_PER_REQUEST] for at in range(0, len(texts), _TEXTS_PER_REQUEST))
        async with self._build_async_client() as client:
            return [vector for batch in batches for vector in await self._embed_batch(client, batch)]

    async def _embed_batch(self, client: AsyncOpenAI, texts: list[str]) -> list[list[float]]:
        with supervise_call(is_observed=True) as call:
            call.open(binding_of(self), len(texts), texts[-1])
            answer = await client.embeddings.create(model=self.model, input=texts, encoding_format="float")
            embeddings = sorted(getattr(answer, "data", None) or [], key=lambda item: item.index)
            if len(embeddings) != len(texts):
                raise UnusableModel(f"{self.model} did not embed every text.", code="provider-garbage")
            call.complete({**(call.scope.usage or {}), "completion_tokens": 0})
            return [item.embedding for item in embeddings]

    def _prepare_completion_params(self, messages: Any, tools: Any = None) -> dict[str, Any]:
        params: dict[str, Any] = super()._prepare_completion_params(messages=messages, tools=tools)
        params["messages"] = self._reasoning.restore(params["messages"])
        if self.profile.strict_body and "seed" in params:
            params["extra_body"] = {**params.get("extra_body", {}), "random_seed": params.pop("seed")}
        if self.profile.system_role != "system":
            params = change_system_role(params, self.profile.system_role)
        return self._without_omitted(params)

    # CrewAI's own reader of answers assumes the shape that OpenAI's servers send.

    def _call_completions(self, messages: Any, tools: Any = None, **options: Any) -> Any:
        def call(llm: Any) -> Any:
            return OpenAIModel._acall_completions(llm, messages, tools, **options)

        return call_in_new_loop(self, call)

    async def _acall_completions(
        self,
        messages: Any,
        tools: Any = None,
        available_functions: dict[str, Any] | None = None,
        from_task: Any = None,
        from_agent: Any = None,
        response_model: type[BaseModel] | None = None,
    ) -> Any:
        params = self._prepare_completion_params(messages=messages, tools=tools)
        if response_model is not None:
            params.setdefault("response_format", type_to_response_format_param(response_model))
        source = {"from_task": from_task, "from_agent": from_agent}
        try:
            answer = await self._request_answer(params, lambda text: self._emit_text(text, source))
        except Exception as error:
            if tools and refuses_tools(error):
                self._remember_refused(["tools"])
                raise ToolsRefused(self.model) from error
            if self.custom_openai or not self._is_responses_only_error(error):
                raise
            self._remember_responses_only_model()
            return await self._acall_responses(
                messages, tools, available_functions, response_model=response_model, **source
            )
        return self._deliver(
            answer, params["messages"], available_functions, response_model, source, has_tools=bool(tools)
        )

    def _requires_other_value(self, error: Exception, params: Mapping[str, Any]) -> dict[str, Any] | None:
        if not self._rejects_reasoning_effort_with_tools(error) or params.get("reasoning_effort") == "none":
            return None
        return {**params, "reasoning_effort": "none"}

    async def _request_once(self, params: dict[str, Any], on_text: Callable[[str], None]) -> ChatAnswer:
        create = self._get_async_client().chat.completions.with_streaming_response.create
        async with create(**params) as response:
            return await read_answer(response.iter_bytes(), response.headers, on_text)

    def _track_token_usage_internal(self, usage_data: dict[str, Any]) -> None:
        """Do nothing: usage is counted per call, from the events."""
