"""Queries on runs and their tasks, model calls and artifacts.

Reads for a user are restricted to the user's workspace; methods for workers and for the event writer are not.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Text,
    case,
    cast,
    delete,
    func,
    or_,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from crewai_runner.core.clock import now
from crewai_runner.db.tables.runs import ArtifactRow, LlmCallRow, RunRow, RunTaskRow
from crewai_runner.db.tables.workspaces import WorkspaceRow
from crewai_runner.domain.output_files import find_media_type
from crewai_runner.domain.run import FINAL_STATES, ControlState, RunState, StopMode
from crewai_runner.features.runs.schemas import SelectedRow

# Selects columns instead of entities: list rows need no change tracking.
_RUNS = RunRow.__table__.c
SUMMARY_COLUMNS = (
    _RUNS.id,
    _RUNS.workflow_id,
    _RUNS.workflow_version,
    _RUNS.workflow_name,
    _RUNS.state,
    _RUNS.wait_reason,
    _RUNS.attempt,
    _RUNS.error,
    _RUNS.metadata.label("extra"),
    _RUNS.prompt_tokens,
    _RUNS.completion_tokens,
    _RUNS.cached_tokens,
    _RUNS.total_tokens,
    _RUNS.llm_calls,
    _RUNS.tool_calls,
    _RUNS.cost_amount,
    _RUNS.cost_currency,
    _RUNS.calls_without_usage,
    _RUNS.calls_without_cost,
    _RUNS.seconds_at_work.label("active_seconds"),
    _RUNS.created_by,
    _RUNS.created_at,
    _RUNS.started_at,
    _RUNS.finished_at,
)

BRIEF_COLUMNS = (
    _RUNS.id,
    _RUNS.workflow_id,
    _RUNS.workflow_name,
    _RUNS.state,
    _RUNS.seconds_at_work.label("active_seconds"),
    _RUNS.created_at,
    _RUNS.finished_at,
)


class RunRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, run: RunRow, tasks: Iterable[RunTaskRow]) -> None:
        self._session.add(run)
        await self._session.flush()
        self._session.add_all(tasks)

    async def get(self, run_id: str, workspace_id: str, *, lock: bool = False) -> RunRow | None:
        query = select(RunRow).where(RunRow.workspace_id == workspace_id, RunRow.id == run_id)
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

    async def get_control_state(self, run_id: str) -> ControlState | None:
        """Return what the run's worker must know of a stop; None if the run was deleted."""
        query = select(RunRow.state, RunRow.stop_mode, RunRow.stop_requested_at).where(RunRow.id == run_id)
        row = (await self._session.execute(query)).one_or_none()
        if row is None:
            return None
        state, mode, since = row
        age = 0.0 if since is None else max(0.0, (await self.get_time() - since).total_seconds())
        return ControlState(RunState(state), None if mode is None else StopMode(mode), age)

    async def get_time(self) -> datetime:
        """Return the time of the database; SQLite has that of its only process."""
        if self._session.get_bind().dialect.name != "postgresql":
            return now()
        time: datetime = (await self._session.execute(select(func.clock_timestamp()))).scalar_one()
        return time

    async def list_attempts(
        self, states: Iterable[str], after: str, limit: int
    ) -> Sequence[Row[str, int, str, int]]:
        """Return (id, attempt, state, fencing token) of the runs in these states, of every workspace."""
        query = (
            select(RunRow.id, RunRow.attempt, RunRow.state, RunRow.fencing_token)
            # Names the workspaces, so that the index on workspace and state is used.
            .where(RunRow.workspace_id.in_(select(WorkspaceRow.id)), RunRow.state.in_(states))
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

    async def list_newest_by_workflow(
        self, workspace_id: str, workflow_ids: Sequence[str], limit_each: int
    ) -> Sequence[SelectedRow]:
        """Return the newest runs of each workflow, newest first, in one statement."""
        subqueries = [
            select(*BRIEF_COLUMNS)
            .where(RunRow.workspace_id == workspace_id, RunRow.workflow_id == workflow_id)
            .order_by(RunRow.id.desc())
            .limit(limit_each)
            .subquery()
            for workflow_id in workflow_ids
        ]
        if not subqueries:
            return []
        combined = union_all(*(select(runs) for runs in subqueries)).subquery()
        result = await self._session.execute(select(combined).order_by(combined.c.id.desc()))
        rows: Sequence[SelectedRow] = result.all()
        return rows

    async def list_page(
        self,
        workspace_id: str,
        conditions: Sequence[ColumnElement[bool]],
        metadata: Mapping[str, str],
        before: str | None,
        limit: int,
    ) -> Sequence[SelectedRow]:
        """Return runs with an id below `before`, newest first; run ids sort by creation time."""
        query: Select[Any] = select(*SUMMARY_COLUMNS).where(RunRow.workspace_id == workspace_id, *conditions)
        query = query.where(*(self._has_metadata(key, value) for key, value in metadata.items()))
        if before is not None:
            query = query.where(RunRow.id < before)
        result = await self._session.execute(query.order_by(RunRow.id.desc()).limit(limit))
        rows: Sequence[SelectedRow] = result.all()
        return rows

    def _has_metadata(self, key: str, value: str) -> ColumnElement[bool]:
        """Return a condition that compares a metadata value as text, so numbers and booleans match too."""
        if self._session.get_bind().dialect.name == "postgresql":
            matches: ColumnElement[bool] = RunRow.extra[key].as_string() == value
            return matches
        # SQLite does not compare numbers with text, and its JSON paths cannot contain a quoted key.
        entry = func.json_each(RunRow.extra).table_valued("key", "value", "type")
        text = case((entry.c.type.in_(("true", "false")), entry.c.type), else_=cast(entry.c.value, Text))
        return select(entry.c.key).where(entry.c.key == key, text == value).exists()

    async def lock_finished_ids(
        self, workspace_id: str, conditions: Sequence[ColumnElement[bool]], limit: int
    ) -> Sequence[str]:
        """Lock finished runs until the end of the transaction and return their ids, oldest first."""
        query = select(RunRow.id).where(
            RunRow.workspace_id == workspace_id, RunRow.state.in_(FINAL_STATES), *conditions
        )
        query = query.order_by(RunRow.id).limit(limit).with_for_update()
        return (await self._session.scalars(query)).all()

    async def delete(self, run_ids: Sequence[str]) -> None:
        """Delete the runs; the database cascades to everything that belongs to them."""
        statement = delete(RunRow).where(RunRow.id.in_(run_ids))
        await self._session.execute(statement.execution_options(synchronize_session=False))

    async def list_tasks(self, run_id: str) -> Sequence[RunTaskRow]:
        query = select(RunTaskRow).where(RunTaskRow.run_id == run_id).order_by(RunTaskRow.position)
        return (await self._session.scalars(query)).all()

    async def list_calls(self, run_id: str) -> Sequence[LlmCallRow]:
        query = select(LlmCallRow).where(LlmCallRow.run_id == run_id).order_by(LlmCallRow.seq)
        return (await self._session.scalars(query)).all()

    async def list_artifacts(self, run_id: str) -> Sequence[ArtifactRow]:
        query = (
            select(ArtifactRow)
            .where(ArtifactRow.run_id == run_id)
            .order_by(ArtifactRow.name)
            .options(defer(ArtifactRow.content, raiseload=True))
        )
        return (await self._session.scalars(query)).all()

    async def get_artifact(self, run_id: str, name: str) -> ArtifactRow | None:
        return await self._session.get(ArtifactRow, (run_id, name))

    async def save_artifact(self, run_id: str, task_key: str, path: str, content: bytes) -> None:
        artifact = ArtifactRow(
            run_id=run_id,
            name=path,
            task_key=task_key,
            media_type=find_media_type(path),
            size=len(content),
            content=content,
        )
        await self._session.merge(artifact)


def build_conditions(
    *,
    states: Sequence[str] = (),
    workflow_id: str | None = None,
    text: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[ColumnElement[bool]]:
    """Return the WHERE conditions of a filtered run list; `until` is exclusive."""
    conditions: list[ColumnElement[bool]] = []
    if states:
        conditions.append(RunRow.state.in_(states))
    if workflow_id is not None:
        conditions.append(RunRow.workflow_id == workflow_id)
    if text:
        pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        conditions.append(
            or_(RunRow.workflow_name.ilike(pattern, escape="\\"), RunRow.id.ilike(pattern, escape="\\"))
        )
    if since is not None:
        conditions.append(RunRow.created_at >= since)
    if until is not None:
        conditions.append(RunRow.created_at < until)
    return conditions
