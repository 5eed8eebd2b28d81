"""Which resolutions an approval request allows, and the failures of runs without one."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from crewai_runner.core.clock import now
from crewai_runner.db.tables.runs import ApprovalRow, RunRow
from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.structured_output import StructureMismatch, parse_structured
from crewai_runner.domain.tool_arguments import ArgumentsInvalid, check_arguments
from crewai_runner.features.approvals.errors import (
    ActionNotAllowed,
    ApprovalAlreadyResolved,
    ApprovalDeadlinePassed,
    EditedArgumentsInvalid,
    EditedOutputInvalid,
    FeedbackMissing,
)
from crewai_runner.features.approvals.rules import TOOL_KINDS
from crewai_runner.features.approvals.schemas import ApprovalResolve, ApprovalState

_ACTIONS = {
    "review": ("approve", "revise", "reject"),
    "question": ("answer", "reject"),
    "tool_call": ("approve", "reject"),
    "tool_question": ("approve", "reject"),
}


def check_resolvable(approval: ApprovalRow, resolution: ApprovalResolve) -> None:
    """Check that a request is open and that the resolution fits it.

    Raises ApprovalAlreadyResolved, ApprovalDeadlinePassed, ActionNotAllowed, FeedbackMissing.
    """
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
    allowed = _ACTIONS[approval.kind]
    if resolution.action not in allowed:
        kind, actions = approval.kind.replace("_", " "), " or ".join(f"`{action}`" for action in allowed)
        raise ActionNotAllowed(f"A {kind} is resolved with {actions}.")
    if (resolution.answer is None) is (resolution.action == "answer"):
        raise FeedbackMissing("`answer` is required with the action `answer`, and only allowed with it.")
    if resolution.action == "revise" and not (resolution.feedback or "").strip():
        raise FeedbackMissing("`revise` requires `feedback` that tells the agent what to change.")
    _check_tool_resolution(approval, resolution)
    if resolution.edited is not None and resolution.action != "approve":
        raise FeedbackMissing("`edited` is only allowed with `approve`; send `feedback` to revise.")


def _check_tool_resolution(approval: ApprovalRow, resolution: ApprovalResolve) -> None:
    """Check what only requests of tools have, and what they do not have. Raises FeedbackMissing."""
    is_call = approval.kind in TOOL_KINDS
    if not is_call and (resolution.arguments is not None or resolution.for_run):
        raise FeedbackMissing("`arguments` and `forRun` are only allowed for the call of a tool.")
    if approval.kind == "tool_question" and resolution.for_run:
        raise FeedbackMissing("`forRun` is only allowed for the call of a tool, not for its question.")
    if is_call and resolution.action != "approve" and resolution.arguments is not None:
        raise FeedbackMissing("`arguments` are only allowed with `approve`.")
    if is_call and resolution.edited is not None:
        raise FeedbackMissing("Send `arguments` to change those of the call; `edited` is for outputs.")


def check_edited_arguments(approval: ApprovalRow, arguments: Mapping[str, Any]) -> None:
    """Raise EditedArgumentsInvalid unless the tool can be called with these arguments, or be answered so."""
    if approval.parameters is None:
        return
    try:
        check_arguments(arguments, approval.parameters)
    except ArgumentsInvalid as invalid:
        if approval.kind == "tool_question":
            message = f"This does not answer the question of {approval.tool}: {invalid}"
            raise EditedArgumentsInvalid(message) from invalid
        raise EditedArgumentsInvalid(
            f"{approval.tool} cannot be called with these arguments: {invalid} "
            "Correct them, or approve without `arguments`."
        ) from invalid


def parse_edited(run: RunRow, approval: ApprovalRow, edited: str) -> JsonValue:
    """Return the JSON of an edited output whose task demands a structure. Raises EditedOutputInvalid."""
    tasks = run.parsed_definition.tasks
    schema = next((task.output_json for task in tasks if task.key == approval.task_key), None)
    if schema is None:
        return None
    try:
        parsed: JsonValue = parse_structured(edited, schema)
    except StructureMismatch as mismatch:
        raise EditedOutputInvalid(
            f"The edited output of task {approval.task_key} does not have the structure of its "
            f"`output_json`: {mismatch}. Correct it, or approve without `edited`."
        ) from mismatch
    return parsed


def make_rejection_failure(approval: ApprovalRow) -> RunFailure:
    reason = f": {approval.feedback}" if approval.feedback else "."
    is_question = approval.kind == "question"
    subject = "The project's question" if is_question else f"The output of task {approval.task_key}"
    return RunFailure(
        code="approval-rejected",
        message=f"{subject} was rejected{reason}",
        hint="Change the workflow or its inputs and run it again.",
        task_key=approval.task_key or None,
        agent=approval.agent,
    )


def make_expiry_failure(approval: ApprovalRow) -> RunFailure:
    is_question = approval.kind == "question"
    subject = (
        "The project's question" if is_question else f"The approval request for task {approval.task_key}"
    )
    return RunFailure(
        code="approval-expired",
        message=f"{subject} was not resolved in time.",
        hint="Resume the run to request approval again; APPROVAL_EXPIRES_HOURS sets the time limit.",
        task_key=approval.task_key or None,
        agent=approval.agent,
    )
