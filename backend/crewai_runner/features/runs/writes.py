"""Updates runs from the events of their attempts, on a connection of the transaction writer."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from crewai_runner.domain.output_files import find_media_type
from crewai_runner.domain.run import TaskResult
from crewai_runner.domain.run_events import ArtifactSaved, RunEvent, TaskCompleted, TaskStarted
from crewai_runner.domain.stored_size import measure_json
from crewai_runner.features.runs.progress_repository import RunProgressRepository
from crewai_runner.features.runs.rules import (
    build_call_columns,
    build_counter_columns,
    build_task_columns,
    collect_changes,
)
from crewai_runner.features.runs.schemas import BatchChange, SelectedRow, to_usage


class RunWrites:
    def __init__(self, connection: Connection) -> None:
        self._progress = RunProgressRepository(connection)

    def lock_many(self, run_ids: Sequence[str]) -> Mapping[str, SelectedRow]:
        """Lock runs and return the columns the event writer needs, by run id."""
        return {row.id: row for row in self._progress.lock_many(run_ids)}

    def create(self, columns: Mapping[str, Any], tasks: Sequence[dict[str, Any]]) -> None:
        """Add a run, given by the names of its attributes, with its tasks."""
        self._progress.add_run(columns, tasks)

    def lock_to_begin(self, run_id: str) -> SelectedRow | None:
        """Lock a run and return what its attempt begins with; None if it does not exist."""
        return self._progress.lock_to_begin(run_id)

    def lock_to_end(self, run_id: str) -> SelectedRow | None:
        """Lock a run and return its progress; None if it does not exist."""
        return self._progress.lock_to_end(run_id)

    def update(self, run_id: str, columns: Mapping[str, Any]) -> None:
        """Set columns of a locked run, given by the names of its attributes."""
        self._progress.update_counters([{"id": run_id, **columns}])

    def get_task_results(self, run_id: str) -> dict[str, TaskResult]:
        """Return the stored task outputs by task key; these tasks are not executed again."""
        rows = self._progress.list_task_results(run_id)
        return {row.key: TaskResult.model_validate(row.result) for row in rows}

    def set_active_seconds(self, attempts: Iterable[tuple[str, int, float]]) -> None:
        """Raise the active time of running attempts, given as (run id, fencing token, seconds)."""
        rows = [{"run": run_id, "token": token, "seconds": seconds} for run_id, token, seconds in attempts]
        self._progress.set_active_seconds(rows)

    def apply_events(self, batch: Sequence[BatchChange]) -> None:
        """Update the rows of many runs from their numbered events, with few statements for the batch."""
        runs: list[dict[str, Any]] = []
        tasks: list[dict[str, Any]] = []
        calls: list[dict[str, Any]] = []
        for change in batch:
            row, changes = change.row, collect_changes(change.events)
            runs.append(change.progress() | build_counter_columns(to_usage(row).plus(changes.usage)))
            if row.project_id is not None and changes.tasks:
                # The tasks of a project are known only when it starts them.
                self._progress.add_missing_tasks(row.id, list(changes.tasks))
            tasks += [build_task_columns(row.id, key, task) for key, task in changes.tasks.items()]
            calls += [build_call_columns(row.id, call) for call in changes.calls]
        self._progress.update_counters(runs)
        self._progress.update_tasks(tasks)
        self._progress.add_calls(calls)

    def measure_replaced(self, row: SelectedRow, events: Iterable[RunEvent]) -> int:
        """Return the bytes of the results and files, stored before the attempt, that these events replace."""
        if row.fencing_token == 1:
            return 0
        tasks = {event.task_key or "" for event in events if isinstance(event, TaskStarted | TaskCompleted)}
        files = {event.data.name for event in events if isinstance(event, ArtifactSaved)}
        results = self._progress.list_results_of(row.id, tasks) if tasks else []
        return measure_json(*results) + (self._progress.measure_files(row.id, files) if files else 0)

    def save_file(self, run_id: str, path: str, content: bytes, task_key: str = "") -> None:
        """Add a file that a tool or the code of a project wrote, or replace the one with the same path."""
        self._progress.save_artifact(
            {
                "run_id": run_id,
                "name": path,
                "task_key": task_key,
                "media_type": find_media_type(path),
                "size": len(content),
                "content": content,
            }
        )

    def save_checkpoint(self, run_id: str, name: str, value: Mapping[str, Any]) -> None:
        """Store what an attempt leaves for the next one, in place of what it has stored under the name."""
        self._progress.save_checkpoint({"run_id": run_id, "name": name, "value": dict(value)})

    def delete_checkpoints(self, run_id: str) -> None:
        """Forget what the attempts of a run have left: no other one follows."""
        self._progress.delete_checkpoints(run_id)

    def save_artifact(self, run_id: str, task_key: str, path: str, output: str) -> None:
        """Add a task's output as a file, or replace the one with the same path."""
        content = output.encode()
        self._progress.save_artifact(
            {
                "run_id": run_id,
                "name": path,
                "task_key": task_key,
                "media_type": find_media_type(path),
                "size": len(content),
                "content": content,
            }
        )
