"""What tools say of a run. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from crewai_runner.domain.run import FINAL_STATES, RunState, TaskState, WaitReason
from crewai_runner.domain.usage import Usage
from crewai_runner.features.mcp_endpoint.schemas import OpenApproval, RunReport, RunUsageSummary

MAX_OUTPUT_LENGTH = 50_000
"""Characters of an output, which is sent up to three times: some clients accept 1 MiB in one event."""
DONE = (TaskState.COMPLETED, TaskState.REUSED)
_FAILED = (RunState.FAILED, RunState.CRASHED, RunState.STOPPED)


def count_done(states: Sequence[TaskState]) -> int:
    return sum(state in DONE for state in states)


def summarize_usage(usage: Usage) -> RunUsageSummary:
    cost = None if usage.cost is None else f"{usage.cost.amount} {usage.cost.currency}"
    return RunUsageSummary(
        llm_calls=usage.llm_calls,
        tool_calls=usage.tool_calls,
        total_tokens=usage.total_tokens,
        cost=cost,
    )


def list_actions(kind: str) -> list[str]:
    return ["answer", "reject"] if kind == "question" else ["approve", "revise", "reject"]


def shorten(text: str) -> str:
    if len(text) <= MAX_OUTPUT_LENGTH:
        return text
    return f"{text[:MAX_OUTPUT_LENGTH]}…"


def is_short_json(value: object) -> bool:
    """Return whether a JSON value is short enough to be sent."""
    return len(json.dumps(value, default=str)) <= MAX_OUTPUT_LENGTH


def describe_next_step(report: RunReport) -> str | None:
    """Return what to do about a run that has not finished."""
    follow = f"call `get_run` with run_id {report.run_id}"
    if report.state in FINAL_STATES:
        return None
    if report.approval is not None:
        return (
            f"A person must decide. Ask them, then call `answer_approval` with approval_id "
            f"{report.approval.approval_id} and one of the actions {', '.join(report.approval.actions)}; "
            f"then {follow}."
        )
    if report.wait_reason == WaitReason.BUDGET:
        return (
            "The run has reached its budget. It continues after someone raises it in the dashboard, or at "
            f"POST /api/v1/runs/{report.run_id}/resume; then {follow}. `stop_run` ends it."
        )
    return f"To follow the run, {follow}; `stop_run` ends it."


def describe_run(report: RunReport) -> str:
    """Return the text that a model reads."""
    if report.state is RunState.COMPLETED:
        note = f"\n\n[Shortened. All of it: GET /api/v1/runs/{report.run_id}]" if report.is_shortened else ""
        return (report.output or "") + note
    if report.state in _FAILED:
        return report.error or f"The run {report.run_id} was {report.state}."
    lines = [f"The run {report.run_id} of {report.workflow} is {report.state}."]
    lines.append(f"{report.tasks_completed} of {report.tasks_total} tasks are completed.")
    if report.approval is not None:
        lines += _describe_approval(report.approval)
    if report.next_step is not None:
        lines.append(report.next_step)
    return "\n".join(lines)


def _describe_approval(approval: OpenApproval) -> list[str]:
    if approval.kind == "question":
        return [f"It asks: {approval.prompt}", *([approval.output] if approval.output else [])]
    return [f"It waits for the review of the output of task {approval.task}:", approval.output]


def make_result(report: RunReport, *, is_started_here: bool) -> dict[str, Any]:
    """Return the result of a tool; a run that was started by the call and failed is an error."""
    content = [{"type": "text", "text": describe_run(report)}]
    is_error = is_started_here and report.state in _FAILED
    return {"content": content, "structuredContent": report.model_dump(mode="json"), "isError": is_error}


def make_text_result(text: str, *, is_error: bool = False) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": text}], "isError": is_error}
