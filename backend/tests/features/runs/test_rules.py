"""What a batch of events changes in a run's record."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.domain.run import RunFailure, TaskState
from crewai_runner.domain.run_event_payloads import (
    TaskCompletedData,
    TaskFailedData,
    ToolCompletedData,
    ToolFailedData,
)
from crewai_runner.domain.run_events import (
    RunEvent,
    TaskFailed,
    TaskReused,
    TaskSkipped,
    ToolCompleted,
    ToolFailed,
)
from crewai_runner.features.runs.rules import collect_changes, find_differences
from tests.support.builders import call, completed, failed_call, started

FAILED = TaskFailed(task_key="t", data=TaskFailedData(error=RunFailure(code="timeout", message="late")))


def test_nothing_told_changes_nothing() -> None:
    changes = collect_changes([])

    assert (changes.tasks, changes.calls, changes.usage.llm_calls) == ({}, [], 0)


def test_a_task_s_last_word_counts_and_its_start_is_kept() -> None:
    begin = started("t", "writer")

    change = collect_changes([begin, completed("t", "Tea.")]).tasks["t"]

    assert (change.state, change.agent, change.started_at) == (TaskState.COMPLETED, "writer", begin.at)
    assert change.result is not None
    assert change.result["raw"] == "Tea."
    assert change.finished_at is not None


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (started("t"), TaskState.RUNNING),
        (completed("t"), TaskState.COMPLETED),
        (TaskReused(task_key="t", data=TaskCompletedData(raw="r")), TaskState.REUSED),
        (FAILED, TaskState.FAILED),
        (TaskSkipped(task_key="t"), TaskState.SKIPPED),
    ],
)
def test_each_event_of_a_task_has_its_state(event: RunEvent, state: TaskState) -> None:
    assert collect_changes([event]).tasks["t"].state is state


def test_a_failed_task_has_its_error() -> None:
    error = collect_changes([FAILED]).tasks["t"].error

    assert error is not None
    assert error["code"] == "timeout"


def test_calls_and_tools_are_counted_failed_ones_too() -> None:
    tool = ToolCompleted(data=ToolCompletedData(tool="t", tool_call_id="1", output="o", duration_ms=1))
    broken = ToolFailed(data=ToolFailedData(tool="t", tool_call_id="2", message="m", duration_ms=1))

    changes = collect_changes([call(10, "1"), failed_call(), tool, broken, call(5, "2")])

    assert (changes.usage.llm_calls, changes.usage.tool_calls, changes.usage.total_tokens) == (3, 2, 15)
    assert changes.usage.cost is not None
    assert changes.usage.cost.amount == 3
    assert len(changes.calls) == 2


@given(
    st.lists(st.sampled_from([call(10, "1"), failed_call(), started("t"), completed("t")]), max_size=8),
    st.data(),
)
def test_it_does_not_matter_how_a_story_is_cut_into_batches(
    story: list[RunEvent], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(story)))

    whole, first, second = collect_changes(story), collect_changes(story[:cut]), collect_changes(story[cut:])

    assert first.usage.plus(second.usage) == whole.usage
    assert [*first.calls, *second.calls] == whole.calls
    last = second.tasks.get("t") or first.tasks.get("t")
    assert (last and last.state) == (whole.tasks.get("t") and whole.tasks["t"].state)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


class TestDifference:
    @given(json_values)
    def test_a_value_differs_from_itself_nowhere(self, value: Any) -> None:
        assert find_differences(value, value) == []

    @given(json_values, json_values)
    def test_both_ways_name_the_same_places(self, a: Any, b: Any) -> None:
        there, back = find_differences(a, b), find_differences(b, a)

        assert there == [(path, y, x) for path, x, y in back]
        assert all(x != y for _, x, y in there)

    @pytest.mark.parametrize(
        ("a", "b", "found"),
        [
            ({"x": 1}, {"x": 2}, [("/x", 1, 2)]),
            ({"x": {"y": [1, 2]}}, {"x": {"y": [1, 3]}}, [("/x/y/1", 2, 3)]),
            ({"x": [1]}, {"x": [1, 2]}, [("/x", [1], [1, 2])]),
            ({"a": 1}, {"b": 1}, [("/a", 1, None), ("/b", None, 1)]),
            (1, 2, [("/", 1, 2)]),
        ],
    )
    def test_each_place_is_a_path(self, a: Any, b: Any, found: list[tuple[str, Any, Any]]) -> None:
        assert find_differences(a, b) == found
