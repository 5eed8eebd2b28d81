"""Runs, tasks, calls and tools are counted once, when they are committed, under few labels."""

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

DONE = Completed(RunResult(raw="done"))
MAIN = {"provider": "openai_compatible", "model": "main"}


def used(tool: str, *, failed: bool = False) -> RunEvent:
    if failed:
        return ToolFailed(data=ToolFailedData(tool=tool, tool_call_id="t", message="no", duration_ms=7))
    return ToolCompleted(data=ToolCompletedData(tool=tool, tool_call_id="t", output="o", duration_ms=250))


def by(model: str, event: Any) -> RunEvent:
    """The same call, made to another model."""
    told: RunEvent = event.model_copy(update={"data": event.data.model_copy(update={"model": model})})
    return told


STORY = [
    started("research"),
    by("main", call(10, "0.25")),
    by("main", failed_call()),
    used("calculator"),
    used("calculator", failed=True),
    completed("research"),
    started("report"),
    by("main", call(5, "0.5", "report")),
    completed("report"),
]


async def page_of(harness: RunHarness) -> MetricsPage:
    return MetricsPage((await harness.container.telemetry.text()).decode())


async def play(harness: RunHarness, *scripts: Script) -> MetricsPage:
    """One run to its end."""
    harness.executor = ScriptedExecutor(*scripts)
    run_id = await harness.create()
    await harness.execute(run_id, 1)
    return await page_of(harness)


async def test_every_figure_of_a_run_moves_by_exactly_what_happened(harness: RunHarness) -> None:
    page = await play(harness, Script(STORY, DONE))

    assert page("runs_queued_total", reason="started") == page("runs_started_total") == 1
    assert {s: page("runs_ended_total", state=s) for s in ("completed", "failed", "stopped", "crashed")} == {
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
    stored = len(STORY) + len(("run.queued", "run.started", "run.completed"))
    assert page("events_stored_total") == page("event_lag_seconds_count") == stored
    assert page("journal_batch_events_sum") == len(STORY)
    assert page("journal_batch_duration_seconds_count") == page("journal_batch_events_count") >= 1


async def test_a_failed_run_and_task_are_counted_as_failed(harness: RunHarness) -> None:
    lost = TaskFailed(task_key="research", data=TaskFailedData(error=FAILURE))
    page = await play(harness, Script([started("research"), lost], Failed(FAILURE)))

    assert page("runs_ended_total", state="failed") == 1
    assert page("tasks_ended_total", outcome="failed") == 1
    assert page("task_duration_seconds_count", outcome="failed") == 1


async def test_what_is_rolled_back_is_not_counted(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    before = await page_of(harness)

    async with harness.transaction_rolled_back(run_id) as (run, lifecycle):
        await lifecycle.fail(run, RunFailure(code="timeout", message="late"))

    after = await page_of(harness)
    assert after("runs_ended_total", state="failed") == 0
    assert after("events_stored_total") == before("events_stored_total") == 2


async def test_a_run_stopped_in_the_queue_ends_without_having_worked(harness: RunHarness) -> None:
    run_id = await harness.create()
    async with harness.transaction(run_id) as (run, lifecycle):
        await lifecycle.stop(run)

    page = await page_of(harness)
    assert page("runs_ended_total", state="stopped") == 1
    assert page("runs_started_total") == 0
    assert page("run_duration_seconds_sum", state="stopped") == 0


async def test_a_run_that_waits_for_a_person_starts_once_and_ends_once(harness: RunHarness) -> None:
    asking = Script([started("research")], NeedsHuman("research", "researcher", "A proposal."))
    harness.executor = ScriptedExecutor(asking, Script([started("report"), completed("report")], DONE))
    run_id = await harness.create()
    await harness.execute(run_id, 1)
    waiting = await page_of(harness)
    async with harness.approvals() as approvals:
        asked = await approvals.lock_open(run_id)
        assert asked is not None
        await approvals.resolve(OWNER, asked.id, ApprovalResolve(action="approve"))
    await harness.execute(run_id, 2)

    page = await page_of(harness)
    assert waiting.sum("runs_ended_total") == 0
    assert page("runs_started_total") == page("runs_ended_total", state="completed") == 1
    assert page("runs_queued_total", reason="answered") == 1
    # The first was accepted by a person: it ended, and how long it took nobody measured.
    assert page("tasks_ended_total", outcome="completed") == 2
    assert page("task_duration_seconds_count", outcome="completed") == 1


async def test_words_of_a_fenced_off_attempt_are_refused_and_counted_as_such(harness: RunHarness) -> None:
    run_id = await harness.create_running()
    tell = harness.container.event_writer.open_sink(run_id, 0, lambda: None)  # the run's fencing token is 1
    tell(completed("research"))
    tell(completed("report"))
    await harness.container.event_writer.flush()

    page = await page_of(harness)
    assert page("journal_events_refused_total") == 2
    assert page.sum("tasks_ended_total") == 0


@ON_SQLITE
async def test_a_model_given_with_one_run_is_other_whatever_it_is_called(harness: RunHarness) -> None:
    config = ProviderCreate.model_validate(
        {
            "name": "mine",
            "type": "openai_compatible",
            "baseUrl": "http://127.0.0.1:9/v1",
            "models": ["x" * 99],
        }
    )
    harness.executor = ScriptedExecutor(Script([by("x" * 99, call(10))], DONE))
    run_id = await harness.create(NewRun(definition(), {}, inline_provider=True))
    harness.container.inline_providers.keep(run_id, config)
    await harness.execute(run_id, 1)

    page = await page_of(harness)
    calls = page.labels("model_calls_total")
    assert calls == [{"provider": "openai_compatible", "model": "other", "outcome": "ok"}]


async def test_a_listener_that_fails_costs_no_commit(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a defect of whoever listens")

    monkeypatch.setattr(RunMetrics, "on_commit", broken)
    monkeypatch.setattr(harness.container.telemetry.upkeep, "batch_stored", broken)
    harness.executor = ScriptedExecutor(Script(STORY, DONE))
    run_id = await harness.create()
    await harness.execute(run_id, 1)

    assert (await harness.get_run(run_id)).state == "completed"


@pytest.mark.parametrize(("role", "places"), [("all", 7), ("worker", 7), ("api", 0)])
async def test_runs_at_work_here_and_their_places_are_told(tmp_path: Path, role: str, places: int) -> None:
    with fresh_database("sqlite", tmp_path) as url:
        async with open_harness(url, tmp_path, worker_concurrency=7, role=role) as harness:
            harness.container.active_runs.add(await harness.create_running())
            page = await page_of(harness)

    assert (page("active_runs"), page("run_places")) == (1, places)


def told(
    *events: RunEvent, models: dict[str, CalledModel] | None = None, run_id: str = "r"
) -> list[CommittedEvents]:
    return [CommittedEvents(run_id, 1, events, models=models or {})]


def on_commit(*batches: list[CommittedEvents]) -> MetricsPage:
    instruments = Instruments()
    metrics = RunMetrics(instruments)
    for batch in batches:
        metrics.on_commit(batch)
    return MetricsPage(instruments.text().decode())


def test_unknown_tokens_and_costs_are_not_counted_as_none() -> None:
    page = on_commit(told(by("m", call(None, None)), models={"m": CalledModel(ProviderType.OPENAI, "gpt")}))

    assert page("model_calls_total", provider="openai", model="m", outcome="ok") == 1
    assert page.labels("model_tokens_total") == page.labels("model_cost_total") == []


def test_a_model_that_the_attempt_does_not_know_is_other() -> None:
    page = on_commit(told(by("made-up", call(10))))

    assert page("model_calls_total", provider="other", model="other", outcome="ok") == 1


def test_models_beyond_the_most_are_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels_module, "MOST_MODELS", 2)
    models = {name: CalledModel(ProviderType.OPENAI, name) for name in "abc"}
    label = ModelLabels()

    assert [label(models, name) for name in "abca"] == [
        ("openai", "a"),
        ("openai", "b"),
        ("openai", "other"),
        ("openai", "a"),
    ]


def test_a_tool_is_named_only_when_some_agent_holds_it() -> None:
    held = AgentStarted(agent="a", data=AgentStartedData(tools=["search"]))
    delegated = DelegationCompleted(data=DelegationCompletedData(to="b", tool_call_id="t", output="o"))
    page = on_commit(told(used("search"), held, used("search"), used("rm -rf /"), delegated))

    assert page("tool_calls_total", tool="search", outcome="ok") == 1
    assert page("tool_calls_total", tool="other", outcome="ok") == 2
    assert page("tool_calls_total", tool="delegation", outcome="ok") == 1


def test_tools_beyond_the_most_are_other(monkeypatch: pytest.MonkeyPatch) -> None:
    label = ToolLabels()
    monkeypatch.setattr(labels_module, "MOST_TOOLS", len(label._known) + 1)
    label.given(["one", "two"])

    assert (label("one"), label("two"), label("calculator")) == ("one", "other", "calculator")


def test_what_an_attempt_left_open_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "MOST_OPEN_RUNS", 2)
    instruments = Instruments()
    metrics = RunMetrics(instruments)
    for number in range(5):
        metrics.on_commit(told(started("research"), run_id=f"run_{number}"))

    assert len(metrics._runs._started_at) == 2
    metrics.on_commit(told(completed("research"), run_id="run_0"))
    metrics.on_commit(told(completed("research"), run_id="run_4"))
    page = MetricsPage(instruments.text().decode())
    assert page("tasks_ended_total", outcome="completed") == 2
    assert page("task_duration_seconds_count", outcome="completed") == 1


def test_a_clock_that_was_set_back_gives_no_negative_lag() -> None:
    early = started("research").model_copy(update={"at": now().replace(year=2999)})
    page = on_commit(told(early))

    assert page("event_lag_seconds_sum") == 0


def test_the_metrics_follow_the_conventions_of_names() -> None:
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
