"""Models with a protocol of their own: Anthropic, Gemini and Bedrock."""

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crewai.hooks.dispatch import HookAborted
from crewai.llms.base_llm import LLMCallBlockedError, llm_call_context
from crewai.utilities.pydantic_schema_utils import generate_model_description
from pydantic import BaseModel

from crewai_runner.executor.crew.compat.llm_internals import call_in_new_loop
from crewai_runner.executor.crew.context.exceptions import ToolsRefused
from crewai_runner.executor.crew.llm.chat_model import STRUCTURED_OUTPUT, ChatModel, parse_arguments
from crewai_runner.executor.crew.llm.refused_parameters import refuses_tools

_STRUCTURED_OUTPUT_TEXT = "Call this tool with your final answer, once you have gathered what it needs."


class NativeModel(ChatModel):
    """Makes the calls in place of CrewAI's class, whose formatting of messages and tools it uses.

    CrewAI's own reader loses tool calls, usage and reasoning of streamed answers, replaces empty answers by
    an apology and provider errors by errors of its own.
    """

    _async_client: Any

    @abstractmethod
    def _build_async_client(self) -> Any:
        """Return a client for the running event loop, with a coroutine `close`."""

    def _get_async_client(self) -> Any:
        if self._async_client is None:
            self._async_client = self._build_async_client()
        return self._async_client

    def call(self, *args: Any, **options: Any) -> Any:
        return call_in_new_loop(self, lambda llm: llm.acall(*args, **options))

    async def acall(
        self,
        messages: Any,
        tools: list[dict[str, Any]] | None = None,
        callbacks: list[Any] | None = None,
        available_functions: dict[str, Any] | None = None,
        *,
        from_task: Any = None,
        from_agent: Any = None,
        response_model: type[BaseModel] | None = None,
    ) -> Any:
        """Return the text, the tool calls in OpenAI's format, or the object asked for."""
        source = {"from_task": from_task, "from_agent": from_agent}
        given = {"tools": tools, "callbacks": callbacks, "available_functions": available_functions}
        with llm_call_context():
            try:
                self._emit_call_started_event(messages=messages, **given, **source)
                self._invoke_before_llm_call_hooks(messages, from_agent)
                return await self._call(messages, tools, available_functions, response_model, source)
            except (HookAborted, LLMCallBlockedError) as denial:
                self._emit_call_denied_event(denial, **source)
                raise
            except Exception as error:
                self._emit_call_failed_event(error=str(error), **source)
                raise

    async def _call(
        self,
        messages: Any,
        tools: list[dict[str, Any]] | None,
        available_functions: dict[str, Any] | None,
        response_model: type[BaseModel] | None,
        source: Mapping[str, Any],
    ) -> Any:
        asked = response_model or getattr(self, "response_format", None)
        params = self._make_params(messages, tools, asked)
        try:
            answer = await self._request_answer(params, lambda text: self._emit_text(text, source))
        except Exception as error:
            if tools and refuses_tools(error):
                self._remember_refused(["tools"])
                raise ToolsRefused(self.model) from error
            raise
        return self._deliver(
            answer, params["messages"], available_functions, asked, source, has_tools=bool(tools)
        )

    def _make_params(
        self, messages: Any, tools: list[dict[str, Any]] | None, response_model: type[BaseModel] | None
    ) -> dict[str, Any]:
        texts = [{"role": "user", "content": messages}] if isinstance(messages, str) else list(messages)
        optional = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "stop": list(self.stop_sequences) if self.supports_stop_words() else None,
            "tools": tools,
            "response_format": response_model,
            "tool_choice": STRUCTURED_OUTPUT if response_model is not None and not tools else None,
            "stream": self._effective_stream() or None,
        }
        params = {"messages": [_with_valid_arguments(one) for one in self._reasoning.restore(texts)]}
        params |= {name: value for name, value in optional.items() if value is not None and value != []}
        return self._without_omitted(params)


def structured_output_tool(response_model: type[BaseModel]) -> dict[str, Any]:
    """Return the tool whose arguments are the answer, in OpenAI's format."""
    function = {"name": STRUCTURED_OUTPUT, "description": _STRUCTURED_OUTPUT_TEXT}
    return {"type": "function", "function": {**function, "parameters": schema_of(response_model)}}


def schema_of(response_model: type[BaseModel]) -> dict[str, Any]:
    """Return the model's JSON Schema without references."""
    schema: dict[str, Any] = generate_model_description(response_model)["json_schema"]["schema"]
    return schema


def reasoning_of(messages: Sequence[Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield the reasoning blocks that led to the tool calls of each message with tool calls, in order."""
    for message in messages:
        if isinstance(message, dict) and message.get("role") == "assistant" and message.get("tool_calls"):
            yield list(message.get("reasoning_details") or [])


def _with_valid_arguments(message: Any) -> Any:
    """Return a message whose tool calls have arguments that are JSON objects, as these protocols require."""
    calls = message.get("tool_calls") if isinstance(message, dict) else None
    if not calls or all(_has_valid_arguments(call) for call in calls):
        return message
    return {**message, "tool_calls": [_fix_arguments(call) for call in calls]}


def _has_valid_arguments(call: Mapping[str, Any]) -> bool:
    arguments = call["function"].get("arguments")
    return not isinstance(arguments, str) or (bool(arguments) and parse_arguments(arguments) is not None)


def _fix_arguments(call: Mapping[str, Any]) -> dict[str, Any]:
    if _has_valid_arguments(call):
        return dict(call)
    text = call["function"]["arguments"]
    arguments = json.dumps({"invalid_arguments": text}) if text else "{}"
    return {**call, "function": {**call["function"], "arguments": arguments}}
