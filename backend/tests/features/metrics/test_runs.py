"""Runs, tasks, model calls and tool calls are counted once, at commit, under a limited set of labels."""

from pathlib import Path
from typing import Any

import pytest

from crewai_runner.core.clock import now
from crewai_runner.domain.committed_events import CalledModel, CommittedEvents
from crewai_runner.domain.provider import ProviderType
from crewai_runner.domain.run import RunFailure, RunResult
from crewai_runner.domain.run_event_payloads import (
    AgentStartedData,
    DelegationCompletedData,
    TaskFailedData,
    ToolCompletedData,
    ToolFailedData,
)
from crewai_runner.domain.run_events import (
    AgentStarted,
    DelegationCompleted,
    RunEvent,
    TaskFailed,
    ToolCompleted,
    ToolFailed,
)
from crewai_runner.executor.port import Completed, Failed, NeedsHuman
from crewai_runner.executor.scripted import Script, ScriptedExecutor
from crewai_runner.features.approvals.schemas import ApprovalResolve
from crewai_runner.features.metrics import labels as labels_module
from crewai_runner.features.metrics import runs as runs_module
from crewai_runner.features.metrics.instruments import Instruments
from crewai_runner.features.metrics.labels import ModelLabels, ToolLabels
from crewai_runner.features.metrics.runs import RunMetrics
from crewai_runner.features.providers.schemas import ProviderCreate
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import FAILURE, call, completed, definition, failed_call, started
from tests.support.database import fresh_database
from tests.support.harness import ON_SQLITE, RunHarness, open_harness
from tests.support.metrics_page import MetricsPage
from tests.support.principals import OWNER

pytestmark = pytest.mark.each_database

COMPLETED = Completed(RunResult(raw="done"))
MAIN = {"provider": "openai_compatible", "model": "main"}


def tool_call(tool: str, *, failed: bool = False) -> RunEvent:
    if failed:
        return ToolFailed(data=ToolFailedData(tool=tool, tool_call_id="t", message="no", duration_ms=7))
    return ToolCompleted(data=ToolCompletedData(tool=tool, tool_call_id="t", output="o", duration_ms=250))


def with_model(model: str, event: Any) -> RunEvent:
    """A copy of the event with another model."""
    copy: RunEvent = event.model_copy(update={"data": event.data.model_copy(update={"model": model})})
    return copy


EVENTS = [
    started("research"),
    with_model("main", call(10, "0.25")),
    with_model("main", failed_call()),
    tool_call("calculator"),
    tool_call("calculator", failed=True),
    completed("research"),
    started("report"),
    with_model("main", call(5, "0.5", "report")),
    completed("report"),
]


async def read_metrics(harness: RunHarness) -> MetricsPage:
    return MetricsPage((await harness.container.telemetry.text()).decode())


async def execute_run(harness: RunHarness, *scripts: Script) -> MetricsPage:
    """Execute one run and return the metrics afterwards."""
    harness.executor = ScriptedExecutor(*scripts)
    run_id = await harness.create()
    await harness.execute(run_id, 1)
    return await read_metrics(harness)


def committed(
    *events: RunEvent, models: dict[str, CalledModel] | None = None, run_id: str = "r"
) -> list[CommittedEvents]:
    return [CommittedEvents(run_id, 1, events, models=models or {})]


def on_commit(*batches: list[CommittedEvents]) -> MetricsPage:
    instruments = Instruments()
    metrics = RunMetrics(instruments)
    for batch in batches:
        metrics.on_commit(batch)
    return MetricsPage(instruments.text().decode())


class TestRunOutcomes:
    async def test_completed_run_changes_every_metric_by_the_right_amount(self, harness: RunHarness) -> None:
        page = await execute_run(harness, Script(EVENTS, COMPLETED))

        assert page("runs_queued_total", reason="started") == page("runs_started_total") == 1
        assert {
            s: page("runs_ended_total", state=s) for s in ("completed", "failed", "stopped", "crashed")
        } == {
            "completed": 1,
            "failed": 0,
            "stopped": 0,
            "crashed": 0,
        }
        assert page("run_duration_seconds_count", state="completed") == 1
        assert page("run_start_delay_seconds_count") == 1
        assert page("tasks_ended_total", outcome="completed") == 2
        assert page("task_duration_seconds_count", outcome="completed") == 2
        assert page("model_calls_total", **MAIN, outcome="ok") == 2
        assert page("model_calls_total", **MAIN, outcome="provider-auth") == 1
        assert page("model_call_duration_seconds_count", **MAIN) == 3
        assert page("model_call_duration_seconds_sum", **MAIN) == pytest.approx(0.015)
        assert page("model_tokens_total", **MAIN, direction="prompt") == 5 + 2
        assert page("model_tokens_total", **MAIN, direction="completion") == 5 + 3
        assert page("model_cost_total", **MAIN, currency="USD") == 0.75
        assert page("tool_calls_total", tool="calculator", outcome="ok") == 1
        assert page("tool_calls_total", tool="calculator", outcome="failed") == 1
        assert page("tool_call_duration_seconds_sum", tool="calculator") == pytest.approx(0.257)
        stored = len(EVENTS) + len(("run.queued", "run.started", "run.completed"))
        assert page("events_stored_total") == page("event_lag_seconds_count") == stored
        assert page("journal_batch_events_sum") == len(EVENTS)
        assert page("journal_batch_duration_seconds_count") == page("journal_batch_events_count") >= 1

    async def test_failed_run_and_task_are_counted_as_failed(self, harness: RunHarness) -> None:
        task_failed = TaskFailed(task_key="research", data=TaskFailedData(error=FAILURE))
        page = await execute_run(harness, Script([started("research"), task_failed], Failed(FAILURE)))

        assert page("runs_ended_total", state="failed") == 1
        assert page("tasks_ended_total", outcome="failed") == 1
        assert page("task_duration_seconds_count", outcome="failed") == 1

    async def test_rolled_back_transition_is_not_counted(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        before = await read_metrics(harness)

        async with harness.transaction_rolled_back(run_id) as (run, lifecycle):
            await lifecycle.fail(run, RunFailure(code="timeout", message="late"))

        after = await read_metrics(harness)
        assert after("runs_ended_total", state="failed") == 0
        assert after("events_stored_total") == before("events_stored_total") == 2

    async def test_run_stopped_in_the_queue_has_no_duration(self, harness: RunHarness) -> None:
        run_id = await harness.create()
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.stop(run)

        page = await read_metrics(harness)
        assert page("runs_ended_total", state="stopped") == 1
        assert page("runs_started_total") == 0
        assert page("run_duration_seconds_sum", state="stopped") == 0

    async def test_run_that_waits_for_approval_starts_and_ends_once(self, harness: RunHarness) -> None:
        approval_script = Script([started("research")], NeedsHuman("research", "researcher", "A proposal."))
        harness.executor = ScriptedExecutor(
            approval_script, Script([started("report"), completed("report")], COMPLETED)
        )
        run_id = await harness.create()
        await harness.execute(run_id, 1)
        waiting = await read_metrics(harness)
        async with harness.approvals() as approvals:
            approval = await approvals.lock_open(run_id)
            assert approval is not None
            await approvals.resolve(OWNER, approval.id, ApprovalResolve(action="approve"))
        await harness.execute(run_id, 2)

        page = await read_metrics(harness)
        assert waiting.sum("runs_ended_total") == 0
        assert page("runs_started_total") == page("runs_ended_total", state="completed") == 1
        assert page("runs_queued_total", reason="answered") == 1
        # The first task was completed by an approval, so its duration is unknown.
        assert page("tasks_ended_total", outcome="completed") == 2
        assert page("task_duration_seconds_count", outcome="completed") == 1

    async def test_rejected_events_of_an_outdated_attempt_are_counted(self, harness: RunHarness) -> None:
        run_id = await harness.create_running()
        # The fencing token of the run is 1.
        sink = harness.container.event_writer.open_sink(run_id, 0, lambda: None)
        sink(completed("research"))
        sink(completed("report"))
        await harness.container.event_writer.flush()

        page = await read_metrics(harness)
        assert page("journal_events_refused_total") == 2
        assert page.sum("tasks_ended_total") == 0

    @pytest.mark.parametrize(("role", "concurrency"), [("all", 7), ("worker", 7), ("api", 0)])
    async def test_active_runs_and_concurrency_are_reported(
        self, tmp_path: Path, role: str, concurrency: int
    ) -> None:
        with fresh_database("sqlite", tmp_path) as url:
            async with open_harness(url, tmp_path, worker_concurrency=7, role=role) as harness:
                harness.container.active_runs.add((await harness.create_running(), 1))
                page = await read_metrics(harness)

        assert (page("active_runs"), page("run_places")) == (1, concurrency)

    def test_unfinished_attempts_are_evicted_at_the_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(runs_module, "MOST_OPEN_RUNS", 2)
        instruments = Instruments()
        metrics = RunMetrics(instruments)
        for number in range(5):
            metrics.on_commit(committed(started("research"), run_id=f"run_{number}"))

        assert len(metrics._runs._started_at) == 2
        metrics.on_commit(committed(completed("research"), run_id="run_0"))
        metrics.on_commit(committed(completed("research"), run_id="run_4"))
        page = MetricsPage(instruments.text().decode())
        assert page("tasks_ended_total", outcome="completed") == 2
        assert page("task_duration_seconds_count", outcome="completed") == 1

    def test_lag_is_not_negative_after_the_clock_is_set_back(self) -> None:
        early = started("research").model_copy(update={"at": now().replace(year=2999)})
        page = on_commit(committed(early))

        assert page("event_lag_seconds_sum") == 0


class TestListenerErrors:
    async def test_failing_listener_does_not_affect_the_run(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise ValueError("a bug in the listener")

        monkeypatch.setattr(RunMetrics, "on_commit", broken)
        monkeypatch.setattr(harness.container.telemetry.upkeep, "batch_stored", broken)
        harness.executor = ScriptedExecutor(Script(EVENTS, COMPLETED))
        run_id = await harness.create()
        await harness.execute(run_id, 1)

        assert (await harness.get_run(run_id)).state == "completed"


class TestModelLabels:
    @ON_SQLITE
    async def test_model_of_an_inline_provider_is_other(self, harness: RunHarness) -> None:
        config = ProviderCreate.model_validate(
            {
                "name": "mine",
                "type": "openai_compatible",
                "baseUrl": "http://127.0.0.1:9/v1",
                "models": ["x" * 99],
            }
        )
        harness.executor = ScriptedExecutor(Script([with_model("x" * 99, call(10))], COMPLETED))
        run_id = await harness.create(NewRun(definition(), {}, inline_provider=True))
        harness.container.inline_providers.keep(run_id, config)
        await harness.execute(run_id, 1)

        page = await read_metrics(harness)
        calls = page.labels("model_calls_total")
        assert calls == [{"provider": "openai_compatible", "model": "other", "outcome": "ok"}]

    def test_unknown_tokens_and_costs_are_not_counted_as_zero(self) -> None:
        page = on_commit(
            committed(
                with_model("m", call(None, None)), models={"m": CalledModel(ProviderType.OPENAI, "gpt")}
            )
        )

        assert page("model_calls_total", provider="openai", model="m", outcome="ok") == 1
        assert page.labels("model_tokens_total") == page.labels("model_cost_total") == []

    def test_unknown_model_is_other(self) -> None:
        page = on_commit(committed(with_model("made-up", call(10))))

        assert page("model_calls_total", provider="other", model="other", outcome="ok") == 1

    def test_models_beyond_the_limit_are_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(labels_module, "MOST_MODELS", 2)
        models = {name: CalledModel(ProviderType.OPENAI, name) for name in "abc"}
        label = ModelLabels()

        assert [label(models, name) for name in "abca"] == [
            ("openai", "a"),
            ("openai", "b"),
            ("openai", "other"),
            ("openai", "a"),
        ]


class TestToolLabels:
    def test_tool_that_no_agent_has_is_other(self) -> None:
        agent_started = AgentStarted(agent="a", data=AgentStartedData(tools=["search"]))
        delegated = DelegationCompleted(data=DelegationCompletedData(to="b", tool_call_id="t", output="o"))
        page = on_commit(
            committed(
                tool_call("search"), agent_started, tool_call("search"), tool_call("rm -rf /"), delegated
            )
        )

        assert page("tool_calls_total", tool="search", outcome="ok") == 1
        assert page("tool_calls_total", tool="other", outcome="ok") == 2
        assert page("tool_calls_total", tool="delegation", outcome="ok") == 1

    def test_tools_beyond_the_limit_are_other(self, monkeypatch: pytest.MonkeyPatch) -> None:
        label = ToolLabels()
        monkeypatch.setattr(labels_module, "MOST_TOOLS", len(label._known) + 1)
        label.given(["one", "two"])

        assert (label("one"), label("two"), label("calculator")) == ("one", "other", "calculator")


class TestNames:
    def test_follow_the_prometheus_conventions(self) -> None:
        """Base units in the name, counters end in `_total`, every help text is a sentence."""
        instruments = Instruments()
        RunMetrics(instruments)
        for family in MetricsPage(instruments.text().decode()).families.values():
            if family.name.startswith("process_"):
                continue
            assert family.name.startswith("crewai_runner_")
            assert family.documentation[0].isupper(), family.name
            assert family.documentation.endswith("."), family.name
            assert not family.name.endswith(("_ms", "_milliseconds"))
            if family.type == "histogram":
                assert family.name.endswith("_seconds"), family.name
