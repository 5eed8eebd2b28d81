"""Run statistics and the workflow list with its newest runs: authorization and correct sums."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import event, null

from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.db.tables.workflows import WorkflowRow
from crewai_runner.features.insights import repository, service
from tests.support.harness import ON_SQLITE, RunHarness
from tests.support.principals import ANONYMOUS, AS_STRANGER, OTHER_WORKSPACE, OWNER, auth_headers

pytestmark = pytest.mark.each_database

Json = dict[str, Any]
NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fixed_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "now", lambda: NOW)


COUNTS = ("completed", "failed", "stopped", "crashed", "active")


def run(hours_ago: float = 1, state: str = "completed", **columns: Any) -> RunRow:
    at = NOW - timedelta(hours=hours_ago)
    over = state in ("completed", "failed", "stopped", "crashed")
    given: Json = {
        "id": new_id(Prefix.RUN),
        "workspace_id": OWNER.workspace_id,
        "workflow_name": "Tea",
        "definition": {},
        "inputs": {},
        "created_by": "owner",
        "state": state,
        "created_at": at,
        "finished_at": at + timedelta(seconds=5) if over else None,
    }
    return RunRow(**given | columns)


async def store(harness: RunHarness, *rows: object) -> None:
    async with harness.session() as session:
        session.add_all(rows)


async def insights(client: httpx.AsyncClient, period: str = "24h") -> Json:
    answer = await client.get("/insights", params={"period": period})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def dollars(amount: str, tokens: int | None = 10) -> Json:
    return {"cost_amount": Decimal(amount), "cost_currency": "USD", "total_tokens": tokens}


class TestInsights:
    async def test_require_the_scope_to_read_runs(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/insights", headers=ANONYMOUS)).status_code == 401
        assert (await client.get("/insights", headers=auth_headers("document-reader"))).status_code == 403
        assert (await client.get("/insights", headers=auth_headers("run-reader"))).status_code == 200

    async def test_exclude_the_runs_of_other_workspaces(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        theirs = {"workspace_id": OTHER_WORKSPACE, "active_seconds": 7.0, **dollars("3")}
        await store(
            harness, run(**theirs), run(state="queued", workspace_id=OTHER_WORKSPACE), run(state="failed")
        )

        mine = await insights(client)
        other = (await client.get("/insights", headers=AS_STRANGER)).json()

        assert (mine["totals"]["runs"], mine["totals"]["medianSeconds"], mine["totals"]["cost"]) == (
            1,
            None,
            None,
        )
        assert [found["name"] for found in mine["workflows"]] == ["Tea"]
        assert (other["totals"]["runs"], other["totals"]["failed"]) == (2, 0)

    async def test_without_runs_are_zero_or_null(self, client: httpx.AsyncClient) -> None:
        found = await insights(client)

        assert found["totals"] == {
            **dict.fromkeys(("runs", *COUNTS, "activeElsewhere", "totalTokens"), 0),
            **dict.fromkeys(("successRate", "cost", "knownCost", "medianSeconds", "p95Seconds")),
        }
        assert found["workflows"] == []

    @pytest.mark.parametrize(
        ("period", "seconds", "count"), [("24h", 3600, 24), ("7d", 21_600, 28), ("30d", 86_400, 30)]
    )
    async def test_buckets_are_consecutive(
        self, client: httpx.AsyncClient, period: str, seconds: int, count: int
    ) -> None:
        found = await insights(client, period)

        starts = [datetime.fromisoformat(bucket["at"]) for bucket in found["buckets"]]
        since, until = (datetime.fromisoformat(found[name]) for name in ("since", "until"))
        assert (found["period"], found["bucketSeconds"], len(starts)) == (period, seconds, count)
        assert starts == [since + number * timedelta(seconds=seconds) for number in range(count)]
        assert until == starts[-1] + timedelta(seconds=seconds)

    async def test_unknown_period_is_rejected(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/insights", params={"period": "1y"})).status_code == 422

    async def test_count_a_run_at_its_creation_time(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        first = NOW.replace(minute=0) - timedelta(hours=23)
        await store(
            harness,
            run(created_at=first),
            run(created_at=first - timedelta(milliseconds=1)),
            run(created_at=first + timedelta(hours=1)),
            run(created_at=first + timedelta(hours=1) - timedelta(milliseconds=1)),
            run(state="running", created_at=first),
            run(state="queued", created_at=first - timedelta(milliseconds=1)),
            run(state="waiting", created_at=NOW),
        )

        buckets = (await insights(client))["buckets"]

        assert [bucket["completed"] for bucket in buckets[:3]] == [2, 1, 0]
        assert [bucket["active"] for bucket in buckets] == [1, *[0] * 22, 1]

    async def test_buckets_add_up_to_the_totals(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        states = ["completed"] * 6 + ["failed"] * 2 + ["stopped", "crashed", "queued", "stopping"]
        rows = [run(1.7 * number, state, **dollars("0.1", 3)) for number, state in enumerate(states)]
        await store(harness, *rows, run(-0.2, "running", total_tokens=0))

        found = await insights(client)

        totals, buckets = found["totals"], found["buckets"]
        assert (totals["runs"], totals["active"], totals["successRate"]) == (13, 3, 0.6667)
        for name in (*COUNTS, "totalTokens"):
            assert sum(bucket[name] for bucket in buckets) == totals[name]
        spent = [Decimal(bucket["cost"]["amount"]) for bucket in buckets if bucket["cost"]]
        assert totals["cost"] == {"amount": "1.2", "currency": "USD"}
        assert sum(spent) == Decimal("1.2")

    async def test_runs_elsewhere_are_not_active_here(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        await store(
            harness,
            run(state="running"),
            run(state="running", execution_uuid="1"),
            run(execution_uuid="2"),
        )

        found = await insights(client)

        assert [found["totals"][name] for name in ("runs", "completed", "active", "activeElsewhere")] == [
            *(3, 1, 1, 1)
        ]
        assert sum(bucket["activeElsewhere"] for bucket in found["buckets"]) == 1
        assert [workflow["runs"] for workflow in found["workflows"]] == [3]

    async def test_unknown_cost_is_null_and_not_zero(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        await store(
            harness,
            run(2, **dollars("0.25")),
            run(2, total_tokens=null()),
            run(3, total_tokens=5),
            run(4, "failed", total_tokens=0),
        )

        found = await insights(client)

        two, three, four = (found["buckets"][number] for number in (-3, -4, -5))
        assert (two["cost"], two["knownCost"]["amount"], two["totalTokens"]) == (None, "0.25", None)
        assert (three["cost"], three["knownCost"], three["totalTokens"]) == (None, None, 5)
        assert (four["cost"], four["totalTokens"]) == (None, 0)
        assert (found["totals"]["cost"], found["totals"]["knownCost"]["amount"]) == (None, "0.25")

    async def test_run_without_model_calls_does_not_make_the_cost_unknown(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        await store(harness, run(**dollars("0.25")), run(state="failed", total_tokens=0))

        assert (await insights(client))["totals"]["cost"] == {"amount": "0.25", "currency": "USD"}

    async def test_costs_in_two_currencies_are_null(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        await store(harness, run(**dollars("1")), run(1.1, **dollars("1") | {"cost_currency": "EUR"}))

        found = await insights(client)

        assert (found["totals"]["cost"], found["workflows"][0]["cost"]) == (None, None)

    async def test_durations_include_completed_runs_only(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        rows = [run(0.01 * number, active_seconds=float(number)) for number in range(1, 101)]
        slow = [run(state=state, active_seconds=9999.0) for state in ("failed", "stopped", "crashed")]
        await store(harness, *rows, *slow)

        totals = (await insights(client))["totals"]

        assert (totals["medianSeconds"], totals["p95Seconds"]) == (50, 95)

    @pytest.mark.parametrize(
        ("seconds", "median", "p95"),
        [
            ([4.0], 4, 4),
            ([1.0, 3.0], 1, 3),
            ([5.0, 1.0, 3.0], 3, 5),
            ([0.1 + 0.2, 2 / 3 * 1e6, 1e-7], 0.1 + 0.2, 2 / 3 * 1e6),
        ],
    )
    async def test_durations_of_few_runs_are_not_interpolated(
        self, harness: RunHarness, client: httpx.AsyncClient, seconds: list[float], median: float, p95: float
    ) -> None:
        await store(harness, *(run(active_seconds=each) for each in seconds))

        found = await insights(client)

        assert (found["totals"]["medianSeconds"], found["totals"]["p95Seconds"]) == (median, p95)
        assert found["workflows"][0]["medianSeconds"] == median

    async def test_durations_are_sampled_from_the_newest_runs(
        self, harness: RunHarness, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(repository, "DURATION_SAMPLE_SIZE", 2)
        await store(harness, *(run(number, active_seconds=float(number)) for number in range(1, 6)))

        assert (await insights(client))["totals"]["p95Seconds"] == 2

    async def test_workflows_are_ordered_by_number_of_runs(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        saved = new_id(Prefix.WORKFLOW)
        await store(
            harness,
            run(3, workflow_id=saved, workflow_name="Old name", active_seconds=1.0, **dollars("1")),
            run(2, workflow_id=saved, workflow_name="New name", active_seconds=9.0, **dollars("2")),
            run(1, "running", workflow_id=saved, workflow_name="New name", total_tokens=0),
            run(1, "failed", workflow_name="Inline", total_tokens=5),
            run(1, "completed", workflow_name="Inline", **dollars("7")),
            run(1, workflow_name=saved, total_tokens=0),
        )

        rows = (await insights(client))["workflows"]

        first, second, third = rows
        assert (first["workflowId"], first["name"], first["runs"]) == (saved, "New name", 3)
        assert (first["medianSeconds"], first["cost"]["amount"], first["successRate"]) == (1, "3", 1)
        assert (second["workflowId"], second["name"], second["runs"]) == (None, "Inline", 2)
        assert (second["cost"], second["knownCost"]["amount"], second["successRate"]) == (None, "7", 0.5)
        # An unsaved workflow may have the id of a saved one as its name.
        assert (third["workflowId"], third["name"], third["runs"]) == (None, saved, 1)

    async def test_workflows_are_limited_to_twenty(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        busy = [run(workflow_name="Busy"), run(workflow_name="Busy")]
        await store(harness, *(run(workflow_name=f"W{number}") for number in range(25)), *busy)

        rows = (await insights(client))["workflows"]

        assert (len(rows), rows[0]["name"]) == (20, "Busy")

    @ON_SQLITE
    async def test_queries_use_the_indexes_only(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        await store(harness, run())
        queries = await record_queries(harness, insights(client))

        plans = [
            step
            for statement, values in queries
            for step in await explain(harness, statement, values)
            if "runs" in step and ("SCAN" in step or "SEARCH" in step)
        ]

        assert plans
        assert {step.split("INDEX ")[-1].split(" ")[0] for step in plans} <= {
            "ix_runs_finished",
            "ix_runs_unfinished",
            "ix_runs_workflow",
        }


async def record_queries(harness: RunHarness, request: Any) -> list[tuple[str, Any]]:
    """Return the queries on runs that were executed during the request."""
    queries: list[tuple[str, Any]] = []

    def on_execute(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if "FROM runs" in statement:
            queries.append((statement, values))

    engines = (harness.container.engine.sync_engine, harness.container.reader.engine)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", on_execute)
    await request
    for engine in engines:
        event.remove(engine, "before_cursor_execute", on_execute)
    return queries


async def explain(harness: RunHarness, statement: str, values: Any) -> list[str]:
    async with harness.container.engine.connect() as connection:
        found = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        return [row[3] for row in found]


def workflow(name: str, **columns: Any) -> WorkflowRow:
    given: Json = {"id": new_id(Prefix.WORKFLOW), "workspace_id": OWNER.workspace_id, "name": name}
    return WorkflowRow(**given | columns)


async def list_workflows(client: httpx.AsyncClient, subject: str = "owner", **query: Any) -> dict[str, Json]:
    answer = await client.get("/workflows", params=query, headers=auth_headers(subject))
    assert answer.status_code == 200, answer.text
    return {row["name"]: row for row in answer.json()["workflows"]}


class TestListWorkflows:
    async def test_requires_the_scope_to_read_workflows(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/workflows", headers=ANONYMOUS)).status_code == 401
        assert (await client.get("/workflows", headers=auth_headers("document-reader"))).status_code == 200

    async def test_workflow_without_runs(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        await store(harness, workflow("Fresh"))

        fresh = (await list_workflows(client))["Fresh"]

        assert (fresh["lastRun"], fresh["recentRuns"]) == (None, [])

    async def test_returns_the_newest_twelve_runs_oldest_first(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        saved = workflow("Busy")
        runs = [
            run(20 - n, id=f"run_{n:02}", workflow_id=saved.id, active_seconds=float(n)) for n in range(14)
        ]
        active = run(0.1, "running", id="run_99", workflow_id=saved.id, active_seconds=3.0)
        await store(harness, saved, workflow("Idle"), *runs, active)

        busy = (await list_workflows(client))["Busy"]

        assert [each["id"] for each in busy["recentRuns"]] == [row.id for row in [*runs[3:], active]]
        assert busy["recentRuns"][0] == {"id": runs[3].id, "status": "completed", "seconds": 3}
        assert busy["recentRuns"][-1]["seconds"] is None
        assert (busy["lastRun"]["id"], busy["lastRun"]["status"]) == (active.id, "running")
        assert (busy["lastRun"]["finishedAt"], busy["lastRun"]["createdAt"]) == (None, "2026-03-10T12:24:00Z")

    async def test_runs_belong_to_their_workflow(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        one, two = workflow("One"), workflow("Two")
        first, second = run(workflow_id=one.id), run(2, "failed", workflow_id=two.id)
        await store(harness, one, two, first, second, run(workflow_name="One"))

        found = await list_workflows(client)

        assert [each["id"] for each in found["One"]["recentRuns"]] == [first.id]
        assert [each["id"] for each in found["Two"]["recentRuns"]] == [second.id]

    async def test_excludes_other_workspaces(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        mine, theirs = workflow("Mine"), workflow("Theirs", workspace_id=OTHER_WORKSPACE)
        # A run of another workspace with this workflow's id, which the product itself never creates.
        await store(harness, mine, theirs, run(workflow_id=mine.id, workspace_id=OTHER_WORKSPACE))

        assert (await list_workflows(client))["Mine"]["recentRuns"] == []
        assert list(await list_workflows(client, "stranger")) == ["Theirs"]

    async def test_without_the_scope_to_read_runs_there_are_none(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        saved = workflow("Busy")
        await store(harness, saved, run(workflow_id=saved.id))

        assert (await list_workflows(client, "document-reader"))["Busy"]["lastRun"] is None
        assert (await list_workflows(client, "run-reader"))["Busy"]["lastRun"] is not None

    @pytest.mark.parametrize("count", [1, 200])
    async def test_reads_the_runs_of_a_page_in_one_query(
        self, harness: RunHarness, client: httpx.AsyncClient, count: int
    ) -> None:
        many = [workflow(f"W{number:03}") for number in range(count)]
        await store(harness, *many, *(run(workflow_id=each.id) for each in many))

        queries = await record_queries(harness, list_workflows(client, limit=200))
        found = await list_workflows(client, limit=200)

        assert len(queries) == 1
        assert len(found) == count
        assert all(row["lastRun"] for row in found.values())
