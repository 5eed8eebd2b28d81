"""Aggregate queries over the runs of one workspace, on a connection of the snapshot reader.

Finished runs are read from totals, active ones, of which there are few, from an index of their own.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from pydantic_core import from_json
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Text,
    TextualSelect,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
)

from crewai_runner.db.base import table_of
from crewai_runner.db.tables.run_outcomes import OutcomeKind, RunOutcomeRow, RunOutcomeTotalRow
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run import FINAL_STATES, RunState
from crewai_runner.features.insights.outcomes import (
    COUNTS,
    DAY,
    STATES,
    UNSAVED_PREFIX,
    to_aggregate,
)
from crewai_runner.features.insights.rules import EPOCH, RunAggregate, TimeWindow, start_of, sum_aggregates

DURATION_SAMPLE_SIZE = 10_000
"""Durations are based on at most this many of the newest completed runs; more would be too slow."""

_ACTIVE_STATES = sorted(set(RunState) - FINAL_STATES)
_RUNS = table_of(RunRow).c
_ENTRIES, _TOTALS = table_of(RunOutcomeRow).c, table_of(RunOutcomeTotalRow).c
_WORKFLOW_KEY = func.coalesce(_RUNS.workflow_id, literal(UNSAVED_PREFIX) + _RUNS.workflow_name)
_ACTIVE_COLUMNS = (
    _RUNS.execution_uuid,
    _RUNS.total_tokens,
    _RUNS.cost_amount,
    _RUNS.cost_currency,
    _RUNS.calls_without_usage,
    _RUNS.calls_without_cost,
)


class InsightRepository:
    def __init__(self, connection: Connection, workspace_id: str) -> None:
        self._connection, self._workspace_id = connection, workspace_id

    def sum_finished_by_bucket(self, window: TimeWindow) -> dict[int, RunAggregate]:
        """Aggregate finished runs by bucket index."""
        totals = self._select_totals(OutcomeKind.QUARTER, window.since, window.until)
        parts = union_all(totals, self._select_entries(window)).subquery().c
        bucket = self._find_bucket(parts.at, window)
        query = select(bucket, parts.currency, *_sum_counts(parts)).group_by(bucket, parts.currency)
        return _combine(self._connection.execute(query))

    def sum_active_by_bucket(self, window: TimeWindow) -> dict[int, RunAggregate]:
        """Aggregate active runs by bucket index."""
        bucket = self._find_bucket(_RUNS.created_at, window).label("bucket")
        runs = select(bucket, *_ACTIVE_COLUMNS).where(*self._active(window)).subquery().c
        query = select(runs.bucket, *_sum_active(runs)).group_by(runs.bucket)
        return {row[0]: _to_active_aggregate(row[1:]) for row in self._connection.execute(query)}

    def list_busiest_workflows(self, window: TimeWindow, limit: int) -> dict[str, RunAggregate]:
        """Aggregate runs by workflow key, for the workflows with the most runs in descending order."""
        keys = self._list_busiest_keys(window, limit)
        parts = self._select_by_workflow(window)
        finished = _combine(
            self._connection.execute(
                select(parts.workflow_key, parts.currency, *_sum_counts(parts))
                .where(parts.workflow_key.in_(keys))
                .group_by(parts.workflow_key, parts.currency)
            )
        )
        query = (
            select(_WORKFLOW_KEY, *_sum_active(_RUNS)).where(*self._active(window)).group_by(_WORKFLOW_KEY)
        )
        active = {row[0]: _to_active_aggregate(row[1:]) for row in self._connection.execute(query)}
        return {
            key: sum_aggregates(found[key] for found in (finished, active) if key in found) for key in keys
        }

    def list_durations(self, window: TimeWindow) -> dict[str, list[float]]:
        """Return the seconds of the newest completed runs by workflow key, in no particular order."""
        newest = (
            select(_WORKFLOW_KEY.label("key"), _RUNS.seconds_at_work)
            .where(
                *self._created_in(window),
                # This condition matches the partial index; without it, the index is not used.
                _RUNS.finished_at.is_not(None),
                _RUNS.state == RunState.COMPLETED,
            )
            .order_by(_RUNS.created_at.desc())
            .limit(DURATION_SAMPLE_SIZE)
            .subquery()
            .c
        )
        query = select(newest.key, self._collect(newest.seconds_at_work)).group_by(newest.key)
        return {key: from_json(seconds) for key, seconds in self._connection.execute(query)}

    def list_newest_names(self, workflow_ids: Sequence[str]) -> Mapping[str, str]:
        """Return the name of each workflow in its newest run."""
        if not workflow_ids:
            return {}
        values = {"workspace_id": self._workspace_id}
        values |= {f"workflow_{number}": workflow_id for number, workflow_id in enumerate(workflow_ids)}
        rows = self._connection.execute(_select_newest_names(len(workflow_ids)), values)
        return {row.workflow_id: row.workflow_name for row in rows}

    def _find_bucket(self, moment: ColumnElement[datetime], window: TimeWindow) -> ColumnElement[int]:
        """Return the index of the bucket of a time in the window. A comparison with each bucket is slower."""
        is_sqlite = self._connection.dialect.name == "sqlite"
        epoch = func.strftime("%s", moment) if is_sqlite else func.floor(func.extract("epoch", moment))
        since, step = int(window.since.timestamp()), int(window.step.total_seconds())
        return (cast(epoch, BigInteger) - since) // step

    def _collect(self, seconds: ColumnElement[float]) -> ColumnElement[str]:
        """Return the JSON array of the values of a group: many rows take longer than their query."""
        if self._connection.dialect.name == "sqlite":
            # The array functions of SQLite round to 15 digits; 17 digits are exact.
            return literal("[") + func.group_concat(func.printf("%!.17g", seconds)) + "]"
        return cast(func.json_agg(seconds), Text)

    def _list_busiest_keys(self, window: TimeWindow, limit: int) -> Sequence[str]:
        parts = self._select_by_workflow(window)
        runs = sum((parts[state] for state in STATES[1:]), parts[STATES[0]])
        finished = select(parts.workflow_key.label("key"), func.sum(runs).label("runs"))
        active = select(_WORKFLOW_KEY.label("key"), func.count().label("runs"))
        both = union_all(
            finished.group_by(parts.workflow_key),
            active.where(*self._active(window)).group_by(_WORKFLOW_KEY),
        ).subquery()
        total = func.sum(both.c.runs)
        query = select(both.c.key).group_by(both.c.key).having(total > 0)
        return self._connection.scalars(query.order_by(total.desc(), both.c.key).limit(limit)).all()

    def _select_by_workflow(self, window: TimeWindow) -> Any:
        """Select the totals of days that the window contains, of quarters at its ends, and the entries."""
        first_day, last_day = window.since + (EPOCH - window.since) % DAY, start_of(DAY, window.until)
        if first_day >= last_day:
            first_day = last_day = window.until
        parts = union_all(
            self._select_totals(OutcomeKind.WORKFLOW_DAY, first_day, last_day),
            self._select_totals(OutcomeKind.WORKFLOW_QUARTER, window.since, first_day),
            self._select_totals(OutcomeKind.WORKFLOW_QUARTER, last_day, window.until),
            self._select_entries(window),
        )
        return parts.subquery().c

    def _select_totals(self, kind: OutcomeKind, since: datetime, until: datetime) -> Select[Any]:
        return select(_TOTALS.workflow_key, _TOTALS.at, _TOTALS.currency, *_pick_counts(_TOTALS)).where(
            _TOTALS.workspace_id == self._workspace_id,
            _TOTALS.kind == kind,
            _TOTALS.at >= since,
            _TOTALS.at < until,
        )

    def _select_entries(self, window: TimeWindow) -> Select[Any]:
        return select(_ENTRIES.workflow_key, _ENTRIES.at, _ENTRIES.currency, *_pick_counts(_ENTRIES)).where(
            _ENTRIES.workspace_id == self._workspace_id,
            _ENTRIES.at >= window.since,
            _ENTRIES.at < window.until,
        )

    def _active(self, window: TimeWindow) -> Sequence[ColumnElement[bool]]:
        # As in the index of unfinished runs: with the states alone the planner may scan the table.
        is_unfinished = (_RUNS.finished_at.is_(None), _RUNS.state.in_(_ACTIVE_STATES))
        return *self._created_in(window), *is_unfinished

    def _created_in(self, window: TimeWindow) -> Sequence[ColumnElement[bool]]:
        in_workspace = _RUNS.workspace_id == self._workspace_id
        return in_workspace, _RUNS.created_at >= window.since, _RUNS.created_at < window.until


def _pick_counts(columns: Any) -> list[ColumnElement[int]]:
    return [columns[name] for name in COUNTS]


def _sum_counts(columns: Any) -> list[ColumnElement[int]]:
    return [func.sum(columns[name]) for name in COUNTS]


@lru_cache(maxsize=32)
def _select_newest_names(count: int) -> TextualSelect:
    """Return the query of the newest runs of this many workflows, as a text, like that of their runs."""
    names = "workflow_id, workflow_name"
    queries = (
        f"SELECT * FROM (SELECT {names} FROM runs WHERE workspace_id = :workspace_id"  # noqa: S608  # constants
        f" AND workflow_id = :workflow_{number} ORDER BY id DESC LIMIT 1) AS newest_{number}"
        for number in range(count)
    )
    return text(" UNION ALL ".join(queries)).columns(_RUNS.workflow_id, _RUNS.workflow_name)


def _combine(rows: Any) -> dict[Any, RunAggregate]:
    """Return the aggregates by the first column; the second is the currency of the following sums."""
    by_key: dict[Any, list[RunAggregate]] = {}
    for key, currency, *counts in rows:
        by_key.setdefault(key, []).append(to_aggregate(currency, [int(count) for count in counts]))
    return {key: sum_aggregates(parts) for key, parts in by_key.items()}


def _sum_active(runs: Any) -> list[ColumnElement[Any]]:
    """Return the aggregate expressions over active runs, in the order of `_to_active_aggregate`."""
    has_tokens = or_(runs.total_tokens.is_(None), runs.total_tokens != 0)
    unknown_tokens = or_(runs.total_tokens.is_(None), runs.calls_without_usage > 0)
    # A run without tokens has no cost, so its cost is not unknown.
    unknown_cost = or_(and_(runs.cost_amount.is_(None), has_tokens), runs.calls_without_cost > 0)
    is_here = runs.execution_uuid.is_(None)
    return [
        func.count().filter(is_here),
        func.count().filter(~is_here),
        func.count().filter(unknown_tokens),
        func.count().filter(unknown_cost),
        func.sum(runs.total_tokens),
        func.sum(runs.cost_amount),
        func.min(runs.cost_currency),
        func.max(runs.cost_currency),
    ]


def _to_active_aggregate(row: Sequence[Any]) -> RunAggregate:
    active, elsewhere, unknown_tokens, unknown_cost, tokens, cost, first_currency, last_currency = row
    return RunAggregate(
        active=active,
        active_elsewhere=elsewhere,
        runs_with_unknown_tokens=unknown_tokens,
        runs_with_unknown_cost=unknown_cost,
        token_sum=int(tokens or 0),
        cost_sum=cost,
        currencies=frozenset({first_currency, last_currency} - {None}),
    )
