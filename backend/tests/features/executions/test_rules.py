"""Rules of run execution that need no database."""

import pytest

from crewai_runner.domain.run import TaskResult, TaskState
from crewai_runner.features.executions.rules import (
    agent_states,
    progress,
    result_when_all_done,
    reused_before,
)
from crewai_runner.features.runs.schemas import RunTaskRead
from tests.support.builders import definition

DONE = {"research": TaskResult(raw="R"), "report": TaskResult(raw="End", json_output={"n": 1})}


def tasks(research: str, report: str) -> list[RunTaskRead]:
    columns = {"result": None, "error": None, "started_at": None, "finished_at": None}
    return [
        RunTaskRead(key=key, agent=agent, status=TaskState(state), **columns)
        for key, agent, state in (("research", "researcher", research), ("report", "writer", report))
    ]


class TestProgress:
    @pytest.mark.parametrize(
        ("states", "percent"),
        [
            (("pending", "pending"), 0),
            (("completed", "running"), 50),
            (("reused", "completed"), 100),
            (("failed", "skipped"), 0),
        ],
    )
    def test_is_the_share_of_finished_tasks(self, states: tuple[str, str], percent: int) -> None:
        assert progress(tasks(*states)) == percent

    def test_is_zero_without_tasks(self) -> None:
        assert progress([]) == 0


class TestAgentStates:
    @pytest.mark.parametrize(
        ("states", "expected"),
        [
            (("running", "pending"), "working"),
            (("waiting", "pending"), "working"),
            (("failed", "pending"), "failed"),
            (("completed", "pending"), "completed"),
            (("reused", "pending"), "completed"),
            (("pending", "pending"), "idle"),
            (("skipped", "pending"), "idle"),
        ],
    )
    def test_follow_the_states_of_the_agents_tasks(self, states: tuple[str, str], expected: str) -> None:
        (name, status, _), (_, other, _) = agent_states(definition(), tasks(*states))

        assert (name, status, other) == ("researcher", expected, "idle")


class TestResultWhenAllDone:
    def test_returns_a_result_only_when_every_task_is_finished(self) -> None:
        result = result_when_all_done(definition(), DONE)

        assert result is not None
        assert (result.raw, result.json_output, list(result.tasks)) == (
            "End",
            {"n": 1},
            ["research", "report"],
        )
        assert result_when_all_done(definition(), {"report": DONE["report"]}) is None
        assert result_when_all_done(definition(), {}) is None


class TestReusedBefore:
    def test_returns_the_results_before_the_task(self) -> None:
        assert reused_before(definition(), DONE, "report") == {"research": DONE["research"]}
        assert reused_before(definition(), DONE, "research") == {}
        assert reused_before(definition(), {}, "report") == {}
