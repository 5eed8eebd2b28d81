"""Figures over many runs, and workflows with their newest runs."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.logging import SecretMask
from crewai_runner.core.principal import Principal, Scope
from crewai_runner.features.insights.repository import NAMED, InsightRepository
from crewai_runner.features.insights.rules import Figures, Period, Window, added
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

WORKFLOWS = 20
RECENT = 12
_COUNTS = ("completed", "failed", "stopped", "crashed", "active")


class InsightService:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def of(self, principal: Principal, period: Period) -> Insights:
        """What became of the runs that were started in a period."""
        window = Window.of(period, now())
        figures = InsightRepository(self._session, principal.workspace_id)
        finished, active = await figures.finished_by_bucket(window), await figures.active_by_bucket(window)
        buckets = [
            added(part[number] for part in (finished, active) if number in part)
            for number in range(window.count)
        ]
        return Insights(
            period=period,
            since=window.since,
            until=window.until,
            bucket_seconds=int(window.step.total_seconds()),
            totals=_totals(added(buckets), await figures.seconds(window)),
            buckets=[
                InsightBucket(at=at, **_part(part)) for at, part in zip(window.starts, buckets, strict=True)
            ],
            workflows=await self._workflows(principal, figures, window),
        )

    async def _workflows(
        self, principal: Principal, figures: InsightRepository, window: Window
    ) -> list[WorkflowInsight]:
        busiest = await figures.busiest(window, WORKFLOWS)
        medians = await figures.medians(window, busiest)
        saved = [key for key in busiest if not key.startswith(NAMED)]
        newest = await RunService(self._session).list_newest_by_workflow(principal, saved, 1)
        return [_workflow(key, part, medians, newest) for key, part in busiest.items()]


class WorkflowOverview:
    """The list of workflows: what is saved, beside what came of it."""

    def __init__(self, session: AsyncSession, mask: SecretMask) -> None:
        self._workflows, self._runs = WorkflowService(session, mask), RunService(session)

    async def page(
        self, principal: Principal, text: str | None, sort: WorkflowSort, limit: int, cursor: str | None
    ) -> WorkflowPage:
        """One page. Raises BadRequest for a foreign cursor."""
        found = await self._workflows.page(principal, text, sort, limit, cursor)
        ids = [entry.id for entry in found.workflows] if principal.has_scope(Scope.RUNS_READ) else []
        newest = await self._runs.list_newest_by_workflow(principal, ids, RECENT)
        workflows = [_summary(entry, newest.get(entry.id, [])) for entry in found.workflows]
        return WorkflowPage(workflows=workflows, next_cursor=found.next_cursor)


def _totals(figures: Figures, seconds: tuple[float, float] | None) -> InsightTotals:
    median, p95 = seconds or (None, None)
    return InsightTotals(
        runs=figures.runs,
        success_rate=figures.success_rate,
        median_seconds=median,
        p95_seconds=p95,
        **_part(figures),
    )


def _part(figures: Figures) -> dict[str, object]:
    counts = {name: getattr(figures, name) for name in _COUNTS}
    money = {"cost": figures.exact_cost, "known_cost": figures.known_cost}
    return counts | money | {"total_tokens": figures.total_tokens}


def _workflow(
    key: str,
    figures: Figures,
    medians: Mapping[str, float],
    newest: Mapping[str, Sequence[RunBrief]],
) -> WorkflowInsight:
    named = key.startswith(NAMED)
    return WorkflowInsight(
        workflow_id=None if named else key,
        name=key.removeprefix(NAMED) if named else newest[key][0].workflow_name,
        runs=figures.runs,
        success_rate=figures.success_rate,
        median_seconds=medians.get(key),
        cost=figures.exact_cost,
        known_cost=figures.known_cost,
    )


def _summary(entry: WorkflowEntry, newest: Sequence[RunBrief]) -> WorkflowSummary:
    recent = [RecentRun(id=run.id, status=run.status, seconds=run.seconds) for run in reversed(newest)]
    return WorkflowSummary(
        **entry.model_dump(by_alias=False),
        last_run=_last(newest[0]) if newest else None,
        recent_runs=recent,
    )


def _last(run: RunBrief) -> LastRun:
    return LastRun(id=run.id, status=run.status, created_at=run.created_at, finished_at=run.finished_at)
