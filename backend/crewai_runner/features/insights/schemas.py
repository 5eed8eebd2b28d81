"""API schemas of statistics over many runs, and of workflows with their newest runs."""

from datetime import datetime

from pydantic import Field

from crewai_runner.core.api_model import ApiModel
from crewai_runner.domain.run import RunState
from crewai_runner.domain.usage import Cost
from crewai_runner.features.insights.rules import Period
from crewai_runner.features.workflows.schemas import WorkflowEntry

COST = "null if the cost of any run is unknown, or if runs have costs in several currencies."
KNOWN_COST = "Total of the known costs; a lower bound if `cost` is null."
ACTIVE = "Queued, running, waiting or stopping, on this server."
ELSEWHERE = "Running elsewhere: such runs only report here."
RATE = "Completed runs divided by completed, failed and crashed runs (0 to 1); stopped runs do not count."
SECONDS = "Duration of completed runs without waiting time; based on at most the newest 10,000."


class InsightTotals(ApiModel):
    """All runs created in the period."""

    runs: int
    completed: int
    failed: int
    stopped: int
    crashed: int
    active: int = Field(description=ACTIVE)
    active_elsewhere: int = Field(description=ELSEWHERE)
    success_rate: float | None = Field(description=RATE)
    cost: Cost | None = Field(description=COST)
    known_cost: Cost | None = Field(description=KNOWN_COST)
    total_tokens: int | None = Field(description="null if the tokens of any run are unknown.")
    median_seconds: float | None = Field(description=SECONDS)
    p95_seconds: float | None = Field(description=f"95th percentile. {SECONDS}")


class InsightBucket(ApiModel):
    """The runs created in one bucket of the period, by their current state."""

    at: datetime = Field(description="Start of the bucket.")
    completed: int
    failed: int
    stopped: int
    crashed: int
    active: int = Field(description=ACTIVE)
    active_elsewhere: int = Field(description=ELSEWHERE)
    cost: Cost | None = Field(description=COST)
    known_cost: Cost | None = Field(description=KNOWN_COST)
    total_tokens: int | None


class WorkflowInsight(ApiModel):
    """The period's runs of one workflow. Runs without a saved workflow are grouped by workflow name."""

    workflow_id: str | None
    name: str = Field(description="The name in the newest run.")
    runs: int
    success_rate: float | None = Field(description=RATE)
    median_seconds: float | None = Field(description=SECONDS)
    cost: Cost | None = Field(description=COST)
    known_cost: Cost | None = Field(description=KNOWN_COST)


class Insights(ApiModel):
    """Statistics of the runs created in a period."""

    period: Period
    since: datetime
    until: datetime = Field(description="End of the last bucket, which contains the current time.")
    bucket_seconds: int
    totals: InsightTotals
    buckets: list[InsightBucket] = Field(description="Oldest first, without gaps.")
    workflows: list[WorkflowInsight] = Field(description="The 20 with the most runs, in descending order.")


class LastRun(ApiModel):
    """A workflow's newest run."""

    id: str
    status: RunState
    created_at: datetime
    finished_at: datetime | None


class RecentRun(ApiModel):
    id: str
    status: RunState
    seconds: float | None = Field(description="Run time without waiting; null until the run has finished.")


class WorkflowSummary(WorkflowEntry):
    """A workflow in a list."""

    last_run: LastRun | None = Field(
        description="null before the first run, or without the scope to read runs."
    )
    recent_runs: list[RecentRun] = Field(description="The newest 12, oldest first.")


class WorkflowPage(ApiModel):
    workflows: list[WorkflowSummary]
    next_cursor: str | None
