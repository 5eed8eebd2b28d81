"""What only the database knows: right, cheap, asked for seldom, and never an old figure for a new one."""

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
from crewai_runner.features.metrics import record
from crewai_runner.features.metrics.repository import MetricsRepository
from crewai_runner.queue.port import QueueStats
from tests.support.harness import ON_SQLITE, RunHarness
from tests.support.metrics_page import MetricsPage
from tests.support.principals import OTHER_WORKSPACE, OWNER

STATES = ("queued", "running", "waiting", "stopping")


def run(state: str, workspace_id: str = OWNER.workspace_id) -> RunRow:
    return RunRow(
        id=new_id(Prefix.RUN),
        workspace_id=workspace_id,
        workflow_name="Tea",
        definition={},
        inputs={},
        created_by="owner",
        state=state,
        created_at=now() - timedelta(hours=1),
        finished_at=now() if state in ("completed", "failed") else None,
    )


async def store(harness: RunHarness, *rows: RunRow) -> None:
    async with harness.session() as session:
        session.add_all(rows)


async def page_of(harness: RunHarness) -> MetricsPage:
    return MetricsPage((await harness.container.telemetry.text()).decode())


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "CACHE_SECONDS", 0.0)


async def test_runs_of_every_workspace_are_counted_by_state(harness: RunHarness) -> None:
    await store(
        harness,
        run("queued"),
        run("queued", OTHER_WORKSPACE),
        run("running"),
        run("waiting"),
        run("completed"),
    )

    page = await page_of(harness)

    assert {state: page("runs", state=state) for state in STATES} == {
        "queued": 2,
        "running": 1,
        "waiting": 1,
        "stopping": 0,
    }
    assert len(page.labels("runs")) == len(STATES)
    assert page("database_up") == 1
    assert page("data_dir_free_bytes") > 0


async def test_the_queue_tells_its_depth_and_how_long_the_oldest_waits(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stats() -> QueueStats:
        return QueueStats(waiting=3, running=2, oldest_wait_seconds=61.5)

    monkeypatch.setattr(harness.queue, "stats", stats)

    page = await page_of(harness)

    assert page("queue_depth") == 3
    assert page("queue_taken") == 2
    assert page("queue_oldest_wait_seconds") == 61.5


async def test_an_empty_queue_has_waited_for_no_time(harness: RunHarness) -> None:
    page = await page_of(harness)

    assert page.has("queue_oldest_wait_seconds")
    assert (page("queue_depth"), page("queue_oldest_wait_seconds")) == (0, 0)


async def test_scrapes_at_once_and_soon_after_ask_the_database_once(harness: RunHarness) -> None:
    asked: list[str] = []

    def note(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        if "FROM workspaces JOIN runs" in statement.replace("\n", ""):
            asked.append(statement)

    event.listen(harness.container.engine.sync_engine, "before_cursor_execute", note)
    await asyncio.gather(*(harness.container.telemetry.text() for _ in range(5)))
    await store(harness, run("queued"))
    page = await page_of(harness)

    assert len(asked) == 1
    assert page("runs", state="queued") == 0  # as it was some seconds ago


async def test_after_some_seconds_it_looks_again(harness: RunHarness, forgetful: None) -> None:
    await page_of(harness)
    await store(harness, run("queued"))

    assert (await page_of(harness))("runs", state="queued") == 1


@ON_SQLITE
async def test_a_database_that_is_gone_leaves_no_old_figures(
    harness: RunHarness, forgetful: None, tmp_path: Path
) -> None:
    await store(harness, run("queued"))
    before = await page_of(harness)
    await harness.container.engine.dispose()
    for file in tmp_path.glob("crewai-runner.db*"):
        file.unlink()
    (tmp_path / "crewai-runner.db").mkdir()

    after = await page_of(harness)

    assert (before("runs", state="queued"), before("database_up")) == (1, 1)
    assert after.has("database_up")
    assert after("database_up") == 0
    assert after.labels("runs") == []


@ON_SQLITE
async def test_a_database_that_hangs_holds_no_scrape_up(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging:
        async def __aenter__(self) -> None:
            await asyncio.Event().wait()

        async def __aexit__(self, *_: object) -> None:
            """Never entered."""

    monkeypatch.setattr(record, "TIMEOUT_SECONDS", 0.0)
    monkeypatch.setattr(record, "read_session", lambda _sessions: Hanging())

    page = await page_of(harness)

    assert page("database_up") == 0
    assert page.has("runs_started_total")


@ON_SQLITE
async def test_a_queue_that_is_not_open_yet_tells_nothing(harness: RunHarness) -> None:
    harness.container.queue.fail("the database refuses")
    with pytest.raises(Unavailable):
        await harness.container.queue.stats()

    page = await page_of(harness)

    assert not page.has("queue_depth")
    assert not page.has("queue_oldest_wait_seconds")
    assert page("database_up") == 1


async def test_finished_runs_are_not_looked_at(harness: RunHarness) -> None:
    """However many there are, the count reads the few that are not over, from an index."""
    await store(harness, *(run("completed") for _ in range(3000)), *(run("queued") for _ in range(3)))
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
        assert (await MetricsRepository(session).unfinished())["queued"] == 3
        statement, values = statements[-1]
        connection = await session.connection()
        prefix = "EXPLAIN" if postgresql else "EXPLAIN QUERY PLAN"
        plan = (await connection.exec_driver_sql(f"{prefix} {statement}", values)).all()

    assert "ix_runs_state" in str(plan)
