"""A conversation that is too long is recognized in the words of every provider, and shortened."""

from typing import Any

import pytest

from crewai_runner.executor.crew.errors.context_length import says_context_too_long
from crewai_runner.executor.port import Completed, Failed
from tests.executor.crew.failure_cases import openai_error
from tests.executor.crew.harness import EngineHarness, agent, workflow
from tests.support.scripted_provider import Body, CallTools, Fail, Reply, Say

pytestmark = pytest.mark.crew

TOO_LONG = [
    "This model's maximum context length is 4096 tokens. However, your messages resulted in 4777 tokens.",
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "Trying to keep the first 15857 tokens when context the overflows. However, the model is loaded with",
    "Context size has been exceeded.",
    "the request exceeds the available context size. try increasing the context size",
    "prompt is too long: 210094 tokens > 200000 maximum",
    "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000",
    "Prompt contains 33042 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "Input is too long for requested model.",
    "max_tokens is too large: 4096. This model's maximum context length is 4096 tokens, your request has 99.",
    "Please reduce the length of the messages or completion.",
    "Too many input tokens. Max input tokens: 128000, request input token count: 129001",
    "input length exceeds maximum context length",
    "The prompt is too large for this model",
    "request_too_large: Request exceeds the maximum size",
    "too many tokens",
    "Requested token count exceeds the model's maximum context length of 131072 tokens.",
]
OTHER = [
    "Rate limit reached: too many tokens per minute (TPM)",
    "max_tokens must be at least 1",
    "max_tokens: 20000 is above 8192, the maximum allowed number of output tokens",
    "You exceeded your current quota of tokens",
    "temperature must be below 1",
    "Invalid token",
]


class TestWordings:
    @pytest.mark.parametrize("text", TOO_LONG)
    def test_too_long(self, text: str) -> None:
        assert says_context_too_long(text)

    @pytest.mark.parametrize("text", OTHER)
    def test_other_errors(self, text: str) -> None:
        assert not says_context_too_long(text)


class TestRuns:
    @pytest.mark.parametrize(
        "reply",
        [
            Fail(400, body=openai_error(TOO_LONG[3])),
            Fail(400, body={"error": TOO_LONG[2]}),
            Fail(400, body={"type": "error", "error": {"message": TOO_LONG[5]}}),
            Fail(413, "Request entity too large"),
            Fail(500, body={"message": TOO_LONG[4]}),
            Body('data: {"error": {"message": "Context size has been exceeded."}}\n\n'),
        ],
    )
    async def test_shorten_the_conversation(self, harness: EngineHarness, reply: Reply) -> None:
        harness.provider.then(CallTools([("calculator", {"expression": "6*7"})]), reply)
        harness.provider.on(Say("short"))

        recorder = await harness.run(workflow([agent(tools=["calculator"])]), stream_tokens=True)

        assert isinstance(recorder.outcome, Completed)
        assert recorder.one("llm.failed").data.error.code == "context-too-long"
        assert len(harness.provider.requests) == 4

    async def test_fail_where_shortening_is_forbidden(self, harness: EngineHarness) -> None:
        settings: dict[str, Any] = {"respect_context_window": False}
        harness.provider.on(Fail(400, body=openai_error(TOO_LONG[5])))

        recorder = await harness.run(workflow([agent(**settings)]))

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "context-too-long"
