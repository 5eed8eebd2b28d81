"""Models of Anthropic. Importable only if the `anthropic` extra is installed."""

from collections.abc import Callable
from typing import Any

from anthropic import Anthropic, AsyncAnthropic, transform_schema
from crewai.llms.providers.anthropic.completion import (
    ANTHROPIC_STRUCTURED_OUTPUTS_BETA,
    AnthropicCompletion,
    _supports_native_structured_outputs,
)
from pydantic import Field, PrivateAttr, model_validator

from crewai_runner.executor.crew.compat.bounded_parsing import limit_json
from crewai_runner.executor.crew.llm.answer.anthropic_payloads import translate_anthropic
from crewai_runner.executor.crew.llm.answer.chat_answer import ChatAnswer
from crewai_runner.executor.crew.llm.answer.read_answer import read_answer
from crewai_runner.executor.crew.llm.answer.reasoning_memory import ReasoningMemory
from crewai_runner.executor.crew.llm.base import LLMProfile
from crewai_runner.executor.crew.llm.chat_model import STRUCTURED_OUTPUT
from crewai_runner.executor.crew.llm.native_model import NativeModel, reasoning_of, structured_output_tool

limit_json("crewai.llms.providers.anthropic.completion")


class AnthropicModel(NativeModel, AnthropicCompletion):
    """CrewAI's Anthropic class with explicit credentials and restricted connections."""

    profile: LLMProfile = Field(exclude=True, repr=False)
    _reasoning: ReasoningMemory = PrivateAttr(default_factory=ReasoningMemory)

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

    async def _request_once(self, params: dict[str, Any], on_text: Callable[[str], None]) -> ChatAnswer:
        create = self._get_async_client().messages.with_streaming_response.create
        async with create(**self._to_body(params)) as response:
            return await read_answer(response.iter_bytes(), response.headers, on_text, translate_anthropic)

    def _to_body(self, params: dict[str, Any]) -> dict[str, Any]:
        messages, system = self._format_messages_for_anthropic(params["messages"])
        _add_thinking(messages, params["messages"])
        body: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            "max_tokens": self.max_tokens,
            "stream": params.get("stream", False),
            **({"system": system} if system else {}),
            **{name: params[name] for name in ("temperature", "top_p") if name in params},
        }
        if "stop" in params:
            body["stop_sequences"] = params["stop"]
        tools = list(params.get("tools") or ())
        response_model = params.get("response_format")
        if response_model is not None and not tools and _supports_native_structured_outputs(self.model):
            schema = transform_schema(response_model.model_json_schema())
            body["extra_headers"] = {"anthropic-beta": ANTHROPIC_STRUCTURED_OUTPUTS_BETA}
            body["extra_body"] = {"output_format": {"type": "json_schema", "schema": schema}}
        elif response_model is not None:
            tools.append(structured_output_tool(response_model))
            if "tool_choice" in params:
                body["tool_choice"] = {"type": "tool", "name": STRUCTURED_OUTPUT}
        if tools:
            body["tools"] = self._convert_tools_for_interference(tools)
        return body


def _add_thinking(messages: list[Any], originals: list[Any]) -> None:
    """Put the thinking blocks before the tool calls that they led to; Anthropic requires them unchanged."""
    with_calls = [m["content"] for m in messages if _has_block(m, "tool_use")]
    for content, blocks in zip(with_calls, reasoning_of(originals), strict=True):
        content[:0] = [_thinking_block(block) for block in blocks]


def _has_block(message: Any, kind: str) -> bool:
    content = message["content"]
    return (
        message["role"] == "assistant"
        and isinstance(content, list)
        and any(isinstance(block, dict) and block.get("type") == kind for block in content)
    )


def _thinking_block(block: dict[str, Any]) -> dict[str, Any]:
    if "data" in block:
        return {"type": "redacted_thinking", "data": block["data"]}
    return {"type": "thinking", "thinking": block.get("text", ""), "signature": block.get("signature", "")}
