"""Counts over the runs of every workspace; nothing of any one run leaves here."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.db.tables.runs import RunRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.domain.run import FINAL_STATES, RunState

_UNFINISHED = sorted(set(RunState) - FINAL_STATES)


class MetricsRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def unfinished(self) -> dict[str, int]:
        """How many runs are in each state that is not final; states without a run are 0."""
        # By workspace, because the index of unfinished runs begins with it.
        query = (
            select(RunRow.state, func.count())
            .select_from(WorkspaceRow)
            .join(RunRow, RunRow.workspace_id == WorkspaceRow.id)
            .where(RunRow.finished_at.is_(None), RunRow.state.in_(_UNFINISHED))
            .group_by(RunRow.state)
        )
        counts = {state.value: 0 for state in _UNFINISHED}
        return counts | {row.state: row[1] for row in await self._session.execute(query)}
