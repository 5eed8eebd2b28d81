"""The kept totals equal a scan of the runs after any history: ends, resumes, changes, deletions, folds."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert, select, text, update

from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.db.base import table_of
from crewai_runner.db.session import make_engine, make_sessions, make_writer_engine
from crewai_runner.db.tables.run_outcomes import RunOutcomeRow, RunOutcomeTotalRow
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.features.insights.repository import InsightRepository
from crewai_runner.features.insights.rules import Period, RunAggregate, TimeWindow, sum_aggregates
from crewai_runner.features.insights.service import OutcomeTotals, _read_insights

pytestmark = pytest.mark.each_database

RUNS, WORKSPACE = table_of(RunRow), "ws_1"
NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
FINAL = ("completed", "failed", "stopped", "crashed")

amounts = st.none() | st.integers(0, 10**14).map(lambda part: Decimal(part) / 10**10)
usage = st.fixed_dictionaries(
    {
        "total_tokens": st.none() | st.integers(0, 1000),
        "cost_amount": amounts,
        "calls_without_usage": st.integers(0, 1),
        "calls_without_cost": st.integers(0, 1),
        "currency": st.sampled_from(["USD", "EUR"]),
    }
)
ends = st.tuples(st.sampled_from(FINAL), usage, st.integers(1, 500))
creations = st.fixed_dictionaries(
    {
        "minutes_ago": st.integers(0, 60 * 24 * 31) | st.integers(0, 60 * 30),
        "workflow": st.sampled_from([("wf_1", "One"), ("wf_2", "Two"), (None, "wf_1"), (None, "Three")]),
        "workspace_id": st.sampled_from([WORKSPACE, WORKSPACE, WORKSPACE, "ws_2"]),
        "end": st.none() | ends,
    }
)
steps = st.one_of(
    st.tuples(st.just("create"), creations),
    st.tuples(st.just("end"), st.integers(0, 9), ends),
    st.tuples(st.just("change"), st.integers(0, 9), usage),
    st.tuples(st.sampled_from(["resume", "delete"]), st.integers(0, 9)),
    st.tuples(st.sampled_from(["fold", "rebuild"])),
)


def usage_columns(given: dict[str, Any]) -> dict[str, Any]:
    columns = {name: value for name, value in given.items() if name != "currency"}
    return columns | {"cost_currency": None if given["cost_amount"] is None else given["currency"]}


def end_columns(end: Any) -> dict[str, Any]:
    if end is None:
        return {"state": "running", "finished_at": None}
    state, used, seconds = end
    return {"state": state, "finished_at": NOW, "seconds_at_work": seconds / 7} | usage_columns(used)


@dataclass
class History:
    """Runs that come and go, on one connection; every step is a transaction."""

    engine: Engine
    totals: OutcomeTotals
    run_ids: list[str] = field(default_factory=list)

    def execute(self, statement: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(statement)

    async def apply(self, step: Any) -> None:
        name, *given = step
        if name == "create":
            self.create(given[0])
        elif name in ("fold", "rebuild"):
            await getattr(self.totals, name)()
        elif self.run_ids:
            run_id = self.run_ids[given[0] % len(self.run_ids)]
            changed = update(RUNS).where(RUNS.c.id == run_id)
            if name == "end":
                self.execute(changed.values(end_columns(given[1])))
            elif name == "change":
                self.execute(changed.values(usage_columns(given[1])))
            elif name == "resume":
                self.execute(changed.values(state="queued", finished_at=None))
            else:
                self.execute(delete(RUNS).where(RUNS.c.id == run_id))
                self.run_ids.remove(run_id)

    def create(self, given: dict[str, Any]) -> None:
        workflow_id, workflow_name = given["workflow"]
        self.run_ids.append(new_id(Prefix.RUN))
        values = {
            "id": self.run_ids[-1],
            "workspace_id": given["workspace_id"],
            "workflow_id": workflow_id,
            "workflow_name": workflow_name,
            "definition": {},
            "inputs": {},
            "created_by": "owner",
            "created_at": NOW - timedelta(minutes=given["minutes_ago"]),
        }
        self.execute(insert(RUNS).values(values | end_columns(given["end"])))


class ScanRepository:
    """What `InsightRepository` returns, computed from all runs."""

    def __init__(self, connection: Connection) -> None:
        query = select(RUNS).where(RUNS.c.workspace_id == WORKSPACE).order_by(RUNS.c.id)
        self._runs = connection.execute(query).all()

    def sum_finished_by_bucket(self, window: TimeWindow) -> dict[int, RunAggregate]:
        return self._sum(window, lambda run: run.state in FINAL, lambda run: find_bucket(run, window))

    def sum_active_by_bucket(self, window: TimeWindow) -> dict[int, RunAggregate]:
        return self._sum(window, lambda run: run.state not in FINAL, lambda run: find_bucket(run, window))

    def list_busiest_workflows(self, window: TimeWindow, limit: int) -> dict[str, RunAggregate]:
        by_key = self._sum(window, lambda _: True, get_key)
        return dict(sorted(by_key.items(), key=lambda item: (-item[1].runs, item[0]))[:limit])

    def list_durations(self, window: TimeWindow) -> dict[str, list[float]]:
        durations: dict[str, list[float]] = {}
        for run in self._within(window):
            if run.state == "completed":
                durations.setdefault(get_key(run), []).append(run.seconds_at_work)
        return durations

    def list_newest_names(self, workflow_ids: Iterable[str]) -> Mapping[str, str]:
        return {run.workflow_id: run.workflow_name for run in self._runs if run.workflow_id in workflow_ids}

    def _within(self, window: TimeWindow) -> Iterator[Any]:
        return (run for run in self._runs if window.since <= run.created_at < window.until)

    def _sum(
        self, window: TimeWindow, counts: Callable[[Any], bool], key: Callable[[Any], Any]
    ) -> dict[Any, RunAggregate]:
        parts: dict[Any, list[RunAggregate]] = {}
        for run in self._within(window):
            if counts(run):
                parts.setdefault(key(run), []).append(aggregate(run))
        return {key: sum_aggregates(runs) for key, runs in parts.items()}


def find_bucket(run: Any, window: TimeWindow) -> int:
    bucket: int = (run.created_at - window.since) // window.step
    return bucket


def get_key(run: Any) -> str:
    return str(run.workflow_id or f"={run.workflow_name}")


def aggregate(run: Any) -> RunAggregate:
    is_unknown = run.total_tokens is None
    costs_unknown = run.cost_amount is None and (is_unknown or run.total_tokens != 0)
    return RunAggregate(
        **{run.state if run.state in FINAL else "active": 1},
        token_sum=run.total_tokens or 0,
        runs_with_unknown_tokens=int(is_unknown or run.calls_without_usage > 0),
        cost_sum=run.cost_amount,
        runs_with_unknown_cost=int(costs_unknown or run.calls_without_cost > 0),
        currencies=frozenset({run.cost_currency} - {None}),
    )


async def run_history(url: str, history_steps: list[Any]) -> None:
    engine, async_engine = make_writer_engine(url), make_engine(url, pool_size=1)
    history = History(engine, OutcomeTotals(make_sessions(async_engine)))
    try:
        with engine.begin() as connection:
            connection.execute(delete(RUNS))
            connection.execute(delete(table_of(WorkspaceRow)))
            rows = [{"id": name, "name": name, "created_at": NOW} for name in (WORKSPACE, "ws_2")]
            connection.execute(insert(table_of(WorkspaceRow)), rows)
        for step in history_steps:
            await history.apply(step)
        with engine.connect() as connection:
            for period in Period:
                window = TimeWindow.ending_at(period, NOW)
                kept = _read_insights(InsightRepository(connection, WORKSPACE), period, window)
                scanned: Any = ScanRepository(connection)
                assert kept == _read_insights(scanned, period, window)
        history.execute(delete(RUNS))
        await history.totals.fold()
        with engine.connect() as connection:
            assert connection.execute(select(RunOutcomeRow.__table__)).all() == []
            assert connection.execute(select(RunOutcomeTotalRow.__table__)).all() == []
    finally:
        engine.dispose()
        await async_engine.dispose()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history_steps=st.lists(steps, max_size=25))
def test_totals_equal_a_scan_after_any_history(database_url: str, history_steps: list[Any]) -> None:
    asyncio.run(run_history(database_url, history_steps))


class TestBatches:
    async def test_more_entries_than_one_batch(
        self, database_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("crewai_runner.features.insights.service.BATCH", 2)
        creation = {"minutes_ago": 5, "workflow": ("wf_1", "One"), "workspace_id": WORKSPACE}
        end = ("failed", {"total_tokens": 1, "cost_amount": None, "currency": "USD"}, 1)

        await run_history(database_url, [("create", creation | {"end": end})] * 5 + [("rebuild",), ("fold",)])


def test_sqlite_keeps_its_triggers(database_url: str) -> None:
    """A migration that copies the table of runs would drop them."""
    engine = make_writer_engine(database_url)
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            query = text("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'runs'")
            assert connection.execute(query).scalar_one() >= 4
    engine.dispose()
