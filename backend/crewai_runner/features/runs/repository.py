"""Queries on runs and their tasks, model calls and artifacts.

Reads for a user are restricted to the user's workspace; methods for workers and for the event writer are not.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    func,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from crewai_runner.core.clock import now
from crewai_runner.db.tables.runs import ArtifactRow, LlmCallRow, RunCheckpointRow, RunRow, RunTaskRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.domain.output_files import find_media_type


class RunRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, run: RunRow, tasks: Iterable[RunTaskRow]) -> None:
        self._session.add(run)
        await self._session.flush()
        self._session.add_all(tasks)

    async def get(self, run_id: str, workspace_id: str, *, lock: bool = False) -> RunRow | None:
        query = select_run(run_id, workspace_id)
        if lock:
            # Reload: another transaction may have changed the row while this one waited for the lock.
            query = query.with_for_update().execution_options(populate_existing=True)
        return await self._session.scalar(query)

    async def lock_for_worker(self, run_id: str) -> RunRow | None:
        """Return the run, locked, without a workspace check."""
        return await self._session.get(RunRow, run_id, with_for_update=True, populate_existing=True)

    async def get_for_worker(self, run_id: str) -> RunRow | None:
        """Return the run, not locked, without a workspace check."""
        return await self._session.get(RunRow, run_id)

    async def get_time(self) -> datetime:
        """Return the time of the database; SQLite has that of its only process."""
        if self._session.get_bind().dialect.name != "postgresql":
            return now()
        time: datetime = (await self._session.execute(select(func.clock_timestamp()))).scalar_one()
        return time

    async def list_attempts(
        self, states: Iterable[str], after: str, limit: int
    ) -> Sequence[Row[str, int, str, int]]:
        """Return (id, attempt, state, fencing token) of the unfinished runs that workers execute."""
        query = (
            select(RunRow.id, RunRow.attempt, RunRow.state, RunRow.fencing_token)
            # Names the workspaces, so that the index of unfinished runs is used.
            .where(RunRow.workspace_id.in_(select(WorkspaceRow.id)), RunRow.state.in_(states))
            .where(RunRow.finished_at.is_(None), RunRow.execution_uuid.is_(None))
            .where(RunRow.id > after)
            .order_by(RunRow.id)
            .limit(limit)
        )
        return (await self._session.execute(query)).all()

    async def get_state(self, run_id: str) -> str | None:
        """Return the run's state, without a workspace check."""
        return await self._session.scalar(select(RunRow.state).where(RunRow.id == run_id))

    async def get_newest_id(self, workflow_id: str, workspace_id: str) -> str | None:
        query = (
            select(RunRow.id)
            .where(RunRow.workspace_id == workspace_id, RunRow.workflow_id == workflow_id)
            .order_by(RunRow.id.desc())
            .limit(1)
        )
        return await self._session.scalar(query)

    async def list_tasks(self, run_id: str) -> Sequence[RunTaskRow]:
        query = select(RunTaskRow).where(RunTaskRow.run_id == run_id).order_by(RunTaskRow.position)
        return (await self._session.scalars(query)).all()

    async def list_calls(self, run_id: str) -> Sequence[LlmCallRow]:
        query = select(LlmCallRow).where(LlmCallRow.run_id == run_id).order_by(LlmCallRow.seq)
        return (await self._session.scalars(query)).all()

    async def add_calls(self, rows: list[dict[str, Any]]) -> None:
        await self._session.execute(insert(LlmCallRow), rows)

    async def list_artifacts(self, run_id: str) -> Sequence[ArtifactRow]:
        query = (
            select(ArtifactRow)
            .where(ArtifactRow.run_id == run_id)
            .order_by(ArtifactRow.name)
            .options(defer(ArtifactRow.content, raiseload=True))
        )
        return (await self._session.scalars(query)).all()

    async def copy_attached_files(self, source_id: str, run_id: str) -> list[tuple[str, int]]:
        query = select(ArtifactRow).where(ArtifactRow.run_id == source_id, ArtifactRow.task_key == "")
        found = (await self._session.scalars(query)).all()
        for row in found:
            await self.save_artifact(run_id, "", row.name, row.content)
        return [(row.name, row.size) for row in found]

    async def list_files(self, run_id: str) -> Sequence[ArtifactRow]:
        """Return the artifacts of a run with their content, by name."""
        query = select(ArtifactRow).where(ArtifactRow.run_id == run_id).order_by(ArtifactRow.name)
        return (await self._session.scalars(query)).all()

    async def list_checkpoints(self, run_id: str) -> Sequence[RunCheckpointRow]:
        query = select(RunCheckpointRow).where(RunCheckpointRow.run_id == run_id)
        return (await self._session.scalars(query)).all()

    async def get_artifact(self, run_id: str, name: str) -> ArtifactRow | None:
        return await self._session.get(ArtifactRow, (run_id, name))

    async def save_artifact(self, run_id: str, task_key: str, path: str, content: bytes) -> int:
        """Add a file or replace the one with this path; return the bytes of the replaced one."""
        existing = await self.get_artifact(run_id, path)
        replaced = 0 if existing is None else existing.size
        artifact = ArtifactRow(
            run_id=run_id,
            name=path,
            task_key=task_key,
            media_type=find_media_type(path),
            size=len(content),
            content=content,
        )
        await self._session.merge(artifact)
        return replaced


def select_run(run_id: str, workspace_id: str) -> Select[RunRow]:
    return select(RunRow).where(RunRow.workspace_id == workspace_id, RunRow.id == run_id)


def build_conditions(
    *,
    states: Sequence[str] = (),
    workflow_id: str | None = None,
    project_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[ColumnElement[bool]]:
    """Return the WHERE conditions of a filtered run list; `until` is exclusive."""
    conditions: list[ColumnElement[bool]] = []
    if states:
        conditions.append(RunRow.state.in_(states))
    if workflow_id is not None:
        conditions.append(RunRow.workflow_id == workflow_id)
    if project_id is not None:
        conditions.append(RunRow.project_id == project_id)
    if since is not None:
        conditions.append(RunRow.created_at >= since)
    if until is not None:
        conditions.append(RunRow.created_at < until)
    return conditions
