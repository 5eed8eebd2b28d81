"""Queries with which the event writer stores the progress of running attempts."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.runs import LlmCallRow, RunRow, RunTaskRow
from crewai_runner.domain.run import ACTIVE_STATES
from crewai_runner.features.runs.schemas import SelectedRow


class RunProgressRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock_many(self, run_ids: Sequence[str]) -> Sequence[SelectedRow]:
        """Lock runs in the order of their ids and return the columns the event writer needs."""
        query = (
            select(
                RunRow.id,
                RunRow.state,
                RunRow.fencing_token,
                RunRow.attempt,
                RunRow.last_seq,
                RunRow.attempt_events,
                RunRow.active_seconds,
                RunRow.prompt_tokens,
                RunRow.completion_tokens,
                RunRow.cached_tokens,
                RunRow.total_tokens,
                RunRow.llm_calls,
                RunRow.tool_calls,
                RunRow.cost_amount,
                RunRow.cost_currency,
                RunRow.calls_without_usage,
                RunRow.calls_without_cost,
            )
            .where(RunRow.id.in_(run_ids))
            .order_by(RunRow.id)
            .with_for_update()
        )
        rows: Sequence[SelectedRow] = (await self._session.execute(query)).all()
        return rows

    async def update_counters(self, rows: list[dict[str, Any]]) -> None:
        """Set the counters of many runs; each row has `id` and the columns to set."""
        await self._session.execute(update(RunRow), rows)

    async def set_active_seconds(self, rows: list[dict[str, Any]]) -> None:
        """Raise the active time of running attempts; each row has `run`, `token` and `seconds`."""
        statement = (
            update(RunRow)
            .where(RunRow.id == bindparam("run"), RunRow.fencing_token == bindparam("token"))
            .where(RunRow.state.in_(ACTIVE_STATES), RunRow.active_seconds < bindparam("seconds"))
            .values(active_seconds=bindparam("seconds"))
        )
        await (await self._session.connection()).execute(statement, rows)

    async def update_task(self, columns: dict[str, Any]) -> None:
        """Set the columns of one task; `columns` includes its `run_id` and `key`."""
        await self._session.execute(update(RunTaskRow), [columns])

    async def add_calls(self, rows: list[dict[str, Any]]) -> None:
        await self._session.execute(insert(LlmCallRow), rows)
