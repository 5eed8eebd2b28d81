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
    EditedOutputInvalid,
    FeedbackMissing,
)
from crewai_runner.features.approvals.schemas import (
    ApprovalAnswer,
    ApprovalPage,
    ApprovalResolve,
    ApprovalState,
    to_approval_read,
)
from crewai_runner.http.deps import LIMIT, Cursor, Limit, QueueOpen
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/approvals", tags=["approvals"])


@router.get("", response_model=ApprovalPage)
async def list_approvals(
    reader: Reader,
    approvals: ApprovalLists,
    status: Annotated[ApprovalState | None, Query(description="Only approvals in this state.")] = None,
    run_id: Annotated[str | None, Query(alias="runId", max_length=64, pattern="^run_[0-9A-Za-z]+$")] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List approval requests, newest first."""
    body = await approvals.list_page(reader, status, run_id, limit, cursor)
    return Response(body, media_type="application/json")


@router.get("/{approval_id}", responses=problems(ApprovalNotFound))
async def get_approval(approval_id: str, reader: Reader, approvals: ApprovalsToRead) -> ApprovalAnswer:
    """Get one approval request with the proposed output."""
    return ApprovalAnswer(approval=to_approval_read(await approvals.get(reader, approval_id)))


@router.post(
    "/{approval_id}/resolve",
    dependencies=[QueueOpen],
    responses=problems(
        ApprovalNotFound,
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
    return ApprovalAnswer(approval=to_approval_read(await approvals.resolve(resolver, approval_id, body)))
