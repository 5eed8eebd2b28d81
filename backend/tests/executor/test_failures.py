"""Every way a provider or the engine fails, told with a stable code, the cause and what to do."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, SecretStr

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import ProviderType
from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.port import ModelBinding
from tests.executor.loading import engine_module
from tests.support.scripted_provider import Drop, Fail, Garbage, Hang, Reply, Say, ScriptedProvider

explain = engine_module("errors.classify").classify_error
CODES = engine_module("errors.classify").FAILURE_CODES
make_llm = engine_module("llm.factory").make_llm
facts = engine_module("context.exceptions")
mask = engine_module("errors.provider_message").mask_credentials

pytestmark = pytest.mark.crew


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(api_key="right-key") as running:
        yield running


def told(error: BaseException) -> RunFailure:
    failure: RunFailure = explain(
        error, provider_name="Acme AI", provider_type=ProviderType.OPENAI_COMPATIBLE, model="m-1"
    )
    return failure


async def failure_of_call(
    base_url: str,
    *,
    stream: bool = False,
    key: str = "right-key",
    egress: EgressPolicy | None = None,
    **settings: Any,
) -> RunFailure:
    binding = ModelBinding(
        name="m",
        provider_name="Acme AI",
        provider_type=ProviderType.OPENAI_COMPATIBLE,
        model="m-1",
        base_url=base_url,
        api_key=SecretStr(key),
    )
    chosen = ModelSettings(**{"max_retries": 0, **settings})
    llm = make_llm(binding, settings=chosen, stream=stream, egress=egress)
    (error,) = await asyncio.gather(llm.acall([{"role": "user", "content": "hello"}]), return_exceptions=True)
    await llm._async_client.close()
    assert isinstance(error, Exception), "the call did not fail"
    return told(error)


def openai_error(message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "x", "code": code, "param": None}}


BAD_ANSWERS: list[tuple[Reply, str, str]] = [
    (Fail(400, "temperature must be below 1"), "provider-bad-request", "temperature must be below 1"),
    (
        Fail(422, body={"detail": [{"type": "extra_forbidden", "msg": "Extra inputs"}]}),
        "provider-bad-request",
        "Extra",
    ),
    (
        Fail(
            400,
            body=openai_error(
                "This model's maximum context length is 8192 tokens.", "context_length_exceeded"
            ),
        ),
        "context-too-long",
        "8192",
    ),
    (
        Fail(400, body=openai_error("prompt is too long: 300000 tokens > 200000 maximum")),
        "context-too-long",
        "300000",
    ),
    (Fail(413, "Request entity too large"), "context-too-long", "too large"),
    (
        Fail(400, body=[{"error": {"message": "API key not valid. Please pass a valid API key."}}]),
        "provider-auth",
        "API key not valid",
    ),
    (Fail(402, "Insufficient Balance"), "provider-quota", "Insufficient Balance"),
    (Fail(403, "Country not supported"), "provider-forbidden", "Country not supported"),
    (
        Fail(404, body=openai_error("The model `m-1` does not exist", "model_not_found")),
        "model-not-found",
        "not exist",
    ),
    (Fail(404, body="<html><body>nginx</body></html>"), "model-not-found", "web page"),
    (Fail(500, "boom"), "provider-error", "boom"),
    (Fail(503, "overloaded"), "provider-error", "overloaded"),
    (Fail(529, "Overloaded"), "provider-error", "Overloaded"),
    (Garbage(), "provider-garbage", "web page"),
    (Drop(), "provider-unreachable", ""),
]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    ("reply", "code", "words"), BAD_ANSWERS, ids=[f"{b[1]}-{i}" for i, b in enumerate(BAD_ANSWERS)]
)
async def test_what_the_provider_answers_is_told(
    provider: ScriptedProvider, reply: Reply, code: str, words: str, stream: bool
) -> None:
    provider.on(reply)

    failure = await failure_of_call(provider.base_url, stream=stream)

    assert failure.code == code
    assert "Acme AI" in failure.message
    assert words in failure.message
    assert failure.hint
    assert failure.provider == "Acme AI"


@pytest.mark.parametrize(
    ("message", "error_code", "code"),
    [
        (
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            "provider-quota",
        ),
        ("Rate limit reached for m-1 on tokens per min (TPM)", "rate_limit_exceeded", "provider-rate-limit"),
        ("Quota exceeded for requests per minute", None, "provider-rate-limit"),
        ("Too Many Requests", None, "provider-rate-limit"),
    ],
)
def test_an_empty_account_is_told_apart_from_a_rate_limit(
    message: str, error_code: str | None, code: str
) -> None:
    class RateLimitError(Exception):
        status_code = 429
        body = openai_error(message, error_code)

    assert told(RateLimitError()).code == code


async def test_a_refused_key_is_told_without_the_key(provider: ScriptedProvider) -> None:
    key = "sk-proj-abcdef0123456789"
    provider.on(Fail(401, f"Incorrect API key provided: {key}."))

    failure = await failure_of_call(provider.base_url, key=key)

    assert failure.code == "provider-auth"
    assert "Incorrect API key provided" in failure.message
    assert key not in failure.model_dump_json()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_silence_is_a_timeout(provider: ScriptedProvider, stream: bool) -> None:
    provider.on(Hang())

    failure = await failure_of_call(provider.base_url, stream=stream, timeout_seconds=0.2)

    assert failure.code == "provider-timeout"
    assert "did not answer in time" in failure.message


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_nobody_listening_is_unreachable(stream: bool) -> None:
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()

    failure = await failure_of_call(f"http://127.0.0.1:{port}/v1", stream=stream)

    assert failure.code == "provider-unreachable"
    assert "Acme AI could not be reached" in failure.message


async def test_an_unknown_host_is_unreachable_and_named() -> None:
    policy = EgressPolicy(allow_private=True, resolve=lambda _host, _port: [])

    failure = await failure_of_call("http://no-such-host.example/v1", egress=policy)

    assert failure.code == "provider-unreachable"
    assert "no-such-host.example was not found" in failure.message


async def test_a_forbidden_address_is_told_as_the_guard_tells_it() -> None:
    failure = await failure_of_call("http://169.254.169.254/v1")

    assert failure.code == "provider-unreachable"
    assert "never contacted" in failure.message


async def test_an_empty_answer_is_told_as_the_engine_tells_it() -> None:
    assert told(ValueError("Invalid response from LLM call - None or empty.")).code == "provider-empty"


def test_a_missing_extra_says_what_to_install() -> None:
    failure = told(facts.MissingExtra("Anthropic", "anthropic"))

    assert failure.code == "extra-missing"
    assert failure.message == "Support for Anthropic is not installed."
    assert "uv sync --extra anthropic" in str(failure.hint)


def test_an_unusable_model_keeps_its_own_words() -> None:
    failure = told(facts.UnusableModel("Acme AI has no API key.", code="provider-auth", hint="Enter one."))

    assert (failure.code, failure.message, failure.hint) == (
        "provider-auth",
        "Acme AI has no API key.",
        "Enter one.",
    )


def test_an_unusable_model_may_bring_a_code_of_its_own() -> None:
    failure = told(facts.UnusableModel("No embedder.", code="embedder-missing"))

    assert (failure.code, failure.message) == ("embedder-missing", "No embedder.")


class ToolExecutionFailedError(Exception):
    pass


class ConverterError(Exception):
    pass


class Shape(BaseModel):
    n: int


def validation_error() -> Exception:
    try:
        Shape.model_validate({"n": "prose"})
    except ValueError as error:
        return error
    raise AssertionError


def raised_from(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__cause__ = inner
    return outer


class StatusError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status_code = status


ENGINE_ERRORS: list[tuple[BaseException, str]] = [
    (ToolExecutionFailedError("Tool 'http_get' failed: 404"), "tool-failed"),
    (raised_from(ToolExecutionFailedError("Tool failed"), StatusError(404)), "tool-failed"),
    (
        Exception("Task failed guardrail validation after 3 retries. Last error: too short"),
        "guardrail-failed",
    ),
    (Exception("Task failed guardrail 0 validation after 3 retries. Last error: x"), "guardrail-failed"),
    (
        TimeoutError("Task 'x' execution timed out after 2 seconds. Consider increasing max_execution_time"),
        "agent-timeout",
    ),
    (ConverterError("no JSON"), "output-invalid"),
    (validation_error(), "output-invalid"),
    (ValueError("Missing required template variable 'topic' in description"), "input-missing"),
    (ValueError("OPENAI_API_KEY is required"), "provider-auth"),
    (AttributeError("'str' object has no attribute 'choices'"), "provider-garbage"),
    (ImportError("Anthropic native provider not available, to install: uv add x"), "extra-missing"),
    (raised_from(ValueError("Model m-1 not found: x"), StatusError(404)), "model-not-found"),
    (RuntimeError("who knows"), "crew-error"),
    (KeyError("x"), "crew-error"),
]


@pytest.mark.parametrize(
    ("error", "code"), ENGINE_ERRORS, ids=[f"{e[1]}-{i}" for i, e in enumerate(ENGINE_ERRORS)]
)
def test_what_the_engine_raises_is_told(error: BaseException, code: str) -> None:
    failure = told(error)

    assert failure.code == code
    assert failure.message
    assert failure.hint


def test_every_code_has_been_told() -> None:
    seen = {code for _, code in ENGINE_ERRORS} | {code for _, code, _ in BAD_ANSWERS}

    assert CODES - seen == {"provider-rate-limit", "provider-timeout", "provider-empty"}


class AnthropicShaped(Exception):
    status_code = 401
    body: ClassVar = {
        "type": "error",
        "error": {"type": "authentication_error", "message": "invalid x-api-key"},
    }


class GoogleShaped(Exception):
    code = 429
    message = "Resource has been exhausted (e.g. check quota): requests per minute"
    details: ClassVar = {"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED"}}


class BotoShaped(Exception):
    response: ClassVar = {
        "Error": {"Code": "AccessDeniedException", "Message": "You don't have access to the model."},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (AnthropicShaped(), "provider-auth", "invalid x-api-key"),
        (GoogleShaped(), "provider-rate-limit", "Resource has been exhausted"),
        (BotoShaped(), "provider-forbidden", "You don't have access"),
    ],
)
def test_errors_of_other_clients_are_told_by_their_shape(error: Exception, code: str, words: str) -> None:
    failure = told(error)

    assert failure.code == code
    assert words in failure.message


def test_a_handled_error_before_is_not_the_cause() -> None:
    def fail_after_handling() -> None:
        try:
            raise StatusError(401)
        except StatusError:
            raise RuntimeError("the crew's own failure") from None

    with pytest.raises(RuntimeError) as failure:
        fail_after_handling()

    assert told(failure.value).code == "crew-error"


def test_a_circle_of_causes_ends() -> None:
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one

    assert told(one).code == "crew-error"


def test_a_long_answer_is_shortened() -> None:
    class Big(Exception):
        status_code = 500
        body = "x" * 100_000

    assert len(told(Big()).message) <= 1_000


@pytest.mark.parametrize(
    "secret",
    [
        "sk-abcdefgh12345678",
        "sk-proj-Ab_9-xyz",
        "gsk_abcdefgh1234",
        "AIzaSyA1234567890abcdefghijk",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln",
    ],
)
def test_what_looks_like_a_key_is_masked_wherever_it_stands(secret: str) -> None:
    for text in (f"bad key {secret}", json.dumps({"key": secret}), f"x={secret}&y=1", f"Bearer {secret}"):
        assert secret not in mask(text)
        assert "[secret]" in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdefghij",
        "Incorrect API key provided: 9f8e7d6c5b4a",
        "api_key=9f8e7d6c5b4a",
        "http://user:hunter2pass@host/",
    ],
)
def test_a_value_named_as_secret_is_masked(text: str) -> None:
    masked = mask(text)

    for secret in ("abcdefghij", "9f8e7d6c5b4a", "hunter2pass"):
        assert secret not in masked


def test_ordinary_words_are_left_alone() -> None:
    text = (
        "API key not valid. The token limit was reached: 8192 tokens; a risk-free task-list. Token: missing"
    )

    assert mask(text) == text


async def test_an_answer_that_is_fine_is_no_failure(provider: ScriptedProvider) -> None:
    provider.on(Say("fine"))

    with pytest.raises(AssertionError, match="did not fail"):
        await failure_of_call(provider.base_url)
