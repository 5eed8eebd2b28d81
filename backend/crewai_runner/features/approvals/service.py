"""Human approval of task outputs, and answers to the questions of projects.

A waiting run occupies no worker; resolving its approval request queues the next attempt.
"""

from collections.abc import Container
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix, new_id
from crewai_runner.core.outside_values import clean_json
from crewai_runner.core.principal import Principal
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.subject_name_repository import load_subject_names
from crewai_runner.db.tables.runs import ApprovalRow, RunRow
from crewai_runner.domain.artifact_events import make_artifact_event
from crewai_runner.domain.run import RunState, TaskState, WaitReason
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
from crewai_runner.executor.port import NeedsHuman
from crewai_runner.executor.project_code import GivenAnswer, HumanQuestion
from crewai_runner.features.approvals.addressees import find_addressee
from crewai_runner.features.approvals.errors import ApprovalNotFound, ApprovalNotYours
from crewai_runner.features.approvals.repository import ApprovalRepository
from crewai_runner.features.approvals.resolution_checks import (
    check_resolvable,
    make_expiry_failure,
    make_rejection_failure,
    parse_edited,
)
from crewai_runner.features.approvals.rules import TOOL_KINDS, may_answer
from crewai_runner.features.approvals.schemas import (
    ApprovalRead,
    ApprovalResolve,
    ApprovalState,
    to_approval_read,
)
from crewai_runner.features.approvals.tool_calls import ToolCallApprovals
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.features.runs.service import RunService
from crewai_runner.queue.port import JobQueue

EXPIRY_BATCH_SIZE = 100
_UNREVIEWED = (ApprovalState.CANCELLED, ApprovalState.EXPIRED)
_STATE_BY_ACTION = {
    "approve": ApprovalState.APPROVED,
    "revise": ApprovalState.REVISED,
    "reject": ApprovalState.REJECTED,
    "answer": ApprovalState.ANSWERED,
}


class ApprovalService:
    def __init__(self, session: AsyncSession, queue: JobQueue, mask: SecretMask) -> None:
        self._session = session
        self._approvals, self._mask = ApprovalRepository(session), mask
        self._runs = RunService(session)
        self._lifecycle = LifecycleService(session, queue, mask)
        self.tool_calls = ToolCallApprovals(session, queue, mask)

    async def request(self, run: RunRow, review: NeedsHuman, expires_in: timedelta) -> ApprovalRow | None:
        """Request a review or an answer; the run, locked by the caller, moves to `waiting`.

        A call of a tool was requested before.
        """
        if review.tool_call is not None:
            return await self.tool_calls.wait(run, review.tool_call)
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
        question = newest.question_hash and HumanQuestion(newest.prompt, newest.question_hash)
        return NeedsHuman(
            newest.task_key, newest.agent or "", newest.output, newest.json_output, question or None
        )

    async def list_answers(self, run_id: str) -> list[GivenAnswer]:
        """Return the answers to the questions of a run's code, in the order of the questions."""
        rows = await self._approvals.list_in_state(run_id, ApprovalState.ANSWERED)
        return [GivenAnswer(row.question_hash or "", row.feedback or "") for row in rows]

    async def _add(
        self, run: RunRow, review: NeedsHuman, expires_in: timedelta
    ) -> tuple[ApprovalRow, ApprovalRequested]:
        role, person_id = await find_addressee(self._session, self._lifecycle, run, review.task_key)
        mask = self._mask.scoped(run.workspace_id, run.id)
        output, question = clean_json(review.output, mask), review.question
        prompt = clean_json(question.prompt, mask) if question else ""
        approval = ApprovalRow(
            id=new_id(Prefix.APPROVAL),
            workspace_id=run.workspace_id,
            run_id=run.id,
            kind="question" if question else "review",
            task_key=review.task_key,
            agent=review.agent or None,
            prompt=prompt,
            question_hash=question.hash if question else None,
            output=output,
            json_output=clean_json(review.json_output, mask),
            state=ApprovalState.OPEN,
            assigned_role=role,
            assigned_person_id=person_id,
            expires_at=now() + expires_in,
        )
        self._approvals.add(approval)
        await self._set_task_state(run.id, review.task_key, TaskState.WAITING)
        data = ApprovalRequestedData(
            approval_id=approval.id, kind="question" if question else "review", prompt=prompt, output=output
        )
        return approval, ApprovalRequested(
            task_key=review.task_key or None, agent=review.agent or None, data=data
        )

    async def describe(self, principal: Principal, approval: ApprovalRow) -> ApprovalRead:
        """Return the approval as the caller sees it."""
        name = await self._approvals.get_name(approval.assigned_person_id)
        return to_approval_read(approval, principal, name)

    async def _check_addressee(self, principal: Principal, approval: ApprovalRow) -> None:
        if may_answer(principal, approval.assigned_role, approval.assigned_person_id):
            return
        name = await self._approvals.get_name(approval.assigned_person_id)
        raise ApprovalNotYours(name or f"people with the role {approval.assigned_role} or a higher one")

    async def get(self, principal: Principal, approval_id: str) -> ApprovalRow:
        """Return the approval. Raises ApprovalNotFound, also for one of another workspace."""
        if has_prefix(approval_id, Prefix.APPROVAL):
            approval = await self._approvals.get(approval_id, principal.workspace_id)
            if approval is not None:
                await load_subject_names(self._session, [approval])
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
        (404), ApprovalNotYours (403), ApprovalAlreadyResolved (409), ApprovalDeadlinePassed (410),
        ActionNotAllowed, EditedArgumentsInvalid and FeedbackMissing (422).
        """
        found = await self.get(principal, approval_id)
        await self._check_addressee(principal, found)
        # Every transaction locks the run before its approval, so two resolutions cannot deadlock.
        run = await self._runs.get(principal, found.run_id, lock=True)
        approval = await self._approvals.get(approval_id, principal.workspace_id, lock=True)
        assert approval is not None  # noqa: S101  # approvals are only deleted together with their run
        if await self._is_repeated(principal, approval, resolution):
            return approval
        check_resolvable(approval, resolution)
        if approval.kind in TOOL_KINDS:
            await self.tool_calls.resolve(run, approval, principal.subject, resolution)
        else:
            await self._apply(run, approval, principal.subject, resolution)
        await load_subject_names(self._session, [approval])
        return approval

    async def _is_repeated(
        self, principal: Principal, approval: ApprovalRow, resolution: ApprovalResolve
    ) -> bool:
        """Whether this caller has resolved the request in exactly this way before."""
        before = (approval.state, approval.resolved_by, approval.feedback)
        if before != (_STATE_BY_ACTION[resolution.action], principal.subject, resolution.text):
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
        approval.feedback = resolution.text
        approval.resolved_by, approval.resolved_at = resolved_by, now()
        resolved = ApprovalResolvedData(
            approval_id=approval.id, action=resolution.action, feedback=resolution.text, by=resolved_by
        )
        await self._lifecycle.emit(run, ApprovalResolved(task_key=approval.task_key or None, data=resolved))
        if resolution.action == "reject":
            await self._lifecycle.fail(run, make_rejection_failure(approval))
            return
        if resolution.action == "approve":
            await self._complete_task(run, approval, resolution.edited)
        else:
            if resolution.action == "revise":
                run.revision = {
                    "taskKey": approval.task_key,
                    "previous": approval.output,
                    "feedback": resolution.feedback,
                }
            await self._set_task_state(run.id, approval.task_key, TaskState.PENDING)
        await self._lifecycle.queue_next_attempt(run, "answered")

    async def _complete_task(self, run: RunRow, approval: ApprovalRow, edited: str | None) -> None:
        raw = approval.output if edited is None else edited
        json_output = approval.json_output if edited is None else parse_edited(run, approval, edited)
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
        """Cancel the open approval requests of a locked run that ends for another reason."""
        await self.tool_calls.cancel_open(run)
        approval = await self._approvals.lock_open(run.id)
        if approval is not None:
            approval.state, approval.resolved_at = ApprovalState.CANCELLED, now()
            cancelled = ApprovalCancelledData(approval_id=approval.id)
            scope = {"task_key": approval.task_key or None, "agent": approval.agent}
            await self._lifecycle.emit(run, ApprovalCancelled(**scope, data=cancelled))

    async def expire_overdue(self) -> list[str]:
        """Fail the runs whose approval request passed its deadline and return their ids."""
        failed_ids = []
        for run_id in await self._approvals.list_overdue_run_ids(now(), EXPIRY_BATCH_SIZE):
            run = await self._runs.lock_for_worker(run_id)
            approval = await self._approvals.lock_open(run_id)
            if run is not None and (call := await self.tool_calls.expire(run)) is not None:
                await self._lifecycle.fail(run, make_expiry_failure(call))
                failed_ids.append(run.id)
            if approval is None or approval.expires_at > now():
                continue  # resolved while this transaction waited for the lock
            approval.state, approval.resolved_at = ApprovalState.EXPIRED, now()
            if run is not None and run.state == RunState.WAITING:
                expired = ApprovalExpiredData(approval_id=approval.id)
                event = ApprovalExpired(task_key=approval.task_key or None, data=expired)
                await self._lifecycle.emit(run, event)
                await self._lifecycle.fail(run, make_expiry_failure(approval))
                failed_ids.append(run.id)
        return failed_ids

    async def _set_task_state(self, run_id: str, key: str, state: TaskState) -> None:
        for task in await self._runs.list_task_rows(run_id):
            if task.key == key:
                task.state = state
