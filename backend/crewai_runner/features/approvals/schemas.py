"""API schemas of approval requests, and their construction from database rows."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue
from pydantic_core import to_json

from crewai_runner.core.api_model import ApiModel
from crewai_runner.core.principal import Principal
from crewai_runner.core.roles import WorkspaceRole
from crewai_runner.core.text import StorableText
from crewai_runner.db.tables.runs import ApprovalRow
from crewai_runner.domain.run_event_payloads import ApprovalKind
from crewai_runner.features.approvals.rules import is_mine, may_answer

MAX_ARGUMENTS_LENGTH = 100_000


def _check_size(arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(to_json(arguments)) > MAX_ARGUMENTS_LENGTH:
        raise ValueError(f"must have at most {MAX_ARGUMENTS_LENGTH} bytes as JSON")
    return arguments


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
    kind: ApprovalKind = Field(
        description="`question`: resolve it with `answer` or `reject`. `tool_call`: with `approve` or "
        "`reject`, which the agent is told. `tool_question`: with `approve` and the answer as `arguments`, "
        "or `reject`, which the tool is told."
    )
    task_key: str | None = Field(description="Null for a question that no task asks.")
    agent: str | None
    prompt: str = Field(description="What the code or the tool asks; empty for a review.")
    output: str = Field(description="The proposed task output, or what the question is about.")
    tool: str | None = Field(description="The tool that an agent wants to call, or that asks.")
    arguments: dict[str, JsonValue] | None = Field(description="With which the agent wants to call it.")
    parameters: dict[str, JsonValue] | None = Field(
        description="The JSON Schema of the arguments; with `tool_question`, of the answer."
    )
    edited_arguments: dict[str, JsonValue] | None = Field(
        description="With which a person has allowed the call, if they changed them; or their answer."
    )
    for_run: bool = Field(description="Whether the later calls of the tool in this run are allowed as well.")
    status: ApprovalState
    feedback: str | None = Field(description="The feedback, or the answer to a question.")
    resolved_by: str | None
    resolved_by_name: str | None
    created_at: datetime
    expires_at: datetime
    resolved_at: datetime | None
    assigned_role: WorkspaceRole | None = Field(
        description="It is addressed to people with at least this role."
    )
    assigned_person_id: str | None = Field(description="It is addressed to this person.")
    assigned_person_name: str | None
    is_mine: bool = Field(description="Whether it is addressed to the caller, or to everyone.")
    may_answer: bool = Field(
        description="Whether the caller may answer it, with the right to answer approvals: owners may always."
    )


OF_CALLER = ("is_mine", "may_answer")
"""The fields that depend on who reads them."""


class ApprovalPage(ApiModel):
    approvals: list[ApprovalRead]
    next_cursor: str | None


class ApprovalResolve(ApiModel):
    """`approve` accepts the output (or `edited` in its place), `revise` returns it to the agent with
    feedback, `answer` answers a question, `reject` fails the run. The call of a tool is made after `approve`,
    and not after `reject`; the run goes on. The question of a tool is answered with `approve`.
    """

    action: Literal["approve", "reject", "revise", "answer"]
    feedback: StorableText | None = Field(None, max_length=100_000, description="Required for `revise`.")
    edited: StorableText | None = Field(
        None, max_length=1_000_000, description="Only with `approve`: replaces the output."
    )
    answer: StorableText | None = Field(
        None, max_length=100_000, description="Required for `answer`; may be empty, like a pressed Enter key."
    )

    arguments: Annotated[dict[str, JsonValue], AfterValidator(_check_size)] | None = Field(
        None,
        description="Only for the call of a tool: replace those of the agent. For the question of a tool: "
        "the answer.",
    )
    for_run: bool | None = Field(
        None, description="Only for the call of a tool: allow its later calls in this run as well."
    )

    @property
    def text(self) -> str | None:
        """What the person has written."""
        return self.answer if self.action == "answer" else self.feedback


class ApprovalAnswer(ApiModel):
    approval: ApprovalRead


def to_approval_read(
    row: ApprovalRow, principal: Principal, assigned_person_name: str | None
) -> ApprovalRead:
    names = set(ApprovalRead.model_fields) - {"status", "assigned_person_name", *OF_CALLER}
    fields = {name: getattr(row, name) for name in names} | {
        "status": row.state,
        "task_key": row.task_key or None,
        "assigned_person_name": assigned_person_name,
        "is_mine": is_mine(principal, row.assigned_role, row.assigned_person_id),
        "may_answer": may_answer(principal, row.assigned_role, row.assigned_person_id),
    }
    return ApprovalRead.model_validate(fields)


def make_resolution(approval: ApprovalRow, text: str, *, is_approval: bool = False) -> ApprovalResolve:
    """Return what a person's text means for a request: the answer to a question, or feedback on an output."""
    if approval.kind == "question":
        return ApprovalResolve(action="answer", answer=text)
    return ApprovalResolve(action="approve" if is_approval else "revise", feedback=text or None)
