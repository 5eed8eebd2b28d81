"""Counts over the runs of every workspace; nothing of any one run leaves here."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.runs import RunRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.domain.run import FINAL_STATES, RunState

_UNFINISHED = sorted(set(RunState) - FINAL_STATES)


@dataclass(frozen=True, slots=True)
class UnfinishedRuns:
    """How many runs have not ended: those here by state, 0 where there is none, and those elsewhere."""

    by_state: Mapping[str, int]
    elsewhere: int


class MetricsRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def count_unfinished(self) -> UnfinishedRuns:
        # By workspace, because the index of unfinished runs begins with it.
        here = RunRow.execution_uuid.is_(None)
        query = (
            select(RunRow.state, func.count().filter(here), func.count().filter(~here))
            .select_from(WorkspaceRow)
            .join(RunRow, RunRow.workspace_id == WorkspaceRow.id)
            .where(RunRow.finished_at.is_(None), RunRow.state.in_(_UNFINISHED))
            .group_by(RunRow.state)
        )
        by_state, elsewhere = {state.value: 0 for state in _UNFINISHED}, 0
        for state, count_here, count_elsewhere in await self._session.execute(query):
            by_state[state] = count_here
            elsewhere += count_elsewhere
        return UnfinishedRuns(by_state, elsewhere)
