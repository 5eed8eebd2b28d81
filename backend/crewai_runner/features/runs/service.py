"""Creates and reads runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from crewai_runner.core.clock import now
from crewai_runner.core.ids import Prefix, has_prefix, new_id
from crewai_runner.core.principal import Principal
from crewai_runner.db.subject_name_repository import load_subject_names, read_subject_names
from crewai_runner.db.tables.runs import ArtifactRow, RunRow, RunTaskRow
from crewai_runner.domain.budget import Budget
from crewai_runner.domain.run import FINAL_STATES, RunState, TaskResult, TaskState
from crewai_runner.domain.run_events import LlmCompleted, LlmFailed
from crewai_runner.domain.stored_size import measure_json
from crewai_runner.domain.usage import Usage
from crewai_runner.domain.workflow import WorkflowDefinition
from crewai_runner.executor.run_files import StoredFile
from crewai_runner.features.runs.errors import ArtifactNotFound, RunElsewhere, RunNotFound
from crewai_runner.features.runs.list_repository import RunListRepository
from crewai_runner.features.runs.repository import RunRepository, select_run
from crewai_runner.features.runs.rules import (
    build_call_columns,
    build_counter_columns,
    find_differences,
    sum_usage,
)
from crewai_runner.features.runs.schemas import (
    ArtifactRead,
    Change,
    RunAttempt,
    RunBrief,
    RunDiff,
    RunTaskRead,
    RunUsage,
    to_llm_call_read,
    to_run_summary,
    to_run_task_read,
    to_usage,
)


@dataclass(frozen=True, slots=True)
class NewRun:
    """The parameters of a new run. `reused` holds task outputs of an earlier run, by task key."""

    definition: WorkflowDefinition
    inputs: Mapping[str, Any]
    workflow_id: str | None = None
    workflow_version: int | None = None
    project_id: str | None = None
    project_version: int | None = None
    budget: Budget = field(default_factory=Budget)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    inline_provider: bool = False
    forked_from: str | None = None
    reused: Mapping[str, TaskResult] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Conditions of a run list; an empty field does not filter. `since` is inclusive, `until` exclusive."""

    states: Sequence[str] = ()
    workflow_id: str | None = None
    project_id: str | None = None
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class RunService:
    """Reads and updates runs in the caller's transaction; LifecycleService changes their state."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._runs = RunRepository(session)

    async def create(self, principal: Principal, new: NewRun) -> RunRow:
        """Add a queued run with one row per task; reused outputs are stored as those tasks' results."""
        run = RunRow(**build_run_columns(principal, new))
        await self._runs.add(run, [RunTaskRow(**columns) for columns in build_new_task_columns(run.id, new)])
        return run

    async def get(self, principal: Principal, run_id: str, *, lock: bool = False) -> RunRow:
        """Return the run. Raises RunNotFound, also for a run of another workspace."""
        if has_prefix(run_id, Prefix.RUN):
            run = await self._runs.get(run_id, principal.workspace_id, lock=lock)
            if run is not None:
                return run
        raise RunNotFound(run_id)

    async def get_own(self, principal: Principal, run_id: str, *, lock: bool = False) -> RunRow:
        """Return a run that is executed here. Raises RunNotFound, RunElsewhere."""
        run = await self.get(principal, run_id, lock=lock)
        if run.execution_uuid is not None:
            raise RunElsewhere
        return run

    async def resolve(self, principal: Principal, identifier: str) -> str:
        """Return the run id for a run id, or the newest run's id for a workflow id. Raises RunNotFound."""
        if has_prefix(identifier, Prefix.WORKFLOW):
            newest = await self._runs.get_newest_id(identifier, principal.workspace_id)
            if newest is not None:
                return newest
            raise RunNotFound(identifier)
        return identifier

    async def lock_for_worker(self, run_id: str) -> RunRow | None:
        """Return the run, locked, without a workspace check; for workers only."""
        return await self._runs.lock_for_worker(run_id)

    async def get_for_worker(self, run_id: str) -> RunRow:
        """Return the run, not locked, without a workspace check; for workers only. Raises RunNotFound."""
        run = await self._runs.get_for_worker(run_id)
        if run is None:
            raise RunNotFound(run_id)
        return run

    async def get_attempt(self, run_id: str) -> RunAttempt | None:
        """Return the run's current attempt, without a workspace check; None if the run does not exist."""
        run = await self._runs.get_for_worker(run_id)
        return None if run is None else RunAttempt.of(run)

    async def list_attempts(self, states: Iterable[RunState], after: str, limit: int) -> list[RunAttempt]:
        """Return the attempts of runs in these states with an id above `after`, of every workspace."""
        rows = await self._runs.list_attempts(states, after, limit)
        return [RunAttempt(run_id, attempt, RunState(state), token) for run_id, attempt, state, token in rows]

    async def get_time(self) -> datetime:
        """Return the database's time, which is the same for every process."""
        return await self._runs.get_time()

    async def get_checkpoints(self, run_id: str) -> dict[str, dict[str, Any]]:
        """Return what earlier attempts of a project's run have left, by name."""
        return {row.name: row.value for row in await self._runs.list_checkpoints(run_id)}

    async def is_finished(self, run_id: str) -> bool:
        """Return whether the run has finished or was deleted. Access is not checked."""
        state = await self._runs.get_state(run_id)
        return state is None or RunState(state) in FINAL_STATES

    async def list_task_rows(self, run_id: str) -> Sequence[RunTaskRow]:
        return await self._runs.list_tasks(run_id)

    async def list_tasks(self, run_id: str) -> list[RunTaskRead]:
        return [to_run_task_read(row) for row in await self._runs.list_tasks(run_id)]

    async def get_task_results(self, run_id: str) -> dict[str, TaskResult]:
        """Return the stored task outputs by task key; these tasks are not executed again."""
        rows = await self._runs.list_tasks(run_id)
        return {row.key: TaskResult.model_validate(row.result) for row in rows if row.result is not None}

    async def reset_tasks(self, run: RunRow) -> None:
        """Set every task back to pending, without its result (`on_worker_loss: restart`)."""
        for row in await self._runs.list_tasks(run.id):
            run.stored_bytes -= 0 if row.result is None else measure_json(row.result)
            row.state, row.result, row.error = TaskState.PENDING, None, None

    async def get_usage(self, run: RunRow) -> RunUsage:
        calls = [to_llm_call_read(row) for row in await self._runs.list_calls(run.id)]
        return RunUsage(
            total=to_usage(run),
            by_task=sum_usage((call.task_key, call.usage) for call in calls),
            by_agent=sum_usage((call.agent, call.usage) for call in calls),
            by_model=sum_usage((call.model, call.usage) for call in calls),
            calls=calls,
        )

    async def list_artifacts(self, run_id: str) -> list[ArtifactRead]:
        return [ArtifactRead.model_validate(row) for row in await self._runs.list_artifacts(run_id)]

    async def get_artifact(self, run_id: str, name: str) -> ArtifactRow:
        """Return the file with its content. Raises ArtifactNotFound."""
        artifact = None if "\x00" in name else await self._runs.get_artifact(run_id, name)
        if artifact is None:
            raise ArtifactNotFound(f"Run {run_id} has no artifact {name!r}.")
        return artifact

    async def save_artifact(self, run: RunRow, task_key: str, path: str, output: str) -> None:
        """Add a task's output as a file, or replace the one with the same path.

        The caller emits `artifact.saved`, which counts the new file.
        """
        run.stored_bytes -= await self._runs.save_artifact(run.id, task_key, path, output.encode())

    async def attach_files(self, run_id: str, files: Mapping[str, bytes]) -> None:
        """Add files by path to a new run; the caller emits `artifact.saved`."""
        for path, content in files.items():
            await self._runs.save_artifact(run_id, "", path, content)

    async def copy_attached_files(self, source_id: str, run_id: str) -> list[tuple[str, int]]:
        """Give a run the files that were attached to another one; return (path, bytes) of each."""
        return await self._runs.copy_attached_files(source_id, run_id)

    async def list_files(self, run_id: str) -> list[StoredFile]:
        """Return the files of a run with their content."""
        rows = await self._runs.list_files(run_id)
        return [StoredFile(row.name, row.content, row.task_key) for row in rows]

    async def diff(self, principal: Principal, a_id: str, b_id: str) -> RunDiff:
        """Compare two runs. Raises RunNotFound."""
        a, b = await self.get(principal, a_id), await self.get(principal, b_id)
        await load_subject_names(self._session, [a, b])
        return RunDiff(
            a=to_run_summary(a),
            b=to_run_summary(b),
            definition=_list_changes(a.definition, b.definition),
            inputs=_list_changes(a.inputs, b.inputs),
            outputs=_list_changes(a.result or {}, b.result or {}),
        )

    async def add_calls(self, run: RunRow, calls: Sequence[LlmCompleted | LlmFailed]) -> None:
        """Add ended model calls to the usage of a locked run."""
        usage = reduce(Usage.plus, [call.data.usage for call in calls], to_usage(run))
        for name, value in build_counter_columns(usage).items():
            setattr(run, name, value)
        await self._runs.add_calls([build_call_columns(run.id, call) for call in calls])


def _list_changes(a: Any, b: Any) -> list[Change]:
    return [Change(path=path, a=left, b=right) for path, left, right in find_differences(a, b)]


def build_run_columns(principal: Principal, new: NewRun) -> dict[str, Any]:
    """Return the columns of a queued run, by the names of its attributes; the others have defaults."""
    documents = {
        "definition": new.definition.model_dump(mode="json"),
        "inputs": dict(new.inputs),
        "extra": dict(new.metadata),
    }
    reused = [_dump_result(result) for result in new.reused.values()]
    return {
        "id": new_id(Prefix.RUN),
        "workspace_id": principal.workspace_id,
        "workflow_id": new.workflow_id,
        "workflow_version": new.workflow_version,
        "workflow_name": new.definition.name,
        "project_id": new.project_id,
        "project_version": new.project_version,
        **documents,
        "stored_bytes": measure_json(*documents.values(), *reused),
        "budget": new.budget.model_dump(mode="json", exclude_none=True),
        "inline_provider": new.inline_provider,
        "forked_from": new.forked_from,
        "state": RunState.QUEUED,
        "created_by": principal.subject,
        "created_at": now(),
    }


def build_new_task_columns(run_id: str, new: NewRun) -> list[dict[str, Any]]:
    """Return the columns of the tasks of a new run; reused outputs are their results."""
    return [
        {
            "run_id": run_id,
            "key": task.key,
            "position": position,
            "agent": task.agent,
            "state": TaskState.PENDING,
            "result": _dump_result(new.reused.get(task.key)),
        }
        for position, task in enumerate(new.definition.tasks)
    ]


def _dump_result(result: TaskResult | None) -> dict[str, Any] | None:
    return None if result is None else result.model_dump(mode="json", by_alias=True)


def load_run(session: Session, principal: Principal, run_id: str) -> RunRow:
    """Return the run in a session of the snapshot reader. Raises RunNotFound like `RunService.get`."""
    if has_prefix(run_id, Prefix.RUN):
        run = session.scalar(select_run(run_id, principal.workspace_id))
        if run is not None:
            read_subject_names(session, [run])
            return run
    raise RunNotFound(run_id)


def list_newest_by_workflow(
    connection: Connection, principal: Principal, workflow_ids: Sequence[str], limit_each: int
) -> Mapping[str, Sequence[RunBrief]]:
    """Return the newest runs of each workflow, newest first; workflows without runs are left out."""
    by_workflow: dict[str, list[RunBrief]] = {}
    repository = RunListRepository(connection)
    for workflow_id, *columns in repository.list_newest_by_workflow(
        principal.workspace_id, workflow_ids, limit_each
    ):
        by_workflow.setdefault(workflow_id, []).append(RunBrief(*columns))
    return by_workflow
