"""API shapes of approvals: questions of a run to a person."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.text import StorableText


class ApprovalState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REVISED = "revised"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class ApprovalRead(ApiModel):
    id: str
    run_id: str
    task_key: str
    agent: str | None
    output: str = Field(description="What the agent proposes.")
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
    """`approve` takes the output (or `edited` instead), `revise` sends it back, `reject` ends the run."""

    action: Literal["approve", "reject", "revise"]
    feedback: StorableText | None = Field(None, max_length=100_000, description="Needed to revise.")
    edited: StorableText | None = Field(
        None, max_length=1_000_000, description="With approve: take this text."
    )


class ApprovalAnswer(ApiModel):
    approval: ApprovalRead
