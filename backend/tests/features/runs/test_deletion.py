"""Deleting runs: who may, which, and that nothing of theirs stays behind."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

from crewai_runner.core.clock import now
from crewai_runner.db.base import Base
from crewai_runner.db.session import read_session
from crewai_runner.db.tables.runs import ArtifactRow, RunRow
from crewai_runner.domain.run import RunResult
from crewai_runner.features.messages.service import MessageService
from crewai_runner.features.runs import deletion
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import call, completed, definition, started
from tests.support.harness import RunHarness, ask
from tests.support.principals import ANONYMOUS, AS_STRANGER, STRANGER, auth_headers

PARTS = ("run_events", "run_tasks", "llm_calls", "messages", "approvals", "artifacts")


async def finished(harness: RunHarness, days_ago: float = 0) -> str:
    """A run that is over and has a row in every table of runs."""
    run_id, _ = await ask(harness)
    sink = harness.container.event_writer.open_sink(
        run_id, (await harness.row(run_id)).fencing_token, lambda: None
    )
    for event in (started("research"), call(), completed("research")):
        sink(event)
    await harness.container.event_writer.flush()
    async with harness.session() as session:
        MessageService(session).create(run_id, "Hello", None, "owner")
        file = {"name": "a.md", "task_key": "research", "media_type": "text/plain", "size": 1}
        session.add(ArtifactRow(run_id=run_id, content=b"x", **file))
    async with harness.transaction(run_id) as (run, lifecycle):
        run.state = "running"
        await lifecycle.complete(run, RunResult(raw="done"))
        run.created_at = now() - timedelta(days=days_ago)
    return run_id


async def ended(harness: RunHarness, state: str, days_ago: float = 0) -> str:
    run_id = await harness.create()
    async with harness.transaction(run_id) as (run, _):
        run.state, run.finished_at = state, now()
        run.created_at = now() - timedelta(days=days_ago)
    return run_id


async def left(harness: RunHarness) -> set[str]:
    async with read_session(harness.container.sessions) as session:
        return set(await session.scalars(select(RunRow.id)))


async def rows_of(harness: RunHarness, run_id: str) -> dict[str, int]:
    async with read_session(harness.container.sessions) as session:
        return {
            name: await session.scalar(
                select(func.count()).where(Base.metadata.tables[name].c.run_id == run_id)
            )
            for name in PARTS
        }


class TestOne:
    async def test_only_those_who_may_write_runs_delete_one(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        run_id = await ended(harness, "failed")

        answers = {
            status: (await client.delete(f"/runs/{run_id}", headers=headers)).status_code
            for status, headers in ((401, ANONYMOUS), (403, auth_headers("run-reader")), (404, AS_STRANGER))
        }

        assert answers == {401: 401, 403: 403, 404: 404}
        assert await left(harness) == {run_id}

    async def test_goes_with_everything_that_belongs_to_it(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        run_id, other = await finished(harness), await finished(harness)
        before = await rows_of(harness, run_id)

        answer = await client.delete(f"/runs/{run_id}")

        assert (answer.status_code, answer.content) == (204, b"")
        assert min(before.values()) > 0
        assert set((await rows_of(harness, run_id)).values()) == {0}
        assert await rows_of(harness, other) == before
        assert await left(harness) == {other}

    async def test_is_gone_however_often_one_asks(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        run_id = await ended(harness, "stopped")

        statuses = [(await client.delete(f"/runs/{run_id}")).status_code for _ in range(3)]

        assert statuses == [204, 404, 404]
        assert (await client.get(f"/runs/{run_id}")).status_code == 404

    @pytest.mark.parametrize("state", ["queued", "running", "waiting", "stopping"])
    async def test_stays_while_it_is_not_over(
        self, harness: RunHarness, client: httpx.AsyncClient, state: str
    ) -> None:
        run_id = await harness.create()
        async with harness.transaction(run_id) as (run, _):
            run.state = state

        answer = await client.delete(f"/runs/{run_id}")

        assert answer.status_code == 409
        assert answer.json()["type"].endswith("/run-still-active")
        assert state in answer.json()["detail"]
        assert await left(harness) == {run_id}

    @pytest.mark.parametrize("name", ["nothing", "wf_1", "run_%00", "run_" + "x" * 300])
    async def test_of_no_such_id_is_not_found(self, client: httpx.AsyncClient, name: str) -> None:
        assert (await client.delete(f"/runs/{name}")).status_code == 404

    async def test_a_job_that_still_waits_for_it_does_nothing(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        run_id = await ended(harness, "failed")
        await client.delete(f"/runs/{run_id}")

        await harness.execute(run_id, 1)

        assert await left(harness) == set()


class TestMany:
    async def test_only_those_who_may_write_runs_delete_them(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        run_id = await ended(harness, "failed")

        wanted = {"status": "failed"}
        nobody = await client.delete("/runs", params=wanted, headers=ANONYMOUS)
        reader = await client.delete("/runs", params=wanted, headers=auth_headers("run-reader"))
        stranger = await client.delete("/runs", params=wanted, headers=AS_STRANGER)

        assert (nobody.status_code, reader.status_code) == (401, 403)
        assert stranger.json() == {"deleted": 0}
        assert await left(harness) == {run_id}

    async def test_leaves_the_runs_of_others(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        theirs = await harness.create(NewRun(definition(), {}), STRANGER)
        async with harness.transaction(theirs) as (run, _):
            run.state = "failed"

        assert (await client.delete("/runs", params={"status": "failed"})).json() == {"deleted": 0}
        assert await left(harness) == {theirs}

    async def test_by_state_and_age(self, harness: RunHarness, client: httpx.AsyncClient) -> None:
        old, new = await ended(harness, "failed", 3), await ended(harness, "failed", 1)
        other = await ended(harness, "completed", 3)
        moment = (now() - timedelta(days=2)).isoformat()

        gone = await client.delete("/runs", params={"status": "failed", "before": moment})

        assert (gone.json(), await left(harness)) == ({"deleted": 1}, {new, other})
        assert old not in await left(harness)
        assert (await client.delete("/runs", params={"before": moment})).json() == {"deleted": 1}
        assert (await client.delete("/runs", params={"status": "failed"})).json() == {"deleted": 1}
        assert (await client.delete("/runs", params={"status": "failed"})).json() == {"deleted": 0}

    async def test_several_states_and_more_than_fit_in_one_transaction(
        self, harness: RunHarness, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(deletion, "BATCH_SIZE", 2)
        for state in ("failed", "stopped", "crashed", "failed", "stopped"):
            await ended(harness, state)
        kept = await ended(harness, "completed")

        gone = await client.delete("/runs", params={"status": ["failed", "stopped", "crashed"]})

        assert (gone.json(), await left(harness)) == ({"deleted": 5}, {kept})

    async def test_leaves_those_that_are_not_over(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        active = await harness.create()
        moment = (now() + timedelta(days=1)).isoformat()

        assert (await client.delete("/runs", params={"before": moment})).json() == {"deleted": 0}
        assert (await client.delete("/runs", params={"status": "queued"})).status_code == 422
        assert await left(harness) == {active}

    @pytest.mark.parametrize(
        ("query", "status"),
        [({}, 400), ({"before": "yesterday"}, 422), ({"before": "2026-01-01T00:00:00"}, 422)],
    )
    async def test_without_saying_which_nothing_is_deleted(
        self, harness: RunHarness, client: httpx.AsyncClient, query: dict[str, str], status: int
    ) -> None:
        run_id = await ended(harness, "failed")

        assert (await client.delete("/runs", params=query)).status_code == status
        assert await left(harness) == {run_id}
