"""Messages of the bridge as events of a run."""

from typing import Any

import pytest
from pydantic import ValidationError

from crewai_runner.core.secret_mask import MASK, TextMask
from crewai_runner.domain.run import TaskResult
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.projects.bridge.messages import GUEST_MESSAGE, FinishedTask
from crewai_runner.executor.projects.bridge.translator import (
    MAX_OPEN_STEPS,
    BridgeTranslator,
    warn_without_model_call,
)

HASH = "a" * 64
TASK = {"task_key": "research", "description_hash": HASH, "agent": "Researcher"}
AGENT = {"task_key": "research", "agent": "Researcher"}
TOOL = {**AGENT, "tool": "search", "call_id": "1-1"}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def translate(translator: BridgeTranslator, kind: str, **fields: Any) -> RunEvent | None:
    message = GUEST_MESSAGE.validate_python({"type": kind, **fields})
    return translator.translate(message)


class TestTasks:
    def test_start_and_end(self) -> None:
        translator = BridgeTranslator("run-1")

        started = translate(translator, "task.started", **TASK, description="Find facts.")
        completed = translate(translator, "task.completed", **TASK, raw="Facts.", json_output={"a": 1})

        assert started is not None
        assert (started.type, started.run_id, started.task_key, started.agent) == (
            "task.started",
            "run-1",
            "research",
            "Researcher",
        )
        assert completed is not None
        assert completed.type == "task.completed"
        assert (completed.data.raw, completed.data.json_output) == ("Facts.", {"a": 1})
        assert translator.as_results()["research"].raw == "Facts."
        assert translator.finished_tasks["research"].description_hash == HASH

    def test_failure(self) -> None:
        translator = BridgeTranslator("run-1")
        translate(translator, "task.started", **TASK, description="")

        failed = translate(translator, "task.failed", **TASK, message="ValueError: no")

        assert failed is not None
        assert failed.type == "task.failed"
        assert failed.data.error.message == "ValueError: no"

    def test_an_end_without_a_start_is_ignored(self) -> None:
        translator = BridgeTranslator("run-1")

        assert translate(translator, "task.completed", **TASK, raw="Forged.") is None
        assert translator.finished_tasks == {}

    def test_a_restored_output_is_the_stored_one(self) -> None:
        stored = FinishedTask(task_key="research", description_hash=HASH, raw="Stored.")
        translator = BridgeTranslator("run-1", {"research": stored})

        reused = translate(translator, "task.reused", **TASK, raw="Forged.")

        assert reused is not None
        assert reused.type == "task.reused"
        assert reused.data.raw == "Stored."
        assert translate(translator, "task.reused", **TASK) is None

    def test_a_task_that_is_not_stored_is_not_restored(self) -> None:
        assert translate(BridgeTranslator("run-1"), "task.reused", **TASK) is None


class TestAgents:
    def test_nested_executions(self) -> None:
        translator = BridgeTranslator("run-1")
        kinds = ["agent.started", "agent.started", "agent.completed", "agent.completed", "agent.completed"]

        events = [translate(translator, kind, **AGENT, output="Done.") for kind in kinds]

        assert [event and event.type for event in events] == [*kinds[:4], None]

    def test_open_steps_are_bounded(self) -> None:
        translator = BridgeTranslator("run-1")

        events = [translate(translator, "agent.started", **AGENT) for _ in range(MAX_OPEN_STEPS + 5)]

        assert events[-5:] == [None] * 5


class TestTools:
    def test_the_duration_is_measured_here(self) -> None:
        clock = Clock()
        translator = BridgeTranslator("run-1", clock=clock)
        translate(translator, "tool.started", **TOOL, arguments={"q": "bees"})
        clock.now = 1.5

        completed = translate(
            translator, "tool.completed", **{**TOOL, "tool": "another"}, output="3", duration_ms=1
        )

        assert completed is not None
        assert completed.type == "tool.completed"
        assert (completed.data.tool, completed.data.duration_ms) == ("search", 1500)

    def test_an_end_without_a_start_is_ignored(self) -> None:
        translator = BridgeTranslator("run-1")

        assert translate(translator, "tool.completed", **TOOL, output="3") is None
        assert translate(translator, "tool.failed", **TOOL, message="no") is None


class TestForgedMessages:
    @pytest.mark.parametrize(
        "kind", ["llm.completed", "budget.exceeded", "run.stopped", "usage", "approval.resolved"]
    )
    def test_there_are_no_messages_for_figures(self, kind: str) -> None:
        with pytest.raises(ValidationError):
            GUEST_MESSAGE.validate_python({"type": kind, "usage": {"prompt_tokens": 1}})

    @pytest.mark.parametrize(
        "key", ["", "a\nb", "a\x00b", "a\x1b[1m", "../up", "a" * 101, "-a", "a b", "a\u202eb", 7, None]
    )
    def test_task_keys(self, key: object) -> None:
        with pytest.raises(ValidationError):
            GUEST_MESSAGE.validate_python(
                {"type": "task.started", **TASK, "task_key": key, "description": ""}
            )

    def test_a_secret_as_a_name(self) -> None:
        secret = "sk-project-secret-1234567890"
        translator = BridgeTranslator("run-1", mask=TextMask([secret]))

        event = translate(
            translator, "task.started", **{**TASK, "task_key": secret, "agent": secret}, description=""
        )

        assert event is not None
        assert (event.task_key, event.agent) == (MASK, MASK)


def test_another_attempt_begins_the_open_steps_again() -> None:
    """A person has completed the task `note` meanwhile: what the code reports of it is not repeated."""
    translator = BridgeTranslator("run-1")
    note = {**TASK, "task_key": "note"}
    translate(translator, "task.started", **TASK, description="Research")
    translate(translator, "task.started", **note, description="Note")
    for key in ("research", "note"):
        translate(translator, "agent.started", **{**AGENT, "task_key": key})
    translate(translator, "tool.started", **TOOL, arguments={})

    started = translator.reopen({"note": TaskResult(raw="Edited", agent="Writer")})

    assert [(event.type, event.task_key) for event in started] == [
        ("task.started", "research"),
        ("agent.started", "research"),
        ("tool.started", TOOL.get("task_key")),
    ]
    assert translate(translator, "agent.completed", **{**AGENT, "task_key": "note"}, output="x") is None
    assert translate(translator, "task.completed", **note, raw="Forged") is None
    assert translator.as_results()["note"].raw == "Edited"


def test_a_project_without_a_model_call() -> None:
    warning = warn_without_model_call("run-1", 0)

    assert warning is not None
    assert warning.data.code == "no-model-call"
    assert warn_without_model_call("run-1", 1) is None
