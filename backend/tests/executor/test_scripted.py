import asyncio

import pytest

from crewai_runner.domain.run import RunFailure, StopMode
from crewai_runner.domain.run_events import RunEvent, TaskSkipped
from crewai_runner.domain.workflow import AgentDefinition, TaskDefinition, WorkflowDefinition
from crewai_runner.executor.port import Completed, Executor, Failed, RunControl, RunSpec, Stopped
from crewai_runner.executor.scripted import Script, ScriptedExecutor

DEFINITION = WorkflowDefinition(
    name="crew",
    agents=[AgentDefinition(key="a", role="r", goal="g", backstory="b")],
    tasks=[TaskDefinition(key="t", description="d", expected_output="e", agent="a")],
)
SPEC = RunSpec(run_id="r1", attempt=1, definition=DEFINITION, inputs={}, models={}, default_model="m")
EVENTS = [TaskSkipped(task_key="one"), TaskSkipped(task_key="two")]
FAILED = Failed(RunFailure(code="x", message="y"))


class TestExecute:
    async def test_emits_events_and_returns_the_outcome(self) -> None:
        executor: Executor = ScriptedExecutor(Script(EVENTS, FAILED))
        events: list[RunEvent] = []

        outcome = await executor.execute(SPEC, events.append, RunControl())

        assert outcome == FAILED
        assert [(event.task_key, event.run_id) for event in events] == [("one", "r1"), ("two", "r1")]

    async def test_runs_one_script_per_attempt_and_repeats_the_last(self) -> None:
        executor = ScriptedExecutor(Script(outcome=FAILED), Script())

        outcomes = [await executor.execute(SPEC, lambda _event: None, RunControl()) for _ in range(3)]

        assert [type(outcome) for outcome in outcomes] == [Failed, Completed, Completed]
        assert executor.specs == [SPEC, SPEC, SPEC]

    async def test_stop_between_events_ends_the_attempt(self) -> None:
        control = RunControl()
        events: list[RunEvent] = []

        def on_event(event: RunEvent) -> None:
            events.append(event)
            control.stop(StopMode.AFTER_STEP)

        outcome = await ScriptedExecutor(Script(EVENTS)).execute(SPEC, on_event, control)

        assert outcome == Stopped()
        assert len(events) == 1

    async def test_waits_for_its_gate_or_a_stop(self) -> None:
        gate = asyncio.Event()
        executor = ScriptedExecutor(Script(gate=gate))
        control = RunControl()
        stopped = asyncio.ensure_future(executor.execute(SPEC, lambda _event: None, control))
        waiting = asyncio.ensure_future(executor.execute(SPEC, lambda _event: None, RunControl()))
        await asyncio.sleep(0)

        control.stop()

        assert await asyncio.wait_for(stopped, 20) == Stopped()
        assert not waiting.done()
        gate.set()
        assert isinstance(await asyncio.wait_for(waiting, 20), Completed)

    async def test_raises_a_scripted_error(self) -> None:
        with pytest.raises(RuntimeError, match="lost"):
            await ScriptedExecutor(RuntimeError("lost")).execute(SPEC, lambda _event: None, RunControl())


class TestComplete:
    async def test_returns_the_answer_in_one_piece(self) -> None:
        pieces: list[str] = []

        async def on_text(text: str) -> None:
            pieces.append(text)

        executor = ScriptedExecutor(answer="yes")
        answer = await executor.complete(None, [{"role": "user", "content": "?"}], on_text)  # type: ignore[arg-type]

        assert (answer.text, pieces) == ("yes", ["yes"])
        assert executor.prompts == [[{"role": "user", "content": "?"}]]
