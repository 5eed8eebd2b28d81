"""Figures over many runs; the list of workflows, which shows their newest runs."""

from typing import Annotated

from fastapi import APIRouter, Query

from crewai_runner.core.errors import BadRequest
from crewai_runner.features.insights.deps import InsightsOfRuns, Overview, RunReader, WorkflowReader
from crewai_runner.features.insights.rules import Period
from crewai_runner.features.insights.schemas import Insights, WorkflowPage
from crewai_runner.features.workflows.schemas import WorkflowSort
from crewai_runner.http.deps import LIMIT, Cursor, Limit
from crewai_runner.http.problems import problems

router = APIRouter(prefix="/insights", tags=["insights"])
workflow_list = APIRouter(prefix="/workflows", tags=["workflows"])


@router.get("")
async def get_insights(
    reader: RunReader,
    insights: InsightsOfRuns,
    period: Annotated[
        Period, Query(description="`24h` in hours, `7d` in stretches of six hours, `30d` in days, all UTC.")
    ] = Period.DAY,
) -> Insights:
    """How runs went: outcomes, cost, tokens and times of a period, over time and by workflow.

    Runs count where they were started. What is unknown is null, never 0.
    """
    return await insights.of(reader, period)


@workflow_list.get("", responses=problems(BadRequest))
async def list_workflows(
    reader: WorkflowReader,
    overview: Overview,
    text: Annotated[
        str | None,
        Query(
            max_length=200, pattern=r"^[^\x00]*$", description="Only those whose name or description has it."
        ),
    ] = None,
    sort: Annotated[
        WorkflowSort, Query(description="`updated`: the last edited first; `name`: by name.")
    ] = WorkflowSort.UPDATED,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> WorkflowPage:
    """Saved workflows, without their documents, with what became of their newest runs."""
    return await overview.page(reader, text, sort, limit, cursor)
