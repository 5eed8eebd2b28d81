"""Deleting old runs and events in the background, on both databases."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import event, select

from crewai_runner.core.clock import now
from crewai_runner.db.base import Base
from crewai_runner.db.session import read_session, unit_of_work
from crewai_runner.db.tables.runs import LlmCallRow, RunEventRow
from crewai_runner.features.runs import deletion, retention
from crewai_runner.features.runs.deletion import RunDeletionService
from crewai_runner.features.runs.deletion_repository import RunDeletionRepository
from crewai_runner.features.runs.retention import RetentionCounts, RetentionPeriods, RunRetention
from crewai_runner.wiring.periodic_tasks import PeriodicTasks
from tests.features.runs.test_deletion import (
    count_related_rows,
    create_finished_run,
    create_run_in_state,
    list_run_ids,
)
from tests.support.builders import started
from tests.support.harness import ON_POSTGRESQL, RunHarness
from tests.support.metrics_page import MetricsPage

pytestmark = pytest.mark.each_database

DAYS = 30
GUARD_SECONDS = 30.0
"""Ends a test that waits for a lock that its own transaction holds."""


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAUSE_SECONDS", 0.0)


async def delete_expired(harness: RunHarness, *, runs: int = 0, events: int = 0) -> RetentionCounts:
    service = RunDeletionService(harness.container.sessions, harness.container.queue)
    return await RunRetention(service, RetentionPeriods(runs, events)).delete_expired()


async def read_all_rows(harness: RunHarness) -> str:
    """Every value of every table, as one text."""
    async with read_session(harness.container.sessions) as session:
        rows = [list(await session.execute(select(table))) for table in Base.metadata.sorted_tables]
    return repr(rows)


async def add_steps(harness: RunHarness, run_id: str, count: int) -> None:
    """Add events and model calls to a run: `count` of each."""
    frame = {"attempt": 1, "type": "llm.completed", "at": now(), "frame": "{}"}
    call = {"model": "m", "duration_ms": 1, "at": now()}
    async with unit_of_work(harness.container.sessions) as session:
        for seq in range(1000, 1000 + count):
            session.add(RunEventRow(run_id=run_id, seq=seq, **frame))
            session.add(LlmCallRow(run_id=run_id, seq=seq, **call))


@contextmanager
def recorded_transactions(harness: RunHarness) -> Iterator[list[int]]:
    """The number of events and model calls that each committed transaction deleted by a statement."""
    engine, transactions, pending = harness.container.engine.sync_engine, list[int](), [0]

    def count(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("DELETE FROM run_events", "DELETE FROM llm_calls")):
            pending[0] += cursor.rowcount

    def commit(_connection: Any) -> None:
        transactions.append(pending[0])
        pending[0] = 0

    event.listen(engine, "after_cursor_execute", count)
    event.listen(engine, "commit", commit)
    yield transactions
    event.remove(engine, "after_cursor_execute", count)
    event.remove(engine, "commit", commit)


class TestRunsKept:
    async def test_deletes_old_runs_and_every_mention_of_them(self, harness: RunHarness) -> None:
        old, new = await create_finished_run(harness, DAYS + 1), await create_finished_run(harness, DAYS - 1)
        child = await create_run_in_state(harness, "completed")
        async with harness.transaction(child) as (run, _):
            run.forked_from = old
        events = (await count_related_rows(harness, old))["run_events"]

        counts = await delete_expired(harness, runs=DAYS)

        assert counts == RetentionCounts(runs=1, events=events)
        assert await list_run_ids(harness) == {new, child}
        assert old not in await read_all_rows(harness)
        assert min((await count_related_rows(harness, new)).values()) > 0

    @pytest.mark.parametrize("state", ["queued", "running", "waiting", "stopping"])
    async def test_keeps_active_runs_of_any_age(self, harness: RunHarness, state: str) -> None:
        # A finish time contradicts the state here: the state must decide.
        run_id = await create_run_in_state(harness, state, DAYS + 1)

        assert await delete_expired(harness, runs=DAYS, events=DAYS) == RetentionCounts(0, 0)
        assert await list_run_ids(harness) == {run_id}

    async def test_counts_from_the_end_of_a_run(self, harness: RunHarness) -> None:
        run_id = await create_run_in_state(harness, "completed", DAYS + 1)
        async with harness.transaction(run_id) as (run, _):
            run.finished_at = now()

        assert await delete_expired(harness, runs=DAYS) == RetentionCounts(0, 0)

    async def test_without_settings_everything_is_kept(self, harness: RunHarness) -> None:
        run_id = await create_finished_run(harness, 10_000)
        before = await count_related_rows(harness, run_id)

        await PeriodicTasks(harness.container).delete_expired_runs()

        assert await count_related_rows(harness, run_id) == before

    @pytest.mark.harness(runs_kept_days=DAYS)
    async def test_setting_and_metrics(self, harness: RunHarness) -> None:
        run_id = await create_finished_run(harness, DAYS + 1)
        events = (await count_related_rows(harness, run_id))["run_events"]

        await PeriodicTasks(harness.container).delete_expired_runs()

        assert await list_run_ids(harness) == set()
        page = MetricsPage((await harness.container.telemetry.text()).decode())
        assert page("retention_deleted_total", kind="runs") == 1
        assert page("retention_deleted_total", kind="events") == events

    async def test_two_processes_delete_each_run_once(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deletion, "MAX_RUNS", 1)
        for _ in range(4):
            await create_run_in_state(harness, "failed", DAYS + 1)

        counts = await asyncio.gather(*(delete_expired(harness, runs=DAYS) for _ in range(2)))

        assert sum(count.runs for count in counts) == 4
        assert await list_run_ids(harness) == set()

    @ON_POSTGRESQL
    async def test_runs_that_another_transaction_has_locked_are_left_for_later(
        self, harness: RunHarness
    ) -> None:
        locked, _ = [await create_run_in_state(harness, "failed", DAYS + 1) for _ in range(2)]

        async with harness.transaction(locked), asyncio.timeout(GUARD_SECONDS):
            counts = await delete_expired(harness, runs=DAYS)

        assert counts.runs == 1
        assert await list_run_ids(harness) == {locked}


class TestBatches:
    """No transaction deletes more than `MAX_ROWS` of the rows of which a run can have very many."""

    @pytest.fixture(autouse=True)
    def _small_batches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(deletion, "MAX_ROWS", 10)

    @pytest.mark.parametrize("how", ["retention", "one run", "many runs"])
    async def test_runs(self, harness: RunHarness, client: httpx.AsyncClient, how: str) -> None:
        run_id = await create_run_in_state(harness, "failed", DAYS + 1)
        await add_steps(harness, run_id, 25)
        other = await create_run_in_state(harness, "failed", DAYS + 1)

        with recorded_transactions(harness) as transactions:
            match how:
                case "retention":
                    await delete_expired(harness, runs=DAYS)
                case "one run":
                    await client.delete(f"/runs/{run_id}")
                case _:
                    await client.delete("/runs", params={"status": "failed"})

        assert await list_run_ids(harness) == ({other} if how == "one run" else set())
        queued_events = 1 if how == "one run" else 2
        assert max(transactions) == 10
        assert sum(transactions) == 2 * 25 + queued_events

    async def test_events(self, harness: RunHarness) -> None:
        run_id = await create_finished_run(harness, DAYS + 1)
        await add_steps(harness, run_id, 25)
        events = (await count_related_rows(harness, run_id))["run_events"]

        with recorded_transactions(harness) as transactions:
            counts = await delete_expired(harness, events=DAYS)

        assert counts.events == sum(transactions) == events
        assert max(transactions) == 10

    async def test_interrupted_deletion_says_that_events_are_missing(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        run_id = await create_run_in_state(harness, "failed", DAYS + 1)
        await add_steps(harness, run_id, 25)
        service = RunDeletionService(harness.container.sessions, harness.container.queue)

        await service.delete_finished_before(now())

        assert (await client.get(f"/runs/{run_id}")).json()["run"]["eventsDeletedAt"] is not None


class TestEventsKept:
    async def test_run_keeps_everything_but_its_events(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        old, new = await create_finished_run(harness, DAYS + 1), await create_finished_run(harness, DAYS - 1)
        rows = {run_id: await count_related_rows(harness, run_id) for run_id in (old, new)}
        before = (await client.get(f"/runs/{old}")).json()["run"]
        insights = (await client.get("/insights", params={"period": "30d"})).json()["totals"]

        counts = await delete_expired(harness, events=DAYS)

        assert counts == RetentionCounts(runs=0, events=rows[old]["run_events"])
        assert await count_related_rows(harness, old) == rows[old] | {"run_events": 0}
        assert await count_related_rows(harness, new) == rows[new]
        after = (await client.get(f"/runs/{old}")).json()["run"]
        assert before["eventsDeletedAt"] is None
        assert after["eventsDeletedAt"] is not None
        assert after | {"eventsDeletedAt": None} == before
        assert (await client.get("/insights", params={"period": "30d"})).json()["totals"] == insights
        assert (await client.get(f"/runs/{new}")).json()["run"]["eventsDeletedAt"] is None
        assert await delete_expired(harness, events=DAYS) == RetentionCounts(0, 0)

    async def test_events_of_a_run_that_a_worker_completed_are_deleted(self, harness: RunHarness) -> None:
        run_id = await harness.create()
        await harness.execute(run_id, 1)
        run = await harness.get_run(run_id)
        assert (run.state, run.events_ended_at) == ("completed", run.finished_at)
        async with harness.transaction(run_id) as (run, _):
            run.events_ended_at = now() - timedelta(days=DAYS + 1)

        counts = await delete_expired(harness, events=DAYS)

        assert counts == RetentionCounts(runs=0, events=run.last_seq)

    @pytest.mark.parametrize("last_event_id", [None, "1", "4", "2147483647"])
    async def test_list_and_stream_end_at_once(
        self, harness: RunHarness, client: httpx.AsyncClient, last_event_id: str | None
    ) -> None:
        run_id = await create_finished_run(harness, DAYS + 1)
        await delete_expired(harness, events=DAYS)
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}

        page = (await client.get(f"/runs/{run_id}/events", headers=headers)).json()
        stream = await client.get(f"/runs/{run_id}/stream", headers=headers)

        assert (page["events"], page["eventsDeletedAt"] is None) == ([], False)
        assert page["lastSeq"] == (await harness.get_run(run_id)).last_seq
        [snapshot] = stream.text.split("\n\n")[:-1]
        assert snapshot.startswith("event: run.snapshot")
        assert '"status":"completed"' in snapshot
        assert '"eventsDeletedAt":"' in snapshot

    async def test_resumed_run_continues_its_numbers_and_is_kept(self, harness: RunHarness) -> None:
        run_id = await create_run_in_state(harness, "failed", DAYS + 1)
        async with harness.transaction(run_id) as (run, _):
            run.events_ended_at = run.finished_at
        await delete_expired(harness, events=DAYS)
        last_seq = (await harness.get_run(run_id)).last_seq

        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.queue_next_attempt(run, "resumed")

        assert (await delete_expired(harness, events=DAYS)).events == 0
        resumed = await harness.get_run(run_id)
        assert (resumed.last_seq, resumed.events_ended_at) == (last_seq + 1, None)
        assert resumed.events_deleted_at is not None

    async def test_later_events_of_a_finished_run_are_kept_as_long(self, harness: RunHarness) -> None:
        run_id = await create_finished_run(harness, DAYS + 1)
        await delete_expired(harness, events=DAYS)
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.emit(run, started("research"))

        run = await harness.get_run(run_id)

        assert run.events_ended_at is not None
        assert (await delete_expired(harness, events=DAYS)).events == 0


class TestIndexes:
    @pytest.mark.parametrize("find", ["lock_finished_before", "lock_with_events_before"])
    async def test_old_runs_are_found_by_index(self, harness: RunHarness, find: str) -> None:
        await create_run_in_state(harness, "failed", DAYS + 1)
        engine, statements = harness.container.engine, list[tuple[str, Any]]()

        def record(_c: Any, _cursor: Any, statement: str, values: Sequence[Any], *_: Any) -> None:
            statements.append((statement, values))

        event.listen(engine.sync_engine, "before_cursor_execute", record)
        async with unit_of_work(harness.container.sessions) as session:
            await getattr(RunDeletionRepository(session), find)(now() - timedelta(days=DAYS), 50)
        event.remove(engine.sync_engine, "before_cursor_execute", record)

        plan = await explain(harness, *next(s for s in statements if s[0].startswith("SELECT runs.id")))
        index = "ix_runs_finished_at" if find == "lock_finished_before" else "ix_runs_events_ended_at"
        assert index in plan
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan


async def explain(harness: RunHarness, statement: str, values: Any) -> str:
    is_postgresql = harness.container.engine.dialect.name == "postgresql"
    async with harness.container.engine.connect() as connection:
        if is_postgresql:
            # The table is too small for the planner to prefer an index.
            for way in ("seqscan", "bitmapscan", "sort"):
                await connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        prefix = "EXPLAIN" if is_postgresql else "EXPLAIN QUERY PLAN"
        rows = (await connection.exec_driver_sql(f"{prefix} {statement}", values)).all()
    return "\n".join(str(row) for row in rows)
