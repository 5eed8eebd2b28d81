"""The record of runs: reading them, and the changes that events make to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.ids import Prefix, has_prefix, new_id
from crewai_runner.core.paging import decode_id_cursor, encode_cursor
from crewai_runner.core.principal import Principal
from crewai_runner.db.tables.runs import ArtifactRow, LlmCallRow, RunRow, RunTaskRow
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.run import FINAL_STATES, RunFailure, RunState, TaskResult, TaskState
from crewai_runner.domain.run_events import RunEvent
from crewai_runner.domain.usage import Cost, Usage, plain
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.features.runs.errors import ArtifactNotFound, RunNotFound
from crewai_runner.features.runs.repository import RunRepository, matching
from crewai_runner.features.runs.rules import RunChanges, TaskChange, changes_of, difference
from crewai_runner.features.runs.schemas import (
    ArtifactRead,
    Change,
    LlmCallRead,
    RunDiff,
    RunGlance,
    RunPage,
    RunRead,
    RunSummary,
    RunTaskRead,
    RunUsage,
)


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a run is made from."""

    definition: WorkflowDefinition
    inputs: Mapping[str, Any]
    workflow_id: str | None = None
    workflow_version: int | None = None
    budget: Budget = field(default_factory=Budget)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    inline_provider: bool = False
    forked_from: str | None = None
    reused: Mapping[str, TaskResult] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunFilter:
    states: Sequence[str] = ()
    workflow_id: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class RunService:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._runs = RunRepository(session)

    async def create(self, principal: Principal, new: NewRun) -> RunRow:
        """A queued run with a row for each task; outputs given as `reused` are taken over."""
        run = RunRow(
            id=new_id(Prefix.RUN),
            workspace_id=principal.workspace_id,
            workflow_id=new.workflow_id,
            workflow_version=new.workflow_version,
            workflow_name=new.definition.name,
            definition=new.definition.model_dump(mode="json"),
            inputs=dict(new.inputs),
            extra=dict(new.metadata),
            budget=new.budget.model_dump(mode="json", exclude_none=True),
            inline_provider=new.inline_provider,
            forked_from=new.forked_from,
            state=RunState.QUEUED,
            created_by=principal.subject,
        )
        tasks = [
            RunTaskRow(
                run_id=run.id,
                key=task.key,
                position=position,
                agent=task.agent,
                state=TaskState.PENDING,
                result=_dump_result(new.reused.get(task.key)),
            )
            for position, task in enumerate(new.definition.tasks)
        ]
        self._runs.add(run, [])
        await self._session.flush()
        self._session.add_all(tasks)
        return run

    async def get(self, principal: Principal, run_id: str, *, lock: bool = False) -> RunRow:
        """The run. Raises RunNotFound, also for another workspace's."""
        if has_prefix(run_id, Prefix.RUN):
            run = await self._runs.get(run_id, principal.workspace_id, lock=lock)
            if run is not None:
                return run
        raise RunNotFound(run_id)

    async def resolve(self, principal: Principal, identifier: str) -> str:
        """The run that an id names: a `run_…` itself, a `wf_…` by its newest run."""
        if has_prefix(identifier, Prefix.WORKFLOW):
            newest = await self._runs.newest_of(identifier, principal.workspace_id)
            if newest is not None:
                return newest
            raise RunNotFound(identifier)
        return identifier

    async def for_executor(self, run_id: str) -> RunRow | None:
        """The run, locked; for workers only."""
        return await self._runs.get_for_executor(run_id)

    async def peek(self, run_id: str) -> RunRow:
        """The run, not locked; for workers only. Raises RunNotFound."""
        run = await self._runs.peek(run_id)
        if run is None:
            raise RunNotFound(run_id)
        return run

    async def control_state(self, run_id: str) -> tuple[RunState, str | None] | None:
        """(state, stop mode) for the worker that runs it; None when the run is gone."""
        asked = await self._runs.control_state(run_id)
        return None if asked is None else (RunState(asked[0]), asked[1])

    async def is_over(self, run_id: str) -> bool:
        """Whether a run is gone or final; for readers whose right was checked before."""
        state = await self._runs.state_for_reader(run_id)
        return state is None or RunState(state) in FINAL_STATES

    async def newest(
        self, principal: Principal, workflow_ids: Sequence[str], each: int
    ) -> Mapping[str, Sequence[RunGlance]]:
        """The newest runs of each workflow that has any, newest first."""
        found: dict[str, list[RunGlance]] = {}
        for row in await self._runs.newest(principal.workspace_id, workflow_ids, each):
            found.setdefault(row.workflow_id, []).append(_glance(row))
        return found

    async def page(self, principal: Principal, wanted: RunFilter, limit: int, cursor: str | None) -> RunPage:
        before = decode_id_cursor(cursor, Prefix.RUN)
        conditions = matching(
            states=wanted.states,
            workflow_id=wanted.workflow_id,
            text=wanted.text,
            since=wanted.since,
            until=wanted.until,
        )
        rows = await self._runs.page(principal.workspace_id, conditions, wanted.metadata, before, limit + 1)
        more = len(rows) > limit
        runs = [summary(row) for row in rows[:limit]]
        return RunPage(runs=runs, next_cursor=encode_cursor(runs[-1].id) if more else None)

    async def task_rows(self, run_id: str) -> Sequence[RunTaskRow]:
        return await self._runs.tasks(run_id)

    async def tasks(self, run_id: str) -> list[RunTaskRead]:
        return [read_task(row) for row in await self._runs.tasks(run_id)]

    async def finished(self, run_id: str) -> dict[str, TaskResult]:
        """Outputs that need not be paid for again."""
        rows = await self._runs.tasks(run_id)
        return {row.key: TaskResult.model_validate(row.result) for row in rows if row.result is not None}

    async def usage(self, run: RunRow) -> RunUsage:
        calls = [read_call(row) for row in await self._runs.calls(run.id)]
        return RunUsage(
            total=usage_of(run),
            by_task=_grouped(calls, "task_key"),
            by_agent=_grouped(calls, "agent"),
            by_model=_grouped(calls, "model"),
            calls=calls,
        )

    async def artifacts(self, run_id: str) -> list[ArtifactRead]:
        return [ArtifactRead.model_validate(row) for row in await self._runs.artifacts(run_id)]

    async def artifact(self, run_id: str, name: str) -> ArtifactRow:
        found = None if "\x00" in name else await self._runs.artifact(run_id, name)
        if found is None:
            raise ArtifactNotFound(f"Run {run_id} has no artifact {name!r}.")
        return found

    async def save_artifact(self, artifact: ArtifactRow) -> None:
        await self._runs.put_artifact(artifact)

    async def diff(self, principal: Principal, a_id: str, b_id: str) -> RunDiff:
        a, b = await self.get(principal, a_id), await self.get(principal, b_id)
        return RunDiff(
            a=summary(a),
            b=summary(b),
            definition=_changes(a.definition, b.definition),
            inputs=_changes(a.inputs, b.inputs),
            outputs=_changes(_outputs(a), _outputs(b)),
        )

    async def forget_results(self, run_id: str) -> None:
        """Let every task be done again (`on_worker_loss: restart`)."""
        for row in await self._runs.tasks(run_id):
            row.state, row.result, row.error = TaskState.PENDING, None, None

    async def lock_many(self, run_ids: Sequence[str]) -> Mapping[str, Any]:
        return {row.id: row for row in await self._runs.lock_many(run_ids)}

    async def apply(self, batch: Sequence[tuple[Any, Sequence[RunEvent]]]) -> None:
        """Move the records of many runs on by their (numbered) events: few statements for all."""
        figures: list[dict[str, Any]] = []
        tasks: list[dict[str, Any]] = []
        calls: list[dict[str, Any]] = []
        for row, events in batch:
            changes = changes_of(events)
            figures.append({"id": row.id, "last_seq": row.last_seq + len(events)} | _figures(row, changes))
            tasks += [_task_columns(row.id, key, change) for key, change in changes.tasks.items()]
            calls += _call_columns(row.id, changes)
        await self._runs.write_figures(figures)
        for columns in tasks:
            await self._runs.write_tasks([columns])
        if calls:
            await self._runs.add_calls(calls)


def usage_of(run: Any) -> Usage:
    """The usage columns of a row as one figure."""
    cost = None
    if run.cost_amount is not None and run.cost_currency:
        cost = Cost(amount=plain(run.cost_amount), currency=run.cost_currency)
    return Usage(
        prompt_tokens=run.prompt_tokens,
        completion_tokens=run.completion_tokens,
        cached_tokens=run.cached_tokens,
        total_tokens=run.total_tokens,
        llm_calls=getattr(run, "llm_calls", 1),
        tool_calls=getattr(run, "tool_calls", 0),
        cost=cost,
    )


def summary(row: Any) -> RunSummary:
    return RunSummary.model_validate(_summary_fields(row))


def _summary_fields(row: Any) -> dict[str, Any]:
    same = ("id", "workflow_id", "workflow_version", "workflow_name", "wait_reason", "attempt", "error")
    times = ("seconds_at_work", "created_by", "created_at", "started_at", "finished_at")
    fields = {name: getattr(row, name) for name in same + times}
    return fields | {"status": row.state, "metadata": row.extra, "usage": usage_of(row)}


def read(run: RunRow, queued_because: str | None = None) -> RunRead:
    same = ("definition", "inputs", "budget", "result", "receipt", "forked_from", "last_seq", "version")
    fields = _summary_fields(run) | {name: getattr(run, name) for name in same}
    return RunRead.model_validate(fields | {"queued_because": queued_because})


def _glance(row: Any) -> RunGlance:
    same = {name: getattr(row, name) for name in ("id", "workflow_name", "created_at", "finished_at")}
    seconds = None if row.finished_at is None else row.seconds_at_work
    return RunGlance(status=row.state, seconds=seconds, **same)


def read_task(row: RunTaskRow) -> RunTaskRead:
    return RunTaskRead(
        key=row.key,
        agent=row.agent,
        status=TaskState(row.state),
        result=None if row.result is None else TaskResult.model_validate(row.result),
        error=None if row.error is None else RunFailure.model_validate(row.error),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def read_call(row: LlmCallRow) -> LlmCallRead:
    same = ("seq", "task_key", "agent", "model", "duration_ms", "at")
    fields = {name: getattr(row, name) for name in same}
    return LlmCallRead.model_validate(fields | {"usage": usage_of(row)})


def _grouped(calls: Sequence[LlmCallRead], by: str) -> dict[str, Usage]:
    groups: dict[str, Usage] = {}
    for call in calls:
        key = getattr(call, by) or ""
        groups[key] = groups.get(key, Usage()).plus(call.usage)
    return groups


def _changes(a: Any, b: Any) -> list[Change]:
    return [Change(path=path, a=left, b=right) for path, left, right in difference(a, b)]


def _outputs(run: RunRow) -> Any:
    return run.result or {}


def _dump_result(result: TaskResult | None) -> dict[str, Any] | None:
    return None if result is None else result.model_dump(mode="json", by_alias=True)


def _figures(row: Any, changes: RunChanges) -> dict[str, Any]:
    total = usage_of(row).plus(changes.usage)
    return {
        "prompt_tokens": total.prompt_tokens,
        "completion_tokens": total.completion_tokens,
        "cached_tokens": total.cached_tokens,
        "total_tokens": total.total_tokens,
        "llm_calls": total.llm_calls,
        "tool_calls": total.tool_calls,
        "cost_amount": total.cost.amount if total.cost else None,
        "cost_currency": total.cost.currency if total.cost else None,
    }


def _task_columns(run_id: str, key: str, change: TaskChange) -> dict[str, Any]:
    optional = ("agent", "result", "error", "started_at", "finished_at")
    given = {name: value for name in optional if (value := getattr(change, name)) is not None}
    return {"run_id": run_id, "key": key, "state": change.state} | _outdated(change.state) | given


def _outdated(state: TaskState) -> dict[str, Any]:
    """What an earlier attempt left in the task's row and no longer holds."""
    if state is TaskState.RUNNING:
        return {"result": None, "error": None, "finished_at": None}
    return {"error": None} if state in (TaskState.COMPLETED, TaskState.REUSED) else {}


def _call_columns(run_id: str, changes: RunChanges) -> list[dict[str, Any]]:
    return [
        {
            "run_id": run_id,
            "seq": call.seq,
            "task_key": call.task_key,
            "agent": call.agent,
            "model": call.data.model,
            "prompt_tokens": call.data.usage.prompt_tokens,
            "completion_tokens": call.data.usage.completion_tokens,
            "cached_tokens": call.data.usage.cached_tokens,
            "total_tokens": call.data.usage.total_tokens,
            "cost_amount": call.data.usage.cost.amount if call.data.usage.cost else None,
            "cost_currency": call.data.usage.cost.currency if call.data.usage.cost else None,
            "duration_ms": call.data.duration_ms,
            "at": call.at,
        }
        for call in changes.calls
    ]
