"""Pure rules of executing runs."""

import pytest

from crewai_runner.domain.run import TaskResult, TaskState
from crewai_runner.features.executions.rules import (
    agent_states,
    media_type,
    progress,
    result_when_all_done,
    reused_before,
)
from crewai_runner.features.runs.schemas import RunTaskRead
from tests.support.builders import definition

DONE = {"research": TaskResult(raw="R"), "report": TaskResult(raw="End", json_output={"n": 1})}


def tasks(research: str, report: str) -> list[RunTaskRead]:
    rest = {"result": None, "error": None, "started_at": None, "finished_at": None}
    return [
        RunTaskRead(key=key, agent=agent, status=TaskState(state), **rest)
        for key, agent, state in (("research", "researcher", research), ("report", "writer", report))
    ]


@pytest.mark.parametrize(
    ("states", "percent"),
    [
        (("pending", "pending"), 0),
        (("completed", "running"), 50),
        (("reused", "completed"), 100),
        (("failed", "skipped"), 0),
    ],
)
def test_progress_is_the_share_of_finished_tasks(states: tuple[str, str], percent: int) -> None:
    assert progress(tasks(*states)) == percent


def test_no_tasks_are_no_progress() -> None:
    assert progress([]) == 0


@pytest.mark.parametrize(
    ("states", "word"),
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
def test_an_agent_does_what_its_tasks_say(states: tuple[str, str], word: str) -> None:
    (name, said, _), (_, other, _) = agent_states(definition(), tasks(*states))

    assert (name, said, other) == ("researcher", word, "idle")


def test_a_run_is_done_when_no_task_is_left() -> None:
    result = result_when_all_done(definition(), DONE)

    assert result is not None
    assert (result.raw, result.json_output, list(result.tasks)) == ("End", {"n": 1}, ["research", "report"])
    assert result_when_all_done(definition(), {"report": DONE["report"]}) is None
    assert result_when_all_done(definition(), {}) is None


def test_a_fork_takes_over_what_comes_before() -> None:
    assert reused_before(definition(), DONE, "report") == {"research": DONE["research"]}
    assert reused_before(definition(), DONE, "research") == {}
    assert reused_before(definition(), {}, "report") == {}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a.md", "text/markdown"),
        ("A.JSON", "application/json"),
        ("page.html", "text/plain"),
        ("x.svg", "text/plain"),
        ("noending", "text/plain"),
        ("two.dots.csv", "text/csv"),
    ],
)
def test_no_artifact_is_ever_active_content(name: str, kind: str) -> None:
    assert media_type(name) == kind
