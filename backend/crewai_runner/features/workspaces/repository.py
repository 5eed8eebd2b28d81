"""Queries on workspaces: what their runs and projects store, and how many runs have not ended."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import BUILTIN_WORKSPACE
from crewai_runner.db.base import table_of
from crewai_runner.db.insert import insert_if_absent
from crewai_runner.db.tables.knowledge import KnowledgeFileRow
from crewai_runner.db.tables.people import MembershipRow
from crewai_runner.db.tables.projects import ProjectRow, ProjectVersionRow
from crewai_runner.db.tables.runs import RunRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.domain.run import FINAL_STATES, RunState

_RUNS = table_of(RunRow)
_UNFINISHED = sorted(set(RunState) - FINAL_STATES)
_COUNT_UNFINISHED = (
    select(_RUNS.c.state, func.count())
    .where(_RUNS.c.workspace_id == bindparam("workspace"), _RUNS.c.state.in_(_UNFINISHED))
    .group_by(_RUNS.c.state)
)
"""Built once: to build a statement costs as much as to execute it."""
_COUNT_ELSEWHERE = select(func.count()).where(
    _RUNS.c.workspace_id == bindparam("workspace"),
    _RUNS.c.state.in_(_UNFINISHED),
    _RUNS.c.execution_uuid.is_not(None),
)

_SUM_ARCHIVES = (
    select(ProjectRow.workspace_id, func.sum(ProjectVersionRow.archive_size))
    .join(ProjectVersionRow, ProjectVersionRow.project_id == ProjectRow.id)
    .group_by(ProjectRow.workspace_id)
)
_SUM_KNOWLEDGE = select(
    KnowledgeFileRow.workspace_id, func.sum(KnowledgeFileRow.size + KnowledgeFileRow.characters)
).group_by(KnowledgeFileRow.workspace_id)


class WorkspaceRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def ensure_builtin(self) -> None:
        row = {"id": BUILTIN_WORKSPACE, "name": "Default"}
        await self._session.execute(insert_if_absent(self._session, WorkspaceRow, row))

    async def get(self, workspace_id: str) -> WorkspaceRow:
        return await self._session.get_one(WorkspaceRow, workspace_id)

    async def find(self, workspace_id: str) -> WorkspaceRow | None:
        return await self._session.get(WorkspaceRow, workspace_id)

    async def list_all(self) -> Sequence[WorkspaceRow]:
        """Return the workspaces of the server in the order of their names."""
        return (await self._session.scalars(select(WorkspaceRow).order_by(WorkspaceRow.name))).all()

    async def find_by_name(self, name: str) -> WorkspaceRow | None:
        return await self._session.scalar(
            select(WorkspaceRow).where(func.lower(WorkspaceRow.name) == name.lower()).limit(1)
        )

    async def add(self, row: WorkspaceRow, owner: MembershipRow | None) -> None:
        self._session.add(row)
        await self._session.flush()
        if owner is not None:
            self._session.add(owner)
            await self._session.flush()


class WorkspaceUsageRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def sum_by_workspace(self) -> Mapping[str, int]:
        """Return the bytes that the runs, projects and knowledge files of each workspace store."""
        finished = select(RunRow.workspace_id, RunRow.stored_bytes).where(RunRow.finished_at.is_not(None))
        # Names the workspaces, so that the index on workspace and state is used.
        unfinished = select(RunRow.workspace_id, RunRow.stored_bytes).where(
            RunRow.workspace_id.in_(select(WorkspaceRow.id)),
            RunRow.state.in_(_UNFINISHED),
            RunRow.finished_at.is_(None),
        )
        totals: dict[str, int] = {}
        for runs in (finished.subquery(), unfinished.subquery()):
            query = select(runs.c.workspace_id, func.sum(runs.c.stored_bytes)).group_by(runs.c.workspace_id)
            for workspace_id, stored_bytes in await self._session.execute(query):
                totals[workspace_id] = totals.get(workspace_id, 0) + int(stored_bytes)
        for sums in (_SUM_ARCHIVES, _SUM_KNOWLEDGE):
            for workspace_id, stored_bytes in await self._session.execute(sums):
                totals[workspace_id] = totals.get(workspace_id, 0) + int(stored_bytes)
        return totals


def count_unfinished_runs(connection: Connection, workspace_id: str) -> tuple[int, int]:
    """Return how many runs of a workspace are queued, and how many have not ended, queued ones included."""
    rows = connection.execute(_COUNT_UNFINISHED, {"workspace": workspace_id})
    counts = {state: int(count) for state, count in rows}
    return counts.get(RunState.QUEUED, 0), sum(counts.values())


def count_unfinished_runs_elsewhere(connection: Connection, workspace_id: str) -> int:
    """Return how many of the runs that have not ended are executed elsewhere. No index covers this query."""
    return int(connection.execute(_COUNT_ELSEWHERE, {"workspace": workspace_id}).scalar_one())
