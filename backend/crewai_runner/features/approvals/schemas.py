"""API schemas of approval requests, and their construction from database rows."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.text import StorableText
from crewai_runner.db.tables.runs import ApprovalRow
from crewai_runner.domain.run_event_payloads import ApprovalKind


class ApprovalState(StrEnum):
    OPEN = "open"
    APPROVED = "approved"
    REVISED = "revised"
    ANSWERED = "answered"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class ApprovalRead(ApiModel):
    """What a run waits for: a task output that a person must approve, revise or reject, or a question of the
    code of a project.
    """

    id: str
    run_id: str
    kind: ApprovalKind = Field(description="`question`: resolve it with `answer` or `reject`.")
    task_key: str | None = Field(description="Null for a question that no task asks.")
    agent: str | None
    prompt: str = Field(description="What the code asks; empty for a review.")
    output: str = Field(description="The proposed task output, or what the question is about.")
    status: ApprovalState
    feedback: str | None = Field(description="The feedback, or the answer to a question.")
    resolved_by: str | None
    created_at: datetime
    expires_at: datetime
    resolved_at: datetime | None


class ApprovalPage(ApiModel):
    approvals: list[ApprovalRead]
    next_cursor: str | None


class ApprovalResolve(ApiModel):
    """`approve` accepts the output (or `edited` in its place), `revise` returns it to the agent with
    feedback, `answer` answers a question, `reject` fails the run.
    """

    action: Literal["approve", "reject", "revise", "answer"]
    feedback: StorableText | None = Field(None, max_length=100_000, description="Required for `revise`.")
    edited: StorableText | None = Field(
        None, max_length=1_000_000, description="Only with `approve`: replaces the output."
    )
    answer: StorableText | None = Field(
        None, max_length=100_000, description="Required for `answer`; may be empty, like a pressed Enter key."
    )

    @property
    def text(self) -> str | None:
        """What the person has written."""
        return self.answer if self.action == "answer" else self.feedback


class ApprovalAnswer(ApiModel):
    approval: ApprovalRead


def to_approval_read(row: ApprovalRow) -> ApprovalRead:
    names = set(ApprovalRead.model_fields) - {"status"}
    fields = {name: getattr(row, name) for name in names}
    return ApprovalRead.model_validate(fields | {"status": row.state, "task_key": row.task_key or None})


def make_resolution(approval: ApprovalRow, text: str, *, is_approval: bool = False) -> ApprovalResolve:
    """Return what a person's text means for a request: the answer to a question, or feedback on an output."""
    if approval.kind == "question":
        return ApprovalResolve(action="answer", answer=text)
    return ApprovalResolve(action="approve" if is_approval else "revise", feedback=text or None)
