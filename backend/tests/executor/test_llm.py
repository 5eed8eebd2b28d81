"""From a registered model to the object CrewAI calls: own credentials, own place, nothing else."""

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
from tests.executor.loading import engine_module
from tests.support.scripted_provider import CallTools, Fail, Garbage, Hang, Say, ScriptedProvider

make_llm = engine_module("llm.factory").make_llm
facts = engine_module("context.exceptions")

pytestmark = pytest.mark.crew
HELLO = [{"role": "user", "content": "hello"}]
CANARY = "sk-canary-of-the-environment"
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


def binding(kind: ProviderType, base_url: str | None, **more: Any) -> ModelBinding:
    given: dict[str, Any] = {"model": "test-model", "api_key": SecretStr("own-key"), **more}
    return ModelBinding(name="m", provider_name="My provider", provider_type=kind, base_url=base_url, **given)


def made(
    given: ModelBinding, *, stream: bool = False, egress: EgressPolicy | None = None, **settings: Any
) -> Any:
    return make_llm(given, settings=ModelSettings(**settings), stream=stream, egress=egress)


def causes_of(error: BaseException | None) -> list[type[BaseException]]:
    found = []
    while error is not None:
        found.append(type(error))
        error = error.__cause__
    return found


async def closed(llm: Any) -> None:
    await llm._async_client.close()


async def call(llm: Any, **options: Any) -> Any:
    try:
        return await llm.acall(HELLO, **options)
    finally:
        await closed(llm)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("kind", sorted(OPENAI_PROTOCOL_TYPES))
async def test_every_openai_shaped_provider_is_called_with_its_own_key(
    provider: ScriptedProvider, kind: ProviderType, stream: bool
) -> None:
    url = f"{provider.url}/v1"
    provider.on(Say("Hello back"))

    answer = await call(made(binding(kind, url, model="org/some-model"), stream=stream))

    sent = provider.requests[0]
    assert answer == "Hello back"
    assert sent.model == "org/some-model"
    key = sent.headers.get("api-key") if kind is ProviderType.AZURE else sent.headers.get("authorization")
    assert key == ("own-key" if kind is ProviderType.AZURE else "Bearer own-key")


@pytest.mark.parametrize("blocking", [False, True])
async def test_nothing_of_the_environment_is_sent_or_used(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch, blocking: bool
) -> None:
    with ScriptedProvider() as elsewhere:
        for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "OPENAI_ADMIN_KEY", "OLLAMA_API_KEY"):
            monkeypatch.setenv(name, CANARY)
        for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ORGANIZATION"):
            monkeypatch.setenv(name, "canary-org")
        monkeypatch.setenv(
            "OPENAI_CUSTOM_HEADERS", "X-Canary: canary-header\nauthorization: Bearer canary-auth"
        )
        for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE", "OLLAMA_HOST", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, elsewhere.base_url)

        for kind in (ProviderType.OPENAI_COMPATIBLE, ProviderType.OPENAI, ProviderType.OLLAMA):
            llm = made(binding(kind, provider.base_url, api_key=None))
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


def test_a_provider_without_a_base_url_goes_to_its_own_service_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")

    for kind in OPENAI_PROTOCOL_TYPES & DEFAULT_BASE_URLS.keys():
        llm = made(binding(kind, None))
        assert str(llm._build_async_client().base_url).rstrip("/") == DEFAULT_BASE_URLS[kind]


@pytest.mark.parametrize("kind", [ProviderType.OPENAI, ProviderType.GROQ, ProviderType.OPENROUTER])
@pytest.mark.parametrize("key", [None, SecretStr(""), SecretStr("  ")])
def test_a_missing_key_is_said_at_once(kind: ProviderType, key: SecretStr | None) -> None:
    with pytest.raises(facts.UnusableModel, match="My provider has no API key") as failure:
        made(binding(kind, None, api_key=key))

    assert failure.value.code == "provider-auth"
    assert PROVIDER_TITLES[kind] in failure.value.hint


@pytest.mark.parametrize("kind", [ProviderType.AZURE, ProviderType.OPENAI_COMPATIBLE, ProviderType.LOCAL])
def test_a_missing_base_url_is_said_at_once(kind: ProviderType) -> None:
    with pytest.raises(facts.UnusableModel, match="no base URL"):
        made(binding(kind, None))


@pytest.mark.parametrize(
    ("kind", "extra", "package"),
    [
        (ProviderType.ANTHROPIC, "anthropic", "anthropic"),
        (ProviderType.GEMINI, "gemini", "google.genai"),
        (ProviderType.BEDROCK, "bedrock", "aiobotocore"),
    ],
)
def test_a_missing_extra_names_what_to_install(
    kind: ProviderType, extra: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for name in [package, *(one for one in sys.modules if one.startswith(f"{package}."))]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"crewai_runner.executor.crew.llm.{extra}", raising=False)

    with pytest.raises(facts.MissingExtra) as failure:
        made(binding(kind, None, api_key=SecretStr("AKIA:secret")))

    assert PROVIDER_TITLES[kind] in str(failure.value)
    assert f"uv sync --extra {extra}" in failure.value.hint
    assert f'pip install "crewai-runner[{extra}]"' in failure.value.hint


async def test_all_settings_reach_the_request(provider: ScriptedProvider) -> None:
    llm = made(
        binding(
            ProviderType.OPENAI_COMPATIBLE, provider.base_url, settings=ModelSettings(temperature=0.9, seed=7)
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

    wanted = {
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
    assert wanted.items() <= provider.requests[0].payload.items()


async def test_settings_that_are_not_set_are_not_sent(provider: ScriptedProvider) -> None:
    llm = made(binding(ProviderType.OPENAI_COMPATIBLE, provider.base_url))

    await call(llm)

    assert set(provider.requests[0].payload) == {"model", "messages"}
    assert (llm.timeout, llm.max_retries) == (120.0, 1)


def test_openai_itself_is_given_the_token_limit_under_its_newer_name() -> None:
    llm = made(binding(ProviderType.OPENAI, None), max_tokens=33)

    sent = llm._prepare_completion_params(HELLO)

    assert sent["max_completion_tokens"] == 33
    assert "max_tokens" not in sent


async def test_retries_are_bounded_by_the_setting(provider: ScriptedProvider) -> None:
    provider.on(Fail(500))

    with pytest.raises(Exception, match="refuses"):
        await call(made(binding(ProviderType.OPENAI_COMPATIBLE, provider.base_url), max_retries=0))

    assert len(provider.requests) == 1


async def test_mistral_gets_no_member_it_refuses_and_whole_answers_when_tools_are_offered(
    provider: ScriptedProvider,
) -> None:
    provider.then(Say("one two"), CallTools([("lookup", {"q": "x"})]))
    given = binding(ProviderType.MISTRAL, provider.base_url)

    await call(made(given, stream=True, seed=3))
    asked = await call(made(given, stream=True), tools=[TOOL])

    plain, with_tools = provider.requests
    assert plain.payload["stream"] is True
    assert "stream_options" not in plain.payload
    assert "seed" not in plain.payload
    assert plain.payload["random_seed"] == 3
    assert not with_tools.payload.get("stream")
    assert asked[0].function.name == "lookup"


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
    """Answers every request alike and records them whole."""
    seen: list[str] = []
    body = json.dumps(answer).encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = [
            int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length")
        ]
        seen.append(head + (await reader.readexactly(length[0])).decode())
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


AMBIENT_KEYS = (
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


@pytest.mark.parametrize(
    ("kind", "package", "model", "answer"), SDK_PROVIDERS, ids=[one[1] for one in SDK_PROVIDERS]
)
async def test_providers_with_a_client_of_their_own_use_nothing_of_the_environment(
    kind: ProviderType, package: str, model: str, answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(package, exc_type=ImportError)
    for name in AMBIENT_KEYS:
        monkeypatch.setenv(name, "canary")
    for name in (
        "ANTHROPIC_BASE_URL",
        "GOOGLE_GEMINI_BASE_URL",
        "AWS_ENDPOINT_URL",
        "HTTP_PROXY",
        "http_proxy",
    ):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async with recording_server(answer) as (url, seen):
        bedrock = kind is ProviderType.BEDROCK
        key = SecretStr("AKIAOWN:own-key") if bedrock else SecretStr("own-key")
        llm = made(
            binding(kind, None if bedrock else url, model=model, api_key=key), temperature=0.5, max_tokens=50
        )
        if bedrock:
            assert llm.base_url == "https://bedrock-runtime.us-east-1.amazonaws.com"
            llm.base_url = url
        answered = await llm.acall(HELLO)
        answered_in_thread = await asyncio.to_thread(llm.call, HELLO)
        if bedrock:
            await closed(llm)

    assert (answered, answered_in_thread) == ("ok", "ok")
    assert len(seen) == 2
    for request in seen:
        assert "canary" not in request.lower()
        assert ("AKIAOWN" if bedrock else "own-key") in request
        assert "50" in request
    assert "own-key" not in repr(llm)


@pytest.mark.parametrize(
    "base_url", ["http://127.0.0.1:9", "https://evil.example", "https://bedrock-runtime.x.evil.com"]
)
def test_bedrock_goes_to_amazon_alone(base_url: str) -> None:
    pytest.importorskip("aiobotocore", exc_type=ImportError)

    with pytest.raises(facts.UnusableModel, match="not an Amazon Bedrock URL"):
        made(binding(ProviderType.BEDROCK, base_url, api_key=SecretStr("AKIA:secret")))


async def test_a_key_in_a_header_of_its_own_is_not_sent_on_by_a_redirect() -> None:
    async with recording_server(openai_answer()) as (elsewhere, caught):
        moved = f"307 Temporary Redirect\r\nLocation: {elsewhere}/x"
        async with recording_server({}, moved) as (url, _):
            with pytest.raises(Exception, match="307"):
                await call(made(binding(ProviderType.AZURE, url), max_retries=0))

    assert caught == []


async def test_a_bearer_key_is_not_sent_on_to_another_host_by_a_redirect() -> None:
    async with recording_server(openai_answer()) as (elsewhere, caught):
        moved = f"307 Temporary Redirect\r\nLocation: {elsewhere}/x"
        async with recording_server({}, moved) as (url, _):
            await call(made(binding(ProviderType.OPENAI_COMPATIBLE, url), max_retries=0))

    assert len(caught) == 1
    assert "own-key" not in caught[0]


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
async def test_azure_is_asked_by_deployment_and_version_with_its_own_key_header(
    suffix: str, path: str
) -> None:
    async with recording_server(openai_answer()) as (url, heads):
        await call(made(binding(ProviderType.AZURE, url + suffix, model="my-gpt")))

    assert heads[0].splitlines()[0] == f"POST {path} HTTP/1.1"
    assert "api-key: own-key" in heads[0]
    assert "authorization" not in heads[0].lower()


async def test_ollama_is_found_by_its_plain_address(provider: ScriptedProvider) -> None:
    await call(made(binding(ProviderType.OLLAMA, provider.url + "/", api_key=None)))

    assert provider.requests[0].path == "/v1/chat/completions"


@pytest.mark.parametrize(("registered", "told"), [(None, True), (True, True), (False, False)])
def test_tool_calling_is_as_registered(registered: bool | None, told: bool) -> None:
    llm = made(binding(ProviderType.OPENAI_COMPATIBLE, "http://127.0.0.1:9/v1", supports_tools=registered))

    assert llm.supports_function_calling() is told


@pytest.mark.parametrize(
    ("model", "o1"),
    [("o1", True), ("o1-mini", True), ("openai/o1", True), ("solar-pro1", False), ("o11y", False)],
)
def test_only_o1_itself_is_treated_as_o1(model: str, o1: bool) -> None:
    llm = made(binding(ProviderType.OPENAI_COMPATIBLE, "http://127.0.0.1:9/v1", model=model))

    assert llm.supports_function_calling() is not o1


def test_the_context_window_is_as_registered() -> None:
    llm = made(binding(ProviderType.OPENAI_COMPATIBLE, "http://127.0.0.1:9/v1", context_window=10_000))

    assert llm.get_context_window_size() == 8_500


def test_counting_tokens_asks_nobody(caplog: pytest.LogCaptureFixture) -> None:
    llm = made(binding(ProviderType.OPENAI, None))

    assert llm.get_input_tokens_count([{"role": "user", "content": "x" * 41}]) == 11
    assert llm._client is None
    assert caplog.records == []


async def test_a_private_address_is_refused_when_the_policy_says_so(provider: ScriptedProvider) -> None:
    strict = EgressPolicy(allow_private=False)
    llm = made(binding(ProviderType.OPENAI_COMPATIBLE, provider.base_url), egress=strict, max_retries=0)

    with pytest.raises(ConnectionError) as failure:
        await call(llm)

    assert UrlRefused in causes_of(failure.value)
    assert provider.requests == []


async def test_the_built_in_model_is_always_within_reach(provider: ScriptedProvider) -> None:
    llm = made(binding(ProviderType.LOCAL, provider.base_url), egress=EgressPolicy(allow_private=False))

    assert await call(llm) == "Answer 1"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_web_page_is_not_an_empty_answer(provider: ScriptedProvider, stream: bool) -> None:
    provider.on(Garbage())

    with pytest.raises(Exception, match="Connection error") as failure:
        await call(
            made(binding(ProviderType.OPENAI_COMPATIBLE, provider.base_url), stream=stream, max_retries=0)
        )

    assert facts.UnexpectedHtml in causes_of(failure.value)


@pytest.mark.parametrize("stream", [False, True])
async def test_cancelling_closes_the_call_at_the_provider(provider: ScriptedProvider, stream: bool) -> None:
    provider.on(Hang())
    task = asyncio.create_task(
        call(made(binding(ProviderType.OPENAI_COMPATIBLE, provider.base_url), stream=stream))
    )
    await asyncio.to_thread(provider.wait_for_requests, 1)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.to_thread(provider.wait_for_disconnects, 1)


@pytest.mark.parametrize("kind", [ProviderType.OPENAI, ProviderType.OPENAI_COMPATIBLE, ProviderType.AZURE])
def test_a_model_object_does_not_print_or_dump_what_is_secret(kind: ProviderType) -> None:
    llm = made(binding(kind, "http://127.0.0.1:9/v1", api_key=SecretStr("sk-very-secret")))

    for copied in (llm, copy.copy(llm)):
        assert "very-secret" not in f"{copied!r} {copied} {copied.to_config_dict()}"
