"""What a run's attempts leave for the next one."""

import asyncio
from collections.abc import Mapping
from typing import Any

from crewai_runner.core.secret_mask import TextMask
from crewai_runner.executor.projects.bridge.messages import (
    FlowRestoredMessage,
    FlowSavedMessage,
    FlowState,
    TaskCompletedMessage,
    TaskStartedMessage,
)
from crewai_runner.executor.projects.task_record import (
    MAX_FLOWS,
    MAX_STATE_CHARACTERS,
    RecordingTranslator,
    TaskRecord,
)

SECRET = "a-secret-of-the-project"
TASK = {"task_key": "research", "description_hash": "0" * 64, "agent": "Researcher"}


class Checkpoints:
    """Keeps what a record stores."""

    def __init__(self) -> None:
        self.stored: dict[str, Mapping[str, Any]] = {}
        self.failures = 0

    async def save(self, name: str, value: Mapping[str, Any]) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError
        self.stored[name] = value


def make_record(checkpoints: Checkpoints) -> tuple[TaskRecord, RecordingTranslator]:
    record = TaskRecord(checkpoints.stored, checkpoints.save, TextMask([SECRET]))
    return record, RecordingTranslator("run_1", {}, TextMask([SECRET]), record)


def saved(flow: str = "TripFlow", **state: Any) -> FlowSavedMessage:
    return FlowSavedMessage(type="flow.saved", flow=flow, flow_id="f-1", state=state)


class TestTasks:
    async def test_a_finished_task_is_stored_before_the_attempt_ends(self) -> None:
        """The server may be killed at any time."""
        checkpoints = Checkpoints()
        _, translator = make_record(checkpoints)

        translator.translate(TaskStartedMessage(type="task.started", description="Research", **TASK))
        translator.translate(TaskCompletedMessage(type="task.completed", raw="Facts", **TASK))

        async with asyncio.timeout(5):
            while checkpoints.stored != {"tasks": {"research": "0" * 64}}:
                await asyncio.sleep(0.005)
        assert make_record(checkpoints)[0].hashes == {"research": "0" * 64}

    async def test_storing_fails(self) -> None:
        checkpoints = Checkpoints()
        checkpoints.failures = 1
        record, translator = make_record(checkpoints)
        translator.translate(TaskStartedMessage(type="task.started", description="Research", **TASK))
        await record.close()

        translator.translate(TaskCompletedMessage(type="task.completed", raw="Facts", **TASK))
        await record.close()

        assert checkpoints.stored == {"tasks": {"research": "0" * 64}}


class TestFlows:
    async def test_the_last_state_is_stored(self) -> None:
        checkpoints = Checkpoints()
        record, translator = make_record(checkpoints)

        for count in range(3):
            assert translator.translate(saved(count=count)) is None
        await record.close()

        assert checkpoints.stored == {"flow/TripFlow": {"id": "f-1", "state": {"count": 2}}}
        assert make_record(checkpoints)[0].flow_states == {
            "TripFlow": FlowState(id="f-1", state={"count": 2})
        }

    async def test_states_that_are_not_stored(self) -> None:
        """A flow must not continue with another state than it has saved."""
        checkpoints = Checkpoints()
        record, translator = make_record(checkpoints)

        translator.translate(saved("Large", text="x" * MAX_STATE_CHARACTERS))
        translator.translate(saved("Secret", text=SECRET))
        for number in range(MAX_FLOWS + 5):
            translator.translate(saved(f"Flow-{number}"))
        await record.close()

        assert set(checkpoints.stored) == {f"flow/Flow-{number}" for number in range(MAX_FLOWS)}

    async def test_only_a_stored_state_is_restored(self) -> None:
        checkpoints = Checkpoints()
        checkpoints.stored["flow/TripFlow"] = {"id": "f-1", "state": {}}
        _, translator = make_record(checkpoints)

        events = [
            translator.translate(FlowRestoredMessage(type="flow.restored", flow=flow))
            for flow in ("TripFlow", "TripFlow", "Forged")
        ]

        assert [event and event.data.code for event in events] == ["flow-restored", None, None]
