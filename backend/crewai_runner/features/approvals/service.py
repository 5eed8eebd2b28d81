"""Human approval of task outputs.

A waiting run occupies no worker; resolving its approval request queues the next attempt.
"""

from collections.abc import Container
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix, new_id
from crewai_runner.core.outside_values import clean_json
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.tables.runs import ApprovalRow, RunRow
from crewai_runner.domain.artifact_events import make_artifact_event
from crewai_runner.domain.run import RunFailure, RunState, TaskState, WaitReason
from crewai_runner.domain.run_event_payloads import (
    ApprovalCancelledData,
    ApprovalExpiredData,
    ApprovalRequestedData,
    ApprovalResolvedData,
    TaskCompletedData,
)
from crewai_runner.domain.run_events import (
    ApprovalCancelled,
    ApprovalExpired,
    ApprovalRequested,
    ApprovalResolved,
    TaskCompleted,
)
from crewai_runner.domain.structured_output import StructureMismatch, parse_structured
from crewai_runner.executor.port import NeedsHuman
from crewai_runner.features.approvals.errors import (
    ApprovalAlreadyResolved,
    ApprovalDeadlinePassed,
    ApprovalNotFound,
    EditedOutputInvalid,
    FeedbackMissing,
)
from crewai_runner.features.approvals.repository import ApprovalRepository
from crewai_runner.features.approvals.schemas import ApprovalResolve, ApprovalState
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.service import RunService
from crewai_runner.queue.port import JobQueue

EXPIRY_BATCH_SIZE = 100
_UNREVIEWED = (ApprovalState.CANCELLED, ApprovalState.EXPIRED)
_STATE_BY_ACTION = {
    "approve": ApprovalState.APPROVED,
    "revise": ApprovalState.REVISED,
    "reject": ApprovalState.REJECTED,
}


class ApprovalService:
    def __init__(self, session: AsyncSession, queue: JobQueue, mask: SecretMask) -> None:
        self._approvals, self._mask = ApprovalRepository(session), mask
        self._runs = RunService(session)
        self._lifecycle = LifecycleService(session, queue, mask)

    async def request(self, run: RunRow, review: NeedsHuman, expires_in: timedelta) -> ApprovalRow:
        """Request approval of a task output; the run, locked by the caller, moves to `waiting`."""
        approval, requested = await self._add(run, review, expires_in)
        await self._lifecycle.wait(run, WaitReason.HUMAN_INPUT, requested, approval_id=approval.id)
        return approval

    async def keep(self, run: RunRow, review: NeedsHuman) -> None:
        """Keep a task output that a stop left without review, until the run is resumed."""
        _, requested = await self._add(run, review, timedelta(0))
        await self._lifecycle.emit(run, requested)
        await self.cancel(run)

    async def find_unreviewed(self, run_id: str, finished: Container[str]) -> NeedsHuman | None:
        """Return the task output whose review a stop or its deadline ended; it is not generated again.

        `finished` holds the tasks that need none.
        """
        newest = await self._approvals.get_newest(run_id)
        if newest is None or newest.task_key in finished or newest.state not in _UNREVIEWED:
            return None
        return NeedsHuman(newest.task_key, newest.agent or "", newest.output, newest.json_output)

    async def _add(
        self, run: RunRow, review: NeedsHuman, expires_in: timedelta
    ) -> tuple[ApprovalRow, ApprovalRequested]:
        mask = self._mask.scoped(run.workspace_id, run.id)
        output = clean_json(review.output, mask)
        approval = ApprovalRow(
            id=new_id(Prefix.APPROVAL),
            workspace_id=run.workspace_id,
            run_id=run.id,
            task_key=review.task_key,
            agent=review.agent,
            output=output,
            json_output=clean_json(review.json_output, mask),
            state=ApprovalState.OPEN,
            expires_at=now() + expires_in,
        )
        self._approvals.add(approval)
        await self._set_task_state(run.id, review.task_key, TaskState.WAITING)
        data = ApprovalRequestedData(approval_id=approval.id, output=output)
        return approval, ApprovalRequested(task_key=review.task_key, agent=review.agent, data=data)

    async def get(self, principal: Principal, approval_id: str) -> ApprovalRow:
        """Return the approval. Raises ApprovalNotFound, also for one of another workspace."""
        if has_prefix(approval_id, Prefix.APPROVAL):
            approval = await self._approvals.get(approval_id, principal.workspace_id)
            if approval is not None:
                return approval
        raise ApprovalNotFound(f"Approval {approval_id!r} does not exist in this workspace.")

    async def find_open(self, principal: Principal, run_id: str) -> ApprovalRow | None:
        """Return the run's open approval request, not locked."""
        return await self._approvals.get_open(run_id, principal.workspace_id)

    async def lock_open(self, run_id: str) -> ApprovalRow | None:
        """Return the run's open approval request, locked."""
        return await self._approvals.lock_open(run_id)

    async def resolve(
        self, principal: Principal, approval_id: str, resolution: ApprovalResolve
    ) -> ApprovalRow:
        """Resolve an open approval request, then continue the run or fail it.

        The same resolution by the same caller changes nothing the second time. Raises ApprovalNotFound
        (404), ApprovalAlreadyResolved (409), ApprovalDeadlinePassed (410) and FeedbackMissing (422).
        """
        found = await self.get(principal, approval_id)
        # Every transaction locks the run before its approval, so two resolutions cannot deadlock.
        run = await self._runs.get(principal, found.run_id, lock=True)
        approval = await self._approvals.get(approval_id, principal.workspace_id, lock=True)
        assert approval is not None  # noqa: S101  # approvals are only deleted together with their run
        if await self._is_repeated(principal, approval, resolution):
            return approval
        _check_resolvable(approval, resolution)
        await self._apply(run, approval, principal.subject, resolution)
        return approval

    async def _is_repeated(
        self, principal: Principal, approval: ApprovalRow, resolution: ApprovalResolve
    ) -> bool:
        """Whether this caller has resolved the request in exactly this way before."""
        before = (approval.state, approval.resolved_by, approval.feedback)
        if before != (_STATE_BY_ACTION[resolution.action], principal.subject, resolution.feedback):
            return False
        if resolution.action != "approve":
            return True
        results = await self._runs.get_task_results(approval.run_id)
        stored, edited = results.get(approval.task_key), resolution.edited
        return stored is not None and stored.raw == (approval.output if edited is None else edited)

    async def _apply(
        self, run: RunRow, approval: ApprovalRow, resolved_by: str, resolution: ApprovalResolve
    ) -> None:
        approval.state = _STATE_BY_ACTION[resolution.action]
        approval.feedback = resolution.feedback
        approval.resolved_by, approval.resolved_at = resolved_by, now()
        resolved = ApprovalResolvedData(
            approval_id=approval.id, action=resolution.action, feedback=resolution.feedback, by=resolved_by
        )
        await self._lifecycle.emit(run, ApprovalResolved(task_key=approval.task_key, data=resolved))
        if resolution.action == "reject":
            await self._lifecycle.fail(run, _rejection_failure(approval))
            return
        if resolution.action == "approve":
            await self._complete_task(run, approval, resolution.edited)
        else:
            run.revision = {
                "taskKey": approval.task_key,
                "previous": approval.output,
                "feedback": resolution.feedback,
            }
            await self._set_task_state(run.id, approval.task_key, TaskState.PENDING)
        await self._lifecycle.queue_next_attempt(run, "answered")

    async def _complete_task(self, run: RunRow, approval: ApprovalRow, edited: str | None) -> None:
        raw = approval.output if edited is None else edited
        json_output = approval.json_output if edited is None else _parse_edited(run, approval, edited)
        for task in await self._runs.list_task_rows(run.id):
            if task.key == approval.task_key:
                task.state, task.finished_at = TaskState.COMPLETED, now()
                task.result = {"raw": raw, "jsonOutput": json_output, "agent": approval.agent}
        run.revision = None
        completed = TaskCompletedData(raw=raw, json_output=json_output)
        await self._lifecycle.emit(
            run, TaskCompleted(task_key=approval.task_key, agent=approval.agent, data=completed)
        )
        path = run.parsed_definition.output_files().get(approval.task_key)
        if path is not None:
            await self._runs.save_artifact(run, approval.task_key, path, raw)
            await self._lifecycle.emit(run, make_artifact_event(approval.task_key, path, raw))

    async def cancel(self, run: RunRow) -> None:
        """Cancel the open approval request of a locked run that ends for another reason."""
        approval = await self._approvals.lock_open(run.id)
        if approval is not None:
            approval.state, approval.resolved_at = ApprovalState.CANCELLED, now()
            cancelled = ApprovalCancelledData(approval_id=approval.id)
            event = ApprovalCancelled(task_key=approval.task_key, agent=approval.agent, data=cancelled)
            await self._lifecycle.emit(run, event)

    async def expire_overdue(self) -> list[str]:
        """Fail the runs whose approval request passed its deadline and return their ids."""
        failed_ids = []
        for run_id in await self._approvals.list_overdue_run_ids(now(), EXPIRY_BATCH_SIZE):
            run = await self._runs.lock_for_worker(run_id)
            approval = await self._approvals.lock_open(run_id)
            if approval is None or approval.expires_at > now():
                continue  # resolved while this transaction waited for the lock
            approval.state, approval.resolved_at = ApprovalState.EXPIRED, now()
            if run is not None and run.state == RunState.WAITING:
                expired = ApprovalExpiredData(approval_id=approval.id)
                await self._lifecycle.emit(run, ApprovalExpired(task_key=approval.task_key, data=expired))
                await self._lifecycle.fail(run, _expiry_failure(approval))
                failed_ids.append(run.id)
        return failed_ids

    async def _set_task_state(self, run_id: str, key: str, state: TaskState) -> None:
        for task in await self._runs.list_task_rows(run_id):
            if task.key == key:
                task.state = state


def _check_resolvable(approval: ApprovalRow, resolution: ApprovalResolve) -> None:
    if approval.state == ApprovalState.EXPIRED or (
        approval.state == ApprovalState.OPEN and approval.expires_at <= now()
    ):
        raise ApprovalDeadlinePassed(
            "The approval request expired before it was resolved. Resume or retry the run."
        )
    if approval.state != ApprovalState.OPEN:
        by = f" by {approval.resolved_by}" if approval.resolved_by else ""
        raise ApprovalAlreadyResolved(
            f"The approval was already {approval.state}{by}.", status_now=approval.state
        )
    if resolution.action == "revise" and not (resolution.feedback or "").strip():
        raise FeedbackMissing("`revise` requires `feedback` that tells the agent what to change.")
    if resolution.edited is not None and resolution.action != "approve":
        raise FeedbackMissing("`edited` is only allowed with `approve`; send `feedback` to revise.")


def _parse_edited(run: RunRow, approval: ApprovalRow, edited: str) -> Any:
    """Return the JSON of an edited output whose task demands a structure. Raises EditedOutputInvalid."""
    tasks = run.parsed_definition.tasks
    schema = next((task.output_json for task in tasks if task.key == approval.task_key), None)
    if schema is None:
        return None
    try:
        return parse_structured(edited, schema)
    except StructureMismatch as mismatch:
        raise EditedOutputInvalid(
            f"The edited output of task {approval.task_key} does not have the structure of its "
            f"`output_json`: {mismatch}. Correct it, or approve without `edited`."
        ) from mismatch


def _rejection_failure(approval: ApprovalRow) -> RunFailure:
    reason = f": {approval.feedback}" if approval.feedback else "."
    return RunFailure(
        code="approval-rejected",
        message=f"The output of task {approval.task_key} was rejected{reason}",
        hint="Change the workflow or its inputs and run it again.",
        task_key=approval.task_key,
        agent=approval.agent,
    )


def _expiry_failure(approval: ApprovalRow) -> RunFailure:
    return RunFailure(
        code="approval-expired",
        message=f"The approval request for task {approval.task_key} was not resolved in time.",
        hint="Resume the run to request approval again; APPROVAL_EXPIRES_HOURS sets the time limit.",
        task_key=approval.task_key,
        agent=approval.agent,
    )
