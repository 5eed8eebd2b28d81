"""Errors of providers as failures with a code, a message and a hint."""

import asyncio
from collections.abc import Iterator
from typing import ClassVar

import pytest

from crewai_runner.core.egress import EgressPolicy
from tests.executor.crew.failure_cases import ERROR_RESPONSES, classify, failure_of_call, openai_error
from tests.support.scripted_provider import Fail, Hang, Reply, Say, ScriptedProvider

pytestmark = pytest.mark.crew


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider(api_key="right-key") as running:
        yield running


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


class TestRetryAfter:
    async def test_long_wait_is_in_the_hint(self, provider: ScriptedProvider) -> None:
        provider.on(Fail(429, "slow down", retry_after=432))

        failure = await failure_of_call(provider.base_url)

        assert failure.code == "provider-rate-limit"
        assert "wait 7 minutes" in str(failure.hint)
