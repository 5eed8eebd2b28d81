"""Endpoints for statistics over many runs, and for the list of workflows with their newest runs."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from crewai_runner.core.errors import BadRequest
from crewai_runner.features.insights.deps import InsightsDep, RunReader, WorkflowListDep, WorkflowReader
from crewai_runner.features.insights.rules import Period
from crewai_runner.features.insights.schemas import Insights, WorkflowPage
from crewai_runner.features.workflows.schemas import WorkflowSort
from crewai_runner.http.deps import LIMIT, Cursor, Limit
from crewai_runner.http.prefixed_router import PrefixedRouter
from crewai_runner.http.problems import problems

router = PrefixedRouter(prefix="/insights", tags=["insights"])
workflow_list = PrefixedRouter(prefix="/workflows", tags=["workflows"])


@router.get("")
async def get_insights(
    reader: RunReader,
    insights: InsightsDep,
    period: Annotated[
        Period, Query(description="`24h` in buckets of 1 hour, `7d` of 6 hours, `30d` of 1 day, in UTC.")
    ] = Period.DAY,
) -> Insights:
    """Get run outcomes, cost, tokens and durations of a period, over time and by workflow.

    A run belongs to the bucket of its creation time. An unknown value is null, never 0.
    """
    return await insights.get(reader, period)


@workflow_list.get("", response_model=WorkflowPage, responses=problems(BadRequest))
async def list_workflows(
    reader: WorkflowReader,
    workflows: WorkflowListDep,
    text: Annotated[
        str | None,
        Query(max_length=200, pattern=r"^[^\x00]*$", description="Part of the name or description."),
    ] = None,
    sort: Annotated[
        WorkflowSort, Query(description="`updated`: most recently edited first; `name`: by name.")
    ] = WorkflowSort.UPDATED,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Response:
    """List saved workflows without their documents, with the outcomes of their newest runs."""
    body = await workflows.list_page(reader, text, sort, limit, cursor)
    return Response(body, media_type="application/json")
