"""The ledger of a run's connections: stored with its events, read page by page, deleted with the run."""

import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from crewai_runner.core.clock import now
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.tables.runs import RunEventRow
from crewai_runner.domain.run import RunFailure, RunResult, TaskResult
from crewai_runner.domain.run_connection import (
    ConnectionResult,
    NumberedConnection,
    RunConnection,
    RunConnectionPurpose,
    StoredConnections,
)
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.executor.port import Completed, EventSink, Failed, Outcome, RunControl, RunSpec
from crewai_runner.executor.scripted import ScriptedExecutor
from crewai_runner.features.egress.rules import merge_documents
from crewai_runner.features.executions.connection_ledger import MAX_ENTRIES
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import call, completed, definition, started
from tests.support.harness import RunHarness
from tests.support.principals import STRANGER, auth_headers

pytestmark = pytest.mark.each_database

RESULT = RunResult(raw="Done.", tasks={"research": TaskResult(raw="Done.")})
SECRET = "canary-of-a-connection-0123456789"


def connection(host: str = "api.example.com", **changes: Any) -> RunConnection:
    made: dict[str, Any] = {
        "purpose": RunConnectionPurpose.MODEL,
        "name": "scripted",
        "agent": "researcher",
        "task_key": "research",
        "sent_bytes": 100,
        "received_bytes": 2000,
        "milliseconds": 30,
    }
    return RunConnection(now(), host, 443, **made | changes)


class Connecting(ScriptedExecutor):
    """Notes connections, then emits events; those in `last` after the last event."""

    def __init__(
        self,
        connections: list[RunConnection],
        last: list[RunConnection] | None = None,
        outcome: Outcome | None = None,
    ) -> None:
        super().__init__()
        self._connections, self._last = connections, last or []
        self._outcome = outcome or Completed(RESULT)

    async def execute(self, spec: RunSpec, sink: EventSink, control: RunControl) -> Outcome:
        events: list[RunEvent] = [started("research"), call(), completed("research", "Done.")]
        for one in self._connections:
            control.note_connection(one)
        for event in events:
            sink(event)
        await control.wait_until_stored()
        for one in self._last:
            control.note_connection(one)
        return self._outcome


async def run(harness: RunHarness, executor: Connecting) -> str:
    harness.executor = executor
    run_id = await harness.create(NewRun(definition(), {"topic": "tea"}))
    await harness.execute(run_id, 1)
    return run_id


async def read(client: httpx.AsyncClient, run_id: str, query: str = "") -> dict[str, Any]:
    response = await client.get(f"/runs/{run_id}/egress{query}")
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


class TestListConnections:
    async def test_who_where_and_how_much(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        refused = connection(
            "evil.example.com",
            purpose=RunConnectionPurpose.TOOL,
            name="http_get",
            result=ConnectionResult.REFUSED,
            reason="Add it to `allowed_hosts`.",
            sent_bytes=0,
            received_bytes=0,
        )
        run_id = await run(harness, Connecting([connection(), refused], [connection()]))

        page = await read(client, run_id)

        first, second, last = page["connections"]
        assert (first["host"], first["port"], first["purpose"], first["name"]) == (
            "api.example.com",
            443,
            "model",
            "scripted",
        )
        assert (first["agent"], first["taskKey"], first["sentBytes"]) == ("researcher", "research", 100)
        assert (second["result"], second["reason"]) == ("refused", "Add it to `allowed_hosts`.")
        assert last["number"] == 3  # no event follows it
        assert [host["host"] for host in page["hosts"]] == ["evil.example.com", "api.example.com"]
        assert page["hosts"][1]["requests"] == 2
        assert page["total"] == {"requests": 3, "refused": 1, "sentBytes": 200, "receivedBytes": 4000}
        assert page["nextCursor"] is None

    async def test_pages(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        run_id = await run(harness, Connecting([connection(f"h{n}.example.com") for n in range(5)]))

        hosts, cursor = [], ""
        for _ in range(3):
            page = await read(client, run_id, f"?limit=2{cursor}")
            hosts += [one["host"] for one in page["connections"]]
            cursor = f"&cursor={page['nextCursor']}"

        assert hosts == [f"h{n}.example.com" for n in range(5)]
        assert page["nextCursor"] is None

    @pytest.mark.parametrize("cursor", ["x", "WyJhIiwiYiJd", "WzEsOTk5OTk5OTk5OTk5OTk5OTk5OTld"])
    async def test_invalid_cursor(self, harness: RunHarness, client: httpx.AsyncClient, cursor: str) -> None:
        run_id = await harness.create_running()

        assert (await client.get(f"/runs/{run_id}/egress?cursor={cursor}")).status_code == 400

    async def test_other_workspace_gets_404(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        run_id = await harness.create_running()
        headers = auth_headers(STRANGER.subject)

        foreign = await client.get(f"/runs/{run_id}/egress", headers=headers)

        assert foreign.status_code == 404


class TestStorage:
    async def test_secrets_in_names_of_hosts_are_masked(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        harness.container.mask.hold(BUILTIN_WORKSPACE, "test", [SECRET])
        made = connection(f"{SECRET}.example.com", reason=f"{SECRET} was not found")

        page = await read(client, await run(harness, Connecting([made])))

        assert SECRET not in str(page)
        assert page["connections"][0]["host"].endswith(".example.com")

    async def test_many_requests_become_few_rows(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        made = [connection() for _ in range(MAX_ENTRIES + 200)]

        run_id = await run(harness, Connecting(made, [connection()]))

        page = await read(client, run_id, "?limit=1000")
        assert len(page["connections"]) == MAX_ENTRIES + 1
        assert page["total"]["requests"] == MAX_ENTRIES + 201

    async def test_rows_are_deleted_with_the_run(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        run_id = await run(harness, Connecting([connection()]))

        deleted = await client.delete(f"/runs/{run_id}")

        assert deleted.status_code == 204
        async with harness.session() as session:
            assert await session.scalar(select(func.count()).select_from(RunEventRow)) == 0

    async def test_failed_attempt_keeps_what_no_event_followed(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        failure = RunFailure(code="provider-bad-request", message="No.")
        executor = Connecting([connection("a.example.com")], [connection("b.example.com")], Failed(failure))

        page = await read(client, await run(harness, executor))

        assert [one["host"] for one in page["connections"]] == ["a.example.com", "b.example.com"]

    async def test_repeated_commit_counts_nothing_twice(self) -> None:
        entry = NumberedConnection(1, connection())
        documents = [StoredConnections(7, [entry]).to_json()] * 2

        merged = merge_documents(json.loads(json.dumps(documents)))

        assert merged == [((7, 1), entry.connection)]
