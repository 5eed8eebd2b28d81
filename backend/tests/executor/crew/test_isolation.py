import asyncio
import gc
import os
import re
import threading
from collections import Counter
from pathlib import Path

import pytest

from crewai_runner.executor.port import Completed, RunSpec
from tests.executor.crew.harness import (
    SECRET_CANARY,
    EngineHarness,
    Recorder,
    agent,
    sequential_workflow,
    task,
    workflow,
)
from tests.support.scripted_provider import CallTools, Fail, Hang, RecordedRequest, Reply, Say

pytestmark = pytest.mark.crew
MARKER = re.compile(r"MARK-(\d+)-")


def answer_with_marker(request: RecordedRequest) -> Reply:
    marker = MARKER.search(request.text)
    assert marker is not None
    if request.tools and "tool" not in [message["role"] for message in request.messages]:
        return CallTools([("calculator", {"expression": f"{marker.group(1)} + 0"})])
    return Say(f"answer to {marker.group(0)} of call {request.number}")


def spec_with_marker(harness: EngineHarness, number: int) -> RunSpec:
    tasks = [
        task("draft", description="Do MARK-{n}- first", tools=["calculator"]),
        task("edit", "editor", description="Do MARK-{n}- next", async_execution=number % 2 == 0),
    ]
    definition = workflow([agent("writer"), agent("editor")], tasks)
    return harness.spec(
        definition, inputs={"n": number}, run_id=f"run-{number}", stream_tokens=number % 3 == 0
    )


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def workflow_with_tool() -> object:
    return workflow([agent(tools=["calculator"])])


class TestConcurrentRuns:
    async def test_fifty_runs_receive_their_own_events_only(self, harness: EngineHarness) -> None:
        harness.provider.on(answer_with_marker)

        runs = await asyncio.gather(
            *(harness.run_spec(spec_with_marker(harness, number)) for number in range(50))
        )

        for number, recorder in enumerate(runs):
            assert isinstance(recorder.outcome, Completed)
            assert {event.run_id for event in recorder.events} == {f"run-{number}"}
            assert set(MARKER.findall(recorder.as_text())) == {str(number)}
            assert recorder.one("tool.completed").data.output == str(number)
            assert Counter(recorder.types) == {
                "task.started": 2,
                "agent.started": 2,
                "llm.started": 3,
                "llm.completed": 3,
                "tool.started": 1,
                "tool.completed": 1,
                "agent.completed": 2,
                "task.completed": 2,
            }
            assert [event.data.call for event in recorder.all("llm.started")] == [1, 2, 3]
            assert recorder.types[0] == "task.started"
            assert recorder.types[-1] == "task.completed"

    async def test_no_model_call_is_reported_to_two_runs(self, harness: EngineHarness) -> None:
        first, second = await asyncio.gather(
            harness.run(sequential_workflow()), harness.run(sequential_workflow())
        )

        calls = [
            {event.data.call_id for event in recorder.all("llm.started")} for recorder in (first, second)
        ]
        assert not calls[0] & calls[1]

    async def test_crewais_listeners_stay_removed(self, harness: EngineHarness) -> None:
        from crewai.events.event_bus import crewai_event_bus

        await harness.run()

        assert not crewai_event_bus._sync_handlers
        assert not crewai_event_bus._async_handlers

    async def test_a_hundred_runs_leak_no_threads_or_files(self, harness: EngineHarness) -> None:
        from crewai.events.event_listener import event_listener

        harness.provider.on(Fail(500), contains="Do bad")
        harness.provider.on(Hang(), contains="Do hang")

        async def batch(size: int) -> None:
            good = [harness.run_spec(harness.spec(sequential_workflow())) for _ in range(size)]
            bad = [harness.run_spec(harness.spec(workflow(tasks=[task("bad")]))) for _ in range(size // 5)]
            started = [harness.start(harness.spec(workflow(tasks=[task("hang")]))) for _ in range(size // 5)]
            await asyncio.gather(*good, *bad)
            for recorder, run in started:
                while not recorder.all("llm.started"):
                    await asyncio.sleep(0.01)
                recorder.control.stop()
                await run

        await batch(10)
        gc.collect()
        threads, files = threading.active_count(), open_files()

        for _ in range(7):
            await batch(10)
        gc.collect()

        assert threading.active_count() <= threads + 10
        assert open_files() <= files + 10
        assert len(event_listener.execution_spans) == 0


class TestSecrets:
    async def test_events_outcomes_logs_and_output_contain_no_key(
        self, harness: EngineHarness, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
    ) -> None:
        harness.provider.then(Say(f"the key is {SECRET_CANARY}"))
        harness.provider.on(Fail(401, f"Incorrect API key provided: {SECRET_CANARY}"), contains="Do edit")

        good = await harness.run(workflow_with_tool())
        bad = await harness.run(sequential_workflow())

        for recorder in (good, bad):
            assert recorder.events
            assert SECRET_CANARY not in recorder.as_text()
        assert SECRET_CANARY not in caplog.text
        printed = capfd.readouterr()
        assert SECRET_CANARY not in printed.out + printed.err
        assert all(request.api_key == SECRET_CANARY for request in harness.provider.requests)

    async def test_keys_in_the_environment_are_not_sent(
        self, harness: EngineHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENROUTER_API_KEY"):
            monkeypatch.setenv(name, "sk-from-environment")
        monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
        model_without_key = harness.model(api_key=None)
        spec = harness.spec(workflow(tasks=[task(guardrails=["polite"])]), models=[model_without_key])
        harness.provider.on(Say('{"valid": true}'), contains="Ensure the following task result complies")

        recorder = await harness.run_spec(spec)

        assert isinstance(recorder.outcome, Completed)
        assert harness.provider.requests
        assert not any("sk-from-environment" in str(r.headers) for r in harness.provider.requests)
        assert os.environ["OPENAI_API_KEY"] == "sk-from-environment"


class TestTruncation:
    async def test_texts_are_truncated_in_events_but_not_in_the_result(self, harness: EngineHarness) -> None:
        harness.provider.then(Say("x" * 300_000))

        recorder: Recorder = await harness.run()

        assert isinstance(recorder.outcome, Completed)
        assert len(recorder.outcome.result.raw) == 300_000
        assert len(recorder.one("task.completed").data.raw) == 300_000
        text = recorder.one("llm.completed").data.text
        assert len(text) < 257_000
        assert text.endswith("[truncated: 300000 characters in total]")

    async def test_prompt_is_truncated(self, harness: EngineHarness) -> None:
        recorder = await harness.run(workflow(tasks=[task(description="long " * 2_000)]))

        assert len(recorder.one("llm.started").data.prompt) < 2_100
