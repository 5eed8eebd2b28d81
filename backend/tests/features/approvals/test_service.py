"""Human approval: each request is resolved once, and its run then continues or fails."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import httpx
import pytest

from crewai_runner.core.errors import BadRequest
from crewai_runner.core.paging import encode_cursor
from crewai_runner.db.session import make_engine, make_sessions
from crewai_runner.db.tables.runs import ApprovalRow
from crewai_runner.domain.run import TaskState
from crewai_runner.features.approvals.errors import (
    ApprovalAlreadyResolved,
    ApprovalDeadlinePassed,
    ApprovalNotFound,
    EditedOutputInvalid,
    FeedbackMissing,
)
from crewai_runner.features.approvals.repository import ApprovalRepository
from crewai_runner.features.approvals.schemas import ApprovalRead, ApprovalResolve
from crewai_runner.features.approvals.service import ApprovalService
from crewai_runner.features.runs.service import NewRun
from tests.support.builders import definition, task
from tests.support.harness import ON_POSTGRESQL, RunHarness, request_approval
from tests.support.principals import OWNER, RUN_READER, STRANGER

pytestmark = pytest.mark.each_database


async def resolve(harness: RunHarness, approval_id: str, action: str, **more: Any) -> ApprovalRead:
    async with harness.approvals() as approvals:
        resolution = ApprovalResolve(action=action, **more)
        return await approvals.describe(OWNER, await approvals.resolve(OWNER, approval_id, resolution))


class TestRequestApproval:
    async def test_moves_the_run_to_waiting(self, harness: RunHarness) -> None:
        run_id, approval_id = await request_approval(harness)

        row = await harness.get_run(run_id)
        assert (row.state, row.wait_reason) == ("waiting", "human-input")
        assert (await harness.tasks(run_id))["research"].status is TaskState.WAITING
        requested, waiting = (await harness.events(run_id))[-2:]
        assert (requested.type, waiting.type) == ("approval.requested", "run.waiting")
        assert waiting.data.approval_id == approval_id


class TestResolveApproval:
    async def test_approve_completes_the_task_and_queues_the_run(self, harness: RunHarness) -> None:
        run_id, approval_id = await request_approval(harness)
        before = await harness.count_queued()

        approval = await resolve(harness, approval_id, "approve")

        assert (approval.status, approval.resolved_by) == ("approved", "owner")
        done = (await harness.tasks(run_id))["research"]
        assert done.result is not None
        assert (done.status, done.result.raw, done.result.json_output) == (
            TaskState.COMPLETED,
            "A proposal.",
            {"n": 1},
        )
        row = await harness.get_run(run_id)
        assert (row.state, row.attempt) == ("queued", 2)
        assert await harness.count_queued() == before + 1
        assert (await harness.event_types(run_id))[-3:] == [
            "approval.resolved",
            "task.completed",
            "run.queued",
        ]

    async def test_approve_with_edited_text_replaces_the_output(self, harness: RunHarness) -> None:
        run_id, approval_id = await request_approval(harness)

        await resolve(harness, approval_id, "approve", edited="My text.")

        done = (await harness.tasks(run_id))["research"].result
        assert done is not None
        assert (done.raw, done.json_output) == ("My text.", None)

    async def test_revise_stores_the_feedback_for_the_next_attempt(self, harness: RunHarness) -> None:
        run_id, approval_id = await request_approval(harness)

        await resolve(harness, approval_id, "revise", feedback="Shorter.")

        row = await harness.get_run(run_id)
        assert row.revision == {"taskKey": "research", "previous": "A proposal.", "feedback": "Shorter."}
        assert row.state == "queued"
        assert (await harness.tasks(run_id))["research"].status is TaskState.PENDING

    async def test_approve_after_a_revision_clears_the_feedback(self, harness: RunHarness) -> None:
        run_id, first = await request_approval(harness)
        await resolve(harness, first, "revise", feedback="Shorter.")
        async with harness.transaction(run_id) as (run, lifecycle):
            await lifecycle.begin(run, "e", native=True)
        _, second = await request_approval(harness, run_id=run_id)

        await resolve(harness, second, "approve")

        assert (await harness.get_run(run_id)).revision is None

    async def test_reject_fails_the_run_with_the_feedback(self, harness: RunHarness) -> None:
        run_id, approval_id = await request_approval(harness)
        before = await harness.count_queued()

        await resolve(harness, approval_id, "reject", feedback="Wrong town.")

        row = await harness.get_run(run_id)
        assert row.error is not None
        assert (row.state, row.error["code"]) == ("failed", "approval-rejected")
        assert "Wrong town." in row.error["message"]
        assert await harness.count_queued() == before

    @pytest.mark.parametrize(
        "answer",
        [
            {"action": "revise"},
            {"action": "revise", "feedback": "  "},
            {"action": "reject", "edited": "x"},
            {"action": "revise", "feedback": "f", "edited": "x"},
        ],
    )
    async def test_incomplete_resolution_is_rejected_and_changes_nothing(
        self, harness: RunHarness, answer: dict[str, Any]
    ) -> None:
        run_id, approval_id = await request_approval(harness)

        with pytest.raises(FeedbackMissing):
            await resolve(harness, approval_id, **answer)

        assert (await harness.get_run(run_id)).state == "waiting"
        await resolve(harness, approval_id, "approve")

    @pytest.mark.parametrize("second", ["approve", "reject", "revise"])
    async def test_second_resolution_is_rejected(self, harness: RunHarness, second: str) -> None:
        _, approval_id = await request_approval(harness)
        await resolve(harness, approval_id, "approve")

        with pytest.raises(ApprovalAlreadyResolved):
            await resolve(harness, approval_id, second, feedback="f")

    async def test_repeated_resolution_changes_nothing(self, harness: RunHarness) -> None:
        for answer in (
            {"action": "approve"},
            {"action": "approve", "edited": "Mine."},
            {"action": "revise", "feedback": "Shorter."},
            {"action": "reject", "feedback": "No."},
        ):
            run_id, approval_id = await request_approval(harness)
            first = await resolve(harness, approval_id, **answer)
            events = await harness.event_types(run_id)

            assert await resolve(harness, approval_id, **answer) == first
            assert await harness.event_types(run_id) == events
            with pytest.raises(ApprovalAlreadyResolved):
                await resolve(harness, approval_id, **answer | {"feedback": "Something else."})
            async with harness.approvals() as approvals:
                with pytest.raises(ApprovalAlreadyResolved):
                    await approvals.resolve(RUN_READER, approval_id, ApprovalResolve(**answer))

    async def test_edited_text_must_be_the_same(self, harness: RunHarness) -> None:
        _, approval_id = await request_approval(harness)
        await resolve(harness, approval_id, "approve", edited="Mine.")

        with pytest.raises(ApprovalAlreadyResolved):
            await resolve(harness, approval_id, "approve", edited="Other.")

    async def test_only_one_of_many_concurrent_resolutions_counts(self, harness: RunHarness) -> None:
        run_id, approval_id = await request_approval(harness)
        answers = [
            resolve(harness, approval_id, action, feedback="f")
            for action in ("approve", "reject", "revise") * 3
        ]

        outcomes = await asyncio.gather(*answers, return_exceptions=True)

        # The other two with the same action repeat it.
        assert sum(isinstance(outcome, ApprovalRead) for outcome in outcomes) == 3
        assert sum(isinstance(outcome, ApprovalAlreadyResolved) for outcome in outcomes) == 6
        assert (await harness.event_types(run_id)).count("approval.resolved") == 1

    @ON_POSTGRESQL
    async def test_resolution_committed_while_waiting_for_the_lock_wins(self, harness: RunHarness) -> None:
        run_id, approval_id = await request_approval(harness)

        async with harness.session() as session:
            approvals = ApprovalService(session, harness.container.queue, harness.container.mask)
            await approvals.get(OWNER, approval_id)
            await resolve(harness, approval_id, "approve")
            with pytest.raises(ApprovalAlreadyResolved):
                await approvals.resolve(OWNER, approval_id, ApprovalResolve(action="reject"))

        assert (await harness.get_run(run_id)).state == "queued"

    async def test_overdue_approval_is_rejected_before_it_is_expired(self, harness: RunHarness) -> None:
        _, approval_id = await request_approval(harness, timedelta(0))

        with pytest.raises(ApprovalDeadlinePassed):
            await resolve(harness, approval_id, "approve")


class TestExpireOverdue:
    async def test_fails_the_run_and_keeps_others_waiting(self, harness: RunHarness) -> None:
        run_id, approval_id = await request_approval(harness, timedelta(0))
        waiting, _ = await request_approval(harness)

        async with harness.approvals() as approvals:
            ended = await approvals.expire_overdue()

        row = await harness.get_run(run_id)
        assert ended == [run_id]
        assert row.error is not None
        assert (row.state, row.error["code"]) == ("failed", "approval-expired")
        assert (await harness.event_types(run_id))[-3:] == ["approval.expired", "task.failed", "run.failed"]
        assert (await harness.tasks(run_id))["research"].status == "failed"
        assert (await harness.get_run(waiting)).state == "waiting"
        with pytest.raises(ApprovalDeadlinePassed):
            await resolve(harness, approval_id, "approve")

    async def test_skips_an_approval_resolved_meanwhile_and_continues(
        self, harness: RunHarness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pairs = [await request_approval(harness, timedelta(0)) for _ in range(3)]
        first, resolved, last = sorted(run_id for run_id, _ in pairs)
        lock_open = ApprovalRepository.lock_open

        async def resolved_meanwhile(repository: ApprovalRepository, run_id: str) -> ApprovalRow | None:
            return None if run_id == resolved else await lock_open(repository, run_id)

        monkeypatch.setattr(ApprovalRepository, "lock_open", resolved_meanwhile)

        async with harness.approvals() as approvals:
            ended = await approvals.expire_overdue()

        assert ended == [first, last]
        states = [(await harness.get_run(run_id)).state for run_id in (first, resolved, last)]
        assert states == ["failed", "waiting", "failed"]

    async def test_second_call_changes_nothing(self, harness: RunHarness) -> None:
        run_id, _ = await request_approval(harness, timedelta(0))

        for expected in ([run_id], []):
            async with harness.approvals() as approvals:
                assert await approvals.expire_overdue() == expected

    @ON_POSTGRESQL
    async def test_waits_for_a_concurrent_transaction_on_the_run(self, harness: RunHarness) -> None:
        """Both lock the run first; the opposite order would deadlock."""
        run_id, _ = await request_approval(harness, timedelta(0))

        async with harness.transaction(run_id) as (run, lifecycle):
            expiring = asyncio.ensure_future(_expire_overdue(harness))
            while not await _is_lock_awaited(harness):
                await asyncio.sleep(0)
            approvals = ApprovalService(lifecycle._session, harness.container.queue, harness.container.mask)
            await approvals.cancel(run)
            await lifecycle.stop(run)

        assert await asyncio.wait_for(expiring, 10) == []
        assert (await harness.get_run(run_id)).state == "stopped"


async def _expire_overdue(harness: RunHarness) -> list[str]:
    async with harness.approvals() as approvals:
        return await approvals.expire_overdue()


async def _is_lock_awaited(harness: RunHarness) -> bool:
    engine = make_engine(harness.container.settings.database)
    async with make_sessions(engine)() as session:
        connection = await session.connection()
        found = await connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        count = int(found.scalar_one())
    await engine.dispose()
    return count > 0


class TestCancelApproval:
    async def test_cancelled_approval_cannot_be_resolved(self, harness: RunHarness) -> None:
        run_id, approval_id = await request_approval(harness)

        async with harness.transaction(run_id) as (run, lifecycle):
            approvals = ApprovalService(lifecycle._session, harness.container.queue, harness.container.mask)
            await approvals.cancel(run)
            await lifecycle.stop(run)

        with pytest.raises(ApprovalAlreadyResolved):
            await resolve(harness, approval_id, "approve")


class TestReadApprovals:
    async def test_other_workspace_gets_404(self, harness: RunHarness) -> None:
        _, approval_id = await request_approval(harness)

        async with harness.approvals() as approvals:
            with pytest.raises(ApprovalNotFound):
                await approvals.get(STRANGER, approval_id)
        assert (await harness.list_approvals(principal=STRANGER)).approvals == []

    @pytest.mark.parametrize("identifier", ["appr_none", "run_1", "appr_\x00", ""])
    async def test_unknown_id_is_not_found(self, harness: RunHarness, identifier: str) -> None:
        async with harness.approvals() as approvals:
            with pytest.raises(ApprovalNotFound):
                await approvals.get(OWNER, identifier)

    async def test_pages_are_filtered_and_consecutive(self, harness: RunHarness) -> None:
        made = [await request_approval(harness) for _ in range(3)]
        run_id, first = made[0]
        await resolve(harness, first, "approve")

        of_run = await harness.list_approvals(run_id)
        page = await harness.list_approvals(state="open", limit=1)
        rest = await harness.list_approvals(state="open", limit=1, cursor=page.next_cursor)
        with pytest.raises(BadRequest):
            await harness.list_approvals(cursor=encode_cursor("\x00"))

        assert [approval.id for approval in of_run.approvals] == [first]
        assert {a.id for a in page.approvals + rest.approvals} == {made[1][1], made[2][1]}
        assert rest.next_cursor is None

    async def test_list_equals_the_single_approvals(
        self, harness: RunHarness, client: httpx.AsyncClient
    ) -> None:
        made = [await request_approval(harness) for _ in range(2)]
        await resolve(harness, made[0][1], "approve")

        listed = (await client.get("/approvals")).json()

        single = [(await client.get(f"/approvals/{id_}")).json()["approval"] for _, id_ in reversed(made)]
        assert listed == {"approvals": single, "nextCursor": None}
        assert [list(approval) for approval in listed["approvals"]] == [list(one) for one in single]


class TestEditedOutput:
    @pytest.mark.parametrize(
        ("edited", "is_valid"), [('{"n": 2}', True), ('{"n": "two"}', False), ("two", False)]
    )
    async def test_must_have_the_structure_of_the_task(
        self, harness: RunHarness, edited: str, is_valid: bool
    ) -> None:
        schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
        tasks = [task("research", output_json=schema), task("report")]
        run_id = await harness.create_running(NewRun(definition(tasks=tasks), {}))
        _, approval_id = await request_approval(harness, run_id=run_id)
        resolution = ApprovalResolve(action="approve", edited=edited)

        async with harness.approvals() as approvals:
            with (
                contextlib.nullcontext() if is_valid else pytest.raises(EditedOutputInvalid, match="research")
            ):
                await approvals.resolve(OWNER, approval_id, resolution)

        result = (await harness.tasks(run_id))["research"].result
        assert (None if result is None else result.json_output) == ({"n": 2} if is_valid else None)


class TestList:
    @pytest.mark.parametrize("identifier", ["appr_1", "run_", "run_\x00", "x"])
    async def test_malformed_run_id_is_rejected(self, client: httpx.AsyncClient, identifier: str) -> None:
        response = await client.get("/approvals", params={"runId": identifier})

        assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "?runId")
