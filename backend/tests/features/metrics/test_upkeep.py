"""Event loop lag, dead workers and their requeued runs."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from crewai_runner.features.metrics import upkeep
from crewai_runner.features.metrics.instruments import Instruments
from crewai_runner.features.metrics.upkeep import UpkeepMetrics
from crewai_runner.queue.database_engine import make_queue_engine
from crewai_runner.queue.leases import WorkerLease, create_lease_table
from crewai_runner.wiring.periodic_tasks import PeriodicTasks
from tests.support.database import empty_postgresql
from tests.support.harness import ON_SQLITE, RunHarness
from tests.support.metrics_page import MetricsPage

pytestmark = pytest.mark.each_database


def page_of(instruments: Instruments) -> MetricsPage:
    return MetricsPage(instruments.text().decode())


@pytest.fixture
def postgres_url() -> Iterator[str]:
    with empty_postgresql() as url:
        yield url


class TestLoopLag:
    async def test_blocked_loop_is_measured_as_lag(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(upkeep, "INTERVAL_SECONDS", 0.01)
        instruments = Instruments()
        task = asyncio.create_task(UpkeepMetrics(instruments).measure_loop_lag())
        while page_of(instruments)("event_loop_lag_seconds_count") == 0:
            await asyncio.sleep(0)
        lag_before = page_of(instruments)("event_loop_lag_seconds_sum")
        await asyncio.sleep(0)

        time.sleep(0.3)  # blocks the loop
        count_before = page_of(instruments)("event_loop_lag_seconds_count")
        while page_of(instruments)("event_loop_lag_seconds_count") == count_before:
            await asyncio.sleep(0)
        task.cancel()

        assert page_of(instruments)("event_loop_lag_seconds_sum") - lag_before > 0.2

    async def test_measurement_ends_with_the_process(self, harness: RunHarness) -> None:
        harness.container.telemetry.start()
        await asyncio.sleep(0)
        assert "event-loop-lag" in {task.get_name() for task in asyncio.all_tasks()}

        await harness.container.telemetry.close()

        assert "event-loop-lag" not in {task.get_name() for task in asyncio.all_tasks()}


class TestWorkerLosses:
    def test_dead_worker_is_counted_by_the_worker_that_retires_it(self, postgres_url: str) -> None:
        engine = make_queue_engine(postgres_url)
        with engine.begin() as connection:
            connection.execute(text("CREATE SCHEMA dbos"))
        create_lease_table(postgres_url)
        with engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO dbos.worker_lease VALUES"
                    " ('dead', now() - interval '60 s', now() - interval '120 s'),"
                    " ('alive', now() + interval '600 s', now())"
                )
            )
        instruments, retired = Instruments(), threading.Event()
        metrics = UpkeepMetrics(instruments)

        def on_retired() -> None:
            metrics.worker_retired()
            retired.set()

        lease = WorkerLease(postgres_url, "this", seconds=0.5, on_lost=lambda: None, on_retired=on_retired)
        lease.acquire()
        try:
            assert retired.wait(20)
        finally:
            lease.release()
            engine.dispose()

        assert page_of(instruments)("lease_losses_total") == 1

    @ON_SQLITE
    async def test_requeued_runs_are_counted(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def orphans() -> list[tuple[str, int]]:
            return [("run_1", 1), ("run_2", 1)]

        monkeypatch.setattr(harness.queue, "orphans", orphans)
        await PeriodicTasks(harness.container).requeue_orphans()

        page = MetricsPage((await harness.container.telemetry.text()).decode())
        assert page("orphaned_runs_total") == 2
