"""Failing model calls for tests."""

import asyncio
from typing import Any

from pydantic import SecretStr

from crewai_runner.core.egress import EgressPolicy
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import ProviderType
from crewai_runner.domain.run import RunFailure
from crewai_runner.executor.crew.errors.classify import classify_error
from crewai_runner.executor.port import ModelBinding
from tests.executor.engine_modules import import_engine_module
from tests.support.scripted_provider import Body, Drop, Fail, Garbage, Reply

make_llm = import_engine_module("llm.factory").make_llm


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
    (
        Fail(400, "The response was filtered due to the prompt triggering the content management policy."),
        "answer-filtered",
        "content management policy",
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
    (Body("true", "application/json"), "provider-garbage", "true"),
    (Body('{"choices": [', "application/json"), "provider-garbage", "choices"),
    (Drop(), "provider-interrupted", ""),
]
