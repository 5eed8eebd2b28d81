"""Deletes finished runs with everything that belongs to them, and the events of old runs."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from crewai_runner.core.logging import get_logger
from crewai_runner.core.principal import Principal
from crewai_runner.db.audit_log import audited_unit_of_work
from crewai_runner.db.session import Sessions, shielded, unit_of_work
from crewai_runner.domain.audit_entry import get_entry
from crewai_runner.domain.audit_record import format_time
from crewai_runner.domain.run import FINAL_STATES, RunState
from crewai_runner.features.runs.deletion_repository import RunDeletionRepository
from crewai_runner.features.runs.errors import RunStillActive
from crewai_runner.features.runs.repository import build_conditions
from crewai_runner.features.runs.schemas import LockedRun
from crewai_runner.features.runs.service import RunService
from crewai_runner.queue.deferred import DeferredQueue

log = get_logger(__name__)
MAX_RUNS = 50
MAX_ROWS = 500
"""Events and model calls deleted per transaction, and runs: short transactions let other writers proceed.

A run's other rows are few and are deleted together with it.
"""

Lock = Callable[[RunDeletionRepository], Awaitable[Sequence[LockedRun]]]


@dataclass(frozen=True, slots=True)
class DeletedBatch:
    """What one transaction found and deleted. `found`: the number of runs that were to be deleted."""

    found: int
    runs: Sequence[LockedRun]
    events: int


class RunDeletionService:
    """Opens its own transactions, because many runs, or one run, may have a very large number of rows.

    A run with many events loses them first, over several transactions. If that is interrupted, the run stays
    and says that its events were deleted.
    """

    def __init__(self, sessions: Sessions, queue: DeferredQueue) -> None:
        self._sessions, self._queue = sessions, queue

    async def delete(self, principal: Principal, run_id: str) -> None:
        """Delete one run. Raises RunNotFound, RunStillActive (409)."""
        while not (await shielded(self._delete_one(principal, run_id))).runs:
            pass

    async def delete_finished(
        self, principal: Principal, states: Sequence[str], before: datetime | None
    ) -> int:
        """Delete all finished runs that match and return their number.

        If it is interrupted, the batches deleted so far stay deleted.
        """
        conditions = build_conditions(states=states, until=before)
        entry = get_entry()
        entry.add_change("filter.status", None, list(states))
        entry.add_change("filter.before", None, None if before is None else format_time(before))

        async def lock(repository: RunDeletionRepository) -> Sequence[LockedRun]:
            return await repository.lock_finished(principal.workspace_id, conditions, MAX_RUNS)

        deleted = 0
        while (batch := await shielded(self._delete_batch(lock))).found:
            deleted += len(batch.runs)
        return deleted

    async def delete_finished_before(self, moment: datetime, workspace_id: str | None = None) -> DeletedBatch:
        """Delete one batch of the runs that finished before `moment`, of one workspace or of any."""

        def lock(runs: RunDeletionRepository) -> Awaitable[Sequence[LockedRun]]:
            return runs.lock_finished_before(moment, MAX_RUNS, workspace_id)

        return await shielded(self._delete_batch(lock))

    async def delete_events_before(self, moment: datetime) -> DeletedBatch:
        """Delete one batch of the events of finished runs whose last event precedes `moment`."""
        return await shielded(self._delete_events(moment))

    async def _delete_events(self, moment: datetime) -> DeletedBatch:
        async with unit_of_work(self._sessions) as session:
            repository = RunDeletionRepository(session)
            runs = await repository.lock_with_events_before(moment, MAX_RUNS)
            rows_left = MAX_ROWS
            for run in runs:
                freed = await repository.measure_events(run.id, rows_left)
                rows_left -= await repository.delete_events(run.id, rows_left)
                await repository.mark_events_deleted(run.id, are_all_deleted=rows_left > 0, freed_bytes=freed)
                if rows_left == 0:
                    break
        return DeletedBatch(len(runs), [], MAX_ROWS - rows_left)

    async def _delete_one(self, principal: Principal, run_id: str) -> DeletedBatch:
        async with audited_unit_of_work(self._sessions) as session:
            run = await RunService(session).get(principal, run_id, lock=True)
            if RunState(run.state) not in FINAL_STATES:
                raise RunStillActive(
                    f"The run is {run.state}; stop it first.", run_id=run_id, state=run.state
                )
            batch = await delete_locked(RunDeletionRepository(session), [LockedRun(run.id, run.attempt)])
        await self._delete_jobs(batch.runs)
        return batch

    async def _delete_batch(self, lock: Lock) -> DeletedBatch:
        async with audited_unit_of_work(self._sessions) as session:
            repository = RunDeletionRepository(session)
            batch = await delete_locked(repository, await lock(repository))
        await self._delete_jobs(batch.runs)
        return batch

    async def _delete_jobs(self, runs: Sequence[LockedRun]) -> None:
        """Delete the queue's records of deleted runs. A periodic task deletes those that remain."""
        if not runs or not self._queue.is_open:
            return
        try:
            await self._queue.delete_ended([job for run in runs for job in run.jobs])
        except SQLAlchemyError as error:  # the runs are deleted in any case
            log.warning("run_deletion.jobs_remain", error=type(error).__name__)


async def delete_locked(repository: RunDeletionRepository, runs: Sequence[LockedRun]) -> DeletedBatch:
    """Delete locked, finished runs; stops after `MAX_ROWS` events and model calls."""
    rows_left, events, complete = MAX_ROWS, 0, list[LockedRun]()
    for run in runs:
        deleted_events = await repository.delete_events(run.id, rows_left)
        events, rows_left = events + deleted_events, rows_left - deleted_events
        rows_left -= await repository.delete_calls(run.id, rows_left)
        if rows_left == 0:
            await repository.mark_events_deleted(run.id, are_all_deleted=False)
            break
        complete.append(run)
    if complete:
        await repository.delete_runs([run.id for run in complete])
    return DeletedBatch(len(runs), complete, events)
