"""Statistics over many runs, and the list of workflows with their newest runs."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.features.insights.repository import UNSAVED_PREFIX, InsightRepository
from crewai_runner.features.insights.rules import Period, RunAggregate, TimeWindow, sum_aggregates
from crewai_runner.features.insights.schemas import (
    InsightBucket,
    Insights,
    InsightTotals,
    LastRun,
    RecentRun,
    WorkflowInsight,
    WorkflowPage,
    WorkflowSummary,
)
from crewai_runner.features.runs.schemas import RunBrief
from crewai_runner.features.runs.service import RunService
from crewai_runner.features.workflows.schemas import WorkflowEntry, WorkflowSort
from crewai_runner.features.workflows.service import WorkflowService

MAX_WORKFLOWS = 20
MAX_RECENT_RUNS = 12


class InsightService:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, principal: Principal, period: Period) -> Insights:
        """Aggregate the runs created in a period that ends now."""
        window = TimeWindow.ending_at(period, now())
        repository = InsightRepository(self._session, principal.workspace_id)
        finished = await repository.sum_finished_by_bucket(window)
        active = await repository.sum_active_by_bucket(window)
        buckets = [
            sum_aggregates(by_bucket[index] for by_bucket in (finished, active) if index in by_bucket)
            for index in range(window.count)
        ]
        return Insights(
            period=period,
            since=window.since,
            until=window.until,
            bucket_seconds=int(window.step.total_seconds()),
            totals=_to_totals(sum_aggregates(buckets), await repository.get_durations(window)),
            buckets=[
                InsightBucket(at=start, **_shared_fields(bucket))
                for start, bucket in zip(window.starts, buckets, strict=True)
            ],
            workflows=await self._list_workflows(principal, repository, window),
        )

    async def _list_workflows(
        self, principal: Principal, repository: InsightRepository, window: TimeWindow
    ) -> list[WorkflowInsight]:
        busiest = await repository.list_busiest_workflows(window, MAX_WORKFLOWS)
        medians = await repository.get_median_durations(window, busiest)
        saved_ids = [key for key in busiest if not key.startswith(UNSAVED_PREFIX)]
        newest = await RunService(self._session).list_newest_by_workflow(principal, saved_ids, 1)
        return [_to_workflow_insight(key, runs, medians.get(key), newest) for key, runs in busiest.items()]


class WorkflowListService:
    """Lists workflows together with their newest runs."""

    def __init__(self, session: AsyncSession, mask: SecretMask) -> None:
        self._workflows, self._runs = WorkflowService(session, mask), RunService(session)

    async def list_page(
        self, principal: Principal, text: str | None, sort: WorkflowSort, limit: int, cursor: str | None
    ) -> WorkflowPage:
        """Return one page, without runs if the principal may not read them.

        Raises BadRequest for an invalid cursor.
        """
        page = await self._workflows.list_page(principal, text, sort, limit, cursor)
        ids = [entry.id for entry in page.workflows] if principal.has_scope(Scope.RUNS_READ) else []
        newest = await self._runs.list_newest_by_workflow(principal, ids, MAX_RECENT_RUNS)
        workflows = [_to_workflow_summary(entry, newest.get(entry.id, [])) for entry in page.workflows]
        return WorkflowPage(workflows=workflows, next_cursor=page.next_cursor)


def _to_totals(runs: RunAggregate, durations: tuple[float, float] | None) -> InsightTotals:
    median, p95 = durations or (None, None)
    return InsightTotals(
        runs=runs.runs,
        success_rate=runs.success_rate,
        median_seconds=median,
        p95_seconds=p95,
        **_shared_fields(runs),
    )


def _shared_fields(runs: RunAggregate) -> dict[str, object]:
    """Return the fields that a bucket and the totals have in common."""
    names = ("completed", "failed", "stopped", "crashed", "active", "known_cost", "total_tokens")
    return {name: getattr(runs, name) for name in names} | {"cost": runs.exact_cost}


def _to_workflow_insight(
    key: str,
    runs: RunAggregate,
    median_seconds: float | None,
    newest: Mapping[str, Sequence[RunBrief]],
) -> WorkflowInsight:
    is_saved = not key.startswith(UNSAVED_PREFIX)
    return WorkflowInsight(
        workflow_id=key if is_saved else None,
        name=newest[key][0].workflow_name if is_saved else key.removeprefix(UNSAVED_PREFIX),
        runs=runs.runs,
        success_rate=runs.success_rate,
        median_seconds=median_seconds,
        cost=runs.exact_cost,
        known_cost=runs.known_cost,
    )


def _to_workflow_summary(entry: WorkflowEntry, newest: Sequence[RunBrief]) -> WorkflowSummary:
    last_run = None
    if newest:
        last = newest[0]
        last_run = LastRun(
            id=last.id, status=last.status, created_at=last.created_at, finished_at=last.finished_at
        )
    return WorkflowSummary(
        **entry.model_dump(by_alias=False),
        last_run=last_run,
        recent_runs=[
            RecentRun(id=run.id, status=run.status, seconds=run.seconds) for run in reversed(newest)
        ],
    )
