"""Used-up connections: requests get a 503, a metric counts them, and no task ends with an error."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from sqlalchemy import text

from crewai_runner.db.connection_budget import MIN_CONNECTIONS
from crewai_runner.db.counting_pool import CountingPool, count_pool_timeouts
from crewai_runner.db.session import shielded, unit_of_work
from tests.support.harness import ON_POSTGRESQL, RunHarness
from tests.support.metrics_page import MetricsPage

pytestmark = pytest.mark.each_database

REQUESTS = 5


@asynccontextmanager
async def all_connections_used(harness: RunHarness) -> AsyncIterator[None]:
    """Hold every connection of the pool, and let others wait for a tenth of a second only."""
    pool = harness.container.engine.pool
    assert isinstance(pool, CountingPool)
    pool._timeout = 0.1
    async with AsyncExitStack() as held:
        for _ in range(pool.size()):
            session = await held.enter_async_context(unit_of_work(harness.container.sessions))
            await session.execute(text("SELECT 1"))
        yield


class UsedUpConnections:
    """What every request needs: a connection for its route, or one for the middleware before it."""

    async def test_requests_get_503_and_are_counted(
        self, harness: RunHarness, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with all_connections_used(harness):
            answers = await asyncio.gather(*(client.delete("/runs/run_1") for _ in range(REQUESTS)))
        gc.collect()  # a task whose error was not retrieved reports it when it is deleted
        after = await client.get("/approvals")

        assert [(one.status_code, one.headers["Retry-After"]) for one in answers] == [(503, "2")] * REQUESTS
        assert answers[0].json()["type"].endswith("/unavailable")
        assert after.status_code == 200
        assert count_pool_timeouts(harness.container.engine) >= REQUESTS
        page = MetricsPage((await harness.container.telemetry.text()).decode())
        assert page("database_pool_timeouts_total") >= REQUESTS
        assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []

    async def test_cancelled_requests_leave_no_failed_task(
        self, harness: RunHarness, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
    ) -> None:
        errors: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        async with all_connections_used(harness):
            requests = [asyncio.create_task(client.delete("/runs/run_1")) for _ in range(REQUESTS)]
            calls = [harness.container.control_reader.read("run_1") for _ in range(REQUESTS)]
            reads = [asyncio.create_task(call) for call in [*calls, shielded(harness.get_run("run_1"))]]
            await asyncio.sleep(0.02)
            for task in [*requests, *reads]:
                task.cancel()
            await asyncio.gather(*requests, *reads, return_exceptions=True)
            await asyncio.sleep(0.2)  # longer than the wait for a connection
        gc.collect()

        assert errors == []
        assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


@ON_POSTGRESQL
@pytest.mark.harness(database_connections=MIN_CONNECTIONS, rate_limit_per_minute=0)
class TestInTheRoute(UsedUpConnections):
    pass


@ON_POSTGRESQL
@pytest.mark.harness(database_connections=MIN_CONNECTIONS)
class TestInTheRateLimiter(UsedUpConnections):
    pass
