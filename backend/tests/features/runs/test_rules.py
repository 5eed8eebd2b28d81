"""Which changes a batch of events makes to a run, and how two JSON values differ."""

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


class TestCollectChanges:
    def test_no_events_change_nothing(self) -> None:
        changes = collect_changes([])

        assert (changes.tasks, changes.calls, changes.usage.llm_calls) == ({}, [], 0)

    def test_last_task_event_wins_and_the_start_time_is_kept(self) -> None:
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
    def test_task_event_sets_the_task_state(self, event: RunEvent, state: TaskState) -> None:
        assert collect_changes([event]).tasks["t"].state is state

    def test_failed_task_has_its_error(self) -> None:
        error = collect_changes([FAILED]).tasks["t"].error

        assert error is not None
        assert error["code"] == "timeout"

    def test_counts_model_and_tool_calls_including_failed_ones(self) -> None:
        tool = ToolCompleted(data=ToolCompletedData(tool="t", tool_call_id="1", output="o", duration_ms=1))
        broken = ToolFailed(data=ToolFailedData(tool="t", tool_call_id="2", message="m", duration_ms=1))

        changes = collect_changes([call(10, "1"), failed_call(), tool, broken, call(5, "2")])

        assert (changes.usage.llm_calls, changes.usage.tool_calls, changes.usage.total_tokens) == (3, 2, 15)
        assert changes.usage.cost is not None
        assert changes.usage.cost.amount == 3
        assert len(changes.calls) == 3
        assert changes.usage.calls_without_usage == 1

    @given(
        st.lists(st.sampled_from([call(10, "1"), failed_call(), started("t"), completed("t")]), max_size=8),
        st.data(),
    )
    def test_result_does_not_depend_on_batch_boundaries(
        self, events: list[RunEvent], data: st.DataObject
    ) -> None:
        cut = data.draw(st.integers(0, len(events)))

        combined, first, second = (
            collect_changes(events),
            collect_changes(events[:cut]),
            collect_changes(events[cut:]),
        )

        assert first.usage.plus(second.usage) == combined.usage
        assert [*first.calls, *second.calls] == combined.calls
        last = second.tasks.get("t") or first.tasks.get("t")
        assert (last and last.state) == (combined.tasks.get("t") and combined.tasks["t"].state)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


class TestFindDifferences:
    @given(json_values)
    def test_a_value_does_not_differ_from_itself(self, value: Any) -> None:
        assert find_differences(value, value) == []

    @given(json_values, json_values)
    def test_is_symmetric(self, a: Any, b: Any) -> None:
        forward, backward = find_differences(a, b), find_differences(b, a)

        assert forward == [(path, y, x) for path, x, y in backward]
        assert all(x != y for _, x, y in forward)

    @pytest.mark.parametrize(
        ("a", "b", "expected"),
        [
            ({"x": 1}, {"x": 2}, [("/x", 1, 2)]),
            ({"x": {"y": [1, 2]}}, {"x": {"y": [1, 3]}}, [("/x/y/1", 2, 3)]),
            ({"x": [1]}, {"x": [1, 2]}, [("/x", [1], [1, 2])]),
            ({"a": 1}, {"b": 1}, [("/a", 1, None), ("/b", None, 1)]),
            (1, 2, [("/", 1, 2)]),
        ],
    )
    def test_returns_paths_and_values(self, a: Any, b: Any, expected: list[tuple[str, Any, Any]]) -> None:
        assert find_differences(a, b) == expected
