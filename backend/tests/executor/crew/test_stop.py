import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from crewai_runner.domain.run import StopMode
from crewai_runner.executor.port import Completed, Stopped
from tests.executor.crew.kit import Heard, Stage, agent, chain, crowd, hierarchy, stop_after, task, workflow
from tests.support.scripted_provider import CallTools, Fail, Hang, HangMidStream, Hold, Say

pytestmark = pytest.mark.crew

DELEGATE = {"task": "Write it", "context": "all of it", "coworker": "writer role"}
VERDICT = "Ensure the following task result complies"


async def test_a_stop_closes_the_pending_call_and_no_other_begins(stage: Stage) -> None:
    stage.provider.on(Hang())
    heard, run = stage.begin(stage.spec(chain()))

    seconds = await stop_after(stage, heard, run, 1)

    await stage.disconnects(1)
    assert seconds < 1
    assert heard.outcome == Stopped(llm_calls_in_flight=1, llm_calls_after_stop=0, abandoned=())
    assert len(stage.provider.requests) == 1
    assert heard.types[-1] == "task.skipped"
    assert heard.events[-1].task_key == "edit"


async def test_a_stop_ends_a_stream_in_the_middle(stage: Stage) -> None:
    stage.provider.on(HangMidStream())
    heard, run = stage.begin(stage.spec(stream_tokens=True))
    await stage.requests(1)

    await stop_after(stage, heard, run, 1)

    await stage.disconnects(1)
    assert isinstance(heard.outcome, Stopped)
    assert heard.outcome.abandoned == ()


async def test_a_stop_ends_the_wait_after_a_rate_limit(stage: Stage) -> None:
    stage.provider.on(Fail(429, retry_after=20))
    patient = stage.model(settings=stage.model().settings.model_copy(update={"max_retries": 3}))
    heard, run = stage.begin(stage.spec(models=[patient]))

    seconds = await stop_after(stage, heard, run, 1)

    assert seconds < 1
    assert isinstance(heard.outcome, Stopped)
    assert len(stage.provider.requests) == 1


async def test_a_stop_reaches_tasks_that_run_at_the_same_time(stage: Stage) -> None:
    stage.provider.on(Hang())
    heard, run = stage.begin(stage.spec(crowd()))

    await stop_after(stage, heard, run, 2)

    await stage.disconnects(2)
    assert heard.outcome == Stopped(llm_calls_in_flight=2)


async def test_a_stop_reaches_delegated_work(stage: Stage) -> None:
    stage.provider.then(CallTools([("delegate_work_to_coworker", DELEGATE)]))
    stage.provider.on(Hang())
    heard, run = stage.begin(stage.spec(hierarchy()))

    seconds = await stop_after(stage, heard, run, 2)

    await stage.disconnects(1)
    assert seconds < 1
    assert isinstance(heard.outcome, Stopped)
    assert heard.outcome.llm_calls_in_flight == 1


async def test_a_stop_reaches_a_plan_in_the_making(stage: Stage) -> None:
    stage.provider.on(Hang())
    heard, run = stage.begin(stage.spec(workflow([agent(planning=True)])))

    seconds = await stop_after(stage, heard, run, 1)

    await stage.disconnects(1)
    assert seconds < 1
    assert isinstance(heard.outcome, Stopped)


async def test_a_stop_reaches_a_guardrail_being_asked(stage: Stage) -> None:
    stage.provider.on(Hang(), contains=VERDICT)
    heard, run = stage.begin(stage.spec(workflow(tasks=[task(guardrails=["short"]), task("next")])))

    seconds = await stop_after(stage, heard, run, 2)

    await stage.disconnects(1)
    assert seconds < 1
    assert isinstance(heard.outcome, Stopped)
    assert heard.outcome.abandoned == ()
    assert len(stage.provider.requests) == 2


async def test_cancelling_the_waiting_coroutine_stops_the_run(stage: Stage) -> None:
    stage.provider.on(Hang())
    _heard, run = stage.begin(stage.spec())
    await stage.requests(1)

    run.cancel()

    with pytest.raises(asyncio.CancelledError):
        await run
    await stage.disconnects(1)


async def test_a_run_told_to_stop_before_it_began_asks_nothing(stage: Stage) -> None:
    heard = Heard()
    heard.control.stop()

    outcome = await stage.executor.execute(stage.spec(), heard.sink, heard.control)

    assert outcome == Stopped()
    assert stage.provider.requests == []


async def test_a_stop_after_the_step_lets_the_call_finish_and_begins_no_other(stage: Stage) -> None:
    stage.provider.on(Hold("gate", Say("draft")))
    heard, run = stage.begin(stage.spec(chain()))
    await stage.requests(1)

    heard.control.stop(StopMode.AFTER_STEP)
    stage.provider.release("gate")
    await asyncio.wait_for(run, 10)

    assert heard.outcome == Stopped()
    assert heard.one("task.completed").data.raw == "draft"
    assert len(stage.provider.requests) == 1


async def test_a_stop_after_the_step_uses_no_tool_that_was_asked_for(stage: Stage) -> None:
    stage.provider.on(Hold("gate", CallTools([("calculator", {"expression": "1+1"})])))
    heard, run = stage.begin(stage.spec(workflow([agent(tools=["calculator"])])))
    await stage.requests(1)

    heard.control.stop(StopMode.AFTER_STEP)
    stage.provider.release("gate")
    await asyncio.wait_for(run, 10)

    assert heard.outcome == Stopped()
    assert not heard.of("tool.completed")
    assert len(stage.provider.requests) == 1


async def test_a_stop_after_the_step_sharpens_to_now(stage: Stage) -> None:
    stage.provider.on(Hang())
    heard, run = stage.begin(stage.spec(chain()))
    await stage.requests(1)

    heard.control.stop(StopMode.AFTER_STEP)
    await stop_after(stage, heard, run, 1)

    await stage.disconnects(1)
    assert heard.outcome == Stopped(llm_calls_in_flight=1)


async def test_a_stop_that_comes_too_late_changes_nothing_before_it(stage: Stage) -> None:
    heard = await stage.play()

    heard.control.stop()

    assert isinstance(heard.outcome, Completed)


@pytest.fixture
def blocking_tool(monkeypatch: pytest.MonkeyPatch, engine: Any) -> Iterator[threading.Event]:
    """A tool named `wait` that holds its thread until the event is set."""
    from crewai.tools import BaseTool

    from crewai_runner.executor.crew.build.component_factory import ComponentFactory

    release = threading.Event()

    class Wait(BaseTool):  # type: ignore[misc]
        name: str = "wait"
        description: str = "Waits."

        def _run(self) -> str:
            release.wait(20)
            return "waited"

    monkeypatch.setattr(ComponentFactory, "make_tools", lambda _self, names: [Wait()] if names else [])
    yield release
    release.set()


async def test_a_tool_that_cannot_be_interrupted_is_abandoned_and_named(
    stage: Stage, blocking_tool: threading.Event
) -> None:
    stage.provider.then(CallTools([("wait", {})]))
    heard, run = stage.begin(stage.spec(workflow([agent(tools=["wait"])])))
    while not heard.of("tool.started"):
        await asyncio.sleep(0.01)

    seconds = await stop_after(stage, heard, run, 1)

    assert seconds < 1
    assert heard.outcome == Stopped(abandoned=("tool 'wait' of agent 'writer'",))
    told = len(heard.events)
    blocking_tool.set()
    await asyncio.sleep(0.1)
    assert len(heard.events) == told
    assert len(stage.provider.requests) == 1


async def test_a_step_that_holds_the_run_s_own_thread_is_abandoned_and_asks_nothing_more(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from crewai_runner.executor.crew.build.component_factory import ComponentFactory

    entered, release, left = threading.Event(), threading.Event(), threading.Event()

    def judge(output: Any) -> tuple[bool, Any]:
        entered.set()
        release.wait(20)
        left.set()
        return True, output.raw

    monkeypatch.setattr(ComponentFactory, "make_guardrail", lambda *_arguments: judge)
    tasks = [task("draft", None, guardrails=["polite"]), task("next", None)]
    heard, run = stage.begin(stage.spec(hierarchy().model_copy(update={"tasks": tasks})))
    await asyncio.to_thread(entered.wait, 10)

    seconds = await stop_after(stage, heard, run, 1)

    assert seconds < 1.5
    assert heard.outcome == Stopped(abandoned=("guardrail 'judge'",))
    told = len(heard.events)
    release.set()
    await asyncio.to_thread(left.wait, 10)
    await asyncio.sleep(0.2)
    assert len(stage.provider.requests) == 1
    assert len(heard.events) == told
