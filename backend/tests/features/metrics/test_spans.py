"""Spans built from run events: tree, times and attributes, without prompts or outputs."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crewai_runner.domain.committed_events import CalledModel, CommittedEvents, RunFacts
from crewai_runner.domain.provider import ProviderType
from crewai_runner.domain.run import RunFailure, StopReceipt, WaitReason
from crewai_runner.domain.run_event_payloads import (
    AgentCompletedData,
    AgentFailedData,
    AgentStartedData,
    LlmStartedData,
    RunCompletedData,
    RunFailedData,
    RunQueuedData,
    RunStartedData,
    RunStoppedData,
    RunWaitingData,
    TaskFailedData,
    ToolCompletedData,
    ToolFailedData,
    ToolStartedData,
)
from crewai_runner.domain.run_events import (
    AgentCompleted,
    AgentFailed,
    AgentStarted,
    LlmStarted,
    RunCompleted,
    RunEvent,
    RunFailed,
    RunQueued,
    RunResumed,
    RunStarted,
    RunStopped,
    RunWaiting,
    TaskFailed,
    ToolCompleted,
    ToolFailed,
    ToolStarted,
)
from crewai_runner.domain.usage import Usage
from crewai_runner.features.metrics import spans as spans_module
from crewai_runner.features.metrics.spans import RunSpan, SpanBuilder, trace_id_of
from tests.support.builders import call, completed, failed_call, started

NOON = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
FACTS = RunFacts("Tea", NOON, 0.0)
BEGIN = RunStartedData(attempt=1, engine="e", native=True)
RUN_STARTED = RunStarted(data=BEGIN)
RUN_COMPLETED = RunCompleted(data=RunCompletedData(raw="SECRET OUTPUT", usage=Usage()))
MODELS = {"m": CalledModel(ProviderType.GEMINI, "gemini-2.5-flash")}
FAILED = RunFailure(code="timeout", message="SECRET WORDS")


def agent_started(task: str = "research", agent: str = "researcher") -> AgentStarted:
    return AgentStarted(task_key=task, agent=agent, data=AgentStartedData(tools=["calculator"]))


def agent_completed(task: str = "research", agent: str = "researcher") -> AgentCompleted:
    return AgentCompleted(task_key=task, agent=agent, data=AgentCompletedData(output="SECRET OUTPUT"))


def call_started() -> LlmStarted:
    data = LlmStartedData(call_id="c", call=1, model="m", messages=2, prompt="SECRET PROMPT")
    return LlmStarted(task_key="research", agent="researcher", data=data)


def tool_started() -> ToolStarted:
    data = ToolStartedData(tool="calculator", tool_call_id="t1", arguments={"expression": "SECRET"})
    return ToolStarted(task_key="research", agent="researcher", data=data)


def tool_completed() -> ToolCompleted:
    data = ToolCompletedData(tool="calculator", tool_call_id="t1", output="SECRET", duration_ms=5)
    return ToolCompleted(task_key="research", agent="researcher", data=data)


def spans_of(events: Sequence[RunEvent], run_id: str = "run_1") -> list[RunSpan]:
    """The finished spans of these events, which are one second apart."""
    finished: list[RunSpan] = []
    builder = SpanBuilder(finished.append)
    for number, event in enumerate(events):
        timed = event.model_copy(update={"at": NOON + timedelta(seconds=number)})
        facts = FACTS if event.type.startswith("run.") else None
        builder.on_commit([CommittedEvents(run_id, 1, [timed], facts, MODELS)])
    return finished


def by_name(spans: Sequence[RunSpan]) -> dict[str, RunSpan]:
    return {span.name: span for span in spans}


def seconds(span: RunSpan) -> tuple[float, float]:
    """Start and end, in seconds after noon."""
    assert span.ended is not None
    return (span.began - NOON).total_seconds(), (span.ended - NOON).total_seconds()


EVENTS = [
    RUN_STARTED,
    started("research"),
    agent_started(),
    call_started(),
    call(10),
    tool_started(),
    tool_completed(),
    agent_completed(),
    completed("research", "SECRET OUTPUT"),
    RUN_COMPLETED,
]


def failed_data() -> RunFailedData:
    return RunFailedData(error=FAILED, usage=Usage())


def count_spans_after_completion(builder: SpanBuilder, run_id: str, finished: list[Any]) -> int:
    before = len(finished)
    builder.on_commit([CommittedEvents(run_id, 1, [RUN_COMPLETED], FACTS)])
    return len(finished) - before


class TestTree:
    def test_has_task_agent_call_and_tool_spans(self) -> None:
        spans = by_name(spans_of(EVENTS))

        run, task = spans["invoke_workflow Tea"], spans["task research"]
        agent, chat = spans["invoke_agent researcher"], spans["chat gemini-2.5-flash"]
        tool = spans["execute_tool calculator"]
        assert len(spans) == 5
        assert run.parent_id is None
        assert task.parent_id == run.span_id
        assert agent.parent_id == task.span_id
        assert chat.parent_id == tool.parent_id == agent.span_id
        assert {span.trace_id for span in spans.values()} == {trace_id_of("run_1")}
        assert len({span.span_id for span in spans.values()}) == 5
        assert [span.error for span in spans.values()] == [None] * 5

    def test_delegated_agent_is_below_the_task_and_its_calls_below_it(self) -> None:
        spans = by_name(
            spans_of(
                [
                    RUN_STARTED,
                    started("research"),
                    agent_started(),
                    agent_started(agent="writer"),
                    call_started().model_copy(update={"agent": "writer"}),
                    call(10),
                    RUN_COMPLETED,
                ]
            )
        )

        assert spans["invoke_agent writer"].parent_id == spans["task research"].span_id
        assert spans["chat gemini-2.5-flash"].parent_id == spans["invoke_agent writer"].span_id

    def test_call_without_an_agent_is_below_the_run(self) -> None:
        planning = call_started().model_copy(update={"agent": None, "task_key": None})
        spans = by_name(spans_of([RUN_STARTED, planning, call(10), RUN_COMPLETED]))

        assert spans["chat gemini-2.5-flash"].parent_id == spans["invoke_workflow Tea"].span_id

    def test_runs_have_separate_traces(self) -> None:
        finished: list[RunSpan] = []
        builder = SpanBuilder(finished.append)
        for run_id in ("run_1", "run_2"):
            builder.on_commit([CommittedEvents(run_id, 1, [RUN_STARTED, started("research")], FACTS)])
        builder.on_commit([CommittedEvents("run_2", 1, [completed("research")])])

        assert [(span.name, span.trace_id) for span in finished] == [("task research", trace_id_of("run_2"))]
        assert trace_id_of("run_1") != trace_id_of("run_2")


class TestContent:
    def test_spans_have_the_times_of_their_events(self) -> None:
        spans = by_name(spans_of(EVENTS))

        assert seconds(spans["invoke_workflow Tea"]) == (0, 9)
        assert seconds(spans["task research"]) == (1, 8)
        assert seconds(spans["invoke_agent researcher"]) == (2, 7)
        assert seconds(spans["execute_tool calculator"]) == (5, 6)
        assert seconds(spans["chat gemini-2.5-flash"]) == (3, 4)

    def test_attributes_follow_the_semantic_conventions(self) -> None:
        spans = by_name(spans_of(EVENTS))

        assert spans["invoke_workflow Tea"].attributes == {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": "Tea",
            "crewai_runner.run.id": "run_1",
            "crewai_runner.run.attempt": 1,
            "crewai_runner.run.state": "completed",
        }
        assert spans["invoke_agent researcher"].attributes == {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "researcher",
        }
        assert spans["chat gemini-2.5-flash"].attributes == {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.request.model": "gemini-2.5-flash",
            "gen_ai.agent.name": "researcher",
            "crewai_runner.model": "m",
            "gen_ai.usage.input_tokens": 5,
            "gen_ai.usage.output_tokens": 5,
            "gen_ai.usage.cache_read.input_tokens": 0,
        }
        assert spans["execute_tool calculator"].attributes == {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "calculator",
            "gen_ai.tool.call.id": "t1",
            "gen_ai.tool.type": "function",
            "gen_ai.agent.name": "researcher",
        }

    def test_spans_contain_no_prompt_and_no_output(self) -> None:
        assert "SECRET" not in str(spans_of([*EVENTS, RUN_STARTED, RunFailed(data=failed_data())]))


class TestErrors:
    def test_failed_spans_have_the_error_code(self) -> None:
        agent_failed = AgentFailed(
            task_key="research", agent="researcher", data=AgentFailedData(message="SECRET")
        )
        tool_failed = ToolFailed(
            data=ToolFailedData(tool="calculator", tool_call_id="t1", message="SECRET", duration_ms=1)
        )
        task_failed = TaskFailed(task_key="research", data=TaskFailedData(error=FAILED))
        spans = by_name(
            spans_of(
                [
                    RUN_STARTED,
                    started("research"),
                    agent_started(),
                    call_started(),
                    failed_call(),
                    tool_started(),
                    tool_failed,
                    agent_failed,
                    task_failed,
                    RunFailed(data=failed_data()),
                ]
            )
        )

        assert {name: span.error for name, span in spans.items()} == {
            "chat gemini-2.5-flash": "provider-auth",
            "execute_tool calculator": "tool-failed",
            "invoke_agent researcher": "agent-failed",
            "task research": "timeout",
            "invoke_workflow Tea": "timeout",
        }

    def test_stop_ends_open_spans_and_cancels_calls(self) -> None:
        receipt = StopReceipt(
            requested_at=NOON,
            stopped_at=NOON,
            mode="graceful",
            llm_calls_in_flight=1,
            llm_calls_after_stop=0,
            tasks_completed=0,
            tasks_skipped=1,
        )
        stopped = RunStopped(data=RunStoppedData(receipt=receipt, usage=Usage()))
        spans = spans_of([RUN_STARTED, started("research"), agent_started(), call_started(), stopped])

        # Innermost first: no parent ends before its child.
        assert [span.name.split()[0] for span in spans] == ["chat", "invoke_agent", "task", "invoke_workflow"]
        assert [span.error for span in spans] == ["cancelled", None, None, None]
        assert {seconds(span)[1] for span in spans} == {4}
        assert spans[-1].attributes["crewai_runner.run.state"] == "stopped"


class TestAttempts:
    @pytest.mark.parametrize(
        ("last", "state"),
        [
            (RunWaiting(data=RunWaitingData(reason=WaitReason.HUMAN_INPUT)), "waiting"),
            (RunQueued(data=RunQueuedData(workflow_id=None, attempt=1, reason="handed-back")), "queued"),
        ],
    )
    def test_are_roots_of_the_same_trace(self, last: RunEvent, state: str) -> None:
        spans = spans_of([RUN_STARTED, started("research"), last, RunResumed(data=BEGIN), RUN_COMPLETED])

        roots = [span for span in spans if span.parent_id is None]
        assert [root.attributes["crewai_runner.run.state"] for root in roots] == [state, "completed"]
        assert len({root.trace_id for root in roots}) == 1
        assert len({root.span_id for root in roots}) == 2

    def test_resume_ends_the_previous_attempt(self) -> None:
        spans = spans_of([RUN_STARTED, started("research"), RunResumed(data=BEGIN), RUN_COMPLETED])

        states = [span.attributes.get("crewai_runner.run.state") for span in spans if span.parent_id is None]
        assert states == ["resumed", "completed"]

    def test_run_that_started_in_another_process_has_no_span(self) -> None:
        assert spans_of(EVENTS[1:]) == []

    def test_unfinished_attempts_are_evicted_at_the_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(spans_module, "MOST_ATTEMPTS", 3)
        finished: list[RunSpan] = []
        builder = SpanBuilder(finished.append)
        for number in range(10):
            builder.on_commit([CommittedEvents(f"run_{number}", 1, [RUN_STARTED], FACTS)])

        assert len(builder._attempts) == 3
        assert count_spans_after_completion(builder, "run_0", finished) == 0
        assert count_spans_after_completion(builder, "run_9", finished) == 1
