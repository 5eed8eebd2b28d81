"""Rows of runs. Every read for a person starts from their workspace."""

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
    insert,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from crewai_runner.db.tables.runs import ArtifactRow, LlmCallRow, RunRow, RunTaskRow
from crewai_runner.domain.run import FINAL_STATES

# Plain columns, not entities: a list of fifty rows must not make fifty objects with a history.
_RUNS = RunRow.__table__.c
SUMMARY = (
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
    _RUNS.seconds_at_work,
    _RUNS.created_by,
    _RUNS.created_at,
    _RUNS.started_at,
    _RUNS.finished_at,
)

GLANCE = (
    _RUNS.id,
    _RUNS.workflow_id,
    _RUNS.workflow_name,
    _RUNS.state,
    _RUNS.seconds_at_work,
    _RUNS.created_at,
    _RUNS.finished_at,
)


class RunRepository:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, run: RunRow, tasks: Iterable[RunTaskRow]) -> None:
        self._session.add(run)
        self._session.add_all(tasks)

    async def get(self, run_id: str, workspace_id: str, *, lock: bool = False) -> RunRow | None:
        query = select(RunRow).where(RunRow.workspace_id == workspace_id, RunRow.id == run_id)
        if lock:
            # What another transaction wrote while the lock was awaited counts, not what was read before.
            query = query.with_for_update().execution_options(populate_existing=True)
        return await self._session.scalar(query)

    async def get_for_executor(self, run_id: str) -> RunRow | None:
        """The one read without a workspace: a worker acts for the product, not for a person."""
        return await self._session.get(RunRow, run_id, with_for_update=True, populate_existing=True)

    async def peek(self, run_id: str) -> RunRow | None:
        """As `get_for_executor`, without a lock."""
        return await self._session.get(RunRow, run_id)

    async def control_state(self, run_id: str) -> tuple[str, str | None] | None:
        query = select(RunRow.state, RunRow.stop_mode).where(RunRow.id == run_id)
        row = (await self._session.execute(query)).one_or_none()
        return None if row is None else (row.state, row.stop_mode)

    async def state_for_reader(self, run_id: str) -> str | None:
        """A run's state, for a reader whose right was checked when the stream was opened."""
        return await self._session.scalar(select(RunRow.state).where(RunRow.id == run_id))

    async def newest_of(self, workflow_id: str, workspace_id: str) -> str | None:
        query = (
            select(RunRow.id)
            .where(RunRow.workspace_id == workspace_id, RunRow.workflow_id == workflow_id)
            .order_by(RunRow.id.desc())
            .limit(1)
        )
        return await self._session.scalar(query)

    async def newest(self, workspace_id: str, workflow_ids: Sequence[str], each: int) -> Sequence[Row[Any]]:
        """The newest runs of each workflow, newest first: from an index, in one statement."""
        of_each = [
            select(*GLANCE)
            .where(RunRow.workspace_id == workspace_id, RunRow.workflow_id == workflow_id)
            .order_by(RunRow.id.desc())
            .limit(each)
            .subquery()
            for workflow_id in workflow_ids
        ]
        if not of_each:
            return []
        together = union_all(*(select(runs) for runs in of_each)).subquery()
        result = await self._session.execute(select(together).order_by(together.c.id.desc()))
        rows: Sequence[Row[Any]] = result.all()
        return rows

    async def page(
        self,
        workspace_id: str,
        conditions: Sequence[ColumnElement[bool]],
        metadata: Mapping[str, str],
        before: str | None,
        limit: int,
    ) -> Sequence[Row[Any]]:
        """Newest first; ids are time-sortable, so the id is the cursor."""
        query: Select[Any] = select(*SUMMARY).where(RunRow.workspace_id == workspace_id, *conditions)
        query = query.where(*(self._says(key, value) for key, value in metadata.items()))
        if before is not None:
            query = query.where(RunRow.id < before)
        result = await self._session.execute(query.order_by(RunRow.id.desc()).limit(limit))
        rows: Sequence[Row[Any]] = result.all()
        return rows

    def _says(self, key: str, value: str) -> ColumnElement[bool]:
        """Whether a run's metadata holds this value, compared as text: `3` and `true` are found too."""
        if self._session.get_bind().dialect.name == "postgresql":
            found: ColumnElement[bool] = RunRow.extra[key].as_string() == value
            return found
        # SQLite would compare a number with a text, and takes no key with a quote in it as a path.
        entry = func.json_each(RunRow.extra).table_valued("key", "value", "type")
        word = case((entry.c.type.in_(("true", "false")), entry.c.type), else_=cast(entry.c.value, Text))
        return select(entry.c.key).where(entry.c.key == key, word == value).exists()

    async def take_finished(
        self, workspace_id: str, conditions: Sequence[ColumnElement[bool]], limit: int
    ) -> Sequence[str]:
        """Ids of finished runs, the oldest first; nobody else moves them before this transaction ends."""
        query = select(RunRow.id).where(
            RunRow.workspace_id == workspace_id, RunRow.state.in_(FINAL_STATES), *conditions
        )
        query = query.order_by(RunRow.id).limit(limit).with_for_update()
        return (await self._session.scalars(query)).all()

    async def delete(self, run_ids: Sequence[str]) -> None:
        """These runs; everything that belongs to them goes with them, by the tables' own rules."""
        gone = delete(RunRow).where(RunRow.id.in_(run_ids))
        await self._session.execute(gone.execution_options(synchronize_session=False))

    async def tasks(self, run_id: str) -> Sequence[RunTaskRow]:
        query = select(RunTaskRow).where(RunTaskRow.run_id == run_id).order_by(RunTaskRow.position)
        return (await self._session.scalars(query)).all()

    async def calls(self, run_id: str) -> Sequence[LlmCallRow]:
        query = select(LlmCallRow).where(LlmCallRow.run_id == run_id).order_by(LlmCallRow.seq)
        return (await self._session.scalars(query)).all()

    async def artifacts(self, run_id: str) -> Sequence[ArtifactRow]:
        query = (
            select(ArtifactRow)
            .where(ArtifactRow.run_id == run_id)
            .order_by(ArtifactRow.name)
            .options(defer(ArtifactRow.content, raiseload=True))
        )
        return (await self._session.scalars(query)).all()

    async def artifact(self, run_id: str, name: str) -> ArtifactRow | None:
        return await self._session.get(ArtifactRow, (run_id, name))

    async def put_artifact(self, artifact: ArtifactRow) -> None:
        await self._session.merge(artifact)

    async def lock_many(self, run_ids: Sequence[str]) -> Sequence[Any]:
        """What the journal needs of the runs it is about to write, locked in one order."""
        query = (
            select(
                RunRow.id,
                RunRow.state,
                RunRow.fence,
                RunRow.attempt,
                RunRow.last_seq,
                RunRow.prompt_tokens,
                RunRow.completion_tokens,
                RunRow.cached_tokens,
                RunRow.total_tokens,
                RunRow.llm_calls,
                RunRow.tool_calls,
                RunRow.cost_amount,
                RunRow.cost_currency,
            )
            .where(RunRow.id.in_(run_ids))
            .order_by(RunRow.id)
            .with_for_update()
        )
        return (await self._session.execute(query)).all()

    async def write_figures(self, rows: list[dict[str, Any]]) -> None:
        """Set the counters of many runs; each row has `id` and the columns to set."""
        await self._session.execute(update(RunRow), rows)

    async def write_tasks(self, rows: list[dict[str, Any]]) -> None:
        await self._session.execute(update(RunTaskRow), rows)

    async def add_calls(self, rows: list[dict[str, Any]]) -> None:
        await self._session.execute(insert(LlmCallRow), rows)

    async def unfinished(self, states: Sequence[str]) -> Sequence[tuple[str, str, int]]:
        """(id, state, attempt) of every run in these states, for start-up and metrics."""
        query = select(RunRow.id, RunRow.state, RunRow.attempt).where(RunRow.state.in_(states))
        return [(r.id, r.state, r.attempt) for r in await self._session.execute(query)]

    async def count_by_state(self) -> dict[str, int]:
        query = select(RunRow.state, func.count()).group_by(RunRow.state)
        return {state: count for state, count in await self._session.execute(query)}  # noqa: C416


def matching(
    *,
    states: Sequence[str] = (),
    workflow_id: str | None = None,
    text: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[ColumnElement[bool]]:
    """Conditions of a filtered list."""
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
