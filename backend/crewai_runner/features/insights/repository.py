"""Aggregate queries over the runs of one workspace. Each reads only an index, not the table."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run import FINAL_STATES, RunState
from crewai_runner.features.insights.rules import RunAggregate, TimeWindow

DURATION_SAMPLE_SIZE = 10_000
"""Durations are based on at most this many of the newest completed runs; more would be too slow."""

UNSAVED_PREFIX = "="
"""The key of a workflow is its id if it is saved, otherwise this prefix and its name."""

_ACTIVE_STATES = sorted(set(RunState) - FINAL_STATES)
_RUNS = RunRow.__table__.c
# One expression instead of two columns: sorting by the key takes most of the query time.
_WORKFLOW_KEY = func.coalesce(_RUNS.workflow_id, literal(UNSAVED_PREFIX) + _RUNS.workflow_name).label("key")
_AGGREGATED_COLUMNS = (
    _RUNS.state,
    _RUNS.total_tokens,
    _RUNS.cost_amount,
    _RUNS.cost_currency,
    _RUNS.calls_without_usage,
    _RUNS.calls_without_cost,
)
_COUNTS = (*sorted(FINAL_STATES), "active", "runs_with_unknown_tokens", "runs_with_unknown_cost")
_SUMS = (*_COUNTS, "token_sum", "cost_sum", "first_currency", "last_currency")


class InsightRepository:
    def __init__(self, session: AsyncSession, workspace_id: str) -> None:
        self._session, self._workspace_id = session, workspace_id

    async def sum_finished_by_bucket(self, window: TimeWindow) -> dict[int, RunAggregate]:
        """Aggregate finished runs by bucket index."""
        # One index range per bucket, so that no rows are sorted.
        parts = [
            select(literal(index).label("bucket"), *_sum_columns(_RUNS)).where(
                *self._finished(start, start + window.step)
            )
            for index, start in enumerate(window.starts)
        ]
        return await self._fetch_by_bucket(union_all(*parts))

    async def sum_active_by_bucket(self, window: TimeWindow) -> dict[int, RunAggregate]:
        """Aggregate active runs by bucket index; there are only a few of them."""
        ends = enumerate(window.starts[1:])
        bucket = case(*((_RUNS.created_at < end, index) for index, end in ends), else_=window.count - 1)
        runs = select(bucket.label("bucket"), *_AGGREGATED_COLUMNS).where(*self._active(window)).subquery()
        return await self._fetch_by_bucket(
            select(runs.c.bucket, *_sum_columns(runs.c)).group_by(runs.c.bucket)
        )

    async def list_busiest_workflows(self, window: TimeWindow, limit: int) -> dict[str, RunAggregate]:
        """Aggregate runs by workflow key, for the workflows with the most runs in descending order."""
        finished = self._group_by_workflow(self._finished(window.since, window.until))
        parts = union_all(finished, self._group_by_workflow(self._active(window))).subquery().c
        query = (
            select(parts.key, *_sum_partial_sums(parts))
            .group_by(parts.key)
            .order_by(func.sum(parts.runs).desc(), parts.key)
            .limit(limit)
        )
        return {row.key: _to_aggregate(row) for row in await self._session.execute(query)}

    async def get_durations(self, window: TimeWindow) -> tuple[float, float] | None:
        """Return (median, 95th percentile) of the completed runs' durations in seconds."""
        sample = self._duration_sample(window)
        rank, total = func.row_number().over(order_by=sample.c.seconds), func.count().over()
        ranked = select(sample.c.seconds, rank.label("rank"), total.label("total")).subquery()
        is_wanted = or_(
            ranked.c.rank == _median_rank(ranked.c.total),
            ranked.c.rank == (ranked.c.total * 95 + 99) // 100,
        )
        query = select(ranked.c.seconds).where(is_wanted).order_by(ranked.c.rank)
        seconds = (await self._session.scalars(query)).all()
        return (seconds[0], seconds[-1]) if seconds else None

    async def get_median_durations(
        self, window: TimeWindow, workflow_keys: Collection[str]
    ) -> dict[str, float]:
        """Return the median duration in seconds of each workflow that completed a run."""
        sample = self._duration_sample(window)
        rank = func.row_number().over(partition_by=sample.c.key, order_by=sample.c.seconds)
        total = func.count().over(partition_by=sample.c.key)
        ranked = (
            select(sample.c.key, sample.c.seconds, rank.label("rank"), total.label("total"))
            .where(sample.c.key.in_(workflow_keys))
            .subquery()
        )
        query = select(ranked.c.key, ranked.c.seconds).where(ranked.c.rank == _median_rank(ranked.c.total))
        return {row.key: row.seconds for row in await self._session.execute(query)}

    async def _fetch_by_bucket(self, query: Any) -> dict[int, RunAggregate]:
        return {row.bucket: _to_aggregate(row) for row in await self._session.execute(query)}

    def _group_by_workflow(self, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
        columns = (_WORKFLOW_KEY, func.count().label("runs"), *_sum_columns(_RUNS))
        return select(*columns).where(*conditions).group_by(_WORKFLOW_KEY)

    def _duration_sample(self, window: TimeWindow) -> Any:
        query: Select[Any] = select(_WORKFLOW_KEY, _RUNS.seconds_at_work.label("seconds"))
        is_completed = _RUNS.state == RunState.COMPLETED
        query = query.where(*self._finished(window.since, window.until), is_completed)
        return query.order_by(_RUNS.created_at.desc()).limit(DURATION_SAMPLE_SIZE).subquery()

    def _finished(self, since: datetime, until: datetime) -> Sequence[ColumnElement[bool]]:
        # The last condition matches the partial index; without it, the index is not used.
        return *self._created_between(since, until), _RUNS.finished_at.is_not(None)

    def _active(self, window: TimeWindow) -> Sequence[ColumnElement[bool]]:
        return *self._created_between(window.since, window.until), _RUNS.state.in_(_ACTIVE_STATES)

    def _created_between(self, since: datetime, until: datetime) -> Sequence[ColumnElement[bool]]:
        in_workspace = _RUNS.workspace_id == self._workspace_id
        return in_workspace, _RUNS.created_at >= since, _RUNS.created_at < until


def _median_rank(count: ColumnElement[int]) -> ColumnElement[int]:
    return (count + 1) // 2


def _sum_columns(runs: Any) -> list[ColumnElement[Any]]:
    """Return the aggregate expressions over `runs`, the columns of a table or subquery."""
    has_tokens = or_(runs.total_tokens.is_(None), runs.total_tokens != 0)
    conditions = {str(state): runs.state == state for state in sorted(FINAL_STATES)} | {
        "active": runs.state.in_(_ACTIVE_STATES),
        "runs_with_unknown_tokens": or_(runs.total_tokens.is_(None), runs.calls_without_usage > 0),
        # A run without tokens has no cost, so its cost is not unknown.
        "runs_with_unknown_cost": or_(
            and_(runs.cost_amount.is_(None), has_tokens), runs.calls_without_cost > 0
        ),
    }
    return [
        *(func.count().filter(condition).label(name) for name, condition in conditions.items()),
        func.sum(runs.total_tokens).label("token_sum"),
        func.sum(runs.cost_amount).label("cost_sum"),
        func.min(runs.cost_currency).label("first_currency"),
        func.max(runs.cost_currency).label("last_currency"),
    ]


def _sum_partial_sums(parts: Any) -> list[ColumnElement[Any]]:
    functions: dict[str, Any] = {"first_currency": func.min, "last_currency": func.max}
    return [functions.get(name, func.sum)(parts[name]).label(name) for name in _SUMS]


def _to_aggregate(row: Row[*tuple[Any, ...]]) -> RunAggregate:
    counts = {name: int(getattr(row, name)) for name in _COUNTS}
    return RunAggregate(
        **counts,
        token_sum=int(row.token_sum or 0),
        cost_sum=row.cost_sum,
        currencies=frozenset({row.first_currency, row.last_currency} - {None}),
    )
