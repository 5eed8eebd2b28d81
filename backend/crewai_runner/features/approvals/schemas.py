"""API schemas of approval requests, and their construction from database rows."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.text import StorableText
from crewai_runner.db.tables.runs import ApprovalRow


class ApprovalState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REVISED = "revised"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class ApprovalRead(ApiModel):
    """A task output that a person must approve, revise or reject before the run continues."""

    id: str
    run_id: str
    task_key: str
    agent: str | None
    output: str = Field(description="The proposed task output.")
    status: ApprovalState
    feedback: str | None
    resolved_by: str | None
    created_at: datetime
    expires_at: datetime
    resolved_at: datetime | None


class ApprovalPage(ApiModel):
    approvals: list[ApprovalRead]
    next_cursor: str | None


class ApprovalResolve(ApiModel):
    """`approve` accepts the output (or `edited` in its place), `revise` returns it to the agent with
    feedback, `reject` fails the run.
    """

    action: Literal["approve", "reject", "revise"]
    feedback: StorableText | None = Field(None, max_length=100_000, description="Required for `revise`.")
    edited: StorableText | None = Field(
        None, max_length=1_000_000, description="Only with `approve`: replaces the output."
    )


class ApprovalAnswer(ApiModel):
    approval: ApprovalRead


def to_approval_read(row: ApprovalRow) -> ApprovalRead:
    names = set(ApprovalRead.model_fields) - {"status"}
    fields = {name: getattr(row, name) for name in names}
    return ApprovalRead.model_validate(fields | {"status": row.state})
