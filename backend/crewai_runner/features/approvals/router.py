"""Endpoints for human approval of task outputs."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from crewai_runner.domain.run import IllegalTransition
from crewai_runner.features.approvals.deps import (
    ApprovalLists,
    Approvals,
    ApprovalsToRead,
    Reader,
    Resolver,
)
from crewai_runner.features.approvals.errors import (
    ActionNotAllowed,
    ApprovalAlreadyResolved,
    ApprovalDeadlinePassed,
    ApprovalNotFound,
    ApprovalNotYours,
    EditedOutputInvalid,
    FeedbackMissing,
)
from crewai_runner.features.approvals.schemas import (
    ApprovalAnswer,
    ApprovalPage,
    ApprovalResolve,
    ApprovalState,
)
from crewai_runner.http.deps import LIMIT, Cursor, Limit, QueueOpen
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/approvals", tags=["approvals"])


@router.get("", response_model=ApprovalPage)
async def list_approvals(
    reader: Reader,
    approvals: ApprovalLists,
    *,
    status: Annotated[ApprovalState | None, Query(description="Only approvals in this state.")] = None,
    run_id: Annotated[str | None, Query(alias="runId", max_length=64, pattern="^run_[0-9A-Za-z]+$")] = None,
    mine: Annotated[
        bool | None,
        Query(description="Only those that the caller is asked to answer, or only those of others."),
    ] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List approval requests, newest first."""
    body = await approvals.list_page(reader, status, run_id, limit, cursor, mine=mine)
    return Response(body, media_type="application/json")


@router.get("/{approval_id}", responses=problems(ApprovalNotFound))
async def get_approval(approval_id: str, reader: Reader, approvals: ApprovalsToRead) -> ApprovalAnswer:
    """Get one approval request with the proposed output."""
    found = await approvals.get(reader, approval_id)
    return ApprovalAnswer(approval=await approvals.describe(reader, found))


@router.post(
    "/{approval_id}/resolve",
    dependencies=[QueueOpen],
    responses=problems(
        ApprovalNotFound,
        ApprovalNotYours,
        ApprovalAlreadyResolved,
        ApprovalDeadlinePassed,
        ActionNotAllowed,
        EditedOutputInvalid,
        FeedbackMissing,
        IllegalTransition,
    ),
)
async def resolve_approval(
    approval_id: str, body: ApprovalResolve, resolver: Resolver, approvals: Approvals
) -> ApprovalAnswer:
    """Approve, revise or reject a task output, or answer a question. A request can be resolved only once.

    After `approve`, `revise` and `answer` the run continues automatically; `reject` fails it.
    """
    resolved = await approvals.resolve(resolver, approval_id, body)
    return ApprovalAnswer(approval=await approvals.describe(resolver, resolved))
