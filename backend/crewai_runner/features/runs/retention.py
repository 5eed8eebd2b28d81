"""Deletes the runs and events that the settings no longer keep, in the background."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from crewai_runner.core.clock import now
from crewai_runner.core.logging import get_logger
from crewai_runner.features.runs.deletion import DeletedBatch, RunDeletionService

log = get_logger(__name__)
PAUSE_SECONDS = 0.1
"""Pause between two transactions. On SQLite it lets waiting writers, which poll for the lock, take it."""

DeleteBatch = Callable[[datetime], Awaitable[DeletedBatch]]
ListKeptDays = Callable[[], Awaitable[Mapping[str, int]]]
"""Returns the days of the workspaces that keep their runs for fewer days than the others, by id."""


async def _no_own_days() -> Mapping[str, int]:
    return {}


@dataclass(frozen=True, slots=True)
class RetentionPeriods:
    """How many days finished runs and their events are kept; 0: for ever."""

    runs_days: int
    events_days: int


@dataclass(frozen=True, slots=True)
class RetentionCounts:
    """What one pass deleted."""

    runs: int
    events: int


class RunRetention:
    """Deletes old runs and events. Several processes may do so at once: locked runs are skipped."""

    def __init__(
        self,
        deletion: RunDeletionService,
        periods: RetentionPeriods,
        list_kept_days: ListKeptDays = _no_own_days,
    ) -> None:
        self._deletion, self._periods, self._list_kept_days = deletion, periods, list_kept_days

    async def delete_expired(self) -> RetentionCounts:
        """Delete what is older than the periods. Without periods no run is queried."""
        periods, own_days = self._periods, await self._list_kept_days()
        deletions = [(partial(self._deletion.delete_finished_before, workspace_id=None), periods.runs_days)]
        for workspace_id, days in sorted(own_days.items()):
            delete = partial(self._deletion.delete_finished_before, workspace_id=workspace_id)
            deletions.append((delete, days))
        runs = events = 0
        for delete, days in deletions:
            deleted, of_runs = await _repeat(delete, days)
            runs, events = runs + deleted, events + of_runs
        _, of_old_runs = await _repeat(self._deletion.delete_events_before, periods.events_days)
        counts = RetentionCounts(runs, events + of_old_runs)
        if periods.runs_days or periods.events_days or own_days:
            log.info("retention.deleted", runs=counts.runs, events=counts.events)
        return counts


async def _repeat(delete_batch: DeleteBatch, days: int) -> tuple[int, int]:
    """Delete batches until none is left; return the numbers of deleted runs and events."""
    runs = events = 0
    if days == 0:
        return runs, events
    moment = now() - timedelta(days=days)
    while (batch := await delete_batch(moment)).found:
        runs, events = runs + len(batch.runs), events + batch.events
        await asyncio.sleep(PAUSE_SECONDS)
    return runs, events
