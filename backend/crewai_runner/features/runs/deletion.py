"""Deletes finished runs with everything that belongs to them."""

from collections.abc import Sequence
from datetime import datetime

from crewai_runner.core.principal import Principal
from crewai_runner.db.session import Sessions, unit_of_work
from crewai_runner.domain.run import FINAL_STATES, RunState
from crewai_runner.features.runs.errors import RunStillActive
from crewai_runner.features.runs.repository import RunRepository, build_conditions
from crewai_runner.features.runs.service import RunService

BATCH_SIZE = 200
"""Runs deleted per transaction; short transactions keep other writers from waiting long."""


class RunDeletionService:
    """Opens its own transactions, because many runs may have a very large number of events."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def delete(self, principal: Principal, run_id: str) -> None:
        """Delete one run. Raises RunNotFound, RunStillActive (409)."""
        async with unit_of_work(self._sessions) as session:
            run = await RunService(session).get(principal, run_id, lock=True)
            if RunState(run.state) not in FINAL_STATES:
                raise RunStillActive(
                    f"The run is {run.state}; stop it first.", run_id=run_id, state=run.state
                )
            await RunRepository(session).delete([run_id])

    async def delete_finished(
        self, principal: Principal, states: Sequence[str], before: datetime | None
    ) -> int:
        """Delete all finished runs that match and return their number.

        If it is interrupted, the batches deleted so far stay deleted.
        """
        deleted = 0
        while count := await self._delete_batch(principal, states, before):
            deleted += count
        return deleted

    async def _delete_batch(
        self, principal: Principal, states: Sequence[str], before: datetime | None
    ) -> int:
        async with unit_of_work(self._sessions) as session:
            runs = RunRepository(session)
            conditions = build_conditions(states=states, until=before)
            ids = await runs.lock_finished_ids(principal.workspace_id, conditions, BATCH_SIZE)
            if ids:
                await runs.delete(ids)
            return len(ids)
