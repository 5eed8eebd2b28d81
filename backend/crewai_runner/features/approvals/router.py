"""Questions of runs to people."""

from typing import Annotated

from fastapi import APIRouter, Query

from crewai_runner.domain.run import IllegalTransition
from crewai_runner.features.approvals.deps import Approvals, ApprovalsToRead, Reader, Resolver
from crewai_runner.features.approvals.errors import (
    AlreadyResolved,
    ApprovalNotFound,
    ApprovalOver,
    FeedbackMissing,
)
from crewai_runner.features.approvals.schemas import (
    ApprovalAnswer,
    ApprovalPage,
    ApprovalResolve,
    ApprovalState,
)
from crewai_runner.features.approvals.service import read
from crewai_runner.http.deps import LIMIT, Cursor, Limit, QueueOpen
from crewai_runner.http.problems import problems

router = APIRouter(prefix="/approvals", tags=["approvals"])


@router.get("")
async def list_approvals(
    reader: Reader,
    approvals: ApprovalsToRead,
    status: Annotated[ApprovalState | None, Query(description="Only those in this state.")] = None,
    run_id: Annotated[str | None, Query(alias="runId", max_length=64)] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> ApprovalPage:
    """Questions to people, newest first."""
    return await approvals.page(reader, status, run_id, limit, cursor)


@router.get("/{approval_id}", responses=problems(ApprovalNotFound))
async def get_approval(approval_id: str, reader: Reader, approvals: ApprovalsToRead) -> ApprovalAnswer:
    """One question, with what the agent proposes."""
    return ApprovalAnswer(approval=read(await approvals.get(reader, approval_id)))


@router.post(
    "/{approval_id}/resolve",
    dependencies=[QueueOpen],
    responses=problems(ApprovalNotFound, AlreadyResolved, ApprovalOver, FeedbackMissing, IllegalTransition),
)
async def resolve_approval(
    approval_id: str, body: ApprovalResolve, resolver: Resolver, approvals: Approvals
) -> ApprovalAnswer:
    """Approve, revise or reject; one answer only. The run goes on by itself."""
    approval = await approvals.resolve(resolver, approval_id, body)
    return ApprovalAnswer(approval=read(approval))
