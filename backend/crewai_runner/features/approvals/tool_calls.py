"""Requests to people for calls of tools: one for each call, answered while the run goes on or waits."""

from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, new_id
from crewai_runner.core.outside_values import clean_json
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.db.session import add_notification
from crewai_runner.db.tables.runs import ApprovalRow, RunRow
from crewai_runner.domain.run import RunState, WaitReason
from crewai_runner.domain.run_event_payloads import (
    ApprovalCancelledData,
    ApprovalExpiredData,
    ApprovalKind,
    ApprovalRequestedData,
    ApprovalResolvedData,
)
from crewai_runner.domain.run_events import (
    ApprovalCancelled,
    ApprovalExpired,
    ApprovalRequested,
    ApprovalResolved,
)
from crewai_runner.executor.tool_requests import ToolAction, ToolDecision, ToolRequest
from crewai_runner.features.approvals.addressees import find_addressee
from crewai_runner.features.approvals.repository import ApprovalRepository
from crewai_runner.features.approvals.resolution_checks import check_edited_arguments
from crewai_runner.features.approvals.schemas import ApprovalResolve, ApprovalState
from crewai_runner.features.lifecycle.service import LifecycleService
from crewai_runner.queue.port import JobQueue
from crewai_runner.stream.notifier import control_topic

_DECISIONS = {
    ApprovalState.APPROVED: ToolAction.ALLOW,
    ApprovalState.REJECTED: ToolAction.DENY,
    ApprovalState.EXPIRED: ToolAction.EXPIRED,
}

_HOLDING = (ApprovalState.OPEN, ApprovalState.APPROVED, ApprovalState.REJECTED)
"""The states of requests that are not made again."""


class ToolCallApprovals:
    """Requests of locked runs."""

    def __init__(self, session: AsyncSession, queue: JobQueue, mask: SecretMask) -> None:
        self._session, self._mask = session, mask
        self._approvals = ApprovalRepository(session)
        self._lifecycle = LifecycleService(session, queue, mask)

    async def request(
        self,
        run: RunRow,
        request: ToolRequest,
        expires_in: timedelta,
    ) -> ToolDecision | None:
        """Return what was decided about the call or the question; else ask, unless that was done."""
        found = await self._approvals.get_tool_call(run.id, request.key)
        if found is not None and found.state in _HOLDING:
            return to_decision(found)
        is_call = request.question is None
        if is_call and await self._approvals.is_allowed_for_run(run.id, request.tool):
            return ToolDecision(ToolAction.ALLOW, for_run=True)
        mask = self._mask.scoped(run.workspace_id, run.id)
        arguments = clean_json(request.arguments, mask)
        task_key = request.task_key or ""
        role, person_id = await find_addressee(self._session, self._lifecycle, run, task_key)
        kind: ApprovalKind = "tool_call" if is_call else "tool_question"
        prompt = mask(request.question or "")
        approval = ApprovalRow(
            id=new_id(Prefix.APPROVAL),
            workspace_id=run.workspace_id,
            run_id=run.id,
            kind=kind,
            task_key=task_key,
            agent=request.agent,
            prompt=prompt,
            question_hash=request.key,
            output="",
            tool=request.tool,
            arguments=arguments,
            parameters=request.parameters,
            state=ApprovalState.OPEN,
            assigned_role=role,
            assigned_person_id=person_id,
            expires_at=now() + expires_in,
        )
        self._approvals.add(approval)
        data = ApprovalRequestedData(
            approval_id=approval.id,
            kind=kind,
            prompt=prompt,
            output="",
            tool=request.tool,
            tool_call_id=request.tool_call_id,
            arguments=arguments if is_call else None,
        )
        await self._lifecycle.emit(
            run, ApprovalRequested(task_key=request.task_key, agent=request.agent, data=data)
        )
        return None

    async def find_decision(self, run_id: str, key: str) -> ToolDecision | None:
        """Return what was decided about a call; None if nothing is yet."""
        approval = await self._approvals.get_tool_call(run_id, key)
        return None if approval is None else to_decision(approval)

    async def resolve(
        self, run: RunRow, approval: ApprovalRow, resolved_by: str, resolution: ApprovalResolve
    ) -> None:
        """Store what a person decided; tell the attempt that waits, or queue the next one.

        Raises EditedArgumentsInvalid.
        """
        is_allowed = resolution.action == "approve"
        mask = self._mask.scoped(run.workspace_id, run.id)
        edited = None if resolution.arguments == approval.arguments else resolution.arguments
        if is_allowed and approval.kind == "tool_question":
            edited = resolution.arguments or {}
        if edited is not None:
            check_edited_arguments(approval, edited)
            approval.edited_arguments = clean_json(edited, mask)
        approval.state = ApprovalState.APPROVED if is_allowed else ApprovalState.REJECTED
        approval.feedback, approval.for_run = resolution.feedback, is_allowed and bool(resolution.for_run)
        approval.resolved_by, approval.resolved_at = resolved_by, now()
        data = ApprovalResolvedData(
            approval_id=approval.id,
            action="approve" if is_allowed else "reject",
            feedback=resolution.feedback,
            by=resolved_by,
            edited_arguments=approval.edited_arguments,
            for_run=approval.for_run,
        )
        await self._lifecycle.emit(
            run, ApprovalResolved(task_key=approval.task_key or None, agent=approval.agent, data=data)
        )
        await self._continue(run)

    async def wait(self, run: RunRow, key: str) -> ApprovalRow | None:
        """Let a run wait whose attempt ended before the decision; go on at once if that was just made."""
        approval = await self._approvals.get_tool_call(run.id, key)
        open_id = approval.id if approval is not None and approval.state == ApprovalState.OPEN else None
        await self._lifecycle.wait(run, WaitReason.HUMAN_INPUT, approval_id=open_id)
        if open_id is None:
            await self._lifecycle.queue_next_attempt(run, "answered")
        return approval

    async def cancel_open(self, run: RunRow) -> None:
        """Cancel the open requests of a run that ends."""
        for approval in await self._approvals.lock_open_tool_calls(run.id):
            approval.state, approval.resolved_at = ApprovalState.CANCELLED, now()
            data = ApprovalCancelledData(approval_id=approval.id)
            event = ApprovalCancelled(task_key=approval.task_key or None, agent=approval.agent, data=data)
            await self._lifecycle.emit(run, event)

    async def expire(self, run: RunRow) -> ApprovalRow | None:
        """Expire the overdue requests of a run; return one if the run waits for it, and must fail."""
        expired = [
            one for one in await self._approvals.lock_open_tool_calls(run.id) if one.expires_at <= now()
        ]
        for approval in expired:
            approval.state, approval.resolved_at = ApprovalState.EXPIRED, now()
            data = ApprovalExpiredData(approval_id=approval.id)
            await self._lifecycle.emit(run, ApprovalExpired(task_key=approval.task_key or None, data=data))
        if expired:
            add_notification(self._session, control_topic(run.id))
        is_waiting = run.state == RunState.WAITING and run.wait_reason == WaitReason.HUMAN_INPUT
        return expired[0] if expired and is_waiting else None

    async def _continue(self, run: RunRow) -> None:
        """Queue the next attempt of a run that waits for decisions, when the last one is made."""
        add_notification(self._session, control_topic(run.id))
        if run.state != RunState.WAITING or run.wait_reason != WaitReason.HUMAN_INPUT:
            return
        await self._session.flush()
        await self._lifecycle.queue_next_attempt(run, "answered")


def to_decision(approval: ApprovalRow) -> ToolDecision | None:
    """Return what was decided; None while the request is open."""
    if approval.state == ApprovalState.OPEN:
        return None
    action = _DECISIONS.get(ApprovalState(approval.state), ToolAction.DENY)
    return ToolDecision(action, approval.edited_arguments, approval.feedback, approval.for_run)
