"""Models of Amazon Bedrock. Importable only if the `bedrock` extra is installed."""

import base64
from collections.abc import AsyncIterator, Callable
from typing import Any, ClassVar

import httpx
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import EventStreamError, HTTPClientError
from crewai.llms.providers.bedrock.completion import BedrockCompletion
from pydantic import Field, PrivateAttr, model_validator

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.executor.crew.compat.bounded_parsing import limit_json
from crewai_runner.executor.crew.context.exceptions import AnswerInterrupted, ProviderReportedError
from crewai_runner.executor.crew.llm.answer.bedrock_payloads import translate_bedrock
from crewai_runner.executor.crew.llm.answer.chat_answer import ChatAnswer
from crewai_runner.executor.crew.llm.answer.read_answer import read_events
from crewai_runner.executor.crew.llm.answer.reasoning_memory import ReasoningMemory
from crewai_runner.executor.crew.llm.aws_requests import AwsRequests, BlockingAwsRequests
from crewai_runner.executor.crew.llm.base import LLMProfile
from crewai_runner.executor.crew.llm.chat_model import STRUCTURED_OUTPUT
from crewai_runner.executor.crew.llm.native_model import NativeModel, reasoning_of, structured_output_tool

limit_json("crewai.llms.providers.bedrock.completion")
_LOST = (httpx.TransportError, HTTPClientError)
_EVENT_STATUS = {
    "internalServerException": 500,
    "modelStreamErrorException": 502,
    "modelTimeoutException": 504,
    "serviceUnavailableException": 503,
    "throttlingException": 429,
    "validationException": 400,
}


class BedrockClient:
    """Amazon's client over guarded connections, connected at the first call."""

    def __init__(self, policy: EgressPolicy, timeout: float, **options: Any) -> None:
        self._policy, self._timeout, self._options = policy, timeout, options
        self._client: Any = None
        self._requests: AwsRequests | None = None

    async def converse(self, request: dict[str, Any], *, stream: bool) -> AsyncIterator[dict[str, Any]]:
        """Yield the events of the answer, or the whole answer.

        Raises what the client raises, AnswerInterrupted and ProviderReportedError.
        """
        if self._client is None:
            await self._connect()
        if not stream:
            yield await self._client.converse(**request)
            return
        response = await self._client.converse_stream(**request)
        try:
            async for event in response["stream"]:
                yield event
        except _LOST as error:
            raise AnswerInterrupted(str(error) or "the connection was reset") from error
        except EventStreamError as error:
            body = error.response.get("Error") or {}
            status = _EVENT_STATUS.get(str(body.get("Code")))
            raise ProviderReportedError(body, status_code=status) from error
        finally:
            response["stream"].close()

    async def _connect(self) -> None:
        client = await get_session().create_client("bedrock-runtime", **self._options).__aenter__()
        self._requests = AwsRequests(self._policy, self._timeout)
        self._requests.attach_to(client)
        self._client = client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.__aexit__(None, None, None)
        if self._requests is not None:
            await self._requests.close()


class BedrockModel(NativeModel, BedrockCompletion):
    """CrewAI's Bedrock class with explicit credentials and endpoint, and guarded connections.

    No AWS profile, proxy or environment variable is used.
    """

    sends_observed_requests: ClassVar[bool] = False  # botocore has a transport of its own
    client_retries: ClassVar[bool] = False  # botocore's retries would be counted nowhere

    profile: LLMProfile = Field(exclude=True, repr=False)
    timeout: float = 120.0
    max_retries: int = 1
    explicit_session_token: str | None = Field(None, exclude=True, repr=False)
    _reasoning: ReasoningMemory = PrivateAttr(default_factory=ReasoningMemory)
    _async_client: Any = PrivateAttr(default=None)
    _blocking_requests: BlockingAwsRequests | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _init_clients(self) -> "BedrockModel":
        # CrewAI reads a missing token from the environment.
        self.aws_session_token = self.explicit_session_token
        return self

    def _connection(self) -> dict[str, Any]:
        return {
            "region_name": self.region_name,
            "endpoint_url": self.base_url,
            "aws_access_key_id": self.aws_access_key_id,
            "aws_secret_access_key": self.aws_secret_access_key,
            "aws_session_token": self.aws_session_token,
        }

    def _config(self) -> dict[str, Any]:
        retries = {"total_max_attempts": 1, "mode": "standard"}
        return {"read_timeout": self.timeout, "retries": retries, "proxies": {}}

    def _build_sync_client(self) -> Any:
        client = Session().client("bedrock-runtime", config=Config(**self._config()), **self._connection())
        self._blocking_requests = BlockingAwsRequests(self.profile.egress, self.timeout)
        self._blocking_requests.attach_to(client)
        return client

    def _build_async_client(self) -> BedrockClient:
        config = AioConfig(**self._config())
        return BedrockClient(self.profile.egress, self.timeout, config=config, **self._connection())

    async def _request_once(self, params: dict[str, Any], on_text: Callable[[str], None]) -> ChatAnswer:
        events = self._get_async_client().converse(self._to_body(params), stream=bool(params.get("stream")))
        return await read_events(events, on_text, translate_bedrock)

    def _to_body(self, params: dict[str, Any]) -> dict[str, Any]:
        messages, system = self._format_messages_for_converse(params["messages"])
        _add_reasoning(messages, params["messages"])
        config = {
            "maxTokens": self.max_tokens,
            "temperature": params.get("temperature"),
            "topP": params.get("top_p"),
            "stopSequences": params.get("stop"),
        }
        body: dict[str, Any] = {
            "modelId": self.model_id,
            "messages": messages,
            "inferenceConfig": {name: value for name, value in config.items() if value is not None},
        }
        if system:
            body["system"] = [{"text": system}]
        if tools := self._tools(params, messages):
            body["toolConfig"] = {"tools": tools}
            if "tool_choice" in params and "response_format" in params:
                body["toolConfig"]["toolChoice"] = {"tool": {"name": STRUCTURED_OUTPUT}}
        return body

    def _tools(self, params: dict[str, Any], messages: list[Any]) -> list[Any]:
        tools = list(params.get("tools") or ())
        if (response_model := params.get("response_format")) is not None:
            tools.append(structured_output_tool(response_model))
        # Bedrock requires the tools whenever the conversation holds calls of them.
        return list(
            self._format_tools_for_converse(tools) or self._extract_tools_from_message_history(messages)
        )


def _add_reasoning(messages: list[Any], originals: list[Any]) -> None:
    """Put the reasoning before the tool calls that it led to; the models require it unchanged."""
    with_calls = [
        m["content"]
        for m in messages
        if m["role"] == "assistant" and any("toolUse" in block for block in m["content"])
    ]
    for content, blocks in zip(with_calls, reasoning_of(originals), strict=True):
        content[:0] = [{"reasoningContent": _reasoning_block(block)} for block in blocks]


def _reasoning_block(block: dict[str, Any]) -> dict[str, Any]:
    if "data" in block:
        return {"redactedContent": base64.b64decode(block["data"])}
    signature = {"signature": block["signature"]} if block.get("signature") else {}
    return {"reasoningText": {"text": block.get("text", ""), **signature}}
