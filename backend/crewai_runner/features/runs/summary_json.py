"""The JSON of runs in lists, built from columns."""

from decimal import Decimal
from typing import Any

from crewai_runner.domain.run import RunFailure
from crewai_runner.domain.usage import MAX_AMOUNT, normalize_amount
from crewai_runner.features.runs.schemas import SelectedRow


def dump_run_summary(row: SelectedRow) -> dict[str, Any]:
    """Return what `RunSummary` is as JSON, in its order, from a row of the list.

    Ten times as fast as the model, which validates and copies what the database returns as it was stored.
    """
    (
        id_, workflow_id, workflow_version, workflow_name, project_id, project_version,
        state, wait_reason, attempt,
        prompt_tokens, completion_tokens, cached_tokens, total_tokens, llm_calls, tool_calls,
        cost_amount, cost_currency, calls_without_usage, calls_without_cost,
        error, metadata, active_seconds, created_by, created_by_name, created_at, started_at, finished_at,
        is_external,
    ) = row  # fmt: skip
    return {
        "id": id_,
        "workflowId": workflow_id,
        "workflowVersion": workflow_version,
        "workflowName": workflow_name,
        "projectId": project_id,
        "projectVersion": project_version,
        "status": state,
        "waitReason": wait_reason,
        "attempt": attempt,
        "usage": {
            "promptTokens": prompt_tokens,
            "completionTokens": completion_tokens,
            "cachedTokens": cached_tokens,
            "totalTokens": total_tokens,
            "llmCalls": llm_calls,
            "toolCalls": tool_calls,
            "cost": _dump_cost(cost_amount, cost_currency),
            "callsWithoutUsage": calls_without_usage,
            "callsWithoutCost": calls_without_cost,
        },
        "error": None if error is None else RunFailure.model_validate(error),
        "metadata": metadata,
        "secondsAtWork": active_seconds,
        "createdBy": created_by,
        "createdByName": created_by_name,
        "createdAt": created_at,
        "startedAt": started_at,
        "finishedAt": finished_at,
        "external": bool(is_external),
    }


def _dump_cost(amount: Decimal | None, currency: str | None) -> dict[str, Any] | None:
    if amount is None or not currency:
        return None
    return {"amount": min(normalize_amount(amount), MAX_AMOUNT), "currency": currency}
