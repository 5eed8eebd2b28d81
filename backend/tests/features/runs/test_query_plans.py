"""No list, filter, insight or metric reads all runs or events when the planner has statistics of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, event, text

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.db.tables.runs import RunEventRow, RunRow
from tests.support.harness import RunHarness
from tests.support.principals import OWNER

pytestmark = pytest.mark.each_database

RUNS = 2000
TABLES = ("runs", "run_events", "llm_calls", "run_tasks", "run_search")
PATHS = [
    "/runs",
    "/runs?limit=5&status=failed",
    "/runs?status=queued&status=running",
    "/runs?workflowId=wf_1",
    "/runs?metadata=ticket%3D7",
    "/runs?q=needle",
    "/runs?q=needle&status=failed",
    "/runs?since=2026-01-01T00:00:00Z",
    "/runs/{run}/events",
    "/insights?period=24h",
    "/insights?period=30d",
    "/workflows",
]


def make_run(number: int) -> RunRow:
    at = now() - timedelta(minutes=number)
    return RunRow(
        id=new_id(Prefix.RUN),
        workspace_id=OWNER.workspace_id,
        workflow_id="wf_1" if number % 50 == 0 else f"wf_{number}",
        workflow_name="Tea",
        definition={},
        inputs={},
        extra={"ticket": number},
        created_by="owner",
        state="queued" if number < 3 else "completed",
        created_at=at,
        finished_at=None if number < 3 else at,
    )


@pytest.fixture
async def run_id(harness: RunHarness) -> str:
    """The id of one of many runs with events; the planner has statistics of them."""
    runs = [make_run(number) for number in range(RUNS)]
    async with harness.session() as session:
        session.add_all(runs)
        await session.flush()
        session.add_all(
            RunEventRow(run_id=run.id, seq=1, attempt=1, type="run.queued", at=now(), frame="{}")
            for run in runs
        )
    async with harness.session() as session:
        await session.execute(text("ANALYZE"))
    return runs[-1].id


@contextmanager
def recorded(harness: RunHarness) -> Iterator[list[tuple[str, Any]]]:
    """Record the queries of requests."""
    queries: list[tuple[str, Any]] = []

    def add(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        if sql.lstrip().startswith(("SELECT", "WITH")):
            queries.append((sql, values))

    engines = (harness.container.engine.sync_engine, harness.container.reader.engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", add)
    yield queries
    for engine in engines:
        event.remove(engine, "before_cursor_execute", add)


def find_scans(connection: Connection, queries: list[tuple[str, Any]]) -> list[str]:
    """Return the steps of the plans that read a whole table."""
    if connection.dialect.name == "sqlite":
        steps = [
            str(row[3])
            for sql, values in queries
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
        ]
        return [step for step in steps if step in {f"SCAN {table}" for table in TABLES}]
    # A small table is cheaper to scan; one that no index can replace is scanned nevertheless.
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    lines = [
        str(row[0]) for sql, values in queries for row in connection.exec_driver_sql(f"EXPLAIN {sql}", values)
    ]
    return [line for line in lines for table in TABLES if f"Seq Scan on {table} " in line + " "]


async def test_requests_read_indexes(harness: RunHarness, client: httpx.AsyncClient, run_id: str) -> None:
    scans: dict[str, list[str]] = {}
    for path in PATHS:
        with recorded(harness) as queries:
            response = await client.get(path.format(run=run_id))
        assert response.status_code == 200, response.text
        scans[path] = await harness.container.reader.run(lambda c, found=queries: find_scans(c, found))
        assert queries
    with recorded(harness) as queries:
        await harness.container.telemetry.text()
    scans["/metrics"] = await harness.container.reader.run(lambda c: find_scans(c, queries))

    assert {path: found for path, found in scans.items() if found} == {}
