"""Statistics over many runs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.clock import now
from crewai_runner.core.principal import Principal
from crewai_runner.db.session import Sessions, unit_of_work
from crewai_runner.db.snapshot_reader import SnapshotReader
from crewai_runner.features.insights.outcome_repository import OutcomeRepository
from crewai_runner.features.insights.outcomes import UNSAVED_PREFIX, build_outcome, fold
from crewai_runner.features.insights.repository import InsightRepository
from crewai_runner.features.insights.rules import (
    Durations,
    Period,
    RunAggregate,
    TimeWindow,
    sum_aggregates,
    summarize_durations,
)
from crewai_runner.features.insights.schemas import (
    InsightBucket,
    Insights,
    InsightTotals,
    WorkflowInsight,
)

MAX_WORKFLOWS = 20
BATCH = 5_000
"""Entries folded in one transaction: it must not delay other writers for long."""


class InsightService:
    def __init__(self, reader: SnapshotReader) -> None:
        self._reader = reader

    async def get(self, principal: Principal, period: Period) -> Insights:
        """Aggregate the runs created in a period that ends now."""
        window = TimeWindow.ending_at(period, now())
        return await self._reader.run(
            lambda connection: _read_insights(
                InsightRepository(connection, principal.workspace_id), period, window
            )
        )


def _read_insights(repository: InsightRepository, period: Period, window: TimeWindow) -> Insights:
    finished = repository.sum_finished_by_bucket(window)
    active = repository.sum_active_by_bucket(window)
    buckets = [
        sum_aggregates(by_bucket[index] for by_bucket in (finished, active) if index in by_bucket)
        for index in range(window.count)
    ]
    durations = summarize_durations(repository.list_durations(window))
    return Insights(
        period=period,
        since=window.since,
        until=window.until,
        bucket_seconds=int(window.step.total_seconds()),
        totals=_to_totals(sum_aggregates(buckets), durations),
        buckets=[
            InsightBucket(at=start, **_shared_fields(bucket))
            for start, bucket in zip(window.starts, buckets, strict=True)
        ],
        workflows=_list_workflows(repository, window, durations.medians),
    )


def _list_workflows(
    repository: InsightRepository, window: TimeWindow, medians: Mapping[str, float]
) -> list[WorkflowInsight]:
    busiest = repository.list_busiest_workflows(window, MAX_WORKFLOWS)
    names = repository.list_newest_names([key for key in busiest if not key.startswith(UNSAVED_PREFIX)])
    return [_to_workflow_insight(key, runs, medians.get(key), names) for key, runs in busiest.items()]


class OutcomeTotals:
    """Several processes may fold and rebuild at once: they wait for each other."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def fold(self) -> int:
        """Move all entries into the totals; returns how many there were."""
        folded = 0
        while moved := await self._fold_batch():
            folded += moved
            if moved < BATCH:
                break
        return folded

    async def rebuild(self) -> int:
        """Compute the totals again from the runs in one transaction; returns the number of finished runs.

        Runs may end meanwhile: what a transaction sees of a run and of its entry is the same.
        """
        runs, after = 0, ""
        async with unit_of_work(self._sessions) as session:
            await _begin_snapshot(session)
            repository = OutcomeRepository(session)
            await repository.lock()
            await repository.delete_all()
            while rows := await repository.list_finished(after, BATCH):
                await repository.add_to_totals(fold(build_outcome(row) for row in rows))
                runs, after = runs + len(rows), rows[-1].id
        return runs

    async def _fold_batch(self) -> int:
        async with unit_of_work(self._sessions) as session:
            repository = OutcomeRepository(session)
            await repository.lock()
            entries = await repository.take_entries(BATCH)
            await repository.add_to_totals(fold(entries))
        return len(entries)


async def _begin_snapshot(session: AsyncSession) -> None:
    """Let all queries of the transaction see one moment, as on SQLite they do."""
    if session.get_bind().dialect.name == "postgresql":
        options: dict[str, Any] = {"isolation_level": "REPEATABLE READ"}
        await session.connection(execution_options=options)


def _to_totals(runs: RunAggregate, durations: Durations) -> InsightTotals:
    return InsightTotals(
        runs=runs.runs,
        success_rate=runs.success_rate,
        median_seconds=durations.median,
        p95_seconds=durations.p95,
        **_shared_fields(runs),
    )


def _shared_fields(runs: RunAggregate) -> dict[str, object]:
    """Return the fields that a bucket and the totals have in common."""
    counts = ("completed", "failed", "stopped", "crashed", "active", "active_elsewhere")
    names = (*counts, "known_cost", "total_tokens")
    return {name: getattr(runs, name) for name in names} | {"cost": runs.exact_cost}


def _to_workflow_insight(
    key: str,
    runs: RunAggregate,
    median_seconds: float | None,
    names: Mapping[str, str],
) -> WorkflowInsight:
    is_saved = not key.startswith(UNSAVED_PREFIX)
    return WorkflowInsight(
        workflow_id=key if is_saved else None,
        name=names.get(key, key) if is_saved else key.removeprefix(UNSAVED_PREFIX),
        runs=runs.runs,
        success_rate=runs.success_rate,
        median_seconds=median_seconds,
        cost=runs.exact_cost,
        known_cost=runs.known_cost,
    )
