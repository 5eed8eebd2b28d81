"""Sums over runs, made by the database from an index alone. Every read is of one workspace."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, case, func, literal, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run import FINAL_STATES, RunState
from crewai_runner.features.insights.rules import Figures, Window

SAMPLE = 10_000
"""Completed runs whose times are looked at: sorting more would take longer than a page may."""

NAMED = "="
"""Stands before the name, in the key of a workflow that is not saved; a saved one's key is its id."""

_ACTIVE = sorted(set(RunState) - FINAL_STATES)
_RUNS = RunRow.__table__.c
# One text, not two columns: sorting by it is what takes the time.
_KEY = func.coalesce(_RUNS.workflow_id, literal(NAMED) + _RUNS.workflow_name).label("key")
_COLUMNS = (_RUNS.state, _RUNS.total_tokens, _RUNS.cost_amount, _RUNS.cost_currency)


class InsightRepository:
    def __init__(self, session: AsyncSession, workspace_id: str) -> None:
        self._session, self._workspace_id = session, workspace_id

    async def finished_by_bucket(self, window: Window) -> dict[int, Figures]:
        """Finished runs by the number of their bucket."""
        # One stretch of the index for each bucket: no row is sorted.
        parts = [
            select(literal(number).label("bucket"), *_sums(_RUNS)).where(
                *self._finished(start, start + window.step)
            )
            for number, start in enumerate(window.starts)
        ]
        return await self._by_bucket(union_all(*parts))

    async def active_by_bucket(self, window: Window) -> dict[int, Figures]:
        """Runs that are not over, which are few, by the number of their bucket."""
        later = enumerate(window.starts[1:])
        number = case(*((_RUNS.created_at < end, at) for at, end in later), else_=window.count - 1)
        runs = select(number.label("bucket"), *_COLUMNS).where(*self._active(window)).subquery()
        return await self._by_bucket(select(runs.c.bucket, *_sums(runs.c)).group_by(runs.c.bucket))

    async def busiest(self, window: Window, limit: int) -> dict[str, Figures]:
        """Keys and figures of the workflows with the most runs, most first."""
        finished = self._by_key(self._finished(window.since, window.until))
        parts = union_all(finished, self._by_key(self._active(window))).subquery().c
        query = (
            select(parts.key, *_together(parts))
            .group_by(parts.key)
            .order_by(func.sum(parts.runs).desc(), parts.key)
            .limit(limit)
        )
        return {row.key: _figures(row) for row in await self._session.execute(query)}

    async def seconds(self, window: Window) -> tuple[float, float] | None:
        """(median, 95th percentile) of the time that completed runs were at work."""
        sample = self._sample(window)
        rank, of = func.row_number().over(order_by=sample.c.seconds), func.count().over()
        ranked = select(sample.c.seconds, rank.label("rank"), of.label("of")).subquery()
        wanted = or_(ranked.c.rank == _half(ranked.c.of), ranked.c.rank == (ranked.c.of * 95 + 99) // 100)
        query = select(ranked.c.seconds).where(wanted).order_by(ranked.c.rank)
        found = (await self._session.scalars(query)).all()
        return (found[0], found[-1]) if found else None

    async def medians(self, window: Window, keys: Collection[str]) -> dict[str, float]:
        """The median time at work of each of these workflows that completed a run."""
        sample = self._sample(window)
        rank = func.row_number().over(partition_by=sample.c.key, order_by=sample.c.seconds)
        of = func.count().over(partition_by=sample.c.key)
        ranked = (
            select(sample.c.key, sample.c.seconds, rank.label("rank"), of.label("of"))
            .where(sample.c.key.in_(keys))
            .subquery()
        )
        query = select(ranked.c.key, ranked.c.seconds).where(ranked.c.rank == _half(ranked.c.of))
        return {row.key: row.seconds for row in await self._session.execute(query)}

    async def _by_bucket(self, query: Any) -> dict[int, Figures]:
        return {row.bucket: _figures(row) for row in await self._session.execute(query)}

    def _by_key(self, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
        return select(_KEY, func.count().label("runs"), *_sums(_RUNS)).where(*conditions).group_by(_KEY)

    def _sample(self, window: Window) -> Any:
        query: Select[Any] = select(_KEY, _RUNS.seconds_at_work.label("seconds"))
        completed = _RUNS.state == RunState.COMPLETED
        query = query.where(*self._finished(window.since, window.until), completed)
        return query.order_by(_RUNS.created_at.desc()).limit(SAMPLE).subquery()

    def _finished(self, since: datetime, until: datetime) -> Sequence[ColumnElement[bool]]:
        # The last condition is the index's own; without it the index would not be used.
        return *self._started(since, until), _RUNS.finished_at.is_not(None)

    def _active(self, window: Window) -> Sequence[ColumnElement[bool]]:
        return *self._started(window.since, window.until), _RUNS.state.in_(_ACTIVE)

    def _started(self, since: datetime, until: datetime) -> Sequence[ColumnElement[bool]]:
        mine = _RUNS.workspace_id == self._workspace_id
        return mine, _RUNS.created_at >= since, _RUNS.created_at < until


def _half(of: ColumnElement[int]) -> ColumnElement[int]:
    return (of + 1) // 2


_COUNTS = (*sorted(FINAL_STATES), "active", "tokens_unknown", "cost_unknown")
_SUMS = (*_COUNTS, "tokens", "cost", "first_currency", "last_currency")


def _sums(runs: Any) -> list[ColumnElement[Any]]:
    """Figures of the runs selected; `runs` are the columns they stand in."""
    some_tokens = or_(runs.total_tokens.is_(None), runs.total_tokens != 0)
    counted = {str(state): runs.state == state for state in sorted(FINAL_STATES)} | {
        "active": runs.state.in_(_ACTIVE),
        "tokens_unknown": runs.total_tokens.is_(None),
        # No tokens, no money: a run that never reached a model has no unknown cost.
        "cost_unknown": and_(runs.cost_amount.is_(None), some_tokens),
    }
    return [
        *(func.count().filter(condition).label(name) for name, condition in counted.items()),
        func.sum(runs.total_tokens).label("tokens"),
        func.sum(runs.cost_amount).label("cost"),
        func.min(runs.cost_currency).label("first_currency"),
        func.max(runs.cost_currency).label("last_currency"),
    ]


def _together(parts: Any) -> list[ColumnElement[Any]]:
    """Sums of sums."""
    bounds: dict[str, Any] = {"first_currency": func.min, "last_currency": func.max}
    return [bounds.get(name, func.sum)(parts[name]).label(name) for name in _SUMS]


def _figures(row: Row[Any]) -> Figures:
    counts = {name: int(getattr(row, name)) for name in _COUNTS}
    return Figures(
        **counts,
        tokens=int(row.tokens or 0),
        cost=row.cost,
        currencies=frozenset({row.first_currency, row.last_currency} - {None}),
    )
