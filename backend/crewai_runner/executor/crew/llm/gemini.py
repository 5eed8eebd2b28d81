"""Models of Google Gemini. Importable only if the `gemini` extra is installed."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import httpx
from crewai.llms.providers.gemini.completion import GeminiCompletion
from google import genai
from google.genai import errors, types
from pydantic import Field, PrivateAttr, model_validator

from crewai_runner.executor.crew.compat.bounded_parsing import limit_json
from crewai_runner.executor.crew.llm.answer.chat_answer import ChatAnswer
from crewai_runner.executor.crew.llm.answer.gemini_payloads import GeminiTranslator
from crewai_runner.executor.crew.llm.answer.read_answer import read_answer
from crewai_runner.executor.crew.llm.answer.reasoning_memory import ReasoningMemory
from crewai_runner.executor.crew.llm.base import LLMProfile
from crewai_runner.executor.crew.llm.native_model import (
    NativeModel,
    reasoning_of,
    schema_of,
    structured_output_tool,
)

limit_json("crewai.llms.providers.gemini.completion")
_API_VERSION = "v1beta"


class GeminiClient:
    """Sends requests and leaves the answer unread: Google's client loses answers that it cannot validate."""

    def __init__(self, http: httpx.AsyncClient, base_url: str, api_key: str) -> None:
        self._http = http
        self._base_url = f"{base_url}/{_API_VERSION}"
        self._headers = {"x-goog-api-key": api_key}

    @asynccontextmanager
    async def generate(
        self, model: str, body: dict[str, Any], *, stream: bool
    ) -> AsyncIterator[httpx.Response]:
        """Send a request; yield the open response. Raises APIError and what httpx raises."""
        path = model if model.startswith(("models/", "tunedModels/")) else f"models/{model}"
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        url = f"{self._base_url}/{path}:{method}"
        async with self._http.stream("POST", url, json=body, headers=self._headers) as response:
            await errors.APIError.raise_for_async_response(response)
            yield response

    async def close(self) -> None:
        await self._http.aclose()


class GeminiModel(NativeModel, GeminiCompletion):
    """CrewAI's Gemini class with explicit credentials and restricted connections."""

    client_retries: ClassVar[bool] = False

    profile: LLMProfile = Field(exclude=True, repr=False)
    timeout: float = 120.0
    max_retries: int = 1
    _reasoning: ReasoningMemory = PrivateAttr(default_factory=ReasoningMemory)
    _async_client: Any = PrivateAttr(default=None)

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

    def _build_async_client(self) -> GeminiClient:
        return GeminiClient(self.profile.async_client(self.timeout), str(self.base_url), str(self.api_key))

    async def _request_once(self, params: dict[str, Any], on_text: Callable[[str], None]) -> ChatAnswer:
        client, stream = self._get_async_client(), bool(params.get("stream"))
        async with client.generate(self.model, self._to_body(params), stream=stream) as response:
            return await read_answer(response.aiter_bytes(), response.headers, on_text, GeminiTranslator())

    def _to_body(self, params: dict[str, Any]) -> dict[str, Any]:
        contents, system = self._format_messages_for_gemini(params["messages"])
        body: dict[str, Any] = {
            "contents": _with_signatures([_to_json(one) for one in contents], params["messages"])
        }
        if system:
            body["systemInstruction"] = {"role": "user", "parts": [{"text": system}]}
        tools = list(params.get("tools") or ())
        config: dict[str, Any] = {
            "temperature": params.get("temperature"),
            "topP": params.get("top_p"),
            "maxOutputTokens": self.max_output_tokens,
            "stopSequences": params.get("stop"),
        }
        response_model = params.get("response_format")
        if response_model is not None and tools:  # Gemini accepts no schema together with tools
            tools.append(structured_output_tool(response_model))
        elif response_model is not None:
            config |= {
                "responseMimeType": "application/json",
                "responseJsonSchema": schema_of(response_model),
            }
        if tools:
            body["tools"] = [_to_json(tool) for tool in self._convert_tools_for_interference(tools)]
        body["generationConfig"] = {name: value for name, value in config.items() if value is not None}
        return body


def _to_json(value: Any) -> Any:
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


def _with_signatures(contents: list[Any], originals: list[Any]) -> list[Any]:
    """Return the contents with the thought signatures of their function calls, which Gemini requires back."""
    with_calls = [
        [part for part in one.get("parts") or () if "functionCall" in part]
        for one in contents
        if any("functionCall" in part for part in one.get("parts") or ())
    ]
    for parts, blocks in zip(with_calls, reasoning_of(originals), strict=True):
        for block in blocks:
            index = block.get("index")
            if "data" in block and isinstance(index, int) and index < len(parts):
                parts[index]["thoughtSignature"] = block["data"]
    return contents
