"""LLM objects for registered models: own credentials, own address, nothing from the environment."""

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy, UrlRefused
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import (
    DEFAULT_BASE_URLS,
    OPENAI_PROTOCOL_TYPES,
    PROVIDER_TITLES,
    ProviderType,
)
from crewai_runner.executor.port import ModelBinding
from tests.executor.engine_modules import import_engine_module
from tests.support.scripted_provider import CallTools, Fail, Garbage, Hang, Say, ScriptedProvider

make_llm = import_engine_module("llm.factory").make_llm
exceptions = import_engine_module("context.exceptions")
pytestmark = pytest.mark.crew
HELLO = [{"role": "user", "content": "hello"}]
ENVIRONMENT_CANARY = "sk-canary-from-environment"
TOOL = {
    "type": "function",
    "function": {
        "name": "lookup",
        "description": "Look up.",
        "parameters": {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"]},
    },
}


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as running:
        yield running


def binding(provider_type: ProviderType, base_url: str | None, **more: Any) -> ModelBinding:
    options: dict[str, Any] = {"model": "test-model", "api_key": SecretStr("own-key"), **more}
    return ModelBinding(
        name="m", provider_name="My provider", provider_type=provider_type, base_url=base_url, **options
    )


def create_llm(
    binding: ModelBinding, *, stream: bool = False, egress: EgressPolicy | None = None, **settings: Any
) -> Any:
    return make_llm(binding, settings=ModelSettings(**settings), stream=stream, egress=egress)


def causes_of(error: BaseException | None) -> list[type[BaseException]]:
    found = []
    while error is not None:
        found.append(type(error))
        error = error.__cause__
    return found


async def close_client(llm: Any) -> None:
    await llm._async_client.close()


async def call(llm: Any, **options: Any) -> Any:
    try:
        return await llm.acall(HELLO, **options)
    finally:
        await close_client(llm)


def openai_answer() -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "ok"}}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


def anthropic_answer() -> dict[str, Any]:
    usage = {"input_tokens": 3, "output_tokens": 2}
    said = {"content": [{"type": "text", "text": "ok"}], "stop_reason": "end_turn", "stop_sequence": None}
    return {"id": "m", "type": "message", "role": "assistant", "model": "m", "usage": usage, **said}


def gemini_answer() -> dict[str, Any]:
    content = {"parts": [{"text": "ok"}], "role": "model"}
    return {"candidates": [{"content": content, "finishReason": "STOP"}]}


def bedrock_answer() -> dict[str, Any]:
    message = {"role": "assistant", "content": [{"text": "ok"}]}
    usage = {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}
    return {
        "output": {"message": message},
        "stopReason": "end_turn",
        "usage": usage,
        "metrics": {"latencyMs": 1},
    }


@asynccontextmanager
async def recording_server(
    answer: dict[str, Any], status: str = "200 OK"
) -> AsyncIterator[tuple[str, list[str]]]:
    """Answer every request with the same body and record the requests."""
    requests: list[str] = []
    body = json.dumps(answer).encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = [
            int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
        ]
        requests.append(head + (await reader.readexactly(length[0])).decode())
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests


ENVIRONMENT_KEYS = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "GOOGLE_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_CLOUD_PROJECT",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
)
SDK_PROVIDERS = [
    (ProviderType.ANTHROPIC, "anthropic", "claude-sonnet-4-5", anthropic_answer()),
    (ProviderType.GEMINI, "google.genai", "gemini-2.5-flash", gemini_answer()),
    (ProviderType.BEDROCK, "aiobotocore", "anthropic.claude-3-5-sonnet-20241022-v2:0", bedrock_answer()),
]


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

    async def test_mistral_receives_no_unknown_fields_and_does_not_stream_tool_calls(
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
        assert not with_tools.payload.get("stream")
        assert answer[0].function.name == "lookup"

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


class TestEnvironment:
    @pytest.mark.parametrize("blocking", [False, True])
    async def test_openai_clients_use_no_environment_variable(
        self, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch, blocking: bool
    ) -> None:
        with ScriptedProvider() as elsewhere:
            for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_ADMIN_KEY", "OLLAMA_API_KEY"):
                monkeypatch.setenv(name, ENVIRONMENT_CANARY)
            for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ORGANIZATION"):
                monkeypatch.setenv(name, "canary-org")
            monkeypatch.setenv(
                "OPENAI_CUSTOM_HEADERS", "X-Canary: canary-header\nauthorization: Bearer canary-auth"
            )
            for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "OLLAMA_HOST", "http_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, elsewhere.base_url)

            for provider_type in (ProviderType.OPENAI_COMPATIBLE, ProviderType.OPENAI, ProviderType.OLLAMA):
                llm = create_llm(binding(provider_type, provider.base_url, api_key=None))
                if blocking:
                    await asyncio.to_thread(llm.call, HELLO)
                    llm._client.close()
                else:
                    await call(llm)

            assert elsewhere.requests == []
            assert elsewhere.other_requests == []
        assert len(provider.requests) == 3
        for sent in provider.requests:
            assert "canary" not in json.dumps([sent.headers, sent.payload]).lower()
            assert sent.headers["authorization"] == "Bearer none"

    @pytest.mark.parametrize(
        ("provider_type", "package", "model", "answer"), SDK_PROVIDERS, ids=[row[1] for row in SDK_PROVIDERS]
    )
    async def test_other_clients_use_no_environment_variable(
        self,
        provider_type: ProviderType,
        package: str,
        model: str,
        answer: dict[str, Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        pytest.importorskip(package, exc_type=ImportError)
        for name in ENVIRONMENT_KEYS:
            monkeypatch.setenv(name, "canary")
        for name in (
            "ANTHROPIC_BASE_URL",
            "GOOGLE_GEMINI_BASE_URL",
            "AWS_ENDPOINT_URL",
            "HTTP_PROXY",
            "http_proxy",
        ):
            monkeypatch.setenv(name, "http://127.0.0.1:9")

        async with recording_server(answer) as (url, requests):
            bedrock = provider_type is ProviderType.BEDROCK
            key = SecretStr("AKIAOWN:own-key") if bedrock else SecretStr("own-key")
            llm = create_llm(
                binding(provider_type, None if bedrock else url, model=model, api_key=key),
                temperature=0.5,
                max_tokens=50,
            )
            if bedrock:
                assert llm.base_url == "https://bedrock-runtime.us-east-1.amazonaws.com"
                llm.base_url = url
            async_answer = await llm.acall(HELLO)
            blocking_answer = await asyncio.to_thread(llm.call, HELLO)
            if bedrock:
                await close_client(llm)

        assert (async_answer, blocking_answer) == ("ok", "ok")
        assert len(requests) == 2
        for request in requests:
            assert "canary" not in request.lower()
            assert ("AKIAOWN" if bedrock else "own-key") in request
            assert "50" in request
        assert "own-key" not in repr(llm)

    def test_default_base_url_ignores_the_environment(
        self,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

        for provider_type in OPENAI_PROTOCOL_TYPES & DEFAULT_BASE_URLS.keys():
            llm = create_llm(binding(provider_type, None))
            assert str(llm._build_async_client().base_url).rstrip("/") == DEFAULT_BASE_URLS[provider_type]


class TestConfigurationErrors:
    @pytest.mark.parametrize(
        "provider_type", [ProviderType.OPENAI, ProviderType.GROQ, ProviderType.OPENROUTER]
    )
    @pytest.mark.parametrize("key", [None, SecretStr(""), SecretStr("  ")])
    def test_missing_key(self, provider_type: ProviderType, key: SecretStr | None) -> None:
        with pytest.raises(exceptions.UnusableModel, match="My provider has no API key") as failure:
            create_llm(binding(provider_type, None, api_key=key))

        assert failure.value.code == "provider-auth"
        assert PROVIDER_TITLES[provider_type] in failure.value.hint

    @pytest.mark.parametrize(
        "provider_type", [ProviderType.AZURE, ProviderType.OPENAI_COMPATIBLE, ProviderType.LOCAL]
    )
    def test_missing_base_url(self, provider_type: ProviderType) -> None:
        with pytest.raises(exceptions.UnusableModel, match="no base URL"):
            create_llm(binding(provider_type, None))

    @pytest.mark.parametrize(
        ("provider_type", "extra", "package"),
        [
            (ProviderType.ANTHROPIC, "anthropic", "anthropic"),
            (ProviderType.GEMINI, "gemini", "google.genai"),
            (ProviderType.BEDROCK, "bedrock", "aiobotocore"),
        ],
    )
    def test_missing_extra_says_what_to_install(
        self, provider_type: ProviderType, extra: str, package: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import sys

        for name in [package, *(one for one in sys.modules if one.startswith(f"{package}."))]:
            monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, f"crewai_runner.executor.crew.llm.{extra}", raising=False)

        with pytest.raises(exceptions.MissingExtra) as failure:
            create_llm(binding(provider_type, None, api_key=SecretStr("AKIA:secret")))

        assert PROVIDER_TITLES[provider_type] in str(failure.value)
        assert f"uv sync --extra {extra}" in failure.value.hint
        assert f'pip install "crewai-runner[{extra}]"' in failure.value.hint

    @pytest.mark.parametrize(
        "base_url", ["http://127.0.0.1:9", "https://evil.example", "https://bedrock-runtime.x.evil.com"]
    )
    def test_bedrock_url_must_be_amazons(self, base_url: str) -> None:
        pytest.importorskip("aiobotocore", exc_type=ImportError)

        with pytest.raises(exceptions.UnusableModel, match="not an Amazon Bedrock URL"):
            create_llm(binding(ProviderType.BEDROCK, base_url, api_key=SecretStr("AKIA:secret")))


class TestSecurity:
    async def test_redirect_does_not_forward_a_key_header(self) -> None:
        async with recording_server(openai_answer()) as (elsewhere, forwarded):
            moved = f"307 Temporary Redirect\r\nLocation: {elsewhere}/x"
            async with recording_server({}, moved) as (url, _):
                with pytest.raises(Exception, match="307"):
                    await call(create_llm(binding(ProviderType.AZURE, url), max_retries=0))

        assert forwarded == []

    async def test_redirect_does_not_forward_a_bearer_key(self) -> None:
        async with recording_server(openai_answer()) as (elsewhere, forwarded):
            moved = f"307 Temporary Redirect\r\nLocation: {elsewhere}/x"
            async with recording_server({}, moved) as (url, _):
                await call(create_llm(binding(ProviderType.OPENAI_COMPATIBLE, url), max_retries=0))

        assert len(forwarded) == 1
        assert "own-key" not in forwarded[0]

    async def test_policy_refuses_private_addresses(self, provider: ScriptedProvider) -> None:
        strict = EgressPolicy(allow_private=False)
        llm = create_llm(
            binding(ProviderType.OPENAI_COMPATIBLE, provider.base_url), egress=strict, max_retries=0
        )

        with pytest.raises(ConnectionError) as failure:
            await call(llm)

        assert UrlRefused in causes_of(failure.value)
        assert provider.requests == []

    async def test_built_in_model_is_always_allowed(self, provider: ScriptedProvider) -> None:
        llm = create_llm(
            binding(ProviderType.LOCAL, provider.base_url), egress=EgressPolicy(allow_private=False)
        )

        assert await call(llm) == "Answer 1"

    @pytest.mark.parametrize(
        "provider_type", [ProviderType.OPENAI, ProviderType.OPENAI_COMPATIBLE, ProviderType.AZURE]
    )
    def test_repr_and_config_contain_no_key(self, provider_type: ProviderType) -> None:
        llm = create_llm(binding(provider_type, "http://127.0.0.1:9/v1", api_key=SecretStr("sk-very-secret")))

        for copied in (llm, copy.copy(llm)):
            assert "very-secret" not in f"{copied!r} {copied} {copied.to_config_dict()}"


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
