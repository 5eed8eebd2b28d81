"""How many statements and transactions one run needs: a change that needs more must say why.

Counts do not depend on the machine, as times do. Readers of the event stream and polls are left out: how
often they read depends on the time that passes.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from crewai_runner.core.clock import now
from crewai_runner.domain.run import RunResult, TaskResult
from crewai_runner.domain.run_connection import RunConnection, RunConnectionPurpose
from crewai_runner.domain.run_event_payloads import LlmStartedData
from crewai_runner.domain.run_events import LlmCompleted, LlmStarted, RunEvent
from crewai_runner.executor.port import Completed, Outcome, RunControl, RunSpec
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.queue.dbos import DbosQueue
from tests.support.builders import call, completed, started
from tests.support.harness import TIMEOUT_SECONDS, RunHarness
from tests.support.server_process import TWO_TASKS
from tests.support.statement_counter import StatementCounter, Totals

pytestmark = [pytest.mark.harness(rate_limit_per_minute=0), pytest.mark.each_database]

LIMITS = {
    "sqlite": {"product": Totals(30, 7), "queue": Totals(6, 4)},
    "postgresql": {"product": Totals(35, 11), "queue": Totals(5, 4)},
}
"""What one run of two tasks may need, by database. One statement stores the start in the audit log."""


def call_started(key: str, agent: str) -> LlmStarted:
    data = LlmStartedData(call_id="c", call=1, model="m", messages=2)
    return LlmStarted(task_key=key, agent=agent, data=data)


BATCHES: list[list[RunEvent]] = [
    [started("research", "researcher"), call_started("research", "researcher")],
    [call(10), completed("research", "Facts.", "researcher")],
    [started("report", "writer"), call_started("report", "writer")],
    [call(20, key="report", agent="writer"), completed("report", "Report.", "writer")],
]
RESULT = RunResult(
    raw="Report.", tasks={"research": TaskResult(raw="Facts."), "report": TaskResult(raw="Report.")}
)


class TwoTasks(ScriptedExecutor):
    """Emits the events of two tasks in four batches, and connects to a model, as a crew does."""

    async def execute(self, spec: RunSpec, sink: Any, control: RunControl) -> Outcome:
        for batch in BATCHES:
            if any(isinstance(event, LlmCompleted) for event in batch):
                made = RunConnection(now(), "127.0.0.1", 9, RunConnectionPurpose.MODEL, "scripted")
                control.note_connection(made)
            for event in batch:
                sink(event)
            await control.wait_until_stored()
        return Completed(RESULT)


@pytest.fixture
async def counter(harness: RunHarness) -> AsyncIterator[StatementCounter]:
    """Counts what the harness and its durable queue execute."""
    harness.container.control_reader._sweep_seconds = 3600.0
    harness.executor = TwoTasks()
    queue, counter = DbosQueue(harness.container.settings.database, poll_seconds=0.05), StatementCounter()
    await queue.start(harness.execute)
    assert queue._engine is not None
    counter.watch(queue._engine, of_queue=True)
    for engine in (harness.container.engine.sync_engine, harness.container.writer.engine):
        counter.watch(engine)
    harness.container.queue.open(queue)
    yield counter
    await queue.drain(TIMEOUT_SECONDS)


async def run_to_end(client: httpx.AsyncClient, counter: StatementCounter) -> str:
    """Start a run and wait until the queue has recorded the end of its job; returns the run's id."""
    response = await client.post("/runs", json={"workflow": TWO_TASKS})
    run_id: str = response.json()["runId"]
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not counter.has_ended(run_id):
            await asyncio.sleep(0.02)
    return run_id


async def test_run_of_two_tasks(
    harness: RunHarness, client: httpx.AsyncClient, counter: StatementCounter
) -> None:
    await run_to_end(client, counter)  # fills what is read once per process
    counter.clear()

    run_id = await run_to_end(client, counter)

    product, queue = counter.count_product(), counter.count_queue(run_id)
    assert (await harness.event_types(run_id))[-1] == "run.completed"
    for name, limit in LIMITS[harness.container.engine.dialect.name].items():
        counts = {"product": product, "queue": queue}[name]
        assert counts.totals.statements <= limit.statements, "\n".join(counts.statements)
        assert counts.totals.transactions <= limit.transactions
