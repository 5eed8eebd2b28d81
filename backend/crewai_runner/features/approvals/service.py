"""Questions of runs to people. Waiting holds no thread: the answer queues the next attempt."""

from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix, new_id
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.paging import decode_id_cursor, encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.db.tables.runs import ApprovalRow, RunRow
from crewai_runner.domain.run import RunFailure, RunState, TaskState, WaitReason
from crewai_runner.domain.run_event_payloads import (
    ApprovalExpiredData,
    ApprovalRequestedData,
    ApprovalResolvedData,
    TaskCompletedData,
)
from crewai_runner.domain.run_events import (
    ApprovalExpired,
    ApprovalRequested,
    ApprovalResolved,
    TaskCompleted,
)
from crewai_runner.features.approvals.errors import (
    AlreadyResolved,
    ApprovalNotFound,
    ApprovalOver,
    FeedbackMissing,
)
from crewai_runner.features.approvals.repository import ApprovalRepository
from crewai_runner.features.approvals.schemas import (
    ApprovalPage,
    ApprovalRead,
    ApprovalResolve,
    ApprovalState,
)
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.service import RunService
from crewai_runner.queue.port import JobQueue

SWEEP = 100


class ApprovalService:
    def __init__(self, session: AsyncSession, queue: JobQueue, mask: SecretMask) -> None:
        self._approvals, self._mask = ApprovalRepository(session), mask
        self._runs = RunService(session)
        self._lifecycle = LifecycleService(session, queue, mask)

    async def request(
        self, run: RunRow, task_key: str, agent: str, output: str, json_output: Any, expires_in: timedelta
    ) -> ApprovalRow:
        """Ask a person about a task's output; the run (held locked) goes to `waiting`."""
        approval = ApprovalRow(
            id=new_id(Prefix.APPROVAL),
            workspace_id=run.workspace_id,
            run_id=run.id,
            task_key=task_key,
            agent=agent,
            output=self._mask(output),
            json_output=self._mask.mask_json(json_output),
            state=ApprovalState.OPEN,
            expires_at=now() + expires_in,
        )
        self._approvals.add(approval)
        await self._set_task(run.id, task_key, TaskState.WAITING)
        asked = ApprovalRequested(
            task_key=task_key,
            agent=agent,
            data=ApprovalRequestedData(approval_id=approval.id, output=output),
        )
        await self._lifecycle.wait(run, WaitReason.HUMAN_INPUT, asked, approval_id=approval.id)
        return approval

    async def page(
        self,
        principal: Principal,
        state: str | None,
        run_id: str | None,
        limit: int,
        cursor: str | None,
    ) -> ApprovalPage:
        before = decode_id_cursor(cursor, Prefix.APPROVAL)
        if run_id is not None and not has_prefix(run_id, Prefix.RUN):
            return ApprovalPage(approvals=[], next_cursor=None)
        rows = await self._approvals.page(principal.workspace_id, state, run_id, before, limit + 1)
        shown = [read(row) for row in rows[:limit]]
        next_cursor = encode_cursor(shown[-1].id) if len(rows) > limit else None
        return ApprovalPage(approvals=shown, next_cursor=next_cursor)

    async def get(self, principal: Principal, approval_id: str) -> ApprovalRow:
        if has_prefix(approval_id, Prefix.APPROVAL):
            approval = await self._approvals.get(approval_id, principal.workspace_id)
            if approval is not None:
                return approval
        raise ApprovalNotFound(f"There is no approval {approval_id!r} here.")

    async def open_of(self, run_id: str) -> ApprovalRow | None:
        """The question a waiting run asks, locked."""
        return await self._approvals.open_of(run_id)

    async def resolve(self, principal: Principal, approval_id: str, answer: ApprovalResolve) -> ApprovalRow:
        """Answer once. Raises AlreadyResolved (409), ApprovalOver (410), FeedbackMissing (422)."""
        asked = await self.get(principal, approval_id)
        # The run is locked before the approval, as everywhere, so that two answers cannot deadlock.
        run = await self._runs.get(principal, asked.run_id, lock=True)
        approval = await self._approvals.get(approval_id, principal.workspace_id, lock=True)
        assert approval is not None  # noqa: S101  # it was there a moment ago and is never deleted alone
        _check_open(approval, answer)
        await self._take(run, approval, principal.subject, answer)
        return approval

    async def _take(self, run: RunRow, approval: ApprovalRow, by: str, answer: ApprovalResolve) -> None:
        state = {
            "approve": ApprovalState.APPROVED,
            "revise": ApprovalState.REVISED,
            "reject": ApprovalState.REJECTED,
        }[answer.action]
        approval.state, approval.feedback = state, answer.feedback
        approval.resolved_by, approval.resolved_at = by, now()
        resolved = ApprovalResolvedData(
            approval_id=approval.id, action=answer.action, feedback=answer.feedback, by=by
        )
        await self._lifecycle.tell(run, ApprovalResolved(task_key=approval.task_key, data=resolved))
        if answer.action == "reject":
            await self._lifecycle.fail(run, _rejected(approval, answer.feedback))
            return
        if answer.action == "approve":
            await self._accept(run, approval, answer.edited)
        else:
            feedback = {"taskKey": approval.task_key, "previous": approval.output}
            run.revision = feedback | {"feedback": answer.feedback}
            await self._set_task(run.id, approval.task_key, TaskState.PENDING)
        await self._lifecycle.queue_again(run, "answered")

    async def _accept(self, run: RunRow, approval: ApprovalRow, edited: str | None) -> None:
        raw = approval.output if edited is None else edited
        json_output = approval.json_output if edited is None else None
        for task in await self._runs.task_rows(run.id):
            if task.key == approval.task_key:
                task.state, task.finished_at = TaskState.COMPLETED, now()
                task.result = {"raw": raw, "jsonOutput": json_output, "agent": approval.agent}
        run.revision = None
        done = TaskCompletedData(raw=raw, json_output=json_output)
        accepted = TaskCompleted(task_key=approval.task_key, agent=approval.agent, data=done)
        await self._lifecycle.tell(run, accepted)

    async def cancel(self, run_id: str) -> None:
        """The run ended otherwise; its question is no more."""
        approval = await self._approvals.open_of(run_id)
        if approval is not None:
            approval.state, approval.resolved_at = ApprovalState.CANCELLED, now()

    async def expire_overdue(self) -> list[str]:
        """Fail the runs whose questions nobody answered in time; the ids of those runs."""
        ended = []
        for run_id in await self._approvals.runs_of_overdue(now(), SWEEP):
            run = await self._runs.for_executor(run_id)
            approval = await self._approvals.open_of(run_id)
            if approval is None or approval.expires_at > now():
                continue  # answered while the run's lock was awaited
            approval.state, approval.resolved_at = ApprovalState.EXPIRED, now()
            if run is not None and run.state == RunState.WAITING:
                expired = ApprovalExpiredData(approval_id=approval.id)
                await self._lifecycle.tell(run, ApprovalExpired(task_key=approval.task_key, data=expired))
                await self._lifecycle.fail(run, _expired(approval))
                ended.append(run.id)
        return ended

    async def _set_task(self, run_id: str, key: str, state: TaskState) -> None:
        for task in await self._runs.task_rows(run_id):
            if task.key == key:
                task.state = state


def read(row: ApprovalRow) -> ApprovalRead:
    same = set(ApprovalRead.model_fields) - {"status"}
    fields = {name: getattr(row, name) for name in same}
    return ApprovalRead.model_validate(fields | {"status": row.state})


def _check_open(approval: ApprovalRow, answer: ApprovalResolve) -> None:
    if approval.state == ApprovalState.EXPIRED or (
        approval.state == ApprovalState.OPEN and approval.expires_at <= now()
    ):
        raise ApprovalOver("Nobody answered in time, and the run has ended. Resume or retry the run.")
    if approval.state != ApprovalState.OPEN:
        by = f" by {approval.resolved_by}" if approval.resolved_by else ""
        raise AlreadyResolved(f"This was {approval.state}{by} already.", status_now=approval.state)
    if answer.action == "revise" and not (answer.feedback or "").strip():
        raise FeedbackMissing("Say in `feedback` what the agent should change.")
    if answer.edited is not None and answer.action != "approve":
        raise FeedbackMissing("`edited` goes with `approve` only; send `feedback` to revise.")


def _rejected(approval: ApprovalRow, feedback: str | None) -> RunFailure:
    reason = f": {feedback}" if feedback else "."
    return RunFailure(
        code="approval-rejected",
        message=f"The output of task {approval.task_key} was rejected{reason}",
        hint="Change the workflow or its inputs and run it again.",
        task_key=approval.task_key,
        agent=approval.agent,
    )


def _expired(approval: ApprovalRow) -> RunFailure:
    return RunFailure(
        code="approval-expired",
        message=f"Nobody answered the question about task {approval.task_key} in time.",
        hint="Resume the run to be asked again; APPROVAL_EXPIRES_HOURS sets how long a question stays open.",
        task_key=approval.task_key,
        agent=approval.agent,
    )
