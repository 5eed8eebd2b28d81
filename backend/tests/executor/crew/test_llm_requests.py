"""Requests of LLM objects to the providers."""

import asyncio

import pytest

from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import (
    OPENAI_PROTOCOL_TYPES,
    ProviderType,
)
from crewai_runner.executor.crew.context import exceptions
from tests.executor.crew.llm_support import (
    HELLO,
    binding,
    call,
    causes_of,
    create_llm,
    openai_answer,
    recording_server,
)
from tests.support.scripted_provider import CallTools, Fail, Garbage, Hang, Say, ScriptedProvider

pytestmark = pytest.mark.crew
TOOL = {
    "type": "function",
    "function": {
        "name": "lookup",
        "description": "Look up.",
        "parameters": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]},
    },
}


class TestRequests:
    @pytest.mark.parametrize("stream", [False, True])
    @pytest.mark.parametrize("provider_type", sorted(OPENAI_PROTOCOL_TYPES))
    async def test_every_openai_compatible_type_sends_its_own_key(
        self, provider: ScriptedProvider, provider_type: ProviderType, stream: bool
    ) -> None:
        url = f"{provider.url}/v1"
        provider.on(Say("Hello back"))

        answer = await call(create_llm(binding(provider_type, url, model="org/some-model"), stream=stream))

        sent = provider.requests[0]
        assert answer == "Hello back"
        assert sent.model == "org/some-model"
        key = (
            sent.headers.get("api-key")
            if provider_type is ProviderType.AZURE
            else sent.headers.get("authorization")
        )
        assert key == ("own-key" if provider_type is ProviderType.AZURE else "Bearer own-key")

    async def test_all_settings_are_sent(self, provider: ScriptedProvider) -> None:
        llm = create_llm(
            binding(
                ProviderType.OPENAI_COMPATIBLE,
                provider.base_url,
                settings=ModelSettings(temperature=0.9, seed=7),
            ),
            temperature=0.1,
            top_p=0.5,
            max_tokens=33,
            stop=["END"],
            frequency_penalty=0.25,
            presence_penalty=0.75,
            reasoning_effort="low",
            extra_body={"grammar": "root ::= x", "repeat_penalty": 1.1},
        )

        await call(llm)

        expected = {
            "temperature": 0.1,
            "seed": 7,
            "top_p": 0.5,
            "max_tokens": 33,
            "stop": ["END"],
            "frequency_penalty": 0.25,
            "presence_penalty": 0.75,
            "reasoning_effort": "low",
            "grammar": "root ::= x",
            "repeat_penalty": 1.1,
        }
        assert expected.items() <= provider.requests[0].payload.items()

    async def test_unset_settings_are_not_sent(self, provider: ScriptedProvider) -> None:
        llm = create_llm(binding(ProviderType.OPENAI_COMPATIBLE, provider.base_url))

        await call(llm)

        assert set(provider.requests[0].payload) == {"model", "messages"}
        assert (llm.timeout, llm.max_retries) == (120.0, 1)

    def test_openai_receives_max_completion_tokens(self) -> None:
        llm = create_llm(binding(ProviderType.OPENAI, None), max_tokens=33)

        sent = llm._prepare_completion_params(HELLO)

        assert sent["max_completion_tokens"] == 33
        assert "max_tokens" not in sent

    async def test_max_retries(self, provider: ScriptedProvider) -> None:
        provider.on(Fail(500))

        with pytest.raises(Exception, match="refuses"):
            await call(create_llm(binding(ProviderType.OPENAI_COMPATIBLE, provider.base_url), max_retries=0))

        assert len(provider.requests) == 1

    async def test_mistral_receives_no_unknown_fields_and_streams_tool_calls(
        self,
        provider: ScriptedProvider,
    ) -> None:
        provider.then(Say("one two"), CallTools([("lookup", {"q": "x"})]))
        mistral = binding(ProviderType.MISTRAL, provider.base_url)

        await call(create_llm(mistral, stream=True, seed=3))
        answer = await call(create_llm(mistral, stream=True), tools=[TOOL])

        plain, with_tools = provider.requests
        assert plain.payload["stream"] is True
        assert "stream_options" not in plain.payload
        assert "seed" not in plain.payload
        assert plain.payload["random_seed"] == 3
        assert with_tools.payload["stream"] is True
        assert answer[0]["function"]["name"] == "lookup"

    @pytest.mark.parametrize(
        ("suffix", "path"),
        [
            ("", "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"),
            ("/", "/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"),
            ("?api-version=2025-01-01", "/openai/deployments/my-gpt/chat/completions?api-version=2025-01-01"),
            ("/models", "/models/chat/completions?api-version=2024-10-21"),
            ("/openai/v1", "/openai/v1/chat/completions"),
        ],
    )
    async def test_azure_path_version_and_key_header(self, suffix: str, path: str) -> None:
        async with recording_server(openai_answer()) as (url, requests):
            await call(create_llm(binding(ProviderType.AZURE, url + suffix, model="my-gpt")))

        assert requests[0].splitlines()[0] == f"POST {path} HTTP/1.1"
        assert "api-key: own-key" in requests[0]
        assert "authorization" not in requests[0].lower()

    async def test_ollama_path(self, provider: ScriptedProvider) -> None:
        await call(create_llm(binding(ProviderType.OLLAMA, provider.url + "/", api_key=None)))

        assert provider.requests[0].path == "/v1/chat/completions"

    @pytest.mark.parametrize("stream", [False, True])
    async def test_cancelling_closes_the_connection(self, provider: ScriptedProvider, stream: bool) -> None:
        provider.on(Hang())
        task = asyncio.create_task(
            call(create_llm(binding(ProviderType.OPENAI_COMPATIBLE, provider.base_url), stream=stream))
        )
        await asyncio.to_thread(provider.wait_for_requests, 1)

        task.cancel()

        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.to_thread(provider.wait_for_disconnects, 1)

    @pytest.mark.parametrize("stream", [False, True])
    async def test_web_page_is_an_error(self, provider: ScriptedProvider, stream: bool) -> None:
        provider.on(Garbage())

        with pytest.raises(Exception, match="Connection error") as failure:
            await call(
                create_llm(
                    binding(ProviderType.OPENAI_COMPATIBLE, provider.base_url), stream=stream, max_retries=0
                )
            )

        assert exceptions.UnexpectedHtml in causes_of(failure.value)


class TestCapabilities:
    @pytest.mark.parametrize(("registered", "expected"), [(None, True), (True, True), (False, False)])
    def test_tool_support_is_as_registered(self, registered: bool | None, expected: bool) -> None:
        llm = create_llm(
            binding(ProviderType.OPENAI_COMPATIBLE, "http://127.0.0.1:9/v1", supports_tools=registered)
        )

        assert llm.supports_function_calling() is expected

    @pytest.mark.parametrize(
        ("model", "o1"),
        [("o1", True), ("o1-mini", True), ("openai/o1", True), ("solar-pro1", False), ("o11y", False)],
    )
    def test_only_o1_is_treated_as_o1(self, model: str, o1: bool) -> None:
        llm = create_llm(binding(ProviderType.OPENAI_COMPATIBLE, "http://127.0.0.1:9/v1", model=model))

        assert llm.supports_function_calling() is not o1

    def test_context_window_is_as_registered(self) -> None:
        llm = create_llm(
            binding(ProviderType.OPENAI_COMPATIBLE, "http://127.0.0.1:9/v1", context_window=10_000)
        )

        assert llm.get_context_window_size() == 8_500

    def test_counting_tokens_makes_no_request(self, caplog: pytest.LogCaptureFixture) -> None:
        llm = create_llm(binding(ProviderType.OPENAI, None))

        assert llm.get_input_tokens_count([{"role": "user", "content": "x" * 41}]) == 11
        assert llm._client is None
        assert caplog.records == []
