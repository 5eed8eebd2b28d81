"""Figures read from the database: correct, cached for a few seconds, and never outdated."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from crewai_runner.core.clock import now
from crewai_runner.core.errors import Unavailable
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.features.metrics import database_collector
from crewai_runner.features.metrics.repository import MetricsRepository
from crewai_runner.queue.port import QueueStats
from tests.support.harness import ON_SQLITE, RunHarness
from tests.support.metrics_page import MetricsPage
from tests.support.principals import OTHER_WORKSPACE, OWNER

pytestmark = pytest.mark.each_database

STATES = ("queued", "running", "waiting", "stopping")


def make_run(state: str, workspace_id: str = OWNER.workspace_id, execution_uuid: str | None = None) -> RunRow:
    return RunRow(
        id=new_id(Prefix.RUN),
        workspace_id=workspace_id,
        workflow_name="Tea",
        definition={},
        inputs={},
        created_by="owner",
        state=state,
        execution_uuid=execution_uuid,
        created_at=now() - timedelta(hours=1),
        finished_at=now() if state in ("completed", "failed") else None,
    )


async def add_rows(harness: RunHarness, *rows: RunRow) -> None:
    async with harness.session() as session:
        session.add_all(rows)


async def read_metrics(harness: RunHarness) -> MetricsPage:
    return MetricsPage((await harness.container.telemetry.text()).decode())


@pytest.fixture
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_collector, "CACHE_SECONDS", 0.0)


class TestDatabaseCollector:
    async def test_counts_runs_of_all_workspaces_by_state(self, harness: RunHarness) -> None:
        await add_rows(
            harness,
            make_run("queued"),
            make_run("queued", OTHER_WORKSPACE),
            make_run("running"),
            make_run("waiting"),
            make_run("completed"),
            make_run("running", execution_uuid="elsewhere"),
        )

        page = await read_metrics(harness)

        assert {state: page("runs", state=state) for state in STATES} == {
            "queued": 2,
            "running": 1,
            "waiting": 1,
            "stopping": 0,
        }
        assert len(page.labels("runs")) == len(STATES)
        assert page("runs_elsewhere") == 1
        assert page("database_up") == 1
        assert page("data_dir_free_bytes") > 0

    async def test_does_not_read_finished_runs(self, harness: RunHarness) -> None:
        """The number of finished runs does not matter: unfinished ones are found through an index."""
        await add_rows(
            harness, *(make_run("completed") for _ in range(3000)), *(make_run("queued") for _ in range(3))
        )
        postgresql = not harness.container.settings.is_embedded
        async with read_session(harness.container.sessions) as session:
            if postgresql:
                await session.execute(text("ANALYZE runs, workspaces"))
            statements: list[tuple[str, Any]] = []
            event.listen(
                harness.container.engine.sync_engine,
                "before_cursor_execute",
                lambda _c, _k, statement, values, *_: statements.append((statement, values)),
            )
            assert (await MetricsRepository(session).count_unfinished()).by_state["queued"] == 3
            statement, values = statements[-1]
            connection = await session.connection()
            prefix = "EXPLAIN" if postgresql else "EXPLAIN QUERY PLAN"
            plan = (await connection.exec_driver_sql(f"{prefix} {statement}", values)).all()

        assert "ix_runs_unfinished" in str(plan)

    async def test_reports_queue_depth_and_oldest_wait(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def stats() -> QueueStats:
            return QueueStats(waiting=3, running=2, oldest_wait_seconds=61.5)

        monkeypatch.setattr(harness.queue, "stats", stats)

        page = await read_metrics(harness)

        assert page("queue_depth") == 3
        assert page("queue_taken") == 2
        assert page("queue_oldest_wait_seconds") == 61.5

    async def test_empty_queue_has_no_wait(self, harness: RunHarness) -> None:
        page = await read_metrics(harness)

        assert page.has("queue_oldest_wait_seconds")
        assert (page("queue_depth"), page("queue_oldest_wait_seconds")) == (0, 0)

    async def test_scrapes_within_the_cache_time_read_the_database_once(self, harness: RunHarness) -> None:
        statements: list[str] = []

        def record_statement(_c: Any, _k: Any, statement: str, *_: Any) -> None:
            if "FROM workspaces JOIN runs" in statement.replace("\n", ""):
                statements.append(statement)

        event.listen(harness.container.engine.sync_engine, "before_cursor_execute", record_statement)
        await asyncio.gather(*(harness.container.telemetry.text() for _ in range(5)))
        await add_rows(harness, make_run("queued"))
        page = await read_metrics(harness)

        assert len(statements) == 1
        assert page("runs", state="queued") == 0  # the cached figure

    async def test_reads_again_after_the_cache_time(self, harness: RunHarness, no_cache: None) -> None:
        await read_metrics(harness)
        await add_rows(harness, make_run("queued"))

        assert (await read_metrics(harness))("runs", state="queued") == 1

    @ON_SQLITE
    async def test_missing_database_removes_outdated_figures(
        self, harness: RunHarness, no_cache: None, tmp_path: Path
    ) -> None:
        await add_rows(harness, make_run("queued"))
        before = await read_metrics(harness)
        await harness.container.engine.dispose()
        for file in tmp_path.glob("crewai-runner.db*"):
            file.unlink()
        (tmp_path / "crewai-runner.db").mkdir()

        after = await read_metrics(harness)

        assert (before("runs", state="queued"), before("database_up")) == (1, 1)
        assert after.has("database_up")
        assert after("database_up") == 0
        assert after.labels("runs") == []
        assert not after.has("runs_elsewhere")

    @ON_SQLITE
    async def test_hanging_database_does_not_block_the_scrape(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Hanging:
            async def __aenter__(self) -> None:
                await asyncio.Event().wait()

            async def __aexit__(self, *_: object) -> None:
                """Never entered."""

        monkeypatch.setattr(database_collector, "TIMEOUT_SECONDS", 0.0)
        monkeypatch.setattr(database_collector, "read_session", lambda _sessions: Hanging())

        page = await read_metrics(harness)

        assert page("database_up") == 0
        assert page.has("runs_started_total")

    @ON_SQLITE
    async def test_failed_queue_reports_no_figures(self, harness: RunHarness) -> None:
        harness.container.queue.fail("the database refuses")
        with pytest.raises(Unavailable):
            await harness.container.queue.stats()

        page = await read_metrics(harness)

        assert not page.has("queue_depth")
        assert not page.has("queue_oldest_wait_seconds")
        assert page("database_up") == 1
