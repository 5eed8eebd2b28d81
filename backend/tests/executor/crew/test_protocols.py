"""Runs whose models speak the protocols of Anthropic, Gemini and Bedrock: the same outcome in each."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

from crewai_runner.domain.budget import Budget
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.provider import ProviderType
from crewai_runner.executor.port import Completed, Failed, ModelBinding, OutOfBudget, Stopped
from tests.executor.crew.harness import EngineHarness, Recorder, agent, stop_after, workflow
from tests.executor.crew.llm_support import create_llm
from tests.executor.engine_modules import import_engine_module
from tests.support.provider.protocols import Protocol, Turn, refusal
from tests.support.scripted_provider import Drop

pytest.importorskip("anthropic")
pytest.importorskip("google.genai")
pytest.importorskip("aiobotocore")
pytestmark = pytest.mark.crew

call_outcome = import_engine_module("llm.call_outcome")
BedrockModel = import_engine_module("llm.bedrock").BedrockModel
TOOLS = [agent(tools=["calculator"])]
PRODUCT = ("calculator", {"expression": "6*7"})
MODELS = {
    Protocol.ANTHROPIC: (ProviderType.ANTHROPIC, "claude-opus-4-1", "own-key"),
    Protocol.GEMINI: (ProviderType.GEMINI, "gemini-2.5-flash", "own-key"),
    Protocol.BEDROCK: (ProviderType.BEDROCK, "anthropic.claude-3-7-sonnet-20250219-v1:0", "AKIAOWN:own-key"),
}
MakeModel = Callable[..., ModelBinding]


class Title(BaseModel):
    title: str


@pytest.fixture(params=list(Protocol), ids=lambda protocol: protocol.value)
def protocol(request: pytest.FixtureRequest) -> Protocol:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def make_model(harness: EngineHarness, monkeypatch: pytest.MonkeyPatch) -> MakeModel:
    """Return a function that makes a model of a protocol; its retries do not wait."""
    monkeypatch.setattr(call_outcome, "_FIRST_WAIT_SECONDS", 0.0)
    connection = BedrockModel._connection
    local = {"endpoint_url": harness.provider.url}
    monkeypatch.setattr(BedrockModel, "_connection", lambda self: connection(self) | local)

    def make(protocol: Protocol, **settings: Any) -> ModelBinding:
        provider_type, name, key = MODELS[protocol]
        return harness.model(
            provider_type=provider_type,
            model=name,
            api_key=SecretStr(key),
            base_url=None if protocol is Protocol.BEDROCK else harness.provider.url,
            settings=ModelSettings(**{"max_retries": 0, "timeout_seconds": 30, **settings}),
        )

    return make


def warnings(recorder: Recorder) -> list[str]:
    return [event.data.code for event in recorder.all("warning.raised")]


def sent_text(harness: EngineHarness, number: int) -> str:
    return json.dumps(harness.provider.requests[number - 1].payload)


class TestAnswers:
    @pytest.mark.parametrize("streamed", [False, True])
    async def test_text_and_usage(
        self, harness: EngineHarness, make_model: MakeModel, protocol: Protocol, streamed: bool
    ) -> None:
        harness.provider.then(Turn("Old pond.", thinking="a secret thought"))

        recorder = await harness.run(models=[make_model(protocol)], stream_tokens=streamed)

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.raw.strip() == "Old pond."
        usage = recorder.one("llm.completed").data.usage
        assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (5, 2, 7)
        assert "secret" not in recorder.as_text()
        assert ("".join(e.data.text for e in recorder.all("llm.chunk")).strip() == "Old pond.") is streamed

    @pytest.mark.parametrize(
        ("protocol", "usage"),
        [
            (Protocol.ANTHROPIC, {"input_tokens": -5, "output_tokens": "many"}),
            (
                Protocol.GEMINI,
                {"promptTokenCount": -5, "candidatesTokenCount": 10**30, "totalTokenCount": None},
            ),
            (Protocol.BEDROCK, {"inputTokens": -5, "outputTokens": 10**30, "totalTokens": -1}),
        ],
        ids=lambda value: value.value if isinstance(value, Protocol) else "",
    )
    async def test_impossible_usage_is_unknown(
        self, harness: EngineHarness, make_model: MakeModel, protocol: Protocol, usage: dict[str, Any]
    ) -> None:
        harness.provider.then(Turn("Old pond.", usage=usage))

        recorder = await harness.run(models=[make_model(protocol)])

        assert isinstance(recorder.outcome, Completed)
        reported = recorder.one("llm.completed").data.usage
        assert (reported.prompt_tokens, reported.completion_tokens) == (None, None)
        assert warnings(recorder) == ["usage-impossible"]

    @pytest.mark.parametrize("streamed", [False, True])
    async def test_tool_calls_with_one_id_and_reasoning_that_goes_back(
        self, harness: EngineHarness, make_model: MakeModel, protocol: Protocol, streamed: bool
    ) -> None:
        calls = [PRODUCT, ("calculator", {"expression": "1+1"})]
        harness.provider.then(
            Turn(thinking="I multiply.", calls=calls, call_id="same"), Turn(calls=[PRODUCT]), Turn("done")
        )

        recorder = await harness.run(workflow(TOOLS), models=[make_model(protocol)], stream_tokens=streamed)

        assert isinstance(recorder.outcome, Completed)
        assert sorted(event.data.output for event in recorder.all("tool.completed")) == ["2", "42", "42"]
        last = sent_text(harness, 3)
        assert last.count("c2lnbmVk") == 1
        kind = {"anthropic": "tool_use_id", "gemini": "functionResponse", "bedrock": "toolResult"}[
            protocol.value
        ]
        assert last.count(f'"{kind}"') == 3
        if protocol is not Protocol.GEMINI:
            assert "I multiply." in last
            assert last.count("same") == 2


class TestFinishReasons:
    @pytest.mark.parametrize(
        ("protocol", "finish", "code", "with_text"),
        [
            (Protocol.ANTHROPIC, "max_tokens", "answer-truncated", "answer-truncated"),
            (Protocol.ANTHROPIC, "refusal", "answer-refused", "answer-refused"),
            (Protocol.ANTHROPIC, "pause_turn", "provider-empty", "answer-unfinished"),
            (Protocol.GEMINI, "MAX_TOKENS", "answer-truncated", "answer-truncated"),
            (Protocol.GEMINI, "SAFETY", "answer-filtered", "answer-filtered"),
            (Protocol.GEMINI, "OTHER", "provider-empty", "answer-unfinished"),
            (Protocol.BEDROCK, "max_tokens", "answer-truncated", "answer-truncated"),
            (Protocol.BEDROCK, "guardrail_intervened", "answer-filtered", "answer-filtered"),
            (Protocol.BEDROCK, "content_filtered", "answer-filtered", "answer-filtered"),
        ],
    )
    async def test_fail_without_text_and_warn_with_it(
        self,
        harness: EngineHarness,
        make_model: MakeModel,
        protocol: Protocol,
        finish: str,
        code: str,
        with_text: str,
    ) -> None:
        harness.provider.then(Turn(finish=finish), Turn("The first", finish=finish))

        empty = await harness.run(models=[make_model(protocol)])
        partial = await harness.run(models=[make_model(protocol)], stream_tokens=True)

        assert isinstance(empty.outcome, Failed)
        assert empty.outcome.failure.code == code
        assert finish in empty.outcome.failure.message
        assert isinstance(partial.outcome, Completed)
        assert warnings(partial) == [with_text]

    async def test_blocked_prompt(self, harness: EngineHarness, make_model: MakeModel) -> None:
        class Blocked:
            async def send(self, chat: Any) -> None:
                chat.send_json(200, {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {}})

        harness.provider.then(Blocked())

        recorder = await harness.run(models=[make_model(Protocol.GEMINI)])

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "answer-filtered"
        assert "SAFETY" in recorder.outcome.failure.message


class TestRetries:
    @pytest.mark.parametrize("status", [429, 500, 503, 529])
    async def test_of_temporary_errors_are_calls_of_their_own(
        self, harness: EngineHarness, make_model: MakeModel, protocol: Protocol, status: int
    ) -> None:
        harness.provider.then(refusal(protocol, status, "Please try later", retry_after=0.01), Turn("whole"))

        recorder = await harness.run(models=[make_model(protocol, max_retries=1)])

        assert isinstance(recorder.outcome, Completed)
        assert [event.data.call for event in recorder.all("llm.started")] == [1, 2]
        assert recorder.one("llm.failed").data.call == 1
        assert warnings(recorder) == ["provider-retry"]

    @pytest.mark.parametrize("end", ["drop", "unfinished", "error"])
    async def test_of_an_interrupted_stream_are_bounded(
        self, harness: EngineHarness, make_model: MakeModel, protocol: Protocol, end: str
    ) -> None:
        overloaded = {
            Protocol.ANTHROPIC: {"type": "overloaded_error", "message": "Overloaded"},
            Protocol.GEMINI: {"code": 503, "message": "Overloaded", "status": "UNAVAILABLE"},
            Protocol.BEDROCK: {"type": "serviceUnavailableException", "message": "Overloaded"},
        }[protocol]
        turns = {
            "drop": Turn("The first half", cut="drop"),
            "unfinished": Turn(finish=None),
            "error": Turn("The first half", error=overloaded),
        }
        harness.provider.on(turns[end])

        recorder = await harness.run(models=[make_model(protocol, max_retries=2)], stream_tokens=True)

        assert isinstance(recorder.outcome, Failed)
        code = "provider-error" if end == "error" else "provider-interrupted"
        assert recorder.outcome.failure.code == code
        assert ("Overloaded" in recorder.outcome.failure.message) is (end == "error")
        assert len(harness.provider.requests) == 3
        assert len(recorder.all("llm.failed")) == 3

    async def test_keep_to_the_budget(
        self, harness: EngineHarness, make_model: MakeModel, protocol: Protocol
    ) -> None:
        harness.provider.on(refusal(protocol, 500, "Broken", retry_after=0.01))

        recorder = await harness.run(
            models=[make_model(protocol, max_retries=5)], budget=Budget(max_llm_calls=2)
        )

        assert isinstance(recorder.outcome, OutOfBudget)
        assert len(harness.provider.requests) == 2

    async def test_of_a_lost_connection(
        self, harness: EngineHarness, make_model: MakeModel, protocol: Protocol
    ) -> None:
        harness.provider.then(Drop(), Turn("whole"))

        recorder = await harness.run(models=[make_model(protocol, max_retries=1)])

        assert isinstance(recorder.outcome, Completed)
        assert len(recorder.all("llm.started")) == 2


class TestErrors:
    async def test_have_the_words_of_the_provider(
        self, harness: EngineHarness, make_model: MakeModel, protocol: Protocol
    ) -> None:
        harness.provider.on(refusal(protocol, 400, "Your organization has no entitlement for purple."))

        recorder = await harness.run(models=[make_model(protocol)])

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "provider-bad-request"
        assert recorder.outcome.failure.message.endswith(": Your organization has no entitlement for purple.")

    @pytest.mark.parametrize(
        ("protocol", "message"),
        [
            (Protocol.ANTHROPIC, "prompt is too long: 210000 tokens > 200000 maximum"),
            (
                Protocol.GEMINI,
                "The input token count (1200000) exceeds the maximum number of tokens allowed.",
            ),
            (Protocol.BEDROCK, "Input is too long for requested model."),
        ],
    )
    async def test_too_long_conversation(
        self, harness: EngineHarness, make_model: MakeModel, protocol: Protocol, message: str
    ) -> None:
        harness.provider.on(refusal(protocol, 400, message))

        recorder = await harness.run(models=[make_model(protocol)])

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "context-too-long"
        assert {event.data.error.code for event in recorder.all("llm.failed")} == {"context-too-long"}

    @pytest.mark.parametrize(
        ("protocol", "message", "left_out"),
        [
            (
                Protocol.ANTHROPIC,
                "`temperature` and `top_p` cannot both be specified for this model.",
                "top_p",
            ),
            (
                Protocol.ANTHROPIC,
                "`temperature` may only be set to 1 when thinking is enabled.",
                "temperature",
            ),
            (Protocol.ANTHROPIC, "stop_sequences: Extra inputs are not permitted", "stop_sequences"),
            (Protocol.GEMINI, "Unsupported parameter: stopSequences is not supported.", "stopSequences"),
            (Protocol.BEDROCK, "This model doesn't support the temperature field.", "temperature"),
            (Protocol.BEDROCK, "Malformed input request: extraneous key [topP] is not permitted", "topP"),
        ],
    )
    async def test_refused_parameter_is_left_out(
        self, harness: EngineHarness, make_model: MakeModel, protocol: Protocol, message: str, left_out: str
    ) -> None:
        harness.provider.then(refusal(protocol, 400, message), Turn("done"), Turn("done"))
        model = make_model(protocol, temperature=0.0, top_p=0.5, stop=["END"])

        recorder = await harness.run(models=[model])
        again = await harness.run(models=[model])

        assert isinstance(recorder.outcome, Completed)
        assert isinstance(again.outcome, Completed)
        assert warnings(recorder) == ["parameter-refused"]
        assert [left_out in sent_text(harness, number) for number in (1, 2, 3)] == [True, False, False]
        assert ("END" in sent_text(harness, 2)) is ("stop" not in left_out)

    async def test_refused_tools_are_called_in_text(
        self, harness: EngineHarness, make_model: MakeModel, protocol: Protocol
    ) -> None:
        harness.provider.then(
            refusal(protocol, 400, "Function calling is not enabled for this model"), Turn("Final Answer: 42")
        )

        recorder = await harness.run(workflow(TOOLS), models=[make_model(protocol)])

        assert isinstance(recorder.outcome, Completed)
        assert warnings(recorder) == ["parameter-refused"]


class TestStop:
    @pytest.mark.parametrize("streamed", [False, True])
    async def test_closes_the_connection(
        self, harness: EngineHarness, make_model: MakeModel, protocol: Protocol, streamed: bool
    ) -> None:
        harness.provider.on(Turn("The first", cut="hang"))
        spec = harness.spec(models=[make_model(protocol)], stream_tokens=streamed)
        recorder, run = harness.start(spec)

        await stop_after(harness, recorder, run, 1)

        assert isinstance(recorder.outcome, Stopped)
        await harness.wait_for_disconnects(1)
        assert recorder.one("llm.failed").data.error.code == "call-cut-short"


class TestStructuredOutput:
    @pytest.mark.parametrize("streamed", [False, True])
    async def test_is_an_object_or_the_text(
        self, harness: EngineHarness, make_model: MakeModel, protocol: Protocol, streamed: bool
    ) -> None:
        right = (
            Turn('{"title": "Tea"}')
            if protocol is Protocol.GEMINI
            else Turn(calls=[("structured_output", {"title": "Tea"})])
        )
        harness.provider.then(right, Turn("I would rather not."))
        llm = create_llm(make_model(protocol), stream=streamed)
        try:
            found = await llm.acall("Which title?", response_model=Title)
            missing = await llm.acall("Which title?", response_model=Title)
        finally:
            await llm._async_client.close()

        assert found == Title(title="Tea")
        assert missing.strip() == "I would rather not."
        assert "structured_output" in sent_text(harness, 1) or protocol is Protocol.GEMINI
