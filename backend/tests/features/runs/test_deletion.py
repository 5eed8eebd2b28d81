"""Deleting runs: authorization, selection, and that no related rows remain."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.base import Base
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.idempotency import IdempotencyRow
from crewai_runner.db.tables.public_links import PublicLinkRow
from crewai_runner.db.tables.run_webhooks import RunWebhookRow
from crewai_runner.db.tables.runs import ArtifactRow, RunCheckpointRow, RunRow, RunSpanRow
from crewai_runner.db.tables.triggers import TriggerDeliveryRow, TriggerRow
from crewai_runner.domain.run import RunResult
from crewai_runner.features.messages.service import MessageService
from crewai_runner.features.runs import deletion
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import call, completed, definition, started
from tests.support.harness import RunHarness, request_approval
from tests.support.principals import ANONYMOUS, AS_STRANGER, STRANGER, auth_headers

pytestmark = pytest.mark.each_database

# A memory belongs to its workflow and outlives the run that saved it.
RELATED_TABLES = [
    name for name, table in Base.metadata.tables.items() if "run_id" in table.c and name != "memories"
]


async def create_finished_run(harness: RunHarness, days_ago: float = 0) -> str:
    """Create a finished run with a row in every related table."""
    run_id, _ = await request_approval(harness)
    sink = harness.container.event_writer.open_sink(
        run_id, (await harness.get_run(run_id)).fencing_token, lambda: None
    )
    for event in (started("research"), call(), completed("research")):
        sink(event)
    await harness.container.event_writer.flush()
    async with harness.session() as session:
        MessageService(session).create(run_id, "Hello", None, "owner")
        file = {"name": "a.md", "task_key": "research", "media_type": "text/plain", "size": 1}
        session.add(ArtifactRow(run_id=run_id, content=b"x", **file))
        key = {"workspace_id": BUILTIN_WORKSPACE, "key": f"key of {run_id}", "route": "runs"}
        session.add(IdempotencyRow(run_id=run_id, body_hash="x", answer=run_id, **key))
        webhook = {"workspace_id": BUILTIN_WORKSPACE, "sealed_targets": "x"}
        session.add_all([RunWebhookRow(run_id=run_id, **webhook), RunSpanRow(run_id=run_id, span_id="s")])
        session.add(RunCheckpointRow(run_id=run_id, name="tasks", value={}))
        link = {"id": f"plink_{run_id[4:]}", "token_hash": run_id, "created_by": "owner"}
        later = now() + timedelta(days=1)
        session.add(PublicLinkRow(run_id=run_id, workspace_id=BUILTIN_WORKSPACE, expires_at=later, **link))
        name = new_id(Prefix.TRIGGER)
        own = {"id": name, "workspace_id": BUILTIN_WORKSPACE}
        session.add(TriggerRow(name=name, signature="github", sealed_secret="x", path=name, **own))
        await session.flush()
        session.add(TriggerDeliveryRow(run_id=run_id, trigger_id=name, delivery_key="k", size=1, **own))
    async with harness.transaction(run_id) as (run, lifecycle):
        run.state, run.extra = "running", {"team": "tea"}
        await lifecycle.complete(run, RunResult(raw="done"))
        run.created_at = run.finished_at = run.events_ended_at = now() - timedelta(days=days_ago)
    return run_id


async def create_run_in_state(harness: RunHarness, state: str, days_ago: float = 0) -> str:
    run_id = await harness.create()
    async with harness.transaction(run_id) as (run, _):
        run.state = state
        run.created_at = run.finished_at = now() - timedelta(days=days_ago)
    return run_id


async def list_run_ids(harness: RunHarness) -> set[str]:
    async with read_session(harness.container.sessions) as session:
        return set(await session.scalars(select(RunRow.id)))


async def count_related_rows(harness: RunHarness, run_id: str) -> dict[str, int]:
    async with read_session(harness.container.sessions) as session:
        return {
            name: await session.scalar(
                select(func.count()).where(Base.metadata.tables[name].c.run_id == run_id)
            )
            for name in RELATED_TABLES
        }


class TestDeleteRun:
    async def test_requires_the_write_scope_and_the_workspace(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        run_id = await create_run_in_state(harness, "failed")

        answers = {
            status: (await client.delete(f"/runs/{run_id}", headers=headers)).status_code
            for status, headers in ((401, ANONYMOUS), (403, auth_headers("run-reader")), (404, AS_STRANGER))
        }

        assert answers == {401: 401, 403: 403, 404: 404}
        assert await list_run_ids(harness) == {run_id}

    async def test_deletes_all_related_rows(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        run_id, other = await create_finished_run(harness), await create_finished_run(harness)
        before = await count_related_rows(harness, run_id)

        answer = await client.delete(f"/runs/{run_id}")

        assert (answer.status_code, answer.content) == (204, b"")
        assert min(before.values()) > 0, "a table has no row of the run: this test must create one"
        assert set((await count_related_rows(harness, run_id)).values()) == {0}
        assert await count_related_rows(harness, other) == before
        assert await list_run_ids(harness) == {other}

    async def test_deleted_run_is_not_found(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        run_id = await create_run_in_state(harness, "stopped")

        statuses = [(await client.delete(f"/runs/{run_id}")).status_code for _ in range(3)]

        assert statuses == [204, 404, 404]
        assert (await client.get(f"/runs/{run_id}")).status_code == 404

    @pytest.mark.parametrize("state", ["queued", "running", "waiting", "stopping"])
    async def test_active_run_is_rejected(
        self, harness: RunHarness, client: httpx.AsyncClient, state: str
    ) -> None:
        run_id = await harness.create()
        async with harness.transaction(run_id) as (run, _):
            run.state = state

        answer = await client.delete(f"/runs/{run_id}")

        assert answer.status_code == 409
        assert answer.json()["type"].endswith("/run-still-active")
        assert state in answer.json()["detail"]
        assert await list_run_ids(harness) == {run_id}

    @pytest.mark.parametrize("name", ["nothing", "wf_1", "run_%00", "run_" + "x" * 300])
    async def test_unknown_id_is_not_found(self, client: httpx.AsyncClient, name: str) -> None:
        assert (await client.delete(f"/runs/{name}")).status_code == 404

    async def test_its_idempotency_key_starts_a_new_run(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        run_id = await create_run_in_state(harness, "failed")
        headers = {"Idempotency-Key": "k"}
        first = (await client.post(f"/runs/{run_id}/retry", json={}, headers=headers)).json()["run"]["id"]
        async with harness.transaction(first) as (run, _):
            run.state = "stopped"

        await client.delete(f"/runs/{first}")
        second = (await client.post(f"/runs/{run_id}/retry", json={}, headers=headers)).json()["run"]["id"]

        assert await list_run_ids(harness) == {run_id, second}

    async def test_deletes_the_jobs_of_every_attempt(
        self, harness: RunHarness, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        deleted: list[tuple[str, int]] = []

        async def delete_ended(jobs: list[tuple[str, int]]) -> None:
            deleted.extend(jobs)

        monkeypatch.setattr(harness.queue, "delete_ended", delete_ended)
        run_id = await create_run_in_state(harness, "failed")
        async with harness.transaction(run_id) as (run, _):
            run.attempt = 3

        await client.delete(f"/runs/{run_id}")

        assert deleted == [(run_id, 1), (run_id, 2), (run_id, 3)]

    async def test_queued_job_of_a_deleted_run_does_nothing(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        run_id = await create_run_in_state(harness, "failed")
        await client.delete(f"/runs/{run_id}")

        await harness.execute(run_id, 1)

        assert await list_run_ids(harness) == set()


class TestDeleteRuns:
    async def test_requires_the_write_scope_and_the_workspace(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        run_id = await create_run_in_state(harness, "failed")

        filter_params = {"status": "failed"}
        anonymous = await client.delete("/runs", params=filter_params, headers=ANONYMOUS)
        reader = await client.delete("/runs", params=filter_params, headers=auth_headers("run-reader"))
        stranger = await client.delete("/runs", params=filter_params, headers=AS_STRANGER)

        assert (anonymous.status_code, reader.status_code) == (401, 403)
        assert stranger.json() == {"deleted": 0}
        assert await list_run_ids(harness) == {run_id}

    async def test_keeps_the_runs_of_other_workspaces(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        theirs = await harness.create(NewRun(definition(), {}), STRANGER)
        async with harness.transaction(theirs) as (run, _):
            run.state = "failed"

        assert (await client.delete("/runs", params={"status": "failed"})).json() == {"deleted": 0}
        assert await list_run_ids(harness) == {theirs}

    async def test_by_state_and_creation_time(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        old, new = (
            await create_run_in_state(harness, "failed", 3),
            await create_run_in_state(harness, "failed", 1),
        )
        other = await create_run_in_state(harness, "completed", 3)
        moment = (now() - timedelta(days=2)).isoformat()

        answer = await client.delete("/runs", params={"status": "failed", "before": moment})

        assert (answer.json(), await list_run_ids(harness)) == ({"deleted": 1}, {new, other})
        assert old not in await list_run_ids(harness)
        assert (await client.delete("/runs", params={"before": moment})).json() == {"deleted": 1}
        assert (await client.delete("/runs", params={"status": "failed"})).json() == {"deleted": 1}
        assert (await client.delete("/runs", params={"status": "failed"})).json() == {"deleted": 0}

    async def test_several_states_in_several_batches(
        self, harness: RunHarness, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deletion, "MAX_RUNS", 2)
        for state in ("failed", "stopped", "crashed", "failed", "stopped"):
            await create_run_in_state(harness, state)
        kept = await create_run_in_state(harness, "completed")

        answer = await client.delete("/runs", params={"status": ["failed", "stopped", "crashed"]})

        assert (answer.json(), await list_run_ids(harness)) == ({"deleted": 5}, {kept})

    async def test_keeps_active_runs(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        active = await harness.create()
        moment = (now() + timedelta(days=1)).isoformat()

        assert (await client.delete("/runs", params={"before": moment})).json() == {"deleted": 0}
        assert (await client.delete("/runs", params={"status": "queued"})).status_code == 422
        assert await list_run_ids(harness) == {active}

    @pytest.mark.parametrize(
        ("query", "status"),
        [({}, 400), ({"before": "yesterday"}, 422), ({"before": "2026-01-01T00:00:00"}, 422)],
    )
    async def test_missing_or_invalid_filter_is_rejected(
        self, harness: RunHarness, client: httpx.AsyncClient, query: dict[str, str], status: int
    ) -> None:
        run_id = await create_run_in_state(harness, "failed")

        assert (await client.delete("/runs", params=query)).status_code == status
        assert await list_run_ids(harness) == {run_id}
