"""Errors of providers and of CrewAI as failures with a code, a message and a hint."""

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
from tests.executor.engine_modules import import_engine_module
from tests.support.scripted_provider import Drop, Fail, Garbage, Hang, Reply, Say, ScriptedProvider

classify_error = import_engine_module("errors.classify").classify_error
FAILURE_CODES = import_engine_module("errors.classify").FAILURE_CODES
make_llm = import_engine_module("llm.factory").make_llm
exceptions = import_engine_module("context.exceptions")
mask_credentials = import_engine_module("errors.provider_message").mask_credentials
pytestmark = pytest.mark.crew


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(api_key="right-key") as running:
        yield running


def classify(error: BaseException) -> RunFailure:
    failure: RunFailure = classify_error(
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
    return classify(error)


def openai_error(message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "x", "code": code, "param": None}}


ERROR_RESPONSES: list[tuple[Reply, str, str]] = [
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


def with_cause(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__cause__ = inner
    return outer


class StatusError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status_code = status


CREWAI_ERRORS: list[tuple[BaseException, str]] = [
    (ToolExecutionFailedError("Tool 'http_get' failed: 404"), "tool-failed"),
    (with_cause(ToolExecutionFailedError("Tool failed"), StatusError(404)), "tool-failed"),
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
    (with_cause(ValueError("Model m-1 not found: x"), StatusError(404)), "model-not-found"),
    (RuntimeError("who knows"), "crew-error"),
    (KeyError("x"), "crew-error"),
]


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


class TestProviderErrors:
    @pytest.mark.parametrize("stream", [False, True], ids=["not-streamed", "streamed"])
    @pytest.mark.parametrize(
        ("reply", "code", "text"), ERROR_RESPONSES, ids=[f"{b[1]}-{i}" for i, b in enumerate(ERROR_RESPONSES)]
    )
    async def test_error_responses(
        self, provider: ScriptedProvider, reply: Reply, code: str, text: str, stream: bool
    ) -> None:
        provider.on(reply)

        failure = await failure_of_call(provider.base_url, stream=stream)

        assert failure.code == code
        assert "Acme AI" in failure.message
        assert text in failure.message
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
            (
                "Rate limit reached for m-1 on tokens per min (TPM)",
                "rate_limit_exceeded",
                "provider-rate-limit",
            ),
            ("Quota exceeded for requests per minute", None, "provider-rate-limit"),
            ("Too Many Requests", None, "provider-rate-limit"),
        ],
    )
    def test_quota_and_rate_limit_are_distinguished(
        self, message: str, error_code: str | None, code: str
    ) -> None:
        class RateLimitError(Exception):
            status_code = 429
            body = openai_error(message, error_code)

        assert classify(RateLimitError()).code == code

    async def test_refused_key_is_masked(self, provider: ScriptedProvider) -> None:
        key = "sk-proj-abcdef0123456789"
        provider.on(Fail(401, f"Incorrect API key provided: {key}."))

        failure = await failure_of_call(provider.base_url, key=key)

        assert failure.code == "provider-auth"
        assert "Incorrect API key provided" in failure.message
        assert key not in failure.model_dump_json()

    @pytest.mark.parametrize("stream", [False, True], ids=["not-streamed", "streamed"])
    async def test_no_response_is_a_timeout(self, provider: ScriptedProvider, stream: bool) -> None:
        provider.on(Hang())

        failure = await failure_of_call(provider.base_url, stream=stream, timeout_seconds=0.2)

        assert failure.code == "provider-timeout"
        assert "did not answer in time" in failure.message

    @pytest.mark.parametrize("stream", [False, True], ids=["not-streamed", "streamed"])
    async def test_closed_port_is_unreachable(self, stream: bool) -> None:
        server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()

        failure = await failure_of_call(f"http://127.0.0.1:{port}/v1", stream=stream)

        assert failure.code == "provider-unreachable"
        assert "Acme AI could not be reached" in failure.message

    async def test_unknown_host_is_unreachable(self) -> None:
        policy = EgressPolicy(allow_private=True, resolve=lambda _host, _port: [])

        failure = await failure_of_call("http://no-such-host.example/v1", egress=policy)

        assert failure.code == "provider-unreachable"
        assert "no-such-host.example was not found" in failure.message

    async def test_refused_address_has_the_policys_message(self) -> None:
        failure = await failure_of_call("http://169.254.169.254/v1")

        assert failure.code == "provider-unreachable"
        assert "never contacted" in failure.message

    @pytest.mark.parametrize(
        ("error", "code", "text"),
        [
            (AnthropicShaped(), "provider-auth", "invalid x-api-key"),
            (GoogleShaped(), "provider-rate-limit", "Resource has been exhausted"),
            (BotoShaped(), "provider-forbidden", "You don't have access"),
        ],
    )
    def test_error_shapes_of_other_clients(self, error: Exception, code: str, text: str) -> None:
        failure = classify(error)

        assert failure.code == code
        assert text in failure.message

    def test_long_message_is_truncated(self) -> None:
        class Big(Exception):
            status_code = 500
            body = "x" * 100_000

        assert len(classify(Big()).message) <= 1_000

    async def test_successful_call_is_no_failure(self, provider: ScriptedProvider) -> None:
        provider.on(Say("fine"))

        with pytest.raises(AssertionError, match="did not fail"):
            await failure_of_call(provider.base_url)


class TestCrewAIErrors:
    @pytest.mark.parametrize(
        ("error", "code"), CREWAI_ERRORS, ids=[f"{e[1]}-{i}" for i, e in enumerate(CREWAI_ERRORS)]
    )
    def test_known_errors(self, error: BaseException, code: str) -> None:
        failure = classify(error)

        assert failure.code == code
        assert failure.message
        assert failure.hint

    async def test_empty_answer(self) -> None:
        assert (
            classify(ValueError("Invalid response from LLM call - None or empty.")).code == "provider-empty"
        )

    def test_every_code_is_tested(self) -> None:
        tested = {code for _, code in CREWAI_ERRORS} | {code for _, code, _ in ERROR_RESPONSES}

        assert FAILURE_CODES - tested == {"provider-rate-limit", "provider-timeout", "provider-empty"}


class TestUnusableModel:
    def test_missing_extra_says_what_to_install(self) -> None:
        failure = classify(exceptions.MissingExtra("Anthropic", "anthropic"))

        assert failure.code == "extra-missing"
        assert failure.message == "Support for Anthropic is not installed."
        assert "uv sync --extra anthropic" in str(failure.hint)

    def test_keeps_its_message_and_hint(self) -> None:
        failure = classify(
            exceptions.UnusableModel("Acme AI has no API key.", code="provider-auth", hint="Enter one.")
        )

        assert (failure.code, failure.message, failure.hint) == (
            "provider-auth",
            "Acme AI has no API key.",
            "Enter one.",
        )

    def test_may_have_any_code(self) -> None:
        failure = classify(exceptions.UnusableModel("No embedder.", code="embedder-missing"))

        assert (failure.code, failure.message) == ("embedder-missing", "No embedder.")


class TestCauses:
    def test_suppressed_context_is_ignored(self) -> None:
        def fail_after_handling() -> None:
            try:
                raise StatusError(401)
            except StatusError:
                raise RuntimeError("the crew's own failure") from None

        with pytest.raises(RuntimeError) as failure:
            fail_after_handling()

        assert classify(failure.value).code == "crew-error"

    def test_circular_causes(self) -> None:
        one, two = ValueError("one"), ValueError("two")
        one.__cause__, two.__cause__ = two, one

        assert classify(one).code == "crew-error"


class TestMaskCredentials:
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
    def test_masks_known_key_formats(self, secret: str) -> None:
        for text in (f"bad key {secret}", json.dumps({"key": secret}), f"x={secret}&y=1", f"Bearer {secret}"):
            assert secret not in mask_credentials(text)
            assert "[secret]" in mask_credentials(text)

    @pytest.mark.parametrize(
        "text",
        [
            "Authorization: Bearer abcdefghij",
            "Incorrect API key provided: 9f8e7d6c5b4a",
            "api_key=9f8e7d6c5b4a",
            "http://user:hunter2pass@host/",
        ],
    )
    def test_masks_values_named_as_secrets(self, text: str) -> None:
        masked = mask_credentials(text)

        for secret in ("abcdefghij", "9f8e7d6c5b4a", "hunter2pass"):
            assert secret not in masked

    def test_leaves_other_text_unchanged(self) -> None:
        text = (
            "API key not valid. The token limit was reached: 8192 tokens; a risk-free task-list. "
            "Token: missing"
        )

        assert mask_credentials(text) == text
