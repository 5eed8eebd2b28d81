"""Queries with which the transaction writer stores the progress of running attempts.

They select and update columns: loading entities costs several times as much as their statements.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, exists, func, insert, or_, select, update

from crewai_runner.core.clock import now
from crewai_runner.db.base import table_of
from crewai_runner.db.insert import insert_or_update
from crewai_runner.db.tables.knowledge import KnowledgeFileRow
from crewai_runner.db.tables.runs import ArtifactRow, LlmCallRow, RunCheckpointRow, RunRow, RunTaskRow
from crewai_runner.domain.run import ACTIVE_STATES, TaskState
from crewai_runner.features.runs.schemas import SelectedRow

_RUNS, _TASKS, _CALLS = table_of(RunRow), table_of(RunTaskRow), table_of(LlmCallRow)
_FILES = table_of(ArtifactRow)
_RUN_COLUMNS = RunRow.__mapper__.columns
"""By the names of the attributes, three of which differ from those of the columns."""
PROGRESS = (
    "id",
    "state",
    "fencing_token",
    "attempt",
    "last_seq",
    "attempt_events",
    "active_seconds",
    "stored_bytes",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "total_tokens",
    "llm_calls",
    "tool_calls",
    "cost_amount",
    "cost_currency",
    "calls_without_usage",
    "calls_without_cost",
    "project_id",
)
FACTS = ("workspace_id", "workflow_name", "created_at")
PLAN = (
    "started_at",
    "workflow_id",
    "project_version",
    "forked_from",
    "definition",
    "inputs",
    "budget",
    "budget_raised",
    "inline_provider",
    "revision",
    "seconds_before",
)
"""What an attempt begins with, in addition to `PROGRESS` and `FACTS`."""


def _select_locked(*columns: str) -> Select[*tuple[Any, ...]]:
    return select(*(_RUN_COLUMNS[name].label(name) for name in columns)).with_for_update()


# Built once: to build a statement costs as much as to execute it.
_IS_RUN = _RUNS.c.id == bindparam("run")
_LOCK_MANY = (
    _select_locked(*PROGRESS).where(_RUNS.c.id.in_(bindparam("ids", expanding=True))).order_by(_RUNS.c.id)
)
_HAS_KNOWLEDGE_FILES = exists().where(KnowledgeFileRow.workflow_id == _RUNS.c.workflow_id)
_LOCK_TO_BEGIN = (
    _select_locked(*PROGRESS, *FACTS, *PLAN)
    .add_columns(_HAS_KNOWLEDGE_FILES.label("has_knowledge_files"))
    .where(_IS_RUN)
)
_LOCK_TO_END = _select_locked(*PROGRESS, *FACTS).where(_IS_RUN)
_LIST_RESULTS = (
    select(_TASKS.c.key, _TASKS.c.result)
    .where(_TASKS.c.run_id == bindparam("run"), _TASKS.c.result.is_not(None))
    .order_by(_TASKS.c.position)
)
_ADD_RUN, _ADD_TASKS, _ADD_CALLS = insert(_RUNS), insert(_TASKS), insert(_CALLS)
_UPDATE_RUN = update(_RUNS).where(_RUNS.c.id == bindparam("_id"))
_UPDATE_TASK = update(_TASKS).where(
    _TASKS.c.run_id == bindparam("_run_id"), _TASKS.c.key == bindparam("_key")
)
# Not `in_`: its parameters cannot be used for several rows.
_IS_ACTIVE = or_(*(_RUNS.c.state == state for state in sorted(ACTIVE_STATES)))
_SET_ACTIVE_SECONDS = (
    update(_RUNS)
    .where(_IS_RUN, _RUNS.c.fence == bindparam("token"))
    .where(_IS_ACTIVE, _RUNS.c.seconds_at_work < bindparam("seconds"))
    .values(seconds_at_work=bindparam("seconds"))
)


class RunProgressRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_run(self, columns: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> None:
        run = {_RUN_COLUMNS[name].name: value for name, value in columns.items()}
        self._connection.execute(_ADD_RUN, run)
        if tasks:
            self._connection.execute(_ADD_TASKS, tasks)

    def lock_many(self, run_ids: Sequence[str]) -> Sequence[SelectedRow]:
        """Lock runs in the order of their ids and return the columns the event writer needs."""
        rows: Sequence[SelectedRow] = self._connection.execute(_LOCK_MANY, {"ids": run_ids}).all()
        return rows

    def lock_to_begin(self, run_id: str) -> SelectedRow | None:
        """Lock a run and return `PROGRESS`, `FACTS`, `PLAN`, `has_knowledge_files`; None if there is none."""
        return self._connection.execute(_LOCK_TO_BEGIN, {"run": run_id}).one_or_none()

    def lock_to_end(self, run_id: str) -> SelectedRow | None:
        """Lock a run and return `PROGRESS` and `FACTS`; None if it does not exist."""
        return self._connection.execute(_LOCK_TO_END, {"run": run_id}).one_or_none()

    def list_task_results(self, run_id: str) -> Sequence[SelectedRow]:
        """Return (key, result) of the tasks that have a result, in order."""
        rows: Sequence[SelectedRow] = self._connection.execute(_LIST_RESULTS, {"run": run_id}).all()
        return rows

    def list_results_of(self, run_id: str, keys: Collection[str]) -> Sequence[dict[str, Any]]:
        """Return the results that these tasks have."""
        query = select(_TASKS.c.result).where(_TASKS.c.run_id == run_id, _TASKS.c.key.in_(keys))
        return self._connection.scalars(query.where(_TASKS.c.result.is_not(None))).all()

    def measure_files(self, run_id: str, names: Collection[str]) -> int:
        """Return the bytes of these files."""
        query = select(func.sum(_FILES.c.size)).where(_FILES.c.run_id == run_id, _FILES.c.name.in_(names))
        return int(self._connection.scalar(query) or 0)

    def update_counters(self, rows: list[dict[str, Any]]) -> None:
        """Set the counters of many runs; each row has `id` and the same columns to set."""
        self._connection.execute(_UPDATE_RUN, [_to_run_parameters(row) for row in rows])

    def set_active_seconds(self, rows: list[dict[str, Any]]) -> None:
        """Raise the active time of running attempts; each row has `run`, `token` and `seconds`."""
        self._connection.execute(_SET_ACTIVE_SECONDS, rows)

    def update_tasks(self, rows: list[dict[str, Any]]) -> None:
        """Set columns of tasks; each row has `run_id`, `key` and the columns to set."""
        for _, same_columns in groupby(sorted(rows, key=_columns_of), key=_columns_of):
            self._connection.execute(_UPDATE_TASK, [_to_task_parameters(row) for row in same_columns])

    def add_missing_tasks(self, run_id: str, keys: Sequence[str]) -> None:
        """Add those of the tasks that a locked run does not have, after the others."""
        known = set(self._connection.scalars(select(_TASKS.c.key).where(_TASKS.c.run_id == run_id)))
        new = [key for key in keys if key not in known]
        rows = [
            {"run_id": run_id, "key": key, "position": position, "state": TaskState.PENDING}
            for position, key in enumerate(new, start=len(known))
        ]
        if rows:
            self._connection.execute(_ADD_TASKS, rows)

    def add_calls(self, rows: list[dict[str, Any]]) -> None:
        if rows:
            self._connection.execute(_ADD_CALLS, rows)

    def save_artifact(self, row: dict[str, Any]) -> None:
        """Insert a file; if the run has one of this name, replace its content."""
        self._connection.execute(insert_or_update(self._connection, ArtifactRow, row))

    def save_checkpoint(self, row: dict[str, Any]) -> None:
        """Insert a checkpoint; if the run has one of this name, replace its value."""
        row = row | {"saved_at": now()}
        self._connection.execute(insert_or_update(self._connection, RunCheckpointRow, row))

    def delete_checkpoints(self, run_id: str) -> None:
        self._connection.execute(delete(RunCheckpointRow).where(RunCheckpointRow.run_id == run_id))


def _to_run_parameters(row: dict[str, Any]) -> dict[str, Any]:
    values = {_RUN_COLUMNS[name].name: value for name, value in row.items() if name != "id"}
    return values | {"_id": row["id"]}


def _to_task_parameters(row: dict[str, Any]) -> dict[str, Any]:
    keys = ("run_id", "key")
    return {f"_{name}" if name in keys else name: value for name, value in row.items()}


def _columns_of(row: Mapping[str, Any]) -> list[str]:
    return sorted(row)
