import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from crewai_runner.domain.run import StopMode
from crewai_runner.executor.crew.attempt.start_queue import StartQueue
from crewai_runner.executor.port import Completed, NeedsHuman, Stopped
from tests.executor.crew.harness import (
    EngineHarness,
    Recorder,
    agent,
    hierarchical_workflow,
    parallel_workflow,
    sequential_workflow,
    stop_after,
    task,
    workflow,
)
from tests.support.scripted_provider import CallTools, Fail, Hang, HangMidStream, Hold, Say

pytestmark = pytest.mark.crew
LONG_SECONDS = 30
"""How long a call or tool would take without the stop."""
DELEGATE = {"task": "Write it", "context": "all of it", "coworker": "writer role"}
GUARDRAIL_PROMPT = "Ensure the following task result complies"


@pytest.fixture
def blocking_tool(monkeypatch: pytest.MonkeyPatch, engine: Any) -> Iterator[threading.Event]:
    """A tool named `wait` that blocks its thread until the event is set."""
    from crewai.tools import BaseTool

    from crewai_runner.executor.crew.build import crew_builder

    release = threading.Event()

    class Wait(BaseTool):  # type: ignore[misc]
        name: str = "wait"
        description: str = "Waits."

        def _run(self) -> str:
            release.wait(LONG_SECONDS)
            return "waited"

    monkeypatch.setattr(
        crew_builder, "make_tools", lambda names, _bindings, _calls: [Wait()] if names else []
    )
    yield release
    release.set()


class TestStopNow:
    async def test_closes_the_open_model_call_and_starts_no_other(self, harness: EngineHarness) -> None:
        harness.provider.on(Hang())
        recorder, run = harness.start(harness.spec(sequential_workflow()))

        await stop_after(harness, recorder, run, 1)

        await harness.wait_for_disconnects(1)
        assert recorder.outcome == Stopped(llm_calls_in_flight=1, llm_calls_after_stop=0, abandoned=())
        assert len(harness.provider.requests) == 1
        assert recorder.types[-1] == "task.skipped"
        assert recorder.events[-1].task_key == "edit"

    async def test_closes_an_open_stream(self, harness: EngineHarness) -> None:
        harness.provider.on(HangMidStream())
        recorder, run = harness.start(harness.spec(stream_tokens=True))
        await harness.wait_for_requests(1)

        await stop_after(harness, recorder, run, 1)

        await harness.wait_for_disconnects(1)
        assert isinstance(recorder.outcome, Stopped)
        assert recorder.outcome.abandoned == ()

    async def test_ends_the_wait_after_a_rate_limit(self, harness: EngineHarness) -> None:
        harness.provider.on(Fail(429, retry_after=LONG_SECONDS))
        retrying_model = harness.model(
            settings=harness.model().settings.model_copy(update={"max_retries": 3})
        )
        recorder, run = harness.start(harness.spec(models=[retrying_model]))

        seconds = await stop_after(harness, recorder, run, 1)

        assert seconds < LONG_SECONDS
        assert isinstance(recorder.outcome, Stopped)
        assert len(harness.provider.requests) == 1

    async def test_closes_the_calls_of_parallel_tasks(self, harness: EngineHarness) -> None:
        harness.provider.on(Hang())
        recorder, run = harness.start(harness.spec(parallel_workflow()))

        await stop_after(harness, recorder, run, 2)

        await harness.wait_for_disconnects(2)
        assert recorder.outcome == Stopped(llm_calls_in_flight=2)

    async def test_closes_the_call_of_delegated_work(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([("delegate_work_to_coworker", DELEGATE)]))
        harness.provider.on(Hang())
        recorder, run = harness.start(harness.spec(hierarchical_workflow()))

        await stop_after(harness, recorder, run, 2)

        await harness.wait_for_disconnects(1)
        assert isinstance(recorder.outcome, Stopped)
        assert recorder.outcome.llm_calls_in_flight == 1

    async def test_ends_the_delegation_of_delegated_work(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([("delegate_work_to_coworker", DELEGATE)]))
        harness.provider.on(Hang())
        recorder, run = harness.start(harness.spec(hierarchical_workflow()))

        await stop_after(harness, recorder, run, 2)

        failed = recorder.one("delegation.failed").data
        assert (failed.to, failed.cut_off) == ("writer", True)
        assert isinstance(recorder.outcome, Stopped)
        assert recorder.outcome.abandoned == ()

    async def test_cuts_off_a_tool_without_abandoning_it(self, harness: EngineHarness) -> None:
        harness.provider.then(CallTools([("wait", {"seconds": 30})]))
        recorder, run = harness.start(harness.spec(workflow([agent(tools=["wait"])])))
        while not recorder.all("tool.started"):
            await asyncio.sleep(0.01)

        await stop_after(harness, recorder, run, 1)

        assert recorder.outcome == Stopped(abandoned=())
        started, failed = recorder.one("tool.started").data, recorder.one("tool.failed").data
        assert (failed.tool_call_id, failed.cut_off) == (started.tool_call_id, True)

    async def test_closes_a_planning_call(self, harness: EngineHarness) -> None:
        harness.provider.on(Hang())
        recorder, run = harness.start(harness.spec(workflow([agent(planning=True)])))

        await stop_after(harness, recorder, run, 1)

        await harness.wait_for_disconnects(1)
        assert isinstance(recorder.outcome, Stopped)

    async def test_closes_a_guardrail_call(self, harness: EngineHarness) -> None:
        harness.provider.on(Hang(), contains=GUARDRAIL_PROMPT)
        recorder, run = harness.start(
            harness.spec(workflow(tasks=[task(guardrails=["short"]), task("next")]))
        )

        await stop_after(harness, recorder, run, 2)

        await harness.wait_for_disconnects(1)
        assert isinstance(recorder.outcome, Stopped)
        assert recorder.outcome.abandoned == ()
        assert len(harness.provider.requests) == 2

    async def test_cancelling_the_awaiting_task_stops_the_run(self, harness: EngineHarness) -> None:
        harness.provider.on(Hang())
        _recorder, run = harness.start(harness.spec())
        await harness.wait_for_requests(1)

        run.cancel()

        with pytest.raises(asyncio.CancelledError):
            await run
        await harness.wait_for_disconnects(1)

    async def test_stop_before_the_start_makes_no_call(self, harness: EngineHarness) -> None:
        recorder = Recorder()
        recorder.control.stop()

        outcome = await harness.executor.execute(harness.spec(), recorder.sink, recorder.control)

        assert outcome == Stopped()
        assert harness.provider.requests == []

    async def test_stop_while_other_attempts_start_makes_no_call(
        self, harness: EngineHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(harness.executor, "_starts", StartQueue(0))
        recorder, run = harness.start(harness.spec())
        await asyncio.sleep(0)

        recorder.control.stop()

        assert await asyncio.wait_for(run, 20) == Stopped()
        assert harness.provider.requests == []

    async def test_stop_after_the_end_does_not_change_the_outcome(self, harness: EngineHarness) -> None:
        recorder = await harness.run()

        recorder.control.stop()

        assert isinstance(recorder.outcome, Completed)


class TestStopAfterStep:
    async def test_open_call_finishes_and_no_other_starts(self, harness: EngineHarness) -> None:
        harness.provider.on(Hold("gate", Say("draft")))
        recorder, run = harness.start(harness.spec(sequential_workflow()))
        await harness.wait_for_requests(1)

        recorder.control.stop(StopMode.AFTER_STEP)
        harness.provider.release("gate")
        await asyncio.wait_for(run, 10)

        assert recorder.outcome == Stopped()
        assert recorder.one("task.completed").data.raw == "draft"
        assert len(harness.provider.requests) == 1

    @pytest.mark.parametrize(("age", "calls"), [(60, 1), (0, 0)])
    async def test_calls_are_counted_from_the_request(
        self, harness: EngineHarness, age: float, calls: int
    ) -> None:
        harness.provider.on(Hold("gate", Say("draft")))
        recorder, run = harness.start(harness.spec(sequential_workflow()))
        await harness.wait_for_requests(1)

        recorder.control.stop(StopMode.AFTER_STEP, age)  # the worker learns of it this much later
        harness.provider.release("gate")
        await asyncio.wait_for(run, 10)

        assert recorder.outcome == Stopped(llm_calls_after_stop=calls)

    async def test_answer_that_needs_a_review_is_kept(self, harness: EngineHarness) -> None:
        harness.provider.on(Hold("gate", Say("draft")))
        definition = workflow(tasks=[task(human_input=True), task("next")])
        recorder, run = harness.start(harness.spec(definition))
        await harness.wait_for_requests(1)

        recorder.control.stop(StopMode.AFTER_STEP)
        harness.provider.release("gate")
        await asyncio.wait_for(run, 10)

        assert recorder.outcome == Stopped(review=NeedsHuman("draft", "writer", "draft"))

    async def test_requested_tool_is_not_used(self, harness: EngineHarness) -> None:
        harness.provider.on(Hold("gate", CallTools([("calculator", {"expression": "1+1"})])))
        recorder, run = harness.start(harness.spec(workflow([agent(tools=["calculator"])])))
        await harness.wait_for_requests(1)

        recorder.control.stop(StopMode.AFTER_STEP)
        harness.provider.release("gate")
        await asyncio.wait_for(run, 10)

        assert recorder.outcome == Stopped()
        assert not recorder.all("tool.completed")
        assert len(harness.provider.requests) == 1

    async def test_stop_now_overrides_it(self, harness: EngineHarness) -> None:
        harness.provider.on(Hang())
        recorder, run = harness.start(harness.spec(sequential_workflow()))
        await harness.wait_for_requests(1)

        recorder.control.stop(StopMode.AFTER_STEP)
        await stop_after(harness, recorder, run, 1)

        await harness.wait_for_disconnects(1)
        assert recorder.outcome == Stopped(llm_calls_in_flight=1)


class TestStopUninterruptibleStep:
    async def test_blocking_tool_is_reported_as_abandoned(
        self, harness: EngineHarness, blocking_tool: threading.Event
    ) -> None:
        harness.provider.then(CallTools([("wait", {})]))
        recorder, run = harness.start(harness.spec(workflow([agent(tools=["wait"])])))
        while not recorder.all("tool.started"):
            await asyncio.sleep(0.01)

        seconds = await stop_after(harness, recorder, run, 1)

        assert seconds < LONG_SECONDS
        assert recorder.outcome == Stopped(abandoned=("tool 'wait' of agent 'writer'",))
        assert recorder.one("tool.failed").data.cut_off
        event_count = len(recorder.events)
        blocking_tool.set()
        await asyncio.sleep(0.1)
        assert len(recorder.events) == event_count
        assert len(harness.provider.requests) == 1

    async def test_step_that_blocks_the_event_loop_is_abandoned_and_makes_no_call(
        self, harness: EngineHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from crewai_runner.executor.crew.build.component_factory import ComponentFactory

        entered, release, left = threading.Event(), threading.Event(), threading.Event()

        def check(output: Any) -> tuple[bool, Any]:
            entered.set()
            release.wait(LONG_SECONDS)
            left.set()
            return True, output.raw

        monkeypatch.setattr(ComponentFactory, "make_guardrail", lambda *_arguments: check)
        tasks = [task("draft", None, guardrails=["polite"]), task("next", None)]
        recorder, run = harness.start(
            harness.spec(hierarchical_workflow().model_copy(update={"tasks": tasks}))
        )
        await asyncio.to_thread(entered.wait, 10)

        seconds = await stop_after(harness, recorder, run, 1)

        assert seconds < LONG_SECONDS
        assert recorder.outcome == Stopped(abandoned=("guardrail 'check'",))
        event_count = len(recorder.events)
        release.set()
        await asyncio.to_thread(left.wait, 10)
        await asyncio.sleep(0.2)
        assert len(harness.provider.requests) == 1
        assert len(recorder.events) == event_count
