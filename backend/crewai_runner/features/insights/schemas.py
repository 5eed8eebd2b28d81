"""API shapes of figures over many runs, and of workflows with their newest runs."""

from datetime import datetime

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.run import RunState
from crewai_runner.domain.usage import Cost
from crewai_runner.features.insights.rules import Period
from crewai_runner.features.workflows.schemas import WorkflowEntry

COST = "null while the cost of any of the runs is unknown, or when it is in several currencies."
KNOWN_COST = "Of the runs whose cost is known: a lower bound while `cost` is null."
RATE = "Completed among completed, failed and crashed (0 to 1); stopped runs do not count."
SECONDS = "Of completed runs, without waiting; at most the newest 10,000 are looked at."


class InsightTotals(ApiModel):
    """All runs that were started in the period."""

    runs: int
    completed: int
    failed: int
    stopped: int
    crashed: int
    active: int = Field(description="Queued, at work, waiting or stopping.")
    success_rate: float | None = Field(description=RATE)
    cost: Cost | None = Field(description=COST)
    known_cost: Cost | None = Field(description=KNOWN_COST)
    total_tokens: int | None = Field(description="null while the tokens of any of the runs are unknown.")
    median_seconds: float | None = Field(description=SECONDS)
    p95_seconds: float | None = Field(description="95 of 100 completed runs took no longer.")


class InsightBucket(ApiModel):
    """The runs that were started in one stretch of the period, as they stand now."""

    at: datetime = Field(description="Where the stretch begins.")
    completed: int
    failed: int
    stopped: int
    crashed: int
    active: int
    cost: Cost | None = Field(description=COST)
    known_cost: Cost | None = Field(description=KNOWN_COST)
    total_tokens: int | None


class WorkflowInsight(ApiModel):
    """The period's runs of one workflow; those without a saved one go by the name in their definition."""

    workflow_id: str | None
    name: str = Field(description="As in the newest run.")
    runs: int
    success_rate: float | None = Field(description=RATE)
    median_seconds: float | None = Field(description=SECONDS)
    cost: Cost | None = Field(description=COST)
    known_cost: Cost | None = Field(description=KNOWN_COST)


class Insights(ApiModel):
    """Figures of a period, by the time the runs were started."""

    period: Period
    since: datetime
    until: datetime = Field(description="End of the last stretch, which holds the present.")
    bucket_seconds: int
    totals: InsightTotals
    buckets: list[InsightBucket] = Field(description="Oldest first, without a gap.")
    workflows: list[WorkflowInsight] = Field(description="The 20 with the most runs, most first.")


class LastRun(ApiModel):
    """A workflow's newest run."""

    id: str
    status: RunState
    created_at: datetime
    finished_at: datetime | None


class RecentRun(ApiModel):
    id: str
    status: RunState
    seconds: float | None = Field(description="At work, without waiting; null until the run is over.")


class WorkflowSummary(WorkflowEntry):
    """A workflow in a list."""

    last_run: LastRun | None = Field(description="null before the first run, or without the right to see it.")
    recent_runs: list[RecentRun] = Field(description="The newest 12, oldest first.")


class WorkflowPage(ApiModel):
    workflows: list[WorkflowSummary]
    next_cursor: str | None
