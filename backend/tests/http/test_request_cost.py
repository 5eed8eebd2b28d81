"""What frequent requests cost: hops to threads and statements, which are counted, not timed."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, event

from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.db.tables.workflows import WorkflowRow
from tests.support.harness import RunHarness
from tests.support.principals import OWNER

pytestmark = pytest.mark.each_database

STATEMENTS = {"/runs": 1, "/workflows": 2, "/models": 1, "/models/{model}": 1, "/runs/{run}": 1}
"""Of the list of workflows the second one reads their newest runs."""


@dataclass
class Cost:
    """Hops of the snapshot reader, its statements, and those of sessions, each of which is several hops."""

    hops: int = 0
    read: list[str] = field(default_factory=list)
    in_sessions: list[str] = field(default_factory=list)


@contextmanager
def recorded(harness: RunHarness, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cost]:
    """Record the cost of requests."""
    cost, run = Cost(), SnapshotReader.run

    def count_hop(reader: SnapshotReader, read: Any) -> Any:
        cost.hops += 1
        return run(reader, read)

    def listen(engine: Engine, statements: list[str]) -> Any:
        def add(_connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
            if not sql.startswith("BEGIN"):
                statements.append(sql)

        event.listen(engine, "before_cursor_execute", add)
        return lambda: event.remove(engine, "before_cursor_execute", add)

    monkeypatch.setattr(SnapshotReader, "run", count_hop)
    stop = [
        listen(harness.container.reader.engine, cost.read),
        listen(harness.container.engine.sync_engine, cost.in_sessions),
    ]
    yield cost
    for remove in stop:
        remove()


@pytest.mark.parametrize("path", STATEMENTS)
async def test_reads_in_one_hop_with_few_statements(
    harness: RunHarness,
    client: httpx.AsyncClient,
    stored_provider: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    body = {"name": "mini", "providerId": stored_provider["id"]}
    model = (await client.post("/models", json=body)).json()["model"]
    run = await harness.create()
    async with harness.session() as session:
        session.add(WorkflowRow(id=new_id(Prefix.WORKFLOW), workspace_id=OWNER.workspace_id, name="Saved"))

    with recorded(harness, monkeypatch) as cost:
        answer = await client.get(path.format(model=model["id"], run=run))

    assert answer.status_code == 200
    assert cost.hops == 1
    assert len(cost.read) == STATEMENTS[path]
    assert cost.in_sessions == []


async def test_insert_of_a_model_takes_few_statements(
    harness: RunHarness,
    client: httpx.AsyncClient,
    stored_provider: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await client.post("/models", json={"name": "first", "providerId": stored_provider["id"]})

    with recorded(harness, monkeypatch) as cost:
        answer = await client.post("/models", json={"name": "mini", "providerId": stored_provider["id"]})

    assert answer.status_code == 201
    # The provider, the default model, the insert, and the model as it is stored; on PostgreSQL the lock of
    # the workspace and the id of the transaction as well.
    is_sqlite = harness.container.engine.dialect.name == "sqlite"
    assert len(cost.in_sessions) == (5 if is_sqlite else 7), cost.in_sessions
