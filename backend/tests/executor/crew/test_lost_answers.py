"""Runs whose answers are lost, cut off, filtered or refused."""

import json
from typing import Any

import pytest

from crewai_runner.domain.budget import Budget
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.executor.port import Completed, Failed, OutOfBudget
from tests.executor.crew.harness import EngineHarness, Recorder, agent, workflow
from tests.executor.engine_modules import import_engine_module
from tests.support.scripted_provider import Body, CallTools, Drop, Reply, Say

pytestmark = pytest.mark.crew

check = import_engine_module("llm.answer.check")
call_outcome = import_engine_module("llm.call_outcome")
TOOLS = [agent(tools=["calculator"])]


def stream(*deltas: dict[str, Any], finish: str | None = "stop", **more: Any) -> Body:
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": finish})
    lines = [json.dumps({"id": "c", "choices": [one], **more}) for one in choices]
    return Body("".join(f"data: {line}\n\n" for line in lines) + "data: [DONE]\n\n")


@pytest.fixture(autouse=True)
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_outcome, "_FIRST_WAIT_SECONDS", 0.0)


def warnings(recorder: Recorder) -> list[str]:
    return [event.data.code for event in recorder.all("warning.raised")]


class TestLostAnswers:
    @pytest.mark.parametrize(
        "reply",
        [
            Drop(["The first half"]),
            Body('data: {"choices": [{"delta": {"content": "x"}}]}\n\ndata: {"error": {"code": 502}}\n\n'),
            Body('{"error": {"code": 429, "message": "slow down"}}', "application/json"),
            stream({"content": "half"}, finish="error"),
        ],
    )
    async def test_are_asked_for_again_and_counted(self, harness: EngineHarness, reply: Reply) -> None:
        harness.provider.then(reply, Say("whole"))
        model = harness.model(settings=ModelSettings(max_retries=1))

        recorder = await harness.run(models=[model], stream_tokens=True)

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.raw == "whole"
        assert [event.data.call for event in recorder.all("llm.started")] == [1, 2]
        assert recorder.one("llm.failed").data.call == 1
        assert warnings(recorder) == ["provider-retry"]

    async def test_retries_are_bounded(self, harness: EngineHarness) -> None:
        harness.provider.on(Drop(["The first half"]))
        model = harness.model(settings=ModelSettings(max_retries=2))

        recorder = await harness.run(models=[model], stream_tokens=True)

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "provider-interrupted"
        assert "base URL" not in f"{recorder.outcome.failure.message}{recorder.outcome.failure.hint}"
        assert len(harness.provider.requests) == 3

    async def test_retries_keep_to_the_budget(self, harness: EngineHarness) -> None:
        harness.provider.on(Drop(["The first half"]))
        model = harness.model(settings=ModelSettings(max_retries=5))

        recorder = await harness.run(models=[model], stream_tokens=True, budget=Budget(max_llm_calls=2))

        assert isinstance(recorder.outcome, OutOfBudget)
        assert len(harness.provider.requests) == 2

    async def test_failed_answer_keeps_its_usage(self, harness: EngineHarness) -> None:
        usage = {"prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8}
        harness.provider.then(stream({"refusal": "I can't."}, usage=usage))

        recorder = await harness.run(stream_tokens=True)

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "answer-refused"
        assert "I can't." in recorder.outcome.failure.message


class TestFinishReasons:
    @pytest.mark.parametrize(
        ("finish", "code"),
        [
            ("length", "answer-truncated"),
            ("content_filter", "answer-filtered"),
            ("SAFETY", "answer-filtered"),
            ("refusal", "answer-refused"),
            ("max_tokens", "answer-truncated"),
            ("tool_calls", "provider-empty"),
        ],
    )
    async def test_of_an_empty_answer_fail(self, harness: EngineHarness, finish: str, code: str) -> None:
        harness.provider.then(stream(finish=finish))

        recorder = await harness.run(stream_tokens=True)

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == code
        assert finish in recorder.outcome.failure.message

    @pytest.mark.parametrize(
        ("finish", "code"),
        [
            ("length", "answer-truncated"),
            ("FinishReason.MAX_TOKENS", "answer-truncated"),
            ("model_context_window_exceeded", "answer-truncated"),
            ("content_filter", "answer-filtered"),
            ("guardrail_intervened", "answer-filtered"),
            ("tool_calls", "tool-call-missing"),
            ("something_new", "answer-unfinished"),
        ],
    )
    async def test_of_an_incomplete_answer_warn(self, harness: EngineHarness, finish: str, code: str) -> None:
        harness.provider.then(stream({"content": "The first"}, finish=finish))

        recorder = await harness.run(stream_tokens=True)

        assert isinstance(recorder.outcome, Completed)
        assert warnings(recorder) == [code]

    @pytest.mark.parametrize(
        "finish", [None, "", "stop", "STOP", "end_turn", "eos_token", "FinishReason.STOP"]
    )
    def test_ordinary(self, finish: str | None) -> None:
        check.check_answer(finish, "text")

        assert check.find_warning(finish, "m", has_tool_calls=False) is None

    async def test_cut_tool_arguments_are_reported_to_the_model(self, harness: EngineHarness) -> None:
        cut = {"index": 0, "id": "a", "function": {"name": "calculator", "arguments": '{"expression": "1+'}}
        harness.provider.then(stream({"tool_calls": [cut]}, finish="length"), Say("done"))

        recorder = await harness.run(workflow(TOOLS), stream_tokens=True)

        assert isinstance(recorder.outcome, Completed)
        assert "answer-truncated" in warnings(recorder)
        assert "valid JSON" in harness.provider.requests[1].last_message


class TestReasoning:
    async def test_goes_back_with_the_tool_results(self, harness: EngineHarness) -> None:
        call = {
            "index": 0,
            "id": "a",
            "function": {"name": "calculator", "arguments": '{"expression": "6*7"}'},
        }
        harness.provider.then(
            stream({"reasoning_content": "I "}, {"reasoning_content": "multiply."}, {"tool_calls": [call]}),
            CallTools([("calculator", {"expression": "1+1"})]),
            Say("42"),
        )

        recorder = await harness.run(workflow(TOOLS), stream_tokens=True)

        assert isinstance(recorder.outcome, Completed)
        asked = [m for m in harness.provider.requests[2].payload["messages"] if m.get("tool_calls")]
        assert [message.get("reasoning_content") for message in asked] == ["I multiply.", None]

    async def test_that_was_shown_before_its_end_tag_is_replaced(self, harness: EngineHarness) -> None:
        harness.provider.then(Say("", chunks=["sec", "ret", "</think>Old ", "pond."]))

        recorder = await harness.run(stream_tokens=True)

        shown = ""
        for event in recorder.all("llm.chunk"):
            shown = event.data.text if event.data.replaces else shown + event.data.text
        assert shown == recorder.one("llm.completed").data.text == "Old pond."

    @pytest.mark.parametrize("streamed", [True, False])
    async def test_in_tags_is_no_part_of_the_result(self, harness: EngineHarness, streamed: bool) -> None:
        harness.provider.then(Say("", chunks=["<th", "ink>sec", "ret</think>", "\n\nOld ", "pond."]))

        recorder = await harness.run(stream_tokens=streamed)

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.raw == "Old pond."
        assert recorder.one("llm.completed").data.text == "Old pond."
        assert "secret" not in recorder.as_text()
