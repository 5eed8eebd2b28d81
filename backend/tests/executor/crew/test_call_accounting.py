"""Every request to a model is a counted call with a start and an end, whatever ends it."""

import asyncio
import json
import threading
from concurrent.futures import Future
from typing import Any

import pytest

from crewai_runner.domain.budget import Budget
from crewai_runner.domain.model_settings import ModelSettings
from crewai_runner.domain.run import RunFailure, TaskResult
from crewai_runner.domain.usage import Usage
from crewai_runner.executor.crew.llm.observed_client import UsageScanner
from crewai_runner.executor.port import Completed, Failed, OutOfBudget, RunControl, Stopped
from tests.executor.crew.harness import (
    EngineHarness,
    Recorder,
    agent,
    sequential_workflow,
    stop_after,
    task,
    workflow,
)
from tests.support.scripted_provider import Drop, Fail, Hang, HangMidStream, Say
from tests.support.scripted_provider import Usage as Tokens

pytestmark = pytest.mark.crew
SCHEMA = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
JSON_TASK = workflow(tasks=[task(output_json=SCHEMA)])
FACT = "The harvest festival of Ottery falls on the ninth of October."


def ended_calls(recorder: Recorder) -> list[Any]:
    return [event for event in recorder.events if event.type in ("llm.completed", "llm.failed")]


def assert_all_calls_ended(recorder: Recorder, requests: int) -> None:
    started = {event.data.call_id: event.data.call for event in recorder.all("llm.started")}
    assert started == {event.data.call_id: event.data.call for event in ended_calls(recorder)}
    assert sorted(started.values()) == list(range(1, requests + 1))


class TestCutCalls:
    @pytest.mark.parametrize("reply", [Hang(), HangMidStream("half an answer")])
    async def test_stopped_call_is_ended_and_counted(self, harness: EngineHarness, reply: Any) -> None:
        harness.provider.on(reply)
        recorder, run = harness.start(harness.spec(stream_tokens=True))

        await stop_after(harness, recorder, run, 1)

        assert isinstance(recorder.outcome, Stopped)
        assert_all_calls_ended(recorder, 1)
        failed = recorder.one("llm.failed")
        assert failed.data.error.code == "call-cut-short"
        assert failed.data.usage == Usage.of_call()

    async def test_cancelled_attempt_ends_its_calls(self, harness: EngineHarness) -> None:
        harness.provider.on(Hang())
        recorder, run = harness.start(harness.spec())
        await harness.wait_for_requests(1)

        run.cancel()
        await asyncio.wait([run])

        assert_all_calls_ended(recorder, 1)

    async def test_agent_out_of_time(self, harness: EngineHarness) -> None:
        harness.provider.on(Hang())

        recorder = await harness.run(workflow([agent(max_execution_time=1)]))

        assert isinstance(recorder.outcome, Failed)
        assert_all_calls_ended(recorder, 1)

    async def test_usage_reported_before_the_cut_is_kept(self, harness: EngineHarness) -> None:
        found: list[dict[str, Any]] = []
        scanner = UsageScanner(found.append, by_line=True)

        for piece in (b'data: {"us', b'age": {"prompt_tokens": 7, "total_tokens": 9}}\n\nda', b"ta"):
            scanner.feed(piece)
        scanner.finish()

        assert found == [{"prompt_tokens": 7, "total_tokens": 9}]


class TestRepeatedRequests:
    async def test_each_request_is_a_call(self, harness: EngineHarness) -> None:
        harness.provider.then(Fail(500), Drop())
        retrying_model = harness.model(settings=ModelSettings(max_retries=2))

        recorder = await harness.run(models=[retrying_model], budget=Budget(max_llm_calls=5))

        assert isinstance(recorder.outcome, Completed)
        assert_all_calls_ended(recorder, 3)
        assert [event.data.will_retry for event in recorder.all("llm.failed")] == [True, True]
        assert recorder.all("llm.failed")[0].data.usage.total_tokens == 0
        assert recorder.all("llm.failed")[1].data.usage.total_tokens is None

    async def test_retries_stay_within_the_budget(self, harness: EngineHarness) -> None:
        harness.provider.on(Fail(500))
        retrying_model = harness.model(settings=ModelSettings(max_retries=5))

        recorder = await harness.run(models=[retrying_model], budget=Budget(max_llm_calls=2))

        assert isinstance(recorder.outcome, OutOfBudget)
        assert len(harness.provider.requests) == 2
        assert_all_calls_ended(recorder, 2)


class TestUnknownUsage:
    async def test_keeps_the_known_sum(self, harness: EngineHarness) -> None:
        harness.provider.then(Say("a", usage=Tokens(60, 40)), Say("b", report_usage=False))

        recorder = await harness.run(sequential_workflow(), budget=Budget(max_tokens=10_000))

        sum_of_calls = Usage()
        for event in ended_calls(recorder):
            sum_of_calls = sum_of_calls.plus(event.data.usage)
        assert (sum_of_calls.total_tokens, sum_of_calls.calls_without_usage) == (100, 1)

        resumed = await harness.run(budget=Budget(max_tokens=100), prior_usage=sum_of_calls)
        assert isinstance(resumed.outcome, OutOfBudget)
        assert len(harness.provider.requests) == 2


class TestHiddenCalls:
    async def test_embeddings(self, harness: EngineHarness) -> None:
        models = [harness.model(), harness.embedder()]
        spec = harness.spec(workflow(knowledge=[FACT], embedder="embedder"), models=models)

        recorder = await harness.run_spec(spec)

        requests = len(harness.provider.requests) + len(harness.provider.other_requests)
        assert_all_calls_ended(recorder, requests)
        embeddings = [event for event in recorder.all("llm.completed") if event.data.model == "embedder"]
        assert len(embeddings) == len(harness.provider.other_requests) > 0
        assert all(event.data.usage.total_tokens for event in embeddings)

    async def test_embeddings_beyond_the_budget_are_not_requested(self, harness: EngineHarness) -> None:
        models = [harness.model(), harness.embedder()]
        definition = workflow([agent(knowledge=[FACT])], knowledge=[FACT], embedder="embedder")

        recorder = await harness.run_spec(
            harness.spec(definition, models=models, budget=Budget(max_llm_calls=1))
        )

        assert isinstance(recorder.outcome, OutOfBudget)
        assert (len(harness.provider.requests), len(harness.provider.other_requests)) == (0, 1)

    async def test_memory(self, harness: EngineHarness) -> None:
        harness.provider.on(Say(json.dumps({"memories": [FACT]})), contains="memories", times=1)
        models = [harness.model(), harness.embedder()]
        definition = workflow(tasks=[task("draft"), task("again")], memory=True, embedder="embedder")

        recorder = await harness.run_spec(harness.spec(definition, models=models))

        requests = len(harness.provider.requests) + len(harness.provider.other_requests)
        assert_all_calls_ended(recorder, requests)

    async def test_guardrail_whose_verdict_is_no_json(self, harness: EngineHarness) -> None:
        harness.provider.on(Say("I would say yes."), contains="complies with the given guardrail")
        definition = workflow(tasks=[task(guardrails=["Be short."], guardrail_max_retries=0)])

        recorder = await harness.run(definition)

        assert isinstance(recorder.outcome, Failed)
        assert len(harness.provider.requests) > 2
        assert_all_calls_ended(recorder, len(harness.provider.requests))


class TestStructuredOutput:
    @pytest.mark.parametrize("supports_tools", [True, False])
    async def test_prose_is_asked_for_again_within_the_budget(
        self, harness: EngineHarness, supports_tools: bool
    ) -> None:
        harness.provider.on(Say("Tea is the title."))
        models = [harness.model(supports_tools=supports_tools)]

        recorder = await harness.run(JSON_TASK, models=models, budget=Budget(max_llm_calls=2))

        assert isinstance(recorder.outcome, OutOfBudget)
        assert len(harness.provider.requests) == 2
        assert_all_calls_ended(recorder, 2)

    async def test_prose_in_the_end_fails(self, harness: EngineHarness) -> None:
        harness.provider.on(Say("Tea is the title."))

        recorder = await harness.run(JSON_TASK)

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "output-invalid"
        assert "'draft'" in recorder.outcome.failure.message
        assert_all_calls_ended(recorder, 3)

    async def test_second_answer_counts(self, harness: EngineHarness) -> None:
        harness.provider.then(Say("Tea is the title."), Say('```json\n{"title": "Tea"}\n```'))

        recorder = await harness.run(JSON_TASK)

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.json_output == {"title": "Tea"}
        assert "JSON Schema" in harness.provider.requests[-1].text

    async def test_after_a_guardrail(self, harness: EngineHarness) -> None:
        harness.provider.on(Say('{"valid": true}'), contains="complies with the given guardrail")
        harness.provider.on(Say("Tea is the title."))
        definition = workflow(tasks=[task(output_json=SCHEMA, guardrails=["Be short."])])

        recorder = await harness.run(definition)

        assert isinstance(recorder.outcome, Failed)
        assert recorder.outcome.failure.code == "output-invalid"

    async def test_restored_prose_is_not_a_result(self, harness: EngineHarness) -> None:
        harness.provider.on(Say('{"title": "Tea"}'))
        finished = {"draft": TaskResult(raw="prose", json_output=None, agent="writer")}

        recorder = await harness.run(JSON_TASK, finished_tasks=finished)

        assert isinstance(recorder.outcome, Completed)
        assert recorder.outcome.result.json_output == {"title": "Tea"}


class TestAnswerText:
    async def test_event_says_what_is_missing(self, harness: EngineHarness) -> None:
        text = "word " * 60_000
        harness.provider.on(Say(text, chunks=[text]))

        recorder = await harness.run()

        data = recorder.one("llm.completed").data
        assert (data.text_length, data.is_truncated) == (len(text), True)
        assert recorder.one("task.completed").data.raw == text


class TestBacklog:
    async def test_no_request_is_sent_until_waiting_events_are_stored(self, harness: EngineHarness) -> None:
        harness.provider.on(Say("Tea."))
        stored: Future[None] = Future()
        waiting = threading.Event()

        def flush() -> Future[None]:
            waiting.set()
            return stored

        recorder, run = harness.start(harness.spec())
        recorder.control = RunControl(flush)
        recorder.control.set_backlog(True)

        await asyncio.to_thread(waiting.wait)
        assert harness.provider.requests == []
        stored.set_result(None)
        await run

        assert isinstance(recorder.outcome, Completed)
        assert len(harness.provider.requests) == 1


class TestSpendingOfTheWorkspace:
    async def test_next_call_is_not_made_once_it_is_used_up(self, harness: EngineHarness) -> None:
        refusal = RunFailure(code="spent", message="The month's money is spent.")

        def flush() -> Future[None]:
            if ended_calls(recorder):
                recorder.control.limit_spending(refusal)
            stored: Future[None] = Future()
            stored.set_result(None)
            return stored

        recorder, run = harness.start(harness.spec(sequential_workflow()))
        recorder.control = RunControl(flush)
        recorder.control.limit_spending(None)
        await run

        assert recorder.outcome == Failed(refusal)
        assert len(harness.provider.requests) == len(recorder.all("task.completed")) == 1
        assert_all_calls_ended(recorder, 1)
