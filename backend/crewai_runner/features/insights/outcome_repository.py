"""Folds the entries of ended runs into totals, and rebuilds them from the runs."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, select, text
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.base import table_of
from crewai_runner.db.tables.run_outcomes import RunOutcomeRow, RunOutcomeTotalRow
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.domain.run import FINAL_STATES
from crewai_runner.features.insights.outcomes import COUNTS, Outcome, OutcomeKey

_ENTRIES, _TOTALS, _RUNS = table_of(RunOutcomeRow), table_of(RunOutcomeTotalRow), table_of(RunRow)
_ENTRY_COLUMNS = [_ENTRIES.c[name] for name in ("workspace_id", "workflow_key", "at", "currency", *COUNTS)]
_LOCK = text("LOCK TABLE run_outcome_totals IN EXCLUSIVE MODE")


class OutcomeRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self) -> None:
        """Wait for other folds and rebuilds, before the first query; readers and writers of runs continue."""
        if self._session.get_bind().dialect.name == "postgresql":
            await self._session.execute(_LOCK)

    async def take_entries(self, limit: int) -> list[Outcome]:
        """Delete entries, in any order, and return them."""
        some = select(_ENTRIES.c.id).limit(limit)
        statement = delete(_ENTRIES).where(_ENTRIES.c.id.in_(some)).returning(*_ENTRY_COLUMNS)
        return [
            Outcome(workspace_id, key, at, currency, tuple(counts))
            for workspace_id, key, at, currency, *counts in await self._session.execute(statement)
        ]

    async def add_to_totals(self, sums: Sequence[tuple[OutcomeKey, Sequence[int]]]) -> None:
        """Add to the totals; rows that become zero are deleted."""
        if not sums:
            return
        rows = [{**key._asdict(), **dict(zip(COUNTS, counts, strict=True))} for key, counts in sums]
        is_postgresql = self._session.get_bind().dialect.name == "postgresql"
        build: Any = postgresql_insert if is_postgresql else sqlite_insert
        statement = build(_TOTALS)
        added = {name: _TOTALS.c[name] + statement.excluded[name] for name in COUNTS}
        upsert = statement.on_conflict_do_update(index_elements=list(OutcomeKey._fields), set_=added)
        await self._session.execute(upsert, rows)
        is_zero = [_TOTALS.c[state] == 0 for state in sorted(FINAL_STATES)]
        touched = _TOTALS.c.at.in_({key.at for key, _ in sums})
        await self._session.execute(
            delete(_TOTALS).where(
                _TOTALS.c.workspace_id.in_({key.workspace_id for key, _ in sums}), touched, *is_zero
            )
        )

    async def delete_all(self) -> None:
        await self._session.execute(delete(_ENTRIES))
        await self._session.execute(delete(_TOTALS))

    async def list_finished(self, after: str, limit: int) -> Sequence[Any]:
        """Return what counts of the finished runs with an id above `after`, of every workspace."""
        query = (
            select(
                _RUNS.c.id,
                _RUNS.c.workspace_id,
                _RUNS.c.workflow_id,
                _RUNS.c.workflow_name,
                _RUNS.c.created_at,
                _RUNS.c.state,
                _RUNS.c.total_tokens,
                _RUNS.c.cost_amount,
                _RUNS.c.cost_currency,
                _RUNS.c.calls_without_usage,
                _RUNS.c.calls_without_cost,
            )
            .where(_RUNS.c.id > after, _RUNS.c.finished_at.is_not(None), _RUNS.c.state.in_(FINAL_STATES))
            .order_by(_RUNS.c.id)
            .limit(limit)
        )
        return (await self._session.execute(query)).all()


def has_entries(connection: Connection) -> bool:
    """Return whether there is anything to fold."""
    return bool(connection.execute(select(exists(select(_ENTRIES.c.id)))).scalar())
